/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Readers of survey.yaml's parts, each of a topic of its own. */
#ifndef SDN_SURVEY_PARSE_H
#define SDN_SURVEY_PARSE_H

#include "base/yaml.h"
#include "survey/survey.h"

/* An optional number that must lie within [low, high]; *out keeps its value when the key is absent. */
sdn_status sdn_survey_number(const sdn_yaml *map, const char *key, double low, double high, double *out, sdn_err *err);
/* bands: the list of maps, columns and units included. */
sdn_status sdn_survey_parse_bands(const sdn_yaml *root, sdn_survey *s, sdn_err *err);
/* missing: {drop_fraction, patterns}, after the bands. */
sdn_status sdn_survey_parse_masks(const sdn_yaml *root, sdn_survey *s, sdn_err *err);
/* The text of the survey file `path` with its own filters' relative paths made whole; *text is replaced. err SDN_USAGE: a filter is nowhere to be found. */
sdn_status sdn_survey_place_filters(const char *path, char **text, sdn_err *err);

#endif
