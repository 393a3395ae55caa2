/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training that begins with the weights of an earlier posterior: other depths, other bands, another prior. */
#ifndef SDN_LEARN_WARM_START_H
#define SDN_LEARN_WARM_START_H

#include "learn/posterior.h"
#include "learn/rows.h"

/* The network that member `member` (counted round) of the posterior in `path` offers to `rows`: *p stays open for sdn_warm_start, *arch gets its kinds and sizes with
 * the features of the rows' survey. err SDN_USAGE: other parameters; other bands, and an encoder that cannot take them. */
sdn_status sdn_warm_open(const char *path, long member, const sdn_rows *rows, sdn_posterior **p, sdn_arch *arch, sdn_err *err);
/* Its weights and feature scaling into a fresh trainer with that arch. Bands keep their inputs by name; those of a new band begin with weight 0, their
 * scaling as measured. So to galaxies without the new bands the network begins as the old one
 * does to them without those that are gone. */
void sdn_warm_start(const sdn_posterior *p, long member, const sdn_rows *rows, sdn_trainer *t);

#endif
