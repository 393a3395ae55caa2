/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dense basis: the cumulative mass runs through quantiles of formation time and ends with the present star formation rate. Between two knots, with
 * f the fraction of the way from the younger to the older one, s the mean rate, y and o the rates at the younger and older knot
 * (Gregory & Delbourgo 1982; Durkan+2019 eqs 4, 5):
 *   M - M_younger = dM [s f^2 + y f (1-f)] / [s + D f (1-f)],        D = y + o - 2 s
 *   rate = s^2 [o f^2 + 2 s f (1-f) + y (1-f)^2] / [s + D f (1-f)]^2
 * Everything counts from the younger side, so a small mass of young stars keeps all its digits. */
#include "physics/sfh_family.h"

#define MAX_QUANTILE 99      /* their names are whole percents */
#define MIN_GAP 1e-9         /* of cosmic time, between quantiles that a prior draws as good as equal */
#define ORDER_SLACK 1e-9     /* rounding of running sums */

/* Parameters: the quantiles, n_bin - 1 of them, and then the rate now. */

/* How many quantiles the `gaps` node describes: a list of them, or a Dirichlet prior of one share more. */
static sdn_status count_quantiles(const sdn_yaml *node, sdn_sfh_model *m, sdn_err *err)
{
  const sdn_yaml *gaps = sdn_yaml_get(node, "gaps"), *alpha = sdn_yaml_get(gaps, "alpha");
  size_t n = 0;
  if (gaps && gaps->kind == SDN_YAML_LIST) n = gaps->n;
  if (alpha && alpha->kind == SDN_YAML_LIST && alpha->n > 0) n = alpha->n - 1;
  if (n < 1 || n > MAX_QUANTILE)
    return sdn_yaml_fail(gaps ? gaps : node, err, "dense_basis needs gaps: {prior: dirichlet, alpha: [2 to %d numbers]}, or a list of 1 to %d times",
                         MAX_QUANTILE + 1, MAX_QUANTILE);
  m->n_bin = (int)n + 1;
  return sdn_sfh_room(m, m->n_bin, err);
}

static sdn_status add_rate(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  sdn_param_spec sfr = {"log_sfr_msun_per_yr", "log10(Msun/yr)", NULL, -100, 100, "present star formation rate"};
  static const sdn_param_spec ssfr = {"log_ssfr_per_yr", "log10(1/yr)", NULL, -100, 100, "present star formation rate per mass formed"};
  const sdn_yaml *given_sfr = sdn_yaml_get(node, sfr.name), *given_ssfr = sdn_yaml_get(node, ssfr.name);
  sdn_status status = SDN_OK;
  if (!given_sfr && !given_ssfr) return sdn_yaml_fail(node, err, "dense_basis needs log_ssfr_per_yr or log_sfr_msun_per_yr");
  if (given_ssfr) {
    sfr.initial = "log_mass_formed_msun + log_ssfr_per_yr";
    status = sdn_prior_add(prior, &ssfr, given_ssfr, err);
  }
  return status ? status : sdn_sfh_add_param(m, m->n_bin - 1, prior, &sfr, given_sfr, err);
}

static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"log_sfr_msun_per_yr", "log_ssfr_per_yr", "gaps"};
  static const sdn_param_spec spec = {"gaps", "", NULL, 0, 1, "fraction of cosmic time by which that share of the mass has formed"};
  char buffer[MAX_QUANTILE][8];
  const char *names[MAX_QUANTILE];
  sdn_status status = sdn_sfh_add_keys(m, node, prior, 0, NULL, 3, more, err);
  if (!status) status = count_quantiles(node, m, err);
  if (!status) status = add_rate(node, prior, m, err);
  if (status) return status;
  for (int k = 0; k < m->n_bin - 1; k++) {
    snprintf(buffer[k], sizeof buffer[k], "t%.0f", 100.0 * (k + 1) / m->n_bin);
    names[k] = buffer[k];
  }
  return sdn_sfh_add_vector(m, 0, prior, &spec, m->n_bin - 1, names, sdn_yaml_get(node, "gaps"), NULL, err);
}

/* Knots in lookback time from ascending fractions of cosmic time, at least MIN_GAP apart: the youngest quantile comes first. t [n_bin - 1] is moved. */
static sdn_status set_knots(sdn_sfh *h, int n_bin, double *t, double *knot_yr, sdn_err *err)
{
  const double oldest_yr = h->age_universe_yr;
  double before = 0, limit = 0;
  for (int k = 0; k < n_bin - 1; k++) {
    if (!(t[k] >= before - ORDER_SLACK && t[k] <= 1 + ORDER_SLACK))
      return sdn_fail(err, SDN_RANGE, "formation time %d of %d is %g, outside [%g, 1]; times are ascending fractions of cosmic time", k + 1, n_bin - 1,
                      t[k], before);
    before = t[k];
    limit = t[k] = fmax(t[k], limit + MIN_GAP);
  }
  limit = 1;
  for (int k = n_bin - 2; k >= 0; k--) limit = t[k] = fmin(t[k], limit - MIN_GAP);
  for (int k = 1; k < n_bin; k++) {
    knot_yr[k] = oldest_yr * (1 - t[n_bin - 1 - k]);
    h->knot_mass[k] = (double)k / n_bin;
  }
  knot_yr[n_bin] = oldest_yr;
  h->knot_mass[n_bin] = 1;
  return SDN_OK;
}

static double mean_rate(const sdn_sfh *h, int segment)
{
  return (h->knot_mass[segment + 1] - h->knot_mass[segment]) / (h->knot_yr[segment + 1] - h->knot_yr[segment]);
}

