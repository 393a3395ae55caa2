/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "library/fresh.h"

#include "base/random.h"
#include "library/library_file.h"
#include "physics/galaxy.h"

#define SLICE (32L * SDN_TRUTH_TILE)   /* galaxies whose parameters are held at a time */

struct sdn_fresh {
  sdn_model *model;
  sdn_survey *survey;
  sdn_forward *forward;
  const char **filter;   /* [n_band] */
  double *params;        /* [SLICE][n_param] */
};

void sdn_fresh_free(sdn_fresh *f)
{
  if (!f) return;
  sdn_release(f->params);
  sdn_release(f->filter);
  sdn_forward_free(f->forward);
  sdn_survey_free(f->survey);
  sdn_model_free(f->model);
  sdn_release(f);
}

static sdn_status read_inputs(const char *model, const char *survey, sdn_fresh *f, sdn_err *err)
{
  if (sdn_model_read(model, &f->model, err) || sdn_survey_read(survey, &f->survey, err)) return err->status;
  const int n_band = sdn_survey_n_band(f->survey);
  if (!(f->filter = sdn_alloc((size_t)n_band, sizeof *f->filter, "a list of filters", err))) return err->status;
  for (int b = 0; b < n_band; b++) f->filter[b] = sdn_survey_band_filter(f->survey, b);
  if (sdn_forward_new(f->model, n_band, f->filter, &f->forward, err)) return err->status;
  const size_t n_param = (size_t)sdn_prior_n_param(sdn_model_prior(f->model));
  return (f->params = sdn_alloc(SLICE * n_param, sizeof *f->params, "a block of simulated galaxies", err)) ? SDN_OK : err->status;
}

static sdn_truth_source source_of(const sdn_fresh *f, uint64_t seed, uint32_t stream)
{
  const sdn_prior *prior = sdn_model_prior(f->model);
  const bool sobol = !f->model->random_design && sdn_prior_n_free(prior) <= SDN_SOBOL_MAX_DIM;
  return (sdn_truth_source){.prior = prior, .forward = f->forward, .seed = seed, .stream = stream, .sobol = sobol};
}

static sdn_status describe(const sdn_fresh *f, sdn_library *lib, sdn_err *err)
{
  char hash[SDN_HASH_TEXT];
  const sdn_truth_source source = source_of(f, 0, SDN_STREAM_ONLINE);
  if (sdn_truth_check(&source, 1, err)) return err->status;
  sdn_forward_hash_text(f->forward, hash);
  lib->n_band = sdn_survey_n_band(f->survey);
  if (!(lib->model_yaml = sdn_copy_text(sdn_model_yaml(f->model), err)) || !(lib->survey_yaml = sdn_copy_text(sdn_survey_yaml(f->survey), err)) ||
      !(lib->physics_hash = sdn_copy_text(hash, err)))
    return err->status;
  return sdn_library_set_names(lib, source.prior, err);
}

sdn_status sdn_library_simulated(const char *model, const char *survey, sdn_library **out, sdn_err *err)
{
  *out = NULL;
  sdn_library *lib = sdn_alloc(1, sizeof *lib, "a library", err);
  if (!lib) return err->status;
  lib->fresh = sdn_alloc(1, sizeof *lib->fresh, "a library", err);
  sdn_status status = lib->fresh ? read_inputs(model, survey, lib->fresh, err) : err->status;
  if (!status) status = describe(lib->fresh, lib, err);
  if (status) sdn_library_close(lib);
  else *out = lib;
  return status;
}

sdn_status sdn_library_draw(const sdn_library *lib, uint64_t seed, uint32_t stream, long row0, long n, float *z, float *flux_nJy, const sdn_run *run, sdn_err *err)
{
  const sdn_truth_source source = source_of(lib->fresh, seed, stream);
  for (long at = 0; at < n; at += SLICE) {
    const sdn_truth truth = {.z = z + at * lib->n_free, .params = lib->fresh->params, .flux_nJy = flux_nJy + at * lib->n_band};
    if (sdn_draw_truth(&source, row0 + at, n - at < SLICE ? n - at : SLICE, &truth, run, err)) return err->status;
  }
  return SDN_OK;
}
