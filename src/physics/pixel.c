/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/pixel.h"

#include <math.h>

#include "base/special.h"
#include "physics/vector_math.h"

#define LIGHT_A_S 2.99792458e18
#define INV_SQRT_2PI 0.3989422804014327
#define LEAST_SIGMA_LN 1e-12   /* stands for 0: rounding of a wavelength is no less */
#define CHUNK 127
#define LANES 8       /* nodes computed together; CHUNK + 1 is a multiple */

static double width_ln(const sdn_pixel *p, double sigma_ln) { return fmax(sqrt(p->sigma_ln * p->sigma_ln + sigma_ln * sigma_ln), LEAST_SIGMA_LN); }

/* e^x for 0 <= x <= 0.25, to 1e-8: asked for each pixel of each galaxy, and where the reach ends is a convention. */
static double grown(double x) { return 1 + x * (1 + x * (1.0 / 2 + x * (1.0 / 6 + x * (1.0 / 24 + x * (1.0 / 120 + x * (1.0 / 720)))))); }

static void set_reach(const sdn_pixel *p, double s, double *low_A, double *high_A)
{
  const double factor = grown(SDN_PIXEL_REACH * s);
  *low_A = p->low_A / factor;
  *high_A = p->high_A * factor;
}

bool sdn_pixel_set(sdn_pixel *p, double low_A, double high_A, double sigma_A)
{
  if (!(low_A > 0 && high_A > low_A && high_A < HUGE_VAL)) return false;
  const double center_A = sqrt(low_A * high_A);
  *p = (sdn_pixel){low_A, high_A, center_A, sigma_A / center_A, low_A / center_A, high_A / center_A, log(low_A / center_A), log(high_A / center_A), 0, 0};
  if (!(p->sigma_ln >= 0 && p->sigma_ln <= SDN_PIXEL_MAX_SIGMA_LN)) return false;
  set_reach(p, width_ln(p, 0), &p->low_reach_A, &p->high_reach_A);
  return true;
}

void sdn_pixel_reach(const sdn_pixel *p, double sigma_ln, double *low_A, double *high_A)
{
  *low_A = p->low_reach_A;
  *high_A = p->high_reach_A;
  if (sigma_ln > 0) set_reach(p, width_ln(p, sigma_ln), low_A, high_A);
}

double sdn_pixel_line_response(const sdn_pixel *p, double wave_obs_A, double sigma_ln)
{
  const double s = width_ln(p, sigma_ln), share = sdn_normal_cdf(log(wave_obs_A / p->low_A) / s) - sdn_normal_cdf(log(wave_obs_A / p->high_A) / s);
  return share / (LIGHT_A_S * (1 / p->low_A - 1 / p->high_A));
}

/* One edge of the pixel, wavelengths in units of the center. */
typedef struct edge { double at, ln_at, inverse; } edge;

typedef struct smear { double s, inverse_s, excess; } smear;   /* excess = e^(s^2/2) - 1 */

/* Running integrals of Phi(u) e^-x (zero) and Phi(u) (one) up to x = ln r.
 * Phi(u) = e^(-v^2/2) P(t) / (v + 4) for v = -u >= 0, t = (v - 4) / (v + 4): P fitted to 4e-12 of the Mills ratio (scipy.special.erfcx), coefficients below.
 * Phi(u + s) by its Taylor series in s (Hermite polynomials): no difference of nearly equal numbers remains. */
SDN_INLINE void up_to(double r, double x, const edge *e, const smear *m, double *zero, double *one)
{
  const double d = x - e->ln_at, u = d * m->inverse_s, v = u < 0 ? -u : u, bell = sdn_vexp(-0.5 * v * v), inverse = 1 / (v + 4), t = (v - 4) * inverse;
  const double t2 = t * t, t4 = t2 * t2, t8 = t4 * t4;
  const double p03 = (0.7552851304137211 - 0.6078966419486249 * t) + t2 * (0.38713740100909727 - 0.18652185908841773 * t);
  const double p47 = (0.06039656909180115 - 0.007540172948299231 * t) + t2 * (-0.0034796437956140518 + 0.0016307159451638088 * t);
  const double p8b = (0.00013314075413574356 - 0.00023074460103709478 * t) + t2 * (-1.4298044392515721e-06 + 3.445739167573256e-05 * t);
  const double pcf = (5.3969909002745486e-08 - 5.134661785626714e-06 * t) + t2 * (-8.143957541394892e-08 + 5.201133075257832e-07 * t);
  const double p = (p03 + t4 * p47) + t8 * (p8b + t4 * pcf);
  const double tail = bell * p * inverse, phi = bell * INV_SQRT_2PI, s = m->s, u2 = u * u;
  const double cdf = u < 0 ? tail : 1 - tail;
  const double series = 1 - s * (u * 0.5 - s * ((u2 - 1) * (1.0 / 6) - s * (u * (u2 - 3) * (1.0 / 24) - s * (u2 * (u2 - 6) + 3) * (1.0 / 120))));
  *zero = e->inverse * (cdf * (m->excess + (r - e->at) / r) + (1 + m->excess) * s * phi * series);
  *one = cdf * d + s * phi;
}

