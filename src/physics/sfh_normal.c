/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normal in lookback time (gaussian), or in the logarithm of the time since the onset (log_normal), both cut where star formation begins and ends.
 * With x the variable in units of its standard deviation from the mean, masses are differences of the normal's distribution function Phi, taken in that
 * tail where they keep their digits and in units of phi at the window's highest point, so that nothing underflows.
 * The log-normal's rate (1/t) phi((ln t - T0) / s) has its peak at ln t_p = T0 - s^2, and is e^(-ln^2(t/t_p) / 2 s^2) of it elsewhere; so a full width at
 * half maximum w belongs to s = asinh(w / 2 t_p) / sqrt(2 ln 2). */
#include "base/special.h"
#include "physics/gauss.h"
#include "physics/sfh_family.h"
#include "physics/vector_math.h"

#define ROOT_2_PI 2.50662827463100050242
#define HALF_LEVEL 1.17741002251547469101   /* sqrt(2 ln 2) */
#define FLAT 0.5           /* ln phi changes by less over an interval: then quadrature of 12 points is exact, and differences are not */
#define NEGLIGIBLE 45.0    /* e^-45 of the highest rate or less */
#define LOWEST -1e7        /* ln of the rate, compared with its peak; squares of x lose too many digits below */
#define YOUNG 0.02         /* of the time since the onset of a log-normal: so young that one distance serves all, */
#define YOUNG_SHARE 0.1    /* if it is at least this share of that span: else each panel finds its own, which spares the many that hold no mass */

/* X_YOUNG, X_OLD: x at the end and at the onset of star formation (gaussian: rising with age; log_normal: falling). TOP: ln of phi's height in the
 * window, without 1/sqrt(2 pi). */
enum { X_YOUNG, X_OLD, TOP, WIDTH, ORIGIN_YR, PEAK_YR, YOUNG_REACH_YR };

/* int of e^(-x^2/2 - top) dx. */
static double between(double top, double low, double high)
{
  if ((high - low) * (1 + fmax(fabs(low), fabs(high))) < FLAT) {
    const sdn_gauss *g = &sdn_gauss_rule[SDN_GAUSS_12];
    double sum = 0;
    for (int i = 0; i < g->n; i++) {
      const double x = low + (high - low) * g->x[i];
      sum += g->w[i] * exp(-0.5 * x * x - top);
    }
    return sum * (high - low);
  }
  if (low >= 0) return ROOT_2_PI * (exp(sdn_normal_ln_cdf(-low) - top) - exp(sdn_normal_ln_cdf(-high) - top));
  const double below = low > -INFINITY ? exp(sdn_normal_ln_cdf(low) - top) : 0;
  if (high <= 0) return ROOT_2_PI * (exp(sdn_normal_ln_cdf(high) - top) - below);
  return ROOT_2_PI * exp(-top) * (sdn_normal_cdf(high) - (low > -INFINITY ? sdn_normal_cdf(low) : 0));
}

/* -x^2/2 where it is highest between two x. */
static double height(double low, double high)
{
  const double nearest = low > 0 ? low : high < 0 ? high : 0;
  return -0.5 * nearest * nearest;
}

/* How far in x the integrand e^(-x^2/2) stays below e^4 times its value, in the complex plane. */
static double reach_x(double x) { return sqrt(x * x + 8) - fabs(x); }

static sdn_status check_norm(const sdn_sfh *h, const char *name, sdn_err *err)
{
  if (h->norm > 0 && isfinite(h->norm) && h->value[TOP] > LOWEST) return SDN_OK;
  return sdn_fail(err, SDN_RANGE, "the %s history has no mass in its %g Gyr of star formation; move its peak nearer or make it wider", name,
                  (h->knot_yr[1] - h->knot_yr[0]) / SDN_YR_PER_GYR);
}

/* ------------------------------------------------------------------ gaussian */

enum { PEAK_LOOKBACK, PEAK_TIME, SIGMA, START, END, N_PARAM };   /* log_normal: the same, but for the width in two forms */

