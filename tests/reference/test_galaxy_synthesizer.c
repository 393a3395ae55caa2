/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against Synthesizer 1.3.1: all 124 galaxies on the grid bc03-2016-basel_chabrier03 (reference/synthesizer/cases.json; the README beside it says what each field means).
 * Each case is computed twice: driven with the masses on nodes that Synthesizer used, which leaves all that happens to light, and from the parameters of its history.
 * Where Synthesizer is known to err (defects_are_known lists it), the reference is the number that the file gives for the correct calculation. */
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
#include "support/sfh_fixture.h"
#include "support/shared.h"
#include "support/synthesizer_case.h"

/* Both codes then integrate the same piecewise linear functions: float32 spectra and sums over a few hundred ages and wavelengths here, a 5e-2 A sampling
 * there where the reference is "fine". The bound is this program's promise for float32. */
#define TOLERANCE_SAME_SPECTRUM 2e-5
/* The reference reads dust curves from tables of 3 A steps, linearly; Narayanan's median curve is a spline through rounded points here (8e-5 in k). */
#define TOLERANCE_DUST 2e-4
/* Bands in the dark of the IGM count too here; the reference finds its edge to 0.05 A only. */
#define TOLERANCE_ALL_BANDS 1e-3
/* Histories put on nodes by hats linear in age (reference) and linear in log age (here) differ by up to this. */
#define TOLERANCE_HISTORY 5e-3
/* Where Calzetti's polynomial ends: beyond, codes continue it as they like (here, it declines; there, it goes on to 3 um). */
#define CALZETTI_END_A 22000
/* Power that dust takes. Old stars shine beyond 2.2 um, where Calzetti's law is a convention: there it ends at 3 um and is constant beyond, here it declines. Of case
 * dev-121, whose Casey spectrum outshines the stars even in the ultraviolet, that is 1.9e-3. */
#define TOLERANCE_DUST_POWER 3e-3
/* The dust's spectrum relative to that at 160 um: a formula in both. */
#define TOLERANCE_DUST_SHAPE 2e-5
#define N_BAND 14
#define MAG_PER_TAU 1.0857362047581294   /* 2.5 / ln 10 */
#define T_YR 2e10            /* the reference normalises over so much */

static json *root;
static const json *cases;
static const char *band_ids[N_BAND];
static char band_paths[N_BAND][4096];   /* the curves that the reference was made with, not the shipped ones, which are thinned */
static char grid_path[4096];

/* How a history can be put on the grid's nodes. */
enum { STEP,      /* Synthesizer: all mass between two midpoints of ages at the node; linear in Z */
       STEP_LOG_Z, /* the same, linear in log10 Z */
       HAT,       /* exact integrals over hats linear in age and log10 Z, as the file has them */
       CUBIC,     /* spectra between ages by cubics in ln age: what all others approximate; linear in log10 Z */
       N_WAY };
typedef struct judged { const json *c; bool has_history; float flux[N_WAY][N_BAND], own[N_BAND], without_emission[N_BAND]; } judged;
static judged *all;   /* [cases->n] */

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

