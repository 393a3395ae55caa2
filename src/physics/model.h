/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A model.yaml, understood: the grid, the populations, what stands between them and us, and which parameter of the prior drives what. */
#ifndef SDN_PHYSICS_MODEL_H
#define SDN_PHYSICS_MODEL_H

#include "physics/agn.h"
#include "physics/attenuation.h"
#include "physics/census.h"
#include "physics/cosmology.h"
#include "physics/derived.h"
#include "physics/dust_emission.h"
#include "physics/grid.h"
#include "physics/igm.h"
#include "physics/metallicity.h"
#include "physics/sfh.h"

#define SDN_MAX_POPULATION 8
#define SDN_LIGHT_KM_S 299792.458

/* Dust in front of stars. A share 1 - covering of the light meets none. */
typedef struct sdn_screens {
  sdn_attenuation *ism;                  /* before everything; NULL: none */
  sdn_attenuation *birth;                /* before stars younger than birth_age_myr, and behind the ISM; NULL: none */
  int covering, line_factor, birth_age_myr;   /* parameters; -1: the key is absent, and 1, 1, none hold */
} sdn_screens;

/* Stars that share one history of formation and enrichment. */
typedef struct sdn_population {
  char *name;                            /* "" for the only one */
  int log_mass;                          /* parameter */
  sdn_metallicity *metallicity;
  sdn_sfh_model *sfh;
  const sdn_screens *screens;            /* one of the model's; NULL: none */
} sdn_population;

/* Gas around young stars, as the grid's photoionisation tables have it; parameters, -1: absent. */
typedef struct sdn_nebular { bool shines; int escape, ly_alpha, dust_fraction, log_gas_metallicity, log_u; } sdn_nebular;

struct sdn_model {
  char *yaml, *origin;
  sdn_grid *grid;
  sdn_cosmology *cosmology;
  sdn_census *census;                    /* functions that formulas call */
  sdn_prior *prior;
  int redshift;                          /* parameter */
  int n_population;
  sdn_population population[SDN_MAX_POPULATION];
  int n_screens;
  sdn_screens screens[SDN_MAX_POPULATION + 1];
  sdn_nebular nebular;
  sdn_dust_emission *dust_emission;      /* NULL: none */
  sdn_agn *agn;                          /* NULL: none */
  sdn_igm *igm;
  int velocity_dispersion, gas_velocity_dispersion;   /* parameters [km/s]; -1: none */
  sdn_derived_plan *derived;             /* which derived quantities */
  bool random_design;                    /* a library of this model: pseudo-random draws instead of Sobol points */
  int axis_param[SDN_GRID_MAX_AXIS];     /* the parameter that moves along each extra grid axis; -1: the axis has one node, or no table in use needs it */
};

/* Where params [n_param] lie along an extra axis of the grid (2 and up), in that axis' coordinate. */
double sdn_model_coordinate(const sdn_model *m, int axis, const double *params);
/* A parameter's value, or `absent` for index -1. */
double sdn_model_value(const double *params, int param, double absent);
/* The interval that a parameter can take; both ends `absent` for index -1. */
void sdn_model_range(const sdn_model *m, int param, double absent, double *low, double *high);
/* Is the metallicity of all stars (gas: of the gas around them) one number, the same for all galaxies? Then its log10. */
bool sdn_model_fixed_metallicity(const sdn_model *m, bool gas, double *log_metallicity);

#endif
