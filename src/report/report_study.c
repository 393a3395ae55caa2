/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A study of `sedna tune`, as a table and as a page. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "learn/study.h"
#include "report/page.h"

static const char *const state_name[] = {"waits", "runs", "done", "failed"};

static const sdn_score *score(const sdn_trials *t, int trial, int rung) { return &t->halving.score[rung * t->halving.n_trial + trial]; }

/* The highest rung that a trial has ended in; 0 if none. */
static int last_rung(const sdn_trials *t, int trial)
{
  int rung = t->halving.n_rung - 1;
  while (rung > 0 && score(t, trial, rung)->state < SDN_TRAINING_DONE) rung--;
  return rung;
}

/* -- table -- */

typedef struct place { int trial, rung; double gain; } place;

/* Higher rungs first, then higher gains; without a gain last; by number where all is equal. */
static int by_place(const void *a, const void *b)
{
  const place *x = a, *y = b;
  if (x->rung != y->rung) return y->rung - x->rung;
  if (x->gain != y->gain) return x->gain > y->gain ? -1 : 1;
  return x->trial - y->trial;
}

static void print_trial(const sdn_trials *t, const place *p, FILE *out)
{
  const sdn_training *g = sdn_training_of(t, p->trial, p->rung);
  const sdn_training_state state = score(t, p->trial, p->rung)->state;
  fprintf(out, "  %5d  %7ld  ", p->trial, t->epochs[p->rung]);
  if (state == SDN_TRAINING_DONE) fprintf(out, "%8.3f  %8.3f  %8.1f  %9.0f  %9ld  ", g->gain, g->test_gain, g->seconds, g->rows_per_second, g->n_weight);
  else fprintf(out, "%8s  %8s  %8s  %9s  %9s  ", state_name[state], "", "", "", "");
  fprintf(out, "%s%s\n", p->trial ? "" : "the default ", t->options[p->trial]);
  if (state == SDN_TRAINING_FAILED) fprintf(out, "         %s\n", g->note);
}

static void print_rungs(const sdn_trials *t, FILE *out)
{
  fprintf(out, "study of %s: %d trials", t->library, t->halving.n_trial);
  for (int r = 0; r < t->halving.n_rung; r++) {
    int n[4] = {0};
    for (int i = 0; i < t->halving.n_trial; i++) n[score(t, i, r)->state]++;
    fprintf(out, "; %ld epochs: %d of %d done", t->epochs[r], n[SDN_TRAINING_DONE], sdn_halving_size(t->halving.n_trial, r));
    if (n[SDN_TRAINING_FAILED]) fprintf(out, ", %d failed", n[SDN_TRAINING_FAILED]);
    if (n[SDN_TRAINING_RUNS]) fprintf(out, ", %d begun", n[SDN_TRAINING_RUNS]);
  }
  if (t->trial_minutes > 0) fprintf(out, "; the last ones by time, %g min", t->trial_minutes);
  fputc('\n', out);
}

sdn_status sdn_study_table(const char *study, FILE *out, sdn_err *err)
{
  sdn_trials *t;
  if (sdn_study_read(study, &t, err)) return err->status;
  const int n = t->halving.n_trial;
  place *p = sdn_alloc((size_t)n, sizeof *p, "a table of trials", err);
  if (p) {
    for (int i = 0; i < n; i++) {
      const int rung = last_rung(t, i);
      p[i] = (place){i, rung, score(t, i, rung)->state == SDN_TRAINING_DONE ? score(t, i, rung)->gain : -INFINITY};
    }
    qsort(p, (size_t)n, sizeof *p, by_place);
    print_rungs(t, out);
    fprintf(out, "  %5s  %7s  %8s  %8s  %8s  %9s  %9s  %s\n", "trial", "epochs", "gain", "on test", "seconds", "rows/s", "weights", "options");
    for (int i = 0; i < n; i++)
      if (score(t, p[i].trial, p[i].rung)->state != SDN_TRAINING_WAITS) print_trial(t, &p[i], out);
  }
  sdn_release(p);
  sdn_trials_free(t);
  return p ? SDN_OK : err->status;
}

/* -- page -- */

