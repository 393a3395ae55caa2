/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The network's formulas once more, in double precision, one galaxy at a time, without anything clever: what the fast code must agree with.
 * Written from the formulas in learn/network.h, core_affine.h, spline.h. */
#ifndef TEST_SUPPORT_FLOW_TWIN_H
#define TEST_SUPPORT_FLOW_TWIN_H

#include "learn/network.h"

typedef struct twin_map { double y, ln_slope; } twin_map;

/* Rational-quadratic spline through n + 1 knots (x, y, slope ascending), the identity outside. */
twin_map twin_spline(int n_bin, const double *x_knot, const double *y_knot, const double *slope, double x);
/* The two maps of one coordinate, from raw numbers. */
twin_map twin_core(const double raw[2], double x);
twin_map twin_raw_spline(int n_bin, const double *raw, double x);
/* ln q(z | x) for scaled features x [F] and z [D]; weights in the network's block. */
double twin_ln_q(const sdn_network *net, const double *weights, const double *x, const double *z);

#endif
