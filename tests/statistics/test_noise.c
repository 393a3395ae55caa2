/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The noise that a survey draws, against the distributions that it promises (GSL's), and against its own likelihood. The draws are fixed by their seed, so
 * these tests pass or fail for good; their limits are those that chance would exceed in one test of a thousand or less. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_cdf.h>

#include "base/random.h"
#include "survey/survey.h"

#define N_ROW 40000
#define N_BAND 4
#define N_SIGMA 4.0       /* standard errors: 6e-5 two-sided */
#define KS_LIMIT 1.95     /* sqrt(n) D: exceeded once in a thousand (Kolmogorov 1933) */

static float mu[N_ROW * N_BAND], f[N_ROW * N_BAND], e[N_ROW * N_BAND];

static sdn_survey *parse(const char *yaml)
{
  sdn_err err;
  sdn_survey *s = NULL;
  if (sdn_survey_parse(yaml, "test.yaml", &s, &err)) fail_msg("%s", err.text);
  return s;
}

static sdn_survey *draw(const char *yaml)
{
  sdn_err err;
  sdn_survey *s = parse(yaml);
  if (sdn_survey_draw(s, N_ROW, mu, 3, SDN_STREAM_TEST, 0, f, e, &err)) fail_msg("%s", err.text);
  return s;
}

static void set_truth(const float *row)
{
  for (int i = 0; i < N_ROW; i++) memcpy(mu + N_BAND * i, row, N_BAND * sizeof *row);
}

static int compare(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* sqrt(n) times the largest distance of the sample's distribution from uniform; sorts u. */
static double kolmogorov(double *u, int n)
{
  double largest = 0;
  qsort(u, (size_t)n, sizeof *u, compare);
  for (int i = 0; i < n; i++) largest = fmax(largest, fmax((i + 1.0) / n - u[i], u[i] - (double)i / n));
  return sqrt(n) * largest;
}

#define BANDS "bands:\n  - {name: A, filter: a, sigma_njy: {low: 1, high: 8}}\n  - {name: B, filter: b, sigma_njy: {low: 0.5, high: 10}}\n" \
              "  - {name: C, filter: c, sigma_njy: 2}\n  - {name: D, filter: d, sigma_njy: {quantiles: [1, 2, 3, 9]}}\n"
static const float truth[N_BAND] = {3, 500, 20, 40};

/* (f - mu) / s is a standard normal, s^2 = sigma^2 + (0.02 mu)^2 + 0.3 mu. */
static void test_residuals(void **state)
{
  (void)state;
  static double u[N_ROW];
  set_truth(truth);
  sdn_survey *s = draw("name: T\nflux_unit: nJy\nfloor_fraction: 0.02\npoisson_njy: 0.3\n" BANDS);
  for (int b = 0; b < N_BAND; b++) {
    double sum_squares = 0;
    for (int i = 0; i < N_ROW; i++) {
      const double m = truth[b], sigma = e[N_BAND * i + b], scale = sqrt(sigma * sigma + 4e-4 * m * m + 0.3 * m), x = (f[N_BAND * i + b] - m) / scale;
      u[i] = gsl_cdf_ugaussian_P(x);
      sum_squares += x * x;
    }
    assert_true(kolmogorov(u, N_ROW) < KS_LIMIT);
    assert_true(fabs(sum_squares / N_ROW - 1) < N_SIGMA * sqrt(2.0 / N_ROW));
  }
  sdn_survey_free(s);
}

/* Rank of a background error in its band's distribution, from the definition. */
static double rank_of(int band, double sigma)
{
  static const double quantile[] = {1, 2, 3, 9};
  if (band == 0) return log(sigma / 1) / log(8.0);
  if (band == 1) return log(sigma / 0.5) / log(20.0);
  int i = 0;
  while (i < 2 && sigma > quantile[i + 1]) i++;
  return (i + log(sigma / quantile[i]) / log(quantile[i + 1] / quantile[i])) / 3;
}

/* Each band's ranks are uniform, and normal scores of two bands correlate as sigma_correlation says. */
static void test_background_errors(void **state)
{
  (void)state;
  static double u[N_ROW], score[N_BAND][N_ROW];
  const double rho = 0.6;
  set_truth(truth);
  sdn_survey *s = draw("name: T\nflux_unit: nJy\nsigma_correlation: 0.6\n" BANDS);
  for (int b = 0; b < N_BAND; b++) {
    for (int i = 0; i < N_ROW; i++) {
      if (b == 2) assert_true(e[N_BAND * i + b] == 2.0f);
      u[i] = fmin(fmax(rank_of(b, e[N_BAND * i + b]), 1e-6), 1 - 1e-6);
      score[b][i] = gsl_cdf_ugaussian_Pinv(u[i]);
    }
    if (b == 2) continue;
    double sum_squares = 0;
    for (int i = 0; i < N_ROW; i++) sum_squares += score[b][i] * score[b][i];
    assert_true(fabs(sum_squares / N_ROW - 1) < N_SIGMA * sqrt(2.0 / N_ROW));
    assert_true(kolmogorov(u, N_ROW) < KS_LIMIT);
  }
  static const int pair[][2] = {{0, 1}, {0, 3}, {1, 3}};
  for (int p = 0; p < 3; p++) {
    double sum = 0;
    for (int i = 0; i < N_ROW; i++) sum += score[pair[p][0]][i] * score[pair[p][1]][i];
    assert_true(fabs(sum / N_ROW - rho) < N_SIGMA * sqrt((1 + rho * rho) / N_ROW));   /* variance of a product of correlated normals */
  }
  sdn_survey_free(s);
}

static void assert_fraction(long n, double expected)
{
  const double limit = N_SIGMA * sqrt(expected * (1 - expected) / N_ROW), found = (double)n / N_ROW;
  if (!(fabs(found - expected) < limit)) fail_msg("a fraction of %.4f is %.4f", expected, found);
}

/* Patterns exclude one another; then drops; the last band standing is any of those that the pattern leaves. */
static void test_missing_bands(void **state)
{
  (void)state;
  long n_missing[N_BAND] = {0}, n_ab = 0, n_alone[N_BAND] = {0}, n_full = 0;
  const double d = 0.3, p_ab = 0.2, p_d = 0.1, p_none = 1 - p_ab - p_d;
  set_truth(truth);
  sdn_survey *s = draw("name: T\nflux_unit: nJy\nmissing: {drop_fraction: 0.3, patterns: [{fraction: 0.2, bands: [A, B]}, {fraction: 0.1, bands: [D]}]}\n" BANDS);
  for (int i = 0; i < N_ROW; i++) {
    const float *row = f + N_BAND * i;
    int n_left = 0;
    for (int b = 0; b < N_BAND; b++) {
      n_missing[b] += isnan(row[b]) != 0;
      n_left += !isnan(row[b]);
    }
    n_ab += isnan(row[0]) && isnan(row[1]);
    n_full += n_left == N_BAND;
    for (int b = 0; b < N_BAND && n_left == 1; b++) n_alone[b] += !isnan(row[b]);
  }
  assert_fraction(n_full, p_none * pow(1 - d, 4));
  /* A is lost by its pattern or a drop, but stands again in 1/4 (1/3) of the cases where all 4 (3) bands were dropped. */
  const double lost_a = p_ab + p_none * (d - pow(d, 4) / 4) + p_d * (d - pow(d, 3) / 3);
  assert_fraction(n_missing[0], lost_a);
  assert_fraction(n_missing[1], lost_a);
  assert_fraction(n_missing[2], p_none * (d - pow(d, 4) / 4) + p_d * (d - pow(d, 3) / 3) + p_ab * (d - d * d / 2));
  assert_fraction(n_missing[3], p_d + p_none * (d - pow(d, 4) / 4) + p_ab * (d - d * d / 2));
  assert_fraction(n_ab, p_ab + p_none * (d * d - pow(d, 4) / 2) + p_d * (d * d - 2 * pow(d, 3) / 3));
  const double alone = p_none * (pow(d, 3) * (1 - d) + pow(d, 4) / 4);
  assert_fraction(n_alone[0], alone + p_d * (d * d * (1 - d) + pow(d, 3) / 3));
  sdn_survey_free(s);
}

/* The mean of p(data | other) / p(data | mu) over data drawn at mu is 1 if and only if the likelihood is the density of the draws (for every `other`): the
 * very statement that networks, importance weights and evidence rest on. `other` is a fraction of a sigma away, so that the mean's own error is small. */
static void check_likelihood_of_draws(const char *column)
{
  char yaml[1024];
  static const float other[] = {2.5f, 505, 20.5f, 39.5f, 3.5f, 495, 19, 41, 3, 500, 20, 41.5f};
  float both[4 * N_BAND];
  double sum[3] = {0}, sum_squares[3] = {0};
  sdn_err err;
  set_truth(truth);
  snprintf(yaml, sizeof yaml, "name: T\nflux_unit: nJy\nfloor_fraction: 0.02\npoisson_njy: 0.05\n%s" BANDS, column);
  sdn_survey *s = draw(yaml);
  memcpy(both, truth, sizeof truth);
  memcpy(both + N_BAND, other, sizeof other);
  for (int i = 0; i < N_ROW; i++) {
    double ln_like[4];
    if (sdn_survey_ln_likelihood(s, f + N_BAND * i, e + N_BAND * i, 4, both, ln_like, &err)) fail_msg("%s", err.text);
    for (int k = 0; k < 3; k++) {
      const double ratio = exp(ln_like[k + 1] - ln_like[0]);
      sum[k] += ratio;
      sum_squares[k] += ratio * ratio;
    }
  }
  for (int k = 0; k < 3; k++) {
    const double mean = sum[k] / N_ROW, error = sqrt((sum_squares[k] / N_ROW - mean * mean) / N_ROW);
    assert_true(error < 0.02);
    if (!(fabs(mean - 1) < N_SIGMA * error)) fail_msg("%s mean likelihood ratio %d is %.4f +- %.4f", column, k, mean, error);
  }
  sdn_survey_free(s);
}

static void test_likelihood_none(void **state) { (void)state, check_likelihood_of_draws("missing: {drop_fraction: 0.2}\n"); }
static void test_likelihood_quadrature(void **state) { (void)state, check_likelihood_of_draws("error_column: quadrature\ncolumn_floor_fraction: 0.05\n"); }
static void test_likelihood_max(void **state) { (void)state, check_likelihood_of_draws("error_column: max\ncolumn_floor_fraction: 0.05\n"); }

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_residuals),       cmocka_unit_test(test_background_errors),     cmocka_unit_test(test_missing_bands),
    cmocka_unit_test(test_likelihood_none), cmocka_unit_test(test_likelihood_quadrature), cmocka_unit_test(test_likelihood_max),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
