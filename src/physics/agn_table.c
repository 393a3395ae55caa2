/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The active nucleus on fixed nodes. */
#include <math.h>
#include <string.h>

#include "base/vector.h"
#include "physics/agn_own.h"
#include "physics/gauss.h"
#include "physics/vector_math.h"

#define UNIT_HZ 1e13             /* tables are L_nu d nu of this interval, so that float32 holds them */
#define CHUNK 64
#define ENERGY_STEP 0.25         /* ln wavelength per four-point Gauss rule: k of any law is smooth on that scale, to 1e-5 of the energy */
#define GRID_ENERGY_STEP 0.02    /* ln wavelength between energy nodes of a grid */
#define MAX_VALUES 2e8           /* of a grid on a model's nodes: 0.8 GB */
#define NEPER_PER_MAG 0.921034037197618   /* 0.4 ln 10 */

struct sdn_agn_table {
  const sdn_agn *a;
  int n; double *wave_A;                  /* [n] */
  int *piece; double *ln_ratio;           /* power law: piece of each node, -1 outside; ln(wave / blue edge of the piece) */
  int low[SDN_AGN_MAX_AXIS], size[SDN_AGN_MAX_AXIS], n_cell;   /* grid: nodes of each axis that the prior reaches */
  float *cell;                            /* [n_cell][n] */
  double *cell_photons, *cell_energy;     /* [n_cell] of one Lsun; [n_cell][n_energy] */
  float *torus;                           /* [n_angle][n_tau][n] */
  int n_energy; double *energy_A, *energy_weight;   /* where the screen's take is counted; weight: d nu of a Gauss node (power law) */
  int *energy_piece; double *energy_ln_ratio;
  sdn_attenuation_table *dust;            /* on nodes, then lines, then energy nodes; NULL: no screen */
};

/* ------------------------------------------------------------------ making */

static sdn_status place_on_pieces(const sdn_agn_disc *d, int n, const double *wave_A, int **piece, double **ln_ratio, sdn_err *err)
{
  *piece = sdn_alloc((size_t)n, sizeof **piece, "AGN on nodes", err);
  *ln_ratio = sdn_alloc((size_t)n, sizeof **ln_ratio, "AGN on nodes", err);
  if (!*piece || !*ln_ratio) return err->status;
  for (int j = 0; j < n; j++) {
    (*piece)[j] = sdn_agn_piece(d, wave_A[j]);
    if ((*piece)[j] >= 0) (*ln_ratio)[j] = log(wave_A[j] / d->edge_A[(*piece)[j]]);
  }
  return SDN_OK;
}

static sdn_status power_law_energy(sdn_agn_table *t, sdn_err *err)
{
  const sdn_agn_disc *d = &t->a->disc;
  const sdn_gauss *rule = &sdn_gauss_rule[SDN_GAUSS_4];
  const size_t most = (size_t)(rule->n * (d->n_piece + (int)(log(d->edge_A[d->n_piece] / d->edge_A[0]) / ENERGY_STEP) + 1));
  t->energy_A = sdn_alloc(most, sizeof *t->energy_A, "energies of a disc", err);
  t->energy_weight = sdn_alloc(most, sizeof *t->energy_weight, "energies of a disc", err);
  if (!t->energy_A || !t->energy_weight) return err->status;
  for (int i = 0; i < d->n_piece; i++) {
    const double whole = log(d->edge_A[i + 1] / d->edge_A[i]);
    const int n_part = (int)ceil(whole / ENERGY_STEP);
    for (int part = 0; part < n_part; part++)
      for (int g = 0; g < rule->n; g++) {
        const double wave_A = d->edge_A[i] * exp(whole * (part + rule->x[g]) / n_part);
        t->energy_A[t->n_energy] = wave_A;
        t->energy_weight[t->n_energy++] = rule->w[g] * whole / n_part * SDN_LIGHT_A_PER_S / wave_A;
      }
  }
  return place_on_pieces(d, t->n_energy, t->energy_A, &t->energy_piece, &t->energy_ln_ratio, err);
}

static void reach(const sdn_agn_table *t, const sdn_prior *prior, int axis, int *low, int *size)
{
  const sdn_grid_axis *x = &t->a->disc.grid->axis[axis];
  const int param = t->a->disc.axis_param[axis];
  double from, to, share;
  int i = 0, j = 0;
  *low = 0;
  *size = 1;
  if (param < 0) return;
  sdn_prior_param_range(prior, param, &from, &to);
  sdn_grid_locate(x, from, true, &i, &share);
  sdn_grid_locate(x, to, true, &j, &share);
  if (from < to && i > 0) i--;              /* the range of a conditional parameter is only sampled */
  if (from < to && j + 2 < x->n) j++;
  *low = i;
  *size = j + 2 - i;
}

