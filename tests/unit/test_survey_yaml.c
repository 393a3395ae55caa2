/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: what is understood, and that every slip is named with its line. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "survey/survey.h"
#include "survey/units.h"

static sdn_survey *parse(const char *yaml)
{
  sdn_err err;
  sdn_survey *s = NULL;
  if (sdn_survey_parse(yaml, "test.yaml", &s, &err)) fail_msg("%s", err.text);
  return s;
}

static void assert_near(double value, double expected, double relative)
{
  if (!(fabs(value - expected) <= relative * fabs(expected))) fail_msg("%.10g is not %.10g", value, expected);
}

/* The text is refused, and the sentence holds each of the words (separated by '|'). */
static void refuse(const char *yaml, const char *words)
{
  sdn_err err = {.status = SDN_OK};
  sdn_survey *s = NULL;
  const sdn_status status = sdn_survey_parse(yaml, "test.yaml", &s, &err);
  assert_int_equal(status, SDN_USAGE);
  assert_int_equal(err.status, SDN_USAGE);
  assert_null(s);
  char copy[256];
  snprintf(copy, sizeof copy, "%s", words);
  for (char *word = strtok(copy, "|"); word; word = strtok(NULL, "|"))
    if (!strstr(err.text, word)) fail_msg("'%s' is missing in: %s", word, err.text);
}

#define HEAD "name: T\nflux_unit: nJy\n"
#define ONE_BAND "bands:\n  - {name: A, filter: X/Y.A, sigma_njy: 2}\n"

static void test_all_keys(void **state)
{
  (void)state;
  sdn_survey *s = parse("name: Deep field\n"
                        "flux_unit: uJy\n"
                        "missing_value: [-99, 0]\n"
                        "floor_fraction: 0.02\n"
                        "poisson_njy: 0.5\n"
                        "error_column: max\n"
                        "column_floor_fraction: 0.05\n"
                        "sigma_correlation: 0.3\n"
                        "missing: {drop_fraction: 0.1, patterns: [{fraction: 0.2, bands: [B, C]}, {fraction: 0.3, bands: [A]}]}\n"
                        "columns: {id: ID, redshift: Z_SPEC, flux: \"F_{band}_x\", error: \"E_{band}\"}\n"
                        "bands:\n"
                        "  - {name: A, filter: X/Y.A, sigma_njy: 2.5}\n"
                        "  - {name: B, filter: X/Y.B, sigma_njy: {low: 3, high: 12}, flux: fb, error: eb}\n"
                        "  - {name: C, filter: X/Y.C, sigma_njy: {quantiles: [1, 2, 4]}, zero_point_mag: 0.1}\n");
  assert_string_equal(sdn_survey_name(s), "Deep field");
  assert_int_equal(sdn_survey_n_band(s), 3);
  assert_int_equal(sdn_survey_n_feature(s), 15);
  assert_string_equal(sdn_survey_band_name(s, 1), "B");
  assert_string_equal(sdn_survey_band_filter(s, 2), "X/Y.C");
  assert_string_equal(sdn_survey_flux_column(s, 0), "F_A_x");
  assert_string_equal(sdn_survey_error_column(s, 2), "E_C");
  assert_string_equal(sdn_survey_flux_column(s, 1), "fb");
  assert_string_equal(sdn_survey_error_column(s, 1), "eb");
  assert_string_equal(sdn_survey_id_column(s), "ID");
  assert_string_equal(sdn_survey_redshift_column(s), "Z_SPEC");
  assert_string_equal(sdn_survey_evidence_kind(s), "p(f,sigma)");
  assert_true(s->varies && s->error_column == SDN_ERROR_COLUMN_MAX && s->n_pattern == 2 && s->n_missing_value == 2);
  assert_true(s->pattern[0].missing[1] && s->pattern[0].missing[2] && !s->pattern[0].missing[0] && s->pattern[1].missing[0]);
  assert_near(s->floor_fraction, 0.02, 0);
  assert_near(s->poisson_njy, 0.5, 0);
  assert_near(s->column_floor_fraction, 0.05, 0);
  assert_near(s->sigma_correlation, 0.3, 0);
  assert_near(s->drop_fraction, 0.1, 0);
  sdn_survey_free(s);
}

static void test_defaults(void **state)
{
  (void)state;
  sdn_survey *s = parse(HEAD ONE_BAND);
  assert_near(s->sigma_correlation, 0.8, 0);
  assert_true(s->floor_fraction == 0 && s->drop_fraction == 0 && s->n_pattern == 0 && s->poisson_njy == 0 && !s->varies);
  assert_string_equal(sdn_survey_flux_column(s, 0), "FLUX_A");
  assert_string_equal(sdn_survey_error_column(s, 0), "FLUXERR_A");
  assert_null(sdn_survey_id_column(s));
  assert_null(sdn_survey_redshift_column(s));
  assert_string_equal(sdn_survey_evidence_kind(s), "p(f|sigma0)");
  assert_string_equal(sdn_survey_yaml(s), HEAD ONE_BAND);
  sdn_survey_free(s);
}

