/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The distribution of a band's background error sigma0 over the galaxies of a survey.
 *
 * sigma0 of band b in one galaxy has the rank Phi(t_b) in the band's distribution, and the bands of a galaxy share a factor g:
 *   t_b = sqrt(rho) g + sqrt(1 - rho) g_b,      g, g_b standard normal
 * (a one-factor Gaussian copula: a deep place on the sky is deep in all bands). So everything is said by the increasing function sigma0(t), which is
 * tabulated once and taken linear between nodes, by the draw and by the likelihood alike: they cannot differ. */
#ifndef SDN_SURVEY_SIGMA_H
#define SDN_SURVEY_SIGMA_H

#include <stdbool.h>

#define SDN_SIGMA_T_MAX 5.0            /* ranks beyond 1 -+ 2.9e-7 take the value at the end */
#define SDN_SIGMA_NODE_PER_T 64        /* linear interpolation is then within 1.2e-4 of a log-uniform distribution over a factor of 100 */
#define SDN_SIGMA_N_NODE 641           /* 2 T_MAX NODE_PER_T + 1 */

typedef struct sdn_sigma {
  bool constant;                       /* one value for all galaxies */
  double low, median, high;            /* nJy */
  float node[SDN_SIGMA_N_NODE + 1];    /* sigma0 [nJy] at t = -T_MAX + i / NODE_PER_T; the last one stands twice, so that node[i + 1] always exists */
} sdn_sigma;

/* From n values [nJy], ascending and positive, at equally spaced probabilities 0 .. 1, the logarithm linear in the probability between them: one value is a
 * constant, two are a log-uniform distribution. */
void sdn_sigma_set(sdn_sigma *d, int n, const double *value);
double sdn_sigma_at(const sdn_sigma *d, double t);
/* The t at which sigma0(t) = sigma, kept within -+T_MAX (which is also where values outside the range go), and ln dt/dsigma there; where
 * many t share one value, their middle and a derivative left out (0). */
double sdn_sigma_rank(const sdn_sigma *d, double sigma, double *ln_slope);

#endif
