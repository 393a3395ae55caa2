/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which wavelengths a spectrum is computed on. The product of a spectrum that is linear between nodes and the IGM's transmission is integrated as if it
 * were linear too; so nodes stand in pairs where the transmission jumps, and close where it bends. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "physics/galaxy.h"

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static bool is_jump(const double *jump, int n_jump, double wave_A)
{
  for (int i = 0; i < n_jump; i++)
    if (jump[i] == wave_A) return true;
  return false;
}

/* Once, or twice at a jump; sorted input. A pair of the grid stays a pair. */
static int keep_distinct(double *wave, int n, const double *jump, int n_jump)
{
  int kept = 0;
  for (int i = 0; i < n;) {
    int same = 1;
    while (i + same < n && wave[i + same] == wave[i]) same++;
    const double w = wave[i];
    const int copies = same > 1 || is_jump(jump, n_jump, w) ? 2 : 1;
    i += same;
    for (int c = 0; c < copies; c++) wave[kept++] = w;   /* kept <= i always: a jump was put in twice */
  }
  return kept;
}

/* Grid nodes first .. last that span low .. high. */
static void grid_span(const sdn_grid *g, double low_A, double high_A, int *first, int *last)
{
  *first = 0;
  *last = g->n_wave - 1;
  while (*first < g->n_wave - 2 && g->wave_A[*first + 1] <= low_A) (*first)++;
  while (*last > *first + 1 && g->wave_A[*last - 1] >= high_A) (*last)--;
}

/* How many pieces the IGM wants between two neighbours. */
static int igm_pieces(const sdn_igm *igm, double from_A, double to_A)
{
  const double step = sdn_igm_step_A(igm, 0.5 * (from_A + to_A));
  return step < HUGE_VAL ? (int)ceil((to_A - from_A) / step) : 1;
}

/* The grid's nodes, those that other ingredients ask for, and pairs at the IGM's jumps; base [n], room for all. */
static int gather(const sdn_columns_plan *p, double *base)
{
  int first, last, n_jump = 0, n = 0;
  const double *jump = sdn_igm_jumps_A(p->igm, &n_jump);
  const sdn_grid *g = p->grid;
  grid_span(g, p->low_A, p->high_A, &first, &last);
  for (int i = first; i <= last; i++) base[n++] = g->wave_A[i];
  const double low = g->wave_A[first], high = fmax(g->wave_A[last], p->high_A);
  for (int i = 0; i < n_jump; i++)
    if (jump[i] > low && jump[i] < high) base[n++] = jump[i], base[n++] = jump[i];
  for (int i = 0; i < p->n_extra; i++)
    if (p->extra_A[i] > low && p->extra_A[i] < high) base[n++] = p->extra_A[i];
  if (high > g->wave_A[last]) base[n++] = high;
  qsort(base, (size_t)n, sizeof *base, ascending);
  return keep_distinct(base, n, jump, n_jump);
}

static sdn_status make_waves(const sdn_columns_plan *p, sdn_columns *c, sdn_err *err)
{
  int n_jump = 0, n_all = 1;
  sdn_igm_jumps_A(p->igm, &n_jump);
  double *base = sdn_alloc((size_t)(p->grid->n_wave + 2 * n_jump + p->n_extra + 2), sizeof *base, "wavelengths", err);
  if (!base) return err->status;
  const int n = gather(p, base);
  for (int i = 0; i + 1 < n; i++) n_all += igm_pieces(p->igm, base[i], base[i + 1]);
  c->wave_A = sdn_alloc((size_t)(n_all + n), sizeof *c->wave_A, "wavelengths", err);
  for (int i = 0; c->wave_A && i < n; i++) {
    const int pieces = i + 1 < n ? igm_pieces(p->igm, base[i], base[i + 1]) : 1;
    c->wave_A[c->n_wave++] = base[i];
    for (int k = 1; k < pieces; k++) c->wave_A[c->n_wave++] = base[i] + (base[i + 1] - base[i]) * k / pieces;
  }
  sdn_release(base);
  return c->wave_A ? SDN_OK : err->status;
}

typedef struct placed_line { double wave_A; int source; } placed_line;

static int line_ascending(const void *a, const void *b)
{
  const placed_line *x = a, *y = b;
  if (x->wave_A < y->wave_A) return -1;
  if (x->wave_A > y->wave_A) return 1;
  return y->source - x->source;   /* the grid's own first */
}

