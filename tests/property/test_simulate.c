/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A library is a function of model, survey, n, seed and design alone: not of threads, interruptions, blocks or the clock. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/random.h"
#include "library/truth.h"
#include "support/simulate_fixture.h"

#define N 33000              /* 33 tiles: three groups, of other sizes with other numbers of threads, and a last tile that is not full */
#define N_SMALL 6000
#define N_FREE 4
#define N_BAND 3
#define FLUX_ERROR 2e-6f     /* relative: float32 sums in another grouping of galaxies */
#define N_SIGMA 4.5          /* standard errors that a correlation of independent draws may reach; 16 are looked at */

static void test_thread_count(void **state)
{
  (void)state;
  static const char *const design[] = {"sobol", "random"};
  simulate_fixture one, many;
  for (int d = 0; d < 2; d++) {
    simulate_begin(&one, "one.h5", N);
    one.options.design = design[d];
    simulate_must(&one, 1, NULL);
    for (int n_thread = 2; n_thread <= 5; n_thread += 3) {
      simulate_begin(&many, "many.h5", N);
      many.options.design = design[d];
      simulate_must(&many, n_thread, NULL);
      simulate_assert_same_file(one.output, many.output);
    }
  }
}

/* Two runs in different seconds: HDF5 would put the time into its object headers if it were let. */
static void test_clock(void **state)
{
  (void)state;
  simulate_fixture a, b;
  simulate_begin(&a, "a.h5", N_SMALL);
  simulate_begin(&b, "b.h5", N_SMALL);
  simulate_must(&a, 2, NULL);
  nanosleep(&(struct timespec){.tv_sec = 1, .tv_nsec = 100000000}, NULL);
  simulate_must(&b, 2, NULL);
  simulate_assert_same_file(a.output, b.output);
}

typedef struct stopper { int stop, n_report, after; } stopper;

static void stop_after(void *ctx, const char *what, double done, double total, const char *detail)
{
  stopper *s = ctx;
  (void)what, (void)detail;
  assert_true(done > 0 && done <= total);
  if (++s->n_report == s->after) s->stop = 1;
}

/* Stopped once or more, and gone on with: the same bytes, and nothing computed twice. */
static void test_stop_and_resume(void **state)
{
  (void)state;
  simulate_fixture whole, stopped;
  sdn_simulate_summary summary;
  sdn_err err;
  simulate_begin(&whole, "whole.h5", N);
  simulate_must(&whole, 2, NULL);
  simulate_begin(&stopped, "stopped.h5", N);
  for (int k = 0; k < 2; k++) {
    stopper s = {.after = 1};
    const sdn_run run = {.n_thread = 2, .command = "test", .stop = &s.stop, .progress = stop_after, .progress_ctx = &s};
    assert_int_equal(sdn_simulate(&stopped.options, &run, &summary, &err), SDN_INTERRUPTED);
    assert_non_null(strstr(err.text, "stopped.h5.part"));
    assert_false(sdn_file_exists(stopped.output));
    assert_true(sdn_file_exists(stopped.part));
  }
  simulate_must(&stopped, 1, &summary);
  assert_int_equal(summary.n, N);
  assert_int_equal(summary.n_resumed, 2 * 16 * SDN_TRUTH_TILE);   /* two groups of 16 tiles */
  assert_false(sdn_file_exists(stopped.part));
  simulate_assert_same_file(whole.output, stopped.output);
}

/* A stop before the first galaxy is done leaves nothing wrong either. */
static void test_stop_at_once(void **state)
{
  (void)state;
  simulate_fixture f;
  sdn_simulate_summary summary;
  sdn_err err;
  const int stop = 1;
  simulate_begin(&f, "at_once.h5", N_SMALL);
  const sdn_run run = {.stop = &stop, .command = "test"};
  assert_int_equal(sdn_simulate(&f.options, &run, &summary, &err), SDN_INTERRUPTED);
  simulate_must(&f, 2, &summary);
  assert_int_equal(summary.n_resumed, 0);
}

static void test_seeds_differ(void **state)
{
  (void)state;
  simulate_fixture a, b;
  static float flux[2][100 * N_BAND];
  sdn_err err;
  sdn_library *lib;
  simulate_begin(&a, "a.h5", N_SMALL);
  simulate_begin(&b, "b.h5", N_SMALL);
  b.options.seed = 8;
  simulate_must(&a, 2, NULL);
  simulate_must(&b, 2, NULL);
  for (int i = 0; i < 2; i++) {
    assert_int_equal(sdn_library_open(i ? b.output : a.output, &lib, &err), SDN_OK);
    assert_int_equal(sdn_library_rows(lib, 0, 100, NULL, flux[i], &err), SDN_OK);
    sdn_library_close(lib);
  }
  for (int i = 0; i < 100 * N_BAND; i++) assert_true(flux[0][i] != flux[1][i]);
}

/* ------------------------------------------------------------------ sdn_draw_truth */

typedef struct scene { sdn_model *model; sdn_forward *forward; sdn_truth_source source; } scene;

