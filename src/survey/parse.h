/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of survey.yaml's parts, each of a topic of its own. */
#ifndef SDN_SURVEY_PARSE_H
#define SDN_SURVEY_PARSE_H

#include "base/yaml.h"
#include "survey/survey.h"

/* An optional number that must lie within [low, high]; *out keeps its value when the key is absent. */
sdn_status sdn_survey_number(const sdn_yaml *map, const char *key, double low, double high, double *out, sdn_err *err);

/* ------------------------------------------------------------------ columns and units: columns_yaml.c */

/* What all bands share unless they say otherwise. */
typedef struct sdn_survey_shared { double to_njy; bool magnitude; const char *flux, *error; } sdn_survey_shared;   /* flux, error: patterns of columns' names */
/* flux_unit and columns; `required`: whether flux_unit must be there. */
sdn_status sdn_survey_parse_shared(const sdn_yaml *root, bool required, sdn_survey *s, sdn_survey_shared *shared, sdn_err *err);
/* A flux_unit's nJy; erg/s/cm2/A and its like are of f_lambda: *per_A, to be multiplied with low_A high_A / c. */
sdn_status sdn_survey_parse_unit(const sdn_yaml *map, double *to_njy, bool *magnitude, bool *per_A, sdn_err *err);
/* Room for n more bands, all zero but for what the survey says of every band. */
sdn_status sdn_survey_add_bands(sdn_survey *s, int n, sdn_err *err);
/* Names band b, which must be new, and its columns from the map's own patterns or the shared ones: {band} becomes the name, {spectrum} and {pixel} the parts that a
 * pixel's name is made of (spectrum NULL: it is none). A spectrum's pattern without {band} and {pixel} names one column that holds all its pixels. */
typedef struct sdn_band_name { const char *name, *spectrum; int pixel; } sdn_band_name;
sdn_status sdn_survey_name_band(const sdn_yaml *map, sdn_survey *s, int b, const sdn_band_name *name, const sdn_survey_shared *shared, sdn_err *err);

/* ------------------------------------------------------------------ depths: sigma_yaml.c */

/* Background errors given by `key`: a number, {low, high} or {quantiles}, in units of `unit` nJy. name: of what, for messages. */
sdn_status sdn_survey_parse_sigma(const sdn_yaml *map, const char *key, const char *name, double unit, sdn_sigma *sigma, sdn_err *err);
/* By sigma_njy, or by depth_ab_mag and depth_n_sigma. */
sdn_status sdn_survey_parse_background(const sdn_yaml *map, const char *name, sdn_sigma *sigma, sdn_err *err);
/* From values [n] in nJy, ascending; node: for messages. */
sdn_status sdn_survey_set_sigma(const sdn_yaml *node, const char *name, size_t n, const double *value, sdn_sigma *sigma, sdn_err *err);
sdn_status sdn_survey_low_high(const sdn_yaml *map, double out[2], sdn_err *err);

/* ------------------------------------------------------------------ the lists */

/* bands, spectra, lines: each an optional list of maps; shared keys before. */
sdn_status sdn_survey_parse_bands(const sdn_yaml *root, const sdn_survey_shared *shared, sdn_survey *s, sdn_err *err);
sdn_status sdn_survey_parse_spectra(const sdn_yaml *root, const sdn_survey_shared *shared, sdn_survey *s, sdn_err *err);
sdn_status sdn_survey_parse_lines(const sdn_yaml *root, const sdn_survey_shared *shared, sdn_survey *s, sdn_err *err);
/* data: numbers of any simulator, instead of all others. */
sdn_status sdn_survey_parse_data(const sdn_yaml *root, const sdn_survey_shared *shared, sdn_survey *s, sdn_err *err);
/* missing: {drop_fraction, patterns}, after the bands. */
sdn_status sdn_survey_parse_masks(const sdn_yaml *root, sdn_survey *s, sdn_err *err);
/* The text of the survey file `path` with the relative paths of its own filters and other files made whole; *text is replaced. err SDN_USAGE: one is nowhere
 * to be found. */
sdn_status sdn_survey_place_filters(const char *path, char **text, sdn_err *err);

/* Columns of numbers in a text file, '#' comments: *out [n_column][*n], freed by sdn_release. node: of the YAML that names it, for messages. */
sdn_status sdn_survey_number_file(const sdn_yaml *node, const char *path, int n_column, double **out, size_t *n, sdn_err *err);

#endif
