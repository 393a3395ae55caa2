/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `sedna tune`: random search with successive halving over the options of training. Each training is a whole one, its schedule falling to zero at the end of
 * its rung's budget: nets whose rate has not come down cannot be compared. All have the same split, noise and seed, so that they differ by their options alone. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/file.h"
#include "base/parallel.h"
#include "learn/study.h"
#include "learn/train.h"

#define LOOK_AGAIN_MS 500          /* while others decide what comes next */
#define BEATS 6                    /* signs of life within abandon_seconds */
#define FIELD(kind, field, initial, low, high, unit, help) {#field, kind, offsetof(sdn_tune_options, field), initial, low, high, unit, help}

const sdn_knob sdn_tune_knobs[] = {
  FIELD(SDN_KNOB_TEXT, library, NULL, 0, 0, "FILE", "simulated galaxies, from `sedna simulate`"),
  FIELD(SDN_KNOB_TEXT, output, NULL, 0, 0, "FILE", "posterior of the best trial, trained when all trials have ended; default: none"),
  FIELD(SDN_KNOB_TEXT, study, NULL, 0, 0, "FILE", "database of the trials, made or gone on with; default: LIBRARY.study"),
  FIELD(SDN_KNOB_TEXT, html, NULL, 0, 0, "FILE", "page of pictures; default: none"),
  FIELD(SDN_KNOB_TEXT, search, NULL, 0, 0, "LIST", "\"name=values ...\" in place of, or beside, the built-in ones: a,b,c (one of these), low:high (between), or one fixed value"),
  FIELD(SDN_KNOB_LONG, n_trial, "27", 1, 100000, "", "trials; the first has train's own defaults"),
  FIELD(SDN_KNOB_LONG, min_epoch, "6", 1, 1e6, "", "passes over the training rows that every trial has, at least; the best third goes on with three times as many, and so on"),
  FIELD(SDN_KNOB_LONG, max_epoch, "60", 1, 1e6, "", "passes of the last ones"),
  FIELD(SDN_KNOB_DOUBLE, trial_minutes, "0", 0, 1e6, "min", "if not 0: this time takes the place of max_epoch, and the shorter budgets keep their proportion to it"),
  FIELD(SDN_KNOB_DOUBLE, max_minutes, "0", 0, 1e6, "min", "if not 0: this process begins no training after this time; run again to go on"),
  FIELD(SDN_KNOB_DOUBLE, abandon_seconds, "300", 1, 1e6, "s", "a training whose process gave no sign of life for so long is begun anew by another"),
  FIELD(SDN_KNOB_LONG, seed, "1", 0, 9007199254740992.0, "", "names every random number of the trials and of their trainings"),
};
const size_t sdn_n_tune_knob = sizeof sdn_tune_knobs / sizeof *sdn_tune_knobs;

/* One process at work on a study. */
typedef struct worker {
  const sdn_tune_options *opt;
  const sdn_run *user;
  sdn_rows rows;
  sdn_study *study;
  double began, beaten;
  long n_mine;
  /* the training under way */
  volatile int stop;
  bool lost;                       /* its claim was taken over */
  char label[160];
  double done, share, total;       /* of the study, before it and by it, in epochs */
} worker;

sdn_status sdn_tune_study_name(const sdn_tune_options *opt, char *name, size_t size, sdn_err *err)
{
  const int n = opt->study ? snprintf(name, size, "%s", opt->study) : snprintf(name, size, "%s.study", opt->library);
  return n > 0 && (size_t)n < size ? SDN_OK : sdn_fail(err, SDN_USAGE, "the study's name is empty or longer than %zu characters", size - 1);
}

/* Called by the training some times a second: passes a stop on, says that this process lives. */
static void watch(void *ctx, const char *what, double done, double total, const char *detail)
{
  worker *w = ctx;
  sdn_err unheard;
  bool held = true;
  (void)what;
  (void)detail;
  if (sdn_stopped(w->user)) w->stop = 1;
  if (sdn_seconds() - w->beaten > w->opt->abandon_seconds / BEATS) {
    w->beaten = sdn_seconds();
    if (sdn_study_beat(w->study, &held, &unheard) == SDN_OK && !held) w->lost = true;   /* a beat that fails is made up for by the next */
    if (w->lost) w->stop = 1;
  }
  sdn_progress(w->user, "tuning", w->done + w->share * done / total, w->total, w->label);
}

