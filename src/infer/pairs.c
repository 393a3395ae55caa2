/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/pairs.h"

#include <math.h>

#include "base/memory.h"
#include "survey/units.h"

sdn_status sdn_pairs_errors(const sdn_survey *survey, sdn_data_pairs *p, sdn_err *err)
{
  const int n_band = sdn_survey_n_band(survey);
  double low, median, high;
  if (p->sigma) return SDN_OK;
  if (!(p->sigma = sdn_alloc((size_t)(p->n * n_band), sizeof *p->sigma, "errors", err))) return err->status;
  for (int b = 0; b < n_band; b++) {
    sdn_survey_sigma_range(survey, b, &low, &median, &high);
    for (long i = 0; i < p->n; i++) p->sigma[i * n_band + b] = isnan(p->x[i * n_band + b]) ? NAN : (float)median;
  }
  return SDN_OK;
}
