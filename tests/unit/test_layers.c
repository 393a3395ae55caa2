/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Elementary functions and activations against the C library in double precision; matrix layers against plain loops. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "learn/activation.h"
#include "learn/dense.h"
#include "learn/kernel.h"

#include "base/fastmath.h"

#define RELATIVE 3e-7   /* a few float32 roundings */

static void expect(const char *what, double x, float got, double want, double scale)
{
  if (!(fabs((double)got - want) <= RELATIVE * scale)) fail_msg("%s(%.9g) = %.9g, not %.9g", what, x, (double)got, want);
}

static void elementary_functions_are_accurate(void **state)
{
  (void)state;
  for (int i = -86000; i <= 86900; i++) {
    const float x = 1e-3f * (float)i;
    const double e = exp((double)x);
    expect("exp", (double)x, sdn_expf(x), e, e * 1.2);   /* rounding of x ln 2 n included */
    expect("sigmoid", (double)x, sdn_sigmoidf(x), 1 / (1 + exp(-(double)x)), 1 / (1 + exp(-(double)x)) + 1e-30);
    expect("softplus", (double)x, sdn_softplusf(x), log1p(e) , 1 + fabs((double)x));
  }
  for (float x = 1.2e-38f; x < 3e38f; x *= 1.0007f) expect("ln", (double)x, sdn_logf(x), log((double)x), fmax(1, fabs(log((double)x))) * 0.8);
  for (int i = 1; i < 4000; i++) {   /* near 1, where the logarithm vanishes */
    const float x = 1.0f + 1e-4f * (float)(i - 2000);
    expect("ln", (double)x, sdn_logf(x), log((double)x), fmax(fabs(log((double)x)), 0.3));
  }
}

static void bad_numbers_stay_bad(void **state)
{
  (void)state;
  assert_true(isnan(sdn_expf(NAN)));
  assert_true(isnan(sdn_logf(NAN)));
  assert_true(!isfinite(sdn_logf(INFINITY)));
  assert_true(isnan(sdn_sigmoidf(NAN)));
  assert_true(isnan(sdn_softplusf(NAN)));
  assert_true(isnan(sdn_clamp(NAN, 0, 1)));
  assert_true(sdn_clamp(-INFINITY, 0, 1) == 0 && sdn_clamp(INFINITY, 0, 1) == 1);
  assert_true(isfinite(sdn_expf(1e30f)) && sdn_expf(-1e30f) > 0);
}

static void silu_and_its_derivative(void **state)
{
  (void)state;
  enum { N = 5 };
  float a[N * SDN_ROWS], residual[N * SDN_ROWS], before[N * SDN_ROWS], y[N * SDN_ROWS], bias[N], by_y[N * SDN_ROWS], sums[N] = {0};
  sdn_rng rng = sdn_rng_at(31, SDN_STREAM_TEST, 0);
  for (int i = 0; i < N * SDN_ROWS; i++) before[i] = a[i] = 4.0f * (float)sdn_rng_normal(&rng), residual[i] = (float)sdn_rng_normal(&rng), by_y[i] = 0.5f * residual[i];
  for (int i = 0; i < N; i++) bias[i] = (float)i - 2.0f;
  sdn_silu_forward(N, a, bias, residual, y);
  for (int i = 0; i < N * SDN_ROWS; i++) {
    const double v = (double)before[i] + (double)bias[i / SDN_ROWS], s = 1 / (1 + exp(-v));
    expect("silu", v, y[i], v * s + (double)residual[i], 4 + fabs(v));
    expect("silu'", v, a[i], s * (1 + v * (1 - s)), 4 + fabs(v));
  }
  memcpy(before, a, sizeof before);
  sdn_silu_backward(N, by_y, a);
  for (int i = 0; i < N * SDN_ROWS; i++) expect("silu backward", 0, a[i], (double)before[i] * (double)by_y[i], 2);
  sdn_row_sums(N, by_y, false, sums);
  sdn_row_sums(N, by_y, true, sums);
  for (int i = 0; i < N; i++) {
    double sum = 0;
    for (int r = 0; r < SDN_ROWS; r++) sum += 2 * (double)by_y[i * SDN_ROWS + r];
    expect("row sum", i, sums[i], sum, 20);
  }
}

static float *random_block(size_t n, uint64_t name)
{
  sdn_err err;
  sdn_rng rng = sdn_rng_at(32, SDN_STREAM_TEST, name);
  float *x = sdn_alloc(n, sizeof *x, "test numbers", &err);
  sdn_rng_normals(&rng, (long)n, x);
  return x;
}

/* A layer that is the corner of a larger matrix, forwards, backwards and its gradient. */
static void dense_layer_agrees_with_loops(void **state)
{
  (void)state;
  enum { OUT = 13, IN = 7, LD = 10, LD_X = 9 };
  const sdn_dense_shape shape = {.n_out = OUT, .n_in = IN, .ld = LD, .ld_x = LD_X, .width = SDN_ROWS};
  sdn_dense d;
  sdn_err err;
  assert_int_equal(sdn_dense_new(&shape, &d, &err), SDN_OK);
  float *w = random_block(OUT * LD, 1), *x = random_block(IN * SDN_ROWS, 2), *by_y = random_block(OUT * SDN_ROWS, 3), *x_t = random_block(SDN_ROWS * LD_X, 4);
  float y[OUT * SDN_ROWS], by_x[IN * SDN_ROWS], by_w[OUT * LD] = {0};
  sdn_gemm_run(d.forward, w, x, y);
  sdn_gemm_run(d.forward_add, w, x, y);
  sdn_gemm_run(d.backward, w, by_y, by_x);
  sdn_gemm_run(d.gradient, by_y, x_t, by_w);
  for (int r = 0; r < SDN_ROWS; r++) {
    for (int i = 0; i < OUT; i++) {
      double sum = 0;
      for (int j = 0; j < IN; j++) sum += 2 * (double)w[i * LD + j] * (double)x[j * SDN_ROWS + r];
      expect("forward", i, y[i * SDN_ROWS + r], sum, 20);
    }
    for (int j = 0; j < IN; j++) {
      double sum = 0;
      for (int i = 0; i < OUT; i++) sum += (double)w[i * LD + j] * (double)by_y[i * SDN_ROWS + r];
      expect("backward", j, by_x[j * SDN_ROWS + r], sum, 20);
    }
  }
  for (int i = 0; i < OUT; i++)
    for (int j = 0; j < LD; j++) {
      double sum = 0;
      for (int r = 0; j < IN && r < SDN_ROWS; r++) sum += (double)by_y[i * SDN_ROWS + r] * (double)x_t[r * LD_X + j];
      expect("gradient", i, by_w[i * LD + j], sum, 40);
    }
  float *blocks[] = {w, x, by_y, x_t};
  for (int i = 0; i < 4; i++) sdn_release(blocks[i]);
  sdn_dense_clear(&d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(elementary_functions_are_accurate), cmocka_unit_test(bad_numbers_stay_bad),
                                     cmocka_unit_test(silu_and_its_derivative), cmocka_unit_test(dense_layer_agrees_with_loops)};
  return cmocka_run_group_tests_name("layers", tests, NULL, NULL);
}
