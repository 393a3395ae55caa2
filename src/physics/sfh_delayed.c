/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Delayed exponential: with s the time since onset in units of tau, the rate is s e^-s and the mass between two times
 *   int_x^X s e^-s ds = e^-x [ x (1 - e^-d) + 1 - (1 + d) e^-d ],  d = X - x,
 * a sum of positive terms. Where the whole history is shorter than tau / 2 a power series in X takes its place. It may be cut off (quenched) at a lookback
 * time, from which the times below then count. */
#include "physics/sfh_family.h"
#include "physics/vector_math.h"

#define SERIES_BELOW 0.5
#define N_SERIES 15        /* X^15 / 15! < 1e-16 */
#define NEGLIGIBLE 45.0    /* e^-45 of the mass or less */

enum { SPAN_YR, TAU_YR, END_YR };   /* of h->value: from onset to end; end: lookback time of the last stars */
enum { AGE, TAU, END, N_PARAM };

/* int_0^1 q^(1+more) e^(-X q) dq by its power series. */
static double series(double x, int more, double q)
{
  double term = 1, sum = 0;
  for (int k = 0; k < N_SERIES; k++) {
    sum += term / (k + 1 + more);
    term *= -x * q / (k + 1);
  }
  return sum;
}

static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const sdn_sfh_key key[N_PARAM] = {
    {{"age_gyr", "Gyr", NULL, 1e-6, 100, "lookback time at which star formation set in, at most the age of the Universe"}, SDN_SFH_REQUIRED},
    {{"tau_gyr", "Gyr", NULL, 1e-6, 1e6, "time from the onset to the peak of star formation"}, SDN_SFH_REQUIRED},
    {{"lookback_end_gyr", "Gyr", NULL, 0, 100, "lookback time at which star formation stopped; without it, it goes on"}, SDN_SFH_OPTIONAL},
  };
  sdn_status status = sdn_sfh_room(m, N_PARAM, err);
  return status ? status : sdn_sfh_add_keys(m, node, prior, N_PARAM, key, 0, NULL, err);
}

static sdn_status prepare(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double onset_yr, end_yr, *knot_yr;
  const double tau_gyr = sdn_sfh_value(m, galaxy, TAU), tau_yr = tau_gyr * SDN_YR_PER_GYR;
  if (!(tau_yr > 0 && isfinite(tau_yr))) return sdn_fail(err, SDN_RANGE, "tau_gyr is %g; it must be positive", tau_gyr);
  if (sdn_sfh_window(m, galaxy, AGE, END, &onset_yr, &end_yr, err)) return err->status;
  if (sdn_sfh_take_knots(h, 2, false, galaxy->arena, &knot_yr, err)) return err->status;
  const double x = (onset_yr - end_yr) / tau_yr;
  h->value[SPAN_YR] = onset_yr - end_yr;
  h->value[TAU_YR] = tau_yr;
  h->value[END_YR] = knot_yr[0] = end_yr;
  knot_yr[1] = onset_yr;
  h->norm = x < SERIES_BELOW ? x * x * series(x, 1, 1) : -expm1(-x) - x * exp(-x);
  if (h->norm > 0) return SDN_OK;
  return sdn_fail(err, SDN_RANGE, "tau_gyr %g is too long beside age_gyr %g; keep it below 1e6 times that", tau_gyr, onset_yr / SDN_YR_PER_GYR);
}

SDN_CLONES static void long_history(int n, const double *restrict age_yr, const double *restrict value, double inverse_norm, double *restrict mass)
{
  const double span_yr = value[SPAN_YR], inverse_tau = 1 / value[TAU_YR], end_yr = value[END_YR];
  for (int i = 0; i < n; i++) {
    const double since_yr = age_yr[i] - end_yr, x = (span_yr - since_yr) * inverse_tau, d = since_yr * inverse_tau, ed = sdn_vexp(-d);
    mass[i] = sdn_vexp(-x) * (x * (1 - ed) + (1 - (1 + d) * ed)) * inverse_norm;
  }
}

static void masses(const sdn_sfh *h, int segment, int n, const double *age_yr, double *mass)
{
  (void)segment;
  const double span_yr = h->value[SPAN_YR], x_all = span_yr / h->value[TAU_YR];
  if (x_all < SERIES_BELOW) {
    const double whole = series(x_all, 1, 1);
    for (int i = 0; i < n; i++) {
      const double q = (span_yr - (age_yr[i] - h->value[END_YR])) / span_yr;
      mass[i] = 1 - q * q * series(x_all, 1, q) / whole;
    }
    return;
  }
  long_history(n, age_yr, h->value, 1 / h->norm, mass);
}

static double mass_since(const sdn_sfh *h, int segment, double age_yr)
{
  double mass;
  masses(h, segment, 1, &age_yr, &mass);
  return mass;
}

static double rate(const sdn_sfh *h, int segment, double age_yr)
{
  (void)segment;
  const double x = (h->knot_yr[1] - age_yr) / h->value[TAU_YR];
  return x * exp(-x) / (h->norm * h->value[TAU_YR]);
}

static double mean_age_yr(const sdn_sfh *h)
{
  const double tau_yr = h->value[TAU_YR], x = h->value[SPAN_YR] / tau_yr;
  const double first_moment = x < SERIES_BELOW ? x * x * x * series(x, 2, 1) : 2 - (2 + x * (2 + x)) * exp(-x);
  return h->knot_yr[1] - tau_yr * first_moment / h->norm;
}

/* No singularity, but factors x e^x; and one that ended, of a span short beside its age, is a polynomial in a small part of that. */
static double reach_yr(const sdn_sfh *h, int segment, double younger_yr, double older_yr)
{
  (void)segment;
  (void)younger_yr;
  const double tau_yr = h->value[TAU_YR];
  if (h->knot_yr[1] - older_yr > NEGLIGIBLE * tau_yr) return INFINITY;
  return h->value[END_YR] > 0 ? fmin(3.4 * tau_yr, 4 * h->value[SPAN_YR]) : 3.4 * tau_yr;
}

const sdn_sfh_ops sdn_sfh_delayed = {
  .name = "delayed_exponential", .add = add, .prepare = prepare, .mass_since = mass_since, .rate = rate, .mean_age_yr = mean_age_yr, .reach_yr = reach_yr,
  .masses = masses,
};
