/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training that cannot go well: a sentence with its remedy, and neither a half file nor a lost one; what was stopped goes on. */
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/h5.h"
#include "support/learn_fixture.h"
#include "support/scratch.h"

const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

static char library[1024], output[1024], checkpoint[1040];

static void begin(const char *name, long n)
{
  snprintf(library, sizeof library, "%s", learn_library("train.library.h5", n));
  snprintf(output, sizeof output, "%s", scratch_file(name));
  snprintf(checkpoint, sizeof checkpoint, "%s.checkpoint", output);
}

static void expect(const sdn_train_options *o, const sdn_run *run, sdn_status status, const char *says)
{
  sdn_err err = {.status = SDN_OK};
  sdn_train_summary s;
  const sdn_run alone = {.n_thread = 1};
  const sdn_status got = sdn_train(o, run ? run : &alone, &s, &err);
  if (got != status || (status && !strstr(err.text, says))) fail_msg("status %d (expected %d), '%s' is not in: %s", got, status, says, err.text);
}

static void unusable_input(void **state)
{
  (void)state;
  begin("bad.h5", 90);
  sdn_train_options o = learn_options(library, output, 2);
  expect(&o, NULL, SDN_USAGE, "simulate more");
  o.library = scratch_file("nothing.h5");
  expect(&o, NULL, SDN_IO, "nothing.h5");
  o.library = scratch_write_text("text.h5", "no library\n");
  expect(&o, NULL, SDN_FORMAT, "text.h5");
  o.library = NULL;
  expect(&o, NULL, SDN_USAGE, "library");
  begin("bad.h5", 400);
  o = learn_options(library, "/nowhere/at/all/posterior.h5", 2);
  expect(&o, NULL, SDN_IO, "/nowhere/at/all");
  assert_false(scratch_exists(output));
}

static void options_out_of_range(void **state)
{
  (void)state;
  static const struct { const char *name, *text; } bad[] = {{"n_layer", "0"}, {"n_bin", "1"}, {"batch", "-1"}, {"learning_rate", "nan"}, {"ema", "1"}, {"n_epoch", "x"}};
  sdn_train_options o;
  sdn_err err;
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &o);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(sdn_knob_set(sdn_train_knobs, sdn_n_train_knob, &o, bad[i].name, bad[i].text, &err), SDN_USAGE);
    assert_non_null(strstr(err.text, bad[i].name));
  }
}

static void full_disk(void **state)
{
  (void)state;
  begin("full.h5", 1000);
  const sdn_train_options o = learn_options(library, output, 1);
  char part[1040];
  snprintf(part, sizeof part, "%s.part", output);
  scratch_limit_file_size(20000);
  expect(&o, NULL, SDN_IO, "full.h5");
  scratch_limit_file_size(0);
  assert_false(scratch_exists(output));
  assert_false(scratch_exists(part));
}

/* Stops when training has come `at` of the way. */
typedef struct stopper { volatile int stop; double at; } stopper;
static void watch(void *ctx, const char *what, double done, double total, const char *detail)
{
  stopper *s = ctx;
  (void)what;
  if (detail && done / total >= s->at) s->stop = 1;
}

static float *weights_of(const char *path, size_t *n)
{
  sdn_h5 *f;
  sdn_err err;
  sdn_h5_shape shape;
  float *w;
  assert_int_equal(sdn_h5_open(path, &f, &err), SDN_OK);
  assert_int_equal(sdn_h5_read_float(f, "member0/context", &w, &shape, &err), SDN_OK);
  assert_int_equal(sdn_h5_close(f, &err), SDN_OK);
  *n = (size_t)(shape.dim[0] * shape.dim[1]);
  return w;
}

static void assert_same_weights(const char *one, const char *other)
{
  size_t n, n_other;
  float *a = weights_of(one, &n), *b = weights_of(other, &n_other);
  assert_int_equal(n, n_other);
  assert_memory_equal(a, b, n * sizeof *a);
  sdn_release(a);
  sdn_release(b);
}

static void stopped_and_resumed(void **state)
{
  (void)state;
  char whole[1024];
  begin("whole.h5", 3000);
  strcpy(whole, output);
  sdn_train_options o = learn_options(library, whole, 60);
  expect(&o, NULL, SDN_OK, "");
  begin("stopped.h5", 3000);
  o = learn_options(library, output, 60);
  stopper s = {.at = 0.4};
  const sdn_run run = {.n_thread = 1, .stop = &s.stop, .progress = watch, .progress_ctx = &s};
  expect(&o, &run, SDN_INTERRUPTED, "--resume");
  assert_true(scratch_exists(checkpoint));
  assert_false(scratch_exists(output));
  sdn_train_options other = o;
  other.resume = true;
  other.batch = 128;
  expect(&other, NULL, SDN_USAGE, "batch=256");
  o.resume = true;
  expect(&o, NULL, SDN_OK, "");
  assert_false(scratch_exists(checkpoint));
  assert_same_weights(whole, output);
}

