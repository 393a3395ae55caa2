/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: spectra and lines become bands of their own kinds; slips are named. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/observable.h"
#include "support/scratch.h"
#include "survey/survey.h"
#include "survey/units.h"

#define LIGHT_A_S 2.99792458e18
#define TOL_ROUNDED 1e-6   /* wavelengths are kept to 1e-6 A */

static sdn_err err;

static sdn_survey *parse(const char *yaml)
{
  sdn_survey *s = NULL;
  if (sdn_survey_parse(yaml, "test.yaml", &s, &err)) fail_msg("%s", err.text);
  return s;
}

static void near(double got, double truth, double relative)
{
  if (!(fabs(got - truth) <= relative * fabs(truth))) fail_msg("%.12g instead of %.12g", got, truth);
}

/* The text is refused, and the sentence holds each of the words (separated by '|'). */
static void refuse(const char *yaml, const char *words)
{
  sdn_survey *s = NULL;
  char copy[256];
  const sdn_status status = sdn_survey_parse(yaml, "test.yaml", &s, &err);
  if (status == SDN_OK || s) fail_msg("accepted: %s", yaml);
  snprintf(copy, sizeof copy, "%s", words);
  for (char *word = strtok(copy, "|"); word; word = strtok(NULL, "|"))
    if (!strstr(err.text, word)) fail_msg("'%s' is missing in: %s", word, err.text);
}

static sdn_observable *observable(const sdn_survey *s, int band)
{
  sdn_observable *o;
  if (sdn_observable_read(sdn_survey_band_filter(s, band), &o, &err)) fail_msg("%s", err.text);
  return o;
}

#define HEAD "name: T\nflux_unit: uJy\nfloor_fraction: 0.02\npoisson_njy: 0.3\n"
#define BAND "bands: [{name: A, filter: X/Y.A, sigma_njy: 2}]\n"

static void a_mix_is_understood(void **state)
{
  (void)state;
  sdn_survey *s = parse(HEAD "error_column: max\ncolumn_floor_fraction: 0.05\nmissing: {patterns: [{fraction: 0.3, bands: [PRISM, Ha]}]}\n" BAND
                        "spectra:\n"
                        "  - {name: PRISM, wave_A: {low: 10000, high: 20000, n: 100}, resolution: 100, sigma_njy: {low: 1, high: 4}, floor_fraction: 0.05, poisson_njy: 0}\n"
                        "  - {name: G, wave_A: [5000, 5001, 5003], sigma_njy: 7, flux_unit: 1e-20 erg/s/cm2/A, flux: \"F{pixel}_{spectrum}\", error: \"E_{band}\"}\n"
                        "lines:\n"
                        "  - {name: Ha, line: Halpha+NII, sigma: 3, unit: 1e-18 erg/s/cm2}\n"
                        "  - {name: EW, line: H 1 6562.80A, kind: ew, sigma: {low: 5, high: 9}, floor_fraction: 0, column_floor_fraction: 0.1}\n");
  assert_int_equal(sdn_survey_n_band(s), 105);
  assert_int_equal(s->n_spectrum, 2);
  assert_string_equal(sdn_survey_band_name(s, 0), "A");
  assert_string_equal(sdn_survey_band_name(s, 1), "PRISM_0001");
  assert_string_equal(sdn_survey_band_name(s, 100), "PRISM_0100");
  assert_string_equal(sdn_survey_flux_column(s, 100), "FLUX_PRISM_0100");
  assert_string_equal(sdn_survey_flux_column(s, 102), "F0002_G");
  assert_string_equal(sdn_survey_error_column(s, 102), "E_G_0002");
  assert_string_equal(sdn_survey_band_filter(s, 103), "line:Halpha+NII");
  assert_string_equal(sdn_survey_band_filter(s, 104), "line_ew:H 1 6562.80A");
  assert_string_equal(sdn_survey_band_unit(s, 0), "nJy");
  assert_string_equal(sdn_survey_band_unit(s, 50), "nJy");
  assert_string_equal(sdn_survey_band_unit(s, 103), "1e-20 erg/s/cm2");
  assert_string_equal(sdn_survey_band_unit(s, 104), "Angstrom");
  assert_true(sdn_survey_band_spectrum(s, 0) == -1 && sdn_survey_band_spectrum(s, 1) == 0 && sdn_survey_band_spectrum(s, 101) == 1 && sdn_survey_band_spectrum(s, 103) == -1);
  assert_true(s->varies && !s->pattern[0].missing[0] && s->pattern[0].missing[1] && s->pattern[0].missing[100] && !s->pattern[0].missing[101] && s->pattern[0].missing[103]);
  near(s->band[0].floor_fraction, 0.02, 0), near(s->band[0].poisson_njy, 0.3, 0), near(s->band[0].column_floor_fraction, 0.05, 0);
  near(s->band[1].floor_fraction, 0.05, 0), near(s->band[1].poisson_njy, 0, 0), near(s->band[1].column_floor_fraction, 0, 0);
  near(s->band[101].floor_fraction, 0.02, 0), near(s->band[101].poisson_njy, 0.3, 0);
  near(s->band[103].floor_fraction, 0.02, 0), near(s->band[103].poisson_njy, 0, 0);
  near(s->band[104].floor_fraction, 0, 0), near(s->band[104].column_floor_fraction, 0.1, 0);
  near(s->band[1].sigma.low, 1, 0), near(s->band[1].sigma.high, 4, 0), near(s->band[103].sigma.median, 300, 1e-15);
  near(s->band[1].to_njy, 1e3, 0), near(s->band[103].to_njy, 100, 0);
  near(s->band[101].to_njy, 1e12 * 5000 * 5001 / LIGHT_A_S, 1e-12);   /* f_lambda: times low high / c */
  sdn_survey_free(s);
}

