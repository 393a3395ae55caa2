/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Populations, birth clouds, covering, gas of its own metallicity, dust's light, nucleus: fluxes of the fast path against plain double precision. */
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
#include "support/galaxy_twin.h"
#include "support/grid_fixture.h"

/* Float32 spectra and sums against double ones on the same nodes; and against nodes eight times as dense, which shows what the nodes cost. A band fainter than
 * 1e-4 of the brightest is judged against that. */
#define TOLERANCE_FLOAT 2e-5
#define TOLERANCE_NODES 1e-3
#define TOLERANCE_POWER 1e-4   /* of the energy balance: where dust outshines all else its light is right to this, and no better */
#define FLOOR 1e-4
#define TOLERANCE_FRACTION 1e-5
#define MAX_PARAM 96

static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

typedef struct machine { sdn_model *model; sdn_forward *forward; int n_band; } machine;

static machine make(const char *yaml, int n_band, const char *const *bands)
{
  machine m = {.n_band = n_band};
  must(sdn_model_parse(yaml, "emerge", &m.model, &err));
  must(sdn_forward_new(m.model, n_band, bands, &m.forward, &err));
  assert_true(sdn_prior_n_param(sdn_model_prior(m.model)) <= MAX_PARAM);
  return m;
}

static void unmake(machine *m)
{
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

static double *param(const machine *m, double *params, const char *name)
{
  const int p = sdn_prior_param_index(sdn_model_prior(m->model), name);
  if (p < 0) fail_msg("the model has no parameter %s", name);
  return &params[p];
}

static void draw(const machine *m, int row, double *params)
{
  double z[MAX_PARAM];
  sdn_rng rng = sdn_rng_at(17, SDN_STREAM_TEST, (uint64_t)row);
  for (int i = 0; i < sdn_prior_n_free(sdn_model_prior(m->model)); i++) z[i] = sdn_rng_normal(&rng);
  must(sdn_prior_params(sdn_model_prior(m->model), 1, z, params, &err));
}

/* ------------------------------------------------------------------ all ingredients */

static const char *const bands[] = {"GALEX/GALEX.NUV", "HST/ACS_WFC.F435W", "HST/ACS_WFC.F814W", "JWST/NIRCam.F115W", "JWST/NIRCam.F200W", "JWST/NIRCam.F335M", "JWST/NIRCam.F444W",
                                    "JWST/MIRI.F770W", "JWST/MIRI.F1500W", "JWST/MIRI.F2550W", "tophat:700000:1300000", "tophat:2000000:3000000"};
enum { N_BAND = sizeof bands / sizeof bands[0], N_DRAW = 6 };

#define U(low, high) "{prior: uniform, low: " #low ", high: " #high "}"
#define HEAD "grid: bc03-miles-kroupa\nredshift: " U(0.05, 6) "\n"

static const char clouds_yaml[] = HEAD
  "stars:\n"
  "  - {name: old, log_mass_formed_msun: " U(8, 11) ", log_metallicity: " U(-3, -1.5) ", sfh: {family: exponential, age_gyr: " U(0.1, 0.9) ", tau_gyr: 0.3}, dust: {law: smc, a_v_mag: " U(0, 1) "}}\n"
  "  - {name: young, log_mass_formed_msun: " U(8, 10) ", metallicity: {family: log_normal, log_mean: " U(-3.5, -1.5) ", sigma_dex: " U(0.1, 0.5) "},\n"
  "     sfh: {family: delayed_exponential, age_gyr: " U(0.01, 0.3) ", tau_gyr: 0.1}}\n"
  "nebular: {log_u: " U(-4, -1) ", escape_fraction: " U(0, 0.5) ", dust_fraction: " U(0, 0.5) ", log_gas_metallicity: " U(-3.5, -1.5) ", ly_alpha_fraction: " U(0, 1) "}\n"
  "dust: {law: kriek_conroy, slope: " U(-0.8, 0.2) ", a_v_mag: " U(0, 2) ", covering_fraction: " U(0.2, 1) ", line_factor: " U(1, 2.3) ",\n"
  "       birth_cloud: {law: power_law, index: -1.3, a_v_mag: " U(0, 2) ", age_myr: " U(1, 30) "}}\n"
  "dust_emission: {law: draine_li07, q_pah_percent: " U(0.5, 4.5) ", u_min: " U(0.2, 20) ", gamma: " U(0, 0.1) "}\n"
  "igm: {law: inoue14, scale: " U(0, 2) "}\n";
static const char tied_yaml[] = HEAD
  "metallicity_interpolation: linear\n"
  "stars: {log_mass_formed_msun: " U(8, 11) ", metallicity: {family: mass_tied, log_metallicity_start: -3.9, log_metallicity_final: " U(-2.5, -1.2) "},\n"
  "        sfh: {family: double_power_law, tau_gyr: 0.5, alpha: 3, beta: 2}}\n"
  "dust: {law: calzetti, bump: " U(0, 3) ", slope: " U(-0.5, 0.3) ", a_v_mag: " U(0, 2) ", birth_cloud: {law: calzetti, a_v_mag: 1.27 * a_v_mag}}\n"
  "dust_emission: {law: modified_black_body, temperature_k: " U(25, 60) ", emissivity_index: " U(1.2, 2.2) "}\n";
static const char agn_yaml[] = HEAD
  "stars: {log_mass_formed_msun: " U(9, 11) ", log_metallicity: " U(-3, -1.5) ", sfh: {family: constant, lookback_start_gyr: " U(0.05, 0.9) "}}\n"
  "dust: {law: calzetti, a_v_mag: " U(0, 2) "}\n"
  "dust_emission: {law: draine_li07, u_min: 2}\n"
  "agn:\n  disc: broken_power_law\n  alpha_1: " U(-2, -1) "\n  fraction: " U(0, 0.9) "\n  fraction_wave_A: 5100\n"
  "  lines: {broad_covering_fraction: " U(0, 0.3) ", narrow_covering_fraction: " U(0, 0.2) "}\n"
  "  torus: {law: nenkova08, tau: " U(5, 150) ", covering_fraction: " U(0, 0.7) "}\n"
  "  dust: {law: smc, a_v_mag: " U(0, 1) "}\n";

static const char torus_yaml[] = HEAD
  "stars:\n"
  "  - {name: old, log_mass_formed_msun: " U(8, 11) ", log_metallicity: " U(-3, -1.5) ", sfh: {family: exponential, age_gyr: " U(0.1, 0.9) ", tau_gyr: 0.3}}\n"
  "  - {name: young, log_mass_formed_msun: " U(8, 10) ", log_metallicity: -2, sfh: {family: constant, lookback_start_gyr: 0.05}}\n"
  "nebular: {log_u: " U(-4, -1) ", escape_fraction: " U(0, 0.5) "}\n"
  "dust: {law: calzetti, a_v_mag: " U(0, 2) ", birth_cloud: {law: power_law, index: -1, a_v_mag: a_v_mag, age_myr: 10}}\n"
  "dust_emission: {law: draine_li07, u_min: 2}\n"
  "agn: {disc: none, l_bol_over_stars: " U(0, 3) ", torus: {law: nenkova08, tau: " U(5, 150) "}}\n";

/* What of a band is dust's light, whose power is right to the energy balance's tolerance. */
static double share_of_dust(const galaxy_twin *t, const sdn_filter *f)
{
  const double rest = f->pivot_A / (1 + t->redshift);
  const sdn_dust_emission *d = t->m->dust_emission;
  return d ? sdn_dust_emission_lnu(d, t->params, t->redshift, t->absorbed_lsun, rest) / galaxy_twin_lnu(t, rest, false) : 0;
}

typedef struct errors { double stars, dust, nodes; } errors;

static void widen(double e, double *worst)
{
  if (!(e <= *worst)) *worst = e;
}

static void judge(const machine *m, const double *params, errors *worst)
{
  float flux[N_BAND];
  double same[N_BAND], fine[N_BAND], brightest = 0;
  const sdn_columns *c = &m->forward->columns;
  must(sdn_forward_flux(m->forward, 1, params, flux, NULL, &err));
  galaxy_twin t = galaxy_twin_new(m->model, params);
  twin_nodes nodes = twin_nodes_new(&t, c->n_wave, c->wave_A, 1), dense = twin_nodes_new(&t, c->n_wave, c->wave_A, 8);
  for (int b = 0; b < m->n_band; b++) {
    const sdn_filter *f = sdn_forward_observable(m->forward, b)->filter;
    same[b] = galaxy_twin_flux(&t, &nodes, f);
    fine[b] = galaxy_twin_flux(&t, &dense, f);
    brightest = fmax(brightest, f->pivot_A < 6e4 ? same[b] : 0);
  }
  for (int b = 0; b < m->n_band; b++) {
    const double unit = fmax(same[b], FLOOR * brightest), e = fabs((double)flux[b] - same[b]) / unit;
    const double dust = fmin(1, fabs(share_of_dust(&t, sdn_forward_observable(m->forward, b)->filter)));
    widen(e - dust * TOLERANCE_POWER, &worst->stars);
    if (dust > 0.5) widen(e, &worst->dust);
    widen(fabs((double)flux[b] - fine[b]) / unit, &worst->nodes);
  }
  twin_nodes_free(&nodes);
  twin_nodes_free(&dense);
  galaxy_twin_free(&t);
}

static void agrees(const char *what, const char *yaml)
{
  machine m = make(yaml, N_BAND, bands);
  errors worst = {0};
  for (int row = 0; row < N_DRAW; row++) {
    double params[MAX_PARAM];
    draw(&m, row, params);
    judge(&m, params, &worst);
  }
  print_message("%s: worst %.1e of double precision (%.1e where dust shines), %.1e of nodes eight times as dense\n", what, worst.stars, worst.dust, worst.nodes);
  assert_true(worst.stars <= TOLERANCE_FLOAT);
  assert_true(worst.dust <= TOLERANCE_POWER);
  assert_true(worst.nodes <= TOLERANCE_NODES);
  unmake(&m);
}

static void clouds_and_populations_agree(void **unused)
{
  (void)unused;
  agrees("two populations, clouds, dust", clouds_yaml);
}

static void tied_metallicities_agree(void **unused)
{
  (void)unused;
  agrees("metallicity tied to mass, linear in Z", tied_yaml);
}

static void nuclei_agree(void **unused)
{
  (void)unused;
  agrees("active nucleus", agn_yaml);
  agrees("torus alone, by the stars' power", torus_yaml);
}

/* ------------------------------------------------------------------ the nucleus' share of light */

static double spectrum_at(const machine *m, const double *params, double wave_A)
{
  long n;
  const double *wave = sdn_forward_wave_A(m->forward, &n);
  float *lnu = malloc((size_t)n * sizeof *lnu);
  long j = 0;
  must(sdn_forward_spectra(m->forward, 1, params, lnu, NULL, &err));
  while (j < n - 2 && wave[j + 1] <= wave_A) j++;
  assert_true(wave[j] <= wave_A && wave[j + 1] >= wave_A);
  const double u = (wave_A - wave[j]) / (wave[j + 1] - wave[j]), value = (1 - u) * (double)lnu[j] + u * (double)lnu[j + 1];
  free(lnu);
  return value;
}

/* Without the nucleus the share F of the light would be missing: at wavelengths that no band sees, too, and in the infrared, where dust shines that it heats. */
static void the_share_of_light_is_realised(void **unused)
{
  static const double wave[] = {1450, 2500, 5100, 33333, 60000, 300000};
  static const char *const dust[] = {"", "dust: {law: calzetti, a_v_mag: 0.8}\ndust_emission: {law: draine_li07, u_min: 5}\n"};
  static const char *const parts[] = {"", "  dust: {law: smc, a_v_mag: 0.7}\n  torus: {law: nenkova08, tau: 20, covering_fraction: 0.5}\n"};
  const char *const optical[] = {"HST/ACS_WFC.F435W", "HST/ACS_WFC.F814W"};
  double worst = 0;
  (void)unused;
  for (int w = 0; w < 6; w++)
    for (int k = 0; k < 4; k++) {
      char yaml[2048];
      double params[MAX_PARAM];
      snprintf(yaml, sizeof yaml, "grid: bc03-miles-kroupa\nredshift: 0.3\nstars: {log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: constant, lookback_start_gyr: 1}}\n"
               "%sagn:\n  disc: broken_power_law\n  fraction: {prior: uniform, low: 0, high: 0.95}\n  fraction_wave_A: %g\n%s", dust[k & 1], wave[w], parts[k >> 1]);
      machine m = make(yaml, 2, optical);
      draw(&m, 0, params);
      for (double f = 0.05; f < 0.95; f += 0.3) {
        *param(&m, params, "agn_fraction") = f;
        const double with = spectrum_at(&m, params, wave[w]);
        *param(&m, params, "agn_fraction") = 0;
        widen(fabs(1 - spectrum_at(&m, params, wave[w]) / with - f), &worst);
      }
      unmake(&m);
    }
  print_message("share of light at a wavelength: off by at most %.1e\n", worst);
  assert_true(worst <= TOLERANCE_FRACTION);
}

/* The flux of a galaxy with its share given, where bands do not see that wavelength, is the flux with the power that its share means. */
static void shares_reach_bands(void **unused)
{
  static const char base[] = "grid: bc03-miles-kroupa\nredshift: 2\nstars: {log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: constant, lookback_start_gyr: 1}}\n"
                             "dust: {law: calzetti, a_v_mag: 0.8}\ndust_emission: {law: draine_li07, u_min: 5}\nagn: {disc: broken_power_law, ";
  const char *const band[] = {"HST/ACS_WFC.F435W", "JWST/NIRCam.F200W"};
  const double tolerance = 2e-6;   /* float32 */
  char yaml[2][1024];
  float flux[2][2];
  double params[2][MAX_PARAM];
  (void)unused;
  snprintf(yaml[0], sizeof yaml[0], "%sfraction: 0.4, fraction_wave_A: 60000}\n", base);
  machine by_share = make(yaml[0], 2, band);
  draw(&by_share, 0, params[0]);
  galaxy_twin t = galaxy_twin_new(by_share.model, params[0]);
  snprintf(yaml[1], sizeof yaml[1], "%slog_l_bol_lsun: %.15g}\n", base, log10(t.agn_lsun * t.mass_msun));
  machine by_power = make(yaml[1], 2, band);
  draw(&by_power, 0, params[1]);
  must(sdn_forward_flux(by_share.forward, 1, params[0], flux[0], NULL, &err));
  must(sdn_forward_flux(by_power.forward, 1, params[1], flux[1], NULL, &err));
  /* dust's power is within 1e-4 of the twin's, and the nucleus' with it */
  for (int b = 0; b < 2; b++)
    if (!(fabs((double)(flux[0][b] / flux[1][b]) - 1) <= tolerance + TOLERANCE_POWER)) fail_msg("band %s: %g and %g", band[b], (double)flux[0][b], (double)flux[1][b]);
  galaxy_twin_free(&t);
  unmake(&by_share);
  unmake(&by_power);
}

/* A nucleus without stars, faint or as bright as quasars are: lines of 1e46 erg/s are more than a float32 holds. */
static void a_nucleus_shines_alone(void **unused)
{
  static const double log_l[] = {6, 12, 15};
  const char *const seen[] = {"HST/ACS_WFC.F435W", "HST/ACS_WFC.F814W", "JWST/NIRCam.F200W", "JWST/MIRI.F1500W", "line_luminosity:agn_broad_h_beta"};
  double worst = 0;
  (void)unused;
  for (int i = 0; i < 3; i++) {
    char yaml[1024];
    double params[MAX_PARAM];
    float flux[5];
    snprintf(yaml, sizeof yaml, "grid: bc03-miles-kroupa\nredshift: 2.3\nstars: none\nagn:\n  disc: broken_power_law\n  log_l_bol_lsun: %g\n  dust: {law: smc, a_v_mag: 0.3}\n"
             "  lines: {broad_covering_fraction: 0.1, narrow_covering_fraction: 0.1}\n  torus: {law: nenkova08, tau: 60, covering_fraction: 0.5}\ndust_emission: {law: draine_li07}\n", log_l[i]);
    machine m = make(yaml, 5, seen);
    draw(&m, 0, params);
    must(sdn_forward_flux(m.forward, 1, params, flux, NULL, &err));
    galaxy_twin t = galaxy_twin_new(m.model, params);
    twin_nodes nodes = twin_nodes_new(&t, m.forward->columns.n_wave, m.forward->columns.wave_A, 1);
    for (int b = 0; b < 4; b++) widen(fabs((double)flux[b] / galaxy_twin_flux(&t, &nodes, sdn_forward_observable(m.forward, b)->filter) - 1), &worst);
    for (int l = 0; l < sdn_agn_n_line(m.model->agn); l++)
      if (!strcmp(sdn_agn_line_id(m.model->agn, l), "agn_broad_h_beta")) widen(fabs((double)flux[4] / (galaxy_twin_agn_line(&t, l) * 1e-40) - 1), &worst);
    twin_nodes_free(&nodes);
    galaxy_twin_free(&t);
    unmake(&m);
  }
  print_message("nucleus alone: off by at most %.1e\n", worst);
  assert_true(worst <= TOLERANCE_FLOAT);
}

/* ------------------------------------------------------------------ Lyman alpha of the galaxy beside that of the nucleus */

static const double wave_A[] = {50, 800, 1000, 1215, 1300, 3000, 6000, 9000, 20000, 50000};
static const double line_A[] = {1215.3, 5008.24, 6564.61};
static double starlight(int age, int metallicity, int u, double w) { (void)u; (void)age; (void)metallicity; return w < 900 ? 1e20 : 2e19; }
static double nothing(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; (void)w; return 0; }
static double one_line(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; return w > 6000 ? 1e33 : w < 1300 ? 2e33 : 0; }

/* A grid whose Lyman alpha stands half an Angstrom from that of the nucleus: ly_alpha_fraction means the galaxy's, and that one alone. */
static void lyman_alpha_of_the_gas_is_told_from_the_nucleus(void **unused)
{
  const grid_fixture f = {.n_age = 5, .n_metallicity = 3, .n_wave = sizeof wave_A / sizeof wave_A[0], .wave_A = wave_A, .incident = starlight, .nebular_continuum = nothing,
                          .lines = one_line, .n_line = 3, .line_A = line_A};
  const char *const seen[] = {"line_luminosity:line a", "line_luminosity:agn_broad_ly_alpha"};
  const double tolerance = 1e-6;   /* float32 */
  char yaml[2048];
  float whole[2], less[2];
  double params[MAX_PARAM];
  (void)unused;
  snprintf(yaml, sizeof yaml, "grid: %s\nredshift: 1\nigm: none\nstars: {log_mass_formed_msun: 9, log_metallicity: -2, sfh: {family: constant, lookback_start_gyr: 1}}\n"
           "nebular: {ly_alpha_fraction: {prior: uniform, low: 0, high: 1}}\n"
           "agn: {disc: broken_power_law, log_l_bol_lsun: 9, lines: {broad_covering_fraction: 0.1}}\n", grid_fixture_write(&f, "two_alphas.hdf5"));
  machine m = make(yaml, 2, seen);
  draw(&m, 0, params);
  *param(&m, params, "ly_alpha_fraction") = 1;
  must(sdn_forward_flux(m.forward, 1, params, whole, NULL, &err));
  *param(&m, params, "ly_alpha_fraction") = 0.25;
  must(sdn_forward_flux(m.forward, 1, params, less, NULL, &err));
  assert_true(whole[0] > 0 && whole[1] > 0);
  assert_true(fabs((double)(less[0] / whole[0]) - 0.25) <= tolerance);
  assert_true(less[1] == whole[1]);
  unmake(&m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(clouds_and_populations_agree), cmocka_unit_test(tied_metallicities_agree), cmocka_unit_test(nuclei_agree), cmocka_unit_test(the_share_of_light_is_realised),
    cmocka_unit_test(shares_reach_bands), cmocka_unit_test(a_nucleus_shines_alone), cmocka_unit_test(lyman_alpha_of_the_gas_is_told_from_the_nucleus),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
