/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forward model inside: what other rooms and the tests may ask beyond sedna.h, and what the files of the model share.
 *
 * A galaxy's starlight is a sum of beams: one per population, or two where young stars stand behind birth clouds. Light is per solar mass formed in the whole
 * galaxy until the very end.
 *   galaxy.c          a model made ready for bands           galaxy_columns.c  where spectra have their nodes
 *   galaxy_stars.c    parameters -> beams                    galaxy_panel.c    beams -> spectra, by matrix products
 *   galaxy_emerge.c   dust, its emission, active nucleus     galaxy_flux.c     IGM, redshift, bands */
#ifndef SDN_PHYSICS_GALAXY_H
#define SDN_PHYSICS_GALAXY_H

#include "physics/derived.h"
#include "physics/galaxy_energy.h"
#include "physics/galaxy_panel.h"
#include "physics/model.h"
#include "physics/observable.h"

#define SDN_TILE 256   /* galaxies that one worker computes together: enough that those between the same nodes of metallicity and log U fill batches */
#define SDN_MAX_BEAM (2 * SDN_MAX_POPULATION)

/* ------------------------------------------------------------------ for other rooms */

/* Of all that decides a flux and lies in files that the YAML only names: the grid file's bytes, every band's filter curve, tables of priors, laws and histories. */
uint64_t sdn_forward_hash(const sdn_forward *f);
#define SDN_HASH_TEXT 17                               /* characters of a hash as text, with the final zero */
void sdn_forward_hash_text(const sdn_forward *f, char text[SDN_HASH_TEXT]);
const sdn_model *sdn_forward_model(const sdn_forward *f);
const sdn_observable *sdn_forward_observable(const sdn_forward *f, int band);
/* ------------------------------------------------------------------ one galaxy */

/* Stars at one or two neighbouring nodes of metallicity. */
typedef struct sdn_strip {
  const float *weight;    /* [n_age] at node `metallicity`, or to be shared with the node above by t */
  const float *weight_up; /* [n_age] at the node above; NULL: t shares `weight` */
  int n_age, metallicity; double t;   /* weights from n_age on are zero */
} sdn_strip;

typedef struct sdn_beam {
  int n_strip; sdn_strip *strip;
  int n_gas_strip; sdn_strip *gas_strip;   /* the same stars as the gas around them sees them: at the gas' metallicity */
} sdn_beam;

/* Which stars a beam is of; the same for all galaxies of a model. */
typedef struct sdn_beam_kind { int population; bool young; } sdn_beam_kind;

typedef struct sdn_galaxy {
  const double *params;                    /* [n_param], the caller's */
  double redshift, mass_msun;              /* of all populations; 1 without any */
  double escape, ly_alpha, dust_fraction, igm_scale;
  double sigma_ln, gas_sigma_ln;           /* velocity dispersions over c */
  sdn_place place;                         /* on the grid's axes from 2 on */
  sdn_sfh *history;                        /* [n_population] */
  double *share;                           /* [n_population] of mass_msun; sum 1 */
  sdn_beam *beam;                          /* [n_beam]; weights of all sum to 1 */
} sdn_galaxy;

/* A model's dust on the columns; NULL: none. */
typedef struct sdn_screen_tables { sdn_attenuation_table *ism, *birth; } sdn_screen_tables;

struct sdn_forward {
  const sdn_model *model;
  int n_band;
  sdn_observable **observable;           /* [n_band] */
  double z_low, z_high;                  /* what the prior allows */
  int n_beam; sdn_beam_kind beam[SDN_MAX_BEAM];
  sdn_columns columns;
  sdn_energy *energy;                    /* NULL: nothing is re-emitted or asked of absorbed power */
  sdn_panels *stars, *taken, *nebula;    /* transmitted or bare starlight; incident - transmitted; continuum and lines. NULL: none */
  sdn_screen_tables screens[SDN_MAX_POPULATION + 1];   /* of the model's screens */
  sdn_dust_table *dust_emission;         /* on the wavelength nodes; NULL: none */
  int dust_first;                        /* the node where it begins */
  sdn_agn_table *agn;                    /* NULL: none */
  int agn_column;                        /* where its share of light is counted; -1: its power is a parameter, or a multiple of the stars' */
  sdn_grid_table power;                  /* bolometric luminosity of the grid's cells, Lsun per Msun; value NULL: the nucleus does not ask for it */
  int n_igm;                             /* nodes that the IGM touches */
  sdn_igm_table *igm, *igm_line;         /* on the nodes; on the lines */
  int ly_alpha_line;                     /* -1: the grid has none */
  sdn_line_list lines;                   /* of the columns, in their order */
  sdn_derived *derived;
};

