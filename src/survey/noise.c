/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The draw: one noisy observation of each galaxy. A galaxy's random numbers come from its own sequence (seed, stream, row), in this order:
 * the bands' noise, then (where some sigma0 varies) the common factor g and the bands' own g_b, then the words of its mask. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "survey/masks.h"
#include "survey/survey.h"

/* gcc turns the loops below into vector instructions only if it need not tell apart what floating-point exceptions they raise. No result changes. */
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC optimize("no-trapping-math")
#endif

/* What does not change from galaxy to galaxy, and the buffers of one galaxy. */
typedef struct drawing {
  const sdn_survey *s;
  sdn_mask_plan mask;
  float common, own;                    /* sqrt(rho), sqrt(1 - rho) */
  bool missing[SDN_SURVEY_MAX_BAND];
  float normal[2 * SDN_SURVEY_MAX_BAND + 1];
  float sigma0[SDN_SURVEY_MAX_BAND];
} drawing;

/* sigma0(t) of sdn_sigma_at in float32, without branches. */
static inline float sigma_at(const sdn_sigma *d, float t)
{
  const float last = (float)(SDN_SIGMA_N_NODE - 1);
  float x = (t + (float)SDN_SIGMA_T_MAX) * (float)SDN_SIGMA_NODE_PER_T;
  x = x > 0.0f ? x : 0.0f;
  x = x < last ? x : last;
  const int i = (int)x;
  return d->node[i] + (x - (float)i) * (d->node[i + 1] - d->node[i]);
}

static void draw_sigma0(drawing *d)
{
  const sdn_survey *s = d->s;
  const float *normal = d->normal + s->n_band, shared = d->common * normal[0];
  for (int b = 0; b < s->n_band; b++) d->sigma0[b] = sigma_at(&s->band[b].sigma, shared + d->own * normal[1 + b]);
}

static void draw_flux(const drawing *d, const float *mu, float *flux)
{
  const sdn_survey *s = d->s;
  for (int b = 0; b < s->n_band; b++) flux[b] = (float)(mu[b] + sqrt(sdn_noise_variance(&s->band[b], d->sigma0[b], mu[b])) * d->normal[b]);
}

/* The error column that goes with the noisy fluxes. */
static void list_errors(const drawing *d, const float *flux, float *sigma)
{
  const sdn_survey *s = d->s;
  if (s->error_column == SDN_ERROR_COLUMN_NONE) {
    memcpy(sigma, d->sigma0, (size_t)s->n_band * sizeof *sigma);
  } else if (s->error_column == SDN_ERROR_COLUMN_MAX) {
    for (int b = 0; b < s->n_band; b++) {
      const float floor = (float)s->band[b].column_floor_fraction * fabsf(flux[b]), sigma0 = d->sigma0[b];
      sigma[b] = sigma0 > floor ? sigma0 : floor;
    }
  } else {
    for (int b = 0; b < s->n_band; b++) {
      const double floor = s->band[b].column_floor_fraction * flux[b], sigma0 = d->sigma0[b];
      sigma[b] = (float)sqrt(sigma0 * sigma0 + floor * floor);
    }
  }
}

static void draw_row(drawing *d, sdn_rng rng, const float *mu, float *flux, float *sigma)
{
  const sdn_survey *s = d->s;
  sdn_rng_normals(&rng, s->varies ? 2 * s->n_band + 1 : s->n_band, d->normal);
  if (s->varies) draw_sigma0(d);
  draw_flux(d, mu, flux);
  list_errors(d, flux, sigma);
  for (int b = 0; s->plain && b < s->n_band; b++)
    if (isnan(mu[b])) sigma[b] = NAN;   /* a simulator may leave numbers out */
  if (!d->mask.any) return;
  sdn_mask_draw(&d->mask, s, &rng, d->missing);
  for (int b = 0; b < s->n_band; b++)
    if (d->missing[b]) flux[b] = sigma[b] = NAN;
}

sdn_status sdn_survey_draw(const sdn_survey *s, long n, const float *flux_true_nJy, uint64_t seed, uint32_t stream, long row0, float *flux_nJy,
                           float *sigma_nJy, sdn_err *err)
{
  drawing d = {.s = s, .common = (float)sqrt(s->sigma_correlation), .own = (float)sqrt(1 - s->sigma_correlation)};
  sdn_mask_plan_set(&d.mask, s);
  for (int b = 0; b < s->n_band; b++) d.sigma0[b] = (float)s->band[b].sigma.median;
  for (long i = 0; i < n; i++) {
    const long at = i * s->n_band;
    if (!s->plain && !sdn_all_finite(s->n_band, flux_true_nJy + at))
      return sdn_fail_row(err, SDN_NUMERIC, i, "row %ld has a true flux that is not finite: noise can only be added to numbers", i);
    draw_row(&d, sdn_rng_at(seed, stream, (uint64_t)(row0 + i)), flux_true_nJy + at, flux_nJy + at, sigma_nJy + at);
  }
  return SDN_OK;
}
