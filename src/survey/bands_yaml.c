/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: bands, with their depths, columns and units. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define AB_ZERO_NJY 3.6307805477010137e12   /* 10^(0.4 * 31.4): flux density of AB magnitude 0 (Oke & Gunn 1983: m = -2.5 log f_nu[cgs] - 48.6) */
#define LEAST_SIGMA 1e-12                   /* nJy; background errors beyond these are slips of the unit, and keep float32 ratios finite */
#define LARGEST_SIGMA 1e15
#define LONGEST_NAME 64                     /* output columns are made of band names */

/* nJy per unit */
static const struct { const char *name; double njy; } units[] = {
  {"nJy", 1}, {"uJy", 1e3}, {"mJy", 1e6}, {"Jy", 1e9}, {"erg/s/cm2/Hz", 1e32}, {"W/m2/Hz", 1e35}, {"AB_mag", AB_ZERO_NJY},
};

/* What the bands share. */
typedef struct shared_keys { double to_njy; const char *flux, *error; } shared_keys;

static sdn_status parse_unit(const sdn_yaml *root, sdn_survey *s, double *to_njy, sdn_err *err)
{
  const char *names[COUNT(units)], *unit = NULL;
  if (sdn_yaml_text(root, "flux_unit", true, &unit, err)) return err->status;
  for (size_t i = 0; i < COUNT(units); i++) {
    names[i] = units[i].name;
    if (strcmp(unit, units[i].name)) continue;
    *to_njy = units[i].njy;
    s->magnitudes = !strcmp(unit, "AB_mag");
    return SDN_OK;
  }
  const char *nearest = sdn_nearest(unit, names, COUNT(names));
  return sdn_yaml_fail(sdn_yaml_get(root, "flux_unit"), err,
                       "flux_unit '%s' is not known%s%s%s; the units are nJy, uJy, mJy, Jy, erg/s/cm2/Hz, W/m2/Hz, AB_mag", unit,
                       nearest ? " (did you mean " : "", nearest ? nearest : "", nearest ? "?)" : "");
}

static sdn_status copy_optional(const sdn_yaml *map, const char *key, char **out, sdn_err *err)
{
  const char *text = NULL;
  if (sdn_yaml_text(map, key, false, &text, err)) return err->status;
  return text && !(*out = sdn_copy_text(text, err)) ? err->status : SDN_OK;
}

static sdn_status parse_columns(const sdn_yaml *root, sdn_survey *s, shared_keys *shared, sdn_err *err)
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

/* pattern with every {band} replaced */
static char *column_name(const char *pattern, const char *band, sdn_err *err)
{
  static const char mark[] = "{band}";
  char name[1024];
  size_t n = 0;
  for (const char *c = pattern; *c && n + strlen(band) + 1 < sizeof name;) {
    if (!strncmp(c, mark, sizeof mark - 1)) {
      memcpy(name + n, band, strlen(band));
      n += strlen(band);
      c += sizeof mark - 1;
    } else {
      name[n++] = *c++;
    }
  }
  return sdn_copy_text_n(name, n, err);
}

static sdn_status set_column(const sdn_yaml *map, const char *key, const char *pattern, const char *band, char **out, sdn_err *err)
{
  if (sdn_yaml_text(map, key, false, &pattern, err)) return err->status;
  return (*out = column_name(pattern, band, err)) ? SDN_OK : err->status;
}

/* value [n]: what the distribution is made of; checks that it is one. */
static sdn_status set_sigma(const sdn_yaml *node, sdn_band *band, size_t n, const double *value, sdn_err *err)
{
  if (n < 1 || n > 10000) return sdn_yaml_fail(node, err, "band %s: background errors are given by 1 to 10000 values, not %zu", band->name, n);
  for (size_t i = 0; i < n; i++) {
    if (!(value[i] >= LEAST_SIGMA && value[i] <= LARGEST_SIGMA))
      return sdn_yaml_fail(node, err, "band %s: a background error of %g nJy is not usable; it must lie between %g and %g nJy", band->name, value[i],
                           LEAST_SIGMA, LARGEST_SIGMA);
    if (i > 0 && value[i] < value[i - 1])
      return sdn_yaml_fail(node, err, "band %s: background errors must ascend, but %g nJy is followed by %g nJy", band->name, value[i - 1], value[i]);
  }
  sdn_sigma_set(&band->sigma, (int)n, value);
  return SDN_OK;
}

/* {low, high} -> two numbers */
static sdn_status parse_low_high(const sdn_yaml *map, double out[2], sdn_err *err)
{
  static const char *const keys[] = {"low", "high"};
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err)) return err->status;
  if (sdn_yaml_number(map, "low", true, &out[0], err)) return err->status;
  return sdn_yaml_number(map, "high", true, &out[1], err);
}

/* sigma_njy: a number, {low, high} or {quantiles} */
static sdn_status parse_sigma(const sdn_yaml *map, const sdn_yaml *node, sdn_band *band, sdn_err *err)
{
  static const char *const keys[] = {"quantiles", "low", "high"};
  double pair[2] = {0, 0}, *value = NULL;
  size_t n = 0;
  if (node->kind != SDN_YAML_MAP) {
    if (sdn_yaml_number(map, "sigma_njy", true, pair, err)) return err->status;
    return set_sigma(node, band, 1, pair, err);
  }
  if (sdn_yaml_only_keys(node, keys, COUNT(keys), err)) return err->status;
  if (!sdn_yaml_get(node, "quantiles")) {
    if (parse_low_high(node, pair, err)) return err->status;
    return set_sigma(node, band, 2, pair, err);
  }
  if (node->n > 1) return sdn_yaml_fail(node, err, "band %s: sigma_njy takes either quantiles, or low and high", band->name);
  if (sdn_yaml_numbers(node, "quantiles", true, &value, &n, err)) return err->status;
  const sdn_status status = set_sigma(node, band, n, value, err);
  sdn_release(value);
  return status;
}

