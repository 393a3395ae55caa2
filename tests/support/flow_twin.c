/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/flow_twin.h"

#include "learn/flow.h"
#include "support/head_twin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "learn/core_affine.h"
#include "learn/spline.h"

twin_map twin_spline(int n_bin, const double *x_knot, const double *y_knot, const double *slope, double x)
{
  if (!(x >= x_knot[0] && x < x_knot[n_bin])) return (twin_map){x, 0};
  int k = 0;
  while (x >= x_knot[k + 1]) k++;
  const double w = x_knot[k + 1] - x_knot[k], h = y_knot[k + 1] - y_knot[k], s = h / w, t = (x - x_knot[k]) / w;
  const double den = s + (slope[k + 1] + slope[k] - 2 * s) * t * (1 - t);
  const double y = y_knot[k] + h * (s * t * t + slope[k] * t * (1 - t)) / den;
  const double dydx = s * s * (slope[k + 1] * t * t + 2 * s * t * (1 - t) + slope[k] * (1 - t) * (1 - t)) / (den * den);
  return (twin_map){y, log(dydx)};
}

twin_map twin_core(const double raw[2], double x)
{
  const double m = (double)SDN_CORE_MAX_SHIFT, b = (double)SDN_CORE_BOUND, k = (double)SDN_CORE_HALF;
  const double limit = raw[1] > 0 ? (double)SDN_CORE_LN_LARGEST : (double)SDN_CORE_LN_SMALLEST;
  const double mu = raw[0] / sqrt(1 + raw[0] * raw[0] / (m * m)), s = exp(raw[1] / (1 + fabs(raw[1]) / limit));
  const double x_knot[] = {-b, mu - k * s, mu + k * s, b}, y_knot[] = {-b, -k, k, b}, slope[] = {1, 1 / s, 1 / s, 1};
  return twin_spline(3, x_knot, y_knot, slope, x);
}

static void running_shares(int n, const double *raw, double *knot)
{
  const double b = (double)SDN_SPLINE_BOUND, least = (double)SDN_SPLINE_MIN_BIN;
  double total = 0, at = 0;
  for (int i = 0; i < n; i++) total += exp(raw[i]);
  for (int i = 0; i <= n; i++) {
    knot[i] = b * (2 * at - 1);
    if (i < n) at += least + (1 - least * n) * exp(raw[i]) / total;
  }
  knot[n] = b;
}

twin_map twin_raw_spline(int n_bin, const double *raw, double x)
{
  double x_knot[SDN_SPLINE_MAX_BIN + 1], y_knot[SDN_SPLINE_MAX_BIN + 1], slope[SDN_SPLINE_MAX_BIN + 1];
  const double least = (double)SDN_SPLINE_MIN_SLOPE, shift = log(exp(1 - least) - 1);
  running_shares(n_bin, raw, x_knot);
  running_shares(n_bin, raw + n_bin, y_knot);
  slope[0] = slope[n_bin] = 1;
  for (int i = 1; i < n_bin; i++) slope[i] = least + log1p(exp(raw[2 * n_bin + i - 1] + shift));
  return twin_spline(n_bin, x_knot, y_knot, slope, x);
}

static double silu(double v) { return v / (1 + exp(-v)); }

/* out [n_out] = W in + bias */
static void dense(const sdn_network *net, const double *weights, int which, const double *in, double *out)
{
  const sdn_weight *w = &net->weight[which], *bias = &net->weight[which + 1];
  for (int i = 0; i < w->n_row; i++) {
    out[i] = weights[bias->offset + (size_t)i];
    for (int j = 0; j < w->n_col; j++) out[i] += weights[w->offset + (size_t)(i * w->n_col + j)] * in[j];
  }
}