/* Inside, the weighted harmonic mean of Fritsch & Butland 1984: monotone, and small beside a slow neighbour. */
static void set_slopes(sdn_sfh *h, double rate_now)
{
  const int last = h->n_knot - 1;
  h->knot_rate[0] = rate_now;
  h->knot_rate[last] = 0;
  for (int k = 1; k < last; k++) {
    const double younger_yr = h->knot_yr[k] - h->knot_yr[k - 1], older_yr = h->knot_yr[k + 1] - h->knot_yr[k];
    const double w1 = 2 * older_yr + younger_yr, w2 = older_yr + 2 * younger_yr;
    h->knot_rate[k] = (w1 + w2) / (w1 / mean_rate(h, k - 1) + w2 / mean_rate(h, k));
  }
}

static sdn_status prepare(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const int n = m->n_bin - 1;
  const double log_sfr = sdn_sfh_value(m, galaxy, n), rate_now = pow(10, log_sfr) / galaxy->mass_formed_msun;
  double *knot_yr;
  if (!(rate_now >= 0 && isfinite(rate_now)))
    return sdn_fail(err, SDN_RANGE, "log_sfr_msun_per_yr %g with %g Msun formed gives no finite rate", log_sfr, galaxy->mass_formed_msun);
  if (sdn_sfh_take_knots(h, n + 2, true, galaxy->arena, &knot_yr, err)) return err->status;
  double *t = h->knot_bend;   /* not otherwise used here */
  for (int k = 0; k < n; k++) t[k] = sdn_sfh_value(m, galaxy, k);
  sdn_status status = set_knots(h, m->n_bin, t, knot_yr, err);
  if (!status) set_slopes(h, rate_now);
  return status;
}

static void masses(const sdn_sfh *h, int segment, int n, const double *restrict age_yr, double *restrict mass)
{
  const double s = mean_rate(h, segment), young = h->knot_rate[segment], bend = young + h->knot_rate[segment + 1] - 2 * s;
  const double start_yr = h->knot_yr[segment], inverse = 1 / (h->knot_yr[segment + 1] - start_yr), start = h->knot_mass[segment];
  const double step = h->knot_mass[segment + 1] - start;
  for (int i = 0; i < n; i++) {
    const double f = (age_yr[i] - start_yr) * inverse, ff = f * (1 - f);
    mass[i] = start + step * (s * f * f + young * ff) / (s + bend * ff);
  }
}

static double mass_since(const sdn_sfh *h, int segment, double age_yr)
{
  double mass;
  masses(h, segment, 1, &age_yr, &mass);
  return mass;
}

static double rate(const sdn_sfh *h, int segment, double age_yr)
{
  const double s = mean_rate(h, segment), young = h->knot_rate[segment], old = h->knot_rate[segment + 1];
  const double f = (age_yr - h->knot_yr[segment]) / (h->knot_yr[segment + 1] - h->knot_yr[segment]), g = 1 - f, ff = f * g;
  const double below = s + (young + old - 2 * s) * ff;
  return s * s * (old * f * f + 2 * s * ff + young * g * g) / (below * below);
}

/* (J - 1) / e with J = int_0^1 df / (1 + e f (1-f)), e > -2: in closed form, or by the series of J around e = 0. */
static double bend_integral(double e)
{
  if (fabs(e) < 0.03) return -1.0 / 6 + e * (1.0 / 30 + e * (-1.0 / 140 + e * (1.0 / 630 + e * (-1.0 / 2772 + e * (1.0 / 12012 - e / 51480)))));
  const double m = 1 + e / 4, root = sqrt(fabs(e) * m);
  if (e < 0) return (2 / root * atan(0.5 * sqrt(-e / m)) - 1) / e;
  const double x = 0.5 * sqrt(e / m);   /* 1 - x^2 = 1/m */
  return (log((1 + x) * (1 + x) * m) / root - 1) / e;
}

/* Mean age = int (1 - M) da. Over a segment, with e = D/s and k = 1 - y/s, int_0^1 (M - M_younger) / dM df = 1/2 + (e/2 + k) (J - 1) / e. */
static double mean_age_yr(const sdn_sfh *h)
{
  double sum = 0;
  for (int k = 0; k + 1 < h->n_knot; k++) {
    const double s = mean_rate(h, k), young = h->knot_rate[k] / s, old = h->knot_rate[k + 1] / s, e = young + old - 2;
    const double inside = 0.5 + (0.5 * e + 1 - young) * bend_integral(e);
    const double width_yr = h->knot_yr[k + 1] - h->knot_yr[k], step = h->knot_mass[k + 1] - h->knot_mass[k];
    sum += width_yr * (1 - h->knot_mass[k] - step * inside);
  }
  return sum;
}

/* Distance to the nearer zero of the denominator, at f = 1/2 +- sqrt(1/4 + s/D). */
static double reach_yr(const sdn_sfh *h, int segment, double younger_yr, double older_yr)
{
  const double width_yr = h->knot_yr[segment + 1] - h->knot_yr[segment], s = mean_rate(h, segment);
  const double bend = h->knot_rate[segment] + h->knot_rate[segment + 1] - 2 * s;
  const double offset = fabs((0.5 * (younger_yr + older_yr) - h->knot_yr[segment]) / width_yr - 0.5);
  if (fabs(bend) < 1e-6 * s) return INFINITY;
  const double square = 0.25 + s / bend;
  return width_yr * (square > 0 ? fabs(sqrt(square) - offset) : sqrt(offset * offset - square));
}

const sdn_sfh_ops sdn_sfh_dense = {
  .name = "dense_basis", .add = add, .prepare = prepare, .mass_since = mass_since, .rate = rate, .mean_age_yr = mean_age_yr, .reach_yr = reach_yr,
  .masses = masses,
};
