/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rational-quadratic bins against published numbers, the vector kernels against plain formulas in double precision (support/flow_twin.c). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "learn/core_affine.h"
#include "learn/rational_quadratic.h"
#include "learn/spline.h"
#include "support/flow_twin.h"

#define FLOAT_TOLERANCE 3e-6     /* a dozen float32 operations on numbers up to 5 */
#define SLOPE_TOLERANCE 2e-5     /* of ln dy/dx: sums of quotients that differ by factors of hundreds */
#define GRADIENT_TOLERANCE 2e-4  /* relative to the row's largest gradient: float32 against differences in double precision */
#define MOST_BIN 32

/* Knots as nflows 0.14 makes them (piecewise rational-quadratic, linear tails): 10 bins on [-3, 3], raw widths 0.1 i, heights -0.05 i, slopes
 * 0.2 (-1)^i, bins at least 1e-3, slopes 1e-3 + softplus(raw), 1 at both ends. Widths and heights are divided by `divisor`. */
#define NFLOWS_BIN 10
typedef struct nflows_knots { double x[NFLOWS_BIN + 1], y[NFLOWS_BIN + 1], slope[NFLOWS_BIN + 1]; } nflows_knots;

static void shares(double step, double *knot)
{
  double total = 0, at = 0;
  for (int i = 0; i < NFLOWS_BIN; i++) total += exp(step * i);
  for (int i = 0; i <= NFLOWS_BIN; i++) {
    knot[i] = 6 * at - 3;
    at += 1e-3 + (1 - 1e-3 * NFLOWS_BIN) * exp(step * i) / total;
  }
  knot[NFLOWS_BIN] = 3;
}

static nflows_knots make_nflows(double divisor)
{
  nflows_knots k;
  shares(0.1 / divisor, k.x);
  shares(-0.05 / divisor, k.y);
  k.slope[0] = k.slope[NFLOWS_BIN] = 1;
  for (int i = 1; i < NFLOWS_BIN; i++) k.slope[i] = 1e-3 + log1p(exp(i % 2 ? 0.2 : -0.2));
  return k;
}

/* The numbers in shared notes sbi.md section 2.7, computed from nflows' formulas in float64. */
static void golden_values_of_nflows(void **state)
{
  (void)state;
  static const struct { double divisor, x, y, ln_slope; } golden[] = {
    {1, -2.5, -2.064429327975686, 0.7701566580214806},     {1, -0.3, 0.8075478879320821, -0.030599207319374433},
    {1, 0, 1.030565309394287, -0.3026352075511205},        {1, 1.7, 2.2602096947411034, -0.5547581014940055},
    {7.0710678118654755, -2.5, -2.435279138899654, -0.07563980078495229},  {7.0710678118654755, -0.3, -0.14357009414547955, 0.15424534915539503},
    {7.0710678118654755, 0, 0.14791839807670687, 0.01150383220628598},     {7.0710678118654755, 1.7, 1.8131796661247277, -0.4040480595028264}};
  for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
    const nflows_knots n = make_nflows(golden[i].divisor);
    const twin_map plain = twin_spline(NFLOWS_BIN, n.x, n.y, n.slope, golden[i].x);
    assert_true(fabs(plain.y - golden[i].y) < 1e-12 && fabs(plain.ln_slope - golden[i].ln_slope) < 1e-12);
    int k = 0;
    while (golden[i].x >= n.x[k + 1]) k++;
    const sdn_rq bin = {.x0 = (float)n.x[k], .w = (float)(n.x[k + 1] - n.x[k]), .y0 = (float)n.y[k], .h = (float)(n.y[k + 1] - n.y[k]),
                        .d0 = (float)n.slope[k], .d1 = (float)n.slope[k + 1]};
    float ln_slope, back_slope;
    const float y = sdn_rq_forward(bin, (float)golden[i].x, &ln_slope), x = sdn_rq_inverse(bin, (float)golden[i].y, &back_slope);
    if (!(fabs((double)y - golden[i].y) <= FLOAT_TOLERANCE && fabs((double)ln_slope - golden[i].ln_slope) <= SLOPE_TOLERANCE))
      fail_msg("x %g: y %.9g, ln slope %.9g", golden[i].x, (double)y, (double)ln_slope);
    if (!(fabs((double)x - golden[i].x) <= FLOAT_TOLERANCE && fabs((double)back_slope - golden[i].ln_slope) <= SLOPE_TOLERANCE))
      fail_msg("y %g: x %.9g, ln slope %.9g", golden[i].y, (double)x, (double)back_slope);
  }
}

