/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna simulate: prior draws and their noise-free fluxes, in fixed tiles on all cores, into OUTPUT.part and, when all is there, OUTPUT. */
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
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
  {"spectra", SDN_KNOB_FLAG, offsetof(sdn_simulate_options, spectra), "false", 0, 0, "", "store each galaxy's rest-frame spectrum and lines as well (large)"},
  {"spectra_range", SDN_KNOB_TEXT, offsetof(sdn_simulate_options, spectra_range), NULL, 0, 0, "LOW:HIGH",
   "store spectra, but these rest wavelengths only, Angstrom; default: all that the grid has"},
  {"explain", SDN_KNOB_FLAG, offsetof(sdn_simulate_options, explain), "false", 0, 0, "", "print the effective model and simulate nothing"},
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
  sdn_library_light light;     /* spectra and lines of a slice of a group */
  long slice;                  /* galaxies */
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
  sdn_release(sim->light.lnu);
  sdn_release(sim->light.line);
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

/* ------------------------------------------------------------------ spectra */

/* Rest wavelengths that are to be stored. */
static sdn_status read_range(const char *text, double *low_A, double *high_A, sdn_err *err)
{
  *low_A = 0;
  *high_A = HUGE_VAL;
  const char *colon = text ? strchr(text, ':') : NULL;
  if (!text) return SDN_OK;
  if (colon && sdn_number_parse(text, (size_t)(colon - text), low_A) && sdn_number_parse(colon + 1, strlen(colon + 1), high_A) && *low_A < *high_A)
    return SDN_OK;
  return sdn_fail(err, SDN_USAGE, "spectra_range '%s' is not LOW:HIGH, two rest wavelengths in Angstrom, e.g. 1000:10000", text);
}

/* The nodes between low and high. */
static sdn_status choose_nodes(sdn_library_plan *plan, const char *range, double low_A, double high_A, sdn_err *err)
{
  long n;
  const double *wave = sdn_forward_wave_A(plan->forward, &n);
  while (plan->wave0 < n && wave[plan->wave0] < low_A) plan->wave0++;
  while (plan->wave0 + plan->n_wave < n && wave[plan->wave0 + plan->n_wave] <= high_A) plan->n_wave++;
  if (plan->n_wave > 1) return SDN_OK;
  return sdn_fail(err, SDN_RANGE, "spectra_range %s holds %ld of the wavelengths that the model has, which span %g to %g A; widen it", range, plan->n_wave,
                  wave[0], wave[n - 1]);
}

/* Room for a slice of spectra: enough for every thread, far less than a group. */
static sdn_status make_light_room(simulation *sim, const sdn_run *run, sdn_err *err)
{
  if (!sim->plan.spectra) return SDN_OK;
  const int n_thread = sdn_n_thread(run);
  const size_t n_line = (size_t)sdn_forward_n_line(sim->forward);
  long n_node;
  sdn_forward_wave_A(sim->forward, &n_node);
  sim->slice = SDN_TRUTH_TILE * (n_thread > 2 ? n_thread / 2 : 1);
  sim->light.lnu = sdn_alloc((size_t)sim->slice * (size_t)n_node, sizeof(float), "a block of spectra", err);
  if (!sim->light.lnu || n_line == 0) return sim->light.lnu ? SDN_OK : err->status;
  sim->light.line = sdn_alloc((size_t)sim->slice * n_line, sizeof(double), "a block of lines", err);
  return sim->light.line ? SDN_OK : err->status;
}

/* Keep the stored nodes of n spectra, in place. */
static void crop(const sdn_library_plan *plan, long n, long n_node, float *lnu)
{
  for (long i = 0; i < n && plan->n_wave < n_node; i++)
    memmove(lnu + i * plan->n_wave, lnu + i * n_node + plan->wave0, (size_t)plan->n_wave * sizeof *lnu);
}

