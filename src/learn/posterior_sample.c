/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Draws from a posterior. For a block of galaxies: first what the members' encoders give, then pieces of work of some draws of one galaxy.
 *
 * A mixture of members. Draw j of a galaxy comes from the member into whose share of [0, 1) the number u_j = frac(u_0 + j g) falls, u_0 random and g the golden
 * ratio: every stretch of draws has the members in their proportions to within a few draws, and each draw by itself is one of the mixture. So expectations
 * have no more variance than with independent choices, and a draw costs no more than from one network. Its density ln q is the mixture's and takes all
 * members. A known first coordinate z_0 changes the shares to weight_k q_k(z_0 | x), normalised. */
#include <math.h>
#include <string.h>

#include "base/random.h"
#include "base/special.h"
#include "learn/posterior.h"

#define BLOCK 512               /* galaxies whose encodings are kept at once */
#define PIECE 1024              /* draws of one galaxy in a piece of work of about a millisecond */
#define TILES_OF_MEMBER (PIECE / SDN_ROWS + 1)   /* names of its tiles of draws in a piece */
#define GOLDEN 0.61803398874989484820

typedef struct sampling {
  const sdn_posterior *p;
  long n;                         /* galaxies of this block */
  const float *flux, *sigma;      /* [n][n_band] */
  const double *fixed_first;      /* [n] or NULL */
  long n_draw, row0;
  uint64_t seed;
  float *z, *ln_q;                /* [n][n_draw][D], [n][n_draw]; may be NULL */
  float *given[SDN_MAX_MEMBER];   /* [BLOCK][G] of each member */
  double *share, *ln_first;       /* [BLOCK][n_member]: of the draws; ln q_k(z_0 | x), 0 where it is not known */
} sampling;

static bool has_first(const sampling *s, long i) { return s->fixed_first && isfinite(s->fixed_first[i]); }

/* -- what the galaxies of a block give -- */

static sdn_status encode_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const sampling *s = ctx;
  const sdn_posterior *p = s->p;
  const long first = tile * SDN_ROWS, n = s->n - first < SDN_ROWS ? s->n - first : SDN_ROWS;
  float z0[SDN_ROWS] = {0};
  double ln_first[SDN_ROWS];
  for (long i = 0; i < n; i++) z0[i] = has_first(s, first + i) ? (float)s->fixed_first[first + i] : 0.0f;
  for (int k = 0; k < p->n_member; k++) {
    const sdn_member *m = &p->member[k];
    const long n_given = m->net->n_given;
    sdn_tile_work w;
    if (sdn_tile_work_new(m->net, arena, &w, err)) return err->status;
    float *turned = sdn_arena_take(arena, (size_t)(n_given * SDN_ROWS), sizeof *turned, err);
    if (!turned) return err->status;
    sdn_member_features(p, m, first, n, s->flux, s->sigma, w.x_t);
    sdn_network_encode(m->net, m->weights, &w);
    sdn_transpose((int)n_given, SDN_ROWS, w.given, turned);
    memcpy(s->given[k] + first * n_given, turned, (size_t)(n * n_given) * sizeof *turned);
    if (p->n_member > 1 && s->fixed_first) sdn_network_first(m->net, m->weights, &w, z0, NULL, ln_first);
    for (long i = 0; i < n; i++) s->ln_first[(first + i) * p->n_member + k] = p->n_member > 1 && has_first(s, first + i) ? ln_first[i] : 0.0;
  }
  for (long i = first; i < first + n; i++) {
    double ln_share[SDN_MAX_MEMBER];
    for (int k = 0; k < p->n_member; k++) ln_share[k] = log(p->member[k].weight) + s->ln_first[i * p->n_member + k];
    const double total = sdn_ln_sum_exp(p->n_member, ln_share);
    for (int k = 0; k < p->n_member; k++) s->share[i * p->n_member + k] = exp(ln_share[k] - total);
  }
  return SDN_OK;
}

/* -- draws -- */

/* A piece: draws draw0 .. draw0+n-1 of galaxy i of the block. */
typedef struct piece {
  const sampling *s;
  long i, index, n;
  float *z;               /* [PIECE][D] */
  float *ln_q;            /* [PIECE] */
  unsigned char *member;  /* [PIECE] which network each draw comes from */
  float *turned;          /* [SDN_ROWS][D] */
} piece;

static void choose_members(const piece *w)
{
  const int n_member = w->s->p->n_member;
  const double *share = w->s->share + w->i * n_member;
  sdn_rng rng = sdn_rng_at(w->s->seed, SDN_STREAM_MEMBER, (uint64_t)(w->s->row0 + w->i));
  const double start = n_member > 1 ? sdn_rng_uniform(&rng) : 0;
  for (long j = 0; j < w->n; j++) {
    const double turn = start + (double)(w->index * PIECE + j) * GOLDEN, u = turn - floor(turn);
    double upper = share[0];
    int k = 0;
    while (k + 1 < n_member && !(u < upper)) upper += share[++k];
    w->member[j] = (unsigned char)k;
  }
}

