/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables for reading: which format a file has, and what is the same for all formats. */
#include "base/table_internal.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "base/number.h"

#define N_MAGIC 16

typedef enum format { FORMAT_UNKNOWN, FORMAT_FITS, FORMAT_CSV, FORMAT_ECSV, FORMAT_H5, FORMAT_GZIP } format;

static bool ends_with(const char *path, const char *extension)
{
  size_t n = strlen(path), m = strlen(extension);
  return n > m && strcasecmp(path + n - m, extension) == 0;
}

static format format_of_name(const char *path)
{
  static const struct { const char *extension; format format; } known[] = {
      {".fits", FORMAT_FITS}, {".fit", FORMAT_FITS},   {".fits.gz", FORMAT_FITS}, {".fit.gz", FORMAT_FITS},
      {".csv", FORMAT_CSV},   {".ecsv", FORMAT_ECSV}, {".h5", FORMAT_H5},        {".hdf5", FORMAT_H5}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (ends_with(path, known[i].extension)) return known[i].format;
  return FORMAT_UNKNOWN;
}

static format format_of_bytes(const unsigned char *bytes, size_t n)
{
  static const struct { const char *bytes; size_t n; format format; } known[] = {
      {"SIMPLE  =", 9, FORMAT_FITS}, {"\211HDF\r\n\032\n", 8, FORMAT_H5}, {"# %ECSV ", 8, FORMAT_ECSV}, {"\037\213", 2, FORMAT_GZIP}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (n >= known[i].n && memcmp(bytes, known[i].bytes, known[i].n) == 0) return known[i].format;
  return FORMAT_UNKNOWN;
}

/* What the bytes say goes before what the name says. */
static sdn_status find_format(const char *path, format *found, sdn_err *err)
{
  unsigned char bytes[N_MAGIC];
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode))   /* asked first: to open a pipe would wait for its writer */
    return sdn_fail(err, SDN_IO, "cannot read %s: it is no regular file, and tables are read more than once", path);
  FILE *file = fopen(path, "rb");
  if (!file) return sdn_fail(err, SDN_IO, "cannot read %s: %s", path, strerror(errno));
  const size_t n = fread(bytes, 1, sizeof bytes, file);
  const bool broken = ferror(file) != 0;
  fclose(file);
  if (broken) return sdn_fail(err, SDN_IO, "cannot read %s: %s", path, strerror(errno));
  if (n == 0) return sdn_fail(err, SDN_FORMAT, "%s is empty", path);
  const format named = format_of_name(path), marked = format_of_bytes(bytes, n);
  if (marked == FORMAT_GZIP && named != FORMAT_FITS)
    return sdn_fail(err, SDN_FORMAT, "%s is compressed by gzip, which is read for .fits.gz only; unpack it first", path);
  *found = marked == FORMAT_GZIP ? FORMAT_FITS : marked != FORMAT_UNKNOWN ? marked : named;
  if (*found == FORMAT_UNKNOWN)
    return sdn_fail(err, SDN_USAGE, "%s: the table's format is not recognised; %s are read", path, SDN_TABLE_FORMATS ", .fits.gz");
  if (marked == FORMAT_UNKNOWN && (named == FORMAT_FITS || named == FORMAT_ECSV))
    return sdn_fail(err, SDN_FORMAT, "%s does not begin as %s file does; it is damaged or has the wrong extension", path,
                    named == FORMAT_FITS ? "a FITS" : "an ECSV");
  return SDN_OK;
}

/* "file.fits[NAME]": where there is no file of the whole name, the bracket picks an HDU. *hdu is NULL or points into *file. */
static sdn_status split_path(const char *path, char **file, char **hdu, sdn_err *err)
{
  struct stat info;
  *hdu = NULL;
  *file = sdn_copy_text(path, err);
  if (!*file) return err->status;
  size_t n = strlen(path);
  char *bracket = strrchr(*file, '[');
  if (n < 3 || path[n - 1] != ']' || !bracket || bracket == *file || stat(path, &info) == 0) return SDN_OK;
  (*file)[n - 1] = '\0';
  *bracket = '\0';
  *hdu = bracket + 1;
  return SDN_OK;
}

