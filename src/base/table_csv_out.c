/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV and ECSV for writing. Numbers have the fewest digits that read back as they were. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "base/table_internal.h"

typedef struct csv_out { FILE *file; char *path; sdn_text text; bool ecsv; } csv_out;

static sdn_status write_text(csv_out *c, sdn_err *err)
{
  if (sdn_text_done(&c->text, err)) return err->status;
  if (fwrite(c->text.data ? c->text.data : "", 1, c->text.n, c->file) != c->text.n)
    return sdn_fail(err, SDN_IO, "cannot write %s: %s", c->path, strerror(errno));
  c->text.n = 0;
  return SDN_OK;
}

static sdn_status close_csv_out(void *self, sdn_err *err)
{
  csv_out *c = self;
  sdn_status status = SDN_OK;
  const bool bad = fflush(c->file) != 0;
  if (bad) status = sdn_fail(err, SDN_IO, "cannot write %s to its end: %s", c->path, strerror(errno));
  if (fclose(c->file) != 0 && !bad) status = sdn_fail(err, SDN_IO, "cannot write %s to its end: %s", c->path, strerror(errno));
  sdn_text_free(&c->text);
  sdn_release(c->path);
  sdn_release(c);
  return status;
}

/* Quotes where a reader would otherwise see something else: a delimiter, a comment, a missing value, another length. */
static void add_field(sdn_text *t, const char *value, bool quote_empty)
{
  const size_t n = strlen(value);
  const bool edge = n > 0 && (value[0] == ' ' || value[0] == '\t' || value[n - 1] == ' ' || value[n - 1] == '\t' || value[0] == '#');
  if (!edge && !(n == 0 && quote_empty) && !strpbrk(value, ",\"\r\n")) {
    sdn_text_add_bytes(t, value, n);
    return;
  }
  sdn_text_add_bytes(t, "\"", 1);
  for (const char *c = value; *c; c++) sdn_text_add_bytes(t, *c == '"' ? "\"\"" : c, *c == '"' ? 2 : 1);
  sdn_text_add_bytes(t, "\"", 1);
}

static void add_number(sdn_text *t, sdn_column_kind kind, double value)
{
  char digits[SDN_NUMBER_SIZE];
  if (kind == SDN_COLUMN_FLOAT) sdn_number_print_float((float)value, digits);
  else sdn_number_print(value, digits);
  sdn_text_add_bytes(t, digits, strlen(digits));
}

/* An empty field is a missing value; in ECSV an empty text is not missing, and a row of one empty field would be a blank line. */
static void add_cell(sdn_text *t, const sdn_table_out *table, const csv_out *c, int j, double value, const char *text)
{
  const bool lone = table->n_column == 1;
  const sdn_column_kind kind = table->column[j].kind;
  if (kind == SDN_COLUMN_TEXT) add_field(t, text ? text : "", c->ecsv || lone);
  else if (kind == SDN_COLUMN_LONG && isnan(value)) add_field(t, "", lone);
  else add_number(t, kind, value);
}

static sdn_status append_csv(sdn_table_out *t, long n, const double *numbers, const char *const *texts, sdn_err *err)
{
  csv_out *c = t->self;
  for (long i = 0; i < n; i++) {
    for (int j = 0, k = 0; j < t->n_column; j++) {
      const bool is_text = t->column[j].kind == SDN_COLUMN_TEXT;
      if (j) sdn_text_add_bytes(&c->text, ",", 1);
      add_cell(&c->text, t, c, j, is_text ? 0 : numbers[i * t->n_column + j], is_text ? texts[i * t->n_text + k] : NULL);
      k += is_text;
    }
    sdn_text_add_bytes(&c->text, "\n", 1);
    if (c->text.n >= ((size_t)1 << 16) && write_text(c, err)) return err->status;
  }
  return write_text(c, err);
}

static const sdn_table_writer csv_writer = {append_csv, close_csv_out};

static void add_csv_head(sdn_text *t, int n_meta, const sdn_meta *meta)
{
  for (int i = 0; i < n_meta; i++) {
    sdn_text_add(t, "# %s: ", meta[i].key);
    sdn_table_add_value(t, meta[i].value, false);
    sdn_text_add(t, "\n");
  }
}

static const char *datatype(sdn_column_kind kind)
{
  switch (kind) {
  case SDN_COLUMN_FLOAT: return "float32";
  case SDN_COLUMN_LONG: return "int64";
  case SDN_COLUMN_TEXT: return "string";
  default: return "float64";
  }
}

/* JSON strings are YAML too. */
static void add_ecsv_head(sdn_text *t, int n_column, const sdn_column *column, int n_meta, const sdn_meta *meta)
{
  sdn_text_add(t, "# %%ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n");
  for (int i = 0; i < n_column; i++) {
    sdn_text_add(t, "# - {name: ");
    sdn_table_add_quoted(t, column[i].name, false);
    if (column[i].unit[0]) sdn_text_add(t, ", unit: ");
    if (column[i].unit[0]) sdn_table_add_quoted(t, column[i].unit, false);
    sdn_text_add(t, ", datatype: %s", datatype(column[i].kind));
    if (column[i].description[0]) sdn_text_add(t, ", description: ");
    if (column[i].description[0]) sdn_table_add_quoted(t, column[i].description, false);
    sdn_text_add(t, "}\n");
  }
  if (n_meta > 0) sdn_text_add(t, "# meta:\n");
  for (int i = 0; i < n_meta; i++) {
    sdn_text_add(t, "#   \"%s\": ", meta[i].key);
    sdn_table_add_quoted(t, meta[i].value, false);
    sdn_text_add(t, "\n");
  }
  sdn_text_add(t, "# schema: astropy-2.0\n");
}

sdn_status sdn_table_create_csv(sdn_table_out *t, bool ecsv, int n_meta, const sdn_meta *meta, sdn_err *err)
{
  csv_out *c = sdn_alloc(1, sizeof *c, "a text table", err);
  if (!c) return err->status;
  c->ecsv = ecsv;
  c->path = sdn_copy_text(t->path, err);
  c->file = c->path ? fopen(t->part, "wb") : NULL;
  if (!c->file) {
    if (c->path) sdn_fail(err, SDN_IO, "cannot write %s: %s", t->path, strerror(errno));
    sdn_release(c->path);
    sdn_release(c);
    return err->status;
  }
  t->writer = &csv_writer;
  t->self = c;
  if (ecsv) add_ecsv_head(&c->text, t->n_column, t->column, n_meta, meta);
  else add_csv_head(&c->text, n_meta, meta);
  for (int j = 0; j < t->n_column; j++) {
    if (j) sdn_text_add_bytes(&c->text, ",", 1);
    add_field(&c->text, t->column[j].name, true);
  }
  sdn_text_add(&c->text, "\n");
  return write_text(c, err);
}
