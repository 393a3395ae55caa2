/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a grid, from the file's name to tables that are ready for interpolation. */
#include "physics/grid.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "physics/grid_read.h"

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
  sdn_status status = sdn_grid_unit_factor(f, "spectra/wavelength", SDN_UNIT_WAVELENGTH, &factor, err);
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
  if (sdn_grid_unit_factor(f, name, SDN_UNIT_SHAPE, &factor, err)) return err->status;
  if (sdn_grid_read_table(f, g, &what, t, err)) return err->status;
  if (factor != 1)
    for (size_t i = 0, n = sdn_grid_table_size(t); i < n; i++) t->value[i] *= (float)factor;
  return SDN_OK;
}

/* nebular_continuum as stored, or nebular - linecont. */
static sdn_status read_nebular(const sdn_h5 *f, sdn_grid *g, const sdn_grid_dataset *range, sdn_err *err)
{
  sdn_grid_table lines = {0}, *all = &g->nebular_continuum;
  sdn_grid_dataset what = *range;
  what.may_end = !sdn_h5_has(f, "failures");
  if (sdn_h5_has(f, "spectra/nebular_continuum")) return read_spectra(f, g, &what, "spectra/nebular_continuum", all, err);
  if (!sdn_h5_has(f, "spectra/nebular")) return SDN_OK;
  if (!sdn_h5_has(f, "spectra/linecont"))
    return sdn_fail(err, SDN_FORMAT, "grid %s has spectra/nebular but no spectra/linecont, so its lines cannot be told from its continuum", g->path);
  sdn_status status = read_spectra(f, g, &what, "spectra/nebular", all, err);
  if (!status) status = read_spectra(f, g, &what, "spectra/linecont", &lines, err);
  if (status) goto done;
  if (lines.n_extra != all->n_extra || memcmp(lines.has_extra, all->has_extra, sizeof lines.has_extra) != 0) {
    status = sdn_fail(err, SDN_FORMAT, "grid %s: spectra/nebular and spectra/linecont have different axes", g->path);
    goto done;
  }
  const size_t n_all = sdn_grid_table_size(all), n_line = sdn_grid_table_size(&lines);
  for (size_t i = 0; i < n_all && i < n_line; i++) {
    const float c = all->value[i] - lines.value[i];
    all->value[i] = c > 0 ? c : 0;   /* the difference of two float32 can be a rounding below zero */
  }
done:
  free_table(&lines);
  return status;
}

