/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/posterior.h"

#include <math.h>
#include <string.h>

#include "base/special.h"

void sdn_posterior_free(sdn_posterior *p)
{
  if (!p) return;
  sdn_release(p->model_yaml);
  sdn_release(p->physics_hash);
  sdn_survey_free(p->survey);
  sdn_release(p->free_name);
  sdn_release(p->free_unit);
  for (int k = 0; k < SDN_MAX_MEMBER; k++) {
    sdn_network_free(p->member[k].net);
    sdn_release(p->member[k].weights);
    sdn_release(p->member[k].scaling.mean);
    sdn_release(p->member[k].scaling.scale);
  }
  sdn_release(p);
}

const sdn_survey *sdn_posterior_survey(const sdn_posterior *p) { return p->survey; }
const char *sdn_posterior_model_yaml(const sdn_posterior *p) { return p->model_yaml; }
const char *sdn_posterior_physics_hash(const sdn_posterior *p) { return p->physics_hash; }
int sdn_posterior_n_free(const sdn_posterior *p) { return p->n_free; }
const char *sdn_posterior_free_name(const sdn_posterior *p, int i) { return p->free_name[i]; }
const char *sdn_posterior_free_unit(const sdn_posterior *p, int i) { return p->free_unit[i]; }
int sdn_posterior_n_member(const sdn_posterior *p) { return p->n_member; }
double sdn_posterior_member_weight(const sdn_posterior *p, int k) { return p->member[k].weight; }
const char *sdn_posterior_member_head(const sdn_posterior *p, int k) { return sdn_head_name(p->member[k].net->arch.head); }

bool sdn_posterior_without_data(const sdn_posterior *p, const float *flux_nJy, const float *sigma_nJy)
{
  const int n_band = sdn_survey_n_band(p->survey);
  for (int b = 0; b < n_band; b++)
    if (isfinite(flux_nJy[b]) && isfinite(sigma_nJy[b])) return false;
  return true;
}

void sdn_member_features(const sdn_posterior *p, const sdn_member *m, long first, long n, const float *flux_nJy, const float *sigma_nJy, float *x_t)
{
  const long n_band = sdn_survey_n_band(p->survey), f = m->scaling.n;
  sdn_survey_features(p->survey, n, flux_nJy + first * n_band, sigma_nJy + first * n_band, x_t);
  sdn_scale_features(&m->scaling, n, x_t, x_t);
  memset(x_t + n * f, 0, (size_t)((SDN_ROWS - n) * f) * sizeof *x_t);
}

/* The data of a call and where results go. */
typedef struct query {
  const sdn_posterior *p;
  long n;
  const float *flux, *sigma;          /* [n][n_band] */
  const float *z; double *ln_q;       /* density: [n][D], [n] */
  const double *first; double *cdf;   /* [n] */
} query;

static bool without_data(const query *q, long i)
{
  const long n_band = sdn_survey_n_band(q->p->survey);
  return sdn_posterior_without_data(q->p, q->flux + i * n_band, q->sigma + i * n_band);
}

static long rows_in_tile(long n, long tile) { return n - tile * SDN_ROWS < SDN_ROWS ? n - tile * SDN_ROWS : SDN_ROWS; }
static long n_tile_of(long n) { return (n + SDN_ROWS - 1) / SDN_ROWS; }

static double ln_prior(int n_free, const float *z)
{
  double sum = 0;
  for (int i = 0; i < n_free; i++) sum += sdn_normal_ln_pdf((double)z[i]);
  return sum;
}

/* total [n] = ln(e^total + weight e^ln_q); the first member sets it. */
static void add_member(double weight, bool first, long n, const double *ln_q, double *total)
{
  const double ln_weight = log(weight);
  for (long i = 0; i < n; i++) {
    const double both[2] = {ln_weight + ln_q[i], first ? -INFINITY : total[i]};
    total[i] = first ? both[0] : sdn_ln_sum_exp(2, both);
  }
}

static sdn_status density_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const query *q = ctx;
  const sdn_posterior *p = q->p;
  const long first = tile * SDN_ROWS, n = rows_in_tile(q->n, tile), d = p->n_free;
  double ln_q[SDN_ROWS], *total = q->ln_q + first;
  float *z = sdn_arena_take(arena, (size_t)(SDN_ROWS * d), sizeof *z, err);
  if (!z) return err->status;
  memset(z, 0, (size_t)(SDN_ROWS * d) * sizeof *z);
  memcpy(z, q->z + first * d, (size_t)(n * d) * sizeof *z);
  for (int k = 0; k < p->n_member; k++) {
    const sdn_member *m = &p->member[k];
    sdn_tile_work w;
    if (sdn_tile_work_new(m->net, arena, &w, err)) return err->status;
    sdn_transpose(SDN_ROWS, (int)d, z, w.z);
    sdn_member_features(p, m, first, n, q->flux, q->sigma, w.x_t);
    sdn_network_density(m->net, m->weights, &w, ln_q);
    add_member(m->weight, k == 0, n, ln_q, total);
  }
  for (long i = 0; i < n; i++)
    if (without_data(q, first + i)) total[i] = ln_prior((int)d, z + i * d);
  return SDN_OK;
}

sdn_status sdn_posterior_ln_q(const sdn_posterior *p, long n, const float *flux_nJy, const float *sigma_nJy, const float *z, double *ln_q,
                              const sdn_run *run, sdn_err *err)
{
  query q = {.p = p, .n = n, .flux = flux_nJy, .sigma = sigma_nJy, .z = z, .ln_q = ln_q};
  return sdn_parallel_tiles(n_tile_of(n), density_tile, &q, run, NULL, err);
}

static sdn_status cdf_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const query *q = ctx;
  const sdn_posterior *p = q->p;
  const long first = tile * SDN_ROWS, n = rows_in_tile(q->n, tile);
  float z0[SDN_ROWS] = {0};
  double cdf[SDN_ROWS];
  for (long i = 0; i < n; i++) z0[i] = (float)q->first[first + i];
  for (int k = 0; k < p->n_member; k++) {
    const sdn_member *m = &p->member[k];
    sdn_tile_work w;
    if (sdn_tile_work_new(m->net, arena, &w, err)) return err->status;
    sdn_member_features(p, m, first, n, q->flux, q->sigma, w.x_t);
    sdn_network_encode(m->net, m->weights, &w);
    sdn_network_first(m->net, m->weights, &w, z0, cdf, NULL);
    for (long i = 0; i < n; i++) q->cdf[first + i] = (k == 0 ? 0.0 : q->cdf[first + i]) + m->weight * cdf[i];
  }
  for (long i = 0; i < n; i++)
    if (without_data(q, first + i)) q->cdf[first + i] = sdn_normal_cdf(q->first[first + i]);
  return SDN_OK;
}

sdn_status sdn_posterior_first_cdf(const sdn_posterior *p, long n, const float *flux_nJy, const float *sigma_nJy, const double *z_first, double *cdf,
                                   sdn_err *err)
{
  query q = {.p = p, .n = n, .flux = flux_nJy, .sigma = sigma_nJy, .first = z_first, .cdf = cdf};
  const sdn_run run = {.n_thread = 1};   /* microseconds per galaxy */
  return sdn_parallel_tiles(n_tile_of(n), cdf_tile, &q, &run, NULL, err);
}
