/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna info: what a file is, who made it, what it holds. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/h5.h"
#include "base/sqlite.h"
#include "base/table.h"
#include "base/yaml.h"
#include "prior/parameters.h"
#include "report/report_rows.h"
#include "survey/survey.h"
#include "survey/units.h"

static const struct { unsigned bit; const char *meaning; } flag_meaning[] = {
  {SDN_FLAG_NO_DATA, "no band has data: the answer is the prior"},
  {SDN_FLAG_BAD_ERROR, "a band had a flux but no usable error and was left out"},
  {SDN_FLAG_OUT_OF_RANGE, "a flux or error lies outside what the network was trained on"},
  {SDN_FLAG_FIX_MISSING, "no usable value to fix in this row; the redshift was inferred"},
  {SDN_FLAG_FIX_IMPROBABLE, "the fixed redshift is improbable under the photometry"},
  {SDN_FLAG_BAD_DERIVED, "a derived quantity could not be computed for some draws"},
  {SDN_FLAG_POOR_FIT, "no draw's photometry resembles the data"},
};

const sdn_knob sdn_info_knobs[] = {
  {.name = "file", .kind = SDN_KNOB_TEXT, .offset = offsetof(sdn_info_options, file), .unit = "FILE",
   .help = "a library, posterior, study, result, grid, model or survey"},
  {.name = "rows", .kind = SDN_KNOB_LONG, .offset = offsetof(sdn_info_options, rows), .initial = "0", .low = 0, .high = 1e9, .unit = "N",
   .help = "of a result: print the first N galaxies instead of the description"},
};
const size_t sdn_n_info_knob = sizeof sdn_info_knobs / sizeof sdn_info_knobs[0];

static bool has_ending(const char *path, const char *const *endings, size_t n)
{
  size_t length = strlen(path);
  for (size_t i = 0; i < n; i++) {
    size_t m = strlen(endings[i]);
    if (length > m && !strcmp(path + length - m, endings[i])) return true;
  }
  return false;
}

/* ------------------------------------------------------------------ YAML */

/* The parameters of any simulator. */
static sdn_status explain_prior(const char *yaml, const char *origin, FILE *out, sdn_err *err)
{
  sdn_prior *prior = NULL;
  if (sdn_prior_parse(yaml, origin, &prior, err)) return err->status;
  fputs("parameters:\n", out);
  for (int i = 0; i < sdn_prior_n_param(prior); i++) fprintf(out, "  %-28s %s\n", sdn_prior_param_name(prior, i), sdn_prior_param_text(prior, i));
  sdn_prior_free(prior);
  return SDN_OK;
}

static sdn_status explain_model(const char *yaml, const char *origin, FILE *out, sdn_err *err)
{
  sdn_model *model = NULL;
  if (sdn_prior_is_alone(yaml)) return explain_prior(yaml, origin, out, err);
  sdn_status status = sdn_model_parse(yaml, origin, &model, err);
  if (status == SDN_OK) status = sdn_model_explain(model, out, err);
  sdn_model_free(model);
  return status;
}

/* The background errors of a band, and what the catalogue's columns are called. */
static void print_band(const sdn_survey *s, int b, FILE *out)
{
  const sdn_band *band = &s->band[b];
  const char *unit = sdn_survey_band_unit(s, b);
  char sigma[64], depth[32] = "";
  snprintf(sigma, sizeof sigma, "%.4g  %.4g  %.4g", band->sigma.low, band->sigma.median, band->sigma.high);
  if (!strcmp(unit, "nJy")) snprintf(depth, sizeof depth, "%.2f", 31.4 - 2.5 * log10(5 * band->sigma.median));
  else snprintf(depth, sizeof depth, "%s", unit);
  fprintf(out, "  %-14s %-28s %-28s %-10s %-26s %-26s %.6g\n", band->name, band->filter, sigma, depth, band->flux_column, band->error_column, band->to_njy);
}

