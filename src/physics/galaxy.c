/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making a model ready for a list of bands: everything that does not change from galaxy to galaxy. */
#include "physics/galaxy.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "physics/grid_light.h"

#define LY_ALPHA_A 1215.67

void sdn_forward_free(sdn_forward *f)
{
  if (!f) return;
  for (int b = 0; f->observable && b < f->n_band; b++) sdn_observable_free(f->observable[b]);
  sdn_release(f->observable);
  sdn_release((void *)f->lines.id);
  sdn_columns_free(&f->columns);
  sdn_energy_free(f->energy);
  sdn_panels_free(f->stars);
  sdn_panels_free(f->taken);
  sdn_panels_free(f->nebula);
  for (int k = 0; k <= SDN_MAX_POPULATION; k++) {
    sdn_attenuation_table_free(f->screens[k].ism);
    sdn_attenuation_table_free(f->screens[k].birth);
  }
  sdn_dust_table_free(f->dust_emission);
  sdn_agn_table_free(f->agn);
  sdn_release(f->power.value);
  sdn_igm_table_free(f->igm);
  sdn_igm_table_free(f->igm_line);
  sdn_derived_free(f->derived);
  sdn_release(f);
}

int sdn_forward_n_band(const sdn_forward *f) { return f->n_band; }
const sdn_model *sdn_forward_model(const sdn_forward *f) { return f->model; }
const sdn_observable *sdn_forward_observable(const sdn_forward *f, int band) { return f->observable[band]; }

static uint64_t hash_model(const sdn_model *m)
{
  uint64_t hash = sdn_hash_bytes(&m->grid->hash, sizeof m->grid->hash, 0);
  for (int k = 0; k < m->n_screens; k++) {
    hash = sdn_attenuation_hash(m->screens[k].ism, hash);
    if (m->screens[k].birth) hash = sdn_attenuation_hash(m->screens[k].birth, hash);
  }
  for (int p = 0; p < m->n_population; p++) hash = sdn_sfh_hash(m->population[p].sfh, hash);
  if (m->dust_emission) hash = sdn_dust_emission_hash(m->dust_emission, hash);
  if (m->agn) hash = sdn_agn_hash(m->agn, hash);
  return hash;
}

uint64_t sdn_forward_hash(const sdn_forward *f)
{
  uint64_t hash = hash_model(f->model);
  for (int b = 0; b < f->n_band; b++) hash = sdn_observable_hash(f->observable[b], hash);
  return sdn_prior_hash(f->model->prior, hash);
}

void sdn_forward_hash_text(const sdn_forward *f, char text[SDN_HASH_TEXT]) { snprintf(text, SDN_HASH_TEXT, "%016" PRIx64, sdn_forward_hash(f)); }

static sdn_status read_observables(sdn_forward *f, int n_band, const char *const *ids, sdn_err *err)
{
  f->observable = sdn_alloc((size_t)n_band, sizeof *f->observable, "observables", err);
  if (!f->observable) return err->status;
  f->n_band = n_band;
  for (int b = 0; b < n_band; b++)
    if (sdn_observable_read(ids[b], &f->observable[b], err)) return err->status;
  return SDN_OK;
}

/* The reddest wavelength that a model has light for: starlight ends with its grid, but dust and nucleus shine on. */
static double reddest_A(const sdn_model *m)
{
  const sdn_grid *g = m->grid;
  double red = g->wave_A[g->n_wave - 1];
  int n = 0;
  const double *dust = m->dust_emission ? sdn_dust_emission_waves_A(m->dust_emission, &n) : NULL;
  if (dust && n > 0) red = fmax(red, dust[n - 1]);
  const double *agn = m->agn ? sdn_agn_waves_A(m->agn, &n) : NULL;
  return agn && n > 0 ? fmax(red, agn[n - 1]) : red;
}

/* Rest wavelengths that an observable needs at any redshift and velocity dispersion that the prior allows; *low_A > *high_A: none. */
static void reach(const sdn_forward *f, const sdn_observable *o, double *low_A, double *high_A)
{
  double low, high, slowest, fastest;
  sdn_model_range(f->model, f->model->velocity_dispersion, 0, &slowest, &fastest);
  sdn_observable_reach(o, 1 + f->z_high, fastest / SDN_LIGHT_KM_S, low_A, &high);
  sdn_observable_reach(o, 1 + f->z_low, fastest / SDN_LIGHT_KM_S, &low, high_A);
}

