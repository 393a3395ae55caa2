/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/special.h"

#include <math.h>

#define SQRT_2PI 2.50662827463100050242
#define LN_SQRT_2PI 0.91893853320467274178
#define LN_2 0.69314718055994530942
#define LN_2PI 1.83787706640934548356
#define SMALL_Z 0.67448975    /* the quartiles: nearer to 0, Phi is written as 1/2 + z P(z^2) */
#define LARGE_Z 5.656854249492380195   /* sqrt(32): beyond it Phi is a short continued fraction */

/* Phi(z) - 1/2 = z P(x)/Q(x) for |z| < 0.67. This and the next: Cody 1969 (Math. Comp. 23, 631), for Phi as in Cody 1993
 * (ACM TOMS 19, 22). */
static double central(double z)
{
  const double x = z * z;
  double p = 6.5682337918207449113e-2, q = 1;
  p = p * x + 2.2352520354606839287;
  p = p * x + 1.6102823106855587881e2;
  p = p * x + 1.0676894854603709582e3;
  p = p * x + 1.8154981253343561249e4;
  q = q * x + 4.7202581904688241870e1;
  q = q * x + 9.7609855173777669322e2;
  q = q * x + 1.0260932208618978205e4;
  q = q * x + 4.5507789335026729956e4;
  return z * p / q;
}

/* exp(y^2/2) Phi(-y) for 0.67 <= y < 5.66 */
static double scaled_middle(double y)
{
  double p = 1.0765576773720192317e-8, q = 1;
  p = p * y + 3.9894151208813466764e-1;
  p = p * y + 8.8831497943883759412;
  p = p * y + 9.3506656132177855979e1;
  p = p * y + 5.9727027639480026226e2;
  p = p * y + 2.4945375852903726711e3;
  p = p * y + 6.8481904505362823326e3;
  p = p * y + 1.1602651437647350124e4;
  p = p * y + 9.8427148383839780218e3;
  q = q * y + 2.2266688044328115691e1;
  q = q * y + 2.3538790178262499861e2;
  q = q * y + 1.5193775994075548050e3;
  q = q * y + 6.4855582982667607550e3;
  q = q * y + 1.8615571640885098091e4;
  q = q * y + 3.4900952721145977266e4;
  q = q * y + 3.8912003286093271411e4;
  q = q * y + 1.9685429676859990727e4;
  return p / q;
}

/* exp(y^2/2) Phi(-y) for y >= 5.66: Laplace's continued fraction 1/(y + 1/(y + 2/(y + 3/(...)))) / sqrt(2 pi). Cut after 20 terms it is
 * right to 1e-16 there, and better beyond. */
static double scaled_far(double y)
{
  double denominator = y;
  for (int term = 20; term > 0; term--) denominator = y + term / denominator;
  return 1 / (SQRT_2PI * denominator);
}

static double scaled_tail(double y) { return y < LARGE_Z ? scaled_middle(y) : scaled_far(y); }

/* Phi(-y), y >= 0.67. The leading digits of y are squared apart, exactly, so that the exponent's rounding does not spoil the result. */
static double lower_tail(double y)
{
  const double head = floor(y * 16) / 16, rest = (y - head) * (y + head);
  return exp(-0.5 * head * head) * exp(-0.5 * rest) * scaled_tail(y);
}

double sdn_normal_cdf(double z)
{
  if (fabs(z) < SMALL_Z) return 0.5 + central(z);
  if (z <= -40) return 0;   /* below the least double; also -infinity */
  if (z < 0) return lower_tail(-z);
  if (z >= 40) return 1;
  return 1 - lower_tail(z);   /* also NaN */
}

double sdn_normal_ln_cdf(double z)
{
  if (z <= -SMALL_Z) return isinf(z) ? z : log(scaled_tail(-z)) - 0.5 * z * z;
  if (z < SMALL_Z) return log(0.5 + central(z));
  return log1p(-sdn_normal_cdf(-z));
}

double sdn_normal_ln_pdf(double z) { return -0.5 * z * z - LN_SQRT_2PI; }

