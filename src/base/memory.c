/* SPDX-License-Identifier: GPL-3.0-or-later */
#define _DEFAULT_SOURCE   /* madvise */
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define ALIGNMENT ((size_t)64)             /* a cache line, and the widest vector */
#define FIRST_BLOCK ((size_t)1 << 16)      /* bytes */

#define HUGE_PAGE ((size_t)1 << 21)
#define LARGE (4 * HUGE_PAGE)              /* from here on a block is worth huge pages: spectra are read all over, and each small page costs a look-up */

/* Contents undefined; NULL: not to be had. */
static void *take_block(size_t bytes)
{
  if (bytes < LARGE || bytes > (size_t)PTRDIFF_MAX - HUGE_PAGE) return aligned_alloc(ALIGNMENT, bytes);
  bytes = (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE;
  void *block = aligned_alloc(HUGE_PAGE, bytes);
#ifdef MADV_HUGEPAGE
  if (block) (void)madvise(block, bytes, MADV_HUGEPAGE);   /* a wish: without it all is the same, slower */
#endif
  return block;
}

/* Bytes of n * size rounded up to whole cache lines (at least one), or 0 if no object can be so large. */
static size_t padded_bytes(size_t n, size_t size)
{
  if (size != 0 && n > ((size_t)PTRDIFF_MAX - ALIGNMENT) / size) return 0;
  const size_t bytes = (n * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  return bytes ? bytes : ALIGNMENT;
}

void *sdn_alloc(size_t n, size_t size, const char *what, sdn_err *err)
{
  const size_t bytes = padded_bytes(n, size);
  void *block = bytes ? take_block(bytes) : NULL;
  if (!block) {
    sdn_fail(err, SDN_MEMORY, "no memory for %s: %zu items of %zu bytes; use a smaller task or a larger machine", what, n, size);
    return NULL;
  }
  memset(block, 0, bytes);
  return block;
}

void sdn_release(void *block) { free(block); }

char *sdn_copy_text_n(const char *text, size_t n, sdn_err *err)
{
  if (n == SIZE_MAX) {
    sdn_fail(err, SDN_MEMORY, "no memory for a text of %zu bytes", n);
    return NULL;
  }
  char *copy = sdn_alloc(n + 1, 1, "a text", err);
  if (copy) memcpy(copy, text, n);
  return copy;
}

char *sdn_copy_text(const char *text, sdn_err *err) { return sdn_copy_text_n(text, strlen(text), err); }

/* A chain of blocks, each at least twice as large as the one before. Its header fills one cache line, the memory to give follows it. */
typedef struct block block;
struct block {
  block *next;
  size_t size;    /* bytes that follow the header */
};

struct sdn_arena {
  block *first;
  block *now;     /* NULL: nothing is taken */
  size_t used;    /* bytes of `now` */
};

sdn_arena *sdn_arena_new(sdn_err *err) { return sdn_alloc(1, sizeof(sdn_arena), "a scratch arena", err); }

void sdn_arena_free(sdn_arena *a)
{
  if (!a) return;
  for (block *b = a->first, *next; b; b = next) {
    next = b->next;
    free(b);
  }
  sdn_release(a);
}

size_t sdn_arena_bytes(const sdn_arena *a)
{
  size_t sum = 0;
  for (const block *b = a->first; b; b = b->next) sum += b->size;
  return sum;
}

/* Append a block of at least `bytes` after `last` (NULL: it is the first). */
static block *grow(sdn_arena *a, block *last, size_t bytes)
{
  size_t size = last ? 2 * last->size : FIRST_BLOCK;
  if (size < bytes) size = bytes;
  if (size > (size_t)PTRDIFF_MAX - ALIGNMENT) return NULL;
  block *b = take_block(size + ALIGNMENT);
  if (!b) return NULL;
  *b = (block){.next = NULL, .size = size};
  if (last) last->next = b;
  else a->first = b;
  return b;
}

/* The next block that holds `bytes`; smaller ones on the way stay unused until the arena is given back. */
static block *advance(sdn_arena *a, size_t bytes)
{
  block *last = a->now;
  for (block *b = last ? last->next : a->first; b; b = b->next) {
    if (b->size >= bytes) return b;
    last = b;
  }
  return grow(a, last, bytes);
}

void *sdn_arena_take(sdn_arena *a, size_t n, size_t size, sdn_err *err)
{
  const size_t bytes = padded_bytes(n, size);
  if (!a->now || bytes > a->now->size - a->used || bytes == 0) {
    block *b = bytes ? advance(a, bytes) : NULL;
    if (!b) {
      sdn_fail(err, SDN_MEMORY, "no scratch memory for %zu items of %zu bytes; use a smaller task or a larger machine", n, size);
      return NULL;
    }
    a->now = b;
    a->used = 0;
  }
  void *taken = (char *)a->now + ALIGNMENT + a->used;
  a->used += bytes;
  return taken;
}

sdn_arena_mark sdn_arena_here(const sdn_arena *a) { return (sdn_arena_mark){.block = a->now, .used = a->used}; }

void sdn_arena_back(sdn_arena *a, sdn_arena_mark mark)
{
  a->now = mark.block;
  a->used = mark.used;
}