static bool is_two_component(const json *c) { return strcmp(json_text(json_get(c, "emission_model"), "class"), "CharlotFall2000") == 0; }

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
  if (is_two_component(c)) {
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

static const char *yaml_of(const json *c, bool of_weights, bool dust_emission)
{
  static case_text t;
  const json *em = json_get(c, "emission_model"), *igm = json_get(c, "igm");
  t.n = 0;
  case_put(&t, "grid: %s\nredshift: %.17g\n", grid_path, json_number(c, "redshift", NAN));
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

typedef struct made { sdn_model *model; sdn_forward *forward; double params[200]; } made;

static void make(const json *c, const char *yaml, int n_band, made *m)
{
  const char *paths[N_BAND];
  double z[8] = {0};
  sdn_err err;
  for (int b = 0; b < N_BAND; b++) paths[b] = band_paths[b];
  if (sdn_model_parse(yaml, json_text(c, "id"), &m->model, &err)) fail_msg("%s\n%.2000s", err.text, yaml);
  if (n_band > 0 ? sdn_forward_new(m->model, n_band, paths, &m->forward, &err) : sdn_forward_new_over(m->model, 0, NULL, 0, INFINITY, &m->forward, &err))
    fail_msg("%s\n%.2000s", err.text, yaml);
  assert_true(sdn_prior_n_param(sdn_model_prior(m->model)) <= 200);
  if (sdn_prior_params(sdn_model_prior(m->model), 1, z, m->params, &err)) fail_msg("%s", err.text);
}

static void unmake(made *m)
{
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

/* Masses on nodes from a record of the file, with the metallicities of another. */
static double *weights_of(const json *ages_of, const json *metals_of, const sdn_grid *g)
{
  const json *ages = json_get(ages_of, "age_index"), *masses = json_get(ages_of, "age_mass_Msun"), *zs = json_get(metals_of, "Z_index"), *shares = json_get(metals_of, "Z_fraction");
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
  if (k == 0 || k + 3 > n - 1) {
    const double t = fmin(fmax((x - ln_age[k]) / (ln_age[k + 1] - ln_age[k]), 0), 1);
    share[0] = 1 - t, share[1] = t, share[2] = share[3] = 0;
    return k < n - 4 ? k : (share[3] = share[1], share[2] = share[0], share[0] = share[1] = 0, n - 4);
  }
  for (int i = 0; i < 4; i++) {
    share[i] = 1;
    for (int j = 0; j < 4; j++)
      if (j != i) share[i] *= (x - ln_age[k - 1 + j]) / (ln_age[k - 1 + i] - ln_age[k - 1 + j]);
  }
  return k - 1;
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

static void flux_of_weights(const made *m, double *weight, float *flux)
{
  sdn_err err;
  if (sdn_forward_flux_of_weights(m->forward, 1, m->params, weight, flux, &err)) fail_msg("%s", err.text);
  free(weight);
}

static void compute(judged *j)
{
  const json *c = j->c, *history = json_get(c, "sfh"), *step = json_get(c, "sfzh"), *hat = json_get(c, "sfzh_alt"), *emission = json_get(json_get(c, "emission_model"), "dust_emission");
  made m;
  sdn_err err;
  j->has_history = history && history->kind == JSON_MAP;
  make(c, yaml_of(c, true, true), N_BAND, &m);
  const sdn_grid *g = m.model->grid;
  if (is_two_component(c)) cloud_yr = pivot_yr(c, g);
  flux_of_weights(&m, weights_of(step, step, g), j->flux[STEP]);
  if (j->has_history) {
    flux_of_weights(&m, weights_of(step, hat, g), j->flux[STEP_LOG_Z]);
    flux_of_weights(&m, weights_of(hat, hat, g), j->flux[HAT]);
    flux_of_weights(&m, cubic_weights(c, g), j->flux[CUBIC]);
  }
  unmake(&m);
  memcpy(j->without_emission, j->flux[STEP], sizeof j->without_emission);
  if (emission && emission->kind == JSON_MAP) {
    make(c, yaml_of(c, true, false), N_BAND, &m);
    flux_of_weights(&m, weights_of(step, step, m.model->grid), j->without_emission);
    unmake(&m);
  }
  if (!j->has_history) return;
  make(c, yaml_of(c, false, true), N_BAND, &m);
  if (sdn_forward_flux(m.forward, 1, m.params, j->own, NULL, &err)) fail_msg("%s", err.text);
  unmake(&m);
}

static int setup(void **state)
{
  char path[4096];
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) return 0;
  if (!shared_path("grids/bc03-2016-basel_chabrier03-0.1,100_nebular.hdf5", grid_path, sizeof grid_path)) return 0;
  root = json_read_file(path);
  const json *bands = json_get(json_get(root, "header"), "bands");
  if (!bands || bands->n != N_BAND) return -1;
  for (size_t b = 0; b < N_BAND; b++) {
    char name[256];
    band_ids[b] = bands->item[b]->text;
    snprintf(name, sizeof name, "filters/%s.dat", band_ids[b]);
    if (!shared_path(name, band_paths[b], sizeof band_paths[b])) return -1;
  }
  cases = json_get(root, "cases");
  all = calloc(cases->n, sizeof *all);
  for (size_t i = 0; i < cases->n; i++) all[i].c = cases->item[i];
  return all ? 0 : -1;
}

static int teardown(void **state)
{
  (void)state;
  free(all);
  json_free(root);
  return 0;
}

/* The first test of the file: what the others judge. */
static void every_case_is_served(void **state)
{
  (void)state;
  if (!cases) skip();
  for (size_t i = 0; i < cases->n; i++) compute(&all[i]);
  print_message("%zu cases computed\n", cases->n);
  assert_true(cases->n >= 124);
}

/* ------------------------------------------------------------------ comparing */

/* Largest |flux / reference - 1| over some bands; the difference counts against the reference's floor where a band is fainter. */
typedef struct worst { double error, sum; int n, n_case; const char *id, *band; } worst;

static void count(worst *w, double error, const json *c, int band)
{
  w->n++;
  w->sum += error;
  if (error <= w->error) return;
  w->error = error;
  w->id = json_text(c, "id");
  w->band = band_ids[band];
}

static bool is_calzetti(const json *c)
{
  const json *em = json_get(c, "emission_model"), *curve = json_get(em, is_two_component(c) ? "dust_curve_ism" : "dust_curve");
  return (is_two_component(c) || json_number(em, "tau_v", 0) > 0) && !strcmp(json_text(curve, "class"), "Calzetti2000");
}

/* Does a band see rest wavelengths where Calzetti's law is a convention? `redward`: beyond 2.2 um; else below 1200 A or beyond 3 um, as the reference says. */
static bool is_extrapolated(const json *c, int band, bool redward)
{
  static double end_A[N_BAND];
  if (!is_calzetti(c)) return false;
  if (!redward) return json_has_text(json_get(c, "calzetti_extrapolated_bands"), band_ids[band]);
  if (!(end_A[band] > 0)) {
    sdn_filter *filter;
    sdn_err err;
    if (sdn_filter_read(band_paths[band], &filter, &err)) fail_msg("%s", err.text);
    end_A[band] = filter->high_A;
    sdn_filter_free(filter);
  }
  return end_A[band] / (1 + json_number(c, "redshift", 0)) > CALZETTI_END_A;
}

static double error_of(const json *c, double flux, double reference) { return fabs(flux - reference) / fmax(fabs(reference), json_number(c, "flux_floor_nJy", 0)); }

/* `which`: only these bands (NULL: all), never those where the dust law is a convention. */
static void compare(const json *c, const float *flux, const double *reference, const json *which, worst *w)
{
  w->n_case++;
  for (int b = 0; b < N_BAND; b++)
    if (!(which && !json_has_text(which, band_ids[b])) && !is_extrapolated(c, b, false) && !is_extrapolated(c, b, true))
      count(w, error_of(c, (double)flux[b], reference[b]), c, b);
}

static void head(const char *what) { print_message("\n| %s | cases | bands | mean | worst | where |\n|---|---|---|---|---|---|\n", what); }

static void row(const char *what, const worst *w)
{
  print_message("| %s | %d | %d | %.1e | %.1e | %s %s |\n", what, w->n_case, w->n, w->sum / fmax(w->n, 1), w->error, w->id ? w->id : "", w->band ? w->band : "");
}

/* By how much the power of the dust is too small there: its spectrum is normalised on the grid's nodes, which are few beyond 140 um, and CMB heating is left out. */
static double missing_emission(const json *c)
{
  const json *points = json_get(c, "dust_emission_points"), *value = json_get(points, "lnu_erg_s_Hz"), *fine = json_get(points, "lnu_erg_s_Hz_fine");
  return points ? fine->item[0]->number / value->item[0]->number - 1 : 0;
}

/* For masses on nodes: fine integration, exact lines where there are lines, Madau's formula as published where it is asked for (given with lines in pixels only), dust
 * emission at its whole power. */
static const double *best_reference(const judged *j)
{
  static double r[N_BAND];
  const json *fine = json_get(j->c, "photometry_nJy_fine"), *delta = json_get(j->c, "photometry_nJy_delta_lines"), *madau = json_get(j->c, "photometry_nJy_madau95");
  const double missing = missing_emission(j->c);
  for (int b = 0; b < N_BAND; b++) {
    const double f = json_number(fine, band_ids[b], NAN), d = json_number(delta, band_ids[b], f);
    r[b] = madau ? json_number(madau, band_ids[b], NAN) * (f > 0 ? d / f : 1) : d;
    r[b] += missing * fmax(r[b] - (double)j->without_emission[b], 0);
  }
  return r;
}

/* The same for the history put on nodes by hats: given with lines in pixels only, so the change to exact ones is carried over from the step rule. */
static const double *hat_reference(const judged *j)
{
  static double r[N_BAND];
  const double *best = best_reference(j);
  const json *fine = json_get(j->c, "photometry_nJy_fine"), *hat = json_get(j->c, "photometry_nJy_alt_sfzh_fine");
  for (int b = 0; b < N_BAND; b++) {
    const double f = json_number(fine, band_ids[b], NAN);
    r[b] = f > 0 ? json_number(hat, band_ids[b], NAN) * best[b] / f : best[b];
  }
  return r;
}

static bool is_madau(const json *c) { return json_get(c, "photometry_nJy_madau95") != NULL; }
/* Of Madau's cases all bands are good: that number comes from a fine integration. */
static const json *well_integrated(const json *c) { return is_madau(c) ? NULL : json_get(c, "integration_ok_bands"); }

/* ------------------------------------------------------------------ light: single nodes, and the reference's own masses on nodes */

typedef struct named { const char *name; double tolerance; worst chosen, every; } named;

static named *find(named *list, int *n, const char *name)
{
  for (int i = 0; i < *n; i++)
    if (strcmp(list[i].name, name) == 0) return &list[i];
  list[*n] = (named){.name = name};
  return &list[(*n)++];
}

static bool has_dust(const json *c) { return is_two_component(c) || json_number(json_get(c, "emission_model"), "tau_v", 0) > 0; }

static double tolerance_of(const json *c) { return json_get(c, "dust_emission_points") ? TOLERANCE_DUST_POWER : is_madau(c) ? TOLERANCE_ALL_BANDS : has_dust(c) ? TOLERANCE_DUST : TOLERANCE_SAME_SPECTRUM; }

static void check(const named *list, int n)
{
  for (int k = 0; k < n; k++) {
    assert_true(list[k].chosen.n > 0);
    if (!(list[k].chosen.error <= list[k].tolerance)) fail_msg("%s: %.1e", list[k].name, list[k].chosen.error);
    if (!(list[k].every.error <= fmax(list[k].tolerance, TOLERANCE_ALL_BANDS))) fail_msg("%s, all bands: %.1e", list[k].name, list[k].every.error);
  }
}

/* Single nodes, one ingredient at a time, in the bands where all correct codes agree. */
static void single_ingredients_agree(void **state)
{
  named list[40];
  int n = 0;
  (void)state;
  if (!cases) skip();
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = all[i].c;
    const char *group = json_text(c, "group");
    if (strncmp(group, "isolate/", 8) != 0) continue;
    named *g = find(list, &n, group + 8);
    g->tolerance = tolerance_of(c);
    compare(c, all[i].flux[STEP], best_reference(&all[i]), is_madau(c) ? NULL : json_get(c, "strict_bands"), &g->chosen);
    compare(c, all[i].flux[STEP], best_reference(&all[i]), NULL, &g->every);
  }
  head("one node, one ingredient: strict bands");
  for (int k = 0; k < n; k++) row(list[k].name, &list[k].chosen);
  head("one node, one ingredient: all bands");
  for (int k = 0; k < n; k++) row(list[k].name, &list[k].every);
  assert_true(n >= 9);
  check(list, n);
}

/* Every case, driven with the masses on nodes that Synthesizer used. */
static void light_of_its_masses_agrees(void **state)
{
  named list[40];
  int n = 0;
  worst sum = {0};
  (void)state;
  if (!cases) skip();
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = all[i].c;
    named *g = find(list, &n, json_text(c, "group"));
    g->tolerance = fmax(g->tolerance, tolerance_of(c));
    compare(c, all[i].flux[STEP], best_reference(&all[i]), well_integrated(c), &g->chosen);
    compare(c, all[i].flux[STEP], best_reference(&all[i]), NULL, &g->every);
    compare(c, all[i].flux[STEP], best_reference(&all[i]), well_integrated(c), &sum);
  }
  head("its masses on nodes: bands that it integrates well");
  for (int k = 0; k < n; k++) row(list[k].name, &list[k].chosen);
  row("all", &sum);
  head("its masses on nodes: all bands");
  for (int k = 0; k < n; k++) row(list[k].name, &list[k].every);
  check(list, n);
}

/* ------------------------------------------------------------------ histories from their own parameters */

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static bool is_judged(const json *c, int band)
{
  return json_has_text(json_get(c, "integration_ok_bands"), band_ids[band]) && !is_extrapolated(c, band, false) && !is_extrapolated(c, band, true);
}

static const char *family_of(const json *c)
{
  const char *metals = json_text(json_get(c, "metallicity"), "class");
  return !strcmp(metals, "ZDist.Normal") ? "metallicity Normal" : json_text(json_get(c, "sfh"), "class") + 4;
}

/* How far a flux lies outside of what two fine integrations give: spectra between the grid's ages on straight lines in age (the reference), or on cubics in ln age. Where the light of
 * a history that has ended falls steeply between two ages, these differ by up to 7 %, and straight lines in ln age (this program) lie between. */
static double outside(const json *c, double flux, double hat, double cubic)
{
  const double low = fmin(hat, cubic), high = fmax(hat, cubic);
  return flux < low ? error_of(c, flux, low) : flux > high ? error_of(c, flux, high) : 0;
}

/* From the history's parameters. Driven with the reference's own hats the fluxes agree as on single nodes, so all the rest is the rule between ages. */
static void histories_agree(void **state)
{
  named list[40];
  worst same = {0};
  int n = 0, n_band = 0, n_far = 0;
  (void)state;
  if (!cases) skip();
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = all[i].c;
    if (!all[i].has_history) continue;
    named *g = find(list, &n, is_two_component(c) ? "two-component dust" : family_of(c));
    double hat[N_BAND];
    memcpy(hat, hat_reference(&all[i]), sizeof hat);
    if (is_madau(c)) for (int b = 0; b < N_BAND; b++) hat[b] = (double)all[i].flux[HAT][b];   /* theirs are with the wrong formula */
    else if (!json_get(c, "photometry_nJy_delta_lines") && !json_get(c, "dust_emission_points")) compare(c, all[i].flux[HAT], hat, well_integrated(c), &same);
    compare(c, all[i].own, hat, well_integrated(c), &g->chosen);
    g->every.n_case++;
    for (int b = 0; b < N_BAND; b++) {
      if (!is_judged(c, b)) continue;
      count(&g->every, outside(c, (double)all[i].own[b], hat[b], (double)all[i].flux[CUBIC][b]), c, b);
      n_band++;
      n_far += error_of(c, (double)all[i].own[b], hat[b]) > TOLERANCE_HISTORY;
    }
  }
  head("from parameters, beside hats linear in age");
  for (int k = 0; k < n; k++) row(list[k].name, &list[k].chosen);
  row("driven with those hats instead", &same);
  head("from parameters, outside of two fine integrations");
  for (int k = 0; k < n; k++) row(list[k].name, &list[k].every);
  print_message("%d of %d bands differ from hats linear in age by more than %.0e\n", n_far, n_band, TOLERANCE_HISTORY);
  assert_true(n >= 10 && same.n > 250);
  assert_true(same.error <= TOLERANCE_DUST);
  for (int k = 0; k < n; k++)
    if (!(list[k].every.error <= TOLERANCE_HISTORY)) fail_msg("%s: %.1e", list[k].name, list[k].every.error);
}

