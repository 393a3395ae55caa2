/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps by which a grid gets fewer wavelengths. Everywhere x [n_x] is the full axis and nodes are indices into it, ascending, its ends among them.
 *
 * Values at the nodes are not samples but the least-squares piecewise-linear function (projection on hat functions, weight dlambda / lambda^2), none negative. Its
 * residual is orthogonal to every hat, so a band that is smooth on the scale of the nodes feels only a second-order remainder: nodes are needed where a band has
 * an edge in a structured part of the spectrum. They are put there by splitting, round by round, the intervals that carry the error of the bands that miss. */
#ifndef SDN_PHYSICS_GRID_THIN_H
#define SDN_PHYSICS_GRID_THIN_H

#include "physics/filter.h"
#include "physics/grid.h"

/* ---- projection */
typedef struct sdn_thin_fit {
  int n_x, n_node;
  const double *x;
  int *node;            /* [n_node] */
  double *weight;       /* [n_x - 1] length of each interval in 1/lambda */
  double *u;            /* [n_x] place between its two nodes, 0 to 1 (0 at the left one) */
  double *diagonal, *beside, *pivot;   /* [n_node] of the Gram matrix, and its factors */
} sdn_thin_fit;
sdn_status sdn_thin_fit_new(int n_x, const double *x, int n_node, const int *node, sdn_thin_fit *fit, sdn_err *err);
void sdn_thin_fit_free(sdn_thin_fit *fit);
/* spectrum [n_x] -> value [n_node]. work [n_node]. */
void sdn_thin_project(const sdn_thin_fit *fit, const float *spectrum, double *work, double *value);
/* The piecewise-linear function back on x. */
void sdn_thin_expand(const sdn_thin_fit *fit, const double *value, float *spectrum);

/* ---- bands: weights of the nodes of an axis in the mean flux of every shipped filter at some redshifts */
typedef struct sdn_thin_row { int filter; double z; int first, n; float *weight; bool far_uv; } sdn_thin_row;   /* far_uv: reaches below 1216 A */
typedef struct sdn_thin_bands { int n_filter; sdn_filter **filter; long n_row; sdn_thin_row *row; } sdn_thin_bands;
sdn_status sdn_thin_filters(sdn_thin_bands *b, sdn_err *err);
/* Rows for the redshifts z [n_z] at which an axis covers a filter. */
sdn_status sdn_thin_rows(sdn_thin_bands *b, int n_x, const double *x, long n_z, const double *z, sdn_err *err);
void sdn_thin_free_rows(sdn_thin_bands *b);
void sdn_thin_free_bands(sdn_thin_bands *b);

/* ---- the choice of nodes. sample [n_x][n_sample]; scale [n_sample] L_nu at 1500 A, what errors of far_uv rows are held against if it is larger than their flux */
typedef struct sdn_thin_sample { int n; float *light; double *scale; } sdn_thin_sample;
typedef struct sdn_thin_wish { double tolerance, resolution; long most_nodes; } sdn_thin_wish;
/* *node [*n_node], freed by sdn_release. */
sdn_status sdn_thin_choose(int n_x, const double *x, const sdn_thin_bands *bands, const sdn_thin_sample *sample, const sdn_thin_wish *wish, const sdn_run *run, int **node,
                           int *n_node, sdn_err *err);

/* ---- what it costs: spectra of g, fit against full, in `bands` on x and `thin` on the nodes (the same rows in both) */
typedef struct sdn_thin_error { double median, percentile_999, largest; long worst_row, n_spectrum; } sdn_thin_error;
sdn_status sdn_thin_measure(const sdn_grid *g, const sdn_thin_fit *fit, const sdn_thin_bands *bands, const sdn_thin_bands *thin, const sdn_run *run, sdn_thin_error *error,
                            sdn_err *err);

#define SDN_THIN_FAR_UV_A 1216.0
#define SDN_THIN_SCALE_A 1500.0

#endif