/* Slices begin at multiples of the truth's tile, so that what a galaxy gets does not depend on the number of threads. */
static sdn_status simulate_light(simulation *sim, long row0, long n, const sdn_run *run, sdn_err *err)
{
  const int n_param = sdn_prior_n_param(sim->plan.prior);
  long n_node;
  sdn_forward_wave_A(sim->forward, &n_node);
  for (long first = 0; first < n; first += sim->slice) {
    const long m = n - first < sim->slice ? n - first : sim->slice;
    const double *params = sim->truth.params + first * n_param;
    if (sdn_forward_spectra(sim->forward, m, params, sim->light.lnu, run, err)) return err->status;
    const sdn_line_values lines = {.luminosity_erg_s = sim->light.line};
    if (sim->light.line && sdn_forward_lines(sim->forward, m, params, &lines, run, err)) return err->status;
    crop(&sim->plan, m, n_node, sim->light.lnu);
    if (sdn_library_write_light(sim->file, row0 + first, m, &sim->light, err)) return err->status;
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ before the work */

static sdn_status make_forward(simulation *sim, const sdn_simulate_options *opt, int n_band, sdn_err *err)
{
  double low_A, high_A;
  sim->plan.spectra = opt->spectra || opt->spectra_range;
  if (!sim->plan.spectra) return sdn_forward_new(sim->model, n_band, sim->filter, &sim->forward, err);
  if (read_range(opt->spectra_range, &low_A, &high_A, err)) return err->status;
  if (sdn_forward_new_over(sim->model, n_band, sim->filter, low_A, high_A, &sim->forward, err)) return err->status;
  sim->plan.forward = sim->forward;
  return choose_nodes(&sim->plan, opt->spectra_range, low_A, high_A, err);
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
  if (make_forward(sim, opt, n_band, err)) return err->status;
  const sdn_prior *prior = sdn_model_prior(sim->model);
  const char *design = opt->design ? opt->design : sim->model->random_design ? "random" : "sobol";
  sim->plan = (sdn_library_plan){.model = sim->model, .survey = sim->survey, .prior = prior, .forward = sim->forward, .n = opt->n, .seed = opt->seed,
                                 .design = design, .command = run ? run->command : NULL, .spectra = sim->plan.spectra, .wave0 = sim->plan.wave0,
                                 .n_wave = sim->plan.n_wave};
  sim->source = (sdn_truth_source){.prior = prior, .forward = sim->forward, .seed = (uint64_t)opt->seed, .stream = SDN_STREAM_DESIGN,
                                   .sobol = !strcmp(design, "sobol")};
  return sdn_truth_check(&sim->source, opt->n, err);
}

/* Bytes of all that the file will hold, its header apart. */
static double library_bytes(const sdn_library_plan *plan)
{
  const double n_free = sdn_prior_n_free(plan->prior), n_band = sdn_survey_n_band(plan->survey), n_derived = sdn_forward_n_derived_sfh(plan->forward);
  return (double)plan->n * (n_free * (sizeof(double) + sizeof(float)) + (n_band + n_derived) * sizeof(float)) + sdn_library_light_bytes(plan);
}

/* Asked before a new file takes its space; an unfinished one has it already. */
static sdn_status check_disk(const simulation *sim, const char *output, sdn_err *err)
{
  const double need = library_bytes(&sim->plan), left = sdn_free_bytes(output);
  if (sdn_file_exists(sim->part) || left < 0 || need <= left) return SDN_OK;
  return sdn_fail(err, SDN_IO, "%s would take %.3g GB, %.3g of them for spectra, but its folder has %.3g GB left; ask for fewer galaxies%s or choose another folder",
                  output, need * 1e-9, sdn_library_light_bytes(&sim->plan) * 1e-9, left * 1e-9,
                  sim->plan.spectra ? ", a narrower spectra_range," : "");
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
  if (make_light_room(sim, run, err)) return err->status;
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
  if (sim->plan.spectra && simulate_light(sim, row0, n, &quiet, err)) return err->status;
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
  if (status == SDN_OK) status = check_disk(&sim, opt->output, err);
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

sdn_status sdn_simulate_measure(const sdn_simulate_options *opt, sdn_simulate_size *size, sdn_err *err)
{
  simulation sim = {0};
  sdn_status status = check_options(opt, err);
  if (status == SDN_OK) status = read_inputs(&sim, opt, NULL, err);
  if (status == SDN_OK)
    *size = (sdn_simulate_size){.bytes = library_bytes(&sim.plan), .spectra_bytes = sdn_library_light_bytes(&sim.plan), .free_bytes = sdn_free_bytes(opt->output),
                                .n_wave = sim.plan.n_wave, .n_line = sim.plan.spectra ? sdn_forward_n_line(sim.forward) : 0};
  free_simulation(&sim);
  return status;
}
