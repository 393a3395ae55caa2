/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whatever is measured of a galaxy's light is a functional of its observed spectrum: one number each, in its own unit. A survey, its noise, the network and the
 * likelihood treat all alike.
 *
 *   id                          what                                                                              unit
 *   a filter's (filter.h)       band-averaged flux density                                                        nJy
 *   pixel:LOW:HIGH:SIGMA        mean flux density of a spectrum's pixel, observed Angstrom; SIGMA: of the         nJy
 *                               line-spread function, 0 for none (pixel.h)
 *   line:NAME                   flux of an emission line, behind dust and IGM                                     1e-20 erg/s/cm2
 *   line_luminosity:NAME        its luminosity, behind dust alone                                                 1e40 erg/s
 *   line_ew:NAME                its rest-frame equivalent width as observed, emission positive                    Angstrom
 *
 * NAME as in observable_line.h. The continuum of an equivalent width is the mean f_lambda between 1 and 2 % of the wavelength to either side, each side with
 * the same weight (stellar absorption of the line itself lies within 1 %); only the red side for Lyman alpha.
 *
 * All kinds come from two sums over a galaxy's spectrum as it leaves the galaxy and, but for luminosities, has passed the IGM:
 *   continuum = sum_j weight_j L_nu,j        line = sum_l response_l L_l        value = sdn_observable_value(continuum, line, where the observer is) */
#ifndef SDN_PHYSICS_OBSERVABLE_H
#define SDN_PHYSICS_OBSERVABLE_H

#include "physics/filter.h"
#include "physics/observable_line.h"
#include "physics/pixel.h"

typedef enum sdn_observable_kind {
  SDN_OBSERVABLE_BAND, SDN_OBSERVABLE_PIXEL, SDN_OBSERVABLE_LINE_FLUX, SDN_OBSERVABLE_LINE_LUMINOSITY, SDN_OBSERVABLE_LINE_EW
} sdn_observable_kind;

typedef struct sdn_observable {
  sdn_observable_kind kind;
  char id[96];
  double pivot_A;              /* where it stands in a picture: pivot of a band, center of a pixel (observed), vacuum wavelength of a line (rest; 0: not known yet) */
  double low_A, high_A;        /* observed reach of bands and pixels, without velocities; 0, 0 for lines */
  sdn_filter *filter;          /* band */
  sdn_pixel pixel;
  const char *line_name;       /* in id; NULL for bands and pixels */
  sdn_line_pick line;          /* after sdn_observable_bind */
  sdn_filter *side[2];         /* continuum of an equivalent width, rest frame: blue (NULL: none) and red */
} sdn_observable;

/* err SDN_USAGE: what is wrong with the id, with the nearest filter or line. */
sdn_status sdn_observable_read(const char *id, sdn_observable **o, sdn_err *err);
void sdn_observable_free(sdn_observable *o);
/* Finds the lines that a line's name means; nothing to do for bands and pixels. Before weights and lines. */
sdn_status sdn_observable_bind(sdn_observable *o, const sdn_line_list *lines, sdn_err *err);
const char *sdn_observable_unit(const sdn_observable *o);
const char *sdn_observable_id_unit(const char *id);   /* of the kind that the id begins as */
/* `hash` carried on over all that decides the value: the id, and a band's curve. */
uint64_t sdn_observable_hash(const sdn_observable *o, uint64_t hash);

/* Rest wavelengths whose continuum it needs at 1 + z = stretch; *low_A > *high_A where it needs none (lines). sigma_ln: velocity dispersion over c. */
void sdn_observable_reach(const sdn_observable *o, double stretch, double sigma_ln, double *low_A, double *high_A);
/* Weights of the continuum's nodes, as sdn_filter_weights; *first = *last where it needs none. Velocities smear pixels exactly; bands and sidebands do without:
 * their curves are wider than any galaxy's lines (an edge of relative width w moves a line's response by (sigma_ln / w)^2 / 2 at most). */
bool sdn_observable_weights(const sdn_observable *o, int n, const double *wave_A, double stretch, double sigma_ln, int *first, int *last, float *weight);
/* Bands and pixels: what a line of flux F [erg/s/cm2] adds to <f_nu>, per F [1/Hz]. */
double sdn_observable_line_response(const sdn_observable *o, double wave_obs_A, double sigma_ln);

/* The emission lines of one galaxy, ascending in wavelength. */
typedef struct sdn_line_light {
  int n;
  const double *wave_A;        /* rest, vacuum */
  const float *luminosity;     /* [n] */
  const float *transmission;   /* [n], of the IGM; NULL: 1 */
  const double *sigma_ln;      /* [n] width of each over its wavelength; NULL: 0 */
  double widest_ln;            /* the largest of them */
  double stretch;
  double unit;                 /* erg/s of luminosity 1 */
} sdn_line_light;
/* The second sum above, in units of luminosity (over Hz for bands and pixels). */
double sdn_observable_lines(const sdn_observable *o, const sdn_line_light *lines);

/* mass: what luminosities are to be multiplied with; njy_per_lnu: (1 + z) / (4 pi d_L^2), in nJy per erg/s/Hz. */
typedef struct sdn_observer { double stretch, njy_per_lnu, mass; } sdn_observer;
double sdn_observable_value(const sdn_observable *o, double continuum, double line, const sdn_observer *where);

#endif
