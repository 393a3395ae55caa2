/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/galaxy_panel.h"

#include <string.h>

#include "base/gemm.h"
#include "base/sort.h"
#include "base/vector.h"
#include "physics/galaxy_energy.h"

struct sdn_panels {
  int n_age, n_age_pad;                  /* ages, and rows per panel: the next multiple of SDN_AGE_STEP */
  int block0, block1;
  int skip0, skip1;                      /* blocks of lines that the source does not have: they are zero, and not kept */
  int n_axis, axis[SDN_GRID_MAX_AXIS];   /* the axes along which galaxies differ */
  int n_node[SDN_GRID_MAX_AXIS], step[SDN_GRID_MAX_AXIS];   /* per such axis: nodes, and cells between neighbours */
  int n_cell, n_corner;
  float *value;                          /* [slot of block][cell][n_age_pad][SDN_BLOCK] */
  sdn_gemm **product;                    /* [SDN_BATCH][n_age_pad / SDN_AGE_STEP]: of r + 1 rows over the first (i + 1) SDN_AGE_STEP ages */
};

void sdn_panels_free(sdn_panels *p)
{
  if (!p) return;
  for (int i = 0; p->product && i < SDN_BATCH * (p->n_age_pad / SDN_AGE_STEP); i++) sdn_gemm_free(p->product[i]);
  sdn_release(p->product);
  sdn_release(p->value);
  sdn_release(p);
}

int sdn_panels_block0(const sdn_panels *p) { return p->block0; }
int sdn_panels_block1(const sdn_panels *p) { return p->block1; }
int sdn_panels_n_age(const sdn_panels *p) { return p->n_age; }

static bool table_has(const sdn_grid_table *t, int axis) { return t && t->value && (axis == 1 ? t->n_metallicity > 1 : t->has_extra[axis]); }

static void choose_axes(sdn_panels *p, const sdn_panel_source *s)
{
  for (int a = 1; a < s->grid->n_axis; a++) {
    const bool varies = table_has(s->spectra, a) || table_has(s->minus, a) || table_has(s->lines, a);
    if (!varies || s->fixed[a]) continue;
    p->axis[p->n_axis] = a;
    p->n_node[p->n_axis++] = s->grid->axis[a].n;
  }
  p->n_cell = 1;
  for (int i = p->n_axis - 1; i >= 0; i--) {
    p->step[i] = p->n_cell;
    p->n_cell *= p->n_node[i];
  }
  p->n_corner = 1 << p->n_axis;
}

/* A table's row of columns at an age and a place, all axes interpolated: row [n_column]. The place is on a node for axes that vary. */
static void table_row(const sdn_grid *g, const sdn_grid_table *t, int age, const sdn_place *place, double *row)
{
  memset(row, 0, (size_t)t->n_column * sizeof *row);
  if (age >= t->n_age) return;
  for (int corner = 0; corner < 1 << (g->n_axis - 1); corner++) {
    int metallicity = 0, extra = 0;
    double share = 1;
    for (int a = 1; a < g->n_axis; a++) {
      const int up = corner >> (a - 1) & 1;
      const bool has = table_has(t, a);
      share *= !has ? !up : up ? place->t[a] : 1 - place->t[a];
      if (a == 1) metallicity = has ? place->node[1] + up : 0;
      else if (has) extra = extra * g->axis[a].n + place->node[a] + up;
    }
    if (!(share > 0)) continue;   /* also keeps away from the node beyond the last */
    const float *v = sdn_grid_row(t, age, metallicity, extra);
    for (int j = 0; j < t->n_column; j++) row[j] += share * (double)v[j];
  }
}

/* Spectrum on the grid's wavelengths -> on the columns from block0 on. Both sides of a jump of the columns are found on their side of a jump of the grid.
 * Redward of the grid starlight goes on as L_nu ~ lambda^-2 (Rayleigh & Jeans); blueward there is none. */
