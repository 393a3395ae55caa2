/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Madau 1995: four Lyman lines (eqs 12 and 15) and the approximation of his footnote 3 to the Lyman continuum, xc = x at the limit. Below the observed limit
 * the approximation is poor; there it stays what it is at xc = 1. His heavy elements, which hardly matter at high redshift, come with a law of their own (as
 * in FSPS and XSPEC's zigm): tau = 0.0017 x^1.68 blueward of Lyman alpha. */
#include <math.h>

#include "physics/igm_law.h"

#define LIMIT_A 911.75
#define LY_ALPHA_A 1215.67

static const double jump_A[] = {LIMIT_A, 949.743, 972.537, 1025.72, LY_ALPHA_A};
static const double line[] = {0.00093, 0.0012, 0.0017, 0.0036}, metals[] = {0.0017};
enum { N_LINE = sizeof line / sizeof line[0] };
enum { P15, P168, P3, P346, N_POWER };

static double continuum_tau(double a, double x)
{
  return 0.25 * pow(x, 3) * (pow(a, 0.46) - pow(x, 0.46)) + 9.4 * pow(x, 1.5) * (pow(a, 0.18) - pow(x, 0.18)) -
         0.7 * pow(x, 3) * (pow(x, -1.32) - pow(a, -1.32)) - 0.023 * (pow(a, 1.68) - pow(x, 1.68));
}

/* The same, multiplied out: x^p = a^p u^p. */
static void continuum(double a, const double *a_power, double x, double *constant, double *c)
{
  (void)a, (void)x;
  *constant -= 0.023 * a_power[P168];
  c[P15] += 9.4 * a_power[P168];                                /* a^0.18 a^1.5 */
  c[P168] -= (9.4 + 0.7 - 0.023) * a_power[P168];
  c[P3] += 0.25 * a_power[P346] + 0.7 * a_power[P168];          /* (a^0.46, a^-1.32) a^3 */
  c[P346] -= 0.25 * a_power[P346];
}

#define COMMON \
  .limit_A = LIMIT_A, .n_line = N_LINE, .jump_A = jump_A, .n_power = N_POWER, .n_basis = N_POWER, \
  .power = {[P15] = 1.5, [P168] = 1.68, [P3] = 3, [P346] = 3.46}, .continuum_tau = continuum_tau, .continuum = continuum
#define HYDROGEN {0, N_LINE, 1, {0}, {P346}, line, 1}

const sdn_igm_law sdn_igm_madau95 = {.name = "madau95", .name_with_wing = "madau95 + asada25", COMMON, .n_series = 1, .series = {HYDROGEN}};
const sdn_igm_law sdn_igm_madau95_metals = {.name = "madau95_metals", .name_with_wing = "madau95_metals + asada25", COMMON, .n_series = 2,
                                            .series = {HYDROGEN, {N_LINE - 1, N_LINE, 1, {0}, {P168}, metals, 1}}};
