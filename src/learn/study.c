/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/study.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"

#define FORMAT "sedna study"
#define N_KEY 11
#define N_COMPARED 9              /* of the keys; the others only inform */
#define MAX_TRIAL 100000

static const char *const state_name[] = {"", "running", "done", "failed"};

struct sdn_study {
  sdn_db *db;
  char owner[96];
  double abandon_seconds;
  int trial, rung;                /* of the claim; trial -1: none is held */
};

static double now(void)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ------------------------------------------------------------------ what a study is about */

typedef struct key { const char *name; char value[4096]; } key;

static sdn_status list_keys(const sdn_study_plan *p, key k[N_KEY], sdn_err *err)
{
  static const char *const names[N_KEY] = {"format", "sedna_version", "library_hash", "search", "n_trial", "min_epoch", "max_epoch", "trial_minutes", "seed",
                                           "library", "command"};
  const size_t size = sizeof k->value;
  for (int i = 0; i < N_KEY; i++) k[i].name = names[i];
  snprintf(k[0].value, size, FORMAT);
  snprintf(k[1].value, size, SDN_VERSION);
  snprintf(k[2].value, size, "%016" PRIx64, p->library_hash);
  if (sdn_search_text(p->search, k[3].value, size, err)) return err->status;
  snprintf(k[4].value, size, "%ld", p->n_trial);
  snprintf(k[5].value, size, "%ld", p->min_epoch);
  snprintf(k[6].value, size, "%ld", p->max_epoch);
  snprintf(k[7].value, size, "%.17g", p->trial_minutes);
  snprintf(k[8].value, size, "%ld", p->seed);
  snprintf(k[9].value, size, "%s", p->library);
  snprintf(k[10].value, size, "%s", p->command ? p->command : "");
  return SDN_OK;
}

/* "" where there is no such key. */
static sdn_status read_key(sdn_db *db, const char *name, char *value, size_t size, sdn_err *err)
{
  sdn_db_answer *a;
  bool row = false;
  sdn_status status = sdn_db_ask(db, &a, err, "SELECT value FROM study WHERE key = ?1", "t", name);
  if (!status) status = sdn_db_next(a, &row, err);
  if (!status) snprintf(value, size, "%s", row ? sdn_db_text(a, 0) : "");
  sdn_db_answer_free(a);
  return status;
}

static sdn_status compare(sdn_db *db, const key *k, sdn_err *err)
{
  char value[4096];
  for (int i = 0; i < N_COMPARED; i++) {
    if (read_key(db, k[i].name, value, sizeof value, err)) return err->status;
    if (strcmp(value, k[i].value) != 0)
      return sdn_fail(err, SDN_USAGE, "%s is a study of another kind: its %s is %.300s, not %.300s; give the same options, or another name for the study", sdn_db_path(db),
                      k[i].name, value, k[i].value);
  }
  return SDN_OK;
}

static sdn_status begin_study(sdn_db *db, const sdn_study_plan *p, const key *k, sdn_err *err)
{
  static const char *const tables[] = {
    "CREATE TABLE study (key TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE trial (trial INTEGER PRIMARY KEY, options TEXT NOT NULL)",
    ("CREATE TABLE training (trial INTEGER NOT NULL, rung INTEGER NOT NULL, state TEXT NOT NULL, owner TEXT NOT NULL, heartbeat REAL NOT NULL, started REAL NOT NULL,"
     " seconds REAL, gain REAL, test_gain REAL, test_gain_error REAL, rows_per_second REAL, n_weight INTEGER, note TEXT, PRIMARY KEY (trial, rung))")};
  char options[SDN_TRIAL_TEXT];
  for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
    if (sdn_db_do(db, err, tables[i], "")) return err->status;
  for (int i = 0; i < N_KEY; i++)
    if (sdn_db_do(db, err, "INSERT INTO study VALUES (?1, ?2)", "tt", k[i].name, k[i].value)) return err->status;
  for (long t = 0; t < p->n_trial; t++) {
    sdn_search_draw(p->search, (uint64_t)p->seed, t, options);
    if (sdn_db_do(db, err, "INSERT INTO trial VALUES (?1, ?2)", "lt", t, options)) return err->status;
  }
  return SDN_OK;
}

static sdn_status has_tables(sdn_db *db, bool *has, sdn_err *err)
{
  sdn_db_answer *a;
  bool row;
  sdn_status status = sdn_db_ask(db, &a, err, "SELECT count(*) FROM sqlite_master", "");
  if (!status) status = sdn_db_next(a, &row, err);
  if (!status) *has = sdn_db_long(a, 0) > 0;
  sdn_db_answer_free(a);
  return status;
}

