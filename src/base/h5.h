/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one door to HDF5: typed whole-dataset and row-block access with errors as sentences. HDF5's own error printing is silenced.
 * What we write has checksums on all metadata and holds no time stamps: the same calls give the same bytes. HDF5 1.10 and later read it.
 * HDF5 is not thread-safe as packaged: callers hold files on one thread, or take sdn_h5_lock around a call made from workers. */
#ifndef SDN_BASE_H5_H
#define SDN_BASE_H5_H

#include "base/memory.h"

typedef struct sdn_h5 sdn_h5;
typedef enum sdn_h5_type { SDN_H5_FLOAT, SDN_H5_DOUBLE, SDN_H5_INT64, SDN_H5_UINT8 } sdn_h5_type;
#define SDN_H5_MAX_DIM 10
typedef struct sdn_h5_shape { int n_dim; long dim[SDN_H5_MAX_DIM]; } sdn_h5_shape;

sdn_status sdn_h5_open(const char *path, sdn_h5 **file, sdn_err *err);           /* read; err SDN_FORMAT not HDF5 or truncated, SDN_IO */
sdn_status sdn_h5_open_update(const char *path, sdn_h5 **file, sdn_err *err);    /* read and write in place */
sdn_status sdn_h5_create(const char *path, sdn_h5 **file, sdn_err *err);         /* truncates */
/* Closes and reports what only closing can find (disk full). file is gone afterwards whatever the status. */
sdn_status sdn_h5_close(sdn_h5 *file, sdn_err *err);
sdn_status sdn_h5_flush(sdn_h5 *file, sdn_err *err);
const char *sdn_h5_path(const sdn_h5 *file);

bool sdn_h5_has(const sdn_h5 *file, const char *name);                            /* dataset or group, path like "axes/ages" */
bool sdn_h5_has_attr(const sdn_h5 *file, const char *object, const char *attr);   /* object "/" for the root */
/* Names of the links in a group, sorted: *names freed by sdn_release (one block). */
sdn_status sdn_h5_list(const sdn_h5 *file, const char *group, char ***names, size_t *n, sdn_err *err);
sdn_status sdn_h5_shape_of(const sdn_h5 *file, const char *name, sdn_h5_shape *shape, sdn_err *err);
/* What a name stands for, so that a foreign file can be looked through without errors. OTHER: compound, references, nothing at all, ... */
typedef enum sdn_h5_kind {
  SDN_H5_KIND_OTHER, SDN_H5_KIND_GROUP, SDN_H5_KIND_INTEGER, SDN_H5_KIND_FLOAT, SDN_H5_KIND_DOUBLE, SDN_H5_KIND_TEXT
} sdn_h5_kind;
sdn_h5_kind sdn_h5_kind_of(const sdn_h5 *file, const char *name);
long sdn_h5_chunk_rows(const sdn_h5 *file, const char *name);   /* elements of the first dimension that one chunk holds; 1: not cut into chunks */
/* Whole dataset, converted to the wanted type; *out freed by sdn_release. err SDN_FORMAT when it is absent or of no numeric type. */
sdn_status sdn_h5_read_double(const sdn_h5 *file, const char *name, double **out, sdn_h5_shape *shape, sdn_err *err);
sdn_status sdn_h5_read_float(const sdn_h5 *file, const char *name, float **out, sdn_h5_shape *shape, sdn_err *err);
/* Vector of strings (fixed or variable length, bytes or UTF-8); one block, freed by sdn_release. */
sdn_status sdn_h5_read_texts(const sdn_h5 *file, const char *name, char ***out, size_t *n, sdn_err *err);

/* NULL data: contiguous, its space filled with zeros at once, so that later writes of rows move no metadata and a full disk is found now.
 * With data: stored with checksums, so that a damaged value is an error when it is read. */
sdn_status sdn_h5_make(sdn_h5 *file, const char *name, sdn_h5_type type, const sdn_h5_shape *shape, const void *data, sdn_err *err);
/* Extendable along the first dimension, chunked by n_row_chunk rows, compressed when deflate > 0. */
sdn_status sdn_h5_make_growing(sdn_h5 *file, const char *name, sdn_h5_type type, const sdn_h5_shape *shape, long n_row_chunk, int deflate,
                               sdn_err *err);
/* Rows row0 .. row0+n-1 along the first dimension; buffers hold n * (product of the other dimensions) of `type`. Writing grows the dataset. */
sdn_status sdn_h5_write_rows(sdn_h5 *file, const char *name, sdn_h5_type type, long row0, long n, const void *data, sdn_err *err);
sdn_status sdn_h5_read_rows(const sdn_h5 *file, const char *name, sdn_h5_type type, long row0, long n, void *data, sdn_err *err);
/* The same for a vector of UTF-8 strings of at most `width` bytes each. Reading takes any kind of string; *out is one block. */
sdn_status sdn_h5_make_growing_texts(sdn_h5 *file, const char *name, size_t width, long n_row_chunk, int deflate, sdn_err *err);
sdn_status sdn_h5_write_row_texts(sdn_h5 *file, const char *name, long row0, long n, const char *const *texts, sdn_err *err);
sdn_status sdn_h5_read_row_texts(const sdn_h5 *file, const char *name, long row0, long n, char ***out, sdn_err *err);

/* Attributes; object is "/" , a group or a dataset. Groups on the way to a name are made as needed when writing. */
sdn_status sdn_h5_set_text(sdn_h5 *file, const char *object, const char *attr, const char *value, sdn_err *err);
sdn_status sdn_h5_set_texts(sdn_h5 *file, const char *object, const char *attr, const char *const *value, size_t n, sdn_err *err);
sdn_status sdn_h5_set_double(sdn_h5 *file, const char *object, const char *attr, double value, sdn_err *err);
sdn_status sdn_h5_set_long(sdn_h5 *file, const char *object, const char *attr, long value, sdn_err *err);
sdn_status sdn_h5_get_text(const sdn_h5 *file, const char *object, const char *attr, char **value, sdn_err *err);   /* sdn_release */
sdn_status sdn_h5_get_texts(const sdn_h5 *file, const char *object, const char *attr, char ***value, size_t *n, sdn_err *err);
sdn_status sdn_h5_get_double(const sdn_h5 *file, const char *object, const char *attr, double *value, sdn_err *err);
sdn_status sdn_h5_get_long(const sdn_h5 *file, const char *object, const char *attr, long *value, sdn_err *err);
/* Names of an object's attributes, sorted: one block, freed by sdn_release. */
sdn_status sdn_h5_list_attrs(const sdn_h5 *file, const char *object, char ***names, size_t *n, sdn_err *err);
/* An attribute of any kind as text: vectors with ", " between; what cannot be shown in brackets. Freed by sdn_release. */
sdn_status sdn_h5_attr_text(const sdn_h5 *file, const char *object, const char *attr, char **value, sdn_err *err);

/* A group or dataset with all that is in it from one file into another, under a name that is not there yet. */
sdn_status sdn_h5_copy(const sdn_h5 *from, const char *name, sdn_h5 *to, const char *new_name, sdn_err *err);

void sdn_h5_lock(void);
void sdn_h5_unlock(void);

#endif
