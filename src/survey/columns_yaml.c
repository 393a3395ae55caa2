/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: units, and what the catalogue's columns are called. */
#include <stdio.h>
#include <string.h>

#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define AB_ZERO_NJY 3.6307805477010137e12   /* 10^(0.4 * 31.4): flux density of AB magnitude 0 (Oke & Gunn 1983: m = -2.5 log f_nu[cgs] - 48.6) */
#define LONGEST_NAME 64                     /* output columns are made of band names */

/* nJy per unit; of f_lambda: nJy Hz, times A^2 / (A/s) by who knows the pixel */
static const struct unit { const char *name; double njy; bool magnitude, per_A; } units[] = {
  {"nJy", 1, false, false}, {"uJy", 1e3, false, false}, {"mJy", 1e6, false, false}, {"Jy", 1e9, false, false}, {"erg/s/cm2/Hz", 1e32, false, false},
  {"W/m2/Hz", 1e35, false, false}, {"AB_mag", AB_ZERO_NJY, true, false}, {"erg/s/cm2/A", 1e32, false, true}, {"1e-20 erg/s/cm2/A", 1e12, false, true},
};

sdn_status sdn_survey_parse_unit(const sdn_yaml *map, double *to_njy, bool *magnitude, bool *per_A, sdn_err *err)
{
  const char *names[COUNT(units)], *unit = NULL;
  if (sdn_yaml_text(map, "flux_unit", true, &unit, err)) return err->status;
  for (size_t i = 0; i < COUNT(units); i++) {
    names[i] = units[i].name;
    if (strcmp(unit, units[i].name)) continue;
    *to_njy = units[i].njy;
    *magnitude = units[i].magnitude;
    *per_A = units[i].per_A;
    return SDN_OK;
  }
  const char *nearest = sdn_nearest(unit, names, COUNT(names));
  return sdn_yaml_fail(sdn_yaml_get(map, "flux_unit"), err,
                       "flux_unit '%s' is not known%s%s%s; the units are nJy, uJy, mJy, Jy, erg/s/cm2/Hz, W/m2/Hz, AB_mag, and for spectra erg/s/cm2/A, 1e-20 erg/s/cm2/A", unit,
                       nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
}

static sdn_status copy_optional(const sdn_yaml *map, const char *key, char **out, sdn_err *err)
{
  const char *text = NULL;
  if (sdn_yaml_text(map, key, false, &text, err)) return err->status;
  return text && !(*out = sdn_copy_text(text, err)) ? err->status : SDN_OK;
}

static sdn_status parse_columns(const sdn_yaml *root, sdn_survey *s, sdn_survey_shared *shared, sdn_err *err)
{
  static const char *const keys[] = {"id", "redshift", "flux", "error"};
  const sdn_yaml *columns = sdn_yaml_get(root, "columns");
  shared->flux = "FLUX_{band}";
  shared->error = "FLUXERR_{band}";
  if (!columns) return SDN_OK;
  if (columns->kind != SDN_YAML_MAP) return sdn_yaml_fail(columns, err, "columns is a map such as {id: ID, flux: \"FLUX_{band}\", error: \"FLUXERR_{band}\"}");
  if (sdn_yaml_only_keys(columns, keys, COUNT(keys), err)) return err->status;
  if (copy_optional(columns, "id", &s->id_column, err)) return err->status;
  if (copy_optional(columns, "redshift", &s->redshift_column, err)) return err->status;
  for (size_t k = 2; k < COUNT(keys); k++) {
    const char **text = k == 2 ? &shared->flux : &shared->error;
    if (sdn_yaml_text(columns, keys[k], false, text, err)) return err->status;
    if (!strstr(*text, "{band}"))
      return sdn_yaml_fail(columns, err, "columns: %s is '%s', which is the same column for every band; put {band} where the band's name goes", keys[k], *text);
  }
  return SDN_OK;
}

sdn_status sdn_survey_parse_shared(const sdn_yaml *root, bool required, sdn_survey *s, sdn_survey_shared *shared, sdn_err *err)
{
  bool per_A = false;
  *shared = (sdn_survey_shared){.to_njy = 1};
  if ((required || sdn_yaml_get(root, "flux_unit")) && sdn_survey_parse_unit(root, &shared->to_njy, &shared->magnitude, &per_A, err)) return err->status;
  if (per_A) return sdn_yaml_fail(sdn_yaml_get(root, "flux_unit"), err, "flux_unit of f_lambda belongs to a spectrum; bands are flux densities per frequency");
  return parse_columns(root, s, shared, err);
}

sdn_status sdn_survey_add_bands(sdn_survey *s, int n, sdn_err *err)
{
  sdn_band *band = sdn_alloc((size_t)(s->n_band + n), sizeof *band, "the bands of a survey", err);
  if (!band) return err->status;
  if (s->n_band) memcpy(band, s->band, (size_t)s->n_band * sizeof *band);
  for (int b = s->n_band; b < s->n_band + n; b++)
    band[b] = (sdn_band){.to_njy = 1, .spectrum = -1, .floor_fraction = s->floor_fraction, .poisson_njy = s->poisson_njy};
  sdn_release(s->band);
  s->band = band;
  s->n_band += n;
  return SDN_OK;
}

/* pattern with every mark replaced */
static char *column_name(const char *pattern, const sdn_band_name *band, sdn_err *err)
{
  char name[1024], number[16];
  snprintf(number, sizeof number, "%04d", band->pixel + 1);
  const struct { const char *mark, *text; } part[] = {{"{band}", band->name}, {"{spectrum}", band->spectrum}, {"{pixel}", band->spectrum ? number : NULL}};
  size_t n = 0;
  for (const char *c = pattern; *c && n + LONGEST_NAME + 1 < sizeof name;) {
    size_t k = 0;
    while (k < COUNT(part) && !(part[k].text && !strncmp(c, part[k].mark, strlen(part[k].mark)))) k++;
    if (k == COUNT(part)) {
      name[n++] = *c++;
      continue;
    }
    n += (size_t)snprintf(name + n, sizeof name - n, "%s", part[k].text);
    c += strlen(part[k].mark);
  }
  return sdn_copy_text_n(name, n, err);
}

/* A spectrum's column that is the same for all pixels is a vector of them. */
static sdn_status set_column(const sdn_yaml *map, const char *key, const char *pattern, const sdn_band_name *band, char **out, bool *is_vector, sdn_err *err)
{
  if (sdn_yaml_text(map, key, false, &pattern, err)) return err->status;
  *is_vector = band->spectrum && !strstr(pattern, "{band}") && !strstr(pattern, "{pixel}");
  return (*out = column_name(pattern, band, err)) ? SDN_OK : err->status;
}

sdn_status sdn_survey_name_band(const sdn_yaml *map, sdn_survey *s, int b, const sdn_band_name *name, const sdn_survey_shared *shared, sdn_err *err)
{
  sdn_band *band = &s->band[b];
  if (!*name->name || strlen(name->name) > LONGEST_NAME) return sdn_yaml_fail(map, err, "the name of band %d must have 1 to %d characters", b + 1, LONGEST_NAME);
  for (int i = 0; i < b; i++)
    if (s->band[i].name && !strcmp(s->band[i].name, name->name)) return sdn_yaml_fail(map, err, "two bands are named %s; names must differ", name->name);
  if (!(band->name = sdn_copy_text(name->name, err))) return err->status;
  if (set_column(map, "flux", shared->flux, name, &band->flux_column, &band->flux_is_vector, err)) return err->status;
  return set_column(map, "error", shared->error, name, &band->error_column, &band->error_is_vector, err);
}