static sdn_status begin_or_compare(sdn_db *db, const sdn_study_plan *plan, sdn_err *err)
{
  bool has;
  key *k = sdn_alloc(N_KEY, sizeof *k, "a study", err);
  sdn_status status = k ? list_keys(plan, k, err) : err->status;
  if (!status && !(status = sdn_db_begin(db, err))) {
    status = has_tables(db, &has, err);
    if (!status) status = has ? compare(db, k, err) : begin_study(db, plan, k, err);
    status = sdn_db_end(db, status, err);
  }
  sdn_release(k);
  return status;
}

sdn_status sdn_study_open(const char *path, const sdn_study_plan *plan, double abandon_seconds, sdn_study **out, sdn_err *err)
{
  char host[64] = "";
  *out = NULL;
  sdn_study *s = sdn_alloc(1, sizeof *s, "a study", err);
  if (!s) return err->status;
  gethostname(host, sizeof host - 1);
  snprintf(s->owner, sizeof s->owner, "%.60s:%ld:%.6f", host, (long)getpid(), now());
  s->abandon_seconds = abandon_seconds;
  s->trial = -1;
  if (sdn_db_open(path, SDN_STUDY_KIND, &s->db, err) || begin_or_compare(s->db, plan, err)) {
    sdn_study_close(s);
    return err->status;
  }
  *out = s;
  return SDN_OK;
}

void sdn_study_close(sdn_study *s)
{
  if (!s) return;
  sdn_db_close(s->db);
  sdn_release(s);
}

/* ------------------------------------------------------------------ all of it */

static sdn_status corrupt(sdn_db *db, const char *what, sdn_err *err)
{
  return sdn_fail(err, SDN_FORMAT, "%s: %s; the study is corrupt: remove it and begin anew", sdn_db_path(db), what);
}

static sdn_status read_number(sdn_db *db, const char *name, double low, double high, double *value, sdn_err *err)
{
  char text[64], *end;
  if (read_key(db, name, text, sizeof text, err)) return err->status;
  *value = strtod(text, &end);
  return *text && !*end && *value >= low && *value <= high ? SDN_OK : corrupt(db, name, err);
}

static sdn_status make_trials(sdn_db *db, sdn_trials *t, sdn_err *err)
{
  double n_trial, min_epoch, max_epoch;
  char text[4096];
  if (read_key(db, "format", text, sizeof text, err)) return err->status;
  if (strcmp(text, FORMAT) != 0) return sdn_fail(err, SDN_FORMAT, "%s is not a sedna study; `sedna tune` makes one", sdn_db_path(db));
  if (read_key(db, "library", text, sizeof text, err) || !(t->library = sdn_copy_text(text, err))) return err->status;
  if (read_number(db, "n_trial", 1, MAX_TRIAL, &n_trial, err) || read_number(db, "min_epoch", 1, 1e6, &min_epoch, err) ||
      read_number(db, "max_epoch", 1, 1e6, &max_epoch, err) || read_number(db, "trial_minutes", 0, 1e6, &t->trial_minutes, err))
    return err->status;
  const size_t n = (size_t)n_trial;
  sdn_halving *h = &t->halving;
  h->n_trial = (int)n;
  h->n_rung = sdn_halving_rungs((long)min_epoch, (long)max_epoch, t->epochs);
  h->score = sdn_alloc(n * (size_t)h->n_rung, sizeof *h->score, "a study's trials", err);
  t->training = h->score ? sdn_alloc(n * (size_t)(h->n_rung + 1), sizeof *t->training, "a study's trials", err) : NULL;
  t->posterior = t->training ? sdn_alloc(n, sizeof *t->posterior, "a study's trials", err) : NULL;
  t->options = t->posterior ? sdn_alloc(n, sizeof *t->options, "a study's trials", err) : NULL;
  return t->options ? SDN_OK : err->status;
}

static sdn_status read_options(sdn_db *db, sdn_trials *t, sdn_err *err)
{
  sdn_db_answer *a;
  bool row = false;
  long n = 0;
  sdn_status status = sdn_db_ask(db, &a, err, "SELECT trial, options FROM trial ORDER BY trial", "");
  while (!status && !(status = sdn_db_next(a, &row, err)) && row) {
    if (sdn_db_long(a, 0) != n || n >= t->halving.n_trial || strlen(sdn_db_text(a, 1)) >= SDN_TRIAL_TEXT) status = corrupt(db, "its list of trials", err);
    else snprintf(t->options[n++], SDN_TRIAL_TEXT, "%s", sdn_db_text(a, 1));
  }
  sdn_db_answer_free(a);
  return !status && n != t->halving.n_trial ? corrupt(db, "its number of trials", err) : status;
}

