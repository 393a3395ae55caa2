/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Units, features, and the distribution of background errors, each against its definition. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include "survey/survey.h"
#include "survey/units.h"

#define TABLE_ERROR 1.2e-4   /* linear interpolation of exp(L Phi(t)), L = ln 100: step^2/8 times L phi (L phi - t) <= 3.7 */
#define FEATURE_ERROR 1e-6   /* relative, or absolute below 1: float32 arithmetic with a few roundings */
#define UNIT_ERROR 1e-12     /* relative: a handful of roundings */

static sdn_survey *parse(const char *yaml)
{
  sdn_err err;
  sdn_survey *s = NULL;
  if (sdn_survey_parse(yaml, "test.yaml", &s, &err)) fail_msg("%s", err.text);
  return s;
}

static void assert_near(double value, double expected, double tolerance)
{
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.10g is not %.10g", value, expected);
}

/* sigma0(t) = low (high/low)^Phi(t), Phi by GSL; and back. */
static void test_sigma_log_uniform(void **state)
{
  (void)state;
  static sdn_sigma d;
  sdn_sigma_set(&d, 2, (double[]){0.5, 50});
  for (double t = -4.9; t < 4.9; t += 0.0173) {
    const double expected = 0.5 * pow(100, gsl_cdf_ugaussian_P(t)), sigma = sdn_sigma_at(&d, t);
    double ln_slope;
    assert_near(sigma, expected, TABLE_ERROR * expected);
    if (fabs(t) > 4) continue;   /* further out float32 nodes differ in their last digits alone, and t is not to be had back */
    assert_near(sdn_sigma_rank(&d, sigma, &ln_slope), t, 1e-3);
    const double density = exp(-0.5 * t * t) / sqrt(2 * 3.141592653589793), dt_dsigma = 1 / (sigma * log(100) * density);
    assert_near(ln_slope, log(dt_dsigma), 0.05);   /* a slope of linear pieces: half a step, 1/128, times t */
  }
  assert_near(sdn_sigma_at(&d, -40), 0.5, 0);
  assert_near(sdn_sigma_at(&d, 40), 50, 0);
  assert_near(sdn_sigma_at(&d, NAN), 0.5, 0);
}

static void test_sigma_quantiles(void **state)
{
  (void)state;
  static sdn_sigma d;
  const double value[] = {1, 2, 2, 5, 30};
  sdn_sigma_set(&d, 5, value);
  for (int i = 1; i < 4; i++) assert_near(sdn_sigma_at(&d, gsl_cdf_ugaussian_Pinv(i / 4.0)), value[i], 0.005 * value[i]);   /* kinks are rounded by a step of t */
  assert_near(sdn_sigma_at(&d, gsl_cdf_ugaussian_Pinv(0.9)), 5 * pow(6, 0.6), TABLE_ERROR * 15);
  double ln_slope;
  const double t = sdn_sigma_rank(&d, 2, &ln_slope);   /* many ranks share the value 2 */
  assert_near(t, 0.5 * gsl_cdf_ugaussian_Pinv(0.25), 0.02);
  assert_near(ln_slope, 0, 0);
  assert_near(sdn_sigma_rank(&d, 1e-3, &ln_slope), -SDN_SIGMA_T_MAX, 0);
  assert_near(sdn_sigma_rank(&d, 1e3, &ln_slope), SDN_SIGMA_T_MAX, 0);
  assert_true(isfinite(ln_slope));
  sdn_sigma_set(&d, 1, value);
  assert_true(d.constant);
  assert_near(sdn_sigma_at(&d, 3), 1, 0);
}

