/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does the check find what is wrong, and nothing where nothing is? First on posteriors known exactly (normal means, by conjugacy), right and spoilt on
 * purpose; then `check` itself on a trained network, and the same network on data with more noise than it was trained for. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/special.h"
#include "infer/calibration.h"
#include "infer/check.h"
#include "support/fixture_fit.h"
#include "support/json.h"

#define N 4000
#define N_DRAW 99
#define DIM 3
#define FALSE_ALARM 1e-4     /* per p value; seeds are fixed, so a pass is a pass for ever */
#define SIGMAS 4.0

/* theta ~ N(0,1), x ~ N(theta, 1): the posterior is N(x/2, 1/2). The draws come from N(x/2 + shift, width^2/2). */
typedef struct toy { double shift, width; } toy;

static void run_toy(const toy *t, double *pit, double *tarp)
{
  static double draw[N_DRAW * DIM], u[N_DRAW * DIM];
  for (long i = 0; i < N; i++) {
    sdn_rng rng = sdn_rng_at(11, SDN_STREAM_TEST, (uint64_t)i);
    double truth[DIM], reference[DIM], x[DIM], one[N_DRAW];
    for (int d = 0; d < DIM; d++) {
      truth[d] = sdn_rng_normal(&rng);
      x[d] = truth[d] + sdn_rng_normal(&rng);
      reference[d] = sdn_rng_uniform(&rng);
    }
    for (int k = 0; k < N_DRAW; k++)
      for (int d = 0; d < DIM; d++) {
        draw[k * DIM + d] = x[d] / 2 + t->shift + t->width * sqrt(0.5) * sdn_rng_normal(&rng);
        u[k * DIM + d] = sdn_normal_cdf(draw[k * DIM + d]);
      }
    for (int k = 0; k < N_DRAW; k++)
      one[k] = draw[k * DIM];
    pit[i] = sdn_pit(N_DRAW, one, truth[0], sdn_rng_uniform(&rng));
    for (int d = 0; d < DIM; d++)
      truth[d] = sdn_normal_cdf(truth[d]);
    tarp[i] = sdn_tarp(N_DRAW, DIM, u, truth, reference, sdn_rng_uniform(&rng));
  }
}

static double two_sided(double z) { return 1 - 2 * sdn_normal_cdf(-fabs(z)); }

/* What coverage a width gives, by arithmetic: the central interval of probability p reaches to width * z_p, in units of the true error. */
static double expected_coverage(double level, double width)
{
  return two_sided(width * sdn_normal_quantile((1 + level) / 2));
}

static void test_right_posterior_passes(void **state)
{
  (void)state;
  static double pit[N], tarp[N];
  sdn_uniformity ranks, ecp;
  run_toy(&(toy){ 0, 1 }, pit, tarp);
  for (int l = 0; l < 3; l++) {
    static const double level[] = { 0.5, 0.68, 0.95 };
    sdn_coverage c;
    sdn_coverage_of(N, pit, level[l], &c);
    if (!(fabs(c.fraction - level[l]) <= SIGMAS * c.error))
      fail_msg("coverage %g of %g", c.fraction, level[l]);
  }
  sdn_uniformity_of(N, pit, &ranks);
  sdn_uniformity_of(N, tarp, &ecp);
  assert_true(ranks.p > FALSE_ALARM && ecp.p > FALSE_ALARM);
}

/* With 99 draws the sample quantiles scatter a little about the true ones; that changes the coverage by less than 0.01. */
static void test_wrong_width_is_found_and_measured(void **state)
{
  (void)state;
  static double pit[N], tarp[N];
  static const double width[] = { 0.8, 1.25 };
  for (int w = 0; w < 2; w++) {
    sdn_uniformity ranks, ecp;
    sdn_coverage c;
    run_toy(&(toy){ 0, width[w] }, pit, tarp);
    sdn_coverage_of(N, pit, 0.68, &c);
    double expected = expected_coverage(0.68, width[w]);
    if (!(fabs(c.fraction - expected) <= SIGMAS * c.error + 0.01))
      fail_msg("width %g: coverage %g, expected %g", width[w], c.fraction, expected);
    sdn_uniformity_of(N, pit, &ranks);
    sdn_uniformity_of(N, tarp, &ecp);
    assert_true(ranks.p < FALSE_ALARM && ecp.p < FALSE_ALARM);
  }
}

static void test_bias_is_found(void **state)
{
  (void)state;
  static double pit[N], tarp[N];
  sdn_uniformity ranks;
  run_toy(&(toy){ 0.15, 1 }, pit, tarp);
  sdn_uniformity_of(N, pit, &ranks);
  assert_true(ranks.p < FALSE_ALARM);
}

/* ------------------------------------------------------------------ the command */

static json *run_check(const char *posterior, const char *stem, const char *fix, int n_thread, sdn_check_summary *summary)
{
  sdn_err err;
  char name[64];
  const sdn_run run = { .n_thread = n_thread, .command = "check" };
  sdn_check_options opt = { .posterior = posterior, .output = fixture_path(stem), .n = 2000, .n_draw = 199, .fix = fix, .seed = 3 };
  if (sdn_check(&opt, &run, summary, &err))
    fail_msg("%s", err.text);
  snprintf(name, sizeof name, "%s.json", stem);
  json *j = json_read_file(fixture_path(name));
  assert_non_null(j);
  return j;
}

