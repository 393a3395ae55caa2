/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The populations of a model, and the dust in front of each. Parameters of a named population begin with its name. */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "physics/model_read.h"

#define MAX_NAME 32

static const sdn_param_spec mass_spec = {"log_mass_formed_msun", "log10 Msun", NULL, 0, 15, "all stellar mass ever formed"};
static const sdn_param_spec covering_spec = {"dust_covering_fraction", "", NULL, 0, 1, "share of the light that meets the dust"};
static const sdn_param_spec line_factor_spec = {"dust_line_factor", "", NULL, 0, 10, "A_V before the gas's lines, in units of that before the stars"};
static const sdn_param_spec birth_age_spec = {"age_myr", "Myr", NULL, 0.01, 1000, "stars younger than this are in their birth clouds"};

static sdn_status enter(sdn_model *m, const sdn_population *p, sdn_err *err)
{
  char prefix[MAX_NAME + 2];
  snprintf(prefix, sizeof prefix, "%s_", p->name);
  return *p->name ? sdn_prior_scope_enter(m->prior, prefix, err) : SDN_OK;
}

static void leave(sdn_model *m, const sdn_population *p)
{
  if (*p->name) sdn_prior_scope_leave(m->prior);
}

static bool is_word(const char *name)
{
  for (const char *c = name; *c; c++)
    if (!islower((unsigned char)*c) && !(c > name && (isdigit((unsigned char)*c) || *c == '_'))) return false;
  return *name && strlen(name) <= MAX_NAME;
}

/* Parameters of the nucleus and of birth clouds have such names already. */
static bool is_taken(const char *name)
{
  static const char cloud[] = "_birth";
  const size_t n = strlen(name), m = strlen(cloud);
  return !strcmp(name, "agn") || !strcmp(name, cloud + 1) || (n > m && !strcmp(name + n - m, cloud));
}

static sdn_status read_name(sdn_model *m, sdn_population *p, const sdn_yaml *map, bool in_list, sdn_err *err)
{
  const char *name = "";
  if (in_list && sdn_yaml_text(map, "name", true, &name, err)) return err->status;
  if (in_list && !is_word(name))
    return sdn_yaml_fail(map, err, "the population's name '%.60s' will begin the names of its parameters: it must be of lower-case letters, digits and '_', at most %d", name, MAX_NAME);
  if (is_taken(name)) return sdn_yaml_fail(map, err, "a population cannot have the name '%s': parameters of nuclei begin with agn_, of birth clouds with birth_; choose another", name);
  for (int i = 0; i + 1 < m->n_population; i++)
    if (!strcmp(m->population[i].name, name)) return sdn_yaml_fail(map, err, "two populations have the name '%s'", name);
  p->name = sdn_copy_text(name, err);
  return p->name ? SDN_OK : err->status;
}

static sdn_status read_population(sdn_model *m, const sdn_yaml *map, bool in_list, sdn_err *err)
{
  static const char *const known[] = {"log_mass_formed_msun", "log_metallicity", "metallicity", "sfh", "name", "dust"};
  sdn_population *p = &m->population[m->n_population++];
  p->log_mass = -1;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "stars are a map {log_mass_formed_msun, log_metallicity, sfh}, or a list of such maps with a name each");
  if (sdn_yaml_only_keys(map, known, in_list ? 6 : 4, err) || read_name(m, p, map, in_list, err)) return err->status;
  if (!sdn_yaml_get(map, "sfh")) return sdn_yaml_fail(map, err, "stars need a history: sfh: {family: ...}");
  sdn_status status = enter(m, p, err);
  if (!status) status = sdn_model_add(m, &mass_spec, map, mass_spec.name, &p->log_mass, err);
  if (!status) status = sdn_metallicity_new(map, &m->grid->axis[1], m->prior, &p->metallicity, err);
  if (!status) status = sdn_sfh_model_new(sdn_yaml_get(map, "sfh"), m->prior, &p->sfh, err);
  if (!status) sdn_sfh_set_linear_age(p->sfh, !m->grid->axis[0].log);
  if (!status && sdn_metallicity_is_of_particles(p->metallicity) && !sdn_sfh_model_has_metallicity(p->sfh))
    status = sdn_yaml_fail(map, err, "metallicity: {family: particles} needs sfh: {family: particles} whose file has a column metallicity");
  if (!status) leave(m, p);
  return status;
}

