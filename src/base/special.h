/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The standard normal, exact in both tails, and sums of logarithms. */
#ifndef SDN_BASE_SPECIAL_H
#define SDN_BASE_SPECIAL_H

double sdn_normal_cdf(double z);            /* Phi(z), relative error < 1e-14 down to z = -37 */
double sdn_normal_ln_cdf(double z);         /* ln Phi(z), right to z = -1e7 */
double sdn_normal_quantile(double p);       /* z with Phi(z) = p, 0 < p < 1 (Wichura 1988 AS241 + one Halley step); NaN outside */
double sdn_normal_quantile_upper(double q); /* z with 1 - Phi(z) = q, exact for tiny q */
double sdn_normal_quantile_ln(double ln_p); /* z with ln Phi(z) = ln_p < 0, right where Phi itself underflows */
double sdn_normal_ln_pdf(double z);
double sdn_ln_sum_exp(long n, const double *ln_x);   /* ln of the sum; -infinity for n = 0 */
double sdn_ln_add_exp(double a, double b);

#endif
