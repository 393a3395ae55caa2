/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/row.h"

#include <gsl/gsl_cdf.h>
#include <math.h>

#include "survey/survey.h"
#include "survey/units.h"

#define POOR_FIT 1e-4   /* probability of a chi2 as large as the best draw's */

/* One column of a galaxy's draws [n][stride], gathered. */
static void gather(long n, const double *from, long stride, double *x)
{
  for (long k = 0; k < n; k++)
    x[k] = from[k * stride];
}

static long count_finite(long n, const double *from, long stride)
{
  long count = 0;
  for (long k = 0; k < n; k++)
    count += isfinite(from[k * stride]) != 0;
  return count;
}

/* Some draws have a quantity and others lack it, or a draw lacks everything: a computation failed. A quantity that no draw has does not exist here. */
static bool has_failed(long n, int n_quantity, const double *values)
{
  for (int q = 0; q < n_quantity; q++) {
    long finite = count_finite(n, values + q, n_quantity);
    if (finite > 0 && finite < n)
      return true;
  }
  for (long k = 0; k < n && n_quantity; k++)
    if (count_finite(n_quantity, values + k * n_quantity, 1) == 0)
      return true;
  return false;
}

/* Some columns of a galaxy's draws: values [n][stride], of which the first n_quantity. */
typedef struct draw_columns { const double *values; long n; int stride, n_quantity; } draw_columns;

/* Quantities first, first + 1 ... of the row. */
static void summarise(const sdn_layout *c, int first, const draw_columns *from, double *x, double *row)
{
  for (int q = 0; q < from->n_quantity; q++) {
    gather(from->n, from->values + q, from->stride, x);
    sdn_layout_summarise(c, first + q, from->n, x, row);
  }
}

static void primaries(sdn_block *b, long i, double *x, double *row)
{
  const sdn_block_setup *s = &b->set;
  const double *params = b->params + i * s->n_draw * s->engine->n_param;
  for (int q = 0; q < s->columns->n_primary; q++) {
    const double *from = params + sdn_prior_free_param(s->engine->prior, q);
    gather(s->n_draw, from, s->engine->n_param, x);
    sdn_layout_summarise(s->columns, q, s->n_draw, x, row);
  }
}

static void photo_z(sdn_block *b, const sdn_rows *rows, long i, double *x)
{
  const sdn_engine *e = b->set.engine;
  b->z_phot[i] = NAN;
  if (e->redshift_param < 0 || b->set.fix || (rows->flags[i] & SDN_FLAG_NO_DATA))
    return;
  gather(b->set.n_draw, b->params + i * b->set.n_draw * e->n_param + e->redshift_param, e->n_param, x);
  b->z_phot[i] = sdn_median(sdn_keep_finite(b->set.n_draw, x), x);
}

static void derived(sdn_block *b, sdn_rows *rows, long i, double *x, double *row)
{
  const sdn_engine *e = b->set.engine;
  const sdn_layout *c = b->set.columns;
  const double *all = b->spectral + i * c->n_predict * e->n_derived;   /* [n_predict][n_derived], those of the history first */
  const draw_columns sfh = {b->derived + i * b->set.n_draw * c->n_sfh, b->set.n_draw, c->n_sfh, c->n_sfh};
  const draw_columns spectral = {all + e->n_sfh, c->n_predict, e->n_derived, c->n_spectral};
  summarise(c, c->n_primary, &sfh, x, row);
  summarise(c, c->n_primary + c->n_sfh, &spectral, x, row);
  if (has_failed(sfh.n, c->n_sfh, sfh.values) || (c->n_spectral && has_failed(c->n_predict, e->n_derived, all)))
    rows->flags[i] |= SDN_FLAG_BAD_DERIVED;
}

double sdn_chi2(const sdn_survey *s, const float *flux_nJy, const float *sigma_nJy, const float *mu_nJy)
{
  double chi2 = 0;
  for (int b = 0; b < sdn_survey_n_band(s); b++) {
    double flux = (double)flux_nJy[b], sigma = (double)sigma_nJy[b], mu = (double)mu_nJy[b];
    if (!isnan(flux))
      chi2 += (flux - mu) * (flux - mu) / sdn_noise_variance(&s->band[b], sdn_survey_background_sigma(s, b, flux, sigma), mu);
  }
  return chi2;
}

