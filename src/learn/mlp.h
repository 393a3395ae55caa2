/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The residual network that ends every encoder: h0 = silu(W0 x + b0), h' = h + silu(W h + b) in each of arch.n_depth hidden layers, context = W3 h + b3.
 * Its weights stand together in the network's table, as encoder/input, encoder/hidden0 ..., encoder/output, each matrix followed by its bias. */
#ifndef SDN_LEARN_MLP_H
#define SDN_LEARN_MLP_H

#include "learn/network.h"

typedef struct sdn_mlp {
  int n_in, at;                   /* inputs; where its weights begin in the table, set by sdn_mlp_list_weights */
  sdn_dense input, hidden, output;
} sdn_mlp;

typedef struct sdn_mlp_work {
  float *d[SDN_MAX_DEPTH + 1], *h[SDN_MAX_DEPTH + 1];   /* [E][SDN_ROWS] derivatives of silu, hidden units of each layer */
  float *turned, *by_h;                                 /* backward: [SDN_ROWS][E], [E][SDN_ROWS] */
} sdn_mlp_work;

/* err SDN_RANGE: sizes that cannot be. A block of zeros may be cleared. */
sdn_status sdn_mlp_make(const sdn_arch *arch, int n_in, sdn_mlp *mlp, sdn_err *err);
void sdn_mlp_clear(sdn_mlp *mlp);
void sdn_mlp_list_weights(sdn_network *net, sdn_mlp *mlp);
sdn_status sdn_mlp_work_new(const sdn_arch *arch, sdn_arena *arena, sdn_mlp_work *work, sdn_err *err);
/* x [n_in][SDN_ROWS] -> context [C][SDN_ROWS] */
void sdn_mlp_forward(const sdn_network *net, const sdn_mlp *mlp, const float *weights, sdn_mlp_work *work, const float *x, float *context);
/* After forward, with x_t [SDN_ROWS][n_in]: gradients of its weights, and by_x [n_in][SDN_ROWS] unless it is NULL. */
void sdn_mlp_backward(const sdn_network *net, const sdn_mlp *mlp, const float *weights, sdn_mlp_work *work, const float *x_t, const float *by_context, bool add,
                      float *gradient, float *by_x);

#endif
