/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pairs of any simulator: what is read is what the file says, in the prior's coordinates; what cannot be learnt from is refused with its row and reason. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/h5.h"
#include "base/random.h"
#include "base/special.h"
#include "library/data_file.h"
#include "library/library_file.h"
#include "prior/parameters.h"
#include "support/scratch.h"

#define FLOAT 2e-6   /* relative, of float32 coordinates up to about 4 */
#define N 500

static const char prior_text[] =
  "parameters:\n"
  "  a: {prior: uniform, low: -1, high: 3}\n"
  "  b: {prior: normal, mean: 0.5 * a, sigma: 2}\n"   /* conditional: a correlated normal is written so */
  "  twice: 2 * a\n";

/* b, a in this order in the file, named; x [N][3]: skewed and positive, constant but for one row, with gaps. */
typedef struct pairs { double theta[2 * N], x[3 * N], sigma[3 * N]; } pairs;
static pairs p;
static char prior_path[1024], path[1024];

static void must(sdn_status status, const sdn_err *err)
{
  if (status) fail_msg("%s", err->text);
}

static void make(bool with_sigma)
{
  static const char *const names[] = {"b", "a"};
  const sdn_h5_shape two = {2, {N, 2}}, three = {2, {N, 3}};
  sdn_h5 *f;
  sdn_err err;
  snprintf(prior_path, sizeof prior_path, "%s", scratch_write_text("prior.yaml", prior_text));
  snprintf(path, sizeof path, "%s", scratch_file("pairs.h5"));
  must(sdn_h5_create(path, &f, &err), &err);
  must(sdn_h5_make(f, "theta", SDN_H5_DOUBLE, &two, p.theta, &err), &err);
  must(sdn_h5_set_texts(f, "theta", "names", names, 2, &err), &err);
  must(sdn_h5_make(f, "x", SDN_H5_DOUBLE, &three, p.x, &err), &err);
  if (with_sigma) must(sdn_h5_make(f, "sigma", SDN_H5_DOUBLE, &three, p.sigma, &err), &err);
  must(sdn_h5_close(f, &err), &err);
}

static void draw(void)
{
  sdn_rng rng = sdn_rng_at(91, SDN_STREAM_TEST, 0);
  for (int i = 0; i < N; i++) {
    const double a = -1 + 4 * sdn_rng_uniform(&rng), b = 0.5 * a + 2 * sdn_rng_normal(&rng);
    p.theta[2 * i] = b;
    p.theta[2 * i + 1] = a;
    p.x[3 * i] = exp(3 * sdn_rng_normal(&rng));
    p.x[3 * i + 1] = i == 7 ? 2 : 1;
    p.x[3 * i + 2] = i % 5 == 0 ? NAN : a + b;
    for (int k = 0; k < 3; k++) p.sigma[3 * i + k] = k == 0 ? 0.5 : 0.1 + 0.001 * i;
  }
}

static int begin(void **state)
{
  (void)state;
  draw();
  make(false);
  return 0;
}

static void coordinates_are_the_priors(void **state)
{
  (void)state;
  sdn_library *lib;
  sdn_err err;
  static float z[2 * N], x[3 * N];
  must(sdn_data_open(path, prior_path, NULL, &(sdn_data_names){0}, &lib, &err), &err);
  assert_int_equal(sdn_library_n(lib), N);
  assert_int_equal(sdn_library_n_free(lib), 2);
  assert_string_equal(sdn_library_free_name(lib, 0), "a");
  assert_string_equal(sdn_library_free_name(lib, 1), "b");
  must(sdn_library_rows(lib, 0, N, z, x, &err), &err);
  for (int i = 0; i < N; i++) {
    const double a = p.theta[2 * i + 1], b = p.theta[2 * i], za = sdn_normal_quantile((a + 1) / 4), zb = (b - 0.5 * a) / 2;
    if (!(fabs((double)z[2 * i] - za) <= FLOAT * (1 + fabs(za)) && fabs((double)z[2 * i + 1] - zb) <= FLOAT * (1 + fabs(zb))))
      fail_msg("row %d: z %.8g %.8g, expected %.8g %.8g", i, (double)z[2 * i], (double)z[2 * i + 1], za, zb);
    assert_true(isnan(p.x[3 * i + 2]) ? isnan(x[3 * i + 2]) : x[3 * i + 2] == (float)p.x[3 * i + 2]);
  }
  sdn_library_close(lib);
}

