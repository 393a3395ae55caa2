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

/* Rows wait here until they fill a chunk, so that each chunk is compressed and written once. */
typedef struct h5_out {
  sdn_h5 *file;
  sdn_table_out *table;
  long n_written, n_waiting;
  double *numbers;        /* [CHUNK][n_column] */
  char **cells;           /* [n_text] -> [CHUNK][width + 1] */
  void *values;           /* [CHUNK]: one column on its way to the file */
} h5_out;

static float as_float(double value)
{
  if (fabs(value) > (double)FLT_MAX) return value > 0 ? INFINITY : -INFINITY;
  return (float)value;
}

static sdn_status write_numbers(h5_out *h, int j, sdn_err *err)
{
  const sdn_column *c = &h->table->column[j];
  double *d = h->values;
  float *s = h->values;
  int64_t *k = h->values;
  for (long i = 0; i < h->n_waiting; i++) {
    const double value = h->numbers[i * h->table->n_column + j];
    if (c->kind == SDN_COLUMN_LONG) k[i] = isnan(value) ? SDN_TABLE_H5_NULL : (int64_t)value;
    else if (c->kind == SDN_COLUMN_FLOAT) s[i] = as_float(value);
    else d[i] = value;
  }
  const sdn_h5_type type = c->kind == SDN_COLUMN_LONG ? SDN_H5_INT64 : c->kind == SDN_COLUMN_FLOAT ? SDN_H5_FLOAT : SDN_H5_DOUBLE;
  return sdn_h5_write_rows(h->file, c->name, type, h->n_written, h->n_waiting, h->values, err);
}

static sdn_status write_texts(h5_out *h, int j, int k, sdn_err *err)
{
  const sdn_column *c = &h->table->column[j];
  const char **texts = h->values;
  for (long i = 0; i < h->n_waiting; i++) texts[i] = h->cells[k] + (size_t)i * (size_t)(c->width + 1);
  return sdn_h5_write_row_texts(h->file, c->name, h->n_written, h->n_waiting, texts, err);
}

static sdn_status write_waiting(h5_out *h, sdn_err *err)
{
  sdn_status status = SDN_OK;
  if (h->n_waiting == 0) return SDN_OK;
  for (int j = 0, k = 0; j < h->table->n_column && !status; j++)
    status = h->table->column[j].kind == SDN_COLUMN_TEXT ? write_texts(h, j, k++, err) : write_numbers(h, j, err);
  h->n_written += h->n_waiting;
  h->n_waiting = 0;
  return status;
}

static sdn_status close_h5_out(void *self, sdn_err *err)
{
  h5_out *h = self;
  sdn_err later;
  sdn_status status = h->file && h->values ? write_waiting(h, err) : SDN_OK;
  const sdn_status closed = sdn_h5_close(h->file, status ? &later : err);
  for (int k = 0; h->cells && k < h->table->n_text; k++) sdn_release(h->cells[k]);
  sdn_release(h->cells);
  sdn_release(h->numbers);
  sdn_release(h->values);
  sdn_release(h);
  return status ? status : closed;
}

static void wait_row(h5_out *h, const double *numbers, const char *const *texts)
{
  const sdn_table_out *t = h->table;
  const long i = h->n_waiting++;
  if (numbers) memcpy(h->numbers + i * t->n_column, numbers, (size_t)t->n_column * sizeof *numbers);
  for (int j = 0, k = 0; j < t->n_column; j++) {
    if (t->column[j].kind != SDN_COLUMN_TEXT) continue;
    strcpy(h->cells[k] + (size_t)i * (size_t)(t->column[j].width + 1), texts[k] ? texts[k] : "");   /* its length was checked */
    k++;
  }
}

static sdn_status append_h5(sdn_table_out *t, long n, const double *numbers, const char *const *texts, sdn_err *err)
{
  h5_out *h = t->self;
  for (long i = 0; i < n; i++) {
    wait_row(h, numbers ? numbers + i * t->n_column : NULL, texts ? texts + i * t->n_text : NULL);
    if (h->n_waiting == CHUNK && write_waiting(h, err)) return err->status;
  }
  return SDN_OK;
}

static const sdn_table_writer h5_writer = {append_h5, close_h5_out};

static sdn_status make_buffers(h5_out *h, sdn_err *err)
{
  const sdn_table_out *t = h->table;
  h->numbers = sdn_alloc((size_t)t->n_column * CHUNK, sizeof *h->numbers, "rows of a table", err);
  h->cells = h->numbers ? sdn_alloc((size_t)t->n_text, sizeof *h->cells, "rows of a table", err) : NULL;
  for (int j = 0, k = 0; j < t->n_column && h->cells; j++) {
    if (t->column[j].kind != SDN_COLUMN_TEXT) continue;
    if (!(h->cells[k++] = sdn_alloc((size_t)t->column[j].width + 1, CHUNK, "rows of a table", err))) return err->status;
  }
  h->values = h->cells ? sdn_alloc(CHUNK, sizeof(double), "rows of a table", err) : NULL;
  return h->values ? SDN_OK : err->status;
}

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
  h->table = t;
  sdn_status status = sdn_h5_create(t->part, &h->file, err);
  if (!status) status = make_buffers(h, err);
  for (int j = 0; j < t->n_column && !status; j++) status = make_column(t, &t->column[j], err);
  if (!status) status = list_columns(t, err);
  for (int i = 0; i < n_meta && !status; i++) status = sdn_h5_set_text(h->file, "/", meta[i].key, meta[i].value, err);
  return status;
}
