/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attenuation by dust: curves k(lambda) = A(lambda) / A(5500 A), rest wavelength in A. A_V in this program is the attenuation at 5500 A, slope and bump
 * included, so k(5500 A) = 1 for every law and every value of its parameters. What lies beyond a law's published range is its documented continuation
 * (docs/theory.md): never a constant, never negative, falling in the infrared. */
#ifndef SDN_PHYSICS_ATTENUATION_H
#define SDN_PHYSICS_ATTENUATION_H

#include "prior/prior.h"

typedef struct sdn_attenuation sdn_attenuation;   /* a dust law as a model has it */

/* Reads `law`, `a_v_mag` and the law's own keys (slope, bump, r_v, ...) from a map, adds them to the prior (a_v_mag, dust_slope, dust_bump, dust_r_v, ...)
 * and binds them; the law must outlive sdn_prior_finish. more [n_more]: further keys of the map, which the caller reads himself.
 * err SDN_USAGE: unknown law or key, a key that this law does not have. */
sdn_status sdn_attenuation_new(const sdn_yaml *map, const char *const *more, size_t n_more, sdn_prior *prior, sdn_attenuation **a, sdn_err *err);
void sdn_attenuation_free(sdn_attenuation *a);
const char *sdn_attenuation_name(const sdn_attenuation *a);
double sdn_attenuation_a_v_mag(const sdn_attenuation *a, const double *params);   /* params [n_param]; 0 for the law `none` */
/* k at one wavelength, in double: for tests, for people. */
double sdn_attenuation_curve(const sdn_attenuation *a, const double *params, double wave_A);
/* `hash` carried on over the numbers that came from a file. */
uint64_t sdn_attenuation_hash(const sdn_attenuation *a, uint64_t hash);

/* The law on fixed nodes, any number of them in any order: what does not change from galaxy to galaxy is computed once. float32, within 2e-5 of k. */
typedef struct sdn_attenuation_table sdn_attenuation_table;
/* After sdn_prior_finish. The table reads the law no more once it is made, but for sdn_attenuation_table_prepare. */
sdn_status sdn_attenuation_table_new(const sdn_attenuation *a, const sdn_prior *prior, int n, const double *wave_A, sdn_attenuation_table **t, sdn_err *err);
void sdn_attenuation_table_free(sdn_attenuation_table *t);
typedef struct sdn_curve { float c[12]; } sdn_curve;   /* one galaxy's curve, prepared */
void sdn_attenuation_table_prepare(const sdn_attenuation_table *t, const double *params, sdn_curve *curve);
/* k on nodes first .. first+n-1: the stored curve where it is the same for all galaxies, else computed into scratch [n]. */
const float *sdn_attenuation_table_curve(const sdn_attenuation_table *t, const sdn_curve *curve, int first, int n, float *scratch);
bool sdn_attenuation_table_is_fixed(const sdn_attenuation_table *t);

#endif
