/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histories in bins against the formulas that define them, written out here: masses of bins by Leja+2019 and Suess+2021 as Prospector's documentation has
 * them, shares of a Dirichlet, and Gaussian processes by GSL's Cholesky factor of the whole covariance matrix. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_linalg.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/special.h"
#include "support/sfh_fixture.h"

#define TOL 1e-12            /* of the mass: sums and powers alone */
#define TOL_PROCESS 1e-7     /* relative, of rates: two factorisations of a covariance that is nearly singular */
#define TOL_LIMIT 1e-6       /* the same where two times of the kernel are equal and this code moves them apart by 1e-4 */
#define TOL_COINCIDENT 1e-6   /* widths of 1e-9 of the whole, as differences of ages */

static void near(const char *what, double got, double expected, double tolerance)
{
  if (!(fabs(got - expected) <= tolerance)) fail_msg("%s: got %.15g, expected %.15g within %g", what, got, expected, tolerance);
}

/* Masses of bins [n], un-normalised, between edges [n+1]. */
static void check_masses(const char *what, const sdn_sfh *h, int n, const double *edge_yr, const double *mass)
{
  double total = 0, sum = 0;
  for (int k = 0; k < n; k++) total += mass[k];
  assert_int_equal(h->n_knot, n + 1);
  for (int k = 0; k < n; k++) {
    sum += mass[k] / total;
    near(what, h->knot_yr[k] / edge_yr[n], edge_yr[k] / edge_yr[n], TOL);
    near(what, sdn_sfh_mass_since(h, edge_yr[k + 1]), sum, TOL);
    const double middle_yr = 0.5 * (edge_yr[k] + edge_yr[k + 1]), rate = mass[k] / total / (edge_yr[k + 1] - edge_yr[k]);
    near(what, sdn_sfh_rate(h, middle_yr) / rate, 1, TOL);
  }
}

/* m_i ~ prod_(k<i) 10^-x_k dt_i. */
static void given_edges_are_taken(void **state)
{
  (void)state;
  static const double edge_yr[6] = {0, 1e7, 1e8, 2.5e8, 6e9, 1e10}, x[4] = {0.5, -1, 0.2, 2};
  double mass[5], rate = 1;
  sfh_built b = sfh_build("{family: continuity, lookback_edges_myr: [0, 10, 100, \"25 * 10\", 6000, age_universe], log_sfr_ratios: [0.5, -1, 0.2, 2]}");
  for (int k = 0; k < 5; k++) {
    mass[k] = rate * (edge_yr[k + 1] - edge_yr[k]);
    if (k < 4) rate *= pow(10, -x[k]);
  }
  const sdn_sfh h = sfh_prepared(&b, 1e10);
  check_masses("given edges", &h, 5, edge_yr, mass);
  sfh_unbuild(&b);
}

/* BAGPIPES counts its dsfr from the oldest pair on: log10 SFR of a bin is the sum of dsfr from the oldest bin to it. The same numbers in reverse. */
static void bagpipes_counts_the_other_way(void **state)
{
  (void)state;
  static const double edge_yr[5] = {0, 3e7, 1e8, 1e9, 5e9}, dsfr[3] = {0.3, -0.7, 1.1};
  double mass[4], log_sfr = 0;
  sfh_built b = sfh_build("{family: continuity, lookback_edges_myr: [0, 30, 100, 1000, 5000], log_sfr_ratios: [1.1, -0.7, 0.3]}");
  for (int k = 3; k >= 0; k--) {
    mass[k] = pow(10, log_sfr) * (edge_yr[k + 1] - edge_yr[k]);
    if (k > 0) log_sfr += dsfr[3 - k];
  }
  const sdn_sfh h = sfh_prepared(&b, 1e10);
  check_masses("bagpipes", &h, 4, edge_yr, mass);
  sfh_unbuild(&b);
}

/* ------------------------------------------------------------------ flexible bins */

