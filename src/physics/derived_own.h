/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files derived*.c share. */
#ifndef SDN_PHYSICS_DERIVED_OWN_H
#define SDN_PHYSICS_DERIVED_OWN_H

#include "physics/derived.h"
#include "physics/galaxy.h"

#define SDN_DERIVED_NAME 80
#define SDN_N_BETA_WINDOW 10

typedef enum sdn_derived_kind {
  SDN_DERIVE_MASS_SURVIVING, SDN_DERIVE_SFR, SDN_DERIVE_SSFR, SDN_DERIVE_MEAN_AGE, SDN_DERIVE_FORMED, SDN_DERIVE_BURSTINESS, SDN_DERIVE_METALLICITY,
  SDN_DERIVE_FIRST_SPECTRAL,
  SDN_DERIVE_MAGNITUDE = SDN_DERIVE_FIRST_SPECTRAL, SDN_DERIVE_COLOUR, SDN_DERIVE_BETA, SDN_DERIVE_RATIO, SDN_DERIVE_INDEX, SDN_DERIVE_INDEX_MAG, SDN_DERIVE_L_IR,
  SDN_DERIVE_L_DUST, SDN_DERIVE_Q_HI, SDN_DERIVE_XI_ION, SDN_DERIVE_LIGHT_AGE, SDN_DERIVE_LINE_LUMINOSITY, SDN_DERIVE_LINE_FLUX, SDN_DERIVE_LINE_EW
} sdn_derived_kind;

/* x: Gyr or share or the edges of a feature; window, other: places in the plan's list; line: in its lines. */
typedef struct sdn_derived_item { sdn_derived_kind kind; char name[SDN_DERIVED_NAME], unit[32]; double x[2]; int window, other, line; bool lines; } sdn_derived_item;

/* A rest-frame mean of f_nu. */
typedef struct sdn_derived_window { sdn_filter *filter; bool lines; } sdn_derived_window;

struct sdn_derived_plan {
  int n_item, n_sfh, room_item;
  sdn_derived_item *item;                  /* [n_item], those of the history first */
  int n_window, room_window;
  sdn_derived_window *window;              /* [n_window] */
  int n_line;
  char (*line)[SDN_DERIVED_NAME];          /* [n_line] */
  int uv;                                  /* the window of M_UV */
};

/* Where a window stands on the columns; weight [last - first]. */
typedef struct sdn_placed { bool covered; int first, last; float *weight; } sdn_placed;
typedef struct sdn_derived_line { sdn_observable *flux, *ew; sdn_placed continuum; } sdn_derived_line;

struct sdn_derived {
  const sdn_derived_plan *plan;
  sdn_placed *window;                      /* [plan->n_window] */
  sdn_derived_line *line;                  /* [plan->n_line] */
  sdn_grid_table q_hi;                     /* 1e40 photons/s per Msun; value NULL: not known */
  sdn_grid_table *light;                   /* [n_item][2], of ages by light: light and age [yr] times light; value NULL elsewhere */
  unsigned char *need;                     /* [n_block] */
};

/* A spectrum to measure, per Msun. */
typedef struct sdn_derived_light { const sdn_forward *f; const float *spectrum; } sdn_derived_light;
/* Mean L_nu in a window; NaN where the grid does not reach. */
double sdn_derived_mean(const sdn_derived *d, const sdn_derived_light *l, int window);

/* ------------------------------------------------------------------ indices: derived_index.c */

typedef struct sdn_index_definition { const char *name; double feature_A[2], blue_A[2], red_A[2]; bool magnitude; } sdn_index_definition;   /* in air */
const sdn_index_definition *sdn_index_find(const char *name);   /* NULL: none of that name */
const char *sdn_index_name(int i);                              /* NULL behind the last */
/* Worthey+1994 eqs 2 and 3: int (1 - F/C) dl, or -2.5 log10 of the mean of F/C over the feature; F f_lambda, C the straight line through the mean f_lambda of the two
 * sidebands at their centers. */
double sdn_derived_index(const sdn_derived *d, const sdn_derived_light *l, const sdn_derived_item *item);

#endif
