/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Datasets of numbers, whole and by rows. */
#include "base/h5_internal.h"

#include <limits.h>
#include <string.h>

/* A filter may shrink data: deflate by 1032 at most. A dataset that claims far more than what is stored for it is corrupt (or empty). */
#define MAX_COMPRESSION 1100
#define ALWAYS_BELIEVED ((hsize_t)64 << 20)   /* bytes that may be claimed without storage: never-written parts are zeros */

#define CHUNK_BYTES ((hsize_t)1 << 20)   /* HDF5's own cache holds one such chunk */

static hid_t memory_type(sdn_h5_type type)
{
  switch (type) {
  case SDN_H5_FLOAT: return H5T_NATIVE_FLOAT;
  case SDN_H5_DOUBLE: return H5T_NATIVE_DOUBLE;
  case SDN_H5_INT64: return H5T_NATIVE_INT64;
  default: return H5T_NATIVE_UINT8;
  }
}

/* In the file: little-endian whatever the machine. */
static hid_t file_type(sdn_h5_type type)
{
  switch (type) {
  case SDN_H5_FLOAT: return H5T_IEEE_F32LE;
  case SDN_H5_DOUBLE: return H5T_IEEE_F64LE;
  case SDN_H5_INT64: return H5T_STD_I64LE;
  default: return H5T_STD_U8LE;
  }
}

void sdn_h5_set_close(sdn_h5_set *set)
{
  if (set->type > 0) H5Tclose(set->type);
  if (set->space > 0) H5Sclose(set->space);
  if (set->id > 0) H5Dclose(set->id);
  *set = (sdn_h5_set){0};
}

/* Dimensions as long, refused when any product of them would overflow what we can address. */
static sdn_status get_shape(const sdn_h5 *file, const char *name, sdn_h5_set *set, sdn_err *err)
{
  hsize_t dim[H5S_MAX_RANK], n = 1;
  const int n_dim = H5Sget_simple_extent_ndims(set->space);
  const size_t size = H5Tget_size(set->type);
  if (H5Sget_simple_extent_type(set->space) == H5S_NULL || n_dim < 0 || size == 0)
    return sdn_h5_fail(file, err, SDN_FORMAT, "dataset '%s' holds nothing", name);
  if (n_dim > SDN_H5_MAX_DIM)
    return sdn_h5_fail(file, err, SDN_FORMAT, "dataset '%s' has %d dimensions; at most %d are supported", name, n_dim, SDN_H5_MAX_DIM);
  H5Sget_simple_extent_dims(set->space, dim, NULL);
  set->shape = (sdn_h5_shape){.n_dim = n_dim};
  for (int i = 0; i < n_dim; i++) {
    if (dim[i] > (hsize_t)LONG_MAX || (dim[i] > 0 && n > SDN_H5_MAX_BYTES / size / dim[i]))
      return sdn_h5_fail(file, err, SDN_FORMAT, "dataset '%s' claims more than %d GiB; the file is damaged or not meant for us", name,
                         (int)(SDN_H5_MAX_BYTES >> 30));
    set->shape.dim[i] = (long)dim[i];
    if (dim[i] > 0) n *= dim[i];
  }
  return SDN_OK;
}

sdn_status sdn_h5_set_open(const sdn_h5 *file, const char *name, sdn_h5_set *set, sdn_err *err)
{
  *set = (sdn_h5_set){0};
  sdn_h5_quiet();
  if (sdn_h5_check(file, err)) return err->status;
  if (!sdn_h5_has(file, name)) return sdn_fail(err, SDN_FORMAT, "%s: there is no dataset '%s'", file->path, name);
  set->id = H5Dopen2(file->id, name, H5P_DEFAULT);
  if (set->id < 0) return sdn_h5_fail(file, err, SDN_FORMAT, "'%s' cannot be opened as a dataset", name);
  set->space = H5Dget_space(set->id);
  set->type = H5Dget_type(set->id);
  if (set->space < 0 || set->type < 0) sdn_h5_fail(file, err, SDN_FORMAT, "dataset '%s' is damaged", name);
  else if (!get_shape(file, name, set, err)) return SDN_OK;
  sdn_h5_set_close(set);
  return err->status;
}

sdn_status sdn_h5_shape_of(const sdn_h5 *file, const char *name, sdn_h5_shape *shape, sdn_err *err)
{
  sdn_h5_set set;
  if (sdn_h5_set_open(file, name, &set, err)) return err->status;
  *shape = set.shape;
  sdn_h5_set_close(&set);
  return SDN_OK;
}