static void encode(const sdn_network *net, const double *weights, const double *x, double *given)
{
  const int e = net->arch.n_encoder, depth = net->arch.n_depth, at = net->at_encoder;   /* input, hidden layers, output; each with its bias */
  double *h = malloc((size_t)(2 * e + net->arch.n_context) * sizeof *h), *next = h + e, *context = next + e;
  dense(net, weights, at, x, h);
  for (int i = 0; i < e; i++) h[i] = silu(h[i]);
  for (int k = 0; k < depth; k++) {
    dense(net, weights, at + 2 + 2 * k, h, next);
    for (int i = 0; i < e; i++) h[i] += silu(next[i]);
  }
  dense(net, weights, at + 2 + 2 * depth, h, context);
  dense(net, weights, net->at_context, context, given);
  free(h);
}

static double weight_at(const sdn_network *net, const double *weights, int layer, int which, int i, int j)
{
  const sdn_weight *w = sdn_flow_weight(net, layer, which);
  return weights[w->offset + (size_t)(i * (w->n_col > 0 ? w->n_col : 1) + j)];
}

/* One layer: y [D] in coordinate order, replaced; returns the sum of ln slopes. `head` [H + P] of this layer. */
static double layer(const sdn_network *net, const double *weights, int t, const double *head, double *y)
{
  const sdn_flow *f = net->head_plan;
  const int d = f->n_free, h = f->n_hidden;
  double in[SDN_MAX_FREE], *h1 = malloc((size_t)(2 * h + f->n_out + 1) * sizeof *h1), *h2 = h1 + h, *raw = h2 + h, sum = 0;
  for (int i = 0; i < d; i++) in[i] = y[f->order[t][i]];
  for (int u = 0; u < h; u++) {
    double a = head[u];
    for (int i = 0; i < d; i++) a += weight_at(net, weights, t, SDN_FLOW_INPUT, u, i) * in[i];
    h1[u] = silu(a);
  }
  for (int u = 0; u < h; u++) {
    double a = weight_at(net, weights, t, SDN_FLOW_HIDDEN_BIAS, u, 0);
    for (int v = 0; v < h; v++) a += weight_at(net, weights, t, SDN_FLOW_HIDDEN, u, v) * h1[v];
    h2[u] = h1[u] + silu(a);
  }
  for (int i = 0; i < d; i++) {
    for (int k = 0; k < f->n_raw[i]; k++) {
      raw[k] = head[h + f->out_at[i] + k];
      for (int u = 0; u < f->n_seen[i]; u++) raw[k] += weight_at(net, weights, t, SDN_FLOW_OUTPUT, f->out_at[i] + k, u) * h2[u];
    }
    const twin_map core = twin_core(raw, in[i]), spline = f->n_bin[i] > 0 ? twin_raw_spline(f->n_bin[i], raw + 2, core.y) : (twin_map){core.y, 0};
    y[f->order[t][i]] = spline.y;
    sum += core.ln_slope + spline.ln_slope;
  }
  free(h1);
  return sum;
}

double twin_ln_q(const sdn_network *net, const double *weights, const double *x, const double *z)
{
  const sdn_flow *f = net->head_plan;
  const int d = net->arch.n_free;
  double y[SDN_MAX_FREE], ln_q = 0, *head = malloc((size_t)net->n_given * sizeof *head);
  memcpy(y, z, (size_t)d * sizeof *y);
  encode(net, weights, x, head);
  if (net->arch.head == SDN_HEAD_MIXTURE || net->arch.head == SDN_HEAD_COUPLING) {
    ln_q = net->arch.head == SDN_HEAD_MIXTURE ? twin_mixture(net, head, z) : twin_coupling(net, weights, head, z);
    free(head);
    return ln_q;
  }
  for (int t = 0; t < net->arch.n_layer; t++) ln_q += layer(net, weights, t, head + t * f->n_given, y);
  for (int i = 0; i < d; i++) ln_q -= 0.5 * y[i] * y[i] + 0.5 * log(2 * 3.14159265358979323846);
  free(head);
  return ln_q;
}