typedef struct distances { const char *name; int n; double value[124 * N_BAND]; } distances;

static void add_distances(distances *d, const judged *j, const float *flux)
{
  for (int b = 0; b < N_BAND; b++)
    if (is_judged(j->c, b)) d->value[d->n++] = error_of(j->c, (double)flux[b], (double)j->flux[CUBIC][b]);
}

/* Whose integral is nearer to that of a smooth age dependence? Spectra between the grid's ages follow a cubic in ln age there, the mass goes in 200 steps between any two. */
static void fluxes_are_nearer_to_fine_integration(void **state)
{
  static distances d[3] = {{.name = "sedna"}, {.name = "hats linear in age"}, {.name = "Synthesizer's bins"}};
  (void)state;
  if (!cases) skip();
  for (size_t i = 0; i < cases->n; i++) {
    if (!all[i].has_history || is_two_component(all[i].c)) continue;
    add_distances(&d[0], &all[i], all[i].own);
    add_distances(&d[1], &all[i], all[i].flux[HAT]);
    add_distances(&d[2], &all[i], all[i].flux[STEP_LOG_Z]);
  }
  print_message("\n| distance from fine integration | bands | median | 90 %% | 99 %% | worst |\n|---|---|---|---|---|---|\n");
  for (int k = 0; k < 3; k++) {
    qsort(d[k].value, (size_t)d[k].n, sizeof d[k].value[0], ascending);
    print_message("| %s | %d | %.1e | %.1e | %.1e | %.1e |\n", d[k].name, d[k].n, d[k].value[d[k].n / 2], d[k].value[d[k].n * 9 / 10], d[k].value[d[k].n * 99 / 100], d[k].value[d[k].n - 1]);
  }
  assert_true(d[0].n > 800);
  for (int k = 1; k < 3; k++) {
    assert_true(d[0].value[d[0].n / 2] < d[k].value[d[k].n / 2]);
    assert_true(d[0].value[d[0].n * 99 / 100] < d[k].value[d[k].n * 99 / 100]);
  }
}