static sdn_h5_kind kind_of_type(hid_t type)
{
  switch (H5Tget_class(type)) {
  case H5T_INTEGER:
  case H5T_ENUM: return SDN_H5_KIND_INTEGER;
  case H5T_FLOAT: return H5Tget_size(type) <= sizeof(float) ? SDN_H5_KIND_FLOAT : SDN_H5_KIND_DOUBLE;
  case H5T_STRING: return SDN_H5_KIND_TEXT;
  default: return SDN_H5_KIND_OTHER;
  }
}

sdn_h5_kind sdn_h5_kind_of(const sdn_h5 *file, const char *name)
{
  sdn_h5_kind kind = SDN_H5_KIND_OTHER;
  if (!sdn_h5_has(file, name)) return kind;
  hid_t object = H5Oopen(file->id, name, H5P_DEFAULT);
  if (object < 0) return kind;
  const H5I_type_t what = H5Iget_type(object);
  hid_t type = what == H5I_DATASET ? H5Dget_type(object) : -1;
  if (what == H5I_GROUP) kind = SDN_H5_KIND_GROUP;
  if (type >= 0) kind = kind_of_type(type);
  if (type >= 0) H5Tclose(type);
  H5Oclose(object);
  return kind;
}

long sdn_h5_chunk_rows(const sdn_h5 *file, const char *name)
{
  hsize_t chunk[SDN_H5_MAX_DIM] = {1};
  sdn_h5_set set;
  sdn_err err;
  if (sdn_h5_set_open(file, name, &set, &err)) return 1;
  hid_t options = H5Dget_create_plist(set.id);
  const bool cut = options >= 0 && H5Pget_layout(options) == H5D_CHUNKED && H5Pget_chunk(options, SDN_H5_MAX_DIM, chunk) > 0;
  if (options >= 0) H5Pclose(options);
  sdn_h5_set_close(&set);
  return cut && chunk[0] > 0 && chunk[0] <= LONG_MAX ? (long)chunk[0] : 1;
}

/* The name of a compression that this HDF5 lacks, or NULL. */
static const char *missing_filter(hid_t set, char *name, size_t room)
{
  hid_t options = H5Dget_create_plist(set);
  const char *missing = NULL;
  const int n = options < 0 ? 0 : H5Pget_nfilters(options);
  for (int i = 0; i < n && !missing; i++) {
    unsigned flags, config;
    size_t n_value = 0;
    const H5Z_filter_t id = H5Pget_filter2(options, (unsigned)i, &flags, &n_value, NULL, room, name, &config);
    if (id < 0 || H5Zfilter_avail(id) > 0) continue;
    name[room - 1] = '\0';
    if (!name[0]) snprintf(name, room, "number %d", (int)id);
    missing = name;
  }
  if (options >= 0) H5Pclose(options);
  return missing;
}

static sdn_status check_numbers(const sdn_h5 *file, const char *name, const sdn_h5_set *set, sdn_h5_type type, sdn_err *err)
{
  char filter[64] = "";
  const sdn_h5_kind kind = kind_of_type(set->type);
  const bool real = kind == SDN_H5_KIND_FLOAT || kind == SDN_H5_KIND_DOUBLE;
  if (!real && kind != SDN_H5_KIND_INTEGER) return sdn_fail(err, SDN_FORMAT, "%s: dataset '%s' holds no plain numbers", file->path, name);
  if (real && (type == SDN_H5_INT64 || type == SDN_H5_UINT8))
    return sdn_fail(err, SDN_FORMAT, "%s: dataset '%s' holds real numbers; whole ones are expected", file->path, name);
  if (missing_filter(set->id, filter, sizeof filter))
    return sdn_fail(err, SDN_FORMAT, "%s: dataset '%s' is compressed by '%s', which this HDF5 library lacks; repack it with h5repack -f GZIP=4",
                    file->path, name, filter);
  return SDN_OK;
}

static hsize_t n_value(const sdn_h5_shape *shape)
{
  hsize_t n = 1;
  for (int i = 0; i < shape->n_dim; i++) n *= (hsize_t)shape->dim[i];
  return n;
}

