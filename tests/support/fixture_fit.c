/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/fixture_fit.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/table.h"
#include "support/scratch.h"

const char fixture_model[] =
  "grid: bc03-miles-kroupa\n"
  "redshift: {prior: uniform, low: 0.1, high: 2}\n"
  "stars:\n"
  "  log_mass_formed_msun: {prior: uniform, low: 8, high: 11}\n"
  "  log_metallicity: -2\n"
  "  sfh: {family: delayed_exponential, age_gyr: 1, tau_gyr: 0.5}\n"
  "nebular: none\n"
  "dust: none\n"
  "igm: none\n";

const char fixture_survey[] =
  "name: fixture\n"
  "flux_unit: uJy\n"
  "floor_fraction: 0.05\n"
  "missing_value: [-99]\n"
  "sigma_correlation: 0.5\n"
  "missing: {drop_fraction: 0.1}\n"
  "columns: {id: ID, redshift: Z_SPEC, flux: \"FLUX_{band}\", error: \"ERR_{band}\"}\n"
  "bands:\n"
  "  - {name: g, filter: SLOAN/SDSS.g, sigma_njy: {low: 20, high: 80}}\n"
  "  - {name: r, filter: SLOAN/SDSS.r, sigma_njy: {low: 30, high: 100}}\n"
  "  - {name: i, filter: SLOAN/SDSS.i, sigma_njy: {low: 50, high: 150}}\n"
  "  - {name: z, filter: SLOAN/SDSS.z, sigma_njy: 100}\n";

/* ------------------------------------------------------------------ files */

const char *fixture_path(const char *name)
{
  static char path[32][512];
  static int next;
  char *out = path[next++ % 32];
  snprintf(out, sizeof path[0], "%s", scratch_file(name));
  return out;
}

char *fixture_read(const char *name, size_t *n)
{
  char *bytes = (char *)scratch_read(scratch_file(name), n);
  if (!bytes)
    fail_msg("%s is not there", name);
  return bytes;
}

bool fixture_exists(const char *name)
{
  return scratch_exists(scratch_file(name));
}

/* ------------------------------------------------------------------ simulate, train, fit */

static void must(sdn_status status, const sdn_err *err)
{
  if (status)
    fail_msg("status %d: %s", (int)status, err->text);
}

void fixture_train(const char *name, const char *model, const char *survey, long n, long n_epoch)
{
  sdn_err err;
  sdn_simulate_options simulate;
  sdn_train_options train;
  sdn_simulate_summary simulated;
  sdn_train_summary trained;
  char posterior[64];
  sdn_knob_defaults(sdn_simulate_knobs, sdn_n_simulate_knob, &simulate);
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &train);
  scratch_write_text("model.yaml", model);
  scratch_write_text("survey.yaml", survey);
  simulate.model = fixture_path("model.yaml");
  simulate.survey = fixture_path("survey.yaml");
  simulate.output = fixture_path("library.h5");
  simulate.n = n;
  must(sdn_simulate(&simulate, NULL, &simulated, &err), &err);
  snprintf(posterior, sizeof posterior, "%s.h5", name);
  train.library = fixture_path("library.h5");
  train.output = fixture_path(posterior);
  train.n_epoch = n_epoch;
  train.max_minutes = 0;
  train.batch = 500;
  train.n_layer = 3;
  train.n_hidden = 32;
  train.n_encoder = 64;
  train.n_context = 32;
  train.warm_up = 20;
  must(sdn_train(&train, NULL, &trained, &err), &err);
}

const char *fixture_posterior(void)
{
  if (!fixture_exists("posterior.h5"))
    fixture_train("posterior", fixture_model, fixture_survey, 2000, 4);
  return fixture_path("posterior.h5");
}

sdn_fit_options fixture_fit_options(const char *catalogue, const char *output)
{
  sdn_fit_options opt;
  sdn_knob_defaults(sdn_fit_knobs, sdn_n_fit_knob, &opt);
  opt.posterior = fixture_posterior();
  opt.catalogue = fixture_path(catalogue);
  opt.output = fixture_path(output);
  return opt;
}

void fixture_fit(const sdn_fit_options *opt, sdn_fit_summary *summary)
{
  sdn_err err;
  must(sdn_fit(opt, NULL, summary, &err), &err);
}

/* ------------------------------------------------------------------ results */

fixture_table fixture_table_read(const char *name)
{
  sdn_err err;
  sdn_table_in *table = NULL;
  must(sdn_table_open(fixture_path(name), &table, &err), &err);
  fixture_table t = { sdn_table_n_row(table), sdn_table_n_column(table), NULL, table };
  int *column = calloc((size_t)t.n_column, sizeof *column), n = 0;
  t.value = malloc(((size_t)t.n * (size_t)t.n_column + 1) * sizeof *t.value);
  assert_non_null(column);
  assert_non_null(t.value);
  for (int c = 0; c < t.n_column; c++)
    if (!sdn_table_is_text(table, c))
      column[n++] = c;
  double *number = malloc(((size_t)t.n * (size_t)n + 1) * sizeof *number);
  assert_non_null(number);
  must(sdn_table_read(table, 0, t.n, n, column, number, &err), &err);
  for (long i = 0; i < t.n * t.n_column; i++)
    t.value[i] = NAN;
  for (long i = 0; i < t.n; i++)
    for (int c = 0; c < n; c++)
      t.value[i * t.n_column + column[c]] = number[i * n + c];
  free(column);
  free(number);
  return t;
}

static int find(const fixture_table *t, const char *column)
{
  for (int c = 0; c < t->n_column; c++)
    if (strcmp(sdn_table_column(t->table, c), column) == 0)
      return c;
  return -1;
}

bool fixture_has_column(const fixture_table *t, const char *column)
{
  return find(t, column) >= 0;
}

double fixture_value(const fixture_table *t, long row, const char *column)
{
  int c = find(t, column);
  if (c < 0)
    fail_msg("there is no column %s", column);
  assert_in_range(row, 0, t->n - 1);
  return t->value[row * t->n_column + c];
}

void fixture_table_free(fixture_table *t)
{
  sdn_table_close(t->table);
  free(t->value);
  t->value = NULL;
}