/* A checkpoint is neither overwritten by a run that begins anew, nor gone on with when the library's fluxes or its physics have changed. */
static void checkpoint_is_kept(void **state)
{
  (void)state;
  size_t n, n_after;
  sdn_h5 *file;
  sdn_err err;
  float flux[LEARN_N_BAND];
  begin("kept.h5", 3000);
  sdn_train_options o = learn_options(library, output, 60);
  stopper s = {.at = 0.3};
  const sdn_run run = {.n_thread = 1, .stop = &s.stop, .progress = watch, .progress_ctx = &s};
  expect(&o, &run, SDN_INTERRUPTED, "stopped");
  unsigned char *before = scratch_read(checkpoint, &n);
  expect(&o, NULL, SDN_USAGE, "--resume");
  o.resume = true;
  assert_int_equal(sdn_h5_open_update(library, &file, &err), SDN_OK);
  assert_int_equal(sdn_h5_read_rows(file, "flux_njy", SDN_H5_FLOAT, 5, 1, flux, &err), SDN_OK);
  flux[2] *= 1.01f;
  assert_int_equal(sdn_h5_write_rows(file, "flux_njy", SDN_H5_FLOAT, 5, 1, flux, &err), SDN_OK);
  assert_int_equal(sdn_h5_close(file, &err), SDN_OK);
  expect(&o, NULL, SDN_USAGE, "library_hash");
  begin("kept.h5", 3000);
  assert_int_equal(sdn_h5_open_update(library, &file, &err), SDN_OK);
  assert_int_equal(sdn_h5_set_text(file, "/", "physics_hash", "0123456789abcdee", &err), SDN_OK);
  assert_int_equal(sdn_h5_close(file, &err), SDN_OK);
  expect(&o, NULL, SDN_USAGE, "library_hash");
  unsigned char *after = scratch_read(checkpoint, &n_after);
  assert_int_equal(n, n_after);
  assert_memory_equal(before, after, n);
  free(before);
  free(after);
  begin("kept.h5", 3000);
  expect(&o, NULL, SDN_OK, "");
}

/* Rows take 36 bytes here, 300 rows are held out: a window holds some 300 of 2700. */
#define SMALL_GB 3.6e-5

static void streamed_stopped_and_resumed(void **state)
{
  (void)state;
  char whole[1024];
  sdn_h5 *file;
  sdn_err err;
  float flux[LEARN_N_BAND];
  begin("streamed.whole.h5", 3000);
  strcpy(whole, output);
  sdn_train_options o = learn_options(library, whole, 20);
  o.memory_gb = SMALL_GB;
  expect(&o, NULL, SDN_OK, "");
  begin("streamed.h5", 3000);
  o.library = library;
  o.output = output;
  stopper s = {.at = 0.43};
  const sdn_run run = {.n_thread = 1, .stop = &s.stop, .progress = watch, .progress_ctx = &s};
  expect(&o, &run, SDN_INTERRUPTED, "--resume");
  o.resume = true;
  o.memory_gb = 2 * SMALL_GB;   /* another window: another order */
  expect(&o, NULL, SDN_USAGE, "window=");
  o.memory_gb = SMALL_GB;
  assert_int_equal(sdn_h5_open_update(library, &file, &err), SDN_OK);
  assert_int_equal(sdn_h5_read_rows(file, "flux_njy", SDN_H5_FLOAT, 2999, 1, flux, &err), SDN_OK);
  flux[2] *= 1.01f;
  assert_int_equal(sdn_h5_write_rows(file, "flux_njy", SDN_H5_FLOAT, 2999, 1, flux, &err), SDN_OK);
  assert_int_equal(sdn_h5_close(file, &err), SDN_OK);
  expect(&o, NULL, SDN_USAGE, "library_hash");
  begin("streamed.h5", 3000);
  expect(&o, NULL, SDN_OK, "");
  assert_false(scratch_exists(checkpoint));
  assert_same_weights(whole, output);
}

/* A value that is not finite is named, whether it is held out or for training. */
static void streamed_from_a_damaged_library(void **state)
{
  (void)state;
  const float nan = (float)NAN;
  sdn_h5 *file;
  sdn_err err;
  float flux[LEARN_N_BAND] = {1, 2, 3, nan};
  begin("unwritten.h5", 3000);
  sdn_train_options o = learn_options(library, output, 2);
  o.memory_gb = SMALL_GB;
  assert_int_equal(sdn_h5_open_update(library, &file, &err), SDN_OK);
  assert_int_equal(sdn_h5_write_rows(file, "flux_njy", SDN_H5_FLOAT, 1234, 1, flux, &err), SDN_OK);
  assert_int_equal(sdn_h5_close(file, &err), SDN_OK);
  expect(&o, NULL, SDN_FORMAT, "row 1234");
  assert_false(scratch_exists(output));
  o.memory_gb = 1e-6;
  expect(&o, NULL, SDN_USAGE, "memory_gb must be");
}

