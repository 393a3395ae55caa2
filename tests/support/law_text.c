/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/law_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void set_params(const sdn_prior *prior, double *params)
{
  for (int p = 0; p < sdn_prior_n_param(prior) && p < TEST_LAW_MAX_PARAM; p++) {
    double high;
    sdn_prior_param_range(prior, p, &params[p], &high);
  }
}

void test_dust_free(test_dust *d)
{
  sdn_attenuation_free(d->law);
  sdn_prior_free(d->prior);
  *d = (test_dust){0};
}

void test_igm_free(test_igm *i)
{
  sdn_igm_free(i->law);
  sdn_prior_free(i->prior);
  *i = (test_igm){0};
}

sdn_status test_dust_try(const char *yaml, test_dust *d, sdn_err *err)
{
  sdn_yaml *root = NULL;
  *d = (test_dust){0};
  sdn_status status = sdn_yaml_parse(yaml, "test.yaml", &root, err);
  if (!status) status = sdn_prior_new(&d->prior, err);
  if (!status) status = sdn_attenuation_new(root, NULL, 0, d->prior, &d->law, err);
  sdn_yaml_free(root);   /* before finish: nothing of it is needed any more */
  if (!status) status = sdn_prior_finish(d->prior, err);
  if (status)
    test_dust_free(d);
  else
    set_params(d->prior, d->params);
  return status;
}

sdn_status test_igm_try(const char *yaml, test_igm *i, sdn_err *err)
{
  sdn_yaml *root = NULL;
  char text[400];
  *i = (test_igm){0};
  snprintf(text, sizeof text, *yaml ? "igm: %s\n" : "other: 1%s\n", yaml);
  sdn_status status = sdn_yaml_parse(text, "test.yaml", &root, err);
  if (!status) status = sdn_prior_new(&i->prior, err);
  if (!status) status = sdn_igm_new(sdn_yaml_get(root, "igm"), i->prior, &i->law, err);
  sdn_yaml_free(root);
  if (!status) status = sdn_prior_finish(i->prior, err);
  if (status)
    test_igm_free(i);
  else
    set_params(i->prior, i->params);
  return status;
}

test_dust test_dust_of(const char *yaml)
{
  test_dust d;
  sdn_err err;
  if (test_dust_try(yaml, &d, &err)) fail_msg("%s", err.text);
  return d;
}

test_igm test_igm_of(const char *yaml)
{
  test_igm i;
  sdn_err err;
  if (test_igm_try(yaml, &i, &err)) fail_msg("%s", err.text);
  return i;
}

double *test_law_param(const sdn_prior *prior, double *params, const char *name)
{
  const int p = sdn_prior_param_index(prior, name);
  if (p < 0) fail_msg("there is no parameter %s", name);
  return &params[p];
}

double test_dust_k(const test_dust *d, double wave_A) { return sdn_attenuation_curve(d->law, d->params, wave_A); }
