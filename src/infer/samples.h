/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of all draws (HDF5), growing block by block:
 *   /theta [n][n_draw][n_free] float32   primary parameters; attributes names, units
 *   /ln_q  [n][n_draw]         float32   ln of the network's density of each draw, per unit of the coordinates in which the prior is a standard normal
 *   /row   [n]                 int64     row of the catalogue, counted from 0
 * root attributes: format "sedna samples", version 1, sedna_version, command, posterior, posterior_hash, catalogue, n_draw. */
#ifndef SDN_INFER_SAMPLES_H
#define SDN_INFER_SAMPLES_H

#include "infer/engine.h"

typedef struct sdn_samples sdn_samples;
typedef struct sdn_samples_origin { const char *command, *posterior, *catalogue; long n_draw; } sdn_samples_origin;
/* Written to PATH.part until sdn_samples_finish renames it. */
sdn_status sdn_samples_create(const char *path, const sdn_engine *e, const sdn_samples_origin *origin, sdn_samples **s, sdn_err *err);
/* theta_of: params [n][n_draw][n_param], from which the primary parameters are taken; ln_q [n][n_draw]. */
sdn_status sdn_samples_append(sdn_samples *s, long n, const double *params, const float *ln_q, sdn_err *err);
sdn_status sdn_samples_finish(sdn_samples *s, sdn_err *err);   /* s is gone whatever the status */
void sdn_samples_abandon(sdn_samples *s);                      /* NULL is legal */

#endif
