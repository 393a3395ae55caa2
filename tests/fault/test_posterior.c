/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Posterior files that are foreign, truncated, altered or of another version: a sentence, or exactly the same answers; never a crash or another number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/h5.h"
#include "learn/posterior.h"
#include "support/learn_fixture.h"
#include "support/scratch.h"

/* HDF5 1.10 itself loses memory when it refuses damaged metadata; a leak of ours would be reported all the same. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

#define N_CUT 60
#define N_FLIP 400

static unsigned char *bytes;
static size_t n_bytes;
static double right_answer;

static const float flux[LEARN_N_BAND] = {120, 90, NAN, 60}, sigma[LEARN_N_BAND] = {10, 12, NAN, 20}, z[LEARN_N_FREE] = {0.3f, -0.2f, 0.6f};

static double answer(const sdn_posterior *p)
{
  sdn_err err;
  double ln_q;
  const sdn_run run = {.n_thread = 1};
  assert_int_equal(sdn_posterior_ln_q(p, 1, flux, sigma, z, &ln_q, &run, &err), SDN_OK);
  return ln_q;
}

static int begin(void **state)
{
  (void)state;
  sdn_posterior *p;
  sdn_err err;
  const char *path = learn_posterior();
  bytes = scratch_read(path, &n_bytes);
  if (!bytes || sdn_posterior_open(path, &p, &err)) return 1;
  right_answer = answer(p);
  sdn_posterior_free(p);
  return !isfinite(right_answer);
}

static int finish(void **state)
{
  (void)state;
  free(bytes);
  return 0;
}

/* Opens; either it is refused with a sentence that names the file, or nothing is different. Returns whether it was refused. */
static bool refused_or_the_same(const char *path, const char *what, size_t at)
{
  sdn_posterior *p;
  sdn_err err = {.status = SDN_OK};
  const sdn_status status = sdn_posterior_open(path, &p, &err);
  if (status) {
    assert_null(p);
    if (status != SDN_FORMAT && status != SDN_IO) fail_msg("%s at %zu: status %d, %s", what, at, status, err.text);
    if (!strstr(err.text, path)) fail_msg("%s at %zu: the file is not named in: %s", what, at, err.text);
    return true;
  }
  if (answer(p) != right_answer) fail_msg("%s at %zu: another answer, unnoticed", what, at);
  assert_string_equal(sdn_posterior_free_name(p, 0), "redshift");
  assert_string_equal(sdn_posterior_model_yaml(p), "grid: none\n");
  sdn_posterior_free(p);
  return false;
}

static void truncated_files_are_refused(void **state)
{
  (void)state;
  for (int i = 0; i < N_CUT; i++) {
    const size_t n = n_bytes * (size_t)i / N_CUT;
    const char *path = scratch_write("cut.h5", bytes, n);
    if (!refused_or_the_same(path, "cut", n)) fail_msg("a file cut at %zu of %zu bytes was opened", n, n_bytes);
  }
}

static void altered_bytes_are_noticed(void **state)
{
  (void)state;
  unsigned char *copy = malloc(n_bytes);
  int n_refused = 0;
  for (int i = 0; i < N_FLIP; i++) {   /* half of them in the first part, where the structure of the file lies */
    const size_t at = i % 2 ? (size_t)(i / 2) * 37 % (n_bytes < 8192 ? n_bytes : 8192) : n_bytes / N_FLIP * (size_t)i;
    memcpy(copy, bytes, n_bytes);
    copy[at] ^= (unsigned char)(1u << (i % 8));
    n_refused += refused_or_the_same(scratch_write("flip.h5", copy, n_bytes), "flip", at);
  }
  free(copy);
  assert_true(n_refused > N_FLIP / 4);   /* most bytes matter */
}

typedef sdn_status change_fn(sdn_h5 *file, sdn_err *err);

static void expect_refused(change_fn *change, const char *says)
{
  sdn_h5 *file;
  sdn_posterior *p;
  sdn_err err;
  const char *path = scratch_write("changed.h5", bytes, n_bytes);
  assert_int_equal(sdn_h5_open_update(path, &file, &err), SDN_OK);
  if (change(file, &err)) fail_msg("%s", err.text);
  assert_int_equal(sdn_h5_close(file, &err), SDN_OK);
  if (sdn_posterior_open(path, &p, &err) != SDN_FORMAT || !strstr(err.text, says)) fail_msg("'%s' is not in: %s", says, err.text);
  assert_null(p);
}

