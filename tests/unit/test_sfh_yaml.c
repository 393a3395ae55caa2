/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The `sfh:` map: what becomes a history, and what is refused with which words, when it is read, when the prior is finished, and per galaxy. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/sfh_fixture.h"

static const char delayed_yaml[] = "{family: delayed_exponential, age_gyr: 1, tau_gyr: 1}", power_law_yaml[] = "{family: double_power_law, tau_gyr: 1, alpha: 1, beta: 1}";
static const char steps_yaml[] = "{family: continuity}";

static void assert_near(const char *what, double got, double expected, double tolerance)
{
  if (!(fabs(got - expected) <= tolerance)) fail_msg("%s: got %.17g, expected %.17g within %g", what, got, expected, tolerance);
}

/* ------------------------------------------------------------------ refusals */

static void refused(const char *yaml, double oldest_yr, double mass_msun, const char *word)
{
  sfh_built b = sfh_build(yaml);
  sdn_sfh h;
  sdn_err err = {SDN_OK, -1, ""};
  if (sdn_sfh_prepare(b.model, b.params, oldest_yr, mass_msun, b.arena, &h, &err) != SDN_RANGE) fail_msg("%s was not refused", yaml);
  if (!strstr(err.text, word)) fail_msg("'%s' does not speak of %s", err.text, word);
  sfh_unbuild(&b);
}

static void refused_value(const char *yaml, const char *name, double value, const char *word)
{
  sfh_built b = sfh_build(yaml);
  sdn_sfh h;
  sdn_err err = {SDN_OK, -1, ""};
  sfh_set(&b, name, value);
  if (sdn_sfh_prepare(b.model, b.params, 1e10, 1e10, b.arena, &h, &err) != SDN_RANGE) fail_msg("%s was not refused with %s %g", yaml, name, value);
  if (!strstr(err.text, word)) fail_msg("'%s' does not speak of %s", err.text, word);
  sfh_unbuild(&b);
}

