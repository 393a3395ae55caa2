/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every star formation history must do, over random and extreme parameters of all families: mass never falls, is the integral of the rate, weights are
 * shares of it (against GSL's adaptive quadrature), young stars alone have theirs, ages are where the mass says. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "base/random.h"
#include "support/sfh_fixture.h"

#define TOL_SUM 1e-12        /* what is promised; rounding of 110 terms leaves 1e-14 */
#define TOL_WEIGHT 1e-8      /* of the mass: what sfh.h promises */
#define TOL_CURVE 1e-9       /* cumulative mass against quadrature asked for 1e-11 */
#define TOL_AGE 4e-16        /* of an age: rounding, which the distance of two near knots suffers from */
#define TOL_MEAN_AGE 1e-8    /* of the age of the Universe */
#define N_AGE 110
#define N_DRAW 1500
#define N_QUADRATURE 200      /* draws per family that are integrated again */
#define MAX_CUT 256

static gsl_integration_workspace *work;
static double node_yr[N_AGE];

static double between(sdn_rng *rng, double low, double high) { return low + (high - low) * sdn_rng_uniform(rng); }
static double log_between(sdn_rng *rng, double low, double high) { return pow(10, between(rng, low, high)); }

/* ------------------------------------------------------------------ families, with parameters from the whole of what a prior might give */

static void set_window(sfh_built *b, sdn_rng *rng, double gyr)
{
  const double end = sdn_rng_uniform(rng) < 0.3 ? 0 : gyr * log_between(rng, -4, -0.1);
  sfh_set(b, "lookback_start_gyr", end + (gyr - end) * sdn_rng_uniform(rng));
  sfh_set(b, "lookback_end_gyr", end);
}

static void set_burst(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "age_gyr", gyr * sdn_rng_uniform(rng));
  sfh_set(b, "width_gyr", gyr * log_between(rng, -5, 0.5));
}

static void set_exponential(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "age_gyr", gyr * log_between(rng, -4, 0));
  sfh_set(b, "tau_gyr", log_between(rng, -3, 3) * (sdn_rng_uniform(rng) < 0.5 ? 1 : -1));
}

static void set_truncated(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_exponential(b, rng, gyr);
  const double age = gyr * log_between(rng, -2, 0);
  sfh_set(b, "age_gyr", age);
  sfh_set(b, "lookback_end_gyr", age * log_between(rng, -3, -0.01));
}

static void set_delayed(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "age_gyr", gyr * log_between(rng, -4, 0));
  sfh_set(b, "tau_gyr", log_between(rng, -3, 3));
}

static void set_quenched(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_delayed(b, rng, gyr);
  const double age = gyr * log_between(rng, -2, 0);
  sfh_set(b, "age_gyr", age);
  sfh_set(b, "lookback_end_gyr", age * log_between(rng, -3, -0.01));
}

static void set_gaussian(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "time_peak_gyr", gyr * between(rng, 0, 1));
  sfh_set(b, "sigma_gyr", log_between(rng, -3, 2));
}

static void set_gaussian_part(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_window(b, rng, gyr);
  sfh_set(b, "lookback_peak_gyr", gyr * between(rng, -0.5, 1.5));
  sfh_set(b, "sigma_gyr", gyr * log_between(rng, -1.3, 2));
}

static void set_log_normal(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "time_peak_gyr", gyr * log_between(rng, -1.5, 0.5));
  sfh_set(b, "fwhm_gyr", gyr * log_between(rng, -1.5, 1.5));
}

static void set_log_normal_part(sfh_built *b, sdn_rng *rng, double gyr)
{
  const double start = gyr * log_between(rng, -1, 0), end = start * between(rng, 0, 0.9);
  sfh_set(b, "lookback_start_gyr", start);
  sfh_set(b, "lookback_end_gyr", end);
  sfh_set(b, "lookback_peak_gyr", end + (start - end) * between(rng, -0.5, 0.99));
  sfh_set(b, "sigma_ln_time", log_between(rng, -1, 0.5));
}

