/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/attenuation.h"

#include <math.h>
#include <string.h>

#define REFERENCE_UM 0.55   /* A_V of this program: 5500 A */
#define SHORT_UM 0.12       /* Calzetti+2000 eq. 4 holds from here ... */
#define LONG_UM 2.2         /* ... to here */
#define BREAK_UM 0.63
#define R_V 4.05

static const char *const law_name[] = {[SDN_ATTENUATION_NONE] = "none", [SDN_ATTENUATION_CALZETTI] = "calzetti"};
enum { N_LAW = sizeof law_name / sizeof law_name[0] };

sdn_status sdn_attenuation_parse(const char *name, sdn_attenuation_law *law, sdn_err *err)
{
  for (int i = 0; i < N_LAW; i++)
    if (strcmp(name, law_name[i]) == 0) {
      *law = (sdn_attenuation_law)i;
      return SDN_OK;
    }
  const char *near = sdn_nearest(name, law_name, N_LAW);
  return sdn_fail(err, SDN_USAGE, "unknown dust law '%s'%s%s%s; known ones are none, calzetti", name, near ? ", did you mean '" : "",
                  near ? near : "", near ? "'?" : "");
}

/* Calzetti+2000 eq. 4 between 0.12 and 2.2 um. */
static double calzetti_inside(double um)
{
  const double x = 1 / um;
  if (um < BREAK_UM) return 2.659 * (-2.156 + x * (1.509 + x * (-0.198 + x * 0.011))) + R_V;
  return 2.659 * (-1.857 + 1.040 * x) + R_V;
}

/* Outside, value and slope go on: shortward along the tangent in wavelength (Leitherer+2002's measured curve lies within 0.3 % of it at
 * 970 A and 3 % at 912 A), longward as the power law of the logarithmic slope at 2.2 um (about wavelength^-3.4; the polynomial itself would turn
 * negative at 3.1 um). */
static double calzetti(double um)
{
  if (um < SHORT_UM) {
    const double x = 1 / SHORT_UM, slope = -2.659 * x * x * (1.509 + x * (-2 * 0.198 + x * 3 * 0.011));
    return calzetti_inside(SHORT_UM) + slope * (um - SHORT_UM);
  }
  if (um > LONG_UM) {
    const double end = calzetti_inside(LONG_UM), exponent = -2.659 * 1.040 / (LONG_UM * end);
    return end * pow(um / LONG_UM, exponent);
  }
  return calzetti_inside(um);
}

double sdn_attenuation_base(sdn_attenuation_law law, double wave_A) { return law == SDN_ATTENUATION_NONE ? 0 : calzetti(wave_A * 1e-4); }

double sdn_attenuation_drude(double wave_A)
{
  const double centre_A = 2175, width_A = 350;   /* Noll+2009 eq. 3 */
  const double wing = (wave_A - centre_A) * (wave_A + centre_A), core = wave_A * width_A;
  return core * core / (wing * wing + core * core);
}

double sdn_attenuation_curve(sdn_attenuation_law law, double slope, double bump, double wave_A)
{
  if (law == SDN_ATTENUATION_NONE) return 0;
  const double reference_A = REFERENCE_UM * 1e4;
  const double k = sdn_attenuation_base(law, wave_A) + bump * sdn_attenuation_drude(wave_A);
  const double norm = sdn_attenuation_base(law, reference_A) + bump * sdn_attenuation_drude(reference_A);
  return k / norm * pow(wave_A / reference_A, slope);
}