/* AB magnitude 31.4 is 1 nJy (Oke & Gunn 1983: -48.6 in cgs, so 31.4 in nJy). */
static void test_depths(void **state)
{
  (void)state;
  double low, median, high;
  sdn_survey *s = parse(HEAD "bands:\n"
                             "  - {name: A, filter: a, depth_ab_mag: 28.9, depth_n_sigma: 10}\n"
                             "  - {name: B, filter: b, depth_ab_mag: 28.9}\n"
                             "  - {name: C, filter: c, depth_ab_mag: {low: 26.4, high: 31.4}, depth_n_sigma: 1}\n"
                             "  - {name: D, filter: d, sigma_njy: {low: 1, high: 100}}\n"
                             "  - {name: E, filter: e, sigma_njy: {quantiles: [1, 2, 8]}}\n"
                             "  - {name: F, filter: f, sigma_njy: {low: 3, high: 3}}\n");
  sdn_survey_sigma_range(s, 0, &low, &median, &high);
  assert_near(low, 1, 1e-9);
  assert_true(s->band[0].sigma.constant);
  sdn_survey_sigma_range(s, 1, &low, &median, &high);
  assert_near(median, 2, 1e-9);
  sdn_survey_sigma_range(s, 2, &low, &median, &high);
  assert_near(low, 1, 1e-9);
  assert_near(median, 10, 1e-9);
  assert_near(high, 100, 1e-9);
  sdn_survey_sigma_range(s, 3, &low, &median, &high);
  assert_near(median, 10, 1e-9);
  sdn_survey_sigma_range(s, 4, &low, &median, &high);
  assert_true(low == 1 && median == 2 && high == 8);
  assert_true(s->band[5].sigma.constant && !s->band[4].sigma.constant);
  sdn_survey_free(s);
}

/* Data of any simulator in place of bands. */
static void test_data(void **state)
{
  (void)state;
  sdn_survey *s = parse(HEAD "data:\n  - {name: A}\n  - {name: B, center: 3, scale: 2, log: true, sigma: 0.5}\n");
  assert_true(s->plain && s->n_band == 2 && s->band[0].exact && !s->band[1].exact && s->band[1].log);
  assert_true(s->band[0].center == 0 && s->band[0].scale == 1 && s->band[1].center == 3 && s->band[1].scale == 2);
  sdn_survey_free(s);
  refuse(HEAD "data:\n  - {name: A, log: true}\n", "test.yaml:4|A has log|positive");
  refuse(HEAD "data:\n  - {name: A, log: yes}\n", "test.yaml:4|log is 'yes'|true or false");
  refuse(HEAD "data:\n  - {name: A, scale: 0}\n", "test.yaml:4|scale is 0");
  refuse(HEAD "data:\n  - {name: A, sigma: -1}\n", "test.yaml:4|A|-1");
  refuse(HEAD "data:\n  - {name: A, filter: a}\n", "test.yaml:4|filter");
  refuse(HEAD "data: []\n", "test.yaml:3|data is a list");
  refuse(HEAD "data: [{name: A}]\n" ONE_BAND, "either data");
}

static void test_unknown_keys(void **state)
{
  (void)state;
  refuse(HEAD "floor_fractoin: 0.1\n" ONE_BAND, "test.yaml:3|floor_fractoin|floor_fraction");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: 1}\n  - {name: B, filtre: a, sigma_njy: 1}\n", "test.yaml:5|filtre|filter");
  refuse(HEAD "missing: {drop_frction: 0.1}\n" ONE_BAND, "test.yaml:3|drop_frction|drop_fraction");
  refuse(HEAD "missing: {patterns: [{fraction: 0.1, band: [A]}]}\n" ONE_BAND, "test.yaml:3|band|bands");
  refuse(HEAD "columns: {fluxx: \"{band}\"}\n" ONE_BAND, "test.yaml:3|fluxx|flux");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: {low: 1, hihg: 2}}\n", "test.yaml:4|hihg|high");
  refuse(HEAD "bands:\n  - {name: A, filter: a, depth_ab_mag: {low: 1, hi: 2}}\n", "test.yaml:4|hi|high");
}

