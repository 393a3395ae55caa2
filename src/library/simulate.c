/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna simulate: prior draws and their noise-free fluxes, in fixed tiles on all cores, into OUTPUT.part and, when all is there, OUTPUT. */
#include <stddef.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "library/library_file.h"
#include "physics/model.h"

const sdn_knob sdn_simulate_knobs[] = {
  {"model", SDN_KNOB_TEXT, offsetof(sdn_simulate_options, model), NULL, 0, 0, "FILE",
   "the physics and its priors: a model.yaml, or the name of a shipped model"},
  {"survey", SDN_KNOB_TEXT, offsetof(sdn_simulate_options, survey), NULL, 0, 0, "FILE", "the bands: a survey.yaml, or the name of a shipped survey"},
  {"output", SDN_KNOB_TEXT, offsetof(sdn_simulate_options, output), NULL, 0, 0, "FILE", "the library to write (HDF5)"},
  {"n", SDN_KNOB_LONG, offsetof(sdn_simulate_options, n), "100000", 1, 1e12, "galaxies", "how many galaxies to draw"},
  {"seed", SDN_KNOB_LONG, offsetof(sdn_simulate_options, seed), "1", 0, 9e15, "", "names the random numbers: the same seed gives the same library"},
  {"design", SDN_KNOB_TEXT, offsetof(sdn_simulate_options, design), NULL, 0, 0, "sobol|random",
   "how the prior is covered: evenly by scrambled Sobol points, or by independent draws; default: the model's key `design`, else sobol"},
};
const size_t sdn_n_simulate_knob = sizeof sdn_simulate_knobs / sizeof *sdn_simulate_knobs;

/* Tiles between two writes: enough for every thread to stay busy, few enough that a stop loses seconds. Results do not depend on it. */
#define LEAST_GROUP 16
#define TILE_PER_THREAD 4

typedef struct simulation {
  sdn_model *model;
  sdn_survey *survey;
  sdn_forward *forward;
  const char **filter;         /* [n_band] */
  char *part;
  sdn_library_plan plan;
  sdn_truth_source source;
  unsigned char *tile_done;    /* [n_tile] */
  long n_tile, group;          /* tiles in all; at most so many computed together */
  sdn_truth truth;             /* room for a group */
  sdn_library_rows_out rows;   /* the same, as the file has it */
  sdn_h5 *file;
} simulation;

static void free_simulation(simulation *sim)
{
  sdn_err unused;
  sdn_h5_close(sim->file, &unused);
  sdn_release(sim->truth.z);
  sdn_release(sim->truth.params);
  sdn_release(sim->truth.flux_nJy);
  sdn_release(sim->truth.derived);
  sdn_release(sim->rows.theta);
  sdn_release(sim->rows.derived);
  sdn_release(sim->tile_done);
  sdn_release(sim->part);
  sdn_release(sim->filter);
  sdn_forward_free(sim->forward);
  sdn_survey_free(sim->survey);
  sdn_model_free(sim->model);
}

static sdn_status check_options(const sdn_simulate_options *opt, sdn_err *err)
{
  const char *missing = !opt->model ? "model" : !opt->survey ? "survey" : !opt->output ? "output" : NULL;
  if (missing) return sdn_fail(err, SDN_USAGE, "simulate needs the option %s", missing);
  if (!(opt->n >= 1)) return sdn_fail(err, SDN_USAGE, "n is %ld, but at least 1 galaxy must be drawn", opt->n);
  if (opt->design && strcmp(opt->design, "sobol") && strcmp(opt->design, "random"))
    return sdn_fail(err, SDN_USAGE, "design '%s' is not known; it is sobol or random", opt->design);
  return SDN_OK;
}

