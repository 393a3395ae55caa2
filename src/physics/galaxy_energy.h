/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How much power a spectrum has around each of a few wavelengths: what dust takes of it needs no more than that. */
#ifndef SDN_PHYSICS_GALAXY_ENERGY_H
#define SDN_PHYSICS_GALAXY_ENERGY_H

#include "physics/dust_emission.h"


/* Wavelengths of energy nodes for spectra from low_A to high_A: dense where dust curves are steep and stars bright. Writes at most SDN_ENERGY_MAX. */
#define SDN_ENERGY_MAX 256
int sdn_energy_nodes(double low_A, double high_A, double wave_A[SDN_ENERGY_MAX]);

/* The linear map from L_nu [erg/s/Hz] on fixed nodes, piecewise linear between them, to E_j = int L_nu hat_j d nu [Lsun]; outermost hats go on flat. */
typedef struct sdn_energy sdn_energy;
sdn_status sdn_energy_new(int n_wave, const double *wave_A, int n_energy, const double *energy_A, sdn_energy **e, sdn_err *err);
void sdn_energy_free(sdn_energy *e);
void sdn_energy_of_spectrum(const sdn_energy *e, const double *lnu, float *power_lsun);   /* [n_wave] -> [n_energy] */

#endif
