/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The fast transmission against the direct formula, and what any transmission must do; against other codes in tests/reference. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/igm.h"
#include "support/law_text.h"

#define TOL_TABLE 1e-6     /* relative: float32 rounding of the result; igm.h promises 1e-5 */
static const sdn_igm *INOUE;
static test_igm inoue, none;

static int setup(void **state)
{
  (void)state;
  inoue = test_igm_of("");
  none = test_igm_of("none");
  INOUE = inoue.law;
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  test_igm_free(&inoue);
  test_igm_free(&none);
  return 0;
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* 40 .. 1300 A every 2 A, and every jump twice. */
static int make_nodes(double *wave_A)
{
  int n = 0, n_jump;
  const double *jump_A = sdn_igm_jumps_A(INOUE, &n_jump);
  for (double w = 40.3; w < 1300; w += 2) wave_A[n++] = w;
  for (int k = 0; k < n_jump; k++) {
    wave_A[n++] = jump_A[k];
    wave_A[n++] = jump_A[k];
  }
  qsort(wave_A, (size_t)n, sizeof *wave_A, ascending);
  return n;
}

static void table_is_the_formula(void **state)
{
  (void)state;
  double wave_A[1000];
  float transmission[1000];
  const int n = make_nodes(wave_A);
  sdn_igm_table *t;
  sdn_err err;
  assert_int_equal(sdn_igm_table_new(INOUE, n, wave_A, 20, &t, &err), SDN_OK);
  const int n_affected = sdn_igm_table_n(t);
  assert_true(n_affected > 0 && wave_A[n_affected - 1] == 1215.67 && wave_A[n_affected] == 1215.67);   /* the blue side of Lyman alpha is the last */
  for (double z = 0; z < 20; z += 0.0613) {
    sdn_igm_table_transmission(t, z, 1, transmission);
    for (int i = 0; i < n_affected; i++) {
      const bool blue_side = wave_A[i + 1] == wave_A[i];
      const double just_below = 1 - 1e-12, direct = exp(-sdn_igm_tau(INOUE, z, 1, wave_A[i] * (blue_side ? just_below : 1)));
      if (!(fabs(transmission[i] - direct) <= TOL_TABLE * direct + 1e-30)) fail_msg("z %g, %g A: %g, directly %g", z, wave_A[i], transmission[i], direct);
    }
  }
  sdn_igm_table_free(t);
}

static void transmission_is_sensible(void **state)
{
  (void)state;
  for (double wave_A = 300; wave_A < 1300; wave_A += 3.7) {
    assert_true(sdn_igm_tau(INOUE, 0, 1, wave_A) < 1e-4);   /* no way to go */
    double before = 0;
    for (double z = 0; z < 15; z += 0.01) {
      const double tau = sdn_igm_tau(INOUE, z, 1, wave_A);
      assert_true(tau >= 0 && isfinite(tau));
      assert_true(wave_A < 1215.67 || tau == 0);
      /* More way to go absorbs more at one rest wavelength, but for the 1e-4 by which the rounded coefficients of neighbouring regions disagree. Below the
       * observed Lyman limit the fits do not hold. */
      if (wave_A * (1 + z) > 1216 && !(tau >= before * (1 - 1e-4) - 1e-4)) fail_msg("z %g, %g A: tau %g after %g", z, wave_A, tau, before);
      before = tau;
    }
    assert_true(sdn_igm_tau(none.law, 6, 1, wave_A) == 0);
  }
}

/* The published power laws join at their region edges. */
static void regions_join(void **state)
{
  (void)state;
  static const double edge[3] = {2.2, 3.0, 5.7};
  const double tolerance = 1e-3;   /* relative: the continuum's coefficients have four digits and partly cancel */
  for (int e = 0; e < 3; e++)
    for (double wave_A = 500; wave_A < 911; wave_A += 13) {
      const double z = edge[e] * 911.8 / wave_A - 1, step = 1e-9;
      const double below = sdn_igm_tau(INOUE, z - step, 1, wave_A), above = sdn_igm_tau(INOUE, z + step, 1, wave_A);
      if (!(fabs(above / below - 1) <= tolerance)) fail_msg("edge %g at %g A: %g, then %g", edge[e], wave_A, below, above);
    }
}

static void jumps_are_ascending(void **state)
{
  (void)state;
  int n;
  const double *jump_A = sdn_igm_jumps_A(INOUE, &n);
  assert_int_equal(n, 40);
  assert_true(jump_A[0] == 911.8 && jump_A[n - 1] == 1215.67);
  for (int k = 1; k < n; k++) {
    assert_true(jump_A[k] > jump_A[k - 1]);
    assert_true(sdn_igm_tau(INOUE, 3, 1, jump_A[k] - 1e-9) > sdn_igm_tau(INOUE, 3, 1, jump_A[k] + 1e-9));   /* each line adds absorption to its blue */
  }
}

static void nothing_without_law_or_path(void **state)
{
  (void)state;
  const double wave_A[3] = {800, 1000, 1200};
  float transmission[3];
  sdn_igm_table *t;
  sdn_err err;
  assert_int_equal(sdn_igm_table_new(none.law, 3, wave_A, 20, &t, &err), SDN_OK);
  assert_int_equal(sdn_igm_table_n(t), 0);
  sdn_igm_table_free(t);
  assert_int_equal(sdn_igm_table_new(INOUE, 3, wave_A, 20, &t, &err), SDN_OK);
  sdn_igm_table_transmission(t, 0, 1, transmission);
  for (int i = 0; i < 3; i++) assert_true(transmission[i] == 1);
  sdn_igm_table_transmission(t, NAN, 1, transmission);
  for (int i = 0; i < 3; i++) assert_true(isnan(transmission[i]));
  sdn_igm_table_free(t);
}

static void bad_calls_are_refused(void **state)
{
  (void)state;
  const double descending[2] = {1000, 900}, negative[2] = {-1, 900}, nan[2] = {NAN, 900};
  test_igm i;
  sdn_igm_table *t = NULL;
  sdn_err err;
  assert_int_equal(sdn_igm_table_new(INOUE, 2, descending, 10, &t, &err), SDN_RANGE);
  assert_int_equal(sdn_igm_table_new(INOUE, 2, negative, 10, &t, &err), SDN_RANGE);
  assert_int_equal(sdn_igm_table_new(INOUE, 2, nan, 10, &t, &err), SDN_RANGE);
  assert_int_equal(sdn_igm_table_new(INOUE, 0, NULL, NAN, &t, &err), SDN_RANGE);
  assert_int_equal(test_igm_try("inuoe14", &i, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "did you mean 'inoue14'"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(table_is_the_formula), cmocka_unit_test(transmission_is_sensible), cmocka_unit_test(regions_join),
    cmocka_unit_test(jumps_are_ascending), cmocka_unit_test(nothing_without_law_or_path), cmocka_unit_test(bad_calls_are_refused),
  };
  return cmocka_run_group_tests_name("igm", tests, setup, teardown);
}
