/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What every star formation history must do, over random and extreme parameters: mass never falls, weights are shares of it, quantiles are where the
 * parameters put them, the end slope is the star formation rate. */
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

#define TOL_QUANTILE 1e-8    /* of the mass; sfh.h and the design ask for 1e-6 of cosmic time */
#define TOL_TIME 1e-8        /* of cosmic time: quantiles nearer than 1e-9 are moved apart */
#define TOL_SLOPE 1e-12      /* relative: the end slope is a parameter, not a result */
#define TOL_SUM 1e-14
#define TOL_WEIGHT 1e-8
#define TOL_CURVE 1e-9       /* cumulative mass of extreme power laws against quadrature asked for 1e-10 */
#define TOL_MEAN_AGE 1e-8    /* of the age of the Universe */
#define N_AGE 110
#define N_DRAW 3000

static gsl_integration_workspace *work;

static double between(sdn_rng *rng, double low, double high) { return low + (high - low) * sdn_rng_uniform(rng); }

static void age_nodes(double *age_yr)
{
  for (int i = 0; i < N_AGE; i++) age_yr[i] = pow(10, 5 + 5.3 * i / (N_AGE - 1));
}

/* Four gaps of a Dirichlet with weights alpha; small alpha makes them nearly coincide. */
static void draw_times(sdn_rng *rng, double alpha, double *t)
{
  double gap[4], sum = 0;
  for (int k = 0; k < 4; k++) sum += gap[k] = pow(sdn_rng_uniform(rng), 1 / alpha) + 1e-30;
  for (int k = 0; k < 3; k++) t[k] = (k ? t[k - 1] : 0) + gap[k] / sum;
}

enum { DELAYED, POWER_LAW, STEPS, DENSE, N_FAMILY };
static sfh_built built[N_FAMILY];

static void set_dense(double log_ssfr, const double *t)
{
  sfh_set(&built[DENSE], "log_sfr_msun_per_yr", 10 + log_ssfr);
  sfh_set(&built[DENSE], "t25", t[0]);
  sfh_set(&built[DENSE], "t50", t[1]);
  sfh_set(&built[DENSE], "t75", t[2]);
}

/* A history of any family with parameters from the whole of what a prior might give. */
static sdn_sfh draw(int family, sdn_rng *rng)
{
  sfh_built *b = &built[family];
  double value[8];
  const double oldest_yr = pow(10, between(rng, 8.2, 10.14));
  if (family == DELAYED) {
    sfh_set(b, "age_gyr", oldest_yr / 1e9 * pow(10, between(rng, -4, 0)));
    sfh_set(b, "tau_gyr", pow(10, between(rng, -3, 3)));
  } else if (family == POWER_LAW) {
    sfh_set(b, "tau_gyr", pow(10, between(rng, -1.5, 1.5)));
    sfh_set(b, "alpha", pow(10, between(rng, -2, 3)));
    sfh_set(b, "beta", pow(10, between(rng, -2, 3)));
  } else if (family == STEPS) {
    for (int k = 0; k < 7; k++) value[k] = 0.3 * sdn_rng_normal(rng) / fabs(sdn_rng_normal(rng));   /* heavy tails */
    sfh_set_numbered(b, "log_sfr_ratio_", 7, value);
  } else {
    const double log_ssfr = between(rng, -12, -7);
    draw_times(rng, pow(10, between(rng, -1.5, 1)), value);
    set_dense(log_ssfr, value);
  }
  return sfh_prepared(b, oldest_yr);
}

static int setup(void **state)
{
  (void)state;
  gsl_set_error_handler_off();
  work = gsl_integration_workspace_alloc(5000);
  built[DELAYED] = sfh_build("{family: delayed_exponential, age_gyr: 1, tau_gyr: 1}");
  built[POWER_LAW] = sfh_build("{family: double_power_law, tau_gyr: 1, alpha: 1, beta: 1}");
  built[STEPS] = sfh_build("{family: continuity, n_bin: 8}");
  built[DENSE] = sfh_build("{family: dense_basis, log_sfr_msun_per_yr: 0, gaps: [0.25, 0.5, 0.75]}");
  return work ? 0 : -1;
}

