/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a model and some numbers to one galaxy: what was not set stands at its prior's median, or is drawn. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "base/random.h"
#include "report/sed.h"

#define MAX_SETTING 64
#define N_BIN 400          /* of the history; bin edges grow as the square, so that the last Myr are resolved too */
#define AB_ZERO_NJY 31.4   /* magnitude of 1 nJy: 8.9 + 22.5 */
static const char separators[] = ", \n";   /* of settings; the command line puts one on a line */

void sdn_sed_free(sdn_sed_galaxy *g)
{
  sdn_forward_free(g->forward);
  sdn_survey_free(g->survey);
  sdn_model_free(g->model);
  void *const blocks[] = {g->params, g->param, g->derived, g->band, g->measurement, g->line, g->wave_observed_A, g->fnu_nJy, g->lnu_erg_s_hz, g->lookback_yr,
                          g->sfr_msun_per_yr, g->settings, g->band_list, g->id};
  for (size_t i = 0; i < sizeof blocks / sizeof blocks[0]; i++) sdn_release(blocks[i]);
  sdn_text_free(&g->warning);
  *g = (sdn_sed_galaxy){0};
}

/* ------------------------------------------------------------------ parameters */

sdn_status sdn_sed_read_settings(const char *text, int max, sdn_setting *setting, int *n, char **copy, sdn_err *err)
{
  *n = 0;
  if (!(*copy = sdn_copy_text(text ? text : "", err))) return err->status;
  char *save = NULL;
  for (char *word = strtok_r(*copy, separators, &save); word; word = strtok_r(NULL, separators, &save)) {
    char *equals = strchr(word, '=');
    if (!equals || equals == word) return sdn_fail(err, SDN_USAGE, "'%s' sets no parameter; write NAME=VALUE, e.g. redshift=3", word);
    *equals = '\0';
    if (*n == max) return sdn_fail(err, SDN_USAGE, "more than %d parameters are set; write them into the model's file", max);
    if (!sdn_number_parse(equals + 1, strlen(equals + 1), &setting[*n].value))
      return sdn_fail(err, SDN_USAGE, "%s is set to '%s', which is no number", word, equals + 1);
    for (int i = 0; i < *n; i++)
      if (!strcmp(setting[i].name, word)) return sdn_fail(err, SDN_USAGE, "%s is set twice", word);
    setting[(*n)++].name = word;
  }
  return SDN_OK;
}

/* The prior's coordinates of what is left free: all zero, or a draw that is row 0 of `sedna simulate --design random` where nothing was set. */
static sdn_status find_params(const sdn_sed_options *opt, const sdn_prior *prior, int skip, double *params, sdn_err *err)
{
  const int n_free = sdn_prior_n_free(prior);
  float normal[SDN_SOBOL_MAX_DIM + 1] = {0};
  double z[SDN_SOBOL_MAX_DIM + 1] = {0};
  sdn_rng rng = sdn_rng_at((uint64_t)opt->seed, SDN_STREAM_DESIGN, 0);
  if (opt->draw) sdn_rng_normals(&rng, n_free + skip, normal);
  for (int k = 0; k < n_free; k++) z[k] = (double)normal[k + skip];
  return sdn_prior_params(prior, 1, z, params, err);
}

/* Read the model twice where its redshift is free: the second time at the redshift found, so that bands and spectrum are those of that redshift alone. */
static sdn_status choose_galaxy(const sdn_sed_options *opt, sdn_sed_galaxy *g, int *n_drawn_before, sdn_err *err)
{
  sdn_setting setting[MAX_SETTING + 1];
  int n = 0;
  if (sdn_sed_read_settings(opt->set, MAX_SETTING, setting, &n, &g->settings, err)) return err->status;
  if (sdn_model_read_set(opt->model, n, setting, &g->model, err)) return err->status;
  const sdn_prior *prior = sdn_model_prior(g->model);
  const int redshift = sdn_prior_param_index(prior, "redshift"), skip = sdn_prior_param_is_free(prior, redshift);
  if (!(g->params = sdn_alloc((size_t)sdn_prior_n_param(prior), sizeof *g->params, "parameters", err))) return err->status;
  if (find_params(opt, prior, 0, g->params, err)) return err->status;
  *n_drawn_before = skip;
  if (!skip) return SDN_OK;
  setting[n++] = (sdn_setting){"redshift", g->params[redshift]};
  sdn_model_free(g->model);
  g->model = NULL;
  if (sdn_model_read_set(opt->model, n, setting, &g->model, err)) return err->status;
  return find_params(opt, sdn_model_prior(g->model), 1, g->params, err);
}

static bool was_set(const char *settings, const char *name)
{
  const size_t n = strlen(name);
  for (const char *word = settings; word && *word; word += strcspn(word, separators)) {
    word += strspn(word, separators);
    if (!strncmp(word, name, n) && word[n] == '=') return true;
  }
  return false;
}

