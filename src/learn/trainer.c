/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/trainer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "learn/schedule.h"
#include "learn/update.h"

#define MAX_PART 64              /* gradients of their own per step: the most threads that a step can use */
#define MAX_PART_NUMBERS (1L << 28)   /* in all of them: 1 GiB */
#define MAX_RESTART 3
#define SAVE_EVERY 120.0         /* seconds between checkpoints */
#define DIVERGED 5.0             /* nats below the best validation: training has gone wrong */
#define NO_REFERENCE -1e30f      /* below any gain: the first validation stands out */

/* Parts of a batch: a function of batch and network alone, so that sums do not depend on the number of threads. */
static int n_part(size_t n_number, long n_tile)
{
  const long room = MAX_PART_NUMBERS / (long)n_number, most = room < 1 ? 1 : room < MAX_PART ? room : MAX_PART;
  return (int)(n_tile < most ? n_tile : most);
}

static sdn_status make_blocks(sdn_trainer *t, sdn_err *err)
{
  const size_t n = t->net->n_number, f = (size_t)t->net->arch.n_feature, n_validation = (size_t)t->source.n[SDN_SPLIT_VALIDATION];
  const long n_tile = (t->plan.batch + SDN_ROWS - 1) / SDN_ROWS;
  sdn_train_state *s = &t->state;
  t->n_part = n_part(n, n_tile);
  t->scaling.n = (int)f;
  const struct { float **to; size_t n; } blocks[] = {
    {&t->scaling.mean, f}, {&t->scaling.scale, f}, {&s->weights, n}, {&s->first, n}, {&s->second, n}, {&s->average, n}, {&s->best, n},
    {&s->reference, n_validation}, {&t->gradient, n}, {&t->part, n * (size_t)t->n_part}};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
    if (!(*blocks[i].to = sdn_alloc(blocks[i].n, sizeof(float), "training", err))) return err->status;
  for (size_t i = 0; i < n_validation; i++) s->reference[i] = NO_REFERENCE;
  t->part_gain = sdn_alloc((size_t)t->n_part, sizeof *t->part_gain, "training", err);
  t->row_gain = t->part_gain ? sdn_alloc(n_validation, sizeof *t->row_gain, "training", err) : NULL;
  if (t->source.own_order) return t->row_gain ? SDN_OK : err->status;
  t->order = t->row_gain ? sdn_alloc((size_t)t->source.n[SDN_SPLIT_TRAIN], sizeof *t->order, "the order of training rows", err) : NULL;
  return t->order ? SDN_OK : err->status;
}

sdn_status sdn_trainer_new(const sdn_train_plan *plan, const sdn_row_source *source, const sdn_run *run, sdn_trainer **out, sdn_err *err)
{
  *out = NULL;
  sdn_run steady = run ? *run : (sdn_run){0};
  steady.stop = NULL;   /* a step is done whole or not at all: a stop is looked for between steps */
  steady.progress = NULL;
  sdn_trainer *t = sdn_alloc(1, sizeof *t, "training", err);
  if (!t) return err->status;
  *t = (sdn_trainer){.plan = *plan, .source = *source, .run = run, .order_epoch = -1};
  if (t->plan.batch > source->n[SDN_SPLIT_TRAIN]) t->plan.batch = source->n[SDN_SPLIT_TRAIN];
  t->state.rate_factor = 1;
  t->state.best_gain = -INFINITY;
  t->state.fall_from = -1;
  if (sdn_crew_new(&steady, &t->crew, err) || sdn_network_new(&plan->arch, &t->net, err) || make_blocks(t, err) || sdn_update_new(t, err) ||
      sdn_scaling_measure(source, plan->arch.n_free, &t->scaling, err)) {
    sdn_trainer_free(t);
    return err->status;
  }
  sdn_network_initialise(t->net, (uint64_t)plan->seed, 0, t->state.weights);
  memcpy(t->state.average, t->state.weights, t->net->n_number * sizeof(float));
  memcpy(t->state.best, t->state.weights, t->net->n_number * sizeof(float));
  *out = t;
  return SDN_OK;
}

void sdn_trainer_free(sdn_trainer *t)
{
  if (!t) return;
  sdn_train_state *s = &t->state;
  void *blocks[] = {t->scaling.mean, t->scaling.scale, s->weights, s->first, s->second, s->average, s->best, s->reference, s->history, t->gradient,
                    t->part, t->part_gain, t->row_gain, t->order};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) sdn_release(blocks[i]);
  sdn_update_free(t);
  sdn_crew_free(t->crew);
  sdn_network_free(t->net);
  sdn_release(t);
}

