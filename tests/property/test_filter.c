/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Band integrals of piecewise linear spectra: flat spectra, random spectra against quadrature on the union of nodes, coverage. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "physics/filter.h"
#include "physics/gauss.h"

#define TOL_FLAT 1e-12       /* double weights of a constant spectrum */
#define TOL_FLAT_FLOAT 1e-6  /* the same in float32: rounding of some hundred weights */
#define TOL_LINEAR 1e-9      /* of spectra that jump by e^2 between nodes as near as a thousandth of the band; quadrature is exact to 1e-14 */
#define MAX_NODE 4000

static double between(sdn_rng *rng, double low, double high) { return low + (high - low) * sdn_rng_uniform(rng); }

/* A curve of random shape: narrow or wide, few or many points, steep edges, jumps. */
static sdn_filter *random_filter(sdn_rng *rng, bool photon_counting)
{
  double wave_A[300], throughput[300];
  const int n = 3 + (int)sdn_rng_below(rng, 297);
  const double low_A = pow(10, between(rng, 3, 5)), width = pow(10, between(rng, -3, 0));
  sdn_filter *f;
  sdn_err err;
  for (int i = 0; i < n; i++) {
    wave_A[i] = i == 0 ? low_A : wave_A[i - 1] + (sdn_rng_uniform(rng) < 0.03 ? 0 : low_A * width / n * -log(sdn_rng_uniform(rng)));
    throughput[i] = sdn_rng_uniform(rng) < 0.1 ? 0 : sdn_rng_uniform(rng);
  }
  wave_A[n - 1] = fmax(wave_A[n - 1] * (1 + 1e-6), low_A * (1 + 1e-4));
  if (sdn_rng_uniform(rng) < 0.5) throughput[0] = throughput[n - 1] = 0;
  throughput[n - 2] = 1;   /* the last step is never a jump */
  if (sdn_filter_new("random", n, wave_A, throughput, photon_counting, &f, &err)) fail_msg("%s", err.text);
  return f;
}

/* Nodes with jumps that cover the filter after stretching; very dense or sparser than the filter. */
static int random_nodes(sdn_rng *rng, const sdn_filter *f, double stretch, double *wave_A)
{
  const double low_A = f->low_A / stretch, high_A = f->high_A / stretch, step = (high_A - low_A) * pow(10, between(rng, -2.9, 0.5));
  int n = 0;
  for (double w = low_A - 3 * step * sdn_rng_uniform(rng) - 1e-9 * low_A; w < high_A + step && n < MAX_NODE - 2; w += step * -log(sdn_rng_uniform(rng))) {
    wave_A[n++] = fmax(w, 1e-3 * low_A);
    if (sdn_rng_uniform(rng) < 0.05) {
      wave_A[n] = wave_A[n - 1];
      n++;
    }
  }
  wave_A[n++] = high_A * (1 + 1e-9) + step;
  return n;
}

static double line_between(double x, double xa, double ya, double xb, double yb) { return ya + (yb - ya) * (x - xa) / (xb - xa); }

/* int f T / lambda^power over one piece in which both are straight, by Gauss-Legendre with 12 points on short steps. */
static double piece(const sdn_filter *f, int k, double stretch, const double *wave_A, const double *fnu, int j, double from, double to, int power)
{
  const sdn_gauss *g = &sdn_gauss_rule[SDN_GAUSS_12];
  double sum = 0;
  for (int i = 0; i < g->n; i++) {
    const double x = from + (to - from) * g->x[i];
    const double t = line_between(x, f->wave_A[k], f->throughput[k], f->wave_A[k + 1], f->throughput[k + 1]);
    const double flux = fnu ? line_between(x, wave_A[j] * stretch, fnu[j], wave_A[j + 1] * stretch, fnu[j + 1]) : 1;
    sum += g->w[i] * flux * t / pow(x, power);
  }
  return sum * (to - from);
}

static double quadrature(const sdn_filter *f, double stretch, int n, const double *wave_A, const double *fnu)
{
  double above = 0, below = 0;
  const int power = f->photon_counting ? 1 : 2;
  for (int k = 0; k + 1 < f->n; k++) {
    if (!(f->wave_A[k + 1] > f->wave_A[k])) continue;
    below += piece(f, k, 1, NULL, NULL, 0, f->wave_A[k], f->wave_A[k + 1], power);
    for (int j = 0; j + 1 < n; j++) {
      const double from = fmax(f->wave_A[k], wave_A[j] * stretch), to = fmin(f->wave_A[k + 1], wave_A[j + 1] * stretch);
      if (to > from) above += piece(f, k, stretch, wave_A, fnu, j, from, to, power);
    }
  }
  return above / below;
}

