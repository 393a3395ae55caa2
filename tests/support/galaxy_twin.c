/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/galaxy_twin.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/agn_own.h"

#define LIGHT_A_S 2.99792458e18
#define LY_ALPHA_A 1215.67
#define STEP 2e-3          /* ln wavelength: of the fine integrations by Simpson's rule; halving it changes the absorbed power by less than 1e-8 */
#define MAX_NODE 512

static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

static double *zeros(int n)
{
  double *x = calloc((size_t)n + 1, sizeof *x);
  if (!x) fail_msg("no memory");
  return x;
}

/* ------------------------------------------------------------------ stars */

/* Shares of a normal distribution of log10 Z on the nodes of metallicity, by the trapezium rule. */
static void log_normal_shares(const sdn_grid_axis *z, double mean, double sigma, double *share)
{
  const int n = 40000;
  const double low = fmax(log10(z->value[0]), mean - 9 * sigma), high = fmin(log10(z->value[z->n - 1]), mean + 9 * sigma);
  double sum = 0;
  for (int i = 0; i <= n; i++) {
    const double v = low + (high - low) * i / n, p = (i == 0 || i == n ? 0.5 : 1) * exp(-0.5 * (v - mean) / sigma * (v - mean) / sigma);
    int k;
    double t;
    sdn_grid_locate_coordinate(z, z->log ? v : pow(10, v), true, &k, &t);
    share[k] += p * (1 - t);
    share[k + 1] += p * t;
    sum += p;
  }
  for (int k = 0; k < z->n; k++) share[k] /= sum;
}

static double named(const sdn_model *m, const double *params, const sdn_population *p, const char *name)
{
  char full[96];
  snprintf(full, sizeof full, "%s%s%s", p->name, *p->name ? "_" : "", name);
  const int i = sdn_prior_param_index(m->prior, full);
  if (i < 0) fail_msg("no parameter %s", full);
  return params[i];
}

/* Mass on nodes [n_z][n_age] from mass on ages, of stars younger than the limit. */
static double *node_mass(const galaxy_twin *t, const sdn_population *p, const sdn_sfh *h, double limit_yr, const double *mass)
{
  const sdn_grid_axis *age = &t->m->grid->axis[0], *z = &t->m->grid->axis[1];
  double share[MAX_NODE] = {0}, *out = zeros(age->n * z->n);
  const int delta = sdn_metallicity_delta_param(p->metallicity);
  if (delta >= 0) {
    int k;
    double up;
    sdn_grid_locate_coordinate(z, z->log ? t->params[delta] : pow(10, t->params[delta]), true, &k, &up);
    share[k] = 1 - up;
    if (k + 1 < z->n) share[k + 1] = up;
  } else if (!strcmp(sdn_metallicity_name(p->metallicity), "log_normal"))
    log_normal_shares(z, named(t->m, t->params, p, "log_metallicity_mean"), named(t->m, t->params, p, "metallicity_sigma_dex"), share);
  else {
    float *weight = malloc((size_t)(age->n * z->n) * sizeof *weight);
    sdn_arena *arena = sdn_arena_new(&err);
    must(sdn_metallicity_weights(p->metallicity, t->params, h, limit_yr, age->n, age->value, mass, weight, arena, &err));
    for (int i = 0; i < age->n * z->n; i++) out[i] = (double)weight[i];
    sdn_arena_free(arena);
    free(weight);
    return out;
  }
  for (int k = 0; k < z->n; k++)
    for (int a = 0; a < age->n; a++) out[k * age->n + a] = share[k] * mass[a];
  return out;
}

