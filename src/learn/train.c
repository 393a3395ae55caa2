/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `sedna train`: a library's rows, split three ways by galaxy, through the survey's noise to the training loop; the best weights to a file. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "learn/checkpoint.h"
#include "learn/posterior.h"
#include "learn/spline.h"
#include "library/library_file.h"

#define LEAST_TRAIN 64
#define LEAST_HELD_OUT 16
#define FIELD(kind, field, initial, low, high, unit, help) {#field, kind, offsetof(sdn_train_options, field), initial, low, high, unit, help}

const sdn_knob sdn_train_knobs[] = {
  FIELD(SDN_KNOB_TEXT, library, NULL, 0, 0, "FILE", "simulated galaxies, from `sedna simulate`"),
  FIELD(SDN_KNOB_TEXT, output, NULL, 0, 0, "FILE", "posterior to write"),
  FIELD(SDN_KNOB_LONG, n_epoch, "60", 1, 1e6, "", "passes over the training rows; the learning-rate schedule spans exactly these"),
  FIELD(SDN_KNOB_DOUBLE, max_minutes, "0", 0, 1e6, "min", "if not 0: the schedule spans this time instead of n_epoch"),
  FIELD(SDN_KNOB_LONG, batch, "256", 16, 65536, "rows", "rows per step"),
  FIELD(SDN_KNOB_DOUBLE, learning_rate, "4e-3", 1e-7, 1, "", "largest learning rate; it rises over warm_up steps, then falls to zero as half a cosine"),
  FIELD(SDN_KNOB_DOUBLE, weight_decay, "1e-4", 0, 1, "", "decoupled weight decay per unit of learning rate"),
  FIELD(SDN_KNOB_DOUBLE, clip, "5", 0, 1e6, "", "largest norm of the gradient; 0: none"),
  FIELD(SDN_KNOB_LONG, warm_up, "200", 0, 1e6, "steps", "steps in which the learning rate rises"),
  FIELD(SDN_KNOB_DOUBLE, ema, "0.999", 0, 0.999999, "", "decay per step of the averaged weights, which are the ones kept"),
  FIELD(SDN_KNOB_TEXT, head, "spline", 0, 0, "KIND", "density of the parameters: spline | affine"),
  FIELD(SDN_KNOB_TEXT, encoder, "mlp", 0, 0, "KIND", "network that reads the data: mlp"),
  FIELD(SDN_KNOB_LONG, n_layer, "3", 1, SDN_MAX_LAYER, "", "autoregressive layers"),
  FIELD(SDN_KNOB_LONG, n_hidden, "64", 1, 4096, "", "hidden units of a layer: they run once per draw"),
  FIELD(SDN_KNOB_LONG, n_bin, "8", 2, SDN_SPLINE_MAX_BIN, "", "bins of each spline"),
  FIELD(SDN_KNOB_LONG, n_bin_first, "32", 2, SDN_SPLINE_MAX_BIN, "", "bins of the first parameter's splines (redshift)"),
  FIELD(SDN_KNOB_LONG, n_context, "64", 1, 4096, "", "numbers that the encoder hands to the layers"),
  FIELD(SDN_KNOB_LONG, n_encoder, "256", 1, 8192, "", "hidden units of the encoder: they run once per galaxy"),
  FIELD(SDN_KNOB_LONG, n_depth, "3", 0, SDN_MAX_DEPTH, "", "hidden layers of the encoder after its first"),
  FIELD(SDN_KNOB_DOUBLE, validation_fraction, "0.05", 0, 0.5, "", "galaxies held out to choose the best weights"),
  FIELD(SDN_KNOB_DOUBLE, test_fraction, "0.05", 0, 0.5, "", "galaxies held out for the final score"),
  FIELD(SDN_KNOB_LONG, patience, "0", 0, 1e6, "", "validations without gain before stopping; 0: never"),
  FIELD(SDN_KNOB_LONG, seed, "1", 0, 9007199254740992.0, "", "names every random number of the training"),
  FIELD(SDN_KNOB_FLAG, resume, "false", 0, 0, "", "go on from OUTPUT.checkpoint if there is one"),
};
const size_t sdn_n_train_knob = sizeof sdn_train_knobs / sizeof *sdn_train_knobs;

/* The library in memory, and which of its rows are for what. */
typedef struct rows {
  sdn_library *library;
  sdn_survey *survey;
  int n_free, n_band;
  float *z, *flux;              /* [n][n_free], [n][n_band] */
  long *order;                  /* a permutation of the rows: test, validation, then training rows */
  long first[SDN_N_SPLIT];      /* where in it each split begins */
  uint64_t seed;
} rows;

static void rows_free(rows *r)
{
  sdn_library_close(r->library);
  sdn_survey_free(r->survey);
  sdn_release(r->z);
  sdn_release(r->flux);
  sdn_release(r->order);
}

