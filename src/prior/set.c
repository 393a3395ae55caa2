/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers that replace what a file says of parameters: for one galaxy at chosen values, without writing another file. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "prior/store.h"

static sdn_status no_such_parameter(const sdn_prior *p, const char *name, sdn_err *err)
{
  const char **names = sdn_alloc((size_t)p->n, sizeof *names, "names of parameters", err);
  if (!names) return err->status;
  for (int i = 0; i < p->n; i++) names[i] = p->param[i].name;
  const char *meant = strcmp(name, "z") ? name : "redshift", *nearest = sdn_nearest(meant, names, (size_t)p->n);
  if (nearest) sdn_fail(err, SDN_USAGE, "the model has no parameter '%s'; did you mean '%s'?", name, nearest);
  else sdn_fail(err, SDN_USAGE, "the model has no parameter '%s'; sedna info lists those that it has", name);
  sdn_release(names);
  return err->status;
}

sdn_status sdn_prior_set(sdn_prior *p, const char *name, double value, sdn_err *err)
{
  char digits[SDN_NUMBER_SIZE], text[SDN_NUMBER_SIZE + 8];
  if (p->finished) return sdn_fail(err, SDN_USAGE, "parameter %s is set after the prior was finished", name);
  if (!isfinite(value)) return sdn_fail(err, SDN_USAGE, "%s is set to %g; it must be a finite number", name, value);
  const int i = sdn_prior_param_index(p, name);
  if (i < 0) return no_such_parameter(p, name, err);
  sdn_param *param = &p->param[i];
  if (param->kind == SDN_PARAM_TIED && !param->is_default)
    return sdn_fail(err, SDN_USAGE, "%s is tied to others by its formula, %s %s; set those instead", name, name, param->text);
  sdn_number_print(value, digits);
  snprintf(text, sizeof text, "%s (set)", digits);
  char *said = sdn_copy_text(text, err), *where = said ? sdn_copy_text("as set", err) : NULL;
  if (!where) {
    sdn_release(said);
    return err->status;
  }
  sdn_formula_free(param->formula);
  param->formula = NULL;
  sdn_release(param->text);
  sdn_release(param->where);
  param->text = said;
  param->where = where;
  param->was_free = param->was_free || param->kind == SDN_PARAM_FREE;   /* its distribution stays, for sdn_prior_supports */
  param->kind = SDN_PARAM_FIXED;
  param->value = value;
  param->is_default = false;
  return SDN_OK;
}

bool sdn_prior_supports(const sdn_prior *p, int i, const double *params)
{
  double low, high;
  const char *reason;
  sdn_dist room;
  const sdn_param *param = &p->param[i];
  if (!param->was_free) return true;
  const sdn_dist *d = sdn_param_dist(param, params, &room, &reason);
  if (!d) return false;
  sdn_dist_support(d, &low, &high);
  return params[i] >= low && params[i] <= high;
}
