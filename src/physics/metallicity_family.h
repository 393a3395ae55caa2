/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of metallicity share. */
#ifndef SDN_PHYSICS_METALLICITY_FAMILY_H
#define SDN_PHYSICS_METALLICITY_FAMILY_H

#include "physics/metallicity.h"

/* A distribution on the axis: normal or exponential in Z or log10 Z. */
typedef struct sdn_metal_spread {
  bool in_log;          /* the variable is log10 Z */
  bool exponential;     /* e^(-v / width) from the lowest node; else normal about centre */
  double centre, width;
} sdn_metal_spread;
/* share [n of the axis], sum 1; *mean_z its mean Z. share may be NULL. */
void sdn_metal_spread_shares(const sdn_metal_spread *s, const sdn_grid_axis *axis, double *share, double *mean_z);

/* Z linear in the mass formed: z_first of the first stars, z_last of the last. */
typedef struct sdn_metal_history { double z_first, z_last; } sdn_metal_history;
typedef struct sdn_metal_ages { int n; const double *age_yr, *mass; double limit_yr; } sdn_metal_ages;
/* Writes the weights of sdn_metallicity_weights. */
sdn_status sdn_metal_history_weights(const sdn_metal_history *t, const sdn_grid_axis *axis, const sdn_sfh *h, const sdn_metal_ages *ages, float *weight,
                                  sdn_arena *arena, sdn_err *err);

#endif
