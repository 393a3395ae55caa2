/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The distribution of one parameter, from its map {prior: NAME, ...}. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "prior/mass_function.h"
#include "prior/read_table.h"
#include "prior/store.h"

#define LEAST_LOG_MASS 3.0      /* a mass function whose ends are formulas is tabulated between these */
#define MOST_LOG_MASS 14.0
#define VOLUME_STEP_Z 0.01      /* p(z) is straight over that, or a 500th of its range */
#define VOLUME_FUNCTION "comoving_volume_mpc3"
static const char volume_prior[] = "volume_and_mass_function";

sdn_status sdn_prior_read_value(const sdn_prior *p, const char *text, double *number, sdn_formula **formula, sdn_err *err)
{
  *formula = NULL;
  if (sdn_number_parse(text, strlen(text), number)) return SDN_OK;
  if (sdn_formula_parse(text, formula, err)) return err->status;
  if (p->n_item > 0) {
    sdn_formula_fix(*formula, "index", p->item);
    sdn_formula_fix(*formula, "count", p->n_item);
  }
  return SDN_OK;
}

/* "uniform(0.01, 14)"; arguments left at their defaults at the end of the list are not shown. */
static char *text_of_dist(const sdn_dist *d, const char *const *argument, sdn_err *err)
{
  const sdn_dist_form *form = &sdn_dist_forms[d->kind];
  char text[512] = "", number[SDN_NUMBER_SIZE];
  int n = form->n_arg;
  while (n > 0 && !argument[n - 1] && d->arg[n - 1] == form->initial[n - 1]) n--;
  sdn_append_text(text, sizeof text, form->name);
  sdn_append_text(text, sizeof text, "(");
  for (int a = 0; a < n; a++) {
    sdn_number_print(d->arg[a], number);
    if (a > 0) sdn_append_text(text, sizeof text, ", ");
    sdn_append_text(text, sizeof text, argument[a] ? argument[a] : number);
  }
  if (d->kind == SDN_DIST_TABULATED) {
    snprintf(number, sizeof number, "%zu values", d->table->n);
    sdn_append_text(text, sizeof text, number);
  }
  sdn_append_text(text, sizeof text, ")");
  return sdn_copy_text(text, err);
}

static sdn_status find_kind(const sdn_yaml *node, sdn_dist_kind *kind, sdn_err *err)
{
  const char *name, *known[SDN_N_DIST_KIND + 2];
  if (sdn_yaml_text(node, "prior", true, &name, err)) return err->status;
  for (int k = 0; k < SDN_N_DIST_KIND; k++) {
    known[k] = sdn_dist_forms[k].name;
    if (strcmp(name, known[k]) != 0) continue;
    *kind = k == SDN_DIST_TABULATED && sdn_yaml_get(node, "given") ? SDN_DIST_GIVEN_TABLE : (sdn_dist_kind)k;
    return SDN_OK;
  }
  known[SDN_N_DIST_KIND] = "dirichlet";
  known[SDN_N_DIST_KIND + 1] = volume_prior;
  const sdn_yaml *at = sdn_yaml_get(node, "prior");
  if (strcmp(name, "dirichlet") == 0) return sdn_yaml_fail(at, err, "a dirichlet prior fills several parameters that share one whole; it cannot stand here");
  const char *nearest = sdn_nearest(name, known, SDN_N_DIST_KIND + 2);
  return sdn_yaml_fail(at, err, "there is no prior '%.80s'%s%s%s", name, nearest ? "; did you mean '" : "; known are uniform, log_uniform, "
                       "normal, truncated_normal, student_t, beta, dirichlet, tabulated, mass_function, volume_and_mass_function", nearest ? nearest : "",
                       nearest ? "'?" : "");
}

/* What stands for argument a: its key's text, or the default's; NULL for the number initial[a]. err where it must be given. */
static sdn_status argument_text(const sdn_param *param, int a, const sdn_yaml *node, const char **text, sdn_err *err)
{
  const sdn_dist_form *form = &sdn_dist_forms[param->dist.kind];
  const sdn_yaml *item = sdn_yaml_get(node, form->arg[a]);
  const bool by_redshift = param->dist.kind == SDN_DIST_MASS_FUNCTION && a == 0;
  *text = by_redshift ? "redshift" : NULL;
  if (!item && !by_redshift && isnan(form->initial[a])) return sdn_yaml_fail(node, err, "the %s prior of %s needs '%s'", form->name, param->name, form->arg[a]);
  if (!item) return SDN_OK;
  if (item->kind != SDN_YAML_SCALAR || !item->text[0]) return sdn_yaml_fail(item, err, "'%s' must be a number or a formula", form->arg[a]);
  *text = item->text;
  return SDN_OK;
}

