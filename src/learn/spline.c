/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/spline.h"

#include "learn/rational_quadratic.h"

#define B SDN_SPLINE_BOUND
#define LARGEST_SHARE 40.0f          /* of a raw width or height: the sum of 128 exponentials stays finite */
#define SLOPE_AT_ZERO 0.539742417f   /* c with softplus(c) + SDN_SPLINE_MIN_SLOPE = 1 */

SDN_INLINE float slope_of(float raw) { return SDN_SPLINE_MIN_SLOPE + sdn_softplusf(raw + SLOPE_AT_ZERO); }

/* n rows of raw + bias -> e^(raw + bias) in place, and 1 / their sum. */
SDN_INLINE void exponentials(int n, float *raw, const float *bias, float *inv_sum)
{
  float sum[SDN_ROWS] = {0};
  for (int j = 0; j < n; j++) {
    float *row = raw + (size_t)j * SDN_ROWS;
    const float b = bias[j];
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) {
      row[r] = sdn_exp_near(sdn_limit(row[r] + b, LARGEST_SHARE));
      sum[r] += row[r];
    }
  }
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) inv_sum[r] = 1.0f / sum[r];
}

/* Walk along the bins and keep the last one whose lower knot (in x, or in y when by_height) is not above `at`. */
SDN_INLINE void choose_bin(int n_bin, const float *raw, const float *bias, const float *at, const bool by_height, sdn_spline_trace *t)
{
  const float smallest = 2.0f * B * SDN_SPLINE_MIN_BIN, share = 2.0f * B * (1.0f - SDN_SPLINE_MIN_BIN * (float)n_bin);
  const float *slopes = raw + (size_t)(2 * n_bin) * SDN_ROWS, *slope_bias = bias + 2 * n_bin;
  float left[SDN_ROWS], low[SDN_ROWS];
  for (int r = 0; r < SDN_ROWS; r++) left[r] = low[r] = -B;
  for (int r = 0; r < SDN_ROWS; r++) t->bin[r] = -1.0f, t->w[r] = t->h[r] = 1.0f, t->x0[r] = t->y0[r] = t->raw0[r] = t->raw1[r] = 0.0f;
  for (int j = 0; j < n_bin; j++) {
    const float *e_w = raw + (size_t)j * SDN_ROWS, *e_h = e_w + (size_t)n_bin * SDN_ROWS;
    const bool first = j == 0, last = j == n_bin - 1;
    const float *slope0 = first ? slopes : slopes + (size_t)(j - 1) * SDN_ROWS, *slope1 = last ? slope0 : slopes + (size_t)j * SDN_ROWS;
    const float use0 = first ? 0.0f : 1.0f, use1 = last ? 0.0f : 1.0f, index = (float)j;
    const float bias0 = first ? 0.0f : slope_bias[j - 1], bias1 = last ? 0.0f : slope_bias[j];
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) {
      const float w = smallest + share * (e_w[r] * t->inv_sum_w[r]), h = smallest + share * (e_h[r] * t->inv_sum_h[r]);
      const bool take = at[r] >= (by_height ? low[r] : left[r]);
      t->bin[r] = take ? index : t->bin[r];
      t->x0[r] = take ? left[r] : t->x0[r];
      t->w[r] = take ? w : t->w[r];
      t->y0[r] = take ? low[r] : t->y0[r];
      t->h[r] = take ? h : t->h[r];
      t->raw0[r] = take ? use0 * slope0[r] + bias0 : t->raw0[r];
      t->raw1[r] = take ? use1 * slope1[r] + bias1 : t->raw1[r];
      left[r] += w;
      low[r] += h;
    }
  }
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    const bool inside = at[r] >= -B && at[r] < B;
    t->bin[r] = inside ? t->bin[r] : -1.0f;
    t->d0[r] = slope_of(t->raw0[r]);
    t->d1[r] = slope_of(t->raw1[r]);
  }
}

