/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two families at the ends of their ranges: the dense basis has its quantiles where the parameters put them and ends with the star formation rate, however
 * near they are; the double power law has its mass however steep it is. */
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
#define TOL_CURVE 1e-9       /* cumulative mass of extreme power laws against quadrature asked for 1e-10 */
#define TOL_MEAN_AGE 1e-8    /* of the age of the Universe */
#define N_DRAW 3000

static gsl_integration_workspace *work;

static double between(sdn_rng *rng, double low, double high) { return low + (high - low) * sdn_rng_uniform(rng); }

/* Four gaps of a Dirichlet with weights alpha; small alpha makes them nearly coincide. */
static void draw_times(sdn_rng *rng, double alpha, double *t)
{
  double gap[4], sum = 0;
  for (int k = 0; k < 4; k++) sum += gap[k] = pow(sdn_rng_uniform(rng), 1 / alpha) + 1e-30;
  for (int k = 0; k < 3; k++) t[k] = (k ? t[k - 1] : 0) + gap[k] / sum;
}

enum { POWER_LAW, DENSE, N_FAMILY };
static sfh_built built[N_FAMILY];

static void set_dense(double log_ssfr, const double *t)
{
  sfh_set(&built[DENSE], "log_sfr_msun_per_yr", 10 + log_ssfr);
  sfh_set(&built[DENSE], "t25", t[0]);
  sfh_set(&built[DENSE], "t50", t[1]);
  sfh_set(&built[DENSE], "t75", t[2]);
}

/* Parameters from the whole of what a prior might give. */
static sdn_sfh draw(int family, sdn_rng *rng)
{
  sfh_built *b = &built[family];
  double value[3];
  const double oldest_yr = pow(10, between(rng, 8.2, 10.14));
  if (family == POWER_LAW) {
    sfh_set(b, "tau_gyr", pow(10, between(rng, -1.5, 1.5)));
    sfh_set(b, "alpha", pow(10, between(rng, -2, 3)));
    sfh_set(b, "beta", pow(10, between(rng, -2, 3)));
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
  built[POWER_LAW] = sfh_build("{family: double_power_law, tau_gyr: 1, alpha: 1, beta: 1}");
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

static double quadrature(double (*f)(double, void *), void *ctx, double from, double to)
{
  double value, error;
  gsl_function g = {f, ctx};
  gsl_integration_qag(&g, from, to, 1e-13, 1e-11, 5000, GSL_INTEG_GAUSS21, work, &value, &error);
  return value;
}

static double mass_over_age(double age_yr, void *ctx)
{
  return sdn_sfh_mass_since(ctx, age_yr);
}

static void dense_mean_age_agrees(void **state)
{
  (void)state;
  for (int i = 0; i < 1000; i++) {
    sdn_rng rng = sdn_rng_at(6, SDN_STREAM_TEST, (uint64_t)i);
    const sdn_sfh h = draw(DENSE, &rng);
    double mean_yr = h.age_universe_yr;
    for (int k = 0; k + 1 < h.n_knot; k++)
      mean_yr -= quadrature(mass_over_age, (void *)(uintptr_t)&h, h.knot_yr[k], h.knot_yr[k + 1]);
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
    double mean_yr = oldest_yr;
    for (int k = 0; k + 1 < h.n_knot; k++) mean_yr -= quadrature(mass_over_age, (void *)(uintptr_t)&h, h.knot_yr[k], h.knot_yr[k + 1]);
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

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(dense_basis_means_what_it_says), cmocka_unit_test(dense_mean_age_agrees), cmocka_unit_test(straight_pieces_have_their_mean_age),
    cmocka_unit_test(power_law_is_right_everywhere),
  };
  return cmocka_run_group_tests_name("sfh extremes", tests, setup, teardown);
}