/* Argument a of a distribution; *shown is the formula where it is one. */
static sdn_status read_argument(const sdn_prior *p, sdn_param *param, int a, const sdn_yaml *node, const char **shown, sdn_err *err)
{
  const char *text, *key = sdn_dist_forms[param->dist.kind].arg[a];
  param->dist.arg[a] = sdn_dist_forms[param->dist.kind].initial[a];
  *shown = NULL;
  if (argument_text(param, a, node, &text, err)) return err->status;
  if (!text) return SDN_OK;
  if (sdn_prior_read_value(p, text, &param->dist.arg[a], &param->argument[a], err))
    return sdn_fail_in(err, "%s:%d: '%s' of %s", node->origin, node->line, key, param->name);
  if (param->argument[a]) *shown = text;
  param->conditional = param->conditional || param->argument[a];
  return SDN_OK;
}

static sdn_status check_keys(sdn_dist_kind kind, const sdn_yaml *node, sdn_err *err)
{
  const sdn_dist_form *form = &sdn_dist_forms[kind];
  const char *known[SDN_DIST_MAX_ARG + 6] = {"prior"};
  size_t n = 1;
  for (int a = 0; a < form->n_arg; a++) known[n++] = form->arg[a];
  if (kind == SDN_DIST_MASS_FUNCTION) known[n++] = "family";
  if (kind == SDN_DIST_GIVEN_TABLE) known[n++] = "given_values";
  if (kind == SDN_DIST_TABULATED || kind == SDN_DIST_GIVEN_TABLE) {
    known[n++] = "value";
    known[n++] = "density";
    known[n++] = "file";
  }
  return sdn_yaml_only_keys(node, known, n, err);
}

/* ---- mass functions */

static sdn_status read_family(const sdn_yaml *node, sdn_mass_function *family, sdn_err *err)
{
  const char *text = sdn_mass_function_names[0];
  if (sdn_yaml_text(node, "family", false, &text, err)) return err->status;
  for (int f = 0; f < SDN_N_MASS_FUNCTION; f++) {
    *family = (sdn_mass_function)f;
    if (strcmp(text, sdn_mass_function_names[f]) == 0) return SDN_OK;
  }
  return sdn_yaml_fail(sdn_yaml_get(node, "family"), err, "there is no mass function '%.80s'; known are %s and %s", text, sdn_mass_function_names[0],
                       sdn_mass_function_names[1]);
}

static sdn_status make_mass_function(sdn_param *param, const sdn_yaml *node, sdn_err *err)
{
  sdn_mass_function family;
  const double low = param->argument[1] ? LEAST_LOG_MASS : param->dist.arg[1], high = param->argument[2] ? MOST_LOG_MASS : param->dist.arg[2];
  if (read_family(node, &family, err)) return err->status;
  return sdn_mass_function_grid(family, low, high, &param->grid, err) ? sdn_fail_in(err, "%s: %s", param->where, param->name) : SDN_OK;
}

typedef struct volume { double low, high, log_mass_high; sdn_formula *log_mass_low; double fixed_low; sdn_mass_function family; const sdn_function *fn; } volume;

/* The least mass may be a formula of redshift alone, which is the parameter itself. */
static sdn_status read_least_mass(const sdn_prior *p, const sdn_yaml *node, volume *v, sdn_err *err)
{
  const char *text;
  if (sdn_yaml_text(node, "log_mass_low", true, &text, err)) return err->status;
  if (sdn_prior_read_value(p, text, &v->fixed_low, &v->log_mass_low, err)) return sdn_fail_in(err, "%s:%d: log_mass_low", node->origin, node->line);
  if (!v->log_mass_low) return SDN_OK;
  for (size_t i = 0; i < sdn_formula_n_name(v->log_mass_low); i++) {
    if (strcmp(sdn_formula_name(v->log_mass_low, i), "redshift") != 0)
      return sdn_yaml_fail(node, err, "log_mass_low names '%s'; it may depend on redshift only", sdn_formula_name(v->log_mass_low, i));
    sdn_formula_bind(v->log_mass_low, i, 0);
  }
  return sdn_formula_link(v->log_mass_low, p->n_function, p->function, err) ? sdn_fail_in(err, "%s:%d", node->origin, node->line) : SDN_OK;
}

