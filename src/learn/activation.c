/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/activation.h"

#include <stddef.h>

#include "learn/kernel.h"

#include "base/fastmath.h"

SDN_CLONES
void sdn_silu_forward(int n, float *a, const float *bias, const float *residual, float *y)
{
  for (int i = 0; i < n; i++) {
    float *a_row = a + (size_t)i * SDN_ROWS, *y_row = y + (size_t)i * SDN_ROWS;
    const float *kept = residual ? residual + (size_t)i * SDN_ROWS : a_row, keep = residual ? 1.0f : 0.0f, b = bias[i];
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) {
      const float v = a_row[r] + b, s = sdn_sigmoidf(v), value = v * s;
      y_row[r] = keep * kept[r] + value;
      a_row[r] = s + value * (1.0f - s);
    }
  }
}

SDN_CLONES
void sdn_silu_backward(int n, const float *by_y, float *derivative)
{
  const size_t end = (size_t)n * SDN_ROWS;
#pragma omp simd
  for (size_t i = 0; i < end; i++) derivative[i] *= by_y[i];
}

SDN_CLONES
void sdn_add_bias(int n, const float *bias, float *a)
{
  for (int i = 0; i < n; i++) {
    float *row = a + (size_t)i * SDN_ROWS;
    const float b = bias[i];
#pragma omp simd
    for (int r = 0; r < SDN_ROWS; r++) row[r] += b;
  }
}

SDN_CLONES
void sdn_row_sums(int n, const float *a, bool add, float *out)
{
  for (int i = 0; i < n; i++) {
    const float *row = a + (size_t)i * SDN_ROWS;
    float sum = 0;
#pragma omp simd reduction(+ : sum)
    for (int r = 0; r < SDN_ROWS; r++) sum += row[r];
    out[i] = add ? out[i] + sum : sum;
  }
}
