/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold of several populations with spread metallicities, birth clouds, dust's light and an active nucleus, whatever the galaxy. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "physics/galaxy.h"

static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

#define U(low, high) "{prior: uniform, low: " #low ", high: " #high "}"
static const char *const bands[] = {"GALEX/GALEX.NUV", "HST/ACS_WFC.F435W", "HST/ACS_WFC.F814W", "JWST/NIRCam.F115W", "JWST/NIRCam.F444W", "JWST/MIRI.F1500W", "tophat:700000:1300000",
                                    "line:Halpha", "pixel:15000:15050:30"};
enum { N_BAND = sizeof bands / sizeof bands[0], N_OPTICAL = 3, FAR_INFRARED = 6, N = 600, N_PARAM = 64, N_DERIVED = 32 };   /* N: no multiple of the tile, and several of them */
static const char yaml[] =
  "grid: bc03-miles-kroupa\nredshift: " U(0.05, 8) "\n"
  "stars:\n"
  "  - {name: old, log_mass_formed_msun: " U(8, 11) ", metallicity: {family: log_normal, log_mean: " U(-3.5, -1.5) ", sigma_dex: " U(0.1, 0.5) "}, sfh: {family: continuity},\n"
  "     dust: {law: smc, a_v_mag: " U(0, 1) "}}\n"
  "  - {name: young, log_mass_formed_msun: " U(8, 10) ", metallicity: {family: two_step, log_metallicity_old: " U(-4, -2) ", log_metallicity_young: -1.7, step_age_gyr: 0.05},\n"
  "     sfh: {family: delayed_exponential, age_gyr: " U(0.01, 0.5) ", tau_gyr: 0.1}}\n"
  "  - {name: third, log_mass_formed_msun: " U(7, 10) ", log_metallicity: " U(-4, -1.3) ", sfh: {family: burst, age_gyr: " U(0.001, 0.6) "}, dust: none}\n"
  "nebular: {log_u: " U(-4, -1) ", escape_fraction: " U(0, 0.5) ", dust_fraction: " U(0, 0.5) ", log_gas_metallicity: " U(-3.5, -1.5) "}\n"
  "dust: {law: kriek_conroy, slope: " U(-0.8, 0.2) ", a_v_mag: " U(0, 2) ", covering_fraction: " U(0.2, 1) ", line_factor: " U(1, 2.3) ",\n"
  "       birth_cloud: {law: power_law, index: " U(-1.5, -0.7) ", a_v_mag: " U(0, 2) ", age_myr: " U(1, 30) "}}\n"
  "dust_emission: {law: draine_li07, q_pah_percent: " U(0.5, 4.5) ", u_min: " U(0.2, 20) ", gamma: " U(0, 0.1) "}\n"
  "agn:\n  disc: broken_power_law\n  fraction: " U(0, 0.8) "\n  fraction_wave_A: 5100\n  lines: {broad_covering_fraction: " U(0, 0.3) "}\n"
  "  torus: {law: nenkova08, tau: " U(5, 150) ", covering_fraction: " U(0, 0.7) "}\n  dust: {law: smc, a_v_mag: " U(0, 1) "}\n"
  "igm: {law: inoue14, scale: " U(0, 2) "}\nvelocity_dispersion_km_s: " U(0, 400) "\n"
  "derived: {quantities: [log_l_dust_lsun, log_l_ir_lsun, log_q_hi_per_s, log_metallicity_mean]}\n";

static sdn_model *model;
static sdn_forward *forward;
static double params[N][N_PARAM];
static float flux[N][N_BAND];

static int n_param(void) { return sdn_prior_n_param(sdn_model_prior(model)); }

static double *packed(int first, int n)
{
  double *p = malloc((size_t)(n * n_param()) * sizeof *p);
  for (int i = 0; i < n; i++) memcpy(p + i * n_param(), params[first + i], (size_t)n_param() * sizeof *p);
  return p;
}

static void flux_of(int first, int n, int n_thread, float *out)
{
  const sdn_run run = {.n_thread = n_thread};
  double *p = packed(first, n);
  must(sdn_forward_flux(forward, n, p, out, &run, &err));
  free(p);
}

