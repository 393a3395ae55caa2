/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forward model inside: what other rooms and the tests may ask beyond sedna.h, and what the files of the model share. */
#ifndef SDN_PHYSICS_GALAXY_H
#define SDN_PHYSICS_GALAXY_H

#include "physics/filter.h"
#include "physics/galaxy_panel.h"
#include "physics/model.h"

#define SDN_TILE 256   /* galaxies that one worker computes together: enough that those between the same nodes of metallicity and log U fill batches */

/* ------------------------------------------------------------------ for other rooms */

/* Of all that decides a flux and lies in files that the YAML only names: the grid file's bytes, every band's filter curve, tables of priors. */
uint64_t sdn_forward_hash(const sdn_forward *f);
#define SDN_HASH_TEXT 17                               /* characters of a hash as text, with the final zero */
void sdn_forward_hash_text(const sdn_forward *f, char text[SDN_HASH_TEXT]);
const sdn_model *sdn_forward_model(const sdn_forward *f);
const sdn_filter *sdn_forward_filter(const sdn_forward *f, int band);
/* Fluxes of n galaxies whose history is given instead of computed: weight [n][n_age][n_metallicity] is the mass formed [Msun] on the grid's nodes of age
 * and metallicity; params [n][n_param] gives all the rest. For histories from other codes. The model's log_metallicity must not be fixed. */
sdn_status sdn_forward_flux_of_weights(const sdn_forward *f, long n, const double *params, const double *weight, float *flux_nJy, sdn_err *err);

/* ------------------------------------------------------------------ shared by galaxy*.c, spectrum.c, derived.c */

/* One galaxy, understood. Light is per solar mass formed until the very end. */
typedef struct sdn_galaxy {
  double redshift, mass_msun, escape, ly_alpha, a_v_mag, igm_scale;
  sdn_curve curve;
  sdn_place place;
  sdn_sfh history;
  float *weight;         /* [n_age of the grid], sum 1 */
  int n_age;             /* weights from here on are zero */
} sdn_galaxy;

/* A rest-frame measurement: weights on the columns' nodes. */
typedef struct sdn_window { bool covered; int first, last; float *weight; double line_low_A, line_high_A; sdn_filter *filter; } sdn_window;
#define SDN_N_BETA_WINDOW 10
enum { SDN_WINDOW_UV, SDN_WINDOW_U, SDN_WINDOW_V, SDN_WINDOW_J, SDN_WINDOW_BETA, SDN_N_WINDOW = SDN_WINDOW_BETA + SDN_N_BETA_WINDOW };

struct sdn_forward {
  const sdn_model *model;
  int n_band;
  sdn_filter **filter;                   /* [n_band] */
  double z_low, z_high;                  /* what the prior allows */
  sdn_columns columns;
  sdn_panels *stars, *taken, *nebula;    /* transmitted or bare starlight; incident - transmitted; continuum and lines. NULL: none */
  sdn_attenuation_table *dust;           /* on the columns; NULL: none */
  int n_igm;                             /* nodes that the IGM touches */
  sdn_igm_table *igm, *igm_line;         /* on the nodes; on the lines */
  int ly_alpha_line;                     /* -1: the grid has none */
  sdn_window window[SDN_N_WINDOW];
  unsigned char *window_need;            /* [n_block] */
};

/* Where the columns lie: all nodes of the grid between low and high, pairs at the jumps of the IGM, and nodes between them where its transmission bends. */
sdn_status sdn_columns_new(const sdn_grid *g, const sdn_igm *igm, bool lines, double low_A, double high_A, sdn_columns *c, sdn_err *err);
void sdn_columns_free(sdn_columns *c);
/* Mark the blocks that hold nodes around low_A .. high_A (rest). */
void sdn_columns_need(const sdn_columns *c, double low_A, double high_A, unsigned char *need);

/* params [n_param] of row `row` -> a galaxy; its weights come from the arena. err SDN_NUMERIC, SDN_RANGE with the row. */
sdn_status sdn_galaxy_prepare(const sdn_forward *f, const double *params, long row, sdn_galaxy *g, sdn_arena *arena, sdn_err *err);
/* All but history and weights. */
sdn_status sdn_galaxy_place(const sdn_forward *f, const double *params, long row, sdn_galaxy *g, sdn_err *err);

/* Light of n galaxies before dust: [n][columns] each, NULL where the model has none. */
typedef struct sdn_light { float *stars, *taken, *nebula; long stride, stride_taken, stride_nebula; int n_taken; } sdn_light;
sdn_status sdn_galaxies_light(const sdn_forward *f, int n, const sdn_galaxy *g, const unsigned char *need, sdn_light *light, sdn_arena *arena, sdn_err *err);
/* Spectrum that leaves galaxy i, L_nu per Msun, on the needed blocks: out [columns]; the last blocks get the lines' luminosities [erg/s per Msun].
 * scratch [columns] for a curve of the galaxy's own. */
void sdn_galaxy_emerge(const sdn_forward *f, const sdn_galaxy *g, const sdn_light *light, int i, const unsigned char *need, float *scratch, float *out);

/* flux [n_band] of galaxies i = 0..n-1, to flux + i * n_band. */
sdn_status sdn_galaxies_flux(const sdn_forward *f, int n, const sdn_galaxy *g, long row0, float *flux_nJy, sdn_arena *arena, sdn_err *err);

sdn_status sdn_windows_new(sdn_forward *f, sdn_err *err);
void sdn_windows_free(sdn_forward *f);
/* Rest wavelengths that the windows span. */
void sdn_windows_range(double *low_A, double *high_A);

#endif
