/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From parameters to the spectrum that leaves a galaxy:
 *   L = f_esc incident + (1 - f_esc)(transmitted + nebular continuum) 10^(-0.4 A_V k),  lines (1 - f_esc) L_line 10^(-0.4 A_V k)
 * Light that escapes the gas meets no dust either. */
#include <math.h>
#include <string.h>

#include "physics/galaxy.h"
#include "physics/galaxy_kernel.h"

#define TAU_PER_MAG 0.92103403719761836   /* 0.4 ln 10 */

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
  if (!(g->a_v_mag >= 0)) return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: a_v_mag %g is negative", row, g->a_v_mag);
  return SDN_OK;
}

sdn_status sdn_galaxy_place(const sdn_forward *f, const double *params, long row, sdn_galaxy *g, sdn_err *err)
{
  const sdn_model *m = f->model;
  *g = (sdn_galaxy){0};
  if (check_finite(f, params, row, err)) return err->status;
  g->redshift = sdn_model_value(m, SDN_SLOT_REDSHIFT, params);
  g->mass_msun = pow(10, sdn_model_value(m, SDN_SLOT_LOG_MASS, params));
  g->escape = sdn_model_value(m, SDN_SLOT_ESCAPE, params);
  g->ly_alpha = sdn_model_value(m, SDN_SLOT_LY_ALPHA, params);
  g->a_v_mag = m->dust ? sdn_attenuation_a_v_mag(m->dust, params) : 0;
  g->igm_scale = sdn_igm_scale(m->igm, params);
  if (f->dust) sdn_attenuation_table_prepare(f->dust, params, &g->curve);
  if (check_range(g, f, row, err)) return err->status;
  for (int a = 1; a < m->grid->n_axis; a++) {
    const sdn_grid_axis *axis = &m->grid->axis[a];
    const double x = sdn_model_coordinate(m, a, params);
    if (!sdn_grid_locate_coordinate(axis, x, false, &g->place.node[a], &g->place.t[a]))
      return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: %s%s is %g but the grid spans %g to %g", row, axis->log ? "log10 of " : "", axis->name, x,
                          axis->coordinate[0], axis->coordinate[axis->n - 1]);
  }
  return SDN_OK;
}

sdn_status sdn_galaxy_prepare(const sdn_forward *f, const double *params, long row, sdn_galaxy *g, sdn_arena *arena, sdn_err *err)
{
  const sdn_model *m = f->model;
  const sdn_grid_axis *age = &m->grid->axis[0];
  if (sdn_galaxy_place(f, params, row, g, err)) return err->status;
  if (sdn_sfh_prepare(m->sfh, params, sdn_cosmology_age_yr(m->cosmology, g->redshift), g->mass_msun, &g->history, err)) {
    sdn_fail_in(err, "galaxy %ld", row);
    err->row = row;
    return err->status;
  }
  g->weight = sdn_arena_take(arena, (size_t)age->n, sizeof *g->weight, err);
  double *weight = g->weight ? sdn_arena_take(arena, (size_t)age->n, sizeof *weight, err) : NULL;
  if (!weight) return err->status;
  sdn_sfh_weights(&g->history, age->n, age->value, weight);
  for (int i = 0; i < age->n; i++) {
    g->weight[i] = (float)weight[i];
    if (weight[i] > 0 || weight[i] < 0) g->n_age = i + 1;
  }
  return SDN_OK;
}

static sdn_status project(const sdn_panels *p, int n, sdn_panel_row *rows, float **out, long *stride, sdn_arena *arena, sdn_err *err)
{
  *out = NULL;
  if (!p) return SDN_OK;
  *stride = (long)(sdn_panels_block1(p) - sdn_panels_block0(p)) * SDN_BLOCK;
  *out = sdn_arena_take(arena, (size_t)n * (size_t)*stride, sizeof **out, err);
  return *out ? sdn_panels_project(p, n, rows, *out, *stride, arena, err) : err->status;
}

sdn_status sdn_galaxies_light(const sdn_forward *f, int n, const sdn_galaxy *g, const unsigned char *need, sdn_light *light, sdn_arena *arena, sdn_err *err)
{
  const int n_block = f->columns.n_block;
  *light = (sdn_light){0};
  sdn_panel_row *rows = sdn_arena_take(arena, (size_t)n, sizeof *rows, err);
  if (!rows) return err->status;
  for (int i = 0; i < n; i++) rows[i] = (sdn_panel_row){g[i].weight, g[i].n_age, &g[i].place, g[i].redshift, need + (size_t)i * (size_t)n_block};
  light->n_taken = f->taken ? sdn_panels_block1(f->taken) : 0;
  if (project(f->stars, n, rows, &light->stars, &light->stride, arena, err)) return err->status;
  if (project(f->taken, n, rows, &light->taken, &light->stride_taken, arena, err)) return err->status;
  if (project(f->nebula, n, rows, &light->nebula, &light->stride_nebula, arena, err)) return err->status;
  return SDN_OK;
}

/* This galaxy's attenuation curve on the columns, in `scratch` if it is its own. */
static const float *galaxy_curve(const sdn_forward *f, const sdn_galaxy *g, const unsigned char *need, float *scratch)
{
  if (!f->dust) return NULL;
  if (sdn_attenuation_table_is_fixed(f->dust)) return sdn_attenuation_table_curve(f->dust, &g->curve, 0, f->columns.n_block * SDN_BLOCK, scratch);
  for (int b = 0; b < f->columns.n_block; b++)
    if (need[b]) sdn_attenuation_table_curve(f->dust, &g->curve, b * SDN_BLOCK, SDN_BLOCK, scratch + b * SDN_BLOCK);
  return scratch;
}

static void emerge_lines(const sdn_forward *f, const sdn_galaxy *g, const float *lines, const float *curve, float *out)
{
  const sdn_columns *c = &f->columns;
  const sdn_blend blend = {.transmitted = lines + c->line0, .curve = curve ? curve + c->line0 : NULL, .tau = (float)(TAU_PER_MAG * g->a_v_mag)};
  sdn_kernel_blend((c->n_block - c->n_block_wave) * SDN_BLOCK, &blend, out + c->line0);
  for (int l = 0; l < c->n_line; l++) out[c->line0 + l] *= (float)(1 - g->escape);
  if (f->ly_alpha_line >= 0) out[c->line0 + f->ly_alpha_line] *= (float)g->ly_alpha;
}

void sdn_galaxy_emerge(const sdn_forward *f, const sdn_galaxy *g, const sdn_light *light, int i, const unsigned char *need, float *scratch, float *out)
{
  const sdn_columns *c = &f->columns;
  const float *curve = galaxy_curve(f, g, need, scratch);
  const float *stars = light->stars + i * light->stride;
  const float *taken = light->taken ? light->taken + i * light->stride_taken : NULL;
  const float *nebula = light->nebula ? light->nebula + i * light->stride_nebula : NULL;
  for (int b = 0; b < c->n_block_wave; b++) {
    const int j = b * SDN_BLOCK;
    if (!need[b]) continue;
    const sdn_blend blend = {.transmitted = stars + j, .taken = b < light->n_taken ? taken + j : NULL, .nebular = nebula ? nebula + j : NULL,
                             .curve = curve ? curve + j : NULL, .tau = (float)(TAU_PER_MAG * g->a_v_mag), .escape = (float)g->escape};
    sdn_kernel_blend(SDN_BLOCK, &blend, out + j);
  }
  if (c->n_line && nebula && need[c->n_block_wave]) emerge_lines(f, g, nebula, curve, out);
}
