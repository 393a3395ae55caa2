/* SPDX-License-Identifier: GPL-3.0-or-later */
/* AdamW against its own definition in double precision; training that does not depend on threads, that goes on after a stop as if there had been none, and
 * that ends when it no longer gains. Muon's own test: test_muon.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "learn/adam.h"
#include "learn/checkpoint.h"
#include "learn/schedule.h"
#include "learn/update.h"
#include "support/linear_gaussian.h"
#include "support/scratch.h"

#define ADAM_TOLERANCE 1e-6   /* float32 moments over a hundred steps, updates of about 1e-2 */

static void adam_follows_its_definition(void **state)
{
  (void)state;
  enum { N = 37 };
  float weight[N], first[N] = {0}, second[N] = {0}, average[N], gradient[N];
  double w[N], m[N] = {0}, v[N] = {0}, a[N];
  const double rate = 1e-2, decay = 0.1, b1 = 0.9, b2 = 0.99, keep = 0.95, scale = 0.5;
  sdn_rng rng = sdn_rng_at(61, SDN_STREAM_TEST, 0);
  for (int i = 0; i < N; i++) a[i] = w[i] = (double)(average[i] = weight[i] = (float)sdn_rng_normal(&rng));
  for (int step = 1; step <= 100; step++) {
    for (int i = 0; i < N; i++) gradient[i] = (float)(sdn_rng_normal(&rng) + (double)weight[i]);
    for (int i = 0; i < N; i++) {   /* Kingma & Ba 2015 algorithm 1, Loshchilov & Hutter 2019 algorithm 2 */
      const double g = scale * (double)gradient[i];
      m[i] = b1 * m[i] + (1 - b1) * g;
      v[i] = b2 * v[i] + (1 - b2) * g * g;
      w[i] -= rate * (m[i] / (1 - pow(b1, step)) / (sqrt(v[i] / (1 - pow(b2, step))) + 1e-8) + decay * w[i]);
      a[i] = keep * a[i] + (1 - keep) * w[i];
    }
    const sdn_adam_step s = {.rate = (float)rate, .decay = (float)decay, .beta1 = (float)b1, .beta2 = (float)b2, .keep = (float)keep, .scale = (float)scale,
                             .correct1 = (float)(1 / (1 - pow(b1, step))), .correct2 = (float)(1 / (1 - pow(b2, step)))};
    sdn_adam_update(N, &s, gradient, weight, first, second, average);
    for (int i = 0; i < N; i++)
      if (!(fabs((double)weight[i] - w[i]) <= ADAM_TOLERANCE * step && fabs((double)average[i] - a[i]) <= ADAM_TOLERANCE * step))
        fail_msg("step %d: weight %.8g, not %.8g", step, (double)weight[i], w[i]);
  }
}

static void parts_are_summed_in_order(void **state)
{
  (void)state;
  enum { N = 21, STRIDE = 32, PARTS = 3 };
  float part[PARTS * STRIDE], total[N];
  double squares = 0;
  for (int i = 0; i < PARTS * STRIDE; i++) part[i] = 0.1f * (float)(i % 13) - 0.5f;
  for (int i = 0; i < N; i++) total[i] = NAN;
  const double got = sdn_sum_parts(N, PARTS, STRIDE, part, total);
  for (int i = 0; i < N; i++) {
    const float sum = part[i] + part[STRIDE + i] + part[2 * STRIDE + i];
    assert_true(total[i] == sum);
    squares += (double)sum * (double)sum;
  }
  assert_true(fabs(got - squares) <= 1e-12 * squares);
}

static sdn_trainer *make_trainer(const sdn_train_plan *plan, const sdn_row_source *source, const sdn_run *run)
{
  sdn_trainer *t;
  sdn_err err;
  static const sdn_run alone = {.n_thread = 1};
  if (sdn_trainer_new(plan, source, run ? run : &alone, &t, &err)) fail_msg("%s", err.text);
  return t;
}

static void must_run(sdn_trainer *t)
{
  sdn_err err;
  if (sdn_trainer_run(t, &err)) fail_msg("%s", err.text);
}

