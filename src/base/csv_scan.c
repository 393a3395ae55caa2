/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/csv_scan.h"

#include <errno.h>
#include <string.h>

#include "base/memory.h"

#define MAX_RECORD ((size_t)16 << 20)
#define MAX_FIELD 1000000    /* columns */

/* Slides what is unread to the front and reads on behind it. False at the end of the file (or when it cannot be read). */
static bool refill(sdn_csv *c)
{
  c->n -= c->at;
  memmove(c->buffer, c->buffer + c->at, c->n);
  c->at = 0;
  const size_t got = fread(c->buffer + c->n, 1, sizeof c->buffer - c->n, c->file);
  c->n += got;
  c->loaded += (long long)got;
  return got > 0;
}

/* The next character without taking it, -1 at the end. */
static int peek(sdn_csv *c)
{
  if (c->at == c->n && !refill(c)) return -1;
  return c->buffer[c->at];
}

static bool is_blank(const sdn_csv *c, int ch) { return ch == ' ' || (ch == '\t' && c->delimiter != '\t'); }
static bool is_line_end(int ch) { return ch == '\n' || ch == '\r' || ch < 0; }
static bool is_field_end(const sdn_csv *c, int ch)
{
  return is_line_end(ch) || (c->delimiter == ' ' ? is_blank(c, ch) : ch == (unsigned char)c->delimiter);
}

/* LF, CR LF or a lone CR. */
static void take_line_end(sdn_csv *c)
{
  const int ch = peek(c);
  if (ch < 0) return;
  c->at++;
  if (ch == '\r' && peek(c) == '\n') c->at++;
  c->line++;
}

static void skip_blanks(sdn_csv *c)
{
  while (is_blank(c, peek(c))) c->at++;
}

static sdn_status complain(const sdn_csv *c, sdn_err *err, long line, const char *what)
{
  return sdn_fail(err, SDN_FORMAT, "%s: line %ld: %s", c->path, line, what);
}

sdn_status sdn_csv_open(const char *path, sdn_csv **csv, sdn_err *err)
{
  *csv = NULL;
  sdn_csv *c = sdn_alloc(1, sizeof *c, "a reader of text tables", err);
  if (!c) return err->status;
  c->path = path;
  c->delimiter = ',';
  c->line = 1;
  c->file = fopen(path, "rb");
  if (!c->file) {
    sdn_fail(err, SDN_IO, "cannot read %s: %s", path, strerror(errno));
    sdn_release(c);
    return err->status;
  }
  refill(c);
  if (c->n >= 3 && memcmp(c->buffer, "\357\273\277", 3) == 0) c->at = 3;
  *csv = c;
  return SDN_OK;
}

void sdn_csv_close(sdn_csv *c)
{
  if (!c) return;
  fclose(c->file);
  sdn_text_free(&c->text);
  sdn_release(c->field);
  sdn_release(c);
}

sdn_csv_place sdn_csv_here(const sdn_csv *c)
{
  return (sdn_csv_place){.offset = c->loaded - (long long)(c->n - c->at), .line = c->line};
}

sdn_status sdn_csv_go(sdn_csv *c, sdn_csv_place place, sdn_err *err)
{
  if (fseeko(c->file, (off_t)place.offset, SEEK_SET) != 0)
    return sdn_fail(err, SDN_IO, "cannot read %s from byte %lld on: %s", c->path, place.offset, strerror(errno));
  c->at = c->n = 0;
  c->loaded = place.offset;
  c->line = place.line;
  return SDN_OK;
}

char sdn_csv_peek(sdn_csv *c, const char *set)
{
  refill(c);
  for (size_t i = c->at; i < c->n && !is_line_end(c->buffer[i]); i++)
    if (c->buffer[i] && strchr(set, c->buffer[i])) return (char)c->buffer[i];
  return 0;
}

static sdn_status take_comment(sdn_csv *c, sdn_err *err)
{
  int ch;
  c->at++;   /* the '#' */
  for (; !is_line_end(ch = peek(c)); c->at++) {
    const char byte = (char)ch;
    if (c->comments) sdn_text_add_bytes(c->comments, &byte, 1);
  }
  if (c->comments) sdn_text_add_bytes(c->comments, "\n", 1);
  if (c->comments && c->comments->n > MAX_RECORD) return complain(c, err, c->line, "more than 16 MiB of comments before the first column name");
  return SDN_OK;
}

