/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The head "coupling": coupling layers of splines as in the neural spline flow of Durkan+2019 that `sbi` calls nsf, for comparison like for like. The first coordinate
 * has T maps of its own, whose numbers depend on the context alone. Of the others, layer t moves every second one (set B, given those that stay, A):
 *   h1 = silu(given_h + U (z_0, y_A)),   h2 = h1 + silu(b + V h1)
 *   map parameters of B = given_p + O h2,   y'_B = spline(core_affine(y_B)),   y'_A = y_A
 * Unlike sbi's: no LU mixing between layers, because a linear map of all coordinates would change the tails, which here are the prior's; an affine map before each
 * spline does its scaling, and the context enters the conditioner's first layer and its outputs, once per galaxy. base: a standard normal. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/special.h"
#include "learn/activation.h"
#include "learn/core_affine.h"
#include "learn/head.h"
#include "learn/spline.h"

#define RESIDUAL_GAIN 0.5f
#define LN_SQRT_2PI 0.91893853320467274178

enum { INPUT, HIDDEN, HIDDEN_BIAS, OUTPUT, N_WEIGHT };   /* of each layer */

typedef struct layer_plan {
  int n_stay, n_move, stay[SDN_MAX_FREE], move[SDN_MAX_FREE];   /* coordinates of A and B */
  int at;                       /* where its given numbers begin: H pre-activations, then n_move sets of map parameters */
  sdn_dense input, output;
} layer_plan;

typedef struct plan {
  int n_free, n_layer, n_hidden, n_bin, n_bin_first, n_raw, n_raw_first;
  layer_plan layer[SDN_MAX_LAYER];
  sdn_dense hidden;
} plan;

static float *row(float *a, int i) { return a + (size_t)i * SDN_ROWS; }
static const sdn_weight *weight_of(const sdn_network *net, int t, int which) { return &net->weight[net->at_head + N_WEIGHT * t + which]; }

/* ------------------------------------------------------------------ what it consists of */

/* Every layer moves at least one, once there are two coordinates. */
static void choose_sets(layer_plan *l, int n_free, int t)
{
  for (int i = 1; i < n_free; i++) {
    const bool moves = n_free == 2 || i % 2 == t % 2;
    if (moves) l->move[l->n_move++] = i;
    else l->stay[l->n_stay++] = i;
  }
}

static sdn_status make_layer(plan *p, int t, int *at, sdn_err *err)
{
  layer_plan *l = &p->layer[t];
  const int h = p->n_hidden, n_in = 1 + l->n_stay, n_out = l->n_move * p->n_raw;
  const sdn_dense_shape input = {h, n_in, n_in, n_in, SDN_ROWS}, output = {n_out, h, h, h, SDN_ROWS};
  l->at = *at;
  *at += h + n_out;
  return sdn_dense_new(&input, &l->input, err) ? err->status : sdn_dense_new(&output, &l->output, err);
}

static sdn_status make(sdn_network *net, sdn_err *err)
{
  const sdn_arch *a = &net->arch;
  if (sdn_check_size("n_layer", a->n_layer, 1, SDN_MAX_LAYER, err) || sdn_check_size("n_hidden", a->n_hidden, 1, SDN_MAX_WIDTH, err) ||
      sdn_check_size("n_bin", a->n_bin, 2, SDN_SPLINE_MAX_BIN, err) || sdn_check_size("n_bin_first", a->n_bin_first, 2, SDN_SPLINE_MAX_BIN, err))
    return err->status;
  plan *p = net->head_plan = sdn_alloc(1, sizeof *p, "a flow", err);
  if (!p) return err->status;
  *p = (plan){.n_free = a->n_free, .n_layer = a->n_layer, .n_hidden = a->n_free > 1 ? a->n_hidden : 0, .n_bin = a->n_bin, .n_bin_first = a->n_bin_first,
              .n_raw = SDN_CORE_N_RAW + sdn_spline_n_raw(a->n_bin), .n_raw_first = SDN_CORE_N_RAW + sdn_spline_n_raw(a->n_bin_first)};
  int at = a->n_layer * p->n_raw_first;   /* the first coordinate's come first */
  const sdn_dense_shape hidden = {p->n_hidden, p->n_hidden, p->n_hidden, p->n_hidden, SDN_ROWS};
  if (sdn_dense_new(&hidden, &p->hidden, err)) return err->status;
  for (int t = 0; t < a->n_layer && p->n_free > 1; t++) {
    choose_sets(&p->layer[t], p->n_free, t);
    if (make_layer(p, t, &at, err)) return err->status;
  }
  net->n_given = at;
  return SDN_OK;
}

