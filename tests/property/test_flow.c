/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must hold for any weights: the density is one, smooth enough, the prior far out; draws follow it; the order of coordinates is kept. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/special.h"
#include "learn/flow.h"

#define NORMALISATION 1e-3        /* of the integral: trapezoid rule over a density with slopes of a few hundred */
#define DRAW_TOLERANCE 1e-5       /* of ln q: a draw's own against the density's at the rounded draw, per unit of conditioning */
#define KS_LIMIT 1.95             /* sqrt(n) times the largest distance of cumulative distributions: exceeded once in 1000 */
#define N_FEATURE 5

/* A network as after training: sharp, multimodal, correlated. */
typedef struct fixture { sdn_network *net; float *weights; sdn_arena *arena; sdn_tile_work work; float x[N_FEATURE]; } fixture;

static int head;   /* the kind under test */

static void begin(fixture *f, int n_free, int n_layer, float spread)
{
  const sdn_arch arch = {.head = head, .n_component = 4, .n_free = n_free, .n_feature = N_FEATURE, .n_encoder = 16, .n_depth = 3, .n_context = 8, .n_layer = n_layer, .n_hidden = 16, .n_bin = 8, .n_bin_first = 12};
  sdn_err err;
  assert_int_equal(sdn_network_new(&arch, &f->net, &err), SDN_OK);
  f->weights = sdn_alloc(f->net->n_number, sizeof *f->weights, "weights", &err);
  sdn_network_initialise(f->net, 9, 0, f->weights);
  sdn_rng rng = sdn_rng_at(41, SDN_STREAM_TEST, (uint64_t)n_free);
  for (int w = 0; w < f->net->n_weight; w++) {   /* the maps' raw numbers become about `spread` large; what leads to them is left as it began */
    const sdn_weight *m = &f->net->weight[w];
    const bool map = w == f->net->at_context || w == f->net->at_context + 1 || (w >= f->net->at_head && (w - f->net->at_head) % SDN_FLOW_N == SDN_FLOW_OUTPUT);
    const float size = spread / sqrtf((float)(m->n_col > 0 ? m->n_col : 1));
    for (int i = 0; map && i < m->n_row * (m->n_col > 0 ? m->n_col : 1); i++) f->weights[m->offset + (size_t)i] += size * (float)sdn_rng_normal(&rng);
  }
  const sdn_weight *context = &f->net->weight[f->net->at_context - 2], *bias = &f->net->weight[f->net->at_context - 1];   /* the encoder's last */
  for (int i = 0; i < context->n_row * context->n_col; i++) f->weights[context->offset + (size_t)i] *= 0.1f;   /* a context of unit size */
  for (int i = 0; i < bias->n_row; i++) f->weights[bias->offset + (size_t)i] = (float)sdn_rng_normal(&rng);
  sdn_network_mask(f->net, f->weights);
  f->arena = sdn_arena_new(&err);
  assert_int_equal(sdn_tile_work_new(f->net, f->arena, &f->work, &err), SDN_OK);
  for (int i = 0; i < N_FEATURE; i++) f->x[i] = (float)sdn_rng_normal(&rng);
}

static void end(fixture *f)
{
  sdn_arena_free(f->arena);
  sdn_release(f->weights);
  sdn_network_free(f->net);
}

/* ln q of n points z [n][D], all of the same galaxy. */
static void ln_q_of(fixture *f, long n, const float *z, double *ln_q)
{
  const int d = f->net->arch.n_free;
  double tile[SDN_ROWS];
  for (long at = 0; at < n; at += SDN_ROWS) {
    const long m = n - at < SDN_ROWS ? n - at : SDN_ROWS;
    for (int r = 0; r < SDN_ROWS; r++) {
      memcpy(f->work.x_t + r * N_FEATURE, f->x, sizeof f->x);
      for (int i = 0; i < d; i++) f->work.z[i * SDN_ROWS + r] = z[(at + (r < m ? r : 0)) * d + i];
    }
    sdn_network_density(f->net, f->weights, &f->work, tile);
    memcpy(ln_q + at, tile, (size_t)m * sizeof *ln_q);
  }
}

