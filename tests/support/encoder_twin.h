/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The encoders' formulas once more, in double precision, one galaxy at a time, weights found by name: what the fast code must agree with.
 * Written from the formulas in learn/mlp.h, encoder_set.c and encoder_convolution.c. */
#ifndef TEST_SUPPORT_ENCODER_TWIN_H
#define TEST_SUPPORT_ENCODER_TWIN_H

#include "learn/network.h"

/* Context [C] of scaled features x [F]; weights in the network's block. */
void twin_encode(const sdn_network *net, const double *weights, const double *x, double *context);

#endif