sdn_status sdn_csv_skip(sdn_csv *c, bool *end, sdn_err *err)
{
  for (;;) {
    skip_blanks(c);
    const int ch = peek(c);
    *end = ch < 0;
    if (*end && ferror(c->file)) return sdn_fail(err, SDN_IO, "cannot read %s: %s", c->path, strerror(errno));
    if (ch == '#' && take_comment(c, err)) return err->status;
    if (ch != '#' && (ch < 0 || !is_line_end(ch))) return SDN_OK;
    take_line_end(c);
  }
}

/* Appends what lies between two places of the buffer. */
static void keep(sdn_csv *c, size_t from, size_t to) { sdn_text_add_bytes(&c->text, (const char *)c->buffer + from, to - from); }

/* A field in quotes; "" stands for one quote, line ends belong to the text. */
static sdn_status take_quoted(sdn_csv *c, sdn_err *err)
{
  const long first_line = c->line;
  c->at++;
  for (;;) {
    const int ch = peek(c);
    if (ch < 0) return complain(c, err, first_line, "a quote is opened here and never closed");
    c->at++;
    if (ch == '"' && peek(c) != '"') return SDN_OK;
    if (ch == '"') c->at++;
    if (ch == '\n') c->line++;
    const char byte = (char)ch;
    sdn_text_add_bytes(&c->text, &byte, 1);
    if (c->text.n > MAX_RECORD) return complain(c, err, first_line, "more than 16 MiB in one record; is a quote not closed?");
  }
}

static sdn_status take_plain(sdn_csv *c, sdn_err *err)
{
  for (;;) {
    if (peek(c) < 0) return SDN_OK;
    size_t end = c->at;
    while (end < c->n && !is_field_end(c, c->buffer[end])) end++;
    keep(c, c->at, end);
    c->at = end;
    if (c->text.n > MAX_RECORD) return complain(c, err, c->line, "more than 16 MiB in one record; is this a table?");
    if (end < c->n) return SDN_OK;
  }
}

static sdn_status new_field(sdn_csv *c, sdn_csv_field **field, sdn_err *err)
{
  if (c->n_field == c->room) {
    const size_t room = c->room ? 2 * c->room : 64;
    if (room > 2 * MAX_FIELD) return complain(c, err, c->record_line, "more than a million fields in one record; is this a table?");
    sdn_csv_field *larger = sdn_alloc(room, sizeof *larger, "the fields of a record", err);
    if (!larger) return err->status;
    if (c->n_field) memcpy(larger, c->field, c->n_field * sizeof *larger);
    sdn_release(c->field);
    c->field = larger;
    c->room = room;
  }
  *field = &c->field[c->n_field++];
  return SDN_OK;
}

/* One field and the blanks around it; its delimiter is left for the caller. */
static sdn_status take_field(sdn_csv *c, sdn_err *err)
{
  sdn_csv_field *f = NULL;
  if (new_field(c, &f, err)) return err->status;
  skip_blanks(c);
  *f = (sdn_csv_field){.start = c->text.n, .quoted = peek(c) == '"'};
  if (f->quoted ? take_quoted(c, err) : take_plain(c, err)) return err->status;
  if (c->text.failed) return sdn_text_done(&c->text, err);
  if (!f->quoted) {
    while (c->text.n > f->start && is_blank(c, c->text.data[c->text.n - 1])) c->text.n--;
  } else if (!is_field_end(c, peek(c)) && !is_blank(c, peek(c))) {
    return complain(c, err, c->line, "text follows a closing quote; a quote inside quotes is written twice");
  }
  f->n = c->text.n - f->start;
  if (f->n && memchr(c->text.data + f->start, '\0', f->n)) return complain(c, err, c->line, "a NUL byte: this is no UTF-8 text");
  sdn_text_add_bytes(&c->text, "", 1);
  skip_blanks(c);
  if (f->quoted && c->delimiter != ' ' && !is_field_end(c, peek(c)))
    return complain(c, err, c->line, "text follows a closing quote; a quote inside quotes is written twice");
  return SDN_OK;
}

sdn_status sdn_csv_next(sdn_csv *c, bool *end, sdn_err *err)
{
  c->n_field = 0;
  c->text.n = 0;
  if (sdn_csv_skip(c, end, err)) return err->status;
  if (*end) return SDN_OK;
  c->record_line = c->line;
  for (;;) {
    if (take_field(c, err)) return err->status;
    const int ch = peek(c);
    if (is_line_end(ch)) break;
    if (c->delimiter != ' ') c->at++;
  }
  if (ferror(c->file)) return sdn_fail(err, SDN_IO, "cannot read %s: %s", c->path, strerror(errno));
  take_line_end(c);
  return c->text.failed ? sdn_text_done(&c->text, err) : SDN_OK;
}

const char *sdn_csv_text(const sdn_csv *c, size_t field) { return c->text.data + c->field[field].start; }
