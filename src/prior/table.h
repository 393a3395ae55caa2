/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A density given by a table: straight between the given values, so that its distribution function and quantiles are exact. */
#ifndef SDN_PRIOR_TABLE_H
#define SDN_PRIOR_TABLE_H

#include "base/memory.h"

/* Normalised; constant once made, shared by the copies of a distribution. */
typedef struct sdn_dist_table {
  size_t n;
  double *value, *density;      /* [n] */
  double *below, *above;        /* [n] probability below and above each value, each summed from its own end */
} sdn_dist_table;
/* value, density [n]. err SDN_USAGE: fewer than two values, not increasing, a negative or no density. */
sdn_status sdn_dist_table_new(size_t n, const double *value, const double *density, sdn_dist_table **table, sdn_err *err);
void sdn_dist_table_free(sdn_dist_table *table);

/* x with these probabilities below and above it. */
double sdn_dist_table_quantile(const sdn_dist_table *t, double below, double above);
/* The density at x and the probabilities on either side; negative where x lies outside the table or between two zero densities. */
double sdn_dist_table_cdf(const sdn_dist_table *t, double x, double *below, double *above);

/* The length from the end of a segment where the density is `here`, `there` at its other end, that holds `mass`. */
double sdn_dist_segment_length(double mass, double here, double there, double width);

#endif
