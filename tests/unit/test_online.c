/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training without a library: the rows are those of the model as sdn_draw_truth gives them, new ones in time, and nothing depends on threads or on a stop. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/h5.h"
#include "base/random.h"
#include "learn/posterior.h"
#include "learn/rows.h"
#include "library/library_file.h"
#include "support/learn_fixture.h"
#include "support/scratch.h"
#include "support/simulate_fixture.h"

#define N_ONLINE 1500
#define N_MANY 33500      /* more than are simulated in one go */
#define N_FREE 4
#define N_BAND 3

static simulate_fixture files;

static void must(sdn_status status, const sdn_err *err)
{
  if (status) fail_msg("%s", err->text);
}

static sdn_train_options options_of(const char *output, long n_epoch)
{
  if (!files.model[0]) simulate_begin(&files, "online.library.h5", 300);
  sdn_train_options o = learn_options(NULL, scratch_file(output), n_epoch);
  o.model = files.model;
  o.survey = files.survey;
  o.n_online = N_ONLINE;
  o.n_reuse = n_epoch > 1 ? 25 : 3;
  return o;
}

static sdn_status train(const sdn_train_options *o, const sdn_run *run, sdn_err *err)
{
  sdn_train_summary s;
  return sdn_train(o, run, &s, err);
}

/* Galaxies in memory in an epoch: z [N_ONLINE][N_FREE]. */
static const float *galaxies(sdn_rows *r, const sdn_row_source *s, long epoch)
{
  sdn_err err;
  must(s->prepare(s->ctx, epoch, 256, 256, &err), &err);
  return r->z + r->first[SDN_SPLIT_TRAIN] * N_FREE;
}

static void galaxies_are_replaced_in_time(void **state)
{
  (void)state;
  static float generation[2][N_ONLINE * N_FREE];
  sdn_rows r;
  sdn_err err;
  const sdn_train_options o = options_of("online.h5", 1);
  const sdn_run run = {.n_thread = 3};
  must(sdn_rows_open(&o, &run, &r, &err), &err);
  const size_t held = (size_t)r.first[SDN_SPLIT_TRAIN] * N_FREE;
  float *kept = malloc(held * sizeof *kept);
  memcpy(kept, r.z, held * sizeof *kept);
  sdn_row_source s = sdn_rows_source(&r, r.seed);   /* as the first network has it */
  assert_int_equal(s.n[SDN_SPLIT_TRAIN], N_ONLINE);
  for (int g = 0; g < 2; g++) memcpy(generation[g], galaxies(&r, &s, 3 * g), sizeof generation[g]);
  for (long epoch = 5; epoch >= 0; epoch--) assert_memory_equal(galaxies(&r, &s, epoch), generation[epoch / 3], sizeof generation[0]);
  s = sdn_rows_source(&r, 10);   /* another member of an ensemble */
  assert_memory_not_equal(galaxies(&r, &s, 0), generation[0], sizeof generation[0]);
  assert_memory_equal(kept, r.z, held * sizeof *kept);
  for (size_t i = 0; i < held; i += N_FREE)   /* no galaxy twice */
    for (size_t k = 0; k < N_ONLINE * N_FREE; k += N_FREE)
      assert_false(!memcmp(kept + i, generation[0] + k, N_FREE * sizeof *kept) || !memcmp(generation[1] + k, generation[0] + k, N_FREE * sizeof *kept));
  free(kept);
  sdn_rows_close(&r);
}

/* A file that sedna simulate makes of the same model says the same of itself, and galaxy by galaxy has the same fluxes (the same stream, asked for here). */
static void is_what_a_library_would_be(void **state)
{
  (void)state;
  static float z[2][300 * N_FREE], flux[2][300 * N_BAND], many_z[N_MANY * N_FREE], many_flux[N_MANY * N_BAND];
  sdn_library *file, *fresh;
  sdn_err err;
  options_of("online.h5", 1);
  simulate_must(&files, 2, NULL);
  must(sdn_library_open(files.output, &file, &err), &err);
  must(sdn_library_simulated(files.model, files.survey, &fresh, &err), &err);
  assert_string_equal(sdn_library_model_yaml(file), sdn_library_model_yaml(fresh));
  assert_string_equal(sdn_library_survey_yaml(file), sdn_library_survey_yaml(fresh));
  assert_string_equal(sdn_library_physics_hash(file), sdn_library_physics_hash(fresh));
  assert_int_equal(sdn_library_n_band(fresh), N_BAND);
  assert_int_equal(sdn_library_n_free(fresh), sdn_library_n_free(file));
  for (int i = 0; i < N_FREE; i++) {
    assert_string_equal(sdn_library_free_name(file, i), sdn_library_free_name(fresh, i));
    assert_string_equal(sdn_library_free_unit(file, i), sdn_library_free_unit(fresh, i));
  }
  must(sdn_library_rows(file, 0, 300, z[0], flux[0], &err), &err);
  must(sdn_library_draw(fresh, (uint64_t)files.options.seed, SDN_STREAM_DESIGN, 0, 300, z[1], flux[1], NULL, &err), &err);
  assert_memory_equal(z[0], z[1], sizeof z[0]);
  assert_memory_equal(flux[0], flux[1], sizeof flux[0]);
  must(sdn_library_draw(fresh, 5, SDN_STREAM_ONLINE, 1000, N_MANY, many_z, many_flux, NULL, &err), &err);   /* in more than one go */
  must(sdn_library_draw(fresh, 5, SDN_STREAM_ONLINE, 1000 + N_MANY - 300, 300, z[1], flux[1], NULL, &err), &err);
  assert_memory_equal(z[1], many_z + (N_MANY - 300) * N_FREE, sizeof z[1]);
  for (size_t i = 0; i < 300 * N_BAND; i++)   /* float32 sums in another grouping of galaxies */
    assert_true(fabsf(flux[1][i] - many_flux[(N_MANY - 300) * N_BAND + i]) <= 2e-6f * flux[1][i]);
  sdn_library_close(file);
  sdn_library_close(fresh);
}

