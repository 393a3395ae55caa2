/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Star formation histories from YAML, whose parameters a test then sets by name. */
#ifndef TEST_SUPPORT_SFH_FIXTURE_H
#define TEST_SUPPORT_SFH_FIXTURE_H

#include "physics/sfh.h"

typedef struct sfh_built { sdn_yaml *root; sdn_prior *prior; sdn_sfh_model *model; sdn_arena *arena; sdn_arena_mark start; double params[160]; } sfh_built;

/* The prior also has redshift (0), log_mass_formed_msun (10) and the function age_universe_gyr(z) = 13.8 / (1 + z). params are its medians. */
sdn_status sfh_try(const char *yaml, sfh_built *b, sdn_err *err);
sfh_built sfh_build(const char *yaml);   /* a failure fails the test */
void sfh_unbuild(sfh_built *b);
void sfh_set(sfh_built *b, const char *name, double value);
/* name1, name2, ... */
void sfh_set_numbered(sfh_built *b, const char *name, int n, const double *value);
/* Lives until the next call with the same b. */
sdn_sfh sfh_prepared(sfh_built *b, double age_universe_yr);

#endif
