/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/warm_start.h"

#include <string.h>

static const sdn_member *chosen(const sdn_posterior *p, long member) { return &p->member[member % p->n_member]; }

static sdn_status check_parameters(const sdn_posterior *p, const char *path, const sdn_rows *rows, sdn_err *err)
{
  if (p->n_free != rows->n_free)
    return sdn_fail(err, SDN_USAGE, "%s has %d free parameters and the library has %d; training can go on only with the same ones in the same order", path, p->n_free, rows->n_free);
  for (int i = 0; i < p->n_free; i++)
    if (strcmp(p->free_name[i], sdn_library_free_name(rows->library, i)) != 0)
      return sdn_fail(err, SDN_USAGE, "parameter %d of %s is %s, that of the library %s; training can go on only with the same ones in the same order", i + 1, path,
                      p->free_name[i], sdn_library_free_name(rows->library, i));
  return SDN_OK;
}

/* The old survey's band of that name, or -1. */
static int old_band(const sdn_posterior *p, const char *name)
{
  for (int b = 0; b < sdn_survey_n_band(p->survey); b++)
    if (strcmp(sdn_survey_band_name(p->survey, b), name) == 0) return b;
  return -1;
}

static bool same_bands(const sdn_posterior *p, const sdn_rows *rows)
{
  if (sdn_survey_n_band(p->survey) != rows->n_band) return false;
  for (int b = 0; b < rows->n_band; b++)
    if (old_band(p, sdn_survey_band_name(rows->survey, b)) != b) return false;
  return true;
}

sdn_status sdn_warm_open(const char *path, long member, const sdn_rows *rows, sdn_posterior **out, sdn_arch *arch, sdn_err *err)
{
  sdn_posterior *p;
  *out = NULL;
  if (sdn_posterior_open(path, &p, err)) return err->status;
  const sdn_member *m = chosen(p, member);
  sdn_status status = check_parameters(p, path, rows, err);
  if (!status && m->net->arch.encoder != SDN_ENCODER_MLP && !same_bands(p, rows))
    status = sdn_fail(err, SDN_USAGE, "%s has other bands than the library, and its encoder '%s' is tied to them; only 'mlp' can take other bands: train anew", path,
                      sdn_encoder_name(m->net->arch.encoder));
  if (status) {
    sdn_posterior_free(p);
    return status;
  }
  *arch = m->net->arch;
  arch->n_feature = rows->n_feature;
  arch->n_token = rows->n_band;
  *out = p;
  return SDN_OK;
}

/* Weights of the encoder's first layer and scaling, by the names of bands: feature k of band b is number k n_band + b. */
static void map_bands(const sdn_posterior *p, const sdn_member *m, const sdn_rows *rows, sdn_trainer *t)
{
  const int n_old = sdn_survey_n_band(p->survey), n_per_band = rows->n_feature / rows->n_band, f_old = m->scaling.n, f = rows->n_feature;
  const float *old = m->weights + m->net->weight[m->net->at_encoder].offset;
  float *input = t->state.weights + t->net->weight[t->net->at_encoder].offset;
  for (int k = 0; k < n_per_band; k++)
    for (int b = 0; b < rows->n_band; b++) {
      const int from = old_band(p, sdn_survey_band_name(rows->survey, b)), at = k * rows->n_band + b, at_old = k * n_old + from;
      for (int e = 0; e < t->net->arch.n_encoder; e++) input[e * f + at] = from < 0 ? 0.0f : old[e * f_old + at_old];
      if (from < 0) continue;
      t->scaling.mean[at] = m->scaling.mean[at_old];
      t->scaling.scale[at] = m->scaling.scale[at_old];
    }
}

/* A band that is no more does to the first layer what it did where it was missing, all its features 0: that goes into the bias. */
static void fold_lost_bands(const sdn_posterior *p, const sdn_member *m, const sdn_rows *rows, sdn_trainer *t)
{
  const int n_old = sdn_survey_n_band(p->survey), f_old = m->scaling.n;
  const float *old = m->weights + m->net->weight[m->net->at_encoder].offset;
  float *bias = t->state.weights + t->net->weight[t->net->at_encoder + 1].offset;
  for (int b = 0; b < n_old; b++) {
    bool lost = true;
    for (int i = 0; i < rows->n_band; i++) lost = lost && strcmp(sdn_survey_band_name(rows->survey, i), sdn_survey_band_name(p->survey, b)) != 0;
    for (int at = b; lost && at < f_old; at += n_old) {
      const float missing = sdn_clamp(-m->scaling.mean[at] * m->scaling.scale[at], -SDN_LARGEST_FEATURE, SDN_LARGEST_FEATURE);
      for (int e = 0; e < t->net->arch.n_encoder; e++) bias[e] += old[e * f_old + at] * missing;
    }
  }
}

void sdn_warm_start(const sdn_posterior *p, long member, const sdn_rows *rows, sdn_trainer *t)
{
  const sdn_member *m = chosen(p, member);
  const bool mapped = !same_bands(p, rows);
  for (int i = 0; i < t->net->n_weight; i++) {
    const sdn_weight *w = &t->net->weight[i], *old = &m->net->weight[i];
    const size_t n = (size_t)w->n_row * (size_t)(w->n_col > 0 ? w->n_col : 1);
    if (mapped && i == t->net->at_encoder) map_bands(p, m, rows, t);
    else memcpy(t->state.weights + w->offset, m->weights + old->offset, n * sizeof(float));
  }
  if (mapped) fold_lost_bands(p, m, rows, t);
  else {
    memcpy(t->scaling.mean, m->scaling.mean, (size_t)m->scaling.n * sizeof(float));
    memcpy(t->scaling.scale, m->scaling.scale, (size_t)m->scaling.n * sizeof(float));
  }
  memcpy(t->state.average, t->state.weights, t->net->n_number * sizeof(float));
  memcpy(t->state.best, t->state.weights, t->net->n_number * sizeof(float));
}
