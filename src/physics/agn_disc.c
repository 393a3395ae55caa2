/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The disc's continuum: a broken power law, or the spectra of a grid. */
#include <math.h>
#include <string.h>

#include "base/file.h"
#include "physics/agn_own.h"

static const double default_break_A[] = {2500, 1e5};                       /* Feltre+2016 eq. 5 */
static const char *const default_alpha[] = {"-1.7", "-0.5", "2"};
#define LOW_A 10.0
#define HIGH_A 1e7

sdn_status sdn_agn_add(sdn_prior *prior, const sdn_param_spec *spec, const sdn_yaml *node, int *index, sdn_err *err)
{
  if (sdn_prior_add(prior, spec, node, err)) return err->status;
  return sdn_prior_bind(prior, spec->name, index, err);
}

int sdn_agn_interval(int n, const double *x, double at)
{
  int low = 0, high = n - 1;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (x[middle] <= at)
      low = middle;
    else
      high = middle;
  }
  return low;
}

/* ------------------------------------------------------------------ broken power law */

static sdn_status read_edges(const sdn_yaml *map, sdn_agn_disc *d, sdn_err *err)
{
  double *given = NULL, low = LOW_A, high = HIGH_A;
  const double *inner = default_break_A;
  size_t n = 2;
  sdn_status status = sdn_yaml_numbers(map, "break_wave_A", false, &given, &n, err);
  if (!status) status = sdn_yaml_number(map, "wave_low_A", false, &low, err);
  if (!status) status = sdn_yaml_number(map, "wave_high_A", false, &high, err);
  if (status) goto done;
  if (sdn_yaml_get(map, "break_wave_A")) inner = given;
  if (n > SDN_AGN_MAX_PIECE - 1) {
    status = sdn_yaml_fail(map, err, "break_wave_A has %zu breaks; %d at most", n, SDN_AGN_MAX_PIECE - 1);
    goto done;
  }
  d->n_piece = (int)n + 1;
  d->edge_A[0] = low;
  d->edge_A[n + 1] = high;
  for (size_t i = 0; i < n; i++) d->edge_A[i + 1] = inner[i];
  for (int i = 0; i < d->n_piece; i++)
    if (!(d->edge_A[i] >= 1 && d->edge_A[i + 1] > d->edge_A[i] && d->edge_A[i + 1] <= 1e8))
      status = sdn_yaml_fail(map, err, "wave_low_A, break_wave_A and wave_high_A must ascend between 1 and 1e8 A; %g A is followed by %g A", d->edge_A[i],
          d->edge_A[i + 1]);
done:
  sdn_release(given);
  return status;
}

static sdn_status read_power_law(const sdn_yaml *map, sdn_prior *prior, sdn_agn_disc *d, sdn_err *err)
{
  const bool own_breaks = sdn_yaml_get(map, "break_wave_A") != NULL;
  if (read_edges(map, d, err)) return err->status;
  for (int i = d->n_piece; i < SDN_AGN_MAX_PIECE; i++) {
    char key[32];
    snprintf(key, sizeof key, "alpha_%d", i + 1);
    const sdn_yaml *surplus = sdn_yaml_get(map, key);
    if (surplus) return sdn_yaml_fail(surplus, err, "the power law has %d pieces; leave %s out, or add a break to break_wave_A", d->n_piece, key);
  }
  for (int i = 0; i < d->n_piece; i++) {
    char key[32];
    snprintf(key, sizeof key, "alpha_%d", i + 1);
    const sdn_param_spec spec = {key, "", own_breaks ? NULL : default_alpha[i], -6, 6,
        "power of frequency in a piece of the disc's spectrum, shortest wavelengths first"};
    if (!sdn_yaml_get(map, key) && own_breaks)
      return sdn_yaml_fail(map, err, "break_wave_A makes %d pieces: alpha_1 to alpha_%d are needed, %s is missing", d->n_piece, d->n_piece, key);
    if (sdn_agn_add(prior, &spec, sdn_yaml_get(map, key), &d->alpha[i], err)) return err->status;
  }
  return SDN_OK;
}

/* (r^p - 1) / p, ln r at p = 0. */
static double power_integral(double p, double ln_r) { return fabs(p * ln_r) < 1e-12 ? ln_r : expm1(p * ln_r) / p; }

void sdn_agn_power_law(const sdn_agn_disc *d, const double *alpha, double *value, double *slope, double *photons_per_s)
{
  double at = 0, power = 0, photons = 0;   /* at: ln of the un-normalised L_nu at a piece's blue edge */
  for (int i = 0; i < d->n_piece; i++) {
    const double ln_r = log(d->edge_A[i + 1] / d->edge_A[i]), s = -alpha[i], reach = log(SDN_LYMAN_LIMIT_A / d->edge_A[i]);
    value[i] = at;
    slope[i] = s;
    power += exp(at) * SDN_LIGHT_A_PER_S / d->edge_A[i] * power_integral(s - 1, ln_r);      /* int L_nu c / wave^2 d wave */
    if (reach > 0) photons += exp(at) * power_integral(s, fmin(reach, ln_r));                 /* int L_nu / wave d wave */
    at += s * ln_r;
  }
  for (int i = 0; i < d->n_piece; i++) value[i] -= log(power);
  *photons_per_s = SDN_LSUN_ERG_S * photons / power / SDN_PLANCK_ERG_S;
}

int sdn_agn_piece(const sdn_agn_disc *d, double wave_A)
{
  if (!(wave_A >= d->edge_A[0] && wave_A <= d->edge_A[d->n_piece])) return -1;
  return sdn_agn_interval(d->n_piece + 1, d->edge_A, wave_A);
}

/* ------------------------------------------------------------------ grid */

