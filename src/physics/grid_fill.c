/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mending what photoionisation runs left out, and making the table of transmitted light where the file has none. */
#include <math.h>
#include <string.h>

#include "physics/grid_read.h"

static size_t cell_index(const sdn_grid_table *t, int a, int m, int e)
{
  return ((size_t)a * (size_t)t->n_metallicity + (size_t)m) * (size_t)t->n_extra + (size_t)e;
}

static bool is_dark(const sdn_grid_table *t, int a, int m, int e)
{
  const float *row = sdn_grid_row(t, a, m, e);
  for (int j = 0; j < t->n_column; j++)
    if (row[j] > 0) return false;
  return true;
}

/* One metallicity and extra cell along age. */
static long find_failed_ages(const sdn_grid_table *t, const sdn_grid_table *like, int m, int e, unsigned char *bad)
{
  long n = 0;
  bool older_has_light = false;
  for (int a = t->n_age - 1; a >= 0; a--) {
    const bool dark = is_dark(t, a, m, e);
    const bool should_shine = like ? !is_dark(like, a, m, like->n_extra == t->n_extra ? e : 0) : older_has_light;
    if (dark && should_shine) {
      bad[cell_index(t, a, m, e)] = 1;
      n++;
    }
    older_has_light = older_has_light || !dark;
  }
  return n;
}

/* Without ages nothing says where gas should be dark: any dark cell failed, if there is light at all. */
static long find_dark(const sdn_grid_table *t, unsigned char *bad)
{
  const size_t n_cell = sdn_grid_table_size(t) / (size_t)t->n_column;
  long n = 0;
  for (size_t c = 0; c < n_cell; c++)
    if (is_dark(t, 0, 0, (int)c)) {
      bad[c] = 1;
      n++;
    }
  if (n < (long)n_cell) return n;
  memset(bad, 0, n_cell);
  return 0;
}

long sdn_grid_find_failed(const sdn_grid *g, const sdn_grid_table *t, const sdn_grid_table *like, unsigned char *bad)
{
  long n = 0;
  if (!g->has_ages && !like) return find_dark(t, bad);
  for (int m = 0; m < t->n_metallicity; m++)
    for (int e = 0; e < t->n_extra; e++) n += find_failed_ages(t, like, m, e, bad);
  return n;
}

/* A table's cells along one of its axes: n of them, `step` cells apart; position is where cell `c` stands among them. */
typedef struct line { int n, position; size_t step; const double *coordinate; } line;

static line line_through(const sdn_grid *g, const sdn_grid_table *t, int axis, size_t c)
{
  size_t step = 1;
  for (int a = g->n_axis - 1; a > axis && a >= 2; a--)
    if (t->has_extra[a]) step *= (size_t)g->axis[a].n;
  if (axis < 2) step = (size_t)t->n_extra;
  if (axis < 1) step *= (size_t)t->n_metallicity;
  const int n = axis == 0 ? t->n_age : g->axis[axis].n;
  return (line){n, (int)(c / step % (size_t)n), step, g->axis[axis].coordinate};
}

/* Nearest sound cell on a line in direction dir (+1, -1): its position, or -1. */
static int nearest_sound(const line *l, const unsigned char *bad, size_t c, int dir)
{
  for (int p = l->position + dir; p >= 0 && p < l->n; p += dir) {
    const size_t there = dir > 0 ? c + (size_t)(p - l->position) * l->step : c - (size_t)(l->position - p) * l->step;
    if (!bad[there]) return p;
  }
  return -1;
}

static void blend(sdn_grid_table *t, const line *l, size_t c, int below, int above)
{
  const size_t n = (size_t)t->n_column, first = c - (size_t)l->position * l->step;
  const float *low = t->value + (first + (size_t)below * l->step) * n, *high = t->value + (first + (size_t)above * l->step) * n;
  const double x0 = l->coordinate[below], x1 = l->coordinate[above], x = l->coordinate[l->position];
  const double w = above > below ? (x - x0) / (x1 - x0) : 0;
  float *to = t->value + c * n;
  for (size_t j = 0; j < n; j++) to[j] = (float)((1 - w) * (double)low[j] + w * (double)high[j]);
}

/* Axes in the order in which neighbours are looked for: extra ones, metallicity, age. */
static bool fill_cell(const sdn_grid *g, sdn_grid_table *t, const unsigned char *bad, size_t c)
{
  for (int pass = 0; pass < 2; pass++)   /* first pass: sound cells on both sides; second: on one */
    for (int axis = g->n_axis - 1; axis >= 0; axis--) {
      if (axis >= 2 && !t->has_extra[axis]) continue;
      const line l = line_through(g, t, axis, c);
      const int below = nearest_sound(&l, bad, c, -1), above = nearest_sound(&l, bad, c, +1);
      if (pass == 0 ? below < 0 || above < 0 : below < 0 && above < 0) continue;
      blend(t, &l, c, below < 0 ? above : below, above < 0 ? below : above);
      return true;
    }
  return false;
}