/* Everything that training has come to, but for the clock. */
static void assert_same_state(const sdn_trainer *a, const sdn_trainer *b)
{
  const size_t bytes = a->net->n_number * sizeof(float);
  assert_memory_equal(a->state.weights, b->state.weights, bytes);
  assert_memory_equal(a->state.first, b->state.first, bytes);
  assert_memory_equal(a->state.second, b->state.second, bytes);
  assert_memory_equal(a->state.average, b->state.average, bytes);
  assert_memory_equal(a->state.reference, b->state.reference, (size_t)a->source.n[SDN_SPLIT_VALIDATION] * sizeof(float));
  assert_memory_equal(a->state.best, b->state.best, bytes);
  assert_int_equal(a->state.step, b->state.step);
  assert_true(a->state.fall_from == b->state.fall_from);
  assert_int_equal(a->state.n_history, b->state.n_history);
  assert_true(a->state.best_gain == b->state.best_gain);
  for (long i = 0; i < a->state.n_history; i++) {
    assert_true(a->state.history[i].validation_gain == b->state.history[i].validation_gain);
    assert_true(a->state.history[i].train_gain == b->state.history[i].train_gain);
  }
}

static void same_bits(sdn_optimiser optimiser, int head)
{
  sdn_train_plan plan = linear_plan(3);
  plan.optimiser = optimiser;
  plan.arch.head = head;
  plan.arch.n_component = 4;
  plan.batch = 300;             /* five tiles, the last one partly filled */
  plan.arch.n_encoder = 160;    /* weights enough to be updated by all workers */
  const sdn_row_source source = linear_source(2000, 200);
  sdn_trainer *one = NULL;
  static const int threads[] = {1, 2, 4};
  for (int i = 0; i < 3; i++) {
    const sdn_run run = {.n_thread = threads[i]};
    sdn_trainer *t = make_trainer(&plan, &source, &run);
    must_run(t);
    if (one) {
      assert_same_state(one, t);
      sdn_trainer_free(t);
    } else one = t;
  }
  sdn_trainer_free(one);
}

static void same_bits_for_any_number_of_threads(void **state)
{
  (void)state;
  same_bits(SDN_ADAMW, SDN_HEAD_SPLINE);
  for (int head = 0; head < SDN_N_HEAD; head++) same_bits(SDN_MUON, head);
}

/* A source that asks for a stop after so many tiles. */
typedef struct stopping { sdn_row_source inner; volatile int stop; int tiles_left; } stopping;

static sdn_status fill_and_stop(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err)
{
  stopping *s = ctx;
  if (range->split == SDN_SPLIT_TRAIN && --s->tiles_left == 0) s->stop = 1;
  return s->inner.fill(s->inner.ctx, range, x, z, arena, err);
}

static sdn_status save_here(void *ctx, const sdn_trainer *t, sdn_err *err) { return sdn_checkpoint_write(ctx, "a=1\nb=2\n", t, err); }

static void goes_on_exactly(sdn_train_plan plan)
{
  const sdn_row_source source = linear_source(2048, 300);
  char path[1024];
  sdn_err err;
  sdn_trainer *whole = make_trainer(&plan, &source, NULL);
  must_run(whole);
  assert_true((whole->state.fall_from > 0) == (plan.patience > 0));
  static const int stops[] = {40, 57, 100, 140};   /* in the scaling or the first epoch, in the middle, later, while the last plan's rate falls */
  for (int i = 0; i < 4; i++) {
    strcpy(path, scratch_file("resume.checkpoint"));
    stopping s = {.inner = source, .tiles_left = stops[i]};
    sdn_row_source stopper = source;
    stopper.ctx = &s;
    stopper.fill = fill_and_stop;
    const sdn_run run = {.n_thread = 1, .stop = &s.stop};
    sdn_trainer *first = make_trainer(&plan, &stopper, &run);
    first->save = save_here;
    first->save_ctx = path;
    assert_int_equal(sdn_trainer_run(first, &err), SDN_INTERRUPTED);
    assert_true(scratch_exists(path));
    sdn_trainer *second = make_trainer(&plan, &source, NULL);
    if (sdn_checkpoint_read(path, "a=1\nb=2\n", second, &err)) fail_msg("%s", err.text);
    assert_true(second->state.step > 0 && second->state.step < whole->state.step);
    must_run(second);
    assert_same_state(whole, second);
    sdn_trainer_free(first);
    sdn_trainer_free(second);
  }
  sdn_trainer *other = make_trainer(&plan, &source, NULL);
  assert_int_equal(sdn_checkpoint_read(path, "a=1\nb=3\n", other, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "b=2"));
  assert_non_null(strstr(err.text, "b=3"));
  sdn_trainer_free(other);
  sdn_trainer_free(whole);
}

