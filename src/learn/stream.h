/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training rows of a library that does not fit in memory. The file is cut into blocks of consecutive rows. Each epoch goes through the blocks in an order
 * of its own; so many blocks as fit make a window, and the training rows of a window are shuffled. Which row stands at a place of an epoch is a function of
 * (seed, epoch, place) and of the window's size alone. */
#ifndef SDN_LEARN_STREAM_H
#define SDN_LEARN_STREAM_H

#include "base/memory.h"

typedef struct sdn_stream sdn_stream;

/* Windows of at most n_window rows, of which a call of prepare asks for at most n_batch; held [n_held]: rows that are not for training.
 * The library must outlive the stream. */
sdn_status sdn_stream_new(const sdn_library *library, long n_window, long n_batch, long n_held, const long *held, sdn_stream **stream, sdn_err *err);
void sdn_stream_free(sdn_stream *stream);
/* Reads the whole library once: the held rows in the order given to sdn_stream_new, z [n_held][D], flux [n_held][B], and *hash goes on over all of z, then
 * all fluxes. */
sdn_status sdn_stream_read_held(sdn_stream *stream, float *z, float *flux, uint64_t *hash, sdn_err *err);
/* From now on `seed` names the order. */
void sdn_stream_begin(sdn_stream *stream, uint64_t seed);
/* Training rows place .. place+n-1 of an epoch are in memory until the next call. */
sdn_status sdn_stream_prepare(sdn_stream *stream, long epoch, long place, long n, sdn_err *err);
/* One of them: z [D], flux [B]. */
void sdn_stream_row(const sdn_stream *stream, long place, float *z, float *flux);

/* Bytes that a window takes for each of its rows, and a held row takes. */
size_t sdn_stream_window_bytes(int n_free, int n_band);
size_t sdn_stream_held_bytes(int n_free, int n_band);

#endif
