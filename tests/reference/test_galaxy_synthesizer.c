/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against Synthesizer 1.3.1: photometry of 124 galaxies on the grid bc03-2016-basel_chabrier03 (reference/synthesizer/cases.json; see the README beside it).
 * Only the ingredients that this program has are judged: bare or photoionised stars, escape fraction, Calzetti's curve with slope, Inoue+14, any history
 * through its weights, the delayed exponential through its parameters. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "physics/galaxy.h"
#include "support/json.h"
#include "support/shared.h"

/* Both codes then integrate the same piecewise linear functions: float32 spectra and sums over a few hundred ages and wavelengths here, a 5e-2 A sampling
 * there where the reference is "fine". The bound is this program's promise for float32. */
#define TOLERANCE_SAME_SPECTRUM 2e-5
/* The reference reads Calzetti's curve from a table of 3 A steps, linearly. */
#define TOLERANCE_DUST 1e-4
/* Bands in the dark of the IGM count too here; the reference finds its edge to 0.05 A only. */
#define TOLERANCE_ALL_BANDS 1e-3
/* Histories put on nodes by hats linear in age (reference) and linear in log age (here) differ by up to this. */
#define TOLERANCE_HISTORY 5e-3
/* Where Calzetti's polynomial ends: beyond, codes continue it as they like (here, it declines; there, it goes on to 3 um). */
#define CALZETTI_END_A 22000
#define N_BAND 14
#define MAG_PER_TAU 1.0857362047581294   /* 2.5 / ln 10 */

static json *cases;
static const json *bands;
static const char *band_ids[N_BAND];
static char band_paths[N_BAND][4096];   /* the curves that the reference was made with, not the shipped ones, which are thinned */
typedef struct kind { sdn_model *model; sdn_forward *forward; } kind;
static kind kinds[2][2];   /* [nebular][igm] */

static int make_kind(const char *grid, bool nebular, bool igm, kind *k)
{
  char yaml[8192];
  sdn_err err;
  snprintf(yaml, sizeof yaml,
           "grid: %s\nredshift: {prior: uniform, low: 0, high: 13}\n"
           "stars:\n  log_mass_formed_msun: {prior: uniform, low: 0, high: 14}\n  log_metallicity: {prior: uniform, low: -4, high: -1.31}\n"
           "  sfh: {family: delayed_exponential, age_gyr: {prior: uniform, low: 0.001, high: age_universe_gyr(redshift)}, tau_gyr: {prior: uniform, low: 0.001, high: 20}}\n"
           "dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 10}, slope: {prior: uniform, low: -1, high: 1}}\n"
           "nebular: %s\nigm: %s\n",
           grid, nebular ? "{escape_fraction: {prior: uniform, low: 0, high: 1}, ly_alpha_fraction: {prior: uniform, low: 0, high: 1}}" : "none",
           igm ? "inoue14" : "none");
  const char *paths[N_BAND];
  for (int b = 0; b < N_BAND; b++) paths[b] = band_paths[b];
  if (sdn_model_parse(yaml, "synthesizer.yaml", &k->model, &err) || sdn_forward_new(k->model, N_BAND, paths, &k->forward, &err)) {
    print_message("%s\n", err.text);
    return -1;
  }
  return 0;
}

static int setup(void **state)
{
  char path[4096], grid[4096];
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) return 0;
  if (!shared_path("grids/bc03-2016-basel_chabrier03-0.1,100_nebular.hdf5", grid, sizeof grid)) return 0;
  cases = json_read_file(path);
  bands = json_get(json_get(cases, "header"), "bands");
  if (!bands || bands->n != N_BAND) return -1;
  for (size_t b = 0; b < N_BAND; b++) {
    char name[256];
    band_ids[b] = bands->item[b]->text;
    snprintf(name, sizeof name, "filters/%s.dat", band_ids[b]);
    if (!shared_path(name, band_paths[b], sizeof band_paths[b])) return -1;
  }
  for (int i = 0; i < 4; i++)
    if (make_kind(grid, i & 1, i & 2, &kinds[i & 1][i >> 1])) return -1;
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  for (int i = 0; i < 4; i++) {
    sdn_forward_free(kinds[i & 1][i >> 1].forward);
    sdn_model_free(kinds[i & 1][i >> 1].model);
  }
  json_free(cases);
  return 0;
}

