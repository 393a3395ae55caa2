/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which wavelengths to keep. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "physics/grid_thin.h"

#define PAIR 2e-6   /* neighbours nearer than this, relative, are the two sides of an edge: both are kept */
enum { MOST_ROUNDS = 60, MOST_SPLITS = 3000, ROWS_PER_TILE = 64, LEAST_NODES = 16 };

/* Where nodes are to begin with, per e-fold; the rounds add what the bands ask for. */
static const struct { double low_A, high_A, per_efold; } start[] = {
  {0, 90, 3}, {90, 912, 40}, {912, 12000, 100}, {12000, 35000, 60}, {35000, 4e5, 25}, {4e5, 1e300, 3}};

static int nearest(int n, const double *x, double at)
{
  int low = 0, high = n - 1;
  while (high - low > 1) {
    const int mid = (low + high) / 2;
    if (x[mid] <= at) low = mid; else high = mid;
  }
  return at - x[low] < x[high] - at ? low : high;
}

/* keep [n_x]: ends, edges, and nodes evenly spaced in ln lambda, so many per e-fold times `share`; or `resolution` everywhere if it is given. */
static void mark_start(int n_x, const double *x, double resolution, double share, bool *keep)
{
  memset(keep, 0, (size_t)n_x * sizeof *keep);
  keep[0] = keep[n_x - 1] = true;
  for (int i = 0; i + 1 < n_x; i++)
    if (x[i + 1] - x[i] < PAIR * x[i]) keep[i] = keep[i + 1] = true;
  for (size_t k = 0; k < sizeof start / sizeof start[0]; k++) {
    const double low = fmax(start[k].low_A, x[0]), high = fmin(start[k].high_A, x[n_x - 1]), span = high > low ? log(high / low) : 0;
    const long n = (long)ceil(span * (resolution > 0 ? resolution : share * start[k].per_efold));
    for (long i = 0; i <= n && span > 0; i++) keep[nearest(n_x, x, low * exp(span * (double)i / (double)(n > 0 ? n : 1)))] = true;
  }
}

static int collect(int n_x, const bool *keep, int *node)
{
  int n = 0;
  for (int i = 0; i < n_x; i++)
    if (keep[i]) node[n++] = i;
  return n;
}

/* ------------------------------------------------------------------ one round */

typedef struct round {
  const sdn_thin_fit *fit; const sdn_thin_bands *bands; const sdn_thin_sample *sample;
  float *residual;             /* [n_x][n_sample] */
  double *error; int *worst;   /* [n_row] the largest relative error and whose it is */
} round_of;

enum { SPECTRA_PER_TILE = 16 };

/* Residuals of some spectra. */
static sdn_status residual_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  round_of *r = ctx;
  const int n_x = r->fit->n_x, n = r->sample->n;
  float *light = sdn_arena_take(arena, (size_t)n_x, sizeof *light, err), *back = sdn_arena_take(arena, (size_t)n_x, sizeof *back, err);
  double *work = sdn_arena_take(arena, (size_t)r->fit->n_node, sizeof *work, err), *value = sdn_arena_take(arena, (size_t)r->fit->n_node, sizeof *value, err);
  if (!light || !back || !work || !value) return err->status;
  for (int s = (int)tile * SPECTRA_PER_TILE; s < n && s < ((int)tile + 1) * SPECTRA_PER_TILE; s++) {
    for (int i = 0; i < n_x; i++) light[i] = r->sample->light[(size_t)i * (size_t)n + (size_t)s];
    sdn_thin_project(r->fit, light, work, value);
    sdn_thin_expand(r->fit, value, back);
    for (int i = 0; i < n_x; i++) r->residual[(size_t)i * (size_t)n + (size_t)s] = back[i] - light[i];
  }
  return SDN_OK;
}

static void add_row(const sdn_thin_row *row, int n, const float *table, float *sum)
{
  memset(sum, 0, (size_t)n * sizeof *sum);
  for (int j = 0; j < row->n; j++) {
    const float w = row->weight[j], *t = table + (size_t)(row->first + j) * (size_t)n;
    for (int s = 0; s < n; s++) sum[s] += w * t[s];
  }
}

