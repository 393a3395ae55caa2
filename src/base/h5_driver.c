/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/h5_driver.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#if H5_VERSION_GE(1, 13, 0)
#include <H5FDdevelop.h>
#endif

typedef struct driver_file {
  H5FD_t head;        /* HDF5's part; it must come first */
  int fd, trouble;
  haddr_t eoa, eof;   /* end of what HDF5 has given out; size of the file */
  dev_t device;
  ino_t inode;
} driver_file;

static _Thread_local int last_error;

void sdn_h5_driver_forget(void) { last_error = 0; }
int sdn_h5_driver_last(void) { return last_error; }

/* Against a second program that writes into the same file. A file system without locks is no obstacle. */
static bool lock_file(int fd)
{
  struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  return fcntl(fd, F_SETLK, &whole) == 0 || (errno != EAGAIN && errno != EACCES);
}

/* Its descriptor, -1 with errno. Emptied only once it is ours alone. */
static int open_descriptor(const char *name, unsigned flags, struct stat *info)
{
  const int how = (flags & H5F_ACC_RDWR ? O_RDWR : O_RDONLY) | (flags & H5F_ACC_CREAT ? O_CREAT : 0) | (flags & H5F_ACC_EXCL ? O_EXCL : 0);
  const int fd = open(name, how, 0666);
  if (fd < 0) return -1;
  bool good = !(flags & H5F_ACC_RDWR) || lock_file(fd);
  if (good && flags & H5F_ACC_TRUNC) good = ftruncate(fd, 0) == 0;
  if (good && fstat(fd, info) == 0) return fd;
  const int reason = errno;
  close(fd);
  errno = reason;
  return -1;
}

static H5FD_t *driver_open(const char *name, unsigned flags, hid_t fapl, haddr_t maxaddr)
{
  struct stat info;
  driver_file *f = calloc(1, sizeof *f);
  (void)fapl, (void)maxaddr;
  const int fd = f ? open_descriptor(name, flags, &info) : -1;
  if (fd < 0) {
    last_error = errno;
    free(f);
    return NULL;
  }
  f->fd = fd;
  f->eof = (haddr_t)info.st_size;
  f->device = info.st_dev;
  f->inode = info.st_ino;
  return &f->head;
}

static driver_file *of(const H5FD_t *file) { return (driver_file *)(size_t)file; }

static herr_t note(driver_file *f)
{
  if (!f->trouble) f->trouble = errno ? errno : EIO;
  return 0;
}

static herr_t driver_close(H5FD_t *file)
{
  driver_file *f = of(file);
  if (close(f->fd) != 0) note(f);
  last_error = f->trouble;
  free(f);
  return 0;
}

static int driver_cmp(const H5FD_t *a, const H5FD_t *b)
{
  const driver_file *x = of(a), *y = of(b);
  if (x->device != y->device) return x->device < y->device ? -1 : 1;
  return (x->inode > y->inode) - (x->inode < y->inode);
}

static herr_t driver_query(const H5FD_t *file, unsigned long *flags)
{
  (void)file;
  *flags = H5FD_FEAT_AGGREGATE_METADATA | H5FD_FEAT_ACCUMULATE_METADATA | H5FD_FEAT_DATA_SIEVE | H5FD_FEAT_AGGREGATE_SMALLDATA;
  return 0;
}

static haddr_t driver_get_eoa(const H5FD_t *file, H5FD_mem_t type)
{
  (void)type;
  return of(file)->eoa;
}

static herr_t driver_set_eoa(H5FD_t *file, H5FD_mem_t type, haddr_t address)
{
  (void)type;
  of(file)->eoa = address;
  return 0;
}

static haddr_t driver_get_eof(const H5FD_t *file, H5FD_mem_t type)
{
  (void)type;
  return of(file)->eof;
}

static herr_t driver_get_handle(H5FD_t *file, hid_t fapl, void **handle)
{
  (void)fapl;
  *handle = &of(file)->trouble;
  return 0;
}

static bool in_file(haddr_t address, size_t size) { return address <= LLONG_MAX && size <= LLONG_MAX - address; }

/* What lies beyond the end reads as zeros, as HDF5's own driver has it. */
static herr_t driver_read(H5FD_t *file, H5FD_mem_t type, hid_t dxpl, haddr_t address, size_t size, void *buffer)
{
  driver_file *f = of(file);
  char *at = buffer;
  (void)type, (void)dxpl;
  if (!in_file(address, size)) return -1;
  while (size > 0) {
    const ssize_t n = pread(f->fd, at, size < SSIZE_MAX / 2 ? size : SSIZE_MAX / 2, (off_t)address);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      note(f);
      return -1;
    }
    if (n == 0) break;
    at += n;
    size -= (size_t)n;
    address += (haddr_t)n;
  }
  memset(at, 0, size);
  return 0;
}

static herr_t driver_write(H5FD_t *file, H5FD_mem_t type, hid_t dxpl, haddr_t address, size_t size, const void *buffer)
{
  driver_file *f = of(file);
  const char *at = buffer;
  (void)type, (void)dxpl;
  if (!in_file(address, size)) return -1;
  while (size > 0 && !f->trouble) {
    const ssize_t n = pwrite(f->fd, at, size < SSIZE_MAX / 2 ? size : SSIZE_MAX / 2, (off_t)address);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return note(f);
    at += n;
    size -= (size_t)n;
    address += (haddr_t)n;
  }
  if (address + size > f->eof) f->eof = address + size;
  return 0;
}

static herr_t driver_truncate(H5FD_t *file, hid_t dxpl, hbool_t closing)
{
  driver_file *f = of(file);
  (void)dxpl, (void)closing;
  if (f->eoa == f->eof || f->trouble) return 0;
  if (ftruncate(f->fd, (off_t)f->eoa) != 0) return note(f);
  f->eof = f->eoa;
  return 0;
}

static hid_t driver = -1;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void register_driver(void)
{
  static const H5FD_class_t driver_class = {
#if H5_VERSION_GE(1, 13, 2)
      .version = H5FD_CLASS_VERSION,
      .value = (H5FD_class_value_t)600,   /* in the range that HDF5 leaves to applications */
#endif
      .name = "sedna",
      .maxaddr = (haddr_t)LLONG_MAX,
      .fc_degree = H5F_CLOSE_WEAK,
      .open = driver_open,
      .close = driver_close,
      .cmp = driver_cmp,
      .query = driver_query,
      .get_eoa = driver_get_eoa,
      .set_eoa = driver_set_eoa,
      .get_eof = driver_get_eof,
      .get_handle = driver_get_handle,
      .read = driver_read,
      .write = driver_write,
      .truncate = driver_truncate,
      .fl_map = H5FD_FLMAP_DICHOTOMY};
  driver = H5FDregister(&driver_class);
}

herr_t sdn_h5_driver_set(hid_t access_options)
{
  pthread_once(&once, register_driver);
  return driver < 0 ? -1 : H5Pset_driver(access_options, driver, NULL);
}

const int *sdn_h5_driver_trouble(hid_t file)
{
  static const int none = 0;
  void *handle = NULL;
  return H5Fget_vfd_handle(file, H5P_DEFAULT, &handle) >= 0 && handle ? handle : &none;
}
