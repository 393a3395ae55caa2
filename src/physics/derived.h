/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantities that follow from a galaxy's parameters.
 *
 * Always there, from the history alone:
 *   log_mass_surviving_msun      mass still in stars, by the grid's star_fraction; NaN where the grid has none
 *   log_sfr_10myr_msun_per_yr    mass formed in the last 10 Myr / 10 Myr; and the same for 100 Myr. Not below 1e-12 of the formed mass per year:
 *   log_sfr_100myr_msun_per_yr     slower formation is not told apart
 *   log_ssfr_100myr_per_yr       the latter per surviving mass (per formed mass where the grid has no star_fraction)
 *   mass_weighted_age_gyr        mean age of the mass formed
 *   lookback_t50_gyr             time since half of the mass had formed
 * and from the spectrum, as it leaves the galaxy (dust, no IGM, no velocities):
 *   m_uv_ab      absolute magnitude of the mean f_nu over rest 1450-1550 A, without lines
 *   beta_uv      f_lambda ~ lambda^beta: straight line through the mean f_lambda of Calzetti+1994's ten windows (Table 2, 1268-2580 A)
 *                at their geometric centres, in logarithms, without lines
 *   rest_u_v     AB colours in top-hats 3650/660, 5510/880, 12200/2130 A (centre / width), photon counting, with lines
 *   rest_v_j
 *
 * On demand, model.yaml:
 *   derived:
 *     sfr_myr: [30]                        log_sfr_30myr_msun_per_yr
 *     formed_percent: [20, 90]             lookback_t20_gyr, ...: time since that share of the mass had formed
 *     quantities: [NAME, ...]              by their names:
 *       log_burstiness                     log10 SFR(10 Myr) / SFR(100 Myr)
 *       log_metallicity_mean               log10 of the mean mass fraction of metals of all stars formed
 *       d4000, dn4000                      mean f_nu (over wavelength) in 4050-4250 / 3750-3950 A (Bruzual 1983), 4000-4100 / 3850-3950 A (Balogh+1999); no lines
 *       balmer_break                       mean f_nu in 4150-4250 / 3400-3600 A, no lines
 *       log_l_dust_lsun                    power that dust takes from the light, which it re-emits
 *       log_l_ir_lsun                      all light between 8 and 1000 um
 *       log_q_hi_per_s                     photons that ionise hydrogen, as stars emit them: the grid's own number, or its incident spectrum's
 *       log_xi_ion_hz_per_erg              the latter per L_nu of 1450-1550 A of stars and gas before dust
 *     magnitudes: [FILTER] or {NAME: FILTER}     mag_NAME: absolute AB magnitude in the rest frame, with lines
 *     colours: {NAME: [FILTER, FILTER]}          rest_NAME
 *     light_weighted_age: [FILTER or WAVE_A]     light_weighted_age_NAME_gyr: of the stars, by the light that they emit in a rest-frame filter, or within 1 % of a
 *                                                wavelength, before dust; age and light of the grid's nodes
 *     indices: [HdeltaA, ...]                    index_NAME: of the Lick system (derived_index.c)
 *     windows: {NAME: {kind: index | index_mag, feature: [a, b], blue: [a, b], red: [a, b], medium: air | vacuum, lines: false}}      index_NAME
 *              {NAME: {kind: ratio, numerator: [a, b], denominator: [a, b], of: f_nu | f_lambda, medium:, lines:}}                    ratio_NAME
 *     lines: [Halpha, ...]                       log_l_NAME_erg_per_s, flux_NAME [1e-20 erg/s/cm2, behind the IGM], ew_NAME_A [rest] (observable.h)
 * What a grid does not reach is NaN. Logarithms of light that may be none have a floor, per Msun formed: 1e-6 Lsun of log_l_dust_lsun and log_l_ir_lsun, 1e-10 Lsun of a
 * line, 1e30 ionising photons/s. */
#ifndef SDN_PHYSICS_DERIVED_H
#define SDN_PHYSICS_DERIVED_H

#include "base/yaml.h"

typedef struct sdn_derived_plan sdn_derived_plan;   /* what a model asks for */
typedef struct sdn_derived sdn_derived;             /* made ready for a forward model */
struct sdn_forward;

/* node: of `derived`; NULL or none: what is always there. err SDN_USAGE: unknown keys, names, filters; what has the name of another. */
sdn_status sdn_derived_plan_new(const sdn_yaml *node, sdn_derived_plan **plan, sdn_err *err);
void sdn_derived_plan_free(sdn_derived_plan *plan);
bool sdn_derived_wants_power(const sdn_derived_plan *plan);   /* of dust: energy nodes are needed even without dust emission */

/* First the lines that it wants (f->lines), then the wavelengths, then with the columns there all else. */
sdn_status sdn_derived_new(const struct sdn_forward *f, sdn_derived **d, sdn_err *err);
void sdn_derived_range(const sdn_derived *d, double *low_A, double *high_A);   /* rest, widens both */
sdn_status sdn_derived_place(const struct sdn_forward *f, sdn_derived *d, sdn_err *err);
void sdn_derived_free(sdn_derived *d);

#endif
