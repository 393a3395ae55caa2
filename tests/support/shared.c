/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/shared.h"

#include <stdio.h>
#include <stdlib.h>

bool shared_path(const char *name, char *path, size_t n)
{
  const char *root = getenv("SEDNA_SHARED");
  const int length = snprintf(path, n, "%s/data/%s", root ? root : "../shared", name);
  FILE *f = length > 0 && (size_t)length < n ? fopen(path, "rb") : NULL;
  if (f) fclose(f);
  return f != NULL;
}