static sdn_status read_inputs(simulation *sim, const sdn_simulate_options *opt, const sdn_run *run, sdn_err *err)
{
  if (sdn_model_read(opt->model, &sim->model, err) || sdn_survey_read(opt->survey, &sim->survey, err)) return err->status;
  const int n_band = sdn_survey_n_band(sim->survey);
  sim->filter = sdn_alloc((size_t)n_band, sizeof *sim->filter, "a list of filters", err);
  if (!sim->filter) return err->status;
  for (int b = 0; b < n_band; b++) sim->filter[b] = sdn_survey_band_filter(sim->survey, b);
  const char *const grid = sim->model->grid->path;
  if (sdn_check_output(opt->output, 1, &grid, err) || sdn_check_output(opt->output, (size_t)n_band, sim->filter, err)) return err->status;
  if (sdn_forward_new(sim->model, n_band, sim->filter, &sim->forward, err)) return err->status;
  const sdn_prior *prior = sdn_model_prior(sim->model);
  const char *design = opt->design ? opt->design : sim->model->random_design ? "random" : "sobol";
  sim->plan = (sdn_library_plan){.model = sim->model, .survey = sim->survey, .prior = prior, .forward = sim->forward, .n = opt->n, .seed = opt->seed,
                                 .design = design, .command = run ? run->command : NULL};
  sim->source = (sdn_truth_source){.prior = prior, .forward = sim->forward, .seed = (uint64_t)opt->seed, .stream = SDN_STREAM_DESIGN,
                                   .sobol = !strcmp(design, "sobol")};
  return sdn_truth_check(&sim->source, opt->n, err);
}

static sdn_status make_room(simulation *sim, const sdn_run *run, sdn_err *err)
{
  sim->n_tile = sdn_library_n_tile(sim->plan.n);
  sim->group = TILE_PER_THREAD * sdn_n_thread(run);
  if (sim->group < LEAST_GROUP) sim->group = LEAST_GROUP;
  if (sim->group > sim->n_tile) sim->group = sim->n_tile;
  const size_t n = (size_t)sim->group * SDN_TRUTH_TILE;
  const size_t n_free = (size_t)sdn_prior_n_free(sim->plan.prior), n_param = (size_t)sdn_prior_n_param(sim->plan.prior);
  const size_t n_band = (size_t)sdn_survey_n_band(sim->survey), n_derived = (size_t)sdn_forward_n_derived_sfh(sim->forward);
  static const char what[] = "a block of simulated galaxies";
  if (!(sim->tile_done = sdn_alloc((size_t)sim->n_tile, 1, what, err))) return err->status;
  if (!(sim->truth.z = sdn_alloc(n * n_free, sizeof(float), what, err))) return err->status;
  if (!(sim->truth.params = sdn_alloc(n * n_param, sizeof(double), what, err))) return err->status;
  if (!(sim->truth.flux_nJy = sdn_alloc(n * n_band, sizeof(float), what, err))) return err->status;
  if (!(sim->rows.theta = sdn_alloc(n * n_free, sizeof(double), what, err))) return err->status;
  sim->rows.z = sim->truth.z;
  sim->rows.flux_nJy = sim->truth.flux_nJy;
  if (n_derived == 0) return SDN_OK;
  if (!(sim->truth.derived = sdn_alloc(n * n_derived, sizeof(double), what, err))) return err->status;
  return (sim->rows.derived = sdn_alloc(n * n_derived, sizeof(float), what, err)) ? SDN_OK : err->status;
}

/* The next tiles to do, from *tile on: where they begin, and how many follow one another. */
static long next_group(const simulation *sim, long *tile)
{
  while (*tile < sim->n_tile && sim->tile_done[*tile]) ++*tile;
  long n = 0;
  while (n < sim->group && *tile + n < sim->n_tile && !sim->tile_done[*tile + n]) n++;
  return n;
}

