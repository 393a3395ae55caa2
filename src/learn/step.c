/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One gradient step, and the gain over a split: what the training loop does on all cores. A batch is cut into n_part parts, each of whole tiles
 * and with a gradient of its own; the parts are added in order, so the sum does not depend on who computed what. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/special.h"
#include "learn/adam.h"
#include "learn/trainer.h"

#define BETA1 0.9
#define BETA2 0.99
#define PARALLEL_FROM 65536   /* weights: below, waking the other workers takes longer than updating them */

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
  if (first == last) memset(gradient, 0, t->net->n_number * sizeof *gradient);
  for (long tile = first; tile < last; tile++) {
    const long at = tile * SDN_ROWS, n = job->n - at < SDN_ROWS ? job->n - at : SDN_ROWS, place = t->state.place + at;
    const sdn_row_range range = {.split = SDN_SPLIT_TRAIN, .epoch = t->state.epoch, .place = place, .n = n, .row = t->order + place};
    sdn_arena_back(arena, (sdn_arena_mark){0});
    if (tile_gradient(t, &range, 1.0f / (float)job->n, tile > first, gradient, &t->part_gain[part], arena, err)) return err->status;
  }
  sdn_network_mask(t->net, gradient);
  return SDN_OK;
}

static sdn_status sum_chunk(void *ctx, long chunk, sdn_arena *arena, sdn_err *err)
{
  sdn_trainer *t = ctx;
  const struct sdn_chunk *c = &t->chunk[chunk];
  (void)arena;
  (void)err;
  t->chunk_squares[chunk] = sdn_sum_parts(c->n, t->n_part, t->net->n_number, t->part + c->offset, t->gradient + c->offset);
  return SDN_OK;
}

typedef struct update_job { sdn_trainer *t; sdn_adam_step step; } update_job;

static sdn_status update_chunk(void *ctx, long chunk, sdn_arena *arena, sdn_err *err)
{
  const update_job *job = ctx;
  const struct sdn_chunk *c = &job->t->chunk[chunk];
  sdn_train_state *s = &job->t->state;
  sdn_adam_step step = job->step;
  (void)arena;
  (void)err;
  if (!c->decays) step.decay = 0;
  sdn_adam_update(c->n, &step, job->t->gradient + c->offset, s->weights + c->offset, s->first + c->offset, s->second + c->offset,
                  s->average + c->offset);
  return SDN_OK;
}

/* Chunks on all cores, or here and now when there is little to do. */
static sdn_status each_chunk(sdn_trainer *t, sdn_tile_fn *work, void *ctx, sdn_err *err)
{
  if (t->net->n_number >= PARALLEL_FROM) return sdn_crew_tiles(t->crew, t->n_chunk, work, ctx, err);
  for (long i = 0; i < t->n_chunk; i++)
    if (work(ctx, i, NULL, err)) return err->status;
  return SDN_OK;
}

/* The averaged weights forget their beginning at first faster than the plan's `ema` says. */
static double averaging(double ema, long step) { const double early = (1.0 + (double)step) / (10.0 + (double)step); return early < ema ? early : ema; }

static sdn_status update_weights(sdn_trainer *t, double rate, double norm, sdn_err *err)
{
  const double step = (double)++t->state.adam_step, clip = t->plan.clip;
  update_job job = {.t = t};
  job.step = (sdn_adam_step){
    .rate = (float)rate, .decay = (float)t->plan.weight_decay, .beta1 = (float)BETA1, .beta2 = (float)BETA2,
    .correct1 = (float)(1.0 / (1.0 - pow(BETA1, step))), .correct2 = (float)(1.0 / (1.0 - pow(BETA2, step))),
    .scale = clip > 0 && norm > clip ? (float)(clip / norm) : 1.0f, .keep = (float)averaging(t->plan.ema, t->state.step)};
  return each_chunk(t, update_chunk, &job, err);
}

static void order_rows(sdn_trainer *t)
{
  if (t->order_epoch == t->state.epoch) return;
  sdn_random_permutation((uint64_t)t->plan.seed, SDN_STREAM_SHUFFLE + (uint32_t)t->state.epoch, t->source.n[SDN_SPLIT_TRAIN], t->order);
  t->order_epoch = t->state.epoch;
}

sdn_status sdn_trainer_step(sdn_trainer *t, double rate, bool *finite, sdn_err *err)
{
  sdn_train_state *s = &t->state;
  batch_job job = {.t = t, .n = t->plan.batch};
  double gain = 0, squares = 0;
  order_rows(t);
  if (sdn_crew_tiles(t->crew, t->n_part, part_gradient, &job, err)) return err->status;
  if (each_chunk(t, sum_chunk, t, err)) return err->status;
  for (int i = 0; i < t->n_part; i++) gain += t->part_gain[i];
  for (int i = 0; i < t->n_chunk; i++) squares += t->chunk_squares[i];
  *finite = isfinite(gain) && isfinite(squares);
  if (!*finite) return SDN_OK;
  if (update_weights(t, rate, sqrt(squares), err)) return err->status;
  s->step++;
  s->place += job.n;
  s->epoch_gain += gain;
  return SDN_OK;
}

bool sdn_trainer_epoch_ended(const sdn_trainer *t) { return t->state.place + t->plan.batch > t->source.n[SDN_SPLIT_TRAIN]; }

typedef struct gain_job { sdn_trainer *t; const float *weights; sdn_split split; double *sum, *squares; } gain_job;

static sdn_status gain_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const gain_job *job = ctx;
  const sdn_trainer *t = job->t;
  const long place = tile * SDN_ROWS, left = t->source.n[job->split] - place;
  const int n_free = t->net->arch.n_free;
  sdn_tile_work w;
  double ln_q[SDN_ROWS];
  long row[SDN_ROWS];
  for (int r = 0; r < SDN_ROWS; r++) row[r] = place + r;
  const sdn_row_range range = {.split = job->split, .place = place, .n = left < SDN_ROWS ? left : SDN_ROWS, .row = row};
  if (sdn_tile_work_new(t->net, arena, &w, err)) return err->status;
  if (sdn_tile_load(&t->source, &t->scaling, n_free, &range, &w, arena, err)) return err->status;
  sdn_network_density(t->net, job->weights, &w, ln_q);
  job->sum[tile] = job->squares[tile] = 0;
  for (long r = 0; r < range.n; r++) {
    const double gain = tile_gain(n_free, 1, w.z + r, ln_q + r);
    job->sum[tile] += gain;
    job->squares[tile] += gain * gain;
  }
  return SDN_OK;
}

sdn_status sdn_trainer_gain(sdn_trainer *t, const float *weights, sdn_split split, double *gain, double *error, sdn_err *err)
{
  const long n = t->source.n[split], n_tile = (n + SDN_ROWS - 1) / SDN_ROWS;
  gain_job job = {.t = t, .weights = weights, .split = split};
  job.sum = sdn_alloc((size_t)n_tile * 2, sizeof(double), "sums over a split", err);
  if (!job.sum) return err->status;
  job.squares = job.sum + n_tile;
  const sdn_status status = sdn_crew_tiles(t->crew, n_tile, gain_tile, &job, err);
  double sum = 0, squares = 0;
  for (long i = 0; i < n_tile; i++) {
    sum += job.sum[i];
    squares += job.squares[i];
  }
  *gain = sum / (double)n;
  if (error) *error = sqrt(fmax(squares / (double)n - *gain * *gain, 0.0) / (double)n);
  sdn_release(job.sum);
  return status;
}
