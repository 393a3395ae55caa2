/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: missing: {drop_fraction: , patterns: [{fraction: , bands: [..]}]}. */
#include <string.h>

#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define FRACTION_ROUNDING 1e-9   /* by which fractions written in decimals may sum to more than 1 */

/* A band's name, or a spectrum's for all its pixels: *first and how many; 0: neither. */
static int find_bands(const sdn_survey *s, const char *name, int *first)
{
  for (*first = 0; *first < s->n_band; ++*first)
    if (!strcmp(s->band[*first].name, name)) return 1;
  for (int k = 0; k < s->n_spectrum; k++) {
    *first = s->spectrum[k].first;
    if (!strcmp(s->spectrum[k].name, name)) return s->spectrum[k].n;
  }
  return 0;
}

static sdn_status unknown_band(const sdn_yaml *node, const sdn_survey *s, sdn_err *err)
{
  const char *names[2 * SDN_SURVEY_MAX_BAND];   /* no more spectra than bands */
  for (int b = 0; b < s->n_band; b++) names[b] = s->band[b].name;
  for (int k = 0; k < s->n_spectrum; k++) names[s->n_band + k] = s->spectrum[k].name;
  const char *nearest = sdn_nearest(node->text, names, (size_t)(s->n_band + s->n_spectrum));
  return sdn_yaml_fail(node, err, "a pattern of missing bands names '%s', which is no band of this survey%s%s%s", node->text,
                       nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
}

static sdn_status parse_pattern(const sdn_yaml *map, const sdn_survey *s, sdn_mask_pattern *pattern, sdn_err *err)
{
  static const char *const keys[] = {"fraction", "bands"};
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "a pattern is a map such as {fraction: 0.2, bands: [F335M, F410M]}");
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err)) return err->status;
  if (sdn_yaml_number(map, "fraction", true, &pattern->fraction, err)) return err->status;
  if (sdn_survey_number(map, "fraction", 0, 1, &pattern->fraction, err)) return err->status;
  const sdn_yaml *bands = sdn_yaml_get(map, "bands");
  if (!bands || bands->kind != SDN_YAML_LIST) return sdn_yaml_fail(map, err, "a pattern needs bands: the list of the names of those missing together");
  int n_missing = 0;
  for (size_t i = 0; i < bands->n; i++) {
    const sdn_yaml *node = bands->item[i];
    if (node->kind != SDN_YAML_SCALAR) return sdn_yaml_fail(node, err, "a pattern's bands are names");
    int first;
    const int n = find_bands(s, node->text, &first);
    if (n == 0) return unknown_band(node, s, err);
    for (int b = first; b < first + n; b++) {
      n_missing += !pattern->missing[b];
      pattern->missing[b] = true;
    }
  }
  if (n_missing == s->n_band) return sdn_yaml_fail(map, err, "a pattern leaves no band at all; a galaxy without data cannot be learnt from");
  return SDN_OK;
}

static sdn_status parse_patterns(const sdn_yaml *list, sdn_survey *s, sdn_err *err)
{
  if (list->kind != SDN_YAML_LIST) return sdn_yaml_fail(list, err, "patterns is a list such as [{fraction: 0.2, bands: [F335M, F410M]}]");
  if (list->n > SDN_SURVEY_MAX_PATTERN)
    return sdn_yaml_fail(list, err, "at most %d patterns of missing bands are possible, not %zu", SDN_SURVEY_MAX_PATTERN, list->n);
  s->pattern = sdn_alloc(list->n, sizeof *s->pattern, "patterns of missing bands", err);
  if (!s->pattern) return err->status;
  double sum = 0;
  for (size_t p = 0; p < list->n; p++) {
    if (parse_pattern(list->item[p], s, &s->pattern[p], err)) return err->status;
    sum += s->pattern[p].fraction;
  }
  if (!(sum <= 1 + FRACTION_ROUNDING))
    return sdn_yaml_fail(list, err, "the fractions of the patterns sum to %g; a galaxy has at most one pattern, so they cannot exceed 1", sum);
  s->n_pattern = (int)list->n;
  return SDN_OK;
}

sdn_status sdn_survey_parse_masks(const sdn_yaml *root, sdn_survey *s, sdn_err *err)
{
  static const char *const keys[] = {"drop_fraction", "patterns"};
  const sdn_yaml *missing = sdn_yaml_get(root, "missing");
  if (!missing) return SDN_OK;
  if (missing->kind != SDN_YAML_MAP) return sdn_yaml_fail(missing, err, "missing is a map such as {drop_fraction: 0.1}");
  if (sdn_yaml_only_keys(missing, keys, COUNT(keys), err)) return err->status;
  if (sdn_survey_number(missing, "drop_fraction", 0, 0.99, &s->drop_fraction, err)) return err->status;
  const sdn_yaml *patterns = sdn_yaml_get(missing, "patterns");
  return patterns ? parse_patterns(patterns, s, err) : SDN_OK;
}
