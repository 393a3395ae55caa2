/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integrals of a distribution of metallicities against the hats of the axis, by Gauss-Legendre panels between nodes. */
#include <math.h>

#include "physics/gauss.h"
#include "physics/metallicity_family.h"

/* Twelve points per panel: on these widths their error is below 1e-14 (normal, exponential) and 1e-12 (log10 Z across a factor of 4). */
#define PANEL_NORMAL 3.0        /* widths of the distribution */
#define PANEL_EXPONENTIAL 4.0
#define PANEL_RATIO 4.0         /* of Z */
#define PANEL_DEX 1.0
#define REACH_NORMAL 9.0        /* beyond lies 1e-18 of the whole, or 1e-16 of the half that a centre at the grid's end leaves */
#define REACH_EXPONENTIAL 45.0

typedef struct integral { double below, above, moment; } integral;   /* of the two hats of an interval, and of Z */

static double variable(const sdn_metal_spread *s, const sdn_grid_axis *axis, int node)
{
  if (s->in_log) return axis->log ? axis->coordinate[node] : log10(axis->value[node]);
  return axis->value[node];
}

/* The relative density at v, for a variable that starts at `first`. */
static double density(const sdn_metal_spread *s, double first, double v)
{
  if (s->exponential) return exp(-(v - first) / s->width);
  const double x = (v - s->centre) / s->width;
  return exp(-0.5 * x * x);
}

static int panels(const sdn_metal_spread *s, bool log_axis, double a, double b)
{
  double n = (b - a) / (s->width * (s->exponential ? PANEL_EXPONENTIAL : PANEL_NORMAL));
  if (s->in_log && !log_axis) n = fmax(n, (b - a) / PANEL_DEX);
  if (!s->in_log && log_axis) n = fmax(n, (b / a - 1) / (PANEL_RATIO - 1));
  return (int)ceil(fmax(n, 1));
}

/* Add the part of an interval between nodes `node` and node + 1 that lies between a and b. */
static void add_interval(const sdn_metal_spread *s, const sdn_grid_axis *axis, int node, double a, double b, integral *sum)
{
  const sdn_gauss *g = &sdn_gauss_rule[SDN_GAUSS_12];
  const double first = variable(s, axis, 0), c = axis->coordinate[node], width = axis->coordinate[node + 1] - c;
  const int n = panels(s, axis->log, a, b);
  for (int p = 0; p < n; p++)
    for (int i = 0; i < g->n; i++) {
      const double v = a + (b - a) * (p + g->x[i]) / n, mass = density(s, first, v) * g->w[i] * (b - a) / n;
      const double z = s->in_log ? pow(10, v) : v, at = s->in_log == axis->log ? v : axis->log ? log10(v) : z;
      const double above = fmin(fmax((at - c) / width, 0), 1);
      sum->above += mass * above;
      sum->below += mass * (1 - above);
      sum->moment += mass * z;
    }
}

void sdn_metal_spread_shares(const sdn_metal_spread *s, const sdn_grid_axis *axis, double *share, double *mean_z)
{
  const double first = variable(s, axis, 0), last = variable(s, axis, axis->n - 1);
  double low = first, high = last, whole = 0, moment = 0, carried = 0;
  if (s->exponential) high = fmin(last, first + REACH_EXPONENTIAL * s->width);
  else {
    const double centre = fmin(fmax(s->centre, first), last);
    low = fmax(first, centre - REACH_NORMAL * s->width);
    high = fmin(last, centre + REACH_NORMAL * s->width);
  }
  for (int k = 0; k + 1 < axis->n; k++) {
    integral sum = {0};
    const double a = fmax(low, variable(s, axis, k)), b = fmin(high, variable(s, axis, k + 1));
    if (a < b) add_interval(s, axis, k, a, b, &sum);
    if (share) share[k] = carried + sum.below;
    carried = sum.above;
    whole += sum.below + sum.above;
    moment += sum.moment;
  }
  if (axis->n == 1) {
    carried = whole = 1;
    moment = axis->value[0];
  }
  if (share) {
    share[axis->n - 1] = carried;
    for (int k = 0; k < axis->n; k++) share[k] /= whole;
  }
  *mean_z = moment / whole;
}
