/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/linear_gaussian.h"

#include <math.h>

#include "base/random.h"

#define NOISE 0.6
#define D LINEAR_N_FREE
#define N LINEAR_N_DATA

static const double A[N][D] = {{1.0, 0.3, 0.0}, {0.8, -0.5, 0.2}, {0.1, 1.2, -0.4}, {-0.3, 0.6, 0.9}, {0.5, 0.0, 0.7}, {0.2, -0.4, 0.3}};

/* Parameters belong to the row, noise to the row and the epoch; each split has its own stream. */
static sdn_status fill(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err)
{
  (void)ctx;
  (void)arena;
  (void)err;
  for (long i = 0; i < range->n; i++) {
    const uint32_t stream = SDN_STREAM_TEST + 16u * (uint32_t)range->split;
    sdn_rng truth = sdn_rng_at(51, stream, (uint64_t)range->row[i]), noise = sdn_rng_at(52 + (uint64_t)range->epoch, stream + 1, (uint64_t)range->row[i]);
    for (int k = 0; k < D; k++) z[i * D + k] = (float)sdn_rng_normal(&truth);
    for (int b = 0; b < N; b++) {
      double mean = 0;
      for (int k = 0; k < D; k++) mean += A[b][k] * (double)z[i * D + k];
      x[i * N + b] = (float)(mean + NOISE * sdn_rng_normal(&noise));
    }
  }
  return SDN_OK;
}

sdn_row_source linear_source(long n_train, long n_held_out)
{
  return (sdn_row_source){.n = {[SDN_SPLIT_TRAIN] = n_train, [SDN_SPLIT_VALIDATION] = n_held_out, [SDN_SPLIT_TEST] = n_held_out}, .fill = fill};
}

sdn_train_plan linear_plan(long n_epoch)
{
  return (sdn_train_plan){.arch = {.n_free = D, .n_feature = N, .n_encoder = 32, .n_depth = 3, .n_context = 16, .n_layer = 2, .n_hidden = 16, .n_bin = 8, .n_bin_first = 8},
                          .n_epoch = n_epoch, .batch = 256, .warm_up = 50, .seed = 3, .learning_rate = 5e-3, .weight_decay = 1e-4, .clip = 5, .ema = 0.99};
}

/* With precision P = I + A^T A / noise^2 and b = A^T x / noise^2: ln N(z; P^-1 b, P^-1) by Cholesky, P = L L^T. */
double linear_ln_posterior(const float *x, const float *z)
{
  double l[D][D], b[D], mean[D], ln_det = 0, square = 0;
  for (int i = 0; i < D; i++) {
    b[i] = 0;
    for (int k = 0; k < N; k++) b[i] += A[k][i] * (double)x[k] / (NOISE * NOISE);
    for (int j = 0; j <= i; j++) {
      double p = i == j ? 1 : 0;
      for (int k = 0; k < N; k++) p += A[k][i] * A[k][j] / (NOISE * NOISE);
      for (int k = 0; k < j; k++) p -= l[i][k] * l[j][k];
      l[i][j] = i == j ? sqrt(p) : p / l[j][j];
    }
    ln_det += log(l[i][i]);
  }
  for (int i = 0; i < D; i++) {
    mean[i] = b[i];
    for (int k = 0; k < i; k++) mean[i] -= l[i][k] * mean[k];
    mean[i] /= l[i][i];
  }
  for (int i = D - 1; i >= 0; i--) {
    for (int k = i + 1; k < D; k++) mean[i] -= l[k][i] * mean[k];
    mean[i] /= l[i][i];
  }
  for (int i = 0; i < D; i++) {   /* |L^T (z - mean)|^2 */
    double s = 0;
    for (int k = i; k < D; k++) s += l[k][i] * ((double)z[k] - mean[k]);
    square += s * s;
  }
  return ln_det - 0.5 * square - 0.5 * D * log(2 * acos(-1.0));
}
