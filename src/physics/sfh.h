/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Star formation histories. A family gives the cumulative mass formed as a function of lookback time, for unit mass formed, in closed form or to 1e-8.
 * The grid's spectra are linear in log10 age (or, where the model says so, in age) between its nodes and constant below the first and above the last, so a
 * history becomes one weight per age node. By parts, from the cumulative mass M alone,
 *   w_i = int hat_i(u) dM = mean_i - mean_i-1,   mean_i = mean of M over u from node i to i+1,   u = ln a, or a itself,
 * so that the weights sum to the mass exactly whatever the quadrature. Nothing forms before the Big Bang.
 * Lookback times and ages count from the galaxy's own present, cosmic times from the Big Bang; a YAML key says which: lookback_ or age_, time_. */
#ifndef SDN_PHYSICS_SFH_H
#define SDN_PHYSICS_SFH_H

#include "base/memory.h"
#include "physics/cosmology.h"
#include "prior/prior.h"

typedef struct sdn_sfh_model sdn_sfh_model;

/* Reads the `sfh:` map and adds the family's parameters to the prior; docs/formats.md lists families and keys. The model must live until the prior is
 * finished or freed: the prior writes the places of the parameters into it. */
sdn_status sdn_sfh_model_new(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model **m, sdn_err *err);
void sdn_sfh_model_free(sdn_sfh_model *m);
/* Weights of the model's histories are of hats in age in place of ln age. */
void sdn_sfh_set_linear_age(sdn_sfh_model *m, bool linear_age);
const char *sdn_sfh_model_name(const sdn_sfh_model *m);   /* of the family */
/* `hash` carried on over what was read from files that the YAML only names. */
uint64_t sdn_sfh_hash(const sdn_sfh_model *m, uint64_t hash);
/* With the prior finished: can every galaxy that it gives have this history? Sobol points and corners of the unit cube are prepared; mass_param is the
 * index of log10 of the mass formed. err SDN_USAGE: what cannot be, at which redshift, and the remedy (e.g. stars older than the Universe). */
sdn_status sdn_sfh_check_prior(const sdn_sfh_model *m, const sdn_prior *prior, const sdn_cosmology *cosmology, int mass_param, sdn_err *err);

/* One galaxy's history, prepared. Between two knots it is smooth; younger than the first and older than the last nothing forms. */
typedef struct sdn_sfh {
  const struct sdn_sfh_ops *ops;
  bool linear_age;                       /* hats of the age nodes are linear in age, else in ln age */
  double age_universe_yr;                /* at the galaxy's redshift: the oldest possible age */
  int n_knot;
  const double *knot_yr;                 /* [n_knot] lookback times, ascending */
  double *knot_mass, *knot_rate, *knot_bend;   /* [n_knot] where the family needs them: mass formed more recently than the knot, of unit total; on the
                                            * knot's older side the rate (1/yr) and its slope with age (1/yr^2) */
  double value[8], norm;                 /* the family's own */
  int n_part;                            /* sum: histories and their shares of the mass */
  const struct sdn_sfh *part;
  const double *share;
  const struct sdn_sfh_particles *particles;
} sdn_sfh;
/* params [n_param of the prior]. The history lives as long as the arena is not given back. err SDN_RANGE: parameters leave no time to form stars
 * (e.g. tau or age not positive, an onset before the Big Bang), with values and remedy. */
sdn_status sdn_sfh_prepare(const sdn_sfh_model *m, const double *params, double age_universe_yr, double mass_formed_msun, sdn_arena *arena, sdn_sfh *h,
                           sdn_err *err);
/* Mass formed within the last `age_yr` years, of unit total: 0 at 0, 1 at the age of the Universe and beyond. */
double sdn_sfh_mass_since(const sdn_sfh *h, double age_yr);
/* SFR at a lookback time, per unit mass formed [1/yr]; 0 where stars form in bursts without duration. */
double sdn_sfh_rate(const sdn_sfh *h, double age_yr);
/* Weights on age nodes (positive, ascending, yr): weight [n_age] >= 0, sum 1 to 1e-12, each within 1e-8 of the exact integral. */
void sdn_sfh_weights(const sdn_sfh *h, int n_age, const double *age_yr, double *weight);
/* The same for the stars younger than limit_yr alone: the sum is sdn_sfh_mass_since(h, limit_yr). */
void sdn_sfh_weights_since(const sdn_sfh *h, double limit_yr, int n_age, const double *age_yr, double *weight);
/* Stars whose metallicities are known one by one (family particles): does the history have them? Then their weights on nodes of age and metallicity are
 * weight [n_z][n_age], exact products of hats in ln age (or age) and in the coordinate of metallicity, constant beyond the ends; sums to the mass since limit_yr.
 * z_coordinate [n_z], ascending: log10 of the mass fraction of metals where its first value is negative, else the fraction itself. */
bool sdn_sfh_has_metallicity(const sdn_sfh *h);
double sdn_sfh_mean_metallicity(const sdn_sfh *h);   /* weighted by mass formed; NaN where they are not known */
bool sdn_sfh_model_has_metallicity(const sdn_sfh_model *m);   /* will its histories have them? */
void sdn_sfh_particle_weights(const sdn_sfh *h, double limit_yr, int n_age, const double *age_yr, int n_z, const double *z_coordinate, float *weight);
double sdn_sfh_mean_age_yr(const sdn_sfh *h);              /* mass-weighted age, exact: int (1 - M) da */
double sdn_sfh_age_of_fraction(const sdn_sfh *h, double fraction_formed);   /* lookback time by which that share had formed, yr */

#endif
