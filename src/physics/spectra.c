/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What leaves a galaxy, resolved: many spectra at once, lines one by one, and the history behind them. */
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "physics/galaxy.h"

#define LIGHT_A_PER_S 2.99792458e18
#define ERG_S_CM2_HZ_PER_NJY 1e-32

const double *sdn_forward_wave_A(const sdn_forward *f, long *n_wave)
{
  *n_wave = f->columns.n_wave;
  return f->columns.wave_A;
}

int sdn_forward_n_line(const sdn_forward *f) { return f->columns.n_line; }
const char *sdn_forward_line_name(const sdn_forward *f, int line) { return f->model->grid->line_id[line]; }
double sdn_forward_line_wave_A(const sdn_forward *f, int line) { return f->columns.line_A[line]; }

/* A tile of galaxies prepared, and their light before dust on the needed blocks. */
typedef struct lit_tile {
  int n;
  sdn_galaxy *galaxy;
  sdn_light light;
  unsigned char *need;           /* [n_block], the same for all */
  float *scratch, *spectrum;     /* [columns], of one galaxy */
} lit_tile;

static sdn_status light_up(const sdn_forward *f, long row0, int n, const double *params, lit_tile *t, sdn_arena *arena, sdn_err *err)
{
  const size_t n_block = (size_t)f->columns.n_block, n_column = n_block * SDN_BLOCK;
  const int n_param = sdn_prior_n_param(f->model->prior);
  t->n = n;
  t->galaxy = sdn_arena_take(arena, (size_t)n, sizeof *t->galaxy, err);
  t->scratch = sdn_arena_take(arena, n_column, sizeof *t->scratch, err);
  t->spectrum = sdn_arena_take(arena, n_column, sizeof *t->spectrum, err);
  unsigned char *needs = sdn_arena_take(arena, (size_t)n * n_block, 1, err);
  if (!t->galaxy || !t->scratch || !t->spectrum || !needs) return err->status;
  for (int i = 0; i < n; i++) {
    memcpy(needs + (size_t)i * n_block, t->need, n_block);
    if (sdn_galaxy_prepare(f, params + (row0 + i) * n_param, row0 + i, &t->galaxy[i], arena, err)) return err->status;
  }
  return sdn_galaxies_light(f, n, t->galaxy, needs, &t->light, arena, err);
}

static void emerge(const sdn_forward *f, lit_tile *t, int i) { sdn_galaxy_emerge(f, &t->galaxy[i], &t->light, i, t->need, t->scratch, t->spectrum); }

static int tile_rows(long n, long row0) { return n - row0 < SDN_TILE ? (int)(n - row0) : SDN_TILE; }

/* ------------------------------------------------------------------ spectra */

typedef struct spectra_job { const sdn_forward *f; long n; const double *params; float *lnu; } spectra_job;

static sdn_status spectra_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const spectra_job *job = ctx;
  const sdn_forward *f = job->f;
  const long row0 = tile * SDN_TILE, n_wave = f->columns.n_wave;
  lit_tile t = {.need = sdn_arena_take(arena, (size_t)f->columns.n_block, 1, err)};
  if (!t.need) return err->status;
  memset(t.need, 0, (size_t)f->columns.n_block);
  memset(t.need, 1, (size_t)f->columns.n_block_wave);
  if (light_up(f, row0, tile_rows(job->n, row0), job->params, &t, arena, err)) return err->status;
  for (int i = 0; i < t.n; i++) {
    float *out = job->lnu + (row0 + i) * n_wave;
    emerge(f, &t, i);
    for (long j = 0; j < n_wave; j++) {
      out[j] = (float)((double)t.spectrum[j] * t.galaxy[i].mass_msun);
      if (!isfinite(out[j]))
        return sdn_fail_row(err, SDN_NUMERIC, row0 + i, "galaxy %ld: its L_nu at %.6g A is %g, not a finite number", row0 + i, f->columns.wave_A[j], (double)out[j]);
    }
  }
  return SDN_OK;
}

sdn_status sdn_forward_spectra(const sdn_forward *f, long n, const double *params, float *lnu, const sdn_run *run, sdn_err *err)
{
  spectra_job job = {f, n, params, lnu};
  if (n < 0) return sdn_fail(err, SDN_USAGE, "%ld galaxies asked for; their number must not be negative", n);
  return sdn_parallel_tiles((n + SDN_TILE - 1) / SDN_TILE, spectra_tile, &job, run, NULL, err);
}

/* ------------------------------------------------------------------ lines */

typedef struct lines_job { const sdn_forward *f; long n; const double *params; const sdn_line_light *out; } lines_job;

