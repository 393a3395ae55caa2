/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Parameters with a correlated normal prior:
 *   {prior: multivariate_normal, names: [a, b, ...], mean: [..], covariance: [[..], ..]}
 * With covariance = L L^T, theta = mean + L z. Each parameter is a normal whose mean is a linear formula of those listed before it. */
#ifndef SDN_PRIOR_MULTIVARIATE_NORMAL_H
#define SDN_PRIOR_MULTIVARIATE_NORMAL_H

#include "prior/prior.h"

#define SDN_MULTIVARIATE_MAX 32   /* a formula has no more names */

bool sdn_prior_is_multivariate_normal(const sdn_yaml *node);
/* Declares them all, in the order of `names`. err SDN_USAGE: sizes, a name that no formula could use, a covariance that is not symmetric and positive definite. */
sdn_status sdn_prior_add_multivariate_normal(sdn_prior *p, const sdn_yaml *node, sdn_err *err);

#endif
