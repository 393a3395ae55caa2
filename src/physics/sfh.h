/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Star formation histories. A family gives the cumulative mass formed as a function of lookback time in closed form, for unit mass formed.
 * The grid's spectra are linear in log10 age between its nodes and constant below the first and above the last, so a history becomes one weight per
 * age node. By parts, from the cumulative mass M alone,
 *   w_i = int hat_i(ln a) dM(a) = mean_i - mean_i-1,   mean_i = mean of M over ln a from node i to i+1,
 * so that the weights sum to the mass exactly whatever the quadrature. Nothing forms before the Big Bang. */
#ifndef SDN_PHYSICS_SFH_H
#define SDN_PHYSICS_SFH_H

#include "base/memory.h"
#include "prior/prior.h"

typedef enum sdn_sfh_family { SDN_SFH_DELAYED_EXPONENTIAL, SDN_SFH_DOUBLE_POWER_LAW, SDN_SFH_CONTINUITY, SDN_SFH_DENSE_BASIS } sdn_sfh_family;
#define SDN_SFH_MAX_PARAM 16
#define SDN_SFH_MAX_KNOT 34

typedef struct sdn_sfh_model {
  sdn_sfh_family family;
  int n_param;                           /* parameters of this family, in the order of `value` below */
  int param[SDN_SFH_MAX_PARAM];          /* their indices in the prior */
  int n_bin;                             /* continuity: bins; dense_basis: equal shares of mass */
  sdn_yaml *initial;                     /* the default prior of a parameter that the file leaves out, kept until the prior is finished */
} sdn_sfh_model;

/* Reads the `sfh:` map, adds the family's parameters to the prior. Families and keys (defaults in brackets):
 *   delayed_exponential  age_gyr (lookback time of the onset, at most the age of the Universe), tau_gyr      psi ~ t exp(-t/tau), t since onset
 *   double_power_law     tau_gyr (cosmic time of the turn-over), alpha (falling), beta (rising)      psi ~ 1 / ((t/tau)^alpha + (t/tau)^-beta),
 *                        t since the Big Bang (Carnall+2018 eq. 10)
 *   continuity           n_bin [6]; log_sfr_ratios (n_bin-1; youngest pair first, log10 SFR_j/SFR_j+1) [student_t nu 2 scale 0.3]; bins 0-30, 30-100 Myr,
 *                        then equal in log time to 85 % of the age of the Universe, then the rest (Leja+2019)
 *   dense_basis          log_sfr_msun_per_yr or log_ssfr_per_yr (per mass formed); gaps: dirichlet of n -> t25, t50, t75 (names by n): fraction of cosmic
 *                        time since the Big Bang by which that share has formed. Cumulative mass: monotone rational quadratic spline (Gregory &
 *                        Delbourgo 1982) through (0,0), (t_k, k/n), (1,1). Its end slope is the SFR, so every combination is feasible; its slope
 *                        at the Big Bang is 0 (as in Iyer+2019), inside the weighted harmonic mean of its neighbours (Fritsch & Butland 1984).
 *                        log_ssfr_per_yr alone gives log_sfr_msun_per_yr = log_mass_formed_msun + log_ssfr_per_yr. */
sdn_status sdn_sfh_model_new(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model **m, sdn_err *err);
/* After sdn_prior_finish: look up parameter indices. */
sdn_status sdn_sfh_model_bind(sdn_sfh_model *m, const sdn_prior *prior, sdn_err *err);
void sdn_sfh_model_free(sdn_sfh_model *m);

/* One galaxy's history, prepared: plain data, no pointers. Between two knots it is smooth. */
typedef struct sdn_sfh {
  sdn_sfh_family family;
  double age_universe_yr;                /* at the galaxy's redshift: the oldest possible age */
  double value[SDN_SFH_MAX_PARAM];       /* family's parameters in yr (delayed exponential, double power law) */
  int n_knot;                            /* lookback times (ascending, yr): 0 first, where the history is not smooth, the oldest age last */
  double knot_yr[SDN_SFH_MAX_KNOT];
  double knot_mass[SDN_SFH_MAX_KNOT];    /* continuity, dense basis: mass formed more recently than the knot, unit total */
  double knot_slope[SDN_SFH_MAX_KNOT];   /* 1/yr. dense basis: SFR at the knot; continuity: of the bin that begins there */
  double norm;                           /* family's own */
} sdn_sfh;
/* params [n_param of the prior]. err SDN_RANGE: parameters leave no time to form stars (e.g. tau or age not positive), with values. */
sdn_status sdn_sfh_prepare(const sdn_sfh_model *m, const double *params, double age_universe_yr, double mass_formed_msun, sdn_sfh *h, sdn_err *err);
/* Mass formed within the last `age_yr` years, of unit total: 0 at 0, 1 at the age of the Universe and beyond. */
double sdn_sfh_mass_since(const sdn_sfh *h, double age_yr);
/* SFR at a lookback time, per unit mass formed [1/yr]. */
double sdn_sfh_rate(const sdn_sfh *h, double age_yr);
/* Weights on age nodes (positive, ascending, yr): weight [n_age] >= 0, sum 1 to 1e-14, each within 1e-8 of the exact integral. */
void sdn_sfh_weights(const sdn_sfh *h, int n_age, const double *age_yr, double *weight);
double sdn_sfh_mean_age_yr(const sdn_sfh *h);              /* mass-weighted age, exact: int (1 - M) da */
double sdn_sfh_age_of_fraction(const sdn_sfh *h, double fraction_formed);   /* lookback time by which that share had formed, yr */

#endif
