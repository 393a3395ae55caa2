/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Monotone rational-quadratic spline with n_bin bins on [-b, b], the identity outside, for SDN_ROWS rows at once (Durkan+2019).
 * Raw numbers, [3 n_bin - 1][SDN_ROWS]: n_bin widths, n_bin heights (softmax, each bin at least SDN_SPLINE_MIN_BIN of the whole), n_bin - 1 inner
 * slopes (softplus, shifted so that 0 gives slope 1). All raw numbers 0: the identity. */
#ifndef SDN_LEARN_SPLINE_H
#define SDN_LEARN_SPLINE_H

#include <stdbool.h>
#include <stddef.h>

#include "learn/kernel.h"

#define SDN_SPLINE_BOUND 5.0f       /* b */
#define SDN_SPLINE_MIN_BIN 1e-3f    /* smallest width and height of a bin, of the whole */
#define SDN_SPLINE_MIN_SLOPE 1e-3f

static inline int sdn_spline_n_raw(int n_bin) { return 3 * n_bin - 1; }

/* The bin that each row fell into, and what else the backward pass needs of the forward pass. */
typedef struct sdn_spline_trace {
  float x0[SDN_ROWS], w[SDN_ROWS], y0[SDN_ROWS], h[SDN_ROWS], d0[SDN_ROWS], d1[SDN_ROWS];
  float raw0[SDN_ROWS], raw1[SDN_ROWS];     /* raw numbers of the slopes at the bin's ends */
  float bin[SDN_ROWS];                      /* its index; -1 outside [-b, b] */
  float inv_sum_w[SDN_ROWS], inv_sum_h[SDN_ROWS];   /* 1 / sum of e^raw */
} sdn_spline_trace;

/* bias [3 n_bin - 1] is added to raw, whose widths and heights are left as e^raw. ln_slope += ln(dy/dx). */
void sdn_spline_forward(int n_bin, float *raw, const float *bias, const float *x, float *y, double *ln_slope, sdn_spline_trace *trace);
/* by_y and by_ln_slope -> by_x; raw (as forward left it) becomes dL/draw. */
void sdn_spline_backward(int n_bin, float *raw, const float *x, const float *by_y, const float *by_ln_slope, const sdn_spline_trace *trace,
                         float *by_x);
/* y -> x; ln_slope += ln(dy/dx) at x. raw as in forward. */
void sdn_spline_inverse(int n_bin, float *raw, const float *bias, const float *y, float *x, double *ln_slope, sdn_spline_trace *scratch);

#define SDN_SPLINE_MAX_BIN 128
/* One spline for all rows, worked out once: from raw numbers [3 n_bin - 1], bias included. */
typedef struct sdn_knots { int n_bin; float x[SDN_SPLINE_MAX_BIN + 1], y[SDN_SPLINE_MAX_BIN + 1], slope[SDN_SPLINE_MAX_BIN + 1]; } sdn_knots;
void sdn_knots_make(int n_bin, const float *raw, sdn_knots *k);
/* y -> x; ln_slope += ln(dy/dx) at x. [SDN_ROWS] */
void sdn_knots_inverse(const sdn_knots *k, const float *y, float *x, double *ln_slope);

#endif