sdn_status sdn_model_read_stars(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const sdn_yaml *stars = sdn_yaml_get(root, "stars"), *agn = sdn_yaml_get(root, "agn");
  if (stars && !sdn_model_is_none(stars)) {
    if (sdn_grid_require_stars(m->grid, err)) return sdn_fail_in(err, "%s:%d", m->origin, sdn_yaml_get(root, "grid")->line);
    if (stars->kind == SDN_YAML_MAP) return read_population(m, stars, false, err);
    if (stars->kind != SDN_YAML_LIST || stars->n == 0) return sdn_yaml_fail(stars, err, "stars are a map {log_mass_formed_msun, log_metallicity, sfh}, or a list of such maps");
    if (stars->n > SDN_MAX_POPULATION) return sdn_yaml_fail(stars, err, "%zu populations asked for; at most %d can be served", stars->n, SDN_MAX_POPULATION);
    for (size_t i = 0; i < stars->n; i++)
      if (read_population(m, stars->item[i], true, err)) return err->status;
    return SDN_OK;
  }
  if (agn && !sdn_model_is_none(agn)) return SDN_OK;
  return sdn_yaml_fail(root, err, "a model needs stars: {log_mass_formed_msun, log_metallicity, sfh}, or an agn:");
}

/* ------------------------------------------------------------------ dust */

static sdn_status read_birth_cloud(sdn_model *m, sdn_screens *s, const sdn_yaml *map, sdn_err *err)
{
  static const char *const more[] = {"age_myr"};
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "birth_cloud must be a map {law, a_v_mag, age_myr, ...}");
  if (sdn_prior_scope_enter(m->prior, "birth_", err)) return err->status;
  sdn_param_spec age = birth_age_spec;
  age.initial = "10";
  sdn_status status = sdn_attenuation_new(map, more, 1, m->prior, &s->birth, err);
  if (!status) status = sdn_model_add(m, &age, map, "age_myr", &s->birth_age_myr, err);
  sdn_prior_scope_leave(m->prior);
  return status;
}

static sdn_status read_screens(sdn_model *m, const sdn_yaml *map, sdn_screens *s, sdn_err *err)
{
  static const char *const more[] = {"covering_fraction", "line_factor", "birth_cloud"};
  const sdn_yaml *cloud = sdn_yaml_get(map, "birth_cloud");
  const sdn_yaml *factor = sdn_yaml_get(map, "line_factor");
  *s = (sdn_screens){.covering = -1, .line_factor = -1, .birth_age_myr = -1};
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "dust must be a map of its parameters, or none");
  if (sdn_attenuation_new(map, more, sizeof more / sizeof more[0], m->prior, &s->ism, err)) return err->status;
  if (factor && !(m->nebular.shines && m->grid->lines.value))
    return sdn_yaml_fail(factor, err, "line_factor is for the lines of the gas, but this model has none; leave it out, or give the model a nebula and a grid with lines");
  if (sdn_yaml_get(map, "covering_fraction") && sdn_model_add(m, &covering_spec, map, "covering_fraction", &s->covering, err)) return err->status;
  if (factor && sdn_model_add(m, &line_factor_spec, map, "line_factor", &s->line_factor, err)) return err->status;
  return cloud && !sdn_model_is_none(cloud) ? read_birth_cloud(m, s, cloud, err) : SDN_OK;
}

sdn_status sdn_model_read_dust(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const sdn_yaml *common = sdn_yaml_get(root, "dust"), *stars = sdn_yaml_get(root, "stars");
  const sdn_screens *before_all = NULL;
  if (common && !sdn_model_is_none(common)) {
    if (m->n_population == 0) return sdn_yaml_fail(common, err, "dust stands before stars, but this model has none; an agn's dust is a key of agn");
    before_all = &m->screens[m->n_screens++];
    if (read_screens(m, common, &m->screens[m->n_screens - 1], err)) return err->status;
  }
  for (int i = 0; i < m->n_population; i++) {
    sdn_population *p = &m->population[i];
    const sdn_yaml *own = *p->name ? sdn_yaml_get(stars->item[i], "dust") : NULL;
    p->screens = own ? NULL : before_all;
    if (!own || sdn_model_is_none(own)) continue;
    p->screens = &m->screens[m->n_screens++];
    if (enter(m, p, err) || read_screens(m, own, &m->screens[m->n_screens - 1], err)) return err->status;
    leave(m, p);
  }
  return SDN_OK;
}
