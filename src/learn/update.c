/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/update.h"

#include <math.h>
#include <string.h>

#include "learn/adam.h"
#include "learn/muon.h"

#define BETA1 0.9
#define BETA2 0.99
#define MOMENTUM 0.95f        /* of Muon */
#define BAND 32               /* rows of a matrix that Muon makes orthogonal together, about */
#define LEAST_SIDE 8          /* a matrix with a shorter side is Adam's */
#define CHUNK 8192            /* of other weights, that one worker updates at a time */
#define PARALLEL_FROM 65536   /* weights: below, waking the other workers takes longer than updating them */

struct sdn_piece {
  size_t offset, n;
  bool decays;
  sdn_muon muon;              /* its n_row 0: AdamW's piece */
  double squares;
};

sdn_status sdn_optimiser_find(const char *name, sdn_optimiser *optimiser, sdn_err *err)
{
  static const char *const names[SDN_N_OPTIMISER] = {[SDN_ADAMW] = "adamw", [SDN_MUON] = "muon"};
  for (int i = 0; i < SDN_N_OPTIMISER; i++)
    if (strcmp(name, names[i]) == 0) {
      *optimiser = (sdn_optimiser)i;
      return SDN_OK;
    }
  return sdn_fail(err, SDN_USAGE, "there is no optimiser '%s'; there are adamw and muon", name);
}

static sdn_status cut_bands(sdn_trainer *t, const sdn_weight *w, sdn_err *err)
{
  const long n_band = (w->n_row + BAND - 1) / BAND;
  for (long k = 0; k < n_band; k++) {
    const long first = k * w->n_row / n_band, last = (k + 1) * w->n_row / n_band;
    sdn_piece *p = &t->piece[t->n_piece];
    *p = (sdn_piece){.offset = w->offset + (size_t)first * (size_t)w->n_col, .n = (size_t)(last - first) * (size_t)w->n_col, .decays = w->decays};
    if (sdn_muon_new((int)(last - first), w->n_col, &p->muon, err)) return err->status;
    t->n_piece++;
  }
  return SDN_OK;
}

sdn_status sdn_update_new(sdn_trainer *t, sdn_err *err)
{
  const sdn_network *net = t->net;
  size_t room = net->n_number / CHUNK + (size_t)net->n_weight;
  for (int i = 0; i < net->n_weight; i++) room += (size_t)net->weight[i].n_row / BAND + 1;
  if (!(t->piece = sdn_alloc(room, sizeof *t->piece, "training", err))) return err->status;
  for (int i = 0; i < net->n_weight; i++) {
    const sdn_weight *w = &net->weight[i];
    const size_t end = i + 1 < net->n_weight ? net->weight[i + 1].offset : net->n_number;
    if (t->plan.optimiser == SDN_MUON && w->n_col >= LEAST_SIDE && w->n_row >= LEAST_SIDE) {
      if (cut_bands(t, w, err)) return err->status;
      continue;
    }
    for (size_t at = w->offset; at < end; at += CHUNK)
      t->piece[t->n_piece++] = (sdn_piece){.offset = at, .n = end - at < CHUNK ? end - at : CHUNK, .decays = w->decays};
  }
  return SDN_OK;
}

void sdn_update_free(sdn_trainer *t)
{
  for (int i = 0; i < t->n_piece; i++) sdn_muon_clear(&t->piece[i].muon);
  sdn_release(t->piece);
}

/* All pieces of a job by one worker. */
typedef struct all_job { sdn_tile_fn *work; void *ctx; int n_piece; } all_job;

static sdn_status all_pieces(void *ctx, long ignored, sdn_arena *arena, sdn_err *err)
{
  const all_job *job = ctx;
  const sdn_arena_mark mark = sdn_arena_here(arena);
  (void)ignored;
  for (int i = 0; i < job->n_piece; i++) {
    if (job->work(job->ctx, i, arena, err)) return err->status;
    sdn_arena_back(arena, mark);
  }
  return SDN_OK;
}

static sdn_status each_piece(sdn_trainer *t, sdn_tile_fn *work, void *ctx, sdn_err *err)
{
  if (t->net->n_number >= PARALLEL_FROM) return sdn_crew_tiles(t->crew, t->n_piece, work, ctx, err);
  all_job job = {.work = work, .ctx = ctx, .n_piece = t->n_piece};
  return sdn_crew_tiles(t->crew, 1, all_pieces, &job, err);
}

static sdn_status sum_piece(void *ctx, long piece, sdn_arena *arena, sdn_err *err)
{
  sdn_trainer *t = ctx;
  sdn_piece *p = &t->piece[piece];
  (void)arena;
  (void)err;
  p->squares = sdn_sum_parts(p->n, t->n_part, t->net->n_number, t->part + p->offset, t->gradient + p->offset);
  return SDN_OK;
}

sdn_status sdn_update_sum(sdn_trainer *t, double *squares, sdn_err *err)
{
  const sdn_status status = each_piece(t, sum_piece, t, err);
  *squares = 0;
  for (int i = 0; i < t->n_piece; i++) *squares += t->piece[i].squares;
  return status;
}

typedef struct update_job { sdn_trainer *t; sdn_adam_step adam; sdn_muon_step muon; } update_job;

static sdn_status update_piece(void *ctx, long piece, sdn_arena *arena, sdn_err *err)
{
  const update_job *job = ctx;
  const sdn_piece *p = &job->t->piece[piece];
  sdn_train_state *s = &job->t->state;
  const float *gradient = job->t->gradient + p->offset;
  float *weight = s->weights + p->offset, *first = s->first + p->offset, *average = s->average + p->offset;
  if (p->muon.n_row > 0) return sdn_muon_update(&p->muon, &job->muon, gradient, weight, first, average, arena, err);
  sdn_adam_step step = job->adam;
  if (!p->decays) step.decay = 0;
  sdn_adam_update(p->n, &step, gradient, weight, first, s->second + p->offset, average);
  return SDN_OK;
}

/* The averaged weights forget their beginning at first faster than the plan's `ema` says. */
static double averaging(double ema, long step) { const double early = (1.0 + (double)step) / (10.0 + (double)step); return early < ema ? early : ema; }

sdn_status sdn_update_weights(sdn_trainer *t, double rate, double norm, sdn_err *err)
{
  const double step = (double)++t->state.adam_step, clip = t->plan.clip;
  const float factor = clip > 0 && norm > clip ? (float)(clip / norm) : 1.0f, keep = (float)averaging(t->plan.ema, t->state.step);
  const float decay = (float)t->plan.weight_decay;
  update_job job = {.t = t};
  job.adam = (sdn_adam_step){.rate = (float)rate, .decay = decay, .beta1 = (float)BETA1, .beta2 = (float)BETA2, .scale = factor, .keep = keep,
                             .correct1 = (float)(1.0 / (1.0 - pow(BETA1, step))), .correct2 = (float)(1.0 / (1.0 - pow(BETA2, step)))};
  job.muon = (sdn_muon_step){.rate = (float)rate, .decay = decay, .momentum = MOMENTUM, .scale = factor, .keep = keep};
  return each_piece(t, update_piece, &job, err);
}
