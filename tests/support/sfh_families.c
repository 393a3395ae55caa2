/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/sfh_families.h"

#include <math.h>
#include <stdio.h>

static double between(sdn_rng *rng, double low, double high) { return low + (high - low) * sdn_rng_uniform(rng); }
double sfh_log_between(sdn_rng *rng, double low, double high) { return pow(10, between(rng, low, high)); }

static void set_window(sfh_built *b, sdn_rng *rng, double gyr)
{
  const double end = sdn_rng_uniform(rng) < 0.3 ? 0 : gyr * sfh_log_between(rng, -4, -0.1);
  sfh_set(b, "lookback_start_gyr", end + (gyr - end) * sdn_rng_uniform(rng));
  sfh_set(b, "lookback_end_gyr", end);
}

static void set_burst(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "age_gyr", gyr * sdn_rng_uniform(rng));
  sfh_set(b, "width_gyr", gyr * sfh_log_between(rng, -5, 0.5));
}

static void set_exponential(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "age_gyr", gyr * sfh_log_between(rng, -4, 0));
  sfh_set(b, "tau_gyr", sfh_log_between(rng, -3, 3) * (sdn_rng_uniform(rng) < 0.5 ? 1 : -1));
}

static void set_truncated(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_exponential(b, rng, gyr);
  const double age = gyr * sfh_log_between(rng, -2, 0);
  sfh_set(b, "age_gyr", age);
  sfh_set(b, "lookback_end_gyr", age * sfh_log_between(rng, -3, -0.01));
}

static void set_delayed(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "age_gyr", gyr * sfh_log_between(rng, -4, 0));
  sfh_set(b, "tau_gyr", sfh_log_between(rng, -3, 3));
}

static void set_quenched(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_delayed(b, rng, gyr);
  const double age = gyr * sfh_log_between(rng, -2, 0);
  sfh_set(b, "age_gyr", age);
  sfh_set(b, "lookback_end_gyr", age * sfh_log_between(rng, -3, -0.01));
}

static void set_gaussian(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "time_peak_gyr", gyr * between(rng, 0, 1));
  sfh_set(b, "sigma_gyr", sfh_log_between(rng, -3, 2));
}

static void set_gaussian_part(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_window(b, rng, gyr);
  sfh_set(b, "lookback_peak_gyr", gyr * between(rng, -0.5, 1.5));
  sfh_set(b, "sigma_gyr", gyr * sfh_log_between(rng, -1.3, 2));
}

static void set_log_normal(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "time_peak_gyr", gyr * sfh_log_between(rng, -1.5, 0.5));
  sfh_set(b, "fwhm_gyr", gyr * sfh_log_between(rng, -1.5, 1.5));
}

static void set_log_normal_part(sfh_built *b, sdn_rng *rng, double gyr)
{
  const double start = gyr * sfh_log_between(rng, -1, 0), end = start * between(rng, 0, 0.9);
  sfh_set(b, "lookback_start_gyr", start);
  sfh_set(b, "lookback_end_gyr", end);
  sfh_set(b, "lookback_peak_gyr", end + (start - end) * between(rng, -0.5, 0.99));
  sfh_set(b, "sigma_ln_time", sfh_log_between(rng, -1, 0.5));
}

static void set_power_law(sfh_built *b, sdn_rng *rng, double gyr)
{
  (void)gyr;
  sfh_set(b, "tau_gyr", sfh_log_between(rng, -1.5, 1.5));
  sfh_set(b, "alpha", sfh_log_between(rng, -2, 3));
  sfh_set(b, "beta", sfh_log_between(rng, -2, 3));
}

static void set_age_power_law(sfh_built *b, sdn_rng *rng, double gyr)
{
  (void)gyr;
  sfh_set(b, "lookback_turnover_gyr", sfh_log_between(rng, -2.5, 1.5));
  sfh_set(b, "alpha", sfh_log_between(rng, -2, 2.5));
  sfh_set(b, "beta", sfh_log_between(rng, -2, 2.5));
}

static void set_age_power_law_part(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_window(b, rng, gyr);
  sfh_set(b, "lookback_turnover_gyr", sfh_log_between(rng, -2.5, 1.5));
  sfh_set(b, "alpha", sfh_log_between(rng, -2, 1));
  sfh_set(b, "beta", sfh_log_between(rng, -2, 1));
}

/* Heavy tails. */
static void set_ratios(sfh_built *b, sdn_rng *rng, const char *name, int n)
{
  double value[16];
  for (int k = 0; k < n; k++) value[k] = fmax(fmin(0.3 * sdn_rng_normal(rng) / fabs(sdn_rng_normal(rng)), 12), -12);
  sfh_set_numbered(b, name, n, value);
}

static void set_steps(sfh_built *b, sdn_rng *rng, double gyr)
{
  (void)gyr;
  set_ratios(b, rng, "log_sfr_ratio_", 7);
}

