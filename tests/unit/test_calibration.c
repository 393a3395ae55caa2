/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The numbers of a calibration check on small examples worked out by hand or listed in tables, and the JSON writer read back. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infer/calibration.h"
#include "infer/json.h"
#include "infer/photoz.h"
#include "infer/quantiles.h"
#include "support/json.h"

#define ROUNDING 1e-12
#define ASYMPTOTIC 0.002      /* Stephens' factor makes the asymptotic series right to this at the 5 % point for n >= 10 */
#define PHOTOZ_CELL 1e-7      /* three in a cell: their mean stands for each */

static void assert_near(double value, double expected, double tolerance)
{
  if (!(fabs(value - expected) <= tolerance))
    fail_msg("%.15g is not %.15g", value, expected);
}

static void test_pit(void **state)
{
  (void)state;
  const double draw[] = { 1, 2, 2, 3, NAN };
  assert_near(sdn_pit(4, draw, 2.5, 0.5), 3.5 / 5, ROUNDING);    /* 3 below, none equal */
  assert_near(sdn_pit(4, draw, 2, 0), 1.0 / 5, ROUNDING);        /* 1 below, 2 equal: anywhere from 1/5 */
  assert_near(sdn_pit(4, draw, 2, 1), 4.0 / 5, ROUNDING);        /* to 4/5 */
  assert_near(sdn_pit(5, draw, 9, 0.5), 4.5 / 5, ROUNDING);      /* the NaN draw does not count */
  assert_true(isnan(sdn_pit(4, draw, NAN, 0.5)));
  assert_true(isnan(sdn_pit(1, draw + 4, 1, 0.5)));
}

static void test_tarp_point(void **state)
{
  (void)state;
  const double draw[] = { 0.1, 0.1, 0.9, 0.9, 0.4, 0.5 }, truth[] = { 0.2, 0.5 }, reference[] = { 0.5, 0.5 };
  /* distances from the reference: 0.57, 0.57, 0.1; the truth's is 0.3: one draw is nearer */
  assert_near(sdn_tarp(3, 2, draw, truth, reference, 0.5), 1.5 / 4, ROUNDING);
}

static void test_coverage(void **state)
{
  (void)state;
  const double pit[] = { 0.05, 0.2, 0.4, 0.5, 0.6, 0.8, 0.95, NAN };
  sdn_coverage c;
  sdn_coverage_of(8, pit, 0.68, &c);   /* |u - 1/2| < 0.34: 0.2 to 0.8 */
  assert_near(c.fraction, 5.0 / 7, ROUNDING);
  assert_near(c.error, sqrt(0.68 * 0.32 / 7), ROUNDING);
}

/* Critical values of Kolmogorov's D at 5 %, exact (Miller 1956, table 1). */
static void test_kolmogorov_table(void **state)
{
  (void)state;
  static const struct { long n; double d; } critical[] = { { 10, 0.40925 }, { 20, 0.29408 }, { 50, 0.18845 }, { 100, 0.13403 } };
  for (size_t i = 0; i < 4; i++)
    assert_near(sdn_kolmogorov_p(critical[i].n, critical[i].d), 0.05, ASYMPTOTIC);
  assert_near(sdn_kolmogorov_p(1000, 0), 1, 0);
  assert_near(sdn_kolmogorov_p(1000000, 1.3580986e-3), 0.05, 2e-4);   /* the asymptotic 5 % point over sqrt(n) */
}

static void test_uniformity(void **state)
{
  (void)state;
  double even[200], lumped[200];
  sdn_uniformity u;
  for (int i = 0; i < 200; i++) {
    even[199 - i] = (i + 0.5) / 200;
    lumped[i] = i < 100 ? NAN : 0.01;
  }
  sdn_uniformity_of(200, even, &u);
  assert_int_equal(u.n, 200);
  assert_near(u.deviation, 0.5 / 200, ROUNDING);
  assert_near(u.chi2, 0, ROUNDING);
  assert_near(u.p, 1, ROUNDING);
  sdn_uniformity_of(200, lumped, &u);
  assert_int_equal(u.n, 100);
  assert_int_equal(u.count[0], 100);
  assert_near(u.deviation, 0.99, ROUNDING);
  assert_near(u.chi2, 95.0 * 95 / 5 + 19 * 5, ROUNDING);
  assert_true(u.p < 1e-100);
}

static void test_recovery(void **state)
{
  (void)state;
  const double truth[] = { 1, 2, 3, 4, NAN }, estimate[] = { 1.5, 2, 3.5, 4, 7 };
  double work[5];
  sdn_recovery r;
  sdn_recovery_of(5, truth, estimate, work, &r);
  assert_int_equal(r.n, 4);
  assert_near(r.bias, 0.25, ROUNDING);
  assert_near(r.rmse, sqrt(0.125), ROUNDING);
  assert_near(r.r2, 1 - 0.5 / 5, ROUNDING);
  assert_near(r.nmad, 1.482602218505602 * 0.25, ROUNDING);   /* residuals .5 0 .5 0: median .25, distances .25 */
  sdn_recovery_of(1, truth, estimate, work, &r);
  assert_true(isnan(r.r2) && isnan(r.rmse));
}

