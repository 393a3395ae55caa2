/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/engine.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "learn/posterior.h"
#include "physics/galaxy.h"
#include "prior/parameters.h"

#define MAX_COORDINATE 37   /* beyond it the standard normal's tail is below the smallest double */

/* The network's coordinates and the model's free parameters must be the same, in the same order. */
static sdn_status check_parameters(const sdn_engine *e, const char *path, sdn_err *err)
{
  int n = sdn_posterior_n_free(e->posterior);
  if (n != e->n_free)
    return sdn_fail(err, SDN_FORMAT, "%s: its network has %d parameters but the model inside has %d free ones; the file is damaged, train it anew", path, n,
                    e->n_free);
  for (int i = 0; i < n; i++) {
    const char *network = sdn_posterior_free_name(e->posterior, i);
    const char *model = sdn_prior_param_name(e->prior, sdn_prior_free_param(e->prior, i));
    if (strcmp(network, model) != 0)
      return sdn_fail(err, SDN_FORMAT, "%s: parameter %d is \"%s\" for its network but \"%s\" for the model inside; the file is damaged, train it anew",
                      path, i + 1, network, model);
  }
  return SDN_OK;
}

static sdn_status open_forward(sdn_engine *e, sdn_err *err)
{
  e->n_band = sdn_survey_n_band(e->survey);
  const char **filter = sdn_alloc((size_t)e->n_band, sizeof *filter, "a list of filters", err);
  if (!filter)
    return err->status;
  for (int b = 0; b < e->n_band; b++)
    filter[b] = sdn_survey_band_filter(e->survey, b);
  sdn_status status = sdn_forward_new(e->model, e->n_band, filter, &e->forward, err);
  sdn_release(filter);
  return status;
}

/* A network answers for the light that it was trained on: grid, filter curves and tables of priors, of which the file holds no more than a hash. */
static sdn_status check_physics(const sdn_engine *e, const char *path, sdn_err *err)
{
  char now[SDN_HASH_TEXT];
  sdn_forward_hash_text(e->forward, now);
  if (strcmp(now, sdn_posterior_physics_hash(e->posterior)) == 0)
    return SDN_OK;
  return sdn_fail(err, SDN_USAGE, "%s: the grid, a filter curve or a prior's table differs from the one that it was trained with; bring back those files, "
                  "or simulate and train again", path);
}

static sdn_status open_simulator(const char *path, sdn_engine *e, sdn_err *err)
{
  if (sdn_prior_parse(sdn_posterior_model_yaml(e->posterior), "prior", &e->own_prior, err)) return sdn_fail_in(err, "%s, the prior inside", path);
  e->prior = e->own_prior;
  e->n_free = sdn_prior_n_free(e->prior);
  e->n_param = sdn_prior_n_param(e->prior);
  e->n_band = sdn_survey_n_band(e->survey);
  e->redshift_param = -1;
  return check_parameters(e, path, err);
}

static sdn_status open_parts(const char *path, sdn_engine *e, sdn_err *err)
{
  sdn_status status = sdn_posterior_open(path, &e->posterior, err);
  if (status || (status = sdn_hash_file(path, &e->hash, err)))
    return status;
  e->survey = sdn_posterior_survey(e->posterior);
  if (sdn_prior_is_alone(sdn_posterior_model_yaml(e->posterior)))
    return open_simulator(path, e, err);
  if (sdn_model_parse(sdn_posterior_model_yaml(e->posterior), "model", &e->model, err))
    return sdn_fail_in(err, "%s, the model inside", path);
  e->prior = sdn_model_prior(e->model);
  e->n_free = sdn_prior_n_free(e->prior);
  e->n_param = sdn_prior_n_param(e->prior);
  if ((status = check_parameters(e, path, err)))
    return status;
  if (open_forward(e, err))
    return sdn_fail_in(err, "%s, the survey inside", path);
  if ((status = check_physics(e, path, err)))
    return status;
  e->n_sfh = sdn_forward_n_derived_sfh(e->forward);
  e->n_derived = sdn_forward_n_derived(e->forward);
  e->redshift_param = sdn_prior_param_index(e->prior, "redshift");
  if (e->n_free < 1 || sdn_prior_free_param(e->prior, 0) != e->redshift_param)
    e->redshift_param = -1;
  return SDN_OK;
}

sdn_status sdn_engine_open(const char *posterior_path, sdn_engine *e, sdn_err *err)
{
  *e = (sdn_engine){0};
  sdn_status status = open_parts(posterior_path, e, err);
  if (status)
    sdn_engine_close(e);
  return status;
}

void sdn_engine_close(sdn_engine *e)
{
  sdn_forward_free(e->forward);
  sdn_model_free(e->model);
  sdn_prior_free(e->own_prior);
  sdn_posterior_free(e->posterior);
  *e = (sdn_engine){0};
}

sdn_status sdn_engine_fix(const sdn_engine *e, const char *fix, const char **column, sdn_err *err)
{
  static const char name[] = "redshift";
  size_t n = sizeof name - 1;
  if (strncmp(fix, name, n) != 0 || (fix[n] && fix[n] != '='))
    return sdn_fail(err, SDN_USAGE, "fix \"%s\": only the redshift can be given to the network; write redshift=COLUMN", fix);
  if (fix[n] == '=' && !fix[n + 1])
    return sdn_fail(err, SDN_USAGE, "fix \"%s\" names no column; write redshift=COLUMN", fix);
  if (e->redshift_param < 0)
    return sdn_fail(err, SDN_USAGE, "fix \"%s\": the redshift is not a free parameter of this posterior's model; leave the option out", fix);
  *column = fix[n] ? fix + n + 1 : NULL;
  return SDN_OK;
}

/* The redshift has no parents and comes first, so its coordinate depends on it alone; the other parameters must only lie in the support, which may
 * depend on the redshift. Bisection on the prior's own monotone map needs no such companions. z_first of one redshift, NaN outside the prior. */
static sdn_status invert_redshift(const sdn_engine *e, double redshift, double *z, double *params, double *z_first, sdn_err *err)
{
  double low = -MAX_COORDINATE, high = MAX_COORDINATE, at[2];
  *z_first = NAN;
  for (int side = 0; side < 2; side++) {
    z[0] = side ? high : low;
    if (sdn_prior_params(e->prior, 1, z, params, err))
      return err->status;
    at[side] = params[e->redshift_param];
  }
  if (!(redshift >= at[0] && redshift <= at[1]))
    return SDN_OK;
  while (high - low > 1e-12) {
    z[0] = low + (high - low) / 2;
    if (sdn_prior_params(e->prior, 1, z, params, err))
      return err->status;
    *(params[e->redshift_param] < redshift ? &low : &high) = z[0];
  }
  *z_first = high;
  return SDN_OK;
}

sdn_status sdn_engine_first_coordinate(const sdn_engine *e, long n, const double *redshift, double *z_first, sdn_err *err)
{
  double *z = sdn_alloc((size_t)(e->n_free + e->n_param), sizeof *z, "one galaxy's parameters", err);
  if (!z)
    return err->status;
  sdn_status status = SDN_OK;
  for (long i = 0; i < n && !status; i++) {
    status = invert_redshift(e, redshift[i], z, z + e->n_free, &z_first[i], err);
    z[0] = 0;
  }
  sdn_release(z);
  return status;
}
