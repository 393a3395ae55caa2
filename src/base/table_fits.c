/* SPDX-License-Identifier: GPL-3.0-or-later */
/* FITS tables, binary and ASCII, for reading. */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <stdlib.h>

#include "base/fits_error.h"
#include "base/number.h"
#include "base/table_internal.h"

typedef struct fits_column {
  int type;     /* CFITSIO's, once scaled */
  bool real;    /* IEEE numbers in the file, whose only null is NaN */
  long width;   /* characters of a text */
} fits_column;

typedef struct fits_in { fitsfile *file; fits_column *column; long n_at_once; } fits_in;

static void close_fits(void *self)
{
  fits_in *f = self;
  int status = 0;
  if (f->file) fits_close_file(f->file, &status);
  fits_clear_errmsg();
  sdn_release(f->column);
  sdn_release(f);
}

static sdn_status cannot_read(const sdn_table_in *t, int col, long row, int status, sdn_err *err)
{
  return sdn_fits_fail(t->path, status, err, "column '%s' cannot be read from row %ld on; the file is damaged", t->column[col].name, row + 1);
}

/* ------------------------------------------------------------------ values */

static sdn_status read_logicals(sdn_table_in *t, int col, long row, long n, double *out, sdn_err *err)
{
  fits_in *f = t->self;
  int status = 0, any_null = 0;
  char *value = sdn_alloc((size_t)n, 2, "logical values", err), *null = value ? value + n : NULL;
  if (!value) return err->status;
  fits_read_colnull(f->file, TLOGICAL, col + 1, row + 1, 1, n, value, null, &any_null, &status);
  for (long i = 0; i < n; i++) out[i] = null[i] ? (double)NAN : value[i] ? 1 : 0;
  sdn_release(value);
  return status ? cannot_read(t, col, row, status, err) : SDN_OK;
}

/* Blanks at the end are filling; CFITSIO leaves one of them in an empty text. */
static void trim(char *text)
{
  size_t n = strlen(text);
  while (n > 0 && text[n - 1] == ' ') n--;
  text[n] = '\0';
}

/* Rows of a text column: *text [n] in one block. */
static sdn_status read_strings(sdn_table_in *t, int col, long row, long n, char ***text, sdn_err *err)
{
  fits_in *f = t->self;
  int status = 0, any_null = 0;
  char none[] = "";
  const size_t size = (size_t)f->column[col].width + 1;
  *text = NULL;
  if (size > (size_t)INT_MAX / 2) return sdn_fail(err, SDN_FORMAT, "%s: texts of %zu bytes in column '%s'", t->path, size, t->column[col].name);
  char **block = sdn_alloc((size_t)n, sizeof *block + size, "texts of a column", err);
  if (!block) return err->status;
  for (long i = 0; i < n; i++) block[i] = (char *)(block + n) + (size_t)i * size;
  fits_read_col(f->file, TSTRING, col + 1, row + 1, 1, n, none, block, &any_null, &status);
  for (long i = 0; i < n && !status; i++) trim(block[i]);
  if (status) sdn_release(block);
  else *text = block;
  return status ? cannot_read(t, col, row, status, err) : SDN_OK;
}

static sdn_status read_string_numbers(sdn_table_in *t, int col, long row, long n, double *out, sdn_err *err)
{
  char **text;
  sdn_status status = read_strings(t, col, row, n, &text, err);
  for (long i = 0; i < n && !status; i++)
    if (!sdn_table_number(text[i], strlen(text[i]), &out[i]))
      status = sdn_fail_row(err, SDN_FORMAT, row + i, "%s: row %ld, column '%s': '%.60s' is no number", t->path, row + i + 1, t->column[col].name,
                            text[i]);
  sdn_release(text);
  return status;
}

/* One column's rows as numbers, out [n][width]; what is null or not finite is NaN. */
static sdn_status read_numbers(sdn_table_in *t, int col, long row, long n_row, double *out, sdn_err *err)
{
  fits_in *f = t->self;
  const long n = n_row * t->column[col].width;
  int status = 0, any_null = 0;
  double null = f->column[col].real ? 0 : (double)NAN;   /* 0: no look for nulls, which would also lose -0 and the smallest numbers */
  if (f->column[col].type == TLOGICAL) return read_logicals(t, col, row, n, out, err);
  if (f->column[col].type == TSTRING) return read_string_numbers(t, col, row, n, out, err);
  fits_read_col(f->file, TDOUBLE, col + 1, row + 1, 1, n, &null, out, &any_null, &status);
  for (long i = 0; i < n; i++)
    if (!isfinite(out[i])) out[i] = NAN;
  return status ? cannot_read(t, col, row, status, err) : SDN_OK;
}

