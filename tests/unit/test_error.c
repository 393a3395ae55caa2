/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"

static void a_failure_fills_everything(void **state)
{
  (void)state;
  sdn_err err;
  memset(&err, 0x5a, sizeof err);
  sdn_err_clear(&err);
  assert_true(err.status == SDN_OK && err.row == -1 && err.text[0] == '\0');
  assert_int_equal(sdn_fail(&err, SDN_RANGE, "band %s reaches %d A", "z", 9000), SDN_RANGE);
  assert_true(err.status == SDN_RANGE && err.row == -1);
  assert_string_equal(err.text, "band z reaches 9000 A");
  assert_int_equal(sdn_fail_row(&err, SDN_NUMERIC, 17, "row %d", 17), SDN_NUMERIC);
  assert_true(err.status == SDN_NUMERIC && err.row == 17);
  assert_int_equal(sdn_fail_in(&err, "%s:%d", "model.yaml", 3), SDN_NUMERIC);
  assert_true(err.row == 17);
  assert_string_equal(err.text, "model.yaml:3: row 17");
}

static void long_sentences_are_cut_not_overrun(void **state)
{
  (void)state;
  struct { sdn_err err; char guard[16]; } s;
  char text[3000];
  memset(s.guard, 'g', sizeof s.guard);
  memset(text, 'x', sizeof text - 1);
  text[sizeof text - 1] = '\0';
  sdn_fail(&s.err, SDN_IO, "%s", text);
  assert_int_equal(strlen(s.err.text), sizeof s.err.text - 1);
  sdn_fail_in(&s.err, "context");
  assert_int_equal(strlen(s.err.text), sizeof s.err.text - 1);
  assert_int_equal(strncmp(s.err.text, "context: xxx", 12), 0);
  sdn_fail_in(&s.err, "%s", text);
  assert_int_equal(strlen(s.err.text), sizeof s.err.text - 1);
  for (size_t i = 0; i < sizeof s.guard; i++) assert_int_equal(s.guard[i], 'g');
}

static void the_nearest_word_is_found(void **state)
{
  (void)state;
  static const char *const keys[] = {"flux_unit", "floor_fraction", "error_column", "bands", "name", "low", "high"};
  const size_t n = sizeof keys / sizeof *keys;
  assert_string_equal(sdn_nearest("flux_units", keys, n), "flux_unit");
  assert_string_equal(sdn_nearest("flxu_unit", keys, n), "flux_unit");       /* neighbours swapped */
  assert_string_equal(sdn_nearest("Floor_Fraction", keys, n), "floor_fraction");
  assert_string_equal(sdn_nearest("errorcolumn", keys, n), "error_column");
  assert_string_equal(sdn_nearest("hihg", keys, n), "high");
  assert_string_equal(sdn_nearest("band", keys, n), "bands");
  assert_string_equal(sdn_nearest("lo", keys, n), "low");
  assert_null(sdn_nearest("wavelength", keys, n));
  assert_null(sdn_nearest("x", keys, n));
  assert_null(sdn_nearest("", keys, n));
  assert_null(sdn_nearest("flux_unit", keys, 0));
  char word[200];
  memset(word, 'a', sizeof word - 1);
  word[sizeof word - 1] = '\0';
  assert_null(sdn_nearest(word, keys, n));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(a_failure_fills_everything),
    cmocka_unit_test(long_sentences_are_cut_not_overrun),
    cmocka_unit_test(the_nearest_word_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
