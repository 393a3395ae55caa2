/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: the top level and the noise model; bands and masks are read by their own files. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))

const char *sdn_survey_name(const sdn_survey *s) { return s->name; }
const char *sdn_survey_yaml(const sdn_survey *s) { return s->yaml; }
int sdn_survey_n_band(const sdn_survey *s) { return s->n_band; }
const char *sdn_survey_band_name(const sdn_survey *s, int band) { return s->band[band].name; }
const char *sdn_survey_band_filter(const sdn_survey *s, int band) { return s->band[band].filter; }

void sdn_survey_free(sdn_survey *s)
{
  if (!s) return;
  for (int b = 0; s->band && b < s->n_band; b++) {
    sdn_release(s->band[b].name);
    sdn_release(s->band[b].filter);
    sdn_release(s->band[b].flux_column);
    sdn_release(s->band[b].error_column);
  }
  sdn_release(s->band);
  for (int k = 0; s->spectrum && k < s->n_spectrum; k++) sdn_release(s->spectrum[k].name);
  sdn_release(s->spectrum);
  sdn_release(s->pattern);
  sdn_release(s->missing_value);
  sdn_release(s->id_column);
  sdn_release(s->redshift_column);
  sdn_release(s->name);
  sdn_release(s->yaml);
  sdn_release(s);
}

sdn_status sdn_survey_number(const sdn_yaml *map, const char *key, double low, double high, double *out, sdn_err *err)
{
  if (sdn_yaml_number(map, key, false, out, err)) return err->status;
  if (sdn_yaml_get(map, key) && !(*out >= low && *out <= high))
    return sdn_yaml_fail(sdn_yaml_get(map, key), err, "%s is %g, but must lie between %g and %g", key, *out, low, high);
  return SDN_OK;
}

/* How the catalogue made its error column. */
static sdn_status parse_error_column(const sdn_yaml *root, sdn_survey *s, sdn_err *err)
{
  static const char *const kinds[] = {"none", "quadrature", "max"};
  const char *kind = kinds[0];
  const sdn_yaml *node = sdn_yaml_get(root, "error_column"), *floor = sdn_yaml_get(root, "column_floor_fraction");
  if (sdn_yaml_text(root, "error_column", false, &kind, err)) return err->status;
  size_t i = 0;
  while (i < COUNT(kinds) && strcmp(kind, kinds[i])) i++;
  if (i == COUNT(kinds))
    return sdn_yaml_fail(node, err, "error_column '%s' is not known; it says how the catalogue's errors were made: none, quadrature or max", kind);
  s->error_column = (sdn_error_column)i;
  if (i == 0 && floor)
    return sdn_yaml_fail(floor, err, "column_floor_fraction has no meaning with error_column none; set error_column to quadrature or max, or drop the key");
  if (i > 0 && !floor)
    return sdn_yaml_fail(node, err, "error_column %s also needs column_floor_fraction, the fraction of the flux that the catalogue put into its errors", kind);
  return sdn_survey_number(root, "column_floor_fraction", 1e-6, 1, &s->column_floor_fraction, err);
}

static sdn_status parse_noise(const sdn_yaml *root, sdn_survey *s, sdn_err *err)
{
  s->sigma_correlation = 0.8;
  if (sdn_survey_number(root, "floor_fraction", 0, 1, &s->floor_fraction, err)) return err->status;
  if (sdn_survey_number(root, "poisson_njy", 0, 1e12, &s->poisson_njy, err)) return err->status;
  if (sdn_survey_number(root, "sigma_correlation", 0, SDN_SURVEY_MAX_CORRELATION, &s->sigma_correlation, err)) return err->status;
  return parse_error_column(root, s, err);
}

static sdn_status parse_root(const sdn_yaml *root, sdn_survey *s, sdn_err *err)
{
  static const char *const keys[] = {"name", "flux_unit", "missing_value", "floor_fraction", "poisson_njy", "error_column", "column_floor_fraction",
                                     "sigma_correlation", "missing", "columns", "bands", "spectra", "lines", "data"};
  const char *name = "";
  sdn_survey_shared shared;
  if (root->kind != SDN_YAML_MAP) return sdn_yaml_fail(root, err, "a survey is a map of keys such as name, flux_unit and bands");
  if (sdn_yaml_only_keys(root, keys, COUNT(keys), err)) return err->status;
  if (sdn_yaml_text(root, "name", true, &name, err)) return err->status;
  if (!(s->name = sdn_copy_text(name, err))) return err->status;
  if (sdn_yaml_numbers(root, "missing_value", false, &s->missing_value, &s->n_missing_value, err)) return err->status;
  if (parse_noise(root, s, err)) return err->status;
  if (sdn_survey_parse_shared(root, sdn_yaml_get(root, "bands") || !(sdn_yaml_get(root, "lines") || sdn_yaml_get(root, "data")), s, &shared, err)) return err->status;
  if (sdn_survey_parse_bands(root, &shared, s, err) || sdn_survey_parse_spectra(root, &shared, s, err) || sdn_survey_parse_lines(root, &shared, s, err)) return err->status;
  if (sdn_survey_parse_data(root, &shared, s, err)) return err->status;
  for (int b = 0; b < s->n_band; b++) s->varies = s->varies || !s->band[b].sigma.constant;
  return sdn_survey_parse_masks(root, s, err);
}

sdn_status sdn_survey_parse(const char *yaml, const char *origin, sdn_survey **survey, sdn_err *err)
{
  sdn_yaml *root = NULL;
  *survey = NULL;
  sdn_survey *s = sdn_alloc(1, sizeof *s, "a survey", err);
  if (!s) return err->status;
  if (!(s->yaml = sdn_copy_text(yaml, err))) goto done;
  if (sdn_yaml_parse(yaml, origin, &root, err)) goto done;
  if (parse_root(root, s, err)) goto done;
  *survey = s;
  s = NULL;
done:
  sdn_yaml_free(root);
  sdn_survey_free(s);
  return *survey ? SDN_OK : err->status;
}

sdn_status sdn_survey_read(const char *path, sdn_survey **survey, sdn_err *err)
{
  char *file = NULL, *text = NULL;
  *survey = NULL;
  if (!(file = sdn_named_file("surveys", ".yaml", path, err))) return err->status;
  sdn_status status = sdn_read_text_file(file, &text, err);
  if (status == SDN_OK) status = sdn_survey_place_filters(file, &text, err);
  if (status == SDN_OK) status = sdn_survey_parse(text, file, survey, err);
  sdn_release(text);
  sdn_release(file);
  return status;
}