static void release(void *of)
{
  plan *p = of;
  if (!p) return;
  sdn_dense_clear(&p->hidden);
  for (int t = 0; t < SDN_MAX_LAYER; t++) {
    sdn_dense_clear(&p->layer[t].input);
    sdn_dense_clear(&p->layer[t].output);
  }
  sdn_release(p);
}

static void list_weights(sdn_network *net)
{
  const plan *p = net->head_plan;
  const int h = p->n_hidden;
  for (int t = 0; t < p->n_layer; t++) {
    const int n_in = 1 + p->layer[t].n_stay;
    const struct { const char *name; int n_row, n_col; float initial; } list[N_WEIGHT] = {
      [INPUT] = {"input", h, n_in, 1.0f / sqrtf((float)n_in)}, [HIDDEN] = {"hidden", h, h, RESIDUAL_GAIN / sqrtf((float)(h > 0 ? h : 1))},
      [HIDDEN_BIAS] = {"hidden_bias", h, 0, 0}, [OUTPUT] = {"output", p->layer[t].n_move * p->n_raw, h, 0}};
    for (int i = 0; i < N_WEIGHT; i++) {
      char name[48];
      snprintf(name, sizeof name, "layer%d/%s", t, list[i].name);
      sdn_add_weight(net, name, list[i].n_row, list[i].n_col, list[i].initial);
    }
  }
}

/* Map parameters begin at zero, the identity. */
static void initialise(const sdn_network *net, float *weights)
{
  const plan *p = net->head_plan;
  const size_t c = (size_t)net->arch.n_context;
  float *context = weights + net->weight[net->at_context].offset;
  memset(context, 0, (size_t)(p->n_layer * p->n_raw_first) * c * sizeof *context);
  for (int t = 0; t < p->n_layer && p->n_free > 1; t++)
    memset(context + (size_t)(p->layer[t].at + p->n_hidden) * c, 0, (size_t)(p->layer[t].n_move * p->n_raw) * c * sizeof *context);
}

/* ------------------------------------------------------------------ density */

/* A map of one coordinate, and what its backward pass needs. */
typedef struct map_work { float *in, *mid; sdn_core_trace *core; sdn_spline_trace *spline; } map_work;
typedef struct layer_work { float *in, *h1, *d2, *h2; map_work map[SDN_MAX_FREE]; } layer_work;
typedef struct coupling_work {
  float *y;                          /* [D][SDN_ROWS] as it goes through the layers */
  map_work first[SDN_MAX_LAYER];
  layer_work layer[SDN_MAX_LAYER];
  float *by_y, *by_in, *by_mid, *by_h, *turned;   /* [D], [D], [1], [H], [max(D, H)] times SDN_ROWS */
} coupling_work;

static sdn_status take(sdn_arena *arena, int n, float **to, sdn_err *err)
{
  *to = sdn_arena_take(arena, (size_t)n * SDN_ROWS, sizeof(float), err);
  return *to ? SDN_OK : err->status;
}

static sdn_status map_work_new(sdn_arena *arena, map_work *m, sdn_err *err)
{
  if (take(arena, 1, &m->in, err) || take(arena, 1, &m->mid, err) || !(m->core = sdn_arena_take(arena, 1, sizeof *m->core, err))) return err->status;
  return (m->spline = sdn_arena_take(arena, 1, sizeof *m->spline, err)) ? SDN_OK : err->status;
}

static sdn_status work_new(const sdn_network *net, sdn_arena *arena, void **out, sdn_err *err)
{
  const plan *p = net->head_plan;
  const int d = p->n_free, h = p->n_hidden;
  coupling_work *w = *out = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w || take(arena, d, &w->y, err) || take(arena, d, &w->by_y, err) || take(arena, d, &w->by_in, err) || take(arena, 1, &w->by_mid, err) ||
      take(arena, h, &w->by_h, err) || take(arena, d > h ? d : h, &w->turned, err))
    return err->status;
  for (int t = 0; t < p->n_layer; t++) {
    layer_work *l = &w->layer[t];
    if (map_work_new(arena, &w->first[t], err) || take(arena, d, &l->in, err) || take(arena, h, &l->h1, err) || take(arena, h, &l->d2, err) ||
        take(arena, h, &l->h2, err))
      return err->status;
    for (int i = 0; i < p->layer[t].n_move; i++)
      if (map_work_new(arena, &l->map[i], err)) return err->status;
  }
  return SDN_OK;
}

