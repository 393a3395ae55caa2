/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra of many galaxies at once: a grid table, resampled on the columns where it is wanted and packed in panels that a matrix product reads
 * straight through. A galaxy is a row of weights over ages and a place between the nodes of the other axes.
 *
 *   panel of (block of columns, corner cell): [n_age_pad][SDN_BLOCK] float32
 *   spectrum[galaxy][column] = sum over the corners c around the galaxy of share_c * sum_age weight_age * panel_c[age][column]
 *
 * Galaxies that share their corners are sorted by redshift, so that those which need a block stand together, and multiplied SDN_BATCH at a time.
 * What a galaxy gets does not depend on its companions: each number is one chain of sums over age, corner after corner. */
#ifndef SDN_PHYSICS_GALAXY_PANEL_H
#define SDN_PHYSICS_GALAXY_PANEL_H

#include "physics/grid.h"

#define SDN_BLOCK 64   /* columns per panel: four AVX-512 registers */
#define SDN_BATCH 6    /* rows per product, at most: 4 x 6 accumulators fill the 32 registers */
#define SDN_AGE_STEP 8 /* histories are cut after their oldest star, in steps of so many ages */

/* Wavelength nodes first (L_nu, erg/s/Hz), then lines (Lsun), then energy nodes (Lsun), each from a fresh block on.
 * Energy node j holds the power of the continuum around it, E_j = int L_nu hat_j d nu, hat_j linear in ln lambda between its neighbours: then the power that dust
 * takes is sum E_j (1 - T(lambda_j)), and errs only by how much the transmission T bends between two energy nodes. */
typedef struct sdn_columns {
  int n_wave; double *wave_A;            /* rest; an equal pair is (blue side, red side) of a jump */
  int n_line, line0; double *line_A;     /* line l is column line0 + l; ascending */
  int *line_source;                      /* [n_line] >= 0: line of the grid; -1 - k: line k of the active nucleus */
  int n_energy, energy0; double *energy_A;
  int n_block;                           /* of SDN_BLOCK columns */
  int n_block_wave, n_block_line;        /* blocks before this one hold wavelength nodes; blocks from there to this one hold lines; the rest energy */
} sdn_columns;

/* Where a galaxy stands between the nodes of each grid axis (age apart: index 0 is not used). */
typedef struct sdn_place { int node[SDN_GRID_MAX_AXIS]; double t[SDN_GRID_MAX_AXIS]; } sdn_place;

/* What is put into panels: a table of spectra, and perhaps one of lines behind it. `fixed` says which axes are the same for all galaxies, and where. */
typedef struct sdn_panel_source {
  const sdn_grid *grid;
  const sdn_grid_table *spectra, *minus;   /* minus: subtracted, or NULL */
  const sdn_grid_table *lines;             /* or NULL */
  const struct sdn_energy *energy;         /* how a spectrum fills the energy nodes; needed where the columns have any */
  bool fixed[SDN_GRID_MAX_AXIS];
  sdn_place fixed_place;
} sdn_panel_source;

typedef struct sdn_panels sdn_panels;
/* Only blocks block0 .. block1-1 of the columns are kept. */
sdn_status sdn_panels_new(const sdn_panel_source *source, const sdn_columns *columns, int block0, int block1, sdn_panels **p, sdn_err *err);
void sdn_panels_free(sdn_panels *p);
int sdn_panels_block0(const sdn_panels *p);
int sdn_panels_block1(const sdn_panels *p);
int sdn_panels_n_age(const sdn_panels *p);

/* Stars of one or two neighbouring nodes of metallicity. */
typedef struct sdn_panel_row {
  const float *weight;          /* over the grid's ages */
  const float *weight_up;       /* over the ages, at the metallicity node above the place; NULL: the place's own share of `weight` */
  int n_age;                    /* weights from here on are zero */
  const sdn_place *place;
  int metallicity;              /* node; replaces the place's */
  double t;                     /* share of the node above; replaces the place's; not used with weight_up */
  int out;                      /* which spectrum this is (part of) */
  bool more;                    /* add to what an earlier row, of lower metallicity, has put there */
  double redshift;              /* only to sort by */
  const unsigned char *need;    /* [n_block of the columns]: non-zero where the spectrum is wanted */
} sdn_panel_row;
/* out [..][stride]: column j of the columns at out[row.out][j - first column of block0]; only wanted blocks are written, and of a source without lines no block of lines. */
sdn_status sdn_panels_project(const sdn_panels *p, int n, const sdn_panel_row *rows, float *out, long stride, sdn_arena *arena, sdn_err *err);

#endif
