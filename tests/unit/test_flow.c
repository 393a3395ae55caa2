/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ln q and its gradient against the same formulas in double precision (support/flow_twin.c); draws against the density. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "learn/flow.h"
#include "support/flow_twin.h"

/* float32 sums of some hundred terms through a chain of layers. */
#define LN_Q_TOLERANCE 2e-5
/* Of the gradient's typical size in its matrix: float32 against central differences in double precision. */
#define GRADIENT_TOLERANCE 1e-4
#define DIFFERENCE 1e-5
#define N_ROW 11          /* galaxies of the gradient test: a partly filled tile */
#define N_PROBE 24        /* weights probed per matrix */

static int head;   /* the kind under test */

static sdn_network *make_network(int n_free, int n_layer, float **weights)
{
  const sdn_arch arch = {.head = head, .n_component = 3, .n_free = n_free, .n_feature = 7, .n_encoder = 20, .n_depth = 3, .n_context = 12, .n_layer = n_layer, .n_hidden = 18, .n_bin = 6, .n_bin_first = 9};
  sdn_network *net;
  sdn_err err;
  assert_int_equal(sdn_network_new(&arch, &net, &err), SDN_OK);
  *weights = sdn_alloc(net->n_number, sizeof **weights, "test weights", &err);
  sdn_network_initialise(net, 3, 0, *weights);
  sdn_rng rng = sdn_rng_at(5, SDN_STREAM_TEST, (uint64_t)n_free);
  for (int i = 0; i < net->n_weight; i++) {   /* as after some training: nothing is zero any more */
    const sdn_weight *w = &net->weight[i];
    for (int k = 0; k < w->n_row * (w->n_col > 0 ? w->n_col : 1); k++) (*weights)[w->offset + (size_t)k] += 0.15f * (float)sdn_rng_normal(&rng);
  }
  const sdn_weight *context = &net->weight[net->at_context - 2];   /* a context of about unit size: maps that float32 can resolve */
  for (int k = 0; k < context->n_row * context->n_col; k++) (*weights)[context->offset + (size_t)k] *= 0.2f;
  sdn_network_mask(net, *weights);
  return net;
}

/* A tile of random galaxies; z reaches beyond every bound. */
static void fill_tile(const sdn_network *net, sdn_tile_work *w)
{
  sdn_rng rng = sdn_rng_at(6, SDN_STREAM_TEST, 0);
  sdn_rng_normals(&rng, SDN_ROWS * net->arch.n_feature, w->x_t);
  sdn_rng_normals(&rng, SDN_ROWS * net->arch.n_free, w->z);
  for (int i = 0; i < SDN_ROWS * net->arch.n_free; i += 13) w->z[i] *= 3.5f;
  w->z[1] = 11.5f;
}

static double twin_of_row(const sdn_network *net, const double *weights, const float *x_t, const float *z, int r)
{
  double x[64], zz[SDN_MAX_FREE];
  for (int i = 0; i < net->arch.n_feature; i++) x[i] = (double)x_t[r * net->arch.n_feature + i];
  for (int i = 0; i < net->arch.n_free; i++) zz[i] = (double)z[i * SDN_ROWS + r];
  return twin_ln_q(net, weights, x, zz);
}

static double *doubles(size_t n, const float *a)
{
  double *b = malloc(n * sizeof *b);
  for (size_t i = 0; i < n; i++) b[i] = (double)a[i];
  return b;
}

static void check_density(int n_free, int n_layer)
{
  float *weights;
  sdn_err err;
  sdn_tile_work w;
  double ln_q[SDN_ROWS];
  sdn_network *net = make_network(n_free, n_layer, &weights);
  sdn_arena *arena = sdn_arena_new(&err);
  assert_int_equal(sdn_tile_work_new(net, arena, &w, &err), SDN_OK);
  fill_tile(net, &w);
  sdn_network_density(net, weights, &w, ln_q);
  double *exact = doubles(net->n_number, weights);
  for (int r = 0; r < SDN_ROWS; r++) {
    const double expected = twin_of_row(net, exact, w.x_t, w.z, r);
    if (!(fabs(ln_q[r] - expected) <= LN_Q_TOLERANCE * (1 + fabs(expected))))
      fail_msg("%d parameters, %d layers, row %d: ln q is %.8f, not %.8f", n_free, n_layer, r, ln_q[r], expected);
  }
  free(exact);
  sdn_arena_free(arena);
  sdn_release(weights);
  sdn_network_free(net);
}