/* The scoring that comes with the cases: a flux lies between the variants of the calculation, or not farther outside than they are apart. */
typedef struct scored { int n, n_inside, n_near; } scored;

/* `also`: a further variant, or NULL. */
static void score(const json *c, const float *flux, const float *also, double tolerance, scored *s)
{
  for (int b = 0; b < N_BAND; b++) {
    const json *e = json_get(json_get(c, "envelope_nJy"), band_ids[b]);
    if (is_extrapolated(c, b, false) || is_extrapolated(c, b, true)) continue;
    const double more = also ? (double)also[b] : e->item[0]->number, low = fmin(e->item[0]->number, more), high = fmax(e->item[1]->number, more), slack = tolerance * fmax(high, json_number(c, "flux_floor_nJy", 0)), f = (double)flux[b];
    const double wide = fmax(slack, high - low);
    s->n++;
    s->n_inside += f >= low - slack && f <= high + slack;
    if (f >= low - wide && f <= high + wide) s->n_near++;
    else print_message("%s %s %s: %.6g nJy, variants %.6g to %.6g\n", json_text(c, "id"), json_text(c, "group"), band_ids[b], f, low, high);
  }
}

static void fluxes_lie_among_the_variants(void **state)
{
  scored weights = {0}, own = {0};
  (void)state;
  if (!cases) skip();
  for (size_t i = 0; i < cases->n; i++) {
    if (is_madau(all[i].c)) continue;   /* the envelope is one number, with lines in pixels */
    score(all[i].c, all[i].flux[STEP], NULL, TOLERANCE_ALL_BANDS, &weights);
    if (all[i].has_history) score(all[i].c, all[i].own, all[i].flux[CUBIC], TOLERANCE_HISTORY, &own);
  }
  print_message("its masses on nodes: %d bands, %d within the variants widened by %.0e, %d within their width of it\n", weights.n, weights.n_inside, TOLERANCE_ALL_BANDS, weights.n_near);
  print_message("from parameters: %d bands, %d within the variants widened by %.0e, %d within their width of it\n", own.n, own.n_inside, TOLERANCE_HISTORY, own.n_near);
  assert_int_equal(weights.n_near, weights.n);
  assert_int_equal(own.n_near, own.n);
}

