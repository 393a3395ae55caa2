/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "learn/posterior_layout.h"

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
    const sdn_h5_shape shape = sdn_weight_shape(&net->weight[i]);
    char name[96];
    if (sdn_weight_is_empty(&net->weight[i])) continue;
    if (visit(file, sdn_member_name(k, net->weight[i].name, name), &shape, weights ? weights + net->weight[i].offset : NULL, err)) return err->status;
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
  if (sdn_read_block(file, sdn_member_name(k, "feature_mean", name), &features, m->scaling.mean, err)) return err->status;
  if (sdn_read_block(file, sdn_member_name(k, "feature_scale", name), &features, m->scaling.scale, err)) return err->status;
  return visit_weights(file, k, net, sdn_read_block, m->weights, err);
}

static sdn_status read_member(const sdn_h5 *file, int k, sdn_posterior *p, sdn_err *err)
{
  sdn_member *m = &p->member[k];
  sdn_arch arch = {0};
  char group[96];
  if (read_arch(file, p, sdn_member_name(k, NULL, group), &arch, err) || sdn_h5_get_double(file, group, "weight", &m->weight, err)) return err->status;
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
  const sdn_posterior_contents c = sdn_contents_of(p);
  char sum[24], *expected = NULL;
  if (sdn_h5_get_text(file, "/", "checksum", &expected, err)) return err->status;
  sdn_posterior_checksum(&c, sum);
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

/* What `read` takes out of an open posterior file; nothing is written. */
typedef sdn_status reading_fn(const sdn_h5 *file, void *out, sdn_err *err);
static sdn_status with_file(const char *path, reading_fn *read, void *out, sdn_err *err)
{
  sdn_h5 *file = NULL;
  sdn_err closing;
  if (sdn_h5_open(path, &file, err)) return err->status;
  sdn_status status = check_format(file, err);
  if (!status) status = read(file, out, err);
  sdn_h5_close(file, &closing);
  return status;
}

static sdn_status read_config(const sdn_h5 *file, void *out, sdn_err *err) { return sdn_h5_get_text(file, "member0/training", "config", out, err); }

sdn_status sdn_posterior_config(const char *path, char **config, sdn_err *err)
{
  *config = NULL;
  return with_file(path, read_config, config, err);
}

static sdn_status read_split(const sdn_h5 *file, void *out, sdn_err *err)
{
  sdn_train_options *o = out;
  if (sdn_h5_get_long(file, "member0/training", "seed", &o->seed, err)) return err->status;
  if (sdn_h5_get_double(file, "member0/training", "validation_fraction", &o->validation_fraction, err)) return err->status;
  return sdn_h5_get_double(file, "member0/training", "test_fraction", &o->test_fraction, err);
}

sdn_status sdn_posterior_split(const char *path, sdn_train_options *split, sdn_err *err) { return with_file(path, read_split, split, err); }

static sdn_status read_sum(const sdn_h5 *file, void *out, sdn_err *err)
{
  char *text = NULL;
  if (sdn_h5_get_text(file, "/", "checksum", &text, err)) return err->status;
  snprintf(out, 24, "%.23s", text);
  sdn_release(text);
  return SDN_OK;
}

sdn_status sdn_posterior_sum(const char *path, char sum[24], sdn_err *err) { return with_file(path, read_sum, sum, err); }
