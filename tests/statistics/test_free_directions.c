/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Trust: linear algebra. z ~ N(0, I_8), fourteen data x = A z + NOISE N(0, I) with A of rank 5: along three directions, oblique to the coordinates, the
 * posterior is the prior. It is normal with precision P = I + A^T A / NOISE^2 and mean P^-1 A^T x / NOISE^2. A trained network must be near it in
 * Kullback-Leibler divergence, and its ranks must be uniform as nearly as those of exact draws are. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/random.h"
#include "support/trained.h"

#define D 8
#define N_DATA 14
#define RANK 5
#define NOISE 1.5
#define N_TRAIN 20000       /* rows of a pass; every pass has new ones */
#define N_PASS 60
#define N_TEST 10000
#define N_DRAW 128
#define KL_LIMIT 0.01       /* nats: what the project promises */
#define RANK_LIMIT 0.02     /* ditto: of the ranks' cumulative distribution; 10^4 exact data sets exceed it in one coordinate once in 1500 */

/* a [14][8]; P = lower lower^T. */
typedef struct problem { double a[N_DATA][D], lower[D][D]; } problem;

static void make_problem(problem *p)
{
  double left[N_DATA][RANK], right[RANK][D];
  sdn_rng rng = sdn_rng_at(81, SDN_STREAM_TEST, 0);
  for (int k = 0; k < N_DATA; k++)
    for (int j = 0; j < RANK; j++) left[k][j] = sdn_rng_normal(&rng);
  for (int j = 0; j < RANK; j++)
    for (int i = 0; i < D; i++) right[j][i] = sdn_rng_normal(&rng) / sqrt(D);
  for (int k = 0; k < N_DATA; k++)
    for (int i = 0; i < D; i++) {
      p->a[k][i] = 0;
      for (int j = 0; j < RANK; j++) p->a[k][i] += left[k][j] * right[j][i];
    }
  for (int i = 0; i < D; i++)
    for (int j = 0; j <= i; j++) {
      double sum = i == j ? 1 : 0;
      for (int k = 0; k < N_DATA; k++) sum += p->a[k][i] * p->a[k][j] / (NOISE * NOISE);
      for (int k = 0; k < j; k++) sum -= p->lower[i][k] * p->lower[j][k];
      p->lower[i][j] = i == j ? sqrt(sum) : sum / p->lower[j][j];
    }
}

/* v -> lower^-T v */
static void solve_upper(const problem *p, double *v)
{
  for (int i = D - 1; i >= 0; i--) {
    for (int k = i + 1; k < D; k++) v[i] -= p->lower[k][i] * v[k];
    v[i] /= p->lower[i][i];
  }
}

static void posterior_mean(const problem *p, const float *x, double *mean)
{
  for (int i = 0; i < D; i++) {
    mean[i] = 0;
    for (int k = 0; k < N_DATA; k++) mean[i] += p->a[k][i] * (double)x[k] / (NOISE * NOISE);
    for (int k = 0; k < i; k++) mean[i] -= p->lower[i][k] * mean[k];
    mean[i] /= p->lower[i][i];
  }
  solve_upper(p, mean);
}

/* ln p(z | x) - ln N(z; 0, I): the factors 2 pi cancel. */
static double exact_gain(const problem *p, const float *x, const float *z)
{
  double mean[D], gain = 0;
  posterior_mean(p, x, mean);
  for (int i = 0; i < D; i++) {   /* lower^T (z - mean) */
    double s = 0;
    for (int k = i; k < D; k++) s += p->lower[k][i] * ((double)z[k] - mean[k]);
    gain += log(p->lower[i][i]) - 0.5 * s * s + 0.5 * (double)z[i] * (double)z[i];
  }
  return gain;
}

static void exact_draw(const problem *p, const float *x, uint64_t name, float *z)
{
  double mean[D], v[D];
  sdn_rng rng = sdn_rng_at(82, SDN_STREAM_TEST, name);
  posterior_mean(p, x, mean);
  for (int k = 0; k < N_DRAW; k++) {
    for (int i = 0; i < D; i++) v[i] = sdn_rng_normal(&rng);
    solve_upper(p, v);
    for (int i = 0; i < D; i++) z[k * D + i] = (float)(mean[i] + v[i]);
  }
}