static void resample(const sdn_grid *g, const double *row, const sdn_columns *c, int column0, int column1, float *out)
{
  const int end = c->n_wave < column1 ? c->n_wave : column1;
  int k = 0;
  for (int j = column0; j < end; j++) {
    const double w = c->wave_A[j];
    const bool blue = j + 1 < c->n_wave && c->wave_A[j + 1] <= w;   /* first of a pair */
    while (k < g->n_wave - 2 && (blue ? g->wave_A[k + 1] < w : g->wave_A[k + 1] <= w)) k++;
    const double w0 = g->wave_A[k], w1 = g->wave_A[k + 1], t = w1 > w0 ? (w - w0) / (w1 - w0) : 1;
    if (w < g->wave_A[0])
      out[j - column0] = 0;
    else if (t >= 1)
      out[j - column0] = (float)(row[k + 1] * (w > w1 ? w1 / w * (w1 / w) : 1));
    else
      out[j - column0] = (float)(t <= 0 ? row[k] : (1 - t) * row[k] + t * row[k + 1]);
  }
}

static bool is_kept(const sdn_panels *p, int block) { return block < p->skip0 || block >= p->skip1; }

static float *panel_of(const sdn_panels *p, int block, int cell)
{
  const int slot = block - p->block0 - (block >= p->skip1 ? p->skip1 - p->skip0 : 0);
  return p->value + ((size_t)slot * (size_t)p->n_cell + (size_t)cell) * (size_t)p->n_age_pad * SDN_BLOCK;
}

/* That of the next block, or where there is none any. */
static const float *panel_after(const sdn_panels *p, int block, int cell)
{
  do block++;
  while (block < p->block1 && !is_kept(p, block));
  return block < p->block1 ? panel_of(p, block, cell) : p->value;
}

typedef struct pack_job { const sdn_panel_source *s; const sdn_columns *c; double *row, *second; float *line; } pack_job;

static sdn_place cell_place(const sdn_panels *p, const sdn_panel_source *s, int cell)
{
  sdn_place place = s->fixed_place;
  for (int i = 0; i < p->n_axis; i++) {
    place.node[p->axis[i]] = cell / p->step[i] % p->n_node[i];
    place.t[p->axis[i]] = 0;
  }
  return place;
}

/* One age and cell: all its columns, then each block to its panel. */
static void pack_row(sdn_panels *p, const pack_job *job, int age, int cell)
{
  const sdn_panel_source *s = job->s;
  const sdn_columns *c = job->c;
  const sdn_place place = cell_place(p, s, cell);
  const int column0 = p->block0 * SDN_BLOCK, column1 = p->block1 * SDN_BLOCK;
  memset(job->line, 0, (size_t)(column1 - column0) * sizeof *job->line);
  table_row(s->grid, s->spectra, age, &place, job->row);
  if (s->minus) {
    table_row(s->grid, s->minus, age, &place, job->second);
    for (int j = 0; j < s->spectra->n_column; j++) job->row[j] -= job->second[j];
  }
  resample(s->grid, job->row, c, column0, column1, job->line);
  if (column1 > c->energy0) sdn_energy_of_spectrum(s->energy, job->row, job->line + c->energy0 - column0);
  if (s->lines) {
    table_row(s->grid, s->lines, age, &place, job->row);
    for (int l = 0; l < c->n_line; l++)
      if (c->line_source[l] >= 0 && c->line0 + l >= column0 && c->line0 + l < column1)
        job->line[c->line0 + l - column0] = (float)(job->row[c->line_source[l]] / SDN_LSUN_ERG_S);
  }
  for (int b = p->block0; b < p->block1; b++)
    if (is_kept(p, b)) memcpy(panel_of(p, b, cell) + age * SDN_BLOCK, job->line + (b - p->block0) * SDN_BLOCK, SDN_BLOCK * sizeof *p->value);
}

