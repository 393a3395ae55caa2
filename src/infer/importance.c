/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Importance sampling of one galaxy with the exact likelihood. In coordinates z, where the prior is a standard normal N and the network's density q,
 *   w_i = p(data | z_i) N(z_i) / q(z_i | data),   Z = E_q[w]
 * from independent draws and raw weights, so the estimate of Z is unbiased; its relative error is sqrt(var(w) / n) / mean(w). */
#include <math.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "base/special.h"

#define CHUNK 8192   /* draws whose parameters and fluxes are held at a time */

typedef struct chunk_work { double *z, *params, *ln_like; float *flux; } chunk_work;

typedef struct target {
  const sdn_forward *forward;
  const sdn_prior *prior;
  const sdn_survey *survey;
  const float *flux_nJy, *sigma_nJy;
} target;

/* n <= CHUNK draws z [n][n_free] with the proposal's ln_q [n], and their weights ln_w [n]. */
typedef struct proposal { long n; const float *z, *ln_q; double *ln_w; } proposal;

static sdn_status ln_weights(const target *t, const chunk_work *work, const proposal *d, const sdn_run *run, sdn_err *err)
{
  int n_free = sdn_prior_n_free(t->prior);
  long n = d->n;
  sdn_status status;
  for (long k = 0; k < n * n_free; k++)
    work->z[k] = (double)d->z[k];
  if ((status = sdn_prior_params(t->prior, n, work->z, work->params, err)) ||
      (status = sdn_forward_flux(t->forward, n, work->params, work->flux, run, err)) ||
      (status = sdn_survey_ln_likelihood(t->survey, t->flux_nJy, t->sigma_nJy, n, work->flux, work->ln_like, err)))
    return status;
  for (long i = 0; i < n; i++) {
    double ln_prior = 0, ln_q = (double)d->ln_q[i];
    for (int k = 0; k < n_free; k++)
      ln_prior += sdn_normal_ln_pdf(work->z[i * n_free + k]);
    d->ln_w[i] = work->ln_like[i] + ln_prior - ln_q;
    if (isnan(d->ln_w[i]))
      return sdn_fail_row(err, SDN_NUMERIC, i, "an importance weight is not a number (ln likelihood %g, ln q %g); the posterior file or the data are damaged",
                          work->ln_like[i], ln_q);
  }
  return SDN_OK;
}

/* ln_w [n] is turned into weights of sum 1. */
static sdn_status reduce(long n, double *ln_w, sdn_importance *out, sdn_err *err)
{
  double total = sdn_ln_sum_exp(n, ln_w), square = 0, variance = 0, mean = 1 / (double)n;
  if (!(total > -INFINITY && total < INFINITY))
    return sdn_fail(err, SDN_NUMERIC, "none of %ld draws has a likelihood above zero: the network does not cover this galaxy; draw more, or train on a survey like its data", n);
  for (long i = 0; i < n; i++) {
    ln_w[i] = exp(ln_w[i] - total);
    square += ln_w[i] * ln_w[i];
    variance += (ln_w[i] - mean) * (ln_w[i] - mean);
  }
  out->ln_z = total - log((double)n);
  out->ln_z_error = n > 1 ? sqrt(variance / (double)(n - 1) / (double)n) / mean : INFINITY;
  out->ess = 1 / square;
  return SDN_OK;
}

static sdn_status check_sizes(const sdn_posterior *p, const target *t, long n_draw, sdn_err *err)
{
  int n_free = sdn_prior_n_free(t->prior), n_band = sdn_forward_n_band(t->forward);
  if (n_free != sdn_posterior_n_free(p) || n_band != sdn_survey_n_band(t->survey))
    return sdn_fail(err, SDN_USAGE, "the posterior has %d parameters and %d bands but the model %d and %d; use the model and survey that the posterior was trained on",
                    sdn_posterior_n_free(p), sdn_survey_n_band(t->survey), n_free, n_band);
  if (!(n_draw >= 2))
    return sdn_fail(err, SDN_USAGE, "%ld importance draws are too few for an evidence and its error; ask for 1000 or more", n_draw);
  return SDN_OK;
}

static sdn_status make_work(const target *t, long n, chunk_work *work, sdn_err *err)
{
  size_t rows = (size_t)(n < CHUNK ? n : CHUNK);
  const char *what = "importance draws";
  bool had = (work->z = sdn_alloc(rows, (size_t)sdn_prior_n_free(t->prior) * sizeof(double), what, err)) &&
             (work->params = sdn_alloc(rows, (size_t)sdn_prior_n_param(t->prior) * sizeof(double), what, err)) &&
             (work->flux = sdn_alloc(rows, (size_t)sdn_forward_n_band(t->forward) * sizeof(float), what, err)) &&
             (work->ln_like = sdn_alloc(rows, sizeof(double), what, err));
  return had ? SDN_OK : err->status;
}

sdn_status sdn_importance_run(const sdn_posterior *p, const sdn_forward *fwd, const sdn_prior *prior, const float *flux_nJy, const float *sigma_nJy, long n_draw,
                              uint64_t seed, long row, double *weights, sdn_importance *out, const sdn_run *run, sdn_err *err)
{
  const target t = {fwd, prior, sdn_posterior_survey(p), flux_nJy, sigma_nJy};
  const sdn_run inner = run ? (sdn_run){.n_thread = run->n_thread, .stop = run->stop} : (sdn_run){0};
  int n_free = sdn_prior_n_free(prior);
  chunk_work work = {0};
  float *z = NULL, *ln_q = NULL;
  double *ln_w = NULL;
  sdn_status status = check_sizes(p, &t, n_draw, err);
  if (status)
    return status;
  bool had = (z = sdn_alloc((size_t)n_draw, (size_t)n_free * sizeof *z, "importance draws", err)) &&
             (ln_q = sdn_alloc((size_t)n_draw, sizeof *ln_q, "importance draws", err)) &&
             (ln_w = sdn_alloc((size_t)n_draw, sizeof *ln_w, "importance weights", err));
  if ((status = had ? make_work(&t, n_draw, &work, err) : err->status) ||
      (status = sdn_posterior_sample(p, 1, flux_nJy, sigma_nJy, NULL, n_draw, seed, row, z, ln_q, &inner, err)))
    goto done;
  for (long i = 0; i < n_draw && !status; i += CHUNK) {
    const proposal d = {n_draw - i < CHUNK ? n_draw - i : CHUNK, z + i * n_free, ln_q + i, ln_w + i};
    status = ln_weights(&t, &work, &d, &inner, err);
    sdn_progress(run, "importance", (double)i, (double)n_draw, "");
  }
  if (!status)
    status = reduce(n_draw, ln_w, out, err);
  for (long i = 0; i < n_draw && !status && weights; i++)
    weights[i] = ln_w[i];
done:
  sdn_release(z);
  sdn_release(ln_q);
  sdn_release(ln_w);
  sdn_release(work.z);
  sdn_release(work.params);
  sdn_release(work.flux);
  sdn_release(work.ln_like);
  return status;
}
