/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a kind of encoder must do: features to context, once per galaxy. A work is taken from an arena and belongs to one tile.
 *   mlp           h0 = silu(W0 x + b0),  h' = h + silu(W h + b) in each hidden layer,  c = W3 h + b3; the default
 *   set           the same of a sum over bands, or over exchangeable points; what is missing has no influence (encoder_set.c)
 *   convolution   the same of strided convolutions along a spectrum's pixels, with the other data beside them (encoder_convolution.c) */
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
extern const sdn_encoder_ops sdn_encoder_mlp, sdn_encoder_set, sdn_encoder_convolution;

/* -- for encoders that take the data as tokens of n_feature / n_token features each -- */

/* err SDN_RANGE: features do not divide among the data. */
sdn_status sdn_check_tokens(const sdn_arch *arch, sdn_err *err);
/* Features x [F][SDN_ROWS] of tokens first .. first + n - 1, each of `group` consecutive data: token [n][F / n_token * group][SDN_ROWS]. */
void sdn_tokens(const sdn_arch *arch, int group, int first, int n, const float *x, float *token);

#endif
