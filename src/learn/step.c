/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One gradient step, and the gain over a split: what the training loop does on all cores. A batch is cut into n_part parts, each of whole tiles
 * and with a gradient of its own; the parts are added in order, so the sum does not depend on who computed what. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/special.h"
#include "learn/update.h"

typedef struct batch_job { sdn_trainer *t; long n; } batch_job;

/* Sum over rows of ln q - ln N(z). y0 [D][SDN_ROWS] holds z. */
static double tile_gain(int n_free, long n, const float *y0, const double *ln_q)
{
  double sum = 0;
  for (long r = 0; r < n; r++) {
    double ln_prior = 0;
    for (int i = 0; i < n_free; i++) ln_prior += sdn_normal_ln_pdf((double)y0[i * SDN_ROWS + r]);
    sum += ln_q[r] - ln_prior;
  }
  return sum;
}

/* Gradient of one tile, set in or added to `gradient`. */
static sdn_status tile_gradient(const sdn_trainer *t, const sdn_row_range *range, float row_weight, bool add, float *gradient, double *gain,
                                sdn_arena *arena, sdn_err *err)
{
  sdn_tile_work w;
  double ln_q[SDN_ROWS];
  float row_weights[SDN_ROWS];
  if (sdn_tile_work_new(t->net, arena, &w, err)) return err->status;
  if (sdn_tile_load(&t->source, &t->scaling, t->net->arch.n_free, range, &w, arena, err)) return err->status;
  sdn_network_density(t->net, t->state.weights, &w, ln_q);
  *gain += tile_gain(t->net->arch.n_free, range->n, w.z, ln_q);
  for (int r = 0; r < SDN_ROWS; r++) row_weights[r] = r < range->n ? row_weight : 0.0f;
  sdn_network_gradient(t->net, t->state.weights, &w, row_weights, add, gradient);
  return SDN_OK;
}

static sdn_status part_gradient(void *ctx, long part, sdn_arena *arena, sdn_err *err)
{
  const batch_job *job = ctx;
  sdn_trainer *t = job->t;
  const long n_tile = (job->n + SDN_ROWS - 1) / SDN_ROWS, first = part * n_tile / t->n_part, last = (part + 1) * n_tile / t->n_part;
  float *gradient = t->part + (size_t)part * t->net->n_number;
  t->part_gain[part] = 0;
  long in_turn[SDN_ROWS];
  if (first == last) memset(gradient, 0, t->net->n_number * sizeof *gradient);
  for (long tile = first; tile < last; tile++) {
    const long at = tile * SDN_ROWS, n = job->n - at < SDN_ROWS ? job->n - at : SDN_ROWS, place = t->state.place + at;
    const sdn_row_range range = {.split = SDN_SPLIT_TRAIN, .epoch = t->state.epoch, .place = place, .n = n, .row = t->order ? t->order + place : in_turn};
    for (long i = 0; i < n; i++) in_turn[i] = place + i;
    sdn_arena_back(arena, (sdn_arena_mark){0});
    if (tile_gradient(t, &range, 1.0f / (float)job->n, tile > first, gradient, &t->part_gain[part], arena, err)) return err->status;
  }
  sdn_network_mask(t->net, gradient);
  return SDN_OK;
}

static void order_rows(sdn_trainer *t)
{
  if (!t->order || t->order_epoch == t->state.epoch) return;
  sdn_random_permutation((uint64_t)t->plan.seed, SDN_STREAM_SHUFFLE + (uint32_t)t->state.epoch, t->source.n[SDN_SPLIT_TRAIN], t->order);
  t->order_epoch = t->state.epoch;
}

