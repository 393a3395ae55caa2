/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/activation.h"
#include "learn/flow.h"

typedef struct sdn_layer_work layer_work;

static float *row(float *a, int i) { return a + (size_t)i * SDN_ROWS; }

/* Back through the maps of one layer: by_y (coordinate order) -> by_in (layer's order), the head's map parameters become their gradient. */
static void maps_backward(const sdn_network *net, int t, sdn_flow_work *w, const float *by_ln_slope, float *head)
{
  layer_work *l = &w->layer[t];
  for (int i = 0; i < net->arch.n_free; i++) {
    float *raw = row(head, net->arch.n_hidden + net->out_at[i]);
    sdn_spline_backward(i == 0 ? net->arch.n_bin_first : net->arch.n_bin, row(raw, SDN_CORE_N_RAW), row(l->mid, i),
                        row(w->by_y, net->order[t][i]), by_ln_slope, &l->spline[i], row(w->by_mid, i));
    sdn_core_backward(raw, row(l->in, i), row(w->by_mid, i), by_ln_slope, &l->core[i], row(w->by_in, i));
  }
}

/* From the map parameters' gradient to that of the output weights and of h2. */
static void output_backward(const sdn_network *net, const float *weights, int t, sdn_flow_work *w, float *head, bool add, float *gradient)
{
  const int h = net->arch.n_hidden;
  const size_t at = sdn_layer_weight(net, t, SDN_L_OUTPUT)->offset;
  sdn_transpose(h, SDN_ROWS, w->layer[t].h2, w->turned);
  for (int i = net->arch.n_free - 1; i > 0; i--) {   /* the last position sees all units: it sets by_h, the others add to it */
    const sdn_dense *p = &net->position[i];
    const size_t block = at + (size_t)net->out_at[i] * (size_t)h;
    const float *by_raw = row(head, h + net->out_at[i]);
    if (p->n_in == 0) continue;
    sdn_gemm_run(add ? p->gradient_add : p->gradient, by_raw, w->turned, gradient + block);
    sdn_gemm_run(i == net->arch.n_free - 1 ? p->backward : p->backward_add, weights + block, by_raw, w->by_h);
  }
}

/* From h2's gradient to that of the hidden and input weights, of the head's pre-activations, and of the layer's input. */
static void hidden_backward(const sdn_network *net, const float *weights, int t, sdn_flow_work *w, float *head, bool add, float *gradient)
{
  const int h = net->arch.n_hidden, d = net->arch.n_free;
  layer_work *l = &w->layer[t];
  const sdn_weight *hidden = sdn_layer_weight(net, t, SDN_L_HIDDEN), *input = sdn_layer_weight(net, t, SDN_L_INPUT);
  sdn_silu_backward(h, w->by_h, l->d2);
  sdn_transpose(h, SDN_ROWS, l->h1, w->turned);
  sdn_gemm_run(add ? net->layer_hidden.gradient_add : net->layer_hidden.gradient, l->d2, w->turned, gradient + hidden->offset);
  sdn_row_sums(h, l->d2, add, gradient + sdn_layer_weight(net, t, SDN_L_HIDDEN_BIAS)->offset);
  sdn_gemm_run(net->layer_hidden.backward_add, weights + hidden->offset, l->d2, w->by_h);

  sdn_silu_backward(h, w->by_h, head);
  sdn_transpose(d, SDN_ROWS, l->in, w->turned);
  sdn_gemm_run(add ? net->layer_input.gradient_add : net->layer_input.gradient, head, w->turned, gradient + input->offset);
  sdn_gemm_run(net->layer_input.backward_add, weights + input->offset, head, w->by_in);
}

void sdn_flow_gradient(const sdn_network *net, const float *weights, sdn_flow_work *w, const float *row_weight, bool add, float *gradient)
{
  const int d = net->arch.n_free, n_layer = net->arch.n_layer;
  float by_ln_slope[SDN_ROWS];
  for (int r = 0; r < SDN_ROWS; r++) by_ln_slope[r] = -row_weight[r];
  for (int i = 0; i < d; i++)
    for (int r = 0; r < SDN_ROWS; r++) w->by_y[i * SDN_ROWS + r] = row_weight[r] * w->y[n_layer][i * SDN_ROWS + r];
  for (int t = n_layer - 1; t >= 0; t--) {
    float *head = row(w->encoder.head, t * net->n_head);
    maps_backward(net, t, w, by_ln_slope, head);
    if (net->arch.n_hidden > 0) {
      output_backward(net, weights, t, w, head, add, gradient);
      hidden_backward(net, weights, t, w, head, add, gradient);
    }
    for (int i = 0; i < d; i++)
      for (int r = 0; r < SDN_ROWS; r++) w->by_y[net->order[t][i] * SDN_ROWS + r] = w->by_in[i * SDN_ROWS + r];
  }
  sdn_encoder_backward(net, weights, &w->encoder, add, gradient);
}
