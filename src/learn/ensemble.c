/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/ensemble.h"

#include <math.h>
#include <string.h>

#include "base/file.h"
#include "base/special.h"
#include "learn/train.h"

#define MAX_ROUND 1000
#define CONVERGED 1e-9          /* change of the mean ln q in a round, nats */
#define FIELD(kind, field, initial, unit, help) {#field, kind, offsetof(sdn_ensemble_options, field), initial, 0, 0, unit, help}

const sdn_knob sdn_ensemble_knobs[] = {
  FIELD(SDN_KNOB_TEXT, posteriors, NULL, "FILES", "posteriors to join, of the same model and survey"),
  FIELD(SDN_KNOB_TEXT, output, NULL, "FILE", "posterior to write"),
  FIELD(SDN_KNOB_TEXT, library, NULL, "FILE", "library that they were trained on: weights from its validation galaxies; without it all weigh the same"),
  FIELD(SDN_KNOB_TEXT, prior, NULL, "FILE", "the library is of any simulator: as for `sedna train`, like the next four"),
  FIELD(SDN_KNOB_TEXT, survey, NULL, "FILE", "of such a library: noise, floor and missing data of x; without it read off the data"),
  FIELD(SDN_KNOB_TEXT, theta, "theta", "NAME", "dataset of parameters"),
  FIELD(SDN_KNOB_TEXT, x, "x", "NAME", "dataset of data"),
  FIELD(SDN_KNOB_TEXT, sigma, "sigma", "NAME", "dataset of errors, where noise is still to be added; none: leave it alone"),
};
const size_t sdn_n_ensemble_knob = sizeof sdn_ensemble_knobs / sizeof *sdn_ensemble_knobs;

void sdn_mixture_weights(long n, int n_member, const double *ln_q, double *weight)
{
  double before = -INFINITY, count[SDN_MAX_MEMBER];
  for (int k = 0; k < n_member; k++) weight[k] = 1.0 / n_member;
  for (int round = 0; round < MAX_ROUND; round++) {
    double gain = 0;
    for (int k = 0; k < n_member; k++) count[k] = 1;
    for (long i = 0; i < n; i++) {
      double part[SDN_MAX_MEMBER];
      for (int k = 0; k < n_member; k++) part[k] = log(weight[k]) + ln_q[i * n_member + k];
      const double total = sdn_ln_sum_exp(n_member, part);
      for (int k = 0; k < n_member; k++) count[k] += exp(part[k] - total);
      gain += total / (double)n;
    }
    for (int k = 0; k < n_member; k++) weight[k] = count[k] / (double)(n + n_member);
    if (!(gain > before + CONVERGED)) break;
    before = gain;
  }
}

/* ------------------------------------------------------------------ scores on held-out rows */

typedef struct scoring { const sdn_posterior *p; const sdn_row_source *source; sdn_split split; double *gain; } scoring;   /* gain [n][n_member]: ln q_k - ln N */

static sdn_status score_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const scoring *s = ctx;
  const int n_member = s->p->n_member, d = s->p->n_free;
  const long first = tile * SDN_ROWS, left = s->source->n[s->split] - first;
  long row[SDN_ROWS];
  double ln_q[SDN_ROWS];
  for (int r = 0; r < SDN_ROWS; r++) row[r] = first + r;
  const sdn_row_range range = {.split = s->split, .place = first, .n = left < SDN_ROWS ? left : SDN_ROWS, .row = row};
  for (int k = 0; k < n_member; k++) {
    const sdn_member *m = &s->p->member[k];
    sdn_tile_work w;
    if (sdn_tile_work_new(m->net, arena, &w, err) || sdn_tile_load(s->source, &m->scaling, d, &range, &w, arena, err)) return err->status;
    sdn_network_density(m->net, m->weights, &w, ln_q);
    for (long r = 0; r < range.n; r++) {
      double *gain = &s->gain[(first + r) * n_member + k];
      *gain = ln_q[r];
      for (int i = 0; i < d; i++) *gain -= sdn_normal_ln_pdf((double)w.z[i * SDN_ROWS + r]);
    }
  }
  return SDN_OK;
}