/* Ids hold what the YAML says, and neighbours share an edge to the last digit. */
static void pixels_stand_where_they_should(void **state)
{
  (void)state;
  sdn_survey *s = parse(HEAD "spectra: [{name: P, wave_A: {low: 9000, high: 18000, n: 347, spacing: log}, resolution: 250, lsf: gaussian, sigma_njy: 1}]\n");
  double last_A = 9000;
  assert_int_equal(s->n_band, 347);
  for (int b = 0; b < s->n_band; b++) {
    sdn_observable *o = observable(s, b);
    assert_true(o->pixel.low_A >= last_A && o->pixel.low_A <= last_A);
    near(o->pixel.high_A, 9000 * pow(2, (b + 1) / 347.0), 1e-9);
    near(o->pixel.sigma_ln, 1 / (250 * 2.3548200450309493), TOL_ROUNDED);   /* FWHM = 2 sqrt(2 ln 2) sigma */
    last_A = o->pixel.high_A;
    sdn_observable_free(o);
  }
  sdn_survey_free(s);
}

static void files_are_read_beside_the_survey(void **state)
{
  (void)state;
  scratch_write_text("centers.txt", "# A\n10000\n10010\n10030\n10040\n");
  scratch_write_text("edges.txt", "2000\n2001\n2002.5\n");
  scratch_write_text("R.txt", "9000 100\n11000, 200\n");
  scratch_write_text("depth.txt", "9000 10\n11000 30 # nJy\n");
  const char *path = scratch_write_text("files.yaml", HEAD "spectra:\n"
    "  - {name: C, wave_A: {file: centers.txt}, resolution: {file: R.txt}, sigma_njy: {file: depth.txt, low: 0.5, high: 2}}\n"
    "  - name: E\n    wave_A: {edges_file: edges.txt}\n    sigma_njy: 3\n");
  sdn_survey *s = NULL, *again = NULL;
  if (sdn_survey_read(path, &s, &err)) fail_msg("%s", err.text);
  const double edge_A[] = {9995, 10005, 10020, 10035, 10045};
  assert_int_equal(s->n_band, 6);
  for (int b = 0; b < 4; b++) {
    sdn_observable *o = observable(s, b);
    const double center_A = sqrt(edge_A[b] * edge_A[b + 1]), resolution = 100 + 100 * (center_A - 9000) / 2000, depth = 10 + 20 * (center_A - 9000) / 2000;
    near(o->pixel.low_A, edge_A[b], 1e-15), near(o->pixel.high_A, edge_A[b + 1], 1e-15);
    near(o->pixel.sigma_ln, 1 / (resolution * 2.3548200450309493), TOL_ROUNDED);
    near(s->band[b].sigma.low, 0.5 * depth, 1e-12), near(s->band[b].sigma.high, 2 * depth, 1e-12);
    sdn_observable_free(o);
  }
  sdn_observable *sharp = observable(s, 5);
  assert_true(sharp->pixel.low_A >= 2001 && sharp->pixel.high_A <= 2002.5 && !(sharp->pixel.sigma_ln > 0));
  sdn_observable_free(sharp);
  if (sdn_survey_parse(sdn_survey_yaml(s), "a library", &again, &err)) fail_msg("%s", err.text);   /* its text has whole paths */
  for (int b = 0; b < s->n_band; b++) assert_string_equal(sdn_survey_band_filter(s, b), sdn_survey_band_filter(again, b));
  sdn_survey_free(s);
  sdn_survey_free(again);
}

