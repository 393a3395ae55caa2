/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From posterior draws in network coordinates to parameters, derived quantities and fluxes. A draw that the model cannot serve (overflow, outside
 * the grid) costs that draw only: it becomes NaN. */
#ifndef SDN_INFER_DRAWS_H
#define SDN_INFER_DRAWS_H

#include "infer/engine.h"

/* z [n][n_free] -> params [n][n_param], on all threads; a bad row is NaN throughout. */
sdn_status sdn_draws_params(const sdn_engine *e, long n, const float *z, double *params, const sdn_run *run, sdn_err *err);
/* params [n][n_param] -> derived [n][n_sfh or n_derived]. */
sdn_status sdn_draws_derived(const sdn_engine *e, long n, const double *params, bool sfh_only, double *derived, const sdn_run *run, sdn_err *err);
/* params [n][n_param] -> flux_nJy [n][n_band]. */
sdn_status sdn_draws_flux(const sdn_engine *e, long n, const double *params, float *flux_nJy, const sdn_run *run, sdn_err *err);

/* Draws from the prior in network coordinates, for a galaxy without data: z [n_draw][n_free], ln_q [n_draw]. Random numbers are named by (seed, row). */
typedef struct sdn_prior_draws {
  int n_free;
  long n_draw;
  double fixed_first;     /* NaN, or the first coordinate of all draws: ln_q is then that of the rest */
  uint64_t seed;
  long row;
} sdn_prior_draws;
void sdn_draws_prior(const sdn_prior_draws *d, float *z, float *ln_q);

#endif
