/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What leaves a galaxy. Per beam, S transmitted starlight, D what gas takes of it, C light of the gas, s the transmission of the dust in its way:
 *   L = f (S + D) + (1 - f) (S + g C) s,     lines (1 - f) g L_line s_line
 * f escape fraction (that light meets no dust either), g = 1 - share of ionising light that dust inside the gas takes,
 *   s = 1 - c + c exp(-tau_ism k_ism - tau_birth k_birth),   tau = 0.4 ln 10 A_V, c covering fraction, the second term for young beams only.
 * What dust takes, (1 - f) (S + g C) (1 - s) and (1 - f) (1 - g) D, and the nucleus' share, is re-emitted unattenuated. */
#include <math.h>
#include <string.h>

#include "physics/galaxy.h"
#include "physics/galaxy_kernel.h"

#define TAU_PER_MAG 0.92103403719761836   /* 0.4 ln 10 */

/* One galaxy's dust: curves prepared, optical depths at 5500 A. */
typedef struct dust { sdn_curve ism, birth; float tau_ism, tau_birth, covering, line_factor; bool any; } dust;

typedef struct work {
  const sdn_forward *f;
  const sdn_galaxy *g;
  const sdn_light *light;
  int row;                                     /* of the light's first beam */
  dust dust[SDN_MAX_POPULATION + 1];
  float *curve;                                /* [SDN_BLOCK] scratch */
  float *old, *young;                          /* [n_screens][SDN_BLOCK] transmissions of the block at hand */
  double absorbed_lsun;
} work;

static void prepare_dust(work *w)
{
  const sdn_model *m = w->f->model;
  const double *params = w->g->params;
  for (int k = 0; k < m->n_screens; k++) {
    const sdn_screens *s = &m->screens[k];
    const sdn_screen_tables *t = &w->f->screens[k];
    dust *d = &w->dust[k];
    *d = (dust){.covering = (float)sdn_model_value(params, s->covering, 1), .line_factor = (float)sdn_model_value(params, s->line_factor, 1)};
    d->tau_ism = (float)(TAU_PER_MAG * sdn_attenuation_a_v_mag(s->ism, params));
    sdn_attenuation_table_prepare(t->ism, params, &d->ism);
    if (s->birth) d->tau_birth = (float)(TAU_PER_MAG * sdn_attenuation_a_v_mag(s->birth, params));
    if (s->birth) sdn_attenuation_table_prepare(t->birth, params, &d->birth);
    d->any = d->tau_ism > 0 || d->tau_birth > 0;
  }
}

/* Transmissions of all screens on n columns from `first` on; lines meet line_factor times the dust. */
static void fill_screens(work *w, int first, int n, bool lines)
{
  const sdn_model *m = w->f->model;
  for (int k = 0; k < m->n_screens; k++) {
    const dust *d = &w->dust[k];
    const sdn_screen_tables *t = &w->f->screens[k];
    const float factor = lines ? d->line_factor : 1;
    float *old = w->old + k * SDN_BLOCK, *young = w->young + k * SDN_BLOCK;
    if (!d->any) continue;
    sdn_kernel_screen(n, sdn_attenuation_table_curve(t->ism, &d->ism, first, n, w->curve), factor * d->tau_ism, false, old);
    if (t->birth) {
      memcpy(young, old, (size_t)n * sizeof *young);
      sdn_kernel_screen(n, sdn_attenuation_table_curve(t->birth, &d->birth, first, n, w->curve), factor * d->tau_birth, true, young);
      if (d->covering < 1) sdn_kernel_cover(n, d->covering, young);
    }
    if (d->covering < 1) sdn_kernel_cover(n, d->covering, old);
  }
}

/* The transmission in a beam's way, NULL: no dust. */
static const float *screen_of(const work *w, int beam)
{
  const sdn_beam_kind *kind = &w->f->beam[beam];
  const sdn_screens *s = w->f->model->population[kind->population].screens;
  if (!s) return NULL;
  const int k = (int)(s - w->f->model->screens);
  if (!w->dust[k].any) return NULL;
  return (kind->young ? w->young : w->old) + k * SDN_BLOCK;
}

