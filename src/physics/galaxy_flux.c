/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the spectra of a tile of galaxies to their fluxes in every band: IGM, redshift, filters, lines. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "physics/galaxy.h"
#include "physics/galaxy_kernel.h"

/* What depends on redshift alone; galaxies are taken by ascending redshift, so equal ones share it. */
typedef struct at_redshift {
  double redshift, igm_scale, njy_per_lnu;
  float *transmission, *line_transmission;   /* [n_igm], [n_line] */
  int *first, *last;                         /* [n_band] nodes of each band */
  float *weight;                             /* [n_band][n_wave] */
} at_redshift;

typedef struct work {
  at_redshift at;
  float *scratch, *spectrum;                 /* [columns] */
} work;

static sdn_status take_work(const sdn_forward *f, work *w, sdn_arena *arena, sdn_err *err)
{
  const size_t n_column = (size_t)f->columns.n_block * SDN_BLOCK, n_band = (size_t)f->n_band + 1;
  w->at = (at_redshift){.redshift = NAN, .igm_scale = NAN};
  w->at.transmission = sdn_arena_take(arena, (size_t)f->n_igm + 1, sizeof(float), err);
  w->at.line_transmission = sdn_arena_take(arena, (size_t)f->columns.n_line + 1, sizeof(float), err);
  w->at.first = sdn_arena_take(arena, n_band, sizeof(int), err);
  w->at.last = sdn_arena_take(arena, n_band, sizeof(int), err);
  w->at.weight = sdn_arena_take(arena, n_band * (size_t)f->columns.n_wave, sizeof(float), err);
  w->scratch = sdn_arena_take(arena, n_column, sizeof(float), err);
  w->spectrum = sdn_arena_take(arena, n_column, sizeof(float), err);
  const bool ok = w->at.transmission && w->at.line_transmission && w->at.first && w->at.last && w->at.weight && w->scratch && w->spectrum;
  return ok ? SDN_OK : err->status;
}

static void set_igm(const sdn_forward *f, double z, double scale, at_redshift *at)
{
  if (at->igm_scale >= scale && at->igm_scale <= scale) return;
  at->igm_scale = scale;
  if (f->igm) sdn_igm_table_transmission(f->igm, z, scale, at->transmission);
  for (int l = 0; l < f->columns.n_line; l++) at->line_transmission[l] = 1;
  if (f->igm_line) sdn_igm_table_transmission(f->igm_line, z, scale, at->line_transmission);
}

static sdn_status set_redshift(const sdn_forward *f, double z, long row, at_redshift *at, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  if (at->redshift >= z && at->redshift <= z) return SDN_OK;
  at->redshift = z;
  at->njy_per_lnu = sdn_cosmology_njy_per_lnu(f->model->cosmology, z);
  for (int b = 0; b < f->n_band; b++)
    if (!sdn_filter_weights(f->filter[b], c->n_wave, c->wave_A, 1 + z, &at->first[b], &at->last[b], at->weight + (size_t)b * (size_t)c->n_wave))
      return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: band %s leaves the grid's wavelengths at redshift %g", row, f->filter[b]->id, z);
  at->igm_scale = NAN;
  return SDN_OK;
}

static void absorb(const sdn_forward *f, const at_redshift *at, const unsigned char *need, float *spectrum)
{
  for (int b = 0; b * SDN_BLOCK < f->n_igm; b++) {
    const int j = b * SDN_BLOCK, n = f->n_igm - j < SDN_BLOCK ? f->n_igm - j : SDN_BLOCK;
    if (need[b]) sdn_kernel_multiply(n, at->transmission + j, spectrum + j);
  }
}

/* The first line redder than wave_A (rest). */
static int first_line_above(const sdn_columns *c, double wave_A)
{
  int low = 0, high = c->n_line;
  while (low < high) {
    const int mid = (low + high) / 2;
    if (c->line_A[mid] > wave_A) high = mid; else low = mid + 1;
  }
  return low;
}

