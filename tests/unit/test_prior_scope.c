/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters of the same name in several parts of a model: prefixes, who finds whom, and places handed out at the end. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "prior/prior.h"

static sdn_err err;

static void add(sdn_prior *p, const char *name, const char *value)
{
  const sdn_param_spec spec = {name, "mag", value, -100, 100, "what a test declares"};
  if (sdn_prior_add(p, &spec, NULL, &err)) fail_msg("%s", err.text);
}

static void scope(sdn_prior *p, const char *prefix) { assert_int_equal(sdn_prior_scope(p, prefix, &err), SDN_OK); }
static void bind(sdn_prior *p, const char *name, int *index) { assert_int_equal(sdn_prior_bind(p, name, index, &err), SDN_OK); }

static double value_of(const sdn_prior *p, const char *name)
{
  double params[16];
  const int i = sdn_prior_param_index(p, name);
  if (i < 0) fail_msg("no parameter %s", name);
  assert_int_equal(sdn_prior_params(p, 1, NULL, params, &err), SDN_OK);
  return params[i];
}

/* Two populations with the same keys; the formulas were written without prefixes. */
static void names_are_sought_at_home_first(void **state)
{
  (void)state;
  sdn_prior *p;
  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  assert_string_equal(sdn_prior_prefix(p), "");
  scope(p, "old_");
  assert_string_equal(sdn_prior_prefix(p), "old_");
  add(p, "sfr", "mass + shift");
  add(p, "mass", "11");
  scope(p, "young_");
  add(p, "sfr", "mass + shift");
  add(p, "mass", "9");
  add(p, "shift", "old_mass / 2");
  scope(p, "");
  add(p, "mass", "10");
  add(p, "shift", "-8");
  add(p, "all", "old_sfr + young_sfr + mass");
  if (sdn_prior_finish(p, &err)) fail_msg("%s", err.text);
  assert_int_equal(sdn_prior_n_param(p), 8);
  assert_true(value_of(p, "old_sfr") == 11 - 8);
  assert_true(value_of(p, "young_sfr") == 9 + 5.5);
  assert_true(value_of(p, "all") == 3 + 14.5 + 10);
  assert_int_equal(sdn_prior_param_index(p, "sfr"), -1);
  sdn_prior_free(p);
}

static void scopes_nest(void **state)
{
  (void)state;
  sdn_prior *p;
  int tau = 7, mass = 7;
  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  scope(p, "old_");
  add(p, "mass", "11");
  assert_int_equal(sdn_prior_scope_enter(p, "burst_", &err), SDN_OK);
  assert_string_equal(sdn_prior_prefix(p), "old_burst_");
  add(p, "tau", "mass + age");
  bind(p, "tau", &tau);
  bind(p, "mass", &mass);
  sdn_prior_scope_leave(p);
  assert_string_equal(sdn_prior_prefix(p), "old_");
  sdn_prior_scope_leave(p);
  sdn_prior_scope_leave(p);   /* outermost already */
  assert_string_equal(sdn_prior_prefix(p), "");
  add(p, "age", "2");
  assert_int_equal(tau, -1);
  assert_int_equal(mass, -1);
  if (sdn_prior_finish(p, &err)) fail_msg("%s", err.text);
  assert_int_equal(tau, sdn_prior_param_index(p, "old_burst_tau"));
  assert_int_equal(mass, sdn_prior_param_index(p, "old_mass"));
  assert_true(value_of(p, "old_burst_tau") == 13);
  sdn_prior_free(p);
}

/* A parameter's formula that has its own name means the outer one. */
static void nobody_means_himself(void **state)
{
  (void)state;
  sdn_prior *p;
  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  scope(p, "birth_");
  add(p, "a_v_mag", "2 * a_v_mag");
  add(p, "more", "a_v_mag + 1");
  scope(p, "");
  add(p, "a_v_mag", "3");
  if (sdn_prior_finish(p, &err)) fail_msg("%s", err.text);
  assert_true(value_of(p, "birth_a_v_mag") == 6 && value_of(p, "birth_more") == 7);
  sdn_prior_free(p);
  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  scope(p, "birth_");
  add(p, "a_v_mag", "2 * a_v_mag");
  assert_int_equal(sdn_prior_finish(p, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "needs itself"));
  sdn_prior_free(p);
}

/* Places are those after sorting, not those of declaration. */
static void bindings_are_filled_at_the_end(void **state)
{
  (void)state;
  sdn_prior *p;
  int first = 7, second = 7, own = 7;
  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  bind(p, "late", &first);
  add(p, "early", "late + 1");
  add(p, "late", "3");
  scope(p, "old_");
  add(p, "late", "4");
  bind(p, "late", &own);
  bind(p, "early", &second);
  if (sdn_prior_finish(p, &err)) fail_msg("%s", err.text);
  assert_string_equal(sdn_prior_param_name(p, first), "late");
  assert_string_equal(sdn_prior_param_name(p, second), "early");
  assert_string_equal(sdn_prior_param_name(p, own), "old_late");
  assert_true(second > first);
  assert_string_equal(sdn_prior_param_help(p, own), "what a test declares");
  sdn_prior_free(p);
}

static void mistakes_are_told(void **state)
{
  (void)state;
  sdn_prior *p;
  int index = 7;
  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  scope(p, "old_");
  add(p, "mass", "11");
  bind(p, "mas", &index);
  assert_int_equal(sdn_prior_finish(p, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "old_mas,"));
  assert_int_equal(index, -1);
  sdn_prior_free(p);

  assert_int_equal(sdn_prior_new(&p, &err), SDN_OK);
  scope(p, "old_");
  add(p, "mass", "11");
  const sdn_param_spec again = {"mass", NULL, "12", -100, 100, NULL};
  assert_int_equal(sdn_prior_add(p, &again, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "old_mass is declared twice"));
  scope(p, "young_");
  add(p, "age", "mass + 1");   /* old_mass is not to be seen from here */
  assert_int_equal(sdn_prior_finish(p, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "names 'mass'"));
  sdn_prior_free(p);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(names_are_sought_at_home_first),
    cmocka_unit_test(scopes_nest),
    cmocka_unit_test(nobody_means_himself),
    cmocka_unit_test(bindings_are_filled_at_the_end),
    cmocka_unit_test(mistakes_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
