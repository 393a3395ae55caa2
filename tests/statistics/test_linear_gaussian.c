/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A trained network against a posterior known in closed form (support/linear_gaussian.c). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "support/linear_gaussian.h"

#define KL_LIMIT 0.01      /* nats: what the project promises */
#define N_TRAIN 40000
#define N_TEST 20000       /* the mean of ln p - ln q then scatters by less than 0.002 */

static double mean_ln_posterior(const sdn_row_source *s)
{
  double sum = 0;
  sdn_err err;
  for (long row = 0; row < N_TEST; row++) {
    float x[LINEAR_N_DATA], z[LINEAR_N_FREE];
    const sdn_row_range one = {.split = SDN_SPLIT_TEST, .n = 1, .row = &row};
    s->fill(s->ctx, &one, x, z, NULL, &err);
    sum += linear_ln_posterior(x, z);
    for (int i = 0; i < LINEAR_N_FREE; i++) sum += 0.5 * (double)z[i] * (double)z[i] + 0.5 * log(2 * acos(-1.0));
  }
  return sum / N_TEST;
}

static void divergence_from_the_exact_posterior(void **state)
{
  (void)state;
  const sdn_train_plan plan = linear_plan(12);
  const sdn_row_source source = linear_source(N_TRAIN, N_TEST);
  sdn_trainer *t;
  sdn_err err;
  double gain, error;
  const sdn_run run = {.n_thread = 1};
  if (sdn_trainer_new(&plan, &source, &run, &t, &err) || sdn_trainer_run(t, &err)) fail_msg("%s", err.text);
  assert_int_equal(sdn_trainer_gain(t, t->state.best, SDN_SPLIT_TEST, &gain, &error, &err), SDN_OK);
  const double exact = mean_ln_posterior(&source), divergence = exact - gain;
  print_message("information gain %.4f nats, exact %.4f: KL %.4f nats after %.1f s\n", gain, exact, divergence, t->state.seconds);
  assert_true(exact > 1.5);
  if (!(divergence <= KL_LIMIT && divergence > -0.002)) fail_msg("KL divergence %.4f nats", divergence);
  sdn_trainer_free(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(divergence_from_the_exact_posterior)};
  return cmocka_run_group_tests_name("linear_gaussian", tests, NULL, NULL);
}
