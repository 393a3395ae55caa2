/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Muon's orthogonal factor against the singular value decomposition of GSL; whole steps against their definition in double precision. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_linalg.h>

#include "base/random.h"
#include "learn/muon.h"

#define FACTOR_TOLERANCE 1e-3    /* float32: R is right to 1e-7, and the polynomials are as steep as 3.4^5 at the smallest singular values */
#define STEP_TOLERANCE 2e-5      /* of weights near 1 after 20 steps of 1e-2 */
#define BAND_LOW 0.68
#define BAND_HIGH 1.14           /* Jordan 2024: where five steps bring singular values that are not tiny */
#define TINY 0.02

/* The five steps on one singular value. */
static double five_steps(double s)
{
  for (int k = 0; k < 5; k++) s = 3.4445 * s - 4.7750 * pow(s, 3) + 2.0315 * pow(s, 5);
  return s;
}

/* in [n_row][n_col], n_row >= n_col -> U p(S / |S|) V^T; the smallest and largest p of singular values that are not tiny. */
static void by_svd(int n_row, int n_col, const double *in, double *out, double *low, double *high)
{
  gsl_matrix *u = gsl_matrix_alloc((size_t)n_row, (size_t)n_col), *v = gsl_matrix_alloc((size_t)n_col, (size_t)n_col);
  gsl_vector *s = gsl_vector_alloc((size_t)n_col), *room = gsl_vector_alloc((size_t)n_col);
  double norm = 0;
  for (int i = 0; i < n_row * n_col; i++) {
    gsl_matrix_set(u, (size_t)(i / n_col), (size_t)(i % n_col), in[i]);
    norm += in[i] * in[i];
  }
  gsl_linalg_SV_decomp(u, v, s, room);
  for (int i = 0; i < n_row * n_col; i++) out[i] = 0;
  for (int k = 0; k < n_col; k++) {
    const double share = gsl_vector_get(s, (size_t)k) / sqrt(norm), p = five_steps(share);
    if (share > TINY) *low = fmin(*low, p), *high = fmax(*high, p);
    for (int i = 0; i < n_row; i++)
      for (int j = 0; j < n_col; j++) out[i * n_col + j] += gsl_matrix_get(u, (size_t)i, (size_t)k) * p * gsl_matrix_get(v, (size_t)j, (size_t)k);
  }
  gsl_matrix_free(u);
  gsl_matrix_free(v);
  gsl_vector_free(s);
  gsl_vector_free(room);
}

static void check_factor(int n_row, int n_col, const float *in)
{
  const bool wide = n_col > n_row;
  const int n = n_row * n_col;
  double *tall = malloc(sizeof *tall * (size_t)n), *want = malloc(sizeof *want * (size_t)n), low = 1, high = 1;
  float *out = malloc(sizeof *out * (size_t)n);
  sdn_muon m;
  sdn_err err;
  sdn_arena *arena = sdn_arena_new(&err);
  for (int i = 0; i < n_row; i++)
    for (int j = 0; j < n_col; j++) tall[wide ? j * n_row + i : i * n_col + j] = (double)in[i * n_col + j];
  by_svd(wide ? n_col : n_row, wide ? n_row : n_col, tall, want, &low, &high);
  assert_true(low >= BAND_LOW && high <= BAND_HIGH);
  if (sdn_muon_new(n_row, n_col, &m, &err) || sdn_muon_orthogonalise(&m, in, out, arena, &err)) fail_msg("%s", err.text);
  for (int i = 0; i < n_row; i++)
    for (int j = 0; j < n_col; j++) {
      const double w = want[wide ? j * n_row + i : i * n_col + j], got = (double)out[i * n_col + j];
      if (!(fabs(got - w) <= FACTOR_TOLERANCE)) fail_msg("%d x %d: [%d][%d] is %.6f, not %.6f", n_row, n_col, i, j, got, w);
    }
  sdn_muon_clear(&m);
  sdn_arena_free(arena);
  free(tall);
  free(want);
  free(out);
}

static void factor_is_that_of_the_svd(void **state)
{
  (void)state;
  static const int shapes[][2] = {{32, 256}, {31, 64}, {32, 14}, {40, 8}, {64, 64}, {9, 9}};
  for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
    float in[32 * 256];
    sdn_rng rng = sdn_rng_at(64, SDN_STREAM_TEST, k);
    const int n = shapes[k][0] * shapes[k][1];
    for (float size = 1e-6f; size < 1e7f; size *= 1e6f) {
      for (int i = 0; i < n; i++) in[i] = size * (float)sdn_rng_normal(&rng);
      check_factor(shapes[k][0], shapes[k][1], in);
    }
    for (int i = 0; i < n; i++) in[i] = (float)(1 + i / shapes[k][1]) * (float)((i % shapes[k][1]) % 5 - 2);   /* of rank one */
    check_factor(shapes[k][0], shapes[k][1], in);
  }
}