static int teardown(void **state)
{
  (void)state;
  for (int f = 0; f < N_FAMILY; f++) sfh_unbuild(&built[f]);
  gsl_integration_workspace_free(work);
  return 0;
}

static void weights_conserve_mass(void **state)
{
  (void)state;
  double age_yr[N_AGE], weight[N_AGE];
  age_nodes(age_yr);
  for (int f = 0; f < N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      sdn_rng rng = sdn_rng_at(1, SDN_STREAM_TEST, (uint64_t)(f * N_DRAW + i));
      const sdn_sfh h = draw(f, &rng);
      double sum = 0, mean_yr = 0;
      sdn_sfh_weights(&h, N_AGE, age_yr, weight);
      for (int k = 0; k < N_AGE; k++) {
        if (!(weight[k] >= 0)) fail_msg("family %d draw %d: weight %d is %g", f, i, k, weight[k]);
        if (k > 0 && age_yr[k - 1] > h.age_universe_yr && weight[k] != 0) fail_msg("family %d draw %d: stars older than the Universe", f, i);
        sum += weight[k];
        mean_yr += weight[k] * age_yr[k];
      }
      if (!(fabs(sum - 1) <= TOL_SUM)) fail_msg("family %d draw %d: weights sum to 1 + %g", f, i, sum - 1);
      /* hats in ln a lie above a straight line in a: their mean age is the true one within a bin's curvature, (ln 10 * 0.0486)^2 / 8 */
      const double bias = 0.0016, young_yr = 1e5;
      if (!(fabs(mean_yr / (sdn_sfh_mean_age_yr(&h) + young_yr) - 1) <= bias + young_yr / sdn_sfh_mean_age_yr(&h)))
        fail_msg("family %d draw %d: mean age of weights %g, of the history %g", f, i, mean_yr, sdn_sfh_mean_age_yr(&h));
    }
}

static void mass_never_falls(void **state)
{
  (void)state;
  const double rounding = 4e-16;
  for (int f = 0; f < N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      sdn_rng rng = sdn_rng_at(2, SDN_STREAM_TEST, (uint64_t)(f * N_DRAW + i));
      const sdn_sfh h = draw(f, &rng);
      double before = 0;
      for (int k = 0; k <= 60; k++) {
        const double age_yr = h.age_universe_yr * pow(10, -5 + 5.0 * k / 60), mass = sdn_sfh_mass_since(&h, age_yr), rate = sdn_sfh_rate(&h, age_yr);
        if (!(mass >= before - rounding && mass <= 1)) fail_msg("family %d draw %d: mass %.17g after %.17g", f, i, mass, before);
        if (!(rate >= 0 && isfinite(rate))) fail_msg("family %d draw %d: rate %g at %g yr", f, i, rate, age_yr);
        before = mass;
      }
      if (!(before == 1)) fail_msg("family %d draw %d: %.17g of the mass formed", f, i, before);
    }
}

static void formation_ages_come_back(void **state)
{
  (void)state;
  for (int f = 0; f < N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      sdn_rng rng = sdn_rng_at(3, SDN_STREAM_TEST, (uint64_t)(f * N_DRAW + i));
      const sdn_sfh h = draw(f, &rng);
      const double fraction = sdn_rng_uniform(&rng), age_yr = sdn_sfh_age_of_fraction(&h, fraction), target = 1 - fraction;
      const double step = 1e-10 * age_yr;   /* the promise: within 1e-10 of the age, unless the mass stands still there */
      const bool found = sdn_sfh_mass_since(&h, age_yr - step) <= target + 1e-14 && sdn_sfh_mass_since(&h, age_yr + step) >= target - 1e-14;
      if (!found) fail_msg("family %d draw %d: age %g yr for fraction %g, mass %g", f, i, age_yr, fraction, sdn_sfh_mass_since(&h, age_yr));
    }
}

/* ------------------------------------------------------------------ dense basis */

static sdn_sfh dense(double log_ssfr, const double *t, double oldest_yr)
{
  set_dense(log_ssfr, t);
  return sfh_prepared(&built[DENSE], oldest_yr);
}

