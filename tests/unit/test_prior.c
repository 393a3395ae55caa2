/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The prior from YAML: order, ties, ranges, densities against GSL, and what each mistake is told. */
#include <gsl/gsl_randist.h>
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "support/prior_text.h"

#define TOL_DENSITY 1e-12   /* relative to 1 + |ln pi|: GSL's and our gamma functions agree to a few ulp */
#define TOL_EXACT 1e-14     /* a handful of roundings */

static void assert_near(double got, double expected, double tolerance)
{
  if (!(fabs(got - expected) <= tolerance)) fail_msg("got %.17g, expected %.17g within %g", got, expected, tolerance);
}

static void assert_refused(const char *yaml, sdn_status status, const char *const *words)
{
  sdn_prior *p;
  sdn_err err;
  sdn_err_clear(&err);
  assert_int_equal(test_prior_between(yaml, -50, 50, &p, &err), status);
  assert_null(p);
  for (; *words; words++)
    if (!strstr(err.text, *words)) fail_msg("'%s' is missing in: %s", *words, err.text);
}
#define REFUSED(yaml, status, ...) assert_refused(yaml, status, (const char *const[]){__VA_ARGS__, NULL})

static void parents_come_first(void **state)
{
  (void)state;
  static const char *const text[] = {
    "redshift: {prior: uniform, low: 0, high: 4}\n"
    "mass: {prior: uniform, low: 8, high: 12}\n"
    "sfr: mass + ssfr\n"
    "ssfr: {prior: uniform, low: -12, high: cosmic_gyr(redshift) - 10}\n",
    "sfr: mass + ssfr\n"
    "ssfr: {prior: uniform, low: -12, high: cosmic_gyr(redshift) - 10}\n"
    "mass: {prior: uniform, low: 8, high: 12}\n"
    "redshift: {prior: uniform, low: 0, high: 4}\n"};
  for (int t = 0; t < 2; t++) {
    sdn_prior *p = test_prior(text[t]);
    const int z = sdn_prior_param_index(p, "redshift"), m = sdn_prior_param_index(p, "mass"), s = sdn_prior_param_index(p, "ssfr"),
              r = sdn_prior_param_index(p, "sfr");
    assert_int_equal(z, 0);
    assert_int_equal(sdn_prior_n_param(p), 4);
    assert_int_equal(sdn_prior_n_free(p), 3);
    assert_int_equal(sdn_prior_free_param(p, 0), z);
    assert_true(s > z && r > m && r > s);
    assert_false(sdn_prior_param_is_free(p, r));
    double coordinate[3] = {0.3, -0.2, 1.1}, params[4];
    sdn_err err;
    assert_int_equal(sdn_prior_params(p, 1, coordinate, params, &err), SDN_OK);
    const double high = 13.8 / (1 + params[z]) - 10;
    int k_s = sdn_prior_free_param(p, 1) == s ? 1 : 2;
    assert_near(params[s], -12 + (high + 12) * gsl_cdf_ugaussian_P(coordinate[k_s]), 1e-13);
    assert_near(params[r], params[m] + params[s], TOL_EXACT * 20);
    assert_int_equal(sdn_prior_param_index(p, "absent"), -1);
    sdn_prior_free(p);
  }
}

static void redshift_leads_and_has_no_parents(void **state)
{
  (void)state;
  REFUSED("a: {prior: uniform, low: 0, high: 1}\nredshift: {prior: uniform, low: 0, high: a}\n", SDN_USAGE, "test.yaml:2", "redshift",
          "depends on a");
  REFUSED("a: {prior: uniform, low: 0, high: 1}\nredshift: 2 * a\n", SDN_USAGE, "test.yaml:2", "depends on a");
  sdn_prior *p = test_prior("a: {prior: uniform, low: 0, high: redshift}\nredshift: 2 + 1\n");   /* a formula of numbers is no parent */
  assert_int_equal(sdn_prior_param_index(p, "redshift"), 0);
  assert_int_equal(sdn_prior_n_free(p), 1);
  sdn_prior_free(p);
}

