/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Elementary functions in float32 that a compiler can turn into vector instructions: no calls, no branches.
 * Polynomials: Cephes (Moshier 1989), expf and logf. Measured against the C library in tests/unit/test_layers.c. */
#ifndef SDN_BASE_FASTMATH_H
#define SDN_BASE_FASTMATH_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/vector.h"

SDN_INLINE float sdn_clamp(float x, float low, float high)
{
  x = low > x ? low : x;   /* this way round a NaN stays a NaN */
  return high < x ? high : x;
}

/* x, but no farther from zero than m. Cheaper than two comparisons, which gcc does not turn into min and max. */
SDN_INLINE float sdn_limit(float x, float m)
{
  float a = fabsf(x);
  a = m < a ? m : a;
  return copysignf(a, x);
}

/* e^x for |x| <= 87, relative error < 2e-7. */
SDN_INLINE float sdn_exp_near(float x)
{
  const float round = 12582912.0f;   /* 1.5 * 2^23: adding it leaves the integer part in the lowest bits */
  const float shifted = x * 1.44269504088896341f + round;
  const float n = shifted - round;
  float r = x - n * 0.693359375f;
  r = r + n * 2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  const float mantissa = p * (r * r) + r + 1.0f;
  uint32_t bits;
  memcpy(&bits, &shifted, 4);
  bits = (bits << 23) + 0x3f800000u;
  float scale;
  memcpy(&scale, &bits, 4);
  return mantissa * scale;
}

/* e^x; x beyond +-87 is taken as the nearer end. */
SDN_INLINE float sdn_expf(float x) { return sdn_exp_near(sdn_limit(x, 87.0f)); }

/* ln x for normal x > 0, absolute error < 2e-7 near 1, relative < 2e-7 elsewhere. */
SDN_INLINE float sdn_logf(float x)
{
  uint32_t bits;
  memcpy(&bits, &x, 4);
  const int32_t exponent = (int32_t)(bits - 0x3f3504f3u) >> 23;   /* so that the rest lies in [sqrt(1/2), sqrt(2)) */
  bits -= (uint32_t)exponent << 23;
  float f;
  memcpy(&f, &bits, 4);
  f -= 1.0f;
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float square = f * f, e = (float)exponent;
  float y = p * f * square;
  y = y + e * -2.12194440e-4f;
  y = y - 0.5f * square;
  return (f + y) + e * 0.693359375f + (x - x);   /* x - x: a NaN or infinity shows */
}

/* e^-|x| */
SDN_INLINE float sdn_exp_falling(float x)
{
  float a = fabsf(x);
  a = 87.0f < a ? 87.0f : a;
  return sdn_exp_near(-a);
}

SDN_INLINE float sdn_sigmoidf(float x)
{
  const float e = sdn_exp_falling(x), inv = 1.0f / (1.0f + e);
  return x < 0.0f ? e * inv : inv;
}

/* ln(1 + e^x), absolute error < 2e-7 (relative for large x). */
SDN_INLINE float sdn_softplusf(float x)
{
  const float positive = x > 0.0f ? x : 0.0f;
  return positive + sdn_logf(1.0f + sdn_exp_falling(x));
}

#endif