static void check_unit(const char *unit, double njy)
{
  char yaml[256];
  double f, e;
  snprintf(yaml, sizeof yaml, "name: T\nflux_unit: %s\nbands:\n  - {name: A, filter: a, sigma_njy: 1, zero_point_mag: 2.5}\n", unit);
  sdn_survey *s = parse(yaml);
  assert_int_equal(sdn_survey_to_njy(s, 0, 20 / njy, 3 / njy, &f, &e), SDN_BAND_OBSERVED);
  assert_near(f, 2, UNIT_ERROR);   /* zero point +2.5 mag: a tenth of the flux */
  assert_near(e, 0.3, UNIT_ERROR);
  sdn_survey_free(s);
}

static void test_units(void **state)
{
  (void)state;
  check_unit("nJy", 1);
  check_unit("uJy", 1e3);
  check_unit("mJy", 1e6);
  check_unit("Jy", 1e9);
  check_unit("erg/s/cm2/Hz", 1e32);
  check_unit("W/m2/Hz", 1e35);
}

static void test_magnitudes(void **state)
{
  (void)state;
  double f, e, brighter, fainter, unused;
  sdn_survey *s = parse("name: T\nflux_unit: AB_mag\nmissing_value: [99, -99.9]\nbands:\n  - {name: A, filter: a, sigma_njy: 1}\n"
                        "  - {name: B, filter: b, sigma_njy: 1, zero_point_mag: -0.5}\n");
  assert_int_equal(sdn_survey_to_njy(s, 0, 23.9, 0.1, &f, &e), SDN_BAND_OBSERVED);   /* 1 uJy */
  assert_near(f, 1000, 1e-9);
  sdn_survey_to_njy(s, 0, 23.9 - 1e-4, 0.1, &brighter, &unused);
  sdn_survey_to_njy(s, 0, 23.9 + 1e-4, 0.1, &fainter, &unused);
  assert_near(e, 0.1 * (brighter - fainter) / 2e-4, 1e-5 * e);   /* the derivative, numerically */
  assert_int_equal(sdn_survey_to_njy(s, 1, 24.4, 0.1, &f, &e), SDN_BAND_OBSERVED);
  assert_near(f, 1000, 1e-9);
  assert_int_equal(sdn_survey_to_njy(s, 0, 99, 0.1, &f, &e), SDN_BAND_MISSING);
  assert_int_equal(sdn_survey_to_njy(s, 0, (double)-99.9f, 0.1, &f, &e), SDN_BAND_MISSING);
  assert_int_equal(sdn_survey_to_njy(s, 0, -1e5, 0.1, &f, &e), SDN_BAND_ABSURD);   /* overflows float32 */
  assert_true(isnan(f) && isnan(e));
  sdn_survey_free(s);
}

static void test_missing_and_bad(void **state)
{
  (void)state;
  double f, e;
  sdn_survey *s = parse("name: T\nflux_unit: nJy\nmissing_value: -99\nbands:\n  - {name: A, filter: a, sigma_njy: 1}\n");
  const struct { double flux, error; sdn_band_state state; } cases[] = {
    {5, 1, SDN_BAND_OBSERVED}, {-5, 1, SDN_BAND_OBSERVED},   {0, 1, SDN_BAND_OBSERVED},       {NAN, 1, SDN_BAND_MISSING},
    {NAN, NAN, SDN_BAND_MISSING}, {-99, 1, SDN_BAND_MISSING}, {5, -99, SDN_BAND_MISSING},     {-99, -99, SDN_BAND_MISSING},
    {5, NAN, SDN_BAND_BAD_ERROR}, {5, 0, SDN_BAND_BAD_ERROR}, {5, -1, SDN_BAND_BAD_ERROR},    {5, INFINITY, SDN_BAND_BAD_ERROR},
    {INFINITY, 1, SDN_BAND_MISSING}, {-INFINITY, 1, SDN_BAND_MISSING}, {1e39, 1, SDN_BAND_ABSURD}, {1e39, 0, SDN_BAND_BAD_ERROR}, {5, 1e-46, SDN_BAND_BAD_ERROR},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(sdn_survey_to_njy(s, 0, cases[i].flux, cases[i].error, &f, &e), cases[i].state);
    assert_int_equal(isnan(f), cases[i].state != SDN_BAND_OBSERVED);
    assert_int_equal(isnan(e), cases[i].state != SDN_BAND_OBSERVED);
  }
  sdn_survey_free(s);
}

