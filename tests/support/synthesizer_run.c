/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/synthesizer_run.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/sfh_fixture.h"
#include "support/shared.h"

/* Where Calzetti's polynomial ends: beyond, codes continue it as they like (here, it declines; there, it goes on to 3 um). */
#define CALZETTI_END_A 22000
#define T_YR 2e10                        /* the reference normalises over so much */
#define MAG_PER_TAU 1.0857362047581294   /* 2.5 / ln 10 */

static json *root;
static const char *band_ids[SYN_N_BAND];
static char band_paths[SYN_N_BAND][4096];   /* the curves that the reference was made with, not the shipped ones, which are thinned */
static char grid_path[4096];
static syn_case *all;   /* [cases->n] */

/* ------------------------------------------------------------------ from a case to our YAML */

/* A_V, for curves that do not have k(5500 A) = 1 there. */
static double a_v_mag(const json *c, double tau_v)
{
  const json *tau = json_get(c, "attenuation_tau_over_tauV"), *wave = json_get(tau, "lam_rest_A"), *value = json_get(tau, "value");
  for (size_t j = 0; wave && j < wave->n; j++)
    if (fabs(wave->item[j]->number - 5500) < 1e-6) return MAG_PER_TAU * tau_v * value->item[j]->number;
  return MAG_PER_TAU * tau_v;
}

/* The keys of a law; its "Custom" Li curves are the Calzetti template, whatever their parameters. */
static void put_law(case_text *t, const json *curve, double a_v)
{
  const char *class = json_text(curve, "class"), *model = json_text(curve, "model");
  if (!strcmp(class, "Calzetti2000"))
    case_put(t, "law: calzetti, slope: %.17g, bump: %.17g", json_number(curve, "slope", 0), json_number(curve, "bump_amplitude", 0));
  else if (!strcmp(class, "PowerLaw")) case_put(t, "law: power_law, index: %.17g", json_number(curve, "slope", NAN));
  else if (!strcmp(class, "MWN18")) case_put(t, "law: narayanan_mw");
  else if (!strcmp(class, "ParametricLi08"))
    case_put(t, "law: li08, template: %s", !strcmp(model, "MW") ? "mw" : !strcmp(model, "SMC") ? "smc" : !strcmp(model, "LMC") ? "lmc" : "calzetti");
  else fail_msg("dust curve %s is not known here", class);
  case_put(t, ", a_v_mag: %.17g", a_v);
}

bool syn_is_two_component(const json *c) { return strcmp(json_text(json_get(c, "emission_model"), "class"), "CharlotFall2000") == 0; }

/* The age that parts young from old: there a node's (log10 age < 7), and with it all the mass up to the middle between two nodes. */
static double pivot_yr(const json *c, const sdn_grid *g)
{
  const double limit = pow(10, json_number(json_get(c, "emission_model"), "age_pivot_log10yr", NAN)) * (1 - 1e-6);
  int k = 0;
  while (g->axis[0].value[k + 1] < limit) k++;
  return 0.5 * (g->axis[0].value[k] + g->axis[0].value[k + 1]);
}

static double cloud_yr = 1e7;   /* pivot_yr, as soon as the grid is known */

static void put_dust(case_text *t, const json *c)
{
  const json *em = json_get(c, "emission_model"), *emission = json_get(em, "dust_emission");
  const double tau_v = json_number(em, "tau_v", 0);
  case_put(t, "dust: ");
  if (syn_is_two_component(c)) {
    case_put(t, "{");
    put_law(t, json_get(em, "dust_curve_ism"), MAG_PER_TAU * json_number(em, "tau_v_ism", NAN));
    case_put(t, ", birth_cloud: {age_myr: %.17g, ", 1e-6 * cloud_yr);
    put_law(t, json_get(em, "dust_curve_birth"), MAG_PER_TAU * json_number(em, "tau_v_birth", NAN));
    case_put(t, "}}\n");
  } else if (tau_v > 0) {
    case_put(t, "{");
    put_law(t, json_get(em, "dust_curve"), a_v_mag(c, tau_v));
    case_put(t, "}\n");
  } else case_put(t, "none\n");
  if (!emission || emission->kind != JSON_MAP) return;
  case_put(t, "dust_emission: ");
  case_put_dust_emission(t, emission);
  case_put(t, "\n");
}

