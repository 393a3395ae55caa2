/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Constant rates in bins of lookback time whose edges do not depend on the rates. Without edges in the file: 0-30 and 30-100 Myr, then equal in log time to
 * 85 % of the age of the Universe, then the rest (Leja+2019), so that the bins follow the redshift. */
#include <stdlib.h>
#include <string.h>

#include "physics/sfh_bins.h"

#define MIN_BIN 4        /* of the default edges */
#define MAX_BIN 65
#define FIRST_YR 3e7
#define SECOND_YR 1e8
#define LAST_FRACTION 0.85
#define LN_10 2.302585092994045684

/* ------------------------------------------------------------------ edges */

static const char edges_key[] = "lookback_edges_myr";

sdn_status sdn_sfh_count_bins(const sdn_yaml *node, long n_bin, sdn_sfh_model *m, sdn_err *err)
{
  const sdn_yaml *edges = sdn_yaml_get(node, edges_key), *number = sdn_yaml_get(node, "n_bin");
  if (edges && number) return sdn_yaml_fail(number, err, "n_bin follows from %s; leave it out", edges_key);
  if (edges) {
    if (edges->kind != SDN_YAML_LIST || edges->n < 2 || edges->n > MAX_BIN + 1)
      return sdn_yaml_fail(edges, err, "%s must be a list of 2 to %d lookback times, youngest first", edges_key, MAX_BIN + 1);
    m->n_edge = (int)edges->n;
    m->n_bin = m->n_edge - 1;
    return SDN_OK;
  }
  if (sdn_yaml_integer(node, "n_bin", false, &n_bin, err)) return err->status;
  if (n_bin < MIN_BIN || n_bin > MAX_BIN) return sdn_yaml_fail(number, err, "n_bin %ld is outside [%d, %d]; give other bins by %s", n_bin, MIN_BIN, MAX_BIN, edges_key);
  m->n_bin = (int)n_bin;
  return SDN_OK;
}

/* One edge: a number, age_universe, or a formula, which becomes a parameter. */
static sdn_status add_edge(sdn_sfh_model *m, int k, const sdn_yaml *item, sdn_prior *prior, sdn_err *err)
{
  char name[40];
  sdn_param_spec spec = {name, "Myr", NULL, 0, 1e5, "edge between two bins of lookback time"};
  m->name[m->first_edge + k] = edges_key;
  m->edge_yr[k] = NAN;
  if (item->kind == SDN_YAML_SCALAR && strcmp(item->text, "age_universe") == 0) return SDN_OK;
  if (sdn_yaml_is_number(item)) {
    m->edge_yr[k] = strtod(item->text, NULL) * SDN_YR_PER_MYR;
    if (!(m->edge_yr[k] >= 0)) return sdn_yaml_fail(item, err, "%s %g is negative; lookback times start at 0", edges_key, m->edge_yr[k] / SDN_YR_PER_MYR);
    if (k > 0 && m->edge_yr[k - 1] >= m->edge_yr[k]) return sdn_yaml_fail(item, err, "%s must ascend; %s is not above the one before", edges_key, item->text);
    return SDN_OK;
  }
  snprintf(name, sizeof name, "lookback_edge_%d_myr", k + 1);
  if (sdn_prior_add(prior, &spec, item, err)) return err->status;
  return sdn_prior_bind(prior, name, &m->param[m->first_edge + k], err);
}

sdn_status sdn_sfh_add_edges(sdn_sfh_model *m, int first, const sdn_yaml *node, sdn_prior *prior, sdn_err *err)
{
  const sdn_yaml *edges = sdn_yaml_get(node, edges_key);
  m->first_edge = first;
  if (!edges) return SDN_OK;
  m->edge_yr = sdn_alloc((size_t)m->n_edge, sizeof *m->edge_yr, "edges of bins", err);
  if (!m->edge_yr) return err->status;
  for (int k = 0; k < m->n_edge; k++)
    if (add_edge(m, k, edges->item[k], prior, err)) return err->status;
  return SDN_OK;
}

