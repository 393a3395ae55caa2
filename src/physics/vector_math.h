/* SPDX-License-Identifier: GPL-3.0-or-later */
/* exp and ln in plain C without branches or tables, so that loops over them vectorise with any compiler and give the same bits on any machine (no FMA is contracted).
 * Errors <= 2e-16 relative (tests/unit/test_vector_math.c); no errno, no exceptions. */
#ifndef SDN_PHYSICS_VECTOR_MATH_H
#define SDN_PHYSICS_VECTOR_MATH_H

#include <stdint.h>
#include <string.h>

#include "base/vector.h"

static inline uint64_t sdn_bits_of(double x)
{
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  return bits;
}

static inline double sdn_double_of(uint64_t bits)
{
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* e^x for -708 <= x <= 708; arguments beyond are moved to that edge. */
static inline double sdn_vexp(double x)
{
  const double magic = 0x1.8p52;   /* adding it rounds to an integer, which then stands in the low bits */
  x = x < -708 ? -708 : x;
  x = x > 708 ? 708 : x;
  const double rounded = x * 1.4426950408889634 + magic, k = rounded - magic;
  const double r = (x - k * 0x1.62e42fefa3800p-1) - k * 0x1.ef35793c76730p-45;   /* |r| <= ln(2)/2 */
  const double r2 = r * r, r4 = r2 * r2;
  const double p01 = 1 + r, p23 = 1.0 / 2 + r * (1.0 / 6), p45 = 1.0 / 24 + r * (1.0 / 120), p67 = 1.0 / 720 + r * (1.0 / 5040);
  const double p89 = 1.0 / 40320 + r * (1.0 / 362880), pab = 1.0 / 3628800 + r * (1.0 / 39916800);
  const double pcd = 1.0 / 479001600 + r * (1.0 / 6227020800.0);
  const double high = (p45 + r2 * p67) + r4 * (p89 + r2 * (pab + r2 * pcd));
  const double p = p01 + (r2 * p23 + r4 * high);
  return p * sdn_double_of((sdn_bits_of(rounded) << 52) + 0x3ff0000000000000u);
}

/* ln x for normal positive x. */
static inline double sdn_vlog(double x)
{
  const uint64_t offset = 0x3fe6a09e667f3bcdu;   /* sqrt(1/2): the mantissa is taken from there to sqrt(2) */
  const uint64_t shifted = sdn_bits_of(x) - offset + 0x3ff0000000000000u;   /* biased so that the exponent field is never negative */
  const double k = sdn_double_of((shifted >> 52) | 0x4330000000000000u) - (0x1p52 + 1023);
  const double m = sdn_double_of((shifted & 0xfffffffffffffu) + offset);
  const double s = (m - 1) / (m + 1), s2 = s * s, s4 = s2 * s2;   /* ln m = 2 atanh s, |s| <= 0.1716 */
  const double odd = (1.0 / 3 + s2 * (1.0 / 5)) + s4 * ((1.0 / 7 + s2 * (1.0 / 9)) + s4 * ((1.0 / 11 + s2 * (1.0 / 13)) +
                     s4 * ((1.0 / 15 + s2 * (1.0 / 17)) + s4 * (1.0 / 19))));
  return k * 0x1.62e42fefa3800p-1 + (2 * s + (2 * s * s2 * odd + k * 0x1.ef35793c76730p-45));
}

#endif
