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

#include "support/law_text.h"

#define TOL_TABLE 1e-6     /* relative: float32 rounding of the result */
#define LY_ALPHA_A 1215.67

enum { INOUE, MADAU, METALS, MEIKSIN, N_LAW, INOUE_WING = N_LAW, MEIKSIN_WING, BARE_WING, N_IGM };
static const char *const yaml[N_IGM] = {"", "madau95", "madau95_metals", "meiksin06", "{damping_wing: asada25}", "{law: meiksin06, damping_wing: asada25}",
                                        "{law: none, damping_wing: asada25}"};
static test_igm igm[N_IGM], none;

static int setup(void **state)
{
  (void)state;
  for (int i = 0; i < N_IGM; i++) igm[i] = test_igm_of(yaml[i]);
  none = test_igm_of("none");
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  for (int i = 0; i < N_IGM; i++) test_igm_free(&igm[i]);
  test_igm_free(&none);
  return 0;
}

static double tau_of(int i, double z, double wave_A) { return sdn_igm_tau(igm[i].law, z, 1, wave_A); }

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* 40 .. 1300 A every 2 A, 1300 .. 5000 A every 50 A, and every jump twice. */
static int make_nodes(const sdn_igm *law, double *wave_A)
{
  int n = 0, n_jump;
  const double *jump_A = sdn_igm_jumps_A(law, &n_jump);
  for (double w = 40.3; w < 1300; w += 2) wave_A[n++] = w;
  for (double w = 1300; w < 5000; w += 50) wave_A[n++] = w;
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
  sdn_igm_table *t;
  sdn_err err;
  for (int l = 0; l < N_IGM; l++) {
    const int n = make_nodes(igm[l].law, wave_A);
    assert_int_equal(sdn_igm_table_new(igm[l].law, n, wave_A, 20, &t, &err), SDN_OK);
    const int n_affected = sdn_igm_table_n(t);
    assert_true(n_affected > 0);
    if (l < N_LAW) assert_true(wave_A[n_affected - 1] == LY_ALPHA_A && wave_A[n_affected] == LY_ALPHA_A);   /* the blue side of Lyman alpha is the last */
    else assert_true(wave_A[n_affected - 1] == 4000);
    for (double z = 0; z < 20; z += 0.0613) {
      const double scale = 0.3 + 0.1 * z;
      sdn_igm_table_transmission(t, z, scale, transmission);
      for (int i = 0; i < n_affected; i++) {
        const bool blue_side = wave_A[i + 1] == wave_A[i];
        const double just_below = 1 - 1e-12, direct = exp(-sdn_igm_tau(igm[l].law, z, scale, wave_A[i] * (blue_side ? just_below : 1)));
        if (!(fabs((double)transmission[i] - direct) <= TOL_TABLE * direct + 1e-30))
          fail_msg("%s z %g, %g A: %g, directly %g", sdn_igm_name(igm[l].law), z, wave_A[i], (double)transmission[i], direct);
      }
    }
    sdn_igm_table_free(t);
  }
}

/* More way to go absorbs more at one rest wavelength, but for the step between neighbouring regions: 1e-4 for Inoue+2014's rounded coefficients, 0.4 % of
 * Lyman alpha's between Meiksin's eqs 2 and 3. Below the observed Lyman limit the fits do not hold. */
static void transmission_is_sensible(void **state)
{
  (void)state;
  static const double step[N_LAW] = {[INOUE] = 1e-4, [MADAU] = 0, [METALS] = 0, [MEIKSIN] = 5e-3};
  for (int l = 0; l < N_LAW; l++)
    for (double wave_A = 300; wave_A < 1300; wave_A += 3.7) {
      double before = 0;
      assert_true(tau_of(l, 0, wave_A) < 1e-4);   /* no way to go */
      for (double z = 0; z < 15; z += 0.01) {
        const double tau = tau_of(l, z, wave_A);
        assert_true(tau >= 0 && isfinite(tau));
        assert_true(wave_A < LY_ALPHA_A || tau == 0);
        if (wave_A * (1 + z) > 1216 && !(tau >= before * (1 - step[l]) - step[l]))
          fail_msg("%s z %g, %g A: tau %g after %g", sdn_igm_name(igm[l].law), z, wave_A, tau, before);
        before = tau;
      }
      assert_true(sdn_igm_tau(none.law, 6, 1, wave_A) == 0);
    }
}

/* The published power laws of Inoue+2014 join at their region edges. */
static void regions_join(void **state)
{
  (void)state;
  static const double edge[3] = {2.2, 3.0, 5.7};
  const double tolerance = 1e-3;   /* relative: their coefficients have four digits */
  for (int e = 0; e < 3; e++)
    for (double wave_A = 500; wave_A < 911; wave_A += 13) {
      const double z = edge[e] * 911.8 / wave_A - 1, step = 1e-9;
      const double below = tau_of(INOUE, z - step, wave_A), above = tau_of(INOUE, z + step, wave_A);
      if (!(fabs(above / below - 1) <= tolerance)) fail_msg("edge %g at %g A: %g, then %g", edge[e], wave_A, below, above);
    }
}