static sdn_status open_as(sdn_table_in *t, const char *file, const char *hdu, sdn_err *err)
{
  format found = FORMAT_UNKNOWN;
  if (find_format(file, &found, err)) return err->status;
  if (hdu && found != FORMAT_FITS)
    return sdn_fail(err, SDN_USAGE, "%s: [%s] picks a table in a FITS file; this is none", file, hdu);
  if (found == FORMAT_FITS) return sdn_table_open_fits(t, file, hdu, err);
  if (found == FORMAT_H5) return sdn_table_open_h5(t, file, err);
  return sdn_table_open_csv(t, file, found == FORMAT_ECSV, err);
}

sdn_status sdn_table_open(const char *path, sdn_table_in **table, sdn_err *err)
{
  char *file = NULL, *hdu = NULL;
  *table = NULL;
  sdn_table_in *t = sdn_alloc(1, sizeof *t, "a table", err);
  if (!t) return err->status;
  sdn_status status = split_path(path, &file, &hdu, err);
  if (!status && (!(t->path = sdn_copy_text(path, err)) || !(t->names = sdn_arena_new(err)))) status = err->status;
  if (!status) status = open_as(t, file, hdu, err);
  sdn_release(file);
  if (status) sdn_table_close(t);
  else *table = t;
  return status;
}

void sdn_table_close(sdn_table_in *t)
{
  if (!t) return;
  if (t->reader && t->self) t->reader->close(t->self);
  sdn_arena_free(t->names);
  sdn_release(t->column);
  sdn_release(t->path);
  sdn_release(t);
}

sdn_status sdn_table_set_columns(sdn_table_in *t, size_t n, sdn_err *err)
{
  if (n > INT_MAX) return sdn_fail(err, SDN_FORMAT, "%s: %zu columns are too many", t->path, n);
  t->column = sdn_alloc(n, sizeof *t->column, "a table's columns", err);
  if (!t->column) return err->status;
  for (size_t i = 0; i < n; i++) t->column[i] = (sdn_column_in){.name = "", .unit = "", .width = 1};
  t->n_column = (int)n;
  return SDN_OK;
}

const char *sdn_table_keep(sdn_table_in *t, const char *text, size_t n, sdn_err *err)
{
  char *copy = sdn_arena_take(t->names, n + 1, 1, err);
  if (!copy) return NULL;
  memcpy(copy, text, n);
  copy[n] = '\0';
  return copy;
}

long sdn_table_n_row(const sdn_table_in *t) { return t->n_row; }
int sdn_table_n_column(const sdn_table_in *t) { return t->n_column; }
const char *sdn_table_column(const sdn_table_in *t, int i) { return t->column[i].name; }
const char *sdn_table_unit(const sdn_table_in *t, int i) { return t->column[i].unit; }
bool sdn_table_is_text(const sdn_table_in *t, int i) { return t->column[i].text; }
int sdn_table_width(const sdn_table_in *t, int i) { return t->column[i].width; }

int sdn_table_sum_width(const sdn_table_in *t, int n_col, const int *col)
{
  int sum = 0;
  for (int j = 0; j < n_col; j++) sum += t->column[col[j]].width;
  return sum;
}

int sdn_table_most_width(const sdn_table_in *t, int n_col, const int *col)
{
  int most = 1;
  for (int j = 0; j < n_col; j++)
    if (t->column[col[j]].width > most) most = t->column[col[j]].width;
  return most;
}

/* How many columns have this name; *at is the last of them. */
static int count_named(const sdn_table_in *t, const char *name, bool any_case, int *at)
{
  int n = 0;
  for (int i = 0; i < t->n_column; i++) {
    const char *own = t->column[i].name;
    if ((any_case ? strcasecmp(own, name) : strcmp(own, name)) != 0) continue;
    *at = i;
    n++;
  }
  return n;
}

static void say_missing(const sdn_table_in *t, const char *name, sdn_err *err)
{
  const char **names = sdn_alloc((size_t)t->n_column, sizeof *names, "the names of columns", err);
  if (!names) return;
  for (int i = 0; i < t->n_column; i++) names[i] = t->column[i].name;
  const char *near = sdn_nearest(name, names, (size_t)t->n_column);
  if (near) {
    sdn_fail(err, SDN_USAGE, "%s has no column '%s'; did you mean '%s'?", t->path, name, near);
  } else {
    char list[400] = "";
    size_t used = 0;
    for (int i = 0; i < t->n_column && used + strlen(names[i]) + 8 < sizeof list; i++)
      used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i ? ", " : "", names[i]);
    sdn_fail(err, SDN_USAGE, "%s has no column '%s'; its %d columns begin: %s", t->path, name, t->n_column, list);
  }
  sdn_release(names);
}

