/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attributes of foreign objects: which there are, and their values as text. */
#include "base/h5_internal.h"

#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "base/text.h"

#define MAX_SHOWN 64   /* numbers of a vector */

typedef struct attr_names { sdn_text text; size_t n; } attr_names;

static herr_t add_attr(hid_t object, const char *name, const H5A_info_t *info, void *ctx)
{
  attr_names *names = ctx;
  (void)object, (void)info;
  sdn_text_add_bytes(&names->text, name, strlen(name) + 1);
  names->n++;
  return names->text.failed ? -1 : 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

sdn_status sdn_h5_list_attrs(const sdn_h5 *file, const char *object, char ***names, size_t *n, sdn_err *err)
{
  attr_names list = {0};
  hsize_t at = 0;
  *names = NULL;
  *n = 0;
  sdn_h5_quiet();
  sdn_status status = SDN_OK;
  if (H5Aiterate_by_name(file->id, object, H5_INDEX_NAME, H5_ITER_NATIVE, &at, add_attr, &list, H5P_DEFAULT) < 0)
    status = list.text.failed ? sdn_text_done(&list.text, err) : sdn_h5_fail(file, err, SDN_FORMAT, "cannot list the attributes of '%s'", object);
  char **block = status ? NULL : sdn_alloc(1, list.n * sizeof *block + list.text.n, "the names of attributes", err);
  if (block) {
    char *text = (char *)(block + list.n);
    if (list.text.n) memcpy(text, list.text.data, list.text.n);
    for (size_t i = 0; i < list.n; i++, text += strlen(text) + 1) block[i] = text;
    qsort(block, list.n, sizeof *block, by_name);
    *names = block;
    *n = list.n;
  } else if (!status) {
    status = err->status;
  }
  sdn_text_free(&list.text);
  return status;
}

static void add_numbers(sdn_text *t, hid_t attr, size_t n)
{
  double value[MAX_SHOWN];
  char one[SDN_NUMBER_SIZE];
  if (n > MAX_SHOWN || H5Aread(attr, H5T_NATIVE_DOUBLE, value) < 0) {
    sdn_text_add(t, "(%zu numbers)", n);
    return;
  }
  for (size_t i = 0; i < n; i++) {
    sdn_number_print(value[i], one);
    sdn_text_add(t, "%s%s", i ? ", " : "", one);
  }
}

sdn_status sdn_h5_attr_text(const sdn_h5 *file, const char *object, const char *attr, char **value, sdn_err *err)
{
  sdn_text t = {0};
  char **texts = NULL;
  size_t n = 0;
  *value = NULL;
  sdn_h5_quiet();
  if (!sdn_h5_has_attr(file, object, attr)) return sdn_fail(err, SDN_FORMAT, "%s: '%s' has no attribute '%s'", file->path, object, attr);
  hid_t id = H5Aopen_by_name(file->id, object, attr, H5P_DEFAULT, H5P_DEFAULT), type = id < 0 ? -1 : H5Aget_type(id), space = id < 0 ? -1 : H5Aget_space(id);
  const H5T_class_t cls = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
  const hssize_t n_value = space < 0 ? -1 : H5Sget_simple_extent_npoints(space);
  if (cls == H5T_STRING && !sdn_h5_get_texts(file, object, attr, &texts, &n, err))
    for (size_t i = 0; i < n; i++) sdn_text_add(&t, "%s%s", i ? ", " : "", texts[i]);
  else if ((cls == H5T_INTEGER || cls == H5T_FLOAT || cls == H5T_ENUM) && n_value >= 0) add_numbers(&t, id, (size_t)n_value);
  else sdn_text_add(&t, "(of an unknown kind)");
  if (space >= 0) H5Sclose(space);
  if (type >= 0) H5Tclose(type);
  if (id >= 0) H5Aclose(id);
  sdn_release(texts);
  sdn_status status = sdn_text_done(&t, err);
  if (!status && !(*value = sdn_copy_text(t.data ? t.data : "", err))) status = err->status;
  sdn_text_free(&t);
  return status;
}
