/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which bands of a galaxy are missing: at most one of the survey's patterns, then each other band by itself; one band is always left. */
#ifndef SDN_SURVEY_MASKS_H
#define SDN_SURVEY_MASKS_H

#include "base/random.h"
#include "survey/survey.h"

/* The survey's masks as thresholds for random words. */
typedef struct sdn_mask_plan {
  bool any;                            /* false: nothing is ever missing, and no random number is used */
  uint64_t drop_below;                 /* a word below drops its band */
  uint64_t pattern_below[SDN_SURVEY_MAX_PATTERN];   /* [n_pattern] running sums of the fractions */
} sdn_mask_plan;

void sdn_mask_plan_set(sdn_mask_plan *plan, const sdn_survey *s);
/* missing [n_band] of one galaxy, from the next words of its sequence. Where all would be missing, one of the bands that the pattern leaves stays, each as
 * likely as any other. */
void sdn_mask_draw(const sdn_mask_plan *plan, const sdn_survey *s, sdn_rng *rng, bool *missing);

#endif