static const json *parameter(const json *j, const char *name)
{
  const json *list = json_get(j, "parameters");
  for (size_t i = 0; list && i < list->n; i++)
    if (strcmp(json_text(list->item[i], "name"), name) == 0)
      return list->item[i];
  return NULL;
}

static void test_trained_network(void **state)
{
  (void)state;
  sdn_check_summary s;
  fixture_train("trained", fixture_model, fixture_survey, 12000, 15);
  json *j = run_check(fixture_path("trained.h5"), "trained", NULL, 2, &s);
  const json *mass = parameter(j, "log_mass_formed_msun"), *gain = json_get(j, "information_gain");
  assert_non_null(mass);
  assert_non_null(parameter(j, "redshift"));
  assert_non_null(parameter(j, "log_mass_surviving_msun"));
  print_message("information gain %.2f nats, coverage %.3f of 0.68, %.3f of 0.95, smallest p %.2g, TARP %.3f\n", json_number(gain, "nats", NAN), s.worst_coverage_68,
                s.worst_coverage_95, s.smallest_sbc_p, s.tarp_deviation);
  assert_true(json_number(gain, "nats", NAN) > 1);                                              /* four bands tell something */
  assert_true(json_number(json_get(mass, "recovery")->item[0], "r2", NAN) > 0.5);
  assert_true(fabs(s.worst_coverage_68 - 0.68) < 0.08 && fabs(s.worst_coverage_95 - 0.95) < 0.04);   /* half a minute of training */
  assert_int_equal(json_get(json_get(mass, "sbc"), "counts")->n, SDN_N_RANK_BIN);
  json_free(j);
}

/* Knowing the redshift leaves it no parameter, and tells much about the mass. */
static void test_known_redshift(void **state)
{
  (void)state;
  sdn_check_summary s;
  json *free_z = json_read_file(fixture_path("trained.json"));
  json *j = run_check(fixture_path("trained.h5"), "fixed", "redshift", 2, &s);
  assert_null(parameter(j, "redshift"));
  assert_non_null(parameter(j, "log_mass_formed_msun"));
  assert_string_equal(json_text(j, "fix"), "redshift");
  assert_int_equal(json_get(j, "photo_z")->kind, JSON_NULL);
  assert_true(fabs(s.worst_coverage_68 - 0.68) < 0.1);
  double rmse[2];
  for (int k = 0; k < 2; k++)
    rmse[k] = json_number(json_get(parameter(k ? j : free_z, "log_mass_formed_msun"), "recovery")->item[0], "rmse", NAN);
  print_message("log mass to %.3f dex with the redshift inferred, %.3f with it known\n", rmse[0], rmse[1]);
  assert_true(rmse[1] < 0.8 * rmse[0]);
  json_free(free_z);
  json_free(j);
}

static void test_threads(void **state)
{
  (void)state;
  sdn_check_summary s;
  size_t n_a, n_b;
  json_free(run_check(fixture_path("trained.h5"), "one", NULL, 1, &s));
  json_free(run_check(fixture_path("trained.h5"), "three", NULL, 3, &s));
  char *a = fixture_read("one.json", &n_a), *b = fixture_read("three.json", &n_b);
  assert_int_equal(n_a, n_b);
  assert_memory_equal(a, b, n_a);
  free(a);
  free(b);
}

/* Data with a noise floor of 80 %, not 5: a network trained for 5 % is too sure of itself there. */
static void test_wrong_noise_is_found(void **state)
{
  (void)state;
  sdn_err err;
  sdn_engine e;
  sdn_survey *noisy = NULL;
  sdn_trial *trial = NULL;
  sdn_verdict *v = NULL;
  char survey[2048];
  snprintf(survey, sizeof survey, "%s", fixture_survey);
  char *at = strstr(survey, "0.05\n");
  assert_non_null(at);
  memcpy(at, "0.80\n", 5);
  assert_int_equal(sdn_engine_open(fixture_path("trained.h5"), &e, &err), SDN_OK);
  assert_int_equal(sdn_survey_parse(survey, "noisy", &noisy, &err), SDN_OK);
  e.survey = noisy;
  const sdn_trial_setup setup = { 2000, 199, 3, false, NULL, false };
  assert_int_equal(sdn_trial_new(&e, &setup, NULL, &trial, &err), SDN_OK);
  assert_int_equal(sdn_verdict_new(trial, &v, &err), SDN_OK);
  print_message("wrong noise: coverage %.3f of 0.68, smallest p %.2g, TARP %.3f\n", v->worst[1], v->smallest_p, v->tarp.deviation);
  assert_false(v->calibrated);
  assert_true(v->worst[1] < 0.6);
  assert_true(v->smallest_p < 1e-10);
  assert_true(v->tarp.deviation > 0.05);
  sdn_verdict_free(v);
  sdn_trial_free(trial);
  sdn_survey_free(noisy);
  sdn_engine_close(&e);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_right_posterior_passes), cmocka_unit_test(test_wrong_width_is_found_and_measured), cmocka_unit_test(test_bias_is_found),
    cmocka_unit_test(test_trained_network),        cmocka_unit_test(test_known_redshift),    cmocka_unit_test(test_threads),
    cmocka_unit_test(test_wrong_noise_is_found),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
