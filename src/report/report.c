/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The page about a result table: overview numbers of all (or, of a long table, evenly spaced) rows, and a few rows in full. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "infer/quantiles.h"
#include "report/draws.h"
#include "report/page.h"
#include "report/report_rows.h"

const sdn_knob sdn_report_knobs[] = {
  {.name = "result", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_report_options, result), .unit = "FILE", .help = "result table of sedna fit"},
  {.name = "output", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_report_options, output), .unit = "FILE", .help = "the page, .html"},
  {.name = "samples", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_report_options, samples), .unit = "FILE",
   .help = "draws written by sedna fit --samples, for marginals and spectra; default: the file that the result names, if it is there"},
  {.name = "rows", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_report_options, rows), .unit = "LIST",
   .help = "row numbers to show in full, e.g. 0,17,42; default: a spread over redshift and the worst outliers"},
};
const size_t sdn_n_report_knob = sizeof sdn_report_knobs / sizeof sdn_report_knobs[0];

enum { max_overview = 20000, max_rows = 12 };

/* Every `stride`-th row's numbers: value [n_kept][n_column], columns as listed. */
typedef struct overview {
  long n, stride, n_kept;
  int n_column;
  int column[3 + 3 * SDN_REPORT_MAX_QUANTITY];
  double *value;
} overview;

static double kept(const overview *o, long i, int column)
{
  for (int k = 0; k < o->n_column; k++)
    if (o->column[k] == column) return o->value[i * o->n_column + k];
  return NAN;
}

static void list_columns(const sdn_report_table *t, overview *o)
{
  if (t->z_spec >= 0) o->column[o->n_column++] = t->z_spec;
  if (t->flags >= 0) o->column[o->n_column++] = t->flags;
  for (int i = 0; i < t->n_quantity; i++) {
    const sdn_report_quantity *q = &t->quantity[i];
    if (i == t->redshift) {
      if (q->q16 >= 0) o->column[o->n_column++] = q->q16;
      if (q->q84 >= 0) o->column[o->n_column++] = q->q84;
    }
    o->column[o->n_column++] = q->q50;
  }
}

static sdn_status read_overview(sdn_report_table *t, const sdn_run *run, overview *o, sdn_err *err)
{
  enum { block = 4096 };
  memset(o, 0, sizeof *o);
  list_columns(t, o);
  o->n = t->n;
  o->stride = t->n > max_overview ? (t->n + max_overview - 1) / max_overview : 1;
  size_t n_column = (size_t)o->n_column;
  o->value = sdn_alloc((size_t)(t->n / o->stride + 1) * n_column, sizeof(double), "an overview of the result", err);
  double *rows = sdn_alloc(block * n_column, sizeof(double), "a block of the result", err);
  sdn_status status = o->value && rows ? SDN_OK : err->status;
  for (long row0 = 0; row0 < t->n && status == SDN_OK; row0 += block) {
    long n = t->n - row0 < block ? t->n - row0 : block;
    status = sdn_table_read(t->table, row0, n, o->n_column, o->column, rows, err);
    for (long i = 0; i < n && status == SDN_OK; i++)
      if ((row0 + i) % o->stride == 0) memcpy(o->value + o->n_column * o->n_kept++, rows + i * o->n_column, n_column * sizeof(double));
    sdn_progress(run, "reading the result", (double)(row0 + n), (double)t->n, NULL);
    if (status == SDN_OK && sdn_stopped(run)) status = sdn_fail(err, SDN_INTERRUPTED, "interrupted; no report was written");
  }
  sdn_release(rows);
  return status;
}

/* ------------------------------------------------------------------ which rows to show in full */

static sdn_status parse_rows(const char *text, long n, long *row, int *n_rows, sdn_err *err)
{
  const char *c = text;
  while (*c) {
    char *end;
    long value = strtol(c, &end, 10);
    if (end == c || (*end && *end != ',')) return sdn_fail(err, SDN_USAGE, "rows: \"%s\" is not a list of row numbers such as 0,17,42", text);
    if (value < 0 || value >= n) return sdn_fail(err, SDN_USAGE, "rows: %ld is outside 0 .. %ld, the rows of the result", value, n - 1);
    if (*n_rows == max_rows) return sdn_fail(err, SDN_USAGE, "rows: more than %d rows; ask for fewer", max_rows);
    row[(*n_rows)++] = value;
    c = *end ? end + 1 : end;
  }
  return SDN_OK;
}

typedef struct ranked { double key; long index; } ranked;

static int by_key(const void *a, const void *b)
{
  double x = ((const ranked *)a)->key, y = ((const ranked *)b)->key;
  return (x > y) - (x < y);
}