/* Every band within the grid at every redshift that the prior allows. */
static sdn_status check_cover(const sdn_forward *f, sdn_err *err)
{
  const sdn_grid *g = f->model->grid;
  const double grid_low = g->wave_A[0], grid_high = reddest_A(f->model);
  for (int b = 0; b < f->n_band; b++) {
    const char *id = f->observable[b]->id;
    double low, high;
    reach(f, f->observable[b], &low, &high);
    if (!(low >= grid_low))
      return sdn_fail(err, SDN_RANGE, "band %s begins at %.0f A, which at redshift %g is rest %.0f A, but grid %s begins at %.0f A; lower the prior's highest redshift or leave the band out",
                      id, low * (1 + f->z_high), f->z_high, low, g->name, grid_low);
    if (!(high <= grid_high))
      return sdn_fail(err, SDN_RANGE, "band %s ends at %.0f A, which at redshift %g is rest %.0f A, but grid %s ends at %.0f A; raise the prior's lowest redshift or leave the band out",
                      id, high * (1 + f->z_low), f->z_low, high, g->name, grid_high);
  }
  return SDN_OK;
}

/* Rest wavelengths that any band can reach, and those of the rest-frame measurements as far as the grid has them. */
static void wanted_range(const sdn_forward *f, double *low_A, double *high_A)
{
  *low_A = HUGE_VAL;
  *high_A = 0;
  sdn_derived_range(f->derived, low_A, high_A);
  for (int b = 0; b < f->n_band; b++) {
    double low, high;
    reach(f, f->observable[b], &low, &high);
    *low_A = fmin(*low_A, low);
    *high_A = fmax(*high_A, high);
  }
  const double of_agn = f->model->agn ? sdn_agn_fraction_wave_A(f->model->agn) : NAN;   /* NaN: its power is a parameter */
  if (of_agn > 0) *low_A = fmin(*low_A, of_agn);
  if (of_agn > 0) *high_A = fmax(*high_A, of_agn);
  *high_A = fmin(*high_A, reddest_A(f->model));
}

/* ------------------------------------------------------------------ columns */

static sdn_status gather_extra(const sdn_model *m, double **extra, int *n, double **line, sdn_err *err)
{
  int n_dust = 0, n_agn = 0;
  const double *dust = m->dust_emission ? sdn_dust_emission_waves_A(m->dust_emission, &n_dust) : NULL;
  const double *agn = m->agn ? sdn_agn_waves_A(m->agn, &n_agn) : NULL;
  const int n_line = m->agn ? sdn_agn_n_line(m->agn) : 0;
  *extra = sdn_alloc((size_t)(n_dust + n_agn), sizeof **extra, "wavelengths", err);
  *line = sdn_alloc((size_t)n_line, sizeof **line, "lines", err);
  if (!*extra || !*line) return err->status;
  if (n_dust) memcpy(*extra, dust, (size_t)n_dust * sizeof **extra);
  if (n_agn) memcpy(*extra + n_dust, agn, (size_t)n_agn * sizeof **extra);
  for (int l = 0; l < n_line; l++) (*line)[l] = sdn_agn_line_wave_A(m->agn, l);
  *n = n_dust + n_agn;
  return SDN_OK;
}

/* Names for the lines, and which of them the observables mean. */
static sdn_status bind_lines(sdn_forward *f, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  const sdn_grid *g = f->model->grid;
  char **id = sdn_alloc((size_t)c->n_line, sizeof *id, "names of lines", err);
  if (!id) return err->status;
  for (int l = 0; l < c->n_line; l++) id[l] = c->line_source[l] >= 0 ? g->line_id[c->line_source[l]] : (char *)sdn_agn_line_id(f->model->agn, -1 - c->line_source[l]);
  f->lines = (sdn_line_list){c->n_line, id, c->line_A, f->model->nebular.shines || !g->lines.value ? g->name : "a model without gas (nebular: none)"};
  for (int b = 0; b < f->n_band; b++)
    if (sdn_observable_bind(f->observable[b], &f->lines, err)) return err->status;
  return SDN_OK;
}

