/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Many galaxies in one call: fluxes, spectra and lines of 1000 galaxies drawn from a model's prior at redshift 2. Prints means over the galaxies.
 *   cc 03_spectra_of_many_galaxies.c $(pkg-config --cflags --libs sedna) -lm */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sedna.h>

enum { N = 1000, N_BAND = 2 };

static int failed(const sdn_err *err)
{
  fprintf(stderr, "%s\n", err->text);
  return 1;
}

/* Points that fill the unit cube evenly (Kronecker's sequence), as the prior's coordinates: here uniform in probability. */
static double coordinate(int galaxy, int k)
{
  const double golden = 0.6180339887498949, u = fmod((galaxy + 0.5) * fmod(golden * (k + 1) * (k + 2), 1), 1);
  return 4 * (u - 0.5);   /* within two standard deviations; uniform rather than normal is good enough to look at */
}

int main(void)
{
  static const char *const bands[N_BAND] = {"JWST/NIRCam.F200W", "JWST/NIRCam.F444W"};
  const sdn_setting redshift = {"redshift", 2};
  static float flux_nJy[N * N_BAND];
  sdn_err err;
  sdn_model *model;
  sdn_forward *forward;
  long n_wave;

  if (sdn_model_read_set("photoz", 1, &redshift, &model, &err)) return failed(&err);
  if (sdn_forward_new_over(model, N_BAND, bands, 1000, 20000, &forward, &err)) return failed(&err);
  const sdn_prior *prior = sdn_model_prior(model);
  const int n_free = sdn_prior_n_free(prior), n_param = sdn_prior_n_param(prior), n_line = sdn_forward_n_line(forward);
  const double *wave_A = sdn_forward_wave_A(forward, &n_wave);

  double *z = calloc((size_t)(N * n_free), sizeof *z), *params = calloc((size_t)(N * n_param), sizeof *params);
  double *luminosity = calloc((size_t)(N * n_line), sizeof *luminosity);
  float *lnu = calloc((size_t)(N * n_wave), sizeof *lnu);
  if (!z || !params || !luminosity || !lnu) return 1;
  for (int i = 0; i < N; i++)
    for (int k = 0; k < n_free; k++) z[i * n_free + k] = coordinate(i, k);
  const sdn_line_values lines = {.luminosity_erg_s = luminosity};
  if (sdn_prior_params(prior, N, z, params, &err)) return failed(&err);                      /* [N][n_param] */
  if (sdn_forward_flux(forward, N, params, flux_nJy, NULL, &err)) return failed(&err);       /* [N][N_BAND], nJy */
  if (sdn_forward_spectra(forward, N, params, lnu, NULL, &err)) return failed(&err);         /* [N][n_wave], erg/s/Hz, rest frame */
  if (sdn_forward_lines(forward, N, params, &lines, NULL, &err)) return failed(&err);        /* [N][n_line], erg/s */

  for (int b = 0; b < N_BAND; b++) {
    double sum = 0;
    for (int i = 0; i < N; i++) sum += (double)flux_nJy[i * N_BAND + b];
    printf("%-24s %12.5g nJy\n", bands[b], sum / N);
  }
  for (double wanted = 2000; wanted <= 16000; wanted *= 2) {
    long j = 0;
    double sum = 0;
    while (j < n_wave - 1 && wave_A[j] < wanted) j++;
    for (int i = 0; i < N; i++) sum += (double)lnu[i * n_wave + j];
    printf("L_nu at %7.0f A          %12.5g erg/s/Hz\n", wave_A[j], sum / N);
  }
  for (int l = 0; l < n_line; l++) {
    double sum = 0;
    if (strcmp(sdn_forward_line_name(forward, l), "H 1 6562.80A") != 0) continue;
    for (int i = 0; i < N; i++) sum += luminosity[i * n_line + l];
    printf("%-24s %12.5g erg/s\n", sdn_forward_line_name(forward, l), sum / N);
  }
  free(z);
  free(params);
  free(luminosity);
  free(lnu);
  sdn_forward_free(forward);
  sdn_model_free(model);
  return 0;
}
