/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prior/table.h"

#include <math.h>

/* Probability of segment i, between value i and i + 1. */
static double segment_mass(const sdn_dist_table *t, size_t i)
{
  return 0.5 * (t->density[i] + t->density[i + 1]) * (t->value[i + 1] - t->value[i]);
}

static sdn_status check(size_t n, const double *value, const double *density, sdn_err *err)
{
  bool any = false;
  if (n < 2) return sdn_fail(err, SDN_USAGE, "a tabulated prior needs at least two values");
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(value[i]) || (i > 0 && !(value[i] > value[i - 1])))
      return sdn_fail(err, SDN_USAGE, "value %zu (%g) of a tabulated prior is not above the one before; values must increase", i + 1, value[i]);
    if (!(density[i] >= 0 && density[i] < INFINITY))
      return sdn_fail(err, SDN_USAGE, "density %zu (%g) of a tabulated prior is negative or not finite", i + 1, density[i]);
    any = any || density[i] > 0;
  }
  return any ? SDN_OK : sdn_fail(err, SDN_USAGE, "all densities of a tabulated prior are 0");
}

/* Scale the density to 1 in all, then sum from either end. */
static void normalise(sdn_dist_table *t)
{
  double total = 0;
  for (size_t i = 0; i + 1 < t->n; i++) total += segment_mass(t, i);
  for (size_t i = 0; i < t->n; i++) t->density[i] /= total;
  for (size_t i = 0; i + 1 < t->n; i++) t->below[i + 1] = t->below[i] + segment_mass(t, i);
  for (size_t i = t->n - 1; i > 0; i--) t->above[i - 1] = t->above[i] + segment_mass(t, i - 1);
}

sdn_status sdn_dist_table_new(size_t n, const double *value, const double *density, sdn_dist_table **out, sdn_err *err)
{
  *out = NULL;
  if (check(n, value, density, err)) return err->status;
  sdn_dist_table *t = sdn_alloc(1, sizeof *t, "a tabulated prior", err);
  if (!t) return err->status;
  double **const array[] = {&t->value, &t->density, &t->below, &t->above};
  for (int a = 0; a < 4; a++)
    if (!(*array[a] = sdn_alloc(n, sizeof(double), "a tabulated prior", err))) goto done;
  t->n = n;
  for (size_t i = 0; i < n; i++) {
    t->value[i] = value[i];
    t->density[i] = density[i];
  }
  normalise(t);
  *out = t;
  t = NULL;
done:
  sdn_dist_table_free(t);
  return *out ? SDN_OK : err->status;
}

void sdn_dist_table_free(sdn_dist_table *t)
{
  if (!t) return;
  sdn_release(t->value);
  sdn_release(t->density);
  sdn_release(t->below);
  sdn_release(t->above);
  sdn_release(t);
}

/* The root of here s + (there - here) s^2 / (2 width) = mass, in the form that has no cancellation. */
double sdn_dist_segment_length(double mass, double here, double there, double width)
{
  const double root = sqrt(here * here + 2 * mass * (there - here) / width), sum = here + (root > 0 ? root : 0);
  const double s = sum > 0 ? 2 * mass / sum : 0;
  return s < width ? s : width;
}

/* The segment i that holds its probability: below[i] <= p < below[i+1]. */
static size_t find_below(const sdn_dist_table *t, double p)
{
  size_t low = 0, high = t->n - 1;
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if (t->below[middle] <= p) low = middle;
    else high = middle;
  }
  return low;
}

static size_t find_above(const sdn_dist_table *t, double q)
{
  size_t low = 0, high = t->n - 1;
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if (t->above[middle] <= q) high = middle;
    else low = middle;
  }
  return low;
}

double sdn_dist_table_quantile(const sdn_dist_table *t, double below, double above)
{
  if (below <= above) {
    const size_t i = find_below(t, below);
    return t->value[i] + sdn_dist_segment_length(below - t->below[i], t->density[i], t->density[i + 1], t->value[i + 1] - t->value[i]);
  }
  const size_t i = find_above(t, above);
  return t->value[i + 1] - sdn_dist_segment_length(above - t->above[i + 1], t->density[i + 1], t->density[i], t->value[i + 1] - t->value[i]);
}

double sdn_dist_table_cdf(const sdn_dist_table *t, double x, double *below, double *above)
{
  size_t low = 0, high = t->n - 1;
  if (!(x >= t->value[low] && x <= t->value[high])) return -1;
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if (t->value[middle] <= x) low = middle;
    else high = middle;
  }
  const double here = t->density[low], there = t->density[high], width = t->value[high] - t->value[low];
  if (here == 0 && there == 0) return -1;
  const double left = x - t->value[low], right = t->value[high] - x, density = (here * right + there * left) / width;
  *below = t->below[low] + 0.5 * left * (here + density);
  *above = t->above[high] + 0.5 * right * (density + there);
  return density;
}