static sdn_status read_whole(const sdn_h5 *file, const char *name, sdn_h5_type type, void **out, sdn_h5_shape *shape, sdn_err *err)
{
  sdn_h5_set set;
  void *block = NULL;
  *out = NULL;
  if (sdn_h5_set_open(file, name, &set, err)) return err->status;
  sdn_status status = check_numbers(file, name, &set, type, err);
  if (status) goto done;
  const hsize_t n = n_value(&set.shape), bytes = n * H5Tget_size(set.type);
  const hsize_t stored = H5Dget_storage_size(set.id);
  if (bytes > ALWAYS_BELIEVED && bytes / MAX_COMPRESSION > stored) {
    status = sdn_fail(err, SDN_FORMAT, "%s: dataset '%s' claims %.3g MB but only %.3g MB are stored; the file is damaged or was never filled",
                      file->path, name, (double)bytes / 1e6, (double)stored / 1e6);
    goto done;
  }
  block = sdn_alloc((size_t)n, H5Tget_size(memory_type(type)), name, err);
  if (!block) status = err->status;
  else if (n > 0 && H5Dread(set.id, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, block) < 0)
    status = sdn_h5_fail(file, err, SDN_FORMAT, "dataset '%s' cannot be read; the file is damaged", name);
  if (status) goto done;
  if (shape) *shape = set.shape;
  *out = block;
  block = NULL;
done:
  sdn_release(block);
  sdn_h5_set_close(&set);
  return status;
}

sdn_status sdn_h5_read_double(const sdn_h5 *file, const char *name, double **out, sdn_h5_shape *shape, sdn_err *err)
{
  void *block;
  sdn_status status = read_whole(file, name, SDN_H5_DOUBLE, &block, shape, err);
  *out = block;
  return status;
}

sdn_status sdn_h5_read_float(const sdn_h5 *file, const char *name, float **out, sdn_h5_shape *shape, sdn_err *err)
{
  void *block;
  sdn_status status = read_whole(file, name, SDN_H5_FLOAT, &block, shape, err);
  *out = block;
  return status;
}

/* A new dataset with these creation options; they are closed here. */
static sdn_status create_set(sdn_h5 *file, const char *name, hid_t type, const sdn_h5_shape *shape, bool grows, hid_t options, hid_t *set,
                             sdn_err *err)
{
  hsize_t dim[SDN_H5_MAX_DIM], most[SDN_H5_MAX_DIM];
  for (int i = 0; i < shape->n_dim; i++) dim[i] = most[i] = (hsize_t)shape->dim[i];
  if (grows) most[0] = H5S_UNLIMITED;
  hid_t space = shape->n_dim > 0 ? H5Screate_simple(shape->n_dim, dim, most) : H5Screate(H5S_SCALAR);
  *set = H5Dcreate2(file->id, name, type, space, H5P_DEFAULT, options, H5P_DEFAULT);
  if (*set < 0) sdn_h5_fail(file, err, SDN_IO, "cannot make the dataset '%s'", name);
  if (space >= 0) H5Sclose(space);
  if (options >= 0) H5Pclose(options);
  return *set < 0 ? err->status : SDN_OK;
}

/* Checks the shape (what grows has a first dimension, and the others cannot be empty) and makes the groups on the way. */
static sdn_status prepare_new(sdn_h5 *file, const char *name, const sdn_h5_shape *shape, bool grows, sdn_err *err)
{
  sdn_h5_quiet();
  if (sdn_h5_check(file, err)) return err->status;
  bool good = shape->n_dim >= (grows ? 1 : 0) && shape->n_dim <= SDN_H5_MAX_DIM;
  for (int i = 0; good && i < shape->n_dim; i++) good = shape->dim[i] >= (grows && i > 0 ? 1 : 0);
  if (!good) return sdn_fail(err, SDN_USAGE, "%s: dataset '%s' has an impossible shape", file->path, name);
  if (sdn_h5_has(file, name)) return sdn_fail(err, SDN_USAGE, "%s: there is a '%s' already", file->path, name);
  const char *slash = strrchr(name, '/');
  return slash ? sdn_h5_make_groups(file, name, (size_t)(slash - name), err) : SDN_OK;
}

/* Storage of a dataset of fixed size: what is still to be filled is contiguous and zeroed at once; data that are there already are cut
 * into chunks, which can carry checksums. */
