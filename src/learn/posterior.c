/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/posterior.h"

#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/special.h"

#define BLOCK 512             /* galaxies whose heads are kept at once */
#define DRAWS_PER_TILE 1024   /* of one galaxy: pieces of work of about a millisecond */

void sdn_posterior_free(sdn_posterior *p)
{
  if (!p) return;
  sdn_release(p->model_yaml);
  sdn_release(p->physics_hash);
  sdn_survey_free(p->survey);
  sdn_release(p->free_name);
  sdn_release(p->free_unit);
  sdn_network_free(p->net);
  sdn_release(p->weights);
  sdn_release(p->scaling.mean);
  sdn_release(p->scaling.scale);
  sdn_release(p);
}

const sdn_survey *sdn_posterior_survey(const sdn_posterior *p) { return p->survey; }
const char *sdn_posterior_model_yaml(const sdn_posterior *p) { return p->model_yaml; }
const char *sdn_posterior_physics_hash(const sdn_posterior *p) { return p->physics_hash; }
int sdn_posterior_n_free(const sdn_posterior *p) { return p->net->arch.n_free; }
const char *sdn_posterior_free_name(const sdn_posterior *p, int i) { return p->free_name[i]; }
const char *sdn_posterior_free_unit(const sdn_posterior *p, int i) { return p->free_unit[i]; }

/* The data of a call and where results go. */
typedef struct query {
  const sdn_posterior *p;
  long n;
  const float *flux, *sigma;      /* [n][n_band] */
  const float *z; double *ln_q;   /* density: [n][D], [n] */
  const double *first; double *cdf;   /* [n] */
} query;

/* A galaxy with no usable band at all: what is known of it is the prior. */
static bool without_data(const query *q, long i)
{
  const int n_band = sdn_survey_n_band(q->p->survey);
  for (int b = 0; b < n_band; b++)
    if (isfinite(q->flux[i * n_band + b]) && isfinite(q->sigma[i * n_band + b])) return false;
  return true;
}

/* Standardised features of galaxies first .. first+n-1 into a tile; rows beyond are zero. */
static void load_features(const query *q, long first, long n, float *x_t)
{
  const sdn_posterior *p = q->p;
  const long n_band = sdn_survey_n_band(p->survey), f = p->scaling.n;
  sdn_survey_features(p->survey, n, q->flux + first * n_band, q->sigma + first * n_band, x_t);
  sdn_scale_features(&p->scaling, n, x_t, x_t);
  memset(x_t + n * f, 0, (size_t)((SDN_ROWS - n) * f) * sizeof *x_t);
}

static long rows_in_tile(long n, long tile) { return n - tile * SDN_ROWS < SDN_ROWS ? n - tile * SDN_ROWS : SDN_ROWS; }
static long n_tile_of(long n) { return (n + SDN_ROWS - 1) / SDN_ROWS; }

static double ln_prior(int n_free, const float *z)
{
  double sum = 0;
  for (int i = 0; i < n_free; i++) sum += sdn_normal_ln_pdf((double)z[i]);
  return sum;
}

static sdn_status density_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const query *q = ctx;
  const sdn_posterior *p = q->p;
  const long first = tile * SDN_ROWS, n = rows_in_tile(q->n, tile), d = p->net->arch.n_free;
  sdn_flow_work w;
  double ln_q[SDN_ROWS];
  float *z = sdn_arena_take(arena, (size_t)(SDN_ROWS * d), sizeof *z, err);
  if (!z || sdn_flow_work_new(p->net, arena, &w, err)) return err->status;
  memset(z, 0, (size_t)(SDN_ROWS * d) * sizeof *z);
  memcpy(z, q->z + first * d, (size_t)(n * d) * sizeof *z);
  sdn_transpose(SDN_ROWS, (int)d, z, w.y[0]);
  load_features(q, first, n, w.encoder.x_t);
  sdn_flow_density(p->net, p->weights, &w, ln_q);
  for (long i = 0; i < n; i++) q->ln_q[first + i] = without_data(q, first + i) ? ln_prior((int)d, z + i * d) : ln_q[i];
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
  float z0[SDN_ROWS] = {0}, chain[(SDN_MAX_LAYER + 1) * SDN_ROWS];
  sdn_encoder_work w;
  if (sdn_encoder_work_new(p->net, arena, &w, err)) return err->status;
  load_features(q, first, n, w.x_t);
  sdn_encoder_forward(p->net, p->weights, &w);
  for (long i = 0; i < n; i++) z0[i] = (float)q->first[first + i];
  sdn_flow_first(p->net, p->weights, w.head, z0, chain);
  const float *base = chain + p->net->arch.n_layer * SDN_ROWS;
  for (long i = 0; i < n; i++) q->cdf[first + i] = sdn_normal_cdf(without_data(q, first + i) ? q->first[first + i] : (double)base[i]);
  return SDN_OK;
}

