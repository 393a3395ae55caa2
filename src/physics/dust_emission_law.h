/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of dust emission: what the laws give to dust_emission.c. */
#ifndef SDN_PHYSICS_DUST_EMISSION_LAW_H
#define SDN_PHYSICS_DUST_EMISSION_LAW_H

#include "physics/dust_emission.h"
#include "physics/wave_nodes.h"

#define SDN_LIGHT_A_S 2.99792458e18
#define SDN_HC_OVER_K_A 1.438776877e8   /* h c / k [A K] */

/* ------------------------------------------------------------------ black bodies (dust_emission_body.c) */

typedef enum sdn_cmb { SDN_CMB_NONE, SDN_CMB_HEATING, SDN_CMB_CONTRAST } sdn_cmb;
#define SDN_BODY_N 127           /* points of the quadrature of thick bodies */
typedef struct sdn_body {
  bool thick, power_law; sdn_cmb cmb;
  double planck[SDN_BODY_N];   /* y^4 / (exp(y) - 1) step, y = hc / lambda k T at the points */
} sdn_body;
typedef struct sdn_body_value { double temperature_K, beta, lambda0_um, alpha; } sdn_body_value;

/* One galaxy: L_nu = amplitude ((1 - exp(-tau)) | tau) x^-3 [1/(exp(hot/lambda) - 1) - 1/(exp(cold/lambda) - 1)] + powerlaw,  x = lambda / 100 um. */
typedef struct sdn_body_light {
  double amplitude;             /* erg/s/Hz of one Lsun */
  double beta, ln_tau;          /* tau = exp(ln_tau) x^-beta */
  bool thick;
  double hot_A, cold_A;         /* hc/kT of dust and of the CMB to be subtracted; 0: nothing */
  double tail, alpha, turn_A;   /* tail (lambda/turn)^alpha exp(-(lambda/turn)^2) from SDN_TAIL_BEGIN_A on; 0: none */
} sdn_body_light;
#define SDN_TAIL_BEGIN_A 91.2

void sdn_body_begin(sdn_body *b);   /* fills planck */
void sdn_body_prepare(const sdn_body *b, const sdn_body_value *v, double redshift, sdn_body_light *light);
double sdn_body_lnu(const sdn_body_light *light, double wave_A);
/* Adds power_lsun L_nu to lnu [n] at nodes of which all is known that all galaxies share. */
typedef struct sdn_body_nodes { const double *wave_A, *inverse, *ln_x, *cube; } sdn_body_nodes;   /* [n] each: 1 / wave, ln x, x^-3 */
void sdn_body_add(const sdn_body_light *light, double power_lsun, int n, const sdn_body_nodes *nodes, float *lnu);
double sdn_body_temperature_K(const sdn_body *b, const sdn_body_value *v, double redshift);   /* T_z */

/* ------------------------------------------------------------------ Draine & Li 2007 (dust_emission_dl07.c) */

typedef struct sdn_dl07 {
  int n_q, n_u, n_wave;
  double *q_pah, *u_min, *wave_A;
  float *value;                 /* [n_q][n_u][2][n_wave] L_nu, U_min only and U_min .. U_max; relative units */
  double *power;                /* [n_q][n_u][2] int L_nu d nu */
  uint64_t hash;
} sdn_dl07;

sdn_status sdn_dl07_read(sdn_dl07 *d, sdn_err *err);
void sdn_dl07_clear(sdn_dl07 *d);
/* Where a galaxy stands: nodes iq, iu and the share of each of the eight spectra [2 q][2 u][2 kinds] in L_nu of one Lsun. false: outside. */
bool sdn_dl07_shares(const sdn_dl07 *d, double q_pah, double u_min, double gamma, int *iq, int *iu, double share[8]);
double sdn_dl07_at(const sdn_dl07 *d, int q, int u, int kind, double wave_A);   /* 0 outside the table */

#endif
