/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/catalogue.h"

#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "survey/units.h"

/* ------------------------------------------------------------------ columns by name */

/* Names of columns that are not there, gathered so that one message names them all. */
typedef struct absent { int n; char names[512]; } absent;

static void add_absent(absent *a, const char *name)
{
  size_t used = strlen(a->names);
  if (used + strlen(name) + 8 < sizeof a->names)
    snprintf(a->names + used, sizeof a->names - used, "%s%s", a->n ? ", " : "", name);
  else if (used + 5 < sizeof a->names && strcmp(a->names + used - 3, "...") != 0)
    strcat(a->names, ", ...");
  a->n++;
}

/* What a band reads: value `element` of a column of `width`; at_first: where the column's first is, once known. */
typedef struct wanted { int band, element, width; const char *name; const int *at_first; } wanted;

static int find(const sdn_catalogue *c, const char *name, absent *a)
{
  sdn_err ignored;
  int column = sdn_table_find(c->table, name, &ignored);
  if (column < 0)
    add_absent(a, name);
  return column;
}

/* The column joins those that are read; *at: where its first number is. */
static void read_too(sdn_catalogue *c, int column, int *at)
{
  *at = c->n_number;
  c->column[c->n_column++] = column;
  c->n_number += sdn_table_width(c->table, column);
}

/* One number of a band: of a column of its own, or of a vector, which is found at the spectrum's first pixel and stands right behind that. */
static sdn_status map_value(sdn_catalogue *c, const wanted *v, absent *a, int *at, sdn_err *err)
{
  if (v->element > 0) {
    *at = *v->at_first < 0 ? -1 : *v->at_first + v->element;
    return SDN_OK;
  }
  const int column = find(c, v->name, a);
  *at = -1;
  if (column < 0)
    return SDN_OK;
  const int width = sdn_table_width(c->table, column);
  if (width != v->width && (v->width > 1 || width > 1))
    return sdn_fail(err, SDN_USAGE, "column '%s' holds %d value(s) per row, but band %s wants %d%s", v->name, width, sdn_survey_band_name(c->survey, v->band), v->width,
                    v->width > 1 ? ", one for each pixel of its spectrum" : "; a vector column is read as a spectrum whose flux and error name it without {pixel}");
  read_too(c, column, at);
  return SDN_OK;
}

static sdn_status map_band(sdn_catalogue *c, int b, absent *flux, absent *error, sdn_err *err)
{
  wanted f = {.band = b, .name = sdn_survey_flux_column(c->survey, b)}, e = {.band = b, .name = sdn_survey_error_column(c->survey, b)};
  sdn_survey_flux_element(c->survey, b, &f.element, &f.width);
  sdn_survey_error_element(c->survey, b, &e.element, &e.width);
  f.at_first = &c->at_flux[b - f.element];
  e.at_first = &c->at_error[b - e.element];
  return map_value(c, &f, flux, &c->at_flux[b], err) || map_value(c, &e, error, &c->at_error[b], err) ? err->status : SDN_OK;
}

static bool no_flux(const sdn_catalogue *c)
{
  for (int b = 0; b < c->n_band; b++)
    if (c->at_flux[b] >= 0)
      return false;
  return true;
}

static sdn_status map_bands(sdn_catalogue *c, const char *path, sdn_err *err)
{
  absent flux = {0}, error = {0};
  for (int b = 0; b < c->n_band; b++)
    if (map_band(c, b, &flux, &error, err))
      return sdn_fail_in(err, "%s", path);
  if (no_flux(c))
    return sdn_fail(err, SDN_USAGE, "%s has none of the flux columns of survey \"%s\" (%s); its columns are %s, %s, ...: is this posterior for this catalogue?",
                    path, sdn_survey_name(c->survey), flux.names, sdn_table_n_column(c->table) > 0 ? sdn_table_column(c->table, 0) : "none",
                    sdn_table_n_column(c->table) > 1 ? sdn_table_column(c->table, 1) : "none");
  if (flux.n + error.n > 0)
    return sdn_fail(err, SDN_USAGE, "%s lacks %d column(s) that survey \"%s\" reads: %s%s%s; rename them, or add them filled with NaN for bands not observed",
                    path, flux.n + error.n, sdn_survey_name(c->survey), flux.names, flux.n && error.n ? ", " : "", error.names);
  return SDN_OK;
}

