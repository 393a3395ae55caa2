/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Making a model ready for a list of bands: everything that does not change from galaxy to galaxy. */
#include "physics/galaxy.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

#define LY_ALPHA_A 1215.67

void sdn_forward_free(sdn_forward *f)
{
  if (!f) return;
  for (int b = 0; f->filter && b < f->n_band; b++) sdn_filter_free(f->filter[b]);
  sdn_release(f->filter);
  sdn_columns_free(&f->columns);
  sdn_panels_free(f->stars);
  sdn_panels_free(f->taken);
  sdn_panels_free(f->nebula);
  sdn_release(f->curve);
  sdn_release(f->base);
  sdn_release(f->drude);
  sdn_release(f->ln_wave);
  sdn_igm_table_free(f->igm);
  sdn_igm_table_free(f->igm_line);
  sdn_windows_free(f);
  sdn_release(f);
}

int sdn_forward_n_band(const sdn_forward *f) { return f->n_band; }
const sdn_model *sdn_forward_model(const sdn_forward *f) { return f->model; }
const sdn_filter *sdn_forward_filter(const sdn_forward *f, int band) { return f->filter[band]; }

/* Rounded to float32: nodes put into wide gaps come from the machine's pow, whose last bit is not the same everywhere. */
static uint64_t hash_numbers(int n, const double *x, uint64_t hash)
{
  for (int i = 0; i < n; i++) {
    const float rounded = (float)x[i];
    hash = sdn_hash_bytes(&rounded, sizeof rounded, hash);
  }
  return hash;
}

uint64_t sdn_forward_hash(const sdn_forward *f)
{
  uint64_t hash = sdn_hash_bytes(&f->model->grid->hash, sizeof f->model->grid->hash, 0);
  for (int b = 0; b < f->n_band; b++) {
    const sdn_filter *filter = f->filter[b];
    const unsigned char counts = filter->photon_counting;
    hash = sdn_hash_bytes(&counts, 1, hash);
    hash = hash_numbers(filter->n, filter->wave_A, hash);
    hash = hash_numbers(filter->n, filter->throughput, hash);
  }
  return sdn_prior_hash(f->model->prior, hash);
}

void sdn_forward_hash_text(const sdn_forward *f, char text[SDN_HASH_TEXT]) { snprintf(text, SDN_HASH_TEXT, "%016" PRIx64, sdn_forward_hash(f)); }

static void slot_range(const sdn_model *m, int param, double *low, double *high)
{
  *low = *high = 0;
  if (param >= 0) sdn_prior_param_range(m->prior, param, low, high);
}

static sdn_status read_filters(sdn_forward *f, int n_band, const char *const *ids, sdn_err *err)
{
  f->filter = sdn_alloc((size_t)n_band, sizeof *f->filter, "filters", err);
  if (!f->filter) return err->status;
  f->n_band = n_band;
  for (int b = 0; b < n_band; b++)
    if (sdn_filter_read(ids[b], &f->filter[b], err)) return err->status;
  return SDN_OK;
}

/* Every band within the grid at every redshift that the prior allows. */
static sdn_status check_cover(const sdn_forward *f, sdn_err *err)
{
  const sdn_grid *g = f->model->grid;
  const double grid_low = g->wave_A[0], grid_high = g->wave_A[g->n_wave - 1];
  for (int b = 0; b < f->n_band; b++) {
    const sdn_filter *band = f->filter[b];
    if (!(band->low_A / (1 + f->z_high) >= grid_low))
      return sdn_fail(err, SDN_RANGE, "band %s begins at %.0f A, which at redshift %g is rest %.0f A, but grid %s begins at %.0f A; lower the prior's highest redshift or leave the band out",
                      band->id, band->low_A, f->z_high, band->low_A / (1 + f->z_high), g->name, grid_low);
    if (!(band->high_A / (1 + f->z_low) <= grid_high))
      return sdn_fail(err, SDN_RANGE, "band %s ends at %.0f A, which at redshift %g is rest %.0f A, but grid %s ends at %.0f A; raise the prior's lowest redshift or leave the band out",
                      band->id, band->high_A, f->z_low, band->high_A / (1 + f->z_low), g->name, grid_high);
  }
  return SDN_OK;
}

/* Rest wavelengths that any band can reach, and those of the rest-frame measurements as far as the grid has them. */
static void wanted_range(const sdn_forward *f, double *low_A, double *high_A)
{
  sdn_windows_range(low_A, high_A);
  for (int b = 0; b < f->n_band; b++) {
    *low_A = fmin(*low_A, f->filter[b]->low_A / (1 + f->z_high));
    *high_A = fmax(*high_A, f->filter[b]->high_A / (1 + f->z_low));
  }
}

