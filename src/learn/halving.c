/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/halving.h"

#include <math.h>

static const sdn_score *score(const sdn_halving *h, int trial, int rung) { return &h->score[rung * h->n_trial + trial]; }
static bool ended(const sdn_score *s) { return s->state == SDN_TRAINING_DONE || s->state == SDN_TRAINING_FAILED; }

int sdn_halving_rungs(long min_epoch, long max_epoch, long epochs[SDN_MAX_RUNG])
{
  int n = 1;
  double share = 1;
  while (n < SDN_MAX_RUNG && (double)max_epoch / (share * SDN_HALVING_ETA) >= (double)min_epoch) {
    share *= SDN_HALVING_ETA;
    n++;
  }
  for (int r = 0; r < n; r++) {
    epochs[r] = lround((double)max_epoch / share);
    share /= SDN_HALVING_ETA;
  }
  return n;
}

/* Places in a rung for trials other than 0. */
static int places(int n_trial, int rung)
{
  int n = n_trial - 1;
  for (int r = 0; r < rung && n > 0; r++) n = n + 1 >= SDN_HALVING_ETA ? (n + 1) / SDN_HALVING_ETA : 1;
  return n;
}

int sdn_halving_size(int n_trial, int rung) { return 1 + places(n_trial, rung); }

/* Of the trainings of a rung other than trial 0's, how many are still to end: those that will be let in (fewer than there are places where too many failed
 * before), less those that have ended. */
static int pending(const sdn_halving *h, int rung)
{
  int expected = 0, n_ended = 0, n_failed = 0;
  for (int r = 0; r <= rung; r++) {
    const int n_place = places(h->n_trial, r);
    expected = r == 0 || expected - n_failed > n_place ? n_place : expected - n_failed;
    n_ended = n_failed = 0;
    for (int t = 1; t < h->n_trial; t++) {
      n_ended += ended(score(h, t, r));
      n_failed += score(h, t, r)->state == SDN_TRAINING_FAILED;
    }
  }
  return expected - n_ended;
}

bool sdn_halving_is_in(const sdn_halving *h, int trial, int rung)
{
  if (rung == 0) return true;
  const sdn_score *own = score(h, trial, rung - 1);
  if (own->state != SDN_TRAINING_DONE) return false;
  if (trial == 0) return true;
  int before = pending(h, rung - 1);   /* that are better, or may become so */
  for (int t = 1; t < h->n_trial; t++) {
    const sdn_score *s = score(h, t, rung - 1);
    if (s->state == SDN_TRAINING_DONE && (s->gain > own->gain || (s->gain == own->gain && t < trial))) before++;
  }
  return before < places(h->n_trial, rung);
}

bool sdn_halving_next(const sdn_halving *h, int *trial, int *rung)
{
  for (*rung = 0; *rung < h->n_rung; (*rung)++)
    for (*trial = 0; *trial < h->n_trial; (*trial)++)
      if (score(h, *trial, *rung)->state == SDN_TRAINING_WAITS && sdn_halving_is_in(h, *trial, *rung)) return true;
  return false;
}

/* The best of a rung, and how many have ended there; -1: none is done. */
static int best_of_rung(const sdn_halving *h, int rung, int *n_ended)
{
  int best = -1;
  *n_ended = 0;
  for (int t = 0; t < h->n_trial; t++) {
    const sdn_score *s = score(h, t, rung);
    *n_ended += ended(s);
    if (s->state == SDN_TRAINING_DONE && (best < 0 || s->gain > score(h, best, rung)->gain)) best = t;
  }
  return best;
}

bool sdn_halving_best(const sdn_halving *h, int *trial, int *rung)
{
  int alone = -1, n_ended;
  for (*rung = h->n_rung - 1; *rung >= 0; (*rung)--) {
    *trial = best_of_rung(h, *rung, &n_ended);
    if (*trial >= 0 && n_ended >= 2) return true;
    if (*trial >= 0 && alone < 0) alone = *rung;
  }
  if (alone < 0) return false;
  *rung = alone;
  *trial = best_of_rung(h, alone, &n_ended);
  return true;
}