static void put_stars(case_text *t, const json *c, bool of_weights)
{
  const json *z = json_get(c, "metallicity");
  const char *class = json_text(z, "class");
  case_put(t, "stars:\n  log_mass_formed_msun: %.17g\n", log10(json_number(c, "initial_mass_Msun", NAN)));
  if (of_weights) {
    case_put(t, "  log_metallicity: {prior: uniform, low: -4, high: -1.31}\n  sfh: {family: constant, lookback_start_gyr: 0.01}\n");
    return;
  }
  if (!strcmp(class, "ZDist.Normal")) case_put(t, "  metallicity: {family: normal, mean: %.17g, sigma: %.17g}\n", json_number(z, "mean", NAN), json_number(z, "sigma", NAN));
  else case_put(t, "  log_metallicity: %.17g\n", log10(json_number(z, "metallicity", NAN)));
  case_put(t, "  sfh: ");
  case_put_history(t, c);
  case_put(t, "\n");
}

static const char *yaml_of(const json *c, const char *age_rule, bool of_weights, bool dust_emission)
{
  static case_text t;
  const json *em = json_get(c, "emission_model"), *igm = json_get(c, "igm");
  t.n = 0;
  case_put(&t, "grid: %s\nage_interpolation: %s\nredshift: %.17g\n", grid_path, age_rule, json_number(c, "redshift", NAN));
  put_stars(&t, c, of_weights);
  put_dust(&t, c);
  if (!strcmp(json_text(em, "class"), "IncidentEmission")) case_put(&t, "nebular: none\n");
  else case_put(&t, "nebular: {escape_fraction: %.17g, ly_alpha_fraction: %.17g}\n", json_number(em, "fesc", 0), json_number(em, "fesc_ly_alpha", 1));
  case_put(&t, "igm: %s\n", igm->kind == JSON_NULL ? "none" : !strcmp(igm->text, "Inoue14") ? "inoue14" : "madau95");
  char *emission = strstr(t.data, "dust_emission:");
  if (emission && !dust_emission) *emission = '#';
  return t.data;
}

/* ------------------------------------------------------------------ computing */

static void make(const json *c, const char *age_rule, bool of_weights, bool dust_emission, bool bands, syn_model *m)
{
  const char *paths[SYN_N_BAND], *yaml = yaml_of(c, age_rule, of_weights, dust_emission);
  const double z[8] = {0};
  sdn_err err;
  for (int b = 0; b < SYN_N_BAND; b++) paths[b] = band_paths[b];
  if (sdn_model_parse(yaml, json_text(c, "id"), &m->model, &err) ||
      (bands ? sdn_forward_new(m->model, SYN_N_BAND, paths, &m->forward, &err) : sdn_forward_new_over(m->model, 0, NULL, 0, INFINITY, &m->forward, &err)))
    fail_msg("%s\n%.2000s", err.text, yaml);
  assert_true(sdn_prior_n_param(sdn_model_prior(m->model)) <= (int)(sizeof m->params / sizeof m->params[0]));
  if (sdn_prior_params(sdn_model_prior(m->model), 1, z, m->params, &err)) fail_msg("%s", err.text);
}

void syn_make(const json *c, bool of_weights, bool dust_emission, bool bands, syn_model *m) { make(c, "log", of_weights, dust_emission, bands, m); }