static sdn_status options_of(const worker *w, const sdn_trials *t, int trial, int rung, char words[SDN_TRIAL_TEXT], sdn_train_options *o, sdn_err *err)
{
  const long largest = t->epochs[t->halving.n_rung - 1];
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, o);
  snprintf(words, SDN_TRIAL_TEXT, "%s", t->options[trial]);
  if (sdn_search_apply(words, o, err)) return err->status;
  o->library = w->opt->library;
  o->seed = w->opt->seed;
  o->n_epoch = t->epochs[rung];
  o->max_minutes = t->trial_minutes * (double)t->epochs[rung] / (double)largest;
  return SDN_OK;
}

/* Epochs of the whole study, and of its trainings that have ended; for the progress bar. */
static void measure_progress(worker *w, const sdn_trials *t, int rung)
{
  const sdn_halving *h = &t->halving;
  w->done = w->total = 0;
  w->share = (double)t->epochs[rung];
  for (int r = 0; r < h->n_rung; r++) {
    w->total += (double)(t->epochs[r] * sdn_halving_size(h->n_trial, r));
    for (int i = 0; i < h->n_trial; i++)
      if (h->score[r * h->n_trial + i].state >= SDN_TRAINING_DONE) w->done += (double)t->epochs[r];
  }
}

static void label_training(worker *w, const sdn_trials *t, int trial, int rung)
{
  int best, of_rung;
  int at = snprintf(w->label, sizeof w->label, "trial %d of %d, %ld epochs", trial, t->halving.n_trial, t->epochs[rung]);
  if (sdn_halving_best(&t->halving, &best, &of_rung))
    snprintf(w->label + at, sizeof w->label - (size_t)at, "; best: %.3f nats, trial %d after %ld epochs", sdn_training_of(t, best, of_rung)->gain, best, t->epochs[of_rung]);
}

static sdn_run watched(worker *w)
{
  const sdn_run *user = w->user;
  w->stop = 0;
  w->lost = false;
  w->beaten = sdn_seconds();
  return (sdn_run){.n_thread = user ? user->n_thread : 0, .progress = watch, .progress_ctx = w, .stop = &w->stop, .command = user ? user->command : NULL};
}

/* What is the trial's own fault; anything else ends the work. */
static bool is_failure(sdn_status s) { return s == SDN_NUMERIC || s == SDN_RANGE || s == SDN_USAGE || s == SDN_MEMORY; }

static sdn_status give_back(worker *w, sdn_err *err)
{
  sdn_err unheard;
  (void)sdn_study_release(w->study, &unheard);
  return err->status;
}

static sdn_status train_trial(worker *w, int trial, int rung, sdn_err *err)
{
  sdn_trials *t;
  sdn_train_options o;
  sdn_train_summary s;
  char words[SDN_TRIAL_TEXT];
  if (sdn_study_load(w->study, &t, err)) return give_back(w, err);
  measure_progress(w, t, rung);
  label_training(w, t, trial, rung);
  sdn_status status = options_of(w, t, trial, rung, words, &o, err);
  sdn_trials_free(t);
  if (status) return give_back(w, err);
  const sdn_run run = watched(w);
  status = sdn_train_network(&o, &w->rows, &run, &s, err);
  if (status == SDN_OK && !isfinite(s.best_validation_ln_q)) status = sdn_fail(err, SDN_NUMERIC, "the gain on the validation galaxies is not finite");
  if (status && !is_failure(status)) {
    const bool go_on = w->lost && !sdn_stopped(w->user);
    give_back(w, err);
    return go_on ? SDN_OK : err->status;
  }
  sdn_err ending;
  w->n_mine++;
  if (sdn_study_finish(w->study, &s, status ? err->text : NULL, NULL, &ending)) {
    *err = ending;
    return give_back(w, err);
  }
  return SDN_OK;
}

static void wait_a_little(void)
{
  struct timespec left = {.tv_nsec = LOOK_AGAIN_MS * 1000000L};
  while (nanosleep(&left, &left) && errno == EINTR) continue;
}

