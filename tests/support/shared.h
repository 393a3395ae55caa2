/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where reference data lie that are not part of the project: tests that need them skip, visibly, without. */
#ifndef TEST_SUPPORT_SHARED_H
#define TEST_SUPPORT_SHARED_H

#include <stdbool.h>
#include <stddef.h>

/* path [n] of `name` below $SEDNA_SHARED/data (default ../shared); false if it is not there. */
bool shared_path(const char *name, char *path, size_t n);

#endif
