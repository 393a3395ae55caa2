/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pixels of spectra: random pixels on random nodes against adaptive quadrature, what sharp pixels, flat spectra and lines give, flux that is neither lost nor
 * counted twice. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <gsl/gsl_integration.h>

#include "base/random.h"
#include "physics/filter.h"
#include "physics/pixel.h"

#define LIGHT_A_S 2.99792458e18
#define TOL_TAIL 2e-7        /* what lies beyond SDN_PIXEL_REACH, relative to the largest value in reach */
#define TOL_SHARP 2e-8       /* a pixel without smearing is an energy-counting top-hat; nodes 2e-6 of the wavelength apart leave 1e-16 / 2e-6 per width of 0.5 % */
#define TOL_FLOAT 1e-6       /* rounding of some weights to float32 */
#define TOL_SERIES 1e-9      /* Phi(u + s) at the largest s */
#define MAX_NODE 3000

static double between(sdn_rng *rng, double low, double high) { return low + (high - low) * sdn_rng_uniform(rng); }
static double normal_cdf(double u) { return 0.5 * erfc(-u * sqrt(0.5)); }

static sdn_pixel pixel(double low_A, double high_A, double sigma_A)
{
  sdn_pixel p;
  assert_true(sdn_pixel_set(&p, low_A, high_A, sigma_A));
  return p;
}

/* K of pixel.h, by the C library. */
static double kernel(const sdn_pixel *p, double s, double w)
{
  return normal_cdf(log(w / p->low_A) / s) - normal_cdf(log(w / p->high_A) / s);
}

typedef struct piece { const sdn_pixel *p; double s, wa, fa, wb, fb; } piece;

static double integrand(double w, void *ctx)
{
  const piece *q = ctx;
  const double f = q->fa + (q->fb - q->fa) * (w - q->wa) / (q->wb - q->wa);
  return f * kernel(q->p, q->s, w) / (w * w);
}

/* Between every pair of nodes, and in steps of s: Gauss-Kronrod with 61 points is then exact to rounding. */
static double by_quadrature(const sdn_pixel *p, double sigma_ln, double stretch, int n, const double *wave_A, const double *f)
{
  const double s = sqrt(p->sigma_ln * p->sigma_ln + sigma_ln * sigma_ln), reach = exp(8 * s);
  double sum = 0;
  for (int j = 0; j + 1 < n; j++) {
    piece q = {p, s, wave_A[j] * stretch, f[j], wave_A[j + 1] * stretch, f[j + 1]};
    const double from = fmax(q.wa, p->low_A / reach), to = fmin(q.wb, p->high_A * reach), step = p->center_A * s;
    for (double a = from; a < to; a += step) {
      double part, e, absolute, other;
      gsl_function g = {integrand, &q};
      gsl_integration_qk61(&g, a, fmin(a + step, to), &part, &e, &absolute, &other);
      sum += part;
    }
  }
  return sum / (1 / p->low_A - 1 / p->high_A);
}

static int random_nodes(sdn_rng *rng, double low_A, double high_A, double step_A, double *wave_A)
{
  int n = 0;
  wave_A[n++] = low_A - step_A;
  while (wave_A[n - 1] < high_A && n < MAX_NODE - 3) {
    wave_A[n] = wave_A[n - 1] + step_A * -log(sdn_rng_uniform(rng));
    n++;
    if (sdn_rng_uniform(rng) < 0.05) {   /* a jump */
      wave_A[n] = wave_A[n - 1];
      n++;
    }
  }
  wave_A[n++] = high_A + step_A;
  return n;
}

