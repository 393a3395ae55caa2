/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heads other than the autoregressive flow, in double precision and without anything clever. given [G], biases included; z [D]. */
#ifndef TEST_SUPPORT_HEAD_TWIN_H
#define TEST_SUPPORT_HEAD_TWIN_H

#include "support/flow_twin.h"

double twin_mixture(const sdn_network *net, const double *given, const double *z);
double twin_coupling(const sdn_network *net, const double *weights, const double *given, const double *z);

#endif
