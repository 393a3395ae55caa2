/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every prior must do, whatever its kind: map both ways, keep both tails, be a density of total 1, and be the distribution that it says. */
#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/parallel.h"
#include "base/random.h"
#include "base/special.h"
#include "support/prior_text.h"

#define TOL_ROUND_TRIP 1e-10   /* relative to |theta| + 1: the issue asks for 1e-6 */
#define TOL_COORDINATE 1e-9    /* of z, beside what one ulp of theta moves it */
#define TOL_QUANTILE 1e-9      /* probability of a quantile against GSL's own distribution functions, relative to the tail's probability */
#define TOL_INTEGRAL 1e-7      /* of the quadrature, asked for 1e-9 */

static void assert_near(double got, double expected, double tolerance)
{
  if (!(fabs(got - expected) <= tolerance)) fail_msg("got %.17g, expected %.17g within %g", got, expected, tolerance);
}

static double map(const sdn_prior *p, double z)
{
  double x;
  sdn_err err;
  if (sdn_prior_params(p, 1, &z, &x, &err)) fail_msg("%s", err.text);
  return x;
}

static double unmap(const sdn_prior *p, double x)
{
  double z;
  sdn_err err;
  if (sdn_prior_coordinates(p, 1, &x, &z, NULL, &err)) fail_msg("%s", err.text);
  return z;
}

static const char *const one_parameter[] = {
  "a: {prior: uniform, low: 0.01, high: 14}", "a: {prior: uniform, low: -12, high: -7}", "a: {prior: log_uniform, low: 1e-3, high: 5}",
  "a: {prior: normal, mean: -2, sigma: 0.5}", "a: {prior: truncated_normal, mean: 0, sigma: 1, low: -1, high: 2}",
  "a: {prior: truncated_normal, mean: 0, sigma: 1, low: 8, high: 9}", "a: {prior: truncated_normal, mean: 5, sigma: 0.1, low: 0, high: 1}",
  "a: {prior: truncated_normal, mean: 0, sigma: 1, low: -1e-3, high: 1e-3}",
  "a: {prior: truncated_normal, mean: 0, sigma: 1, low: 40, high: 60}",   /* Phi underflows over all of it */
  "a: {prior: student_t, nu: 1, scale: 1}", "a: {prior: student_t, nu: 2, scale: 0.3}", "a: {prior: student_t, nu: 0.7, scale: 1}",
  "a: {prior: student_t, nu: 3, mean: 1, scale: 2}", "a: {prior: student_t, nu: 30, scale: 1}", "a: {prior: student_t, nu: 1000, scale: 1}",
  "a: {prior: student_t, nu: 2, scale: 0.3, low: -3, high: 5}", "a: {prior: student_t, nu: 4, scale: 1, low: 2, high: 3}",
  "a: {prior: beta, a: 1, b: 3}", "a: {prior: beta, a: 2.5, b: 1}", "a: {prior: beta, a: 2, b: 5, low: -1, high: 4}",
  "a: {prior: beta, a: 0.5, b: 0.5}", "a: {prior: beta, a: 0.3, b: 8}", "a: {prior: beta, a: 7, b: 0.2}", "a: {prior: beta, a: 300, b: 200}",
  "a: {prior: tabulated, value: [0, 1, 3, 4], density: [0, 2, 1, 0]}", "a: {prior: tabulated, value: [-2, 0, 1], density: [1, 3, 0.5]}",
  "a: {prior: tabulated, value: [0, 1, 2, 3], density: [1, 0, 0, 1]}",
  "a: {prior: tabulated, given: 0.7, given_values: [0, 1, 3], value: [0, 1, 3, 4], density: [[0, 2, 1, 0], [1, 0.5, 0.5, 3], [1, 1, 1, 1]]}",
  "a: {prior: tabulated, given: 5, low: 0.5, high: 3.5, given_values: [0, 1, 3], value: [0, 1, 3, 4], density: [[0, 2, 1, 0], [1, 0.5, 0.5, 3], [0, 1, 2, 0]]}",
  "a: {prior: mass_function, redshift: 1.3, low: 7, high: 12.5}", "a: {prior: mass_function, redshift: 2, low: \"max(3, 8)\", high: 12}",
  "a: {prior: mass_function, redshift: 5.4, low: 8, high: 11, family: leja20_tacchella18}",
  "redshift: {prior: volume_and_mass_function, low: 0, high: 6, log_mass_low: 8 + redshift / 2, family: leja20_tacchella18}",
};
#define N_ONE (sizeof one_parameter / sizeof *one_parameter)

