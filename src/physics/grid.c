/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a grid, from the file's name to tables that are ready for interpolation. */
#include "physics/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "physics/grid_read.h"

static const sdn_grid_unit wave_units[] = {{"Angstrom", 1}, {"angstrom", 1}, {"AA", 1}, {"nm", 10}, {"um", 1e4}, {"micron", 1e4}, {"m", 1e10}};
static const sdn_grid_unit lnu_units[] = {{"erg/(Hz*s)", 1}, {"erg/s/Hz", 1}, {"erg/Hz/s", 1}, {"erg/(s*Hz)", 1}, {"W/Hz", 1e7}};
static const sdn_grid_unit line_units[] = {{"erg/s", 1}, {"erg*s**-1", 1}, {"W", 1e7}};
#define N_UNIT(u) (sizeof(u) / sizeof((u)[0]))

static void free_table(sdn_grid_table *t) { sdn_release(t->value); }

void sdn_grid_free(sdn_grid *g)
{
  if (!g) return;
  for (int a = 0; a < SDN_GRID_MAX_AXIS; a++) {
    sdn_release(g->axis[a].value);
    sdn_release(g->axis[a].coordinate);
  }
  free_table(&g->incident);
  free_table(&g->transmitted);
  free_table(&g->nebular_continuum);
  free_table(&g->lines);
  free_table(&g->star_fraction);
  free_table(&g->log_q_hi);
  sdn_release(g->path);
  sdn_release(g->name);
  sdn_release(g->wave_A);
  sdn_release(g->line_id);
  sdn_release(g->line_wave_A);
  sdn_release(g);
}

/* Wavelengths in A, and which of them to keep: first .. first + n - 1. */
static sdn_status read_wavelengths(const sdn_h5 *f, sdn_grid *g, double low_A, double high_A, sdn_grid_dataset *range, sdn_err *err)
{
  double *wave = NULL, factor;
  sdn_h5_shape shape;
  if (sdn_h5_read_double(f, "spectra/wavelength", &wave, &shape, err)) return err->status;
  sdn_status status = sdn_grid_unit_factor(f, "spectra/wavelength", wave_units, N_UNIT(wave_units), &factor, err);
  if (status) goto done;
  const long n = shape.dim[0];
  if (shape.n_dim != 1 || n < 2) {
    status = sdn_fail(err, SDN_FORMAT, "grid %s: spectra/wavelength must be one row of at least 2 numbers", g->path);
    goto done;
  }
  for (long i = 0; i < n; i++) {
    wave[i] *= factor;
    if (!(wave[i] > (i ? wave[i - 1] - 1e-12 : 0) && wave[i] < HUGE_VAL)) {
      status = sdn_fail(err, SDN_FORMAT, "grid %s: spectra/wavelength must be positive and ascending, but element %ld is %g A", g->path, i, wave[i]);
      goto done;
    }
  }
  long first = 0, last = n - 1;
  while (first < n - 2 && wave[first + 1] <= low_A) first++;
  while (last > first + 1 && wave[last - 1] >= high_A) last--;
  *range = (sdn_grid_dataset){.n_column_file = n, .first_column = first, .n_column = last - first + 1};
  g->n_wave = (int)range->n_column;
  memmove(wave, wave + first, (size_t)g->n_wave * sizeof *wave);
  g->wave_A = wave;
  wave = NULL;
done:
  sdn_release(wave);
  return status;
}

static sdn_status read_spectra(const sdn_h5 *f, const sdn_grid *g, const sdn_grid_dataset *range, const char *name, sdn_grid_table *t, sdn_err *err)
{
  sdn_grid_dataset what = *range;
  double factor;
  what.name = name;
  if (sdn_grid_unit_factor(f, name, lnu_units, N_UNIT(lnu_units), &factor, err)) return err->status;
  if (sdn_grid_read_table(f, g, &what, t, err)) return err->status;
  if (factor != 1)
    for (size_t i = 0, n = sdn_grid_table_size(t); i < n; i++) t->value[i] *= (float)factor;
  return SDN_OK;
}

