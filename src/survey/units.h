/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a catalogue's numbers to ours: which columns a survey reads, in which unit, and what there means "not observed". */
#ifndef SDN_SURVEY_UNITS_H
#define SDN_SURVEY_UNITS_H

#include "base/error.h"

/* What one band of one catalogue row is. */
typedef enum sdn_band_state {
  SDN_BAND_OBSERVED,    /* flux and error are usable */
  SDN_BAND_MISSING,     /* flux NaN or infinite, or flux or error equal to a missing_value of the survey */
  SDN_BAND_BAD_ERROR,   /* there is a flux, but its error is NaN, infinite, zero or negative (or not a float32 in nJy) */
  SDN_BAND_ABSURD       /* the flux is a number, but no float32 in nJy */
} sdn_band_state;

/* One flux and error as the catalogue lists them -> nJy, zero point applied. Magnitudes (flux_unit AB_mag) become fluxes, and a magnitude error
 * dm the flux error f * 0.4 ln(10) * dm. f_nJy and s_nJy are NaN unless the band is SDN_BAND_OBSERVED. */
sdn_band_state sdn_survey_to_njy(const sdn_survey *s, int band, double flux, double error, double *f_nJy, double *s_nJy);

/* The unit of a band's numbers inside sedna: nJy of filters and pixels, others of lines (physics/observable.h). */
const char *sdn_survey_band_unit(const sdn_survey *s, int band);
/* The spectrum that a band is a pixel of, or -1. */
int sdn_survey_band_spectrum(const sdn_survey *s, int band);

/* Names of the catalogue's columns, "{band}" already replaced by the band's name. Owned by s. */
const char *sdn_survey_flux_column(const sdn_survey *s, int band);
const char *sdn_survey_error_column(const sdn_survey *s, int band);
/* Where a band's number stands in a column that holds a whole spectrum: value *element of *width; false (0 of 1): the column holds this band alone. */
bool sdn_survey_flux_element(const sdn_survey *s, int band, int *element, int *width);
bool sdn_survey_error_element(const sdn_survey *s, int band, int *element, int *width);
const char *sdn_survey_id_column(const sdn_survey *s);          /* NULL: the survey names none */
const char *sdn_survey_redshift_column(const sdn_survey *s);    /* NULL: the survey names none */
/* Whether a number is one of the survey's missing_values (or NaN): for the redshift column, say. */
bool sdn_survey_is_missing_value(const sdn_survey *s, double value);

/* Range of background errors sigma0 [nJy] that the survey draws in a band: what a network trained on it has seen. */
void sdn_survey_sigma_range(const sdn_survey *s, int band, double *low_nJy, double *median_nJy, double *high_nJy);
/* The background error [nJy] behind a listed error sigma of a band whose noisy flux is f, as the likelihood takes it (see likelihood.c);
 * where it cannot be known (error_column: max) the listed error itself. */
double sdn_survey_background_sigma(const sdn_survey *s, int band, double f_nJy, double sigma_nJy);

#endif
