/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/flow.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/special.h"
#include "learn/activation.h"

#define RESIDUAL_GAIN 0.5f
#define LN_SQRT_2PI 0.91893853320467274178

typedef struct sdn_layer_work layer_work;

/* ------------------------------------------------------------------ what it consists of */

/* Sizes and offsets of each position's map parameters and hidden units. Degrees are spread evenly over the hidden units, in ascending order. */
static void lay_out_positions(const sdn_arch *a, bool with_spline, sdn_flow *f)
{
  const int d = f->n_free = a->n_free, h = f->n_hidden = d > 1 ? a->n_hidden : 0;
  f->n_layer = a->n_layer;
  for (int i = 0; i < d; i++) {
    f->n_bin[i] = !with_spline ? 0 : i == 0 ? a->n_bin_first : a->n_bin;
    f->n_raw[i] = SDN_CORE_N_RAW + (with_spline ? sdn_spline_n_raw(f->n_bin[i]) : 0);
    f->out_at[i] = f->n_out;
    f->n_out += f->n_raw[i];
    f->n_seen[i] = d > 1 ? (int)((long)h * i / (d - 1)) : 0;
  }
  f->n_given = h + f->n_out;
  for (int t = 0; t < a->n_layer; t++)   /* every other layer takes the coordinates after the first backwards */
    for (int i = 0; i < d; i++) f->order[t][i] = i == 0 || t % 2 == 0 ? i : d - i;
}

