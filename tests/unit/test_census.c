/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What formulas know of the galaxy population: published tables, other programs' numbers, and brute force. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "physics/census.h"
#include "prior/formula.h"

#define TOL_EXACT 1e-12
#define TOL_VOLUME 2e-6     /* relative: differences of the tabulated distance */
#define TOL_CSFRD 0.01      /* relative: a spline through every fifth to tenth line of the published table */
#define TOL_RATIO 1e-3      /* dex: rates straight over 5 Myr, against midpoints */

static sdn_err err;
static sdn_cosmology *cosmology;
static sdn_census *census;
static sdn_prior *prior;

static int setup(void **state)
{
  (void)state;
  if (sdn_cosmology_new(NULL, &cosmology, &err) || sdn_prior_new(&prior, &err)) return -1;
  return sdn_census_new(cosmology, prior, &census, &err) ? -1 : 0;
}

static int teardown(void **state)
{
  (void)state;
  sdn_prior_free(prior);
  sdn_census_free(census);
  sdn_cosmology_free(cosmology);
  return 0;
}

/* A formula without names, as a model would have it. */
static double value_of(const char *formula)
{
  sdn_prior *p;
  sdn_census *own;
  const sdn_param_spec spec = {"x", "", formula, -1e300, 1e300, ""};
  double x;
  if (sdn_prior_new(&p, &err) || sdn_census_new(cosmology, p, &own, &err)) fail_msg("%s", err.text);
  if (sdn_prior_add(p, &spec, NULL, &err) || sdn_prior_finish(p, &err) || sdn_prior_params(p, 1, NULL, &x, &err)) x = NAN;
  sdn_prior_free(p);
  sdn_census_free(own);
  return x;
}

static void assert_near(const char *what, double got, double expected, double tolerance)
{
  if (!(fabs(got - expected) <= tolerance)) fail_msg("%s: got %.15g, expected %.15g within %g", what, got, expected, tolerance);
}

/* Medians and percentiles of Gallazzi+2005 table 2, lines 1, 7, 10 and 16. */
static void metals_follow_gallazzi(void **state)
{
  static const double line[4][4] = {{8.87, -0.60, -1.11, 0.00}, {10.07, -0.23, -0.80, 0.14}, {10.68, 0.04, -0.24, 0.22}, {11.87, 0.15, -0.03, 0.30}};
  (void)state;
  for (int i = 0; i < 4; i++) {
    assert_near("median", sdn_gallazzi05_mean(line[i][0]), log10(0.02) + line[i][1], TOL_EXACT);
    assert_near("width", sdn_gallazzi05_sigma(line[i][0]), 0.5 * (line[i][3] - line[i][2]), TOL_EXACT);
  }
  assert_near("between", sdn_gallazzi05_mean(9.97), log10(0.02) - 0.32, TOL_EXACT);
  assert_near("below", sdn_gallazzi05_mean(6), log10(0.02) - 0.60, TOL_EXACT);
  assert_near("above", sdn_gallazzi05_sigma(12.5), 0.165, TOL_EXACT);
  assert_near("formula", value_of("gallazzi05_mean(9.97) + 2 * gallazzi05_sigma(8)"), log10(0.02) - 0.32 + 1.11, TOL_EXACT);
  assert_true(isnan(sdn_gallazzi05_mean(NAN)));
}

/* Numbers of another program with the same published coefficients. */
static void sequences(void **state)
{
  static const struct { double log_mass, z, log_ssfr; } leja22[] = {
    {9, 0.5, -9.598306360525},   {10, 1, -9.3611178064},   {11.3, 2, -9.4839415096},
    {10.6, 0, -10.10174808359}, {8.2, 5, -7.9795900204}, {11, 2.7, -9.182825498266},
  };
  (void)state;
  for (int i = 0; i < 6; i++) {
    char text[80];
    snprintf(text, sizeof text, "leja22_log_ssfr(%g, %g)", leja22[i].log_mass, leja22[i].z);
    assert_near(text, value_of(text), leja22[i].log_ssfr, 1e-9);
  }
  assert_near("below z = 3", value_of("main_sequence_log_ssfr(10.2, 2.2) - leja22_log_ssfr(10.2, 2.2)"), 0, TOL_EXACT);
  const double t = sdn_cosmology_age_yr(cosmology, 1.5) * 1e-9;
  assert_near("speagle14", value_of("speagle14_log_ssfr(10.5, 1.5)"), (0.84 - 0.026 * t) * 10.5 - (6.51 - 0.11 * t) - 10.5, TOL_EXACT);
  assert_near("beyond z = 3", value_of("main_sequence_log_ssfr(9.4, 6) - leja22_log_ssfr(9.4, 3)"),
              value_of("speagle14_log_ssfr(9.4, 6) - speagle14_log_ssfr(9.4, 3)"), TOL_EXACT);
  assert_true(value_of("main_sequence_log_ssfr(9.4, 6)") > value_of("main_sequence_log_ssfr(9.4, 3)"));
}

