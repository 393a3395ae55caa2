/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/network.h"

#include <math.h>
#include <stdio.h>

#include "base/random.h"
#include "learn/core_affine.h"
#include "learn/spline.h"

#define ALIGN 16              /* float32 numbers in a cache line */
#define MAX_WIDTH 8192        /* of any layer: keeps every size an int */
#define SILU_GAIN 1.6f        /* keeps the variance through x sigmoid(x) */
#define RESIDUAL_GAIN 0.5f

static bool between(int value, int low, int high) { return value >= low && value <= high; }

static sdn_status check_arch(const sdn_arch *a, sdn_err *err)
{
  const struct { const char *name; int value, low, high; } limits[] = {
    {"free parameters", a->n_free, 1, SDN_MAX_FREE}, {"features", a->n_feature, 1, MAX_WIDTH}, {"n_encoder", a->n_encoder, 1, MAX_WIDTH},
    {"n_context", a->n_context, 1, MAX_WIDTH}, {"n_layer", a->n_layer, 1, SDN_MAX_LAYER}, {"n_hidden", a->n_hidden, 1, MAX_WIDTH},
    {"n_bin", a->n_bin, 2, SDN_SPLINE_MAX_BIN}, {"n_bin_first", a->n_bin_first, 2, SDN_SPLINE_MAX_BIN}};
  for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
    if (!between(limits[i].value, limits[i].low, limits[i].high))
      return sdn_fail(err, SDN_RANGE, "a network with %d %s cannot be made: between %d and %d are possible", limits[i].value, limits[i].name,
                      limits[i].low, limits[i].high);
  return SDN_OK;
}

/* Sizes and offsets of each position's map parameters and hidden units. Degrees are spread evenly over the hidden units, in ascending order. */
static void lay_out_positions(sdn_network *net)
{
  const sdn_arch *a = &net->arch;
  const int d = a->n_free, h = a->n_hidden;
  for (int i = 0; i < d; i++) {
    net->n_raw[i] = SDN_CORE_N_RAW + sdn_spline_n_raw(i == 0 ? a->n_bin_first : a->n_bin);
    net->out_at[i] = net->n_out;
    net->n_out += net->n_raw[i];
    net->n_seen[i] = d > 1 ? (int)((long)h * i / (d - 1)) : 0;
  }
  net->n_head = h + net->n_out;
  for (int t = 0; t < a->n_layer; t++)   /* every other layer takes the coordinates after the first backwards */
    for (int i = 0; i < d; i++) net->order[t][i] = i == 0 || t % 2 == 0 ? i : d - i;
}

static void add_weight(sdn_network *net, const char *name, int n_row, int n_col, float initial)
{
  sdn_weight *w = &net->weight[net->n_weight++];
  snprintf(w->name, sizeof w->name, "%s", name);
  w->n_row = n_row;
  w->n_col = n_col;
  w->offset = net->n_number;
  w->initial = initial;
  w->decays = n_col > 0;
  const size_t n = (size_t)n_row * (size_t)(n_col > 0 ? n_col : 1);
  net->n_number += (n + ALIGN - 1) / ALIGN * ALIGN;
}

static void list_weights(sdn_network *net)
{
  const sdn_arch *a = &net->arch;
  const float by_encoder = 1.0f / sqrtf((float)a->n_encoder);
  add_weight(net, "encoder/input", a->n_encoder, a->n_feature, 1.0f / sqrtf((float)a->n_feature));
  add_weight(net, "encoder/input_bias", a->n_encoder, 0, 0);
  for (int i = 0; i < SDN_ENCODER_DEPTH; i++) {
    char name[48];
    snprintf(name, sizeof name, "encoder/hidden%d", i);
    add_weight(net, name, a->n_encoder, a->n_encoder, SILU_GAIN * by_encoder);
    snprintf(name, sizeof name, "encoder/hidden%d_bias", i);
    add_weight(net, name, a->n_encoder, 0, 0);
  }
  add_weight(net, "encoder/output", a->n_context, a->n_encoder, SILU_GAIN * by_encoder);
  add_weight(net, "encoder/output_bias", a->n_context, 0, 0);
  add_weight(net, "context", a->n_layer * net->n_head, a->n_context, 1.0f / sqrtf((float)a->n_context));
  add_weight(net, "context_bias", a->n_layer * net->n_head, 0, 0);
  for (int t = 0; t < a->n_layer; t++) {
    const struct { const char *name; int n_row, n_col; float initial; } list[SDN_L_N] = {
      [SDN_L_INPUT] = {"input", a->n_hidden, a->n_free, 1.0f},
      [SDN_L_HIDDEN] = {"hidden", a->n_hidden, a->n_hidden, RESIDUAL_GAIN / sqrtf(0.5f * (float)(a->n_hidden + 1))},
      [SDN_L_HIDDEN_BIAS] = {"hidden_bias", a->n_hidden, 0, 0},
      [SDN_L_OUTPUT] = {"output", net->n_out, a->n_hidden, 0}};
    for (int i = 0; i < SDN_L_N; i++) {
      char name[48];
      snprintf(name, sizeof name, "layer%d/%s", t, list[i].name);
      add_weight(net, name, list[i].n_row, list[i].n_col, list[i].initial);
    }
  }
}