static void mistakes_are_told(void **state)
{
  (void)state;
  REFUSED("a: b + 1\nb: c\nc: 2 * a\n", SDN_USAGE, "test.yaml:", "needs itself", "a", "b", "c");
  REFUSED("a: a + 1\n", SDN_USAGE, "test.yaml:1", "needs itself");
  REFUSED("mass: 10\nsfr: mas + 1\n", SDN_USAGE, "test.yaml:2", "'mas'", "did you mean 'mass'");
  REFUSED("mass: 10\nsfr: {prior: uniform, low: 0, high: mas}\n", SDN_USAGE, "test.yaml:2", "'mas'", "did you mean 'mass'");
  REFUSED("a: 1\nb: sine(a)\n", SDN_USAGE, "test.yaml:2", "no function 'sine'", "cosmic_gyr");
  REFUSED("a: 1 +* 2\n", SDN_USAGE, "test.yaml:1", "character 4");
  REFUSED("a: {prior: unifrom, low: 0, high: 1}\n", SDN_USAGE, "test.yaml:1", "did you mean 'uniform'");
  REFUSED("a: {prior: uniform, low: 0, hihg: 1}\n", SDN_USAGE, "test.yaml:1", "hihg", "high");
  REFUSED("a: {prior: uniform, low: 0}\n", SDN_USAGE, "test.yaml:1", "needs 'high'");
  REFUSED("a: {low: 0, high: 1}\n", SDN_USAGE, "test.yaml:1", "prior");
  REFUSED("a: {prior: uniform, low: 1, high: 1}\n", SDN_USAGE, "test.yaml:1", "equal");
  REFUSED("a: {prior: uniform, low: 2, high: 1}\n", SDN_USAGE, "test.yaml:1", "low must be below high");
  REFUSED("a: {prior: log_uniform, low: 0, high: 1}\n", SDN_USAGE, "low must be positive");
  REFUSED("a: {prior: normal, mean: 0, sigma: 0}\n", SDN_USAGE, "sigma must be positive");
  REFUSED("a: {prior: beta, a: -1, b: 2}\n", SDN_USAGE, "a must be positive");
  REFUSED("a: {prior: dirichlet, alpha: [1, 1]}\n", SDN_USAGE, "test.yaml:1", "several parameters");
  REFUSED("x_gaps: {prior: dirichlet, alpha: [1, 1]}\n", SDN_USAGE, "test.yaml:1", "2 values", "need 4");
  REFUSED("x_gaps: {prior: dirichlet, alpha: [1, 0, 1, 1]}\n", SDN_USAGE, "test.yaml:1", "all must be positive");
  REFUSED("x_gaps: [0.1, 0.2]\n", SDN_USAGE, "test.yaml:1", "2 values", "3 are needed");
  REFUSED("a: [1, 2]\n", SDN_USAGE, "test.yaml:1", "a number, a formula or a map");
  REFUSED("a: {prior: tabulated, value: [0, 1, 1], density: [1, 1, 1]}\n", SDN_USAGE, "test.yaml:1", "value 3");
  REFUSED("a: {prior: tabulated, value: [0, 1], density: [1, -1]}\n", SDN_USAGE, "density 2");
  REFUSED("a: {prior: tabulated, value: [0, 1, 2], density: [1, 1]}\n", SDN_USAGE, "3 numbers", "2");
  REFUSED("a: {prior: tabulated, file: no-such-file.txt}\n", SDN_IO, "test.yaml:1", "no-such-file.txt");
}

static void ranges_are_checked(void **state)
{
  (void)state;
  REFUSED("a: {prior: uniform, low: -60, high: 1}\n", SDN_RANGE, "test.yaml:1", "-60", "-50", "50");
  REFUSED("a: 51\n", SDN_RANGE, "test.yaml:1", "51", "-50", "50");
  REFUSED("a: {prior: normal, mean: 0, sigma: 1}\n", SDN_RANGE, "inf", "-50", "truncation");
  REFUSED("a: {prior: uniform, low: 0, high: 30}\nb: a + 30\n", SDN_RANGE, "test.yaml:2", "60", "50");
  REFUSED("a: {prior: uniform, low: 0, high: 30}\nb: {prior: uniform, low: 0, high: 2 * a}\n", SDN_RANGE, "test.yaml:2", "60", "50");
  REFUSED("a: {prior: uniform, low: 1, high: 3}\nb: {prior: uniform, low: 2, high: a}\n", SDN_USAGE, "test.yaml:2", "where a =",
          "low must be below high");
  REFUSED("a: {prior: uniform, low: -1, high: 1}\nb: ln(a)\n", SDN_USAGE, "test.yaml:2", "where a =", "not finite");
  sdn_prior *p;
  sdn_err err;
  double low, high;
  static const char *const text = "a: {prior: uniform, low: -20, high: 30}\nb: a + 20\nc: 0.5 * (a * a)\n"
                                  "d: {prior: uniform, low: -50, high: a}\n";
  assert_int_equal(test_prior_between(text, -50, 450, &p, &err), SDN_OK);
  sdn_prior_param_range(p, sdn_prior_param_index(p, "a"), &low, &high);
  assert_true(low == -20 && high == 30);
  sdn_prior_param_range(p, sdn_prior_param_index(p, "b"), &low, &high);
  assert_near(low, 0, 1e-12);
  assert_near(high, 50, 1e-12);
  sdn_prior_param_range(p, sdn_prior_param_index(p, "c"), &low, &high);   /* its least value lies inside the range of a: found by the sweep */
  assert_near(low, 0, 1e-3);
  assert_near(high, 450, 1e-10);
  sdn_prior_param_range(p, sdn_prior_param_index(p, "d"), &low, &high);
  assert_near(low, -50, 0);
  assert_near(high, 30, 1e-12);
  sdn_prior_free(p);
}

