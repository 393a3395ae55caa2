/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From YAML to the parameters of a prior that is not finished yet: names stay names until all are known. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "prior/read_table.h"
#include "prior/store.h"

#define FIRST_CAPACITY 16

sdn_status sdn_prior_new(sdn_prior **p, sdn_err *err)
{
  *p = sdn_alloc(1, sizeof **p, "a prior", err);
  return *p ? SDN_OK : err->status;
}

static void empty_param(sdn_param *param)
{
  sdn_release(param->name);
  sdn_release(param->unit);
  sdn_release(param->text);
  sdn_release(param->help);
  sdn_release(param->where);
  sdn_formula_free(param->formula);
  sdn_dist_table_free(param->table);
  for (int a = 0; a < SDN_DIST_MAX_ARG; a++) sdn_formula_free(param->argument[a]);
  *param = (sdn_param){0};
}

void sdn_prior_free(sdn_prior *p)
{
  if (!p) return;
  for (int i = 0; i < p->n; i++) empty_param(&p->param[i]);
  sdn_release(p->param);
  sdn_release(p->free_param);
  sdn_release(p->function);
  sdn_prior_free_scopes(p);
  sdn_release(p);
}

sdn_status sdn_prior_make_room(void **array, size_t n, size_t capacity, size_t size, sdn_err *err)
{
  void *larger = sdn_alloc(capacity, size, "a prior", err);
  if (!larger) return err->status;
  if (n > 0) memcpy(larger, *array, n * size);
  sdn_release(*array);
  *array = larger;
  return SDN_OK;
}

sdn_status sdn_prior_add_function(sdn_prior *p, const char *name, double (*fn)(const void *ctx, double x), const void *ctx, sdn_err *err)
{
  void *array = p->function;
  sdn_function function = {.fn = fn, .ctx = ctx};
  if (strlen(name) >= sizeof function.name) return sdn_fail(err, SDN_USAGE, "the function name '%s' is too long", name);
  memcpy(function.name, name, strlen(name));
  if (sdn_prior_make_room(&array, p->n_function, p->n_function + 1, sizeof function, err)) return err->status;
  p->function = array;
  p->function[p->n_function++] = function;
  return SDN_OK;
}

/* ---- texts */

static char *where_of(const char *name, const sdn_yaml *node, sdn_err *err)
{
  char text[512];
  if (node) snprintf(text, sizeof text, "%.400s:%d", node->origin, node->line);
  else snprintf(text, sizeof text, "the model's default of %.200s", name);
  return sdn_copy_text(text, err);
}

/* Append to text [size] what still fits. */
static void append(char *text, size_t size, const char *more)
{
  const size_t used = strlen(text);
  snprintf(text + used, size - used, "%s", more);
}

/* "uniform(0.01, 14)"; arguments left at their defaults at the end of the list are not shown. */
static char *text_of_dist(const sdn_dist *d, const char *const *argument, sdn_err *err)
{
  const sdn_dist_form *form = &sdn_dist_forms[d->kind];
  char text[512] = "", number[SDN_NUMBER_SIZE];
  int n = form->n_arg;
  while (n > 0 && !argument[n - 1] && d->arg[n - 1] == form->initial[n - 1]) n--;
  append(text, sizeof text, form->name);
  append(text, sizeof text, "(");
  for (int a = 0; a < n; a++) {
    sdn_number_print(d->arg[a], number);
    if (a > 0) append(text, sizeof text, ", ");
    append(text, sizeof text, argument[a] ? argument[a] : number);
  }
  if (d->kind == SDN_DIST_TABULATED) {
    snprintf(number, sizeof number, "%zu values", d->table->n);
    append(text, sizeof text, number);
  }
  append(text, sizeof text, ")");
  return sdn_copy_text(text, err);
}

/* ---- one parameter */

/* A number, or a formula of names; `what` names it in messages ("low"). */
static sdn_status read_value(const char *text, double *number, sdn_formula **formula, sdn_err *err)
{
  if (sdn_number_parse(text, strlen(text), number)) return SDN_OK;
  return sdn_formula_parse(text, formula, err);
}

static sdn_status set_scalar(sdn_param *param, const char *value, sdn_err *err)
{
  char text[512];
  if (read_value(value, &param->value, &param->formula, err)) return sdn_fail_in(err, "%s: %s", param->where, param->name);
  param->kind = param->formula ? SDN_PARAM_TIED : SDN_PARAM_FIXED;
  snprintf(text, sizeof text, param->formula ? "= %.500s" : "%.400s (fixed)", value);
  param->text = sdn_copy_text(text, err);
  return param->text ? SDN_OK : err->status;
}

