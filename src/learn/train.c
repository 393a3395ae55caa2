/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `sedna train`: a library's or a model's rows to the training loop, the best weights to a file; several networks to an ensemble. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "learn/checkpoint.h"
#include "learn/ensemble.h"
#include "learn/rows.h"
#include "learn/spline.h"
#include "learn/train.h"
#include "learn/update.h"
#include "learn/warm_start.h"
#include "library/library_file.h"
#include "survey/survey.h"

#define FIELD(kind, field, initial, low, high, unit, help) {#field, kind, offsetof(sdn_train_options, field), initial, low, high, unit, help}

const sdn_knob sdn_train_knobs[] = {
  FIELD(SDN_KNOB_TEXT, library, NULL, 0, 0, "FILE", "simulated galaxies, from `sedna simulate`"),
  FIELD(SDN_KNOB_TEXT, output, NULL, 0, 0, "FILE", "posterior to write"),
  FIELD(SDN_KNOB_TEXT, prior, NULL, 0, 0, "FILE", "the library is of any simulator, with datasets theta, x and perhaps sigma; this is the prior of theta"),
  FIELD(SDN_KNOB_TEXT, model, NULL, 0, 0, "FILE", "in place of a library: simulate from this model (a model.yaml, or a shipped one) and the survey as training goes on"),
  FIELD(SDN_KNOB_TEXT, survey, NULL, 0, 0, "FILE", "of a model: the bands; of any simulator's library: noise, floor and missing data of x; without it read off the data"),
  FIELD(SDN_KNOB_LONG, n_online, "200000", 64, 1e9, "galaxies", "of a model: galaxies of an epoch"),
  FIELD(SDN_KNOB_LONG, n_reuse, "4", 1, 1e6, "epochs", "of a model: epochs in which galaxies are used, each time with other noise, before others replace them"),
  FIELD(SDN_KNOB_TEXT, theta, "theta", 0, 0, "NAME", "dataset of parameters"),
  FIELD(SDN_KNOB_TEXT, x, "x", 0, 0, "NAME", "dataset of data"),
  FIELD(SDN_KNOB_TEXT, sigma, "sigma", 0, 0, "NAME", "dataset of errors, where noise is still to be added; none: leave it alone"),
  FIELD(SDN_KNOB_LONG, n_epoch, "60", 1, 1e6, "", "passes over the training rows; the learning-rate schedule spans exactly these"),
  FIELD(SDN_KNOB_DOUBLE, max_minutes, "0", 0, 1e6, "min", "if not 0: the schedule spans this time instead of n_epoch"),
  FIELD(SDN_KNOB_LONG, batch, "256", 16, 65536, "rows", "rows per step"),
  FIELD(SDN_KNOB_TEXT, optimiser, "muon", 0, 0, "KIND", "how matrices move: muon | adamw; all else moves by AdamW"),
  FIELD(SDN_KNOB_DOUBLE, learning_rate, "4e-3", 1e-7, 1, "", "largest learning rate; it rises over warm_up steps, then falls to zero as a straight line"),
  FIELD(SDN_KNOB_DOUBLE, weight_decay, "1e-4", 0, 1, "", "decoupled weight decay per unit of learning rate"),
  FIELD(SDN_KNOB_DOUBLE, clip, "5", 0, 1e6, "", "largest norm of the gradient; 0: none"),
  FIELD(SDN_KNOB_LONG, warm_up, "200", 0, 1e6, "steps", "steps in which the learning rate rises"),
  FIELD(SDN_KNOB_DOUBLE, ema, "0.999", 0, 0.999999, "", "decay per step of the averaged weights, which are the ones kept"),
  FIELD(SDN_KNOB_TEXT, head, "spline", 0, 0, "KIND", "density of the parameters: spline | affine | mixture | coupling; of an ensemble: a list, separated by commas, whose members take turns"),
  FIELD(SDN_KNOB_TEXT, encoder, "mlp", 0, 0, "KIND", "network that reads the data: mlp | set (sum over bands, or over exchangeable points) | convolution (along a spectrum's pixels)"),
  FIELD(SDN_KNOB_LONG, n_layer, "3", 1, SDN_MAX_LAYER, "", "autoregressive layers"),
  FIELD(SDN_KNOB_LONG, n_hidden, "64", 1, 4096, "", "hidden units of a layer: they run once per draw"),
  FIELD(SDN_KNOB_LONG, n_bin, "8", 2, SDN_SPLINE_MAX_BIN, "", "bins of each spline"),
  FIELD(SDN_KNOB_LONG, n_bin_first, "32", 2, SDN_SPLINE_MAX_BIN, "", "bins of the first parameter's splines (redshift)"),
  FIELD(SDN_KNOB_LONG, n_component, "10", 1, 64, "", "Gaussians of a mixture"),
  FIELD(SDN_KNOB_LONG, n_context, "64", 1, 4096, "", "numbers that the encoder hands to the layers"),
  FIELD(SDN_KNOB_LONG, n_encoder, "128", 1, 8192, "", "hidden units of the encoder: they run once per galaxy"),
  FIELD(SDN_KNOB_LONG, n_depth, "4", 0, SDN_MAX_DEPTH, "", "hidden layers of the encoder after its first"),
  FIELD(SDN_KNOB_LONG, n_token_hidden, "32", 1, 1024, "", "encoder set: units of each band; convolution: channels"),
  FIELD(SDN_KNOB_LONG, n_token_depth, "3", 0, SDN_MAX_DEPTH, "", "encoder set: layers that mix the bands; convolution: layers, each halving the number of places"),
  FIELD(SDN_KNOB_LONG, exchangeable, "0", 0, 4096, "", "encoder set: the data are points of so many numbers each, whose order means nothing; 0: they are bands"),
  FIELD(SDN_KNOB_LONG, n_member, "1", 1, SDN_MAX_MEMBER, "", "networks to train one after the other, for a posterior that is their mixture"),
  FIELD(SDN_KNOB_LONG, member, "0", 0, 1e6, "", "number of this network in an ensemble whose members are trained apart (`sedna ensemble` joins them)"),
  FIELD(SDN_KNOB_DOUBLE, validation_fraction, "0.05", 0, 0.5, "", "galaxies held out to choose the best weights"),
  FIELD(SDN_KNOB_DOUBLE, test_fraction, "0.05", 0, 0.5, "", "galaxies held out for the final score"),
  FIELD(SDN_KNOB_DOUBLE, memory_gb, "0", 0, 1e9, "GB", "memory for the library's rows; a larger library is streamed from its file; 0: half of the machine's"),
  FIELD(SDN_KNOB_LONG, n_validation_noise, "2", 1, 1000, "", "noise realisations of each held-out galaxy when the best weights are chosen"),
  FIELD(SDN_KNOB_LONG, patience, "0", 0, 1e6, "",
        "if not 0: the learning rate stays high until this many validations have brought no significant gain, then falls to zero and training ends"),
  FIELD(SDN_KNOB_LONG, seed, "1", 0, 9007199254740992.0, "", "names every random number of the training"),
  FIELD(SDN_KNOB_TEXT, from, NULL, 0, 0, "FILE", "begin with the weights of this posterior (its kinds and sizes of networks count, not those given here)"),
  FIELD(SDN_KNOB_FLAG, resume, "false", 0, 0, "", "go on from OUTPUT.checkpoint if there is one"),
};
const size_t sdn_n_train_knob = sizeof sdn_train_knobs / sizeof *sdn_train_knobs;