/* Gains of every member on a split's rows: [n][n_member], freed by sdn_release; NULL: err says why. */
static double *member_gains(const sdn_posterior *p, const sdn_row_source *source, sdn_split split, const sdn_run *run, sdn_err *err)
{
  const long n = source->n[split];
  scoring s = {.p = p, .source = source, .split = split, .gain = sdn_alloc((size_t)n * (size_t)p->n_member, sizeof(double), "scores of members", err)};
  if (s.gain && sdn_parallel_tiles((n + SDN_ROWS - 1) / SDN_ROWS, score_tile, &s, run, NULL, err)) {
    sdn_release(s.gain);
    return NULL;
  }
  return s.gain;
}

/* Mean of ln sum_k weight_k e^gain_k, and its standard error. */
static void mixture_gain(const sdn_posterior *p, long n, const double *gain, double *mean, double *error)
{
  double sum = 0, squares = 0;
  for (long i = 0; i < n; i++) {
    double part[SDN_MAX_MEMBER];
    for (int k = 0; k < p->n_member; k++) part[k] = log(p->member[k].weight) + gain[i * p->n_member + k];
    const double value = sdn_ln_sum_exp(p->n_member, part);
    sum += value;
    squares += value * value;
  }
  *mean = sum / (double)n;
  *error = sqrt(fmax(squares / (double)n - *mean * *mean, 0.0) / (double)n);
}

static sdn_status weigh(sdn_posterior *p, sdn_rows *rows, const sdn_run *run, sdn_train_summary *s, sdn_err *err)
{
  const sdn_row_source source = sdn_rows_source(rows, rows->seed);
  double weight[SDN_MAX_MEMBER], ignored, *validation = member_gains(p, &source, SDN_SPLIT_VALIDATION, run, err);
  double *test = validation ? member_gains(p, &source, SDN_SPLIT_TEST, run, err) : NULL;
  if (test) {
    sdn_mixture_weights(source.n[SDN_SPLIT_VALIDATION], p->n_member, validation, weight);
    for (int k = 0; k < p->n_member; k++) p->member[k].weight = weight[k];
    mixture_gain(p, source.n[SDN_SPLIT_VALIDATION], validation, &s->best_validation_ln_q, &ignored);
    mixture_gain(p, source.n[SDN_SPLIT_TEST], test, &s->test_ln_q, &s->test_ln_q_error);
    s->n_train = source.n[SDN_SPLIT_TRAIN];
    s->n_validation = source.n[SDN_SPLIT_VALIDATION];
    s->n_test = source.n[SDN_SPLIT_TEST];
  }
  const sdn_status status = test ? SDN_OK : err->status;
  sdn_release(validation);
  sdn_release(test);
  return status;
}

/* ------------------------------------------------------------------ joining */

/* What two posteriors must have in common, or a word for what differs. */
static const char *difference(const sdn_posterior *a, const sdn_posterior *b)
{
  if (strcmp(a->model_yaml, b->model_yaml) != 0) return "model";
  if (strcmp(sdn_survey_yaml(a->survey), sdn_survey_yaml(b->survey)) != 0) return "survey";
  if (strcmp(a->physics_hash, b->physics_hash) != 0) return "grid or filters";
  if (a->n_free != b->n_free) return "parameters";
  for (int i = 0; i < a->n_free; i++)
    if (strcmp(a->free_name[i], b->free_name[i]) != 0) return "parameters";
  return NULL;
}

/* Moves b's members to the end of a's. */
static sdn_status take_members(sdn_posterior *a, sdn_posterior *b, const char *path, const char *first_path, sdn_err *err)
{
  const char *differs = difference(a, b);
  if (differs) return sdn_fail(err, SDN_USAGE, "%s and %s cannot be joined: they have not the same %s", first_path, path, differs);
  if (a->n_member + b->n_member > SDN_MAX_MEMBER)
    return sdn_fail(err, SDN_USAGE, "with %s there would be more than %d networks in the ensemble", path, SDN_MAX_MEMBER);
  for (int k = 0; k < b->n_member; k++) {
    a->member[a->n_member++] = b->member[k];
    b->member[k] = (sdn_member){0};
  }
  return SDN_OK;
}