static void texts_and_defaults(void **state)
{
  (void)state;
  sdn_prior *p;
  sdn_err err;
  sdn_yaml *root;
  static const char *const text = "a: {prior: uniform, low: 0.01, high: 14}\ng: {prior: dirichlet, alpha: [1, 2, 1]}\n";
  assert_int_equal(sdn_yaml_parse(text, "x.yaml", &root, &err), SDN_OK);
  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  const sdn_param_spec a = {"a", "Gyr", NULL, 0, 14, "an age"}, b = {"b", "", "2 * a", 0, 28, ""}, c = {"c", "mag", "-2", -4, 0, ""},
                       d = {"d", "", NULL, 0, 1, "something"}, g = {"g", "", NULL, 0, 1, "gaps"};
  static const char *const names[] = {"g1", "g2"};
  assert_int_equal(sdn_prior_add(p, &a, sdn_yaml_get(root, "a"), &err), SDN_OK);
  assert_int_equal(sdn_prior_add(p, &b, NULL, &err), SDN_OK);
  assert_int_equal(sdn_prior_add(p, &c, NULL, &err), SDN_OK);
  assert_int_equal(sdn_prior_add_vector(p, &g, 2, names, sdn_yaml_get(root, "g"), &err), SDN_OK);
  assert_int_equal(sdn_prior_add(p, &c, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "twice"));
  sdn_yaml_free(root);
  assert_int_equal(sdn_prior_finish(p, &err), SDN_OK);
  assert_string_equal(sdn_prior_param_text(p, 0), "uniform(0.01, 14)");
  assert_string_equal(sdn_prior_param_text(p, 1), "= 2 * a");
  assert_string_equal(sdn_prior_param_text(p, 2), "-2 (fixed)");
  assert_string_equal(sdn_prior_param_text(p, 4), "dirichlet(1, 2, 1), sum of the first 2 of 3 shares");
  assert_string_equal(sdn_prior_param_unit(p, 0), "Gyr");
  assert_false(sdn_prior_param_is_default(p, 0));
  assert_true(sdn_prior_param_is_default(p, 1) && sdn_prior_param_is_default(p, 2));
  sdn_prior_free(p);

  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  assert_int_equal(sdn_prior_add(p, &d, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "d (something)"));
  sdn_prior_free(p);
}

static void densities_agree_with_gsl(void **state)
{
  (void)state;
  sdn_prior *p = test_prior("a: {prior: uniform, low: 1, high: 4}\n"
                            "b: {prior: log_uniform, low: 0.01, high: 10}\n"
                            "c: {prior: normal, mean: 2, sigma: 0.5}\n"
                            "d: {prior: truncated_normal, mean: 0, sigma: 1, low: 0.5, high: 3}\n"
                            "e: {prior: student_t, nu: 2, scale: 0.3}\n"
                            "f: {prior: student_t, nu: 5, mean: 1, scale: 2, low: -1, high: 3}\n"
                            "g: {prior: beta, a: 2.5, b: 0.7, low: -1, high: 3}\n"
                            "h_gaps: {prior: dirichlet, alpha: [1, 2.5, 0.7, 3]}\n");
  const double theta[] = {2.2, 0.4, 1.3, 0.8, -0.7, 0.2, 2.1, 0.2, 0.55, 0.7};
  const double alpha[] = {1, 2.5, 0.7, 3}, share[] = {0.2, 0.35, 0.15, 0.3};
  double expected = log(1.0 / 3) - log(0.4 * log(1000)) + log(gsl_ran_gaussian_pdf(-0.7, 0.5));
  expected += log(gsl_ran_ugaussian_pdf(0.8) / (gsl_cdf_ugaussian_P(3) - gsl_cdf_ugaussian_P(0.5)));
  expected += log(gsl_ran_tdist_pdf(-0.7 / 0.3, 2) / 0.3);
  expected += log(gsl_ran_tdist_pdf(-0.4, 5) / 2 / (gsl_cdf_tdist_P(1, 5) - gsl_cdf_tdist_P(-1, 5)));
  expected += log(gsl_ran_beta_pdf(3.1 / 4, 2.5, 0.7) / 4) + gsl_ran_dirichlet_lnpdf(4, alpha, share);
  double got[2];
  double two[20];
  sdn_err err;
  memcpy(two, theta, sizeof theta);
  memcpy(two + 10, theta, sizeof theta);
  two[11] = 11;   /* outside b's support */
  assert_int_equal(sdn_prior_ln_density(p, 2, two, got, &err), SDN_OK);
  assert_near(got[0], expected, TOL_DENSITY * (1 + fabs(expected)));
  assert_true(got[1] == -INFINITY);
  sdn_prior_free(p);
}

