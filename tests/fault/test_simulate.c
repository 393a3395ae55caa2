/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sdn_simulate when things go wrong: killed at any moment, disk full, foreign files in the way, wrong options, impossible galaxies. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/h5.h"
#include "support/scratch.h"
#include "support/simulate_fixture.h"

#define N 33000          /* three groups of tiles */
#define N_SMALL 2000
#define MAX_KILL 200

/* The run fails with this status, and its sentence holds the words (separated by '|'). */
static void refuse(const simulate_fixture *f, sdn_status expected, const char *words)
{
  sdn_err err = {.text = ""};
  char copy[256];
  const sdn_status status = simulate_run(f, 2, NULL, &err);
  if (status != expected) fail_msg("status %d instead of %d: %s", (int)status, (int)expected, err.text);
  snprintf(copy, sizeof copy, "%s", words);
  for (char *word = strtok(copy, "|"); word; word = strtok(NULL, "|"))
    if (!strstr(err.text, word)) fail_msg("'%s' is missing in: %s", word, err.text);
}

/* ------------------------------------------------------------------ kills */

typedef struct fuse { int n_left; } fuse;

static void kill_oneself(void *ctx, const char *what, double done, double total, const char *detail)
{
  fuse *f = ctx;
  (void)what, (void)done, (void)total, (void)detail;
  if (f->n_left-- == 0) raise(SIGKILL);
}

/* A child that simulates with one thread, and kills itself after n_report reports (or never, where negative). */
static pid_t start_child(const simulate_fixture *f, int n_report)
{
  const pid_t child = fork();
  assert_true(child >= 0);
  if (child > 0) return child;
  fuse burning = {.n_left = n_report};
  const sdn_run run = {.n_thread = 1, .command = "test", .progress = kill_oneself, .progress_ctx = &burning};
  sdn_simulate_summary summary;
  sdn_err err;
  _exit(sdn_simulate(&f->options, &run, &summary, &err) == SDN_OK ? 0 : 1);
}

static int wait_for(pid_t child)
{
  int status;
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}

/* Killed right after a group was written: what was written is kept. */
static void test_killed_between_groups(void **state)
{
  (void)state;
  simulate_fixture whole, killed;
  sdn_simulate_summary summary;
  simulate_begin(&killed, "killed.h5", N);
  for (int k = 0; k < 2; k++) {
    const int status = wait_for(start_child(&killed, 0));
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(sdn_file_exists(killed.part) && !sdn_file_exists(killed.output));
  }
  simulate_must(&killed, 2, &summary);
  assert_int_equal(summary.n_resumed, 32768);   /* two groups of 16 tiles */
  simulate_begin(&whole, "whole.h5", N);
  simulate_must(&whole, 2, NULL);
  simulate_assert_same_file(whole.output, killed.output);
}

/* Killed again and again at odd moments, each life a little longer than the last: OUTPUT is absent or whole, and in the end it is there. */
static void test_killed_anywhere(void **state)
{
  (void)state;
  simulate_fixture whole, killed;
  simulate_begin(&whole, "whole.h5", N);
  simulate_must(&whole, 2, NULL);
  simulate_begin(&killed, "killed.h5", N);
  int n_killed = 0;
  for (long ms = 3; !sdn_file_exists(killed.output) && n_killed < MAX_KILL; ms += 2 + ms / 2) {
    const pid_t child = start_child(&killed, -1);
    nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
    kill(child, SIGKILL);
    const int status = wait_for(child);
    if (WIFEXITED(status)) assert_int_equal(WEXITSTATUS(status), 0);   /* it ended of itself: then well */
    else n_killed++;
  }
  assert_true(n_killed > 3);
  simulate_assert_same_file(whole.output, killed.output);
}

/* ------------------------------------------------------------------ files in the way */

static void leave_part(simulate_fixture *f)
{
  simulate_begin(f, "left.h5", N);
  assert_true(WIFSIGNALED(wait_for(start_child(f, 0))));
  assert_true(sdn_file_exists(f->part));
}

static void test_part_of_another_run(void **state)
{
  (void)state;
  simulate_fixture f;
  leave_part(&f);
  size_t n_before, n_after;
  unsigned char *before = scratch_read(f.part, &n_before);
  f.options.seed = 8;
  refuse(&f, SDN_USAGE, "left.h5.part|another seed|remove");
  f.options.seed = 7;
  f.options.n = N + 1;
  refuse(&f, SDN_USAGE, "left.h5.part|another number of galaxies|remove");
  f.options.n = N;
  f.options.design = "random";
  refuse(&f, SDN_USAGE, "left.h5.part|another design|remove");
  f.options.design = "sobol";
  char yaml[2048];
  snprintf(yaml, sizeof yaml, "%s# changed\n", simulate_survey_yaml);
  scratch_write_text("survey.yaml", yaml);
  refuse(&f, SDN_USAGE, "left.h5.part|another survey|remove");
  scratch_write_text("survey.yaml", simulate_survey_yaml);
  snprintf(yaml, sizeof yaml, "%s# changed\n", simulate_model_yaml);
  scratch_write_text("model.yaml", yaml);
  refuse(&f, SDN_USAGE, "left.h5.part|another model|remove");
  unsigned char *after = scratch_read(f.part, &n_after);
  assert_int_equal(n_before, n_after);
  assert_memory_equal(before, after, n_before);   /* nobody touched it */
  free(before);
  free(after);
}

