/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constant rates in bins of lookback time whose edges do not depend on the rates. Without edges in the file: 0-30 and 30-100 Myr, then equal in log time to
 * 85 % of the age of the Universe, then the rest (Leja+2019). */
#include "physics/sfh_family.h"

#define MIN_BIN 4        /* of the default edges */
#define MAX_BIN 65
#define FIRST_YR 3e7
#define SECOND_YR 1e8
#define LAST_FRACTION 0.85
#define LN_10 2.302585092994045684

/* ------------------------------------------------------------------ continuity */

/* Parameters: log10 of the ratios of neighbouring rates, youngest pair first. */
static sdn_status add(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"n_bin", "log_sfr_ratios"};
  static const sdn_param_spec spec = {"log_sfr_ratios", "", NULL, -INFINITY, INFINITY, "log10 of the ratio of the SFRs in neighbouring bins, youngest pair first"};
  long n_bin = 6;
  sdn_status status = sdn_sfh_add_keys(m, node, prior, 0, NULL, 2, more, err);
  if (!status) status = sdn_yaml_integer(node, "n_bin", false, &n_bin, err);
  if (status) return status;
  if (n_bin < MIN_BIN || n_bin > MAX_BIN) return sdn_yaml_fail(node, err, "n_bin %ld is outside [%d, %d]", n_bin, MIN_BIN, MAX_BIN);
  m->n_bin = (int)n_bin;
  status = sdn_sfh_room(m, m->n_bin - 1, err);
  return status ? status : sdn_sfh_add_numbered(m, 0, prior, &spec, m->n_bin - 1, "log_sfr_ratio_", sdn_yaml_get(node, "log_sfr_ratios"),
                                                "{prior: student_t, nu: 2, mean: 0, scale: 0.3}", err);
}

static sdn_status set_edges(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const double oldest_yr = galaxy->age_universe_yr, last_yr = LAST_FRACTION * oldest_yr;
  double *knot_yr;
  if (!(last_yr > SECOND_YR))
    return sdn_fail(err, SDN_RANGE, "continuity bins need a Universe older than %g Myr, here it is %g Myr; lower the highest redshift",
                    SECOND_YR / LAST_FRACTION / 1e6, oldest_yr / 1e6);
  if (sdn_sfh_take_knots(h, m->n_bin + 1, true, galaxy->arena, &knot_yr, err)) return err->status;
  knot_yr[1] = FIRST_YR;
  for (int k = 2; k < m->n_bin; k++) knot_yr[k] = SECOND_YR * pow(last_yr / SECOND_YR, (double)(k - 2) / (m->n_bin - 3));
  knot_yr[m->n_bin] = oldest_yr;
  return SDN_OK;
}

static sdn_status prepare(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double highest = 0;
  if (set_edges(m, galaxy, h, err)) return err->status;
  double *ln_rate = h->knot_rate;
  ln_rate[0] = 0;
  for (int k = 0; k + 1 < m->n_bin; k++) {
    const double ratio = sdn_sfh_value(m, galaxy, k);
    if (!isfinite(ratio)) return sdn_fail(err, SDN_RANGE, "log_sfr_ratio_%d is not a finite number", k + 1);
    ln_rate[k + 1] = ln_rate[k] - ratio * LN_10;
    highest = fmax(highest, ln_rate[k + 1]);
  }
  for (int k = 0; k < m->n_bin; k++) h->knot_rate[k] = exp(ln_rate[k] - highest);
  return sdn_pieces_close(h) ? SDN_OK : sdn_fail(err, SDN_NUMERIC, "the bins of the star formation history hold no finite mass");
}

const sdn_sfh_ops sdn_sfh_continuity = {
  .name = "continuity", .add = add, .prepare = prepare, .mass_since = sdn_pieces_mass, .rate = sdn_pieces_rate, .mean_age_yr = sdn_pieces_mean_age_yr,
  .weights = sdn_pieces_weights,
};
