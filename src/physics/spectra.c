/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What leaves a galaxy, resolved: many spectra at once, lines one by one, and the history behind them. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/parallel.h"
#include "physics/galaxy.h"

#define ERG_S_CM2_HZ_PER_NJY 1e-32

const double *sdn_forward_wave_A(const sdn_forward *f, long *n_wave)
{
  *n_wave = f->columns.n_wave;
  return f->columns.wave_A;
}

int sdn_forward_n_line(const sdn_forward *f) { return f->columns.n_line; }
const char *sdn_forward_line_name(const sdn_forward *f, int line) { return f->lines.id[line]; }
double sdn_forward_line_wave_A(const sdn_forward *f, int line) { return f->columns.line_A[line]; }

/* A tile of galaxies prepared, and their light before dust on the needed blocks. */
typedef struct lit_tile {
  int n;
  sdn_galaxy *galaxy;
  sdn_light light;
  unsigned char *need;           /* [n_block], the same for all */
  float *scratch;
  sdn_emergent emergent;         /* of one galaxy */
} lit_tile;

static sdn_status light_up(const sdn_forward *f, long row0, int n, const double *params, lit_tile *t, sdn_arena *arena, sdn_err *err)
{
  const size_t n_block = (size_t)f->columns.n_block, n_column = n_block * SDN_BLOCK;
  const int n_param = sdn_prior_n_param(f->model->prior);
  t->n = n;
  t->galaxy = sdn_arena_take(arena, (size_t)n, sizeof *t->galaxy, err);
  t->scratch = sdn_arena_take(arena, SDN_SCRATCH, sizeof *t->scratch, err);
  t->emergent.spectrum = sdn_arena_take(arena, n_column, sizeof *t->emergent.spectrum, err);
  unsigned char *needs = sdn_arena_take(arena, (size_t)n * n_block, 1, err);
  if (!t->galaxy || !t->scratch || !t->emergent.spectrum || !needs) return err->status;
  for (int i = 0; i < n; i++) {
    memcpy(needs + (size_t)i * n_block, t->need, n_block);
    if (sdn_galaxy_prepare(f, params + (row0 + i) * n_param, row0 + i, &t->galaxy[i], arena, err)) return err->status;
  }
  return sdn_galaxies_light(f, n, t->galaxy, needs, &t->light, arena, err);
}

