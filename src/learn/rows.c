/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/rows.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "library/data_file.h"
#include "library/fresh.h"
#include "library/library_file.h"

#define LEAST_TRAIN 64
#define LEAST_HELD_OUT 16
#define LEAST_WINDOW 64
#define MAX_UNIT (1L << 20)   /* units of the split; also the galaxies that fractions count at most */

void sdn_rows_close(sdn_rows *r)
{
  sdn_stream_free(r->stream);
  sdn_library_close(r->library);
  sdn_survey_free(r->survey);
  sdn_release(r->z);
  sdn_release(r->flux);
  sdn_release(r->order);
}

static sdn_status open_library(const sdn_train_options *opt, sdn_rows *r, sdn_err *err)
{
  const char *path = opt->library;
  const sdn_data_names names = {.theta = opt->theta, .x = opt->x, .sigma = opt->sigma};
  if (opt->model) {
    if (sdn_library_simulated(opt->model, opt->survey, &r->library, err)) return err->status;
    path = opt->model;
  }
  else if (opt->prior ? sdn_data_open(path, opt->prior, opt->survey, &names, &r->library, err) : sdn_library_open(path, &r->library, err)) return err->status;
  r->n_free = sdn_library_n_free(r->library);
  r->n_band = sdn_library_n_band(r->library);
  if (r->n_free > SDN_MAX_FREE)
    return sdn_fail(err, SDN_RANGE, "%s has %d free parameters; at most %d are possible", path, r->n_free, SDN_MAX_FREE);
  if (sdn_survey_parse(sdn_library_survey_yaml(r->library), path, &r->survey, err)) return err->status;
  if (r->n_band != sdn_survey_n_band(r->survey))
    return sdn_fail(err, SDN_FORMAT, "%s has fluxes in %d bands but its survey has %d; simulate again", path, r->n_band, sdn_survey_n_band(r->survey));
  r->n_feature = sdn_survey_n_feature(r->survey);
  return SDN_OK;
}

/* ------------------------------------------------------------------ the split */

/* Rows that go together: one, or as many as leave MAX_UNIT units. Rows of a library are exchangeable, so a unit is as good a sample as rows apart. */
static long unit_rows(long n) { return (n + MAX_UNIT - 1) / MAX_UNIT; }

static long held_out(double fraction, long n)
{
  const long wanted = lround(fraction * (double)(n < MAX_UNIT ? n : MAX_UNIT));
  return wanted > LEAST_HELD_OUT ? wanted : LEAST_HELD_OUT;
}

/* Rows of the next units, from *at on, until `wanted` of them are there; how many there are. */
static long take_units(const long *unit, long n, long wanted, long *at, long *row)
{
  const long each = unit_rows(n), n_unit = (n + each - 1) / each;
  long k = 0;
  for (; *at < n_unit && k < wanted; ++*at)
    for (long i = unit[*at] * each; i < (unit[*at] + 1) * each && i < n; i++) row[k++] = i;
  return k;
}

static sdn_status too_few(const char *library, long n, long n_train, sdn_err *err)
{
  return sdn_fail(err, SDN_USAGE, "%s has %ld galaxies, of which %ld would be left to train on; at least %d are needed: simulate more", library, n,
                  n_train > 0 ? n_train : 0L, LEAST_TRAIN);
}

/* Of a stream, r->order holds the rows held out and no others. */
static sdn_status split(const sdn_train_options *opt, bool streamed, sdn_rows *r, sdn_err *err)
{
  const long n = sdn_library_n(r->library), each = unit_rows(n), n_unit = (n + each - 1) / each;
  const long want_test = held_out(opt->test_fraction, n), want_validation = held_out(opt->validation_fraction, n);
  const long n_held = want_test + want_validation + 2 * each, n_order = streamed && n_held < n ? n_held : n;
  long at = 0, *unit = sdn_alloc((size_t)n_unit, sizeof *unit, "a library's split", err);
  r->order = unit ? sdn_alloc((size_t)n_order, sizeof *r->order, "a library's order", err) : NULL;
  if (!r->order) {
    sdn_release(unit);
    return err->status;
  }
  r->seed = (uint64_t)opt->seed;
  sdn_random_permutation(r->seed, SDN_STREAM_SPLIT, n_unit, unit);
  const long n_test = take_units(unit, n, want_test, &at, r->order);
  const long n_validation = take_units(unit, n, want_validation, &at, r->order + n_test), n_train = n - n_test - n_validation;
  r->first[SDN_SPLIT_VALIDATION] = n_test;
  r->first[SDN_SPLIT_TRAIN] = n_test + n_validation;
  r->n_split[SDN_SPLIT_TRAIN] = n_train;
  r->n_split[SDN_SPLIT_VALIDATION] = n_validation;
  r->n_split[SDN_SPLIT_TEST] = n_test;
  if (!streamed) take_units(unit, n, n_train, &at, r->order + n_test + n_validation);
  sdn_release(unit);
  return n_train < LEAST_TRAIN ? too_few(opt->library, n, n_train, err) : SDN_OK;
}

