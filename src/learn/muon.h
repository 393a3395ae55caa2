/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Muon (Jordan 2024): a weight matrix moves along the orthogonal factor of its momentum, so that every direction that the gradient has is gone along
 * by the same length. With momentum M = U S V^T the update is close to U V^T: five Newton-Schulz steps
 *   X <- a X + b (X X^T) X + c (X X^T)^2 X,   (a, b, c) = (3.4445, -4.7750, 2.0315),   X_0 = M / |M|_F
 * bring singular values above some 1e-2 of the norm to between 0.68 and 1.14. All of them are polynomials of R = X_0 X_0^T, so only the product Q of
 * the polynomials is followed, on the shorter side of M, and applied to M at the end.
 * Large matrices are cut into bands of rows, each with an orthogonal factor of its own: that is cheaper, and no worse (docs/learning.md).
 * The update is scaled by 0.2 sqrt(max(n_row, n_col)) (Liu+2025), which gives its numbers the size of Adam's updates: one learning rate serves both. */
#ifndef SDN_LEARN_MUON_H
#define SDN_LEARN_MUON_H

#include "base/gemm.h"
#include "base/memory.h"

/* The matrix products of one shape; constant, may be used by any thread at once. */
typedef struct sdn_muon { int n_row, n_col; sdn_gemm *gram, *square, *apply; } sdn_muon;

typedef struct sdn_muon_step {
  float rate, decay;         /* learning rate; weight decay per unit of rate */
  float momentum;
  float scale;               /* of the gradient: clipping */
  float keep;                /* average = keep average + (1 - keep) weight */
} sdn_muon_step;

sdn_status sdn_muon_new(int n_row, int n_col, sdn_muon *m, sdn_err *err);
void sdn_muon_clear(sdn_muon *m);
/* in [n_row][n_col] -> out, close to its orthogonal factor; a zero matrix gives zero. */
sdn_status sdn_muon_orthogonalise(const sdn_muon *m, const float *in, float *out, sdn_arena *arena, sdn_err *err);
/* All [n_row][n_col]; mean is the momentum. A weight whose gradient has always been exactly zero is not used, and does not move. */
sdn_status sdn_muon_update(const sdn_muon *m, const sdn_muon_step *step, const float *gradient, float *weight, float *mean, float *average,
                           sdn_arena *arena, sdn_err *err);

#endif
