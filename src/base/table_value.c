/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Header values of any content on one line: plain where possible, otherwise a JSON string. */
#include "base/table_internal.h"

#include <string.h>

#define REPLACEMENT 0xfffdu   /* U+FFFD, for bytes that are no UTF-8 */

static bool needs_quotes(const char *value, bool ascii)
{
  const size_t n = strlen(value);
  if (n > 0 && (value[0] == '"' || value[0] == ' ' || value[n - 1] == ' ')) return true;
  for (const unsigned char *c = (const unsigned char *)value; *c; c++)
    if (*c < 0x20 || *c == 0x7f || (ascii && *c > 0x7e)) return true;
  return false;
}

/* The code point at *at, which moves behind it. */
static unsigned next_code(const unsigned char **at)
{
  const unsigned char *c = *at;
  const int n = c[0] < 0x80 ? 0 : c[0] >= 0xf0 && c[0] < 0xf8 ? 3 : c[0] >= 0xe0 ? 2 : c[0] >= 0xc2 ? 1 : -1;
  unsigned code = n <= 0 ? c[0] : c[0] & (0x3fu >> n);
  *at = c + 1;
  if (n < 0 || c[0] >= 0xf8) return REPLACEMENT;
  for (int i = 1; i <= n; i++) {
    if ((c[i] & 0xc0) != 0x80) return REPLACEMENT;
    code = code << 6 | (c[i] & 0x3f);
  }
  *at = c + n + 1;
  return code > 0x10ffff ? REPLACEMENT : code;
}

static char *put_utf8(char *out, unsigned code)
{
  static const unsigned lead[] = {0, 0xc0, 0xe0, 0xf0};
  const int n = code < 0x80 ? 0 : code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;   /* bytes that follow the first */
  *out++ = (char)(lead[n] | code >> (6 * n));
  for (int i = n - 1; i >= 0; i--) *out++ = (char)(0x80u | (code >> (6 * i) & 0x3fu));
  return out;
}

static void add_code(sdn_text *t, unsigned code, bool ascii)
{
  char utf8[4];
  if (code == '"' || code == '\\') sdn_text_add(t, "\\%c", (int)code);
  else if (code == '\n') sdn_text_add(t, "\\n");
  else if ((code >= 0x20 && code < 0x7f) || (code >= 0xa0 && !ascii)) sdn_text_add_bytes(t, utf8, (size_t)(put_utf8(utf8, code) - utf8));
  else if (code < 0x10000) sdn_text_add(t, "\\u%04x", code);
  else sdn_text_add(t, "\\u%04x\\u%04x", 0xd7c0 + (code >> 10), 0xdc00 + (code & 0x3ff));
}

void sdn_table_add_quoted(sdn_text *t, const char *value, bool ascii)
{
  sdn_text_add(t, "\"");
  for (const unsigned char *c = (const unsigned char *)value; *c;) add_code(t, next_code(&c), ascii);
  sdn_text_add(t, "\"");
}

void sdn_table_add_value(sdn_text *t, const char *value, bool ascii)
{
  if (needs_quotes(value, ascii)) sdn_table_add_quoted(t, value, ascii);
  else sdn_text_add_bytes(t, value, strlen(value));
}

static bool read_hex(const char *text, unsigned *code)
{
  *code = 0;
  for (int i = 0; i < 4; i++) {
    const char *digits = "0123456789abcdef0123456789ABCDEF", *at = text[i] ? strchr(digits, text[i]) : NULL;
    if (!at) return false;
    const unsigned place = (unsigned)(at - digits);
    *code = *code << 4 | (place < 16 ? place : place - 16);
  }
  return true;
}

/* One escape, *in behind its backslash. A UTF-8 form is never longer than the escape, so reading in place is safe. */
static bool read_escape(const char **in, char **out)
{
  static const char letters[] = "\"\\/nrtbf", meaning[] = "\"\\/\n\r\t\b\f";
  unsigned code, low;
  const char *at = **in ? strchr(letters, **in) : NULL;
  if (at) {
    *(*out)++ = meaning[at - letters];
    ++*in;
    return true;
  }
  if (**in != 'u' || !read_hex(*in + 1, &code) || code == 0) return false;
  *in += 5;
  if (code >= 0xd800 && code < 0xdc00 && (*in)[0] == '\\' && (*in)[1] == 'u' && read_hex(*in + 2, &low) && low >= 0xdc00 && low < 0xe000) {
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    *in += 6;
  }
  *out = put_utf8(*out, code);
  return true;
}

/* The JSON string that `value` is into `plain` (as long at least); false: it is none, or not a whole one. */
static bool read_string(const char *value, char *plain)
{
  const char *in = value + 1;
  if (value[0] != '"') return false;
  while (*in && *in != '"') {
    if (*in != '\\') *plain++ = *in++;
    else if (in++, !read_escape(&in, &plain)) return false;
  }
  *plain = '\0';
  return in[0] == '"' && in[1] == '\0';
}

void sdn_table_plain_value(char *value)
{
  sdn_err err;
  char *plain = value[0] == '"' ? sdn_alloc(strlen(value) + 1, 1, "a header value", &err) : NULL;
  if (plain && read_string(value, plain)) strcpy(value, plain);
  sdn_release(plain);
}