/* n bins from young on, of widths dt1, dt1 S1, dt1 S1 S2, ... that fill the time to old: edges [n+1]. */
static void flexible_edges(int n, const double *log_ratio, double young_yr, double old_yr, double *edge_yr)
{
  double sum = 1, product = 1;
  for (int k = 0; k < n - 1; k++) sum += product *= pow(10, log_ratio[k]);
  product = 1;
  edge_yr[0] = young_yr;
  for (int k = 0; k < n; k++) {
    edge_yr[k + 1] = edge_yr[k] + (old_yr - young_yr) / sum * product;
    if (k < n - 1) product *= pow(10, log_ratio[k]);
  }
}

static void continuity_flex_is_as_defined(void **state)
{
  (void)state;
  static const double x[3] = {0.4, -0.2, 0.7}, young = -0.8, old = 0.3, oldest_yr = 1.2e10;
  double edge_yr[7] = {0}, mass[6];
  sfh_built b = sfh_build("{family: continuity_flex, lookback_young_gyr: 0.05, log_sfr_ratios: [0.4, -0.2, 0.7], log_sfr_ratio_young: -0.8, log_sfr_ratio_old: 0.3}");
  flexible_edges(4, x, 5e7, 0.85 * oldest_yr, edge_yr + 1);
  edge_yr[6] = oldest_yr;
  for (int k = 1; k < 5; k++) mass[k] = 1;
  mass[0] = pow(10, young) * 5e7 / (edge_yr[2] - 5e7);                                        /* myoung = syoung mbin dtyoung / dt1 */
  mass[5] = pow(10, old) * (oldest_yr - edge_yr[5]) / (edge_yr[5] - edge_yr[4]);               /* mold = sold mbin dtold / dtn */
  const sdn_sfh h = sfh_prepared(&b, oldest_yr);
  check_masses("continuity_flex", &h, 6, edge_yr, mass);
  sfh_unbuild(&b);
}

static void post_starburst_is_as_defined(void **state)
{
  (void)state;
  static const double x[2] = {0.5, -0.3}, sold[2] = {0.6, -0.4}, oldest_yr = 1e10;
  double edge_yr[7] = {0, 2e8}, mass[6], factor = 1;
  sfh_built b = sfh_build("{family: post_starburst, n_flex: 3, n_fixed: 2, lookback_last_gyr: 0.2, log_sfr_ratio_young: -1.5, log_sfr_ratios: [0.5, -0.3], "
                          "log_sfr_ratios_old: [0.6, -0.4]}");
  flexible_edges(3, x, 2e8, 2e9, edge_yr + 1);
  edge_yr[5] = sqrt(2e9 * oldest_yr);
  edge_yr[6] = oldest_yr;
  mass[0] = pow(10, -1.5) * 2e8 / (edge_yr[2] - edge_yr[1]);
  for (int k = 1; k < 4; k++) mass[k] = 1;
  for (int k = 0; k < 2; k++) {   /* prod dtold[1..] / prod dtold[0..] / prod 10^ratio: each bin's SFR is the younger one's over its ratio */
    factor *= (edge_yr[k + 5] - edge_yr[k + 4]) / (edge_yr[k + 4] - edge_yr[k + 3]) / pow(10, sold[k]);
    mass[4 + k] = factor;
  }
  const sdn_sfh h = sfh_prepared(&b, oldest_yr);
  check_masses("post_starburst", &h, 6, edge_yr, mass);
  sfh_unbuild(&b);
}

/* Ratios of 10 000 orders of magnitude still leave a history, whose flexible bins form equal masses. */
static void extreme_ratios_are_survived(void **state)
{
  (void)state;
  static const double value[3] = {-1e4, 1e4, -1e4};
  sfh_built b = sfh_build("{family: continuity_flex}");
  sfh_set_numbered(&b, "log_sfr_ratio_", 3, value);
  const sdn_sfh h = sfh_prepared(&b, 1e10);
  for (int k = 0; k + 1 < h.n_knot; k++) assert_true(h.knot_yr[k + 1] > h.knot_yr[k]);
  for (int k = 2; k < 5; k++) near("extreme", (h.knot_mass[k + 1] - h.knot_mass[k]) / (h.knot_mass[2] - h.knot_mass[1]), 1, TOL_COINCIDENT);
  near("extreme", h.knot_mass[h.n_knot - 1], 1, 0);
  sfh_unbuild(&b);
}

