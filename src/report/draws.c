/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/draws.h"

#include <math.h>
#include <string.h>

enum { n_histogram = 40, n_pixel_value = 5 };

void sdn_report_draws_close(sdn_report_draws *d)
{
  sdn_err ignored;
  if (d->file) sdn_h5_close(d->file, &ignored);
  sdn_release(d->name);
  sdn_release(d->theta);
  sdn_release(d->spectrum);
  sdn_release(d->wave_A);
  sdn_release(d->of_spectrum);
  sdn_release(d->pixel);
  memset(d, 0, sizeof *d);
}

static sdn_status open_theta(const char *path, long n_row, sdn_report_draws *d, sdn_err *err)
{
  sdn_h5_shape shape;
  sdn_status status = sdn_h5_shape_of(d->file, "theta", &shape, err);
  if (status == SDN_OK && (shape.n_dim != 3 || shape.dim[0] != n_row || shape.dim[1] < 1 || shape.dim[2] < 1))
    status = sdn_fail(err, SDN_FORMAT, "%s does not hold the draws of this result's %ld rows; name the right file by --samples", path, n_row);
  if (status == SDN_OK) status = sdn_h5_get_texts(d->file, "theta", "names", &d->name, &d->n_name, err);
  if (status != SDN_OK) return status;
  d->n_draw = shape.dim[1];
  d->n_free = (int)shape.dim[2];
  if (d->n_name != (size_t)d->n_free) return sdn_fail(err, SDN_FORMAT, "%s: theta has %d columns but %zu names", path, d->n_free, d->n_name);
  d->theta = sdn_alloc((size_t)(d->n_draw * d->n_free), sizeof(float), "one row's draws", err);
  return d->theta ? SDN_OK : err->status;
}

static sdn_status open_pixels(const char *path, long n_row, sdn_report_draws *d, sdn_err *err)
{
  sdn_h5_shape shape, wave, of;
  if (!sdn_h5_has(d->file, "pixels")) return SDN_OK;
  if (sdn_h5_shape_of(d->file, "pixels", &shape, err) || sdn_h5_get_texts(d->file, "pixels", "spectra", &d->spectrum, &d->n_spectrum, err) ||
      sdn_h5_read_double(d->file, "pixel_wave_A", &d->wave_A, &wave, err) || sdn_h5_shape_of(d->file, "pixel_spectrum", &of, err))
    return err->status;
  if (shape.n_dim != 3 || shape.dim[0] != n_row || shape.dim[2] != n_pixel_value || wave.n_dim != 1 || wave.dim[0] != shape.dim[1] || of.n_dim != 1 || of.dim[0] != shape.dim[1])
    return sdn_fail(err, SDN_FORMAT, "%s: pixels, pixel_wave_A and pixel_spectrum do not go together", path);
  const size_t n = (size_t)shape.dim[1];
  d->of_spectrum = sdn_alloc(n, sizeof *d->of_spectrum, "spectra of pixels", err);
  d->pixel = d->of_spectrum ? sdn_alloc(n * n_pixel_value, sizeof *d->pixel, "pixels", err) : NULL;
  if (!d->pixel || sdn_h5_read_rows(d->file, "pixel_spectrum", SDN_H5_INT64, 0, (long)n, d->of_spectrum, err)) return err->status;
  d->n_value = n_pixel_value;
  d->n_pixel = (long)n;
  return SDN_OK;
}

sdn_status sdn_report_draws_open(const char *path, long n_row, sdn_report_draws *d, sdn_err *err)
{
  memset(d, 0, sizeof *d);
  if (sdn_h5_open(path, &d->file, err) || open_theta(path, n_row, d, err)) return err->status;
  return open_pixels(path, n_row, d, err);
}

sdn_status sdn_report_draws_read(sdn_report_draws *d, long row, sdn_err *err)
{
  if (sdn_h5_read_rows(d->file, "theta", SDN_H5_FLOAT, row, 1, d->theta, err)) return err->status;
  return d->n_pixel ? sdn_h5_read_rows(d->file, "pixels", SDN_H5_FLOAT, row, 1, d->pixel, err) : SDN_OK;
}

static int find(const sdn_report_draws *d, const char *name)
{
  for (size_t i = 0; i < d->n_name; i++)
    if (!strcmp(d->name[i], name)) return (int)i;
  return -1;
}

void sdn_report_draws_histogram(const sdn_report_draws *d, const char *name, sdn_text *json)
{
  const int k = d->file ? find(d, name) : -1;
  double low = INFINITY, high = -INFINITY, count[n_histogram] = {0};
  for (long i = 0; k >= 0 && i < d->n_draw; i++) {
    double v = (double)d->theta[i * d->n_free + k];
    if (!isfinite(v)) continue;
    low = fmin(low, v);
    high = fmax(high, v);
  }
  if (!(high > low)) return;
  for (long i = 0; i < d->n_draw; i++) {
    double v = (double)d->theta[i * d->n_free + k];
    if (!isfinite(v)) continue;
    int bin = (int)(n_histogram * (v - low) / (high - low));
    count[bin < 0 ? 0 : bin >= n_histogram ? n_histogram - 1 : bin] += 1.0 / (double)d->n_draw;
  }
  sdn_text_add(json, ",\"low\":%.6g,\"high\":%.6g,\"histogram\":", low, high);
  sdn_text_add_json_numbers(json, n_histogram, count, 4);
}

/* One list of a spectrum; column -1: wavelengths. */
static void add_list(const sdn_report_draws *d, int64_t spectrum, const char *key, int column, sdn_text *json)
{
  const char *before = "";
  sdn_text_add(json, ",\"%s\":[", key);
  for (long i = 0; i < d->n_pixel; i++) {
    if (d->of_spectrum[i] != spectrum) continue;
    sdn_text_add(json, "%s", before);
    sdn_text_add_json_number(json, column < 0 ? 1e-4 * d->wave_A[i] : (double)d->pixel[i * d->n_value + column], 6);
    before = ",";
  }
  sdn_text_add(json, "]");
}

void sdn_report_draws_spectra(const sdn_report_draws *d, sdn_text *json)
{
  static const char *const key[n_pixel_value] = {"flux", "sigma", "q16", "q50", "q84"};
  if (!d->n_pixel) return;
  sdn_text_add(json, ",\"spectra\":[");
  for (size_t s = 0; s < d->n_spectrum; s++) {
    sdn_text_add(json, "%s{\"name\":", s ? "," : "");
    sdn_text_add_json_string(json, d->spectrum[s]);
    add_list(d, (int64_t)s, "wave", -1, json);
    for (int c = 0; c < n_pixel_value; c++) add_list(d, (int64_t)s, key[c], c, json);
    sdn_text_add(json, "}");
  }
  sdn_text_add(json, "]");
}
