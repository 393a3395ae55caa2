/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From parameters to the beams of a galaxy: how much mass stands on which nodes of age and metallicity. */
#include <math.h>
#include <string.h>

#include "physics/galaxy.h"

static sdn_status check_finite(const sdn_forward *f, const double *params, long row, sdn_err *err)
{
  const sdn_prior *prior = f->model->prior;
  for (int p = 0; p < sdn_prior_n_param(prior); p++)
    if (!isfinite(params[p]))
      return sdn_fail_row(err, SDN_NUMERIC, row, "galaxy %ld: parameter %s is %g, not a finite number", row, sdn_prior_param_name(prior, p), params[p]);
  return SDN_OK;
}

static sdn_status check_range(const sdn_galaxy *g, const sdn_forward *f, long row, sdn_err *err)
{
  const double slack = 1e-9 * (1 + f->z_high);
  if (!(g->redshift >= f->z_low - slack && g->redshift <= f->z_high + slack))
    return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: redshift %g is outside the %g to %g that this model was prepared for", row, g->redshift, f->z_low, f->z_high);
  if (!(g->escape >= 0 && g->escape <= 1)) return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: escape_fraction %g is outside 0 to 1", row, g->escape);
  if (!(g->dust_fraction >= 0 && g->dust_fraction <= 1)) return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: dust_fraction %g is outside 0 to 1", row, g->dust_fraction);
  if (!(g->sigma_ln >= 0 && g->gas_sigma_ln >= 0)) return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: a velocity dispersion is negative", row);
  return SDN_OK;
}

static sdn_status outside(const sdn_grid_axis *axis, double x, long row, sdn_err *err)
{
  return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: %s%s is %g but the grid spans %g to %g", row, axis->log ? "log10 of " : "", axis->name, x, axis->coordinate[0],
                      axis->coordinate[axis->n - 1]);
}

/* All but the stars. */
static sdn_status place(const sdn_forward *f, const double *params, long row, sdn_galaxy *g, sdn_arena *arena, sdn_err *err)
{
  const sdn_model *m = f->model;
  *g = (sdn_galaxy){.params = params, .mass_msun = 1};
  if (check_finite(f, params, row, err)) return err->status;
  g->redshift = params[m->redshift];
  g->escape = sdn_model_value(params, m->nebular.escape, 0);
  g->ly_alpha = sdn_model_value(params, m->nebular.ly_alpha, 1);
  g->dust_fraction = sdn_model_value(params, m->nebular.dust_fraction, 0);
  g->igm_scale = sdn_igm_scale(m->igm, params);
  g->sigma_ln = sdn_model_value(params, m->velocity_dispersion, 0) / SDN_LIGHT_KM_S;
  g->gas_sigma_ln = sdn_model_value(params, m->gas_velocity_dispersion, 0) / SDN_LIGHT_KM_S;
  if (check_range(g, f, row, err)) return err->status;
  for (int a = 2; a < m->grid->n_axis; a++) {
    const double x = sdn_model_coordinate(m, a, params);
    if (!sdn_grid_locate_coordinate(&m->grid->axis[a], x, false, &g->place.node[a], &g->place.t[a])) return outside(&m->grid->axis[a], x, row, err);
  }
  g->history = sdn_arena_take(arena, (size_t)m->n_population + 1, sizeof *g->history, err);
  g->share = sdn_arena_take(arena, (size_t)m->n_population + 1, sizeof *g->share, err);
  g->beam = sdn_arena_take(arena, (size_t)f->n_beam + 1, sizeof *g->beam, err);
  return g->history && g->share && g->beam ? SDN_OK : err->status;
}

/* ------------------------------------------------------------------ strips */

static int length_of(int n, const float *weight)
{
  while (n > 0 && !(weight[n - 1] > 0 || weight[n - 1] < 0)) n--;
  return n;
}

