/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Emission lines of a grid file: one table (now) or a group for each (before 0.9). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "physics/grid_read.h"

/* Refractive index of standard air as Morton 2000 (eq. 8) has it, by which a wavelength in air becomes one in vacuum. */
double sdn_vacuum_A(double air_A)
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

/* Do strong lines that no other stands near to (H beta, [O III], H alpha, [S III]) have their vacuum places rather than those in air? */
static bool stand_in_vacuum(const sdn_grid *g)
{
  static const double air_A[] = {4861.33, 4958.91, 5006.84, 6562.80, 9068.6, 9530.6};   /* NIST */
  const double near_A = 0.5;   /* lists differ by less, air and vacuum by 1.3 A and more */
  int n_air = 0, n_vacuum = 0;
  for (size_t i = 0; i < sizeof air_A / sizeof air_A[0]; i++)
    for (int l = 0; l < g->n_line; l++) {
      n_air += fabs(g->line_wave_A[l] - air_A[i]) < near_A;
      n_vacuum += fabs(g->line_wave_A[l] - sdn_vacuum_A(air_A[i])) < near_A;
    }
  return n_vacuum > n_air;
}

/* From the file's wavelengths to vacuum ones. */
static sdn_status to_vacuum(const sdn_h5 *f, sdn_grid *g, const char *dataset, sdn_err *err)
{
  double factor;
  if (sdn_grid_unit_factor(f, dataset, SDN_UNIT_WAVELENGTH, &factor, err)) return err->status;
  for (int l = 0; l < g->n_line; l++) {
    double *w = &g->line_wave_A[l];
    *w *= factor;
    if (!(*w > 0 && *w < HUGE_VAL)) return sdn_fail(err, SDN_FORMAT, "grid %s: wavelength %g A of line %s is not a positive number", g->path, *w, g->line_id[l]);
  }
  g->line_medium = attribute_says_vacuum(f, dataset) ? SDN_GRID_VACUUM_SAID : stand_in_vacuum(g) ? SDN_GRID_VACUUM_SEEN : SDN_GRID_AIR;
  for (int l = 0; l < g->n_line; l++)
    if (g->line_medium == SDN_GRID_AIR && g->line_wave_A[l] > 2000) g->line_wave_A[l] = sdn_vacuum_A(g->line_wave_A[l]);
  return SDN_OK;
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

static sdn_status read_line_table(const sdn_h5 *f, sdn_grid *g, sdn_err *err)
{
  sdn_h5_shape shape;
  size_t n_id = 0;
  double factor;
  if (sdn_h5_read_double(f, "lines/wavelength", &g->line_wave_A, &shape, err) || sdn_h5_read_texts(f, "lines/id", &g->line_id, &n_id, err)) return err->status;
  if (shape.n_dim != 1 || n_id != (size_t)shape.dim[0] || n_id < 1 || n_id > 1000000)
    return sdn_fail(err, SDN_FORMAT, "grid %s: lines/wavelength has %ld entries but lines/id %zu", g->path, shape.n_dim == 1 ? shape.dim[0] : 0, n_id);
  g->n_line = (int)n_id;
  const sdn_grid_dataset what = {"lines/luminosity", g->n_line, 0, g->n_line, !sdn_h5_has(f, "failures")};
  if (sdn_grid_unit_factor(f, what.name, SDN_UNIT_LUMINOSITY, &factor, err)) return err->status;
  if (sdn_grid_read_table(f, g, &what, &g->lines, err)) return err->status;
  for (size_t i = 0, n = sdn_grid_table_size(&g->lines); i < n; i++) g->lines.value[i] *= (float)factor;
  return to_vacuum(f, g, "lines/wavelength", err);
}

/* One line's group: its wavelength, and its luminosities as column `l` of the table, which the first line makes. */
static sdn_status read_line_group(const sdn_h5 *f, sdn_grid *g, int l, sdn_err *err)
{
  char group[160], dataset[192];
  sdn_grid_table one = {0}, *all = &g->lines;
  double factor;
  snprintf(group, sizeof group, "lines/%s", g->line_id[l]);
  snprintf(dataset, sizeof dataset, "%s/luminosity", group);
  if (sdn_h5_get_double(f, group, "wavelength", &g->line_wave_A[l], err)) return err->status;
  if (sdn_grid_unit_factor(f, dataset, SDN_UNIT_LUMINOSITY, &factor, err)) return err->status;
  sdn_status status = sdn_grid_read_table(f, g, &(sdn_grid_dataset){.name = dataset}, &one, err);
  const size_t n_cell = sdn_grid_table_size(&one);
  if (!status && l == 0) {
    *all = one;
    all->n_column = g->n_line;
    all->value = sdn_alloc(n_cell * (size_t)g->n_line, sizeof *all->value, "a grid table", err);
    if (!all->value) status = err->status;
  }
  if (!status && memcmp(one.has_extra, all->has_extra, sizeof one.has_extra) != 0)
    status = sdn_fail(err, SDN_FORMAT, "grid %s: %s has other axes than the line before it", g->path, dataset);
  for (size_t c = 0; c < n_cell && !status; c++) all->value[c * (size_t)g->n_line + (size_t)l] = one.value[c] * (float)factor;
  sdn_release(one.value);
  return status;
}

static sdn_status read_line_groups(const sdn_h5 *f, sdn_grid *g, sdn_err *err)
{
  char **names = NULL, dataset[192];
  size_t n = 0, n_line = 0;
  if (sdn_h5_kind_of(f, "lines") != SDN_H5_KIND_GROUP) return SDN_OK;
  if (sdn_h5_list(f, "lines", &names, &n, err)) return err->status;
  for (size_t i = 0; i < n; i++) {
    snprintf(dataset, sizeof dataset, "lines/%.120s/luminosity", names[i]);
    if (strlen(names[i]) <= 120 && sdn_h5_has(f, dataset)) names[n_line++] = names[i];
  }
  g->line_id = names;   /* one block, as a reader of texts makes it */
  g->n_line = (int)n_line;
  if (n_line == 0) return SDN_OK;
  g->old_layout = true;
  if (!(g->line_wave_A = sdn_alloc(n_line, sizeof *g->line_wave_A, "wavelengths of lines", err))) return err->status;
  for (int l = 0; l < g->n_line; l++)
    if (read_line_group(f, g, l, err)) return err->status;
  return to_vacuum(f, g, "lines", err);
}

sdn_status sdn_grid_read_lines(const sdn_h5 *f, sdn_grid *g, sdn_err *err)
{
  const bool table = sdn_h5_has(f, "lines/luminosity");
  if (table ? read_line_table(f, g, err) : read_line_groups(f, g, err)) return err->status;
  return g->n_line > 0 ? sort_lines(g, err) : SDN_OK;
}