/* Row and pass name parameters and noise; each split has its own stream. */
static sdn_status fill(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err)
{
  const problem *p = ctx;
  (void)arena;
  (void)err;
  for (long r = 0; r < range->n; r++) {
    sdn_rng rng = sdn_rng_at(83 + (uint64_t)range->epoch, SDN_STREAM_TEST + 16u * (uint32_t)range->split, (uint64_t)range->row[r]);
    for (int i = 0; i < D; i++) z[r * D + i] = (float)sdn_rng_normal(&rng);
    for (int k = 0; k < N_DATA; k++) {
      double mean = 0;
      for (int i = 0; i < D; i++) mean += p->a[k][i] * (double)z[r * D + i];
      x[r * N_DATA + k] = (float)(mean + NOISE * sdn_rng_normal(&rng));
    }
  }
  return SDN_OK;
}

static void test_row(problem *p, long row, float *x, float *z)
{
  sdn_err err;
  const sdn_row_range one = {.split = SDN_SPLIT_TEST, .n = 1, .row = &row};
  fill(p, &one, x, z, NULL, &err);
}

/* How many of the draws lie below the truth, counted for each coordinate. */
static void count_ranks(const float *draw, const float *truth, long count[D][N_DRAW + 1])
{
  for (int i = 0; i < D; i++) {
    int rank = 0;
    for (int k = 0; k < N_DRAW; k++) rank += draw[k * D + i] < truth[i];
    count[i][rank]++;
  }
}

/* The largest distance of the ranks' cumulative distribution from the uniform one over 0 .. N_DRAW, in any coordinate. */
static double deviation(long count[D][N_DRAW + 1])
{
  double worst = 0;
  for (int i = 0; i < D; i++) {
    long below = 0;
    for (int k = 0; k <= N_DRAW; k++) {
      below += count[i][k];
      worst = fmax(worst, fabs((double)below / N_TEST - (double)(k + 1) / (N_DRAW + 1)));
    }
  }
  return worst;
}

static void check_ranks(problem *p, trained *n)
{
  static float draw[N_DRAW * D];
  static long of_network[D][N_DRAW + 1], of_exact[D][N_DRAW + 1];
  for (long row = 0; row < N_TEST; row++) {
    float x[N_DATA], z[D];
    test_row(p, row, x, z);
    trained_draw(n, x, (uint64_t)row, N_DRAW, draw);
    count_ranks(draw, z, of_network);
    exact_draw(p, x, (uint64_t)row, draw);
    count_ranks(draw, z, of_exact);
  }
  const double network = deviation(of_network), exact = deviation(of_exact);
  print_message("ranks deviate from uniform by %.4f, those of exact draws by %.4f\n", network, exact);
  if (!(exact <= RANK_LIMIT)) fail_msg("ranks of exact draws deviate by %.4f: the problem or the count is wrong", exact);
  if (!(network <= RANK_LIMIT)) fail_msg("ranks deviate by %.4f", network);
}

static void network_is_the_exact_posterior(void **state)
{
  (void)state;
  static problem p;
  make_problem(&p);
  const sdn_train_plan plan = {
    .arch = {.n_free = D, .n_feature = N_DATA, .n_encoder = 32, .n_depth = 2, .n_context = 24, .n_layer = 1, .n_hidden = 24, .n_bin = 8, .n_bin_first = 8},
    .optimiser = SDN_MUON, .n_epoch = N_PASS, .batch = 512, .warm_up = 50, .seed = 3, .learning_rate = 1e-2, .weight_decay = 0, .clip = 5, .ema = 0.998};
  const sdn_row_source source = {.ctx = &p, .n = {[SDN_SPLIT_TRAIN] = N_TRAIN, [SDN_SPLIT_VALIDATION] = 2000, [SDN_SPLIT_TEST] = N_TEST}, .fill = fill};
  trained n;
  sdn_err err;
  double gain, error, exact = 0;
  trained_new(&n, &plan, &source);
  assert_int_equal(sdn_trainer_gain(n.t, n.t->state.best, SDN_SPLIT_TEST, &gain, &error, &err), SDN_OK);
  for (long row = 0; row < N_TEST; row++) {
    float x[N_DATA], z[D];
    test_row(&p, row, x, z);
    exact += exact_gain(&p, x, z) / N_TEST;
  }
  print_message("information gain %.4f nats, exact %.4f: KL %.4f nats after %.1f s\n", gain, exact, exact - gain, n.t->state.seconds);
  if (!(exact - gain <= KL_LIMIT && exact - gain > -0.003)) fail_msg("KL divergence %.4f nats", exact - gain);
  check_ranks(&p, &n);
  trained_free(&n);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(network_is_the_exact_posterior)};
  return cmocka_run_group_tests_name("free_directions", tests, NULL, NULL);
}
