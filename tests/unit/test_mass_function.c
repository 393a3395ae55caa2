/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mass functions and the priors that they make: against the program of Leja+2020's appendix B and the tables of Tacchella+2018 (evaluated apart, in Python,
 * with that appendix's own polynomial), GSL's incomplete gamma function, and the draws' own distribution. */
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "prior/mass_function.h"
#include "support/prior_text.h"

#define TOL_PHI 1e-11       /* relative: printed digits */
#define TOL_NUMBER 1e-6     /* relative: Simpson's rule over 6 dex */
#define TOL_STRAIGHT 2e-4   /* relative, well below M*: a density straight over 0.02 dex and mixed over 0.05 in redshift */
#define TOL_MIXED 1e-3      /* the same where cos^2 weights bend with redshift */
#define N_DRAW 20000
#define TOL_KS 0.0138       /* 1.95 / sqrt(N_DRAW): passed by 99.9 % of right samples; the draws are the same every time */

typedef struct sample { double redshift, log_mass, phi; } sample;

static void phi_is_the_published_one(void **state)
{
  static const sample leja20[] = {{0.2, 9, 2.152739448444e-02},    {0.5, 10.5, 4.486862333635e-03},  {1, 10, 4.591270261395e-03},
                                  {1.6, 11.2, 5.055684109458e-04}, {2.3, 11.5, 3.329052650594e-05},  {3, 8.5, 9.409985661230e-03},
                                  {0.05, 10.8, 4.109357106315e-03}, {7, 9.5, 3.006547094242e-03}};
  static const sample both[] = {{2, 10, 2.490413014943e-03},   {3.3, 9, 6.392181656699e-03},    {4, 9, 1.033926486873e-02},  {5.75, 8.2, 1.222601306363e-02},
                                {9, 8.5, 3.264362967422e-04}, {11.5, 9.2, 3.212553825063e-08}, {12, 8, 2.844832569155e-05}, {15, 8, 2.844832569155e-05}};
  (void)state;
  for (int i = 0; i < 8; i++) {
    const double a = sdn_mass_function_phi(SDN_MASS_FUNCTION_LEJA20, leja20[i].log_mass, leja20[i].redshift),
                 b = sdn_mass_function_phi(SDN_MASS_FUNCTION_LEJA20_TACCHELLA18, both[i].log_mass, both[i].redshift);
    if (!(fabs(a / leja20[i].phi - 1) <= TOL_PHI)) fail_msg("leja20 at z %g: %.13g, not %.13g", leja20[i].redshift, a, leja20[i].phi);
    if (!(fabs(b / both[i].phi - 1) <= TOL_PHI)) fail_msg("leja20_tacchella18 at z %g: %.13g, not %.13g", both[i].redshift, b, both[i].phi);
  }
  assert_true(isnan(sdn_mass_function_phi(SDN_MASS_FUNCTION_LEJA20_TACCHELLA18, 9, NAN)));
}

/* Gamma(a, x) for -1 < a < 0 by the recursion to a + 1: GSL 2.7's own is off by 0.4 % at (-0.48, 4e-5). */
static double gamma_inc(double a, double x) { return a > 0 ? gsl_sf_gamma_inc(a, x) : (gsl_sf_gamma_inc(a + 1, x) - pow(x, a) * exp(-x)) / a; }

/* int phi (M/M*)^(alpha+1) e^(-M/M*) ln 10 dlog M = phi (Gamma(alpha+1, x_low) - Gamma(alpha+1, x_high)); at z = 1.6 the parameters are the table's own. */
static void numbers_are_incomplete_gamma_functions(void **state)
{
  (void)state;
  for (double low = 6.5; low < 11.6; low += 1) {
    const double high = low + 3 < 12.5 ? 12.5 : low + 3, a = pow(10, low - 10.88), b = pow(10, high - 10.88);
    const double expected = pow(10, -3.08) * (gamma_inc(0.72, a) - gamma_inc(0.72, b)) +
                            pow(10, -3.29) * (gamma_inc(-0.48, a) - gamma_inc(-0.48, b));
    const double got = sdn_mass_function_number(SDN_MASS_FUNCTION_LEJA20, low, high, 1.6);
    if (!(fabs(got / expected - 1) <= TOL_NUMBER)) fail_msg("above %g: %.10g, GSL %.10g", low, got, expected);
  }
  assert_true(sdn_mass_function_number(SDN_MASS_FUNCTION_LEJA20, 9, 9, 1) == 0);
}

