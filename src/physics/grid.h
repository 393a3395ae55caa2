/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grids in Synthesizer's HDF5 layout: stellar populations, active nuclei, dust; any number of axes in the order that the file names.
 * Accepted are the present layout and the ones before 0.9: axes under singular names or as logarithms (axes/log10age), log10Q/<ion>, lines as groups.
 * A dataset may carry its own attribute `axes` and so omit axes that it does not depend on. Rules:
 *   L_nu itself is linear in log10 age and log10 metallicity, constant below the first age; every other axis is linear in the file's own scale
 *   (log10 where its log_on_read says so). Spectra are piecewise linear in wavelength. Lines are lines: where the file has nebular and linecont spectra,
 *   the nebular continuum is their difference and lines come from /lines.
 *   `transmitted` absent: incident, without what lies below the Lyman limit where the nebular tables are not zero; the wavelength axis then gets a
 *   double node at the limit, so that the edge is a jump.
 *   Line wavelengths above 2000 A are in air, as the layout has it, unless an attribute of theirs says vacuum or the strong lines stand at their vacuum places.
 *   Failed photoionisation cells (all zero, or /failures) are filled from their neighbours and counted. */
#ifndef SDN_PHYSICS_GRID_H
#define SDN_PHYSICS_GRID_H

#include "base/memory.h"

#define SDN_LYMAN_LIMIT_A 911.753
#define SDN_GRID_MAX_AXIS 8

/* name: the layout's own (plural, without log10). coordinate: log10 value if log. */
typedef struct sdn_grid_axis { char name[64], unit[32]; int n; double *value; double *coordinate; bool log; } sdn_grid_axis;

/* One table, [n_age][n_metallicity][n_extra (all other axes it has, flattened; 1 if none)][n_column], float32 as stored. */
typedef struct sdn_grid_table {
  int n_age, n_metallicity, n_extra, n_column;   /* n_age may be less than the grid's: older ages are zero */
  bool has_extra[SDN_GRID_MAX_AXIS];             /* which of the grid's axes 2.. it depends on; false for 0 and 1 */
  float *value;
} sdn_grid_table;

typedef enum sdn_grid_medium { SDN_GRID_AIR, SDN_GRID_VACUUM_SAID, SDN_GRID_VACUUM_SEEN } sdn_grid_medium;

typedef struct sdn_grid {
  char *path, *name; uint64_t hash;
  int n_axis; sdn_grid_axis axis[SDN_GRID_MAX_AXIS];      /* axis[0] age [yr], axis[1] metallicity, then the extra ones */
  bool has_ages, has_metallicities;                       /* false: axis 0 or 1 is one node of value 1, put in so that all other axes are extra ones */
  bool old_layout;
  char weight[64];                                        /* what spectra are normalised by: "initial_masses", "bolometric_luminosities", ...; "" unknown */
  int n_wave; double *wave_A;                             /* ascending; an equal pair is (blue side, red side) of a jump */
  sdn_grid_table incident, transmitted, nebular_continuum, lines;   /* value NULL: the file has none; erg/s/Hz per Msun formed; lines erg/s per Msun */
  bool transmitted_derived;
  int n_line; char **line_id; double *line_wave_A;                 /* vacuum, ascending */
  sdn_grid_medium line_medium;                                     /* how the file has line wavelengths above 2000 A */
  sdn_grid_table star_fraction, log_q_hi;                          /* n_column 1; value NULL: none */
  long n_failed_cell;                                              /* cells filled, in the table that had most */
} sdn_grid;

/* name_or_path: a shipped grid's name or a path. wave limits: only this range (and one node beyond) is kept in memory.
 * err SDN_USAGE no such grid; SDN_FORMAT what the file lacks or has wrong. */
sdn_status sdn_grid_read(const char *name_or_path, double wave_low_A, double wave_high_A, sdn_grid **g, sdn_err *err);
/* The one table spectra/`spectrum` of a grid of any kind, as g->incident; nothing else but axes and wavelengths. */
sdn_status sdn_grid_read_spectrum(const char *name_or_path, const char *spectrum, double wave_low_A, double wave_high_A, sdn_grid **g, sdn_err *err);
void sdn_grid_free(sdn_grid *g);
/* err SDN_FORMAT unless g has ages and metallicities. */
sdn_status sdn_grid_require_stars(const sdn_grid *g, sdn_err *err);
/* Make an axis linear in its value, or in log10 of it (values must then be positive; age and metallicity are). */
void sdn_grid_set_axis_log(sdn_grid *g, int axis, bool log);

/* Linear interpolation on one axis: value = (1-t) node[i] + t node[i+1]; clamped at the ends only where `clamp`. Returns false outside. */
bool sdn_grid_locate(const sdn_grid_axis *axis, double value, bool clamp, int *i, double *t);
/* The same from the coordinate (log10 value on a log axis); 1e-9 beyond an end still counts as the end. */
bool sdn_grid_locate_coordinate(const sdn_grid_axis *axis, double coordinate, bool clamp, int *i, double *t);
/* A table's value at (age node, metallicity node, extra cell): its row of n_column numbers. */
const float *sdn_grid_row(const sdn_grid_table *t, int age, int metallicity, int extra);

#endif