/* depth_ab_mag, at which a source has depth_n_sigma times the background error: a deeper (larger) magnitude is a smaller error. */
static sdn_status parse_depth(const sdn_yaml *map, const sdn_yaml *node, sdn_band *band, sdn_err *err)
{
  double depth[2] = {0, 0}, n_sigma = 5;
  if (sdn_survey_number(map, "depth_n_sigma", 1e-3, 1e3, &n_sigma, err)) return err->status;
  if (node->kind == SDN_YAML_MAP) {
    if (parse_low_high(node, depth, err)) return err->status;
    if (!(depth[0] <= depth[1]))
      return sdn_yaml_fail(node, err, "band %s: depth_ab_mag goes from low %g to high %g, which is the wrong way round", band->name, depth[0], depth[1]);
  } else {
    if (sdn_yaml_number(map, "depth_ab_mag", true, depth, err)) return err->status;
    depth[1] = depth[0];
  }
  const double sigma[2] = {AB_ZERO_NJY * pow(10, -0.4 * depth[1]) / n_sigma, AB_ZERO_NJY * pow(10, -0.4 * depth[0]) / n_sigma};
  return set_sigma(node, band, 2, sigma, err);
}

static sdn_status parse_background(const sdn_yaml *map, sdn_band *band, sdn_err *err)
{
  const sdn_yaml *sigma = sdn_yaml_get(map, "sigma_njy"), *depth = sdn_yaml_get(map, "depth_ab_mag"), *n_sigma = sdn_yaml_get(map, "depth_n_sigma");
  if (!sigma == !depth)
    return sdn_yaml_fail(map, err, "band %s needs its background error by one of sigma_njy and depth_ab_mag, and has %s", band->name,
                         sigma ? "both" : "none");
  if (sigma && n_sigma)
    return sdn_yaml_fail(n_sigma, err, "band %s: depth_n_sigma belongs to depth_ab_mag; sigma_njy is one sigma already", band->name);
  return sigma ? parse_sigma(map, sigma, band, err) : parse_depth(map, depth, band, err);
}

static sdn_status parse_name(const sdn_yaml *map, sdn_survey *s, int b, sdn_err *err)
{
  const char *name = NULL;
  if (sdn_yaml_text(map, "name", true, &name, err)) return err->status;
  if (!*name || strlen(name) > LONGEST_NAME) return sdn_yaml_fail(map, err, "the name of band %d must have 1 to %d characters", b + 1, LONGEST_NAME);
  for (int i = 0; i < b; i++)
    if (!strcmp(s->band[i].name, name)) return sdn_yaml_fail(map, err, "two bands are named %s; names must differ", name);
  return (s->band[b].name = sdn_copy_text(name, err)) ? SDN_OK : err->status;
}

static sdn_status parse_band(const sdn_yaml *map, sdn_survey *s, int b, const shared_keys *shared, sdn_err *err)
{
  static const char *const keys[] = {"name", "filter", "sigma_njy", "depth_ab_mag", "depth_n_sigma", "flux", "error", "zero_point_mag"};
  sdn_band *band = &s->band[b];
  const char *filter = NULL;
  double zero_point = 0;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "each band is a map such as {name: F444W, filter: JWST/NIRCam.F444W, sigma_njy: 0.8}");
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err)) return err->status;
  if (parse_name(map, s, b, err)) return err->status;
  if (sdn_yaml_text(map, "filter", true, &filter, err)) return err->status;
  if (!(band->filter = sdn_copy_text(filter, err))) return err->status;
  if (set_column(map, "flux", shared->flux, band->name, &band->flux_column, err)) return err->status;
  if (set_column(map, "error", shared->error, band->name, &band->error_column, err)) return err->status;
  if (sdn_survey_number(map, "zero_point_mag", -100, 100, &zero_point, err)) return err->status;
  band->to_njy = shared->to_njy * pow(10, -0.4 * zero_point);
  return parse_background(map, band, err);
}

sdn_status sdn_survey_parse_bands(const sdn_yaml *root, sdn_survey *s, sdn_err *err)
{
  shared_keys shared = {0};
  const sdn_yaml *bands = sdn_yaml_get(root, "bands");
  if (parse_unit(root, s, &shared.to_njy, err) || parse_columns(root, s, &shared, err)) return err->status;
  if (!bands || bands->kind != SDN_YAML_LIST || bands->n < 1 || bands->n > SDN_SURVEY_MAX_BAND)
    return sdn_yaml_fail(bands ? bands : root, err, "a survey needs bands: a list of 1 to %d maps, each with name, filter and sigma_njy", SDN_SURVEY_MAX_BAND);
  if (!(s->band = sdn_alloc(bands->n, sizeof *s->band, "the bands of a survey", err))) return err->status;
  s->n_band = (int)bands->n;
  for (int b = 0; b < s->n_band; b++) {
    if (parse_band(bands->item[b], s, b, &shared, err)) return err->status;
    s->varies = s->varies || !s->band[b].sigma.constant;
  }
  return SDN_OK;
}
