/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several histories together: each of unit mass, times its fraction of the mass formed; fractions are divided by their sum. The parameters of a component
 * are its family's with the component's name and _ before. */
#include <string.h>

#include "physics/sfh_family.h"

#define MAX_COMPONENT 16
#define N_CHUNK 128

typedef struct components { int n; sdn_sfh_model *part[MAX_COMPONENT]; } components;

static void release(sdn_sfh_model *m)
{
  components *c = m->own;
  for (int i = 0; c && i < c->n; i++) sdn_sfh_model_free(c->part[i]);
  sdn_release(c);
}

static uint64_t hash(const sdn_sfh_model *m, uint64_t seed)
{
  const components *c = m->own;
  for (int i = 0; i < c->n; i++) seed = sdn_sfh_hash(c->part[i], seed);
  return seed;
}

/* "NAME_", which begins with a letter and goes on with letters, digits and _. */
static sdn_status read_prefix(const sdn_yaml *item, char prefix[48], sdn_err *err)
{
  static const char allowed[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789";
  const char *name;
  if (item->kind != SDN_YAML_MAP) return sdn_yaml_fail(item, err, "a component must be a map {family: NAME, name: NAME, fraction: ..., ...}");
  if (sdn_yaml_text(item, "name", true, &name, err)) return err->status;
  const size_t n = strlen(name);
  if (n < 1 || n > 40 || strspn(name, allowed) != n || (name[0] >= '0' && name[0] <= '9'))
    return sdn_yaml_fail(sdn_yaml_get(item, "name"), err, "'%s' cannot begin names of parameters; use at most 40 letters, digits and _, a letter first", name);
  snprintf(prefix, 48, "%s_", name);
  return SDN_OK;
}

static sdn_status add_component(sdn_sfh_model *m, int i, const sdn_yaml *item, sdn_prior *prior, sdn_err *err)
{
  static const sdn_param_spec fraction = {"fraction", "", NULL, 0, 1e6, "of the mass formed, beside those of the other components"};
  components *c = m->own;
  char prefix[48];
  const sdn_yaml *given = sdn_yaml_get(item, fraction.name);
  if (read_prefix(item, prefix, err)) return err->status;
  if (!given) return sdn_yaml_fail(item, err, "a component needs its fraction of the mass formed");
  if (sdn_prior_scope_enter(prior, prefix, err)) return err->status;
  sdn_status status = sdn_sfh_add_param(m, i, prior, &fraction, given, err);
  if (!status) status = sdn_sfh_component_new(item, prior, &c->part[i], err);
  if (!status) c->n = i + 1;
  sdn_prior_scope_leave(prior);
  return status;
}

static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"components"};
  const sdn_yaml *list = sdn_yaml_get(node, "components");
  if (sdn_sfh_add_keys(m, node, prior, 0, NULL, 1, more, err)) return err->status;
  if (!list || list->kind != SDN_YAML_LIST || list->n < 1 || list->n > MAX_COMPONENT)
    return sdn_yaml_fail(list ? list : node, err, "a sum needs components: [{family: NAME, name: NAME, fraction: ..., ...}, ...], 1 to %d of them", MAX_COMPONENT);
  m->own = sdn_alloc(1, sizeof(components), "a sum of histories", err);
  if (!m->own || sdn_sfh_room(m, (int)list->n, err)) return err->status;
  for (size_t i = 0; i < list->n; i++)
    if (add_component(m, (int)i, list->item[i], prior, err)) return err->status;
  return SDN_OK;
}

/* ------------------------------------------------------------------ one galaxy */

/* The part whose next knot is the youngest; at[i] counts the knots of part i that are taken. */
static int youngest(const sdn_sfh *h, const int *at)
{
  int next = 0;
  double best_yr = INFINITY;
  for (int i = 0; i < h->n_part; i++) {
    if (at[i] == h->part[i].n_knot || h->part[i].knot_yr[at[i]] >= best_yr) continue;
    best_yr = h->part[i].knot_yr[at[i]];
    next = i;
  }
  return next;
}

