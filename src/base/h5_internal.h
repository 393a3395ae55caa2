/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files behind base/h5.h share. Every function here assumes that HDF5's error printing is off (sdn_h5_quiet). */
#ifndef SDN_BASE_H5_INTERNAL_H
#define SDN_BASE_H5_INTERNAL_H

#include <hdf5.h>

#include "base/h5.h"

#define SDN_H5_MAX_BYTES ((hsize_t)64 << 30)   /* no array of ours is larger; a size beyond it is a corrupt number */

struct sdn_h5 {
  hid_t id;
  bool writable;
  char *path;
  const int *trouble;   /* errno of the first write that failed; HDF5 itself is not told (base/h5_driver.h) */
};

/* A dataset that is open: its space, type and shape. Zeroed handles are closed ones (HDF5 gives none that is 0). */
typedef struct sdn_h5_set { hid_t id, space, type; sdn_h5_shape shape; } sdn_h5_set;

void sdn_h5_quiet(void);   /* per thread, so every entry point calls it */
/* "PATH: sentence (HDF5's innermost reason)"; call it before any other HDF5 function clears the reason. In a file where the system failed
 * (disk full) that is reported instead. */
sdn_status sdn_h5_fail(const sdn_h5 *file, sdn_err *err, sdn_status status, const char *fmt, ...) SDN_PRINTF(4, 5);
sdn_status sdn_h5_fail_path(const char *path, sdn_err *err, sdn_status status, const char *fmt, ...) SDN_PRINTF(4, 5);

/* Before and after what writes: err SDN_IO once a write has failed. */
sdn_status sdn_h5_check(const sdn_h5 *file, sdn_err *err);

sdn_status sdn_h5_set_open(const sdn_h5 *file, const char *name, sdn_h5_set *set, sdn_err *err);
void sdn_h5_set_close(sdn_h5_set *set);
/* Rows row0 .. row0+n-1 selected in set->space; the space of the buffer in *memory (closed by the caller). */
sdn_status sdn_h5_select_rows(const sdn_h5 *file, const char *name, sdn_h5_set *set, long row0, long n, hid_t *memory, sdn_err *err);
/* Make row `end` - 1 exist. */
sdn_status sdn_h5_grow(sdn_h5 *file, const char *name, sdn_h5_set *set, long end, sdn_err *err);
/* An empty growing dataset: `type` with the shape of `shape`, chunked. */
sdn_status sdn_h5_create_growing(sdn_h5 *file, const char *name, hid_t type, const sdn_h5_shape *shape, long n_row_chunk, int deflate,
                                 sdn_err *err);
hid_t sdn_h5_object_options(hid_t cls); /* no time stamps */
/* The groups that path[0..n) names, each unless it is there. */
sdn_status sdn_h5_make_groups(sdn_h5 *file, const char *path, size_t n, sdn_err *err);

/* Strings of a dataset or attribute, whatever their kind. `type` is theirs in the file. */
hid_t sdn_h5_text_type(hid_t type);     /* the type to read them with */
/* n strings in `raw`, as HDF5 read them by sdn_h5_text_type, into one block of pointers and characters. */
char **sdn_h5_text_block(hid_t text_type, const void *raw, size_t n, sdn_err *err);
size_t sdn_h5_text_size(hid_t text_type);   /* bytes of one in `raw` */
hid_t sdn_h5_padded_type(size_t width);     /* of our own strings: UTF-8, filled up by zeros */
/* n strings side by side in cells of `size` bytes. NULL with err set when one does not fit. */
char *sdn_h5_text_cells(const char *path, const char *name, size_t size, long n, const char *const *texts, sdn_err *err);

#endif
