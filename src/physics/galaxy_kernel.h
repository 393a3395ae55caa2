/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops over wavelength, compiled for several vector widths and chosen at run time. */
#ifndef SDN_PHYSICS_GALAXY_KERNEL_H
#define SDN_PHYSICS_GALAXY_KERNEL_H

/* Light that leaves the galaxy, per node:  out = f (T + D) + (1 - f)(T + C) exp(-tau k)
 * T transmitted starlight, D what gas takes from starlight (incident - transmitted; NULL: nothing), C nebular continuum (NULL: none),
 * k attenuation curve (NULL: no dust), tau = 0.4 ln 10 A_V >= 0, f escape fraction. */
typedef struct sdn_blend { const float *transmitted, *taken, *nebular, *curve; float tau, escape; } sdn_blend;
void sdn_kernel_blend(int n, const sdn_blend *b, float *restrict out);
/* A tilted and bumped curve: out = (base + bump drude) exp(slope ln_wave) scale. */
void sdn_kernel_curve(int n, const float *base, const float *drude, const float *ln_wave, const float *slope_bump_scale, float *restrict out);
void sdn_kernel_multiply(int n, const float *factor, float *restrict out);
/* sum a b, in sixteen float32 lanes that are added in double: relative error of positive sums below n / 16 * 6e-8. */
double sdn_kernel_dot(int n, const float *a, const float *b);

#endif