sdn_status sdn_trainer_step(sdn_trainer *t, double rate, bool *finite, sdn_err *err)
{
  sdn_train_state *s = &t->state;
  batch_job job = {.t = t, .n = t->plan.batch};
  double gain = 0, squares;
  order_rows(t);
  if (t->source.prepare && t->source.prepare(t->source.ctx, s->epoch, s->place, job.n, err)) return err->status;
  if (sdn_crew_tiles(t->crew, t->n_part, part_gradient, &job, err)) return err->status;
  if (sdn_update_sum(t, &squares, err)) return err->status;
  for (int i = 0; i < t->n_part; i++) gain += t->part_gain[i];
  *finite = isfinite(gain) && isfinite(squares);
  if (!*finite) return SDN_OK;
  if (sdn_update_weights(t, rate, sqrt(squares), err)) return err->status;
  s->step++;
  s->place += job.n;
  s->epoch_gain += gain;
  return SDN_OK;
}

bool sdn_trainer_epoch_ended(const sdn_trainer *t) { return t->state.place + t->plan.batch > t->source.n[SDN_SPLIT_TRAIN]; }

typedef struct gain_job { sdn_trainer *t; const float *weights; sdn_split split; long n_noise; double *row_gain; } gain_job;

/* The gains of a tile's rows with one realisation of their noise are added to row_gain [SDN_ROWS]. */
static sdn_status add_gains(const gain_job *job, const sdn_row_range *range, double *row_gain, sdn_arena *arena, sdn_err *err)
{
  const sdn_trainer *t = job->t;
  const int n_free = t->net->arch.n_free;
  sdn_tile_work w;
  double ln_q[SDN_ROWS];
  if (sdn_tile_work_new(t->net, arena, &w, err)) return err->status;
  if (sdn_tile_load(&t->source, &t->scaling, n_free, range, &w, arena, err)) return err->status;
  sdn_network_density(t->net, job->weights, &w, ln_q);
  for (long r = 0; r < range->n; r++) row_gain[r] += tile_gain(n_free, 1, w.z + r, ln_q + r);
  return SDN_OK;
}

static sdn_status gain_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const gain_job *job = ctx;
  const long place = tile * SDN_ROWS, left = job->t->source.n[job->split] - place, n = left < SDN_ROWS ? left : SDN_ROWS;
  long row[SDN_ROWS];
  double sum[SDN_ROWS] = {0};
  for (int r = 0; r < SDN_ROWS; r++) row[r] = place + r;
  for (long noise = 0; noise < job->n_noise; noise++) {
    const sdn_row_range range = {.split = job->split, .epoch = noise, .place = place, .n = n, .row = row};
    sdn_arena_back(arena, (sdn_arena_mark){0});
    if (add_gains(job, &range, sum, arena, err)) return err->status;
  }
  for (long r = 0; r < n; r++) job->row_gain[place + r] = sum[r] / (double)job->n_noise;
  return SDN_OK;
}

sdn_status sdn_trainer_row_gains(sdn_trainer *t, const float *weights, sdn_split split, long n_noise, double *row_gain, sdn_err *err)
{
  gain_job job = {.t = t, .weights = weights, .split = split, .n_noise = n_noise > 1 ? n_noise : 1, .row_gain = row_gain};
  return sdn_crew_tiles(t->crew, (t->source.n[split] + SDN_ROWS - 1) / SDN_ROWS, gain_tile, &job, err);
}

sdn_status sdn_trainer_gain(sdn_trainer *t, const float *weights, sdn_split split, double *gain, double *error, sdn_err *err)
{
  const long n = t->source.n[split];
  double *row_gain = sdn_alloc((size_t)n, sizeof *row_gain, "gains over a split", err), sum = 0, squares = 0;
  if (!row_gain) return err->status;
  const sdn_status status = sdn_trainer_row_gains(t, weights, split, 1, row_gain, err);
  for (long i = 0; i < n; i++) {
    sum += row_gain[i];
    squares += row_gain[i] * row_gain[i];
  }
  *gain = sum / (double)n;
  if (error) *error = sqrt(fmax(squares / (double)n - *gain * *gain, 0.0) / (double)n);
  sdn_release(row_gain);
  return status;
}
