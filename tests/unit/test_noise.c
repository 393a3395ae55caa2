/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The draw and the likelihood of a survey's noise: exact identities, and the likelihood against plain formulas (GSL's Gaussian) and against
 * quadratures written here from the definition of the noise model, without the library's tables. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>
#include <gsl/gsl_randist.h>

#include "base/random.h"
#include "survey/survey.h"
#include "survey/units.h"

#define N_ROW 2000
#define GAUSSIAN_ERROR 1e-11   /* of ln p: a few dozen roundings of numbers of order 100 */
#define CENSORED_ERROR 1e-4    /* of differences of ln p between models, times 10 + |ln p|: sigma0(t) is a table of linear pieces, 1e-4 each (survey/sigma.h) */
#define CONSTANT_ERROR 1.5e-2  /* of ln p, per known sigma0: its density is the slope of such a piece, half a step (1/128) times (ln sigma0(t))''/' <= 2 */

static sdn_survey *parse(const char *yaml)
{
  sdn_err err;
  sdn_survey *s = NULL;
  if (sdn_survey_parse(yaml, "test.yaml", &s, &err)) fail_msg("%s", err.text);
  return s;
}

static void assert_near(double value, double expected, double tolerance)
{
  if (!(fabs(value - expected) <= tolerance)) fail_msg("%.10g is not %.10g", value, expected);
}

#define BANDS "bands:\n  - {name: A, filter: a, sigma_njy: {low: 1, high: 8}}\n  - {name: B, filter: b, sigma_njy: {low: 0.5, high: 10}}\n" \
              "  - {name: C, filter: c, sigma_njy: 2}\n"
#define N_BAND 3

/* fluxes from far below the noise to far above */
static void make_truth(float *mu)
{
  for (int i = 0; i < N_ROW; i++)
    for (int b = 0; b < N_BAND; b++) mu[N_BAND * i + b] = (float)(0.1 * pow(1e5, (double)i / N_ROW) * (b + 1));
}

static void draw(const char *yaml, const float *mu, float *f, float *e)
{
  sdn_err err;
  sdn_survey *s = parse(yaml);
  if (sdn_survey_draw(s, N_ROW, mu, 11, SDN_STREAM_TEST, 0, f, e, &err)) fail_msg("%s", err.text);
  sdn_survey_free(s);
}

#define MODE(column) "name: T\nflux_unit: nJy\nfloor_fraction: 0.02\n" column BANDS

/* The same random numbers observe the same fluxes; only the listed errors differ, as the definition says. */
static void test_error_columns(void **state)
{
  (void)state;
  static float mu[N_ROW * N_BAND], f[3][N_ROW * N_BAND], e[3][N_ROW * N_BAND];
  make_truth(mu);
  draw(MODE(""), mu, f[0], e[0]);
  draw(MODE("error_column: quadrature\ncolumn_floor_fraction: 0.05\n"), mu, f[1], e[1]);
  draw(MODE("error_column: max\ncolumn_floor_fraction: 0.05\n"), mu, f[2], e[2]);
  assert_memory_equal(f[0], f[1], sizeof f[0]);
  assert_memory_equal(f[0], f[2], sizeof f[0]);
  long n_floor = 0;
  for (int i = 0; i < N_ROW * N_BAND; i++) {
    const double floor = 0.05 * fabs((double)f[0][i]), sigma0 = e[0][i];
    assert_near(e[1][i], sqrt(sigma0 * sigma0 + floor * floor), 1e-7 * e[1][i]);
    assert_near(e[2][i], fmax(sigma0, floor), 1e-7 * e[2][i]);
    n_floor += floor > sigma0;
    const double low[] = {1, 0.5, 2}, high[] = {8, 10, 2};
    assert_true(sigma0 >= low[i % N_BAND] && sigma0 <= high[i % N_BAND]);
  }
  assert_true(n_floor > N_ROW / 2 && n_floor < N_ROW * N_BAND - N_ROW / 2);   /* both cases were there */
}

