/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/encoder.h"
#include "learn/mlp.h"

typedef struct mlp_work {
  float *x;                       /* [F][SDN_ROWS] */
  sdn_mlp_work mlp;
} mlp_work;

static void release(void *of)
{
  if (of) sdn_mlp_clear(of);
  sdn_release(of);
}

static sdn_status make(sdn_network *net, sdn_err *err)
{
  sdn_mlp *p = net->encoder_plan = sdn_alloc(1, sizeof *p, "an encoder", err);
  return p ? sdn_mlp_make(&net->arch, net->arch.n_feature, p, err) : err->status;
}

static void list_weights(sdn_network *net) { sdn_mlp_list_weights(net, net->encoder_plan); }

static sdn_status work_new(const sdn_network *net, sdn_arena *arena, void **out, sdn_err *err)
{
  mlp_work *w = *out = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w || !(w->x = sdn_arena_take(arena, (size_t)net->arch.n_feature * SDN_ROWS, sizeof *w->x, err))) return err->status;
  return sdn_mlp_work_new(&net->arch, arena, &w->mlp, err);
}

static void forward(const sdn_network *net, const float *weights, void *work, const float *x_t, float *context)
{
  mlp_work *w = work;
  sdn_transpose(SDN_ROWS, net->arch.n_feature, x_t, w->x);
  sdn_mlp_forward(net, net->encoder_plan, weights, &w->mlp, w->x, context);
}

static void backward(const sdn_network *net, const float *weights, void *work, const float *x_t, const float *by_context, bool add, float *gradient)
{
  mlp_work *w = work;
  sdn_mlp_backward(net, net->encoder_plan, weights, &w->mlp, x_t, by_context, add, gradient, NULL);
}

const sdn_encoder_ops sdn_encoder_mlp = {
  .name = "mlp", .make = make, .list_weights = list_weights, .release = release, .work_new = work_new, .forward = forward, .backward = backward};
