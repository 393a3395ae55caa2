/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A prior straight from YAML text, for tests: every key is a parameter. */
#ifndef TEST_SUPPORT_PRIOR_TEXT_H
#define TEST_SUPPORT_PRIOR_TEXT_H

#include "prior/prior.h"

/* Parameters are declared in the text's order, each served over [low, high]; a key ending in "_gaps" becomes its three parameters
 * t25, t50, t75. Registered functions: cosmic_gyr(x) = 13.8 / (1 + x), comoving_volume_mpc3(z) = z^2, sum_of(x, y). */
sdn_status test_prior_between(const char *yaml, double low, double high, sdn_prior **prior, sdn_err *err);
/* The same without limits; a failure fails the test. */
sdn_prior *test_prior(const char *yaml);

#endif