static sdn_status pack(sdn_panels *p, const sdn_panel_source *s, const sdn_columns *c, sdn_err *err)
{
  const size_t n_row = (size_t)s->spectra->n_column + (s->lines ? (size_t)s->lines->n_column : 0);
  pack_job job = {.s = s, .c = c};
  job.row = sdn_alloc(n_row, sizeof *job.row, "a spectrum", err);
  job.second = sdn_alloc(n_row, sizeof *job.second, "a spectrum", err);
  job.line = sdn_alloc((size_t)(p->block1 - p->block0) * SDN_BLOCK, sizeof *job.line, "a spectrum", err);
  const bool ok = job.row && job.second && job.line;
  for (int age = 0; ok && age < p->n_age; age++)
    for (int cell = 0; cell < p->n_cell; cell++) pack_row(p, &job, age, cell);
  sdn_release(job.row);
  sdn_release(job.second);
  sdn_release(job.line);
  return ok ? SDN_OK : err->status;
}

static sdn_status prepare_products(sdn_panels *p, sdn_err *err)
{
  const int n = p->n_age_pad / SDN_AGE_STEP;
  p->product = sdn_alloc((size_t)(SDN_BATCH * n), sizeof *p->product, "matrix products", err);
  if (!p->product) return err->status;
  for (int i = 0; i < SDN_BATCH * n; i++) {
    const sdn_gemm_shape shape = {.m = i / n + 1, .n = SDN_BLOCK, .k = (i % n + 1) * SDN_AGE_STEP, .lda = p->n_age_pad, .ldb = SDN_BLOCK, .ldc = SDN_BLOCK, .accumulate = true};
    if (sdn_gemm_new(&shape, &p->product[i], err)) return err->status;
  }
  return SDN_OK;
}

/* Blocks of lines within block0 .. block1-1 that are all zero. */
static void choose_blocks(sdn_panels *p, const sdn_panel_source *s, const sdn_columns *c, int block0, int block1)
{
  p->block0 = block0;
  p->block1 = block1;
  p->skip0 = p->skip1 = block1;
  if (s->lines || c->n_block_wave >= block1) return;
  p->skip0 = c->n_block_wave > block0 ? c->n_block_wave : block0;
  p->skip1 = c->n_block_line < block1 ? c->n_block_line : block1;
}

sdn_status sdn_panels_new(const sdn_panel_source *s, const sdn_columns *c, int block0, int block1, sdn_panels **out, sdn_err *err)
{
  *out = NULL;
  sdn_panels *p = sdn_alloc(1, sizeof *p, "spectra of the grid", err);
  if (!p) return err->status;
  p->n_age = s->spectra->n_age;
  if (s->lines && s->lines->n_age > p->n_age) p->n_age = s->lines->n_age;
  if (s->minus && s->minus->n_age > p->n_age) p->n_age = s->minus->n_age;
  p->n_age_pad = (p->n_age + SDN_AGE_STEP - 1) / SDN_AGE_STEP * SDN_AGE_STEP;
  choose_blocks(p, s, c, block0, block1);
  choose_axes(p, s);
  const int n_kept = block1 - block0 - (p->skip1 - p->skip0);
  p->value = sdn_alloc((size_t)n_kept * (size_t)p->n_cell * (size_t)p->n_age_pad * SDN_BLOCK, sizeof *p->value, "spectra of the grid", err);
  sdn_status status = p->value ? pack(p, s, c, err) : err->status;
  if (!status) status = prepare_products(p, err);
  if (status)
    sdn_panels_free(p);
  else
    *out = p;
  return status;
}

/* ------------------------------------------------------------------ projecting */

static int smaller(int a, int b) { return a < b ? a : b; }

typedef struct entry { int cell, row, n_age; double redshift; } entry;

static int by_cell_then_redshift(const void *a, const void *b)
{
  const entry *x = a, *y = b;
  if (x->cell != y->cell) return x->cell < y->cell ? -1 : 1;
  if (x->redshift < y->redshift) return -1;
  if (x->redshift > y->redshift) return 1;
  return x->row - y->row;
}

