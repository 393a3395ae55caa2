/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/batch.h"

#include <math.h>
#include <string.h>

#define SCALING_ROWS 16384L       /* rows that fix mean and scale: to 1 % */
#define CONSTANT 1e-10            /* variance below this, relative to 1 + mean^2: the feature is constant */

void sdn_scale_features(const sdn_scaling *scaling, long n, const float *x, float *x_t)
{
  const int f = scaling->n;
  for (long r = 0; r < n; r++)
    for (int i = 0; i < f; i++) {
      const float v = (x[r * f + i] - scaling->mean[i]) * scaling->scale[i];
      x_t[r * f + i] = sdn_clamp(v, -SDN_LARGEST_FEATURE, SDN_LARGEST_FEATURE);
    }
}

sdn_status sdn_tile_load(const sdn_row_source *source, const sdn_scaling *scaling, int n_free, const sdn_row_range *range, sdn_tile_work *w,
                         sdn_arena *arena, sdn_err *err)
{
  const size_t n = (size_t)range->n, f = (size_t)scaling->n, d = (size_t)n_free;
  float *x = w->x_t, *z = sdn_arena_take(arena, SDN_ROWS * d, sizeof *z, err);
  if (!z) return err->status;
  if (source->fill(source->ctx, range, x, z, arena, err)) return err->status;
  sdn_scale_features(scaling, range->n, x, x);
  memset(x + n * f, 0, (SDN_ROWS - n) * f * sizeof *x);
  memset(z + n * d, 0, (SDN_ROWS - n) * d * sizeof *z);
  sdn_transpose(SDN_ROWS, n_free, z, w->z);
  return SDN_OK;
}

/* Sums of x and x^2 over some training rows are added to sum [2][F]. */
static sdn_status add_moments(const sdn_row_source *source, int n_free, int f, long place, long n, double *sum, sdn_arena *arena, sdn_err *err)
{
  long row[SDN_ROWS];
  float *x = sdn_arena_take(arena, (size_t)n * (size_t)f, sizeof *x, err);
  float *z = x ? sdn_arena_take(arena, (size_t)n * (size_t)n_free, sizeof *z, err) : NULL;
  if (!z) return err->status;
  for (long i = 0; i < n; i++) row[i] = place + i;
  const sdn_row_range range = {.split = SDN_SPLIT_TRAIN, .place = place, .n = n, .row = row};
  if (source->fill(source->ctx, &range, x, z, arena, err)) return err->status;
  for (long r = 0; r < n; r++)
    for (int i = 0; i < f; i++) {
      const double v = (double)x[r * f + i];
      sum[i] += v;
      sum[f + i] += v * v;
    }
  return SDN_OK;
}

sdn_status sdn_scaling_measure(const sdn_row_source *source, int n_free, sdn_scaling *scaling, sdn_err *err)
{
  const int f = scaling->n;
  const long have = source->n[SDN_SPLIT_TRAIN], n = have < SCALING_ROWS ? have : SCALING_ROWS;
  sdn_arena *arena = sdn_arena_new(err);
  double *sum = arena ? sdn_alloc((size_t)f * 2, sizeof *sum, "feature sums", err) : NULL;
  sdn_status status = sum ? SDN_OK : err->status;
  for (long place = 0; status == SDN_OK && place < n; place += SDN_ROWS) {
    const long rows = n - place < SDN_ROWS ? n - place : SDN_ROWS;
    sdn_arena_back(arena, (sdn_arena_mark){0});
    if (source->prepare) status = source->prepare(source->ctx, 0, place, rows, err);
    if (status == SDN_OK) status = add_moments(source, n_free, f, place, rows, sum, arena, err);
  }
  for (int i = 0; status == SDN_OK && i < f; i++) {
    const double mean = sum[i] / (double)n, variance = sum[f + i] / (double)n - mean * mean;
    scaling->mean[i] = (float)mean;
    scaling->scale[i] = variance > CONSTANT * (1.0 + mean * mean) ? (float)(1.0 / sqrt(variance)) : 1.0f;
  }
  sdn_release(sum);
  sdn_arena_free(arena);
  return status;
}