int sdn_table_find(const sdn_table_in *t, const char *name, sdn_err *err)
{
  int at = -1;
  int n = count_named(t, name, false, &at);
  if (n == 0) n = count_named(t, name, true, &at);
  if (n == 1) return at;
  if (n > 1) sdn_fail(err, SDN_USAGE, "%s has %d columns that could be '%s'; rename all but one", t->path, n, name);
  else say_missing(t, name, err);
  return -1;
}

static sdn_status check_request(const sdn_table_in *t, long row0, long n, bool wide, int n_col, const int *col, sdn_err *err)
{
  if (!(row0 >= 0 && n >= 0 && n <= t->n_row && row0 <= t->n_row - n))
    return sdn_fail(err, SDN_USAGE, "%s: rows %ld to %ld were asked for; it has %ld", t->path, row0, row0 + n - 1, t->n_row);
  for (int i = 0; i < n_col; i++) {
    if (!(col[i] >= 0 && col[i] < t->n_column))
      return sdn_fail(err, SDN_USAGE, "%s: column number %d was asked for; it has %d", t->path, col[i], t->n_column);
    const sdn_column_in *c = &t->column[col[i]];
    if (c->unreadable)
      return sdn_fail(err, SDN_FORMAT, "%s: column '%s' %s; only numbers and texts, one or a fixed number per row, can be read", t->path, c->name, c->unreadable);
    if (!wide && c->width != 1)
      return sdn_fail(err, SDN_FORMAT, "%s: column '%s' holds %d values per row where a single one is wanted", t->path, c->name, c->width);
  }
  return SDN_OK;
}

sdn_status sdn_table_read(sdn_table_in *t, long row0, long n, int n_col, const int *col, double *out, sdn_err *err)
{
  if (check_request(t, row0, n, false, n_col, col, err)) return err->status;
  return n == 0 || n_col == 0 ? SDN_OK : t->reader->read(t, row0, n, n_col, col, out, err);
}

sdn_status sdn_table_read_wide(sdn_table_in *t, long row0, long n, int n_col, const int *col, double *out, sdn_err *err)
{
  if (check_request(t, row0, n, true, n_col, col, err)) return err->status;
  return n == 0 || n_col == 0 ? SDN_OK : t->reader->read(t, row0, n, n_col, col, out, err);
}

sdn_status sdn_table_read_text(sdn_table_in *t, long row0, long n, int col, char ***out, sdn_err *err)
{
  *out = NULL;
  if (check_request(t, row0, n, false, 1, &col, err)) return err->status;
  return t->reader->read_text(t, row0, n, col, out, err);
}

sdn_status sdn_table_meta(sdn_table_in *t, const char *key, char **value, sdn_err *err)
{
  *value = NULL;
  return t->reader->meta(t, key, value, err);
}

static bool is_word(const char *text, size_t n, const char *word) { return strlen(word) == n && strncasecmp(text, word, n) == 0; }

bool sdn_table_number(const char *text, size_t n, double *value)
{
  while (n > 0 && isspace((unsigned char)text[0])) text++, n--;
  while (n > 0 && isspace((unsigned char)text[n - 1])) n--;
  if (sdn_number_parse(text, n, value)) return true;
  *value = NAN;
  if (n == 0 || is_word(text, n, "nan") || is_word(text, n, "null") || is_word(text, n, "--")) return true;
  const bool sign = text[0] == '-' || text[0] == '+';
  if (is_word(text + sign, n - sign, "nan")) return true;
  *value = text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
  return is_word(text + sign, n - sign, "inf") || is_word(text + sign, n - sign, "infinity");
}

sdn_status sdn_table_text_block(const sdn_text *text, long n, char ***out, sdn_err *err)
{
  if (sdn_text_done(text, err)) return err->status;
  const size_t head = (size_t)n * sizeof(char *);
  char **block = sdn_alloc(head + text->n + 1, 1, "texts of a column", err);
  if (!block) return err->status;
  char *at = (char *)block + head;
  if (text->n) memcpy(at, text->data, text->n);
  for (long i = 0; i < n; i++, at += strlen(at) + 1) block[i] = at;
  *out = block;
  return SDN_OK;
}
