/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Random numbers with names instead of state: (seed, stream, row) names a sequence and its numbers come in order. So a galaxy's noise is the
 * same whichever thread draws it, and a resumed run goes on with the very numbers that it would have used.
 * Generator: Philox4x32-10 of Random123 (Salmon+2011). Key = (seed's low word, high word); counter = (block, stream, row's low word, high word),
 * block = 0, 1, 2, ...; a block's four words are used in the order in which Random123 stores them. A sequence has 2^34 words. */
#ifndef SDN_BASE_RANDOM_H
#define SDN_BASE_RANDOM_H

#include "base/error.h"

/* Streams: the high byte says what the numbers are for, the low 24 bits are free (an epoch, a replica). */
enum {
  SDN_STREAM_DESIGN = 1u << 24,       /* prior draws of a library */
  SDN_STREAM_CHECK = 2u << 24,        /* prior draws of calibration checks: never those of a library */
  SDN_STREAM_NOISE = 3u << 24,        /* training noise, + epoch */
  SDN_STREAM_VALIDATION = 4u << 24,   /* fixed noise of validation and test rows */
  SDN_STREAM_SPLIT = 5u << 24,
  SDN_STREAM_SHUFFLE = 6u << 24,      /* + epoch */
  SDN_STREAM_WEIGHTS = 7u << 24,      /* initial weights, + member */
  SDN_STREAM_POSTERIOR = 8u << 24,    /* base draws of posterior sampling */
  SDN_STREAM_SCRAMBLE = 9u << 24,     /* Owen scrambling */
  SDN_STREAM_MEMBER = 11u << 24,      /* where a galaxy's draws begin among the members of a mixture */
  SDN_STREAM_ONLINE = 12u << 24,      /* prior draws of a training without a library */
  SDN_STREAM_HELD_OUT = 13u << 24,    /* and of its validation and test galaxies */
  SDN_STREAM_TEST = 10u << 24,        /* tests and calibration statistics */
  SDN_STREAM_TUNE = 20u << 24         /* the options of a trial */
};

typedef struct sdn_rng { uint32_t key[2], counter[4]; uint32_t word[4]; int n_left; } sdn_rng;

sdn_rng sdn_rng_at(uint64_t seed, uint32_t stream, uint64_t row);
uint32_t sdn_rng_bits(sdn_rng *rng);
double sdn_rng_uniform(sdn_rng *rng);                       /* in (0, 1), middles of 2^52 cells, never 0 or 1; two words, the high one first */
double sdn_rng_normal(sdn_rng *rng);                        /* by inversion of one uniform; |value| <= 8.2 */
/* [n] standard normals; vectorised; |value| <= 6.76. Starts at a fresh block and takes one block for four numbers: words 0 and 2 give radii,
 * 1 and 3 angles (Box & Muller 1958). A longer call begins with the numbers of a shorter one. */
void sdn_rng_normals(sdn_rng *rng, long n, float *out);
long sdn_rng_below(sdn_rng *rng, long n);                   /* 0 .. n-1, unbiased */
/* A permutation of 0 .. n-1 that is a function of (seed, stream, n) alone: out [n]. */
void sdn_random_permutation(uint64_t seed, uint32_t stream, long n, long *out);

#define SDN_SOBOL_MAX_DIM 64
/* Point `index` of the Owen-scrambled Sobol sequence in [0,1)^n_dim (never 0: moved half a cell inward), random access.
 * Direction numbers: Joe & Kuo 2008; scrambling: hashed nested uniform (Owen 1995; Burley 2020), one key per dimension from the seed.
 * out [n_dim], n_dim <= SDN_SOBOL_MAX_DIM; index < 2^32. */
void sdn_sobol_point(uint64_t seed, uint32_t index, int n_dim, double *out);

#endif