static sdn_status read_training(sdn_db *db, const sdn_db_answer *a, sdn_trials *t, sdn_err *err)
{
  const long trial = sdn_db_long(a, 0), rung = sdn_db_long(a, 1);
  const sdn_halving *h = &t->halving;
  int state = SDN_TRAINING_RUNS;
  while (state <= SDN_TRAINING_FAILED && strcmp(state_name[state], sdn_db_text(a, 2)) != 0) state++;
  if (trial < 0 || trial >= h->n_trial || rung < 0 || rung > h->n_rung || state > SDN_TRAINING_FAILED) return corrupt(db, "a training of its", err);
  sdn_training *g = &t->training[rung * h->n_trial + trial];
  *g = (sdn_training){.heartbeat = sdn_db_double(a, 4), .started = sdn_db_double(a, 5), .seconds = sdn_db_double(a, 6), .gain = sdn_db_double(a, 7),
                      .test_gain = sdn_db_double(a, 8), .test_gain_error = sdn_db_double(a, 9), .rows_per_second = sdn_db_double(a, 10),
                      .n_weight = sdn_db_long(a, 11)};
  snprintf(g->owner, sizeof g->owner, "%s", sdn_db_text(a, 3));
  snprintf(g->note, sizeof g->note, "%s", sdn_db_text(a, 12));
  if (state == SDN_TRAINING_DONE && !isfinite(g->gain)) return corrupt(db, "the gain of a training", err);
  if (rung == h->n_rung) t->posterior[trial] = (sdn_training_state)state;
  else h->score[rung * h->n_trial + trial] = (sdn_score){(sdn_training_state)state, g->gain};
  return SDN_OK;
}

static sdn_status read_trainings(sdn_db *db, sdn_trials *t, sdn_err *err)
{
  sdn_db_answer *a;
  bool row = false;
  sdn_status status = sdn_db_ask(db, &a, err, "SELECT trial, rung, state, owner, heartbeat, started, seconds, gain, test_gain, test_gain_error, rows_per_second, n_weight,"
                                 " note FROM training", "");
  while (!status && !(status = sdn_db_next(a, &row, err)) && row) status = read_training(db, a, t, err);
  sdn_db_answer_free(a);
  return status;
}

/* Within a transaction or not. */
static sdn_status load(sdn_db *db, sdn_trials **out, sdn_err *err)
{
  *out = NULL;
  sdn_trials *t = sdn_alloc(1, sizeof *t, "a study's trials", err);
  if (!t) return err->status;
  if (make_trials(db, t, err) || read_options(db, t, err) || read_trainings(db, t, err)) {
    sdn_trials_free(t);
    return err->status;
  }
  *out = t;
  return SDN_OK;
}

sdn_status sdn_study_load(sdn_study *s, sdn_trials **trials, sdn_err *err) { return load(s->db, trials, err); }

void sdn_trials_free(sdn_trials *t)
{
  if (!t) return;
  sdn_release(t->library);
  sdn_release(t->halving.score);
  sdn_release(t->training);
  sdn_release(t->posterior);
  sdn_release(t->options);
  sdn_release(t);
}

sdn_status sdn_study_read(const char *path, sdn_trials **trials, sdn_err *err)
{
  sdn_db *db = NULL;
  *trials = NULL;
  if (!sdn_file_exists(path)) return sdn_fail(err, SDN_IO, "there is no study %s", path);
  if (!sdn_db_is_one(path)) return sdn_fail(err, SDN_FORMAT, "%s is no SQLite database; `sedna tune` makes studies", path);
  sdn_status status = sdn_db_open(path, SDN_STUDY_KIND, &db, err);
  if (!status) status = load(db, trials, err);
  sdn_db_close(db);
  return status;
}

/* ------------------------------------------------------------------ claims */

/* Nobody's claims wait again. */
static void drop_abandoned(sdn_study *s, sdn_trials *t)
{
  const sdn_halving *h = &t->halving;
  const double oldest = now() - s->abandon_seconds;
  for (int i = 0; i < h->n_trial * h->n_rung; i++)
    if (h->score[i].state == SDN_TRAINING_RUNS && !(t->training[i].heartbeat >= oldest)) h->score[i].state = SDN_TRAINING_WAITS;
}

