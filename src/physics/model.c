/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading model.yaml.
 *
 *   grid: NAME or PATH                 paths are relative to where the program runs
 *   cosmology: Planck18 | {h0:, omega_m:}
 *   redshift: PARAMETER
 *   stars: {log_mass_formed_msun: PARAMETER, log_metallicity: PARAMETER, sfh: {family: ...}}
 *   nebular: {log_u:, escape_fraction:, ly_alpha_fraction:} | none      without the key: its defaults, if the grid has nebular tables
 *   dust: {law: calzetti, a_v_mag:, slope:, bump:} | none               without the key: none
 *   igm: inoue14 | none                                                 without the key: inoue14
 *   design: sobol | random             how a library covers the prior; without the key: sobol
 *   grid_axes: {AXIS: PARAMETER}       every further axis of the grid that has more than one node
 *
 * PARAMETER is a number, a formula or a prior. */
#include "physics/model.h"

#include <math.h>
#include <string.h>

#include "base/file.h"

static const sdn_model_knob knobs[SDN_N_SLOT] = {
  {SDN_SLOT_REDSHIFT, NULL, "redshift", {"redshift", "", NULL, 0, 20, "of the galaxy; below 1e-6 it stands 10 pc away"}},
  {SDN_SLOT_LOG_MASS, "stars", "log_mass_formed_msun", {"log_mass_formed_msun", "log10 Msun", NULL, 0, 15, "all stellar mass ever formed"}},
  {SDN_SLOT_LOG_METALLICITY, "stars", "log_metallicity", {"log_metallicity", "log10", NULL, 0, 0, "log10 of the mass fraction of metals, of stars and gas"}},
  {SDN_SLOT_LOG_U, "nebular", "log_u", {"log_u", "log10", "-2", 0, 0, "log10 of the ionisation parameter"}},
  {SDN_SLOT_ESCAPE, "nebular", "escape_fraction", {"escape_fraction", "", "0", 0, 1, "share of the starlight that meets neither gas nor dust"}},
  {SDN_SLOT_LY_ALPHA, "nebular", "ly_alpha_fraction", {"ly_alpha_fraction", "", "1", 0, 1, "share of Lyman alpha that leaves the gas, before dust and IGM"}},
  {SDN_SLOT_A_V, "dust", "a_v_mag", {"a_v_mag", "mag", NULL, 0, 100, "attenuation at 5500 A, slope and bump included"}},
  {SDN_SLOT_DUST_SLOPE, "dust", "slope", {"dust_slope", "", "0", -3, 3, "power of wavelength by which the curve is tilted"}},
  {SDN_SLOT_DUST_BUMP, "dust", "bump", {"dust_bump", "", "0", 0, 10, "amplitude of the 2175 A bump, in units of Calzetti's k"}},
};
static const char log_u_axis[] = "ionisation_parameters";

const sdn_model_knob *sdn_model_knobs(size_t *n)
{
  *n = SDN_N_SLOT;
  return knobs;
}

void sdn_model_free(sdn_model *m)
{
  if (!m) return;
  sdn_sfh_model_free(m->sfh);
  sdn_prior_free(m->prior);
  sdn_cosmology_free(m->cosmology);
  sdn_grid_free(m->grid);
  sdn_release(m->yaml);
  sdn_release(m->origin);
  sdn_release(m);
}

static double age_universe_gyr(const void *cosmology, double z) { return sdn_cosmology_age_yr(cosmology, z) * 1e-9; }

static bool is_none(const sdn_yaml *node) { return node && node->kind == SDN_YAML_SCALAR && strcmp(node->text, "none") == 0; }

/* A section that may be a map, the word none, or absent. */
static sdn_status check_section(const sdn_yaml *node, const char *name, sdn_err *err)
{
  if (!node || node->kind == SDN_YAML_MAP || is_none(node)) return SDN_OK;
  return sdn_yaml_fail(node, err, "%s must be a map of its parameters, or none", name);
}

/* Only the keys of one section of the knob table, and `more`. */
static sdn_status check_keys(const sdn_yaml *map, const char *section, const char *more, sdn_err *err)
{
  const char *known[SDN_N_SLOT + 1];
  size_t n = 0;
  if (!map || map->kind != SDN_YAML_MAP) return SDN_OK;
  for (int s = 0; s < SDN_N_SLOT; s++)
    if (knobs[s].section && strcmp(knobs[s].section, section) == 0) known[n++] = knobs[s].key;
  if (more) known[n++] = more;
  return sdn_yaml_only_keys(map, known, n, err);
}