static void begin_scene(scene *s, bool sobol)
{
  static const char *const filters[] = {"Subaru/HSC.g", "Subaru/HSC.i", "Subaru/HSC.y"};
  sdn_err err;
  if (sdn_model_parse(simulate_model_yaml, "test", &s->model, &err)) fail_msg("%s", err.text);
  if (sdn_forward_new(s->model, N_BAND, filters, &s->forward, &err)) fail_msg("%s", err.text);
  s->source = (sdn_truth_source){.prior = sdn_model_prior(s->model), .forward = s->forward, .seed = 7, .stream = SDN_STREAM_DESIGN, .sobol = sobol};
}

static void end_scene(scene *s)
{
  sdn_forward_free(s->forward);
  sdn_model_free(s->model);
}

typedef struct draws { float *z, *flux; double *params, *derived; } draws;

static draws draw(const scene *s, long row0, long n)
{
  sdn_err err;
  draws d = {.z = calloc((size_t)n * N_FREE, sizeof *d.z), .flux = calloc((size_t)n * N_BAND, sizeof *d.flux),
             .params = calloc((size_t)(n * sdn_prior_n_param(s->source.prior)), sizeof *d.params),
             .derived = calloc((size_t)(n * sdn_forward_n_derived_sfh(s->forward)), sizeof *d.derived)};
  assert_true(d.z && d.flux && d.params && d.derived);
  const sdn_truth out = {.z = d.z, .params = d.params, .flux_nJy = d.flux, .derived = d.derived};
  if (sdn_draw_truth(&s->source, row0, n, &out, NULL, &err)) fail_msg("%s", err.text);
  return d;
}

static void free_draws(draws *d)
{
  free(d->z);
  free(d->flux);
  free(d->params);
  free(d->derived);
}

/* Any block of the sequence is what it is within a longer one: parameters to the bit, fluxes to rounding, and to the bit for whole tiles. */
static void test_blocks(void **state)
{
  (void)state;
  scene s;
  for (int sobol = 0; sobol < 2; sobol++) {
    begin_scene(&s, sobol);
    const int n_param = sdn_prior_n_param(s.source.prior), n_derived = sdn_forward_n_derived_sfh(s.forward);
    draws all = draw(&s, 0, 4 * SDN_TRUTH_TILE), tile = draw(&s, 2 * SDN_TRUTH_TILE, SDN_TRUTH_TILE), part = draw(&s, 1000, 1500);
    assert_memory_equal(tile.z, all.z + 2 * SDN_TRUTH_TILE * N_FREE, SDN_TRUTH_TILE * N_FREE * sizeof(float));
    assert_memory_equal(tile.flux, all.flux + 2 * SDN_TRUTH_TILE * N_BAND, SDN_TRUTH_TILE * N_BAND * sizeof(float));
    assert_memory_equal(part.z, all.z + 1000 * N_FREE, 1500 * N_FREE * sizeof(float));
    assert_memory_equal(part.params, all.params + 1000 * n_param, (size_t)(1500 * n_param) * sizeof(double));
    assert_memory_equal(part.derived, all.derived + 1000 * n_derived, (size_t)(1500 * n_derived) * sizeof(double));
    for (int i = 0; i < 1500 * N_BAND; i++) {
      const float expected = all.flux[1000 * N_BAND + i];
      assert_true(fabsf(part.flux[i] - expected) <= FLUX_ERROR * expected);
    }
    free_draws(&all);
    free_draws(&tile);
    free_draws(&part);
    end_scene(&s);
  }
}

/* Galaxies of two streams of the random design have nothing to do with one another, row by row and axis by axis. */
static void test_random_streams(void **state)
{
  (void)state;
  scene s;
  const long n = 8192;
  begin_scene(&s, false);
  draws a = draw(&s, 0, n);
  s.source.stream = SDN_STREAM_CHECK;
  draws b = draw(&s, 0, n);
  for (int i = 0; i < N_FREE; i++)
    for (int j = 0; j < N_FREE; j++) {
      double sum = 0;
      for (long r = 0; r < n; r++) sum += (double)a.z[r * N_FREE + i] * (double)b.z[r * N_FREE + j];
      assert_true(fabs(sum) < N_SIGMA * sqrt((double)n));
    }
  free_draws(&a);
  free_draws(&b);
  end_scene(&s);
}

/* Streams and seeds of the sobol design have no point in common. */
static void test_sobol_streams(void **state)
{
  (void)state;
  scene s;
  const long n = 1024;
  begin_scene(&s, true);
  draws d[3] = {draw(&s, 0, n)};
  s.source.stream = SDN_STREAM_CHECK;
  d[1] = draw(&s, 0, n);
  s.source.seed++;
  d[2] = draw(&s, 0, n);
  for (int a = 0; a < 3; a++)
    for (int b = 0; b < a; b++)
      for (long i = 0; i < n; i++)
        for (long j = 0; j < n; j++) assert_memory_not_equal(d[a].z + i * N_FREE, d[b].z + j * N_FREE, N_FREE * sizeof(float));
  for (int a = 0; a < 3; a++) free_draws(&d[a]);
  end_scene(&s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_thread_count), cmocka_unit_test(test_clock),  cmocka_unit_test(test_stop_and_resume), cmocka_unit_test(test_stop_at_once),
    cmocka_unit_test(test_seeds_differ), cmocka_unit_test(test_blocks), cmocka_unit_test(test_random_streams),
    cmocka_unit_test(test_sobol_streams),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
