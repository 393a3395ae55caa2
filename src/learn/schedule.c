/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/schedule.h"

#include <math.h>

#define WARM_UP_SHARE 0.1   /* of the schedule, at most */
#define FALL_SHARE 0.4      /* of a training with patience, in which the rate falls */
#define SIGNIFICANT 2.0     /* standard errors of the paired difference */
#define LEAST_GAIN 1e-3     /* nats; less is not worth waiting for */

/* Schedules are in seconds or in steps. */
static double now(const sdn_trainer *t) { return t->plan.max_minutes > 0 ? t->state.seconds : (double)t->state.step; }

static double whole(const sdn_trainer *t)
{
  return t->plan.max_minutes > 0 ? 60.0 * t->plan.max_minutes : (double)(t->plan.n_epoch * (t->source.n[SDN_SPLIT_TRAIN] / t->plan.batch));
}

static double fall_begin(const sdn_trainer *t)
{
  if (t->plan.patience == 0) return 0;
  return t->state.fall_from >= 0 ? t->state.fall_from : (1 - FALL_SHARE) * whole(t);
}

static double fall_end(const sdn_trainer *t)
{
  return t->plan.patience > 0 && t->state.fall_from >= 0 ? t->state.fall_from / (1 - FALL_SHARE) : whole(t);
}

double sdn_schedule_share(const sdn_trainer *t) { return now(t) / fall_end(t); }

double sdn_schedule_rate(const sdn_trainer *t)
{
  const double steps = (double)t->state.step, share = sdn_schedule_share(t), begin = fall_begin(t), end = fall_end(t);
  const double total = share > 0 ? steps / share : HUGE_VAL;   /* steps that the schedule will have, as far as is known */
  const double warm_up = fmin((double)t->plan.warm_up, WARM_UP_SHARE * total), rise = fmin(1.0, (steps + 1) / (warm_up + 1));
  const double height = fmax(0.0, fmin(1.0, (end - now(t)) / (end - begin)));
  return t->plan.learning_rate * t->state.rate_factor * rise * height;
}

/* Do these gains clearly exceed those of the reference, galaxy by galaxy with the same noise? */
static bool stands_out(long n, const double *row_gain, const float *reference)
{
  double sum = 0, squares = 0;
  for (long i = 0; i < n; i++) {
    const double d = row_gain[i] - (double)reference[i];
    sum += d;
    squares += d * d;
  }
  const double mean = sum / (double)n, variance = fmax(squares / (double)n - mean * mean, 0.0);
  return mean > LEAST_GAIN && mean > SIGNIFICANT * sqrt(variance / (double)n);
}

void sdn_schedule_validated(sdn_trainer *t, const double *row_gain)
{
  sdn_train_state *s = &t->state;
  const long n = t->source.n[SDN_SPLIT_VALIDATION];
  s->since_gain++;
  if (stands_out(n, row_gain, s->reference)) {
    for (long i = 0; i < n; i++) s->reference[i] = (float)row_gain[i];
    s->since_gain = 0;
  }
  const bool exhausted = t->plan.patience > 0 && s->since_gain >= t->plan.patience && s->step > t->plan.warm_up;
  if (exhausted && s->fall_from < 0 && now(t) < fall_begin(t)) s->fall_from = now(t);
}
