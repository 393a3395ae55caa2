/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The axes of a grid file, under the names of any version of the layout. */
#include <math.h>
#include <string.h>

#include "physics/grid_read.h"

/* The layout's names, and what older files call the same. */
static const struct { const char *name, *older[3]; } spelling[] = {
  {"ages", {"age"}}, {"metallicities", {"metallicity"}}, {"ionisation_parameters", {"ionisation_parameter", "U"}},
  {"hydrogen_densities", {"hydrogen_density", "n_H"}}, {"alpha_enhancements", {"alpha_enhancement"}}, {"high_mass_slopes", {"high_mass_slope"}},
  {"depletion_scales", {"depletion_scale"}}, {"turbulences", {"turbulence"}}, {"column_densities", {"column_density"}}, {"redshifts", {"redshift"}},
  {"masses", {"mass"}}, {"accretion_rates_eddington", {"accretion_rate_eddington", "eddington_accretion_rate"}},
  {"cosine_inclinations", {"cosine_inclination"}}, {"spins", {"spin"}}, {"radiative_efficiencies", {"radiative_efficiency"}}};
enum { N_SPELLING = sizeof spelling / sizeof spelling[0], N_OLDER = 3 };
static const char log_prefix[] = "log10";

/* The layout's name of an axis; *log: the file's name says that its values are logarithms. */
static const char *proper_name(const char *name, bool *log)
{
  const size_t n = sizeof log_prefix - 1;
  const bool has_prefix = strncmp(name, log_prefix, n) == 0 && name[n];
  if (has_prefix) name += n;
  *log = has_prefix;
  for (int i = 0; i < N_SPELLING; i++)
    for (int j = 0; j < N_OLDER && spelling[i].older[j]; j++)
      if (strcmp(name, spelling[i].older[j]) == 0) return spelling[i].name;
  return name;
}

static int axis_rank(const char *proper) { return strcmp(proper, "ages") == 0 ? 0 : strcmp(proper, "metallicities") == 0 ? 1 : 2; }

int sdn_grid_find_axis(const sdn_grid *g, const char *name)
{
  bool log;
  const char *proper = proper_name(name, &log);
  for (int a = 0; a < g->n_axis; a++)
    if (strcmp(g->axis[a].name, proper) == 0) return a == 0 ? (g->has_ages ? a : -1) : a == 1 ? (g->has_metallicities ? a : -1) : a;
  return -1;
}

static bool try_name(const sdn_h5 *f, const char *prefix, const char *name, char *dataset, size_t size)
{
  snprintf(dataset, size, "axes/%s%s", prefix, name);
  return sdn_h5_has(f, dataset);
}

/* The dataset of the axis that the file calls `name`: that name, else another spelling of it. */
static sdn_status find_dataset(const sdn_h5 *f, const char *name, char *dataset, size_t size, sdn_err *err)
{
  bool log;
  const char *proper = proper_name(name, &log);
  if (try_name(f, "", name, dataset, size) || try_name(f, "", proper, dataset, size) || try_name(f, log_prefix, proper, dataset, size)) return SDN_OK;
  for (int i = 0; i < N_SPELLING; i++)
    for (int j = 0; j < N_OLDER && spelling[i].older[j] && strcmp(spelling[i].name, proper) == 0; j++)
      if (try_name(f, "", spelling[i].older[j], dataset, size) || try_name(f, log_prefix, spelling[i].older[j], dataset, size)) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "grid %s: its attribute axes names %s, but there is no axes/%s", sdn_h5_path(f), name, name);
}

