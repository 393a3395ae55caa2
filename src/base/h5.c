/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 files: opening, closing, what is in them, and how their failures become sentences. */
#include "base/h5_internal.h"

#include <errno.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/h5_driver.h"

static pthread_mutex_t h5_mutex = PTHREAD_MUTEX_INITIALIZER;

void sdn_h5_lock(void) { pthread_mutex_lock(&h5_mutex); }
void sdn_h5_unlock(void) { pthread_mutex_unlock(&h5_mutex); }

void sdn_h5_quiet(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

/* Keeps the first, that is the innermost, description of a walk up the error stack. */
static herr_t take_reason(unsigned n, const H5E_error2_t *entry, void *reason)
{
  if (n == 0 && entry->desc) snprintf(reason, 200, "%s", entry->desc);
  return 0;
}

static sdn_status fail(const char *path, sdn_err *err, sdn_status status, const char *fmt, va_list args)
{
  char reason[200] = "", sentence[600];
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, take_reason, reason);
  vsnprintf(sentence, sizeof sentence, fmt, args);
  if (reason[0]) return sdn_fail(err, status, "%s: %s (HDF5: %s)", path, sentence, reason);
  return sdn_fail(err, status, "%s: %s", path, sentence);
}

sdn_status sdn_h5_fail_path(const char *path, sdn_err *err, sdn_status status, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  fail(path, err, status, fmt, args);
  va_end(args);
  return err->status;
}

sdn_status sdn_h5_fail(const sdn_h5 *file, sdn_err *err, sdn_status status, const char *fmt, ...)
{
  if (sdn_h5_check(file, err)) return err->status;   /* the cause of all that fails later */
  va_list args;
  va_start(args, fmt);
  fail(file->path, err, status, fmt, args);
  va_end(args);
  return err->status;
}

sdn_status sdn_h5_check(const sdn_h5 *file, sdn_err *err)
{
  if (!*file->trouble) return SDN_OK;
  return sdn_fail(err, SDN_IO, "%s cannot be written: %s; free some space and run again", file->path, strerror(*file->trouble));
}

hid_t sdn_h5_object_options(hid_t cls)
{
  hid_t options = H5Pcreate(cls);
  if (options >= 0) H5Pset_obj_track_times(options, false);
  return options;
}

/* The file itself in the 1.8 format: unlike later ones it has no mark "being written" that would keep a killed run from being resumed. */
static hid_t access_options(H5F_libver_t newest)
{
  hid_t options = H5Pcreate(H5P_FILE_ACCESS);
  if (options < 0) return options;
  H5Pset_libver_bounds(options, H5F_LIBVER_V18, newest);
  H5Pset_fclose_degree(options, H5F_CLOSE_STRONG);
  sdn_h5_driver_set(options);
  return options;
}

static sdn_status wrap(hid_t id, const char *path, bool writable, sdn_h5 **file, sdn_err *err)
{
  sdn_h5 *f = sdn_alloc(1, sizeof *f, "an HDF5 file", err);
  char *name = f ? sdn_copy_text(path, err) : NULL;
  if (!name) {
    sdn_release(f);
    H5Fclose(id);
    return err->status;
  }
  *f = (sdn_h5){.id = id, .writable = writable, .path = name, .trouble = sdn_h5_driver_trouble(id)};
  /* What is put into the file in the 1.10 format: there the lists of chunks, too, have checksums. */
  if (writable) H5Fset_libver_bounds(id, H5F_LIBVER_V110, H5F_LIBVER_V110);
  *file = f;
  return SDN_OK;
}

static sdn_status check_readable(const char *path, sdn_err *err)
{
  struct stat info;
  if (stat(path, &info) == 0 && !S_ISREG(info.st_mode)) return sdn_fail(err, SDN_IO, "cannot read %s: it is no regular file", path);
  FILE *file = fopen(path, "rb");
  if (!file) return sdn_fail(err, SDN_IO, "cannot read %s: %s", path, strerror(errno));
  fclose(file);
  if (H5Fis_hdf5(path) <= 0) return sdn_fail(err, SDN_FORMAT, "%s is no HDF5 file, or its beginning is damaged", path);
  return SDN_OK;
}

