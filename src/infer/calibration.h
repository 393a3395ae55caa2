/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Numbers that say whether posteriors are right, from simulated galaxies whose truth is known.
 *
 * Everything about calibration is read off one number per galaxy and quantity, the PIT
 *   u = (draws below the truth + U (draws equal to it + 1)) / (draws + 1),   U uniform,
 * which is exactly uniform on (0, 1) when the posterior is right, whatever the number of draws, ties included (Talts+2018's rank made continuous).
 * The central interval of probability p holds the truth when |u - 1/2| < p/2, so coverage is a binomial proportion.
 * TARP (Lemos+2023) is the same number for the distance to a random reference point in place of the quantity itself. */
#ifndef SDN_INFER_CALIBRATION_H
#define SDN_INFER_CALIBRATION_H

#include "base/random.h"

/* uniform in (0, 1) breaks ties. Non-finite draws count as absent; NaN when the truth or all draws are not finite. */
double sdn_pit(long n_draw, const double *draw, double truth, double uniform);
/* The TARP coverage of one galaxy: points in the unit cube [n_dim], draws [n_draw][n_dim]; Euclidean distance to the reference. */
double sdn_tarp(long n_draw, int n_dim, const double *draw, const double *truth, const double *reference, double uniform);

typedef struct sdn_coverage { double level, fraction, error; } sdn_coverage;   /* error: binomial, sqrt(level (1 - level) / n) */
void sdn_coverage_of(long n, const double *pit, double level, sdn_coverage *out);   /* NaN entries are left out */

#define SDN_N_RANK_BIN 20
typedef struct sdn_uniformity {
  long n, count[SDN_N_RANK_BIN];
  double deviation, ks_p;        /* largest distance of the empirical cumulative distribution from the diagonal, its p value */
  double chi2, chi2_p;           /* of the counts, SDN_N_RANK_BIN - 1 degrees of freedom */
  double p;                      /* of both tests together: min(1, 2 min(ks_p, chi2_p)) */
} sdn_uniformity;
/* pit [n] is sorted, NaN entries moved to its end. n = 0: p values 1. */
void sdn_uniformity_of(long n, double *pit, sdn_uniformity *out);
/* P(D > deviation) for n uniform numbers (Kolmogorov's series with Stephens 1970's small-sample factor). */
double sdn_kolmogorov_p(long n, double deviation);

typedef struct sdn_recovery { long n; double r2, rmse, nmad, bias; } sdn_recovery;
/* Point estimates against truths; pairs with a NaN are left out. r2 = 1 - sum (e-t)^2 / sum (t - mean t)^2; bias = mean(e - t);
 * nmad about the median. work [n]. NaN where undefined (n < 2). */
void sdn_recovery_of(long n, const double *truth, const double *estimate, double *work, sdn_recovery *out);

#endif
