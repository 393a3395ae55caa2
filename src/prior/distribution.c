/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prior/distribution.h"

#include <math.h>
#include <stddef.h>

#include "base/special.h"
#include "prior/beta.h"
#include "prior/table.h"

const sdn_dist_form sdn_dist_forms[SDN_N_DIST_KIND] = {
  [SDN_DIST_UNIFORM] = {"uniform", 2, {"low", "high"}, {NAN, NAN}},
  [SDN_DIST_LOG_UNIFORM] = {"log_uniform", 2, {"low", "high"}, {NAN, NAN}},
  [SDN_DIST_NORMAL] = {"normal", 2, {"mean", "sigma"}, {NAN, NAN}},
  [SDN_DIST_TRUNCATED_NORMAL] = {"truncated_normal", 4, {"mean", "sigma", "low", "high"}, {NAN, NAN, NAN, NAN}},
  [SDN_DIST_STUDENT_T] = {"student_t", 5, {"nu", "mean", "scale", "low", "high"}, {NAN, 0, NAN, -INFINITY, INFINITY}},
  [SDN_DIST_BETA] = {"beta", 4, {"a", "b", "low", "high"}, {NAN, NAN, 0, 1}},
  [SDN_DIST_TABULATED] = {"tabulated", 0, {NULL}, {0}},
  [SDN_DIST_GIVEN_TABLE] = {"tabulated", 3, {"given", "low", "high"}, {NAN, -INFINITY, INFINITY}},
  [SDN_DIST_MASS_FUNCTION] = {"mass_function", 3, {"redshift", "low", "high"}, {NAN, NAN, NAN}},
};

/* ---- from probabilities to z and back */

/* z of probabilities below and above it. The very end of a support has no coordinate; it gets that of the least probability that a double
 * near 1 can show, since what was rounded onto the end most likely came from there. */
static double z_of(double below, double above)
{
  const double least = 0x1p-54;
  if (below <= above) return sdn_normal_quantile(below > 0 ? below : least);
  return -sdn_normal_quantile(above > 0 ? above : least);
}

static double z_of_ln(double ln_below, double ln_above)
{
  if (isinf(ln_below) || isinf(ln_above)) return z_of(exp(ln_below), exp(ln_above));
  return ln_below <= ln_above ? sdn_normal_quantile_ln(ln_below) : -sdn_normal_quantile_ln(ln_above);
}

#define SHORT 1e-3   /* (step times |z|)^4 / 1920 is then under a double's precision */

static bool is_short(double a, double step) { return step * fmax(1, fabs(a) + step) < SHORT; }

/* ln of the normal probability of the short interval [a, a + step], by its middle: phi(m) step (1 + step^2 (m^2 - 1) / 24). */
static double ln_short(double a, double step)
{
  const double m = a + 0.5 * step;
  return log(step) + sdn_normal_ln_pdf(m) + log1p(step * step * (m * m - 1) / 24);
}

/* The step above a that holds this probability, or NaN where it is not short. */
static double short_step(double a, double ln_mass)
{
  double step = exp(ln_mass - sdn_normal_ln_pdf(a));
  for (int i = 0; i < 5; i++) {   /* each turn brings a factor of SHORT */
    if (!is_short(a, step)) return NAN;
    step *= exp(ln_mass - ln_short(a, step));
  }
  return step;
}

/* ln of the normal probability between a and b, a < b, without cancellation in either tail. */
static double ln_between(double a, double b)
{
  if (is_short(a, b - a)) return ln_short(a, b - a);
  if (a >= 0) return ln_between(-b, -a);
  if (b > 0) return log1p(-sdn_normal_cdf(a) - sdn_normal_cdf(-b));
  const double ln_b = sdn_normal_ln_cdf(b);
  return ln_b + log(-expm1(sdn_normal_ln_cdf(a) - ln_b));
}

/* The coordinate between z_low and z_high below which Phi(z) of the probability between them lies. With p = Phi(z): the probability below it
 * is (1-p) Phi(z_low) + p Phi(z_high), a sum of positive terms, likewise that above it; logarithms reach where Phi underflows. */
static double squeeze(const sdn_dist *d, double z)
{
  if (isinf(d->z_low) && isinf(d->z_high)) return z;
  const double ln_p = sdn_normal_ln_cdf(z), ln_q = sdn_normal_ln_cdf(-z);
  const double ln_below = sdn_ln_add_exp(ln_q + sdn_normal_ln_cdf(d->z_low), ln_p + sdn_normal_ln_cdf(d->z_high));
  const double ln_above = sdn_ln_add_exp(ln_q + sdn_normal_ln_cdf(-d->z_low), ln_p + sdn_normal_ln_cdf(-d->z_high));
  const double inner = ln_below <= ln_above ? sdn_normal_quantile_ln(ln_below) : -sdn_normal_quantile_ln(ln_above);
  return fmin(fmax(inner, d->z_low), d->z_high);
}

