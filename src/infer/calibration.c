/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/calibration.h"

#include <gsl/gsl_cdf.h>
#include <math.h>
#include <stdlib.h>

#include "infer/quantiles.h"

double sdn_pit(long n_draw, const double *draw, double truth, double uniform)
{
  long below = 0, equal = 0, n = 0;
  for (long i = 0; i < n_draw; i++) {
    n += isfinite(draw[i]);
    below += draw[i] < truth && isfinite(draw[i]);
    equal += draw[i] == truth;
  }
  if (n == 0 || !isfinite(truth))
    return NAN;
  return ((double)below + uniform * (double)(equal + 1)) / (double)(n + 1);
}

static double distance2(int n_dim, const double *a, const double *b)
{
  double sum = 0;
  for (int i = 0; i < n_dim; i++)
    sum += (a[i] - b[i]) * (a[i] - b[i]);
  return sum;
}

double sdn_tarp(long n_draw, int n_dim, const double *draw, const double *truth, const double *reference, double uniform)
{
  double limit = distance2(n_dim, truth, reference);
  long below = 0, equal = 0;
  for (long i = 0; i < n_draw; i++) {
    double d = distance2(n_dim, draw + i * n_dim, reference);
    below += d < limit;
    equal += d == limit;
  }
  return ((double)below + uniform * (double)(equal + 1)) / (double)(n_draw + 1);
}

void sdn_coverage_of(long n, const double *pit, double level, sdn_coverage *out)
{
  long used = 0, inside = 0;
  for (long i = 0; i < n; i++) {
    used += !isnan(pit[i]);
    inside += fabs(pit[i] - 0.5) < level / 2;
  }
  out->level = level;
  out->fraction = (double)inside / (double)used;
  out->error = sqrt(level * (1 - level) / (double)used);
}

double sdn_kolmogorov_p(long n, double deviation)
{
  if (n <= 0)
    return 1;
  double root = sqrt((double)n), lambda = (root + 0.12 + 0.11 / root) * deviation, sum = 0;
  if (!(lambda > 0.2))   /* P differs from 1 by less than 1e-12 */
    return 1;
  for (int k = 1; k <= 100; k++)
    sum += (k % 2 ? 2 : -2) * exp(-2.0 * k * k * lambda * lambda);
  return fmin(1, fmax(0, sum));
}

/* Ascending, NaN last. */
static int nan_last(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  if (isnan(x) || isnan(y))
    return (int)isnan(x) - (int)isnan(y);
  return (x > y) - (x < y);
}

void sdn_uniformity_of(long n, double *pit, sdn_uniformity *out)
{
  *out = (sdn_uniformity){.ks_p = 1, .chi2_p = 1, .p = 1};
  qsort(pit, (size_t)n, sizeof *pit, nan_last);
  while (out->n < n && !isnan(pit[out->n]))
    out->n++;
  if (out->n == 0)
    return;
  double count = (double)out->n, expected = count / SDN_N_RANK_BIN;
  for (long i = 0; i < out->n; i++) {
    out->deviation = fmax(out->deviation, fmax((double)(i + 1) / count - pit[i], pit[i] - (double)i / count));
    int bin = (int)(pit[i] * SDN_N_RANK_BIN);
    out->count[bin < SDN_N_RANK_BIN ? bin : SDN_N_RANK_BIN - 1]++;
  }
  for (int b = 0; b < SDN_N_RANK_BIN; b++)
    out->chi2 += ((double)out->count[b] - expected) * ((double)out->count[b] - expected) / expected;
  out->ks_p = sdn_kolmogorov_p(out->n, out->deviation);
  out->chi2_p = gsl_cdf_chisq_Q(out->chi2, SDN_N_RANK_BIN - 1);
  out->p = fmin(1, 2 * fmin(out->ks_p, out->chi2_p));
}

void sdn_recovery_of(long n, const double *truth, const double *estimate, double *work, sdn_recovery *out)
{
  *out = (sdn_recovery){0, NAN, NAN, NAN, NAN};
  double mean = 0, bias = 0, scatter = 0, residual = 0;
  for (long i = 0; i < n; i++)
    if (isfinite(truth[i]) && isfinite(estimate[i])) {
      work[out->n++] = estimate[i] - truth[i];
      mean += truth[i];
      bias += estimate[i] - truth[i];
      residual += (estimate[i] - truth[i]) * (estimate[i] - truth[i]);
    }
  if (out->n < 2)
    return;
  double count = (double)out->n;
  mean /= count;
  for (long i = 0; i < n; i++)
    if (isfinite(truth[i]) && isfinite(estimate[i]))
      scatter += (truth[i] - mean) * (truth[i] - mean);
  out->bias = bias / count;
  out->rmse = sqrt(residual / count);
  out->r2 = scatter > 0 ? 1 - residual / scatter : NAN;
  out->nmad = sdn_nmad(out->n, work);
}