static void input_is_not_replaced(void **state)
{
  (void)state;
  begin("unused.h5", 400);
  sdn_train_options o = learn_options(library, library, 1);
  expect(&o, NULL, SDN_USAGE, "also read");
  const char *prior = scratch_write_text("read.yaml", "parameters: {a: {prior: uniform, low: 0, high: 1}}\n");
  o = learn_options(library, prior, 1);
  o.prior = prior;
  expect(&o, NULL, SDN_USAGE, "also read");
}

/* SIGKILL when training has come `at` of the way. */
static void kill_oneself(void *ctx, const char *what, double done, double total, const char *detail)
{
  const double *at = ctx;
  (void)what;
  if (detail && done / total >= *at) raise(SIGKILL);
}

/* Stopped, gone on with and killed, more than once: the checkpoint of the stop stays good, and leads to the weights of a run left alone. */
static void killed_after_resuming(void **state)
{
  (void)state;
  char whole[1024];
  begin("alone.h5", 3000);
  strcpy(whole, output);
  sdn_train_options o = learn_options(library, whole, 200);
  expect(&o, NULL, SDN_OK, "");
  begin("rekilled.h5", 3000);
  o = learn_options(library, output, 200);
  stopper s = {.at = 0.3};
  const sdn_run run = {.n_thread = 1, .stop = &s.stop, .progress = watch, .progress_ctx = &s};
  expect(&o, &run, SDN_INTERRUPTED, "--resume");
  o.resume = true;
  for (double at = 0.4; at < 0.6; at += 0.15) {
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
      const sdn_run doomed = {.n_thread = 1, .progress = kill_oneself, .progress_ctx = &at};
      sdn_err err;
      sdn_train(&o, &doomed, NULL, &err);
      _exit(0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(scratch_exists(checkpoint));
    assert_false(scratch_exists(output));
  }
  expect(&o, NULL, SDN_OK, "");
  assert_false(scratch_exists(checkpoint));
  assert_same_weights(whole, output);
}

static void damaged_checkpoint(void **state)
{
  (void)state;
  size_t n;
  begin("damaged.h5", 3000);
  sdn_train_options o = learn_options(library, output, 60);
  stopper s = {.at = 0.3};
  const sdn_run run = {.n_thread = 1, .stop = &s.stop, .progress = watch, .progress_ctx = &s};
  expect(&o, &run, SDN_INTERRUPTED, "stopped");
  unsigned char *bytes = scratch_read(checkpoint, &n);
  o.resume = true;
  scratch_write("damaged.h5.checkpoint", bytes, n / 2);
  expect(&o, NULL, SDN_FORMAT, "damaged.h5.checkpoint");
  scratch_write_text("damaged.h5.checkpoint", "text");
  expect(&o, NULL, SDN_FORMAT, "damaged.h5.checkpoint");
  assert_false(scratch_exists(output));
  free(bytes);
}

/* Killed without warning at some moment: no output under its name, and the same command does the work afterwards. */
static void killed(void **state)
{
  (void)state;
  begin("killed.h5", 3000);
  for (int ms = 5; ms <= 405; ms += 100) {
    sdn_train_options o = learn_options(library, output, 100000);
    const pid_t child = fork();
    if (child == 0) {
      const sdn_run run = {.n_thread = 1};
      sdn_err err;
      sdn_train(&o, &run, NULL, &err);
      _exit(0);
    }
    const struct timespec pause = {.tv_nsec = ms * 1000000L};
    nanosleep(&pause, NULL);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_false(scratch_exists(output));
  }
  sdn_train_options o = learn_options(library, output, 1);
  o.resume = true;   /* there is nothing to go on with: it begins */
  expect(&o, NULL, SDN_OK, "");
  assert_true(scratch_exists(output));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(killed), cmocka_unit_test(unusable_input), cmocka_unit_test(options_out_of_range),
                                     cmocka_unit_test(full_disk), cmocka_unit_test(stopped_and_resumed), cmocka_unit_test(damaged_checkpoint),
                                     cmocka_unit_test(checkpoint_is_kept), cmocka_unit_test(input_is_not_replaced), cmocka_unit_test(killed_after_resuming),
                                     cmocka_unit_test(streamed_stopped_and_resumed), cmocka_unit_test(streamed_from_a_damaged_library)};
  return cmocka_run_group_tests_name("train", tests, NULL, NULL);
}
