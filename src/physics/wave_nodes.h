/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a smooth spectrum needs wavelength nodes. */
#ifndef SDN_PHYSICS_WAVE_NODES_H
#define SDN_PHYSICS_WAVE_NODES_H

#include "base/memory.h"

/* n_sample spectra L_nu(wavelength) that stand for all that can occur. */
typedef struct sdn_wave_family {
  int n_sample;
  double (*lnu)(const void *ctx, int sample, double wave_A);
  const void *ctx;
  double tolerance;   /* mean error of a straight line, over the larger of nu L_nu there ... */
  double floor;       /* ... and this share of its peak */
} sdn_wave_family;

/* Nodes from low_A to high_A, both included, so that L_nu linear between neighbours errs by no more, averaged over an interval, for any sample.
 * *node freed by sdn_release. */
sdn_status sdn_wave_nodes(const sdn_wave_family *f, double low_A, double high_A, double **node, int *n, sdn_err *err);

#endif
