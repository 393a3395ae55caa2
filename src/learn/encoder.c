/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/encoder.h"

#include "learn/activation.h"

sdn_status sdn_encoder_work_new(const sdn_network *net, sdn_arena *arena, sdn_encoder_work *w, sdn_err *err)
{
  const sdn_arch *a = &net->arch;
  const int e = a->n_encoder, f = a->n_feature, c = a->n_context;
  const struct { float **to; int n; } parts[] = {
    {&w->x_t, f}, {&w->x, f}, {&w->context, c}, {&w->head, a->n_layer * net->n_head}, {&w->turned, e > c ? e : c}, {&w->by_c, c}, {&w->by_h, e}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, (size_t)parts[i].n * SDN_ROWS, sizeof(float), err))) return err->status;
  for (int i = 0; i <= SDN_ENCODER_DEPTH; i++)
    if (!(w->d[i] = sdn_arena_take(arena, (size_t)e * SDN_ROWS, sizeof(float), err)) ||
        !(w->h[i] = sdn_arena_take(arena, (size_t)e * SDN_ROWS, sizeof(float), err)))
      return err->status;
  return SDN_OK;
}

static const float *block(const sdn_network *net, const float *weights, int which) { return weights + net->weight[which].offset; }

void sdn_encoder_forward(const sdn_network *net, const float *weights, sdn_encoder_work *w)
{
  const int e = net->arch.n_encoder;
  sdn_transpose(SDN_ROWS, net->arch.n_feature, w->x_t, w->x);
  sdn_gemm_run(net->encoder_input.forward, block(net, weights, SDN_W_ENCODER_INPUT), w->x, w->d[0]);
  sdn_silu_forward(e, w->d[0], block(net, weights, SDN_W_ENCODER_INPUT_BIAS), NULL, w->h[0]);
  for (int i = 0; i < SDN_ENCODER_DEPTH; i++) {
    const int which = SDN_W_ENCODER_HIDDEN + 2 * i;
    sdn_gemm_run(net->encoder_hidden.forward, block(net, weights, which), w->h[i], w->d[i + 1]);
    sdn_silu_forward(e, w->d[i + 1], block(net, weights, which + 1), w->h[i], w->h[i + 1]);
  }
  sdn_gemm_run(net->encoder_output.forward, block(net, weights, SDN_W_ENCODER_OUTPUT), w->h[SDN_ENCODER_DEPTH], w->context);
  sdn_add_bias(net->arch.n_context, block(net, weights, SDN_W_ENCODER_OUTPUT_BIAS), w->context);
  sdn_gemm_run(net->context.forward, block(net, weights, SDN_W_CONTEXT), w->context, w->head);
}

/* Gradient of a matrix, and of the bias that follows it in the table, from by_y [n_out][SDN_ROWS] and the layer's input x_t [SDN_ROWS][n_in]. */
static void weight_gradients(const sdn_network *net, const sdn_dense *d, int weight, const float *by_y, const float *x_t, bool add, float *gradient)
{
  sdn_gemm_run(add ? d->gradient_add : d->gradient, by_y, x_t, gradient + net->weight[weight].offset);
  sdn_row_sums(d->n_out, by_y, add, gradient + net->weight[weight + 1].offset);
}

void sdn_encoder_backward(const sdn_network *net, const float *weights, sdn_encoder_work *w, bool add, float *gradient)
{
  const int e = net->arch.n_encoder, c = net->arch.n_context;
  sdn_transpose(c, SDN_ROWS, w->context, w->turned);
  weight_gradients(net, &net->context, SDN_W_CONTEXT, w->head, w->turned, add, gradient);
  sdn_gemm_run(net->context.backward, block(net, weights, SDN_W_CONTEXT), w->head, w->by_c);

  sdn_transpose(e, SDN_ROWS, w->h[SDN_ENCODER_DEPTH], w->turned);
  weight_gradients(net, &net->encoder_output, SDN_W_ENCODER_OUTPUT, w->by_c, w->turned, add, gradient);
  sdn_gemm_run(net->encoder_output.backward, block(net, weights, SDN_W_ENCODER_OUTPUT), w->by_c, w->by_h);

  for (int i = SDN_ENCODER_DEPTH - 1; i >= 0; i--) {
    const int which = SDN_W_ENCODER_HIDDEN + 2 * i;
    sdn_silu_backward(e, w->by_h, w->d[i + 1]);
    sdn_transpose(e, SDN_ROWS, w->h[i], w->turned);
    weight_gradients(net, &net->encoder_hidden, which, w->d[i + 1], w->turned, add, gradient);
    sdn_gemm_run(net->encoder_hidden.backward_add, block(net, weights, which), w->d[i + 1], w->by_h);   /* added: h also goes straight on */
  }

  sdn_silu_backward(e, w->by_h, w->d[0]);
  weight_gradients(net, &net->encoder_input, SDN_W_ENCODER_INPUT, w->d[0], w->x_t, add, gradient);
}
