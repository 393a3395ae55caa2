/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a law of intergalactic absorption is inside. Notation: a = 1 + z of the source, x = observed wavelength / wavelength of a line or of the limit (that is,
 * 1 + redshift of the absorber), u = rest wavelength / limit, so that x = a u at the limit.
 *
 *   tau = sum over lines redder than the node of coefficient[region of x] x^power[region of x]     (absorbers in front of us: x > 1)
 *       + below the limit, the continuum's: constant + sum_e coefficient_e(a, region of x) basis_e(u) */
#ifndef SDN_PHYSICS_IGM_LAW_H
#define SDN_PHYSICS_IGM_LAW_H

#include "physics/igm.h"

enum { SDN_IGM_MAX_LINE = 39, SDN_IGM_MAX_BASIS = 8, SDN_IGM_MAX_SERIES = 3, SDN_IGM_MAX_REGION = 3, SDN_IGM_MAX_EDGE = 4 };

/* Lines first .. last-1 of the law, whose optical depths follow the same powers of x between the same edges. */
typedef struct sdn_igm_series {
  int first, last;
  int n_region;
  double edge[SDN_IGM_MAX_REGION - 1];      /* of x */
  int power[SDN_IGM_MAX_REGION];            /* which of the law's bases */
  const double *coefficient;                /* [last - first][stride], the first n_region used */
  int stride;
} sdn_igm_series;

typedef struct sdn_igm_law {
  const char *name, *name_with_wing;
  double limit_A;
  int n_line;
  const double *jump_A;                     /* [1 + n_line] the limit, then the lines, ascending */
  int n_series;
  sdn_igm_series series[SDN_IGM_MAX_SERIES];
  int n_power, n_basis;                     /* bases: first powers of u, then functions of the law's own */
  double power[SDN_IGM_MAX_BASIS];
  double (*own_basis)(int i, double u);     /* i from 0, n_basis - n_power of them */
  int n_edge;
  double edge[SDN_IGM_MAX_EDGE];            /* of x, where the continuum's formula changes */
  double (*continuum_tau)(double a, double x);                                     /* 1 <= x < a */
  /* The same as coefficients of the bases [n_basis] for the region of x; adds. a_power [n_power]: a to the law's powers. */
  void (*continuum)(double a, const double *a_power, double x, double *constant, double *coefficient);
} sdn_igm_law;

extern const sdn_igm_law sdn_igm_inoue14, sdn_igm_madau95, sdn_igm_madau95_metals, sdn_igm_meiksin06;

struct sdn_igm {
  const sdn_igm_law *law;   /* NULL: none */
  bool wing;
  int scale;                /* place in params, -1: none */
};

/* Damping wing of Asada+2025: column of neutral hydrogen before a galaxy [cm^-2], 0 below redshift 6; cross-section of Lyman alpha [cm^2] at a rest wavelength. */
double sdn_igm_wing_column(double z);
double sdn_igm_wing_section(double wave_rest_A);

#endif
