/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Least squares on hat functions: the Gram matrix is tridiagonal. */
#include <math.h>
#include <string.h>

#include "physics/grid_thin.h"

enum { SWEEPS = 30 };   /* the diagonal dominates twofold: a sweep leaves a quarter of the error */

void sdn_thin_fit_free(sdn_thin_fit *f)
{
  sdn_release(f->node);
  sdn_release(f->weight);
  sdn_release(f->u);
  sdn_release(f->diagonal);
  sdn_release(f->beside);
  sdn_release(f->pivot);
  *f = (sdn_thin_fit){0};
}

/* u of both ends of the interval i, as the interval between its nodes sees them: at its right node 1, not 0. */
static double right_end(const sdn_thin_fit *f, int i, int k) { return i + 1 == f->node[k + 1] ? 1 : f->u[i + 1]; }

static void make_gram(sdn_thin_fit *f)
{
  for (int k = 0; k + 1 < f->n_node; k++)
    for (int i = f->node[k]; i < f->node[k + 1]; i++) {
      const double h = f->weight[i] / 3, u0 = f->u[i], u1 = right_end(f, i, k), v0 = 1 - u0, v1 = 1 - u1;
      f->diagonal[k] += h * (v0 * v0 + v0 * v1 + v1 * v1);
      f->diagonal[k + 1] += h * (u0 * u0 + u0 * u1 + u1 * u1);
      f->beside[k] += h * (v0 * u0 + 0.5 * (v0 * u1 + v1 * u0) + v1 * u1);
    }
  for (int k = 0; k < f->n_node; k++) f->pivot[k] = f->diagonal[k] - (k ? f->beside[k - 1] * f->beside[k - 1] / f->pivot[k - 1] : 0);
}

sdn_status sdn_thin_fit_new(int n_x, const double *x, int n_node, const int *node, sdn_thin_fit *f, sdn_err *err)
{
  *f = (sdn_thin_fit){.n_x = n_x, .n_node = n_node, .x = x};
  f->node = sdn_alloc((size_t)n_node, sizeof *f->node, "nodes", err);
  f->weight = sdn_alloc((size_t)n_x, sizeof *f->weight, "weights of wavelengths", err);
  f->u = sdn_alloc((size_t)n_x, sizeof *f->u, "places between nodes", err);
  f->diagonal = sdn_alloc((size_t)n_node, sizeof *f->diagonal, "a Gram matrix", err);
  f->beside = sdn_alloc((size_t)n_node, sizeof *f->beside, "a Gram matrix", err);
  f->pivot = sdn_alloc((size_t)n_node, sizeof *f->pivot, "a Gram matrix", err);
  if (!f->node || !f->weight || !f->u || !f->diagonal || !f->beside || !f->pivot) {
    sdn_thin_fit_free(f);
    return err->status;
  }
  memcpy(f->node, node, (size_t)n_node * sizeof *node);
  for (int i = 0; i + 1 < n_x; i++) f->weight[i] = (x[i + 1] - x[i]) / (x[i] * x[i + 1]);
  for (int k = 0; k + 1 < n_node; k++)
    for (int i = node[k] + 1; i < node[k + 1]; i++) f->u[i] = (x[i] - x[node[k]]) / (x[node[k + 1]] - x[node[k]]);
  make_gram(f);
  return SDN_OK;
}

static void right_hand_side(const sdn_thin_fit *f, const float *s, double *rhs)
{
  memset(rhs, 0, (size_t)f->n_node * sizeof *rhs);
  for (int k = 0; k + 1 < f->n_node; k++)
    for (int i = f->node[k]; i < f->node[k + 1]; i++) {
      const double h = f->weight[i] / 6, u0 = f->u[i], u1 = right_end(f, i, k), s0 = (double)s[i], s1 = (double)s[i + 1];
      const double right = h * (u0 * (2 * s0 + s1) + u1 * (s0 + 2 * s1)), all = 3 * h * (s0 + s1);
      rhs[k] += all - right;
      rhs[k + 1] += right;
    }
}

/* Projected Gauss-Seidel: the least squares among functions that are nowhere negative. */
static void make_nonnegative(const sdn_thin_fit *f, const double *rhs, double *v)
{
  const int n = f->n_node;
  for (int k = 0; k < n; k++) v[k] = fmax(v[k], 0);
  for (int sweep = 0; sweep < SWEEPS; sweep++)
    for (int k = 0; k < n; k++) {
      const double around = (k ? f->beside[k - 1] * v[k - 1] : 0) + (k + 1 < n ? f->beside[k] * v[k + 1] : 0);
      v[k] = fmax((rhs[k] - around) / f->diagonal[k], 0);
    }
}

void sdn_thin_project(const sdn_thin_fit *f, const float *spectrum, double *rhs, double *v)
{
  const int n = f->n_node;
  bool negative = false;
  right_hand_side(f, spectrum, rhs);
  for (int k = 0; k < n; k++) v[k] = rhs[k] - (k ? f->beside[k - 1] / f->pivot[k - 1] * v[k - 1] : 0);
  for (int k = n - 1; k >= 0; k--) {
    v[k] = (v[k] - (k + 1 < n ? f->beside[k] * v[k + 1] : 0)) / f->pivot[k];
    negative = negative || v[k] < 0;
  }
  if (negative) make_nonnegative(f, rhs, v);
}

void sdn_thin_expand(const sdn_thin_fit *f, const double *v, float *s)
{
  for (int k = 0; k + 1 < f->n_node; k++)
    for (int i = f->node[k]; i < f->node[k + 1]; i++) s[i] = (float)((1 - f->u[i]) * v[k] + f->u[i] * v[k + 1]);
  s[f->n_x - 1] = (float)v[f->n_node - 1];
}
