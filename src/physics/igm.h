/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mean transmission of the intergalactic medium, by law: inoue14, madau95, madau95_metals, meiksin06 or none; with a free factor on its optical
 * depth, and with the damping wing of neutral gas near the galaxy (Asada+2025), which reaches redward of Lyman alpha. */
#ifndef SDN_PHYSICS_IGM_H
#define SDN_PHYSICS_IGM_H

#include "prior/prior.h"

typedef struct sdn_igm sdn_igm;

/* node: NULL (inoue14), the name of a law, or {law: NAME, scale: PARAMETER, damping_wing: none | asada25}. With `scale`, the parameter igm_scale is added to
 * the prior and bound. err SDN_USAGE: unknown law, key or wing. */
sdn_status sdn_igm_new(const sdn_yaml *node, sdn_prior *prior, sdn_igm **igm, sdn_err *err);
void sdn_igm_free(sdn_igm *igm);
const char *sdn_igm_name(const sdn_igm *igm);          /* "inoue14", "inoue14 + asada25" */
bool sdn_igm_is_none(const sdn_igm *igm);              /* transmission 1 everywhere */
double sdn_igm_scale(const sdn_igm *igm, const double *params);   /* 1 where the YAML has no scale */
/* Optical depth at a rest-frame wavelength for a source at redshift z; direct evaluation. `scale` multiplies the law, not the damping wing. */
double sdn_igm_tau(const sdn_igm *igm, double z, double scale, double wave_rest_A);

/* The rest-frame wavelengths where the transmission jumps: the Lyman limit and the lines, ascending, *n of them (NULL and 0: none). A spectrum that is to be
 * multiplied by the transmission needs a double node at each, one value on either side. */
const double *sdn_igm_jumps_A(const sdn_igm *igm, int *n);
/* No absorption redward of here, 0 for none; and how far apart nodes may stand around a wavelength if transmission is to be linear between them (INFINITY:
 * any distance). */
double sdn_igm_reddest_A(const sdn_igm *igm);
double sdn_igm_step_A(const sdn_igm *igm, double wave_rest_A);

/* Transmission on fixed wavelength nodes and for any redshift: wave_A [n] ascending; an equal pair at a jump means (blue side, red side).
 * Nothing is interpolated: every term is a function of rest wavelength times one of redshift (igm_table.c). Relative error of exp(-tau): float32 rounding,
 * 6e-8. Observed wavelengths below the Lyman limit, where the published fits end, count as at the limit. */
typedef struct sdn_igm_table sdn_igm_table;
sdn_status sdn_igm_table_new(const sdn_igm *igm, int n, const double *wave_A, double z_max, sdn_igm_table **t, sdn_err *err);
void sdn_igm_table_free(sdn_igm_table *t);
int sdn_igm_table_n(const sdn_igm_table *t);     /* nodes 0..n-1 are affected; redder ones have transmission 1 */
void sdn_igm_table_transmission(const sdn_igm_table *t, double z, double scale, float *transmission);   /* [n] */
void sdn_igm_table_transmission_from(const sdn_igm_table *t, int from, double z, double scale, float *transmission);   /* [n], of which those from `from` on are set */

#endif
