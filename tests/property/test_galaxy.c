/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold of the forward model whatever the galaxy. */
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
#include "support/grid_fixture.h"

#define DARK_NJY 1e-30   /* below, float32 loses its digits */

static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

static const char *const bands[] = {"HST/ACS_WFC.F435W", "HST/ACS_WFC.F606W", "JWST/NIRCam.F115W", "JWST/NIRCam.F335M", "JWST/NIRCam.F444W", "JWST/MIRI.F770W", "Subaru/Suprime.IB598"};
enum { N_BAND = sizeof bands / sizeof bands[0], N = 700, N_PARAM = 32 };   /* N: no multiple of the tile, and several of them */
static const char yaml[] =
  "grid: bc03-miles-kroupa\nredshift: {prior: uniform, low: 0, high: 14}\n"
  "stars:\n  log_mass_formed_msun: {prior: uniform, low: 6, high: 12}\n  log_metallicity: {prior: uniform, low: -4, high: -1.39}\n"
  "  sfh: {family: dense_basis, log_ssfr_per_yr: {prior: uniform, low: -12, high: -7}, gaps: {prior: dirichlet, alpha: [1, 1, 1, 1]}}\n"
  "nebular: {log_u: {prior: uniform, low: -4, high: -1}, escape_fraction: {prior: uniform, low: 0, high: 1}}\n"
  "dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 3}, slope: {prior: uniform, low: -1, high: 0.5}}\n";

static sdn_model *model;
static sdn_forward *forward;
static double params[N][N_PARAM];
static float flux[N][N_BAND];

static int n_param(void) { return sdn_prior_n_param(sdn_model_prior(model)); }