/* A spectrum in one line instead of hundreds. */
static void print_spectrum(const sdn_survey *s, const sdn_spectrum *k, FILE *out)
{
  const sdn_band *first = &s->band[k->first], *last = &s->band[k->first + k->n - 1];
  double low = first->sigma.low, high = first->sigma.high;
  for (int b = k->first; b < k->first + k->n; b++) {
    low = fmin(low, s->band[b].sigma.low);
    high = fmax(high, s->band[b].sigma.high);
  }
  fprintf(out, "  spectrum %s: %d pixels, %g to %g A, ", k->name, k->n, k->low_A, k->high_A);
  if (k->largest_resolution > 0) fprintf(out, "R = %.4g to %.4g", k->least_resolution, k->largest_resolution);
  else fputs("sharp", out);
  fprintf(out, "; sigma %.4g to %.4g nJy; floor_fraction %g; columns %s, %s", low, high, first->floor_fraction, first->flux_column, first->error_column);
  if (first->flux_is_vector && first->error_is_vector) fputs(" of all pixels\n", out);
  else fprintf(out, " to %s, %s\n", last->flux_column, last->error_column);
}

static void print_bands(const sdn_survey *s, FILE *out)
{
  bool magnitudes = false;
  fprintf(out, "  %-14s %-28s %-28s %-10s %-26s %-26s %s\n", "band", "filter", "sigma: low median high [nJy]", "5 sigma AB", "flux column", "error column",
          "nJy per unit");
  for (int b = 0; b < s->n_band; b++) {
    if (s->band[b].spectrum < 0) print_band(s, b, out);
    magnitudes = magnitudes || s->band[b].magnitude;
  }
  for (int k = 0; k < s->n_spectrum; k++) print_spectrum(s, &s->spectrum[k], out);
  if (magnitudes) fputs("  the columns are AB magnitudes: nJy per unit is the flux of magnitude 0\n", out);
}

/* Numbers of any simulator. */
static void print_data(const sdn_survey *s, FILE *out)
{
  fprintf(out, "  %-14s %-12s %-12s %s\n", "datum", "center", "scale", "noise");
  for (int b = 0; b < s->n_band; b++) {
    const sdn_band *band = &s->band[b];
    fprintf(out, "  %-14s %-12.5g %-12.5g ", band->name, band->center, band->scale);
    if (band->exact) fputs("in the data\n", out);
    else fprintf(out, "sigma %.4g to %.4g\n", band->sigma.low, band->sigma.high);
  }
}

static void print_noise(const sdn_survey *s, FILE *out)
{
  static const char *const made[] = {"none (sigma0 itself)", "quadrature", "max"};
  fprintf(out, "  floor_fraction: %g   poisson_njy: %g   sigma_correlation: %g\n", s->floor_fraction, s->poisson_njy, s->sigma_correlation);
  fprintf(out, "  error_column: %s", made[s->error_column]);
  if (s->error_column != SDN_ERROR_COLUMN_NONE) fprintf(out, ", column_floor_fraction %g", s->column_floor_fraction);
  fprintf(out, "\n  id column: %s   redshift column: %s\n", s->id_column ? s->id_column : "(row numbers)", s->redshift_column ? s->redshift_column : "(none)");
}

static void print_missing(const sdn_survey *s, FILE *out)
{
  fprintf(out, "  missing: each band in a fraction %g of the galaxies", s->drop_fraction);
  for (int p = 0; p < s->n_pattern; p++) {
    fprintf(out, "; in %g together", s->pattern[p].fraction);
    for (int b = 0; b < s->n_band; b++)
      if (s->pattern[p].missing[b] && s->band[b].spectrum < 0) fprintf(out, " %s", s->band[b].name);
    for (int k = 0; k < s->n_spectrum; k++)
      if (s->pattern[p].missing[s->spectrum[k].first]) fprintf(out, " %s", s->spectrum[k].name);
  }
  fputs("\n  missing_value: NaN", out);
  for (size_t i = 0; i < s->n_missing_value; i++) fprintf(out, " %g", s->missing_value[i]);
  fputc('\n', out);
}

