/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stars that formed at single moments: a simulated galaxy's particles, or one burst. */
#ifndef SDN_PHYSICS_SFH_PARTICLES_H
#define SDN_PHYSICS_SFH_PARTICLES_H

#include "physics/sfh_family.h"

typedef struct sdn_sfh_particles {
  long n;
  double *age_yr, *ln_age;       /* [n] ascending lookback times */
  double *mass, *mass_before;    /* [n], [n+1] shares of the whole; sums of the younger ones */
  double *metallicity;           /* [n] mass fraction of metals; NULL: not known */
} sdn_sfh_particles;

/* All mass at one age; ops of particles. */
sdn_status sdn_sfh_one_particle(sdn_sfh *h, double age_yr, sdn_arena *arena, sdn_err *err);

#endif
