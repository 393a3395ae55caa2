/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Decimal numbers against the C library's strtod, and printing against reading. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/number.h"

static uint64_t state = 1;

/* xorshift64*: bits for tests */
static uint64_t bits(void)
{
  state ^= state >> 12;
  state ^= state << 25;
  state ^= state >> 27;
  return state * UINT64_C(2685821657736338717);
}

static void check_like_strtod(const char *text)
{
  double value = 0;
  char *end;
  const double expected = strtod(text, &end);
  if (!sdn_number_parse(text, strlen(text), &value)) fail_msg("'%s' was not read", text);
  if (memcmp(&value, &expected, sizeof value) != 0) fail_msg("'%s' reads as %.17g, strtod says %.17g", text, value, expected);
}

static void reads_what_strtod_reads(void **unused)
{
  static const char *const text[] = {"0",     "-0",   "7.",     ".5",     "+1e0",  "1E+05", "000012.500", "9007199254740993",  "123456789012345678901234567890",
                                     "1e22",  "1e23", "1e-22",  "4.9e-324", "2.2250738585072011e-308", "1.7976931348623157e308", "1e-400", "0e999999999", "0.1",
                                     "0.30000000000000004", "999999999999999e22", "123456789012345e-22"};
  (void)unused;
  for (size_t i = 0; i < sizeof text / sizeof *text; i++) check_like_strtod(text[i]);
  for (int i = 0; i < 200000; i++) {
    char buffer[64];
    const int digits = (int)(bits() % 19) + 1, exponent = (int)(bits() % 60) - 30;
    snprintf(buffer, sizeof buffer, "%s%.*s.%de%d", bits() & 1 ? "-" : "", digits, "1234567890123456789", (int)(bits() % 100000), exponent);
    check_like_strtod(buffer);
  }
}

static void refuses_what_is_no_finite_decimal(void **unused)
{
  static const char *const text[] = {"", " ", "1 ", " 1", "-", "+", ".", "e5", "1e", "1e+", "0x10", "1,5", "1_000", "nan", "inf", "1e999", "-1e400", "1.2.3", "--1", "1d5", "1f"};
  double value = 42;
  (void)unused;
  for (size_t i = 0; i < sizeof text / sizeof *text; i++)
    if (sdn_number_parse(text[i], strlen(text[i]), &value)) fail_msg("'%s' was read as %g", text[i], value);
  assert_true(value == 42);
  char long_text[2000];
  memset(long_text, '1', sizeof long_text);
  assert_false(sdn_number_parse(long_text, sizeof long_text, &value));
}

static void prints_what_reads_back(void **unused)
{
  char text[SDN_NUMBER_SIZE];
  (void)unused;
  for (int i = 0; i < 200000; i++) {
    double value, back;
    uint64_t pattern = bits();
    memcpy(&value, &pattern, sizeof value);
    if (!isfinite(value)) continue;
    sdn_number_print(value, text);
    back = strtod(text, NULL);
    if (memcmp(&back, &value, sizeof value) != 0) fail_msg("%a printed as %s", value, text);
    float single = (float)value;
    if (!isfinite(single)) continue;
    sdn_number_print_float(single, text);
    float single_back = strtof(text, NULL);
    if (memcmp(&single_back, &single, sizeof single) != 0) fail_msg("float %a printed as %s", (double)single, text);
    assert_true(strlen(text) < SDN_NUMBER_SIZE);
  }
}

static void prints_few_digits(void **unused)
{
  static const struct { double value; const char *text; } known[] = {
      {0.1, "0.1"}, {1e15, "1000000000000000"}, {-123456, "-123456"}, {1e300, "1e+300"}, {2.5, "2.5"}, {1.0 / 3, "0.3333333333333333"}, {-0.0, "-0"},
      {DBL_MAX, "1.7976931348623157e+308"}};
  char text[SDN_NUMBER_SIZE];
  (void)unused;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    sdn_number_print(known[i].value, text);
    assert_string_equal(text, known[i].text);
  }
  sdn_number_print((double)NAN, text);
  assert_string_equal(text, "nan");
  sdn_number_print(-(double)INFINITY, text);
  assert_string_equal(text, "-inf");
  sdn_number_print_float(0.1f, text);
  assert_string_equal(text, "0.1");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_what_strtod_reads),
      cmocka_unit_test(refuses_what_is_no_finite_decimal),
      cmocka_unit_test(prints_what_reads_back),
      cmocka_unit_test(prints_few_digits),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
