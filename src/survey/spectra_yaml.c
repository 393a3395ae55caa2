/* SPDX-License-Identifier: GPL-3.0-or-later */
/* survey.yaml: spectra: [{name, wave_A, resolution, lsf, sigma_njy, ...}]. Each becomes as many bands as it has pixels, NAME_0001 and so on. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "physics/pixel.h"
#include "survey/parse.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define LIGHT_A_S 2.99792458e18
#define FWHM_PER_SIGMA 2.354820045030949   /* 2 sqrt(2 ln 2) */
#define PER_A 1e6                          /* wavelengths are kept to 1e-6 A: the same pixels on any machine, whose pow may differ in the last bit */

/* A curve over wavelength; n = 1: a constant, n = 0: none. */
typedef struct curve { size_t n; double *wave_A, *value, constant; } curve;

/* One spectrum on its way; edge_A [n + 1]. */
typedef struct spectrum {
  const sdn_yaml *map;
  const char *name;
  int n;
  double *edge_A, to_njy, sigma_low, sigma_high;   /* sigma_low, high: factors of the depth's curve */
  bool per_A;
  curve resolution, sigma;
  sdn_band noise;                                  /* the knobs of all its pixels */
} spectrum;

static void free_spectrum(spectrum *s)
{
  sdn_release(s->edge_A);
  sdn_release(s->resolution.wave_A);
  sdn_release(s->sigma.wave_A);
}

static double rounded(double wave_A) { return round(wave_A * PER_A) / PER_A; }

/* ------------------------------------------------------------------ wavelengths */

static sdn_status set_edges(const sdn_yaml *node, spectrum *s, size_t n, const double *edge_A, sdn_err *err)
{
  if (n < 2 || n > SDN_SURVEY_MAX_BAND)
    return sdn_yaml_fail(node, err, "spectrum %s has %zu edges of pixels; 2 to %d are possible", s->name, n, SDN_SURVEY_MAX_BAND);
  s->edge_A = sdn_alloc(n, sizeof *s->edge_A, "the pixels of a spectrum", err);
  if (!s->edge_A) return err->status;
  s->n = (int)n - 1;
  for (size_t i = 0; i < n; i++) {
    s->edge_A[i] = rounded(edge_A[i]);
    if (!(s->edge_A[i] > 0 && s->edge_A[i] < 1e12) || (i > 0 && !(s->edge_A[i] > s->edge_A[i - 1])))
      return sdn_yaml_fail(node, err, "spectrum %s: the edges of its pixels must ascend from above 0 A, and number %zu is %g A", s->name, i + 1, edge_A[i]);
  }
  return SDN_OK;
}

static sdn_status edges_from_range(const sdn_yaml *node, spectrum *s, sdn_err *err)
{
  static const char *const keys[] = {"low", "high", "n", "spacing"};
  double low = 0, high = 0, *edge = NULL;
  const char *spacing = "linear";
  long n = 0;
  if (sdn_yaml_only_keys(node, keys, COUNT(keys), err) || sdn_yaml_number(node, "low", true, &low, err) || sdn_yaml_number(node, "high", true, &high, err) ||
      sdn_yaml_integer(node, "n", true, &n, err) || sdn_yaml_text(node, "spacing", false, &spacing, err))
    return err->status;
  const bool logarithmic = !strcmp(spacing, "log");
  if (!logarithmic && strcmp(spacing, "linear")) return sdn_yaml_fail(node, err, "spectrum %s: spacing is '%s', but must be linear or log", s->name, spacing);
  if (!(n >= 1 && n < SDN_SURVEY_MAX_BAND && low > 0 && high > low))
    return sdn_yaml_fail(node, err, "spectrum %s: wave_A needs 0 < low < high and 1 to %d pixels; it has %g, %g and %ld", s->name, SDN_SURVEY_MAX_BAND - 1, low, high, n);
  edge = sdn_alloc((size_t)n + 1, sizeof *edge, "the pixels of a spectrum", err);
  if (!edge) return err->status;
  for (long i = 0; i <= n; i++) {
    const double t = (double)i / (double)n;
    edge[i] = logarithmic ? low * pow(high / low, t) : low + (high - low) * t;
  }
  const sdn_status status = set_edges(node, s, (size_t)n + 1, edge, err);
  sdn_release(edge);
  return status;
}

