/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Derived quantities that model.yaml asks for, against closed forms on made-up spectra. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_integration.h>

#include "physics/galaxy.h"
#include "support/grid_fixture.h"
#include "support/scratch.h"

#define MAX_PARAM 40
#define LIGHT_A_S 2.99792458e18
#define PLANCK_ERG_S 6.62607015e-27
#define LSUN 3.828e33
#define TOL_FLOAT 3e-6      /* spectra, weights and panels are float32 */
#define TOL_HISTORY 1e-6
enum { N_COARSE = 1200, N_FINE = 3300, N_WAVE = N_COARSE + N_FINE };
static sdn_err err;
static double wave_A[N_WAVE];

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

static double flat(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; (void)w; return 1e20; }
static double ramp(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; return 1e17 * w; }   /* linear: exact on any nodes */
static double fading(int age, int metallicity, int u, double w) { (void)metallicity; (void)u; (void)w; return 1e20 * pow(2, -age); }
static double dark_blue(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; return w < 1000 ? 0 : 1e20; }
static double nothing(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; (void)w; return 0; }
static double lines(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; return w > 6000 ? 3e34 : 1e34; }

/* f_lambda = 1 - 0.003 (l - 4900) / 100 (times c/1e8), with a Gaussian line of depth 0.4 and sigma 2 A at 4863 A. */
static double slanted(double w) { return 1 - 3e-5 * (w - 4900); }
static double absorbed_line(int age, int metallicity, int u, double w)
{
  (void)age; (void)metallicity; (void)u;
  return 1e12 * slanted(w) * (1 - 0.4 * exp(-0.5 * pow((w - 4863) / 2, 2))) * w * w;
}

static double trough(int age, int metallicity, int u, double w)
{
  (void)age; (void)metallicity; (void)u;
  return 1e12 * (w > 5140 && w < 5200 ? 0.7 : 1) * w * w;   /* flat f_lambda, 30 % less over all of Mg2's feature */
}

static int setup(void **state)
{
  int n = 0;
  (void)state;
  for (int j = 0; j < N_COARSE; j++) {   /* 91 A to 3 mm in steps of 1.5 % */
    const double w = 91 * exp(0.01472 * j);
    if (w < 3200) wave_A[n++] = w;
  }
  for (int j = 0; j < N_FINE; j++) wave_A[n++] = 3200.5 + j;
  for (int j = 0; n < N_WAVE && j < N_COARSE; j++) {
    const double w = 91 * exp(0.01472 * j);
    if (w > 6500) wave_A[n++] = w;
  }
  for (double step = 1.0147; n < N_WAVE; n++) wave_A[n] = wave_A[n - 1] * step;
  return 0;
}

static const grid_fixture stars = {.n_age = 9, .n_metallicity = 2, .n_wave = N_WAVE, .wave_A = wave_A, .incident = flat, .star_fraction = true};

typedef struct machine { sdn_model *model; sdn_forward *forward; double params[MAX_PARAM]; } machine;

static sdn_status parse(const char *grid, const char *more, sdn_model **m)
{
  char yaml[4096];
  snprintf(yaml, sizeof yaml, "grid: %s\nredshift: 1\nstars: {log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: delayed_exponential, age_gyr: 4, tau_gyr: 1}}\nigm: none\n%s", grid,
           more);
  return sdn_model_parse(yaml, "test", m, &err);
}

