/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a library holds, recomputed by other ways, and what sdn_library_open refuses. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include "base/h5.h"
#include "base/random.h"
#include "library/truth.h"
#include "support/scratch.h"
#include "support/simulate_fixture.h"

#define N 2500              /* two tiles and a part of one */
#define N_FREE 4
#define FLUX_ERROR 2e-6f    /* relative: float32 sums in another grouping of galaxies */

static simulate_fixture fixture;

static int begin(void **state)
{
  (void)state;
  simulate_begin(&fixture, "library.h5", N);
  simulate_must(&fixture, 2, NULL);
  return 0;
}

static sdn_library *open_library(void)
{
  sdn_err err;
  sdn_library *lib = NULL;
  if (sdn_library_open(fixture.output, &lib, &err)) fail_msg("%s", err.text);
  return lib;
}

static void test_header(void **state)
{
  static const char *const name[] = {"redshift", "log_mass_formed_msun", "age_gyr", "a_v_mag"};
  (void)state;
  sdn_library *lib = open_library();
  assert_int_equal(sdn_library_n(lib), N);
  assert_int_equal(sdn_library_n_free(lib), N_FREE);
  assert_int_equal(sdn_library_n_band(lib), 3);
  assert_string_equal(sdn_library_model_yaml(lib), simulate_model_yaml);
  assert_string_equal(sdn_library_survey_yaml(lib), simulate_survey_yaml);
  assert_string_equal(sdn_library_free_name(lib, 0), name[0]);
  for (int i = 1; i < N_FREE; i++) {
    int found = 0;
    for (int k = 1; k < N_FREE; k++) found += !strcmp(sdn_library_free_name(lib, k), name[i]);
    assert_int_equal(found, 1);
    assert_non_null(sdn_library_free_unit(lib, i));
  }
  sdn_library_close(lib);
}

/* theta and flux of the file are those of the file's z, through the model of the file's YAML. */
static void test_rows_are_the_models(void **state)
{
  (void)state;
  sdn_err err;
  sdn_library *lib = open_library();
  sdn_model *model = NULL;
  sdn_forward *forward = NULL;
  sdn_h5 *file = NULL;
  static const char *const filters[] = {"Subaru/HSC.g", "Subaru/HSC.i", "Subaru/HSC.y"};
  static float z[N * N_FREE], flux[N * 3], recomputed[N * 3];
  static double z_exact[N * N_FREE], params[N * 64], theta[N * N_FREE], stored[N * N_FREE];
  assert_int_equal(sdn_model_parse(sdn_library_model_yaml(lib), "library", &model, &err), SDN_OK);
  assert_int_equal(sdn_forward_new(model, 3, filters, &forward, &err), SDN_OK);
  assert_int_equal(sdn_library_rows(lib, 0, N, z, flux, &err), SDN_OK);
  sdn_library_close(lib);
  const sdn_prior *prior = sdn_model_prior(model);
  assert_true(sdn_prior_n_param(prior) <= 64);
  for (int i = 0; i < N * N_FREE; i++) z_exact[i] = z[i];
  assert_int_equal(sdn_prior_params(prior, N, z_exact, params, &err), SDN_OK);
  sdn_prior_theta(prior, N, params, theta);
  assert_int_equal(sdn_h5_open(fixture.output, &file, &err), SDN_OK);
  assert_int_equal(sdn_h5_read_rows(file, "theta", SDN_H5_DOUBLE, 0, N, stored, &err), SDN_OK);
  sdn_h5_close(file, &err);
  assert_memory_equal(stored, theta, sizeof theta);
  assert_int_equal(sdn_forward_flux(forward, N, params, recomputed, NULL, &err), SDN_OK);
  for (int i = 0; i < N * 3; i++)
    if (!(fabsf(flux[i] - recomputed[i]) <= FLUX_ERROR * recomputed[i])) fail_msg("flux %d: %g, recomputed %g", i, (double)flux[i], (double)recomputed[i]);
  sdn_forward_free(forward);
  sdn_model_free(model);
}

