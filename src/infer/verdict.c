/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "infer/check.h"

#define COVERAGE_TOLERANCE 0.02     /* what a user of credible intervals may neglect */
#define COVERAGE_SIGMAS 3.0
#define SMALLEST_P 1e-4             /* for all quantities together */

static const double level[SDN_N_LEVEL] = {0.50, 0.68, 0.95};

const sdn_snr_bin sdn_snr_bins[SDN_N_SNR_BIN] = {
  { "all", -INFINITY, INFINITY }, {"> 5", 5, INFINITY}, {"> 100", 100, INFINITY},
  { "< 5", -INFINITY, 5 }, {"5 to 20", 5, 20}, {"20 to 100", 20, 100}, {"100 to 1000", 100, 1000}, {"> 1000", 1000, INFINITY},
};

/* Truths and medians of the galaxies of one bin, packed; returns how many. work [2][n]. */
static long pick(const sdn_trial *t, int q, const sdn_snr_bin *bin, double *work)
{
  long n = 0;
  for (long i = 0; i < t->n; i++)
    if (t->snr[i] >= bin->low && t->snr[i] < bin->high) {
      work[n] = t->truth[q * t->n + i];
      work[t->n + n] = t->median[q * t->n + i];
      n++;
    }
  return n;
}

/* work [3][n] */
static void score_quantity(const sdn_trial *t, int q, double *work, sdn_score *score)
{
  const double *pit = t->pit + q * t->n;
  for (int l = 0; l < SDN_N_LEVEL; l++)
    sdn_coverage_of(t->n, pit, level[l], &score->coverage[l]);
  memcpy(work, pit, (size_t)t->n * sizeof *work);
  sdn_uniformity_of(t->n, work, &score->ranks);
  for (int b = 0; b < SDN_N_SNR_BIN; b++) {
    long n = pick(t, q, &sdn_snr_bins[b], work);
    sdn_recovery_of(n, work, work + t->n, work + 2 * t->n, &score->recovery[b]);
  }
}

static void mean_gain(const sdn_trial *t, sdn_verdict *v)
{
  double sum = 0, square = 0;
  for (long i = 0; i < t->n; i++)
    if (isfinite(t->gain[i])) {
      v->n_gain++;
      sum += t->gain[i];
    }
  v->gain = sum / (double)v->n_gain;   /* NaN without any */
  for (long i = 0; i < t->n; i++)
    if (isfinite(t->gain[i]))
      square += (t->gain[i] - v->gain) * (t->gain[i] - v->gain);
  v->gain_error = sqrt(square / (double)(v->n_gain - 1) / (double)v->n_gain);
}

static void judge(sdn_verdict *v)
{
  v->calibrated = true;
  v->smallest_p = 1;
  memcpy(v->worst, level, sizeof level);
  for (int q = 0; q < v->n_quantity; q++) {
    const sdn_score *s = &v->score[q];
    if (s->ranks.n == 0)
      continue;                     /* a quantity that no galaxy has */
    for (int l = 0; l < SDN_N_LEVEL; l++) {
      double off = fabs(s->coverage[l].fraction - level[l]);
      if (!(off <= fabs(v->worst[l] - level[l])))
        v->worst[l] = s->coverage[l].fraction;
      v->calibrated = v->calibrated && off <= fmax(COVERAGE_TOLERANCE, COVERAGE_SIGMAS * s->coverage[l].error);
    }
    v->smallest_p = fmin(v->smallest_p, s->ranks.p);
  }
  v->calibrated = v->calibrated && v->smallest_p * v->n_quantity > SMALLEST_P;
}

sdn_status sdn_verdict_new(const sdn_trial *t, sdn_verdict **out, sdn_err *err)
{
  sdn_verdict *v = sdn_alloc(1, sizeof *v, "a verdict", err);
  double *work = v ? sdn_alloc(3 * (size_t)t->n, sizeof *work, "a verdict", err) : NULL;
  if (work)
    v->score = sdn_alloc((size_t)t->n_quantity, sizeof *v->score, "a verdict", err);
  if (!work || !v->score) {
    sdn_release(work);
    sdn_release(v);
    return err->status;
  }
  v->n_quantity = t->n_quantity;
  for (int q = 0; q < t->n_quantity; q++)
    score_quantity(t, q, work, &v->score[q]);
  memcpy(work, t->tarp, (size_t)t->n * sizeof *work);
  sdn_uniformity_of(t->n, work, &v->tarp);
  mean_gain(t, v);
  judge(v);
  sdn_release(work);
  *out = v;
  return SDN_OK;
}

void sdn_verdict_free(sdn_verdict *v)
{
  if (!v)
    return;
  sdn_release(v->score);
  sdn_release(v);
}
