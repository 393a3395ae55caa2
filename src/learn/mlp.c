/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/mlp.h"

#include <math.h>
#include <stdio.h>

#include "learn/activation.h"

/* Where its weights stand, from mlp->at on. */
enum { INPUT = 0, HIDDEN = 2 };
static int output_at(const sdn_network *net) { return HIDDEN + 2 * net->arch.n_depth; }

void sdn_mlp_clear(sdn_mlp *mlp)
{
  sdn_dense_clear(&mlp->input);
  sdn_dense_clear(&mlp->hidden);
  sdn_dense_clear(&mlp->output);
}

sdn_status sdn_mlp_make(const sdn_arch *arch, int n_in, sdn_mlp *mlp, sdn_err *err)
{
  const int e = arch->n_encoder, c = arch->n_context;
  const sdn_dense_shape input = {e, n_in, n_in, n_in, SDN_ROWS}, hidden = {e, e, e, e, SDN_ROWS}, output = {c, e, e, e, SDN_ROWS};
  if (sdn_check_size("n_encoder", e, 1, SDN_MAX_WIDTH, err) || sdn_check_size("n_depth", arch->n_depth, 0, SDN_MAX_DEPTH, err)) return err->status;
  mlp->n_in = n_in;
  if (sdn_dense_new(&input, &mlp->input, err) || sdn_dense_new(&hidden, &mlp->hidden, err)) return err->status;
  return sdn_dense_new(&output, &mlp->output, err);
}

void sdn_mlp_list_weights(sdn_network *net, sdn_mlp *mlp)
{
  const sdn_arch *a = &net->arch;
  const float gain = SDN_SILU_GAIN / sqrtf((float)a->n_encoder);
  char name[48];
  mlp->at = net->n_weight;
  sdn_add_weight(net, "encoder/input", a->n_encoder, mlp->n_in, 1.0f / sqrtf((float)mlp->n_in));
  sdn_add_weight(net, "encoder/input_bias", a->n_encoder, 0, 0);
  for (int i = 0; i < a->n_depth; i++) {
    snprintf(name, sizeof name, "encoder/hidden%d", i);
    sdn_add_weight(net, name, a->n_encoder, a->n_encoder, gain);
    snprintf(name, sizeof name, "encoder/hidden%d_bias", i);
    sdn_add_weight(net, name, a->n_encoder, 0, 0);
  }
  sdn_add_weight(net, "encoder/output", a->n_context, a->n_encoder, gain);
  sdn_add_weight(net, "encoder/output_bias", a->n_context, 0, 0);
}

sdn_status sdn_mlp_work_new(const sdn_arch *arch, sdn_arena *arena, sdn_mlp_work *w, sdn_err *err)
{
  const size_t n = (size_t)arch->n_encoder * SDN_ROWS;
  if (!(w->turned = sdn_arena_take(arena, n, sizeof(float), err)) || !(w->by_h = sdn_arena_take(arena, n, sizeof(float), err))) return err->status;
  for (int i = 0; i <= arch->n_depth; i++)
    if (!(w->d[i] = sdn_arena_take(arena, n, sizeof(float), err)) || !(w->h[i] = sdn_arena_take(arena, n, sizeof(float), err))) return err->status;
  return SDN_OK;
}

static const float *block(const sdn_network *net, const sdn_mlp *mlp, const float *weights, int which) { return weights + net->weight[mlp->at + which].offset; }

void sdn_mlp_forward(const sdn_network *net, const sdn_mlp *mlp, const float *weights, sdn_mlp_work *w, const float *x, float *context)
{
  const int e = net->arch.n_encoder, depth = net->arch.n_depth, output = output_at(net);
  sdn_gemm_run(mlp->input.forward, block(net, mlp, weights, INPUT), x, w->d[0]);
  sdn_silu_forward(e, w->d[0], block(net, mlp, weights, INPUT + 1), NULL, w->h[0]);
  for (int i = 0; i < depth; i++) {
    const int which = HIDDEN + 2 * i;
    sdn_gemm_run(mlp->hidden.forward, block(net, mlp, weights, which), w->h[i], w->d[i + 1]);
    sdn_silu_forward(e, w->d[i + 1], block(net, mlp, weights, which + 1), w->h[i], w->h[i + 1]);
  }
  sdn_gemm_run(mlp->output.forward, block(net, mlp, weights, output), w->h[depth], context);
  sdn_add_bias(net->arch.n_context, block(net, mlp, weights, output + 1), context);
}

void sdn_mlp_backward(const sdn_network *net, const sdn_mlp *mlp, const float *weights, sdn_mlp_work *w, const float *x_t, const float *by_context, bool add,
                      float *gradient, float *by_x)
{
  const int e = net->arch.n_encoder, depth = net->arch.n_depth, output = output_at(net);
  sdn_transpose(e, SDN_ROWS, w->h[depth], w->turned);
  sdn_dense_gradient(net, &mlp->output, mlp->at + output, by_context, w->turned, add, gradient);
  sdn_gemm_run(mlp->output.backward, block(net, mlp, weights, output), by_context, w->by_h);
  for (int i = depth - 1; i >= 0; i--) {
    const int which = HIDDEN + 2 * i;
    sdn_silu_backward(e, w->by_h, w->d[i + 1]);
    sdn_transpose(e, SDN_ROWS, w->h[i], w->turned);
    sdn_dense_gradient(net, &mlp->hidden, mlp->at + which, w->d[i + 1], w->turned, add, gradient);
    sdn_gemm_run(mlp->hidden.backward_add, block(net, mlp, weights, which), w->d[i + 1], w->by_h);   /* added: h also goes straight on */
  }
  sdn_silu_backward(e, w->by_h, w->d[0]);
  sdn_dense_gradient(net, &mlp->input, mlp->at + INPUT, w->d[0], x_t, add, gradient);
  if (by_x) sdn_gemm_run(mlp->input.backward, block(net, mlp, weights, INPUT), w->d[0], by_x);
}
