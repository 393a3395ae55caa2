/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Li+2008 eq. 1: a curve of four parameters that can look like Calzetti's, the Milky Way's and the Clouds'. Its three terms: far ultraviolet, optical and
 * infrared, bump; lambda in um:
 *   c1 / ((l/.08)^c2 + (l/.08)^-c2 + c3) + 233 (1 - c1 / (6.88^c2 + 0.145^c2 + c3) - c4 / 4.60) / ((l/.046)^2 + (l/.046)^-2 + 90)
 *   + c4 / ((l/.2175)^2 + (l/.2175)^-2 - 1.95)
 * The formula holds everywhere: it falls as wavelength^-2 in the infrared and shortward of 800 A. */
#include <math.h>

#include "physics/attenuation_law.h"

static void basis(const sdn_dust_table *table, double wave_A, double *b)
{
  const double um = wave_A * 1e-4, optical = um / 0.046, bump = um / 0.2175;
  (void)table;
  b[0] = 1 / (optical * optical + 1 / (optical * optical) + 90);
  b[1] = 1 / (bump * bump + 1 / (bump * bump) - 1.95);
}

static void coefficients(const double *p, double *c)
{
  c[0] = p[0];
  c[1] = 233 * (1 - p[0] / (pow(6.88, p[1]) + pow(0.145, p[1]) + p[2]) - p[3] / 4.60);
  c[2] = p[3];
  c[3] = p[2];
  c[4] = p[1];
  c[5] = log(SDN_DUST_REFERENCE_A / 800);
}

/* Li+2008 Table 1. */
static const sdn_dust_template templates[] = {
  {"calzetti", {"44.9", "7.56", "61.2", "0"}}, {"smc", {"38.7", "3.83", "6.34", "0"}}, {"mw", {"14.4", "6.52", "2.04", "0.0519"}},
  {"lmc", {"4.47", "2.39", "-0.988", "0.0221"}}};

const sdn_dust_law sdn_dust_li08 = {
  .name = "li08", .form = SDN_CURVE_LI, .basis = basis, .coefficients = coefficients, .n_param = 4,
  .param = {{"c1", {"dust_c1", "", NULL, 0, 200, "c1 of Li+2008: strength of the far-ultraviolet rise"}},
            {"c2", {"dust_c2", "", NULL, 0.5, 20, "c2 of Li+2008: power of the far-ultraviolet rise"}},
            {"c3", {"dust_c3", "", NULL, -1.9, 200, "c3 of Li+2008: rounds the far-ultraviolet rise"}},
            {"c4", {"dust_c4", "", NULL, -0.01, 0.5, "c4 of Li+2008: strength of the 2175 A bump"}}},
  .n_template = sizeof templates / sizeof templates[0], .templates = templates};
