/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Planck18 against astropy's: luminosity distances and ages printed by astropy 5.2.1, and those of the reference cases (astropy through Synthesizer). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "physics/cosmology.h"
#include "support/json.h"
#include "support/shared.h"

#define TOL_PRINTED 5e-8     /* relative: ages are printed with 7 decimals of a Gyr */
#define TOL_REFERENCE 2e-8   /* relative: tables here 4e-9, physical constants the rest */

static sdn_cosmology *planck18;

static int setup(void **state)
{
  sdn_err err;
  (void)state;
  return sdn_cosmology_new(NULL, &planck18, &err) ? -1 : 0;
}

static int teardown(void **state)
{
  (void)state;
  sdn_cosmology_free(planck18);
  return 0;
}

static void assert_close(double z, double got, double expected, double tolerance)
{
  if (!(fabs(got / expected - 1) <= tolerance)) fail_msg("z = %g: got %.12g, astropy %.12g, ratio 1 + %g", z, got, expected, got / expected - 1);
}

static void printed_table_agrees(void **state)
{
  (void)state;
  static const double row[][3] = {   /* z, D_L [Mpc], age [Gyr] */
    {0.1, 475.822268, 12.4416872}, {0.5, 2919.624952, 8.5906458}, {1, 6791.268942, 5.8513433}, {2, 15924.566652, 3.2768304},
    {3, 26016.015956, 2.1437538}, {5, 47677.760422, 1.1707060}, {6, 58975.700105, 0.9292649}, {7, 70492.486361, 0.7605794},
    {8, 82187.084252, 0.6373066}, {10, 105999.135874, 0.4714148}, {12, 130251.351185, 0.3666966},
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    assert_close(row[i][0], sdn_cosmology_luminosity_distance_Mpc(planck18, row[i][0]), row[i][1], TOL_PRINTED);
    assert_close(row[i][0], sdn_cosmology_age_yr(planck18, row[i][0]), row[i][2] * 1e9, 2 * TOL_PRINTED / row[i][2]);   /* half a unit of the last digit */
  }
  assert_close(0, sdn_cosmology_age_yr(planck18, 0), 13.786885e9, TOL_PRINTED);
}

static void reference_cases_agree(void **state)
{
  char path[4096];
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) skip();
  json *root = json_read_file(path);
  const json *tables = json_get(json_get(root, "header"), "igm_and_cosmology_tables"), *cases = json_get(root, "cases");
  assert_non_null(tables);
  assert_true(tables->n > 0 && cases->n > 0);
  for (size_t i = 0; i < tables->n; i++) {
    const double z = json_number(tables->item[i], "redshift", NAN);
    assert_close(z, sdn_cosmology_luminosity_distance_Mpc(planck18, z), json_number(tables->item[i], "luminosity_distance_Mpc_Planck18", NAN), TOL_REFERENCE);
    assert_close(z, sdn_cosmology_age_yr(planck18, z), json_number(tables->item[i], "age_yr_Planck18", NAN), TOL_REFERENCE);
  }
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = json_get(cases->item[i], "cosmology");
    const double z = json_number(cases->item[i], "redshift", NAN);
    assert_close(z, sdn_cosmology_luminosity_distance_Mpc(planck18, z), json_number(c, "luminosity_distance_Mpc", NAN), TOL_REFERENCE);
    assert_close(z, sdn_cosmology_age_yr(planck18, z), json_number(c, "age_at_z_yr", NAN), TOL_REFERENCE);
  }
  json_free(root);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(printed_table_agrees), cmocka_unit_test(reference_cases_agree)};
  return cmocka_run_group_tests_name("cosmology beside astropy", tests, setup, teardown);
}