/* Rows between the same nodes, by ascending redshift: those that need a block stand together but for few. */
typedef struct group {
  int n;
  const entry *order;                                 /* [n] */
  int cell[1 << (SDN_GRID_MAX_AXIS - 1)];
  unsigned char used[1 << (SDN_GRID_MAX_AXIS - 1)];   /* does any row have a share of the corner? */
  float *weight;                                      /* [corner][n][n_age_pad] */
} group;

static int row_cell(const sdn_panels *p, const sdn_panel_row *row)
{
  int cell = 0;
  for (int i = 0; i < p->n_axis; i++) cell += (p->axis[i] == 1 ? row->metallicity : row->place->node[p->axis[i]]) * p->step[i];
  return cell;
}

/* A corner's weights: which history, and its share of it. */
static double corner_share(const sdn_panels *p, const sdn_panel_row *row, int corner, const float **weight)
{
  double share = 1;
  *weight = row->weight;
  for (int i = 0; i < p->n_axis; i++) {
    const bool up = corner >> i & 1;
    const double t = p->axis[i] == 1 ? row->t : row->place->t[p->axis[i]];
    if (p->axis[i] == 1 && row->weight_up)
      *weight = up ? row->weight_up : row->weight;
    else
      share *= up ? t : 1 - t;
  }
  return share;
}

/* A group's weights for every corner. */
static void fill_group(const sdn_panels *p, const sdn_panel_row *rows, group *g)
{
  const size_t pad = (size_t)p->n_age_pad;
  for (int corner = 0; corner < p->n_corner; corner++) {
    g->cell[corner] = g->order[0].cell;
    g->used[corner] = 0;
    for (int i = 0; i < p->n_axis; i++)
      if (corner >> i & 1) g->cell[corner] += p->step[i];
    for (int r = 0; r < g->n; r++) {
      const sdn_panel_row *row = &rows[g->order[r].row];
      const float *weight;
      const float share = (float)corner_share(p, row, corner, &weight);
      float *to = g->weight + ((size_t)corner * (size_t)g->n + (size_t)r) * pad;
      const int n = share > 0 ? g->order[r].n_age : 0;
      if (share > 0) g->used[corner] = 1;
      for (int a = 0; a < n; a++) to[a] = share * weight[a];
      memset(to + n, 0, (pad - (size_t)n) * sizeof *to);
    }
  }
}

static sdn_status make_groups(const sdn_panels *p, int n, const sdn_panel_row *rows, group **out, int *n_group, sdn_arena *arena, sdn_err *err)
{
  entry *order = sdn_arena_take(arena, (size_t)n, sizeof *order, err);
  group *g = sdn_arena_take(arena, (size_t)n, sizeof *g, err);
  if (!order || !g) return err->status;
  for (int i = 0; i < n; i++) order[i] = (entry){row_cell(p, &rows[i]), i, smaller(rows[i].n_age, p->n_age), rows[i].redshift};
  sdn_sort(order, (size_t)n, sizeof *order, by_cell_then_redshift);
  *n_group = 0;
  for (int i = 0; i < n;) {
    group *now = &g[(*n_group)++];
    *now = (group){.order = order + i};
    while (i < n && order[i].cell == now->order[0].cell) i++, now->n++;
    now->weight = sdn_arena_take(arena, (size_t)p->n_corner * (size_t)now->n * (size_t)p->n_age_pad, sizeof *now->weight, err);
    if (!now->weight) return err->status;
    fill_group(p, rows, now);
  }
  *out = g;
  return SDN_OK;
}

static void put(const sdn_panel_row *row, const float *restrict product, float *restrict out)
{
  if (!row->more)
    memcpy(out, product, SDN_BLOCK * sizeof *out);
  else
    for (int j = 0; j < SDN_BLOCK; j++) out[j] += product[j];
}

/* One row alone waits for memory, not for the product: each number of a panel is used once. So ages are taken a few steps at a time, and those AHEAD of them,
 * if need be of the panel that comes next, are asked for. Sums go on in the same order, to the same bits. */
