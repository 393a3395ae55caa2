/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Metallicities of a galaxy's stars: one for all, a spread of them, or one that goes with time. A grid's spectra are linear in the coordinate of its
 * metallicity axis between nodes (axis->log: log10 Z, else Z), so that a distribution becomes one weight per node, its integral against the node's hat.
 *
 *   log_metallicity: P                 one metallicity, log10 of the mass fraction of metals
 *   metallicity: {family: FAMILY, ...}
 *     delta        log_metallicity                                  the same
 *     normal       mean, sigma                                      in Z
 *     log_normal   log_mean, sigma_dex                              in log10 Z
 *     exponential  log_scale                                        p(Z) ~ exp(-Z / 10^log_scale), as BAGPIPES has it
 *     two_step     log_metallicity_old, log_metallicity_young, step_age_gyr      stars younger than that (lookback time) have the second
 *     mass_tied    log_metallicity_start, log_metallicity_final     Z = Z_start + (Z_final - Z_start) * (share of the mass formed by then): the closed
 *                                                                   box of ProSpect (Robotham+2020)
 *     particles                                                     each particle's own, of a history of particles
 * The spread families are cut off at the ends of the grid and made whole again between them; their centre lies inside the grid. */
#ifndef SDN_PHYSICS_METALLICITY_H
#define SDN_PHYSICS_METALLICITY_H

#include "physics/grid.h"
#include "physics/sfh.h"

typedef struct sdn_metallicity sdn_metallicity;

/* Reads log_metallicity or metallicity of the map `stars`, adds the parameters to the prior and binds them. Parameters are called log_metallicity,
 * metallicity_mean, metallicity_sigma, log_metallicity_mean, metallicity_sigma_dex, log_metallicity_scale, log_metallicity_old, log_metallicity_young,
 * metallicity_step_age_gyr, log_metallicity_start, log_metallicity_final. axis must outlive *m; *m must stay until the prior is finished.
 * err SDN_USAGE: none or both keys, unknown family or key. */
sdn_status sdn_metallicity_new(const sdn_yaml *stars, const sdn_grid_axis *axis, sdn_prior *prior, sdn_metallicity **m, sdn_err *err);
void sdn_metallicity_free(sdn_metallicity *m);
const char *sdn_metallicity_name(const sdn_metallicity *m);
/* The parameter that is log10 of the one metallicity of all stars; -1: they have several. */
int sdn_metallicity_delta_param(const sdn_metallicity *m);

bool sdn_metallicity_is_of_particles(const sdn_metallicity *m);

/* Mass on age nodes to mass on metallicity and age nodes.
 * in   params     [n_param of the prior]
 *      h          the history that mass comes from: two_step and mass_tied need it
 *      limit_yr   mass is that of the stars younger than this (INFINITY: all)
 *      age_yr     [n_age], mass [n_age] as sdn_sfh_weights gives it, times any factor
 * out  weight     [n_z of the axis][n_age]; at each age the sum over metallicities is mass (1e-12 before rounding to float), each within 1e-8 of the
 *                 integral over both hats
 * err  SDN_NUMERIC  parameters that are not finite */
sdn_status sdn_metallicity_weights(const sdn_metallicity *m, const double *params, const sdn_sfh *h, double limit_yr, int n_age, const double *age_yr,
                                   const double *mass, float *weight, sdn_arena *arena, sdn_err *err);
/* Mean mass fraction of metals in all stars ever formed, weighted by mass. */
double sdn_metallicity_mean(const sdn_metallicity *m, const double *params, const sdn_sfh *h);

#endif
