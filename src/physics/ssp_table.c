/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Populations as tables (CSV, ECSV, FITS, HDF5 columns), in one of two ways:
 *   rows of (age, metallicity, wavelength, light), every combination once; metallicity may be left out and told;
 *   a row for each wavelength and a column for each age, whose name holds it ("age_1e6_yr", "10 Myr"); one file for each metallicity. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "base/table.h"
#include "physics/ssp.h"

enum { AGE, METALLICITY, WAVE, LIGHT, N_WHAT, MOST_NAMES = 10, MOST_ROWS = 200000000, MOST_AGES = 100000 };
static const char *const known[N_WHAT][MOST_NAMES] = {
  {"age", "age_yr", "age_myr", "age_gyr", "log_age", "log_age_yr", "ssp_age"}, {"metallicity", "z", "zmet"},
  {"wave", "wavelength", "lambda", "lam", "wave_a", "wavelength_a", "wave_nm", "wave_um"},
  {"light", "luminosity", "spec", "spectrum", "lnu", "llam", "l_nu", "l_lambda", "flux"}};
static const struct { const char *ending, *unit; } endings[] = {
  {"log_age_yr", "log10(yr)"}, {"_yr", "yr"}, {"_myr", "Myr"}, {"_gyr", "Gyr"}, {"_a", "Angstrom"}, {"_nm", "nm"}, {"_um", "um"}};

static int find(const sdn_table_in *t, int what)
{
  for (int k = 0; k < MOST_NAMES && known[what][k]; k++)
    for (int c = 0; c < sdn_table_n_column(t); c++)
      if (strcasecmp(sdn_table_column(t, c), known[what][k]) == 0) return c;
  return -1;
}

/* The unit of a column: told, else the table's, else what its name ends in. */
static const char *unit_of(const sdn_table_in *t, int column, const char *told)
{
  const char *name = sdn_table_column(t, column), *unit = sdn_table_unit(t, column);
  const size_t n = strlen(name);
  if (told) return told;
  if (unit && *unit) return unit;
  for (size_t i = 0; i < sizeof endings / sizeof endings[0]; i++) {
    const size_t m = strlen(endings[i].ending);
    if (n >= m && strcasecmp(name + n - m, endings[i].ending) == 0) return endings[i].unit;
  }
  return NULL;
}

/* ------------------------------------------------------------------ rows of single numbers */