/* The Sobol design: of any 1024 points that follow one another from a multiple of 1024 on, one lies in each 1024th of each axis. */
static void test_sobol_strata(void **state)
{
  (void)state;
  static float z[N * N_FREE];
  sdn_err err;
  sdn_library *lib = open_library();
  assert_int_equal(sdn_library_rows(lib, 0, N, z, NULL, &err), SDN_OK);
  sdn_library_close(lib);
  for (int block = 0; block < 2; block++)
    for (int d = 0; d < N_FREE; d++) {
      int seen[1024] = {0}, n_seen = 0;
      for (int i = 0; i < 1024; i++) {
        const int stratum = (int)(1024 * gsl_cdf_ugaussian_P(z[(1024 * block + i) * N_FREE + d]));
        n_seen += stratum < 1024 && !seen[stratum]++;
      }
      assert_true(n_seen >= 1022);   /* float32 rounding of z may carry a point over an edge */
    }
}

static void test_rows_in_blocks(void **state)
{
  (void)state;
  static float all_z[N * N_FREE], all_flux[N * 3], z[N * N_FREE], flux[N * 3];
  sdn_err err;
  sdn_library *lib = open_library();
  assert_int_equal(sdn_library_rows(lib, 0, N, all_z, all_flux, &err), SDN_OK);
  for (long row = 0, n = 1; row < N; row += n, n = 1 + (7 * n) % 300) {
    const long n_now = row + n < N ? n : N - row;
    assert_int_equal(sdn_library_rows(lib, row, n_now, z, flux, &err), SDN_OK);
    assert_memory_equal(z, all_z + row * N_FREE, (size_t)(n_now * N_FREE) * sizeof *z);
    assert_memory_equal(flux, all_flux + row * 3, (size_t)(n_now * 3) * sizeof *flux);
  }
  assert_int_equal(sdn_library_rows(lib, N - 1, 2, z, flux, &err), SDN_RANGE);
  assert_int_equal(sdn_library_rows(lib, -1, 1, z, flux, &err), SDN_RANGE);
  assert_int_equal(sdn_library_rows(lib, N + 5, 1, z, flux, &err), SDN_RANGE);
  assert_int_equal(sdn_library_rows(lib, N, 0, z, flux, &err), SDN_OK);
  sdn_library_close(lib);
}

/* Copy the library, let `damage` change it, and see it refused with a sentence that holds `words`. */
static void refuse(void (*damage)(sdn_h5 *), const char *words)
{
  size_t n = 0;
  sdn_err err;
  sdn_h5 *file = NULL;
  sdn_library *lib = NULL;
  unsigned char *bytes = scratch_read(fixture.output, &n);
  assert_non_null(bytes);
  const char *path = scratch_write("damaged.h5", bytes, n);
  free(bytes);
  assert_int_equal(sdn_h5_open_update(path, &file, &err), SDN_OK);
  damage(file);
  assert_int_equal(sdn_h5_close(file, &err), SDN_OK);
  err.text[0] = '\0';
  assert_int_equal(sdn_library_open(path, &lib, &err), SDN_FORMAT);
  assert_null(lib);
  if (!strstr(err.text, words)) fail_msg("'%s' is missing in: %s", words, err.text);
  if (!strstr(err.text, "damaged.h5")) fail_msg("the file is not named in: %s", err.text);
}