/* Draws z [n][D] with their ln q, n a multiple of SDN_ROWS; known: value of the first coordinate, or NaN. */
static void draw(fixture *f, long n, float known, float *z, double *ln_q)
{
  const int d = f->net->arch.n_free;
  sdn_err err;
  sdn_draw_work w;
  float *given = malloc((size_t)f->net->n_given * sizeof *given);
  assert_int_equal(sdn_draw_work_new(f->net, f->arena, &w, &err), SDN_OK);
  for (int r = 0; r < SDN_ROWS; r++) memcpy(f->work.x_t + r * N_FEATURE, f->x, sizeof f->x);
  sdn_network_encode(f->net, f->weights, &f->work);
  for (int i = 0; i < f->net->n_given; i++) given[i] = f->work.given[i * SDN_ROWS];
  sdn_draw_galaxy(f->net, f->weights, &w, given, isnan(known) ? NULL : &known);
  for (long at = 0; at < n; at += SDN_ROWS) {
    sdn_rng rng = sdn_rng_at(42, SDN_STREAM_TEST, (uint64_t)at);
    sdn_rng_normals(&rng, SDN_ROWS * d, w.y);
    for (int r = 0; r < SDN_ROWS; r++) w.pick[r] = (float)sdn_rng_uniform(&rng);
    sdn_draw(f->net, f->weights, &w, ln_q + at);
    sdn_transpose(d, SDN_ROWS, w.y, z + at * d);
  }
  free(given);
}

/* P(first < z0), by the network. */
static double first_cdf(fixture *f, double z0)
{
  float z[SDN_ROWS];
  double cdf[SDN_ROWS];
  for (int r = 0; r < SDN_ROWS; r++) memcpy(f->work.x_t + r * N_FEATURE, f->x, sizeof f->x), z[r] = (float)z0;
  sdn_network_encode(f->net, f->weights, &f->work);
  sdn_network_first(f->net, f->weights, &f->work, z, cdf, NULL);
  return cdf[0];
}

static void one_dimension_integrates_to_one(void **state)
{
  (void)state;
  enum { N = 240001 };
  static float z[N];
  static double ln_q[N];
  fixture f;
  begin(&f, 1, 3, 0.25f);
  for (int i = 0; i < N; i++) z[i] = (float)(-12.0 + 1e-4 * i);
  ln_q_of(&f, N, z, ln_q);
  double sum = 0, largest_step = 0;
  for (int i = 0; i < N; i++) {
    assert_true(isfinite(ln_q[i]));
    sum += 1e-4 * exp(ln_q[i]);
    if (i > 0) largest_step = fmax(largest_step, fabs(ln_q[i] - ln_q[i - 1]));
    if (i % 2000 == 0 && !(fabs(sum - first_cdf(&f, (double)z[i])) < NORMALISATION))
      fail_msg("up to z = %g the density integrates to %.6f, the cumulative distribution is %.6f", (double)z[i], sum, first_cdf(&f, (double)z[i]));
  }
  if (!(fabs(sum - 1) <= NORMALISATION)) fail_msg("the density integrates to %.6f", sum);
  if (!(largest_step < 0.3)) fail_msg("ln q jumps by %g", largest_step);   /* continuous: a steep one moves by slope * 1e-4 */
  end(&f);
}

static void two_dimensions_integrate_to_one(void **state)
{
  (void)state;
  enum { N = 900 };
  const double step = 0.02, low = -9;
  float *z = malloc(sizeof *z * 2 * N);
  double *ln_q = malloc(sizeof *ln_q * N), sum = 0;
  fixture f;
  begin(&f, 2, 2, 0.2f);
  for (int i = 0; i < N; i++) {
    for (int j = 0; j < N; j++) z[2 * j] = (float)(low + step * i), z[2 * j + 1] = (float)(low + step * j);
    ln_q_of(&f, N, z, ln_q);
    for (int j = 0; j < N; j++) sum += step * step * exp(ln_q[j]);
  }
  if (!(fabs(sum - 1) <= 5 * NORMALISATION)) fail_msg("the density integrates to %.6f", sum);
  free(z);
  free(ln_q);
  end(&f);
}

