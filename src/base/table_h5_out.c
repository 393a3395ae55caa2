/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables as HDF5 for writing: a growing dataset per column in the root. */
#include <float.h>
#include <math.h>
#include <string.h>

#include "base/h5.h"
#include "base/table_h5.h"
#include "base/table_internal.h"

#define CHUNK 8192   /* rows */
#define DEFLATE 1

typedef struct h5_out { sdn_h5 *file; } h5_out;

static sdn_status close_h5_out(void *self, sdn_err *err)
{
  h5_out *h = self;
  sdn_status status = sdn_h5_close(h->file, err);
  sdn_release(h);
  return status;
}

static float as_float(double value)
{
  if (fabs(value) > (double)FLT_MAX) return value > 0 ? INFINITY : -INFINITY;
  return (float)value;
}

static sdn_status append_numbers(sdn_table_out *t, int j, long n, const double *numbers, void *values, sdn_err *err)
{
  h5_out *h = t->self;
  const sdn_column *c = &t->column[j];
  double *d = values;
  float *s = values;
  int64_t *k = values;
  for (long i = 0; i < n; i++) {
    const double value = numbers[i * t->n_column + j];
    if (c->kind == SDN_COLUMN_LONG) k[i] = isnan(value) ? SDN_TABLE_H5_NULL : (int64_t)value;
    else if (c->kind == SDN_COLUMN_FLOAT) s[i] = as_float(value);
    else d[i] = value;
  }
  const sdn_h5_type type = c->kind == SDN_COLUMN_LONG ? SDN_H5_INT64 : c->kind == SDN_COLUMN_FLOAT ? SDN_H5_FLOAT : SDN_H5_DOUBLE;
  return sdn_h5_write_rows(h->file, c->name, type, t->n_row, n, values, err);
}

static sdn_status append_texts(sdn_table_out *t, int j, int k, long n, const char *const *texts, const char **values, sdn_err *err)
{
  h5_out *h = t->self;
  for (long i = 0; i < n; i++) values[i] = texts[i * t->n_text + k] ? texts[i * t->n_text + k] : "";
  return sdn_h5_write_row_texts(h->file, t->column[j].name, t->n_row, n, values, err);
}

static sdn_status append_h5(sdn_table_out *t, long n, const double *numbers, const char *const *texts, sdn_err *err)
{
  void *values = sdn_alloc((size_t)n, sizeof(double), "a column's values", err);
  if (!values) return err->status;
  sdn_status status = SDN_OK;
  for (int j = 0, k = 0; j < t->n_column && !status; j++)
    status = t->column[j].kind == SDN_COLUMN_TEXT ? append_texts(t, j, k++, n, texts, values, err)
                                                  : append_numbers(t, j, n, numbers, values, err);
  sdn_release(values);
  return status;
}

static const sdn_table_writer h5_writer = {append_h5, close_h5_out};

static sdn_status make_column(sdn_table_out *t, const sdn_column *c, sdn_err *err)
{
  h5_out *h = t->self;
  const sdn_h5_shape empty = {.n_dim = 1, .dim = {0}};
  sdn_status status;
  if (strchr(c->name, '/') || strcmp(c->name, ".") == 0)
    return sdn_fail(err, SDN_USAGE, "%s: HDF5 cannot hold a column named '%s' ('/' parts groups); rename it or write .fits", t->path, c->name);
  switch (c->kind) {
  case SDN_COLUMN_TEXT: status = sdn_h5_make_growing_texts(h->file, c->name, (size_t)c->width, CHUNK, DEFLATE, err); break;
  case SDN_COLUMN_LONG: status = sdn_h5_make_growing(h->file, c->name, SDN_H5_INT64, &empty, CHUNK, DEFLATE, err); break;
  case SDN_COLUMN_FLOAT: status = sdn_h5_make_growing(h->file, c->name, SDN_H5_FLOAT, &empty, CHUNK, DEFLATE, err); break;
  default: status = sdn_h5_make_growing(h->file, c->name, SDN_H5_DOUBLE, &empty, CHUNK, DEFLATE, err);
  }
  if (!status && c->kind == SDN_COLUMN_LONG) status = sdn_h5_set_long(h->file, c->name, SDN_TABLE_H5_ATTR_NULL, SDN_TABLE_H5_NULL, err);
  if (!status && c->unit[0]) status = sdn_h5_set_text(h->file, c->name, "unit", c->unit, err);
  if (!status && c->description[0]) status = sdn_h5_set_text(h->file, c->name, "description", c->description, err);
  return status;
}

static sdn_status list_columns(sdn_table_out *t, sdn_err *err)
{
  h5_out *h = t->self;
  const char **name = sdn_alloc((size_t)t->n_column, sizeof *name, "column names", err);
  if (!name) return err->status;
  for (int j = 0; j < t->n_column; j++) name[j] = t->column[j].name;
  sdn_status status = sdn_h5_set_texts(h->file, "/", SDN_TABLE_H5_ATTR_COLUMNS, name, (size_t)t->n_column, err);
  sdn_release(name);
  return status;
}

sdn_status sdn_table_create_h5(sdn_table_out *t, int n_meta, const sdn_meta *meta, sdn_err *err)
{
  h5_out *h = sdn_alloc(1, sizeof *h, "an HDF5 table", err);
  if (!h) return err->status;
  t->writer = &h5_writer;
  t->self = h;
  sdn_status status = sdn_h5_create(t->part, &h->file, err);
  for (int j = 0; j < t->n_column && !status; j++) status = make_column(t, &t->column[j], err);
  if (!status) status = list_columns(t, err);
  for (int i = 0; i < n_meta && !status; i++) status = sdn_h5_set_text(h->file, "/", meta[i].key, meta[i].value, err);
  return status;
}
