/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The last step of building a prior: names become places, parents come before children, and what each parameter can be is known and checked. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/special.h"
#include "prior/store.h"

#define MAX_FORMULA (SDN_DIST_MAX_ARG + 1)   /* of one parameter */
#define N_SWEEP 4096
#define MAX_CORNER_DIM 12                    /* 2^12 corners are as many as the sweep's points */
#define END_Z 8.29                           /* Phi(-END_Z) is half of what a double near 1 can show */
#define RANGE_SLACK 1e-12                    /* relative: a formula's last digit is no reason to refuse it */
#define LEADER "redshift"

/* ---- order */

static sdn_status unknown_name(const sdn_prior *p, const sdn_param *param, const char *name, sdn_err *err)
{
  const char **names = sdn_alloc((size_t)p->n, sizeof *names, "names of parameters", err);
  if (!names) return err->status;
  for (int i = 0; i < p->n; i++) names[i] = p->param[i].name;
  const char *nearest = sdn_nearest(name, names, (size_t)p->n);
  sdn_fail(err, SDN_USAGE, "%s: %s %s names '%s', which is no parameter of this model%s%s%s", param->where, param->name, param->text, name,
           nearest ? "; did you mean '" : "", nearest ? nearest : "", nearest ? "'?" : "");
  sdn_release(names);
  return err->status;
}

/* Every name of every formula is known, and redshift has none. */
static sdn_status check_names(const sdn_prior *p, sdn_err *err)
{
  sdn_formula *list[MAX_FORMULA];
  for (int i = 0; i < p->n; i++) {
    const sdn_param *param = &p->param[i];
    const int n = sdn_param_formulas(param, list);
    for (int f = 0; f < n; f++) {
      if (sdn_formula_link(list[f], p->n_function, p->function, err)) return sdn_fail_in(err, "%s: %s", param->where, param->name);
      for (size_t k = 0; k < sdn_formula_n_name(list[f]); k++) {
        const char *name = sdn_formula_name(list[f], k);
        if (sdn_scope_find(p, param->scope, name, param) < 0) return unknown_name(p, param, name, err);
        if (strcmp(param->name, LEADER) == 0)
          return sdn_fail(err, SDN_USAGE, "%s: %s %s depends on %s, but nothing may come before redshift; let %s depend on redshift instead",
                          param->where, LEADER, param->text, name, name);
      }
    }
  }
  return SDN_OK;
}

/* A parent of param that has no place yet, or -1. */
static int waits_for(const sdn_prior *p, const sdn_param *param, const bool *placed)
{
  sdn_formula *list[MAX_FORMULA];
  const int n = sdn_param_formulas(param, list);
  for (int f = 0; f < n; f++)
    for (size_t k = 0; k < sdn_formula_n_name(list[f]); k++) {
      const int parent = sdn_scope_find(p, param->scope, sdn_formula_name(list[f], k), param);
      if (!placed[parent]) return parent;
    }
  return -1;
}

/* Walk from child to waiting parent until a parameter comes again: it lies on a cycle. Then name the cycle. */
static sdn_status report_cycle(const sdn_prior *p, int start, const bool *placed, sdn_err *err)
{
  int at = start;
  char path[400] = "";
  for (int step = 0; step < p->n; step++) at = waits_for(p, &p->param[at], placed);
  const int first = at;
  do {
    const size_t used = strlen(path);
    at = waits_for(p, &p->param[at], placed);
    snprintf(path + used, sizeof path - used, "%s%s", used ? " and " : "", p->param[at].name);
  } while (at != first);
  return sdn_fail(err, SDN_USAGE, "%s: the formula of %s needs itself, by way of %s; give one of them a number or a prior", p->param[first].where,
                  p->param[first].name, path);
}

/* order [n]: redshift, then always the first declared parameter whose parents have their places. */
static sdn_status find_order(const sdn_prior *p, bool *placed, int *order, sdn_err *err)
{
  const int leader = sdn_prior_param_index(p, LEADER);
  int n = 0;
  if (leader >= 0) {
    order[n++] = leader;
    placed[leader] = true;
  }
  while (n < p->n) {
    int next = -1, waiting = -1;
    for (int i = 0; i < p->n && next < 0; i++) {
      if (placed[i]) continue;
      waiting = i;
      if (waits_for(p, &p->param[i], placed) < 0) next = i;
    }
    if (next < 0) return report_cycle(p, waiting, placed, err);
    placed[next] = true;
    order[n++] = next;
  }
  return SDN_OK;
}

static void bind_formulas(sdn_prior *p)
{
  sdn_formula *list[MAX_FORMULA];
  for (int i = 0; i < p->n; i++) {
    const int n = sdn_param_formulas(&p->param[i], list);
    for (int f = 0; f < n; f++)
      for (size_t k = 0; k < sdn_formula_n_name(list[f]); k++)
        sdn_formula_bind(list[f], k, sdn_scope_find(p, p->param[i].scope, sdn_formula_name(list[f], k), &p->param[i]));
  }
}

static sdn_status put_in_order(sdn_prior *p, sdn_err *err)
{
  const size_t n = (size_t)p->n;
  bool *placed = sdn_alloc(n, sizeof *placed, "the order of parameters", err);
  int *order = sdn_alloc(n, sizeof *order, "the order of parameters", err);
  sdn_param *sorted = sdn_alloc(n, sizeof *sorted, "parameters", err);
  p->free_param = sdn_alloc(n, sizeof *p->free_param, "free parameters", err);
  sdn_status status = SDN_MEMORY;
  if (!placed || !order || !sorted || !p->free_param || (status = find_order(p, placed, order, err))) goto done;
  for (int i = 0; i < p->n; i++) {
    sorted[i] = p->param[order[i]];
    if (sorted[i].kind == SDN_PARAM_FREE) p->free_param[p->n_free++] = i;
  }
  sdn_release(p->param);
  p->param = sorted;
  p->capacity = p->n;
  sorted = NULL;
  bind_formulas(p);
done:
  sdn_release(placed);
  sdn_release(order);
  sdn_release(sorted);
  return status;
}