/* sum over nodes of mass times a table's rows, interpolated along the one further axis. */
static void add_table(const galaxy_twin *t, const sdn_grid_table *table, const double *mass, double factor, double *out)
{
  const sdn_grid *g = t->m->grid;
  int u = 0;
  double tu = 0;
  if (!table->value) return;
  if (g->n_axis > 3) fail_msg("the twin knows grids of three axes at most");
  if (g->n_axis == 3 && table->n_extra > 1) sdn_grid_locate_coordinate(&g->axis[2], sdn_model_coordinate(t->m, 2, t->params), true, &u, &tu);
  for (int a = 0; a < table->n_age; a++)
    for (int k = 0; k < g->axis[1].n; k++) {
      const double w = factor * mass[k * g->axis[0].n + a];
      const int z = table->n_metallicity > 1 ? k : 0;
      if (!(w > 0 || w < 0)) continue;
      const float *low = sdn_grid_row(table, a, z, u), *high = tu > 0 ? sdn_grid_row(table, a, z, u + 1) : low;
      for (int j = 0; j < table->n_column; j++) out[j] += w * ((1 - tu) * (double)low[j] + tu * (double)high[j]);
    }
}

/* Mass on nodes as the gas sees it: at its own metallicity, if it has one. */
static double *gas_mass(const galaxy_twin *t, const double *mass)
{
  const sdn_grid_axis *age = &t->m->grid->axis[0], *z = &t->m->grid->axis[1];
  double *out = zeros(age->n * z->n), up = 0;
  int k = 0;
  const int own = t->m->nebular.log_gas_metallicity;
  if (own >= 0) sdn_grid_locate_coordinate(z, z->log ? t->params[own] : pow(10, t->params[own]), true, &k, &up);
  for (int a = 0; a < age->n; a++)
    for (int i = 0; i < z->n; i++) {
      const double w = mass[i * age->n + a];
      if (own < 0) out[i * age->n + a] = w;
      else out[k * age->n + a] += (1 - up) * w;
      if (own >= 0 && up > 0) out[(k + 1) * age->n + a] += up * w;
    }
  return out;
}

static void fill_beam(const galaxy_twin *t, twin_beam *b, const double *mass, double share)
{
  const sdn_grid *g = t->m->grid;
  const bool shines = t->m->nebular.shines;
  double *gas = gas_mass(t, mass);
  b->star = zeros(g->n_wave);
  b->taken = zeros(g->n_wave);
  b->gas = zeros(g->n_wave);
  b->line = zeros(g->n_line);
  add_table(t, shines ? &g->transmitted : &g->incident, mass, share, b->star);
  if (shines) {
    add_table(t, &g->incident, mass, share, b->taken);
    add_table(t, &g->transmitted, mass, -share, b->taken);
    add_table(t, &g->nebular_continuum, gas, share, b->gas);
    add_table(t, &g->lines, gas, share, b->line);
  }
  free(gas);
}

/* One or two beams of a population that has `share` of the mass. */
static void add_population(galaxy_twin *t, const sdn_population *p, double share, double age_yr, sdn_arena *arena)
{
  const sdn_grid_axis *age = &t->m->grid->axis[0];
  const bool split = p->screens && p->screens->birth;
  const double limit = split ? 1e6 * t->params[p->screens->birth_age_myr] : 0;
  double mass[MAX_NODE], young[MAX_NODE] = {0};
  sdn_sfh h;
  must(sdn_sfh_prepare(p->sfh, t->params, age_yr, share * t->mass_msun, arena, &h, &err));
  sdn_sfh_weights(&h, age->n, age->value, mass);
  if (split) sdn_sfh_weights_since(&h, limit, age->n, age->value, young);
  double *all = node_mass(t, p, &h, HUGE_VAL, mass), *part = node_mass(t, p, &h, split ? limit : 0, young);
  for (int i = 0; i < age->n * t->m->grid->axis[1].n; i++) all[i] -= part[i];
  t->beam[t->n_beam] = (twin_beam){.screens = p->screens};
  fill_beam(t, &t->beam[t->n_beam++], all, share);
  if (split) {
    t->beam[t->n_beam] = (twin_beam){.screens = p->screens, .young = true};
    fill_beam(t, &t->beam[t->n_beam++], part, share);
  }
  free(all);
  free(part);
}

/* ------------------------------------------------------------------ light */