static sdn_status make_kernels(sdn_flow *f, sdn_err *err)
{
  const int d = f->n_free, h = f->n_hidden;
  const sdn_dense_shape input = {h, d, d, d, SDN_ROWS}, hidden = {h, h, h, h, SDN_ROWS};
  if (sdn_dense_new(&input, &f->input, err) || sdn_dense_new(&hidden, &f->hidden, err)) return err->status;
  for (int i = 1; i < d; i++) {
    const int seen = f->n_seen[i], own = seen - f->n_seen[i - 1];
    const sdn_dense_shape position = {f->n_raw[i], seen, h, h, SDN_ROWS}, step_input = {own, i, d, d, SDN_ROWS}, step_hidden = {own, seen, h, h, SDN_ROWS};
    if (sdn_dense_new(&position, &f->position[i], err) || sdn_dense_new(&step_input, &f->step_input[i], err)) return err->status;
    if (sdn_dense_new(&step_hidden, &f->step_hidden[i], err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status make(sdn_network *net, bool with_spline, sdn_err *err)
{
  const sdn_arch *a = &net->arch;
  if (sdn_check_size("n_layer", a->n_layer, 1, SDN_MAX_LAYER, err) || sdn_check_size("n_hidden", a->n_hidden, 1, SDN_MAX_WIDTH, err)) return err->status;
  if (with_spline && (sdn_check_size("n_bin", a->n_bin, 2, SDN_SPLINE_MAX_BIN, err) || sdn_check_size("n_bin_first", a->n_bin_first, 2, SDN_SPLINE_MAX_BIN, err)))
    return err->status;
  sdn_flow *f = net->head_plan = sdn_alloc(1, sizeof *f, "a flow", err);
  if (!f) return err->status;
  lay_out_positions(a, with_spline, f);
  net->n_given = a->n_layer * f->n_given;
  return make_kernels(f, err);
}

static sdn_status make_spline(sdn_network *net, sdn_err *err) { return make(net, true, err); }
static sdn_status make_affine(sdn_network *net, sdn_err *err) { return make(net, false, err); }

static void release(void *plan)
{
  sdn_flow *f = plan;
  if (!f) return;
  sdn_dense_clear(&f->input);
  sdn_dense_clear(&f->hidden);
  for (int i = 0; i < SDN_MAX_FREE; i++) {
    sdn_dense_clear(&f->position[i]);
    sdn_dense_clear(&f->step_input[i]);
    sdn_dense_clear(&f->step_hidden[i]);
  }
  sdn_release(f);
}

static void list_weights(sdn_network *net)
{
  const sdn_flow *f = net->head_plan;
  const int h = f->n_hidden;
  for (int t = 0; t < f->n_layer; t++) {
    const struct { const char *name; int n_row, n_col; float initial; } list[SDN_FLOW_N] = {
      [SDN_FLOW_INPUT] = {"input", h, f->n_free, 1.0f},
      [SDN_FLOW_HIDDEN] = {"hidden", h, h, RESIDUAL_GAIN / sqrtf(0.5f * (float)(h + 1))},
      [SDN_FLOW_HIDDEN_BIAS] = {"hidden_bias", h, 0, 0},
      [SDN_FLOW_OUTPUT] = {"output", f->n_out, h, 0}};
    for (int i = 0; i < SDN_FLOW_N; i++) {
      char name[48];
      snprintf(name, sizeof name, "layer%d/%s", t, list[i].name);
      sdn_add_weight(net, name, list[i].n_row, list[i].n_col, list[i].initial);
    }
  }
}

static void mask(const sdn_network *net, float *block)
{
  const sdn_flow *f = net->head_plan;
  const int d = f->n_free, h = f->n_hidden;
  for (int t = 0; t < f->n_layer; t++) {
    float *input = block + sdn_flow_weight(net, t, SDN_FLOW_INPUT)->offset, *hidden = block + sdn_flow_weight(net, t, SDN_FLOW_HIDDEN)->offset;
    for (int g = 1; g < d; g++)   /* units of degree g see coordinates below position g and units of degree up to g */
      for (int u = f->n_seen[g - 1]; u < f->n_seen[g]; u++) {
        for (int i = g; i < d; i++) input[u * d + i] = 0;
        for (int v = f->n_seen[g]; v < h; v++) hidden[u * h + v] = 0;
      }
  }
}

/* Map parameters begin at zero, the identity; a unit that sees many coordinates takes each with less weight. */
static void initialise(const sdn_network *net, float *weights)
{
  const sdn_flow *f = net->head_plan;
  const size_t c = (size_t)net->arch.n_context;
  float *context = weights + net->weight[net->at_context].offset;
  for (int t = 0; t < f->n_layer; t++) {
    memset(context + (size_t)(t * f->n_given + f->n_hidden) * c, 0, (size_t)f->n_out * c * sizeof *context);
    float *input = weights + sdn_flow_weight(net, t, SDN_FLOW_INPUT)->offset;
    for (int g = 2; g < f->n_free; g++)
      for (int u = f->n_seen[g - 1]; u < f->n_seen[g]; u++)
        for (int i = 0; i < g; i++) input[u * f->n_free + i] /= sqrtf((float)g);
  }
}

/* ------------------------------------------------------------------ density */

static sdn_status layer_work_new(const sdn_flow *f, sdn_arena *arena, layer_work *l, sdn_err *err)
{
  const size_t d = (size_t)f->n_free * SDN_ROWS, h = (size_t)f->n_hidden * SDN_ROWS;
  const struct { float **to; size_t n; } parts[] = {{&l->in, d}, {&l->mid, d}, {&l->h1, h}, {&l->d2, h}, {&l->h2, h}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, parts[i].n, sizeof(float), err))) return err->status;
  l->core = sdn_arena_take(arena, (size_t)f->n_free, sizeof *l->core, err);
  l->spline = l->core ? sdn_arena_take(arena, (size_t)f->n_free, sizeof *l->spline, err) : NULL;
  return l->spline ? SDN_OK : err->status;
}

sdn_status sdn_flow_work_new(const sdn_network *net, sdn_arena *arena, void **work, sdn_err *err)
{
  const sdn_flow *f = net->head_plan;
  const size_t d = (size_t)f->n_free, h = (size_t)f->n_hidden;
  sdn_flow_work *w = *work = sdn_arena_take(arena, 1, sizeof *w, err);
  if (!w) return err->status;
  const struct { float **to; size_t n; } parts[] = {
    {&w->by_y, d}, {&w->by_in, d}, {&w->by_mid, d}, {&w->by_h, h}, {&w->turned, d > h ? d : h}};
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
    if (!(*parts[i].to = sdn_arena_take(arena, parts[i].n * SDN_ROWS, sizeof(float), err))) return err->status;
  for (int t = 0; t <= f->n_layer; t++)
    if (!(w->y[t] = sdn_arena_take(arena, d * SDN_ROWS, sizeof(float), err))) return err->status;
  for (int t = 0; t < f->n_layer; t++)
    if (layer_work_new(f, arena, &w->layer[t], err)) return err->status;
  return SDN_OK;
}

/* One layer's hidden units; the given pre-activations become derivatives. */
static void hidden_units(const sdn_network *net, const float *weights, int t, layer_work *l, float *given)
{
  const sdn_flow *f = net->head_plan;
  const int h = f->n_hidden;
  const float *bias = sdn_given_bias(net, weights) + (size_t)t * (size_t)f->n_given;
  if (h == 0) return;
  sdn_gemm_run(f->input.forward_add, weights + sdn_flow_weight(net, t, SDN_FLOW_INPUT)->offset, l->in, given);
  sdn_silu_forward(h, given, bias, NULL, l->h1);
  sdn_gemm_run(f->hidden.forward, weights + sdn_flow_weight(net, t, SDN_FLOW_HIDDEN)->offset, l->h1, l->d2);
  sdn_silu_forward(h, l->d2, weights + sdn_flow_weight(net, t, SDN_FLOW_HIDDEN_BIAS)->offset, l->h1, l->h2);
}

/* The map of position i: its raw numbers are completed in `given`, its trace is kept. y_out: where the mapped values go. */
static void map_position(const sdn_network *net, const float *weights, int t, int i, layer_work *l, float *given, double *ln_slope, float *y_out)
{
  const sdn_flow *f = net->head_plan;
  const int first = f->n_hidden + f->out_at[i];
  const float *bias = sdn_given_bias(net, weights) + (size_t)t * (size_t)f->n_given + first;
  const float *output = weights + sdn_flow_weight(net, t, SDN_FLOW_OUTPUT)->offset + (size_t)f->out_at[i] * (size_t)f->n_hidden;
  float *raw = sdn_row(given, first), *mid = f->n_bin[i] > 0 ? sdn_row(l->mid, i) : y_out;
  if (f->position[i].n_in > 0) sdn_gemm_run(f->position[i].forward_add, output, l->h2, raw);
  sdn_core_forward(raw, bias, sdn_row(l->in, i), mid, ln_slope, &l->core[i]);
  if (f->n_bin[i] > 0)
    sdn_spline_forward(f->n_bin[i], sdn_row(raw, SDN_CORE_N_RAW), bias + SDN_CORE_N_RAW, mid, y_out, ln_slope, &l->spline[i]);
}

void sdn_flow_density(const sdn_network *net, const float *weights, void *work, float *given, const float *z, double *ln_q)
{
  const sdn_flow *f = net->head_plan;
  const int d = f->n_free;
  sdn_flow_work *w = work;
  memcpy(w->y[0], z, (size_t)d * SDN_ROWS * sizeof *z);
  for (int r = 0; r < SDN_ROWS; r++) ln_q[r] = -LN_SQRT_2PI * d;
  for (int t = 0; t < f->n_layer; t++) {
    layer_work *l = &w->layer[t];
    float *own = sdn_row(given, t * f->n_given);
    for (int i = 0; i < d; i++) memcpy(sdn_row(l->in, i), sdn_row(w->y[t], f->order[t][i]), SDN_ROWS * sizeof(float));
    hidden_units(net, weights, t, l, own);
    for (int i = 0; i < d; i++) map_position(net, weights, t, i, l, own, ln_q, sdn_row(w->y[t + 1], f->order[t][i]));
  }
  const float *base = w->y[f->n_layer];
  for (int i = 0; i < d; i++)
    for (int r = 0; r < SDN_ROWS; r++) ln_q[r] -= 0.5 * (double)base[i * SDN_ROWS + r] * (double)base[i * SDN_ROWS + r];
}

void sdn_flow_first(const sdn_network *net, const float *weights, void *work, float *given, const float *z0, double *cdf, double *ln_q)
{
  const sdn_flow *f = net->head_plan;
  sdn_flow_work *w = work;
  double ln_slope[SDN_ROWS] = {0};
  memcpy(w->layer[0].in, z0, SDN_ROWS * sizeof *z0);
  for (int t = 0; t < f->n_layer; t++) {
    layer_work *l = &w->layer[t], *next = &w->layer[t + 1 < f->n_layer ? t + 1 : t];
    map_position(net, weights, t, 0, l, sdn_row(given, t * f->n_given), ln_slope, w->y[t + 1]);
    memcpy(next->in, w->y[t + 1], SDN_ROWS * sizeof *z0);
  }
  for (int r = 0; r < SDN_ROWS; r++) {
    const double base = (double)w->y[f->n_layer][r];
    if (cdf) cdf[r] = sdn_normal_cdf(base);
    if (ln_q) ln_q[r] = sdn_normal_ln_pdf(base) + ln_slope[r];
  }
}

#define FLOW(kind_name, make_kind)                                                                                                                       \
  {.name = kind_name, .make = make_kind, .list_weights = list_weights, .release = release, .initialise = initialise, .mask = mask,                      \
   .work_new = sdn_flow_work_new, .density = sdn_flow_density, .gradient = sdn_flow_gradient, .first = sdn_flow_first,                                   \
   .draw_new = sdn_flow_draw_new, .galaxy = sdn_flow_galaxy, .draw = sdn_flow_draw}
const sdn_head_ops sdn_head_spline = FLOW("spline", make_spline);
const sdn_head_ops sdn_head_affine = FLOW("affine", make_affine);
