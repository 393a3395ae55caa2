/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading model.yaml.
 *
 *   grid: NAME or PATH                 paths are relative to where the program runs
 *   metallicity_interpolation: log | linear
 *   cosmology: Planck18 | {h0:, omega_m:}
 *   redshift: PARAMETER
 *   stars: {log_mass_formed_msun: PARAMETER, log_metallicity: PARAMETER or metallicity: {family: ...}, sfh: {family: ...}}
 *     or a list of such maps, each with its name: and, if it has its own, its dust:    (model_stars.c)
 *   nebular: {log_u:, escape_fraction:, ly_alpha_fraction:, dust_fraction:, log_gas_metallicity:} | none   without the key: its defaults, if the grid has the tables
 *   dust: {law: ..., a_v_mag:, covering_fraction:, line_factor:, birth_cloud: {law: ..., a_v_mag:, age_myr:}} | none         without the key: none
 *   dust_emission: {law: ...} | none   without the key: none
 *   agn: {...} | none                  without the key: none
 *   igm: inoue14 | ... | none          without the key: inoue14
 *   velocity_dispersion_km_s:, gas_velocity_dispersion_km_s: PARAMETER
 *   grid_axes: {AXIS: PARAMETER}       every further axis of the grid that has more than one node
 *   derived: {...}                     which derived quantities (derived.h)
 *   design: sobol | random             how a library covers the prior; without the key: sobol
 *
 * PARAMETER is a number, a formula or a prior. */
#include "physics/model.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "physics/model_read.h"

static const sdn_param_spec redshift_spec = {"redshift", "", NULL, 0, 20, "of the galaxy; below 1e-6 it stands 10 pc away"};
static const sdn_param_spec log_u_spec = {"log_u", "log10", "-2", 0, 0, "log10 of the ionisation parameter"};
static const sdn_param_spec gas_metallicity_spec = {"log_gas_metallicity", "log10", NULL, 0, 0, "log10 of the mass fraction of metals of the gas"};
static const sdn_param_spec escape_spec = {"escape_fraction", "", "0", 0, 1, "share of the starlight that meets neither gas nor dust"};
static const sdn_param_spec ly_alpha_spec = {"ly_alpha_fraction", "", "1", 0, 1, "share of Lyman alpha that leaves the gas, before dust and IGM"};
static const sdn_param_spec gas_dust_spec = {"dust_fraction", "", "0", 0, 1, "share of the ionising light that dust inside the gas takes"};
static const sdn_param_spec dispersion_spec = {"velocity_dispersion_km_s", "km/s", NULL, 0, 5000, "of the stars along the line of sight"};
static const sdn_param_spec gas_dispersion_spec = {"gas_velocity_dispersion_km_s", "km/s", "velocity_dispersion_km_s", 0, 5000, "of the gas: width of its lines"};
static const char log_u_axis[] = "ionisation_parameters";

void sdn_model_free(sdn_model *m)
{
  if (!m) return;
  for (int i = 0; i < m->n_population; i++) {
    sdn_release(m->population[i].name);
    sdn_metallicity_free(m->population[i].metallicity);
    sdn_sfh_model_free(m->population[i].sfh);
  }
  for (int i = 0; i < m->n_screens; i++) {
    sdn_attenuation_free(m->screens[i].ism);
    sdn_attenuation_free(m->screens[i].birth);
  }
  sdn_dust_emission_free(m->dust_emission);
  sdn_agn_free(m->agn);
  sdn_igm_free(m->igm);
  sdn_derived_plan_free(m->derived);
  sdn_prior_free(m->prior);
  sdn_census_free(m->census);
  sdn_cosmology_free(m->cosmology);
  sdn_grid_free(m->grid);
  sdn_release(m->yaml);
  sdn_release(m->origin);
  sdn_release(m);
}

bool sdn_model_is_none(const sdn_yaml *node) { return node && node->kind == SDN_YAML_SCALAR && strcmp(node->text, "none") == 0; }