static void the_prior_is_the_mass_function(void **state)
{
  (void)state;
  sdn_prior *p = test_prior("redshift: {prior: uniform, low: 0, high: 14}\n"
                            "log_mass: {prior: mass_function, low: 7.5, high: 12, family: leja20_tacchella18}\n");
  static const double z[] = {0.02, 0.7, 1.93, 2.999, 3.41, 4.02, 6.5, 11.77, 13};
  sdn_err err;
  for (size_t i = 0; i < sizeof z / sizeof *z; i++) {
    const double whole = sdn_mass_function_number(SDN_MASS_FUNCTION_LEJA20_TACCHELLA18, 7.5, 12, z[i]);
    for (double m = 7.51; m < (z[i] < 4 ? 11.5 : 9.3); m += 0.137) {
      const double theta[] = {z[i], m}, expected = sdn_mass_function_phi(SDN_MASS_FUNCTION_LEJA20_TACCHELLA18, m, z[i]) / whole / 14;
      double ln_density;
      assert_int_equal(sdn_prior_ln_density(p, 1, theta, &ln_density, &err), SDN_OK);
      const double tolerance = (z[i] < 3 ? TOL_STRAIGHT : TOL_MIXED) * (1 + 10 * pow(10, 2 * (m - (z[i] < 4 ? 10.8 : 8.5))));   /* the cut-off bends (M/M*)^2 */
      if (!(fabs(exp(ln_density) / expected - 1) <= tolerance)) fail_msg("z %g, log M %g: %.8g, not %.8g", z[i], m, exp(ln_density), expected);
    }
  }
  assert_string_equal(sdn_prior_param_text(p, 1), "mass_function(redshift, 7.5, 12)");
  sdn_prior_free(p);
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void draws_have_the_distribution(void **state)
{
  (void)state;
  sdn_prior *p = test_prior("log_mass: {prior: mass_function, redshift: 0.9, low: 8 + 0.5, high: 12}\n");
  static double draw[N_DRAW];
  sdn_err err;
  sdn_rng rng = sdn_rng_at(11, SDN_STREAM_TEST, 0);
  for (int i = 0; i < N_DRAW; i++) {
    const double z = sdn_rng_normal(&rng);
    assert_int_equal(sdn_prior_params(p, 1, &z, &draw[i], &err), SDN_OK);
    assert_true(draw[i] >= 8.5 && draw[i] <= 12);
  }
  qsort(draw, N_DRAW, sizeof *draw, ascending);
  const double whole = sdn_mass_function_number(SDN_MASS_FUNCTION_LEJA20, 8.5, 12, 0.9);
  double worst = 0;
  for (int i = 0; i < N_DRAW; i += 7) {
    const double cdf = sdn_mass_function_number(SDN_MASS_FUNCTION_LEJA20, 8.5, draw[i], 0.9) / whole;
    worst = fmax(worst, fmax(fabs(cdf - (double)i / N_DRAW), fabs(cdf - (i + 1.0) / N_DRAW)));
  }
  if (!(worst <= TOL_KS)) fail_msg("the draws' distribution is off by %g", worst);
  sdn_prior_free(p);
}

static void redshifts_count_galaxies(void **state)
{
  (void)state;
  sdn_prior *p = test_prior("redshift: {prior: volume_and_mass_function, low: 0.1, high: 9, log_mass_low: 8 + 0.2 * redshift, log_mass_high: 12.5}\n");
  double first = 0;
  sdn_err err;
  for (double z = 0.15; z < 9; z += 0.31) {   /* volume in the test's cosmology: z^2 */
    double ln_density;
    const double count = z * z * sdn_mass_function_number(SDN_MASS_FUNCTION_LEJA20, 8 + 0.2 * z, 12.5, z);
    assert_int_equal(sdn_prior_ln_density(p, 1, &z, &ln_density, &err), SDN_OK);
    if (first == 0) first = exp(ln_density) / count;
    const double ratio = exp(ln_density) / count / first;
    if (!(fabs(ratio - 1) <= 2e-3)) fail_msg("z %g: %g times the count of the first", z, ratio);   /* steps of 0.018 */
  }
  assert_string_equal(sdn_prior_param_text(p, 0), "volume_and_mass_function(0.1, 9, log mass above 8 + 0.2 * redshift, leja20)");
  sdn_prior_free(p);
}

static void refused(const char *yaml, const char *word)
{
  sdn_prior *p;
  sdn_err err;
  const sdn_status status = test_prior_between(yaml, 0, 13, &p, &err);
  if (status == SDN_OK || !strstr(err.text, word)) fail_msg("%s: '%s' is missing in: %s", yaml, word, status ? err.text : "(no error)");
}

static void mistakes_are_told(void **state)
{
  (void)state;
  refused("m: {prior: mass_function, low: 8, high: 12}", "redshift");
  refused("redshift: 1\nm: {prior: mass_function, low: 8}", "needs 'high'");
  refused("redshift: 1\nm: {prior: mass_function, low: 12, high: 8}", "low must be below high");
  refused("redshift: 1\nm: {prior: mass_function, low: 8, high: 12, family: schechter}", "known are leja20 and leja20_tacchella18");
  refused("redshift: 1\nm: {prior: mass_function, low: 8, high: 13.5}", "13");
  refused("redshift: {prior: uniform, low: 0, high: 2}\nm: {prior: mass_function, low: 8, high: 14 - redshift}", "14");
  refused("redshift: {prior: uniform, low: 0, high: 2}\nm: {prior: mass_function, low: 8, high: 9 - redshift}", "low must be below high");
  refused("redshift: {prior: volume_and_mass_function, low: 0, high: 8}", "log_mass_low");
  refused("redshift: {prior: volume_and_mass_function, low: 2, high: 1, log_mass_low: 8}", "low must be below high");
  refused("redshift: {prior: volume_and_mass_function, low: 0, high: 8, log_mass_low: 8 + age}", "redshift only");
  refused("redshift: {prior: volume_and_mass_function, low: 0, high: 8, log_mass_low: 15}", "all densities");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(phi_is_the_published_one),    cmocka_unit_test(numbers_are_incomplete_gamma_functions), cmocka_unit_test(the_prior_is_the_mass_function),
    cmocka_unit_test(draws_have_the_distribution), cmocka_unit_test(redshifts_count_galaxies),               cmocka_unit_test(mistakes_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
