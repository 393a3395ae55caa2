/* SPDX-License-Identifier: GPL-3.0-or-later */
/* posterior.h5:
 *   /            format, version, sedna_version, command, head, model_yaml, survey_yaml, physics_hash, free_names, free_units
 *   /network     sizes (n_free, n_feature, n_encoder, n_context, n_layer, n_hidden, n_bin, n_bin_first), checksum
 *     feature_mean, feature_scale [F]; encoder/..., context, context_bias, layerT/... : the weights that network.c lists, float32
 *   /training    every option of training, what came of it; history [n][6] */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "learn/posterior.h"

#define HEAD "spline_flow"
#define GROUP "network"

/* The sizes of a network, by name. */
typedef struct size_entry { const char *name; int *value; } size_entry;
#define N_SIZE 8
static void list_sizes(sdn_arch *a, size_entry *list)
{
  const size_entry all[N_SIZE] = {{"n_free", &a->n_free}, {"n_feature", &a->n_feature}, {"n_encoder", &a->n_encoder}, {"n_context", &a->n_context},
                                  {"n_layer", &a->n_layer}, {"n_hidden", &a->n_hidden}, {"n_bin", &a->n_bin}, {"n_bin_first", &a->n_bin_first}};
  memcpy(list, all, sizeof all);
}

static sdn_h5_shape weight_shape(const sdn_weight *w)
{
  return (sdn_h5_shape){.n_dim = w->n_col > 0 ? 2 : 1, .dim = {w->n_row, w->n_col}};
}

static uint64_t hash_text(const char *text, uint64_t hash) { return sdn_hash_bytes(text, strlen(text) + 1, hash); }

/* Of all that decides an answer: texts, names, scaling and weights. An altered file does not pass for the one that was written. */
typedef struct contents {
  const char *model_yaml, *survey_yaml, *physics_hash;
  int n_free; const char *const *name, *const *unit;
  const sdn_scaling *scaling;
  const float *weights; size_t n_number;
} contents;

static void checksum(const contents *c, char text[24])
{
  const size_t f = (size_t)c->scaling->n * sizeof(float);
  uint64_t hash = hash_text(c->physics_hash, hash_text(c->survey_yaml, hash_text(c->model_yaml, 0)));
  for (int i = 0; i < c->n_free; i++) hash = hash_text(c->unit[i], hash_text(c->name[i], hash));
  hash = sdn_hash_bytes(c->scaling->mean, f, hash);
  hash = sdn_hash_bytes(c->scaling->scale, f, hash);
  hash = sdn_hash_bytes(c->weights, c->n_number * sizeof(float), hash);
  snprintf(text, 24, "%016" PRIx64, hash);
}

static sdn_status write_network(sdn_h5 *file, const sdn_trainer *t, const sdn_posterior_origin *o, sdn_err *err)
{
  const sdn_network *net = t->net;
  sdn_arch arch = net->arch;
  size_entry size[N_SIZE];
  char name[64], sum[24];
  const sdn_h5_shape features = {.n_dim = 1, .dim = {t->scaling.n}};
  if (sdn_h5_make(file, GROUP "/feature_mean", SDN_H5_FLOAT, &features, t->scaling.mean, err)) return err->status;
  if (sdn_h5_make(file, GROUP "/feature_scale", SDN_H5_FLOAT, &features, t->scaling.scale, err)) return err->status;
  for (int i = 0; i < net->n_weight; i++) {
    const sdn_h5_shape shape = weight_shape(&net->weight[i]);
    if (net->weight[i].n_row == 0) continue;   /* a network of one coordinate has no hidden units */
    snprintf(name, sizeof name, GROUP "/%s", net->weight[i].name);
    if (sdn_h5_make(file, name, SDN_H5_FLOAT, &shape, t->state.best + net->weight[i].offset, err)) return err->status;
  }
  list_sizes(&arch, size);
  for (int i = 0; i < N_SIZE; i++)
    if (sdn_h5_set_long(file, GROUP, size[i].name, *size[i].value, err)) return err->status;
  const contents c = {o->model_yaml, o->survey_yaml, o->physics_hash, o->n_free, o->free_name, o->free_unit, &t->scaling, t->state.best, net->n_number};
  checksum(&c, sum);
  return sdn_h5_set_text(file, GROUP, "checksum", sum, err);
}

