/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Successive halving (Jamieson & Talwalkar 2016, AISTATS) of a fixed number of trials: all train with the first rung's budget, the best third of them anew
 * with the second's, three times as large, and so on. Trial 0, the default, goes to the last rung whatever comes, beside the thirds.
 * Who goes on depends on the gains alone, not on the order in which they come in: a trial is let on as soon as it is certain that it is among the best
 * third, however those do that are still to come. So several processes seldom wait (as in the asynchronous form of Li+2020), and agree bit for bit with one. */
#ifndef SDN_LEARN_HALVING_H
#define SDN_LEARN_HALVING_H

#include "base/error.h"

#define SDN_HALVING_ETA 3
#define SDN_MAX_RUNG 12

typedef enum sdn_training_state { SDN_TRAINING_WAITS, SDN_TRAINING_RUNS, SDN_TRAINING_DONE, SDN_TRAINING_FAILED } sdn_training_state;
typedef struct sdn_score { sdn_training_state state; double gain; } sdn_score;
/* score [n_rung][n_trial] */
typedef struct sdn_halving { int n_trial, n_rung; sdn_score *score; } sdn_halving;

/* Epochs of the rungs, the largest last: max, max/3, ... while not below min. Returns their number. */
int sdn_halving_rungs(long min_epoch, long max_epoch, long epochs[SDN_MAX_RUNG]);
/* How many trainings a rung has when nothing fails. */
int sdn_halving_size(int n_trial, int rung);
/* Whether a trial is certain to train in a rung. */
bool sdn_halving_is_in(const sdn_halving *h, int trial, int rung);
/* The next training to begin: the lowest rung's first. false: there is none, yet or at all. */
bool sdn_halving_next(const sdn_halving *h, int *trial, int *rung);
/* The best gain in the highest rung in which at least two trainings have ended (or, where there is none such, in the highest with any). false: none. */
bool sdn_halving_best(const sdn_halving *h, int *trial, int *rung);

#endif
