/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rows to learn from, and how they come into a tile. */
#ifndef SDN_LEARN_BATCH_H
#define SDN_LEARN_BATCH_H

#include "learn/kernel.h"

#include "base/fastmath.h"
#include "learn/network.h"

typedef enum sdn_split { SDN_SPLIT_TRAIN, SDN_SPLIT_VALIDATION, SDN_SPLIT_TEST, SDN_N_SPLIT } sdn_split;

/* Some rows of a split: row[0..n-1], n <= SDN_ROWS, which are the place-th and following ones of this epoch. Of the other splits, epoch is the number of the
 * noise realisation. */
typedef struct sdn_row_range { sdn_split split; long epoch, place, n; const long *row; } sdn_row_range;

/* Training rows come in an order that the trainer shuffles anew in every epoch, or, where own_order is true, in the source's own: row[i] is then place + i.
 * prepare, where it is not NULL, is called by one thread before fill is asked for training rows at places place .. place+n-1 of an epoch; it gets them into memory.
 * fill gives x [n][F], features as they are, and z [n][D], standard-normal coordinates. Training data are fresh in every epoch: their noise is
 * named by (epoch, place + i); the other splits have fixed realisations. Called by many threads at once. */
typedef struct sdn_row_source {
  void *ctx;
  long n[SDN_N_SPLIT];
  bool own_order;
  sdn_status (*prepare)(void *ctx, long epoch, long place, long n, sdn_err *err);
  sdn_status (*fill)(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err);
} sdn_row_source;

#define SDN_LARGEST_FEATURE 20.0f   /* standard deviations; farther out the network would only extrapolate */

/* x' = (x - mean) * scale for each of F features. */
typedef struct sdn_scaling { int n; float *mean, *scale; } sdn_scaling;

/* Mean and standard deviation over the training rows' first noisy data; a constant feature keeps scale 1. */
sdn_status sdn_scaling_measure(const sdn_row_source *source, int n_free, sdn_scaling *scaling, sdn_err *err);
/* x [n][F] -> x_t [SDN_ROWS or more][F], n rows set. */
void sdn_scale_features(const sdn_scaling *scaling, long n, const float *x, float *x_t);
/* Fill a tile with rows; those beyond range->n are zero. */
sdn_status sdn_tile_load(const sdn_row_source *source, const sdn_scaling *scaling, int n_free, const sdn_row_range *range, sdn_tile_work *w,
                         sdn_arena *arena, sdn_err *err);

#endif