static void bad_values_are_refused(void **state)
{
  (void)state;
  static const char dense[] = "{family: dense_basis, log_sfr_msun_per_yr: 0, gaps: [0.2, 0.3, 0.4]}";
  refused("{family: delayed_exponential, age_gyr: 2, tau_gyr: 1}", 1e9, 1e10, "age_universe_gyr");
  refused(delayed_yaml, NAN, 1e10, "age of the Universe");
  refused(delayed_yaml, 1e10, 0, "mass formed");
  refused(steps_yaml, 1e8, 1e10, "117.647 Myr");
  refused_value(delayed_yaml, "age_gyr", 0, "age_gyr");
  refused_value(delayed_yaml, "age_gyr", NAN, "age_gyr");
  refused_value(delayed_yaml, "tau_gyr", -1, "tau_gyr");
  refused_value(delayed_yaml, "tau_gyr", NAN, "tau_gyr");
  refused_value(power_law_yaml, "alpha", 0, "alpha");
  refused_value(power_law_yaml, "beta", NAN, "beta");
  refused_value(steps_yaml, "log_sfr_ratio_3", NAN, "log_sfr_ratio_3");
  refused_value(dense, "log_sfr_msun_per_yr", NAN, "log_sfr");
  refused_value(dense, "t50", 0.1, "ascending");
  refused_value(dense, "t75", 1.1, "ascending");
  refused_value(dense, "t50", NAN, "ascending");
  refused("{family: constant, lookback_start_gyr: 3}", 2e9, 1e10, "lookback_start_gyr is 3 but the Universe is 2 Gyr old");
  refused("{family: constant, lookback_start_gyr: 1, lookback_end_gyr: 1}", 2e9, 1e10, "lookback_end_gyr 1 is not before the onset");
  refused("{family: constant, lookback_start_gyr: 0}", 2e9, 1e10, "lookback_start_gyr is 0");
  refused("{family: burst, age_gyr: 2.1}", 2e9, 1e10, "age_gyr is 2.1");
  refused("{family: exponential, age_gyr: 2.1, tau_gyr: 1}", 2e9, 1e10, "high: age_universe_gyr(redshift)");
  refused("{family: exponential, age_gyr: 1, tau_gyr: 0}", 2e9, 1e10, "tau_gyr is 0");
  refused("{family: delayed_exponential, age_gyr: 1, tau_gyr: 1, lookback_end_gyr: 1.5}", 2e9, 1e10, "lookback_end_gyr 1.5");
  refused("{family: gaussian, lookback_peak_gyr: 100, sigma_gyr: 1e-4}", 2e9, 1e10, "no mass in its 2 Gyr");
  refused("{family: log_normal, lookback_peak_gyr: 1.2, sigma_ln_time: 1, lookback_start_gyr: 1}", 2e9, 1e10, "peaks 1.2 Gyr ago, but star formation set in 1 Gyr ago");
  refused("{family: continuity, lookback_edges_myr: [0, 100, 3000]}", 2e9, 1e10, "let the last edge be age_universe");
  refused("{family: continuity, lookback_edges_myr: [0, 3000, age_universe]}", 2e9, 1e10, "reaches 3000 Myr");
  refused("{family: continuity, lookback_edges_myr: [0, 100, 50 + 50, age_universe]}", 2e9, 1e10, "must ascend");
  refused("{family: continuity_flex, lookback_old_gyr: 0.02}", 2e9, 1e10, "must ascend");
  refused("{family: post_starburst, lookback_last_gyr: 0.1}", 1.9e9, 1e10, "lookback_flex_gyr is 2 but");
  refused("{family: post_starburst, lookback_last_gyr: 2.5}", 9e9, 1e10, "0.5 * age_universe_gyr(redshift)");
  refused("{family: dirichlet, lookback_edges_myr: [0, 100, 1000, age_universe], shares: [0.7, 0.2]}", 2e9, 1e10, "share_sum_2 is 0.2");
  refused_value("{family: stochastic, sigma_dex: 1, tau_gyr: 1}", "tau_gyr", 0, "tau_gyr is 0");
  refused_value("{family: stochastic, sigma_dex: 1, tau_gyr: 1}", "amplitude_3", INFINITY, "amplitude_3");
  refused_value("{family: double_power_law_age, lookback_turnover_gyr: 1, alpha: 1, beta: 1}", "alpha", NAN, "alpha is nan");
  refused("{family: stochastic, sigma_dex: 1, tau_gyr: 1, base: {family: burst, age_gyr: 3}}", 2e9, 1e10, "base of a stochastic history: age_gyr is 3");
}

/* ------------------------------------------------------------------ from YAML */

