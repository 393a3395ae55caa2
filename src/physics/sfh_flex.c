/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bins of flexible width that form equal masses, between others of given edges.
 *   continuity_flex  a youngest and an oldest bin, and flexible ones between (Leja+2019 section 2.3; Prospector's definition of the parameters)
 *   post_starburst   a youngest bin of variable width, flexible ones up to a fixed lookback time, then fixed ones (Suess+2021)
 * With S_n = SFR_n / SFR_n+1 of flexible bins, youngest first, equal masses mean width_n+1 = S_n width_n. No flexible bin becomes narrower than 1e-9 of
 * what all of them have. */
#include "physics/sfh_bins.h"

#define LN_10 2.302585092994045684
#define LEAST_WIDTH 1e-9

/* One ratio or several, by the prior of Leja+2019 unless the file has another. */
static sdn_status add_ratio(sdn_sfh_model *m, int i, sdn_prior *prior, const sdn_param_spec *spec, const sdn_yaml *node, sdn_err *err)
{
  const char *const names[1] = {spec->name};
  m->name[i] = spec->name;
  return sdn_sfh_add_vector(m, i, prior, spec, 1, names, sdn_yaml_get(node, spec->name), SDN_SFH_RATIO_PRIOR, err);
}

static sdn_status check_finite(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, int first, int n, sdn_err *err)
{
  for (int i = first; i < first + n; i++)
    if (!isfinite(sdn_sfh_value(m, galaxy, i))) return sdn_fail(err, SDN_RANGE, "a ratio of star formation rates is not a finite number");
  return SDN_OK;
}

/* Edges knot[0] .. knot[n] of n flexible bins between the first and last of them, and ln of their rates, which is -ln width. */
static void set_flexible(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, int first_ratio, int n, double *knot_yr, double *ln_rate)
{
  const double young_yr = knot_yr[0], span_yr = knot_yr[n] - young_yr;
  double highest = 0, sum = 0, used = 0, floor_sum = 0;
  ln_rate[0] = 0;   /* for the time being, ln of the width in units of the youngest one's */
  for (int k = 1; k < n; k++) {
    ln_rate[k] = ln_rate[k - 1] + LN_10 * sdn_sfh_value(m, galaxy, first_ratio + k - 1);
    highest = fmax(highest, ln_rate[k]);
  }
  for (int k = 0; k < n; k++) sum += ln_rate[k] = exp(ln_rate[k] - highest);
  for (int k = 0; k < n; k++) floor_sum += ln_rate[k] = fmax(ln_rate[k] / sum, LEAST_WIDTH);
  for (int k = 0; k < n; k++) {
    const double share = ln_rate[k] / floor_sum;
    used += share;
    if (k + 1 < n) knot_yr[k + 1] = young_yr + span_yr * used;
    ln_rate[k] = -log(span_yr * share);
  }
}

/* From logarithms to rates, none of which overflows. */
static sdn_status close_logarithms(sdn_sfh *h, sdn_err *err)
{
  const int n = h->n_knot - 1;
  double highest = -INFINITY;
  for (int k = 0; k < n; k++) highest = fmax(highest, h->knot_rate[k]);
  for (int k = 0; k < n; k++) h->knot_rate[k] = exp(h->knot_rate[k] - highest);
  return sdn_sfh_close_bins(h, err);
}

/* ------------------------------------------------------------------ continuity_flex */

enum { YOUNG, OLD, RATIO_YOUNG, RATIO_OLD, FLEX_RATIO };

static sdn_status add_flex(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"n_bin", "log_sfr_ratio_young", "log_sfr_ratios", "log_sfr_ratio_old"};
  static const sdn_sfh_key key[2] = {
    {{"lookback_young_gyr", "Gyr", "0.03", 0, 100, "where the youngest bin ends"}, SDN_SFH_REQUIRED},
    {{"lookback_old_gyr", "Gyr", NULL, 0, 100, "where the oldest bin begins; without it, at 85 % of the age of the Universe"}, SDN_SFH_OPTIONAL},
  };
  static const sdn_param_spec young = {"log_sfr_ratio_young", "", NULL, -INFINITY, INFINITY, "log10 of the youngest bin's SFR over its neighbour's"};
  static const sdn_param_spec old = {"log_sfr_ratio_old", "", NULL, -INFINITY, INFINITY, "log10 of the oldest bin's SFR over its neighbour's"};
  static const sdn_param_spec flex = {"log_sfr_ratios", "", NULL, -INFINITY, INFINITY, "log10 of the ratio of the SFRs in neighbouring flexible bins, youngest pair first"};
  long n_bin = 6;
  if (sdn_yaml_integer(node, "n_bin", false, &n_bin, err)) return err->status;
  if (n_bin < 3 || n_bin > 65) return sdn_yaml_fail(node, err, "n_bin %ld is outside [3, 65]", n_bin);
  m->n_bin = (int)n_bin;
  sdn_status status = sdn_sfh_room(m, FLEX_RATIO + m->n_bin - 3, err);
  if (!status) status = sdn_sfh_add_keys(m, node, prior, 2, key, 4, more, err);
  if (!status) status = add_ratio(m, RATIO_YOUNG, prior, &young, node, err);
  if (!status) status = sdn_sfh_add_numbered(m, FLEX_RATIO, prior, &flex, m->n_bin - 3, "log_sfr_ratio_", sdn_yaml_get(node, flex.name), SDN_SFH_RATIO_PRIOR, err);
  return status ? status : add_ratio(m, RATIO_OLD, prior, &old, node, err);
}

