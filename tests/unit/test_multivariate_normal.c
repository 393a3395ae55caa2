/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Correlated normal priors against their formula: ln N(theta; mean, covariance) by hand, theta = mean + L z by a factor that is known, and what each mistake is told. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "prior/parameters.h"

#define TOL 1e-12   /* a few dozen roundings of numbers of order one */

/* L = [2 0 0; 1 3 0; -1 0.5 0.25], covariance = L L^T; b has no share in the mean of others beyond these. */
#define COVARIANCE "[[4, 2, -2], [2, 10, 0.5], [-2, 0.5, 1.3125]]"
static const double factor[3][3] = {{2, 0, 0}, {1, 3, 0}, {-1, 0.5, 0.25}}, mean[3] = {-1, 0.5, 3};
static const char text[] =
  "parameters:\n"
  "  first: {prior: uniform, low: 0, high: 1}\n"
  "  group: {prior: multivariate_normal, names: [a, b, c], mean: [-1, 0.5, 3], covariance: " COVARIANCE "}\n"
  "  sum: a + c\n";

static void assert_near(double got, double expected)
{
  if (!(fabs(got - expected) <= TOL * (1 + fabs(expected)))) fail_msg("got %.17g, expected %.17g", got, expected);
}

static void map_is_the_cholesky_factors(void **state)
{
  (void)state;
  sdn_prior *p;
  sdn_err err;
  if (sdn_prior_parse(text, "test", &p, &err)) fail_msg("%s", err.text);
  assert_int_equal(sdn_prior_n_free(p), 4);
  for (int trial = 0; trial < 20; trial++) {
    const double z[4] = {0.1 * trial - 1, sin(trial), 3 * cos(2.0 * trial), 0.3 * trial - 3};
    double params[5], theta[4], back[4], ln_density, expected = 0;
    assert_int_equal(sdn_prior_params(p, 1, z, params, &err), SDN_OK);
    sdn_prior_theta(p, 1, params, theta);
    for (int i = 0; i < 3; i++) {
      double value = mean[i];
      for (int k = 0; k <= i; k++) value += factor[i][k] * z[1 + k];
      assert_near(theta[1 + i], value);
      expected -= 0.5 * z[1 + i] * z[1 + i] + 0.5 * log(2 * acos(-1)) + log(factor[i][i]);   /* ln N, by the factor's determinant */
    }
    assert_int_equal(sdn_prior_coordinates(p, 1, theta, back, NULL, &err), SDN_OK);
    for (int i = 0; i < 4; i++) assert_near(back[i], z[i]);
    assert_int_equal(sdn_prior_ln_density(p, 1, theta, &ln_density, &err), SDN_OK);
    assert_near(ln_density, expected);
    assert_near(params[sdn_prior_param_index(p, "sum")], theta[1] + theta[3]);
  }
  sdn_prior_free(p);
}

static void refused(const char *group, const char *word)
{
  sdn_prior *p;
  sdn_err err;
  char yaml[512];
  snprintf(yaml, sizeof yaml, "parameters:\n  group: %s\n", group);
  assert_int_equal(sdn_prior_parse(yaml, "test", &p, &err), SDN_USAGE);
  assert_null(p);
  if (!strstr(err.text, word) || !strstr(err.text, "test:2")) fail_msg("'%s' or the line is missing in: %s", word, err.text);
}

static void mistakes_are_told(void **state)
{
  (void)state;
  refused("{prior: multivariate_normal, mean: [0], covariance: [[1]]}", "names");
  refused("{prior: multivariate_normal, names: [a, b-c], mean: [0, 0], covariance: [[1, 0], [0, 1]]}", "name 2");
  refused("{prior: multivariate_normal, names: [a, b], covariance: [[1, 0], [0, 1]]}", "mean and covariance");
  refused("{prior: multivariate_normal, names: [a, b], mean: [0], covariance: [[1, 0], [0, 1]]}", "mean must be a list of 2");
  refused("{prior: multivariate_normal, names: [a, b], mean: [0, x], covariance: [[1, 0], [0, 1]]}", "value 2 of mean");
  refused("{prior: multivariate_normal, names: [a, b], mean: [0, 0], covariance: [[1, 0]]}", "2 rows");
  refused("{prior: multivariate_normal, names: [a, b], mean: [0, 0], covariance: [[1, 0], [1]]}", "row of covariance");
  refused("{prior: multivariate_normal, names: [a, b], mean: [0, 0], covariance: [[1, 0.2], [0.3, 1]]}", "in the other");
  refused("{prior: multivariate_normal, names: [a, b], mean: [0, 0], covariance: [[1, 2], [2, 1]]}", "variance 1 of b");
  refused("{prior: multivariate_normal, names: [a, b], mean: [0, 0], covariance: [[1, 1], [1, 1]]}", "variance 1 of b");
  refused("{prior: multivariate_normal, names: [a, b], mean: [0, 0], covariance: [[0, 0], [0, 1]]}", "variance 0 of a");
  refused("{prior: multivariate_normal, names: [a, a], mean: [0, 0], covariance: [[1, 0], [0, 1]]}", "twice");
  refused("{prior: multivariate_normal, names: [a], mean: [0], covarianc: [[1]]}", "covarianc");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(map_is_the_cholesky_factors), cmocka_unit_test(mistakes_are_told)};
  return cmocka_run_group_tests_name("multivariate_normal", tests, NULL, NULL);
}
