/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model.yaml, derived: which quantities there are. They depend on nothing else, so that files of one model have the same columns. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/number.h"
#include "physics/derived_own.h"
#include "physics/grid_read.h"

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define MAX_ITEM 512
#define LIGHT_WIDTH 0.01   /* half width of the band around a wavelength at which ages are weighted by light, relative */
#define LONGEST_PART 36    /* of a name that the user gives */

static const double beta_A[SDN_N_BETA_WINDOW][2] = {{1268, 1284}, {1309, 1316}, {1342, 1371}, {1407, 1515}, {1562, 1583}, {1677, 1740}, {1760, 1833}, {1866, 1890},
                                                    {1930, 1950}, {2400, 2580}};

void sdn_derived_plan_free(sdn_derived_plan *p)
{
  if (!p) return;
  for (int w = 0; w < p->n_window; w++) sdn_filter_free(p->window[w].filter);
  sdn_release(p->window);
  sdn_release(p->item);
  sdn_release(p->line);
  sdn_release(p);
}

bool sdn_derived_wants_power(const sdn_derived_plan *p)
{
  for (int i = 0; i < p->n_item; i++)
    if (p->item[i].kind == SDN_DERIVE_L_DUST) return true;
  return false;
}

/* ------------------------------------------------------------------ lists that grow */

/* Twice the room when there is none left. */
static void *grown(void *list, int n, int *room, size_t size, sdn_err *err)
{
  if (n < *room) return list;
  const int more = *room ? 2 * *room : 32;
  void *out = sdn_alloc((size_t)more, size, "derived quantities", err);
  if (!out) return NULL;
  if (n) memcpy(out, list, (size_t)n * size);
  sdn_release(list);
  *room = more;
  return out;
}

/* Takes the filter over. *window: its place. */
static sdn_status add_filter(sdn_derived_plan *p, sdn_filter *filter, bool lines, int *window, sdn_err *err)
{
  sdn_derived_window *list = grown(p->window, p->n_window, &p->room_window, sizeof *list, err);
  if (!list) {
    sdn_filter_free(filter);
    return err->status;
  }
  p->window = list;
  *window = p->n_window;
  p->window[p->n_window++] = (sdn_derived_window){filter, lines};
  return SDN_OK;
}

/* How a top-hat weighs f_nu: dl/l (photons), dl/l^2 (so that the mean f_lambda is <f_nu> c / (low high)), or dl. */
typedef enum weighting { PHOTONS, ENERGY, WAVELENGTH } weighting;

static sdn_status add_top_hat(sdn_derived_plan *p, const double edge_A[2], weighting how, bool lines, int *window, sdn_err *err)
{
  const double flat[2] = {1, 1};
  sdn_filter *filter = NULL;
  if (sdn_filter_new("rest-frame window", 2, edge_A, how == WAVELENGTH ? edge_A : flat, how != ENERGY, &filter, err)) return err->status;
  return add_filter(p, filter, lines, window, err);
}

static sdn_status add_named_filter(sdn_derived_plan *p, const char *id, bool lines, int *window, sdn_err *err)
{
  sdn_filter *filter = NULL;
  return sdn_filter_read(id, &filter, err) ? err->status : add_filter(p, filter, lines, window, err);
}

static sdn_status add_item(sdn_derived_plan *p, const sdn_derived_item *item, sdn_err *err)
{
  for (int i = 0; i < p->n_item; i++)
    if (!strcasecmp(p->item[i].name, item->name))
      return sdn_fail(err, SDN_USAGE, "derived: there are two quantities called %s; give one another name", item->name);
  if (p->n_item == MAX_ITEM) return sdn_fail(err, SDN_USAGE, "derived: at most %d quantities are possible", MAX_ITEM);
  sdn_derived_item *list = grown(p->item, p->n_item, &p->room_item, sizeof *list, err);
  if (!list) return err->status;
  p->item = list;
  p->item[p->n_item++] = *item;
  return SDN_OK;
}

/* An item called prefix + part + suffix; what a table's column should not be called becomes '_'. */
static sdn_derived_item named(sdn_derived_kind kind, const char *prefix, const char *part, const char *suffix, const char *unit)
{
  sdn_derived_item item = {.kind = kind};
  snprintf(item.name, sizeof item.name, "%.20s%.*s%.20s", prefix, LONGEST_PART, part, suffix);
  for (char *c = item.name; *c; c++)
    if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_", *c)) *c = '_';
  snprintf(item.unit, sizeof item.unit, "%s", unit);
  return item;
}

