/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/report_rows.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int find(const sdn_table_in *t, const char *stem, const char *ending)
{
  char name[160];
  snprintf(name, sizeof name, "%s%s", stem, ending);
  for (int i = 0; i < sdn_table_n_column(t); i++)
    if (!strcmp(sdn_table_column(t, i), name)) return i;
  return -1;
}

/* "NAME_q50" -> "NAME" in stem [64]; false for any other name and for predicted photometry. */
static bool ends_in(const char *name, const char *ending, char *stem)
{
  size_t n = strlen(name), m = strlen(ending);
  if (n <= m || n - m >= 64 || strcmp(name + n - m, ending)) return false;
  memcpy(stem, name, n - m);
  stem[n - m] = 0;
  return true;
}

/* "02_5" -> 2.5; NaN for what is no quantile's name. */
static double percent_of(const char *text)
{
  char number[16];
  size_t n = strspn(text, "0123456789_");
  if (n == 0 || text[n] || n >= sizeof number) return NAN;
  for (size_t i = 0; i <= n; i++) number[i] = text[i] == '_' ? '.' : text[i];
  char *end;
  double percent = strtod(number, &end);
  return *end ? NAN : percent;
}

/* The quantile columns of q on both sides of its median that are nearest to 16 and 84 %. */
static void find_interval(const sdn_table_in *t, sdn_report_quantity *q)
{
  char begin[80];
  snprintf(begin, sizeof begin, "%s_q", q->name);
  q->q16 = q->q84 = -1;
  q->low_percent = q->high_percent = NAN;
  for (int i = 0; i < sdn_table_n_column(t); i++) {
    const char *name = sdn_table_column(t, i);
    if (strncmp(name, begin, strlen(begin)) != 0) continue;
    double p = percent_of(name + strlen(begin));
    if (p < 50 && !(fabs(p - 16) >= fabs(q->low_percent - 16))) {
      q->low_percent = p;
      q->q16 = i;
    }
    if (p > 50 && !(fabs(p - 84) >= fabs(q->high_percent - 84))) {
      q->high_percent = p;
      q->q84 = i;
    }
  }
}

static void find_quantities(sdn_report_table *t)
{
  for (int i = 0; i < sdn_table_n_column(t->table) && t->n_quantity < SDN_REPORT_MAX_QUANTITY; i++) {
    sdn_report_quantity *q = &t->quantity[t->n_quantity];
    char predicted[64];
    if (!ends_in(sdn_table_column(t->table, i), "_q50", q->name) || ends_in(q->name, "_pred", predicted)) continue;
    q->q50 = i;
    find_interval(t->table, q);
    snprintf(q->unit, sizeof q->unit, "%s", sdn_table_unit(t->table, i));
    if (!strcmp(q->name, "redshift")) t->redshift = t->n_quantity;
    t->n_quantity++;
  }
}

static void find_bands(sdn_report_table *t)
{
  for (int i = 0; i < sdn_table_n_column(t->table) && t->n_band < SDN_REPORT_MAX_BAND; i++) {
    sdn_report_band *b = &t->band[t->n_band];
    if (!ends_in(sdn_table_column(t->table, i), "_pred_q50", b->name)) continue;
    b->pred_q50 = i;
    b->pred_q16 = find(t->table, b->name, "_pred_q16");
    b->pred_q84 = find(t->table, b->name, "_pred_q84");
    b->flux = find(t->table, b->name, "_flux");
    b->sigma = find(t->table, b->name, "_sigma");
    if (b->pred_q16 >= 0 && b->pred_q84 >= 0 && b->flux >= 0 && b->sigma >= 0) t->n_band++;
  }
}

/* A band by its name in the header. Lines are no flux densities: they leave the picture. */
static void place_band(sdn_report_table *t, const char *name, const char *id, double pivot_A)
{
  int n = 0;
  for (int i = 0; i < t->n_band; i++) {
    sdn_report_band *b = &t->band[i];
    const bool named = !strcmp(b->name, name);
    if (named && !strncmp(id, "line", 4) && strchr(id, ':')) continue;
    if (named) b->pivot_A = pivot_A;
    t->band[n++] = *b;
  }
  t->n_band = n;
}

