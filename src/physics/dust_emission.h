/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Light that dust emits.
 *
 *   modified_black_body   emissivity (nu/nu0)^beta, or 1 - exp(-(lambda0/lambda)^beta) where it is thick, times B_nu(T)
 *   casey12               a thick black body and a power law of the mid-infrared (Casey 2012 eqs 3 and 4)
 *   draine_li07           spectra of Draine & Li 2007 from data/dust/dl07.h5, linear in q_PAH and U_min
 *
 * What the caller gives is the power that dust takes from starlight, and that is what its light carries, over all wavelengths: integrals are closed
 * forms or converged quadratures, never sums over a model's nodes.
 *
 * The cosmic microwave background (da Cunha+2013): black bodies of redshift z have the temperature T_z that the dust, which starlight alone (and the CMB of
 * today) would hold at T, takes in the CMB of then: what it emits at T_z less what it takes from that CMB is what it emits at T less what it takes from
 * today's. For thin dust that is their eq. 12. With `heating` the light is that of the same dust at T_z: more than starlight gave. With
 * `heating_and_contrast` (the default) what the CMB behind it would have shown is subtracted (their eq. 18), which is what is measured against the sky; it
 * carries the power given, less a part (2.73 K/T)^(4+beta). Casey's power law is hot and left alone. For draine_li07 there is no such key. */
#ifndef SDN_PHYSICS_DUST_EMISSION_H
#define SDN_PHYSICS_DUST_EMISSION_H

#include "prior/prior.h"

#define SDN_LSUN_ERG_S 3.828e33   /* IAU 2015 */

typedef struct sdn_dust_emission sdn_dust_emission;
/* From {law: NAME, ...}; adds the law's parameters to the prior, which must stay. err SDN_USAGE unknown law or a key that this law has not. */
sdn_status sdn_dust_emission_new(const sdn_yaml *map, sdn_prior *prior, sdn_dust_emission **d, sdn_err *err);
void sdn_dust_emission_free(sdn_dust_emission *d);
const char *sdn_dust_emission_name(const sdn_dust_emission *d);
uint64_t sdn_dust_emission_hash(const sdn_dust_emission *d, uint64_t hash);   /* over the law and the file it read */
/* Rest wavelengths [*n], ascending, from where dust begins to emit to where it ends, so close that light linear between them errs by at most 1e-4 of a
 * band's flux, or of 2e-3 of the peak of nu L_nu. They suit the range of parameters of the prior, which must be finished. Worked out at the first call,
 * which must come from one thread; NULL when memory ends. Owned by d. */
const double *sdn_dust_emission_waves_A(const sdn_dust_emission *d, int *n);
/* L_nu [erg/s/Hz] of dust that takes `power_lsun` from starlight; plain. */
double sdn_dust_emission_lnu(const sdn_dust_emission *d, const double *params, double redshift, double power_lsun, double wave_A);

/* The same on fixed nodes, ascending. */
typedef struct sdn_dust_table sdn_dust_table;
sdn_status sdn_dust_table_new(const sdn_dust_emission *d, const sdn_prior *prior, int n, const double *wave_A, sdn_dust_table **t, sdn_err *err);
void sdn_dust_table_free(sdn_dust_table *t);
typedef struct sdn_dust_state { double c[16]; int i[8]; } sdn_dust_state;   /* one galaxy, prepared */
/* err SDN_RANGE: a parameter that is no number or outside what the law serves. */
sdn_status sdn_dust_table_prepare(const sdn_dust_table *t, const double *params, double redshift, sdn_dust_state *s, sdn_err *err);
/* Adds to lnu [n], on nodes first .. first+n-1, the L_nu [erg/s/Hz] of `power_lsun`; within 2e-6 of the plain function where float32 can hold it. */
void sdn_dust_table_add(const sdn_dust_table *t, const sdn_dust_state *s, double power_lsun, int first, int n, float *lnu);

#endif