/* The grid's cell, as its nodes. */
static void cell_nodes(const sdn_agn_table *t, int cell, int *node)
{
  for (int a = t->a->disc.grid->n_axis - 1; a >= 0; a--) {
    node[a] = t->low[a] + cell % t->size[a];
    cell /= t->size[a];
  }
}

/* Power of each interval of the grid's wavelengths, shared between the two energy nodes around its middle. */
static void grid_energy(const sdn_agn_table *t, const int *node, double power, double *energy)
{
  const sdn_grid *g = t->a->disc.grid;
  const double step = log(t->energy_A[1] / t->energy_A[0]);
  for (int j = 0; j + 1 < g->n_wave; j++) {
    const double a = g->wave_A[j], b = g->wave_A[j + 1];
    if (!(b > a)) continue;
    const double f = sdn_agn_grid_lnu(g, node, a), h = sdn_agn_grid_lnu(g, node, b), slope = (h - f) / (b - a);
    const double part = SDN_LIGHT_A_PER_S * ((f - slope * a) * (1 / a - 1 / b) + slope * log(b / a)) / power;
    const double x = fmin(fmax(log(sqrt(a * b) / t->energy_A[0]) / step, 0), t->n_energy - 1.000001);
    const int i = (int)x;
    energy[i] += part * (1 - (x - i));
    energy[i + 1] += part * (x - i);
  }
}

static sdn_status make_cells(sdn_agn_table *t, const sdn_prior *prior, sdn_err *err)
{
  const sdn_grid *g = t->a->disc.grid;
  const double low_A = g->wave_A[0], range = log(g->wave_A[g->n_wave - 1] / low_A);
  double n_cell = 1;
  for (int a = 0; a < g->n_axis; a++) {
    reach(t, prior, a, &t->low[a], &t->size[a]);
    n_cell *= t->size[a];
  }
  t->n_energy = 2 + (int)(range / GRID_ENERGY_STEP);
  if (!(n_cell * (t->n + 2 * t->n_energy) < MAX_VALUES))
    return sdn_fail(err, SDN_RANGE, "grid %s has %.0f cells within the prior, too many for %d wavelengths; fix some of its axes", g->name, n_cell, t->n);
  t->n_cell = (int)n_cell;
  t->energy_A = sdn_alloc((size_t)t->n_energy, sizeof *t->energy_A, "AGN grid on nodes", err);
  t->cell = sdn_alloc((size_t)t->n_cell * (size_t)t->n, sizeof *t->cell, "AGN grid on nodes", err);
  t->cell_photons = sdn_alloc((size_t)t->n_cell, sizeof *t->cell_photons, "AGN grid on nodes", err);
  t->cell_energy = sdn_alloc((size_t)t->n_cell * (size_t)t->n_energy, sizeof *t->cell_energy, "AGN grid on nodes", err);
  if (!t->energy_A || !t->cell || !t->cell_photons || !t->cell_energy) return err->status;
  for (int i = 0; i < t->n_energy; i++) t->energy_A[i] = low_A * exp(range * i / (t->n_energy - 1));
  for (int c = 0; c < t->n_cell; c++) {
    int node[SDN_AGN_MAX_AXIS];
    cell_nodes(t, c, node);
    const double power = sdn_agn_grid_power(g, node);
    if (!(power > 0 && isfinite(power))) return sdn_fail(err, SDN_FORMAT, "grid %s: cell %d has the power %g; no disc can be as that", g->name, c, power);
    for (int j = 0; j < t->n; j++) t->cell[(size_t)c * (size_t)t->n + (size_t)j] = (float)(UNIT_HZ * sdn_agn_grid_lnu(g, node, t->wave_A[j]) / power);
    t->cell_photons[c] = SDN_LSUN_ERG_S * sdn_agn_grid_photons(g, node) / power;
    grid_energy(t, node, power, t->cell_energy + (size_t)c * (size_t)t->n_energy);
  }
  return SDN_OK;
}