/* The continuum at a wavelength, L_nu per Msun; NaN beyond the nodes. */
static double continuum_at(const sdn_columns *c, const float *spectrum, double wave_A)
{
  int low = 0, high = c->n_wave - 1;
  if (!(wave_A >= c->wave_A[0] && wave_A <= c->wave_A[high])) return NAN;
  while (high - low > 1) {
    const int mid = (low + high) / 2;
    if (c->wave_A[mid] > wave_A) high = mid; else low = mid;
  }
  const double step = c->wave_A[high] - c->wave_A[low], t = step > 0 ? (wave_A - c->wave_A[low]) / step : 0;
  return (1 - t) * (double)spectrum[low] + t * (double)spectrum[high];
}

static void put_lines(const lines_job *job, const lit_tile *t, int i, long row, float *transmission)
{
  const sdn_forward *f = job->f;
  const sdn_columns *c = &f->columns;
  const sdn_galaxy *g = &t->galaxy[i];
  const double flux_per_lum = sdn_cosmology_njy_per_lnu(f->model->cosmology, g->redshift) * ERG_S_CM2_HZ_PER_NJY / (1 + g->redshift);   /* 1 / (4 pi d_L^2) */
  for (int l = 0; l < c->n_line; l++) transmission[l] = 1;   /* the table ends at the reddest line that the IGM touches */
  if (f->igm_line) sdn_igm_table_transmission(f->igm_line, g->redshift, transmission);
  for (int l = 0; l < c->n_line; l++) {
    const double per_msun = (double)t->spectrum[c->line0 + l], lum = per_msun * g->mass_msun, wave = c->line_A[l];
    const long at = row * c->n_line + l;
    if (job->out->luminosity_erg_s) job->out->luminosity_erg_s[at] = lum;
    if (job->out->flux_erg_s_cm2) job->out->flux_erg_s_cm2[at] = lum * flux_per_lum * (double)transmission[l];
    if (!job->out->equivalent_width_A) continue;
    const double l_lambda = continuum_at(c, t->spectrum, wave) * LIGHT_A_PER_S / (wave * wave);
    job->out->equivalent_width_A[at] = l_lambda > 0 ? per_msun / l_lambda : NAN;
  }
}

static sdn_status lines_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const lines_job *job = ctx;
  const sdn_forward *f = job->f;
  const sdn_columns *c = &f->columns;
  const long row0 = tile * SDN_TILE;
  float *transmission = sdn_arena_take(arena, (size_t)c->n_line, sizeof *transmission, err);
  lit_tile t = {.need = sdn_arena_take(arena, (size_t)c->n_block, 1, err)};
  if (!transmission || !t.need) return err->status;
  memset(t.need, 0, (size_t)c->n_block_wave);
  memset(t.need + c->n_block_wave, 1, (size_t)(c->n_block - c->n_block_wave));
  for (int l = 0; job->out->equivalent_width_A && l < c->n_line; l++) sdn_columns_need(c, c->line_A[l], c->line_A[l], t.need);
  if (light_up(f, row0, tile_rows(job->n, row0), job->params, &t, arena, err)) return err->status;
  for (int i = 0; i < t.n; i++) {
    emerge(f, &t, i);
    put_lines(job, &t, i, row0 + i, transmission);
  }
  return SDN_OK;
}

sdn_status sdn_forward_lines(const sdn_forward *f, long n, const double *params, const sdn_line_light *out, const sdn_run *run, sdn_err *err)
{
  lines_job job = {f, n, params, out};
  if (n < 0) return sdn_fail(err, SDN_USAGE, "%ld galaxies asked for; their number must not be negative", n);
  if (f->columns.n_line == 0) return SDN_OK;
  return sdn_parallel_tiles((n + SDN_TILE - 1) / SDN_TILE, lines_tile, &job, run, NULL, err);
}

/* ------------------------------------------------------------------ history */

sdn_status sdn_forward_sfh(const sdn_forward *f, const double *params, int n_bin, const double *lookback_yr, double *sfr_msun_per_yr, sdn_err *err)
{
  sdn_galaxy g;
  for (int i = 0; i < n_bin; i++)
    if (!(lookback_yr[i] >= 0 && lookback_yr[i + 1] > lookback_yr[i]))
      return sdn_fail(err, SDN_USAGE, "lookback times %g and %g yr do not ascend from zero on", lookback_yr[i], lookback_yr[i + 1]);
  sdn_arena *arena = sdn_arena_new(err);
  if (!arena) return err->status;
  const sdn_status status = sdn_galaxy_prepare(f, params, 0, &g, arena, err);
  double before = 0;
  for (int i = 0; i <= n_bin && !status; i++) {
    const double formed = g.mass_msun * sdn_sfh_mass_since(&g.history, lookback_yr[i]);
    if (i) sfr_msun_per_yr[i - 1] = (formed - before) / (lookback_yr[i] - lookback_yr[i - 1]);
    before = formed;
  }
  sdn_arena_free(arena);
  return status;
}