static void a_stopped_training_goes_on_exactly(void **state)
{
  (void)state;
  sdn_train_plan plan = linear_plan(4);
  goes_on_exactly(plan);
  plan.optimiser = SDN_MUON;
  plan.n_validation_noise = 3;
  goes_on_exactly(plan);
  plan.n_epoch = 12;
  plan.warm_up = 5;
  plan.patience = 2;
  plan.learning_rate = 1e-8;    /* nothing is gained: the rate soon falls */
  goes_on_exactly(plan);
}

/* Data that blow up once: the gradient is not finite, training goes back to its best weights and on at half the rate. */
typedef struct exploding { sdn_row_source inner; int calls, from, to; } exploding;

static sdn_status fill_and_explode(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err)
{
  exploding *e = ctx;
  const sdn_status status = e->inner.fill(e->inner.ctx, range, x, z, arena, err);
  if (range->split == SDN_SPLIT_TRAIN && ++e->calls >= e->from && e->calls < e->to) z[0] = NAN;
  return status;
}

static void training_recovers_from_a_bad_step(void **state)
{
  (void)state;
  const sdn_train_plan plan = linear_plan(4);
  exploding e = {.inner = linear_source(2048, 300), .from = 70, .to = 71};
  sdn_row_source source = e.inner;
  source.ctx = &e;
  source.fill = fill_and_explode;
  const sdn_run run = {.n_thread = 1};
  sdn_trainer *t = make_trainer(&plan, &source, &run);
  must_run(t);
  assert_int_equal(t->state.n_restart, 1);
  assert_true(t->state.rate_factor == 0.5 && isfinite(t->state.best_gain) && t->state.best_gain > 0);
  sdn_trainer_free(t);
}

static void training_gives_up_with_a_sentence(void **state)
{
  (void)state;
  const sdn_train_plan plan = linear_plan(4);
  exploding e = {.inner = linear_source(2048, 300), .from = 70, .to = 1 << 30};
  sdn_row_source source = e.inner;
  sdn_err err;
  source.ctx = &e;
  source.fill = fill_and_explode;
  const sdn_run run = {.n_thread = 1};
  sdn_trainer *t = make_trainer(&plan, &source, &run);
  assert_int_equal(sdn_trainer_run(t, &err), SDN_NUMERIC);
  assert_non_null(strstr(err.text, "diverged"));
  assert_non_null(strstr(err.text, "learning_rate"));
  sdn_trainer_free(t);
}

/* So few rows that they are soon learnt by heart: the rate stays high while there is something to gain, then falls to zero, and training ends early. */
static void patience_lets_the_rate_fall(void **state)
{
  (void)state;
  sdn_train_plan plan = linear_plan(500);
  plan.patience = 3;
  plan.batch = 64;
  plan.weight_decay = 0;
  const sdn_row_source source = linear_source(128, 64);
  sdn_trainer *t = make_trainer(&plan, &source, NULL);
  must_run(t);
  const sdn_train_state *s = &t->state;
  assert_true(s->fall_from > 0 && s->epoch < 400);
  for (long i = 0; i < s->n_history; i++) {
    const sdn_history *h = &s->history[i];
    if (h->step > plan.warm_up && h->step <= s->fall_from) assert_true(h->rate == plan.learning_rate);
    if (i > 0 && h->step > s->fall_from + 1) assert_true(h->rate < s->history[i - 1].rate);
  }
  assert_true(s->history[s->n_history - 1].rate < 0.05 * plan.learning_rate);
  sdn_trainer_free(t);
}

/* Without a plateau the rate falls over the end of the plan all the same. */
static void patience_keeps_to_the_plan(void **state)
{
  (void)state;
  sdn_train_plan plan = linear_plan(5);
  plan.patience = 1000;
  const sdn_row_source source = linear_source(2048, 300);
  sdn_trainer *t = make_trainer(&plan, &source, NULL);
  must_run(t);
  assert_true(t->state.fall_from < 0);
  assert_int_equal(t->state.epoch, 5);
  assert_int_equal(t->state.step, 40);
  assert_true(t->state.history[4].rate < 0.1 * plan.learning_rate);
  sdn_trainer_free(t);
}