static void yaml_becomes_a_history(void **state)
{
  (void)state;
  static const struct { const char *yaml; int n_free; double mass_30myr; } good[] = {
    {"{family: delayed_exponential, age_gyr: 1, tau_gyr: {prior: uniform, low: 0.1, high: 0.1000001}}", 1, -1},
    {"{family: double_power_law, tau_gyr: 2, alpha: {prior: log_uniform, low: 0.1, high: 100}, beta: 3}", 1, -1},
    {"{family: continuity}", 5, 0.003},   /* all ratios at their median 0: a constant rate over 10 Gyr */
    {"{family: continuity, n_bin: 9, log_sfr_ratios: {prior: normal, mean: 0, sigma: 0.2}}", 8, 0.003},
    {"{family: dense_basis, log_ssfr_per_yr: {prior: uniform, low: -12, high: -7}, gaps: {prior: dirichlet, alpha: [1, 1, 1, 1]}}", 4, -1},
    {"{family: dense_basis, log_sfr_msun_per_yr: 0, gaps: [0.25, 0.5, 0.75]}", 0, 0.003},   /* SFR 1/yr of 1e10: constant but for the start */
    {"{family: dense_basis, log_ssfr_per_yr: -10, gaps: {prior: dirichlet, alpha: [2, 2]}}", 1, -1},
    {"{family: double_power_law, time_turnover_gyr: {prior: uniform, low: 1, high: 2}, alpha: 1, beta: 3}", 1, -1},
    {"{family: constant}", 0, 0.003},
    {"{family: constant, lookback_start_gyr: 0.5 * age_universe_gyr(redshift), lookback_end_gyr: 0}", 0, 0.03 / 6.9},
    {"{family: burst, age_gyr: {prior: uniform, low: 0, high: 0.01}}", 1, 1},
    {"{family: exponential, age_gyr: 9, tau_gyr: {prior: uniform, low: -2, high: -1}}", 1, -1},
    {"{family: gaussian, time_peak_gyr: 3, sigma_gyr: {prior: log_uniform, low: 0.1, high: 3}}", 1, -1},
    {"{family: log_normal, time_peak_gyr: 3, fwhm_gyr: {prior: log_uniform, low: 0.1, high: 3}}", 1, -1},
    {"{family: double_power_law_age, lookback_turnover_gyr: 1, alpha: {prior: log_uniform, low: 0.1, high: 3}, beta: 1}", 1, -1},
    {"{family: continuity, n_bin: 20}", 19, 0.003},
    {"{family: continuity, lookback_edges_myr: [0, 50, 1000, 0.5 * 1000 * age_universe_gyr(redshift), age_universe]}", 3, 0.003},
    {"{family: continuity, lookback_edges_myr: [0, age_universe]}", 0, 0.003},
    {"{family: continuity_flex}", 5, 0.003},   /* all ratios 0 */
    {"{family: continuity_flex, n_bin: 3}", 2, 0.003},
    {"{family: post_starburst, lookback_last_gyr: {prior: uniform, low: 0.01, high: 1.5}}", 9, 0.003},
    {"{family: dirichlet}", 5, -1},
    {"{family: stochastic, sigma_dex: 0.3, tau_gyr: 1, n_bin: 12}", 12, 0.003},
    {"{family: stochastic, kernel: extended_regulator, shape: linear, sigma_reg_dex: {prior: uniform, low: 0.1, high: 1}, tau_eq_gyr: 1, tau_in_gyr: 0.5, "
     "sigma_dyn_dex: 0.1, tau_dyn_gyr: 0.1, lookback_edges_myr: [0, 10, 100, age_universe]}", 5, 0.003},
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    sfh_built b = sfh_build(good[i].yaml);
    assert_int_equal(sdn_prior_n_free(b.prior), good[i].n_free);
    const sdn_sfh h = sfh_prepared(&b, 1e10);
    if (good[i].mass_30myr > 0) assert_near(good[i].yaml, sdn_sfh_mass_since(&h, 3e7), good[i].mass_30myr, 1e-9);
    sfh_unbuild(&b);
  }
}

