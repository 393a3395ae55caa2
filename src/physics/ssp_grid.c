/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From published populations to a grid. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "physics/grid_light.h"
#include "physics/grid_read.h"
#include "physics/ssp.h"

#define LIGHT_A_PER_S 2.99792458e18
#define FAINTEST_RATE 1e-30   /* stands for none where its logarithm is asked */
#define MOST_NUMBERS ((size_t)4 << 30)

sdn_status sdn_ssp_new(int n_metallicity, int n_age, int n_wave, bool living, sdn_ssp **out, sdn_err *err)
{
  *out = NULL;
  if (!(n_metallicity > 0 && n_age > 0 && n_wave > 1) || (size_t)n_metallicity * (size_t)n_age > MOST_NUMBERS / (size_t)n_wave)
    return sdn_fail(err, SDN_FORMAT, "%d metallicities, %d ages and %d wavelengths make no grid", n_metallicity, n_age, n_wave);
  sdn_ssp *s = sdn_alloc(1, sizeof *s, "stellar populations", err);
  if (!s) return err->status;
  const size_t n_cell = (size_t)n_metallicity * (size_t)n_age;
  *s = (sdn_ssp){.n_metallicity = n_metallicity, .n_age = n_age, .n_wave = n_wave};
  s->metallicity = sdn_alloc((size_t)n_metallicity, sizeof *s->metallicity, "metallicities", err);
  s->age_yr = sdn_alloc((size_t)n_age, sizeof *s->age_yr, "ages", err);
  s->wave_A = sdn_alloc((size_t)n_wave, sizeof *s->wave_A, "wavelengths", err);
  s->light = sdn_alloc(n_cell, (size_t)n_wave * sizeof *s->light, "spectra", err);
  if (living) s->living = sdn_alloc(n_cell, sizeof *s->living, "surviving masses", err);
  if (!s->metallicity || !s->age_yr || !s->wave_A || !s->light || (living && !s->living)) {
    sdn_ssp_free(s);
    return err->status;
  }
  *out = s;
  return SDN_OK;
}

void sdn_ssp_free(sdn_ssp *s)
{
  if (!s) return;
  sdn_release(s->metallicity);
  sdn_release(s->age_yr);
  sdn_release(s->wave_A);
  sdn_release(s->light);
  sdn_release(s->living);
  sdn_release(s);
}

static sdn_status check(const sdn_ssp *s, const char *name, sdn_err *err)
{
  for (int a = 0; a < s->n_age; a++)
    if (!(s->age_yr[a] >= 0 && s->age_yr[a] < HUGE_VAL) || (a && !(s->age_yr[a] > s->age_yr[a - 1])))
      return sdn_fail(err, SDN_FORMAT, "%s: ages must be ascending, but number %d is %g yr", name, a + 1, s->age_yr[a]);
  for (int j = 0; j < s->n_wave; j++)
    if (!(s->wave_A[j] > (j ? s->wave_A[j - 1] : 0) && s->wave_A[j] < HUGE_VAL))
      return sdn_fail(err, SDN_FORMAT, "%s: wavelengths must be positive and ascending, but number %d is %g A", name, j + 1, s->wave_A[j]);
  for (int m = 0; m < s->n_metallicity; m++)
    if (!(s->metallicity[m] > 0 && s->metallicity[m] < 1) && !(s->n_metallicity == 1 && s->metallicity[m] == 0))
      return sdn_fail(err, SDN_FORMAT, "%s: metallicity %g is not a mass fraction between 0 and 1; give one for each file by --metallicity", name, s->metallicity[m]);
  if (s->age_yr[s->n_age - 1] > 0) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "%s holds no population older than 0 yr", name);
}

typedef struct place { double value; int index; } place;

static int by_value(const void *a, const void *b)
{
  const double x = ((const place *)a)->value, y = ((const place *)b)->value;
  return x < y ? -1 : x > y;
}

/* All wavelengths in vacuum, one spectrum on them, and which are kept: first .. first + n - 1. */
typedef struct scratch { double *wave_A; float *lnu; int first, n; } scratch;

static sdn_status choose_wavelengths(const sdn_ssp *s, const sdn_ssp_way *way, scratch *x, sdn_err *err)
{
  *x = (scratch){sdn_alloc((size_t)s->n_wave, sizeof *x->wave_A, "wavelengths", err), sdn_alloc((size_t)s->n_wave, sizeof *x->lnu, "a spectrum", err), 0, 0};
  if (!x->wave_A || !x->lnu) return err->status;
  for (int j = 0; j < s->n_wave; j++) x->wave_A[j] = way->air && s->wave_A[j] > 2000 ? sdn_vacuum_A(s->wave_A[j]) : s->wave_A[j];
  int last = s->n_wave - 1;
  while (x->first < last - 1 && x->wave_A[x->first + 1] <= way->wave_low_A) x->first++;
  while (last > x->first + 1 && x->wave_A[last - 1] >= way->wave_high_A) last--;
  x->n = last - x->first + 1;
  return SDN_OK;
}

static sdn_status new_axis(sdn_grid_axis *a, const char *name, const char *unit, int n, sdn_err *err)
{
  snprintf(a->name, sizeof a->name, "%s", name);
  snprintf(a->unit, sizeof a->unit, "%s", unit);
  a->n = n;
  a->log = true;
  a->value = sdn_alloc((size_t)n, sizeof *a->value, "a grid axis", err);
  a->coordinate = sdn_alloc((size_t)n, sizeof *a->coordinate, "a grid axis", err);
  return a->value && a->coordinate ? SDN_OK : err->status;
}

