/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prior/mass_function.h"

#include <math.h>

#define LN10 2.30258509299404568402
#define HALF_PI 1.57079632679489661923
#define FIRST_Z 0.2          /* Leja+2020 is measured between these */
#define LAST_Z 3.0
#define FIRST_HIGH_Z 4       /* Tacchella+2018, table 2 */
#define LAST_HIGH_Z 12
#define STEP_DEX 0.02
#define STEP_Z 0.05
#define N_SIMPSON 256        /* of mass, even */

const char *const sdn_mass_function_names[SDN_N_MASS_FUNCTION] = {"leja20", "leja20_tacchella18"};

/* The quadratic through three values at redshifts 0.2, 1.6 and 3 (Lagrange's form of Leja+2020 eq. 14). */
static double through(double y1, double y2, double y3, double z)
{
  const double a = (z - 1.6) * (z - 3.0) / ((0.2 - 1.6) * (0.2 - 3.0)), b = (z - 0.2) * (z - 3.0) / ((1.6 - 0.2) * (1.6 - 3.0)),
               c = (z - 0.2) * (z - 1.6) / ((3.0 - 0.2) * (3.0 - 1.6));
  return a * y1 + b * y2 + c * y3;
}

/* Per dex; x = log10 M / M*. */
static double schechter(double phi, double x, double alpha) { return phi * pow(10, x * (alpha + 1)) * exp(-pow(10, x)); }

/* Leja+2020, table 1: medians of the continuity model. */
static double leja20(double log_mass, double redshift)
{
  const double z = fmin(fmax(redshift, FIRST_Z), LAST_Z), x = log_mass - through(10.79, 10.88, 10.84, z);
  const double phi1 = pow(10, through(-2.44, -3.08, -4.14, z)), phi2 = pow(10, through(-2.89, -3.29, -3.51, z));
  return LN10 * (schechter(phi1, x, -0.28) + schechter(phi2, x, -1.48));
}

static double tacchella18(double log_mass, int redshift)
{
  static const struct { double phi, log_m, alpha; } at[] = {
    {261.9e-5, 10.16, -1.54}, {201.2e-5, 9.89, -1.59}, {140.5e-5, 9.62, -1.64}, {78.0e-5, 9.38, -1.70}, {38.4e-5, 9.18, -1.76},
    {37.3e-5, 8.74, -1.80},   {8.1e-5, 8.79, -1.92},   {3.9e-5, 8.50, -2.00},   {1.1e-5, 8.50, -2.10},
  };
  const int i = redshift - FIRST_HIGH_Z;
  return schechter(at[i].phi, log_mass - at[i].log_m, at[i].alpha);   /* its phi is per dex already */
}

double sdn_mass_function_phi(sdn_mass_function f, double log_mass, double redshift)
{
  if (f == SDN_MASS_FUNCTION_LEJA20 || redshift <= LAST_Z) return leja20(log_mass, redshift);
  if (!(redshift < LAST_HIGH_Z)) return redshift >= LAST_HIGH_Z ? tacchella18(log_mass, LAST_HIGH_Z) : NAN;
  const int before = (int)redshift;
  const double c = cos((redshift - before) * HALF_PI), low = before < FIRST_HIGH_Z ? leja20(log_mass, LAST_Z) : tacchella18(log_mass, before);
  return c * c * low + (1 - c * c) * tacchella18(log_mass, before + 1);
}

double sdn_mass_function_number(sdn_mass_function f, double low, double high, double redshift)
{
  const double step = (high - low) / N_SIMPSON;
  double sum = 0;
  if (!(low < high)) return low >= high ? 0 : NAN;
  for (int i = 0; i <= N_SIMPSON; i++)
    sum += (i == 0 || i == N_SIMPSON ? 1 : i % 2 ? 4 : 2) * sdn_mass_function_phi(f, low + i * step, redshift);
  return sum * step / 3;
}

sdn_status sdn_mass_function_grid(sdn_mass_function f, double low, double high, sdn_dist_grid **grid, sdn_err *err)
{
  const double last_z = f == SDN_MASS_FUNCTION_LEJA20 ? LAST_Z : LAST_HIGH_Z;
  *grid = NULL;
  if (!(low < high && high - low < 100)) return sdn_fail(err, SDN_USAGE, "a mass function from %g to %g has no masses; low must be below high", low, high);
  const size_t n = (size_t)ceil((high - low) / STEP_DEX) + 1, n_z = (size_t)lround((last_z - FIRST_Z) / STEP_Z) + 1;
  double *z = sdn_alloc(n_z + n + n_z * n, sizeof *z, "a mass function", err);
  if (!z) return err->status;
  double *log_mass = z + n_z, *density = log_mass + n;
  for (size_t i = 0; i < n; i++) log_mass[i] = i + 1 < n ? low + (high - low) * (double)i / (double)(n - 1) : high;
  for (size_t i = 0; i < n_z; i++) {
    z[i] = FIRST_Z + (last_z - FIRST_Z) * (double)i / (double)(n_z - 1);
    for (size_t k = 0; k < n; k++) density[i * n + k] = sdn_mass_function_phi(f, log_mass[k], z[i]);
  }
  const sdn_status status = sdn_dist_grid_new(n_z, z, n, log_mass, density, grid, err);
  sdn_release(z);
  return status;
}
