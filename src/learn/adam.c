/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/adam.h"

#include <math.h>

#include "learn/kernel.h"

#define EPSILON 1e-8f

SDN_CLONES
void sdn_adam_update(size_t n, const sdn_adam_step *s, const float *gradient, float *weight, float *mean, float *square, float *average)
{
  const float new1 = 1.0f - s->beta1, new2 = 1.0f - s->beta2, fresh = 1.0f - s->keep, shrink = s->rate * s->decay;
  const float beta1 = s->beta1, beta2 = s->beta2, scale = s->scale, correct1 = s->correct1 * s->rate, correct2 = s->correct2;
#pragma omp simd
  for (size_t i = 0; i < n; i++) {
    const float g = scale * gradient[i];
    mean[i] = beta1 * mean[i] + new1 * g;
    square[i] = beta2 * square[i] + new2 * g * g;
    const float w = weight[i] - shrink * weight[i] - correct1 * mean[i] / (sqrtf(correct2 * square[i]) + EPSILON);
    weight[i] = w;
    average[i] += fresh * (w - average[i]);
  }
}

SDN_CLONES
double sdn_sum_parts(size_t n, int n_part, size_t stride, const float *part, float *total)
{
  double squares = 0;
  for (int p = 0; p < n_part; p++) {
    const float *one = part + (size_t)p * stride;
    const float keep = p == 0 ? 0.0f : 1.0f;
#pragma omp simd
    for (size_t i = 0; i < n; i++) total[i] = (keep > 0.0f ? total[i] : 0.0f) + one[i];
  }
#pragma omp simd reduction(+ : squares)
  for (size_t i = 0; i < n; i++) squares += (double)total[i] * (double)total[i];
  return squares;
}