static void set_power_law(sfh_built *b, sdn_rng *rng, double gyr)
{
  (void)gyr;
  sfh_set(b, "tau_gyr", log_between(rng, -1.5, 1.5));
  sfh_set(b, "alpha", log_between(rng, -2, 3));
  sfh_set(b, "beta", log_between(rng, -2, 3));
}

static void set_age_power_law(sfh_built *b, sdn_rng *rng, double gyr)
{
  (void)gyr;
  sfh_set(b, "lookback_turnover_gyr", log_between(rng, -2.5, 1.5));
  sfh_set(b, "alpha", log_between(rng, -2, 2.5));
  sfh_set(b, "beta", log_between(rng, -2, 2.5));
}

static void set_age_power_law_part(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_window(b, rng, gyr);
  sfh_set(b, "lookback_turnover_gyr", log_between(rng, -2.5, 1.5));
  sfh_set(b, "alpha", log_between(rng, -2, 1));
  sfh_set(b, "beta", log_between(rng, -2, 1));
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
  sfh_set(b, "lookback_last_gyr", 0.5 * gyr * log_between(rng, -2, -0.1));
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
  sfh_set(b, "tau_gyr", log_between(rng, -3, 2));
  sfh_set(b, "sigma_dex", between(rng, 0, 2));
}

static void set_regulator(sfh_built *b, sdn_rng *rng, double gyr)
{
  set_amplitudes(b, rng, 11);
  sfh_set(b, "tau_eq_gyr", log_between(rng, -3, 1));
  sfh_set(b, "tau_in_gyr", log_between(rng, -3, 1));
  sfh_set(b, "tau_dyn_gyr", log_between(rng, -3, 0));
  sfh_set(b, "sigma_reg_dex", between(rng, 0, 1));
  sfh_set(b, "sigma_dyn_dex", between(rng, 0, 0.3));
  sfh_set(b, "base_age_gyr", gyr * log_between(rng, -0.7, 0));
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
  draw_times(rng, log_between(rng, -1.5, 1), 3, t);
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
  draw_times(rng, log_between(rng, -1, 1), 15, t);
  sfh_set(b, "log_sfr_msun_per_yr", 10 + between(rng, -12, -7));
  for (int k = 0; k < 15; k++) {
    snprintf(name, sizeof name, "t%.0f", 100.0 * (k + 1) / 16);
    sfh_set(b, name, t[k]);
  }
}

static void set_sum(sfh_built *b, sdn_rng *rng, double gyr)
{
  sfh_set(b, "main_age_gyr", gyr * log_between(rng, -1, 0));
  sfh_set(b, "main_tau_gyr", log_between(rng, -1, 1));
  sfh_set(b, "burst_age_gyr", gyr * log_between(rng, -2, 0));
  sfh_set(b, "burst_fraction", log_between(rng, -3, 0));
  sfh_set(b, "bump_time_peak_gyr", gyr * sdn_rng_uniform(rng));
  sfh_set(b, "bump_sigma_gyr", log_between(rng, -1.5, 1));
}

typedef struct family { const char *yaml; void (*set)(sfh_built *b, sdn_rng *rng, double gyr); bool steps; sfh_built built; } family;   /* steps: of the mass */