/* The streaming statistics against all deviations kept and sorted. */
static void test_photoz_against_sorting(void **state)
{
  (void)state;
  enum { n = 5001 };
  static double dz[n];
  sdn_err err;
  sdn_photoz *p = NULL;
  sdn_photoz_score s;
  sdn_rng rng = sdn_rng_at(3, SDN_STREAM_TEST, 0);
  long n_outlier = 0;
  assert_int_equal(sdn_photoz_new(&p, &err), SDN_OK);
  sdn_photoz_add(p, NAN, 1);
  sdn_photoz_add(p, 1, NAN);
  for (int i = 0; i < n; i++) {
    double z = 5 * sdn_rng_uniform(&rng), phot = z + (1 + z) * (0.01 + 0.03 * sdn_rng_normal(&rng) + (i % 20 == 0 ? 0.5 : 0));
    dz[i] = (phot - z) / (1 + z);
    n_outlier += fabs(dz[i]) > 0.15;
    sdn_photoz_add(p, phot, z);
  }
  assert_int_equal(sdn_photoz_score_of(p, &s, &err), SDN_OK);
  sdn_photoz_free(p);
  assert_int_equal(s.n, n);
  assert_near(s.outlier_fraction, (double)n_outlier / n, ROUNDING);
  static double copy[n];
  memcpy(copy, dz, sizeof dz);
  double nmad = sdn_nmad(n, copy), bias = sdn_median(n, dz);
  assert_near(s.bias, bias, 1e-3 * fabs(bias) + PHOTOZ_CELL);
  assert_near(s.nmad, nmad, 1e-3 * nmad + PHOTOZ_CELL);
}

static void test_photoz_few_is_exact(void **state)
{
  (void)state;
  sdn_err err;
  sdn_photoz *p = NULL;
  sdn_photoz_score s;
  assert_int_equal(sdn_photoz_new(&p, &err), SDN_OK);
  assert_int_equal(sdn_photoz_score_of(p, &s, &err), SDN_OK);
  assert_true(s.n == 0 && isnan(s.nmad));
  const double dz[] = { 0.01, -0.02, 0.3, 0.05 };
  for (int i = 0; i < 4; i++)
    sdn_photoz_add(p, 1 + 2 * dz[i], 1);
  assert_int_equal(sdn_photoz_score_of(p, &s, &err), SDN_OK);
  sdn_photoz_free(p);
  assert_near(s.bias, 0.03, ROUNDING);                        /* between 0.01 and 0.05 */
  assert_near(s.nmad, 1.482602218505602 * 0.035, ROUNDING);   /* distances .02 .05 .27 .02: between .02 and .05 */
  assert_near(s.outlier_fraction, 0.25, 0);
}

static void test_json_reads_back(void **state)
{
  (void)state;
  sdn_json j = { 0 };
  const double values[] = { 1.5, NAN, -2e-7 };
  sdn_json_begin(&j, NULL, '{');
  sdn_json_text(&j, "te\"xt", "a\\b é");
  sdn_json_text(&j, "control", "\x01");
  sdn_json_doubles(&j, "list", 3, values);
  sdn_json_begin(&j, "empty", '[');
  sdn_json_end(&j);
  sdn_json_begin(&j, "nested", '[');
  sdn_json_begin(&j, NULL, '{');
  sdn_json_bool(&j, "yes", true);
  sdn_json_long(&j, "long", -9007199254740993);
  sdn_json_double(&j, "inf", INFINITY);
  sdn_json_end(&j);
  sdn_json_end(&j);
  sdn_json_end(&j);
  json *read = json_parse(j.text.data);
  assert_non_null(read);
  assert_string_equal(json_text(read, "te\"xt"), "a\\b é");
  const json *list = json_get(read, "list");
  assert_int_equal(list->n, 3);
  assert_true(list->item[0]->number == 1.5 && list->item[1]->kind == JSON_NULL && list->item[2]->number == -2e-7);
  assert_int_equal(json_get(read, "empty")->n, 0);
  const json *inner = json_get(read, "nested")->item[0];
  assert_true(json_get(inner, "yes")->kind == JSON_BOOL && json_get(inner, "inf")->kind == JSON_NULL);
  assert_non_null(strstr(j.text.data, "\"control\": \"\\u0001\""));   /* RFC 8259 section 7 */
  assert_non_null(strstr(j.text.data, "-9007199254740993"));
  json_free(read);
  sdn_text_free(&j.text);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_pit),           cmocka_unit_test(test_tarp_point), cmocka_unit_test(test_coverage),
    cmocka_unit_test(test_kolmogorov_table), cmocka_unit_test(test_uniformity), cmocka_unit_test(test_recovery),
    cmocka_unit_test(test_photoz_against_sorting), cmocka_unit_test(test_photoz_few_is_exact), cmocka_unit_test(test_json_reads_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
