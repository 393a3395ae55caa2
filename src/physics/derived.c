/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "physics/derived.h"

#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "physics/derived_own.h"
#include "physics/galaxy_kernel.h"

#define LIGHT_A_S 2.99792458e18
#define PLANCK_ERG_S 6.62607015e-27   /* SI 2019 */
#define LEAST_SSFR_PER_YR 1e-12
/* Per Msun formed, below what any stars with dust or gas around them give: the logarithm of no light at all exists too, as a star formation rate of none does. */
#define LEAST_POWER_LSUN 1e-6
#define LEAST_LINE_LSUN 1e-10
#define LEAST_Q_UNIT 1e-10            /* 1e30/s */
#define AB_ZERO_NJY 31.4              /* magnitude of 1 nJy: 8.9 + 22.5 */
#define LOG_Q_UNIT 40.0               /* ionising photons are counted in 1e40/s: float32 holds them then */

int sdn_forward_n_derived(const sdn_forward *f) { return f->model->derived->n_item; }
int sdn_forward_n_derived_sfh(const sdn_forward *f) { return f->model->derived->n_sfh; }
const char *sdn_forward_derived_name(const sdn_forward *f, int i) { return f->model->derived->item[i].name; }
const char *sdn_forward_derived_unit(const sdn_forward *f, int i) { return f->model->derived->item[i].unit; }

/* ------------------------------------------------------------------ made ready */

static void free_placed(sdn_placed *p) { sdn_release(p->weight); }

void sdn_derived_free(sdn_derived *d)
{
  if (!d) return;
  for (int w = 0; d->window && w < d->plan->n_window; w++) free_placed(&d->window[w]);
  for (int l = 0; d->line && l < d->plan->n_line; l++) {
    sdn_observable_free(d->line[l].flux);
    sdn_observable_free(d->line[l].ew);
    free_placed(&d->line[l].continuum);
  }
  for (int i = 0; d->light && i < 2 * d->plan->n_item; i++) sdn_release(d->light[i].value);
  sdn_release(d->window);
  sdn_release(d->line);
  sdn_release(d->light);
  sdn_release(d->q_hi.value);
  sdn_release(d->need);
  sdn_release(d);
}

static sdn_status bind_line(const sdn_forward *f, const char *name, const char *prefix, sdn_observable **o, sdn_err *err)
{
  char id[SDN_DERIVED_NAME + 16];
  snprintf(id, sizeof id, "%s%s", prefix, name);
  if (sdn_observable_read(id, o, err) || sdn_observable_bind(*o, &f->lines, err)) return sdn_fail_in(err, "derived");
  return SDN_OK;
}

sdn_status sdn_derived_new(const sdn_forward *f, sdn_derived **out, sdn_err *err)
{
  const sdn_derived_plan *plan = f->model->derived;
  sdn_derived *d = sdn_alloc(1, sizeof *d, "derived quantities", err);
  if (!d) return err->status;
  d->plan = plan;
  sdn_status status = SDN_OK;
  d->window = sdn_alloc((size_t)plan->n_window, sizeof *d->window, "windows", err);
  d->line = d->window ? sdn_alloc((size_t)plan->n_line, sizeof *d->line, "lines", err) : NULL;
  d->light = d->line ? sdn_alloc(2 * (size_t)plan->n_item, sizeof *d->light, "light of ages", err) : NULL;
  if (!d->light) status = err->status;
  for (int l = 0; l < plan->n_line && !status; l++) {
    status = bind_line(f, plan->line[l], "line:", &d->line[l].flux, err);
    if (!status) status = bind_line(f, plan->line[l], "line_ew:", &d->line[l].ew, err);
  }
  if (status) sdn_derived_free(d);
  else *out = d;
  return status;
}

void sdn_derived_range(const sdn_derived *d, double *low_A, double *high_A)
{
  double low, high;
  for (int w = 0; w < d->plan->n_window; w++) {
    *low_A = fmin(*low_A, d->plan->window[w].filter->low_A);
    *high_A = fmax(*high_A, d->plan->window[w].filter->high_A);
  }
  for (int l = 0; l < d->plan->n_line; l++) {
    sdn_observable_reach(d->line[l].ew, 1, 0, &low, &high);
    *low_A = fmin(*low_A, low);
    *high_A = fmax(*high_A, high);
  }
}

