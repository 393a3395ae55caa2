/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tuning that is stopped, killed, shared, given a foreign or corrupt study, or a full disk. What comes of a study must be what one process that was left alone
 * makes of it: to the last bit, because trials are named by seed and number. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/h5.h"
#include "learn/study.h"
#include "support/learn_fixture.h"
#include "support/scratch.h"

#define N_TRIAL 6

static char library[1024], study[1024];

/* Small networks, two rungs of 1 and 3 epochs. */
static sdn_tune_options begin(const char *name)
{
  sdn_tune_options o;
  sdn_knob_defaults(sdn_tune_knobs, sdn_n_tune_knob, &o);
  snprintf(library, sizeof library, "%s", learn_library("tune.library.h5", 1500));
  snprintf(study, sizeof study, "%s", scratch_file(name));
  o.library = library;
  o.study = study;
  o.search = "n_layer=1,2 n_hidden=8,16 n_bin=4,8 n_bin_first=4,8 n_context=8,16 n_encoder=16,32 batch=64,128 warm_up=5 head=spline n_depth=1";
  o.n_trial = N_TRIAL;
  o.min_epoch = 1;
  o.max_epoch = 3;
  return o;
}

static sdn_tune_summary expect(const sdn_tune_options *o, const sdn_run *run, sdn_status status, const char *says)
{
  sdn_err err = {.status = SDN_OK};
  sdn_tune_summary s = {0};
  const sdn_run alone = {.n_thread = 1};
  const sdn_status got = sdn_tune(o, run ? run : &alone, &s, &err);
  if (got != status || (status && !strstr(err.text, says))) fail_msg("status %d (expected %d), '%s' is not in: %s", got, status, says, err.text);
  return s;
}

/* All that a study decided and measured, but for times; freed by free(). */
static char *outcome(const char *path)
{
  sdn_trials *t;
  sdn_err err;
  if (sdn_study_read(path, &t, &err)) fail_msg("%s", err.text);
  char *text = calloc(1, 1 << 16);
  size_t at = 0;
  for (int r = 0; r < t->halving.n_rung; r++)
    for (int i = 0; i < t->halving.n_trial; i++) {
      const sdn_training *g = sdn_training_of(t, i, r);
      at += (size_t)snprintf(text + at, (1 << 16) - at, "%d %d %d %.17g %.17g %ld %s\n", r, i, (int)t->halving.score[r * t->halving.n_trial + i].state, g->gain,
                             g->test_gain, g->n_weight, t->options[i]);
    }
  sdn_trials_free(t);
  return text;
}

/* Of one process that was left alone. */
static const char *undisturbed(void)
{
  static char *text;
  if (text) return text;
  const sdn_tune_options o = begin("alone.study");
  const sdn_tune_summary s = expect(&o, NULL, SDN_OK, "");
  assert_true(s.complete);
  assert_int_equal(s.n_done, s.n_training);
  assert_int_equal(s.n_mine, s.n_training);
  assert_true(s.best_gain >= s.default_gain);
  return text = outcome(study);
}

static void assert_undisturbed(void)
{
  char *text = outcome(study);
  assert_string_equal(text, undisturbed());
  free(text);
}

/* What `act` does when the training of the at-th part of the work is under way. */
typedef struct event { volatile int stop; double at; bool kills; } event;
static void watch(void *ctx, const char *what, double done, double total, const char *detail)
{
  event *e = ctx;
  (void)detail;
  if (strcmp(what, "tuning") != 0 || done / total < e->at) return;
  if (e->kills) raise(SIGKILL);
  e->stop = 1;
}

static void tune_in_child(const sdn_tune_options *o, event *e)
{
  const sdn_run run = {.n_thread = 1, .progress = watch, .progress_ctx = e, .stop = &e->stop};
  sdn_err err;
  sdn_tune_summary s;
  _exit(sdn_tune(o, &run, &s, &err) == SDN_OK ? 0 : 1);
}

