/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: lines: [{name, line, kind, sigma, unit, ...}]: emission lines as data. */
#include <stdio.h>
#include <string.h>

#include "physics/observable_line.h"
#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define SOLAR_LUMINOSITY 3.828e33   /* erg/s (IAU 2015 resolution B3) */

typedef struct line_unit { const char *name; double value; } line_unit;   /* in the observable's own unit */
static const line_unit flux_units[] = {{"1e-20 erg/s/cm2", 1}, {"1e-18 erg/s/cm2", 1e2}, {"1e-17 erg/s/cm2", 1e3}, {"erg/s/cm2", 1e20}, {"W/m2", 1e23}};
static const line_unit luminosity_units[] = {{"1e40 erg/s", 1}, {"erg/s", 1e-40}, {"Lsun", SOLAR_LUMINOSITY * 1e-40}};
static const line_unit width_units[] = {{"Angstrom", 1}, {"nm", 10}};
static const struct line_kind { const char *name, *prefix; const line_unit *unit; size_t n_unit; } kinds[] = {
  {"flux", "line:", flux_units, COUNT(flux_units)}, {"luminosity", "line_luminosity:", luminosity_units, COUNT(luminosity_units)},
  {"ew", "line_ew:", width_units, COUNT(width_units)},
};

static sdn_status parse_kind(const sdn_yaml *map, const char *name, const struct line_kind **kind, double *unit, sdn_err *err)
{
  const char *text = kinds[0].name, *unit_name = NULL;
  size_t k = 0, u = 0;
  if (sdn_yaml_text(map, "kind", false, &text, err) || sdn_yaml_text(map, "unit", false, &unit_name, err)) return err->status;
  while (k < COUNT(kinds) && strcmp(kinds[k].name, text)) k++;
  if (k == COUNT(kinds)) return sdn_yaml_fail(map, err, "line %s: kind '%s' is not known; it is flux, luminosity or ew (rest-frame equivalent width)", name, text);
  *kind = &kinds[k];
  while (unit_name && u < kinds[k].n_unit && strcmp(kinds[k].unit[u].name, unit_name)) u++;
  if (u < kinds[k].n_unit) {
    *unit = kinds[k].unit[u].value;
    return SDN_OK;
  }
  char known[256] = "";
  for (size_t i = 0; i < kinds[k].n_unit; i++) {
    const size_t used = strlen(known);
    snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", kinds[k].unit[i].name);
  }
  return sdn_yaml_fail(map, err, "line %s: unit '%s' is not known for a %s; the units are %s", name, unit_name, kinds[k].name, known);
}

static sdn_status parse_line(const sdn_yaml *map, sdn_survey *s, int b, const sdn_survey_shared *shared, sdn_err *err)
{
  static const char *const keys[] = {"name", "line", "kind", "sigma", "unit", "floor_fraction", "column_floor_fraction", "flux", "error"};
  const char *name = NULL, *line = NULL;
  const struct line_kind *kind = NULL;
  char id[128];
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "each line is a map such as {name: Halpha, line: Halpha, kind: flux, sigma: 50}");
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err) || sdn_yaml_text(map, "name", true, &name, err) || sdn_yaml_text(map, "line", true, &line, err)) return err->status;
  if (sdn_survey_name_band(map, s, b, &(sdn_band_name){.name = name}, shared, err)) return err->status;
  sdn_band *band = &s->band[b];
  if (parse_kind(map, name, &kind, &band->to_njy, err)) return err->status;
  if (!sdn_line_is_name(line) || strlen(line) > 64)
    return sdn_yaml_fail(map, err, "line %s: '%s' names no line; write a usual name (Halpha), a grid's id or a vacuum wavelength, or several joined by +", name, line);
  snprintf(id, sizeof id, "%s%s", kind->prefix, line);
  if (!(band->filter = sdn_copy_text(id, err))) return err->status;
  band->poisson_njy = 0;   /* it is per nJy */
  const sdn_yaml *floor = sdn_yaml_get(map, "column_floor_fraction");
  if (floor && s->error_column == SDN_ERROR_COLUMN_NONE)
    return sdn_yaml_fail(floor, err, "line %s: column_floor_fraction has no meaning with the survey's error_column none", name);
  if (sdn_survey_number(map, "floor_fraction", 0, 1, &band->floor_fraction, err) || sdn_survey_number(map, "column_floor_fraction", 0, 1, &band->column_floor_fraction, err))
    return err->status;
  return sdn_survey_parse_sigma(map, "sigma", name, band->to_njy, &band->sigma, err);
}

sdn_status sdn_survey_parse_lines(const sdn_yaml *root, const sdn_survey_shared *shared, sdn_survey *s, sdn_err *err)
{
  const sdn_yaml *list = sdn_yaml_get(root, "lines");
  const int first = s->n_band;
  if (!list) return SDN_OK;
  if (list->kind != SDN_YAML_LIST || list->n < 1 || list->n > (size_t)(SDN_SURVEY_MAX_BAND - first))
    return sdn_yaml_fail(list, err, "lines is a list of maps, each with name, line, kind and sigma; bands, pixels and lines together are at most %d", SDN_SURVEY_MAX_BAND);
  if (sdn_survey_add_bands(s, (int)list->n, err)) return err->status;
  for (int i = 0; i < (int)list->n; i++)
    if (parse_line(list->item[i], s, first + i, shared, err)) return err->status;
  return SDN_OK;
}