sdn_status sdn_grid_fill(const sdn_grid *g, sdn_grid_table *t, const unsigned char *bad, const char *what, sdn_err *err)
{
  const size_t n = (size_t)t->n_age * (size_t)t->n_metallicity * (size_t)t->n_extra;
  for (size_t c = 0; c < n; c++)
    if (bad[c] && !fill_cell(g, t, bad, c))
      return sdn_fail(err, SDN_FORMAT, "grid %s: a failed cell of its %s tables has no sound neighbour along any axis; use a complete grid", g->path, what);
  return SDN_OK;
}

/* A table with two more columns between columns j and j+1, both the value at the fraction w of the way. */
static sdn_status insert_pair(sdn_grid_table *t, int j, double w, sdn_err *err)
{
  if (!t->value) return SDN_OK;
  const size_t n_old = (size_t)t->n_column, n_new = n_old + 2, n_row = sdn_grid_table_size(t) / n_old, head = (size_t)j + 1;
  float *value = sdn_alloc(n_row * n_new, sizeof *value, "a grid table", err);
  if (!value) return err->status;
  for (size_t r = 0; r < n_row; r++) {
    const float *from = t->value + r * n_old;
    float *to = value + r * n_new;
    memcpy(to, from, head * sizeof *to);
    to[head] = to[head + 1] = (float)((1 - w) * (double)from[j] + w * (double)from[j + 1]);
    memcpy(to + head + 2, from + head, (n_old - head) * sizeof *to);
  }
  sdn_release(t->value);
  t->value = value;
  t->n_column += 2;
  return SDN_OK;
}

sdn_status sdn_grid_split_limit(sdn_grid *g, sdn_err *err)
{
  const double limit = SDN_LYMAN_LIMIT_A;
  int j = 0;
  while (j < g->n_wave - 2 && g->wave_A[j + 1] <= limit) j++;
  const double low = g->wave_A[j], high = g->wave_A[j + 1];
  if (!(low <= limit && limit < high)) return SDN_OK;              /* the grid ends before it */
  if (j > 0 && low >= limit && g->wave_A[j - 1] >= limit) return SDN_OK;   /* the file has the pair */
  const double w = (limit - low) / (high - low);
  if (insert_pair(&g->incident, j, w, err) || insert_pair(&g->nebular_continuum, j, w, err)) return err->status;
  double *wave = sdn_alloc((size_t)g->n_wave + 2, sizeof *wave, "grid wavelengths", err);
  if (!wave) return err->status;
  memcpy(wave, g->wave_A, (size_t)(j + 1) * sizeof *wave);
  wave[j + 1] = wave[j + 2] = limit;
  memcpy(wave + j + 3, g->wave_A + j + 1, (size_t)(g->n_wave - j - 1) * sizeof *wave);
  sdn_release(g->wave_A);
  g->wave_A = wave;
  g->n_wave += 2;
  return SDN_OK;
}

/* Does gas answer to the stars of this age and metallicity, at any value of the extra axes? */
static bool has_nebula(const sdn_grid *g, int a, int m)
{
  const sdn_grid_table *const tables[] = {&g->nebular_continuum, &g->lines};
  for (int i = 0; i < 2; i++)
    if (tables[i]->value && a < tables[i]->n_age)
      for (int e = 0; e < tables[i]->n_extra; e++)
        if (!is_dark(tables[i], a, m, e)) return true;
  return false;
}

sdn_status sdn_grid_derive_transmitted(sdn_grid *g, sdn_err *err)
{
  sdn_grid_table *t = &g->transmitted;
  *t = g->incident;
  t->value = sdn_alloc(sdn_grid_table_size(t), sizeof *t->value, "transmitted light", err);
  if (!t->value) return err->status;
  memcpy(t->value, g->incident.value, sdn_grid_table_size(t) * sizeof *t->value);
  int n_below = 0;   /* columns blueward of the limit; of the pair at it, the blue one */
  while (n_below < t->n_column && g->wave_A[n_below] <= SDN_LYMAN_LIMIT_A) n_below++;
  if (n_below > 0 && g->wave_A[n_below - 1] >= SDN_LYMAN_LIMIT_A) n_below--;
  for (int a = 0; a < t->n_age; a++)
    for (int m = 0; m < t->n_metallicity; m++)
      if (has_nebula(g, a, m))
        for (int e = 0; e < t->n_extra; e++) memset(t->value + cell_index(t, a, m, e) * (size_t)t->n_column, 0, (size_t)n_below * sizeof *t->value);
  return SDN_OK;
}