static sdn_status make_lines(const sdn_columns_plan *p, sdn_columns *c, sdn_err *err)
{
  const int n_grid = p->lines ? p->grid->n_line : 0, n = n_grid + p->n_agn_line;
  placed_line *all = sdn_alloc((size_t)n, sizeof *all, "lines", err);
  c->line_A = sdn_alloc((size_t)n, sizeof *c->line_A, "line wavelengths", err);
  c->line_source = sdn_alloc((size_t)n, sizeof *c->line_source, "lines", err);
  const bool ok = all && c->line_A && c->line_source;
  for (int l = 0; ok && l < n; l++) all[l] = l < n_grid ? (placed_line){p->grid->line_wave_A[l], l} : (placed_line){p->agn_line_A[l - n_grid], -1 - (l - n_grid)};
  if (ok) qsort(all, (size_t)n, sizeof *all, line_ascending);
  for (int l = 0; ok && l < n; l++) {
    c->line_A[l] = all[l].wave_A;
    c->line_source[l] = all[l].source;
  }
  c->n_line = ok ? n : 0;
  sdn_release(all);
  return ok ? SDN_OK : err->status;
}

static sdn_status make_energy(const sdn_columns_plan *p, sdn_columns *c, sdn_err *err)
{
  c->energy_A = sdn_alloc(SDN_ENERGY_MAX, sizeof *c->energy_A, "energy nodes", err);
  if (!c->energy_A) return err->status;
  if (p->energy) c->n_energy = sdn_energy_nodes(p->grid->wave_A[0], p->grid->wave_A[p->grid->n_wave - 1], c->energy_A);
  return SDN_OK;
}

static int blocks_of(int n) { return (n + SDN_BLOCK - 1) / SDN_BLOCK; }

sdn_status sdn_columns_lines(const sdn_columns_plan *p, sdn_columns *c, sdn_err *err)
{
  *c = (sdn_columns){0};
  return make_lines(p, c, err);
}

sdn_status sdn_columns_nodes(const sdn_columns_plan *p, sdn_columns *c, sdn_err *err)
{
  if (make_waves(p, c, err) || make_energy(p, c, err)) return err->status;
  c->n_block_wave = blocks_of(c->n_wave);
  c->n_block_line = c->n_block_wave + blocks_of(c->n_line);
  c->n_block = c->n_block_line + blocks_of(c->n_energy);
  c->line0 = c->n_block_wave * SDN_BLOCK;
  c->energy0 = c->n_block_line * SDN_BLOCK;
  return SDN_OK;
}

double sdn_column_wave_A(const sdn_columns *c, int column)
{
  const int line = column - c->line0, energy = column - c->energy0;
  if (column < c->n_wave) return c->wave_A[column];
  if (line >= 0 && line < c->n_line) return c->line_A[line];
  if (energy >= 0 && energy < c->n_energy) return c->energy_A[energy];
  return 5500;
}

void sdn_columns_free(sdn_columns *c)
{
  sdn_release(c->wave_A);
  sdn_release(c->line_A);
  sdn_release(c->line_source);
  sdn_release(c->energy_A);
}

/* The first node redder than wave_A; halved without branches, since where a redshift puts a band no processor foresees. */
static int first_above(const sdn_columns *c, double wave_A)
{
  const double *from = c->wave_A;
  for (int left = c->n_wave; left > 0;) {
    const int half = (left + 1) / 2;
    from += from[half - 1] <= wave_A ? half : 0;
    left -= half;
  }
  return (int)(from - c->wave_A);
}

void sdn_columns_need(const sdn_columns *c, double low_A, double high_A, unsigned char *need)
{
  /* the node before, and one more beyond either end for the rounding of the limits; a pair at the limit counts two */
  int first = first_above(c, low_A) - 3, last = first_above(c, high_A) + 1;
  if (first < 0) first = 0;
  if (last > c->n_wave - 1) last = c->n_wave - 1;
  for (int b = first / SDN_BLOCK; b <= last / SDN_BLOCK; b++) need[b] = 1;
}

int sdn_columns_find(const sdn_columns *c, double wave_A)
{
  int j = first_above(c, wave_A);
  if (j >= c->n_wave) j = c->n_wave - 1;
  return j > 0 && wave_A - c->wave_A[j - 1] < c->wave_A[j] - wave_A ? j - 1 : j;
}