static void far_out_it_is_the_prior(void **state)
{
  (void)state;
  fixture f;
  float z[2 * 3];
  double ln_q[2];
  begin(&f, 3, 3, 0.4f);
  for (int i = 0; i < 3; i++) z[i] = i % 2 ? -10.5f : 11.0f, z[3 + i] = 30.0f;
  ln_q_of(&f, 2, z, ln_q);
  for (int k = 0; k < 2; k++) {
    double prior = 0;
    for (int i = 0; i < 3; i++) prior += sdn_normal_ln_pdf((double)z[3 * k + i]);
    if (head == SDN_HEAD_MIXTURE) {   /* the prior is a member of it: never less than the floor times the prior */
      if (!(ln_q[k] >= prior + log(0.99e-4))) fail_msg("ln q %.9g, ln prior %.9g", ln_q[k], prior);
    }
    else if (!(fabs(ln_q[k] - prior) <= 1e-9 * fabs(prior))) fail_msg("ln q %.9g, ln prior %.9g", ln_q[k], prior);
  }
  end(&f);
}

static void draws_carry_the_density(void **state)
{
  (void)state;
  enum { N = 64 * 64, D = 6 };
  static float z[N * D];
  static double own[N], again[N];
  fixture f;
  begin(&f, D, 3, 0.2f);
  draw(&f, N, NAN, z, own);
  ln_q_of(&f, N, z, again);
  double sum = 0, worst = 0;
  for (int i = 0; i < N; i++) {
    assert_true(isfinite(own[i]));
    sum += fabs(own[i] - again[i]);
    worst = fmax(worst, fabs(own[i] - again[i]));
  }
  /* a draw is rounded to float32 before its density is asked again: 1e-7 times the slope of ln q, up to hundreds in the tails */
  if (!(sum / N <= DRAW_TOLERANCE)) fail_msg("ln q of draws differs by %.3g on average", sum / N);
  if (!(worst <= 100 * DRAW_TOLERANCE)) fail_msg("ln q of a draw differs by %.3g", worst);
  end(&f);
}

static int ascending(const void *a, const void *b) { return (*(const float *)a > *(const float *)b) - (*(const float *)a < *(const float *)b); }

static void draws_follow_the_density(void **state)
{
  (void)state;
  enum { N = 64 * 512, GRID = 12001 };
  static float z[N], grid[GRID];
  static double ln_q[N], density[GRID];
  fixture f;
  begin(&f, 1, 2, 0.3f);
  draw(&f, N, NAN, z, ln_q);
  for (int i = 0; i < GRID; i++) grid[i] = (float)(-6.0 + 0.001 * i);
  ln_q_of(&f, GRID, grid, density);
  qsort(z, N, sizeof *z, ascending);
  double cdf = 0, distance = 0;
  long below = 0;
  for (int i = 0; i < GRID; i++) {
    if (i > 0) cdf += 0.0005 * (exp(density[i]) + exp(density[i - 1]));
    while (below < N && z[below] < grid[i]) below++;
    distance = fmax(distance, fabs(cdf - (double)below / N));
  }
  if (!(sqrt((double)N) * distance < KS_LIMIT)) fail_msg("draws leave their density: sqrt(n) KS distance %.3f", sqrt((double)N) * distance);
  end(&f);
}