static void bad_rows_are_named(void **state)
{
  (void)state;
  sdn_prior *p = test_prior("a: {prior: uniform, low: -1, high: 1}\nb: {prior: normal, mean: a, sigma: 1}\nc: 3\n");
  double z[] = {0, 0, 1, NAN, 2, INFINITY}, params[9], theta[] = {0.5, 1, 1.5, 1, NAN, 1}, back[6], ln_density[3];
  sdn_err err;
  assert_int_equal(sdn_prior_params(p, 3, z, params, &err), SDN_NUMERIC);
  assert_int_equal(err.row, 1);
  assert_non_null(strstr(err.text, "(b)"));
  assert_int_equal(sdn_prior_coordinates(p, 3, theta, back, params, &err), SDN_OK);
  assert_near(back[1], 0.5, TOL_EXACT);
  assert_true(params[0] == 0.5 && params[1] == 1 && params[2] == 3);
  assert_true(isnan(back[2]) && isnan(back[3]) && isnan(back[4]) && isnan(back[5]));   /* outside; not a number */
  assert_int_equal(sdn_prior_ln_density(p, 3, theta, ln_density, &err), SDN_OK);
  assert_true(isfinite(ln_density[0]) && ln_density[1] == -INFINITY && ln_density[2] == -INFINITY);
  double picked[2];
  sdn_prior_theta(p, 1, params, picked);
  assert_true(picked[0] == 0.5 && picked[1] == 1);
  assert_int_equal(sdn_prior_params(p, 0, NULL, NULL, &err), SDN_OK);
  sdn_prior_free(p);
}

static void a_table_is_read_from_a_file(void **state)
{
  (void)state;
  FILE *file = fopen("test_prior_table.txt", "w");
  assert_non_null(file);
  fputs("# value density\n0 1\n\n  1, 1   # commas too\r\n3\t1\n", file);
  fclose(file);
  sdn_prior *p = test_prior("a: {prior: tabulated, file: test_prior_table.txt}\n");
  double z = 0, x, ln_density;
  sdn_err err;
  assert_int_equal(sdn_prior_params(p, 1, &z, &x, &err), SDN_OK);
  assert_near(x, 1.5, TOL_EXACT);
  assert_int_equal(sdn_prior_ln_density(p, 1, &x, &ln_density, &err), SDN_OK);
  assert_near(ln_density, -log(3), TOL_EXACT);
  assert_string_equal(sdn_prior_param_text(p, 0), "tabulated(3 values)");
  sdn_prior_free(p);
  file = fopen("test_prior_table.txt", "w");
  assert_non_null(file);
  fputs("0 1\n1 one\n", file);
  fclose(file);
  REFUSED("a: {prior: tabulated, file: test_prior_table.txt}\n", SDN_FORMAT, "test_prior_table.txt:2", "two numbers");
  remove("test_prior_table.txt");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(parents_come_first), cmocka_unit_test(redshift_leads_and_has_no_parents), cmocka_unit_test(mistakes_are_told),
    cmocka_unit_test(ranges_are_checked), cmocka_unit_test(texts_and_defaults),                cmocka_unit_test(densities_agree_with_gsl),
    cmocka_unit_test(bad_rows_are_named), cmocka_unit_test(a_table_is_read_from_a_file),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
