/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A posterior file set going: its network, its survey, and its model with the grid loaded, ready to turn draws into galaxies. */
#ifndef SDN_INFER_ENGINE_H
#define SDN_INFER_ENGINE_H

#include "base/memory.h"

typedef struct sdn_engine {
  sdn_posterior *posterior;
  sdn_model *model;
  sdn_forward *forward;            /* for the survey's bands, in its order */
  const sdn_survey *survey;        /* the posterior's */
  const sdn_prior *prior;          /* the model's, or own_prior */
  sdn_prior *own_prior;            /* of data of any simulator: then there is no model and no forward, and nothing is derived */
  int n_band, n_free, n_param;
  int n_sfh, n_derived;            /* derived quantities: from the star formation history alone, all */
  int redshift_param;              /* the parameter `redshift` when it is free (it is then the first coordinate), else -1 */
  uint64_t hash;                   /* of the posterior file */
} sdn_engine;

/* err SDN_FORMAT also when the network and the model inside the file do not belong together. */
sdn_status sdn_engine_open(const char *posterior_path, sdn_engine *e, sdn_err *err);
void sdn_engine_close(sdn_engine *e);

/* "redshift" and what may stand behind it: fix = "redshift=COLUMN" -> *column = "COLUMN"; fix = "redshift" -> *column = NULL.
 * err SDN_USAGE: another parameter, or a model whose redshift is not free. */
sdn_status sdn_engine_fix(const sdn_engine *e, const char *fix, const char **column, sdn_err *err);
/* The first coordinate of given redshifts, [n] -> z_first [n]; NaN where a redshift is NaN or outside the prior. */
sdn_status sdn_engine_first_coordinate(const sdn_engine *e, long n, const double *redshift, double *z_first, sdn_err *err);

#endif