/* ------------------------------------------------------------------ dirichlet */

static void shares_are_of_what_they_say(void **state)
{
  (void)state;
  static const double edge_yr[4] = {0, 1e8, 1e9, 1e10}, share[3] = {0.2, 0.5, 0.3};
  double of_rate[3];
  sfh_built b = sfh_build("{family: dirichlet, lookback_edges_myr: [0, 100, 1000, age_universe], shares: [0.2, 0.7]}");
  for (int k = 0; k < 3; k++) of_rate[k] = share[k] * (edge_yr[k + 1] - edge_yr[k]);
  const sdn_sfh h = sfh_prepared(&b, 1e10);
  check_masses("shares of SFR", &h, 3, edge_yr, of_rate);
  sfh_built c = sfh_build("{family: dirichlet, lookback_edges_myr: [0, 100, 1000, age_universe], share_of: mass, shares: [0.2, 0.7]}");
  const sdn_sfh g = sfh_prepared(&c, 1e10);
  check_masses("shares of mass", &g, 3, edge_yr, share);
  sfh_unbuild(&b);
  sfh_unbuild(&c);
}

/* A flat Dirichlet of n shares has means 1/n and variances (n-1) / (n^2 (n+1)) for every one of them; stick breaking with flat breaks, which other codes
 * take for it, has means 1/2, 1/4, ... */
static void default_shares_are_a_flat_dirichlet(void **state)
{
  (void)state;
  enum { N = 4, N_POINT = 4096 };
  const double tolerance = 5e-4;   /* of quasi-random means in 3 dimensions; variances are of that size squared */
  double sum[N] = {0}, square[N] = {0}, u[N], z[N], params[64];
  sdn_err err;
  sfh_built b = sfh_build("{family: dirichlet, n_bin: 4}");
  assert_int_equal(sdn_prior_n_free(b.prior), N - 1);
  for (uint32_t i = 0; i < N_POINT; i++) {
    sdn_sobol_point(1, i, N - 1, u);
    for (int k = 0; k < N - 1; k++) z[k] = sdn_normal_quantile(u[k]);
    assert_int_equal(sdn_prior_params(b.prior, 1, z, params, &err), SDN_OK);
    memcpy(b.params, params, (size_t)sdn_prior_n_param(b.prior) * sizeof *params);
    const sdn_sfh h = sfh_prepared(&b, 1e10);
    double total = 0, rate[N];
    for (int k = 0; k < N; k++) total += rate[k] = sdn_sfh_rate(&h, 0.5 * (h.knot_yr[k] + h.knot_yr[k + 1]));
    for (int k = 0; k < N; k++) {
      sum[k] += rate[k] / total / N_POINT;
      square[k] += pow(rate[k] / total, 2) / N_POINT;
    }
  }
  for (int k = 0; k < N; k++) {
    near("mean share", sum[k], 1.0 / N, tolerance);
    near("variance of a share", square[k] - sum[k] * sum[k], (N - 1.0) / (N * N * (N + 1.0)), tolerance);
  }
  sfh_unbuild(&b);
}

/* ------------------------------------------------------------------ stochastic */

typedef struct process { double sigma, tau_eq, tau_in, sigma_dyn, tau_dyn; } process;   /* dex, Gyr; tau_in 0: a damped random walk of sigma and tau_eq */