/* Narrow and wide pixels, sharp and smeared, nodes dense and sparse. */
static void integrals_are_exact(void **state)
{
  static double wave_A[MAX_NODE], f[MAX_NODE], weight[MAX_NODE];
  sdn_rng rng = sdn_rng_at(7, 1, 0);
  (void)state;
  for (int trial = 0; trial < 200; trial++) {
    const double center = pow(10, between(&rng, 3, 5)), width = pow(10, between(&rng, -4, -1)), s = pow(10, between(&rng, -4.5, -1.7));
    const double stretch = between(&rng, 1, 10), sigma_ln = trial % 2 ? s * sdn_rng_uniform(&rng) : 0;
    const sdn_pixel p = pixel(center * (1 - width / 2), center * (1 + width / 2), s * center);
    double low_A, high_A, sum = 0, largest = 0;
    int first, last;
    sdn_pixel_reach(&p, sigma_ln, &low_A, &high_A);
    const int n = random_nodes(&rng, 0.999 * low_A / stretch, 1.001 * high_A / stretch, (high_A - low_A) / stretch * pow(10, between(&rng, -2.3, 0.5)), wave_A);
    for (int j = 0; j < n; j++) largest = fmax(largest, f[j] = exp(between(&rng, -1, 1)));
    assert_true(sdn_pixel_weights_double(&p, n, wave_A, stretch, sigma_ln, &first, &last, weight));
    for (int j = first; j < last; j++) sum += weight[j] * f[j];
    const double truth = by_quadrature(&p, sigma_ln, stretch, n, wave_A, f);
    const double tolerance = TOL_TAIL * (1 + p.sigma_ln / width) * largest;
    if (!(fabs(sum - truth) <= tolerance)) fail_msg("trial %d, width %g, s %g: %.12g instead of %.12g", trial, width, p.sigma_ln, sum, truth);
  }
}

/* Nodes far beyond the reach: only the series and the polynomial are left to err. */
static void series_are_exact(void **state)
{
  static double wave_A[MAX_NODE], f[MAX_NODE], weight[MAX_NODE];
  (void)state;
  for (int k = 0; k < 3; k++) {
    const double s[] = {SDN_PIXEL_MAX_SIGMA_LN, 0.01, 3e-4};
    const sdn_pixel p = pixel(9900, 10101, s[k] * sqrt(9900.0 * 10101));
    double sum = 0;
    int first, last;
    const int n = 2;   /* one interval: all of it is at work */
    wave_A[0] = 6000, wave_A[1] = 17000, f[0] = 1, f[1] = 3;
    assert_true(sdn_pixel_weights_double(&p, n, wave_A, 1, 0, &first, &last, weight));
    for (int j = first; j < last; j++) sum += weight[j] * f[j];
    const double truth = by_quadrature(&p, 0, 1, n, wave_A, f);
    if (!(fabs(sum / truth - 1) <= TOL_SERIES)) fail_msg("s %g: %.14g instead of %.14g", s[k], sum, truth);
  }
}

static void sharp_pixels_are_top_hats(void **state)
{
  static double wave_A[MAX_NODE], ours[MAX_NODE], theirs[MAX_NODE];
  const double edge_A[2] = {20000, 20100}, full[2] = {1, 1};
  sdn_rng rng = sdn_rng_at(7, 2, 0);
  sdn_filter *f;
  sdn_err err;
  int first, last, first_f, last_f;
  (void)state;
  assert_int_equal(sdn_filter_new("pixel", 2, edge_A, full, false, &f, &err), SDN_OK);
  const sdn_pixel p = pixel(edge_A[0], edge_A[1], 0);
  for (int trial = 0; trial < 20; trial++) {
    const int n = random_nodes(&rng, 19990 / 3.0, 20110 / 3.0, pow(10, between(&rng, -1, 2)), wave_A);
    assert_true(sdn_pixel_weights_double(&p, n, wave_A, 3, 0, &first, &last, ours));
    assert_true(sdn_filter_weights_double(f, n, wave_A, 3, &first_f, &last_f, theirs));
    for (int j = first; j < last; j++) {
      const double truth = j >= first_f && j < last_f ? theirs[j] : 0;
      if (!(fabs(ours[j] - truth) <= TOL_SHARP)) fail_msg("trial %d: weight %d is %.12g instead of %.12g", trial, j, ours[j], truth);
    }
  }
  const double w = 20050, off = 20100.5;
  assert_true(fabs(sdn_pixel_line_response(&p, w, 0) / sdn_filter_line_response(f, w) - 1) < TOL_SHARP && !(sdn_pixel_line_response(&p, off, 0) > 0));
  sdn_filter_free(f);
}

