/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/samples.h"

#include <inttypes.h>

#include "base/file.h"
#include "base/h5.h"
#include "physics/galaxy.h"
#include "survey/survey.h"
#include "survey/units.h"

#define FORMAT_VERSION 1
#define CHUNK_ROWS 16             /* at most; fewer where that would be more than CHUNK_VALUES */
#define CHUNK_VALUES (1l << 20)

struct sdn_samples {
  const sdn_engine *engine;
  sdn_h5 *file;
  char *path, *part;
  long n_draw, n_pixel, n_row, n_chunk;
  float *theta;         /* [n_chunk][n_draw][n_free] */
  double *exact;        /* [n_draw][n_free] */
};

static void release(sdn_samples *s)
{
  sdn_release(s->path);
  sdn_release(s->part);
  sdn_release(s->theta);
  sdn_release(s->exact);
  sdn_release(s);
}

static sdn_status write_names(sdn_samples *s, sdn_err *err)
{
  const sdn_posterior *p = s->engine->posterior;
  size_t n = (size_t)s->engine->n_free;
  const char **text = sdn_alloc(2 * n, sizeof *text, "names of parameters", err);
  if (!text)
    return err->status;
  for (size_t i = 0; i < n; i++) {
    text[i] = sdn_posterior_free_name(p, (int)i);
    text[n + i] = sdn_posterior_free_unit(p, (int)i);
  }
  sdn_status status = sdn_h5_set_texts(s->file, "theta", "names", text, n, err);
  if (!status)
    status = sdn_h5_set_texts(s->file, "theta", "units", text + n, n, err);
  sdn_release(text);
  return status;
}

static sdn_status write_places(sdn_samples *s, double *wave_A, int64_t *spectrum, const char **name, sdn_err *err)
{
  const sdn_survey *survey = s->engine->survey;
  const sdn_h5_shape list = {1, {s->n_pixel}}, pixels = {3, {0, s->n_pixel, SDN_N_PIXEL_VALUE}};
  long n = 0;
  for (int b = 0; b < s->engine->n_band; b++) {
    if (sdn_survey_band_spectrum(survey, b) < 0)
      continue;
    wave_A[n] = sdn_forward_observable(s->engine->forward, b)->pivot_A;
    spectrum[n++] = sdn_survey_band_spectrum(survey, b);
  }
  for (int k = 0; k < survey->n_spectrum; k++)
    name[k] = survey->spectrum[k].name;
  sdn_status status = sdn_h5_make(s->file, "pixel_wave_A", SDN_H5_DOUBLE, &list, wave_A, err);
  if (!status)
    status = sdn_h5_make(s->file, "pixel_spectrum", SDN_H5_INT64, &list, spectrum, err);
  if (!status)
    status = sdn_h5_make_growing(s->file, "pixels", SDN_H5_FLOAT, &pixels, 1, 0, err);
  return status ? status : sdn_h5_set_texts(s->file, "pixels", "spectra", name, (size_t)survey->n_spectrum, err);
}

static sdn_status write_pixel_frame(sdn_samples *s, sdn_err *err)
{
  double *wave_A = sdn_alloc((size_t)s->n_pixel, sizeof *wave_A, "wavelengths of pixels", err);
  int64_t *spectrum = sdn_alloc((size_t)s->n_pixel, sizeof *spectrum, "spectra of pixels", err);
  const char **name = sdn_alloc((size_t)s->engine->survey->n_spectrum, sizeof *name, "names of spectra", err);
  const sdn_status status = wave_A && spectrum && name ? write_places(s, wave_A, spectrum, name, err) : err->status;
  sdn_release(wave_A);
  sdn_release(spectrum);
  sdn_release(name);
  return status;
}