/* ------------------------------------------------------------------ the numbers */

static sdn_status make_room(long n, sdn_rows *r, sdn_err *err)
{
  if ((r->z = sdn_alloc((size_t)n * (size_t)r->n_free, sizeof *r->z, "a library's parameters", err)) &&
      (r->flux = sdn_alloc((size_t)n * (size_t)r->n_band, sizeof *r->flux, "a library's fluxes", err)))
    return SDN_OK;
  return err->status;
}

static uint64_t hash_of_texts(const sdn_rows *r)
{
  const char *text[] = {sdn_library_model_yaml(r->library), sdn_library_survey_yaml(r->library), sdn_library_physics_hash(r->library)};
  uint64_t hash = 0;
  for (size_t i = 0; i < sizeof text / sizeof *text; i++) hash = sdn_hash_bytes(text[i], strlen(text[i]), hash);
  return hash;
}

static sdn_status read_all(sdn_rows *r, sdn_err *err)
{
  const size_t n = (size_t)sdn_library_n(r->library);
  if (make_room((long)n, r, err) || sdn_library_rows(r->library, 0, (long)n, r->z, r->flux, err)) return err->status;
  r->hash = sdn_hash_bytes(r->z, n * (size_t)r->n_free * sizeof *r->z, hash_of_texts(r));
  r->hash = sdn_hash_bytes(r->flux, n * (size_t)r->n_band * sizeof *r->flux, r->hash);
  return SDN_OK;
}

/* A window takes what the rows held out, and a batch that is carried from one window to the next, leave of `bytes`. */
static sdn_status open_stream(const sdn_train_options *opt, double bytes, sdn_rows *r, sdn_err *err)
{
  const long n_held = r->first[SDN_SPLIT_TRAIN], n_batch = opt->batch > SDN_ROWS ? opt->batch : SDN_ROWS;
  const double each = (double)sdn_stream_window_bytes(r->n_free, r->n_band);
  const double taken = (double)n_held * (double)sdn_stream_held_bytes(r->n_free, r->n_band) + (double)n_batch * each;
  if (!(bytes - taken >= LEAST_WINDOW * each))
    return sdn_fail(err, SDN_USAGE, "%g GB of memory do not hold the %ld galaxies of %s that are held out and %d to train on at a time; memory_gb must be %.2g at least",
                    bytes * 1e-9, n_held, opt->library, LEAST_WINDOW, (taken + LEAST_WINDOW * each) * 1.01e-9);
  r->n_window = (long)fmin((bytes - taken) / each, (double)sdn_library_n(r->library));
  r->hash = hash_of_texts(r);
  if (make_room(n_held, r, err) || sdn_stream_new(r->library, r->n_window, n_batch, n_held, r->order, &r->stream, err)) return err->status;
  for (long i = 0; i < n_held; i++) r->order[i] = i;
  return sdn_stream_read_held(r->stream, r->z, r->flux, &r->hash, err);
}

/* Rows in memory are test, validation and training galaxies, in this order. */
static sdn_status open_model(const sdn_train_options *opt, const sdn_run *run, sdn_rows *r, sdn_err *err)
{
  const size_t n_test = (size_t)held_out(opt->test_fraction, opt->n_online), n_held = n_test + (size_t)held_out(opt->validation_fraction, opt->n_online);
  const long n = (long)n_held + opt->n_online;
  if (!(r->order = sdn_alloc((size_t)n, sizeof *r->order, "the order of galaxies", err)) || make_room(n, r, err)) return err->status;
  for (long i = 0; i < n; i++) r->order[i] = i;
  r->seed = (uint64_t)opt->seed;
  r->n_reuse = opt->n_reuse;
  r->generation = -1;
  r->n_thread = run ? run->n_thread : 0;
  r->first[SDN_SPLIT_VALIDATION] = r->n_split[SDN_SPLIT_TEST] = (long)n_test;
  r->n_split[SDN_SPLIT_VALIDATION] = (long)(n_held - n_test);
  r->first[SDN_SPLIT_TRAIN] = (long)n_held;
  r->n_split[SDN_SPLIT_TRAIN] = opt->n_online;
  if (sdn_library_draw(r->library, r->seed, SDN_STREAM_HELD_OUT, 0, (long)n_held, r->z, r->flux, run, err)) return err->status;
  r->hash = sdn_hash_bytes(r->z, n_held * (size_t)r->n_free * sizeof *r->z, hash_of_texts(r));
  r->hash = sdn_hash_bytes(r->flux, n_held * (size_t)r->n_band * sizeof *r->flux, r->hash);
  return SDN_OK;
}

