/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The file of sedna fit --samples as the report sees it: the draws of one row, and the pixels of its spectra. */
#ifndef SDN_REPORT_DRAWS_H
#define SDN_REPORT_DRAWS_H

#include "base/h5.h"
#include "base/text.h"

typedef struct sdn_report_draws {
  sdn_h5 *file;                 /* NULL: none */
  long n_draw; int n_free;
  char **name; size_t n_name;
  float *theta;                 /* [n_draw][n_free] of the row read last */
  long n_pixel, n_value;        /* 0: the survey has no spectra */
  char **spectrum; size_t n_spectrum;
  double *wave_A;               /* [n_pixel] */
  int64_t *of_spectrum;         /* [n_pixel] */
  float *pixel;                 /* [n_pixel][n_value] of the row read last: flux, sigma, quantiles of the prediction */
} sdn_report_draws;

/* n_row: of the result that it must belong to. Closed by sdn_report_draws_close, also after a failure. */
sdn_status sdn_report_draws_open(const char *path, long n_row, sdn_report_draws *d, sdn_err *err);
void sdn_report_draws_close(sdn_report_draws *d);
sdn_status sdn_report_draws_read(sdn_report_draws *d, long row, sdn_err *err);
/* Adds `,"low":..,"high":..,"histogram":[..]` of a parameter's finite draws; nothing where it has none of that name, or all are alike. */
void sdn_report_draws_histogram(const sdn_report_draws *d, const char *name, sdn_text *json);
/* Adds `,"spectra":[{"name":..,"wave":[um],"flux":[..],"sigma":[..],"q16":[..],"q50":[..],"q84":[..]}]`, nJy; nothing where there are none. */
void sdn_report_draws_spectra(const sdn_report_draws *d, sdn_text *json);

#endif
