/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Owen-scrambled Sobol points with random access (sdn_sobol_point of base/random.h).
 *
 * A Sobol coordinate is the exclusive or of direction numbers V_i, one for each bit i of the index. Here the V_i are kept bit-reversed: the
 * scrambling hash wants its input so, and one reversal at the end serves both. */
#include "base/random.h"

#include <assert.h>
#include <pthread.h>

#define N_BIT 32
#define MAX_DEGREE 9

/* Primitive polynomial (degree s, inner coefficients a as bits) and first direction integers m_1 .. m_s of dimension 2, 3, ..., from Joe &
 * Kuo's table new-joe-kuo-6 (Joe & Kuo 2008, SIAM J. Sci. Comput. 30, 2635). */
static const struct { unsigned degree, inner, m[MAX_DEGREE]; } polynomial[SDN_SOBOL_MAX_DIM - 1] = {
  {1, 0, {1}}, {2, 1, {1, 3}}, {3, 1, {1, 3, 1}}, {3, 2, {1, 1, 1}}, {4, 1, {1, 1, 3, 3}}, {4, 4, {1, 3, 5, 13}},
  {5, 2, {1, 1, 5, 5, 17}}, {5, 4, {1, 1, 5, 5, 5}}, {5, 7, {1, 1, 7, 11, 19}}, {5, 11, {1, 1, 5, 1, 1}}, {5, 13, {1, 1, 1, 3, 11}},
  {5, 14, {1, 3, 5, 5, 31}}, {6, 1, {1, 3, 3, 9, 7, 49}}, {6, 13, {1, 1, 1, 15, 21, 21}}, {6, 16, {1, 3, 1, 13, 27, 49}},
  {6, 19, {1, 1, 1, 15, 7, 5}}, {6, 22, {1, 3, 1, 15, 13, 25}}, {6, 25, {1, 1, 5, 5, 19, 61}}, {7, 1, {1, 3, 7, 11, 23, 15, 103}},
  {7, 4, {1, 3, 7, 13, 13, 15, 69}}, {7, 7, {1, 1, 3, 13, 7, 35, 63}}, {7, 8, {1, 3, 5, 9, 1, 25, 53}},
  {7, 14, {1, 3, 1, 13, 9, 35, 107}}, {7, 19, {1, 3, 1, 5, 27, 61, 31}}, {7, 21, {1, 1, 5, 11, 19, 41, 61}},
  {7, 28, {1, 3, 5, 3, 3, 13, 69}}, {7, 31, {1, 1, 7, 13, 1, 19, 1}}, {7, 32, {1, 3, 7, 5, 13, 19, 59}},
  {7, 37, {1, 1, 3, 9, 25, 29, 41}}, {7, 41, {1, 3, 5, 13, 23, 1, 55}}, {7, 42, {1, 3, 7, 3, 13, 59, 17}},
  {7, 50, {1, 3, 1, 3, 5, 53, 69}}, {7, 55, {1, 1, 5, 5, 23, 33, 13}}, {7, 56, {1, 1, 7, 7, 1, 61, 123}},
  {7, 59, {1, 1, 7, 9, 13, 61, 49}}, {7, 62, {1, 3, 3, 5, 3, 55, 33}}, {8, 14, {1, 3, 1, 15, 31, 13, 49, 245}},
  {8, 21, {1, 3, 5, 15, 31, 59, 63, 97}}, {8, 22, {1, 3, 1, 11, 11, 11, 77, 249}}, {8, 38, {1, 3, 1, 11, 27, 43, 71, 9}},
  {8, 47, {1, 1, 7, 15, 21, 11, 81, 45}}, {8, 49, {1, 3, 7, 3, 25, 31, 65, 79}}, {8, 50, {1, 3, 1, 1, 19, 11, 3, 205}},
  {8, 52, {1, 1, 5, 9, 19, 21, 29, 157}}, {8, 56, {1, 3, 7, 11, 1, 33, 89, 185}}, {8, 67, {1, 3, 3, 3, 15, 9, 79, 71}},
  {8, 70, {1, 3, 7, 11, 15, 39, 119, 27}}, {8, 84, {1, 1, 3, 1, 11, 31, 97, 225}}, {8, 97, {1, 1, 1, 3, 23, 43, 57, 177}},
  {8, 103, {1, 3, 7, 7, 17, 17, 37, 71}}, {8, 115, {1, 3, 1, 5, 27, 63, 123, 213}}, {8, 122, {1, 1, 3, 5, 11, 43, 53, 133}},
  {9, 8, {1, 3, 5, 5, 29, 17, 47, 173, 479}}, {9, 13, {1, 3, 3, 11, 3, 1, 109, 9, 69}}, {9, 16, {1, 1, 1, 5, 17, 39, 23, 5, 343}},
  {9, 22, {1, 3, 1, 5, 25, 15, 31, 103, 499}}, {9, 25, {1, 1, 1, 11, 11, 17, 63, 105, 183}},
  {9, 44, {1, 1, 5, 11, 9, 29, 97, 231, 363}}, {9, 47, {1, 1, 5, 15, 19, 45, 41, 7, 383}}, {9, 52, {1, 3, 7, 7, 31, 19, 83, 137, 221}},
  {9, 55, {1, 1, 1, 3, 23, 15, 111, 223, 83}}, {9, 59, {1, 1, 5, 13, 31, 15, 55, 25, 161}},
  {9, 62, {1, 1, 3, 13, 25, 47, 39, 87, 257}}
};

