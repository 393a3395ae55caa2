/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "library/data_file.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/sort.h"
#include "base/text.h"
#include "library/library_file.h"
#include "prior/parameters.h"

#define ROUNDING 1e-6             /* relative: half a unit of float32 is 6e-8 */
#define FORMAT_LIMIT 100000000L   /* rows: beyond, the number is a slip or the file corrupt */

static const char *or_else(const char *name, const char *usual) { return name && *name ? name : usual; }

/* ------------------------------------------------------------------ arrays of the file */

static sdn_status wrong_shape(const sdn_h5 *file, const char *name, const char *should, sdn_err *err)
{
  return sdn_fail(err, SDN_FORMAT, "%s: dataset '%s' should have the shape %s", sdn_h5_path(file), name, should);
}

static sdn_status read_matrix(const sdn_h5 *file, const char *name, int n_column, double **out, long *n, sdn_err *err)
{
  char should[64];
  sdn_h5_shape shape;
  if (sdn_h5_shape_of(file, name, &shape, err)) return err->status;
  snprintf(should, sizeof should, "[n][%d], a row for each pair", n_column);
  const long columns = shape.n_dim == 1 ? 1 : shape.dim[1];
  if (shape.n_dim < 1 || shape.n_dim > 2 || columns != n_column || !(shape.dim[0] >= 1 && shape.dim[0] <= FORMAT_LIMIT)) return wrong_shape(file, name, should, err);
  *n = shape.dim[0];
  return sdn_h5_read_double(file, name, out, &shape, err);
}

/* Which free parameter each column of theta is: column [D]. */
static sdn_status match_names(const sdn_h5 *file, const char *dataset, const sdn_prior *prior, int *column, sdn_err *err)
{
  char **names = NULL;
  size_t n = 0;
  const int n_free = sdn_prior_n_free(prior);
  for (int i = 0; i < n_free; i++) column[i] = i;
  if (!sdn_h5_has_attr(file, dataset, "names")) return SDN_OK;
  if (sdn_h5_get_texts(file, dataset, "names", &names, &n, err)) return err->status;
  sdn_status status = SDN_OK;
  for (int i = 0; i < n_free && !status; i++) {
    const char *wanted = sdn_prior_param_name(prior, sdn_prior_free_param(prior, i));
    size_t k = 0;
    while (k < n && strcmp(names[k], wanted) != 0) k++;
    column[i] = (int)k;
    if (k == n || n != (size_t)n_free)
      status = sdn_fail(err, SDN_USAGE, "%s: the names of '%s' and the prior's free parameters are not the same: '%s' is missing, or there are %zu instead of %d",
                        sdn_h5_path(file), dataset, wanted, n, n_free);
  }
  sdn_release(names);
  return status;
}

/* Coordinates z of one theta, each [D], or the name of the first parameter that is outside. params [n_param] is scratch. */
static sdn_status take_theta(const sdn_h5 *file, const sdn_prior *prior, long row, const double *theta, double *z, double *params, sdn_err *err)
{
  const int i = sdn_prior_first_outside(prior, theta, z, params);
  if (i < 0) return SDN_OK;
  const int param = sdn_prior_free_param(prior, i);
  return sdn_fail_row(err, SDN_RANGE, row, "%s: in row %ld of theta %s is %g, outside its prior %s; widen the prior, or leave the row out", sdn_h5_path(file), row,
                      sdn_prior_param_name(prior, param), theta[i], sdn_prior_param_text(prior, param));
}

static sdn_status constant_theta(const sdn_h5 *file, const sdn_prior *prior, long n, const float *z, sdn_err *err)
{
  const int d = sdn_prior_n_free(prior);
  for (int i = 0; i < d; i++) {
    long k = 1;
    while (k < n && z[k * d + i] == z[i]) k++;
    if (n > 1 && k == n)
      return sdn_fail(err, SDN_USAGE, "%s: theta has one value of %s in all %ld rows; nothing can be learnt of it: fix it in the prior and drop the column", sdn_h5_path(file),
                      sdn_prior_param_name(prior, sdn_prior_free_param(prior, i)), n);
  }
  return SDN_OK;
}

