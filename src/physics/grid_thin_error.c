/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the thinning of a grid costs: every spectrum of it through every band, before and after. */
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "physics/grid_light.h"
#include "physics/grid_read.h"
#include "physics/grid_thin.h"

enum { BLOCK = 64, N_BIN = 600, BINS_PER_DEX = 50, MOST_SPECTRA = 6000 };   /* errors are counted in bins of 0.02 dex from 1e-12 */
#define LEAST_ERROR 1e-12

typedef struct tally { long count[N_BIN]; double largest; long row; } tally;

/* Spectra: all of incident, then all of incident (or transmitted) plus nebular continuum; `step` of them, if there are too many. */
typedef struct measuring {
  const sdn_grid *g; const sdn_thin_fit *fit; const sdn_thin_bands *bands, *thin;
  long n_spectrum, n_bare, step;
  tally *tally;   /* [n_tile] */
} measuring;

static long n_rows(const sdn_grid_table *t) { return t->value ? (long)(sdn_grid_table_size(t) / (size_t)t->n_column) : 0; }

/* Spectrum number i on all wavelengths; *scale is L_nu at 1500 A. */
static void take_spectrum(const measuring *m, long i, float *light, double *scale)
{
  const sdn_grid *g = m->g;
  const sdn_grid_table *gas = &g->nebular_continuum, *stars = i < m->n_bare ? &g->incident : g->transmitted.value ? &g->transmitted : &g->incident;
  const sdn_grid_table *shape = i < m->n_bare ? stars : gas;
  const long cell = i < m->n_bare ? i : i - m->n_bare;
  const int e = (int)(cell % shape->n_extra), z = (int)(cell / shape->n_extra % shape->n_metallicity), a = (int)(cell / shape->n_extra / shape->n_metallicity);
  const float *s = sdn_grid_row(stars, a, z, stars->n_extra == shape->n_extra ? e : 0);
  memcpy(light, s, (size_t)g->n_wave * sizeof *light);
  if (i >= m->n_bare) {
    const float *c = sdn_grid_row(gas, a, z, e);
    for (int j = 0; j < g->n_wave; j++) light[j] += c[j];
  }
  *scale = sdn_lnu_at(g->n_wave, g->wave_A, light, SDN_THIN_SCALE_A);
}

static void count_error(tally *t, double error, long row)
{
  const double bin = BINS_PER_DEX * log10(fmax(error, LEAST_ERROR) / LEAST_ERROR);
  t->count[bin < N_BIN - 1 ? (int)bin : N_BIN - 1]++;
  if (!(error <= t->largest)) {
    t->largest = error;
    t->row = row;
  }
}

static void add_row(const sdn_thin_row *row, const float *table, double *sum)
{
  for (int s = 0; s < BLOCK; s++) sum[s] = 0;
  for (int j = 0; j < row->n; j++) {
    const double w = (double)row->weight[j];
    const float *t = table + (size_t)(row->first + j) * BLOCK;
    for (int s = 0; s < BLOCK; s++) sum[s] += w * (double)t[s];
  }
}

static sdn_status measure_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const measuring *m = ctx;
  const int n_x = m->fit->n_x, n_node = m->fit->n_node;
  float *light = sdn_arena_take(arena, (size_t)n_x, sizeof *light, err), *full = sdn_arena_take(arena, (size_t)n_x * BLOCK, sizeof *full, err);
  float *fit = sdn_arena_take(arena, (size_t)n_node * BLOCK, sizeof *fit, err);
  double *work = sdn_arena_take(arena, (size_t)n_node, sizeof *work, err), *value = sdn_arena_take(arena, (size_t)n_node, sizeof *value, err), scale[BLOCK], before[BLOCK], after[BLOCK];
  if (!light || !full || !fit || !work || !value) return err->status;
  const long first = tile * BLOCK, n = m->n_spectrum - first < BLOCK ? m->n_spectrum - first : BLOCK;
  memset(full, 0, (size_t)n_x * BLOCK * sizeof *full);
  memset(fit, 0, (size_t)n_node * BLOCK * sizeof *fit);
  for (long s = 0; s < n; s++) {
    take_spectrum(m, (first + s) * m->step, light, &scale[s]);
    for (int i = 0; i < n_x; i++) full[(size_t)i * BLOCK + (size_t)s] = light[i];
    sdn_thin_project(m->fit, light, work, value);
    for (int k = 0; k < n_node; k++) fit[(size_t)k * BLOCK + (size_t)s] = (float)value[k];
  }
  for (long r = 0; r < m->bands->n_row; r++) {
    const sdn_thin_row *row = &m->bands->row[r];
    if (row->n == 0 || m->thin->row[r].n == 0) continue;
    add_row(row, full, before);
    add_row(&m->thin->row[r], fit, after);
    for (long s = 0; s < n; s++) {
      const double against = row->far_uv ? fmax(before[s], scale[s]) : before[s];
      if (against > 0) count_error(&m->tally[tile], fabs(after[s] - before[s]) / against, r);
    }
  }
  return SDN_OK;
}

/* The error below which a share of all lies: the middle of its bin. */
static double quantile(const tally *t, double share)
{
  double total = 0, sum = 0;
  for (int b = 0; b < N_BIN; b++) total += (double)t->count[b];
  for (int b = 0; b < N_BIN; b++)
    if ((sum += (double)t->count[b]) >= share * total) return LEAST_ERROR * pow(10, (b + 0.5) / BINS_PER_DEX);
  return (double)NAN;
}

sdn_status sdn_thin_measure(const sdn_grid *g, const sdn_thin_fit *fit, const sdn_thin_bands *bands, const sdn_thin_bands *thin, const sdn_run *run, sdn_thin_error *error,
                            sdn_err *err)
{
  measuring m = {.g = g, .fit = fit, .bands = bands, .thin = thin, .n_bare = n_rows(&g->incident), .step = 1};
  const long n_all = m.n_bare + n_rows(&g->nebular_continuum);
  m.step = (n_all + MOST_SPECTRA - 1) / MOST_SPECTRA;
  m.n_spectrum = (n_all + m.step - 1) / m.step;
  const long n_tile = (m.n_spectrum + BLOCK - 1) / BLOCK;
  m.tally = sdn_alloc((size_t)n_tile, sizeof *m.tally, "counts of errors", err);
  if (!m.tally) return err->status;
  sdn_status status = sdn_parallel_tiles(n_tile, measure_tile, &m, run, "measuring the error", err);
  tally sum = {.largest = -1};
  for (long t = 0; t < n_tile && !status; t++) {
    for (int b = 0; b < N_BIN; b++) sum.count[b] += m.tally[t].count[b];
    if (m.tally[t].largest > sum.largest) {
      sum.largest = m.tally[t].largest;
      sum.row = m.tally[t].row;
    }
  }
  if (!status) *error = (sdn_thin_error){quantile(&sum, 0.5), quantile(&sum, 0.999), fmax(sum.largest, 0), sum.row, m.n_spectrum};
  sdn_release(m.tally);
  return status;
}
