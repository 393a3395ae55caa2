/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/muon.h"

#include <math.h>
#include <string.h>

#include "learn/kernel.h"

#define N_ITERATION 5
#define SIZE_SCALE 0.2f
static const float A = 3.4445f, B = -4.7750f, C = 2.0315f;

static int smaller(int a, int b) { return a < b ? a : b; }
static int larger(int a, int b) { return a > b ? a : b; }

/* R is M M^T for a wide matrix, M^T M for a tall one: [s][s], s the shorter side. */
sdn_status sdn_muon_new(int n_row, int n_col, sdn_muon *m, sdn_err *err)
{
  const bool wide = n_col > n_row;
  const int s = smaller(n_row, n_col), l = larger(n_row, n_col);
  const sdn_gemm_shape gram = {.m = s, .n = s, .k = l, .lda = wide ? l : s, .ldb = s, .ldc = s, .transpose_a = !wide};
  const sdn_gemm_shape square = {.m = s, .n = s, .k = s, .lda = s, .ldb = s, .ldc = s};
  const sdn_gemm_shape apply = {.m = n_row, .n = n_col, .k = s, .lda = s, .ldb = n_col, .ldc = n_col};
  *m = (sdn_muon){.n_row = n_row, .n_col = n_col};
  if (sdn_gemm_new(&gram, &m->gram, err) || sdn_gemm_new(&square, &m->square, err) || sdn_gemm_new(&apply, &m->apply, err)) {
    sdn_muon_clear(m);
    return err->status;
  }
  return SDN_OK;
}

void sdn_muon_clear(sdn_muon *m)
{
  sdn_gemm_free(m->gram);
  sdn_gemm_free(m->square);
  sdn_gemm_free(m->apply);
  *m = (sdn_muon){0};
}

SDN_CLONES
static void scale(size_t n, float factor, float *x)
{
#pragma omp simd
  for (size_t i = 0; i < n; i++) x[i] *= factor;
}

/* square = a I + b R + c square, all [s][s]; square holds R R. */
SDN_CLONES
static void polynomial(int s, const float *r, float *square)
{
  const size_t n = (size_t)s * (size_t)s;
#pragma omp simd
  for (size_t i = 0; i < n; i++) square[i] = B * r[i] + C * square[i];
  for (int i = 0; i < s; i++) square[(size_t)i * (size_t)(s + 1)] += A;
}

static void swap(float **a, float **b)
{
  float *const kept = *a;
  *a = *b;
  *b = kept;
}

/* R [s][s], scaled to trace 1 -> the block of `room` [3][s][s] that holds Q. R is used up. Q, P and R commute: P_k = a I + b R_k + c R_k^2,
 * Q_k+1 = P_k Q_k, R_k+1 = P_k R_k P_k. */
static float *follow(const sdn_muon *m, int s, float *r, float *room)
{
  const size_t n = (size_t)s * (size_t)s;
  float *p = room + n, *q = room, *next = p + n;
  sdn_gemm_run(m->square, r, r, q);
  polynomial(s, r, q);
  memcpy(p, q, n * sizeof *p);
  for (int k = 1; k < N_ITERATION; k++) {
    sdn_gemm_run(m->square, r, p, next);
    sdn_gemm_run(m->square, next, p, r);
    sdn_gemm_run(m->square, r, r, p);
    polynomial(s, r, p);
    sdn_gemm_run(m->square, p, q, next);
    swap(&q, &next);
  }
  return q;
}

sdn_status sdn_muon_orthogonalise(const sdn_muon *m, const float *in, float *out, sdn_arena *arena, sdn_err *err)
{
  const bool wide = m->n_col > m->n_row;
  const int s = smaller(m->n_row, m->n_col);
  const size_t n = (size_t)m->n_row * (size_t)m->n_col, n_square = (size_t)s * (size_t)s;
  float *x = sdn_arena_take(arena, n, sizeof *x, err), *r = x ? sdn_arena_take(arena, 4 * n_square, sizeof *r, err) : NULL;
  if (!r) return err->status;
  float trace = 0;
  if (wide) sdn_transpose(m->n_row, m->n_col, in, x);
  sdn_gemm_run(m->gram, in, wide ? x : in, r);
  for (int i = 0; i < s; i++) trace += r[(size_t)i * (size_t)(s + 1)];
  memcpy(x, in, n * sizeof *x);
  memset(out, 0, n * sizeof *out);
  if (!(trace > 0)) return SDN_OK;
  scale(n_square, 1.0f / trace, r);
  float *q = follow(m, s, r, r + n_square);
  scale(n_square, 1.0f / sqrtf(trace), q);
  if (wide) sdn_gemm_run(m->apply, q, x, out);
  else sdn_gemm_run(m->apply, x, q, out);
  return SDN_OK;
}

/* direction = the momentum as the next step would have it (Nesterov). */
SDN_CLONES
static void push(size_t n, float momentum, float factor, const float *gradient, float *mean, float *direction)
{
  const float fresh = (1.0f - momentum) * factor;
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    const float g = fresh * gradient[i];
    mean[i] = momentum * mean[i] + g;
    direction[i] = momentum * mean[i] + g;
  }
}

SDN_CLONES
static void move(size_t n, const sdn_muon_step *s, float length, const float *direction, const float *mean, float *weight, float *average)
{
  const float fresh = 1.0f - s->keep, shrink = s->rate * s->decay;
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    const float w = weight[i] - shrink * weight[i] - (mean[i] != 0.0f ? length * direction[i] : 0.0f);
    weight[i] = w;
    average[i] += fresh * (w - average[i]);
  }
}

sdn_status sdn_muon_update(const sdn_muon *m, const sdn_muon_step *step, const float *gradient, float *weight, float *mean, float *average,
                           sdn_arena *arena, sdn_err *err)
{
  const size_t n = (size_t)m->n_row * (size_t)m->n_col;
  float *direction = sdn_arena_take(arena, n, sizeof *direction, err);
  if (!direction) return err->status;
  push(n, step->momentum, step->scale, gradient, mean, direction);
  if (sdn_muon_orthogonalise(m, direction, direction, arena, err)) return err->status;
  move(n, step, step->rate * SIZE_SCALE * sqrtf((float)larger(m->n_row, m->n_col)), direction, mean, weight, average);
  return SDN_OK;
}