/* nebular_continuum as stored, or nebular - linecont. */
static sdn_status read_nebular(const sdn_h5 *f, sdn_grid *g, const sdn_grid_dataset *range, sdn_err *err)
{
  sdn_grid_table lines = {0};
  if (sdn_h5_has(f, "spectra/nebular_continuum")) return read_spectra(f, g, range, "spectra/nebular_continuum", &g->nebular_continuum, err);
  if (!sdn_h5_has(f, "spectra/nebular")) return SDN_OK;
  if (!sdn_h5_has(f, "spectra/linecont"))
    return sdn_fail(err, SDN_FORMAT, "grid %s has spectra/nebular but no spectra/linecont, so its lines cannot be told from its continuum", g->path);
  sdn_status status = read_spectra(f, g, range, "spectra/nebular", &g->nebular_continuum, err);
  if (!status) status = read_spectra(f, g, range, "spectra/linecont", &lines, err);
  if (status) goto done;
  if (sdn_grid_table_size(&lines) != sdn_grid_table_size(&g->nebular_continuum)) {
    status = sdn_fail(err, SDN_FORMAT, "grid %s: spectra/nebular and spectra/linecont have different axes", g->path);
    goto done;
  }
  for (size_t i = 0, n = sdn_grid_table_size(&lines); i < n; i++) {
    const float c = g->nebular_continuum.value[i] - lines.value[i];
    g->nebular_continuum.value[i] = c > 0 ? c : 0;   /* the difference of two float32 can be a rounding below zero */
  }
done:
  free_table(&lines);
  return status;
}

/* Refractive index of standard air as Morton 2000 (eq. 8) has it, by which a wavelength in air becomes one in vacuum. */
static double vacuum_A(double air_A)
{
  double vacuum = air_A;
  for (int i = 0; i < 3; i++) {
    const double s = 1e8 / (vacuum * vacuum);
    vacuum = air_A * (1 + 8.34254e-5 + 2.406147e-2 / (130 - s) + 1.5998e-4 / (38.9 - s));
  }
  return vacuum;
}

static bool attribute_says_vacuum(const sdn_h5 *f, const char *dataset)
{
  static const char *const names[] = {"medium", "frame", "Medium", "Description", "Units"};
  sdn_err ignored;
  bool found = false;
  for (size_t i = 0; i < sizeof names / sizeof names[0] && !found; i++) {
    char *text = NULL;
    if (!sdn_h5_has_attr(f, dataset, names[i]) || sdn_h5_get_text(f, dataset, names[i], &text, &ignored)) continue;
    found = strstr(text, "vacuum") || strstr(text, "VACUUM") || strstr(text, "Vacuum");
    sdn_release(text);
  }
  return found;
}

typedef struct order { double wave; int index; } order;

static int by_wave(const void *a, const void *b)
{
  const order *x = a, *y = b;
  return x->wave < y->wave ? -1 : x->wave > y->wave ? 1 : x->index - y->index;
}

/* Lines by ascending vacuum wavelength: names, wavelengths and the columns of the table. */
static sdn_status sort_lines(sdn_grid *g, sdn_err *err)
{
  const int n = g->n_line;
  order *o = sdn_alloc((size_t)n, sizeof *o, "order of lines", err);
  float *row = sdn_alloc((size_t)n, sizeof *row, "order of lines", err);
  char **id = sdn_alloc((size_t)n, sizeof *id, "order of lines", err);
  if (o && row && id) {
    for (int l = 0; l < n; l++) o[l] = (order){g->line_wave_A[l], l};
    qsort(o, (size_t)n, sizeof *o, by_wave);
    memcpy(id, g->line_id, (size_t)n * sizeof *id);
    for (int l = 0; l < n; l++) {
      g->line_wave_A[l] = o[l].wave;
      g->line_id[l] = id[o[l].index];
    }
    for (float *v = g->lines.value, *end = v + sdn_grid_table_size(&g->lines); v < end; v += n) {
      memcpy(row, v, (size_t)n * sizeof *row);
      for (int l = 0; l < n; l++) v[l] = row[o[l].index];
    }
  }
  const bool ok = o && row && id;
  sdn_release(o);
  sdn_release(row);
  sdn_release(id);
  return ok ? SDN_OK : err->status;
}

