/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A library that does not fit in memory gives the same rows as one that does: trusted are the file's own rows, each of which has another z. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "learn/rows.h"
#include "support/learn_fixture.h"
#include "support/scratch.h"

#define N 4000
#define SMALL_GB 4e-5        /* the 4000 rows take 1.4e-4; beside 400 rows held out and a batch they leave a window of some 280 */
#define N_FEATURE_MAX 64

static char library[1024];

static void must(sdn_status status, const sdn_err *err)
{
  if (status) fail_msg("%s", err->text);
}

static sdn_train_options options_of(double memory_gb, long batch)
{
  sdn_train_options o;
  if (!library[0]) snprintf(library, sizeof library, "%s", learn_library("stream.library.h5", N));
  o = learn_options(library, scratch_file("stream.posterior.h5"), 1);
  o.memory_gb = memory_gb;
  o.batch = batch;
  return o;
}

static void open_with(double memory_gb, long batch, sdn_rows *r)
{
  sdn_err err;
  const sdn_train_options o = options_of(memory_gb, batch);
  must(sdn_rows_open(&o, NULL, r, &err), &err);
}

/* n <= SDN_ROWS rows of a split from `place` on. */
static void take(const sdn_row_source *s, sdn_split split, long epoch, long place, long n, float *x, float *z)
{
  sdn_err err;
  long row[SDN_ROWS];
  for (long i = 0; i < n; i++) row[i] = place + i;
  const sdn_row_range range = {.split = split, .epoch = epoch, .place = place, .n = n, .row = row};
  sdn_arena *arena = sdn_arena_new(&err);
  must(s->fill(s->ctx, &range, x, z, arena, &err), &err);
  sdn_arena_free(arena);
}

/* First coordinates of an epoch's rows, in its order: every batch is prepared as the trainer does. [N] */
static void epoch_of(const sdn_row_source *s, long epoch, long batch, float *first)
{
  sdn_err err;
  float x[SDN_ROWS * N_FEATURE_MAX], z[SDN_ROWS * LEARN_N_FREE];
  const long n = s->n[SDN_SPLIT_TRAIN];
  for (long place = 0; place < n; place += batch) {
    const long m = n - place < batch ? n - place : batch;
    must(s->prepare(s->ctx, epoch, place, m, &err), &err);
    for (long at = 0; at < m; at += SDN_ROWS) {
      const long k = m - at < SDN_ROWS ? m - at : SDN_ROWS;
      take(s, SDN_SPLIT_TRAIN, epoch, place + at, k, x, z);
      for (long i = 0; i < k; i++) first[place + at + i] = z[i * LEARN_N_FREE];
    }
  }
}

static int by_value(const void *a, const void *b)
{
  const float p = *(const float *)a, q = *(const float *)b;
  return (p > q) - (p < q);
}

/* Held-out rows and their noise have the same bits as in memory, and so has what recognises the library. */
static void held_out_rows_are_those_in_memory(void **state)
{
  (void)state;
  sdn_rows whole, part;
  open_with(0, 256, &whole);
  open_with(SMALL_GB, 256, &part);
  assert_null(whole.stream);
  assert_int_equal(whole.n_window, 0);
  assert_non_null(part.stream);
  assert_true(part.n_window >= 64 && part.n_window < N / 4);
  assert_true(whole.hash == part.hash);
  const sdn_row_source a = sdn_rows_source(&whole, 3), b = sdn_rows_source(&part, 3);
  assert_memory_equal(a.n, b.n, sizeof a.n);
  for (sdn_split split = SDN_SPLIT_VALIDATION; split <= SDN_SPLIT_TEST; split++)
    for (long place = 0; place + SDN_ROWS <= a.n[split]; place += SDN_ROWS) {
      float x[2][SDN_ROWS * N_FEATURE_MAX], z[2][SDN_ROWS * LEARN_N_FREE];
      take(&a, split, 1, place, SDN_ROWS, x[0], z[0]);
      take(&b, split, 1, place, SDN_ROWS, x[1], z[1]);
      assert_memory_equal(z[0], z[1], sizeof z[0]);
      assert_memory_equal(x[0], x[1], sizeof(float) * SDN_ROWS * (size_t)whole.n_feature);
    }
  sdn_rows_close(&whole);
  sdn_rows_close(&part);
}

/* Every training row once in an epoch, none that is held out; another order in the next epoch and for another seed, well mixed. */
static void an_epoch_has_every_row_once(void **state)
{
  (void)state;
  static float got[3][N], should[N];
  static const struct { double gb; long batch; } cases[] = {{SMALL_GB, 256}, {2.8e-5, 16}, {4.5e-5, 512}};   /* the windows of the second and third hold some 140 and 160 rows: less than a batch of the third */
  sdn_rows whole, part;
  open_with(0, 256, &whole);
  const long n = whole.n_split[SDN_SPLIT_TRAIN], first = whole.first[SDN_SPLIT_TRAIN];
  for (long i = 0; i < n; i++) should[i] = whole.z[whole.order[first + i] * LEARN_N_FREE];
  qsort(should, (size_t)n, sizeof *should, by_value);
  for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
    open_with(cases[c].gb, cases[c].batch, &part);
    sdn_row_source s = sdn_rows_source(&part, 3);
    epoch_of(&s, 0, cases[c].batch, got[0]);
    epoch_of(&s, 1, cases[c].batch, got[1]);
    s = sdn_rows_source(&part, 4);
    epoch_of(&s, 0, cases[c].batch, got[2]);
    long same[2] = {0};
    for (long i = 0; i < n; i++) {
      same[0] += got[0][i] == got[1][i];
      same[1] += got[0][i] == got[2][i];
    }
    assert_true(same[0] < 20 && same[1] < 20);   /* of 3600: one is expected, more than 20 never happen */
    for (int k = 0; k < 3; k++) {
      qsort(got[k], (size_t)n, sizeof *should, by_value);
      assert_memory_equal(got[k], should, (size_t)n * sizeof *should);
    }
    sdn_rows_close(&part);
  }
  sdn_rows_close(&whole);
}

