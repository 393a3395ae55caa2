/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantiles of the beta distribution and of Student's t, which is a beta distribution seen through t^2 = nu (1 - w) / w.
 * GSL gives the incomplete beta function; the inversion is ours because GSL's calls its error handler where it does not converge and
 * loses the far tails. */
#ifndef SDN_PRIOR_BETA_H
#define SDN_PRIOR_BETA_H

/* Two numbers that sum to 1, each with its own relative accuracy: probabilities below and above, or a variable and its distance to 1. */
typedef struct sdn_pair { double low, high; } sdn_pair;

double sdn_beta_ln_norm(double a, double b);                /* ln B(a, b), a, b > 0 */
double sdn_beta_below_mean(double a, double b);             /* P(x < a / (a + b)) */
sdn_pair sdn_beta_cdf(double a, double b, sdn_pair x);      /* probabilities below and above x */
/* The inverse. Probabilities under 1e-300 give the quantile of 1e-300. below_mean as by the function above. */
sdn_pair sdn_beta_quantile(double a, double b, double below_mean, sdn_pair p);

double sdn_student_from_z(double nu, double below_mean, double z);   /* t; below_mean of beta(nu/2, 1/2) */
double sdn_student_to_z(double nu, double t);
double sdn_student_ln_pdf(double nu, double t);

#endif
