/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/grid_light.h"

#include <math.h>

#define PLANCK_ERG_S 6.62607015e-27
#define LIGHT_A_PER_S 2.99792458e18

/* Sum over the pieces between low and high of what `part` makes of a piece: from l0 to l1, value y0 at l0 and slope b. */
typedef double piece_fn(double l0, double l1, double y0, double b);

static double photons(double l0, double l1, double y0, double b) { return (y0 - b * l0) * log(l1 / l0) + b * (l1 - l0); }
static double energy(double l0, double l1, double y0, double b) { return (y0 - b * l0) * (1 / l0 - 1 / l1) + b * log(l1 / l0); }

static double integrate(int n, const double *wave_A, const float *lnu, double low_A, double high_A, piece_fn *part)
{
  double sum = 0;
  for (int j = 0; j + 1 < n && wave_A[j] < high_A; j++) {
    const double step = wave_A[j + 1] - wave_A[j];
    if (wave_A[j + 1] <= low_A || !(step > 0)) continue;
    const double b = ((double)lnu[j + 1] - (double)lnu[j]) / step, l0 = fmax(wave_A[j], low_A), l1 = fmin(wave_A[j + 1], high_A);
    sum += part(l0, l1, (double)lnu[j] + b * (l0 - wave_A[j]), b);
  }
  return sum;
}

double sdn_photon_rate(int n, const double *wave_A, const float *lnu, double low_A, double high_A)
{
  return integrate(n, wave_A, lnu, low_A, high_A, photons) / PLANCK_ERG_S;
}

double sdn_luminosity(int n, const double *wave_A, const float *lnu, double low_A, double high_A)
{
  return integrate(n, wave_A, lnu, low_A, high_A, energy) * LIGHT_A_PER_S;
}

double sdn_lnu_at(int n, const double *wave_A, const float *lnu, double at_A)
{
  int low = 0, high = n - 1;
  if (!(at_A >= wave_A[0] && at_A <= wave_A[n - 1])) return 0;
  while (high - low > 1) {
    const int mid = (low + high) / 2;
    if (wave_A[mid] <= at_A) low = mid; else high = mid;
  }
  const double step = wave_A[high] - wave_A[low], t = step > 0 ? (at_A - wave_A[low]) / step : 0;
  return (1 - t) * (double)lnu[low] + t * (double)lnu[high];
}