static void lay_out(hid_t options, sdn_h5_type type, const sdn_h5_shape *shape, bool filled)
{
  static const char zero[8] = {0};
  hsize_t chunk[SDN_H5_MAX_DIM], row = H5Tget_size(memory_type(type));
  for (int i = 1; i < shape->n_dim; i++) row *= chunk[i] = (hsize_t)shape->dim[i];
  H5Pset_fill_value(options, memory_type(type), zero);
  if (filled && shape->n_dim > 0 && n_value(shape) > 0 && row <= CHUNK_BYTES) {
    const hsize_t n_row = (hsize_t)shape->dim[0], fit = CHUNK_BYTES / row;
    chunk[0] = n_row < fit ? n_row : fit;
    H5Pset_chunk(options, shape->n_dim, chunk);
    H5Pset_fletcher32(options);
    return;
  }
  H5Pset_layout(options, H5D_CONTIGUOUS);
  H5Pset_alloc_time(options, H5D_ALLOC_TIME_EARLY);
  H5Pset_fill_time(options, filled ? H5D_FILL_TIME_NEVER : H5D_FILL_TIME_ALLOC);
}

sdn_status sdn_h5_make(sdn_h5 *file, const char *name, sdn_h5_type type, const sdn_h5_shape *shape, const void *data, sdn_err *err)
{
  if (prepare_new(file, name, shape, false, err)) return err->status;
  hid_t options = sdn_h5_object_options(H5P_DATASET_CREATE), set;
  lay_out(options, type, shape, data != NULL);
  if (create_set(file, name, file_type(type), shape, false, options, &set, err)) return err->status;
  sdn_status status = SDN_OK;
  if (data && n_value(shape) > 0 && H5Dwrite(set, memory_type(type), H5S_ALL, H5S_ALL, H5P_DEFAULT, data) < 0)
    status = sdn_h5_fail(file, err, SDN_IO, "cannot write the dataset '%s'", name);
  if (H5Dclose(set) < 0 && !status) status = sdn_h5_fail(file, err, SDN_IO, "cannot write the dataset '%s' to its end", name);
  return status ? status : sdn_h5_check(file, err);
}

sdn_status sdn_h5_create_growing(sdn_h5 *file, const char *name, hid_t type, const sdn_h5_shape *shape, long n_row_chunk, int deflate,
                                 sdn_err *err)
{
  if (prepare_new(file, name, shape, true, err)) return err->status;
  if (!(n_row_chunk > 0)) return sdn_fail(err, SDN_USAGE, "%s: dataset '%s': %ld rows per chunk", file->path, name, n_row_chunk);
  hsize_t chunk[SDN_H5_MAX_DIM];
  hid_t options = sdn_h5_object_options(H5P_DATASET_CREATE), set;
  for (int i = 0; i < shape->n_dim; i++) chunk[i] = (hsize_t)(i == 0 ? n_row_chunk : shape->dim[i]);
  herr_t bad = H5Pset_chunk(options, shape->n_dim, chunk);
  if (bad >= 0 && deflate > 0) bad = H5Pset_shuffle(options);
  if (bad >= 0 && deflate > 0) bad = H5Pset_deflate(options, deflate < 9 ? (unsigned)deflate : 9u);
  if (bad >= 0) bad = H5Pset_fletcher32(options);   /* so that a flipped bit is an error, not a number */
  if (bad < 0) {
    sdn_h5_fail(file, err, SDN_USAGE, "dataset '%s' cannot be cut into chunks of %ld rows", name, n_row_chunk);
    H5Pclose(options);
    return err->status;
  }
  if (create_set(file, name, type, shape, true, options, &set, err)) return err->status;
  H5Dclose(set);
  return SDN_OK;
}

sdn_status sdn_h5_make_growing(sdn_h5 *file, const char *name, sdn_h5_type type, const sdn_h5_shape *shape, long n_row_chunk, int deflate,
                               sdn_err *err)
{
  sdn_h5_quiet();
  return sdn_h5_create_growing(file, name, file_type(type), shape, n_row_chunk, deflate, err);
}

