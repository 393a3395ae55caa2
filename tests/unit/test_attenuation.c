/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The attenuation curve's definition: what A_V means, where pieces join, that it goes on sensibly outside the published range. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "support/law_text.h"

#define TOL_ROUNDING 1e-14

static void av_is_attenuation_at_5500(void **state)
{
  (void)state;
  test_dust d = test_dust_of("{law: calzetti, a_v_mag: 1, slope: {prior: uniform, low: -1.2, high: 0.6}, bump: {prior: uniform, low: 0, high: 4}}");
  double *slope = test_law_param(d.prior, d.params, "dust_slope"), *bump = test_law_param(d.prior, d.params, "dust_bump");
  for (*slope = -1.2; *slope <= 0.6; *slope += 0.3)
    for (*bump = 0; *bump <= 4; *bump += 0.5)
      if (!(fabs(test_dust_k(&d, 5500) - 1) <= TOL_ROUNDING)) fail_msg("slope %g bump %g: %g at 5500 A", *slope, *bump, test_dust_k(&d, 5500));
  test_dust_free(&d);
}

/* Value and slope go on at 1200 A and 2.2 um; shortward it keeps rising, longward falling, never to zero and never flat. */
static void ends_are_continued(void **state)
{
  (void)state;
  static const double edge_A[2] = {1200, 22000};
  test_dust law = test_dust_of("{law: calzetti, a_v_mag: 1}");
  for (int i = 0; i < 2; i++) {
    const double e = edge_A[i], d = 1e-3, at = test_dust_k(&law, e);
    const double below = test_dust_k(&law, e - d), above = test_dust_k(&law, e + d);
    const double left = (at - below) / d, right = (above - at) / d;
    if (!(fabs(left / right - 1) <= 1e-5)) fail_msg("slopes %g and %g at %g A", left, right, e);   /* curvature over 1e-3 A, rounding of the differences */
  }
  double before = INFINITY;
  for (double wave_A = 50; wave_A < 1e7; wave_A *= 1.01) {
    const double k = test_dust_k(&law, wave_A);
    if (!(k > 0 && k < before)) fail_msg("k = %g at %g A, %g before", k, wave_A, before);
    before = k;
  }
  test_dust_free(&law);
}

/* Leitherer+2002 eq. 14, measured on starbursts from 970 to 1800 A; its own fit leaves a few per cent. */
static void far_ultraviolet_agrees_with_measurement(void **state)
{
  (void)state;
  const double tolerance = 0.03, k_v = 4.047892;
  test_dust law = test_dust_of("{law: calzetti, a_v_mag: 1}");
  for (double wave_A = 970; wave_A <= 1200; wave_A += 10) {
    const double x = 1e4 / wave_A, measured = 5.472 + 0.671 * x - 9.218e-3 * x * x + 2.620e-3 * x * x * x;
    if (!(fabs(k_v * test_dust_k(&law, wave_A) / measured - 1) <= tolerance))
      fail_msg("k = %g at %g A, measured %g", k_v * test_dust_k(&law, wave_A), wave_A, measured);
  }
  test_dust_free(&law);
}

static void names_are_known(void **state)
{
  (void)state;
  test_dust d;
  sdn_err err;
  d = test_dust_of("{law: none}");
  assert_true(test_dust_k(&d, 1500) == 0 && sdn_attenuation_a_v_mag(d.law, d.params) == 0);
  test_dust_free(&d);
  assert_int_equal(test_dust_try("{law: calzeti, a_v_mag: 1}", &d, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "did you mean 'calzetti'"));
  assert_int_equal(test_dust_try("{law: '', a_v_mag: 1}", &d, &err), SDN_USAGE);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(av_is_attenuation_at_5500), cmocka_unit_test(ends_are_continued), cmocka_unit_test(far_ultraviolet_agrees_with_measurement), cmocka_unit_test(names_are_known),
  };
  return cmocka_run_group_tests_name("attenuation", tests, NULL, NULL);
}