sdn_status sdn_posterior_first_cdf(const sdn_posterior *p, long n, const float *flux_nJy, const float *sigma_nJy, const double *z_first, double *cdf,
                                   sdn_err *err)
{
  query q = {.p = p, .n = n, .flux = flux_nJy, .sigma = sigma_nJy, .first = z_first, .cdf = cdf};
  const sdn_run run = {.n_thread = 1};   /* microseconds per galaxy */
  return sdn_parallel_tiles(n_tile_of(n), cdf_tile, &q, &run, NULL, err);
}

/* -- sampling: heads of a block of galaxies, then all their draws -- */

typedef struct sampling {
  query q;                        /* q.n galaxies of this block */
  const double *fixed_first;      /* of this block, or NULL */
  long n_draw, row0;
  uint64_t seed;
  float *z, *ln_q;                /* of this block; may be NULL */
  float *head;                    /* [BLOCK][T (H + P)] */
  float *known;                   /* [BLOCK][T + 1] */
} sampling;

static sdn_status head_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const sampling *s = ctx;
  const sdn_posterior *p = s->q.p;
  const sdn_network *net = p->net;
  const long first = tile * SDN_ROWS, n = rows_in_tile(s->q.n, tile), n_head = net->arch.n_layer * net->n_head, n_chain = net->arch.n_layer + 1;
  sdn_encoder_work w;
  if (sdn_encoder_work_new(net, arena, &w, err)) return err->status;
  float *turned = sdn_arena_take(arena, (size_t)(n_head * SDN_ROWS), sizeof *turned, err);
  if (!turned) return err->status;
  load_features(&s->q, first, n, w.x_t);
  sdn_encoder_forward(net, p->weights, &w);
  sdn_transpose((int)n_head, SDN_ROWS, w.head, turned);
  memcpy(s->head + first * n_head, turned, (size_t)(n * n_head) * sizeof *turned);
  if (!s->fixed_first) return SDN_OK;
  float z0[SDN_ROWS] = {0}, chain[(SDN_MAX_LAYER + 1) * SDN_ROWS];
  for (long i = 0; i < n; i++) z0[i] = (float)s->fixed_first[first + i];
  sdn_flow_first(net, p->weights, w.head, z0, chain);
  for (long i = 0; i < n; i++)
    for (long t = 0; t < n_chain; t++) s->known[(first + i) * n_chain + t] = chain[t * SDN_ROWS + i];
  return SDN_OK;
}

/* Draws of the prior itself. */
static void draw_prior(const sampling *s, long i, sdn_draw_work *w, double *ln_q)
{
  const int d = s->q.p->net->arch.n_free, first = s->fixed_first && isfinite(s->fixed_first[i]) ? 1 : 0;
  for (int r = 0; r < SDN_ROWS; r++) {
    ln_q[r] = 0;
    for (int k = first; k < d; k++) ln_q[r] += sdn_normal_ln_pdf((double)w->y[k * SDN_ROWS + r]);
    if (first) w->y[r] = (float)s->fixed_first[i];
  }
}

