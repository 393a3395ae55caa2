/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mean transmission of the intergalactic medium, Inoue, Shimizu, Iwata & Tanaka 2014 (eqs 15-29, Table 2): 39 Lyman lines and the Lyman continuum of
 * the Lyman-alpha forest and of damped systems. */
#ifndef SDN_PHYSICS_IGM_H
#define SDN_PHYSICS_IGM_H

#include "base/memory.h"

typedef enum sdn_igm_law { SDN_IGM_NONE, SDN_IGM_INOUE14 } sdn_igm_law;
sdn_status sdn_igm_parse(const char *name, sdn_igm_law *law, sdn_err *err);
/* Optical depth at rest-frame wavelength for a source at redshift z; direct evaluation. */
double sdn_igm_tau(sdn_igm_law law, double z, double wave_rest_A);
/* The rest-frame wavelengths where the transmission jumps: the Lyman limit and the 39 lines, ascending, *n of them. A spectrum that is to be
 * multiplied by the transmission needs a double node at each, one value on either side. */
const double *sdn_igm_jumps_A(int *n);
/* The same for fixed wavelength nodes and any redshift: wave_A [n] ascending; an equal pair at a jump means (blue side, red side).
 * Nothing is interpolated: every term is a power of the observed wavelength (igm_table.c). Relative error of exp(-tau): float32 rounding, 6e-8.
 * Observed wavelengths below the Lyman limit, where the published fits end, count as at the limit. */
typedef struct sdn_igm_table sdn_igm_table;
sdn_status sdn_igm_table_new(sdn_igm_law law, int n, const double *wave_A, double z_max, sdn_igm_table **t, sdn_err *err);
void sdn_igm_table_free(sdn_igm_table *t);
int sdn_igm_table_n(const sdn_igm_table *t);     /* nodes 0..n-1 are affected; redder ones have transmission 1 */
void sdn_igm_table_transmission(const sdn_igm_table *t, double z, float *transmission);   /* [n] */

#endif