void syn_unmake(syn_model *m)
{
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

/* Masses on nodes from a record of the file, with the metallicities of another. */
static double *weights_of(const json *ages_of, const json *metals_of, const sdn_grid *g)
{
  const json *ages = json_get(ages_of, "age_index"), *masses = json_get(ages_of, "age_mass_Msun");
  const json *zs = json_get(metals_of, "Z_index"), *shares = json_get(metals_of, "Z_fraction");
  double *weight = calloc((size_t)g->axis[0].n * (size_t)g->axis[1].n, sizeof *weight);
  for (size_t a = 0; a < ages->n; a++)
    for (size_t z = 0; z < zs->n; z++)
      weight[(int)ages->item[a]->number * g->axis[1].n + (int)zs->item[z]->number] += masses->item[a]->number * shares->item[z]->number;
  return weight;
}

/* share [4] of the nodes around ln age x, the first of them returned: a cubic through four ages, or the straight line at either end. */
static int cubic_shares(int n, const double *ln_age, double x, double share[4])
{
  int k = 0;
  while (k + 2 < n && ln_age[k + 1] <= x) k++;
  const int first = k < 1 ? 0 : k > n - 3 ? n - 4 : k - 1;
  for (int i = 0; i < 4; i++) share[i] = 0;
  if (k < 1 || k > n - 3) {
    const double t = fmin(fmax((x - ln_age[k]) / (ln_age[k + 1] - ln_age[k]), 0), 1);
    share[k - first] = 1 - t;
    share[k - first + 1] = t;
    return first;
  }
  for (int i = 0; i < 4; i++) {
    share[i] = 1;
    for (int j = 0; j < 4; j++)
      if (j != i) share[i] *= (x - ln_age[first + j]) / (ln_age[first + i] - ln_age[first + j]);
  }
  return first;
}

/* The history's mass in N_STEP steps between any two ages, each at its middle. */
static double *cubic_weights(const json *c, const sdn_grid *g)
{
  enum { N_STEP = 200 };
  static case_text t;
  const int n = g->axis[0].n, n_z = g->axis[1].n;
  const json *metals = json_get(c, "sfzh_alt"), *zs = json_get(metals, "Z_index"), *shares = json_get(metals, "Z_fraction");
  double *weight = calloc((size_t)n * (size_t)n_z, sizeof *weight), *ln_age = malloc((size_t)n * sizeof *ln_age), share[4];
  t.n = 0;
  case_put_history(&t, c);
  sfh_built b = sfh_build(t.data);
  const sdn_sfh h = sfh_prepared(&b, T_YR);
  for (int k = 0; k < n; k++) ln_age[k] = log(g->axis[0].value[k]);
  for (int k = -1; k + 1 < n; k++)
    for (int i = 0; i < N_STEP; i++) {
      const double from = k < 0 ? 0 : exp(ln_age[k]), to = exp(ln_age[k + 1]), low = from + (to - from) * i / N_STEP, high = from + (to - from) * (i + 1) / N_STEP;
      const double mass = (sdn_sfh_mass_since(&h, high) - sdn_sfh_mass_since(&h, low)) * json_number(c, "initial_mass_Msun", NAN);
      const int first = cubic_shares(n, ln_age, fmax(log(0.5 * (low + high)), ln_age[0]), share);
      for (int j = 0; j < 4; j++)
        for (size_t z = 0; z < zs->n; z++) weight[(first + j) * n_z + (int)zs->item[z]->number] += mass * share[j] * shares->item[z]->number;
    }
  sfh_unbuild(&b);
  free(ln_age);
  return weight;
}

static void flux_of_weights(const syn_model *m, double *weight, float *flux)
{
  sdn_err err;
  if (sdn_forward_flux_of_weights(m->forward, 1, m->params, weight, flux, &err)) fail_msg("%s", err.text);
  free(weight);
}

/* On nodes as Synthesizer has the masses, and in other ways. */
static void compute_on_nodes(syn_case *j)
{
  const json *c = j->c, *step = json_get(c, "sfzh"), *hat = json_get(c, "sfzh_alt"), *emission = json_get(json_get(c, "emission_model"), "dust_emission");
  syn_model m;
  syn_make(c, true, true, true, &m);
  const sdn_grid *g = m.model->grid;
  if (syn_is_two_component(c)) cloud_yr = pivot_yr(c, g);
  flux_of_weights(&m, weights_of(step, step, g), j->flux[SYN_STEP]);
  if (j->has_history) {
    flux_of_weights(&m, weights_of(step, hat, g), j->flux[SYN_STEP_LOG_Z]);
    flux_of_weights(&m, weights_of(hat, hat, g), j->flux[SYN_HAT]);
    flux_of_weights(&m, cubic_weights(c, g), j->flux[SYN_CUBIC]);
  }
  syn_unmake(&m);
  memcpy(j->without_emission, j->flux[SYN_STEP], sizeof j->without_emission);
  if (!emission || emission->kind != JSON_MAP) return;
  syn_make(c, true, false, true, &m);
  flux_of_weights(&m, weights_of(step, step, m.model->grid), j->without_emission);
  syn_unmake(&m);
}

static void compute(syn_case *j)
{
  const json *history = json_get(j->c, "sfh");
  syn_model m;
  sdn_err err;
  j->has_history = history && history->kind == JSON_MAP;
  compute_on_nodes(j);
  if (!j->has_history) return;
  for (int linear = 0; linear < 2; linear++) {
    make(j->c, linear ? "linear" : "log", false, true, true, &m);
    if (sdn_forward_flux(m.forward, 1, m.params, linear ? j->own_linear : j->own, NULL, &err)) fail_msg("%s", err.text);
    syn_unmake(&m);
  }
}

/* false where the data are not there. */
static bool read_cases(void)
{
  char path[4096];
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) return false;
  if (!shared_path("grids/bc03-2016-basel_chabrier03-0.1,100_nebular.hdf5", grid_path, sizeof grid_path)) return false;
  root = json_read_file(path);
  const json *bands = json_get(syn_header(), "bands");
  assert_true(bands && bands->n == SYN_N_BAND);
  for (size_t b = 0; b < SYN_N_BAND; b++) {
    char name[256];
    band_ids[b] = bands->item[b]->text;
    snprintf(name, sizeof name, "filters/%s.dat", band_ids[b]);
    if (!shared_path(name, band_paths[b], sizeof band_paths[b])) return false;
  }
  return true;
}

