/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: how deep a band is. */
#include <math.h>

#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define AB_ZERO_NJY 3.6307805477010137e12   /* 10^(0.4 * 31.4): flux density of AB magnitude 0 (Oke & Gunn 1983: m = -2.5 log f_nu[cgs] - 48.6) */
#define LEAST_SIGMA 1e-12                   /* nJy; background errors beyond these are slips of the unit, and keep float32 ratios finite */
#define LARGEST_SIGMA 1e15

sdn_status sdn_survey_set_sigma(const sdn_yaml *node, const char *name, size_t n, const double *value, sdn_sigma *sigma, sdn_err *err)
{
  if (n < 1 || n > 10000) return sdn_yaml_fail(node, err, "band %s: background errors are given by 1 to 10000 values, not %zu", name, n);
  for (size_t i = 0; i < n; i++) {
    if (!(value[i] >= LEAST_SIGMA && value[i] <= LARGEST_SIGMA))
      return sdn_yaml_fail(node, err, "band %s: a background error of %g nJy is not usable; it must lie between %g and %g nJy", name, value[i],
                           LEAST_SIGMA, LARGEST_SIGMA);
    if (i > 0 && value[i] < value[i - 1])
      return sdn_yaml_fail(node, err, "band %s: background errors must ascend, but %g nJy is followed by %g nJy", name, value[i - 1], value[i]);
  }
  sdn_sigma_set(sigma, (int)n, value);
  return SDN_OK;
}

sdn_status sdn_survey_low_high(const sdn_yaml *map, double out[2], sdn_err *err)
{
  static const char *const keys[] = {"low", "high"};
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err)) return err->status;
  if (sdn_yaml_number(map, "low", true, &out[0], err)) return err->status;
  return sdn_yaml_number(map, "high", true, &out[1], err);
}

sdn_status sdn_survey_parse_sigma(const sdn_yaml *map, const char *key, const char *name, double unit, sdn_sigma *sigma, sdn_err *err)
{
  static const char *const keys[] = {"quantiles", "low", "high"};
  const sdn_yaml *node = sdn_yaml_get(map, key);
  double pair[2] = {0, 0}, *value = NULL;
  size_t n = 0;
  if (!node || node->kind != SDN_YAML_MAP) {
    if (sdn_yaml_number(map, key, true, pair, err)) return err->status;
    pair[0] *= unit;
    return sdn_survey_set_sigma(node, name, 1, pair, sigma, err);
  }
  if (sdn_yaml_only_keys(node, keys, COUNT(keys), err)) return err->status;
  if (!sdn_yaml_get(node, "quantiles")) {
    if (sdn_survey_low_high(node, pair, err)) return err->status;
    for (int k = 0; k < 2; k++) pair[k] *= unit;
    return sdn_survey_set_sigma(node, name, 2, pair, sigma, err);
  }
  if (node->n > 1) return sdn_yaml_fail(node, err, "band %s: %s takes either quantiles, or low and high", name, key);
  if (sdn_yaml_numbers(node, "quantiles", true, &value, &n, err)) return err->status;
  for (size_t i = 0; i < n; i++) value[i] *= unit;
  const sdn_status status = sdn_survey_set_sigma(node, name, n, value, sigma, err);
  sdn_release(value);
  return status;
}

/* depth_ab_mag, at which a source has depth_n_sigma times the background error: a deeper (larger) magnitude is a smaller error. */
static sdn_status parse_depth(const sdn_yaml *map, const sdn_yaml *node, const char *name, sdn_sigma *out, sdn_err *err)
{
  double depth[2] = {0, 0}, n_sigma = 5;
  if (sdn_survey_number(map, "depth_n_sigma", 1e-3, 1e3, &n_sigma, err)) return err->status;
  if (node->kind == SDN_YAML_MAP) {
    if (sdn_survey_low_high(node, depth, err)) return err->status;
    if (!(depth[0] <= depth[1]))
      return sdn_yaml_fail(node, err, "band %s: depth_ab_mag goes from low %g to high %g, which is the wrong way round", name, depth[0], depth[1]);
  } else {
    if (sdn_yaml_number(map, "depth_ab_mag", true, depth, err)) return err->status;
    depth[1] = depth[0];
  }
  const double sigma[2] = {AB_ZERO_NJY * pow(10, -0.4 * depth[1]) / n_sigma, AB_ZERO_NJY * pow(10, -0.4 * depth[0]) / n_sigma};
  return sdn_survey_set_sigma(node, name, 2, sigma, out, err);
}

sdn_status sdn_survey_parse_background(const sdn_yaml *map, const char *name, sdn_sigma *out, sdn_err *err)
{
  const sdn_yaml *sigma = sdn_yaml_get(map, "sigma_njy"), *depth = sdn_yaml_get(map, "depth_ab_mag"), *n_sigma = sdn_yaml_get(map, "depth_n_sigma");
  if (!sigma == !depth)
    return sdn_yaml_fail(map, err, "band %s needs its background error by one of sigma_njy and depth_ab_mag, and has %s", name, sigma ? "both" : "none");
  if (sigma && n_sigma)
    return sdn_yaml_fail(n_sigma, err, "band %s: depth_n_sigma belongs to depth_ab_mag; sigma_njy is one sigma already", name);
  return sigma ? sdn_survey_parse_sigma(map, "sigma_njy", name, 1, out, err) : parse_depth(map, depth, name, out, err);
}
