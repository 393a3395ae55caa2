/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Features to context, once per galaxy:  h0 = silu(W0 x + b0),  h' = h + silu(W h + b) in each hidden layer,  c = W3 h + b3,  head = W4 c.
 * The head's bias is added by those who read the head. SDN_ROWS galaxies side by side. */
#ifndef SDN_LEARN_ENCODER_H
#define SDN_LEARN_ENCODER_H

#include "learn/network.h"

/* Scratch of one tile, from its worker's arena. */
typedef struct sdn_encoder_work {
  float *x_t;                 /* [SDN_ROWS][F] standardised features: input */
  float *x;                   /* [F][SDN_ROWS] */
  float *d[SDN_ENCODER_DEPTH + 1], *h[SDN_ENCODER_DEPTH + 1];   /* [E][SDN_ROWS] derivatives of silu, hidden units of each layer */
  float *context;             /* [C][SDN_ROWS] */
  float *head;                /* [T (H + P)][SDN_ROWS]: output */
  float *turned, *by_c, *by_h;   /* backward: [SDN_ROWS][max(E, C)], [C][SDN_ROWS], [E][SDN_ROWS] */
} sdn_encoder_work;

sdn_status sdn_encoder_work_new(const sdn_network *net, sdn_arena *arena, sdn_encoder_work *w, sdn_err *err);
void sdn_encoder_forward(const sdn_network *net, const float *weights, sdn_encoder_work *w);
/* After forward; head holds dL/dhead. Gradients of the encoder's, the context's and their biases' weights are set in the block `gradient`
 * (or added to it). */
void sdn_encoder_backward(const sdn_network *net, const float *weights, sdn_encoder_work *w, bool add, float *gradient);

#endif