SDN_INLINE sdn_rq bin_of(const sdn_spline_trace *t, int r)
{
  return (sdn_rq){.x0 = t->x0[r], .w = t->w[r], .y0 = t->y0[r], .h = t->h[r], .d0 = t->d0[r], .d1 = t->d1[r]};
}

SDN_CLONES
void sdn_spline_forward(int n_bin, float *raw, const float *bias, const float *x, float *y, double *ln_slope, sdn_spline_trace *t)
{
  exponentials(n_bin, raw, bias, t->inv_sum_w);
  exponentials(n_bin, raw + (size_t)n_bin * SDN_ROWS, bias + n_bin, t->inv_sum_h);
  choose_bin(n_bin, raw, bias, x, false, t);
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    float slope;
    const float inner = sdn_rq_forward(bin_of(t, r), x[r], &slope);
    const bool inside = t->bin[r] >= 0.0f;
    y[r] = inside ? inner : x[r];
    ln_slope[r] += (double)(inside ? slope : 0.0f);
  }
}

/* Softmax of the shares: dL/draw_j = p_j (g_j - sum_i p_i g_i), where g_j, the gradient by bin j's size, is the sum of the gradients by all knots
 * beyond that bin: lower + upper before the chosen bin, `upper` for it, 0 after it. `position` [SDN_ROWS]: of the chosen bin's lower knot. */
SDN_INLINE void shares_backward(int n_bin, float *e, const float *inv_sum, const float *position, const float *size, const float *bin,
                                const float *by_lower, const float *by_upper)
{
  const float smallest = 2.0f * B * SDN_SPLINE_MIN_BIN, share = 2.0f * B * (1.0f - SDN_SPLINE_MIN_BIN * (float)n_bin);
  float mean[SDN_ROWS], both[SDN_ROWS];
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    const float before = position[r] + B - bin[r] * smallest;   /* share * sum of p over the bins before the chosen one */
    both[r] = by_lower[r] + by_upper[r];
    mean[r] = (before * both[r] + (size[r] - smallest) * by_upper[r]) / share;
  }
  for (int j = 0; j < n_bin; j++) {
    float *row = e + (size_t)j * SDN_ROWS;
    const float index = (float)j;
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) {
      const float g = index < bin[r] ? both[r] : index == bin[r] ? by_upper[r] : 0.0f;
      row[r] = share * row[r] * inv_sum[r] * (g - mean[r]);
    }
  }
}

/* Only the slopes at the ends of the chosen bin have a gradient. */
SDN_INLINE void slopes_backward(int n_bin, float *raw, const float *bin, const float *by_raw0, const float *by_raw1)
{
  for (int j = 0; j < n_bin - 1; j++) {
    float *row = raw + (size_t)j * SDN_ROWS;
    const float left_of = (float)j, right_of = (float)(j + 1);   /* inner slope j ends bin j and begins bin j + 1 */
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) row[r] = bin[r] == left_of ? by_raw1[r] : bin[r] == right_of ? by_raw0[r] : 0.0f;
  }
}

SDN_CLONES
void sdn_spline_backward(int n_bin, float *raw, const float *x, const float *by_y, const float *by_ln_slope, const sdn_spline_trace *t, float *by_x)
{
  float x0[SDN_ROWS], x1[SDN_ROWS], y0[SDN_ROWS], y1[SDN_ROWS], raw0[SDN_ROWS], raw1[SDN_ROWS];
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    const bool inside = t->bin[r] >= 0.0f;
    const sdn_rq_gradient g = sdn_rq_backward(bin_of(t, r), x[r], by_y[r], by_ln_slope[r]);
    by_x[r] = inside ? g.x : by_y[r];
    x0[r] = inside ? g.x0 : 0.0f;
    x1[r] = inside ? g.x1 : 0.0f;
    y0[r] = inside ? g.y0 : 0.0f;
    y1[r] = inside ? g.y1 : 0.0f;
    raw0[r] = g.d0 * sdn_sigmoidf(t->raw0[r] + SLOPE_AT_ZERO);
    raw1[r] = g.d1 * sdn_sigmoidf(t->raw1[r] + SLOPE_AT_ZERO);
  }
  shares_backward(n_bin, raw, t->inv_sum_w, t->x0, t->w, t->bin, x0, x1);
  shares_backward(n_bin, raw + (size_t)n_bin * SDN_ROWS, t->inv_sum_h, t->y0, t->h, t->bin, y0, y1);
  slopes_backward(n_bin, raw + (size_t)(2 * n_bin) * SDN_ROWS, t->bin, raw0, raw1);
}