static void set_edged(sfh_built *b, sdn_rng *rng, double gyr)
{
  (void)gyr;
  set_ratios(b, rng, "log_sfr_ratio_", 4);
  sfh_set(b, "lookback_edge_3_myr", between(rng, 25, 90));
}

static void set_flex(sfh_built *b, sdn_rng *rng, double gyr)
{
  (void)gyr;
  set_ratios(b, rng, "log_sfr_ratio_", 5);
  sfh_set(b, "log_sfr_ratio_young", between(rng, -3, 3));
  sfh_set(b, "log_sfr_ratio_old", between(rng, -3, 3));
}

static void set_psb(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_ratios(b, rng, "log_sfr_ratio_", 4);
  set_ratios(b, rng, "log_sfr_ratio_old_", 3);
  sfh_set(b, "log_sfr_ratio_young", between(rng, -3, 3));
  sfh_set(b, "lookback_flex_gyr", 0.5 * gyr);
  sfh_set(b, "lookback_last_gyr", 0.5 * gyr * sfh_log_between(rng, -2, -0.1));
}

static void set_shares(sfh_built *b, sdn_rng *rng, double gyr)
{
  double value[5], sum = 0;
  (void)gyr;
  for (int k = 0; k < 5; k++) sum += value[k] = pow(sdn_rng_uniform(rng), 5);
  for (int k = 0; k < 5; k++) value[k] = (k > 0 ? value[k - 1] : 0) + 0.9 * value[k] / sum;
  sfh_set_numbered(b, "share_sum_", 5, value);
}

static void set_amplitudes(sfh_built *b, sdn_rng *rng, int n)
{
  double value[16];
  for (int k = 0; k < n; k++) value[k] = sdn_rng_normal(rng);
  sfh_set_numbered(b, "amplitude_", n, value);
}

static void set_walk(sfh_built *b, sdn_rng *rng, double gyr)
{
  (void)gyr;
  set_amplitudes(b, rng, 10);
  sfh_set(b, "tau_gyr", sfh_log_between(rng, -3, 2));
  sfh_set(b, "sigma_dex", between(rng, 0, 2));
}

static void set_regulator(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_amplitudes(b, rng, 11);
  sfh_set(b, "tau_eq_gyr", sfh_log_between(rng, -3, 1));
  sfh_set(b, "tau_in_gyr", sfh_log_between(rng, -3, 1));
  sfh_set(b, "tau_dyn_gyr", sfh_log_between(rng, -3, 0));
  sfh_set(b, "sigma_reg_dex", between(rng, 0, 1));
  sfh_set(b, "sigma_dyn_dex", between(rng, 0, 0.3));
  sfh_set(b, "base_age_gyr", gyr * sfh_log_between(rng, -0.7, 0));
}

/* Shares of a Dirichlet with weights alpha; small alpha makes times nearly coincide. */
static void draw_times(sdn_rng *rng, double alpha, int n, double *t)
{
  double gap[16], sum = 0;
  for (int k = 0; k <= n; k++) sum += gap[k] = pow(sdn_rng_uniform(rng), 1 / alpha) + 1e-30;
  for (int k = 0; k < n; k++) t[k] = (k ? t[k - 1] : 0) + gap[k] / sum;
}

static void set_dense_few(sfh_built *b, sdn_rng *rng, double gyr)
{
  double t[3];
  (void)gyr;
  draw_times(rng, sfh_log_between(rng, -1.5, 1), 3, t);
  sfh_set(b, "log_sfr_msun_per_yr", 10 + between(rng, -12, -7));
  sfh_set(b, "t25", t[0]);
  sfh_set(b, "t50", t[1]);
  sfh_set(b, "t75", t[2]);
}

static void set_dense_one(sfh_built *b, sdn_rng *rng, double gyr)
{
  (void)gyr;
  sfh_set(b, "log_sfr_msun_per_yr", 10 + between(rng, -12, -7));
  sfh_set(b, "t50", sdn_rng_uniform(rng));
}

static void set_dense_many(sfh_built *b, sdn_rng *rng, double gyr)
{
  double t[15];
  char name[16];
  (void)gyr;
  draw_times(rng, sfh_log_between(rng, -1, 1), 15, t);
  sfh_set(b, "log_sfr_msun_per_yr", 10 + between(rng, -12, -7));
  for (int k = 0; k < 15; k++) {
    snprintf(name, sizeof name, "t%.0f", 100.0 * (k + 1) / 16);
    sfh_set(b, name, t[k]);
  }
}

static void set_sum(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "main_age_gyr", gyr * sfh_log_between(rng, -1, 0));
  sfh_set(b, "main_tau_gyr", sfh_log_between(rng, -1, 1));
  sfh_set(b, "burst_age_gyr", gyr * sfh_log_between(rng, -2, 0));
  sfh_set(b, "burst_fraction", sfh_log_between(rng, -3, 0));
  sfh_set(b, "bump_time_peak_gyr", gyr * sdn_rng_uniform(rng));
  sfh_set(b, "bump_sigma_gyr", sfh_log_between(rng, -1.5, 1));
}