static sdn_status map_number(sdn_catalogue *c, const char *name, int *at, sdn_err *err)
{
  int column = sdn_table_find(c->table, name, err);
  if (column < 0)
    return err->status;
  if (sdn_table_width(c->table, column) != 1)
    return sdn_fail(err, SDN_USAGE, "column '%s' holds %d values per row where a single one is wanted", name, sdn_table_width(c->table, column));
  read_too(c, column, at);
  return SDN_OK;
}

/* A survey may name a redshift column that this catalogue does not have: then there is nothing to compare with. */
static sdn_status map_redshifts(sdn_catalogue *c, const char *fix_column, sdn_err *err)
{
  sdn_err ignored;
  const char *name = sdn_survey_redshift_column(c->survey);
  c->at_redshift = c->at_fix = -1;
  if (name && sdn_table_find(c->table, name, &ignored) >= 0 && map_number(c, name, &c->at_redshift, err))
    return err->status;
  if (fix_column && map_number(c, fix_column, &c->at_fix, err))
    return sdn_fail_in(err, "fix redshift=%s", fix_column);
  return SDN_OK;
}

/* ------------------------------------------------------------------ columns that are carried over */

#define TOO_LARGE 9007199254740992.0   /* 2^53: whole numbers below it are exact in double precision */

static int copies_in(const char *copy)
{
  int n = copy && *copy ? 1 : 0;
  for (; copy && *copy; copy++)
    n += *copy == ',';
  return n;
}

static sdn_status carry(sdn_catalogue *c, const char *name, const char *as, sdn_err *err)
{
  sdn_carried *k = &c->carried[c->n_carried];
  *k = (sdn_carried){.at = -1};
  k->source = sdn_table_find(c->table, name, err);
  if (k->source < 0)
    return err->status;
  const char *unit = sdn_table_unit(c->table, k->source);
  as = as ? as : sdn_table_column(c->table, k->source);
  if (strlen(as) >= sizeof k->column.name)
    return sdn_fail(err, SDN_USAGE, "column \"%s\" has a name of more than %zu characters; rename it to copy it", as, sizeof k->column.name - 1);
  snprintf(k->column.name, sizeof k->column.name, "%s", as);
  snprintf(k->column.unit, sizeof k->column.unit, "%s", strlen(unit) < sizeof k->column.unit ? unit : "");
  k->column.kind = SDN_COLUMN_LONG;
  snprintf(k->column.description, sizeof k->column.description, "copied from the catalogue");
  c->n_carried++;
  return SDN_OK;
}

static sdn_status carry_id(sdn_catalogue *c, sdn_err *err)
{
  const char *name = sdn_survey_id_column(c->survey);
  if (name && carry(c, name, "id", err))
    return sdn_fail_in(err, "survey \"%s\", columns: id", sdn_survey_name(c->survey));
  if (name)
    return SDN_OK;
  c->carried[c->n_carried++] = (sdn_carried){ .source = -1, .at = -1, .column = {.name = "id", .description = "row of the catalogue, counted from 0", .kind = SDN_COLUMN_LONG} };
  return SDN_OK;
}

static sdn_status carry_all(sdn_catalogue *c, const char *copy, sdn_err *err)
{
  char name[128];
  if (carry_id(c, err))
    return err->status;
  for (const char *at = copy ? copy : ""; *at;) {
    size_t n = strcspn(at, ",");
    snprintf(name, sizeof name, "%.*s", (int)(n < sizeof name ? n : sizeof name - 1), at);
    if (carry(c, name, NULL, err))
      return sdn_fail_in(err, "copy");
    at += n + (at[n] == ',');
  }
  return SDN_OK;
}

