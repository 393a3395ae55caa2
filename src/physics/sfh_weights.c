/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Weights of a history on the grid's age nodes. Bins between nodes are cut at the history's knots into panels, panels that bend too much into halves; each
 * takes the fewest Gauss-Legendre points that give 1e-9, and the points of many panels are evaluated in one vectorised loop. Points are spread in ln age
 * whether hats are linear in ln age or in age: then da = a d ln a. */
#include <math.h>

#include "physics/gauss.h"
#include "physics/sfh_family.h"
#include "physics/vector_math.h"

#define BATCH_POINT 512
#define BATCH_PANEL 128
#define MAX_HALVING 40

/* A panel's half-width in units of the distance over which its function goes on may be so large for each rule. Chosen so that the means of e^x, with
 * a distance of 4, and of functions with a pole at that distance err by less than 1e-9. */
static const double most_share[SDN_GAUSS_N_RULE] = {1 / 22.0, 1 / 8.0, 1 / 2.9, 1 / 1.96, 1 / 1.4};

typedef struct panel { int bin, rule, segment; double width, share; } panel;   /* width in ln age; share of its bin, in the hats' coordinate */

typedef struct batch {
  const sdn_sfh *h;
  const sdn_sfh_ops *ops;
  double *mean;                       /* [n_bin] mean of the cumulative mass over each bin, being gathered */
  double until_yr;                    /* older stars are left out */
  double mass;                        /* where rates are integrated: formed since the young end of the next panel */
  int n_panel, n_point;
  panel panel[BATCH_PANEL];           /* all of one segment */
  double start_yr[BATCH_POINT], step[BATCH_POINT];   /* age = start e^step */
  double age_yr[BATCH_POINT], value[BATCH_POINT];
} batch;

static void gather_masses(batch *b)
{
  const double *value = b->value;
  for (int p = 0; p < b->n_panel; p++) {
    const sdn_gauss *g = &sdn_gauss_rule[b->panel[p].rule];
    double sum = 0;
    for (int i = 0; i < g->n; i++) sum += g->w[i] * value[i];
    b->mean[b->panel[p].bin] += b->panel[p].share * sum;
    value += g->n;
  }
}

/* Over age: divided by the rule's own integral of age, so that a constant mass has itself as mean. */
static void gather_masses_over_age(batch *b)
{
  const double *value = b->value, *age_yr = b->age_yr;
  for (int p = 0; p < b->n_panel; p++) {
    const sdn_gauss *g = &sdn_gauss_rule[b->panel[p].rule];
    double sum = 0, whole = 0;
    for (int i = 0; i < g->n; i++) {
      sum += g->w[i] * age_yr[i] * value[i];
      whole += g->w[i] * age_yr[i];
    }
    b->mean[b->panel[p].bin] += b->panel[p].share * sum / whole;
    value += g->n;
    age_yr += g->n;
  }
}

/* The rate gives both the panel's mass and the mean of the mass across it: the mean over x of int_0^x f is int (1 - x) f, x from 0 to 1 in ln age, or
 * in age: there x = (e^(width y) - 1) / (e^width - 1) with y in ln age. */
static void gather_rates(batch *b)
{
  const bool linear = b->h->linear_age;
  const double *start_yr = b->start_yr, *value = b->value, *age_yr = b->age_yr;
  for (int p = 0; p < b->n_panel; p++) {
    const sdn_gauss *g = &sdn_gauss_rule[b->panel[p].rule];
    const double inverse_yr = linear ? 1 / (start_yr[0] * expm1(b->panel[p].width)) : 0;
    double mass = 0, mean = 0;
    for (int i = 0; i < g->n; i++) {
      const double share = g->w[i] * value[i] * age_yr[i] * b->panel[p].width;
      mass += share;
      mean += (1 - (linear ? (age_yr[i] - start_yr[i]) * inverse_yr : g->x[i])) * share;
    }
    b->mean[b->panel[p].bin] += b->panel[p].share * (b->mass + mean);
    b->mass += mass;
    value += g->n;
    age_yr += g->n;
    start_yr += g->n;
  }
}

SDN_CLONES static void find_ages(int n, const double *restrict start_yr, const double *restrict step, double *restrict age_yr)
{
  for (int i = 0; i < n; i++) age_yr[i] = start_yr[i] * sdn_vexp(step[i]);
}

static void flush(batch *b)
{
  if (b->n_panel == 0) return;
  find_ages(b->n_point, b->start_yr, b->step, b->age_yr);
  if (b->ops->masses) {
    b->ops->masses(b->h, b->panel[0].segment, b->n_point, b->age_yr, b->value);
    (b->h->linear_age ? gather_masses_over_age : gather_masses)(b);
  } else {
    b->ops->rates(b->h, b->n_point, b->age_yr, b->value);
    gather_rates(b);
  }
  b->n_panel = b->n_point = 0;
}

static void put_panel(batch *b, const panel *p, double younger_yr)
{
  const sdn_gauss *g = &sdn_gauss_rule[p->rule];
  if (b->n_panel == BATCH_PANEL || b->n_point + g->n > BATCH_POINT || (b->n_panel > 0 && b->panel[0].segment != p->segment)) flush(b);
  b->panel[b->n_panel++] = *p;
  for (int i = 0; i < g->n; i++) {
    b->start_yr[b->n_point] = younger_yr;
    b->step[b->n_point++] = p->width * g->x[i];
  }
}