static uint32_t reversed_v[SDN_SOBOL_MAX_DIM][N_BIT];   /* made once, then only read */
static pthread_once_t made_once = PTHREAD_ONCE_INIT;

static uint32_t reverse_bits(uint32_t x)
{
  x = x >> 16 | x << 16;
  x = (x & 0xff00ff00u) >> 8 | (x & 0x00ff00ffu) << 8;
  x = (x & 0xf0f0f0f0u) >> 4 | (x & 0x0f0f0f0fu) << 4;
  x = (x & 0xccccccccu) >> 2 | (x & 0x33333333u) << 2;
  return (x & 0xaaaaaaaau) >> 1 | (x & 0x55555555u) << 1;
}

/* Bratley & Fox 1988 (ACM TOMS 14, 88): V_i = a_1 V_{i-1} ^ ... ^ a_{s-1} V_{i-s+1} ^ V_{i-s} ^ (V_{i-s} >> s). */
static void make_direction_numbers(void)
{
  for (unsigned i = 0; i < N_BIT; i++) reversed_v[0][i] = 1u << i;   /* the first dimension is van der Corput's */
  for (unsigned d = 1; d < SDN_SOBOL_MAX_DIM; d++) {
    const unsigned s = polynomial[d - 1].degree, inner = polynomial[d - 1].inner;
    uint32_t v[N_BIT] = {0};
    for (unsigned i = 0; i < s; i++) v[i] = (uint32_t)polynomial[d - 1].m[i] << (N_BIT - 1 - i);
    for (unsigned i = s; i < N_BIT; i++) {
      v[i] = v[i - s] ^ (v[i - s] >> s);
      for (unsigned k = 1; k < s; k++)
        if (inner >> (s - 1 - k) & 1u) v[i] ^= v[i - k];
    }
    for (unsigned i = 0; i < N_BIT; i++) reversed_v[d][i] = reverse_bits(v[i]);
  }
}

/* Nested uniform scrambling of bit-reversed x: every output bit is its input bit, flipped or not by a hash of the lower (in x: leading) bits.
 * Form: Laine & Karras 2011, Burley 2020 (JCGT 9-4, 1); constants of N. Vegdahl's search (2021), whose flips look random. */
static uint32_t nested_hash(uint32_t x, uint32_t key)
{
  x ^= x * 0x3d20adeau;
  x += key;
  x *= (key >> 16) | 1u;
  x ^= x * 0x05526c56u;
  x ^= x * 0x53a22864u;
  return x;
}

void sdn_sobol_point(uint64_t seed, uint32_t index, int n_dim, double *out)
{
  assert(n_dim >= 0 && n_dim <= SDN_SOBOL_MAX_DIM);
  pthread_once(&made_once, make_direction_numbers);
  sdn_rng keys = sdn_rng_at(seed, SDN_STREAM_SCRAMBLE, 0);
  for (int d = 0; d < n_dim; d++) {
    uint32_t x = 0;
    for (unsigned i = 0; index >> i; i++) {
      x ^= (uint32_t)-(int32_t)(index >> i & 1u) & reversed_v[d][i];
      if (i == N_BIT - 1) break;
    }
    x = reverse_bits(nested_hash(x, sdn_rng_bits(&keys)));
    out[d] = (x + 0.5) * 0x1p-32;
  }
}
