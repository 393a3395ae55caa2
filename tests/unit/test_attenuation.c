/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every dust law must do: 1 at 5500 A, no steps, a continuation that falls, the same numbers in float32; and what its YAML may say.
 * Against other codes: tests/reference/test_curves.c, test_dust_laws.c. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/law_text.h"
#include "support/scratch.h"
#include "support/shared.h"

#define TOL_ROUNDING 1e-14
#define TOL_FLOAT 2e-5     /* of k: what the float32 path promises */
#define TOL_CANCEL 2e-5    /* absolute, where Li+2008's terms of up to 100 take each other away */
#define TOL_JOIN 8e-3      /* relative step at the joins of published polynomials: Calzetti's at 6300 A is 0.7 % */
#define N_DRAW 200

/* Every law with every parameter free, and whether its infrared has features (silicates). */
static const struct { const char *yaml; bool features; } laws[] = {
  {"{law: calzetti, a_v_mag: 1, slope: {prior: uniform, low: -1.5, high: 0.8}, bump: {prior: uniform, low: 0, high: 5}}", false},
  {"{law: salim18, a_v_mag: 1, slope: {prior: uniform, low: -1.5, high: 0.6}, bump: {prior: uniform, low: 0, high: 5}}", false},
  {"{law: kriek_conroy, a_v_mag: 1, slope: {prior: uniform, low: -1.5, high: 0.44}}", false},
  {"{law: power_law, a_v_mag: 1, index: {prior: uniform, low: -2, high: -0.3}}", false},
  {"{law: cardelli, a_v_mag: 1, r_v: {prior: uniform, low: 2, high: 6}}", false},
  {"{law: smc, a_v_mag: 1}", false},
  {"{law: lmc, a_v_mag: 1}", false},
  {"{law: gordon23, a_v_mag: 1, r_v: {prior: uniform, low: 2.3, high: 5.6}}", true},
  {"{law: li08, a_v_mag: 1, c1: {prior: uniform, low: 11, high: 18}, c2: {prior: uniform, low: 5.5, high: 7.5}, c3: {prior: uniform, low: 1.5, high: 2.6}, "
   "c4: {prior: uniform, low: 0, high: 0.06}}", false},
  {"{law: narayanan_mw, a_v_mag: 1}", true},
};
enum { N_LAW = sizeof laws / sizeof laws[0] };
/* Combinations of Li+2008's parameters that no galaxy has. */
static const char wild_li[] = "{law: li08, a_v_mag: 1, c1: {prior: uniform, low: 0, high: 200}, c2: {prior: uniform, low: 0.5, high: 20}, "
                              "c3: {prior: uniform, low: -1.9, high: 200}, c4: {prior: uniform, low: -0.01, high: 0.5}}";

/* Draw number `draw` of a law's parameters. */
static void draw_params(test_dust *d, int draw)
{
  double theta[TEST_LAW_MAX_PARAM];
  sdn_err err;
  const int n = sdn_prior_n_free(d->prior);
  for (int i = 0; i < n; i++) theta[i] = 3 * sin(1.7 * draw + 2.3 * i * (draw % 7 + 1));
  if (n > 0 && sdn_prior_params(d->prior, 1, theta, d->params, &err)) fail_msg("%s", err.text);
}

static void av_is_attenuation_at_5500(void **state)
{
  (void)state;
  for (int l = 0; l < N_LAW; l++) {
    test_dust d = test_dust_of(laws[l].yaml);
    for (int i = 0; i < N_DRAW; i++) {
      draw_params(&d, i);
      if (!(fabs(test_dust_k(&d, 5500) - 1) <= TOL_ROUNDING)) fail_msg("%s draw %d: %.17g at 5500 A", sdn_attenuation_name(d.law), i, test_dust_k(&d, 5500));
    }
    assert_true(sdn_attenuation_a_v_mag(d.law, d.params) == 1);
    test_dust_free(&d);
  }
}

