/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The Milky-Way-like curve of Narayanan+2018 as Synthesizer 1.3.1 tabulates it (its MW_N18 table: opacities at wavelengths of constant ratio; here from 103 A
 * to 1 mm, divided by the value at 5500 A, five digits). */
#include <math.h>

#include "physics/attenuation_law.h"

#define FIRST 36             /* of Synthesizer's points: point i stands at 10 A 10^(7 i / 249) */
#define LN_STEP (7 * 2.30258509299404568 / 249)

static const double k_table[] = {
  1.4131, 1.4736, 1.596, 1.4275, 1.4827, 1.5268, 1.5789, 1.6287, 1.6783, 1.7247, 1.8021, 1.833, 1.9678, 1.8845, 1.9675, 2.0583, 2.1533, 2.2591, 2.3689,
  2.3633, 2.428, 2.5377, 2.6874, 2.9206, 3.1741, 3.4498, 3.7757, 4.1695, 4.6985, 5.4758, 6.0541, 5.8396, 5.1503, 4.711, 4.4085, 3.8219, 3.2869, 2.8742,
  2.6648, 2.503, 2.3814, 2.2857, 2.2117, 2.1964, 2.2747, 2.475, 2.8014, 2.921, 2.5206, 2.1597, 1.951, 1.8129, 1.7131, 1.6275, 1.5513, 1.4806, 1.41, 1.337,
  1.2618, 1.1858, 1.1099, 1.0346, 0.96102, 0.88957, 0.82036, 0.75421, 0.69135, 0.63204, 0.57648, 0.52444, 0.47596, 0.4313, 0.39061, 0.35388, 0.32079,
  0.29081, 0.26347, 0.23844, 0.21554, 0.19445, 0.17506, 0.15729, 0.14103, 0.12613, 0.11254, 0.10017, 0.088939, 0.078787, 0.069659, 0.061534, 0.054265,
  0.047813, 0.04213, 0.03713, 0.032754, 0.028978, 0.025753, 0.023042, 0.020809, 0.018969, 0.017317, 0.015934, 0.017076, 0.028541, 0.047589, 0.07199,
  0.072545, 0.061107, 0.045527, 0.034516, 0.025786, 0.019708, 0.018186, 0.020765, 0.024276, 0.027211, 0.027676, 0.025173, 0.022395, 0.020261, 0.018737,
  0.017586, 0.016758, 0.016022, 0.015104, 0.013956, 0.012457, 0.010856, 0.0092795, 0.0078749, 0.0066749, 0.0056658, 0.0048227, 0.0041133, 0.0035164,
  0.0030102, 0.0025805, 0.0022157, 0.0019043, 0.0016386, 0.001412, 0.0012197, 0.001055, 0.0009145, 0.00079387, 0.00069087, 0.00060255, 0.00052634,
  0.00046034, 0.00040333, 0.0003535, 0.00031005, 0.00027214, 0.00023895, 0.00020989, 0.00018448, 0.0001617, 0.0001401, 0.00012161, 0.00010582, 9.2395e-05,
  8.0687e-05, 7.0756e-05, 6.2093e-05, 5.4675e-05, 4.8182e-05, 4.2602e-05, 3.7702e-05, 3.3428e-05, 2.9709e-05, 2.6435e-05, 2.3572e-05, 2.1054e-05, 1.8828e-05,
  1.685e-05, 1.5079e-05, 1.3493e-05, 1.207e-05};
enum { N = sizeof k_table / sizeof k_table[0] };

_Static_assert((int)N <= (int)SDN_DUST_MAX_KNOT, "a spline has room for the table");

/* As in Synthesizer: k is a cubic spline in wavelength. */
static sdn_status load(const sdn_yaml *map, sdn_dust_table *t, sdn_err *err)
{
  (void)map;
  if (sdn_dust_allocate(N, t, err)) return err->status;
  t->n = N;
  for (int i = 0; i < N; i++) {
    t->x[i] = 10 * exp((FIRST + i) * LN_STEP);
    t->y[i] = k_table[i];
  }
  sdn_dust_spline_bend(N, t->x, t->y, t->bend);
  return SDN_OK;
}

/* Beyond the ends: the tangent in wavelength of the first two points, the power law of the last two. */
static void basis(const sdn_dust_table *t, double wave_A, double *b)
{
  const double *x = t->x, *y = t->y;
  b[1] = 0;
  if (wave_A < x[0])
    b[0] = sdn_dust_tangent(y[0], (y[1] - y[0]) / (x[1] - x[0]), x[0], wave_A);
  else if (wave_A > x[N - 1])
    b[0] = y[N - 1] * pow(wave_A / x[N - 1], log(y[N - 1] / y[N - 2]) / LN_STEP);
  else
    b[0] = sdn_dust_spline(N, x, y, t->bend, wave_A);
}

const sdn_dust_law sdn_dust_narayanan_mw = {.name = "narayanan_mw", .form = SDN_CURVE_AFFINE, .load = load, .basis = basis};