static sdn_status make_encoder(sdn_network *net, sdn_err *err)
{
  const sdn_arch *a = &net->arch;
  const int e = a->n_encoder, c = a->n_context, f = a->n_feature;
  const sdn_dense_shape input = {e, f, f, f, SDN_ROWS}, hidden = {e, e, e, e, SDN_ROWS}, output = {c, e, e, e, SDN_ROWS},
                        context = {a->n_layer * net->n_head, c, c, c, SDN_ROWS};
  if (sdn_dense_new(&input, &net->encoder_input, err) || sdn_dense_new(&hidden, &net->encoder_hidden, err)) return err->status;
  return sdn_dense_new(&output, &net->encoder_output, err) ? err->status : sdn_dense_new(&context, &net->context, err);
}

static sdn_status make_layers(sdn_network *net, sdn_err *err)
{
  const int d = net->arch.n_free, h = net->arch.n_hidden;
  const sdn_dense_shape input = {h, d, d, d, SDN_ROWS}, hidden = {h, h, h, h, SDN_ROWS};
  if (sdn_dense_new(&input, &net->layer_input, err) || sdn_dense_new(&hidden, &net->layer_hidden, err)) return err->status;
  for (int i = 1; i < d; i++) {
    const int seen = net->n_seen[i], own = seen - net->n_seen[i - 1];
    const sdn_dense_shape position = {net->n_raw[i], seen, h, h, SDN_ROWS}, step_input = {own, i, d, d, SDN_ROWS},
                          step_hidden = {own, seen, h, h, SDN_ROWS};
    if (sdn_dense_new(&position, &net->position[i], err) || sdn_dense_new(&step_input, &net->step_input[i], err)) return err->status;
    if (sdn_dense_new(&step_hidden, &net->step_hidden[i], err)) return err->status;
  }
  return SDN_OK;
}

sdn_status sdn_network_new(const sdn_arch *arch, sdn_network **out, sdn_err *err)
{
  *out = NULL;
  if (check_arch(arch, err)) return err->status;
  sdn_network *net = sdn_alloc(1, sizeof *net, "a network", err);
  if (!net) return err->status;
  net->arch = *arch;
  if (arch->n_free == 1) net->arch.n_hidden = 0;   /* a lone coordinate depends on the context alone */
  lay_out_positions(net);
  list_weights(net);
  if (make_encoder(net, err) || make_layers(net, err)) {
    sdn_network_free(net);
    return err->status;
  }
  *out = net;
  return SDN_OK;
}

void sdn_network_free(sdn_network *net)
{
  if (!net) return;
  sdn_dense *all[] = {&net->encoder_input, &net->encoder_hidden, &net->encoder_output, &net->context, &net->layer_input, &net->layer_hidden};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) sdn_dense_clear(all[i]);
  for (int i = 0; i < SDN_MAX_FREE; i++) {
    sdn_dense_clear(&net->position[i]);
    sdn_dense_clear(&net->step_input[i]);
    sdn_dense_clear(&net->step_hidden[i]);
  }
  sdn_release(net);
}

void sdn_network_mask_layers(const sdn_network *net, float *block)
{
  const int d = net->arch.n_free, h = net->arch.n_hidden;
  for (int t = 0; t < net->arch.n_layer; t++) {
    float *input = block + sdn_layer_weight(net, t, SDN_L_INPUT)->offset, *hidden = block + sdn_layer_weight(net, t, SDN_L_HIDDEN)->offset;
    for (int g = 1; g < d; g++)   /* units of degree g see coordinates below position g and units of degree up to g */
      for (int u = net->n_seen[g - 1]; u < net->n_seen[g]; u++) {
        for (int i = g; i < d; i++) input[u * d + i] = 0;
        for (int v = net->n_seen[g]; v < h; v++) hidden[u * h + v] = 0;
      }
  }
}

void sdn_network_initialise(const sdn_network *net, uint64_t seed, int member, float *weights)
{
  for (size_t i = 0; i < net->n_number; i++) weights[i] = 0;
  sdn_rng rng = sdn_rng_at(seed, SDN_STREAM_WEIGHTS + (uint32_t)member, 0);
  for (int w = 0; w < net->n_weight; w++) {
    const sdn_weight *m = &net->weight[w];
    const size_t n = (size_t)m->n_row * (size_t)m->n_col;
    if (!(m->initial > 0)) continue;
    for (size_t i = 0; i < n; i++) weights[m->offset + i] = m->initial * (float)sdn_rng_normal(&rng);
  }
  sdn_network_mask_layers(net, weights);
  const sdn_arch *a = &net->arch;
  float *context = weights + net->weight[SDN_W_CONTEXT].offset;
  for (int t = 0; t < a->n_layer; t++) {   /* map parameters begin at zero */
    float *maps = context + (size_t)(t * net->n_head + a->n_hidden) * (size_t)a->n_context;
    for (size_t i = 0; i < (size_t)net->n_out * (size_t)a->n_context; i++) maps[i] = 0;
  }
  for (int t = 0; t < a->n_layer; t++) {   /* a unit that sees many coordinates takes each with less weight */
    float *input = weights + sdn_layer_weight(net, t, SDN_L_INPUT)->offset;
    for (int g = 2; g < a->n_free; g++)
      for (int u = net->n_seen[g - 1]; u < net->n_seen[g]; u++)
        for (int i = 0; i < g; i++) input[u * a->n_free + i] /= sqrtf((float)g);
  }
}
