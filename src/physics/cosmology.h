/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distances and ages of a Friedmann universe with matter, a cosmological constant, curvature zero, photons and neutrinos.
 * Planck18 is astropy's: H0 67.66, Om0 0.30966, Tcmb 2.7255 K, Neff 3.046, one neutrino of 0.06 eV (Komatsu+2011 eq. 26 for its density);
 * agreement with astropy's table 1e-6. "flat" cosmologies without radiation by {h0:, omega_m:}. */
#ifndef SDN_PHYSICS_COSMOLOGY_H
#define SDN_PHYSICS_COSMOLOGY_H

#include "base/yaml.h"

typedef struct sdn_cosmology sdn_cosmology;
/* node: NULL or the name Planck18, or a map {h0: km/s/Mpc, omega_m: }. Tabulates to redshift 30 with errors < 1e-8. */
sdn_status sdn_cosmology_new(const sdn_yaml *node, sdn_cosmology **c, sdn_err *err);
void sdn_cosmology_free(sdn_cosmology *c);
/* All for 0 <= z <= 30, NaN outside; a few ns each. */
double sdn_cosmology_age_yr(const sdn_cosmology *c, double z);
double sdn_cosmology_luminosity_distance_Mpc(const sdn_cosmology *c, double z);
/* f_nu [nJy] per L_nu [erg/s/Hz]: (1+z) / (4 pi d_L^2); below z = 1e-6 the distance is 10 pc and no redshift factor. */
double sdn_cosmology_njy_per_lnu(const sdn_cosmology *c, double z);

#endif
