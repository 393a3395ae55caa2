/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables of rows and named columns, read and written in blocks so that memory does not grow with their length.
 * Formats by extension and magic: FITS binary table (.fits, .fit, .fits.gz read only; "file.fits[2]" or "[NAME]" picks an HDU, otherwise the first
 * table), CSV (.csv: header line, quotes as RFC 4180; empty field, "nan", "null", "--" are NaN), ECSV (.ecsv: astropy's YAML header is read for
 * delimiter and units, the rest as CSV), HDF5 (.h5, .hdf5: one dataset per column in the root or in the first group that holds any).
 * FITS: TNULL integers, masked and non-finite values read as NaN; TSCAL/TZERO applied; big- or little-endian by CFITSIO.
 * A column may hold several numbers per row, a spectrum say: FITS arrays of fixed length (TDIM is flattened), HDF5 datasets of two dimensions, ECSV with
 * subtype TYPE[N] (JSON lists; null is NaN). */
#ifndef SDN_BASE_TABLE_H
#define SDN_BASE_TABLE_H

#include "base/memory.h"

typedef struct sdn_table_in sdn_table_in;
sdn_status sdn_table_open(const char *path, sdn_table_in **t, sdn_err *err);
void sdn_table_close(sdn_table_in *t);
long sdn_table_n_row(const sdn_table_in *t);
int sdn_table_n_column(const sdn_table_in *t);
const char *sdn_table_column(const sdn_table_in *t, int i);
const char *sdn_table_unit(const sdn_table_in *t, int i);                /* "" if unknown */
bool sdn_table_is_text(const sdn_table_in *t, int i);
int sdn_table_width(const sdn_table_in *t, int i);                       /* numbers per row: 1, or more in a vector column */
/* Exact name, or the only one that differs in case alone; -1 with err SDN_USAGE naming file, the missing column and the nearest. */
int sdn_table_find(const sdn_table_in *t, const char *name, sdn_err *err);
/* Rows row0..row0+n-1 of n_col scalar columns as numbers: out [n][n_col]. Rows are read in increasing order (CSV seeks only forward).
 * err SDN_FORMAT: a field is not a number (file, line or row, column, the text), or the file ends early. */
sdn_status sdn_table_read(sdn_table_in *t, long row0, long n, int n_col, const int *col, double *out, sdn_err *err);
/* The same of columns of any width: column k's sdn_table_width values stand side by side, behind those of the columns before it: out [n][sum of widths]. */
sdn_status sdn_table_read_wide(sdn_table_in *t, long row0, long n, int n_col, const int *col, double *out, sdn_err *err);
/* One column as text, whatever its type: out [n] pointers into *block (sdn_release it). Integers print without a decimal point. */
sdn_status sdn_table_read_text(sdn_table_in *t, long row0, long n, int col, char ***out, sdn_err *err);

typedef enum sdn_column_kind { SDN_COLUMN_DOUBLE, SDN_COLUMN_FLOAT, SDN_COLUMN_LONG, SDN_COLUMN_TEXT } sdn_column_kind;
typedef struct sdn_column {
  char name[72], unit[32], description[128];
  sdn_column_kind kind;
  int width;                 /* characters of a text column */
} sdn_column;
typedef struct sdn_table_out sdn_table_out;
/* Written to PATH.part; nothing has the final name until sdn_table_finish. meta: n_meta pairs (keyword <= 8 characters, value of any length)
 * put into the FITS header (long values by CONTINUE), ECSV meta, CSV comment lines, HDF5 attributes. */
typedef struct sdn_meta { const char *key, *value; } sdn_meta;
sdn_status sdn_table_create(const char *path, int n_col, const sdn_column *col, int n_meta, const sdn_meta *meta, sdn_table_out **t, sdn_err *err);
/* Append n rows: numbers [n][n_col] (ignored for text columns; NaN in a LONG column is written as null), texts [n][n_text] in column order or NULL. */
sdn_status sdn_table_append(sdn_table_out *t, long n, const double *numbers, const char *const *texts, sdn_err *err);
sdn_status sdn_table_finish(sdn_table_out *t, sdn_err *err);    /* closes, renames; t is gone whatever the status */
void sdn_table_abandon(sdn_table_out *t);                       /* closes, removes the part file */
/* A header value by key, "" if absent (FITS keyword, ECSV meta, CSV "# key: value" line, HDF5 attribute); freed by sdn_release. */
sdn_status sdn_table_meta(sdn_table_in *t, const char *key, char **value, sdn_err *err);

#endif