static sdn_status check_tree(const sdn_yaml *root, sdn_err *err)
{
  static const char *const known[] = {"grid", "cosmology", "redshift", "stars", "nebular", "dust", "igm", "grid_axes", "design"};
  const sdn_yaml *stars = sdn_yaml_get(root, "stars");
  if (root->kind != SDN_YAML_MAP) return sdn_yaml_fail(root, err, "a model must be a map with the keys grid, redshift, stars, ...");
  if (sdn_yaml_only_keys(root, known, sizeof known / sizeof known[0], err)) return err->status;
  if (!stars || stars->kind != SDN_YAML_MAP) return sdn_yaml_fail(stars ? stars : root, err, "a model needs stars: {log_mass_formed_msun, log_metallicity, sfh}");
  if (!sdn_yaml_get(stars, "sfh")) return sdn_yaml_fail(stars, err, "stars need a history: sfh: {family: ...}");
  if (check_section(sdn_yaml_get(root, "nebular"), "nebular", err) || check_section(sdn_yaml_get(root, "dust"), "dust", err)) return err->status;
  if (check_keys(stars, "stars", "sfh", err) || check_keys(sdn_yaml_get(root, "nebular"), "nebular", NULL, err)) return err->status;
  return check_keys(sdn_yaml_get(root, "dust"), "dust", "law", err);
}

static sdn_status read_grid(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const char *name = NULL;
  if (sdn_yaml_text(root, "grid", true, &name, err)) return err->status;
  if (!sdn_grid_read(name, 0, HUGE_VAL, &m->grid, err) && !sdn_grid_require_stars(m->grid, err)) return SDN_OK;
  return sdn_fail_in(err, "%s:%d", m->origin, sdn_yaml_get(root, "grid")->line);
}

static sdn_status read_laws(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const sdn_yaml *dust = sdn_yaml_get(root, "dust"), *nebular = sdn_yaml_get(root, "nebular");
  const char *igm = "inoue14", *law = "none";
  const bool has_tables = m->grid->nebular_continuum.value != NULL;
  if (sdn_yaml_text(root, "igm", false, &igm, err)) return err->status;
  if (sdn_igm_parse(igm, &m->igm, err)) return sdn_fail_in(err, "%s:%d", m->origin, sdn_yaml_get(root, "igm")->line);
  if (dust && dust->kind == SDN_YAML_MAP) {
    if (sdn_yaml_text(dust, "law", true, &law, err)) return err->status;
    if (sdn_attenuation_parse(law, &m->dust, err)) return sdn_fail_in(err, "%s:%d", m->origin, dust->line);
  }
  if (nebular && nebular->kind == SDN_YAML_MAP && !has_tables)
    return sdn_yaml_fail(nebular, err, "grid %s has no nebular tables; write nebular: none or choose a photoionised grid", m->grid->name);
  m->nebular = has_tables && !is_none(nebular);
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

/* The coordinates that an axis spans, as the parameter counts them. */
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
  return m->nebular && (g->transmitted.has_extra[axis] || g->nebular_continuum.has_extra[axis] || g->lines.has_extra[axis]);
}

static sdn_status add_slot(sdn_model *m, const sdn_yaml *root, sdn_slot slot, sdn_err *err)
{
  const sdn_model_knob *k = &knobs[slot];
  const sdn_yaml *section = k->section ? sdn_yaml_get(root, k->section) : root;
  sdn_param_spec spec = k->spec;
  if (slot == SDN_SLOT_LOG_METALLICITY) axis_limits(&m->grid->axis[1], true, &spec);
  if (slot == SDN_SLOT_LOG_U) {
    const int a = find_log_u_axis(m->grid);
    if (a < 0 || !axis_matters(m, a)) {
      if (!sdn_yaml_get(section, k->key)) return SDN_OK;
      return sdn_yaml_fail(sdn_yaml_get(section, k->key), err, "grid %s was made for one ionisation parameter: it has no axis %s for log_u to move along; leave log_u out",
                           m->grid->name, log_u_axis);
    }
    axis_limits(&m->grid->axis[a], true, &spec);
  }
  const sdn_yaml *node = sdn_yaml_get(section, k->key);
  if (!sdn_prior_add(m->prior, &spec, node, err)) return SDN_OK;
  return node ? err->status : sdn_fail_in(err, "%s", m->origin);
}

