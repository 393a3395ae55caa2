/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/prior_text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static double cosmic_gyr(const void *ctx, double x)
{
  (void)ctx;
  return 13.8 / (1 + x);
}

/* A flat and endless space. */
static double volume(const void *ctx, double z)
{
  (void)ctx;
  return z * z;
}

static double sum_of(const void *ctx, const double *x)
{
  (void)ctx;
  return x[0] + x[1];
}

static sdn_status add_all(sdn_prior *p, const sdn_yaml *root, double low, double high, sdn_err *err)
{
  static const char *const quantile[] = {"t25", "t50", "t75"};
  if (sdn_prior_add_function(p, "cosmic_gyr", cosmic_gyr, NULL, err) || sdn_prior_add_function(p, "comoving_volume_mpc3", volume, NULL, err) ||
      sdn_prior_add_function_n(p, "sum_of", 2, sum_of, NULL, err))
    return err->status;
  for (size_t i = 0; i < root->n; i++) {
    const sdn_param_spec spec = {.name = root->key[i], .unit = "", .low = low, .high = high, .help = "a test's"};
    const size_t length = strlen(spec.name);
    const bool vector = length > 5 && strcmp(spec.name + length - 5, "_gaps") == 0;
    if (vector ? sdn_prior_add_vector(p, &spec, 3, quantile, root->item[i], err) : sdn_prior_add(p, &spec, root->item[i], err)) return err->status;
  }
  return SDN_OK;
}

sdn_status test_prior_between(const char *yaml, double low, double high, sdn_prior **prior, sdn_err *err)
{
  sdn_yaml *root = NULL;
  *prior = NULL;
  if (sdn_yaml_parse(yaml, "test.yaml", &root, err)) return err->status;
  sdn_status status = sdn_prior_new(prior, err);
  if (!status) status = add_all(*prior, root, low, high, err);
  sdn_yaml_free(root);   /* before finish: nothing of it is needed any more */
  if (!status) status = sdn_prior_finish(*prior, err);
  if (status) {
    sdn_prior_free(*prior);
    *prior = NULL;
  }
  return status;
}

sdn_prior *test_prior(const char *yaml)
{
  sdn_prior *prior;
  sdn_err err;
  if (test_prior_between(yaml, -INFINITY, INFINITY, &prior, &err)) fail_msg("%s", err.text);
  return prior;
}
