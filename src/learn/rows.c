/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/rows.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "library/data_file.h"
#include "library/library_file.h"

#define LEAST_TRAIN 64
#define LEAST_HELD_OUT 16

void sdn_rows_close(sdn_rows *r)
{
  sdn_library_close(r->library);
  sdn_survey_free(r->survey);
  sdn_release(r->z);
  sdn_release(r->flux);
  sdn_release(r->order);
}

static sdn_status read_library(const sdn_train_options *opt, sdn_rows *r, sdn_err *err)
{
  const char *path = opt->library;
  const sdn_data_names names = {.theta = opt->theta, .x = opt->x, .sigma = opt->sigma};
  if (opt->prior ? sdn_data_open(path, opt->prior, opt->survey, &names, &r->library, err) : sdn_library_open(path, &r->library, err)) return err->status;
  const long n = sdn_library_n(r->library);
  r->n_free = sdn_library_n_free(r->library);
  r->n_band = sdn_library_n_band(r->library);
  if (r->n_free > SDN_MAX_FREE)
    return sdn_fail(err, SDN_RANGE, "%s has %d free parameters; at most %d are possible", path, r->n_free, SDN_MAX_FREE);
  if (sdn_survey_parse(sdn_library_survey_yaml(r->library), path, &r->survey, err)) return err->status;
  if (r->n_band != sdn_survey_n_band(r->survey))
    return sdn_fail(err, SDN_FORMAT, "%s has fluxes in %d bands but its survey has %d; simulate again", path, r->n_band, sdn_survey_n_band(r->survey));
  r->n_feature = sdn_survey_n_feature(r->survey);
  if (!(r->z = sdn_alloc((size_t)n * (size_t)r->n_free, sizeof *r->z, "a library's parameters", err)) ||
      !(r->flux = sdn_alloc((size_t)n * (size_t)r->n_band, sizeof *r->flux, "a library's fluxes", err)) ||
      !(r->order = sdn_alloc((size_t)n, sizeof *r->order, "a library's order", err)))
    return err->status;
  return sdn_library_rows(r->library, 0, n, r->z, r->flux, err);
}

static long held_out(double fraction, long n)
{
  const long wanted = lround(fraction * (double)n);
  return wanted > LEAST_HELD_OUT ? wanted : LEAST_HELD_OUT;
}

static sdn_status split(const sdn_train_options *opt, sdn_rows *r, sdn_err *err)
{
  const long n = sdn_library_n(r->library), n_test = held_out(opt->test_fraction, n), n_validation = held_out(opt->validation_fraction, n);
  const long n_train = n - n_test - n_validation;
  if (n_train < LEAST_TRAIN)
    return sdn_fail(err, SDN_USAGE, "%s has %ld galaxies, of which %ld would be left to train on; at least %d are needed: simulate more", opt->library, n,
                    n_train > 0 ? n_train : 0L, LEAST_TRAIN);
  r->seed = (uint64_t)opt->seed;
  sdn_random_permutation(r->seed, SDN_STREAM_SPLIT, n, r->order);
  r->first[SDN_SPLIT_VALIDATION] = n_test;
  r->first[SDN_SPLIT_TRAIN] = n_test + n_validation;
  r->n_split[SDN_SPLIT_TRAIN] = n_train;
  r->n_split[SDN_SPLIT_VALIDATION] = n_validation;
  r->n_split[SDN_SPLIT_TEST] = n_test;
  return SDN_OK;
}

static uint64_t hash_of(const sdn_rows *r)
{
  const size_t n = (size_t)sdn_library_n(r->library);
  const char *text[] = {sdn_library_model_yaml(r->library), sdn_library_survey_yaml(r->library), sdn_library_physics_hash(r->library)};
  uint64_t hash = 0;
  for (size_t i = 0; i < sizeof text / sizeof *text; i++) hash = sdn_hash_bytes(text[i], strlen(text[i]), hash);
  hash = sdn_hash_bytes(r->z, n * (size_t)r->n_free * sizeof *r->z, hash);
  return sdn_hash_bytes(r->flux, n * (size_t)r->n_band * sizeof *r->flux, hash);
}

sdn_status sdn_rows_open(const sdn_train_options *opt, sdn_rows *r, sdn_err *err)
{
  *r = (sdn_rows){0};
  if (read_library(opt, r, err) || split(opt, r, err)) {
    sdn_rows_close(r);
    *r = (sdn_rows){0};
    return err->status;
  }
  r->hash = hash_of(r);
  return SDN_OK;
}

/* Noise is named by (epoch, place) for training rows, by (realisation, place in the split's order) for the others. */
static sdn_status fill(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err)
{
  const sdn_rows *r = ctx;
  const bool train = range->split == SDN_SPLIT_TRAIN;
  const size_t d = (size_t)r->n_free, b = (size_t)r->n_band, n = (size_t)range->n;
  float *truth = sdn_arena_take(arena, n * b * 3, sizeof *truth, err);
  if (!truth) return err->status;
  for (size_t i = 0; i < n; i++) {
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

sdn_row_source sdn_rows_source(sdn_rows *r, uint64_t noise_seed)
{
  sdn_row_source source = {.ctx = r, .fill = fill};
  r->noise_seed = noise_seed;
  memcpy(source.n, r->n_split, sizeof source.n);
  return source;
}

long sdn_member_seed(long seed, long member)
{
  return member == 0 ? seed : (long)(sdn_hash_bytes(&member, sizeof member, (uint64_t)seed) >> 11);   /* 53 bits: as a double keeps them */
}
