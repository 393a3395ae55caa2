/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static char *join(const char *a, const char *separator, const char *b, sdn_err *err)
{
  const size_t n_a = strlen(a), n_s = strlen(separator), n_b = strlen(b);
  char *text = sdn_alloc(n_a + n_s + n_b + 1, 1, "a file name", err);
  if (!text) return NULL;
  memcpy(text, a, n_a);
  memcpy(text + n_a, separator, n_s);
  memcpy(text + n_a + n_s, b, n_b);
  return text;
}

char *sdn_part_name(const char *path, sdn_err *err) { return join(path, ".part", "", err); }

/* Bring what the system still holds of a file or folder to the disk. */
static int sync_path(const char *path, int flags)
{
  const int fd = open(path, flags);
  if (fd < 0) return -1;
  const int failed = fsync(fd), reason = errno;
  close(fd);
  errno = reason;
  return failed;
}

/* The folder that holds `path`; freed by sdn_release. */
static char *folder_of(const char *path, sdn_err *err)
{
  const char *slash = strrchr(path, '/');
  if (!slash) return sdn_copy_text(".", err);
  return sdn_copy_text_n(path, slash == path ? 1 : (size_t)(slash - path), err);
}

sdn_status sdn_part_finish(const char *part, const char *path, sdn_err *err)
{
  char *folder = folder_of(path, err);
  if (!folder) return err->status;
  sdn_status status = SDN_OK;
  if (sync_path(part, O_RDONLY))
    status = sdn_fail(err, SDN_IO, "cannot bring %s to disk: %s; free some space and run again", part, strerror(errno));
  else if (rename(part, path))
    status = sdn_fail(err, SDN_IO, "cannot rename %s to %s: %s", part, path, strerror(errno));
  else
    (void)sync_path(folder, O_RDONLY);   /* some file systems refuse this; the file itself is safe */
  sdn_release(folder);
  return status;
}

sdn_status sdn_check_writable(const char *path, sdn_err *err)
{
  struct stat info;
  const size_t n = strlen(path);
  if (n == 0 || path[n - 1] == '/') return sdn_fail(err, SDN_IO, "cannot write '%s': this is no file name", path);
  if (stat(path, &info) == 0) {
    if (!S_ISREG(info.st_mode))
      return sdn_fail(err, SDN_IO, "cannot write %s: it exists and is no regular file; choose another name", path);
    if (access(path, W_OK))
      return sdn_fail(err, SDN_IO, "cannot replace %s: %s; choose another name or make it writable", path, strerror(errno));
  }
  char *part = sdn_part_name(path, err);
  if (!part) return err->status;
  sdn_status status = SDN_OK;
  const bool was_there = sdn_file_exists(part);   /* a stopped run's, to be resumed: leave it */
  const int fd = open(part, O_WRONLY | O_CREAT, 0666);
  if (fd < 0)
    status = sdn_fail(err, SDN_IO, "cannot write %s: %s; choose a folder that exists and is writable", path, strerror(errno));
  else
    close(fd);
  if (fd >= 0 && !was_there) unlink(part);
  sdn_release(part);
  return status;
}

double sdn_machine_bytes(void)
{
  const long n_page = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
  return n_page > 0 && bytes > 0 ? (double)n_page * (double)bytes : -1;
}

double sdn_free_bytes(const char *path)
{
  sdn_err unused;
  struct statvfs info;
  char *folder = folder_of(path, &unused);
  const bool known = folder && statvfs(folder, &info) == 0;
  sdn_release(folder);
  return known ? (double)info.f_bavail * (double)info.f_frsize : -1;
}

bool sdn_file_exists(const char *path)
{
  struct stat info;
  return stat(path, &info) == 0 && S_ISREG(info.st_mode);
}

