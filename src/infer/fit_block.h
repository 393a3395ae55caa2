/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `fit` does with one block of a catalogue: draws, parameters, derived quantities, predicted photometry, one row of numbers per galaxy.
 * Nothing depends on where a block begins or ends: random numbers are named by the row. */
#ifndef SDN_INFER_FIT_BLOCK_H
#define SDN_INFER_FIT_BLOCK_H

#include "infer/catalogue.h"
#include "infer/layout.h"
#include "infer/range.h"

#define SDN_N_PIXEL_VALUE (2 + SDN_N_PREDICTED)   /* flux, sigma, quantiles of the prediction */

typedef struct sdn_block_setup {
  const sdn_engine *engine;
  const sdn_layout *columns;
  const sdn_range *range;
  const sdn_run *run;
  int n_carried;
  long n_galaxy, n_draw;     /* most galaxies; draws per galaxy */
  uint64_t seed;
  bool pixels;               /* summarise the spectra's too */
  bool fix;                  /* the network is given the redshifts sdn_rows.fix */
} sdn_block_setup;

typedef struct sdn_block {
  sdn_block_setup set;
  double *fixed, *cdf;       /* [n_galaxy] given first coordinate, NaN: none; its cumulative probability */
  float *z, *ln_q;           /* [n_galaxy][n_draw][n_free], [n_galaxy][n_draw] */
  double *params;            /* [n_galaxy][n_draw][n_param] */
  double *derived;           /* [n_galaxy][n_draw][n_sfh] */
  double *few;               /* [n_galaxy][n_predict][n_param] the first draws of each galaxy */
  double *spectral;          /* [n_galaxy][n_predict][n_derived] */
  float *predicted;          /* [n_galaxy][n_predict][n_band] */
  float *pixel;              /* [n_galaxy][n_pixel][SDN_N_PIXEL_VALUE] where asked for: nJy, as sdn_samples has them */
  double *z_phot;            /* [n_galaxy] median redshift; NaN where there are no data, and everywhere with `fix` */
  double *number;            /* [n_galaxy][n_column] */
} sdn_block;

/* Galaxies of one block: as many as keep its arrays in some tens of megabytes. */
long sdn_block_size(long n_draw);
sdn_status sdn_block_new(const sdn_block_setup *set, sdn_block **b, sdn_err *err);
void sdn_block_free(sdn_block *b);
/* Adds flags to rows, fills z, ln_q, params, z_phot and number. */
sdn_status sdn_block_run(sdn_block *b, sdn_rows *rows, sdn_err *err);

#endif
