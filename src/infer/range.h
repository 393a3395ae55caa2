/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a network has been trained on, and rows outside of it, where it extrapolates.
 * Errors: the background errors that the survey draws. Fluxes: those of galaxies drawn from the prior. Both with a margin. */
#ifndef SDN_INFER_RANGE_H
#define SDN_INFER_RANGE_H

#include "infer/engine.h"

typedef struct sdn_range {
  const sdn_survey *survey;
  int n_band;
  double *sigma_low, *sigma_high, *flux_high;   /* [n_band] nJy */
} sdn_range;

sdn_status sdn_range_new(const sdn_engine *e, const sdn_run *run, sdn_range **range, sdn_err *err);
void sdn_range_free(sdn_range *range);
/* Whether a galaxy has a band outside: flux_nJy, sigma_nJy [n_band], NaN where not used. */
bool sdn_range_outside(const sdn_range *range, const float *flux_nJy, const float *sigma_nJy);

#endif