/* One strip: `share` of the mass on ages [n_age], at a metallicity given by the logarithm. */
static sdn_status one_strip(const sdn_forward *f, const double *mass, double share, double log_metallicity, long row, sdn_strip *s, sdn_arena *arena, sdn_err *err)
{
  const sdn_grid *grid = f->model->grid;
  const sdn_grid_axis *axis = &grid->axis[1];
  const double x = axis->log ? log_metallicity : pow(10, log_metallicity);
  const int n = grid->axis[0].n;
  float *weight = sdn_arena_take(arena, (size_t)n, sizeof *weight, err);
  if (!weight) return err->status;
  *s = (sdn_strip){.weight = weight};
  if (!sdn_grid_locate_coordinate(axis, x, false, &s->metallicity, &s->t)) return outside(axis, x, row, err);
  for (int a = 0; a < n; a++) weight[a] = (float)(share * mass[a]);
  s->n_age = length_of(n, weight);
  return SDN_OK;
}

/* Pairs of neighbouring metallicities of a table weight [n_z][n_age] that hold any mass. */
static sdn_status many_strips(const sdn_forward *f, const float *weight, int *n_strip, sdn_strip **strips, sdn_arena *arena, sdn_err *err)
{
  const int n_age = f->model->grid->axis[0].n, n_z = f->model->grid->axis[1].n;
  float *nothing = sdn_arena_take(arena, (size_t)n_age, sizeof *nothing, err);
  sdn_strip *s = sdn_arena_take(arena, (size_t)n_z, sizeof *s, err);
  if (!nothing || !s) return err->status;
  memset(nothing, 0, (size_t)n_age * sizeof *nothing);
  *strips = s;
  *n_strip = 0;
  for (int k = 0; k < n_z; k += 2) {
    const float *low = weight + (size_t)k * (size_t)n_age, *up = k + 1 < n_z ? low + n_age : nothing;
    const int n_low = length_of(n_age, low), n_up = length_of(n_age, up);
    if (n_low == 0 && n_up == 0) continue;
    if (k + 1 == n_z && n_z > 1)   /* the last node stands alone: it is the upper one of the pair before */
      s[(*n_strip)++] = (sdn_strip){nothing, low, n_low, k - 1, 0};
    else
      s[(*n_strip)++] = (sdn_strip){low, up, n_low > n_up ? n_low : n_up, k, 0};
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ a population */

typedef struct stars { const sdn_population *p; const sdn_sfh *h; double share, limit_yr; } stars;   /* limit_yr: young stars only; INFINITY: all */

/* Mass per age node of stars younger than the limit, [n_age]. */
static double *age_weights(const sdn_forward *f, const stars *s, sdn_arena *arena, sdn_err *err)
{
  const sdn_grid_axis *age = &f->model->grid->axis[0];
  double *mass = sdn_arena_take(arena, (size_t)age->n, sizeof *mass, err);
  if (!mass) return NULL;
  if (s->limit_yr < HUGE_VAL)
    sdn_sfh_weights_since(s->h, s->limit_yr, age->n, age->value, mass);
  else
    sdn_sfh_weights(s->h, age->n, age->value, mass);
  return mass;
}

/* Mass on nodes [n_z][n_age] of a population whose metallicity is spread, of unit total times the share. */
static float *node_weights(const sdn_forward *f, const double *params, const stars *s, const double *mass, sdn_arena *arena, sdn_err *err)
{
  const sdn_grid *grid = f->model->grid;
  const size_t n = (size_t)grid->axis[0].n * (size_t)grid->axis[1].n;
  float *weight = sdn_arena_take(arena, n, sizeof *weight, err);
  if (!weight || sdn_metallicity_weights(s->p->metallicity, params, s->h, s->limit_yr, grid->axis[0].n, grid->axis[0].value, mass, weight, arena, err)) return NULL;
  for (size_t i = 0; i < n; i++) weight[i] = (float)(s->share * (double)weight[i]);
  return weight;
}

/* The gas' own metallicity. */
static sdn_status gas_strip(const sdn_forward *f, const double *params, const double *mass, double share, long row, sdn_beam *b, sdn_arena *arena, sdn_err *err)
{
  b->n_gas_strip = 1;
  b->gas_strip = sdn_arena_take(arena, 1, sizeof *b->gas_strip, err);
  if (!b->gas_strip) return err->status;
  return one_strip(f, mass, share, params[f->model->nebular.log_gas_metallicity], row, b->gas_strip, arena, err);
}

static sdn_status finish_beam(const sdn_forward *f, const double *params, const double *mass, double share, long row, sdn_beam *b, sdn_arena *arena, sdn_err *err)
{
  if (f->model->nebular.log_gas_metallicity >= 0) return gas_strip(f, params, mass, share, row, b, arena, err);
  b->n_gas_strip = b->n_strip;
  b->gas_strip = b->strip;
  return SDN_OK;
}

static sdn_status delta_beam(const sdn_forward *f, const double *params, const stars *s, const double *mass, long row, sdn_beam *b, sdn_arena *arena, sdn_err *err)
{
  b->n_strip = 1;
  b->strip = sdn_arena_take(arena, 1, sizeof *b->strip, err);
  if (!b->strip) return err->status;
  if (one_strip(f, mass, s->share, params[sdn_metallicity_delta_param(s->p->metallicity)], row, b->strip, arena, err)) return err->status;
  return finish_beam(f, params, mass, s->share, row, b, arena, err);
}

/* beam[0]: all stars, or where young is not NULL those that are not young; beam[1]: the young ones. */
static sdn_status spread_beams(const sdn_forward *f, const double *params, const stars *all, const double *mass, const stars *young, const double *mass_young, long row,
                               sdn_beam *beam, sdn_arena *arena, sdn_err *err)
{
  const size_t n = (size_t)f->model->grid->axis[0].n * (size_t)f->model->grid->axis[1].n;
  double *old = (double *)mass;
  float *weight = NULL, *weight_young = NULL;
  if (young && !(weight_young = node_weights(f, params, young, mass_young, arena, err))) return err->status;
  if (young && many_strips(f, weight_young, &beam[1].n_strip, &beam[1].strip, arena, err)) return err->status;
  if (young && finish_beam(f, params, mass_young, all->share, row, &beam[1], arena, err)) return err->status;
  if (young && !(old = sdn_arena_take(arena, (size_t)f->model->grid->axis[0].n, sizeof *old, err))) return err->status;
  if (!(weight = node_weights(f, params, all, mass, arena, err))) return err->status;
  for (size_t i = 0; young && i < n; i++) weight[i] = fmaxf(weight[i] - weight_young[i], 0);
  for (int a = 0; young && a < f->model->grid->axis[0].n; a++) old[a] = fmax(mass[a] - mass_young[a], 0);
  if (many_strips(f, weight, &beam[0].n_strip, &beam[0].strip, arena, err)) return err->status;
  return finish_beam(f, params, old, all->share, row, &beam[0], arena, err);
}

static sdn_status make_beams(const sdn_forward *f, const double *params, const sdn_population *p, const sdn_sfh *h, double share, long row, sdn_beam *beam, sdn_arena *arena,
                             sdn_err *err)
{
  const sdn_screens *screens = p->screens;
  const bool split = screens && screens->birth;
  const stars all = {p, h, share, HUGE_VAL}, young = {p, h, share, split ? 1e6 * params[screens->birth_age_myr] : 0};
  double *mass = age_weights(f, &all, arena, err), *mass_young = NULL;
  if (!mass || (split && !(mass_young = age_weights(f, &young, arena, err)))) return err->status;
  if (sdn_metallicity_delta_param(p->metallicity) < 0) return spread_beams(f, params, &all, mass, split ? &young : NULL, mass_young, row, beam, arena, err);
  if (split && delta_beam(f, params, &young, mass_young, row, &beam[1], arena, err)) return err->status;
  for (int a = 0; split && a < f->model->grid->axis[0].n; a++) mass[a] = fmax(mass[a] - mass_young[a], 0);
  return delta_beam(f, params, &all, mass, row, &beam[0], arena, err);
}

sdn_status sdn_galaxy_prepare(const sdn_forward *f, const double *params, long row, sdn_galaxy *g, sdn_arena *arena, sdn_err *err)
{
  const sdn_model *m = f->model;
  double sum = 0;
  if (place(f, params, row, g, arena, err)) return err->status;
  const double age_yr = sdn_cosmology_age_yr(m->cosmology, g->redshift);
  for (int p = 0; p < m->n_population; p++) sum += g->share[p] = pow(10, params[m->population[p].log_mass]);
  if (m->n_population) g->mass_msun = sum;
  for (int p = 0, b = 0; p < m->n_population; p++) {
    const sdn_population *of = &m->population[p];
    if (sdn_sfh_prepare(of->sfh, params, age_yr, g->share[p], arena, &g->history[p], err)) {
      sdn_fail_in(err, "galaxy %ld", row);
      err->row = row;
      return err->status;
    }
    g->share[p] /= sum;
    if (make_beams(f, params, of, &g->history[p], g->share[p], row, &g->beam[b], arena, err)) return err->status;
    b += of->screens && of->screens->birth ? 2 : 1;
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ all populations together */

double sdn_galaxy_mass_since(const sdn_forward *f, const sdn_galaxy *g, double age_yr)
{
  double sum = f->model->n_population ? 0 : NAN;
  for (int p = 0; p < f->model->n_population; p++) sum += g->share[p] * sdn_sfh_mass_since(&g->history[p], age_yr);
  return sum;
}

double sdn_galaxy_mean_age_yr(const sdn_forward *f, const sdn_galaxy *g)
{
  double sum = f->model->n_population ? 0 : NAN;
  for (int p = 0; p < f->model->n_population; p++) sum += g->share[p] * sdn_sfh_mean_age_yr(&g->history[p]);
  return sum;
}

/* Halves the interval until it is 1e-12 of the Universe's age wide: one population has a faster way. */
double sdn_galaxy_age_of_fraction(const sdn_forward *f, const sdn_galaxy *g, double fraction_formed)
{
  if (f->model->n_population == 0) return NAN;
  if (f->model->n_population == 1) return sdn_sfh_age_of_fraction(&g->history[0], fraction_formed);
  double young = 0, old = sdn_cosmology_age_yr(f->model->cosmology, g->redshift);
  for (int i = 0; i < 40; i++) {
    const double middle = 0.5 * (young + old);
    *(sdn_galaxy_mass_since(f, g, middle) < 1 - fraction_formed ? &young : &old) = middle;
  }
  return 0.5 * (young + old);
}

/* Cells of a table's axes beyond metallicity around a place, and their shares [MAX_CORNER]; how many. */
#define MAX_CORNER (1 << (SDN_GRID_MAX_AXIS - 2))
static int corners_around(const sdn_grid *grid, const sdn_place *place, const sdn_grid_table *t, int *cell, double *share)
{
  int n = 1;
  cell[0] = 0;
  share[0] = 1;
  for (int a = 2; a < grid->n_axis && t->n_extra > 1; a++)
    for (int i = 0, n_before = n; t->has_extra[a] && i < n_before; i++) {
      const int low = cell[i] * grid->axis[a].n + place->node[a];
      if (place->t[a] > 0) {   /* also keeps away from the node beyond the last */
        cell[n] = low + 1;
        share[n++] = share[i] * place->t[a];
      }
      cell[i] = low;
      share[i] *= 1 - place->t[a];
    }
  return n;
}

static double sum_in_cell(const sdn_strip *s, const sdn_grid_table *t, int cell)
{
  double sum = 0;
  const bool many = t->n_metallicity > 1;
  for (int a = 0; a < s->n_age && a < t->n_age; a++) {
    const double up = s->weight_up ? (double)s->weight_up[a] : s->t * (double)s->weight[a], low = s->weight_up ? (double)s->weight[a] : (1 - s->t) * (double)s->weight[a];
    sum += low * (double)*sdn_grid_row(t, a, many ? s->metallicity : 0, cell);
    if (up > 0) sum += up * (double)*sdn_grid_row(t, a, many ? s->metallicity + 1 : 0, cell);
  }
  return sum;
}

double sdn_strip_sum(const sdn_grid *grid, const sdn_place *place, const sdn_strip *s, const sdn_grid_table *t)
{
  int cell[MAX_CORNER];
  double share[MAX_CORNER], sum = 0;
  const int n = corners_around(grid, place, t, cell, share);
  for (int i = 0; i < n; i++) sum += share[i] * sum_in_cell(s, t, cell[i]);
  return sum;
}

/* ------------------------------------------------------------------ a given history */

/* The part of the table that is (not) in birth clouds, per mass_msun, [n_z][n_age]; and per age alone. */
static float *part_of_weights(const sdn_forward *f, const double *weight, double mass_msun, double from_yr, double to_yr, double *per_age, sdn_arena *arena, sdn_err *err)
{
  const sdn_grid *grid = f->model->grid;
  const int n_age = grid->axis[0].n, n_z = grid->axis[1].n;
  float *out = sdn_arena_take(arena, (size_t)n_age * (size_t)n_z, sizeof *out, err);
  if (!out) return NULL;
  for (int a = 0; a < n_age; a++) {
    const bool in = grid->axis[0].value[a] >= from_yr && grid->axis[0].value[a] < to_yr;
    per_age[a] = 0;
    for (int k = 0; k < n_z; k++) {
      const double w = in ? weight[a * n_z + k] / mass_msun : 0;
      per_age[a] += w;
      out[k * n_age + a] = (float)w;
    }
  }
  return out;
}

sdn_status sdn_galaxy_of_weights(const sdn_forward *f, const double *params, const double *weight, long row, sdn_galaxy *g, sdn_arena *arena, sdn_err *err)
{
  const sdn_grid *grid = f->model->grid;
  const size_t n = (size_t)grid->axis[0].n * (size_t)grid->axis[1].n;
  double sum = 0;
  if (place(f, params, row, g, arena, err)) return err->status;
  for (size_t i = 0; i < n; i++) sum += weight[i];
  if (!(sum > 0 && isfinite(sum))) return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: the mass on its nodes sums to %g Msun; it must be positive", row, sum);
  g->mass_msun = sum;
  g->share[0] = 1;
  memset(&g->history[0], 0, sizeof g->history[0]);
  const double limit = f->n_beam > 1 ? 1e6 * params[f->model->population[0].screens->birth_age_myr] : 0;
  double *per_age = sdn_arena_take(arena, (size_t)grid->axis[0].n, sizeof *per_age, err);
  for (int b = 0; per_age && b < f->n_beam; b++) {
    const bool young = f->beam[b].young;
    const float *part = part_of_weights(f, weight, sum, young ? 0 : limit, young ? limit : HUGE_VAL, per_age, arena, err);
    if (!part || many_strips(f, part, &g->beam[b].n_strip, &g->beam[b].strip, arena, err)) return err->status;
    if (finish_beam(f, params, per_age, 1, row, &g->beam[b], arena, err)) return err->status;
  }
  return per_age ? SDN_OK : err->status;
}

/* ------------------------------------------------------------------ spectra */

typedef struct job { const sdn_panels *panels; bool gas; } job;

static int count_strips(const sdn_forward *f, int n, const sdn_galaxy *g, bool gas)
{
  int sum = 0;
  for (int i = 0; i < n; i++)
    for (int b = 0; b < f->n_beam; b++) sum += gas ? g[i].beam[b].n_gas_strip : g[i].beam[b].n_strip;
  return sum;
}

/* A beam without stars still needs its zeros. */
static const sdn_strip empty_strip = {0};

/* Where gas shines for the youngest stars only, old ones cost nothing. */
static int ages_in_use(const sdn_strip *s, int n_age)
{
  const int n = s->n_age < n_age ? s->n_age : n_age;
  return s->weight_up || n == s->n_age ? n : length_of(n, s->weight);
}

static int beam_rows(const sdn_galaxy *g, const sdn_beam *b, const job *j, int out, const unsigned char *need, sdn_panel_row *rows)
{
  const int n = j->gas ? b->n_gas_strip : b->n_strip, n_row = n > 0 ? n : 1, n_age = sdn_panels_n_age(j->panels);
  for (int k = 0; k < n_row; k++) {
    const sdn_strip *s = n == 0 ? &empty_strip : j->gas ? &b->gas_strip[k] : &b->strip[k];
    rows[k] = (sdn_panel_row){.weight = s->weight, .weight_up = s->weight_up, .n_age = ages_in_use(s, n_age), .place = &g->place, .metallicity = s->metallicity, .t = s->t,
                              .out = out, .more = k > 0, .redshift = g->redshift, .need = need};
  }
  return n_row;
}

static sdn_status project(const sdn_forward *f, const job *j, int n, const sdn_galaxy *g, const unsigned char *need, float **out, long *stride, sdn_arena *arena, sdn_err *err)
{
  *out = NULL;
  if (!j->panels) return SDN_OK;
  const size_t n_out = (size_t)n * (size_t)f->n_beam;
  int n_row = 0;
  *stride = (long)(sdn_panels_block1(j->panels) - sdn_panels_block0(j->panels)) * SDN_BLOCK;
  *out = sdn_arena_take(arena, n_out * (size_t)*stride, sizeof **out, err);
  sdn_panel_row *rows = *out ? sdn_arena_take(arena, n_out + (size_t)count_strips(f, n, g, j->gas), sizeof *rows, err) : NULL;
  if (!rows) return err->status;
  for (int i = 0; i < n; i++)
    for (int b = 0; b < f->n_beam; b++)
      n_row += beam_rows(&g[i], &g[i].beam[b], j, i * f->n_beam + b, need + (size_t)i * (size_t)f->columns.n_block, rows + n_row);
  return sdn_panels_project(j->panels, n_row, rows, *out, *stride, arena, err);
}

sdn_status sdn_galaxies_light(const sdn_forward *f, int n, const sdn_galaxy *g, const unsigned char *need, sdn_light *light, sdn_arena *arena, sdn_err *err)
{
  const job starlight = {f->stars, false}, taken = {f->taken, false}, nebula = {f->nebula, true};
  *light = (sdn_light){0};
  light->n_taken = f->taken ? sdn_panels_block1(f->taken) : 0;
  if (project(f, &starlight, n, g, need, &light->stars, &light->stride, arena, err)) return err->status;
  if (project(f, &taken, n, g, need, &light->taken, &light->stride_taken, arena, err)) return err->status;
  return project(f, &nebula, n, g, need, &light->nebula, &light->stride_nebula, arena, err);
}

double sdn_galaxy_sum_over_stars(const sdn_forward *f, const sdn_galaxy *g, const sdn_grid_table *t)
{
  double sum = 0;
  if (!t->value || f->n_beam == 0) return NAN;
  for (int b = 0; b < f->n_beam; b++)
    for (int k = 0; k < g->beam[b].n_strip; k++) sum += sdn_strip_sum(f->model->grid, &g->place, &g->beam[b].strip[k], t);
  return sum;
}
