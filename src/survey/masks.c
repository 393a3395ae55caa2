/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "survey/masks.h"

#include <string.h>

static uint64_t threshold(double probability) { return (uint64_t)(probability * 0x1p32); }

void sdn_mask_plan_set(sdn_mask_plan *plan, const sdn_survey *s)
{
  double sum = 0;
  for (int p = 0; p < s->n_pattern; p++) plan->pattern_below[p] = threshold(sum += s->pattern[p].fraction);
  plan->drop_below = threshold(s->drop_fraction);
  plan->any = plan->drop_below > 0 || s->n_pattern > 0;
}

static const bool *draw_pattern(const sdn_mask_plan *plan, const sdn_survey *s, sdn_rng *rng)
{
  if (s->n_pattern == 0) return NULL;
  const uint32_t word = sdn_rng_bits(rng);
  for (int p = 0; p < s->n_pattern; p++)
    if (word < plan->pattern_below[p]) return s->pattern[p].missing;
  return NULL;
}

static void keep_one(const bool *pattern, int n_band, sdn_rng *rng, bool *missing)
{
  int n_candidate = 0;
  for (int b = 0; b < n_band; b++) n_candidate += !(pattern && pattern[b]);
  long chosen = sdn_rng_below(rng, n_candidate);
  for (int b = 0; b < n_band; b++)
    if (!(pattern && pattern[b]) && chosen-- == 0) missing[b] = false;
}

void sdn_mask_draw(const sdn_mask_plan *plan, const sdn_survey *s, sdn_rng *rng, bool *missing)
{
  const bool *pattern = draw_pattern(plan, s, rng);
  if (pattern) memcpy(missing, pattern, (size_t)s->n_band * sizeof *missing);
  else memset(missing, 0, (size_t)s->n_band * sizeof *missing);
  int n_left = 0;
  for (int b = 0; b < s->n_band; b++) {
    if (plan->drop_below > 0 && sdn_rng_bits(rng) < plan->drop_below) missing[b] = true;
    n_left += !missing[b];
  }
  if (n_left == 0) keep_one(pattern, s->n_band, rng, missing);
}