static sdn_status read_lines(const sdn_h5 *f, sdn_grid *g, sdn_err *err)
{
  sdn_h5_shape shape;
  size_t n_id = 0;
  double factor, wave_factor;
  if (!sdn_h5_has(f, "lines/luminosity")) return SDN_OK;
  if (sdn_h5_read_double(f, "lines/wavelength", &g->line_wave_A, &shape, err) || sdn_h5_read_texts(f, "lines/id", &g->line_id, &n_id, err)) return err->status;
  g->n_line = (int)shape.dim[0];
  if (shape.n_dim != 1 || n_id != (size_t)g->n_line)
    return sdn_fail(err, SDN_FORMAT, "grid %s: lines/wavelength has %d entries but lines/id %zu", g->path, g->n_line, n_id);
  const sdn_grid_dataset what = {"lines/luminosity", g->n_line, 0, g->n_line};
  if (sdn_grid_unit_factor(f, "lines/wavelength", wave_units, N_UNIT(wave_units), &wave_factor, err)) return err->status;
  if (sdn_grid_unit_factor(f, "lines/luminosity", line_units, N_UNIT(line_units), &factor, err)) return err->status;
  if (sdn_grid_read_table(f, g, &what, &g->lines, err)) return err->status;
  const bool vacuum = attribute_says_vacuum(f, "lines/wavelength");
  for (int l = 0; l < g->n_line; l++) {
    double *w = &g->line_wave_A[l];
    *w *= wave_factor;
    if (!(*w > 0 && *w < HUGE_VAL)) return sdn_fail(err, SDN_FORMAT, "grid %s: wavelength %g A of line %s is not a positive number", g->path, *w, g->line_id[l]);
    if (!vacuum && *w > 2000) *w = vacuum_A(*w);
  }
  for (size_t i = 0, n = sdn_grid_table_size(&g->lines); i < n; i++) g->lines.value[i] *= (float)factor;
  return sort_lines(g, err);
}

/* Tables of one number per cell; absent ones stay empty. */
static sdn_status read_scalars(const sdn_h5 *f, sdn_grid *g, sdn_err *err)
{
  const sdn_grid_dataset fraction = {.name = "star_fraction"}, q = {.name = "log10_specific_ionising_luminosity/HI"};
  if (sdn_h5_has(f, fraction.name) && sdn_grid_read_table(f, g, &fraction, &g->star_fraction, err)) return err->status;
  if (sdn_h5_has(f, q.name) && sdn_grid_read_table(f, g, &q, &g->log_q_hi, err)) return err->status;
  return SDN_OK;
}

/* Where /failures marks a cell, for a table of any extra axes: bad [n_age][n_metallicity][n_extra of t]. */
static void mark_failures(const sdn_grid_table *failures, const sdn_grid_table *t, unsigned char *bad)
{
  if (!failures->value) return;
  const int ne = failures->n_extra, n_both = ne < t->n_extra ? ne : t->n_extra;
  for (int a = 0; a < t->n_age; a++)
    for (int m = 0; m < t->n_metallicity; m++)
      for (int e = 0; e < n_both; e++)
        if (*sdn_grid_row(failures, a, m, e) > 0) bad[((size_t)a * (size_t)t->n_metallicity + (size_t)m) * (size_t)t->n_extra + (size_t)e] = 1;
}

static sdn_status mend(sdn_grid *g, sdn_grid_table *t, const sdn_grid_table *failures, const sdn_grid_table *like, const char *what, sdn_err *err)
{
  if (!t->value) return SDN_OK;
  const size_t n = (size_t)t->n_age * (size_t)t->n_metallicity * (size_t)t->n_extra;
  unsigned char *bad = sdn_alloc(n, 1, "marks of failed cells", err);
  if (!bad) return err->status;
  long n_bad = 0;
  sdn_status status = SDN_OK;
  mark_failures(failures, t, bad);
  sdn_grid_find_failed(t, like, bad);
  for (size_t i = 0; i < n; i++) n_bad += bad[i];
  if (n_bad) status = sdn_grid_fill(g, t, bad, what, err);
  if (n_bad > g->n_failed_cell) g->n_failed_cell = n_bad;
  sdn_release(bad);
  return status;
}