static void add_training(sdn_text *json, const sdn_trials *t, int trial, int rung)
{
  const sdn_training *g = sdn_training_of(t, trial, rung);
  const double value[] = {g->gain, g->test_gain, g->seconds, g->rows_per_second, (double)g->n_weight, g->heartbeat};
  static const char *const names[] = {"gain", "test_gain", "seconds", "rows_per_second", "n_weight", "ended"};
  sdn_text_add(json, "{\"rung\":%d,\"state\":\"%s\"", rung, state_name[score(t, trial, rung)->state]);
  for (size_t i = 0; i < sizeof value / sizeof *value; i++) {
    sdn_text_add(json, ",\"%s\":", names[i]);
    sdn_text_add_json_number(json, score(t, trial, rung)->state == SDN_TRAINING_DONE ? value[i] : NAN, 16);
  }
  sdn_text_add(json, ",\"note\":");
  sdn_text_add_json_string(json, g->note);
  sdn_text_add(json, "}");
}

/* All options of a trial that any trial has, with train's defaults where it has none of its own. */
static void add_options(sdn_text *json, const char *options, const char *all)
{
  char names[SDN_TRIAL_TEXT], *rest;
  snprintf(names, sizeof names, "%s", all);
  bool first = true;
  for (char *word = strtok_r(names, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
    const size_t n = strcspn(word, "=");
    const char *value = "";
    word[n] = '\0';
    for (size_t k = 0; k < sdn_n_train_knob; k++)
      if (!strcmp(sdn_train_knobs[k].name, word) && sdn_train_knobs[k].initial) value = sdn_train_knobs[k].initial;
    for (const char *c = options; c && *c; c = strchr(c, ' ') ? strchr(c, ' ') + 1 : NULL)
      if (!strncmp(c, word, n) && c[n] == '=') value = c + n + 1;
    char text[128];
    snprintf(text, sizeof text, "%.*s", (int)strcspn(value, " "), value);
    sdn_text_add(json, "%s\"%s\":", first ? "" : ",", word);
    sdn_text_add_json_string(json, text);
    first = false;
  }
}

static void add_trial(sdn_text *json, const sdn_trials *t, int trial)
{
  bool first = true;
  sdn_text_add(json, "%s{\"trial\":%d,\"options\":{", trial ? ",\n" : "", trial);
  add_options(json, t->options[trial], t->options[t->halving.n_trial - 1]);
  sdn_text_add(json, "},\"trainings\":[");
  for (int r = 0; r < t->halving.n_rung; r++)
    if (score(t, trial, r)->state != SDN_TRAINING_WAITS) {
      if (!first) sdn_text_add(json, ",");
      add_training(json, t, trial, r);
      first = false;
    }
  sdn_text_add(json, "]}");
}

static void add_study(sdn_text *json, const sdn_trials *t)
{
  int best = -1, rung = 0;
  if (!sdn_halving_best(&t->halving, &best, &rung)) best = -1;
  sdn_text_add(json, "{\"library\":");
  sdn_text_add_json_string(json, t->library);
  sdn_text_add(json, ",\"sedna_version\":\"%s\",\"best\":%d,\"best_rung\":%d,\"trial_minutes\":", SDN_VERSION, best, rung);
  sdn_text_add_json_number(json, t->trial_minutes, 6);
  sdn_text_add(json, ",\"rungs\":[");
  for (int r = 0; r < t->halving.n_rung; r++)
    sdn_text_add(json, "%s{\"epochs\":%ld,\"size\":%d}", r ? "," : "", t->epochs[r], sdn_halving_size(t->halving.n_trial, r));
  sdn_text_add(json, "],\n\"trials\":[");
  for (int i = 0; i < t->halving.n_trial; i++) add_trial(json, t, i);
  sdn_text_add(json, "]}");
}

sdn_status sdn_report_study(const char *study, const char *html_path, sdn_err *err)
{
  sdn_text json = {0};
  sdn_trials *t;
  if (sdn_study_read(study, &t, err)) return err->status;
  add_study(&json, t);
  sdn_status status = sdn_text_done(&json, err);
  if (!status) status = sdn_page_write(SDN_PAGE_TUNE, "sedna tune", json.data, html_path, err);
  sdn_text_free(&json);
  sdn_trials_free(t);
  return status;
}