static int setup(void **state)
{
  (void)state;
  must(sdn_model_parse(yaml, "populations", &model, &err));
  must(sdn_forward_new(model, N_BAND, bands, &forward, &err));
  const sdn_prior *prior = sdn_model_prior(model);
  assert_true(n_param() <= N_PARAM && sdn_forward_n_derived(forward) <= N_DERIVED);
  for (int i = 0; i < N; i++) {
    double z[N_PARAM];
    sdn_rng rng = sdn_rng_at(31, SDN_STREAM_TEST, (uint64_t)i);
    for (int k = 0; k < sdn_prior_n_free(prior); k++) z[k] = sdn_rng_normal(&rng);
    must(sdn_prior_params(prior, 1, z, params[i], &err));
  }
  flux_of(0, N, 1, flux[0]);
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  sdn_forward_free(forward);
  sdn_model_free(model);
  return 0;
}

static int index_of(const char *name)
{
  const int p = sdn_prior_param_index(sdn_model_prior(model), name);
  if (p < 0) fail_msg("no parameter %s", name);
  return p;
}

static void changed(int i, const char *name, double value, float *out)
{
  double p[N_PARAM];
  memcpy(p, params[i], sizeof p);
  p[index_of(name)] = value;
  must(sdn_forward_flux(forward, 1, p, out, NULL, &err));
}

static void threads_do_not_matter(void **unused)
{
  static float again[N][N_BAND];
  (void)unused;
  for (int n_thread = 2; n_thread <= 5; n_thread += 3) {
    flux_of(0, N, n_thread, again[0]);
    assert_memory_equal(again, flux, sizeof flux);
  }
}

static void companions_do_not_matter(void **unused)
{
  static float again[N][N_BAND];
  (void)unused;
  for (int i = 0; i < N; i += 31) {
    flux_of(i, 1, 1, again[0]);
    assert_memory_equal(again[0], flux[i], sizeof flux[i]);
  }
  flux_of(77, 401, 2, again[0]);
  assert_memory_equal(again, flux[77], 401 * sizeof flux[0]);
}

static void derived_do_not_depend_on_threads_or_companions(void **unused)
{
  const int n = sdn_forward_n_derived(forward);
  double *all = malloc((size_t)(N * n) * sizeof *all), *again = malloc((size_t)(N * n) * sizeof *all), *p = packed(0, N), one[N_DERIVED];
  (void)unused;
  must(sdn_forward_derived(forward, N, p, false, all, &(sdn_run){.n_thread = 1}, &err));
  must(sdn_forward_derived(forward, N, p, false, again, &(sdn_run){.n_thread = 3}, &err));
  assert_memory_equal(all, again, (size_t)(N * n) * sizeof *all);
  for (int i = 0; i < N; i += 59) {
    must(sdn_forward_derived(forward, 1, params[i], false, one, NULL, &err));
    assert_memory_equal(one, all + i * n, (size_t)n * sizeof *one);
  }
  free(all);
  free(again);
  free(p);
}

/* Which bands are asked for besides does not change the ones that are there: what is needed is found for each galaxy anew. */
static void other_bands_do_not_matter(void **unused)
{
  const double tolerance = 1e-6;   /* float32: other wavelength nodes end the spectrum, so that sums begin elsewhere */
  (void)unused;
  for (int b = 0; b < N_BAND; b += 3) {
    sdn_forward *alone;
    must(sdn_forward_new(model, 1, &bands[b], &alone, &err));
    for (int i = 0; i < N; i += 67) {
      float one;
      must(sdn_forward_flux(alone, 1, params[i], &one, NULL, &err));
      if (!(fabs((double)one - (double)flux[i][b]) <= tolerance * fabs((double)one) + 1e-30)) fail_msg("galaxy %d, %s alone: %.9g, among others %.9g", i, bands[b], (double)one, (double)flux[i][b]);
    }
    sdn_forward_free(alone);
  }
}