/* Where the columns lie. */
typedef struct sdn_columns_plan {
  const sdn_grid *grid;
  const sdn_igm *igm;
  bool lines, energy;                    /* the grid's lines; energy nodes */
  double low_A, high_A;                  /* rest wavelengths wanted; beyond the grid's reddest on demand */
  int n_extra; const double *extra_A;    /* further nodes, any order */
  int n_agn_line; const double *agn_line_A;
} sdn_columns_plan;
/* First the lines, which decide what the observables need; then all nodes of the grid between low and high, further ones, pairs at the jumps of the IGM, and nodes
 * between them where its transmission bends; energy nodes; and where each kind begins. */
sdn_status sdn_columns_lines(const sdn_columns_plan *plan, sdn_columns *c, sdn_err *err);
sdn_status sdn_columns_nodes(const sdn_columns_plan *plan, sdn_columns *c, sdn_err *err);
void sdn_columns_free(sdn_columns *c);
/* Mark the blocks that hold nodes around low_A .. high_A (rest). */
void sdn_columns_need(const sdn_columns *c, double low_A, double high_A, unsigned char *need);
double sdn_column_wave_A(const sdn_columns *c, int column);   /* of any column; 5500 for those that fill up a block */
int sdn_columns_find(const sdn_columns *c, double wave_A);     /* the wavelength node nearest to wave_A */

/* params [n_param] of row `row` -> a galaxy; what it points to comes from the arena. err SDN_NUMERIC, SDN_RANGE with the row. */
sdn_status sdn_galaxy_prepare(const sdn_forward *f, const double *params, long row, sdn_galaxy *g, sdn_arena *arena, sdn_err *err);
/* The same with the mass formed on the grid's nodes given, weight [n_age][n_metallicity] Msun; it has no history. */
sdn_status sdn_galaxy_of_weights(const sdn_forward *f, const double *params, const double *weight, long row, sdn_galaxy *g, sdn_arena *arena, sdn_err *err);

/* The history of all populations together; NaN where the galaxy has none. */
double sdn_galaxy_mass_since(const sdn_forward *f, const sdn_galaxy *g, double age_yr);   /* formed within the last age_yr, of unit total */
double sdn_galaxy_mean_age_yr(const sdn_forward *f, const sdn_galaxy *g);
double sdn_galaxy_age_of_fraction(const sdn_forward *f, const sdn_galaxy *g, double fraction_formed);
/* sum of weight times a table of one column of the grid (star_fraction, ...), interpolated at the place along the axes beyond metallicity that it has. */
double sdn_strip_sum(const sdn_grid *grid, const sdn_place *place, const sdn_strip *s, const sdn_grid_table *t);
/* The same over all stars of a galaxy, per Msun formed; NaN without table or stars. */
double sdn_galaxy_sum_over_stars(const sdn_forward *f, const sdn_galaxy *g, const sdn_grid_table *t);

/* Starlight of the beams of n galaxies before dust: beam b of galaxy i at [(i n_beam + b) stride]; NULL where the model has none. */
typedef struct sdn_light { float *stars, *taken, *nebula; long stride, stride_taken, stride_nebula; int n_taken; } sdn_light;
sdn_status sdn_galaxies_light(const sdn_forward *f, int n, const sdn_galaxy *g, const unsigned char *need, sdn_light *light, sdn_arena *arena, sdn_err *err);

/* What leaves a galaxy. */
typedef struct sdn_emergent {
  float *spectrum;          /* [columns] L_nu per Msun on the needed blocks of wavelength nodes; lines [Lsun per Msun] from column line0 on */
  double absorbed_lsun;     /* power that dust took, per Msun: of starlight, gas and nucleus; where energy blocks are needed, else NaN */
  double agn_lsun;          /* bolometric power of the nucleus, per Msun of stars (or in all, without stars) */
} sdn_emergent;
/* scratch [SDN_SCRATCH]. The nucleus' lines are in. */
#define SDN_SCRATCH ((2 * (SDN_MAX_POPULATION + 1) + 4) * SDN_BLOCK)
sdn_status sdn_galaxy_emerge(const sdn_forward *f, const sdn_galaxy *g, const sdn_light *light, int i, const unsigned char *need, float *scratch, sdn_emergent *out,
                             sdn_err *err);

/* flux [n_band] of galaxies i = 0..n-1, to flux + i * n_band. */
sdn_status sdn_galaxies_flux(const sdn_forward *f, int n, const sdn_galaxy *g, long row0, float *flux_nJy, sdn_arena *arena, sdn_err *err);

#endif