static sdn_status write_origin(sdn_h5 *file, const sdn_posterior_origin *o, sdn_err *err)
{
  const struct { const char *name, *value; } texts[] = {
    {"format", SDN_POSTERIOR_FORMAT}, {"sedna_version", SDN_VERSION}, {"head", HEAD}, {"command", o->command ? o->command : ""},
    {"model_yaml", o->model_yaml}, {"survey_yaml", o->survey_yaml}, {"physics_hash", o->physics_hash}};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (sdn_h5_set_text(file, "/", texts[i].name, texts[i].value, err)) return err->status;
  if (sdn_h5_set_long(file, "/", "version", SDN_POSTERIOR_VERSION, err)) return err->status;
  if (sdn_h5_set_texts(file, "/", "free_names", o->free_name, (size_t)o->n_free, err)) return err->status;
  return sdn_h5_set_texts(file, "/", "free_units", o->free_unit, (size_t)o->n_free, err);
}

static sdn_status write_option(sdn_h5 *file, const sdn_knob *k, const void *options, sdn_err *err)
{
  const char *field = (const char *)options + k->offset;
  switch (k->kind) {
  case SDN_KNOB_LONG: return sdn_h5_set_long(file, "training", k->name, *(const long *)(const void *)field, err);
  case SDN_KNOB_DOUBLE: return sdn_h5_set_double(file, "training", k->name, *(const double *)(const void *)field, err);
  default: return SDN_OK;   /* names of files and flags of the run say nothing about the network */
  }
}

static sdn_status write_training(sdn_h5 *file, const sdn_trainer *t, const sdn_posterior_origin *o, sdn_err *err)
{
  static const char *const columns[SDN_N_HISTORY] = {"epoch", "step", "seconds", "rate", "train_gain", "validation_gain"};
  const sdn_train_summary *s = o->summary;
  const struct { const char *name; double value; } numbers[] = {
    {"validation_gain", s->best_validation_ln_q}, {"test_gain", s->test_ln_q}, {"test_gain_error", s->test_ln_q_error}, {"seconds", s->seconds}};
  const struct { const char *name; long value; } counts[] = {
    {"n_train", s->n_train}, {"n_validation", s->n_validation}, {"n_test", s->n_test}, {"n_step", s->n_step}};
  const sdn_h5_shape shape = {.n_dim = 2, .dim = {t->state.n_history, SDN_N_HISTORY}};
  if (sdn_h5_make(file, "training/history", SDN_H5_DOUBLE, &shape, t->state.history, err)) return err->status;
  if (sdn_h5_set_texts(file, "training/history", "names", columns, SDN_N_HISTORY, err)) return err->status;
  for (size_t i = 0; i < sdn_n_train_knob; i++)
    if (write_option(file, &sdn_train_knobs[i], o->options, err)) return err->status;
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
    if (sdn_h5_set_double(file, "training", numbers[i].name, numbers[i].value, err)) return err->status;
  for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
    if (sdn_h5_set_long(file, "training", counts[i].name, counts[i].value, err)) return err->status;
  return SDN_OK;
}

sdn_status sdn_posterior_write(const char *path, const sdn_trainer *t, const sdn_posterior_origin *origin, sdn_err *err)
{
  sdn_h5 *file = NULL;
  char *part = sdn_part_name(path, err);
  if (!part) return err->status;
  sdn_status status = sdn_h5_create(part, &file, err);
  if (status) goto done;
  if (write_network(file, t, origin, err) || write_training(file, t, origin, err) || write_origin(file, origin, err)) status = err->status;
  sdn_err closing;
  if (sdn_h5_close(file, status ? &closing : err) && !status) status = err->status;
  if (!status) status = sdn_part_finish(part, path, err);
  if (status) remove(part);
done:
  sdn_release(part);
  return status;
}

/* -- reading -- */

static sdn_status check_shape(const sdn_h5 *file, const char *name, const sdn_h5_shape *shape, sdn_err *err)
{
  sdn_h5_shape have;
  if (sdn_h5_shape_of(file, name, &have, err)) return err->status;
  bool same = have.n_dim == shape->n_dim;
  for (int i = 0; same && i < shape->n_dim; i++) same = have.dim[i] == shape->dim[i];
  if (same) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "%s: dataset '%s' has not the shape that the network's sizes ask for; the file is corrupt", sdn_h5_path(file), name);
}