/* ------------------------------------------------------------------ always there */

static sdn_status add_sfr(sdn_derived_plan *p, double span_myr, sdn_err *err)
{
  char span[SDN_NUMBER_SIZE];
  sdn_number_print(span_myr, span);
  sdn_derived_item item = named(SDN_DERIVE_SFR, "log_sfr_", span, "myr_msun_per_yr", "log10 Msun/yr");
  item.x[0] = 1e6 * span_myr;
  return add_item(p, &item, err);
}

static sdn_status add_formed(sdn_derived_plan *p, double percent, sdn_err *err)
{
  char number[SDN_NUMBER_SIZE];
  sdn_number_print(percent, number);
  sdn_derived_item item = named(SDN_DERIVE_FORMED, "lookback_t", number, "_gyr", "Gyr");
  item.x[0] = percent / 100;
  return add_item(p, &item, err);
}

static sdn_status add_plain(sdn_derived_plan *p, sdn_derived_kind kind, const char *name, const char *unit, sdn_err *err)
{
  const sdn_derived_item item = named(kind, "", name, "", unit);
  return add_item(p, &item, err);
}

static sdn_status standard_history(sdn_derived_plan *p, sdn_err *err)
{
  if (add_plain(p, SDN_DERIVE_MASS_SURVIVING, "log_mass_surviving_msun", "log10 Msun", err) || add_sfr(p, 10, err) || add_sfr(p, 100, err) ||
      add_plain(p, SDN_DERIVE_SSFR, "log_ssfr_100myr_per_yr", "log10 1/yr", err) || add_plain(p, SDN_DERIVE_MEAN_AGE, "mass_weighted_age_gyr", "Gyr", err))
    return err->status;
  return add_formed(p, 50, err);
}

static sdn_status add_colour(sdn_derived_plan *p, const char *name, const double blue_A[2], const double red_A[2], sdn_err *err)
{
  sdn_derived_item item = named(SDN_DERIVE_COLOUR, "", name, "", "mag");
  if (add_top_hat(p, blue_A, PHOTONS, true, &item.window, err) || add_top_hat(p, red_A, PHOTONS, true, &item.other, err)) return err->status;
  return add_item(p, &item, err);
}

static sdn_status standard_spectrum(sdn_derived_plan *p, sdn_err *err)
{
  const double uv_A[2] = {1450, 1550}, u_A[2] = {3320, 3980}, v_A[2] = {5070, 5950}, j_A[2] = {11135, 13265};
  sdn_derived_item uv = named(SDN_DERIVE_MAGNITUDE, "", "m_uv_ab", "", "mag"), beta = named(SDN_DERIVE_BETA, "", "beta_uv", "", "");
  int last;
  if (add_top_hat(p, uv_A, PHOTONS, false, &uv.window, err) || add_item(p, &uv, err)) return err->status;
  p->uv = uv.window;
  beta.window = p->n_window;
  for (int k = 0; k < SDN_N_BETA_WINDOW; k++)
    if (add_top_hat(p, beta_A[k], ENERGY, false, &last, err)) return err->status;
  if (add_item(p, &beta, err) || add_colour(p, "rest_u_v", u_A, v_A, err)) return err->status;
  return add_colour(p, "rest_v_j", v_A, j_A, err);
}

/* ------------------------------------------------------------------ by name */

static const struct quantity { const char *name, *unit; sdn_derived_kind kind; double top_A[2], bottom_A[2]; } quantities[] = {
  {"log_burstiness", "log10", SDN_DERIVE_BURSTINESS, {0}, {0}},
  {"log_metallicity_mean", "log10", SDN_DERIVE_METALLICITY, {0}, {0}},
  {"d4000", "", SDN_DERIVE_RATIO, {4050, 4250}, {3750, 3950}},
  {"dn4000", "", SDN_DERIVE_RATIO, {4000, 4100}, {3850, 3950}},
  {"balmer_break", "", SDN_DERIVE_RATIO, {4150, 4250}, {3400, 3600}},
  {"log_l_dust_lsun", "log10 Lsun", SDN_DERIVE_L_DUST, {0}, {0}},
  {"log_l_ir_lsun", "log10 Lsun", SDN_DERIVE_L_IR, {8e4, 1e7}, {0}},
  {"log_q_hi_per_s", "log10 1/s", SDN_DERIVE_Q_HI, {0}, {0}},
  {"log_xi_ion_hz_per_erg", "log10 Hz/erg", SDN_DERIVE_XI_ION, {0}, {0}},
};