/* ------------------------------------------------------------------ dust emission */

static double lnu_at(const made *m, const float *lnu, double wave_A)
{
  long n, k = 0;
  const double *wave = sdn_forward_wave_A(m->forward, &n);
  while (k + 2 < n && wave[k + 1] <= wave_A) k++;
  return (double)lnu[k] + (double)(lnu[k + 1] - lnu[k]) * (wave_A - wave[k]) / (wave[k + 1] - wave[k]);
}

/* L_nu of a case's galaxy at n wavelengths, with and without what dust emits. */
static void spectrum_of(const json *c, bool emission, const json *wave_um, double *value)
{
  made m;
  sdn_err err;
  long n_wave;
  make(c, yaml_of(c, false, emission), 0, &m);
  sdn_forward_wave_A(m.forward, &n_wave);
  float *lnu = malloc((size_t)n_wave * sizeof *lnu);
  if (sdn_forward_spectra(m.forward, 1, m.params, lnu, NULL, &err)) fail_msg("%s", err.text);
  for (size_t j = 0; j < wave_um->n; j++) value[j] = lnu_at(&m, lnu, 1e4 * wave_um->item[j]->number);
  free(lnu);
  unmake(&m);
}

/* What dust takes and emits again, where it outshines the stars, beside the exact normalisation; from the history's parameters. */
static void dust_emission_agrees(void **state)
{
  worst shape = {0}, power = {0};
  (void)state;
  if (!cases) skip();
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = all[i].c, *points = json_get(c, "dust_emission_points"), *wave = json_get(points, "lam_rest_um"), *fine = json_get(points, "lnu_erg_s_Hz_fine");
    double with[20], without[20], at_160 = NAN;
    if (!fine) continue;
    assert_true(wave->n <= 20);
    spectrum_of(c, true, wave, with);
    spectrum_of(c, false, wave, without);
    for (size_t j = 0; j < wave->n; j++)
      if (fabs(wave->item[j]->number - 160) < 1) at_160 = (with[j] - without[j]) / fine->item[j]->number;
    count(&power, fabs(at_160 - 1), c, 0);
    for (size_t j = 0; j < wave->n; j++)
      if (fine->item[j]->number > without[j]) count(&shape, fabs((with[j] - without[j]) / fine->item[j]->number / at_160 - 1), c, 0);
    shape.n_case++;
    power.n_case++;
  }
  print_message("dust emission: power within %.1e (%s) of %d cases; shape within %.1e (%s), %d wavelengths\n", power.error, power.id, power.n, shape.error, shape.id, shape.n);
  assert_true(power.n_case >= 8 && shape.n > 40);
  assert_true(power.error <= TOLERANCE_HISTORY);
  assert_true(shape.error <= TOLERANCE_DUST_SHAPE);
}

