/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options of trials: from the values that were given alone, as often as their distribution says, the same for the same seed and trial. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "learn/search.h"

#define N_DRAW 4000
#define SIGMA 4.5     /* of a binomial count: one in 10^5 of correct programs fails one of the some ten comparisons */

static sdn_train_options options_of(const sdn_search *s, uint64_t seed, long trial)
{
  char words[SDN_TRIAL_TEXT];
  sdn_train_options o;
  sdn_err err;
  memset(&o, 0, sizeof o);   /* padding too: options are compared as bytes */
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &o);
  sdn_search_draw(s, seed, trial, words);
  if (sdn_search_apply(words, &o, &err)) fail_msg("%s", err.text);
  o.head = NULL;   /* it may lie in `words`, which end here */
  return o;
}

static void expect_share(long count, double share)
{
  const double n = N_DRAW, error = sqrt(n * share * (1 - share));
  if (!(fabs((double)count - n * share) <= SIGMA * error)) fail_msg("%ld of %d draws, not %.3f of them", count, N_DRAW, share);
}

static void draws_follow_the_search(void **state)
{
  (void)state;
  sdn_search s;
  sdn_err err;
  long n_low_rate = 0, n_two_layers = 0, n_batch = 0, n_low_ema = 0;
  assert_int_equal(sdn_search_parse("learning-rate=1e-4:1e-2 n_layer=2:3 batch=64,256 ema=0:0.5 n_bin=5", &s, &err), SDN_OK);
  for (long t = 1; t <= N_DRAW; t++) {
    const sdn_train_options o = options_of(&s, 9, t), again = options_of(&s, 9, t);
    assert_memory_equal(&o, &again, sizeof o);
    assert_true(o.learning_rate >= 1e-4 && o.learning_rate <= 1e-2 && o.ema >= 0 && o.ema <= 0.5 && o.n_bin == 5);
    assert_true((o.n_layer == 2 || o.n_layer == 3) && (o.batch == 64 || o.batch == 256));
    n_low_rate += o.learning_rate < 1e-3;
    n_two_layers += o.n_layer == 2;
    n_batch += o.batch == 64;
    n_low_ema += o.ema < 0.125;
  }
  expect_share(n_low_rate, 0.5);                           /* uniform in the logarithm */
  expect_share(n_two_layers, log(3.0 / 2) / log(4.0 / 2)); /* 2 has [2, 3), 3 has [3, 4) */
  expect_share(n_batch, 0.5);
  expect_share(n_low_ema, 0.25);                           /* linear, as low is 0 */
}

/* A value that is named thrice is drawn thrice as often. */
static void words_are_drawn_as_often_as_named(void **state)
{
  (void)state;
  sdn_search s;
  sdn_err err;
  char words[SDN_TRIAL_TEXT];
  long n_affine = 0;
  assert_int_equal(sdn_search_parse("head=spline,affine,spline,spline", &s, &err), SDN_OK);
  for (long t = 1; t <= N_DRAW; t++) {
    sdn_search_draw(&s, 4, t, words);
    const bool affine = strstr(words, "head=affine") != NULL;
    assert_true(affine || strstr(words, "head=spline"));
    n_affine += affine;
  }
  expect_share(n_affine, 0.25);
}

static void the_first_is_the_default(void **state)
{
  (void)state;
  sdn_search s;
  sdn_err err;
  sdn_train_options standard;
  memset(&standard, 0, sizeof standard);
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &standard);
  standard.head = NULL;
  assert_int_equal(sdn_search_parse(NULL, &s, &err), SDN_OK);
  sdn_train_options o = options_of(&s, 1, 0);
  assert_memory_equal(&o, &standard, sizeof o);
  assert_int_equal(sdn_search_parse("weight_decay=0.01", &s, &err), SDN_OK);
  o = options_of(&s, 1, 0);
  assert_true(o.weight_decay == 0.01 && o.n_hidden == standard.n_hidden && o.learning_rate == standard.learning_rate);
}

/* Fixing one option leaves the draws of the others alone. */
static void options_are_independent(void **state)
{
  (void)state;
  sdn_search s, fixed;
  sdn_err err;
  assert_int_equal(sdn_search_parse(NULL, &s, &err), SDN_OK);
  assert_int_equal(sdn_search_parse("batch=256", &fixed, &err), SDN_OK);
  for (long t = 1; t < 20; t++) {
    sdn_train_options a = options_of(&s, 1, t);
    const sdn_train_options b = options_of(&fixed, 1, t);
    assert_int_equal(b.batch, 256);
    a.batch = 256;
    assert_memory_equal(&a, &b, sizeof a);
  }
}

static void bad_words(void **state)
{
  (void)state;
  static const struct { const char *text, *says; } bad[] = {
    {"n_layers=2,3", "did you mean 'n_layer'"}, {"n_layer", "name=values"}, {"n_layer=", "no value"}, {"n_layer=0:3", "no value"}, {"n_layer=3:2", "no range"},
    {"n_layer=2:3:4", "no range"}, {"n_layer=2:3,5", "no range"}, {"learning_rate=nan:1", "no value"}, {"n_epoch=5", "sets it itself"},
    {"seed=1,2", "sets it itself"}, {"test_fraction=0.1,0.2", "one value"}, {"n_layer=2,,3", "no value"}, {"n_member=2", "sets it itself"}};
  sdn_search s;
  sdn_err err;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(sdn_search_parse(bad[i].text, &s, &err), SDN_USAGE);
    if (!strstr(err.text, bad[i].says)) fail_msg("'%s' is not in: %s", bad[i].says, err.text);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(draws_follow_the_search), cmocka_unit_test(words_are_drawn_as_often_as_named), cmocka_unit_test(the_first_is_the_default), cmocka_unit_test(options_are_independent),
                                     cmocka_unit_test(bad_words)};
  return cmocka_run_group_tests_name("search", tests, NULL, NULL);
}
