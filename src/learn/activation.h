/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What happens to activations between matrix products. All arrays [n][SDN_ROWS]. */
#ifndef SDN_LEARN_ACTIVATION_H
#define SDN_LEARN_ACTIVATION_H

#include <stdbool.h>

#define SDN_SILU_GAIN 1.6f    /* of matrices behind a silu: keeps the variance through it */

/* y = silu(a + bias) (+ residual, where it is not NULL), silu(v) = v / (1 + e^-v); a becomes silu's derivative there. bias [n]. */
void sdn_silu_forward(int n, float *a, const float *bias, const float *residual, float *y);
/* derivative becomes dL/da = by_y * derivative. */
void sdn_silu_backward(int n, const float *by_y, float *derivative);
void sdn_add_bias(int n, const float *bias, float *a);
/* out [n] = (or += where add) the sums over each row of a [n][SDN_ROWS]. */
void sdn_row_sums(int n, const float *a, bool add, float *out);

#endif
