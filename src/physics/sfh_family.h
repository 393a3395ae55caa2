/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each family of star formation histories provides, and the tools that families share. */
#ifndef SDN_PHYSICS_SFH_FAMILY_H
#define SDN_PHYSICS_SFH_FAMILY_H

#include <math.h>

#include "physics/sfh.h"

#define SDN_YR_PER_GYR 1e9
#define SDN_YR_PER_MYR 1e6
#define SDN_SFH_ROUNDING 1e-9   /* relative: by so much an age may exceed the Universe's, when both come from formulas */

typedef struct sdn_sfh_ops sdn_sfh_ops;

struct sdn_sfh_model {
  const sdn_sfh_ops *ops;
  bool linear_age;                   /* of the weights' hats */
  bool is_component;                 /* of a sum: its map has a name and a fraction, too */
  int n_param;
  const char **name;                 /* [n_param] of the keys, for messages */
  int *param;                        /* [n_param] the places of the family's parameters in the prior; -1 for an optional one that the file leaves out */
  sdn_yaml *initial[4];              /* default priors that the file leaves out, kept until the prior is finished */
  int n_bin;                         /* bins, or shares of mass */
  int n_edge, first_edge;            /* edges that the file gives, 0: none; the first one's place in param */
  double *edge_yr;                   /* [n_edge] NaN: the age of the Universe, or a parameter */
  int choice;                        /* the family's own */
  void *own;                         /* what else a family keeps, freed by ops->release */
};

/* What a galaxy brings. */
typedef struct sdn_sfh_galaxy { const double *params; double age_universe_yr, mass_formed_msun; sdn_arena *arena; } sdn_sfh_galaxy;

struct sdn_sfh_ops {
  const char *name;
  sdn_status (*add)(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err);
  void (*release)(sdn_sfh_model *m);                       /* NULL: nothing to free */
  uint64_t (*hash)(const sdn_sfh_model *m, uint64_t hash);   /* NULL: no files */
  /* Sets knots and all that the functions below need; may put other ops into h. */
  sdn_status (*prepare)(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err);
  double (*mass_since)(const sdn_sfh *h, int segment, double age_yr);
  double (*rate)(const sdn_sfh *h, int segment, double age_yr);
  double (*mean_age_yr)(const sdn_sfh *h);
  /* The weights of stars younger than until_yr (at most the last knot), whose mass is total. NULL: by quadrature, from what follows. */
  void (*weights)(const sdn_sfh *h, double until_yr, double total, int n_age, const double *age_yr, double *weight);
  /* How far from this age, in yr, the segment's function goes on without a singularity or a change by a large factor; INFINITY where it is a
   * polynomial or negligible. `younger` and `older` are the ends of the panel in question. */
  double (*reach_yr)(const sdn_sfh *h, int segment, double younger_yr, double older_yr);
  /* Many ages inside one segment: the cumulative mass where it is cheap (rates NULL), or the rate (masses NULL). */
  void (*masses)(const sdn_sfh *h, int segment, int n, const double *age_yr, double *mass);
  void (*rates)(const sdn_sfh *h, int n, const double *age_yr, double *rate);
  /* With rates: int rate da and int rate (u(T) - u(a)) da, u as in sdn_sfh_stretch, over ages from T - t_end to T, where the rate is singular at the Big
   * Bang. NULL: it is not. */
  void (*start)(const sdn_sfh *h, double t_end_yr, double *mass, double *moment);
};

extern const sdn_sfh_ops sdn_sfh_constant, sdn_sfh_burst, sdn_sfh_exponential, sdn_sfh_delayed, sdn_sfh_gaussian, sdn_sfh_log_normal, sdn_sfh_power_law,
  sdn_sfh_power_law_age, sdn_sfh_continuity, sdn_sfh_continuity_flex, sdn_sfh_post_starburst, sdn_sfh_dirichlet, sdn_sfh_stochastic, sdn_sfh_dense,
  sdn_sfh_tabulated, sdn_sfh_from_particles, sdn_sfh_sum;

/* ---- reading (sfh_model.c) */

enum { SDN_SFH_REQUIRED = 0, SDN_SFH_OPTIONAL = -1 };   /* and 1, 2, ...: exactly one key of each such group must be given */
typedef struct sdn_sfh_key { sdn_param_spec spec; int group; } sdn_sfh_key;