/* From X-rays to a centimetre: nowhere negative, and no step anywhere. A curve of logarithmic slope 30 would move by 3e-5 between neighbours. */
static void curves_have_no_steps(void **state)
{
  (void)state;
  for (int l = 0; l < N_LAW; l++) {
    test_dust d = test_dust_of(laws[l].yaml);
    for (int i = 0; i < 4; i++) {
      double before = NAN, size = 0;
      draw_params(&d, i);
      for (double ln_wave = log(20); ln_wave < log(1e8); ln_wave += 2e-4) {
        const double k = test_dust_k(&d, exp(ln_wave));
        if (!(k >= 0 && isfinite(k))) fail_msg("%s: k = %g at %g A", laws[l].yaml, k, exp(ln_wave));
        if (k > size) size = k;
        if (fabs(k - before) > TOL_JOIN * before + 1e-6) fail_msg("%s: k goes from %g to %g at %g A", laws[l].yaml, before, k, exp(ln_wave));
        before = k;
      }
      assert_true(size > 1);
    }
    test_dust_free(&d);
  }
}

/* Beyond the features dust is transparent: k falls everywhere, and at least as 1 / wavelength to the power 0.3. */
static void infrared_falls(void **state)
{
  (void)state;
  for (int l = 0; l < N_LAW; l++) {
    test_dust d = test_dust_of(laws[l].yaml);
    for (int i = 0; i < 20; i++) {
      double before = INFINITY;
      draw_params(&d, i);
      for (double wave_A = laws[l].features ? 3e5 : 8000; wave_A < 1e8; wave_A *= 1.01) {
        const double k = test_dust_k(&d, wave_A);
        if (!(k <= before)) fail_msg("%s: k rises from %g to %g at %g A", laws[l].yaml, before, k, wave_A);
        before = k;
      }
      const double far = test_dust_k(&d, 1e6), farther = test_dust_k(&d, 2e6);
      assert_true(farther <= far * pow(2, -0.3));
    }
    test_dust_free(&d);
  }
}

/* Shortward of its range each curve has the slope that it has at the edge. */
static void tangents_go_on(void **state)
{
  (void)state;
  static const struct { const char *yaml; double edge_A; } row[] = {{"{law: calzetti, a_v_mag: 1}", 1200}, {"{law: cardelli, a_v_mag: 1}", 1000},
    {"{law: smc, a_v_mag: 1}", 1000}, {"{law: lmc, a_v_mag: 1}", 1000}, {"{law: gordon23, a_v_mag: 1}", 912}};
  const double tolerance = 1e-4;   /* of the slope: differences over 0.01 A, rounding and curvature */
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    test_dust d = test_dust_of(row[i].yaml);
    const double e = row[i].edge_A, h = 0.01, left = (test_dust_k(&d, e) - test_dust_k(&d, e - h)) / h, right = (test_dust_k(&d, e + h) - test_dust_k(&d, e)) / h;
    if (!(fabs(left / right - 1) <= tolerance)) fail_msg("%s: slopes %g and %g", row[i].yaml, left, right);
    const double half = (test_dust_k(&d, 0.5 * e) - test_dust_k(&d, e)) / (-0.5 * e);   /* a straight line in wavelength */
    assert_true(fabs(half / left - 1) <= tolerance);
    test_dust_free(&d);
  }
}

/* Leitherer+2002 eq. 14, measured on starbursts from 970 to 1800 A; its own fit leaves a few per cent. */
static void far_ultraviolet_agrees_with_measurement(void **state)
{
  (void)state;
  const double tolerance = 0.03, k_v = 4.047892;
  test_dust law = test_dust_of("{law: calzetti, a_v_mag: 1}");
  for (double wave_A = 970; wave_A <= 1200; wave_A += 10) {
    const double x = 1e4 / wave_A, measured = 5.472 + 0.671 * x - 9.218e-3 * x * x + 2.620e-3 * x * x * x;
    if (!(fabs(k_v * test_dust_k(&law, wave_A) / measured - 1) <= tolerance)) fail_msg("k = %g at %g A, measured %g", k_v * test_dust_k(&law, wave_A), wave_A, measured);
  }
  test_dust_free(&law);
}

