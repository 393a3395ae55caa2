/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the spectra of a tile of galaxies to their fluxes in every band: IGM, redshift, filters, lines. */
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "base/sort.h"
#include "physics/galaxy.h"
#include "physics/galaxy_kernel.h"

#define FWHM_PER_SIGMA 2.3548200450309493   /* 2 sqrt(2 ln 2) */

/* What depends on redshift, IGM and velocities alone; galaxies are taken by ascending redshift, so equal ones share it. */
typedef struct at_redshift {
  double redshift, igm_scale, sigma_ln, njy_per_lnu;
  float *transmission, *line_transmission;   /* [n_igm], [n_line] */
  int *first, *last;                         /* [n_band] nodes of each band */
  float *weight;                             /* [n_band][n_wave] */
} at_redshift;

typedef struct work {
  at_redshift at;
  float *scratch, *spectrum;                 /* [SDN_SCRATCH], [columns] */
  double *line_sigma_ln, widest_ln;          /* [n_line], the largest of them */
} work;

static sdn_status take_work(const sdn_forward *f, work *w, sdn_arena *arena, sdn_err *err)
{
  const size_t n_column = (size_t)f->columns.n_block * SDN_BLOCK, n_band = (size_t)f->n_band + 1, n_line = (size_t)f->columns.n_line + 1;
  w->at = (at_redshift){.redshift = NAN};
  w->at.transmission = sdn_arena_take(arena, (size_t)f->n_igm + 1, sizeof(float), err);
  w->at.line_transmission = sdn_arena_take(arena, n_line, sizeof(float), err);
  w->at.first = sdn_arena_take(arena, n_band, sizeof(int), err);
  w->at.last = sdn_arena_take(arena, n_band, sizeof(int), err);
  w->at.weight = sdn_arena_take(arena, n_band * (size_t)f->columns.n_wave, sizeof(float), err);
  w->scratch = sdn_arena_take(arena, SDN_SCRATCH, sizeof(float), err);
  w->spectrum = sdn_arena_take(arena, n_column, sizeof(float), err);
  w->line_sigma_ln = sdn_arena_take(arena, n_line, sizeof(double), err);
  const bool ok = w->at.transmission && w->at.line_transmission && w->at.first && w->at.last && w->at.weight && w->scratch && w->spectrum && w->line_sigma_ln;
  return ok ? SDN_OK : err->status;
}

static bool same(double a, double b) { return a >= b && a <= b; }

static sdn_status set_redshift(const sdn_forward *f, const sdn_galaxy *g, const unsigned char *need, long row, at_redshift *at, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  const double z = g->redshift;
  if (same(at->redshift, z) && same(at->igm_scale, g->igm_scale) && same(at->sigma_ln, g->sigma_ln)) return SDN_OK;
  at->redshift = z;
  at->igm_scale = g->igm_scale;
  at->sigma_ln = g->sigma_ln;
  at->njy_per_lnu = sdn_cosmology_njy_per_lnu(f->model->cosmology, z);
  for (int b = 0; b < f->n_band; b++) {
    float *weight = at->weight + (size_t)b * (size_t)c->n_wave;
    if (!sdn_observable_weights(f->observable[b], c->n_wave, c->wave_A, 1 + z, g->sigma_ln, &at->first[b], &at->last[b], weight))
      return sdn_fail_row(err, SDN_RANGE, row, "galaxy %ld: band %s leaves the grid's wavelengths at redshift %g", row, f->observable[b]->id, z);
  }
  int first = 0;   /* the bands reach no bluer block */
  while (first < c->n_block_wave && !need[first]) first++;
  if (f->igm) sdn_igm_table_transmission_from(f->igm, first * SDN_BLOCK, z, g->igm_scale, at->transmission);
  for (int l = 0; l < c->n_line; l++) at->line_transmission[l] = 1;
  if (f->igm_line) sdn_igm_table_transmission(f->igm_line, z, g->igm_scale, at->line_transmission);
  return SDN_OK;
}

static void absorb(const sdn_forward *f, const at_redshift *at, const unsigned char *need, float *spectrum)
{
  for (int b = 0; b * SDN_BLOCK < f->n_igm; b++) {
    const int j = b * SDN_BLOCK, n = f->n_igm - j < SDN_BLOCK ? f->n_igm - j : SDN_BLOCK;
    if (need[b]) sdn_kernel_multiply(n, at->transmission + j, spectrum + j);
  }
}