static void print_survey(const sdn_survey *s, FILE *out)
{
  int n_pixel = 0;
  for (int k = 0; k < s->n_spectrum; k++) n_pixel += s->spectrum[k].n;
  fprintf(out, "survey: %s, %d bands", sdn_survey_name(s), s->n_band - n_pixel);
  if (n_pixel) fprintf(out, " and %d spectra of %d pixels", s->n_spectrum, n_pixel);
  fputc('\n', out);
  if (s->plain) {
    print_data(s, out);
    return;
  }
  print_bands(s, out);
  print_noise(s, out);
  print_missing(s, out);
  fprintf(out, "  evidence: %s\n", sdn_survey_evidence_kind(s));
}

static sdn_status explain_survey(const char *yaml, const char *origin, FILE *out, sdn_err *err)
{
  sdn_survey *survey = NULL;
  sdn_status status = sdn_survey_parse(yaml, origin, &survey, err);
  if (status == SDN_OK) print_survey(survey, out);
  sdn_survey_free(survey);
  return status;
}

/* As explain_survey, with the paths of own filters found as simulate finds them. */
static sdn_status info_survey(const char *path, FILE *out, sdn_err *err)
{
  sdn_survey *survey = NULL;
  sdn_status status = sdn_survey_read(path, &survey, err);
  if (status == SDN_OK) print_survey(survey, out);
  sdn_survey_free(survey);
  return status;
}

static sdn_status info_yaml(const char *path, FILE *out, sdn_err *err)
{
  char *text = NULL;
  sdn_yaml *root = NULL;
  sdn_status status = sdn_read_text_file(path, &text, err);
  if (status == SDN_OK) status = sdn_yaml_parse(text, path, &root, err);
  if (status == SDN_OK) {
    if (sdn_yaml_get(root, "bands") || sdn_yaml_get(root, "spectra") || sdn_yaml_get(root, "lines")) status = info_survey(path, out, err);
    else if (sdn_yaml_get(root, "grid")) status = explain_model(text, path, out, err);
    else status = sdn_fail(err, SDN_FORMAT, "%s names neither a grid (a model) nor bands, spectra or lines (a survey)", path);
  }
  sdn_yaml_free(root);
  sdn_release(text);
  return status;
}

/* ------------------------------------------------------------------ HDF5 */

static void print_text_attr(const sdn_h5 *file, const char *object, const char *attr, const char *label, FILE *out)
{
  char *value = NULL;
  sdn_err ignored;
  if (sdn_h5_has_attr(file, object, attr) && sdn_h5_get_text(file, object, attr, &value, &ignored) == SDN_OK)
    fprintf(out, "%s: %s\n", label, value);
  sdn_release(value);
}

static void print_datasets(const sdn_h5 *file, const char *group, FILE *out)
{
  char **names = NULL;
  size_t n = 0;
  sdn_err ignored;
  if (sdn_h5_list(file, group, &names, &n, &ignored) != SDN_OK) return;
  for (size_t i = 0; i < n; i++) {
    char name[256];
    sdn_h5_shape shape;
    snprintf(name, sizeof name, "%s%s%s", group, strcmp(group, "/") ? "/" : "", names[i]);
    if (sdn_h5_shape_of(file, name, &shape, &ignored) != SDN_OK) {
      print_datasets(file, name, out);
      continue;
    }
    fprintf(out, "  %-36s", name);
    for (int d = 0; d < shape.n_dim; d++) fprintf(out, "%s%ld", d ? " x " : "", shape.dim[d]);
    fputc('\n', out);
  }
  sdn_release(names);
}

