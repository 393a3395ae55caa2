/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the `sfh:` map to a family and its parameters. */
#include <string.h>

#include "base/random.h"
#include "base/special.h"
#include "physics/sfh_family.h"

static const sdn_sfh_ops *const families[] = {
  &sdn_sfh_constant, &sdn_sfh_burst, &sdn_sfh_exponential, &sdn_sfh_delayed, &sdn_sfh_gaussian, &sdn_sfh_log_normal, &sdn_sfh_power_law,
  &sdn_sfh_power_law_age, &sdn_sfh_continuity, &sdn_sfh_continuity_flex, &sdn_sfh_post_starburst, &sdn_sfh_dirichlet, &sdn_sfh_stochastic, &sdn_sfh_dense,
  &sdn_sfh_tabulated, &sdn_sfh_from_particles, &sdn_sfh_sum,
};
enum { N_FAMILY = sizeof families / sizeof *families };
#define MAX_KEY 24

static sdn_status find_family(const sdn_yaml *node, const sdn_sfh_ops **ops, sdn_err *err)
{
  const char *text = NULL, *names[N_FAMILY];
  char list[400] = "";
  sdn_status status = sdn_yaml_text(node, "family", true, &text, err);
  if (status) return status;
  for (int i = 0; i < N_FAMILY; i++) {
    const size_t used = strlen(list);
    names[i] = families[i]->name;
    snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "", names[i]);
    if (strcmp(text, names[i]) != 0) continue;
    *ops = families[i];
    return SDN_OK;
  }
  const char *near = sdn_nearest(text, names, N_FAMILY);
  return sdn_yaml_fail(sdn_yaml_get(node, "family"), err, "unknown family '%s'%s%s%s; known ones are %s", text, near ? ", did you mean '" : "",
                       near ? near : "", near ? "'?" : "", list);
}

static sdn_status make(const sdn_yaml *node, bool is_component, sdn_prior *prior, sdn_sfh_model **model, sdn_err *err)
{
  *model = NULL;
  if (!node || node->kind != SDN_YAML_MAP) return sdn_fail(err, SDN_USAGE, "a star formation history must be a map {family: NAME, ...}");
  sdn_sfh_model *m = sdn_alloc(1, sizeof *m, "a star formation history", err);
  if (!m) return err->status;
  m->is_component = is_component;
  sdn_status status = find_family(node, &m->ops, err);
  if (!status) status = m->ops->add(node, prior, m, err);
  if (status) goto done;
  *model = m;
  m = NULL;
done:
  sdn_sfh_model_free(m);
  return status;
}

sdn_status sdn_sfh_model_new(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model **m, sdn_err *err) { return make(node, false, prior, m, err); }
sdn_status sdn_sfh_component_new(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model **m, sdn_err *err) { return make(node, true, prior, m, err); }

void sdn_sfh_model_free(sdn_sfh_model *m)
{
  if (!m) return;
  if (m->ops && m->ops->release) m->ops->release(m);
  for (size_t i = 0; i < sizeof m->initial / sizeof *m->initial; i++) sdn_yaml_free(m->initial[i]);
  sdn_release(m->edge_yr);
  sdn_release(m->param);
  sdn_release(m->name);
  sdn_release(m);
}

const char *sdn_sfh_model_name(const sdn_sfh_model *m) { return m->ops->name; }

uint64_t sdn_sfh_hash(const sdn_sfh_model *m, uint64_t hash) { return m->ops->hash ? m->ops->hash(m, hash) : hash; }

/* ------------------------------------------------------------------ what families call */

sdn_status sdn_sfh_room(sdn_sfh_model *m, int n, sdn_err *err)
{
  m->param = sdn_alloc((size_t)n, sizeof *m->param, "a star formation history", err);
  m->name = sdn_alloc((size_t)n, sizeof *m->name, "a star formation history", err);
  if (!m->param || !m->name) return err->status;
  m->n_param = n;
  for (int i = 0; i < n; i++) m->param[i] = -1;
  return SDN_OK;
}

