/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Strings in HDF5 files: fixed or variable length, padded in any of HDF5's ways, bytes or UTF-8. */
#include "base/h5_internal.h"

#include <string.h>


/* The reader's type: the file's own, but with C's own kind of variable length. */
hid_t sdn_h5_text_type(hid_t type)
{
  if (H5Tis_variable_str(type) <= 0) return H5Tcopy(type);
  hid_t text = H5Tcopy(H5T_C_S1);
  if (text >= 0) H5Tset_size(text, H5T_VARIABLE);
  if (text >= 0) H5Tset_cset(text, H5Tget_cset(type));
  return text;
}

size_t sdn_h5_text_size(hid_t text_type) { return H5Tis_variable_str(text_type) > 0 ? sizeof(char *) : H5Tget_size(text_type); }

static size_t trimmed_length(const char *text, size_t size, bool space_padded)
{
  const char *end = memchr(text, '\0', size);
  size_t n = end ? (size_t)(end - text) : size;
  while (space_padded && n > 0 && text[n - 1] == ' ') n--;
  return n;
}

char **sdn_h5_text_block(hid_t text_type, const void *raw, size_t n, sdn_err *err)
{
  const bool variable = H5Tis_variable_str(text_type) > 0, spaces = H5Tget_strpad(text_type) == H5T_STR_SPACEPAD;
  const size_t size = sdn_h5_text_size(text_type);
  char *const *pointer = raw;
  size_t total = n * sizeof(char *);
  for (size_t i = 0; i < n; i++) total += 1 + (!variable ? size : pointer[i] ? strlen(pointer[i]) : 0);
  char **block = sdn_alloc(total, 1, "strings of an HDF5 file", err);
  if (!block) return NULL;
  char *at = (char *)(block + n);
  for (size_t i = 0; i < n; i++) {
    const char *text = variable ? pointer[i] : (const char *)raw + i * size;
    const size_t length = !text ? 0 : variable ? strlen(text) : trimmed_length(text, size, spaces);
    if (length) memcpy(at, text, length);
    at[length] = '\0';
    block[i] = at;
    at += length + 1;
  }
  return block;
}

hid_t sdn_h5_padded_type(size_t width)
{
  hid_t type = H5Tcopy(H5T_C_S1);
  if (type >= 0) H5Tset_size(type, width > 0 ? width : 1);
  if (type >= 0) H5Tset_strpad(type, H5T_STR_NULLPAD);
  if (type >= 0) H5Tset_cset(type, H5T_CSET_UTF8);
  return type;
}

sdn_status sdn_h5_make_growing_texts(sdn_h5 *file, const char *name, size_t width, long n_row_chunk, int deflate, sdn_err *err)
{
  sdn_h5_quiet();
  hid_t type = sdn_h5_padded_type(width);
  sdn_status status = sdn_h5_create_growing(file, name, type, &(sdn_h5_shape){.n_dim = 1, .dim = {0}}, n_row_chunk, deflate, err);
  if (type >= 0) H5Tclose(type);
  return status;
}

char *sdn_h5_text_cells(const char *path, const char *name, size_t size, long n, const char *const *texts, sdn_err *err)
{
  char *cells = sdn_alloc((size_t)n, size, "strings for an HDF5 file", err);
  if (!cells) return NULL;
  for (long i = 0; i < n; i++) {
    size_t length = strlen(texts[i]);
    if (length > size) {
      sdn_fail_row(err, SDN_USAGE, i, "%s: text '%.60s' of '%s' has %zu bytes; there is room for %zu", path, texts[i], name, length, size);
      sdn_release(cells);
      return NULL;
    }
    memcpy(cells + (size_t)i * size, texts[i], length);
  }
  return cells;
}

sdn_status sdn_h5_write_row_texts(sdn_h5 *file, const char *name, long row0, long n, const char *const *texts, sdn_err *err)
{
  sdn_h5_set set;
  hid_t memory = -1;
  char *cells = NULL;
  if (sdn_h5_set_open(file, name, &set, err)) return err->status;
  sdn_status status = SDN_OK;
  if (H5Tget_class(set.type) != H5T_STRING || H5Tis_variable_str(set.type) > 0 || set.shape.n_dim != 1)
    status = sdn_fail(err, SDN_USAGE, "%s: '%s' was not made for rows of text", file->path, name);
  if (!status && !(cells = sdn_h5_text_cells(file->path, name, H5Tget_size(set.type), n, texts, err))) status = err->status;
  if (!status) status = sdn_h5_grow(file, name, &set, row0 + n, err);
  if (!status) status = sdn_h5_select_rows(file, name, &set, row0, n, &memory, err);
  if (!status && n > 0 && H5Dwrite(set.id, set.type, memory, set.space, H5P_DEFAULT, cells) < 0)
    status = sdn_h5_fail(file, err, SDN_IO, "cannot write rows %ld to %ld of '%s'", row0, row0 + n - 1, name);
  if (memory >= 0) H5Sclose(memory);
  sdn_release(cells);
  sdn_h5_set_close(&set);
  return status ? status : sdn_h5_check(file, err);
}

sdn_status sdn_h5_read_row_texts(const sdn_h5 *file, const char *name, long row0, long n, char ***out, sdn_err *err)
{
  sdn_h5_set set;
  hid_t memory = -1, type = -1;
  void *raw = NULL;
  *out = NULL;
  if (sdn_h5_set_open(file, name, &set, err)) return err->status;
  sdn_status status = SDN_OK;
  if (H5Tget_class(set.type) != H5T_STRING || set.shape.n_dim != 1)
    status = sdn_fail(err, SDN_FORMAT, "%s: dataset '%s' is no vector of text", file->path, name);
  if (!status) status = sdn_h5_select_rows(file, name, &set, row0, n, &memory, err);
  if (!status && (type = sdn_h5_text_type(set.type)) < 0) status = sdn_h5_fail(file, err, SDN_FORMAT, "'%s' is text of an unknown kind", name);
  if (!status && !(raw = sdn_alloc((size_t)n, sdn_h5_text_size(type), name, err))) status = err->status;
  if (!status && n > 0 && H5Dread(set.id, type, memory, set.space, H5P_DEFAULT, raw) < 0)
    status = sdn_h5_fail(file, err, SDN_FORMAT, "the text of '%s' cannot be read; the file is damaged", name);
  if (!status && !(*out = sdn_h5_text_block(type, raw, (size_t)n, err))) status = err->status;
  if (raw && type >= 0 && H5Tis_variable_str(type) > 0) H5Dvlen_reclaim(type, memory, H5P_DEFAULT, raw);
  if (type >= 0) H5Tclose(type);
  if (memory >= 0) H5Sclose(memory);
  sdn_release(raw);
  sdn_h5_set_close(&set);
  return status;
}

sdn_status sdn_h5_read_texts(const sdn_h5 *file, const char *name, char ***out, size_t *n, sdn_err *err)
{
  sdn_h5_shape shape;
  *out = NULL;
  *n = 0;
  if (sdn_h5_shape_of(file, name, &shape, err)) return err->status;
  if (shape.n_dim != 1) return sdn_fail(err, SDN_FORMAT, "%s: dataset '%s' is no vector of text", file->path, name);
  if (sdn_h5_read_row_texts(file, name, 0, shape.dim[0], out, err)) return err->status;
  *n = (size_t)shape.dim[0];
  return SDN_OK;
}