static sdn_status error_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  round_of *r = ctx;
  const int n = r->sample->n;
  float *flux = sdn_arena_take(arena, (size_t)n, sizeof *flux, err), *off = sdn_arena_take(arena, (size_t)n, sizeof *off, err);
  if (!flux || !off) return err->status;
  for (long k = tile * ROWS_PER_TILE; k < r->bands->n_row && k < (tile + 1) * ROWS_PER_TILE; k++) {
    const sdn_thin_row *row = &r->bands->row[k];
    r->error[k] = 0;
    r->worst[k] = 0;
    if (row->n == 0) continue;
    add_row(row, n, r->sample->light, flux);
    add_row(row, n, r->residual, off);
    for (int s = 0; s < n; s++) {
      const double scale = row->far_uv ? fmax((double)flux[s], r->sample->scale[s]) : (double)flux[s];
      const double error = scale > 0 ? fabs((double)off[s]) / scale : 0;
      if (error > r->error[k]) {
        r->error[k] = error;
        r->worst[k] = s;
      }
    }
  }
  return SDN_OK;
}

/* Where a band's error arises: the residual is orthogonal to all hats, so what counts is the band's weight less its interpolation on the nodes. Returns the
 * intervals that hold most and next to most; -1: none. */
static void guilty(const round_of *r, long k, int *first, int *second)
{
  const sdn_thin_fit *f = r->fit;
  const sdn_thin_row *row = &r->bands->row[k];
  const size_t n = (size_t)r->sample->n, s = (size_t)r->worst[k];
  double most = 0, next = 0;
  *first = *second = -1;
  int interval = 0, high = f->n_node - 1;
  while (high - interval > 1) {
    const int mid = (interval + high) / 2;
    if (f->node[mid] <= row->first) interval = mid; else high = mid;
  }
  for (; interval + 1 < f->n_node && f->node[interval] < row->first + row->n; interval++) {
    const int a = f->node[interval], b = f->node[interval + 1];
    double part = 0, ends[2];
    for (int e = 0; e < 2; e++) {
      const int i = e ? b : a, j = i - row->first;
      const double lump = 0.5 * ((i > 0 ? f->weight[i - 1] : 0) + (i + 1 < f->n_x ? f->weight[i] : 0));
      ends[e] = j >= 0 && j < row->n && lump > 0 ? (double)row->weight[j] / lump : 0;
    }
    for (int i = a + 1; i < b; i++) {
      const int j = i - row->first;
      const double lump = 0.5 * (f->weight[i - 1] + f->weight[i]), straight = (1 - f->u[i]) * ends[0] + f->u[i] * ends[1];
      part += ((j >= 0 && j < row->n ? (double)row->weight[j] : 0) - straight * lump) * (double)r->residual[(size_t)i * n + s];
    }
    part = fabs(part);
    if (part > most) {
      *second = *first;
      next = most;
      *first = interval;
      most = part;
    } else if (part > next) {
      *second = interval;
      next = part;
    }
  }
}

typedef struct bad_row { double error; long row; } bad_row;

static int worst_first(const void *a, const void *b)
{
  const bad_row *x = a, *y = b;
  return x->error > y->error ? -1 : x->error < y->error ? 1 : x->row < y->row ? -1 : x->row > y->row;
}

/* Mark for keeping the middles of the intervals that the bands which miss are to be blamed on; at most `room` of them. Returns how many. */
static sdn_status split(const round_of *r, double tolerance, long room, bool *keep, long *n_split, sdn_err *err)
{
  const sdn_thin_fit *f = r->fit;
  long n_bad = 0;
  bad_row *bad = sdn_alloc((size_t)r->bands->n_row, sizeof *bad, "bands that miss", err);
  bool *wanted = sdn_alloc((size_t)f->n_node, sizeof *wanted, "intervals to split", err);
  *n_split = 0;
  if (bad && wanted) {
    for (long k = 0; k < r->bands->n_row; k++)
      if (r->error[k] > tolerance) bad[n_bad++] = (bad_row){r->error[k], k};
    qsort(bad, (size_t)n_bad, sizeof *bad, worst_first);
    for (long k = 0; k < n_bad && k < MOST_SPLITS && *n_split < room; k++) {
      int first, second;
      guilty(r, bad[k].row, &first, &second);
      if (first < 0 || wanted[first] || (second >= 0 && wanted[second])) continue;   /* one split per round and place: the next round sees its effect */
      wanted[first] = true;
      const int a = f->node[first], b = f->node[first + 1], mid = (a + b) / 2;
      if (mid == a) continue;
      keep[mid] = true;
      ++*n_split;
    }
  }
  const bool ok = bad && wanted;
  sdn_release(bad);
  sdn_release(wanted);
  return ok ? SDN_OK : err->status;
}