static void map_forward(int n_bin, float *raw, const float *bias, const float *x, float *y, double *ln_slope, map_work *m)
{
  memcpy(m->in, x, SDN_ROWS * sizeof *x);
  sdn_core_forward(raw, bias, m->in, m->mid, ln_slope, m->core);
  sdn_spline_forward(n_bin, row(raw, SDN_CORE_N_RAW), bias + SDN_CORE_N_RAW, m->mid, y, ln_slope, m->spline);
}

/* raw becomes the gradient; by_x may be by_y. */
static void map_backward(int n_bin, float *raw, const float *by_y, const float *by_ln_slope, const map_work *m, float *by_mid, float *by_x)
{
  sdn_spline_backward(n_bin, row(raw, SDN_CORE_N_RAW), m->mid, by_y, by_ln_slope, m->spline, by_mid);
  sdn_core_backward(raw, m->in, by_mid, by_ln_slope, m->core, by_x);
}

/* What the conditioner sees of y: the first coordinate z0 and those that stay. */
static void gather(const layer_plan *l, const float *z0, const float *y, float *in)
{
  memcpy(in, z0, SDN_ROWS * sizeof *in);
  for (int i = 0; i < l->n_stay; i++) memcpy(row(in, 1 + i), y + (size_t)l->stay[i] * SDN_ROWS, SDN_ROWS * sizeof *in);
}

static void first_forward(const sdn_network *net, const float *weights, coupling_work *w, float *given, const float *z0, double *ln_slope)
{
  const plan *p = net->head_plan;
  const float *bias = sdn_given_bias(net, weights);
  memcpy(w->y, z0, SDN_ROWS * sizeof *z0);
  for (int t = 0; t < p->n_layer; t++) {
    const int at = t * p->n_raw_first;
    map_forward(p->n_bin_first, row(given, at), bias + at, w->y, w->y, ln_slope, &w->first[t]);
  }
}

static void layer_forward(const sdn_network *net, const float *weights, int t, coupling_work *w, float *given, const float *z0, double *ln_slope)
{
  const plan *p = net->head_plan;
  const layer_plan *l = &p->layer[t];
  const int h = p->n_hidden;
  const float *bias = sdn_given_bias(net, weights) + l->at;
  float *own = row(given, l->at), *raw = row(own, h);
  layer_work *lw = &w->layer[t];
  gather(l, z0, w->y, lw->in);
  sdn_gemm_run(l->input.forward_add, weights + weight_of(net, t, INPUT)->offset, lw->in, own);
  sdn_silu_forward(h, own, bias, NULL, lw->h1);
  sdn_gemm_run(p->hidden.forward, weights + weight_of(net, t, HIDDEN)->offset, lw->h1, lw->d2);
  sdn_silu_forward(h, lw->d2, weights + weight_of(net, t, HIDDEN_BIAS)->offset, lw->h1, lw->h2);
  sdn_gemm_run(l->output.forward_add, weights + weight_of(net, t, OUTPUT)->offset, lw->h2, raw);
  for (int i = 0; i < l->n_move; i++) {
    float *y = row(w->y, l->move[i]);
    map_forward(p->n_bin, row(raw, i * p->n_raw), bias + h + i * p->n_raw, y, y, ln_slope, &lw->map[i]);
  }
}

static void density(const sdn_network *net, const float *weights, void *work, float *given, const float *z, double *ln_q)
{
  const plan *p = net->head_plan;
  const int d = p->n_free;
  coupling_work *w = work;
  for (int r = 0; r < SDN_ROWS; r++) ln_q[r] = -LN_SQRT_2PI * d;
  memcpy(w->y, z, (size_t)d * SDN_ROWS * sizeof *z);
  first_forward(net, weights, w, given, z, ln_q);
  for (int t = 0; t < p->n_layer && d > 1; t++) layer_forward(net, weights, t, w, given, z, ln_q);
  for (int i = 0; i < d; i++)
    for (int r = 0; r < SDN_ROWS; r++) ln_q[r] -= 0.5 * (double)w->y[i * SDN_ROWS + r] * (double)w->y[i * SDN_ROWS + r];
}

