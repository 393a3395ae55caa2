/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A library without a file: its galaxies are simulated when they are asked for. */
#ifndef SDN_LIBRARY_FRESH_H
#define SDN_LIBRARY_FRESH_H

#include "base/parallel.h"

typedef struct sdn_fresh sdn_fresh;

/* Texts, names and physics hash as a file that `sedna simulate` makes from model and survey would have them; sdn_library_n is 0. Galaxies lie evenly
 * (scrambled Sobol points) where the model's design and its number of parameters allow, else they are pseudo-random. err as sdn_simulate. */
sdn_status sdn_library_simulated(const char *model, const char *survey, sdn_library **library, sdn_err *err);
/* Galaxies row0 .. row0+n-1 of the sequence (seed, stream): z [n][n_free], noise-free flux_nJy [n][n_band]; the same for any number of threads. One call at a
 * time. err as sdn_draw_truth. */
sdn_status sdn_library_draw(const sdn_library *library, uint64_t seed, uint32_t stream, long row0, long n, float *z, float *flux_nJy, const sdn_run *run, sdn_err *err);
void sdn_fresh_free(sdn_fresh *fresh);

#endif