/* Chooses the rule for a panel from younger_yr to older_yr, or halves it in ln age. */
static void add_panel(batch *b, panel p, double younger_yr, double older_yr, int depth)
{
  const double reach_yr = b->ops->reach_yr(b->h, p.segment, younger_yr, older_yr);
  const double bend = b->h->linear_age ? p.width / 4 : p.width / 6;   /* age = e^(ln age) bends too: 2 half-widths of 3, of 2 with da = a d ln a */
  const double share = 0.5 * (older_yr - younger_yr) / reach_yr + bend;
  p.rule = 0;
  while (p.rule < SDN_GAUSS_N_RULE && !(share <= most_share[p.rule])) p.rule++;
  if (p.rule < SDN_GAUSS_N_RULE || depth == MAX_HALVING) {
    p.rule = p.rule < SDN_GAUSS_N_RULE ? p.rule : SDN_GAUSS_N_RULE - 1;
    put_panel(b, &p, younger_yr);
    return;
  }
  const double middle_yr = sqrt(younger_yr * older_yr);
  const double share_young = b->h->linear_age ? younger_yr / (younger_yr + middle_yr) : 0.5;
  panel young = p, old = p;
  young.width = old.width = 0.5 * p.width;
  young.share = share_young * p.share;
  old.share = p.share - young.share;
  add_panel(b, young, younger_yr, middle_yr, depth + 1);
  add_panel(b, old, middle_yr, older_yr, depth + 1);
}

/* The panel that reaches the Big Bang, where the rate is singular there. */
static void add_start(batch *b, const panel *p, double younger_yr)
{
  double mass, moment;
  flush(b);
  b->ops->start(b->h, b->h->age_universe_yr - younger_yr, &mass, &moment);
  b->mean[p->bin] += p->share * (b->mass + moment / sdn_sfh_stretch(b->h, younger_yr, b->h->age_universe_yr));
  b->mass += mass;
}

/* The bin between two nodes, from the first star to until_yr; *segment is where its young end lies, and moves along. */
static void add_bin(batch *b, int bin, double young_yr, double node_yr, double bin_width, int *segment)   /* bin_width: in the hats' coordinate */
{
  const sdn_sfh *h = b->h;
  const double old_yr = fmin(node_yr, b->until_yr);
  for (double from_yr = fmax(young_yr, h->knot_yr[0]); from_yr < old_yr;) {
    while (h->knot_yr[*segment + 1] <= from_yr) ++*segment;
    const double to_yr = fmin(old_yr, h->knot_yr[*segment + 1]);
    const double stretch = from_yr == young_yr && to_yr == node_yr ? bin_width : sdn_sfh_stretch(h, from_yr, to_yr);
    const panel p = {bin, 0, *segment, h->linear_age ? log(to_yr / from_yr) : stretch, stretch / bin_width};
    if (b->ops->start && to_yr == h->age_universe_yr)
      add_start(b, &p, from_yr);
    else
      add_panel(b, p, from_yr, to_yr, 0);
    from_yr = to_yr;
  }
}

/* Where rates were integrated: make the mass at the last point reached the exact one, so that weights sum to the whole. */
static void rescale(const batch *b, int n_bin, double exact_mass)
{
  if (b->ops->rates && b->mass > 0)
    for (int i = 0; i < n_bin; i++) b->mean[i] *= exact_mass / b->mass;
}

void sdn_sfh_quadrature(const sdn_sfh *h, double until_yr, double total, int n_age, const double *age_yr, double *weight)
{
  batch b;   /* 16 KiB, not to be cleared */
  b.h = h;
  b.ops = h->ops;
  b.until_yr = until_yr;
  b.mean = weight;
  b.mass = b.ops->rates && age_yr[0] < until_yr ? sdn_sfh_mass_since(h, age_yr[0]) : 0;
  b.n_panel = b.n_point = 0;
  int segment = 0, n_bin = 0;
  double width = 1;
  for (; n_bin < n_age - 1 && age_yr[n_bin] < until_yr; n_bin++) {
    weight[n_bin] = 0;
    if (age_yr[n_bin + 1] <= h->knot_yr[0]) continue;
    width = sdn_sfh_stretch(h, age_yr[n_bin], age_yr[n_bin + 1]);
    add_bin(&b, n_bin, age_yr[n_bin], age_yr[n_bin + 1], width, &segment);
  }
  flush(&b);
  rescale(&b, n_bin, age_yr[n_bin] < until_yr ? sdn_sfh_mass_since(h, age_yr[n_bin]) : total);
  if (n_bin > 0 && age_yr[n_bin] > until_yr) weight[n_bin - 1] += total * sdn_sfh_stretch(h, until_yr, age_yr[n_bin]) / width;   /* the mass is constant beyond */
  for (int i = n_bin; i < n_age; i++) weight[i] = total;
  for (int i = n_age - 1; i > 0; i--) weight[i] = fmax(weight[i] - weight[i - 1], 0);
}
