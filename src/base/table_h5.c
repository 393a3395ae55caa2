/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables as HDF5 for reading: a dataset per column, in the root or in the first group that holds any. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/h5.h"
#include "base/number.h"
#include "base/table_h5.h"
#include "base/table_internal.h"

#define MAX_COLUMN 20000

typedef struct h5_column { char *path; sdn_h5_kind kind; bool has_null; long null; } h5_column;
typedef struct h5_in { sdn_h5 *file; h5_column *column; int n_column; } h5_in;

static void close_h5(void *self)
{
  h5_in *h = self;
  sdn_err ignored;
  for (int i = 0; h->column && i < h->n_column; i++) sdn_release(h->column[i].path);
  sdn_release(h->column);
  if (h->file) sdn_h5_close(h->file, &ignored);
  sdn_release(h);
}

static sdn_status read_text_numbers(sdn_table_in *t, int col, long row0, long n, double *out, sdn_err *err)
{
  const h5_in *h = t->self;
  char **text;
  sdn_status status = sdn_h5_read_row_texts(h->file, h->column[col].path, row0, n, &text, err);
  for (long i = 0; i < n && !status; i++)
    if (!sdn_table_number(text[i], strlen(text[i]), &out[i]))
      status = sdn_fail_row(err, SDN_FORMAT, row0 + i, "%s: row %ld, column '%s': '%.60s' is no number", t->path, row0 + i,
                            t->column[col].name, text[i]);
  sdn_release(text);
  return status;
}

static sdn_status read_numbers(sdn_table_in *t, int col, long row0, long n, double *out, sdn_err *err)
{
  const h5_in *h = t->self;
  const h5_column *c = &h->column[col];
  if (c->kind == SDN_H5_KIND_TEXT) return read_text_numbers(t, col, row0, n, out, err);
  if (sdn_h5_read_rows(h->file, c->path, SDN_H5_DOUBLE, row0, n, out, err)) return err->status;
  const long n_value = n * t->column[col].width;
  for (long i = 0; i < n_value && c->has_null; i++)
    if (out[i] == (double)c->null) out[i] = NAN;
  return SDN_OK;
}

static sdn_status read_h5(sdn_table_in *t, long row0, long n, int n_col, const int *col, double *out, sdn_err *err)
{
  const int n_value = sdn_table_sum_width(t, n_col, col);
  double *values = sdn_alloc((size_t)n * (size_t)sdn_table_most_width(t, n_col, col), sizeof *values, "a column's values", err);
  if (!values) return err->status;
  sdn_status status = SDN_OK;
  for (int j = 0, at = 0; j < n_col && !status; at += t->column[col[j++]].width) {
    const size_t width = (size_t)t->column[col[j]].width;
    status = read_numbers(t, col[j], row0, n, values, err);
    for (long i = 0; i < n && !status; i++) memcpy(out + i * n_value + at, values + (size_t)i * width, width * sizeof *values);
  }
  sdn_release(values);
  return status;
}

static void add_cell(sdn_text *text, const char *cell) { sdn_text_add_bytes(text, cell, strlen(cell) + 1); }

static void print_cells(sdn_text *text, const h5_column *c, long n, const int64_t *whole, const double *real)
{
  char cell[SDN_NUMBER_SIZE];
  for (long i = 0; i < n; i++) {
    const bool missing = c->kind == SDN_H5_KIND_INTEGER ? c->has_null && whole[i] == c->null : isnan(real[i]);
    if (c->kind == SDN_H5_KIND_INTEGER) snprintf(cell, sizeof cell, "%lld", (long long)whole[i]);
    else if (c->kind == SDN_H5_KIND_FLOAT) sdn_number_print_float((float)real[i], cell);
    else sdn_number_print(real[i], cell);
    add_cell(text, missing ? "" : cell);
  }
}

