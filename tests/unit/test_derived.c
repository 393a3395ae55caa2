/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Derived quantities against formulas, on grids whose spectra are power laws. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/galaxy.h"
#include "support/grid_fixture.h"
#include "support/law_text.h"

#define MAX_PARAM 40
enum { N_WAVE = 400 };
static sdn_err err;
static double wave_A[N_WAVE];
static const double line_A[] = {5008.24};
static double slope;   /* of f_lambda in the fixtures */

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

/* f_lambda ~ lambda^slope, so L_nu ~ lambda^(slope + 2); 1e20 erg/s/Hz per Msun at 5500 A. */
static double power_law(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; return 1e20 * pow(w / 5500, slope + 2); }
static double nothing(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; (void)w; return 0; }
static double one_line(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; (void)w; return 1e34; }

static int setup(void **state)
{
  (void)state;
  for (int j = 0; j < N_WAVE; j++) wave_A[j] = 100 * pow(500, (double)j / (N_WAVE - 1));   /* to 50000 A */
  return 0;
}

typedef struct machine { sdn_model *model; sdn_forward *forward; double params[MAX_PARAM]; } machine;

static machine make(const grid_fixture *f, const char *more)
{
  machine m;
  char yaml[2048];
  const double z[MAX_PARAM] = {0};
  snprintf(yaml, sizeof yaml, "grid: %s\nredshift: 1\nstars: {log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: delayed_exponential, age_gyr: 4, tau_gyr: 1}}\nigm: none\n%s",
           grid_fixture_write(f, "derived.hdf5"), more);
  must(sdn_model_parse(yaml, "test", &m.model, &err));
  must(sdn_forward_new(m.model, 0, NULL, &m.forward, &err));
  must(sdn_prior_params(sdn_model_prior(m.model), 1, z, m.params, &err));
  return m;
}

