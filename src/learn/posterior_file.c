/* SPDX-License-Identifier: GPL-3.0-or-later */
/* posterior.h5:
 *   /            format, version, sedna_version, command, model_yaml, survey_yaml, physics_hash, free_names, free_units, n_member, checksum
 *   /memberK     weight, head, encoder, sizes (n_free, n_feature, n_token, n_encoder, n_depth, n_context, n_layer, n_hidden, n_bin, n_bin_first, n_component)
 *     feature_mean, feature_scale [F]; encoder/..., context, context_bias, ... : the weights that the network lists, float32
 *   /memberK/training   every option of training, what came of it; history [n][6] */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "learn/posterior.h"

static sdn_h5_shape weight_shape(const sdn_weight *w)
{
  return (sdn_h5_shape){.n_dim = w->n_col > 0 ? 2 : 1, .dim = {w->n_row, w->n_col}};
}

static uint64_t hash_text(const char *text, uint64_t hash) { return sdn_hash_bytes(text, strlen(text) + 1, hash); }

/* A network of one coordinate has no hidden units. */
static bool is_empty(const sdn_weight *w) { return w->n_row == 0; }

/* Of all that decides an answer: texts, names, members. An altered file does not pass for the one that was written. */
typedef struct contents {
  const char *model_yaml, *survey_yaml, *physics_hash;
  int n_free; const char *const *name, *const *unit;
  int n_member; const sdn_member *member;
} contents;

static uint64_t hash_member(const sdn_member *m, uint64_t hash)
{
  const size_t f = (size_t)m->scaling.n * sizeof(float);
  hash = hash_text(sdn_encoder_name(m->net->arch.encoder), hash_text(sdn_head_name(m->net->arch.head), hash));
  hash = sdn_hash_bytes(&m->weight, sizeof m->weight, hash);
  hash = sdn_hash_bytes(m->scaling.mean, f, hash);
  hash = sdn_hash_bytes(m->scaling.scale, f, hash);
  return sdn_hash_bytes(m->weights, m->net->n_number * sizeof(float), hash);
}

static void checksum(const contents *c, char text[24])
{
  uint64_t hash = hash_text(c->physics_hash, hash_text(c->survey_yaml, hash_text(c->model_yaml, 0)));
  for (int i = 0; i < c->n_free; i++) hash = hash_text(c->unit[i], hash_text(c->name[i], hash));
  for (int k = 0; k < c->n_member; k++) hash = hash_member(&c->member[k], hash);
  snprintf(text, 24, "%016" PRIx64, hash);
}

/* "memberK" or "memberK/NAME". */
static const char *member_name(int k, const char *name, char text[96])
{
  snprintf(text, 96, "member%d%s%s", k, name ? "/" : "", name ? name : "");
  return text;
}

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
  if (sdn_h5_make(file, member_name(k, "feature_mean", name), SDN_H5_FLOAT, &features, m->scaling.mean, err)) return err->status;
  if (sdn_h5_make(file, member_name(k, "feature_scale", name), SDN_H5_FLOAT, &features, m->scaling.scale, err)) return err->status;
  for (int i = 0; i < net->n_weight; i++) {
    const sdn_h5_shape shape = weight_shape(&net->weight[i]);
    if (is_empty(&net->weight[i])) continue;
    if (sdn_h5_make(file, member_name(k, net->weight[i].name, name), SDN_H5_FLOAT, &shape, m->weights + net->weight[i].offset, err)) return err->status;
  }
  if (write_sizes(file, member_name(k, NULL, name), &net->arch, err)) return err->status;
  return sdn_h5_set_double(file, name, "weight", m->weight, err);
}

static sdn_status write_origin(sdn_h5 *file, const char *command, const contents *c, sdn_err *err)
{
  char sum[24];
  checksum(c, sum);
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
  return SDN_OK;
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
  const contents c = {o->model_yaml, o->survey_yaml, o->physics_hash, o->n_free, o->free_name, o->free_unit, 1, &member};
  if (write_member(file, 0, &member, err) || write_training(file, of->t, o, err)) return err->status;
  return write_origin(file, o->command, &c, err);
}

sdn_status sdn_posterior_write(const char *path, const sdn_trainer *t, const sdn_posterior_origin *origin, sdn_err *err)
{
  const trained of = {t, origin};
  return write_file(path, fill_trained, &of, err);
}

static contents contents_of(const sdn_posterior *p)
{
  return (contents){p->model_yaml, sdn_survey_yaml(p->survey), p->physics_hash, p->n_free, (const char *const *)p->free_name,
                    (const char *const *)p->free_unit, p->n_member, p->member};
}

