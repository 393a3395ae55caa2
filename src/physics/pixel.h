/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One pixel of a spectrum: what a detector element counts of a spectrum smeared by the spectrograph.
 *
 * The line-spread function is a Gaussian in ln(wavelength): a line at w, of flux F, gives the pixel between a and b the flux F K(w), with
 *   K(w) = Phi((ln w - ln a) / s) - Phi((ln w - ln b) / s),      s = sigma / center
 * so neighbouring pixels share a line without loss. The pixel's datum is its flux over its width in frequency (energy counting, flux conserving):
 *   <f_nu> = int f_nu K dl/l^2 / (1/a - 1/b) = int f_lambda K dl / int_a^b c dl/l^2
 * A velocity dispersion is a Gaussian in ln(wavelength) too: the widths add in quadrature. For a spectrum linear in wavelength between its nodes the integral
 * has a closed form, with x = ln(w / center), u = (x - ln a) / s:
 *   int K dx               from   s (u Phi + phi)
 *   int K e^-x dx          from   e^(s^2/2 - ln a) Phi(u + s) - e^-x Phi(u)
 * s = 0 is the sharp pixel. */
#ifndef SDN_PHYSICS_PIXEL_H
#define SDN_PHYSICS_PIXEL_H

#include <stdbool.h>

#define SDN_PIXEL_REACH 5.0          /* in s: 3e-7 of a line at an edge, 5e-8 s of a continuum lie beyond */
#define SDN_PIXEL_MAX_SIGMA_LN 0.05  /* of line-spread function and velocities together: the series for Phi(u + s) then errs below 1e-9 of the pixel */

/* Observed wavelengths. sigma_A is the line-spread function's at the center sqrt(low high). */
typedef struct sdn_pixel {
  double low_A, high_A, center_A, sigma_ln;
  double low, high, ln_low, ln_high;   /* the edges in units of the center */
  double low_reach_A, high_reach_A;    /* without velocities */
} sdn_pixel;

/* False unless 0 < low_A < high_A and 0 <= sigma_A / center <= SDN_PIXEL_MAX_SIGMA_LN. */
bool sdn_pixel_set(sdn_pixel *p, double low_A, double high_A, double sigma_A);
/* Wavelengths between which light matters; sigma_ln: velocity dispersion over c. */
void sdn_pixel_reach(const sdn_pixel *p, double sigma_ln, double *low_A, double *high_A);
/* As sdn_filter_weights. The weights of a flat spectrum sum to e^(s^2/2): smearing f_lambda ~ l^-2 raises it by so much. */
bool sdn_pixel_weights(const sdn_pixel *p, int n, const double *wave_A, double stretch, double sigma_ln, int *first, int *last, float *weight);
bool sdn_pixel_weights_double(const sdn_pixel *p, int n, const double *wave_A, double stretch, double sigma_ln, int *first, int *last, double *weight);
/* What a line of flux F [erg/s/cm2] at wave_obs_A adds to <f_nu>, per F [1/Hz]. */
double sdn_pixel_line_response(const sdn_pixel *p, double wave_obs_A, double sigma_ln);

#endif
