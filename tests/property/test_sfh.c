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

#include "support/sfh_families.h"

#define TOL_SUM 1e-12        /* what is promised; rounding of 110 terms leaves 1e-14 */
#define TOL_WEIGHT 1e-8      /* of the mass: what sfh.h promises */
#define TOL_CURVE 1e-9       /* cumulative mass against quadrature asked for 1e-11 */
#define TOL_AGE 4e-16        /* of an age: rounding, which the distance of two near knots suffers from */
#define TOL_MEAN_AGE 1e-8    /* of the age of the Universe */
#define N_AGE 110
#define N_DRAW 1500
#define N_QUADRATURE 200      /* draws per family that are integrated again */
#define MAX_CUT 256
enum { LOG_AGE, LINEAR_AGE, N_RULE };   /* in which the nodes' hats are linear */

static gsl_integration_workspace *work;
static double node_yr[N_AGE];
static sfh_built built[SFH_N_FAMILY];

static int setup(void **state)
{
  (void)state;
  gsl_set_error_handler_off();
  work = gsl_integration_workspace_alloc(5000);
  for (int i = 0; i < N_AGE; i++) node_yr[i] = pow(10, 5 + 5.3 * i / (N_AGE - 1));
  for (int f = 0; f < SFH_N_FAMILY; f++) built[f] = sfh_build(sfh_families[f].yaml);
  return work ? 0 : -1;
}

static int teardown(void **state)
{
  (void)state;
  for (int f = 0; f < SFH_N_FAMILY; f++) sfh_unbuild(&built[f]);
  gsl_integration_workspace_free(work);
  return 0;
}

/* The parts of a sum have the rule, too. */
static void set_linear_age(sdn_sfh *h, bool linear_age)
{
  h->linear_age = linear_age;
  for (int i = 0; i < h->n_part; i++) set_linear_age((sdn_sfh *)(uintptr_t)&h->part[i], linear_age);
}

static sdn_sfh draw(int f, int test, int i, sdn_rng *rng)
{
  *rng = sdn_rng_at((uint64_t)test, SDN_STREAM_TEST, (uint64_t)(f * N_DRAW + i));
  return sfh_draw(f, &built[f], rng);
}

/* ------------------------------------------------------------------ quadrature */

typedef struct span { const sdn_sfh *h; double limit_yr; } span;

static double mass_over_ln_age(double ln_age, void *ctx)
{
  const span *s = ctx;
  return sdn_sfh_mass_since(s->h, fmin(exp(ln_age), s->limit_yr));
}

