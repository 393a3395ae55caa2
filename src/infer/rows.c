/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "infer/catalogue.h"
#include "survey/units.h"

static void release_texts(const sdn_catalogue *c, sdn_rows *r)
{
  for (int k = 0; r->text && k < c->n_carried; k++) {
    sdn_release(r->text[k]);
    r->text[k] = NULL;
  }
}

sdn_status sdn_rows_new(const sdn_catalogue *c, sdn_rows **rows, sdn_err *err)
{
  const char *what = "a block of the catalogue";
  size_t n = (size_t)c->n_block, n_flux = n * (size_t)c->n_band, n_carried = (size_t)c->n_carried;
  sdn_rows *r = sdn_alloc(1, sizeof *r, what, err);
  if (!r)
    return err->status;
  bool had = (r->flux_nJy = sdn_alloc(n_flux, sizeof(float), what, err)) && (r->sigma_nJy = sdn_alloc(n_flux, sizeof(float), what, err)) &&
             (r->z_spec = sdn_alloc(n, sizeof(double), what, err)) && (r->fix = sdn_alloc(n, sizeof(double), what, err)) &&
             (r->number = sdn_alloc(n * n_carried, sizeof(double), what, err)) && (r->text = sdn_alloc(n_carried, sizeof(char **), what, err)) &&
             (r->n_used = sdn_alloc(n, sizeof(int), what, err)) && (r->flags = sdn_alloc(n, sizeof(uint32_t), what, err));
  if (!had) {
    sdn_rows_free(c, r);
    return err->status;
  }
  *rows = r;
  return SDN_OK;
}

void sdn_rows_free(const sdn_catalogue *c, sdn_rows *r)
{
  if (!r)
    return;
  release_texts(c, r);
  sdn_release(r->flux_nJy);
  sdn_release(r->sigma_nJy);
  sdn_release(r->z_spec);
  sdn_release(r->fix);
  sdn_release(r->number);
  sdn_release(r->text);
  sdn_release(r->n_used);
  sdn_release(r->flags);
  sdn_release(r);
}

/* One row of numbers, as the catalogue lists them, to nJy and flags. */
static void convert_row(const sdn_catalogue *c, const double *number, long i, sdn_rows *r)
{
  r->flags[i] = 0;
  r->n_used[i] = 0;
  for (int b = 0; b < c->n_band; b++) {
    double flux, sigma;
    sdn_band_state state = sdn_survey_to_njy(c->survey, b, number[c->at_flux[b]], number[c->at_error[b]], &flux, &sigma);
    r->flux_nJy[i * c->n_band + b] = (float)flux;
    r->sigma_nJy[i * c->n_band + b] = (float)sigma;
    r->n_used[i] += state == SDN_BAND_OBSERVED;
    if (state == SDN_BAND_BAD_ERROR)
      r->flags[i] |= SDN_FLAG_BAD_ERROR;
    if (state == SDN_BAND_ABSURD)
      r->flags[i] |= SDN_FLAG_OUT_OF_RANGE;
  }
  if (r->n_used[i] == 0)
    r->flags[i] |= SDN_FLAG_NO_DATA;
}

/* NaN where there is none: marks such as -1, -9, -99 are no redshifts, whose 1 + z is positive. */
static double redshift_in(const sdn_catalogue *c, const double *number, int at)
{
  double z = at < 0 ? NAN : number[at];
  return isfinite(z) && z > -1 && !sdn_survey_is_missing_value(c->survey, z) ? z : NAN;
}

static void convert_carried(const sdn_catalogue *c, const double *number, long i, sdn_rows *r)
{
  for (int k = 0; k < c->n_carried; k++) {
    const sdn_carried *carried = &c->carried[k];
    r->number[i * c->n_carried + k] = carried->source < 0 ? (double)(r->row0 + i) : carried->at < 0 ? NAN : number[carried->at];
  }
}

sdn_status sdn_catalogue_read(sdn_catalogue *c, long row0, long n, sdn_rows *r, sdn_err *err)
{
  r->row0 = row0;
  r->n = n;
  release_texts(c, r);
  sdn_status status = sdn_table_read_wide(c->table, row0, n, c->n_column, c->column, c->buffer, err);
  for (int k = 0; k < c->n_carried && !status; k++)
    if (c->carried[k].text)
      status = sdn_table_read_text(c->carried[k].text, row0, n, c->carried[k].source, &r->text[k], err);
  for (long i = 0; i < n && !status; i++) {
    const double *number = c->buffer + i * c->n_number;
    convert_row(c, number, i, r);
    r->z_spec[i] = redshift_in(c, number, c->at_redshift);
    r->fix[i] = redshift_in(c, number, c->at_fix);
    convert_carried(c, number, i, r);
  }
  return status;
}
