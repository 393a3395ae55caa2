/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers to 20 digits: mpmath 1.3 at 50 digits (erfc; beyond z = -1000 the asymptotic series), arguments exact in binary where one is shown. */
#include <gsl/gsl_cdf.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/special.h"

#define TOL 2e-15           /* a few roundings; the header promises 1e-14 */
#define TOL_QUANTILE 1e-15  /* relative, beside 1e-16 of z */

static void assert_relative(double got, double expected, double tolerance)
{
  if (!(fabs(got - expected) <= tolerance * fabs(expected))) fail_msg("got %.17g, expected %.17g", got, expected);
}

static const double cdf_table[][3] = {   /* z, Phi, ln Phi */
  {-37, 5.7255712225245768227e-300, -689.0305855768905936},
  {-30.0625, 7.4944282772487235889e-199, -456.20027365772391227},
  {-20, 2.7536241186062336951e-89, -203.91715537109726394},
  {-10, 7.619853024160526066e-24, -53.231285150512470578},
  {-5.75, 4.4621724539016118731e-9, -19.227630092220455765},
  {-5.625, 9.2753987345608213957e-9, -18.495900239127821433},
  {-5, 2.8665157187919391167e-7, -15.064998393988725736},
  {-3, 0.0013498980316300945267, -6.6077262215103495433},
  {-1, 0.15865525393145705141, -1.8410216450092635058},
  {-0.6875, 0.24588385038026145383, -1.4028960074748312089},
  {-0.671875, 0.25083163854105420091, -1.382973327697002188},
  {-0.25, 0.40129367431707627576, -0.91306176481113505517},
  {0, 0.5, -0.69314718055994530942},
  {0.3125, 0.62266971847015708683, -0.47373904769013378033},
  {0.6875, 0.75411614961973854617, -0.28220887824931760537},
  {2, 0.9772498680518207928, -0.023012909328963488465},
  {5, 0.99999971334842812081, -2.8665161296376359338e-7},
  {8.25, 0.9999999999999999208, -7.9197263146424776546e-17},
};
static const double far_table[][2] = {   /* z, ln Phi */
  {-50, -1254.8313611394199013}, {-1000, -500007.82669481218431},       {-1e5, -5000000012.4318639983},
  {-1e7, -50000000000017.037034}, {12, -1.7764821120776789977e-33}, {30, -4.9067139271481870595e-198},
};

static void cdf_is_exact(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof cdf_table / sizeof *cdf_table; i++) {
    assert_relative(sdn_normal_cdf(cdf_table[i][0]), cdf_table[i][1], TOL);
    assert_relative(sdn_normal_ln_cdf(cdf_table[i][0]), cdf_table[i][2], TOL);
  }
  for (size_t i = 0; i < sizeof far_table / sizeof *far_table; i++) assert_relative(sdn_normal_ln_cdf(far_table[i][0]), far_table[i][1], TOL);
  assert_true(sdn_normal_cdf(-INFINITY) == 0 && sdn_normal_cdf(INFINITY) == 1 && sdn_normal_ln_cdf(-INFINITY) == -INFINITY);
  assert_true(sdn_normal_ln_cdf(INFINITY) == 0 && isnan(sdn_normal_cdf(NAN)) && isnan(sdn_normal_ln_cdf(NAN)));
  for (double z = -8; z < 8; z += 0.013) {   /* and GSL everywhere between, to its own accuracy; both sides of every range's end meet */
    assert_relative(sdn_normal_cdf(z), gsl_cdf_ugaussian_P(z), 1e-13);
    assert_true(sdn_normal_cdf(z) < sdn_normal_cdf(z + 0.013) || z > 7);
  }
}

static const double quantile_table[][2] = {   /* p, z */
  {1e-300, -37.047096299361199237}, {1e-100, -21.273453560965324294}, {1e-20, -9.2623400897984075796}, {1e-10, -6.3613409024040561991},
  {1e-5, -4.2648907939228246102},   {0.001, -3.0902323061678135354},  {0.02, -2.0537489106318230443},  {0.074, -1.4466320671589785099},
  {0.076, -1.4325027208258116188},  {0.25, -0.6744897501960817432},   {0.4375, -0.15731068461017069552}, {0.625, 0.31863936396437516302},
};
static const double ln_quantile_table[][2] = {   /* ln p, z */
  {-1000, -44.61574773196940302}, {-1e4, -141.3798398731271637}, {-1e8, -14142.134882976300613}, {-1e13, -4472135.9549959497368},
};

static void quantile_is_exact(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof quantile_table / sizeof *quantile_table; i++) {
    const double p = quantile_table[i][0], z = quantile_table[i][1];
    assert_relative(sdn_normal_quantile(p), z, TOL_QUANTILE);
    assert_relative(sdn_normal_quantile_upper(p), -z, TOL_QUANTILE);
    assert_relative(sdn_normal_quantile_ln(log(p)), z, 4 * TOL_QUANTILE);   /* log p is rounded */
  }
  for (size_t i = 0; i < sizeof ln_quantile_table / sizeof *ln_quantile_table; i++)
    assert_relative(sdn_normal_quantile_ln(ln_quantile_table[i][0]), ln_quantile_table[i][1], TOL_QUANTILE);
  assert_true(sdn_normal_quantile(0.5) == 0);
  for (double z = -37; z < 8; z += 0.037)   /* ln p is rounded: to a part of itself below, and of Phi(-z) above */
    assert_true(fabs(sdn_normal_quantile_ln(sdn_normal_ln_cdf(z)) - z) <= 1e-15 * (1 + fabs(z)));
  static const double nowhere[] = {0, 1, -0.1, 1.1};
  for (size_t i = 0; i < 4; i++) assert_true(isnan(sdn_normal_quantile(nowhere[i])));
  assert_true(isnan(sdn_normal_quantile(NAN)) && isnan(sdn_normal_quantile_ln(NAN)) && isnan(sdn_normal_quantile_ln(1)));
  assert_true(sdn_normal_quantile_ln(-INFINITY) == -INFINITY);
}

static void sums_of_logarithms(void **state)
{
  (void)state;
  const double x[] = {-1000, -1001, -999.5, -INFINITY}, none[] = {-INFINITY, -INFINITY}, broken[] = {0, NAN};
  assert_relative(sdn_ln_sum_exp(4, x), -999.5 + log(1 + exp(-0.5) + exp(-1.5)), TOL);
  assert_relative(sdn_ln_add_exp(800, 801), 801 + log1p(exp(-1)), TOL);
  assert_true(sdn_ln_sum_exp(2, none) == -INFINITY && sdn_ln_sum_exp(0, x) == -INFINITY && isnan(sdn_ln_sum_exp(2, broken)));
  assert_true(sdn_ln_add_exp(-INFINITY, 3) == 3 && sdn_ln_add_exp(-INFINITY, -INFINITY) == -INFINITY && isnan(sdn_ln_add_exp(NAN, 0)));
  assert_true(isnan(sdn_ln_add_exp(0, NAN)) && sdn_ln_add_exp(INFINITY, 0) == INFINITY);
  assert_relative(sdn_normal_ln_pdf(3), -4.5 - 0.5 * log(2 * acos(-1.0)), TOL);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(cdf_is_exact), cmocka_unit_test(quantile_is_exact), cmocka_unit_test(sums_of_logarithms)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
