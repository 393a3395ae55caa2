/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pairs of parameters and data from any simulator, as a library in memory. The HDF5 file holds
 *   theta [n][D], x [n][C]       in the order of the prior's free parameters, or of the names in the attribute `names` of theta
 *   sigma [n][C] or [C]          if x is free of noise: standard deviations of the Gaussian noise that is still to be added
 * under these names or others. NaN in x: that number is missing. Floats of 4 or 8 bytes. */
#ifndef SDN_LIBRARY_DATA_FILE_H
#define SDN_LIBRARY_DATA_FILE_H

#include "base/error.h"

typedef struct sdn_data_names { const char *theta, *x, *sigma; } sdn_data_names;   /* of the datasets; NULL: theta, x, sigma; sigma "none": it is left alone */
/* prior: a prior.yaml (prior/parameters.h). survey: NULL for one that is made from the data (data_yaml.c), with center, scale, log and sigma as they
 * lie; else a survey.yaml whose bands are the columns of x. err SDN_FORMAT: shapes, numbers that are not finite; SDN_RANGE: a theta outside its prior (row, name,
 * value, limits); SDN_USAGE: a constant theta, data that say nothing. */
sdn_status sdn_data_open(const char *path, const char *prior, const char *survey, const sdn_data_names *names, sdn_library **library, sdn_err *err);
/* The same file's pairs for a prior and survey that are known: z [n][D], x [n][C] and sigma (NULL: none), each freed by sdn_release. theta may be absent when z is
 * NULL. */
typedef struct sdn_data_pairs { long n; float *z, *x, *sigma; } sdn_data_pairs;
sdn_status sdn_data_read(const char *path, const sdn_prior *prior, int n_datum, const sdn_data_names *names, bool with_theta, sdn_data_pairs *out, sdn_err *err);
void sdn_data_release(sdn_data_pairs *pairs);

#endif
