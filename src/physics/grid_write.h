/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A grid back into a file of the present layout (0.9 and later), with what sedna adds to it: a dataset that does not depend on all axes says on which it does. */
#ifndef SDN_PHYSICS_GRID_WRITE_H
#define SDN_PHYSICS_GRID_WRITE_H

#include "base/h5.h"
#include "physics/grid.h"

/* An attribute to be written: where the grid comes from, what was done to it. object: "/", "Model", "CloudyParams". text NULL: the number. */
typedef struct sdn_grid_note { const char *object, *key, *text; double number; } sdn_grid_note;

typedef struct sdn_grid_write_options {
  const sdn_h5 *source;            /* its groups Model and CloudyParams, and tables that g does not hold, are copied; NULL: none */
  size_t n_note; const sdn_grid_note *note;
  const sdn_run *run;              /* its command is recorded; progress; may be NULL */
} sdn_grid_write_options;

/* To PATH.part, then PATH. Of tables that g made itself (transmitted_derived) nothing is written. */
sdn_status sdn_grid_write(const sdn_grid *g, const char *path, const sdn_grid_write_options *opt, sdn_err *err);

#endif