static sdn_status take(sdn_study *s, int trial, int rung, sdn_err *err)
{
  if (sdn_db_do(s->db, err, "INSERT OR REPLACE INTO training (trial, rung, state, owner, heartbeat, started) VALUES (?1, ?2, 'running', ?3, ?4, ?4)", "lltd",
                (long)trial, (long)rung, s->owner, now()))
    return err->status;
  s->trial = trial;
  s->rung = rung;
  return SDN_OK;
}

static sdn_status choose(sdn_study *s, sdn_claim *claim, int *trial, int *rung, sdn_err *err)
{
  sdn_trials *t;
  bool runs = false;
  if (load(s->db, &t, err)) return err->status;
  drop_abandoned(s, t);
  sdn_status status = SDN_OK;
  if (sdn_halving_next(&t->halving, trial, rung)) {
    *claim = SDN_CLAIM_GOT;
    status = take(s, *trial, *rung, err);
  } else {
    for (int i = 0; i < t->halving.n_trial * t->halving.n_rung; i++) runs = runs || t->halving.score[i].state == SDN_TRAINING_RUNS;
    *claim = runs ? SDN_CLAIM_WAIT : SDN_CLAIM_COMPLETE;
  }
  sdn_trials_free(t);
  return status;
}

sdn_status sdn_study_claim(sdn_study *s, sdn_claim *claim, int *trial, int *rung, sdn_err *err)
{
  if (sdn_db_begin(s->db, err)) return err->status;
  return sdn_db_end(s->db, choose(s, claim, trial, rung, err), err);
}

static sdn_status choose_posterior(sdn_study *s, int trial, const char *path, bool *got, sdn_err *err)
{
  sdn_trials *t;
  if (load(s->db, &t, err)) return err->status;
  const int rung = t->halving.n_rung;
  const sdn_training *g = sdn_training_of(t, trial, rung);
  const bool busy = t->posterior[trial] == SDN_TRAINING_RUNS && g->heartbeat >= now() - s->abandon_seconds;
  const bool there = t->posterior[trial] == SDN_TRAINING_DONE && !strcmp(g->note, path) && sdn_file_exists(path);
  *got = !busy && !there;
  sdn_trials_free(t);
  return *got ? take(s, trial, rung, err) : SDN_OK;
}

sdn_status sdn_study_claim_posterior(sdn_study *s, int trial, const char *path, bool *got, sdn_err *err)
{
  if (sdn_db_begin(s->db, err)) return err->status;
  return sdn_db_end(s->db, choose_posterior(s, trial, path, got, err), err);
}

sdn_status sdn_study_beat(sdn_study *s, bool *held, sdn_err *err)
{
  if (sdn_db_do(s->db, err, "UPDATE training SET heartbeat = ?1 WHERE trial = ?2 AND rung = ?3 AND owner = ?4 AND state = 'running'", "dllt", now(), (long)s->trial,
                (long)s->rung, s->owner))
    return err->status;
  *held = sdn_db_n_changed(s->db) == 1;
  return SDN_OK;
}

sdn_status sdn_study_finish(sdn_study *s, const sdn_train_summary *r, const char *failed, const char *note, sdn_err *err)
{
  const bool done = !failed;
  const sdn_status status =
    sdn_db_do(s->db, err, "UPDATE training SET state = ?1, heartbeat = ?2, seconds = ?3, gain = ?4, test_gain = ?5, test_gain_error = ?6, rows_per_second = ?7,"
              " n_weight = ?8, note = ?9 WHERE trial = ?10 AND rung = ?11 AND owner = ?12 AND state = 'running'", "tddddddltllt",
              state_name[done ? SDN_TRAINING_DONE : SDN_TRAINING_FAILED], now(), done ? r->seconds : (double)NAN, done ? r->best_validation_ln_q : (double)NAN,
              done ? r->test_ln_q : (double)NAN, done ? r->test_ln_q_error : (double)NAN, done ? r->rows_per_second : (double)NAN, done ? r->n_weight : 0L,
              done ? note : failed, (long)s->trial, (long)s->rung, s->owner);
  s->trial = -1;
  return status;
}

sdn_status sdn_study_release(sdn_study *s, sdn_err *err)
{
  if (s->trial < 0) return SDN_OK;
  const sdn_status status = sdn_db_do(s->db, err, "DELETE FROM training WHERE trial = ?1 AND rung = ?2 AND owner = ?3 AND state = 'running'", "llt", (long)s->trial,
                                      (long)s->rung, s->owner);
  s->trial = -1;
  return status;
}
