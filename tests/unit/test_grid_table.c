/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Densities tabulated for given values of another parameter: mixtures, from lists and files. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/prior_text.h"

#define TOL 1e-13   /* a few roundings */

static const char lists[] = "g: {prior: uniform, low: -1, high: 5}\n"
                            "x: {prior: tabulated, given: g, given_values: [0, 2], value: [0, 1, 3], density: [[2, 2, 2], [0, 6, 0]]}\n";

/* At g = 0 the density is 1/3; at 2 a triangle of height 2/3 at 1; between them the sum of their shares; beyond the ends the end's. */
static double expected_density(double g, double x)
{
  const double t = g < 0 ? 0 : g > 2 ? 1 : g / 2;
  return (1 - t) / 3 + t * (x < 1 ? 2 * x / 3 : (3 - x) / 3);
}

static void check_mixture(const sdn_prior *p)
{
  sdn_err err;
  for (double g = -0.9; g < 5; g += 0.37)
    for (double x = 0.05; x < 3; x += 0.23) {
      const double theta[] = {g, x};
      double ln_density, z[2], params[2];
      assert_int_equal(sdn_prior_ln_density(p, 1, theta, &ln_density, &err), SDN_OK);
      const double expected = expected_density(g, x) / 6;
      if (!(fabs(exp(ln_density) - expected) <= TOL)) fail_msg("g %g, x %g: %.15g, not %.15g", g, x, exp(ln_density), expected);
      assert_int_equal(sdn_prior_coordinates(p, 1, theta, z, params, &err), SDN_OK);
      assert_int_equal(sdn_prior_params(p, 1, z, params, &err), SDN_OK);
      if (!(fabs(params[1] - x) <= 1e-12)) fail_msg("g %g: x %g comes back as %.15g", g, x, params[1]);
    }
}

static void rows_are_mixed(void **state)
{
  (void)state;
  double low, high;
  sdn_prior *p = test_prior(lists);
  check_mixture(p);
  sdn_prior_param_range(p, 1, &low, &high);
  assert_true(low == 0 && high == 3);
  assert_string_equal(sdn_prior_param_text(p, 1), "tabulated(g)");
  sdn_prior_free(p);
}

static void ends_may_move(void **state)
{
  (void)state;
  sdn_prior *p = test_prior("g: {prior: uniform, low: 0, high: 2}\n"
                            "x: {prior: tabulated, given: g, low: g / 4, high: 2, given_values: [0, 2], value: [0, 1, 3], density: [[2, 2, 2], [0, 6, 0]]}\n");
  sdn_err err;
  for (double g = 0.1; g < 2; g += 0.3) {
    const double t = g / 2, low = g / 4, inside = (1 - t) * (2 - low) / 3 + t * (5.0 / 6 - low * low / 3);
    for (double x = low + 1e-9; x < 2; x += 0.17) {
      const double theta[] = {g, x};
      double ln_density;
      assert_int_equal(sdn_prior_ln_density(p, 1, theta, &ln_density, &err), SDN_OK);
      assert_true(fabs(exp(ln_density) - expected_density(g, x) / inside / 2) <= 1e-12);
    }
    for (double z = -9; z <= 9; z += 0.5) {
      const double zz[] = {0, z};
      double params[2];
      assert_int_equal(sdn_prior_params(p, 1, zz, params, &err), SDN_OK);
      assert_true(params[1] >= params[0] / 4 && params[1] <= 2);
    }
  }
  sdn_prior_free(p);
}

static void write_file(const char *text)
{
  FILE *file = fopen("test_grid_table.txt", "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

static void refused(const char *yaml, const char *word)
{
  sdn_prior *p;
  sdn_err err;
  const sdn_status status = test_prior_between(yaml, -INFINITY, INFINITY, &p, &err);
  if (status == SDN_OK || !strstr(err.text, word)) fail_msg("%s: '%s' is missing in: %s", yaml, word, status ? err.text : "(no error)");
}

static void files_are_read(void **state)
{
  (void)state;
  const char *const yaml = "g: {prior: uniform, low: -1, high: 5}\nx: {prior: tabulated, given: g, file: test_grid_table.txt}\n";
  write_file("# g x density\n0 0 7\n0,1,7\n0 3 7\n\n2 0 0   # a triangle\n2 1 1\n2 3 0\n");
  sdn_prior *p = test_prior(yaml);
  check_mixture(p);
  sdn_prior *same = test_prior(lists);
  assert_true(sdn_prior_hash(p, 1) != 1 && sdn_prior_hash(p, 1) != sdn_prior_hash(p, 2));
  assert_true(fabs((double)(sdn_prior_hash(p, 1) == sdn_prior_hash(same, 1)) - 1) == 0);   /* normalised, they are one */
  sdn_prior_free(same);
  sdn_prior_free(p);
  write_file("0 0 7\n0 1 7\n1 0 7\n1 2 7\n");
  refused(yaml, "out of place");
  write_file("0 0 7\n0 1 7\n1 0 7\n");
  refused(yaml, "same values");
  write_file("1 0 7\n1 1 7\n0 0 7\n0 1 7\n");
  refused(yaml, "must increase");
  write_file("1 0 7\n1 1\n");
  refused(yaml, "test_grid_table.txt:2");
  write_file("0 0 7\n0 1 7\n1 0 0\n1 1 0\n");
  refused(yaml, "at the given value 1");
  remove("test_grid_table.txt");
}

static void mistakes_are_told(void **state)
{
  (void)state;
  refused("x: {prior: tabulated, given: g, given_values: [0], value: [0, 1], density: [[1, 1]]}", "'g'");
  refused("x: {prior: tabulated, given: 1, value: [0, 1], density: [[1, 1]]}", "given_values");
  refused("x: {prior: tabulated, given: 1, given_values: [0, 1], value: [0, 1], density: [[1, 1]]}", "list of 2 lists");
  refused("x: {prior: tabulated, given: 1, given_values: [0, 1], value: [0, 1], density: [[1, 1], [1]]}", "list of 2 numbers");
  refused("x: {prior: tabulated, given: 1, given_values: [0, 1], value: [0, 1], density: [[1, 1], [1, one]]}", "no number");
  refused("x: {prior: tabulated, given: 1, given_values: [0], value: [0, 1], density: [[1, 1]], low: 2}", "beyond the table");
  refused("x: {prior: tabulated, given_values: [0], value: [0, 1], density: [[1, 1]]}", "given_values");
  refused("x: {prior: tabulated, given: ln(-1), given_values: [0], value: [0, 1], density: [[1, 1]]}", "not a number");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(rows_are_mixed), cmocka_unit_test(ends_may_move), cmocka_unit_test(files_are_read), cmocka_unit_test(mistakes_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
