/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rates that are straight lines in age between knots, and may jump there: bins, top-hats, tables. On the older side of knot k, with d = age - knot,
 *   rate = r + s d,   M = M_k + r d + s d^2 / 2,
 * whose mean over ln a from a to a (1 + x), L = ln(1 + x), is exact: mean d = a (x - L) / L, mean d^2 = a^2 (x^2/2 - x + L) / L; over age, D/2 and D^2/3
 * across a width D. */
#include "physics/sfh_family.h"
#include "physics/vector_math.h"

#define SERIES_BELOW 0.01   /* of x: below, differences would lose digits that six terms of the series keep */

bool sdn_pieces_close(sdn_sfh *h)
{
  const int last = h->n_knot - 1;
  double total = 0;
  for (int k = 0; k < last; k++) {
    const double width_yr = h->knot_yr[k + 1] - h->knot_yr[k];
    h->knot_mass[k] = total;
    total += width_yr * (h->knot_rate[k] + 0.5 * h->knot_bend[k] * width_yr);
  }
  if (!(total > 0 && isfinite(total))) return false;
  for (int k = 0; k < last; k++) {
    h->knot_mass[k] /= total;
    h->knot_rate[k] /= total;
    h->knot_bend[k] /= total;
  }
  h->knot_mass[last] = 1;
  return true;
}

double sdn_pieces_mass(const sdn_sfh *h, int segment, double age_yr)
{
  const double d = age_yr - h->knot_yr[segment];
  return h->knot_mass[segment] + d * (h->knot_rate[segment] + 0.5 * h->knot_bend[segment] * d);
}

double sdn_pieces_rate(const sdn_sfh *h, int segment, double age_yr)
{
  return fmax(h->knot_rate[segment] + h->knot_bend[segment] * (age_yr - h->knot_yr[segment]), 0);   /* rounding where a line comes down to 0 */
}

double sdn_pieces_mean_age_yr(const sdn_sfh *h)
{
  double sum = 0;
  for (int k = 0; k + 1 < h->n_knot; k++) {
    const double width_yr = h->knot_yr[k + 1] - h->knot_yr[k];
    const double moment = width_yr * width_yr * (0.5 * h->knot_rate[k] + h->knot_bend[k] * width_yr / 3);   /* int d rate dd */
    sum += (h->knot_mass[k + 1] - h->knot_mass[k]) * h->knot_yr[k] + moment;
  }
  return sum;
}

/* int M du over a panel inside a segment, and its width in u: ln age, or age. */
static double panel(const sdn_sfh *h, int segment, double from_yr, double to_yr, double *width)
{
  const double d = from_yr - h->knot_yr[segment], bend = h->knot_bend[segment], rate = h->knot_rate[segment] + bend * d;
  const double mass = h->knot_mass[segment] + d * (h->knot_rate[segment] + 0.5 * bend * d), x = (to_yr - from_yr) / from_yr;
  if (h->linear_age) {
    *width = to_yr - from_yr;
    return *width * (mass + *width * (rate / 2 + *width * bend / 6));
  }
  double first, second;   /* x - L, x^2/2 - x + L */
  if (x < SERIES_BELOW) {
    second = x * x * x * (1.0 / 3 - x * (1.0 / 4 - x * (1.0 / 5 - x * (1.0 / 6 - x * (1.0 / 7 - x / 8)))));
    first = 0.5 * x * x - second;
  } else {
    first = x - sdn_vlog(1 + x);
    second = 0.5 * x * x - first;
  }
  *width = x - first;
  return *width * mass + from_yr * (rate * first + 0.5 * bend * from_yr * second);
}

/* Mean mass over the bin between two nodes, of which the part from until_yr on holds `total`; *segment is where its young end lies, and moves along. */
static double bin_mean(const sdn_sfh *h, double young_yr, double node_yr, double until_yr, double total, int *segment)
{
  const double old_yr = fmin(node_yr, until_yr), first_yr = fmax(young_yr, h->knot_yr[0]);
  double sum = 0, covered = 0, width;
  for (double from_yr = first_yr; from_yr < old_yr;) {
    while (h->knot_yr[*segment + 1] <= from_yr) ++*segment;
    const double to_yr = fmin(old_yr, h->knot_yr[*segment + 1]);
    sum += panel(h, *segment, from_yr, to_yr, &width);
    covered += width;
    from_yr = to_yr;
  }
  if (first_yr == young_yr && old_yr == node_yr) return sum / covered;
  return (sum + total * sdn_sfh_stretch(h, old_yr, node_yr)) / sdn_sfh_stretch(h, young_yr, node_yr);
}

void sdn_pieces_weights(const sdn_sfh *h, double until_yr, double total, int n_age, const double *age_yr, double *weight)
{
  int segment = 0;
  double before = 0;
  for (int i = 0; i < n_age; i++) {
    double mean = total;
    if (i < n_age - 1 && age_yr[i] < until_yr)
      mean = age_yr[i + 1] <= h->knot_yr[0] ? 0 : bin_mean(h, age_yr[i], age_yr[i + 1], until_yr, total, &segment);
    weight[i] = fmax(mean - before, 0);
    before = mean;
  }
}
