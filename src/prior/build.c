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
  sdn_dist_grid_free(param->grid);
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

static sdn_status add_function(sdn_prior *p, const char *name, sdn_function function, sdn_err *err)
{
  void *array = p->function;
  if (strlen(name) >= sizeof function.name) return sdn_fail(err, SDN_USAGE, "the function name '%s' is too long", name);
  memcpy(function.name, name, strlen(name));
  if (sdn_prior_make_room(&array, p->n_function, p->n_function + 1, sizeof function, err)) return err->status;
  p->function = array;
  p->function[p->n_function++] = function;
  return SDN_OK;
}

sdn_status sdn_prior_add_function(sdn_prior *p, const char *name, double (*fn)(const void *ctx, double x), const void *ctx, sdn_err *err)
{
  return add_function(p, name, (sdn_function){.fn = fn, .ctx = ctx, .n_argument = 1}, err);
}

sdn_status sdn_prior_add_function_n(sdn_prior *p, const char *name, int n_argument, double (*fn)(const void *ctx, const double *x), const void *ctx, sdn_err *err)
{
  if (!(n_argument >= 1 && n_argument <= SDN_FUNCTION_MAX_ARG))
    return sdn_fail(err, SDN_USAGE, "the function %s has %d arguments; 1 to %d can be had", name, n_argument, SDN_FUNCTION_MAX_ARG);
  return add_function(p, name, (sdn_function){.fn_n = fn, .ctx = ctx, .n_argument = n_argument}, err);
}

/* ---- texts */

static char *where_of(const char *name, const sdn_yaml *node, sdn_err *err)
{
  char text[512];
  if (node) snprintf(text, sizeof text, "%.400s:%d", node->origin, node->line);
  else snprintf(text, sizeof text, "the model's default of %.200s", name);
  return sdn_copy_text(text, err);
}

void sdn_append_text(char *text, size_t size, const char *more)
{
  const size_t used = strlen(text);
  snprintf(text + used, size - used, "%s", more);
}

/* ---- one parameter */

static sdn_status set_scalar(const sdn_prior *p, sdn_param *param, const char *value, sdn_err *err)
{
  char text[512];
  if (sdn_prior_read_value(p, value, &param->value, &param->formula, err)) return sdn_fail_in(err, "%s: %s", param->where, param->name);
  param->kind = param->formula ? SDN_PARAM_TIED : SDN_PARAM_FIXED;
  snprintf(text, sizeof text, param->formula ? "= %.500s" : "%.400s (fixed)", value);
  param->text = sdn_copy_text(text, err);
  return param->text ? SDN_OK : err->status;
}

static sdn_status set_from_node(const sdn_prior *p, sdn_param *param, const sdn_param_spec *spec, const sdn_yaml *node, sdn_err *err)
{
  if (!node && !spec->initial)
    return sdn_fail(err, SDN_USAGE, "the model needs a value or a prior for %s (%s)", param->name, spec->help ? spec->help : "no default");
  if (!node) return set_scalar(p, param, spec->initial, err);
  if (node->kind == SDN_YAML_MAP) return sdn_prior_read_dist(p, param, node, err);
  if (node->kind == SDN_YAML_LIST || !node->text[0])
    return sdn_yaml_fail(node, err, "%s must be a number, a formula or a map {prior: NAME, ...}", param->name);
  return set_scalar(p, param, node->text, err);
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
  return param ? set_from_node(p, param, spec, node, err) : err->status;
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
  sdn_append_text(d->text, sizeof d->text, "dirichlet(");
  for (size_t j = 0; j < d->n; j++) {
    sdn_number_print(d->alpha[j], number);
    if (!(d->alpha[j] > 0)) return sdn_yaml_fail(at, err, "alpha of %s has the value %s; all must be positive", name, number);
    sdn_append_text(d->text, sizeof d->text, j > 0 ? ", " : "");
    sdn_append_text(d->text, sizeof d->text, number);
  }
  sdn_append_text(d->text, sizeof d->text, ")");
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
  sdn_status status = SDN_OK;
  for (int i = 0; i < n && !status; i++) {
    const sdn_yaml *item = list ? node->item[i] : node;
    sdn_param *param = append_param(p, spec, names[i], item, err);
    p->item = i + 1;
    p->n_item = n;
    status = param ? set_from_node(p, param, spec, item, err) : err->status;
  }
  p->item = p->n_item = 0;
  return status;
}
