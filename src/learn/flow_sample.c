/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws: base values go back through the layers, coordinate by coordinate. Each hidden unit is worked out once, as soon as the coordinates that it
 * sees are known, and all that depends on the galaxy alone stands ready. ln q comes with the draw. */
#include <math.h>
#include <string.h>

#include "learn/activation.h"
#include "learn/flow.h"

#define LN_SQRT_2PI 0.91893853320467274178

typedef struct draw_work {
  /* of the galaxy */
  float *given;             /* [T][H + P] with its biases */
  sdn_knots *first;         /* [T] the first coordinate's splines */
  float *known;             /* [T + 1] the first coordinate before each layer and after the last, where it is given */
  bool first_known;
  /* of SDN_ROWS draws */
  float *in, *mid;          /* [D][SDN_ROWS] layer's order */
  float *h1, *h2, *pre;     /* [H][SDN_ROWS] */
  float *raw;               /* [most raw numbers of a position][SDN_ROWS] */
  sdn_core_trace *core;
  sdn_spline_trace *spline;
} draw_work;

sdn_status sdn_flow_draw_new(const sdn_network *net, sdn_arena *arena, void **work, sdn_err *err)
{
  const sdn_flow *f = net->head_plan;
  const size_t d = (size_t)f->n_free * SDN_ROWS, h = (size_t)f->n_hidden * SDN_ROWS, t = (size_t)f->n_layer;
  const size_t n_raw = (size_t)(f->n_raw[0] > f->n_raw[f->n_free - 1] ? f->n_raw[0] : f->n_raw[f->n_free - 1]);
  draw_work *w = *work = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w) return err->status;
  const struct { float **to; size_t n; } parts[] = {{&w->given, (size_t)net->n_given}, {&w->known, t + 1}, {&w->in, d}, {&w->mid, d}, {&w->h1, h}, {&w->h2, h},
                                                    {&w->pre, h}, {&w->raw, n_raw * SDN_ROWS}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, parts[i].n, sizeof(float), err))) return err->status;
  if (!(w->first = sdn_arena_take(arena, t, sizeof *w->first, err)) || !(w->core = sdn_arena_take(arena, 1, sizeof *w->core, err))) return err->status;
  w->spline = sdn_arena_take(arena, 1, sizeof *w->spline, err);
  return w->spline ? SDN_OK : err->status;
}

/* Where the known first coordinate comes to, layer by layer: all SDN_ROWS lanes do the same. */
static void follow_first(const sdn_flow *f, draw_work *w)
{
  double ln_slope[SDN_ROWS];
  memset(ln_slope, 0, sizeof ln_slope);
  for (int t = 0; t < f->n_layer; t++) {
    const float *bias = w->given + (size_t)t * (size_t)f->n_given + f->n_hidden;
    for (int r = 0; r < SDN_ROWS; r++) w->in[r] = w->known[t];
    memset(w->raw, 0, (size_t)f->n_raw[0] * SDN_ROWS * sizeof *w->raw);
    sdn_core_forward(w->raw, bias, w->in, w->mid, ln_slope, w->core);
    if (f->n_bin[0] > 0) sdn_spline_forward(f->n_bin[0], sdn_row(w->raw, SDN_CORE_N_RAW), bias + SDN_CORE_N_RAW, w->mid, w->in, ln_slope, w->spline);
    w->known[t + 1] = f->n_bin[0] > 0 ? w->in[0] : w->mid[0];
  }
}

void sdn_flow_galaxy(const sdn_network *net, const float *weights, void *work, const float *given, const float *first)
{
  const sdn_flow *f = net->head_plan;
  const float *bias = sdn_given_bias(net, weights);
  draw_work *w = work;
  for (int i = 0; i < net->n_given; i++) w->given[i] = given[i] + bias[i];
  w->first_known = first != NULL;
  if (first) {
    w->known[0] = *first;
    follow_first(f, w);
  }
  else if (f->n_bin[0] > 0)
    for (int t = 0; t < f->n_layer; t++) sdn_knots_make(f->n_bin[0], w->given + t * f->n_given + f->n_hidden + SDN_CORE_N_RAW, &w->first[t]);
}

