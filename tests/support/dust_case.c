/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/dust_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

sdn_status dust_case_try(const char *yaml, dust_case *c, sdn_err *err)
{
  sdn_yaml *map = NULL;
  *c = (dust_case){0};
  sdn_status status = sdn_yaml_parse(yaml, "dust.yaml", &map, err);
  if (!status) status = sdn_prior_new(&c->prior, err);
  if (!status) status = sdn_dust_emission_new(map, c->prior, &c->dust, err);
  sdn_yaml_free(map);
  if (!status) status = sdn_prior_finish(c->prior, err);
  if (!status) {
    const double middle[16] = {0};
    c->params = calloc((size_t)sdn_prior_n_param(c->prior) + 1, sizeof *c->params);
    status = sdn_prior_params(c->prior, 1, middle, c->params, err);
  }
  if (status) dust_case_free(c);
  return status;
}

dust_case dust_case_new(const char *yaml)
{
  dust_case c;
  sdn_err err;
  if (dust_case_try(yaml, &c, &err)) fail_msg("%s", err.text);
  return c;
}

void dust_case_free(dust_case *c)
{
  sdn_dust_emission_free(c->dust);
  sdn_prior_free(c->prior);
  free(c->params);
  *c = (dust_case){0};
}

double dust_case_lnu(const dust_case *c, double redshift, double wave_A) { return sdn_dust_emission_lnu(c->dust, c->params, redshift, 1, wave_A); }

double dust_case_power(const dust_case *c, double redshift, double low_A, double high_A)
{
  const int half = (int)ceil(log(high_A / low_A) / 1e-3), n = 2 * half;
  const double step = log(high_A / low_A) / n;
  double sum = 0;
  for (int j = 0; j <= n; j++) {
    const double wave_A = low_A * exp(step * j), weight = j == 0 || j == n ? 1 : j & 1 ? 4 : 2;
    sum += weight * dust_case_lnu(c, redshift, wave_A) * 2.99792458e18 / wave_A;
  }
  return sum * step / 3 / 3.828e33;
}
