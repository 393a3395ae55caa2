/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A study: the trials of one tuning and what came of them, in an SQLite database that several processes share. Tables:
 *   study     key, value                what is tuned: format, sedna_version, library_hash, search, n_trial, min_epoch, max_epoch, trial_minutes, seed; library, command
 *   trial     trial, options            words "name=value"; all are there from the beginning
 *   training  trial, rung, state, owner, heartbeat, started, seconds, gain, test_gain, test_gain_error, rows_per_second, n_weight, note
 * A row of training is a claim while its state is "running", and ends as "done" or "failed" (note: why). One rung above the last stands the training of the
 * posterior file (note: its name). A claim whose heartbeat is older than `abandon_seconds` belongs to nobody: its training is begun anew. */
#ifndef SDN_LEARN_STUDY_H
#define SDN_LEARN_STUDY_H

#include "base/sqlite.h"
#include "learn/halving.h"
#include "learn/search.h"

#define SDN_STUDY_KIND 0x53444e54   /* application_id: "SDNT" */

/* What a study is about. One that is opened again must be about the same, but for library and command. */
typedef struct sdn_study_plan {
  const char *library, *command;   /* command may be NULL */
  uint64_t library_hash;
  const sdn_search *search;
  long n_trial, min_epoch, max_epoch, seed;
  double trial_minutes;
} sdn_study_plan;

typedef struct sdn_training {
  double heartbeat, started, seconds;   /* seconds since 1970, twice; of training */
  double gain, test_gain, test_gain_error, rows_per_second;
  long n_weight;
  char owner[96], note[512];
} sdn_training;

/* All of a study at one moment. */
typedef struct sdn_trials {
  char *library;
  double trial_minutes;
  long epochs[SDN_MAX_RUNG];
  sdn_halving halving;                   /* score [n_rung][n_trial] */
  sdn_training *training;                /* [n_rung + 1][n_trial]; the last for posterior files */
  sdn_training_state *posterior;         /* [n_trial] of those */
  char (*options)[SDN_TRIAL_TEXT];       /* [n_trial] */
} sdn_trials;
static inline const sdn_training *sdn_training_of(const sdn_trials *t, int trial, int rung) { return &t->training[rung * t->halving.n_trial + trial]; }

typedef struct sdn_study sdn_study;
/* Opens the study, or begins one. err SDN_USAGE: it is of another library or search (says what differs); as sdn_db_open. */
sdn_status sdn_study_open(const char *path, const sdn_study_plan *plan, double abandon_seconds, sdn_study **study, sdn_err *err);
void sdn_study_close(sdn_study *s);
sdn_status sdn_study_load(sdn_study *s, sdn_trials **trials, sdn_err *err);
void sdn_trials_free(sdn_trials *t);
/* From the file alone, for whoever shows it. err SDN_IO: there is none; SDN_FORMAT: it is no study. */
sdn_status sdn_study_read(const char *path, sdn_trials **trials, sdn_err *err);

typedef enum sdn_claim { SDN_CLAIM_GOT, SDN_CLAIM_WAIT, SDN_CLAIM_COMPLETE } sdn_claim;
/* Take the next training. WAIT: what others are at decides what comes next. */
sdn_status sdn_study_claim(sdn_study *s, sdn_claim *claim, int *trial, int *rung, sdn_err *err);
/* Take the training of a trial's posterior file; *got false: another process is at it, or the file is there. */
sdn_status sdn_study_claim_posterior(sdn_study *s, int trial, const char *path, bool *got, sdn_err *err);
/* A sign of life of the claim; *held false: another process has taken it over. */
sdn_status sdn_study_beat(sdn_study *s, bool *held, sdn_err *err);
/* End the claim: with its scores, or, failed not NULL, with why it failed. One that was taken over changes nothing. */
sdn_status sdn_study_finish(sdn_study *s, const sdn_train_summary *summary, const char *failed, const char *note, sdn_err *err);
/* Give the claim back, its training to be begun anew by whoever comes. */
sdn_status sdn_study_release(sdn_study *s, sdn_err *err);

#endif
