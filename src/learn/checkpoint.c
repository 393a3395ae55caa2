/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/checkpoint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "learn/posterior.h"

#define FORMAT "sedna checkpoint"
#define MAX_HISTORY (1L << 24)

/* The state's parts, by name: one list for writing and reading. */
#define N_BLOCK 8
#define N_COUNT 7
#define N_NUMBER 5
typedef struct parts {
  struct { const char *name; float *value; long n; } block[N_BLOCK];
  struct { const char *name; long *value; } count[N_COUNT];
  struct { const char *name; double *value; } number[N_NUMBER];
} parts;

static parts list_parts(const sdn_trainer *t, sdn_train_state *s)
{
  const long n = (long)t->net->n_number, f = t->scaling.n;
  return (parts){
    .block = {{"weights", s->weights, n}, {"first_moment", s->first, n}, {"second_moment", s->second, n}, {"average", s->average, n},
              {"best", s->best, n}, {"reference", s->reference, t->source.n[SDN_SPLIT_VALIDATION]}, {"feature_mean", t->scaling.mean, f}, {"feature_scale", t->scaling.scale, f}},
    .count = {{"step", &s->step}, {"adam_step", &s->adam_step}, {"epoch", &s->epoch}, {"place", &s->place}, {"n_restart", &s->n_restart},
              {"since_gain", &s->since_gain}, {"n_history", &s->n_history}},
    .number = {{"rate_factor", &s->rate_factor}, {"best_gain", &s->best_gain}, {"seconds", &s->seconds}, {"epoch_gain", &s->epoch_gain},
               {"fall_from", &s->fall_from}}};
}

static sdn_status write_state(sdn_h5 *file, const char *config, const sdn_trainer *t, sdn_err *err)
{
  sdn_train_state state = t->state;
  const parts p = list_parts(t, &state);
  const sdn_h5_shape history = {.n_dim = 2, .dim = {state.n_history, SDN_N_HISTORY}};
  for (int i = 0; i < N_BLOCK; i++) {
    const sdn_h5_shape shape = {.n_dim = 1, .dim = {p.block[i].n}};
    if (sdn_h5_make(file, p.block[i].name, SDN_H5_FLOAT, &shape, p.block[i].value, err)) return err->status;
  }
  if (state.n_history > 0 && sdn_h5_make(file, "history", SDN_H5_DOUBLE, &history, state.history, err)) return err->status;
  for (int i = 0; i < N_COUNT; i++)
    if (sdn_h5_set_long(file, "/", p.count[i].name, *p.count[i].value, err)) return err->status;
  for (int i = 0; i < N_NUMBER; i++)
    if (sdn_h5_set_double(file, "/", p.number[i].name, *p.number[i].value, err)) return err->status;
  if (sdn_h5_set_text(file, "/", "config", config, err)) return err->status;
  return sdn_h5_set_text(file, "/", "format", FORMAT, err);
}

sdn_status sdn_checkpoint_write(const char *path, const char *config, const sdn_trainer *t, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_err closing;
  char *part = sdn_part_name(path, err);
  if (!part) return err->status;
  sdn_status status = sdn_h5_create(part, &file, err);
  if (!status) {
    status = write_state(file, config, t, err);
    if (sdn_h5_close(file, status ? &closing : err) && !status) status = err->status;
    if (!status) status = sdn_part_finish(part, path, err);
    if (status) remove(part);
  }
  sdn_release(part);
  return status;
}

/* The first line in which two configurations differ, as a sentence. */
sdn_status sdn_compare_config(const char *path, const char *have, const char *want, sdn_err *err)
{
  while (*have && *want) {
    const int n_have = (int)strcspn(have, "\n"), n_want = (int)strcspn(want, "\n");
    if (n_have != n_want || strncmp(have, want, (size_t)n_have) != 0)
      return sdn_fail(err, SDN_USAGE, "%s is of a training with %.*s, but this one has %.*s; use the same options and library, or remove that file",
                      path, n_have, have, n_want, want);
    have += n_have + (have[n_have] == '\n');
    want += n_want + (want[n_want] == '\n');
  }
  return *have || *want ? sdn_fail(err, SDN_USAGE, "%s is of a training with other options; remove that file", path) : SDN_OK;
}

static sdn_status check_origin(const sdn_h5 *file, const char *path, const char *config, sdn_err *err)
{
  char *format = NULL, *have = NULL;
  sdn_status status = SDN_OK;
  if (sdn_h5_get_text(file, "/", "format", &format, err) || strcmp(format, FORMAT) != 0)
    status = sdn_fail(err, SDN_FORMAT, "%s is no checkpoint of sedna; remove it, or give another output name", path);
  else if ((status = sdn_h5_get_text(file, "/", "config", &have, err)) == SDN_OK) status = sdn_compare_config(path, have, config, err);
  sdn_release(format);
  sdn_release(have);
  return status;
}

static sdn_status read_history(const sdn_h5 *file, sdn_train_state *s, sdn_err *err)
{
  sdn_h5_shape shape;
  if (!(s->n_history >= 0 && s->n_history < MAX_HISTORY))
    return sdn_fail(err, SDN_FORMAT, "%s: %ld validations; the file is corrupt", sdn_h5_path(file), s->n_history);
  if (s->n_history == 0) return SDN_OK;
  if (sdn_h5_shape_of(file, "history", &shape, err)) return err->status;
  if (shape.n_dim != 2 || shape.dim[0] != s->n_history || shape.dim[1] != SDN_N_HISTORY)
    return sdn_fail(err, SDN_FORMAT, "%s: the history has another shape than its count says; the file is corrupt", sdn_h5_path(file));
  sdn_release(s->history);
  s->room = s->n_history;
  s->history = sdn_alloc((size_t)s->room, sizeof *s->history, "the history of training", err);
  if (!s->history) return err->status;
  return sdn_h5_read_rows(file, "history", SDN_H5_DOUBLE, 0, s->n_history, s->history, err);
}

static sdn_status read_state(const sdn_h5 *file, sdn_trainer *t, sdn_err *err)
{
  sdn_train_state *s = &t->state;
  const parts p = list_parts(t, s);
  for (int i = 0; i < N_BLOCK; i++) {
    const sdn_h5_shape shape = {.n_dim = 1, .dim = {p.block[i].n}};
    if (sdn_read_block(file, p.block[i].name, &shape, p.block[i].value, err)) return err->status;
  }
  for (int i = 0; i < N_COUNT; i++)
    if (sdn_h5_get_long(file, "/", p.count[i].name, p.count[i].value, err)) return err->status;
  for (int i = 0; i < N_NUMBER; i++)
    if (sdn_h5_get_double(file, "/", p.number[i].name, p.number[i].value, err)) return err->status;
  const bool sane = s->step >= 0 && s->adam_step >= 0 && s->epoch >= 0 && s->place >= 0 && s->place + t->plan.batch <= t->source.n[SDN_SPLIT_TRAIN] &&
                    s->rate_factor > 0 && s->rate_factor <= 1 && s->seconds >= 0 && s->fall_from >= -1;
  if (!sane) return sdn_fail(err, SDN_FORMAT, "%s: its counters are impossible; the file is corrupt", sdn_h5_path(file));
  return read_history(file, s, err);
}

sdn_status sdn_checkpoint_read(const char *path, const char *config, sdn_trainer *t, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_err closing;
  if (sdn_h5_open(path, &file, err)) return err->status;
  sdn_status status = check_origin(file, path, config, err);
  if (!status) status = read_state(file, t, err);
  sdn_h5_close(file, &closing);   /* nothing was written */
  return status;
}