static void tie_of_kriek_and_conroy(void **state)
{
  (void)state;
  test_dust tied = test_dust_of("{law: kriek_conroy, a_v_mag: 1, slope: -0.4}"), noll = test_dust_of("{law: calzetti, a_v_mag: 1, slope: -0.4, bump: 1.61}");
  for (double wave_A = 100; wave_A < 1e6; wave_A *= 1.3) assert_true(fabs(test_dust_k(&tied, wave_A) / test_dust_k(&noll, wave_A) - 1) <= TOL_ROUNDING);
  test_dust_free(&tied);
  test_dust_free(&noll);
}

/* Salim+2018 without tilt is Calzetti's curve; its bump is A / E(B-V), so 2175 A rises by bump / 4.05 of A_V. */
static void bump_of_salim(void **state)
{
  (void)state;
  test_dust d = test_dust_of("{law: salim18, a_v_mag: 1, bump: 2}"), bare = test_dust_of("{law: calzetti, a_v_mag: 1}");
  const double drude_5500 = 1 / (1 + pow((5500.0 * 5500 - 2175.0 * 2175) / (5500.0 * 350), 2)), at_5500 = 4.0478922 / 4.05;
  const double expected = (test_dust_k(&bare, 2175) * at_5500 + 2 / 4.05) / (at_5500 + 2 * drude_5500 / 4.05);
  assert_true(fabs(test_dust_k(&d, 2175) / expected - 1) <= 1e-7);
  test_dust_free(&d);
  test_dust_free(&bare);
}

/* ------------------------------------------------------------------ on nodes */

enum { N_NODE = 1000 };

static void compare_table(const char *yaml, double tolerance_absolute)
{
  static double wave_A[N_NODE];
  static float scratch[N_NODE];
  sdn_attenuation_table *t;
  sdn_err err;
  double worst = 0;
  for (int j = 0; j < N_NODE; j++) wave_A[j] = 30 * pow(1e6, (double)j / (N_NODE - 1));
  test_dust d = test_dust_of(yaml);
  if (sdn_attenuation_table_new(d.law, d.prior, N_NODE, wave_A, &t, &err)) fail_msg("%s", err.text);
  assert_int_equal(sdn_attenuation_table_is_fixed(t), sdn_prior_n_free(d.prior) == 0);
  for (int i = 0; i < N_DRAW; i++) {
    sdn_curve curve;
    draw_params(&d, i);
    sdn_attenuation_table_prepare(t, d.params, &curve);
    for (int first = 0; first < N_NODE; first += 64) {   /* in blocks, the last one short */
      const int n = N_NODE - first < 64 ? N_NODE - first : 64;
      const float *k = sdn_attenuation_table_curve(t, &curve, first, n, scratch);
      for (int j = 0; j < n; j++) {
        const double direct = test_dust_k(&d, wave_A[first + j]), difference = fabs((double)k[j] - direct);
        if (!(difference <= TOL_FLOAT * direct + tolerance_absolute)) fail_msg("%s at %g A: %g, directly %g", yaml, wave_A[first + j], (double)k[j], direct);
        if (difference > tolerance_absolute) worst = fmax(worst, difference / direct);
      }
    }
  }
  print_message("%-13s float32 within %.1e of k\n", sdn_attenuation_name(d.law), worst);
  sdn_attenuation_table_free(t);
  test_dust_free(&d);
}

static void table_is_the_curve(void **state)
{
  (void)state;
  for (int l = 0; l < N_LAW; l++) compare_table(laws[l].yaml, 0);
  compare_table(wild_li, TOL_CANCEL);
}

/* Whatever the parameters, 1 at 5500 A and never negative. */
static void wild_curves_stay_sane(void **state)
{
  (void)state;
  test_dust d = test_dust_of(wild_li);
  for (int i = 0; i < N_DRAW; i++) {
    draw_params(&d, i);
    assert_true(fabs(test_dust_k(&d, 5500) - 1) <= TOL_ROUNDING);
    for (double wave_A = 10; wave_A < 1e8; wave_A *= 1.1) {
      const double k = test_dust_k(&d, wave_A);
      if (!(k >= 0 && isfinite(k))) fail_msg("draw %d: k = %g at %g A", i, k, wave_A);
    }
  }
  test_dust_free(&d);
}