/* Keeps weight [first .. last-1] and marks the blocks. */
static sdn_status keep(const sdn_forward *f, sdn_derived *d, const float *weight, sdn_placed *p, sdn_err *err)
{
  p->weight = sdn_alloc((size_t)(p->last - p->first), sizeof *p->weight, "a window", err);
  if (!p->weight) return err->status;
  memcpy(p->weight, weight + p->first, (size_t)(p->last - p->first) * sizeof *p->weight);
  p->covered = true;
  sdn_columns_need(&f->columns, f->columns.wave_A[p->first], f->columns.wave_A[p->last - 1], d->need);
  return SDN_OK;
}

static sdn_status place_windows(const sdn_forward *f, sdn_derived *d, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  float *weight = sdn_alloc((size_t)c->n_wave, sizeof *weight, "a window", err);
  sdn_status status = weight ? SDN_OK : err->status;
  for (int w = 0; w < d->plan->n_window && !status; w++) {
    sdn_placed *p = &d->window[w];
    if (sdn_filter_weights(d->plan->window[w].filter, c->n_wave, c->wave_A, 1, &p->first, &p->last, weight)) status = keep(f, d, weight, p, err);
  }
  for (int l = 0; l < d->plan->n_line && !status; l++) {
    sdn_placed *p = &d->line[l].continuum;
    if (sdn_observable_weights(d->line[l].ew, c->n_wave, c->wave_A, 1, 0, &p->first, &p->last, weight)) status = keep(f, d, weight, p, err);
  }
  sdn_release(weight);
  return status;
}

/* Features of indices, which are no windows; all lines; what decides the light of nucleus and dust. */
static void mark_rest(const sdn_forward *f, sdn_derived *d)
{
  const sdn_columns *c = &f->columns;
  bool shines = sdn_derived_wants_power(d->plan);
  for (int i = 0; i < d->plan->n_item; i++) {
    const sdn_derived_item *item = &d->plan->item[i];
    if (item->kind == SDN_DERIVE_INDEX || item->kind == SDN_DERIVE_INDEX_MAG) sdn_columns_need(c, item->x[0], item->x[1], d->need);
  }
  if (f->agn_column >= 0) d->need[f->agn_column / SDN_BLOCK] = 1;
  for (int b = f->dust_first / SDN_BLOCK; f->dust_emission && b < c->n_block_wave; b++) shines = shines || d->need[b];
  for (int b = c->n_block_wave; b < c->n_block_line; b++) d->need[b] = 1;
  for (int b = c->n_block_line; b < c->n_block; b++) d->need[b] = shines;
}

static int n_cell(const sdn_grid_table *t) { return t->n_age * t->n_metallicity * t->n_extra; }

/* One number for every cell of another table. */
static sdn_status new_table(const sdn_grid_table *like, sdn_grid_table *out, sdn_err *err)
{
  *out = *like;
  out->n_column = 1;
  out->value = sdn_alloc((size_t)n_cell(like), sizeof *out->value, "a number per cell of the grid", err);
  return out->value ? SDN_OK : err->status;
}

/* A table like the grid's incident spectra but with one number per cell: its mean in a filter, times `factor` and perhaps the node's age. Stays empty where the grid
 * does not reach. */
static sdn_status mean_table(const sdn_grid *g, const sdn_filter *filter, double factor, bool times_age, sdn_grid_table *out, sdn_err *err)
{
  const sdn_grid_table *t = &g->incident;
  int first, last;
  if (!t->value) return SDN_OK;
  float *weight = sdn_alloc((size_t)g->n_wave, sizeof *weight, "a window", err);
  if (!weight) return err->status;
  const bool reaches = sdn_filter_weights(filter, g->n_wave, g->wave_A, 1, &first, &last, weight);
  const sdn_status status = reaches ? new_table(t, out, err) : SDN_OK;
  for (int i = 0; out->value && i < n_cell(t); i++) {
    const double mean = factor * sdn_kernel_dot(last - first, weight + first, t->value + (size_t)i * (size_t)t->n_column + first);
    out->value[i] = (float)(times_age ? mean * g->axis[0].value[i / (t->n_metallicity * t->n_extra)] : mean);
  }
  sdn_release(weight);
  return status;
}

/* From the grid's own numbers, or by counting the photons of its incident spectra beyond the Lyman limit: Q = 1/h int L_nu dl/l. */
static sdn_status q_table(const sdn_grid *g, sdn_grid_table *out, sdn_err *err)
{
  const sdn_grid_table *t = &g->log_q_hi;
  const double edge_A[2] = {g->wave_A[0], SDN_LYMAN_LIMIT_A}, flat[2] = {1, 1};
  sdn_filter *filter = NULL;
  if (!t->value) {
    if (!(edge_A[1] > edge_A[0])) return SDN_OK;
    if (sdn_filter_new("ionising light", 2, edge_A, flat, true, &filter, err)) return err->status;
    const sdn_status status = mean_table(g, filter, filter->norm / PLANCK_ERG_S * pow(10, -LOG_Q_UNIT), false, out, err);
    sdn_filter_free(filter);
    return status;
  }
  if (new_table(t, out, err)) return err->status;
  for (int i = 0; i < n_cell(t); i++) out->value[i] = (float)pow(10, (double)t->value[i] - LOG_Q_UNIT);
  return SDN_OK;
}