/* The file names its bands, their ids and pivots as BANDn, FILTn, PIVOTn. */
static sdn_status read_pivots(sdn_report_table *t, sdn_err *err)
{
  static const char *const keys[3] = {"BAND", "FILT", "PIVOT"};
  bool end = false;
  for (int i = 0; i < t->n_band; i++) t->band[i].pivot_A = NAN;
  for (int k = 1; k <= SDN_REPORT_MAX_BAND && !end; k++) {
    char key[16], *value[3] = {NULL, NULL, NULL};
    sdn_status status = SDN_OK;
    for (int i = 0; i < 3 && status == SDN_OK; i++) {
      snprintf(key, sizeof key, "%s%d", keys[i], k);
      status = sdn_table_meta(t->table, key, &value[i], err);
    }
    end = status != SDN_OK || !*value[0];
    if (!end) place_band(t, value[0], value[1], strtod(value[2], NULL));
    for (int i = 0; i < 3; i++) sdn_release(value[i]);
    if (status != SDN_OK) return status;
  }
  return SDN_OK;
}

sdn_status sdn_report_table_open(const char *path, sdn_report_table *t, sdn_err *err)
{
  memset(t, 0, sizeof *t);
  t->redshift = -1;
  sdn_status status = sdn_table_open(path, &t->table, err);
  if (status != SDN_OK) return status;
  t->n = sdn_table_n_row(t->table);
  t->id = find(t->table, "id", "");
  t->z_spec = find(t->table, "z_spec", "");
  t->flags = find(t->table, "flags", "");
  find_quantities(t);
  find_bands(t);
  status = read_pivots(t, err);
  if (status == SDN_OK && t->n_quantity == 0)
    status = sdn_fail(err, SDN_FORMAT, "%s has no columns NAME_q50: it is no result of sedna fit, or one whose --quantiles left out the median, 50; fit again "
                      "with it", path);
  if (status != SDN_OK) sdn_report_table_close(t);
  return status;
}

void sdn_report_table_close(sdn_report_table *t)
{
  sdn_table_close(t->table);
  t->table = NULL;
}

static sdn_status read_numbers(sdn_table_in *t, int n_rows, const long *row, double *number, sdn_err *err)
{
  int n_column = sdn_table_n_column(t), n_numeric = 0;
  int *column = sdn_alloc((size_t)n_column, sizeof *column, "a list of columns", err);
  double *value = sdn_alloc((size_t)n_column, sizeof *value, "a row of a table", err);
  sdn_status status = column && value ? SDN_OK : err->status;
  for (int i = 0; status == SDN_OK && i < n_column; i++)
    if (!sdn_table_is_text(t, i)) column[n_numeric++] = i;
  for (int r = 0; r < n_rows && status == SDN_OK; r++) {
    status = sdn_table_read(t, row[r], 1, n_numeric, column, value, err);
    double *out = number + (size_t)r * (size_t)n_column;
    for (int i = 0; i < n_column; i++) out[i] = NAN;
    for (int k = 0; status == SDN_OK && k < n_numeric; k++) out[column[k]] = value[k];
  }
  sdn_release(column);
  sdn_release(value);
  return status;
}

/* Row numbers stand in where the table has no id. */
static sdn_status read_ids(const char *path, int n_rows, const long *row, char **id, size_t width, sdn_err *err)
{
  sdn_report_table t;
  sdn_status status = sdn_report_table_open(path, &t, err);
  for (int r = 0; r < n_rows && status == SDN_OK; r++) {
    char **text = NULL;
    snprintf(id[r], width, "row %ld", row[r]);
    if (t.id < 0) continue;
    status = sdn_table_read_text(t.table, row[r], 1, t.id, &text, err);
    if (status == SDN_OK) snprintf(id[r], width, "%s", text[0]);
    sdn_release(text);
  }
  if (t.table) sdn_report_table_close(&t);
  return status;
}

sdn_status sdn_report_rows_read(const char *path, int n_rows, const long *row, double **number, char ***id, sdn_err *err)
{
  enum { width = 64 };
  sdn_table_in *t = NULL;
  *number = NULL;
  *id = NULL;
  sdn_status status = sdn_table_open(path, &t, err);
  if (status != SDN_OK) return status;
  *number = sdn_alloc((size_t)n_rows * (size_t)sdn_table_n_column(t), sizeof **number, "rows of a table", err);
  *id = sdn_alloc((size_t)n_rows, sizeof **id + width, "names of rows", err);
  status = *number && *id ? read_numbers(t, n_rows, row, *number, err) : err->status;
  sdn_table_close(t);
  if (status == SDN_OK) {
    for (int r = 0; r < n_rows; r++) (*id)[r] = (char *)(*id + n_rows) + (size_t)r * width;
    status = read_ids(path, n_rows, row, *id, width, err);
  }
  if (status != SDN_OK) {
    sdn_release(*number);
    sdn_release(*id);
    *number = NULL;
    *id = NULL;
  }
  return status;
}
