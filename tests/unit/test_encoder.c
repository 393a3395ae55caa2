/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every kind of encoder against the same formulas in double precision (support/encoder_twin.c): contexts, and gradients by central differences. Then what an
 * encoder promises: a missing band has no influence, the order of exchangeable points none either. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "learn/encoder.h"
#include "support/encoder_twin.h"

/* float32 sums of some hundred terms through a chain of layers. */
#define TOLERANCE 2e-5
/* Of the gradient's typical size in its matrix: float32 against central differences in double precision. */
#define GRADIENT_TOLERANCE 1e-4
#define DIFFERENCE 1e-5
#define N_ROW 7           /* galaxies of the gradient test: a partly filled tile */
#define N_PROBE 24        /* weights probed per matrix */
#define N_CONTEXT 9

#define BASE .n_free = 2, .n_encoder = 20, .n_depth = 2, .n_context = N_CONTEXT, .n_layer = 1, .n_hidden = 8, .n_bin = 4, .n_bin_first = 4
static const sdn_arch archs[] = {
  {BASE, .encoder = SDN_ENCODER_MLP, .n_feature = 15, .n_token = 5},
  {BASE, .encoder = SDN_ENCODER_SET, .n_feature = 15, .n_token = 5, .n_token_hidden = 12, .n_token_depth = 2, .n_present = 3},
  {BASE, .encoder = SDN_ENCODER_SET, .n_feature = 6, .n_token = 6, .n_token_hidden = 12, .n_token_depth = 0},
  {BASE, .encoder = SDN_ENCODER_SET, .n_feature = 24, .n_token = 8, .n_token_hidden = 12, .n_token_depth = 1, .n_present = 2, .exchangeable = 2},
  {BASE, .encoder = SDN_ENCODER_CONVOLUTION, .n_feature = 60, .n_token = 30, .n_token_hidden = 6, .n_token_depth = 3, .first_pixel = 4, .n_pixel = 23},
  {BASE, .encoder = SDN_ENCODER_CONVOLUTION, .n_feature = 9, .n_token = 9, .n_token_hidden = 6, .n_token_depth = 1, .n_pixel = 9},   /* no other data */
  {BASE, .encoder = SDN_ENCODER_CONVOLUTION, .n_feature = 32, .n_token = 8, .n_token_hidden = 6, .n_token_depth = 2, .first_pixel = 3, .n_pixel = 5}};
enum { N_ARCH = sizeof archs / sizeof *archs, SET = 1, POINTS = 3 };

typedef struct setup {
  sdn_network *net;
  sdn_arena *arena;
  sdn_tile_work w;
  float *weights;
  double *exact;
} setup;

static setup begin(const sdn_arch *arch)
{
  setup s;
  sdn_err err;
  assert_int_equal(sdn_network_new(arch, &s.net, &err), SDN_OK);
  s.weights = sdn_alloc(s.net->n_number, sizeof *s.weights, "test weights", &err);
  s.exact = sdn_alloc(s.net->n_number, sizeof *s.exact, "test weights", &err);
  sdn_network_initialise(s.net, 3, 0, s.weights);
  sdn_rng rng = sdn_rng_at(5, SDN_STREAM_TEST, 0);
  for (size_t i = 0; i < s.net->n_number; i++) {   /* as after some training: no bias is zero any more */
    s.weights[i] += 0.1f * (float)sdn_rng_normal(&rng);
    s.exact[i] = (double)s.weights[i];
  }
  s.arena = sdn_arena_new(&err);
  assert_int_equal(sdn_tile_work_new(s.net, s.arena, &s.w, &err), SDN_OK);
  sdn_rng_normals(&rng, SDN_ROWS * arch->n_feature, s.w.x_t);   /* bits of either sign: half of the data are missing */
  return s;
}

static void end(setup *s)
{
  sdn_arena_free(s->arena);
  sdn_release(s->weights);
  sdn_release(s->exact);
  sdn_network_free(s->net);
}

static void encode(setup *s) { s->net->encoder->forward(s->net, s->weights, s->w.encoder, s->w.x_t, s->w.context); }