static sdn_status open_rows(const sdn_train_options *opt, const sdn_run *run, sdn_rows *r, sdn_err *err)
{
  if (open_library(opt, r, err)) return err->status;
  if (opt->model) return open_model(opt, run, r, err);
  const double machine = sdn_machine_bytes(), bytes = opt->memory_gb > 0 ? 1e9 * opt->memory_gb : machine > 0 ? machine / 2 : HUGE_VAL;
  const bool streamed = !opt->prior && (double)sdn_library_n(r->library) * (double)sdn_stream_window_bytes(r->n_free, r->n_band) > bytes;
  if (split(opt, streamed, r, err)) return err->status;
  return streamed ? open_stream(opt, bytes, r, err) : read_all(r, err);
}

sdn_status sdn_rows_open(const sdn_train_options *opt, const sdn_run *run, sdn_rows *r, sdn_err *err)
{
  *r = (sdn_rows){0};
  if (!open_rows(opt, run, r, err)) return SDN_OK;
  sdn_rows_close(r);
  *r = (sdn_rows){0};
  return err->status;
}

/* ------------------------------------------------------------------ rows as a trainer takes them */

/* Noise is named by (epoch, place) for training rows, by (realisation, place in the split's order) for the others. */
static sdn_status fill(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err)
{
  const sdn_rows *r = ctx;
  const bool train = range->split == SDN_SPLIT_TRAIN;
  const size_t d = (size_t)r->n_free, b = (size_t)r->n_band, n = (size_t)range->n;
  float *truth = sdn_arena_take(arena, n * b * 3, sizeof *truth, err);
  if (!truth) return err->status;
  for (size_t i = 0; i < n; i++) {
    if (train && r->stream) {
      sdn_stream_row(r->stream, range->row[i], z + i * d, truth + i * b);
      continue;
    }
    const size_t row = (size_t)r->order[r->first[range->split] + range->row[i]];
    memcpy(z + i * d, r->z + row * d, d * sizeof *z);
    memcpy(truth + i * b, r->flux + row * b, b * sizeof *truth);
  }
  const uint32_t stream = train ? SDN_STREAM_NOISE + (uint32_t)range->epoch : SDN_STREAM_VALIDATION + (uint32_t)range->epoch;
  const long row0 = train ? range->place : r->first[range->split] + range->row[0];
  float *flux = truth + n * b, *sigma = flux + n * b;
  if (sdn_survey_draw(r->survey, range->n, truth, train ? r->noise_seed : r->seed, stream, row0, flux, sigma, err)) return err->status;
  sdn_survey_features(r->survey, range->n, flux, sigma, x);
  return SDN_OK;
}

static sdn_status from_stream(void *ctx, long epoch, long place, long n, sdn_err *err)
{
  const sdn_rows *r = ctx;
  return sdn_stream_prepare(r->stream, epoch, place, n, err);
}

/* Generation g of galaxies serves epochs g n_reuse to (g + 1) n_reuse - 1; they are numbered through. A stop waits until all are there. */
static sdn_status from_model(void *ctx, long epoch, long place, long n, sdn_err *err)
{
  sdn_rows *r = ctx;
  (void)place, (void)n;
  const sdn_run quiet = {.n_thread = r->n_thread};
  const long generation = epoch / r->n_reuse, first = r->first[SDN_SPLIT_TRAIN], n_galaxy = r->n_split[SDN_SPLIT_TRAIN];
  if (generation == r->generation) return SDN_OK;
  r->generation = -1;
  if (sdn_library_draw(r->library, r->noise_seed, SDN_STREAM_ONLINE, generation * n_galaxy, n_galaxy, r->z + first * r->n_free, r->flux + first * r->n_band, &quiet, err))
    return err->status;
  r->generation = generation;
  return SDN_OK;
}

sdn_row_source sdn_rows_source(sdn_rows *r, uint64_t noise_seed)
{
  sdn_row_source source = {.ctx = r, .own_order = r->stream != NULL, .prepare = r->stream ? from_stream : r->n_reuse > 0 ? from_model : NULL, .fill = fill};
  r->noise_seed = noise_seed;
  r->generation = -1;
  if (r->stream) sdn_stream_begin(r->stream, noise_seed);
  memcpy(source.n, r->n_split, sizeof source.n);
  return source;
}

long sdn_member_seed(long seed, long member)
{
  return member == 0 ? seed : (long)(sdn_hash_bytes(&member, sizeof member, (uint64_t)seed) >> 11);   /* 53 bits: as a double keeps them */
}