/* Edges half-way between centers; the outer pixels are symmetric. */
static sdn_status edges_from_centers(const sdn_yaml *node, spectrum *s, size_t n, const double *center, sdn_err *err)
{
  if (n < 2) return sdn_yaml_fail(node, err, "spectrum %s: one center says nothing of a pixel's width; give edges_file", s->name);
  double *edge = sdn_alloc(n + 1, sizeof *edge, "the pixels of a spectrum", err);
  if (!edge) return err->status;
  for (size_t i = 1; i < n; i++) edge[i] = 0.5 * (center[i - 1] + center[i]);
  edge[0] = 2 * center[0] - edge[1];
  edge[n] = 2 * center[n - 1] - edge[n - 1];
  const sdn_status status = set_edges(node, s, n + 1, edge, err);
  sdn_release(edge);
  return status;
}

static sdn_status edges_from_file(const sdn_yaml *node, spectrum *s, sdn_err *err)
{
  static const char *const keys[] = {"file", "edges_file"};
  const char *centers = NULL, *edges = NULL;
  double *value = NULL;
  size_t n = 0;
  if (sdn_yaml_only_keys(node, keys, COUNT(keys), err) || sdn_yaml_text(node, "file", false, &centers, err) || sdn_yaml_text(node, "edges_file", false, &edges, err))
    return err->status;
  if (!centers == !edges) return sdn_yaml_fail(node, err, "spectrum %s: wave_A takes one of file (centers of pixels) and edges_file", s->name);
  sdn_status status = sdn_survey_number_file(node, centers ? centers : edges, 1, &value, &n, err);
  if (!status) status = centers ? edges_from_centers(node, s, n, value, err) : set_edges(node, s, n, value, err);
  sdn_release(value);
  return status;
}

static sdn_status parse_wave(spectrum *s, sdn_err *err)
{
  const sdn_yaml *node = sdn_yaml_get(s->map, "wave_A");
  double *edge = NULL;
  size_t n = 0;
  if (!node) return sdn_yaml_fail(s->map, err, "spectrum %s needs wave_A: {low, high, n}, {file}, {edges_file} or a list of the edges of its pixels", s->name);
  if (node->kind == SDN_YAML_MAP) return sdn_yaml_get(node, "low") || sdn_yaml_get(node, "n") ? edges_from_range(node, s, err) : edges_from_file(node, s, err);
  if (sdn_yaml_numbers(s->map, "wave_A", true, &edge, &n, err)) return err->status;
  const sdn_status status = set_edges(node, s, n, edge, err);
  sdn_release(edge);
  return status;
}

/* ------------------------------------------------------------------ curves over wavelength */

static sdn_status read_curve(const sdn_yaml *node, const char *what, const spectrum *s, curve *c, sdn_err *err)
{
  const char *file = NULL;
  if (sdn_yaml_text(node, "file", true, &file, err) || sdn_survey_number_file(node, file, 2, &c->wave_A, &c->n, err)) return err->status;
  c->value = c->wave_A + c->n;
  for (size_t i = 0; i < c->n; i++)
    if (!(c->value[i] > 0) || (i > 0 && !(c->wave_A[i] > c->wave_A[i - 1])))
      return sdn_yaml_fail(node, err, "spectrum %s: the %s in %s must be positive at ascending wavelengths; line of %g A is not", s->name, what, file, c->wave_A[i]);
  const double low_A = sqrt(s->edge_A[0] * s->edge_A[1]), high_A = sqrt(s->edge_A[s->n - 1] * s->edge_A[s->n]);
  if (c->n < 2 || !(c->wave_A[0] <= low_A && c->wave_A[c->n - 1] >= high_A))
    return sdn_yaml_fail(node, err, "spectrum %s: the %s in %s spans %g to %g A, but its pixels %g to %g A; extend the file", s->name, what, file, c->wave_A[0],
                         c->wave_A[c->n - 1], low_A, high_A);
  return SDN_OK;
}

static double at_wave(const curve *c, double wave_A)
{
  size_t i = 0;
  if (c->n == 0) return c->constant;
  while (i + 2 < c->n && c->wave_A[i + 1] <= wave_A) i++;
  return c->value[i] + (c->value[i + 1] - c->value[i]) * (wave_A - c->wave_A[i]) / (c->wave_A[i + 1] - c->wave_A[i]);
}