sdn_status sdn_h5_grow(sdn_h5 *file, const char *name, sdn_h5_set *set, long end, sdn_err *err)
{
  hsize_t dim[H5S_MAX_RANK], most[H5S_MAX_RANK];
  if (set->shape.n_dim < 1) return sdn_fail(err, SDN_USAGE, "%s: '%s' is a single value, it has no rows", file->path, name);
  if (end <= set->shape.dim[0]) return SDN_OK;
  H5Sget_simple_extent_dims(set->space, dim, most);
  if (most[0] != H5S_UNLIMITED)
    return sdn_fail(err, SDN_USAGE, "%s: dataset '%s' has %ld rows and cannot grow to %ld", file->path, name, set->shape.dim[0], end);
  dim[0] = (hsize_t)end;
  if (H5Dset_extent(set->id, dim) < 0) return sdn_h5_fail(file, err, SDN_IO, "dataset '%s' cannot grow to %ld rows", name, end);
  H5Sclose(set->space);
  set->space = H5Dget_space(set->id);
  set->shape.dim[0] = end;
  return set->space < 0 ? sdn_h5_fail(file, err, SDN_IO, "dataset '%s' is lost", name) : SDN_OK;
}

sdn_status sdn_h5_select_rows(const sdn_h5 *file, const char *name, sdn_h5_set *set, long row0, long n, hid_t *memory, sdn_err *err)
{
  hsize_t start[SDN_H5_MAX_DIM] = {0}, count[SDN_H5_MAX_DIM];
  *memory = -1;
  if (set->shape.n_dim < 1) return sdn_fail(err, SDN_USAGE, "%s: '%s' is a single value, it has no rows", file->path, name);
  if (!(row0 >= 0 && n >= 0 && n <= set->shape.dim[0] && row0 <= set->shape.dim[0] - n))
    return sdn_fail(err, SDN_USAGE, "%s: rows %ld to %ld of '%s' were asked for; it has %ld", file->path, row0, row0 + n - 1, name,
                    set->shape.dim[0]);
  for (int i = 0; i < set->shape.n_dim; i++) count[i] = (hsize_t)set->shape.dim[i];
  start[0] = (hsize_t)row0;
  count[0] = (hsize_t)n;
  if (H5Sselect_hyperslab(set->space, H5S_SELECT_SET, start, NULL, count, NULL) < 0)
    return sdn_h5_fail(file, err, SDN_FORMAT, "rows %ld to %ld of '%s' cannot be selected", row0, row0 + n - 1, name);
  *memory = H5Screate_simple(set->shape.n_dim, count, NULL);
  return *memory < 0 ? sdn_h5_fail(file, err, SDN_MEMORY, "rows of '%s' cannot be described", name) : SDN_OK;
}

sdn_status sdn_h5_write_rows(sdn_h5 *file, const char *name, sdn_h5_type type, long row0, long n, const void *data, sdn_err *err)
{
  sdn_h5_set set;
  hid_t memory = -1;
  if (sdn_h5_set_open(file, name, &set, err)) return err->status;
  sdn_status status = sdn_h5_grow(file, name, &set, row0 + n, err);
  if (!status) status = sdn_h5_select_rows(file, name, &set, row0, n, &memory, err);
  if (!status && n > 0 && n_value(&set.shape) > 0 && H5Dwrite(set.id, memory_type(type), memory, set.space, H5P_DEFAULT, data) < 0)
    status = sdn_h5_fail(file, err, SDN_IO, "cannot write rows %ld to %ld of '%s'", row0, row0 + n - 1, name);
  if (memory >= 0) H5Sclose(memory);
  if (H5Dclose(set.id) < 0 && !status) status = sdn_h5_fail(file, err, SDN_IO, "cannot write rows %ld to %ld of '%s'", row0, row0 + n - 1, name);
  set.id = 0;
  sdn_h5_set_close(&set);
  return status ? status : sdn_h5_check(file, err);
}

sdn_status sdn_h5_read_rows(const sdn_h5 *file, const char *name, sdn_h5_type type, long row0, long n, void *data, sdn_err *err)
{
  sdn_h5_set set;
  hid_t memory = -1;
  if (sdn_h5_set_open(file, name, &set, err)) return err->status;
  sdn_status status = check_numbers(file, name, &set, type, err);
  if (!status) status = sdn_h5_select_rows(file, name, &set, row0, n, &memory, err);
  if (!status && n > 0 && n_value(&set.shape) > 0 && H5Dread(set.id, memory_type(type), memory, set.space, H5P_DEFAULT, data) < 0)
    status = sdn_h5_fail(file, err, SDN_FORMAT, "rows %ld to %ld of '%s' cannot be read; the file is damaged", row0, row0 + n - 1, name);
  if (memory >= 0) H5Sclose(memory);
  sdn_h5_set_close(&set);
  return status;
}
