/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every family of star formation histories with random parameters from the whole of what a prior might give. */
#ifndef TEST_SUPPORT_SFH_FAMILIES_H
#define TEST_SUPPORT_SFH_FAMILIES_H

#include "base/random.h"
#include "support/sfh_fixture.h"

#define SFH_N_FAMILY 27

typedef struct sfh_family { const char *yaml; void (*set)(sfh_built *b, sdn_rng *rng, double gyr); bool steps; } sfh_family;   /* steps: of the mass */
extern const sfh_family sfh_families[SFH_N_FAMILY];

double sfh_log_between(sdn_rng *rng, double low, double high);   /* 10^low to 10^high */
/* A history of family f, built by sfh_build(sfh_families[f].yaml), in a Universe of 0.16 to 13.8 Gyr. */
sdn_sfh sfh_draw(int f, sfh_built *b, sdn_rng *rng);

#endif