static void jumps_are_ascending(void **state)
{
  (void)state;
  static const int expected[N_LAW] = {[INOUE] = 40, [MADAU] = 5, [METALS] = 5, [MEIKSIN] = 31};
  int n;
  for (int l = 0; l < N_LAW; l++) {
    const double *jump_A = sdn_igm_jumps_A(igm[l].law, &n);
    assert_int_equal(n, expected[l]);
    assert_true(fabs(jump_A[0] - 911.76) < 0.05 && jump_A[n - 1] == LY_ALPHA_A && sdn_igm_reddest_A(igm[l].law) == LY_ALPHA_A);
    for (int k = 1; k < n; k++) {
      assert_true(jump_A[k] > jump_A[k - 1]);
      assert_true(tau_of(l, 3, jump_A[k] - 1e-9) > tau_of(l, 3, jump_A[k] + 1e-9));   /* each line adds absorption to its blue */
    }
  }
  assert_true(sdn_igm_jumps_A(none.law, &n) == NULL && n == 0 && sdn_igm_reddest_A(none.law) == 0 && isinf(sdn_igm_step_A(none.law, 1000)));
  sdn_igm_jumps_A(igm[BARE_WING].law, &n);
  assert_int_equal(n, 0);
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
  assert_true(sdn_igm_is_none(none.law) && !sdn_igm_is_none(igm[INOUE].law) && !sdn_igm_is_none(igm[BARE_WING].law));
  for (int l = 0; l < N_LAW; l++) {
    assert_int_equal(sdn_igm_table_new(igm[l].law, 3, wave_A, 20, &t, &err), SDN_OK);
    sdn_igm_table_transmission(t, 0, 1, transmission);
    for (int i = 0; i < 3; i++) assert_true(transmission[i] == 1);
    sdn_igm_table_transmission(t, 5, 0, transmission);
    for (int i = 0; i < 3; i++) assert_true(transmission[i] == 1);
    sdn_igm_table_transmission(t, NAN, 1, transmission);
    for (int i = 0; i < 3; i++) assert_true(isnan(transmission[i]));
    sdn_igm_table_free(t);
  }
}

/* ------------------------------------------------------------------ scale and wing */

static void scale_multiplies_the_law_alone(void **state)
{
  (void)state;
  for (double wave_A = 500; wave_A < 1300; wave_A += 17) {
    const double law = tau_of(INOUE, 7, wave_A), wing = tau_of(BARE_WING, 7, wave_A);
    assert_true(fabs(sdn_igm_tau(igm[INOUE].law, 7, 2.5, wave_A) - 2.5 * law) <= 1e-12 * law);
    assert_true(fabs(sdn_igm_tau(igm[INOUE_WING].law, 7, 2.5, wave_A) - (2.5 * law + wing)) <= 1e-12 * (law + wing));
  }
}

/* The wing begins at redshift 6, falls redward with the square of the distance (times the fourth power of frequency), and is small where it is cut off. */
static void wing_reaches_redward(void **state)
{
  (void)state;
  const double cut = 3e-6, near = 1e-12;
  assert_true(tau_of(INOUE_WING, 5.99, 1230) == 0 && tau_of(INOUE_WING, 6, 1230) > 0);
  for (double z = 6; z < 20; z += 0.5) {
    assert_true(tau_of(INOUE_WING, z, 3999) < cut && tau_of(INOUE_WING, z, 4001) == 0);
    const double r1 = LY_ALPHA_A / 1300, r2 = LY_ALPHA_A / 1500;
    const double expected = pow(r1 / r2, 4) * pow((1 - r2) / (1 - r1), 2);   /* damping in the core is nothing out here */
    assert_true(fabs(tau_of(INOUE_WING, z, 1300) / tau_of(INOUE_WING, z, 1500) / expected - 1) <= 1e-6);
    if (z > 6) assert_true(tau_of(INOUE_WING, z, 1240) > tau_of(INOUE_WING, z - 0.5, 1240));
  }
  assert_true(fabs(tau_of(INOUE_WING, 8, 1000) - tau_of(INOUE, 8, 1000) - tau_of(BARE_WING, 8, 1000)) <= near * tau_of(INOUE, 8, 1000));
}