const sfh_family sfh_families[SFH_N_FAMILY] = {
  {.yaml = "{family: constant, lookback_start_gyr: 1, lookback_end_gyr: 0}", .set = set_window},
  {.yaml = "{family: burst, age_gyr: 1, width_gyr: 0.1}", .set = set_burst},
  {.yaml = "{family: exponential, age_gyr: 1, tau_gyr: 1}", .set = set_exponential},
  {.yaml = "{family: exponential, age_gyr: 1, tau_gyr: 1, lookback_end_gyr: 0}", .set = set_truncated},
  {.yaml = "{family: delayed_exponential, age_gyr: 1, tau_gyr: 1}", .set = set_delayed},
  {.yaml = "{family: delayed_exponential, age_gyr: 1, tau_gyr: 1, lookback_end_gyr: 0}", .set = set_quenched},
  {.yaml = "{family: gaussian, time_peak_gyr: 1, sigma_gyr: 1}", .set = set_gaussian},
  {.yaml = "{family: gaussian, lookback_peak_gyr: 1, sigma_gyr: 1, lookback_start_gyr: 1, lookback_end_gyr: 0}", .set = set_gaussian_part},
  {.yaml = "{family: log_normal, time_peak_gyr: 1, fwhm_gyr: 1}", .set = set_log_normal},
  {.yaml = "{family: log_normal, lookback_peak_gyr: 1, sigma_ln_time: 1, lookback_start_gyr: 1, lookback_end_gyr: 0}", .set = set_log_normal_part},
  {.yaml = "{family: double_power_law, tau_gyr: 1, alpha: 1, beta: 1}", .set = set_power_law},
  {.yaml = "{family: double_power_law_age, lookback_turnover_gyr: 1, alpha: 1, beta: 1}", .set = set_age_power_law},
  {.yaml = "{family: double_power_law_age, lookback_turnover_gyr: 1, alpha: 1, beta: 1, lookback_start_gyr: 1, lookback_end_gyr: 0}", .set = set_age_power_law_part},
  {.yaml = "{family: continuity, n_bin: 8}", .set = set_steps},
  {.yaml = "{family: continuity, lookback_edges_myr: [5, 20, 0.5 * 100, 100, 120, age_universe]}", .set = set_edged},
  {.yaml = "{family: continuity_flex, n_bin: 8, lookback_young_gyr: 0.02}", .set = set_flex},
  {.yaml = "{family: post_starburst, lookback_last_gyr: 0.1}", .set = set_psb},
  {.yaml = "{family: dirichlet}", .set = set_shares},
  {.yaml = "{family: dirichlet, share_of: mass}", .set = set_shares},
  {.yaml = "{family: stochastic, sigma_dex: 0.3, tau_gyr: 1}", .set = set_walk},
  {.yaml = "{family: stochastic, kernel: extended_regulator, shape: linear, sigma_reg_dex: 0.3, tau_eq_gyr: 1, tau_in_gyr: 1, sigma_dyn_dex: 0.1, tau_dyn_gyr: 0.1, "
           "base: {family: delayed_exponential, age_gyr: 1, tau_gyr: 1}}", .set = set_regulator},
  {.yaml = "{family: dense_basis, log_sfr_msun_per_yr: 0, gaps: [0.5]}", .set = set_dense_one},
  {.yaml = "{family: dense_basis, log_sfr_msun_per_yr: 0, gaps: [0.25, 0.5, 0.75]}", .set = set_dense_few},
  {.yaml = "{family: dense_basis, log_sfr_msun_per_yr: 0, gaps: [0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95]}", .set = set_dense_many},
  {.yaml = "{family: tabulated, time_gyr: [0.05, 0.1, 0.11, 0.3, 1, 1, 1.0001, 3, 9, 14], sfr_msun_per_yr: [0, 1, 5, 0, 0, 3, 40, 2, 8, 1]}"},
  {.yaml = "{family: sum, components: [{name: main, fraction: 1, family: delayed_exponential, age_gyr: 1, tau_gyr: 1}, {name: burst, fraction: 0.1, family: burst, "
           "age_gyr: 0.1, width_gyr: 0.01}, {name: bump, fraction: 0.3, family: gaussian, time_peak_gyr: 1, sigma_gyr: 1}]}", .set = set_sum},
  {.yaml = "{family: sum, components: [{name: main, fraction: 1, family: delayed_exponential, age_gyr: 1, tau_gyr: 1}, {name: burst, fraction: 0.1, family: burst, "
           "age_gyr: 0.1}, {name: bump, fraction: 0.3, family: gaussian, time_peak_gyr: 1, sigma_gyr: 1}]}", .set = set_sum, .steps = true},
};

sdn_sfh sfh_draw(int f, sfh_built *b, sdn_rng *rng)
{
  const double oldest_yr = sfh_log_between(rng, 8.2, 10.14);
  if (sfh_families[f].set) sfh_families[f].set(b, rng, oldest_yr / 1e9);
  return sfh_prepared(b, oldest_yr);
}