static sdn_status prepare_flex(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const int n = m->n_bin;
  const double oldest_yr = galaxy->age_universe_yr, last_fraction = 0.85;
  double young_yr, old_yr, *knot_yr;
  if (sdn_sfh_lookback(m, galaxy, (sdn_sfh_when){YOUNG, SDN_YR_PER_GYR, 0}, &young_yr, err)) return err->status;
  if (sdn_sfh_lookback(m, galaxy, (sdn_sfh_when){OLD, SDN_YR_PER_GYR, last_fraction * oldest_yr}, &old_yr, err)) return err->status;
  if (!(young_yr > 0 && old_yr > young_yr && oldest_yr > old_yr))
    return sdn_fail(err, SDN_RANGE, "the youngest bin ends at %g, the oldest begins at %g and the Universe is %g Gyr old: they must ascend; give "
                    "lookback_young_gyr and lookback_old_gyr, or lower the highest redshift", young_yr / 1e9, old_yr / 1e9, oldest_yr / 1e9);
  if (check_finite(m, galaxy, RATIO_YOUNG, 2 + n - 3, err) || sdn_sfh_take_knots(h, n + 1, true, galaxy->arena, &knot_yr, err)) return err->status;
  knot_yr[1] = young_yr;
  knot_yr[n - 1] = old_yr;
  knot_yr[n] = oldest_yr;
  set_flexible(m, galaxy, FLEX_RATIO, n - 2, knot_yr + 1, h->knot_rate + 1);
  h->knot_rate[0] = h->knot_rate[1] + LN_10 * sdn_sfh_value(m, galaxy, RATIO_YOUNG);
  h->knot_rate[n - 1] = h->knot_rate[n - 2] + LN_10 * sdn_sfh_value(m, galaxy, RATIO_OLD);
  return close_logarithms(h, err);
}

const sdn_sfh_ops sdn_sfh_continuity_flex = {
  .name = "continuity_flex", .add = add_flex, .prepare = prepare_flex, .mass_since = sdn_pieces_mass, .rate = sdn_pieces_rate,
  .mean_age_yr = sdn_pieces_mean_age_yr, .weights = sdn_pieces_weights,
};

/* ------------------------------------------------------------------ post_starburst */

/* LAST and FLEX_END: lookback times where the youngest bin and the flexible ones end. Ratios of flexible bins, then those to the fixed ones, follow. */
enum { LAST, FLEX_END, PSB_YOUNG, PSB_RATIO };

static sdn_status count_psb(const sdn_yaml *node, sdn_sfh_model *m, sdn_err *err)
{
  long n_flex = 5, n_fixed = 3;
  if (sdn_yaml_integer(node, "n_flex", false, &n_flex, err) || sdn_yaml_integer(node, "n_fixed", false, &n_fixed, err)) return err->status;
  if (n_flex < 1 || n_flex > 32 || n_fixed < 1 || n_fixed > 32)
    return sdn_yaml_fail(node, err, "n_flex %ld and n_fixed %ld must lie in [1, 32]", n_flex, n_fixed);
  m->choice = (int)n_flex;
  m->n_bin = 1 + (int)n_flex + (int)n_fixed;
  return sdn_sfh_room(m, PSB_RATIO + m->n_bin - 2, err);
}