/* A sub-history of another family: its parameters go into the prior's present scope. */
sdn_status sdn_sfh_component_new(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model **m, sdn_err *err);
/* Room for n parameters, all of them absent at first; once per model. */
sdn_status sdn_sfh_room(sdn_sfh_model *m, int n, sdn_err *err);
/* The map may have `family`, these keys, and `more`; the keys become the first n parameters of the model (room for them is there). */
sdn_status sdn_sfh_add_keys(sdn_sfh_model *m, const sdn_yaml *node, sdn_prior *prior, int n, const sdn_sfh_key *key, int n_more, const char *const *more,
                            sdn_err *err);
sdn_status sdn_sfh_add_param(sdn_sfh_model *m, int i, sdn_prior *prior, const sdn_param_spec *spec, const sdn_yaml *node, sdn_err *err);
/* Parameters i .. i+n-1 from one node, or where it is NULL from the text `initial`. names [n] */
sdn_status sdn_sfh_add_vector(sdn_sfh_model *m, int i, sdn_prior *prior, const sdn_param_spec *spec, int n, const char *const *names, const sdn_yaml *node,
                              const char *initial, sdn_err *err);
/* The same, named PREFIX1, PREFIX2, ... */
sdn_status sdn_sfh_add_numbered(sdn_sfh_model *m, int i, sdn_prior *prior, const sdn_param_spec *spec, int n, const char *prefix, const sdn_yaml *node,
                                const char *initial, sdn_err *err);

/* ---- preparing */

/* Parameter i; NaN if the file leaves it out. */
static inline double sdn_sfh_value(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, int i)
{
  return m->param[i] < 0 ? (double)NAN : galaxy->params[m->param[i]];
}
static inline bool sdn_sfh_has(const sdn_sfh_model *m, int i) { return m->param[i] >= 0; }

/* Room for knots, and where `pieces` for their masses, rates and bends. */
sdn_status sdn_sfh_take_knots(sdn_sfh *h, int n_knot, bool pieces, sdn_arena *arena, double **knot_yr, sdn_err *err);
/* A lookback time as parameter i gives it in units of unit_yr: not in the future, within the age of the Universe (cut to it when beyond by rounding
 * alone). Where the parameter is absent: otherwise_yr. */
typedef struct sdn_sfh_when { int param; double unit_yr, otherwise_yr; } sdn_sfh_when;
sdn_status sdn_sfh_lookback(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh_when when, double *lookback_yr, sdn_err *err);
/* The onset (parameter `start`; absent: the Big Bang) and the end (parameter `end`; absent: now) of star formation, both lookback times in Gyr.
 * err SDN_RANGE: before the Big Bang, in the future, or the end before the onset. */
sdn_status sdn_sfh_window(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, int start, int end, double *start_yr, double *end_yr, sdn_err *err);
/* The segment that holds an age inside the knots. */
int sdn_sfh_segment(const sdn_sfh *h, double age_yr);

/* ---- weights */

/* Between two ages, in the coordinate in which hats are linear: ln age, or age [yr]. */
static inline double sdn_sfh_stretch(const sdn_sfh *h, double younger_yr, double older_yr)
{
  return h->linear_age ? older_yr - younger_yr : log(older_yr / younger_yr);
}

/* ---- weights by quadrature (sfh_weights.c); until_yr is no older than the last knot, and total the mass formed since then */
void sdn_sfh_quadrature(const sdn_sfh *h, double until_yr, double total, int n_age, const double *age_yr, double *weight);

/* ---- pieces: rates that are straight lines between knots (sfh_pieces.c) */

/* From knots, rates and bends of any scale: masses, all normalised to unit mass. False if there is none, or it is not finite. */
bool sdn_pieces_close(sdn_sfh *h);
double sdn_pieces_mass(const sdn_sfh *h, int segment, double age_yr);
double sdn_pieces_rate(const sdn_sfh *h, int segment, double age_yr);
double sdn_pieces_mean_age_yr(const sdn_sfh *h);
void sdn_pieces_weights(const sdn_sfh *h, double until_yr, double total, int n_age, const double *age_yr, double *weight);

#endif