/* In runs of rows that fit into CFITSIO's buffers, so that reading column by column reads the file once. */
static sdn_status read_fits(sdn_table_in *t, long row0, long n, int n_col, const int *col, double *out, sdn_err *err)
{
  fits_in *f = t->self;
  const int n_value = sdn_table_sum_width(t, n_col, col);
  double *values = sdn_alloc((size_t)f->n_at_once * (size_t)sdn_table_most_width(t, n_col, col), sizeof *values, "a column's values", err);
  if (!values) return err->status;
  sdn_status status = SDN_OK;
  for (long from = 0; from < n && !status; from += f->n_at_once) {
    const long m = n - from < f->n_at_once ? n - from : f->n_at_once;
    for (int j = 0, at = 0; j < n_col && !status; at += t->column[col[j++]].width) {
      const size_t width = (size_t)t->column[col[j]].width;
      status = read_numbers(t, col[j], row0 + from, m, values, err);
      for (long i = 0; i < m && !status; i++) memcpy(out + (from + i) * n_value + at, values + (size_t)i * width, width * sizeof *values);
    }
  }
  sdn_release(values);
  return status;
}

static void add_cell(sdn_text *text, const char *cell) { sdn_text_add_bytes(text, cell, strlen(cell) + 1); }

/* Integers keep all their digits: they do not pass through a double. */
static sdn_status print_integers(sdn_table_in *t, int col, long row, long n, sdn_text *text, sdn_err *err)
{
  fits_in *f = t->self;
  const bool is_unsigned = f->column[col].type == TULONGLONG;
  int status = 0, any_null = 0;
  char cell[SDN_NUMBER_SIZE];
  LONGLONG *value = sdn_alloc((size_t)n, sizeof *value + 1, "a column's values", err);
  if (!value) return err->status;
  char *null = (char *)(value + n);
  fits_read_colnull(f->file, is_unsigned ? TULONGLONG : TLONGLONG, col + 1, row + 1, 1, n, value, null, &any_null, &status);
  for (long i = 0; i < n && !status; i++) {
    if (is_unsigned) snprintf(cell, sizeof cell, "%llu", (unsigned long long)value[i]);
    else snprintf(cell, sizeof cell, "%lld", (long long)value[i]);
    add_cell(text, null[i] ? "" : cell);
  }
  sdn_release(value);
  return status ? cannot_read(t, col, row, status, err) : SDN_OK;
}

static sdn_status print_reals(sdn_table_in *t, int col, long row, long n, sdn_text *text, sdn_err *err)
{
  const fits_in *f = t->self;
  char cell[SDN_NUMBER_SIZE];
  double *value = sdn_alloc((size_t)n, sizeof *value, "a column's values", err);
  sdn_status status = value ? read_numbers(t, col, row, n, value, err) : err->status;
  for (long i = 0; i < n && !status; i++) {
    if (f->column[col].type == TFLOAT) sdn_number_print_float((float)value[i], cell);
    else sdn_number_print(value[i], cell);
    add_cell(text, isnan(value[i]) ? "" : cell);
  }
  sdn_release(value);
  return status;
}

static sdn_status read_fits_text(sdn_table_in *t, long row0, long n, int col, char ***out, sdn_err *err)
{
  const fits_in *f = t->self;
  sdn_text text = {0};
  sdn_status status;
  switch (f->column[col].type) {
  case TSTRING: return read_strings(t, col, row0, n, out, err);
  case TFLOAT:
  case TDOUBLE:
  case TLOGICAL: status = print_reals(t, col, row0, n, &text, err); break;
  default: status = print_integers(t, col, row0, n, &text, err);
  }
  if (!status) status = sdn_table_text_block(&text, n, out, err);
  sdn_text_free(&text);
  return status;
}

/* ------------------------------------------------------------------ header */

/* A keyword of the HDU that is current: a copy of its whole text, or NULL (status tells a failure from an absent key). */
static char *key_text(fitsfile *file, const char *key, int *status, sdn_err *err)
{
  char *value = NULL;
  fits_read_key_longstr(file, key, &value, NULL, status);
  if (*status == KEY_NO_EXIST || *status == VALUE_UNDEFINED || *status == COL_NOT_FOUND) *status = 0;
  fits_clear_errmsg();
  if (*status || !value) return NULL;
  char *copy = sdn_copy_text(value, err);
  int ignored = 0;
  fits_free_memory(value, &ignored);
  return copy;
}