/* What lines add to a band, as L_nu: a line of luminosity L has flux L / (4 pi d_L^2), while nJy per L_nu holds (1 + z) / (4 pi d_L^2). */
static double lines_in_band(const sdn_forward *f, const at_redshift *at, const sdn_filter *band, const float *luminosity)
{
  const sdn_columns *c = &f->columns;
  const double stretch = 1 + at->redshift;
  double sum = 0;
  for (int l = first_line_above(c, band->low_A / stretch); l < c->n_line && c->line_A[l] * stretch < band->high_A; l++)
    if (luminosity[l] > 0)
      sum += (double)luminosity[l] * (double)at->line_transmission[l] * sdn_filter_line_response(band, c->line_A[l] * stretch);
  return sum / stretch;
}

static sdn_status band_fluxes(const sdn_forward *f, const sdn_galaxy *g, const at_redshift *at, const float *spectrum, long row, float *flux_nJy, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  for (int b = 0; b < f->n_band; b++) {
    const int first = at->first[b];
    double lnu = sdn_kernel_dot(at->last[b] - first, at->weight + (size_t)b * (size_t)c->n_wave + first, spectrum + first);
    if (c->n_line) lnu += lines_in_band(f, at, f->filter[b], spectrum + c->line0);
    flux_nJy[b] = (float)(lnu * g->mass_msun * at->njy_per_lnu);
    if (!isfinite(flux_nJy[b]))
      return sdn_fail_row(err, SDN_NUMERIC, row, "galaxy %ld: its flux in band %s is %g nJy, not a finite number", row, f->filter[b]->id, (double)flux_nJy[b]);
  }
  return SDN_OK;
}

typedef struct entry { double redshift; int index; } entry;

static int by_redshift(const void *a, const void *b)
{
  const entry *x = a, *y = b;
  if (x->redshift < y->redshift) return -1;
  if (x->redshift > y->redshift) return 1;
  return x->index - y->index;
}

/* Blocks that the bands reach at a galaxy's redshift; the lines' are always among them. */
static void mark_need(const sdn_forward *f, double redshift, unsigned char *need)
{
  const sdn_columns *c = &f->columns;
  memset(need, 0, (size_t)c->n_block);
  for (int b = 0; b < f->n_band; b++)
    sdn_columns_need(c, f->filter[b]->low_A / (1 + redshift), f->filter[b]->high_A / (1 + redshift), need);
  for (int b = c->n_block_wave; b < c->n_block; b++) need[b] = 1;
}

