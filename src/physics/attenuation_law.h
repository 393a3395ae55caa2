/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a dust law is inside: two numbers per wavelength that no galaxy changes, a few numbers per galaxy, and one of three ways to join them. */
#ifndef SDN_PHYSICS_ATTENUATION_LAW_H
#define SDN_PHYSICS_ATTENUATION_LAW_H

#include "physics/attenuation.h"

#define SDN_DUST_REFERENCE_A 5500.0

/* How k comes from the bases b0, b1 of a wavelength, from l = ln(wave / 5500 A) and from a galaxy's coefficients c. */
typedef enum sdn_curve_form {
  SDN_CURVE_AFFINE,   /* c0 b0 + c1 b1 */
  SDN_CURVE_TILTED,   /* (c0 b0 + c1 b1) exp(c3 l) + c2 b1 */
  SDN_CURVE_LI        /* c0 / (e + 1/e + c3) + c1 b0 + c2 b1 with e = exp(c4 (l + c5)); 0 where that is negative */
} sdn_curve_form;

enum { SDN_DUST_N_BASIS = 2, SDN_DUST_MAX_PARAM = 4, SDN_DUST_N_COEFFICIENT = 6, SDN_DUST_N_LINEAR = 3 };   /* the first three c scale k */
enum { SDN_DUST_MAX_KNOT = 200 };

/* A law's points, in the coordinates that it chooses; bend: second derivatives of a spline, or NULL. */
typedef struct sdn_dust_table { int n; double *x, *y, *bend; } sdn_dust_table;

typedef struct sdn_dust_param { const char *key; sdn_param_spec spec; } sdn_dust_param;   /* key: in YAML; spec.name: of the parameter */
/* Values under one name, for laws that offer them: what the parameters are where the YAML does not say. */
typedef struct sdn_dust_template { const char *name, *initial[SDN_DUST_MAX_PARAM]; } sdn_dust_template;

typedef struct sdn_dust_law {
  const char *name;
  sdn_curve_form form;
  bool reads_file;                     /* the YAML has `file`, and `load` reads it */
  int n_param;
  sdn_dust_param param[SDN_DUST_MAX_PARAM];
  int n_template;
  const sdn_dust_template *templates;
  /* Fills the table of a law that has one (NULL otherwise). */
  sdn_status (*load)(const sdn_yaml *map, sdn_dust_table *table, sdn_err *err);
  /* b [2] at a wavelength [A]; NULL: no dust at all. */
  void (*basis)(const sdn_dust_table *table, double wave_A, double *b);
  /* p [n_param] -> c [6] (zero before), of any normalisation; NULL: c0 = 1. */
  void (*coefficients)(const double *p, double *c);
} sdn_dust_law;

/* The laws; each file of formulas has some. */
extern const sdn_dust_law sdn_dust_calzetti, sdn_dust_salim18, sdn_dust_kriek_conroy, sdn_dust_power_law;
extern const sdn_dust_law sdn_dust_cardelli, sdn_dust_smc, sdn_dust_lmc, sdn_dust_gordon23;
extern const sdn_dust_law sdn_dust_li08, sdn_dust_narayanan_mw, sdn_dust_tabulated;

struct sdn_attenuation {
  const sdn_dust_law *law;
  int a_v, param[SDN_DUST_MAX_PARAM];   /* places in params */
  sdn_dust_table table;
  double reference[SDN_DUST_N_BASIS];   /* b at 5500 A */
};

double sdn_dust_join(sdn_curve_form form, const double *c, const double *b, double ln_wave);
/* A galaxy's c [6], such that k(5500 A) = 1. */
void sdn_dust_coefficients(const sdn_attenuation *a, const double *params, double *c);
sdn_status sdn_dust_allocate(size_t n, sdn_dust_table *table, sdn_err *err);   /* x, y, bend [n]; n stays 0 */

/* How the laws go on shortward of their range: along the tangent in wavelength, which stays finite. */
static inline double sdn_dust_tangent(double value, double slope, double edge, double wave) { return value + slope * (wave - edge); }
/* The same for both bases of a law given by its formula inside: slopes from three points just inside the edge. */
typedef void sdn_dust_inside(double um, double *b);
void sdn_dust_beyond_blue(sdn_dust_inside *inside, double edge_um, double um, double *b);
/* Noll+2009 eq. 3: Drude profile at 2175 A of width 350 A, 1 at its centre. */
double sdn_dust_drude(double wave_A);
/* Natural cubic spline through n points of ascending x: second derivatives bend [n], then its value. */
void sdn_dust_spline_bend(int n, const double *x, const double *y, double *bend);
double sdn_dust_spline(int n, const double *x, const double *y, const double *bend, double at);
/* Fitzpatrick & Massa 1990: linear term, bump, far-ultraviolet rise, at x = 1 / wavelength [1/um]. */
typedef struct sdn_dust_fm90 { double c1, c2, c3, c4, x0, gamma; } sdn_dust_fm90;
double sdn_dust_fm90_curve(const sdn_dust_fm90 *f, double x);

#endif