enum { FEW_STEPS = 4, AHEAD = 64 };
static void run_one(const sdn_panels *p, int n_step, const float *weight, const float *panel, const float *next, float *product)
{
  const int n_age = n_step * SDN_AGE_STEP, line = 64 / (int)sizeof *panel;
  for (int s = 0; s < n_step; s += FEW_STEPS) {
    const int now = smaller(FEW_STEPS, n_step - s), age0 = s * SDN_AGE_STEP;
    for (int a = age0 + AHEAD; a < age0 + AHEAD + now * SDN_AGE_STEP; a++) {
      const float *soon = a < n_age ? panel + a * SDN_BLOCK : next + smaller(a - n_age, p->n_age_pad - 1) * SDN_BLOCK;
      for (int j = 0; j < SDN_BLOCK; j += line) SDN_PREFETCH(soon + j);
    }
    sdn_gemm_run(p->product[now - 1], weight + age0, panel + age0 * SDN_BLOCK, product);
  }
}

/* One block of columns of m neighbours of a group, the r-th and those behind it. */
static void run_batch(const sdn_panels *p, const group *g, int r, int m, int block, float *product)
{
  int n_age = 0;
  for (int i = r; i < r + m; i++)
    if (g->order[i].n_age > n_age) n_age = g->order[i].n_age;
  const int n_step = (n_age + SDN_AGE_STEP - 1) / SDN_AGE_STEP;
  memset(product, 0, (size_t)(m * SDN_BLOCK) * sizeof *product);
  if (n_step == 0) return;
  const sdn_gemm *multiply = p->product[(m - 1) * (p->n_age_pad / SDN_AGE_STEP) + n_step - 1];
  for (int corner = 0; corner < p->n_corner; corner++) {
    if (!g->used[corner]) continue;
    const float *weight = g->weight + ((size_t)corner * (size_t)g->n + (size_t)r) * (size_t)p->n_age_pad, *panel = panel_of(p, block, g->cell[corner]);
    if (m == 1)
      run_one(p, n_step, weight, panel, corner + 1 < p->n_corner ? panel_of(p, block, g->cell[corner + 1]) : panel_after(p, block, g->cell[0]), product);
    else
      sdn_gemm_run(multiply, weight, panel, product);
  }
}

/* One block of columns of a group: from the first row that needs it to the last. */
static void run_group(const sdn_panels *p, const group *g, const sdn_panel_row *rows, int block, float *out, long stride)
{
  _Alignas(64) float product[SDN_BATCH * SDN_BLOCK];
  int first = 0, last = g->n;
  while (first < last && !rows[g->order[first].row].need[block]) first++;
  while (last > first && !rows[g->order[last - 1].row].need[block]) last--;
  for (int r = first; r < last; r += SDN_BATCH) {
    const int m = smaller(last - r, SDN_BATCH);
    run_batch(p, g, r, m, block, product);
    for (int i = 0; i < m; i++) {
      const sdn_panel_row *row = &rows[g->order[r + i].row];
      if (row->need[block]) put(row, product + i * SDN_BLOCK, out + row->out * stride + (long)(block - p->block0) * SDN_BLOCK);
    }
  }
}

/* Blocks outside, groups inside: a block's panels stay in the cache for all groups. */
sdn_status sdn_panels_project(const sdn_panels *p, int n, const sdn_panel_row *rows, float *out, long stride, sdn_arena *arena, sdn_err *err)
{
  group *g = NULL;
  int n_group = 0;
  const sdn_arena_mark mark = sdn_arena_here(arena);
  const sdn_status status = make_groups(p, n, rows, &g, &n_group, arena, err);
  if (!status)
    for (int block = p->block0; block < p->block1; block++)
      for (int i = 0; i < n_group && is_kept(p, block); i++) run_group(p, &g[i], rows, block, out, stride);
  sdn_arena_back(arena, mark);
  return status;
}
