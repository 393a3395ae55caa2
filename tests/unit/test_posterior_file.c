/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A trained posterior through its file: what is written is what is read, and what is asked of it holds together. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/h5.h"
#include "base/random.h"
#include "base/special.h"
#include "learn/posterior.h"
#include "support/learn_fixture.h"
#include "support/scratch.h"

#define DRAW_TOLERANCE 1e-4   /* of ln q, single draws: float32 rounding of z times the slope of ln q */
#define MEAN_TOLERANCE 1e-5   /* on average over draws */
#define N_GALAXY 150          /* more than two tiles */
#define N_DRAW 1100           /* more than one piece of work, and no whole number of tiles */

typedef struct fixture { sdn_posterior *p; float z[N_GALAXY * LEARN_N_FREE], flux[N_GALAXY * LEARN_N_BAND], sigma[N_GALAXY * LEARN_N_BAND]; } fixture;
static fixture f;
static float *draws, *ln_q;   /* [N_GALAXY][N_DRAW][D], [N_GALAXY][N_DRAW] */

static int begin(void **state)
{
  sdn_err err;
  float truth[N_GALAXY * LEARN_N_BAND];
  sdn_rng rng = sdn_rng_at(81, SDN_STREAM_TEST, 0);
  (void)state;
  if (sdn_posterior_open(learn_posterior(), &f.p, &err)) fail_msg("%s", err.text);
  for (int i = 0; i < N_GALAXY * LEARN_N_FREE; i++) f.z[i] = (float)sdn_rng_normal(&rng);
  for (int i = 0; i < N_GALAXY; i++) learn_flux(f.z + i * LEARN_N_FREE, truth + i * LEARN_N_BAND);
  if (sdn_survey_draw(sdn_posterior_survey(f.p), N_GALAXY, truth, 5, SDN_STREAM_TEST, 0, f.flux, f.sigma, &err)) fail_msg("%s", err.text);
  draws = malloc(sizeof *draws * N_GALAXY * N_DRAW * LEARN_N_FREE);
  ln_q = malloc(sizeof *ln_q * N_GALAXY * N_DRAW);
  return sdn_posterior_sample(f.p, N_GALAXY, f.flux, f.sigma, NULL, N_DRAW, 9, 100, draws, ln_q, NULL, &err) != SDN_OK;
}

static int finish(void **state)
{
  (void)state;
  free(draws);
  free(ln_q);
  sdn_posterior_free(f.p);
  return 0;
}

static void file_says_what_it_is(void **state)
{
  (void)state;
  assert_int_equal(sdn_posterior_n_free(f.p), LEARN_N_FREE);
  assert_string_equal(sdn_posterior_free_name(f.p, 0), "redshift");
  assert_string_equal(sdn_posterior_free_unit(f.p, 1), "Msun");
  assert_string_equal(sdn_posterior_model_yaml(f.p), "grid: none\n");
  assert_string_equal(sdn_survey_yaml(sdn_posterior_survey(f.p)), learn_survey);
  sdn_h5 *h;
  sdn_err err;
  char *text;
  double *history;
  sdn_h5_shape shape;
  assert_int_equal(sdn_h5_open(learn_posterior(), &h, &err), SDN_OK);
  assert_int_equal(sdn_h5_get_text(h, "/", "physics_hash", &text, &err), SDN_OK);
  assert_string_equal(text, "0123456789abcdef");
  sdn_release(text);
  assert_int_equal(sdn_h5_read_double(h, "member0/training/history", &history, &shape, &err), SDN_OK);
  assert_int_equal(shape.dim[0], 40);
  assert_true(history[39 * SDN_N_HISTORY + 5] > 1);   /* nats, from four bands at S/N of about ten */
  sdn_release(history);
  assert_int_equal(sdn_h5_close(h, &err), SDN_OK);
  assert_false(scratch_exists(scratch_file("trained.posterior.h5.checkpoint")));
  assert_false(scratch_exists(scratch_file("trained.posterior.h5.part")));
}

