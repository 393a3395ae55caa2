/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A galaxy's fluxes in four JWST bands, and what follows from its parameters. Every free parameter stands at its prior's median (z = 0).
 *   cc 01_fluxes_of_a_galaxy.c $(pkg-config --cflags --libs sedna) */
#include <sedna.h>

static int failed(const sdn_err *err)
{
  fprintf(stderr, "%s\n", err->text);
  return 1;
}

int main(void)
{
  const char *bands[] = {"JWST/NIRCam.F115W", "JWST/NIRCam.F200W", "JWST/NIRCam.F277W", "JWST/NIRCam.F444W"};
  enum { N_BAND = 4, MAX_PARAM = 64, MAX_DERIVED = 32 };
  double z[MAX_PARAM] = {0}, params[MAX_PARAM], derived[MAX_DERIVED];
  float flux_nJy[N_BAND];
  sdn_err err;
  sdn_model *model;
  sdn_forward *forward;

  if (sdn_model_read("harvey25", &model, &err)) return failed(&err);
  if (sdn_forward_new(model, N_BAND, bands, &forward, &err)) return failed(&err);
  const sdn_prior *prior = sdn_model_prior(model);
  if (sdn_prior_params(prior, 1, z, params, &err)) return failed(&err);
  if (sdn_forward_flux(forward, 1, params, flux_nJy, NULL, &err)) return failed(&err);
  if (sdn_forward_derived(forward, 1, params, false, derived, NULL, &err)) return failed(&err);

  for (int p = 0; p < sdn_prior_n_param(prior); p++)
    printf("%-28s %10.4g %s\n", sdn_prior_param_name(prior, p), params[p], sdn_prior_param_unit(prior, p));
  for (int b = 0; b < N_BAND; b++) printf("%-28s %10.4g nJy\n", bands[b], (double)flux_nJy[b]);
  for (int i = 0; i < sdn_forward_n_derived(forward); i++)
    printf("%-28s %10.4g %s\n", sdn_forward_derived_name(forward, i), derived[i], sdn_forward_derived_unit(forward, i));

  sdn_forward_free(forward);
  sdn_model_free(model);
  return 0;
}