/* Simpson's rule over redshift, against the sphere. */
static void volume_fills_the_sphere(void **state)
{
  enum { N = 120 };
  const double z = 6, radius = sdn_cosmology_luminosity_distance_Mpc(cosmology, z) / (1 + z);
  double sum = 0;
  (void)state;
  for (int i = 0; i <= N; i++) {
    char text[60];
    snprintf(text, sizeof text, "comoving_volume_mpc3(%.17g)", z * i / N);
    sum += value_of(text) * (i == 0 || i == N ? 1 : i % 2 ? 4 : 2) * z / N / 3;
  }
  assert_near("volume", sum / (4 * 3.14159265358979323846 / 3 * pow(radius, 3)), 1, TOL_VOLUME);
  assert_near("here", value_of("comoving_volume_mpc3(0)"), 0, 0);
}

/* Lines of the published table that are no nodes of ours. */
static void star_formation_of_the_universe(void **state)
{
  static const double line[][2] = {{0.24, 1.765207667e-2}, {0.48, 2.762808354e-2}, {1.02, 5.519946402e-2}, {1.56, 6.766126874e-2}, {2.28, 5.611989964e-2},
                                   {4.02, 2.779685620e-2}, {5.58, 1.469466156e-2}, {7.5, 6.364504431e-3},  {8.7, 3.359157470e-3},  {9.9, 1.545335438e-3},
                                   {12.3, 2.633926193e-4}, {14.1, 3.007069415e-5}};
  (void)state;
  for (size_t i = 0; i < sizeof line / sizeof *line; i++) assert_near("csfrd", sdn_census_csfrd(census, line[i][0]) / line[i][1], 1, TOL_CSFRD);
  assert_true(isnan(sdn_census_csfrd(census, 15.1)));
}

/* Mean over lookback times from a to b, by midpoints; the redshift of each by bisection. */
static double mean_rate(double a_gyr, double b_gyr)
{
  enum { N = 4000 };
  const double today = sdn_cosmology_age_yr(cosmology, 0) * 1e-9;
  double sum = 0;
  for (int i = 0; i < N; i++) {
    const double age = today - (a_gyr + (b_gyr - a_gyr) * (i + 0.5) / N);
    double low = 0, high = 15;
    for (int k = 0; k < 45; k++) *(sdn_cosmology_age_yr(cosmology, 0.5 * (low + high)) * 1e-9 > age ? &low : &high) = 0.5 * (low + high);
    sum += sdn_census_csfrd(census, fmin(low, 15)) / N;
  }
  return sum;
}

/* The recipe of Prospector-beta's programs, step by step, for seven bins. */
static void ratios_of(double z, double log_mass, double *ratio)
{
  const double today = sdn_cosmology_age_yr(cosmology, 0) * 1e-9, dex = log_mass <= 9 ? -0.2 : log_mass >= 12 ? 0.8 : -0.2 + (log_mass - 9) / 3;
  double low = 0.15, high = 10, edge[8], rate[7];
  for (int k = 0; k < 45; k++)
    *(sdn_cosmology_age_yr(cosmology, 0.5 * (low + high)) > sdn_cosmology_age_yr(cosmology, z) * pow(10, dex) ? &low : &high) = 0.5 * (low + high);
  edge[0] = today - sdn_cosmology_age_yr(cosmology, low) * 1e-9;
  edge[7] = today - sdn_cosmology_age_yr(cosmology, 15) * 1e-9;
  edge[6] = edge[7] - 0.1 * (edge[7] - edge[0]);
  const int first = low <= 3 ? 2 : 1;
  edge[1] = edge[0] + (low <= 3 ? 0.03 : pow(10, 7.1295) * 1e-9);
  if (first == 2) edge[2] = edge[1] + 0.1;
  for (int k = first + 1; k < 6; k++) edge[k] = pow(10, log10(edge[first]) + (log10(edge[6]) - log10(edge[first])) * (k - first) / (6 - first));
  for (int k = 0; k < 7; k++) rate[k] = mean_rate(edge[k], edge[k + 1]);
  for (int k = 0; k < 6; k++) ratio[k] = log10(rate[k] / rate[k + 1]);
}