/* params of n galaxies, one after another as the interface wants them. */
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
  must(sdn_model_parse(yaml, "property", &model, &err));
  must(sdn_forward_new(model, N_BAND, bands, &forward, &err));
  const sdn_prior *prior = sdn_model_prior(model);
  for (int i = 0; i < N; i++) {
    double z[N_PARAM];
    sdn_rng rng = sdn_rng_at(11, SDN_STREAM_TEST, (uint64_t)i);
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

static void threads_do_not_matter(void **unused)
{
  static float again[N][N_BAND];
  (void)unused;
  for (int n_thread = 2; n_thread <= 5; n_thread += 3) {
    flux_of(0, N, n_thread, again[0]);
    assert_memory_equal(again, flux, sizeof flux);
  }
}

/* A galaxy's fluxes have the same bits alone, and in a call that begins elsewhere. */
static void companions_do_not_matter(void **unused)
{
  static float again[N][N_BAND];
  (void)unused;
  for (int i = 0; i < N; i += 29) {
    flux_of(i, 1, 1, again[0]);
    assert_memory_equal(again[0], flux[i], sizeof flux[i]);
  }
  flux_of(100, 333, 1, again[0]);
  assert_memory_equal(again, flux[100], 333 * sizeof flux[0]);
}

static void derived_do_not_depend_on_threads_or_companions(void **unused)
{
  const int n_derived = sdn_forward_n_derived(forward);
  double *all = malloc((size_t)(N * n_derived) * sizeof *all), one[64], *p = packed(0, N);
  (void)unused;
  must(sdn_forward_derived(forward, N, p, false, all, NULL, &err));
  for (int i = 0; i < N; i += 41) {
    must(sdn_forward_derived(forward, 1, params[i], false, one, &(sdn_run){.n_thread = 1}, &err));
    assert_memory_equal(one, all + i * n_derived, (size_t)n_derived * sizeof *one);
  }
  free(all);
  free(p);
}

/* With the history's shape held (its rate tied to the mass), flux is proportional to mass. */
static void flux_is_linear_in_mass(void **unused)
{
  const int mass = index_of("log_mass_formed_msun"), sfr = index_of("log_sfr_msun_per_yr");
  const double tolerance = 2e-7, shift = 1.25;   /* float32 output */
  (void)unused;
  for (int i = 0; i < N; i += 17) {
    double p[N_PARAM];
    float f[N_BAND];
    memcpy(p, params[i], sizeof p);
    p[mass] += shift;
    p[sfr] += shift;
    must(sdn_forward_flux(forward, 1, p, f, NULL, &err));
    for (int b = 0; b < N_BAND; b++)
      if (!(fabs((double)f[b] - pow(10, shift) * (double)flux[i][b]) <= tolerance * fabs((double)f[b]) + DARK_NJY)) fail_msg("galaxy %d band %d: %g, %g", i, b, (double)f[b], (double)flux[i][b]);
  }
}

/* L(f) = f L(1) + (1 - f) L(0). */
static void escape_mixes(void **unused)
{
  const int escape = index_of("escape_fraction");
  const double tolerance = 2e-6;   /* float32 spectra */
  (void)unused;
  for (int i = 0; i < N; i += 17) {
    double p[N_PARAM];
    float open[N_BAND], closed[N_BAND];
    memcpy(p, params[i], sizeof p);
    p[escape] = 1;
    must(sdn_forward_flux(forward, 1, p, open, NULL, &err));
    p[escape] = 0;
    must(sdn_forward_flux(forward, 1, p, closed, NULL, &err));
    const double f = params[i][escape];
    for (int b = 0; b < N_BAND; b++) {
      const double sum = f * (double)open[b] + (1 - f) * (double)closed[b];
      if (!(fabs((double)flux[i][b] - sum) <= tolerance * sum + DARK_NJY)) fail_msg("galaxy %d band %s: %g instead of %g", i, bands[b], (double)flux[i][b], sum);
    }
  }
}

static void dust_only_dims(void **unused)
{
  const int a_v = index_of("a_v_mag");
  (void)unused;
  for (int i = 0; i < N; i += 17) {
    double p[N_PARAM];
    float more[N_BAND];
    memcpy(p, params[i], sizeof p);
    p[a_v] += 0.5;
    must(sdn_forward_flux(forward, 1, p, more, NULL, &err));
    for (int b = 0; b < N_BAND; b++) assert_true(more[b] <= flux[i][b] && more[b] >= 0);
  }
}

/* Interpolation is continuous: where a galaxy crosses a node of metallicity or ionisation parameter, its flux does not jump. */
static void nodes_are_not_seen(void **unused)
{
  static const struct { const char *name; int axis; } what[] = {{"log_metallicity", 1}, {"log_u", 2}};
  const double step = 1e-7, tolerance = 1e-5;
  (void)unused;
  for (int w = 0; w < 2; w++) {
    const sdn_grid_axis *axis = &sdn_forward_model(forward)->grid->axis[what[w].axis];
    for (int node = 1; node < axis->n - 1; node++) {
      double p[2][N_PARAM];
      float f[2][N_BAND];
      for (int side = 0; side < 2; side++) {
        memcpy(p[side], params[node], sizeof p[side]);
        p[side][index_of(what[w].name)] = axis->coordinate[node] + (side ? step : -step);
        must(sdn_forward_flux(forward, 1, p[side], f[side], NULL, &err));
      }
      for (int b = 0; b < N_BAND; b++)
        if (f[0][b] > 0) assert_true(fabs((double)f[1][b] / (double)f[0][b] - 1) < tolerance);
    }
  }
}

/* Flat f_nu through any band at any redshift is the same number. */
static double flat(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; (void)w; return 1e20; }

static void flat_spectra_stay_flat(void **unused)
{
  static double wave_A[300];
  const double tolerance = 1e-6;
  char text[2048];
  sdn_model *m;
  sdn_forward *f;
  (void)unused;
  for (int j = 0; j < 300; j++) wave_A[j] = 100 * pow(1000, j / 299.0);
  const grid_fixture fixture = {.n_age = 6, .n_metallicity = 3, .n_wave = 300, .wave_A = wave_A, .incident = flat};
  snprintf(text, sizeof text,
           "grid: %s\nredshift: {prior: uniform, low: 0, high: 14}\nstars: {log_mass_formed_msun: 10, log_metallicity: {prior: uniform, low: -4, high: -1.5}, "
           "sfh: {family: continuity}}\nigm: none\n", grid_fixture_write(&fixture, "flat.hdf5"));
  must(sdn_model_parse(text, "flat", &m, &err));
  must(sdn_forward_new(m, N_BAND, bands, &f, &err));
  const int z_index = sdn_prior_param_index(sdn_model_prior(m), "redshift");
  for (int i = 0; i < 60; i++) {
    double z[N_PARAM] = {0}, p[N_PARAM];
    float out[N_BAND];
    sdn_rng rng = sdn_rng_at(5, SDN_STREAM_TEST, (uint64_t)i);
    for (int k = 0; k < sdn_prior_n_free(sdn_model_prior(m)); k++) z[k] = sdn_rng_normal(&rng);
    must(sdn_prior_params(sdn_model_prior(m), 1, z, p, &err));
    must(sdn_forward_flux(f, 1, p, out, NULL, &err));
    const double truth = 1e30 * sdn_cosmology_njy_per_lnu(m->cosmology, p[z_index]);
    for (int b = 0; b < N_BAND; b++)
      if (!(fabs((double)out[b] / truth - 1) < tolerance)) fail_msg("band %s at redshift %g: %.9g instead of %.9g", bands[b], p[z_index], (double)out[b], truth);
  }
  sdn_forward_free(f);
  sdn_model_free(m);
}

static void all_is_finite_and_positive(void **unused)
{
  (void)unused;
  for (int i = 0; i < N; i++)
    for (int b = 0; b < N_BAND; b++) assert_true(isfinite(flux[i][b]) && flux[i][b] >= 0);
  for (int i = 0; i < N; i++) assert_true(flux[i][4] > 0);   /* 4.4 um sees every galaxy */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(threads_do_not_matter), cmocka_unit_test(companions_do_not_matter), cmocka_unit_test(derived_do_not_depend_on_threads_or_companions),
    cmocka_unit_test(flux_is_linear_in_mass), cmocka_unit_test(escape_mixes), cmocka_unit_test(dust_only_dims), cmocka_unit_test(nodes_are_not_seen),
    cmocka_unit_test(flat_spectra_stay_flat), cmocka_unit_test(all_is_finite_and_positive),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