/* What goes into a beam's light on the block that begins at column j. */
static sdn_blend blend_of(const work *w, int beam, int j)
{
  const sdn_light *l = w->light;
  const long row = w->row + beam;
  return (sdn_blend){.transmitted = l->stars + row * l->stride + j, .nebular = l->nebula ? l->nebula + row * l->stride_nebula + j : NULL,
                     .taken = l->taken && j / SDN_BLOCK < l->n_taken ? l->taken + row * l->stride_taken + j : NULL, .screen = screen_of(w, beam),
                     .escape = (float)w->g->escape, .gas = (float)(1 - w->g->dust_fraction), .first = beam == 0};
}

static void emerge_continuum(work *w, int block, float *spectrum)
{
  const int j = block * SDN_BLOCK;
  fill_screens(w, j, SDN_BLOCK, false);
  for (int b = 0; b < w->f->n_beam; b++) {
    const sdn_blend blend = blend_of(w, b, j);
    sdn_kernel_blend(SDN_BLOCK, &blend, spectrum + j);
  }
  if (w->f->n_beam == 0) memset(spectrum + j, 0, SDN_BLOCK * sizeof *spectrum);
}

/* A block of lines: the nebula's columns hold their luminosities [Lsun per Msun]. */
static void emerge_lines(work *w, int block, float *spectrum)
{
  const sdn_forward *f = w->f;
  const int j = block * SDN_BLOCK, n = SDN_BLOCK, ly_alpha = f->ly_alpha_line + f->columns.line0 - j;
  const float share = (float)((1 - w->g->escape) * (1 - w->g->dust_fraction));
  memset(spectrum + j, 0, SDN_BLOCK * sizeof *spectrum);
  if (!w->light->nebula) return;
  fill_screens(w, j, n, true);
  for (int b = 0; b < f->n_beam; b++) {
    const float *line = w->light->nebula + (w->row + b) * w->light->stride_nebula + j, *screen = screen_of(w, b);
    for (int l = 0; l < n; l++) {
      const float emitted = share * (f->ly_alpha_line >= 0 && l == ly_alpha ? (float)w->g->ly_alpha : 1) * line[l], left = screen ? emitted * screen[l] : emitted;
      spectrum[j + l] += left;
      w->absorbed_lsun += (double)(emitted - left);
    }
  }
}

/* A block of energy nodes: what dust takes there. */
static void absorb_energy(work *w, int block)
{
  const int j = block * SDN_BLOCK;
  const double inside = 1 - w->g->escape;
  fill_screens(w, j, SDN_BLOCK, false);
  for (int b = 0; b < w->f->n_beam; b++) {
    const sdn_blend blend = blend_of(w, b, j);
    w->absorbed_lsun += inside * sdn_kernel_taken(SDN_BLOCK, &blend);
    if (blend.taken && w->g->dust_fraction > 0) w->absorbed_lsun += inside * w->g->dust_fraction * sdn_kernel_sum(SDN_BLOCK, blend.taken);
  }
}

/* ------------------------------------------------------------------ nucleus and dust emission */

/* L_nu of the dust per Lsun that it takes, at a node. */
static sdn_status dust_at(const work *w, int node, double *lnu, sdn_err *err)
{
  const sdn_forward *f = w->f;
  sdn_dust_state s;
  float one = 0;
  *lnu = 0;
  if (!f->dust_emission || node < f->dust_first) return SDN_OK;
  if (sdn_dust_table_prepare(f->dust_emission, w->g->params, w->g->redshift, &s, err)) return err->status;
  sdn_dust_table_add(f->dust_emission, &s, 1, node, 1, &one);
  *lnu = (double)one;
  return SDN_OK;
}

/* The nucleus' bolometric power per Msun, from the parameter, from the stars' power, or from its share of the light at a wavelength: what would be missing there without it, with the
 * light of the dust that it heats. */
static sdn_status agn_power(const work *w, const sdn_agn_state *s, const float *spectrum, double *power_lsun, sdn_err *err)
{
  const sdn_forward *f = w->f;
  const sdn_agn *agn = f->model->agn;
  double hot;   /* L_nu of dust per Lsun that it takes */
  if (sdn_agn_is_by_stars(agn)) {
    *power_lsun = sdn_agn_over_stars(agn, w->g->params) * sdn_galaxy_sum_over_stars(f, w->g, &f->power);
    return *power_lsun >= 0 ? SDN_OK : sdn_fail(err, SDN_RANGE, "the nucleus' power over that of the stars is %g; it cannot be negative", sdn_agn_over_stars(agn, w->g->params));
  }
  if (f->agn_column < 0) {
    *power_lsun = sdn_agn_power_lsun(agn, w->g->params) / w->g->mass_msun;
    return SDN_OK;
  }
  if (dust_at(w, f->agn_column, &hot, err)) return err->status;
  const double share = sdn_agn_fraction(agn, w->g->params);
  const double unit = sdn_agn_lnu_at(f->agn, s, sdn_agn_fraction_wave_A(agn)) + hot * sdn_agn_absorbed_lsun(f->agn, s, 1);
  if (!(share >= 0 && share < 1)) return sdn_fail(err, SDN_RANGE, "the nucleus' share of the light is %g; it must be at least 0 and below 1", share);
  if (!(unit > 0)) return sdn_fail(err, SDN_RANGE, "the nucleus does not shine at %g A, where its share of the light is given", sdn_agn_fraction_wave_A(agn));
  *power_lsun = share / (1 - share) * ((double)spectrum[f->agn_column] + hot * w->absorbed_lsun) / unit;
  return SDN_OK;
}