/* Draws draw0 .. draw0+n-1 of galaxy i of the block; draw0 is a multiple of SDN_ROWS. */
static void draw_rows(const sampling *s, const sdn_galaxy_head *g, long i, long draw0, long n, sdn_draw_work *w, float *turned)
{
  const sdn_posterior *p = s->q.p;
  const long d = p->net->arch.n_free, at = i * s->n_draw + draw0;
  double ln_q[SDN_ROWS];
  sdn_rng rng = sdn_rng_at(s->seed, SDN_STREAM_POSTERIOR + (uint32_t)(draw0 / SDN_ROWS), (uint64_t)(s->row0 + i));
  sdn_rng_normals(&rng, SDN_ROWS * d, w->y);
  if (g) sdn_flow_draw(p->net, p->weights, g, w, ln_q);
  else draw_prior(s, i, w, ln_q);
  sdn_transpose((int)d, SDN_ROWS, w->y, turned);
  if (s->z) memcpy(s->z + at * d, turned, (size_t)(n * d) * sizeof *turned);
  for (long r = 0; s->ln_q && r < n; r++) s->ln_q[at + r] = (float)ln_q[r];
}

static sdn_status draw_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const sampling *s = ctx;
  const sdn_network *net = s->q.p->net;
  const long per_galaxy = (s->n_draw + DRAWS_PER_TILE - 1) / DRAWS_PER_TILE, i = tile / per_galaxy, begin = tile % per_galaxy * DRAWS_PER_TILE;
  const long end = begin + DRAWS_PER_TILE < s->n_draw ? begin + DRAWS_PER_TILE : s->n_draw, n_head = net->arch.n_layer * net->n_head;
  const bool data = !without_data(&s->q, i);
  sdn_galaxy_head g;
  sdn_draw_work w;
  float *turned = sdn_arena_take(arena, (size_t)net->arch.n_free * SDN_ROWS, sizeof *turned, err);
  if (!turned || sdn_galaxy_head_new(net, arena, &g, err) || sdn_draw_work_new(net, arena, &w, err)) return err->status;
  if (data) {
    memcpy(g.head, s->head + i * n_head, (size_t)n_head * sizeof *g.head);
    sdn_galaxy_head_finish(net, s->q.p->weights, &g);
    if (s->fixed_first && isfinite(s->fixed_first[i])) g.known = s->known + i * (net->arch.n_layer + 1);
  }
  for (long draw = begin; draw < end; draw += SDN_ROWS)
    draw_rows(s, data ? &g : NULL, i, draw, end - draw < SDN_ROWS ? end - draw : SDN_ROWS, &w, turned);
  return SDN_OK;
}

static sdn_status sample_block(sampling *s, sdn_crew *crew, sdn_err *err)
{
  const long per_galaxy = (s->n_draw + DRAWS_PER_TILE - 1) / DRAWS_PER_TILE;
  if (sdn_crew_tiles(crew, n_tile_of(s->q.n), head_tile, s, err)) return err->status;
  return sdn_crew_tiles(crew, s->q.n * per_galaxy, draw_tile, s, err);
}

sdn_status sdn_posterior_sample(const sdn_posterior *p, long n, const float *flux_nJy, const float *sigma_nJy, const double *fixed_first, long n_draw,
                                uint64_t seed, long row0, float *z, float *ln_q, const sdn_run *run, sdn_err *err)
{
  const long d = p->net->arch.n_free, n_band = sdn_survey_n_band(p->survey), n_head = p->net->arch.n_layer * p->net->n_head;
  const size_t room = (size_t)(n < BLOCK ? n : BLOCK);
  sdn_crew *crew = NULL;
  sdn_status status = SDN_OK;
  float *head = sdn_alloc(room * (size_t)n_head, sizeof *head, "networks' heads", err);
  float *known = head ? sdn_alloc(room * (size_t)(p->net->arch.n_layer + 1), sizeof *known, "known coordinates", err) : NULL;
  if (!known || sdn_crew_new(run, &crew, err)) {
    status = err->status;
    goto done;
  }
  for (long i = 0; status == SDN_OK && i < n; i += BLOCK) {
    sampling s = {.n_draw = n_draw, .row0 = row0 + i, .seed = seed, .head = head, .known = known,
                  .fixed_first = fixed_first ? fixed_first + i : NULL, .z = z ? z + i * n_draw * d : NULL, .ln_q = ln_q ? ln_q + i * n_draw : NULL};
    s.q = (query){.p = p, .n = n - i < BLOCK ? n - i : BLOCK, .flux = flux_nJy + i * n_band, .sigma = sigma_nJy + i * n_band};
    status = sample_block(&s, crew, err);
  }
done:
  sdn_crew_free(crew);
  sdn_release(known);
  sdn_release(head);
  return status;
}
