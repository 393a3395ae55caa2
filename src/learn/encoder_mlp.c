/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>

#include "learn/activation.h"
#include "learn/encoder.h"

#define SILU_GAIN 1.6f        /* keeps the variance through x sigmoid(x) */

/* Where its weights stand in the table, from net->at_encoder on; each matrix is followed by its bias. */
enum { INPUT = 0, HIDDEN = 2 };
static int output_at(const sdn_network *net) { return HIDDEN + 2 * net->arch.n_depth; }

typedef struct plan { sdn_dense input, hidden, output; } plan;

typedef struct mlp_work {
  float *x;                                                   /* [F][SDN_ROWS] */
  float *d[SDN_MAX_DEPTH + 1], *h[SDN_MAX_DEPTH + 1];         /* [E][SDN_ROWS] derivatives of silu, hidden units of each layer */
  float *turned, *by_h;                                       /* backward: [SDN_ROWS][E], [E][SDN_ROWS] */
} mlp_work;

static void release(void *of)
{
  plan *p = of;
  if (!p) return;
  sdn_dense_clear(&p->input);
  sdn_dense_clear(&p->hidden);
  sdn_dense_clear(&p->output);
  sdn_release(p);
}

static sdn_status make(sdn_network *net, sdn_err *err)
{
  const int e = net->arch.n_encoder, c = net->arch.n_context, f = net->arch.n_feature;
  const sdn_dense_shape input = {e, f, f, f, SDN_ROWS}, hidden = {e, e, e, e, SDN_ROWS}, output = {c, e, e, e, SDN_ROWS};
  if (sdn_check_size("n_encoder", e, 1, SDN_MAX_WIDTH, err) || sdn_check_size("n_depth", net->arch.n_depth, 0, SDN_MAX_DEPTH, err)) return err->status;
  plan *p = net->encoder_plan = sdn_alloc(1, sizeof *p, "an encoder", err);
  if (!p || sdn_dense_new(&input, &p->input, err) || sdn_dense_new(&hidden, &p->hidden, err)) return err->status;
  return sdn_dense_new(&output, &p->output, err);
}

static void list_weights(sdn_network *net)
{
  const sdn_arch *a = &net->arch;
  const float gain = SILU_GAIN / sqrtf((float)a->n_encoder);
  char name[48];
  sdn_add_weight(net, "encoder/input", a->n_encoder, a->n_feature, 1.0f / sqrtf((float)a->n_feature));
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

static sdn_status work_new(const sdn_network *net, sdn_arena *arena, void **out, sdn_err *err)
{
  const int e = net->arch.n_encoder, f = net->arch.n_feature;
  mlp_work *w = *out = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w) return err->status;
  const struct { float **to; int n; } parts[] = {{&w->x, f}, {&w->turned, e}, {&w->by_h, e}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, (size_t)parts[i].n * SDN_ROWS, sizeof(float), err))) return err->status;
  for (int i = 0; i <= net->arch.n_depth; i++)
    if (!(w->d[i] = sdn_arena_take(arena, (size_t)e * SDN_ROWS, sizeof(float), err)) ||
        !(w->h[i] = sdn_arena_take(arena, (size_t)e * SDN_ROWS, sizeof(float), err)))
      return err->status;
  return SDN_OK;
}

static const float *block(const sdn_network *net, const float *weights, int which) { return weights + net->weight[net->at_encoder + which].offset; }

static void forward(const sdn_network *net, const float *weights, void *work, const float *x_t, float *context)
{
  const plan *p = net->encoder_plan;
  const int e = net->arch.n_encoder, depth = net->arch.n_depth, output = output_at(net);
  mlp_work *w = work;
  sdn_transpose(SDN_ROWS, net->arch.n_feature, x_t, w->x);
  sdn_gemm_run(p->input.forward, block(net, weights, INPUT), w->x, w->d[0]);
  sdn_silu_forward(e, w->d[0], block(net, weights, INPUT + 1), NULL, w->h[0]);
  for (int i = 0; i < depth; i++) {
    const int which = HIDDEN + 2 * i;
    sdn_gemm_run(p->hidden.forward, block(net, weights, which), w->h[i], w->d[i + 1]);
    sdn_silu_forward(e, w->d[i + 1], block(net, weights, which + 1), w->h[i], w->h[i + 1]);
  }
  sdn_gemm_run(p->output.forward, block(net, weights, output), w->h[depth], context);
  sdn_add_bias(net->arch.n_context, block(net, weights, output + 1), context);
}

static void backward(const sdn_network *net, const float *weights, void *work, const float *x_t, const float *by_context, bool add, float *gradient)
{
  const plan *p = net->encoder_plan;
  const int e = net->arch.n_encoder, depth = net->arch.n_depth, output = output_at(net);
  mlp_work *w = work;
  sdn_transpose(e, SDN_ROWS, w->h[depth], w->turned);
  sdn_dense_gradient(net, &p->output, net->at_encoder + output, by_context, w->turned, add, gradient);
  sdn_gemm_run(p->output.backward, block(net, weights, output), by_context, w->by_h);
  for (int i = depth - 1; i >= 0; i--) {
    const int which = HIDDEN + 2 * i;
    sdn_silu_backward(e, w->by_h, w->d[i + 1]);
    sdn_transpose(e, SDN_ROWS, w->h[i], w->turned);
    sdn_dense_gradient(net, &p->hidden, net->at_encoder + which, w->d[i + 1], w->turned, add, gradient);
    sdn_gemm_run(p->hidden.backward_add, block(net, weights, which), w->d[i + 1], w->by_h);   /* added: h also goes straight on */
  }
  sdn_silu_backward(e, w->by_h, w->d[0]);
  sdn_dense_gradient(net, &p->input, net->at_encoder + INPUT, w->d[0], x_t, add, gradient);
}

const sdn_encoder_ops sdn_encoder_mlp = {
  .name = "mlp", .make = make, .list_weights = list_weights, .release = release, .work_new = work_new, .forward = forward, .backward = backward};