static sdn_status parse_resolution(spectrum *s, sdn_err *err)
{
  static const char *const keys[] = {"file"};
  const sdn_yaml *node = sdn_yaml_get(s->map, "resolution");
  const char *lsf = "gaussian";
  if (sdn_yaml_text(s->map, "lsf", false, &lsf, err)) return err->status;
  if (strcmp(lsf, "gaussian")) return sdn_yaml_fail(s->map, err, "spectrum %s: lsf is '%s', but the line-spread function can only be gaussian", s->name, lsf);
  if (!node) return SDN_OK;
  if (node->kind == SDN_YAML_MAP)
    return sdn_yaml_only_keys(node, keys, COUNT(keys), err) ? err->status : read_curve(node, "resolution", s, &s->resolution, err);
  if (sdn_yaml_number(s->map, "resolution", true, &s->resolution.constant, err)) return err->status;
  if (!(s->resolution.constant > 0)) return sdn_yaml_fail(node, err, "spectrum %s: a resolution (wavelength over FWHM) of %g is not positive", s->name, s->resolution.constant);
  return SDN_OK;
}

/* sigma_njy: {file: WAVE SIGMA, low: , high: }: a curve, times a factor that is log-uniform between two; or as a band has it. */
static sdn_status parse_depth(spectrum *s, sdn_err *err)
{
  static const char *const keys[] = {"file", "low", "high"};
  const sdn_yaml *node = sdn_yaml_get(s->map, "sigma_njy");
  if (!node || !sdn_yaml_get(node, "file")) return sdn_survey_parse_sigma(s->map, "sigma_njy", s->name, 1, &s->noise.sigma, err);
  if (sdn_yaml_only_keys(node, keys, COUNT(keys), err)) return err->status;
  s->sigma_low = s->sigma_high = 1;
  if (sdn_survey_number(node, "low", 1e-6, 1e6, &s->sigma_low, err) || sdn_survey_number(node, "high", 1e-6, 1e6, &s->sigma_high, err)) return err->status;
  return read_curve(node, "depth", s, &s->sigma, err);
}

/* ------------------------------------------------------------------ pixels */

static sdn_status set_id(const spectrum *s, int i, double resolution, sdn_band *band, sdn_err *err)
{
  char low[SDN_NUMBER_SIZE], high[SDN_NUMBER_SIZE], sigma[SDN_NUMBER_SIZE], id[128];
  sdn_pixel pixel;
  const double center_A = sqrt(s->edge_A[i] * s->edge_A[i + 1]), sigma_A = resolution > 0 ? rounded(center_A / (FWHM_PER_SIGMA * resolution)) : 0;
  if (!sdn_pixel_set(&pixel, s->edge_A[i], s->edge_A[i + 1], sigma_A))
    return sdn_yaml_fail(s->map, err, "spectrum %s: a resolution of %g at %g A is too low; at least %.1f is possible", s->name, resolution, center_A,
                         1 / (FWHM_PER_SIGMA * SDN_PIXEL_MAX_SIGMA_LN));
  sdn_number_print(s->edge_A[i], low);
  sdn_number_print(s->edge_A[i + 1], high);
  sdn_number_print(sigma_A, sigma);
  snprintf(id, sizeof id, "pixel:%s:%s:%s", low, high, sigma);
  return (band->filter = sdn_copy_text(id, err)) ? SDN_OK : err->status;
}

/* Pixel i of the survey's last spectrum. */
static sdn_status add_pixel(const spectrum *from, sdn_survey *s, int i, const sdn_survey_shared *shared, sdn_err *err)
{
  const int k = s->n_spectrum - 1, b = s->spectrum[k].first + i;
  char name[256];
  snprintf(name, sizeof name, "%.200s_%04d", from->name, i + 1);
  if (sdn_survey_name_band(from->map, s, b, &(sdn_band_name){name, from->name, i}, shared, err)) return err->status;
  sdn_band *band = &s->band[b];
  sdn_spectrum *whole = &s->spectrum[k];
  const double center_A = sqrt(from->edge_A[i] * from->edge_A[i + 1]), resolution = at_wave(&from->resolution, center_A);
  band->spectrum = k;
  band->floor_fraction = from->noise.floor_fraction;
  band->poisson_njy = from->noise.poisson_njy;
  band->column_floor_fraction = from->noise.column_floor_fraction;
  band->to_njy = from->to_njy * (from->per_A ? from->edge_A[i] * from->edge_A[i + 1] / LIGHT_A_S : 1);
  band->sigma = from->noise.sigma;
  whole->least_resolution = i ? fmin(whole->least_resolution, resolution) : resolution;
  whole->largest_resolution = fmax(whole->largest_resolution, resolution);
  if (set_id(from, i, resolution, band, err)) return err->status;
  if (!from->sigma.n) return SDN_OK;
  const double depth = at_wave(&from->sigma, center_A), pair[2] = {depth * from->sigma_low, depth * from->sigma_high};
  return sdn_survey_set_sigma(from->map, name, 2, pair, &band->sigma, err);
}

