/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One-dimensional distributions as maps of a standard normal coordinate z: x = F^-1(Phi(z)).
 *
 * F^-1 is taken from whichever tail is nearer, with the tail's own small probability, so that z = -9 and z = +9 are equally exact and no
 * probability is ever rounded to 0 or 1. A truncated distribution is the same map after z has been squeezed into the untruncated
 * distribution's own coordinates [z(low), z(high)]. */
#ifndef SDN_PRIOR_DISTRIBUTION_H
#define SDN_PRIOR_DISTRIBUTION_H

#include "prior/grid_table.h"
#include "prior/table.h"

typedef enum sdn_dist_kind {
  SDN_DIST_UNIFORM,            /* low, high */
  SDN_DIST_LOG_UNIFORM,        /* low, high: uniform in ln x */
  SDN_DIST_NORMAL,             /* mean, sigma */
  SDN_DIST_TRUNCATED_NORMAL,   /* mean, sigma, low, high */
  SDN_DIST_STUDENT_T,          /* nu, mean, scale, low, high */
  SDN_DIST_BETA,               /* a, b, low, high */
  SDN_DIST_TABULATED,          /* none: a table */
  SDN_DIST_GIVEN_TABLE,        /* given, low, high: a table for each given value, cut at low and high */
  SDN_DIST_MASS_FUNCTION,      /* redshift, low, high: the same, of log10 mass */
  SDN_N_DIST_KIND
} sdn_dist_kind;

#define SDN_DIST_MAX_ARG 5

/* What YAML calls a distribution and its arguments. An argument without default (NaN) must be given. */
typedef struct sdn_dist_form {
  const char *name;
  int n_arg;
  const char *arg[SDN_DIST_MAX_ARG];
  double initial[SDN_DIST_MAX_ARG];
} sdn_dist_form;
extern const sdn_dist_form sdn_dist_forms[SDN_N_DIST_KIND];

typedef struct sdn_dist {
  sdn_dist_kind kind;
  double arg[SDN_DIST_MAX_ARG];
  const sdn_dist_table *table;
  const sdn_dist_grid *grid;
  /* made by sdn_dist_prepare */
  double z_low, z_high;         /* a truncation's ends in the untruncated distribution's coordinates */
  double ln_norm;               /* ln of what the density is divided by */
  sdn_dist_mix mix;             /* the grid's table at the given value */
  double low[2], high[2];       /* given tables: probabilities below and above the ends of the truncation */
  double below_mean;            /* beta and Student's t: probability below the mean of the beta variable */
} sdn_dist;

/* Make the constants that follow from arg. NULL, or what is wrong with the arguments ("low must be below high"). uniform, log_uniform and beta
 * put up with low = high, since the ends of a conditional one may meet by rounding: all z then give that x, and x gives z = 0. */
const char *sdn_dist_prepare(sdn_dist *d);
void sdn_dist_support(const sdn_dist *d, double *low, double *high);
double sdn_dist_from_z(const sdn_dist *d, double z);     /* finite z; always inside the support, ends included */
double sdn_dist_to_z(const sdn_dist *d, double x);       /* finite; NaN outside the support */
double sdn_dist_ln_pdf(const sdn_dist *d, double x);     /* -infinity outside the support */

#endif
