/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The prior: one map from the unit cube to parameters, used by simulation, network, importance sampler, nested sampler and evidence alike.
 *
 * A parameter is free (a distribution, whose arguments may be formulas of earlier parameters), tied (a formula) or fixed (a number).
 * Free ones are reached through z = Phi^-1(u): each distribution maps z itself, from whichever tail is nearer, so u is never 0 or 1.
 * A vector prior (dirichlet) fills several parameters at once. Redshift has no parents; when it is free it is the first coordinate.
 *
 * This header is the builder that the model reader uses; what users call is in sedna.h. */
#ifndef SDN_PRIOR_PRIOR_H
#define SDN_PRIOR_PRIOR_H

#include "base/yaml.h"

/* What a model declares about one of its parameters. */
typedef struct sdn_param_spec {
  const char *name;       /* the YAML key, unit in the name */
  const char *unit;       /* "" for a pure number */
  const char *initial;    /* when the YAML does not name it: a number or a formula as text; NULL: it must be named */
  double low, high;       /* what the physics can serve; a prior or value reaching outside is an error that names both */
  const char *help;
} sdn_param_spec;

sdn_status sdn_prior_new(sdn_prior **p, sdn_err *err);
void sdn_prior_free(sdn_prior *p);
/* A function of one argument that formulas may call, e.g. age_universe_gyr(redshift). ctx must outlive the prior. */
sdn_status sdn_prior_add_function(sdn_prior *p, const char *name, double (*fn)(const void *ctx, double x), const void *ctx, sdn_err *err);
/* The same of n_argument <= 4 arguments, handed over as x [n_argument]. */
sdn_status sdn_prior_add_function_n(sdn_prior *p, const char *name, int n_argument, double (*fn)(const void *ctx, const double *x), const void *ctx, sdn_err *err);
/* Names of parameters added from now on begin with `prefix` ("" for none, the start); a name in a formula is sought with the prefix first, then
 * without; a parameter's own name means the one outside, if there is one. The rest of a formula's text, functions above all, knows no prefix. */
sdn_status sdn_prior_scope(sdn_prior *p, const char *prefix, sdn_err *err);
/* A scope inside the present one, whose names are sought outward through all; left by sdn_prior_scope_leave. */
sdn_status sdn_prior_scope_enter(sdn_prior *p, const char *prefix, sdn_err *err);
void sdn_prior_scope_leave(sdn_prior *p);
const char *sdn_prior_prefix(const sdn_prior *p);   /* of the present scope, whole */
/* *index becomes the index of parameter `name`, sought as a formula here would, when the prior is finished; -1 until then. *index must stay where
 * it is until the prior is finished or freed. err (at finish) if there is no such parameter. */
sdn_status sdn_prior_bind(sdn_prior *p, const char *name, int *index, sdn_err *err);
/* One parameter, from its YAML node (NULL: spec->initial): a number, a formula, or a map {prior: NAME, ...}. Strings of *spec are copied. */
sdn_status sdn_prior_add(sdn_prior *p, const sdn_param_spec *spec, const sdn_yaml *node, sdn_err *err);
/* n parameters named names[i] that share spec's unit and range, from one node: a list of n numbers or formulas; {prior: dirichlet, alpha: [n+1]},
 * whose values are the running sums of the n+1 shares; or any scalar prior, applied to each independently. In a formula of the node `index` is the place
 * of the parameter, 1 to n, and `count` is n. */
sdn_status sdn_prior_add_vector(sdn_prior *p, const sdn_param_spec *spec, int n, const char *const *names, const sdn_yaml *node, sdn_err *err);
/* Once all parameters are there: `name` is the number `value`, whatever the file says of it. err SDN_USAGE: no such parameter (the nearest is named), or one
 * that the file ties to others by a formula (which is shown); a tie that is only a default gives way. Whether the physics can serve the value is seen at finish. */
sdn_status sdn_prior_set(sdn_prior *p, const char *name, double value, sdn_err *err);
/* Whether a parameter that sdn_prior_set fixed lies where the file's prior could have put it, the others being as in params [n_param]. Others: true. */
bool sdn_prior_supports(const sdn_prior *p, int param, const double *params);
/* The coordinates z [n_free] and params [n_param] of one theta [n_free], as sdn_prior_coordinates gives them. Returns the first of theta that lies outside its
 * distribution given those before it, or -1 where all lie inside. */
int sdn_prior_first_outside(const sdn_prior *p, const double *theta, double *z, double *params);
/* Resolve formulas (any order in the file; a cycle or an unknown name is an error), put parents before children and redshift first, check ranges.
 * Called once, after the last add; nothing of the YAML is needed afterwards. */
sdn_status sdn_prior_finish(sdn_prior *p, sdn_err *err);

/* The interval that a parameter can take under this prior (for tied or conditional ones: found by a Sobol sweep of 4096 points and the corners). */
void sdn_prior_param_range(const sdn_prior *p, int param, double *low, double *high);
bool sdn_prior_param_is_free(const sdn_prior *p, int param);
/* A line for people: "uniform(0.01, 14)", "= log_mass_formed_msun + log_ssfr_per_yr", "-2 (fixed)". Owned by p. */
const char *sdn_prior_param_text(const sdn_prior *p, int param);
const char *sdn_prior_param_help(const sdn_prior *p, int param);   /* spec->help, "" where there was none; owned by p */
/* `hash` carried on over all tables of tabulated priors, whose numbers may come from files that the YAML only names. */
uint64_t sdn_prior_hash(const sdn_prior *p, uint64_t hash);
bool sdn_prior_param_is_default(const sdn_prior *p, int param);   /* not named in the YAML */
void sdn_prior_call_default(sdn_prior *p, int first);             /* parameters from `first` on came from a text of the model's own, not the user's */

#endif