/* spectrum_low_A .. spectrum_high_A: what the caller wants beside the bands. */
static sdn_status make_columns(sdn_forward *f, double spectrum_low_A, double spectrum_high_A, sdn_err *err)
{
  const sdn_model *m = f->model;
  const sdn_grid *g = m->grid;
  double *extra = NULL, *line = NULL;
  sdn_columns_plan plan = {.grid = g, .igm = m->igm, .lines = m->nebular.shines && g->lines.value, .energy = m->dust_emission || sdn_derived_wants_power(m->derived)};
  sdn_status status = gather_extra(m, &extra, &plan.n_extra, &line, err);
  plan.extra_A = extra;
  plan.n_agn_line = m->agn ? sdn_agn_n_line(m->agn) : 0;
  plan.agn_line_A = line;
  if (!status) status = sdn_columns_lines(&plan, &f->columns, err);
  if (!status) status = bind_lines(f, err);
  if (!status) status = sdn_derived_new(f, &f->derived, err);
  if (!status) status = check_cover(f, err);
  if (!status) wanted_range(f, &plan.low_A, &plan.high_A);
  plan.low_A = fmin(plan.low_A, spectrum_low_A);
  plan.high_A = fmax(plan.high_A, fmin(spectrum_high_A, reddest_A(m)));
  if (!status) status = sdn_columns_nodes(&plan, &f->columns, err);
  if (!status && f->columns.n_energy) status = sdn_energy_new(g->n_wave, g->wave_A, f->columns.n_energy, f->columns.energy_A, &f->energy, err);
  sdn_release(extra);
  sdn_release(line);
  return status;
}

/* ------------------------------------------------------------------ spectra of the grid */

/* Axes along which every galaxy stands at the same point: those tables are interpolated once, here. */
static void fix_axes(const sdn_model *m, bool gas, sdn_panel_source *s)
{
  double log_metallicity = 0, low, high;
  s->fixed[1] = sdn_model_fixed_metallicity(m, gas, &log_metallicity);
  const sdn_grid_axis *z = &m->grid->axis[1];
  if (s->fixed[1]) sdn_grid_locate_coordinate(z, z->log ? log_metallicity : pow(10, log_metallicity), true, &s->fixed_place.node[1], &s->fixed_place.t[1]);
  for (int a = 2; a < m->grid->n_axis; a++) {
    const sdn_grid_axis *axis = &m->grid->axis[a];
    sdn_model_range(m, m->axis_param[a], axis->value[0], &low, &high);
    s->fixed[a] = !(high > low);
    if (!s->fixed[a]) continue;
    double at = axis->log ? log10(low) : low;
    if (m->axis_param[a] >= 0 && m->axis_param[a] == m->nebular.log_u) at = axis->log ? low : pow(10, low);
    sdn_grid_locate_coordinate(axis, at, true, &s->fixed_place.node[a], &s->fixed_place.t[a]);
  }
}

/* The first block from which on `taken` is zero: gas takes the light below the Lyman limit only, in most grids. */
static int last_taken_block(const sdn_grid *g, const sdn_columns *c)
{
  double reddest = 0;
  const sdn_grid_table *i = &g->incident, *t = &g->transmitted;
  if (i->n_extra != t->n_extra) return c->n_block_wave;
  for (int a = 0; a < t->n_age; a++)
    for (int m = 0; m < t->n_metallicity; m++)
      for (int e = 0; e < t->n_extra; e++) {
        const float *x = sdn_grid_row(i, a, m, e), *y = sdn_grid_row(t, a, m, e);
        for (int j = g->n_wave - 1; j >= 0 && g->wave_A[j] > reddest; j--)
          if (x[j] < y[j] || x[j] > y[j]) reddest = j + 1 < g->n_wave ? g->wave_A[j + 1] : g->wave_A[j];
      }
  int n = 0;
  while (n < c->n_wave && c->wave_A[n] <= reddest) n++;
  return (n + SDN_BLOCK - 1) / SDN_BLOCK;
}

