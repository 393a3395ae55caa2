/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Order statistics of a quantity's posterior draws, exact: no binning, no approximation.
 * The p-quantile of n sorted draws lies at position p (n-1), linear between neighbours (Hyndman & Fan 1996, type 7; numpy's default). */
#ifndef SDN_INFER_QUANTILES_H
#define SDN_INFER_QUANTILES_H

#include "base/memory.h"

#define SDN_MAX_QUANTILE 16

/* Move the finite values of x [n] to its front, in order; returns how many there are. */
long sdn_keep_finite(long n, double *x);
/* p [n_p] ascending in [0, 1] -> out [n_p]. x [n] holds no NaN; it is rearranged. n = 0: NaN. n_p <= SDN_MAX_QUANTILE. */
void sdn_quantiles(long n, double *x, int n_p, const double *p, double *out);
double sdn_median(long n, double *x);                                   /* x is rearranged */
/* 1.4826 times the median distance from the median: a Gaussian's sigma, deaf to outliers. x is rearranged. */
double sdn_nmad(long n, double *x);
/* Mean and standard deviation of the draws (divided by n). */
void sdn_mean_std(long n, const double *x, double *mean, double *std);
/* Where the draws lie densest: the mean of the shortest interval that holds a fifth of them. x [n] is sorted on return. */
double sdn_densest(long n, double *x);

/* "16,50,84" -> p [*n_p] ascending, in [0, 1]. err SDN_USAGE: not numbers, outside 0 to 100, twice the same, more than SDN_MAX_QUANTILE. */
sdn_status sdn_quantiles_parse(const char *text, int *n_p, double *p, sdn_err *err);
/* The column name of a quantile: 16 -> "q16", 2.5 -> "q02_5", 97.5 -> "q97_5"; name holds 16 characters. */
void sdn_quantile_name(double p, char *name);

#endif