static family families[] = {
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
enum { N_FAMILY = sizeof families / sizeof *families };

static int setup(void **state)
{
  (void)state;
  gsl_set_error_handler_off();
  work = gsl_integration_workspace_alloc(5000);
  for (int i = 0; i < N_AGE; i++) node_yr[i] = pow(10, 5 + 5.3 * i / (N_AGE - 1));
  for (int f = 0; f < N_FAMILY; f++) families[f].built = sfh_build(families[f].yaml);
  return work ? 0 : -1;
}

static int teardown(void **state)
{
  (void)state;
  for (int f = 0; f < N_FAMILY; f++) sfh_unbuild(&families[f].built);
  gsl_integration_workspace_free(work);
  return 0;
}

static sdn_sfh draw(int f, int test, int i, sdn_rng *rng)
{
  family *now = &families[f];
  *rng = sdn_rng_at((uint64_t)test, SDN_STREAM_TEST, (uint64_t)(f * N_DRAW + i));
  const double oldest_yr = log_between(rng, 8.2, 10.14);
  if (now->set) now->set(&now->built, rng, oldest_yr / 1e9);
  return sfh_prepared(&now->built, oldest_yr);
}

/* ------------------------------------------------------------------ quadrature */

typedef struct span { const sdn_sfh *h; double limit_yr; } span;

static double mass_over_ln_age(double ln_age, void *ctx)
{
  const span *s = ctx;
  return sdn_sfh_mass_since(s->h, fmin(exp(ln_age), s->limit_yr));
}

static double mass_over_age(double age_yr, void *ctx) { return sdn_sfh_mass_since(((span *)ctx)->h, age_yr); }
static double rate_over_age(double age_yr, void *ctx) { return sdn_sfh_rate(((span *)ctx)->h, age_yr); }

static double quadrature(double (*f)(double, void *), void *ctx, double from, double to)
{
  double value, error;
  gsl_function g = {f, ctx};
  gsl_integration_qag(&g, from, to, 1e-13, 1e-11, 5000, GSL_INTEG_GAUSS21, work, &value, &error);
  return value;
}

/* Ages where the integrand may bend sharply: knots and quantiles of the mass. */
typedef struct cuts { int n; double yr[MAX_CUT]; } cuts;

static void find_cuts(const sdn_sfh *h, double limit_yr, cuts *c)
{
  static const double fraction[] = {1e-9, 1e-6, 1e-4, 1e-3, 1e-2, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 0.9999, 0.999999, 1 - 1e-9};
  c->n = 0;
  for (int k = 0; k < h->n_knot; k++) c->yr[c->n++] = h->knot_yr[k];
  double *first = c->yr + c->n;
  const int n = (int)(sizeof fraction / sizeof *fraction);
  for (int k = 0; k < n; k++) c->yr[c->n++] = sdn_sfh_age_of_fraction(h, fraction[k]);   /* from old to young */
  for (int k = 1; k < 20; k *= 3) {   /* and as far beyond as the outermost ones lie apart */
    c->yr[c->n++] = first[n - 1] - k * (first[n - 2] - first[n - 1]);
    c->yr[c->n++] = first[0] + k * (first[0] - first[1]);
  }
  c->yr[c->n++] = limit_yr;
}

static double next_cut(const cuts *c, double from, double to)
{
  for (int k = 0; k < c->n; k++)
    if (c->yr[k] > from) to = fmin(to, c->yr[k]);
  return to;
}

/* Mean over ln age between two ages of the mass of stars younger than the limit. */
static double mean_mass(span *s, const cuts *c, double young_yr, double old_yr)
{
  double sum = 0;
  for (double a = young_yr; a < old_yr;) {
    const double b = next_cut(c, a, old_yr);
    sum += quadrature(mass_over_ln_age, s, log(a), log(b));
    a = b;
  }
  return sum / log(old_yr / young_yr);
}

/* ------------------------------------------------------------------ tests */

static void weights_conserve_mass(void **state)
{
  (void)state;
  double weight[N_AGE];
  sdn_rng rng;
  for (int f = 0; f < N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      const sdn_sfh h = draw(f, 1, i, &rng);
      double sum = 0, mean_yr = 0;
      sdn_sfh_weights(&h, N_AGE, node_yr, weight);
      for (int k = 0; k < N_AGE; k++) {
        if (!(weight[k] >= 0)) fail_msg("%s draw %d: weight %d is %g", families[f].yaml, i, k, weight[k]);
        if (k > 0 && node_yr[k - 1] > h.age_universe_yr && weight[k] != 0) fail_msg("%s draw %d: stars older than the Universe", families[f].yaml, i);
        sum += weight[k];
        mean_yr += weight[k] * node_yr[k];
      }
      if (!(fabs(sum - 1) <= TOL_SUM)) fail_msg("%s draw %d: weights sum to 1 + %g", families[f].yaml, i, sum - 1);
      /* hats in ln a lie above a straight line in a: their mean age is the true one within a bin's curvature, (ln 10 * 0.0486)^2 / 8 */
      const double bias = 0.0016, young_yr = 1e5;
      if (!(fabs(mean_yr / (sdn_sfh_mean_age_yr(&h) + young_yr) - 1) <= bias + young_yr / sdn_sfh_mean_age_yr(&h)))
        fail_msg("%s draw %d: mean age of weights %g, of the history %g", families[f].yaml, i, mean_yr, sdn_sfh_mean_age_yr(&h));
    }
}

static void young_weights_conserve_mass(void **state)
{
  (void)state;
  double weight[N_AGE], whole[N_AGE];
  sdn_rng rng;
  for (int f = 0; f < N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      const sdn_sfh h = draw(f, 2, i, &rng);
      const double limit_yr = log_between(&rng, 4, 10.5), mass = sdn_sfh_mass_since(&h, limit_yr);
      double sum = 0;
      sdn_sfh_weights(&h, N_AGE, node_yr, whole);
      sdn_sfh_weights_since(&h, limit_yr, N_AGE, node_yr, weight);
      for (int k = 0; k < N_AGE; k++) {
        if (!(weight[k] >= 0 && weight[k] <= whole[k] + TOL_WEIGHT)) fail_msg("%s draw %d: %g of weight %d, %g, is young", families[f].yaml, i, weight[k], k, whole[k]);
        if (k > 0 && node_yr[k - 1] >= limit_yr && weight[k] != 0) fail_msg("%s draw %d: node %d is older than %g", families[f].yaml, i, k, limit_yr);
        if (k < N_AGE - 1 && node_yr[k + 1] <= limit_yr && !(fabs(weight[k] - whole[k]) <= TOL_WEIGHT))
          fail_msg("%s draw %d: node %d is younger than %g but has %g of %g", families[f].yaml, i, k, limit_yr, weight[k], whole[k]);
        sum += weight[k];
      }
      if (!(fabs(sum - mass) <= TOL_SUM)) fail_msg("%s draw %d: young weights sum to %.15g, not %.15g", families[f].yaml, i, sum, mass);
    }
}

static void mass_never_falls(void **state)
{
  (void)state;
  const double rounding = 4e-15;
  sdn_rng rng;
  for (int f = 0; f < N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      const sdn_sfh h = draw(f, 3, i, &rng);
      double before = 0;
      for (int k = 0; k <= 60; k++) {
        const double age_yr = h.age_universe_yr * pow(10, -5 + 5.0 * k / 60), mass = sdn_sfh_mass_since(&h, age_yr), rate = sdn_sfh_rate(&h, age_yr);
        if (!(mass >= before - rounding && mass <= 1)) fail_msg("%s draw %d: mass %.17g after %.17g", families[f].yaml, i, mass, before);
        if (!(rate >= 0 && isfinite(rate))) fail_msg("%s draw %d: rate %g at %g yr", families[f].yaml, i, rate, age_yr);
        before = mass;
      }
      if (!(before == 1)) fail_msg("%s draw %d: %.17g of the mass formed", families[f].yaml, i, before);
    }
}

static void formation_ages_come_back(void **state)
{
  (void)state;
  sdn_rng rng;
  for (int f = 0; f < N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      const sdn_sfh h = draw(f, 4, i, &rng);
      const double fraction = sdn_rng_uniform(&rng), age_yr = sdn_sfh_age_of_fraction(&h, fraction), target = 1 - fraction;
      const double step = 1e-10 * age_yr;   /* the promise: within 1e-10 of the age, unless the mass stands still there */
      const bool found = sdn_sfh_mass_since(&h, age_yr - step) <= target + 1e-14 && sdn_sfh_mass_since(&h, age_yr + step) >= target - 1e-14;
      if (!found) fail_msg("%s draw %d: age %.17g yr for fraction %.17g, mass %.17g", families[f].yaml, i, age_yr, fraction, sdn_sfh_mass_since(&h, age_yr));
    }
}

static double curve_tolerance(const sdn_sfh *h)
{
  double nearest_yr = INFINITY;
  for (int k = 0; k + 1 < h->n_knot; k++)
    if (h->knot_yr[k + 1] > h->knot_yr[k]) nearest_yr = fmin(nearest_yr, h->knot_yr[k + 1] - h->knot_yr[k]);
  return TOL_CURVE + TOL_AGE * h->age_universe_yr / nearest_yr;
}

/* The mass between two cuts is the integral of the rate, and the mean age that of 1 - M. */
static void mass_is_integral_of_rate(void **state)
{
  (void)state;
  double worst = 0;
  sdn_rng rng;
  for (int f = 0; f < N_FAMILY; f++)
    for (int i = 0; i < N_QUADRATURE && !families[f].steps; i++) {
      const sdn_sfh h = draw(f, 5, i, &rng);
      span s = {&h, INFINITY};
      cuts c;
      double mass = 0, mean_yr = h.age_universe_yr;
      find_cuts(&h, h.age_universe_yr * sdn_rng_uniform(&rng), &c);
      for (double a = 0; a < h.age_universe_yr;) {
        const double b = next_cut(&c, a, h.age_universe_yr), expected = sdn_sfh_mass_since(&h, b);
        mass += quadrature(rate_over_age, &s, a, b);   /* at points inside: rates jump at knots */
        mean_yr -= quadrature(mass_over_age, &s, a, b);
        worst = fmax(worst, fabs(mass - expected));
        if (!(fabs(mass - expected) <= curve_tolerance(&h))) fail_msg("%s draw %d: mass since %g yr is %.12g, integral of the rate %.12g", families[f].yaml, i, b, expected, mass);
        a = b;
      }
      if (!(fabs(mean_yr - sdn_sfh_mean_age_yr(&h)) <= TOL_MEAN_AGE * h.age_universe_yr))
        fail_msg("%s draw %d: mean age %.12g, by quadrature %.12g", families[f].yaml, i, sdn_sfh_mean_age_yr(&h), mean_yr);
    }
  print_message("mass beside the integral of the rate: worst difference %.1e\n", worst);
}

/* Weights by parts from the mass curve, which is the families' closed form. */
static void weights_agree(void **state)
{
  (void)state;
  double weight[N_AGE], worst_of_all = 0;
  sdn_rng rng;
  for (int f = 0; f < N_FAMILY; f++) {
    double worst = 0;
    for (int i = 0; i < N_QUADRATURE; i++) {
      const sdn_sfh h = draw(f, 6, i, &rng);
      const double limit_yr = i % 2 ? INFINITY : log_between(&rng, 5, 10.2);
      span s = {&h, limit_yr};
      cuts c;
      double before = 0;
      find_cuts(&h, limit_yr, &c);
      sdn_sfh_weights_since(&h, limit_yr, N_AGE, node_yr, weight);
      for (int k = 0; k + 1 < N_AGE; k++) {
        const double mean = mean_mass(&s, &c, node_yr[k], node_yr[k + 1]), difference = fabs(weight[k] - (mean - before));
        worst = fmax(worst, difference);
        if (!(difference <= TOL_WEIGHT))
          fail_msg("%s draw %d limit %g node %d (%g yr): weight %.12g, quadrature %.12g", families[f].yaml, i, limit_yr, k, node_yr[k], weight[k], mean - before);
        before = mean;
      }
    }
    print_message("%.1e  %.90s\n", worst, families[f].yaml);
    worst_of_all = fmax(worst, worst_of_all);
  }
  print_message("weights: worst difference %.1e\n", worst_of_all);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(weights_conserve_mass), cmocka_unit_test(young_weights_conserve_mass), cmocka_unit_test(mass_never_falls),
    cmocka_unit_test(formation_ages_come_back), cmocka_unit_test(mass_is_integral_of_rate), cmocka_unit_test(weights_agree),
  };
  return cmocka_run_group_tests_name("sfh properties", tests, setup, teardown);
}
