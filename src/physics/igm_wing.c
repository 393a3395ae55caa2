/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Asada+2025: neutral gas close to a galaxy absorbs around Lyman alpha, the more the earlier. */
#include <math.h>

#include "physics/igm_law.h"

#define PI 3.14159265358979323846
#define LY_ALPHA_A 1215.67
#define DECAY_PER_S 6.255486e8            /* of the 2p level: Lambda of Totani+2006 */
#define LIGHT_A_PER_S 2.99792458e18
#define CM2_PER_A2 1e-16

/* Asada+2025: log N_HI rises from redshift 6 on along a sigmoid; before, their model is the IGM alone. */
double sdn_igm_wing_column(double z) { return z >= 6 ? pow(10, 3.5918 / (1 + exp(-1.8414 * (z - 6))) + 18.001) : 0; }

/* Totani+2006 eq. 1 (Peebles' two-level atom), r = nu / nu_alpha. The authors' code, and Synthesizer's after it, has c = 3e18 A/s beside a frequency of
 * Lyman alpha from the true one, which shifts their wing by 0.8 A to the red. */
double sdn_igm_wing_section(double wave_rest_A)
{
  const double r = LY_ALPHA_A / wave_rest_A, nu = LIGHT_A_PER_S / LY_ALPHA_A, r2 = r * r;
  const double detuning = 2 * PI * nu * (r - 1), width = DECAY_PER_S * r2 * r / 2;
  const double centre = 3 * LY_ALPHA_A * LY_ALPHA_A * DECAY_PER_S * DECAY_PER_S / (8 * PI);
  return CM2_PER_A2 * centre * r2 * r2 / (detuning * detuning + width * width);
}
