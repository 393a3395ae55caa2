/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

typedef struct options { long n_draw; double rate; const char *output; bool resume; double limit; const char *fix; } options;

static const sdn_knob knobs[] = {
  {"n_draw", SDN_KNOB_LONG, offsetof(options, n_draw), "1000", 1, 1e9, "", "draws"},
  {"rate", SDN_KNOB_DOUBLE, offsetof(options, rate), "1e-3", 0, 1, "per step", "learning rate"},
  {"output", SDN_KNOB_TEXT, offsetof(options, output), "out.h5", 0, 0, "FILE", "where to"},
  {"resume", SDN_KNOB_FLAG, offsetof(options, resume), "false", 0, 0, "", "go on"},
  {"limit", SDN_KNOB_DOUBLE, offsetof(options, limit), NULL, -INFINITY, INFINITY, "", "no default"},
  {"fix", SDN_KNOB_TEXT, offsetof(options, fix), NULL, 0, 0, "NAME=COLUMN", "known"},
};
#define N_KNOB (sizeof knobs / sizeof *knobs)

static options fresh(void)
{
  options o;
  memset(&o, 0x77, sizeof o);
  sdn_knob_defaults(knobs, N_KNOB, &o);
  return o;
}

static void defaults_are_those_of_the_table(void **state)
{
  (void)state;
  const options o = fresh();
  assert_int_equal(o.n_draw, 1000);
  assert_true(o.rate == 1e-3 && o.limit == 0 && !o.resume);
  assert_string_equal(o.output, "out.h5");
  assert_null(o.fix);
}

static void each_kind_is_read(void **state)
{
  (void)state;
  options o = fresh();
  sdn_err err;
  assert_int_equal(sdn_knob_set(knobs, N_KNOB, &o, "n_draw", "250", &err), SDN_OK);
  assert_int_equal(o.n_draw, 250);
  assert_int_equal(sdn_knob_set(knobs, N_KNOB, &o, "n-draw", "2e5", &err), SDN_OK);
  assert_int_equal(o.n_draw, 200000);
  assert_int_equal(sdn_knob_set(knobs, N_KNOB, &o, "rate", "0.5", &err), SDN_OK);
  assert_true(o.rate == 0.5);
  assert_int_equal(sdn_knob_set(knobs, N_KNOB, &o, "output", "x.h5", &err), SDN_OK);
  assert_string_equal(o.output, "x.h5");
  assert_int_equal(sdn_knob_set(knobs, N_KNOB, &o, "resume", NULL, &err), SDN_OK);
  assert_true(o.resume);
  assert_int_equal(sdn_knob_set(knobs, N_KNOB, &o, "resume", "no", &err), SDN_OK);
  assert_false(o.resume);
  assert_int_equal(sdn_knob_set(knobs, N_KNOB, &o, "limit", "-1e300", &err), SDN_OK);
  assert_true(o.limit == -1e300);
}

static void refused(const char *name, const char *text, const char *a, const char *b)
{
  options o = fresh(), before = fresh();
  sdn_err err;
  assert_int_equal(sdn_knob_set(knobs, N_KNOB, &o, name, text, &err), SDN_USAGE);
  if (!strstr(err.text, a) || !strstr(err.text, b)) fail_msg("'%s' or '%s' is missing in: %s", a, b, err.text);
  assert_true(o.n_draw == before.n_draw && o.rate == before.rate && o.resume == before.resume);
}

static void mistakes_are_told(void **state)
{
  (void)state;
  refused("n_darw", "5", "n_darw", "did you mean 'n_draw'");
  refused("n_dra", "5", "n_dra", "did you mean 'n_draw'");
  refused("zzz", "5", "zzz", "no option");
  refused("n_draw", "12x", "n_draw", "'12x'");
  refused("n_draw", "1.5", "n_draw", "whole number");
  refused("n_draw", "", "n_draw", "whole number");
  refused("n_draw", "0", "0 is outside", "[1, 1000000000]");
  refused("n_draw", "99999999999999999999", "n_draw", "whole number");
  refused("rate", "nan", "rate", "not a number");
  refused("rate", "inf", "rate", "not a number");
  refused("rate", "1.5", "1.5 is outside", "per step");
  refused("resume", "maybe", "maybe", "neither true nor false");
  refused("output", NULL, "output", "needs a value");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(defaults_are_those_of_the_table),
    cmocka_unit_test(each_kind_is_read),
    cmocka_unit_test(mistakes_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