/* Random raw numbers [n][SDN_ROWS] of a given spread, and points that reach beyond all bounds. */
static void random_case(int n, float spread, uint64_t name, float *raw, float *bias, float *x)
{
  sdn_rng rng = sdn_rng_at(21, SDN_STREAM_TEST, name);
  for (int i = 0; i < n * SDN_ROWS; i++) raw[i] = spread * (float)sdn_rng_normal(&rng);
  for (int i = 0; i < n; i++) bias[i] = 0.3f * (float)sdn_rng_normal(&rng);
  for (int r = 0; r < SDN_ROWS; r++) x[r] = 2.2f * (float)sdn_rng_normal(&rng);
  x[0] = -SDN_SPLINE_BOUND;
  x[1] = SDN_SPLINE_BOUND;
  x[2] = 0;
  x[3] = 12;
  x[4] = -60;
}

static void column(int n, const float *raw, const float *bias, int r, double *out)
{
  for (int i = 0; i < n; i++) out[i] = (double)raw[i * SDN_ROWS + r] + (double)bias[i];
}

static void check_spline(int n_bin, float spread)
{
  const int n = sdn_spline_n_raw(n_bin);
  static float raw[3 * MOST_BIN * SDN_ROWS], kept[3 * MOST_BIN * SDN_ROWS], bias[3 * MOST_BIN], x[SDN_ROWS], y[SDN_ROWS], back[SDN_ROWS];
  static sdn_spline_trace trace;
  double ln_slope[SDN_ROWS] = {0}, back_slope[SDN_ROWS] = {0}, one[3 * MOST_BIN];
  random_case(n, spread, (uint64_t)n_bin, raw, bias, x);
  memcpy(kept, raw, sizeof kept);
  sdn_spline_forward(n_bin, raw, bias, x, y, ln_slope, &trace);
  memcpy(raw, kept, sizeof kept);
  sdn_spline_inverse(n_bin, raw, bias, y, back, back_slope, &trace);
  for (int r = 0; r < SDN_ROWS; r++) {
    column(n, kept, bias, r, one);
    const twin_map plain = twin_raw_spline(n_bin, one, (double)x[r]);
    const double steep = 1 + exp(fabs(plain.ln_slope));   /* an error in x or y is magnified by the slope */
    if (!(fabs((double)y[r] - plain.y) <= FLOAT_TOLERANCE * steep && fabs(ln_slope[r] - plain.ln_slope) <= SLOPE_TOLERANCE * steep))
      fail_msg("%d bins, row %d, x %g: y %.8g and ln slope %.8g, not %.8g and %.8g", n_bin, r, (double)x[r], (double)y[r], ln_slope[r], plain.y,
               plain.ln_slope);
    if (!(fabs((double)back[r] - (double)x[r]) <= FLOAT_TOLERANCE * steep && fabs(back_slope[r] - ln_slope[r]) <= SLOPE_TOLERANCE * steep))
      fail_msg("%d bins, row %d: x %.8g comes back as %.8g, ln slope %.8g as %.8g", n_bin, r, (double)x[r], (double)back[r], ln_slope[r], back_slope[r]);
  }
}

static void spline_agrees_with_plain_formulas(void **state)
{
  (void)state;
  static const int bins[] = {2, 5, 8, 16, 32};
  for (int i = 0; i < 5; i++) {
    check_spline(bins[i], 0.5f);
    check_spline(bins[i], 1.5f);
  }
}

