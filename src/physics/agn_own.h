/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the active nucleus share. */
#ifndef SDN_PHYSICS_AGN_OWN_H
#define SDN_PHYSICS_AGN_OWN_H

#include "physics/agn.h"
#include "physics/dust_emission.h"
#include "physics/grid.h"

#define SDN_LIGHT_A_PER_S 2.99792458e18
#define SDN_PLANCK_ERG_S 6.62607015e-27

/* ------------------------------------------------------------------ disc (agn_disc.c) */

typedef struct sdn_agn_disc {
  sdn_grid *grid; int axis_param[SDN_AGN_MAX_AXIS];              /* grid; -1: the axis has one node or no meaning */
  int n_piece; double edge_A[SDN_AGN_MAX_PIECE + 1];             /* power law; 0 pieces: a grid, or without one no disc */
  int alpha[SDN_AGN_MAX_PIECE];
} sdn_agn_disc;

bool sdn_agn_has_disc(const sdn_agn_disc *d);
sdn_status sdn_agn_disc_read(const sdn_yaml *map, const char *name, sdn_prior *prior, sdn_agn_disc *d, sdn_err *err);
void sdn_agn_disc_clear(sdn_agn_disc *d);
/* Power law: value and slope of each piece, and the ionising photons of one Lsun. */
void sdn_agn_power_law(const sdn_agn_disc *d, const double *alpha, double *value, double *slope, double *photons_per_s);
/* The piece that a wavelength lies in; -1: none. */
int sdn_agn_piece(const sdn_agn_disc *d, double wave_A);
/* Grid: the cell's L_nu at a wavelength, linear between the grid's nodes, 0 outside; its whole power; its ionising photons; all in the grid's unit. */
double sdn_agn_grid_lnu(const sdn_grid *g, const int *node, double wave_A);
double sdn_agn_grid_power(const sdn_grid *g, const int *node);
double sdn_agn_grid_photons(const sdn_grid *g, const int *node);
/* Where values stand on the axes. err SDN_RANGE outside. */
sdn_status sdn_agn_grid_place(const sdn_agn_disc *d, const double *params, int *node, double *t, sdn_err *err);

/* ------------------------------------------------------------------ torus (agn_torus.c) */

typedef struct sdn_agn_torus {
  int n_wave, n_tau, n_angle;
  double *wave_A, *ln_tau, *angle_deg;
  double *value;                 /* [n_angle][n_tau][n_wave] L_nu [1/Hz] of unit power */
  int tau, angle, cover;         /* parameters; angle -1: averaged over; cover -1: its power is the nucleus' */
  uint64_t hash;
} sdn_agn_torus;

/* alone: there is no disc, whose power a covering fraction could share. */
sdn_status sdn_agn_torus_read(const sdn_yaml *map, bool alone, sdn_prior *prior, sdn_agn_torus **t, sdn_err *err);
void sdn_agn_torus_free(sdn_agn_torus *t);
sdn_status sdn_agn_torus_place(const sdn_agn_torus *t, const double *params, sdn_agn_state *s, sdn_err *err);
double sdn_agn_torus_at(const sdn_agn_torus *t, int angle, int tau, double wave_A);   /* 0 outside */

/* ------------------------------------------------------------------ lines (agn_lines.c) */

typedef struct sdn_agn_line { const char *id; double wave_A, ratio; bool broad; } sdn_agn_line;
#define SDN_AGN_N_LINE 40
extern const sdn_agn_line sdn_agn_line_list[SDN_AGN_N_LINE];          /* ascending in wavelength */
double sdn_agn_line_erg(const sdn_agn_line *line);                      /* per ionising photon that a cloud takes */

/* ------------------------------------------------------------------ the whole (agn.c) */

typedef struct sdn_agn_nodes { int n; double *wave_A; } sdn_agn_nodes;

struct sdn_agn {
  char *name;
  const sdn_prior *prior;
  sdn_agn_disc disc;
  sdn_agn_torus *torus;           /* NULL: none */
  sdn_attenuation *dust;          /* NULL: none */
  int log_l_bol, over_stars, fraction; double fraction_wave_A;   /* parameters, one of them; -1: not this one */
  bool by_stars;                  /* over_stars is it: known before the prior gives parameters their places */
  int broad, narrow, broad_fwhm, narrow_fwhm;   /* parameters; -1: no such lines */
  int n_line, line[SDN_AGN_N_LINE];             /* of sdn_agn_line_list */
  sdn_agn_nodes *nodes;           /* filled at the first question */
};

/* agn_nodes.c */
sdn_status sdn_agn_make_nodes(const sdn_agn *a, sdn_err *err);

/* One parameter of the scope: added and bound. */
sdn_status sdn_agn_add(sdn_prior *prior, const sdn_param_spec *spec, const sdn_yaml *node, int *index, sdn_err *err);
/* Index of the interval of ascending x [n] that `at` lies in, 0 .. n-2. */
int sdn_agn_interval(int n, const double *x, double at);

#endif
