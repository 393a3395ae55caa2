/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prior/beta.h"

#include <float.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_sf_gamma.h>
#include <math.h>
#include <stdbool.h>

#include "base/special.h"

#define PI 3.14159265358979323846
#define LEAST 1e-300     /* below it the incomplete beta function underflows into few digits */
#define MAX_STEP 100     /* Newton needs 4 to 8; halving alone would need 60 */

double sdn_beta_ln_norm(double a, double b)
{
  if (a == 1) return -log(b);
  if (b == 1) return -log(a);
  return gsl_sf_lnbeta(a, b);
}

double sdn_beta_below_mean(double a, double b) { return a == 1 || b == 1 ? NAN : gsl_cdf_beta_P(a / (a + b), a, b); }

sdn_pair sdn_beta_cdf(double a, double b, sdn_pair x)
{
  if (b == 1) return (sdn_pair){pow(x.low, a), x.low > 0 ? -expm1(a * (x.low < 0.5 ? log(x.low) : log1p(-x.high))) : 1};
  if (a == 1) return (sdn_pair){x.high > 0 ? -expm1(b * (x.high < 0.5 ? log(x.high) : log1p(-x.low))) : 1, pow(x.high, b)};
  return (sdn_pair){gsl_cdf_beta_P(x.low, a, b), gsl_cdf_beta_P(x.high, b, a)};
}

/* x <= a / (a + b) with P(x) = p. Newton in ln x, where ln P is nearly straight (P ~ x^a / (a B) for small x), kept inside a bracket. */
static double quantile_below_mean(double a, double b, double p)
{
  const double ln_p = log(p), ln_norm = sdn_beta_ln_norm(a, b);
  double low = -INFINITY, high = log(a / (a + b)), l = (ln_p + log(a) + ln_norm) / a;
  if (!(l < high)) l = high;
  for (int step = 0; step < MAX_STEP; step++) {
    const double x = exp(l), cdf = gsl_cdf_beta_P(x, a, b);
    if (x == 0 || !(cdf > 0)) return x;
    const double excess = log(cdf) - ln_p, slope = exp(a * l + (b - 1) * log1p(-x) - ln_norm) / cdf;
    if (excess > 0) high = l;
    else low = l;
    double next = l - excess / slope;
    if (!(next >= low && next <= high)) next = isinf(low) ? high - 1 : 0.5 * (low + high);
    const bool settled = fabs(next - l) <= 2 * DBL_EPSILON * fmax(1, fabs(l));
    l = next;
    if (settled) break;
  }
  return exp(l);
}

/* One of the shapes is 1: x = p^(1/a), given as x and 1 - x. */
static sdn_pair power_quantile(double a, sdn_pair p)
{
  const double ln_x = (p.low < 0.5 ? log(p.low) : log1p(-p.high)) / a;
  return (sdn_pair){exp(ln_x), -expm1(ln_x)};
}

sdn_pair sdn_beta_quantile(double a, double b, double below_mean, sdn_pair p)
{
  const sdn_pair turned = {p.high, p.low};
  if (b == 1) return power_quantile(a, p);
  if (a == 1) {
    const sdn_pair y = power_quantile(b, turned);
    return (sdn_pair){y.high, y.low};
  }
  if (p.low <= below_mean) {
    const double x = quantile_below_mean(a, b, fmax(p.low, LEAST));
    return (sdn_pair){x, 1 - x};
  }
  const double y = quantile_below_mean(b, a, fmax(p.high, LEAST));
  return (sdn_pair){1 - y, y};
}

/* |t| whose two outer tails hold p.low and whose middle holds p.high. nu = 1, 2: closed forms. */
static double student_size(double nu, double below_mean, sdn_pair p)
{
  if (nu == 1) return p.high < 0.5 ? tan(0.5 * PI * p.high) : 1 / tan(0.5 * PI * p.low);
  if (nu == 2) return p.high * sqrt(2 / (p.low * (2 - p.low)));
  const sdn_pair w = sdn_beta_quantile(0.5 * nu, 0.5, below_mean, p);
  return w.low > 0 ? sqrt(nu * w.high / w.low) : DBL_MAX;
}

double sdn_student_from_z(double nu, double below_mean, double z)
{
  const sdn_pair p = {2 * sdn_normal_cdf(-fabs(z)), erf(fabs(z) * 0.70710678118654752440)};
  const double size = p.low > 0 ? student_size(nu, below_mean, p) : DBL_MAX;
  return copysign(fmin(size, DBL_MAX), z);
}

double sdn_student_to_z(double nu, double t)
{
  const double size = fabs(t), ratio = size / nu * size;
  double tail;   /* P(T > |t|) */
  if (isinf(ratio)) tail = isinf(t) ? 0 : exp(0.5 * nu * (log(nu) - 2 * log(size)) - sdn_beta_ln_norm(0.5 * nu, 0.5)) / nu;
  else if (nu == 1) tail = size < 1 ? 0.5 - atan(size) / PI : atan(1 / size) / PI;
  else if (nu == 2) tail = 1 / (sqrt(2 + size * size) * (sqrt(2 + size * size) + size));
  else tail = 0.5 * sdn_beta_cdf(0.5 * nu, 0.5, (sdn_pair){1 / (1 + ratio), ratio / (1 + ratio)}).low;
  if (tail == 0) return copysign(INFINITY, t);
  return copysign(-sdn_normal_quantile(fmin(tail, 0.5)), t);
}

double sdn_student_ln_pdf(double nu, double t)
{
  const double size = fabs(t) / sqrt(nu), ln_one_plus = size < 1e100 ? log1p(size * size) : 2 * log(size);
  return -0.5 * (nu + 1) * ln_one_plus - 0.5 * log(nu) - sdn_beta_ln_norm(0.5 * nu, 0.5);
}
