/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of a grid file: whatever order and subset of axes a dataset has, in memory it becomes
 * [n_age][n_metallicity][extra axes in the grid's order][column]. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "physics/grid_read.h"

/* Of the file's dataset at most so much is in memory beside the table that it becomes. */
#define BLOCK_BYTES ((size_t)24 << 20)

size_t sdn_grid_table_size(const sdn_grid_table *t)
{
  return (size_t)t->n_age * (size_t)t->n_metallicity * (size_t)t->n_extra * (size_t)t->n_column;
}

/* How a dataset lies in the file: its first dimension is grid axis `first` with n_row elements; strides of the source, in numbers, along every grid axis
 * within one such element (0 where it does not depend on one). first -1: it has no dimension but its columns. */
typedef struct source { int n_dim, axis[SDN_H5_MAX_DIM], first; long n_row; size_t stride[SDN_GRID_MAX_AXIS], row; } source;

/* A dataset with fewer dimensions than the file has axes, and no word about which: the first ones if their lengths are right, else the first in order that have them. */
static sdn_status guess_axes(const sdn_grid *g, const sdn_h5_shape *shape, size_t n, const int *of_file, const char *dataset, source *s, sdn_err *err)
{
  bool prefix = n >= (size_t)s->n_dim;
  for (int d = 0; d < s->n_dim && prefix; d++) prefix = g->axis[of_file[d]].n == shape->dim[d];
  size_t next = 0;
  for (int d = 0; d < s->n_dim; d++, next++) {
    while (!prefix && next < n && g->axis[of_file[next]].n != shape->dim[d]) next++;
    if (next >= n)
      return sdn_fail(err, SDN_FORMAT, "grid %s: dimension %d of %s has %ld elements, which fits no axis; the dataset is damaged or needs an attribute axes that names its own",
                      g->path, d, dataset, shape->dim[d]);
    s->axis[d] = of_file[next];
  }
  return SDN_OK;
}

static sdn_status dataset_axes(const sdn_h5 *f, const sdn_grid *g, const char *dataset, const sdn_h5_shape *shape, source *s, sdn_err *err)
{
  char **names = NULL;
  size_t n = 0;
  int of_file[SDN_H5_MAX_DIM];
  const bool own = sdn_h5_has_attr(f, dataset, "axes");
  if (sdn_h5_get_texts(f, own ? dataset : "/", "axes", &names, &n, err)) return err->status;
  sdn_status status = SDN_OK;
  if (n > SDN_H5_MAX_DIM || n < (size_t)s->n_dim || (own && n != (size_t)s->n_dim))
    status = sdn_fail(err, SDN_FORMAT, "grid %s: %s has %d dimensions for %zu axes", g->path, dataset, s->n_dim, n);
  for (size_t i = 0; i < n && !status; i++)
    if ((of_file[i] = sdn_grid_find_axis(g, names[i])) < 0)
      status = sdn_fail(err, SDN_FORMAT, "grid %s: %s names axis %s, which the file does not have", g->path, dataset, names[i]);
  sdn_release(names);
  if (status) return status;
  if (!own) return guess_axes(g, shape, n, of_file, dataset, s, err);
  memcpy(s->axis, of_file, (size_t)s->n_dim * sizeof *s->axis);
  return SDN_OK;
}

static sdn_status look_at(const sdn_h5 *f, const sdn_grid *g, const sdn_grid_dataset *what, source *s, sdn_err *err)
{
  sdn_h5_shape shape;
  if (sdn_h5_shape_of(f, what->name, &shape, err)) return err->status;
  *s = (source){.n_dim = shape.n_dim - (what->n_column > 0), .first = -1, .n_row = 1};
  if (s->n_dim < 0) return sdn_fail(err, SDN_FORMAT, "grid %s: %s is a single number", g->path, what->name);
  if (dataset_axes(f, g, what->name, &shape, s, err)) return err->status;
  size_t step = what->n_column > 0 ? (size_t)what->n_column_file : 1;
  if (what->n_column > 0 && shape.dim[s->n_dim] != what->n_column_file)
    return sdn_fail(err, SDN_FORMAT, "grid %s: %s has %ld columns where %ld are expected", g->path, what->name, shape.dim[s->n_dim], what->n_column_file);
  for (int d = s->n_dim - 1; d >= 0; d--) {
    const sdn_grid_axis *a = &g->axis[s->axis[d]];
    if (shape.dim[d] != a->n)
      return sdn_fail(err, SDN_FORMAT, "grid %s: %s has %ld elements along %s, whose axis has %d", g->path, what->name, shape.dim[d], a->name, a->n);
    if (s->stride[s->axis[d]] > 0) return sdn_fail(err, SDN_FORMAT, "grid %s: %s has the axis %s twice", g->path, what->name, a->name);
    s->stride[s->axis[d]] = step;
    if (d > 0) step *= (size_t)a->n;
  }
  s->row = step;
  if (s->n_dim > 0) s->first = s->axis[0];
  if (s->n_dim > 0) s->n_row = shape.dim[0];
  return SDN_OK;
}

/* Offset in the source of the flattened extra cell e. */
static size_t extra_offset(const sdn_grid *g, const sdn_grid_table *t, const size_t *stride, int e, int first, int *first_index)
{
  size_t offset = 0;
  for (int a = g->n_axis - 1; a >= 2; a--) {
    if (!t->has_extra[a]) continue;
    const int index = e % g->axis[a].n;
    if (a == first) *first_index = index;
    else offset += (size_t)index * stride[a];
    e /= g->axis[a].n;
  }
  return offset;
}

/* Rows row0 .. row0 + n_row - 1 of the source to where they belong. */
static sdn_status scatter(const sdn_grid *g, const sdn_grid_dataset *what, const source *s, const float *block, long row0, long n_row, sdn_grid_table *t, sdn_err *err)
{
  const int a0 = s->first == 0 ? (int)row0 : 0, a1 = s->first == 0 && row0 + n_row < t->n_age ? (int)(row0 + n_row) : t->n_age;
  for (int a = a0; a < a1; a++)
    for (int m = 0; m < t->n_metallicity; m++)
      for (int e = 0; e < t->n_extra; e++) {
        int index = s->first == 0 ? a : s->first == 1 ? m : 0;
        size_t offset = extra_offset(g, t, s->stride, e, s->first, &index) + (size_t)what->first_column;
        if (s->first != 0) offset += (size_t)a * s->stride[0];
        if (s->first != 1) offset += (size_t)m * s->stride[1];
        if (index < row0 || index >= row0 + n_row) continue;
        const float *from = block + (size_t)(index - row0) * s->row + offset;
        float *to = t->value + (((size_t)a * (size_t)t->n_metallicity + (size_t)m) * (size_t)t->n_extra + (size_t)e) * (size_t)t->n_column;
        memcpy(to, from, (size_t)t->n_column * sizeof *to);
        for (int j = 0; j < t->n_column; j++)
          if (!isfinite(to[j]))
            return sdn_fail(err, SDN_FORMAT, "grid %s: %s holds a value that is not finite at age node %d, metallicity node %d, column %d", g->path,
                            what->name, a, m, j);
      }
  return SDN_OK;
}

/* Age rows of a block that hold anything (also NaN), from the first on. */
static long lit_rows(const source *s, const float *block, long n_row)
{
  size_t n = (size_t)n_row * s->row;
  while (n > 0 && block[n - 1] == 0) n--;
  return (long)((n + s->row - 1) / s->row);
}

static sdn_status new_table(const sdn_grid *g, const sdn_grid_dataset *what, const source *s, int n_age, sdn_grid_table *t, sdn_err *err)
{
  *t = (sdn_grid_table){.n_age = n_age, .n_metallicity = g->axis[1].n, .n_extra = 1, .n_column = what->n_column > 0 ? (int)what->n_column : 1};
  for (int a = 2; a < g->n_axis; a++) {
    t->has_extra[a] = s->stride[a] > 0;
    if (t->has_extra[a] && t->n_extra > INT_MAX / g->axis[a].n) return sdn_fail(err, SDN_FORMAT, "grid %s: %s has too many cells", g->path, what->name);
    if (t->has_extra[a]) t->n_extra *= g->axis[a].n;
  }
  t->value = sdn_alloc(sdn_grid_table_size(t), sizeof *t->value, "a grid table", err);
  return t->value ? SDN_OK : err->status;
}

static sdn_status read_block(const sdn_h5 *f, const sdn_grid_dataset *what, const source *s, long row0, long n, float *block, sdn_err *err)
{
  float *number = NULL;
  if (s->n_dim > 0 || what->n_column > 0) return sdn_h5_read_rows(f, what->name, SDN_H5_FLOAT, s->n_dim > 0 ? row0 : 0, s->n_dim > 0 ? n : what->n_column_file, block, err);
  if (sdn_h5_read_float(f, what->name, &number, NULL, err)) return err->status;
  *block = *number;
  sdn_release(number);
  return SDN_OK;
}

/* Rows that are read at once: whole chunks of the file where they fit, so that none is unpacked twice. */
static long rows_at_once(const sdn_h5 *f, const sdn_grid_dataset *what, const source *s)
{
  const long fit = (long)(BLOCK_BYTES / sizeof(float) / (s->row > 0 ? s->row : 1)), chunk = sdn_h5_chunk_rows(f, what->name);
  const long whole = fit > chunk ? fit / chunk * chunk : fit;
  return whole < 1 ? 1 : whole < s->n_row ? whole : s->n_row;
}

sdn_status sdn_grid_read_table(const sdn_h5 *f, const sdn_grid *g, const sdn_grid_dataset *what, sdn_grid_table *t, sdn_err *err)
{
  source s;
  if (look_at(f, g, what, &s, err)) return err->status;
  const long n_block_row = rows_at_once(f, what, &s);
  float *block = sdn_alloc((size_t)n_block_row, s.row * sizeof *block, "a part of a grid", err);
  if (!block) return err->status;
  sdn_status status = SDN_OK;
  const bool may_end = what->may_end && s.first == 0;
  if (!may_end) status = new_table(g, what, &s, g->axis[0].n, t, err);
  for (long row0 = (s.n_row - 1) / n_block_row * n_block_row; row0 >= 0 && !status; row0 -= n_block_row) {   /* from the end: the oldest age with light comes first */
    const long n = s.n_row - row0 < n_block_row ? s.n_row - row0 : n_block_row;
    status = read_block(f, what, &s, row0, n, block, err);
    if (!status && !t->value) {
      const long lit = lit_rows(&s, block, n);
      if (lit == 0 && row0 > 0) continue;
      status = new_table(g, what, &s, (int)(row0 + (lit > 0 ? lit : 1)), t, err);
    }
    if (!status) status = scatter(g, what, &s, block, row0, n, t, err);
  }
  sdn_release(block);
  return status;
}

/* Cells of the extra axes as [before][n of axis][after]. */
static void split_extra(const sdn_grid *g, const sdn_grid_table *t, int axis, int *before, int *after)
{
  *before = *after = 1;
  for (int a = 2; a < g->n_axis; a++)
    if (t->has_extra[a] && a != axis) *(a < axis ? before : after) *= g->axis[a].n;
}

static bool constant_along(const sdn_grid *g, const sdn_grid_table *t, int axis)
{
  int before, after;
  split_extra(g, t, axis, &before, &after);
  const int n = g->axis[axis].n;
  const size_t run = (size_t)after * (size_t)t->n_column, n_outer = (size_t)t->n_age * (size_t)t->n_metallicity * (size_t)before;
  for (size_t o = 0; o < n_outer; o++)
    for (int k = 1; k < n; k++)
      if (memcmp(t->value + o * (size_t)n * run, t->value + (o * (size_t)n + (size_t)k) * run, run * sizeof *t->value) != 0) return false;
  return true;
}

static void drop_axis(const sdn_grid *g, sdn_grid_table *t, int axis)
{
  int before, after;
  split_extra(g, t, axis, &before, &after);
  const int n = g->axis[axis].n;
  const size_t run = (size_t)after * (size_t)t->n_column, n_outer = (size_t)t->n_age * (size_t)t->n_metallicity * (size_t)before;
  for (size_t o = 1; o < n_outer; o++) memmove(t->value + o * run, t->value + o * (size_t)n * run, run * sizeof *t->value);
  t->n_extra /= n;
  t->has_extra[axis] = false;
}

sdn_status sdn_grid_squeeze(const sdn_grid *g, sdn_grid_table *t, sdn_err *err)
{
  const size_t before = sdn_grid_table_size(t);
  for (int a = 2; a < g->n_axis; a++)
    if (t->has_extra[a] && constant_along(g, t, a)) drop_axis(g, t, a);
  const size_t row = sdn_grid_table_size(t) / (size_t)t->n_age;
  size_t n_used = sdn_grid_table_size(t);
  while (n_used > row && !(t->value[n_used - 1] > 0) && !(t->value[n_used - 1] < 0)) n_used--;
  t->n_age = (int)((n_used + row - 1) / row);
  if (sdn_grid_table_size(t) == before) return SDN_OK;   /* nothing to give back */
  float *fit = sdn_alloc(sdn_grid_table_size(t), sizeof *fit, "a grid table", err);
  if (!fit) return err->status;
  memcpy(fit, t->value, sdn_grid_table_size(t) * sizeof *fit);
  sdn_release(t->value);
  t->value = fit;
  return SDN_OK;
}