static void print_number_attr(const sdn_h5 *file, const char *group, const char *attr, const char *label, FILE *out)
{
  double value;
  long count;
  sdn_err ignored;
  if (!sdn_h5_has_attr(file, group, attr)) return;
  if (sdn_h5_get_double(file, group, attr, &value, &ignored) == SDN_OK) fprintf(out, "  %-28s %.6g\n", label, value);
  else if (sdn_h5_get_long(file, group, attr, &count, &ignored) == SDN_OK) fprintf(out, "  %-28s %ld\n", label, count);
}

/* What came of a network's training. */
static void print_training(const sdn_h5 *file, const char *group, FILE *out)
{
  static const struct { const char *attr, *label; } number[] = {
    {"validation_gain", "gain, validation [nats]"}, {"test_gain", "gain, test [nats]"}, {"test_gain_error", "  its error"}, {"n_train", "galaxies to train on"},
    {"n_validation", "galaxies to validate on"}, {"n_test", "galaxies to test on"}, {"n_step", "steps"}, {"seconds", "seconds"}};
  char history[128];
  sdn_h5_shape shape;
  sdn_err ignored;
  snprintf(history, sizeof history, "%s/history", group);
  for (size_t i = 0; i < sizeof number / sizeof number[0]; i++) print_number_attr(file, group, number[i].attr, number[i].label, out);
  if (sdn_h5_has(file, history) && sdn_h5_shape_of(file, history, &shape, &ignored) == SDN_OK) fprintf(out, "  %-28s %ld\n", "epochs", shape.dim[0]);
}

/* The networks of a posterior. */
static void print_members(const sdn_h5 *file, FILE *out)
{
  char group[64], training[96], *head, *encoder;
  sdn_err ignored;
  double weight;
  for (int k = 0; snprintf(group, sizeof group, "member%d", k) > 0 && sdn_h5_has(file, group); k++) {
    head = encoder = NULL;
    if (sdn_h5_get_text(file, group, "head", &head, &ignored) == SDN_OK && sdn_h5_get_text(file, group, "encoder", &encoder, &ignored) == SDN_OK &&
        sdn_h5_get_double(file, group, "weight", &weight, &ignored) == SDN_OK)
      fprintf(out, "network %d: head %s, encoder %s, weight %.3g\n", k, head, encoder, weight);
    sdn_release(head);
    sdn_release(encoder);
    snprintf(training, sizeof training, "%s/training", group);
    if (sdn_h5_has(file, training)) print_training(file, training, out);
  }
}

/* The two YAML files inside a library or posterior, as they are understood now. */
static sdn_status explain_yaml_attrs(const sdn_h5 *file, FILE *out, sdn_err *err)
{
  char *yaml = NULL;
  sdn_status status = SDN_OK;
  if (sdn_h5_has_attr(file, "/", "model_yaml")) {
    status = sdn_h5_get_text(file, "/", "model_yaml", &yaml, err);
    if (status == SDN_OK) status = explain_model(yaml, "model_yaml", out, err);
    sdn_release(yaml);
    yaml = NULL;
  }
  if (status == SDN_OK && sdn_h5_has_attr(file, "/", "survey_yaml")) {
    status = sdn_h5_get_text(file, "/", "survey_yaml", &yaml, err);
    if (status == SDN_OK) status = explain_survey(yaml, "survey_yaml", out, err);
    sdn_release(yaml);
  }
  return status;
}

static sdn_status info_hdf5(const char *path, FILE *out, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_status status = sdn_h5_open(path, &file, err);
  if (status != SDN_OK) return status;
  bool is_grid = sdn_h5_has(file, "axes") && (sdn_h5_has(file, "spectra") || sdn_h5_has(file, "lines"));
  print_text_attr(file, "/", "format", "format", out);
  print_text_attr(file, "/", "sedna_version", "made by sedna", out);
  print_text_attr(file, "/", "command", "command", out);
  print_text_attr(file, "/", "posterior", "posterior", out);
  print_text_attr(file, "/", "catalogue", "catalogue", out);
  print_members(file, out);
  if (is_grid) status = sdn_grid_info(&(sdn_grid_info_options){.grid = path}, out, err);
  else print_datasets(file, "/", out);
  if (status == SDN_OK && !is_grid) status = explain_yaml_attrs(file, out, err);
  sdn_err ignored;
  sdn_h5_close(file, status == SDN_OK ? err : &ignored);
  return status;
}