static sdn_status find_kind(const sdn_yaml *node, sdn_dist_kind *kind, sdn_err *err)
{
  const char *name, *known[SDN_N_DIST_KIND + 1];
  if (sdn_yaml_text(node, "prior", true, &name, err)) return err->status;
  for (int k = 0; k < SDN_N_DIST_KIND; k++) {
    known[k] = sdn_dist_forms[k].name;
    if (strcmp(name, known[k]) != 0) continue;
    *kind = (sdn_dist_kind)k;
    return SDN_OK;
  }
  known[SDN_N_DIST_KIND] = "dirichlet";
  const sdn_yaml *at = sdn_yaml_get(node, "prior");
  if (strcmp(name, known[SDN_N_DIST_KIND]) == 0)
    return sdn_yaml_fail(at, err, "a dirichlet prior fills several parameters that share one whole; it cannot stand here");
  const char *nearest = sdn_nearest(name, known, SDN_N_DIST_KIND + 1);
  return sdn_yaml_fail(at, err, "there is no prior '%.80s'%s%s%s", name, nearest ? "; did you mean '" : "; known are uniform, log_uniform, "
                       "normal, truncated_normal, student_t, beta, dirichlet, tabulated", nearest ? nearest : "", nearest ? "'?" : "");
}

/* Argument a of a distribution from its key; *text is the formula where it is one. */
static sdn_status read_argument(sdn_param *param, int a, const sdn_yaml *node, const char **text, sdn_err *err)
{
  const sdn_dist_form *form = &sdn_dist_forms[param->dist.kind];
  const sdn_yaml *item = sdn_yaml_get(node, form->arg[a]);
  param->dist.arg[a] = form->initial[a];
  *text = NULL;
  if (!item && isnan(form->initial[a])) return sdn_yaml_fail(node, err, "the %s prior of %s needs '%s'", form->name, param->name, form->arg[a]);
  if (!item) return SDN_OK;
  if (item->kind != SDN_YAML_SCALAR || !item->text[0])
    return sdn_yaml_fail(item, err, "'%s' must be a number or a formula", form->arg[a]);
  if (read_value(item->text, &param->dist.arg[a], &param->argument[a], err))
    return sdn_fail_in(err, "%s:%d: '%s' of %s", item->origin, item->line, form->arg[a], param->name);
  if (param->argument[a]) *text = item->text;
  param->conditional = param->conditional || param->argument[a];
  return SDN_OK;
}

static sdn_status check_keys(const sdn_dist_form *form, const sdn_yaml *node, sdn_err *err)
{
  const char *known[SDN_DIST_MAX_ARG + 4] = {"prior"};
  size_t n = 1;
  for (int a = 0; a < form->n_arg; a++) known[n++] = form->arg[a];
  if (form == &sdn_dist_forms[SDN_DIST_TABULATED]) {
    known[n++] = "value";
    known[n++] = "density";
    known[n++] = "file";
  }
  return sdn_yaml_only_keys(node, known, n, err);
}

