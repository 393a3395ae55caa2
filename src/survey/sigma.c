/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "survey/sigma.h"

#include <math.h>

#include "base/special.h"

static double log_interpolated(int n, const double *value, double probability)
{
  const double x = probability * (n - 1);
  const int i = x < n - 2 ? (int)x : n - 2;
  return value[i] * pow(value[i + 1] / value[i], x - i);
}

void sdn_sigma_set(sdn_sigma *d, int n, const double *value)
{
  d->constant = !(value[n - 1] > value[0]);
  d->low = value[0];
  d->high = value[n - 1];
  d->median = d->constant ? value[0] : log_interpolated(n, value, 0.5);
  for (int i = 0; i < SDN_SIGMA_N_NODE; i++) {
    const double t = -SDN_SIGMA_T_MAX + (double)i / SDN_SIGMA_NODE_PER_T;
    d->node[i] = (float)(d->constant ? value[0] : log_interpolated(n, value, sdn_normal_cdf(t)));
  }
  d->node[0] = (float)d->low;
  d->node[SDN_SIGMA_N_NODE - 1] = d->node[SDN_SIGMA_N_NODE] = (float)d->high;
}

double sdn_sigma_at(const sdn_sigma *d, double t)
{
  const double x = (t + SDN_SIGMA_T_MAX) * SDN_SIGMA_NODE_PER_T;
  if (!(x > 0)) return d->node[0];
  if (x >= SDN_SIGMA_N_NODE - 1) return d->node[SDN_SIGMA_N_NODE - 1];
  const int i = (int)x;
  return (double)d->node[i] + (x - i) * ((double)d->node[i + 1] - (double)d->node[i]);
}

/* How many nodes are below sigma, or below or equal to it. */
static int count_nodes(const sdn_sigma *d, double sigma, bool or_equal)
{
  int low = 0, high = SDN_SIGMA_N_NODE;
  while (low < high) {
    const int middle = (low + high) / 2;
    if ((double)d->node[middle] < sigma || (or_equal && (double)d->node[middle] <= sigma)) low = middle + 1;
    else high = middle;
  }
  return low;
}

static double node_t(double i) { return -SDN_SIGMA_T_MAX + i / SDN_SIGMA_NODE_PER_T; }

double sdn_sigma_rank(const sdn_sigma *d, double sigma, double *ln_slope)
{
  *ln_slope = 0;
  if (d->constant) return 0;
  const double clamped = fmin(fmax(sigma, d->node[0]), d->node[SDN_SIGMA_N_NODE - 1]);
  const int below = count_nodes(d, clamped, false), upto = count_nodes(d, clamped, true);
  if (upto - below > 1) return node_t(0.5 * (below + upto - 1));
  const int i = below > 0 ? below - 1 : 0;   /* node[i] < sigma <= node[i + 1], or the lower end */
  const double step = (double)d->node[i + 1] - (double)d->node[i];
  *ln_slope = -log(step * SDN_SIGMA_NODE_PER_T);
  return node_t(i + (clamped - (double)d->node[i]) / step);
}