/* AS241's three ranges (Wichura 1988, Appl. Stat. 37, 477: PPND16), numerator and denominator from the highest power down. */
static const double near_p[] = {2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4, 4.5921953931549871457e4,
                                1.3731693765509461125e4, 1.9715909503065514427e3, 1.3314166789178437745e2, 3.3871328727963666080};
static const double near_q[] = {5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
                                5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1};
static const double middle_p[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1, 1.27045825245236838258,
                                  3.64784832476320460504,    5.76949722146069140550,    4.63033784615654529590,    1.42343711074968357734};
static const double middle_q[] = {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
                                  6.89767334985100004550e-1, 1.67638483018380384940,    2.05319162663775882187,    1};
static const double far_p[] = {2.01033439929228813265e-7, 2.71155556874348757815e-5, 1.24266094738807843860e-3, 2.65321895265761230930e-2,
                               2.96560571828504891230e-1, 1.78482653991729133580,    5.46378491116411436990,    6.65790464350110377720};
static const double far_q[] = {2.04426310338993978564e-15, 1.42151175831644588870e-7, 1.84631831751005468180e-5, 7.86869131145613259100e-4,
                               1.48753612908506148525e-2,  1.36929880922735805310e-1, 5.99832206555887937690e-1, 1};

static double ratio_of_polynomials(const double p[8], const double q[8], double x)
{
  double numerator = p[0], denominator = q[0];
  for (int i = 1; i < 8; i++) {
    numerator = numerator * x + p[i];
    denominator = denominator * x + q[i];
  }
  return numerator / denominator;
}

/* The quantile of 0 < p <= 1/2, to about 1e-15. */
static double as241(double p)
{
  const double d = p - 0.5;
  if (d >= -0.425) return d * ratio_of_polynomials(near_p, near_q, 0.180625 - d * d);
  const double r = sqrt(-log(p));
  return r <= 5 ? -ratio_of_polynomials(middle_p, middle_q, r - 1.6) : -ratio_of_polynomials(far_p, far_q, r - 5);
}

static double lower_quantile(double p)
{
  if (p < 1e-290) return sdn_normal_quantile_ln(log(p));   /* densities there are too small to divide by */
  const double z = as241(p), t = (sdn_normal_cdf(z) - p) * SQRT_2PI * exp(0.5 * z * z);
  return z - t / (1 + 0.5 * z * t);
}

double sdn_normal_quantile(double p)
{
  if (!(p > 0 && p < 1)) return NAN;
  return p <= 0.5 ? lower_quantile(p) : -lower_quantile(1 - p);   /* 1 - p is exact here */
}

double sdn_normal_quantile_upper(double q) { return -sdn_normal_quantile(q); }

double sdn_normal_quantile_ln(double ln_p)
{
  if (!(ln_p < 0)) return NAN;
  if (ln_p > -LN_2) return -lower_quantile(-expm1(ln_p));
  if (ln_p > -600) return lower_quantile(exp(ln_p));
  if (isinf(ln_p)) return ln_p;
  double z = -sqrt(-2 * ln_p - LN_2PI - log(-2 * ln_p));   /* from Phi(z) ~ phi(z)/|z|; each step below squares the relative error, 1e-5 */
  for (int i = 0; i < 2; i++) z += (ln_p - sdn_normal_ln_cdf(z)) * scaled_tail(-z) * SQRT_2PI;
  return z;
}

double sdn_ln_add_exp(double a, double b)
{
  const double high = a > b ? a : b, low = a > b ? b : a;
  if (isnan(a) || isnan(b)) return NAN;
  if (isinf(high)) return high;
  return high + log1p(exp(low - high));
}

double sdn_ln_sum_exp(long n, const double *ln_x)
{
  double high = -INFINITY, sum = 0;
  for (long i = 0; i < n; i++) {
    if (isnan(ln_x[i])) return ln_x[i];
    if (ln_x[i] > high) high = ln_x[i];
  }
  if (isinf(high)) return high;
  for (long i = 0; i < n; i++) sum += exp(ln_x[i] - high);
  return high + log(sum);
}