typedef struct mixture { const sdn_posterior *p; const char *command; } mixture;

static sdn_status fill_mixture(sdn_h5 *file, const void *ctx, sdn_err *err)
{
  const mixture *of = ctx;
  const contents c = contents_of(of->p);
  for (int k = 0; k < of->p->n_member; k++)
    if (write_member(file, k, &of->p->member[k], err)) return err->status;
  return write_origin(file, of->command, &c, err);
}

sdn_status sdn_posterior_save(const char *path, const sdn_posterior *p, const char *command, sdn_err *err)
{
  const mixture of = {p, command};
  return write_file(path, fill_mixture, &of, err);
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
  char *format = NULL;
  long version;
  const char *path = sdn_h5_path(file);
  sdn_status status = SDN_OK;
  if (!sdn_h5_has_attr(file, "/", "format") || sdn_h5_get_text(file, "/", "format", &format, err) || strcmp(format, SDN_POSTERIOR_FORMAT) != 0)
    status = sdn_fail(err, SDN_FORMAT, "%s is %s, not a sedna posterior; `sedna train` makes one", path, format ? format : "an HDF5 file of another kind");
  else if ((status = sdn_h5_get_long(file, "/", "version", &version, err)) == SDN_OK && version != SDN_POSTERIOR_VERSION)
    status = sdn_fail(err, SDN_FORMAT, "%s is a posterior of version %ld, this program reads version %d; train again or use that version's program", path,
                      version, SDN_POSTERIOR_VERSION);
  sdn_release(format);
  return status;
}

static sdn_status read_names(const sdn_h5 *file, sdn_posterior *p, sdn_err *err)
{
  size_t n_name, n_unit;
  if (sdn_h5_get_texts(file, "/", "free_names", &p->free_name, &n_name, err)) return err->status;
  if (sdn_h5_get_texts(file, "/", "free_units", &p->free_unit, &n_unit, err)) return err->status;
  if (n_name != n_unit || n_name < 1 || n_name > SDN_MAX_FREE)
    return sdn_fail(err, SDN_FORMAT, "%s names %zu free parameters and %zu units; the file is corrupt", sdn_h5_path(file), n_name, n_unit);
  p->n_free = (int)n_name;
  return SDN_OK;
}

static sdn_status read_origin(const sdn_h5 *file, sdn_posterior *p, sdn_err *err)
{
  char *survey = NULL;
  if (sdn_h5_get_text(file, "/", "model_yaml", &p->model_yaml, err)) return err->status;
  if (sdn_h5_get_text(file, "/", "physics_hash", &p->physics_hash, err)) return err->status;
  if (sdn_h5_get_text(file, "/", "survey_yaml", &survey, err)) return err->status;
  sdn_status status = sdn_survey_parse(survey, sdn_h5_path(file), &p->survey, err);
  sdn_release(survey);
  return status ? status : read_names(file, p, err);
}

static sdn_status read_kind(const sdn_h5 *file, const char *group, const char *attr, sdn_status (*find)(const char *, int *, sdn_err *), int *kind, sdn_err *err)
{
  char *name = NULL;
  if (sdn_h5_get_text(file, group, attr, &name, err)) return err->status;
  const sdn_status status = find(name, kind, err);
  sdn_release(name);
  if (!status) return SDN_OK;
  err->status = SDN_FORMAT;
  return sdn_fail_in(err, "%s: %s", sdn_h5_path(file), group);
}

static sdn_status read_arch(const sdn_h5 *file, const sdn_posterior *p, const char *group, sdn_arch *arch, sdn_err *err)
{
  sdn_size size[SDN_N_SIZE];
  sdn_arch_sizes(arch, size);
  for (int i = 0; i < SDN_N_SIZE; i++) {
    long value;
    if (sdn_h5_get_long(file, group, size[i].name, &value, err)) return err->status;
    if (!(value >= 0 && value < 1 << 20)) return sdn_fail(err, SDN_FORMAT, "%s: %s is %ld; the file is corrupt", sdn_h5_path(file), size[i].name, value);
    *size[i].value = (int)value;
  }
  if (arch->n_free != p->n_free || arch->n_feature != sdn_survey_n_feature(p->survey))
    return sdn_fail(err, SDN_FORMAT, "%s: the network takes %d features and gives %d parameters, but its survey has %d and its names are %d; "
                    "it is of another version of this program, or corrupt: train again",
                    sdn_h5_path(file), arch->n_feature, arch->n_free, sdn_survey_n_feature(p->survey), p->n_free);
  if (read_kind(file, group, "head", sdn_head_find, &arch->head, err)) return err->status;
  return read_kind(file, group, "encoder", sdn_encoder_find, &arch->encoder, err);
}

