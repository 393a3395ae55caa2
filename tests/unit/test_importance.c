/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Importance sampling of one galaxy: what must hold whatever the network has learnt. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "infer/engine.h"
#include "support/fixture_fit.h"

#define SUM_ERROR 1e-10      /* of 2e4 weights that are exponentials of differences near 1e-12 */
#define SIGMAS 5.0           /* chance of a false alarm 6e-7 */

static sdn_engine engine;

static int open_engine(void **state)
{
  (void)state;
  sdn_err err;
  if (sdn_engine_open(fixture_posterior(), &engine, &err) == SDN_OK)
    return 0;
  fprintf(stderr, "%s\n", err.text);
  return 1;
}

static int close_engine(void **state)
{
  (void)state;
  sdn_engine_close(&engine);
  return 0;
}

static sdn_status run(const float *flux, const float *sigma, long n, uint64_t seed, double *weights, sdn_importance *out, sdn_err *err)
{
  return sdn_importance_run(engine.posterior, engine.forward, engine.prior, flux, sigma, n, seed, 0, weights, out, NULL, err);
}

static const float some_flux[] = { 1000, 2000, 3000, 4000 }, some_sigma[] = { 50, 50, 100, 100 };

static void test_weights(void **state)
{
  (void)state;
  enum { n = 20000 };
  static double weights[n];
  sdn_importance out;
  sdn_err err;
  double sum = 0, square = 0, variance = 0;
  assert_int_equal(run(some_flux, some_sigma, n, 1, weights, &out, &err), SDN_OK);
  for (long i = 0; i < n; i++) {
    assert_true(weights[i] >= 0 && isfinite(weights[i]));
    sum += weights[i];
    square += weights[i] * weights[i];
  }
  for (long i = 0; i < n; i++)
    variance += pow(weights[i] * n - 1, 2) / (n - 1);
  assert_true(fabs(sum - 1) <= SUM_ERROR);
  assert_true(fabs(out.ess - 1 / square) <= SUM_ERROR * out.ess);
  assert_true(out.ess >= 1 && out.ess <= n);
  assert_true(fabs(out.ln_z_error - sqrt(variance / n)) <= 1e-8 * out.ln_z_error);
}

/* No data: the likelihood is 1 for all, so Z is the integral of the prior, 1. What this tests is that the network's density is normalised where the
 * prior's is: an error of ln q of 1 % would show. */
static void test_no_data_has_evidence_one(void **state)
{
  (void)state;
  const float none[] = { NAN, NAN, NAN, NAN };
  sdn_importance out;
  sdn_err err;
  assert_int_equal(run(none, none, 200000, 2, NULL, &out, &err), SDN_OK);
  if (!(fabs(out.ln_z) <= SIGMAS * out.ln_z_error && out.ln_z_error < 0.05))
    fail_msg("ln Z = %g +- %g is not 0", out.ln_z, out.ln_z_error);
}

static void test_seeds_agree_within_errors(void **state)
{
  (void)state;
  sdn_importance a, b, again;
  sdn_err err;
  assert_int_equal(run(some_flux, some_sigma, 20000, 1, NULL, &a, &err), SDN_OK);
  assert_int_equal(run(some_flux, some_sigma, 20000, 2, NULL, &b, &err), SDN_OK);
  assert_int_equal(run(some_flux, some_sigma, 20000, 1, NULL, &again, &err), SDN_OK);
  assert_true(a.ln_z == again.ln_z && a.ess == again.ess);
  assert_true(a.ln_z != b.ln_z);
  assert_true(fabs(a.ln_z - b.ln_z) <= SIGMAS * hypot(a.ln_z_error, b.ln_z_error));
}

static void test_bad_calls(void **state)
{
  (void)state;
  sdn_importance out;
  sdn_err err;
  assert_int_equal(run(some_flux, some_sigma, 1, 1, NULL, &out, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "too few"));
}

/* Bands that no galaxy of the model has: the evidence is absurdly small, and one draw carries all of it, which the effective sample size says. */
static void test_impossible_galaxy(void **state)
{
  (void)state;
  const float far[] = { 1e12f, 1, 1e12f, 1 }, tiny[] = { 1e-3f, 1e-3f, 1e-3f, 1e-3f };
  sdn_importance out;
  sdn_err err;
  assert_int_equal(run(far, tiny, 1000, 1, NULL, &out, &err), SDN_OK);
  assert_true(isfinite(out.ln_z) && out.ln_z < -1e6);
  assert_true(out.ess < 2);
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_weights), cmocka_unit_test(test_no_data_has_evidence_one),
                                      cmocka_unit_test(test_seeds_agree_within_errors), cmocka_unit_test(test_bad_calls), cmocka_unit_test(test_impossible_galaxy) };
  return cmocka_run_group_tests(tests, open_engine, close_engine);
}