static void noise_knows_its_band(void **state)
{
  (void)state;
  sdn_survey *s = parse(HEAD "error_column: max\ncolumn_floor_fraction: 0.5\n" BAND
                        "spectra: [{name: P, wave_A: [5000, 5001], sigma_njy: 1, floor_fraction: 0, poisson_njy: 0}]\nlines: [{name: L, line: Hbeta, sigma: 1, floor_fraction: 0.1}]\n");
  const float truth[3] = {100, 100, 100};
  float flux[3], sigma[3];
  double f, e, ln_like;
  assert_int_equal(sdn_survey_draw(s, 1, truth, 1, 2, 3, flux, sigma, &err), SDN_OK);
  near((double)sigma[0], 0.5 * fabs((double)flux[0]), 1e-6);
  near((double)sigma[1], 1, 0), near((double)sigma[2], 1, 0);
  near(sdn_noise_variance(&s->band[0], 2, 100), 4 + 4 + 30, 1e-12);
  near(sdn_noise_variance(&s->band[1], 1, 100), 1, 1e-12);
  near(sdn_noise_variance(&s->band[2], 1, 100), 101, 1e-12);
  assert_int_equal(sdn_survey_to_njy(s, 2, 4, 2, &f, &e), SDN_BAND_OBSERVED);
  near(f, 4, 0), near(e, 2, 0);   /* the survey's flux unit, uJy, is of no concern to a line */
  const float missing[3] = {NAN, flux[1], flux[2]};
  const double r1 = (double)flux[1] - 100, r2 = (double)flux[2] - 100;
  assert_int_equal(sdn_survey_ln_likelihood(s, missing, sigma, 1, truth, &ln_like, &err), SDN_OK);
  near(ln_like, -0.5 * (r1 * r1 + r2 * r2 / 101 + log(101) + 2 * log(6.283185307179586)), 1e-9);
  sdn_survey_free(s);
}