static sdn_status rows_read(const char *path, rows *r, sdn_err *err)
{
  if (sdn_library_open(path, &r->library, err)) return err->status;
  const long n = sdn_library_n(r->library);
  r->n_free = sdn_library_n_free(r->library);
  r->n_band = sdn_library_n_band(r->library);
  if (sdn_survey_parse(sdn_library_survey_yaml(r->library), path, &r->survey, err)) return err->status;
  if (r->n_band != sdn_survey_n_band(r->survey))
    return sdn_fail(err, SDN_FORMAT, "%s has fluxes in %d bands but its survey has %d; simulate again", path, r->n_band, sdn_survey_n_band(r->survey));
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

static sdn_status split_rows(rows *r, const sdn_train_options *opt, long n_split[SDN_N_SPLIT], sdn_err *err)
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
  n_split[SDN_SPLIT_TRAIN] = n_train;
  n_split[SDN_SPLIT_VALIDATION] = n_validation;
  n_split[SDN_SPLIT_TEST] = n_test;
  return SDN_OK;
}

/* Noise is named by (epoch, place) for training rows, by the place in the split's order for the others. */
static sdn_status fill(void *ctx, const sdn_row_range *range, float *x, float *z, sdn_arena *arena, sdn_err *err)
{
  const rows *r = ctx;
  const bool train = range->split == SDN_SPLIT_TRAIN;
  const size_t d = (size_t)r->n_free, b = (size_t)r->n_band, n = (size_t)range->n;
  float *truth = sdn_arena_take(arena, n * b * 3, sizeof *truth, err);
  if (!truth) return err->status;
  for (size_t i = 0; i < n; i++) {
    const size_t row = (size_t)r->order[r->first[range->split] + range->row[i]];
    memcpy(z + i * d, r->z + row * d, d * sizeof *z);
    memcpy(truth + i * b, r->flux + row * b, b * sizeof *truth);
  }
  const uint32_t stream = train ? SDN_STREAM_NOISE + (uint32_t)range->epoch : SDN_STREAM_VALIDATION;
  const long row0 = train ? range->place : r->first[range->split] + range->row[0];
  float *flux = truth + n * b, *sigma = flux + n * b;
  if (sdn_survey_draw(r->survey, range->n, truth, r->seed, stream, row0, flux, sigma, err)) return err->status;
  sdn_survey_features(r->survey, range->n, flux, sigma, x);
  return SDN_OK;
}

sdn_status sdn_train_plan_of(const sdn_train_options *o, int n_free, int n_token, int n_feature, sdn_train_plan *plan, sdn_err *err)
{
  *plan = (sdn_train_plan){
    .arch = {.n_free = n_free, .n_token = n_token, .n_feature = n_feature, .n_encoder = (int)o->n_encoder, .n_depth = (int)o->n_depth,
             .n_context = (int)o->n_context, .n_layer = (int)o->n_layer, .n_hidden = (int)o->n_hidden, .n_bin = (int)o->n_bin,
             .n_bin_first = (int)o->n_bin_first},
    .n_epoch = o->n_epoch, .max_minutes = o->max_minutes, .batch = o->batch, .warm_up = o->warm_up, .patience = o->patience, .seed = o->seed,
    .learning_rate = o->learning_rate, .weight_decay = o->weight_decay, .clip = o->clip, .ema = o->ema};
  return sdn_head_find(o->head, &plan->arch.head, err) ? err->status : sdn_encoder_find(o->encoder, &plan->arch.encoder, err);
}

/* Everything that decides what a training does, as lines; freed by sdn_release. */
static char *describe(const sdn_train_options *o, const rows *r, sdn_err *err)
{
  char text[2048];
  const long n = sdn_library_n(r->library);
  const char *model = sdn_library_model_yaml(r->library), *survey = sdn_library_survey_yaml(r->library), *physics = sdn_library_physics_hash(r->library);
  uint64_t hash = sdn_hash_bytes(model, strlen(model), 0);
  hash = sdn_hash_bytes(survey, strlen(survey), hash);
  hash = sdn_hash_bytes(physics, strlen(physics), hash);
  hash = sdn_hash_bytes(r->z, (size_t)(n * r->n_free) * sizeof *r->z, hash);
  hash = sdn_hash_bytes(r->flux, (size_t)(n * r->n_band) * sizeof *r->flux, hash);
  int at = snprintf(text, sizeof text, "library_hash=%016" PRIx64 "\nversion=%s\nhead=%s\nencoder=%s\n", hash, SDN_VERSION, o->head, o->encoder);
  for (size_t i = 0; i < sdn_n_train_knob; i++) {
    const sdn_knob *k = &sdn_train_knobs[i];
    const void *field = (const char *)o + k->offset;
    const size_t room = sizeof text - (size_t)at;
    if (k->kind == SDN_KNOB_LONG) at += snprintf(text + at, room, "%s=%ld\n", k->name, *(const long *)field);
    if (k->kind == SDN_KNOB_DOUBLE) at += snprintf(text + at, room, "%s=%.17g\n", k->name, *(const double *)field);
  }
  return sdn_copy_text(text, err);
}