/* A float that rounding has put just beyond an end of its prior is taken as that end. */
static double within_rounding(const sdn_prior *prior, int free_index, double theta)
{
  double low, high;
  sdn_prior_param_range(prior, sdn_prior_free_param(prior, free_index), &low, &high);
  const double slack = ROUNDING * (fabs(low) > fabs(high) ? fabs(low) : fabs(high));
  if (theta < low && theta >= low - slack) return low;
  return theta > high && theta <= high + slack ? high : theta;
}

static sdn_status read_theta(const sdn_h5 *file, const char *name, const sdn_prior *prior, sdn_data_pairs *out, sdn_err *err)
{
  const int d = sdn_prior_n_free(prior);
  double *theta = NULL, *row = sdn_alloc(2 * (size_t)d + (size_t)sdn_prior_n_param(prior), sizeof *row, "a row of parameters", err);
  int *column = row ? sdn_alloc((size_t)d, sizeof *column, "names of parameters", err) : NULL;
  sdn_status status = column ? match_names(file, name, prior, column, err) : err->status;
  if (!status) status = read_matrix(file, name, d, &theta, &out->n, err);
  if (!status && !(out->z = sdn_alloc((size_t)(out->n * d), sizeof *out->z, "parameters", err))) status = err->status;
  for (long i = 0; i < out->n && !status; i++) {
    for (int k = 0; k < d; k++) row[k] = within_rounding(prior, k, theta[i * d + column[k]]);
    status = take_theta(file, prior, i, row, row + d, row + 2 * d, err);
    for (int k = 0; k < d; k++) out->z[i * d + k] = (float)row[d + k];
  }
  sdn_release(theta);
  sdn_release(row);
  sdn_release(column);
  return status;
}

/* x, and sigma where there is one; out->n is set already, or 0. */
static sdn_status read_x(const sdn_h5 *file, const sdn_data_names *names, int n_datum, sdn_data_pairs *out, sdn_err *err)
{
  const char *x_name = or_else(names->x, "x"), *sigma_name = or_else(names->sigma, "sigma");
  double *x = NULL, *sigma = NULL;
  long n;
  sdn_h5_shape shape;
  if (read_matrix(file, x_name, n_datum, &x, &n, err)) return err->status;
  sdn_status status = SDN_OK;
  if (out->n > 0 && n != out->n) status = sdn_fail(err, SDN_FORMAT, "%s: theta has %ld rows and '%s' has %ld", sdn_h5_path(file), out->n, x_name, n);
  out->n = n;
  if (!status && !(out->x = sdn_alloc((size_t)(n * n_datum), sizeof *out->x, "data", err))) status = err->status;
  for (long i = 0; i < n * n_datum && !status; i++) {
    out->x[i] = (float)x[i];
    if (isinf(out->x[i])) status = sdn_fail_row(err, SDN_FORMAT, i / n_datum, "%s: '%s' is %g in row %ld; data are numbers that a float can hold, or NaN where they are missing",
                                                sdn_h5_path(file), x_name, x[i], i / n_datum);
  }
  sdn_release(x);
  if (status || strcmp(sigma_name, "none") == 0 || !sdn_h5_has(file, sigma_name)) return status;
  if (sdn_h5_read_double(file, sigma_name, &sigma, &shape, err)) return err->status;
  const bool same = shape.n_dim == 1 && shape.dim[0] == n_datum && !(n == 1 && n_datum == 1), own = shape.n_dim == 2 && shape.dim[0] == n && shape.dim[1] == n_datum;
  if (!same && !own) status = wrong_shape(file, sigma_name, "of x, or that of a row of it", err);
  if (!status && !(out->sigma = sdn_alloc((size_t)(n * n_datum), sizeof *out->sigma, "errors", err))) status = err->status;
  for (long i = 0; i < n * n_datum && !status; i++) {
    out->sigma[i] = (float)sigma[same ? i % n_datum : i];
    if (!isnan(out->x[i]) && !(out->sigma[i] > 0 && out->sigma[i] < INFINITY))
      status = sdn_fail_row(err, SDN_FORMAT, i / n_datum, "%s: '%s' is %g in row %ld; an error is a positive number", sdn_h5_path(file), sigma_name, (double)out->sigma[i], i / n_datum);
  }
  sdn_release(sigma);
  return status;
}

