/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What base/table.c asks of a format, and what it gives to all of them. */
#ifndef SDN_BASE_TABLE_INTERNAL_H
#define SDN_BASE_TABLE_INTERNAL_H

#include "base/table.h"
#include "base/text.h"

#define SDN_TABLE_FORMATS ".fits, .csv, .ecsv, .h5 (or .hdf5)"

#define SDN_TABLE_MAX_WIDTH 1000000   /* numbers per row of a vector column */

/* ------------------------------------------------------------------ reading */

typedef struct sdn_column_in {
  const char *name, *unit;
  bool text;
  int width;                   /* numbers per row, at least 1 */
  const char *unreadable;      /* NULL, or why its values are no numbers or texts: "holds bits" */
} sdn_column_in;

/* A format's own part. Columns and rows are within bounds when these are called, and readable. read: values of one row side by side, each column's width of them;
 * read_text: columns of width 1 only. */
typedef struct sdn_table_reader {
  sdn_status (*read)(sdn_table_in *t, long row0, long n, int n_col, const int *col, double *out, sdn_err *err);
  sdn_status (*read_text)(sdn_table_in *t, long row0, long n, int col, char ***out, sdn_err *err);
  sdn_status (*meta)(sdn_table_in *t, const char *key, char **value, sdn_err *err);
  void (*close)(void *self);
} sdn_table_reader;

struct sdn_table_in {
  const sdn_table_reader *reader;
  void *self;                  /* the format's; closed by reader->close, NULL is legal */
  char *path;
  sdn_arena *names;            /* all texts of the columns */
  long n_row;
  int n_column;
  sdn_column_in *column;       /* [n_column] */
};

/* Each fills reader, self, n_row and the columns of a new table. On failure table.c closes what is there. */
sdn_status sdn_table_open_fits(sdn_table_in *t, const char *path, const char *hdu, sdn_err *err);
sdn_status sdn_table_open_csv(sdn_table_in *t, const char *path, bool ecsv, sdn_err *err);
sdn_status sdn_table_open_h5(sdn_table_in *t, const char *path, sdn_err *err);

sdn_status sdn_table_set_columns(sdn_table_in *t, size_t n, sdn_err *err);
int sdn_table_sum_width(const sdn_table_in *t, int n_col, const int *col);
int sdn_table_most_width(const sdn_table_in *t, int n_col, const int *col);
const char *sdn_table_keep(sdn_table_in *t, const char *text, size_t n, sdn_err *err);   /* lives as long as t; NULL on failure */

/* A cell as a number: blank, nan, null and -- are NaN, inf and infinity (with sign) infinite. False: it is none. */
bool sdn_table_number(const char *text, size_t n, double *value);
/* n texts, each closed by its 0, one after the other in `text`, made into one block of pointers and characters. */
sdn_status sdn_table_text_block(const sdn_text *text, long n, char ***out, sdn_err *err);

/* ------------------------------------------------------------------ writing */

typedef struct sdn_table_writer {
  sdn_status (*append)(sdn_table_out *t, long n, const double *numbers, const char *const *texts, sdn_err *err);
  sdn_status (*close)(void *self, sdn_err *err);   /* always frees self */
} sdn_table_writer;

struct sdn_table_out {
  const sdn_table_writer *writer;
  void *self;
  char *path, *part;
  int n_column, n_text;
  sdn_column *column;          /* [n_column] */
  long n_row;
};

/* Each makes t->part, writes its head, and sets writer and self. On failure self is NULL or can be closed. */
sdn_status sdn_table_create_fits(sdn_table_out *t, int n_meta, const sdn_meta *meta, sdn_err *err);
sdn_status sdn_table_create_csv(sdn_table_out *t, bool ecsv, int n_meta, const sdn_meta *meta, sdn_err *err);
sdn_status sdn_table_create_h5(sdn_table_out *t, int n_meta, const sdn_meta *meta, sdn_err *err);

/* A header value on one line: as it is where that is possible, otherwise as a JSON string in double quotes (line ends, leading or
 * trailing blanks, quotes in front; with `ascii` also everything outside 0x20..0x7e). */
void sdn_table_add_value(sdn_text *t, const char *value, bool ascii);
void sdn_table_add_quoted(sdn_text *t, const char *value, bool ascii);   /* a JSON string in any case */
/* The reverse, in place: a value that is a whole JSON string is read as one, any other is left alone. */
void sdn_table_plain_value(char *value);

#endif