static double covariance(const process *p, double d)
{
  if (!(p->tau_in > 0)) return p->sigma * p->sigma * exp(-d / p->tau_eq);
  const double dyn = p->sigma_dyn * p->sigma_dyn * exp(-d / p->tau_dyn), variance = p->sigma * p->sigma;
  if (p->tau_in == p->tau_eq) return variance * (1 + d / p->tau_eq) * exp(-d / p->tau_eq) + dyn;
  return variance / (p->tau_in - p->tau_eq) * (p->tau_in * exp(-d / p->tau_in) - p->tau_eq * exp(-d / p->tau_eq)) + dyn;
}

/* log10 SFR [n] = L w at times [n], Gyr. */
static void by_cholesky(const process *p, int n, const double *time, const double *w, double *log_sfr)
{
  gsl_matrix *c = gsl_matrix_alloc((size_t)n, (size_t)n);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < n; k++) gsl_matrix_set(c, (size_t)i, (size_t)k, covariance(p, fabs(time[i] - time[k])));
  assert_int_equal(gsl_linalg_cholesky_decomp1(c), 0);
  for (int i = 0; i < n; i++) {
    log_sfr[i] = 0;
    for (int k = 0; k <= i; k++) log_sfr[i] += gsl_matrix_get(c, (size_t)i, (size_t)k) * w[k];
  }
  gsl_matrix_free(c);
}

static void set_process(sfh_built *b, const process *p)
{
  const bool walk = !(p->tau_in > 0);
  sfh_set(b, walk ? "sigma_dex" : "sigma_reg_dex", p->sigma);
  sfh_set(b, walk ? "tau_gyr" : "tau_eq_gyr", p->tau_eq);
  if (walk) return;
  sfh_set(b, "tau_in_gyr", p->tau_in);
  sfh_set(b, "sigma_dyn_dex", p->sigma_dyn);
  sfh_set(b, "tau_dyn_gyr", p->tau_dyn);
}

static void stochastic_is_the_cholesky_factor(void **state)
{
  (void)state;
  static const process processes[] = {
    {0.4, 1, 0, 0, 0}, {0.4, 0.01, 0, 0, 0}, {0.4, 50, 0, 0, 0}, {0.17, 2.5, 0.15, 0.07, 0.025}, {0.3, 0.5, 4, 0.02, 0.01}, {0.3, 0.5, 0.5, 0.1, 0.025},
  };
  static const char *const yaml[2][2] = {
    {"{family: stochastic, sigma_dex: 1, tau_gyr: 1}", "{family: stochastic, shape: linear, sigma_dex: 1, tau_gyr: 1}"},
    {"{family: stochastic, kernel: extended_regulator, sigma_reg_dex: 1, tau_eq_gyr: 1, tau_in_gyr: 1, sigma_dyn_dex: 1, tau_dyn_gyr: 1}",
     "{family: stochastic, kernel: extended_regulator, shape: linear, sigma_reg_dex: 1, tau_eq_gyr: 1, tau_in_gyr: 1, sigma_dyn_dex: 1, tau_dyn_gyr: 1}"},
  };
  for (size_t i = 0; i < 2 * sizeof processes / sizeof *processes; i++) {
    const process *p = &processes[i / 2];
    const int linear = (int)(i % 2), n = 10 + linear;
    double w[11], time[11], log_sfr[11];
    sfh_built b = sfh_build(yaml[p->tau_in > 0][linear]);
    sdn_rng rng = sdn_rng_at(9, SDN_STREAM_TEST, i);
    for (int k = 0; k < n; k++) w[k] = sdn_rng_normal(&rng);
    set_process(&b, p);
    sfh_set_numbered(&b, "amplitude_", n, w);
    const sdn_sfh h = sfh_prepared(&b, 1.1e10);
    for (int k = 0; k < n; k++) time[k] = (linear ? h.knot_yr[k] : 0.5 * (h.knot_yr[k] + h.knot_yr[k + 1])) / 1e9;
    by_cholesky(p, n, time, w, log_sfr);
    for (int k = 1; k < n; k++) {
      const double ratio = sdn_sfh_rate(&h, time[k] * 1e9) / sdn_sfh_rate(&h, time[0] * 1e9);
      near("ratio of rates", ratio / pow(10, log_sfr[k] - log_sfr[0]), 1, p->tau_in == p->tau_eq ? TOL_LIMIT : TOL_PROCESS);
    }
    if (linear) near("straight line", sdn_sfh_rate(&h, 0.3 * h.knot_yr[4] + 0.7 * h.knot_yr[5]),
                     0.3 * sdn_sfh_rate(&h, h.knot_yr[4]) + 0.7 * sdn_sfh_rate(&h, h.knot_yr[5]), 1e-20);
    sfh_unbuild(&b);
  }
}