static void histories_follow_the_universe(void **state)
{
  static const double galaxy[][2] = {{0.3, 11.5}, {0.05, 12.5}, {1, 10}, {2.4, 9}, {3.5, 9.2}, {4, 11.1}, {7, 8}, {12, 10}};
  (void)state;
  for (size_t i = 0; i < sizeof galaxy / sizeof *galaxy; i++) {
    double expected[6];
    char text[80];
    ratios_of(galaxy[i][0], galaxy[i][1], expected);
    for (int k = 0; k < 6; k++) {
      snprintf(text, sizeof text, "csfrd_log_ratio(%d, 7, %g, %g)", k + 1, galaxy[i][0], galaxy[i][1]);
      assert_near(text, value_of(text), fmin(fmax(expected[k], -5), 5), TOL_RATIO);
    }
  }
  assert_true(isnan(value_of("csfrd_log_ratio(7, 7, 1, 10)")) && isnan(value_of("csfrd_log_ratio(0, 7, 1, 10)")));
  assert_true(isnan(value_of("csfrd_log_ratio(1, 3, 1, 10)")) && isnan(value_of("csfrd_log_ratio(1.5, 7, 1, 10)")));
}

/* As a model uses it: a vector whose means go by place. */
static void a_vector_knows_its_places(void **state)
{
  sdn_prior *p;
  sdn_census *own;
  sdn_yaml *root;
  const char *const names[] = {"r1", "r2", "r3", "r4", "r5", "r6"};
  const sdn_param_spec z = {"redshift", "", "1.3", 0, 20, ""}, mass = {"log_mass_formed_msun", "", "10.4", 0, 15, ""}, r = {"r", "dex", NULL, -10, 10, ""};
  double coordinate[6] = {0}, params[8];
  (void)state;
  assert_int_equal(sdn_yaml_parse("r: {prior: student_t, nu: 2, scale: 0.3, low: -5, high: 5,\n"
                                  "    mean: \"csfrd_log_ratio(index, count + 1, redshift, log_mass_formed_msun)\"}", "r.yaml", &root, &err), SDN_OK);
  if (sdn_prior_new(&p, &err) || sdn_census_new(cosmology, p, &own, &err) || sdn_prior_add(p, &z, NULL, &err) || sdn_prior_add(p, &mass, NULL, &err) ||
      sdn_prior_add_vector(p, &r, 6, names, sdn_yaml_get(root, "r"), &err) || sdn_prior_finish(p, &err))
    fail_msg("%s", err.text);
  sdn_yaml_free(root);
  assert_int_equal(sdn_prior_n_free(p), 6);
  assert_int_equal(sdn_prior_params(p, 1, coordinate, params, &err), SDN_OK);
  for (int k = 0; k < 6; k++) {
    char text[80];
    snprintf(text, sizeof text, "csfrd_log_ratio(%d, 7, 1.3, 10.4)", k + 1);
    assert_near(names[k], params[sdn_prior_param_index(p, names[k])], value_of(text), 0.02);   /* the cut at 5 dex is not centred on the mean */
  }
  sdn_prior_free(p);
  sdn_census_free(own);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(metals_follow_gallazzi),         cmocka_unit_test(sequences),
    cmocka_unit_test(volume_fills_the_sphere),       cmocka_unit_test(star_formation_of_the_universe),
    cmocka_unit_test(histories_follow_the_universe),  cmocka_unit_test(a_vector_knows_its_places),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