static bool has_axis(const sdn_grid *g, int a)
{
  if (a == 0) return g->has_ages;
  if (a == 1) return g->has_metallicities && g->incident.n_metallicity > 1;
  return g->incident.has_extra[a] && g->axis[a].n > 1;
}

static sdn_status read_axes(const sdn_yaml *map, sdn_prior *prior, sdn_agn_disc *d, sdn_err *err)
{
  const sdn_yaml *axes = sdn_yaml_get(map, "axes");
  const char *known[SDN_GRID_MAX_AXIS];
  const sdn_grid *g = d->grid;
  size_t n = 0;
  for (int a = 0; a < g->n_axis; a++) d->axis_param[a] = -1;
  for (int a = 1; a < g->n_axis; a++)
    if (has_axis(g, a)) known[n++] = g->axis[a].name;
  if (axes && axes->kind != SDN_YAML_MAP) return sdn_yaml_fail(axes, err, "axes must be a map from the grid's axes to parameters");
  if (axes && sdn_yaml_only_keys(axes, known, n, err)) return err->status;
  for (int a = 1; a < g->n_axis; a++) {
    const sdn_grid_axis *axis = &g->axis[a];
    if (!has_axis(g, a)) continue;
    const sdn_yaml *node = sdn_yaml_get(axes, axis->name);
    const sdn_param_spec spec = {axis->name, axis->unit, NULL, axis->value[0], axis->value[axis->n - 1], "an axis of the disc's grid"};
    if (!node)
      return sdn_yaml_fail(axes ? axes : map, err, "grid %s has an axis %s from %g to %g; give it a value or a prior under axes", g->name, axis->name,
          spec.low, spec.high);
    if (sdn_agn_add(prior, &spec, node, &d->axis_param[a], err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status read_grid(const sdn_yaml *map, const char *name, sdn_prior *prior, sdn_agn_disc *d, sdn_err *err)
{
  if (sdn_grid_read_spectrum(name, "incident", 0, HUGE_VAL, &d->grid, err)) return sdn_fail_in(err, "%s:%d", map->origin, map->line);
  if (d->grid->has_ages)
    return sdn_yaml_fail(map, err, "grid %s has ages: it holds stars, not discs; name a grid of active nuclei, or broken_power_law", d->grid->name);
  return read_axes(map, prior, d, err);
}

sdn_status sdn_agn_disc_read(const sdn_yaml *map, const char *name, sdn_prior *prior, sdn_agn_disc *d, sdn_err *err)
{
  if (!strcmp(name, "none")) return SDN_OK;
  return strcmp(name, "broken_power_law") ? read_grid(map, name, prior, d, err) : read_power_law(map, prior, d, err);
}

bool sdn_agn_has_disc(const sdn_agn_disc *d) { return d->grid || d->n_piece > 0; }
void sdn_agn_disc_clear(sdn_agn_disc *d) { sdn_grid_free(d->grid); }

static const float *row_of(const sdn_grid *g, const int *node)
{
  int extra = 0;
  for (int a = 2; a < g->n_axis; a++)
    if (g->incident.has_extra[a]) extra = extra * g->axis[a].n + node[a];
  return sdn_grid_row(&g->incident, 0, g->incident.n_metallicity > 1 ? node[1] : 0, extra);
}

double sdn_agn_grid_lnu(const sdn_grid *g, const int *node, double wave_A)
{
  const float *row = row_of(g, node);
  if (!(wave_A >= g->wave_A[0] && wave_A <= g->wave_A[g->n_wave - 1])) return 0;
  const int i = sdn_agn_interval(g->n_wave, g->wave_A, wave_A);
  const double width = g->wave_A[i + 1] - g->wave_A[i], t = width > 0 ? (wave_A - g->wave_A[i]) / width : 1;
  return (1 - t) * (double)row[i] + t * (double)row[i + 1];
}

/* int L_nu d nu / photon energy^k over wavelengths below `end`, exactly for L_nu linear in wavelength; k 0 or 1. */
static double grid_integral(const sdn_grid *g, const int *node, double end_A, bool photons)
{
  const float *row = row_of(g, node);
  double sum = 0;
  for (int j = 0; j + 1 < g->n_wave && g->wave_A[j] < end_A; j++) {
    const double a = g->wave_A[j], whole = g->wave_A[j + 1], b = fmin(whole, end_A);
    if (!(whole > a)) continue;
    const double s = ((double)row[j + 1] - (double)row[j]) / (whole - a), at_zero = (double)row[j] - s * a;
    sum += photons ? at_zero * log(b / a) + s * (b - a) : at_zero * (1 / a - 1 / b) + s * log(b / a);
  }
  return photons ? sum / SDN_PLANCK_ERG_S : sum * SDN_LIGHT_A_PER_S;
}

double sdn_agn_grid_power(const sdn_grid *g, const int *node) { return grid_integral(g, node, HUGE_VAL, false); }
double sdn_agn_grid_photons(const sdn_grid *g, const int *node) { return grid_integral(g, node, SDN_LYMAN_LIMIT_A, true); }

sdn_status sdn_agn_grid_place(const sdn_agn_disc *d, const double *params, int *node, double *t, sdn_err *err)
{
  for (int a = 0; a < d->grid->n_axis; a++) {
    const sdn_grid_axis *axis = &d->grid->axis[a];
    node[a] = 0;
    t[a] = 0;
    if (d->axis_param[a] < 0) continue;
    const double value = params[d->axis_param[a]];
    if (!sdn_grid_locate(axis, value, false, &node[a], &t[a]))
      return sdn_fail(err, SDN_RANGE, "agn_%s %g is outside the grid %s, which has %g to %g", axis->name, value, d->grid->name, axis->value[0],
          axis->value[axis->n - 1]);
  }
  return SDN_OK;
}