static sdn_status add_quantity(sdn_derived_plan *p, const struct quantity *q, sdn_err *err)
{
  sdn_derived_item item = named(q->kind, "", q->name, "", q->unit);
  if (q->kind == SDN_DERIVE_RATIO && (add_top_hat(p, q->top_A, WAVELENGTH, false, &item.window, err) || add_top_hat(p, q->bottom_A, WAVELENGTH, false, &item.other, err)))
    return err->status;
  if (q->kind == SDN_DERIVE_L_IR && add_top_hat(p, q->top_A, ENERGY, true, &item.window, err)) return err->status;
  return add_item(p, &item, err);
}

/* Those of the list that are of the history, or those that are not. */
/* Names for a message: the nearest to what stands in the file, or all. */
static const char *known_names(const sdn_yaml *node, const char *const *name, size_t n, char text[512])
{
  const char *nearest = node->kind == SDN_YAML_SCALAR ? sdn_nearest(node->text, name, n) : NULL;
  size_t used = (size_t)snprintf(text, 512, "%s%s", nearest ? "the nearest is " : "known are ", nearest ? nearest : "");
  for (size_t i = 0; !nearest && i < n && used + strlen(name[i]) + 3 < 512; i++) used += (size_t)snprintf(text + used, 512 - used, "%s%s", i ? ", " : "", name[i]);
  return text;
}

static sdn_status read_quantities(sdn_derived_plan *p, const sdn_yaml *map, bool history, sdn_err *err)
{
  const sdn_yaml *list = sdn_yaml_get(map, "quantities");
  const char *names[COUNT(quantities)];
  for (size_t k = 0; k < COUNT(quantities); k++) names[k] = quantities[k].name;
  if (list && list->kind != SDN_YAML_LIST) return sdn_yaml_fail(list, err, "derived: quantities is a list of names such as [d4000, log_q_hi_per_s]");
  for (size_t i = 0; list && i < list->n; i++) {
    const sdn_yaml *node = list->item[i];
    size_t k = 0;
    while (k < COUNT(quantities) && (node->kind != SDN_YAML_SCALAR || strcmp(node->text, names[k]))) k++;
    if (k == COUNT(quantities)) {
      char text[512];
      return sdn_yaml_fail(node, err, "derived: there is no quantity '%s'; %s", node->kind == SDN_YAML_SCALAR ? node->text : "(a list)",
                           known_names(node, names, COUNT(names), text));
    }
    if ((quantities[k].kind < SDN_DERIVE_FIRST_SPECTRAL) == history && add_quantity(p, &quantities[k], err)) return err->status;
  }
  return SDN_OK;
}

typedef sdn_status add_number(sdn_derived_plan *p, double value, sdn_err *err);

/* A list of numbers within [low, high]; those always there are passed over. */
static sdn_status read_numbers(sdn_derived_plan *p, const sdn_yaml *map, const char *key, double low, double high, add_number *add, sdn_err *err)
{
  double *value = NULL;
  size_t n = 0;
  sdn_status status = sdn_yaml_numbers(map, key, false, &value, &n, err);
  for (size_t i = 0; i < n && !status; i++) {
    const bool standard = add == add_sfr ? value[i] == 10 || value[i] == 100 : value[i] == 50;
    if (!(value[i] >= low && value[i] <= high)) status = sdn_yaml_fail(map, err, "derived: %s has %g, but must lie between %g and %g", key, value[i], low, high);
    else if (!standard) status = add(p, value[i], err);
  }
  sdn_release(value);
  return status;
}

/* ------------------------------------------------------------------ filters */

