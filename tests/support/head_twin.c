/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/head_twin.h"

#include <math.h>
#include <string.h>

#define LN_2PI 1.8378770664093453

/* ------------------------------------------------------------------ mixture: the formulas at the top of head_mixture.c */

static double bend(double r, double most) { return r / sqrt(1 + r * r / (most * most)); }

/* ln N of a component whose raw numbers are r: D means, D scales, D (D - 1) / 2 slants. */
static double ln_component(int d, const double *r, const double *z)
{
  const double *slant = r + 2 * d;
  double sum = -0.5 * d * LN_2PI;
  for (int i = 0; i < d; i++) {
    double u = z[i] - bend(r[i], 6);
    for (int j = 0; j < i; j++) u += bend(*slant++, 30) * (z[j] - bend(r[j], 6));
    const double ln_a = r[d + i] / (1 + fabs(r[d + i]) / (r[d + i] > 0 ? 7 : 1)), e = exp(ln_a) * u;
    sum += ln_a - 0.5 * e * e;
  }
  return sum;
}

double twin_mixture(const sdn_network *net, const double *given, const double *z)
{
  const int d = net->arch.n_free, n = net->arch.n_component, n_own = 2 * d + d * (d - 1) / 2;
  const double floor = 1e-4;
  double total = 0, q = 0, prior = -0.5 * d * LN_2PI;
  for (int i = 0; i < d; i++) prior -= 0.5 * z[i] * z[i];
  for (int k = 0; k <= n; k++) total += exp(given[k]);
  q = (floor + (1 - floor) * exp(given[0]) / total) * exp(prior);
  for (int k = 1; k <= n; k++) q += (1 - floor) * exp(given[k]) / total * exp(ln_component(d, given + n + 1 + (k - 1) * n_own, z));
  return log(q);
}

/* ------------------------------------------------------------------ coupling: the formulas at the top of head_coupling.c */

static double silu(double v) { return v / (1 + exp(-v)); }

static const double *matrix(const sdn_network *net, const double *weights, int layer, int which) { return weights + net->weight[net->at_head + 4 * layer + which].offset; }

static double map(int n_bin, const double *raw, double *y)
{
  const twin_map core = twin_core(raw, *y), spline = twin_raw_spline(n_bin, raw + 2, core.y);
  *y = spline.y;
  return core.ln_slope + spline.ln_slope;
}

/* One layer on y [D]; y[0] holds z_0, which stays. Returns the sum of ln slopes and moves *given on. */
static double coupling_layer(const sdn_network *net, const double *weights, int t, const double **given, double *y)
{
  const int d = net->arch.n_free, h = net->arch.n_hidden, n_bin = net->arch.n_bin, n_raw = 2 + 3 * n_bin - 1;
  double in[SDN_MAX_FREE], h1[256], h2[256], raw[512], sum = 0;
  int n_in = 1, moved = 0;
  in[0] = y[0];
  for (int i = 1; i < d; i++)
    if (d > 2 && i % 2 != t % 2) in[n_in++] = y[i];
  for (int u = 0; u < h; u++) {
    double a = (*given)[u];
    for (int j = 0; j < n_in; j++) a += matrix(net, weights, t, 0)[u * n_in + j] * in[j];
    h1[u] = silu(a);
  }
  for (int u = 0; u < h; u++) {
    double a = matrix(net, weights, t, 2)[u];
    for (int v = 0; v < h; v++) a += matrix(net, weights, t, 1)[u * h + v] * h1[v];
    h2[u] = h1[u] + silu(a);
  }
  for (int i = 1; i < d; i++) {
    if (!(d == 2 || i % 2 == t % 2)) continue;
    for (int k = 0; k < n_raw; k++) {
      raw[k] = (*given)[h + moved * n_raw + k];
      for (int u = 0; u < h; u++) raw[k] += matrix(net, weights, t, 3)[(moved * n_raw + k) * h + u] * h2[u];
    }
    sum += map(n_bin, raw, &y[i]);
    moved++;
  }
  *given += h + moved * n_raw;
  return sum;
}

double twin_coupling(const sdn_network *net, const double *weights, const double *given, const double *z)
{
  const int d = net->arch.n_free, n_raw_first = 2 + 3 * net->arch.n_bin_first - 1;
  double y[SDN_MAX_FREE], first = z[0], sum = 0;
  memcpy(y, z, (size_t)d * sizeof *y);
  for (int t = 0; t < net->arch.n_layer; t++) sum += map(net->arch.n_bin_first, given + t * n_raw_first, &first);
  given += net->arch.n_layer * n_raw_first;
  for (int t = 0; t < net->arch.n_layer && d > 1; t++) sum += coupling_layer(net, weights, t, &given, y);
  sum -= 0.5 * first * first + 0.5 * LN_2PI;
  for (int i = 1; i < d; i++) sum -= 0.5 * y[i] * y[i] + 0.5 * LN_2PI;
  return sum;
}