/* Tile `tile` of the draws from member k in this piece: their random numbers. */
static void draw_base(const piece *w, int k, long tile, bool picks, sdn_draw_work *draw)
{
  const long name = w->index * TILES_OF_MEMBER * w->s->p->n_member + k * TILES_OF_MEMBER + tile;
  sdn_rng rng = sdn_rng_at(w->s->seed, SDN_STREAM_POSTERIOR + (uint32_t)name, (uint64_t)(w->s->row0 + w->i));
  sdn_rng_normals(&rng, SDN_ROWS * w->s->p->n_free, draw->y);
  for (int r = 0; picks && r < SDN_ROWS; r++) draw->pick[r] = (float)sdn_rng_uniform(&rng);
}

/* The piece's draws that come from member k. */
static sdn_status draw_from_member(const piece *w, int k, sdn_arena *arena, sdn_err *err)
{
  const sampling *s = w->s;
  const sdn_member *m = &s->p->member[k];
  const long d = s->p->n_free;
  const float known = has_first(s, w->i) ? (float)s->fixed_first[w->i] : 0.0f;
  long slot[SDN_ROWS], tile = 0;
  double ln_q[SDN_ROWS];
  sdn_draw_work draw;
  if (sdn_draw_work_new(m->net, arena, &draw, err)) return err->status;
  sdn_draw_galaxy(m->net, m->weights, &draw, s->given[k] + w->i * m->net->n_given, has_first(s, w->i) ? &known : NULL);
  for (long j = 0; j < w->n; tile++) {
    int n = 0;
    for (; j < w->n && n < SDN_ROWS; j++)
      if (w->member[j] == k) slot[n++] = j;
    if (n == 0) break;
    draw_base(w, k, tile, sdn_network_picks(m->net), &draw);
    sdn_draw(m->net, m->weights, &draw, ln_q);
    sdn_transpose((int)d, SDN_ROWS, draw.y, w->turned);
    for (int r = 0; r < n; r++) {
      memcpy(w->z + slot[r] * d, w->turned + r * d, (size_t)d * sizeof *w->z);
      w->ln_q[slot[r]] = (float)ln_q[r];
    }
  }
  return SDN_OK;
}

/* ln q of the piece's draws under the whole mixture. */
static sdn_status mixture_density(const piece *w, sdn_arena *arena, sdn_err *err)
{
  const sampling *s = w->s;
  const int n_member = s->p->n_member;
  const long d = s->p->n_free;
  sdn_tile_work tile[SDN_MAX_MEMBER];
  double ln_q[SDN_ROWS], sum[SDN_ROWS][SDN_MAX_MEMBER];
  for (int k = 0; k < n_member; k++)
    if (sdn_tile_work_new(s->p->member[k].net, arena, &tile[k], err)) return err->status;
  for (long j = 0; j < w->n; j += SDN_ROWS) {
    const long n = w->n - j < SDN_ROWS ? w->n - j : SDN_ROWS;
    memset(w->turned, 0, (size_t)(SDN_ROWS * d) * sizeof *w->turned);
    memcpy(w->turned, w->z + j * d, (size_t)(n * d) * sizeof *w->z);
    for (int k = 0; k < n_member; k++) {
      const sdn_member *m = &s->p->member[k];
      const float *given = s->given[k] + w->i * m->net->n_given;
      sdn_transpose(SDN_ROWS, (int)d, w->turned, tile[k].z);
      for (int g = 0; g < m->net->n_given; g++)
        for (int r = 0; r < SDN_ROWS; r++) tile[k].given[g * SDN_ROWS + r] = given[g];
      sdn_network_head_density(m->net, m->weights, &tile[k], ln_q);
      for (long r = 0; r < n; r++) sum[r][k] = log(s->share[w->i * n_member + k]) + ln_q[r] - s->ln_first[w->i * n_member + k];
    }
    for (long r = 0; r < n; r++) w->ln_q[j + r] = (float)sdn_ln_sum_exp(n_member, sum[r]);
  }
  return SDN_OK;
}

/* Draws of the prior itself. */
static sdn_status draw_prior(const piece *w, sdn_arena *arena, sdn_err *err)
{
  const sampling *s = w->s;
  const int d = s->p->n_free, first = has_first(s, w->i) ? 1 : 0;
  sdn_draw_work draw = {.y = sdn_arena_take(arena, (size_t)(d * SDN_ROWS), sizeof(float), err)};
  if (!draw.y) return err->status;
  for (long j = 0; j < w->n; j += SDN_ROWS) {
    draw_base(w, 0, j / SDN_ROWS, false, &draw);
    sdn_transpose(d, SDN_ROWS, draw.y, w->turned);
    for (long r = 0; r < SDN_ROWS && j + r < w->n; r++) {
      float *z = w->z + (j + r) * d;
      double ln_q = 0;
      memcpy(z, w->turned + r * d, (size_t)d * sizeof *z);
      for (int i = first; i < d; i++) ln_q += sdn_normal_ln_pdf((double)z[i]);
      if (first) z[0] = (float)s->fixed_first[w->i];
      w->ln_q[j + r] = (float)ln_q;
    }
  }
  return SDN_OK;
}