static double unsqueeze(const sdn_dist *d, double inner)
{
  if (isinf(d->z_low) && isinf(d->z_high)) return inner;
  const double ln_below = inner > d->z_low ? ln_between(d->z_low, inner) - d->ln_norm : -INFINITY;
  const double ln_above = inner < d->z_high ? ln_between(inner, d->z_high) - d->ln_norm : -INFINITY;
  return z_of_ln(fmin(ln_below, 0), fmin(ln_above, 0));
}

/* Near an end of the truncation x is the end plus a short step, so that the distance to the end keeps all its digits. */
static double truncated_from_z(const sdn_dist *d, double z)
{
  const double mean = d->arg[0], sigma = d->arg[1], low = d->arg[2], high = d->arg[3];
  const double step = z < 0 ? short_step(d->z_low, sdn_normal_ln_cdf(z) + d->ln_norm) : short_step(-d->z_high, sdn_normal_ln_cdf(-z) + d->ln_norm);
  const double x = isnan(step) ? mean + sigma * squeeze(d, z) : z < 0 ? low + sigma * step : high - sigma * step;
  return fmin(fmax(x, low), high);
}

static double truncated_to_z(const sdn_dist *d, double x)
{
  const double sigma = d->arg[1], below = (x - d->arg[2]) / sigma, above = (d->arg[3] - x) / sigma;
  double ln_p = -1;   /* what ln_short gives for the nearer end, if it is near */
  const bool near_low = below <= above && is_short(d->z_low, below), near_high = below > above && is_short(-d->z_high, above);
  if (near_low) ln_p = ln_short(d->z_low, below) - d->ln_norm;
  if (near_high) ln_p = ln_short(-d->z_high, above) - d->ln_norm;
  if (!(near_low || near_high) || !(ln_p < 0)) return unsqueeze(d, (x - d->arg[0]) / sigma);
  const double z = isinf(ln_p) ? z_of(0, 1) : sdn_normal_quantile_ln(ln_p);
  return near_low ? z : -z;
}

/* ---- set-up */

static const char *prepare_truncation(sdn_dist *d, double z_low, double z_high)
{
  d->z_low = z_low;
  d->z_high = z_high;
  d->ln_norm = ln_between(z_low, z_high);
  return isfinite(d->ln_norm) ? NULL : "no probability lies between low and high";
}

static const char *prepare_student(sdn_dist *d)
{
  const double nu = d->arg[0], mean = d->arg[1], scale = d->arg[2], low = d->arg[3], high = d->arg[4];
  if (!(nu > 0 && nu < INFINITY)) return "nu must be positive";
  if (!isfinite(mean)) return "mean must be a number";
  if (!(scale > 0 && scale < INFINITY)) return "scale must be positive";
  if (!(low < high)) return "low must be below high";
  d->below_mean = nu == 1 || nu == 2 ? NAN : sdn_beta_below_mean(0.5 * nu, 0.5);
  return prepare_truncation(d, isinf(low) ? low : sdn_student_to_z(nu, (low - mean) / scale),
                            isinf(high) ? high : sdn_student_to_z(nu, (high - mean) / scale));
}

static const char *prepare_beta(sdn_dist *d)
{
  const double a = d->arg[0], b = d->arg[1], low = d->arg[2], high = d->arg[3];
  if (!(a > 0 && a < INFINITY)) return "a must be positive";
  if (!(b > 0 && b < INFINITY)) return "b must be positive";
  if (!(low <= high && isfinite(high - low))) return "low must be below high";
  d->ln_norm = sdn_beta_ln_norm(a, b) + log(high - low);
  d->below_mean = sdn_beta_below_mean(a, b);
  return NULL;
}