static void stopped_and_gone_on_with(void **state)
{
  (void)state;
  undisturbed();
  const sdn_tune_options o = begin("stopped.study");
  for (double at = 0.1; at < 0.8; at += 0.3) {
    event e = {.at = at};
    const sdn_run run = {.n_thread = 1, .progress = watch, .progress_ctx = &e, .stop = &e.stop};
    expect(&o, &run, SDN_INTERRUPTED, "run again");
  }
  assert_true(expect(&o, NULL, SDN_OK, "").complete);
  assert_undisturbed();
  assert_int_equal(expect(&o, NULL, SDN_OK, "").n_mine, 0);
}

/* The claim of a killed process is taken over when it has been silent for long enough. */
static void killed_and_taken_over(void **state)
{
  (void)state;
  int status;
  undisturbed();
  sdn_tune_options o = begin("killed.study");
  event e = {.at = 0.3, .kills = true};
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child == 0) tune_in_child(&o, &e);
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
  char *left = outcome(study);
  assert_non_null(strstr(left, " 1 nan"));   /* SDN_TRAINING_RUNS, without a gain */
  free(left);
  o.abandon_seconds = 1;
  assert_true(expect(&o, NULL, SDN_OK, "").complete);
  assert_undisturbed();
}

static void several_processes(void **state)
{
  (void)state;
  enum { n = 3 };
  pid_t child[n];
  undisturbed();
  const sdn_tune_options o = begin("shared.study");
  for (int i = 0; i < n; i++) {
    event e = {.at = 2};
    if ((child[i] = fork()) == 0) tune_in_child(&o, &e);
    assert_true(child[i] > 0);
  }
  for (int i = 0; i < n; i++) {
    int status;
    assert_int_equal(waitpid(child[i], &status, 0), child[i]);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
  }
  assert_undisturbed();
}

/* A process that slept too long finds its claim taken and leaves the other's alone. */
static void a_lost_claim(void **state)
{
  (void)state;
  const sdn_tune_options o = begin("lost.study");
  sdn_search search;
  sdn_study *slow, *quick;
  sdn_err err;
  sdn_claim claim;
  int trial, rung, other, other_rung;
  bool held;
  const sdn_train_summary wrong = {.best_validation_ln_q = -7}, right = {.best_validation_ln_q = 3};
  assert_int_equal(sdn_search_parse(o.search, &search, &err), SDN_OK);
  const sdn_study_plan plan = {.library = library, .search = &search, .n_trial = 3, .min_epoch = 1, .max_epoch = 1};
  assert_int_equal(sdn_study_open(study, &plan, 0.05, &slow, &err), SDN_OK);
  assert_int_equal(sdn_study_open(study, &plan, 0.05, &quick, &err), SDN_OK);
  assert_int_equal(sdn_study_claim(slow, &claim, &trial, &rung, &err), SDN_OK);
  assert_int_equal(sdn_study_beat(slow, &held, &err), SDN_OK);
  assert_true(held);
  const struct timespec pause = {.tv_nsec = 100000000};
  nanosleep(&pause, NULL);
  assert_int_equal(sdn_study_claim(quick, &claim, &other, &other_rung, &err), SDN_OK);
  assert_true(claim == SDN_CLAIM_GOT && other == trial && other_rung == rung);
  assert_int_equal(sdn_study_beat(slow, &held, &err), SDN_OK);
  assert_false(held);
  assert_int_equal(sdn_study_finish(slow, &wrong, NULL, NULL, &err), SDN_OK);
  assert_int_equal(sdn_study_finish(quick, &right, NULL, NULL, &err), SDN_OK);
  sdn_trials *t;
  assert_int_equal(sdn_study_load(quick, &t, &err), SDN_OK);
  assert_true(sdn_training_of(t, trial, rung)->gain == 3);
  sdn_trials_free(t);
  sdn_study_close(slow);
  sdn_study_close(quick);
}

