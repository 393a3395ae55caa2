/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a spectrum needs wavelength nodes for an active nucleus. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "physics/agn_own.h"
#include "physics/wave_nodes.h"

#define TOLERANCE 6e-5      /* of an interval's light: a band then errs by less than 1e-4 */
#define FLOOR 2e-3          /* of the peak of nu L_nu */
#define MAX_CELL 64         /* of a grid that are looked at */
#define MAX_SAMPLE 16
#define SAME 1e-9           /* relative: nodes nearer than this are one */

/* ------------------------------------------------------------------ power law: its steepest and flattest slopes, all together and one by one */

typedef struct slopes { const sdn_agn_disc *d; int n; double value[MAX_SAMPLE][SDN_AGN_MAX_PIECE], slope[MAX_SAMPLE][SDN_AGN_MAX_PIECE]; } slopes;

static double slope_lnu(const void *ctx, int sample, double wave_A)
{
  const slopes *s = ctx;
  const int p = sdn_agn_piece(s->d, wave_A);
  return p < 0 ? 0 : exp(s->value[sample][p] + s->slope[sample][p] * log(wave_A / s->d->edge_A[p]));
}

static sdn_status power_law_nodes(const sdn_agn *a, double **node, int *n, sdn_err *err)
{
  double low[SDN_AGN_MAX_PIECE] = {0}, high[SDN_AGN_MAX_PIECE] = {0}, photons;
  slopes s = {.d = &a->disc};
  for (int i = 0; i < a->disc.n_piece; i++) sdn_prior_param_range(a->prior, a->disc.alpha[i], &low[i], &high[i]);
  for (int k = 0; k < 2 + 2 * a->disc.n_piece; k++, s.n++) {
    double alpha[SDN_AGN_MAX_PIECE];
    for (int i = 0; i < a->disc.n_piece; i++) alpha[i] = k == 0 ? low[i] : k == 1 ? high[i] : (k / 2 - 1 == i) == (k % 2 == 0) ? low[i] : high[i];
    sdn_agn_power_law(&a->disc, alpha, s.value[k], s.slope[k], &photons);
  }
  const sdn_wave_family family = {s.n, slope_lnu, &s, TOLERANCE, FLOOR};
  return sdn_wave_nodes(&family, a->disc.edge_A[0], a->disc.edge_A[a->disc.n_piece], node, n, err);
}

/* ------------------------------------------------------------------ grid: as few of its own wavelengths as keep all cells looked at */

typedef struct cells { const sdn_grid *g; int n, at[MAX_CELL][SDN_AGN_MAX_AXIS]; double top[MAX_CELL]; } cells;

/* Up to MAX_CELL cells, spread evenly over all. */
static void choose_cells(const sdn_grid *g, cells *c)
{
  long n_cell = 1;
  for (int a = 0; a < g->n_axis; a++)
    if (a >= 2 ? g->incident.has_extra[a] : a == 1 && g->incident.n_metallicity > 1) n_cell *= g->axis[a].n;
  c->g = g;
  c->n = (int)(n_cell < MAX_CELL ? n_cell : MAX_CELL);
  for (int k = 0; k < c->n; k++) {
    long cell = c->n > 1 ? (long)((double)k * (double)(n_cell - 1) / (c->n - 1)) : 0;
    for (int a = g->n_axis - 1; a >= 0; a--) {
      const bool matters = a >= 2 ? g->incident.has_extra[a] : a == 1 && g->incident.n_metallicity > 1;
      c->at[k][a] = matters ? (int)(cell % g->axis[a].n) : 0;
      if (matters) cell /= g->axis[a].n;
    }
    c->top[k] = 0;
    for (int j = 0; j < g->n_wave; j++) c->top[k] = fmax(c->top[k], sdn_agn_grid_lnu(g, c->at[k], g->wave_A[j]) / g->wave_A[j]);
  }
}

static bool straight(const cells *c, int from, int to)
{
  const double *w = c->g->wave_A;
  for (int k = 0; k < c->n; k++) {
    const double a = sdn_agn_grid_lnu(c->g, c->at[k], w[from]), b = sdn_agn_grid_lnu(c->g, c->at[k], w[to]);
    for (int j = from + 1; j < to; j++) {
      const double t = (w[j] - w[from]) / (w[to] - w[from]), y = sdn_agn_grid_lnu(c->g, c->at[k], w[j]);
      if (!(fabs((1 - t) * a + t * b - y) <= TOLERANCE * fmax(y, FLOOR * c->top[k] * w[j]))) return false;
    }
  }
  return true;
}

static sdn_status grid_nodes(const sdn_grid *g, double **node, int *n, sdn_err *err)
{
  cells *c = sdn_alloc(1, sizeof *c, "cells of an AGN grid", err);
  *n = 0;
  *node = c ? sdn_alloc((size_t)g->n_wave, sizeof **node, "wavelength nodes", err) : NULL;
  if (!*node) goto done;
  choose_cells(g, c);
  (*node)[(*n)++] = g->wave_A[0];
  for (int i = 0; i < g->n_wave - 1;) {
    int to = i + 1;
    while (to + 1 < g->n_wave && straight(c, i, to + 1)) to++;
    (*node)[(*n)++] = g->wave_A[to];
    i = to;
  }
done:
  sdn_release(c);
  return *node ? SDN_OK : err->status;
}

/* ------------------------------------------------------------------ all together */

static int by_wavelength(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

sdn_status sdn_agn_make_nodes(const sdn_agn *a, sdn_err *err)
{
  double *disc = NULL;
  int n_disc = 0, n = 0, kept = 0;
  sdn_status status = a->disc.grid ? grid_nodes(a->disc.grid, &disc, &n_disc, err) : a->disc.n_piece > 0 ? power_law_nodes(a, &disc, &n_disc, err) : SDN_OK;
  const int n_torus = a->torus ? a->torus->n_wave : 0, n_edge = a->disc.n_piece ? a->disc.n_piece + 1 : 0;
  double *all = status ? NULL : sdn_alloc((size_t)(n_disc + n_torus + n_edge + 1), sizeof *all, "wavelength nodes", err);
  if (!all) goto done;
  for (int i = 0; i < n_disc; i++) all[n++] = disc[i];
  for (int i = 0; i < n_torus; i++) all[n++] = a->torus->wave_A[i];
  for (int i = 0; i < n_edge; i++) all[n++] = a->disc.edge_A[i];
  if (a->fraction >= 0) all[n++] = a->fraction_wave_A;
  qsort(all, (size_t)n, sizeof *all, by_wavelength);
  for (int i = 0; i < n; i++)
    if (kept == 0 || all[i] > all[kept - 1] * (1 + SAME)) all[kept++] = all[i];
  a->nodes->wave_A = all;
  a->nodes->n = kept;
done:
  sdn_release(disc);
  return all ? SDN_OK : err->status;
}