static sdn_status mend_all(const sdn_h5 *f, sdn_grid *g, sdn_err *err)
{
  const sdn_grid_dataset what = {.name = "failures"};
  sdn_grid_table failures = {0};
  if (!g->nebular_continuum.value) return SDN_OK;
  sdn_status status = sdn_h5_has(f, what.name) ? sdn_grid_read_table(f, g, &what, &failures, err) : SDN_OK;
  if (!status) status = mend(g, &g->transmitted, &failures, &g->incident, "transmitted", err);
  if (!status) status = mend(g, &g->nebular_continuum, &failures, NULL, "nebular", err);
  if (!status) status = mend(g, &g->lines, &failures, NULL, "lines", err);
  free_table(&failures);
  return status;
}

static sdn_status squeeze_all(sdn_grid *g, sdn_err *err)
{
  sdn_grid_table *const all[] = {&g->incident, &g->transmitted, &g->nebular_continuum, &g->lines, &g->star_fraction, &g->log_q_hi};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
    if (all[i]->value && sdn_grid_squeeze(g, all[i], err)) return err->status;
  return SDN_OK;
}

static sdn_status read_tables(const sdn_h5 *f, sdn_grid *g, double low_A, double high_A, sdn_err *err)
{
  sdn_grid_dataset range;
  if (read_wavelengths(f, g, low_A, high_A, &range, err)) return err->status;
  if (read_spectra(f, g, &range, "spectra/incident", &g->incident, err)) return err->status;
  if (sdn_h5_has(f, "spectra/transmitted") && read_spectra(f, g, &range, "spectra/transmitted", &g->transmitted, err)) return err->status;
  if (read_nebular(f, g, &range, err) || read_lines(f, g, err) || read_scalars(f, g, err)) return err->status;
  if (mend_all(f, g, err) || squeeze_all(g, err)) return err->status;
  if (!g->nebular_continuum.value || g->transmitted.value) return SDN_OK;
  if (sdn_grid_split_limit(g, err)) return err->status;
  return sdn_grid_derive_transmitted(g, err);
}

sdn_status sdn_grid_read(const char *name_or_path, double wave_low_A, double wave_high_A, sdn_grid **out, sdn_err *err)
{
  sdn_h5 *f = NULL;
  *out = NULL;
  sdn_grid *g = sdn_alloc(1, sizeof *g, "a grid", err);
  if (!g) return err->status;
  sdn_status status = SDN_OK;
  if (!(g->path = sdn_named_file("grids", ".hdf5", name_or_path, err)) || !(g->name = sdn_copy_text(name_or_path, err))) {
    status = err->status;
    goto done;
  }
  status = sdn_hash_file(g->path, &g->hash, err);
  if (!status) status = sdn_h5_open(g->path, &f, err);
  if (!status) status = sdn_grid_read_axes(f, g, err);
  if (!status) status = read_tables(f, g, wave_low_A, wave_high_A, err);
  if (status) goto done;
  *out = g;
  g = NULL;
done:
  if (f) {
    sdn_err ignored;
    sdn_h5_close(f, &ignored);   /* read only: closing cannot lose anything */
  }
  sdn_grid_free(g);
  return status;
}

bool sdn_grid_locate_coordinate(const sdn_grid_axis *axis, double x, bool clamp, int *i, double *t)
{
  const double *c = axis->coordinate, slack = 1e-9 * (1 + fabs(x));
  const int n = axis->n;
  *i = 0;
  *t = 0;
  if (!(x >= c[0] - slack && x <= c[n - 1] + slack) && !(clamp && isfinite(x))) return false;
  if (n == 1 || x <= c[0]) return true;
  if (x >= c[n - 1]) {
    *i = n - 2;
    *t = 1;
    return true;
  }
  int low = 0, high = n - 1;
  while (high - low > 1) {
    const int mid = (low + high) / 2;
    if (c[mid] <= x) low = mid; else high = mid;
  }
  *i = low;
  *t = (x - c[low]) / (c[low + 1] - c[low]);
  return true;
}

bool sdn_grid_locate(const sdn_grid_axis *axis, double value, bool clamp, int *i, double *t)
{
  return sdn_grid_locate_coordinate(axis, axis->log ? log10(value) : value, clamp, i, t);
}

const float *sdn_grid_row(const sdn_grid_table *t, int age, int metallicity, int extra)
{
  const size_t cell = ((size_t)age * (size_t)t->n_metallicity + (size_t)metallicity) * (size_t)t->n_extra + (size_t)extra;
  return t->value + cell * (size_t)t->n_column;
}