sdn_status sdn_read_block(const sdn_h5 *file, const char *name, const sdn_h5_shape *shape, float *out, sdn_err *err)
{
  sdn_h5_shape have;
  float *values = NULL;
  size_t n = 1;
  if (check_shape(file, name, shape, err)) return err->status;
  if (sdn_h5_read_float(file, name, &values, &have, err)) return err->status;
  for (int i = 0; i < shape->n_dim; i++) n *= (size_t)shape->dim[i];
  memcpy(out, values, n * sizeof *out);
  sdn_release(values);
  for (size_t i = 0; i < n; i++)
    if (!isfinite(out[i])) return sdn_fail(err, SDN_FORMAT, "%s: dataset '%s' holds a number that is not finite; the file is corrupt", sdn_h5_path(file), name);
  return SDN_OK;
}

static sdn_status check_format(const sdn_h5 *file, sdn_err *err)
{
  char *format = NULL, *head = NULL;
  long version;
  const char *path = sdn_h5_path(file);
  sdn_status status = SDN_OK;
  if (!sdn_h5_has_attr(file, "/", "format") || sdn_h5_get_text(file, "/", "format", &format, err) || strcmp(format, SDN_POSTERIOR_FORMAT) != 0) {
    status = sdn_fail(err, SDN_FORMAT, "%s is %s, not a sedna posterior; `sedna train` makes one", path, format ? format : "an HDF5 file of another kind");
    goto done;
  }
  if ((status = sdn_h5_get_long(file, "/", "version", &version, err))) goto done;
  if (version != SDN_POSTERIOR_VERSION) {
    status = sdn_fail(err, SDN_FORMAT, "%s is a posterior of version %ld, this program reads version %d; train again or use that version's program", path,
                      version, SDN_POSTERIOR_VERSION);
    goto done;
  }
  if ((status = sdn_h5_get_text(file, "/", "head", &head, err))) goto done;
  if (strcmp(head, HEAD) != 0) status = sdn_fail(err, SDN_FORMAT, "%s has a head of kind '%s', this program knows '%s'", path, head, HEAD);
done:
  sdn_release(format);
  sdn_release(head);
  return status;
}

static sdn_status read_names(const sdn_h5 *file, sdn_posterior *p, int *n_free, sdn_err *err)
{
  size_t n_name, n_unit;
  if (sdn_h5_get_texts(file, "/", "free_names", &p->free_name, &n_name, err)) return err->status;
  if (sdn_h5_get_texts(file, "/", "free_units", &p->free_unit, &n_unit, err)) return err->status;
  if (n_name != n_unit || n_name < 1 || n_name > SDN_MAX_FREE)
    return sdn_fail(err, SDN_FORMAT, "%s names %zu free parameters and %zu units; the file is corrupt", sdn_h5_path(file), n_name, n_unit);
  *n_free = (int)n_name;
  return SDN_OK;
}

static sdn_status read_origin(const sdn_h5 *file, sdn_posterior *p, int *n_free, sdn_err *err)
{
  char *survey = NULL;
  if (sdn_h5_get_text(file, "/", "model_yaml", &p->model_yaml, err)) return err->status;
  if (sdn_h5_get_text(file, "/", "physics_hash", &p->physics_hash, err)) return err->status;
  if (sdn_h5_get_text(file, "/", "survey_yaml", &survey, err)) return err->status;
  sdn_status status = sdn_survey_parse(survey, sdn_h5_path(file), &p->survey, err);
  sdn_release(survey);
  return status ? status : read_names(file, p, n_free, err);
}

static sdn_status read_sizes(const sdn_h5 *file, const sdn_posterior *p, int n_free, sdn_arch *arch, sdn_err *err)
{
  size_entry size[N_SIZE];
  list_sizes(arch, size);
  for (int i = 0; i < N_SIZE; i++) {
    long value;
    if (sdn_h5_get_long(file, GROUP, size[i].name, &value, err)) return err->status;
    if (!(value >= 0 && value < 1 << 20)) return sdn_fail(err, SDN_FORMAT, "%s: %s is %ld; the file is corrupt", sdn_h5_path(file), size[i].name, value);
    *size[i].value = (int)value;
  }
  if (arch->n_free == 1 && arch->n_hidden == 0) arch->n_hidden = 1;   /* as asked for: sdn_network_new takes it away again */
  if (arch->n_free != n_free || arch->n_feature != sdn_survey_n_feature(p->survey))
    return sdn_fail(err, SDN_FORMAT, "%s: the network takes %d features and gives %d parameters, but its survey has %d and its names are %d; "
                    "it is of another version of this program, or corrupt: train again",
                    sdn_h5_path(file), arch->n_feature, arch->n_free, sdn_survey_n_feature(p->survey), n_free);
  return SDN_OK;
}

