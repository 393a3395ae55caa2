/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the parts of a step's gradient to new weights: parts summed, long gradients clipped, matrices moved by Muon (where the plan says so) and the rest by
 * AdamW, and the running average. The weights are cut into pieces, which the workers take one by one. */
#ifndef SDN_LEARN_UPDATE_H
#define SDN_LEARN_UPDATE_H

#include "learn/trainer.h"

/* The optimiser of that name. err SDN_USAGE: none; the sentence lists what there is. */
sdn_status sdn_optimiser_find(const char *name, sdn_optimiser *optimiser, sdn_err *err);
/* Cuts the network's weights into t->piece. */
sdn_status sdn_update_new(sdn_trainer *t, sdn_err *err);
void sdn_update_free(sdn_trainer *t);
/* t->part, added in order -> t->gradient and its sum of squares. */
sdn_status sdn_update_sum(sdn_trainer *t, double *squares, sdn_err *err);
/* One step along t->gradient, whose norm is given. */
sdn_status sdn_update_weights(sdn_trainer *t, double rate, double norm, sdn_err *err);

#endif
