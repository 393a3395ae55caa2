/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/grid_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/scratch.h"

static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

static double spaced(double low, double high, int n, int i) { return pow(10, n > 1 ? low + (high - low) * i / (n - 1) : low); }

double fixture_age_yr(const grid_fixture *f, int i) { return spaced(6, 10, f->n_age, i); }
double fixture_metallicity(const grid_fixture *f, int i) { return spaced(-4, -1.5, f->n_metallicity, i); }
double fixture_u(const grid_fixture *f, int i) { return spaced(-4, -1, f->n_u, i); }

static void write_axis(sdn_h5 *h, const grid_fixture *f, const char *name, int n, double (*node)(const grid_fixture *, int))
{
  double value[FIXTURE_MAX_NODE];
  for (int i = 0; i < n; i++) value[i] = node(f, i);
  must(sdn_h5_make(h, name, SDN_H5_DOUBLE, &(sdn_h5_shape){1, {n}}, value, &err));
  must(sdn_h5_set_long(h, name, "log_on_read", 1, &err));
}

/* [ages][metallicities][u, if has_u][n_column], or with the first two swapped. */
static void write_table(sdn_h5 *h, const grid_fixture *f, const char *name, fixture_value *value, const double *wave_A, int n_column, const char *units)
{
  const int n_u = f->n_u ? f->n_u : 1;
  const sdn_h5_shape shape = {f->n_u ? 4 : 3, {f->swapped ? f->n_metallicity : f->n_age, f->swapped ? f->n_age : f->n_metallicity, f->n_u ? f->n_u : n_column, n_column}};
  float *data = malloc((size_t)f->n_age * (size_t)f->n_metallicity * (size_t)n_u * (size_t)n_column * sizeof *data), *to = data;
  if (!data) fail_msg("no memory");
  for (int i = 0; i < shape.dim[0]; i++)
    for (int j = 0; j < shape.dim[1]; j++)
      for (int u = 0; u < n_u; u++)
        for (int c = 0; c < n_column; c++) *to++ = (float)value(f->swapped ? j : i, f->swapped ? i : j, u, wave_A[c]);
  must(sdn_h5_make(h, name, SDN_H5_FLOAT, &shape, data, &err));
  must(sdn_h5_set_text(h, name, "Units", units, &err));
  free(data);
}

static void write_lines(sdn_h5 *h, const grid_fixture *f)
{
  const char *const id[] = {"line a", "line b", "line c", "line d", "line e", "line f", "line g", "line h"};
  must(sdn_h5_make(h, "lines/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {f->n_line}}, f->line_A, &err));
  must(sdn_h5_set_text(h, "lines/wavelength", "medium", "vacuum", &err));
  must(sdn_h5_make_growing_texts(h, "lines/id", 8, 8, 0, &err));
  must(sdn_h5_write_row_texts(h, "lines/id", 0, f->n_line, id, &err));
  write_table(h, f, "lines/luminosity", f->lines, f->line_A, f->n_line, "erg/s");
}

static void write_star_fraction(sdn_h5 *h, const grid_fixture *f)
{
  const char *const axes[] = {"ages"};
  double value[FIXTURE_MAX_NODE];
  for (int i = 0; i < f->n_age; i++) value[i] = 1.0 / (1 + i);
  must(sdn_h5_make(h, "star_fraction", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {f->n_age}}, value, &err));
  must(sdn_h5_set_texts(h, "star_fraction", "axes", axes, 1, &err));
}

const char *grid_fixture_write(const grid_fixture *f, const char *name)
{
  const char *const straight[] = {"ages", "metallicities", "ionisation_parameters"}, *const swapped[] = {"metallicities", "ages", "ionisation_parameters"};
  const char *path = scratch_file(name);
  sdn_h5 *h;
  must(sdn_h5_create(path, &h, &err));
  must(sdn_h5_set_texts(h, "/", "axes", f->swapped ? swapped : straight, f->n_u ? 3 : 2, &err));
  write_axis(h, f, "axes/ages", f->n_age, fixture_age_yr);
  write_axis(h, f, "axes/metallicities", f->n_metallicity, fixture_metallicity);
  if (f->n_u) write_axis(h, f, "axes/ionisation_parameters", f->n_u, fixture_u);
  must(sdn_h5_make(h, "spectra/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {f->n_wave}}, f->wave_A, &err));
  write_table(h, f, "spectra/incident", f->incident, f->wave_A, f->n_wave, "erg/(Hz*s)");
  if (f->transmitted) write_table(h, f, "spectra/transmitted", f->transmitted, f->wave_A, f->n_wave, "erg/(Hz*s)");
  if (f->nebular_continuum) write_table(h, f, "spectra/nebular_continuum", f->nebular_continuum, f->wave_A, f->n_wave, "erg/(Hz*s)");
  if (f->lines) write_lines(h, f);
  if (f->star_fraction) write_star_fraction(h, f);
  must(sdn_h5_close(h, &err));
  return path;
}

sdn_h5 *grid_fixture_open(const char *path)
{
  sdn_h5 *h;
  must(sdn_h5_open_update(path, &h, &err));
  return h;
}

void grid_fixture_close(sdn_h5 *file) { must(sdn_h5_close(file, &err)); }
