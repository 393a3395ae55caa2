/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/range.h"

#include <math.h>

#include "base/random.h"
#include "library/truth.h"
#include "survey/survey.h"
#include "survey/units.h"

#define N_TRUTH 4096          /* prior galaxies whose brightest flux bounds a band */
#define FLUX_MARGIN 3.0       /* times that flux: a library of 10^5 or more reaches further than 4096 galaxies do */
#define SIGMA_MARGIN 1.5      /* a network interpolates in ln sigma; 0.4 beyond its range it still follows a straight line */
#define NEGATIVE_LIMIT 10.0   /* sigma below zero: noise does not reach there in 10^8 galaxies of 100 bands */

static sdn_status brightest(const sdn_engine *e, const sdn_run *run, double *flux_high, sdn_err *err)
{
  const sdn_truth_source source = {e->prior, e->forward, 1, SDN_STREAM_CHECK + 0xffffffu, false};
  float *z = sdn_alloc(N_TRUTH, (size_t)e->n_free * sizeof *z, "prior galaxies", err);
  double *params = z ? sdn_alloc(N_TRUTH, (size_t)e->n_param * sizeof *params, "prior galaxies", err) : NULL;
  float *flux = params ? sdn_alloc(N_TRUTH, (size_t)e->n_band * sizeof *flux, "prior galaxies", err) : NULL;
  sdn_status status = flux ? SDN_OK : err->status;
  if (status)
    goto done;
  const sdn_truth truth = {.z = z, .params = params, .flux_nJy = flux};
  status = sdn_draw_truth(&source, 0, N_TRUTH, &truth, run, err);
  for (long i = 0; i < (long)N_TRUTH * e->n_band && !status; i++)
    flux_high[i % e->n_band] = fmax(flux_high[i % e->n_band], FLUX_MARGIN * (double)flux[i]);
done:
  sdn_release(z);
  sdn_release(params);
  sdn_release(flux);
  return status;
}

sdn_status sdn_range_new(const sdn_engine *e, const sdn_run *run, sdn_range **out, sdn_err *err)
{
  sdn_range *r = sdn_alloc(1, sizeof *r, "ranges", err);
  if (!r)
    return err->status;
  size_t n = (size_t)e->n_band;
  r->survey = e->survey;
  r->n_band = e->n_band;
  r->sigma_low = sdn_alloc(3 * n, sizeof *r->sigma_low, "ranges", err);
  sdn_status status = r->sigma_low ? SDN_OK : err->status;
  if (status)
    goto done;
  r->sigma_high = r->sigma_low + n;
  r->flux_high = r->sigma_high + n;
  for (int b = 0; b < e->n_band; b++) {
    double median;
    sdn_survey_sigma_range(e->survey, b, &r->sigma_low[b], &median, &r->sigma_high[b]);
  }
  status = brightest(e, run, r->flux_high, err);
done:
  if (status)
    sdn_range_free(r);
  else
    *out = r;
  return status;
}

void sdn_range_free(sdn_range *r)
{
  if (!r)
    return;
  sdn_release(r->sigma_low);
  sdn_release(r);
}

/* With error_column max, an error that is the floor's says of the background error only that it is smaller. */
static bool is_floor(const sdn_survey *s, int band, double flux, double sigma)
{
  return s->error_column == SDN_ERROR_COLUMN_MAX && sigma <= s->band[band].column_floor_fraction * fabs(flux) * 1.001;
}

bool sdn_range_outside(const sdn_range *r, const float *flux_nJy, const float *sigma_nJy)
{
  for (int b = 0; b < r->n_band; b++) {
    double flux = (double)flux_nJy[b], sigma = (double)sigma_nJy[b];
    if (isnan(flux))
      continue;
    double background = sdn_survey_background_sigma(r->survey, b, flux, sigma);
    bool bright = !is_floor(r->survey, b, flux, sigma) && !(background <= SIGMA_MARGIN * r->sigma_high[b]);
    if (bright || !(background >= r->sigma_low[b] / SIGMA_MARGIN) || !(flux <= r->flux_high[b] + NEGATIVE_LIMIT * sigma) ||
        !(flux >= -NEGATIVE_LIMIT * sigma))
      return true;
  }
  return false;
}
