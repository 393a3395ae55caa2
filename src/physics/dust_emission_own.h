/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What dust_emission.c and dust_emission_table.c share. */
#ifndef SDN_PHYSICS_DUST_EMISSION_OWN_H
#define SDN_PHYSICS_DUST_EMISSION_OWN_H

#include "physics/dust_emission_law.h"

typedef enum sdn_dust_param {
  SDN_DUST_TEMPERATURE, SDN_DUST_BETA, SDN_DUST_LAMBDA0, SDN_DUST_ALPHA, SDN_DUST_Q_PAH, SDN_DUST_U_MIN, SDN_DUST_GAMMA, SDN_N_DUST_PARAM
} sdn_dust_param;

typedef struct sdn_dust_nodes { int n; double *wave_A; } sdn_dust_nodes;

struct sdn_dust_emission {
  int law;
  int param[SDN_N_DUST_PARAM];   /* index in the prior; -1: not of this law */
  const sdn_prior *prior;
  sdn_body body;                 /* modified_black_body, casey12 */
  sdn_dl07 dl07;
  sdn_dust_nodes *nodes;         /* filled at the first question */
};

bool sdn_dust_emission_is_table(const sdn_dust_emission *d);
sdn_body_value sdn_dust_body_value(const sdn_dust_emission *d, const double *params);

#endif