typedef struct saving { const char *path, *config; } saving;

static sdn_status save(void *ctx, const sdn_trainer *t, sdn_err *err)
{
  const saving *s = ctx;
  return sdn_checkpoint_write(s->path, s->config, t, err);
}

static sdn_status summarise(sdn_trainer *t, sdn_train_summary *s, sdn_err *err)
{
  *s = (sdn_train_summary){.n_train = t->source.n[SDN_SPLIT_TRAIN], .n_validation = t->source.n[SDN_SPLIT_VALIDATION], .n_test = t->source.n[SDN_SPLIT_TEST],
                           .n_step = t->state.step, .n_epoch_done = t->state.epoch, .best_validation_ln_q = t->state.best_gain, .seconds = t->state.seconds};
  s->n_weight = sdn_network_n_weight(t->net);
  if (s->seconds > 0) s->rows_per_second = (double)(s->n_step * t->plan.batch) / s->seconds;
  return sdn_trainer_gain(t, t->state.best, SDN_SPLIT_TEST, &s->test_ln_q, &s->test_ln_q_error, err);
}

static sdn_status write_result(const sdn_train_options *opt, const rows *r, const sdn_trainer *t, const sdn_run *run, const sdn_train_summary *summary,
                               sdn_err *err)
{
  const char *name[SDN_MAX_FREE], *unit[SDN_MAX_FREE];
  for (int i = 0; i < r->n_free; i++) {
    name[i] = sdn_library_free_name(r->library, i);
    unit[i] = sdn_library_free_unit(r->library, i);
  }
  const sdn_posterior_origin origin = {.command = run ? run->command : NULL, .model_yaml = sdn_library_model_yaml(r->library),
                                       .survey_yaml = sdn_library_survey_yaml(r->library), .physics_hash = sdn_library_physics_hash(r->library),
                                       .n_free = r->n_free, .free_name = name, .free_unit = unit, .options = opt, .summary = summary};
  return sdn_posterior_write(opt->output, t, &origin, err);
}

static sdn_status train_rows(const sdn_train_options *opt, rows *r, const char *checkpoint, const sdn_run *run, sdn_train_summary *summary, sdn_err *err)
{
  sdn_trainer *t = NULL;
  sdn_row_source source = {.ctx = r, .fill = fill};
  if (split_rows(r, opt, source.n, err)) return err->status;
  sdn_train_plan plan;
  if (sdn_train_plan_of(opt, r->n_free, r->n_band, sdn_survey_n_feature(r->survey), &plan, err)) return err->status;
  char *config = describe(opt, r, err);
  if (!config) return err->status;
  saving where = {.path = checkpoint, .config = config};
  sdn_status status = sdn_trainer_new(&plan, &source, run, &t, err);
  if (status) goto done;
  t->save = save;
  t->save_ctx = &where;
  if (opt->resume && sdn_file_exists(checkpoint) && (status = sdn_checkpoint_read(checkpoint, config, t, err))) goto done;
  if ((status = sdn_trainer_run(t, err)) == SDN_INTERRUPTED) sdn_fail_in(err, "--resume goes on from %s", checkpoint);
  if (!status) status = summarise(t, summary, err);
  if (!status) status = write_result(opt, r, t, run, summary, err);
  if (!status) remove(checkpoint);
done:
  sdn_trainer_free(t);
  sdn_release(config);
  return status;
}

sdn_status sdn_train(const sdn_train_options *opt, const sdn_run *run, sdn_train_summary *summary, sdn_err *err)
{
  rows r = {0};
  char checkpoint[4096];
  sdn_train_summary ignored;
  if (!opt->library || !opt->output) return sdn_fail(err, SDN_USAGE, "training needs a library to learn from and an output to write");
  if (snprintf(checkpoint, sizeof checkpoint, "%s.checkpoint", opt->output) >= (int)sizeof checkpoint)
    return sdn_fail(err, SDN_USAGE, "the output's name is longer than %zu characters", sizeof checkpoint);
  if (sdn_check_output(opt->output, 1, &opt->library, err) || sdn_check_output(checkpoint, 1, &opt->library, err)) return err->status;
  if (sdn_check_writable(opt->output, err)) return err->status;
  if (!opt->resume && sdn_file_exists(checkpoint))
    return sdn_fail(err, SDN_USAGE, "%s holds a training that was stopped, and would be replaced; --resume goes on from it, or remove it", checkpoint);
  sdn_status status = rows_read(opt->library, &r, err);
  if (!status && r.n_free > SDN_MAX_FREE)
    status = sdn_fail(err, SDN_RANGE, "%s has %d free parameters; at most %d are possible", opt->library, r.n_free, SDN_MAX_FREE);
  if (!status) status = train_rows(opt, &r, checkpoint, run, summary ? summary : &ignored, err);
  rows_free(&r);
  return status;
}
