/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Names of files: where shipped data lie, and how a finished file takes its name. */
#ifndef SDN_BASE_FILE_H
#define SDN_BASE_FILE_H

#include "base/memory.h"

/* "NAME.part": where a file grows until sdn_part_finish renames it (fsync, then rename). Freed by sdn_release. */
char *sdn_part_name(const char *path, sdn_err *err);
sdn_status sdn_part_finish(const char *part, const char *path, sdn_err *err);
/* err SDN_IO with the reason when `path` cannot be created or replaced (no such folder, read-only): asked before hours of work. */
sdn_status sdn_check_writable(const char *path, sdn_err *err);
/* What the folder of `path` has left for this user, bytes; -1 if that cannot be told. */
double sdn_free_bytes(const char *path);
/* Memory of the machine, bytes; -1 if that cannot be told. Limits set on this process are not looked at. */
double sdn_machine_bytes(void);
bool sdn_file_exists(const char *path);
/* Whether both names lead to one file, there or yet to be written; `a` may be a table inside of it ("cat.fits[2]"). NULL: never. */
bool sdn_same_file(const char *a, const char *b);
/* err SDN_USAGE when `output` is one of the inputs [n], of which some may be NULL: writing would replace what was read. */
sdn_status sdn_check_output(const char *output, size_t n, const char *const *input, sdn_err *err);
/* A shipped file "kind/name" (kind: grids, filters, surveys, models): first below $SEDNA_DATA, then the installed place, then the source tree.
 * NULL if there is none: then err (SDN_USAGE) says where was looked. Freed by sdn_release. */
char *sdn_data_path(const char *kind, const char *name, sdn_err *err);
/* What a user means by `name`: a file of that name if there is one; else, for a bare word, the shipped file "kind/name" with `ending` put on
 * (".yaml", ".hdf5"). NULL with err SDN_USAGE when a bare word is no shipped file; any other name comes back as it is. Freed by sdn_release. */
char *sdn_named_file(const char *kind, const char *ending, const char *name, sdn_err *err);
/* 64-bit FNV-1a of a file's or text's bytes, to recognise it again. */
uint64_t sdn_hash_bytes(const void *bytes, size_t n, uint64_t seed);
sdn_status sdn_hash_file(const char *path, uint64_t *hash, sdn_err *err);

#endif
