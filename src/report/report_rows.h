/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A result table as the report sees it: quantities with quantiles, bands with data and predictions, and rows of both. */
#ifndef SDN_REPORT_REPORT_ROWS_H
#define SDN_REPORT_REPORT_ROWS_H

#include "base/table.h"

#define SDN_REPORT_MAX_QUANTITY 96
#define SDN_REPORT_MAX_BAND 128

/* Columns of the median and of the interval's ends (-1: none): the quantiles nearest to 16 and 84 % that the table has, and which they are. */
typedef struct sdn_report_quantity { char name[64], unit[32]; int q16, q50, q84; double low_percent, high_percent; } sdn_report_quantity;
typedef struct sdn_report_band { char name[64]; double pivot_A; int flux, sigma, pred_q16, pred_q50, pred_q84; } sdn_report_band;

typedef struct sdn_report_table {
  sdn_table_in *table;
  long n;
  int n_quantity, n_band;
  sdn_report_quantity quantity[SDN_REPORT_MAX_QUANTITY];
  sdn_report_band band[SDN_REPORT_MAX_BAND];
  int id, z_spec, redshift, flags;      /* columns (redshift: a quantity); -1: the table has none */
} sdn_report_table;

/* err SDN_FORMAT when the table has no NAME_q50 columns: no result of sedna's, or one without medians. Closed by sdn_report_table_close. */
sdn_status sdn_report_table_open(const char *path, sdn_report_table *t, sdn_err *err);
void sdn_report_table_close(sdn_report_table *t);
/* Chosen rows (ascending) with all columns: number [n_rows][n_column] (text columns NaN), id [n_rows], one block for sdn_release. Opens the table anew,
 * since some formats are read forward only. */
sdn_status sdn_report_rows_read(const char *path, int n_rows, const long *row, double **number, char ***id, sdn_err *err);

#endif
