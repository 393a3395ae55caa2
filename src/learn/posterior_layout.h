/* SPDX-License-Identifier: GPL-3.0-or-later */
/* posterior.h5:
 *   /            format, version, sedna_version, command, model_yaml, survey_yaml, physics_hash, free_names, free_units, n_member, checksum
 *   /memberK     weight, head, encoder, sizes (n_free, n_feature, n_token, n_encoder, n_depth, n_context, n_layer, n_hidden, n_bin, n_bin_first, n_component,
 *                n_token_hidden, n_token_depth, n_present, exchangeable, first_pixel, n_pixel)
 *     feature_mean, feature_scale [F]; encoder/..., context, context_bias, ... : the weights that the network lists, float32
 *   /memberK/training   every option of training, what came of it; history [n][6] */
#ifndef SDN_LEARN_POSTERIOR_LAYOUT_H
#define SDN_LEARN_POSTERIOR_LAYOUT_H

#include "learn/posterior.h"

/* Of all that decides an answer: texts, names, members. An altered file does not pass for the one that was written. */
typedef struct sdn_posterior_contents {
  const char *model_yaml, *survey_yaml, *physics_hash;
  int n_free; const char *const *name, *const *unit;
  int n_member; const sdn_member *member;
} sdn_posterior_contents;

sdn_posterior_contents sdn_contents_of(const sdn_posterior *p);
void sdn_posterior_checksum(const sdn_posterior_contents *c, char text[24]);

/* "memberK", or "memberK/NAME" where name is not NULL. */
const char *sdn_member_name(int k, const char *name, char text[96]);
sdn_h5_shape sdn_weight_shape(const sdn_weight *w);
/* A network of one coordinate has no hidden units. */
static inline bool sdn_weight_is_empty(const sdn_weight *w) { return w->n_row == 0; }

#endif