/* Without any scatter the base comes out: its mass in each bin. */
static void base_is_the_mean(void **state)
{
  (void)state;
  sfh_built b = sfh_build("{family: stochastic, sigma_dex: 0, tau_gyr: 1, amplitudes: 0.5, base: {family: delayed_exponential, age_gyr: 9, tau_gyr: 2}}");
  sfh_built base = sfh_build("{family: delayed_exponential, age_gyr: 9, tau_gyr: 2}");
  const sdn_sfh h = sfh_prepared(&b, 1.1e10), g = sfh_prepared(&base, 1.1e10);
  for (int k = 0; k < h.n_knot; k++) near("base", sdn_sfh_mass_since(&h, h.knot_yr[k]), sdn_sfh_mass_since(&g, h.knot_yr[k]), TOL);
  sfh_unbuild(&b);
  sfh_unbuild(&base);
}

/* Moments over the prior: var(log10 SFR now / SFR then) = 2 [C(0) - C(d)]. */
static void prior_scatter_is_the_kernel(void **state)
{
  (void)state;
  enum { N_POINT = 4096, N = 11 };
  const process p = {0.3, 2.5, 0.15, 0.1, 0.025};
  const double tolerance = 0.02;   /* relative, of a variance from 4096 quasi-random points in 11 dimensions */
  double u[N], z[N], square[3] = {0};
  sdn_err err;
  sfh_built b = sfh_build("{family: stochastic, kernel: extended_regulator, shape: linear, sigma_reg_dex: 0.3, tau_eq_gyr: 2.5, tau_in_gyr: 0.15, "
                          "sigma_dyn_dex: 0.1, tau_dyn_gyr: 0.025}");
  static const int knot[3] = {2, 5, 10};
  double time[3] = {0};
  assert_int_equal(sdn_prior_n_free(b.prior), N);
  for (uint32_t i = 0; i < N_POINT; i++) {
    sdn_sobol_point(1, i, N, u);
    for (int k = 0; k < N; k++) z[k] = sdn_normal_quantile(u[k]);
    assert_int_equal(sdn_prior_params(b.prior, 1, z, b.params, &err), SDN_OK);
    const sdn_sfh h = sfh_prepared(&b, 1e10);
    for (int k = 0; k < 3; k++) {
      time[k] = h.knot_yr[knot[k]] / 1e9;
      square[k] += pow(log10(sdn_sfh_rate(&h, h.knot_yr[knot[k]]) / sdn_sfh_rate(&h, 0)), 2) / N_POINT;
    }
  }
  for (int k = 0; k < 3; k++) near("variance", square[k] / (2 * (covariance(&p, 0) - covariance(&p, time[k]))), 1, tolerance);
  sfh_unbuild(&b);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(given_edges_are_taken), cmocka_unit_test(bagpipes_counts_the_other_way), cmocka_unit_test(continuity_flex_is_as_defined),
    cmocka_unit_test(post_starburst_is_as_defined), cmocka_unit_test(extreme_ratios_are_survived), cmocka_unit_test(shares_are_of_what_they_say),
    cmocka_unit_test(default_shares_are_a_flat_dirichlet), cmocka_unit_test(stochastic_is_the_cholesky_factor), cmocka_unit_test(base_is_the_mean),
    cmocka_unit_test(prior_scatter_is_the_kernel),
  };
  gsl_set_error_handler_off();
  return cmocka_run_group_tests_name("sfh bins", tests, NULL, NULL);
}
