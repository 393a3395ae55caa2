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

SDN_CLONES static void screen(int n, const float *restrict curve, float tau, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] = exp_near(-tau * curve[j]);
}

SDN_CLONES static void screen_more(int n, const float *restrict curve, float tau, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] *= exp_near(-tau * curve[j]);
}

void sdn_kernel_screen(int n, const float *curve, float tau, bool more, float *restrict out)
{
  if (more)
    screen_more(n, curve, tau, out);
  else
    screen(n, curve, tau, out);
}

SDN_CLONES void sdn_kernel_cover(int n, float covering, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] = (1 - covering) + covering * out[j];
}

SDN_CLONES static void set_one(int n, float share, const float *restrict a, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] = share * a[j];
}

SDN_CLONES static void set_two(int n, float share, const float *restrict a, float gas, const float *restrict b, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] = share * (a[j] + gas * b[j]);
}

SDN_CLONES static void dim(int n, const float *restrict factor, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] *= factor[j];
}

SDN_CLONES static void add_escaped(int n, float share, const float *restrict a, float *restrict out)
{
  for (int j = 0; j < n; j++) out[j] += share * a[j];
}

/* One beam alone. */
static void blend_first(int n, const sdn_blend *b, float *restrict out)
{
  const float inside = 1 - b->escape, outside = b->escape;
  if (b->nebular)
    set_two(n, inside, b->transmitted, b->gas, b->nebular, out);
  else
    set_one(n, inside, b->transmitted, out);
  if (b->screen) dim(n, b->screen, out);
  if (!(outside > 0)) return;
  add_escaped(n, outside, b->transmitted, out);
  if (b->taken) add_escaped(n, outside, b->taken, out);
}

void sdn_kernel_blend(int n, const sdn_blend *b, float *restrict out)
{
  float one[64];
  if (b->first) {
    blend_first(n, b, out);
    return;
  }
  for (int j = 0; j < n; j += 64) {   /* by parts that fit the buffer */
    const int m = n - j < 64 ? n - j : 64;
    sdn_blend part = *b;
    part.transmitted += j;
    if (b->taken) part.taken += j;
    if (b->nebular) part.nebular += j;
    if (b->screen) part.screen += j;
    blend_first(m, &part, one);
    add_escaped(m, 1, one, out + j);
  }
}

SDN_CLONES static double taken_one(int n, const float *restrict a, const float *restrict s)
{
  double sum = 0;
  for (int j = 0; j < n; j++) sum += (double)(a[j] * (1 - s[j]));
  return sum;
}

double sdn_kernel_taken(int n, const sdn_blend *b)
{
  if (!b->screen) return 0;
  return taken_one(n, b->transmitted, b->screen) + (b->nebular ? (double)b->gas * taken_one(n, b->nebular, b->screen) : 0);
}

double sdn_kernel_sum(int n, const float *a)
{
  double sum = 0;
  for (int j = 0; j < n; j++) sum += (double)a[j];
  return sum;
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
