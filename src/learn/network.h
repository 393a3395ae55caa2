/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network q(z | x): which weights it has, in what order they lie in one block of float32, and the matrix kernels for its shapes.
 *
 *   x [F] features -> encoder -> context c [C]                                        once per galaxy
 *   head = context weights . c : for each of T layers, H hidden pre-activations and P map parameters        once per galaxy
 *   layer t, in the density direction y -> y', coordinates in the layer's own order, redshift always first:
 *     h1 = silu(head_h + U y)             unit i sees the first degree(i) coordinates, 1 <= degree < D, ascending
 *     h2 = h1 + silu(b + V h1)            a unit sees units of its own or a lower degree
 *     map parameters of position i = head_p(i) + O(i) h2[degree <= i];   position 0: head alone
 *     y'_i = spline(core_affine(y_i))
 *   base: after T layers, a standard normal in D dimensions. */
#ifndef SDN_LEARN_NETWORK_H
#define SDN_LEARN_NETWORK_H

#include "base/memory.h"
#include "learn/dense.h"
#include "learn/kernel.h"

#define SDN_MAX_LAYER 16
#define SDN_MAX_FREE 48
#define SDN_ENCODER_DEPTH 3     /* hidden layers of the encoder after its first */

typedef struct sdn_arch { int n_free, n_feature, n_encoder, n_context, n_layer, n_hidden, n_bin, n_bin_first; } sdn_arch;

/* A named matrix in the block of weights. */
typedef struct sdn_weight {
  char name[48];
  int n_row, n_col;          /* n_col 0: a vector [n_row] */
  size_t offset;             /* of the first number, from the start of the block */
  float initial;             /* standard deviation of the initial values */
  bool decays;               /* weight decay acts on it */
} sdn_weight;

/* Each matrix is followed by its bias; the encoder's hidden layers follow one another. */
enum { SDN_W_ENCODER_INPUT, SDN_W_ENCODER_INPUT_BIAS, SDN_W_ENCODER_HIDDEN, SDN_W_ENCODER_OUTPUT = SDN_W_ENCODER_HIDDEN + 2 * SDN_ENCODER_DEPTH,
       SDN_W_ENCODER_OUTPUT_BIAS, SDN_W_CONTEXT, SDN_W_CONTEXT_BIAS, SDN_W_LAYERS };
enum { SDN_L_INPUT, SDN_L_HIDDEN, SDN_L_HIDDEN_BIAS, SDN_L_OUTPUT, SDN_L_N };   /* of each layer: weight SDN_W_LAYERS + SDN_L_N * layer + these */
#define SDN_MAX_WEIGHT (SDN_W_LAYERS + SDN_L_N * SDN_MAX_LAYER)

typedef struct sdn_network {
  sdn_arch arch;
  int n_out, n_head;                      /* P and H + P */
  int n_raw[SDN_MAX_FREE];                /* map parameters of each position: 2 + 3 bins - 1 */
  int out_at[SDN_MAX_FREE];               /* where a position's parameters begin among the P */
  int n_seen[SDN_MAX_FREE];               /* hidden units with degree <= position: what the position may use */
  int order[SDN_MAX_LAYER][SDN_MAX_FREE]; /* coordinate at each position */
  int n_weight;
  sdn_weight weight[SDN_MAX_WEIGHT];
  size_t n_number;                        /* length of the block, padding included */
  sdn_dense encoder_input, encoder_hidden, encoder_output, context;
  sdn_dense layer_input, layer_hidden;    /* dense over all degrees (masked weights are zero): for training */
  sdn_dense position[SDN_MAX_FREE];       /* output of one position from the units it sees */
  sdn_dense step_input[SDN_MAX_FREE], step_hidden[SDN_MAX_FREE];   /* units of one degree alone: for sampling */
} sdn_network;

sdn_status sdn_network_new(const sdn_arch *arch, sdn_network **net, sdn_err *err);
void sdn_network_free(sdn_network *net);
static inline const sdn_weight *sdn_layer_weight(const sdn_network *net, int layer, int which)
{
  return &net->weight[SDN_W_LAYERS + SDN_L_N * layer + which];
}
/* Initial weights, a function of seed and member: the flow starts as the identity, so q starts as the prior. */
void sdn_network_initialise(const sdn_network *net, uint64_t seed, int member, float *weights);
/* Set to zero what the order of coordinates forbids, in weights or in a gradient. */
void sdn_network_mask_layers(const sdn_network *net, float *block);

#endif