static sdn_status add_gaussian(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const sdn_sfh_key key[N_PARAM] = {
    {{"lookback_peak_gyr", "Gyr", NULL, -100, 100, "lookback time of the highest rate; negative: still to come"}, 1},
    {{"time_peak_gyr", "Gyr", NULL, -100, 100, "cosmic time of the highest rate"}, 1},
    {{"sigma_gyr", "Gyr", NULL, 1e-4, 1000, "standard deviation of the rate in time"}, SDN_SFH_REQUIRED},
    {{"lookback_start_gyr", "Gyr", NULL, 0, 100, "lookback time at which star formation set in; without it, the Big Bang"}, SDN_SFH_OPTIONAL},
    {{"lookback_end_gyr", "Gyr", NULL, 0, 100, "lookback time at which star formation stopped; without it, it goes on"}, SDN_SFH_OPTIONAL},
  };
  sdn_status status = sdn_sfh_room(m, N_PARAM, err);
  return status ? status : sdn_sfh_add_keys(m, node, prior, N_PARAM, key, 0, NULL, err);
}

static sdn_status take_window(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double start_yr, end_yr, *knot_yr;
  if (sdn_sfh_window(m, galaxy, START, END, &start_yr, &end_yr, err)) return err->status;
  if (sdn_sfh_take_knots(h, 2, false, galaxy->arena, &knot_yr, err)) return err->status;
  knot_yr[0] = end_yr;
  knot_yr[1] = start_yr;
  return SDN_OK;
}

static sdn_status prepare_gaussian(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const double sigma_gyr = sdn_sfh_value(m, galaxy, SIGMA), sigma_yr = sigma_gyr * SDN_YR_PER_GYR;
  const double peak_yr = sdn_sfh_has(m, PEAK_LOOKBACK) ? sdn_sfh_value(m, galaxy, PEAK_LOOKBACK) * SDN_YR_PER_GYR
                                                       : galaxy->age_universe_yr - sdn_sfh_value(m, galaxy, PEAK_TIME) * SDN_YR_PER_GYR;
  if (!(sigma_gyr > 0 && isfinite(sigma_gyr) && isfinite(peak_yr)))
    return sdn_fail(err, SDN_RANGE, "sigma_gyr is %g and the peak %g Gyr ago; sigma must be positive and both finite", sigma_gyr, peak_yr / SDN_YR_PER_GYR);
  if (take_window(m, galaxy, h, err)) return err->status;
  h->value[WIDTH] = sigma_yr;
  h->value[PEAK_YR] = peak_yr;
  h->value[X_YOUNG] = (h->knot_yr[0] - peak_yr) / sigma_yr;
  h->value[X_OLD] = (h->knot_yr[1] - peak_yr) / sigma_yr;
  h->value[TOP] = height(h->value[X_YOUNG], h->value[X_OLD]);
  h->norm = between(h->value[TOP], h->value[X_YOUNG], h->value[X_OLD]);
  return check_norm(h, "gaussian", err);
}

static double gaussian_mass(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  return between(h->value[TOP], h->value[X_YOUNG], (age_yr - h->value[PEAK_YR]) / h->value[WIDTH]) / h->norm;
}

SDN_CLONES static void gaussian_rates(const sdn_sfh *h, int n, const double *restrict age_yr, double *restrict rate)
{
  const double peak_yr = h->value[PEAK_YR], inverse = 1 / h->value[WIDTH], top = h->value[TOP], scale = inverse / h->norm;
  for (int i = 0; i < n; i++) {
    const double x = (age_yr[i] - peak_yr) * inverse;
    rate[i] = scale * sdn_vexp(-0.5 * x * x - top);
  }
}

static double gaussian_rate(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  double rate;
  gaussian_rates(h, 1, &age_yr, &rate);
  return rate;
}

/* int x phi dx = phi(young) - phi(old); where the rate hardly changes, by quadrature. */
static double gaussian_mean_age_yr(const sdn_sfh *h)
{
  const double low = h->value[X_YOUNG], high = h->value[X_OLD], top = h->value[TOP];
  const sdn_gauss *g = &sdn_gauss_rule[SDN_GAUSS_12];
  double sum = 0;
  if (!((high - low) * (1 + fmax(fabs(low), fabs(high))) < FLAT))
    return h->value[PEAK_YR] + h->value[WIDTH] * (exp(-0.5 * low * low - top) - exp(-0.5 * high * high - top)) / h->norm;
  for (int i = 0; i < g->n; i++) {
    const double x = low + (high - low) * g->x[i];
    sum += g->w[i] * g->x[i] * exp(-0.5 * x * x - top);
  }
  return h->knot_yr[0] + (h->knot_yr[1] - h->knot_yr[0]) * sum * (high - low) / h->norm;
}