static void layer_backward(const sdn_network *net, const float *weights, int t, coupling_work *w, float *given, const float *by_ln_slope, bool add, float *gradient)
{
  const plan *p = net->head_plan;
  const layer_plan *l = &p->layer[t];
  const int h = p->n_hidden;
  float *own = row(given, l->at), *raw = row(own, h);
  layer_work *lw = &w->layer[t];
  const sdn_weight *input = weight_of(net, t, INPUT), *hidden = weight_of(net, t, HIDDEN), *output = weight_of(net, t, OUTPUT);
  for (int i = 0; i < l->n_move; i++) {
    float *by = row(w->by_y, l->move[i]);
    map_backward(p->n_bin, row(raw, i * p->n_raw), by, by_ln_slope, &lw->map[i], w->by_mid, by);
  }
  sdn_transpose(h, SDN_ROWS, lw->h2, w->turned);
  sdn_gemm_run(add ? l->output.gradient_add : l->output.gradient, raw, w->turned, gradient + output->offset);
  sdn_gemm_run(l->output.backward, weights + output->offset, raw, w->by_h);
  sdn_silu_backward(h, w->by_h, lw->d2);
  sdn_transpose(h, SDN_ROWS, lw->h1, w->turned);
  sdn_gemm_run(add ? p->hidden.gradient_add : p->hidden.gradient, lw->d2, w->turned, gradient + hidden->offset);
  sdn_row_sums(h, lw->d2, add, gradient + weight_of(net, t, HIDDEN_BIAS)->offset);
  sdn_gemm_run(p->hidden.backward_add, weights + hidden->offset, lw->d2, w->by_h);
  sdn_silu_backward(h, w->by_h, own);
  sdn_transpose(1 + l->n_stay, SDN_ROWS, lw->in, w->turned);
  sdn_gemm_run(add ? l->input.gradient_add : l->input.gradient, own, w->turned, gradient + input->offset);
  sdn_gemm_run(l->input.backward, weights + input->offset, own, w->by_in);
  for (int i = 0; i < l->n_stay; i++)
    for (int r = 0; r < SDN_ROWS; r++) w->by_y[l->stay[i] * SDN_ROWS + r] += w->by_in[(1 + i) * SDN_ROWS + r];
}

static void gradient(const sdn_network *net, const float *weights, void *work, float *given, const float *row_weight, bool add, float *gradient)
{
  const plan *p = net->head_plan;
  const int d = p->n_free;
  coupling_work *w = work;
  float by_ln_slope[SDN_ROWS];
  for (int r = 0; r < SDN_ROWS; r++) by_ln_slope[r] = -row_weight[r];
  for (int i = 0; i < d; i++)
    for (int r = 0; r < SDN_ROWS; r++) w->by_y[i * SDN_ROWS + r] = row_weight[r] * w->y[i * SDN_ROWS + r];
  for (int t = p->n_layer - 1; t >= 0; t--) {
    if (d > 1) layer_backward(net, weights, t, w, given, by_ln_slope, add, gradient);
    map_backward(p->n_bin_first, row(given, t * p->n_raw_first), w->by_y, by_ln_slope, &w->first[t], w->by_mid, w->by_y);
  }
}

static void first(const sdn_network *net, const float *weights, void *work, float *given, const float *z0, double *cdf, double *ln_q)
{
  coupling_work *w = work;
  double ln_slope[SDN_ROWS];
  memset(ln_slope, 0, sizeof ln_slope);
  first_forward(net, weights, w, given, z0, ln_slope);
  for (int r = 0; r < SDN_ROWS; r++) {
    const double base = (double)w->y[r];
    if (cdf) cdf[r] = sdn_normal_cdf(base);
    if (ln_q) ln_q[r] = sdn_normal_ln_pdf(base) + ln_slope[r];
  }
}

/* ------------------------------------------------------------------ draws */

typedef struct draw_work {
  float *given;             /* [G] of the galaxy, biases included */
  sdn_knots *first;         /* [T] */
  bool known; float value;
  float *in, *mid, *pre, *h1, *h2, *raw;   /* [D], [1], [H] three times, [most map parameters of a layer] times SDN_ROWS */
  sdn_spline_trace *spline;
} draw_work;