/* Piecewise linear between the grid's nodes, at a pair the side asked for; as wave^-2 redward, nothing blueward. */
static double on_grid(const sdn_grid *g, const double *value, double wave_A, bool blue)
{
  int low = 0, high = g->n_wave - 1;
  if (wave_A < g->wave_A[0]) return 0;
  if (wave_A > g->wave_A[high]) return value[high] * pow(g->wave_A[high] / wave_A, 2);
  while (high - low > 1) {
    const int mid = (low + high) / 2;
    if (blue ? g->wave_A[mid] < wave_A : g->wave_A[mid] <= wave_A) low = mid;
    else high = mid;
  }
  const double w = (wave_A - g->wave_A[low]) / (g->wave_A[low + 1] - g->wave_A[low]);
  return (1 - w) * value[low] + w * value[low + 1];
}

static double magnitudes(const sdn_attenuation *a, const double *params, double wave_A)
{
  return sdn_attenuation_a_v_mag(a, params) * sdn_attenuation_curve(a, params, wave_A);
}

static double screen(const galaxy_twin *t, const twin_beam *b, double wave_A, bool line)
{
  const sdn_screens *s = b->screens;
  if (!s) return 1;
  const double c = s->covering < 0 ? 1 : t->params[s->covering], factor = line && s->line_factor >= 0 ? t->params[s->line_factor] : 1;
  const double mag = magnitudes(s->ism, t->params, wave_A) + (b->young ? magnitudes(s->birth, t->params, wave_A) : 0);
  return 1 - c + c * pow(10, -0.4 * factor * mag);
}

double galaxy_twin_starlight(const galaxy_twin *t, double wave_A, bool blue)
{
  const sdn_grid *g = t->m->grid;
  double sum = 0;
  for (int i = 0; i < t->n_beam; i++) {
    const twin_beam *b = &t->beam[i];
    const double star = on_grid(g, b->star, wave_A, blue), gas = (1 - t->dust_fraction) * on_grid(g, b->gas, wave_A, blue);
    sum += t->escape * (star + on_grid(g, b->taken, wave_A, blue)) + (1 - t->escape) * (star + gas) * screen(t, b, wave_A, false);
  }
  return sum;
}

static double agn_screen(const galaxy_twin *t, double wave_A) { return t->m->agn->dust ? pow(10, -0.4 * magnitudes(t->m->agn->dust, t->params, wave_A)) : 1; }

/* The nucleus' continuum of one Lsun. */
static double agn_lnu(const galaxy_twin *t, double wave_A)
{
  return sdn_agn_disc_lnu(t->m->agn, t->params, wave_A) * agn_screen(t, wave_A) + sdn_agn_torus_lnu(t->m->agn, t->params, wave_A);
}

double galaxy_twin_lnu(const galaxy_twin *t, double wave_A, bool blue)
{
  double sum = galaxy_twin_starlight(t, wave_A, blue);
  if (t->m->agn) sum += t->agn_lsun * agn_lnu(t, wave_A);
  if (t->m->dust_emission && t->absorbed_lsun > 0) sum += sdn_dust_emission_lnu(t->m->dust_emission, t->params, t->redshift, t->absorbed_lsun, wave_A);
  return sum;
}

static double line_emitted(const galaxy_twin *t, const twin_beam *b, int line)
{
  const double ly_alpha = fabs(t->m->grid->line_wave_A[line] - LY_ALPHA_A) < 0.4 ? t->ly_alpha : 1;
  return (1 - t->escape) * (1 - t->dust_fraction) * ly_alpha * b->line[line];
}

double galaxy_twin_line(const galaxy_twin *t, int line)
{
  double sum = 0;
  for (int b = 0; b < t->n_beam; b++) sum += line_emitted(t, &t->beam[b], line) * screen(t, &t->beam[b], t->m->grid->line_wave_A[line], true);
  return sum;
}

/* Ionising photons per second of one Lsun of the disc. */
static double agn_photons(const galaxy_twin *t)
{
  const double low = log(10.0), high = log(SDN_LYMAN_LIMIT_A);
  const int n = 2 * (int)((high - low) / STEP);
  double sum = 0;
  for (int i = 0; i <= n; i++)
    sum += (i == 0 || i == n ? 1 : i % 2 ? 4 : 2) * sdn_agn_disc_lnu(t->m->agn, t->params, exp(low + (high - low) * i / n)) / SDN_PLANCK_ERG_S;
  return sum * (high - low) / n / 3;
}

