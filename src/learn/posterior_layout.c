/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/posterior_layout.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"

sdn_h5_shape sdn_weight_shape(const sdn_weight *w)
{
  return (sdn_h5_shape){.n_dim = w->n_col > 0 ? 2 : 1, .dim = {w->n_row, w->n_col}};
}

const char *sdn_member_name(int k, const char *name, char text[96])
{
  snprintf(text, 96, "member%d%s%s", k, name ? "/" : "", name ? name : "");
  return text;
}

static uint64_t hash_text(const char *text, uint64_t hash) { return sdn_hash_bytes(text, strlen(text) + 1, hash); }

static uint64_t hash_member(const sdn_member *m, uint64_t hash)
{
  const size_t f = (size_t)m->scaling.n * sizeof(float);
  hash = hash_text(sdn_encoder_name(m->net->arch.encoder), hash_text(sdn_head_name(m->net->arch.head), hash));
  hash = sdn_hash_bytes(&m->weight, sizeof m->weight, hash);
  hash = sdn_hash_bytes(m->scaling.mean, f, hash);
  hash = sdn_hash_bytes(m->scaling.scale, f, hash);
  return sdn_hash_bytes(m->weights, m->net->n_number * sizeof(float), hash);
}

void sdn_posterior_checksum(const sdn_posterior_contents *c, char text[24])
{
  uint64_t hash = hash_text(c->physics_hash, hash_text(c->survey_yaml, hash_text(c->model_yaml, 0)));
  for (int i = 0; i < c->n_free; i++) hash = hash_text(c->unit[i], hash_text(c->name[i], hash));
  for (int k = 0; k < c->n_member; k++) hash = hash_member(&c->member[k], hash);
  snprintf(text, 24, "%016" PRIx64, hash);
}

sdn_posterior_contents sdn_contents_of(const sdn_posterior *p)
{
  return (sdn_posterior_contents){p->model_yaml, sdn_survey_yaml(p->survey), p->physics_hash, p->n_free, (const char *const *)p->free_name,
                    (const char *const *)p->free_unit, p->n_member, p->member};
}