static void another_study(void **state)
{
  (void)state;
  sdn_tune_options o = begin("other.study");
  expect(&o, NULL, SDN_OK, "");
  sdn_tune_options other = o;
  other.n_trial = 7;
  expect(&other, NULL, SDN_USAGE, "its n_trial is 6, not 7");
  other = o;
  other.search = "n_layer=1,2,3";
  expect(&other, NULL, SDN_USAGE, "its search");
  other = o;
  other.seed = 2;
  expect(&other, NULL, SDN_USAGE, "its seed is 1, not 2");
  snprintf(library, sizeof library, "%s", learn_library("tune.library.h5", 1501));
  expect(&o, NULL, SDN_USAGE, "library_hash");
}

static void no_study_at_all(void **state)
{
  (void)state;
  sdn_tune_options o = begin("bad.study");
  sdn_db *db;
  sdn_err err;
  size_t n;
  scratch_write_text("bad.study", "these are not the trials of anybody, and more than a hundred bytes of text so that it might have been a header of a database.....\n");
  expect(&o, NULL, SDN_FORMAT, "no SQLite database");
  remove(study);
  assert_int_equal(sdn_db_open(study, 77, &db, &err), SDN_OK);
  assert_int_equal(sdn_db_do(db, &err, "CREATE TABLE mine (x)", ""), SDN_OK);
  sdn_db_close(db);
  expect(&o, NULL, SDN_FORMAT, "another program");
  remove(study);
  expect(&o, NULL, SDN_OK, "");
  unsigned char *bytes = scratch_read(study, &n);
  scratch_write("bad.study", bytes, n / 2);
  expect(&o, NULL, SDN_FORMAT, "corrupt");
  for (size_t i = 4096; i < n; i++) bytes[i] ^= 0x5a;      /* all pages but the first */
  scratch_write("bad.study", bytes, n);
  expect(&o, NULL, SDN_FORMAT, "corrupt");
  free(bytes);
}

static void wrong_contents(void **state)
{
  (void)state;
  static const char *const damage[] = {"UPDATE training SET rung = 99 WHERE trial = 1 AND rung = 0", "UPDATE training SET state = 'odd' WHERE trial = 1 AND rung = 0",
                                       "UPDATE training SET gain = NULL WHERE trial = 1 AND rung = 0", "DELETE FROM trial WHERE trial = 2"};
  const sdn_tune_options o = begin("damaged.study");
  for (size_t i = 0; i < sizeof damage / sizeof *damage; i++) {
    sdn_db *db;
    sdn_err err;
    remove(study);
    expect(&o, NULL, SDN_OK, "");
    assert_int_equal(sdn_db_open(study, SDN_STUDY_KIND, &db, &err), SDN_OK);
    assert_int_equal(sdn_db_do(db, &err, damage[i], ""), SDN_OK);
    sdn_db_close(db);
    expect(&o, NULL, SDN_FORMAT, "corrupt");
  }
}

static void full_disk(void **state)
{
  (void)state;
  const sdn_tune_options o = begin("full.study");
  scratch_limit_file_size(8192);
  expect(&o, NULL, SDN_IO, "full.study");
  scratch_limit_file_size(0);
  assert_true(expect(&o, NULL, SDN_OK, "").complete);
  assert_undisturbed();
}

/* A trial that failed is out, whatever its options, and its sentence stays. */
static void a_failed_trial_loses(void **state)
{
  (void)state;
  sdn_tune_options o = begin("failing.study");
  sdn_db *db;
  sdn_err err;
  sdn_trials *t;
  o.max_minutes = 1e-9;   /* makes the study, and begins nothing */
  assert_false(expect(&o, NULL, SDN_OK, "").complete);
  assert_int_equal(sdn_db_open(study, SDN_STUDY_KIND, &db, &err), SDN_OK);
  for (long trial = 0; trial < N_TRIAL - 2; trial++)
    assert_int_equal(sdn_db_do(db, &err, "INSERT INTO training (trial, rung, state, owner, heartbeat, started, note) VALUES (?1, 0, 'failed', '', 0, 0, 'it went astray')", "l",
                               trial), SDN_OK);
  sdn_db_close(db);
  o.max_minutes = 0;
  const sdn_tune_summary s = expect(&o, NULL, SDN_OK, "");
  assert_true(s.complete && s.best_trial >= N_TRIAL - 2 && !isfinite(s.default_gain));
  assert_int_equal(s.n_failed, N_TRIAL - 2);
  assert_int_equal(sdn_study_read(study, &t, &err), SDN_OK);
  for (int i = 0; i < N_TRIAL; i++) assert_true((t->halving.score[N_TRIAL + i].state == SDN_TRAINING_DONE) == (i >= N_TRIAL - 2));   /* two places, two that can */
  assert_string_equal(sdn_training_of(t, 1, 0)->note, "it went astray");
  sdn_trials_free(t);
}

