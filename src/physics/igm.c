/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/igm.h"

#include <math.h>
#include <string.h>

#include "physics/igm_lines.h"

#define AS_LINE(wave_A, f0, f1, f2, d0, d1) {wave_A, {f0, f1, f2}, {d0, d1}},
const sdn_igm_line sdn_igm_lines[SDN_IGM_N_LINE] = {SDN_IGM_LINES(AS_LINE)};

#define AS_WAVELENGTH(wave_A, f0, f1, f2, d0, d1) wave_A,
static const double jump_A[1 + SDN_IGM_N_LINE] = {SDN_IGM_LIMIT_A, SDN_IGM_LINES(AS_WAVELENGTH)};

static const char *const law_name[] = {[SDN_IGM_NONE] = "none", [SDN_IGM_INOUE14] = "inoue14"};
enum { N_LAW = sizeof law_name / sizeof law_name[0] };

sdn_status sdn_igm_parse(const char *name, sdn_igm_law *law, sdn_err *err)
{
  for (int i = 0; i < N_LAW; i++)
    if (strcmp(name, law_name[i]) == 0) {
      *law = (sdn_igm_law)i;
      return SDN_OK;
    }
  const char *near = sdn_nearest(name, law_name, N_LAW);
  return sdn_fail(err, SDN_USAGE, "unknown igm '%s'%s%s%s; known ones are none, inoue14", name, near ? ", did you mean '" : "",
                  near ? near : "", near ? "'?" : "");
}

const double *sdn_igm_jumps_A(int *n)
{
  *n = 1 + SDN_IGM_N_LINE;
  return jump_A;
}

/* Inoue+2014 eqs 21, 22: one line's optical depth at x = observed wavelength / line wavelength, 1 < x < 1 + z. */
static double line_tau(const sdn_igm_line *line, double x)
{
  const double forest = x < 2.2 ? line->forest[0] * pow(x, 1.2) : x < 5.7 ? line->forest[1] * pow(x, 3.7) : line->forest[2] * pow(x, 5.5);
  const double damped = x < 3.0 ? line->damped[0] * x * x : line->damped[1] * x * x * x;
  return forest + damped;
}

/* Inoue+2014 eqs 25-27: Lyman continuum of the forest; a = 1 + z, x = observed wavelength / limit < a. */
static double forest_continuum_tau(double a, double x)
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

/* Inoue+2014 eqs 28, 29: Lyman continuum of damped systems. */
static double damped_continuum_tau(double a, double x)
{
  const double xm03 = pow(x, -0.3);
  if (a < 3.0) return 0.2113 * a * a - 0.07661 * pow(a, 2.3) * xm03 - 0.1347 * x * x;
  const double far = 4.696e-2 * a * a * a - 1.779e-2 * pow(a, 3.3) * xm03;
  return x < 3.0 ? far + 0.6340 - 0.1347 * x * x - 0.2905 * xm03 : far - 2.916e-2 * x * x * x;
}

double sdn_igm_tau(sdn_igm_law law, double z, double wave_rest_A)
{
  if (law == SDN_IGM_NONE) return 0;
  const double a = 1 + z, wave_A = wave_rest_A * a;
  double tau = 0;
  for (int k = 0; k < SDN_IGM_N_LINE; k++) {
    const sdn_igm_line *line = &sdn_igm_lines[k];
    if (wave_rest_A < line->wave_A && wave_A > line->wave_A) tau += line_tau(line, wave_A / line->wave_A);
  }
  if (wave_rest_A < SDN_IGM_LIMIT_A) {
    const double x = fmax(wave_A / SDN_IGM_LIMIT_A, 1);   /* the published fits end at the observed limit */
    tau += forest_continuum_tau(a, x) + damped_continuum_tau(a, x);
  }
  return fmax(tau, 0);   /* the rounded coefficients of the fits leave -1e-5 at the limit itself */
}
