/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ensembles: weights against a closed form, a mixture's density and draws against its members', members trained together or apart, and what is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/special.h"
#include "learn/ensemble.h"
#include "support/learn_fixture.h"
#include "support/scratch.h"

#define IDENTITY 1e-9          /* of ln q: sums in double of the same numbers */
#define DRAW_TOLERANCE 1e-4    /* of a draw's ln q, kept as float32, against the density's */
#define N_GALAXY 70
#define N_DRAW 1500

static char library[1024], together[1024], apart[3][1024];
static const sdn_run alone = {.n_thread = 1};

static void must(sdn_status status, const sdn_err *err)
{
  if (status) fail_msg("%s", err->text);
}

static sdn_train_options options(const char *output)
{
  sdn_train_options o = learn_options(library, output, 6);
  o.head = "spline,affine";
  return o;
}

static int begin(void **state)
{
  sdn_err err;
  sdn_train_summary s;
  (void)state;
  snprintf(library, sizeof library, "%s", learn_library("ensemble.library.h5", 2000));
  snprintf(together, sizeof together, "%s", scratch_file("together.h5"));
  sdn_train_options o = options(together);
  o.n_member = 3;
  must(sdn_train(&o, &alone, &s, &err), &err);
  assert_int_equal(s.n_member, 3);
  for (int k = 0; k < 3; k++) {
    char name[32];
    snprintf(name, sizeof name, "apart%d.h5", k);
    snprintf(apart[k], sizeof apart[k], "%s", scratch_file(name));
    o = options(apart[k]);
    o.member = k;
    must(sdn_train(&o, &alone, NULL, &err), &err);
  }
  return 0;
}

/* Two members of which each is the better on some rows: with q_1 = r q_2 on a share s and q_2 / r on the rest, the derivative
 * s (r - 1) / (1 + w (r - 1)) = (1 - s) (1 - 1/r) / (1 - w (1 - 1/r)) gives w = (s (r + 1) - 1) / (r - 1). */
static void weights_maximise_the_likelihood(void **state)
{
  (void)state;
  enum { N = 20000 };
  const double s = 0.6, r = 4, expected = (s * (r + 1) - 1) / (r - 1);
  double *ln_q = malloc(2 * N * sizeof *ln_q), weight[2];
  for (int i = 0; i < N; i++) {
    ln_q[2 * i] = (i < s * N ? log(r) : -log(r)) - 3;
    ln_q[2 * i + 1] = -3;
  }
  sdn_mixture_weights(N, 2, ln_q, weight);
  if (!(fabs(weight[0] - expected) < 2e-3)) fail_msg("weight %.5f, expected %.5f", weight[0], expected);   /* EM stops when a round gains 1e-9 nats */
  assert_true(fabs(weight[0] + weight[1] - 1) < 1e-12);
  for (int i = 0; i < N; i++) ln_q[2 * i] = -50;   /* a useless member: next to nothing, not nothing */
  sdn_mixture_weights(N, 2, ln_q, weight);
  assert_true(weight[0] > 0 && weight[0] < 2.0 / N);
  free(ln_q);
}

typedef struct data { float z[N_GALAXY * LEARN_N_FREE], flux[N_GALAXY * LEARN_N_BAND], sigma[N_GALAXY * LEARN_N_BAND]; } data;

static void observe(const sdn_posterior *p, data *d)
{
  sdn_err err;
  float truth[N_GALAXY * LEARN_N_BAND];
  sdn_rng rng = sdn_rng_at(82, SDN_STREAM_TEST, 0);
  for (int i = 0; i < N_GALAXY * LEARN_N_FREE; i++) d->z[i] = (float)sdn_rng_normal(&rng);
  for (int i = 0; i < N_GALAXY; i++) learn_flux(d->z + i * LEARN_N_FREE, truth + i * LEARN_N_BAND);
  must(sdn_survey_draw(sdn_posterior_survey(p), N_GALAXY, truth, 5, SDN_STREAM_TEST, 0, d->flux, d->sigma, &err), &err);
}