static sdn_status read_h5_text(sdn_table_in *t, long row0, long n, int col, char ***out, sdn_err *err)
{
  const h5_in *h = t->self;
  const h5_column *c = &h->column[col];
  if (c->kind == SDN_H5_KIND_TEXT) return sdn_h5_read_row_texts(h->file, c->path, row0, n, out, err);
  const bool whole = c->kind == SDN_H5_KIND_INTEGER;
  sdn_text text = {0};
  void *values = sdn_alloc((size_t)n, sizeof(double), "a column's values", err);
  sdn_status status = values ? sdn_h5_read_rows(h->file, c->path, whole ? SDN_H5_INT64 : SDN_H5_DOUBLE, row0, n, values, err) : err->status;
  if (!status) print_cells(&text, c, n, values, values);
  if (!status) status = sdn_table_text_block(&text, n, out, err);
  sdn_text_free(&text);
  sdn_release(values);
  return status;
}

static sdn_status read_h5_meta(sdn_table_in *t, const char *key, char **value, sdn_err *err)
{
  const h5_in *h = t->self;
  char digits[SDN_NUMBER_SIZE] = "";
  double number;
  sdn_err_clear(err);
  if (sdn_h5_has_attr(h->file, "/", key)) {
    if (!sdn_h5_get_text(h->file, "/", key, value, err)) return SDN_OK;
    if (!sdn_h5_get_double(h->file, "/", key, &number, err)) sdn_number_print(number, digits);
    else return err->status;
  }
  *value = sdn_copy_text(digits, err);
  return *value ? SDN_OK : err->status;
}

static const sdn_table_reader h5_reader = {read_h5, read_h5_text, read_h5_meta, close_h5};

static bool holds_datasets(const sdn_h5 *file, const char *prefix, char *const *name, size_t n)
{
  char path[1024];
  for (size_t i = 0; i < n; i++) {
    const int length = snprintf(path, sizeof path, "%s%s", prefix, name[i]);
    const sdn_h5_kind kind = length < (int)sizeof path ? sdn_h5_kind_of(file, path) : SDN_H5_KIND_OTHER;
    if (kind != SDN_H5_KIND_GROUP && kind != SDN_H5_KIND_OTHER) return true;
  }
  return false;
}

/* The group with the columns, as prefix of their paths ("" or "NAME/"), and its names. */
static sdn_status find_group(const h5_in *h, char *prefix, size_t room, char ***name, size_t *n, sdn_err *err)
{
  char **root = NULL;
  size_t n_root = 0;
  prefix[0] = '\0';
  if (sdn_h5_list(h->file, "/", &root, &n_root, err)) return err->status;
  *name = root;
  *n = n_root;
  if (holds_datasets(h->file, "", root, n_root)) return SDN_OK;
  sdn_status status = SDN_OK;
  for (size_t i = 0; i < n_root && !status; i++) {
    if (sdn_h5_kind_of(h->file, root[i]) != SDN_H5_KIND_GROUP || strlen(root[i]) + 2 > room) continue;
    snprintf(prefix, room, "%s/", root[i]);
    status = sdn_h5_list(h->file, root[i], name, n, err);
    if (!status && holds_datasets(h->file, prefix, *name, *n)) {
      sdn_release(root);
      return SDN_OK;
    }
    sdn_release(*name);
    *name = NULL;
  }
  sdn_release(root);
  *name = NULL;
  return status ? status : sdn_fail(err, SDN_FORMAT, "%s holds no columns: no dataset of numbers or text in its root or in a group",
                                    sdn_h5_path(h->file));
}

/* The names that the file itself lists in order, where those are just the ones that are there. */
static void put_in_order(const h5_in *h, char **name, size_t n)
{
  char **listed = NULL;
  size_t n_listed = 0, found = 0;
  sdn_err ignored;
  if (sdn_h5_get_texts(h->file, "/", SDN_TABLE_H5_ATTR_COLUMNS, &listed, &n_listed, &ignored)) return;   /* most files have none */
  for (size_t i = 0; i < n_listed && n_listed == n && found == i; i++)
    for (size_t j = found; j < n; j++) {
      if (strcmp(name[j], listed[i]) != 0) continue;
      char *other = name[found];
      name[found++] = name[j];
      name[j] = other;
      break;
    }
  sdn_release(listed);
}

static bool is_wide(const sdn_column_in *column, const sdn_h5_shape *shape)
{
  return shape->n_dim == 2 && !column->text && shape->dim[1] >= 1 && shape->dim[1] <= SDN_TABLE_MAX_WIDTH;
}

