/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A galaxy as one HDF5 file: a group per table, a dataset per column. */
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/h5.h"
#include "report/sed.h"

#define TEXT_CHUNK 64   /* rows */

static sdn_status write_texts(sdn_h5 *file, const char *name, const sdn_sed_part *p, int column, sdn_err *err)
{
  const char **text = sdn_alloc((size_t)p->n, sizeof *text, "a column", err);
  if (!text) return err->status;
  for (long i = 0; i < p->n; i++) text[i] = sdn_sed_text_at(&p->column[column], i);
  sdn_status status = sdn_h5_make_growing_texts(file, name, (size_t)sdn_sed_text_width(p, column), TEXT_CHUNK, 0, err);
  if (!status && p->n > 0) status = sdn_h5_write_row_texts(file, name, 0, p->n, text, err);
  sdn_release(text);
  return status;
}

static sdn_status write_numbers(sdn_h5 *file, const char *name, const sdn_sed_part *p, int column, sdn_err *err)
{
  const sdn_h5_shape shape = {.n_dim = 1, .dim = {p->n}};
  double *number = sdn_alloc((size_t)p->n, sizeof *number, "a column", err);
  if (!number) return err->status;
  for (long i = 0; i < p->n; i++) number[i] = sdn_sed_number_at(&p->column[column], i);
  const sdn_status status = sdn_h5_make(file, name, SDN_H5_DOUBLE, &shape, p->n > 0 ? number : NULL, err);
  sdn_release(number);
  return status;
}

static sdn_status write_part(sdn_h5 *file, const sdn_sed_part *p, sdn_err *err)
{
  char name[64];
  for (int c = 0; c < p->n_column; c++) {
    const sdn_sed_column *column = &p->column[c];
    snprintf(name, sizeof name, "%s/%s", p->name, column->name);
    if (column->is_text ? write_texts(file, name, p, c, err) : write_numbers(file, name, p, c, err)) return err->status;
    if (column->unit[0] && sdn_h5_set_text(file, name, "unit", column->unit, err)) return err->status;
    if (column->about[0] && sdn_h5_set_text(file, name, "description", column->about, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status write_all(const sdn_sed_galaxy *g, sdn_h5 *file, sdn_err *err)
{
  sdn_sed_part part[SDN_SED_N_PART];
  const struct { const char *name, *value; } text[] = {{"format", "sedna sed"}, {"sedna_version", SDN_VERSION}, {"command", g->command},
                                                       {"model", g->model->origin}, {"model_yaml", sdn_model_yaml(g->model)}};
  for (size_t i = 0; i < sizeof text / sizeof text[0]; i++)
    if (sdn_h5_set_text(file, "/", text[i].name, text[i].value, err)) return err->status;
  if (sdn_h5_set_double(file, "/", "redshift", g->redshift, err)) return err->status;
  sdn_sed_parts(g, part);
  for (int p = 0; p < SDN_SED_N_PART; p++)
    if (write_part(file, &part[p], err)) return err->status;
  return SDN_OK;
}

sdn_status sdn_sed_write_h5(const sdn_sed_galaxy *g, const char *path, sdn_err *err)
{
  sdn_err close_err;
  sdn_h5 *file = NULL;
  char *part = sdn_part_name(path, err);
  if (!part) return err->status;
  sdn_status status = sdn_h5_create(part, &file, err);
  if (!status) status = write_all(g, file, err);
  if (file && sdn_h5_close(file, &close_err) && !status) {
    *err = close_err;
    status = err->status;
  }
  if (!status) status = sdn_part_finish(part, path, err);
  if (status) remove(part);
  sdn_release(part);
  return status;
}