static const char *origin_of(const sdn_sed_options *opt, const sdn_prior *prior, int p, bool redshift_was_free)
{
  const char *name = sdn_prior_param_name(prior, p), *text = sdn_prior_param_text(prior, p), *found = opt->draw ? "prior draw" : "prior median";
  if (was_set(opt->set, name)) return "set";
  if (sdn_prior_param_is_free(prior, p) || (redshift_was_free && !strcmp(name, "redshift"))) return found;
  return text[0] == '=' ? "tied" : "fixed";
}

static sdn_status list_params(const sdn_sed_options *opt, sdn_sed_galaxy *g, bool redshift_was_free, sdn_err *err)
{
  const sdn_prior *prior = sdn_model_prior(g->model);
  g->n_param = sdn_prior_n_param(prior);
  if (!(g->param = sdn_alloc((size_t)g->n_param, sizeof *g->param, "parameters", err))) return err->status;
  for (int p = 0; p < g->n_param; p++) {
    g->param[p] = (sdn_sed_number){sdn_prior_param_name(prior, p), sdn_prior_param_unit(prior, p), origin_of(opt, prior, p, redshift_was_free), g->params[p]};
    if (!sdn_prior_supports(prior, p, g->params))
      sdn_text_add(&g->warning, "%s = %.6g lies outside the prior of the model; the model could not draw this galaxy\n", g->param[p].name, g->params[p]);
  }
  if (!g->model->grid->star_fraction.value && g->model->n_population > 0)
    sdn_text_add(&g->warning, "grid %s has no star_fraction: log_mass_surviving_msun is not known, and log_ssfr_100myr_per_yr is per mass formed\n", g->model->grid->name);
  const int redshift = sdn_prior_param_index(prior, "redshift");
  g->redshift = g->params[redshift];
  g->age_universe_yr = sdn_cosmology_age_yr(g->model->cosmology, g->redshift);
  return sdn_text_done(&g->warning, err);
}

/* ------------------------------------------------------------------ bands */

/* Ids separated by commas. */
static sdn_status split_bands(const char *text, sdn_sed_galaxy *g, sdn_err *err)
{
  size_t n = 1;
  for (const char *c = text; *c; c++) n += *c == ',' || *c == ' ' || *c == '\n';
  g->band_list = sdn_copy_text(text, err);
  g->id = g->band_list ? sdn_alloc(n, sizeof *g->id, "bands", err) : NULL;
  if (!g->id) return err->status;
  char *save = NULL;
  for (char *word = strtok_r(g->band_list, ",", &save); word; word = strtok_r(NULL, ",", &save)) g->id[g->n_id++] = word;
  return g->n_id ? SDN_OK : sdn_fail(err, SDN_USAGE, "bands: '%s' names no filter; write e.g. --bands SLOAN/SDSS.r,JWST/NIRCam.F444W", text);
}

static sdn_status take_survey(const char *path, sdn_sed_galaxy *g, sdn_err *err)
{
  if (sdn_survey_read(path, &g->survey, err)) return err->status;
  const int n = sdn_survey_n_band(g->survey);
  if (!(g->id = sdn_alloc((size_t)n, sizeof *g->id, "bands", err))) return err->status;
  for (; g->n_id < n; g->n_id++) g->id[g->n_id] = sdn_survey_band_filter(g->survey, g->n_id);
  return SDN_OK;
}

static sdn_status make_forward(const sdn_sed_options *opt, sdn_sed_galaxy *g, sdn_err *err)
{
  if (opt->survey && take_survey(opt->survey, g, err)) return err->status;
  if (opt->bands && split_bands(opt->bands, g, err)) return err->status;
  return sdn_forward_new_over(g->model, g->n_id, g->id, 0, HUGE_VAL, &g->forward, err);
}

static void put_observable(sdn_sed_galaxy *g, int i, double value)
{
  const sdn_observable *o = sdn_forward_observable(g->forward, i);
  const char *name = g->survey ? sdn_survey_band_name(g->survey, i) : g->id[i];
  if (o->kind == SDN_OBSERVABLE_BAND || o->kind == SDN_OBSERVABLE_PIXEL)
    g->band[g->n_band++] = (sdn_sed_band){name, g->id[i], o->pivot_A, value, value > 0 ? AB_ZERO_NJY - 2.5 * log10(value) : NAN};
  else g->measurement[g->n_measurement++] = (sdn_sed_measurement){name, g->id[i], sdn_observable_unit(o), value};
}

static sdn_status compute_bands(sdn_sed_galaxy *g, const sdn_run *run, sdn_err *err)
{
  const size_t n = (size_t)g->n_id;
  float *flux = sdn_alloc(n, sizeof *flux, "fluxes", err);
  g->band = sdn_alloc(n, sizeof *g->band, "bands", err);
  g->measurement = sdn_alloc(n, sizeof *g->measurement, "measurements", err);
  sdn_status status = flux && g->band && g->measurement ? SDN_OK : err->status;
  if (!status) status = sdn_forward_flux(g->forward, 1, g->params, flux, run, err);
  for (int i = 0; i < g->n_id && !status; i++) put_observable(g, i, (double)flux[i]);
  sdn_release(flux);
  return status;
}