static int by_value(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

/* The different values in column c of rows [n][N_WHAT], ascending; err SDN_FORMAT where one is no number. */
static double *different(const double *rows, long n, int c, const char *path, int *n_out, sdn_err *err)
{
  double *value = sdn_alloc((size_t)n, sizeof *value, "values of a column", err);
  if (!value) return NULL;
  for (long i = 0; i < n; i++) {
    value[i] = rows[i * N_WHAT + c];
    if (isfinite(value[i])) continue;
    sdn_fail(err, SDN_FORMAT, "%s: row %ld lacks a number for %s", path, i + 1, known[c][0]);
    sdn_release(value);
    return NULL;
  }
  qsort(value, (size_t)n, sizeof *value, by_value);
  int m = 0;
  for (long i = 0; i < n; i++)
    if (m == 0 || value[i] != value[m - 1]) value[m++] = value[i];
  *n_out = m;
  return value;
}

static long place(const double *list, int n, double value)
{
  const double *at = bsearch(&value, list, (size_t)n, sizeof *list, by_value);
  return at ? at - list : -1;
}

/* Rows to cells; every cell once. */
static sdn_status sort_rows(const double *rows, long n, double *const *axis, const int *n_axis, const char *path, sdn_ssp *s, sdn_err *err)
{
  const size_t n_cell = (size_t)n_axis[METALLICITY] * (size_t)n_axis[AGE] * (size_t)n_axis[WAVE];
  if (n_cell != (size_t)n)
    return sdn_fail(err, SDN_FORMAT, "%s has %ld rows for %d metallicities, %d ages and %d wavelengths: each combination must stand there once", path, n, n_axis[METALLICITY],
                    n_axis[AGE], n_axis[WAVE]);
  unsigned char *seen = sdn_alloc(n_cell, 1, "marks of rows", err);
  if (!seen) return err->status;
  sdn_status status = SDN_OK;
  for (long i = 0; i < n && !status; i++) {
    const double *r = rows + i * N_WHAT;
    const size_t m = (size_t)place(axis[METALLICITY], n_axis[METALLICITY], r[METALLICITY]), a = (size_t)place(axis[AGE], n_axis[AGE], r[AGE]);
    const size_t cell = (m * (size_t)n_axis[AGE] + a) * (size_t)n_axis[WAVE] + (size_t)place(axis[WAVE], n_axis[WAVE], r[WAVE]);
    if (seen[cell]++) status = sdn_fail(err, SDN_FORMAT, "%s: row %ld repeats age %g, metallicity %g, wavelength %g", path, i + 1, r[AGE], r[METALLICITY], r[WAVE]);
    else s->light[cell] = (float)r[LIGHT];
  }
  sdn_release(seen);
  return status;
}

static sdn_status from_rows(const double *rows, long n, const char *path, sdn_ssp **s, sdn_err *err)
{
  double *axis[N_WHAT] = {NULL};
  int n_axis[N_WHAT] = {0};
  sdn_status status = SDN_OK;
  for (int c = AGE; c <= WAVE && !status; c++)
    if (!(axis[c] = different(rows, n, c, path, &n_axis[c], err))) status = err->status;
  if (!status && (size_t)n_axis[AGE] * (size_t)n_axis[METALLICITY] > (size_t)n) status = sdn_fail(err, SDN_FORMAT, "%s has too few rows for its ages and metallicities", path);
  if (!status) status = sdn_ssp_new(n_axis[METALLICITY], n_axis[AGE], n_axis[WAVE], false, s, err);
  if (!status) status = sort_rows(rows, n, axis, n_axis, path, *s, err);
  if (!status) {
    memcpy((*s)->metallicity, axis[METALLICITY], (size_t)n_axis[METALLICITY] * sizeof(double));
    memcpy((*s)->age_yr, axis[AGE], (size_t)n_axis[AGE] * sizeof(double));
    memcpy((*s)->wave_A, axis[WAVE], (size_t)n_axis[WAVE] * sizeof(double));
  }
  for (int c = 0; c < N_WHAT; c++) sdn_release(axis[c]);
  return status;
}

static sdn_status read_rows(sdn_table_in *t, const char *path, const int *column, double metallicity, double **out, sdn_err *err)
{
  const long n = sdn_table_n_row(t);
  int present[N_WHAT], what[N_WHAT], n_present = 0;
  for (int c = 0; c < N_WHAT; c++)
    if (column[c] >= 0) {
      present[n_present] = column[c];
      what[n_present++] = c;
    }
  if (n < 1 || n > MOST_ROWS) return sdn_fail(err, SDN_FORMAT, "%s has %ld rows", path, n);
  double *rows = sdn_alloc((size_t)n * N_WHAT, sizeof *rows, "rows of a table", err), *read = sdn_alloc((size_t)n * (size_t)n_present, sizeof *read, "rows of a table", err);
  sdn_status status = rows && read ? sdn_table_read(t, 0, n, n_present, present, read, err) : err->status;
  for (long i = 0; i < n && !status; i++) {
    rows[i * N_WHAT + METALLICITY] = metallicity;
    for (int k = 0; k < n_present; k++) rows[i * N_WHAT + what[k]] = read[i * n_present + k];
  }
  sdn_release(read);
  if (status) sdn_release(rows);
  else *out = rows;
  return status;
}

static sdn_status read_long(sdn_table_in *t, const char *path, const int *column, double metallicity, const sdn_ssp_units *units, sdn_ssp **s, sdn_err *err)
{
  double *rows = NULL, wave, age;
  bool log_age;
  sdn_status status = read_rows(t, path, column, metallicity, &rows, err);
  if (!status) status = from_rows(rows, sdn_table_n_row(t), path, s, err);
  sdn_release(rows);
  if (!status) status = sdn_ssp_wave_unit(unit_of(t, column[WAVE], units->wave), path, &wave, err);
  if (!status) status = sdn_ssp_age_unit(unit_of(t, column[AGE], units->age), path, &age, &log_age, err);
  if (!status) status = sdn_ssp_light_unit(unit_of(t, column[LIGHT], units->light), units->lsun_erg_per_s, path, *s, err);
  if (status) return status;
  for (int j = 0; j < (*s)->n_wave; j++) (*s)->wave_A[j] *= wave;
  for (int a = 0; a < (*s)->n_age; a++) (*s)->age_yr[a] = age * (log_age ? pow(10, (*s)->age_yr[a]) : (*s)->age_yr[a]);
  return SDN_OK;
}

/* ------------------------------------------------------------------ a column for each age */

/* The number in a column's name, and the text behind it as a unit if it is one. */
static bool age_in_name(const char *name, double *number, char *unit, size_t size)
{
  const char *p = name;
  while (*p && !isdigit((unsigned char)*p)) p++;
  size_t n = strspn(p, "0123456789.eE+-");
  while (n > 0 && !sdn_number_parse(p, n, number)) n--;
  if (n == 0) return false;
  for (p += n; *p == '_' || *p == ' '; p++) {}
  snprintf(unit, size, "%s", strcasecmp(p, "yr") == 0 ? "yr" : strcasecmp(p, "myr") == 0 ? "Myr" : strcasecmp(p, "gyr") == 0 ? "Gyr" : "");
  return true;
}

static sdn_status age_of_column(const sdn_table_in *t, int c, const char *path, const char *told, double *age_yr, sdn_err *err)
{
  char unit[16];
  double number, factor;
  bool log_age;
  if (!age_in_name(sdn_table_column(t, c), &number, unit, sizeof unit))
    return sdn_fail(err, SDN_FORMAT, "%s: column %s names no age; a table of populations has rows of age, metallicity, wave, light, or a column wave and one for each age", path,
                    sdn_table_column(t, c));
  if (sdn_ssp_age_unit(*unit ? unit : told, path, &factor, &log_age, err)) return err->status;
  *age_yr = factor * (log_age ? pow(10, number) : number);
  return SDN_OK;
}

static sdn_status read_wide(sdn_table_in *t, const char *path, int wave_column, const sdn_ssp_units *units, sdn_ssp **s, sdn_err *err)
{
  const long n_row = sdn_table_n_row(t);
  const int n_column = sdn_table_n_column(t);
  double factor;
  int *all = NULL;
  double *read = NULL;
  if (n_row < 2 || n_row > MOST_ROWS || n_column < 2 || n_column > MOST_AGES) return sdn_fail(err, SDN_FORMAT, "%s has %ld rows and %d columns", path, n_row, n_column);
  if (sdn_ssp_wave_unit(unit_of(t, wave_column, units->wave), path, &factor, err) || sdn_ssp_new(1, n_column - 1, (int)n_row, false, s, err)) return err->status;
  const int light_column = wave_column == 0 ? 1 : 0;
  sdn_status status = sdn_ssp_light_unit(unit_of(t, light_column, units->light), units->lsun_erg_per_s, path, *s, err);
  if (status) return status;
  all = sdn_alloc((size_t)n_column, sizeof *all, "columns of a table", err);
  read = sdn_alloc((size_t)n_row, (size_t)n_column * sizeof *read, "rows of a table", err);
  if (!all || !read) status = err->status;
  for (int c = 0; c < n_column && !status; c++) all[c] = c;
  if (!status) status = sdn_table_read(t, 0, n_row, n_column, all, read, err);
  for (int c = 0, a = 0; c < n_column && !status; c++) {
    if (c != wave_column) status = age_of_column(t, c, path, units->age, &(*s)->age_yr[a], err);
    for (long i = 0; i < n_row && !status; i++)
      if (c == wave_column) (*s)->wave_A[i] = factor * read[i * n_column + c];
      else (*s)->light[(long)a * n_row + i] = (float)read[i * n_column + c];
    a += c != wave_column;
  }
  sdn_release(all);
  sdn_release(read);
  return status;
}

/* ------------------------------------------------------------------ all */

static sdn_status read_one(const char *path, double metallicity, const sdn_ssp_units *units, sdn_ssp **s, sdn_err *err)
{
  sdn_table_in *t;
  int column[N_WHAT];
  if (sdn_table_open(path, &t, err)) return err->status;
  for (int c = 0; c < N_WHAT; c++) column[c] = find(t, c);
  sdn_status status;
  const bool is_long = column[AGE] >= 0 && column[LIGHT] >= 0;
  if (column[WAVE] < 0) status = sdn_fail(err, SDN_FORMAT, "%s has no column of wavelengths (named wave, wavelength, lambda)", path);
  else if ((!is_long || column[METALLICITY] < 0) && !isfinite(metallicity))
    status = sdn_fail(err, SDN_USAGE, "%s does not say its metallicity; give it by --metallicity", path);
  else status = is_long ? read_long(t, path, column, metallicity, units, s, err) : read_wide(t, path, column[WAVE], units, s, err);
  if (!status && !is_long) (*s)->metallicity[0] = metallicity;
  sdn_table_close(t);
  return status;
}

/* Put the populations of `one`, of one metallicity, into place m of `all`. */
static sdn_status join(sdn_ssp *all, int m, const sdn_ssp *one, const char *path, sdn_err *err)
{
  const size_t n = (size_t)one->n_age * (size_t)one->n_wave;
  if (one->n_metallicity != 1) return sdn_fail(err, SDN_USAGE, "%s holds several metallicities; import it alone", path);
  if (m > 0 && (one->n_age != all->n_age || one->n_wave != all->n_wave || one->unit_erg != all->unit_erg || one->per_hz != all->per_hz ||
                memcmp(one->age_yr, all->age_yr, (size_t)one->n_age * sizeof(double)) != 0 || memcmp(one->wave_A, all->wave_A, (size_t)one->n_wave * sizeof(double)) != 0))
    return sdn_fail(err, SDN_FORMAT, "%s has other ages, wavelengths or units than the first file", path);
  memcpy(all->age_yr, one->age_yr, (size_t)one->n_age * sizeof(double));
  memcpy(all->wave_A, one->wave_A, (size_t)one->n_wave * sizeof(double));
  memcpy(all->light + (size_t)m * n, one->light, n * sizeof(float));
  all->metallicity[m] = one->metallicity[0];
  all->unit_erg = one->unit_erg;
  all->per_hz = one->per_hz;
  return SDN_OK;
}

sdn_status sdn_ssp_read_table(int n_file, const char *const *path, const double *metallicity, const sdn_ssp_units *units, sdn_ssp **out, sdn_err *err)
{
  sdn_ssp *all = NULL;
  sdn_status status = SDN_OK;
  *out = NULL;
  for (int m = 0; m < n_file && !status; m++) {
    sdn_ssp *one = NULL;
    status = read_one(path[m], metallicity[m], units, &one, err);
    if (!status && n_file == 1) {
      all = one;
      one = NULL;
    }
    if (!status && one && !all) status = sdn_ssp_new(n_file, one->n_age, one->n_wave, false, &all, err);
    if (!status && one) status = join(all, m, one, path[m], err);
    sdn_ssp_free(one);
  }
  if (status) sdn_ssp_free(all);
  else *out = all;
  return status;
}
