/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The posterior of one galaxy from a trained network: mean and scatter of each parameter over 1000 draws.
 *   02_posterior_of_a_galaxy posterior.h5 FLUX_NJY SIGMA_NJY [FLUX SIGMA ...]      one pair per band, "nan nan" where a band is missing */
#include <math.h>
#include <stdlib.h>

#include <sedna.h>

static int failed(const sdn_err *err)
{
  fprintf(stderr, "%s\n", err->text);
  return 1;
}

int main(int argc, char **argv)
{
  enum { N_DRAW = 1000, MAX_BAND = 64, MAX_FREE = 32, MAX_PARAM = 64 };
  static float flux[MAX_BAND], sigma[MAX_BAND], z[N_DRAW * MAX_FREE];
  static double z_double[N_DRAW * MAX_FREE], params[N_DRAW * MAX_PARAM];
  sdn_err err;
  sdn_posterior *posterior;
  sdn_model *model;

  if (argc < 2 || sdn_posterior_open(argv[1], &posterior, &err)) {
    if (argc >= 2) return failed(&err);
    fprintf(stderr, "usage: 02_posterior_of_a_galaxy posterior.h5 FLUX_NJY SIGMA_NJY ...\n");
    return 2;
  }
  const int n_band = sdn_survey_n_band(sdn_posterior_survey(posterior)), n_free = sdn_posterior_n_free(posterior);
  if (argc != 2 + 2 * n_band || n_band > MAX_BAND) {
    fprintf(stderr, "this posterior wants %d pairs of flux and error\n", n_band);
    return 2;
  }
  for (int b = 0; b < n_band; b++) {
    flux[b] = strtof(argv[2 + 2 * b], NULL);
    sigma[b] = strtof(argv[3 + 2 * b], NULL);
  }
  if (sdn_posterior_sample(posterior, 1, flux, sigma, NULL, N_DRAW, 1, 0, z, NULL, NULL, &err)) return failed(&err);
  /* Draws are in coordinates where the prior is a standard normal; the model's prior turns them into parameters. */
  if (sdn_model_parse(sdn_posterior_model_yaml(posterior), argv[1], &model, &err)) return failed(&err);
  const sdn_prior *prior = sdn_model_prior(model);
  const int n_param = sdn_prior_n_param(prior);
  for (int i = 0; i < N_DRAW * n_free; i++) z_double[i] = (double)z[i];
  if (sdn_prior_params(prior, N_DRAW, z_double, params, &err)) return failed(&err);
  for (int k = 0; k < n_free; k++) {
    double sum = 0, square = 0;
    const int p = sdn_prior_free_param(prior, k);
    for (int d = 0; d < N_DRAW; d++) {
      sum += params[d * n_param + p];
      square += params[d * n_param + p] * params[d * n_param + p];
    }
    const double mean = sum / N_DRAW;
    printf("%-28s %9.4f +- %.4f %s\n", sdn_posterior_free_name(posterior, k), mean, sqrt(fmax(0, square / N_DRAW - mean * mean)),
           sdn_posterior_free_unit(posterior, k));
  }
  sdn_model_free(model);
  sdn_posterior_free(posterior);
  return 0;
}