static void round_trip_is_exact(void **state)
{
  (void)state;
  for (size_t i = 0; i < N_ONE; i++) {
    sdn_prior *p = test_prior(one_parameter[i]);
    double before = -INFINITY;
    for (double z = -8; z <= 8; z += 0.0617) {
      const double x = map(p, z), again = map(p, unmap(p, x));
      if (!(fabs(again - x) <= TOL_ROUND_TRIP * (1 + fabs(x)))) fail_msg("%s: z %g gives %.17g, then %.17g", one_parameter[i], z, x, again);
      if (!(x >= before)) fail_msg("%s: not increasing at z %g", one_parameter[i], z);
      before = x;
    }
    for (double z = -4; z <= 4; z += 0.0371) {
      const double x = map(p, z), slope = (map(p, z + 1e-3) - map(p, z - 1e-3)) / 2e-3;
      const double allowed = TOL_COORDINATE + 4 * DBL_EPSILON * fabs(x) / slope;   /* theta's own digits may tell no more */
      if (!(fabs(unmap(p, x) - z) <= allowed)) fail_msg("%s: z %g comes back as %.17g", one_parameter[i], z, unmap(p, x));
    }
    for (double z = -38; z <= 38; z += 1) assert_true(isfinite(map(p, z)));
    sdn_prior_free(p);
  }
}

/* GSL's distribution functions of the quantiles: lower tail for z < 0, upper tail for z > 0. */
static void quantiles_agree_with_gsl(void **state)
{
  (void)state;
  sdn_prior *t = test_prior("a: {prior: student_t, nu: 3, mean: 1, scale: 2}"), *t2 = test_prior("a: {prior: student_t, nu: 2, scale: 1}"),
            *b = test_prior("a: {prior: beta, a: 2, b: 5}"), *odd = test_prior("a: {prior: beta, a: 7, b: 0.2}"),
            *log_uniform = test_prior("a: {prior: log_uniform, low: 0.001, high: 5}");
  for (double z = -8; z <= 8; z += 0.25) {
    const double tail = gsl_cdf_ugaussian_P(-fabs(z)), side = z < 0 ? -1 : 1;
    assert_near(gsl_cdf_tdist_P(-side * (map(t, z) - 1) / 2, 3) / tail, 1, TOL_QUANTILE);
    assert_near(gsl_cdf_tdist_P(-side * map(t2, z), 2) / tail, 1, TOL_QUANTILE);
    if (z <= 4) assert_near((z < 0 ? gsl_cdf_beta_P(map(b, z), 2, 5) : gsl_cdf_beta_Q(map(b, z), 2, 5)) / tail, 1, TOL_QUANTILE);
    if (z <= -1) assert_near(gsl_cdf_beta_P(map(odd, z), 7, 0.2) / tail, 1, TOL_QUANTILE);
    assert_near(log(map(log_uniform, z)), log(0.001) + log(5000) * gsl_cdf_ugaussian_P(z), 1e-13);
  }
  sdn_prior_free(t);
  sdn_prior_free(t2);
  sdn_prior_free(b);
  sdn_prior_free(odd);
  sdn_prior_free(log_uniform);
}

