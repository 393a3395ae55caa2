/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"

static bool aligned(const void *p) { return (uintptr_t)p % 64 == 0; }

static void blocks_are_zeroed_and_aligned(void **state)
{
  (void)state;
  sdn_err err;
  static const size_t count[] = {0, 1, 63, 64, 65, 100000};
  for (size_t i = 0; i < sizeof count / sizeof *count; i++) {
    unsigned char *block = sdn_alloc(count[i], 3, "bytes", &err);
    assert_non_null(block);
    assert_true(aligned(block));
    for (size_t b = 0; b < 3 * count[i]; b++) assert_int_equal(block[b], 0);
    memset(block, 1, 3 * count[i]);
    sdn_release(block);
  }
  sdn_release(NULL);
}

static void what_cannot_be_had_is_an_error(void **state)
{
  (void)state;
  sdn_err err;
  assert_null(sdn_alloc(SIZE_MAX / 4, 8, "everything", &err));   /* n * size overflows */
  assert_int_equal(err.status, SDN_MEMORY);
  assert_non_null(strstr(err.text, "everything"));
  assert_null(sdn_alloc((size_t)PTRDIFF_MAX, 1, "half of everything", &err));
  assert_int_equal(err.status, SDN_MEMORY);
  sdn_arena *a = sdn_arena_new(&err);
  assert_null(sdn_arena_take(a, SIZE_MAX / 4, 8, &err));
  assert_int_equal(err.status, SDN_MEMORY);
  assert_null(sdn_arena_take(a, SIZE_MAX - 8, 1, &err));
  assert_non_null(sdn_arena_take(a, 10, 1, &err));   /* and the arena goes on */
  sdn_arena_free(a);
  sdn_arena_free(NULL);
}

static void texts_are_copied(void **state)
{
  (void)state;
  sdn_err err;
  char source[] = "wavelength";
  char *all = sdn_copy_text(source, &err), *part = sdn_copy_text_n(source, 4, &err);
  source[0] = 'X';
  assert_string_equal(all, "wavelength");
  assert_string_equal(part, "wave");
  sdn_release(all);
  sdn_release(part);
}

/* Everything taken stays where it is and is nobody else's, over many sizes and several blocks. */
static void taken_memory_is_apart(void **state)
{
  (void)state;
  enum { N = 300 };
  unsigned char *taken[N];
  size_t size[N];
  sdn_err err;
  sdn_arena *a = sdn_arena_new(&err);
  for (size_t i = 0; i < N; i++) {
    size[i] = (i * 7919) % 5000 + (i % 50 == 0 ? 200000 : 0);
    taken[i] = sdn_arena_take(a, size[i], 1, &err);
    assert_non_null(taken[i]);
    assert_true(aligned(taken[i]));
    memset(taken[i], (int)(i & 0xff), size[i]);
  }
  for (size_t i = 0; i < N; i++)
    for (size_t b = 0; b < size[i]; b++) assert_int_equal(taken[i][b], i & 0xff);
  sdn_arena_free(a);
}

/* After a return to a mark the same requests get the same places: nothing grows from tile to tile. */
static void a_mark_gives_memory_back(void **state)
{
  (void)state;
  sdn_err err;
  sdn_arena *a = sdn_arena_new(&err);
  const sdn_arena_mark empty = sdn_arena_here(a);
  char *kept = sdn_arena_take(a, 100, 1, &err);
  strcpy(kept, "kept");
  const sdn_arena_mark mark = sdn_arena_here(a);
  void *first[40];
  for (int turn = 0; turn < 5; turn++) {
    for (int i = 0; i < 40; i++) {
      void *p = sdn_arena_take(a, 30000, 1, &err);
      if (turn == 0) first[i] = p;
      else assert_ptr_equal(p, first[i]);
      memset(p, turn, 30000);
    }
    sdn_arena_back(a, mark);
  }
  assert_string_equal(kept, "kept");
  sdn_arena_back(a, empty);
  assert_ptr_equal(sdn_arena_take(a, 100, 1, &err), kept);
  sdn_arena_free(a);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(blocks_are_zeroed_and_aligned), cmocka_unit_test(what_cannot_be_had_is_an_error), cmocka_unit_test(texts_are_copied),
    cmocka_unit_test(taken_memory_is_apart),         cmocka_unit_test(a_mark_gives_memory_back),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
