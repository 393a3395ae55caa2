/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prior/multivariate_normal.h"

#include <ctype.h>
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

#define SYMMETRY 1e-9      /* relative to the two variances: beyond rounding of printed numbers, a slip */
#define LEAST_PIVOT 1e-12  /* of a variance that the parameters before leave over; below, the parameter is a function of them */

static const char prior_name[] = "multivariate_normal";

/* covariance becomes its factor L in the lower triangle, [n][n] */
typedef struct group { int n; const char *name[SDN_MULTIVARIATE_MAX]; double mean[SDN_MULTIVARIATE_MAX], covariance[SDN_MULTIVARIATE_MAX * SDN_MULTIVARIATE_MAX]; } group;

bool sdn_prior_is_multivariate_normal(const sdn_yaml *node)
{
  const sdn_yaml *prior = sdn_yaml_get(node, "prior");
  return prior && prior->kind == SDN_YAML_SCALAR && strcmp(prior->text, prior_name) == 0;
}

static bool is_name(const char *s)
{
  if (!isalpha((unsigned char)*s) && *s != '_') return false;
  while (isalnum((unsigned char)*s) || *s == '_') s++;
  return *s == 0;
}

static sdn_status read_names(const sdn_yaml *node, group *g, sdn_err *err)
{
  const sdn_yaml *names = sdn_yaml_get(node, "names");
  if (!names || names->kind != SDN_YAML_LIST || names->n < 1 || names->n > SDN_MULTIVARIATE_MAX)
    return sdn_yaml_fail(names ? names : node, err, "a %s prior needs names, a list of 1 to %d parameters", prior_name, SDN_MULTIVARIATE_MAX);
  g->n = (int)names->n;
  for (int i = 0; i < g->n; i++) {
    if (names->item[i]->kind != SDN_YAML_SCALAR || !is_name(names->item[i]->text))
      return sdn_yaml_fail(names->item[i], err, "name %d of a %s prior must be a word of letters, digits and _", i + 1, prior_name);
    g->name[i] = names->item[i]->text;
  }
  return SDN_OK;
}

static sdn_status read_numbers(const sdn_yaml *list, const char *what, int n, double *out, sdn_err *err)
{
  if (list->kind != SDN_YAML_LIST || list->n != (size_t)n) return sdn_yaml_fail(list, err, "%s must be a list of %d numbers", what, n);
  for (int i = 0; i < n; i++)
    if (!sdn_yaml_is_number(list->item[i]) || !sdn_number_parse(list->item[i]->text, strlen(list->item[i]->text), &out[i]))
      return sdn_yaml_fail(list->item[i], err, "value %d of %s is no number", i + 1, what);
  return SDN_OK;
}

static sdn_status read_matrix(const sdn_yaml *node, group *g, sdn_err *err)
{
  const sdn_yaml *mean = sdn_yaml_get(node, "mean"), *rows = sdn_yaml_get(node, "covariance");
  if (!mean || !rows) return sdn_yaml_fail(node, err, "a %s prior needs mean and covariance", prior_name);
  if (read_numbers(mean, "mean", g->n, g->mean, err)) return err->status;
  if (rows->kind != SDN_YAML_LIST || rows->n != (size_t)g->n) return sdn_yaml_fail(rows, err, "covariance must be a list of %d rows, one for each name", g->n);
  for (int i = 0; i < g->n; i++)
    if (read_numbers(rows->item[i], "a row of covariance", g->n, g->covariance + i * g->n, err)) return err->status;
  for (int i = 0; i < g->n; i++)
    for (int j = 0; j < i; j++) {
      const double a = g->covariance[i * g->n + j], b = g->covariance[j * g->n + i], size = sqrt(fabs(g->covariance[i * g->n + i] * g->covariance[j * g->n + j]));
      if (!(fabs(a - b) <= SYMMETRY * size)) return sdn_yaml_fail(rows, err, "covariance of %s and %s is %g in one place and %g in the other", g->name[i], g->name[j], a, b);
    }
  return SDN_OK;
}

