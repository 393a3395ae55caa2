/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Galaxies drawn from the prior, with their noise-free fluxes: what a library stores and what calibration checks draw afresh. */
#ifndef SDN_LIBRARY_TRUTH_H
#define SDN_LIBRARY_TRUTH_H

#include "base/parallel.h"

/* A sequence of galaxies; galaxy `row` of it is always the same one. Streams (base/random.h) of the random design are independent of one another. Those of
 * the sobol design are other points, but each is scrambled from the same sequence: sets of them may be compared, rows may not be paired. */
typedef struct sdn_truth_source {
  const sdn_prior *prior;
  const sdn_forward *forward;
  uint64_t seed;
  uint32_t stream;        /* SDN_STREAM_DESIGN for libraries, SDN_STREAM_CHECK for checks */
  bool sobol;             /* Owen-scrambled Sobol points: at most SDN_SOBOL_MAX_DIM free parameters, rows < 2^32. Else pseudo-random ones */
} sdn_truth_source;

/* Where to put them; every pointer but z and params may be NULL. */
typedef struct sdn_truth {
  float *z;               /* [n][n_free]; params are exactly the parameters of these rounded coordinates */
  double *params;         /* [n][n_param] */
  float *flux_nJy;        /* [n][n_band] noise-free */
  double *derived;        /* [n][n_derived_sfh] those that need only the star formation history */
} sdn_truth;

#define SDN_TRUTH_TILE 1024   /* galaxies computed together; results do not depend on where a call's rows begin or end */

/* Rows row0 .. row0+n-1 of the source. err SDN_NUMERIC, SDN_RANGE: a galaxy has no finite flux or leaves the grid; the sentence names its row
 * and free parameters (the model asks for what the physics cannot serve: nothing is dropped silently). SDN_RANGE also: limits of the design. */
sdn_status sdn_draw_truth(const sdn_truth_source *src, long row0, long n, const sdn_truth *out, const sdn_run *run, sdn_err *err);
/* The design's limits, asked before the work: dimensions and rows. */
sdn_status sdn_truth_check(const sdn_truth_source *src, long n, sdn_err *err);

#endif