static sdn_status given_edges(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, double *knot_yr, sdn_err *err)
{
  const double oldest_yr = galaxy->age_universe_yr;
  for (int k = 0; k < m->n_edge; k++) {
    const double fixed_yr = isnan(m->edge_yr[k]) ? oldest_yr : m->edge_yr[k];
    const sdn_sfh_when when = {m->first_edge + k, SDN_YR_PER_MYR, fixed_yr};
    if (!sdn_sfh_has(m, when.param) && fixed_yr > oldest_yr * (1 + SDN_SFH_ROUNDING))
      return sdn_fail(err, SDN_RANGE, "%s reaches %g Myr but the Universe is %g Myr old at this redshift; lower it, let the last edge be age_universe, or "
                      "lower the highest redshift", edges_key, fixed_yr / SDN_YR_PER_MYR, oldest_yr / SDN_YR_PER_MYR);
    if (sdn_sfh_lookback(m, galaxy, when, &knot_yr[k], err)) return err->status;
    if (k > 0 && !(knot_yr[k] > knot_yr[k - 1]))
      return sdn_fail(err, SDN_RANGE, "%s must ascend, but edge %d is %g and the one before %g Myr; the Universe is %g Myr old", edges_key, k + 1,
                      knot_yr[k] / SDN_YR_PER_MYR, knot_yr[k - 1] / SDN_YR_PER_MYR, oldest_yr / SDN_YR_PER_MYR);
  }
  return SDN_OK;
}

sdn_status sdn_sfh_set_edges(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const double oldest_yr = galaxy->age_universe_yr, last_yr = LAST_FRACTION * oldest_yr;
  double *knot_yr;
  if (sdn_sfh_take_knots(h, m->n_bin + 1, true, galaxy->arena, &knot_yr, err)) return err->status;
  if (m->edge_yr) return given_edges(m, galaxy, knot_yr, err);
  if (!(last_yr > SECOND_YR))
    return sdn_fail(err, SDN_RANGE, "these bins need a Universe older than %g Myr, here it is %g Myr; lower the highest redshift, or give %s",
                    SECOND_YR / LAST_FRACTION / 1e6, oldest_yr / 1e6, edges_key);
  const double ratio = pow(last_yr / SECOND_YR, 1.0 / (m->n_bin - 3));
  knot_yr[1] = FIRST_YR;
  knot_yr[2] = SECOND_YR;
  for (int k = 3; k < m->n_bin - 1; k++) knot_yr[k] = knot_yr[k - 1] * ratio;
  knot_yr[m->n_bin - 1] = last_yr;
  knot_yr[m->n_bin] = oldest_yr;
  return SDN_OK;
}

sdn_status sdn_sfh_close_bins(sdn_sfh *h, sdn_err *err)
{
  return sdn_pieces_close(h) ? SDN_OK : sdn_fail(err, SDN_NUMERIC, "the bins of the star formation history hold no finite mass");
}

/* ------------------------------------------------------------------ continuity */

/* Parameters: log10 of the ratios of neighbouring rates, youngest pair first; then the edges. */
static sdn_status add_continuity(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"n_bin", edges_key, "log_sfr_ratios"};
  static const sdn_param_spec spec = {"log_sfr_ratios", "", NULL, -INFINITY, INFINITY, "log10 of the ratio of the SFRs in neighbouring bins, youngest pair first"};
  sdn_status status = sdn_sfh_add_keys(m, node, prior, 0, NULL, 3, more, err);
  if (!status) status = sdn_sfh_count_bins(node, 6, m, err);
  if (!status) status = sdn_sfh_room(m, m->n_bin - 1 + m->n_edge, err);
  if (!status) status = sdn_sfh_add_numbered(m, 0, prior, &spec, m->n_bin - 1, "log_sfr_ratio_", sdn_yaml_get(node, spec.name), SDN_SFH_RATIO_PRIOR, err);
  return status ? status : sdn_sfh_add_edges(m, m->n_bin - 1, node, prior, err);
}

