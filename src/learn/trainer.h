/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The training loop. It knows nothing of files: whoever wants a network trained supplies rows by a callback.
 * The loss is the mean of -ln q(z | x); what is reported is the information gain, mean of ln q(z | x) - ln N(z), in nats.
 * The learning rate over a training: schedule.h; from a gradient to new weights: update.h. Weights are averaged as training goes; the average with the
 * best validation gain is kept. */
#ifndef SDN_LEARN_TRAINER_H
#define SDN_LEARN_TRAINER_H

#include "base/parallel.h"
#include "learn/batch.h"

typedef enum sdn_optimiser { SDN_ADAMW, SDN_MUON, SDN_N_OPTIMISER } sdn_optimiser;

typedef struct sdn_train_plan {
  sdn_arch arch;
  sdn_optimiser optimiser;
  long n_epoch;             /* the schedule spans these, unless max_minutes > 0 */
  double max_minutes;
  long batch, warm_up, patience, seed;
  long n_validation_noise;  /* noise realisations of each validation galaxy, the same in every validation */
  double learning_rate, weight_decay, clip, ema;
} sdn_train_plan;

/* The plan that options ask for, for data of n_token bands and n_feature features. err SDN_USAGE: no such head, encoder or optimiser. */
sdn_status sdn_train_plan_of(const sdn_train_options *options, int n_free, int n_token, int n_feature, sdn_train_plan *plan, sdn_err *err);

/* One validation. */
typedef struct sdn_history { double epoch, step, seconds, rate, train_gain, validation_gain; } sdn_history;
#define SDN_N_HISTORY 6

/* What training has come to: all that a checkpoint must hold. Blocks are [net->n_number]. */
typedef struct sdn_train_state {
  float *weights, *first, *second;   /* first, second: Adam's moments; Muon's momentum is in first */
  float *average, *best;             /* running average of the weights; the one with the best validation gain */
  long step, adam_step, epoch;
  long place;                        /* rows of this epoch that have been used */
  float *reference;                  /* [n_validation] gains of the last validation that stood out from noise */
  long n_restart, since_gain;        /* since_gain: validations since then */
  double fall_from;                  /* where the rate began to fall because patience was exhausted, in the schedule's unit; -1: not yet */
  double rate_factor, best_gain, seconds;
  double epoch_gain;                 /* sum of the gain over this epoch's rows so far */
  long n_history, room; sdn_history *history;
} sdn_train_state;

typedef struct sdn_piece sdn_piece;   /* of the weights, updated together: update.c */
typedef struct sdn_trainer sdn_trainer;
struct sdn_trainer {
  sdn_train_plan plan;
  sdn_row_source source;
  const sdn_run *run;
  sdn_network *net;
  sdn_scaling scaling;
  sdn_train_state state;
  sdn_status (*save)(void *ctx, const sdn_trainer *t, sdn_err *err);   /* called now and then and on a stop; NULL: no checkpoints */
  void *save_ctx;
  /* scratch */
  sdn_crew *crew;
  float *part, *gradient;            /* [n_part][n_number], [n_number] */
  int n_part; double *part_gain;     /* [n_part] */
  int n_piece; sdn_piece *piece;
  double *row_gain;                  /* [n_validation] of the last validation */
  long *order;                       /* [n_train] of the epoch under way; NULL: the source has an order of its own */
  long order_epoch;                  /* which epoch's; -1: none yet */
};

/* Makes network, initial weights and feature scaling. The source's ctx and run must outlive the trainer. */
sdn_status sdn_trainer_new(const sdn_train_plan *plan, const sdn_row_source *source, const sdn_run *run, sdn_trainer **t, sdn_err *err);
void sdn_trainer_free(sdn_trainer *t);
/* To the end of the schedule. err SDN_INTERRUPTED: stopped on request, state saved;
 * SDN_NUMERIC: training diverged again and again. Afterwards state.best holds the best averaged weights. */
sdn_status sdn_trainer_run(sdn_trainer *t, sdn_err *err);
/* Information gain of each row of a split, averaged over n_noise realisations of its noise: row_gain [n of the split]. */
sdn_status sdn_trainer_row_gains(sdn_trainer *t, const float *weights, sdn_split split, long n_noise, double *row_gain, sdn_err *err);
/* Its mean with one realisation, and the mean's standard error. */
sdn_status sdn_trainer_gain(sdn_trainer *t, const float *weights, sdn_split split, double *gain, double *error, sdn_err *err);
/* One step on the next batch at a learning rate; *finite false: the gradient was not, and nothing was changed. */
sdn_status sdn_trainer_step(sdn_trainer *t, double rate, bool *finite, sdn_err *err);
bool sdn_trainer_epoch_ended(const sdn_trainer *t);

#endif
