/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inoue+2014 against other implementations: numbers of the project's notes, and the tables that Synthesizer 1.3.1 (whose coefficients are eazy-py's, with
 * more digits than the paper) gave for ten redshifts. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "physics/igm.h"
#include "support/json.h"
#include "support/law_text.h"
#include "support/shared.h"

#define TOL_PRINTED 8e-6     /* relative: half a unit of the last of five or six printed digits */
#define TOL_REFERENCE 1e-12  /* of the transmission: the same formulas with the same digits, so only rounding differs */

static test_igm inoue;

static int setup(void **state)
{
  (void)state;
  inoue = test_igm_of("");
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  test_igm_free(&inoue);
  return 0;
}

static void notes_agree(void **state)
{
  (void)state;
  static const double row[][3] = {   /* z, rest wavelength [A], transmission */
    {2, 1100, .908543}, {2, 1000, .901637}, {2, 900, .800793}, {3, 1200, .682336}, {3, 1000, .741948}, {3, 900, .546346}, {4, 1100, .531514},
    {4, 900, .265109}, {5, 1200, .160245}, {5, 1000, .258216}, {6, 1200, .0140328}, {6, 1100, .070904}, {6, 900, .00558236}, {7, 1100, .00405506},
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    const double transmission = exp(-sdn_igm_tau(inoue.law, row[i][0], 1, row[i][1]));
    if (!(fabs(transmission / row[i][2] - 1) <= TOL_PRINTED)) fail_msg("z %g, %g A: %.8g, notes %.8g", row[i][0], row[i][1], transmission, row[i][2]);
  }
}

static void synthesizer_agrees(void **state)
{
  char path[4096];
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) skip();
  json *root = json_read_file(path);
  const json *tables = json_get(json_get(root, "header"), "igm_and_cosmology_tables");
  double worst = 0;
  assert_non_null(tables);
  assert_true(tables->n > 0);
  for (size_t i = 0; i < tables->n; i++) {
    const json *wave = json_get(tables->item[i], "lam_rest_A"), *expected = json_get(tables->item[i], "Inoue14");
    const double z = json_number(tables->item[i], "redshift", NAN);
    assert_true(wave->n == expected->n && wave->n > 0);
    for (size_t j = 0; j < wave->n; j++) {
      const double got = exp(-sdn_igm_tau(inoue.law, z, 1, wave->item[j]->number)), difference = fabs(got - expected->item[j]->number);
      worst = fmax(worst, difference);
      if (!(difference <= TOL_REFERENCE)) fail_msg("z %g, %g A: %.10g, Synthesizer %.10g", z, wave->item[j]->number, got, expected->item[j]->number);
    }
  }
  print_message("largest difference from Synthesizer: %.1e\n", worst);
  json_free(root);
}

/* The coefficients themselves, one line at a time: tau just blueward of a line minus just redward is that line's own. */
static void lines_have_their_strength(void **state)
{
  (void)state;
  static const double row[][2] = {{1215.67, 1.68976e-2 + 1.61698e-4}, {1025.72, 4.69229e-3 + 1.54539e-4},
                                  {972.537, 2.23898e-3 + 1.49767e-4}, {912.324, 1.50996e-5 + 1.00168e-4}};
  const double z = 1e-6, tolerance = 1e-5;   /* Inoue+2014 Table 2, at 1 + z = 1 to 1e-5 */
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    const double step = 1e-10 * row[i][0];
    const double jump = sdn_igm_tau(inoue.law, z, 1, row[i][0] - step) - sdn_igm_tau(inoue.law, z, 1, row[i][0] + step);
    if (!(fabs(jump / row[i][1] - 1) <= tolerance)) fail_msg("%g A: %.8g, wanted %.8g", row[i][0], jump, row[i][1]);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(notes_agree), cmocka_unit_test(lines_have_their_strength), cmocka_unit_test(synthesizer_agrees)};
  return cmocka_run_group_tests_name("igm beside other codes", tests, setup, teardown);
}
