/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "library/library_file.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "physics/galaxy.h"

long sdn_library_n_tile(long n) { return (n + SDN_TRUTH_TILE - 1) / SDN_TRUTH_TILE; }

/* ------------------------------------------------------------------ create */

static sdn_status make(sdn_h5 *file, const char *name, sdn_h5_type type, long n, int n_column, sdn_err *err)
{
  const sdn_h5_shape shape = {.n_dim = n_column > 0 ? 2 : 1, .dim = {n, n_column}};
  return sdn_h5_make(file, name, type, &shape, NULL, err);
}

/* names and units (or bands and filters) of a dataset's columns */
typedef struct labels { const char *first, *second; const char **one, **two; int n; } labels;

static sdn_status set_labels(sdn_h5 *file, const char *name, const labels *l, sdn_err *err)
{
  if (sdn_h5_set_texts(file, name, l->first, l->one, (size_t)l->n, err)) return err->status;
  return sdn_h5_set_texts(file, name, l->second, l->two, (size_t)l->n, err);
}

static sdn_status label_columns(sdn_h5 *file, const sdn_library_plan *plan, const char **one, const char **two, sdn_err *err)
{
  const int n_free = sdn_prior_n_free(plan->prior), n_band = sdn_survey_n_band(plan->survey), n_derived = sdn_forward_n_derived_sfh(plan->forward);
  for (int i = 0; i < n_free; i++) {
    const int param = sdn_prior_free_param(plan->prior, i);
    one[i] = sdn_prior_param_name(plan->prior, param);
    two[i] = sdn_prior_param_unit(plan->prior, param);
  }
  if (set_labels(file, "theta", &(labels){"names", "units", one, two, n_free}, err)) return err->status;
  for (int b = 0; b < n_band; b++) {
    one[b] = sdn_survey_band_name(plan->survey, b);
    two[b] = sdn_survey_band_filter(plan->survey, b);
  }
  if (set_labels(file, "flux_njy", &(labels){"bands", "filters", one, two, n_band}, err)) return err->status;
  for (int i = 0; i < n_derived; i++) {
    one[i] = sdn_forward_derived_name(plan->forward, i);
    two[i] = sdn_forward_derived_unit(plan->forward, i);
  }
  return n_derived > 0 ? set_labels(file, "derived", &(labels){"names", "units", one, two, n_derived}, err) : SDN_OK;
}

static sdn_status make_datasets(sdn_h5 *file, const sdn_library_plan *plan, sdn_err *err)
{
  const int n_free = sdn_prior_n_free(plan->prior), n_band = sdn_survey_n_band(plan->survey), n_derived = sdn_forward_n_derived_sfh(plan->forward);
  if (make(file, "theta", SDN_H5_DOUBLE, plan->n, n_free, err)) return err->status;
  if (make(file, "z", SDN_H5_FLOAT, plan->n, n_free, err)) return err->status;
  if (make(file, "flux_njy", SDN_H5_FLOAT, plan->n, n_band, err)) return err->status;
  if (n_derived > 0 && make(file, "derived", SDN_H5_FLOAT, plan->n, n_derived, err)) return err->status;
  if (make(file, "tile_done", SDN_H5_UINT8, sdn_library_n_tile(plan->n), 0, err)) return err->status;
  if (sdn_library_make_light(file, plan, err)) return err->status;
  const size_t n_label = (size_t)(n_free + n_band + n_derived);
  const char **label = sdn_alloc(2 * n_label, sizeof *label, "the names of a library's columns", err);
  if (!label) return err->status;
  const sdn_status status = label_columns(file, plan, label, label + n_label, err);
  sdn_release(label);
  return status;
}

static sdn_status set_attributes(sdn_h5 *file, const sdn_library_plan *plan, sdn_err *err)
{
  char physics_hash[SDN_HASH_TEXT];
  sdn_forward_hash_text(plan->forward, physics_hash);
  const struct { const char *name, *value; } texts[] = {
    {"format", SDN_LIBRARY_FORMAT}, {"sedna_version", SDN_VERSION}, {"command", plan->command ? plan->command : ""}, {"physics_hash", physics_hash},
    {"model_yaml", sdn_model_yaml(plan->model)}, {"survey_yaml", sdn_survey_yaml(plan->survey)}, {"design", plan->design},
  };
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (sdn_h5_set_text(file, "/", texts[i].name, texts[i].value, err)) return err->status;
  if (sdn_h5_set_long(file, "/", "version", SDN_LIBRARY_VERSION, err)) return err->status;
  if (sdn_h5_set_long(file, "/", "seed", plan->seed, err)) return err->status;
  if (sdn_h5_set_long(file, "/", "n", plan->n, err)) return err->status;
  return sdn_h5_set_long(file, "/", "complete", 0, err);
}

/* A file under construction is named PART.new: a part file is always whole, so one that cannot be read is not ours to overwrite. */
static sdn_status create(const sdn_library_plan *plan, const char *part, sdn_err *err)
{
  sdn_h5 *file = NULL;
  char *name = sdn_alloc(strlen(part) + sizeof ".new", 1, "a file name", err);
  if (!name) return err->status;
  memcpy(name, part, strlen(part));
  memcpy(name + strlen(part), ".new", sizeof ".new");
  sdn_status status = sdn_h5_create(name, &file, err);
  if (status == SDN_OK) status = make_datasets(file, plan, err);
  if (status == SDN_OK) status = set_attributes(file, plan, err);
  sdn_err close_err;
  if (sdn_h5_close(file, &close_err) && status == SDN_OK) {
    *err = close_err;
    status = err->status;
  }
  if (status == SDN_OK) status = sdn_part_finish(name, part, err);
  if (status != SDN_OK) remove(name);
  sdn_release(name);
  return status;
}