/* A row's numbers belong to (seed, stream, row), whatever is drawn together. */
static void test_named_numbers(void **state)
{
  (void)state;
  static float mu[N_ROW * N_BAND], f[N_ROW * N_BAND], e[N_ROW * N_BAND];
  sdn_err err;
  make_truth(mu);
  sdn_survey *s = parse("name: T\nflux_unit: nJy\nmissing: {drop_fraction: 0.3}\n" BANDS);
  assert_int_equal(sdn_survey_draw(s, N_ROW, mu, 5, SDN_STREAM_TEST, 1000, f, e, &err), SDN_OK);
  for (int i = 0; i < N_ROW; i += 37) {
    float one_f[N_BAND], one_e[N_BAND];
    assert_int_equal(sdn_survey_draw(s, 1, mu + N_BAND * i, 5, SDN_STREAM_TEST, 1000 + i, one_f, one_e, &err), SDN_OK);
    assert_memory_equal(one_f, f + N_BAND * i, sizeof one_f);
    assert_memory_equal(one_e, e + N_BAND * i, sizeof one_e);
    assert_int_equal(sdn_survey_draw(s, 1, mu + N_BAND * i, 6, SDN_STREAM_TEST, 1000 + i, one_f, one_e, &err), SDN_OK);
    assert_memory_not_equal(one_f, f + N_BAND * i, sizeof one_f);
    assert_int_equal(sdn_survey_draw(s, 1, mu + N_BAND * i, 5, SDN_STREAM_TEST + 1, 1000 + i, one_f, one_e, &err), SDN_OK);
    assert_memory_not_equal(one_f, f + N_BAND * i, sizeof one_f);
  }
  sdn_survey_free(s);
}

static void test_masks(void **state)
{
  (void)state;
  static float mu[N_ROW * N_BAND], f[N_ROW * N_BAND], e[N_ROW * N_BAND];
  make_truth(mu);
  draw("name: T\nflux_unit: nJy\nmissing: {drop_fraction: 0.9, patterns: [{fraction: 0.5, bands: [A, B]}]}\n" BANDS, mu, f, e);
  long n_lone = 0;
  for (int i = 0; i < N_ROW; i++) {
    int n_left = 0;
    for (int b = 0; b < N_BAND; b++) {
      const bool missing = isnan(f[N_BAND * i + b]) != 0;
      assert_true(missing == (isnan(e[N_BAND * i + b]) != 0));
      n_left += !missing;
    }
    assert_true(n_left >= 1);
    n_lone += n_left == 1;
  }
  assert_true(n_lone > N_ROW / 2);
}

static void test_bad_truth(void **state)
{
  (void)state;
  float mu[3 * N_BAND] = {1, 2, 3, 4, INFINITY, 6, 7, 8, NAN}, f[3 * N_BAND], e[3 * N_BAND];
  double ln_like[3];
  sdn_err err;
  sdn_survey *s = parse("name: T\nflux_unit: nJy\n" BANDS);
  assert_int_equal(sdn_survey_draw(s, 3, mu, 1, SDN_STREAM_TEST, 0, f, e, &err), SDN_NUMERIC);
  assert_int_equal(err.row, 1);
  f[0] = f[1] = f[2] = e[0] = e[1] = e[2] = 1;
  assert_int_equal(sdn_survey_ln_likelihood(s, f, e, 3, mu, ln_like, &err), SDN_NUMERIC);
  assert_int_equal(err.row, 1);
  mu[4] = 5;
  assert_int_equal(sdn_survey_ln_likelihood(s, f, e, 3, mu, ln_like, &err), SDN_NUMERIC);
  assert_int_equal(err.row, 2);
  sdn_survey_free(s);
}

static double ln_likelihood(const sdn_survey *s, const float *f, const float *e, const float *mu)
{
  sdn_err err;
  double ln_like;
  if (sdn_survey_ln_likelihood(s, f, e, 1, mu, &ln_like, &err)) fail_msg("%s", err.text);
  return ln_like;
}