/* What kind of column holds this text too. */
static void widen(sdn_column *column, const char *text)
{
  double value;
  size_t n = strlen(text);
  if ((int)n > column->width)
    column->width = (int)n;
  if (n == 0 || strcasecmp(text, "nan") == 0)
    return;
  if (!sdn_number_parse(text, n, &value))
    column->kind = SDN_COLUMN_TEXT;
  else if (fabs(value) >= TOO_LARGE && strspn(text, "+-0123456789") == n)
    column->kind = SDN_COLUMN_TEXT;   /* a whole number that a double would change */
  else if (column->kind == SDN_COLUMN_LONG && value != floor(value))
    column->kind = SDN_COLUMN_DOUBLE;
}

/* Read the whole column once to learn its kind and width, then make ready to read it again with the rows. */
static sdn_status survey_column(sdn_catalogue *c, sdn_carried *k, const char *path, sdn_err *err)
{
  sdn_table_in *table = NULL;
  if (k->source < 0)
    return SDN_OK;
  sdn_status status = sdn_table_open(path, &table, err);
  for (long row = 0; row < c->n_row && !status; row += c->n_block) {
    char **text = NULL;
    long n = c->n_row - row < c->n_block ? c->n_row - row : c->n_block;
    status = sdn_table_read_text(table, row, n, k->source, &text, err);
    for (long i = 0; i < n && !status; i++)
      widen(&k->column, text[i]);
    sdn_release(text);
  }
  sdn_table_close(table);
  if (status)
    return status;
  if (k->column.kind == SDN_COLUMN_TEXT)
    return sdn_table_open(path, &k->text, err);
  read_too(c, k->source, &k->at);
  return SDN_OK;
}

/* ------------------------------------------------------------------ open and close */

static sdn_status map_all(sdn_catalogue *c, const sdn_catalogue_request *request, sdn_err *err)
{
  sdn_status status;
  if ((status = map_bands(c, request->path, err)) || (status = map_redshifts(c, request->fix_column, err)) ||
      (status = carry_all(c, request->copy, err)))
    return status;
  for (int i = 0; i < c->n_carried && !status; i++)
    status = survey_column(c, &c->carried[i], request->path, err);
  return status;
}

sdn_status sdn_catalogue_open(const sdn_catalogue_request *request, const sdn_survey *survey, sdn_catalogue **out, sdn_err *err)
{
  sdn_status status;
  size_t n_carried = (size_t)copies_in(request->copy) + 1;
  sdn_catalogue *c = sdn_alloc(1, sizeof *c, "a catalogue", err);
  if (!c)
    return err->status;
  c->survey = survey;
  c->n_band = sdn_survey_n_band(survey);
  c->n_block = request->n_block;
  if ((status = sdn_table_open(request->path, &c->table, err)))
    goto done;
  c->n_row = sdn_table_n_row(c->table);
  c->column = sdn_alloc(2 * (size_t)c->n_band + 2 + n_carried, sizeof *c->column, "a list of columns", err);
  c->at_flux = c->column ? sdn_alloc(2 * (size_t)c->n_band, sizeof *c->at_flux, "a list of columns", err) : NULL;
  c->at_error = c->at_flux ? c->at_flux + c->n_band : NULL;
  c->carried = c->at_flux ? sdn_alloc(n_carried, sizeof *c->carried, "a list of columns", err) : NULL;
  if (!c->carried) {
    status = err->status;
    goto done;
  }
  if ((status = map_all(c, request, err)))
    goto done;
  c->buffer = sdn_alloc((size_t)c->n_block, (size_t)c->n_number * sizeof *c->buffer, "a block of the catalogue", err);
  status = c->buffer ? SDN_OK : err->status;
done:
  if (status)
    sdn_catalogue_close(c);
  else
    *out = c;
  return status;
}

void sdn_catalogue_close(sdn_catalogue *c)
{
  if (!c)
    return;
  for (int i = 0; i < c->n_carried; i++)
    sdn_table_close(c->carried[i].text);
  sdn_table_close(c->table);
  sdn_release(c->column);
  sdn_release(c->at_flux);
  sdn_release(c->carried);
  sdn_release(c->buffer);
  sdn_release(c);
}