/* Tables of one number per cell; absent ones stay empty. */
static sdn_status read_scalars(const sdn_h5 *f, sdn_grid *g, sdn_err *err)
{
  static const char *const rates[] = {"log10_specific_ionising_luminosity/HI", "log10_specific_ionising_lum/HI", "log10Q/HI"};
  sdn_grid_dataset fraction = {.name = "star_fraction"}, q = {0};
  if (sdn_h5_has(f, fraction.name) && sdn_grid_read_table(f, g, &fraction, &g->star_fraction, err)) return err->status;
  for (size_t i = 0; i < sizeof rates / sizeof rates[0] && !q.name; i++)
    if (sdn_h5_has(f, rates[i])) q.name = rates[i];
  g->old_layout = g->old_layout || q.name == rates[1] || q.name == rates[2];
  return q.name ? sdn_grid_read_table(f, g, &q, &g->log_q_hi, err) : SDN_OK;
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
  sdn_grid_find_failed(g, t, like, bad);
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

/* What to do for a grid without spectra/incident: the spectra that it has are named. */
static sdn_status no_incident(const sdn_h5 *f, const char *wanted, sdn_err *err)
{
  char **names = NULL, list[400] = "";
  size_t n = 0, used = 0;
  if (!sdn_h5_has(f, "spectra") || sdn_h5_list(f, "spectra", &names, &n, err))
    return sdn_fail(err, SDN_FORMAT, "grid %s has no spectra at all, which nothing here can use", sdn_h5_path(f));
  for (size_t i = 0; i < n && used < sizeof list; i++)
    if (strcmp(names[i], "wavelength") != 0) used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", names[i]);
  sdn_release(names);
  return sdn_fail(err, SDN_FORMAT, "grid %s has no spectra/%s; its spectra are: %s", sdn_h5_path(f), wanted, *list ? list : "none");
}

static sdn_status read_tables(const sdn_h5 *f, sdn_grid *g, double low_A, double high_A, sdn_err *err)
{
  static const char *const names[] = {"spectra/incident", "spectra/stellar"};   /* the second until 0.2 */
  sdn_grid_dataset range;
  const char *incident = sdn_h5_has(f, names[0]) ? names[0] : names[1];
  if (!sdn_h5_has(f, incident)) return no_incident(f, "incident", err);
  if (read_wavelengths(f, g, low_A, high_A, &range, err)) return err->status;
  if (read_spectra(f, g, &range, incident, &g->incident, err)) return err->status;
  if (sdn_h5_has(f, "spectra/transmitted") && read_spectra(f, g, &range, "spectra/transmitted", &g->transmitted, err)) return err->status;
  if (read_nebular(f, g, &range, err) || sdn_grid_read_lines(f, g, err) || read_scalars(f, g, err)) return err->status;
  if (mend_all(f, g, err) || squeeze_all(g, err)) return err->status;
  if (!g->nebular_continuum.value || g->transmitted.value) return SDN_OK;
  g->transmitted_derived = true;
  if (sdn_grid_split_limit(g, err)) return err->status;
  return sdn_grid_derive_transmitted(g, err);
}

static sdn_status read_one(const sdn_h5 *f, sdn_grid *g, const char *spectrum, double low_A, double high_A, sdn_err *err)
{
  char dataset[128];
  sdn_grid_dataset range;
  snprintf(dataset, sizeof dataset, "spectra/%s", spectrum);
  if (!sdn_h5_has(f, dataset)) return no_incident(f, spectrum, err);
  if (read_wavelengths(f, g, low_A, high_A, &range, err)) return err->status;
  if (read_spectra(f, g, &range, dataset, &g->incident, err)) return err->status;
  return sdn_grid_squeeze(g, &g->incident, err);
}

/* What the spectra are per. Before 2025 the word stood with the spectra. */
static void read_weight(const sdn_h5 *f, sdn_grid *g)
{
  static const char *const objects[] = {"/", "spectra"};
  for (int i = 0; i < 2 && !g->weight[0]; i++) {
    char *text = NULL;
    sdn_err ignored;
    if (!sdn_h5_has(f, "spectra") || !sdn_h5_has_attr(f, objects[i], "WeightVariable")) continue;
    if (!sdn_h5_get_text(f, objects[i], "WeightVariable", &text, &ignored)) snprintf(g->weight, sizeof g->weight, "%.63s", text);
    g->old_layout = g->old_layout || i == 1;
    sdn_release(text);
  }
}

static sdn_status open_grid(const char *name_or_path, sdn_grid *g, sdn_h5 **f, sdn_err *err)
{
  if (!(g->path = sdn_named_file("grids", ".hdf5", name_or_path, err)) || !(g->name = sdn_copy_text(name_or_path, err))) return err->status;
  if (sdn_hash_file(g->path, &g->hash, err) || sdn_h5_open(g->path, f, err)) return err->status;
  if (sdn_grid_read_axes(*f, g, err)) return err->status;
  read_weight(*f, g);
  return SDN_OK;
}

/* spectrum NULL: all that a model of stars uses. */
static sdn_status read_grid(const char *name_or_path, const char *spectrum, double low_A, double high_A, sdn_grid **out, sdn_err *err)
{
  sdn_h5 *f = NULL;
  *out = NULL;
  sdn_grid *g = sdn_alloc(1, sizeof *g, "a grid", err);
  if (!g) return err->status;
  sdn_status status = open_grid(name_or_path, g, &f, err);
  if (!status) status = spectrum ? read_one(f, g, spectrum, low_A, high_A, err) : read_tables(f, g, low_A, high_A, err);
  if (!status) {
    *out = g;
    g = NULL;
  }
  if (f) {
    sdn_err ignored;
    sdn_h5_close(f, &ignored);   /* read only: closing cannot lose anything */
  }
  sdn_grid_free(g);
  return status;
}

sdn_status sdn_grid_read(const char *name_or_path, double wave_low_A, double wave_high_A, sdn_grid **g, sdn_err *err)
{
  return read_grid(name_or_path, NULL, wave_low_A, wave_high_A, g, err);
}

sdn_status sdn_grid_read_spectrum(const char *name_or_path, const char *spectrum, double wave_low_A, double wave_high_A, sdn_grid **g, sdn_err *err)
{
  return read_grid(name_or_path, spectrum, wave_low_A, wave_high_A, g, err);
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