SDN_CLONES
void sdn_spline_inverse(int n_bin, float *raw, const float *bias, const float *y, float *x, double *ln_slope, sdn_spline_trace *t)
{
  exponentials(n_bin, raw, bias, t->inv_sum_w);
  exponentials(n_bin, raw + (size_t)n_bin * SDN_ROWS, bias + n_bin, t->inv_sum_h);
  choose_bin(n_bin, raw, bias, y, true, t);
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    float slope;
    const float inner = sdn_rq_inverse(bin_of(t, r), y[r], &slope);
    const bool inside = t->bin[r] >= 0.0f;
    x[r] = inside ? inner : y[r];
    ln_slope[r] += (double)(inside ? slope : 0.0f);
  }
}

static void add_up(int n_bin, const float *raw, float *knot)
{
  double sum = 0, at = 0;
  for (int j = 0; j < n_bin; j++) sum += (double)sdn_exp_near(sdn_limit(raw[j], LARGEST_SHARE));
  const double smallest = (double)SDN_SPLINE_MIN_BIN, share = 1.0 - smallest * n_bin;
  for (int j = 0; j < n_bin; j++) {
    knot[j] = (float)((2.0 * at - 1.0) * (double)B);
    at += smallest + share * (double)sdn_exp_near(sdn_limit(raw[j], LARGEST_SHARE)) / sum;
  }
  knot[n_bin] = B;
}

void sdn_knots_make(int n_bin, const float *raw, sdn_knots *k)
{
  k->n_bin = n_bin;
  add_up(n_bin, raw, k->x);
  add_up(n_bin, raw + n_bin, k->y);
  k->slope[0] = k->slope[n_bin] = slope_of(0.0f);
  for (int j = 1; j < n_bin; j++) k->slope[j] = slope_of(raw[2 * n_bin + j - 1]);
}

SDN_CLONES
void sdn_knots_inverse(const sdn_knots *k, const float *y, float *x, double *ln_slope)
{
  float x0[SDN_ROWS] = {0}, w[SDN_ROWS] = {0}, y0[SDN_ROWS] = {0}, h[SDN_ROWS] = {0}, d0[SDN_ROWS] = {0}, d1[SDN_ROWS] = {0};
  for (int j = 0; j < k->n_bin; j++) {
    const float left = k->x[j], width = k->x[j + 1] - left, low = k->y[j], height = k->y[j + 1] - low, s0 = k->slope[j], s1 = k->slope[j + 1];
    const bool first = j == 0;
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) {
      const bool take = first || y[r] >= low;
      x0[r] = take ? left : x0[r];
      w[r] = take ? width : w[r];
      y0[r] = take ? low : y0[r];
      h[r] = take ? height : h[r];
      d0[r] = take ? s0 : d0[r];
      d1[r] = take ? s1 : d1[r];
    }
  }
#pragma omp simd
  for (int r = 0; r < SDN_ROWS; r++) {
    const sdn_rq b = {.x0 = x0[r], .w = w[r], .y0 = y0[r], .h = h[r], .d0 = d0[r], .d1 = d1[r]};
    float slope;
    const float inner = sdn_rq_inverse(b, y[r], &slope);
    const bool inside = y[r] >= -B && y[r] < B;
    x[r] = inside ? inner : y[r];
    ln_slope[r] += (double)(inside ? slope : 0.0f);
  }
}
