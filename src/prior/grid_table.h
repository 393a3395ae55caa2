/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A density that depends on another quantity, given by tables at some of its values: between two of them it is the mixture of theirs, beyond the ends
 * that of the end. All share their values, between which a density is straight, so distribution function and quantiles are exact at any given value. */
#ifndef SDN_PRIOR_GRID_TABLE_H
#define SDN_PRIOR_GRID_TABLE_H

#include "base/memory.h"

typedef struct sdn_dist_grid {
  size_t n_given, n;
  double *given;                     /* [n_given] ascending */
  double *value;                     /* [n] ascending */
  double *density, *below, *above;   /* [n_given][n], each row normalised; probabilities summed from either end */
} sdn_dist_grid;
/* given [n_given], value [n], density [n_given][n]. err SDN_USAGE: what sdn_dist_table_new refuses, given values that do not increase. */
sdn_status sdn_dist_grid_new(size_t n_given, const double *given, size_t n, const double *value, const double *density, sdn_dist_grid **grid, sdn_err *err);
void sdn_dist_grid_free(sdn_dist_grid *grid);

/* The table at one given value: (1 - t) of a row and t of the next. */
typedef struct sdn_dist_mix { const sdn_dist_grid *grid; size_t row; double t; } sdn_dist_mix;
sdn_dist_mix sdn_dist_grid_at(const sdn_dist_grid *grid, double given);
double sdn_dist_mix_quantile(const sdn_dist_mix *m, double below, double above);                     /* as sdn_dist_table_quantile */
double sdn_dist_mix_cdf(const sdn_dist_mix *m, double x, double *below, double *above);   /* as sdn_dist_table_cdf */

#endif