/* Where the table is cut: an end that lies outside of it is its own. */
static const char *prepare_given(sdn_dist *d)
{
  if (!d->grid) return "there is no table";
  const double first = d->grid->value[0], last = d->grid->value[d->grid->n - 1], *a = d->arg;
  if (!isfinite(a[0])) return d->kind == SDN_DIST_GIVEN_TABLE ? "the given value is not a number" : "redshift is not a number";
  if (!(a[1] < a[2])) return "low must be below high";
  if (!(a[1] < last && a[2] > first)) return "low and high lie beyond the table";
  d->mix = sdn_dist_grid_at(d->grid, a[0]);
  d->low[0] = d->high[1] = 0;
  d->low[1] = d->high[0] = 1;
  d->arg[1] = fmax(a[1], first);
  d->arg[2] = fmin(a[2], last);
  if (a[1] > first) sdn_dist_mix_cdf(&d->mix, a[1], &d->low[0], &d->low[1]);
  if (a[2] < last) sdn_dist_mix_cdf(&d->mix, a[2], &d->high[0], &d->high[1]);
  const double mass = d->high[0] < 0.5 ? d->high[0] - d->low[0] : d->low[1] - d->high[1];
  d->ln_norm = log(mass);
  return mass > 0 ? NULL : "no probability lies between low and high";
}

const char *sdn_dist_prepare(sdn_dist *d)
{
  const double *a = d->arg;
  switch (d->kind) {
  case SDN_DIST_UNIFORM:
    if (!(a[0] <= a[1] && isfinite(a[1] - a[0]))) return "low must be below high";
    d->ln_norm = log(a[1] - a[0]);
    return NULL;
  case SDN_DIST_LOG_UNIFORM:
    if (!(a[0] > 0 && a[0] <= a[1] && isfinite(a[1]))) return "low must be positive and below high";
    d->ln_norm = log(a[1] / a[0]);
    return NULL;
  case SDN_DIST_NORMAL:
  case SDN_DIST_TRUNCATED_NORMAL:
    if (!isfinite(a[0])) return "mean must be a number";
    if (!(a[1] > 0 && a[1] < INFINITY)) return "sigma must be positive";
    if (d->kind == SDN_DIST_NORMAL) return prepare_truncation(d, -INFINITY, INFINITY);
    if (!(a[2] < a[3])) return "low must be below high";
    return prepare_truncation(d, (a[2] - a[0]) / a[1], (a[3] - a[0]) / a[1]);
  case SDN_DIST_STUDENT_T: return prepare_student(d);
  case SDN_DIST_BETA: return prepare_beta(d);
  case SDN_DIST_TABULATED: return d->table ? NULL : "there is no table";
  case SDN_DIST_GIVEN_TABLE:
  case SDN_DIST_MASS_FUNCTION: return prepare_given(d);
  case SDN_N_DIST_KIND: break;
  }
  return "there is no such distribution";
}

void sdn_dist_support(const sdn_dist *d, double *low, double *high)
{
  static const int first[SDN_N_DIST_KIND] = {[SDN_DIST_TRUNCATED_NORMAL] = 2, [SDN_DIST_STUDENT_T] = 3, [SDN_DIST_BETA] = 2,
                                             [SDN_DIST_GIVEN_TABLE] = 1, [SDN_DIST_MASS_FUNCTION] = 1};
  *low = -INFINITY;
  *high = INFINITY;
  if (d->kind == SDN_DIST_TABULATED) {
    *low = d->table->value[0];
    *high = d->table->value[d->table->n - 1];
  } else if (d->kind != SDN_DIST_NORMAL) {
    *low = d->arg[first[d->kind]];
    *high = d->arg[first[d->kind] + 1];
  }
}

/* ---- the maps */

static double beta_from_z(const sdn_dist *d, double z)
{
  const double width = d->arg[3] - d->arg[2];
  const sdn_pair x = sdn_beta_quantile(d->arg[0], d->arg[1], d->below_mean, (sdn_pair){sdn_normal_cdf(z), sdn_normal_cdf(-z)});
  return x.low < x.high ? d->arg[2] + width * x.low : d->arg[3] - width * x.high;
}

/* The probability below x of all the table is Phi(-z) of that below low and Phi(z) of that below high: no cancellation, from either end. */
static double given_from_z(const sdn_dist *d, double z)
{
  const double p = sdn_normal_cdf(z), q = sdn_normal_cdf(-z);
  const double x = sdn_dist_mix_quantile(&d->mix, q * d->low[0] + p * d->high[0], q * d->low[1] + p * d->high[1]);
  return fmin(fmax(x, d->arg[1]), d->arg[2]);
}

static double given_to_z(const sdn_dist *d, double x)
{
  double below, above;
  if (!(sdn_dist_mix_cdf(&d->mix, x, &below, &above) >= 0)) return NAN;
  const double mass = exp(d->ln_norm), p = (below - d->low[0]) / mass, q = (above - d->high[1]) / mass;
  return z_of(fmin(fmax(p, 0), 1), fmin(fmax(q, 0), 1));
}

