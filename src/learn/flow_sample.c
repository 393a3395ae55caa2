/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws: base values go back through the layers, coordinate by coordinate. Each hidden unit is worked out once, as soon as the coordinates that it
 * sees are known, and all that depends on the galaxy alone stands ready in its head. ln q comes with the draw. */
#include <string.h>

#include "learn/activation.h"
#include "learn/flow.h"

#define LN_SQRT_2PI 0.91893853320467274178

static float *row(float *a, int i) { return a + (size_t)i * SDN_ROWS; }

sdn_status sdn_galaxy_head_new(const sdn_network *net, sdn_arena *arena, sdn_galaxy_head *g, sdn_err *err)
{
  const size_t t = (size_t)net->arch.n_layer;
  g->known = NULL;
  g->head = sdn_arena_take(arena, t * (size_t)net->n_head, sizeof *g->head, err);
  g->first = g->head ? sdn_arena_take(arena, t, sizeof *g->first, err) : NULL;
  return g->first ? SDN_OK : err->status;
}

sdn_status sdn_draw_work_new(const sdn_network *net, sdn_arena *arena, sdn_draw_work *w, sdn_err *err)
{
  const size_t d = (size_t)net->arch.n_free, h = (size_t)net->arch.n_hidden, p = (size_t)net->n_raw[net->arch.n_free - 1];
  const struct { float **to; size_t n; } parts[] = {{&w->y, d}, {&w->in, d}, {&w->mid, d}, {&w->h1, h}, {&w->h2, h}, {&w->pre, h}, {&w->raw, p}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, parts[i].n * SDN_ROWS, sizeof(float), err))) return err->status;
  w->scratch = sdn_arena_take(arena, 1, sizeof *w->scratch, err);
  return w->scratch ? SDN_OK : err->status;
}

void sdn_galaxy_head_finish(const sdn_network *net, const float *weights, sdn_galaxy_head *g)
{
  const float *bias = weights + net->weight[SDN_W_CONTEXT_BIAS].offset;
  for (int i = 0; i < net->arch.n_layer * net->n_head; i++) g->head[i] += bias[i];
  for (int t = 0; t < net->arch.n_layer; t++)
    sdn_knots_make(net->arch.n_bin_first, g->head + t * net->n_head + net->arch.n_hidden + SDN_CORE_N_RAW, &g->first[t]);
}

/* The first coordinate: the same maps for all draws. */
static void draw_first(const sdn_network *net, const sdn_galaxy_head *g, int t, sdn_draw_work *w, double *ln_slope)
{
  const float *raw = g->head + t * net->n_head + net->arch.n_hidden;
  if (g->known) {
    for (int r = 0; r < SDN_ROWS; r++) w->in[r] = g->known[t];
    return;
  }
  for (int i = 0; i < SDN_CORE_N_RAW; i++)
    for (int r = 0; r < SDN_ROWS; r++) w->raw[i * SDN_ROWS + r] = 0;
  sdn_knots_inverse(&g->first[t], w->y, w->mid, ln_slope);
  sdn_core_inverse(w->raw, raw, w->mid, w->in, ln_slope);
}

/* Hidden units that see the first i coordinates and no more. */
static void hidden_step(const sdn_network *net, const float *weights, const float *head, int t, int i, sdn_draw_work *w)
{
  const int d = net->arch.n_free, h = net->arch.n_hidden, first = net->n_seen[i - 1], n = net->n_seen[i] - first;
  const float *input = weights + sdn_layer_weight(net, t, SDN_L_INPUT)->offset, *hidden = weights + sdn_layer_weight(net, t, SDN_L_HIDDEN)->offset;
  const float *bias = weights + sdn_layer_weight(net, t, SDN_L_HIDDEN_BIAS)->offset;
  if (n == 0) return;
  sdn_gemm_run(net->step_input[i].forward, input + (size_t)first * (size_t)d, w->in, w->pre);
  sdn_silu_forward(n, w->pre, head + first, NULL, row(w->h1, first));
  sdn_gemm_run(net->step_hidden[i].forward, hidden + (size_t)first * (size_t)h, w->h1, w->pre);
  sdn_silu_forward(n, w->pre, bias + first, row(w->h1, first), row(w->h2, first));
}

static void draw_position(const sdn_network *net, const float *weights, const float *head, int t, int i, sdn_draw_work *w, double *ln_slope)
{
  const int h = net->arch.n_hidden;
  const float *output = weights + sdn_layer_weight(net, t, SDN_L_OUTPUT)->offset + (size_t)net->out_at[i] * (size_t)h;
  const float *raw_bias = head + h + net->out_at[i], *y = row(w->y, net->order[t][i]);
  hidden_step(net, weights, head, t, i, w);
  if (net->position[i].n_in > 0) sdn_gemm_run(net->position[i].forward, output, w->h2, w->raw);
  else memset(w->raw, 0, (size_t)net->n_raw[i] * SDN_ROWS * sizeof *w->raw);
  sdn_spline_inverse(net->arch.n_bin, row(w->raw, SDN_CORE_N_RAW), raw_bias + SDN_CORE_N_RAW, y, row(w->mid, i), ln_slope, w->scratch);
  sdn_core_inverse(w->raw, raw_bias, row(w->mid, i), row(w->in, i), ln_slope);
}

void sdn_flow_draw(const sdn_network *net, const float *weights, const sdn_galaxy_head *g, sdn_draw_work *w, double *ln_q)
{
  const int d = net->arch.n_free, first_drawn = g->known ? 1 : 0;
  for (int r = 0; r < SDN_ROWS; r++) ln_q[r] = -LN_SQRT_2PI * (d - first_drawn);
  for (int i = first_drawn; i < d; i++)
    for (int r = 0; r < SDN_ROWS; r++) ln_q[r] -= 0.5 * (double)w->y[i * SDN_ROWS + r] * (double)w->y[i * SDN_ROWS + r];
  for (int t = net->arch.n_layer - 1; t >= 0; t--) {
    draw_first(net, g, t, w, ln_q);
    for (int i = 1; i < d; i++) draw_position(net, weights, g->head + t * net->n_head, t, i, w, ln_q);
    for (int i = 0; i < d; i++) memcpy(row(w->y, net->order[t][i]), row(w->in, i), SDN_ROWS * sizeof(float));
  }
}

void sdn_flow_first(const sdn_network *net, const float *weights, float *head, const float *z0, float *chain)
{
  const int h = net->arch.n_hidden;
  const float *bias = weights + net->weight[SDN_W_CONTEXT_BIAS].offset;
  float mid[SDN_ROWS];
  double ln_slope[SDN_ROWS] = {0};
  sdn_core_trace core;
  sdn_spline_trace spline;
  memcpy(chain, z0, SDN_ROWS * sizeof *chain);
  for (int t = 0; t < net->arch.n_layer; t++) {
    const int at = t * net->n_head + h;
    sdn_core_forward(row(head, at), bias + at, row(chain, t), mid, ln_slope, &core);
    sdn_spline_forward(net->arch.n_bin_first, row(head, at + SDN_CORE_N_RAW), bias + at + SDN_CORE_N_RAW, mid, row(chain, t + 1), ln_slope, &spline);
  }
}
