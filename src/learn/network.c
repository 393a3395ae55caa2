/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/network.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "learn/activation.h"
#include "learn/encoder.h"
#include "learn/head.h"

#define ALIGN 16              /* float32 numbers in a cache line */

const sdn_head_ops *const sdn_heads[SDN_N_HEAD] = {[SDN_HEAD_SPLINE] = &sdn_head_spline, [SDN_HEAD_AFFINE] = &sdn_head_affine,
                                                 [SDN_HEAD_MIXTURE] = &sdn_head_mixture, [SDN_HEAD_COUPLING] = &sdn_head_coupling};
const sdn_encoder_ops *const sdn_encoders[SDN_N_ENCODER] = {[SDN_ENCODER_MLP] = &sdn_encoder_mlp, [SDN_ENCODER_SET] = &sdn_encoder_set,
                                                          [SDN_ENCODER_CONVOLUTION] = &sdn_encoder_convolution};

void sdn_arch_sizes(sdn_arch *a, sdn_size size[SDN_N_SIZE])
{
  const sdn_size all[SDN_N_SIZE] = {
    {"n_free", &a->n_free}, {"n_feature", &a->n_feature}, {"n_token", &a->n_token}, {"n_encoder", &a->n_encoder}, {"n_depth", &a->n_depth},
    {"n_context", &a->n_context}, {"n_layer", &a->n_layer}, {"n_hidden", &a->n_hidden}, {"n_bin", &a->n_bin}, {"n_bin_first", &a->n_bin_first},
    {"n_component", &a->n_component}, {"n_token_hidden", &a->n_token_hidden}, {"n_token_depth", &a->n_token_depth}, {"n_present", &a->n_present},
    {"exchangeable", &a->exchangeable}, {"first_pixel", &a->first_pixel}, {"n_pixel", &a->n_pixel}};
  memcpy(size, all, sizeof all);
}

const char *sdn_head_name(int kind) { return sdn_heads[kind]->name; }
const char *sdn_encoder_name(int kind) { return sdn_encoders[kind]->name; }

static sdn_status find(const char *what, const char *name, int n, const char *(*name_of)(int), int *kind, sdn_err *err)
{
  char list[256] = "";
  for (*kind = 0; *kind < n; ++*kind) {
    if (strcmp(name, name_of(*kind)) == 0) return SDN_OK;
    const size_t used = strlen(list);
    snprintf(list + used, sizeof list - used, "%s%s", *kind > 0 ? ", " : "", name_of(*kind));
  }
  return sdn_fail(err, SDN_USAGE, "there is no %s '%s'; there are: %s", what, name, list);
}

sdn_status sdn_head_find(const char *name, int *kind, sdn_err *err) { return find("head", name, SDN_N_HEAD, sdn_head_name, kind, err); }
sdn_status sdn_encoder_find(const char *name, int *kind, sdn_err *err) { return find("encoder", name, SDN_N_ENCODER, sdn_encoder_name, kind, err); }

sdn_status sdn_check_size(const char *name, int value, int low, int high, sdn_err *err)
{
  if (value >= low && value <= high) return SDN_OK;
  return sdn_fail(err, SDN_RANGE, "a network with %d %s cannot be made: between %d and %d are possible", value, name, low, high);
}

static sdn_status check_arch(const sdn_arch *a, sdn_err *err)
{
  if (!(a->head >= 0 && a->head < SDN_N_HEAD) || !(a->encoder >= 0 && a->encoder < SDN_N_ENCODER))
    return sdn_fail(err, SDN_RANGE, "a network with a head of kind %d and an encoder of kind %d cannot be made", a->head, a->encoder);
  if (sdn_check_size("free parameters", a->n_free, 1, SDN_MAX_FREE, err) || sdn_check_size("features", a->n_feature, 1, SDN_MAX_WIDTH, err)) return err->status;
  return sdn_check_size("n_context", a->n_context, 1, SDN_MAX_WIDTH, err);
}

void sdn_add_weight(sdn_network *net, const char *name, int n_row, int n_col, float initial)
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
  const int c = net->arch.n_context;
  net->at_encoder = net->n_weight;
  net->encoder->list_weights(net);
  net->at_context = net->n_weight;
  sdn_add_weight(net, "context", net->n_given, c, 1.0f / sqrtf((float)c));
  sdn_add_weight(net, "context_bias", net->n_given, 0, 0);
  net->at_head = net->n_weight;
  net->head->list_weights(net);
}

static sdn_status make(sdn_network *net, sdn_err *err)
{
  const int c = net->arch.n_context;
  if (net->encoder->make(net, err) || net->head->make(net, err)) return err->status;
  const sdn_dense_shape context = {net->n_given, c, c, c, SDN_ROWS};
  if (sdn_dense_new(&context, &net->context, err)) return err->status;
  list_weights(net);
  return SDN_OK;
}

