/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables for writing: what is the same for all formats. */
#include "base/table_internal.h"

#include <ctype.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"

#define MAX_EXACT_INTEGER 9007199254740992.0   /* 2^53 */
#define MAX_KEY 8                              /* characters: what a FITS keyword may have */

static bool ends_with(const char *path, const char *extension)
{
  size_t n = strlen(path), m = strlen(extension);
  return n > m && strcasecmp(path + n - m, extension) == 0;
}

static sdn_status check_column(const char *path, int i, const sdn_column *col, sdn_err *err)
{
  const char *name = col[i].name;
  if (!name[0]) return sdn_fail(err, SDN_USAGE, "%s: column %d has no name", path, i + 1);
  if (strpbrk(name, "\r\n")) return sdn_fail(err, SDN_USAGE, "%s: the name of column %d holds a line end", path, i + 1);
  for (int j = 0; j < i; j++)   /* FITS names know no case, so one table can be written in every format */
    if (strcasecmp(name, col[j].name) == 0)
      return sdn_fail(err, SDN_USAGE, "%s: columns %d and %d are both named '%s'; rename one", path, j + 1, i + 1, name);
  if (col[i].kind == SDN_COLUMN_TEXT && col[i].width < 1)
    return sdn_fail(err, SDN_USAGE, "%s: text column '%s' has a width of %d characters", path, name, col[i].width);
  return SDN_OK;
}

static sdn_status check_meta(const char *path, int n_meta, const sdn_meta *meta, sdn_err *err)
{
  for (int i = 0; i < n_meta; i++) {
    const size_t n = strlen(meta[i].key);
    bool good = n >= 1 && n <= MAX_KEY;
    for (const char *c = meta[i].key; good && *c; c++) good = isalnum((unsigned char)*c) || *c == '_' || *c == '-';
    if (!good)
      return sdn_fail(err, SDN_USAGE, "%s: header key '%.40s' is not 1 to %d letters, digits, '_' or '-'", path, meta[i].key, MAX_KEY);
  }
  return SDN_OK;
}

static sdn_status check_request(const char *path, int n_col, const sdn_column *col, int n_meta, const sdn_meta *meta, sdn_err *err)
{
  if (n_col < 1) return sdn_fail(err, SDN_USAGE, "%s: a table needs at least one column", path);
  for (int i = 0; i < n_col; i++)
    if (check_column(path, i, col, err)) return err->status;
  return check_meta(path, n_meta, meta, err);
}

static sdn_status create_as(sdn_table_out *t, int n_meta, const sdn_meta *meta, sdn_err *err)
{
  if (ends_with(t->path, ".fits") || ends_with(t->path, ".fit")) return sdn_table_create_fits(t, n_meta, meta, err);
  if (ends_with(t->path, ".csv")) return sdn_table_create_csv(t, false, n_meta, meta, err);
  if (ends_with(t->path, ".ecsv")) return sdn_table_create_csv(t, true, n_meta, meta, err);
  if (ends_with(t->path, ".h5") || ends_with(t->path, ".hdf5")) return sdn_table_create_h5(t, n_meta, meta, err);
  return sdn_fail(err, SDN_USAGE, "%s: the extension says no format that can be written; choose one of %s", t->path, SDN_TABLE_FORMATS);
}

static void free_out(sdn_table_out *t)
{
  sdn_release(t->column);
  sdn_release(t->part);
  sdn_release(t->path);
  sdn_release(t);
}

sdn_status sdn_table_create(const char *path, int n_col, const sdn_column *col, int n_meta, const sdn_meta *meta, sdn_table_out **table,
                            sdn_err *err)
{
  *table = NULL;
  if (check_request(path, n_col, col, n_meta, meta, err)) return err->status;
  sdn_table_out *t = sdn_alloc(1, sizeof *t, "a table", err);
  if (!t) return err->status;
  t->path = sdn_copy_text(path, err);
  t->part = t->path ? sdn_part_name(path, err) : NULL;
  t->column = t->part ? sdn_alloc((size_t)n_col, sizeof *col, "a table's columns", err) : NULL;
  if (!t->column) {
    free_out(t);
    return err->status;
  }
  memcpy(t->column, col, (size_t)n_col * sizeof *col);
  t->n_column = n_col;
  for (int i = 0; i < n_col; i++) t->n_text += col[i].kind == SDN_COLUMN_TEXT;
  if (create_as(t, n_meta, meta, err)) sdn_table_abandon(t);
  else *table = t;
  return *table ? SDN_OK : err->status;
}

static sdn_status check_number(const sdn_table_out *t, int j, double value, long row, sdn_err *err)
{
  if (t->column[j].kind != SDN_COLUMN_LONG || isnan(value)) return SDN_OK;
  if (fabs(value) <= MAX_EXACT_INTEGER && value == trunc(value)) return SDN_OK;
  return sdn_fail_row(err, SDN_NUMERIC, row, "%s: row %ld of the integer column '%s' would hold %g, which is no whole number below 2^53", t->path,
                      row, t->column[j].name, value);
}

/* Everything is looked at before anything is written, so that a block is written whole or not at all. */
static sdn_status check_rows(const sdn_table_out *t, long n, const double *numbers, const char *const *texts, sdn_err *err)
{
  if (n < 0 || (n > 0 && ((!numbers && t->n_text < t->n_column) || (!texts && t->n_text > 0))))
    return sdn_fail(err, SDN_USAGE, "%s: %ld rows to append, but their numbers or texts are missing", t->path, n);
  for (long i = 0; i < n; i++) {
    for (int j = 0, k = 0; j < t->n_column; j++) {
      if (t->column[j].kind != SDN_COLUMN_TEXT) {
        if (check_number(t, j, numbers[i * t->n_column + j], t->n_row + i, err)) return err->status;
        continue;
      }
      const char *text = texts[i * t->n_text + k++];
      if (text && strlen(text) > (size_t)t->column[j].width)
        return sdn_fail_row(err, SDN_USAGE, t->n_row + i, "%s: row %ld of '%s' would hold '%.60s', %zu bytes; the column has room for %d", t->path,
                            t->n_row + i, t->column[j].name, text, strlen(text), t->column[j].width);
    }
  }
  return SDN_OK;
}

sdn_status sdn_table_append(sdn_table_out *t, long n, const double *numbers, const char *const *texts, sdn_err *err)
{
  if (check_rows(t, n, numbers, texts, err)) return err->status;
  if (n == 0) return SDN_OK;
  if (t->writer->append(t, n, numbers, texts, err)) return err->status;
  t->n_row += n;
  return SDN_OK;
}

sdn_status sdn_table_finish(sdn_table_out *t, sdn_err *err)
{
  sdn_status status = t->writer->close(t->self, err);
  t->self = NULL;
  if (!status) status = sdn_part_finish(t->part, t->path, err);
  if (status) remove(t->part);
  free_out(t);
  return status;
}

void sdn_table_abandon(sdn_table_out *t)
{
  sdn_err ignored;
  if (!t) return;
  if (t->writer && t->self) {
    t->writer->close(t->self, &ignored);
    remove(t->part);
  }
  free_out(t);
}