/* With histories that do not know the mass, and the nucleus a share of the light, everything is proportional to all masses together. */
static void flux_is_linear_in_mass(void **unused)
{
  static const char *const mass[] = {"old_log_mass_formed_msun", "young_log_mass_formed_msun", "third_log_mass_formed_msun"};
  const double tolerance = 3e-7, shift = 0.75;   /* float32 output */
  (void)unused;
  for (int i = 0; i < N; i += 29) {
    double p[N_PARAM];
    float f[N_BAND];
    memcpy(p, params[i], sizeof p);
    for (int k = 0; k < 3; k++) p[index_of(mass[k])] += shift;
    must(sdn_forward_flux(forward, 1, p, f, NULL, &err));
    for (int b = 0; b < N_BAND; b++)
      if (!(fabs((double)f[b] - pow(10, shift) * (double)flux[i][b]) <= tolerance * fabs((double)f[b]) + 1e-28)) fail_msg("galaxy %d, %s: %g, %g", i, bands[b], (double)f[b], (double)flux[i][b]);
  }
}

/* More dust, of any kind: less light of stars, more of dust. The nucleus is dark here: its share would follow the stars. */
static void dust_moves_light_to_the_infrared(void **unused)
{
  static const struct { const char *name; double by; } more[] = {{"a_v_mag", 0.3}, {"birth_a_v_mag", 0.3}, {"old_a_v_mag", 0.3}, {"birth_age_myr", 20}, {"dust_line_factor", 0.5}};
  const double slack = 1 + 1e-6;
  const int nucleus = index_of("agn_fraction");
  (void)unused;
  for (int i = 0; i < N; i += 23) {
    const double kept = params[i][nucleus];
    float before[N_BAND], after[N_BAND];
    params[i][nucleus] = 0;
    must(sdn_forward_flux(forward, 1, params[i], before, NULL, &err));
    for (size_t k = 0; k < sizeof more / sizeof more[0]; k++) {
      changed(i, more[k].name, params[i][index_of(more[k].name)] + more[k].by, after);
      for (int b = 0; b < N_OPTICAL; b++)
        if (!((double)after[b] <= slack * (double)before[b])) fail_msg("galaxy %d: more %s and %s brightens from %g to %g", i, more[k].name, bands[b], (double)before[b], (double)after[b]);
      assert_true((double)after[FAR_INFRARED] * slack >= (double)before[FAR_INFRARED]);
    }
    changed(i, "dust_covering_fraction", 1, after);
    assert_true((double)after[FAR_INFRARED] * slack >= (double)before[FAR_INFRARED] && (double)after[1] <= slack * (double)before[1]);
    params[i][nucleus] = kept;
  }
}

/* L_nu of the galaxy is F0 / (1 - F): every band is linear in F / (1 - F). */
static void nuclei_mix_by_their_share(void **unused)
{
  const double tolerance = 3e-6;   /* float32 spectra */
  (void)unused;
  for (int i = 0; i < N; i += 37) {
    float none[N_BAND], half[N_BAND], most[N_BAND];
    changed(i, "agn_fraction", 0, none);
    changed(i, "agn_fraction", 0.5, half);    /* F / (1 - F) = 1 */
    changed(i, "agn_fraction", 0.75, most);   /* 3 */
    for (int b = 0; b < N_BAND; b++) {
      const double truth = (double)none[b] + 3 * ((double)half[b] - (double)none[b]);
      if (!(fabs((double)most[b] - truth) <= tolerance * 3 * fabs(truth) + 1e-28)) fail_msg("galaxy %d, %s: %g instead of %g", i, bands[b], (double)most[b], truth);
    }
  }
}

static void all_is_finite_and_positive(void **unused)
{
  (void)unused;
  for (int i = 0; i < N; i++)
    for (int b = 0; b < N_BAND; b++) assert_true(isfinite(flux[i][b]) && flux[i][b] >= 0);
  for (int i = 0; i < N; i++) assert_true(flux[i][4] > 0 && flux[i][FAR_INFRARED] > 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(threads_do_not_matter), cmocka_unit_test(companions_do_not_matter), cmocka_unit_test(derived_do_not_depend_on_threads_or_companions),
    cmocka_unit_test(other_bands_do_not_matter), cmocka_unit_test(flux_is_linear_in_mass), cmocka_unit_test(dust_moves_light_to_the_infrared),
    cmocka_unit_test(nuclei_mix_by_their_share), cmocka_unit_test(all_is_finite_and_positive),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
