/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Absorption indices. The spectrum has the grid's own resolution, not the Lick system's 8 to 10 A. */
#include <math.h>
#include <string.h>

#include "physics/derived_own.h"

#define LIGHT_A_S 2.99792458e18

/* Trager+1998 Table 1 (air), H delta and H gamma: Worthey & Ottaviani 1997 Table 1; agreed with the definitions in four public codes. */
static const sdn_index_definition known[] = {
  {"CN1", {4142.125, 4177.125}, {4080.125, 4117.625}, {4244.125, 4284.125}, true},
  {"CN2", {4142.125, 4177.125}, {4083.875, 4096.375}, {4244.125, 4284.125}, true},
  {"Ca4227", {4222.250, 4234.750}, {4211.000, 4219.750}, {4241.000, 4251.000}, false},
  {"G4300", {4281.375, 4316.375}, {4266.375, 4282.625}, {4318.875, 4335.125}, false},
  {"Fe4383", {4369.125, 4420.375}, {4359.125, 4370.375}, {4442.875, 4455.375}, false},
  {"Ca4455", {4452.125, 4474.625}, {4445.875, 4454.625}, {4477.125, 4492.125}, false},
  {"Fe4531", {4514.250, 4559.250}, {4504.250, 4514.250}, {4560.500, 4579.250}, false},
  {"Fe4668", {4634.000, 4720.250}, {4611.500, 4630.250}, {4742.750, 4756.500}, false},
  {"Hbeta", {4847.875, 4876.625}, {4827.875, 4847.875}, {4876.625, 4891.625}, false},
  {"Fe5015", {4977.750, 5054.000}, {4946.500, 4977.750}, {5054.000, 5065.250}, false},
  {"Mg1", {5069.125, 5134.125}, {4895.125, 4957.625}, {5301.125, 5366.125}, true},
  {"Mg2", {5154.125, 5196.625}, {4895.125, 4957.625}, {5301.125, 5366.125}, true},
  {"Mgb", {5160.125, 5192.625}, {5142.625, 5161.375}, {5191.375, 5206.375}, false},
  {"Fe5270", {5245.650, 5285.650}, {5233.150, 5248.150}, {5285.650, 5318.150}, false},
  {"Fe5335", {5312.125, 5352.125}, {5304.625, 5315.875}, {5353.375, 5363.375}, false},
  {"Fe5406", {5387.500, 5415.000}, {5376.250, 5387.500}, {5415.000, 5425.000}, false},
  {"Fe5709", {5696.625, 5720.375}, {5672.875, 5696.625}, {5722.875, 5736.625}, false},
  {"Fe5782", {5776.625, 5796.625}, {5765.375, 5775.375}, {5797.875, 5811.625}, false},
  {"NaD", {5876.875, 5909.375}, {5860.625, 5875.675}, {5922.125, 5948.125}, false},
  {"TiO1", {5936.625, 5994.125}, {5816.625, 5849.125}, {6038.625, 6103.625}, true},
  {"TiO2", {6189.625, 6272.125}, {6066.625, 6141.625}, {6372.625, 6415.125}, true},
  {"HdeltaA", {4083.500, 4122.250}, {4041.600, 4079.750}, {4128.500, 4161.000}, false},
  {"HdeltaF", {4091.000, 4112.250}, {4057.250, 4088.500}, {4114.750, 4137.250}, false},
  {"HgammaA", {4319.750, 4363.500}, {4283.500, 4319.750}, {4367.250, 4419.750}, false},
  {"HgammaF", {4331.250, 4352.250}, {4283.500, 4319.750}, {4354.750, 4384.750}, false},
};

const sdn_index_definition *sdn_index_find(const char *name)
{
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (!strcmp(known[i].name, name)) return &known[i];
  return NULL;
}

const char *sdn_index_name(int i) { return i >= 0 && i < (int)(sizeof known / sizeof *known) ? known[i].name : NULL; }

/* The pseudo-continuum, in units of L_nu / A^2: c times less than f_lambda. */
typedef struct pseudo { double at_A, level, slope; } pseudo;

static double level(const sdn_derived *d, const sdn_derived_light *l, int window)
{
  const sdn_filter *f = d->plan->window[window].filter;
  return sdn_derived_mean(d, l, window) / (f->low_A * f->high_A);
}

static pseudo continuum(const sdn_derived *d, const sdn_derived_light *l, const sdn_derived_item *item)
{
  const sdn_filter *b = d->plan->window[item->window].filter, *r = d->plan->window[item->other].filter;
  const double blue_A = 0.5 * (b->low_A + b->high_A), red_A = 0.5 * (r->low_A + r->high_A), blue = level(d, l, item->window), red = level(d, l, item->other);
  return (pseudo){blue_A, blue, (red - blue) / (red_A - blue_A)};
}

static double at_wave(const pseudo *c, double wave_A) { return c->level + c->slope * (wave_A - c->at_A); }

/* int F/C dl between two nodes, by Gauss with three points: nodes are so close that F bends little in l^-2 and C. */
static double between(const pseudo *c, const double *wave_A, const float *lnu, double from_A, double to_A)
{
  static const double x[3] = {-0.7745966692414834, 0, 0.7745966692414834}, w[3] = {5.0 / 9, 8.0 / 9, 5.0 / 9};
  const double half = 0.5 * (to_A - from_A), middle = 0.5 * (to_A + from_A), slope = ((double)lnu[1] - (double)lnu[0]) / (wave_A[1] - wave_A[0]);
  double sum = 0;
  for (int i = 0; i < 3; i++) {
    const double wave = middle + half * x[i];
    sum += w[i] * ((double)lnu[0] + slope * (wave - wave_A[0])) / (wave * wave * at_wave(c, wave));
  }
  return sum * half;
}

/* int F/C dl over a feature. */
static double ratio_integral(const sdn_derived_light *l, const pseudo *p, const double edge_A[2], bool lines)
{
  const sdn_columns *c = &l->f->columns;
  double sum = 0;
  int j = 0, high = c->n_wave - 1;
  while (high - j > 1) {   /* the last node at or before the feature */
    const int middle = (j + high) / 2;
    if (c->wave_A[middle] > edge_A[0]) high = middle; else j = middle;
  }
  for (; j + 1 < c->n_wave && c->wave_A[j] < edge_A[1]; j++) {
    const double from = fmax(c->wave_A[j], edge_A[0]), to = fmin(c->wave_A[j + 1], edge_A[1]);
    if (to > from) sum += between(p, c->wave_A + j, l->spectrum + j, from, to);
  }
  for (int k = 0; lines && k < c->n_line; k++)
    if (c->line_A[k] > edge_A[0] && c->line_A[k] < edge_A[1]) sum += SDN_LSUN_ERG_S * (double)l->spectrum[c->line0 + k] / (LIGHT_A_S * at_wave(p, c->line_A[k]));
  return sum;
}

double sdn_derived_index(const sdn_derived *d, const sdn_derived_light *l, const sdn_derived_item *item)
{
  const pseudo p = continuum(d, l, item);
  const double width_A = item->x[1] - item->x[0];
  if (!(at_wave(&p, item->x[0]) > 0 && at_wave(&p, item->x[1]) > 0)) return NAN;   /* neither does NaN of a sideband that the grid lacks */
  const double integral = ratio_integral(l, &p, item->x, item->lines);
  return item->kind == SDN_DERIVE_INDEX ? width_A - integral : -2.5 * log10(integral / width_A);
}
