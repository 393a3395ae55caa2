/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Axes and tables of a grid file: whatever order and subset of axes a dataset has, in memory it becomes
 * [n_age][n_metallicity][extra axes in the grid's order][column]. */
#include <math.h>
#include <string.h>

#include "physics/grid_read.h"

static const sdn_grid_unit age_units[] = {{"yr", 1}, {"year", 1}, {"Myr", 1e6}, {"Gyr", 1e9}};

size_t sdn_grid_table_size(const sdn_grid_table *t)
{
  return (size_t)t->n_age * (size_t)t->n_metallicity * (size_t)t->n_extra * (size_t)t->n_column;
}

sdn_status sdn_grid_unit_factor(const sdn_h5 *f, const char *dataset, const sdn_grid_unit *units, size_t n_unit, double *factor, sdn_err *err)
{
  char *text = NULL;
  *factor = 1;
  if (!sdn_h5_has_attr(f, dataset, "Units")) return SDN_OK;
  if (sdn_h5_get_text(f, dataset, "Units", &text, err)) return err->status;
  sdn_status status = SDN_OK;
  size_t i = 0;
  while (i < n_unit && strcmp(text, units[i].name) != 0) i++;
  if (i < n_unit)
    *factor = units[i].factor;
  else
    status = sdn_fail(err, SDN_FORMAT, "grid %s: %s is in '%s', which is not a unit known here (such as %s)", sdn_h5_path(f), dataset, text, units[0].name);
  sdn_release(text);
  return status;
}

/* The layout's plural names, and the singular ones of older files. */
static int axis_rank(const char *name)
{
  if (strcmp(name, "ages") == 0 || strcmp(name, "age") == 0) return 0;
  if (strcmp(name, "metallicities") == 0 || strcmp(name, "metallicity") == 0) return 1;
  return 2;
}

static sdn_status check_axis(const sdn_h5 *f, const sdn_grid_axis *a, sdn_err *err)
{
  for (int i = 0; i < a->n; i++) {
    if (!isfinite(a->coordinate[i]))
      return sdn_fail(err, SDN_FORMAT, "grid %s: axis %s holds %g, which is not finite%s", sdn_h5_path(f), a->name, a->value[i],
                      a->log ? " or has no logarithm" : "");
    if (i && !(a->coordinate[i] > a->coordinate[i - 1]))
      return sdn_fail(err, SDN_FORMAT, "grid %s: axis %s must ascend, but %g follows %g", sdn_h5_path(f), a->name, a->value[i], a->value[i - 1]);
  }
  return SDN_OK;
}

static sdn_status read_axis(const sdn_h5 *f, const char *name, sdn_grid_axis *a, sdn_err *err)
{
  char dataset[96];
  sdn_h5_shape shape;
  double factor = 1;
  long log_on_read = 0;
  if (strlen(name) >= sizeof a->name) return sdn_fail(err, SDN_FORMAT, "grid %s: axis name %.20s... is longer than 63 characters", sdn_h5_path(f), name);
  snprintf(a->name, sizeof a->name, "%s", name);
  snprintf(dataset, sizeof dataset, "axes/%s", name);
  if (sdn_h5_read_double(f, dataset, &a->value, &shape, err)) return err->status;
  if (shape.n_dim != 1 || shape.dim[0] < 1)
    return sdn_fail(err, SDN_FORMAT, "grid %s: %s must be one row of numbers", sdn_h5_path(f), dataset);
  if (axis_rank(name) == 0 && sdn_grid_unit_factor(f, dataset, age_units, sizeof age_units / sizeof age_units[0], &factor, err)) return err->status;
  if (sdn_h5_has_attr(f, dataset, "log_on_read") && sdn_h5_get_long(f, dataset, "log_on_read", &log_on_read, err)) return err->status;
  a->n = (int)shape.dim[0];
  a->log = axis_rank(name) < 2 || log_on_read;   /* age and metallicity always: one rule for every grid */
  a->coordinate = sdn_alloc((size_t)a->n, sizeof *a->coordinate, "a grid axis", err);
  if (!a->coordinate) return err->status;
  for (int i = 0; i < a->n; i++) {
    a->value[i] *= factor;
    a->coordinate[i] = a->log ? log10(a->value[i]) : a->value[i];
  }
  return check_axis(f, a, err);
}

sdn_status sdn_grid_read_axes(const sdn_h5 *f, sdn_grid *g, sdn_err *err)
{
  char **names = NULL;
  size_t n = 0;
  if (!sdn_h5_has_attr(f, "/", "axes"))
    return sdn_fail(err, SDN_FORMAT, "%s has no attribute axes, so it is not a grid in Synthesizer's layout (0.9 or later)", sdn_h5_path(f));
  if (sdn_h5_get_texts(f, "/", "axes", &names, &n, err)) return err->status;
  sdn_status status = SDN_OK;
  int n_extra = 0;
  if (n > SDN_GRID_MAX_AXIS) status = sdn_fail(err, SDN_FORMAT, "grid %s has %zu axes; at most %d are served", g->path, n, SDN_GRID_MAX_AXIS);
  for (size_t i = 0; i < n && !status; i++) {
    const int rank = axis_rank(names[i]);
    sdn_grid_axis *a = &g->axis[rank < 2 ? rank : 2 + n_extra];
    if (rank < 2 ? a->n > 0 : 2 + n_extra >= SDN_GRID_MAX_AXIS)
      status = sdn_fail(err, SDN_FORMAT, "grid %s: axis %s does not fit: one age axis, one metallicity axis and at most %d others are served", g->path,
                        names[i], SDN_GRID_MAX_AXIS - 2);
    else
      status = read_axis(f, names[i], a, err);
    n_extra += rank == 2;
  }
  g->n_axis = 2 + n_extra;
  if (!status && (g->axis[0].n == 0 || g->axis[1].n == 0))
    status = sdn_fail(err, SDN_FORMAT, "grid %s: its axes must contain ages and metallicities", g->path);
  sdn_release(names);
  return status;
}

static int find_axis(const sdn_grid *g, const char *name)
{
  const int rank = axis_rank(name);
  if (rank < 2) return rank;
  for (int a = 2; a < g->n_axis; a++)
    if (strcmp(g->axis[a].name, name) == 0) return a;
  return -1;
}

/* Which grid axis each of n_dim dimensions is: the dataset's own attribute, else the file's first n_dim axes. */
static sdn_status dataset_axes(const sdn_h5 *f, const sdn_grid *g, const char *dataset, int n_dim, int *axis, sdn_err *err)
{
  char **names = NULL;
  size_t n = 0;
  const char *object = sdn_h5_has_attr(f, dataset, "axes") ? dataset : "/";
  if (sdn_h5_get_texts(f, object, "axes", &names, &n, err)) return err->status;
  sdn_status status = SDN_OK;
  if (object == dataset ? n != (size_t)n_dim : n < (size_t)n_dim)
    status = sdn_fail(err, SDN_FORMAT, "grid %s: %s has %d dimensions for %zu axes", g->path, dataset, n_dim, n);
  for (int d = 0; d < n_dim && !status; d++)
    if ((axis[d] = find_axis(g, names[d])) < 0)
      status = sdn_fail(err, SDN_FORMAT, "grid %s: %s names axis %s, which the file does not have", g->path, dataset, names[d]);
  sdn_release(names);
  return status;
}

/* Strides of the source along every grid axis; 0 where it does not depend on one. */
static sdn_status source_strides(const sdn_grid *g, const sdn_grid_dataset *what, const sdn_h5_shape *shape, const int *axis, size_t *stride, sdn_err *err)
{
  const int n_dim = shape->n_dim - (what->n_column > 0);
  size_t step = what->n_column > 0 ? (size_t)what->n_column_file : 1;
  if (what->n_column > 0 && shape->dim[n_dim] != what->n_column_file)
    return sdn_fail(err, SDN_FORMAT, "grid %s: %s has %ld columns where %ld are expected", g->path, what->name, shape->dim[n_dim], what->n_column_file);
  for (int d = n_dim - 1; d >= 0; d--) {
    if (shape->dim[d] != g->axis[axis[d]].n)
      return sdn_fail(err, SDN_FORMAT, "grid %s: %s has %ld elements along %s, whose axis has %d", g->path, what->name, shape->dim[d],
                      g->axis[axis[d]].name, g->axis[axis[d]].n);
    stride[axis[d]] = step;
    step *= (size_t)shape->dim[d];
  }
  return SDN_OK;
}

/* Offset in the source of the flattened extra cell e. */
static size_t extra_offset(const sdn_grid *g, const sdn_grid_table *t, const size_t *stride, int e)
{
  size_t offset = 0;
  for (int a = g->n_axis - 1; a >= 2; a--) {
    if (!t->has_extra[a]) continue;
    offset += (size_t)(e % g->axis[a].n) * stride[a];
    e /= g->axis[a].n;
  }
  return offset;
}

static sdn_status copy_rows(const sdn_grid *g, const sdn_grid_dataset *what, const float *source, const size_t *stride, sdn_grid_table *t, sdn_err *err)
{
  float *to = t->value;
  for (int a = 0; a < t->n_age; a++)
    for (int m = 0; m < t->n_metallicity; m++)
      for (int e = 0; e < t->n_extra; e++, to += t->n_column) {
        const float *from = source + (size_t)a * stride[0] + (size_t)m * stride[1] + extra_offset(g, t, stride, e) + what->first_column;
        memcpy(to, from, (size_t)t->n_column * sizeof *to);
        for (int j = 0; j < t->n_column; j++)
          if (!isfinite(to[j]))
            return sdn_fail(err, SDN_FORMAT, "grid %s: %s holds a value that is not finite at age node %d, metallicity node %d, column %d", g->path,
                            what->name, a, m, j);
      }
  return SDN_OK;
}

sdn_status sdn_grid_read_table(const sdn_h5 *f, const sdn_grid *g, const sdn_grid_dataset *what, sdn_grid_table *t, sdn_err *err)
{
  float *source = NULL;
  sdn_h5_shape shape;
  int axis[SDN_H5_MAX_DIM];
  size_t stride[SDN_GRID_MAX_AXIS] = {0};
  if (sdn_h5_read_float(f, what->name, &source, &shape, err)) return err->status;
  sdn_status status = dataset_axes(f, g, what->name, shape.n_dim - (what->n_column > 0), axis, err);
  if (!status) status = source_strides(g, what, &shape, axis, stride, err);
  if (status) goto done;
  *t = (sdn_grid_table){.n_age = g->axis[0].n, .n_metallicity = g->axis[1].n, .n_extra = 1, .n_column = what->n_column > 0 ? (int)what->n_column : 1};
  for (int a = 2; a < g->n_axis; a++) {
    t->has_extra[a] = stride[a] > 0;
    if (t->has_extra[a]) t->n_extra *= g->axis[a].n;
  }
  t->value = sdn_alloc(sdn_grid_table_size(t), sizeof *t->value, "a grid table", err);
  status = t->value ? copy_rows(g, what, source, stride, t, err) : err->status;
done:
  sdn_release(source);
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
  for (int a = 2; a < g->n_axis; a++)
    if (t->has_extra[a] && constant_along(g, t, a)) drop_axis(g, t, a);
  const size_t row = sdn_grid_table_size(t) / (size_t)t->n_age;
  size_t n_used = sdn_grid_table_size(t);
  while (n_used > row && !(t->value[n_used - 1] > 0) && !(t->value[n_used - 1] < 0)) n_used--;
  t->n_age = (int)((n_used + row - 1) / row);
  float *fit = sdn_alloc(sdn_grid_table_size(t), sizeof *fit, "a grid table", err);
  if (!fit) return err->status;
  memcpy(fit, t->value, sdn_grid_table_size(t) * sizeof *fit);
  sdn_release(t->value);
  t->value = fit;
  return SDN_OK;
}
