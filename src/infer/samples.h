/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of all draws (HDF5), growing block by block:
 *   /theta [n][n_draw][n_free] float32   primary parameters; attributes names, units
 *   /ln_q  [n][n_draw]         float32   ln of the network's density of each draw, per unit of the coordinates in which the prior is a standard normal
 *   /row   [n]                 int64     row of the catalogue, counted from 0
 *   and of a survey with spectra, for all their pixels one after the other:
 *   /pixels [n][n_pixel][5]    float32   flux, sigma, and quantiles 16, 50, 84 % of the predicted true flux, nJy; NaN where there are none. Attribute `spectra`: their names
 *   /pixel_wave_A   [n_pixel]  float64   centers, observed, vacuum
 *   /pixel_spectrum [n_pixel]  int64     of which spectrum, counted from 0
 * root attributes: format "sedna samples", version 1, sedna_version, command, posterior, posterior_hash, catalogue, n_draw. */
#ifndef SDN_INFER_SAMPLES_H
#define SDN_INFER_SAMPLES_H

#include "infer/fit_block.h"

typedef struct sdn_samples sdn_samples;
typedef struct sdn_samples_origin { const char *command, *posterior, *catalogue; long n_draw; int n_pixel; } sdn_samples_origin;
/* params [n][n_draw][n_param], from which the primary parameters are taken; ln_q [n][n_draw]; pixel [n][n_pixel][5]. */
typedef struct sdn_samples_rows { const double *params; const float *ln_q, *pixel; } sdn_samples_rows;
/* Written to PATH.part until sdn_samples_finish renames it. */
sdn_status sdn_samples_create(const char *path, const sdn_engine *e, const sdn_samples_origin *origin, sdn_samples **s, sdn_err *err);
sdn_status sdn_samples_append(sdn_samples *s, long n, const sdn_samples_rows *rows, sdn_err *err);
sdn_status sdn_samples_finish(sdn_samples *s, sdn_err *err);   /* s is gone whatever the status */
void sdn_samples_abandon(sdn_samples *s);                      /* NULL is legal */

#endif