static double agn_line_emitted(const galaxy_twin *t, int line, double photons)
{
  const sdn_agn *a = t->m->agn;
  const sdn_agn_line *l = &sdn_agn_line_list[a->line[line]];
  return t->agn_lsun * photons * t->params[l->broad ? a->broad : a->narrow] * sdn_agn_line_erg(l);
}

double galaxy_twin_agn_line(const galaxy_twin *t, int line)
{
  return agn_line_emitted(t, line, agn_photons(t)) * agn_screen(t, sdn_agn_line_wave_A(t->m->agn, line));
}

/* ------------------------------------------------------------------ power */

/* What dust takes of the continuum of a beam per wavelength [erg/s/A]. */
static double taken_at(const galaxy_twin *t, const twin_beam *b, double wave_A, double star, double gas, double taken)
{
  const double behind = (star + (1 - t->dust_fraction) * gas) * (1 - screen(t, b, wave_A, false)) + t->dust_fraction * taken;
  return (1 - t->escape) * behind * LIGHT_A_S / (wave_A * wave_A);
}

static double at(const double *v, int j, double u) { return (1 - u) * v[j] + u * v[j + 1]; }

static double beam_absorbed_erg(const galaxy_twin *t, const twin_beam *b)
{
  const sdn_grid *g = t->m->grid;
  double sum = 0;
  for (int j = 0; j + 1 < g->n_wave; j++) {
    const double from = g->wave_A[j], width = g->wave_A[j + 1] - from;
    if (!(width > 0)) continue;
    const int n = 2 * (1 + (int)(log(1 + width / from) / STEP / 2));
    double part = 0;
    for (int i = 0; i <= n; i++) {
      const double u = (double)i / n;
      part += (i == 0 || i == n ? 1 : i % 2 ? 4 : 2) * taken_at(t, b, from + u * width, at(b->star, j, u), at(b->gas, j, u), at(b->taken, j, u));
    }
    sum += part * width / n / 3;
  }
  for (int l = 0; l < g->n_line; l++) sum += line_emitted(t, b, l) * (1 - screen(t, b, g->line_wave_A[l], true));
  return sum;
}

/* Of one Lsun of the nucleus. Discs here end at 10 A and 1 mm; breaks of their power laws lie at nodes of the rule only by chance: the error is of order STEP^2. */
static double agn_absorbed(const galaxy_twin *t)
{
  const double low = log(10.0), high = log(1e7);
  const int n = 2 * (int)((high - low) / STEP);
  double sum = 0;
  if (!t->m->agn->dust) return 0;
  for (int i = 0; i <= n; i++) {
    const double wave = exp(low + (high - low) * i / n);
    sum += (i == 0 || i == n ? 1 : i % 2 ? 4 : 2) * sdn_agn_disc_lnu(t->m->agn, t->params, wave) * (1 - agn_screen(t, wave)) * LIGHT_A_S / wave;
  }
  sum *= (high - low) / n / 3;
  const galaxy_twin one = {.m = t->m, .params = t->params, .agn_lsun = 1};
  const double photons = agn_photons(t);
  for (int l = 0; l < sdn_agn_n_line(t->m->agn); l++) sum += agn_line_emitted(&one, l, photons) * (1 - agn_screen(t, sdn_agn_line_wave_A(t->m->agn, l)));
  return sum / SDN_LSUN_ERG_S;
}

/* All light of the stars per Msun, before gas and dust, in Lsun. */
static double stellar_power_lsun(const galaxy_twin *t)
{
  const sdn_grid *g = t->m->grid;
  double sum = 0;
  for (int i = 0; i < t->n_beam; i++)
    for (int j = 0; j + 1 < g->n_wave; j++) {
      const double from = g->wave_A[j], width = g->wave_A[j + 1] - from;
      const int n = width > 0 ? 2 * (1 + (int)(log(1 + width / from) / STEP / 2)) : 0;
      double part = 0;
      for (int k = 0; k <= n && n; k++) {
        const double u = (double)k / n, wave = from + u * width;
        part += (k == 0 || k == n ? 1 : k % 2 ? 4 : 2) * (at(t->beam[i].star, j, u) + at(t->beam[i].taken, j, u)) * LIGHT_A_S / (wave * wave);
      }
      if (n) sum += part * width / n / 3;
    }
  return sum / SDN_LSUN_ERG_S;
}

