/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small model and survey in the scratch folder, and runs of sdn_simulate on them. */
#ifndef TEST_SUPPORT_SIMULATE_FIXTURE_H
#define TEST_SUPPORT_SIMULATE_FIXTURE_H

#include "base/error.h"

/* Four free parameters (redshift, mass, age, attenuation; the age's prior depends on redshift) and three bands. */
extern const char simulate_model_yaml[], simulate_survey_yaml[];

typedef struct simulate_fixture {
  char model[600], survey[600], output[600], part[610];
  sdn_simulate_options options;
} simulate_fixture;

/* Writes the two files and removes what earlier runs left. Options: n galaxies, seed 7, sobol, output `name` in the scratch folder. */
void simulate_begin(simulate_fixture *f, const char *name, long n);
/* sdn_simulate with n_thread threads and command "test"; summary may be NULL. */
sdn_status simulate_run(const simulate_fixture *f, int n_thread, sdn_simulate_summary *summary, sdn_err *err);
/* The same, which must succeed. */
void simulate_must(const simulate_fixture *f, int n_thread, sdn_simulate_summary *summary);
void simulate_assert_same_file(const char *a, const char *b);

#endif