sdn_status sdn_derived_place(const sdn_forward *f, sdn_derived *d, sdn_err *err)
{
  const sdn_derived_plan *plan = d->plan;
  const sdn_grid *g = f->model->grid;
  bool ionising = false;
  d->need = sdn_alloc((size_t)f->columns.n_block, 1, "wanted blocks", err);
  if (!d->need || place_windows(f, d, err)) return err->status;
  mark_rest(f, d);
  for (int i = 0; i < plan->n_item; i++) {
    const sdn_derived_item *item = &plan->item[i];
    ionising = ionising || item->kind == SDN_DERIVE_Q_HI || item->kind == SDN_DERIVE_XI_ION;
    for (int k = 0; k < 2 && item->kind == SDN_DERIVE_LIGHT_AGE; k++)
      if (mean_table(g, plan->window[item->window].filter, 1, k == 1, &d->light[2 * i + k], err)) return err->status;
  }
  return ionising ? q_table(g, &d->q_hi, err) : SDN_OK;
}

/* ------------------------------------------------------------------ history */

/* A magnitude or slope of nothing at all does not exist. */
static double finite_or_nan(double x) { return isfinite(x) ? x : NAN; }

/* NaN stays. */
static double log_floored(double x, double least) { return log10(x < least ? least : x); }

static double log_sfr(const sdn_forward *f, const sdn_galaxy *g, double span_yr)
{
  const double rate = sdn_galaxy_mass_since(f, g, span_yr) / span_yr;
  return isnan(rate) ? NAN : log10(g->mass_msun * fmax(rate, LEAST_SSFR_PER_YR));
}

static double mean_metallicity(const sdn_forward *f, const sdn_galaxy *g)
{
  const sdn_model *m = f->model;
  double sum = m->n_population ? 0 : NAN;
  for (int p = 0; p < m->n_population; p++) sum += g->share[p] * sdn_metallicity_mean(m->population[p].metallicity, g->params, &g->history[p]);
  return sum;
}

static double of_history(const sdn_forward *f, const sdn_galaxy *g, const sdn_derived_item *item)
{
  const double log_mass = log10(g->mass_msun);
  switch (item->kind) {
  case SDN_DERIVE_MASS_SURVIVING: return finite_or_nan(log_mass + log10(sdn_galaxy_sum_over_stars(f, g, &f->model->grid->star_fraction)));
  case SDN_DERIVE_SFR: return log_sfr(f, g, item->x[0]);
  case SDN_DERIVE_SSFR: {
    const double log_share = log10(sdn_galaxy_sum_over_stars(f, g, &f->model->grid->star_fraction));
    return log_sfr(f, g, 1e8) - log_mass - (isfinite(log_share) ? log_share : 0);
  }
  case SDN_DERIVE_MEAN_AGE: return 1e-9 * sdn_galaxy_mean_age_yr(f, g);
  case SDN_DERIVE_FORMED: return 1e-9 * sdn_galaxy_age_of_fraction(f, g, item->x[0]);
  case SDN_DERIVE_BURSTINESS: return log_sfr(f, g, 1e7) - log_sfr(f, g, 1e8);
  case SDN_DERIVE_METALLICITY: return finite_or_nan(log10(mean_metallicity(f, g)));
  default: return NAN;
  }
}

/* ------------------------------------------------------------------ spectrum */

static double dot(const sdn_placed *p, const float *spectrum) { return p->covered ? sdn_kernel_dot(p->last - p->first, p->weight, spectrum + p->first) : NAN; }

double sdn_derived_mean(const sdn_derived *d, const sdn_derived_light *l, int window)
{
  const sdn_derived_window *w = &d->plan->window[window];
  const sdn_columns *c = &l->f->columns;
  double lnu = dot(&d->window[window], l->spectrum);
  for (int k = 0; w->lines && k < c->n_line; k++)
    if (c->line_A[k] > w->filter->low_A && c->line_A[k] < w->filter->high_A)
      lnu += SDN_LSUN_ERG_S * (double)l->spectrum[c->line0 + k] * sdn_filter_line_response(w->filter, c->line_A[k]);
  return lnu;
}