static void twin_of_row(const setup *s, int r, double *context)
{
  double x[128];
  for (int i = 0; i < s->net->arch.n_feature; i++) x[i] = (double)s->w.x_t[r * s->net->arch.n_feature + i];
  twin_encode(s->net, s->exact, x, context);
}

static void contexts_agree_with_plain_formulas(void **state)
{
  (void)state;
  for (int k = 0; k < N_ARCH; k++) {
    setup s = begin(&archs[k]);
    encode(&s);
    for (int r = 0; r < SDN_ROWS; r++) {
      double expected[N_CONTEXT];
      twin_of_row(&s, r, expected);
      for (int c = 0; c < N_CONTEXT; c++)
        if (!(fabs((double)s.w.context[c * SDN_ROWS + r] - expected[c]) <= TOLERANCE * (1 + fabs(expected[c]))))
          fail_msg("network %d, row %d: context %d is %.8f, not %.8f", k, r, c, (double)s.w.context[c * SDN_ROWS + r], expected[c]);
    }
    end(&s);
  }
}

/* sum of by_context context over the first galaxies, in double precision, as a function of one weight. */
static double loss_at(setup *s, size_t at, double value)
{
  const double kept = s->exact[at];
  double loss = 0, context[N_CONTEXT];
  s->exact[at] = value;
  for (int r = 0; r < N_ROW; r++) {
    twin_of_row(s, r, context);
    for (int c = 0; c < N_CONTEXT; c++) loss += (double)s->w.by_context[c * SDN_ROWS + r] * context[c];
  }
  s->exact[at] = kept;
  return loss;
}

static double rms(const float *a, int n)
{
  double sum = 0;
  for (int i = 0; i < n; i++) sum += (double)a[i] * (double)a[i];
  return sqrt(sum / n);
}

static int numbers_of(const sdn_weight *m) { return m->n_row * (m->n_col > 0 ? m->n_col : 1); }

static void probe_matrix(setup *s, int which, const float *gradient)
{
  const sdn_weight *m = &s->net->weight[which];
  const int n = numbers_of(m);
  const double size = rms(gradient + m->offset, n);
  sdn_rng rng = sdn_rng_at(7, SDN_STREAM_TEST, (uint64_t)which);
  for (int k = 0; k < N_PROBE; k++) {
    const size_t at = m->offset + (size_t)sdn_rng_below(&rng, n);
    const double expected = (loss_at(s, at, s->exact[at] + DIFFERENCE) - loss_at(s, at, s->exact[at] - DIFFERENCE)) / (2 * DIFFERENCE);
    if (!(fabs((double)gradient[at] - expected) <= GRADIENT_TOLERANCE * (fabs(expected) + size)))
      fail_msg("%s %s: gradient of number %zu is %.7g, by differences %.7g (typical %.3g)", sdn_encoder_name(s->net->arch.encoder), m->name, at - m->offset,
               (double)gradient[at], expected, size);
  }
}

static void gradients(setup *s, bool add, float *gradient)
{
  encode(s);
  s->net->encoder->backward(s->net, s->weights, s->w.encoder, s->w.x_t, s->w.by_context, add, gradient);
}

static void gradients_agree_with_differences_and_add_up(void **state)
{
  (void)state;
  sdn_err err;
  for (int k = 0; k < N_ARCH; k++) {
    setup s = begin(&archs[k]);
    float *once = sdn_alloc(s.net->n_number, sizeof *once, "a gradient", &err), *twice = sdn_alloc(s.net->n_number, sizeof *twice, "a gradient", &err);
    sdn_rng rng = sdn_rng_at(8, SDN_STREAM_TEST, 0);
    for (int c = 0; c < N_CONTEXT; c++)
      for (int r = 0; r < SDN_ROWS; r++) s.w.by_context[c * SDN_ROWS + r] = r < N_ROW ? (float)sdn_rng_normal(&rng) : 0;
    for (size_t i = 0; i < s.net->n_number; i++) once[i] = twice[i] = 7;   /* must be overwritten */
    gradients(&s, false, once);
    gradients(&s, false, twice);
    gradients(&s, true, twice);
    for (int i = s.net->at_encoder; i < s.net->at_context; i++) {
      const sdn_weight *m = &s.net->weight[i];
      probe_matrix(&s, i, once);
      for (size_t at = m->offset; at < m->offset + (size_t)numbers_of(m); at++)
        assert_true(fabs((double)twice[at] - 2 * (double)once[at]) <= 1e-5 * (rms(once + m->offset, numbers_of(m)) + fabs((double)once[at])));   /* another order of sums */
    }
    sdn_release(once);
    sdn_release(twice);
    end(&s);
  }
}

