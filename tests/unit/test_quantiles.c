/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Order statistics against a full sort by the C library, and against values worked out by hand. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "infer/quantiles.h"

#define EXACT 0.0            /* the same order statistics, the same interpolation: the same bits */
#define ROUNDING 1e-14       /* a mean of a few numbers */
#define N_MOST 3000

static const double p[] = { 0, 0.025, 0.16, 0.5, 0.84, 0.975, 1 };
enum { n_p = sizeof p / sizeof *p };

static int ascending(const void *a, const void *b)
{
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The plain way: sort all, interpolate. */
static double by_sorting(long n, const double *sorted, double q)
{
  double at = q * (double)(n - 1);
  long low = (long)floor(at);
  return low + 1 < n ? sorted[low] + (at - (double)low) * (sorted[low + 1] - sorted[low]) : sorted[n - 1];
}

static void compare_with_sorting(long n, const double *values)
{
  static double x[N_MOST], sorted[N_MOST];
  double out[n_p];
  memcpy(x, values, (size_t)n * sizeof *x);
  memcpy(sorted, values, (size_t)n * sizeof *x);
  qsort(sorted, (size_t)n, sizeof *sorted, ascending);
  sdn_quantiles(n, x, n_p, p, out);
  for (int i = 0; i < n_p; i++)
    if (!(fabs(out[i] - by_sorting(n, sorted, p[i])) <= EXACT))
      fail_msg("n %ld, p %g: %.17g is not %.17g", n, p[i], out[i], by_sorting(n, sorted, p[i]));
  qsort(x, (size_t)n, sizeof *x, ascending);   /* nothing lost, nothing doubled */
  assert_memory_equal(x, sorted, (size_t)n * sizeof *x);
}

static void test_random_lengths(void **state)
{
  (void)state;
  static double x[N_MOST];
  sdn_rng rng = sdn_rng_at(1, SDN_STREAM_TEST, 0);
  for (long n = 1; n <= N_MOST; n += 1 + n / 7) {
    for (long i = 0; i < n; i++)
      x[i] = sdn_rng_normal(&rng);
    compare_with_sorting(n, x);
  }
}

/* Inputs on which careless quickselects are quadratic or lose themselves. */
static void test_awkward_orders(void **state)
{
  (void)state;
  static double x[N_MOST];
  for (int kind = 0; kind < 6; kind++) {
    for (long i = 0; i < N_MOST; i++) {
      double value[] = { 7, (double)i, (double)-i, (double)(i % 3), (double)(i < N_MOST / 2 ? i : N_MOST - i), i == 17 ? 1.0 : 0.0 };
      x[i] = value[kind];
    }
    compare_with_sorting(N_MOST, x);
  }
}

static void test_non_finite_are_left_out(void **state)
{
  (void)state;
  double x[] = { 3, NAN, 1, INFINITY, 2, -INFINITY, NAN }, out;
  const double half = 0.5;
  assert_int_equal(sdn_keep_finite(7, x), 3);
  assert_true(x[0] == 3 && x[1] == 1 && x[2] == 2);
  sdn_quantiles(3, x, 1, &half, &out);
  assert_true(out == 2);
  sdn_quantiles(0, x, 1, &half, &out);
  assert_true(isnan(out));
}

static void test_by_hand(void **state)
{
  (void)state;
  double even[] = { 4, 1, 3, 2 }, spread[] = { 1, 2, 3, 4, 100 }, mean, std;
  assert_true(sdn_median(4, even) == 2.5);
  assert_true(fabs(sdn_nmad(5, spread) - 1.482602218505602) <= ROUNDING);   /* distances from 3: 2 1 0 1 97, median 1 */
  sdn_mean_std(4, even, &mean, &std);
  assert_true(fabs(mean - 2.5) <= ROUNDING && fabs(std - sqrt(1.25)) <= ROUNDING);
}

/* Two peaks: 60 draws spread over [0, 6], 40 within [10, 10.4]: the narrow one is denser. The shortest fifth of 100 is 20 of those 40, steps 0.01. */
static void test_densest_peak(void **state)
{
  (void)state;
  double x[100];
  for (int i = 0; i < 60; i++)
    x[i] = 0.1 * i;
  for (int i = 60; i < 100; i++)
    x[i] = 10.4 - 0.4 * pow((99 - i) / 39.0, 0.5);   /* densest towards 10 */
  double peak = sdn_densest(100, x);
  assert_true(peak > 10 && peak < 10.2);
  double one = 5;
  assert_true(sdn_densest(1, &one) == 5);
  assert_true(isnan(sdn_densest(0, &one)));
}

static void test_parse(void **state)
{
  (void)state;
  sdn_err err;
  int n;
  double q[SDN_MAX_QUANTILE];
  assert_int_equal(sdn_quantiles_parse("84, 16,50", &n, q, &err), SDN_OK);
  assert_int_equal(n, 3);
  assert_true(q[0] == 0.16 && q[1] == 0.5 && q[2] == 0.84);
  static const char *const wrong[] = { "", "16,", "16,,50", "abc", "101", "-1", "nan", "16;50", "50,50", "1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17" };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    assert_int_equal(sdn_quantiles_parse(wrong[i], &n, q, &err), SDN_USAGE);
    assert_non_null(strstr(err.text, "quantiles"));
  }
}

static void test_names(void **state)
{
  (void)state;
  static const struct { double p; const char *name; } known[] = { { 0.16, "q16" }, { 0.5, "q50" }, { 0.025, "q02_5" }, { 0.975, "q97_5" }, { 0.05, "q05" },
                                                                 { 0.0013, "q00_13" }, { 1, "q100" }, { 0, "q00" } };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    char name[16];
    sdn_quantile_name(known[i].p, name);
    assert_string_equal(name, known[i].name);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_random_lengths), cmocka_unit_test(test_awkward_orders), cmocka_unit_test(test_non_finite_are_left_out), cmocka_unit_test(test_by_hand),
    cmocka_unit_test(test_densest_peak),   cmocka_unit_test(test_parse),          cmocka_unit_test(test_names),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