/* Two names of which at least one is not there yet: one folder, one last part. */
static bool same_place(const char *a, const char *b)
{
  const char *slash_a = strrchr(a, '/'), *slash_b = strrchr(b, '/');
  sdn_err unused;
  struct stat x, y;
  if (strcmp(slash_a ? slash_a + 1 : a, slash_b ? slash_b + 1 : b) != 0) return false;
  char *folder_a = folder_of(a, &unused), *folder_b = folder_of(b, &unused);
  const bool same = folder_a && folder_b && stat(folder_a, &x) == 0 && stat(folder_b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
  sdn_release(folder_a);
  sdn_release(folder_b);
  return same;
}

bool sdn_same_file(const char *a, const char *b)
{
  struct stat x, y;
  sdn_err unused;
  if (!a || !b) return false;
  char *bare = sdn_copy_text(a, &unused);
  if (!bare) return strcmp(a, b) == 0;
  char *bracket = strrchr(bare, '[');
  if (stat(a, &x) != 0 && bracket) *bracket = '\0';
  const bool there_a = stat(bare, &x) == 0, there_b = stat(b, &y) == 0;
  const bool same = there_a && there_b ? x.st_dev == y.st_dev && x.st_ino == y.st_ino : same_place(bare, b);
  sdn_release(bare);
  return same;
}

sdn_status sdn_check_output(const char *output, size_t n, const char *const *input, sdn_err *err)
{
  for (size_t i = 0; i < n; i++)
    if (sdn_same_file(input[i], output))
      return sdn_fail(err, SDN_USAGE, "output %s is also read, as %s, and would be replaced; choose another name", output, input[i]);
  return SDN_OK;
}

/* The roots of shipped data in the order in which they are asked; absent ones are NULL. */
static void data_roots(const char *root[3])
{
  root[0] = getenv("SEDNA_DATA");
  if (root[0] && !root[0][0]) root[0] = NULL;
#ifdef SDN_INSTALL_DATA_DIR
  root[1] = SDN_INSTALL_DATA_DIR;
#else
  root[1] = NULL;
#endif
#ifdef SDN_SOURCE_DATA_DIR
  root[2] = SDN_SOURCE_DATA_DIR;
#else
  root[2] = NULL;
#endif
}

/* The shipped file of this kind whose name is nearest; false: none is near. */
static bool nearest_shipped(const char *kind, const char *name, char *near, size_t size)
{
  const char *root[3];
  bool found = false;
  data_roots(root);
  for (int i = 0; i < 3 && !found; i++) {
    char folder[4096], listed[64][128];
    const char *candidate[64];
    size_t n = 0;
    DIR *files = NULL;
    if (root[i] && snprintf(folder, sizeof folder, "%s/%s", root[i], kind) < (int)sizeof folder) files = opendir(folder);
    if (!files) continue;
    for (struct dirent *entry = readdir(files); entry && n < 64; entry = readdir(files)) {
      if (entry->d_name[0] == '.' || strlen(entry->d_name) >= sizeof listed[n]) continue;
      snprintf(listed[n], sizeof listed[n], "%.127s", entry->d_name);
      candidate[n] = listed[n];
      n++;
    }
    closedir(files);
    const char *match = sdn_nearest(name, candidate, n);
    if (match) snprintf(near, size, "%s", match);
    found = match != NULL;
  }
  return found;
}

char *sdn_data_path(const char *kind, const char *name, sdn_err *err)
{
  const char *root[3];
  char looked[512] = "";
  data_roots(root);
  for (int i = 0; i < 3; i++) {
    if (!root[i]) continue;
    char *folder = join(root[i], "/", kind, err);
    char *path = folder ? join(folder, "/", name, err) : NULL;
    sdn_release(folder);
    if (!path) return NULL;
    if (sdn_file_exists(path)) return path;
    sdn_release(path);
    const size_t used = strlen(looked);
    snprintf(looked + used, sizeof looked - used, "%s%s/%s", used ? ", " : "", root[i], kind);
  }
  char near[160];
  const bool is_near = nearest_shipped(kind, name, near, sizeof near);
  sdn_fail(err, SDN_USAGE, "there is no shipped file '%s' in %s%s%s%s; mend the name, or set SEDNA_DATA to the folder that holds %s/", name,
           looked[0] ? looked : "any data folder (none is known)", is_near ? " (did you mean " : "", is_near ? near : "", is_near ? "?)" : "", kind);
  return NULL;
}

char *sdn_named_file(const char *kind, const char *ending, const char *name, sdn_err *err)
{
  const size_t n = strlen(name), n_ending = strlen(ending);
  const bool has_ending = n > n_ending && !strcmp(name + n - n_ending, ending);
  const bool bare = n > 0 && !strchr(name, '/') && (has_ending || !strchr(name, '.'));
  if (!bare || sdn_file_exists(name)) return sdn_copy_text(name, err);
  char *file = join(name, "", has_ending ? "" : ending, err);
  char *path = file ? sdn_data_path(kind, file, err) : NULL;
  sdn_release(file);
  return path;
}

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

uint64_t sdn_hash_bytes(const void *bytes, size_t n, uint64_t seed)
{
  const unsigned char *b = bytes;
  uint64_t hash = seed ? seed : FNV_BASIS;
  for (size_t i = 0; i < n; i++) hash = (hash ^ b[i]) * FNV_PRIME;
  return hash;
}

sdn_status sdn_hash_file(const char *path, uint64_t *hash, sdn_err *err)
{
  unsigned char buffer[1 << 15];
  FILE *file = fopen(path, "rb");
  if (!file) return sdn_fail(err, SDN_IO, "cannot read %s: %s", path, strerror(errno));
  uint64_t sum = FNV_BASIS;
  size_t n;
  while ((n = fread(buffer, 1, sizeof buffer, file)) > 0) sum = sdn_hash_bytes(buffer, n, sum);
  const bool failed = ferror(file) != 0;
  fclose(file);
  if (failed) return sdn_fail(err, SDN_IO, "cannot read %s to its end: %s", path, strerror(errno));
  *hash = sum;
  return SDN_OK;
}