/* ------------------------------------------------------------------ what is known to be wrong there */

static void defects_are_known(void **state)
{
  (void)state;
  if (!cases) skip();
  const json *names = json_get(json_get(root, "header"), "defect_names");
  int n_listed = 0;
  print_message("\n| known defect of Synthesizer 1.3.1 | cases |\n|---|---|\n");
  for (size_t k = 0; k < names->n; k++) {
    int n = 0;
    for (size_t i = 0; i < cases->n; i++) n += json_has_text(json_get(all[i].c, "known_defect"), names->key[k]);
    if (n > 0) print_message("| %s | %d |\n", names->key[k], n);
    n_listed += n;
  }
  int n_given = 0;
  for (size_t i = 0; i < cases->n; i++) n_given += (int)json_get(all[i].c, "known_defect")->n;
  assert_int_equal(n_listed, n_given);   /* none that the header does not explain */
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(every_case_is_served), cmocka_unit_test(single_ingredients_agree), cmocka_unit_test(light_of_its_masses_agrees), cmocka_unit_test(histories_agree),
    cmocka_unit_test(fluxes_are_nearer_to_fine_integration), cmocka_unit_test(fluxes_lie_among_the_variants), cmocka_unit_test(dust_emission_agrees), cmocka_unit_test(defects_are_known),
  };
  return cmocka_run_group_tests_name("galaxies beside Synthesizer", tests, setup, teardown);
}