/* Gains that are only noise do not count as progress, small ones that every galaxy shares do. */
static void noise_is_no_gain(void **state)
{
  (void)state;
  enum { N = 300 };
  sdn_train_plan plan = linear_plan(10);
  plan.patience = 100;
  const sdn_row_source source = linear_source(512, N);
  sdn_trainer *t = make_trainer(&plan, &source, NULL);
  double gain[N];
  sdn_rng rng = sdn_rng_at(63, SDN_STREAM_TEST, 0);
  for (int i = 0; i < N; i++) gain[i] = 5 + sdn_rng_normal(&rng);
  sdn_schedule_validated(t, gain);
  assert_int_equal(t->state.since_gain, 0);   /* the first one */
  for (int i = 0; i < N; i++) gain[i] += i % 2 ? 0.5 : -0.45;   /* 0.025 on average, 0.027 its error */
  sdn_schedule_validated(t, gain);
  assert_int_equal(t->state.since_gain, 1);
  for (int i = 0; i < N; i++) gain[i] += i % 2 ? -0.495 : 0.455;   /* 0.005 above the first for each */
  sdn_schedule_validated(t, gain);
  assert_int_equal(t->state.since_gain, 0);
  for (int i = 0; i < N; i++) gain[i] += 5e-4;   /* sure, but not worth while */
  sdn_schedule_validated(t, gain);
  assert_int_equal(t->state.since_gain, 1);
  for (int i = 0; i < N; i++) gain[i] = NAN;
  sdn_schedule_validated(t, gain);
  assert_int_equal(t->state.since_gain, 2);
  sdn_trainer_free(t);
}

/* Which noise realisations of the validation rows are asked for. */
typedef struct watching { sdn_row_source inner; long n_asked[8]; } watching;

static sdn_status fill_and_watch(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err)
{
  watching *w = ctx;
  if (range->split == SDN_SPLIT_VALIDATION) w->n_asked[range->epoch] += range->n;
  return w->inner.fill(w->inner.ctx, range, x, z, arena, err);
}

static void validation_noise_is_fixed(void **state)
{
  (void)state;
  sdn_train_plan plan = linear_plan(2);
  plan.n_validation_noise = 3;
  watching w = {.inner = linear_source(512, 100)};
  sdn_row_source source = w.inner;
  source.ctx = &w;
  source.fill = fill_and_watch;
  sdn_trainer *t = make_trainer(&plan, &source, NULL);
  sdn_err err;
  double one[100], three[100], again[100];
  must_run(t);
  for (int k = 0; k < 8; k++) assert_int_equal(w.n_asked[k], k < 3 ? 2 * 100 : 0);
  if (sdn_trainer_row_gains(t, t->state.best, SDN_SPLIT_VALIDATION, 1, one, &err) || sdn_trainer_row_gains(t, t->state.best, SDN_SPLIT_VALIDATION, 3, three, &err) ||
      sdn_trainer_row_gains(t, t->state.best, SDN_SPLIT_VALIDATION, 3, again, &err))
    fail_msg("%s", err.text);
  assert_memory_equal(three, again, sizeof three);
  assert_true(memcmp(one, three, sizeof one) != 0);
  double mean = 0;
  for (int i = 0; i < 100; i++) mean += three[i] / 100;
  assert_true(fabs(mean - t->state.best_gain) <= 1e-9);
  sdn_trainer_free(t);
}

static void unknown_optimiser(void **state)
{
  (void)state;
  sdn_optimiser o;
  sdn_err err;
  assert_int_equal(sdn_optimiser_find("muon", &o, &err), SDN_OK);
  assert_int_equal(o, SDN_MUON);
  assert_int_equal(sdn_optimiser_find("adamw", &o, &err), SDN_OK);
  assert_int_equal(o, SDN_ADAMW);
  assert_int_equal(sdn_optimiser_find("sgd", &o, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "muon"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(adam_follows_its_definition), cmocka_unit_test(parts_are_summed_in_order), cmocka_unit_test(same_bits_for_any_number_of_threads),
    cmocka_unit_test(a_stopped_training_goes_on_exactly), cmocka_unit_test(training_recovers_from_a_bad_step),
    cmocka_unit_test(training_gives_up_with_a_sentence), cmocka_unit_test(patience_lets_the_rate_fall),
    cmocka_unit_test(patience_keeps_to_the_plan), cmocka_unit_test(noise_is_no_gain), cmocka_unit_test(validation_noise_is_fixed),
    cmocka_unit_test(unknown_optimiser)};
  return cmocka_run_group_tests_name("optimiser", tests, NULL, NULL);
}