/* On nodes as close as sdn_igm_step_A asks, transmission that is linear between them has the mean of the true one over any stretch that a band may cut out. */
static void nodes_are_close_enough(void **state)
{
  (void)state;
  const double tolerance = 1e-3;   /* of the unabsorbed flux of a stretch of 60 A rest, a narrow band's */
  for (int l = 0; l < N_IGM; l++) {
    double worst = 0;
    for (double z = 0.5; z < 15; z += 0.7)
      for (double start = 920; start < 1500; start += 60) {
        double linear = 0, fine = 0;
        for (double a = start; a < start + 60;) {
          double b = fmin(start + 60, a + fmin(sdn_igm_step_A(igm[l].law, a), 60));
          int n_jump;
          const double *jump_A = sdn_igm_jumps_A(igm[l].law, &n_jump), eps = 1e-9;
          for (int k = 0; k < n_jump; k++)
            if (jump_A[k] > a && jump_A[k] < b) b = jump_A[k];
          linear += 0.5 * (b - a) * (exp(-tau_of(l, z, a + eps)) + exp(-tau_of(l, z, b - eps)));
          for (int i = 0; i < 32; i++) fine += (b - a) / 32 * exp(-tau_of(l, z, a + (b - a) * (i + 0.5) / 32));
          a = b;
        }
        worst = fmax(worst, fabs(linear - fine) / 60);
      }
    print_message("%-22s worst error of a 60 A mean %.1e\n", sdn_igm_name(igm[l].law), worst);
    assert_true(worst <= tolerance);
  }
}

/* ------------------------------------------------------------------ YAML and calls */

static void refuses(const char *text, sdn_status status, const char *says)
{
  test_igm i;
  sdn_err err;
  if (test_igm_try(text, &i, &err) != status) fail_msg("%s: status %d, %s", text, err.status, err.text);
  if (!strstr(err.text, says)) fail_msg("%s: '%s' does not say '%s'", text, err.text, says);
}

static void yaml_is_checked(void **state)
{
  (void)state;
  test_igm i = test_igm_of("{law: madau95, scale: {prior: uniform, low: 0.5, high: 1.5}}");
  assert_true(sdn_prior_n_free(i.prior) == 1 && strcmp(sdn_prior_param_name(i.prior, 0), "igm_scale") == 0);
  i.params[0] = 1.25;
  assert_true(sdn_igm_scale(i.law, i.params) == 1.25);
  assert_string_equal(sdn_igm_name(i.law), "madau95");
  test_igm_free(&i);
  assert_true(sdn_igm_scale(igm[INOUE].law, NULL) == 1 && sdn_prior_n_param(igm[INOUE].prior) == 0);
  assert_string_equal(sdn_igm_name(igm[INOUE].law), "inoue14");
  assert_string_equal(sdn_igm_name(igm[INOUE_WING].law), "inoue14 + asada25");
  refuses("inuoe14", SDN_USAGE, "did you mean 'inoue14'");
  refuses("{law: madau96}", SDN_USAGE, "did you mean 'madau95'");
  refuses("sun", SDN_USAGE, "known ones are none, inoue14, madau95, madau95_metals, meiksin06");
  refuses("{law: inoue14, damping_wing: totani06}", SDN_USAGE, "known ones are none, asada25");
  refuses("{law: none, scale: 1}", SDN_USAGE, "no optical depth for scale");
  refuses("{law: inoue14, factor: 1}", SDN_USAGE, "factor");
  refuses("{law: inoue14, scale: -1}", SDN_RANGE, "igm_scale");
  refuses("[inoue14]", SDN_USAGE, "igm must be the name of a law or a map");
}

static void bad_calls_are_refused(void **state)
{
  (void)state;
  const double descending[2] = {1000, 900}, negative[2] = {-1, 900}, nan[2] = {NAN, 900};
  const sdn_igm *law = igm[INOUE].law;
  sdn_igm_table *t = NULL;
  sdn_err err;
  assert_int_equal(sdn_igm_table_new(law, 2, descending, 10, &t, &err), SDN_RANGE);
  assert_int_equal(sdn_igm_table_new(law, 2, negative, 10, &t, &err), SDN_RANGE);
  assert_int_equal(sdn_igm_table_new(law, 2, nan, 10, &t, &err), SDN_RANGE);
  assert_int_equal(sdn_igm_table_new(law, 0, NULL, NAN, &t, &err), SDN_RANGE);
  assert_null(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(table_is_the_formula), cmocka_unit_test(transmission_is_sensible), cmocka_unit_test(regions_join), cmocka_unit_test(jumps_are_ascending),
    cmocka_unit_test(nothing_without_law_or_path), cmocka_unit_test(scale_multiplies_the_law_alone), cmocka_unit_test(wing_reaches_redward),
    cmocka_unit_test(nodes_are_close_enough), cmocka_unit_test(yaml_is_checked), cmocka_unit_test(bad_calls_are_refused),
  };
  return cmocka_run_group_tests_name("igm", tests, setup, teardown);
}
