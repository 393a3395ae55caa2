/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "base/random.h"
#include "base/special.h"
#include "infer/check.h"
#include "infer/draws.h"
#include "infer/quantiles.h"
#include "library/truth.h"
#include "survey/units.h"

#define BLOCK_DRAWS (1l << 17)
#define BLOCK_GALAXIES 1024
#define NOISE_STREAM (SDN_STREAM_CHECK + 1u)
#define REFERENCE_STREAM (SDN_STREAM_TEST + 1u)   /* TARP's reference points, and what breaks ties */

/* One block of galaxies with their data and draws. */
typedef struct trial_block {
  sdn_trial *trial;
  long row0, n;
  float *z_true, *flux_true, *flux, *sigma;   /* [n][n_free], [n][n_band] */
  double *params_true, *derived_true;         /* [n][n_param], [n][n_sfh] */
  double *fixed, *ln_q;                       /* [n] */
  float *z;                                   /* [n][n_draw][n_free] */
  double *params, *derived;                   /* [n][n_draw][n_param], [n][n_draw][n_sfh] */
} trial_block;

static void release_block(trial_block *b)
{
  sdn_release(b->z_true);
  sdn_release(b->flux_true);
  sdn_release(b->flux);
  sdn_release(b->sigma);
  sdn_release(b->params_true);
  sdn_release(b->derived_true);
  sdn_release(b->fixed);
  sdn_release(b->ln_q);
  sdn_release(b->z);
  sdn_release(b->params);
  sdn_release(b->derived);
}

static sdn_status make_block(sdn_trial *t, long n_most, trial_block *b, sdn_err *err)
{
  const char *what = "a block of simulated galaxies";
  const sdn_engine *e = t->engine;
  size_t n = (size_t)n_most, n_draw = n * (size_t)t->n_draw, f = sizeof(float), d = sizeof(double);
  size_t n_free = (size_t)e->n_free, n_param = (size_t)e->n_param, n_band = (size_t)e->n_band, n_sfh = (size_t)e->n_sfh;
  b->trial = t;
  bool had = (b->z_true = sdn_alloc(n * n_free, f, what, err)) && (b->flux_true = sdn_alloc(n * n_band, f, what, err)) &&
             (b->flux = sdn_alloc(n * n_band, f, what, err)) && (b->sigma = sdn_alloc(n * n_band, f, what, err)) &&
             (b->params_true = sdn_alloc(n * n_param, d, what, err)) && (b->derived_true = sdn_alloc(n * n_sfh, d, what, err)) &&
             (b->fixed = sdn_alloc(n, d, what, err)) && (b->ln_q = sdn_alloc(n, d, what, err)) && (b->z = sdn_alloc(n_draw * n_free, f, what, err)) &&
             (b->params = sdn_alloc(n_draw * n_param, d, what, err)) && (b->derived = sdn_alloc(n_draw * n_sfh, d, what, err));
  return had ? SDN_OK : err->status;
}

static sdn_status simulate(trial_block *b, const sdn_run *run, sdn_err *err)
{
  const sdn_trial *t = b->trial;
  const sdn_engine *e = t->engine;
  const sdn_truth_source source = {e->prior, e->forward, t->seed, SDN_STREAM_CHECK, false};
  const sdn_truth truth = {b->z_true, b->params_true, b->flux_true, b->derived_true};
  sdn_status status = sdn_draw_truth(&source, b->row0, b->n, &truth, run, err);
  if (!status)
    status = sdn_survey_draw(e->survey, b->n, b->flux_true, t->seed, NOISE_STREAM, b->row0, b->flux, b->sigma, err);
  for (long i = 0; i < b->n; i++)
    b->fixed[i] = (double)b->z_true[i * e->n_free];
  return status;
}

/* Rows of a data file in place of galaxies simulated afresh. */
static sdn_status take_pairs(trial_block *b, sdn_err *err)
{
  const sdn_trial *t = b->trial;
  const sdn_engine *e = t->engine;
  const size_t n_z = (size_t)(b->n * e->n_free), n_x = (size_t)(b->n * e->n_band);
  const float *x = t->pairs->x + b->row0 * e->n_band;
  memcpy(b->z_true, t->pairs->z + b->row0 * e->n_free, n_z * sizeof *b->z_true);
  sdn_status status = sdn_draws_params(e, b->n, b->z_true, b->params_true, &(sdn_run){.n_thread = 1}, err);
  if (!status && t->observed) {
    memcpy(b->flux, x, n_x * sizeof *x);
    memcpy(b->sigma, t->pairs->sigma + b->row0 * e->n_band, n_x * sizeof *x);
  }
  else if (!status)
    status = sdn_survey_draw(e->survey, b->n, x, t->seed, NOISE_STREAM, b->row0, b->flux, b->sigma, err);
  if (!status && e->n_sfh > 0)
    status = sdn_draws_derived(e, b->n, b->params_true, true, b->derived_true, NULL, err);
  for (long i = 0; i < b->n; i++)
    b->fixed[i] = (double)b->z_true[i * e->n_free];
  return status;
}