/* Calls `visit` for every dataset of weights that the network has. */
typedef sdn_status visit_fn(const sdn_h5 *file, const char *name, const sdn_h5_shape *shape, float *out, sdn_err *err);
static sdn_status visit_weights(const sdn_h5 *file, const sdn_network *net, visit_fn *visit, float *weights, sdn_err *err)
{
  for (int i = 0; i < net->n_weight; i++) {
    const sdn_h5_shape shape = weight_shape(&net->weight[i]);
    char name[64];
    if (net->weight[i].n_row == 0) continue;
    snprintf(name, sizeof name, GROUP "/%s", net->weight[i].name);
    if (visit(file, name, &shape, weights ? weights + net->weight[i].offset : NULL, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status look_at_shape(const sdn_h5 *file, const char *name, const sdn_h5_shape *shape, float *out, sdn_err *err)
{
  (void)out;
  return check_shape(file, name, shape, err);
}

static sdn_status check_sum(const sdn_h5 *file, const sdn_posterior *p, sdn_err *err)
{
  const contents c = {p->model_yaml, sdn_survey_yaml(p->survey), p->physics_hash, p->net->arch.n_free, (const char *const *)p->free_name,
                      (const char *const *)p->free_unit, &p->scaling, p->weights, p->net->n_number};
  char sum[24], *expected = NULL;
  if (sdn_h5_get_text(file, GROUP, "checksum", &expected, err)) return err->status;
  checksum(&c, sum);
  const bool right = strcmp(sum, expected) == 0;
  sdn_release(expected);
  if (right) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "%s does not agree with its own checksum; it was altered or damaged: copy it again, or train again", sdn_h5_path(file));
}

static sdn_status read_weights(const sdn_h5 *file, sdn_posterior *p, sdn_err *err)
{
  const sdn_network *net = p->net;
  const sdn_h5_shape features = {.n_dim = 1, .dim = {net->arch.n_feature}};
  const size_t f = (size_t)net->arch.n_feature;
  if (visit_weights(file, net, look_at_shape, NULL, err)) return err->status;   /* before memory is asked for */
  p->scaling.n = net->arch.n_feature;
  if (!(p->scaling.mean = sdn_alloc(f, sizeof(float), "a posterior", err)) || !(p->scaling.scale = sdn_alloc(f, sizeof(float), "a posterior", err)) ||
      !(p->weights = sdn_alloc(net->n_number, sizeof *p->weights, "a posterior", err)))
    return err->status;
  if (sdn_read_block(file, GROUP "/feature_mean", &features, p->scaling.mean, err)) return err->status;
  if (sdn_read_block(file, GROUP "/feature_scale", &features, p->scaling.scale, err)) return err->status;
  if (visit_weights(file, net, sdn_read_block, p->weights, err)) return err->status;
  return check_sum(file, p, err);
}

static sdn_status read_posterior(const sdn_h5 *file, sdn_posterior *p, sdn_err *err)
{
  int n_free = 0;
  sdn_arch arch;
  if (check_format(file, err) || read_origin(file, p, &n_free, err) || read_sizes(file, p, n_free, &arch, err)) return err->status;
  if (sdn_network_new(&arch, &p->net, err)) {
    err->status = SDN_FORMAT;   /* sizes that no network can have come from a corrupt file */
    return sdn_fail_in(err, "%s", sdn_h5_path(file));
  }
  return read_weights(file, p, err);
}

sdn_status sdn_posterior_open(const char *path, sdn_posterior **out, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_err closing;
  *out = NULL;
  if (sdn_h5_open(path, &file, err)) return err->status;
  sdn_posterior *p = sdn_alloc(1, sizeof *p, "a posterior", err);
  const sdn_status status = p ? read_posterior(file, p, err) : err->status;
  sdn_h5_close(file, &closing);   /* nothing was written */
  if (status) sdn_posterior_free(p);
  else *out = p;
  return status;
}