static sdn_status prepare_continuity(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double highest = 0;
  if (sdn_sfh_set_edges(m, galaxy, h, err)) return err->status;
  double *ln_rate = h->knot_rate;
  for (int k = 0; k + 1 < m->n_bin; k++) {
    const double ratio = sdn_sfh_value(m, galaxy, k);
    if (!isfinite(ratio)) return sdn_fail(err, SDN_RANGE, "log_sfr_ratio_%d is not a finite number", k + 1);
    ln_rate[k + 1] = ln_rate[k] - ratio * LN_10;
    highest = fmax(highest, ln_rate[k + 1]);
  }
  for (int k = 0; k < m->n_bin; k++) h->knot_rate[k] = exp(ln_rate[k] - highest);
  return sdn_sfh_close_bins(h, err);
}

const sdn_sfh_ops sdn_sfh_continuity = {
  .name = "continuity", .add = add_continuity, .prepare = prepare_continuity, .mass_since = sdn_pieces_mass, .rate = sdn_pieces_rate,
  .mean_age_yr = sdn_pieces_mean_age_yr, .weights = sdn_pieces_weights,
};

/* ------------------------------------------------------------------ dirichlet */

enum { SHARE_OF_RATE, SHARE_OF_MASS };

static sdn_status read_choice(const sdn_yaml *node, sdn_sfh_model *m, sdn_err *err)
{
  const char *text = "sfr";
  if (sdn_yaml_text(node, "share_of", false, &text, err)) return err->status;
  m->choice = strcmp(text, "mass") == 0 ? SHARE_OF_MASS : SHARE_OF_RATE;
  if (m->choice == SHARE_OF_MASS || strcmp(text, "sfr") == 0) return SDN_OK;
  return sdn_yaml_fail(sdn_yaml_get(node, "share_of"), err, "share_of '%s' is not known; it is sfr (of the sum of all bins' rates) or mass", text);
}

/* Parameters: running sums of the shares, youngest bin first, one less than there are bins; then the edges. */
static sdn_status add_dirichlet(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"n_bin", edges_key, "shares", "share_of"};
  static const sdn_param_spec spec = {"shares", "", NULL, 0, 1, "sum of the shares of this bin and all younger ones"};
  char initial[3 * MAX_BIN + 64] = "{prior: dirichlet, alpha: [1";
  sdn_status status = sdn_sfh_add_keys(m, node, prior, 0, NULL, 4, more, err);
  if (!status) status = read_choice(node, m, err);
  if (!status) status = sdn_sfh_count_bins(node, 6, m, err);
  if (!status) status = sdn_sfh_room(m, m->n_bin - 1 + m->n_edge, err);
  for (int k = 1; k < m->n_bin; k++) strcat(initial, ", 1");
  strcat(initial, "]}");
  if (!status) status = sdn_sfh_add_numbered(m, 0, prior, &spec, m->n_bin - 1, "share_sum_", sdn_yaml_get(node, spec.name), initial, err);
  return status ? status : sdn_sfh_add_edges(m, m->n_bin - 1, node, prior, err);
}

static sdn_status prepare_dirichlet(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  double before = 0;
  if (sdn_sfh_set_edges(m, galaxy, h, err)) return err->status;
  for (int k = 0; k < m->n_bin; k++) {
    const double sum = k + 1 < m->n_bin ? sdn_sfh_value(m, galaxy, k) : 1;
    if (!(sum >= before - SDN_SFH_ROUNDING && sum <= 1 + SDN_SFH_ROUNDING))
      return sdn_fail(err, SDN_RANGE, "share_sum_%d is %g, outside [%g, 1]; sums of shares ascend to 1", k + 1, sum, before);
    h->knot_rate[k] = fmax(sum - before, 0) / (m->choice == SHARE_OF_MASS ? h->knot_yr[k + 1] - h->knot_yr[k] : 1);
    before = sum;
  }
  return sdn_sfh_close_bins(h, err);
}

const sdn_sfh_ops sdn_sfh_dirichlet = {
  .name = "dirichlet", .add = add_dirichlet, .prepare = prepare_dirichlet, .mass_since = sdn_pieces_mass, .rate = sdn_pieces_rate,
  .mean_age_yr = sdn_pieces_mean_age_yr, .weights = sdn_pieces_weights,
};