static void bad_yaml_is_refused(void **state)
{
  (void)state;
  static const char *const bad[][2] = {
    {"{family: delayed}", "known ones are constant, burst"},
    {"{family: dense_bases}", "did you mean 'dense_basis'"},
    {"{tau_gyr: 1}", "family"},
    {"{family: delayed_exponential, age_gyr: 1, tau: 1}", "tau_gyr"},
    {"{family: delayed_exponential, age_gyr: 1}", "tau_gyr"},
    {"{family: continuity, n_bin: 3}", "n_bin 3"},
    {"{family: continuity, n_bin: 99}", "n_bin 99"},
    {"{family: dense_basis, log_ssfr_per_yr: -9}", "gaps"},
    {"{family: dense_basis, log_ssfr_per_yr: -9, gaps: {prior: dirichlet, alpha: [1]}}", "gaps"},
    {"{family: dense_basis, gaps: [0.1, 0.2]}", "log_ssfr_per_yr or log_sfr_msun_per_yr"},
    {"delayed_exponential", "must be a map {family: NAME"},
    {"{family: constant, age_gyr: 1}", "lookback_start_gyr"},
    {"{family: burst, width_gyr: 1}", "burst needs age_gyr"},
    {"{family: gaussian, sigma_gyr: 1}", "one of lookback_peak_gyr and time_peak_gyr"},
    {"{family: gaussian, sigma_gyr: 1, time_peak_gyr: 1, lookback_peak_gyr: 1}", "only one of lookback_peak_gyr and time_peak_gyr"},
    {"{family: log_normal, time_peak_gyr: 1}", "one of sigma_ln_time and fwhm_gyr"},
    {"{family: double_power_law, alpha: 1, beta: 1}", "one of tau_gyr and time_turnover_gyr"},
    {"{family: double_power_law, time_turnover_gyr: 1, tau_gyr: 1, alpha: 1, beta: 1}", "only one of"},
    {"{family: continuity, n_bin: 5, lookback_edges_myr: [0, 100, 200]}", "n_bin follows from lookback_edges_myr"},
    {"{family: continuity, lookback_edges_myr: [0, 100, 90]}", "90 is not above"},
    {"{family: continuity, lookback_edges_myr: [-1, 100, 200]}", "negative"},
    {"{family: continuity, lookback_edges_myr: [100]}", "2 to"},
    {"{family: continuity, lookback_edges_myr: [0, 100, age_of_universe]}", "age_of_universe"},
    {"{family: continuity_flex, n_bin: 2}", "n_bin 2"},
    {"{family: continuity_flex, n_bin: 3, log_sfr_ratios: 0}", "nothing to set"},
    {"{family: post_starburst, lookback_last_gyr: 1, n_flex: 0}", "n_flex 0"},
    {"{family: dirichlet, share_of: light}", "share_of 'light'"},
    {"{family: stochastic, kernel: matern, sigma_dex: 1, tau_gyr: 1}", "kernel 'matern'"},
    {"{family: stochastic, kernel: extended_regulator, sigma_dex: 1, tau_gyr: 1}", "sigma_dex"},
    {"{family: stochastic, sigma_dex: 1}", "stochastic needs tau_gyr"},
    {"{family: stochastic, sigma_dex: 1, tau_gyr: 1, base: constant}", "base must be a history"},
    {"{family: tabulated}", "needs file"},
    {"{family: tabulated, time_gyr: [1, 2], lookback_gyr: [1, 2], sfr_msun_per_yr: [1, 2]}", "one list of times"},
    {"{family: tabulated, time_gyr: [1, 2], sfr_msun_per_yr: [1]}", "2 times but 1 rates"},
    {"{family: tabulated, time_gyr: [2, 1], sfr_msun_per_yr: [1, 1]}", "time 2 of the table is 1"},
    {"{family: tabulated, time_gyr: [1, 2], sfr_msun_per_yr: [1, -1]}", "rate 2 of the table is -1"},
    {"{family: tabulated, time_gyr: [1, 2], sfr_msun_per_yr: [0, 0]}", "no stars"},
    {"{family: tabulated, time_gyr: [1], sfr_msun_per_yr: [1]}", "at least 2"},
    {"{family: sum}", "components"},
    {"{family: sum, components: []}", "components"},
    {"{family: sum, components: [{family: constant, fraction: 1}]}", "name"},
    {"{family: sum, components: [{family: constant, name: a b, fraction: 1}]}", "'a b' cannot"},
    {"{family: sum, components: [{family: constant, name: a}]}", "fraction"},
    {"{family: sum, components: [{family: constant, name: a, fraction: 1}, {family: constant, name: a, fraction: 1}]}", "a_fraction is declared twice"},
    {"{family: constant, name: a}", "name"},
  };
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sfh_built b;
    sdn_err err = {SDN_OK, -1, ""};
    assert_int_equal(sfh_try(bad[i][0], &b, &err), SDN_USAGE);
    if (!strstr(err.text, bad[i][1])) fail_msg("%s: '%s' does not say %s", bad[i][0], err.text, bad[i][1]);
    sfh_unbuild(&b);
  }
}

/* ------------------------------------------------------------------ with the prior finished */

static double age_gyr(const void *cosmology, double z) { return 1e-9 * sdn_cosmology_age_yr(cosmology, z); }