sdn_status sdn_network_new(const sdn_arch *arch, sdn_network **out, sdn_err *err)
{
  *out = NULL;
  if (check_arch(arch, err)) return err->status;
  sdn_network *net = sdn_alloc(1, sizeof *net, "a network", err);
  if (!net) return err->status;
  net->arch = *arch;
  net->head = sdn_heads[arch->head];
  net->encoder = sdn_encoders[arch->encoder];
  if (make(net, err)) {
    sdn_network_free(net);
    return err->status;
  }
  *out = net;
  return SDN_OK;
}

void sdn_network_free(sdn_network *net)
{
  if (!net) return;
  net->encoder->release(net->encoder_plan);
  net->head->release(net->head_plan);
  sdn_dense_clear(&net->context);
  sdn_release(net);
}

void sdn_network_mask(const sdn_network *net, float *block)
{
  if (net->head->mask) net->head->mask(net, block);
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
  sdn_network_mask(net, weights);
  net->head->initialise(net, weights);
}

long sdn_network_n_weight(const sdn_network *net)
{
  long n = 0;
  for (int i = 0; i < net->n_weight; i++) n += (long)net->weight[i].n_row * (net->weight[i].n_col > 0 ? net->weight[i].n_col : 1);
  return n;
}

/* ------------------------------------------------------------------ density */

static sdn_status take(sdn_arena *arena, int n, float **to, sdn_err *err)
{
  *to = sdn_arena_take(arena, (size_t)n * SDN_ROWS, sizeof(float), err);
  return *to ? SDN_OK : err->status;
}

sdn_status sdn_tile_work_new(const sdn_network *net, sdn_arena *arena, sdn_tile_work *w, sdn_err *err)
{
  const sdn_arch *a = &net->arch;
  if (take(arena, a->n_feature, &w->x_t, err) || take(arena, a->n_free, &w->z, err) || take(arena, a->n_context, &w->context, err) ||
      take(arena, net->n_given, &w->given, err) || take(arena, a->n_context, &w->turned, err) || take(arena, a->n_context, &w->by_context, err))
    return err->status;
  return net->encoder->work_new(net, arena, &w->encoder, err) ? err->status : net->head->work_new(net, arena, &w->head, err);
}

void sdn_network_encode(const sdn_network *net, const float *weights, sdn_tile_work *w)
{
  net->encoder->forward(net, weights, w->encoder, w->x_t, w->context);
  sdn_gemm_run(net->context.forward, weights + net->weight[net->at_context].offset, w->context, w->given);
}

void sdn_network_head_density(const sdn_network *net, const float *weights, sdn_tile_work *w, double *ln_q)
{
  net->head->density(net, weights, w->head, w->given, w->z, ln_q);
}

void sdn_network_density(const sdn_network *net, const float *weights, sdn_tile_work *w, double *ln_q)
{
  sdn_network_encode(net, weights, w);
  sdn_network_head_density(net, weights, w, ln_q);
}

void sdn_dense_gradient(const sdn_network *net, const sdn_dense *d, int weight, const float *by_y, const float *x_t, bool add, float *gradient)
{
  sdn_gemm_run(add ? d->gradient_add : d->gradient, by_y, x_t, gradient + net->weight[weight].offset);
  sdn_row_sums(d->n_out, by_y, add, gradient + net->weight[weight + 1].offset);
}

void sdn_network_gradient(const sdn_network *net, const float *weights, sdn_tile_work *w, const float *row_weight, bool add, float *gradient)
{
  net->head->gradient(net, weights, w->head, w->given, row_weight, add, gradient);
  sdn_transpose(net->arch.n_context, SDN_ROWS, w->context, w->turned);
  sdn_dense_gradient(net, &net->context, net->at_context, w->given, w->turned, add, gradient);
  sdn_gemm_run(net->context.backward, weights + net->weight[net->at_context].offset, w->given, w->by_context);
  net->encoder->backward(net, weights, w->encoder, w->x_t, w->by_context, add, gradient);
}

void sdn_network_first(const sdn_network *net, const float *weights, sdn_tile_work *w, const float *z0, double *cdf, double *ln_q)
{
  net->head->first(net, weights, w->head, w->given, z0, cdf, ln_q);
}

/* ------------------------------------------------------------------ draws */

bool sdn_network_picks(const sdn_network *net) { return net->head->picks; }

sdn_status sdn_draw_work_new(const sdn_network *net, sdn_arena *arena, sdn_draw_work *w, sdn_err *err)
{
  if (take(arena, net->arch.n_free, &w->y, err) || take(arena, 1, &w->pick, err)) return err->status;
  return net->head->draw_new(net, arena, &w->head, err);
}

void sdn_draw_galaxy(const sdn_network *net, const float *weights, sdn_draw_work *w, const float *given, const float *first)
{
  net->head->galaxy(net, weights, w->head, given, first);
}

void sdn_draw(const sdn_network *net, const float *weights, sdn_draw_work *w, double *ln_q) { net->head->draw(net, weights, w->head, w->pick, w->y, ln_q); }