static void unmake(machine *m)
{
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

static double value_of(const machine *m, const char *name)
{
  double all[32];
  must(sdn_forward_derived(m->forward, 1, m->params, false, all, NULL, &err));
  for (int i = 0; i < sdn_forward_n_derived(m->forward); i++)
    if (strcmp(sdn_forward_derived_name(m->forward, i), name) == 0) return all[i];
  fail_msg("no derived quantity %s", name);
  return NAN;
}

static void close_to(const machine *m, const char *name, double truth, double tolerance)
{
  const double x = value_of(m, name);
  if (!(fabs(x - truth) <= tolerance)) fail_msg("%s is %.9g instead of %.9g", name, x, truth);
}

static const grid_fixture stars = {.n_age = 9, .n_metallicity = 2, .n_wave = N_WAVE, .wave_A = wave_A, .incident = power_law, .star_fraction = true};

/* psi = (t / tau^2) e^(-t/tau) / N, N = 1 - (1 + x) e^-x, for age 4 and tau 1 Gyr: closed forms. */
static void history_is_described(void **unused)
{
  const double tolerance = 1e-6, x = 4, norm = 1 - (1 + x) * exp(-x);
  (void)unused;
  slope = -2;
  machine m = make(&stars, "");
  for (int k = 0; k < 2; k++) {
    const double span_gyr = k ? 0.1 : 0.01, y = x - span_gyr;
    const double share = ((1 + y) * exp(-y) - (1 + x) * exp(-x)) / norm;
    close_to(&m, k ? "log_sfr_100myr_msun_per_yr" : "log_sfr_10myr_msun_per_yr", log10(1e10 * share / (span_gyr * 1e9)), tolerance);
  }
  const double mean_t = (2 - (x * x + 2 * x + 2) * exp(-x)) / norm;   /* mean time since onset, Gyr */
  close_to(&m, "mass_weighted_age_gyr", x - mean_t, tolerance);
  double low = 0, high = x;
  for (int i = 0; i < 60; i++) {
    const double t = 0.5 * (low + high);
    if (1 - (1 + t) * exp(-t) < 0.5 * norm) low = t; else high = t;
  }
  close_to(&m, "lookback_t50_gyr", x - low, tolerance);
  unmake(&m);
}

/* star_fraction 1 / (1 + node), nodes every half dex from 1e6 yr: summed over the history's own weights. */
static void mass_survives(void **unused)
{
  const double tolerance = 1e-6;   /* weights are float32 there */
  double age[9], weight[9], sum = 0;
  sdn_sfh h;
  (void)unused;
  slope = -2;
  sdn_arena *arena = sdn_arena_new(&err);
  machine m = make(&stars, "");
  for (int i = 0; i < 9; i++) age[i] = fixture_age_yr(&stars, i);
  must(sdn_sfh_prepare(m.model->population[0].sfh, m.params, sdn_cosmology_age_yr(m.model->cosmology, 1), 1e10, arena, &h, &err));
  sdn_sfh_weights(&h, 9, age, weight);
  for (int i = 0; i < 9; i++) sum += weight[i] / (1 + i);
  close_to(&m, "log_mass_surviving_msun", 10 + log10(sum), tolerance);
  close_to(&m, "log_ssfr_100myr_per_yr", value_of(&m, "log_sfr_100myr_msun_per_yr") - 10 - log10(sum), tolerance);
  sdn_arena_free(arena);
  unmake(&m);
}

static void unknown_survival_is_nan(void **unused)
{
  grid_fixture f = stars;
  (void)unused;
  f.star_fraction = false;
  machine m = make(&f, "");
  assert_true(isnan(value_of(&m, "log_mass_surviving_msun")));
  close_to(&m, "log_ssfr_100myr_per_yr", value_of(&m, "log_sfr_100myr_msun_per_yr") - 10, 1e-12);
  unmake(&m);
}

/* Nothing formed for billions of years: the floor, 1e-12 of the mass per year. */
static void star_formation_has_a_floor(void **unused)
{
  (void)unused;
  machine m = make(&stars, "");
  for (int p = 0; p < sdn_prior_n_param(sdn_model_prior(m.model)); p++)
    if (strcmp(sdn_prior_param_name(sdn_model_prior(m.model), p), "tau_gyr") == 0) m.params[p] = 0.01;
  close_to(&m, "log_sfr_10myr_msun_per_yr", -2, 1e-9);
  close_to(&m, "log_sfr_100myr_msun_per_yr", -2, 1e-9);
  unmake(&m);
}

/* Means of lambda^p over top-hats, photon counting: (b^p - a^p) / p / ln(b/a). */
static double mean_power(double p, double a, double b) { return fabs(p) < 1e-12 ? 1 : (pow(b, p) - pow(a, p)) / p / log(b / a); }

static void spectrum_is_described(void **unused)
{
  static const double slopes[] = {-2, -2.6, 0.5};
  /* spectra linear between nodes 1.6 % apart err by (p (p-1) / 8) (0.016)^2 */
  const double tolerance_mag = 1e-3, tolerance_slope = 1e-3, pc10_cm = 3.0856775814913673e19, pi = 3.14159265358979324;
  (void)unused;
  for (int k = 0; k < 3; k++) {
    slope = slopes[k];
    machine m = make(&stars, "");
    const double p = slope + 2, per_A = pow(5500, -p);
    const double uv = 1e10 * 1e20 * per_A * mean_power(p, 1450, 1550);
    close_to(&m, "beta_uv", slope, tolerance_slope);
    close_to(&m, "m_uv_ab", -2.5 * log10(uv / (4 * pi * pc10_cm * pc10_cm)) - 48.6, tolerance_mag);
    close_to(&m, "rest_u_v", -2.5 * log10(mean_power(p, 3320, 3980) / mean_power(p, 5070, 5950)), tolerance_mag);
    close_to(&m, "rest_v_j", -2.5 * log10(mean_power(p, 5070, 5950) / mean_power(p, 11135, 13265)), tolerance_mag);
    unmake(&m);
  }
}

/* Flat f_nu behind dust: M_UV grows by the mean attenuation of its window. */
static void dust_reddens(void **unused)
{
  const double tolerance = 2e-3;   /* the curve at the window's centre stands for its mean */
  (void)unused;
  slope = -2;
  machine clear = make(&stars, ""), dusty = make(&stars, "dust: {law: calzetti, a_v_mag: 1}\n");
  const double extra = value_of(&dusty, "m_uv_ab") - value_of(&clear, "m_uv_ab");
  test_dust law = test_dust_of("{law: calzetti, a_v_mag: 1}");
  const double k = test_dust_k(&law, 1500);
  if (!(fabs(extra - k) <= tolerance)) fail_msg("%g mag instead of %g", extra, k);
  assert_true(value_of(&dusty, "rest_u_v") > 0.1 && value_of(&dusty, "rest_v_j") > 0.1 && value_of(&dusty, "beta_uv") > -1.5);
  test_dust_free(&law);
  unmake(&clear);
  unmake(&dusty);
}

/* A line in V: its luminosity over c int T dl/l / l adds to the mean. */
static void lines_count_in_colours(void **unused)
{
  const double tolerance = 1e-5, width = log(5950.0 / 5070), v_line = 1e34 * 5008.24 / (2.99792458e18 * width), v = 1e20;
  grid_fixture f = stars;
  (void)unused;
  slope = -2;
  f.nebular_continuum = nothing;
  f.lines = one_line;
  f.n_line = 1;
  f.line_A = line_A;
  machine m = make(&f, "");
  close_to(&m, "rest_u_v", 0, tolerance);   /* 5008 A lies outside V's top-hat, 5070 to 5950 A */
  unmake(&m);
  static const double inside_A[] = {5500};
  f.line_A = inside_A;
  m = make(&f, "");
  close_to(&m, "rest_u_v", 2.5 * log10(1 + v_line * 5500 / 5008.24 / v), tolerance);
  close_to(&m, "m_uv_ab", value_of(&m, "m_uv_ab"), 0);
  unmake(&m);
}

/* A grid that ends at 1 um has no J. */
static void what_the_grid_lacks_is_nan(void **unused)
{
  grid_fixture f = stars;
  (void)unused;
  while (f.wave_A[f.n_wave - 1] > 10000) f.n_wave--;
  machine m = make(&f, "");
  assert_true(isnan(value_of(&m, "rest_v_j")) && isfinite(value_of(&m, "rest_u_v")) && isfinite(value_of(&m, "beta_uv")));
  unmake(&m);
}

static void history_alone_is_the_same(void **unused)
{
  double all[32], some[32];
  (void)unused;
  machine m = make(&stars, "");
  must(sdn_forward_derived(m.forward, 1, m.params, false, all, NULL, &err));
  must(sdn_forward_derived(m.forward, 1, m.params, true, some, NULL, &err));
  assert_memory_equal(all, some, (size_t)sdn_forward_n_derived_sfh(m.forward) * sizeof *all);
  assert_true(sdn_forward_n_derived_sfh(m.forward) < sdn_forward_n_derived(m.forward));
  for (int i = 0; i < sdn_forward_n_derived(m.forward); i++) assert_non_null(sdn_forward_derived_unit(m.forward, i));
  unmake(&m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(history_is_described), cmocka_unit_test(mass_survives), cmocka_unit_test(unknown_survival_is_nan), cmocka_unit_test(star_formation_has_a_floor),
    cmocka_unit_test(spectrum_is_described), cmocka_unit_test(dust_reddens), cmocka_unit_test(lines_count_in_colours), cmocka_unit_test(what_the_grid_lacks_is_nan),
    cmocka_unit_test(history_alone_is_the_same),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
