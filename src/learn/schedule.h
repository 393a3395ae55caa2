/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The learning rate over a training. It rises over the first steps, and falls to zero as a straight line: from the beginning; or, where the plan has
 * patience, over the last 40 % of a training whose end is not known. There the rate stays high until, after the warm-up, `patience` validations in a row have brought no
 * gain that stands out from noise, or 60 % of the plan is over; then it falls, and training ends where it reaches zero. */
#ifndef SDN_LEARN_SCHEDULE_H
#define SDN_LEARN_SCHEDULE_H

#include "learn/trainer.h"

/* Share of the schedule that is over, as far as is known: 1 at the end. */
double sdn_schedule_share(const sdn_trainer *t);
/* Learning rate of the next step. */
double sdn_schedule_rate(const sdn_trainer *t);
/* After a validation that gave row_gain [n_validation]: counts it, and lets the rate fall when patience is exhausted. */
void sdn_schedule_validated(sdn_trainer *t, const double *row_gain);

#endif