static sdn_status write_frame(sdn_samples *s, const sdn_samples_origin *o, sdn_err *err)
{
  sdn_status status;
  char hash[20];
  sdn_h5_shape theta = { 3, {0, s->n_draw, s->engine->n_free} }, ln_q = { 2, {0, s->n_draw} }, row = { 1, {0} };
  snprintf(hash, sizeof hash, "%016" PRIx64, s->engine->hash);
  if ((status = sdn_h5_set_text(s->file, "/", "format", "sedna samples", err)) || (status = sdn_h5_set_long(s->file, "/", "version", FORMAT_VERSION, err)) ||
      (status = sdn_h5_set_text(s->file, "/", "sedna_version", SDN_VERSION, err)) ||
      (status = sdn_h5_set_text(s->file, "/", "command", o->command ? o->command : "", err)) ||
      (status = sdn_h5_set_text(s->file, "/", "posterior", o->posterior, err)) || (status = sdn_h5_set_text(s->file, "/", "posterior_hash", hash, err)) ||
      (status = sdn_h5_set_text(s->file, "/", "catalogue", o->catalogue, err)) || (status = sdn_h5_set_long(s->file, "/", "n_draw", s->n_draw, err)) ||
      (status = sdn_h5_make_growing(s->file, "theta", SDN_H5_FLOAT, &theta, s->n_chunk, 0, err)) ||
      (status = sdn_h5_make_growing(s->file, "ln_q", SDN_H5_FLOAT, &ln_q, s->n_chunk, 0, err)) ||
      (status = sdn_h5_make_growing(s->file, "row", SDN_H5_INT64, &row, 1024, 0, err)) || (s->n_pixel && (status = write_pixel_frame(s, err))))
    return status;
  return write_names(s, err);
}

sdn_status sdn_samples_create(const char *path, const sdn_engine *e, const sdn_samples_origin *origin, sdn_samples **out, sdn_err *err)
{
  sdn_samples *s = sdn_alloc(1, sizeof *s, "the samples file", err);
  if (!s)
    return err->status;
  size_t n_value = (size_t)origin->n_draw * (size_t)e->n_free;
  s->engine = e;
  s->n_draw = origin->n_draw;
  s->n_pixel = origin->n_pixel;
  s->n_chunk = CHUNK_VALUES / (long)n_value;
  s->n_chunk = s->n_chunk < 1 ? 1 : s->n_chunk < CHUNK_ROWS ? s->n_chunk : CHUNK_ROWS;
  bool had = (s->path = sdn_copy_text(path, err)) && (s->part = sdn_part_name(path, err)) &&
             (s->theta = sdn_alloc((size_t)s->n_chunk * n_value, sizeof *s->theta, "draws", err)) &&
             (s->exact = sdn_alloc(n_value, sizeof *s->exact, "draws", err));
  sdn_status status = had ? sdn_h5_create(s->part, &s->file, err) : err->status;
  if (status)
    release(s);
  else if ((status = write_frame(s, origin, err)))
    sdn_samples_abandon(s);
  else
    *out = s;
  return status;
}

static sdn_status append_chunk(sdn_samples *s, long n, const sdn_samples_rows *from, sdn_err *err)
{
  const sdn_engine *e = s->engine;
  long n_value = s->n_draw * e->n_free;
  int64_t row[CHUNK_ROWS];
  for (long i = 0; i < n; i++) {
    row[i] = s->n_row + i;
    sdn_prior_theta(e->prior, s->n_draw, from->params + i * s->n_draw * e->n_param, s->exact);
    for (long k = 0; k < n_value; k++)
      s->theta[i * n_value + k] = (float)s->exact[k];
  }
  sdn_status status = sdn_h5_write_rows(s->file, "theta", SDN_H5_FLOAT, s->n_row, n, s->theta, err);
  if (!status)
    status = sdn_h5_write_rows(s->file, "ln_q", SDN_H5_FLOAT, s->n_row, n, from->ln_q, err);
  if (!status)
    status = sdn_h5_write_rows(s->file, "row", SDN_H5_INT64, s->n_row, n, row, err);
  if (!status && s->n_pixel)
    status = sdn_h5_write_rows(s->file, "pixels", SDN_H5_FLOAT, s->n_row, n, from->pixel, err);
  s->n_row += n;
  return status;
}

sdn_status sdn_samples_append(sdn_samples *s, long n, const sdn_samples_rows *rows, sdn_err *err)
{
  sdn_status status = SDN_OK;
  for (long i = 0; i < n && !status; i += s->n_chunk) {
    long m = n - i < s->n_chunk ? n - i : s->n_chunk;
    const sdn_samples_rows part = {rows->params + i * s->n_draw * s->engine->n_param, rows->ln_q + i * s->n_draw, rows->pixel + i * s->n_pixel * SDN_N_PIXEL_VALUE};
    status = append_chunk(s, m, &part, err);
  }
  return status;
}

sdn_status sdn_samples_finish(sdn_samples *s, sdn_err *err)
{
  sdn_status status = sdn_h5_close(s->file, err);
  if (!status)
    status = sdn_part_finish(s->part, s->path, err);
  if (status)
    remove(s->part);
  release(s);
  return status;
}

void sdn_samples_abandon(sdn_samples *s)
{
  sdn_err ignored;
  if (!s)
    return;
  sdn_h5_close(s->file, &ignored);
  remove(s->part);
  release(s);
}