/* What a place holds does not depend on what was asked for before: resuming begins in the middle. Batches that straddle windows are met on the way. */
static void a_place_always_has_the_same_row(void **state)
{
  (void)state;
  static float in_turn[N];
  static const long places[] = {3300, 17, 500, 1600, 540, 560, 1100, 0, 3599};
  float x[SDN_ROWS * N_FEATURE_MAX], z[SDN_ROWS * LEARN_N_FREE];
  sdn_rows r;
  sdn_err err;
  open_with(SMALL_GB, 256, &r);
  const sdn_row_source s = sdn_rows_source(&r, 3);
  epoch_of(&s, 2, 256, in_turn);
  for (size_t p = 0; p < sizeof places / sizeof *places; p++) {
    const long left = s.n[SDN_SPLIT_TRAIN] - places[p], n = left < SDN_ROWS ? left : SDN_ROWS;
    must(s.prepare(s.ctx, 1, 100, 256, &err), &err);
    must(s.prepare(s.ctx, 2, places[p], n, &err), &err);
    take(&s, SDN_SPLIT_TRAIN, 2, places[p], n, x, z);
    for (long i = 0; i < n; i++) assert_true(z[i * LEARN_N_FREE] == in_turn[places[p] + i]);
  }
  sdn_rows_close(&r);
}

static double train_with(double memory_gb, int n_thread, const char *output)
{
  sdn_err err;
  sdn_train_summary s;
  sdn_train_options o = options_of(memory_gb, 256);
  const sdn_run run = {.n_thread = n_thread};
  o.n_epoch = 12;
  o.output = output;
  must(sdn_train(&o, &run, &s, &err), &err);
  assert_true(memory_gb > 0 ? s.n_window > 0 : s.n_window == 0);
  return s.test_ln_q;
}

/* 0.1 nat of 3.9: twice what the order of rows was seen to make in so short a training. */
static void learns_as_well_with_any_number_of_threads(void **state)
{
  (void)state;
  const double whole = train_with(0, 1, scratch_file("whole.h5")), one = train_with(SMALL_GB, 1, scratch_file("one.h5"));
  const double two = train_with(SMALL_GB, 2, scratch_file("two.h5"));
  print_message("in memory %.4f, streamed %.4f nats\n", whole, one);
  assert_true(one == two);
  assert_true(one > whole - 0.1 && one < whole + 0.1);
}

/* Above 2^20 galaxies: pairs of neighbours go together, fractions are of 2^20, every row is in one split, and a stream holds out the same. */
static void split_of_a_large_library(void **state)
{
  (void)state;
  const long n = (1L << 20) + 5, n_held = 52429 + 1;   /* 0.05 of 2^20, rounded up to whole pairs */
  sdn_rows whole, part;
  sdn_err err;
  sdn_train_options o = options_of(0, 256);
  o.library = learn_library("large.library.h5", n);
  must(sdn_rows_open(&o, NULL, &whole, &err), &err);
  assert_int_equal(whole.n_split[SDN_SPLIT_TRAIN] + whole.n_split[SDN_SPLIT_VALIDATION] + whole.n_split[SDN_SPLIT_TEST], n);
  for (sdn_split split = SDN_SPLIT_VALIDATION; split <= SDN_SPLIT_TEST; split++) assert_in_range(whole.n_split[split], n_held - 1, n_held);   /* the last row has no neighbour */
  unsigned char *seen = calloc((size_t)n, 1);
  for (long i = 0; i < n; i++) seen[whole.order[i]] = i < whole.first[SDN_SPLIT_VALIDATION] ? 1 : i < whole.first[SDN_SPLIT_TRAIN] ? 2 : 3;
  for (long i = 0; i < n; i++) assert_true(seen[i] >= 1 && seen[i] <= 3 && (i % 2 == 0 || seen[i] == seen[i - 1]));
  o.memory_gb = 0.012;
  must(sdn_rows_open(&o, NULL, &part, &err), &err);
  assert_non_null(part.stream);
  assert_true(part.hash == whole.hash);
  assert_memory_equal(part.n_split, whole.n_split, sizeof part.n_split);
  for (long i = 0; i < part.first[SDN_SPLIT_TRAIN]; i++)
    assert_memory_equal(part.z + i * LEARN_N_FREE, whole.z + whole.order[i] * LEARN_N_FREE, LEARN_N_FREE * sizeof(float));
  free(seen);
  sdn_rows_close(&whole);
  sdn_rows_close(&part);
}

static void too_little_memory(void **state)
{
  (void)state;
  sdn_rows r;
  sdn_err err;
  sdn_train_options o = options_of(2e-5, 256);
  assert_int_equal(sdn_rows_open(&o, NULL, &r, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "memory_gb"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(held_out_rows_are_those_in_memory), cmocka_unit_test(an_epoch_has_every_row_once),
                                     cmocka_unit_test(a_place_always_has_the_same_row), cmocka_unit_test(learns_as_well_with_any_number_of_threads),
                                     cmocka_unit_test(split_of_a_large_library), cmocka_unit_test(too_little_memory)};
  return cmocka_run_group_tests_name("stream", tests, NULL, NULL);
}
