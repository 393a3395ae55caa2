/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stellar mass functions that priors are made of.
 *   leja20               the continuity model of Leja+2020 (ApJ 893, 111; appendix B): two Schechter functions of one M*, whose phi1, phi2 and M* are quadratic
 *                        in redshift through their values at 0.2, 1.6 and 3; beyond 0.2 and 3 held as they are there
 *   leja20_tacchella18   the same to z = 3; the Schechter functions of Tacchella+2018 (ApJ 868, 92; table 2) at z = 4, 5 ... 12; between 3 and 4 and between
 *                        those cos^2 weights of the neighbours; held from 12 on. This is what Prospector-beta does (Wang+2023) */
#ifndef SDN_PRIOR_MASS_FUNCTION_H
#define SDN_PRIOR_MASS_FUNCTION_H

#include "prior/grid_table.h"

typedef enum sdn_mass_function { SDN_MASS_FUNCTION_LEJA20, SDN_MASS_FUNCTION_LEJA20_TACCHELLA18, SDN_N_MASS_FUNCTION } sdn_mass_function;
extern const char *const sdn_mass_function_names[SDN_N_MASS_FUNCTION];

/* Galaxies per Mpc^3 and dex of mass (comoving), log_mass in log10 Msun. */
double sdn_mass_function_phi(sdn_mass_function f, double log_mass, double redshift);
/* Galaxies per Mpc^3 between two masses; Simpson's rule, 1e-6. */
double sdn_mass_function_number(sdn_mass_function f, double log_mass_low, double log_mass_high, double redshift);
/* p(log mass | redshift) between two masses, straight over 0.02 dex, mixed over 0.05 in redshift. */
sdn_status sdn_mass_function_grid(sdn_mass_function f, double log_mass_low, double log_mass_high, sdn_dist_grid **grid, sdn_err *err);

#endif