static void check_dense(double log_ssfr, const double *t, double oldest_yr)
{
  const sdn_sfh h = dense(log_ssfr, t, oldest_yr);
  for (int k = 0; k < 3; k++) {
    const double early = 1 - sdn_sfh_mass_since(&h, oldest_yr * (1 - t[k] + TOL_TIME));
    const double late = 1 - sdn_sfh_mass_since(&h, oldest_yr * (1 - t[k] - TOL_TIME));
    const double share = 0.25 * (k + 1), found = 1 - sdn_sfh_age_of_fraction(&h, share) / oldest_yr;
    if (!(early <= share + TOL_QUANTILE && late >= share - TOL_QUANTILE)) fail_msg("t%d = %g: %g to %g of the mass had formed", 25 * (k + 1), t[k], early, late);
    if (!(fabs(found - t[k]) <= TOL_TIME)) fail_msg("t%d = %.12g came back as %.12g", 25 * (k + 1), t[k], found);
  }
  const double ssfr = pow(10, log_ssfr);
  if (!(fabs(sdn_sfh_rate(&h, 0) / ssfr - 1) <= TOL_SLOPE)) fail_msg("SFR now %g, wanted %g", sdn_sfh_rate(&h, 0), ssfr);
  const double last_yr = oldest_yr * fmax(1 - t[2], 1e-9), brief = 1e-5, tolerance = 1e-3;   /* so short a time that the rate stays the same within this */
  const double moment_yr = brief * fmin(1 / ssfr, last_yr * fmin(1, ssfr * last_yr));
  if (!(fabs(sdn_sfh_mass_since(&h, moment_yr) / (ssfr * moment_yr) - 1) <= tolerance))
    fail_msg("mass of the last %g yr %g, wanted %g", moment_yr, sdn_sfh_mass_since(&h, moment_yr), ssfr * moment_yr);
}

static void dense_basis_means_what_it_says(void **state)
{
  (void)state;
  static const double edge[][3] = {
    {0.25, 0.5, 0.75}, {1e-6, 2e-6, 3e-6}, {0.999997, 0.999998, 0.999999}, {0.5, 0.5, 0.5}, {0.1, 0.1 + 1e-12, 0.9}, {0, 0, 0}, {1, 1, 1}, {0, 0.5, 1},
    {1e-30, 1e-20, 1e-10}, {0.3, 0.3 + 1e-7, 0.3 + 2e-7},
  };
  for (size_t i = 0; i < sizeof edge / sizeof *edge; i++)
    for (double log_ssfr = -12; log_ssfr <= -7; log_ssfr += 0.5)
      for (double log_age = 8.2; log_age < 10.2; log_age += 0.6) check_dense(log_ssfr, edge[i], pow(10, log_age));
  for (int i = 0; i < N_DRAW; i++) {
    sdn_rng rng = sdn_rng_at(4, SDN_STREAM_TEST, (uint64_t)i);
    double t[3];
    draw_times(&rng, pow(10, between(&rng, -1.5, 1)), t);
    check_dense(between(&rng, -12, -7), t, pow(10, between(&rng, 8.2, 10.14)));
  }
}

typedef struct hat { const sdn_sfh *h; double young_yr, old_yr; } hat;

static double mass_over_ln_age(double ln_age, void *ctx)
{
  const hat *m = ctx;
  return sdn_sfh_mass_since(m->h, exp(ln_age));
}

static double quadrature(double (*f)(double, void *), void *ctx, double from, double to)
{
  double value, error;
  gsl_function g = {f, ctx};
  gsl_integration_qag(&g, from, to, 1e-13, 1e-11, 5000, GSL_INTEG_GAUSS21, work, &value, &error);
  return value;
}