static machine make(const grid_fixture *f, const char *more)
{
  machine m;
  const double z[MAX_PARAM] = {0};
  must(parse(grid_fixture_write(f, "asked.hdf5"), more, &m.model));
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
  double all[64];
  assert_true(sdn_forward_n_derived(m->forward) <= 64);
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

/* psi = (t / tau^2) e^(-t/tau) / N for age 4 and tau 1 Gyr: share formed since lookback a. */
static double formed_since(double a_gyr)
{
  const double x = 4, y = x - a_gyr, norm = 1 - (1 + x) * exp(-x);
  return ((1 + y) * exp(-y) - (1 + x) * exp(-x)) / norm;
}

static void history_is_described(void **unused)
{
  (void)unused;
  machine m = make(&stars, "derived: {sfr_myr: [10, 30, 100, 1000], formed_percent: [20, 50, 90], quantities: [log_metallicity_mean, log_burstiness]}\n");
  close_to(&m, "log_sfr_30myr_msun_per_yr", log10(1e10 * formed_since(0.03) / 3e7), TOL_HISTORY);
  close_to(&m, "log_sfr_1000myr_msun_per_yr", log10(1e10 * formed_since(1) / 1e9), TOL_HISTORY);
  close_to(&m, "log_burstiness", log10(formed_since(0.01) / formed_since(0.1) * 10), TOL_HISTORY);
  close_to(&m, "log_metallicity_mean", -2, 1e-12);
  const double t20 = value_of(&m, "lookback_t20_gyr"), t90 = value_of(&m, "lookback_t90_gyr");
  assert_true(fabs(1 - formed_since(t20) - 0.2) < TOL_HISTORY && fabs(1 - formed_since(t90) - 0.9) < TOL_HISTORY);
  assert_int_equal(sdn_forward_n_derived_sfh(m.forward), 12);
  assert_int_equal(sdn_forward_n_derived(m.forward), 16);
  static const char *const first[] = {"log_mass_surviving_msun", "log_sfr_10myr_msun_per_yr", "log_sfr_100myr_msun_per_yr", "log_ssfr_100myr_per_yr", "mass_weighted_age_gyr", "lookback_t50_gyr"};
  static const char *const spectral[] = {"m_uv_ab", "beta_uv", "rest_u_v", "rest_v_j"};
  for (int i = 0; i < 6; i++) assert_string_equal(sdn_forward_derived_name(m.forward, i), first[i]);
  for (int i = 0; i < 4; i++) assert_string_equal(sdn_forward_derived_name(m.forward, 12 + i), spectral[i]);
  assert_string_equal(sdn_forward_derived_unit(m.forward, 6), "log10 Msun/yr");
  unmake(&m);
}

/* Flat f_nu has one AB magnitude in every band; the ramp's means are exact: photon counting over a top-hat gives (b - a) / ln(b / a). */
static void magnitudes_and_colours(void **unused)
{
  const double pi = 3.14159265358979324, pc10_cm = 3.0856775814913673e19, flat_mag = -2.5 * log10(1e10 * 1e20 / (4 * pi * pc10_cm * pc10_cm)) - 48.6;
  (void)unused;
  machine m = make(&stars, "derived: {magnitudes: [SLOAN/SDSS.r, WISE/WISE.w4], colours: {NUV_r: [GALEX/GALEX.NUV, SLOAN/SDSS.r]}}\n");
  close_to(&m, "mag_SLOAN_SDSS_r", flat_mag, TOL_FLOAT);
  close_to(&m, "mag_WISE_WISE_w4", flat_mag, TOL_FLOAT);
  close_to(&m, "rest_NUV_r", 0, TOL_FLOAT);
  unmake(&m);
  grid_fixture f = stars;
  f.incident = ramp;
  m = make(&f, "derived: {magnitudes: {box: \"tophat:4000:6000\"}, colours: {b_r: [\"tophat:4000:5000\", \"tophat:5000:6000\"]}}\n");
  close_to(&m, "mag_box", flat_mag - 2.5 * log10(1e-3 * 2000 / log(1.5)), TOL_FLOAT);
  close_to(&m, "rest_b_r", -2.5 * log10(1000 / log(1.25) / (1000 / log(1.2))), TOL_FLOAT);
  unmake(&m);
}

/* Of the ramp f_nu ~ l, means over wavelength are its middle; f_lambda ~ 1/l has means ln(b/a) / (b - a). */
static void breaks_are_measured(void **unused)
{
  grid_fixture f = stars;
  (void)unused;
  f.incident = ramp;
  machine m = make(&f, "derived:\n  quantities: [d4000, dn4000, balmer_break]\n  windows:\n    mine: {kind: ratio, numerator: [5000, 5200], denominator: [4000, 4100], of: f_lambda}\n"
                       "    nu: {kind: ratio, numerator: [5000, 5200], denominator: [4000, 4100]}\n"
                       "    air: {kind: ratio, numerator: [5000, 5200], denominator: [4000, 4100], medium: air}\n");
  close_to(&m, "d4000", 4150.0 / 3850, TOL_FLOAT);
  close_to(&m, "dn4000", 4050.0 / 3900, TOL_FLOAT);
  close_to(&m, "balmer_break", 4200.0 / 3500, TOL_FLOAT);
  close_to(&m, "ratio_mine", log(1.04) / 200 / (log(1.025) / 100), TOL_FLOAT);
  close_to(&m, "ratio_nu", 5100.0 / 4050, TOL_FLOAT);
  assert_true(fabs(value_of(&m, "ratio_air") / (5100.0 / 4050) - 1) < 1e-5);   /* both edges move by 2.8e-4 */
  unmake(&m);
}

static void indices_are_equivalent_widths(void **unused)
{
  const double width = 0.4 * 2 * sqrt(2 * 3.14159265358979324);   /* depth sigma sqrt(2 pi), A */
  const double nodes = 2e-3;   /* a Gaussian of sigma 2 A on nodes 1 A apart: step^2/12 of its curvature at the window's edges, and float32 */
  grid_fixture f = stars;
  (void)unused;
  f.incident = absorbed_line;
  machine m = make(&f, "derived:\n  indices: [Hbeta, HdeltaA, Fe5335]\n  windows: {hb: {kind: index, feature: [4847.875, 4876.625], blue: [4820, 4840], red: [4880, 4900], medium: vacuum}}\n");
  close_to(&m, "index_Hbeta", width, nodes);
  close_to(&m, "index_hb", width, nodes);
  close_to(&m, "index_HdeltaA", 0, 1e-4);   /* a straight f_lambda has no index: rounding of float32 over 40 A */
  close_to(&m, "index_Fe5335", 0, 1e-4);
  assert_string_equal(sdn_forward_derived_unit(m.forward, 10), "Angstrom");
  unmake(&m);
  f.incident = trough;
  m = make(&f, "derived: {indices: [Mg2, TiO1]}\n");
  close_to(&m, "index_Mg2", -2.5 * log10(0.7), 1e-5);
  close_to(&m, "index_TiO1", 0, 1e-5);
  unmake(&m);
}

/* Flat L_nu from 91 A to the Lyman limit, 1e20 erg/s/Hz per Msun: Q = L_nu ln(911.753/91) / h. */
static void ionising_photons_are_counted(void **unused)
{
  const double q = 1e20 * log(911.753 / 91) / PLANCK_ERG_S;
  (void)unused;
  machine m = make(&stars, "derived: {quantities: [log_q_hi_per_s, log_xi_ion_hz_per_erg]}\n");
  close_to(&m, "log_q_hi_per_s", 10 + log10(q), TOL_FLOAT);
  close_to(&m, "log_xi_ion_hz_per_erg", log10(q / 1e20), TOL_FLOAT);
  unmake(&m);
  m = make(&stars, "dust: {law: calzetti, a_v_mag: 2}\nderived: {quantities: [log_q_hi_per_s, log_xi_ion_hz_per_erg]}\n");
  close_to(&m, "log_xi_ion_hz_per_erg", log10(q / 1e20), TOL_FLOAT);   /* before dust */
  unmake(&m);
  grid_fixture gas = stars;   /* what the gas adds at 1500 A counts, but not what escapes it */
  gas.nebular_continuum = flat;
  m = make(&gas, "nebular: {escape_fraction: 0.25}\nderived: {quantities: [log_xi_ion_hz_per_erg]}\n");
  close_to(&m, "log_xi_ion_hz_per_erg", log10(q / 1.75e20), TOL_FLOAT);
  unmake(&m);
}

typedef struct dusty { const sdn_attenuation *law; const double *params; double a_v; } dusty;

/* int L_nu (1 - 10^(-0.4 A)) dnu of flat light, per ln wavelength. */
static double taken(double ln_wave, void *ctx)
{
  const dusty *d = ctx;
  const double w = exp(ln_wave);
  return LIGHT_A_S / w * (1 - pow(10, -0.4 * d->a_v * sdn_attenuation_curve(d->law, d->params, w)));
}

static void infrared_power(void **unused)
{
  const double nodes = 2e-3;   /* energy nodes meet the curve at their own wavelengths; 1e-4 is asked of them, and tested, where light is smooth */
  (void)unused;
  machine m = make(&stars, "derived: {quantities: [log_l_ir_lsun, log_l_dust_lsun]}\n");
  close_to(&m, "log_l_ir_lsun", 30 + log10(LIGHT_A_S * (1 / 8e4 - 1 / 1e7) / LSUN), TOL_FLOAT);
  close_to(&m, "log_l_dust_lsun", 10 - 6, 1e-12);   /* no dust: the floor */
  unmake(&m);
  m = make(&stars, "dust: {law: calzetti, a_v_mag: 1}\nderived: {quantities: [log_l_dust_lsun]}\n");
  dusty d = {m.model->screens[0].ism, m.params, 1};
  gsl_integration_workspace *space = gsl_integration_workspace_alloc(2000);
  gsl_function g = {taken, &d};
  double power, error;
  gsl_integration_qag(&g, log(wave_A[0]), log(wave_A[N_WAVE - 1]), 0, 1e-7, 2000, GSL_INTEG_GAUSS21, space, &power, &error);
  gsl_integration_workspace_free(space);
  close_to(&m, "log_l_dust_lsun", 30 + log10(power / LSUN), nodes);
  unmake(&m);
}

/* Light that halves from node to node: ages of the nodes, weighted by the history's weights and that light. */
static void ages_are_weighted_by_light(void **unused)
{
  grid_fixture f = stars;
  double age[9], weight[9], light = 0, aged = 0, mass = 0;
  sdn_sfh h;
  (void)unused;
  f.incident = fading;
  machine m = make(&f, "derived: {light_weighted_age: [5500, SLOAN/SDSS.r]}\n");
  sdn_arena *arena = sdn_arena_new(&err);
  assert_non_null(arena);
  for (int i = 0; i < 9; i++) age[i] = fixture_age_yr(&f, i);
  must(sdn_sfh_prepare(m.model->population[0].sfh, m.params, sdn_cosmology_age_yr(m.model->cosmology, 1), 1e10, arena, &h, &err));
  sdn_sfh_weights(&h, 9, age, weight);
  for (int i = 0; i < 9; i++) {
    light += weight[i] * pow(2, -i);
    aged += weight[i] * pow(2, -i) * age[i];
    mass += weight[i] * age[i];
  }
  close_to(&m, "light_weighted_age_5500_gyr", 1e-9 * aged / light, TOL_FLOAT);
  close_to(&m, "light_weighted_age_SLOAN_SDSS_r_gyr", 1e-9 * aged / light, TOL_FLOAT);
  assert_true(aged / light < mass);   /* young stars shine */
  sdn_arena_free(arena);
  unmake(&m);
}

static void lines_are_described(void **unused)
{
  static const double line_A[] = {4862.68, 6564.61};
  grid_fixture f = stars;
  (void)unused;
  f.nebular_continuum = nothing;
  f.lines = lines;
  f.n_line = 2;
  f.line_A = line_A;
  machine m = make(&f, "derived: {lines: [Halpha, 4862.7, Halpha+Hbeta]}\n");
  const double njy = sdn_cosmology_njy_per_lnu(m.model->cosmology, 1), w = 6564.61;
  close_to(&m, "log_l_Halpha_erg_per_s", 10 + log10(3e34), TOL_FLOAT);
  close_to(&m, "log_l_4862_7_erg_per_s", 44, TOL_FLOAT);
  close_to(&m, "log_l_Halpha_Hbeta_erg_per_s", 10 + log10(4e34), TOL_FLOAT);
  const double flux = 3e44 * njy / 2 * 1e-32 / 1e-20;
  close_to(&m, "flux_Halpha", flux, TOL_FLOAT * flux);
  const double continuum = 1e20 * LIGHT_A_S * 0.5 * (1 / (0.98 * 0.99 * w * w) + 1 / (1.01 * 1.02 * w * w));   /* mean f_lambda of flat f_nu: c / (a b) */
  close_to(&m, "ew_Halpha_A", 3e34 / continuum, TOL_FLOAT * 3e34 / continuum);
  unmake(&m);
  m = make(&f, "dust: {law: calzetti, a_v_mag: 1, line_factor: 2}\nderived: {lines: [Halpha]}\n");
  const double k = sdn_attenuation_curve(m.model->screens[0].ism, m.params, w);
  close_to(&m, "log_l_Halpha_erg_per_s", 10 + log10(3e34) - 0.8 * k, 1e-5);
  unmake(&m);
}

/* ------------------------------------------------------------------ a grid with a further axis */

enum { N_ALPHA = 3 };
static const double alpha[N_ALPHA] = {-0.2, 0.2, 0.6}, light_of[N_ALPHA] = {1, 2, 4}, survive[N_ALPHA] = {.5, .4, .2}, photons[N_ALPHA] = {1e46, 2e46, 8e46};

/* Flat light times light_of; at the second alpha three times as much of stars beyond the fifth node of age. */
static void write_alpha_grid(const char *path, bool with_q)
{
  enum { n_age = 9, n_z = 2 };
  const char *const axes[] = {"ages", "metallicities", "alpha_enhancements"};
  static float light[n_age * n_z * N_ALPHA * N_WAVE];
  double age[n_age], z[n_z] = {1e-4, 3e-2}, fraction[n_age * n_z * N_ALPHA], log_q[n_age * n_z * N_ALPHA];
  sdn_h5 *h;
  for (int a = 0; a < n_age; a++) age[a] = fixture_age_yr(&stars, a);
  for (int c = 0; c < n_age * n_z * N_ALPHA; c++) {
    const int k = c % N_ALPHA, a = c / (n_z * N_ALPHA);
    fraction[c] = survive[k];
    log_q[c] = log10(photons[k]);
    for (int j = 0; j < N_WAVE; j++) light[(size_t)c * N_WAVE + (size_t)j] = (float)(1e20 * light_of[k] * (k == 1 && a > 4 ? 3 : 1));
  }
  must(sdn_h5_create(path, &h, &err));
  must(sdn_h5_set_texts(h, "/", "axes", axes, 3, &err));
  must(sdn_h5_make(h, "axes/ages", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {n_age}}, age, &err));
  must(sdn_h5_make(h, "axes/metallicities", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {n_z}}, z, &err));
  must(sdn_h5_make(h, "axes/alpha_enhancements", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_ALPHA}}, alpha, &err));
  must(sdn_h5_make(h, "spectra/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_WAVE}}, wave_A, &err));
  must(sdn_h5_make(h, "spectra/incident", SDN_H5_FLOAT, &(sdn_h5_shape){4, {n_age, n_z, N_ALPHA, N_WAVE}}, light, &err));
  must(sdn_h5_make(h, "star_fraction", SDN_H5_DOUBLE, &(sdn_h5_shape){3, {n_age, n_z, N_ALPHA}}, fraction, &err));
  if (with_q) must(sdn_h5_make(h, "log10_specific_ionising_luminosity/HI", SDN_H5_DOUBLE, &(sdn_h5_shape){3, {n_age, n_z, N_ALPHA}}, log_q, &err));
  must(sdn_h5_close(h, &err));
}

static machine make_alpha(bool with_q, double at)
{
  machine m;
  char more[256];
  const double z[MAX_PARAM] = {0};
  const char *path = scratch_file("alpha.hdf5");
  write_alpha_grid(path, with_q);
  snprintf(more, sizeof more, "grid_axes: {alpha_enhancements: %g}\nderived: {quantities: [log_q_hi_per_s, log_xi_ion_hz_per_erg], light_weighted_age: [5500]}\n", at);
  must(parse(path, more, &m.model));
  must(sdn_forward_new(m.model, 0, NULL, &m.forward, &err));
  must(sdn_prior_params(sdn_model_prior(m.model), 1, z, m.params, &err));
  return m;
}

static double between(const double *node, double t, int low) { return (1 - t) * node[low] + t * node[low + 1]; }

/* All tables are linear between alpha's nodes, as its spectra are; Q itself, not its logarithm. */
static void further_axes_count(void **unused)
{
  static const struct { double at, t; int low; } place[] = {{-0.2, 0, 0}, {0, .5, 0}, {0.5, .75, 1}, {0.6, 1, 1}};
  (void)unused;
  for (int i = 0; i < 4; i++) {
    const double l = between(light_of, place[i].t, place[i].low), q = between(photons, place[i].t, place[i].low);
    machine m = make_alpha(true, place[i].at);
    close_to(&m, "log_mass_surviving_msun", 10 + log10(between(survive, place[i].t, place[i].low)), TOL_FLOAT);
    close_to(&m, "log_ssfr_100myr_per_yr", value_of(&m, "log_sfr_100myr_msun_per_yr") - value_of(&m, "log_mass_surviving_msun"), TOL_FLOAT);
    close_to(&m, "log_q_hi_per_s", 10 + log10(q), TOL_FLOAT);
    unmake(&m);
    m = make_alpha(false, place[i].at);   /* photons counted in the spectra, which old stars of the second node have three times as many of: between all and none */
    const double counted = 10 + log10(1e20 * log(911.753 / 91) / PLANCK_ERG_S), got = value_of(&m, "log_q_hi_per_s");
    assert_true(got > counted + log10(l) - TOL_FLOAT && got < counted + log10(3 * l) + TOL_FLOAT);
    close_to(&m, "log_xi_ion_hz_per_erg", counted - 30, TOL_FLOAT);   /* both scale alike */
    unmake(&m);
  }
}

/* At the second node old light counts three times: (1 - t) A0 + t A1 over the same of the light, from the two nodes' own ages. */
static void light_ages_on_a_further_axis(void **unused)
{
  double age[9], weight[9], light[2] = {0}, aged[2] = {0};
  sdn_sfh h;
  (void)unused;
  machine m = make_alpha(true, 0);
  sdn_arena *arena = sdn_arena_new(&err);
  assert_non_null(arena);
  for (int i = 0; i < 9; i++) age[i] = fixture_age_yr(&stars, i);
  must(sdn_sfh_prepare(m.model->population[0].sfh, m.params, sdn_cosmology_age_yr(m.model->cosmology, 1), 1e10, arena, &h, &err));
  sdn_sfh_weights(&h, 9, age, weight);
  for (int i = 0; i < 9; i++)
    for (int k = 0; k < 2; k++) {
      const double l = weight[i] * light_of[k] * (k == 1 && i > 4 ? 3 : 1);
      light[k] += l;
      aged[k] += l * age[i];
    }
  close_to(&m, "light_weighted_age_5500_gyr", 1e-9 * (aged[0] + aged[1]) / (light[0] + light[1]), TOL_FLOAT);
  assert_true(fabs((aged[0] + aged[1]) / (light[0] + light[1]) / (aged[0] / light[0]) - 1) > 1e-3);
  sdn_arena_free(arena);
  unmake(&m);
}

/* No dust, no gas: finite, so that a draw of it is none that failed. */
static void no_light_has_a_floor(void **unused)
{
  static const double line_A[] = {4862.68, 6564.61};
  grid_fixture f = stars;
  (void)unused;
  f.nebular_continuum = nothing;
  f.lines = lines;
  f.n_line = 2;
  f.line_A = line_A;
  machine m = make(&f, "nebular: {escape_fraction: 1}\ndust: {law: calzetti, a_v_mag: 0}\nderived: {lines: [Halpha], quantities: [log_l_dust_lsun]}\n");
  close_to(&m, "log_l_dust_lsun", 10 - 6, 1e-12);
  close_to(&m, "log_l_Halpha_erg_per_s", 10 - 10 + log10(LSUN), 1e-12);
  assert_true(value_of(&m, "ew_Halpha_A") == 0 && value_of(&m, "flux_Halpha") == 0);
  unmake(&m);
  f = stars;
  while (f.wave_A[0] < 400) f.wave_A++, f.n_wave--;
  f.incident = dark_blue;
  m = make(&f, "derived: {quantities: [log_q_hi_per_s]}\n");
  close_to(&m, "log_q_hi_per_s", 10 + 30, 1e-12);
  unmake(&m);
}

/* A usual name is all the light of a transition: gas, broad and narrow line. */
static void lines_of_the_nucleus_count(void **unused)
{
  static const double line_A[] = {4862.68, 6564.61};
  grid_fixture f = stars;
  (void)unused;
  f.nebular_continuum = nothing;
  f.lines = lines;
  f.n_line = 2;
  f.line_A = line_A;
  machine m = make(&f, "agn: {disc: broken_power_law, log_l_bol_lsun: 13, lines: {broad_covering_fraction: 0.1, narrow_covering_fraction: 0.1}}\n"
                       "derived: {lines: [Halpha, 6564.6, line b, agn_broad_h_alpha, agn_narrow_h_alpha, agn_narrow_n2_6585, NII6583]}\n");
  const double gas = pow(10, value_of(&m, "log_l_line_b_erg_per_s") - 40), broad = pow(10, value_of(&m, "log_l_agn_broad_h_alpha_erg_per_s") - 40),
               narrow = pow(10, value_of(&m, "log_l_agn_narrow_h_alpha_erg_per_s") - 40);
  assert_true(fabs(gas / 3e4 - 1) < 10 * TOL_FLOAT && broad > 0.01 * gas && narrow > 0.01 * gas);
  close_to(&m, "log_l_Halpha_erg_per_s", 40 + log10(gas + broad + narrow), TOL_FLOAT);
  close_to(&m, "log_l_6564_6_erg_per_s", 40 + log10(gas + broad + narrow), TOL_FLOAT);
  close_to(&m, "log_l_NII6583_erg_per_s", value_of(&m, "log_l_agn_narrow_n2_6585_erg_per_s"), TOL_FLOAT);   /* the grid has none */
  unmake(&m);
}

static void what_the_grid_lacks_is_nan(void **unused)
{
  grid_fixture f = stars;
  (void)unused;
  while (f.wave_A[f.n_wave - 1] > 6000) f.n_wave--;
  f.wave_A += 100, f.n_wave -= 100;   /* 400 to 6000 A */
  machine m = make(&f, "derived: {quantities: [log_l_ir_lsun, d4000, log_q_hi_per_s], magnitudes: [SLOAN/SDSS.z], light_weighted_age: [9000, 5000], indices: [TiO2, Hbeta]}\n");
  static const char *const lacks[] = {"log_l_ir_lsun", "mag_SLOAN_SDSS_z", "light_weighted_age_9000_gyr", "index_TiO2"}, *const has[] = {"d4000", "light_weighted_age_5000_gyr", "index_Hbeta"};
  for (int i = 0; i < 4; i++) assert_true(isnan(value_of(&m, lacks[i])));
  for (int i = 0; i < 3; i++) assert_true(isfinite(value_of(&m, has[i])));
  unmake(&m);
}

/* The text is refused by the model, and the sentence holds each of the words (separated by '|'). */
static void refuse(const char *grid, const char *more, const char *words)
{
  sdn_model *m = NULL;
  char copy[256];
  if (parse(grid, more, &m) == SDN_OK) fail_msg("accepted: %s", more);
  snprintf(copy, sizeof copy, "%s", words);
  for (char *word = strtok(copy, "|"); word; word = strtok(NULL, "|"))
    if (!strstr(err.text, word)) fail_msg("'%s' is missing in: %s", word, err.text);
}

static void slips_are_named(void **unused)
{
  (void)unused;
  char *grid = sdn_copy_text(grid_fixture_write(&stars, "asked.hdf5"), &err);
  refuse(grid, "derived: [d4000]\n", "derived is a map");
  refuse(grid, "derived: {quantites: [d4000]}\n", "test:5|quantites|quantities");
  refuse(grid, "derived: {quantities: [d400]}\n", "no quantity 'd400'|d4000");
  refuse(grid, "derived: {quantities: [d4000, d4000]}\n", "two quantities called d4000");
  refuse(grid, "derived: {sfr_myr: [-1]}\n", "sfr_myr|-1");
  refuse(grid, "derived: {formed_percent: [100]}\n", "formed_percent|100");
  refuse(grid, "derived: {magnitudes: [SLOAN/SDSS.q]}\n", "SLOAN/SDSS");
  refuse(grid, "derived: {colours: {x: [SLOAN/SDSS.g]}}\n", "colour x|two filters");
  refuse(grid, "derived: {light_weighted_age: 5500}\n", "light_weighted_age is a list");
  refuse(grid, "derived: {indices: [Hdelta]}\n", "no index 'Hdelta'|HdeltaA");
  refuse(grid, "derived: {windows: {x: {kind: bump}}}\n", "kind 'bump'|ratio");
  refuse(grid, "derived: {windows: {x: {kind: index, feature: [2, 1], blue: [1, 2], red: [3, 4]}}}\n", "feature|ascending");
  refuse(grid, "derived: {windows: {x: {kind: index, feature: [10, 20], blue: [30, 40], red: [3, 4]}}}\n", "red sideband blueward");
  refuse(grid, "derived: {windows: {x: {kind: ratio, numerator: [1, 2], denominator: [3, 4], of: f_l}}}\n", "f_l|f_lambda");
  refuse(grid, "derived: {lines: [\"\"]}\n", "each of lines");
  sdn_model *m;
  sdn_forward *f = NULL;
  must(parse(grid, "derived: {lines: [Halpha]}\n", &m));
  assert_int_equal(sdn_forward_new(m, 0, NULL, &f, &err), SDN_USAGE);
  if (!strstr(err.text, "derived") || !strstr(err.text, "no emission lines")) fail_msg("%s", err.text);
  sdn_model_free(m);
  sdn_release(grid);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(history_is_described), cmocka_unit_test(magnitudes_and_colours), cmocka_unit_test(breaks_are_measured), cmocka_unit_test(indices_are_equivalent_widths),
    cmocka_unit_test(ionising_photons_are_counted), cmocka_unit_test(infrared_power), cmocka_unit_test(ages_are_weighted_by_light), cmocka_unit_test(lines_are_described),
    cmocka_unit_test(further_axes_count), cmocka_unit_test(light_ages_on_a_further_axis), cmocka_unit_test(no_light_has_a_floor), cmocka_unit_test(lines_of_the_nucleus_count),
    cmocka_unit_test(what_the_grid_lacks_is_nan), cmocka_unit_test(slips_are_named),
  };
  return cmocka_run_group_tests_name("derived_asked", tests, setup, NULL);
}