static sdn_status new_table(int n_age, int n_metallicity, int n_column, sdn_grid_table *t, sdn_err *err)
{
  *t = (sdn_grid_table){.n_age = n_age, .n_metallicity = n_metallicity, .n_extra = 1, .n_column = n_column};
  t->value = sdn_alloc(sdn_grid_table_size(t), sizeof *t->value, "a grid table", err);
  return t->value ? SDN_OK : err->status;
}

/* One population: its spectrum as L_nu, its photons, its surviving mass. */
static sdn_status fill_cell(const sdn_ssp *s, sdn_grid *g, const scratch *x, int from_z, int from_age, size_t to, const char *name, sdn_err *err)
{
  const size_t cell = (size_t)from_z * (size_t)s->n_age + (size_t)from_age;
  const float *light = s->light + cell * (size_t)s->n_wave;
  for (int j = 0; j < s->n_wave; j++) {
    const double w = x->wave_A[j];
    x->lnu[j] = (float)((double)light[j] * s->unit_erg * (s->per_hz ? 1 : w * w / LIGHT_A_PER_S));
    if (!isfinite(x->lnu[j]))
      return sdn_fail(err, SDN_FORMAT, "%s: the spectrum at %g yr, metallicity %g, %g A is not finite", name, s->age_yr[from_age], s->metallicity[from_z], w);
  }
  memcpy(g->incident.value + to * (size_t)g->n_wave, x->lnu + x->first, (size_t)g->n_wave * sizeof *x->lnu);
  if (s->living) g->star_fraction.value[to] = (float)s->living[cell];
  if (s->living && !isfinite(g->star_fraction.value[to]))
    return sdn_fail(err, SDN_FORMAT, "%s: the surviving mass at %g yr, metallicity %g is not finite", name, s->age_yr[from_age], s->metallicity[from_z]);
  if (g->log_q_hi.value)
    g->log_q_hi.value[to] = (float)log10(fmax(sdn_photon_rate(s->n_wave, x->wave_A, x->lnu, 0, SDN_LYMAN_LIMIT_A), FAINTEST_RATE));
  return SDN_OK;
}

static sdn_status fill(const sdn_ssp *s, sdn_grid *g, const scratch *x, const place *order, const char *name, sdn_err *err)
{
  const int drop = s->n_age - g->axis[0].n;
  for (int a = 0; a < g->axis[0].n; a++) g->axis[0].value[a] = s->age_yr[a + drop];
  for (int m = 0; m < s->n_metallicity; m++) {
    g->axis[1].value[m] = order[m].value;
    if (m && !(order[m].value > order[m - 1].value))
      return sdn_fail(err, SDN_USAGE, "%s: metallicity %g is there twice; give each file its own by --metallicity", name, order[m].value);
    for (int a = 0; a < g->axis[0].n; a++)
      if (fill_cell(s, g, x, order[m].index, a + drop, (size_t)a * (size_t)s->n_metallicity + (size_t)m, name, err)) return err->status;
  }
  sdn_grid_set_axis_log(g, 0, true);
  sdn_grid_set_axis_log(g, 1, true);
  return SDN_OK;
}

static sdn_status make_grid(const sdn_ssp *s, const scratch *x, const place *order, const char *name, sdn_grid *g, sdn_err *err)
{
  const int n_age = s->n_age - (s->n_age > 1 && s->age_yr[0] == 0), n_z = s->n_metallicity;
  *g = (sdn_grid){.n_axis = 2, .has_ages = true, .has_metallicities = true, .weight = "initial_masses", .n_wave = x->n};
  if (!(g->wave_A = sdn_alloc((size_t)x->n, sizeof *g->wave_A, "wavelengths", err)) || !(g->name = sdn_copy_text(name, err)) || !(g->path = sdn_copy_text(name, err)))
    return err->status;
  memcpy(g->wave_A, x->wave_A + x->first, (size_t)x->n * sizeof *g->wave_A);
  if (new_axis(&g->axis[0], "ages", "yr", n_age, err) || new_axis(&g->axis[1], "metallicities", "dimensionless", n_z, err)) return err->status;
  if (new_table(n_age, n_z, x->n, &g->incident, err) || (s->living && new_table(n_age, n_z, 1, &g->star_fraction, err))) return err->status;
  if (x->wave_A[0] < SDN_LYMAN_LIMIT_A && new_table(n_age, n_z, 1, &g->log_q_hi, err)) return err->status;
  return fill(s, g, x, order, name, err);
}

sdn_status sdn_ssp_to_grid(const sdn_ssp *s, const sdn_ssp_way *way, const char *name, sdn_grid **out, sdn_err *err)
{
  scratch x = {0};
  *out = NULL;
  if (check(s, name, err)) return err->status;
  sdn_grid *g = sdn_alloc(1, sizeof *g, "a grid", err);
  place *order = sdn_alloc((size_t)s->n_metallicity, sizeof *order, "order of metallicities", err);
  sdn_status status = g && order ? choose_wavelengths(s, way, &x, err) : err->status;
  if (!status) {
    for (int m = 0; m < s->n_metallicity; m++) order[m] = (place){s->metallicity[m], m};
    qsort(order, (size_t)s->n_metallicity, sizeof *order, by_value);
    status = make_grid(s, &x, order, name, g, err);
  }
  if (!status) {
    *out = g;
    g = NULL;
  }
  sdn_release(x.wave_A);
  sdn_release(x.lnu);
  sdn_release(order);
  sdn_grid_free(g);
  return status;
}
