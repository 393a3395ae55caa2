/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Several trained networks joined to one posterior, their mixture. */
#ifndef SDN_LEARN_ENSEMBLE_H
#define SDN_LEARN_ENSEMBLE_H

#include "learn/posterior.h"
#include "learn/rows.h"

/* Weights w_k >= 0 of sum 1 that maximise sum_i ln sum_k w_k q_k(i), by expectation and maximisation (Dempster+1977); each member is counted one row more than
 * it has earned, so none gets exactly nothing. ln_q [n][n_member]; weight [n_member]: out. */
void sdn_mixture_weights(long n, int n_member, const double *ln_q, double *weight);
/* The posteriors in the files `path`, all their members, to one file. rows: weights from its validation rows, scores of the mixture from its test rows into
 * the summary; NULL: equal weights, no scores. err SDN_USAGE: they do not belong together, or are too many. */
sdn_status sdn_ensemble_join(int n, const char *const *path, sdn_rows *rows, const char *output, const sdn_run *run, sdn_train_summary *summary, sdn_err *err);

#endif