static void draws_carry_the_density(void **state)
{
  (void)state;
  static float flux[N_DRAW * LEARN_N_BAND], sigma[N_DRAW * LEARN_N_BAND];
  static double again[N_DRAW];
  sdn_err err;
  double sum = 0;
  for (int g = 0; g < N_GALAXY; g += 37) {
    for (int k = 0; k < N_DRAW; k++) {
      memcpy(flux + k * LEARN_N_BAND, f.flux + g * LEARN_N_BAND, sizeof(float) * LEARN_N_BAND);
      memcpy(sigma + k * LEARN_N_BAND, f.sigma + g * LEARN_N_BAND, sizeof(float) * LEARN_N_BAND);
    }
    assert_int_equal(sdn_posterior_ln_q(f.p, N_DRAW, flux, sigma, draws + g * N_DRAW * LEARN_N_FREE, again, NULL, &err), SDN_OK);
    for (int k = 0; k < N_DRAW; k++) {
      const double difference = fabs(again[k] - (double)ln_q[g * N_DRAW + k]);
      if (!(difference <= DRAW_TOLERANCE)) fail_msg("galaxy %d draw %d: ln q %.7g, recomputed %.7g", g, k, (double)ln_q[g * N_DRAW + k], again[k]);
      sum += difference / N_DRAW / 5;
    }
  }
  if (!(sum <= MEAN_TOLERANCE)) fail_msg("ln q of draws differs by %.3g on average", sum);
}

/* Any cut into calls, any number of threads, any number of draws: the same draws. */
static void draws_have_names(void **state)
{
  (void)state;
  static float z[N_DRAW * LEARN_N_FREE], q[N_DRAW];
  sdn_err err;
  for (int g = 3; g < N_GALAXY; g += 49)
    for (int threads = 1; threads <= 4; threads *= 2) {
      const sdn_run run = {.n_thread = threads};
      const long n_draw = threads == 2 ? 70 : N_DRAW;
      assert_int_equal(sdn_posterior_sample(f.p, 1, f.flux + g * LEARN_N_BAND, f.sigma + g * LEARN_N_BAND, NULL, n_draw, 9, 100 + g, z, q, &run, &err), SDN_OK);
      assert_memory_equal(z, draws + g * N_DRAW * LEARN_N_FREE, sizeof *z * (size_t)n_draw * LEARN_N_FREE);
      assert_memory_equal(q, ln_q + g * N_DRAW, sizeof *q * (size_t)n_draw);
    }
}

static void cumulative_distribution_agrees_with_draws(void **state)
{
  (void)state;
  static double first[N_GALAXY], cdf[N_GALAXY];
  sdn_err err;
  double worst = 0;
  for (int g = 0; g < N_GALAXY; g++) first[g] = (double)f.z[g * LEARN_N_FREE];
  assert_int_equal(sdn_posterior_first_cdf(f.p, N_GALAXY, f.flux, f.sigma, first, cdf, &err), SDN_OK);
  for (int g = 0; g < N_GALAXY; g++) {
    int below = 0;
    for (int k = 0; k < N_DRAW; k++) below += (double)draws[(g * N_DRAW + k) * LEARN_N_FREE] < first[g];
    worst = fmax(worst, fabs((double)below / N_DRAW - cdf[g]));
  }
  if (!(worst < 5 * 0.5 / sqrt(N_DRAW))) fail_msg("share of draws below and cdf differ by %.3f", worst);   /* five standard errors */
}