/* Trainings until none is left or the time is over. */
static sdn_status work(worker *w, bool *complete, sdn_err *err)
{
  *complete = false;
  for (;;) {
    sdn_claim claim;
    int trial, rung;
    if (sdn_stopped(w->user)) return sdn_fail(err, SDN_INTERRUPTED, "tuning was stopped");
    if (w->opt->max_minutes > 0 && sdn_seconds() - w->began > 60 * w->opt->max_minutes) return SDN_OK;
    if (sdn_study_claim(w->study, &claim, &trial, &rung, err)) return err->status;
    if (claim == SDN_CLAIM_COMPLETE) {
      *complete = true;
      return SDN_OK;
    }
    if (claim == SDN_CLAIM_WAIT) wait_a_little();
    else if (train_trial(w, trial, rung, err)) return err->status;
  }
}

/* As an argument of a shell. */
static size_t add_quoted(char *text, size_t at, size_t size, const char *word)
{
  const bool plain = word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=./,:@%")] == '\0';
  if (at < size) at += (size_t)snprintf(text + at, size - at, plain ? " %s" : " \"%s\"", word);
  return at;
}

/* `sedna train` with the options of a trial. */
static void write_command(const worker *w, const sdn_trials *t, int trial, char *text, size_t size)
{
  char words[SDN_TRIAL_TEXT], *rest;
  size_t at = add_quoted(text, (size_t)snprintf(text, size, "sedna train"), size, w->opt->library);
  at = add_quoted(text, add_quoted(text, at, size, "-o"), size, w->opt->output ? w->opt->output : "posterior.h5");
  if (at < size && t->trial_minutes > 0) at += (size_t)snprintf(text + at, size - at, " --max-minutes %.10g", t->trial_minutes);
  else if (at < size) at += (size_t)snprintf(text + at, size - at, " --n-epoch %ld", t->epochs[t->halving.n_rung - 1]);
  if (at < size && w->opt->seed != 1) at += (size_t)snprintf(text + at, size - at, " --seed %ld", w->opt->seed);
  snprintf(words, sizeof words, "%s", t->options[trial]);
  for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
    char *equals = strchr(word, '=');
    *equals = ' ';
    for (char *c = word; c < equals; c++)
      if (*c == '_') *c = '-';
    if (at < size) at += (size_t)snprintf(text + at, size - at, " --%s", word);
  }
}

static void count_trainings(const sdn_trials *t, sdn_tune_summary *s)
{
  for (int i = 0; i < t->halving.n_trial * t->halving.n_rung; i++) {
    s->n_done += t->halving.score[i].state == SDN_TRAINING_DONE;
    s->n_failed += t->halving.score[i].state == SDN_TRAINING_FAILED;
  }
  for (int r = 0; r < t->halving.n_rung; r++) s->n_training += sdn_halving_size(t->halving.n_trial, r);
}

static sdn_status summarise(const worker *w, bool complete, sdn_tune_summary *s, sdn_err *err)
{
  sdn_trials *t;
  int best, rung;
  if (sdn_study_load(w->study, &t, err)) return err->status;
  *s = (sdn_tune_summary){.complete = complete, .n_mine = w->n_mine, .n_trial = t->halving.n_trial, .best_trial = -1, .default_gain = NAN};
  count_trainings(t, s);
  sdn_status status = SDN_OK;
  if (sdn_halving_best(&t->halving, &best, &rung)) {
    const sdn_training *g = sdn_training_of(t, best, rung);
    s->best_trial = best;
    s->best_epochs = t->epochs[rung];
    s->best_gain = g->gain;
    s->best_test_gain = g->test_gain;
    s->best_test_gain_error = g->test_gain_error;
    if (t->halving.score[rung * t->halving.n_trial].state == SDN_TRAINING_DONE) s->default_gain = sdn_training_of(t, 0, rung)->gain;
    write_command(w, t, best, s->command, sizeof s->command);
  } else if (complete) {
    status = sdn_fail(err, SDN_NUMERIC, "every trial failed, the default so: %s", sdn_training_of(t, 0, 0)->note);
  }
  sdn_trials_free(t);
  return status;
}