/* The name in a list that member k gets. */
static sdn_status head_of(const char *list, long k, int *kind, sdn_err *err)
{
  char name[64];
  long n = 1;
  for (const char *c = list; *c; c++) n += *c == ',';
  for (long i = k % n; i > 0; i--) list = strchr(list, ',') + 1;
  snprintf(name, sizeof name, "%.*s", (int)strcspn(list, ","), list);
  return sdn_head_find(name, kind, err);
}

sdn_status sdn_train_plan_of(const sdn_train_options *o, int n_free, int n_token, int n_feature, sdn_train_plan *plan, sdn_err *err)
{
  *plan = (sdn_train_plan){
    .arch = {.n_free = n_free, .n_token = n_token, .n_feature = n_feature, .n_encoder = (int)o->n_encoder, .n_depth = (int)o->n_depth,
             .n_context = (int)o->n_context, .n_layer = (int)o->n_layer, .n_hidden = (int)o->n_hidden, .n_bin = (int)o->n_bin,
             .n_bin_first = (int)o->n_bin_first, .n_component = (int)o->n_component, .n_token_hidden = (int)o->n_token_hidden,
             .n_token_depth = (int)o->n_token_depth, .exchangeable = (int)o->exchangeable},
    .n_epoch = o->n_epoch, .max_minutes = o->max_minutes, .batch = o->batch, .warm_up = o->warm_up, .patience = o->patience,
    .n_validation_noise = o->n_validation_noise,
    .seed = sdn_member_seed(o->seed, o->member),
    .learning_rate = o->learning_rate, .weight_decay = o->weight_decay, .clip = o->clip, .ema = o->ema};
  if (head_of(o->head, o->member, &plan->arch.head, err) || sdn_encoder_find(o->encoder, &plan->arch.encoder, err)) return err->status;
  return sdn_optimiser_find(o->optimiser, &plan->optimiser, err);
}