static sdn_status add_agn(work *w, const unsigned char *need, sdn_emergent *out, sdn_err *err)
{
  const sdn_forward *f = w->f;
  const sdn_columns *c = &f->columns;
  const sdn_agn *agn = f->model->agn;
  float line[SDN_AGN_MAX_LINE] = {0};
  sdn_agn_state s;
  if (sdn_agn_table_prepare(f->agn, w->g->params, &s, err) || agn_power(w, &s, out->spectrum, &out->agn_lsun, err)) return err->status;
  for (int b = 0; b < c->n_block_wave; b++) {
    const int j = b * SDN_BLOCK, n = c->n_wave - j < SDN_BLOCK ? c->n_wave - j : SDN_BLOCK;
    if (need[b]) sdn_agn_table_add(f->agn, &s, out->agn_lsun, j, n, out->spectrum + j);
  }
  if (sdn_agn_n_line(agn) > 0 && need[c->n_block_wave]) {
    sdn_agn_lines_add(f->agn, &s, 1, line);   /* of 1 Lsun: erg/s of a bright one would not fit a float */
    for (int l = 0; l < c->n_line; l++)
      if (c->line_source[l] < 0) out->spectrum[c->line0 + l] += (float)(out->agn_lsun * (double)line[-1 - c->line_source[l]] / SDN_LSUN_ERG_S);
  }
  w->absorbed_lsun += sdn_agn_absorbed_lsun(f->agn, &s, out->agn_lsun);
  return SDN_OK;
}

static sdn_status add_dust_emission(const work *w, const unsigned char *need, sdn_emergent *out, sdn_err *err)
{
  const sdn_forward *f = w->f;
  const sdn_columns *c = &f->columns;
  sdn_dust_state s;
  if (!f->dust_emission || !(w->absorbed_lsun > 0)) return SDN_OK;
  if (sdn_dust_table_prepare(f->dust_emission, w->g->params, w->g->redshift, &s, err)) return err->status;
  for (int b = f->dust_first / SDN_BLOCK; b < c->n_block_wave; b++) {
    const int j = b * SDN_BLOCK, n = c->n_wave - j < SDN_BLOCK ? c->n_wave - j : SDN_BLOCK;
    if (need[b]) sdn_dust_table_add(f->dust_emission, &s, w->absorbed_lsun, j, n, out->spectrum + j);
  }
  return SDN_OK;
}

sdn_status sdn_galaxy_emerge(const sdn_forward *f, const sdn_galaxy *g, const sdn_light *light, int i, const unsigned char *need, float *scratch, sdn_emergent *out,
                             sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  const int n_screens = f->model->n_screens;
  const bool energy = c->n_energy > 0 && need[c->n_block_line];
  work w = {.f = f, .g = g, .light = light, .row = i * f->n_beam, .curve = scratch, .old = scratch + SDN_BLOCK, .young = scratch + (1 + n_screens) * SDN_BLOCK};
  prepare_dust(&w);
  out->agn_lsun = 0;
  for (int b = 0; b < c->n_block_wave; b++)
    if (need[b]) emerge_continuum(&w, b, out->spectrum);
  for (int b = c->n_block_wave; b < c->n_block_line; b++)
    if (need[b]) emerge_lines(&w, b, out->spectrum);
  for (int b = c->n_block_line; b < c->n_block && energy; b++) absorb_energy(&w, b);
  if (f->agn && add_agn(&w, need, out, err)) return err->status;
  if (energy && add_dust_emission(&w, need, out, err)) return err->status;
  out->absorbed_lsun = energy ? w.absorbed_lsun : NAN;
  return SDN_OK;
}
