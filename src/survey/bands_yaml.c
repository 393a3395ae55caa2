/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: the bands that are filters. */
#include <math.h>

#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static sdn_status parse_band(const sdn_yaml *map, sdn_survey *s, int b, const sdn_survey_shared *shared, sdn_err *err)
{
  static const char *const keys[] = {"name", "filter", "sigma_njy", "depth_ab_mag", "depth_n_sigma", "flux", "error", "zero_point_mag"};
  const char *name = NULL, *filter = NULL;
  double zero_point = 0;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "each band is a map such as {name: F444W, filter: JWST/NIRCam.F444W, sigma_njy: 0.8}");
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err)) return err->status;
  if (sdn_yaml_text(map, "name", true, &name, err)) return err->status;
  if (sdn_survey_name_band(map, s, b, &(sdn_band_name){.name = name}, shared, err)) return err->status;
  sdn_band *band = &s->band[b];
  if (sdn_yaml_text(map, "filter", true, &filter, err)) return err->status;
  if (!(band->filter = sdn_copy_text(filter, err))) return err->status;
  if (sdn_survey_number(map, "zero_point_mag", -100, 100, &zero_point, err)) return err->status;
  band->to_njy = shared->to_njy * pow(10, -0.4 * zero_point);
  band->magnitude = shared->magnitude;
  band->column_floor_fraction = s->column_floor_fraction;
  return sdn_survey_parse_background(map, name, &band->sigma, err);
}

sdn_status sdn_survey_parse_bands(const sdn_yaml *root, const sdn_survey_shared *shared, sdn_survey *s, sdn_err *err)
{
  const sdn_yaml *bands = sdn_yaml_get(root, "bands");
  if (!bands && (sdn_yaml_get(root, "spectra") || sdn_yaml_get(root, "lines") || sdn_yaml_get(root, "data"))) return SDN_OK;
  if (!bands || bands->kind != SDN_YAML_LIST || bands->n < 1 || bands->n > SDN_SURVEY_MAX_BAND)
    return sdn_yaml_fail(bands ? bands : root, err, "a survey needs bands: a list of 1 to %d maps, each with name, filter and sigma_njy (or spectra, or lines)", SDN_SURVEY_MAX_BAND);
  if (sdn_survey_add_bands(s, (int)bands->n, err)) return err->status;
  for (int b = 0; b < s->n_band; b++)
    if (parse_band(bands->item[b], s, b, shared, err)) return err->status;
  return SDN_OK;
}