/* The nucleus' power such that a share F of the light at a wavelength would be missing without it, dust that it heats included. */
static void add_agn_power(galaxy_twin *t)
{
  const sdn_agn *a = t->m->agn;
  const double taken = agn_absorbed(t);
  t->agn_lsun = sdn_agn_power_lsun(a, t->params) / t->mass_msun;
  if (a->over_stars >= 0) t->agn_lsun = sdn_agn_over_stars(a, t->params) * stellar_power_lsun(t);
  if (a->fraction >= 0) {
    const double wave = sdn_agn_fraction_wave_A(a), f = sdn_agn_fraction(a, t->params);
    const double dust = t->m->dust_emission ? sdn_dust_emission_lnu(t->m->dust_emission, t->params, t->redshift, 1, wave) : 0;
    t->agn_lsun = f / (1 - f) * (galaxy_twin_starlight(t, wave, false) + t->absorbed_lsun * dust) / (agn_lnu(t, wave) + taken * dust);
  }
  t->absorbed_lsun += t->agn_lsun * taken;
}

galaxy_twin galaxy_twin_new(const sdn_model *m, const double *params)
{
  galaxy_twin t = {.m = m, .params = params, .redshift = params[m->redshift], .escape = sdn_model_value(params, m->nebular.escape, 0),
                   .dust_fraction = sdn_model_value(params, m->nebular.dust_fraction, 0), .ly_alpha = sdn_model_value(params, m->nebular.ly_alpha, 1)};
  sdn_arena *arena = sdn_arena_new(&err);
  for (int p = 0; p < m->n_population; p++) t.mass_msun += pow(10, params[m->population[p].log_mass]);
  if (m->n_population == 0) t.mass_msun = 1;
  for (int p = 0; p < m->n_population; p++)
    add_population(&t, &m->population[p], pow(10, params[m->population[p].log_mass]) / t.mass_msun, sdn_cosmology_age_yr(m->cosmology, t.redshift), arena);
  for (int b = 0; b < t.n_beam; b++) t.absorbed_lsun += beam_absorbed_erg(&t, &t.beam[b]) / SDN_LSUN_ERG_S;
  if (m->agn) add_agn_power(&t);
  sdn_arena_free(arena);
  return t;
}

void galaxy_twin_free(galaxy_twin *t)
{
  for (int b = 0; b < t->n_beam; b++) {
    free(t->beam[b].star);
    free(t->beam[b].taken);
    free(t->beam[b].gas);
    free(t->beam[b].line);
  }
}

/* ------------------------------------------------------------------ bands */

double twin_transmission(const sdn_model *m, const double *params, double rest_A, bool blue)
{
  if (sdn_igm_is_none(m->igm)) return 1;
  return exp(-sdn_igm_tau(m->igm, params[m->redshift], sdn_igm_scale(m->igm, params), blue ? rest_A * (1 - 1e-13) : rest_A * (1 + 1e-13)));
}

static void set_node(const galaxy_twin *t, twin_nodes *nodes, double wave_A)
{
  const int j = nodes->n++;
  nodes->wave_A[j] = wave_A;
  nodes->blue[j] = galaxy_twin_lnu(t, wave_A, true) * twin_transmission(t->m, t->params, wave_A, true);
  nodes->red[j] = galaxy_twin_lnu(t, wave_A, false) * twin_transmission(t->m, t->params, wave_A, false);
}

twin_nodes twin_nodes_new(const galaxy_twin *t, int n, const double *wave_A, int pieces)
{
  twin_nodes nodes = {0, zeros(n * pieces), zeros(n * pieces), zeros(n * pieces)};
  for (int j = 0; j < n; j++) {
    set_node(t, &nodes, wave_A[j]);
    for (int i = 1; j + 1 < n && wave_A[j + 1] > wave_A[j] && i < pieces; i++) set_node(t, &nodes, wave_A[j] + (wave_A[j + 1] - wave_A[j]) * i / pieces);
  }
  return nodes;
}

