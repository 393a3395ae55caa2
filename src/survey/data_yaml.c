/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: data that are neither bands nor pixels nor lines, of any simulator:
 *   data:
 *     - {name: x1, center: 0.3, scale: 1.2, log: false}             as they are: the simulator's noise is in them already
 *     - {name: x2, center: 0.3, scale: 1.2, sigma: 0.1}             free of noise; what a survey adds to a band's flux is added to them
 * center and scale say where the numbers lie (features.c); log: they are positive and span decades. sigma as sigma_njy of a band. */
#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

static sdn_status read_flag(const sdn_yaml *map, const char *key, bool *out, sdn_err *err)
{
  const char *text = *out ? "true" : "false";
  if (sdn_yaml_text(map, key, false, &text, err)) return err->status;
  *out = text[0] == 't';
  if (text[0] == 't' || text[0] == 'f') return SDN_OK;
  return sdn_yaml_fail(sdn_yaml_get(map, key), err, "%s is '%s', but must be true or false", key, text);
}

static sdn_status parse_datum(const sdn_yaml *map, sdn_survey *s, int b, const sdn_survey_shared *shared, sdn_err *err)
{
  static const char *const keys[] = {"name", "center", "scale", "log", "sigma", "flux", "error"};
  const char *name = NULL;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "each datum is a map such as {name: x1, center: 0, scale: 1}");
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err) || sdn_yaml_text(map, "name", true, &name, err)) return err->status;
  if (sdn_survey_name_band(map, s, b, &(sdn_band_name){.name = name}, shared, err)) return err->status;
  sdn_band *band = &s->band[b];
  band->plain = true;
  band->scale = 1;
  if (!(band->filter = sdn_copy_text("data", err))) return err->status;
  if (sdn_survey_number(map, "center", -1e30, 1e30, &band->center, err) || sdn_survey_number(map, "scale", 1e-30, 1e30, &band->scale, err)) return err->status;
  if (read_flag(map, "log", &band->log, err)) return err->status;
  if (band->log && !(band->center > 0)) return sdn_yaml_fail(map, err, "%s has log: true, so its center must be positive; it is %g", name, band->center);
  band->exact = !sdn_yaml_get(map, "sigma");
  if (!band->exact) return sdn_survey_parse_sigma(map, "sigma", name, 1, &band->sigma, err);
  const double one = 1;   /* a datum without error is listed with error 1 */
  return sdn_survey_set_sigma(map, name, 1, &one, &band->sigma, err);
}

sdn_status sdn_survey_parse_data(const sdn_yaml *root, const sdn_survey_shared *shared, sdn_survey *s, sdn_err *err)
{
  const sdn_yaml *data = sdn_yaml_get(root, "data");
  if (!data) return SDN_OK;
  if (sdn_yaml_get(root, "bands") || sdn_yaml_get(root, "spectra") || sdn_yaml_get(root, "lines"))
    return sdn_yaml_fail(data, err, "a survey has either data of any simulator, or bands, spectra and lines; give one of the two");
  if (data->kind != SDN_YAML_LIST || data->n < 1 || data->n > SDN_SURVEY_MAX_BAND)
    return sdn_yaml_fail(data, err, "data is a list of 1 to %d maps, each with a name, and center, scale, log, sigma as needed", SDN_SURVEY_MAX_BAND);
  if (s->error_column != SDN_ERROR_COLUMN_NONE) return sdn_yaml_fail(root, err, "error_column is about catalogues of fluxes; drop it");
  if (sdn_survey_add_bands(s, (int)data->n, err)) return err->status;
  for (int b = 0; b < s->n_band; b++)
    if (parse_datum(data->item[b], s, b, shared, err)) return err->status;
  s->plain = true;
  return SDN_OK;
}
