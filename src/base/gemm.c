/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/gemm.h"

#include "base/memory.h"

#ifndef SDN_NO_LIBXSMM
#include <libxsmm.h>
#endif

struct sdn_gemm {
  sdn_gemm_shape shape;
#ifndef SDN_NO_LIBXSMM
  libxsmm_smmfunction kernel;   /* NULL: this shape has none, the plain loops do it */
#endif
};

#ifndef SDN_NO_LIBXSMM
/* LIBXSMM counts by columns, where our row-major C = op(A) B reads C^T = B^T op(A)^T: B comes first, and our transposed A is its
 * second factor transposed. */
static libxsmm_smmfunction dispatch(const sdn_gemm_shape *s)
{
  const libxsmm_blasint lda = s->ldb, ldb = s->lda, ldc = s->ldc;
  const float alpha = 1, beta = s->accumulate ? 1 : 0;
  const int flags = s->transpose_a ? LIBXSMM_GEMM_FLAG_TRANS_B : LIBXSMM_GEMM_FLAG_NONE, prefetch = LIBXSMM_PREFETCH_NONE;
  return libxsmm_smmdispatch(s->n, s->m, s->k, &lda, &ldb, &ldc, &alpha, &beta, &flags, &prefetch);
}
#endif

sdn_status sdn_gemm_new(const sdn_gemm_shape *shape, sdn_gemm **out, sdn_err *err)
{
  const sdn_gemm_shape s = *shape;
  *out = NULL;
  if (!(s.m > 0 && s.n > 0 && s.k > 0 && s.ldb >= s.n && s.ldc >= s.n && s.lda >= (s.transpose_a ? s.m : s.k)))
    return sdn_fail(err, SDN_USAGE, "no matrix product of m %d, n %d, k %d with row lengths %d, %d, %d: sizes must be positive and rows fit",
                    s.m, s.n, s.k, s.lda, s.ldb, s.ldc);
  sdn_gemm *g = sdn_alloc(1, sizeof *g, "a matrix product", err);
  if (!g) return err->status;
  g->shape = s;
#ifndef SDN_NO_LIBXSMM
  g->kernel = dispatch(&s);
#endif
  *out = g;
  return SDN_OK;
}

void sdn_gemm_free(sdn_gemm *g) { sdn_release(g); }

/* One row of C at a time, adding multiples of B's rows: the inner loop runs along memory and vectorises. */
static void plain(const sdn_gemm_shape *s, const float *a, const float *b, float *c)
{
  const ptrdiff_t step_row = s->transpose_a ? 1 : s->lda, step_k = s->transpose_a ? s->lda : 1;
  for (int i = 0; i < s->m; i++) {
    float *restrict row = c + (ptrdiff_t)i * s->ldc;
    if (!s->accumulate)
      for (int j = 0; j < s->n; j++) row[j] = 0;
    for (int l = 0; l < s->k; l++) {
      const float factor = a[i * step_row + l * step_k];
      const float *restrict b_row = b + (ptrdiff_t)l * s->ldb;
      for (int j = 0; j < s->n; j++) row[j] += factor * b_row[j];
    }
  }
}

void sdn_gemm_run(const sdn_gemm *g, const float *a, const float *b, float *c)
{
#ifndef SDN_NO_LIBXSMM
  if (g->kernel) {
    g->kernel(b, a, c);
    return;
  }
#endif
  plain(&g->shape, a, b, c);
}

#define PATCH 16   /* rows and columns that are turned together: two patches fit into the first cache */

static int smaller(int a, int b) { return a < b ? a : b; }

void sdn_transpose(int m, int n, const float *in, float *out)
{
  for (int i0 = 0; i0 < m; i0 += PATCH)
    for (int j0 = 0; j0 < n; j0 += PATCH)
      for (int i = i0, i1 = smaller(m, i0 + PATCH); i < i1; i++)
        for (int j = j0, j1 = smaller(n, j0 + PATCH); j < j1; j++) out[(ptrdiff_t)j * m + i] = in[(ptrdiff_t)i * n + j];
}