/* The survey made from data: noise-free or not, features finite, missing numbers 0 in all of theirs, drawing changes nothing where the noise is in them. */
static void survey_takes_them_as_they_are(void **state)
{
  (void)state;
  sdn_library *lib;
  sdn_survey *s;
  sdn_err err;
  static float z[2 * N], x[3 * N], flux[3 * N], sigma[3 * N];
  must(sdn_data_open(path, prior_path, NULL, &(sdn_data_names){0}, &lib, &err), &err);
  must(sdn_survey_parse(sdn_library_survey_yaml(lib), "made", &s, &err), &err);
  must(sdn_library_rows(lib, 0, N, z, x, &err), &err);
  must(sdn_survey_draw(s, N, x, 1, SDN_STREAM_TEST, 0, flux, sigma, &err), &err);
  const int n_feature = sdn_survey_n_feature(s);
  float *f = malloc((size_t)(N * n_feature) * sizeof *f);
  sdn_survey_features(s, N, flux, sigma, f);
  for (int i = 0; i < N; i++) {
    for (int k = 0; k < 3; k++) assert_true(isnan(x[3 * i + k]) ? isnan(flux[3 * i + k]) && isnan(sigma[3 * i + k]) : flux[3 * i + k] == x[3 * i + k] && sigma[3 * i + k] == 1);
    for (int k = 0; k < n_feature; k++) assert_true(isfinite(f[i * n_feature + k]) && (k % 3 != 2 || i % 5 != 0 || f[i * n_feature + k] == 0));
  }
  double ln_like;
  assert_int_equal(sdn_survey_ln_likelihood(s, flux + 3, sigma + 3, 1, x + 3, &ln_like, &err), SDN_USAGE);   /* a simulator's noise has no formula */
  free(f);
  sdn_survey_free(s);
  sdn_library_close(lib);
}

/* With sigma the survey adds noise of that size: standard deviation of (flux - x) / sigma is 1 to 5 of its own errors; the drawn sigmas lie in the file's range. */
static void noise_is_added_where_the_file_has_errors(void **state)
{
  (void)state;
  sdn_library *lib;
  sdn_survey *s;
  sdn_err err;
  static float z[2 * N], x[3 * N], flux[3 * N], sigma[3 * N];
  make(true);
  must(sdn_data_open(path, prior_path, NULL, &(sdn_data_names){0}, &lib, &err), &err);
  must(sdn_survey_parse(sdn_library_survey_yaml(lib), "made", &s, &err), &err);
  must(sdn_library_rows(lib, 0, N, z, x, &err), &err);
  must(sdn_survey_draw(s, N, x, 1, SDN_STREAM_TEST, 0, flux, sigma, &err), &err);
  double squares = 0;
  for (int i = 0; i < N; i++) {
    const double t = ((double)flux[3 * i] - (double)x[3 * i]) / (double)sigma[3 * i];
    squares += t * t / N;
    assert_true(sigma[3 * i] == 0.5f && sigma[3 * i + 1] >= 0.1f && sigma[3 * i + 1] <= 0.6f);
  }
  if (!(fabs(squares - 1) < 5 * sqrt(2.0 / N))) fail_msg("noise has %.3f of its variance", squares);
  sdn_survey_free(s);
  sdn_library_close(lib);
  must(sdn_data_open(path, prior_path, NULL, &(sdn_data_names){.sigma = "none"}, &lib, &err), &err);
  assert_null(strstr(sdn_library_survey_yaml(lib), "sigma"));
  sdn_library_close(lib);
}

static void expect(sdn_status status, const char *says)
{
  sdn_library *lib;
  sdn_err err;
  make(true);
  const sdn_status got = sdn_data_open(path, prior_path, NULL, &(sdn_data_names){0}, &lib, &err);
  if (got != status || !strstr(err.text, says)) fail_msg("status %d (expected %d): '%s' is not in: %s", got, status, says, err.text);
  assert_null(lib);
  draw();
}

