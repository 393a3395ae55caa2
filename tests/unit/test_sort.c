/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sorting without memory against the C library's qsort, on distinct keys and on many equal ones. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <cmocka.h>

#include "base/random.h"
#include "base/sort.h"

#define MOST 1200

typedef struct item { double key; int index; char rest[20]; } item;

static int by_key_then_index(const void *a, const void *b)
{
  const item *x = a, *y = b;
  if (x->key < y->key) return -1;
  if (x->key > y->key) return 1;
  return x->index - y->index;
}

/* coarse: keys are whole numbers below 4, so that most items differ by their index alone. */
static void compare_with_qsort(size_t n, int coarse)
{
  static item mine[MOST], theirs[MOST];
  sdn_rng rng = sdn_rng_at(3, SDN_STREAM_TEST, n);
  memset(mine, 0, sizeof mine);
  for (size_t i = 0; i < n; i++) {
    const double u = sdn_rng_uniform(&rng);
    mine[i].key = coarse ? (double)(int)(4 * u) : u;
    mine[i].index = (int)((7919 * i) % n);
    mine[i].rest[19] = (char)i;
  }
  memcpy(theirs, mine, sizeof mine);
  sdn_sort(mine, n, sizeof *mine, by_key_then_index);
  qsort(theirs, n, sizeof *theirs, by_key_then_index);
  assert_memory_equal(mine, theirs, sizeof mine);
}

static void sorts_as_qsort(void **unused)
{
  (void)unused;
  for (size_t n = 0; n < 70; n++) compare_with_qsort(n, 0), compare_with_qsort(n, 1);
  compare_with_qsort(MOST, 0);
  compare_with_qsort(MOST, 1);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(sorts_as_qsort)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