static const char *words_for(int reason)
{
  return reason == EAGAIN || reason == EACCES ? "no permission, or another program is writing it" : strerror(reason);
}

static sdn_status open_file(const char *path, bool writable, sdn_h5 **file, sdn_err *err)
{
  *file = NULL;
  sdn_h5_quiet();
  if (check_readable(path, err)) return err->status;
  hid_t options = access_options(H5F_LIBVER_LATEST);
  sdn_h5_driver_forget();
  hid_t id = H5Fopen(path, writable ? H5F_ACC_RDWR : H5F_ACC_RDONLY, options);
  const int reason = sdn_h5_driver_last();
  if (id < 0 && reason) sdn_fail(err, SDN_IO, "cannot %s %s: %s", writable ? "write" : "read", path, words_for(reason));
  else if (id < 0) sdn_h5_fail_path(path, err, SDN_FORMAT, "cannot open this HDF5 file; it is truncated or damaged");
  if (options >= 0) H5Pclose(options);
  return id < 0 ? err->status : wrap(id, path, writable, file, err);
}

sdn_status sdn_h5_open(const char *path, sdn_h5 **file, sdn_err *err) { return open_file(path, false, file, err); }
sdn_status sdn_h5_open_update(const char *path, sdn_h5 **file, sdn_err *err) { return open_file(path, true, file, err); }

sdn_status sdn_h5_create(const char *path, sdn_h5 **file, sdn_err *err)
{
  *file = NULL;
  sdn_h5_quiet();
  hid_t access = access_options(H5F_LIBVER_V18), creation = sdn_h5_object_options(H5P_FILE_CREATE);
  sdn_h5_driver_forget();
  hid_t id = H5Fcreate(path, H5F_ACC_TRUNC, creation, access);
  const int reason = sdn_h5_driver_last();
  if (id < 0 && reason) sdn_fail(err, SDN_IO, "cannot create %s: %s", path, words_for(reason));
  else if (id < 0) sdn_h5_fail_path(path, err, SDN_IO, "cannot create this file");
  if (creation >= 0) H5Pclose(creation);
  if (access >= 0) H5Pclose(access);
  return id < 0 ? err->status : wrap(id, path, true, file, err);
}

sdn_status sdn_h5_flush(sdn_h5 *file, sdn_err *err)
{
  sdn_h5_quiet();
  if (file->writable && H5Fflush(file->id, H5F_SCOPE_LOCAL) < 0)
    return sdn_h5_fail(file, err, SDN_IO, "cannot write this file to its end");
  return sdn_h5_check(file, err);
}

sdn_status sdn_h5_close(sdn_h5 *file, sdn_err *err)
{
  if (!file) return SDN_OK;
  sdn_status status = sdn_h5_flush(file, err);
  sdn_h5_driver_forget();
  const bool failed = H5Fclose(file->id) < 0;
  const int reason = sdn_h5_driver_last();
  if (!status && reason)
    status = sdn_fail(err, SDN_IO, "%s cannot be written: %s; free some space and run again", file->path, strerror(reason));
  else if (!status && failed) status = sdn_h5_fail(file, err, SDN_IO, "cannot close this file");
  sdn_release(file->path);
  sdn_release(file);
  return status;
}

const char *sdn_h5_path(const sdn_h5 *file) { return file->path; }

/* HDF5 asks that every step of a path be there before the next is looked at. */
bool sdn_h5_has(const sdn_h5 *file, const char *name)
{
  char step[1024];
  size_t n = strlen(name);
  sdn_h5_quiet();
  if (n == 0 || n >= sizeof step) return false;
  for (size_t i = 1; i <= n; i++) {
    if (name[i] != '/' && name[i] != '\0') continue;
    memcpy(step, name, i);
    step[i] = '\0';
    if (strcmp(step, "/") != 0 && H5Lexists(file->id, step, H5P_DEFAULT) <= 0) return false;
  }
  return strcmp(name, "/") == 0 || H5Oexists_by_name(file->id, name, H5P_DEFAULT) > 0;   /* a link that leads somewhere */
}