/* ln N(f; mu, sqrt(sigma0^2 + (0.02 mu)^2 + 0.3 mu)) by GSL */
static double ln_gaussian(double f, double mu, double sigma0)
{
  return log(gsl_ran_gaussian_pdf(f - mu, sqrt(sigma0 * sigma0 + 4e-4 * mu * mu + 0.3 * fmax(mu, 0))));
}

static void test_plain_likelihood(void **state)
{
  (void)state;
  sdn_survey *s = parse("name: T\nflux_unit: nJy\nfloor_fraction: 0.02\npoisson_njy: 0.3\n" BANDS);
  const float f[] = {10, -3, 1000}, mu[] = {12.5f, 1, 1010}, deep[] = {1e-3f, 1e-2f, 50}, e[] = {2, 3, 2};
  assert_near(ln_likelihood(s, f, e, mu), ln_gaussian(10, 12.5, 2) + ln_gaussian(-3, 1, 3) + ln_gaussian(1000, 1010, 2), GAUSSIAN_ERROR);
  double expected = 0;   /* errors beyond the survey's range are taken as they are */
  for (int b = 0; b < N_BAND; b++) expected += ln_gaussian(f[b], mu[b], deep[b]);
  assert_near(ln_likelihood(s, f, deep, mu), expected, GAUSSIAN_ERROR);
  const float nothing[] = {NAN, NAN, NAN}, gap[] = {10, NAN, 1000}, bad[] = {2, 3, 0};
  assert_near(ln_likelihood(s, nothing, nothing, mu), 0, 0);
  assert_near(ln_likelihood(s, gap, e, mu), ln_gaussian(10, 12.5, 2) + ln_gaussian(1000, 1010, 2), GAUSSIAN_ERROR);
  assert_near(ln_likelihood(s, f, bad, mu), ln_gaussian(10, 12.5, 2) + ln_gaussian(-3, 1, 3), GAUSSIAN_ERROR);
  sdn_survey_free(s);
}

static void test_quadrature_likelihood(void **state)
{
  (void)state;
  sdn_survey *s = parse("name: T\nflux_unit: nJy\nfloor_fraction: 0.02\npoisson_njy: 0.3\nerror_column: quadrature\ncolumn_floor_fraction: 0.05\n" BANDS);
  const float f[] = {10, -3, 1000}, mu[] = {12.5f, 1, 1010}, e[] = {(float)sqrt(4 + 0.25), (float)sqrt(9 + 0.0225), 50};
  assert_near(ln_likelihood(s, f, e, mu), ln_gaussian(10, 12.5, 2) + ln_gaussian(-3, 1, 3) + ln_gaussian(1000, 1010, 2), 1e-6);   /* float32 columns */
  assert_near(sdn_survey_background_sigma(s, 1, 1000, 50), 0.5, 0);   /* lost in rounding: the least of the range */
  assert_near(sdn_survey_background_sigma(s, 1, 1000, 10), 0.5, 0);   /* impossible */
  assert_near(sdn_survey_background_sigma(s, 1, 10, sqrt(0.25 + 0.01)), 0.1, 1e-12);   /* deeper than the range, and well known */
  sdn_survey_free(s);
}

/* ------------------------------------------------------------------ error_column: max */

#define MAX_BAND 12
#define N_G 321     /* nodes of the tests' own quadratures, trapezoid in g, midpoint in t */
#define N_T 1500

/* A survey of n equal bands, sigma0 log-uniform, and one galaxy. */
typedef struct censored_case {
  int n;
  double low, high, rho;
  double f[MAX_BAND], sigma[MAX_BAND], mu[MAX_BAND];
} censored_case;

static double phi(double x) { return gsl_ran_ugaussian_pdf(x); }