/* ------------------------------------------------------------------ tables */

static void print_meta(sdn_table_in *t, const char *key, const char *label, FILE *out)
{
  char *value = NULL;
  sdn_err ignored;
  if (sdn_table_meta(t, key, &value, &ignored) == SDN_OK && *value) fprintf(out, "%s: %s\n", label, value);
  sdn_release(value);
}

static sdn_status print_flags(sdn_table_in *t, FILE *out, sdn_err *err)
{
  enum { block = 4096, n_flag = sizeof flag_meaning / sizeof flag_meaning[0] };
  long count[n_flag] = {0}, n = sdn_table_n_row(t);
  int column = -1;
  for (int i = 0; i < sdn_table_n_column(t); i++)
    if (!strcmp(sdn_table_column(t, i), "flags")) column = i;
  if (column < 0) return SDN_OK;
  double *flags = sdn_alloc(block, sizeof *flags, "flags", err);
  sdn_status status = flags ? SDN_OK : err->status;
  for (long row = 0; row < n && status == SDN_OK; row += block) {
    long m = n - row < block ? n - row : block;
    status = sdn_table_read(t, row, m, 1, &column, flags, err);
    for (long i = 0; i < m && status == SDN_OK; i++)
      for (int k = 0; k < n_flag; k++) count[k] += ((unsigned)flags[i] & flag_meaning[k].bit) != 0;
  }
  sdn_release(flags);
  fputs("flags (bits of the column `flags`), rows that carry them:\n", out);
  for (int k = 0; k < n_flag; k++) fprintf(out, "  %3u  %8ld  %s\n", flag_meaning[k].bit, count[k], flag_meaning[k].meaning);
  return status;
}

/* Redshift, mass and whatever else fits a line: median and half the interval. */
static void print_row(const sdn_report_table *t, const char *id, const double *number, FILE *out)
{
  enum { n_shown = 6 };
  fprintf(out, "%-14s %7.4f", id, t->z_spec >= 0 ? number[t->z_spec] : NAN);
  for (int i = 0; i < t->n_quantity && i < n_shown; i++) {
    const sdn_report_quantity *q = &t->quantity[i];
    double half = q->q16 < 0 || q->q84 < 0 ? NAN : 0.5 * (number[q->q84] - number[q->q16]);
    fprintf(out, "  %9.3f +- %-7.3f", number[q->q50], half);
  }
  fprintf(out, "  %g\n", t->flags >= 0 ? number[t->flags] : NAN);
}

static void print_interval(const sdn_report_quantity *q, FILE *out)
{
  char text[64] = "median";
  if (q->q16 >= 0 && q->q84 >= 0) snprintf(text, sizeof text, "+- (q%.3g-q%.3g)/2", q->high_percent, q->low_percent);
  fprintf(out, "  %-20s", text);
}