static void set_format(sdn_h5 *f) { sdn_err e; assert_int_equal(sdn_h5_set_text(f, "/", "format", "sedna posterior", &e), SDN_OK); }
static void set_version(sdn_h5 *f) { sdn_err e; assert_int_equal(sdn_h5_set_long(f, "/", "version", 99, &e), SDN_OK); }
static void set_incomplete(sdn_h5 *f) { sdn_err e; assert_int_equal(sdn_h5_set_long(f, "/", "complete", 0, &e), SDN_OK); }
static void set_n(sdn_h5 *f) { sdn_err e; assert_int_equal(sdn_h5_set_long(f, "/", "n", N + 1, &e), SDN_OK); }
static void set_no_n(sdn_h5 *f) { sdn_err e; assert_int_equal(sdn_h5_set_long(f, "/", "n", 0, &e), SDN_OK); }
static void set_names(sdn_h5 *f)
{
  sdn_err e;
  const char *const three[] = {"a", "b", "c"};
  assert_int_equal(sdn_h5_set_texts(f, "theta", "names", three, 3, &e), SDN_OK);
}
static void set_bands(sdn_h5 *f)
{
  sdn_err e;
  const char *const two[] = {"a", "b"};
  assert_int_equal(sdn_h5_set_texts(f, "flux_njy", "bands", two, 2, &e), SDN_OK);
}

static void test_refused(void **state)
{
  (void)state;
  refuse(set_format, "sedna posterior");
  refuse(set_version, "version 99");
  refuse(set_incomplete, "unfinished");
  refuse(set_n, "rows");
  refuse(set_no_n, "0 galaxies");
  refuse(set_names, "3 parameters, 4 units");
  refuse(set_bands, "2 columns");
}

static void test_not_a_library(void **state)
{
  (void)state;
  sdn_err err;
  sdn_library *lib = NULL;
  assert_int_equal(sdn_library_open("/nonexistent/library.h5", &lib, &err), SDN_IO);
  assert_int_equal(sdn_library_open(fixture.model, &lib, &err), SDN_FORMAT);
  assert_null(lib);
}

/* A value that is not finite is named when it is read. */
static void test_not_finite(void **state)
{
  (void)state;
  sdn_err err;
  sdn_h5 *file = NULL;
  float flux[3 * 3], z[3 * N_FREE];
  const float bad[3] = {1, NAN, 1};
  assert_int_equal(sdn_h5_open_update(fixture.output, &file, &err), SDN_OK);
  assert_int_equal(sdn_h5_write_rows(file, "flux_njy", SDN_H5_FLOAT, 1234, 1, bad, &err), SDN_OK);
  assert_int_equal(sdn_h5_close(file, &err), SDN_OK);
  sdn_library *lib = open_library();
  assert_int_equal(sdn_library_rows(lib, 1233, 3, z, flux, &err), SDN_FORMAT);
  assert_int_equal(err.row, 1);
  assert_non_null(strstr(err.text, "row 1234"));
  assert_int_equal(sdn_library_rows(lib, 1233, 3, z, NULL, &err), SDN_OK);
  sdn_library_close(lib);
}

/* The design's limit of rows: 2^32 points of the sequence. */
static void test_sobol_limit(void **state)
{
  (void)state;
  sdn_err err;
  sdn_model *model = NULL;
  assert_int_equal(sdn_model_parse(simulate_model_yaml, "test", &model, &err), SDN_OK);
  sdn_truth_source source = {.prior = sdn_model_prior(model), .sobol = true};
  assert_int_equal(sdn_truth_check(&source, 4294967296, &err), SDN_OK);
  assert_int_equal(sdn_truth_check(&source, 4294967297, &err), SDN_RANGE);
  assert_non_null(strstr(err.text, "design random"));
  source.sobol = false;
  assert_int_equal(sdn_truth_check(&source, 4294967297, &err), SDN_OK);
  sdn_model_free(model);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_header),      cmocka_unit_test(test_rows_are_the_models), cmocka_unit_test(test_sobol_strata), cmocka_unit_test(test_rows_in_blocks),
    cmocka_unit_test(test_refused),     cmocka_unit_test(test_not_a_library),       cmocka_unit_test(test_sobol_limit), cmocka_unit_test(test_not_finite),
  };
  return cmocka_run_group_tests(tests, begin, NULL);
}
