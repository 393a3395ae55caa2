/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/trained.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DRAW_SEED 71

static const sdn_run one_thread = {.n_thread = 1};

void trained_new(trained *n, const sdn_train_plan *plan, const sdn_row_source *source)
{
  sdn_err err;
  if (sdn_trainer_new(plan, source, &one_thread, &n->t, &err) || sdn_trainer_run(n->t, &err)) fail_msg("%s", err.text);
  n->arena = sdn_arena_new(&err);
  assert_non_null(n->arena);
  assert_int_equal(sdn_tile_work_new(n->t->net, n->arena, &n->tile, &err), SDN_OK);
  assert_int_equal(sdn_draw_work_new(n->t->net, n->arena, &n->draw, &err), SDN_OK);
  n->given = sdn_arena_take(n->arena, (size_t)n->t->net->n_given, sizeof(float), &err);
  assert_non_null(n->given);
}

void trained_free(trained *n)
{
  sdn_arena_free(n->arena);
  sdn_trainer_free(n->t);
}

void trained_draw(trained *n, const float *x, uint64_t name, long n_draw, float *z)
{
  const sdn_network *net = n->t->net;
  const float *weights = n->t->state.best;
  const int d = net->arch.n_free;
  double ln_q[SDN_ROWS];
  sdn_rng rng = sdn_rng_at(DRAW_SEED, SDN_STREAM_TEST, name);
  sdn_scale_features(&n->t->scaling, 1, x, n->tile.x_t);
  for (int i = 0; i < net->arch.n_feature; i++)   /* a whole tile of the same data */
    for (int r = 1; r < SDN_ROWS; r++) n->tile.x_t[r * net->arch.n_feature + i] = n->tile.x_t[i];
  sdn_network_encode(net, weights, &n->tile);
  for (int i = 0; i < net->n_given; i++) n->given[i] = n->tile.given[i * SDN_ROWS];
  sdn_draw_galaxy(net, weights, &n->draw, n->given, NULL);
  for (long at = 0; at < n_draw; at += SDN_ROWS) {
    sdn_rng_normals(&rng, SDN_ROWS * d, n->draw.y);
    for (int r = 0; r < SDN_ROWS; r++) n->draw.pick[r] = (float)sdn_rng_uniform(&rng);
    sdn_draw(net, weights, &n->draw, ln_q);
    sdn_transpose(d, SDN_ROWS, n->draw.y, z + at * d);
  }
}