static double beta_slope(const sdn_derived *d, const sdn_derived_light *l, int window)
{
  const double n = SDN_N_BETA_WINDOW;
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (int k = 0; k < SDN_N_BETA_WINDOW; k++) {
    const sdn_filter *f = d->plan->window[window + k].filter;
    const double area = f->low_A * f->high_A, x = 0.5 * log(area), y = log(sdn_derived_mean(d, l, window + k) / area);
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
  }
  return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

/* One galaxy, with all that is known of its light. */
typedef struct view {
  const sdn_forward *f;
  const sdn_derived *d;
  const sdn_galaxy *g;
  const sdn_light *light;
  int row;                       /* of the light's first beam */
  sdn_emergent emergent;
  sdn_line_light lines;          /* with the IGM's transmission */
  double njy_per_lnu;            /* at its redshift */
} view;

/* L_nu around 1500 A of stars and gas before dust, per Msun. */
static double intrinsic_uv(const view *v)
{
  const sdn_placed *p = &v->d->window[v->d->plan->uv];
  const double gas = (1 - v->g->escape) * (1 - v->g->dust_fraction);
  double sum = v->light->stars ? 0 : NAN;
  for (int b = 0; b < v->f->n_beam && v->light->stars; b++) {
    sum += dot(p, v->light->stars + (v->row + b) * v->light->stride);
    if (v->light->nebula) sum += gas * dot(p, v->light->nebula + (v->row + b) * v->light->stride_nebula);
  }
  return sum;
}

static double of_line(const view *v, const sdn_derived_item *item)
{
  const sdn_derived_line *line = &v->d->line[item->line];
  const sdn_observer where = {1 + v->g->redshift, v->njy_per_lnu, v->g->mass_msun};
  sdn_line_light bare = v->lines;
  bare.transmission = NULL;
  if (item->kind == SDN_DERIVE_LINE_FLUX) return sdn_observable_value(line->flux, 0, sdn_observable_lines(line->flux, &v->lines), &where);
  const double luminosity = sdn_observable_lines(line->flux, &bare);
  if (item->kind == SDN_DERIVE_LINE_LUMINOSITY) return log10(v->g->mass_msun) + log_floored(luminosity, LEAST_LINE_LSUN * SDN_LSUN_ERG_S);
  return line->continuum.covered ? luminosity / dot(&line->continuum, v->emergent.spectrum) : NAN;
}

static double of_stars(const view *v, const sdn_derived_item *item, int i)
{
  const sdn_grid_table *light = v->d->light + 2 * i;
  switch (item->kind) {
  case SDN_DERIVE_Q_HI: return log_floored(sdn_galaxy_sum_over_stars(v->f, v->g, &v->d->q_hi), LEAST_Q_UNIT) + log10(v->g->mass_msun) + LOG_Q_UNIT;
  case SDN_DERIVE_XI_ION: return log_floored(sdn_galaxy_sum_over_stars(v->f, v->g, &v->d->q_hi), LEAST_Q_UNIT) + LOG_Q_UNIT - log10(intrinsic_uv(v));
  default: return 1e-9 * sdn_galaxy_sum_over_stars(v->f, v->g, &light[1]) / sdn_galaxy_sum_over_stars(v->f, v->g, &light[0]);
  }
}

static double of_spectrum(const view *v, const sdn_derived_item *item, int i)
{
  const sdn_derived_light l = {v->f, v->emergent.spectrum};
  const double mass = v->g->mass_msun;
  switch (item->kind) {
  case SDN_DERIVE_MAGNITUDE: return AB_ZERO_NJY - 2.5 * log10(mass * sdn_cosmology_njy_per_lnu(v->f->model->cosmology, 0) * sdn_derived_mean(v->d, &l, item->window));
  case SDN_DERIVE_COLOUR: return -2.5 * log10(sdn_derived_mean(v->d, &l, item->window) / sdn_derived_mean(v->d, &l, item->other));
  case SDN_DERIVE_BETA: return beta_slope(v->d, &l, item->window);
  case SDN_DERIVE_RATIO: return (item->x[0] > 0 ? item->x[0] : 1) * sdn_derived_mean(v->d, &l, item->window) / sdn_derived_mean(v->d, &l, item->other);
  case SDN_DERIVE_INDEX:
  case SDN_DERIVE_INDEX_MAG: return sdn_derived_index(v->d, &l, item);
  case SDN_DERIVE_L_IR: return log10(mass) + log_floored(sdn_derived_mean(v->d, &l, item->window) * v->d->plan->window[item->window].filter->norm * LIGHT_A_S / SDN_LSUN_ERG_S, LEAST_POWER_LSUN);
  case SDN_DERIVE_L_DUST: return log10(mass) + log_floored(v->emergent.absorbed_lsun, LEAST_POWER_LSUN);
  case SDN_DERIVE_LINE_LUMINOSITY:
  case SDN_DERIVE_LINE_FLUX:
  case SDN_DERIVE_LINE_EW: return of_line(v, item);
  default: return of_stars(v, item, i);
  }
}

/* ------------------------------------------------------------------ many galaxies */

typedef struct derived_job { const sdn_forward *f; long n; const double *params; bool sfh_only; double *out; } derived_job;

static sdn_status spectra_of_tile(const sdn_forward *f, int n, const sdn_galaxy *g, long row0, double *out, sdn_arena *arena, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  const sdn_derived_plan *plan = f->model->derived;
  const size_t n_column = (size_t)c->n_block * SDN_BLOCK, n_block = (size_t)c->n_block;
  sdn_light light;
  unsigned char *need = sdn_arena_take(arena, (size_t)n * n_block, 1, err);
  float *scratch = sdn_arena_take(arena, SDN_SCRATCH, sizeof *scratch, err), *transmission = sdn_arena_take(arena, (size_t)c->n_line + 1, sizeof *transmission, err);
  view v = {.f = f, .d = f->derived, .light = &light, .emergent = {.spectrum = sdn_arena_take(arena, n_column, sizeof(float), err)}};
  if (!need || !scratch || !transmission || !v.emergent.spectrum) return err->status;
  for (int i = 0; i < n; i++) memcpy(need + (size_t)i * n_block, v.d->need, n_block);
  if (sdn_galaxies_light(f, n, g, need, &light, arena, err)) return err->status;
  for (int l = 0; l < c->n_line; l++) transmission[l] = 1;   /* the IGM's table ends with the reddest line that it touches */
  v.lines = (sdn_line_light){.n = c->n_line, .wave_A = c->line_A, .luminosity = v.emergent.spectrum + c->line0, .transmission = f->igm_line ? transmission : NULL, .unit = SDN_LSUN_ERG_S};
  for (int i = 0; i < n; i++) {
    v.g = &g[i];
    v.row = i * f->n_beam;
    if (sdn_galaxy_emerge(f, &g[i], &light, i, v.d->need, scratch, &v.emergent, err)) {
      err->row = row0 + i;
      return sdn_fail_in(err, "galaxy %ld", row0 + i);
    }
    v.njy_per_lnu = sdn_cosmology_njy_per_lnu(f->model->cosmology, g[i].redshift);
    if (f->igm_line && plan->n_line) sdn_igm_table_transmission(f->igm_line, g[i].redshift, g[i].igm_scale, transmission);
    for (int k = plan->n_sfh; k < plan->n_item; k++) out[i * plan->n_item + k] = finite_or_nan(of_spectrum(&v, &plan->item[k], k));
  }
  return SDN_OK;
}

static sdn_status derived_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const derived_job *job = ctx;
  const sdn_forward *f = job->f;
  const sdn_derived_plan *plan = f->model->derived;
  const long row0 = tile * SDN_TILE, left = job->n - row0;
  const int n = left < SDN_TILE ? (int)left : SDN_TILE, n_param = sdn_prior_n_param(f->model->prior), n_out = job->sfh_only ? plan->n_sfh : plan->n_item;
  double *out = job->out + row0 * n_out;
  sdn_galaxy *g = sdn_arena_take(arena, (size_t)n, sizeof *g, err);
  if (!g) return err->status;
  for (int i = 0; i < n; i++) {
    if (sdn_galaxy_prepare(f, job->params + (row0 + i) * n_param, row0 + i, &g[i], arena, err)) return err->status;
    for (int k = 0; k < plan->n_sfh; k++) out[i * n_out + k] = of_history(f, &g[i], &plan->item[k]);
  }
  return job->sfh_only ? SDN_OK : spectra_of_tile(f, n, g, row0, out, arena, err);
}

sdn_status sdn_forward_derived(const sdn_forward *f, long n, const double *params, bool sfh_only, double *derived, const sdn_run *run, sdn_err *err)
{
  derived_job job = {f, n, params, sfh_only, derived};
  if (n < 0) return sdn_fail(err, SDN_USAGE, "%ld galaxies asked for; their number must not be negative", n);
  return sdn_parallel_tiles((n + SDN_TILE - 1) / SDN_TILE, derived_tile, &job, run, NULL, err);
}
