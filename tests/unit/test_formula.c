/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Formulas against the same expressions compiled by C, and their errors. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "prior/formula.h"

static const double params[] = {1.7, -0.3, 12.5};   /* a, b, c_1 */

static double twice(const void *ctx, double x) { return x * *(const double *)ctx; }

static double weigh(const void *ctx, const double *x) { return x[0] + *(const double *)ctx * x[1] - x[2] * x[2]; }

static double value_of(const char *text)
{
  static const char *const names[] = {"a", "b", "c_1"};
  static const double two = 2;
  const sdn_function functions[] = {{.name = "half_of", .fn = twice, .ctx = &(const double){0.5}}, {.name = "twice", .fn = twice, .ctx = &two},
                                    {.name = "weigh", .fn_n = weigh, .n_argument = 3, .ctx = &two}};
  sdn_formula *f;
  sdn_err err;
  if (sdn_formula_parse(text, &f, &err)) fail_msg("%s", err.text);
  for (size_t i = 0; i < sdn_formula_n_name(f); i++)
    for (int k = 0; k < 3; k++)
      if (strcmp(sdn_formula_name(f, i), names[k]) == 0) sdn_formula_bind(f, i, k);
  if (sdn_formula_link(f, 3, functions, &err)) fail_msg("%s", err.text);
  const double value = sdn_formula_value(f, params);
  sdn_formula_free(f);
  return value;
}

/* The same operations in the same order give the same bits. */
#define SAME(text, expression)                                                                           \
  do {                                                                                                   \
    const double got = value_of(text), expected = (expression);                                          \
    if (!(got == expected)) fail_msg("%s gives %.17g, C gives %.17g", text, got, expected);              \
  } while (0)

static void values_are_those_of_c(void **state)
{
  (void)state;
  const double a = params[0], b = params[1], c = params[2];
  SAME("a", a);
  SAME("a+b*c_1", a + b * c);
  SAME("(a + b) * c_1", (a + b) * c);
  SAME("a - b - c_1", a - b - c);
  SAME("a / b / c_1", a / b / c);
  SAME("-a^2", -(a * a));
  SAME("2^3^2", pow(2, pow(3, 2)));
  SAME("a^-b", pow(a, -b));
  SAME("--a", a);
  SAME("-a*-b", -a * -b);
  SAME("+a - +b", a - b);
  SAME("1e3-a", 1e3 - a);
  SAME(".5e-1*c_1 + 7.", .5e-1 * c + 7.);
  SAME("exp(a) + ln(c_1) + log10(c_1) + sqrt(a) + abs(b)", exp(a) + log(c) + log10(c) + sqrt(a) + fabs(b));
}

static void functions_of_the_model(void **state)
{
  (void)state;
  const double a = params[0], b = params[1], c = params[2];
  SAME("min(a, b) * max(b, c_1) + pow(c_1, b)", b * c + pow(c, b));
  SAME("twice(a + half_of(twice(b)))", 2 * (a + 0.5 * (2 * b)));
  SAME("1 + weigh(a, twice(b), weigh(c_1, a, 2))", 1 + (a + 2 * (2 * b) - (c + 2 * a - 4) * (c + 2 * a - 4)));
  SAME("log10(max(c_1 - a * (2 + b), 0.1))", log10(c - a * (2 + b)));
  assert_true(isnan(value_of("sqrt(b)")));
  assert_true(isnan(value_of("min(sqrt(b), 1)")) && isnan(value_of("max(1, sqrt(b))")));
  assert_true(isinf(value_of("1 / (a - a)")));
}

static void names_are_listed_once(void **state)
{
  (void)state;
  sdn_formula *f;
  sdn_err err;
  assert_int_equal(sdn_formula_parse("x * (y + x) - exp(z_2)", &f, &err), SDN_OK);
  assert_int_equal(sdn_formula_n_name(f), 3);
  assert_string_equal(sdn_formula_name(f, 0), "x");
  assert_string_equal(sdn_formula_name(f, 1), "y");
  assert_string_equal(sdn_formula_name(f, 2), "z_2");
  sdn_formula_free(f);
}

static void a_name_becomes_a_number(void **state)
{
  (void)state;
  sdn_formula *f;
  sdn_err err;
  assert_int_equal(sdn_formula_parse("x * index + y ^ index - z", &f, &err), SDN_OK);
  sdn_formula_fix(f, "index", 3);
  sdn_formula_fix(f, "absent", 3);
  assert_int_equal(sdn_formula_n_name(f), 3);
  const double value[] = {2, 5, 7};
  for (size_t i = 0; i < 3; i++) {
    assert_true(sdn_formula_name(f, i)[0] == (char)('x' + (int)i));
    sdn_formula_bind(f, i, (int)i);
  }
  assert_true(sdn_formula_value(f, value) == 2 * 3 + 125 - 7);
  sdn_formula_free(f);
}

static void refused(const char *text, const char *where, const char *why)
{
  sdn_formula *f;
  sdn_err err;
  assert_int_equal(sdn_formula_parse(text, &f, &err), SDN_USAGE);
  assert_null(f);
  if (!strstr(err.text, where) || !strstr(err.text, why)) fail_msg("'%s' or '%s' is missing in: %s", where, why, err.text);
}

static void errors_say_where(void **state)
{
  (void)state;
  refused("", "ends", "a number, a name or a bracket");
  refused("a + ", "ends", "a number, a name or a bracket");
  refused("a $ b", "character 3", "operator");
  refused("a b", "character 3", "operator");
  refused("(a + b", "ends", "closing bracket");
  refused("a + b)", "character 6", "operator");
  refused("max(a)", "character 6", "comma");
  refused("exp(a, b)", "character 6", "closing bracket");
  refused("max(a, b, )", "character 9", "closing bracket");
  refused("2 ** 3", "character 4", "a number, a name or a bracket");
  refused("3x", "character 2", "operator");
  refused("1e999", "character 1", "no number");
  refused("f(1, 2, 3, 4, 5)", "character 13", "closing bracket");
  refused("f(1) + f(1, 2)", "character 10", "another number of arguments");
  sdn_formula *f;
  sdn_err err;
  assert_int_equal(sdn_formula_parse("f(1)", &f, &err), SDN_OK);
  assert_int_equal(sdn_formula_link(f, 0, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "no function 'f'"));
  const sdn_function other = {.name = "f", .fn_n = weigh, .n_argument = 3};
  assert_int_equal(sdn_formula_link(f, 1, &other, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "takes 3 arguments, not 1"));
  sdn_formula_free(f);
}

/* However it is nested or long, a formula gives a value or an error, never an overflow of a stack. */
static void size_is_limited(void **state)
{
  (void)state;
  char text[5000];
  static const char *const unit[] = {"(", "-(", "1+(", "exp(", "2^"};
  for (size_t u = 0; u < sizeof unit / sizeof *unit; u++) {
    text[0] = '\0';
    for (int i = 0; i < 1000; i++) strcat(text, unit[u]);
    refused(text, "formula", "nested too deep");
  }
  strcpy(text, "1");
  for (int i = 0; i < 1000; i++) strcat(text, "+1");
  refused(text, "formula", "too long");
  assert_true(value_of("1-(1-(1-(1-(1-(1-(1-(1-a)))))))") == 1.7);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_are_those_of_c), cmocka_unit_test(functions_of_the_model), cmocka_unit_test(names_are_listed_once), cmocka_unit_test(a_name_becomes_a_number),
    cmocka_unit_test(errors_say_where),      cmocka_unit_test(size_is_limited),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
