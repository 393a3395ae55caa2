/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each family of star formation histories provides to sfh.c and sfh_weights.c. */
#ifndef SDN_PHYSICS_SFH_FAMILY_H
#define SDN_PHYSICS_SFH_FAMILY_H

#include "physics/sfh.h"

#define SDN_YR_PER_GYR 1e9

/* What a galaxy brings besides its parameters. */
typedef struct sdn_sfh_galaxy { double age_universe_yr, mass_formed_msun; } sdn_sfh_galaxy;

typedef struct sdn_sfh_ops {
  const char *name;
  /* YAML keys -> prior parameters; sets m->n_param, and m->n_bin where there are bins. */
  sdn_status (*add)(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err);
  /* Name of the i-th parameter that `prepare` wants; may be written to buffer. */
  const char *(*param_name)(const sdn_sfh_model *m, int i, char buffer[32]);
  sdn_status (*prepare)(const sdn_sfh_model *m, const double *value, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err);
  double (*mass_since)(const sdn_sfh *h, int segment, double age_yr);
  double (*rate)(const sdn_sfh *h, int segment, double age_yr);
  double (*mean_age_yr)(const sdn_sfh *h);
  /* How far from this age, in yr, the segment's function goes on without a singularity or a change by a large factor; INFINITY where it is a
   * polynomial or negligible. `younger` and `older` are the ends of the panel in question. */
  double (*reach_yr)(const sdn_sfh *h, int segment, double younger_yr, double older_yr);
  /* Many ages inside one segment: the cumulative mass where it is cheap (rates NULL), or the rate (masses NULL). */
  void (*masses)(const sdn_sfh *h, int segment, int n, const double *age_yr, double *mass);
  void (*rates)(const sdn_sfh *h, int n, const double *age_yr, double *rate);
} sdn_sfh_ops;

extern const sdn_sfh_ops sdn_sfh_delayed, sdn_sfh_power_law, sdn_sfh_steps, sdn_sfh_dense;
const sdn_sfh_ops *sdn_sfh_ops_of(sdn_sfh_family family);

/* The double power law near the Big Bang: int rate da and int rate ln(T/a) da over ages from T - t_end to T, where t^beta is no polynomial. */
void sdn_sfh_power_law_start(const sdn_sfh *h, double t_end_yr, double *mass, double *log_moment);

#endif
