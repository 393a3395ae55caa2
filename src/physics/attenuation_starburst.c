/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Calzetti's starburst curve and those made from it by a tilt and a bump at 2175 A, and the plain power law. */
#include <math.h>

#include "physics/attenuation_law.h"

#define SHORT_UM 0.12       /* Calzetti+2000 eq. 4 holds from here ... */
#define LONG_UM 2.2         /* ... to here */
#define BREAK_UM 0.63
#define R_V 4.05

/* Calzetti+2000 eq. 4 between 0.12 and 2.2 um. */
static double calzetti_inside(double um)
{
  const double x = 1 / um;
  if (um < BREAK_UM) return 2.659 * (-2.156 + x * (1.509 + x * (-0.198 + x * 0.011))) + R_V;
  return 2.659 * (-1.857 + 1.040 * x) + R_V;
}

/* Outside, value and slope go on: shortward along the tangent in wavelength (Leitherer+2002's measured curve lies within 0.3 % of it at 970 A and 3 % at
 * 912 A), longward as the power law of the logarithmic slope at 2.2 um (about wavelength^-3.4; the polynomial itself would turn negative at 3.1 um). */
static double calzetti(double um)
{
  if (um < SHORT_UM) {
    const double x = 1 / SHORT_UM, slope = -2.659 * x * x * (1.509 + x * (-2 * 0.198 + x * 3 * 0.011));
    return sdn_dust_tangent(calzetti_inside(SHORT_UM), slope, SHORT_UM, um);
  }
  if (um > LONG_UM) {
    const double end = calzetti_inside(LONG_UM), exponent = -2.659 * 1.040 / (LONG_UM * end);
    return end * pow(um / LONG_UM, exponent);
  }
  return calzetti_inside(um);
}

double sdn_dust_drude(double wave_A)
{
  const double centre_A = 2175, width_A = 350;
  const double wing = (wave_A - centre_A) * (wave_A + centre_A), core = wave_A * width_A;
  return core * core / (wing * wing + core * core);
}

static void calzetti_basis(const sdn_dust_table *table, double wave_A, double *b)
{
  (void)table;
  b[0] = calzetti(wave_A * 1e-4);
  b[1] = sdn_dust_drude(wave_A);
}

/* Noll+2009 eqs 2-4: both stellar curve and bump are tilted. */
static void noll(const double *p, double *c)
{
  c[0] = 1;
  c[1] = p[1];
  c[3] = p[0];
}

const sdn_dust_law sdn_dust_calzetti = {
  .name = "calzetti", .form = SDN_CURVE_TILTED, .basis = calzetti_basis, .coefficients = noll, .n_param = 2,
  .param = {{"slope", {"dust_slope", "", "0", -3, 1.5, "power of wavelength by which the curve is tilted"}},
            {"bump", {"dust_bump", "", "0", 0, 10, "amplitude of the 2175 A bump, in units of Calzetti's k"}}}};

/* Salim+2018: only the stellar curve is tilted. With k scaled to its R_V: A / A_V = k_Calz/R_V,Calz (wave/5500)^delta + B D / R_V,mod, where R_V,mod is
 * such that the tilted curve has the colour excess of its slope. */
static void salim(const double *p, double *c)
{
  const double r_v = R_V / ((R_V + 1) * pow(4400.0 / 5500, p[0]) - R_V);
  c[0] = 1 / R_V;
  c[2] = p[1] / r_v;
  c[3] = p[0];
}

const sdn_dust_law sdn_dust_salim18 = {
  .name = "salim18", .form = SDN_CURVE_TILTED, .basis = calzetti_basis, .coefficients = salim, .n_param = 2,
  .param = {{"slope", {"dust_slope", "", "0", -3, 0.9, "power of wavelength by which Calzetti's curve is tilted; above 0.98 it has no R_V"}},
            {"bump", {"dust_bump", "", "0", 0, 10, "amplitude of the 2175 A bump, in units of A / E(B-V)"}}}};

#define KC_BUMP 0.85
#define KC_BUMP_PER_SLOPE -1.9

/* Kriek & Conroy 2013 eq. 3: Noll's curve, its bump given by its slope. */
static void kriek_conroy(const double *p, double *c)
{
  const double with_bump[2] = {p[0], KC_BUMP + KC_BUMP_PER_SLOPE * p[0]};
  noll(with_bump, c);
}

const sdn_dust_law sdn_dust_kriek_conroy = {
  .name = "kriek_conroy", .form = SDN_CURVE_TILTED, .basis = calzetti_basis, .coefficients = kriek_conroy, .n_param = 1,
  .param = {{"slope", {"dust_slope", "", "0", -3, 0.44, "power of wavelength by which the curve is tilted; the bump 0.85 - 1.9 slope vanishes at 0.447"}}}};

static void one_basis(const sdn_dust_table *table, double wave_A, double *b)
{
  (void)table, (void)wave_A;
  b[0] = 1;
  b[1] = 0;
}

static void power_law(const double *p, double *c)
{
  c[0] = 1;
  c[3] = p[0];
}

const sdn_dust_law sdn_dust_power_law = {
  .name = "power_law", .form = SDN_CURVE_TILTED, .basis = one_basis, .coefficients = power_law, .n_param = 1,
  .param = {{"index", {"dust_index", "", "-0.7", -4, -0.1, "power of wavelength (Charlot & Fall 2000: -0.7)"}}}};