static void slips_are_named(void **state)
{
  (void)state;
  refuse(HEAD "spectra: {name: P}\n", "test.yaml:5|list of maps");
  refuse(HEAD "spectra: [{name: P, sigma_njy: 1}]\n", "needs wave_A");
  refuse(HEAD "spectra: [{name: P, wave_A: {low: 2, high: 1, n: 3}, sigma_njy: 1}]\n", "low < high");
  refuse(HEAD "spectra: [{name: P, wave_A: {low: 1000, high: 2000, n: 5000}, sigma_njy: 1}]\n", "4095 pixels");
  refuse(HEAD "spectra: [{name: P, wave_A: {low: 1000, high: 2000, n: 5, spacing: cubic}, sigma_njy: 1}]\n", "cubic|linear or log");
  refuse(HEAD "spectra: [{name: P, wave_A: [1000, 1001, 1001], sigma_njy: 1}]\n", "ascend|number 3");
  refuse(HEAD "spectra: [{name: P, wave_A: [1000, 1001], resolution: 5, sigma_njy: 1}]\n", "resolution of 5|8.5");
  refuse(HEAD "spectra: [{name: P, wave_A: [1000, 1001], resolution: -5, sigma_njy: 1}]\n", "not positive");
  refuse(HEAD "spectra: [{name: P, wave_A: [1000, 1001], lsf: voigt, sigma_njy: 1}]\n", "voigt|gaussian");
  refuse(HEAD "spectra: [{name: P, wave_A: [1000, 1001]}]\n", "sigma_njy");
  refuse(HEAD "spectra: [{name: P, wave_A: [1000, 1001], sigma_nJy: 1}]\n", "sigma_nJy|sigma_njy");
  refuse(HEAD "spectra: [{name: P, wave_A: [1000, 1001], sigma_njy: 1}, {name: P, wave_A: [1000, 1001], sigma_njy: 1}]\n", "two spectra are named P");
  refuse(HEAD "spectra: [{name: P, wave_A: [1000, 1001], sigma_njy: 1, column_floor_fraction: 0.1}]\n", "error_column none");
  refuse("name: T\nflux_unit: AB_mag\nspectra: [{name: P, wave_A: [1000, 1001], sigma_njy: 1}]\n", "magnitudes|flux_unit");
  refuse("name: T\nflux_unit: erg/s/cm2/A\n" BAND, "f_lambda");
  refuse(HEAD "lines: [{name: L, line: \"Halpha+\", sigma: 1}]\n", "names no line");
  refuse(HEAD "lines: [{name: L, line: Halpha}]\n", "sigma");
  refuse(HEAD "lines: [{name: L, line: Halpha, kind: width, sigma: 1}]\n", "width|ew");
  refuse(HEAD "lines: [{name: L, line: Halpha, kind: ew, unit: erg/s, sigma: 1}]\n", "erg/s|Angstrom");
  refuse(HEAD BAND "lines: [{name: A, line: Halpha, sigma: 1}]\n", "two bands are named A");
  refuse(HEAD, "needs bands|spectra");
  const char *wave = scratch_write_text("bad.txt", "1000\nx\n"), *narrow = scratch_write_text("narrow.txt", "1000 100\n1100 100\n");
  char yaml[1024];
  snprintf(yaml, sizeof yaml, HEAD "spectra: [{name: P, wave_A: {file: %s}, sigma_njy: 1}]\n", wave);
  refuse(yaml, "bad.txt:2|1 number");
  snprintf(yaml, sizeof yaml, HEAD "spectra: [{name: P, wave_A: {low: 1000, high: 1200, n: 10}, resolution: {file: %s}, sigma_njy: 1}]\n", narrow);
  refuse(yaml, "spans 1000 to 1100|extend");
}

/* The largest survey is no burden: draws and features of 4096 numbers. */
static void thousands_of_pixels_work(void **state)
{
  enum { n = 4000 };
  static float truth[n], flux[n], sigma[n], x[5 * n];
  double ln_like;
  (void)state;
  sdn_survey *s = parse(HEAD "missing: {drop_fraction: 0.1, patterns: [{fraction: 0.5, bands: [P]}]}\nspectra: [{name: P, wave_A: {low: 3000, high: 9000, n: 3999}, resolution: 2000, "
                        "sigma_njy: {low: 1, high: 2}}]\nlines: [{name: L, line: Lya, sigma: 1}]\n");
  assert_int_equal(s->n_band, n);
  for (int b = 0; b < n; b++) truth[b] = 10;
  assert_int_equal(sdn_survey_draw(s, 1, truth, 1, 2, 4, flux, sigma, &err), SDN_OK);
  sdn_survey_features(s, 1, flux, sigma, x);
  assert_int_equal(sdn_survey_n_feature(s), 5 * n);
  for (int i = 0; i < 5 * n; i++) assert_true(isfinite(x[i]));
  assert_int_equal(sdn_survey_ln_likelihood(s, flux, sigma, 1, truth, &ln_like, &err), SDN_OK);
  assert_true(isfinite(ln_like));
  sdn_survey_free(s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_mix_is_understood), cmocka_unit_test(pixels_stand_where_they_should), cmocka_unit_test(files_are_read_beside_the_survey), cmocka_unit_test(noise_knows_its_band),
    cmocka_unit_test(slips_are_named), cmocka_unit_test(thousands_of_pixels_work),
  };
  return cmocka_run_group_tests_name("survey_spectra", tests, NULL, NULL);
}
