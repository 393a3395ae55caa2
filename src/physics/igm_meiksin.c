/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Meiksin 2006: Lyman lines up to 31 -> 1 (eqs 2-4 and Table 1), photoelectric absorption by the diffuse gas (eq. 5) and by Lyman limit systems (eq. 7 with
 * N0 = 0.25, beta = gamma = 1.5). The optical depth of a line is that of Lyman alpha at the redshift of the absorber, x = 1 + z_n, times a ratio; CIGALE
 * takes Lyman alpha's at the redshift of the source for all higher lines, XSPEC's zigm as here. */
#include <math.h>

#include "physics/igm_law.h"

#define LIMIT_A 911.753
#define LOW 0.00211          /* tau_alpha = LOW x^3.7 for absorbers below redshift 4, eq. 2 ... */
#define HIGH 0.00058         /* ... and HIGH x^4.5 above, eq. 3 */
#define THIRD 0.62996052494743658   /* 4^(-1/3): ratios go as (x / 4)^(1/3) ... */
#define SIXTH 0.79370052598409974   /* ... and those of lines 3 to 5 beyond redshift 3 as (x / 4)^(1/6) */
#define N9 0.0283
#define RATIO(n) (N9 * 720.0 / ((n) * ((n) * (n) - 1.0)))   /* n > 9, caption of Table 1 */

static const double jump_A[] = {LIMIT_A, 912.703, 912.768, 912.839, 912.918, 913.006, 913.104, 913.215, 913.339, 913.480, 913.641, 913.826, 914.039, 914.286,
                                914.576, 914.919, 915.329, 915.824, 916.429, 917.181, 918.129, 919.352, 920.963, 923.150, 926.226, 930.748, 937.803, 949.743,
                                972.537, 1025.72, 1215.67};
enum { N_LINE = sizeof jump_A / sizeof jump_A[0] - 1 };   /* 31 .. 2 */

#define WEAK(ratio) {LOW * THIRD * (ratio), HIGH * THIRD * (ratio)}
static const double weak[][2] = {   /* 31 .. 6 */
  WEAK(RATIO(31)), WEAK(RATIO(30)), WEAK(RATIO(29)), WEAK(RATIO(28)), WEAK(RATIO(27)), WEAK(RATIO(26)), WEAK(RATIO(25)), WEAK(RATIO(24)), WEAK(RATIO(23)),
  WEAK(RATIO(22)), WEAK(RATIO(21)), WEAK(RATIO(20)), WEAK(RATIO(19)), WEAK(RATIO(18)), WEAK(RATIO(17)), WEAK(RATIO(16)), WEAK(RATIO(15)), WEAK(RATIO(14)),
  WEAK(RATIO(13)), WEAK(RATIO(12)), WEAK(RATIO(11)), WEAK(RATIO(10)), WEAK(N9), WEAK(0.0373), WEAK(0.0508), WEAK(0.0722)};
#define STRONG(ratio) {LOW * THIRD * (ratio), LOW * SIXTH * (ratio), HIGH * SIXTH * (ratio)}
static const double strong[][3] = {STRONG(0.109), STRONG(0.179), STRONG(0.348)};   /* 5, 4, 3 */
static const double alpha[] = {LOW, HIGH};
enum { N_WEAK = sizeof weak / sizeof weak[0], N_STRONG = sizeof strong / sizeof strong[0] };
_Static_assert((int)N_WEAK + (int)N_STRONG + 1 == (int)N_LINE, "a coefficient for every line");

enum { P37, P45, P37_THIRD, P37_SIXTH, P45_SIXTH, P45_THIRD, N_POWER, DIFFUSE = N_POWER, SYSTEMS, N_BASIS };

/* Eq. 7 over N0 a^2.5, where a and u separate: (Gamma(1/2, 1) - 1/e - sum) (u^1.5 - u^2.5) - sum_n 2 (-1)^n / (n! (6n - 5)(2n - 1)) (u^3n - u^2.5). The first
 * bracket is Gamma(1/2) = sqrt(pi). */
static double systems(double u)
{
  const double sqrt_pi = 1.77245385090551603, u25 = pow(u, 2.5);
  double sum = 0, sign_over_factorial = 1, u3n = 1;
  for (int n = 1; n <= 12; n++) {   /* the 13th term is below 1e-12 */
    sign_over_factorial /= -n;
    u3n *= u * u * u;
    sum += 2 * sign_over_factorial / ((6 * n - 5) * (2 * n - 1)) * (u3n - u25);
  }
  return sqrt_pi * (pow(u, 1.5) - u25) - sum;
}

static double own_basis(int i, double u) { return i == 0 ? u * u - u * u * u : u < 1 ? systems(u) : 0; }

#define DIFFUSE_TAU 0.805    /* eq. 5: tau = 0.805 x^3 (1 / x - 1 / a) */
#define SYSTEMS_N0 0.25

static double continuum_tau(double a, double x)
{
  return DIFFUSE_TAU * x * x * x * (1 / x - 1 / a) + SYSTEMS_N0 * pow(a, 2.5) * systems(x / a);
}

static void continuum(double a, const double *a_power, double x, double *constant, double *c)
{
  (void)a_power, (void)x, (void)constant;
  c[DIFFUSE] += DIFFUSE_TAU * a * a;
  c[SYSTEMS] += SYSTEMS_N0 * pow(a, 2.5);
}

const sdn_igm_law sdn_igm_meiksin06 = {
  .name = "meiksin06", .name_with_wing = "meiksin06 + asada25", .limit_A = LIMIT_A, .n_line = N_LINE, .jump_A = jump_A,
  .n_series = 3,
  .series = {{0, N_WEAK, 2, {5}, {P37_THIRD, P45_THIRD}, weak[0], 2}, {N_WEAK, N_LINE - 1, 3, {4, 5}, {P37_THIRD, P37_SIXTH, P45_SIXTH}, strong[0], 3},
             {N_LINE - 1, N_LINE, 2, {5}, {P37, P45}, alpha, 2}},
  .n_power = N_POWER, .n_basis = N_BASIS,
  .power = {[P37] = 3.7, [P45] = 4.5, [P37_THIRD] = 3.7 + 1.0 / 3, [P37_SIXTH] = 3.7 + 1.0 / 6, [P45_SIXTH] = 4.5 + 1.0 / 6, [P45_THIRD] = 4.5 + 1.0 / 3},
  .own_basis = own_basis, .continuum_tau = continuum_tau, .continuum = continuum};
