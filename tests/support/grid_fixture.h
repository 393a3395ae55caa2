/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small grids in Synthesizer's layout, written to the scratch folder from formulas. */
#ifndef TEST_SUPPORT_GRID_FIXTURE_H
#define TEST_SUPPORT_GRID_FIXTURE_H

#include "base/h5.h"

#define FIXTURE_MAX_NODE 32

/* Ages 10^6 .. 10^10 yr and metallicities 10^-4 .. 10^-1.5, equally spaced in logarithm; ionisation parameters 10^-4 .. 10^-1. */
typedef double fixture_value(int age, int metallicity, int u, double wave_A);

typedef struct grid_fixture {
  int n_age, n_metallicity, n_u;            /* n_u 0: no such axis */
  int n_wave; const double *wave_A;
  fixture_value *incident, *transmitted, *nebular_continuum, *lines;   /* NULL: left out; wave_A of a line is its own */
  int n_line; const double *line_A;
  bool star_fraction;                       /* 1 / (1 + age node) for every metallicity */
  bool swapped;                             /* axes as (metallicities, ages[, ionisation_parameters]) */
} grid_fixture;

double fixture_age_yr(const grid_fixture *f, int i);
double fixture_metallicity(const grid_fixture *f, int i);
double fixture_u(const grid_fixture *f, int i);
/* The file's path (see scratch_file); the test fails when it cannot be written. */
const char *grid_fixture_write(const grid_fixture *f, const char *name);
/* Opens it again for more, e.g. to spoil it. */
sdn_h5 *grid_fixture_open(const char *path);
void grid_fixture_close(sdn_h5 *file);

#endif
