/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a galaxy's listed errors enter its likelihood, band by band. */
#ifndef SDN_SURVEY_LIKELIHOOD_H
#define SDN_SURVEY_LIKELIHOOD_H

#include "survey/survey.h"

/* The bands of one galaxy. */
typedef struct sdn_datum {
  const float *flux;                   /* [n_band] nJy */
  int n_exact, n_censored;             /* sigma0 known; known only to be less than limit */
  int exact[SDN_SURVEY_MAX_BAND], censored[SDN_SURVEY_MAX_BAND];
  double sigma0[SDN_SURVEY_MAX_BAND];  /* [n_exact] */
  double limit[SDN_SURVEY_MAX_BAND];   /* [n_censored] */
} sdn_datum;

/* error_column max: ln p of all that concerns the errors. Adds to ln_like [n] the censored bands' factor, marginalised over sigma0, and the (constant)
 * density of the known sigma0. */
sdn_status sdn_censored_add(const sdn_survey *s, const sdn_datum *d, long n, const float *flux_true_nJy, double *ln_like, sdn_err *err);

#endif
