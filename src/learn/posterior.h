/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A trained posterior: one network or a mixture of several, and all that is needed to use it. File layout: posterior_layout.h. */
#ifndef SDN_LEARN_POSTERIOR_H
#define SDN_LEARN_POSTERIOR_H

#include "base/h5.h"
#include "learn/batch.h"
#include "learn/trainer.h"

#define SDN_POSTERIOR_FORMAT "sedna posterior"
#define SDN_POSTERIOR_VERSION 2
#define SDN_MAX_MEMBER SDN_POSTERIOR_MAX_MEMBER

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
  const char *config;                                           /* all that decides what its training does, as lines */
  const sdn_train_options *options;
  const sdn_train_summary *summary;
} sdn_posterior_origin;

/* The trainer's best weights, as a posterior of one member, to PATH, by way of PATH.part. */
sdn_status sdn_posterior_write(const char *path, const sdn_trainer *t, const sdn_posterior_origin *origin, sdn_err *err);
/* Where a member of a mixture was read: member `member` of a file. */
typedef struct sdn_member_origin { const char *path; int member; } sdn_member_origin;
/* A posterior of any number of members to PATH, by way of PATH.part; origin [n_member], whose records of training are copied; command may be NULL. */
sdn_status sdn_posterior_save(const char *path, const sdn_posterior *p, const sdn_member_origin *origin, const char *command, sdn_err *err);
/* The origin's `config` of a file's first member; freed by sdn_release. */
sdn_status sdn_posterior_config(const char *path, char **config, sdn_err *err);
/* A file's checksum. */
sdn_status sdn_posterior_sum(const char *path, char sum[24], sdn_err *err);
/* Seed and fractions of the split that a file's first member was trained with, into those fields. */
sdn_status sdn_posterior_split(const char *path, sdn_train_options *split, sdn_err *err);
/* sdn_forward_hash of the library that it was trained on, as text. */
const char *sdn_posterior_physics_hash(const sdn_posterior *p);
/* Dataset of known shape into `out`; err SDN_FORMAT: another shape, or numbers that are not finite. */
sdn_status sdn_read_block(const sdn_h5 *file, const char *name, const sdn_h5_shape *shape, float *out, sdn_err *err);

/* Standardised features of galaxies first .. first+n-1 into a tile [SDN_ROWS][F], as the member takes them; rows beyond n are zero. */
void sdn_member_features(const sdn_posterior *p, const sdn_member *m, long first, long n, const float *flux_nJy, const float *sigma_nJy, float *x_t);
/* A galaxy with no usable band at all: what is known of it is the prior. flux, sigma [n_band] of that galaxy. */
bool sdn_posterior_without_data(const sdn_posterior *p, const float *flux_nJy, const float *sigma_nJy);

#endif
