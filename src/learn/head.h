/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a kind of head must do. `given` [G][SDN_ROWS] comes without its bias, which lies at sdn_given_bias. A work is taken from an arena and belongs to one
 * tile or to one worker's draws.
 *   spline    autoregressive flow, an affine map and a monotone spline per coordinate (flow.h); the default
 *   affine    the same without splines: a masked affine autoregressive flow
 *   mixture   Gaussians with full covariances (head_mixture.c)
 *   coupling  coupling layers of splines (head_coupling.c) */
#ifndef SDN_LEARN_HEAD_H
#define SDN_LEARN_HEAD_H

#include "learn/network.h"

struct sdn_head_ops {
  const char *name;
  bool picks;                       /* draws need a uniform number each */
  /* Sets net->n_given, makes net->head_plan. err SDN_RANGE: sizes that cannot be. */
  sdn_status (*make)(sdn_network *net, sdn_err *err);
  void (*list_weights)(sdn_network *net);                       /* by sdn_add_weight, from net->at_head on */
  void (*release)(void *plan);                                  /* NULL is legal */
  void (*initialise)(const sdn_network *net, float *weights);   /* after every matrix has been filled with normals of its own size */
  void (*mask)(const sdn_network *net, float *block);           /* NULL: nothing is forbidden */
  sdn_status (*work_new)(const sdn_network *net, sdn_arena *arena, void **work, sdn_err *err);
  void (*density)(const sdn_network *net, const float *weights, void *work, float *given, const float *z, double *ln_q);
  /* After density: given becomes dL/dgiven. */
  void (*gradient)(const sdn_network *net, const float *weights, void *work, float *given, const float *row_weight, bool add, float *gradient);
  void (*first)(const sdn_network *net, const float *weights, void *work, float *given, const float *z0, double *cdf, double *ln_q);
  sdn_status (*draw_new)(const sdn_network *net, sdn_arena *arena, void **work, sdn_err *err);
  void (*galaxy)(const sdn_network *net, const float *weights, void *work, const float *given, const float *first);
  void (*draw)(const sdn_network *net, const float *weights, void *work, const float *pick, float *y, double *ln_q);
};

extern const sdn_head_ops *const sdn_heads[SDN_N_HEAD];   /* by sdn_head_kind */
extern const sdn_head_ops sdn_head_spline, sdn_head_affine, sdn_head_mixture, sdn_head_coupling;

static inline const float *sdn_given_bias(const sdn_network *net, const float *weights) { return weights + net->weight[net->at_context + 1].offset; }

#endif
