/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Madau 1995, Meiksin 2006 and the damping wing of Asada+2025 against other implementations. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "support/json.h"
#include "support/law_text.h"
#include "support/shared.h"

#define TOL_PRINTED 8e-6     /* relative: half a unit of the last of five or six printed digits */
#define TOL_REFERENCE 1e-12  /* of the transmission: the same formulas with the same digits */
#define TOL_MEIKSIN 6e-5     /* relative: the reference has exponents .3333 and, for n > 9, the ratio of line 9 at its own absorber's redshift */
#define TOL_WING 2e-4        /* relative to 1: five printed digits, on a slope of 0.15 per A, at wavelengths moved by 0.8 A */

/* z, rest wavelength [A], transmission with metals, without: the project's notes (independent Python). */
static void madau_agrees_with_notes(void **state)
{
  (void)state;
  static const double row[][4] = {{3, 1200, .647987, .659148}, {3, 1000, .655130, .663419}, {3, 930, .571458, .577853}, {3, 900, .463180, .468085},
                                  {4, 1100, .502061, .512955}, {4, 900, .203941, .207090}, {5, 1200, .177478, .183570}, {5, 1000, .183831, .188455},
                                  {6, 1100, .113469, .117838}, {6, 900, .00768257, .00789257}, {2, 900, .732829, .737605}};
  test_igm hydrogen = test_igm_of("madau95"), metals = test_igm_of("madau95_metals");
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    const double with = exp(-sdn_igm_tau(metals.law, row[i][0], 1, row[i][1])), without = exp(-sdn_igm_tau(hydrogen.law, row[i][0], 1, row[i][1]));
    if (!(fabs(with / row[i][2] - 1) <= TOL_PRINTED && fabs(without / row[i][3] - 1) <= TOL_PRINTED))
      fail_msg("z %g, %g A: %.8g and %.8g, notes %.8g and %.8g", row[i][0], row[i][1], with, without, row[i][2], row[i][3]);
  }
  test_igm_free(&hydrogen);
  test_igm_free(&metals);
}

/* The reference of Synthesizer's cases, where that code's own Madau curve has errors; hydrogen alone. */
static void madau_agrees_with_cases(void **state)
{
  char path[4096];
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) skip();
  test_igm madau = test_igm_of("madau95");
  json *root = json_read_file(path);
  const json *tables = json_get(json_get(root, "header"), "igm_and_cosmology_tables");
  double worst = 0;
  assert_true(tables && tables->n > 0);
  for (size_t i = 0; i < tables->n; i++) {
    const json *wave = json_get(tables->item[i], "lam_rest_A"), *expected = json_get(tables->item[i], "madau95_reference");
    const double z = json_number(tables->item[i], "redshift", NAN);
    assert_true(wave->n == expected->n && wave->n > 0);
    for (size_t j = 0; j < wave->n; j++) {
      const double got = exp(-sdn_igm_tau(madau.law, z, 1, wave->item[j]->number)), difference = fabs(got - expected->item[j]->number);
      worst = fmax(worst, difference);
      if (!(difference <= TOL_REFERENCE)) fail_msg("z %g, %g A: %.10g, reference %.10g", z, wave->item[j]->number, got, expected->item[j]->number);
    }
  }
  print_message("largest difference: %.1e\n", worst);
  json_free(root);
  test_igm_free(&madau);
}

/* Numbers of Galacticus' test of its own Meiksin 2006, which come from an independent Python. Only points where all absorbers lie in the regime that its
 * choice by the source's redshift would choose too, and none is nearer than redshift 0. Wavelength in units of the limit. */
static void meiksin_agrees_with_galacticus(void **state)
{
  (void)state;
  static const double row[][3] = {
    {1, 0.9, 6.74668971494205e-1}, {1, 1.05, 9.79492845348441e-1}, {1, 1.2, 9.81602249025122e-1}, {1, 1.4, 1}, {2, 0.6, 1.50699251736674e-1},
    {2, 0.9, 3.72332785962650e-1}, {2, 1.05, 9.05766475450778e-1}, {2, 1.2, 9.20130940007982e-1}, {3, 0.6, 2.69163581199674e-2}, {3, 0.9, 1.42152427165103e-1},
    {3, 1.05, 7.40077958921068e-1}, {3, 1.2, 7.85586534209925e-1}, {5, 1.2, 3.17893022211617e-1}};
  test_igm meiksin = test_igm_of("meiksin06");
  double worst = 0;
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    const double got = exp(-sdn_igm_tau(meiksin.law, row[i][0], 1, row[i][1] * 911.753));
    worst = fmax(worst, fabs(got / row[i][2] - 1));
    if (!(fabs(got / row[i][2] - 1) <= TOL_MEIKSIN)) fail_msg("z %g, %g: %.9g, Galacticus %.9g", row[i][0], row[i][1], got, row[i][2]);
  }
  print_message("largest relative difference: %.1e\n", worst);
  test_igm_free(&meiksin);
}

