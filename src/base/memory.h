/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Memory: aligned blocks for long-lived arrays, and a scratch arena per worker so that no loop over galaxies allocates. */
#ifndef SDN_BASE_MEMORY_H
#define SDN_BASE_MEMORY_H

#include "base/error.h"

/* n * size zeroed bytes, aligned to 64; NULL with err SDN_MEMORY naming `what` when n * size overflows or cannot be had.
 * n = 0 gives a valid block. Freed by sdn_release. */
void *sdn_alloc(size_t n, size_t size, const char *what, sdn_err *err);
void sdn_release(void *block);
char *sdn_copy_text(const char *text, sdn_err *err);              /* freed by sdn_release */
char *sdn_copy_text_n(const char *text, size_t n, sdn_err *err);

/* Scratch memory of one worker: taken in order, all given back at once to a mark. It grows on demand while its owner warms up; blocks
 * stay where they are, 64-byte aligned, contents undefined. */
typedef struct sdn_arena sdn_arena;
typedef struct sdn_arena_mark { void *block; size_t used; } sdn_arena_mark;
sdn_arena *sdn_arena_new(sdn_err *err);
void sdn_arena_free(sdn_arena *a);
size_t sdn_arena_bytes(const sdn_arena *a);   /* that it holds, taken or not */
void *sdn_arena_take(sdn_arena *a, size_t n, size_t size, sdn_err *err);   /* NULL with err SDN_MEMORY */
sdn_arena_mark sdn_arena_here(const sdn_arena *a);
void sdn_arena_back(sdn_arena *a, sdn_arena_mark mark);

#endif