typedef struct stopper { volatile int stop; double at; } stopper;
static void watch(void *ctx, const char *what, double done, double total, const char *detail)
{
  stopper *s = ctx;
  if (detail && !strcmp(what, "training") && done / total >= s->at) s->stop = 1;
}

static void assert_same_network(const char *one, const char *other)
{
  float *w[2];
  sdn_h5_shape shape[2];
  for (int k = 0; k < 2; k++) {
    sdn_h5 *f;
    sdn_err err;
    must(sdn_h5_open(k ? other : one, &f, &err), &err);
    must(sdn_h5_read_float(f, "member0/context", &w[k], &shape[k], &err), &err);
    must(sdn_h5_close(f, &err), &err);
  }
  assert_int_equal(shape[0].dim[0], shape[1].dim[0]);
  assert_memory_equal(w[0], w[1], (size_t)(shape[0].dim[0] * shape[0].dim[1]) * sizeof *w[0]);
  sdn_release(w[0]);
  sdn_release(w[1]);
}

/* Sixty epochs are three generations; the stop lies in the second or the third. What is written can be used as any posterior. */
static void stopped_and_resumed_with_other_threads(void **state)
{
  (void)state;
  char whole[1024];
  sdn_err err;
  sdn_posterior *p;
  sdn_library *fresh;
  sdn_train_options o = options_of("online.whole.h5", 60);
  const sdn_run one = {.n_thread = 1}, three = {.n_thread = 3};
  snprintf(whole, sizeof whole, "%s", o.output);
  o.output = whole;
  must(train(&o, &one, &err), &err);
  o.output = options_of("online.stopped.h5", 60).output;
  stopper s = {.at = 0.45};
  const sdn_run stopping = {.n_thread = 3, .stop = &s.stop, .progress = watch, .progress_ctx = &s};
  assert_int_equal(train(&o, &stopping, &err), SDN_INTERRUPTED);
  o.resume = true;
  o.n_reuse = 2;
  assert_int_equal(train(&o, &three, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "n_reuse=25"));
  o.n_reuse = 25;
  must(train(&o, &three, &err), &err);
  assert_same_network(whole, o.output);
  must(sdn_posterior_open(o.output, &p, &err), &err);
  must(sdn_library_simulated(files.model, files.survey, &fresh, &err), &err);
  assert_string_equal(sdn_posterior_model_yaml(p), sdn_library_model_yaml(fresh));
  assert_string_equal(sdn_posterior_physics_hash(p), sdn_library_physics_hash(fresh));
  sdn_library_close(fresh);
  sdn_posterior_free(p);
}

/* The checkpoint of one model is not gone on with for another. */
static void changed_model(void **state)
{
  (void)state;
  sdn_err err;
  size_t n;
  sdn_train_options o = options_of("online.changed.h5", 60);
  stopper s = {.at = 0.3};
  const sdn_run stopping = {.n_thread = 1, .stop = &s.stop, .progress = watch, .progress_ctx = &s};
  assert_int_equal(train(&o, &stopping, &err), SDN_INTERRUPTED);
  unsigned char *text = scratch_read(files.survey, &n);
  char *longer = malloc(n + 16);
  memcpy(longer, text, n);
  strcpy(longer + n, "# changed\n");
  o.survey = scratch_write_text("changed.survey.yaml", longer);
  o.output = options_of("online.changed.h5", 60).output;
  o.resume = true;
  assert_int_equal(train(&o, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "library_hash"));
  free(text);
  free(longer);
}

static void what_does_not_go_together(void **state)
{
  (void)state;
  sdn_err err;
  sdn_train_options o = options_of("online.h5", 1);
  o.survey = NULL;
  assert_int_equal(train(&o, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "survey"));
  o = options_of("online.h5", 1);
  o.library = "library.h5";
  assert_int_equal(train(&o, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "library"));
  o = options_of("online.h5", 1);
  o.output = files.model;
  assert_int_equal(train(&o, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "also read"));
  o = options_of("online.h5", 1);
  o.model = "no_such_model";
  assert_int_equal(train(&o, NULL, &err), SDN_USAGE);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(galaxies_are_replaced_in_time), cmocka_unit_test(is_what_a_library_would_be),
                                     cmocka_unit_test(stopped_and_resumed_with_other_threads), cmocka_unit_test(changed_model),
                                     cmocka_unit_test(what_does_not_go_together)};
  return cmocka_run_group_tests_name("online", tests, NULL, NULL);
}