/* Importance: the mean of N(z) / q(z) over draws of q is 1 in any dimension. */
static void weights_against_the_prior_average_to_one(void **state)
{
  (void)state;
  enum { N = 64 * 2048, D = 4 };
  float *z = malloc(sizeof *z * N * D);
  double *ln_q = malloc(sizeof *ln_q * N), sum = 0, squares = 0;
  fixture f;
  begin(&f, D, 2, 0.12f);
  draw(&f, N, NAN, z, ln_q);
  for (int i = 0; i < N; i++) {
    double w = -ln_q[i];
    for (int k = 0; k < D; k++) w += sdn_normal_ln_pdf((double)z[i * D + k]);
    sum += exp(w);
    squares += exp(2 * w);
  }
  const double mean = sum / N, error = sqrt((squares / N - mean * mean) / N);
  if (!(fabs(mean - 1) <= 4 * error && error < 0.05)) fail_msg("mean weight %.4f +- %.4f", mean, error);
  free(z);
  free(ln_q);
  end(&f);
}

/* With the first coordinate known: ln q(rest | first) = ln q - ln q(first), and q(first) is the slope of its cumulative distribution. */
static void known_first_coordinate(void **state)
{
  (void)state;
  enum { N = 64, D = 4 };
  static float z[N * D];
  static double rest[N], joint[N];
  fixture f;
  begin(&f, D, 3, 0.15f);
  for (double z0 = -1.5; z0 < 1.6; z0 += 0.5) {
    const double step = 2e-3, ln_first = log((first_cdf(&f, z0 + step) - first_cdf(&f, z0 - step)) / (2 * step));
    draw(&f, N, (float)z0, z, rest);
    ln_q_of(&f, N, z, joint);
    for (int i = 0; i < N; i++) {
      assert_true(z[i * D] == (float)z0);
      if (!(fabs(joint[i] - rest[i] - ln_first) < 2e-2)) fail_msg("z0 %g: ln q %.6f, of the rest %.6f, of the first %.6f", z0, joint[i], rest[i], ln_first);
      if (i > 0 && !(fabs(joint[i] - rest[i] - joint[0] + rest[0]) < 100 * DRAW_TOLERANCE)) fail_msg("z0 %g: ln q(first) differs between draws", z0);
    }
  }
  end(&f);
}

/* The first coordinate's density does not feel the others, in any layer. */
static void first_coordinate_stands_alone(void **state)
{
  (void)state;
  fixture f;
  double chain[2];
  begin(&f, 5, 4, 0.3f);
  const sdn_flow_work *of_flow = f.work.head;
  for (int pass = 0; pass < 2; pass++) {
    double ln_q[SDN_ROWS];
    for (int r = 0; r < SDN_ROWS; r++) {
      memcpy(f.work.x_t + r * N_FEATURE, f.x, sizeof f.x);
      for (int i = 0; i < 5; i++) f.work.z[i * SDN_ROWS + r] = i == 0 ? 0.3f : 0.1f * (float)(i + r) - (pass ? 2.0f : 0.0f);
    }
    sdn_network_density(f.net, f.weights, &f.work, ln_q);
    chain[pass] = (double)of_flow->y[4][0];
    for (int r = 0; r < SDN_ROWS; r++) assert_true(of_flow->y[4][r] == of_flow->y[4][0]);
    for (int t = 0; t < 4; t++) assert_int_equal(((const sdn_flow *)f.net->head_plan)->order[t][0], 0);
  }
  assert_true(chain[0] == chain[1]);
  end(&f);
}

int main(void)
{
  const struct CMUnitTest of_all[] = {
    cmocka_unit_test(one_dimension_integrates_to_one), cmocka_unit_test(two_dimensions_integrate_to_one), cmocka_unit_test(far_out_it_is_the_prior),
    cmocka_unit_test(draws_carry_the_density), cmocka_unit_test(draws_follow_the_density), cmocka_unit_test(weights_against_the_prior_average_to_one),
    cmocka_unit_test(known_first_coordinate)};
  const struct CMUnitTest of_flows[] = {cmocka_unit_test(first_coordinate_stands_alone)};
  int failed = 0;
  for (head = 0; head < SDN_N_HEAD; head++) failed += cmocka_run_group_tests_name(sdn_head_name(head), of_all, NULL, NULL);
  for (head = 0; head < 2; head++) failed += cmocka_run_group_tests_name(sdn_head_name(head), of_flows, NULL, NULL);
  return failed;
}
