/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ln p(data | true fluxes), the noise model of survey.h and noise.c read backwards. With N_b = N(f_b; mu_b, s(mu_b, sigma0_b)):
 *
 *   none        The column is sigma0, whose distribution does not know theta: ln p(f | sigma0) = sum_b ln N_b.
 *   quadrature  sigma = g(sigma0, f) is one-to-one in sigma0 for given f, so p(f, sigma | mu) = p(sigma0) N_b |d sigma0 / d sigma|, whose first
 *               and last factor are free of theta: again ln p(f | sigma0), at sigma0 = sqrt(sigma^2 - (c f)^2). Where that difference drowns in the column's rounding
 *               (or is negative, which this survey cannot make) sigma0 is the smallest of the band's range.
 *   max         sigma > c |f|: sigma0 = sigma. sigma = c |f|: sigma0 is only known to be less, and is marginalised (censored.c). The result is the density
 *               ln p(f, sigma), because which case occurs depends on f. sigma < c |f| cannot occur; such a band is read as sigma0 = sigma.
 *
 * A sigma0 beyond the survey's range is evaluated as it is: the noise formula holds for any depth. */
#include "survey/likelihood.h"

#include <math.h>

#include "survey/units.h"

#define AT_FLOOR 1e-4             /* relative: an error this near to c |f| is at the floor; catalogues round to 5 digits or more */
#define LEAST_DIFFERENCE 1e-6     /* of sigma^2: ten times what two float32 columns leave of the difference of their squares */
#define LN_2_PI 1.8378770664093453

const char *sdn_survey_evidence_kind(const sdn_survey *s) { return s->error_column == SDN_ERROR_COLUMN_MAX ? "p(f,sigma)" : "p(f|sigma0)"; }

/* With error_column max: whether the listed error is the floor, so that sigma0 is less. A floor below every sigma0 of the band cannot be one. */
static bool at_floor(const sdn_survey *s, int band, double f, double sigma)
{
  const double floor = s->band[band].column_floor_fraction * fabs(f);
  return s->error_column == SDN_ERROR_COLUMN_MAX && fabs(sigma - floor) <= AT_FLOOR * floor && floor > s->band[band].sigma.low;
}

double sdn_survey_background_sigma(const sdn_survey *s, int band, double f_nJy, double sigma_nJy)
{
  const sdn_sigma *d = &s->band[band].sigma;
  if (s->error_column == SDN_ERROR_COLUMN_QUADRATURE) {
    const double floor = s->band[band].column_floor_fraction * f_nJy, difference = sigma_nJy * sigma_nJy - floor * floor;
    return difference > LEAST_DIFFERENCE * sigma_nJy * sigma_nJy ? sqrt(difference) : d->low;
  }
  return d->constant && at_floor(s, band, f_nJy, sigma_nJy) ? d->median : sigma_nJy;
}

static void sort_bands(const sdn_survey *s, const float *flux, const float *sigma, sdn_datum *d)
{
  *d = (sdn_datum){.flux = flux};
  for (int b = 0; b < s->n_band; b++) {
    if (!(fabsf(flux[b]) < INFINITY && sigma[b] > 0 && sigma[b] < INFINITY)) continue;
    if (!s->band[b].sigma.constant && at_floor(s, b, flux[b], sigma[b])) {
      d->limit[d->n_censored] = sigma[b];
      d->censored[d->n_censored++] = b;
    } else {
      d->sigma0[d->n_exact] = sdn_survey_background_sigma(s, b, flux[b], sigma[b]);
      d->exact[d->n_exact++] = b;
    }
  }
}

/* sum over the bands of known sigma0 of ln N(f; mu, s) */
static double ln_exact(const sdn_survey *s, const sdn_datum *d, const float *mu)
{
  double sum = 0;
  for (int k = 0; k < d->n_exact; k++) {
    const int b = d->exact[k];
    const double variance = sdn_noise_variance(&s->band[b], d->sigma0[k], mu[b]), residual = (double)d->flux[b] - (double)mu[b];
    sum += residual * residual / variance + log(variance);
  }
  return -0.5 * (sum + d->n_exact * LN_2_PI);
}

sdn_status sdn_survey_ln_likelihood(const sdn_survey *s, const float *flux_nJy, const float *sigma_nJy, long n, const float *flux_true_nJy,
                                    double *ln_like, sdn_err *err)
{
  sdn_datum d;
  for (int b = 0; b < s->n_band; b++)
    if (s->band[b].exact) return sdn_fail(err, SDN_USAGE, "%s holds a simulator's noise already: data like it have no likelihood that could be computed", s->band[b].name);
  for (long i = 0; i < n; i++)
    if (!sdn_all_finite(s->n_band, flux_true_nJy + i * s->n_band))
      return sdn_fail_row(err, SDN_NUMERIC, i, "row %ld of the model fluxes is not finite: data have no likelihood under it", i);
  sort_bands(s, flux_nJy, sigma_nJy, &d);
  for (long i = 0; i < n; i++) ln_like[i] = ln_exact(s, &d, flux_true_nJy + i * s->n_band);
  return s->error_column == SDN_ERROR_COLUMN_MAX ? sdn_censored_add(s, &d, n, flux_true_nJy, ln_like, err) : SDN_OK;
}
