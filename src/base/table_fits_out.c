/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FITS binary tables for writing. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/fits_error.h"
#include "base/table_internal.h"

#define MAX_COLUMN 999      /* FITS: TFIELDS */
#define MAX_NAME 68         /* characters of one header card's value */
#define NULL_LONG LLONG_MIN /* TNULL: no double below 2^53 reaches it */

typedef struct fits_out { fitsfile *file; char *path; void *values; long n_at_once; } fits_out;

static sdn_status close_fits_out(void *self, sdn_err *err)
{
  fits_out *f = self;
  int status = 0;
  if (f->file) fits_close_file(f->file, &status);
  if (status) sdn_fits_fail(f->path, status, err, "cannot write this file to its end; is the disk full?");
  const bool failed = status != 0;
  sdn_release(f->values);
  sdn_release(f->path);
  sdn_release(f);
  return failed ? err->status : SDN_OK;
}

static LONGLONG as_integer(double value) { return isnan(value) ? NULL_LONG : (LONGLONG)value; }

/* Rounded to the nearest float; beyond its range infinite, as IEEE has it. */
static float as_float(double value)
{
  if (fabs(value) > (double)FLT_MAX) return value > 0 ? INFINITY : -INFINITY;
  return (float)value;
}

/* m rows of column j, numbers [.][n_column] from `first` on. */
static int write_numbers(sdn_table_out *t, int j, long row, long m, const double *first)
{
  fits_out *f = t->self;
  int status = 0, type = TDOUBLE;
  double *d = f->values;
  float *s = f->values;
  LONGLONG *k = f->values;
  switch (t->column[j].kind) {
  case SDN_COLUMN_LONG:
    type = TLONGLONG;
    for (long i = 0; i < m; i++) k[i] = as_integer(first[i * t->n_column + j]);
    break;
  case SDN_COLUMN_FLOAT:
    type = TFLOAT;
    for (long i = 0; i < m; i++) s[i] = as_float(first[i * t->n_column + j]);
    break;
  default:
    for (long i = 0; i < m; i++) d[i] = first[i * t->n_column + j];
  }
  fits_write_col(f->file, type, j + 1, row + 1, 1, m, f->values, &status);
  return status;
}

static int write_texts(sdn_table_out *t, int j, int k, long row, long m, const char *const *first)
{
  static char empty[] = "";
  fits_out *f = t->self;
  char **texts = f->values;
  int status = 0;
  for (long i = 0; i < m; i++) {
    const char *text = first[i * t->n_text + k];
    texts[i] = text ? (char *)(size_t)text : empty;   /* CFITSIO takes no const, and writes nothing there */
  }
  fits_write_col(f->file, TSTRING, j + 1, row + 1, 1, m, texts, &status);
  return status;
}

static sdn_status append_fits(sdn_table_out *t, long n, const double *numbers, const char *const *texts, sdn_err *err)
{
  fits_out *f = t->self;
  for (long from = 0; from < n; from += f->n_at_once) {
    const long m = n - from < f->n_at_once ? n - from : f->n_at_once, row = t->n_row + from;
    for (int j = 0, k = 0; j < t->n_column; j++) {
      const int status = t->column[j].kind == SDN_COLUMN_TEXT ? write_texts(t, j, k++, row, m, texts + from * t->n_text)
                                                              : write_numbers(t, j, row, m, numbers + from * t->n_column);
      if (status)
        return sdn_fits_fail(t->path, status, err, "cannot write column '%s' from row %ld on; is the disk full?", t->column[j].name, row + 1);
    }
  }
  return SDN_OK;
}

static const sdn_table_writer fits_writer = {append_fits, close_fits_out};

static bool is_plain_ascii(const char *text)
{
  for (; *text; text++)
    if (*text < ' ' || *text > '~') return false;
  return true;
}

static sdn_status check_names(const sdn_table_out *t, sdn_err *err)
{
  if (t->n_column > MAX_COLUMN)
    return sdn_fail(err, SDN_USAGE, "%s: %d columns; a FITS table can have %d; write .h5 or .ecsv", t->path, t->n_column, MAX_COLUMN);
  for (int j = 0; j < t->n_column; j++) {
    const sdn_column *c = &t->column[j];
    if (strlen(c->name) > MAX_NAME || !is_plain_ascii(c->name) || !is_plain_ascii(c->unit))
      return sdn_fail(err, SDN_USAGE, "%s: a FITS header cannot hold the column '%s' [%s]: at most %d plain ASCII characters; write .h5 or .ecsv",
                      t->path, c->name, c->unit, MAX_NAME);
  }
  return SDN_OK;
}

