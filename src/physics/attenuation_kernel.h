/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The dust laws' loops over wavelength in float32, compiled for several vector widths and chosen at run time. c [6] as in attenuation_law.h. */
#ifndef SDN_PHYSICS_ATTENUATION_KERNEL_H
#define SDN_PHYSICS_ATTENUATION_KERNEL_H

void sdn_dust_kernel_affine(int n, const float *b0, const float *b1, const float *c, float *restrict out);
void sdn_dust_kernel_tilted(int n, const float *b0, const float *b1, const float *ln_wave, const float *c, float *restrict out);
void sdn_dust_kernel_li(int n, const float *b0, const float *b1, const float *ln_wave, const float *c, float *restrict out);

#endif