/* Far out a uniform prior is its end plus the tail's probability, to the last digits: no probability was rounded to 0 or 1 on the way. */
static void both_tails_are_exact(void **state)
{
  (void)state;
  const double tail = gsl_cdf_ugaussian_P(-9);
  sdn_prior *low = test_prior("a: {prior: uniform, low: 0, high: 2}"), *high = test_prior("a: {prior: uniform, low: -2, high: 0}"),
            *beta_low = test_prior("a: {prior: beta, a: 2, b: 3}"), *beta_high = test_prior("a: {prior: beta, a: 3, b: 2, low: -1, high: 0}"),
            *truncated = test_prior("a: {prior: truncated_normal, mean: 1, sigma: 0.5, low: 0, high: 4}"),
            *table = test_prior("a: {prior: tabulated, value: [-1, 0], density: [2, 1]}");
  assert_near(map(low, -9) / (2 * tail), 1, 1e-13);
  assert_near(map(high, 9) / (-2 * tail), 1, 1e-13);
  assert_near(unmap(low, map(low, -9)), -9, 1e-12);
  assert_near(unmap(high, map(high, 9)), 9, 1e-12);
  assert_near(map(beta_low, -9) / gsl_cdf_beta_Pinv(tail, 2, 3), 1, 1e-8);   /* GSL's inverse stops there */
  assert_near(map(beta_high, 9) / -map(beta_low, -9), 1, 1e-13);
  const double phi = exp(-2) / sqrt(2 * 3.14159265358979323846) / 0.5, whole = gsl_cdf_ugaussian_P(6) - gsl_cdf_ugaussian_P(-2);
  assert_near(map(truncated, -9) / (tail * whole / phi), 1, 1e-12);
  assert_near(unmap(truncated, map(truncated, -9)), -9, 1e-12);
  assert_near(map(table, 9) / (-tail * 1.5), 1, 1e-13);   /* its density at 0 is 1 / 1.5 */
  assert_near(unmap(table, map(table, 9)), 9, 1e-12);
  sdn_prior_free(low);
  sdn_prior_free(high);
  sdn_prior_free(beta_low);
  sdn_prior_free(beta_high);
  sdn_prior_free(truncated);
  sdn_prior_free(table);
}

/* Every density, integrated over theta between the quantiles of z = -2 and +1, is what Phi says. */
static double density(double x, void *p)
{
  double ln_density;
  sdn_err err;
  if (sdn_prior_ln_density(p, 1, &x, &ln_density, &err)) return NAN;
  return exp(ln_density);
}

static void density_is_the_derivative_of_the_map(void **state)
{
  (void)state;
  gsl_integration_workspace *work = gsl_integration_workspace_alloc(1000);
  for (size_t i = 0; i < N_ONE; i++) {
    sdn_prior *p = test_prior(one_parameter[i]);
    gsl_function f = {density, p};
    const double low = map(p, -2), high = map(p, 1);
    double integral = 0, error;
    if (strstr(one_parameter[i], "mass_function")) {   /* hundreds of kinks */
      enum { N = 100000 };
      for (int k = 0; k < N; k++) integral += density(low + (high - low) * (k + 0.5) / N, p) * (high - low) / N;
    } else
      gsl_integration_qag(&f, low, high, 1e-9, 1e-9, 1000, GSL_INTEG_GAUSS31, work, &integral, &error);
    const double expected = gsl_cdf_ugaussian_P(1) - gsl_cdf_ugaussian_P(-2);
    if (!(fabs(integral - expected) <= TOL_INTEGRAL)) fail_msg("%s: %.12g of %.12g", one_parameter[i], integral, expected);
    sdn_prior_free(p);
  }
  gsl_integration_workspace_free(work);
}

/* All of a conditional density in two dimensions: b's range follows a. Midpoints of a fine mesh; the edge of the support is straight. */
static void conditional_density_integrates_to_one(void **state)
{
  (void)state;
  enum { N = 1200 };
  sdn_prior *p = test_prior("a: {prior: beta, a: 2, b: 2, low: 1, high: 3}\nb: {prior: uniform, low: 0, high: 2 * a}\n");
  double *theta = malloc(2 * N * sizeof *theta), *ln_density = malloc(N * sizeof *ln_density), sum = 0;
  sdn_err err;
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) {
      theta[2 * j] = 1 + 2 * (i + 0.5) / N;
      theta[2 * j + 1] = 6 * (j + 0.5) / N;
    }
    assert_int_equal(sdn_prior_ln_density(p, N, theta, ln_density, &err), SDN_OK);
    for (int j = 0; j < N; j++) sum += exp(ln_density[j]) * (2.0 / N) * (6.0 / N);
  }
  assert_near(sum, 1, 1e-5);   /* cells cut by the edge: N of N^2, over and under in turn */
  free(theta);
  free(ln_density);
  sdn_prior_free(p);
}

