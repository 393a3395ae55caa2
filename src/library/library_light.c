/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra and lines in a library, for those who want more than fluxes; training does not read them. */
#include <string.h>

#include "library/library_file.h"

static int n_line(const sdn_library_plan *plan) { return sdn_forward_n_line(plan->forward); }

double sdn_library_light_bytes(const sdn_library_plan *plan)
{
  return plan->spectra ? (double)plan->n * ((double)sizeof(float) * (double)plan->n_wave + (double)sizeof(double) * n_line(plan)) : 0;
}

static sdn_status make_lines(sdn_h5 *file, const sdn_library_plan *plan, sdn_err *err)
{
  const size_t n = (size_t)n_line(plan);
  const sdn_h5_shape rows = {.n_dim = 2, .dim = {plan->n, (long)n}}, once = {.n_dim = 1, .dim = {(long)n}};
  double *wave = sdn_alloc(n, sizeof *wave, "line wavelengths", err);
  const char **name = wave ? sdn_alloc(n, sizeof *name, "line names", err) : NULL;
  sdn_status status = name ? SDN_OK : err->status;
  for (int l = 0; name && l < (int)n; l++) {
    wave[l] = sdn_forward_line_wave_A(plan->forward, l);
    name[l] = sdn_forward_line_name(plan->forward, l);
  }
  if (!status) status = sdn_h5_make(file, "line_luminosity_erg_s", SDN_H5_DOUBLE, &rows, NULL, err);
  if (!status) status = sdn_h5_set_texts(file, "line_luminosity_erg_s", "names", name, n, err);
  if (!status) status = sdn_h5_make(file, "line_wave_A", SDN_H5_DOUBLE, &once, wave, err);
  sdn_release(wave);
  sdn_release(name);
  return status;
}

sdn_status sdn_library_make_light(sdn_h5 *file, const sdn_library_plan *plan, sdn_err *err)
{
  if (!plan->spectra) return SDN_OK;
  long n_all;
  const double *wave = sdn_forward_wave_A(plan->forward, &n_all) + plan->wave0;
  const sdn_h5_shape rows = {.n_dim = 2, .dim = {plan->n, plan->n_wave}}, once = {.n_dim = 1, .dim = {plan->n_wave}};
  if (sdn_h5_make(file, "spectra", SDN_H5_FLOAT, &rows, NULL, err)) return err->status;
  if (sdn_h5_set_text(file, "spectra", "units", "erg/s/Hz", err)) return err->status;
  if (sdn_h5_make(file, "spectra_wave_A", SDN_H5_DOUBLE, &once, wave, err)) return err->status;
  return n_line(plan) ? make_lines(file, plan, err) : SDN_OK;
}

sdn_status sdn_library_same_light(const sdn_h5 *file, const sdn_library_plan *plan, sdn_err *err)
{
  static const char other[] = "%s is of an unfinished run %s; finish that run as it was begun, choose another output, or remove the file";
  double *stored = NULL;
  long n_all;
  sdn_h5_shape shape;
  const double *wave = sdn_forward_wave_A(plan->forward, &n_all) + plan->wave0;
  const bool has = sdn_h5_has(file, "spectra");
  if (has != plan->spectra) return sdn_fail(err, SDN_USAGE, other, sdn_h5_path(file), has ? "that stores spectra" : "that stores no spectra");
  if (!has) return SDN_OK;
  if (sdn_h5_read_double(file, "spectra_wave_A", &stored, &shape, err)) return err->status;
  const bool same = shape.n_dim == 1 && shape.dim[0] == plan->n_wave && !memcmp(stored, wave, (size_t)plan->n_wave * sizeof *wave);
  sdn_release(stored);
  return same ? SDN_OK : sdn_fail(err, SDN_USAGE, other, sdn_h5_path(file), "with spectra on other wavelengths");
}

sdn_status sdn_library_write_light(sdn_h5 *file, long row0, long n, const sdn_library_light *light, sdn_err *err)
{
  if (sdn_h5_write_rows(file, "spectra", SDN_H5_FLOAT, row0, n, light->lnu, err)) return err->status;
  return light->line ? sdn_h5_write_rows(file, "line_luminosity_erg_s", SDN_H5_DOUBLE, row0, n, light->line, err) : SDN_OK;
}
