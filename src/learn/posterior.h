/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A trained posterior: one network or a mixture of several, and all that is needed to use it. File layout: posterior_file.c. */
#ifndef SDN_LEARN_POSTERIOR_H
#define SDN_LEARN_POSTERIOR_H

#include "base/h5.h"
#include "learn/batch.h"
#include "learn/trainer.h"

#define SDN_POSTERIOR_FORMAT "sedna posterior"
#define SDN_POSTERIOR_VERSION 2
#define SDN_MAX_MEMBER 16

/* One network of the mixture q(z | x) = sum_k weight_k q_k(z | x). */
typedef struct sdn_member {
  double weight;                   /* > 0; the members' sum is 1 */
  sdn_network *net;
  float *weights;                  /* [net->n_number] */
  sdn_scaling scaling;
} sdn_member;

struct sdn_posterior {
  char *model_yaml, *physics_hash;
  sdn_survey *survey;
  int n_free;
  char **free_name, **free_unit;   /* [n_free], one block each */
  int n_member;
  sdn_member member[SDN_MAX_MEMBER];
};

/* What a posterior file says of its origin. */
typedef struct sdn_posterior_origin {
  const char *command, *model_yaml, *survey_yaml, *physics_hash;   /* command may be NULL */
  int n_free;
  const char *const *free_name, *const *free_unit;              /* [n_free] */
  const sdn_train_options *options;
  const sdn_train_summary *summary;
} sdn_posterior_origin;

/* The trainer's best weights, as a posterior of one member, to PATH, by way of PATH.part. */
sdn_status sdn_posterior_write(const char *path, const sdn_trainer *t, const sdn_posterior_origin *origin, sdn_err *err);
/* A posterior of any number of members to PATH, by way of PATH.part; command may be NULL. What came of its members' trainings is left out. */
sdn_status sdn_posterior_save(const char *path, const sdn_posterior *p, const char *command, sdn_err *err);
/* sdn_forward_hash of the library that it was trained on, as text. */
const char *sdn_posterior_physics_hash(const sdn_posterior *p);
/* Dataset of known shape into `out`; err SDN_FORMAT: another shape, or numbers that are not finite. */
sdn_status sdn_read_block(const sdn_h5 *file, const char *name, const sdn_h5_shape *shape, float *out, sdn_err *err);

/* Standardised features of galaxies first .. first+n-1 into a tile [SDN_ROWS][F], as the member takes them; rows beyond n are zero. */
void sdn_member_features(const sdn_posterior *p, const sdn_member *m, long first, long n, const float *flux_nJy, const float *sigma_nJy, float *x_t);
/* A galaxy with no usable band at all: what is known of it is the prior. flux, sigma [n_band] of that galaxy. */
bool sdn_posterior_without_data(const sdn_posterior *p, const float *flux_nJy, const float *sigma_nJy);

#endif
