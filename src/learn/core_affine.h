/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An affine map that leaves the tails alone: a three-bin monotone rational-quadratic spline with the knots
 *   (-B, -B, slope 1)  (mu - k s, -k, slope 1/s)  (mu + k s, k, slope 1/s)  (B, B, slope 1)
 * is exactly (x - mu) / s between the middle two and the identity beyond +-B. A plain affine map would change the density far out, where the
 * network has seen nothing: importance weights against the prior would be unbounded there.
 *   mu = r0 / sqrt(1 + (r0/M)^2), |mu| < M;   ln s = r1 / (1 + |r1|/L), L differing for the signs of r1.   Raw numbers 0: the identity. */
#ifndef SDN_LEARN_CORE_AFFINE_H
#define SDN_LEARN_CORE_AFFINE_H

#include "learn/kernel.h"

#define SDN_CORE_N_RAW 2
#define SDN_CORE_BOUND 10.0f      /* B; a standard normal leaves it once in 1e23 */
#define SDN_CORE_HALF 4.0f        /* k; 6e-5 of a unit normal lie outside */
#define SDN_CORE_MAX_SHIFT 4.5f   /* M; M + k exp(L+) < B keeps the knots in order */
#define SDN_CORE_LN_SMALLEST 6.0f /* L-: s > e^-6 = 0.0025 in every layer */
#define SDN_CORE_LN_LARGEST 0.25f /* L+ */

/* What the backward pass needs of the forward pass. */
typedef struct sdn_core_trace { float mu[SDN_ROWS], s[SDN_ROWS], by_mu[SDN_ROWS], by_ln_s[SDN_ROWS]; } sdn_core_trace;

/* All arrays [SDN_ROWS]; raw [2][SDN_ROWS], to which bias [2] is added. ln_slope += ln(dy/dx). */
void sdn_core_forward(const float *raw, const float *bias, const float *x, float *y, double *ln_slope, sdn_core_trace *trace);
/* by_y and by_ln_slope -> by_x; raw becomes dL/draw. */
void sdn_core_backward(float *raw, const float *x, const float *by_y, const float *by_ln_slope, const sdn_core_trace *trace, float *by_x);
/* y -> x; ln_slope += ln(dy/dx) at x. */
void sdn_core_inverse(const float *raw, const float *bias, const float *y, float *x, double *ln_slope);

#endif
