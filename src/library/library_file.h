/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The library file, library.h5, as it grows (OUTPUT.part) and as it is found again. Layout, all rows in the order of the design:
 *
 *   /  format "sedna library", version 1, sedna_version, command, model_yaml, survey_yaml, seed, design, n, physics_hash, complete
 *   /theta [n][n_free] f64 (attributes names, units)      primary parameters
 *   /z [n][n_free] f32                                    the same where the prior is a standard normal
 *   /flux_njy [n][n_band] f32 (attributes bands, filters) noise-free
 *   /spectra [n][n_wave] f32 (attribute units)            L_nu that leaves the galaxy, erg/s/Hz, without lines and IGM; only where spectra are stored,
 *   /spectra_wave_A [n_wave] f64                           with the rest wavelengths of its nodes,
 *   /line_luminosity_erg_s [n][n_line] f64 (attributes names) and the lines after dust, on
 *   /line_wave_A [n_line] f64                              rest wavelengths in vacuum; absent where the model has no lines
 *   /derived [n][n_derived] f32 (attributes names, units) what follows from the star formation history alone; absent when there is none
 *   /tile_done [n_tile] u8                                1 where the rows of the tile (SDN_TRUTH_TILE of them) are written
 *
 * All space is taken at the start, so that a full disk shows at once and later writes move no metadata: a run killed at any moment leaves a file that
 * the next run goes on with. Nothing in it depends on when or by how many threads it was made. */
#ifndef SDN_LIBRARY_LIBRARY_FILE_H
#define SDN_LIBRARY_LIBRARY_FILE_H

#include "base/h5.h"
#include "library/fresh.h"
#include "library/truth.h"

#define SDN_LIBRARY_FORMAT "sedna library"
#define SDN_LIBRARY_VERSION 1

/* A library that is open. */
struct sdn_library {
  sdn_h5 *file;                        /* NULL: it is in memory (data_file.h) or simulated */
  long n;
  int n_free, n_band;
  char *model_yaml, *survey_yaml, *physics_hash;
  char **name, **unit;                 /* [n_free], one block each */
  sdn_fresh *fresh;                    /* simulated on request (fresh.h); NULL: it is not */
  float *z, *data, *sigma;             /* in memory: [n][n_free], [n][n_band] twice; sigma NULL where the file has none of its own */
};

/* What a library is made from; equal plans give equal files. */
typedef struct sdn_library_plan {
  const sdn_model *model;
  const sdn_survey *survey;
  const sdn_prior *prior;
  const sdn_forward *forward;
  long n, seed;
  const char *design, *command;   /* command may be NULL */
  bool spectra;
  long wave0, n_wave;             /* which of the forward model's nodes are stored */
} sdn_library_plan;

/* One run of rows, [n][..] as in the file. */
typedef struct sdn_library_rows_out { double *theta; float *z, *flux_nJy, *derived; } sdn_library_rows_out;

/* Opens `part` when it is an unfinished library of the very same plan (tile_done says how far it came), creates it otherwise.
 * tile_done [n_tile]. err SDN_USAGE: the part file is of another run (says in what it differs, and what to do). */
sdn_status sdn_library_begin(const sdn_library_plan *plan, const char *part, unsigned char *tile_done, sdn_h5 **file, sdn_err *err);
/* Rows of consecutive tiles, then their marks, each flushed before the other. */
sdn_status sdn_library_write(sdn_h5 *file, const sdn_library_plan *plan, long first_tile, long n_tile, const sdn_library_rows_out *rows, sdn_err *err);
/* Spectra of rows row0 .. row0+n-1, before the marks of their tiles: lnu [n][n_wave], line [n][n_line] or NULL. */
typedef struct sdn_library_light { float *lnu; double *line; } sdn_library_light;
sdn_status sdn_library_write_light(sdn_h5 *file, long row0, long n, const sdn_library_light *light, sdn_err *err);
sdn_status sdn_library_make_light(sdn_h5 *file, const sdn_library_plan *plan, sdn_err *err);
/* An unfinished file has the spectra of this plan, and on the same nodes: err SDN_USAGE if not. */
sdn_status sdn_library_same_light(const sdn_h5 *file, const sdn_library_plan *plan, sdn_err *err);
double sdn_library_light_bytes(const sdn_library_plan *plan);
long sdn_library_n_tile(long n);
/* n_free, and names and units of the free parameters, as the prior has them. */
sdn_status sdn_library_set_names(sdn_library *lib, const sdn_prior *prior, sdn_err *err);
/* sdn_forward_hash of what the library was made with, as text. */
const char *sdn_library_physics_hash(const sdn_library *lib);

#endif
