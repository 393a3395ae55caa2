/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cosmology against closed forms and GSL's quadrature; against astropy in tests/reference. */
#include <gsl/gsl_integration.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "physics/cosmology.h"

#define TOL_TABLE 1e-8    /* relative: what cosmology.h promises of its interpolation */
#define LIGHT_KM_S 299792.458

static sdn_cosmology *from_yaml(const char *text)
{
  sdn_yaml *root;
  sdn_cosmology *c = NULL;
  sdn_err err;
  assert_int_equal(sdn_yaml_parse(text, "model.yaml", &root, &err), SDN_OK);
  if (sdn_cosmology_new(root, &c, &err)) fail_msg("%s", err.text);
  sdn_yaml_free(root);
  return c;
}

static void assert_close(double got, double expected, double tolerance)
{
  if (!(fabs(got / expected - 1) <= tolerance)) fail_msg("got %.15g, expected %.15g", got, expected);
}

/* Matter alone (Einstein & de Sitter 1932): D_L = 2c/H0 (1+z) (1 - 1/sqrt(1+z)), t = 2/(3 H0) (1+z)^-1.5. */
static void matter_alone_is_exact(void **state)
{
  (void)state;
  sdn_cosmology *c = from_yaml("{h0: 50, omega_m: 1}");
  const double hubble_yr = 3.0856775814913673e19 / 50 / (365.25 * 86400);
  for (double z = 1e-5; z <= 30; z = z * 1.37 + 0.001) {
    assert_close(sdn_cosmology_luminosity_distance_Mpc(c, z), 2 * LIGHT_KM_S / 50 * (1 + z) * (1 - 1 / sqrt(1 + z)), TOL_TABLE);
    assert_close(sdn_cosmology_age_yr(c, z), 2 * hubble_yr / 3 * pow(1 + z, -1.5), TOL_TABLE);
  }
  sdn_cosmology_free(c);
}

/* Flat matter and lambda: age in closed form (Weinberg 1989), distance by quadrature. */
typedef struct flat { double omega_m; } flat;

static double inverse_e(double z, void *ctx)
{
  const flat *f = ctx;
  return 1 / sqrt(f->omega_m * pow(1 + z, 3) + 1 - f->omega_m);
}

static void flat_lambda_agrees(void **state)
{
  (void)state;
  flat f = {0.3};
  sdn_cosmology *c = from_yaml("{h0: 70, omega_m: 0.3}");
  gsl_integration_workspace *work = gsl_integration_workspace_alloc(1000);
  const double hubble_yr = 3.0856775814913673e19 / 70 / (365.25 * 86400);
  for (double z = 0; z <= 30; z = z * 1.21 + 0.01) {
    gsl_function g = {inverse_e, &f};
    double value, error;
    const double t = 2 / (3 * sqrt(0.7)) * asinh(sqrt(0.7 / 0.3) * pow(1 + z, -1.5)) * hubble_yr;
    assert_close(sdn_cosmology_age_yr(c, z), t, TOL_TABLE);
    gsl_integration_qag(&g, 0, z, 0, 1e-12, 1000, GSL_INTEG_GAUSS31, work, &value, &error);
    if (z > 0) assert_close(sdn_cosmology_luminosity_distance_Mpc(c, z), (1 + z) * LIGHT_KM_S / 70 * value, TOL_TABLE);
  }
  gsl_integration_workspace_free(work);
  sdn_cosmology_free(c);
}

static void flux_scale_is_right(void **state)
{
  (void)state;
  const double printed = 1e-8, pc10_cm = 3.0856775814913673e19;   /* digits of the notes' numbers */
  sdn_cosmology *c = NULL;
  sdn_err err;
  assert_int_equal(sdn_cosmology_new(NULL, &c, &err), SDN_OK);
  assert_close(sdn_cosmology_njy_per_lnu(c, 6) * 1e29, 168.205765, printed);
  assert_close(sdn_cosmology_njy_per_lnu(c, 1) * 1e29, 3624.241946, printed);
  assert_close(sdn_cosmology_njy_per_lnu(c, 0), 1e32 / (4 * 3.14159265358979323846 * pc10_cm * pc10_cm), 1e-14);
  sdn_cosmology_free(c);
}

static void outside_is_nan(void **state)
{
  (void)state;
  sdn_cosmology *c = NULL;
  sdn_err err;
  assert_int_equal(sdn_cosmology_new(NULL, &c, &err), SDN_OK);
  static const double bad[] = {-1e-9, 30.0001, NAN, INFINITY, -INFINITY};
  for (int i = 0; i < 5; i++)
    assert_true(isnan(sdn_cosmology_age_yr(c, bad[i])) && isnan(sdn_cosmology_luminosity_distance_Mpc(c, bad[i])) && isnan(sdn_cosmology_njy_per_lnu(c, bad[i])));
  assert_true(isfinite(sdn_cosmology_age_yr(c, 30)) && isfinite(sdn_cosmology_age_yr(c, 0)));
  sdn_cosmology_free(c);
}

static void bad_yaml_is_refused(void **state)
{
  (void)state;
  static const char *const bad[][2] = {
    {"Planck15", "Planck18"}, {"{h0: 70}", "omega_m"}, {"{h0: 70, omega_m: 2}", "omega_m 2"}, {"{h0: -70, omega_m: 0.3}", "h0 -70"},
    {"{H0: 70, omega_m: 0.3}", "h0"}, {"[70, 0.3]", "Planck18"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sdn_yaml *root;
    sdn_cosmology *c = NULL;
    sdn_err err = {SDN_OK, -1, ""};
    assert_int_equal(sdn_yaml_parse(bad[i][0], "model.yaml", &root, &err), SDN_OK);
    assert_int_equal(sdn_cosmology_new(root, &c, &err), SDN_USAGE);
    if (!strstr(err.text, bad[i][1]) || !strstr(err.text, "model.yaml:1")) fail_msg("%s: '%s' does not say %s", bad[i][0], err.text, bad[i][1]);
    sdn_yaml_free(root);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(matter_alone_is_exact), cmocka_unit_test(flat_lambda_agrees), cmocka_unit_test(flux_scale_is_right),
    cmocka_unit_test(outside_is_nan), cmocka_unit_test(bad_yaml_is_refused),
  };
  return cmocka_run_group_tests_name("cosmology", tests, NULL, NULL);
}
