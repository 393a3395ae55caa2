/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "survey/units.h"

#include <float.h>
#include <math.h>

#include "physics/observable.h"
#include "survey/survey.h"

#define MISSING_TOLERANCE 1e-6   /* relative: a float32 column holds -99.9 only to 6e-8 */
#define LN_10 2.302585092994046

bool sdn_survey_is_missing_value(const sdn_survey *s, double value)
{
  if (isnan(value)) return true;
  for (size_t i = 0; i < s->n_missing_value; i++)
    if (fabs(value - s->missing_value[i]) <= MISSING_TOLERANCE * fabs(s->missing_value[i])) return true;
  return false;
}

sdn_band_state sdn_survey_to_njy(const sdn_survey *s, int band, double flux, double error, double *f_nJy, double *s_nJy)
{
  *f_nJy = *s_nJy = NAN;
  if (isinf(flux) || sdn_survey_is_missing_value(s, flux) || (!isnan(error) && sdn_survey_is_missing_value(s, error))) return SDN_BAND_MISSING;
  double f = flux * s->band[band].to_njy, sigma = error * s->band[band].to_njy;
  if (s->band[band].magnitude) {
    f = s->band[band].to_njy * exp(-0.4 * LN_10 * flux);
    sigma = f * 0.4 * LN_10 * error;
  }
  if (!(error > 0) || isinf(error)) return SDN_BAND_BAD_ERROR;
  if (!(fabs(f) <= FLT_MAX)) return SDN_BAND_ABSURD;
  if (!(sigma >= FLT_MIN && sigma <= FLT_MAX)) return SDN_BAND_BAD_ERROR;
  *f_nJy = f;
  *s_nJy = sigma;
  return SDN_BAND_OBSERVED;
}

const char *sdn_survey_band_unit(const sdn_survey *s, int band) { return sdn_observable_id_unit(s->band[band].filter); }
int sdn_survey_band_spectrum(const sdn_survey *s, int band) { return s->band[band].spectrum; }
const char *sdn_survey_flux_column(const sdn_survey *s, int band) { return s->band[band].flux_column; }
const char *sdn_survey_error_column(const sdn_survey *s, int band) { return s->band[band].error_column; }

static bool element_of(const sdn_survey *s, int band, bool is_vector, int *element, int *width)
{
  *element = is_vector ? sdn_pixel_of(s, band) : 0;
  *width = is_vector ? s->spectrum[s->band[band].spectrum].n : 1;
  return is_vector;
}

bool sdn_survey_flux_element(const sdn_survey *s, int band, int *element, int *width) { return element_of(s, band, s->band[band].flux_is_vector, element, width); }
bool sdn_survey_error_element(const sdn_survey *s, int band, int *element, int *width) { return element_of(s, band, s->band[band].error_is_vector, element, width); }
const char *sdn_survey_id_column(const sdn_survey *s) { return s->id_column; }
const char *sdn_survey_redshift_column(const sdn_survey *s) { return s->redshift_column; }

void sdn_survey_sigma_range(const sdn_survey *s, int band, double *low_nJy, double *median_nJy, double *high_nJy)
{
  const sdn_sigma *d = &s->band[band].sigma;
  *low_nJy = d->low;
  *median_nJy = d->median;
  *high_nJy = d->high;
}
