/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The columns of a result file, in order:
 *   id, copied columns, [z_spec], n_band, flags,
 *   per quantity NAME_q16 ... (the quantiles asked for), NAME_mean, NAME_std; for the redshift its 95 % interval too, and redshift_peak;
 *   [per band BAND_flux, BAND_sigma, BAND_pred_q16, BAND_pred_q50, BAND_pred_q84 in the band's unit, then chi2_min].
 * Pixels of spectra are bands too, but have no columns of their own (FITS allows 999 in all): they stand in the samples file (samples.h), and chi2_min counts them.
 * Quantities: the primary parameters, then derived ones. All numbers of a row stand in one array of doubles, [n_column]. */
#ifndef SDN_INFER_LAYOUT_H
#define SDN_INFER_LAYOUT_H

#include "infer/catalogue.h"
#include "infer/engine.h"
#include "infer/quantiles.h"

typedef enum sdn_derived_choice { SDN_DERIVED_NONE, SDN_DERIVED_SFH, SDN_DERIVED_ALL } sdn_derived_choice;

#define SDN_N_PREDICTED 3                                   /* quantiles of predicted fluxes */
extern const double sdn_predicted_p[SDN_N_PREDICTED];

typedef struct sdn_layout {
  int n_quantile; double p[SDN_MAX_QUANTILE];               /* of every quantity but the redshift */
  int n_redshift_p; double redshift_p[SDN_MAX_QUANTILE];    /* the same with 2.5 and 97.5 % */
  bool has_redshift;                                        /* the first primary is the redshift */
  int n_primary, n_sfh, n_spectral;                         /* quantities: primary, derived from all draws, derived from the first n_predict draws */
  int n_band, n_pixel;                                      /* n_pixel: those without columns */
  long n_predict;                                           /* draws with predicted photometry; 0: no band columns */
  int n_column;
  sdn_column *column;
  int at_z_spec, at_n_band, at_flags, at_quantity, at_band, at_chi2;   /* -1: absent */
} sdn_layout;

typedef struct sdn_layout_request {
  const char *quantiles;
  const char *derived;          /* none | sfh | all */
  long n_spectral, n_draw;       /* n_spectral beyond n_draw means all draws */
} sdn_layout_request;

/* err SDN_USAGE: bad quantiles, an unknown choice, or two columns of one name (a copied one that is called like a result). */
sdn_status sdn_layout_new(const sdn_layout_request *request, const sdn_engine *e, const sdn_catalogue *c, sdn_layout **columns, sdn_err *err);
void sdn_layout_free(sdn_layout *columns);
bool sdn_layout_shows(const sdn_engine *e, int band);   /* whether a band has columns */
/* Where quantity q's numbers begin in a row. */
int sdn_layout_at(const sdn_layout *columns, int quantity);
/* The quantity's numbers from its draws x [n], which are rearranged; non-finite draws are left out. n = 0: NaN. */
void sdn_layout_summarise(const sdn_layout *columns, int quantity, long n, double *x, double *row);

#endif
