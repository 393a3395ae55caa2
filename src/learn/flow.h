/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ln q(z | x) and its gradient for a tile of SDN_ROWS galaxies; draws from q. The network's formulas: network.h. */
#ifndef SDN_LEARN_FLOW_H
#define SDN_LEARN_FLOW_H

#include "learn/core_affine.h"
#include "learn/encoder.h"
#include "learn/spline.h"

/* Scratch of one tile, from its worker's arena. [T] arrays keep each layer's forward pass for the backward pass. */
typedef struct sdn_flow_work {
  sdn_encoder_work encoder;
  float *y[SDN_MAX_LAYER + 1];      /* [D][SDN_ROWS] what enters layer t, in coordinate order; [T]: base values */
  struct sdn_layer_work {
    float *in, *mid;                /* [D][SDN_ROWS] in the layer's order: input, after the core affine maps */
    float *h1, *d2, *h2;            /* [H][SDN_ROWS]; the derivative of h1's silu stays in the head */
    sdn_core_trace *core;           /* [D] */
    sdn_spline_trace *spline;       /* [D] */
  } layer[SDN_MAX_LAYER];
  float *by_y, *by_in, *by_mid;     /* [D][SDN_ROWS] */
  float *by_h, *turned;             /* [H][SDN_ROWS], [SDN_ROWS][max(D, H)] */
  double *ln_slope;                 /* [SDN_ROWS] */
} sdn_flow_work;

sdn_status sdn_flow_work_new(const sdn_network *net, sdn_arena *arena, sdn_flow_work *w, sdn_err *err);
/* w->encoder.x_t [SDN_ROWS][F] and w->y[0] [D][SDN_ROWS] are set -> ln_q [SDN_ROWS] = ln q(z | x). */
void sdn_flow_density(const sdn_network *net, const float *weights, sdn_flow_work *w, double *ln_q);
/* After sdn_flow_density: the gradient of sum_r weight_r (-ln q_r), row_weight [SDN_ROWS], is set in the block `gradient` (or added to it).
 * Forbidden weights may get a gradient: sdn_network_mask_layers takes it away. Numbers between the matrices are not written. */
void sdn_flow_gradient(const sdn_network *net, const float *weights, sdn_flow_work *w, const float *row_weight, bool add, float *gradient);

/* -- sampling -- */

/* What one galaxy's draws share. */
typedef struct sdn_galaxy_head {
  float *head;            /* [T][H + P] with its biases */
  sdn_knots *first;       /* [T] the first coordinate's splines */
  float *known;           /* [T + 1] the first coordinate before each layer and after the last, where it is given; or NULL */
} sdn_galaxy_head;

typedef struct sdn_draw_work {
  float *y, *in, *mid;    /* [D][SDN_ROWS] coordinate order; layer's order */
  float *h1, *h2, *pre;   /* [H][SDN_ROWS] */
  float *raw;             /* [most raw numbers of a position][SDN_ROWS] */
  sdn_spline_trace *scratch;
} sdn_draw_work;

sdn_status sdn_galaxy_head_new(const sdn_network *net, sdn_arena *arena, sdn_galaxy_head *g, sdn_err *err);
sdn_status sdn_draw_work_new(const sdn_network *net, sdn_arena *arena, sdn_draw_work *w, sdn_err *err);
/* From one galaxy's row of the head, g->head [T][H + P] filled in without biases. */
void sdn_galaxy_head_finish(const sdn_network *net, const float *weights, sdn_galaxy_head *g);
/* SDN_ROWS draws: w->y holds base values and becomes z; ln_q [SDN_ROWS], of all coordinates or of all but the known first. */
void sdn_flow_draw(const sdn_network *net, const float *weights, const sdn_galaxy_head *g, sdn_draw_work *w, double *ln_q);
/* After sdn_encoder_forward: the first coordinate z0 [SDN_ROWS] of each galaxy through all layers, chain [T + 1][SDN_ROWS], chain[0] = z0.
 * The head's rows of the first coordinate are used up. */
void sdn_flow_first(const sdn_network *net, const float *weights, float *head, const float *z0, float *chain);

#endif