/* Cholesky, in place: rows of L one after the other. */
static sdn_status factorise(const sdn_yaml *node, group *g, sdn_err *err)
{
  double *l = g->covariance;
  for (int i = 0; i < g->n; i++) {
    const double variance = l[i * g->n + i];
    double left = variance;
    for (int j = 0; j < i; j++) {
      double sum = l[i * g->n + j];
      for (int k = 0; k < j; k++) sum -= l[i * g->n + k] * l[j * g->n + k];
      l[i * g->n + j] = sum / l[j * g->n + j];
      left -= l[i * g->n + j] * l[i * g->n + j];
    }
    if (!(variance > 0 && left > LEAST_PIVOT * variance))
      return sdn_yaml_fail(sdn_yaml_get(node, "covariance"), err, "covariance is not positive definite: of the variance %g of %s those before it leave %g", variance, g->name[i], left);
    l[i * g->n + i] = sqrt(left);
  }
  return SDN_OK;
}

/* E(theta_i | those before) = mean_i + sum_j c_j (theta_j - mean_j), with L'^T c = l, L' the factor of those before and l row i of L left of the diagonal. */
static void add_mean(const group *g, int i, sdn_text *text)
{
  const double *l = g->covariance;
  double c[SDN_MULTIVARIATE_MAX];
  sdn_text_add(text, "%.17g", g->mean[i]);
  for (int j = i - 1; j >= 0; j--) {
    double sum = l[i * g->n + j];
    for (int k = j + 1; k < i; k++) sum -= l[k * g->n + j] * c[k];
    c[j] = sum / l[j * g->n + j];
  }
  for (int j = 0; j < i; j++)
    if (c[j] != 0) sdn_text_add(text, " + (%.17g) * (%s - (%.17g))", c[j], g->name[j], g->mean[j]);
}

/* As if the file had {prior: normal, mean: FORMULA, sigma: NUMBER} where the group stands. */
static sdn_status add_one(sdn_prior *p, const group *g, int i, const sdn_yaml *node, sdn_err *err)
{
  if (sdn_prior_param_index(p, g->name[i]) >= 0) return sdn_yaml_fail(node, err, "parameter %s is declared twice", g->name[i]);
  sdn_text mean = {0}, sigma = {0};
  add_mean(g, i, &mean);
  sdn_text_add(&sigma, "%.17g", g->covariance[i * g->n + i]);
  sdn_status status = sdn_text_done(&mean, err);
  if (!status) status = sdn_text_done(&sigma, err);
  if (!status) {
    const char *key[] = {"prior", "mean", "sigma"}, *value[] = {"normal", mean.data, sigma.data};
    int line[] = {node->line, node->line, node->line};
    sdn_yaml leaf[3], *item[3];
    for (int k = 0; k < 3; k++) {
      leaf[k] = (sdn_yaml){.kind = SDN_YAML_SCALAR, .line = node->line, .origin = node->origin, .text = value[k]};
      item[k] = &leaf[k];
    }
    const sdn_yaml map = {.kind = SDN_YAML_MAP, .line = node->line, .origin = node->origin, .n = 3, .key = key, .key_line = line, .item = item};
    const sdn_param_spec spec = {.name = g->name[i], .unit = "", .low = -HUGE_VAL, .high = HUGE_VAL, .help = ""};
    status = sdn_prior_add(p, &spec, &map, err);
  }
  sdn_text_free(&mean);
  sdn_text_free(&sigma);
  return status;
}

sdn_status sdn_prior_add_multivariate_normal(sdn_prior *p, const sdn_yaml *node, sdn_err *err)
{
  static const char *const known[] = {"prior", "names", "mean", "covariance"};
  group g;
  if (sdn_yaml_only_keys(node, known, 4, err) || read_names(node, &g, err) || read_matrix(node, &g, err) || factorise(node, &g, err)) return err->status;
  for (int i = 0; i < g.n; i++)
    if (add_one(p, &g, i, node, err)) return err->status;
  return SDN_OK;
}