static sdn_status describe_column(sdn_table_in *t, int i, const char *prefix, const char *name, long *length, sdn_err *err)
{
  h5_in *h = t->self;
  h5_column *c = &h->column[i];
  sdn_column_in *column = &t->column[i];
  sdn_h5_shape shape;
  char *unit = NULL;
  *length = -1;
  if (!(column->name = sdn_table_keep(t, name, strlen(name), err))) return err->status;
  if (!(c->path = sdn_alloc(strlen(prefix) + strlen(name) + 1, 1, "a column's name", err))) return err->status;
  strcat(strcpy(c->path, prefix), name);
  c->kind = sdn_h5_kind_of(h->file, c->path);
  column->text = c->kind == SDN_H5_KIND_TEXT;
  if (c->kind == SDN_H5_KIND_GROUP) column->unreadable = "is a group";
  else if (c->kind == SDN_H5_KIND_OTHER) column->unreadable = "is neither numbers nor text (a compound table?)";
  else if (sdn_h5_shape_of(h->file, c->path, &shape, err)) return err->status;
  else if (shape.n_dim != 1 && !is_wide(column, &shape)) column->unreadable = "has a shape that is neither [row] nor, of numbers, [row][value]";
  else *length = shape.dim[0];
  if (column->unreadable) return SDN_OK;
  if (shape.n_dim == 2) column->width = (int)shape.dim[1];
  c->has_null = c->kind == SDN_H5_KIND_INTEGER && sdn_h5_has_attr(h->file, c->path, SDN_TABLE_H5_ATTR_NULL) &&
                !sdn_h5_get_long(h->file, c->path, SDN_TABLE_H5_ATTR_NULL, &c->null, err);
  const char *key = sdn_h5_has_attr(h->file, c->path, "unit") ? "unit" : "units";
  if (!sdn_h5_has_attr(h->file, c->path, key) || sdn_h5_get_text(h->file, c->path, key, &unit, err)) return SDN_OK;
  column->unit = sdn_table_keep(t, unit, strlen(unit), err);
  sdn_release(unit);
  return column->unit ? SDN_OK : err->status;
}

/* Datasets of the length that most of them share are the columns. */
static sdn_status settle_length(sdn_table_in *t, const long *length, sdn_err *err)
{
  int most = 0;
  for (int i = 0; i < t->n_column; i++) {
    int n = 0;
    for (int j = 0; j < t->n_column; j++) n += length[i] >= 0 && length[j] == length[i];
    if (n > most) t->n_row = length[i];
    if (n > most) most = n;
  }
  if (most == 0) return sdn_fail(err, SDN_FORMAT, "%s holds no columns: none of its datasets has one or two dimensions", t->path);
  for (int i = 0; i < t->n_column; i++) {
    char why[96];
    if (length[i] < 0 || length[i] == t->n_row) continue;
    snprintf(why, sizeof why, "has %ld values where the table has %ld rows", length[i], t->n_row);
    if (!(t->column[i].unreadable = sdn_table_keep(t, why, strlen(why), err))) return err->status;
  }
  return SDN_OK;
}

sdn_status sdn_table_open_h5(sdn_table_in *t, const char *path, sdn_err *err)
{
  char prefix[256], **name = NULL;
  size_t n = 0;
  h5_in *h = sdn_alloc(1, sizeof *h, "an HDF5 table", err);
  if (!h) return err->status;
  t->reader = &h5_reader;
  t->self = h;
  long *length = NULL;
  sdn_status status = sdn_h5_open(path, &h->file, err);
  if (!status) status = find_group(h, prefix, sizeof prefix, &name, &n, err);
  if (!status && n > MAX_COLUMN) status = sdn_fail(err, SDN_FORMAT, "%s holds %zu datasets; a table can have %d columns", path, n, MAX_COLUMN);
  if (!status) status = sdn_table_set_columns(t, n, err);
  if (!status && !(h->column = sdn_alloc(n, sizeof *h->column, "a table's columns", err))) status = err->status;
  if (!status && !(length = sdn_alloc(n, sizeof *length, "lengths of columns", err))) status = err->status;
  if (!status) put_in_order(h, name, n);
  h->n_column = t->n_column;
  for (int i = 0; i < t->n_column && !status; i++) status = describe_column(t, i, prefix, name[i], &length[i], err);
  if (!status) status = settle_length(t, length, err);
  sdn_release(name);
  sdn_release(length);
  return status;
}
