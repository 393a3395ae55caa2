/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a prior holds: shared by the files that build it (build.c), resolve it (finish.c) and use it (prior.c). */
#ifndef SDN_PRIOR_STORE_H
#define SDN_PRIOR_STORE_H

#include "prior/distribution.h"
#include "prior/formula.h"
#include "prior/prior.h"

typedef enum sdn_param_kind { SDN_PARAM_FIXED, SDN_PARAM_TIED, SDN_PARAM_FREE } sdn_param_kind;

typedef struct sdn_param {
  char *name, *unit, *text;        /* text: for people */
  char *where;                     /* "FILE:LINE", or what stands for it where the model's default is taken */
  bool is_default;
  sdn_param_kind kind;
  double value;                                /* fixed */
  sdn_formula *formula;                        /* tied */
  sdn_dist dist;                               /* free */
  sdn_dist_table *table;
  sdn_formula *argument[SDN_DIST_MAX_ARG];     /* NULL: dist.arg is a constant */
  bool conditional;                            /* any argument is a formula */
  double served_low, served_high;              /* what the physics can serve */
  double low, high;                            /* what the prior can give; known after sdn_prior_finish */
} sdn_param;

struct sdn_prior {
  sdn_param *param;                /* [n], after sdn_prior_finish parents before children and redshift first */
  int n, capacity;
  int *free_param;                 /* [n_free] */
  int n_free;
  sdn_function *function;          /* [n_function] */
  size_t n_function;
  bool finished;
};

/* The distribution of a free parameter where its parents have the values in params: the stored one, or *room with its arguments set.
 * NULL where the arguments make no distribution; *reason says why. */
const sdn_dist *sdn_param_dist(const sdn_param *param, const double *params, sdn_dist *room, const char **reason);
/* One galaxy from its coordinates, z [n_free] -> params [n]; -1, or the first parameter without a finite value, with the reason. */
int sdn_prior_row(const sdn_prior *p, const double *z, double *params, const char **reason);
/* Formulas of a parameter, n of them, into list [SDN_DIST_MAX_ARG + 1]. */
int sdn_param_formulas(const sdn_param *param, sdn_formula **list);

#endif