/* Running integrals of K e^-x and K at the nodes r [n], n a multiple of LANES. */
SDN_CLONES static void running(int n, const double *restrict r, const edge *a, const edge *b, const smear *m, double *restrict zero, double *restrict one)
{
  const edge low = *a, high = *b;
  const smear width = *m;
  const int whole = n & ~(LANES - 1);   /* tells the compiler that nothing is left over */
#pragma omp simd
  for (int i = 0; i < whole; i++) {
    const double x = sdn_vlog(r[i]);
    double zero_low, one_low, zero_high, one_high;
    up_to(r[i], x, &low, &width, &zero_low, &one_low);
    up_to(r[i], x, &high, &width, &zero_high, &one_high);
    zero[i] = zero_low - zero_high;
    one[i] = one_low - one_high;
  }
}

/* The first node with wave_A > x, n if there is none. */
static int first_above(int n, const double *wave_A, double x)
{
  int low = 0, high = n;
  while (low < high) {
    const int middle = (low + high) / 2;
    if (wave_A[middle] > x)
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

static bool nodes_in_reach(const sdn_pixel *p, int n, const double *wave_A, double stretch, double sigma_ln, int *first, int *last)
{
  double low_A, high_A;
  sdn_pixel_reach(p, sigma_ln, &low_A, &high_A);
  low_A /= stretch;
  high_A /= stretch;
  if (n < 2 || !(wave_A[0] <= low_A && wave_A[n - 1] >= high_A)) return false;
  *first = first_above(n, wave_A, low_A) - 1;
  int end = *first;
  while (wave_A[end] < high_A) end++;
  *last = end + 1;
  return true;
}

/* A walk over the nodes in chunks; each interval gives left to its first node and right to its second. */
typedef struct walk { edge low, high; smear width; double to_center, inverse_norm; } walk;

static walk begin(const sdn_pixel *p, double stretch, double sigma_ln)
{
  const double s = width_ln(p, sigma_ln);
  const double half = 0.5 * s * s, excess = half * (1 + half * (0.5 + half * (1.0 / 6)));   /* half <= 0.00125: 1e-13 of the excess */
  walk w = {{p->low, p->ln_low, 1 / p->low}, {p->high, p->ln_high, 1 / p->high}, {s, 1 / s, excess}, stretch / p->center_A, 0};
  w.inverse_norm = 1 / (w.low.inverse - w.high.inverse);
  return w;
}

/* n + 1 nodes -> n intervals */
static void intervals(const walk *w, int n, const double *wave_A, double *left, double *right)
{
  double r[CHUNK + 1], zero[CHUNK + 1], one[CHUNK + 1];
  for (int i = 0; i <= n; i++) r[i] = wave_A[i] * w->to_center;
  int m = n + 1;
  while (m % LANES) r[m++] = r[n];
  running(m, r, &w->low, &w->high, &w->width, zero, one);
  for (int i = 0; i < n; i++) {
    const double z = zero[i + 1] - zero[i], o = one[i + 1] - one[i], width = r[i + 1] - r[i];
    const double to_right = width > 0 ? (o - r[i] * z) / width : 0;
    left[i] = (z - to_right) * w->inverse_norm;
    right[i] = to_right * w->inverse_norm;
  }
}

/* Into one of the two. */
static bool weights(const sdn_pixel *p, int n, const double *wave_A, double stretch, double sigma_ln, int *first, int *last, float *single, double *full)
{
  double left[CHUNK], right[CHUNK], carry = 0;
  if (!nodes_in_reach(p, n, wave_A, stretch, sigma_ln, first, last)) return false;
  const walk w = begin(p, stretch, sigma_ln);
  for (int j = *first; j + 1 < *last; j += CHUNK) {
    const int m = *last - 1 - j < CHUNK ? *last - 1 - j : CHUNK;
    intervals(&w, m, wave_A + j, left, right);
    for (int i = 0; i < m; i++) {
      left[i] += carry;
      carry = right[i];
    }
    for (int i = 0; single && i < m; i++) single[j + i] = (float)left[i];
    for (int i = 0; full && i < m; i++) full[j + i] = left[i];
  }
  if (single) single[*last - 1] = (float)carry;
  if (full) full[*last - 1] = carry;
  return true;
}

bool sdn_pixel_weights(const sdn_pixel *p, int n, const double *wave_A, double stretch, double sigma_ln, int *first, int *last, float *weight)
{
  return weights(p, n, wave_A, stretch, sigma_ln, first, last, weight, NULL);
}

bool sdn_pixel_weights_double(const sdn_pixel *p, int n, const double *wave_A, double stretch, double sigma_ln, int *first, int *last, double *weight)
{
  return weights(p, n, wave_A, stretch, sigma_ln, first, last, NULL, weight);
}