static void test_bad_noise(void **state)
{
  (void)state;
  refuse("name: T\nflux_unit: njy\n" ONE_BAND, "test.yaml:2|njy|nJy|erg/s/cm2/Hz");
  refuse("name: T\n" ONE_BAND, "flux_unit");
  refuse("flux_unit: nJy\n" ONE_BAND, "name");
  refuse(HEAD "floor_fraction: -0.1\n" ONE_BAND, "test.yaml:3|floor_fraction|-0.1");
  refuse(HEAD "floor_fraction: 2%\n" ONE_BAND, "test.yaml:3|floor_fraction|2%");
  refuse(HEAD "sigma_correlation: 0.99\n" ONE_BAND, "sigma_correlation|0.99|0.95");
  refuse(HEAD "error_column: floor\n" ONE_BAND, "floor|none, quadrature or max");
  refuse(HEAD "error_column: max\n" ONE_BAND, "column_floor_fraction");
  refuse(HEAD "column_floor_fraction: 0.05\n" ONE_BAND, "error_column");
  refuse(HEAD "error_column: max\ncolumn_floor_fraction: 0\n" ONE_BAND, "column_floor_fraction is 0");
  refuse(HEAD "poisson_njy: -1\n" ONE_BAND, "poisson_njy|-1");
}

static void test_bad_bands(void **state)
{
  (void)state;
  refuse(HEAD, "bands");
  refuse(HEAD "bands: []\n", "bands");
  refuse(HEAD "bands: {name: A}\n", "bands");
  refuse("- 1\n", "map");
  refuse(HEAD "bands: [F444W]\n", "test.yaml:3|band is a map");
  refuse(HEAD "bands:\n  - {name: A, filter: a}\n", "A|sigma_njy|depth_ab_mag|none");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: 1, depth_ab_mag: 28}\n", "A|both");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: 1, depth_n_sigma: 5}\n", "depth_n_sigma");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: 0}\n", "A|0 nJy");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: -3}\n", "A|-3 nJy");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: .nan}\n", "sigma_njy");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: {low: 5, high: 2}}\n", "ascend|5 nJy|2 nJy");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: {low: 5}}\n", "high");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: {quantiles: [1, 3, 2]}}\n", "ascend|3 nJy|2 nJy");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: {quantiles: [1, 2], low: 1}}\n", "either");
  refuse(HEAD "bands:\n  - {name: A, filter: a, depth_ab_mag: {low: 29, high: 28}}\n", "29|28");
  refuse(HEAD "bands:\n  - {name: A, filter: a, depth_ab_mag: 28, depth_n_sigma: 0}\n", "depth_n_sigma");
  refuse(HEAD "bands:\n  - {name: A, filter: a, sigma_njy: 1}\n  - {name: A, filter: b, sigma_njy: 1}\n", "test.yaml:5|two bands|A");
  refuse(HEAD "columns: {flux: FLUX}\n" ONE_BAND, "FLUX|{band}");
}

static void test_bad_masks(void **state)
{
  (void)state;
  refuse(HEAD "missing: 0.1\n" ONE_BAND, "missing");
  refuse(HEAD "missing: {drop_fraction: 1}\n" ONE_BAND, "drop_fraction|0.99");
  refuse(HEAD "missing: {patterns: [{fraction: 0.2, bands: [A]}]}\n" ONE_BAND, "no band at all");
  refuse(HEAD "missing: {patterns: [{fraction: 0.2, bands: [F44W]}]}\nbands:\n  - {name: F444W, filter: a, sigma_njy: 1}\n", "F44W|F444W");
  refuse(HEAD "missing: {patterns: [{fraction: 0.6, bands: [A]}, {fraction: 0.6, bands: [B]}]}\n"
              "bands:\n  - {name: A, filter: a, sigma_njy: 1}\n  - {name: B, filter: a, sigma_njy: 1}\n", "1.2");
  refuse(HEAD "missing: {patterns: [{fraction: 1.5, bands: []}]}\n" ONE_BAND, "fraction|1.5");
}

static void test_read_file(void **state)
{
  (void)state;
  sdn_err err;
  sdn_survey *s = NULL;
  assert_int_not_equal(sdn_survey_read("/nonexistent/survey.yaml", &s, &err), SDN_OK);
  assert_null(s);
  assert_non_null(strstr(err.text, "/nonexistent/survey.yaml"));
  assert_int_not_equal(sdn_survey_read("no-such-survey", &s, &err), SDN_OK);
  assert_non_null(strstr(err.text, "no-such-survey"));
}

/* Every survey that is shipped is understood. */
static void test_shipped(void **state)
{
  static const char *const names[] = {"cosmos2020", "jades_gs"};
  (void)state;
  sdn_err err;
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    sdn_survey *s = NULL;
    if (sdn_survey_read(names[i], &s, &err)) fail_msg("%s", err.text);
    assert_true(sdn_survey_n_band(s) > 1);
    assert_true(s->floor_fraction >= 0.02);
    sdn_survey_free(s);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_all_keys),  cmocka_unit_test(test_defaults),  cmocka_unit_test(test_depths),    cmocka_unit_test(test_data), cmocka_unit_test(test_unknown_keys),
    cmocka_unit_test(test_bad_noise), cmocka_unit_test(test_bad_bands), cmocka_unit_test(test_bad_masks), cmocka_unit_test(test_read_file),
    cmocka_unit_test(test_shipped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