double sdn_dist_from_z(const sdn_dist *d, double z)
{
  const double *a = d->arg;
  double x;
  switch (d->kind) {
  case SDN_DIST_UNIFORM: return z < 0 ? a[0] + (a[1] - a[0]) * sdn_normal_cdf(z) : a[1] - (a[1] - a[0]) * sdn_normal_cdf(-z);
  case SDN_DIST_LOG_UNIFORM: return z < 0 ? a[0] * exp(d->ln_norm * sdn_normal_cdf(z)) : a[1] * exp(-d->ln_norm * sdn_normal_cdf(-z));
  case SDN_DIST_NORMAL: return a[0] + a[1] * z;
  case SDN_DIST_TRUNCATED_NORMAL: return truncated_from_z(d, z);
  case SDN_DIST_STUDENT_T:
    x = a[1] + a[2] * sdn_student_from_z(a[0], d->below_mean, squeeze(d, z));
    return fmin(fmax(x, a[3]), a[4]);
  case SDN_DIST_BETA: return beta_from_z(d, z);
  case SDN_DIST_TABULATED: return sdn_dist_table_quantile(d->table, sdn_normal_cdf(z), sdn_normal_cdf(-z));
  case SDN_DIST_GIVEN_TABLE:
  case SDN_DIST_MASS_FUNCTION: return given_from_z(d, z);
  case SDN_N_DIST_KIND: break;
  }
  return NAN;
}

double sdn_dist_to_z(const sdn_dist *d, double x)
{
  const double *a = d->arg;
  double low, high, below, above;
  sdn_dist_support(d, &low, &high);
  if (!(x >= low && x <= high)) return NAN;
  if (low == high) return 0;
  switch (d->kind) {
  case SDN_DIST_UNIFORM: return z_of((x - low) / (high - low), (high - x) / (high - low));
  case SDN_DIST_LOG_UNIFORM: return z_of(log(x / low) / d->ln_norm, log(high / x) / d->ln_norm);
  case SDN_DIST_NORMAL: return (x - a[0]) / a[1];
  case SDN_DIST_TRUNCATED_NORMAL: return truncated_to_z(d, x);
  case SDN_DIST_STUDENT_T: return unsqueeze(d, sdn_student_to_z(a[0], (x - a[1]) / a[2]));
  case SDN_DIST_BETA: {
    const sdn_pair p = sdn_beta_cdf(a[0], a[1], (sdn_pair){(x - low) / (high - low), (high - x) / (high - low)});
    return z_of(p.low, p.high);
  }
  case SDN_DIST_TABULATED:
    if (!(sdn_dist_table_cdf(d->table, x, &below, &above) >= 0)) return NAN;
    return z_of(below, above);
  case SDN_DIST_GIVEN_TABLE:
  case SDN_DIST_MASS_FUNCTION: return given_to_z(d, x);
  case SDN_N_DIST_KIND: break;
  }
  return NAN;
}

/* (shape - 1) ln x, which is 0 for shape 1 even at x = 0. */
static double power_term(double shape, double x) { return shape == 1 ? 0 : (shape - 1) * log(x); }

double sdn_dist_ln_pdf(const sdn_dist *d, double x)
{
  const double *a = d->arg;
  double low, high, below, above;
  sdn_dist_support(d, &low, &high);
  if (!(x >= low && x <= high)) return -INFINITY;
  if (low == high) return INFINITY;
  switch (d->kind) {
  case SDN_DIST_UNIFORM: return -d->ln_norm;
  case SDN_DIST_LOG_UNIFORM: return -log(x * d->ln_norm);
  case SDN_DIST_NORMAL:
  case SDN_DIST_TRUNCATED_NORMAL: return sdn_normal_ln_pdf((x - a[0]) / a[1]) - log(a[1]) - d->ln_norm;
  case SDN_DIST_STUDENT_T: return sdn_student_ln_pdf(a[0], (x - a[1]) / a[2]) - log(a[2]) - d->ln_norm;
  case SDN_DIST_BETA:
    return power_term(a[0], (x - low) / (high - low)) + power_term(a[1], (high - x) / (high - low)) - d->ln_norm;
  case SDN_DIST_TABULATED: return log(fmax(sdn_dist_table_cdf(d->table, x, &below, &above), 0));
  case SDN_DIST_GIVEN_TABLE:
  case SDN_DIST_MASS_FUNCTION: return log(fmax(sdn_dist_mix_cdf(&d->mix, x, &below, &above), 0)) - d->ln_norm;
  case SDN_N_DIST_KIND: break;
  }
  return -INFINITY;
}