void twin_nodes_free(twin_nodes *nodes)
{
  free(nodes->wave_A);
  free(nodes->blue);
  free(nodes->red);
}

/* int f T w(l) dl / int T w(l) dl over pieces that no node, neither of spectrum nor of filter, divides; f linear on each piece. Simpson is exact for f T, and
 * 1/l varies little on a piece. */
typedef struct integrals { double above, below; } integrals;

static void add_piece(const sdn_filter *f, double a, double b, double fa, double fb, integrals *sum)
{
  const double eps = 1e-9 * (b - a), mid = 0.5 * (a + b);
  const double ta = sdn_filter_throughput(f, a + eps), tb = sdn_filter_throughput(f, b - eps), tm = 0.5 * (ta + tb), fm = 0.5 * (fa + fb);
  const double wa = f->photon_counting ? 1 / a : 1 / (a * a), wb = f->photon_counting ? 1 / b : 1 / (b * b), wm = f->photon_counting ? 1 / mid : 1 / (mid * mid);
  sum->above += (b - a) / 6 * (fa * ta * wa + 4 * fm * tm * wm + fb * tb * wb);
  sum->below += (b - a) / 6 * (ta * wa + 4 * tm * wm + tb * wb);
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double band_of_continuum(const twin_nodes *nodes, double stretch, const sdn_filter *f)
{
  integrals sum = {0, 0};
  double edge[4096];
  for (int j = 0; j + 1 < nodes->n; j++) {
    const double a = nodes->wave_A[j] * stretch, b = nodes->wave_A[j + 1] * stretch;
    if (b <= f->low_A || a >= f->high_A || b <= a) continue;
    int n = 0;
    edge[n++] = fmax(a, f->low_A);
    edge[n++] = fmin(b, f->high_A);
    for (int k = 0; k < f->n && n < 4096; k++)
      if (f->wave_A[k] > edge[0] && f->wave_A[k] < edge[1]) edge[n++] = f->wave_A[k];
    qsort(edge, (size_t)n, sizeof *edge, ascending);
    for (int k = 0; k + 1 < n; k++) {
      const double u = (edge[k] - a) / (b - a), v = (edge[k + 1] - a) / (b - a);
      add_piece(f, edge[k], edge[k + 1], (1 - u) * nodes->red[j] + u * nodes->blue[j + 1], (1 - v) * nodes->red[j] + v * nodes->blue[j + 1], &sum);
    }
  }
  return sum.above / sum.below;
}

static double band_of_line(const galaxy_twin *t, const sdn_filter *f, double luminosity, double wave_A)
{
  const double stretch = 1 + t->redshift;
  const double left = fabs(wave_A - LY_ALPHA_A) < 0.4 ? fmin(wave_A, LY_ALPHA_A) : wave_A;   /* Lyman alpha is absorbed as at its blue side */
  const double response = sdn_filter_line_response(f, wave_A * stretch);
  return response > 0 ? luminosity * twin_transmission(t->m, t->params, left * (1 - 1e-6), true) * response / stretch : 0;
}

double galaxy_twin_flux(const galaxy_twin *t, const twin_nodes *nodes, const sdn_filter *f)
{
  const sdn_grid *g = t->m->grid;
  double sum = band_of_continuum(nodes, 1 + t->redshift, f);
  for (int l = 0; l < g->n_line && t->m->nebular.shines; l++) sum += band_of_line(t, f, galaxy_twin_line(t, l), g->line_wave_A[l]);
  for (int l = 0; t->m->agn && l < sdn_agn_n_line(t->m->agn); l++) {
    const double wave = sdn_agn_line_wave_A(t->m->agn, l);
    if (sdn_filter_line_response(f, wave * (1 + t->redshift)) > 0) sum += band_of_line(t, f, galaxy_twin_agn_line(t, l), wave);
  }
  return sum * t->mass_msun * sdn_cosmology_njy_per_lnu(t->m->cosmology, t->redshift);
}
