/* SPDX-License-Identifier: GPL-3.0-or-later */
/* check.json. null: not known or not defined. Of held-out pairs also data (their file) and noise ("drawn" or "given").
 *   format "sedna check", version 1, sedna_version, command, posterior, posterior_hash, survey, n, n_draw, seed, fix ("redshift" or null)
 *   verdict           {calibrated, worst_coverage_50, worst_coverage_68, worst_coverage_95, smallest_sbc_p, tarp_deviation}
 *   information_gain  {nats, error}                mean of ln q(z|x) - ln N(z) at the truths
 *   parameters        list of {name, unit, kind (primary or derived),
 *     coverage        list of {level, fraction, error}
 *     sbc             {n, counts (20 bins of equal probability), expected, ks_deviation, ks_p, chi2, chi2_p, p}
 *     recovery        list, one for each bin of S/N, of {snr, snr_low, snr_high, n, r2, rmse, nmad, bias}; estimate: the posterior median; S/N: the mean over
 *                     the observed bands of flux / background error
 *     points          {truth, median, pit, snr}      lists for the first galaxies, to draw}
 *   photo_z           {n, nmad, outlier_fraction, bias} of (z_median - z) / (1 + z), outliers beyond 0.15; null where the redshift is not inferred
 *   tarp              {alpha, ecp (lists), deviation, typical_deviation, p}: expected coverage probability in the prior's unit cube with uniform reference
 *                     points; typical_deviation is the mean for a perfect posterior */
#include <inttypes.h>
#include <math.h>

#include "infer/check.h"
#include "infer/json.h"
#include "infer/photoz.h"

#define FORMAT_VERSION 1
#define N_POINT 1000
#define N_ALPHA 51
#define MEAN_KOLMOGOROV 0.8687311606   /* sqrt(pi/2) ln 2: mean of sqrt(n) D for uniform numbers */

static void write_head(sdn_json *j, const sdn_check_origin *o, const sdn_trial *t)
{
  char hash[20];
  snprintf(hash, sizeof hash, "%016" PRIx64, t->engine->hash);
  sdn_json_text(j, "format", "sedna check");
  sdn_json_long(j, "version", FORMAT_VERSION);
  sdn_json_text(j, "sedna_version", SDN_VERSION);
  sdn_json_text(j, "command", o->command ? o->command : "");
  sdn_json_text(j, "posterior", o->posterior);
  sdn_json_text(j, "posterior_hash", hash);
  if (o->data) {
    sdn_json_text(j, "data", o->data);
    sdn_json_text(j, "noise", o->noise);
  }
  sdn_json_text(j, "survey", sdn_survey_name(t->engine->survey));
  sdn_json_long(j, "n", t->n);
  sdn_json_long(j, "n_draw", t->n_draw);
  sdn_json_long(j, "seed", (long)t->seed);
  if (t->fix)
    sdn_json_text(j, "fix", "redshift");
  else
    sdn_json_double(j, "fix", NAN);
}

static void write_verdict(sdn_json *j, const sdn_verdict *v)
{
  sdn_json_begin(j, "verdict", '{');
  sdn_json_bool(j, "calibrated", v->calibrated);
  sdn_json_double(j, "worst_coverage_50", v->worst[0]);
  sdn_json_double(j, "worst_coverage_68", v->worst[1]);
  sdn_json_double(j, "worst_coverage_95", v->worst[2]);
  sdn_json_double(j, "smallest_sbc_p", v->smallest_p);
  sdn_json_double(j, "tarp_deviation", v->tarp.deviation);
  sdn_json_end(j);
  sdn_json_begin(j, "information_gain", '{');
  sdn_json_double(j, "nats", v->gain);
  sdn_json_double(j, "error", v->gain_error);
  sdn_json_end(j);
}

static void write_coverage(sdn_json *j, const sdn_score *s)
{
  sdn_json_begin(j, "coverage", '[');
  for (int l = 0; l < SDN_N_LEVEL; l++) {
    sdn_json_begin(j, NULL, '{');
    sdn_json_double(j, "level", s->coverage[l].level);
    sdn_json_double(j, "fraction", s->coverage[l].fraction);
    sdn_json_double(j, "error", s->coverage[l].error);
    sdn_json_end(j);
  }
  sdn_json_end(j);
}

static void write_ranks(sdn_json *j, const sdn_uniformity *u)
{
  double counts[SDN_N_RANK_BIN];
  for (int b = 0; b < SDN_N_RANK_BIN; b++)
    counts[b] = (double)u->count[b];
  sdn_json_begin(j, "sbc", '{');
  sdn_json_long(j, "n", u->n);
  sdn_json_doubles(j, "counts", SDN_N_RANK_BIN, counts);
  sdn_json_double(j, "expected", (double)u->n / SDN_N_RANK_BIN);
  sdn_json_double(j, "ks_deviation", u->deviation);
  sdn_json_double(j, "ks_p", u->ks_p);
  sdn_json_double(j, "chi2", u->chi2);
  sdn_json_double(j, "chi2_p", u->chi2_p);
  sdn_json_double(j, "p", u->p);
  sdn_json_end(j);
}

