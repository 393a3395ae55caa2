/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One galaxy once more, in double precision and without anything clever, from the formulas of docs/theory.md section 4: what the fast path must agree with.
 * It takes from the program the grid's tables, histories' age weights, laws of dust and nucleus at one wavelength; sums, interpolation, spread of metallicities, blending,
 * absorbed power and bands are its own. Light is per solar mass formed (without stars: in all). */
#ifndef TEST_SUPPORT_GALAXY_TWIN_H
#define TEST_SUPPORT_GALAXY_TWIN_H

#include "physics/galaxy.h"

/* Stars behind the same dust, on the grid's wavelengths and lines: transmitted, incident - transmitted, nebular continuum, lines. */
typedef struct twin_beam { const sdn_screens *screens; bool young; double *star, *taken, *gas, *line; } twin_beam;

typedef struct galaxy_twin {
  const sdn_model *m;
  const double *params;
  double redshift, mass_msun, escape, dust_fraction, ly_alpha;
  int n_beam;
  twin_beam beam[SDN_MAX_BEAM];
  double agn_lsun, absorbed_lsun;   /* power of the nucleus; what dust takes of everything, by fine integration */
} galaxy_twin;

/* Metallicities: delta, log_normal and whatever else by the program's own weights. Grids with one axis more than age and metallicity. */
galaxy_twin galaxy_twin_new(const sdn_model *m, const double *params);
void galaxy_twin_free(galaxy_twin *t);
/* Continuum that leaves, on either side of wave_A: of the stars and their gas alone; with nucleus and dust. */
double galaxy_twin_starlight(const galaxy_twin *t, double wave_A, bool blue);
double galaxy_twin_lnu(const galaxy_twin *t, double wave_A, bool blue);
double galaxy_twin_line(const galaxy_twin *t, int line);        /* of the grid, erg/s per Msun */
double galaxy_twin_agn_line(const galaxy_twin *t, int line);    /* of the nucleus */

/* The continuum on nodes, IGM included, linear between them. */
typedef struct twin_nodes { int n; double *wave_A, *blue, *red; } twin_nodes;
/* pieces: how many between two neighbouring nodes. */
twin_nodes twin_nodes_new(const galaxy_twin *t, int n, const double *wave_A, int pieces);
void twin_nodes_free(twin_nodes *nodes);
/* Mean flux density in a band: continuum and all lines [nJy]. */
double galaxy_twin_flux(const galaxy_twin *t, const twin_nodes *nodes, const sdn_filter *f);
double twin_transmission(const sdn_model *m, const double *params, double rest_A, bool blue);

#endif