/* Calls `visit` for every dataset of weights that member k has. */
typedef sdn_status visit_fn(const sdn_h5 *file, const char *name, const sdn_h5_shape *shape, float *out, sdn_err *err);
static sdn_status visit_weights(const sdn_h5 *file, int k, const sdn_network *net, visit_fn *visit, float *weights, sdn_err *err)
{
  for (int i = 0; i < net->n_weight; i++) {
    const sdn_h5_shape shape = weight_shape(&net->weight[i]);
    char name[96];
    if (is_empty(&net->weight[i])) continue;
    if (visit(file, member_name(k, net->weight[i].name, name), &shape, weights ? weights + net->weight[i].offset : NULL, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status look_at_shape(const sdn_h5 *file, const char *name, const sdn_h5_shape *shape, float *out, sdn_err *err)
{
  (void)out;
  return check_shape(file, name, shape, err);
}

static sdn_status read_weights(const sdn_h5 *file, int k, sdn_member *m, sdn_err *err)
{
  const sdn_network *net = m->net;
  const sdn_h5_shape features = {.n_dim = 1, .dim = {net->arch.n_feature}};
  const size_t f = (size_t)net->arch.n_feature;
  char name[96];
  if (visit_weights(file, k, net, look_at_shape, NULL, err)) return err->status;   /* before memory is asked for */
  m->scaling.n = net->arch.n_feature;
  if (!(m->scaling.mean = sdn_alloc(f, sizeof(float), "a posterior", err)) || !(m->scaling.scale = sdn_alloc(f, sizeof(float), "a posterior", err)) ||
      !(m->weights = sdn_alloc(net->n_number, sizeof *m->weights, "a posterior", err)))
    return err->status;
  if (sdn_read_block(file, member_name(k, "feature_mean", name), &features, m->scaling.mean, err)) return err->status;
  if (sdn_read_block(file, member_name(k, "feature_scale", name), &features, m->scaling.scale, err)) return err->status;
  return visit_weights(file, k, net, sdn_read_block, m->weights, err);
}

static sdn_status read_member(const sdn_h5 *file, int k, sdn_posterior *p, sdn_err *err)
{
  sdn_member *m = &p->member[k];
  sdn_arch arch = {0};
  char group[96];
  if (read_arch(file, p, member_name(k, NULL, group), &arch, err) || sdn_h5_get_double(file, group, "weight", &m->weight, err)) return err->status;
  if (!(m->weight > 0 && m->weight <= 1))
    return sdn_fail(err, SDN_FORMAT, "%s: the weight of %s is %g, not in (0, 1]; the file is corrupt", sdn_h5_path(file), group, m->weight);
  if (sdn_network_new(&arch, &m->net, err)) {
    err->status = SDN_FORMAT;   /* sizes that no network can have come from a corrupt file */
    return sdn_fail_in(err, "%s", sdn_h5_path(file));
  }
  return read_weights(file, k, m, err);
}

static sdn_status check_sum(const sdn_h5 *file, const sdn_posterior *p, sdn_err *err)
{
  const contents c = contents_of(p);
  char sum[24], *expected = NULL;
  if (sdn_h5_get_text(file, "/", "checksum", &expected, err)) return err->status;
  checksum(&c, sum);
  const bool right = strcmp(sum, expected) == 0;
  sdn_release(expected);
  if (right) return SDN_OK;
  return sdn_fail(err, SDN_FORMAT, "%s does not agree with its own checksum; it was altered or damaged: copy it again, or train again", sdn_h5_path(file));
}

static sdn_status read_posterior(const sdn_h5 *file, sdn_posterior *p, sdn_err *err)
{
  long n_member;
  if (check_format(file, err) || read_origin(file, p, err) || sdn_h5_get_long(file, "/", "n_member", &n_member, err)) return err->status;
  if (!(n_member >= 1 && n_member <= SDN_MAX_MEMBER))
    return sdn_fail(err, SDN_FORMAT, "%s has %ld members; between 1 and %d are possible: the file is corrupt", sdn_h5_path(file), n_member, SDN_MAX_MEMBER);
  for (p->n_member = 0; p->n_member < n_member; p->n_member++)
    if (read_member(file, p->n_member, p, err)) return err->status;
  return check_sum(file, p, err);
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