static sdn_status infer(trial_block *b, const sdn_run *run, sdn_err *err)
{
  const sdn_trial *t = b->trial;
  const sdn_engine *e = t->engine;
  sdn_status status;
  if ((status = sdn_posterior_sample(e->posterior, b->n, b->flux, b->sigma, t->fix ? b->fixed : NULL, t->n_draw, t->seed, b->row0, b->z, NULL, run, err)) ||
      (status = sdn_posterior_ln_q(e->posterior, b->n, b->flux, b->sigma, b->z_true, b->ln_q, run, err)) ||
      (status = sdn_draws_params(e, b->n * t->n_draw, b->z, b->params, run, err)))
    return status;
  return e->n_sfh > 0 ? sdn_draws_derived(e, b->n * t->n_draw, b->params, true, b->derived, run, err) : SDN_OK;
}

/* ------------------------------------------------------------------ numbers of one galaxy */

static double mean_snr(const sdn_engine *e, const float *flux, const float *sigma)
{
  double sum = 0;
  int n = 0;
  for (int k = 0; k < e->n_band; k++)
    if (!isnan(flux[k])) {
      sum += (double)flux[k] / sdn_survey_background_sigma(e->survey, k, (double)flux[k], (double)sigma[k]);
      n++;
    }
  return sum / n;
}

/* In the unit cube of the prior every direction counts alike; a given redshift is no direction. */
static sdn_status tarp(const trial_block *b, long i, sdn_rng *rng, sdn_arena *arena, double *out, sdn_err *err)
{
  const sdn_trial *t = b->trial;
  int n_free = t->engine->n_free, first = t->first_free, n_dim = n_free - first;
  double *u = sdn_arena_take(arena, (size_t)((t->n_draw + 2) * n_dim), sizeof *u, err);
  if (!u)
    return err->status;
  double *truth = u + t->n_draw * n_dim, *reference = truth + n_dim;
  for (long k = 0; k < t->n_draw; k++)
    for (int d = 0; d < n_dim; d++)
      u[k * n_dim + d] = sdn_normal_cdf((double)b->z[(i * t->n_draw + k) * n_free + first + d]);
  for (int d = 0; d < n_dim; d++) {
    truth[d] = sdn_normal_cdf((double)b->z_true[i * n_free + first + d]);
    reference[d] = sdn_rng_uniform(rng);
  }
  *out = n_dim > 0 ? sdn_tarp(t->n_draw, n_dim, u, truth, reference, sdn_rng_uniform(rng)) : NAN;
  return SDN_OK;
}

static double gain(const trial_block *b, long i)
{
  int n_free = b->trial->engine->n_free;
  double value = b->ln_q[i];
  for (int d = 0; d < n_free; d++)
    value -= sdn_normal_ln_pdf((double)b->z_true[i * n_free + d]);
  return b->trial->fix ? NAN : value;
}

static void one_quantity(const trial_block *b, long i, int q, double uniform, double *x)
{
  const sdn_trial *t = b->trial;
  const sdn_engine *e = t->engine;
  bool primary = q < t->n_primary;
  int column = primary ? sdn_prior_free_param(e->prior, t->first_free + q) : q - t->n_primary, stride = primary ? e->n_param : e->n_sfh;
  const double *draw = (primary ? b->params : b->derived) + i * t->n_draw * stride + column;
  const double truth = (primary ? b->params_true : b->derived_true)[i * stride + column];
  for (long k = 0; k < t->n_draw; k++)
    x[k] = draw[k * stride];
  long at = q * t->n + b->row0 + i;
  t->truth[at] = truth;
  t->pit[at] = sdn_pit(t->n_draw, x, truth, uniform);
  t->median[at] = sdn_median(sdn_keep_finite(t->n_draw, x), x);
}