static sdn_status emerge(const sdn_forward *f, lit_tile *t, int i, long row, sdn_err *err)
{
  if (!sdn_galaxy_emerge(f, &t->galaxy[i], &t->light, i, t->need, t->scratch, &t->emergent, err)) return SDN_OK;
  err->row = row;
  return sdn_fail_in(err, "galaxy %ld", row);
}

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
  memset(t.need, 1, (size_t)f->columns.n_block);   /* lines too: what dust takes of them it emits in the continuum */
  if (light_up(f, row0, tile_rows(job->n, row0), job->params, &t, arena, err)) return err->status;
  for (int i = 0; i < t.n; i++) {
    float *out = job->lnu + (row0 + i) * n_wave;
    if (emerge(f, &t, i, row0 + i, err)) return err->status;
    for (long j = 0; j < n_wave; j++) {
      out[j] = (float)((double)t.emergent.spectrum[j] * t.galaxy[i].mass_msun);
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

/* The continuum beside a line: weights of nodes first .. last-1, as the observable line_ew has them. None where the nodes do not reach. */
typedef struct beside { int first, last; const float *weight; } beside;

typedef struct lines_job { const sdn_forward *f; long n; const double *params; const sdn_line_values *out; const beside *side; } lines_job;

static sdn_status find_beside(const sdn_forward *f, int line, float *scratch, sdn_arena *arena, beside *side, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  char id[64];
  sdn_observable *o = NULL;
  snprintf(id, sizeof id, "line_ew:%.10g", c->line_A[line]);
  sdn_status status = sdn_observable_read(id, &o, err);
  if (!status) status = sdn_observable_bind(o, &f->lines, err);
  *side = (beside){0};
  if (!status && sdn_observable_weights(o, c->n_wave, c->wave_A, 1, 0, &side->first, &side->last, scratch)) {
    const size_t n = (size_t)(side->last - side->first);
    float *weight = sdn_arena_take(arena, n, sizeof *weight, err);
    if (weight) memcpy(weight, scratch + side->first, n * sizeof *weight);
    else status = err->status;
    side->weight = weight;
  }
  sdn_observable_free(o);
  return status;
}

static sdn_status find_all_beside(const sdn_forward *f, sdn_arena *arena, const beside **out, sdn_err *err)
{
  const size_t n_line = (size_t)f->columns.n_line;
  beside *side = sdn_arena_take(arena, n_line, sizeof *side, err);
  float *scratch = sdn_arena_take(arena, (size_t)f->columns.n_wave, sizeof *scratch, err);
  *out = side;
  if (!side || !scratch) return err->status;
  for (size_t l = 0; l < n_line; l++)
    if (find_beside(f, (int)l, scratch, arena, &side[l], err)) return err->status;
  return SDN_OK;
}

/* Lines; where equivalent widths are wanted, the continuum beside them; and what decides the nucleus' light (its lines are in proportion) and the dust's. */
static void mark_line_blocks(const sdn_forward *f, const beside *side, unsigned char *need)
{
  const sdn_columns *c = &f->columns;
  memset(need, 0, (size_t)c->n_block);
  memset(need + c->n_block_wave, 1, (size_t)(c->n_block_line - c->n_block_wave));
  if (f->agn_column >= 0) need[f->agn_column / SDN_BLOCK] = 1;
  for (int l = 0; side && l < c->n_line; l++)
    for (int b = side[l].first / SDN_BLOCK; side[l].weight && b <= (side[l].last - 1) / SDN_BLOCK; b++) need[b] = 1;
  bool shines = false;   /* is dust among what is needed? */
  for (int b = f->dust_first / SDN_BLOCK; f->dust_emission && b < c->n_block_wave; b++) shines = shines || need[b];
  if (shines) memset(need + c->n_block_line, 1, (size_t)(c->n_block - c->n_block_line));
}

/* What the IGM leaves at nodes and lines. */
typedef struct passed { float *node, *line; } passed;

static void set_passed(const sdn_forward *f, const sdn_galaxy *g, const passed *p)
{
  for (int l = 0; l < f->columns.n_line; l++) p->line[l] = 1;   /* the table ends at the reddest line that the IGM touches */
  if (f->igm_line) sdn_igm_table_transmission(f->igm_line, g->redshift, g->igm_scale, p->line);
  if (f->igm) sdn_igm_table_transmission(f->igm, g->redshift, g->igm_scale, p->node);
}

static double equivalent_width(const sdn_forward *f, const beside *side, const float *spectrum, const passed *p, double light)
{
  double continuum = 0;
  for (int j = side->first; side->weight && j < side->last; j++)
    continuum += (double)side->weight[j - side->first] * (double)spectrum[j] * (j < f->n_igm ? (double)p->node[j] : 1);
  return continuum > 0 ? light / continuum : NAN;
}

static sdn_status put_lines(const lines_job *job, const lit_tile *t, int i, long row, const passed *p, sdn_err *err)
{
  const sdn_forward *f = job->f;
  const sdn_columns *c = &f->columns;
  const sdn_galaxy *g = &t->galaxy[i];
  const double flux_per_lum = sdn_cosmology_njy_per_lnu(f->model->cosmology, g->redshift) * ERG_S_CM2_HZ_PER_NJY / (1 + g->redshift);   /* 1 / (4 pi d_L^2) */
  set_passed(f, g, p);
  for (int l = 0; l < c->n_line; l++) {
    const double per_msun = SDN_LSUN_ERG_S * (double)t->emergent.spectrum[c->line0 + l], seen = per_msun * (double)p->line[l];
    const long at = row * c->n_line + l;
    if (!isfinite(per_msun))
      return sdn_fail_row(err, SDN_NUMERIC, row, "galaxy %ld: the luminosity of its line %s is %g, not a finite number", row, f->lines.id[l], per_msun);
    if (job->out->luminosity_erg_s) job->out->luminosity_erg_s[at] = per_msun * g->mass_msun;
    if (job->out->flux_erg_s_cm2) job->out->flux_erg_s_cm2[at] = seen * g->mass_msun * flux_per_lum;
    if (job->out->equivalent_width_A) job->out->equivalent_width_A[at] = equivalent_width(f, &job->side[l], t->emergent.spectrum, p, seen);
  }
  return SDN_OK;
}

static sdn_status lines_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const lines_job *job = ctx;
  const sdn_forward *f = job->f;
  const sdn_columns *c = &f->columns;
  const long row0 = tile * SDN_TILE;
  lit_tile t = {.need = sdn_arena_take(arena, (size_t)c->n_block, 1, err)};
  const passed p = {sdn_arena_take(arena, (size_t)f->n_igm + 1, sizeof(float), err), sdn_arena_take(arena, (size_t)c->n_line, sizeof(float), err)};
  if (!t.need || !p.node || !p.line) return err->status;
  mark_line_blocks(f, job->side, t.need);
  if (light_up(f, row0, tile_rows(job->n, row0), job->params, &t, arena, err)) return err->status;
  for (int i = 0; i < t.n; i++) {
    if (emerge(f, &t, i, row0 + i, err)) return err->status;
    if (put_lines(job, &t, i, row0 + i, &p, err)) return err->status;
  }
  return SDN_OK;
}

sdn_status sdn_forward_lines(const sdn_forward *f, long n, const double *params, const sdn_line_values *out, const sdn_run *run, sdn_err *err)
{
  lines_job job = {f, n, params, out, NULL};
  if (n < 0) return sdn_fail(err, SDN_USAGE, "%ld galaxies asked for; their number must not be negative", n);
  if (f->columns.n_line == 0) return SDN_OK;
  sdn_arena *arena = sdn_arena_new(err);
  if (!arena) return err->status;
  sdn_status status = out->equivalent_width_A ? find_all_beside(f, arena, &job.side, err) : SDN_OK;
  if (!status) status = sdn_parallel_tiles((n + SDN_TILE - 1) / SDN_TILE, lines_tile, &job, run, NULL, err);
  sdn_arena_free(arena);
  return status;
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
    const double formed = g.mass_msun * sdn_galaxy_mass_since(f, &g, lookback_yr[i]);
    if (i) sfr_msun_per_yr[i - 1] = (formed - before) / (lookback_yr[i] - lookback_yr[i - 1]);
    before = formed;
  }
  sdn_arena_free(arena);
  return status;
}