/* The best trial's training once more, this time with a file. The library is read again: by then it takes no other memory. */
static sdn_status train_posterior(worker *w, int trial, sdn_tune_summary *summary, sdn_err *err)
{
  sdn_trials *t;
  sdn_train_options o;
  sdn_train_summary s;
  char words[SDN_TRIAL_TEXT];
  bool got;
  if (sdn_study_claim_posterior(w->study, trial, w->opt->output, &got, err)) return err->status;
  if (!got) return SDN_OK;
  if (sdn_study_load(w->study, &t, err)) return give_back(w, err);
  const int last = t->halving.n_rung - 1;
  w->done = 0;
  w->share = w->total = (double)t->epochs[last];
  snprintf(w->label, sizeof w->label, "the posterior of trial %d, %ld epochs", trial, t->epochs[last]);
  sdn_status status = options_of(w, t, trial, last, words, &o, err);
  sdn_trials_free(t);
  if (status) return give_back(w, err);
  sdn_rows_close(&w->rows);
  w->rows = (sdn_rows){0};
  o.output = w->opt->output;
  o.resume = true;
  const sdn_run run = watched(w);
  if (sdn_train(&o, &run, &s, err)) return give_back(w, err);
  summary->posterior_written = true;
  return sdn_study_finish(w->study, &s, NULL, w->opt->output, err) ? give_back(w, err) : SDN_OK;
}

static sdn_status check_names(const sdn_tune_options *o, const char *study, sdn_err *err)
{
  const char *const outputs[] = {study, o->output, o->html}, *const inputs[] = {o->library, study, o->output};
  if (!(o->min_epoch <= o->max_epoch)) return sdn_fail(err, SDN_USAGE, "min_epoch %ld is larger than max_epoch %ld", o->min_epoch, o->max_epoch);
  for (size_t i = 0; i < 3; i++)   /* each output against the library and the outputs before it */
    if (outputs[i] && sdn_check_output(outputs[i], i + 1, inputs, err)) return err->status;
  if (o->output && sdn_check_writable(o->output, err)) return err->status;
  return o->html ? sdn_check_writable(o->html, err) : SDN_OK;
}

/* Words that no network knows (head=splime) are refused before the study is made, not trial by trial. */
static sdn_status check_trials(const worker *w, const sdn_search *search, sdn_err *err)
{
  char words[SDN_TRIAL_TEXT];
  sdn_train_options o;
  sdn_train_plan plan;
  for (long t = 0; t < w->opt->n_trial; t++) {
    sdn_search_draw(search, (uint64_t)w->opt->seed, t, words);
    sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &o);
    if (sdn_search_apply(words, &o, err) || sdn_train_plan_of(&o, w->rows.n_free, w->rows.n_band, w->rows.n_feature, &plan, err))
      return sdn_fail_in(err, "search");
  }
  return SDN_OK;
}

static sdn_status open_study(worker *w, const char *path, sdn_err *err)
{
  const sdn_tune_options *o = w->opt;
  sdn_search search;
  sdn_train_options defaults;
  char words[SDN_TRIAL_TEXT];
  if (sdn_search_parse(o->search, &search, err)) return err->status;
  sdn_search_draw(&search, (uint64_t)o->seed, 0, words);
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &defaults);
  if (sdn_search_apply(words, &defaults, err)) return err->status;
  defaults.library = o->library;
  defaults.seed = o->seed;
  if (sdn_rows_open(&defaults, w->user, &w->rows, err)) return err->status;
  if (check_trials(w, &search, err)) return err->status;
  const sdn_study_plan plan = {.library = o->library, .command = w->user ? w->user->command : NULL, .library_hash = w->rows.hash, .search = &search,
                               .n_trial = o->n_trial, .min_epoch = o->min_epoch, .max_epoch = o->max_epoch, .seed = o->seed, .trial_minutes = o->trial_minutes};
  return sdn_study_open(path, &plan, o->abandon_seconds, &w->study, err);
}

sdn_status sdn_tune(const sdn_tune_options *opt, const sdn_run *run, sdn_tune_summary *summary, sdn_err *err)
{
  worker w = {.opt = opt, .user = run, .began = sdn_seconds()};
  char path[4096];
  bool complete;
  if (!opt->library) return sdn_fail(err, SDN_USAGE, "tuning needs a library to learn from");
  if (sdn_tune_study_name(opt, path, sizeof path, err) || check_names(opt, path, err)) return err->status;
  sdn_status status = open_study(&w, path, err);
  if (!status) status = work(&w, &complete, err);
  if (!status) status = summarise(&w, complete, summary, err);
  if (!status && complete && opt->output) status = train_posterior(&w, summary->best_trial, summary, err);
  if (status == SDN_INTERRUPTED) sdn_fail_in(err, "run again to go on with %s", path);
  sdn_study_close(w.study);
  sdn_rows_close(&w.rows);
  return status;
}