static sdn_status add_psb(const sdn_yaml *node, sdn_prior *prior, sdn_sfh_model *m, sdn_err *err)
{
  static const char *const more[] = {"n_flex", "n_fixed", "log_sfr_ratio_young", "log_sfr_ratios", "log_sfr_ratios_old"};
  static const sdn_sfh_key key[2] = {
    {{"lookback_last_gyr", "Gyr", NULL, 0, 100, "width of the youngest bin"}, SDN_SFH_REQUIRED},
    {{"lookback_flex_gyr", "Gyr", "2", 0, 100, "where the flexible bins end and the fixed ones begin"}, SDN_SFH_REQUIRED},
  };
  static const sdn_param_spec young = {"log_sfr_ratio_young", "", NULL, -INFINITY, INFINITY, "log10 of the youngest bin's SFR over its neighbour's"};
  static const sdn_param_spec flex = {"log_sfr_ratios", "", NULL, -INFINITY, INFINITY, "log10 of the ratio of the SFRs in neighbouring flexible bins, youngest pair first"};
  static const sdn_param_spec old = {"log_sfr_ratios_old", "", NULL, -INFINITY, INFINITY, "log10 of a bin's SFR over that of the next older, fixed one"};
  sdn_status status = count_psb(node, m, err);
  const int n_flex = m->choice, n_fixed = m->n_bin - 1 - n_flex;
  if (!status) status = sdn_sfh_add_keys(m, node, prior, 2, key, 5, more, err);
  if (!status) status = add_ratio(m, PSB_YOUNG, prior, &young, node, err);
  if (!status) status = sdn_sfh_add_numbered(m, PSB_RATIO, prior, &flex, n_flex - 1, "log_sfr_ratio_", sdn_yaml_get(node, flex.name), SDN_SFH_RATIO_PRIOR, err);
  return status ? status : sdn_sfh_add_numbered(m, PSB_RATIO + n_flex - 1, prior, &old, n_fixed, "log_sfr_ratio_old_", sdn_yaml_get(node, old.name),
                                                SDN_SFH_RATIO_PRIOR, err);
}

static sdn_status prepare_psb(const sdn_sfh_model *m, const sdn_sfh_galaxy *galaxy, sdn_sfh *h, sdn_err *err)
{
  const int n = m->n_bin, n_flex = m->choice, n_fixed = n - 1 - n_flex;
  const double oldest_yr = galaxy->age_universe_yr;
  double last_yr, flex_yr, *knot_yr;
  if (sdn_sfh_lookback(m, galaxy, (sdn_sfh_when){LAST, SDN_YR_PER_GYR, 0}, &last_yr, err)) return err->status;
  if (sdn_sfh_lookback(m, galaxy, (sdn_sfh_when){FLEX_END, SDN_YR_PER_GYR, 0}, &flex_yr, err)) return err->status;
  if (!(last_yr > 0 && flex_yr > last_yr && oldest_yr > flex_yr))
    return sdn_fail(err, SDN_RANGE, "lookback_last_gyr %g, lookback_flex_gyr %g and the age of the Universe, %g Gyr, must ascend; let the second follow it, as "
                    "0.5 * age_universe_gyr(redshift)", last_yr / 1e9, flex_yr / 1e9, oldest_yr / 1e9);
  if (check_finite(m, galaxy, PSB_YOUNG, n - 1, err) || sdn_sfh_take_knots(h, n + 1, true, galaxy->arena, &knot_yr, err)) return err->status;
  knot_yr[1] = last_yr;
  for (int k = 0; k <= n_fixed; k++) knot_yr[1 + n_flex + k] = flex_yr * pow(oldest_yr / flex_yr, (double)k / n_fixed);
  knot_yr[n] = oldest_yr;
  set_flexible(m, galaxy, PSB_RATIO, n_flex, knot_yr + 1, h->knot_rate + 1);
  h->knot_rate[0] = h->knot_rate[1] + LN_10 * sdn_sfh_value(m, galaxy, PSB_YOUNG);
  for (int k = 1 + n_flex; k < n; k++) h->knot_rate[k] = h->knot_rate[k - 1] - LN_10 * sdn_sfh_value(m, galaxy, PSB_RATIO + k - 2);
  return close_logarithms(h, err);
}

const sdn_sfh_ops sdn_sfh_post_starburst = {
  .name = "post_starburst", .add = add_psb, .prepare = prepare_psb, .mass_since = sdn_pieces_mass, .rate = sdn_pieces_rate,
  .mean_age_yr = sdn_pieces_mean_age_yr, .weights = sdn_pieces_weights,
};