static double gaussian_reach_yr(const sdn_sfh *h, int segment, double younger_yr, double older_yr)
{
  (void)segment;
  const double inverse = 1 / h->value[WIDTH], low = (younger_yr - h->value[PEAK_YR]) * inverse, high = (older_yr - h->value[PEAK_YR]) * inverse;
  if (height(low, high) < h->value[TOP] - NEGLIGIBLE) return INFINITY;
  return h->value[WIDTH] * reach_x(0.5 * (low + high));
}

const sdn_sfh_ops sdn_sfh_gaussian = {
  .name = "gaussian", .add = add_gaussian, .prepare = prepare_gaussian, .mass_since = gaussian_mass, .rate = gaussian_rate,
  .mean_age_yr = gaussian_mean_age_yr, .reach_yr = gaussian_reach_yr, .rates = gaussian_rates,
};

/* ------------------------------------------------------------------ log-normal */

enum { LOG_SIGMA = SIGMA, FWHM = N_PARAM, N_LOG_PARAM };

static sdn_status add_log_normal(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const sdn_sfh_key key[N_LOG_PARAM] = {
    {{"lookback_peak_gyr", "Gyr", NULL, -100, 100, "lookback time of the highest rate; negative: still to come"}, 1},
    {{"time_peak_gyr", "Gyr", NULL, 1e-6, 1000, "cosmic time of the highest rate"}, 1},
    {{"sigma_ln_time", "", NULL, 1e-4, 10, "standard deviation of ln of the time since the onset"}, 2},
    {{"lookback_start_gyr", "Gyr", NULL, 0, 100, "lookback time from which time counts in the logarithm; without it, the Big Bang"}, SDN_SFH_OPTIONAL},
    {{"lookback_end_gyr", "Gyr", NULL, 0, 100, "lookback time at which star formation stopped; without it, it goes on"}, SDN_SFH_OPTIONAL},
    {{"fwhm_gyr", "Gyr", NULL, 1e-6, 1000, "time for which the rate is above half of its highest"}, 2},
  };
  sdn_status status = sdn_sfh_room(m, N_LOG_PARAM, err);
  return status ? status : sdn_sfh_add_keys(m, node, prior, N_LOG_PARAM, key, 0, NULL, err);
}

/* x at an age: ORIGIN_YR is the onset, PEAK_YR the time from there to the peak. */
static double log_x(const sdn_sfh *h, double age_yr)
{
  const double t_yr = h->value[ORIGIN_YR] - age_yr;
  return t_yr > 0 ? log(t_yr / h->value[PEAK_YR]) / h->value[WIDTH] - h->value[WIDTH] : -INFINITY;
}

static sdn_status prepare_log_normal(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  if (take_window(m, galaxy, h, err)) return err->status;
  const double onset_yr = h->knot_yr[1], lookback_yr = sdn_sfh_has(m, PEAK_LOOKBACK) ? sdn_sfh_value(m, galaxy, PEAK_LOOKBACK) * SDN_YR_PER_GYR
                                  : galaxy->age_universe_yr - sdn_sfh_value(m, galaxy, PEAK_TIME) * SDN_YR_PER_GYR;
  const double peak_yr = onset_yr - lookback_yr;
  if (!(peak_yr > 0 && isfinite(peak_yr)))
    return sdn_fail(err, SDN_RANGE, "the log-normal history peaks %g Gyr ago, but star formation set in %g Gyr ago; let the peak come later",
                    lookback_yr / SDN_YR_PER_GYR, onset_yr / SDN_YR_PER_GYR);
  const double sigma = sdn_sfh_has(m, FWHM) ? asinh(0.5 * sdn_sfh_value(m, galaxy, FWHM) * SDN_YR_PER_GYR / peak_yr) / HALF_LEVEL : sdn_sfh_value(m, galaxy, LOG_SIGMA);
  if (!(sigma > 0 && isfinite(sigma))) return sdn_fail(err, SDN_RANGE, "the width of the log-normal history is %g in ln time; it must be positive", sigma);
  h->value[ORIGIN_YR] = onset_yr;
  h->value[PEAK_YR] = peak_yr;
  h->value[WIDTH] = sigma;
  h->value[X_YOUNG] = log_x(h, h->knot_yr[0]);
  h->value[X_OLD] = -INFINITY;
  h->value[TOP] = height(-INFINITY, h->value[X_YOUNG]);
  h->value[YOUNG_REACH_YR] = (onset_yr - h->knot_yr[0]) * (1 - YOUNG) * -expm1(-sigma * reach_x(fabs(h->value[X_YOUNG]) - 1.1 * log1p(-YOUNG) / sigma));
  h->norm = between(h->value[TOP], -INFINITY, h->value[X_YOUNG]);
  return check_norm(h, "log-normal", err);
}

