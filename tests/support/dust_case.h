/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dust emission from one line of YAML whose parameters are all fixed or free, with the parameters of the prior's middle. */
#ifndef TEST_SUPPORT_DUST_CASE_H
#define TEST_SUPPORT_DUST_CASE_H

#include "physics/dust_emission.h"

typedef struct dust_case { sdn_prior *prior; sdn_dust_emission *dust; double *params; } dust_case;

sdn_status dust_case_try(const char *yaml, dust_case *c, sdn_err *err);
dust_case dust_case_new(const char *yaml);   /* a failure fails the test */
void dust_case_free(dust_case *c);
double dust_case_lnu(const dust_case *c, double redshift, double wave_A);   /* of one Lsun */
/* int L_nu d nu / Lsun by Simpson in ln wavelength from low_A to high_A, steps of 5e-4. */
double dust_case_power(const dust_case *c, double redshift, double low_A, double high_A);

#endif