/* Four Dirichlet shares with equal alpha are alike: means 1/4, variances and covariances as in the textbook. */
static void dirichlet_shares_are_alike(void **state)
{
  (void)state;
  static const char *const text[] = {"x_gaps: {prior: dirichlet, alpha: [1, 1, 1, 1]}", "x_gaps: {prior: dirichlet, alpha: [3, 3, 3, 3]}",
                                     "x_gaps: {prior: dirichlet, alpha: [0.5, 2, 4, 1]}"};
  static const double alpha[][4] = {{1, 1, 1, 1}, {3, 3, 3, 3}, {0.5, 2, 4, 1}};
  enum { N = 1 << 14 };
  for (int t = 0; t < 3; t++) {
    sdn_prior *p = test_prior(text[t]);
    double mean[4] = {0}, square[4][4] = {{0}}, total = 0;
    for (int j = 0; j < 4; j++) total += alpha[t][j];
    for (uint32_t i = 0; i < N; i++) {
      double u[3], z[3], sum[3];
      sdn_err err;
      sdn_sobol_point(7, i, 3, u);
      for (int k = 0; k < 3; k++) z[k] = sdn_normal_quantile(u[k]);
      assert_int_equal(sdn_prior_params(p, 1, z, sum, &err), SDN_OK);
      const double share[] = {sum[0], sum[1] - sum[0], sum[2] - sum[1], 1 - sum[2]};
      for (int j = 0; j < 4; j++) {
        assert_true(share[j] >= 0);
        mean[j] += share[j] / N;
        for (int k = 0; k < 4; k++) square[j][k] += share[j] * share[k] / N;
      }
    }
    const double tolerance = 3e-4;   /* a scrambled net of 2^14 points: measured 4e-5 */
    for (int j = 0; j < 4; j++) {
      const double m = alpha[t][j] / total;
      assert_near(mean[j], m, tolerance);
      for (int k = 0; k < 4; k++) {
        const double m_k = alpha[t][k] / total, covariance = ((j == k ? m : 0) - m * m_k) / (total + 1);
        assert_near(square[j][k] - mean[j] * mean[k], covariance, tolerance);
      }
    }
    sdn_prior_free(p);
  }
}

/* A conditional prior stays inside its moving bounds, touches them in the tails, and comes back through coordinates. */
static void conditional_bounds_hold(void **state)
{
  (void)state;
  sdn_prior *p = test_prior("redshift: {prior: uniform, low: 0, high: 12}\n"
                            "age: {prior: log_uniform, low: 0.01, high: cosmic_gyr(redshift)}\n"
                            "tau: {prior: truncated_normal, mean: age, sigma: 0.5 * age, low: 0, high: cosmic_gyr(redshift)}\n"
                            "burst: {prior: student_t, nu: 2, mean: log10(age), scale: 0.3, low: -3, high: log10(age)}\n");
  for (uint32_t i = 0; i < 2000; i++) {
    double z[4], params[4], theta[4], back[4];
    sdn_err err;
    sdn_rng rng = sdn_rng_at(3, SDN_STREAM_TEST, i);
    for (int k = 0; k < 4; k++) z[k] = (i % 2 ? 3 : 1) * sdn_rng_normal(&rng);
    assert_int_equal(sdn_prior_params(p, 1, z, params, &err), SDN_OK);
    const double age_universe = 13.8 / (1 + params[0]);
    assert_true(params[1] >= 0.01 * (1 - 1e-15) && params[1] <= age_universe * (1 + 1e-15));
    assert_true(params[2] >= 0 && params[2] <= age_universe && params[3] >= -3 && params[3] <= log10(params[1]));
    sdn_prior_theta(p, 1, params, theta);
    assert_int_equal(sdn_prior_coordinates(p, 1, theta, back, params, &err), SDN_OK);
    for (int k = 0; k < 4; k++)
      if (fabs(z[k]) < 4) assert_near(back[k], z[k], 1e-6);
  }
  sdn_prior_free(p);
}