static double smallest_chi2(const sdn_block *b, const float *flux, const float *sigma, const float *predicted)
{
  const sdn_engine *e = b->set.engine;
  double least = NAN;
  for (long k = 0; k < b->set.columns->n_predict; k++)
    least = fmin(least, sdn_chi2(e->survey, flux, sigma, predicted + k * e->n_band));
  return least;
}

static void photometry(sdn_block *b, sdn_rows *rows, long i, double *x, double *row)
{
  const sdn_layout *c = b->set.columns;
  const float *flux = rows->flux_nJy + i * c->n_band, *sigma = rows->sigma_nJy + i * c->n_band;
  const float *predicted = b->predicted + i * c->n_predict * c->n_band;
  double *out = row + c->at_band;
  for (int k = 0; k < c->n_band; k++) {
    if (!sdn_layout_shows(b->set.engine, k))
      continue;
    out[0] = (double)flux[k];
    out[1] = (double)sigma[k];
    for (long d = 0; d < c->n_predict; d++)
      x[d] = (double)predicted[d * c->n_band + k];
    sdn_quantiles(sdn_keep_finite(c->n_predict, x), x, SDN_N_PREDICTED, sdn_predicted_p, out + 2);
    out += 2 + SDN_N_PREDICTED;
  }
  if (rows->n_used[i] == 0)
    return;
  row[c->at_chi2] = smallest_chi2(b, flux, sigma, predicted);
  if (!(gsl_cdf_chisq_Q(row[c->at_chi2], rows->n_used[i]) >= POOR_FIT))
    rows->flags[i] |= SDN_FLAG_POOR_FIT;
}

/* Pixels of spectra have no columns. */
static void pixels(sdn_block *b, const sdn_rows *rows, long i, double *x)
{
  const sdn_layout *c = b->set.columns;
  const float *predicted = b->predicted + i * c->n_predict * c->n_band;
  float *out = b->pixel + i * c->n_pixel * SDN_N_PIXEL_VALUE;
  for (int k = 0; k < c->n_band; k++) {
    double quantile[SDN_N_PREDICTED];
    if (sdn_layout_shows(b->set.engine, k))
      continue;
    out[0] = rows->flux_nJy[i * c->n_band + k];
    out[1] = rows->sigma_nJy[i * c->n_band + k];
    for (long d = 0; d < c->n_predict; d++)
      x[d] = (double)predicted[d * c->n_band + k];
    sdn_quantiles(sdn_keep_finite(c->n_predict, x), x, SDN_N_PREDICTED, sdn_predicted_p, quantile);
    for (int q = 0; q < SDN_N_PREDICTED; q++)
      out[2 + q] = (float)quantile[q];
    out += SDN_N_PIXEL_VALUE;
  }
}

sdn_status sdn_row_summarise(sdn_block *b, sdn_rows *rows, long i, sdn_arena *arena, sdn_err *err)
{
  const sdn_layout *c = b->set.columns;
  long n_most = b->set.n_draw > c->n_predict ? b->set.n_draw : c->n_predict;
  double *row = b->number + i * c->n_column, *x = sdn_arena_take(arena, (size_t)n_most, sizeof *x, err);
  if (!x)
    return err->status;
  for (int k = 0; k < c->n_column; k++)
    row[k] = NAN;
  for (int k = 0; k < b->set.n_carried; k++)
    row[k] = rows->number[i * b->set.n_carried + k];
  if (c->at_z_spec >= 0)
    row[c->at_z_spec] = rows->z_spec[i];
  photo_z(b, rows, i, x);
  primaries(b, i, x, row);
  derived(b, rows, i, x, row);
  if (c->n_predict)
    photometry(b, rows, i, x, row);
  if (b->set.pixels)
    pixels(b, rows, i, x);
  row[c->at_n_band] = rows->n_used[i];
  row[c->at_flags] = rows->flags[i];
  return SDN_OK;
}