static long pieces_of(const sampling *s) { return (s->n_draw + PIECE - 1) / PIECE; }

static sdn_status draw_piece(void *ctx, long number, sdn_arena *arena, sdn_err *err)
{
  const sampling *s = ctx;
  const long d = s->p->n_free, n_band = sdn_survey_n_band(s->p->survey);
  piece w = {.s = s, .i = number / pieces_of(s), .index = number % pieces_of(s)};
  const long draw0 = w.index * PIECE, at = w.i * s->n_draw + draw0;
  w.n = s->n_draw - draw0 < PIECE ? s->n_draw - draw0 : PIECE;
  if (!(w.z = sdn_arena_take(arena, (size_t)(PIECE * d), sizeof *w.z, err)) || !(w.ln_q = sdn_arena_take(arena, PIECE, sizeof *w.ln_q, err)) ||
      !(w.member = sdn_arena_take(arena, PIECE, sizeof *w.member, err)) || !(w.turned = sdn_arena_take(arena, (size_t)(SDN_ROWS * d), sizeof *w.turned, err)))
    return err->status;
  if (sdn_posterior_without_data(s->p, s->flux + w.i * n_band, s->sigma + w.i * n_band)) {
    if (draw_prior(&w, arena, err)) return err->status;
  }
  else {
    choose_members(&w);
    for (int k = 0; k < s->p->n_member; k++)
      if (draw_from_member(&w, k, arena, err)) return err->status;
    if (s->p->n_member > 1 && s->ln_q && mixture_density(&w, arena, err)) return err->status;
  }
  if (s->z) memcpy(s->z + at * d, w.z, (size_t)(w.n * d) * sizeof *w.z);
  if (s->ln_q) memcpy(s->ln_q + at, w.ln_q, (size_t)w.n * sizeof *w.ln_q);
  return SDN_OK;
}

static sdn_status sample_block(sampling *s, sdn_crew *crew, sdn_err *err)
{
  if (sdn_crew_tiles(crew, (s->n + SDN_ROWS - 1) / SDN_ROWS, encode_tile, s, err)) return err->status;
  return sdn_crew_tiles(crew, s->n * pieces_of(s), draw_piece, s, err);
}

static sdn_status sampling_room(sampling *s, long n, sdn_err *err)
{
  const size_t room = (size_t)(n < BLOCK ? n : BLOCK);
  for (int k = 0; k < s->p->n_member; k++)
    if (!(s->given[k] = sdn_alloc(room * (size_t)s->p->member[k].net->n_given, sizeof(float), "what galaxies give to a network", err))) return err->status;
  s->share = sdn_alloc(room * (size_t)s->p->n_member, sizeof *s->share, "shares of members", err);
  s->ln_first = s->share ? sdn_alloc(room * (size_t)s->p->n_member, sizeof *s->ln_first, "shares of members", err) : NULL;
  return s->ln_first ? SDN_OK : err->status;
}

sdn_status sdn_posterior_sample(const sdn_posterior *p, long n, const float *flux_nJy, const float *sigma_nJy, const double *fixed_first, long n_draw,
                                uint64_t seed, long row0, float *z, float *ln_q, const sdn_run *run, sdn_err *err)
{
  const long d = p->n_free, n_band = sdn_survey_n_band(p->survey);
  sdn_crew *crew = NULL;
  sampling s = {.p = p, .n_draw = n_draw, .seed = seed};
  sdn_status status = sampling_room(&s, n, err) || sdn_crew_new(run, &crew, err) ? err->status : SDN_OK;
  for (long i = 0; status == SDN_OK && i < n; i += BLOCK) {
    s.n = n - i < BLOCK ? n - i : BLOCK;
    s.row0 = row0 + i;
    s.flux = flux_nJy + i * n_band;
    s.sigma = sigma_nJy + i * n_band;
    s.fixed_first = fixed_first ? fixed_first + i : NULL;
    s.z = z ? z + i * n_draw * d : NULL;
    s.ln_q = ln_q ? ln_q + i * n_draw : NULL;
    status = sample_block(&s, crew, err);
  }
  sdn_crew_free(crew);
  for (int k = 0; k < p->n_member; k++) sdn_release(s.given[k]);
  sdn_release(s.share);
  sdn_release(s.ln_first);
  return status;
}
