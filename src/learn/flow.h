/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The heads "spline" and "affine": a conditional autoregressive flow of T layers. Layer t, in the density direction y -> y', coordinates in the layer's own
 * order, the first coordinate always first; its given numbers are H hidden pre-activations and P map parameters:
 *   h1 = silu(given_h + U y)            unit i sees the first degree(i) coordinates, 1 <= degree < D, ascending
 *   h2 = h1 + silu(b + V h1)            a unit sees units of its own or a lower degree
 *   map parameters of position i = given_p(i) + O(i) h2[degree <= i];   position 0: given alone
 *   y'_i = spline(core_affine(y_i)), without the spline in an affine flow
 * base: after T layers, a standard normal in D dimensions. */
#ifndef SDN_LEARN_FLOW_H
#define SDN_LEARN_FLOW_H

#include "learn/core_affine.h"
#include "learn/head.h"
#include "learn/spline.h"

enum { SDN_FLOW_INPUT, SDN_FLOW_HIDDEN, SDN_FLOW_HIDDEN_BIAS, SDN_FLOW_OUTPUT, SDN_FLOW_N };   /* weights of each layer */

typedef struct sdn_flow {
  int n_free, n_layer, n_hidden;          /* D, T, H (0 where D = 1: a lone coordinate depends on the context alone) */
  int n_out, n_given;                     /* P and H + P, of each layer */
  int n_bin[SDN_MAX_FREE];                /* of each position's spline; 0: none */
  int n_raw[SDN_MAX_FREE];                /* map parameters of each position: 2 + 3 bins - 1 */
  int out_at[SDN_MAX_FREE];               /* where a position's parameters begin among the P */
  int n_seen[SDN_MAX_FREE];               /* hidden units with degree <= position: what the position may use */
  int order[SDN_MAX_LAYER][SDN_MAX_FREE]; /* coordinate at each position */
  sdn_dense input, hidden;                /* dense over all degrees (masked weights are zero): for training */
  sdn_dense position[SDN_MAX_FREE];       /* output of one position from the units it sees */
  sdn_dense step_input[SDN_MAX_FREE], step_hidden[SDN_MAX_FREE];   /* units of one degree alone: for draws */
} sdn_flow;

/* Weight `which` of layer t. */
static inline const sdn_weight *sdn_flow_weight(const sdn_network *net, int t, int which) { return &net->weight[net->at_head + SDN_FLOW_N * t + which]; }
static inline float *sdn_row(float *a, int i) { return a + (size_t)i * SDN_ROWS; }

/* Scratch of one tile. [T] arrays keep each layer's forward pass for the backward pass. */
typedef struct sdn_flow_work {
  float *y[SDN_MAX_LAYER + 1];            /* [D][SDN_ROWS] what enters layer t, in coordinate order; [T]: base values */
  struct sdn_layer_work {
    float *in, *mid;                      /* [D][SDN_ROWS] in the layer's order: input, after the core affine maps */
    float *h1, *d2, *h2;                  /* [H][SDN_ROWS]; the derivative of h1's silu stays in `given` */
    sdn_core_trace *core;                 /* [D] */
    sdn_spline_trace *spline;             /* [D] */
  } layer[SDN_MAX_LAYER];
  float *by_y, *by_in, *by_mid;           /* [D][SDN_ROWS] */
  float *by_h, *turned;                   /* [H][SDN_ROWS], [SDN_ROWS][max(D, H)] */
} sdn_flow_work;

/* flow.c, flow_gradient.c, flow_sample.c: the entries of head.h */
sdn_status sdn_flow_work_new(const sdn_network *net, sdn_arena *arena, void **work, sdn_err *err);
void sdn_flow_density(const sdn_network *net, const float *weights, void *work, float *given, const float *z, double *ln_q);
void sdn_flow_gradient(const sdn_network *net, const float *weights, void *work, float *given, const float *row_weight, bool add, float *gradient);
void sdn_flow_first(const sdn_network *net, const float *weights, void *work, float *given, const float *z0, double *cdf, double *ln_q);
sdn_status sdn_flow_draw_new(const sdn_network *net, sdn_arena *arena, void **work, sdn_err *err);
void sdn_flow_galaxy(const sdn_network *net, const float *weights, void *work, const float *given, const float *first);
void sdn_flow_draw(const sdn_network *net, const float *weights, void *work, const float *pick, float *y, double *ln_q);

#endif
