/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/fit_block.h"

#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "infer/draws.h"
#include "infer/row.h"

#define BLOCK_DRAWS (1l << 17)
#define BLOCK_GALAXIES 256
#define IMPROBABLE 1e-3        /* cumulative probability of a given redshift, on either side */

long sdn_block_size(long n_draw)
{
  long n = BLOCK_DRAWS / n_draw;
  return n < 1 ? 1 : n < BLOCK_GALAXIES ? n : BLOCK_GALAXIES;
}

sdn_status sdn_block_new(const sdn_block_setup *set, sdn_block **out, sdn_err *err)
{
  const char *what = "draws of a block of galaxies";
  const sdn_engine *e = set->engine;
  const sdn_layout *c = set->columns;
  size_t n = (size_t)set->n_galaxy, n_draw = n * (size_t)set->n_draw, n_few = n * (size_t)c->n_predict;
  sdn_block *b = sdn_alloc(1, sizeof *b, what, err);
  if (!b)
    return err->status;
  b->set = *set;
  bool had = (b->fixed = sdn_alloc(n, sizeof(double), what, err)) && (b->cdf = sdn_alloc(n, sizeof(double), what, err)) &&
             (b->z = sdn_alloc(n_draw, (size_t)e->n_free * sizeof(float), what, err)) && (b->ln_q = sdn_alloc(n_draw, sizeof(float), what, err)) &&
             (b->params = sdn_alloc(n_draw, (size_t)e->n_param * sizeof(double), what, err)) &&
             (b->derived = sdn_alloc(n_draw, (size_t)c->n_sfh * sizeof(double), what, err)) &&
             (b->few = sdn_alloc(n_few, (size_t)e->n_param * sizeof(double), what, err)) &&
             (b->spectral = sdn_alloc(n_few, (size_t)(c->n_spectral ? e->n_derived : 0) * sizeof(double), what, err)) &&
             (b->predicted = sdn_alloc(n_few, (size_t)e->n_band * sizeof(float), what, err)) &&
             (b->pixel = sdn_alloc(n, (size_t)(set->pixels ? c->n_pixel : 0) * SDN_N_PIXEL_VALUE * sizeof(float), what, err)) &&
             (b->z_phot = sdn_alloc(n, sizeof(double), what, err)) && (b->number = sdn_alloc(n, (size_t)c->n_column * sizeof(double), what, err));
  if (!had) {
    sdn_block_free(b);
    return err->status;
  }
  *out = b;
  return SDN_OK;
}

void sdn_block_free(sdn_block *b)
{
  if (!b)
    return;
  sdn_release(b->fixed);
  sdn_release(b->cdf);
  sdn_release(b->z);
  sdn_release(b->ln_q);
  sdn_release(b->params);
  sdn_release(b->derived);
  sdn_release(b->few);
  sdn_release(b->spectral);
  sdn_release(b->predicted);
  sdn_release(b->pixel);
  sdn_release(b->z_phot);
  sdn_release(b->number);
  sdn_release(b);
}

/* The first coordinate of given redshifts, and what to think of them. */
static sdn_status fix_redshifts(sdn_block *b, sdn_rows *rows, sdn_err *err)
{
  const sdn_engine *e = b->set.engine;
  sdn_status status = sdn_engine_first_coordinate(e, rows->n, rows->fix, b->fixed, err);
  if (!status)
    status = sdn_posterior_first_cdf(e->posterior, rows->n, rows->flux_nJy, rows->sigma_nJy, b->fixed, b->cdf, err);
  for (long i = 0; i < rows->n && !status; i++) {
    if (isnan(b->fixed[i]))
      rows->flags[i] |= SDN_FLAG_FIX_MISSING;
    else if (!(rows->flags[i] & SDN_FLAG_NO_DATA) && !(b->cdf[i] >= IMPROBABLE && b->cdf[i] <= 1 - IMPROBABLE))
      rows->flags[i] |= SDN_FLAG_FIX_IMPROBABLE;
  }
  return status;
}

static sdn_status draw(sdn_block *b, const sdn_rows *rows, sdn_err *err)
{
  const sdn_block_setup *s = &b->set;
  int n_free = s->engine->n_free;
  sdn_status status = sdn_posterior_sample(s->engine->posterior, rows->n, rows->flux_nJy, rows->sigma_nJy, s->fix ? b->fixed : NULL, s->n_draw, s->seed,
                                           rows->row0, b->z, b->ln_q, s->run, err);
  for (long i = 0; i < rows->n && !status; i++)
    if (rows->flags[i] & SDN_FLAG_NO_DATA) {
      const sdn_prior_draws d = {n_free, s->n_draw, s->fix ? b->fixed[i] : NAN, s->seed, rows->row0 + i};
      sdn_draws_prior(&d, b->z + i * s->n_draw * n_free, b->ln_q + i * s->n_draw);
    }
  return status ? status : sdn_draws_params(s->engine, rows->n * s->n_draw, b->z, b->params, s->run, err);
}

static sdn_status derive(sdn_block *b, long n, sdn_err *err)
{
  const sdn_engine *e = b->set.engine;
  const sdn_layout *c = b->set.columns;
  const sdn_run *run = b->set.run;
  sdn_status status = SDN_OK;
  if (c->n_sfh)
    status = sdn_draws_derived(e, n * b->set.n_draw, b->params, true, b->derived, run, err);
  for (long i = 0; i < n; i++)
    memcpy(b->few + i * c->n_predict * e->n_param, b->params + i * b->set.n_draw * e->n_param, (size_t)(c->n_predict * e->n_param) * sizeof *b->few);
  if (!status && c->n_spectral)
    status = sdn_draws_derived(e, n * c->n_predict, b->few, false, b->spectral, run, err);
  if (!status && c->n_predict)
    status = sdn_draws_flux(e, n * c->n_predict, b->few, b->predicted, run, err);
  return status;
}

typedef struct summary_job { sdn_block *block; sdn_rows *rows; } summary_job;

static sdn_status summary_tile(void *ctx, long i, sdn_arena *arena, sdn_err *err)
{
  const summary_job *job = ctx;
  return sdn_row_summarise(job->block, job->rows, i, arena, err);
}

sdn_status sdn_block_run(sdn_block *b, sdn_rows *rows, sdn_err *err)
{
  sdn_status status;
  int n_band = b->set.engine->n_band;
  for (long i = 0; i < rows->n; i++)
    if (sdn_range_outside(b->set.range, rows->flux_nJy + i * n_band, rows->sigma_nJy + i * n_band))
      rows->flags[i] |= SDN_FLAG_OUT_OF_RANGE;
  if (b->set.fix && (status = fix_redshifts(b, rows, err)))
    return status;
  if ((status = draw(b, rows, err)) || (status = derive(b, rows->n, err)))
    return status;
  summary_job job = {b, rows};
  return sdn_parallel_tiles(rows->n, summary_tile, &job, b->set.run, NULL, err);
}
