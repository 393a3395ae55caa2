/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Inoue, Shimizu, Iwata & Tanaka 2014, eqs 15-29 and Table 2: 39 Lyman lines and the Lyman continuum of the Lyman-alpha forest and of damped systems. */
#include <math.h>

#include "physics/igm_law.h"
#include "physics/igm_lines.h"

#define AS_LINE(wave_A, f0, f1, f2, d0, d1) {wave_A, {f0, f1, f2}, {d0, d1}},
static const sdn_igm_line line[SDN_IGM_N_LINE] = {SDN_IGM_LINES(AS_LINE)};

#define AS_WAVELENGTH(wave_A, f0, f1, f2, d0, d1) wave_A,
static const double jump_A[1 + SDN_IGM_N_LINE] = {SDN_IGM_LIMIT_A, SDN_IGM_LINES(AS_WAVELENGTH)};

enum { STRIDE = sizeof(sdn_igm_line) / sizeof(double) };
enum { P12, P21, P37, P55, PM03, P2, P3, N_POWER };

/* Eqs 25-27: Lyman continuum of the forest. */
static double forest_tau(double a, double x)
{
  const double x12 = pow(x, 1.2), x21 = pow(x, 2.1), x37 = pow(x, 3.7);
  if (a < 2.2) return 0.3248 * (x12 - pow(a, -0.9) * x21);
  if (a < 5.7) {
    const double far = 2.545e-2 * pow(a, 1.6) * x21;
    return x < 2.2 ? far + 0.3248 * x12 - 0.2496 * x21 : far - 2.545e-2 * x37;
  }
  const double far = 5.221e-4 * pow(a, 3.4) * x21;
  if (x < 2.2) return far + 0.3248 * x12 - 3.140e-2 * x21;
  if (x < 5.7) return far + 0.2182 * x21 - 2.545e-2 * x37;
  return far - 5.221e-4 * pow(x, 5.5);
}

/* Eqs 28, 29: Lyman continuum of damped systems. */
static double damped_tau(double a, double x)
{
  const double xm03 = pow(x, -0.3);
  if (a < 3.0) return 0.2113 * a * a - 0.07661 * pow(a, 2.3) * xm03 - 0.1347 * x * x;
  const double far = 4.696e-2 * a * a * a - 1.779e-2 * pow(a, 3.3) * xm03;
  return x < 3.0 ? far + 0.6340 - 0.1347 * x * x - 0.2905 * xm03 : far - 2.916e-2 * x * x * x;
}

static double continuum_tau(double a, double x) { return forest_tau(a, x) + damped_tau(a, x); }

/* The same as coefficients of powers of rest wavelength: x^p = a^p u^p. */
static void continuum(double a, const double *a_power, double x, double *constant, double *c)
{
  if (a < 2.2) {
    c[P12] += 0.3248 * a_power[P12];
    c[P21] -= 0.3248 * pow(a, -0.9) * a_power[P21];
  } else {
    const double far = a < 5.7 ? 2.545e-2 * pow(a, 1.6) : 5.221e-4 * pow(a, 3.4);
    if (x < 2.2) {
      c[P12] += 0.3248 * a_power[P12];
      c[P21] += (far - (a < 5.7 ? 0.2496 : 3.140e-2)) * a_power[P21];
    } else if (x < 5.7) {
      c[P21] += (far + (a < 5.7 ? 0 : 0.2182)) * a_power[P21];
      c[P37] -= 2.545e-2 * a_power[P37];
    } else {
      c[P21] += far * a_power[P21];
      c[P55] -= 5.221e-4 * a_power[P55];
    }
  }
  const bool near = a < 3;
  *constant += near ? 0.2113 * a * a : 4.696e-2 * a * a * a + (x < 3 ? 0.6340 : 0);
  c[PM03] -= (near ? 0.07661 * pow(a, 2.3) : 1.779e-2 * pow(a, 3.3) + (x < 3 ? 0.2905 : 0)) * a_power[PM03];
  if (near || x < 3)
    c[P2] -= 0.1347 * a_power[P2];
  else
    c[P3] -= 2.916e-2 * a_power[P3];
}

const sdn_igm_law sdn_igm_inoue14 = {
  .name = "inoue14", .name_with_wing = "inoue14 + asada25", .limit_A = SDN_IGM_LIMIT_A, .n_line = SDN_IGM_N_LINE, .jump_A = jump_A,
  .n_series = 2,
  .series = {{0, SDN_IGM_N_LINE, 3, {2.2, 5.7}, {P12, P37, P55}, line[0].forest, STRIDE},    /* eq. 21: the forest */
             {0, SDN_IGM_N_LINE, 2, {3.0}, {P2, P3}, line[0].damped, STRIDE}},               /* eq. 22: damped systems */
  .n_power = N_POWER, .n_basis = N_POWER,
  .power = {[P12] = 1.2, [P21] = 2.1, [P37] = 3.7, [P55] = 5.5, [PM03] = -0.3, [P2] = 2, [P3] = 3},
  .n_edge = 3, .edge = {2.2, 3, 5.7}, .continuum_tau = continuum_tau, .continuum = continuum};
