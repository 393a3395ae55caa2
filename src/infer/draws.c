/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/draws.h"

#include <math.h>

#include "base/parallel.h"
#include "base/random.h"
#include "base/special.h"

#define TILE 1024                                           /* draws that one worker maps through the prior at a time */
#define PRIOR_STREAM (SDN_STREAM_POSTERIOR + 0xffffffu)     /* the last of the stream's numbers: the network's own draws count from the first */

/* What is asked of the rows of a batch. */
typedef struct batch {
  const sdn_engine *engine;
  const sdn_run *run;
  const double *z;          /* [n][n_free] */
  const double *given;      /* [n][n_param] */
  double *params;           /* [n][n_param] */
  double *derived;          /* [n][n_sfh or n_derived] */
  float *flux;              /* [n][n_band] */
  bool sfh_only;
} batch;
typedef sdn_status batch_fn(const batch *b, long first, long n, sdn_err *err);   /* do rows first .. first+n-1 */
typedef void spoil_fn(const batch *b, long row);                                /* mark a row for which it cannot be done */

/* Halve a batch that fails until the rows at fault stand alone: k bad rows of n cost about k log2(n) calls more, and the others keep their values. */
static sdn_status evaluate(const batch *b, batch_fn *fn, spoil_fn *spoil, long first, long n, sdn_err *err)
{
  sdn_status status = n > 0 ? fn(b, first, n, err) : SDN_OK;
  if (status != SDN_NUMERIC && status != SDN_RANGE)
    return status;
  if (n == 1) {
    spoil(b, first);
    return SDN_OK;
  }
  status = evaluate(b, fn, spoil, first, n / 2, err);
  return status ? status : evaluate(b, fn, spoil, first + n / 2, n - n / 2, err);
}

static sdn_status do_params(const batch *b, long first, long n, sdn_err *err)
{
  const sdn_engine *e = b->engine;
  return sdn_prior_params(e->prior, n, b->z + first * e->n_free, b->params + first * e->n_param, err);
}

static void spoil_params(const batch *b, long row)
{
  for (int i = 0; i < b->engine->n_param; i++)
    b->params[row * b->engine->n_param + i] = NAN;
}

static sdn_status do_derived(const batch *b, long first, long n, sdn_err *err)
{
  const sdn_engine *e = b->engine;
  int n_out = b->sfh_only ? e->n_sfh : e->n_derived;
  return sdn_forward_derived(e->forward, n, b->given + first * e->n_param, b->sfh_only, b->derived + first * n_out, b->run, err);
}

static void spoil_derived(const batch *b, long row)
{
  int n_out = b->sfh_only ? b->engine->n_sfh : b->engine->n_derived;
  for (int i = 0; i < n_out; i++)
    b->derived[row * n_out + i] = NAN;
}

static sdn_status do_flux(const batch *b, long first, long n, sdn_err *err)
{
  const sdn_engine *e = b->engine;
  return sdn_forward_flux(e->forward, n, b->given + first * e->n_param, b->flux + first * e->n_band, b->run, err);
}

static void spoil_flux(const batch *b, long row)
{
  for (int i = 0; i < b->engine->n_band; i++)
    b->flux[row * b->engine->n_band + i] = NAN;
}

typedef struct params_job { const sdn_engine *e; long n; const float *z; double *params; } params_job;

static sdn_status params_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const params_job *job = ctx;
  const sdn_engine *e = job->e;
  long first = tile * TILE, n = job->n - first < TILE ? job->n - first : TILE;
  double *z = sdn_arena_take(arena, (size_t)(n * e->n_free), sizeof *z, err);
  if (!z)
    return err->status;
  for (long i = 0; i < n * e->n_free; i++)
    z[i] = job->z[first * e->n_free + i];
  batch b = {.engine = e, .z = z, .params = job->params + first * e->n_param};
  return evaluate(&b, do_params, spoil_params, 0, n, err);
}

sdn_status sdn_draws_params(const sdn_engine *e, long n, const float *z, double *params, const sdn_run *run, sdn_err *err)
{
  params_job job = {e, n, z, params};
  return sdn_parallel_tiles((n + TILE - 1) / TILE, params_tile, &job, run, NULL, err);
}

sdn_status sdn_draws_derived(const sdn_engine *e, long n, const double *params, bool sfh_only, double *derived, const sdn_run *run, sdn_err *err)
{
  batch b = {.engine = e, .run = run, .given = params, .derived = derived, .sfh_only = sfh_only};
  return evaluate(&b, do_derived, spoil_derived, 0, n, err);
}

sdn_status sdn_draws_flux(const sdn_engine *e, long n, const double *params, float *flux_nJy, const sdn_run *run, sdn_err *err)
{
  batch b = {.engine = e, .run = run, .given = params, .flux = flux_nJy};
  return evaluate(&b, do_flux, spoil_flux, 0, n, err);
}

void sdn_draws_prior(const sdn_prior_draws *d, float *z, float *ln_q)
{
  sdn_rng rng = sdn_rng_at(d->seed, PRIOR_STREAM, (uint64_t)d->row);
  bool fixed = !isnan(d->fixed_first);
  for (long i = 0; i < d->n_draw; i++) {
    float *draw = z + i * d->n_free;
    double sum = 0;
    sdn_rng_normals(&rng, d->n_free, draw);
    if (fixed)
      draw[0] = (float)d->fixed_first;
    for (int k = fixed ? 1 : 0; k < d->n_free; k++)
      sum += sdn_normal_ln_pdf((double)draw[k]);
    ln_q[i] = (float)sum;
  }
}