/* A section that may be a map, the word none, or absent. */
static sdn_status check_section(const sdn_yaml *root, const char *name, sdn_err *err)
{
  const sdn_yaml *node = sdn_yaml_get(root, name);
  if (!node || node->kind == SDN_YAML_MAP || sdn_model_is_none(node)) return SDN_OK;
  return sdn_yaml_fail(node, err, "%s must be a map of its parameters, or none", name);
}

static sdn_status check_tree(const sdn_yaml *root, sdn_err *err)
{
  static const char *const known[] = {"grid", "metallicity_interpolation", "cosmology", "redshift", "stars", "nebular", "dust", "dust_emission", "agn", "igm",
                                      "velocity_dispersion_km_s", "gas_velocity_dispersion_km_s", "grid_axes", "derived", "design"};
  static const char *const section[] = {"nebular", "dust", "dust_emission", "agn"};
  if (root->kind != SDN_YAML_MAP) return sdn_yaml_fail(root, err, "a model must be a map with the keys grid, redshift, stars, ...");
  if (sdn_yaml_get(root, "torus")) return sdn_yaml_fail(sdn_yaml_get(root, "torus"), err, "unknown key 'torus'; a torus belongs to an active nucleus: agn: {disc: ..., torus: {law: ...}}");
  if (sdn_yaml_only_keys(root, known, sizeof known / sizeof known[0], err)) return err->status;
  for (size_t i = 0; i < sizeof section / sizeof section[0]; i++)
    if (check_section(root, section[i], err)) return err->status;
  return SDN_OK;
}

static sdn_status read_grid(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const char *name = NULL, *rule = "log";
  if (sdn_yaml_text(root, "grid", true, &name, err) || sdn_yaml_text(root, "metallicity_interpolation", false, &rule, err)) return err->status;
  if (sdn_grid_read(name, 0, HUGE_VAL, &m->grid, err)) return sdn_fail_in(err, "%s:%d", m->origin, sdn_yaml_get(root, "grid")->line);
  if (!strcmp(rule, "linear")) sdn_grid_set_axis_log(m->grid, 1, false);
  else if (strcmp(rule, "log") != 0)
    return sdn_yaml_fail(sdn_yaml_get(root, "metallicity_interpolation"), err, "metallicity_interpolation '%s' is not known; it is log or linear", rule);
  return SDN_OK;
}

static sdn_status read_design(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const char *design = "sobol";
  if (sdn_yaml_text(root, "design", false, &design, err)) return err->status;
  m->random_design = !strcmp(design, "random");
  if (m->random_design || !strcmp(design, "sobol")) return SDN_OK;
  return sdn_yaml_fail(sdn_yaml_get(root, "design"), err, "design '%s' is not known; it is sobol or random", design);
}

sdn_status sdn_model_add(sdn_model *m, const sdn_param_spec *spec, const sdn_yaml *map, const char *key, int *index, sdn_err *err)
{
  if (sdn_prior_bind(m->prior, spec->name, index, err)) return err->status;
  return sdn_prior_add(m->prior, spec, sdn_yaml_get(map, key), err);
}

/* ------------------------------------------------------------------ axes of the grid */

/* The values that an axis spans, as a parameter counts them. */
static void axis_limits(const sdn_grid_axis *a, bool as_log, sdn_param_spec *spec)
{
  const double low = a->value[0], high = a->value[a->n - 1];
  spec->low = as_log ? log10(low) : low;
  spec->high = as_log ? log10(high) : high;
}

static int find_log_u_axis(const sdn_grid *g)
{
  for (int a = 2; a < g->n_axis; a++)
    if (strcmp(g->axis[a].name, log_u_axis) == 0) return a;
  return -1;
}

/* Does any table that this model uses change along an axis? */
static bool axis_matters(const sdn_model *m, int axis)
{
  const sdn_grid *g = m->grid;
  if (g->incident.has_extra[axis]) return true;
  return m->nebular.shines && (g->transmitted.has_extra[axis] || g->nebular_continuum.has_extra[axis] || g->lines.has_extra[axis]);
}