/* Weights of dense-basis histories: by parts from the mass curve (tested above), with GSL's adaptive quadrature between nodes and knots. */
static void dense_weights_agree(void **state)
{
  (void)state;
  double age_yr[N_AGE], weight[N_AGE], worst = 0;
  age_nodes(age_yr);
  for (int i = 0; i < 300; i++) {
    sdn_rng rng = sdn_rng_at(5, SDN_STREAM_TEST, (uint64_t)i);
    const sdn_sfh h = draw(DENSE, &rng);
    hat m = {&h, 0, 0};
    double before = 0;
    sdn_sfh_weights(&h, N_AGE, age_yr, weight);
    for (int k = 0; k + 1 < N_AGE; k++) {
      double sum = 0;
      for (double a = age_yr[k]; a < age_yr[k + 1];) {
        double b = age_yr[k + 1];
        for (int j = 1; j < h.n_knot; j++)
          if (h.knot_yr[j] > a) b = fmin(b, h.knot_yr[j]);
        sum += quadrature(mass_over_ln_age, &m, log(a), log(b));
        a = b;
      }
      const double mean = sum / log(age_yr[k + 1] / age_yr[k]), difference = fabs(weight[k] - (mean - before));
      worst = fmax(worst, difference);
      if (!(difference <= TOL_WEIGHT)) fail_msg("draw %d node %d: weight %.12g, quadrature %.12g", i, k, weight[k], mean - before);
      before = mean;
    }
  }
  print_message("dense basis weights: worst difference %.1e\n", worst);
}

static double mass_over_age(double age_yr, void *ctx)
{
  const hat *m = ctx;
  return sdn_sfh_mass_since(m->h, age_yr);
}

static void dense_mean_age_agrees(void **state)
{
  (void)state;
  for (int i = 0; i < 1000; i++) {
    sdn_rng rng = sdn_rng_at(6, SDN_STREAM_TEST, (uint64_t)i);
    const sdn_sfh h = draw(DENSE, &rng);
    hat m = {&h, 0, 0};
    double mean_yr = h.age_universe_yr;
    for (int k = 0; k + 1 < h.n_knot; k++)
      mean_yr -= quadrature(mass_over_age, &m, h.knot_yr[k], h.knot_yr[k + 1]);
    if (!(fabs(mean_yr - sdn_sfh_mean_age_yr(&h)) <= TOL_MEAN_AGE * h.age_universe_yr))
      fail_msg("draw %d: mean age %.12g, by quadrature %.12g", i, sdn_sfh_mean_age_yr(&h), mean_yr);
  }
}

/* The same where the spline hardly bends, and the closed form gives way to a series: rates around the mean one, in small steps. */
static void straight_pieces_have_their_mean_age(void **state)
{
  (void)state;
  const double tolerance = 1e-12, oldest_yr = 1e10;   /* of the age of the Universe; smooth pieces, so quadrature reaches 1e-14 */
  const double t[3] = {0.3, 0.4, 0.6};
  for (double rate = 0.1; rate < 2.5; rate += 0.002) {
    const sdn_sfh h = dense(log10(rate / oldest_yr), t, oldest_yr);
    hat m = {&h, 0, 0};
    double mean_yr = oldest_yr;
    for (int k = 0; k + 1 < h.n_knot; k++) mean_yr -= quadrature(mass_over_age, &m, h.knot_yr[k], h.knot_yr[k + 1]);
    if (!(fabs(mean_yr - sdn_sfh_mean_age_yr(&h)) <= tolerance * oldest_yr))
      fail_msg("rate %g: mean age %.15g, quadrature %.15g", rate, sdn_sfh_mean_age_yr(&h), mean_yr);
  }
}

/* ------------------------------------------------------------------ double power law over all its range */

typedef struct power_law { double alpha, beta, shift, moment; } power_law;

/* psi t^(1+moment) over v = ln(t/tau), scaled. */
static double power_rate(double v, void *ctx)
{
  const power_law *p = ctx;
  const double c = p->alpha + p->beta;
  return v < 0 ? exp((1 + p->moment + p->beta) * v - p->shift) / (1 + exp(c * v)) : exp((1 + p->moment - p->alpha) * v - p->shift) / (1 + exp(-c * v));
}

static double power_integral(power_law *p, double v_end)
{
  double sum = 0;
  const double c = p->alpha + p->beta, low = fmin(v_end, 0) - 50 / (1 + p->beta);
  for (double v = low; v < v_end;) {   /* in pieces that resolve the turn-over */
    const double next = v < -40 / c ? -40 / c : v < 0 ? 0 : v < 40 / c ? 40 / c : v_end;
    const double end = fmin(next, v_end);
    sum += quadrature(power_rate, p, v, end);
    v = end;
  }
  return sum;
}

