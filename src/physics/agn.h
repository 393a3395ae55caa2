/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An active nucleus: the accretion disc's continuum, broad and narrow lines, a dusty torus, a screen of dust of its own.
 *
 *   agn:
 *     disc: broken_power_law | GRID (a shipped name or a path: a grid of discs in Synthesizer's layout) | none: a torus alone
 *     log_l_bol_lsun: PARAMETER  or  l_bol_over_stars: PARAMETER  or  fraction: PARAMETER with fraction_wave_A: NUMBER
 *     break_wave_A: [..], wave_low_A:, wave_high_A:, alpha_1: ..        of broken_power_law: L_nu ~ nu^alpha_i, shortest wavelengths first
 *     axes: {AXIS: PARAMETER}                                           of a grid: each axis that has more than one node
 *     lines: {broad_covering_fraction:, broad_fwhm_km_s:, narrow_covering_fraction:, narrow_fwhm_km_s:} | none
 *     torus: {law: nenkova08 | skirtor, covering_fraction:, tau:, inclination_deg:, file:} | none
 *     dust: {law: .., a_v_mag: ..} | none                               a screen before disc and lines
 *
 * `power` is the bolometric luminosity of the disc as its continuum shows it, before the screen, over all wavelengths that the disc has (10 A to 1 mm; the
 * grid's). What lines and torus radiate comes from light that the disc sends in other directions: it is added, not taken from the power.
 *   disc    without breaks given: Feltre+2016 eq. 5, alpha -1.7 to 2500 A, -0.5 to 10 um, 2 beyond. A grid's spectra count as shapes of unit power.
 *   lines   covering fraction times the disc's ionising photons: broad ones 0.68 Lyman alpha per photon, the others relative to it as in Vanden Berk+2001
 *           table 2; narrow ones 0.117 H beta per photon (case B, 1e4 K), the others relative to it as in Richardson+2014 table 3, a42 (agn_lines.c).
 *   torus   covering fraction times the disc's power, in spectra of Nenkova+2008 (data/agn/nenkova08.h5) or of a SKIRTOR file, each of unit power;
 *           linear in ln tau and inclination. With disc: none, a nucleus of which dust in the torus lets nothing else be seen, it has no covering fraction and
 *           `power` is its own: with l_bol_over_stars the fagn and agn_tau of FSPS and Prospector (Leja+2018).
 * l_bol_over_stars is `power` over the bolometric luminosity of all stars, as they shine, before gas and dust.
 * All parameters are named agn_...: agn_log_l_bol_lsun, agn_alpha_1, agn_torus_tau, agn_a_v_mag, ... */
#ifndef SDN_PHYSICS_AGN_H
#define SDN_PHYSICS_AGN_H

#include "physics/attenuation.h"

#define SDN_AGN_MAX_LINE 64   /* at least sdn_agn_n_line of any */
#define SDN_AGN_MAX_PIECE 6
#define SDN_AGN_MAX_AXIS 8

typedef struct sdn_agn sdn_agn;
/* Opens the scope agn_ in the prior and leaves it again. err SDN_USAGE: keys that do not go together, with the remedy; SDN_FORMAT: a file. */
sdn_status sdn_agn_new(const sdn_yaml *map, sdn_prior *prior, sdn_agn **a, sdn_err *err);
void sdn_agn_free(sdn_agn *a);
const char *sdn_agn_name(const sdn_agn *a);                    /* of the disc, or "torus alone" */
uint64_t sdn_agn_hash(const sdn_agn *a, uint64_t hash);        /* over the files it read */
/* Rest wavelengths [*n], ascending, that a spectrum needs: so close that light linear between them errs by at most 1e-4 of a band's flux for the range
 * of the prior, which must be finished; breaks; the torus' own; fraction_wave_A. Worked out at the first call, which must come from one thread; NULL when
 * memory ends. Owned by a. */
const double *sdn_agn_waves_A(const sdn_agn *a, int *n);

double sdn_agn_power_lsun(const sdn_agn *a, const double *params);   /* NaN where the model has `fraction` or `l_bol_over_stars` */
bool sdn_agn_is_by_stars(const sdn_agn *a);                          /* whether the model has `l_bol_over_stars` */
double sdn_agn_over_stars(const sdn_agn *a, const double *params);   /* power over that of the stars; NaN without */
double sdn_agn_fraction(const sdn_agn *a, const double *params);     /* share of the galaxy's whole emergent continuum, dust that it heats included; NaN without */
double sdn_agn_fraction_wave_A(const sdn_agn *a);                    /* at this rest wavelength; NaN without */

int sdn_agn_n_line(const sdn_agn *a);                                /* ascending in wavelength */
double sdn_agn_line_wave_A(const sdn_agn *a, int line);              /* vacuum */
const char *sdn_agn_line_id(const sdn_agn *a, int line);             /* agn_broad_h_alpha, agn_narrow_o3_5007, ... */
double sdn_agn_line_fwhm_km_s(const sdn_agn *a, const double *params, int line);

/* The nucleus on fixed nodes, ascending, which include sdn_agn_waves_A where light is wanted. */
typedef struct sdn_agn_table sdn_agn_table;
sdn_status sdn_agn_table_new(const sdn_agn *a, const sdn_prior *prior, int n, const double *wave_A, sdn_agn_table **t, sdn_err *err);
void sdn_agn_table_free(sdn_agn_table *t);

typedef struct sdn_agn_state {   /* one galaxy, prepared */
  double value[SDN_AGN_MAX_PIECE], slope[SDN_AGN_MAX_PIECE];   /* power law pieces: ln L_nu [1/Hz] at the blue edge, d ln L_nu / d ln wavelength */
  int node[SDN_AGN_MAX_AXIS]; double t[SDN_AGN_MAX_AXIS];      /* place in a grid */
  int torus_angle, torus_tau; double torus_share[4];           /* [2 angles][2 tau], covering fraction included */
  double photons_per_s;                                        /* ionising, of one Lsun */
  double broad, narrow;                                        /* covering fractions */
  double tau;                                                  /* of the screen at 5500 A */
  sdn_curve dust;
} sdn_agn_state;
/* err SDN_RANGE: a parameter that is no number or outside what a table serves. */
sdn_status sdn_agn_table_prepare(const sdn_agn_table *t, const double *params, sdn_agn_state *s, sdn_err *err);
/* Emergent continuum [erg/s/Hz] of one Lsun, linear between the table's nodes; 0 outside them. */
double sdn_agn_lnu_at(const sdn_agn_table *t, const sdn_agn_state *s, double wave_A);
/* Adds the emergent continuum, disc behind its screen and torus, on nodes first .. first+n-1 to lnu [n], erg/s/Hz. */
void sdn_agn_table_add(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun, int first, int n, float *lnu);
/* Adds the emergent lines to line_erg_s [n_line]. float32 ends at 3e38 erg/s: power_lsun up to 1e6, which is why it is counted per solar mass of stars. */
void sdn_agn_lines_add(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun, float *line_erg_s);
/* What the screen took from disc and lines. */
double sdn_agn_absorbed_lsun(const sdn_agn_table *t, const sdn_agn_state *s, double power_lsun);

/* Plain, in double, for tests and people: continuum of the disc [erg/s/Hz] of one Lsun before the screen, and of the torus. */
double sdn_agn_disc_lnu(const sdn_agn *a, const double *params, double wave_A);
double sdn_agn_torus_lnu(const sdn_agn *a, const double *params, double wave_A);

#endif