/* ---- ranges */

static void widen(sdn_param *param, double low, double high)
{
  if (low < param->low) param->low = low;
  if (high > param->high) param->high = high;
}

/* "redshift = 3.2, age_gyr = 0.4": the values that the formulas of param read. */
static void describe_parents(const sdn_prior *p, const sdn_param *param, const double *params, char *text, size_t size)
{
  sdn_formula *list[MAX_FORMULA];
  const int n = sdn_param_formulas(param, list);
  size_t used = 0;
  text[0] = '\0';
  for (int f = 0; f < n; f++)
    for (size_t k = 0; k < sdn_formula_n_name(list[f]) && used + 1 < size; k++) {
      const int parent = sdn_scope_find(p, param->scope, sdn_formula_name(list[f], k), param);
      snprintf(text + used, size - used, "%s%s = %g", used ? ", " : "", p->param[parent].name, params[parent]);
      used = strlen(text);
    }
}

/* Follow one galaxy and note what each parameter is, and for free ones what it could be. */
static sdn_status sweep_point(sdn_prior *p, const double *z, double *params, sdn_err *err)
{
  const char *reason;
  char parents[300];
  sdn_dist room;
  const int bad = sdn_prior_row(p, z, params, &reason);
  if (bad >= 0) {
    const sdn_param *param = &p->param[bad];
    describe_parents(p, param, params, parents, sizeof parents);
    return sdn_fail(err, SDN_USAGE, "%s: %s %s%s%s: %s", param->where, param->name, param->text, parents[0] ? " where " : "", parents, reason);
  }
  for (int i = 0; i < p->n; i++) {
    sdn_param *param = &p->param[i];
    double low = params[i], high = params[i];
    const sdn_dist *d = param->kind == SDN_PARAM_FREE ? sdn_param_dist(param, params, &room, &reason) : NULL;
    if (d) sdn_dist_support(d, &low, &high);
    widen(param, low, high);
  }
  return SDN_OK;
}

static sdn_status sweep(sdn_prior *p, sdn_err *err)
{
  double u[SDN_SOBOL_MAX_DIM], z[SDN_SOBOL_MAX_DIM];
  double *params = sdn_alloc((size_t)p->n, sizeof *params, "a row of parameters", err);
  if (!params) return err->status;
  sdn_status status = SDN_OK;
  for (uint32_t i = 0; i < N_SWEEP && !status; i++) {
    sdn_sobol_point(0, i, p->n_free, u);
    for (int k = 0; k < p->n_free; k++) z[k] = sdn_normal_quantile(u[k]);
    status = sweep_point(p, z, params, err);
  }
  const uint32_t n_corner = p->n_free <= MAX_CORNER_DIM ? (uint32_t)1 << p->n_free : N_SWEEP;
  sdn_rng rng = sdn_rng_at(0, SDN_STREAM_TEST, 0);
  for (uint32_t i = 0; i < n_corner && !status; i++) {
    for (int k = 0; k < p->n_free; k++) {
      const uint32_t side = p->n_free <= MAX_CORNER_DIM ? i >> k & 1u : sdn_rng_bits(&rng) & 1u;
      z[k] = side ? END_Z : -END_Z;
    }
    status = sweep_point(p, z, params, err);
  }
  sdn_release(params);
  return status;
}

static sdn_status check_range(const sdn_param *param, sdn_err *err)
{
  const double slack_low = RANGE_SLACK * fmax(1, fabs(param->served_low)), slack_high = RANGE_SLACK * fmax(1, fabs(param->served_high));
  if (param->low >= param->served_low - slack_low && param->high <= param->served_high + slack_high) return SDN_OK;
  if (param->kind == SDN_PARAM_FIXED)
    return sdn_fail(err, SDN_RANGE, "%s: %s is %.10g, outside [%.10g, %.10g], which is what the model can serve", param->where, param->name,
                    param->value, param->served_low, param->served_high);
  return sdn_fail(err, SDN_RANGE, "%s: %s %s reaches over [%.10g, %.10g], but the model serves [%.10g, %.10g]; narrow it%s", param->where,
                  param->name, param->text, param->low, param->high, param->served_low, param->served_high,
                  isinf(param->high - param->low) ? " by a truncation (low and high)" : "");
}

sdn_status sdn_prior_finish(sdn_prior *p, sdn_err *err)
{
  if (p->finished) return sdn_fail(err, SDN_USAGE, "this prior is finished already");
  if (check_names(p, err) || put_in_order(p, err) || sdn_prior_fill_bindings(p, err)) return err->status;
  if (p->n_free > SDN_SOBOL_MAX_DIM)
    return sdn_fail(err, SDN_USAGE, "the model has %d free parameters; at most %d can be served", p->n_free, SDN_SOBOL_MAX_DIM);
  p->finished = true;
  for (int i = 0; i < p->n; i++) {
    p->param[i].low = INFINITY;
    p->param[i].high = -INFINITY;
  }
  if (sweep(p, err)) return err->status;
  for (int i = 0; i < p->n; i++)
    if (check_range(&p->param[i], err)) return err->status;
  return SDN_OK;
}