static sdn_status make_torus(sdn_agn_table *t, sdn_err *err)
{
  const sdn_agn_torus *torus = t->a->torus;
  if (!torus) return SDN_OK;
  float *out = t->torus = sdn_alloc((size_t)(torus->n_angle * torus->n_tau) * (size_t)t->n, sizeof *t->torus, "torus on nodes", err);
  if (!out) return err->status;
  for (int angle = 0; angle < torus->n_angle; angle++)
    for (int tau = 0; tau < torus->n_tau; tau++)
      for (int j = 0; j < t->n; j++) *out++ = (float)(UNIT_HZ * sdn_agn_torus_at(torus, angle, tau, t->wave_A[j]));
  return SDN_OK;
}

static sdn_status make_dust(sdn_agn_table *t, const sdn_prior *prior, sdn_err *err)
{
  const int n_all = t->n + t->a->n_line + t->n_energy;
  if (!t->a->dust) return SDN_OK;
  double *wave = sdn_alloc((size_t)n_all, sizeof *wave, "AGN on nodes", err);
  if (!wave) return err->status;
  memcpy(wave, t->wave_A, (size_t)t->n * sizeof *wave);
  for (int l = 0; l < t->a->n_line; l++) wave[t->n + l] = sdn_agn_line_wave_A(t->a, l);
  memcpy(wave + t->n + t->a->n_line, t->energy_A, (size_t)t->n_energy * sizeof *wave);
  const sdn_status status = sdn_attenuation_table_new(t->a->dust, prior, n_all, wave, &t->dust, err);
  sdn_release(wave);
  return status;
}

sdn_status sdn_agn_table_new(const sdn_agn *a, const sdn_prior *prior, int n, const double *wave_A, sdn_agn_table **out, sdn_err *err)
{
  *out = NULL;
  sdn_agn_table *t = sdn_alloc(1, sizeof *t, "AGN on nodes", err);
  if (!t) return err->status;
  t->a = a;
  t->n = n;
  t->wave_A = sdn_alloc((size_t)n, sizeof *t->wave_A, "AGN on nodes", err);
  sdn_status status = t->wave_A ? SDN_OK : err->status;
  if (!status) memcpy(t->wave_A, wave_A, (size_t)n * sizeof *wave_A);
  if (!status && a->disc.grid) status = make_cells(t, prior, err);
  if (!status && a->disc.n_piece > 0) status = place_on_pieces(&a->disc, n, wave_A, &t->piece, &t->ln_ratio, err);
  if (!status && a->disc.n_piece > 0) status = power_law_energy(t, err);
  if (!status) status = make_torus(t, err);
  if (!status) status = make_dust(t, prior, err);
  if (!status) {
    *out = t;
    t = NULL;
  }
  sdn_agn_table_free(t);
  return status;
}

void sdn_agn_table_free(sdn_agn_table *t)
{
  if (!t) return;
  sdn_release(t->wave_A);
  sdn_release(t->piece);
  sdn_release(t->ln_ratio);
  sdn_release(t->cell);
  sdn_release(t->cell_photons);
  sdn_release(t->cell_energy);
  sdn_release(t->torus);
  sdn_release(t->energy_A);
  sdn_release(t->energy_weight);
  sdn_release(t->energy_piece);
  sdn_release(t->energy_ln_ratio);
  sdn_attenuation_table_free(t->dust);
  sdn_release(t);
}

/* ------------------------------------------------------------------ one galaxy */

/* The corners of a galaxy's place in the grid, one after the other: its cell and share; share 0 where it does not count. */
static double corner_of(const sdn_agn_table *t, const sdn_agn_state *s, int corner, int *cell)
{
  double share = 1;
  int at = 0;
  *cell = 0;
  for (int a = 0; a < t->a->disc.grid->n_axis; a++) {
    const bool up = corner >> a & 1;
    if (up && t->size[a] < 2) return 0;
    share *= up ? s->t[a] : 1 - s->t[a];
    at = at * t->size[a] + s->node[a] + up;
  }
  if (share > 0) *cell = at;
  return share;
}

static sdn_status prepare_grid(const sdn_agn_table *t, const double *params, sdn_agn_state *s, sdn_err *err)
{
  const sdn_grid *g = t->a->disc.grid;
  int cell;
  if (sdn_agn_grid_place(&t->a->disc, params, s->node, s->t, err)) return err->status;
  for (int a = 0; a < g->n_axis; a++) {
    s->node[a] -= t->low[a];
    if (s->node[a] == t->size[a] - 1 && s->node[a] > 0 && s->t[a] == 0) s->node[a]--, s->t[a] = 1;
    if (s->node[a] < 0 || (s->node[a] + 1 >= t->size[a] && t->size[a] > 1))
      return sdn_fail(err, SDN_RANGE, "agn_%s %g is outside what the prior can give", g->axis[a].name, params[t->a->disc.axis_param[a]]);
  }
  s->photons_per_s = 0;
  for (int c = 0; c < 1 << g->n_axis; c++) {
    const double share = corner_of(t, s, c, &cell);
    if (share > 0) s->photons_per_s += share * t->cell_photons[cell];
  }
  return SDN_OK;
}

