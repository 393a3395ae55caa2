/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A catalogue as a survey reads it: block by block, in nJy, with what is wrong with each row said by flags. */
#ifndef SDN_INFER_CATALOGUE_H
#define SDN_INFER_CATALOGUE_H

#include "base/table.h"

/* A column of the catalogue that goes into the result: its name, unit, kind and width there. Kinds are found by reading the whole column once:
 * whole numbers below 2^53 are LONG, other numbers DOUBLE, anything else TEXT as wide as its longest entry. */
typedef struct sdn_carried {
  int source;            /* column of the catalogue; -1: the row number, counted from 0 */
  int at;                /* where in a row's numbers it is, or -1 */
  sdn_table_in *text;    /* the file once more, for a column carried as text: each handle reads its rows in order; else NULL */
  sdn_column column;
} sdn_carried;

typedef struct sdn_catalogue {
  const sdn_survey *survey;
  sdn_table_in *table;
  long n_row;
  int n_band;
  int n_column, *column;         /* columns read as numbers: those with flux and error of the bands, then those below */
  int n_number;                  /* their numbers in one row: as many as columns, and more where a column holds a whole spectrum */
  int *at_flux, *at_error;       /* [n_band] where in a row's numbers a band's are */
  int at_redshift, at_fix;       /* where the spectroscopic redshift and the --fix column are, or -1 */
  int n_carried;                 /* the first is the id */
  sdn_carried *carried;
  double *buffer;                /* [n_block][n_number] */
  long n_block;
} sdn_catalogue;

/* Rows row0 .. row0+n-1. */
typedef struct sdn_rows {
  long row0, n;
  float *flux_nJy, *sigma_nJy;   /* [n][n_band]; NaN in both where the band is not used */
  double *z_spec, *fix;          /* [n]; NaN where unknown */
  double *number;                /* [n][n_carried] */
  char ***text;                  /* [n_carried]: NULL, or [n] */
  int *n_used;                   /* [n] bands used */
  uint32_t *flags;               /* [n] SDN_FLAG_NO_DATA, SDN_FLAG_BAD_ERROR, SDN_FLAG_OUT_OF_RANGE */
} sdn_rows;

typedef struct sdn_catalogue_request {
  const char *path;
  const char *fix_column;        /* or NULL */
  const char *copy;              /* columns to carry, separated by commas, or NULL */
  long n_block;                  /* most rows of one read */
} sdn_catalogue_request;

/* err SDN_USAGE: columns that the survey, --fix or --copy names are not in the file, all of them named; a vector column has not as many values as its spectrum
 * has pixels; SDN_FORMAT, SDN_IO from the file. */
sdn_status sdn_catalogue_open(const sdn_catalogue_request *request, const sdn_survey *survey, sdn_catalogue **c, sdn_err *err);
void sdn_catalogue_close(sdn_catalogue *c);
sdn_status sdn_rows_new(const sdn_catalogue *c, sdn_rows **rows, sdn_err *err);
void sdn_rows_free(const sdn_catalogue *c, sdn_rows *rows);
/* Blocks come in order: row0 is 0, then row0 + n of the block before. n <= n_block. */
sdn_status sdn_catalogue_read(sdn_catalogue *c, long row0, long n, sdn_rows *rows, sdn_err *err);

#endif
