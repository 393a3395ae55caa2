/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dust laws and IGMs straight from YAML text, for tests. A failure to make one fails the test. */
#ifndef TEST_SUPPORT_LAW_TEXT_H
#define TEST_SUPPORT_LAW_TEXT_H

#include "physics/attenuation.h"
#include "physics/igm.h"

#define TEST_LAW_MAX_PARAM 8
/* params: each parameter at the low end of what its prior allows; the YAML of a dust law is its map, of an IGM the value of `igm` ("" for none). */
typedef struct test_dust { sdn_prior *prior; sdn_attenuation *law; double params[TEST_LAW_MAX_PARAM]; } test_dust;
typedef struct test_igm { sdn_prior *prior; sdn_igm *law; double params[TEST_LAW_MAX_PARAM]; } test_igm;

sdn_status test_dust_try(const char *yaml, test_dust *d, sdn_err *err);   /* what sdn_attenuation_new and sdn_prior_finish say */
sdn_status test_igm_try(const char *yaml, test_igm *i, sdn_err *err);
test_dust test_dust_of(const char *yaml);
test_igm test_igm_of(const char *yaml);
void test_dust_free(test_dust *d);
void test_igm_free(test_igm *i);
double *test_law_param(const sdn_prior *prior, double *params, const char *name);
double test_dust_k(const test_dust *d, double wave_A);

#endif
