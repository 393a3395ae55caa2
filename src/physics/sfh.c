/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/sfh.h"

#include <math.h>
#include <string.h>

#include "physics/sfh_family.h"

const sdn_sfh_ops *sdn_sfh_ops_of(sdn_sfh_family family)
{
  static const sdn_sfh_ops *const ops[] = {
    [SDN_SFH_DELAYED_EXPONENTIAL] = &sdn_sfh_delayed,
    [SDN_SFH_DOUBLE_POWER_LAW] = &sdn_sfh_power_law,
    [SDN_SFH_CONTINUITY] = &sdn_sfh_steps,
    [SDN_SFH_DENSE_BASIS] = &sdn_sfh_dense,
  };
  return ops[family];
}

enum { N_FAMILY = SDN_SFH_DENSE_BASIS + 1 };

static sdn_status find_family(const sdn_yaml *node, sdn_sfh_family *family, sdn_err *err)
{
  const char *text = NULL, *names[N_FAMILY];
  sdn_status status = sdn_yaml_text(node, "family", true, &text, err);
  if (status) return status;
  for (int i = 0; i < N_FAMILY; i++) {
    names[i] = sdn_sfh_ops_of((sdn_sfh_family)i)->name;
    if (strcmp(text, names[i]) == 0) {
      *family = (sdn_sfh_family)i;
      return SDN_OK;
    }
  }
  const char *near = sdn_nearest(text, names, N_FAMILY);
  return sdn_yaml_fail(sdn_yaml_get(node, "family"), err, "unknown family '%s'%s%s%s; known ones are %s, %s, %s, %s", text, near ? ", did you mean '" : "",
                       near ? near : "", near ? "'?" : "", names[0], names[1], names[2], names[3]);
}

sdn_status sdn_sfh_model_new(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model **model, sdn_err *err)
{
  sdn_sfh_model *m = sdn_alloc(1, sizeof *m, "a star formation history", err);
  if (!m) return err->status;
  sdn_status status = find_family(node, &m->family, err);
  if (!status) status = sdn_sfh_ops_of(m->family)->add(node, prior, m, err);
  if (status) goto done;
  *model = m;
  m = NULL;
done:
  sdn_sfh_model_free(m);
  return status;
}

sdn_status sdn_sfh_model_bind(sdn_sfh_model *m, const sdn_prior *prior, sdn_err *err)
{
  char buffer[32];
  for (int i = 0; i < m->n_param; i++) {
    const char *name = sdn_sfh_ops_of(m->family)->param_name(m, i, buffer);
    m->param[i] = sdn_prior_param_index(prior, name);
    if (m->param[i] < 0) return sdn_fail(err, SDN_USAGE, "the prior has no parameter %s, which the star formation history needs", name);
  }
  return SDN_OK;
}

void sdn_sfh_model_free(sdn_sfh_model *m)
{
  if (!m) return;
  sdn_yaml_free(m->initial);
  sdn_release(m);
}

sdn_status sdn_sfh_prepare(const sdn_sfh_model *m, const double *params, double age_universe_yr, double mass_formed_msun, sdn_sfh *h, sdn_err *err)
{
  const sdn_sfh_galaxy galaxy = {age_universe_yr, mass_formed_msun};
  double value[SDN_SFH_MAX_PARAM];
  if (!(age_universe_yr > 0 && isfinite(age_universe_yr)))
    return sdn_fail(err, SDN_RANGE, "the age of the Universe is %g yr at this redshift; it must be positive", age_universe_yr);
  if (!(mass_formed_msun > 0 && isfinite(mass_formed_msun)))
    return sdn_fail(err, SDN_RANGE, "the mass formed is %g Msun; it must be positive", mass_formed_msun);
  for (int i = 0; i < m->n_param; i++) value[i] = params[m->param[i]];
  memset(h, 0, sizeof *h);
  h->family = m->family;
  h->age_universe_yr = age_universe_yr;
  return sdn_sfh_ops_of(m->family)->prepare(m, value, &galaxy, h, err);
}

/* The segment that holds an age, 0 <= age < last knot. */
static int segment_of(const sdn_sfh *h, double age_yr)
{
  int k = 0;
  while (k + 2 < h->n_knot && age_yr >= h->knot_yr[k + 1]) k++;
  return k;
}

double sdn_sfh_mass_since(const sdn_sfh *h, double age_yr)
{
  if (!(age_yr > 0)) return age_yr <= 0 ? 0 : NAN;
  if (age_yr >= h->knot_yr[h->n_knot - 1]) return 1;
  const double mass = sdn_sfh_ops_of(h->family)->mass_since(h, segment_of(h, age_yr), age_yr);
  return mass < 1 ? fmax(mass, 0) : 1;
}

double sdn_sfh_rate(const sdn_sfh *h, double age_yr)
{
  if (!(age_yr >= 0)) return age_yr < 0 ? 0 : NAN;
  if (age_yr > h->knot_yr[h->n_knot - 1]) return 0;
  return sdn_sfh_ops_of(h->family)->rate(h, segment_of(h, age_yr), age_yr);
}

double sdn_sfh_mean_age_yr(const sdn_sfh *h) { return sdn_sfh_ops_of(h->family)->mean_age_yr(h); }

/* Newton's steps inside a bracket; halves it where they would leave it or do not shrink by half each time. */
double sdn_sfh_age_of_fraction(const sdn_sfh *h, double fraction_formed)
{
  const double target = 1 - fraction_formed, tolerance = 1e-11;   /* of the age: the last step; Newton leaves less */
  double young = 0, old = h->knot_yr[h->n_knot - 1], age = 0.5 * old, step = old;
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