static sdn_status check_axis(const sdn_h5 *f, const sdn_grid_axis *a, sdn_err *err)
{
  for (int i = 0; i < a->n; i++) {
    if (a->log && a->value[i] <= 0)
      return sdn_fail(err, SDN_FORMAT, "grid %s: axis %s is interpolated in its logarithm, but node %d is %g; leave that node out or give it a small positive value",
                      sdn_h5_path(f), a->name, i, a->value[i]);
    if (!isfinite(a->coordinate[i])) return sdn_fail(err, SDN_FORMAT, "grid %s: axis %s holds %g, which is not finite", sdn_h5_path(f), a->name, a->value[i]);
    if (i && !(a->coordinate[i] > a->coordinate[i - 1]))
      return sdn_fail(err, SDN_FORMAT, "grid %s: axis %s must ascend, but %g follows %g", sdn_h5_path(f), a->name, a->value[i], a->value[i - 1]);
  }
  return SDN_OK;
}

/* The factor to our unit; ages in "yr**2", as some published files have them by mistake, are years. Other axes keep their unit, but masses become solar. */
static sdn_status axis_factor(const sdn_h5 *f, const char *dataset, bool is_log, sdn_grid_axis *a, double *factor, sdn_err *err)
{
  char *text = NULL;
  const bool is_age = strcmp(a->name, "ages") == 0, is_mass = strcmp(a->name, "masses") == 0;
  *factor = 1;
  snprintf(a->unit, sizeof a->unit, "%s", is_age ? "yr" : is_mass ? "Msun" : "");
  if (!sdn_h5_has_attr(f, dataset, "Units")) return SDN_OK;
  if (sdn_h5_get_text(f, dataset, "Units", &text, err)) return err->status;
  sdn_status status = SDN_OK;
  const bool bare = !*text || strcmp(text, "dimensionless") == 0 || strncmp(text, "log10", 5) == 0 || strncmp(text, "dex", 3) == 0;
  if (is_age || is_mass) {
    const char *known = strcmp(text, "yr**2") == 0 ? "yr" : text;
    const bool ok = (is_log && bare) || sdn_unit_factor(known, is_age ? SDN_UNIT_AGE : SDN_UNIT_MASS, SDN_LSUN_ERG_PER_S, factor);
    if (!ok) status = sdn_fail(err, SDN_FORMAT, "grid %s: %s is in '%s', which is no unit of %s; mend its attribute Units", sdn_h5_path(f), dataset, text, is_age ? "time" : "mass");
  } else if (!bare) {
    snprintf(a->unit, sizeof a->unit, "%.31s", text);
  }
  sdn_release(text);
  return status;
}

static void set_coordinates(sdn_grid_axis *a)
{
  for (int i = 0; i < a->n; i++) a->coordinate[i] = a->log ? log10(a->value[i]) : a->value[i];
}

static sdn_status read_axis(const sdn_h5 *f, const char *name, sdn_grid_axis *a, sdn_err *err)
{
  char dataset[128];
  sdn_h5_shape shape;
  double factor;
  long log_on_read = 0;
  bool named_log, is_log;
  if (strlen(name) >= sizeof a->name) return sdn_fail(err, SDN_FORMAT, "grid %s: axis name %.20s... is longer than 63 characters", sdn_h5_path(f), name);
  if (find_dataset(f, name, dataset, sizeof dataset, err)) return err->status;
  snprintf(a->name, sizeof a->name, "%s", proper_name(name, &named_log));
  proper_name(dataset + strlen("axes/"), &is_log);
  if (sdn_h5_read_double(f, dataset, &a->value, &shape, err)) return err->status;
  if (shape.n_dim != 1 || shape.dim[0] < 1 || shape.dim[0] > 1000000)
    return sdn_fail(err, SDN_FORMAT, "grid %s: %s must be one row of numbers", sdn_h5_path(f), dataset);
  if (axis_factor(f, dataset, is_log, a, &factor, err)) return err->status;
  if (sdn_h5_has_attr(f, dataset, "log_on_read") && sdn_h5_get_long(f, dataset, "log_on_read", &log_on_read, err)) return err->status;
  a->n = (int)shape.dim[0];
  a->log = axis_rank(a->name) < 2 || log_on_read || is_log;   /* age and metallicity always: one rule for every grid */
  if (a->n == 1 && a->value[0] == 0 && !is_log) a->log = false;   /* a lone population without metals */
  a->coordinate = sdn_alloc((size_t)a->n, sizeof *a->coordinate, "a grid axis", err);
  if (!a->coordinate) return err->status;
  for (int i = 0; i < a->n; i++) a->value[i] = (is_log ? pow(10, a->value[i]) : a->value[i]) * factor;
  set_coordinates(a);
  return check_axis(f, a, err);
}

