/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Gauss-Legendre rules on [0, 1]. */
#ifndef SDN_PHYSICS_GAUSS_H
#define SDN_PHYSICS_GAUSS_H

#define SDN_GAUSS_N_RULE 5
#define SDN_GAUSS_MAX 12

typedef struct sdn_gauss { int n; double x[SDN_GAUSS_MAX], w[SDN_GAUSS_MAX]; } sdn_gauss;
enum { SDN_GAUSS_3, SDN_GAUSS_4, SDN_GAUSS_6, SDN_GAUSS_8, SDN_GAUSS_12 };
extern const sdn_gauss sdn_gauss_rule[SDN_GAUSS_N_RULE];   /* of 3, 4, 6, 8, 12 points */

#endif
