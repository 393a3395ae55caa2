/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/metallicity.h"

#include <math.h>
#include <string.h>

#include "physics/metallicity_family.h"

#define MAX_PARAM 3
#define YR_PER_GYR 1e9

typedef enum family { DELTA, NORMAL, LOG_NORMAL, EXPONENTIAL, TWO_STEP, MASS_TIED, PARTICLES, N_FAMILY } family;
typedef enum range { OWN, LOG_OF_GRID, OF_GRID } range;   /* where a parameter may lie */

typedef struct knob { const char *key; range range; sdn_param_spec spec; } knob;
typedef struct form { const char *name; int n; knob knob[MAX_PARAM]; } form;

static const form forms[N_FAMILY] = {
  [DELTA] = {"delta", 1, {{"log_metallicity", LOG_OF_GRID, {"log_metallicity", "log10", NULL, 0, 0, "log10 of the mass fraction of metals, of stars and gas"}}}},
  [NORMAL] = {"normal", 2, {
    {"mean", OF_GRID, {"metallicity_mean", "", NULL, 0, 0, "centre of the normal distribution of stellar metallicities (mass fractions)"}},
    {"sigma", OWN, {"metallicity_sigma", "", NULL, 1e-7, 10, "its standard deviation before the ends of the grid cut it"}}}},
  [LOG_NORMAL] = {"log_normal", 2, {
    {"log_mean", LOG_OF_GRID, {"log_metallicity_mean", "log10", NULL, 0, 0, "centre of the normal distribution of log10 stellar metallicities"}},
    {"sigma_dex", OWN, {"metallicity_sigma_dex", "dex", NULL, 1e-4, 100, "its standard deviation before the ends of the grid cut it"}}}},
  [EXPONENTIAL] = {"exponential", 1, {
    {"log_scale", OWN, {"log_metallicity_scale", "log10", NULL, -7, 3, "log10 of the metallicity over which their number falls by e"}}}},
  [TWO_STEP] = {"two_step", 3, {
    {"log_metallicity_old", LOG_OF_GRID, {"log_metallicity_old", "log10", NULL, 0, 0, "log10 of the mass fraction of metals of stars older than the step"}},
    {"log_metallicity_young", LOG_OF_GRID, {"log_metallicity_young", "log10", NULL, 0, 0, "the same of stars younger than the step"}},
    {"step_age_gyr", OWN, {"metallicity_step_age_gyr", "Gyr", NULL, 1e-6, 100, "lookback time at which the metallicity of new stars changed"}}}},
  [MASS_TIED] = {"mass_tied", 2, {
    {"log_metallicity_start", LOG_OF_GRID, {"log_metallicity_start", "log10", NULL, 0, 0, "log10 of the mass fraction of metals of the first stars"}},
    {"log_metallicity_final", LOG_OF_GRID, {"log_metallicity_final", "log10", NULL, 0, 0, "the same of the last stars, when all the mass has formed"}}}},
  [PARTICLES] = {"particles", 0, {{0}}},
};

struct sdn_metallicity {
  family family;
  const sdn_grid_axis *axis;
  int param[MAX_PARAM];
};

static sdn_status find_family(const sdn_yaml *map, family *found, sdn_err *err)
{
  const char *text = NULL, *names[N_FAMILY];
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "metallicity must be a map {family: NAME, ...}; one metallicity is log_metallicity: VALUE");
  if (sdn_yaml_text(map, "family", true, &text, err)) return err->status;
  for (int f = 0; f < N_FAMILY; f++) {
    names[f] = forms[f].name;
    if (strcmp(text, names[f]) != 0) continue;
    *found = (family)f;
    return SDN_OK;
  }
  const char *near = sdn_nearest(text, names, N_FAMILY);
  return sdn_yaml_fail(sdn_yaml_get(map, "family"), err, "there is no distribution of metallicities '%.80s'%s%s%s", text,
                       near ? "; did you mean '" : "; known are delta, normal, log_normal, exponential, two_step, mass_tied, particles", near ? near : "", near ? "'?" : "");
}

