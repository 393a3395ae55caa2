/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A problem with a known answer: z ~ N(0, I_3), six data x = A z + 0.6 N(0, I). The posterior is normal with
 *   covariance S = (I + A^T A / 0.36)^-1,  mean S A^T x / 0.36. */
#ifndef TEST_SUPPORT_LINEAR_GAUSSIAN_H
#define TEST_SUPPORT_LINEAR_GAUSSIAN_H

#include "learn/trainer.h"

#define LINEAR_N_FREE 3
#define LINEAR_N_DATA 6

/* Rows without end: row and epoch name them. n_train, n_validation, n_test rows; test rows are independent of the others. */
sdn_row_source linear_source(long n_train, long n_held_out);
/* Exact ln p(z | x). */
double linear_ln_posterior(const float *x, const float *z);
/* A small network's plan for it: n_epoch passes, batch 256. */
sdn_train_plan linear_plan(long n_epoch);

#endif