static sdn_status parse_unit(spectrum *s, const sdn_survey_shared *shared, sdn_err *err)
{
  bool magnitude = shared->magnitude;
  s->to_njy = shared->to_njy;
  if (sdn_yaml_get(s->map, "flux_unit") && sdn_survey_parse_unit(s->map, &s->to_njy, &magnitude, &s->per_A, err)) return err->status;
  return magnitude ? sdn_yaml_fail(s->map, err, "spectrum %s would be in magnitudes; give it a flux_unit of its own, nJy or erg/s/cm2/A say", s->name) : SDN_OK;
}

static sdn_status parse_noise(spectrum *s, const sdn_survey *survey, sdn_err *err)
{
  s->noise.floor_fraction = survey->floor_fraction;
  s->noise.poisson_njy = survey->poisson_njy;
  const sdn_yaml *floor = sdn_yaml_get(s->map, "column_floor_fraction");
  if (floor && survey->error_column == SDN_ERROR_COLUMN_NONE)
    return sdn_yaml_fail(floor, err, "spectrum %s: column_floor_fraction has no meaning with the survey's error_column none", s->name);
  if (sdn_survey_number(s->map, "floor_fraction", 0, 1, &s->noise.floor_fraction, err) || sdn_survey_number(s->map, "poisson_njy", 0, 1e12, &s->noise.poisson_njy, err) ||
      sdn_survey_number(s->map, "column_floor_fraction", 0, 1, &s->noise.column_floor_fraction, err))
    return err->status;
  return parse_depth(s, err);
}

static sdn_status add_pixels(const spectrum *from, sdn_survey *s, const sdn_survey_shared *shared, sdn_err *err)
{
  const int first = s->n_band;
  sdn_spectrum *to = &s->spectrum[s->n_spectrum];
  if (from->n > SDN_SURVEY_MAX_BAND - first)
    return sdn_yaml_fail(from->map, err, "spectrum %s brings the survey to %d bands, pixels and lines; at most %d are possible", from->name, first + from->n, SDN_SURVEY_MAX_BAND);
  if (sdn_survey_add_bands(s, from->n, err)) return err->status;
  if (!(to->name = sdn_copy_text(from->name, err))) return err->status;
  s->n_spectrum++;
  to->first = first;
  to->n = from->n;
  to->low_A = from->edge_A[0];
  to->high_A = from->edge_A[from->n];
  for (int i = 0; i < from->n; i++)
    if (add_pixel(from, s, i, shared, err)) return err->status;
  return SDN_OK;
}

static sdn_status parse_spectrum(const sdn_yaml *map, sdn_survey *s, const sdn_survey_shared *shared, sdn_err *err)
{
  static const char *const keys[] = {"name", "wave_A", "resolution", "lsf", "sigma_njy", "flux_unit", "floor_fraction", "poisson_njy", "column_floor_fraction", "flux", "error"};
  if (map->kind != SDN_YAML_MAP)
    return sdn_yaml_fail(map, err, "each spectrum is a map such as {name: PRISM, wave_A: {low: 6000, high: 53000, n: 400}, resolution: 100, sigma_njy: 5}");
  spectrum from = {.map = map, .name = ""};
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err) || sdn_yaml_text(map, "name", true, &from.name, err)) return err->status;
  for (int k = 0; k < s->n_spectrum; k++)
    if (!strcmp(s->spectrum[k].name, from.name)) return sdn_yaml_fail(map, err, "two spectra are named %s; names must differ", from.name);
  sdn_status status = parse_wave(&from, err);
  if (!status) status = parse_resolution(&from, err);
  if (!status) status = parse_unit(&from, shared, err);
  if (!status) status = parse_noise(&from, s, err);
  if (!status) status = add_pixels(&from, s, shared, err);
  free_spectrum(&from);
  return status;
}

sdn_status sdn_survey_parse_spectra(const sdn_yaml *root, const sdn_survey_shared *shared, sdn_survey *s, sdn_err *err)
{
  const sdn_yaml *list = sdn_yaml_get(root, "spectra");
  if (!list) return SDN_OK;
  if (list->kind != SDN_YAML_LIST || list->n < 1) return sdn_yaml_fail(list, err, "spectra is a list of maps, each with name, wave_A, resolution and sigma_njy");
  s->spectrum = sdn_alloc(list->n, sizeof *s->spectrum, "the spectra of a survey", err);
  if (!s->spectrum) return err->status;
  for (size_t i = 0; i < list->n; i++)
    if (parse_spectrum(list->item[i], s, shared, err)) return err->status;
  return SDN_OK;
}
