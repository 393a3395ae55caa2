/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/scratch.h"

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[256];
static pid_t owner;

static void remove_folder(void)
{
  char path[600];
  DIR *d = getpid() == owner ? opendir(folder) : NULL;   /* a forked child leaves its parent's files alone */
  if (!d) return;
  for (struct dirent *e; (e = readdir(d));) {
    snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
    if (e->d_name[0] != '.') unlink(path);
  }
  closedir(d);
  rmdir(folder);
}

const char *scratch_file(const char *name)
{
  static char path[8][600];
  static int turn;
  if (!folder[0]) {
    const char *base = getenv("TMPDIR");
    snprintf(folder, sizeof folder, "%s/sedna-test-XXXXXX", base && base[0] ? base : "/tmp");
    if (!mkdtemp(folder)) abort();
    owner = getpid();
    atexit(remove_folder);
  }
  turn = (turn + 1) % 8;
  snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
  return path[turn];
}

const char *scratch_write(const char *name, const void *bytes, size_t n)
{
  const char *path = scratch_file(name);
  FILE *file = fopen(path, "wb");
  if (!file || fwrite(bytes, 1, n, file) != n || fclose(file) != 0) abort();
  return path;
}

const char *scratch_write_text(const char *name, const char *text) { return scratch_write(name, text, strlen(text)); }

unsigned char *scratch_read(const char *path, size_t *n)
{
  struct stat info;
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  if (fstat(fileno(file), &info) != 0) abort();
  unsigned char *bytes = malloc((size_t)info.st_size + 1);
  if (!bytes) abort();
  *n = fread(bytes, 1, (size_t)info.st_size, file);
  bytes[*n] = 0;
  fclose(file);
  return bytes;
}

bool scratch_exists(const char *path)
{
  struct stat info;
  return stat(path, &info) == 0;
}

void scratch_limit_file_size(long bytes)
{
  struct rlimit limit;
  if (getrlimit(RLIMIT_FSIZE, &limit) != 0) abort();
  signal(SIGXFSZ, SIG_IGN);
  limit.rlim_cur = bytes > 0 ? (rlim_t)bytes : limit.rlim_max;
  if (setrlimit(RLIMIT_FSIZE, &limit) != 0) abort();
}