static sdn_status remember(sdn_trainer *t, double rate, double train_gain, double validation_gain, sdn_err *err)
{
  sdn_train_state *s = &t->state;
  if (s->n_history == s->room) {
    const long room = 2 * s->room + 64;
    sdn_history *longer = sdn_alloc((size_t)room, sizeof *longer, "the history of training", err);
    if (!longer) return err->status;
    if (s->n_history > 0) memcpy(longer, s->history, (size_t)s->n_history * sizeof *longer);
    sdn_release(s->history);
    s->history = longer;
    s->room = room;
  }
  s->history[s->n_history++] = (sdn_history){(double)s->epoch, (double)s->step, s->seconds, rate, train_gain, validation_gain};
  return SDN_OK;
}

/* Go on from the best weights at half the rate. */
static sdn_status restart(sdn_trainer *t, sdn_err *err)
{
  sdn_train_state *s = &t->state;
  const size_t bytes = t->net->n_number * sizeof(float);
  if (s->n_restart == MAX_RESTART)
    return sdn_fail(err, SDN_NUMERIC, "training diverged %d times, the last time at step %ld with learning rate %g; use a smaller learning_rate or clip",
                    MAX_RESTART + 1, s->step, t->plan.learning_rate * s->rate_factor);
  s->n_restart++;
  s->rate_factor *= 0.5;
  s->adam_step = 0;
  memcpy(s->weights, s->best, bytes);
  memcpy(s->average, s->best, bytes);
  memset(s->first, 0, bytes);
  memset(s->second, 0, bytes);
  return SDN_OK;
}

/* At the end of an epoch: validate the averaged weights, keep them if they are the best. */
static sdn_status end_epoch(sdn_trainer *t, double rate, sdn_err *err)
{
  sdn_train_state *s = &t->state;
  const double train_gain = s->place > 0 ? s->epoch_gain / (double)s->place : NAN;
  const long n = t->source.n[SDN_SPLIT_VALIDATION];
  double gain = 0;
  if (sdn_trainer_row_gains(t, s->average, SDN_SPLIT_VALIDATION, t->plan.n_validation_noise, t->row_gain, err)) return err->status;
  for (long i = 0; i < n; i++) gain += t->row_gain[i] / (double)n;
  s->epoch++;
  s->place = 0;
  s->epoch_gain = 0;
  if (remember(t, rate, train_gain, gain, err)) return err->status;
  if (!(gain > s->best_gain - DIVERGED)) return restart(t, err);
  sdn_schedule_validated(t, t->row_gain);
  if (gain > s->best_gain) {
    s->best_gain = gain;
    memcpy(s->best, s->average, t->net->n_number * sizeof(float));
  }
  return SDN_OK;
}

static void report(const sdn_trainer *t, double rate, double share, double rows_per_second)
{
  const sdn_train_state *s = &t->state;
  char detail[160];
  const double left = share > 0 ? s->seconds * (1 - share) / share : 0;
  const double validation = s->n_history > 0 ? s->history[s->n_history - 1].validation_gain : 0;
  snprintf(detail, sizeof detail, "epoch %ld, %.0f rows/s, rate %.2g, gain %.3f, validation %.3f nats, %.0f s left", s->epoch + 1, rows_per_second, rate,
           s->place > 0 ? s->epoch_gain / (double)s->place : 0.0, validation, left);
  sdn_progress(t->run, "training", fmin(share, 1.0), 1.0, detail);
}

/* When it is time, or now. */
static sdn_status save_if_due(const sdn_trainer *t, double *saved, bool now, sdn_err *err)
{
  if (!t->save || (!now && sdn_seconds() - *saved < SAVE_EVERY)) return SDN_OK;
  *saved = sdn_seconds();
  return t->save(t->save_ctx, t, err);
}

sdn_status sdn_trainer_run(sdn_trainer *t, sdn_err *err)
{
  sdn_train_state *s = &t->state;
  const double before = s->seconds, started = sdn_seconds() - before;
  const long first_step = s->step;
  double saved = sdn_seconds();
  for (double share = sdn_schedule_share(t); share < 1; share = sdn_schedule_share(t)) {
    const double rate = sdn_schedule_rate(t);
    const bool stopped = sdn_stopped(t->run);
    bool finite;
    if (save_if_due(t, &saved, stopped, err)) return err->status;
    if (stopped) return sdn_fail(err, SDN_INTERRUPTED, "training was stopped at step %ld", s->step);
    if (sdn_trainer_step(t, rate, &finite, err)) return err->status;
    if (!finite && restart(t, err)) return err->status;
    if (sdn_trainer_epoch_ended(t) && end_epoch(t, rate, err)) return err->status;
    s->seconds = sdn_seconds() - started;
    report(t, rate, share, (double)((s->step - first_step) * t->plan.batch) / (s->seconds - before));
  }
  return s->place > 0 ? end_epoch(t, 0, err) : SDN_OK;
}
