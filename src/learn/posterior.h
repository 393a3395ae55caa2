/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A trained posterior: the network with its weights, and all that is needed to use it. File layout: posterior_file.c. */
#ifndef SDN_LEARN_POSTERIOR_H
#define SDN_LEARN_POSTERIOR_H

#include "base/h5.h"
#include "learn/batch.h"
#include "learn/trainer.h"

#define SDN_POSTERIOR_FORMAT "sedna posterior"
#define SDN_POSTERIOR_VERSION 1

struct sdn_posterior {
  char *model_yaml, *physics_hash;
  sdn_survey *survey;
  char **free_name, **free_unit;   /* [D], one block each */
  sdn_network *net;
  float *weights;                  /* [net->n_number] */
  sdn_scaling scaling;
};

/* What a posterior file says of its origin. */
typedef struct sdn_posterior_origin {
  const char *command, *model_yaml, *survey_yaml, *physics_hash;   /* command may be NULL */
  int n_free;
  const char *const *free_name, *const *free_unit;              /* [n_free] */
  const sdn_train_options *options;
  const sdn_train_summary *summary;
} sdn_posterior_origin;

/* The trainer's best weights to PATH, by way of PATH.part. */
sdn_status sdn_posterior_write(const char *path, const sdn_trainer *t, const sdn_posterior_origin *origin, sdn_err *err);
/* sdn_forward_hash of the library that it was trained on, as text. */
const char *sdn_posterior_physics_hash(const sdn_posterior *p);
/* Dataset of known shape into `out`; err SDN_FORMAT: another shape, or numbers that are not finite. */
sdn_status sdn_read_block(const sdn_h5 *file, const char *name, const sdn_h5_shape *shape, float *out, sdn_err *err);

#endif