/* The prior's ends are in float32 what they are: a theta that rounding has put beyond one is the end, not an error. */
static void rounding_beyond_an_end_is_the_end(void **state)
{
  (void)state;
  sdn_library *lib;
  sdn_err err;
  static float z[2 * N];
  p.theta[2 * 17 + 1] = 3 * (1 + 1e-7);
  make(false);
  must(sdn_data_open(path, prior_path, NULL, &(sdn_data_names){0}, &lib, &err), &err);
  must(sdn_library_rows(lib, 0, N, z, NULL, &err), &err);
  assert_true(z[2 * 17] > 5 && isfinite(z[2 * 17]));
  sdn_library_close(lib);
  draw();
}

static void bad_pairs_are_refused(void **state)
{
  (void)state;
  sdn_library *lib;
  sdn_err err;
  p.theta[2 * 17 + 1] = 3.5;
  expect(SDN_RANGE, "row 17");
  p.theta[2 * 17 + 1] = NAN;
  expect(SDN_RANGE, "row 17");
  p.theta[2 * 17 + 1] = 3.5;
  expect(SDN_RANGE, "a is 3.5, outside its prior uniform(-1, 3)");
  p.theta[2 * 17] = INFINITY;   /* not the first parameter: it is the one that is named */
  expect(SDN_RANGE, "b is inf, outside its prior normal(0.5 * a, 2)");
  for (int i = 0; i < N; i++) p.theta[2 * i + 1] = 0.25;
  expect(SDN_USAGE, "one value of a");
  p.x[3 * 9] = INFINITY;
  expect(SDN_FORMAT, "row 9");
  p.x[3 * 9] = 1e300;   /* no float */
  expect(SDN_FORMAT, "row 9");
  p.sigma[3 * 9] = 0;
  expect(SDN_FORMAT, "row 9");
  p.sigma[3 * 9] = NAN;
  expect(SDN_FORMAT, "row 9");
  for (int i = 0; i < N; i++) p.x[3 * i + 1] = NAN;
  expect(SDN_USAGE, "missing in every row");
  make(true);
  assert_int_equal(sdn_data_open(path, prior_path, NULL, &(sdn_data_names){.x = "theta"}, &lib, &err), SDN_FORMAT);   /* sigma has another shape */
  assert_int_equal(sdn_data_open(path, prior_path, NULL, &(sdn_data_names){.x = "y"}, &lib, &err), SDN_FORMAT);
  assert_int_equal(sdn_data_open(path, scratch_write_text("one.yaml", "parameters: {a: {prior: uniform, low: -1, high: 3}}\n"), NULL, &(sdn_data_names){0}, &lib, &err), SDN_USAGE);
  assert_int_equal(sdn_data_open(path, scratch_write_text("none.yaml", "parameters: {a: 1}\n"), NULL, &(sdn_data_names){0}, &lib, &err), SDN_USAGE);
  assert_int_equal(sdn_data_open(path, scratch_write_text("bad.yaml", "parameters: [1]\n"), NULL, &(sdn_data_names){0}, &lib, &err), SDN_USAGE);
  assert_int_equal(sdn_data_open(scratch_write_text("text.h5", "no HDF5"), prior_path, NULL, &(sdn_data_names){0}, &lib, &err), SDN_FORMAT);
  assert_int_equal(sdn_data_open(scratch_file("nothing.h5"), prior_path, NULL, &(sdn_data_names){0}, &lib, &err), SDN_IO);
  assert_int_equal(sdn_data_open(path, scratch_file("nothing.yaml"), NULL, &(sdn_data_names){0}, &lib, &err), SDN_IO);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(coordinates_are_the_priors), cmocka_unit_test(survey_takes_them_as_they_are),
                                     cmocka_unit_test(noise_is_added_where_the_file_has_errors), cmocka_unit_test(rounding_beyond_an_end_is_the_end), cmocka_unit_test(bad_pairs_are_refused)};
  return cmocka_run_group_tests_name("data_file", tests, begin, NULL);
}