/* Axes along which every galaxy stands at the same point: those tables are interpolated once, here. */
static void fix_axes(const sdn_model *m, sdn_panel_source *s)
{
  for (int a = 1; a < m->grid->n_axis; a++) {
    double low, high;
    slot_range(m, m->axis_param[a], &low, &high);
    s->fixed[a] = !(high > low);
    if (!s->fixed[a]) continue;
    double params_at = low;   /* of the one parameter that matters here */
    const sdn_grid_axis *axis = &m->grid->axis[a];
    const bool is_log = m->axis_param[a] == m->param[SDN_SLOT_LOG_U] || m->axis_param[a] == m->param[SDN_SLOT_LOG_METALLICITY];
    if (m->axis_param[a] < 0) params_at = axis->coordinate[0];
    else if (is_log) params_at = axis->log ? low : pow(10, low);
    else if (axis->log) params_at = log10(low);
    sdn_grid_locate_coordinate(axis, params_at, true, &s->fixed_place.node[a], &s->fixed_place.t[a]);
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

static sdn_status make_panels(sdn_forward *f, sdn_err *err)
{
  const sdn_model *m = f->model;
  const sdn_grid *g = m->grid;
  const sdn_columns *c = &f->columns;
  double escape_low, escape_high;
  sdn_panel_source s = {.grid = g, .spectra = m->nebular ? &g->transmitted : &g->incident};
  fix_axes(m, &s);
  if (sdn_panels_new(&s, c, 0, c->n_block_wave, &f->stars, err)) return err->status;
  if (!m->nebular) return SDN_OK;
  s.spectra = &g->nebular_continuum;
  s.lines = g->lines.value ? &g->lines : NULL;
  if (sdn_panels_new(&s, c, 0, c->n_block, &f->nebula, err)) return err->status;
  slot_range(m, m->param[SDN_SLOT_ESCAPE], &escape_low, &escape_high);
  const int n_taken = last_taken_block(g, c);
  if (!(escape_high > 0) || n_taken == 0) return SDN_OK;
  s.spectra = &g->incident;
  s.minus = &g->transmitted;
  s.lines = NULL;
  return sdn_panels_new(&s, c, 0, n_taken, &f->taken, err);
}

static void fill_curve(sdn_forward *f, double slope, double bump)
{
  const sdn_columns *c = &f->columns;
  for (int j = 0; j < c->n_block * SDN_BLOCK; j++) {
    const int line = j - c->line0;
    const double w = j < c->n_wave ? c->wave_A[j] : line >= 0 && line < c->n_line ? c->line_A[line] : 5500;
    f->curve[j] = (float)sdn_attenuation_curve(f->model->dust, slope, bump, w);
    f->base[j] = (float)sdn_attenuation_base(f->model->dust, w);
    f->drude[j] = (float)sdn_attenuation_drude(w);
    f->ln_wave[j] = (float)log(w / 5500);
  }
}

static sdn_status make_curve(sdn_forward *f, sdn_err *err)
{
  const sdn_model *m = f->model;
  const size_t n = (size_t)f->columns.n_block * SDN_BLOCK;
  double slope[2], bump[2];
  if (m->dust == SDN_ATTENUATION_NONE) return SDN_OK;
  slot_range(m, m->param[SDN_SLOT_DUST_SLOPE], &slope[0], &slope[1]);
  slot_range(m, m->param[SDN_SLOT_DUST_BUMP], &bump[0], &bump[1]);
  f->curve_is_fixed = !(slope[1] > slope[0]) && !(bump[1] > bump[0]);
  f->curve = sdn_alloc(n, sizeof *f->curve, "an attenuation curve", err);
  f->base = sdn_alloc(n, sizeof *f->base, "an attenuation curve", err);
  f->drude = sdn_alloc(n, sizeof *f->drude, "an attenuation curve", err);
  f->ln_wave = sdn_alloc(n, sizeof *f->ln_wave, "an attenuation curve", err);
  if (!f->curve || !f->base || !f->drude || !f->ln_wave) return err->status;
  fill_curve(f, slope[0], bump[0]);
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
    if (fabs(c->line_A[l] - LY_ALPHA_A) < 0.4 && (f->ly_alpha_line < 0 || fabs(c->line_A[l] - LY_ALPHA_A) < fabs(c->line_A[f->ly_alpha_line] - LY_ALPHA_A)))
      f->ly_alpha_line = l;
  if (f->model->igm == SDN_IGM_NONE) return SDN_OK;
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

sdn_status sdn_forward_new(const sdn_model *m, int n_band, const char *const *filter_ids, sdn_forward **out, sdn_err *err)
{
  return sdn_forward_new_over(m, n_band, filter_ids, HUGE_VAL, 0, out, err);
}

sdn_status sdn_forward_new_over(const sdn_model *m, int n_band, const char *const *filter_ids, double spectrum_low_A, double spectrum_high_A, sdn_forward **out,
                                sdn_err *err)
{
  double low_A, high_A;
  *out = NULL;
  if (n_band < 0) return sdn_fail(err, SDN_USAGE, "%d bands asked for; their number must not be negative", n_band);
  sdn_forward *f = sdn_alloc(1, sizeof *f, "a forward model", err);
  if (!f) return err->status;
  f->model = m;
  slot_range(m, m->param[SDN_SLOT_REDSHIFT], &f->z_low, &f->z_high);
  sdn_status status = read_filters(f, n_band, filter_ids, err);
  if (!status) status = check_cover(f, err);
  if (status) goto done;
  wanted_range(f, &low_A, &high_A);
  low_A = fmin(low_A, spectrum_low_A);
  high_A = fmax(high_A, spectrum_high_A);
  status = sdn_columns_new(m->grid, m->igm, m->nebular && m->grid->lines.value, low_A, high_A, &f->columns, err);
  if (!status) status = make_panels(f, err);
  if (!status) status = make_curve(f, err);
  if (!status) status = make_igm(f, err);
  if (!status) status = sdn_windows_new(f, err);
  if (status) goto done;
  *out = f;
  f = NULL;
done:
  sdn_forward_free(f);
  return status;
}
