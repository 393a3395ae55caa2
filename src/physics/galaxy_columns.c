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

/* Nodes for the IGM alone between two neighbours, to out if it is there; their number. */
static int subdivide(const sdn_igm *igm, double from_A, double to_A, double *out)
{
  const double step = sdn_igm_step_A(igm, 0.5 * (from_A + to_A));
  const int n = step < INFINITY ? (int)ceil((to_A - from_A) / step) : 1;
  for (int k = 1; k < n && out; k++) out[k - 1] = from_A + (to_A - from_A) * k / n;
  return n > 1 ? n - 1 : 0;
}

static sdn_status make_waves(const sdn_grid *g, const sdn_igm *igm, double low_A, double high_A, sdn_columns *c, sdn_err *err)
{
  int first, last, n_jump = 0, n = 0;
  const double *jump = sdn_igm_jumps_A(igm, &n_jump), reddest = sdn_igm_reddest_A(igm);
  grid_span(g, low_A, high_A, &first, &last);
  const int n_max = last - first + 1 + 2 * n_jump;
  double *base = sdn_alloc((size_t)n_max, sizeof *base, "wavelengths", err), *wave = NULL;
  if (base) {
    for (int i = first; i <= last; i++) base[n++] = g->wave_A[i];
    for (int i = 0; i < n_jump; i++)
      if (jump[i] > g->wave_A[first] && jump[i] < g->wave_A[last]) base[n++] = jump[i], base[n++] = jump[i];
    qsort(base, (size_t)n, sizeof *base, ascending);
    n = keep_distinct(base, n, jump, n_jump);
    int m = n;
    for (int i = 0; i + 1 < n; i++) m += base[i + 1] <= reddest ? subdivide(igm, base[i], base[i + 1], NULL) : 0;
    wave = sdn_alloc((size_t)m, sizeof *wave, "wavelengths", err);
  }
  if (wave) {
    int m = 0;
    for (int i = 0; i < n; i++) {
      wave[m++] = base[i];
      if (i + 1 < n && base[i + 1] <= reddest) m += subdivide(igm, base[i], base[i + 1], wave + m);
    }
    c->n_wave = m;
    c->wave_A = wave;
    wave = NULL;
  }
  const bool ok = c->wave_A != NULL;
  sdn_release(base);
  sdn_release(wave);
  return ok ? SDN_OK : err->status;
}

sdn_status sdn_columns_new(const sdn_grid *g, const sdn_igm *igm, bool lines, double low_A, double high_A, sdn_columns *c, sdn_err *err)
{
  *c = (sdn_columns){0};
  if (make_waves(g, igm, low_A, high_A, c, err)) return err->status;
  c->n_block_wave = (c->n_wave + SDN_BLOCK - 1) / SDN_BLOCK;
  c->line0 = c->n_block_wave * SDN_BLOCK;
  c->n_line = lines ? g->n_line : 0;
  c->n_block = c->n_block_wave + (c->n_line + SDN_BLOCK - 1) / SDN_BLOCK;
  c->line_A = sdn_alloc((size_t)c->n_line, sizeof *c->line_A, "line wavelengths", err);
  if (!c->line_A) return err->status;
  if (c->n_line) memcpy(c->line_A, g->line_wave_A, (size_t)c->n_line * sizeof *c->line_A);
  return SDN_OK;
}

void sdn_columns_free(sdn_columns *c)
{
  sdn_release(c->wave_A);
  sdn_release(c->line_A);
}

/* The first node redder than wave_A. */
static int first_above(const sdn_columns *c, double wave_A)
{
  int low = 0, high = c->n_wave;
  while (low < high) {
    const int mid = (low + high) / 2;
    if (c->wave_A[mid] > wave_A) high = mid; else low = mid + 1;
  }
  return low;
}

void sdn_columns_need(const sdn_columns *c, double low_A, double high_A, unsigned char *need)
{
  /* the node before, and one more beyond either end for the rounding of the limits; a pair at the limit counts two */
  int first = first_above(c, low_A) - 3, last = first_above(c, high_A) + 1;
  if (first < 0) first = 0;
  if (last > c->n_wave - 1) last = c->n_wave - 1;
  for (int b = first / SDN_BLOCK; b <= last / SDN_BLOCK; b++) need[b] = 1;
}
