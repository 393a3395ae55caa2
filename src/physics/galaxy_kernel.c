/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/galaxy_kernel.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "physics/vector_math.h"

/* exp(x) to 2e-7 relative for -87 < x < 88 (clamped there): x = n ln 2 + r, |r| < ln 2 / 2, Taylor of exp(r) to the seventh power. */
static inline float exp_near(float x)
{
  const float low = -87.0f, high = 88.0f, round = 12582912.0f;   /* 1.5 2^23: adding it rounds to a whole number */
  x = x < low ? low : x;
  x = x > high ? high : x;
  const float n = (x * 1.44269504f + round) - round;
  const float r = (x - n * 0.693145752f) - n * 1.42860677e-6f;   /* ln 2 in two parts */
  float e = 1.98412698e-4f;
  e = e * r + 1.38888889e-3f;
  e = e * r + 8.33333333e-3f;
  e = e * r + 4.16666667e-2f;
  e = e * r + 0.166666667f;
  e = e * r + 0.5f;
  e = e * r + 1.0f;
  e = e * r + 1.0f;
  const uint32_t bits = (uint32_t)((int32_t)n + 127) << 23;
  float power;
  memcpy(&power, &bits, sizeof power);
  return e * power;
}

SDN_CLONES static void dim(int n, const float *restrict curve, float tau, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] *= exp_near(-tau * curve[j]);
}

SDN_CLONES static void add(int n, const float *restrict a, const float *restrict b, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] = a[j] + b[j];
}

SDN_CLONES static void mix(int n, float f, const float *restrict a, const float *restrict b, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] = f * (a[j] + b[j]) + (1 - f) * out[j];
}

SDN_CLONES static void mix_one(int n, float f, const float *restrict a, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] = f * a[j] + (1 - f) * out[j];
}

void sdn_kernel_blend(int n, const sdn_blend *b, float *restrict out)
{
  if (b->nebular)
    add(n, b->transmitted, b->nebular, out);
  else
    memcpy(out, b->transmitted, (size_t)n * sizeof *out);
  if (b->curve && b->tau > 0) dim(n, b->curve, b->tau, out);
  if (!(b->escape > 0)) return;
  if (b->taken)
    mix(n, b->escape, b->transmitted, b->taken, out);
  else
    mix_one(n, b->escape, b->transmitted, out);
}

SDN_CLONES void sdn_kernel_curve(int n, const float *base, const float *drude, const float *ln_wave, const float *p, float *restrict out)
{
  const float slope = p[0], bump = p[1], scale = p[2];
  for (int j = 0; j < n; j++) out[j] = (base[j] + bump * drude[j]) * exp_near(slope * ln_wave[j]) * scale;
}

SDN_CLONES void sdn_kernel_multiply(int n, const float *factor, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] *= factor[j];
}

SDN_CLONES double sdn_kernel_dot(int n, const float *a, const float *b)
{
  enum { LANES = 16 };
  float lane[LANES] = {0};
  double sum = 0;
  int j = 0;
  for (; j + LANES <= n; j += LANES)
    for (int l = 0; l < LANES; l++) lane[l] += a[j + l] * b[j + l];
  for (; j < n; j++) sum += (double)a[j] * (double)b[j];
  for (int l = 0; l < LANES; l++) sum += (double)lane[l];
  return sum;
}
