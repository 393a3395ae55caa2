/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Exponential: rate e^(-t/tau), t since the onset; it falls with time for tau > 0 and rises for tau < 0. With times in units of |tau| from the end of star
 * formation, y at an age and Y at the onset, and m(y) = 1 - e^-y,
 *   falling  M = e^-(Y-y) m(y) / m(Y),   rising  M = m(y) / m(Y). */
#include "physics/sfh_family.h"
#include "physics/vector_math.h"

#define SERIES_BELOW 0.5
#define N_SERIES 15        /* 0.5^15 / 15! < 1e-16 */
#define NEGLIGIBLE 45.0    /* e^-45 of the mass or less */

enum { AGE, TAU, END, N_PARAM };
enum { END_YR, SIZE_YR, SPAN, FALLING };   /* of h->value: |tau|; from onset to end in units of it; 1 or 0 */

static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const sdn_sfh_key key[N_PARAM] = {
    {{"age_gyr", "Gyr", NULL, 1e-6, 100, "lookback time at which star formation set in, at most the age of the Universe"}, SDN_SFH_REQUIRED},
    {{"tau_gyr", "Gyr", NULL, -1e6, 1e6, "time in which the rate falls by a factor e, or where it is negative, rises"}, SDN_SFH_REQUIRED},
    {{"lookback_end_gyr", "Gyr", NULL, 0, 100, "lookback time at which star formation stopped; without it, it goes on"}, SDN_SFH_OPTIONAL},
  };
  sdn_status status = sdn_sfh_room(m, N_PARAM, err);
  return status ? status : sdn_sfh_add_keys(m, node, prior, N_PARAM, key, 0, NULL, err);
}

static sdn_status prepare(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const double tau_gyr = sdn_sfh_value(m, galaxy, TAU), shortest_gyr = 1e-6, longest_gyr = 1e6;
  double onset_yr, end_yr, *knot_yr;
  if (!(fabs(tau_gyr) >= shortest_gyr && fabs(tau_gyr) <= longest_gyr))
    return sdn_fail(err, SDN_RANGE, "tau_gyr is %g; its size must lie between %g and %g (falling rates: positive, rising ones: negative)", tau_gyr, shortest_gyr,
                    longest_gyr);
  if (sdn_sfh_window(m, galaxy, AGE, END, &onset_yr, &end_yr, err)) return err->status;
  if (sdn_sfh_take_knots(h, 2, false, galaxy->arena, &knot_yr, err)) return err->status;
  h->value[END_YR] = knot_yr[0] = end_yr;
  knot_yr[1] = onset_yr;
  h->value[SIZE_YR] = fabs(tau_gyr) * SDN_YR_PER_GYR;
  h->value[SPAN] = (onset_yr - end_yr) / h->value[SIZE_YR];
  h->value[FALLING] = tau_gyr > 0;
  h->norm = -expm1(-h->value[SPAN]);
  return SDN_OK;
}

/* 1 - e^-y for y < 1/2, to the last digit, by Horner's scheme over y/k. */
SDN_INLINE double short_mass(double y)
{
  double sum = 1;
  for (int k = N_SERIES; k > 1; k--) sum = 1 - y / k * sum;
  return y * sum;
}

SDN_CLONES static void all_masses(int n, const double *restrict age_yr, const double *restrict value, double norm, double *restrict mass)
{
  const double end_yr = value[END_YR], inverse_tau = 1 / value[SIZE_YR], span = value[SPAN], falling = value[FALLING], inverse_norm = 1 / norm;
  for (int i = 0; i < n; i++) {
    const double y = (age_yr[i] - end_yr) * inverse_tau, formed = y < SERIES_BELOW ? short_mass(y) : 1 - sdn_vexp(-y);
    mass[i] = formed * inverse_norm * sdn_vexp(falling * (y - span));
  }
}

static void masses(const sdn_sfh *h, int segment, int n, const double *age_yr, double *mass)
{
  (void)segment;
  all_masses(n, age_yr, h->value, h->norm, mass);
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
  const double y = (age_yr - h->value[END_YR]) / h->value[SIZE_YR];
  return exp(h->value[FALLING] > 0 ? y - h->value[SPAN] : -y) / (h->norm * h->value[SIZE_YR]);
}

/* From the end where the rate is highest, the mean distance is |tau| (1 - Y / (e^Y - 1)). */
static double mean_age_yr(const sdn_sfh *h)
{
  const double y = h->value[SPAN], few = 0.01;
  const double share = y < few ? y * (0.5 - y * (1.0 / 12 - y * y / 720)) : 1 - y / expm1(y);
  return h->value[FALLING] > 0 ? h->knot_yr[1] - h->value[SIZE_YR] * share : h->knot_yr[0] + h->value[SIZE_YR] * share;
}

static double reach_yr(const sdn_sfh *h, int segment, double younger_yr, double older_yr)
{
  (void)segment;
  const double tau_yr = h->value[SIZE_YR], away_yr = h->value[FALLING] > 0 ? h->knot_yr[1] - older_yr : younger_yr - h->knot_yr[0];
  return away_yr > NEGLIGIBLE * tau_yr ? INFINITY : 4 * tau_yr;   /* no singularity, but factors e^4 */
}

const sdn_sfh_ops sdn_sfh_exponential = {
  .name = "exponential", .add = add, .prepare = prepare, .mass_since = mass_since, .rate = rate, .mean_age_yr = mean_age_yr, .reach_yr = reach_yr,
  .masses = masses,
};