/* Parameters that the prior fixes make one curve for all galaxies. */
static void fixed_shapes_are_stored(void **state)
{
  (void)state;
  const double wave_A[3] = {1500, 5500, 22000}, bad_A[2] = {1500, 0};
  float scratch[3] = {0};
  sdn_attenuation_table *t;
  sdn_curve curve;
  sdn_err err;
  test_dust d = test_dust_of("{law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 3}, slope: -0.3, bump: 2}");
  assert_int_equal(sdn_attenuation_table_new(d.law, d.prior, 3, wave_A, &t, &err), SDN_OK);
  assert_true(sdn_attenuation_table_is_fixed(t));
  sdn_attenuation_table_prepare(t, d.params, &curve);
  const float *k = sdn_attenuation_table_curve(t, &curve, 1, 2, scratch);
  assert_true(k != scratch && k[0] == 1 && fabs((double)k[1] - test_dust_k(&d, 22000)) <= 1e-8);
  sdn_attenuation_table_free(t);
  assert_int_equal(sdn_attenuation_table_new(d.law, d.prior, 2, bad_A, &t, &err), SDN_RANGE);
  assert_null(t);
  test_dust_free(&d);
}

/* ------------------------------------------------------------------ YAML */

static void accepts(const char *yaml)
{
  test_dust d = test_dust_of(yaml);
  test_dust_free(&d);
}

static void refuses(const char *yaml, sdn_status status, const char *says)
{
  test_dust d;
  sdn_err err;
  if (test_dust_try(yaml, &d, &err) != status) fail_msg("%s: status %d, %s", yaml, err.status, err.text);
  if (!strstr(err.text, says)) fail_msg("%s: '%s' does not say '%s'", yaml, err.text, says);
}

static void yaml_is_checked(void **state)
{
  (void)state;
  test_dust d = test_dust_of("{law: none}");
  assert_true(test_dust_k(&d, 1500) == 0 && sdn_attenuation_a_v_mag(d.law, d.params) == 0 && sdn_prior_n_param(d.prior) == 0);
  test_dust_free(&d);
  accepts("{law: li08, a_v_mag: 1, template: mw, c4: 0.02}");
  refuses("{law: calzeti, a_v_mag: 1}", SDN_USAGE, "did you mean 'calzetti'");
  refuses("{law: '', a_v_mag: 1}", SDN_USAGE, "known ones are none, calzetti, salim18, kriek_conroy, power_law, cardelli, smc, lmc, gordon23, li08, narayanan_mw, tabulated");
  refuses("{a_v_mag: 1}", SDN_USAGE, "law");
  refuses("{law: calzetti}", SDN_USAGE, "a_v_mag");
  refuses("{law: calzetti, a_v_mag: 1, r_v: 3.1}", SDN_USAGE, "test.yaml:1: dust law calzetti has no 'r_v'; it takes a_v_mag, slope, bump");
  refuses("{law: none, a_v_mag: 1}", SDN_USAGE, "dust law none has no 'a_v_mag'; it takes no keys");
  refuses("{law: smc, a_v_mag: 1, slope: 0}", SDN_USAGE, "dust law smc has no 'slope'; it takes a_v_mag");
  refuses("{law: calzetti, a_v_mag: 1, slop: 0}", SDN_USAGE, "slope");
  refuses("{law: cardelli, a_v_mag: 1, r_v: 1}", SDN_RANGE, "dust_r_v");
  refuses("{law: kriek_conroy, a_v_mag: 1, slope: {prior: uniform, low: -1, high: 1}}", SDN_RANGE, "dust_slope");
  refuses("{law: li08, a_v_mag: 1, template: sun}", SDN_USAGE, "its templates are calzetti, smc, mw, lmc");
  refuses("{law: li08, a_v_mag: 1, c1: 1}", SDN_USAGE, "dust_c2");
  refuses("[calzetti]", SDN_USAGE, "dust must be a map");
}

