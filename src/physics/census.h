/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is known of the galaxy population, as functions that a model's formulas may call. Masses are log10 Msun.
 *
 *   age_universe_gyr(redshift)
 *   comoving_volume_mpc3(redshift)             of the whole sky per unit redshift, dV/dz = 4 pi D_C^2 dD_C/dz
 *   gallazzi05_mean(log_mass)                  log10 of the mass fraction of metals in stars at z = 0: the median of Gallazzi+2005 (MNRAS 362, 41), table 2,
 *                                              with Z_sun = 0.02, masses less 0.04 dex for a Chabrier IMF (as Prospector has them); level beyond 8.87 and 11.87
 *   gallazzi05_sigma(log_mass)                 half the distance of its 16th and 84th percentiles; Prospector's priors take twice that
 *   leja22_log_ssfr(log_mass, redshift)        ridge of the star-forming sequence of Leja+2022 (ApJ 936, 165; eq. 9 and table 1), log10 SFR / mass [1/yr];
 *                                              redshifts beyond 0.2 to 3, where it was measured, count as those
 *   speagle14_log_ssfr(log_mass, redshift)     Speagle+2014 (ApJS 214, 15) eq. 28: log SFR = (0.84 - 0.026 t) log M - (6.51 - 0.11 t), t age of the Universe [Gyr]
 *   main_sequence_log_ssfr(log_mass, redshift) leja22 to z = 3, from there on it changes with time as speagle14 does
 *   csfrd_log_ratio(pair, n_bin, redshift, log_mass)   mean of the log10 ratios of star formation rates of Prospector-beta (Wang+2023, ApJL 944, L58): see below
 *
 * csfrd_log_ratio: the cosmic star formation rate density of Behroozi+2019 (MNRAS 488, 3143), averaged in n_bin bins of lookback time from an epoch t'
 * back to z = 15; pair 1 is the youngest two, the younger rate over the older one. t' is the age of the Universe at the galaxy's redshift moved by -0.2 dex
 * at 10^9 Msun to +0.8 dex at 10^12 (linear in between, level beyond), kept within redshifts 0.15 to 10: massive galaxies have lived later in cosmic
 * history. (Prospector's programs of today; those of the paper had -0.6 to 0.4 and integrals in place of means.) Bins: 30 and 100 Myr, or one of 10^7.1295
 * yr where t' lies beyond z = 3; then equal in log lookback time from today, to nine tenths of what is left, then the rest; n_bin >= 4. Ratios are kept
 * within 5 dex. Bins of a model need not be those: pairs go by their number. */
#ifndef SDN_PHYSICS_CENSUS_H
#define SDN_PHYSICS_CENSUS_H

#include "physics/cosmology.h"
#include "prior/prior.h"

typedef struct sdn_census sdn_census;
/* Registers the functions with the prior, which *census and the cosmology must outlive. */
sdn_status sdn_census_new(const sdn_cosmology *cosmology, sdn_prior *prior, sdn_census **census, sdn_err *err);
void sdn_census_free(sdn_census *census);

double sdn_gallazzi05_mean(double log_mass);
double sdn_gallazzi05_sigma(double log_mass);
double sdn_leja22_log_ssfr(double log_mass, double redshift);
/* Behroozi+2019, Msun/yr/Mpc^3; 0 <= z <= 15, NaN outside. */
double sdn_census_csfrd(const sdn_census *census, double redshift);

#endif