static sdn_status make_taken(sdn_forward *f, sdn_panel_source *s, sdn_err *err)
{
  const sdn_model *m = f->model;
  const sdn_columns *c = &f->columns;
  double escape[2], dust[2];
  sdn_model_range(m, m->nebular.escape, 0, &escape[0], &escape[1]);
  sdn_model_range(m, m->nebular.dust_fraction, 0, &dust[0], &dust[1]);
  const bool heats = dust[1] > 0 && c->n_energy > 0;
  const int n_taken = heats ? c->n_block : last_taken_block(m->grid, c);
  if ((!(escape[1] > 0) && !heats) || n_taken == 0) return SDN_OK;
  s->spectra = &m->grid->incident;
  s->minus = &m->grid->transmitted;
  s->lines = NULL;
  return sdn_panels_new(s, c, 0, n_taken, &f->taken, err);
}

static sdn_status make_panels(sdn_forward *f, sdn_err *err)
{
  const sdn_model *m = f->model;
  const sdn_grid *g = m->grid;
  const sdn_columns *c = &f->columns;
  sdn_panel_source s = {.grid = g, .spectra = m->nebular.shines ? &g->transmitted : &g->incident, .energy = f->energy};
  if (m->n_population == 0) return SDN_OK;
  fix_axes(m, false, &s);
  if (sdn_panels_new(&s, c, 0, c->n_block, &f->stars, err)) return err->status;
  if (!m->nebular.shines) return SDN_OK;
  if (make_taken(f, &s, err)) return err->status;
  fix_axes(m, true, &s);
  s.spectra = &g->nebular_continuum;
  s.minus = NULL;
  s.lines = g->lines.value ? &g->lines : NULL;
  return sdn_panels_new(&s, c, 0, c->n_block, &f->nebula, err);
}

/* ------------------------------------------------------------------ what stands in the way */

static sdn_status make_screens(sdn_forward *f, sdn_err *err)
{
  const sdn_model *m = f->model;
  const int n = f->columns.n_block * SDN_BLOCK;
  double *wave = sdn_alloc((size_t)n, sizeof *wave, "wavelengths", err);
  sdn_status status = wave ? SDN_OK : err->status;
  for (int j = 0; wave && j < n; j++) wave[j] = sdn_column_wave_A(&f->columns, j);
  for (int k = 0; k < m->n_screens && !status; k++) {
    status = sdn_attenuation_table_new(m->screens[k].ism, m->prior, n, wave, &f->screens[k].ism, err);
    if (!status && m->screens[k].birth) status = sdn_attenuation_table_new(m->screens[k].birth, m->prior, n, wave, &f->screens[k].birth, err);
  }
  sdn_release(wave);
  return status;
}

/* The whole light of each cell of the grid's stars, before any gas. */
static sdn_status make_power(const sdn_grid *g, sdn_grid_table *power, sdn_err *err)
{
  const sdn_grid_table *t = &g->incident;
  const int n_cell = t->n_age * t->n_metallicity * t->n_extra;
  *power = *t;
  power->n_column = 1;
  power->value = sdn_alloc((size_t)n_cell, sizeof *power->value, "bolometric luminosities", err);
  for (int i = 0; power->value && i < n_cell; i++)
    power->value[i] = (float)(sdn_luminosity(g->n_wave, g->wave_A, t->value + (size_t)i * (size_t)t->n_column, 0, HUGE_VAL) / SDN_LSUN_ERG_S);
  return power->value ? SDN_OK : err->status;
}

