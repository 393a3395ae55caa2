/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Integrals of spectra that are piecewise linear in wavelength, exact. wave_A [n] ascending, lnu [n] erg/s/Hz (per whatever). */
#ifndef SDN_PHYSICS_GRID_LIGHT_H
#define SDN_PHYSICS_GRID_LIGHT_H

/* Photons/s between two wavelengths: int L_nu / (h nu) dnu = (1/h) int L_nu dlambda / lambda. */
double sdn_photon_rate(int n, const double *wave_A, const float *lnu, double low_A, double high_A);
/* erg/s: int L_nu dnu = c int L_nu dlambda / lambda^2. */
double sdn_luminosity(int n, const double *wave_A, const float *lnu, double low_A, double high_A);
/* lnu at a wavelength; 0 outside. */
double sdn_lnu_at(int n, const double *wave_A, const float *lnu, double at_A);

#endif
