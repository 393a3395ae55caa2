/* SPDX-License-Identifier: GPL-3.0-or-later */
/* However narrow a history may be by its keys' ranges, its weights cost few evaluations, and lie where its stars do. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "physics/sfh_family.h"
#include "support/sfh_fixture.h"

#define MOST_EVALUATIONS 10000   /* of the rate or the mass, per galaxy: what is wide takes a few hundred */
#define TOL_SUM 1e-12
#define TOL_NARROW 1e-6          /* of a weight: histories whose widths are that share of an age or less are points */
#define N_AGE 93

static double node_yr[N_AGE], weight[N_AGE];
static sdn_sfh_ops counting;
static const sdn_sfh_ops *counted;
static long n_evaluation;

static void count(int n)
{
  n_evaluation += n;
  if (n_evaluation > MOST_EVALUATIONS) fail_msg("%s: more than %d evaluations", counted->name, MOST_EVALUATIONS);
}

static void count_rates(const sdn_sfh *h, int n, const double *restrict age_yr, double *restrict rate)
{
  count(n);
  counted->rates(h, n, age_yr, rate);
}

static void count_masses(const sdn_sfh *h, int segment, int n, const double *age_yr, double *mass)
{
  count(n);
  counted->masses(h, segment, n, age_yr, mass);
}

/* Weights of what the YAML says in a Universe of this age. */
static void weigh(const char *yaml, double age_universe_yr)
{
  sfh_built b = sfh_build(yaml);
  sdn_sfh h = sfh_prepared(&b, age_universe_yr);
  double sum = 0;
  counted = h.ops;
  counting = *h.ops;
  if (counting.rates) counting.rates = count_rates;
  if (counting.masses) counting.masses = count_masses;
  h.ops = &counting;
  n_evaluation = 0;
  sdn_sfh_weights(&h, N_AGE, node_yr, weight);
  for (int i = 0; i < N_AGE; i++) sum += weight[i];
  if (!(fabs(sum - 1) <= TOL_SUM)) fail_msg("%s: the weights sum to 1 %+.1e", yaml, sum - 1);
  print_message("%6ld evaluations: %s\n", n_evaluation, yaml);
  sfh_unbuild(&b);
}

/* The mean of ln age by the hats' weights is that of the stars. */
static void assert_at(double age_yr, const char *yaml)
{
  double mean = 0;
  for (int i = 0; i < N_AGE; i++) mean += weight[i] * log(node_yr[i]);
  if (!(fabs(mean - log(age_yr)) <= TOL_NARROW)) fail_msg("%s: stars are %.9g yr old, not %.9g", yaml, exp(mean), age_yr);
}

static int setup(void **state)
{
  (void)state;
  for (int i = 0; i < N_AGE; i++) node_yr[i] = pow(10, 5 + 0.0565 * i);   /* 0.1 Myr to 16 Gyr */
  return 0;
}

static void narrowest_histories_are_points(void **state)
{
  (void)state;
  static const struct { const char *yaml; double age_yr; } narrow[] = {
    {"{family: log_normal, time_peak_gyr: 1, fwhm_gyr: 1e-6}", 12.8e9},        {"{family: log_normal, time_peak_gyr: 13.79, fwhm_gyr: 1e-6}", 0.01e9},
    {"{family: log_normal, time_peak_gyr: 13.6, fwhm_gyr: 1e-6}", 0.2e9},      {"{family: log_normal, time_peak_gyr: 1e-4, fwhm_gyr: 1e-6}", 13.7999e9},
    {"{family: log_normal, time_peak_gyr: 8, sigma_ln_time: 1e-4}", 5.8e9 - 8},  /* median t_p e^(s^2) */
    {"{family: gaussian, lookback_peak_gyr: 5, sigma_gyr: 1e-4}", 5e9},        {"{family: gaussian, lookback_peak_gyr: 13.7, sigma_gyr: 1e-4}", 13.7e9},
  };
  for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++) {
    weigh(narrow[i].yaml, 13.8e9);
    assert_at(narrow[i].age_yr, narrow[i].yaml);
  }
}

static void other_extremes_are_cheap(void **state)
{
  (void)state;
  static const char *const extreme[] = {
    "{family: log_normal, time_peak_gyr: 13.81, fwhm_gyr: 1e-4}", "{family: log_normal, time_peak_gyr: 20, sigma_ln_time: 1e-3}",
    "{family: log_normal, time_peak_gyr: 15, sigma_ln_time: 0.021}", "{family: log_normal, time_peak_gyr: 1000, sigma_ln_time: 10}",
    "{family: log_normal, time_peak_gyr: 1e-6, sigma_ln_time: 10}", "{family: log_normal, time_peak_gyr: 1, fwhm_gyr: 1000}",
    "{family: log_normal, time_peak_gyr: 13.8, sigma_ln_time: 1e-4}", "{family: gaussian, lookback_peak_gyr: 0, sigma_gyr: 1e-4}",
    "{family: gaussian, lookback_peak_gyr: -0.1, sigma_gyr: 1e-4}", "{family: gaussian, lookback_peak_gyr: -100, sigma_gyr: 0.1}",
    "{family: gaussian, lookback_peak_gyr: 100, sigma_gyr: 0.1}", "{family: exponential, age_gyr: 10, tau_gyr: 1e-3}",
    "{family: exponential, age_gyr: 10, tau_gyr: -1e-6}", "{family: delayed_exponential, age_gyr: 10, tau_gyr: 1e-6}",
    "{family: double_power_law, tau_gyr: 5, alpha: 1000, beta: 1000}", "{family: double_power_law, tau_gyr: 1e-3, alpha: 1000, beta: 1000}",
    "{family: double_power_law, tau_gyr: 30, alpha: 1000, beta: 1000}", "{family: double_power_law_age, lookback_turnover_gyr: 1, alpha: 1000, beta: 1000}",
    "{family: double_power_law_age, lookback_turnover_gyr: 1e-3, alpha: 1000, beta: 1000}",
  };
  for (size_t i = 0; i < sizeof extreme / sizeof *extreme; i++) weigh(extreme[i], 13.8e9);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(narrowest_histories_are_points), cmocka_unit_test(other_extremes_are_cheap)};
  return cmocka_run_group_tests_name("sfh cost", tests, setup, NULL);
}