/* Everything that decides what a training does, as lines; freed by sdn_release. */
static char *describe(const sdn_train_options *o, const sdn_rows *r, sdn_err *err)
{
  char text[4096], from[24] = "nothing";
  if (o->from && sdn_posterior_sum(o->from, from, err)) return NULL;
  int at = snprintf(text, sizeof text, "from=%s\nlibrary_hash=%016" PRIx64 "\nwindow=%ld\nversion=%s\nhead=%s\nencoder=%s\noptimiser=%s\n", from, r->hash, r->n_window,
                    SDN_VERSION, o->head, o->encoder, o->optimiser);
  for (size_t i = 0; i < sdn_n_train_knob; i++) {
    const sdn_knob *k = &sdn_train_knobs[i];
    const void *field = (const char *)o + k->offset;
    const size_t room = sizeof text - (size_t)at;
    if (k->offset == offsetof(sdn_train_options, n_member)) continue;    /* a member does not know how many there are */
    if (k->offset == offsetof(sdn_train_options, memory_gb)) continue;   /* what it comes to is the window */
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

static sdn_status write_result(const sdn_train_options *opt, const sdn_rows *r, const sdn_trainer *t, const char *config, const sdn_run *run,
                               const sdn_train_summary *summary, sdn_err *err)
{
  const char *name[SDN_MAX_FREE], *unit[SDN_MAX_FREE];
  for (int i = 0; i < r->n_free; i++) {
    name[i] = sdn_library_free_name(r->library, i);
    unit[i] = sdn_library_free_unit(r->library, i);
  }
  const sdn_posterior_origin origin = {.command = run ? run->command : NULL, .model_yaml = sdn_library_model_yaml(r->library),
                                       .survey_yaml = sdn_library_survey_yaml(r->library), .physics_hash = sdn_library_physics_hash(r->library),
                                       .n_free = r->n_free, .free_name = name, .free_unit = unit, .config = config, .options = opt, .summary = summary};
  return sdn_posterior_write(opt->output, t, &origin, err);
}

static sdn_status checkpoint_name(const char *output, char name[SDN_MAX_PATH], sdn_err *err)
{
  if (snprintf(name, SDN_MAX_PATH, "%s.checkpoint", output) < SDN_MAX_PATH) return SDN_OK;
  return sdn_fail(err, SDN_USAGE, "the output's name is longer than %d characters", SDN_MAX_PATH);
}

/* What encoders want to know of the data beside their number. */
static void describe_data(const sdn_survey *s, sdn_arch *arch)
{
  arch->n_present = 1 + sdn_survey_present_feature(s);
  if (s->n_spectrum == 0) return;
  arch->first_pixel = s->spectrum[0].first;
  for (int i = 0; i < s->n_spectrum; i++) arch->n_pixel += s->spectrum[i].n;
}

sdn_status sdn_train_network(const sdn_train_options *opt, sdn_rows *r, const sdn_run *run, sdn_train_summary *summary, sdn_err *err)
{
  sdn_trainer *t = NULL;
  sdn_train_plan plan;
  char checkpoint[SDN_MAX_PATH];
  const bool keeps = opt->output != NULL;
  if ((keeps && checkpoint_name(opt->output, checkpoint, err)) || sdn_train_plan_of(opt, r->n_free, r->n_band, r->n_feature, &plan, err)) return err->status;
  describe_data(r->survey, &plan.arch);
  const sdn_row_source source = sdn_rows_source(r, (uint64_t)plan.seed);
  sdn_posterior *before = NULL;
  char *config = describe(opt, r, err);
  if (!config) return err->status;
  saving where = {.path = checkpoint, .config = config};
  sdn_status status = opt->from ? sdn_warm_open(opt->from, opt->member, r, &before, &plan.arch, err) : SDN_OK;
  if (status || (status = sdn_trainer_new(&plan, &source, run, &t, err))) goto done;
  if (before) sdn_warm_start(before, opt->member, r, t);
  if (keeps) {
    t->save = save;
    t->save_ctx = &where;
  }
  if (keeps && opt->resume && sdn_file_exists(checkpoint) && (status = sdn_checkpoint_read(checkpoint, config, t, err))) goto done;
  if ((status = sdn_trainer_run(t, err)) == SDN_INTERRUPTED && keeps) sdn_fail_in(err, "--resume goes on from %s", checkpoint);
  if (!status) status = summarise(t, summary, err);
  if (!status && keeps) status = write_result(opt, r, t, config, run, summary, err);
  if (!status && keeps) remove(checkpoint);
done:
  sdn_trainer_free(t);
  sdn_posterior_free(before);
  sdn_release(config);
  return status;
}

/* May `output` and its checkpoint be written? */
static sdn_status check_outputs(const sdn_train_options *opt, sdn_err *err)
{
  char checkpoint[SDN_MAX_PATH];
  if (checkpoint_name(opt->output, checkpoint, err)) return err->status;
  const char *const inputs[] = {opt->library, opt->model, opt->survey, opt->prior, opt->from};
  const size_t n = sizeof inputs / sizeof *inputs;
  if (sdn_check_output(opt->output, n, inputs, err) || sdn_check_output(checkpoint, n, inputs, err)) return err->status;
  if (sdn_check_writable(opt->output, err)) return err->status;
  if (!opt->resume && sdn_file_exists(checkpoint))
    return sdn_fail(err, SDN_USAGE, "%s holds a training that was stopped, and would be replaced; --resume goes on from it, or remove it", checkpoint);
  return SDN_OK;
}

/* -- ensembles: OUTPUT.member0, OUTPUT.member1 ... are whole posteriors until all are there and their mixture is written -- */

typedef struct member_file { char path[SDN_MAX_PATH]; } member_file;

static sdn_status name_members(const sdn_train_options *opt, member_file *file, sdn_err *err)
{
  int kind;
  for (long k = 0; k < opt->n_member; k++)
    if (head_of(opt->head, opt->member + k, &kind, err)) return err->status;   /* now, not hours later */
  for (long k = 0; k < opt->n_member; k++)
    if (snprintf(file[k].path, sizeof file[k].path, "%s.member%ld", opt->output, k) >= (int)sizeof file[k].path - 32)
      return sdn_fail(err, SDN_USAGE, "the output's name is longer than %d characters", SDN_MAX_PATH - 48);
  for (long k = 0; !opt->resume && k < opt->n_member; k++)
    if (sdn_file_exists(file[k].path))
      return sdn_fail(err, SDN_USAGE, "%s is of an ensemble whose training was stopped, and would be replaced; --resume goes on, or remove it", file[k].path);
  return SDN_OK;
}

/* Is the finished member of a stopped training the one that is asked for? */
static sdn_status accept_member(const sdn_train_options *opt, const sdn_rows *r, sdn_err *err)
{
  char *have = NULL, *want = describe(opt, r, err);
  sdn_status status = want ? sdn_posterior_config(opt->output, &have, err) : err->status;
  if (!status) status = sdn_compare_config(opt->output, have, want, err);
  sdn_release(have);
  sdn_release(want);
  return status;
}

static sdn_status train_members(const sdn_train_options *opt, sdn_rows *r, const member_file *file, const sdn_run *run, sdn_train_summary *summary, sdn_err *err)
{
  sdn_train_summary one;
  *summary = (sdn_train_summary){0};
  for (long k = 0; k < opt->n_member; k++) {
    sdn_train_options own = *opt;
    own.member = opt->member + k;
    own.output = file[k].path;
    if (opt->resume && sdn_file_exists(own.output)) {
      if (accept_member(&own, r, err)) return err->status;
      continue;
    }
    if (check_outputs(&own, err) || sdn_train_network(&own, r, run, &one, err)) return err->status;
    summary->n_step += one.n_step;
    summary->n_epoch_done += one.n_epoch_done;
    summary->n_weight += one.n_weight;
    summary->seconds += one.seconds;
    summary->rows_per_second = one.rows_per_second;
  }
  return SDN_OK;
}

static sdn_status train_ensemble(const sdn_train_options *opt, sdn_rows *r, const sdn_run *run, sdn_train_summary *summary, sdn_err *err)
{
  const char *path[SDN_MAX_MEMBER];
  member_file *file = sdn_alloc((size_t)opt->n_member, sizeof *file, "names of members", err);
  sdn_status status = file ? name_members(opt, file, err) : err->status;
  if (!status) status = train_members(opt, r, file, run, summary, err);
  for (long k = 0; !status && k < opt->n_member; k++) path[k] = file[k].path;
  if (!status) status = sdn_ensemble_join((int)opt->n_member, path, r, opt->output, run, summary, err);
  for (long k = 0; !status && k < opt->n_member; k++) remove(file[k].path);
  sdn_release(file);
  return status;
}

static sdn_status check_sources(const sdn_train_options *opt, sdn_err *err)
{
  if ((!opt->library && !opt->model) || !opt->output)
    return sdn_fail(err, SDN_USAGE, "training needs a library to learn from, or a model and a survey to simulate, and an output to write");
  if (opt->model && !opt->survey) return sdn_fail(err, SDN_USAGE, "to train on the model %s without a library, the option survey must say which bands there are", opt->model);
  if (opt->model && (opt->library || opt->prior))
    return sdn_fail(err, SDN_USAGE, "with the option model galaxies are simulated as training goes on: a %s has no place beside it", opt->library ? "library" : "prior");
  return SDN_OK;
}

sdn_status sdn_train(const sdn_train_options *opt, const sdn_run *run, sdn_train_summary *summary, sdn_err *err)
{
  sdn_rows r;
  sdn_train_summary ignored;
  if (!summary) summary = &ignored;
  if (check_sources(opt, err) || check_outputs(opt, err) || sdn_rows_open(opt, run, &r, err)) return err->status;
  const sdn_status status = opt->n_member > 1 ? train_ensemble(opt, &r, run, summary, err) : sdn_train_network(opt, &r, run, summary, err);
  summary->n_window = r.n_window;
  sdn_rows_close(&r);
  return status;
}
