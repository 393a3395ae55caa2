/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra and lines in a library: what they hold, that they do not depend on threads or interruptions, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/h5.h"
#include "library/library_file.h"
#include "support/scratch.h"
#include "support/simulate_fixture.h"

#define N 2500              /* two tiles and a part of one */
#define SAME 3e-6           /* relative: float32 sums in another grouping of galaxies */

static sdn_err err;
static const char with_lines[] =
  "grid: bc03-miles-kroupa\nredshift: {prior: uniform, low: 0.05, high: 3}\n"
  "stars: {log_mass_formed_msun: {prior: uniform, low: 8, high: 12}, log_metallicity: -2, sfh: {family: delayed_exponential, age_gyr: 1, tau_gyr: 1}}\n"
  "dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 2}}\n";

static void begin(simulate_fixture *f, const char *name)
{
  simulate_begin(f, name, N);
  scratch_write_text("model.yaml", with_lines);
  f->options.spectra_range = "1000:9000";
}

static double *read_all(const char *path, const char *name, sdn_h5_shape *shape)
{
  sdn_h5 *file = NULL;
  double *value = NULL;
  if (sdn_h5_open(path, &file, &err) || sdn_h5_read_double(file, name, &value, shape, &err)) fail_msg("%s", err.text);
  sdn_h5_close(file, &err);
  return value;
}

/* Row by row what the public interface computes from the file's own z. */
static void test_what_it_holds(void **state)
{
  (void)state;
  simulate_fixture f;
  sdn_h5_shape shape, line_shape, wave_shape;
  sdn_library *lib;
  sdn_model *model;
  sdn_forward *forward;
  begin(&f, "spectra.h5");
  simulate_must(&f, 2, NULL);
  double *wave = read_all(f.output, "spectra_wave_A", &wave_shape), *spectra = read_all(f.output, "spectra", &shape);
  double *line_wave = read_all(f.output, "line_wave_A", &line_shape), *line = read_all(f.output, "line_luminosity_erg_s", &line_shape);
  assert_int_equal(shape.dim[0], N);
  assert_int_equal(shape.dim[1], wave_shape.dim[0]);
  assert_int_equal(sdn_library_open(f.output, &lib, &err), SDN_OK);
  assert_int_equal(sdn_model_parse(sdn_library_model_yaml(lib), "library", &model, &err), SDN_OK);
  assert_int_equal(sdn_forward_new_over(model, 0, NULL, 500, 9500, &forward, &err), SDN_OK);
  long n_node, first = 0;
  const double *node = sdn_forward_wave_A(forward, &n_node);
  const int n_line = sdn_forward_n_line(forward), n_param = sdn_prior_n_param(sdn_model_prior(model));
  assert_int_equal(line_shape.dim[1], n_line);
  while (node[first] < 1000) first++;
  const long last = first + shape.dim[1] - 1;
  assert_true(node[last] <= 9000 && node[last + 1] > 9000);   /* all within the range */
  float z[8], *lnu = calloc((size_t)n_node, sizeof *lnu);
  double z_exact[8], params[64], *lum = calloc((size_t)n_line, sizeof *lum);
  assert_true(sdn_library_n_free(lib) <= 8 && n_param <= 64);
  for (long i = 0; i < N; i += 311) {
    assert_int_equal(sdn_library_rows(lib, i, 1, z, NULL, &err), SDN_OK);
    for (int k = 0; k < sdn_library_n_free(lib); k++) z_exact[k] = z[k];
    assert_int_equal(sdn_prior_params(sdn_model_prior(model), 1, z_exact, params, &err), SDN_OK);
    const sdn_line_values out = {.luminosity_erg_s = lum};
    assert_int_equal(sdn_forward_spectra(forward, 1, params, lnu, NULL, &err), SDN_OK);
    assert_int_equal(sdn_forward_lines(forward, 1, params, &out, NULL, &err), SDN_OK);
    for (long j = 0; j < shape.dim[1]; j++) {
      assert_true(wave[j] == node[first + j]);
      if (!(fabs(spectra[i * shape.dim[1] + j] - (double)lnu[first + j]) <= SAME * (double)lnu[first + j]))
        fail_msg("row %ld, %g A: %g, recomputed %g", i, wave[j], spectra[i * shape.dim[1] + j], (double)lnu[first + j]);
    }
    for (int l = 0; l < n_line; l++)
      if (!(fabs(line[i * n_line + l] - lum[l]) <= SAME * lum[l])) fail_msg("row %ld, line %d: %g, recomputed %g", i, l, line[i * n_line + l], lum[l]);
  }
  free(lnu);
  free(lum);
  sdn_release(wave);
  sdn_release(spectra);
  sdn_release(line_wave);
  sdn_release(line);
  sdn_library_close(lib);
  sdn_forward_free(forward);
  sdn_model_free(model);
}

