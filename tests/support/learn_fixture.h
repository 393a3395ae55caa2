/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small libraries written without any physics, and networks trained on them, in the scratch folder. */
#ifndef TEST_SUPPORT_LEARN_FIXTURE_H
#define TEST_SUPPORT_LEARN_FIXTURE_H

#include "base/error.h"

#define LEARN_N_FREE 3
#define LEARN_N_BAND 4

extern const char learn_survey[];   /* bands g r i z, errors of 5 to 20 nJy, 20 % drops */

/* Fluxes [nJy] as a smooth function of z [LEARN_N_FREE]. */
void learn_flux(const float *z, float *flux_nJy);
/* A finished library file of n such galaxies; its path, as scratch_file gives it. */
const char *learn_library(const char *name, long n);
/* The same with another survey, whose bands must be among g r i z or u, a copy of g; its path. */
const char *learn_library_of(const char *name, long n, const char *survey, const char *bands);
/* Options of a short training on it with a small network, in n_epoch passes. Paths must outlive the options. */
sdn_train_options learn_options(const char *library, const char *output, long n_epoch);
/* A trained posterior of 4000 galaxies and 40 epochs, made on the first call: its path. */
const char *learn_posterior(void);

#endif