static sdn_posterior *open_posterior(const char *path)
{
  sdn_posterior *p;
  sdn_err err;
  must(sdn_posterior_open(path, &p, &err), &err);
  return p;
}

/* ln q = ln sum_k w_k q_k, cdf = sum_k w_k cdf_k: the members being the files that were trained apart. */
static void density_is_the_members_sum(void **state)
{
  (void)state;
  static data d;
  static double total[N_GALAXY], one[3][N_GALAXY], cdf[N_GALAXY], own[3][N_GALAXY], first[N_GALAXY];
  sdn_err err;
  sdn_posterior *p = open_posterior(together);
  observe(p, &d);
  for (int i = 0; i < N_GALAXY; i++) first[i] = (double)d.z[i * LEARN_N_FREE];
  assert_int_equal(sdn_posterior_n_member(p), 3);
  must(sdn_posterior_ln_q(p, N_GALAXY, d.flux, d.sigma, d.z, total, NULL, &err), &err);
  must(sdn_posterior_first_cdf(p, N_GALAXY, d.flux, d.sigma, first, cdf, &err), &err);
  for (int k = 0; k < 3; k++) {
    sdn_posterior *m = open_posterior(apart[k]);
    assert_string_equal(sdn_posterior_member_head(p, k), k == 1 ? "affine" : "spline");
    assert_string_equal(sdn_posterior_member_head(m, 0), sdn_posterior_member_head(p, k));
    must(sdn_posterior_ln_q(m, N_GALAXY, d.flux, d.sigma, d.z, one[k], NULL, &err), &err);
    must(sdn_posterior_first_cdf(m, N_GALAXY, d.flux, d.sigma, first, own[k], &err), &err);
    sdn_posterior_free(m);
  }
  for (int i = 0; i < N_GALAXY; i++) {
    double sum = 0, sum_cdf = 0;
    for (int k = 0; k < 3; k++) {
      sum += sdn_posterior_member_weight(p, k) * exp(one[k][i]);
      sum_cdf += sdn_posterior_member_weight(p, k) * own[k][i];
    }
    if (!(fabs(log(sum) - total[i]) <= IDENTITY)) fail_msg("galaxy %d: ln q %.12g, of the members %.12g", i, total[i], log(sum));
    assert_true(fabs(sum_cdf - cdf[i]) <= IDENTITY);
  }
  assert_true(fabs(one[0][0] - one[2][0]) > 1e-6);   /* networks of one kind differ by their seeds */
  sdn_posterior_free(p);
}

/* Draws carry the mixture's ln q, also with a known first coordinate: ln q(rest | first) = ln q - ln q(first). */
static void draws_carry_the_mixtures_density(void **state)
{
  (void)state;
  static data d;
  static float z[N_DRAW * LEARN_N_FREE], ln_q[N_DRAW], flux[N_DRAW * LEARN_N_BAND], sigma[N_DRAW * LEARN_N_BAND];
  static double again[N_DRAW];
  sdn_err err;
  sdn_posterior *p = open_posterior(together);
  observe(p, &d);
  for (int known = 0; known < 2; known++)
    for (int g = 0; g < N_GALAXY; g += 33) {
      const double fixed[1] = {0.3};
      must(sdn_posterior_sample(p, 1, d.flux + g * LEARN_N_BAND, d.sigma + g * LEARN_N_BAND, known ? fixed : NULL, N_DRAW, 9, g, z, ln_q, NULL, &err), &err);
      for (int k = 0; k < N_DRAW; k++) {
        memcpy(flux + k * LEARN_N_BAND, d.flux + g * LEARN_N_BAND, sizeof(float) * LEARN_N_BAND);
        memcpy(sigma + k * LEARN_N_BAND, d.sigma + g * LEARN_N_BAND, sizeof(float) * LEARN_N_BAND);
      }
      must(sdn_posterior_ln_q(p, N_DRAW, flux, sigma, z, again, NULL, &err), &err);
      double ln_first = 0;
      if (known) {
        const double step = 1e-3, at[2] = {0.3 - step, 0.3 + step};
        double cdf[2];
        must(sdn_posterior_first_cdf(p, 2, flux, sigma, at, cdf, &err), &err);
        ln_first = log((cdf[1] - cdf[0]) / (2 * step));
      }
      for (int k = 0; k < N_DRAW; k++) {
        const double tolerance = known ? 1e-2 : DRAW_TOLERANCE;   /* the first coordinate's density by a difference of float32 numbers */
        if (!(fabs(again[k] - ln_first - (double)ln_q[k]) <= tolerance)) fail_msg("draw %d: ln q %.7g, recomputed %.7g", k, (double)ln_q[k], again[k] - ln_first);
      }
    }
  sdn_posterior_free(p);
}

