/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/stream.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"

#define LARGEST_BLOCK 4096L   /* rows read together: some hundred kB */
#define BLOCKS 16L            /* in a window, at least */

typedef struct held_row { long row, at; } held_row;   /* of the library; where it stands among those held */

struct sdn_stream {
  const sdn_library *library;
  int n_free, n_band;
  long n, block, n_block;      /* rows of the library; of a block (the last may be shorter); blocks */
  long per_window, n_window;   /* blocks of a window; windows of an epoch */
  long n_held; held_row *held; /* by row */
  long *held_from;             /* [n_block + 1] where the rows of each block begin in held */
  uint64_t seed;
  long epoch, window;          /* what is in memory; -1: nothing */
  long *order;                 /* [n_block] of the epoch */
  long base;                   /* place of the first row in memory: first those carried over from earlier windows, then the window's */
  long n_carry, n_in;          /* how many of each */
  float *carry_z, *carry_flux; /* [n_batch] */
  float *z, *flux;             /* [per_window * block] */
  long *shuffle;               /* the same */
};

size_t sdn_stream_window_bytes(int n_free, int n_band) { return (size_t)(n_free + n_band) * sizeof(float) + sizeof(long); }

size_t sdn_stream_held_bytes(int n_free, int n_band) { return (size_t)(n_free + n_band) * sizeof(float) + sizeof(held_row) + sizeof(long); }

void sdn_stream_free(sdn_stream *s)
{
  if (!s) return;
  void *blocks[] = {s->held, s->held_from, s->order, s->carry_z, s->carry_flux, s->z, s->flux, s->shuffle, s};
  for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) sdn_release(blocks[i]);
}

static int by_row(const void *a, const void *b)
{
  const long p = ((const held_row *)a)->row, q = ((const held_row *)b)->row;
  return (p > q) - (p < q);
}

static long block_rows(const sdn_stream *s, long b) { return (b + 1) * s->block < s->n ? s->block : s->n - b * s->block; }

static long training_rows(const sdn_stream *s, long b) { return block_rows(s, b) - (s->held_from[b + 1] - s->held_from[b]); }

static void note_held(sdn_stream *s, const long *held)
{
  for (long i = 0; i < s->n_held; i++) s->held[i] = (held_row){held[i], i};
  qsort(s->held, (size_t)s->n_held, sizeof *s->held, by_row);
  for (long b = 0, i = 0; b <= s->n_block; b++) {
    while (i < s->n_held && s->held[i].row < b * s->block) i++;
    s->held_from[b] = b < s->n_block ? i : s->n_held;
  }
}

static sdn_status make_room(sdn_stream *s, long n_batch, sdn_err *err)
{
  static const char what[] = "a window of training rows";
  const size_t room = (size_t)(s->per_window * s->block), d = (size_t)s->n_free, b = (size_t)s->n_band, carry = (size_t)n_batch;
  if (!(s->held = sdn_alloc((size_t)s->n_held, sizeof *s->held, "held-out rows", err)) ||
      !(s->held_from = sdn_alloc((size_t)s->n_block + 1, sizeof *s->held_from, "held-out rows", err)) ||
      !(s->order = sdn_alloc((size_t)s->n_block, sizeof *s->order, "the order of blocks", err)) ||
      !(s->carry_z = sdn_alloc(carry * d, sizeof(float), what, err)) || !(s->carry_flux = sdn_alloc(carry * b, sizeof(float), what, err)) ||
      !(s->z = sdn_alloc(room * d, sizeof(float), what, err)) || !(s->flux = sdn_alloc(room * b, sizeof(float), what, err)) ||
      !(s->shuffle = sdn_alloc(room, sizeof *s->shuffle, what, err)))
    return err->status;
  return SDN_OK;
}

sdn_status sdn_stream_new(const sdn_library *library, long n_window, long n_batch, long n_held, const long *held, sdn_stream **out, sdn_err *err)
{
  sdn_stream *s = sdn_alloc(1, sizeof *s, "a stream of rows", err);
  *out = NULL;
  if (!s) return err->status;
  const long part = n_window / BLOCKS;
  s->library = library;
  s->n = sdn_library_n(library);
  s->n_free = sdn_library_n_free(library);
  s->n_band = sdn_library_n_band(library);
  s->block = part < 1 ? 1 : part < LARGEST_BLOCK ? part : LARGEST_BLOCK;
  s->n_block = (s->n + s->block - 1) / s->block;
  s->per_window = n_window / s->block;
  s->n_window = (s->n_block + s->per_window - 1) / s->per_window;
  s->n_held = n_held;
  s->epoch = s->window = -1;
  if (make_room(s, n_batch, err)) {
    sdn_stream_free(s);
    return err->status;
  }
  note_held(s, held);
  *out = s;
  return SDN_OK;
}

/* One pass over z or the fluxes, whichever is not NULL. */
static sdn_status pass(sdn_stream *s, float *z, float *flux, uint64_t *hash, sdn_err *err)
{
  const size_t width = (size_t)(z ? s->n_free : s->n_band);
  float *to = z ? z : flux, *own = z ? s->z : s->flux;
  for (long b = 0; b < s->n_block; b++) {
    const long row0 = b * s->block, n = block_rows(s, b);
    if (sdn_library_rows(s->library, row0, n, z ? own : NULL, z ? NULL : own, err)) return err->status;
    *hash = sdn_hash_bytes(own, (size_t)n * width * sizeof *own, *hash);
    for (long i = s->held_from[b]; i < s->held_from[b + 1]; i++)
      memcpy(to + (size_t)s->held[i].at * width, own + (size_t)(s->held[i].row - row0) * width, width * sizeof *to);
  }
  return SDN_OK;
}