/* Widths of the lines: the gas', or those of the nucleus. */
static void set_line_widths(const sdn_forward *f, const sdn_galaxy *g, work *w)
{
  const sdn_columns *c = &f->columns;
  w->widest_ln = 0;
  for (int l = 0; l < c->n_line; l++) {
    const int of_agn = -1 - c->line_source[l];
    w->line_sigma_ln[l] = of_agn < 0 ? g->gas_sigma_ln : sdn_agn_line_fwhm_km_s(f->model->agn, g->params, of_agn) / (FWHM_PER_SIGMA * SDN_LIGHT_KM_S);
    w->widest_ln = fmax(w->widest_ln, w->line_sigma_ln[l]);
  }
}

/* spectrum: as it leaves the galaxy's neighbourhood for us, IGM and all. */
static sdn_status measure(const sdn_forward *f, const sdn_galaxy *g, const work *w, long row, float *flux_nJy, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  const at_redshift *at = &w->at;
  const sdn_observer where = {.stretch = 1 + g->redshift, .njy_per_lnu = at->njy_per_lnu, .mass = g->mass_msun};
  const sdn_line_light lines = {.n = c->n_line, .wave_A = c->line_A, .luminosity = w->spectrum + c->line0, .transmission = at->line_transmission,
                                .sigma_ln = w->line_sigma_ln, .widest_ln = w->widest_ln, .stretch = where.stretch, .unit = SDN_LSUN_ERG_S};
  for (int b = 0; b < f->n_band; b++) {
    const int first = at->first[b];
    const double continuum = sdn_kernel_dot(at->last[b] - first, at->weight + (size_t)b * (size_t)c->n_wave + first, w->spectrum + first);
    flux_nJy[b] = (float)sdn_observable_value(f->observable[b], continuum, c->n_line ? sdn_observable_lines(f->observable[b], &lines) : 0, &where);
    if (!isfinite(flux_nJy[b]))
      return sdn_fail_row(err, SDN_NUMERIC, row, "galaxy %ld: its flux in band %s is %g nJy, not a finite number", row, f->observable[b]->id, (double)flux_nJy[b]);
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

/* Blocks that the bands reach at a galaxy's redshift; the lines' are always among them, and what decides the nucleus' and the dust's light. */
static void mark_need(const sdn_forward *f, const sdn_galaxy *g, unsigned char *need)
{
  const sdn_columns *c = &f->columns;
  memset(need, 0, (size_t)c->n_block);
  for (int b = 0; b < f->n_band; b++) {
    double low, high;
    sdn_observable_reach(f->observable[b], 1 + g->redshift, g->sigma_ln, &low, &high);
    if (low <= high) sdn_columns_need(c, low, high, need);
  }
  for (int b = c->n_block_wave; b < c->n_block_line; b++) need[b] = 1;
  if (f->agn_column >= 0) need[f->agn_column / SDN_BLOCK] = 1;
  bool shines = false;   /* does any band see the dust? */
  for (int b = f->dust_first / SDN_BLOCK; f->dust_emission && b < c->n_block_wave; b++) shines = shines || need[b];
  for (int b = c->n_block_line; b < c->n_block; b++) need[b] = shines;
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
    mark_need(f, &g[i], need + (size_t)i * n_block);
  }
  if (sdn_galaxies_light(f, n, g, need, &light, arena, err)) return err->status;
  sdn_sort(order, (size_t)n, sizeof *order, by_redshift);
  for (int k = 0; k < n; k++) {
    const int i = order[k].index;
    const unsigned char *needed = need + (size_t)i * n_block;
    sdn_emergent emergent = {.spectrum = w.spectrum};
    if (set_redshift(f, &g[i], needed, row0 + i, &w.at, err)) return err->status;
    if (sdn_galaxy_emerge(f, &g[i], &light, i, needed, w.scratch, &emergent, err)) {
      err->row = row0 + i;
      return sdn_fail_in(err, "galaxy %ld", row0 + i);
    }
    absorb(f, &w.at, needed, w.spectrum);
    set_line_widths(f, &g[i], &w);
    if (measure(f, &g[i], &w, row0 + i, flux_nJy + (size_t)i * (size_t)f->n_band, err)) return err->status;
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ many galaxies, in tiles */

#define TILE_BYTES (12 << 20)  /* of a tile's starlight: what a thread needs beside the grid */
#define MOST_ROWS 512
#define LEAST_ROWS 64
#define TILES_PER_THREAD 8     /* so that all threads end at much the same time */

typedef struct flux_job { const sdn_forward *f; long n; int tile; const double *params; float *flux_nJy; } flux_job;

/* Large tiles have more galaxies between the same nodes, which share what is read of the grid's spectra. What a galaxy gets does not depend on them. */
static int tile_rows(const sdn_forward *f, long n, const sdn_run *run)
{
  const long bytes = (long)sizeof(float) * SDN_BLOCK * f->columns.n_block * f->n_beam * ((f->stars != NULL) + (f->nebula != NULL));
  long rows = bytes > 0 ? TILE_BYTES / bytes : SDN_TILE;
  const long fair = n / ((long)sdn_n_thread(run) * TILES_PER_THREAD);
  if (rows > MOST_ROWS) rows = MOST_ROWS;
  if (rows > fair) rows = fair;
  return (int)(rows < LEAST_ROWS ? LEAST_ROWS : rows);
}

static sdn_status flux_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const flux_job *job = ctx;
  const sdn_forward *f = job->f;
  const long row0 = tile * job->tile, left = job->n - row0;
  const int n = left < job->tile ? (int)left : job->tile, n_param = sdn_prior_n_param(f->model->prior);
  sdn_galaxy *g = sdn_arena_take(arena, (size_t)n, sizeof *g, err);
  if (!g) return err->status;
  for (int i = 0; i < n; i++)
    if (sdn_galaxy_prepare(f, job->params + (row0 + i) * n_param, row0 + i, &g[i], arena, err)) return err->status;
  return sdn_galaxies_flux(f, n, g, row0, job->flux_nJy + row0 * f->n_band, arena, err);
}

sdn_status sdn_forward_flux(const sdn_forward *f, long n, const double *params, float *flux_nJy, const sdn_run *run, sdn_err *err)
{
  flux_job job = {f, n, n > 1 ? tile_rows(f, n, run) : 1, params, flux_nJy};
  if (n < 0) return sdn_fail(err, SDN_USAGE, "%ld galaxies asked for; their number must not be negative", n);
  return sdn_parallel_tiles((n + job.tile - 1) / job.tile, flux_tile, &job, run, NULL, err);
}

void sdn_forward_nodes(const sdn_forward *f, int *n_age, const double **age_yr, int *n_metallicity, const double **metallicity)
{
  const sdn_grid_axis *axis = f->model->grid->axis;
  *n_age = axis[0].n;
  *age_yr = axis[0].value;
  *n_metallicity = axis[1].n;
  *metallicity = axis[1].value;
}

sdn_status sdn_forward_flux_of_weights(const sdn_forward *f, long n, const double *params, const double *weight, float *flux_nJy, sdn_err *err)
{
  const int n_param = sdn_prior_n_param(f->model->prior);
  const size_t n_node = (size_t)f->model->grid->axis[0].n * (size_t)f->model->grid->axis[1].n;
  double metallicity;
  if (f->model->n_population != 1) return sdn_fail(err, SDN_USAGE, "a history on nodes needs a model of one population; this one has %d", f->model->n_population);
  if (f->model->grid->axis[1].n > 1 && sdn_model_fixed_metallicity(f->model, false, &metallicity))
    return sdn_fail(err, SDN_USAGE, "a history on metallicity nodes needs a model whose log_metallicity is not fixed");
  sdn_arena *arena = sdn_arena_new(err);
  if (!arena) return err->status;
  const sdn_arena_mark mark = sdn_arena_here(arena);
  sdn_status status = SDN_OK;
  for (long i = 0; i < n && !status; i++) {
    sdn_galaxy g;
    sdn_arena_back(arena, mark);
    status = sdn_galaxy_of_weights(f, params + i * n_param, weight + (size_t)i * n_node, i, &g, arena, err);
    if (!status) status = sdn_galaxies_flux(f, 1, &g, i, flux_nJy + i * f->n_band, arena, err);
  }
  sdn_arena_free(arena);
  return status;
}
