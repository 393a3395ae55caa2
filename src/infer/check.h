/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A posterior checked on fresh simulated galaxies: what is collected per galaxy, and what is made of it. */
#ifndef SDN_INFER_CHECK_H
#define SDN_INFER_CHECK_H

#include "infer/calibration.h"
#include "infer/engine.h"
#include "infer/pairs.h"

/* Per galaxy; quantities are the primary parameters, then the derived ones of the star formation history. NaN: no such number. */
typedef struct sdn_trial {
  const sdn_engine *engine;
  long n, n_draw;
  uint64_t seed;
  const sdn_data_pairs *pairs; bool observed;   /* as in the set-up */
  bool fix;                        /* the network is given the true redshift, which is then no quantity */
  int n_quantity, n_primary, first_free;   /* first_free: 1 when the redshift is given, else 0 */
  double *truth, *median, *pit;    /* [n_quantity][n] */
  double *snr;                     /* [n] mean over observed bands of flux / background error */
  double *gain;                    /* [n] ln q(z|x) - ln N(z) at the truth, nats */
  double *tarp;                    /* [n] */
} sdn_trial;

/* pairs NULL: galaxies are simulated afresh; else its rows, n of them: observed (noisy) data, or noise-free ones that the survey's noise is still to be added to. */
typedef struct sdn_trial_setup { long n, n_draw; uint64_t seed; bool fix; const sdn_data_pairs *pairs; bool observed; } sdn_trial_setup;
/* Draw galaxies, noise and posteriors: all that is random. The same for any number of threads. */
sdn_status sdn_trial_new(const sdn_engine *e, const sdn_trial_setup *setup, const sdn_run *run, sdn_trial **trial, sdn_err *err);
void sdn_trial_free(sdn_trial *t);
const char *sdn_trial_name(const sdn_trial *t, int quantity);
const char *sdn_trial_unit(const sdn_trial *t, int quantity);

#define SDN_N_LEVEL 3              /* 50, 68, 95 % */
#define SDN_N_SNR_BIN 8
typedef struct sdn_snr_bin { const char *name; double low, high; } sdn_snr_bin;   /* low <= S/N < high */
extern const sdn_snr_bin sdn_snr_bins[SDN_N_SNR_BIN];

typedef struct sdn_score {         /* of one quantity */
  sdn_coverage coverage[SDN_N_LEVEL];
  sdn_uniformity ranks;
  sdn_recovery recovery[SDN_N_SNR_BIN];
} sdn_score;

typedef struct sdn_verdict {
  int n_quantity;
  sdn_score *score;                /* [n_quantity] */
  sdn_uniformity tarp;
  long n_gain;
  double gain, gain_error;         /* mean information gain, nats, and its standard error; NaN when not known */
  double worst[SDN_N_LEVEL];       /* the coverage farthest from its level */
  double smallest_p;
  bool calibrated;
} sdn_verdict;
/* Calibrated: every coverage within 0.02 of its level, or 3 binomial errors where that is more, and no p value of the ranks below 1e-4 / n_quantity. */
sdn_status sdn_verdict_new(const sdn_trial *t, sdn_verdict **verdict, sdn_err *err);
void sdn_verdict_free(sdn_verdict *v);

typedef struct sdn_check_origin { const char *path, *command, *posterior, *data, *noise; } sdn_check_origin;   /* data NULL: simulated afresh */
/* The JSON file; its layout is said in check_json.c. */
sdn_status sdn_check_write(const sdn_check_origin *origin, const sdn_trial *t, const sdn_verdict *v, sdn_err *err);

#endif