const syn_case *syn_cases(size_t *n)
{
  *n = 0;
  if (!all && !read_cases()) return NULL;
  const json *cases = json_get(root, "cases");
  *n = cases->n;
  if (all) return all;
  all = calloc(cases->n, sizeof *all);
  assert_non_null(all);
  for (size_t i = 0; i < cases->n; i++) {
    all[i].c = cases->item[i];
    compute(&all[i]);
  }
  return all;
}

const json *syn_header(void) { return json_get(root, "header"); }
const char *syn_band(int band) { return band_ids[band]; }

void syn_end(void)
{
  free(all);
  json_free(root);
}

/* ------------------------------------------------------------------ comparing */

void syn_count(syn_worst *w, double error, const json *c, int band)
{
  w->n++;
  w->sum += error;
  if (error <= w->error || isnan(w->error)) return;   /* NaN stays */
  w->error = error;
  w->id = json_text(c, "id");
  w->band = band_ids[band];
}

static bool is_calzetti(const json *c)
{
  const json *em = json_get(c, "emission_model"), *curve = json_get(em, syn_is_two_component(c) ? "dust_curve_ism" : "dust_curve");
  return (syn_is_two_component(c) || json_number(em, "tau_v", 0) > 0) && !strcmp(json_text(curve, "class"), "Calzetti2000");
}

bool syn_is_extrapolated(const json *c, int band)
{
  static double end_A[SYN_N_BAND];
  if (!is_calzetti(c)) return false;
  if (json_has_text(json_get(c, "calzetti_extrapolated_bands"), band_ids[band])) return true;   /* below 1200 A or beyond 3 um */
  if (!(end_A[band] > 0)) {
    sdn_filter *filter;
    sdn_err err;
    if (sdn_filter_read(band_paths[band], &filter, &err)) fail_msg("%s", err.text);
    end_A[band] = filter->high_A;
    sdn_filter_free(filter);
  }
  return end_A[band] / (1 + json_number(c, "redshift", 0)) > CALZETTI_END_A;
}

