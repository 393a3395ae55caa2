/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>

#include "base/file.h"
#include "learn/posterior_layout.h"

static sdn_status write_sizes(sdn_h5 *file, const char *group, const sdn_arch *arch, sdn_err *err)
{
  sdn_arch copy = *arch;
  sdn_size size[SDN_N_SIZE];
  sdn_arch_sizes(&copy, size);
  for (int i = 0; i < SDN_N_SIZE; i++)
    if (sdn_h5_set_long(file, group, size[i].name, *size[i].value, err)) return err->status;
  if (sdn_h5_set_text(file, group, "head", sdn_head_name(arch->head), err)) return err->status;
  return sdn_h5_set_text(file, group, "encoder", sdn_encoder_name(arch->encoder), err);
}

static sdn_status write_member(sdn_h5 *file, int k, const sdn_member *m, sdn_err *err)
{
  const sdn_network *net = m->net;
  const sdn_h5_shape features = {.n_dim = 1, .dim = {m->scaling.n}};
  char name[96];
  if (sdn_h5_make(file, sdn_member_name(k, "feature_mean", name), SDN_H5_FLOAT, &features, m->scaling.mean, err)) return err->status;
  if (sdn_h5_make(file, sdn_member_name(k, "feature_scale", name), SDN_H5_FLOAT, &features, m->scaling.scale, err)) return err->status;
  for (int i = 0; i < net->n_weight; i++) {
    const sdn_h5_shape shape = sdn_weight_shape(&net->weight[i]);
    if (sdn_weight_is_empty(&net->weight[i])) continue;
    if (sdn_h5_make(file, sdn_member_name(k, net->weight[i].name, name), SDN_H5_FLOAT, &shape, m->weights + net->weight[i].offset, err)) return err->status;
  }
  if (write_sizes(file, sdn_member_name(k, NULL, name), &net->arch, err)) return err->status;
  return sdn_h5_set_double(file, name, "weight", m->weight, err);
}