/* int_{t < T} dt N(t; sqrt(rho) g, 1 - rho) N(f; mu, s(sigma0(t))), or the integrand's value times |dt/dsigma| where sigma0 is known */
static double band_given_g(const censored_case *c, int b, double g)
{
  const double own = sqrt(1 - c->rho), center = sqrt(c->rho) * g, floor = 0.05 * fabs(c->f[b]), span = log(c->high / c->low);
  if (c->sigma[b] > 1.001 * floor) {
    const double t = gsl_cdf_ugaussian_Pinv(log(c->sigma[b] / c->low) / span);
    return phi((t - center) / own) / own / (c->sigma[b] * span * phi(t)) * exp(ln_gaussian(c->f[b], c->mu[b], c->sigma[b]));
  }
  const double top = floor >= c->high ? 8 : gsl_cdf_ugaussian_Pinv(log(floor / c->low) / span);
  double sum = 0;
  for (int i = 0; i < N_T; i++) {   /* t = top - (top + 8) u^2, dense where a misfit piles the integrand up */
    const double u = (i + 0.5) / N_T, t = top - (top + 8) * u * u, sigma0 = c->low * exp(span * gsl_cdf_ugaussian_P(t));
    sum += 2 * u * phi((t - center) / own) / own * exp(ln_gaussian(c->f[b], c->mu[b], sigma0));
  }
  return sum * (top + 8) / N_T;
}

static double ln_reference(const censored_case *c)
{
  double sum = 0;
  for (int k = 0; k < N_G; k++) {
    const double g = -8 + 16.0 * k / (N_G - 1);
    double product = phi(g) * 16 / (N_G - 1);
    for (int b = 0; b < c->n && product > 0; b++) product *= band_given_g(c, b, g);
    sum += product;
  }
  return log(sum);
}

static sdn_survey *survey_of(const censored_case *c)
{
  char yaml[2048];
  int used = snprintf(yaml, sizeof yaml, "name: T\nflux_unit: nJy\nfloor_fraction: 0.02\npoisson_njy: 0.3\nerror_column: max\ncolumn_floor_fraction: 0.05\n"
                      "sigma_correlation: %g\nbands:\n", c->rho);
  for (int b = 0; b < c->n; b++)
    used += snprintf(yaml + used, sizeof yaml - (size_t)used, "  - {name: B%d, filter: x, sigma_njy: {low: %g, high: %g}}\n", b, c->low, c->high);
  return parse(yaml);
}

static double ln_computed(const censored_case *c)
{
  float f[MAX_BAND], e[MAX_BAND], mu[MAX_BAND];
  for (int b = 0; b < c->n; b++) {
    f[b] = (float)c->f[b];
    e[b] = (float)c->sigma[b];
    mu[b] = (float)c->mu[b];
  }
  sdn_survey *s = survey_of(c);
  const double ln_like = ln_likelihood(s, f, e, mu);
  sdn_survey_free(s);
  return ln_like;
}

static void test_censored(void **state)
{
  (void)state;
  const censored_case cases[] = {
    {1, 1, 8, 0.8, {80}, {4}, {80}},                                             /* one band at the floor */
    {1, 1, 8, 0.8, {80}, {4}, {100}},                                            /* and misfitting by ten sigma */
    {1, 1, 8, 0.8, {40}, {5}, {41}},                                             /* a known sigma0 */
    {2, 1, 8, 0.8, {80, 40}, {4, 5}, {82, 41}},                                  /* one of each: the known one tells of the other */
    {2, 1, 8, 0.8, {80, 24}, {4, 1.3}, {85, 24}},
    {2, 1, 8, 0.0, {80, 60}, {4, 3}, {82, 55}},                                  /* independent bands */
    {3, 1, 8, 0.95, {30, 60, 400}, {1.5, 3, 20}, {31, 66, 380}},                 /* strongly joined; the last floor is above the whole range */
    {4, 0.5, 50, 0.8, {-80, 300, 100, 200}, {4, 15, 5, 10}, {-40, 310, 100, 150}}, /* a negative flux; misfits that ask for large sigma0 */
    {12, 1, 8, 0.8, {60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60, 60}, {3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3, 3},
     {60, 61, 62, 63, 64, 65, 66, 67, 60, 59, 58, 57}},                          /* many bands: a narrow integrand in g */
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    censored_case other = cases[i];
    for (int b = 0; b < other.n; b++) other.mu[b] = cases[i].f[b] * (1 + 0.02 * b);
    const double computed = ln_computed(&cases[i]), expected = ln_reference(&cases[i]);
    const double table_error = CENSORED_ERROR * (10 + fabs(expected));
    if (!(fabs(computed - expected) <= table_error + other.n * CONSTANT_ERROR))
      fail_msg("case %zu: ln p = %.8f, and by quadrature %.8f", i, computed, expected);
    const double difference = computed - ln_computed(&other), expected_difference = expected - ln_reference(&other);
    if (!(fabs(difference - expected_difference) <= table_error))
      fail_msg("case %zu: ln p ratio %.8f, and by quadrature %.8f", i, difference, expected_difference);
  }
}

