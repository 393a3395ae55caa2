/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/attenuation_kernel.h"

#include "base/fastmath.h"

SDN_CLONES void sdn_dust_kernel_affine(int n, const float *b0, const float *b1, const float *c, float *restrict out)
{
  const float c0 = c[0], c1 = c[1];
  for (int j = 0; j < n; j++) out[j] = c0 * b0[j] + c1 * b1[j];
}

SDN_CLONES void sdn_dust_kernel_tilted(int n, const float *b0, const float *b1, const float *ln_wave, const float *c, float *restrict out)
{
  const float c0 = c[0], c1 = c[1], c2 = c[2], slope = c[3];
  for (int j = 0; j < n; j++) out[j] = (c0 * b0[j] + c1 * b1[j]) * sdn_expf(slope * ln_wave[j]) + c2 * b1[j];
}

SDN_CLONES void sdn_dust_kernel_li(int n, const float *b0, const float *b1, const float *ln_wave, const float *c, float *restrict out)
{
  const float c0 = c[0], c1 = c[1], c2 = c[2], c3 = c[3], power = c[4], shift = c[5];
  for (int j = 0; j < n; j++) {
    const float e = sdn_expf(power * (ln_wave[j] + shift));
    const float k = c0 / (e + 1 / e + c3) + c1 * b0[j] + c2 * b1[j];
    out[j] = k > 0 ? k : 0;
  }
}
