/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/result_meta.h"

#include <inttypes.h>

#include "base/text.h"
#include "physics/observable.h"
#include "survey/survey.h"

#define FORMAT_VERSION 1
#define N_GENERAL 18
#define N_PER_BAND 3

/* Takes the text over. A failure to get memory on the way shows in sdn_text_done. */
static sdn_status add_text(sdn_result_meta *m, const char *key, sdn_text *text, sdn_err *err)
{
  sdn_status status = sdn_text_done(text, err);
  m->value[m->n] = status ? NULL : sdn_copy_text(text->data ? text->data : "", err);
  sdn_text_free(text);
  if (!m->value[m->n])
    return err->status;
  snprintf(m->key[m->n], sizeof m->key[m->n], "%s", key);
  m->pair[m->n] = (sdn_meta){m->key[m->n], m->value[m->n]};
  m->n++;
  return SDN_OK;
}

static sdn_status add(sdn_result_meta *m, const char *key, const char *value, sdn_err *err)
{
  sdn_text text = {0};
  sdn_text_add(&text, "%s", value ? value : "");
  return add_text(m, key, &text, err);
}

static sdn_status add_long(sdn_result_meta *m, const char *key, long value, sdn_err *err)
{
  sdn_text text = {0};
  sdn_text_add(&text, "%ld", value);
  return add_text(m, key, &text, err);
}

/* The k-th of those that have columns. */
static sdn_status add_band(sdn_result_meta *m, const sdn_survey *s, int b, int k, sdn_err *err)
{
  sdn_text pivot = {0};
  sdn_observable *observable = NULL;
  char key[16];
  sdn_status status = sdn_observable_read(sdn_survey_band_filter(s, b), &observable, err);
  if (status)
    return status;
  sdn_text_add(&pivot, "%.2f", observable->pivot_A);
  sdn_observable_free(observable);
  snprintf(key, sizeof key, "PIVOT%d", k);
  if ((status = add_text(m, key, &pivot, err)))
    return status;
  snprintf(key, sizeof key, "BAND%d", k);
  if ((status = add(m, key, sdn_survey_band_name(s, b), err)))
    return status;
  snprintf(key, sizeof key, "FILT%d", k);
  return add(m, key, sdn_survey_band_filter(s, b), err);
}

static sdn_status add_quantities(sdn_result_meta *m, const sdn_engine *e, const sdn_layout *c, sdn_err *err)
{
  sdn_text primary = {0}, derived = {0};
  for (int i = 0; i < c->n_primary; i++)
    sdn_text_add(&primary, "%s%s", i ? "," : "", sdn_posterior_free_name(e->posterior, i));
  sdn_status status = add_text(m, "PRIMARY", &primary, err);
  if (status)
    return status;
  for (int i = 0; i < c->n_sfh + c->n_spectral; i++)
    sdn_text_add(&derived, "%s%s", i ? "," : "", sdn_forward_derived_name(e->forward, i));
  return add_text(m, "DERIVED", &derived, err);
}

/* Names of the spectra, whose pixels have no columns. */
static sdn_status add_spectra(sdn_result_meta *m, const sdn_survey *s, sdn_err *err)
{
  sdn_text names = {0};
  for (int k = 0; k < s->n_spectrum; k++)
    sdn_text_add(&names, "%s%s", k ? "," : "", s->spectrum[k].name);
  return add_text(m, "SPECTRA", &names, err);
}

static sdn_status add_all(sdn_result_meta *m, const sdn_fit_options *opt, const sdn_engine *e, const sdn_layout *c, const char *command, sdn_err *err)
{
  char hash[20];
  sdn_status status;
  snprintf(hash, sizeof hash, "%016" PRIx64, e->hash);
  if ((status = add(m, "FORMAT", "sedna result", err)) || (status = add_long(m, "VERSION", FORMAT_VERSION, err)) ||
      (status = add(m, "SEDNAVER", SDN_VERSION, err)) || (status = add(m, "COMMAND", command, err)) || (status = add(m, "POSTERIO", opt->posterior, err)) ||
      (status = add(m, "POSTHASH", hash, err)) || (status = add(m, "CATALOG", opt->catalogue, err)) || (status = add(m, "SAMPLES", opt->samples, err)) ||
      (status = add(m, "SURVEY", sdn_survey_name(e->survey), err)) || (status = add(m, "EVIDENCE", sdn_survey_evidence_kind(e->survey), err)) ||
      (status = add_spectra(m, e->survey, err)) || (status = add_quantities(m, e, c, err)) || (status = add_long(m, "NDRAW", opt->n_draw, err)) ||
      (status = add_long(m, "NPREDICT", c->n_predict, err)) || (status = add(m, "QUANTILE", opt->quantiles, err)) ||
      (status = add(m, "FIX", opt->fix, err)) || (status = add_long(m, "SEED", opt->seed, err)))
    return status;
  for (int b = 0, k = 1; b < e->n_band && !status; b++)
    if (sdn_layout_shows(e, b))
      status = add_band(m, e->survey, b, k++, err);
  return status;
}

sdn_status sdn_result_meta_new(const sdn_fit_options *opt, const sdn_engine *e, const sdn_layout *c, const char *command, sdn_result_meta **meta, sdn_err *err)
{
  size_t n = N_GENERAL + N_PER_BAND * (size_t)e->n_band;
  sdn_result_meta *m = sdn_alloc(1, sizeof *m, "header values", err);
  if (!m)
    return err->status;
  bool had = (m->pair = sdn_alloc(n, sizeof *m->pair, "header values", err)) && (m->key = sdn_alloc(n, sizeof *m->key, "header values", err)) &&
             (m->value = sdn_alloc(n, sizeof *m->value, "header values", err));
  sdn_status status = had ? add_all(m, opt, e, c, command, err) : err->status;
  if (status)
    sdn_result_meta_free(m);
  else
    *meta = m;
  return status;
}

void sdn_result_meta_free(sdn_result_meta *m)
{
  if (!m)
    return;
  for (int i = 0; i < m->n; i++)
    sdn_release(m->value[i]);
  sdn_release(m->pair);
  sdn_release(m->key);
  sdn_release(m->value);
  sdn_release(m);
}