/* Four rows evenly through the redshifts and, where truths are known, the two that are furthest off. */
static sdn_status choose_rows(const sdn_report_table *t, const overview *o, long *row, int *n_rows, sdn_err *err)
{
  ranked *order = sdn_alloc((size_t)o->n_kept, sizeof *order, "an order of rows", err);
  if (!order) return err->status;
  int z_column = t->redshift >= 0 ? t->quantity[t->redshift].q50 : t->quantity[0].q50;
  long n = 0;
  for (long i = 0; i < o->n_kept; i++)
    if (isfinite(kept(o, i, z_column))) order[n++] = (ranked){kept(o, i, z_column), i};
  qsort(order, (size_t)n, sizeof *order, by_key);
  for (int k = 0; k < 4 && n > 0; k++) row[(*n_rows)++] = order[(2 * k + 1) * n / 8].index * o->stride;
  for (long i = 0; i < n; i++) {
    double z_spec = kept(o, order[i].index, t->z_spec);
    order[i].key = isfinite(z_spec) ? -fabs(kept(o, order[i].index, z_column) - z_spec) / (1 + z_spec) : 0;
  }
  qsort(order, (size_t)n, sizeof *order, by_key);
  for (int k = 0; k < 2 && k < n && order[k].key < 0; k++) row[(*n_rows)++] = order[k].index * o->stride;
  sdn_release(order);
  return SDN_OK;
}

static int by_number(const void *a, const void *b)
{
  long x = *(const long *)a, y = *(const long *)b;
  return (x > y) - (x < y);
}

static int sort_unique(long *row, int n)
{
  qsort(row, (size_t)n, sizeof *row, by_number);
  int kept_rows = 0;
  for (int i = 0; i < n; i++)
    if (kept_rows == 0 || row[i] != row[kept_rows - 1]) row[kept_rows++] = row[i];
  return kept_rows;
}

/* ------------------------------------------------------------------ the JSON that the page draws from */

static void add_meta(sdn_text *json, sdn_report_table *t)
{
  static const char *const keys[] = {"COMMAND", "POSTERIO", "SURVEY", "EVIDENCE", "FIX", "SPECTRA", "SEDNAVER"};
  bool first = true;
  sdn_text_add(json, "\"meta\":{");
  for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
    sdn_err ignored;
    char *value = NULL;
    if (sdn_table_meta(t->table, keys[i], &value, &ignored) == SDN_OK && *value) {
      sdn_text_add(json, "%s\"%s\":", first ? "" : ",", keys[i]);
      sdn_text_add_json_string(json, value);
      first = false;
    }
    sdn_release(value);
  }
  sdn_text_add(json, "},\n");
}

static void add_overview_column(sdn_text *json, const overview *o, const char *key, int column)
{
  sdn_text_add(json, "\"%s\":[", key);
  for (long i = 0; i < o->n_kept; i++) {
    if (i) sdn_text_add(json, ",");
    sdn_text_add_json_number(json, kept(o, i, column), 6);
  }
  sdn_text_add(json, "],\n");
}

static void add_overview(sdn_text *json, const sdn_report_table *t, const overview *o)
{
  sdn_text_add(json, "\"n\":%ld,\"stride\":%ld,\n", o->n, o->stride);
  if (t->z_spec >= 0) add_overview_column(json, o, "z_spec", t->z_spec);
  if (t->flags >= 0) add_overview_column(json, o, "flags", t->flags);
  if (t->redshift >= 0) {
    add_overview_column(json, o, "z_q16", t->quantity[t->redshift].q16);
    add_overview_column(json, o, "z_q50", t->quantity[t->redshift].q50);
    add_overview_column(json, o, "z_q84", t->quantity[t->redshift].q84);
  }
  sdn_text_add(json, "\"quantities\":[");
  for (int i = 0; i < t->n_quantity; i++) {
    sdn_text_add(json, "%s{\"name\":", i ? ",\n" : "");
    sdn_text_add_json_string(json, t->quantity[i].name);
    sdn_text_add(json, ",\"unit\":");
    sdn_text_add_json_string(json, t->quantity[i].unit);
    sdn_text_add(json, ",\"low\":");
    sdn_text_add_json_number(json, t->quantity[i].low_percent, 4);
    sdn_text_add(json, ",\"high\":");
    sdn_text_add_json_number(json, t->quantity[i].high_percent, 4);
    sdn_text_add(json, ",");
    add_overview_column(json, o, "median", t->quantity[i].q50);
    json->n -= 2;   /* the comma and line end after the last member */
    sdn_text_add(json, "}");
  }
  sdn_text_add(json, "],\n");
}

