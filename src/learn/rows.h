/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A library's rows as training takes them: split three ways by galaxy, observed through the survey. All are in memory, or, where that would take more than
 * the options' memory_gb, those held out and a window of the others (stream.h). The split is the same in both cases.
 * In place of a library there may be a model: galaxies held out are then simulated once, those of training anew after every n_reuse epochs. */
#ifndef SDN_LEARN_ROWS_H
#define SDN_LEARN_ROWS_H

#include "learn/batch.h"
#include "learn/stream.h"
#include "learn/trainer.h"

typedef struct sdn_rows {
  sdn_library *library;
  sdn_survey *survey;
  int n_free, n_band, n_feature;
  float *z, *flux;              /* [n][n_free], [n][n_band]; of a stream: of the rows held out alone, in the order of the split */
  long *order;                  /* a permutation of these rows: test, validation, then training rows */
  long first[SDN_N_SPLIT], n_split[SDN_N_SPLIT];   /* where in it each split begins; its length */
  long n_reuse, generation;     /* of a model: epochs that galaxies last; whose galaxies are in memory, -1: none */
  int n_thread;                 /* that simulate them */
  long n_window; sdn_stream *stream;               /* training rows in memory at a time; 0, NULL: all */
  uint64_t seed;                /* names the split, and the noise of validation and test rows */
  uint64_t noise_seed;          /* names the noise of training rows */
  uint64_t hash;                /* of the library's texts and numbers */
} sdn_rows;

/* Reads a library, or simulates the galaxies held out on run's threads; the split is named by the options' seed and fractions. err SDN_USAGE: too few galaxies, too little memory_gb; SDN_RANGE: too many parameters. */
sdn_status sdn_rows_open(const sdn_train_options *options, const sdn_run *run, sdn_rows *rows, sdn_err *err);
void sdn_rows_close(sdn_rows *rows);
/* Rows for a trainer; `rows` must outlive it. noise_seed names the noise of training rows, a stream's order and a model's galaxies. */
sdn_row_source sdn_rows_source(sdn_rows *rows, uint64_t noise_seed);
/* Networks of an ensemble have the split in common, which the options' seed names; initial weights, order and noise of each are named by this one. */
long sdn_member_seed(long seed, long member);

#endif
