/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <string.h>

#include "learn/activation.h"
#include "learn/flow.h"

typedef struct sdn_layer_work layer_work;

/* Back through the maps of one layer: by_y (coordinate order) -> by_in (layer's order), the given map parameters become their gradient. */
static void maps_backward(const sdn_flow *f, int t, sdn_flow_work *w, const float *by_ln_slope, float *given)
{
  layer_work *l = &w->layer[t];
  for (int i = 0; i < f->n_free; i++) {
    float *raw = sdn_row(given, f->n_hidden + f->out_at[i]), *by_out = sdn_row(w->by_y, f->order[t][i]), *by_mid = sdn_row(w->by_mid, i);
    if (f->n_bin[i] > 0)
      sdn_spline_backward(f->n_bin[i], sdn_row(raw, SDN_CORE_N_RAW), sdn_row(l->mid, i), by_out, by_ln_slope, &l->spline[i], by_mid);
    sdn_core_backward(raw, sdn_row(l->in, i), f->n_bin[i] > 0 ? by_mid : by_out, by_ln_slope, &l->core[i], sdn_row(w->by_in, i));
  }
}

/* From the map parameters' gradient to that of the output weights and of h2. */
static void output_backward(const sdn_network *net, const float *weights, int t, sdn_flow_work *w, float *given, bool add, float *gradient)
{
  const sdn_flow *f = net->head_plan;
  const int h = f->n_hidden;
  const size_t at = sdn_flow_weight(net, t, SDN_FLOW_OUTPUT)->offset;
  sdn_transpose(h, SDN_ROWS, w->layer[t].h2, w->turned);
  for (int i = f->n_free - 1; i > 0; i--) {   /* the last position sees all units: it sets by_h, the others add to it */
    const sdn_dense *p = &f->position[i];
    const size_t block = at + (size_t)f->out_at[i] * (size_t)h;
    const float *by_raw = sdn_row(given, h + f->out_at[i]);
    if (p->n_in == 0) continue;
    sdn_gemm_run(add ? p->gradient_add : p->gradient, by_raw, w->turned, gradient + block);
    sdn_gemm_run(i == f->n_free - 1 ? p->backward : p->backward_add, weights + block, by_raw, w->by_h);
  }
}

/* From h2's gradient to that of the hidden and input weights, of the given pre-activations, and of the layer's input. */
static void hidden_backward(const sdn_network *net, const float *weights, int t, sdn_flow_work *w, float *given, bool add, float *gradient)
{
  const sdn_flow *f = net->head_plan;
  const int h = f->n_hidden, d = f->n_free;
  layer_work *l = &w->layer[t];
  const sdn_weight *hidden = sdn_flow_weight(net, t, SDN_FLOW_HIDDEN), *input = sdn_flow_weight(net, t, SDN_FLOW_INPUT);
  sdn_silu_backward(h, w->by_h, l->d2);
  sdn_transpose(h, SDN_ROWS, l->h1, w->turned);
  sdn_gemm_run(add ? f->hidden.gradient_add : f->hidden.gradient, l->d2, w->turned, gradient + hidden->offset);
  sdn_row_sums(h, l->d2, add, gradient + sdn_flow_weight(net, t, SDN_FLOW_HIDDEN_BIAS)->offset);
  sdn_gemm_run(f->hidden.backward_add, weights + hidden->offset, l->d2, w->by_h);

  sdn_silu_backward(h, w->by_h, given);
  sdn_transpose(d, SDN_ROWS, l->in, w->turned);
  sdn_gemm_run(add ? f->input.gradient_add : f->input.gradient, given, w->turned, gradient + input->offset);
  sdn_gemm_run(f->input.backward_add, weights + input->offset, given, w->by_in);
}

void sdn_flow_gradient(const sdn_network *net, const float *weights, void *work, float *given, const float *row_weight, bool add, float *gradient)
{
  const sdn_flow *f = net->head_plan;
  const int d = f->n_free;
  sdn_flow_work *w = work;
  float by_ln_slope[SDN_ROWS];
  for (int r = 0; r < SDN_ROWS; r++) by_ln_slope[r] = -row_weight[r];
  for (int i = 0; i < d; i++)
    for (int r = 0; r < SDN_ROWS; r++) w->by_y[i * SDN_ROWS + r] = row_weight[r] * w->y[f->n_layer][i * SDN_ROWS + r];
  for (int t = f->n_layer - 1; t >= 0; t--) {
    float *own = sdn_row(given, t * f->n_given);
    maps_backward(f, t, w, by_ln_slope, own);
    if (f->n_hidden > 0) {
      output_backward(net, weights, t, w, own, add, gradient);
      hidden_backward(net, weights, t, w, own, add, gradient);
    }
    for (int i = 0; i < d; i++) memcpy(sdn_row(w->by_y, f->order[t][i]), sdn_row(w->by_in, i), SDN_ROWS * sizeof(float));
  }
}
