/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Records of delimited text (RFC 4180, and ECSV's blanks), one at a time: memory holds the longest record, not the file. */
#ifndef SDN_BASE_CSV_SCAN_H
#define SDN_BASE_CSV_SCAN_H

#include <stdio.h>

#include "base/text.h"

#define SDN_CSV_BUFFER 65536

typedef struct sdn_csv_field { size_t start, n; bool quoted; } sdn_csv_field;

typedef struct sdn_csv {
  FILE *file;
  const char *path;            /* for messages */
  char delimiter;              /* ' ': any run of blanks and tabs */
  long long loaded;            /* file offset behind what the buffer holds */
  long line;                   /* of the next character, 1-based */
  sdn_text *comments;          /* where lines that begin with '#' go, "\n" at their ends; NULL: nowhere */
  long record_line;            /* where the last record began */
  sdn_text text;               /* its fields, each closed by its 0 */
  sdn_csv_field *field;        /* [n_field]; quotes and blanks around a field are taken off */
  size_t n_field, room;
  size_t at, n;                /* what is unread of the buffer */
  unsigned char buffer[SDN_CSV_BUFFER];
} sdn_csv;

typedef struct sdn_csv_place { long long offset; long line; } sdn_csv_place;

/* Opens at the first byte behind a byte order mark. Comma-delimited until told otherwise. The scanner is freed by sdn_csv_close. */
sdn_status sdn_csv_open(const char *path, sdn_csv **csv, sdn_err *err);
void sdn_csv_close(sdn_csv *c);
/* Go behind blank and comment lines to where a record begins; *end when the file ends first. */
sdn_status sdn_csv_skip(sdn_csv *c, bool *end, sdn_err *err);
/* Read one record; *end instead when there is none left. err SDN_FORMAT: a quote is never closed, text follows a closing quote, a NUL byte,
 * a record of more than 16 MiB. */
sdn_status sdn_csv_next(sdn_csv *c, bool *end, sdn_err *err);
const char *sdn_csv_text(const sdn_csv *c, size_t field);
/* Of the characters in `set`, the one that comes first in the line that is next, 0 if none does (the first 64 kB are looked at). */
char sdn_csv_peek(sdn_csv *c, const char *set);
sdn_csv_place sdn_csv_here(const sdn_csv *c);
sdn_status sdn_csv_go(sdn_csv *c, sdn_csv_place place, sdn_err *err);

#endif