static sdn_status print_rows(const char *path, long n, FILE *out, sdn_err *err)
{
  enum { most = 1000, n_shown = 6 };
  sdn_report_table t;
  double *number = NULL;
  char **id = NULL;
  long row[most];
  sdn_status status = sdn_report_table_open(path, &t, err);
  if (status != SDN_OK) return status;
  int n_rows = (int)(n < t.n ? n : t.n);
  if (n_rows > most) n_rows = most;
  for (int i = 0; i < n_rows; i++) row[i] = i;
  status = sdn_report_rows_read(path, n_rows, row, &number, &id, err);
  if (status == SDN_OK) {
    fprintf(out, "%-14s %7s", "id", "z_spec");
    for (int i = 0; i < t.n_quantity && i < n_shown; i++) fprintf(out, "  %-20.20s", t.quantity[i].name);
    fputs("  flags\n", out);
    fprintf(out, "%-14s %7s", "", "");
    for (int i = 0; i < t.n_quantity && i < n_shown; i++) print_interval(&t.quantity[i], out);
    fputc('\n', out);
    for (int i = 0; i < n_rows; i++) print_row(&t, id[i], number + (size_t)i * (size_t)sdn_table_n_column(t.table), out);
  }
  sdn_release(number);
  sdn_release(id);
  sdn_report_table_close(&t);
  return status;
}

static sdn_status info_table(const char *path, FILE *out, sdn_err *err)
{
  sdn_table_in *t = NULL;
  sdn_status status = sdn_table_open(path, &t, err);
  if (status != SDN_OK) return status;
  fprintf(out, "table: %ld rows, %d columns\n", sdn_table_n_row(t), sdn_table_n_column(t));
  print_meta(t, "SEDNAVER", "made by sedna", out);
  print_meta(t, "COMMAND", "command", out);
  print_meta(t, "POSTERIO", "posterior", out);
  print_meta(t, "EVIDENCE", "evidence", out);
  for (int i = 0; i < sdn_table_n_column(t); i++) fprintf(out, "  %-40s %s\n", sdn_table_column(t, i), sdn_table_unit(t, i));
  status = print_flags(t, out, err);
  sdn_table_close(t);
  return status;
}

/* A file, or the name of a shipped model, survey or grid. Freed by sdn_release. */
static char *find_file(const char *name, sdn_err *err)
{
  static const struct { const char *kind, *ending; } shipped[] = {{"models", ".yaml"}, {"surveys", ".yaml"}, {"grids", ".hdf5"}};
  if (sdn_file_exists(name) || strpbrk(name, "/.[")) return sdn_copy_text(name, err);
  for (size_t i = 0; i < sizeof shipped / sizeof shipped[0]; i++) {
    char *path = sdn_named_file(shipped[i].kind, shipped[i].ending, name, err);
    if (path || err->status != SDN_USAGE) return path;
  }
  sdn_fail(err, SDN_USAGE, "there is no file '%s', and no shipped model, survey or grid of that name", name);
  return NULL;
}

static sdn_status info_file(const char *path, FILE *out, sdn_err *err)
{
  static const char *const yaml[] = {".yaml", ".yml"}, *const hdf5[] = {".h5", ".hdf5", ".part", ".checkpoint"};
  if (has_ending(path, yaml, 2)) return info_yaml(path, out, err);
  if (sdn_db_is_one(path)) return sdn_study_table(path, out, err);
  return has_ending(path, hdf5, 4) ? info_hdf5(path, out, err) : info_table(path, out, err);
}

/* The description is made in full before any of it is printed: a failure leaves nothing on `out`. */
static sdn_status describe(const char *path, FILE *out, sdn_err *err)
{
  char block[4096];
  FILE *page = tmpfile();
  if (!page) return sdn_fail(err, SDN_IO, "cannot make a temporary file for the description; mend TMPDIR or free some space");
  sdn_status status = info_file(path, page, err);
  rewind(page);
  if (status == SDN_OK) fprintf(out, "%s\n", path);
  for (size_t n; status == SDN_OK && (n = fread(block, 1, sizeof block, page)) > 0;) fwrite(block, 1, n, out);
  fclose(page);
  return status;
}

sdn_status sdn_info(const sdn_info_options *opt, FILE *out, sdn_err *err)
{
  char *path = find_file(opt->file, err);
  if (!path) return err->status;
  sdn_status status = opt->rows > 0 ? print_rows(path, opt->rows, out, err) : describe(path, out, err);
  sdn_release(path);
  return status;
}