/* ------------------------------------------------------------------ resume */

static sdn_status differs(const char *part, const char *what, sdn_err *err)
{
  return sdn_fail(err, SDN_USAGE,
                  "%s is of an unfinished run with another %s; finish that run as it was begun, choose another output, or remove the file", part, what);
}

static sdn_status same_text(const sdn_h5 *file, const char *attr, const char *what, const char *value, sdn_err *err)
{
  char *stored = NULL;
  if (sdn_h5_get_text(file, "/", attr, &stored, err)) return err->status;
  const bool same = !strcmp(stored, value);
  sdn_release(stored);
  return same ? SDN_OK : differs(sdn_h5_path(file), what, err);
}

static sdn_status same_long(const sdn_h5 *file, const char *attr, const char *what, long value, sdn_err *err)
{
  long stored = 0;
  if (sdn_h5_get_long(file, "/", attr, &stored, err)) return err->status;
  return stored == value ? SDN_OK : differs(sdn_h5_path(file), what, err);
}

static sdn_status same_plan(const sdn_h5 *file, const sdn_library_plan *plan, sdn_err *err)
{
  char physics_hash[SDN_HASH_TEXT];
  sdn_forward_hash_text(plan->forward, physics_hash);
  if (same_text(file, "format", "format", SDN_LIBRARY_FORMAT, err)) return err->status;
  if (same_text(file, "sedna_version", "version of sedna", SDN_VERSION, err)) return err->status;
  if (same_text(file, "model_yaml", "model", sdn_model_yaml(plan->model), err)) return err->status;
  if (same_text(file, "survey_yaml", "survey", sdn_survey_yaml(plan->survey), err)) return err->status;
  if (same_text(file, "physics_hash", "grid, filter curve or table of a prior (a file that model or survey names has changed)", physics_hash, err)) return err->status;
  if (same_text(file, "design", "design", plan->design, err)) return err->status;
  if (same_long(file, "version", "format version", SDN_LIBRARY_VERSION, err)) return err->status;
  if (same_long(file, "seed", "seed", plan->seed, err)) return err->status;
  if (same_long(file, "n", "number of galaxies", plan->n, err)) return err->status;
  return sdn_library_same_light(file, plan, err);
}

/* Looked at without write access first: a part file of another run is not to be touched. */
static sdn_status check_part(const sdn_library_plan *plan, const char *part, unsigned char *tile_done, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_err unused;
  if (sdn_h5_open(part, &file, err)) return sdn_fail_in(err, "cannot go on from this unfinished run; if no other sedna is writing it, remove it");
  sdn_status status = same_plan(file, plan, err);
  if (status == SDN_OK) status = sdn_h5_read_rows(file, "tile_done", SDN_H5_UINT8, 0, sdn_library_n_tile(plan->n), tile_done, err);
  sdn_h5_close(file, &unused);
  return status;
}

/* An empty part file is what a run leaves that was killed while it asked whether it may write. */
static bool has_content(const char *path)
{
  struct stat info;
  return stat(path, &info) == 0 && info.st_size > 0;
}

sdn_status sdn_library_begin(const sdn_library_plan *plan, const char *part, unsigned char *tile_done, sdn_h5 **file, sdn_err *err)
{
  *file = NULL;
  if (!has_content(part) && create(plan, part, err)) return err->status;
  if (check_part(plan, part, tile_done, err)) return err->status;
  return sdn_h5_open_update(part, file, err);
}

/* ------------------------------------------------------------------ write */

sdn_status sdn_library_write(sdn_h5 *file, const sdn_library_plan *plan, long first_tile, long n_tile, const sdn_library_rows_out *rows, sdn_err *err)
{
  unsigned char done[256];
  const long row0 = first_tile * SDN_TRUTH_TILE, left = plan->n - row0, n = n_tile * SDN_TRUTH_TILE < left ? n_tile * SDN_TRUTH_TILE : left;
  if (sdn_h5_write_rows(file, "theta", SDN_H5_DOUBLE, row0, n, rows->theta, err)) return err->status;
  if (sdn_h5_write_rows(file, "z", SDN_H5_FLOAT, row0, n, rows->z, err)) return err->status;
  if (sdn_h5_write_rows(file, "flux_njy", SDN_H5_FLOAT, row0, n, rows->flux_nJy, err)) return err->status;
  if (rows->derived && sdn_h5_write_rows(file, "derived", SDN_H5_FLOAT, row0, n, rows->derived, err)) return err->status;
  if (sdn_h5_flush(file, err)) return err->status;
  memset(done, 1, sizeof done);
  for (long tile = 0; tile < n_tile; tile += (long)sizeof done) {
    const long n_mark = n_tile - tile < (long)sizeof done ? n_tile - tile : (long)sizeof done;
    if (sdn_h5_write_rows(file, "tile_done", SDN_H5_UINT8, first_tile + tile, n_mark, done, err)) return err->status;
  }
  return sdn_h5_flush(file, err);
}
