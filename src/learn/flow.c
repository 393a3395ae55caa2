/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/flow.h"

#include <string.h>

#include "learn/activation.h"

#define LN_SQRT_2PI 0.91893853320467274178

typedef struct sdn_layer_work layer_work;

static sdn_status layer_work_new(const sdn_network *net, sdn_arena *arena, layer_work *l, sdn_err *err)
{
  const size_t d = (size_t)net->arch.n_free * SDN_ROWS, h = (size_t)net->arch.n_hidden * SDN_ROWS;
  const struct { float **to; size_t n; } parts[] = {{&l->in, d}, {&l->mid, d}, {&l->h1, h}, {&l->d2, h}, {&l->h2, h}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, parts[i].n, sizeof(float), err))) return err->status;
  l->core = sdn_arena_take(arena, (size_t)net->arch.n_free, sizeof *l->core, err);
  l->spline = l->core ? sdn_arena_take(arena, (size_t)net->arch.n_free, sizeof *l->spline, err) : NULL;
  return l->spline ? SDN_OK : err->status;
}

sdn_status sdn_flow_work_new(const sdn_network *net, sdn_arena *arena, sdn_flow_work *w, sdn_err *err)
{
  const size_t d = (size_t)net->arch.n_free, h = (size_t)net->arch.n_hidden;
  const struct { float **to; size_t n; } parts[] = {
    {&w->by_y, d}, {&w->by_in, d}, {&w->by_mid, d}, {&w->by_h, h}, {&w->turned, d > h ? d : h}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, parts[i].n * SDN_ROWS, sizeof(float), err))) return err->status;
  if (!(w->ln_slope = sdn_arena_take(arena, SDN_ROWS, sizeof(double), err))) return err->status;
  for (int t = 0; t <= net->arch.n_layer; t++)
    if (!(w->y[t] = sdn_arena_take(arena, d * SDN_ROWS, sizeof(float), err))) return err->status;
  for (int t = 0; t < net->arch.n_layer; t++)
    if (layer_work_new(net, arena, &w->layer[t], err)) return err->status;
  return sdn_encoder_work_new(net, arena, &w->encoder, err);
}

static float *row(float *a, int i) { return a + (size_t)i * SDN_ROWS; }

/* One layer's hidden units; the head's pre-activations become derivatives. */
static void hidden_units(const sdn_network *net, const float *weights, int t, layer_work *l, float *head)
{
  const int h = net->arch.n_hidden;
  const float *bias = weights + net->weight[SDN_W_CONTEXT_BIAS].offset + (size_t)t * (size_t)net->n_head;
  if (h == 0) return;
  sdn_gemm_run(net->layer_input.forward_add, weights + sdn_layer_weight(net, t, SDN_L_INPUT)->offset, l->in, head);
  sdn_silu_forward(h, head, bias, NULL, l->h1);
  sdn_gemm_run(net->layer_hidden.forward, weights + sdn_layer_weight(net, t, SDN_L_HIDDEN)->offset, l->h1, l->d2);
  sdn_silu_forward(h, l->d2, weights + sdn_layer_weight(net, t, SDN_L_HIDDEN_BIAS)->offset, l->h1, l->h2);
}

/* The map of position i: its raw numbers are completed in the head, its trace is kept. y_out: where the mapped values go. */
static void map_position(const sdn_network *net, const float *weights, int t, int i, layer_work *l, float *head, double *ln_slope, float *y_out)
{
  const int first = net->arch.n_hidden + net->out_at[i];
  const float *bias = weights + net->weight[SDN_W_CONTEXT_BIAS].offset + (size_t)t * (size_t)net->n_head + first;
  const float *output = weights + sdn_layer_weight(net, t, SDN_L_OUTPUT)->offset + (size_t)net->out_at[i] * (size_t)net->arch.n_hidden;
  float *raw = row(head, first);
  if (net->position[i].n_in > 0) sdn_gemm_run(net->position[i].forward_add, output, l->h2, raw);
  sdn_core_forward(raw, bias, row(l->in, i), row(l->mid, i), ln_slope, &l->core[i]);
  sdn_spline_forward(i == 0 ? net->arch.n_bin_first : net->arch.n_bin, row(raw, SDN_CORE_N_RAW), bias + SDN_CORE_N_RAW, row(l->mid, i), y_out,
                     ln_slope, &l->spline[i]);
}

void sdn_flow_density(const sdn_network *net, const float *weights, sdn_flow_work *w, double *ln_q)
{
  const int d = net->arch.n_free;
  sdn_encoder_forward(net, weights, &w->encoder);
  for (int r = 0; r < SDN_ROWS; r++) ln_q[r] = -LN_SQRT_2PI * d;
  for (int t = 0; t < net->arch.n_layer; t++) {
    layer_work *l = &w->layer[t];
    float *head = row(w->encoder.head, t * net->n_head);
    for (int i = 0; i < d; i++) memcpy(row(l->in, i), row(w->y[t], net->order[t][i]), SDN_ROWS * sizeof(float));
    hidden_units(net, weights, t, l, head);
    for (int i = 0; i < d; i++) map_position(net, weights, t, i, l, head, ln_q, row(w->y[t + 1], net->order[t][i]));
  }
  const float *base = w->y[net->arch.n_layer];
  for (int i = 0; i < d; i++)
    for (int r = 0; r < SDN_ROWS; r++) ln_q[r] -= 0.5 * (double)base[i * SDN_ROWS + r] * (double)base[i * SDN_ROWS + r];
}