/* All knots of all parts in one ascending list; equal ones once. */
static sdn_status merge_knots(sdn_sfh *h, sdn_arena *arena, sdn_err *err)
{
  int n_all = 0, at[MAX_COMPONENT] = {0}, n = 0;
  double *knot_yr;
  for (int i = 0; i < h->n_part; i++) n_all += h->part[i].n_knot;
  if (sdn_sfh_take_knots(h, n_all, false, arena, &knot_yr, err)) return err->status;
  for (int step = 0; step < n_all; step++) {
    const int next = youngest(h, at);
    const double yr = h->part[next].knot_yr[at[next]++];
    if (n == 0 || yr > knot_yr[n - 1]) knot_yr[n++] = yr;
  }
  h->n_knot = n;
  return SDN_OK;
}

static sdn_status find_shares(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, double *share, sdn_err *err)
{
  double sum = 0;
  for (int i = 0; i < m->n_param; i++) {
    share[i] = sdn_sfh_value(m, galaxy, i);
    if (!(share[i] >= 0 && isfinite(share[i]))) return sdn_fail(err, SDN_RANGE, "the fraction of component %d is %g; it must not be negative", i + 1, share[i]);
    sum += share[i];
  }
  if (!(sum > 0)) return sdn_fail(err, SDN_RANGE, "the fractions of all components are 0; one must be positive");
  for (int i = 0; i < m->n_param; i++) share[i] /= sum;
  return SDN_OK;
}

/* Components without mass are left out. */
static sdn_status prepare(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const components *c = m->own;
  const size_t n = (size_t)c->n;
  double *share = sdn_arena_take(galaxy->arena, n, sizeof *share, err);
  sdn_sfh *part = share ? sdn_arena_take(galaxy->arena, n, sizeof *part, err) : NULL;
  if (!part || find_shares(m, galaxy, share, err)) return err->status;
  for (int i = 0; i < c->n; i++) {
    const double mass_msun = share[i] * galaxy->mass_formed_msun;
    if (!(mass_msun > 0)) continue;
    if (sdn_sfh_prepare(c->part[i], galaxy->params, galaxy->age_universe_yr, mass_msun, galaxy->arena, &part[h->n_part], err))
      return sdn_fail_in(err, "component %d, %s", i + 1, c->part[i]->ops->name);
    part[h->n_part].linear_age = h->linear_age;
    share[h->n_part++] = share[i];
  }
  h->part = part;
  h->share = share;
  return merge_knots(h, galaxy->arena, err);
}

static double mass_since(const sdn_sfh *h, int segment, double age_yr)
{
  double sum = 0;
  (void)segment;
  for (int i = 0; i < h->n_part; i++) sum += h->share[i] * sdn_sfh_mass_since(&h->part[i], age_yr);
  return sum;
}

static double rate(const sdn_sfh *h, int segment, double age_yr)
{
  double sum = 0;
  (void)segment;
  for (int i = 0; i < h->n_part; i++) sum += h->share[i] * sdn_sfh_rate(&h->part[i], age_yr);
  return sum;
}

static double mean_age_yr(const sdn_sfh *h)
{
  double sum = 0;
  for (int i = 0; i < h->n_part; i++) sum += h->share[i] * sdn_sfh_mean_age_yr(&h->part[i]);
  return sum;
}

/* Weights of nodes [first, last] need the nodes beside them and no others, so room for a few nodes at a time is enough. */
static void add_chunk(const sdn_sfh *h, double limit_yr, int n_age, const double *age_yr, int first, int last, double *weight)
{
  const int from = first > 0 ? first - 1 : 0, to = last + 1 < n_age ? last + 1 : last;
  double part_weight[N_CHUNK + 2];
  for (int k = first; k <= last; k++) weight[k] = 0;
  for (int i = 0; i < h->n_part; i++) {
    sdn_sfh_weights_since(&h->part[i], limit_yr, to - from + 1, age_yr + from, part_weight);
    for (int k = first; k <= last; k++) weight[k] += h->share[i] * part_weight[k - from];
  }
}

static void weights(const sdn_sfh *h, double until_yr, double total, int n_age, const double *age_yr, double *weight)
{
  const double limit_yr = until_yr >= h->knot_yr[h->n_knot - 1] ? INFINITY : until_yr;
  (void)total;
  for (int first = 0; first < n_age; first += N_CHUNK) add_chunk(h, limit_yr, n_age, age_yr, first, first + N_CHUNK < n_age ? first + N_CHUNK - 1 : n_age - 1, weight);
}

const sdn_sfh_ops sdn_sfh_sum = {
  .name = "sum", .add = add, .release = release, .hash = hash, .prepare = prepare, .mass_since = mass_since, .rate = rate, .mean_age_yr = mean_age_yr,
  .weights = weights,
};