/* Dust that shines, and the active nucleus. */
static sdn_status make_emitters(sdn_forward *f, sdn_err *err)
{
  const sdn_model *m = f->model;
  const sdn_columns *c = &f->columns;
  f->agn_column = -1;
  if (m->dust_emission) {
    int n;
    const double first = sdn_dust_emission_waves_A(m->dust_emission, &n)[0];
    if (sdn_dust_table_new(m->dust_emission, m->prior, c->n_wave, c->wave_A, &f->dust_emission, err)) return err->status;
    while (f->dust_first < c->n_wave - 1 && c->wave_A[f->dust_first] < first) f->dust_first++;
  }
  if (!m->agn) return SDN_OK;
  if (sdn_agn_table_new(m->agn, m->prior, c->n_wave, c->wave_A, &f->agn, err)) return err->status;
  if (sdn_agn_is_by_stars(m->agn) && make_power(m->grid, &f->power, err)) return err->status;
  if (sdn_agn_fraction_wave_A(m->agn) > 0) f->agn_column = sdn_columns_find(c, sdn_agn_fraction_wave_A(m->agn));
  return SDN_OK;
}

/* The IGM's table on the nodes, and one on the lines. A line is absorbed as at its blue side, because what a galaxy's gas emits at a Lyman line meets that
 * line's absorbers next; so Lyman alpha, whatever rounding its wavelength in the grid has, stands just below 1215.67 A here (as in BAGPIPES). */
static sdn_status make_igm(sdn_forward *f, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  const double one_side = 1 - 1e-6;
  f->ly_alpha_line = -1;
  for (int l = 0; l < c->n_line; l++)
    if (c->line_source[l] >= 0 && fabs(c->line_A[l] - LY_ALPHA_A) < 0.4 && (f->ly_alpha_line < 0 || fabs(c->line_A[l] - LY_ALPHA_A) < fabs(c->line_A[f->ly_alpha_line] - LY_ALPHA_A)))
      f->ly_alpha_line = l;
  if (sdn_igm_is_none(f->model->igm)) return SDN_OK;
  if (sdn_igm_table_new(f->model->igm, c->n_wave, c->wave_A, f->z_high, &f->igm, err)) return err->status;
  f->n_igm = sdn_igm_table_n(f->igm);
  if (c->n_line == 0) return SDN_OK;
  double *wave = sdn_alloc((size_t)c->n_line, sizeof *wave, "line wavelengths", err);
  if (!wave) return err->status;
  for (int l = 0; l < c->n_line; l++) {
    const double w = l == f->ly_alpha_line ? fmin(c->line_A[l], LY_ALPHA_A) : c->line_A[l];
    wave[l] = w * one_side;
    if (l && wave[l] <= wave[l - 1]) wave[l] = wave[l - 1] * (1 + 1e-9);
  }
  const sdn_status status = sdn_igm_table_new(f->model->igm, c->n_line, wave, f->z_high, &f->igm_line, err);
  sdn_release(wave);
  return status;
}

static void make_beams(sdn_forward *f)
{
  for (int p = 0; p < f->model->n_population; p++) {
    const sdn_screens *s = f->model->population[p].screens;
    f->beam[f->n_beam++] = (sdn_beam_kind){p, false};
    if (s && s->birth) f->beam[f->n_beam++] = (sdn_beam_kind){p, true};
  }
}

sdn_status sdn_forward_new(const sdn_model *m, int n_band, const char *const *filter_ids, sdn_forward **out, sdn_err *err)
{
  return sdn_forward_new_over(m, n_band, filter_ids, HUGE_VAL, 0, out, err);
}

sdn_status sdn_forward_new_over(const sdn_model *m, int n_band, const char *const *filter_ids, double low_A, double high_A, sdn_forward **out, sdn_err *err)
{
  *out = NULL;
  if (n_band < 0) return sdn_fail(err, SDN_USAGE, "%d bands asked for; their number must not be negative", n_band);
  sdn_forward *f = sdn_alloc(1, sizeof *f, "a forward model", err);
  if (!f) return err->status;
  f->model = m;
  sdn_model_range(m, m->redshift, 0, &f->z_low, &f->z_high);
  make_beams(f);
  sdn_status status = read_observables(f, n_band, filter_ids, err);
  if (!status) status = make_columns(f, low_A, high_A, err);
  if (!status) status = make_panels(f, err);
  if (!status) status = make_screens(f, err);
  if (!status) status = make_emitters(f, err);
  if (!status) status = make_igm(f, err);
  if (!status) status = sdn_derived_place(f, f->derived, err);
  if (status) goto done;
  *out = f;
  f = NULL;
done:
  sdn_forward_free(f);
  return status;
}
