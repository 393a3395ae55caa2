/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The steps by which grid.c makes a grid from a file. */
#ifndef SDN_PHYSICS_GRID_READ_H
#define SDN_PHYSICS_GRID_READ_H

#include "base/h5.h"
#include "physics/grid.h"

/* A dataset whose dimensions are grid axes (its own `axes` attribute, or the file's, of which it may lack some) and, when
 * n_column > 0, a last one of n_column_file columns of which `first_column` .. + n_column - 1 are kept. Units are not looked at.
 * may_end: the oldest ages, if they hold nothing, need not be kept. */
typedef struct sdn_grid_dataset { const char *name; long n_column_file, first_column, n_column; bool may_end; } sdn_grid_dataset;
sdn_status sdn_grid_read_table(const sdn_h5 *file, const sdn_grid *g, const sdn_grid_dataset *what, sdn_grid_table *t, sdn_err *err);

/* Put the file's axes into g: age and metallicity first, then the others as the file orders them. */
sdn_status sdn_grid_read_axes(const sdn_h5 *file, sdn_grid *g, sdn_err *err);
/* The grid's axis of this name, in the layout's spelling or an older one; -1: none. */
int sdn_grid_find_axis(const sdn_grid *g, const char *name);

/* Lines in either layout, wavelengths in vacuum, ascending. */
sdn_status sdn_grid_read_lines(const sdn_h5 *file, sdn_grid *g, sdn_err *err);
double sdn_vacuum_A(double air_A);   /* also below 2000 A: the caller decides */

/* Units as text, in the ways of unyt, astropy and FITS: "erg/(Hz*s)", "erg s^-1 Hz^-1", "Lsun/AA", "1.98841586e+30*kg". */
typedef enum sdn_unit_kind {
  SDN_UNIT_WAVELENGTH,   /* A */
  SDN_UNIT_AGE,          /* yr */
  SDN_UNIT_LNU,          /* erg/s/Hz; per solar mass as well */
  SDN_UNIT_SHAPE,        /* the same, or per unit luminosity (1/Hz) */
  SDN_UNIT_LLAMBDA,      /* erg/s/A */
  SDN_UNIT_LUMINOSITY,   /* erg/s */
  SDN_UNIT_MASS,         /* Msun */
  SDN_UNIT_NUMBER
} sdn_unit_kind;
#define SDN_LSUN_ERG_PER_S 3.828e33   /* IAU 2015 Resolution B3 */
/* False when the text is no unit of this kind. Lsun is lsun_erg_per_s. */
bool sdn_unit_factor(const char *text, sdn_unit_kind kind, double lsun_erg_per_s, double *factor);
/* The factor that turns a dataset's numbers into our unit, from its attribute Units (absent: ours). */
sdn_status sdn_grid_unit_factor(const sdn_h5 *file, const char *dataset, sdn_unit_kind kind, double *factor, sdn_err *err);

/* Fill the cells of a photoionisation table that failed. bad [n_age][n_metallicity][n_extra]. Interpolated along the first axis (extra ones, then
 * metallicity, then age) that has sound cells on both sides, else copied from the nearest sound one. */
sdn_status sdn_grid_fill(const sdn_grid *g, sdn_grid_table *t, const unsigned char *bad, const char *what, sdn_err *err);
/* Cells of t that are all zero although they should not be: where `like` (the same shape but for its extra axes) has light, if like is given; otherwise where
 * an older cell of the same metallicity and extra values has some, or, in a grid without ages, where any cell has. Adds to bad. Returns their number. */
long sdn_grid_find_failed(const sdn_grid *g, const sdn_grid_table *t, const sdn_grid_table *like, unsigned char *bad);

/* Drop extra axes along which the table does not change, and the oldest ages if they hold nothing. */
sdn_status sdn_grid_squeeze(const sdn_grid *g, sdn_grid_table *t, sdn_err *err);
/* The grid on its wavelengths and two more, both at the Lyman limit; and transmitted made from incident. */
sdn_status sdn_grid_split_limit(sdn_grid *g, sdn_err *err);
sdn_status sdn_grid_derive_transmitted(sdn_grid *g, sdn_err *err);

size_t sdn_grid_table_size(const sdn_grid_table *t);

#endif