/* The caller's keys are his; scopes name the parameters of several populations. */
static void keys_and_scopes_of_the_caller(void **state)
{
  (void)state;
  static const char *const more[] = {"covering_fraction"};
  sdn_yaml *root;
  sdn_prior *prior;
  sdn_attenuation *young, *old;
  sdn_err err;
  assert_int_equal(sdn_yaml_parse("{law: power_law, a_v_mag: 2, index: -1.3, covering_fraction: 0.5}", "test.yaml", &root, &err), SDN_OK);
  assert_int_equal(sdn_prior_new(&prior, &err), SDN_OK);
  assert_int_equal(sdn_attenuation_new(root, NULL, 0, prior, &young, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "covering_fraction"));
  assert_int_equal(sdn_attenuation_new(root, more, 1, prior, &young, &err), SDN_OK);
  assert_int_equal(sdn_prior_scope(prior, "old_", &err), SDN_OK);
  assert_int_equal(sdn_attenuation_new(root, more, 1, prior, &old, &err), SDN_OK);
  sdn_yaml_free(root);
  assert_int_equal(sdn_prior_finish(prior, &err), SDN_OK);
  double params[4] = {0};
  assert_int_equal(sdn_prior_n_param(prior), 4);
  params[sdn_prior_param_index(prior, "a_v_mag")] = 2;
  params[sdn_prior_param_index(prior, "dust_index")] = -1.3;
  params[sdn_prior_param_index(prior, "old_a_v_mag")] = 1;
  params[sdn_prior_param_index(prior, "old_dust_index")] = -0.7;
  assert_true(sdn_attenuation_a_v_mag(young, params) == 2 && sdn_attenuation_a_v_mag(old, params) == 1);
  assert_true(fabs(sdn_attenuation_curve(young, params, 11000) - pow(2, -1.3)) <= TOL_ROUNDING);
  assert_true(fabs(sdn_attenuation_curve(old, params, 11000) - pow(2, -0.7)) <= TOL_ROUNDING);
  sdn_attenuation_free(young);
  sdn_attenuation_free(old);
  sdn_prior_free(prior);
}

/* ------------------------------------------------------------------ from a file */

static const char *tabulated(const char *text)
{
  static char yaml[4200];
  snprintf(yaml, sizeof yaml, "{law: tabulated, a_v_mag: 1, file: %s}", scratch_write_text("curve.dat", text));
  return yaml;
}

/* A power law of any normalisation is one everywhere, for the interpolation and the red continuation are linear in the logarithms. */
static void files_are_read(void **state)
{
  (void)state;
  test_dust d = test_dust_of(tabulated("# wave A\n\n1000 , 14\n 4000\t3.5 # comment\n8000 1.75\r\n"));
  const double t = 14000.0 / 5500;
  assert_true(fabs(test_dust_k(&d, 2000) * t - 7) <= 1e-12 && fabs(test_dust_k(&d, 5500) - 1) <= TOL_ROUNDING && fabs(test_dust_k(&d, 140000) * t - 0.1) <= 1e-12);
  assert_true(fabs(test_dust_k(&d, 500) * t - 21) <= 1e-12);   /* blueward the tangent in wavelength: 14 + 500 * 14 / 1000 */
  const uint64_t hash = sdn_attenuation_hash(d.law, 1);
  test_dust_free(&d);
  d = test_dust_of(tabulated("1000 14\n4000 3.5\n8000 1.76\n"));
  assert_true(sdn_attenuation_hash(d.law, 1) != hash);
  test_dust_free(&d);
  d = test_dust_of("{law: calzetti, a_v_mag: 1}");
  assert_true(sdn_attenuation_hash(d.law, 7) == 7);
  test_dust_free(&d);
}

/* Some files close with zeros on either side: they say where the curve ends, so its continuations hold there, as without them. */
static void zeros_at_the_ends_are_no_points(void **state)
{
  (void)state;
  test_dust with = test_dust_of(tabulated("500 0\n610 0.0\n1000 14\n4000 3.5\n8000 1.75\n100000 0\n200000 0\n"));
  test_dust without = test_dust_of(tabulated("1000 14\n4000 3.5\n8000 1.75\n"));
  for (double wave_A = 300; wave_A < 1e6; wave_A *= 1.7) assert_true(test_dust_k(&with, wave_A) == test_dust_k(&without, wave_A) && test_dust_k(&with, wave_A) > 0);
  test_dust_free(&with);
  test_dust_free(&without);
}