/* Draws have names, prefixes hold, threads do not matter; the first hundred draws follow the mixture's first coordinate as well as all do. */
static void draws_have_names_and_follow_the_mixture(void **state)
{
  (void)state;
  static data d;
  static float all[N_GALAXY * N_DRAW * LEARN_N_FREE], some[N_DRAW * LEARN_N_FREE];
  static double first[N_GALAXY], cdf[N_GALAXY];
  sdn_err err;
  sdn_posterior *p = open_posterior(together);
  observe(p, &d);
  must(sdn_posterior_sample(p, N_GALAXY, d.flux, d.sigma, NULL, N_DRAW, 9, 0, all, NULL, NULL, &err), &err);
  for (int g = 5; g < N_GALAXY; g += 21)
    for (int threads = 1; threads <= 4; threads *= 2) {
      const sdn_run run = {.n_thread = threads};
      must(sdn_posterior_sample(p, 1, d.flux + g * LEARN_N_BAND, d.sigma + g * LEARN_N_BAND, NULL, 400 * threads - 100, 9, g, some, NULL, &run, &err), &err);
      assert_memory_equal(some, all + g * N_DRAW * LEARN_N_FREE, sizeof *some * (size_t)(400 * threads - 100) * LEARN_N_FREE);
    }
  for (int g = 0; g < N_GALAXY; g++) first[g] = (double)d.z[g * LEARN_N_FREE];
  must(sdn_posterior_first_cdf(p, N_GALAXY, d.flux, d.sigma, first, cdf, &err), &err);
  for (int pass = 0; pass < 2; pass++) {
    const int n = pass ? N_DRAW : 100;
    for (int g = 0; g < N_GALAXY; g++) {
      int below = 0;
      for (int k = 0; k < n; k++) below += (double)all[(g * N_DRAW + k) * LEARN_N_FREE] < first[g];
      if (!(fabs((double)below / n - cdf[g]) < 5 * 0.5 / sqrt(n))) fail_msg("galaxy %d: %d of %d draws below, cdf %.4f", g, below, n, cdf[g]);
    }
  }
  sdn_posterior_free(p);
}

static void members_trained_apart_give_the_same(void **state)
{
  (void)state;
  static char files[4096], joined[1024];
  static data d;
  static double one[N_GALAXY], other[N_GALAXY];
  sdn_err err;
  sdn_train_summary s;
  snprintf(joined, sizeof joined, "%s", scratch_file("joined.h5"));
  snprintf(files, sizeof files, "%s\n%s\n%s", apart[0], apart[1], apart[2]);
  sdn_ensemble_options o = {.posteriors = files, .output = joined, .library = library};
  must(sdn_ensemble(&o, &alone, &s, &err), &err);
  assert_true(s.n_member == 3 && s.n_test > 0 && s.test_ln_q > 1 && s.test_ln_q_error > 0);
  sdn_posterior *a = open_posterior(together), *b = open_posterior(joined);
  observe(a, &d);
  must(sdn_posterior_ln_q(a, N_GALAXY, d.flux, d.sigma, d.z, one, NULL, &err), &err);
  must(sdn_posterior_ln_q(b, N_GALAXY, d.flux, d.sigma, d.z, other, NULL, &err), &err);
  assert_memory_equal(one, other, sizeof one);
  sdn_posterior_free(b);
  o.library = NULL;   /* equal weights; a posterior may itself be a mixture */
  snprintf(files, sizeof files, "%s\n%s", together, apart[0]);
  must(sdn_ensemble(&o, &alone, &s, &err), &err);
  b = open_posterior(joined);
  assert_int_equal(sdn_posterior_n_member(b), 4);
  for (int k = 0; k < 4; k++) assert_true(sdn_posterior_member_weight(b, k) == 0.25);
  sdn_posterior_free(b);
  sdn_posterior_free(a);
}

