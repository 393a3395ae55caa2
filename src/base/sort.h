/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef SDN_BASE_SORT_H
#define SDN_BASE_SORT_H

#include <stddef.h>

#define SDN_SORT_MAX_SIZE 64   /* bytes of an item */
/* As qsort for items of at most SDN_SORT_MAX_SIZE bytes, but never allocates: for loops over galaxies. Equal items end in any order. */
void sdn_sort(void *array, size_t n, size_t size, int (*compare)(const void *, const void *));

#endif