void sdn_data_release(sdn_data_pairs *p)
{
  sdn_release(p->z);
  sdn_release(p->x);
  sdn_release(p->sigma);
  *p = (sdn_data_pairs){0};
}

sdn_status sdn_data_read(const char *path, const sdn_prior *prior, int n_datum, const sdn_data_names *names, bool with_theta, sdn_data_pairs *out, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_err ignored;
  *out = (sdn_data_pairs){0};
  if (sdn_h5_open(path, &file, err)) return err->status;
  sdn_status status = with_theta ? read_theta(file, or_else(names->theta, "theta"), prior, out, err) : SDN_OK;
  if (!status) status = read_x(file, names, n_datum, out, err);
  sdn_h5_close(file, &ignored);
  if (status) sdn_data_release(out);
  return status;
}

/* ------------------------------------------------------------------ the survey that data make */

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Ascending finite values of column b: sorted [n]; returns how many. */
static long sorted_column(const float *x, long n, int n_datum, int b, double *sorted)
{
  long m = 0;
  for (long i = 0; i < n; i++)
    if (isfinite(x[i * n_datum + b])) sorted[m++] = (double)x[i * n_datum + b];
  sdn_sort(sorted, (size_t)m, sizeof *sorted, ascending);
  return m;
}

static double at(const double *sorted, long m, double share) { return sorted[(long)(share * (double)(m - 1))]; }

/* center: the median; scale: half the central 68 %, or what spread there is; log: all positive, and the upper half a third wider in ratio than it is long. */
static sdn_status describe_datum(const char *path, const sdn_data_pairs *p, int n_datum, int b, double *sorted, sdn_text *text, sdn_err *err)
{
  const long m = sorted_column(p->x, p->n, n_datum, b, sorted);
  if (m == 0) return sdn_fail(err, SDN_USAGE, "%s: column %d of x is missing in every row; drop it", path, b);
  const double low = at(sorted, m, 0.16), high = at(sorted, m, 0.84), least = sorted[0], most = sorted[m - 1];
  double center = at(sorted, m, 0.5), scale = 0.5 * (high - low);
  const bool log = least > 0 && high > 4 * low;
  if (!(scale > 0)) scale = most > least ? 0.5 * (most - least) : 1;   /* nearly always, or always, the same */
  sdn_text_add(text, "  - {name: x%d, center: %.9g, scale: %.9g%s", b + 1, center, scale, log ? ", log: true" : "");
  if (p->sigma) {
    const long k = sorted_column(p->sigma, p->n, n_datum, b, sorted);
    if (sorted[0] == sorted[k - 1]) sdn_text_add(text, ", sigma: %.9g", sorted[0]);
    else {
      sdn_text_add(text, ", sigma: {quantiles: [");
      for (int i = 0; i <= 20; i++) sdn_text_add(text, "%s%.9g", i ? ", " : "", at(sorted, k, i / 20.0));
      sdn_text_add(text, "]}");
    }
  }
  sdn_text_add(text, "}\n");
  return SDN_OK;
}