static void flat_spectra_stay_flat(void **state)
{
  (void)state;
  static double wave_A[MAX_NODE], weight[MAX_NODE];
  static float weight32[MAX_NODE];
  for (int i = 0; i < 2000; i++) {
    sdn_rng rng = sdn_rng_at(1, SDN_STREAM_TEST, (uint64_t)i);
    sdn_filter *f = random_filter(&rng, i % 2);
    const double stretch = 1 + between(&rng, 0, 14);
    const int n = random_nodes(&rng, f, stretch, wave_A);
    int first, last, first32, last32;
    double sum = 0, sum32 = 0;
    assert_true(sdn_filter_weights_double(f, n, wave_A, stretch, &first, &last, weight));
    assert_true(sdn_filter_weights(f, n, wave_A, stretch, &first32, &last32, weight32));
    assert_true(first == first32 && last == last32 && first >= 0 && last <= n);
    for (int j = first; j < last; j++) {
      assert_true(weight[j] >= -TOL_FLAT);
      assert_true(fabs(weight32[j] - weight[j]) <= 6e-8 * fabs(weight[j]));   /* rounding of one number */
      sum += weight[j];
      sum32 += weight32[j];
    }
    if (!(fabs(sum - 1) <= TOL_FLAT && fabs(sum32 - 1) <= TOL_FLAT_FLOAT)) fail_msg("filter %d: flat spectrum gives 1 + %g, float32 1 + %g", i, sum - 1, sum32 - 1);
    sdn_filter_free(f);
  }
}

static void linear_pieces_are_exact(void **state)
{
  (void)state;
  static double wave_A[MAX_NODE], fnu[MAX_NODE], weight[MAX_NODE];
  double worst = 0;
  for (int i = 0; i < 300; i++) {
    sdn_rng rng = sdn_rng_at(2, SDN_STREAM_TEST, (uint64_t)i);
    sdn_filter *f = random_filter(&rng, i % 2);
    const double stretch = 1 + between(&rng, 0, 14);
    const int n = random_nodes(&rng, f, stretch, wave_A);
    int first, last;
    double sum = 0;
    for (int j = 0; j < n; j++) fnu[j] = exp(2 * sdn_rng_normal(&rng));
    assert_true(sdn_filter_weights_double(f, n, wave_A, stretch, &first, &last, weight));
    for (int j = first; j < last; j++) sum += weight[j] * fnu[j];
    const double expected = quadrature(f, stretch, n, wave_A, fnu);
    worst = fmax(worst, fabs(sum / expected - 1));
    if (!(fabs(sum - expected) <= TOL_LINEAR * expected)) fail_msg("filter %d: %.15g, quadrature %.15g", i, sum, expected);
    sdn_filter_free(f);
  }
  print_message("band integrals: worst relative difference %.1e\n", worst);
}

/* A narrow bright triangle of area A in frequency is a line of flux A: the response of delta lines is its limit. */
static void lines_are_limits_of_spectra(void **state)
{
  (void)state;
  const double light_A_s = 2.99792458e18;
  for (int photon = 0; photon < 2; photon++) {
    const double curve_A[4] = {4000, 4600, 5400, 6000}, throughput[4] = {0, 0.4, 0.9, 0}, centre_A = 5011.7, half_A = 0.05;
    const double wave_A[5] = {3000, centre_A - half_A, centre_A, centre_A + half_A, 7000}, flux = half_A * light_A_s / (centre_A * centre_A);   /* of height 1 */
    const double width_squared = 1e-6;   /* (half_A / scale of the curve)^2, generously */
    sdn_filter *f;
    sdn_err err;
    double weight[5];
    int first, last;
    assert_int_equal(sdn_filter_new("line", 4, curve_A, throughput, photon, &f, &err), SDN_OK);
    assert_true(sdn_filter_weights_double(f, 5, wave_A, 1, &first, &last, weight));
    const double response = weight[2] / flux;
    if (!(fabs(response / sdn_filter_line_response(f, centre_A) - 1) <= width_squared))
      fail_msg("triangle %.12g, line %.12g", response, sdn_filter_line_response(f, centre_A));
    sdn_filter_free(f);
  }
}

static void uncovered_filters_are_seen(void **state)
{
  (void)state;
  const double curve_A[3] = {4000, 5000, 6000}, throughput[3] = {0, 1, 0};
  const double covered[2] = {4000, 6000}, blue_end[2] = {4000.001, 7000}, red_end[2] = {3000, 5999.999}, one[1] = {5000};
  sdn_filter *f;
  sdn_err err;
  double weight[2];
  int first, last;
  assert_int_equal(sdn_filter_new("box", 3, curve_A, throughput, true, &f, &err), SDN_OK);
  assert_true(sdn_filter_weights_double(f, 2, covered, 1, &first, &last, weight));
  assert_false(sdn_filter_weights_double(f, 2, blue_end, 1, &first, &last, weight));
  assert_false(sdn_filter_weights_double(f, 2, red_end, 1, &first, &last, weight));
  assert_false(sdn_filter_weights_double(f, 2, covered, 1.5, &first, &last, weight));
  assert_false(sdn_filter_weights_double(f, 2, covered, NAN, &first, &last, weight));
  assert_false(sdn_filter_weights_double(f, 1, one, 1, &first, &last, weight));
  sdn_filter_free(f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(flat_spectra_stay_flat), cmocka_unit_test(linear_pieces_are_exact), cmocka_unit_test(lines_are_limits_of_spectra),
    cmocka_unit_test(uncovered_filters_are_seen),
  };
  return cmocka_run_group_tests_name("filter properties", tests, NULL, NULL);
}