static void knots_worked_out_once_give_the_same(void **state)
{
  (void)state;
  enum { N_BIN = 32, N = 3 * N_BIN - 1 };
  float raw[N], bias[N], wide[N * SDN_ROWS], x[SDN_ROWS], one[SDN_ROWS], many[SDN_ROWS];
  double slope_one[SDN_ROWS] = {0}, slope_many[SDN_ROWS] = {0};
  sdn_spline_trace trace;
  sdn_knots knots;
  random_case(N, 1.0f, 99, wide, bias, x);
  for (int i = 0; i < N; i++) raw[i] = wide[i * SDN_ROWS];
  for (int i = 0; i < N; i++)
    for (int r = 0; r < SDN_ROWS; r++) wide[i * SDN_ROWS + r] = 0;
  sdn_knots_make(N_BIN, raw, &knots);
  sdn_knots_inverse(&knots, x, one, slope_one);
  sdn_spline_inverse(N_BIN, wide, raw, x, many, slope_many, &trace);
  for (int r = 0; r < SDN_ROWS; r++)
    if (!(fabs((double)(one[r] - many[r])) <= FLOAT_TOLERANCE * 10 && fabs(slope_one[r] - slope_many[r]) <= SLOPE_TOLERANCE * 10))
      fail_msg("y %g: %.8g and %.8g", (double)x[r], (double)one[r], (double)many[r]);
}

/* a y + b ln slope, in double precision. */
typedef struct objective { int n_bin; double a, b; } objective;   /* n_bin 0: the core affine map */
static double value(const objective *o, const double *raw, double x)
{
  const twin_map m = o->n_bin ? twin_raw_spline(o->n_bin, raw, x) : twin_core(raw, x);
  return o->a * m.y + o->b * m.ln_slope;
}

static void check_row_gradient(const objective *o, int n, double *raw, double x, const float *by_raw, double by_x, const char *what, int r)
{
  const double step = 1e-6;
  double size = fabs(by_x);
  for (int i = 0; i < n; i++) size = fmax(size, fabs((double)by_raw[i * SDN_ROWS + r]));
  const double expected_x = (value(o, raw, x + step) - value(o, raw, x - step)) / (2 * step);
  if (!(fabs(by_x - expected_x) <= GRADIENT_TOLERANCE * (1 + size))) fail_msg("%s, row %d, x %g: by x %.7g, not %.7g", what, r, x, by_x, expected_x);
  for (int i = 0; i < n; i++) {
    const double kept = raw[i];
    raw[i] = kept + step;
    const double up = value(o, raw, x);
    raw[i] = kept - step;
    const double expected = (up - value(o, raw, x)) / (2 * step), got = (double)by_raw[i * SDN_ROWS + r];
    raw[i] = kept;
    if (!(fabs(got - expected) <= GRADIENT_TOLERANCE * (1 + size))) fail_msg("%s, row %d, x %g: by raw %d %.7g, not %.7g", what, r, x, i, got, expected);
  }
}

static void spline_gradient_agrees_with_differences(void **state)
{
  (void)state;
  enum { N_BIN = 7, N = 3 * N_BIN - 1 };
  static float raw[N * SDN_ROWS], kept[N * SDN_ROWS], bias[N], x[SDN_ROWS], y[SDN_ROWS], by_y[SDN_ROWS], by_slope[SDN_ROWS], by_x[SDN_ROWS];
  double ln_slope[SDN_ROWS] = {0}, one[N];
  sdn_spline_trace trace;
  random_case(N, 0.8f, 4, raw, bias, x);
  memcpy(kept, raw, sizeof kept);
  for (int r = 0; r < SDN_ROWS; r++) by_y[r] = 0.7f - 0.01f * (float)r, by_slope[r] = -0.3f + 0.02f * (float)r;
  sdn_spline_forward(N_BIN, raw, bias, x, y, ln_slope, &trace);
  sdn_spline_backward(N_BIN, raw, x, by_y, by_slope, &trace, by_x);
  for (int r = 2; r < SDN_ROWS; r++) {   /* rows 0 and 1 lie on the bounds, where the slope has a kink */
    const objective o = {N_BIN, (double)by_y[r], (double)by_slope[r]};
    column(N, kept, bias, r, one);
    check_row_gradient(&o, N, one, (double)x[r], raw, (double)by_x[r], "spline", r);
  }
}