static sdn_status simulate_group(simulation *sim, long tile, long n_tile, const sdn_run *run, sdn_err *err)
{
  const sdn_run quiet = {.n_thread = run ? run->n_thread : 0, .stop = run ? run->stop : NULL};
  const long row0 = tile * SDN_TRUTH_TILE, left = sim->plan.n - row0, n = n_tile * SDN_TRUTH_TILE < left ? n_tile * SDN_TRUTH_TILE : left;
  if (sdn_draw_truth(&sim->source, row0, n, &sim->truth, &quiet, err)) return err->status;
  sdn_prior_theta(sim->plan.prior, n, sim->truth.params, sim->rows.theta);
  for (long i = 0; sim->rows.derived && i < n * sdn_forward_n_derived_sfh(sim->forward); i++) sim->rows.derived[i] = (float)sim->truth.derived[i];
  return sdn_library_write(sim->file, &sim->plan, tile, n_tile, &sim->rows, err);
}

static long count_done(const simulation *sim)
{
  long n = 0;
  for (long t = 0; t < sim->n_tile; t++)
    if (sim->tile_done[t]) n += t < sim->n_tile - 1 ? SDN_TRUTH_TILE : sim->plan.n - t * SDN_TRUTH_TILE;
  return n;
}

static sdn_status simulate_all(simulation *sim, const sdn_run *run, sdn_err *err)
{
  for (long tile = 0, n; (n = next_group(sim, &tile)) > 0; tile += n) {
    const sdn_status status = sdn_stopped(run) ? SDN_INTERRUPTED : simulate_group(sim, tile, n, run, err);
    if (status == SDN_INTERRUPTED)
      return sdn_fail(err, SDN_INTERRUPTED, "stopped on request with %ld of %ld galaxies done; the same command goes on from %s", count_done(sim), sim->plan.n,
                      sim->part);
    if (status != SDN_OK) return status;
    memset(sim->tile_done + tile, 1, (size_t)n);
    sdn_progress(run, "simulate", (double)count_done(sim), (double)sim->plan.n, "galaxies");
  }
  return SDN_OK;
}

/* A part file without a finished tile is worth nothing, and would stand in the way of the mended model. */
static void drop_part(simulation *sim)
{
  sdn_err unused;
  sdn_h5_close(sim->file, &unused);
  sim->file = NULL;
  remove(sim->part);
}

static sdn_status finish(simulation *sim, const char *output, sdn_err *err)
{
  if (sdn_h5_set_long(sim->file, "/", "complete", 1, err)) return err->status;
  sdn_h5 *file = sim->file;
  sim->file = NULL;
  if (sdn_h5_close(file, err)) return err->status;
  return sdn_part_finish(sim->part, output, err);
}

sdn_status sdn_simulate(const sdn_simulate_options *opt, const sdn_run *run, sdn_simulate_summary *summary, sdn_err *err)
{
  simulation sim = {0};
  const double start = sdn_seconds();
  sdn_status status = check_options(opt, err);
  if (status == SDN_OK) status = sdn_check_output(opt->output, 2, (const char *const[]){opt->model, opt->survey}, err);
  if (status == SDN_OK) status = sdn_check_writable(opt->output, err);
  if (status == SDN_OK) status = read_inputs(&sim, opt, run, err);
  if (status == SDN_OK) status = make_room(&sim, run, err);
  if (status == SDN_OK && !(sim.part = sdn_part_name(opt->output, err))) status = err->status;
  if (status == SDN_OK) status = sdn_library_begin(&sim.plan, sim.part, sim.tile_done, &sim.file, err);
  if (status == SDN_OK) {
    *summary = (sdn_simulate_summary){.n = opt->n, .n_resumed = count_done(&sim), .n_band = sdn_survey_n_band(sim.survey),
                                      .n_free = sdn_prior_n_free(sim.plan.prior)};
    status = simulate_all(&sim, run, err);
    if (status != SDN_OK && status != SDN_INTERRUPTED && count_done(&sim) == 0) drop_part(&sim);
  }
  if (status == SDN_OK) status = finish(&sim, opt->output, err);
  if (status == SDN_OK) summary->seconds = sdn_seconds() - start;
  free_simulation(&sim);
  return status;
}
