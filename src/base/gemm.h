/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one door to matrix multiplication: LIBXSMM's kernels, made at run time for exactly the shape and the vector width at hand, one thread.
 * Callers split work into fixed tiles, so results do not depend on the number of threads. */
#ifndef SDN_BASE_GEMM_H
#define SDN_BASE_GEMM_H

#include "base/error.h"

/* Row-major C[m][n] (+)= op(A) B[k][n] with leading dimensions lda, ldb, ldc; op(A) = A[m][k], or A^T with A stored [k][m]. */
typedef struct sdn_gemm sdn_gemm;   /* a prepared shape; constant, may be used by any thread at once */
typedef struct sdn_gemm_shape { int m, n, k, lda, ldb, ldc; bool transpose_a, accumulate; } sdn_gemm_shape;
sdn_status sdn_gemm_new(const sdn_gemm_shape *shape, sdn_gemm **g, sdn_err *err);
void sdn_gemm_free(sdn_gemm *g);
void sdn_gemm_run(const sdn_gemm *g, const float *a, const float *b, float *c);
/* out[n][m] = in[m][n]^T */
void sdn_transpose(int m, int n, const float *in, float *out);

#endif
