/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A survey: what a telescope makes of noise-free fluxes. A "band" is any observable (physics/observable.h): a filter, a pixel of a spectrum, a line. Each has its
 * own unit; where this header says nJy, that of the observable is meant. One definition gives the draw (noise.c, masks.c), the likelihood (likelihood.c, censored.c),
 * what the network sees (features.c) and how a catalogue's numbers are read (units.c).
 *
 * Noise of one band with true flux mu [nJy]:
 *   f = mu + N(0, s^2),   s^2 = sigma0^2 + (floor_fraction mu)^2 + poisson_njy max(mu, 0)
 * sigma0, the background error, is drawn per galaxy (sigma.h). The catalogue's error column is
 *   none        sigma = sigma0
 *   quadrature  sigma = sqrt(sigma0^2 + (column_floor_fraction f)^2)
 *   max         sigma = max(sigma0, column_floor_fraction |f|)          f: the noisy flux
 * What scales with the true flux is never in the column: a network and a likelihood know it from the survey. */
#ifndef SDN_SURVEY_SURVEY_H
#define SDN_SURVEY_SURVEY_H

#include "base/memory.h"
#include "survey/sigma.h"

#define SDN_SURVEY_MAX_BAND 4096      /* pixels and lines included */
#define SDN_SURVEY_MAX_PATTERN 256
#define SDN_SURVEY_MAX_CORRELATION 0.95   /* the censored likelihood resolves what is left to each band (censored.c) */

typedef enum sdn_error_column { SDN_ERROR_COLUMN_NONE, SDN_ERROR_COLUMN_QUADRATURE, SDN_ERROR_COLUMN_MAX } sdn_error_column;

typedef struct sdn_band {
  char *name, *filter, *flux_column, *error_column;   /* filter: the observable's id */
  bool flux_is_vector, error_is_vector;               /* the column holds the whole spectrum that this band is a pixel of */
  double to_njy;               /* nJy per unit of the catalogue, zero point included; for magnitudes the nJy of magnitude 0 */
  bool magnitude;
  int spectrum;                /* the one that it is a pixel of; -1: none */
  bool plain;                  /* a number of any simulator (data_yaml.c): */
  bool exact, log;             /* nothing is added to it; it is positive and spans decades */
  double center, scale;        /* where such numbers lie */
  double floor_fraction, poisson_njy;
  double column_floor_fraction;   /* 0 where error_column is none, or where this band's errors have no floor inside */
  sdn_sigma sigma;
} sdn_band;

/* Bands first .. first + n - 1 are its pixels. */
typedef struct sdn_spectrum { char *name; int first, n; double low_A, high_A, least_resolution, largest_resolution; } sdn_spectrum;   /* resolutions 0: sharp pixels */

/* Bands that are missing together in a fraction of the galaxies. */
typedef struct sdn_mask_pattern { double fraction; bool missing[SDN_SURVEY_MAX_BAND]; } sdn_mask_pattern;

struct sdn_survey {
  char *yaml, *name;
  int n_band;
  sdn_band *band;                      /* [n_band] */
  int n_spectrum;
  sdn_spectrum *spectrum;              /* [n_spectrum] */
  bool plain;                          /* all its bands are numbers of any simulator */
  bool varies;                         /* some band's sigma0 is not constant */
  double floor_fraction, poisson_njy;  /* of bands that do not say otherwise */
  sdn_error_column error_column;
  double column_floor_fraction;        /* of filters; 0 where error_column is none */
  double sigma_correlation;            /* rho */
  double drop_fraction;
  int n_pattern;
  sdn_mask_pattern *pattern;           /* [n_pattern] */
  size_t n_missing_value;
  double *missing_value;
  char *id_column, *redshift_column;   /* NULL: not named */
};

/* s^2 [nJy^2] of a band with true flux mu and background error sigma0. */
static inline double sdn_noise_variance(const sdn_band *b, double sigma0, double mu)
{
  if (b->exact) return 0;
  const double floor = b->floor_fraction * mu;
  return sigma0 * sigma0 + floor * floor + b->poisson_njy * (mu > 0 ? mu : 0);
}

/* Number of the value within a vector column. */
static inline int sdn_pixel_of(const sdn_survey *s, int band) { return band - s->spectrum[s->band[band].spectrum].first; }

static inline bool sdn_all_finite(int n, const float *x)
{
  float sum = 0;
  for (int i = 0; i < n; i++) sum += x[i] * 0.0f;
  return sum == 0.0f;
}

/* The k of the feature k n_band + b that is 1 where band b is present and 0 where it is missing. */
int sdn_survey_present_feature(const sdn_survey *s);

#endif
