/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prior/grid_table.h"

#include <math.h>
#include <string.h>

#include "prior/table.h"

static sdn_status check_given(size_t n, const double *given, sdn_err *err)
{
  if (n < 1) return sdn_fail(err, SDN_USAGE, "a conditional table needs at least one given value");
  for (size_t i = 0; i < n; i++)
    if (!isfinite(given[i]) || (i > 0 && !(given[i] > given[i - 1])))
      return sdn_fail(err, SDN_USAGE, "given value %zu (%g) of a conditional table is not above the one before; they must increase", i + 1, given[i]);
  return SDN_OK;
}

/* Row i through a table of its own, which checks and normalises it. */
static sdn_status set_row(sdn_dist_grid *g, size_t i, const double *value, const double *density, sdn_err *err)
{
  sdn_dist_table *t = NULL;
  if (sdn_dist_table_new(g->n, value, density, &t, err)) return sdn_fail_in(err, "at the given value %g", g->given[i]);
  memcpy(g->density + i * g->n, t->density, g->n * sizeof(double));
  memcpy(g->below + i * g->n, t->below, g->n * sizeof(double));
  memcpy(g->above + i * g->n, t->above, g->n * sizeof(double));
  sdn_dist_table_free(t);
  return SDN_OK;
}

sdn_status sdn_dist_grid_new(size_t n_given, const double *given, size_t n, const double *value, const double *density, sdn_dist_grid **out, sdn_err *err)
{
  *out = NULL;
  if (check_given(n_given, given, err)) return err->status;
  sdn_dist_grid *g = sdn_alloc(1, sizeof *g, "a conditional table", err);
  if (!g) return err->status;
  sdn_status status = SDN_OK;
  double **const array[] = {&g->given, &g->value, &g->density, &g->below, &g->above};
  const size_t length[] = {n_given, n, n_given * n, n_given * n, n_given * n};
  g->n_given = n_given;
  g->n = n;
  for (int a = 0; a < 5 && !status; a++)
    if (!(*array[a] = sdn_alloc(length[a], sizeof(double), "a conditional table", err))) status = err->status;
  if (status) goto done;
  memcpy(g->given, given, n_given * sizeof *given);
  if (n > 0) memcpy(g->value, value, n * sizeof *value);
  for (size_t i = 0; i < n_given && !status; i++) status = set_row(g, i, value, density + i * n, err);
  if (status) goto done;
  *out = g;
  g = NULL;
done:
  sdn_dist_grid_free(g);
  return status;
}

void sdn_dist_grid_free(sdn_dist_grid *g)
{
  if (!g) return;
  sdn_release(g->given);
  sdn_release(g->value);
  sdn_release(g->density);
  sdn_release(g->below);
  sdn_release(g->above);
  sdn_release(g);
}

/* The last i <= n - 2 with list[i] <= x, 0 if there is none. */
static size_t interval(const double *list, size_t n, double x)
{
  size_t low = 0, high = n - 1;
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if (list[middle] <= x) low = middle;
    else high = middle;
  }
  return low;
}

sdn_dist_mix sdn_dist_grid_at(const sdn_dist_grid *g, double given)
{
  if (g->n_given == 1 || !(given > g->given[0])) return (sdn_dist_mix){g, 0, 0};
  const size_t row = interval(g->given, g->n_given, given);
  return (sdn_dist_mix){g, row, fmin((given - g->given[row]) / (g->given[row + 1] - g->given[row]), 1)};
}

static double mixed(const sdn_dist_mix *m, const double *rows, size_t i)
{
  const double *row = rows + m->row * m->grid->n + i;
  return m->t > 0 ? (1 - m->t) * *row + m->t * row[m->grid->n] : *row;
}

/* The segment in which the probability summed from one end passes p. */
static size_t find(const sdn_dist_mix *m, double p, bool from_below)
{
  size_t low = 0, high = m->grid->n - 1;
  while (high - low > 1) {
    const size_t middle = (low + high) / 2;
    if (from_below ? mixed(m, m->grid->below, middle) <= p : mixed(m, m->grid->above, middle) > p) low = middle;
    else high = middle;
  }
  return low;
}

double sdn_dist_mix_quantile(const sdn_dist_mix *m, double below, double above)
{
  const sdn_dist_grid *g = m->grid;
  const bool low = below <= above;
  const size_t i = find(m, low ? below : above, low);
  const double d0 = mixed(m, g->density, i), d1 = mixed(m, g->density, i + 1), width = g->value[i + 1] - g->value[i];
  if (low) return g->value[i] + sdn_dist_segment_length(below - mixed(m, g->below, i), d0, d1, width);
  return g->value[i + 1] - sdn_dist_segment_length(above - mixed(m, g->above, i + 1), d1, d0, width);
}

double sdn_dist_mix_cdf(const sdn_dist_mix *m, double x, double *below, double *above)
{
  const sdn_dist_grid *g = m->grid;
  if (!(x >= g->value[0] && x <= g->value[g->n - 1])) return -1;
  const size_t i = interval(g->value, g->n, x);
  const double here = mixed(m, g->density, i), there = mixed(m, g->density, i + 1);
  if (here == 0 && there == 0) return -1;
  const double left = x - g->value[i], right = g->value[i + 1] - x, density = (here * right + there * left) / (left + right);
  *below = mixed(m, g->below, i) + 0.5 * left * (here + density);
  *above = mixed(m, g->above, i + 1) + 0.5 * right * (density + there);
  return density;
}
