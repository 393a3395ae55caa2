/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What tuning searches: for each option of training its values, and the options of each trial drawn from them.
 * Written as words "name=values": "a,b,c" one of these (one that is named twice is drawn twice as often); "low:high" anything between, uniform in the logarithm (linear where low is not positive);
 * one value: fixed, for all trials. */
#ifndef SDN_LEARN_SEARCH_H
#define SDN_LEARN_SEARCH_H

#include "base/error.h"

#define SDN_MAX_SEARCH 40
#define SDN_TRIAL_TEXT 1024     /* room for the options of one trial as words "name=value" */

typedef struct sdn_search {
  int n;
  struct { const sdn_knob *knob; char values[128]; } item[SDN_MAX_SEARCH];
} sdn_search;

/* The built-in search, in which the words of `text` (NULL: none) replace values or add options.
 * err SDN_USAGE: no such option (the nearest is named), one that tuning sets itself, a value outside the option's range. */
sdn_status sdn_search_parse(const char *text, sdn_search *search, sdn_err *err);
/* As text, the same for equal searches. */
sdn_status sdn_search_text(const sdn_search *search, char *text, size_t size, sdn_err *err);
/* Options of a trial, a function of (search, seed, trial) alone. Trial 0 has the defaults, and what is fixed. */
void sdn_search_draw(const sdn_search *search, uint64_t seed, long trial, char options[SDN_TRIAL_TEXT]);
/* Words "name=value" into the options; `options` is cut into words and must outlive *o. */
sdn_status sdn_search_apply(char *options, sdn_train_options *o, sdn_err *err);

#endif