static void test_part_is_not_ours(void **state)
{
  (void)state;
  simulate_fixture f;
  size_t n;
  simulate_begin(&f, "foreign.h5", N_SMALL);
  scratch_write_text("foreign.h5.part", "somebody's notes\n");
  refuse(&f, SDN_FORMAT, "foreign.h5.part|remove");
  assert_true(sdn_file_exists(f.part));
  leave_part(&f);
  unsigned char *bytes = scratch_read(f.part, &n);
  for (int k = 0; k < 4; k++) {   /* cut short */
    scratch_write("left.h5.part", bytes, n * (size_t)k / 4 + 100);
    refuse(&f, SDN_FORMAT, "left.h5.part|remove");
  }
  free(bytes);
  scratch_write("left.h5.part", "", 0);   /* empty: killed while it asked whether it may write */
  simulate_must(&f, 2, NULL);
}

/* A second run of the same command while the first is writing does not join in. */
static void test_two_at_once(void **state)
{
  (void)state;
  simulate_fixture f;
  sdn_err err = {.text = ""};
  simulate_begin(&f, "twice.h5", 1000000);   /* half a minute of work, killed before */
  const pid_t child = start_child(&f, -1);
  sdn_status status = SDN_OK;
  for (int i = 0; i < 3000 && !sdn_file_exists(f.part); i++) nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL);
  if (sdn_file_exists(f.part)) status = simulate_run(&f, 1, NULL, &err);
  kill(child, SIGKILL);
  wait_for(child);
  remove(f.part);
  assert_true(status == SDN_FORMAT || status == SDN_IO);
  assert_non_null(strstr(err.text, "twice.h5.part"));
}

/* An older library under OUTPUT stays until the new one is whole. */
static void test_old_output_is_kept(void **state)
{
  (void)state;
  simulate_fixture f;
  sdn_err err;
  sdn_library *lib = NULL;
  simulate_begin(&f, "kept.h5", N_SMALL);
  simulate_must(&f, 2, NULL);
  f.options.n = N;
  assert_true(WIFSIGNALED(wait_for(start_child(&f, 0))));
  assert_int_equal(sdn_library_open(f.output, &lib, &err), SDN_OK);
  assert_int_equal(sdn_library_n(lib), N_SMALL);
  sdn_library_close(lib);
  simulate_must(&f, 2, NULL);
  assert_int_equal(sdn_library_open(f.output, &lib, &err), SDN_OK);
  assert_int_equal(sdn_library_n(lib), N);
  sdn_library_close(lib);
}

static void test_unwritable(void **state)
{
  (void)state;
  simulate_fixture f;
  simulate_begin(&f, "x.h5", N_SMALL);
  f.options.output = "/nonexistent/folder/library.h5";
  refuse(&f, SDN_IO, "/nonexistent/folder/library.h5");
  char folder[600];
  snprintf(folder, sizeof folder, "%s", scratch_file("folder"));
  assert_int_equal(mkdir(folder, 0777), 0);
  f.options.output = folder;
  refuse(&f, SDN_IO, "folder");
  rmdir(folder);
}

/* Writes fail as on a full disk, at the start and while space is taken: a sentence, and nothing half is left. */
static void test_disk_full(void **state)
{
  (void)state;
  simulate_fixture f;
  simulate_begin(&f, "full.h5", N);
  for (long limit = 500; limit < 3000000; limit *= 7) {
    scratch_limit_file_size(limit);
    refuse(&f, SDN_IO, "full.h5");
    scratch_limit_file_size(0);
    assert_false(sdn_file_exists(f.output));
    assert_false(sdn_file_exists(f.part));
    assert_false(sdn_file_exists(scratch_file("full.h5.part.new")));
  }
  simulate_must(&f, 2, NULL);
}

/* ------------------------------------------------------------------ wrong options and models */

static void test_bad_options(void **state)
{
  (void)state;
  simulate_fixture f;
  simulate_begin(&f, "bad.h5", N_SMALL);
  const sdn_simulate_options good = f.options;
  f.options.model = NULL;
  refuse(&f, SDN_USAGE, "model");
  f.options = good;
  f.options.survey = NULL;
  refuse(&f, SDN_USAGE, "survey");
  f.options = good;
  f.options.output = NULL;
  refuse(&f, SDN_USAGE, "output");
  f.options = good;
  f.options.n = 0;
  refuse(&f, SDN_USAGE, "n is 0");
  f.options = good;
  f.options.design = "grid";
  refuse(&f, SDN_USAGE, "grid|sobol or random");
  f.options = good;
  f.options.model = "/nonexistent/model.yaml";
  refuse(&f, SDN_IO, "/nonexistent/model.yaml");
  f.options = good;
  f.options.survey = "/nonexistent/survey.yaml";
  refuse(&f, SDN_IO, "/nonexistent/survey.yaml");
  assert_false(sdn_file_exists(f.output));
  assert_false(sdn_file_exists(f.part));
}