/* Not left to HDF5's own making of groups on the way, which would stamp them with the time. */
sdn_status sdn_h5_make_groups(sdn_h5 *file, const char *path, size_t n, sdn_err *err)
{
  char step[1024];
  if (n >= sizeof step) return sdn_fail(err, SDN_USAGE, "%s: the name '%.80s...' is too long", file->path, path);
  for (size_t i = 1; i <= n; i++) {
    if (i < n && path[i] != '/') continue;
    memcpy(step, path, i);
    step[i] = '\0';
    if (sdn_h5_has(file, step)) continue;
    hid_t options = sdn_h5_object_options(H5P_GROUP_CREATE), group = H5Gcreate2(file->id, step, H5P_DEFAULT, options, H5P_DEFAULT);
    if (group < 0) sdn_h5_fail(file, err, SDN_IO, "cannot make the group '%s'", step);
    if (options >= 0) H5Pclose(options);
    if (group < 0) return err->status;
    H5Gclose(group);
  }
  return SDN_OK;
}

bool sdn_h5_has_attr(const sdn_h5 *file, const char *object, const char *attr)
{
  return sdn_h5_has(file, object) && H5Aexists_by_name(file->id, object, attr, H5P_DEFAULT) > 0;
}

typedef struct name_list { char *text; size_t used, room, n; sdn_err *err; } name_list;

/* Appends a link's name to the list, each closed by its 0. */
static herr_t add_name(hid_t group, const char *name, const H5L_info_t *info, void *ctx)
{
  name_list *list = ctx;
  size_t size = strlen(name) + 1;
  (void)group, (void)info;
  if (size > list->room - list->used) {
    size_t room = 2 * list->room + size;
    char *larger = sdn_alloc(room, 1, "the names in a group", list->err);
    if (!larger) return -1;
    if (list->used) memcpy(larger, list->text, list->used);
    sdn_release(list->text);
    list->text = larger;
    list->room = room;
  }
  memcpy(list->text + list->used, name, size);
  list->used += size;
  list->n++;
  return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* In the file's own order and sorted here: HDF5 1.10's sorted walk frees memory that it never set when the group is damaged. */
sdn_status sdn_h5_list(const sdn_h5 *file, const char *group, char ***names, size_t *n, sdn_err *err)
{
  name_list list = {.err = err};
  *names = NULL;
  *n = 0;
  sdn_h5_quiet();
  sdn_err_clear(err);
  hsize_t at = 0;
  if (H5Literate_by_name(file->id, group, H5_INDEX_NAME, H5_ITER_NATIVE, &at, add_name, &list, H5P_DEFAULT) < 0 && !err->status)
    sdn_h5_fail(file, err, SDN_FORMAT, "cannot list the group '%s'", group);
  char **block = err->status ? NULL : sdn_alloc(1, list.n * sizeof *block + list.used, "the names in a group", err);
  if (block) {
    char *text = (char *)(block + list.n);
    if (list.used) memcpy(text, list.text, list.used);
    for (size_t i = 0; i < list.n; i++, text += strlen(text) + 1) block[i] = text;
    qsort(block, list.n, sizeof *block, by_name);
    *names = block;
    *n = list.n;
  }
  sdn_release(list.text);
  return err->status;
}

sdn_status sdn_h5_copy(const sdn_h5 *from, const char *name, sdn_h5 *to, const char *new_name, sdn_err *err)
{
  sdn_h5_quiet();
  const char *slash = strrchr(new_name, '/');
  if (sdn_h5_check(to, err) || (slash && sdn_h5_make_groups(to, new_name, (size_t)(slash - new_name), err))) return err->status;
  if (H5Ocopy(from->id, name, to->id, new_name, H5P_DEFAULT, H5P_DEFAULT) < 0)
    return sdn_h5_fail(to, err, SDN_IO, "'%s' of %s cannot be copied", name, from->path);
  return sdn_h5_check(to, err);
}
