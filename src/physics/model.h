/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model.yaml, understood: the grid, the laws, and which parameter of the prior drives what. */
#ifndef SDN_PHYSICS_MODEL_H
#define SDN_PHYSICS_MODEL_H

#include "physics/attenuation.h"
#include "physics/cosmology.h"
#include "physics/grid.h"
#include "physics/igm.h"
#include "physics/population.h"
#include "physics/sfh.h"

/* Parameters that every family of histories shares. Those that the model does not have (dust: none) have index -1 and act as zero. */
typedef enum sdn_slot {
  SDN_SLOT_REDSHIFT, SDN_SLOT_LOG_MASS, SDN_SLOT_LOG_METALLICITY, SDN_SLOT_LOG_U, SDN_SLOT_ESCAPE, SDN_SLOT_LY_ALPHA, SDN_SLOT_A_V, SDN_SLOT_DUST_SLOPE,
  SDN_SLOT_DUST_BUMP, SDN_N_SLOT
} sdn_slot;

/* One row of the table from which YAML, explain and docs/formats.md read: where the key stands and what the parameter is. */
typedef struct sdn_model_knob { sdn_slot slot; const char *section, *key; sdn_param_spec spec; } sdn_model_knob;
const sdn_model_knob *sdn_model_knobs(size_t *n);

struct sdn_model {
  char *yaml, *origin;
  sdn_grid *grid;
  sdn_cosmology *cosmology;
  sdn_population *population;            /* functions that formulas call */
  sdn_prior *prior;
  sdn_sfh_model *sfh;
  bool nebular;                          /* gas shines; without it the stars are bare */
  sdn_attenuation_law dust;
  sdn_igm_law igm;
  bool random_design;                    /* a library of this model: pseudo-random draws instead of Sobol points */
  int param[SDN_N_SLOT];
  int axis_param[SDN_GRID_MAX_AXIS];     /* the parameter that moves along each extra grid axis; -1: the axis has one node, or no table in use needs it */
};

/* Where params [n_param] lie along a grid axis, in that axis' coordinate. */
double sdn_model_coordinate(const sdn_model *m, int axis, const double *params);
double sdn_model_value(const sdn_model *m, sdn_slot slot, const double *params);   /* 0 for a slot that the model lacks */

#endif
