/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files that live as long as a test program: in a folder of its own below $TMPDIR or /tmp, removed when the program ends. */
#ifndef TEST_SUPPORT_SCRATCH_H
#define TEST_SUPPORT_SCRATCH_H

#include <stdbool.h>
#include <stddef.h>

/* Full path of `name` in the folder. Valid until the eighth call after this one. */
const char *scratch_file(const char *name);
/* Write bytes; the test program aborts when that fails. Returns scratch_file(name). */
const char *scratch_write(const char *name, const void *bytes, size_t n);
const char *scratch_write_text(const char *name, const char *text);
/* All bytes of a file, freed by free(); one zero byte follows them. NULL if it cannot be read. */
unsigned char *scratch_read(const char *path, size_t *n);
bool scratch_exists(const char *path);

/* From here on no file of this process grows beyond `bytes` (writes fail as on a full disk); 0 lifts the limit again. */
void scratch_limit_file_size(long bytes);

#endif