static sdn_status prepare_power_law(const sdn_agn_table *t, const double *params, sdn_agn_state *s, sdn_err *err)
{
  const sdn_agn_disc *d = &t->a->disc;
  double alpha[SDN_AGN_MAX_PIECE];
  for (int i = 0; i < d->n_piece; i++) {
    alpha[i] = params[d->alpha[i]];
    if (!(fabs(alpha[i]) <= 100)) return sdn_fail(err, SDN_RANGE, "agn_alpha_%d is %g; a slope within -100 .. 100 is needed", i + 1, alpha[i]);
  }
  sdn_agn_power_law(d, alpha, s->value, s->slope, &s->photons_per_s);
  return SDN_OK;
}

sdn_status sdn_agn_table_prepare(const sdn_agn_table *t, const double *params, sdn_agn_state *s, sdn_err *err)
{
  const sdn_agn *a = t->a;
  memset(s, 0, sizeof *s);
  if (a->disc.grid && prepare_grid(t, params, s, err)) return err->status;
  if (a->disc.n_piece > 0 && prepare_power_law(t, params, s, err)) return err->status;
  if (a->torus && sdn_agn_torus_place(a->torus, params, s, err)) return err->status;
  if (a->broad >= 0) s->broad = params[a->broad];
  if (a->narrow >= 0) s->narrow = params[a->narrow];
  if (!(s->broad >= 0 && s->narrow >= 0))
    return sdn_fail(err, SDN_RANGE, "covering fractions of the AGN's lines are %g and %g; they cannot be negative", s->broad, s->narrow);
  if (!t->dust) return SDN_OK;
  s->tau = NEPER_PER_MAG * sdn_attenuation_a_v_mag(a->dust, params);
  if (!(s->tau >= 0)) return sdn_fail(err, SDN_RANGE, "agn_a_v_mag is %g; it cannot be negative", s->tau / NEPER_PER_MAG);
  sdn_attenuation_table_prepare(t->dust, params, &s->dust);
  return SDN_OK;
}

SDN_CLONES static void exponentials(int n, const double *restrict x, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] = (float)(UNIT_HZ * sdn_vexp(x[j]));
}

/* lnu[j] = L_nu UNIT_HZ of unit power, n <= CHUNK; nodes of one piece lie together, those without piece at the ends. */
static void power_law(int n, const int *piece, const double *ln_ratio, const double *value, const double *slope, float *lnu)
{
  double x[CHUNK];
  for (int j = 0; j < n; j++) x[j] = piece[j] < 0 ? 0 : value[piece[j]] + slope[piece[j]] * ln_ratio[j];
  exponentials(n, x, lnu);
  for (int j = 0; j < n && piece[j] < 0; j++) lnu[j] = 0;
  for (int j = n; j-- > 0 && piece[j] < 0;) lnu[j] = 0;
}

SDN_CLONES static void add_scaled(int n, float factor, const float *restrict from, float *restrict to)
{
  for (int j = 0; j < n; j++) to[j] += factor * from[j];
}

SDN_CLONES static void screen(int n, double tau, const float *restrict k, float *restrict lnu)
{
  for (int j = 0; j < n; j++) lnu[j] *= (float)sdn_vexp(-tau * (double)k[j]);
}

/* Emergent light of unit power on at most CHUNK nodes. */
static void chunk(const sdn_agn_table *t, const sdn_agn_state *s, int first, int n, float *lnu)
{
  const sdn_agn *a = t->a;
  float scratch[CHUNK];
  int cell;
  if (a->disc.n_piece > 0)
    power_law(n, t->piece + first, t->ln_ratio + first, s->value, s->slope, lnu);
  else {
    memset(lnu, 0, (size_t)n * sizeof *lnu);
    for (int c = 0; a->disc.grid && c < 1 << a->disc.grid->n_axis; c++) {
      const double share = corner_of(t, s, c, &cell);
      if (share > 0) add_scaled(n, (float)share, t->cell + (size_t)cell * (size_t)t->n + first, lnu);
    }
  }
  if (t->dust && s->tau > 0) screen(n, s->tau, sdn_attenuation_table_curve(t->dust, &s->dust, first, n, scratch), lnu);
  for (int k = 0; k < 4 && a->torus; k++) {
    const int spectrum = (s->torus_angle + (k >> 1)) * a->torus->n_tau + s->torus_tau + (k & 1);
    if (s->torus_share[k] > 0) add_scaled(n, (float)s->torus_share[k], t->torus + (size_t)spectrum * (size_t)t->n + first, lnu);
  }
}

