/* SPDX-License-Identifier: GPL-3.0-or-later */
/* CSV and ECSV for reading. Opening reads the file once from end to end: that counts the rows, tells text from numbers, and finds a
 * broken line before any work is done. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/csv_scan.h"
#include "base/table_internal.h"
#include "base/yaml.h"

typedef struct place { sdn_csv_place at; long row; } place;
typedef enum cell_kind { CELL_PLAIN, CELL_BOOLEAN, CELL_LIST } cell_kind;   /* ECSV: True and False are 1 and 0; a JSON list of as many numbers as the column is wide */

typedef struct csv_in {
  sdn_csv *scan;
  bool ecsv;
  sdn_text head;            /* the comment lines before the column names, without '#' */
  cell_kind *kind;          /* [n_column] */
  long row;                 /* the next one that the scanner gives */
  place first, last;        /* the first row; the first row of the last request, so that a block can be read again */
} csv_in;

static void close_csv(void *self)
{
  csv_in *c = self;
  sdn_csv_close(c->scan);
  sdn_text_free(&c->head);
  sdn_release(c->kind);
  sdn_release(c);
}

static sdn_status wrong_count(const sdn_table_in *t, const sdn_csv *s, sdn_err *err)
{
  return sdn_fail(err, SDN_FORMAT, "%s: line %ld has %zu fields; the line of column names has %d", t->path, s->record_line, s->n_field,
                  t->n_column);
}

/* The next row; a file that has become shorter since it was opened is an error. */
static sdn_status next_row(sdn_table_in *t, csv_in *c, sdn_err *err)
{
  bool end;
  if (sdn_csv_next(c->scan, &end, err)) return err->status;
  if (end) return sdn_fail(err, SDN_FORMAT, "%s ends after %ld rows; it had %ld when it was opened", t->path, c->row, t->n_row);
  if (c->scan->n_field != (size_t)t->n_column) return wrong_count(t, c->scan, err);
  c->row++;
  return SDN_OK;
}

static sdn_status go_to_row(sdn_table_in *t, csv_in *c, long row, sdn_err *err)
{
  if (row < c->row) {
    const place *from = row >= c->last.row ? &c->last : &c->first;
    if (sdn_csv_go(c->scan, from->at, err)) return err->status;
    c->row = from->row;
  }
  while (c->row < row)
    if (next_row(t, c, err)) return err->status;
  c->last = (place){.at = sdn_csv_here(c->scan), .row = row};
  return SDN_OK;
}

static bool cell_number(const csv_in *c, int col, double *value)
{
  const char *text = sdn_csv_text(c->scan, (size_t)col);
  if (sdn_table_number(text, c->scan->field[col].n, value)) return true;
  const bool yes = strcasecmp(text, "true") == 0;
  *value = yes;
  return c->kind[col] == CELL_BOOLEAN && (yes || strcasecmp(text, "false") == 0);
}

/* "[1.0, null, 3]" into out [width]; false: it is no list of just so many numbers. An empty cell is a row without values. */
static bool cell_list(const csv_in *c, int col, int width, double *out)
{
  const char *at = sdn_csv_text(c->scan, (size_t)col);
  if (*at == '\0') {
    for (int k = 0; k < width; k++) out[k] = NAN;
    return true;
  }
  if (*at++ != '[') return false;
  for (int k = 0; k < width; k++) {
    const size_t n = strcspn(at, ",]");
    if (strspn(at, " ") == n || !sdn_table_number(at, n, &out[k]) || at[n] != (k + 1 < width ? ',' : ']')) return false;
    at += n + 1;
  }
  return *at == '\0';
}

static sdn_status read_cell(const sdn_table_in *t, const csv_in *c, long row, int col, double *out, sdn_err *err)
{
  const sdn_column_in *column = &t->column[col];
  const bool list = c->kind[col] == CELL_LIST;
  if (list ? cell_list(c, col, column->width, out) : cell_number(c, col, out)) return SDN_OK;
  char what[48] = "no number";
  if (list) snprintf(what, sizeof what, "no list of %d numbers", column->width);
  return sdn_fail_row(err, SDN_FORMAT, row, "%s: line %ld, column '%s': '%.60s' is %s", t->path, c->scan->record_line, column->name,
                      sdn_csv_text(c->scan, (size_t)col), what);
}

