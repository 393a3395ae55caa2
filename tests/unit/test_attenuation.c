/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The attenuation curve's definition: what A_V means, where pieces join, that it goes on sensibly outside the published range. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "physics/attenuation.h"

#define CALZETTI SDN_ATTENUATION_CALZETTI
#define TOL_ROUNDING 1e-14

static void av_is_attenuation_at_5500(void **state)
{
  (void)state;
  for (double slope = -1.2; slope <= 0.6; slope += 0.3)
    for (double bump = 0; bump <= 4; bump += 0.5)
      if (!(fabs(sdn_attenuation_curve(CALZETTI, slope, bump, 5500) - 1) <= TOL_ROUNDING))
        fail_msg("slope %g bump %g: %g at 5500 A", slope, bump, sdn_attenuation_curve(CALZETTI, slope, bump, 5500));
}

/* Galaxies are computed from the pieces: they must make up the curve. */
static void pieces_make_the_curve(void **state)
{
  (void)state;
  for (double wave_A = 100; wave_A < 3e5; wave_A *= 1.07) {
    const double slope = -0.4, bump = 1.3;
    const double norm = sdn_attenuation_base(CALZETTI, 5500) + bump * sdn_attenuation_drude(5500);
    const double k = (sdn_attenuation_base(CALZETTI, wave_A) + bump * sdn_attenuation_drude(wave_A)) * pow(wave_A / 5500, slope) / norm;
    assert_true(fabs(sdn_attenuation_curve(CALZETTI, slope, bump, wave_A) / k - 1) <= TOL_ROUNDING);
  }
}

static void bump_is_a_drude_profile(void **state)
{
  (void)state;
  assert_true(fabs(sdn_attenuation_drude(2175) - 1) <= TOL_ROUNDING);
  const double half_A = 350.0 / 2, low_A = sqrt(2175.0 * 2175 + half_A * half_A) - half_A, high_A = low_A + 350;   /* where |l^2 - 2175^2| = 350 l */
  assert_true(fabs(sdn_attenuation_drude(low_A) - 0.5) <= 1e-12 && fabs(sdn_attenuation_drude(high_A) - 0.5) <= 1e-12);
}

/* Value and slope go on at 1200 A and 2.2 um; shortward it keeps rising, longward falling, never to zero and never flat. */
static void ends_are_continued(void **state)
{
  (void)state;
  static const double edge_A[2] = {1200, 22000};
  for (int i = 0; i < 2; i++) {
    const double e = edge_A[i], d = 1e-3, at = sdn_attenuation_base(CALZETTI, e);
    const double below = sdn_attenuation_base(CALZETTI, e - d), above = sdn_attenuation_base(CALZETTI, e + d);
    const double left = (at - below) / d, right = (above - at) / d;
    if (!(fabs(left / right - 1) <= 1e-5)) fail_msg("slopes %g and %g at %g A", left, right, e);   /* curvature over 1e-3 A, rounding of the differences */
  }
  double before = INFINITY;
  for (double wave_A = 50; wave_A < 1e7; wave_A *= 1.01) {
    const double k = sdn_attenuation_base(CALZETTI, wave_A);
    if (!(k > 0 && k < before)) fail_msg("k = %g at %g A, %g before", k, wave_A, before);
    before = k;
  }
}

/* Leitherer+2002 eq. 14, measured on starbursts from 970 to 1800 A; its own fit leaves a few per cent. */
static void far_ultraviolet_agrees_with_measurement(void **state)
{
  (void)state;
  const double tolerance = 0.03;
  for (double wave_A = 970; wave_A <= 1200; wave_A += 10) {
    const double x = 1e4 / wave_A, measured = 5.472 + 0.671 * x - 9.218e-3 * x * x + 2.620e-3 * x * x * x;
    if (!(fabs(sdn_attenuation_base(CALZETTI, wave_A) / measured - 1) <= tolerance))
      fail_msg("k = %g at %g A, measured %g", sdn_attenuation_base(CALZETTI, wave_A), wave_A, measured);
  }
}

static void names_are_known(void **state)
{
  (void)state;
  sdn_attenuation_law law;
  sdn_err err;
  assert_int_equal(sdn_attenuation_parse("calzetti", &law, &err), SDN_OK);
  assert_int_equal(law, SDN_ATTENUATION_CALZETTI);
  assert_int_equal(sdn_attenuation_parse("none", &law, &err), SDN_OK);
  assert_true(sdn_attenuation_curve(law, 0, 0, 1500) == 0);
  assert_int_equal(sdn_attenuation_parse("calzeti", &law, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "did you mean 'calzetti'"));
  assert_int_equal(sdn_attenuation_parse("", &law, &err), SDN_USAGE);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(av_is_attenuation_at_5500), cmocka_unit_test(pieces_make_the_curve), cmocka_unit_test(bump_is_a_drude_profile),
    cmocka_unit_test(ends_are_continued), cmocka_unit_test(far_ultraviolet_agrees_with_measurement), cmocka_unit_test(names_are_known),
  };
  return cmocka_run_group_tests_name("attenuation", tests, NULL, NULL);
}
