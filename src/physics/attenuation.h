/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attenuation curves k(lambda) = A(lambda) / A(5500 A). A_V in this program is the attenuation at 5500 A, slope and bump included. */
#ifndef SDN_PHYSICS_ATTENUATION_H
#define SDN_PHYSICS_ATTENUATION_H

#include "base/error.h"

typedef enum sdn_attenuation_law { SDN_ATTENUATION_NONE, SDN_ATTENUATION_CALZETTI } sdn_attenuation_law;
/* err SDN_USAGE: unknown law, the known ones are named. */
sdn_status sdn_attenuation_parse(const char *name, sdn_attenuation_law *law, sdn_err *err);
/* Calzetti+2000 eq. 4 with Noll+2009's slope and 2175 A Drude bump (width 350 A), normalised to 1 at 5500 A. Below 1200 A and above 22000 A
 * the polynomial is continued as documented in docs/theory.md and never becomes negative. */
double sdn_attenuation_curve(sdn_attenuation_law law, double slope, double bump, double wave_A);
/* The pieces, so that a galaxy with its own slope and bump costs one pow per wavelength: curve = (base + bump * drude) * (wave/5500)^slope / norm. */
double sdn_attenuation_base(sdn_attenuation_law law, double wave_A);
double sdn_attenuation_drude(double wave_A);

#endif