static void check_prior(const char *yaml, double low_z, double high_z, const char *word)
{
  char text[200];
  sdn_yaml *root, *flat;
  sdn_prior *prior;
  sdn_sfh_model *m;
  sdn_cosmology *cosmology;
  sdn_err err = {SDN_OK, -1, ""};
  static const sdn_param_spec mass = {"log_mass_formed_msun", "", "10", -100, 100, ""}, redshift = {"redshift", "", NULL, 0, 20, ""};
  snprintf(text, sizeof text, "{prior: uniform, low: %g, high: %g}", low_z, high_z);
  assert_int_equal(sdn_yaml_parse(yaml, "sfh.yaml", &root, &err) || sdn_yaml_parse(text, "z", &flat, &err) || sdn_cosmology_new(NULL, &cosmology, &err), 0);
  assert_int_equal(sdn_prior_new(&prior, &err) || sdn_prior_add_function(prior, "age_universe_gyr", age_gyr, cosmology, &err), 0);
  assert_int_equal(sdn_prior_add(prior, &mass, NULL, &err) || sdn_prior_add(prior, &redshift, flat, &err), 0);
  if (sdn_sfh_model_new(root, prior, &m, &err) || sdn_prior_finish(prior, &err)) fail_msg("%s", err.text);
  const sdn_status status = sdn_sfh_check_prior(m, prior, cosmology, sdn_prior_param_index(prior, "log_mass_formed_msun"), &err);
  if (!word && status) fail_msg("%s: %s", yaml, err.text);
  if (word && (status != SDN_USAGE || !strstr(err.text, word) || !strstr(err.text, "one at redshift"))) fail_msg("%s: '%s' does not say %s", yaml, err.text, word);
  sdn_sfh_model_free(m);
  sdn_prior_free(prior);
  sdn_cosmology_free(cosmology);
  sdn_yaml_free(root);
  sdn_yaml_free(flat);
}

static void impossible_priors_are_refused(void **state)
{
  (void)state;
  check_prior("{family: delayed_exponential, age_gyr: {prior: uniform, low: 0.1, high: 13.9}, tau_gyr: 1}", 0, 0.1, "high: age_universe_gyr(redshift)");
  check_prior("{family: delayed_exponential, age_gyr: {prior: uniform, low: 0.1, high: age_universe_gyr(redshift)}, tau_gyr: 1}", 0, 14, NULL);
  check_prior("{family: exponential, age_gyr: 0.5, tau_gyr: 1}", 0, 10, "age_gyr is 0.5 but the Universe is");
  check_prior("{family: exponential, age_gyr: 0.5, tau_gyr: 1}", 0, 9, NULL);   /* the Universe is 0.54 Gyr old at redshift 9 */
  check_prior("{family: exponential, age_gyr: 1, tau_gyr: {prior: uniform, low: -1, high: 1}}", 0, 5, NULL);
  check_prior("{family: continuity, lookback_edges_myr: [0, 30, 100, 1000, 5000]}", 0, 2, "let the last edge be age_universe");
  check_prior("{family: continuity, lookback_edges_myr: [0, 30, 100, 1000, age_universe]}", 0, 2, NULL);
  check_prior("{family: continuity}", 0, 14, NULL);
  check_prior("{family: post_starburst, lookback_last_gyr: {prior: uniform, low: 0.01, high: 1.5}}", 0, 4, "lookback_flex_gyr is 2 but");
  check_prior("{family: post_starburst, lookback_last_gyr: 0.01, lookback_flex_gyr: 0.5 * age_universe_gyr(redshift)}", 0, 14, NULL);
  check_prior("{family: stochastic, sigma_dex: 0.3, tau_gyr: 1}", 0, 14, NULL);
  check_prior("{family: dense_basis, log_ssfr_per_yr: {prior: uniform, low: -12, high: -7}, gaps: {prior: dirichlet, alpha: [1, 1, 1, 1]}}", 0, 14, NULL);
  check_prior("{family: sum, components: [{name: a, fraction: 1, family: constant}, {name: b, fraction: {prior: uniform, low: 0, high: 1}, family: burst, age_gyr: 3}]}", 1, 3,
              "component 2, burst: age_gyr is 3");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(bad_values_are_refused), cmocka_unit_test(yaml_becomes_a_history), cmocka_unit_test(bad_yaml_is_refused),
    cmocka_unit_test(impossible_priors_are_refused),
  };
  return cmocka_run_group_tests_name("sfh yaml", tests, NULL, NULL);
}
