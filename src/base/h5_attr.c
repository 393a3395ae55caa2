/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attributes of HDF5 objects: one value or a vector, numbers or text. */
#include "base/h5_internal.h"

#include <math.h>
#include <string.h>

#define MAX_ATTR_BYTES ((size_t)1 << 30)
#define MAX_EXACT_INTEGER 9007199254740992.0   /* 2^53 */

/* An attribute that is open for reading. */
typedef struct attr_in { hid_t id, type; size_t n; } attr_in;

static void close_attr(attr_in *a)
{
  if (a->type > 0) H5Tclose(a->type);
  if (a->id > 0) H5Aclose(a->id);
}

static sdn_status open_attr(const sdn_h5 *file, const char *object, const char *attr, attr_in *a, sdn_err *err)
{
  *a = (attr_in){0};
  if (!sdn_h5_has_attr(file, object, attr))
    return sdn_fail(err, SDN_FORMAT, "%s: '%s' has no attribute '%s'", file->path, object, attr);
  a->id = H5Aopen_by_name(file->id, object, attr, H5P_DEFAULT, H5P_DEFAULT);
  a->type = a->id < 0 ? -1 : H5Aget_type(a->id);
  hid_t space = a->id < 0 ? -1 : H5Aget_space(a->id);
  hssize_t n = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  if (space >= 0) H5Sclose(space);
  if (a->type < 0 || n < 0 || (size_t)n > MAX_ATTR_BYTES / H5Tget_size(a->type)) {
    sdn_h5_fail(file, err, SDN_FORMAT, "attribute '%s' of '%s' is damaged", attr, object);
    close_attr(a);
    return err->status;
  }
  a->n = (size_t)n;
  return SDN_OK;
}

sdn_status sdn_h5_get_texts(const sdn_h5 *file, const char *object, const char *attr, char ***value, size_t *n, sdn_err *err)
{
  attr_in a;
  void *raw = NULL;
  hid_t type = -1;
  *value = NULL;
  *n = 0;
  if (open_attr(file, object, attr, &a, err)) return err->status;
  sdn_status status = SDN_OK;
  if (H5Tget_class(a.type) != H5T_STRING)
    status = sdn_fail(err, SDN_FORMAT, "%s: attribute '%s' of '%s' is no text", file->path, attr, object);
  else if ((type = sdn_h5_text_type(a.type)) < 0)
    status = sdn_h5_fail(file, err, SDN_FORMAT, "attribute '%s' of '%s' is text of an unknown kind", attr, object);
  else if (!(raw = sdn_alloc(a.n, sdn_h5_text_size(type), attr, err))) status = err->status;
  else if (a.n > 0 && H5Aread(a.id, type, raw) < 0)
    status = sdn_h5_fail(file, err, SDN_FORMAT, "attribute '%s' of '%s' cannot be read", attr, object);
  if (!status && !(*value = sdn_h5_text_block(type, raw, a.n, err))) status = err->status;
  if (!status) *n = a.n;
  if (raw && type >= 0 && a.n > 0 && H5Tis_variable_str(type) > 0) {
    hid_t space = H5Aget_space(a.id);
    H5Dvlen_reclaim(type, space, H5P_DEFAULT, raw);
    H5Sclose(space);
  }
  sdn_release(raw);
  if (type >= 0) H5Tclose(type);
  close_attr(&a);
  return status;
}

sdn_status sdn_h5_get_text(const sdn_h5 *file, const char *object, const char *attr, char **value, sdn_err *err)
{
  char **texts;
  size_t n;
  *value = NULL;
  if (sdn_h5_get_texts(file, object, attr, &texts, &n, err)) return err->status;
  if (n > 1)
    sdn_fail(err, SDN_FORMAT, "%s: attribute '%s' of '%s' holds %zu texts; one is expected", file->path, attr, object, n);
  else
    *value = sdn_copy_text(n == 1 ? texts[0] : "", err);
  sdn_release(texts);
  return *value ? SDN_OK : err->status;
}

sdn_status sdn_h5_get_double(const sdn_h5 *file, const char *object, const char *attr, double *value, sdn_err *err)
{
  attr_in a;
  double read;
  if (open_attr(file, object, attr, &a, err)) return err->status;
  const H5T_class_t cls = H5Tget_class(a.type);
  sdn_status status = SDN_OK;
  if (a.n != 1 || (cls != H5T_INTEGER && cls != H5T_FLOAT && cls != H5T_ENUM))
    status = sdn_fail(err, SDN_FORMAT, "%s: attribute '%s' of '%s' is not one number", file->path, attr, object);
  else if (H5Aread(a.id, H5T_NATIVE_DOUBLE, &read) < 0)
    status = sdn_h5_fail(file, err, SDN_FORMAT, "attribute '%s' of '%s' cannot be read", attr, object);
  else *value = read;
  close_attr(&a);
  return status;
}