static sdn_status add_grid_axes(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const sdn_yaml *map = sdn_yaml_get(root, "grid_axes");
  const char *known[SDN_GRID_MAX_AXIS];
  size_t n_known = 0;
  for (int a = 2; a < m->grid->n_axis; a++)
    if (strcmp(m->grid->axis[a].name, log_u_axis) != 0) known[n_known++] = m->grid->axis[a].name;
  if (map && map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "grid_axes must be a map from axis names to parameters");
  if (map && map->n > 0 && n_known == 0)
    return sdn_yaml_fail(map, err, "%s under grid_axes: grid %s has no further axes%s; leave grid_axes out", map->key[0], m->grid->name,
                         find_log_u_axis(m->grid) < 0 ? "" : " (log_u is set under nebular)");
  if (map && sdn_yaml_only_keys(map, known, n_known, err)) return err->status;
  for (int a = 2; a < m->grid->n_axis; a++) {
    const sdn_grid_axis *axis = &m->grid->axis[a];
    const sdn_yaml *node = sdn_yaml_get(map, axis->name);
    sdn_param_spec spec = {axis->name, "", NULL, 0, 0, "an axis of the grid"};
    if (strcmp(axis->name, log_u_axis) == 0 || (!node && (axis->n == 1 || !axis_matters(m, a)))) continue;
    axis_limits(axis, false, &spec);
    if (!node)
      return sdn_yaml_fail(map ? map : root, err, "grid %s has an axis %s from %g to %g; give it a value or a prior under grid_axes", m->grid->name, axis->name,
                           spec.low, spec.high);
    if (sdn_model_add(m, &spec, map, axis->name, &m->axis_param[a], err)) return err->status;
  }
  return SDN_OK;
}

double sdn_model_coordinate(const sdn_model *m, int axis, const double *params)
{
  const sdn_grid_axis *a = &m->grid->axis[axis];
  if (m->axis_param[axis] < 0) return a->coordinate[0];
  const double value = params[m->axis_param[axis]];
  if (m->axis_param[axis] == m->nebular.log_u) return a->log ? value : pow(10, value);
  return a->log ? log10(value) : value;
}

/* ------------------------------------------------------------------ gas */

static sdn_status add_log_u(sdn_model *m, const sdn_yaml *section, sdn_err *err)
{
  const sdn_yaml *node = sdn_yaml_get(section, "log_u");
  sdn_param_spec spec = log_u_spec;
  const int a = find_log_u_axis(m->grid);
  if (a < 0 || !axis_matters(m, a)) {
    if (!node) return SDN_OK;
    return sdn_yaml_fail(node, err, "grid %s was made for one ionisation parameter: it has no axis %s for log_u to move along; leave log_u out", m->grid->name, log_u_axis);
  }
  axis_limits(&m->grid->axis[a], true, &spec);
  if (sdn_prior_bind(m->prior, "log_u", &m->axis_param[a], err)) return err->status;
  return sdn_model_add(m, &spec, section, "log_u", &m->nebular.log_u, err);
}

static sdn_status add_gas_metallicity(sdn_model *m, const sdn_yaml *section, sdn_err *err)
{
  sdn_param_spec spec = gas_metallicity_spec;
  if (!sdn_yaml_get(section, spec.name)) return SDN_OK;
  axis_limits(&m->grid->axis[1], true, &spec);
  return sdn_model_add(m, &spec, section, spec.name, &m->nebular.log_gas_metallicity, err);
}

static sdn_status read_nebular(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  static const char *const known[] = {"log_u", "escape_fraction", "ly_alpha_fraction", "dust_fraction", "log_gas_metallicity"};
  const sdn_yaml *section = sdn_yaml_get(root, "nebular");
  sdn_nebular *n = &m->nebular;
  const bool has_tables = m->grid->nebular_continuum.value != NULL, is_map = section && section->kind == SDN_YAML_MAP;
  *n = (sdn_nebular){has_tables && m->n_population > 0 && !sdn_model_is_none(section), -1, -1, -1, -1, -1};
  if (is_map && sdn_yaml_only_keys(section, known, sizeof known / sizeof known[0], err)) return err->status;
  if (is_map && m->n_population == 0) return sdn_yaml_fail(section, err, "nebular is the gas around stars, but this model has none; leave it out (an agn has lines of its own)");
  if (is_map && !has_tables)
    return sdn_yaml_fail(section, err, "grid %s has no nebular tables; write nebular: none or choose a photoionised grid", m->grid->name);
  if (!n->shines) return SDN_OK;
  if (add_log_u(m, section, err) || add_gas_metallicity(m, section, err)) return err->status;
  if (sdn_model_add(m, &escape_spec, section, "escape_fraction", &n->escape, err)) return err->status;
  if (sdn_model_add(m, &ly_alpha_spec, section, "ly_alpha_fraction", &n->ly_alpha, err)) return err->status;
  if (!sdn_yaml_get(section, "dust_fraction")) return SDN_OK;
  return sdn_model_add(m, &gas_dust_spec, section, "dust_fraction", &n->dust_fraction, err);
}

