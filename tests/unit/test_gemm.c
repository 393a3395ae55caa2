/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Matrix products against three plain loops in double precision. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/gemm.h"
#include "base/memory.h"
#include "base/random.h"

#define GUARD 12345.0f

static float *random_matrix(size_t n, uint64_t row)
{
  sdn_err err;
  float *x = sdn_alloc(n, sizeof *x, "a test matrix", &err);
  assert_non_null(x);
  sdn_rng rng = sdn_rng_at(11, SDN_STREAM_TEST, row);
  sdn_rng_normals(&rng, (long)n, x);
  return x;
}

/* k products of normals: each rounding is relative to the sum of magnitudes so far, and k of them add up. */
static double allowed(int k) { return 1e-7 * (8 + k) * sqrt(k); }

static void check_element(const sdn_gemm_shape *s, const float *a, const float *b, double before, float got, int i, int j)
{
  double sum = s->accumulate ? before : 0;
  for (int l = 0; l < s->k; l++)
    sum += (double)a[s->transpose_a ? (size_t)l * (size_t)s->lda + (size_t)i : (size_t)i * (size_t)s->lda + (size_t)l] *
           (double)b[(size_t)l * (size_t)s->ldb + (size_t)j];
  if (!(fabs((double)got - sum) <= allowed(s->k)))
    fail_msg("m %d n %d k %d transposed %d added %d: element %d %d is %.9g, not %.9g", s->m, s->n, s->k, s->transpose_a, s->accumulate, i, j,
             (double)got, sum);
}

static void check_shape(sdn_gemm_shape s)
{
  const size_t rows_a = (size_t)(s.transpose_a ? s.k : s.m), n_c = (size_t)s.m * (size_t)s.ldc;
  float *a = random_matrix(rows_a * (size_t)s.lda, 1), *b = random_matrix((size_t)s.k * (size_t)s.ldb, 2), *c = random_matrix(n_c, 3);
  float *before = random_matrix(n_c, 3);
  sdn_gemm *g;
  sdn_err err;
  for (int i = 0; i < s.m; i++)
    for (int j = s.n; j < s.ldc; j++) c[(size_t)i * (size_t)s.ldc + (size_t)j] = GUARD;
  if (!s.accumulate)
    for (int i = 0; i < s.m; i++) c[(size_t)i * (size_t)s.ldc] = NAN;   /* not accumulating must not read C */
  assert_int_equal(sdn_gemm_new(&s, &g, &err), SDN_OK);
  sdn_gemm_run(g, a, b, c);
  for (int i = 0; i < s.m; i++)
    for (int j = 0; j < s.ldc; j++) {
      const size_t at = (size_t)i * (size_t)s.ldc + (size_t)j;
      if (j < s.n) check_element(&s, a, b, (double)before[at], c[at], i, j);
      else assert_true(c[at] == GUARD);
    }
  sdn_gemm_free(g);
  sdn_release(a);
  sdn_release(b);
  sdn_release(c);
  sdn_release(before);
}

static void products_agree_with_plain_loops(void **state)
{
  (void)state;
  static const int size[][3] = {{1, 1, 1},   {3, 5, 7},    {16, 16, 16}, {17, 33, 9}, {64, 128, 128}, {128, 64, 21}, {1, 96, 40},
                                {40, 1, 13}, {100, 48, 1}, {13, 130, 257}, {256, 20, 31}, {32, 7, 300}};
  for (size_t i = 0; i < sizeof size / sizeof *size; i++)
    for (int flags = 0; flags < 8; flags++) {
      const int m = size[i][0], n = size[i][1], k = size[i][2], pad = flags & 4 ? 5 : 0;
      const bool transpose = flags & 1, accumulate = (flags & 2) != 0;
      check_shape((sdn_gemm_shape){.m = m, .n = n, .k = k, .lda = (transpose ? m : k) + pad, .ldb = n + 2 * pad, .ldc = n + 3 * pad,
                                   .transpose_a = transpose, .accumulate = accumulate});
    }
}

static void senseless_shapes_are_refused(void **state)
{
  (void)state;
  static const sdn_gemm_shape bad[] = {{0, 4, 4, 4, 4, 4, false, false}, {4, -1, 4, 4, 4, 4, false, false}, {4, 4, 4, 3, 4, 4, false, false},
                                       {4, 4, 4, 4, 3, 4, false, false}, {4, 4, 4, 4, 4, 3, false, false}, {8, 4, 4, 4, 4, 4, true, false}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sdn_gemm *g;
    sdn_err err;
    assert_int_equal(sdn_gemm_new(&bad[i], &g, &err), SDN_USAGE);
    assert_null(g);
  }
  sdn_gemm_free(NULL);
}

static void transposes_are_exact(void **state)
{
  (void)state;
  static const int size[][2] = {{1, 1}, {1, 50}, {50, 1}, {16, 16}, {17, 31}, {128, 100}};
  for (size_t i = 0; i < sizeof size / sizeof *size; i++) {
    const int m = size[i][0], n = size[i][1];
    float *in = random_matrix((size_t)m * (size_t)n, 4), *out = random_matrix((size_t)m * (size_t)n, 5);
    sdn_transpose(m, n, in, out);
    for (int r = 0; r < m; r++)
      for (int c = 0; c < n; c++) assert_true(out[c * m + r] == in[r * n + c]);
    sdn_release(in);
    sdn_release(out);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(products_agree_with_plain_loops),
    cmocka_unit_test(senseless_shapes_are_refused),
    cmocka_unit_test(transposes_are_exact),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