/* ------------------------------------------------------------------ spectrum, lines, history, derived quantities */

static sdn_status compute_spectrum(sdn_sed_galaxy *g, const sdn_run *run, sdn_err *err)
{
  g->wave_A = sdn_forward_wave_A(g->forward, &g->n_wave);
  const size_t n = (size_t)g->n_wave;
  float *lnu = sdn_alloc(n, sizeof *lnu, "a spectrum", err);
  g->wave_observed_A = sdn_alloc(n, sizeof(double), "a spectrum", err);
  g->fnu_nJy = sdn_alloc(n, sizeof(double), "a spectrum", err);
  g->lnu_erg_s_hz = sdn_alloc(n, sizeof(double), "a spectrum", err);
  sdn_status status = lnu && g->wave_observed_A && g->fnu_nJy && g->lnu_erg_s_hz ? SDN_OK : err->status;
  if (!status) status = sdn_forward_spectrum(g->forward, g->params, &g->n_wave, g->wave_observed_A, g->fnu_nJy, err);
  if (!status) status = sdn_forward_spectra(g->forward, 1, g->params, lnu, run, err);
  for (size_t j = 0; j < n && !status; j++) g->lnu_erg_s_hz[j] = (double)lnu[j];
  sdn_release(lnu);
  return status;
}

static sdn_status compute_lines(sdn_sed_galaxy *g, const sdn_run *run, sdn_err *err)
{
  g->n_line = sdn_forward_n_line(g->forward);
  const size_t n = (size_t)g->n_line;
  double *value = sdn_alloc(3 * n, sizeof *value, "lines", err);
  g->line = value ? sdn_alloc(n, sizeof *g->line, "lines", err) : NULL;
  sdn_status status = g->line ? SDN_OK : err->status;
  const sdn_line_values light = {value, value + n, value + 2 * n};
  if (!status) status = sdn_forward_lines(g->forward, 1, g->params, &light, run, err);
  for (int l = 0; l < g->n_line && !status; l++) {
    const double wave = sdn_forward_line_wave_A(g->forward, l);
    g->line[l] = (sdn_sed_line){sdn_forward_line_name(g->forward, l), wave, wave * (1 + g->redshift), light.luminosity_erg_s[l], light.flux_erg_s_cm2[l],
                                light.equivalent_width_A[l]};
  }
  sdn_release(value);
  return status;
}

static sdn_status compute_derived(sdn_sed_galaxy *g, const sdn_run *run, sdn_err *err)
{
  g->n_derived = sdn_forward_n_derived(g->forward);
  double *value = sdn_alloc((size_t)g->n_derived, sizeof *value, "derived quantities", err);
  g->derived = value ? sdn_alloc((size_t)g->n_derived, sizeof *g->derived, "derived quantities", err) : NULL;
  sdn_status status = g->derived ? sdn_forward_derived(g->forward, 1, g->params, false, value, run, err) : err->status;
  for (int i = 0; i < g->n_derived && !status; i++)
    g->derived[i] = (sdn_sed_number){sdn_forward_derived_name(g->forward, i), sdn_forward_derived_unit(g->forward, i), "derived", value[i]};
  sdn_release(value);
  return status;
}

static sdn_status compute_history(sdn_sed_galaxy *g, sdn_err *err)
{
  g->n_bin = N_BIN;
  g->lookback_yr = sdn_alloc(N_BIN + 1, sizeof(double), "a history", err);
  g->sfr_msun_per_yr = sdn_alloc(N_BIN, sizeof(double), "a history", err);
  if (!g->lookback_yr || !g->sfr_msun_per_yr) return err->status;
  for (int i = 0; i <= N_BIN; i++) g->lookback_yr[i] = g->age_universe_yr * pow((double)i / N_BIN, 2);
  return sdn_forward_sfh(g->forward, g->params, N_BIN, g->lookback_yr, g->sfr_msun_per_yr, err);
}

sdn_status sdn_sed_compute(const sdn_sed_options *opt, const sdn_run *run, sdn_sed_galaxy *g, sdn_err *err)
{
  int redshift_was_free = 0;
  *g = (sdn_sed_galaxy){.command = run && run->command ? run->command : ""};
  sdn_status status = choose_galaxy(opt, g, &redshift_was_free, err);
  if (!status) status = list_params(opt, g, redshift_was_free, err);
  if (!status) status = make_forward(opt, g, err);
  if (!status) status = compute_bands(g, run, err);
  if (!status) status = compute_spectrum(g, run, err);
  if (!status) status = compute_lines(g, run, err);
  if (!status) status = compute_derived(g, run, err);
  return status ? status : compute_history(g, err);
}
