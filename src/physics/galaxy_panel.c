/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/galaxy_panel.h"

#include <stdlib.h>
#include <string.h>

#include "base/gemm.h"
#include "physics/galaxy_energy.h"

struct sdn_panels {
  int n_age, n_age_pad;                  /* ages, and rows per panel: the next multiple of SDN_AGE_STEP */
  int block0, block1;
  int n_axis, axis[SDN_GRID_MAX_AXIS];   /* the axes along which galaxies differ */
  int n_node[SDN_GRID_MAX_AXIS], step[SDN_GRID_MAX_AXIS];   /* per such axis: nodes, and cells between neighbours */
  int n_cell, n_corner;
  float *value;                          /* [block][cell][n_age_pad][SDN_BLOCK] */
  sdn_gemm **product;                    /* [n_age_pad / SDN_AGE_STEP]: over the first (i + 1) SDN_AGE_STEP ages */
  sdn_gemm **product_one;                /* the same for a batch of one row: what a sampler's single galaxy needs */
};

void sdn_panels_free(sdn_panels *p)
{
  if (!p) return;
  for (int i = 0; p->product && i < p->n_age_pad / SDN_AGE_STEP; i++) sdn_gemm_free(p->product[i]);
  for (int i = 0; p->product_one && i < p->n_age_pad / SDN_AGE_STEP; i++) sdn_gemm_free(p->product_one[i]);
  sdn_release(p->product);
  sdn_release(p->product_one);
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
  for (int b = 0; b < p->block1 - p->block0; b++)
    memcpy(p->value + (((size_t)b * (size_t)p->n_cell + (size_t)cell) * (size_t)p->n_age_pad + (size_t)age) * SDN_BLOCK, job->line + b * SDN_BLOCK,
           SDN_BLOCK * sizeof *p->value);
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

static sdn_status prepare_products(sdn_panels *p, int n_row, sdn_gemm ***product, sdn_err *err)
{
  const int n = p->n_age_pad / SDN_AGE_STEP;
  *product = sdn_alloc((size_t)n, sizeof **product, "matrix products", err);
  if (!*product) return err->status;
  for (int i = 0; i < n; i++) {
    const sdn_gemm_shape shape = {.m = n_row, .n = SDN_BLOCK, .k = (i + 1) * SDN_AGE_STEP, .lda = p->n_age_pad, .ldb = SDN_BLOCK, .ldc = SDN_BLOCK, .accumulate = true};
    if (sdn_gemm_new(&shape, &(*product)[i], err)) return err->status;
  }
  return SDN_OK;
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
  p->block0 = block0;
  p->block1 = block1;
  choose_axes(p, s);
  p->value = sdn_alloc((size_t)(block1 - block0) * (size_t)p->n_cell * (size_t)p->n_age_pad * SDN_BLOCK, sizeof *p->value, "spectra of the grid", err);
  sdn_status status = p->value ? pack(p, s, c, err) : err->status;
  if (!status) status = prepare_products(p, SDN_BATCH, &p->product, err);
  if (!status) status = prepare_products(p, 1, &p->product_one, err);
  if (status)
    sdn_panels_free(p);
  else
    *out = p;
  return status;
}

/* ------------------------------------------------------------------ projecting */

typedef struct entry { int cell, row; double redshift; } entry;

static int by_cell_then_redshift(const void *a, const void *b)
{
  const entry *x = a, *y = b;
  if (x->cell != y->cell) return x->cell < y->cell ? -1 : 1;
  if (x->redshift < y->redshift) return -1;
  if (x->redshift > y->redshift) return 1;
  return x->row - y->row;
}

/* Rows that are multiplied together. */
typedef struct batch {
  int n, row[SDN_BATCH], n_step;
  int cell[1 << (SDN_GRID_MAX_AXIS - 1)];
  unsigned char used[1 << (SDN_GRID_MAX_AXIS - 1)];   /* does any row have a share of the corner? */
  float *weight;                                      /* [corner][SDN_BATCH][n_age_pad] */
} batch;

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

static int smaller(int a, int b) { return a < b ? a : b; }

/* Weights of a batch for every corner; steps of age that its oldest history needs. */
static void fill_batch(const sdn_panels *p, const sdn_panel_row *rows, int cell, batch *b)
{
  int n_age = 0;
  for (int r = 0; r < b->n; r++)
    if (rows[b->row[r]].n_age > n_age) n_age = rows[b->row[r]].n_age;
  n_age = smaller(n_age, p->n_age);
  b->n_step = (n_age + SDN_AGE_STEP - 1) / SDN_AGE_STEP;
  memset(b->weight, 0, (size_t)p->n_corner * SDN_BATCH * (size_t)p->n_age_pad * sizeof *b->weight);
  for (int corner = 0; corner < p->n_corner; corner++) {
    b->cell[corner] = cell;
    b->used[corner] = 0;
    for (int i = 0; i < p->n_axis; i++)
      if (corner >> i & 1) b->cell[corner] += p->step[i];
    for (int r = 0; r < b->n; r++) {
      const sdn_panel_row *row = &rows[b->row[r]];
      const float *weight;
      const float share = (float)corner_share(p, row, corner, &weight);
      if (!(share > 0)) continue;
      b->used[corner] = 1;
      float *to = b->weight + ((size_t)corner * SDN_BATCH + (size_t)r) * (size_t)p->n_age_pad;
      for (int a = 0, n = smaller(row->n_age, p->n_age); a < n; a++) to[a] = share * weight[a];
    }
  }
}

static sdn_status make_batches(const sdn_panels *p, int n, const sdn_panel_row *rows, batch **out, int *n_batch, sdn_arena *arena, sdn_err *err)
{
  entry *order = sdn_arena_take(arena, (size_t)n, sizeof *order, err);
  batch *b = sdn_arena_take(arena, (size_t)n, sizeof *b, err);
  if (!order || !b) return err->status;
  for (int i = 0; i < n; i++) order[i] = (entry){row_cell(p, &rows[i]), i, rows[i].redshift};
  qsort(order, (size_t)n, sizeof *order, by_cell_then_redshift);
  *n_batch = 0;
  for (int i = 0; i < n;) {
    batch *now = &b[(*n_batch)++];
    const int cell = order[i].cell;
    for (now->n = 0; now->n < SDN_BATCH && i < n && order[i].cell == cell; i++) now->row[now->n++] = order[i].row;
    now->weight = sdn_arena_take(arena, (size_t)p->n_corner * SDN_BATCH * (size_t)p->n_age_pad, sizeof *now->weight, err);
    if (!now->weight) return err->status;
    fill_batch(p, rows, cell, now);
  }
  *out = b;
  return SDN_OK;
}

static void put(const sdn_panel_row *row, const float *restrict product, float *restrict out)
{
  if (!row->more)
    memcpy(out, product, SDN_BLOCK * sizeof *out);
  else
    for (int j = 0; j < SDN_BLOCK; j++) out[j] += product[j];
}

/* One block of columns of one batch. */
static void run_batch(const sdn_panels *p, const batch *b, const sdn_panel_row *rows, int block, float *out, long stride)
{
  _Alignas(64) float product[SDN_BATCH * SDN_BLOCK];
  const size_t panel = (size_t)p->n_age_pad * SDN_BLOCK;
  int n_need = 0;
  for (int r = 0; r < b->n; r++) n_need += rows[b->row[r]].need[block] != 0;
  if (n_need == 0) return;
  memset(product, 0, sizeof product);
  const float *first = p->value + (size_t)(block - p->block0) * (size_t)p->n_cell * panel;
  sdn_gemm *const *multiply = b->n > 1 ? p->product : p->product_one;
  for (int corner = 0; b->n_step && corner < p->n_corner; corner++)
    if (b->used[corner])
      sdn_gemm_run(multiply[b->n_step - 1], b->weight + (size_t)corner * SDN_BATCH * (size_t)p->n_age_pad, first + (size_t)b->cell[corner] * panel, product);
  for (int r = 0; r < b->n; r++) {
    const sdn_panel_row *row = &rows[b->row[r]];
    if (row->need[block]) put(row, product + r * SDN_BLOCK, out + row->out * stride + (long)(block - p->block0) * SDN_BLOCK);
  }
}

/* Blocks outside, batches inside: a block's panels stay in the cache for all batches. */
sdn_status sdn_panels_project(const sdn_panels *p, int n, const sdn_panel_row *rows, float *out, long stride, sdn_arena *arena, sdn_err *err)
{
  batch *b = NULL;
  int n_batch = 0;
  const sdn_arena_mark mark = sdn_arena_here(arena);
  const sdn_status status = make_batches(p, n, rows, &b, &n_batch, arena, err);
  if (!status)
    for (int block = p->block0; block < p->block1; block++)
      for (int i = 0; i < n_batch; i++) run_batch(p, &b[i], rows, block, out, stride);
  sdn_arena_back(arena, mark);
  return status;
}