static void test_features(void **state)
{
  (void)state;
  sdn_survey *s = parse("name: T\nflux_unit: nJy\nbands:\n  - {name: A, filter: a, sigma_njy: {low: 1, high: 16}}\n  - {name: B, filter: b, sigma_njy: 0.01}\n");
  float x[10];
  for (double size = 1e-6; size < 1e12; size *= 3.7) {
    const float flux[] = {(float)size, (float)-size}, sigma[] = {(float)(0.1 * size), 0.02f};
    sdn_survey_features(s, 1, flux, sigma, x);
    const double a0 = asinh((double)flux[0] / 4), a1 = asinh((double)flux[1] / 0.01);
    const double expected[] = {a0, a1, log((double)sigma[0] / 4), log(2.0), 1, 1, 0, a1 - a0, 0.5 * (a0 - a1), 0.5 * (a1 - a0)};
    for (int k = 0; k < 10; k++) assert_near(x[k], expected[k], 2 * FEATURE_ERROR * fmax(1, fmax(fabs(a0), fabs(a1))));
  }
  sdn_survey_free(s);
}

/* A missing band is 0 everywhere, and colours step over it. */
static void test_features_with_gaps(void **state)
{
  (void)state;
  sdn_survey *s = parse("name: T\nflux_unit: nJy\nbands:\n  - {name: A, filter: a, sigma_njy: 1}\n  - {name: B, filter: b, sigma_njy: 1}\n"
                        "  - {name: C, filter: c, sigma_njy: 1}\n  - {name: D, filter: d, sigma_njy: 1}\n");
  const float flux[] = {NAN, 10, NAN, 30}, sigma[] = {NAN, 1, 1, 1};
  const double b = asinh(10.0), d = asinh(30.0);
  const double expected[] = {0, b, 0, d, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 0, d - b, 0, 0.5 * (b - d), 0, 0.5 * (d - b)};
  float x[20];
  assert_int_equal(sdn_survey_n_feature(s), 20);
  sdn_survey_features(s, 1, flux, sigma, x);
  for (int k = 0; k < 20; k++) assert_near(x[k], expected[k], 5 * FEATURE_ERROR);
  sdn_survey_free(s);
}

/* Whatever comes in, finite numbers come out, and a missing band says nothing else. */
static void test_features_of_nonsense(void **state)
{
  (void)state;
  sdn_survey *s = parse("name: T\nflux_unit: nJy\nbands:\n  - {name: A, filter: a, sigma_njy: 1e-12}\n");
  const float value[] = {0, -0.0f, 1, -1, 3e38f, -3e38f, 1e-45f, NAN, INFINITY, -INFINITY};
  const int n = sizeof value / sizeof *value;
  for (int i = 0; i < n; i++)
    for (int j = 0; j < n; j++) {
      float x[5];
      sdn_survey_features(s, 1, &value[i], &value[j], x);
      const int present = isfinite(value[i]) && isfinite(value[j]) && value[j] > 0;
      assert_true(isfinite(x[0]) && isfinite(x[1]) && x[3] == 0 && x[4] == 0);   /* one band has no colour */
      assert_true(x[2] == (float)present);
      if (!present) assert_true(x[0] == 0 && x[1] == 0);
    }
  sdn_survey_free(s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_sigma_log_uniform), cmocka_unit_test(test_sigma_quantiles),   cmocka_unit_test(test_units),
    cmocka_unit_test(test_magnitudes),        cmocka_unit_test(test_missing_and_bad),   cmocka_unit_test(test_features),
    cmocka_unit_test(test_features_of_nonsense), cmocka_unit_test(test_features_with_gaps),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