static sdn_status read_csv(sdn_table_in *t, long row0, long n, int n_col, const int *col, double *out, sdn_err *err)
{
  csv_in *c = t->self;
  if (go_to_row(t, c, row0, err)) return err->status;
  for (long i = 0; i < n; i++) {
    if (next_row(t, c, err)) return err->status;
    for (int j = 0; j < n_col; out += t->column[col[j++]].width)
      if (read_cell(t, c, row0 + i, col[j], out, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status read_csv_text(sdn_table_in *t, long row0, long n, int col, char ***out, sdn_err *err)
{
  csv_in *c = t->self;
  sdn_text text = {0};
  sdn_status status = go_to_row(t, c, row0, err);
  for (long i = 0; i < n && !status; i++) {
    status = next_row(t, c, err);
    if (!status) sdn_text_add_bytes(&text, sdn_csv_text(c->scan, (size_t)col), c->scan->field[col].n + 1);
  }
  if (!status) status = sdn_table_text_block(&text, n, out, err);
  sdn_text_free(&text);
  return status;
}

/* A line "key: value" among the comments. */
static sdn_status comment_value(const sdn_text *head, const char *key, char **value, sdn_err *err)
{
  const size_t n_key = strlen(key);
  const char *line = head->data ? head->data : "";
  for (; *line; line += strcspn(line, "\n"), line += *line == '\n') {
    const char *start = line + strspn(line, " \t");
    if (strncmp(start, key, n_key) != 0 || start[n_key] != ':') continue;
    start += n_key + 1;
    start += *start == ' ';
    *value = sdn_copy_text_n(start, strcspn(start, "\n"), err);
    if (*value) sdn_table_plain_value(*value);
    return *value ? SDN_OK : err->status;
  }
  *value = sdn_copy_text("", err);
  return *value ? SDN_OK : err->status;
}

/* `meta` is a map, or an ordered map written as a list of maps of one key each. */
static const sdn_yaml *find_meta(const sdn_yaml *root, const char *key)
{
  const sdn_yaml *meta = sdn_yaml_get(root, "meta"), *found = sdn_yaml_get(meta, key);
  if (meta && meta->kind == SDN_YAML_LIST)
    for (size_t i = 0; i < meta->n && !found; i++) found = sdn_yaml_get(meta->item[i], key);
  return found && found->kind == SDN_YAML_SCALAR ? found : NULL;
}

static sdn_status read_csv_meta(sdn_table_in *t, const char *key, char **value, sdn_err *err)
{
  csv_in *c = t->self;
  sdn_yaml *root = NULL;
  if (!c->ecsv) return comment_value(&c->head, key, value, err);
  if (sdn_yaml_parse_foreign(c->head.data, t->path, &root, err)) return err->status;
  const sdn_yaml *node = find_meta(root, key);
  *value = sdn_copy_text(node ? node->text : "", err);
  sdn_yaml_free(root);
  return *value ? SDN_OK : err->status;
}

static const sdn_table_reader csv_reader = {read_csv, read_csv_text, read_csv_meta, close_csv};

/* The head's lines begin with the blank that follows '#'; YAML wants them flush. The line of the format's name goes. */
static void flatten_head(sdn_text *head)
{
  char *out = head->data;
  bool first = true;
  for (const char *line = head->data; *line;) {
    const size_t n = strcspn(line, "\n") + 1, skip = *line == ' ';
    if (!first) {
      memmove(out, line + skip, n - skip);
      out += n - skip;
    }
    first = false;
    line += n;
  }
  *out = '\0';
  head->n = (size_t)(out - head->data);
}

/* "float64[435]": so many numbers per row; 0: anything else (no list of one dimension and fixed length, or not of numbers). */
static int list_width(const char *subtype)
{
  static const char *const known[] = {"float16[", "float32[", "float64[", "float128[", "int8[", "int16[", "int32[", "int64[", "uint8[", "uint16[", "uint32[", "uint64["};
  for (size_t k = 0; k < sizeof known / sizeof *known; k++) {
    const size_t n = strlen(known[k]), n_digit = strncmp(subtype, known[k], n) ? 0 : strspn(subtype + n, "0123456789");
    if (n_digit < 1 || n_digit > 7 || strcmp(subtype + n + n_digit, "]")) continue;
    const long width = strtol(subtype + n, NULL, 10);
    return width <= SDN_TABLE_MAX_WIDTH ? (int)width : 0;
  }
  return 0;
}

static void use_subtype(sdn_column_in *column, csv_in *c, const sdn_yaml *subtype, int i)
{
  const int width = subtype->kind == SDN_YAML_SCALAR ? list_width(subtype->text) : 0;
  if (width < 1) {
    column->unreadable = "holds objects, or arrays of varying length or several dimensions";
    return;
  }
  column->text = false;
  column->width = width;
  c->kind[i] = CELL_LIST;
}

static sdn_status use_datatype(sdn_table_in *t, csv_in *c, const sdn_yaml *entry, int i, sdn_err *err)
{
  sdn_column_in *column = &t->column[i];
  const sdn_yaml *name = sdn_yaml_get(entry, "name"), *type = sdn_yaml_get(entry, "datatype"), *unit = sdn_yaml_get(entry, "unit"),
                 *subtype = sdn_yaml_get(entry, "subtype");
  if (!name || !type || name->kind != SDN_YAML_SCALAR || type->kind != SDN_YAML_SCALAR)
    return sdn_fail(err, SDN_FORMAT, "%s: the ECSV header says no name and datatype of column %d", t->path, i + 1);
  if (strcmp(name->text, column->name) != 0)
    return sdn_fail(err, SDN_FORMAT, "%s: column %d is '%s' in the ECSV header, but '%s' in the line of names", t->path, i + 1, name->text,
                    column->name);
  column->text = strcmp(type->text, "string") == 0;
  if (strcmp(type->text, "bool") == 0) c->kind[i] = CELL_BOOLEAN;
  if (subtype && column->text) use_subtype(column, c, subtype, i);
  if (!unit || unit->kind != SDN_YAML_SCALAR) return SDN_OK;
  column->unit = sdn_table_keep(t, unit->text, strlen(unit->text), err);
  return column->unit ? SDN_OK : err->status;
}

/* Reads the YAML head up to the delimiter, which the line of names needs. */
static sdn_status read_ecsv_head(const sdn_table_in *t, csv_in *c, sdn_yaml **root, sdn_err *err)
{
  if (!c->head.data) return sdn_fail(err, SDN_FORMAT, "%s: the ECSV header is missing", t->path);
  flatten_head(&c->head);
  if (sdn_yaml_parse_foreign(c->head.data, t->path, root, err)) {
    err->status = SDN_FORMAT;   /* no input of ours to mend: a file that is not what it should be */
    return err->status;
  }
  const sdn_yaml *delimiter = sdn_yaml_get(*root, "delimiter"), *types = sdn_yaml_get(*root, "datatype");
  if (!types || types->kind != SDN_YAML_LIST) return sdn_fail(err, SDN_FORMAT, "%s: the ECSV header has no list 'datatype'", t->path);
  c->scan->delimiter = ' ';
  if (!delimiter) return SDN_OK;
  if (delimiter->kind != SDN_YAML_SCALAR || (strcmp(delimiter->text, ",") != 0 && strcmp(delimiter->text, " ") != 0))
    return sdn_fail(err, SDN_FORMAT, "%s: the ECSV delimiter must be a comma or a blank", t->path);
  c->scan->delimiter = delimiter->text[0];
  return SDN_OK;
}

static sdn_status use_datatypes(sdn_table_in *t, csv_in *c, const sdn_yaml *root, sdn_err *err)
{
  const sdn_yaml *types = sdn_yaml_get(root, "datatype");
  if (types->n != (size_t)t->n_column)
    return sdn_fail(err, SDN_FORMAT, "%s: the ECSV header lists %zu columns, the line of names %d", t->path, types->n, t->n_column);
  for (int i = 0; i < t->n_column; i++)
    if (use_datatype(t, c, types->item[i], i, err)) return err->status;
  return SDN_OK;
}

static sdn_status read_names(sdn_table_in *t, csv_in *c, sdn_err *err)
{
  bool end, all_numbers = true;
  double value;
  if (sdn_csv_next(c->scan, &end, err)) return err->status;
  if (end) return sdn_fail(err, SDN_FORMAT, "%s holds no line of column names", t->path);
  if (sdn_table_set_columns(t, c->scan->n_field, err)) return err->status;
  c->kind = sdn_alloc(c->scan->n_field, sizeof *c->kind, "a table's columns", err);
  if (!c->kind) return err->status;
  for (int i = 0; i < t->n_column; i++) {
    const sdn_csv_field *f = &c->scan->field[i];
    t->column[i].name = sdn_table_keep(t, sdn_csv_text(c->scan, (size_t)i), f->n, err);
    if (!t->column[i].name) return err->status;
    all_numbers = all_numbers && f->n > 0 && !f->quoted && sdn_table_number(t->column[i].name, f->n, &value);
  }
  if (all_numbers)
    return sdn_fail(err, SDN_FORMAT, "%s: line %ld should name the columns but holds numbers; put a line of names, without '#', first", t->path,
                    c->scan->record_line);
  return SDN_OK;
}

/* The pass over all rows: their number, and for CSV which columns are not all numbers. */
static sdn_status count_rows(sdn_table_in *t, csv_in *c, sdn_err *err)
{
  bool end;
  double value;
  t->n_row = 0;
  c->first = (place){.at = sdn_csv_here(c->scan)};
  for (;;) {
    if (sdn_csv_next(c->scan, &end, err)) return err->status;
    if (end) break;
    if (c->scan->n_field != (size_t)t->n_column) return wrong_count(t, c->scan, err);
    for (int i = 0; i < t->n_column && !c->ecsv; i++)
      if (!t->column[i].text) t->column[i].text = !cell_number(c, i, &value);
    t->n_row++;
  }
  c->last = c->first;
  return sdn_csv_go(c->scan, c->first.at, err);
}

/* Comma, or where the line of names has none, semicolon or tab. */
static void find_delimiter(sdn_csv *scan)
{
  const char other = sdn_csv_peek(scan, ";\t");
  if (!sdn_csv_peek(scan, ",") && other) scan->delimiter = other;
}

sdn_status sdn_table_open_csv(sdn_table_in *t, const char *path, bool ecsv, sdn_err *err)
{
  sdn_yaml *root = NULL;
  bool end;
  csv_in *c = sdn_alloc(1, sizeof *c, "a text table", err);
  if (!c) return err->status;
  t->reader = &csv_reader;
  t->self = c;
  c->ecsv = ecsv;
  (void)path;   /* a text table is always the whole of t->path */
  sdn_status status = sdn_csv_open(t->path, &c->scan, err);
  if (status) return status;
  c->scan->comments = &c->head;
  status = sdn_csv_skip(c->scan, &end, err);
  c->scan->comments = NULL;
  if (!status) status = ecsv ? read_ecsv_head(t, c, &root, err) : sdn_text_done(&c->head, err);
  if (!status && !ecsv) find_delimiter(c->scan);
  if (!status) status = read_names(t, c, err);
  if (!status && ecsv) status = use_datatypes(t, c, root, err);
  if (!status) status = count_rows(t, c, err);
  sdn_yaml_free(root);
  return status;
}
