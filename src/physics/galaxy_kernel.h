/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The loops over wavelength, compiled for several vector widths and chosen at run time. */
#ifndef SDN_PHYSICS_GALAXY_KERNEL_H
#define SDN_PHYSICS_GALAXY_KERNEL_H

#include <stdbool.h>

/* The light of one beam, per node, added to `out`:
 *   f (T + D) + (1 - f) (T + g C) s
 * T transmitted starlight, D what gas takes from starlight (incident - transmitted; NULL: nothing), C nebular continuum (NULL: none), s transmission of the dust
 * (NULL: none), f escape fraction, g the gas' own share of its light. With `first` out is set instead. */
typedef struct sdn_blend { const float *transmitted, *taken, *nebular, *screen; float escape, gas; bool first; } sdn_blend;
void sdn_kernel_blend(int n, const sdn_blend *b, float *restrict out);
/* The power that dust takes from one beam: sum over nodes of (T + g C) (1 - s). */
double sdn_kernel_taken(int n, const sdn_blend *b);
/* exp(-tau curve), or times that where `more`; then with covering < 1 a share 1 - covering passes by: (1 - covering) + covering * out. tau >= 0. */
void sdn_kernel_screen(int n, const float *curve, float tau, bool more, float *restrict out);
void sdn_kernel_cover(int n, float covering, float *restrict out);
double sdn_kernel_sum(int n, const float *a);
void sdn_kernel_multiply(int n, const float *factor, float *restrict out);
/* sum a b, in sixteen float32 lanes that are added in double: relative error of positive sums below n / 16 * 6e-8. */
double sdn_kernel_dot(int n, const float *a, const float *b);

#endif