static void density_agrees_with_plain_formulas(void **state)
{
  (void)state;
  for (head = 0; head < SDN_N_HEAD; head++) {
    check_density(1, 1);
    check_density(1, 3);
    check_density(2, 2);
    check_density(3, 3);
    check_density(5, 3);
    check_density(8, 4);
  }
}

/* -sum of weighted ln q in double precision, as a function of one weight. */
static double loss_at(const sdn_network *net, double *weights, size_t at, double value, const sdn_tile_work *w, const float *row_weight)
{
  const double kept = weights[at];
  double loss = 0;
  weights[at] = value;
  for (int r = 0; r < N_ROW; r++) loss -= (double)row_weight[r] * twin_of_row(net, weights, w->x_t, w->z, r);
  weights[at] = kept;
  return loss;
}

static double rms(const float *a, int n)
{
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (double)a[i] * (double)a[i];
  return sqrt(sum / n);
}

static void probe_matrix(const sdn_network *net, int which, double *exact, const float *gradient, const sdn_tile_work *w, const float *row_weight)
{
  const sdn_weight *m = &net->weight[which];
  const int n = m->n_row * (m->n_col > 0 ? m->n_col : 1);
  sdn_rng rng = sdn_rng_at(7, SDN_STREAM_TEST, (uint64_t)which);
  for (int k = 0; n > 0 && k < N_PROBE; k++) {
    const size_t at = m->offset + (size_t)sdn_rng_below(&rng, n);
    if (exact[at] == 0) {   /* forbidden by the order of coordinates */
      assert_true(gradient[at] == 0);
      continue;
    }
    const double up = loss_at(net, exact, at, exact[at] + DIFFERENCE, w, row_weight), down = loss_at(net, exact, at, exact[at] - DIFFERENCE, w, row_weight);
    const double expected = (up - down) / (2 * DIFFERENCE), size = rms(gradient + m->offset, n);
    if (!(fabs((double)gradient[at] - expected) <= GRADIENT_TOLERANCE * (fabs(expected) + size)))
      fail_msg("%s: gradient of number %zu is %.7g, by differences %.7g (typical %.3g)", m->name, at - m->offset, (double)gradient[at], expected, size);
  }
}

static void check_gradient(int n_free, int n_layer)
{
  float *weights, row_weight[SDN_ROWS] = {0};
  sdn_err err;
  sdn_tile_work w;
  double ln_q[SDN_ROWS];
  sdn_network *net = make_network(n_free, n_layer, &weights);
  sdn_arena *arena = sdn_arena_new(&err);
  float *gradient = sdn_alloc(net->n_number, sizeof *gradient, "a test gradient", &err);
  assert_int_equal(sdn_tile_work_new(net, arena, &w, &err), SDN_OK);
  fill_tile(net, &w);
  for (int r = 0; r < N_ROW; r++) row_weight[r] = 0.1f + 0.02f * (float)r;
  sdn_network_density(net, weights, &w, ln_q);
  sdn_network_gradient(net, weights, &w, row_weight, false, gradient);
  sdn_network_mask(net, gradient);
  double *exact = doubles(net->n_number, weights);
  for (int i = 0; i < net->n_weight; i++) probe_matrix(net, i, exact, gradient, &w, row_weight);
  free(exact);
  sdn_release(gradient);
  sdn_arena_free(arena);
  sdn_release(weights);
  sdn_network_free(net);
}

static void gradient_agrees_with_differences(void **state)
{
  (void)state;
  for (head = 0; head < SDN_N_HEAD; head++) {
    check_gradient(1, 2);
    check_gradient(2, 1);
    check_gradient(5, 3);
  }
}

