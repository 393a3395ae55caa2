/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Delayed exponential: with s the time since onset in units of tau, the rate is s e^-s and the mass between two times
 *   int_x^X s e^-s ds = e^-x [ x (1 - e^-d) + 1 - (1 + d) e^-d ],  d = X - x,
 * a sum of positive terms. Where the whole history is shorter than tau / 2 a power series in X takes its place. */
#include <math.h>

#include "physics/sfh_family.h"
#include "physics/vector_math.h"

#define SERIES_BELOW 0.5
#define N_SERIES 15        /* X^15 / 15! < 1e-16 */
#define NEGLIGIBLE 45.0    /* e^-45 of the mass or less */

enum { ONSET_YR, TAU_YR, N_VALUE };

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
  static const char *const known[] = {"family", "age_gyr", "tau_gyr"};
  static const sdn_param_spec age = {"age_gyr", "Gyr", NULL, 1e-6, 100, "lookback time at which star formation set in, at most the age of the Universe"};
  static const sdn_param_spec tau = {"tau_gyr", "Gyr", NULL, 1e-6, 1e6, "time from the onset to the peak of star formation"};
  sdn_status status = sdn_yaml_only_keys(node, known, 3, err);
  if (!status) status = sdn_prior_add(prior, &age, sdn_yaml_get(node, "age_gyr"), err);
  if (!status) status = sdn_prior_add(prior, &tau, sdn_yaml_get(node, "tau_gyr"), err);
  m->n_param = N_VALUE;
  return status;
}

static const char *param_name(const sdn_sfh_model *m, int i, char buffer[32])
{
  (void)m;
  (void)buffer;
  return i == 0 ? "age_gyr" : "tau_gyr";
}

static sdn_status prepare(const sdn_sfh_model *m, const double *value, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  (void)m;
  double onset_yr = value[0] * SDN_YR_PER_GYR;
  const double tau_yr = value[1] * SDN_YR_PER_GYR, oldest_yr = galaxy->age_universe_yr, rounding = 1e-9;
  if (!(tau_yr > 0 && isfinite(tau_yr))) return sdn_fail(err, SDN_RANGE, "tau_gyr is %g; it must be positive", value[1]);
  if (!(onset_yr > 0 && onset_yr <= oldest_yr * (1 + rounding)))
    return sdn_fail(err, SDN_RANGE, "age_gyr is %g but the Universe is %g Gyr old at this redshift; give it a prior with high: age_universe_gyr(redshift)",
                    value[0], oldest_yr / SDN_YR_PER_GYR);
  if (onset_yr > oldest_yr) onset_yr = oldest_yr;
  const double x = onset_yr / tau_yr;
  h->value[ONSET_YR] = onset_yr;
  h->value[TAU_YR] = tau_yr;
  h->n_knot = 2;
  h->knot_yr[1] = onset_yr;
  h->norm = x < SERIES_BELOW ? x * x * series(x, 1, 1) : -expm1(-x) - x * exp(-x);
  return h->norm > 0 ? SDN_OK : sdn_fail(err, SDN_RANGE, "tau_gyr %g is too long beside age_gyr %g; keep it below 1e6 times that", value[1], value[0]);
}

SDN_CLONES static void long_history(int n, const double *restrict age_yr, double onset_yr, double inverse_tau, double inverse_norm, double *restrict mass)
{
  for (int i = 0; i < n; i++) {
    const double x = (onset_yr - age_yr[i]) * inverse_tau, d = age_yr[i] * inverse_tau, ed = sdn_vexp(-d);
    mass[i] = sdn_vexp(-x) * (x * (1 - ed) + (1 - (1 + d) * ed)) * inverse_norm;
  }
}

static void masses(const sdn_sfh *h, int segment, int n, const double *age_yr, double *mass)
{
  (void)segment;
  const double onset_yr = h->value[ONSET_YR], inverse_tau = 1 / h->value[TAU_YR], x_all = onset_yr * inverse_tau;
  if (x_all < SERIES_BELOW) {
    const double whole = series(x_all, 1, 1);
    for (int i = 0; i < n; i++) {
      const double q = (onset_yr - age_yr[i]) / onset_yr;
      mass[i] = 1 - q * q * series(x_all, 1, q) / whole;
    }
    return;
  }
  long_history(n, age_yr, onset_yr, inverse_tau, 1 / h->norm, mass);
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
  const double x = (h->value[ONSET_YR] - age_yr) / h->value[TAU_YR];
  return x * exp(-x) / (h->norm * h->value[TAU_YR]);
}

static double mean_age_yr(const sdn_sfh *h)
{
  const double tau_yr = h->value[TAU_YR], x = h->value[ONSET_YR] / tau_yr;
  const double first_moment = x < SERIES_BELOW ? x * x * x * series(x, 2, 1) : 2 - (2 + x * (2 + x)) * exp(-x);
  return h->value[ONSET_YR] - tau_yr * first_moment / h->norm;
}

static double reach_yr(const sdn_sfh *h, int segment, double younger_yr, double older_yr)
{
  (void)segment;
  (void)younger_yr;
  const double tau_yr = h->value[TAU_YR];
  return h->value[ONSET_YR] - older_yr > NEGLIGIBLE * tau_yr ? INFINITY : 4 * tau_yr;   /* no singularity, but factors e^4 */
}

const sdn_sfh_ops sdn_sfh_delayed = {"delayed_exponential", add, param_name, prepare, mass_since, rate, mean_age_yr, reach_yr, masses, NULL};