static sdn_status read_volume(const sdn_prior *p, const sdn_yaml *node, volume *v, sdn_err *err)
{
  static const char *const known[] = {"prior", "low", "high", "log_mass_low", "log_mass_high", "family"};
  for (size_t i = 0; i < p->n_function; i++)
    if (strcmp(p->function[i].name, VOLUME_FUNCTION) == 0 && p->function[i].fn) v->fn = &p->function[i];
  v->log_mass_high = MOST_LOG_MASS;
  if (sdn_yaml_only_keys(node, known, 6, err) || sdn_yaml_number(node, "low", true, &v->low, err) || sdn_yaml_number(node, "high", true, &v->high, err) ||
      sdn_yaml_number(node, "log_mass_high", false, &v->log_mass_high, err) || read_family(node, &v->family, err) || read_least_mass(p, node, v, err))
    return err->status;
  if (!(v->low >= 0 && v->low < v->high)) return sdn_yaml_fail(node, err, "redshifts from %g to %g: low must be below high, and not negative", v->low, v->high);
  return v->fn ? SDN_OK : sdn_yaml_fail(node, err, "a %s prior needs the volume of a cosmology, which this model does not have", volume_prior);
}

/* p(z) ~ dV/dz int phi d log M, as a table. */
static sdn_status make_volume_table(const volume *v, sdn_dist_table **table, sdn_err *err)
{
  const size_t n = (size_t)fmax(ceil((v->high - v->low) / VOLUME_STEP_Z), 500) + 1;
  double *z = sdn_alloc(2 * n, sizeof *z, "a prior of redshift", err);
  if (!z) return err->status;
  for (size_t i = 0; i < n; i++) {
    z[i] = i + 1 < n ? v->low + (v->high - v->low) * (double)i / (double)(n - 1) : v->high;
    const double least = v->log_mass_low ? sdn_formula_value(v->log_mass_low, &z[i]) : v->fixed_low;
    z[n + i] = v->fn->fn(v->fn->ctx, z[i]) * sdn_mass_function_number(v->family, least, v->log_mass_high, z[i]);
  }
  const sdn_status status = sdn_dist_table_new(n, z, z + n, table, err);
  sdn_release(z);
  return status;
}

static sdn_status set_volume(const sdn_prior *p, sdn_param *param, const sdn_yaml *node, sdn_err *err)
{
  volume v = {0};
  char text[400], low[SDN_NUMBER_SIZE], high[SDN_NUMBER_SIZE];
  const char *least = "";
  sdn_status status = read_volume(p, node, &v, err);
  if (!status && (status = make_volume_table(&v, &param->table, err))) sdn_fail_in(err, "%s: %s", param->where, param->name);
  sdn_formula_free(v.log_mass_low);
  if (status || (status = sdn_yaml_text(node, "log_mass_low", true, &least, err))) return status;
  sdn_number_print(v.low, low);
  sdn_number_print(v.high, high);
  snprintf(text, sizeof text, "%s(%s, %s, log mass above %.200s, %s)", volume_prior, low, high, least, sdn_mass_function_names[v.family]);
  param->dist = (sdn_dist){.kind = SDN_DIST_TABULATED, .table = param->table};
  param->kind = SDN_PARAM_FREE;
  param->text = sdn_copy_text(text, err);
  return param->text ? SDN_OK : err->status;
}

/* ---- all */

static sdn_status read_tables(sdn_param *param, const sdn_yaml *node, sdn_err *err)
{
  switch (param->dist.kind) {
  case SDN_DIST_TABULATED: return sdn_prior_read_table(node, &param->table, err);
  case SDN_DIST_GIVEN_TABLE: return sdn_prior_read_grid_table(node, &param->grid, err);
  case SDN_DIST_MASS_FUNCTION: return make_mass_function(param, node, err);
  default: return SDN_OK;
  }
}

sdn_status sdn_prior_read_dist(const sdn_prior *p, sdn_param *param, const sdn_yaml *node, sdn_err *err)
{
  const char *argument[SDN_DIST_MAX_ARG] = {NULL}, *name = "";
  if (sdn_yaml_text(node, "prior", true, &name, err)) return err->status;
  if (strcmp(name, volume_prior) == 0) return set_volume(p, param, node, err);
  if (find_kind(node, &param->dist.kind, err) || check_keys(param->dist.kind, node, err)) return err->status;
  for (int a = 0; a < sdn_dist_forms[param->dist.kind].n_arg; a++)
    if (read_argument(p, param, a, node, &argument[a], err)) return err->status;
  if (read_tables(param, node, err)) return err->status;
  param->dist.table = param->table;
  param->dist.grid = param->grid;
  param->kind = SDN_PARAM_FREE;
  double low = 0, high = 1;
  const char *fault = param->conditional ? NULL : sdn_dist_prepare(&param->dist);
  if (!fault && !param->conditional) sdn_dist_support(&param->dist, &low, &high);
  if (!fault && !(low < high)) fault = "low and high are equal; give the number itself";
  param->text = text_of_dist(&param->dist, argument, err);
  if (!param->text) return err->status;
  if (fault) return sdn_yaml_fail(node, err, "prior of %s, %s: %s", param->name, param->text, fault);
  return SDN_OK;
}