static bool is_keyword(const char *key)
{
  const size_t n = strlen(key);
  return n > 0 && n <= 8 && strspn(key, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") == n;
}

/* Of the table, or else of the file's first header. */
static sdn_status read_fits_meta(sdn_table_in *t, const char *key, char **value, sdn_err *err)
{
  fits_in *f = t->self;
  int status = 0, here = 1, again = 0;
  sdn_err_clear(err);
  if (is_keyword(key)) {
    *value = key_text(f->file, key, &status, err);
    if (!*value && !status && !err->status) {
      fits_get_hdu_num(f->file, &here);
      fits_movabs_hdu(f->file, 1, NULL, &status);
      *value = status ? NULL : key_text(f->file, key, &status, err);
      fits_movabs_hdu(f->file, here, NULL, &again);
    }
  }
  if (status || again) {
    sdn_release(*value);
    *value = NULL;
    return sdn_fits_fail(t->path, status ? status : again, err, "keyword '%s' cannot be read", key);
  }
  if (*value) sdn_table_plain_value(*value);
  else if (!err->status) *value = sdn_copy_text("", err);
  return *value ? SDN_OK : err->status;
}

static const sdn_table_reader fits_reader = {read_fits, read_fits_text, read_fits_meta, close_fits};

/* Name or unit of a column; "" if its keyword is absent. */
static sdn_status column_text(sdn_table_in *t, const char *root, int col, const char **out, sdn_err *err)
{
  fits_in *f = t->self;
  char key[FLEN_KEYWORD];
  int status = 0;
  sdn_err_clear(err);
  snprintf(key, sizeof key, "%s%d", root, col + 1);
  char *text = key_text(f->file, key, &status, err);
  if (status) return sdn_fits_fail(t->path, status, err, "keyword %s cannot be read", key);
  if (err->status) return err->status;
  if (text) *out = sdn_table_keep(t, text, strlen(text), err);
  sdn_release(text);
  return *out ? SDN_OK : err->status;
}

/* Numbers per row of a column that holds them, 1 of a text. A width that no table of ours can need is left to be unreadable. */
static int width_of(int type, LONGLONG repeat) { return type != TSTRING && repeat > 1 && repeat <= SDN_TABLE_MAX_WIDTH ? (int)repeat : 1; }

/* Why the column holds neither numbers nor a text, or NULL. */
static const char *unreadable(sdn_table_in *t, int type, LONGLONG repeat, LONGLONG width, bool *failed, sdn_err *err)
{
  char why[80];
  if (type < 0) return "holds arrays of varying length";
  if (type == TBIT) return "holds bits";
  if (type == TCOMPLEX || type == TDBLCOMPLEX) return "holds complex numbers";
  const LONGLONG n = type == TSTRING && width > 0 ? repeat / width : repeat;
  if (n == 1 || (type == TSTRING ? repeat == 0 : n > 1 && n <= SDN_TABLE_MAX_WIDTH)) return NULL;
  snprintf(why, sizeof why, "holds %lld %s per row", (long long)n, type == TSTRING ? "texts" : "values");
  const char *kept = sdn_table_keep(t, why, strlen(why), err);
  *failed = !kept;
  return kept;
}

static sdn_status describe_column(sdn_table_in *t, int col, sdn_err *err)
{
  fits_in *f = t->self;
  sdn_column_in *c = &t->column[col];
  int type = 0, stored = 0, kind = 0, status = 0;
  LONGLONG repeat = 0, width = 0;
  bool failed = false;
  if (column_text(t, "TTYPE", col, &c->name, err) || column_text(t, "TUNIT", col, &c->unit, err)) return err->status;
  fits_get_hdu_type(f->file, &kind, &status);
  fits_get_coltypell(f->file, col + 1, &stored, &repeat, &width, &status);
  fits_get_eqcoltypell(f->file, col + 1, &type, &repeat, &width, &status);
  if (status)
    return sdn_fits_fail(t->path, status, err, "column %d ('%s') is of no known kind", col + 1, c->name);
  c->text = type == TSTRING;
  c->unreadable = unreadable(t, type, repeat, width, &failed, err);
  c->width = c->unreadable ? 1 : width_of(type, repeat);
  f->column[col] = (fits_column){
      .type = type, .real = kind == BINARY_TBL && (stored == TFLOAT || stored == TDOUBLE),
      .width = (long)(repeat > width ? repeat : width)};
  return failed ? err->status : SDN_OK;
}

/* A header that promises more than the file holds is found here, not after hours. */
static sdn_status check_length(sdn_table_in *t, LONGLONG n_row, sdn_err *err)
{
  fits_in *f = t->self;
  int status = 0;
  LONGLONG head, data, end;
  long width = 0;
  fits_get_hduaddrll(f->file, &head, &data, &end, &status);
  fits_read_key(f->file, TLONG, "NAXIS1", &width, NULL, &status);
  if (status) return sdn_fits_fail(t->path, status, err, "the table's header is damaged");
  const LONGLONG held = f->file->Fptr->filesize > data ? f->file->Fptr->filesize - data : 0;
  if (width < 0 || n_row < 0 || n_row > LONG_MAX) return sdn_fail(err, SDN_FORMAT, "%s: the table's header is damaged", t->path);
  if (width > 0 && n_row > held / width)
    return sdn_fail(err, SDN_FORMAT, "%s is truncated: its table should have %lld rows of %ld bytes but the file ends after %lld", t->path,
                    (long long)n_row, width, (long long)(held / width));
  return SDN_OK;
}

static sdn_status describe(sdn_table_in *t, sdn_err *err)
{
  fits_in *f = t->self;
  int status = 0, n_col = 0, packed = 0;
  LONGLONG n_row = 0;
  fits_get_num_rowsll(f->file, &n_row, &status);
  fits_get_num_cols(f->file, &n_col, &status);
  if (status) return sdn_fits_fail(t->path, status, err, "the table's header is damaged");
  if (check_length(t, n_row, err)) return err->status;
  fits_read_key(f->file, TLOGICAL, "ZTABLE", &packed, NULL, &status);
  fits_clear_errmsg();
  if (!status && packed) return sdn_fail(err, SDN_FORMAT, "%s holds a tile-compressed table; unpack it with funpack", t->path);
  if (sdn_table_set_columns(t, (size_t)n_col, err)) return err->status;
  f->column = sdn_alloc((size_t)n_col, sizeof *f->column, "a table's columns", err);
  if (!f->column) return err->status;
  t->n_row = (long)n_row;
  for (int i = 0; i < n_col; i++)
    if (describe_column(t, i, err)) return err->status;
  status = 0;
  if (fits_get_rowsize(f->file, &f->n_at_once, &status) || f->n_at_once < 1) f->n_at_once = 1;
  return SDN_OK;
}

/* HDU by number as CFITSIO counts in brackets ([1]: the first after the primary one), by name, or the first table. */
static sdn_status pick_hdu(sdn_table_in *t, const char *hdu, sdn_err *err)
{
  fits_in *f = t->self;
  int status = 0, kind = IMAGE_HDU;
  char *end = NULL;
  const long number = hdu ? strtol(hdu, &end, 10) : 0;
  if (hdu && end != hdu && *end == '\0') {
    if (number < 0 || number > 1000000) status = BAD_HDU_NUM;
    else fits_movabs_hdu(f->file, (int)number + 1, &kind, &status);
  } else if (hdu) {
    char name[FLEN_VALUE];
    snprintf(name, sizeof name, "%s", hdu);
    fits_movnam_hdu(f->file, ANY_HDU, name, 0, &status);
    fits_get_hdu_type(f->file, &kind, &status);
  } else {
    for (int i = 2; !status && kind == IMAGE_HDU; i++) fits_movabs_hdu(f->file, i, &kind, &status);
  }
  if (status == END_OF_FILE || status == BAD_HDU_NUM) {
    fits_clear_errmsg();
    return hdu ? sdn_fail(err, SDN_USAGE, "%s: there is no such part of the file", t->path)
               : sdn_fail(err, SDN_FORMAT, "%s holds no table, or ends before it", t->path);
  }
  if (status) return sdn_fits_fail(t->path, status, err, "the table cannot be found; the file is damaged");
  if (kind == IMAGE_HDU) return sdn_fail(err, SDN_USAGE, "%s: this part of the file is an image, not a table", t->path);
  return SDN_OK;
}

sdn_status sdn_table_open_fits(sdn_table_in *t, const char *path, const char *hdu, sdn_err *err)
{
  int status = 0;
  fits_in *f = sdn_alloc(1, sizeof *f, "a FITS table", err);
  if (!f) return err->status;
  t->reader = &fits_reader;
  t->self = f;
  char *name = sdn_fits_name(path, err);
  if (!name) return err->status;
  fits_open_diskfile(&f->file, name, READONLY, &status);
  sdn_release(name);
  if (status) {
    sdn_fits_fail(path, status, err, "cannot open this FITS file; it is damaged or truncated");
    err->status = SDN_FORMAT;   /* it can be read (table.c tried), and CFITSIO calls damaged gzip data a lack of memory */
    return err->status;
  }
  return pick_hdu(t, hdu, err) || describe(t, err) ? err->status : SDN_OK;
}
