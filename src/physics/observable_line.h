/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Emission lines by name: which lines of a grid "Halpha", "OII3727" or "6564.61" are. */
#ifndef SDN_PHYSICS_OBSERVABLE_LINE_H
#define SDN_PHYSICS_OBSERVABLE_LINE_H

#include "base/memory.h"

#define SDN_LINE_TOLERANCE 5e-4   /* relative: how far a grid's wavelength may be from the line meant (grids list air wavelengths rounded to 1 A as vacuum ones) */
#define SDN_LINE_MAX 32           /* lines under one name */

/* The lines of a grid and of an active nucleus, any order: id[l] as the grid calls it, or agn_broad_..., agn_narrow_...; wave_A vacuum. */
typedef struct sdn_line_list { int n; char *const *id; const double *wave_A; const char *owner; } sdn_line_list;   /* owner: the grid's name, for messages */

typedef struct sdn_line_pick {
  int n, line[SDN_LINE_MAX];      /* indices into the list, ascending, each once */
  bool too_many;                  /* only on the way */
  double low_A, high_A;           /* the least and largest vacuum wavelength among them */
} sdn_line_pick;

/* name: parts joined by '+', each
 *   an id of the list itself ("H 1 6562.80A"): all lines that have it;
 *   a usual name (Halpha, OIII5007, OII3727, ...): its members, by their Cloudy ids or else by wavelength; of a blend, those members that the list has;
 *   a vacuum wavelength in Angstrom: the nearest line within SDN_LINE_TOLERANCE, with any other at the same wavelength.
 * A usual name or wavelength means all the light of a transition: of the gas around stars and, in a model that has them, of the nucleus' broad and narrow line.
 * What the nucleus has as one line only, such as OII3727, belongs to each of the transitions in it, and in their sum counts once. An id means that line alone.
 * err SDN_USAGE names the part that is not there, and the nearest name. */
sdn_status sdn_line_find(const sdn_line_list *list, const char *name, sdn_line_pick *pick, sdn_err *err);
/* Whether it has the form of a name: no part is empty or longer than 63 characters. Whether a grid has it only that grid knows. */
bool sdn_line_is_name(const char *name);
/* The usual names: *n of them. */
const char *sdn_line_usual_name(int i, int *n);
/* Vacuum wavelength of a usual name's or number's first member, 0 for others. */
double sdn_line_wave_A(const char *name);

#endif
