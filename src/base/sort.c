/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/sort.h"

#include <assert.h>
#include <string.h>

/* Heap sort (Williams 1964): moves `item` down from place i of a heap of n until no child is greater. */
static void sift(char *array, size_t i, size_t n, size_t size, const char *item, int (*compare)(const void *, const void *))
{
  for (size_t child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && compare(array + child * size, array + (child + 1) * size) < 0) child++;
    if (compare(item, array + child * size) >= 0) break;
    memcpy(array + i * size, array + child * size, size);
  }
  memcpy(array + i * size, item, size);
}

void sdn_sort(void *items, size_t n, size_t size, int (*compare)(const void *, const void *))
{
  char *array = items, item[SDN_SORT_MAX_SIZE];
  assert(size <= sizeof item);
  for (size_t i = n / 2; i-- > 0;) {
    memcpy(item, array + i * size, size);
    sift(array, i, n, size, item, compare);
  }
  for (size_t end = n; end-- > 1;) {
    memcpy(item, array + end * size, size);
    memcpy(array + end * size, array, size);
    sift(array, 0, end, size, item, compare);
  }
}