/* ------------------------------------------------------------------ the whole */

static bool is_dust(const sdn_attenuation *a) { return a && strcmp(sdn_attenuation_name(a), "none") != 0; }

/* Is there anything that takes light? */
static bool has_dust(const sdn_model *m, const sdn_yaml *root)
{
  const sdn_yaml *of_agn = sdn_yaml_get(sdn_yaml_get(root, "agn"), "dust");
  for (int k = 0; k < m->n_screens; k++)
    if (is_dust(m->screens[k].ism) || is_dust(m->screens[k].birth)) return true;
  return (of_agn && !sdn_model_is_none(of_agn)) || sdn_yaml_get(sdn_yaml_get(root, "nebular"), "dust_fraction");
}

static sdn_status read_light(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const sdn_yaml *emission = sdn_yaml_get(root, "dust_emission"), *agn = sdn_yaml_get(root, "agn");
  if (emission && !sdn_model_is_none(emission)) {
    if (sdn_dust_emission_new(emission, m->prior, &m->dust_emission, err)) return err->status;
    if (!has_dust(m, root)) return sdn_yaml_fail(emission, err, "dust_emission re-emits what dust absorbs, but this model has no dust; add dust: {law: ...}");
  }
  if (agn && !sdn_model_is_none(agn) && sdn_agn_new(agn, m->prior, &m->agn, err)) return err->status;
  if (m->agn && m->n_population == 0 && sdn_agn_fraction_wave_A(m->agn) > 0)
    return sdn_yaml_fail(agn, err, "the nucleus' fraction is of the galaxy's light, but this model has no stars; give log_l_bol_lsun instead");
  if (m->agn && m->n_population == 0 && sdn_agn_is_by_stars(m->agn))
    return sdn_yaml_fail(agn, err, "l_bol_over_stars is the nucleus' power over that of the stars, but this model has no stars; give log_l_bol_lsun instead");
  return sdn_igm_new(sdn_yaml_get(root, "igm"), m->prior, &m->igm, err);
}

static sdn_status read_dispersions(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const bool stars = sdn_yaml_get(root, dispersion_spec.name) != NULL, gas = sdn_yaml_get(root, gas_dispersion_spec.name) != NULL;
  if (stars && sdn_model_add(m, &dispersion_spec, root, dispersion_spec.name, &m->velocity_dispersion, err)) return err->status;
  if (!stars && !gas) return SDN_OK;
  return sdn_model_add(m, &gas_dispersion_spec, root, gas_dispersion_spec.name, &m->gas_velocity_dispersion, err);
}

static sdn_status set_parameters(sdn_model *m, int n, const sdn_setting *setting, sdn_err *err)
{
  for (int i = 0; i < n; i++)
    if (sdn_prior_set(m->prior, setting[i].name, setting[i].value, err)) return err->status;
  return SDN_OK;
}

static sdn_status add_parameters(sdn_model *m, const sdn_yaml *root, int n_set, const sdn_setting *setting, sdn_err *err)
{
  if (sdn_prior_new(&m->prior, err) || sdn_census_new(m->cosmology, m->prior, &m->census, err)) return err->status;
  if (sdn_model_add(m, &redshift_spec, root, "redshift", &m->redshift, err)) return err->status;
  if (sdn_model_read_stars(m, root, err) || read_nebular(m, root, err) || sdn_model_read_dust(m, root, err) || read_light(m, root, err)) return err->status;
  if (read_dispersions(m, root, err) || add_grid_axes(m, root, err) || set_parameters(m, n_set, setting, err)) return err->status;
  return sdn_prior_finish(m->prior, err);
}

