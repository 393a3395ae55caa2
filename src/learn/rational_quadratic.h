/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One bin of a monotone rational-quadratic spline (Gregory & Delbourgo 1982; Durkan+2019 eqs 4-8, whose symbols are used):
 *   xi = (x - x0) / w,  s = h / w,  q = xi (1 - xi),  sigma = d0 + d1 - 2 s
 *   y = y0 + h (s xi^2 + d0 q) / (s + sigma q)
 *   dy/dx = s^2 (d1 xi^2 + 2 s q + d0 (1 - xi)^2) / (s + sigma q)^2
 * Slopes d0, d1 > 0 at the ends make it monotone, whatever the knots. */
#ifndef SDN_LEARN_RATIONAL_QUADRATIC_H
#define SDN_LEARN_RATIONAL_QUADRATIC_H

#include "learn/kernel.h"

#include "base/fastmath.h"

typedef struct sdn_rq { float x0, w, y0, h, d0, d1; } sdn_rq;                  /* x0..x0+w is mapped on y0..y0+h */
typedef struct sdn_rq_gradient { float x, x0, x1, y0, y1, d0, d1; } sdn_rq_gradient;   /* dL by each; x1 = x0 + w, y1 = y0 + h */

SDN_INLINE float sdn_rq_ln_slope(sdn_rq b, float xi)
{
  const float s = b.h / b.w, q = xi * (1.0f - xi), rest = 1.0f - xi;
  const float den = s + (b.d0 + b.d1 - 2.0f * s) * q;
  const float ratio = s / den;
  return sdn_logf(ratio * ratio * (b.d1 * xi * xi + 2.0f * s * q + b.d0 * rest * rest));
}

SDN_INLINE float sdn_rq_forward(sdn_rq b, float x, float *ln_slope)
{
  const float xi = sdn_clamp((x - b.x0) / b.w, 0.0f, 1.0f), q = xi * (1.0f - xi), s = b.h / b.w;
  const float den = s + (b.d0 + b.d1 - 2.0f * s) * q;
  *ln_slope = sdn_rq_ln_slope(b, xi);
  return b.y0 + b.h * ((s * xi * xi + b.d0 * q) / den);
}

/* dL by the input and the bin's knots, from dL/dy and dL/d ln(dy/dx). */
SDN_INLINE sdn_rq_gradient sdn_rq_backward(sdn_rq b, float x, float by_y, float by_ln_slope)
{
  const float inv_w = 1.0f / b.w, s = b.h * inv_w;
  const float xi = sdn_clamp((x - b.x0) * inv_w, 0.0f, 1.0f), rest = 1.0f - xi, q = xi * rest, slant = 1.0f - 2.0f * xi;
  const float sigma = b.d0 + b.d1 - 2.0f * s, inv_den = 1.0f / (s + sigma * q);
  const float a = (s * xi * xi + b.d0 * q) * inv_den;                       /* y = y0 + h a */
  const float inv_top = 1.0f / (b.d1 * xi * xi + 2.0f * s * q + b.d0 * rest * rest);
  const float a_s = (xi * xi - a * (1.0f - 2.0f * q)) * inv_den, a_xi = (2.0f * s * xi + b.d0 * slant - a * sigma * slant) * inv_den;
  const float l_s = 2.0f / s + 2.0f * q * inv_top - 2.0f * (1.0f - 2.0f * q) * inv_den;
  const float l_xi = 2.0f * (b.d1 * xi + s * slant - b.d0 * rest) * inv_top - 2.0f * sigma * slant * inv_den;
  const float by_a = by_y * b.h;
  const float by_s = by_a * a_s + by_ln_slope * l_s, by_xi = by_a * a_xi + by_ln_slope * l_xi;
  const float by_w = -(by_s * s + by_xi * xi) * inv_w, by_h = by_y * a + by_s * inv_w;
  sdn_rq_gradient g;
  g.x = by_xi * inv_w;
  g.x1 = by_w;
  g.x0 = -g.x - by_w;
  g.y1 = by_h;
  g.y0 = by_y - by_h;
  g.d0 = by_a * q * (1.0f - a) * inv_den + by_ln_slope * (rest * rest * inv_top - 2.0f * q * inv_den);
  g.d1 = -by_a * a * q * inv_den + by_ln_slope * (xi * xi * inv_top - 2.0f * q * inv_den);
  return g;
}

/* x with y(x) = y, and ln(dy/dx) there: the root of Durkan+2019 eq. 29 that stays exact when the quadratic term vanishes, then one Newton step,
 * which takes away what the discriminant loses in float32. */
SDN_INLINE float sdn_rq_inverse(sdn_rq b, float y, float *ln_slope)
{
  const float s = b.h / b.w, sigma = b.d0 + b.d1 - 2.0f * s, e = sdn_clamp(y - b.y0, 0.0f, b.h);
  const float qa = b.h * (s - b.d0) + e * sigma, qb = b.h * b.d0 - e * sigma, qc = -s * e;
  const float discriminant = qb * qb - 4.0f * qa * qc;
  const float root = sqrtf(discriminant > 0.0f ? discriminant : 0.0f), bottom = -qb - root;
  float xi = sdn_clamp(bottom < 0.0f ? 2.0f * qc / bottom : 0.0f, 0.0f, 1.0f);
  const float q = xi * (1.0f - xi), rest = 1.0f - xi, den = s + sigma * q;
  const float a = (s * xi * xi + b.d0 * q) / den, top = b.d1 * xi * xi + 2.0f * s * q + b.d0 * rest * rest;
  xi = sdn_clamp(xi + (e / b.h - a) * den * den / (s * top), 0.0f, 1.0f);
  *ln_slope = sdn_rq_ln_slope(b, xi);
  return b.x0 + xi * b.w;
}

#endif
