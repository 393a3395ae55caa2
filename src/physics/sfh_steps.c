/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Continuity: constant rates in bins of lookback time (Leja+2019), 0-30 and 30-100 Myr, then equal in log time to 85 % of the age of the Universe, then
 * the rest. Parameters are log10 of the ratios of neighbouring rates, youngest pair first. */
#include <math.h>

#include "physics/sfh_family.h"

#define MIN_BIN 4
#define MAX_BIN (SDN_SFH_MAX_PARAM + 1)
#define FIRST_YR 3e7
#define SECOND_YR 1e8
#define LAST_FRACTION 0.85

static const char *param_name(const sdn_sfh_model *m, int i, char buffer[32])
{
  (void)m;
  snprintf(buffer, 32, "log_sfr_ratio_%d", i + 1);
  return buffer;
}

static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const known[] = {"family", "n_bin", "log_sfr_ratios"};
  static const sdn_param_spec spec = {"log_sfr_ratios", "", NULL, -INFINITY, INFINITY, "log10 of the ratio of the SFRs in neighbouring bins, youngest pair first"};
  char buffer[MAX_BIN][32];
  const char *names[MAX_BIN];
  long n_bin = 6;
  sdn_status status = sdn_yaml_only_keys(node, known, 3, err);
  if (!status) status = sdn_yaml_integer(node, "n_bin", false, &n_bin, err);
  if (status) return status;
  if (n_bin < MIN_BIN || n_bin > MAX_BIN) return sdn_yaml_fail(node, err, "n_bin %ld is outside [%d, %d]", n_bin, MIN_BIN, MAX_BIN);
  m->n_bin = (int)n_bin;
  m->n_param = m->n_bin - 1;
  for (int i = 0; i < m->n_param; i++) names[i] = param_name(m, i, buffer[i]);
  const sdn_yaml *ratios = sdn_yaml_get(node, "log_sfr_ratios");
  if (!ratios) {
    status = sdn_yaml_parse("{prior: student_t, nu: 2, mean: 0, scale: 0.3}", "default of log_sfr_ratios", &m->initial, err);
    ratios = m->initial;
  }
  return status ? status : sdn_prior_add_vector(prior, &spec, m->n_param, names, ratios, err);
}

static sdn_status set_edges(sdn_sfh *h, int n_bin, double oldest_yr, sdn_err *err)
{
  const double last_yr = LAST_FRACTION * oldest_yr;
  if (!(last_yr > SECOND_YR))
    return sdn_fail(err, SDN_RANGE, "continuity bins need a Universe older than %g Myr, here it is %g Myr; lower the highest redshift",
                    SECOND_YR / LAST_FRACTION / 1e6, oldest_yr / 1e6);
  h->n_knot = n_bin + 1;
  h->knot_yr[1] = FIRST_YR;
  for (int k = 2; k < n_bin; k++) h->knot_yr[k] = SECOND_YR * pow(last_yr / SECOND_YR, (double)(k - 2) / (n_bin - 3));
  h->knot_yr[n_bin] = oldest_yr;
  return SDN_OK;
}

static sdn_status prepare(const sdn_sfh_model *m, const double *value, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double ln_rate[MAX_BIN] = {0}, highest = 0, total = 0;
  for (int k = 0; k + 1 < m->n_bin; k++) {
    if (!isfinite(value[k])) return sdn_fail(err, SDN_RANGE, "log_sfr_ratio_%d is not a finite number", k + 1);
    ln_rate[k + 1] = ln_rate[k] - value[k] * 2.302585092994045684;
    highest = fmax(highest, ln_rate[k + 1]);
  }
  sdn_status status = set_edges(h, m->n_bin, galaxy->age_universe_yr, err);
  if (status) return status;
  for (int k = 0; k < m->n_bin; k++) {
    h->knot_slope[k] = exp(ln_rate[k] - highest);
    total += h->knot_slope[k] * (h->knot_yr[k + 1] - h->knot_yr[k]);
  }
  for (int k = 0; k < m->n_bin; k++) {
    h->knot_slope[k] /= total;
    h->knot_mass[k + 1] = h->knot_mass[k] + h->knot_slope[k] * (h->knot_yr[k + 1] - h->knot_yr[k]);
  }
  h->knot_mass[m->n_bin] = 1;
  return SDN_OK;
}

static void masses(const sdn_sfh *h, int segment, int n, const double *age_yr, double *mass)
{
  for (int i = 0; i < n; i++) mass[i] = h->knot_mass[segment] + h->knot_slope[segment] * (age_yr[i] - h->knot_yr[segment]);
}

static double mass_since(const sdn_sfh *h, int segment, double age_yr)
{
  double mass;
  masses(h, segment, 1, &age_yr, &mass);
  return mass;
}

static double rate(const sdn_sfh *h, int segment, double age_yr)
{
  (void)age_yr;
  return h->knot_slope[segment];
}

static double mean_age_yr(const sdn_sfh *h)
{
  double sum = 0;
  for (int k = 0; k + 1 < h->n_knot; k++) sum += (h->knot_mass[k + 1] - h->knot_mass[k]) * 0.5 * (h->knot_yr[k] + h->knot_yr[k + 1]);
  return sum;
}

static double reach_yr(const sdn_sfh *h, int segment, double younger_yr, double older_yr)
{
  (void)h;
  (void)segment;
  (void)younger_yr;
  (void)older_yr;
  return INFINITY;
}

const sdn_sfh_ops sdn_sfh_steps = {"continuity", add, param_name, prepare, mass_since, rate, mean_age_yr, reach_yr, masses, NULL};