/* Eqs 2-4 beyond those points, one line at a time: the step of tau across a line at absorber redshift 3.6 and 5.2, ratios of Table 1. */
static void meiksin_lines_have_their_strength(void **state)
{
  (void)state;
  static const struct { double wave_A, ratio; int n; } line[] = {{1215.67, 1, 2}, {1025.72, .348, 3}, {972.537, .179, 4}, {949.743, .109, 5}, {937.803, .0722, 6},
                                                                 {923.150, .0283, 9}, {920.963, .0283 * 720 / (10.0 * 99), 10}, {912.703, .0283 * 720 / (31.0 * 960), 31}};
  const double tolerance = 1e-6;   /* relative: differences of tau across 2e-10 of the wavelength */
  test_igm meiksin = test_igm_of("meiksin06");
  for (size_t i = 0; i < sizeof line / sizeof *line; i++)
    for (double z = 2.6; z < 6; z += 1.3) {
      const double x = 1 + z, alpha = z < 4 ? 0.00211 * pow(x, 3.7) : 0.00058 * pow(x, 4.5);
      const double evolution = line[i].n == 2 ? 1 : line[i].n <= 5 && z > 3 ? pow(x / 4, 1.0 / 6) : pow(x / 4, 1.0 / 3);
      const double step = 1e-10 * line[i].wave_A, jump = sdn_igm_tau(meiksin.law, z, 1, line[i].wave_A - step) - sdn_igm_tau(meiksin.law, z, 1, line[i].wave_A + step);
      const double expected = alpha * evolution * line[i].ratio;
      if (!(fabs(jump / expected - 1) <= tolerance + 1e-8 / expected)) fail_msg("z %g, line %d: %g, expected %g", z, line[i].n, jump, expected);
    }
  test_igm_free(&meiksin);
}

/* Numbers of Synthesizer's Asada25 (the project's notes), which has frequencies from c = 3e18 A/s: the same as a wavelength scaled by 0.99931. */
static void wing_agrees_with_synthesizer(void **state)
{
  (void)state;
  static const double row[][2] = {{1220, .01246}, {1230, .74923}, {1250, .95566}, {1300, .99328}};
  const double their_c = 3e18, c = 2.99792458e18;
  test_igm wing = test_igm_of("{law: none, damping_wing: asada25}");
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    const double got = exp(-sdn_igm_tau(wing.law, 7, 1, row[i][0] * c / their_c));
    if (!(fabs(got - row[i][1]) <= TOL_WING)) fail_msg("%g A: %.6f, notes %.6f", row[i][0], got, row[i][1]);
  }
  static const double column[][2] = {{6, 19.79690}, {7, 21.10113}, {8, 21.50467}, {10, 21.59053}};   /* log10 cm^-2, notes */
  for (size_t i = 0; i < 4; i++) {
    const double per_atom = 2.0212748e-22, log_column = log10(sdn_igm_tau(wing.law, column[i][0], 1, 1230) / per_atom);   /* cm^2 at 1230 A, by plain Python */
    if (!(fabs(log_column - column[i][1]) <= 1e-4)) fail_msg("z %g: log N %g, notes %g", column[i][0], log_column, column[i][1]);
  }
  test_igm_free(&wing);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(madau_agrees_with_notes), cmocka_unit_test(madau_agrees_with_cases), cmocka_unit_test(meiksin_agrees_with_galacticus),
                                     cmocka_unit_test(meiksin_lines_have_their_strength), cmocka_unit_test(wing_agrees_with_synthesizer)};
  return cmocka_run_group_tests_name("igm laws beside other codes", tests, NULL, NULL);
}