static void core_affine_agrees_with_plain_formulas(void **state)
{
  (void)state;
  static float raw[2 * SDN_ROWS], bias[2] = {0.2f, -0.4f}, x[SDN_ROWS], y[SDN_ROWS], back[SDN_ROWS], by_y[SDN_ROWS], by_slope[SDN_ROWS], by_x[SDN_ROWS];
  double ln_slope[SDN_ROWS] = {0}, back_slope[SDN_ROWS] = {0}, one[2];
  static sdn_core_trace trace;
  float bias3[2];
  random_case(2, 2.5f, 12, raw, bias3, x);
  sdn_core_forward(raw, bias, x, y, ln_slope, &trace);
  sdn_core_inverse(raw, bias, y, back, back_slope);
  for (int r = 0; r < SDN_ROWS; r++) {
    column(2, raw, bias, r, one);
    const twin_map plain = twin_core(one, (double)x[r]);
    const double steep = 1 + exp(fabs(plain.ln_slope));
    if (!(fabs((double)y[r] - plain.y) <= FLOAT_TOLERANCE * steep && fabs(ln_slope[r] - plain.ln_slope) <= SLOPE_TOLERANCE * steep))
      fail_msg("row %d, x %g: y %.8g and ln slope %.8g, not %.8g and %.8g", r, (double)x[r], (double)y[r], ln_slope[r], plain.y, plain.ln_slope);
    if (!(fabs((double)back[r] - (double)x[r]) <= FLOAT_TOLERANCE * steep && fabs(back_slope[r] - ln_slope[r]) <= SLOPE_TOLERANCE * steep))
      fail_msg("row %d: x %.8g comes back as %.8g, ln slope %.8g as %.8g", r, (double)x[r], (double)back[r], ln_slope[r], back_slope[r]);
  }
  for (int r = 0; r < SDN_ROWS; r++) by_y[r] = 0.4f + 0.01f * (float)r, by_slope[r] = 0.5f - 0.02f * (float)r;
  float kept[2 * SDN_ROWS];
  memcpy(kept, raw, sizeof kept);
  sdn_core_backward(raw, x, by_y, by_slope, &trace, by_x);
  for (int r = 0; r < SDN_ROWS; r++) {
    const objective o = {0, (double)by_y[r], (double)by_slope[r]};
    column(2, kept, bias, r, one);
    check_row_gradient(&o, 2, one, (double)x[r], raw, (double)by_x[r], "core affine", r);
  }
}

static void zero_is_the_identity_and_nan_stays_nan(void **state)
{
  (void)state;
  static float raw[3 * 16 * SDN_ROWS], x[SDN_ROWS], y[SDN_ROWS], mid[SDN_ROWS];
  const float bias[3 * 16] = {0};
  double ln_slope[SDN_ROWS] = {0};
  static sdn_spline_trace trace;
  static sdn_core_trace core;
  for (int r = 0; r < SDN_ROWS; r++) x[r] = 0.4f * (float)(r - 32);
  x[7] = NAN;
  sdn_core_forward(raw, bias, x, mid, ln_slope, &core);
  sdn_spline_forward(16, raw, bias, mid, y, ln_slope, &trace);
  for (int r = 0; r < SDN_ROWS; r++) {
    if (r == 7) assert_true(isnan(y[r]));
    else assert_true(fabsf(y[r] - x[r]) <= 4e-6f && fabs(ln_slope[r]) <= SLOPE_TOLERANCE);
  }
  raw[20 * SDN_ROWS + 30] = NAN;   /* a network that has gone wrong must show */
  for (int i = 0; i < 20; i++) raw[i * SDN_ROWS + 30] = NAN;
  sdn_spline_forward(16, raw, bias, x, y, ln_slope, &trace);
  assert_true(!isfinite(y[30]) || !isfinite(ln_slope[30]));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(golden_values_of_nflows), cmocka_unit_test(spline_agrees_with_plain_formulas),
    cmocka_unit_test(knots_worked_out_once_give_the_same), cmocka_unit_test(spline_gradient_agrees_with_differences),
    cmocka_unit_test(core_affine_agrees_with_plain_formulas), cmocka_unit_test(zero_is_the_identity_and_nan_stays_nan)};
  return cmocka_run_group_tests_name("spline", tests, NULL, NULL);
}
