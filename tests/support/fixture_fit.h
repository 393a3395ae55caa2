/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small road from YAML to a trained posterior, in the test's scratch folder: two free parameters (redshift, mass), four SDSS bands. Everything fails the
 * test that asks for it, with the sentence of the error. */
#ifndef TEST_SUPPORT_FIXTURE_FIT_H
#define TEST_SUPPORT_FIXTURE_FIT_H

#include <sedna.h>

#define FIXTURE_N_BAND 4

extern const char fixture_model[];     /* redshift uniform(0.1, 2), log mass formed uniform(8, 11); one delayed history; no dust, lines or IGM */
extern const char fixture_survey[];    /* bands g r i z, uJy; FLUX_{band}, ERR_{band}, ID, Z_SPEC; error_column none; 10 % drops */

/* Files of the test's scratch folder (support/scratch.h). A path is valid until 32 further calls; bytes are followed by a 0 and freed by free(). */
const char *fixture_path(const char *name);
char *fixture_read(const char *name, size_t *n);
bool fixture_exists(const char *name);

/* Simulate n galaxies of a model and survey (YAML texts) and train a small network on them: NAME.h5. */
void fixture_train(const char *name, const char *model, const char *survey, long n, long n_epoch);
/* "posterior.h5": fixture_model and fixture_survey, made on the first call. */
const char *fixture_posterior(void);

/* Options of a fit with defaults filled in, from files of the scratch folder. */
sdn_fit_options fixture_fit_options(const char *catalogue, const char *output);
void fixture_fit(const sdn_fit_options *opt, sdn_fit_summary *summary);   /* must succeed */

/* A result read whole. */
typedef struct fixture_table { long n; int n_column; double *value; void *table; } fixture_table;
fixture_table fixture_table_read(const char *name);
double fixture_value(const fixture_table *t, long row, const char *column);   /* fails the test when there is no such column */
bool fixture_has_column(const fixture_table *t, const char *column);
void fixture_table_free(fixture_table *t);

#endif