sdn_status sdn_sfh_add_param(sdn_sfh_model *m, int i, sdn_prior *prior, const sdn_param_spec *spec, const sdn_yaml *node, sdn_err *err)
{
  sdn_status status = sdn_prior_add(prior, spec, node, err);
  m->name[i] = spec->name;
  return status ? status : sdn_prior_bind(prior, spec->name, &m->param[i], err);
}

sdn_status sdn_sfh_add_vector(sdn_sfh_model *m, int i, sdn_prior *prior, const sdn_param_spec *spec, int n, const char *const *names, const sdn_yaml *node,
                              const char *initial, sdn_err *err)
{
  sdn_yaml **kept = m->initial;
  sdn_status status = SDN_OK;
  if (n == 0) return node ? sdn_yaml_fail(node, err, "%s has nothing to set with so few bins; leave it out", spec->name) : SDN_OK;
  while (*kept) kept++;
  const int first = sdn_prior_n_param(prior);
  const bool left_out = !node && initial;
  if (left_out) {
    status = sdn_yaml_parse(initial, spec->name, kept, err);
    node = *kept;
  }
  if (!status) status = sdn_prior_add_vector(prior, spec, n, names, node, err);
  if (left_out) sdn_prior_call_default(prior, first);
  for (int k = 0; k < n && !status; k++) status = sdn_prior_bind(prior, names[k], &m->param[i + k], err);
  return status;
}

sdn_status sdn_sfh_add_numbered(sdn_sfh_model *m, int i, sdn_prior *prior, const sdn_param_spec *spec, int n, const char *prefix, const sdn_yaml *node,
                                const char *initial, sdn_err *err)
{
  char (*text)[48] = sdn_alloc((size_t)n, sizeof *text, "names of parameters", err);
  const char **names = text ? sdn_alloc((size_t)n, sizeof *names, "names of parameters", err) : NULL;
  for (int k = 0; k < n && names; k++) {
    snprintf(text[k], sizeof text[k], "%s%d", prefix, k + 1);
    names[k] = text[k];
  }
  sdn_status status = names ? sdn_sfh_add_vector(m, i, prior, spec, n, names, node, initial, err) : err->status;
  sdn_release(names);
  sdn_release(text);
  return status;
}

static sdn_status check_keys(const sdn_sfh_model *m, const sdn_yaml *node, int n, const sdn_sfh_key *key, int n_more, const char *const *more, sdn_err *err)
{
  const char *known[MAX_KEY] = {"family"};
  size_t n_known = 1;
  if (m->is_component) {
    known[n_known++] = "name";
    known[n_known++] = "fraction";
  }
  for (int i = 0; i < n; i++) known[n_known++] = key[i].spec.name;
  for (int i = 0; i < n_more; i++) known[n_known++] = more[i];
  return sdn_yaml_only_keys(node, known, n_known, err);
}

/* Exactly one key of a group, all of them where the group is REQUIRED; defaults count as given. */
static sdn_status check_group(const sdn_sfh_model *m, const sdn_yaml *node, int n, const sdn_sfh_key *key, int group, sdn_err *err)
{
  const char *first = NULL, *second = NULL;
  int n_given = 0;
  for (int i = 0; i < n; i++) {
    if (key[i].group != group) continue;
    const bool given = sdn_yaml_get(node, key[i].spec.name) != NULL;
    if (group == SDN_SFH_REQUIRED && !given && !key[i].spec.initial)
      return sdn_yaml_fail(node, err, "%s needs %s: %s", m->ops->name, key[i].spec.name, key[i].spec.help);
    *(first ? &second : &first) = key[i].spec.name;
    n_given += given;
  }
  if (group == SDN_SFH_REQUIRED || !first || n_given == 1) return SDN_OK;
  return sdn_yaml_fail(node, err, "%s needs %s of %s and %s", m->ops->name, n_given ? "only one" : "one", first, second);
}

