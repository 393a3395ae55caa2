/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters set to numbers over what the file says. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "prior/prior.h"

static const char text[] =
  "redshift: {prior: uniform, low: 1, high: 3}\n"
  "mass: {prior: uniform, low: 8, high: 8 + redshift}\n"
  "slope: -1\n"
  "sum: mass + slope\n";

static sdn_err err;

/* Declared in the text's order, each served over [-20, 20]; `offset` has a default that is a formula. */
static sdn_prior *declare(void)
{
  static const char *const name[] = {"redshift", "mass", "slope", "sum", "offset"};
  sdn_yaml *root = NULL;
  sdn_prior *p = NULL;
  assert_int_equal(sdn_yaml_parse(text, "test.yaml", &root, &err), SDN_OK);
  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
    const sdn_param_spec spec = {name[i], "", "slope - 1", -20, 20, "a test's"};
    if (sdn_prior_add(p, &spec, sdn_yaml_get(root, name[i]), &err)) fail_msg("%s", err.text);
  }
  sdn_yaml_free(root);
  return p;
}

static void set(sdn_prior *p, const char *name, double value)
{
  if (sdn_prior_set(p, name, value, &err)) fail_msg("%s", err.text);
}

static double value_of(const sdn_prior *p, const char *name, double *params)
{
  const double z[4] = {0};
  assert_int_equal(sdn_prior_params(p, 1, z, params, &err), SDN_OK);
  return params[sdn_prior_param_index(p, name)];
}

/* Free and fixed ones give way; their children follow; the medians of what stays free are those under the new values. */
static void numbers_replace(void **state)
{
  (void)state;
  double params[8];
  sdn_prior *p = declare();
  set(p, "redshift", 2.5);
  set(p, "slope", -3);
  assert_int_equal(sdn_prior_finish(p, &err), SDN_OK);
  assert_int_equal(sdn_prior_n_free(p), 1);
  assert_true(value_of(p, "redshift", params) == 2.5);
  assert_true(fabs(value_of(p, "mass", params) - (8 + 0.5 * 2.5)) < 1e-14);   /* uniform between 8 and 8 + redshift */
  assert_true(fabs(value_of(p, "sum", params) - (8 + 0.5 * 2.5 - 3)) < 1e-14);
  assert_true(value_of(p, "offset", params) == -4);
  const int redshift = sdn_prior_param_index(p, "redshift");
  assert_false(sdn_prior_param_is_free(p, redshift));
  assert_string_equal(sdn_prior_param_text(p, redshift), "2.5 (set)");
  assert_true(sdn_prior_supports(p, redshift, params));
  sdn_prior_free(p);
}

/* A default that is a formula gives way, one from the file does not. */
static void ties(void **state)
{
  (void)state;
  double params[8];
  sdn_prior *p = declare();
  assert_int_equal(sdn_prior_set(p, "sum", 1, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "= mass + slope"));
  set(p, "offset", 7);
  assert_int_equal(sdn_prior_finish(p, &err), SDN_OK);
  assert_true(value_of(p, "offset", params) == 7);
  sdn_prior_free(p);
}

static void mistakes(void **state)
{
  (void)state;
  sdn_prior *p = declare();
  assert_int_equal(sdn_prior_set(p, "mas", 9, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "'mass'"));
  assert_int_equal(sdn_prior_set(p, "mass", NAN, &err), SDN_USAGE);
  assert_int_equal(sdn_prior_set(p, "mass", INFINITY, &err), SDN_USAGE);
  set(p, "slope", 21);
  assert_int_equal(sdn_prior_finish(p, &err), SDN_RANGE);   /* beyond what is served */
  assert_non_null(strstr(err.text, "slope"));
  assert_int_equal(sdn_prior_set(p, "slope", 1, &err), SDN_USAGE);   /* too late */
  sdn_prior_free(p);
}

/* Values that the file's prior cannot give are served, and known. The support of mass moves with redshift. */
static void outside_the_prior(void **state)
{
  (void)state;
  static const struct { double redshift, mass; bool z_inside, mass_inside; } c[] = {
    {2, 9.9, true, true}, {2, 10.1, true, false}, {2.5, 10.1, true, true}, {0.5, 8.6, false, false}, {0.5, 8.4, false, true}, {2, 8, true, true}};
  for (size_t i = 0; i < sizeof c / sizeof c[0]; i++) {
    double params[8];
    sdn_prior *p = declare();
    set(p, "mass", c[i].mass);
    set(p, "redshift", c[i].redshift);
    assert_int_equal(sdn_prior_finish(p, &err), SDN_OK);
    assert_int_equal(sdn_prior_n_free(p), 0);
    assert_true(value_of(p, "mass", params) == c[i].mass);
    assert_int_equal(sdn_prior_supports(p, sdn_prior_param_index(p, "redshift"), params), c[i].z_inside);
    assert_int_equal(sdn_prior_supports(p, sdn_prior_param_index(p, "mass"), params), c[i].mass_inside);
    assert_true(sdn_prior_supports(p, sdn_prior_param_index(p, "slope"), params));
    sdn_prior_free(p);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_replace), cmocka_unit_test(ties), cmocka_unit_test(mistakes), cmocka_unit_test(outside_the_prior)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