static sdn_status newer(sdn_h5 *f, sdn_err *err) { return sdn_h5_set_long(f, "/", "version", 3, err); }
static sdn_status foreign(sdn_h5 *f, sdn_err *err) { return sdn_h5_set_text(f, "/", "format", "sedna library", err); }
static sdn_status other_head(sdn_h5 *f, sdn_err *err) { return sdn_h5_set_text(f, "member0", "head", "oracle", err); }
static sdn_status wider(sdn_h5 *f, sdn_err *err) { return sdn_h5_set_long(f, "member0", "n_encoder", 33, err); }
static sdn_status huge(sdn_h5 *f, sdn_err *err) { return sdn_h5_set_long(f, "member0", "n_encoder", 1L << 40, err); }
static sdn_status deep(sdn_h5 *f, sdn_err *err) { return sdn_h5_set_long(f, "member0", "n_layer", 1000, err); }
static sdn_status other_features(sdn_h5 *f, sdn_err *err) { return sdn_h5_set_long(f, "member0", "n_feature", 5, err); }
static sdn_status other_model(sdn_h5 *f, sdn_err *err) { return sdn_h5_set_text(f, "/", "model_yaml", "grid: nine\n", err); }
static sdn_status no_survey(sdn_h5 *f, sdn_err *err) { return sdn_h5_set_text(f, "/", "survey_yaml", "name: [", err); }
static sdn_status other_names(sdn_h5 *f, sdn_err *err)
{
  static const char *const names[] = {"redshift", "log_mass"};
  return sdn_h5_set_texts(f, "/", "free_names", names, 2, err);
}
static sdn_status spoil_weight(sdn_h5 *f, sdn_err *err)
{
  float row[32] = {NAN};
  return sdn_h5_write_rows(f, "member0/encoder/hidden1", SDN_H5_FLOAT, 3, 1, row, err);
}
static sdn_status change_weight(sdn_h5 *f, sdn_err *err)
{
  float row[32] = {0.25f};
  return sdn_h5_write_rows(f, "member0/encoder/hidden1", SDN_H5_FLOAT, 3, 1, row, err);
}

static void contradictions_are_named(void **state)
{
  (void)state;
  expect_refused(newer, "version 3");
  expect_refused(foreign, "sedna library");
  expect_refused(other_head, "oracle");
  expect_refused(wider, "shape");
  expect_refused(huge, "n_encoder");
  expect_refused(deep, "n_layer");
  expect_refused(other_features, "features");
  expect_refused(other_names, "names");
  expect_refused(spoil_weight, "not finite");
  expect_refused(change_weight, "checksum");
  expect_refused(other_model, "checksum");
}

static void broken_survey_is_refused(void **state)
{
  (void)state;
  sdn_h5 *file;
  sdn_posterior *p;
  sdn_err err;
  const char *path = scratch_write("changed.h5", bytes, n_bytes);
  assert_int_equal(sdn_h5_open_update(path, &file, &err), SDN_OK);
  assert_int_equal(no_survey(file, &err), SDN_OK);
  assert_int_equal(sdn_h5_close(file, &err), SDN_OK);
  assert_int_not_equal(sdn_posterior_open(path, &p, &err), SDN_OK);
  assert_null(p);
  assert_non_null(strstr(err.text, path));
}

static void what_is_no_posterior_is_refused(void **state)
{
  (void)state;
  sdn_posterior *p;
  sdn_err err;
  assert_int_equal(sdn_posterior_open(scratch_file("nothing.h5"), &p, &err), SDN_IO);
  assert_int_equal(sdn_posterior_open(scratch_write_text("text.h5", "not HDF5 at all\n"), &p, &err), SDN_FORMAT);
  assert_int_equal(sdn_posterior_open(scratch_write_text("empty.h5", ""), &p, &err), SDN_FORMAT);
  assert_int_equal(sdn_posterior_open(learn_library("lib.h5", 100), &p, &err), SDN_FORMAT);
  assert_non_null(strstr(err.text, "sedna library"));
  assert_null(p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(truncated_files_are_refused), cmocka_unit_test(altered_bytes_are_noticed), cmocka_unit_test(contradictions_are_named),
    cmocka_unit_test(broken_survey_is_refused), cmocka_unit_test(what_is_no_posterior_is_refused)};
  return cmocka_run_group_tests_name("posterior", tests, begin, finish);
}