/* Other features of the bands whose bit is negative: not one bit of the context changes. */
static void what_is_missing_has_no_influence(void **state)
{
  (void)state;
  const sdn_arch *a = &archs[SET];
  setup s = begin(a);
  float before[N_CONTEXT * SDN_ROWS];
  encode(&s);
  memcpy(before, s.w.context, sizeof before);
  int n_missing = 0;
  for (int r = 0; r < SDN_ROWS; r++)
    for (int b = 0; b < a->n_token; b++) {
      float *x = s.w.x_t + r * a->n_feature + b;
      if (x[2 * a->n_token] >= 0) continue;
      n_missing++;
      x[0] = -x[0] + 3;
      x[a->n_token] = 17;
    }
  assert_true(n_missing > 50);
  encode(&s);
  assert_memory_equal(before, s.w.context, sizeof before);
  end(&s);
}

/* Points of two numbers, in another order: the same context but for the order of sums. */
static void order_of_exchangeable_points_has_no_influence(void **state)
{
  (void)state;
  const sdn_arch *a = &archs[POINTS];
  setup s = begin(a);
  float before[N_CONTEXT * SDN_ROWS];
  encode(&s);
  memcpy(before, s.w.context, sizeof before);
  for (int r = 0; r < SDN_ROWS; r++)
    for (int k = 0; k < a->n_feature / a->n_token; k++) {   /* of each kind of feature: point 0 to the end, the others one on */
      float *x = s.w.x_t + r * a->n_feature + k * a->n_token, first[2] = {x[0], x[1]};
      memmove(x, x + 2, (size_t)(a->n_token - 2) * sizeof *x);
      memcpy(x + a->n_token - 2, first, sizeof first);
    }
  encode(&s);
  for (int i = 0; i < N_CONTEXT * SDN_ROWS; i++) assert_true(fabs((double)(before[i] - s.w.context[i])) <= TOLERANCE * (1 + fabs((double)before[i])));
  end(&s);
}

static void impossible_networks_are_refused(void **state)
{
  (void)state;
  sdn_arch bad[] = {archs[SET], archs[SET], archs[POINTS], archs[4], archs[4], archs[4], archs[SET]};
  const char *says[] = {"not a multiple", "n_token_hidden", "must divide", "at least 5 pixels", "at least 5 pixels", "n_token_depth", "feature that tells"};
  bad[0].n_feature = 16;
  bad[1].n_token_hidden = 0;
  bad[2].exchangeable = 3;
  bad[3].n_pixel = 4;
  bad[4].first_pixel = 8;
  bad[5].n_token_depth = 0;
  bad[6].n_present = 4;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    sdn_network *net;
    sdn_err err;
    assert_int_equal(sdn_network_new(&bad[i], &net, &err), SDN_RANGE);
    assert_null(net);
    if (!strstr(err.text, says[i])) fail_msg("network %zu: '%s' does not say '%s'", i, err.text, says[i]);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(contexts_agree_with_plain_formulas), cmocka_unit_test(gradients_agree_with_differences_and_add_up),
                                     cmocka_unit_test(what_is_missing_has_no_influence), cmocka_unit_test(order_of_exchangeable_points_has_no_influence),
                                     cmocka_unit_test(impossible_networks_are_refused)};
  return cmocka_run_group_tests_name("encoder", tests, NULL, NULL);
}
