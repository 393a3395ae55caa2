/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prior/parameters.h"

#include <math.h>
#include <string.h>

#include "prior/multivariate_normal.h"

bool sdn_prior_is_alone(const char *yaml)
{
  sdn_yaml *root = NULL;
  sdn_err ignored;
  if (sdn_yaml_parse(yaml, "prior", &root, &ignored)) return false;
  const bool alone = sdn_yaml_get(root, "parameters") && !sdn_yaml_get(root, "grid");
  sdn_yaml_free(root);
  return alone;
}

static sdn_status add_all(const sdn_yaml *root, sdn_prior *p, sdn_err *err)
{
  static const char *const known[] = {"parameters"};
  const sdn_yaml *list = sdn_yaml_get(root, "parameters");
  if (!list || list->kind != SDN_YAML_MAP || list->n < 1)
    return sdn_yaml_fail(list ? list : root, err, "a prior is a map such as parameters: {theta_1: {prior: uniform, low: -1, high: 1}, ...}");
  if (sdn_yaml_only_keys(root, known, 1, err)) return err->status;
  for (size_t i = 0; i < list->n; i++) {
    if (sdn_prior_is_multivariate_normal(list->item[i])) {
      if (sdn_prior_add_multivariate_normal(p, list->item[i], err)) return err->status;
      continue;
    }
    const sdn_param_spec spec = {.name = list->key[i], .unit = "", .low = -HUGE_VAL, .high = HUGE_VAL, .help = ""};
    if (sdn_prior_add(p, &spec, list->item[i], err)) return err->status;
  }
  return sdn_prior_finish(p, err);
}

sdn_status sdn_prior_parse(const char *yaml, const char *origin, sdn_prior **prior, sdn_err *err)
{
  sdn_yaml *root = NULL;
  *prior = NULL;
  if (sdn_yaml_parse(yaml, origin, &root, err)) return err->status;
  sdn_status status = sdn_prior_new(prior, err);
  if (!status) status = add_all(root, *prior, err);
  if (!status && sdn_prior_n_free(*prior) < 1) status = sdn_fail(err, SDN_USAGE, "%s: no parameter is free; there is nothing to infer", origin);
  if (status) {
    sdn_prior_free(*prior);
    *prior = NULL;
  }
  sdn_yaml_free(root);
  return status;
}