static void add_quantities_of_row(sdn_text *json, const sdn_report_table *t, const double *number, const sdn_report_draws *d)
{
  sdn_text_add(json, ",\"quantities\":[");
  for (int i = 0; i < t->n_quantity; i++) {
    const sdn_report_quantity *q = &t->quantity[i];
    double interval[3] = {q->q16 < 0 ? NAN : number[q->q16], number[q->q50], q->q84 < 0 ? NAN : number[q->q84]};
    sdn_text_add(json, "%s{\"q\":", i ? "," : "");
    sdn_text_add_json_numbers(json, 3, interval, 6);
    sdn_report_draws_histogram(d, q->name, json);
    sdn_text_add(json, "}");
  }
  sdn_text_add(json, "]");
}

static void add_bands_of_row(sdn_text *json, const sdn_report_table *t, const double *number)
{
  sdn_text_add(json, ",\"bands\":[");
  for (int i = 0; i < t->n_band; i++) {
    const sdn_report_band *b = &t->band[i];
    double value[6] = {b->pivot_A, number[b->flux], number[b->sigma], number[b->pred_q16], number[b->pred_q50], number[b->pred_q84]};
    sdn_text_add(json, "%s{\"name\":", i ? "," : "");
    sdn_text_add_json_string(json, b->name);
    sdn_text_add(json, ",\"v\":");
    sdn_text_add_json_numbers(json, 6, value, 6);
    sdn_text_add(json, "}");
  }
  sdn_text_add(json, "]");
}

static sdn_status add_rows(sdn_text *json, const char *path, const sdn_report_table *t, int n_rows, const long *row, sdn_report_draws *d, sdn_err *err)
{
  double *number = NULL;
  char **id = NULL;
  sdn_status status = sdn_report_rows_read(path, n_rows, row, &number, &id, err);
  size_t n_column = (size_t)sdn_table_n_column(t->table);
  sdn_text_add(json, "\"rows\":[");
  for (int r = 0; r < n_rows && status == SDN_OK; r++) {
    const double *of_row = number + (size_t)r * n_column;
    if (d->file) status = sdn_report_draws_read(d, row[r], err);
    sdn_text_add(json, "%s{\"row\":%ld,\"id\":", r ? ",\n" : "", row[r]);
    sdn_text_add_json_string(json, id[r]);
    sdn_text_add(json, ",\"z_spec\":");
    sdn_text_add_json_number(json, t->z_spec >= 0 ? of_row[t->z_spec] : NAN, 6);
    add_quantities_of_row(json, t, of_row, d);
    add_bands_of_row(json, t, of_row);
    sdn_report_draws_spectra(d, json);
    sdn_text_add(json, "}");
  }
  sdn_text_add(json, "]}");
  sdn_release(number);
  sdn_release(id);
  return status;
}

/* The draws file: the one that is asked for must be there; the one that the result names may be gone. */
static sdn_status find_draws(const sdn_report_options *opt, sdn_report_table *t, sdn_report_draws *d, sdn_err *err)
{
  if (opt->samples) return sdn_report_draws_open(opt->samples, t->n, d, err);
  char *named = NULL;
  sdn_status status = sdn_table_meta(t->table, "SAMPLES", &named, err);
  if (status != SDN_OK || !*named) {
    sdn_release(named);
    return status;
  }
  sdn_err ignored;
  if (sdn_check_output(opt->output, 1, (const char *const[]){named}, err) != SDN_OK) status = err->status;
  else if (sdn_report_draws_open(named, t->n, d, &ignored) != SDN_OK) sdn_report_draws_close(d);
  sdn_release(named);
  return status;
}

sdn_status sdn_report(const sdn_report_options *opt, const sdn_run *run, sdn_err *err)
{
  sdn_report_table t;
  overview o = {0};
  sdn_report_draws d = {0};
  sdn_text json = {0};
  long row[max_rows];
  int n_rows = 0;
  sdn_status status = sdn_check_output(opt->output, 2, (const char *const[]){opt->result, opt->samples}, err);
  if (status == SDN_OK) status = sdn_report_table_open(opt->result, &t, err);
  if (status != SDN_OK) return status;
  status = read_overview(&t, run, &o, err);
  if (status == SDN_OK) status = opt->rows ? parse_rows(opt->rows, t.n, row, &n_rows, err) : choose_rows(&t, &o, row, &n_rows, err);
  if (status == SDN_OK) status = find_draws(opt, &t, &d, err);
  if (status != SDN_OK) goto done;
  n_rows = sort_unique(row, n_rows);
  sdn_text_add(&json, "{");
  add_meta(&json, &t);
  add_overview(&json, &t, &o);
  status = add_rows(&json, opt->result, &t, n_rows, row, &d, err);
  if (status == SDN_OK) status = sdn_text_done(&json, err);
  if (status == SDN_OK) status = sdn_page_write(SDN_PAGE_RESULT, "sedna fit", json.data, opt->output, err);
done:
  sdn_text_free(&json);
  sdn_report_draws_close(&d);
  sdn_release(o.value);
  sdn_report_table_close(&t);
  return status;
}