/* Curves of LePhare as it ships them; against k(lambda) in the files themselves, at points that they give. */
static void files_of_lephare_are_read(void **state)
{
  (void)state;
  static const char *const name[] = {"LMC_Fitzpatrick.dat", "MW_seaton.dat", "SB_calzetti.dat", "SMC_prevot.dat", "Buat2011.dat"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++) {
    char relative[80], path[400], yaml[500];
    snprintf(relative, sizeof relative, "attenuation/%s", name[i]);
    if (!shared_path(relative, path, sizeof path)) skip();
    snprintf(yaml, sizeof yaml, "{law: tabulated, a_v_mag: 1, file: %s}", path);
    test_dust d = test_dust_of(yaml);
    FILE *file = fopen(path, "r");
    double wave_A, k, ratio = 0;
    while (fscanf(file, "%lf %lf", &wave_A, &k) == 2)
      if (k > 0) {
        const double here = test_dust_k(&d, wave_A) / k;
        if (ratio > 0 && !(fabs(here / ratio - 1) <= 1e-9)) fail_msg("%s: %g A has another ratio than the first line", name[i], wave_A);
        ratio = here;
      }
    assert_true(ratio > 0 && test_dust_k(&d, 3e6) >= 0 && test_dust_k(&d, 3e6) < test_dust_k(&d, 2e4));
    fclose(file);
    test_dust_free(&d);
  }
}

static void bad_files_are_refused(void **state)
{
  (void)state;
  refuses("{law: tabulated, a_v_mag: 1}", SDN_USAGE, "file");
  refuses("{law: tabulated, a_v_mag: 1, file: /nowhere/curve.dat}", SDN_IO, "/nowhere/curve.dat");
  refuses(tabulated("1000 2\n"), SDN_FORMAT, "at least two lines");
  refuses(tabulated("1000 2\n6000 one\n"), SDN_FORMAT, ":2: an attenuation curve has two numbers per line");
  refuses(tabulated("1000 2\n6000 1 3\n"), SDN_FORMAT, ":2: an attenuation curve has two numbers per line");
  refuses(tabulated("1000 2\n6000\n"), SDN_FORMAT, ":2: an attenuation curve has two numbers per line");
  refuses(tabulated("1000 2\n6000 1\n5000 1\n"), SDN_FORMAT, ":3: wavelength 5000 A does not lie above");
  refuses(tabulated("1000 2\n6000 0\n"), SDN_FORMAT, "at least two lines of wavelength [A] and attenuation; it has 1");
  refuses(tabulated("1000 2\n2000 0\n6000 1\n"), SDN_FORMAT, ":3: wavelength 6000 A and attenuation 1 must both be positive, but for zeros at the ends");
  refuses(tabulated("1000 2\n6000 -1\n"), SDN_FORMAT, ":2: wavelength 6000 A and attenuation -1 must both be positive");
  refuses(tabulated("1000 2\n5000 1\n"), SDN_RANGE, "does not hold the 5500 A of A_V");
  refuses(tabulated("1000 2\n6000 1\n7000 1\n"), SDN_FORMAT, "does not fall between its last two wavelengths");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(av_is_attenuation_at_5500), cmocka_unit_test(curves_have_no_steps), cmocka_unit_test(infrared_falls), cmocka_unit_test(tangents_go_on),
    cmocka_unit_test(far_ultraviolet_agrees_with_measurement), cmocka_unit_test(tie_of_kriek_and_conroy), cmocka_unit_test(bump_of_salim),
    cmocka_unit_test(table_is_the_curve), cmocka_unit_test(wild_curves_stay_sane), cmocka_unit_test(fixed_shapes_are_stored), cmocka_unit_test(yaml_is_checked),
    cmocka_unit_test(keys_and_scopes_of_the_caller), cmocka_unit_test(files_are_read), cmocka_unit_test(zeros_at_the_ends_are_no_points), cmocka_unit_test(files_of_lephare_are_read), cmocka_unit_test(bad_files_are_refused),
  };
  return cmocka_run_group_tests_name("attenuation", tests, NULL, NULL);
}