static sdn_status describe_data(const char *path, const sdn_data_pairs *p, int n_datum, char **yaml, sdn_err *err)
{
  sdn_text text = {0};
  double *sorted = sdn_alloc((size_t)p->n, sizeof *sorted, "a column", err);
  sdn_status status = sorted ? SDN_OK : err->status;
  sdn_text_add(&text, "name: data of a simulator\ndata:\n");
  for (int b = 0; b < n_datum && !status; b++) status = describe_datum(path, p, n_datum, b, sorted, &text, err);
  if (!status) status = sdn_text_done(&text, err);
  if (!status && !(*yaml = sdn_copy_text(text.data, err))) status = err->status;
  sdn_text_free(&text);
  sdn_release(sorted);
  return status;
}

/* ------------------------------------------------------------------ as a library */

static sdn_status count_columns(const char *path, const sdn_data_names *names, int *n_datum, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_h5_shape shape;
  sdn_err ignored;
  const char *x = or_else(names->x, "x");
  if (sdn_h5_open(path, &file, err)) return err->status;
  sdn_status status = sdn_h5_shape_of(file, x, &shape, err);
  if (!status && !(shape.n_dim >= 1 && shape.n_dim <= 2 && (shape.n_dim == 1 || (shape.dim[1] >= 1 && shape.dim[1] <= 4096))))
    status = wrong_shape(file, x, "[n][C], C at most 4096", err);
  *n_datum = !status && shape.n_dim == 2 ? (int)shape.dim[1] : 1;
  sdn_h5_close(file, &ignored);
  return status;
}

static sdn_status read_prior(const char *path, sdn_library *lib, sdn_prior **prior, sdn_err *err)
{
  if (sdn_read_text_file(path, &lib->model_yaml, err)) return err->status;
  return sdn_prior_parse(lib->model_yaml, path, prior, err);
}

static sdn_status open_parts(const char *path, const char *survey, const sdn_data_names *names, const sdn_prior *prior, sdn_library *lib, sdn_err *err)
{
  sdn_data_pairs pairs = {0};
  sdn_survey *given = NULL;
  if (sdn_library_set_names(lib, prior, err) || count_columns(path, names, &lib->n_band, err)) return err->status;
  sdn_status status = sdn_data_read(path, prior, lib->n_band, names, true, &pairs, err);
  if (status) return status;
  lib->n = pairs.n;
  lib->z = pairs.z;
  lib->data = pairs.x;
  lib->sigma = pairs.sigma;
  sdn_h5 *file = NULL;
  sdn_err ignored;
  if (!(status = sdn_h5_open(path, &file, err))) {
    status = constant_theta(file, prior, lib->n, lib->z, err);
    sdn_h5_close(file, &ignored);
  }
  if (!status && !survey) return describe_data(path, &pairs, lib->n_band, &lib->survey_yaml, err);
  if (!status) status = sdn_survey_read(survey, &given, err);
  if (!status && sdn_survey_n_band(given) != lib->n_band)
    status = sdn_fail(err, SDN_USAGE, "%s has %d bands but x of %s has %d columns", survey, sdn_survey_n_band(given), path, lib->n_band);
  if (!status && !(lib->survey_yaml = sdn_copy_text(sdn_survey_yaml(given), err))) status = err->status;
  sdn_survey_free(given);
  return status;
}

sdn_status sdn_data_open(const char *path, const char *prior_path, const char *survey, const sdn_data_names *names, sdn_library **out, sdn_err *err)
{
  sdn_prior *prior = NULL;
  *out = NULL;
  sdn_library *lib = sdn_alloc(1, sizeof *lib, "a library", err);
  if (!lib) return err->status;
  sdn_status status = read_prior(prior_path, lib, &prior, err);
  if (!status && !(lib->physics_hash = sdn_copy_text("data", err))) status = err->status;
  if (!status) status = open_parts(path, survey, names, prior, lib, err);
  sdn_prior_free(prior);
  if (status) sdn_library_close(lib);
  else *out = lib;
  return status;
}