sdn_status sdn_galaxies_flux(const sdn_forward *f, int n, const sdn_galaxy *g, long row0, float *flux_nJy, sdn_arena *arena, sdn_err *err)
{
  const size_t n_block = (size_t)f->columns.n_block;
  work w;
  sdn_light light;
  entry *order = sdn_arena_take(arena, (size_t)n, sizeof *order, err);
  unsigned char *need = sdn_arena_take(arena, (size_t)n * n_block, 1, err);
  if (!order || !need || take_work(f, &w, arena, err)) return err->status;
  for (int i = 0; i < n; i++) {
    order[i] = (entry){g[i].redshift, i};
    mark_need(f, g[i].redshift, need + (size_t)i * n_block);
  }
  if (sdn_galaxies_light(f, n, g, need, &light, arena, err)) return err->status;
  qsort(order, (size_t)n, sizeof *order, by_redshift);
  for (int k = 0; k < n; k++) {
    const int i = order[k].index;
    const unsigned char *needed = need + (size_t)i * n_block;
    if (set_redshift(f, g[i].redshift, row0 + i, &w.at, err)) return err->status;
    set_igm(f, g[i].redshift, g[i].igm_scale, &w.at);
    sdn_galaxy_emerge(f, &g[i], &light, i, needed, w.scratch, w.spectrum);
    absorb(f, &w.at, needed, w.spectrum);
    if (band_fluxes(f, &g[i], &w.at, w.spectrum, row0 + i, flux_nJy + (size_t)i * (size_t)f->n_band, err)) return err->status;
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ many galaxies, in tiles */

typedef struct flux_job { const sdn_forward *f; long n; const double *params; float *flux_nJy; } flux_job;

static sdn_status flux_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const flux_job *job = ctx;
  const sdn_forward *f = job->f;
  const long row0 = tile * SDN_TILE, left = job->n - row0;
  const int n = left < SDN_TILE ? (int)left : SDN_TILE, n_param = sdn_prior_n_param(f->model->prior);
  sdn_galaxy *g = sdn_arena_take(arena, (size_t)n, sizeof *g, err);
  if (!g) return err->status;
  for (int i = 0; i < n; i++)
    if (sdn_galaxy_prepare(f, job->params + (row0 + i) * n_param, row0 + i, &g[i], arena, err)) return err->status;
  return sdn_galaxies_flux(f, n, g, row0, job->flux_nJy + row0 * f->n_band, arena, err);
}

sdn_status sdn_forward_flux(const sdn_forward *f, long n, const double *params, float *flux_nJy, const sdn_run *run, sdn_err *err)
{
  flux_job job = {f, n, params, flux_nJy};
  if (n < 0) return sdn_fail(err, SDN_USAGE, "%ld galaxies asked for; their number must not be negative", n);
  return sdn_parallel_tiles((n + SDN_TILE - 1) / SDN_TILE, flux_tile, &job, run, NULL, err);
}

/* A history on nodes is a sum of galaxies, one per metallicity node. */
static sdn_status flux_of_nodes(const sdn_forward *f, const double *params, const double *weight, long row, float *flux_nJy, sdn_arena *arena, sdn_err *err)
{
  const int n_age = f->model->grid->axis[0].n, n_z = f->model->grid->axis[1].n;
  sdn_galaxy *g = sdn_arena_take(arena, (size_t)n_z, sizeof *g, err);
  float *flux = sdn_arena_take(arena, (size_t)n_z * (size_t)f->n_band, sizeof *flux, err);
  if (!g || !flux) return err->status;
  for (int k = 0; k < n_z; k++) {
    if (sdn_galaxy_place(f, params, row, &g[k], err)) return err->status;
    g[k].place.node[1] = k > 0 ? k - 1 : 0;   /* node k is the upper end of its interval, the first the lower end of its own */
    g[k].place.t[1] = k > 0;
    g[k].weight = sdn_arena_take(arena, (size_t)n_age, sizeof *g[k].weight, err);
    if (!g[k].weight) return err->status;
    g[k].n_age = n_age;
    g[k].mass_msun = 0;
    for (int a = 0; a < n_age; a++) g[k].mass_msun += weight[a * n_z + k];
    for (int a = 0; a < n_age; a++) g[k].weight[a] = g[k].mass_msun > 0 ? (float)(weight[a * n_z + k] / g[k].mass_msun) : 0;
  }
  if (sdn_galaxies_flux(f, n_z, g, row, flux, arena, err)) return err->status;
  for (int b = 0; b < f->n_band; b++) {
    double sum = 0;
    for (int k = 0; k < n_z; k++) sum += (double)flux[k * f->n_band + b];
    flux_nJy[b] = (float)sum;
  }
  return SDN_OK;
}

sdn_status sdn_forward_flux_of_weights(const sdn_forward *f, long n, const double *params, const double *weight, float *flux_nJy, sdn_err *err)
{
  const int n_param = sdn_prior_n_param(f->model->prior);
  const size_t n_node = (size_t)f->model->grid->axis[0].n * (size_t)f->model->grid->axis[1].n;
  double low, high;
  sdn_prior_param_range(f->model->prior, f->model->param[SDN_SLOT_LOG_METALLICITY], &low, &high);
  if (!(high > low)) return sdn_fail(err, SDN_USAGE, "a history on metallicity nodes needs a model whose log_metallicity is not fixed");
  sdn_arena *arena = sdn_arena_new(err);
  if (!arena) return err->status;
  const sdn_arena_mark mark = sdn_arena_here(arena);
  sdn_status status = SDN_OK;
  for (long i = 0; i < n && !status; i++) {
    sdn_arena_back(arena, mark);
    status = flux_of_nodes(f, params + i * n_param, weight + (size_t)i * n_node, i, flux_nJy + i * f->n_band, arena, err);
  }
  sdn_arena_free(arena);
  return status;
}