static void power_law_is_right_everywhere(void **state)
{
  (void)state;
  double worst = 0;
  for (int i = 0; i < 1000; i++) {
    sdn_rng rng = sdn_rng_at(7, SDN_STREAM_TEST, (uint64_t)i);
    const sdn_sfh h = draw(POWER_LAW, &rng);
    const double tau_yr = h.value[0], v_now = log(h.age_universe_yr / tau_yr), beta = h.value[2];
    power_law p = {h.value[1], beta, (1 + beta) * fmin(v_now, 0), 0};
    const double whole = power_integral(&p, v_now);
    for (int k = 0; k < 10; k++) {
      const double age_yr = h.age_universe_yr * pow(sdn_rng_uniform(&rng), 3), v = log((h.age_universe_yr - age_yr) / tau_yr);
      const double formed = power_integral(&p, v) / whole, difference = fabs(1 - sdn_sfh_mass_since(&h, age_yr) - formed);
      worst = fmax(worst, difference);
      if (!(difference <= TOL_CURVE))
        fail_msg("tau %g alpha %g beta %g T %g: %.12g formed %g yr ago, quadrature %.12g", tau_yr, p.alpha, beta, h.age_universe_yr,
                 1 - sdn_sfh_mass_since(&h, age_yr), age_yr, formed);
    }
    p.moment = 1;
    const double mean_yr = h.age_universe_yr - tau_yr * power_integral(&p, v_now) / whole;
    if (!(fabs(mean_yr - sdn_sfh_mean_age_yr(&h)) <= TOL_MEAN_AGE * h.age_universe_yr))
      fail_msg("tau %g alpha %g beta %g: mean age %.12g, quadrature %.12g", tau_yr, p.alpha, beta, sdn_sfh_mean_age_yr(&h), mean_yr);
  }
  print_message("double power law mass curve: worst difference %.1e\n", worst);
}

/* Weights by parts from the mass curve, as for the dense basis: here the program integrates the rate, so the two ways are independent. */
static void power_law_weights_agree(void **state)
{
  (void)state;
  double age_yr[N_AGE], weight[N_AGE], worst = 0;
  age_nodes(age_yr);
  for (int i = 0; i < 200; i++) {
    sdn_rng rng = sdn_rng_at(8, SDN_STREAM_TEST, (uint64_t)i);
    const sdn_sfh h = draw(POWER_LAW, &rng);
    hat m = {&h, 0, 0};
    double before = 0;
    sdn_sfh_weights(&h, N_AGE, age_yr, weight);
    for (int k = 0; k + 1 < N_AGE; k++) {
      const double width = log(age_yr[k + 1] / age_yr[k]), turn_yr = h.age_universe_yr - h.value[0];
      double sum = 0;
      for (double a = age_yr[k]; a < age_yr[k + 1];) {
        double b = age_yr[k + 1];
        if (turn_yr > a) b = fmin(b, turn_yr);
        if (h.age_universe_yr > a) b = fmin(b, h.age_universe_yr);
        sum += quadrature(mass_over_ln_age, &m, log(a), log(b));
        a = b;
      }
      const double difference = fabs(weight[k] - (sum / width - before));
      worst = fmax(worst, difference);
      if (!(difference <= TOL_WEIGHT))
        fail_msg("tau %g alpha %g beta %g node %d: weight %.12g, quadrature %.12g", h.value[0], h.value[1], h.value[2], k, weight[k],
                 sum / width - before);
      before = sum / width;
    }
  }
  print_message("double power law weights: worst difference %.1e\n", worst);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(weights_conserve_mass), cmocka_unit_test(mass_never_falls), cmocka_unit_test(formation_ages_come_back),
    cmocka_unit_test(dense_basis_means_what_it_says), cmocka_unit_test(dense_weights_agree), cmocka_unit_test(dense_mean_age_agrees),
    cmocka_unit_test(straight_pieces_have_their_mean_age),
    cmocka_unit_test(power_law_is_right_everywhere), cmocka_unit_test(power_law_weights_agree),
  };
  return cmocka_run_group_tests_name("sfh properties", tests, setup, teardown);
}
