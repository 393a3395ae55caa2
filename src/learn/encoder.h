/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a kind of encoder must do: features to context, once per galaxy. A work is taken from an arena and belongs to one tile.
 *   mlp       h0 = silu(W0 x + b0),  h' = h + silu(W h + b) in each hidden layer,  c = W3 h + b3; the default */
#ifndef SDN_LEARN_ENCODER_H
#define SDN_LEARN_ENCODER_H

#include "learn/network.h"

struct sdn_encoder_ops {
  const char *name;
  sdn_status (*make)(sdn_network *net, sdn_err *err);           /* makes net->encoder_plan. err SDN_RANGE: sizes that cannot be */
  void (*list_weights)(sdn_network *net);                       /* by sdn_add_weight, from net->at_encoder on */
  void (*release)(void *plan);                                  /* NULL is legal */
  sdn_status (*work_new)(const sdn_network *net, sdn_arena *arena, void **work, sdn_err *err);
  /* x_t [SDN_ROWS][F] -> context [C][SDN_ROWS] */
  void (*forward)(const sdn_network *net, const float *weights, void *work, const float *x_t, float *context);
  /* After forward: by_context [C][SDN_ROWS] -> gradients of the encoder's weights, set in (or added to) the block `gradient`. */
  void (*backward)(const sdn_network *net, const float *weights, void *work, const float *x_t, const float *by_context, bool add, float *gradient);
};

extern const sdn_encoder_ops *const sdn_encoders[SDN_N_ENCODER];   /* by sdn_encoder_kind */
extern const sdn_encoder_ops sdn_encoder_mlp;

#endif