/* Can this program make the case, histories apart? */
static bool is_served(const json *c)
{
  const json *em = json_get(c, "emission_model"), *dust = json_get(em, "dust_curve"), *igm = json_get(c, "igm"), *warm = json_get(em, "dust_emission");
  const char *class = json_text(em, "class");
  if (strcmp(class, "IncidentEmission") != 0 && strcmp(class, "PacmanEmission") != 0) return false;
  if (json_number(em, "tau_v", 0) > 0 && (strcmp(json_text(dust, "class"), "Calzetti2000") != 0 || json_number(dust, "bump_amplitude", 0) > 0)) return false;
  if (warm && warm->kind == JSON_MAP) return false;
  return igm->kind == JSON_NULL || strcmp(igm->text, "Inoue14") == 0;
}

static kind *kind_of(const json *c)
{
  const bool nebular = strcmp(json_text(json_get(c, "emission_model"), "class"), "PacmanEmission") == 0;
  return &kinds[nebular][json_get(c, "igm")->kind == JSON_TEXT];
}

static void set(const kind *k, double *params, const char *name, double value)
{
  const int p = sdn_prior_param_index(sdn_model_prior(k->model), name);
  if (p >= 0) params[p] = value;
}

static void fill_params(const kind *k, const json *c, double *params)
{
  const json *em = json_get(c, "emission_model");
  for (int p = 0; p < sdn_prior_n_param(sdn_model_prior(k->model)); p++) params[p] = 0;
  set(k, params, "redshift", json_number(c, "redshift", NAN));
  set(k, params, "log_mass_formed_msun", log10(json_number(c, "initial_mass_Msun", NAN)));
  set(k, params, "log_metallicity", log10(json_number(json_get(c, "metallicity"), "metallicity", 0.01)));
  set(k, params, "escape_fraction", json_number(em, "fesc", 0));
  set(k, params, "ly_alpha_fraction", json_number(em, "fesc_ly_alpha", 1));
  set(k, params, "a_v_mag", MAG_PER_TAU * json_number(em, "tau_v", 0));
  set(k, params, "dust_slope", json_number(json_get(em, "dust_curve"), "slope", 0));
  set(k, params, "age_gyr", 1);
  set(k, params, "tau_gyr", 1);
}

/* The case's weights on nodes -> flux [N_BAND]. */
static void flux_of_case(const json *c, float *flux)
{
  const kind *k = kind_of(c);
  const sdn_grid *g = k->model->grid;
  const json *w = json_get(c, "sfzh"), *ages = json_get(w, "age_index"), *masses = json_get(w, "age_mass_Msun"), *zs = json_get(w, "Z_index"), *shares = json_get(w, "Z_fraction");
  double *weight = calloc((size_t)g->axis[0].n * (size_t)g->axis[1].n, sizeof *weight), params[32];
  sdn_err err;
  fill_params(k, c, params);
  for (size_t a = 0; a < ages->n; a++)
    for (size_t z = 0; z < zs->n; z++)
      weight[(int)ages->item[a]->number * g->axis[1].n + (int)zs->item[z]->number] += masses->item[a]->number * shares->item[z]->number;
  if (sdn_forward_flux_of_weights(k->forward, 1, params, weight, flux, &err)) fail_msg("%s", err.text);
  free(weight);
}

/* Largest |flux / reference - 1| over some bands; the difference counts against the reference's floor where a band is fainter. */
typedef struct worst { double error; int n; const char *id, *band; double sum; } worst;

static void compare(const json *c, const float *flux, const double *reference, const json *which, const json *except, worst *w)
{
  const double floor_nJy = json_number(c, "flux_floor_nJy", 0);
  const bool dusty = json_number(json_get(c, "emission_model"), "tau_v", 0) > 0;
  const kind *k = kind_of(c);
  for (int b = 0; b < N_BAND; b++) {
    if ((which && !json_has_text(which, band_ids[b])) || json_has_text(except, band_ids[b])) continue;
    if (dusty && sdn_forward_observable(k->forward, b)->high_A / (1 + json_number(c, "redshift", 0)) > CALZETTI_END_A) continue;
    const double r = reference[b], error = fabs((double)flux[b] - r) / fmax(fabs(r), floor_nJy);
    w->n++;
    w->sum += error;
    if (!(error <= w->error)) {
      w->error = error;
      w->id = json_text(c, "id");
      w->band = band_ids[b];
    }
  }
}

static void report(const char *what, const worst *w)
{
  print_message("%s: %d bands, mean %.1e, worst %.2e (%s %s)\n", what, w->n, w->sum / w->n, w->error, w->id ? w->id : "", w->band ? w->band : "");
}

/* Exact lines where there are lines, and the fine integration. */
static const double *best_reference(const json *c)
{
  static double r[N_BAND];
  const json *fine = json_get(c, "photometry_nJy_fine"), *delta = json_get(c, "photometry_nJy_delta_lines");
  for (int b = 0; b < N_BAND; b++) r[b] = json_number(delta ? delta : fine, band_ids[b], NAN);
  return r;
}