static sdn_status read_magnitudes(sdn_derived_plan *p, const sdn_yaml *list, sdn_err *err)
{
  if (list->kind == SDN_YAML_SCALAR) return sdn_yaml_fail(list, err, "derived: magnitudes is a list of filters, or a map NAME: FILTER");
  for (size_t i = 0; i < list->n; i++) {
    const sdn_yaml *node = list->item[i];
    if (node->kind != SDN_YAML_SCALAR) return sdn_yaml_fail(node, err, "derived: each of magnitudes is the id of a filter");
    sdn_derived_item item = named(SDN_DERIVE_MAGNITUDE, "mag_", list->kind == SDN_YAML_MAP ? list->key[i] : node->text, "", "mag");
    if (add_named_filter(p, node->text, true, &item.window, err)) return sdn_fail_in(err, "%s:%d", node->origin, node->line);
    if (add_item(p, &item, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status read_colours(sdn_derived_plan *p, const sdn_yaml *map, sdn_err *err)
{
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "derived: colours is a map NAME: [FILTER, FILTER]");
  for (size_t i = 0; i < map->n; i++) {
    const sdn_yaml *pair = map->item[i];
    sdn_derived_item item = named(SDN_DERIVE_COLOUR, "rest_", map->key[i], "", "mag");
    if (pair->kind != SDN_YAML_LIST || pair->n != 2 || pair->item[0]->kind != SDN_YAML_SCALAR || pair->item[1]->kind != SDN_YAML_SCALAR)
      return sdn_yaml_fail(pair, err, "derived: colour %s needs two filters, [BLUE, RED]", map->key[i]);
    if (add_named_filter(p, pair->item[0]->text, true, &item.window, err) || add_named_filter(p, pair->item[1]->text, true, &item.other, err))
      return sdn_fail_in(err, "%s:%d", pair->origin, pair->line);
    if (add_item(p, &item, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status read_light_ages(sdn_derived_plan *p, const sdn_yaml *list, sdn_err *err)
{
  if (list->kind != SDN_YAML_LIST) return sdn_yaml_fail(list, err, "derived: light_weighted_age is a list of filters and wavelengths in Angstrom, such as [5500, SLOAN/SDSS.r]");
  for (size_t i = 0; i < list->n; i++) {
    const sdn_yaml *node = list->item[i];
    double wave_A = 0;
    if (node->kind != SDN_YAML_SCALAR) return sdn_yaml_fail(node, err, "derived: each of light_weighted_age is a filter or a wavelength in Angstrom");
    sdn_derived_item item = named(SDN_DERIVE_LIGHT_AGE, "light_weighted_age_", node->text, "_gyr", "Gyr");
    const bool number = sdn_number_parse(node->text, strlen(node->text), &wave_A) && wave_A > 0;
    const double edge_A[2] = {wave_A * (1 - LIGHT_WIDTH), wave_A * (1 + LIGHT_WIDTH)};
    if (number ? add_top_hat(p, edge_A, PHOTONS, false, &item.window, err) : add_named_filter(p, node->text, false, &item.window, err))
      return sdn_fail_in(err, "%s:%d", node->origin, node->line);
    if (add_item(p, &item, err)) return err->status;
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ indices and windows */

/* An edge as the columns have it: the convention of wavelengths in air begins at 2000 A. */
static double vacuum(double wave_A, bool in_air) { return in_air && wave_A > 2000 ? sdn_vacuum_A(wave_A) : wave_A; }

static sdn_status add_index(sdn_derived_plan *p, const char *name, const sdn_index_definition *air, bool in_air, bool lines, sdn_err *err)
{
  sdn_derived_item item = named(air->magnitude ? SDN_DERIVE_INDEX_MAG : SDN_DERIVE_INDEX, "index_", name, "", air->magnitude ? "mag" : "Angstrom");
  double blue[2], red[2];
  for (int k = 0; k < 2; k++) {
    item.x[k] = vacuum(air->feature_A[k], in_air);
    blue[k] = vacuum(air->blue_A[k], in_air);
    red[k] = vacuum(air->red_A[k], in_air);
  }
  item.lines = lines;
  if (add_top_hat(p, blue, ENERGY, lines, &item.window, err) || add_top_hat(p, red, ENERGY, lines, &item.other, err)) return err->status;
  return add_item(p, &item, err);
}

static sdn_status read_indices(sdn_derived_plan *p, const sdn_yaml *list, sdn_err *err)
{
  const char *names[64];
  size_t n_name = 0;
  for (int i = 0; i < 64 && sdn_index_name(i); i++) names[n_name++] = sdn_index_name(i);
  if (list->kind != SDN_YAML_LIST) return sdn_yaml_fail(list, err, "derived: indices is a list of names such as [HdeltaA, Mgb]");
  for (size_t i = 0; i < list->n; i++) {
    const sdn_yaml *node = list->item[i];
    const sdn_index_definition *index = node->kind == SDN_YAML_SCALAR ? sdn_index_find(node->text) : NULL;
    if (!index) {
      char text[512];
      return sdn_yaml_fail(node, err, "derived: there is no index '%s'; %s; others can be defined under windows", node->kind == SDN_YAML_SCALAR ? node->text : "(a list)",
                           known_names(node, names, n_name, text));
    }
    if (add_index(p, index->name, index, true, false, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status read_edges(const sdn_yaml *map, const char *key, double edge_A[2], sdn_err *err)
{
  double *value = NULL;
  size_t n = 0;
  if (sdn_yaml_numbers(map, key, true, &value, &n, err)) return err->status;
  const bool good = n == 2 && value[0] > 0 && value[1] > value[0] && value[1] < 1e12;
  if (good) memcpy(edge_A, value, 2 * sizeof *value);
  sdn_release(value);
  return good ? SDN_OK : sdn_yaml_fail(map, err, "derived: %s must be two ascending wavelengths in Angstrom", key);
}

/* One of two words; *second: which. */
static sdn_status read_choice(const sdn_yaml *map, const char *key, const char *one, const char *two, bool *second, sdn_err *err)
{
  const char *text = one;
  if (sdn_yaml_text(map, key, false, &text, err)) return err->status;
  *second = !strcmp(text, two);
  return *second || !strcmp(text, one) ? SDN_OK : sdn_yaml_fail(map, err, "derived: %s is '%s', but must be %s or %s", key, text, one, two);
}

static sdn_status read_ratio(sdn_derived_plan *p, const char *name, const sdn_yaml *map, bool in_air, bool lines, sdn_err *err)
{
  static const char *const keys[] = {"kind", "numerator", "denominator", "of", "medium", "lines"};
  sdn_derived_item item = named(SDN_DERIVE_RATIO, "ratio_", name, "", "");
  double top[2], bottom[2];
  bool f_lambda;
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err) || read_edges(map, "numerator", top, err) || read_edges(map, "denominator", bottom, err) ||
      read_choice(map, "of", "f_nu", "f_lambda", &f_lambda, err))
    return err->status;
  for (int k = 0; k < 2; k++) {
    top[k] = vacuum(top[k], in_air);
    bottom[k] = vacuum(bottom[k], in_air);
  }
  const weighting how = f_lambda ? ENERGY : WAVELENGTH;
  item.x[0] = f_lambda ? bottom[0] * bottom[1] / (top[0] * top[1]) : 1;
  if (add_top_hat(p, top, how, lines, &item.window, err) || add_top_hat(p, bottom, how, lines, &item.other, err)) return err->status;
  return add_item(p, &item, err);
}

static sdn_status read_window(sdn_derived_plan *p, const char *name, const sdn_yaml *map, sdn_err *err)
{
  static const char *const keys[] = {"kind", "feature", "blue", "red", "medium", "lines"};
  const char *kind = NULL;
  bool in_air, lines;
  sdn_index_definition d = {.name = name};
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "derived: window %s is a map such as {kind: index, feature: [a, b], blue: [a, b], red: [a, b]}", name);
  if (sdn_yaml_text(map, "kind", true, &kind, err) || read_choice(map, "medium", "vacuum", "air", &in_air, err) || read_choice(map, "lines", "false", "true", &lines, err))
    return err->status;
  if (!strcmp(kind, "ratio")) return read_ratio(p, name, map, in_air, lines, err);
  d.magnitude = !strcmp(kind, "index_mag");
  if (!d.magnitude && strcmp(kind, "index")) return sdn_yaml_fail(map, err, "derived: kind '%s' of window %s is not known; it is index, index_mag or ratio", kind, name);
  if (sdn_yaml_only_keys(map, keys, COUNT(keys), err) || read_edges(map, "feature", d.feature_A, err) || read_edges(map, "blue", d.blue_A, err) ||
      read_edges(map, "red", d.red_A, err))
    return err->status;
  if (!(d.blue_A[0] + d.blue_A[1] < d.red_A[0] + d.red_A[1])) return sdn_yaml_fail(map, err, "derived: window %s has its red sideband blueward of its blue one", name);
  return add_index(p, name, &d, in_air, lines, err);
}

static sdn_status read_windows(sdn_derived_plan *p, const sdn_yaml *map, sdn_err *err)
{
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "derived: windows is a map NAME: {kind: index, ...}");
  for (size_t i = 0; i < map->n; i++)
    if (read_window(p, map->key[i], map->item[i], err)) return err->status;
  return SDN_OK;
}

static sdn_status read_lines(sdn_derived_plan *p, const sdn_yaml *list, sdn_err *err)
{
  if (list->kind != SDN_YAML_LIST) return sdn_yaml_fail(list, err, "derived: lines is a list of names such as [Halpha, OIII5007]");
  p->line = sdn_alloc(list->n, sizeof *p->line, "lines", err);
  if (!p->line) return err->status;
  for (size_t i = 0; i < list->n; i++) {
    const sdn_yaml *node = list->item[i];
    if (node->kind != SDN_YAML_SCALAR || !sdn_line_is_name(node->text) || strlen(node->text) > LONGEST_PART)
      return sdn_yaml_fail(node, err, "derived: each of lines is a name of up to %d characters, such as Halpha or H 1 6562.80A", LONGEST_PART);
    snprintf(p->line[i], sizeof p->line[i], "%s", node->text);
    sdn_derived_item item[3] = {named(SDN_DERIVE_LINE_LUMINOSITY, "log_l_", node->text, "_erg_per_s", "log10 erg/s"),
                                named(SDN_DERIVE_LINE_FLUX, "flux_", node->text, "", "1e-20 erg/s/cm2"), named(SDN_DERIVE_LINE_EW, "ew_", node->text, "_A", "Angstrom")};
    for (int k = 0; k < 3; k++) {
      item[k].line = (int)i;
      if (add_item(p, &item[k], err)) return err->status;
    }
    p->n_line++;
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ the whole */

static sdn_status read_history(sdn_derived_plan *p, const sdn_yaml *map, sdn_err *err)
{
  if (read_numbers(p, map, "sfr_myr", 1e-3, 2e4, add_sfr, err) || read_numbers(p, map, "formed_percent", 1e-3, 99.999, add_formed, err)) return err->status;
  return read_quantities(p, map, true, err);
}

static sdn_status read_spectrum(sdn_derived_plan *p, const sdn_yaml *map, sdn_err *err)
{
  static const struct { const char *key; sdn_status (*read)(sdn_derived_plan *, const sdn_yaml *, sdn_err *); } part[] = {
    {"magnitudes", read_magnitudes}, {"colours", read_colours}, {"light_weighted_age", read_light_ages}, {"indices", read_indices}, {"windows", read_windows}, {"lines", read_lines}};
  if (read_quantities(p, map, false, err)) return err->status;
  for (size_t i = 0; i < COUNT(part); i++) {
    const sdn_yaml *node = sdn_yaml_get(map, part[i].key);
    if (node && part[i].read(p, node, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status read_all(sdn_derived_plan *p, const sdn_yaml *map, sdn_err *err)
{
  static const char *const keys[] = {"sfr_myr", "formed_percent", "quantities", "magnitudes", "colours", "light_weighted_age", "indices", "windows", "lines"};
  if (map && map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "derived is a map such as {sfr_myr: [30], magnitudes: [SLOAN/SDSS.r], lines: [Halpha]}");
  if (map && sdn_yaml_only_keys(map, keys, COUNT(keys), err)) return err->status;
  if (standard_history(p, err) || (map && read_history(p, map, err))) return err->status;
  p->n_sfh = p->n_item;
  if (standard_spectrum(p, err)) return err->status;
  return map ? read_spectrum(p, map, err) : SDN_OK;
}

sdn_status sdn_derived_plan_new(const sdn_yaml *node, sdn_derived_plan **plan, sdn_err *err)
{
  *plan = NULL;
  sdn_derived_plan *p = sdn_alloc(1, sizeof *p, "derived quantities", err);
  if (!p) return err->status;
  const sdn_status status = read_all(p, node, err);
  if (status) sdn_derived_plan_free(p);
  else *plan = p;
  return status;
}
