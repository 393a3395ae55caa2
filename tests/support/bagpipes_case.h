/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cases of BAGPIPES 1.3.6 (reference/bagpipes/cases.json) on the wavelengths and age bins that it computes them on: reference/bagpipes_sampled.py writes both, and the
 * mass that each case has in every bin. Here this program makes light of it, and sums over pixels make photometry as BAGPIPES does. */
#ifndef TEST_SUPPORT_BAGPIPES_CASE_H
#define TEST_SUPPORT_BAGPIPES_CASE_H

#include <stdbool.h>

#include "physics/galaxy.h"
#include "support/json.h"

/* Its wavelengths for one list of bands. */
typedef struct bagpipes_pixels {
  char grid[4096];
  long n; double *wave_A;                    /* [n] rest */
  long n_case, n_age, n_z;
  double *young, *old;                       /* [n_case][n_age][n_z] Msun, younger and older than t_bc */
  double *f_lambda;                          /* [n_case][n] erg/s/cm2/A observed, of whole models; NULL: not given */
} bagpipes_pixels;

/* The file that bagpipes_sampled.py wrote; false where it cannot be read. */
bool bagpipes_read(const char *path, bagpipes_pixels *p);
void bagpipes_free(bagpipes_pixels *p);   /* and all models made for it */

typedef enum bagpipes_extent { BAGPIPES_STARS, BAGPIPES_WITH_GAS, BAGPIPES_WHOLE } bagpipes_extent;
#define BAGPIPES_MAX_LINE 200

/* Light of case i that leaves the galaxy: continuum [n] erg/s/A at the pixels and lines [n_line] erg/s. */
typedef struct bagpipes_light { double *continuum; int n_line; double line_A[BAGPIPES_MAX_LINE], line[BAGPIPES_MAX_LINE]; } bagpipes_light;
/* law: another than its own, for trial; or NULL. */
void bagpipes_emit(const bagpipes_pixels *p, const json *c, size_t i, bagpipes_extent extent, const char *law, bagpipes_light *light);

/* Observed f_lambda [n], as it has it: lines in the nearest pixel, IGM there, its distances. */
void bagpipes_observe(const bagpipes_pixels *p, const json *c, const bagpipes_light *light, double *f_lambda);
double bagpipes_distance_cm(double z);
long bagpipes_pixel_of(const bagpipes_pixels *p, double wave_A);   /* the nearest */
/* nJy in a band, from a curve of n points and its pivot; NaN where the band sees no pixel. */
typedef struct bagpipes_curve { int n; double *wave_A, *throughput, pivot_A; } bagpipes_curve;
double bagpipes_band_njy(const bagpipes_pixels *p, const bagpipes_curve *curve, double z, const double *f_lambda);

/* The word for a case's dust law, "none" without. */
const char *bagpipes_law(const json *c);

#endif