static double young_mass_over_age(double age_yr, void *ctx)
{
  const span *s = ctx;
  return sdn_sfh_mass_since(s->h, fmin(age_yr, s->limit_yr));
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

/* Mean over ln age, or over age, between two ages of the mass of stars younger than the limit. */
static double mean_mass(span *s, const cuts *c, double young_yr, double old_yr)
{
  double sum = 0;
  for (double a = young_yr; a < old_yr;) {
    const double b = next_cut(c, a, old_yr);
    sum += s->h->linear_age ? quadrature(young_mass_over_age, s, a, b) : quadrature(mass_over_ln_age, s, log(a), log(b));
    a = b;
  }
  return sum / (s->h->linear_age ? old_yr - young_yr : log(old_yr / young_yr));
}

/* ------------------------------------------------------------------ tests */

static void weights_conserve_mass(void **state)
{
  (void)state;
  double weight[N_AGE];
  sdn_rng rng;
  for (int f = 0; f < SFH_N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      sdn_sfh h = draw(f, 1, i, &rng);
      set_linear_age(&h, i % N_RULE == LINEAR_AGE);
      double sum = 0, mean_yr = 0;
      sdn_sfh_weights(&h, N_AGE, node_yr, weight);
      for (int k = 0; k < N_AGE; k++) {
        if (!(weight[k] >= 0)) fail_msg("%s draw %d: weight %d is %g", sfh_families[f].yaml, i, k, weight[k]);
        if (k > 0 && node_yr[k - 1] > h.age_universe_yr && weight[k] != 0) fail_msg("%s draw %d: stars older than the Universe", sfh_families[f].yaml, i);
        sum += weight[k];
        mean_yr += weight[k] * node_yr[k];
      }
      if (!(fabs(sum - 1) <= TOL_SUM)) fail_msg("%s draw %d: weights sum to 1 + %g", sfh_families[f].yaml, i, sum - 1);
      /* hats in ln a lie above a straight line in a: their mean age is the true one within a bin's curvature, (ln 10 * 0.0486)^2 / 8; hats in a have it exactly */
      const double bias = h.linear_age ? TOL_WEIGHT * node_yr[N_AGE - 1] / sdn_sfh_mean_age_yr(&h) : 0.0016, young_yr = 1e5;
      if (!(fabs(mean_yr / (sdn_sfh_mean_age_yr(&h) + young_yr) - 1) <= bias + young_yr / sdn_sfh_mean_age_yr(&h)))
        fail_msg("%s draw %d: mean age of weights %g, of the history %g", sfh_families[f].yaml, i, mean_yr, sdn_sfh_mean_age_yr(&h));
    }
}

static void young_weights_conserve_mass(void **state)
{
  (void)state;
  double weight[N_AGE], whole[N_AGE];
  sdn_rng rng;
  for (int f = 0; f < SFH_N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      sdn_sfh h = draw(f, 2, i, &rng);
      set_linear_age(&h, i % N_RULE == LINEAR_AGE);
      const double limit_yr = sfh_log_between(&rng, 4, 10.5), mass = sdn_sfh_mass_since(&h, limit_yr);
      double sum = 0;
      sdn_sfh_weights(&h, N_AGE, node_yr, whole);
      sdn_sfh_weights_since(&h, limit_yr, N_AGE, node_yr, weight);
      for (int k = 0; k < N_AGE; k++) {
        if (!(weight[k] >= 0 && weight[k] <= whole[k] + TOL_WEIGHT)) fail_msg("%s draw %d: %g of weight %d, %g, is young", sfh_families[f].yaml, i, weight[k], k, whole[k]);
        if (k > 0 && node_yr[k - 1] >= limit_yr && weight[k] != 0) fail_msg("%s draw %d: node %d is older than %g", sfh_families[f].yaml, i, k, limit_yr);
        if (k < N_AGE - 1 && node_yr[k + 1] <= limit_yr && !(fabs(weight[k] - whole[k]) <= TOL_WEIGHT))
          fail_msg("%s draw %d: node %d is younger than %g but has %g of %g", sfh_families[f].yaml, i, k, limit_yr, weight[k], whole[k]);
        sum += weight[k];
      }
      if (!(fabs(sum - mass) <= TOL_SUM)) fail_msg("%s draw %d: young weights sum to %.15g, not %.15g", sfh_families[f].yaml, i, sum, mass);
    }
}

static void mass_never_falls(void **state)
{
  (void)state;
  const double rounding = 4e-15;
  sdn_rng rng;
  for (int f = 0; f < SFH_N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      const sdn_sfh h = draw(f, 3, i, &rng);
      double before = 0;
      for (int k = 0; k <= 60; k++) {
        const double age_yr = h.age_universe_yr * pow(10, -5 + 5.0 * k / 60), mass = sdn_sfh_mass_since(&h, age_yr), rate = sdn_sfh_rate(&h, age_yr);
        if (!(mass >= before - rounding && mass <= 1)) fail_msg("%s draw %d: mass %.17g after %.17g", sfh_families[f].yaml, i, mass, before);
        if (!(rate >= 0 && isfinite(rate))) fail_msg("%s draw %d: rate %g at %g yr", sfh_families[f].yaml, i, rate, age_yr);
        before = mass;
      }
      if (!(before == 1)) fail_msg("%s draw %d: %.17g of the mass formed", sfh_families[f].yaml, i, before);
    }
}

static void formation_ages_come_back(void **state)
{
  (void)state;
  sdn_rng rng;
  for (int f = 0; f < SFH_N_FAMILY; f++)
    for (int i = 0; i < N_DRAW; i++) {
      const sdn_sfh h = draw(f, 4, i, &rng);
      const double fraction = sdn_rng_uniform(&rng), age_yr = sdn_sfh_age_of_fraction(&h, fraction), target = 1 - fraction;
      const double step = 1e-10 * age_yr;   /* the promise: within 1e-10 of the age, unless the mass stands still there */
      const bool found = sdn_sfh_mass_since(&h, age_yr - step) <= target + 1e-14 && sdn_sfh_mass_since(&h, age_yr + step) >= target - 1e-14;
      if (!found) fail_msg("%s draw %d: age %.17g yr for fraction %.17g, mass %.17g", sfh_families[f].yaml, i, age_yr, fraction, sdn_sfh_mass_since(&h, age_yr));
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
  for (int f = 0; f < SFH_N_FAMILY; f++)
    for (int i = 0; i < N_QUADRATURE && !sfh_families[f].steps; i++) {
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
        if (!(fabs(mass - expected) <= curve_tolerance(&h))) fail_msg("%s draw %d: mass since %g yr is %.12g, integral of the rate %.12g", sfh_families[f].yaml, i, b, expected, mass);
        a = b;
      }
      if (!(fabs(mean_yr - sdn_sfh_mean_age_yr(&h)) <= TOL_MEAN_AGE * h.age_universe_yr))
        fail_msg("%s draw %d: mean age %.12g, by quadrature %.12g", sfh_families[f].yaml, i, sdn_sfh_mean_age_yr(&h), mean_yr);
    }
  print_message("mass beside the integral of the rate: worst difference %.1e\n", worst);
}

/* Weights by parts from the mass curve, which is the families' closed form. */
static void weights_agree(void **state)
{
  (void)state;
  double weight[N_AGE], worst_of_all = 0;
  sdn_rng rng;
  for (int f = 0; f < SFH_N_FAMILY; f++) {
    double worst[N_RULE] = {0};
    for (int i = 0; i < 2 * N_QUADRATURE; i++) {   /* each draw under both rules */
      sdn_sfh h = draw(f, 6, i / N_RULE, &rng);
      set_linear_age(&h, i % N_RULE == LINEAR_AGE);
      const double limit_yr = i / N_RULE % 2 ? INFINITY : sfh_log_between(&rng, 5, 10.2);
      span s = {&h, limit_yr};
      cuts c;
      double before = 0;
      find_cuts(&h, limit_yr, &c);
      sdn_sfh_weights_since(&h, limit_yr, N_AGE, node_yr, weight);
      for (int k = 0; k + 1 < N_AGE; k++) {
        const double mean = mean_mass(&s, &c, node_yr[k], node_yr[k + 1]), difference = fabs(weight[k] - (mean - before));
        worst[i % N_RULE] = fmax(worst[i % N_RULE], difference);
        if (!(difference <= TOL_WEIGHT))
          fail_msg("%s rule and draw %d limit %g node %d (%g yr): weight %.12g, quadrature %.12g", sfh_families[f].yaml, i, limit_yr, k, node_yr[k], weight[k], mean - before);
        before = mean;
      }
    }
    print_message("%.1e (log age) %.1e (age)  %.90s\n", worst[LOG_AGE], worst[LINEAR_AGE], sfh_families[f].yaml);
    worst_of_all = fmax(fmax(worst[LOG_AGE], worst[LINEAR_AGE]), worst_of_all);
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