static void known_redshift_and_no_data(void **state)
{
  (void)state;
  enum { N = 3, K = 64 };
  float flux[N * LEARN_N_BAND], sigma[N * LEARN_N_BAND], z[N * K * LEARN_N_FREE], q[N * K];
  const double fixed[N] = {0.25, NAN, -0.75};
  sdn_err err;
  memcpy(flux, f.flux, sizeof flux);
  memcpy(sigma, f.sigma, sizeof sigma);
  for (int b = 0; b < LEARN_N_BAND; b++) flux[2 * LEARN_N_BAND + b] = sigma[2 * LEARN_N_BAND + b] = NAN;
  assert_int_equal(sdn_posterior_sample(f.p, N, flux, sigma, fixed, K, 9, 100, z, q, NULL, &err), SDN_OK);
  for (int k = 0; k < K; k++) {
    assert_true(z[k * LEARN_N_FREE] == 0.25f);
    assert_true(z[(2 * K + k) * LEARN_N_FREE] == -0.75f);
    for (int i = 0; i < LEARN_N_FREE; i++) assert_true(z[(K + k) * LEARN_N_FREE + i] == draws[(N_DRAW + k) * LEARN_N_FREE + i]);   /* not known: as without */
    double prior = 0;
    for (int i = 1; i < LEARN_N_FREE; i++) prior += sdn_normal_ln_pdf((double)z[(2 * K + k) * LEARN_N_FREE + i]);
    assert_true(fabs(prior - (double)q[2 * K + k]) < 1e-5);   /* the prior itself */
  }
  double cdf;
  const double one = 1;
  assert_int_equal(sdn_posterior_first_cdf(f.p, 1, flux + 2 * LEARN_N_BAND, sigma + 2 * LEARN_N_BAND, &one, &cdf, &err), SDN_OK);
  assert_true(fabs(cdf - sdn_normal_cdf(1)) < 1e-12);
}

/* The truth lies below the median of half of the galaxies: the network has learnt, and is not overconfident. */
static void posterior_is_calibrated(void **state)
{
  (void)state;
  double spread = 0;
  for (int i = 0; i < LEARN_N_FREE; i++) {
    int inside = 0;
    for (int g = 0; g < N_GALAXY; g++) {
      double mean = 0, square = 0;
      for (int k = 0; k < N_DRAW; k++) {
        const double v = (double)draws[(g * N_DRAW + k) * LEARN_N_FREE + i];
        mean += v / N_DRAW;
        square += v * v / N_DRAW;
      }
      const double sd = sqrt(square - mean * mean);
      inside += fabs((double)f.z[g * LEARN_N_FREE + i] - mean) < sd;
      spread += sd / N_GALAXY / LEARN_N_FREE;
    }
    const double share = (double)inside / N_GALAXY;
    if (!(fabs(share - 0.683) < 4 * sqrt(0.683 * 0.317 / N_GALAXY))) fail_msg("%.3f of galaxies within one standard deviation in parameter %d", share, i);
  }
  assert_true(spread < 0.75);   /* the prior has 1 */
}

/* A network that takes bands one by one: its file comes back with what tells missing bands, and no bit depends on the number of threads. */
static void encoder_of_bands_comes_back(void **state)
{
  (void)state;
  sdn_err err;
  sdn_posterior *p;
  char first[24] = "", sum[24] = "-";
  sdn_train_options o = learn_options(learn_library("set.library.h5", 600), scratch_file("set.posterior.h5"), 2);
  o.encoder = "set";
  for (int n_thread = 1; n_thread <= 2; n_thread++) {
    const sdn_run run = {.n_thread = n_thread};
    if (sdn_train(&o, &run, NULL, &err) || sdn_posterior_sum(o.output, n_thread == 1 ? first : sum, &err)) fail_msg("%s", err.text);
  }
  assert_string_equal(first, sum);
  assert_int_equal(sdn_posterior_open(o.output, &p, &err), SDN_OK);
  assert_int_equal(p->member[0].net->arch.encoder, SDN_ENCODER_SET);
  assert_int_equal(p->member[0].net->arch.n_present, 3);
  sdn_posterior_free(p);
  o.encoder = "convolution";
  assert_int_equal(sdn_train(&o, NULL, NULL, &err), SDN_RANGE);
  assert_non_null(strstr(err.text, "pixels"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(file_says_what_it_is), cmocka_unit_test(encoder_of_bands_comes_back), cmocka_unit_test(draws_carry_the_density), cmocka_unit_test(draws_have_names),
    cmocka_unit_test(cumulative_distribution_agrees_with_draws), cmocka_unit_test(known_redshift_and_no_data), cmocka_unit_test(posterior_is_calibrated)};
  return cmocka_run_group_tests_name("posterior_file", tests, begin, finish);
}