sdn_status sdn_sfh_add_keys(sdn_sfh_model *m, const sdn_yaml *node, sdn_prior *prior, int n, const sdn_sfh_key *key, int n_more, const char *const *more,
                            sdn_err *err)
{
  if (check_keys(m, node, n, key, n_more, more, err)) return err->status;
  for (int group = 0; group <= 2; group++)
    if (check_group(m, node, n, key, group, err)) return err->status;
  for (int i = 0; i < n; i++) {
    const sdn_yaml *given = sdn_yaml_get(node, key[i].spec.name);
    if (!given && !key[i].spec.initial) continue;
    if (sdn_sfh_add_param(m, i, prior, &key[i].spec, given, err)) return err->status;
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ is every galaxy of the prior possible? */

#define N_SWEEP 2048
#define N_CORNER 1024
#define CORNER_Z 4.0   /* each parameter beyond all but 3e-5 of its prior */

typedef struct sweep { const sdn_sfh_model *m; const sdn_prior *prior; const sdn_cosmology *cosmology; int z_param, mass_param; sdn_arena *arena; double *params; } sweep;

static sdn_status try_galaxy(const sweep *s, const double *z, sdn_err *err)
{
  sdn_sfh h;
  if (sdn_prior_params(s->prior, 1, z, s->params, err)) return err->status;
  const double redshift = s->params[s->z_param], mass_msun = pow(10, s->params[s->mass_param]);
  const sdn_arena_mark mark = sdn_arena_here(s->arena);
  sdn_status status = sdn_sfh_prepare(s->m, s->params, sdn_cosmology_age_yr(s->cosmology, redshift), mass_msun, s->arena, &h, err);
  sdn_arena_back(s->arena, mark);
  if (status != SDN_RANGE) return status;
  sdn_fail_in(err, "the prior gives galaxies (one at redshift %.4g) that this star formation history cannot have", redshift);
  return err->status = SDN_USAGE;
}

static sdn_status try_all(const sweep *s, sdn_err *err)
{
  const int n_free = sdn_prior_n_free(s->prior);
  double u[SDN_SOBOL_MAX_DIM], z[SDN_SOBOL_MAX_DIM];
  sdn_rng rng = sdn_rng_at(0, SDN_STREAM_TEST, 0);
  for (uint32_t i = 0; i < N_SWEEP; i++) {
    sdn_sobol_point(0, i, n_free, u);
    for (int k = 0; k < n_free; k++) z[k] = sdn_normal_quantile(u[k]);
    if (try_galaxy(s, z, err)) return err->status;
  }
  for (uint32_t i = 0; i < N_CORNER; i++) {   /* the first parameters in all combinations, the others at random */
    for (int k = 0; k < n_free; k++) z[k] = (k < 8 ? i >> k & 1u : sdn_rng_bits(&rng) & 1u) ? CORNER_Z : -CORNER_Z;
    if (try_galaxy(s, z, err)) return err->status;
  }
  return SDN_OK;
}

sdn_status sdn_sfh_check_prior(const sdn_sfh_model *m, const sdn_prior *prior, const sdn_cosmology *cosmology, int mass_param, sdn_err *err)
{
  sweep s = {.m = m, .prior = prior, .cosmology = cosmology, .z_param = sdn_prior_param_index(prior, "redshift"), .mass_param = mass_param};
  if (s.z_param < 0) return sdn_fail(err, SDN_USAGE, "the prior has no parameter redshift, with which the age of the Universe goes");
  s.arena = sdn_arena_new(err);
  s.params = s.arena ? sdn_alloc((size_t)sdn_prior_n_param(prior), sizeof *s.params, "a row of parameters", err) : NULL;
  sdn_status status = s.params ? try_all(&s, err) : err->status;
  sdn_release(s.params);
  sdn_arena_free(s.arena);
  return status;
}