static sdn_status add_grid_axes(sdn_model *m, const sdn_yaml *root, sdn_err *err)
{
  const sdn_yaml *map = sdn_yaml_get(root, "grid_axes");
  const char *known[SDN_GRID_MAX_AXIS];
  size_t n_known = 0;
  for (int a = 2; a < m->grid->n_axis; a++)
    if (strcmp(m->grid->axis[a].name, log_u_axis) != 0) known[n_known++] = m->grid->axis[a].name;
  if (map && map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "grid_axes must be a map from axis names to parameters");
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
    if (sdn_prior_add(m->prior, &spec, node, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status set_parameters(sdn_model *m, int n, const sdn_setting *setting, sdn_err *err)
{
  for (int i = 0; i < n; i++)
    if (sdn_prior_set(m->prior, setting[i].name, setting[i].value, err)) return err->status;
  return SDN_OK;
}

static sdn_status add_parameters(sdn_model *m, const sdn_yaml *root, int n_set, const sdn_setting *setting, sdn_err *err)
{
  if (sdn_prior_new(&m->prior, err) || sdn_prior_add_function(m->prior, "age_universe_gyr", age_universe_gyr, m->cosmology, err)) return err->status;
  for (int s = SDN_SLOT_REDSHIFT; s <= SDN_SLOT_LOG_METALLICITY; s++)
    if (add_slot(m, root, (sdn_slot)s, err)) return err->status;
  if (sdn_sfh_model_new(sdn_yaml_get(sdn_yaml_get(root, "stars"), "sfh"), m->prior, &m->sfh, err)) return err->status;
  for (int s = SDN_SLOT_LOG_U; m->nebular && s <= SDN_SLOT_LY_ALPHA; s++)
    if (add_slot(m, root, (sdn_slot)s, err)) return err->status;
  for (int s = SDN_SLOT_A_V; m->dust != SDN_ATTENUATION_NONE && s <= SDN_SLOT_DUST_BUMP; s++)
    if (add_slot(m, root, (sdn_slot)s, err)) return err->status;
  if (add_grid_axes(m, root, err) || set_parameters(m, n_set, setting, err) || sdn_prior_finish(m->prior, err)) return err->status;
  return sdn_sfh_model_bind(m->sfh, m->prior, err);
}

static void bind(sdn_model *m)
{
  for (int s = 0; s < SDN_N_SLOT; s++) m->param[s] = sdn_prior_param_index(m->prior, knobs[s].spec.name);
  for (int a = 0; a < SDN_GRID_MAX_AXIS; a++) m->axis_param[a] = -1;
  for (int a = 2; a < m->grid->n_axis; a++) {
    const bool is_log_u = strcmp(m->grid->axis[a].name, log_u_axis) == 0;
    m->axis_param[a] = is_log_u ? m->param[SDN_SLOT_LOG_U] : sdn_prior_param_index(m->prior, m->grid->axis[a].name);
  }
  m->axis_param[1] = m->param[SDN_SLOT_LOG_METALLICITY];
}

sdn_status sdn_model_parse(const char *yaml, const char *origin, sdn_model **out, sdn_err *err) { return sdn_model_parse_set(yaml, origin, 0, NULL, out, err); }

sdn_status sdn_model_parse_set(const char *yaml, const char *origin, int n_set, const sdn_setting *setting, sdn_model **out, sdn_err *err)
{
  sdn_yaml *root = NULL;
  *out = NULL;
  sdn_model *m = sdn_alloc(1, sizeof *m, "a model", err);
  if (!m) return err->status;
  sdn_status status = SDN_OK;
  if (!(m->yaml = sdn_copy_text(yaml, err)) || !(m->origin = sdn_copy_text(origin, err))) status = err->status;
  if (!status) status = sdn_yaml_parse(m->yaml, m->origin, &root, err);
  if (!status) status = check_tree(root, err);
  if (!status) status = sdn_cosmology_new(sdn_yaml_get(root, "cosmology"), &m->cosmology, err);
  if (!status) status = read_grid(m, root, err);
  if (!status) status = read_laws(m, root, err);
  if (!status) status = read_design(m, root, err);
  if (!status) status = add_parameters(m, root, n_set, setting, err);
  if (status) goto done;
  bind(m);
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

double sdn_model_value(const sdn_model *m, sdn_slot slot, const double *params) { return m->param[slot] < 0 ? 0 : params[m->param[slot]]; }

double sdn_model_coordinate(const sdn_model *m, int axis, const double *params)
{
  const sdn_grid_axis *a = &m->grid->axis[axis];
  if (m->axis_param[axis] < 0) return a->coordinate[0];
  const double value = params[m->axis_param[axis]];
  const bool is_log = m->axis_param[axis] == m->param[SDN_SLOT_LOG_U] || m->axis_param[axis] == m->param[SDN_SLOT_LOG_METALLICITY];
  if (is_log) return a->log ? value : pow(10, value);
  return a->log ? log10(value) : value;
}
