/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "library/truth.h"

#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "base/special.h"

#define SOBOL_MAX_ROW 4294967296L   /* 2^32 points of the sequence */

sdn_status sdn_truth_check(const sdn_truth_source *src, long n, sdn_err *err)
{
  const int n_free = sdn_prior_n_free(src->prior);
  if (n_free < 1) return sdn_fail(err, SDN_USAGE, "the model has no free parameter, so there is nothing to draw; give at least one parameter a prior");
  if (!src->sobol) return SDN_OK;
  if (n_free > SDN_SOBOL_MAX_DIM)
    return sdn_fail(err, SDN_RANGE, "the sobol design serves up to %d free parameters, and the model has %d; use design random", SDN_SOBOL_MAX_DIM, n_free);
  if (n > SOBOL_MAX_ROW)
    return sdn_fail(err, SDN_RANGE, "the sobol design has %ld points, and %ld galaxies are asked for; use design random", SOBOL_MAX_ROW, n);
  return SDN_OK;
}

/* Each stream scrambles the sequence in its own way, so that points of two streams have nothing in common. */
static uint64_t scramble_seed(const sdn_truth_source *src)
{
  sdn_rng rng = sdn_rng_at(src->seed, SDN_STREAM_SCRAMBLE, src->stream);
  const uint64_t high = sdn_rng_bits(&rng);
  return high << 32 | sdn_rng_bits(&rng);
}

/* z of one row, rounded to float32: the file stores that, and params belong to what is stored. */
static void draw_z(const sdn_truth_source *src, uint64_t scramble, long row, int n_free, float *z)
{
  if (!src->sobol) {
    sdn_rng rng = sdn_rng_at(src->seed, src->stream, (uint64_t)row);
    sdn_rng_normals(&rng, n_free, z);
    return;
  }
  double u[SDN_SOBOL_MAX_DIM];
  sdn_sobol_point(scramble, (uint32_t)row, n_free, u);
  for (int i = 0; i < n_free; i++) z[i] = (float)sdn_normal_quantile(u[i]);
}

typedef struct truth_job {
  const sdn_truth_source *src;
  const sdn_truth *out;
  uint64_t scramble;
  long row0, n, first_tile;
  int n_free, n_param, n_band, n_derived;
} truth_job;

/* Make the error of a row of this call one of the galaxy: its number and, where they are known, its parameters. */
static sdn_status name_galaxy(const truth_job *job, long first, const double *params, sdn_err *err)
{
  char list[512];
  size_t used = 0;
  if (err->row < 0) return err->status;
  const long row = first + err->row;
  const double *p = params ? params + err->row * job->n_param : NULL;
  list[0] = '\0';
  for (int i = 0; p && i < job->n_free && used < sizeof list; i++) {
    const int param = sdn_prior_free_param(job->src->prior, i);
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s = %.6g", i ? ", " : " with ", sdn_prior_param_name(job->src->prior, param), p[param]);
  }
  err->row = row;
  return sdn_fail_in(err, "galaxy %ld of the design%s cannot be computed; mend the model's priors", row, list);
}

/* All of rows first .. first+n-1, which lie in one tile; offset: where they stand in the caller's arrays. */
static sdn_status compute_rows(const truth_job *job, long first, long n, sdn_arena *arena, sdn_err *err)
{
  const sdn_run alone = {.n_thread = 1};
  const long offset = first - job->row0;
  float *z = job->out->z + offset * job->n_free;
  double *params = job->out->params + offset * job->n_param, *z_exact = sdn_arena_take(arena, (size_t)(n * job->n_free), sizeof *z_exact, err);
  if (!z_exact) return err->status;
  for (long i = 0; i < n; i++) draw_z(job->src, job->scramble, first + i, job->n_free, z + i * job->n_free);
  for (long i = 0; i < n * job->n_free; i++) z_exact[i] = z[i];
  if (sdn_prior_params(job->src->prior, n, z_exact, params, err)) return name_galaxy(job, first, NULL, err);
  if (job->out->flux_nJy && sdn_forward_flux(job->src->forward, n, params, job->out->flux_nJy + offset * job->n_band, &alone, err))
    return name_galaxy(job, first, params, err);
  if (job->out->derived && sdn_forward_derived(job->src->forward, n, params, true, job->out->derived + offset * job->n_derived, &alone, err))
    return name_galaxy(job, first, params, err);
  return SDN_OK;
}

/* Tiles are cut at multiples of SDN_TRUTH_TILE of the sequence, not of the call. */
static sdn_status compute_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const truth_job *job = ctx;
  const long start = (job->first_tile + tile) * SDN_TRUTH_TILE, end = start + SDN_TRUTH_TILE, last = job->row0 + job->n;
  const long first = start > job->row0 ? start : job->row0;
  return compute_rows(job, first, (end < last ? end : last) - first, arena, err);
}

sdn_status sdn_draw_truth(const sdn_truth_source *src, long row0, long n, const sdn_truth *out, const sdn_run *run, sdn_err *err)
{
  if (sdn_truth_check(src, row0 + n, err)) return err->status;
  truth_job job = {.src = src, .out = out, .scramble = scramble_seed(src), .row0 = row0, .n = n, .first_tile = row0 / SDN_TRUTH_TILE,
                   .n_free = sdn_prior_n_free(src->prior), .n_param = sdn_prior_n_param(src->prior), .n_band = sdn_forward_n_band(src->forward),
                   .n_derived = sdn_forward_n_derived_sfh(src->forward)};
  if (n <= 0) return SDN_OK;
  const long n_tile = (row0 + n - 1) / SDN_TRUTH_TILE - job.first_tile + 1;
  return sdn_parallel_tiles(n_tile, compute_tile, &job, run, NULL, err);
}