static sdn_status draw_new(const sdn_network *net, sdn_arena *arena, void **out, sdn_err *err)
{
  const plan *p = net->head_plan;
  const int h = p->n_hidden, most = p->n_free * p->n_raw > p->n_raw_first ? p->n_free * p->n_raw : p->n_raw_first;
  draw_work *w = *out = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w || take(arena, p->n_free, &w->in, err) || take(arena, 1, &w->mid, err) || take(arena, h, &w->pre, err) || take(arena, h, &w->h1, err) ||
      take(arena, h, &w->h2, err) || take(arena, most, &w->raw, err) || !(w->given = sdn_arena_take(arena, (size_t)net->n_given, sizeof *w->given, err)) ||
      !(w->first = sdn_arena_take(arena, (size_t)p->n_layer, sizeof *w->first, err)) || !(w->spline = sdn_arena_take(arena, 1, sizeof *w->spline, err)))
    return err->status;
  return SDN_OK;
}

static void galaxy(const sdn_network *net, const float *weights, void *work, const float *given, const float *known)
{
  const plan *p = net->head_plan;
  const float *bias = sdn_given_bias(net, weights);
  draw_work *w = work;
  for (int i = 0; i < net->n_given; i++) w->given[i] = given[i] + bias[i];
  for (int t = 0; t < p->n_layer; t++) sdn_knots_make(p->n_bin_first, w->given + t * p->n_raw_first + SDN_CORE_N_RAW, &w->first[t]);
  w->known = known != NULL;
  w->value = known ? *known : 0.0f;
}

static void draw_first(const plan *p, draw_work *w, float *y, double *ln_q)
{
  for (int r = 0; w->known && r < SDN_ROWS; r++) y[r] = w->value;
  if (w->known) return;
  memset(w->raw, 0, SDN_CORE_N_RAW * SDN_ROWS * sizeof *w->raw);
  for (int t = p->n_layer - 1; t >= 0; t--) {
    sdn_knots_inverse(&w->first[t], y, w->mid, ln_q);
    sdn_core_inverse(w->raw, w->given + t * p->n_raw_first, w->mid, y, ln_q);
  }
}

static void draw_layer(const sdn_network *net, const float *weights, int t, draw_work *w, float *y, double *ln_q)
{
  const plan *p = net->head_plan;
  const layer_plan *l = &p->layer[t];
  const int h = p->n_hidden;
  const float *own = w->given + l->at;
  gather(l, y, y, w->in);
  sdn_gemm_run(l->input.forward, weights + weight_of(net, t, INPUT)->offset, w->in, w->pre);
  sdn_silu_forward(h, w->pre, own, NULL, w->h1);
  sdn_gemm_run(p->hidden.forward, weights + weight_of(net, t, HIDDEN)->offset, w->h1, w->pre);
  sdn_silu_forward(h, w->pre, weights + weight_of(net, t, HIDDEN_BIAS)->offset, w->h1, w->h2);
  sdn_gemm_run(l->output.forward, weights + weight_of(net, t, OUTPUT)->offset, w->h2, w->raw);
  for (int i = 0; i < l->n_move; i++) {
    float *raw = row(w->raw, i * p->n_raw), *to = row(y, l->move[i]);
    const float *bias = own + h + i * p->n_raw;
    sdn_spline_inverse(p->n_bin, row(raw, SDN_CORE_N_RAW), bias + SDN_CORE_N_RAW, to, w->mid, ln_q, w->spline);
    sdn_core_inverse(raw, bias, w->mid, to, ln_q);
  }
}

static void draw(const sdn_network *net, const float *weights, void *work, const float *pick, float *y, double *ln_q)
{
  const plan *p = net->head_plan;
  draw_work *w = work;
  const int d = p->n_free, begin = w->known ? 1 : 0;
  (void)pick;
  for (int r = 0; r < SDN_ROWS; r++) ln_q[r] = -LN_SQRT_2PI * (d - begin);
  for (int i = begin; i < d; i++)
    for (int r = 0; r < SDN_ROWS; r++) ln_q[r] -= 0.5 * (double)y[i * SDN_ROWS + r] * (double)y[i * SDN_ROWS + r];
  draw_first(p, w, y, ln_q);
  for (int t = p->n_layer - 1; t >= 0 && d > 1; t--) draw_layer(net, weights, t, w, y, ln_q);
}

const sdn_head_ops sdn_head_coupling = {
  .name = "coupling", .make = make, .list_weights = list_weights, .release = release, .initialise = initialise, .work_new = work_new, .density = density,
  .gradient = gradient, .first = first, .draw_new = draw_new, .galaxy = galaxy, .draw = draw};