static sdn_status set_dist(sdn_param *param, const sdn_yaml *node, sdn_err *err)
{
  const char *argument[SDN_DIST_MAX_ARG];
  if (find_kind(node, &param->dist.kind, err)) return err->status;
  const sdn_dist_form *form = &sdn_dist_forms[param->dist.kind];
  if (check_keys(form, node, err)) return err->status;
  for (int a = 0; a < form->n_arg; a++)
    if (read_argument(param, a, node, &argument[a], err)) return err->status;
  if (param->dist.kind == SDN_DIST_TABULATED && sdn_prior_read_table(node, &param->table, err)) return err->status;
  param->dist.table = param->table;
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

static sdn_status set_from_node(sdn_param *param, const sdn_param_spec *spec, const sdn_yaml *node, sdn_err *err)
{
  if (!node && !spec->initial)
    return sdn_fail(err, SDN_USAGE, "the model needs a value or a prior for %s (%s)", param->name, spec->help ? spec->help : "no default");
  if (!node) return set_scalar(param, spec->initial, err);
  if (node->kind == SDN_YAML_MAP) return set_dist(param, node, err);
  if (node->kind == SDN_YAML_LIST || !node->text[0])
    return sdn_yaml_fail(node, err, "%s must be a number, a formula or a map {prior: NAME, ...}", param->name);
  return set_scalar(param, node->text, err);
}

/* A new, empty parameter at the end; it is the prior's from now on. */
static sdn_param *append_param(sdn_prior *p, const sdn_param_spec *spec, const char *name, const sdn_yaml *node, sdn_err *err)
{
  char *whole = sdn_scope_name(p, name, err);
  if (!whole) return NULL;
  sdn_param made = {.name = whole, .scope = p->scope, .served_low = spec->low, .served_high = spec->high, .is_default = !node};
  sdn_status status = SDN_OK;
  if (p->finished) status = sdn_fail(err, SDN_USAGE, "parameter %s comes after the prior was finished", whole);
  else if (sdn_prior_param_index(p, whole) >= 0) status = sdn_fail(err, SDN_USAGE, "parameter %s is declared twice", whole);
  if (!status && p->n == p->capacity) {
    const int capacity = p->capacity ? 2 * p->capacity : FIRST_CAPACITY;
    void *array = p->param;
    status = sdn_prior_make_room(&array, (size_t)p->n, (size_t)capacity, sizeof *p->param, err);
    p->param = array;
    if (!status) p->capacity = capacity;
  }
  if (!status && (!(made.unit = sdn_copy_text(spec->unit ? spec->unit : "", err)) || !(made.help = sdn_copy_text(spec->help ? spec->help : "", err)) ||
                  !(made.where = where_of(whole, node, err))))
    status = err->status;
  if (status) {
    empty_param(&made);
    return NULL;
  }
  p->param[p->n] = made;
  return &p->param[p->n++];
}

sdn_status sdn_prior_add(sdn_prior *p, const sdn_param_spec *spec, const sdn_yaml *node, sdn_err *err)
{
  sdn_param *param = append_param(p, spec, spec->name, node, err);
  return param ? set_from_node(param, spec, node, err) : err->status;
}

/* ---- several parameters from one node */

typedef struct dirichlet { double *alpha; size_t n; char text[400]; } dirichlet;   /* n shares of one whole */

/* err names the first alpha that is not positive, or their wrong number. */
static sdn_status read_dirichlet(const sdn_yaml *node, const char *name, int n_param, dirichlet *d, sdn_err *err)
{
  static const char *const known[] = {"prior", "alpha"};
  char number[SDN_NUMBER_SIZE];
  if (sdn_yaml_only_keys(node, known, 2, err) || sdn_yaml_numbers(node, "alpha", true, &d->alpha, &d->n, err)) return err->status;
  const sdn_yaml *at = sdn_yaml_get(node, "alpha");
  if (d->n != (size_t)n_param + 1)
    return sdn_yaml_fail(at, err, "alpha of %s has %zu values; %d parameters need %d", name, d->n, n_param, n_param + 1);
  append(d->text, sizeof d->text, "dirichlet(");
  for (size_t j = 0; j < d->n; j++) {
    sdn_number_print(d->alpha[j], number);
    if (!(d->alpha[j] > 0)) return sdn_yaml_fail(at, err, "alpha of %s has the value %s; all must be positive", name, number);
    append(d->text, sizeof d->text, j > 0 ? ", " : "");
    append(d->text, sizeof d->text, number);
  }
  append(d->text, sizeof d->text, ")");
  return SDN_OK;
}

/* Share i of the whole by stick breaking: given the sum of the shares before it, what remains is split by a beta variable of alpha_i and the
 * sum of the later alphas. So each running sum is a beta variable between the one before it (NULL: 0) and 1. */
static sdn_status set_running_sum(sdn_param *param, const dirichlet *d, size_t i, const char *previous, sdn_err *err)
{
  double rest = 0;
  char text[512];
  for (size_t j = d->n; j-- > i + 1;) rest += d->alpha[j];
  param->kind = SDN_PARAM_FREE;
  param->dist = (sdn_dist){.kind = SDN_DIST_BETA, .arg = {d->alpha[i], rest, 0, 1}};
  param->conditional = previous != NULL;
  if (previous && sdn_formula_parse(previous, &param->argument[2], err)) return err->status;
  const char *fault = sdn_dist_prepare(&param->dist);
  if (fault) return sdn_fail(err, SDN_USAGE, "%s: prior of %s, %s: %s", param->where, param->name, d->text, fault);
  snprintf(text, sizeof text, "%.400s, sum of the first %zu of %zu shares", d->text, i + 1, d->n);
  param->text = sdn_copy_text(text, err);
  return param->text ? SDN_OK : err->status;
}

static sdn_status add_dirichlet(sdn_prior *p, const sdn_param_spec *spec, int n, const char *const *names, const sdn_yaml *node, sdn_err *err)
{
  dirichlet d = {0};
  sdn_status status = read_dirichlet(node, spec->name, n, &d, err);
  for (int i = 0; i < n && !status; i++) {
    sdn_param *param = append_param(p, spec, names[i], node, err);
    status = param ? set_running_sum(param, &d, (size_t)i, i > 0 ? names[i - 1] : NULL, err) : err->status;
  }
  sdn_release(d.alpha);
  return status;
}

sdn_status sdn_prior_add_vector(sdn_prior *p, const sdn_param_spec *spec, int n, const char *const *names, const sdn_yaml *node, sdn_err *err)
{
  const bool list = node && node->kind == SDN_YAML_LIST;
  const sdn_yaml *prior = sdn_yaml_get(node, "prior");
  if (prior && prior->kind == SDN_YAML_SCALAR && strcmp(prior->text, "dirichlet") == 0) return add_dirichlet(p, spec, n, names, node, err);
  if (list && node->n != (size_t)n) return sdn_yaml_fail(node, err, "%s has %zu values; %d are needed", spec->name, node->n, n);
  for (int i = 0; i < n; i++) {
    const sdn_yaml *item = list ? node->item[i] : node;
    sdn_param *param = append_param(p, spec, names[i], item, err);
    if (!param || set_from_node(param, spec, item, err)) return err->status;
  }
  return SDN_OK;
}