static sdn_status write_origin(sdn_h5 *file, const char *command, const sdn_posterior_contents *c, sdn_err *err)
{
  char sum[24];
  sdn_posterior_checksum(c, sum);
  const struct { const char *name, *value; } texts[] = {
    {"format", SDN_POSTERIOR_FORMAT}, {"sedna_version", SDN_VERSION}, {"command", command ? command : ""}, {"model_yaml", c->model_yaml},
    {"survey_yaml", c->survey_yaml}, {"physics_hash", c->physics_hash}, {"checksum", sum}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (sdn_h5_set_text(file, "/", texts[i].name, texts[i].value, err)) return err->status;
  if (sdn_h5_set_long(file, "/", "version", SDN_POSTERIOR_VERSION, err) || sdn_h5_set_long(file, "/", "n_member", c->n_member, err)) return err->status;
  if (sdn_h5_set_texts(file, "/", "free_names", c->name, (size_t)c->n_free, err)) return err->status;
  return sdn_h5_set_texts(file, "/", "free_units", c->unit, (size_t)c->n_free, err);
}

static sdn_status write_option(sdn_h5 *file, const char *group, const sdn_knob *k, const void *options, sdn_err *err)
{
  const char *field = (const char *)options + k->offset;
  switch (k->kind) {
  case SDN_KNOB_LONG: return sdn_h5_set_long(file, group, k->name, *(const long *)(const void *)field, err);
  case SDN_KNOB_DOUBLE: return sdn_h5_set_double(file, group, k->name, *(const double *)(const void *)field, err);
  case SDN_KNOB_TEXT:
    if (strcmp(k->unit, "KIND") == 0) return sdn_h5_set_text(file, group, k->name, *(char *const *)(const void *)field, err);
    return SDN_OK;
  default: return SDN_OK;   /* names of files and flags of the run say nothing about the network */
  }
}

static sdn_status write_training(sdn_h5 *file, const sdn_trainer *t, const sdn_posterior_origin *o, sdn_err *err)
{
  static const char *const columns[SDN_N_HISTORY] = {"epoch", "step", "seconds", "rate", "train_gain", "validation_gain"};
  static const char group[] = "member0/training", history[] = "member0/training/history";
  const sdn_train_summary *s = o->summary;
  const struct { const char *name; double value; } numbers[] = {
    {"validation_gain", s->best_validation_ln_q}, {"test_gain", s->test_ln_q}, {"test_gain_error", s->test_ln_q_error}, {"seconds", s->seconds}};
  const struct { const char *name; long value; } counts[] = {
    {"n_train", s->n_train}, {"n_validation", s->n_validation}, {"n_test", s->n_test}, {"n_step", s->n_step}};
  const sdn_h5_shape shape = {.n_dim = 2, .dim = {t->state.n_history, SDN_N_HISTORY}};
  if (sdn_h5_make(file, history, SDN_H5_DOUBLE, &shape, t->state.history, err)) return err->status;
  if (sdn_h5_set_texts(file, history, "names", columns, SDN_N_HISTORY, err)) return err->status;
  for (size_t i = 0; i < sdn_n_train_knob; i++)
    if (write_option(file, group, &sdn_train_knobs[i], o->options, err)) return err->status;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (sdn_h5_set_double(file, group, numbers[i].name, numbers[i].value, err)) return err->status;
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    if (sdn_h5_set_long(file, group, counts[i].name, counts[i].value, err)) return err->status;
  return sdn_h5_set_text(file, group, "config", o->config, err);
}

/* Makes PATH by way of PATH.part: `fill` writes into the open file. */
typedef sdn_status fill_fn(sdn_h5 *file, const void *ctx, sdn_err *err);
static sdn_status write_file(const char *path, fill_fn *fill, const void *ctx, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_err closing;
  char *part = sdn_part_name(path, err);
  if (!part) return err->status;
  sdn_status status = sdn_h5_create(part, &file, err);
  if (status) goto done;
  status = fill(file, ctx, err);
  if (sdn_h5_close(file, status ? &closing : err) && !status) status = err->status;
  if (!status) status = sdn_part_finish(part, path, err);
  if (status) remove(part);
done:
  sdn_release(part);
  return status;
}

typedef struct trained { const sdn_trainer *t; const sdn_posterior_origin *origin; } trained;

static sdn_status fill_trained(sdn_h5 *file, const void *ctx, sdn_err *err)
{
  const trained *of = ctx;
  const sdn_posterior_origin *o = of->origin;
  const sdn_member member = {.weight = 1, .net = of->t->net, .weights = of->t->state.best, .scaling = of->t->scaling};
  const sdn_posterior_contents c = {o->model_yaml, o->survey_yaml, o->physics_hash, o->n_free, o->free_name, o->free_unit, 1, &member};
  if (write_member(file, 0, &member, err) || write_training(file, of->t, o, err)) return err->status;
  return write_origin(file, o->command, &c, err);
}

sdn_status sdn_posterior_write(const char *path, const sdn_trainer *t, const sdn_posterior_origin *origin, sdn_err *err)
{
  const trained of = {t, origin};
  return write_file(path, fill_trained, &of, err);
}

/* What came of member k's training, as its own file tells it. */
static sdn_status copy_training(sdn_h5 *file, int k, const sdn_member_origin *from, sdn_err *err)
{
  sdn_h5 *own = NULL;
  sdn_err ignored;
  char here[96], there[96];
  if (sdn_h5_open(from->path, &own, err)) return err->status;
  sdn_member_name(from->member, "training", there);
  const sdn_status status = sdn_h5_has(own, there) ? sdn_h5_copy(own, there, file, sdn_member_name(k, "training", here), err) : SDN_OK;
  sdn_h5_close(own, &ignored);
  return status;
}

typedef struct mixture { const sdn_posterior *p; const sdn_member_origin *origin; const char *command; } mixture;

static sdn_status fill_mixture(sdn_h5 *file, const void *ctx, sdn_err *err)
{
  const mixture *of = ctx;
  const sdn_posterior_contents c = sdn_contents_of(of->p);
  for (int k = 0; k < of->p->n_member; k++)
    if (write_member(file, k, &of->p->member[k], err) || copy_training(file, k, &of->origin[k], err)) return err->status;
  return write_origin(file, of->command, &c, err);
}

sdn_status sdn_posterior_save(const char *path, const sdn_posterior *p, const sdn_member_origin *origin, const char *command, sdn_err *err)
{
  const mixture of = {p, origin, command};
  return write_file(path, fill_mixture, &of, err);
}
