/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/sfh_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define MASS_MSUN 1e10

static double age_universe_gyr(const void *ctx, double z)
{
  (void)ctx;
  return 13.8 / (1 + z);
}

sdn_status sfh_try(const char *yaml, sfh_built *b, sdn_err *err)
{
  static const sdn_param_spec mass = {"log_mass_formed_msun", "", "10", -100, 100, ""}, redshift = {"redshift", "", "0", 0, 20, ""};
  double z[64] = {0};
  memset(b, 0, sizeof *b);
  sdn_status status = sdn_yaml_parse(yaml, "sfh.yaml", &b->root, err);
  if (!status) status = sdn_prior_new(&b->prior, err);
  if (!status) status = sdn_prior_add_function(b->prior, "age_universe_gyr", age_universe_gyr, NULL, err);
  if (!status) status = sdn_prior_add(b->prior, &mass, NULL, err);
  if (!status) status = sdn_prior_add(b->prior, &redshift, NULL, err);
  if (!status) status = sdn_sfh_model_new(b->root, b->prior, &b->model, err);
  if (!status) status = sdn_prior_finish(b->prior, err);
  if (!status) status = sdn_prior_params(b->prior, 1, z, b->params, err);
  if (!status) status = (b->arena = sdn_arena_new(err)) ? SDN_OK : err->status;
  if (!status) b->start = sdn_arena_here(b->arena);
  return status;
}

sfh_built sfh_build(const char *yaml)
{
  sfh_built b;
  sdn_err err;
  if (sfh_try(yaml, &b, &err)) fail_msg("%s: %s", yaml, err.text);
  return b;
}

void sfh_unbuild(sfh_built *b)
{
  sdn_arena_free(b->arena);
  sdn_sfh_model_free(b->model);
  sdn_prior_free(b->prior);
  sdn_yaml_free(b->root);
}

void sfh_set(sfh_built *b, const char *name, double value)
{
  const int i = sdn_prior_param_index(b->prior, name);
  if (i < 0) fail_msg("no parameter %s", name);
  b->params[i] = value;
}

void sfh_set_numbered(sfh_built *b, const char *name, int n, const double *value)
{
  char text[64];
  for (int k = 0; k < n; k++) {
    snprintf(text, sizeof text, "%s%d", name, k + 1);
    sfh_set(b, text, value[k]);
  }
}

sdn_sfh sfh_prepared(sfh_built *b, double age_universe_yr)
{
  sdn_sfh h;
  sdn_err err;
  sdn_arena_back(b->arena, b->start);
  if (sdn_sfh_prepare(b->model, b->params, age_universe_yr, MASS_MSUN, b->arena, &h, &err)) fail_msg("%s", err.text);
  return h;
}