/* In the place of an axis that the file does not have: one node. */
static sdn_status stand_in(const char *name, sdn_grid_axis *a, sdn_err *err)
{
  snprintf(a->name, sizeof a->name, "%s", name);
  a->n = 1;
  a->log = true;
  a->value = sdn_alloc(1, sizeof *a->value, "a grid axis", err);
  a->coordinate = sdn_alloc(1, sizeof *a->coordinate, "a grid axis", err);
  if (!a->value || !a->coordinate) return err->status;
  a->value[0] = 1;
  return SDN_OK;
}

sdn_status sdn_grid_read_axes(const sdn_h5 *f, sdn_grid *g, sdn_err *err)
{
  char **names = NULL;
  size_t n = 0;
  if (!sdn_h5_has_attr(f, "/", "axes"))
    return sdn_fail(err, SDN_FORMAT, "%s has no attribute axes, so it is not a grid in Synthesizer's layout", sdn_h5_path(f));
  if (sdn_h5_get_texts(f, "/", "axes", &names, &n, err)) return err->status;
  sdn_status status = SDN_OK;
  int n_extra = 0;
  for (size_t i = 0; i < n && !status; i++) {
    bool log;
    const char *proper = proper_name(names[i], &log);
    const int rank = axis_rank(proper);
    sdn_grid_axis *a = &g->axis[rank < 2 ? rank : n_extra + 2 < SDN_GRID_MAX_AXIS ? n_extra + 2 : 0];
    g->old_layout = g->old_layout || log || strcmp(proper, names[i]) != 0;
    if (rank < 2 ? a->n > 0 : n_extra + 2 >= SDN_GRID_MAX_AXIS)
      status = sdn_fail(err, SDN_FORMAT, "grid %s: axis %s does not fit: one age axis, one metallicity axis and at most %d others are served", sdn_h5_path(f),
                        names[i], SDN_GRID_MAX_AXIS - 2);
    else
      status = read_axis(f, names[i], a, err);
    for (int b = 2; b < n_extra + 2 && !status && rank == 2; b++)
      if (strcmp(g->axis[b].name, proper) == 0) status = sdn_fail(err, SDN_FORMAT, "grid %s: axis %s is named twice", sdn_h5_path(f), names[i]);
    n_extra += rank == 2;
  }
  g->n_axis = 2 + n_extra;
  g->has_ages = g->axis[0].n > 0;
  g->has_metallicities = g->axis[1].n > 0;
  if (!status && n == 0) status = sdn_fail(err, SDN_FORMAT, "grid %s: its attribute axes names none", sdn_h5_path(f));
  if (!status && !g->has_ages) status = stand_in("ages", &g->axis[0], err);
  if (!status && !g->has_metallicities) status = stand_in("metallicities", &g->axis[1], err);
  sdn_release(names);
  return status;
}

sdn_status sdn_grid_require_stars(const sdn_grid *g, sdn_err *err)
{
  if (g->has_ages && g->has_metallicities) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "grid %s has no axis of %s, so it does not hold stellar populations; choose a grid of stars for the key `grid`%s", g->name,
                  g->has_ages ? "metallicities" : "ages", g->has_ages ? "" : ", and name this one in the section that its light belongs to (agn, dust emission)");
}

void sdn_grid_set_axis_log(sdn_grid *g, int axis, bool log)
{
  sdn_grid_axis *a = &g->axis[axis];
  for (int i = 0; i < a->n && log; i++)
    if (!(a->value[i] > 0)) return;   /* has no logarithm: stays as it is */
  a->log = log;
  set_coordinates(a);
}