static sdn_status read_members(int n, const char *const *path, sdn_posterior **out, sdn_member_origin *origin, sdn_err *err)
{
  sdn_status status = SDN_OK;
  int at = 0;
  for (int i = 0; i < n && !status; i++) {
    sdn_posterior *p;
    if ((status = sdn_posterior_open(path[i], &p, err))) break;
    for (int k = 0; k < p->n_member && at < SDN_MAX_MEMBER; k++) origin[at++] = (sdn_member_origin){path[i], k};
    if (i == 0) *out = p;
    else {
      status = take_members(*out, p, path[i], path[0], err);
      sdn_posterior_free(p);
    }
  }
  return status;
}

sdn_status sdn_ensemble_join(int n, const char *const *path, sdn_rows *rows, const char *output, const sdn_run *run, sdn_train_summary *summary, sdn_err *err)
{
  sdn_posterior *p = NULL;
  sdn_member_origin origin[SDN_MAX_MEMBER];
  sdn_status status = read_members(n, path, &p, origin, err);
  if (!status)
    for (int k = 0; k < p->n_member; k++) p->member[k].weight = 1.0 / p->n_member;
  if (!status && rows) status = weigh(p, rows, run, summary, err);
  if (!status) {
    summary->n_member = p->n_member;
    for (int k = 0; k < p->n_member; k++) summary->member_weight[k] = p->member[k].weight;
    status = sdn_posterior_save(output, p, origin, run ? run->command : NULL, err);
  }
  sdn_posterior_free(p);
  return status;
}

/* The split that a member was trained with must be that of the others, or weights would be judged on rows that some have learnt. */
static sdn_status common_split(int n, const char *const *path, const sdn_ensemble_options *opt, sdn_train_options *split, sdn_err *err)
{
  for (int i = 0; i < n; i++) {
    sdn_train_options own = *split;
    if (sdn_posterior_split(path[i], &own, err)) return err->status;
    if (i > 0 && (own.seed != split->seed || own.validation_fraction != split->validation_fraction || own.test_fraction != split->test_fraction))
      return sdn_fail(err, SDN_USAGE, "%s and %s were trained with other seeds or fractions, so on other galaxies; train all with the same seed and --member 0, 1, 2 ..., "
                      "or leave out --library for equal weights", path[0], path[i]);
    *split = own;
  }
  split->library = opt->library;
  split->prior = opt->prior;
  split->survey = opt->survey;
  split->theta = opt->theta;
  split->x = opt->x;
  split->sigma = opt->sigma;
  return SDN_OK;
}

sdn_status sdn_ensemble(const sdn_ensemble_options *opt, const sdn_run *run, sdn_train_summary *summary, sdn_err *err)
{
  const char *path[SDN_MAX_MEMBER];
  sdn_rows rows;
  sdn_train_options split = {0};
  sdn_train_summary ignored;
  int n = 0;
  if (!opt->posteriors || !opt->output) return sdn_fail(err, SDN_USAGE, "an ensemble needs posteriors to join and an output to write");
  char *names = sdn_copy_text(opt->posteriors, err);
  if (!names) return err->status;
  sdn_status status = SDN_OK;
  for (char *save, *name = strtok_r(names, "\n", &save); name && !status; name = strtok_r(NULL, "\n", &save)) {
    if (n == SDN_MAX_MEMBER) status = sdn_fail(err, SDN_USAGE, "more than %d posteriors cannot be joined", SDN_MAX_MEMBER);
    else path[n++] = name;
  }
  if (!status) status = sdn_check_output(opt->output, (size_t)n, path, err);
  if (!status && !summary) summary = &ignored;
  if (!status) *summary = (sdn_train_summary){0};
  if (!status && opt->library) {
    if (!(status = common_split(n, path, opt, &split, err))) status = sdn_rows_open(&split, run, &rows, err);
    if (!status) {
      status = sdn_ensemble_join(n, path, &rows, opt->output, run, summary, err);
      sdn_rows_close(&rows);
    }
  }
  else if (!status) status = sdn_ensemble_join(n, path, NULL, opt->output, run, summary, err);
  sdn_release(names);
  return status;
}