static void write_recovery(sdn_json *j, const sdn_score *s)
{
  sdn_json_begin(j, "recovery", '[');
  for (int b = 0; b < SDN_N_SNR_BIN; b++) {
    const sdn_recovery *r = &s->recovery[b];
    sdn_json_begin(j, NULL, '{');
    sdn_json_text(j, "snr", sdn_snr_bins[b].name);
    sdn_json_double(j, "snr_low", sdn_snr_bins[b].low);
    sdn_json_double(j, "snr_high", sdn_snr_bins[b].high);
    sdn_json_long(j, "n", r->n);
    sdn_json_double(j, "r2", r->r2);
    sdn_json_double(j, "rmse", r->rmse);
    sdn_json_double(j, "nmad", r->nmad);
    sdn_json_double(j, "bias", r->bias);
    sdn_json_end(j);
  }
  sdn_json_end(j);
}

static void write_points(sdn_json *j, const sdn_trial *t, int q)
{
  long n = t->n < N_POINT ? t->n : N_POINT;
  sdn_json_begin(j, "points", '{');
  sdn_json_doubles(j, "truth", n, t->truth + q * t->n);
  sdn_json_doubles(j, "median", n, t->median + q * t->n);
  sdn_json_doubles(j, "pit", n, t->pit + q * t->n);
  sdn_json_doubles(j, "snr", n, t->snr);
  sdn_json_end(j);
}

static void write_parameters(sdn_json *j, const sdn_trial *t, const sdn_verdict *v)
{
  sdn_json_begin(j, "parameters", '[');
  for (int q = 0; q < t->n_quantity; q++) {
    sdn_json_begin(j, NULL, '{');
    sdn_json_text(j, "name", sdn_trial_name(t, q));
    sdn_json_text(j, "unit", sdn_trial_unit(t, q));
    sdn_json_text(j, "kind", q < t->n_primary ? "primary" : "derived");
    write_coverage(j, &v->score[q]);
    write_ranks(j, &v->score[q].ranks);
    write_recovery(j, &v->score[q]);
    write_points(j, t, q);
    sdn_json_end(j);
  }
  sdn_json_end(j);
}

static sdn_status write_photo_z(sdn_json *j, const sdn_trial *t, sdn_err *err)
{
  sdn_photoz *p = NULL;
  sdn_photoz_score s;
  if (t->fix || t->engine->redshift_param < 0) {
    sdn_json_double(j, "photo_z", NAN);
    return SDN_OK;
  }
  sdn_status status = sdn_photoz_new(&p, err);
  for (long i = 0; i < t->n && !status; i++)
    sdn_photoz_add(p, t->median[i], t->truth[i]);
  if (!status)
    status = sdn_photoz_score_of(p, &s, err);
  sdn_photoz_free(p);
  if (status)
    return status;
  sdn_json_begin(j, "photo_z", '{');
  sdn_json_long(j, "n", s.n);
  sdn_json_double(j, "nmad", s.nmad);
  sdn_json_double(j, "outlier_fraction", s.outlier_fraction);
  sdn_json_double(j, "bias", s.bias);
  sdn_json_end(j);
  return SDN_OK;
}

static void write_tarp(sdn_json *j, const sdn_trial *t, const sdn_verdict *v)
{
  double alpha[N_ALPHA], ecp[N_ALPHA];
  for (int a = 0; a < N_ALPHA; a++) {
    long below = 0;
    alpha[a] = (double)a / (N_ALPHA - 1);
    for (long i = 0; i < t->n; i++)
      below += t->tarp[i] <= alpha[a];
    ecp[a] = (double)below / (double)v->tarp.n;
  }
  sdn_json_begin(j, "tarp", '{');
  sdn_json_doubles(j, "alpha", N_ALPHA, alpha);
  sdn_json_doubles(j, "ecp", N_ALPHA, ecp);
  sdn_json_double(j, "deviation", v->tarp.deviation);
  sdn_json_double(j, "typical_deviation", MEAN_KOLMOGOROV / sqrt((double)v->tarp.n));
  sdn_json_double(j, "p", v->tarp.ks_p);
  sdn_json_end(j);
}

sdn_status sdn_check_write(const sdn_check_origin *origin, const sdn_trial *t, const sdn_verdict *v, sdn_err *err)
{
  sdn_json j = {0};
  sdn_json_begin(&j, NULL, '{');
  write_head(&j, origin, t);
  write_verdict(&j, v);
  write_parameters(&j, t, v);
  sdn_status status = write_photo_z(&j, t, err);
  write_tarp(&j, t, v);
  sdn_json_end(&j);
  if (!status)
    status = sdn_text_write(&j.text, origin->path, err);
  sdn_text_free(&j.text);
  return status;
}