/* The map that holds the family's keys, and that it holds no others. */
static sdn_status find_map(const sdn_yaml *stars, const sdn_yaml **map, family *found, sdn_err *err)
{
  const sdn_yaml *own = sdn_yaml_get(stars, "metallicity"), *single = sdn_yaml_get(stars, "log_metallicity");
  const char *known[MAX_PARAM + 1] = {"family"};
  *found = DELTA;
  *map = own ? own : stars;
  if (own && single) return sdn_yaml_fail(own, err, "stars have either log_metallicity (one for all) or metallicity (a distribution)");
  if (!own) return SDN_OK;
  if (find_family(own, found, err)) return err->status;
  for (int i = 0; i < forms[*found].n; i++) known[i + 1] = forms[*found].knob[i].key;
  return sdn_yaml_only_keys(own, known, (size_t)forms[*found].n + 1, err);
}

static sdn_status add_param(sdn_metallicity *m, int i, const sdn_yaml *map, sdn_prior *prior, sdn_err *err)
{
  const knob *k = &forms[m->family].knob[i];
  sdn_param_spec spec = k->spec;
  if (k->range != OWN) {
    spec.low = m->axis->value[0];
    spec.high = m->axis->value[m->axis->n - 1];
  }
  if (k->range == LOG_OF_GRID) {
    spec.low = log10(spec.low);
    spec.high = log10(spec.high);
  }
  const sdn_status status = sdn_prior_add(prior, &spec, sdn_yaml_get(map, k->key), err);
  return status ? status : sdn_prior_bind(prior, spec.name, &m->param[i], err);
}

sdn_status sdn_metallicity_new(const sdn_yaml *stars, const sdn_grid_axis *axis, sdn_prior *prior, sdn_metallicity **out, sdn_err *err)
{
  const sdn_yaml *map = NULL;
  *out = NULL;
  sdn_metallicity *m = sdn_alloc(1, sizeof *m, "a distribution of metallicities", err);
  if (!m) return err->status;
  m->axis = axis;
  sdn_status status = find_map(stars, &map, &m->family, err);
  for (int i = 0; i < forms[m->family].n && !status; i++) status = add_param(m, i, map, prior, err);
  if (status) goto done;
  *out = m;
  m = NULL;
done:
  sdn_metallicity_free(m);
  return status;
}

void sdn_metallicity_free(sdn_metallicity *m) { sdn_release(m); }
const char *sdn_metallicity_name(const sdn_metallicity *m) { return forms[m->family].name; }
int sdn_metallicity_delta_param(const sdn_metallicity *m) { return m->family == DELTA ? m->param[0] : -1; }

bool sdn_metallicity_is_of_particles(const sdn_metallicity *m) { return m->family == PARTICLES; }

/* ---- one galaxy */

static sdn_metal_spread spread_of(const sdn_metallicity *m, const double *value)
{
  sdn_metal_spread s = {.in_log = m->family == LOG_NORMAL, .exponential = m->family == EXPONENTIAL};
  s.centre = s.exponential ? 0 : value[0];
  s.width = s.exponential ? pow(10, value[0]) : value[1];
  return s;
}

static sdn_status read_params(const sdn_metallicity *m, const double *params, double *value, sdn_err *err)
{
  for (int i = 0; i < forms[m->family].n; i++) {
    value[i] = params[m->param[i]];
    if (!isfinite(value[i])) return sdn_fail(err, SDN_NUMERIC, "parameter %s is %g, not a finite number", forms[m->family].knob[i].spec.name, value[i]);
  }
  return SDN_OK;
}

static void single_share(const sdn_grid_axis *axis, double log_z, double *share)
{
  int node;
  double t;
  memset(share, 0, (size_t)axis->n * sizeof *share);
  sdn_grid_locate_coordinate(axis, axis->log ? log_z : pow(10, log_z), true, &node, &t);
  share[node] = 1 - t;
  if (node + 1 < axis->n) share[node + 1] = t;
}

/* mass = young + old at each age; each has one metallicity. */
static sdn_status two_step(const sdn_metallicity *m, const double *value, const sdn_sfh *h, const sdn_metal_ages *ages, float *weight, sdn_arena *arena,
                           sdn_err *err)
{
  const int n = ages->n, n_z = m->axis->n;
  double *young = sdn_arena_take(arena, (size_t)n, sizeof *young, err), *share = sdn_arena_take(arena, 2 * (size_t)n_z, sizeof *share, err);
  if (!young || !share) return err->status;
  double *share_young = share + n_z, whole = 0;
  for (int i = 0; i < n; i++) whole += ages->mass[i];
  const double part = sdn_sfh_mass_since(h, ages->limit_yr), scale = part > 0 ? whole / part : 0;
  sdn_sfh_weights_since(h, fmin(ages->limit_yr, value[2] * YR_PER_GYR), n, ages->age_yr, young);
  single_share(m->axis, value[0], share);
  single_share(m->axis, value[1], share_young);
  for (int i = 0; i < n; i++) {
    const double mass_young = fmin(young[i] * scale, ages->mass[i]), mass_old = ages->mass[i] - mass_young;
    for (int k = 0; k < n_z; k++) weight[(size_t)k * (size_t)n + (size_t)i] = (float)(share[k] * mass_old + share_young[k] * mass_young);
  }
  return SDN_OK;
}