/* The change of variables that the whole program rests on: ln pi(theta) + ln |d theta / dz| = ln N(z), by differences of the map. */
static void density_fits_the_map_jointly(void **state)
{
  (void)state;
  sdn_prior *p = test_prior("redshift: {prior: uniform, low: 0, high: 12}\n"
                            "age: {prior: log_uniform, low: 0.01, high: cosmic_gyr(redshift)}\n"
                            "x_gaps: {prior: dirichlet, alpha: [1, 2, 0.7, 1]}\n");
  const double h = 1e-4;
  for (uint32_t i = 0; i < 200; i++) {
    double z[5], params[5], theta[5], moved[5], ln_density, ln_jacobian = 0, ln_normal = 0;
    sdn_err err;
    sdn_rng rng = sdn_rng_at(5, SDN_STREAM_TEST, i);
    for (int k = 0; k < 5; k++) ln_normal += sdn_normal_ln_pdf(z[k] = sdn_rng_normal(&rng));
    assert_int_equal(sdn_prior_params(p, 1, z, params, &err), SDN_OK);
    sdn_prior_theta(p, 1, params, theta);
    assert_int_equal(sdn_prior_ln_density(p, 1, theta, &ln_density, &err), SDN_OK);
    for (int k = 0; k < 5; k++) {   /* parents first, so the Jacobian is triangular */
      const double here = z[k];
      double difference = 0;
      for (int side = -1; side <= 1; side += 2) {
        z[k] = here + side * h;
        assert_int_equal(sdn_prior_params(p, 1, z, params, &err), SDN_OK);
        sdn_prior_theta(p, 1, params, moved);
        difference += side * moved[k];
      }
      z[k] = here;
      ln_jacobian += log(difference / (2 * h));
    }
    assert_near(ln_density + ln_jacobian, ln_normal, 1e-5);   /* h^2 of a difference */
  }
  sdn_prior_free(p);
}

/* The goal is 1 microsecond per row of eight uniform parameters; ten times that still fails a quantile search or an allocation per row. */
static void uniform_rows_are_cheap(void **state)
{
  (void)state;
  enum { N = 100000, D = 8 };
  sdn_prior *p = test_prior("a: {prior: uniform, low: 0, high: 1}\nb: {prior: uniform, low: 0, high: 2}\nc: {prior: uniform, low: 0, high: 3}\n"
                            "d: {prior: uniform, low: 0, high: 4}\ne: {prior: uniform, low: 0, high: 5}\nf: {prior: uniform, low: 0, high: 6}\n"
                            "g: {prior: uniform, low: 0, high: 7}\nh: {prior: uniform, low: 0, high: 8}\n");
  double *z = malloc(N * D * sizeof *z), *params = malloc(N * D * sizeof *params);
  sdn_rng rng = sdn_rng_at(1, SDN_STREAM_TEST, 0);
  sdn_err err;
  for (long i = 0; i < N * D; i++) z[i] = sdn_rng_normal(&rng);
  const double start = sdn_seconds();
  assert_int_equal(sdn_prior_params(p, N, z, params, &err), SDN_OK);
  const double us = (sdn_seconds() - start) / N * 1e6;
  print_message("%.3f us per row\n", us);
#if !defined(__SANITIZE_ADDRESS__)
  assert_true(us < 10);
#endif
  free(z);
  free(params);
  sdn_prior_free(p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(round_trip_is_exact),
    cmocka_unit_test(quantiles_agree_with_gsl),
    cmocka_unit_test(both_tails_are_exact),
    cmocka_unit_test(density_is_the_derivative_of_the_map),
    cmocka_unit_test(conditional_density_integrates_to_one),
    cmocka_unit_test(dirichlet_shares_are_alike),
    cmocka_unit_test(conditional_bounds_hold),
    cmocka_unit_test(density_fits_the_map_jointly),
    cmocka_unit_test(uniform_rows_are_cheap),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
