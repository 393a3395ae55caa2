/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One network from rows in memory: what `sedna train` and `sedna tune` share. */
#ifndef SDN_LEARN_TRAIN_H
#define SDN_LEARN_TRAIN_H

#include "learn/rows.h"

#define SDN_MAX_PATH 4096

/* Trains the network options->member on the rows, going on from OUTPUT.checkpoint where options->resume says so, and writes it to options->output;
 * output NULL: no checkpoints, and nothing is written. err as sdn_train. */
sdn_status sdn_train_network(const sdn_train_options *options, sdn_rows *rows, const sdn_run *run, sdn_train_summary *summary, sdn_err *err);

#endif