static sdn_status one_galaxy(void *ctx, long i, sdn_arena *arena, sdn_err *err)
{
  const trial_block *b = ctx;
  const sdn_trial *t = b->trial;
  long row = b->row0 + i;
  sdn_rng rng = sdn_rng_at(t->seed, REFERENCE_STREAM, (uint64_t)row);
  double *x = sdn_arena_take(arena, (size_t)t->n_draw, sizeof *x, err);
  if (!x)
    return err->status;
  t->snr[row] = mean_snr(t->engine, b->flux + i * t->engine->n_band, b->sigma + i * t->engine->n_band);
  t->gain[row] = gain(b, i);
  for (int q = 0; q < t->n_quantity; q++)
    one_quantity(b, i, q, sdn_rng_uniform(&rng), x);
  return tarp(b, i, &rng, arena, &t->tarp[row], err);
}

/* ------------------------------------------------------------------ all galaxies */

static sdn_status stopped(const sdn_trial *t, long done, sdn_err *err)
{
  return sdn_fail(err, SDN_INTERRUPTED, "stopped after %ld of %ld galaxies; nothing was written, run again from the start", done, t->n);
}

static sdn_status run_blocks(sdn_trial *t, trial_block *b, long n_block, const sdn_run *run, sdn_err *err)
{
  const sdn_run inner = run ? (sdn_run){.n_thread = run->n_thread, .stop = run->stop} : (sdn_run){0};
  sdn_status status = SDN_OK;
  for (b->row0 = 0; b->row0 < t->n && !status; b->row0 += b->n) {
    b->n = t->n - b->row0 < n_block ? t->n - b->row0 : n_block;
    if (sdn_stopped(run))
      return stopped(t, b->row0, err);
    if (!(status = t->pairs ? take_pairs(b, err) : simulate(b, &inner, err)) && !(status = infer(b, &inner, err)))
      status = sdn_parallel_tiles(b->n, one_galaxy, b, &inner, NULL, err);
    if (status == SDN_INTERRUPTED)
      return stopped(t, b->row0, err);
    if (status)
      return status;
    sdn_progress(run, "check", (double)(b->row0 + b->n), (double)t->n, "");
  }
  return status;
}

static sdn_status make_trial(const sdn_engine *e, const sdn_trial_setup *s, sdn_trial *t, sdn_err *err)
{
  const char *what = "numbers of the checked galaxies";
  *t = (sdn_trial){.engine = e, .n = s->n, .n_draw = s->n_draw, .seed = s->seed, .fix = s->fix, .pairs = s->pairs, .observed = s->observed, .first_free = s->fix ? 1 : 0};
  t->n_primary = e->n_free - t->first_free;
  t->n_quantity = t->n_primary + e->n_sfh;
  size_t n = (size_t)t->n, n_all = n * (size_t)t->n_quantity;
  bool had = (t->truth = sdn_alloc(n_all, sizeof(double), what, err)) && (t->median = sdn_alloc(n_all, sizeof(double), what, err)) &&
             (t->pit = sdn_alloc(n_all, sizeof(double), what, err)) && (t->snr = sdn_alloc(n, sizeof(double), what, err)) &&
             (t->gain = sdn_alloc(n, sizeof(double), what, err)) && (t->tarp = sdn_alloc(n, sizeof(double), what, err));
  return had ? SDN_OK : err->status;
}

sdn_status sdn_trial_new(const sdn_engine *e, const sdn_trial_setup *setup, const sdn_run *run, sdn_trial **out, sdn_err *err)
{
  trial_block block = {0};
  long n_block = BLOCK_DRAWS / setup->n_draw;
  n_block = n_block < 1 ? 1 : n_block < BLOCK_GALAXIES ? n_block : BLOCK_GALAXIES;
  sdn_trial *t = sdn_alloc(1, sizeof *t, "a check", err);
  if (!t)
    return err->status;
  sdn_status status = make_trial(e, setup, t, err);
  if (!status)
    status = make_block(t, n_block, &block, err);
  if (!status)
    status = run_blocks(t, &block, n_block, run, err);
  release_block(&block);
  if (status)
    sdn_trial_free(t);
  else
    *out = t;
  return status;
}

void sdn_trial_free(sdn_trial *t)
{
  if (!t)
    return;
  sdn_release(t->truth);
  sdn_release(t->median);
  sdn_release(t->pit);
  sdn_release(t->snr);
  sdn_release(t->gain);
  sdn_release(t->tarp);
  sdn_release(t);
}

const char *sdn_trial_name(const sdn_trial *t, int q)
{
  return q < t->n_primary ? sdn_posterior_free_name(t->engine->posterior, q + t->first_free) : sdn_forward_derived_name(t->engine->forward, q - t->n_primary);
}

const char *sdn_trial_unit(const sdn_trial *t, int q)
{
  return q < t->n_primary ? sdn_posterior_free_unit(t->engine->posterior, q + t->first_free) : sdn_forward_derived_unit(t->engine->forward, q - t->n_primary);
}