/* Adding to a gradient is the same as summing two. */
static void check_sum(void)
{
  float *weights, row_weight[SDN_ROWS];
  sdn_err err;
  sdn_tile_work w;
  double ln_q[SDN_ROWS];
  sdn_network *net = make_network(4, 2, &weights);
  sdn_arena *arena = sdn_arena_new(&err);
  float *once = sdn_alloc(net->n_number, sizeof *once, "a gradient", &err), *twice = sdn_alloc(net->n_number, sizeof *twice, "a gradient", &err);
  assert_int_equal(sdn_tile_work_new(net, arena, &w, &err), SDN_OK);
  for (int r = 0; r < SDN_ROWS; r++) row_weight[r] = 1.0f / SDN_ROWS;
  for (int pass = 0; pass < 3; pass++) {
    fill_tile(net, &w);
    sdn_network_density(net, weights, &w, ln_q);
    sdn_network_gradient(net, weights, &w, row_weight, pass == 2, pass == 0 ? once : twice);
  }
  for (int i = 0; i < net->n_weight; i++) {
    const sdn_weight *m = &net->weight[i];
    const int n = m->n_row * (m->n_col > 0 ? m->n_col : 1);
    for (int k = 0; k < n; k++) {
      const double a = (double)once[m->offset + (size_t)k], b = (double)twice[m->offset + (size_t)k];
      assert_true(fabs(b - 2 * a) <= 1e-5 * rms(once + m->offset, n) + 1e-5 * fabs(a));   /* k products in another order */
    }
  }
  sdn_release(once);
  sdn_release(twice);
  sdn_arena_free(arena);
  sdn_release(weights);
  sdn_network_free(net);
}

static void gradients_add_up(void **state)
{
  (void)state;
  for (head = 0; head < SDN_N_HEAD; head++) check_sum();
}

static void check_beginning(void)
{
  const sdn_arch arch = {.head = head, .n_free = 6, .n_feature = 9, .n_encoder = 32, .n_depth = 3, .n_context = 16, .n_layer = 3, .n_hidden = 24, .n_bin = 8, .n_bin_first = 12};
  sdn_network *net;
  sdn_err err;
  sdn_tile_work w;
  double ln_q[SDN_ROWS];
  assert_int_equal(sdn_network_new(&arch, &net, &err), SDN_OK);
  float *weights = sdn_alloc(net->n_number, sizeof *weights, "weights", &err);
  sdn_network_initialise(net, 1, 0, weights);
  sdn_arena *arena = sdn_arena_new(&err);
  assert_int_equal(sdn_tile_work_new(net, arena, &w, &err), SDN_OK);
  fill_tile(net, &w);
  sdn_network_density(net, weights, &w, ln_q);
  for (int r = 0; r < SDN_ROWS; r++) {
    double prior = 0;
    for (int i = 0; i < 6; i++) prior -= 0.5 * pow((double)w.z[i * SDN_ROWS + r], 2) + 0.5 * log(2 * acos(-1.0));
    if (!(fabs(ln_q[r] - prior) <= LN_Q_TOLERANCE * (1 + fabs(prior)))) fail_msg("row %d: %.8f, the prior has %.8f", r, ln_q[r], prior);
  }
  sdn_arena_free(arena);
  sdn_release(weights);
  sdn_network_free(net);
}

/* Of the flows; the mixture's members must differ from the start. */
static void begin_as_the_prior(void **state)
{
  (void)state;
  for (head = 0; head < SDN_N_HEAD; head++)
    if (head != SDN_HEAD_MIXTURE) check_beginning();
}

static void impossible_sizes_are_refused(void **state)
{
  (void)state;
  const sdn_arch good = {.n_free = 3, .n_feature = 4, .n_encoder = 8, .n_depth = 3, .n_context = 4, .n_layer = 2, .n_hidden = 8, .n_bin = 4, .n_bin_first = 4};
  sdn_arch bad[5] = {good, good, good, good, good};
  bad[0].n_free = SDN_MAX_FREE + 1;
  bad[1].n_layer = 0;
  bad[2].n_bin = SDN_SPLINE_MAX_BIN + 1;
  bad[3].n_bin_first = 1;
  bad[4].n_encoder = -3;
  for (int i = 0; i < 5; i++) {
    sdn_network *net;
    sdn_err err;
    assert_int_equal(sdn_network_new(&bad[i], &net, &err), SDN_RANGE);
    assert_null(net);
    assert_non_null(strstr(err.text, "between"));
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(density_agrees_with_plain_formulas), cmocka_unit_test(gradient_agrees_with_differences),
                                     cmocka_unit_test(gradients_add_up), cmocka_unit_test(begin_as_the_prior),
                                     cmocka_unit_test(impossible_sizes_are_refused)};
  return cmocka_run_group_tests_name("flow", tests, NULL, NULL);
}