/* p(f, sigma | mu) of one band over all data: the area sigma > c |f| and the line sigma = c |f| hold probability 1. */
static void test_censored_is_normalised(void **state)
{
  (void)state;
  double total = 0;
  const double step = 0.5;
  for (double f = -20; f < 140; f += step) {
    censored_case c = {.n = 1, .low = 1, .high = 8, .rho = 0.6, .f = {f}, .mu = {60}};
    const double floor = 0.05 * fabs(f), first = fmax(floor, 1), width = log(8 / first) / 400;
    for (int i = 0; i < 400 && width > 0; i++) {
      c.sigma[0] = first * exp((i + 0.5) * width);
      total += step * c.sigma[0] * width * exp(ln_computed(&c));
    }
    if (floor <= 1) continue;
    c.sigma[0] = floor;
    total += step * exp(ln_computed(&c));
  }
  assert_near(total, 1, 2e-3);   /* 0.5 nJy steps of f, in which sigma = max(..) has a kink, and the table's linear pieces */
}

/* A constant band at the floor, an impossible error, a floor below the range; and models computed together are as each alone. */
static void test_censored_edges(void **state)
{
  (void)state;
  sdn_survey *s = parse("name: T\nflux_unit: nJy\nfloor_fraction: 0.02\npoisson_njy: 0.3\nerror_column: max\ncolumn_floor_fraction: 0.05\n" BANDS);
  const float mu[] = {1, 1, 110}, none[] = {NAN, NAN, 100}, at_floor[] = {NAN, NAN, 5}, above[] = {NAN, NAN, 7}, below[] = {NAN, NAN, 3};
  assert_near(ln_likelihood(s, none, at_floor, mu), ln_gaussian(100, 110, 2), GAUSSIAN_ERROR);
  assert_near(ln_likelihood(s, none, above, mu), ln_gaussian(100, 110, 7), GAUSSIAN_ERROR);
  assert_near(ln_likelihood(s, none, below, mu), ln_gaussian(100, 110, 3), GAUSSIAN_ERROR);
  const float f[] = {90, 10, 50}, e[] = {4.5f, 0.5f, 2.5f};   /* band B: 0.5 = the floor = the least sigma0, which is then known */
  float many[70 * N_BAND];
  double ln_like[70];
  sdn_err err;
  for (int i = 0; i < 70 * N_BAND; i++) many[i] = (float)(1 + 3 * i);
  assert_int_equal(sdn_survey_ln_likelihood(s, f, e, 70, many, ln_like, &err), SDN_OK);
  for (int i = 0; i < 70; i++) {
    assert_near(ln_like[i], ln_likelihood(s, f, e, many + N_BAND * i), 1e-12 * fabs(ln_like[i]));
    assert_true(isfinite(ln_like[i]));
  }
  sdn_survey_free(s);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_error_columns),         cmocka_unit_test(test_named_numbers),          cmocka_unit_test(test_masks),
    cmocka_unit_test(test_bad_truth),             cmocka_unit_test(test_plain_likelihood),       cmocka_unit_test(test_quadrature_likelihood),
    cmocka_unit_test(test_censored),              cmocka_unit_test(test_censored_is_normalised), cmocka_unit_test(test_censored_edges),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
