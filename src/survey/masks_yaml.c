/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: missing: {drop_fraction: , patterns: [{fraction: , bands: [..]}]}. */
#include <string.h>

#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define FRACTION_ROUNDING 1e-9   /* by which fractions written in decimals may sum to more than 1 */

static int find_band(const sdn_survey *s, const char *name)
{
  for (int b = 0; b < s->n_band; b++)
    if (!strcmp(s->band[b].name, name)) return b;
  return -1;
}

static sdn_status unknown_band(const sdn_yaml *node, const sdn_survey *s, sdn_err *err)
{
  const char *names[SDN_SURVEY_MAX_BAND];
  for (int b = 0; b < s->n_band; b++) names[b] = s->band[b].name;
  const char *nearest = sdn_nearest(node->text, names, (size_t)s->n_band);
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
    const int b = find_band(s, node->text);
    if (b < 0) return unknown_band(node, s, err);
    n_missing += !pattern->missing[b];
    pattern->missing[b] = true;
  }
  if (n_missing == s->n_band) return sdn_yaml_fail(map, err, "a pattern leaves no band at all; a galaxy without data cannot be learnt from");
  return SDN_OK;
}

static sdn_status parse_patterns(const sdn_yaml *list, sdn_survey *s, sdn_err *err)
{
  if (list->kind != SDN_YAML_LIST) return sdn_yaml_fail(list, err, "patterns is a list such as [{fraction: 0.2, bands: [F335M, F410M]}]");
  if (list->n > SDN_SURVEY_MAX_BAND)
    return sdn_yaml_fail(list, err, "at most %d patterns of missing bands are possible, not %zu", SDN_SURVEY_MAX_BAND, list->n);
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