/* The first coordinate: the same maps for all draws. */
static void draw_first(const sdn_flow *f, int t, draw_work *w, const float *y, double *ln_slope)
{
  const float *bias = w->given + t * f->n_given + f->n_hidden;
  if (w->first_known) {
    for (int r = 0; r < SDN_ROWS; r++) w->in[r] = w->known[t];
    return;
  }
  memset(w->raw, 0, SDN_CORE_N_RAW * SDN_ROWS * sizeof *w->raw);
  if (f->n_bin[0] > 0) sdn_knots_inverse(&w->first[t], y, w->mid, ln_slope);
  sdn_core_inverse(w->raw, bias, f->n_bin[0] > 0 ? w->mid : y, w->in, ln_slope);
}

/* Hidden units that see the first i coordinates and no more. */
static void hidden_step(const sdn_network *net, const float *weights, int t, int i, draw_work *w)
{
  const sdn_flow *f = net->head_plan;
  const int first = f->n_seen[i - 1], n = f->n_seen[i] - first;
  const float *input = weights + sdn_flow_weight(net, t, SDN_FLOW_INPUT)->offset, *hidden = weights + sdn_flow_weight(net, t, SDN_FLOW_HIDDEN)->offset;
  const float *bias = weights + sdn_flow_weight(net, t, SDN_FLOW_HIDDEN_BIAS)->offset;
  if (n == 0) return;
  sdn_gemm_run(f->step_input[i].forward, input + (size_t)first * (size_t)f->n_free, w->in, w->pre);
  sdn_silu_forward(n, w->pre, w->given + t * f->n_given + first, NULL, sdn_row(w->h1, first));
  sdn_gemm_run(f->step_hidden[i].forward, hidden + (size_t)first * (size_t)f->n_hidden, w->h1, w->pre);
  sdn_silu_forward(n, w->pre, bias + first, sdn_row(w->h1, first), sdn_row(w->h2, first));
}

static void draw_position(const sdn_network *net, const float *weights, int t, int i, draw_work *w, float *y, double *ln_slope)
{
  const sdn_flow *f = net->head_plan;
  const float *output = weights + sdn_flow_weight(net, t, SDN_FLOW_OUTPUT)->offset + (size_t)f->out_at[i] * (size_t)f->n_hidden;
  const float *raw_bias = w->given + t * f->n_given + f->n_hidden + f->out_at[i], *from = sdn_row(y, f->order[t][i]);
  hidden_step(net, weights, t, i, w);
  if (f->position[i].n_in > 0) sdn_gemm_run(f->position[i].forward, output, w->h2, w->raw);
  else memset(w->raw, 0, (size_t)f->n_raw[i] * SDN_ROWS * sizeof *w->raw);
  if (f->n_bin[i] > 0) {
    sdn_spline_inverse(f->n_bin[i], sdn_row(w->raw, SDN_CORE_N_RAW), raw_bias + SDN_CORE_N_RAW, from, sdn_row(w->mid, i), ln_slope, w->spline);
    from = sdn_row(w->mid, i);
  }
  sdn_core_inverse(w->raw, raw_bias, from, sdn_row(w->in, i), ln_slope);
}

void sdn_flow_draw(const sdn_network *net, const float *weights, void *work, const float *pick, float *y, double *ln_q)
{
  const sdn_flow *f = net->head_plan;
  draw_work *w = work;
  const int d = f->n_free, first_drawn = w->first_known ? 1 : 0;
  (void)pick;
  for (int r = 0; r < SDN_ROWS; r++) ln_q[r] = -LN_SQRT_2PI * (d - first_drawn);
  for (int i = first_drawn; i < d; i++)
    for (int r = 0; r < SDN_ROWS; r++) ln_q[r] -= 0.5 * (double)y[i * SDN_ROWS + r] * (double)y[i * SDN_ROWS + r];
  for (int t = f->n_layer - 1; t >= 0; t--) {
    draw_first(f, t, w, y, ln_q);
    for (int i = 1; i < d; i++) draw_position(net, weights, t, i, w, y, ln_q);
    for (int i = 0; i < d; i++) memcpy(sdn_row(y, f->order[t][i]), sdn_row(w->in, i), SDN_ROWS * sizeof(float));
  }
}