/* The same for the history put on nodes by hats: given with lines in pixels only, so the change to exact ones is carried over from the step rule. */
static const double *hat_reference(const json *c)
{
  static double r[N_BAND];
  const json *fine = json_get(c, "photometry_nJy_fine"), *delta = json_get(c, "photometry_nJy_delta_lines"), *hat = json_get(c, "photometry_nJy_alt_sfzh_fine");
  for (int b = 0; b < N_BAND; b++) {
    const double f = json_number(fine, band_ids[b], NAN);
    r[b] = json_number(hat, band_ids[b], NAN) * (delta && f > 0 ? json_number(delta, band_ids[b], NAN) / f : 1);
  }
  return r;
}

/* Single nodes, one ingredient at a time. */
static void test_isolated(void **state)
{
  static const char *const groups[] = {"isolate/ssp_incident", "isolate/ssp_nebular", "isolate/igm_Inoue14", "isolate/dust_Calzetti2000", "isolate/fesc"};
  (void)state;
  if (!cases) skip();
  for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
    const json *list = json_get(cases, "cases");
    worst w = {.error = 0}, exact = {.error = 0};
    for (size_t k = 0; k < list->n; k++) {
      const json *c = list->item[k];
      float flux[N_BAND];
      if (strcmp(json_text(c, "group"), groups[i]) != 0 || !is_served(c)) continue;
      flux_of_case(c, flux);
      compare(c, flux, best_reference(c), json_get(c, "strict_bands"), json_get(c, "calzetti_extrapolated_bands"), &w);
      compare(c, flux, best_reference(c), NULL, json_get(c, "calzetti_extrapolated_bands"), &exact);
    }
    report(groups[i], &w);
    report("   all bands, fine integration, delta lines", &exact);
    assert_true(w.n > 0);
    assert_true(w.error <= (strstr(groups[i], "dust") ? TOLERANCE_DUST : TOLERANCE_SAME_SPECTRUM));
    assert_true(exact.error <= TOLERANCE_ALL_BANDS);
  }
}

/* Every case with the ingredients of ours, driven with the weights that Synthesizer used. */
static void test_driven_with_weights(void **state)
{
  const json *list = json_get(cases, "cases");
  worst w = {.error = 0}, exact = {.error = 0};
  int n_case = 0;
  (void)state;
  if (!cases) skip();
  for (size_t k = 0; k < list->n; k++) {
    const json *c = list->item[k];
    float flux[N_BAND];
    if (!is_served(c)) continue;
    flux_of_case(c, flux);
    n_case++;
    compare(c, flux, best_reference(c), json_get(c, "integration_ok_bands"), json_get(c, "calzetti_extrapolated_bands"), &w);
    compare(c, flux, best_reference(c), NULL, json_get(c, "calzetti_extrapolated_bands"), &exact);
  }
  print_message("%d cases\n", n_case);
  report("integration_ok_bands", &w);
  report("all bands", &exact);
  assert_true(n_case > 60);
  assert_true(w.error <= TOLERANCE_DUST);
  assert_true(exact.error <= TOLERANCE_ALL_BANDS);
}

/* The delayed exponential from its own parameters. */
static void test_delayed_exponential(void **state)
{
  const json *list = json_get(cases, "cases");
  worst w = {.error = 0};
  (void)state;
  if (!cases) skip();
  for (size_t i = 0; i < list->n; i++) {
    const json *c = list->item[i], *sfh = json_get(json_get(c, "sfh"), "params"), *z = json_get(c, "metallicity");
    const kind *k = kind_of(c);
    float flux[N_BAND];
    double params[32];
    sdn_err err;
    const char *class = json_text(json_get(c, "sfh"), "class");
    if (!is_served(c) || !class || strcmp(class, "SFH.DelayedExponential") != 0 || !json_get(z, "metallicity") || json_number(sfh, "min_age_yr", 0) > 0) continue;
    fill_params(k, c, params);
    set(k, params, "age_gyr", 1e-9 * json_number(sfh, "max_age_yr", NAN));
    set(k, params, "tau_gyr", 1e-9 * json_number(sfh, "tau_yr", NAN));
    if (sdn_forward_flux(k->forward, 1, params, flux, NULL, &err)) fail_msg("%s", err.text);
    compare(c, flux, hat_reference(c), json_get(c, "integration_ok_bands"), json_get(c, "calzetti_extrapolated_bands"), &w);
  }
  report("delayed exponential", &w);
  assert_true(w.n > 0);
  assert_true(w.error <= TOLERANCE_HISTORY);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_isolated), cmocka_unit_test(test_driven_with_weights), cmocka_unit_test(test_delayed_exponential)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