/* A text of any length and content under a keyword. */
static sdn_status write_key(sdn_table_out *t, const char *key, const char *value, sdn_err *err)
{
  fits_out *f = t->self;
  sdn_text text = {0};
  int status = 0;
  sdn_table_add_value(&text, value, true);
  if (sdn_text_done(&text, err)) status = MEMORY_ALLOCATION;
  else fits_write_key_longstr(f->file, key, text.data ? text.data : "", NULL, &status);
  sdn_text_free(&text);
  return status ? sdn_fits_fail(t->path, status, err, "cannot write the keyword %s", key) : SDN_OK;
}

static sdn_status write_column_keys(sdn_table_out *t, sdn_err *err)
{
  fits_out *f = t->self;
  char key[FLEN_KEYWORD];
  for (int j = 0; j < t->n_column; j++) {
    int status = 0;
    LONGLONG null = NULL_LONG;
    snprintf(key, sizeof key, "TNULL%d", j + 1);
    if (t->column[j].kind == SDN_COLUMN_LONG && fits_write_key(f->file, TLONGLONG, key, &null, "no value", &status))
      return sdn_fits_fail(t->path, status, err, "cannot write the keyword %s", key);
    snprintf(key, sizeof key, "TCOMM%d", j + 1);
    if (t->column[j].description[0] && write_key(t, key, t->column[j].description, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status make_table(sdn_table_out *t, sdn_err *err)
{
  fits_out *f = t->self;
  const size_t n = (size_t)t->n_column;
  char **name = sdn_alloc(3 * n, sizeof *name, "column names", err), (*form)[24] = sdn_alloc(n, sizeof *form, "column formats", err);
  if (!name || !form) goto done;
  for (size_t j = 0; j < n; j++) {
    static const char *const code[] = {[SDN_COLUMN_DOUBLE] = "D", [SDN_COLUMN_FLOAT] = "E", [SDN_COLUMN_LONG] = "K"};
    sdn_column *c = &t->column[j];
    if (c->kind == SDN_COLUMN_TEXT) snprintf(form[j], sizeof form[j], "%dA", c->width);
    else snprintf(form[j], sizeof form[j], "%s", code[c->kind]);
    name[j] = c->name;
    name[n + j] = form[j];
    name[2 * n + j] = c->unit;
  }
  int status = 0;
  fits_create_tbl(f->file, BINARY_TBL, 0, t->n_column, name, name + n, name + 2 * n, "SEDNA", &status);
  if (status) sdn_fits_fail(t->path, status, err, "cannot write the table's header");
done:
  sdn_release(name);
  sdn_release(form);
  return err->status;
}

static sdn_status make_buffer(sdn_table_out *t, sdn_err *err)
{
  fits_out *f = t->self;
  int status = 0;
  if (fits_get_rowsize(f->file, &f->n_at_once, &status) || f->n_at_once < 1) f->n_at_once = 1;
  f->values = sdn_alloc((size_t)f->n_at_once, sizeof(double), "a column's values", err);
  return f->values ? SDN_OK : err->status;
}

sdn_status sdn_table_create_fits(sdn_table_out *t, int n_meta, const sdn_meta *meta, sdn_err *err)
{
  int status = 0;
  sdn_err_clear(err);
  if (check_names(t, err)) return err->status;
  fits_out *f = sdn_alloc(1, sizeof *f, "a FITS table", err);
  if (!f) return err->status;
  t->writer = &fits_writer;
  t->self = f;
  f->path = sdn_copy_text(t->path, err);
  char *name = f->path ? sdn_fits_name(t->part, err) : NULL;
  if (!name) return err->status;
  remove(t->part);   /* CFITSIO replaces nothing */
  fits_create_diskfile(&f->file, name, &status);
  sdn_release(name);
  if (status) return sdn_fits_fail(t->path, status, err, "cannot create this file; does its folder exist, and may you write there?");
  if (make_table(t, err) || write_column_keys(t, err)) return err->status;
  for (int i = 0; i < n_meta; i++)
    if (write_key(t, meta[i].key, meta[i].value, err)) return err->status;
  return make_buffer(t, err);
}