/* A training that was stopped after its first member: nothing is lost, and the end is the same. */
static void stopped_ensembles_go_on(void **state)
{
  (void)state;
  static data d;
  static double one[N_GALAXY], other[N_GALAXY];
  sdn_err err;
  char path[1040], member[1060];
  snprintf(path, sizeof path, "%s", scratch_file("stopped.h5"));
  snprintf(member, sizeof member, "%s.member0", path);
  sdn_train_options whole = options(path), first = options(member);
  whole.n_member = 3;
  must(sdn_train(&first, &alone, NULL, &err), &err);
  assert_int_equal(sdn_train(&whole, &alone, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "--resume"));
  whole.resume = true;
  whole.learning_rate *= 2;
  assert_int_equal(sdn_train(&whole, &alone, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "learning_rate"));
  whole.learning_rate /= 2;
  must(sdn_train(&whole, &alone, NULL, &err), &err);
  assert_false(scratch_exists(member));
  sdn_posterior *a = open_posterior(together), *b = open_posterior(path);
  observe(a, &d);
  must(sdn_posterior_ln_q(a, N_GALAXY, d.flux, d.sigma, d.z, one, NULL, &err), &err);
  must(sdn_posterior_ln_q(b, N_GALAXY, d.flux, d.sigma, d.z, other, NULL, &err), &err);
  assert_memory_equal(one, other, sizeof one);
  sdn_posterior_free(a);
  sdn_posterior_free(b);
}

static void strangers_are_refused(void **state)
{
  (void)state;
  static char files[4096];
  sdn_err err;
  sdn_ensemble_options o = {.posteriors = files, .output = scratch_file("never.h5"), .library = library};
  char seed[1024];
  snprintf(seed, sizeof seed, "%s", scratch_file("seed.h5"));
  sdn_train_options t = options(seed);
  t.seed = 7;
  must(sdn_train(&t, &alone, NULL, &err), &err);
  snprintf(files, sizeof files, "%s\n%s", apart[0], seed);
  assert_int_equal(sdn_ensemble(&o, &alone, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "same seed"));
  snprintf(files, sizeof files, "%s\n%s", apart[0], library);
  o.library = NULL;
  assert_int_equal(sdn_ensemble(&o, &alone, NULL, &err), SDN_FORMAT);
  snprintf(files, sizeof files, "%s", apart[0]);
  o.output = apart[0];
  assert_int_equal(sdn_ensemble(&o, &alone, NULL, &err), SDN_USAGE);
  t = options(scratch_file("never.h5"));
  t.head = "spline,oracle";
  t.n_member = 2;
  assert_int_equal(sdn_train(&t, &alone, NULL, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "oracle"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(weights_maximise_the_likelihood), cmocka_unit_test(density_is_the_members_sum), cmocka_unit_test(draws_carry_the_mixtures_density),
    cmocka_unit_test(draws_have_names_and_follow_the_mixture), cmocka_unit_test(members_trained_apart_give_the_same), cmocka_unit_test(stopped_ensembles_go_on),
    cmocka_unit_test(strangers_are_refused)};
  return cmocka_run_group_tests_name("ensemble", tests, begin, NULL);
}