static double log_normal_mass(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  return between(h->value[TOP], log_x(h, age_yr), h->value[X_YOUNG]) / h->norm;
}

SDN_CLONES static void log_normal_rates(const sdn_sfh *h, int n, const double *restrict age_yr, double *restrict rate)
{
  const double onset_yr = h->value[ORIGIN_YR], inverse_peak = 1 / h->value[PEAK_YR], sigma = h->value[WIDTH], inverse = 1 / sigma, top = h->value[TOP];
  const double scale = inverse * inverse_peak / h->norm;
  for (int i = 0; i < n; i++) {
    const double t = (onset_yr - age_yr[i]) * inverse_peak, safe = t > 1e-300 ? t : 1e-300, x = sdn_vlog(safe) * inverse - sigma;
    const double here = scale * sdn_vexp(-0.5 * x * x - top) / safe;
    rate[i] = t > 1e-300 ? here : 0;
  }
}

static double log_normal_rate(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  double rate;
  log_normal_rates(h, 1, &age_yr, &rate);
  return rate;
}

/* The mean time since the onset is e^(T0 + s^2/2) Phi(x - s) / Phi(x), T0 = ln t_p + s^2. */
static double log_normal_mean_age_yr(const sdn_sfh *h)
{
  const double sigma = h->value[WIDTH], x = h->value[X_YOUNG];
  return h->value[ORIGIN_YR] - h->value[PEAK_YR] * exp(1.5 * sigma * sigma + sdn_normal_ln_cdf(x - sigma) - sdn_normal_ln_cdf(x));
}

/* In ln t as far as the gaussian goes on, but never to the onset, t = 0. */
static double log_normal_reach_yr(const sdn_sfh *h, int segment, double younger_yr, double older_yr)
{
  (void)segment;
  const double young_yr = YOUNG * (h->value[ORIGIN_YR] - h->knot_yr[0]);
  if (older_yr - h->knot_yr[0] < young_yr && h->value[YOUNG_REACH_YR] > YOUNG_SHARE * young_yr) return h->value[YOUNG_REACH_YR];
  const double inverse_peak = 1 / h->value[PEAK_YR], sigma = h->value[WIDTH], least = 1e-300, middle_yr = h->value[ORIGIN_YR] - 0.5 * (younger_yr + older_yr);
  const double high = sdn_vlog((h->value[ORIGIN_YR] - younger_yr) * inverse_peak) / sigma - sigma;
  const double low = sdn_vlog(fmax((h->value[ORIGIN_YR] - older_yr) * inverse_peak, least)) / sigma - sigma;
  if (height(low, high) < h->value[TOP] - NEGLIGIBLE) return INFINITY;
  return middle_yr * (1 - sdn_vexp(-sigma * reach_x(sdn_vlog(middle_yr * inverse_peak) / sigma - sigma)));
}

const sdn_sfh_ops sdn_sfh_log_normal = {
  .name = "log_normal", .add = add_log_normal, .prepare = prepare_log_normal, .mass_since = log_normal_mass, .rate = log_normal_rate,
  .mean_age_yr = log_normal_mean_age_yr, .reach_yr = log_normal_reach_yr, .rates = log_normal_rates,
};
