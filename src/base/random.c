/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/random.h"

#include <Random123/philox.h>
#include <math.h>
#include <string.h>

#include "base/special.h"

sdn_rng sdn_rng_at(uint64_t seed, uint32_t stream, uint64_t row)
{
  return (sdn_rng){.key = {(uint32_t)seed, (uint32_t)(seed >> 32)}, .counter = {0, stream, (uint32_t)row, (uint32_t)(row >> 32)}};
}

/* The four words of the sequence's next block. */
static philox4x32_ctr_t next_block(sdn_rng *rng)
{
  const philox4x32_ctr_t counter = {{rng->counter[0], rng->counter[1], rng->counter[2], rng->counter[3]}};
  const philox4x32_key_t key = {{rng->key[0], rng->key[1]}};
  rng->counter[0]++;
  return philox4x32(counter, key);
}

uint32_t sdn_rng_bits(sdn_rng *rng)
{
  if (rng->n_left == 0) {
    const philox4x32_ctr_t words = next_block(rng);
    memcpy(rng->word, words.v, sizeof rng->word);
    rng->n_left = 4;
  }
  return rng->word[4 - rng->n_left--];
}

static uint64_t bits64(sdn_rng *rng)
{
  const uint64_t high = sdn_rng_bits(rng);
  return high << 32 | sdn_rng_bits(rng);
}

/* The middles of 2^52 equal cells: the last is 1 - 2^-53, which a double still holds. */
double sdn_rng_uniform(sdn_rng *rng) { return ((double)(bits64(rng) >> 12) + 0.5) * 0x1p-52; }

double sdn_rng_normal(sdn_rng *rng) { return sdn_normal_quantile(sdn_rng_uniform(rng)); }

long sdn_rng_below(sdn_rng *rng, long n)
{
  if (n <= 1) return 0;
  const uint64_t m = (uint64_t)n, excess = (UINT64_MAX % m + 1) % m;   /* 2^64 mod n: so many values too many for a fair share */
  uint64_t bits;
  do bits = bits64(rng);
  while (bits > UINT64_MAX - excess);
  return (long)(bits % m);
}

void sdn_random_permutation(uint64_t seed, uint32_t stream, long n, long *out)
{
  sdn_rng rng = sdn_rng_at(seed, stream, 0);
  for (long i = 0; i < n; i++) {   /* Fisher & Yates 1938, inside out */
    const long j = sdn_rng_below(&rng, i + 1);
    out[i] = out[j];
    out[j] = i;
  }
}

/* sqrt(-2 ln u), u = (word + 1/2) 2^-32, so at most 6.76. Near u = 1 the distance from 1 is taken from the integer, so the smallest radii
 * are as exact as the largest. ln: u = 2^e (1 + f), sqrt(1/2) < 1 + f < sqrt(2), and Cephes' logf polynomial (Moshier 1989). */
static inline float radius_of(uint32_t word)
{
  const bool near_one = word >= 0xb504f334u;   /* sqrt(1/2) 2^32 */
  const float u = (float)(int32_t)(word >> 1) * 2.0f + (float)(int32_t)(word & 1u) + 0.5f;
  uint32_t bits;
  memcpy(&bits, &u, sizeof bits);
  const uint32_t shifted = bits + (0x3f800000u - 0x3f3504f3u);
  const float exponent = near_one ? 0.0f : (float)((int32_t)(shifted >> 23) - 127 - 32);
  const uint32_t mantissa_bits = (shifted & 0x007fffffu) + 0x3f3504f3u;
  float mantissa;
  memcpy(&mantissa, &mantissa_bits, sizeof mantissa);
  const float f = near_one ? ((float)(int32_t)word + 0.5f) * 0x1p-32f : mantissa - 1.0f, f2 = f * f;   /* as signed, word - 2^32 */
  float p = 7.0376836292e-2f;
  p = p * f - 1.1514610310e-1f;
  p = p * f + 1.1676998740e-1f;
  p = p * f - 1.2420140846e-1f;
  p = p * f + 1.4249322787e-1f;
  p = p * f - 1.6668057665e-1f;
  p = p * f + 2.0000714765e-1f;
  p = p * f - 2.4999993993e-1f;
  p = p * f + 3.3333331174e-1f;
  const float ln_u = f - 0.5f * f2 + f * f2 * p + exponent * 0.693147180559945f;
  return sqrtf(-2.0f * ln_u);
}

/* Cosine and sine of the angle 2 pi word / 2^32: the quadrant from the two leading bits, the rest in [-pi/4, pi/4) by Cephes' polynomials. */
static inline void direction_of(uint32_t word, float *cosine, float *sine)
{
  const uint32_t turned = word + 0x20000000u, quadrant = turned >> 30;   /* nearest multiple of pi/2 */
  const float x = (float)((int32_t)(turned << 2 >> 2) - 0x20000000) * (6.283185307179586f * 0x1p-32f), x2 = x * x;
  const float s = x + x * x2 * (-1.6666654611e-1f + x2 * (8.3321608736e-3f - 1.9515295891e-4f * x2));
  const float c = 1.0f - 0.5f * x2 + x2 * x2 * (4.166664568298827e-2f + x2 * (-1.388731625493765e-3f + 2.443315711809948e-5f * x2));
  const float a = quadrant & 1u ? s : c, b = quadrant & 1u ? c : s;
  *cosine = (quadrant + 1u) & 2u ? -a : a;   /* minus in quadrants 1 and 2 */
  *sine = quadrant & 2u ? -b : b;
}

#define BATCH 64   /* blocks of four normals made together */

void sdn_rng_normals(sdn_rng *rng, long n, float *out)
{
  uint32_t word[4][BATCH];
  float normal[BATCH][4];
  rng->n_left = 0;
  for (long done = 0; done < n;) {
    const long left = n - done, n_block = left >= 4 * BATCH ? BATCH : (left + 3) / 4, n_now = left < 4 * n_block ? left : 4 * n_block;
    for (long b = 0; b < n_block; b++) {
      const philox4x32_ctr_t words = next_block(rng);
      for (int w = 0; w < 4; w++) word[w][b] = words.v[w];
    }
    for (long b = 0; b < n_block; b++) {   /* Box & Muller 1958, twice */
      float c0, s0, c1, s1;
      const float r0 = radius_of(word[0][b]), r1 = radius_of(word[2][b]);
      direction_of(word[1][b], &c0, &s0);
      direction_of(word[3][b], &c1, &s1);
      normal[b][0] = r0 * c0;
      normal[b][1] = r0 * s0;
      normal[b][2] = r1 * c1;
      normal[b][3] = r1 * s1;
    }
    memcpy(out + done, normal, (size_t)n_now * sizeof *out);
    done += n_now;
  }
}