/* What no galaxy of the prior may have: stars older than the Universe. */
static sdn_status check_histories(const sdn_model *m, sdn_err *err)
{
  for (int p = 0; p < m->n_population; p++)
    if (sdn_sfh_check_prior(m->population[p].sfh, m->prior, m->cosmology, m->population[p].log_mass, err)) return err->status;
  return SDN_OK;
}

static void no_parameters(sdn_model *m)
{
  m->redshift = m->velocity_dispersion = m->gas_velocity_dispersion = -1;
  m->nebular = (sdn_nebular){false, -1, -1, -1, -1, -1};
  for (int a = 0; a < SDN_GRID_MAX_AXIS; a++) m->axis_param[a] = -1;
}

sdn_status sdn_model_parse(const char *yaml, const char *origin, sdn_model **out, sdn_err *err) { return sdn_model_parse_set(yaml, origin, 0, NULL, out, err); }

sdn_status sdn_model_parse_set(const char *yaml, const char *origin, int n_set, const sdn_setting *setting, sdn_model **out, sdn_err *err)
{
  sdn_yaml *root = NULL;
  *out = NULL;
  sdn_model *m = sdn_alloc(1, sizeof *m, "a model", err);
  if (!m) return err->status;
  no_parameters(m);
  sdn_status status = SDN_OK;
  if (!(m->yaml = sdn_copy_text(yaml, err)) || !(m->origin = sdn_copy_text(origin, err))) status = err->status;
  if (!status) status = sdn_yaml_parse(m->yaml, m->origin, &root, err);
  if (!status) status = check_tree(root, err);
  if (!status) status = sdn_cosmology_new(sdn_yaml_get(root, "cosmology"), &m->cosmology, err);
  if (!status) status = read_grid(m, root, err);
  if (!status) status = read_design(m, root, err);
  if (!status) status = sdn_derived_plan_new(sdn_yaml_get(root, "derived"), &m->derived, err);
  if (!status) status = add_parameters(m, root, n_set, setting, err);
  if (!status) status = check_histories(m, err);
  if (status && !strstr(err->text, origin)) sdn_fail_in(err, "%s", origin);   /* what is missing stands on no line */
  if (status) goto done;
  *out = m;
  m = NULL;
done:
  sdn_yaml_free(root);
  sdn_model_free(m);
  return status;
}

sdn_status sdn_model_read(const char *path, sdn_model **model, sdn_err *err) { return sdn_model_read_set(path, 0, NULL, model, err); }

sdn_status sdn_model_read_set(const char *path, int n_set, const sdn_setting *setting, sdn_model **model, sdn_err *err)
{
  char *text = NULL, *file = sdn_named_file("models", ".yaml", path, err);
  *model = NULL;
  if (!file) return err->status;
  sdn_status status = sdn_read_text_file(file, &text, err);
  if (status == SDN_OK) status = sdn_model_parse_set(text, file, n_set, setting, model, err);
  sdn_release(text);
  sdn_release(file);
  return status;
}

const sdn_prior *sdn_model_prior(const sdn_model *m) { return m->prior; }
const char *sdn_model_yaml(const sdn_model *m) { return m->yaml; }

double sdn_model_value(const double *params, int param, double absent) { return param < 0 ? absent : params[param]; }

void sdn_model_range(const sdn_model *m, int param, double absent, double *low, double *high)
{
  *low = *high = absent;
  if (param >= 0) sdn_prior_param_range(m->prior, param, low, high);
}

bool sdn_model_fixed_metallicity(const sdn_model *m, bool gas, double *log_metallicity)
{
  double first = 0;
  for (int p = 0; p < m->n_population; p++) {
    const int own = gas ? m->nebular.log_gas_metallicity : -1;
    const int param = own >= 0 ? own : sdn_metallicity_delta_param(m->population[p].metallicity);
    double low, high;
    if (param < 0) return false;
    sdn_prior_param_range(m->prior, param, &low, &high);
    if (high > low || (p > 0 && low != first)) return false;
    first = low;
  }
  *log_metallicity = first;
  return m->n_population > 0;
}
