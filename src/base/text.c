/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"

static bool reserve(sdn_text *t, size_t extra)
{
  if (t->failed) return false;
  if (t->n + extra + 1 <= t->capacity) return true;
  size_t capacity = 2 * (t->n + extra + 1);
  char *data = realloc(t->data, capacity);
  if (!data) {
    t->failed = true;
    return false;
  }
  t->data = data;
  t->capacity = capacity;
  return true;
}

void sdn_text_add_bytes(sdn_text *t, const char *bytes, size_t n)
{
  if (!reserve(t, n)) return;
  memcpy(t->data + t->n, bytes, n);
  t->n += n;
  t->data[t->n] = 0;
}

void sdn_text_add(sdn_text *t, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  int n = vsnprintf(NULL, 0, fmt, args);
  va_end(args);
  if (n < 0) t->failed = true;
  if (n < 0 || !reserve(t, (size_t)n)) return;
  va_start(args, fmt);
  vsnprintf(t->data + t->n, (size_t)n + 1, fmt, args);
  va_end(args);
  t->n += (size_t)n;
}

void sdn_text_add_json_string(sdn_text *t, const char *value)
{
  sdn_text_add_bytes(t, "\"", 1);
  for (const unsigned char *c = (const unsigned char *)value; *c; c++) {
    if (*c == '"' || *c == '\\') sdn_text_add(t, "\\%c", *c);
    else if (*c < 0x20 || *c == '<') sdn_text_add(t, "\\u%04x", *c);
    else sdn_text_add_bytes(t, (const char *)c, 1);
  }
  sdn_text_add_bytes(t, "\"", 1);
}

void sdn_text_add_json_number(sdn_text *t, double value, int digits)
{
  if (isfinite(value)) sdn_text_add(t, "%.*g", digits, value);
  else sdn_text_add(t, "null");
}

void sdn_text_add_json_numbers(sdn_text *t, long n, const double *value, int digits)
{
  sdn_text_add(t, "[");
  for (long i = 0; i < n; i++) {
    if (i) sdn_text_add(t, ",");
    sdn_text_add_json_number(t, value[i], digits);
  }
  sdn_text_add(t, "]");
}

void sdn_text_add_html(sdn_text *t, const char *value)
{
  for (const char *c = value; *c; c++) {
    switch (*c) {
    case '&': sdn_text_add(t, "&amp;"); break;
    case '<': sdn_text_add(t, "&lt;"); break;
    case '>': sdn_text_add(t, "&gt;"); break;
    case '"': sdn_text_add(t, "&quot;"); break;
    default: sdn_text_add_bytes(t, c, 1);
    }
  }
}

sdn_status sdn_text_done(const sdn_text *t, sdn_err *err)
{
  return t->failed ? sdn_fail(err, SDN_MEMORY, "no memory for a text of more than %zu bytes", t->n) : SDN_OK;
}

sdn_status sdn_text_write(const sdn_text *t, const char *path, sdn_err *err)
{
  if (sdn_text_done(t, err) != SDN_OK) return err->status;
  char *part = sdn_part_name(path, err);
  if (!part) return err->status;
  sdn_status status = SDN_OK;
  FILE *f = fopen(part, "wb");
  if (!f) {
    status = sdn_fail(err, SDN_IO, "cannot write %s: %s", path, strerror(errno));
  } else {
    bool whole = fwrite(t->data ? t->data : "", 1, t->n, f) == t->n;
    whole = fclose(f) == 0 && whole;
    if (!whole) {
      status = sdn_fail(err, SDN_IO, "cannot write %s: %s", path, strerror(errno));
      remove(part);
    } else {
      status = sdn_part_finish(part, path, err);
    }
  }
  sdn_release(part);
  return status;
}

void sdn_text_free(sdn_text *t)
{
  free(t->data);
  memset(t, 0, sizeof *t);
}