double syn_error(const json *c, double flux, double reference) { return fabs(flux - reference) / fmax(fabs(reference), json_number(c, "flux_floor_nJy", 0)); }

void syn_compare(const json *c, const float *flux, const double *reference, const json *which, syn_worst *w)
{
  w->n_case++;
  for (int b = 0; b < SYN_N_BAND; b++)
    if (!(which && !json_has_text(which, band_ids[b])) && !syn_is_extrapolated(c, b))
      syn_count(w, syn_error(c, (double)flux[b], reference[b]), c, b);
}

void syn_head(const char *what) { print_message("\n| %s | cases | bands | mean | worst | where |\n|---|---|---|---|---|---|\n", what); }

void syn_row(const char *what, const syn_worst *w)
{
  print_message("| %s | %d | %d | %.1e | %.1e | %s %s |\n", what, w->n_case, w->n, w->sum / fmax(w->n, 1), w->error, w->id ? w->id : "", w->band ? w->band : "");
}

/* By how much the power of the dust is too small there: its spectrum is normalised on the grid's nodes, which are few beyond 140 um, and CMB heating is left out. */
static double missing_emission(const json *c)
{
  const json *points = json_get(c, "dust_emission_points"), *value = json_get(points, "lnu_erg_s_Hz"), *fine = json_get(points, "lnu_erg_s_Hz_fine");
  return points ? fine->item[0]->number / value->item[0]->number - 1 : 0;
}

/* Madau's numbers are given with lines in pixels only. */
const double *syn_reference(const syn_case *j)
{
  static double r[SYN_N_BAND];
  const json *fine = json_get(j->c, "photometry_nJy_fine"), *delta = json_get(j->c, "photometry_nJy_delta_lines"), *madau = json_get(j->c, "photometry_nJy_madau95");
  const double missing = missing_emission(j->c);
  for (int b = 0; b < SYN_N_BAND; b++) {
    const double f = json_number(fine, band_ids[b], NAN), d = json_number(delta, band_ids[b], f);
    r[b] = madau ? json_number(madau, band_ids[b], NAN) * (f > 0 ? d / f : 1) : d;
    r[b] += missing * fmax(r[b] - (double)j->without_emission[b], 0);
  }
  return r;
}

/* Given with lines in pixels only, so the change to exact ones is carried over from the step rule. */
const double *syn_hat_reference(const syn_case *j)
{
  static double r[SYN_N_BAND];
  const double *best = syn_reference(j);
  const json *fine = json_get(j->c, "photometry_nJy_fine"), *hat = json_get(j->c, "photometry_nJy_alt_sfzh_fine");
  for (int b = 0; b < SYN_N_BAND; b++) {
    const double f = json_number(fine, band_ids[b], NAN);
    r[b] = f > 0 ? json_number(hat, band_ids[b], NAN) * best[b] / f : best[b];
  }
  return r;
}

bool syn_is_madau(const json *c) { return json_get(c, "photometry_nJy_madau95") != NULL; }
/* Of Madau's cases all bands are good: that number comes from a fine integration. */
const json *syn_well_integrated(const json *c) { return syn_is_madau(c) ? NULL : json_get(c, "integration_ok_bands"); }

syn_named *syn_find(syn_named *list, int *n, const char *name)
{
  for (int i = 0; i < *n; i++)
    if (strcmp(list[i].name, name) == 0) return &list[i];
  list[*n] = (syn_named){.name = name};
  return &list[(*n)++];
}

bool syn_has_dust(const json *c) { return syn_is_two_component(c) || json_number(json_get(c, "emission_model"), "tau_v", 0) > 0; }

double syn_tolerance(const json *c) 
{
  if (json_get(c, "dust_emission_points")) return SYN_TOL_DUST_POWER;
  if (syn_is_madau(c)) return SYN_TOL_ALL_BANDS;
  return syn_has_dust(c) ? SYN_TOL_DUST : SYN_TOL_SAME_SPECTRUM;
}