static void nothing_gives_nothing(void **state)
{
  (void)state;
  float in[16 * 24] = {0}, out[16 * 24];
  sdn_muon m;
  sdn_err err;
  sdn_arena *arena = sdn_arena_new(&err);
  for (int i = 0; i < 16 * 24; i++) out[i] = NAN;
  if (sdn_muon_new(16, 24, &m, &err) || sdn_muon_orthogonalise(&m, in, out, arena, &err)) fail_msg("%s", err.text);
  for (int i = 0; i < 16 * 24; i++) assert_true(out[i] == 0);
  sdn_muon_clear(&m);
  sdn_arena_free(arena);
}

#define R 12
#define C 20

/* X <- a X + (b G + c G G) X, G = X X^T, as the papers write it. */
static void orthogonalise_plainly(double x[R][C])
{
  double norm = 0;
  for (int i = 0; i < R * C; i++) norm += x[i / C][i % C] * x[i / C][i % C];
  for (int i = 0; i < R * C; i++) x[i / C][i % C] /= sqrt(norm);
  for (int k = 0; k < 5; k++) {
    double g[R][R] = {{0}}, p[R][R] = {{0}}, y[R][C] = {{0}};
    for (int i = 0; i < R * R; i++)
      for (int j = 0; j < C; j++) g[i / R][i % R] += x[i / R][j] * x[i % R][j];
    for (int i = 0; i < R * R; i++)
      for (int j = 0; j < R; j++) p[i / R][i % R] += 2.0315 * g[i / R][j] * g[j][i % R];
    for (int i = 0; i < R * R; i++) p[i / R][i % R] += -4.7750 * g[i / R][i % R] + (i / R == i % R ? 3.4445 : 0);
    for (int i = 0; i < R * C; i++)
      for (int j = 0; j < R; j++) y[i / C][i % C] += p[i / C][j] * x[j][i % C];
    memcpy(x, y, sizeof y);
  }
}

static void steps_follow_their_definition(void **state)
{
  (void)state;
  float weight[R * C], mean[R * C] = {0}, average[R * C], gradient[R * C];
  double w[R * C], m[R * C] = {0}, a[R * C];
  const double rate = 1e-2, decay = 0.1, momentum = 0.95, keep = 0.9, scale = 0.5;
  sdn_muon shape;
  sdn_err err;
  sdn_arena *arena = sdn_arena_new(&err);
  sdn_rng rng = sdn_rng_at(65, SDN_STREAM_TEST, 0);
  if (sdn_muon_new(R, C, &shape, &err)) fail_msg("%s", err.text);
  for (int i = 0; i < R * C; i++) a[i] = w[i] = (double)(average[i] = weight[i] = (float)sdn_rng_normal(&rng));
  const sdn_muon_step step = {.rate = (float)rate, .decay = (float)decay, .momentum = (float)momentum, .keep = (float)keep, .scale = (float)scale};
  for (int k = 0; k < 20; k++) {
    double x[R][C], used[R * C];
    for (int i = 0; i < R * C; i++) used[i] = i % C > i / C + 8 ? 0 : 1;   /* a triangle is not used */
    for (int i = 0; i < R * C; i++) gradient[i] = (float)used[i] * ((float)sdn_rng_normal(&rng) + weight[i]);
    for (int i = 0; i < R * C; i++) {
      const double g = (1 - momentum) * scale * (double)gradient[i];
      m[i] = momentum * m[i] + g;
      x[i / C][i % C] = momentum * m[i] + g;
    }
    orthogonalise_plainly(x);
    for (int i = 0; i < R * C; i++) {   /* the longer side is C */
      w[i] -= rate * (used[i] * 0.2 * sqrt(C) * x[i / C][i % C] + decay * w[i]);
      a[i] = keep * a[i] + (1 - keep) * w[i];
    }
    sdn_arena_back(arena, (sdn_arena_mark){0});
    if (sdn_muon_update(&shape, &step, gradient, weight, mean, average, arena, &err)) fail_msg("%s", err.text);
    for (int i = 0; i < R * C; i++)
      if (!(fabs((double)weight[i] - w[i]) <= STEP_TOLERANCE && fabs((double)average[i] - a[i]) <= STEP_TOLERANCE))
        fail_msg("step %d, number %d: weight %.8g, not %.8g", k, i, (double)weight[i], w[i]);
  }
  sdn_muon_clear(&shape);
  sdn_arena_free(arena);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(factor_is_that_of_the_svd), cmocka_unit_test(nothing_gives_nothing),
                                     cmocka_unit_test(steps_follow_their_definition)};
  return cmocka_run_group_tests_name("muon", tests, NULL, NULL);
}