/* f_lambda ~ l^-2 (flat f_nu) smeared by a Gaussian in ln l: e^(s^2/2), in closed form. */
static void flat_spectra_stay_flat(void **state)
{
  static double wave_A[MAX_NODE];
  static float weight[MAX_NODE];
  (void)state;
  for (int j = 0; j < 2000; j++) wave_A[j] = 2000 * pow(4, j / 1999.0);
  for (int k = 0; k < 4; k++) {
    const double sigma_A[] = {0, 1, 20, 90};
    const sdn_pixel p = pixel(12000, 12030, sigma_A[k]);
    double sum = 0;
    int first, last;
    assert_true(sdn_pixel_weights(&p, 2000, wave_A, 3, 1e-3, &first, &last, weight));
    for (int j = first; j < last; j++) sum += (double)weight[j];
    const double truth = exp(0.5 * (p.sigma_ln * p.sigma_ln + 1e-6));
    if (!(fabs(sum / truth - 1) <= TOL_FLOAT)) fail_msg("sigma %g A: %.9g instead of %.9g", sigma_A[k], sum, truth);
  }
}

/* Neighbouring pixels with one resolution share a line: fluxes sum to the line's. Its width and the instrument's add in quadrature. */
static void line_flux_is_conserved(void **state)
{
  enum { n = 61 };
  const double s = 4e-3, v = 3e-3, line_A = 20003.3, flux = 2.5;
  double sum = 0, first_moment = 0, second = 0;
  (void)state;
  for (int i = 0; i < n; i++) {
    const double low_A = 20000 * exp((i - 30.5) * 2e-3), high_A = 20000 * exp((i - 29.5) * 2e-3);
    const sdn_pixel p = pixel(low_A, high_A, s * sqrt(low_A * high_A));
    const double here = flux * sdn_pixel_line_response(&p, line_A, v) * LIGHT_A_S * (1 / low_A - 1 / high_A);   /* erg/s/cm2 in the pixel */
    sum += here;
    first_moment += here * log(p.center_A / line_A);
    second += here * pow(log(p.center_A / line_A), 2);
  }
  assert_true(fabs(sum / flux - 1) < 1e-12);
  assert_true(fabs(first_moment / sum) < 1e-9);   /* Gaussians sampled at half their width have their moments to exp(-2 pi^2 (5/2)^2) */
  const double truth = s * s + v * v + 2e-3 * 2e-3 / 12;
  if (!(fabs(second / sum / truth - 1) < 1e-9)) fail_msg("variance %.12g instead of %.12g", second / sum, truth);
}

static void beyond_the_nodes_is_refused(void **state)
{
  double wave_A[3] = {1000, 1100, 1200};
  float weight[3];
  int first, last;
  const sdn_pixel p = pixel(1180, 1185, 2);
  sdn_pixel bad;
  (void)state;
  assert_true(sdn_pixel_weights(&p, 3, wave_A, 1, 0, &first, &last, weight));
  assert_false(sdn_pixel_weights(&p, 3, wave_A, 1, 5e-3, &first, &last, weight));   /* velocities reach farther */
  assert_false(sdn_pixel_set(&bad, 1000, 1000, 0) || sdn_pixel_set(&bad, -1, 1000, 0) || sdn_pixel_set(&bad, 1000, 1010, -1) || sdn_pixel_set(&bad, 1000, 1010, 100) ||
               sdn_pixel_set(&bad, 1000, NAN, 0) || sdn_pixel_set(&bad, 1000, 1010, NAN));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(integrals_are_exact), cmocka_unit_test(series_are_exact), cmocka_unit_test(sharp_pixels_are_top_hats), cmocka_unit_test(flat_spectra_stay_flat),
    cmocka_unit_test(line_flux_is_conserved), cmocka_unit_test(beyond_the_nodes_is_refused),
  };
  return cmocka_run_group_tests_name("pixel", tests, NULL, NULL);
}