static void test_threads(void **state)
{
  (void)state;
  simulate_fixture one, many;
  char path[600];
  begin(&one, "one.h5");
  simulate_must(&one, 1, NULL);
  begin(&many, "many.h5");
  simulate_must(&many, 5, NULL);
  snprintf(path, sizeof path, "%s", many.output);
  simulate_assert_same_file(one.output, path);
}

/* Stopped after a while, gone on with: the same bytes. */
static void stop_soon(void *ctx, const char *what, double done, double total, const char *detail)
{
  (void)what, (void)total, (void)detail;
  if (done > 0) *(volatile int *)ctx = 1;
}

static void test_resume(void **state)
{
  (void)state;
  enum { long_n = 20000 };   /* more than one group of tiles */
  simulate_fixture whole, parts;
  sdn_simulate_summary s;
  int stop = 0;
  begin(&whole, "whole.h5");
  whole.options.n = long_n;
  whole.options.spectra_range = "4000:4400";
  simulate_must(&whole, 2, NULL);
  begin(&parts, "parts.h5");
  parts.options = whole.options;
  parts.options.output = parts.output;
  const sdn_run run = {.n_thread = 2, .command = "test", .progress = stop_soon, .progress_ctx = &stop, .stop = &stop};
  assert_int_equal(sdn_simulate(&parts.options, &run, &s, &err), SDN_INTERRUPTED);
  parts.options.spectra_range = "4000:4500";
  assert_int_equal(simulate_run(&parts, 2, &s, &err), SDN_USAGE);   /* other wavelengths */
  assert_non_null(strstr(err.text, "wavelengths"));
  parts.options.spectra_range = NULL;
  assert_int_equal(simulate_run(&parts, 2, &s, &err), SDN_USAGE);   /* none */
  assert_non_null(strstr(err.text, "stores spectra"));
  parts.options.spectra_range = "4000:4400";
  simulate_must(&parts, 2, &s);
  assert_true(s.n_resumed > 0 && s.n_resumed < long_n);
  simulate_assert_same_file(whole.output, parts.output);
}

/* A thousand times more than any disk has is refused before anything is written. */
static void test_no_room(void **state)
{
  (void)state;
  simulate_fixture f;
  sdn_simulate_size size;
  begin(&f, "huge.h5");
  f.options.design = "random";
  f.options.n = 1000000000000;
  assert_int_equal(sdn_simulate_measure(&f.options, &size, &err), SDN_OK);
  assert_true(size.spectra_bytes > 1e12 * (4. * (double)size.n_wave) * (1 - 1e-12));
  assert_true(size.bytes > size.spectra_bytes && size.free_bytes > 0 && size.n_wave > 100);
  if (size.free_bytes < size.bytes) {
    assert_int_equal(simulate_run(&f, 1, NULL, &err), SDN_IO);
    assert_non_null(strstr(err.text, "GB left"));
    assert_false(scratch_exists(f.output));
    assert_false(scratch_exists(f.part));
  }
}

static void test_bad_ranges(void **state)
{
  (void)state;
  static const char *const bad[] = {"", "1000", "a:b", "9000:1000", "1000:nan", "1000:2000:3000", "1e12:1e13"};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    simulate_fixture f;
    begin(&f, "bad.h5");
    f.options.spectra_range = bad[i];
    const sdn_status status = simulate_run(&f, 1, NULL, &err);
    if (status != SDN_USAGE && status != SDN_RANGE) fail_msg("range '%s' gives status %d", bad[i], (int)status);
    assert_false(scratch_exists(f.output));
    assert_false(scratch_exists(f.part));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_it_holds), cmocka_unit_test(test_threads),   cmocka_unit_test(test_resume),
                                     cmocka_unit_test(test_no_room),       cmocka_unit_test(test_bad_ranges)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
