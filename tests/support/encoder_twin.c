/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/encoder_twin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST 1024   /* numbers in any layer */

static double silu(double v) { return v / (1 + exp(-v)); }

/* Weights from number `first` on of the vector or matrix encoder/NAME. */
static const double *named(const sdn_network *net, const double *weights, const char *name, int number)
{
  char full[48], text[32];
  snprintf(text, sizeof text, name, number);
  snprintf(full, sizeof full, "encoder/%s", text);
  for (int i = 0; i < net->n_weight; i++)
    if (strcmp(net->weight[i].name, full) == 0) return weights + net->weight[i].offset;
  abort();
}

/* sum_j W_ij in_j + b */
static double affine(const double *w, int n_in, int i, const double *in, double b)
{
  for (int j = 0; j < n_in; j++) b += w[i * n_in + j] * in[j];
  return b;
}

static void residual(const sdn_network *net, const double *weights, int n_in, const double *x, double *context)
{
  const int e = net->arch.n_encoder;
  double h[MOST], next[MOST];
  for (int i = 0; i < e; i++) h[i] = silu(affine(named(net, weights, "input", 0), n_in, i, x, named(net, weights, "input_bias", 0)[i]));
  for (int k = 0; k < net->arch.n_depth; k++) {
    for (int i = 0; i < e; i++) next[i] = h[i] + silu(affine(named(net, weights, "hidden%d", k), e, i, h, named(net, weights, "hidden%d_bias", k)[i]));
    memcpy(h, next, sizeof h);
  }
  for (int i = 0; i < net->arch.n_context; i++) context[i] = affine(named(net, weights, "output", 0), e, i, h, named(net, weights, "output_bias", 0)[i]);
}

static void set(const sdn_network *net, const double *weights, const double *x, double *context)
{
  const sdn_arch *a = &net->arch;
  const int e = a->n_token_hidden, group = a->exchangeable > 0 ? a->exchangeable : 1, n = a->n_token / group, n_kind = a->n_feature / a->n_token, n_in = n_kind * group;
  double h[32][64], sum[64], point[64];
  bool present[32];
  for (int b = 0; b < n; b++) {
    const int own = a->exchangeable > 0 ? 0 : b * e;
    present[b] = a->n_present == 0;
    for (int j = 0; j < group; j++) {
      for (int k = 0; k < n_kind; k++) point[k * group + j] = x[k * a->n_token + b * group + j];
      if (a->n_present > 0 && point[(a->n_present - 1) * group + j] >= 0) present[b] = true;
    }
    for (int i = 0; i < e; i++)
      h[b][i] = present[b] ? silu(affine(named(net, weights, "token", 0), n_in, own + i, point, named(net, weights, "token_bias", 0)[own + i])) : 0;
  }
  for (int layer = 0; layer <= a->n_token_depth; layer++) {
    for (int i = 0; i < e; i++) {
      sum[i] = 0;
      for (int b = 0; b < n; b++) sum[i] += h[b][i] / sqrt(n);
    }
    for (int b = 0; layer < a->n_token_depth && b < n; b++) {
      double old[64];
      memcpy(old, h[b], sizeof old);
      for (int i = 0; present[b] && i < e; i++) {
        const double shared = affine(named(net, weights, "mix%d_sum", layer), e, i, sum, named(net, weights, "mix%d_bias", layer)[i]);
        h[b][i] = old[i] + silu(affine(named(net, weights, "mix%d", layer), e, i, old, shared));
      }
    }
  }
  residual(net, weights, e, sum, context);
}

static void convolution(const sdn_network *net, const double *weights, const double *x, double *context)
{
  const sdn_arch *a = &net->arch;
  const int n_kind = a->n_feature / a->n_token, e = a->n_token_hidden;
  int n_place = a->n_pixel, n_in = n_kind, n_end;
  double h[MOST] = {0}, next[MOST];
  for (int i = 0; i < n_place; i++)
    for (int k = 0; k < n_kind; k++) h[i * n_kind + k] = x[k * a->n_token + a->first_pixel + i];
  for (int layer = 0; layer < a->n_token_depth; layer++, n_in = e) {
    const int above = n_place > 5 ? (n_place - 4) / 2 + 1 : 1;   /* windows of 5, two apart, until the last place is seen */
    memset(next, 0, sizeof next);
    for (int j = 0; j < above; j++)
      for (int i = 0; i < e; i++)
        next[j * e + i] = silu(affine(named(net, weights, "convolution%d", layer), 5 * n_in, i, h + 2 * j * n_in, named(net, weights, "convolution%d_bias", layer)[i]));
    memcpy(h, next, sizeof h);
    n_place = above;
  }
  n_end = n_place * e;
  for (int b = 0; b < a->n_token; b++)
    for (int k = 0; k < n_kind && (b < a->first_pixel || b >= a->first_pixel + a->n_pixel); k++) h[n_end++] = x[k * a->n_token + b];
  residual(net, weights, n_end, h, context);
}

void twin_encode(const sdn_network *net, const double *weights, const double *x, double *context)
{
  if (net->arch.encoder == SDN_ENCODER_SET) set(net, weights, x, context);
  else if (net->arch.encoder == SDN_ENCODER_CONVOLUTION) convolution(net, weights, x, context);
  else residual(net, weights, net->arch.n_feature, x, context);
}
