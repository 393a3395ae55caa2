/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/core_affine.h"

#include "learn/rational_quadratic.h"

#define B SDN_CORE_BOUND
#define K SDN_CORE_HALF

typedef struct affine { float mu, s, by_mu, by_ln_s; } affine;   /* and the derivatives of mu and ln s by their raw numbers */

SDN_INLINE affine read_affine(float raw_mu, float raw_s)
{
  const float scaled = raw_mu * (1.0f / SDN_CORE_MAX_SHIFT), square = 1.0f + scaled * scaled, inv = 1.0f / sqrtf(square);
  const float bend = fabsf(raw_s) * (raw_s > 0.0f ? 1.0f / SDN_CORE_LN_LARGEST : 1.0f / SDN_CORE_LN_SMALLEST);
  const float shrink = 1.0f / (1.0f + bend);
  return (affine){.mu = raw_mu * inv, .s = sdn_expf(raw_s * shrink), .by_mu = inv / square, .by_ln_s = shrink * shrink};
}

/* The bin beyond the core on the side of `upper`. */
SDN_INLINE sdn_rq outer_bin(affine a, bool upper)
{
  const float edge = upper ? a.mu + K * a.s : a.mu - K * a.s, steep = 1.0f / a.s;
  sdn_rq b;
  b.x0 = upper ? edge : -B;
  b.w = upper ? B - edge : edge + B;
  b.y0 = upper ? K : -B;
  b.h = B - K;
  b.d0 = upper ? steep : 1.0f;
  b.d1 = upper ? 1.0f : steep;
  return b;
}

SDN_CLONES
void sdn_core_forward(const float *raw, const float *bias, const float *x, float *y, double *ln_slope, sdn_core_trace *trace)
{
  const float bias_mu = bias[0], bias_s = bias[1];
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    const affine a = read_affine(raw[r] + bias_mu, raw[SDN_ROWS + r] + bias_s);
    const float u = (x[r] - a.mu) / a.s;
    float slope, outer = sdn_rq_forward(outer_bin(a, u > 0.0f), x[r], &slope);
    const bool core = fabsf(u) <= K, inside = fabsf(x[r]) < B;
    y[r] = core ? u : inside ? outer : x[r];
    ln_slope[r] += (double)(core ? -sdn_logf(a.s) : inside ? slope : 0.0f);
    trace->mu[r] = a.mu;
    trace->s[r] = a.s;
    trace->by_mu[r] = a.by_mu;
    trace->by_ln_s[r] = a.by_ln_s;
  }
}

SDN_CLONES
void sdn_core_backward(float *raw, const float *x, const float *by_y, const float *by_ln_slope, const sdn_core_trace *trace, float *by_x)
{
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    const affine a = {.mu = trace->mu[r], .s = trace->s[r], .by_mu = trace->by_mu[r], .by_ln_s = trace->by_ln_s[r]};
    const float inv_s = 1.0f / a.s, u = (x[r] - a.mu) * inv_s, gy = by_y[r], gl = by_ln_slope[r];
    const bool upper = u > 0.0f, core = fabsf(u) <= K, inside = fabsf(x[r]) < B;
    const sdn_rq_gradient g = sdn_rq_backward(outer_bin(a, upper), x[r], gy, gl);
    const float by_edge = upper ? g.x0 : g.x1, by_steep = upper ? g.d0 : g.d1, side = upper ? K : -K;
    const float outer_mu = inside ? by_edge : 0.0f, outer_ln_s = inside ? by_edge * side * a.s - by_steep * inv_s : 0.0f;
    by_x[r] = core ? gy * inv_s : inside ? g.x : gy;
    raw[r] = a.by_mu * (core ? -gy * inv_s : outer_mu);
    raw[SDN_ROWS + r] = a.by_ln_s * (core ? -gy * u - gl : outer_ln_s);
  }
}

SDN_CLONES
void sdn_core_inverse(const float *raw, const float *bias, const float *y, float *x, double *ln_slope)
{
  const float bias_mu = bias[0], bias_s = bias[1];
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    const affine a = read_affine(raw[r] + bias_mu, raw[SDN_ROWS + r] + bias_s);
    float slope;
    const float outer = sdn_rq_inverse(outer_bin(a, y[r] > 0.0f), y[r], &slope);
    const bool core = fabsf(y[r]) <= K, inside = fabsf(y[r]) < B;
    x[r] = core ? a.mu + a.s * y[r] : inside ? outer : y[r];
    ln_slope[r] += (double)(core ? -sdn_logf(a.s) : inside ? slope : 0.0f);
  }
}
