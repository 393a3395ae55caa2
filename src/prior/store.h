/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a prior holds: shared by the files that build it (build.c), resolve it (finish.c) and use it (prior.c). */
#ifndef SDN_PRIOR_STORE_H
#define SDN_PRIOR_STORE_H

#include "prior/distribution.h"
#include "prior/formula.h"
#include "prior/prior.h"

typedef enum sdn_param_kind { SDN_PARAM_FIXED, SDN_PARAM_TIED, SDN_PARAM_FREE } sdn_param_kind;

/* Where a name is sought: with this prefix, then as `outer` would. */
typedef struct sdn_scope sdn_scope;
struct sdn_scope {
  char *prefix;                    /* whole: with those of the outer ones */
  sdn_scope *outer;                /* NULL: this is the scope without prefix */
  sdn_scope *before;               /* the one made before it, for freeing */
};

/* Someone waits for the place of a parameter. */
typedef struct sdn_binding { char *name; const sdn_scope *scope; int *index; } sdn_binding;

typedef struct sdn_param {
  char *name, *unit, *text, *help; /* text: for people */
  char *where;                     /* "FILE:LINE", or what stands for it where the model's default is taken */
  const sdn_scope *scope;          /* in which it was declared, NULL: without prefix; its formulas look for names there */
  bool is_default;
  sdn_param_kind kind;
  double value;                                /* fixed */
  sdn_formula *formula;                        /* tied */
  sdn_dist dist;                               /* free */
  sdn_dist_table *table;
  sdn_dist_grid *grid;
  sdn_formula *argument[SDN_DIST_MAX_ARG];     /* NULL: dist.arg is a constant */
  bool conditional;                            /* any argument is a formula */
  bool was_free;                               /* fixed by sdn_prior_set: dist is what the file gives it */
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
  sdn_scope *scope, *last_scope;   /* the present one, NULL: without prefix; and the chain of all */
  sdn_binding *binding;            /* [n_binding] */
  size_t n_binding;
  int item, n_item;                /* while a vector is read: which of its parameters (from 1), and how many; 0: none is */
  bool finished;
};

/* The distribution of a free parameter where its parents have the values in params: the stored one, or *room with its arguments set.
 * NULL where the arguments make no distribution; *reason says why. */
const sdn_dist *sdn_param_dist(const sdn_param *param, const double *params, sdn_dist *room, const char **reason);
/* One galaxy from its coordinates, z [n_free] -> params [n]; -1, or the first parameter without a finite value, with the reason. */
int sdn_prior_row(const sdn_prior *p, const double *z, double *params, const char **reason);
/* A number, or a formula (*formula, else NULL), in which `index` and `count` stand for the place in a vector. */
sdn_status sdn_prior_read_value(const sdn_prior *p, const char *text, double *number, sdn_formula **formula, sdn_err *err);
/* The distribution of a parameter from its map {prior: NAME, ...}. */
sdn_status sdn_prior_read_dist(const sdn_prior *p, sdn_param *param, const sdn_yaml *node, sdn_err *err);
/* Append to text [size] what still fits. */
void sdn_append_text(char *text, size_t size, const char *more);
/* Room for one more item of `size` bytes behind *array [n]: `capacity` of them, to which the old ones are copied. */
sdn_status sdn_prior_make_room(void **array, size_t n, size_t capacity, size_t size, sdn_err *err);
/* The parameter that `name` means in a scope, -1: none. `self` (NULL: nobody) is whose formula it stands in: it means itself only if nothing further out
 * has the name, so that birth_a_v_mag may depend on "a_v_mag". */
int sdn_scope_find(const sdn_prior *p, const sdn_scope *scope, const char *name, const sdn_param *self);
/* prefix of the present scope + name; freed by sdn_release. */
char *sdn_scope_name(const sdn_prior *p, const char *name, sdn_err *err);
sdn_status sdn_prior_fill_bindings(sdn_prior *p, sdn_err *err);   /* once every parameter has its place */
void sdn_prior_free_scopes(sdn_prior *p);                         /* and bindings */
/* Formulas of a parameter, n of them, into list [SDN_DIST_MAX_ARG + 1]. */
int sdn_param_formulas(const sdn_param *param, sdn_formula **list);

#endif
