/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A prior without a model of galaxies, for the parameters of any simulator:
 *   parameters: {NAME: PARAMETER, ...}      each a number, a formula of others or {prior: NAME, ...}, as in model.yaml
 * A key whose value is {prior: multivariate_normal, ...} is the name of a group (multivariate_normal.h), not of a parameter.
 * Free parameters keep the file's order where none depends on a later one; the first leads the network's order. */
#ifndef SDN_PRIOR_PARAMETERS_H
#define SDN_PRIOR_PARAMETERS_H

#include "prior/prior.h"

/* Does the text describe such a prior? (Or a model.) */
bool sdn_prior_is_alone(const char *yaml);
sdn_status sdn_prior_parse(const char *yaml, const char *origin, sdn_prior **prior, sdn_err *err);

#endif
