/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The finished prior at work: coordinates to parameters, the reverse, the density. */
#include "prior/prior.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "prior/store.h"

int sdn_prior_n_free(const sdn_prior *p) { return p->n_free; }
int sdn_prior_n_param(const sdn_prior *p) { return p->n; }
const char *sdn_prior_param_name(const sdn_prior *p, int param) { return p->param[param].name; }
const char *sdn_prior_param_unit(const sdn_prior *p, int param) { return p->param[param].unit; }
int sdn_prior_free_param(const sdn_prior *p, int free_index) { return p->free_param[free_index]; }
bool sdn_prior_param_is_free(const sdn_prior *p, int param) { return p->param[param].kind == SDN_PARAM_FREE; }
bool sdn_prior_param_is_default(const sdn_prior *p, int param) { return p->param[param].is_default; }
const char *sdn_prior_param_text(const sdn_prior *p, int param) { return p->param[param].text; }
const char *sdn_prior_param_help(const sdn_prior *p, int param) { return p->param[param].help; }

void sdn_prior_call_default(sdn_prior *p, int first)
{
  for (int i = first; i < p->n; i++) p->param[i].is_default = true;
}

int sdn_prior_param_index(const sdn_prior *p, const char *name)
{
  for (int i = 0; i < p->n; i++)
    if (strcmp(p->param[i].name, name) == 0) return i;
  return -1;
}

void sdn_prior_param_range(const sdn_prior *p, int param, double *low, double *high)
{
  *low = p->param[param].low;
  *high = p->param[param].high;
}

uint64_t sdn_prior_hash(const sdn_prior *p, uint64_t hash)
{
  for (int i = 0; i < p->n; i++) {
    const sdn_dist_table *t = p->param[i].table;
    const sdn_dist_grid *g = p->param[i].grid;
    if (t) hash = sdn_hash_bytes(t->value, t->n * sizeof *t->value, hash);
    if (t) hash = sdn_hash_bytes(t->density, t->n * sizeof *t->density, hash);
    if (g) hash = sdn_hash_bytes(g->given, g->n_given * sizeof *g->given, hash);
    if (g) hash = sdn_hash_bytes(g->value, g->n * sizeof *g->value, hash);
    if (g) hash = sdn_hash_bytes(g->density, g->n_given * g->n * sizeof *g->density, hash);
  }
  return hash;
}

int sdn_param_formulas(const sdn_param *param, sdn_formula **list)
{
  int n = 0;
  if (param->formula) list[n++] = param->formula;
  for (int a = 0; a < SDN_DIST_MAX_ARG; a++)
    if (param->argument[a]) list[n++] = param->argument[a];
  return n;
}

const sdn_dist *sdn_param_dist(const sdn_param *param, const double *params, sdn_dist *room, const char **reason)
{
  if (!param->conditional) return &param->dist;
  *room = param->dist;
  for (int a = 0; a < SDN_DIST_MAX_ARG; a++)
    if (param->argument[a]) room->arg[a] = sdn_formula_value(param->argument[a], params);
  *reason = sdn_dist_prepare(room);
  return *reason ? NULL : room;
}

int sdn_prior_row(const sdn_prior *p, const double *z, double *params, const char **reason)
{
  int coordinate = 0;
  sdn_dist room;
  *reason = "its value is not finite";
  for (int i = 0; i < p->n; i++) {
    const sdn_param *param = &p->param[i];
    if (param->kind == SDN_PARAM_FREE) {
      const sdn_dist *d = sdn_param_dist(param, params, &room, reason);
      if (!d) return i;
      params[i] = sdn_dist_from_z(d, z[coordinate++]);
      *reason = "its value is not finite";
    } else
      params[i] = param->kind == SDN_PARAM_FIXED ? param->value : sdn_formula_value(param->formula, params);
    if (!isfinite(params[i])) return i;
  }
  return -1;
}

sdn_status sdn_prior_params(const sdn_prior *p, long n, const double *z, double *params, sdn_err *err)
{
  const char *reason;
  for (long row = 0; row < n; row++) {
    const double *z_row = z + row * p->n_free;
    for (int k = 0; k < p->n_free; k++)
      if (!isfinite(z_row[k]))
        return sdn_fail_row(err, SDN_NUMERIC, row, "row %ld: coordinate %d (%s) is %g; it must be finite", row, k,
                            p->param[p->free_param[k]].name, z_row[k]);
    const int bad = sdn_prior_row(p, z_row, params + row * p->n, &reason);
    if (bad >= 0)
      return sdn_fail_row(err, SDN_NUMERIC, row, "row %ld: parameter %s (%s) has no value here: %s", row, p->param[bad].name,
                          p->param[bad].text, reason);
  }
  return SDN_OK;
}

/* Parameters of one galaxy from theta [n_free], and where ln_density is not NULL its density, where z is not NULL its coordinates.
 * Returns the first coordinate that is outside its distribution given those before it, or -1. */
static int reverse_row(const sdn_prior *p, const double *theta, double *z, double *params, double *ln_density)
{
  int coordinate = 0, outside = -1;
  double sum = 0;
  sdn_dist room;
  const char *reason;
  for (int i = 0; i < p->n; i++) {
    const sdn_param *param = &p->param[i];
    if (param->kind != SDN_PARAM_FREE) {
      params[i] = param->kind == SDN_PARAM_FIXED ? param->value : sdn_formula_value(param->formula, params);
      continue;
    }
    const double x = params[i] = theta[coordinate];
    const sdn_dist *d = sdn_param_dist(param, params, &room, &reason);
    const double own_z = d && z ? sdn_dist_to_z(d, x) : 0, own_density = d && ln_density ? sdn_dist_ln_pdf(d, x) : 0;
    if (outside < 0 && !(d && isfinite(own_z) && own_density > -INFINITY)) outside = coordinate;
    if (z) z[coordinate] = own_z;
    sum += own_density;
    coordinate++;
  }
  for (int k = 0; z && outside >= 0 && k < p->n_free; k++) z[k] = NAN;
  if (ln_density) *ln_density = outside < 0 ? sum : -INFINITY;
  return outside;
}

int sdn_prior_first_outside(const sdn_prior *p, const double *theta, double *z, double *params)
{
  return reverse_row(p, theta, z, params, NULL);
}

/* A row of parameters that nobody asked for but formulas need. */
static double *spare_row(const sdn_prior *p, sdn_err *err) { return sdn_alloc((size_t)p->n, sizeof(double), "a row of parameters", err); }

sdn_status sdn_prior_coordinates(const sdn_prior *p, long n, const double *theta, double *z, double *params, sdn_err *err)
{
  double *spare = params ? NULL : spare_row(p, err);
  if (!params && !spare) return err->status;
  for (long row = 0; row < n; row++)
    reverse_row(p, theta + row * p->n_free, z + row * p->n_free, params ? params + row * p->n : spare, NULL);
  sdn_release(spare);
  return SDN_OK;
}

sdn_status sdn_prior_ln_density(const sdn_prior *p, long n, const double *theta, double *ln_density, sdn_err *err)
{
  double *spare = spare_row(p, err);
  if (!spare) return err->status;
  for (long row = 0; row < n; row++) reverse_row(p, theta + row * p->n_free, NULL, spare, &ln_density[row]);
  sdn_release(spare);
  return SDN_OK;
}

void sdn_prior_theta(const sdn_prior *p, long n, const double *params, double *theta)
{
  for (long row = 0; row < n; row++)
    for (int k = 0; k < p->n_free; k++) theta[row * p->n_free + k] = params[row * p->n + p->free_param[k]];
}