/* Particles bring their own weights, of unit mass in all; `mass` may be any multiple of that. */
static sdn_status particle_weights(const sdn_metallicity *m, const sdn_sfh *h, const sdn_metal_ages *ages, float *weight, sdn_err *err)
{
  const size_t n = (size_t)ages->n * (size_t)m->axis->n;
  double whole = 0;
  if (!sdn_sfh_has_metallicity(h)) return sdn_fail(err, SDN_USAGE, "metallicity: {family: particles} needs a history of particles whose file has metallicities");
  for (int i = 0; i < ages->n; i++) whole += ages->mass[i];
  const double part = sdn_sfh_mass_since(h, ages->limit_yr), scale = part > 0 ? whole / part : 0;
  sdn_sfh_particle_weights(h, ages->limit_yr, ages->n, ages->age_yr, m->axis->n, m->axis->coordinate, weight);
  for (size_t i = 0; i < n; i++) weight[i] = (float)(scale * (double)weight[i]);
  return SDN_OK;
}

static sdn_status spread_weights(const sdn_metallicity *m, const double *value, const sdn_metal_ages *ages, float *weight, sdn_arena *arena, sdn_err *err)
{
  double mean_z, *share = sdn_arena_take(arena, (size_t)m->axis->n, sizeof *share, err);
  const size_t n = (size_t)ages->n;
  if (!share) return err->status;
  if (m->family == DELTA) single_share(m->axis, value[0], share);
  else {
    const sdn_metal_spread spread = spread_of(m, value);
    sdn_metal_spread_shares(&spread, m->axis, share, &mean_z);
  }
  for (int k = 0; k < m->axis->n; k++)
    for (size_t i = 0; i < n; i++) weight[(size_t)k * n + i] = (float)(share[k] * ages->mass[i]);
  return SDN_OK;
}

sdn_status sdn_metallicity_weights(const sdn_metallicity *m, const double *params, const sdn_sfh *h, double limit_yr, int n_age, const double *age_yr,
                                   const double *mass, float *weight, sdn_arena *arena, sdn_err *err)
{
  const sdn_metal_ages ages = {n_age, age_yr, mass, limit_yr};
  const sdn_arena_mark mark = sdn_arena_here(arena);
  double value[MAX_PARAM] = {0};
  if (read_params(m, params, value, err)) return err->status;
  const sdn_metal_history history = {pow(10, value[0]), pow(10, value[1])};
  sdn_status status;
  if (m->family == MASS_TIED) status = sdn_metal_history_weights(&history, m->axis, h, &ages, weight, arena, err);
  else if (m->family == TWO_STEP) status = two_step(m, value, h, &ages, weight, arena, err);
  else if (m->family == PARTICLES) status = particle_weights(m, h, &ages, weight, err);
  else status = spread_weights(m, value, &ages, weight, arena, err);
  sdn_arena_back(arena, mark);
  return status;
}

double sdn_metallicity_mean(const sdn_metallicity *m, const double *params, const sdn_sfh *h)
{
  double value[MAX_PARAM], mean;
  for (int i = 0; i < forms[m->family].n; i++) value[i] = params[m->param[i]];
  if (m->family == DELTA) return pow(10, value[0]);
  if (m->family == PARTICLES) return sdn_sfh_mean_metallicity(h);
  if (m->family == TWO_STEP || m->family == MASS_TIED) {
    const double young = m->family == TWO_STEP ? sdn_sfh_mass_since(h, value[2] * YR_PER_GYR) : 0.5;   /* tied: uniform in between */
    return pow(10, value[1]) * young + pow(10, value[0]) * (1 - young);
  }
  const sdn_metal_spread spread = spread_of(m, value);
  sdn_metal_spread_shares(&spread, m->axis, NULL, &mean);
  return mean;
}
