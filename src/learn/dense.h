/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A matrix of weights applied to columns of rows, and its two transposes. W [n_out][n_in] is part of a matrix with row length `ld`. */
#ifndef SDN_LEARN_DENSE_H
#define SDN_LEARN_DENSE_H

#include "base/gemm.h"

typedef struct sdn_dense {
  int n_out, n_in;
  sdn_gemm *forward, *forward_add;    /* y [n_out][width] = (+=) W x [n_in][width] */
  sdn_gemm *backward, *backward_add;  /* by_x [n_in][width] = (+=) W^T by_y [n_out][width] */
  sdn_gemm *gradient, *gradient_add;  /* by_W [n_out][n_in], rows ld apart, = (+=) by_y [n_out][width] x_t [width][n_in], rows ld_x apart */
} sdn_dense;

typedef struct sdn_dense_shape { int n_out, n_in, ld, ld_x, width; } sdn_dense_shape;

/* n_out or n_in 0 is legal: then nothing may be run. */
sdn_status sdn_dense_new(const sdn_dense_shape *shape, sdn_dense *d, sdn_err *err);
void sdn_dense_clear(sdn_dense *d);

#endif
