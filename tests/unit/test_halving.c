/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Successive halving against its definition (Jamieson & Talwalkar 2016): with all gains of a rung known, the best third goes on. Trainings are ended here in random
 * orders, several under way at a time, and what was trained in the end must be what the definition gives, whatever the order. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "learn/halving.h"

#define MAX_TRIAL 40
#define N_RUNG 4

/* A trial's gain in a rung, with ties; trial 5 modulo 7 fails where `failing`. */
static double gain_of(int trial, int rung)
{
  sdn_rng rng = sdn_rng_at(3, SDN_STREAM_TEST, (uint64_t)(trial * 16 + rung));
  return floor(12 * sdn_rng_uniform(&rng));
}
static bool fails(int trial, int rung, bool failing) { return failing && (trial + rung) % 7 == 5; }

/* The definition: rung by rung, sorted by gain. */
static void by_definition(int n_trial, bool failing, bool in[N_RUNG][MAX_TRIAL])
{
  memset(in, 0, sizeof(bool) * N_RUNG * MAX_TRIAL);
  int places = n_trial - 1;
  for (int t = 0; t < n_trial; t++) in[0][t] = true;
  for (int r = 1; r < N_RUNG; r++) {
    places = places == 0 ? 0 : (places + 1) / 3 > 1 ? (places + 1) / 3 : 1;
    in[r][0] = in[r - 1][0] && !fails(0, r - 1, failing);
    for (int k = 0; k < places; k++) {
      int best = -1;
      for (int t = 1; t < n_trial; t++)
        if (in[r - 1][t] && !fails(t, r - 1, failing) && !in[r][t] && (best < 0 || gain_of(t, r - 1) > gain_of(best, r - 1))) best = t;
      if (best >= 0) in[r][best] = true;
    }
  }
}

/* n_process workers: begin what may begin, end a random one of those under way. */
static void work_through(int n_trial, int n_process, bool failing, uint64_t seed, sdn_score *score)
{
  const sdn_halving h = {.n_trial = n_trial, .n_rung = N_RUNG, .score = score};
  sdn_rng rng = sdn_rng_at(seed, SDN_STREAM_TEST, 1);
  int running[MAX_TRIAL * N_RUNG], n = 0, trial, rung;
  for (;;) {
    while (n < n_process && sdn_halving_next(&h, &trial, &rung)) {
      score[rung * n_trial + trial].state = SDN_TRAINING_RUNS;
      running[n++] = rung * n_trial + trial;
    }
    if (n == 0) return;
    const int k = (int)sdn_rng_below(&rng, n), at = running[k];
    running[k] = running[--n];
    score[at].gain = gain_of(at % n_trial, at / n_trial);
    score[at].state = fails(at % n_trial, at / n_trial, failing) ? SDN_TRAINING_FAILED : SDN_TRAINING_DONE;
  }
}

static void order_decides_nothing(void **state)
{
  (void)state;
  static const int sizes[] = {1, 2, 3, 4, 9, 10, 27, 40};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    for (int failing = 0; failing < 2; failing++)
      for (uint64_t seed = 0; seed < 30; seed++) {
        const int n = sizes[i];
        bool in[N_RUNG][MAX_TRIAL];
        sdn_score *score = calloc(MAX_TRIAL * N_RUNG, sizeof *score);
        by_definition(n, failing, in);
        work_through(n, 1 + (int)(seed % 6), failing, seed, score);
        for (int r = 0; r < N_RUNG; r++)
          for (int t = 0; t < n; t++)
            if (in[r][t] != (score[r * n + t].state >= SDN_TRAINING_DONE)) fail_msg("%d trials, seed %d: trial %d in rung %d should be %d", n, (int)seed, t, r, in[r][t]);
        free(score);
      }
}

/* Idle time is what certainty costs: with 27 trials in one rung and 3 processes, the first of the next rung must begin before the last of this one ends. */
static void certain_trials_do_not_wait(void **state)
{
  (void)state;
  sdn_score score[27 * 2] = {0};
  const sdn_halving h = {.n_trial = 27, .n_rung = 2, .score = score};
  int trial, rung;
  for (int t = 0; t < 27; t++) score[t] = (sdn_score){t < 25 ? SDN_TRAINING_DONE : SDN_TRAINING_RUNS, 100 - t};
  assert_true(sdn_halving_next(&h, &trial, &rung));
  assert_int_equal(rung, 1);
  assert_true(sdn_halving_is_in(&h, 7, 1));    /* two to come: the best 9 - 2 are certain */
  assert_false(sdn_halving_is_in(&h, 8, 1));
}

static void budgets(void **state)
{
  (void)state;
  long e[SDN_MAX_RUNG];
  assert_int_equal(sdn_halving_rungs(6, 60, e), 3);
  assert_true(e[0] == 7 && e[1] == 20 && e[2] == 60);
  assert_int_equal(sdn_halving_rungs(60, 60, e), 1);
  assert_int_equal(e[0], 60);
  assert_int_equal(sdn_halving_rungs(1, 81, e), 5);
  assert_true(e[0] == 1 && e[4] == 81);
  assert_int_equal(sdn_halving_size(27, 0) * 100 + sdn_halving_size(27, 1), 2710);
}

static void the_best(void **state)
{
  (void)state;
  sdn_score score[3 * 2] = {0};
  const sdn_halving h = {.n_trial = 3, .n_rung = 2, .score = score};
  int trial, rung;
  assert_false(sdn_halving_best(&h, &trial, &rung));
  score[0] = (sdn_score){SDN_TRAINING_DONE, 1};
  score[1] = (sdn_score){SDN_TRAINING_DONE, 2};
  score[2] = (sdn_score){SDN_TRAINING_FAILED, NAN};
  score[3] = (sdn_score){SDN_TRAINING_DONE, 5};       /* the default alone in the last rung: nothing to be compared with yet */
  assert_true(sdn_halving_best(&h, &trial, &rung) && trial == 1 && rung == 0);
  score[4] = (sdn_score){SDN_TRAINING_DONE, 4.9};
  assert_true(sdn_halving_best(&h, &trial, &rung) && trial == 0 && rung == 1);
  score[4] = (sdn_score){SDN_TRAINING_FAILED, NAN};
  assert_true(sdn_halving_best(&h, &trial, &rung) && trial == 0 && rung == 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(order_decides_nothing), cmocka_unit_test(certain_trials_do_not_wait), cmocka_unit_test(budgets), cmocka_unit_test(the_best)};
  return cmocka_run_group_tests_name("halving", tests, NULL, NULL);
}
