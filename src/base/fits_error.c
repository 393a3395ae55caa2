/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/fits_error.h"

#include <stdarg.h>
#include <string.h>

static sdn_status meaning(int fits_status)
{
  switch (fits_status) {
  case MEMORY_ALLOCATION: return SDN_MEMORY;
  case FILE_NOT_OPENED:
  case FILE_NOT_CREATED:
  case WRITE_ERROR:
  case FILE_NOT_CLOSED: return SDN_IO;
  default: return SDN_FORMAT;   /* READ_ERROR too: it is what CFITSIO says of a file that ends early */
  }
}

sdn_status sdn_fits_fail(const char *path, int fits_status, sdn_err *err, const char *fmt, ...)
{
  char sentence[500], words[FLEN_STATUS] = "", message[FLEN_ERRMSG] = "";
  va_list args;
  va_start(args, fmt);
  vsnprintf(sentence, sizeof sentence, fmt, args);
  va_end(args);
  fits_get_errstatus(fits_status, words);
  fits_read_errmsg(message);   /* the first message is the one nearest to the cause */
  fits_clear_errmsg();
  for (char *c = message; *c; c++)
    if (*c < ' ' || *c > '~') *c = '?';   /* it may quote a damaged header */
  return sdn_fail(err, meaning(fits_status), "%s: %s (CFITSIO %d: %s%s%s)", path, sentence, fits_status, words, message[0] ? "; " : "", message);
}

char *sdn_fits_name(const char *path, sdn_err *err)
{
  const size_t n = strlen(path);
  if (n + 3 > FLEN_FILENAME) {
    sdn_fail(err, SDN_USAGE, "%s: the name of a FITS file can have %d characters at most", path, FLEN_FILENAME - 3);
    return NULL;
  }
  const char *folder = path[0] == '/' ? "" : "./";
  char *name = sdn_alloc(n + 3, 1, "a file name", err);
  if (name) snprintf(name, n + 3, "%s%s", folder, path);
  return name;
}
