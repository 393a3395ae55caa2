/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One galaxy's history: made from parameters, asked for masses, rates and ages. */
#include "physics/sfh.h"

#include <math.h>
#include <string.h>

#include "physics/sfh_family.h"

void sdn_sfh_set_linear_age(sdn_sfh_model *m, bool linear_age) { m->linear_age = linear_age; }

sdn_status sdn_sfh_prepare(const sdn_sfh_model *m, const double *params, double age_universe_yr, double mass_formed_msun, sdn_arena *arena, sdn_sfh *h,
                           sdn_err *err)
{
  const sdn_sfh_galaxy galaxy = {params, age_universe_yr, mass_formed_msun, arena};
  if (!(age_universe_yr > 0 && isfinite(age_universe_yr)))
    return sdn_fail(err, SDN_RANGE, "the age of the Universe is %g yr at this redshift; it must be positive", age_universe_yr);
  if (!(mass_formed_msun > 0 && isfinite(mass_formed_msun)))
    return sdn_fail(err, SDN_RANGE, "the mass formed is %g Msun; it must be positive", mass_formed_msun);
  *h = (sdn_sfh){.ops = m->ops, .linear_age = m->linear_age, .age_universe_yr = age_universe_yr};
  return m->ops->prepare(m, &galaxy, h, err);
}

sdn_status sdn_sfh_take_knots(sdn_sfh *h, int n_knot, bool pieces, sdn_arena *arena, double **knot_yr, sdn_err *err)
{
  const size_t n = (size_t)n_knot, n_array = pieces ? 4 : 1;
  double *block = sdn_arena_take(arena, n_array * n, sizeof *block, err);
  if (!block) return err->status;
  h->n_knot = n_knot;
  h->knot_yr = *knot_yr = block;
  if (!pieces) return SDN_OK;
  memset(block, 0, n_array * n * sizeof *block);
  h->knot_mass = block + n;
  h->knot_rate = block + 2 * n;
  h->knot_bend = block + 3 * n;
  return SDN_OK;
}

sdn_status sdn_sfh_lookback(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh_when when, double *lookback_yr, sdn_err *err)
{
  const double oldest_yr = galaxy->age_universe_yr, given = sdn_sfh_value(m, galaxy, when.param);
  const double yr = sdn_sfh_has(m, when.param) ? given * when.unit_yr : when.otherwise_yr;
  if (!(yr >= 0)) return sdn_fail(err, SDN_RANGE, "%s is %g; a lookback time is not negative", m->name[when.param], given);
  if (!(yr <= oldest_yr * (1 + SDN_SFH_ROUNDING)))
    return sdn_fail(err, SDN_RANGE, "%s is %g but the Universe is %g Gyr old at this redshift; give it a prior with high: age_universe_gyr(redshift)%s",
                    m->name[when.param], given, oldest_yr / SDN_YR_PER_GYR, when.unit_yr < SDN_YR_PER_GYR ? " * 1000" : "");
  *lookback_yr = fmin(yr, oldest_yr);
  return SDN_OK;
}

sdn_status sdn_sfh_window(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, int start, int end, double *start_yr, double *end_yr, sdn_err *err)
{
  if (sdn_sfh_lookback(m, galaxy, (sdn_sfh_when){start, SDN_YR_PER_GYR, galaxy->age_universe_yr}, start_yr, err)) return err->status;
  if (sdn_sfh_lookback(m, galaxy, (sdn_sfh_when){end, SDN_YR_PER_GYR, 0}, end_yr, err)) return err->status;
  if (*start_yr > *end_yr) return SDN_OK;
  if (!sdn_sfh_has(m, end)) return sdn_fail(err, SDN_RANGE, "%s is %g; star formation must have begun some time ago", m->name[start], *start_yr / SDN_YR_PER_GYR);
  return sdn_fail(err, SDN_RANGE, "%s %g is not before the onset, %g Gyr ago; give it a prior with high: below that", m->name[end], *end_yr / SDN_YR_PER_GYR,
                  *start_yr / SDN_YR_PER_GYR);
}

int sdn_sfh_segment(const sdn_sfh *h, double age_yr)
{
  int low = 0, high = h->n_knot - 1;   /* knot[low] <= age < knot[high] */
  if (high <= 8) {
    while (low + 1 < high && age_yr >= h->knot_yr[low + 1]) low++;
    return low;
  }
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    *(age_yr >= h->knot_yr[middle] ? &low : &high) = middle;
  }
  return low;
}

double sdn_sfh_mass_since(const sdn_sfh *h, double age_yr)
{
  if (!(age_yr > h->knot_yr[0])) return age_yr <= h->knot_yr[0] ? 0 : NAN;
  if (age_yr >= h->knot_yr[h->n_knot - 1]) return 1;
  const double mass = h->ops->mass_since(h, sdn_sfh_segment(h, age_yr), age_yr);
  return mass < 1 ? fmax(mass, 0) : 1;
}

double sdn_sfh_rate(const sdn_sfh *h, double age_yr)
{
  if (!(age_yr >= h->knot_yr[0])) return age_yr < h->knot_yr[0] ? 0 : NAN;
  if (age_yr > h->knot_yr[h->n_knot - 1]) return 0;
  return h->ops->rate(h, sdn_sfh_segment(h, age_yr), age_yr);
}

double sdn_sfh_mean_age_yr(const sdn_sfh *h) { return h->ops->mean_age_yr(h); }

/* Newton's steps inside a bracket; halves it where they would leave it or do not shrink by half each time. */
double sdn_sfh_age_of_fraction(const sdn_sfh *h, double fraction_formed)
{
  const double target = 1 - fraction_formed, tolerance = 1e-11;   /* of the age: the last step; Newton leaves less */
  double young = h->knot_yr[0], old = h->knot_yr[h->n_knot - 1], age = 0.5 * (young + old), step = old;
  if (!(target >= 0 && target <= 1)) return NAN;
  if (target == 0 || target == 1) return target == 0 ? young : old;
  for (int i = 0; i < 200 && step > tolerance * age; i++) {
    const double excess = sdn_sfh_mass_since(h, age) - target, newton = age - excess / sdn_sfh_rate(h, age);
    if (excess == 0) return age;
    if (fabs(newton - age) <= tolerance * age) return newton;
    *(excess < 0 ? &young : &old) = age;
    const bool good = newton > young && newton < old && fabs(newton - age) < 0.5 * step;
    const double next = good ? newton : 0.5 * (young + old);
    step = fabs(next - age);
    age = next;
  }
  return age;
}

/* ------------------------------------------------------------------ weights */

void sdn_sfh_weights_since(const sdn_sfh *h, double limit_yr, int n_age, const double *age_yr, double *weight)
{
  const double total = sdn_sfh_mass_since(h, limit_yr), until_yr = fmin(limit_yr, h->knot_yr[h->n_knot - 1]);
  if (!(total > 0)) {
    for (int i = 0; i < n_age; i++) weight[i] = total;   /* 0, or NaN for a limit that is no number */
    return;
  }
  (h->ops->weights ? h->ops->weights : sdn_sfh_quadrature)(h, until_yr, total, n_age, age_yr, weight);
}

void sdn_sfh_weights(const sdn_sfh *h, int n_age, const double *age_yr, double *weight) { sdn_sfh_weights_since(h, INFINITY, n_age, age_yr, weight); }