/* Coordinates of 3e38, which no prior draws: every gradient overflows, and every training gives up. */
static void every_trial_fails(void **state)
{
  (void)state;
  const sdn_tune_options o = begin("hopeless.study");
  sdn_h5 *file;
  sdn_err err;
  float *z = malloc(sizeof *z * 1500 * LEARN_N_FREE);
  for (long i = 0; i < 1500 * LEARN_N_FREE; i++) z[i] = 3e38f;
  assert_int_equal(sdn_h5_open_update(library, &file, &err), SDN_OK);
  assert_int_equal(sdn_h5_write_rows(file, "z", SDN_H5_FLOAT, 0, 1500, z, &err), SDN_OK);
  assert_int_equal(sdn_h5_close(file, &err), SDN_OK);
  free(z);
  expect(&o, NULL, SDN_NUMERIC, "every trial failed, the default so: training diverged");
}

static void posterior_of_the_best(void **state)
{
  (void)state;
  char output[1024];
  sdn_tune_options o = begin("alone2.study");
  snprintf(output, sizeof output, "%s", scratch_file("best.h5"));
  o.output = output;
  sdn_tune_summary s = expect(&o, NULL, SDN_OK, "");
  assert_true(s.posterior_written && scratch_exists(output));
  assert_undisturbed();
  sdn_posterior *p;
  sdn_err err;
  assert_int_equal(sdn_posterior_open(output, &p, &err), SDN_OK);
  sdn_posterior_free(p);
  s = expect(&o, NULL, SDN_OK, "");
  assert_true(s.complete && !s.posterior_written);
  remove(output);
  assert_true(expect(&o, NULL, SDN_OK, "").posterior_written);
  assert_non_null(strstr(s.command, "sedna train"));
}

static void unusable_input(void **state)
{
  (void)state;
  sdn_tune_options o = begin("unused.study");
  o.study = library;
  expect(&o, NULL, SDN_USAGE, "also read");
  o = begin("unused.study");
  o.output = study;
  expect(&o, NULL, SDN_USAGE, "also read");
  o = begin("unused.study");
  o.study = "/nowhere/at/all.study";
  expect(&o, NULL, SDN_IO, "/nowhere/at/all");
  o = begin("unused.study");
  o.min_epoch = 4;
  expect(&o, NULL, SDN_USAGE, "min_epoch");
  o = begin("unused.study");
  o.search = "head=splime";
  expect(&o, NULL, SDN_USAGE, "splime");
  o = begin("unused.study");
  snprintf(library, sizeof library, "%s", learn_library("few.library.h5", 90));
  expect(&o, NULL, SDN_USAGE, "simulate more");
  assert_false(scratch_exists(study));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(stopped_and_gone_on_with), cmocka_unit_test(killed_and_taken_over), cmocka_unit_test(several_processes), cmocka_unit_test(a_lost_claim),
    cmocka_unit_test(another_study), cmocka_unit_test(no_study_at_all), cmocka_unit_test(wrong_contents), cmocka_unit_test(full_disk),
    cmocka_unit_test(a_failed_trial_loses), cmocka_unit_test(every_trial_fails), cmocka_unit_test(posterior_of_the_best), cmocka_unit_test(unusable_input)};
  return cmocka_run_group_tests_name("tune", tests, NULL, NULL);
}