void sdn_agn_table_add(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun, int first, int n, float *lnu)
{
  const float factor = (float)(power_lsun * SDN_LSUN_ERG_S / UNIT_HZ);
  float light[CHUNK];
  for (int done = 0; done < n; done += CHUNK) {
    const int part = n - done < CHUNK ? n - done : CHUNK;
    chunk(t, s, first + done, part, light);
    add_scaled(part, factor, light, lnu + done);
  }
}

double sdn_agn_lnu_at(const sdn_agn_table *t, const sdn_agn_state *s, double wave_A)
{
  float light[2];
  if (t->n < 2 || !(wave_A >= t->wave_A[0] && wave_A <= t->wave_A[t->n - 1])) return 0;
  const int i = sdn_agn_interval(t->n, t->wave_A, wave_A);
  const double width = t->wave_A[i + 1] - t->wave_A[i], u = width > 0 ? (wave_A - t->wave_A[i]) / width : 1;
  chunk(t, s, i, 2, light);
  return ((1 - u) * (double)light[0] + u * (double)light[1]) * SDN_LSUN_ERG_S / UNIT_HZ;
}

static double line_erg_s(const sdn_agn_table *t, const sdn_agn_state *s, int line)
{
  const sdn_agn_line *l = &sdn_agn_line_list[t->a->line[line]];
  return s->photons_per_s * (l->broad ? s->broad : s->narrow) * sdn_agn_line_erg(l);
}

static double curve_at(const sdn_agn_table *t, const sdn_agn_state *s, int place)
{
  float scratch;
  return (double)*sdn_attenuation_table_curve(t->dust, &s->dust, place, 1, &scratch);
}

void sdn_agn_lines_add(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun, float *line_out)
{
  for (int l = 0; l < t->a->n_line; l++) {
    const double left = t->dust ? exp(-s->tau * curve_at(t, s, t->n + l)) : 1;
    line_out[l] += (float)(power_lsun * left * line_erg_s(t, s, l));
  }
}

/* Energy of one Lsun at the energy nodes first .. first+n-1. */
static void energies(const sdn_agn_table *t, const sdn_agn_state *s, int first, int n, double *energy)
{
  int cell;
  memset(energy, 0, (size_t)n * sizeof *energy);
  for (int j = 0; j < n && !t->a->disc.grid; j++) {
    const int p = t->energy_piece[first + j];
    energy[j] = t->energy_weight[first + j] * sdn_vexp(s->value[p] + s->slope[p] * t->energy_ln_ratio[first + j]);
  }
  for (int c = 0; t->a->disc.grid && c < 1 << t->a->disc.grid->n_axis; c++) {
    const double share = corner_of(t, s, c, &cell), *of_cell = t->cell_energy + (size_t)cell * (size_t)t->n_energy + first;
    for (int j = 0; j < n && share > 0; j++) energy[j] += share * of_cell[j];
  }
}

SDN_CLONES static void shares_taken(int n, double tau, const float *restrict k, double *restrict energy)
{
  for (int j = 0; j < n; j++) energy[j] *= 1 - sdn_vexp(-tau * (double)k[j]);
}

double sdn_agn_absorbed_lsun(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun)
{
  const int first = t->n + t->a->n_line;
  double sum = 0;
  if (!t->dust || !(s->tau > 0)) return 0;
  for (int done = 0; done < t->n_energy; done += CHUNK) {
    const int part = t->n_energy - done < CHUNK ? t->n_energy - done : CHUNK;
    float scratch[CHUNK];
    double energy[CHUNK];
    energies(t, s, done, part, energy);
    shares_taken(part, s->tau, sdn_attenuation_table_curve(t->dust, &s->dust, first + done, part, scratch), energy);
    for (int j = 0; j < part; j++) sum += energy[j];
  }
  for (int l = 0; l < t->a->n_line; l++) sum += line_erg_s(t, s, l) / SDN_LSUN_ERG_S * -expm1(-s->tau * curve_at(t, s, t->n + l));
  return power_lsun * sum;
}