/* One round with the nodes so far: their errors, and the splits. */
static sdn_status one_round(round_of *r, const sdn_thin_wish *wish, const sdn_run *run, bool *keep, long *n_split, sdn_err *err)
{
  const long n_row = r->bands->n_row, n_tile = (r->sample->n + SPECTRA_PER_TILE - 1) / SPECTRA_PER_TILE;
  if (sdn_parallel_tiles(n_tile, residual_tile, r, run, NULL, err)) return err->status;
  if (sdn_parallel_tiles((n_row + ROWS_PER_TILE - 1) / ROWS_PER_TILE, error_tile, r, run, NULL, err)) return err->status;
  const long room = wish->most_nodes > 0 ? wish->most_nodes - r->fit->n_node : r->fit->n_x;
  return split(r, wish->tolerance, room, keep, n_split, err);
}

static sdn_status refine(int n_x, const double *x, const sdn_thin_bands *bands, const sdn_thin_sample *sample, const sdn_thin_wish *wish, const sdn_run *run, bool *keep,
                         int *node, sdn_err *err)
{
  round_of r = {.bands = bands, .sample = sample};
  sdn_status status = SDN_OK;
  r.residual = sdn_alloc((size_t)n_x, (size_t)sample->n * sizeof *r.residual, "residuals", err);
  r.error = sdn_alloc((size_t)bands->n_row, sizeof *r.error, "errors of bands", err);
  r.worst = sdn_alloc((size_t)bands->n_row, sizeof *r.worst, "errors of bands", err);
  if (!r.residual || !r.error || !r.worst) status = err->status;
  long n_split = 1;
  for (int round = 0; round < MOST_ROUNDS && n_split > 0 && !status; round++) {
    sdn_thin_fit fit = {0};
    const int n = collect(n_x, keep, node);
    if (wish->most_nodes > 0 && n >= wish->most_nodes) break;
    sdn_progress(run, "choosing wavelengths", round, MOST_ROUNDS, "");
    status = sdn_thin_fit_new(n_x, x, n, node, &fit, err);
    r.fit = &fit;
    if (!status) status = one_round(&r, wish, run, keep, &n_split, err);
    sdn_thin_fit_free(&fit);
  }
  sdn_release(r.residual);
  sdn_release(r.error);
  sdn_release(r.worst);
  return status;
}

sdn_status sdn_thin_choose(int n_x, const double *x, const sdn_thin_bands *bands, const sdn_thin_sample *sample, const sdn_thin_wish *wish, const sdn_run *run, int **out,
                           int *n_node, sdn_err *err)
{
  bool *keep = sdn_alloc((size_t)n_x, sizeof *keep, "marks of wavelengths", err);
  int *node = sdn_alloc((size_t)n_x, sizeof *node, "nodes", err);
  sdn_status status = keep && node ? SDN_OK : err->status;
  *out = NULL;
  if (status) goto done;
  double share = 1;
  do {   /* a small wish begins with fewer */
    mark_start(n_x, x, wish->resolution, share, keep);
    *n_node = collect(n_x, keep, node);
    share *= 0.8;
  } while (wish->resolution <= 0 && wish->most_nodes > 0 && *n_node > 0.7 * (double)wish->most_nodes && share > 1e-3);
  if (wish->most_nodes > 0 && *n_node > wish->most_nodes)
    status = sdn_fail(err, SDN_USAGE, "--nodes %ld is too few: ends, edges and the wanted spacing take %d", wish->most_nodes, *n_node);
  else if (wish->resolution <= 0) status = refine(n_x, x, bands, sample, wish, run, keep, node, err);
  *n_node = collect(n_x, keep, node);
  if (status) goto done;
  *out = node;
  node = NULL;
done:
  sdn_release(keep);
  sdn_release(node);
  return status;
}