sdn_status sdn_stream_read_held(sdn_stream *s, float *z, float *flux, uint64_t *hash, sdn_err *err)
{
  s->epoch = -1;
  if (pass(s, z, NULL, hash, err)) return err->status;
  return pass(s, NULL, flux, hash, err);
}

void sdn_stream_begin(sdn_stream *s, uint64_t seed)
{
  s->seed = seed;
  s->epoch = -1;
}

/* A block's training rows go to the end of the window: all are read, then those held out are squeezed out. */
static sdn_status append_block(sdn_stream *s, long b, sdn_err *err)
{
  const size_t d = (size_t)s->n_free, w = (size_t)s->n_band;
  const long row0 = b * s->block, n = block_rows(s, b);
  float *z = s->z + (size_t)s->n_in * d, *flux = s->flux + (size_t)s->n_in * w;
  long kept = 0, next = s->held_from[b];
  if (sdn_library_rows(s->library, row0, n, z, flux, err)) return err->status;
  for (long i = 0; i < n; i++) {
    if (next < s->held_from[b + 1] && s->held[next].row == row0 + i) {
      next++;
      continue;
    }
    memmove(z + (size_t)kept * d, z + (size_t)i * d, d * sizeof *z);
    memmove(flux + (size_t)kept * w, flux + (size_t)i * w, w * sizeof *flux);
    kept++;
  }
  s->n_in += kept;
  return SDN_OK;
}

static long first_block(const sdn_stream *s, long window) { return window * s->per_window < s->n_block ? window * s->per_window : s->n_block; }

static sdn_status load_window(sdn_stream *s, long epoch, long window, sdn_err *err)
{
  s->epoch = -1;   /* until all is there */
  s->n_in = 0;
  for (long i = first_block(s, window); i < first_block(s, window + 1); i++)
    if (append_block(s, s->order[i], err)) return err->status;
  sdn_random_permutation(sdn_hash_bytes(&window, sizeof window, s->seed), SDN_STREAM_SHUFFLE + (uint32_t)epoch, s->n_in, s->shuffle);
  s->epoch = epoch;
  s->window = window;
  return SDN_OK;
}

/* The window that holds a place of an epoch. */
static sdn_status seek(sdn_stream *s, long epoch, long place, sdn_err *err)
{
  long window = 0, n = 0;
  sdn_random_permutation(s->seed, SDN_STREAM_SHUFFLE + (uint32_t)epoch, s->n_block, s->order);
  for (s->base = 0; window < s->n_window; window++, s->base += n) {
    n = 0;
    for (long i = first_block(s, window); i < first_block(s, window + 1); i++) n += training_rows(s, s->order[i]);
    if (place < s->base + n) break;
  }
  s->n_carry = 0;
  return load_window(s, epoch, window, err);
}

void sdn_stream_row(const sdn_stream *s, long place, float *z, float *flux)
{
  const size_t d = (size_t)s->n_free, w = (size_t)s->n_band;
  const long i = place - s->base;
  const bool carried = i < s->n_carry;
  const size_t at = (size_t)(carried ? i : s->shuffle[i - s->n_carry]);
  memcpy(z, (carried ? s->carry_z : s->z) + at * d, d * sizeof *z);
  memcpy(flux, (carried ? s->carry_flux : s->flux) + at * w, w * sizeof *flux);
}

/* Rows from `place` on are kept beside the next window. Where a window is shorter than a batch some are carried once more: to a lower place, in order. */
static void carry(sdn_stream *s, long place)
{
  const size_t d = (size_t)s->n_free, w = (size_t)s->n_band;
  const long end = s->base + s->n_carry + s->n_in, moved = place - s->base, old = s->n_carry > moved ? s->n_carry - moved : 0;
  memmove(s->carry_z, s->carry_z + (size_t)(s->n_carry - old) * d, (size_t)old * d * sizeof(float));
  memmove(s->carry_flux, s->carry_flux + (size_t)(s->n_carry - old) * w, (size_t)old * w * sizeof(float));
  for (long i = old; i < end - place; i++) {
    const size_t from = (size_t)s->shuffle[moved + i - s->n_carry];
    memcpy(s->carry_z + (size_t)i * d, s->z + from * d, d * sizeof(float));
    memcpy(s->carry_flux + (size_t)i * w, s->flux + from * w, w * sizeof(float));
  }
  s->n_carry = end - place;
  s->base = place;
}

sdn_status sdn_stream_prepare(sdn_stream *s, long epoch, long place, long n, sdn_err *err)
{
  const bool follows = epoch == s->epoch && place >= s->base && place <= s->base + s->n_carry + s->n_in;
  if (!follows && seek(s, epoch, place, err)) return err->status;
  while (place + n > s->base + s->n_carry + s->n_in && s->window + 1 < s->n_window) {
    carry(s, place);
    if (load_window(s, epoch, s->window + 1, err)) return err->status;
  }
  return SDN_OK;
}