static void test_bad_bands(void **state)
{
  (void)state;
  simulate_fixture f;
  simulate_begin(&f, "bad.h5", N_SMALL);
  scratch_write_text("survey.yaml", "name: T\nflux_unit: nJy\nbands:\n  - {name: g, filter: Subaru/HSC.gg, sigma_njy: 1}\n");
  refuse(&f, SDN_USAGE, "Subaru/HSC.gg|Subaru/HSC.g");
  scratch_write_text("survey.yaml", "name: T\nflux_unit: nJy\nbands:\n  - {name: far, filter: \"tophat:9e8:1e9\", sigma_njy: 1}\n");
  refuse(&f, SDN_RANGE, "tophat");
}

static void test_nothing_free(void **state)
{
  (void)state;
  simulate_fixture f;
  simulate_begin(&f, "bad.h5", N_SMALL);
  scratch_write_text("model.yaml", "grid: bc03-miles-kroupa\nredshift: 1\nstars:\n  log_mass_formed_msun: 10\n  log_metallicity: -2\n"
                                   "  sfh: {family: delayed_exponential, age_gyr: 1, tau_gyr: 1}\nnebular: none\ndust: none\nigm: none\n");
  refuse(&f, SDN_USAGE, "no free parameter");
}

/* A formula that has no value for a few galaxies, too few to be found at set-up: the galaxy is named, not dropped. */
static void test_impossible_galaxy(void **state)
{
  (void)state;
  simulate_fixture f;
  simulate_begin(&f, "bad.h5", 100000);
  scratch_write_text("model.yaml",
                     "grid: bc03-miles-kroupa\nredshift: {prior: uniform, low: 1, high: 2}\nstars:\n"
                     "  log_mass_formed_msun: 9 + sqrt(abs(redshift - 1.2345678) - 3e-5)\n  log_metallicity: -2\n"
                     "  sfh: {family: delayed_exponential, age_gyr: 1, tau_gyr: 1}\nnebular: none\ndust: none\nigm: none\n");
  refuse(&f, SDN_NUMERIC, "galaxy |of the design|log_mass_formed_msun|sqrt(abs(redshift");
  assert_false(sdn_file_exists(f.output));
}

/* A model that fails before any tile is finished leaves no part file, so that the mended one begins at once. The gap is too narrow
 * for the 4096 points at which models are tried out, but not for the design's first 16384, which are computed together. */
static void test_failure_leaves_the_way_free(void **state)
{
  (void)state;
  simulate_fixture f;
  simulate_begin(&f, "mended.h5", 20000);
  scratch_write_text("model.yaml",
                     "grid: bc03-miles-kroupa\nredshift: {prior: uniform, low: 1, high: 2}\nstars:\n"
                     "  log_mass_formed_msun: 9 + sqrt(abs(redshift - 1.2345678) - 4e-5)\n  log_metallicity: -2\n"
                     "  sfh: {family: delayed_exponential, age_gyr: 1, tau_gyr: 1}\nnebular: none\ndust: none\nigm: none\n");
  refuse(&f, SDN_NUMERIC, "of the design");
  assert_false(sdn_file_exists(f.part));
  scratch_write_text("model.yaml", simulate_model_yaml);
  simulate_must(&f, 2, NULL);
}

static void test_inputs_are_not_replaced(void **state)
{
  (void)state;
  simulate_fixture f;
  simulate_begin(&f, "x.h5", N_SMALL);
  f.options.output = f.model;
  refuse(&f, SDN_USAGE, "model.yaml|also read");
  f.options.output = f.survey;
  refuse(&f, SDN_USAGE, "survey.yaml|also read");
  char curve[600], yaml[1024];
  snprintf(curve, sizeof curve, "%s", scratch_write_text("curve.txt", "5000 0\n5500 1\n6000 0\n"));
  snprintf(yaml, sizeof yaml, "name: T\nflux_unit: nJy\nbands:\n  - {name: v, filter: %s, sigma_njy: 1}\n", curve);
  scratch_write_text("survey.yaml", yaml);
  f.options.output = curve;
  refuse(&f, SDN_USAGE, "curve.txt|also read");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_killed_between_groups), cmocka_unit_test(test_killed_anywhere),    cmocka_unit_test(test_part_of_another_run),
    cmocka_unit_test(test_part_is_not_ours),      cmocka_unit_test(test_old_output_is_kept), cmocka_unit_test(test_unwritable),
    cmocka_unit_test(test_disk_full),             cmocka_unit_test(test_bad_options),        cmocka_unit_test(test_bad_bands),
    cmocka_unit_test(test_nothing_free),          cmocka_unit_test(test_impossible_galaxy),  cmocka_unit_test(test_two_at_once),
    cmocka_unit_test(test_failure_leaves_the_way_free), cmocka_unit_test(test_inputs_are_not_replaced),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