/* An integer of any width as it is; a real number where it is whole. */
sdn_status sdn_h5_get_long(const sdn_h5 *file, const char *object, const char *attr, long *value, sdn_err *err)
{
  attr_in a;
  double number;
  long read;
  if (sdn_h5_get_double(file, object, attr, &number, err) || open_attr(file, object, attr, &a, err)) return err->status;
  sdn_status status = SDN_OK;
  if (H5Tget_class(a.type) == H5T_FLOAT) {
    if (fabs(number) <= MAX_EXACT_INTEGER && number == trunc(number)) *value = (long)number;
    else status = sdn_fail(err, SDN_FORMAT, "%s: attribute '%s' of '%s' is %g, no whole number", file->path, attr, object, number);
  } else if (H5Aread(a.id, H5T_NATIVE_LONG, &read) < 0) {
    status = sdn_h5_fail(file, err, SDN_FORMAT, "attribute '%s' of '%s' cannot be read", attr, object);
  } else {
    *value = read;
  }
  close_attr(&a);
  return status;
}

/* One value (n < 0) or a vector of n; replaces what had that name. */
static sdn_status set_attr(sdn_h5 *file, const char *object, const char *attr, hid_t type, hid_t memory, long n, const void *data,
                           sdn_err *err)
{
  sdn_h5_quiet();
  if (sdn_h5_check(file, err)) return err->status;
  if (sdn_h5_make_groups(file, object, strlen(object), err)) return err->status;
  const hsize_t dim = (hsize_t)n;
  hid_t space = n < 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &dim, NULL);
  if (sdn_h5_has_attr(file, object, attr)) H5Adelete_by_name(file->id, object, attr, H5P_DEFAULT);
  hid_t id = H5Acreate_by_name(file->id, object, attr, type, space, H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
  sdn_status status = SDN_OK;
  if (id < 0 || (n != 0 && H5Awrite(id, memory, data) < 0))
    status = sdn_h5_fail(file, err, SDN_IO, "cannot write the attribute '%s' of '%s'", attr, object);
  if (id >= 0) H5Aclose(id);
  if (space >= 0) H5Sclose(space);
  return status ? status : sdn_h5_check(file, err);
}

/* Of fixed length: HDF5 1.10 can crash on a damaged heap of variable-length strings, while attributes of fixed size have a checksum. */
static sdn_status set_texts(sdn_h5 *file, const char *object, const char *attr, const char *const *value, long n, sdn_err *err)
{
  const size_t n_value = n < 0 ? 1 : (size_t)n;
  size_t width = 1;
  for (size_t i = 0; i < n_value; i++)
    if (strlen(value[i]) > width) width = strlen(value[i]);
  sdn_h5_quiet();
  char *cells = sdn_h5_text_cells(file->path, attr, width, (long)n_value, value, err);
  if (!cells) return err->status;
  hid_t type = sdn_h5_padded_type(width);
  sdn_status status = set_attr(file, object, attr, type, type, n, cells, err);
  if (type >= 0) H5Tclose(type);
  sdn_release(cells);
  return status;
}

sdn_status sdn_h5_set_text(sdn_h5 *file, const char *object, const char *attr, const char *value, sdn_err *err)
{
  return set_texts(file, object, attr, &value, -1, err);
}

sdn_status sdn_h5_set_texts(sdn_h5 *file, const char *object, const char *attr, const char *const *value, size_t n, sdn_err *err)
{
  return set_texts(file, object, attr, value, (long)n, err);
}

sdn_status sdn_h5_set_double(sdn_h5 *file, const char *object, const char *attr, double value, sdn_err *err)
{
  return set_attr(file, object, attr, H5T_IEEE_F64LE, H5T_NATIVE_DOUBLE, -1, &value, err);
}

sdn_status sdn_h5_set_long(sdn_h5 *file, const char *object, const char *attr, long value, sdn_err *err)
{
  return set_attr(file, object, attr, H5T_STD_I64LE, H5T_NATIVE_LONG, -1, &value, err);
}
