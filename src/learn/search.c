/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "learn/search.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/random.h"

/* What is searched unless the user says otherwise: one line for each option of `sedna train`. */
static const struct { const char *name, *values; } built_in[] = {
  {"learning_rate", "1e-3:1.2e-2"},
  {"batch", "128,256,512,1024"},
  {"n_encoder", "64,96,128,192,256,384"},
  {"n_context", "32,48,64,96,128"},
  {"n_layer", "2,3,4,5"},
  {"n_hidden", "32,48,64,96,128"},
  {"n_bin", "4,6,8,12,16"},
  {"n_bin_first", "16,24,32,48"},
  {"head", "spline,spline,spline,affine"},   /* a value named thrice is drawn thrice as often */
  {"n_depth", "1,2,3,4"},
};

/* What tuning itself decides, and what may be fixed but must be one for all trials: all are scored on the same galaxies. */
static const char *const own[] = {"library", "output", "n_epoch", "max_minutes", "seed", "resume", "from", "n_member", "member", "model", "n_online", "n_reuse"};
static const char *const common[] = {"validation_fraction", "test_fraction", "prior", "survey", "theta", "x", "sigma", "memory_gb"};
#define IS_AMONG(name, list) is_among(name, list, sizeof (list) / sizeof *(list))

static bool is_among(const char *name, const char *const *list, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (!strcmp(name, list[i])) return true;
  return false;
}

static bool is_fixed(const char *values) { return !strpbrk(values, ",:"); }

static const sdn_knob *find_knob(const char *name)
{
  for (size_t i = 0; i < sdn_n_train_knob; i++)
    if (!strcmp(sdn_train_knobs[i].name, name)) return &sdn_train_knobs[i];
  return NULL;
}

/* Values must be what the option takes: each is tried on options that are thrown away. */
static sdn_status check_values(const sdn_knob *k, const char *values, sdn_err *err)
{
  char copy[128];
  sdn_train_options scratch;
  const bool is_range = strchr(values, ':') != NULL;
  int n = 0;
  snprintf(copy, sizeof copy, "%s", values);
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &scratch);
  for (char *value = copy, *end; value; value = end, n++) {
    end = strpbrk(value, ",:");
    if (end) *end++ = '\0';
    if (!*value || sdn_knob_set(sdn_train_knobs, sdn_n_train_knob, &scratch, k->name, value, err))
      return sdn_fail(err, SDN_USAGE, "search: %s=%s: '%s' is no value of this option (sedna train --help)", k->name, values, value);
  }
  const char *colon = strchr(values, ':');
  if (is_range && (n != 2 || strchr(values, ',') || (k->kind != SDN_KNOB_LONG && k->kind != SDN_KNOB_DOUBLE) || !(strtod(values, NULL) < strtod(colon + 1, NULL))))
    return sdn_fail(err, SDN_USAGE, "search: %s=%s is no range; write low:high for a number, or values separated by commas", k->name, values);
  return SDN_OK;
}

static sdn_status set_item(sdn_search *s, const char *name, const char *values, sdn_err *err)
{
  char unused[8];
  int i = 0;
  const sdn_knob *k = find_knob(name);
  if (!k) {
    sdn_train_options scratch;
    sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &scratch);
    snprintf(unused, sizeof unused, "0");
    sdn_knob_set(sdn_train_knobs, sdn_n_train_knob, &scratch, name, unused, err);
    err->status = SDN_USAGE;
    return sdn_fail_in(err, "search");
  }
  if (IS_AMONG(name, own)) return sdn_fail(err, SDN_USAGE, "search: %s is not searched: tuning sets it itself", name);
  if (IS_AMONG(name, common) && !is_fixed(values)) return sdn_fail(err, SDN_USAGE, "search: %s must be one value, so that all trials meet the same galaxies", name);
  if (strlen(values) >= sizeof s->item[0].values) return sdn_fail(err, SDN_USAGE, "search: the values of %s are longer than %zu characters", name, sizeof s->item[0].values - 1);
  if (check_values(k, values, err)) return err->status;
  while (i < s->n && s->item[i].knob != k) i++;
  if (i == SDN_MAX_SEARCH) return sdn_fail(err, SDN_USAGE, "search: more than %d options", SDN_MAX_SEARCH);
  if (i == s->n) s->n++;
  s->item[i].knob = k;
  snprintf(s->item[i].values, sizeof s->item[i].values, "%s", values);
  return SDN_OK;
}

sdn_status sdn_search_parse(const char *text, sdn_search *s, sdn_err *err)
{
  char copy[4096], *rest;
  *s = (sdn_search){0};
  for (size_t i = 0; i < sizeof built_in / sizeof *built_in; i++)
    if (set_item(s, built_in[i].name, built_in[i].values, err)) return err->status;
  if (!text) return SDN_OK;
  if (strlen(text) >= sizeof copy) return sdn_fail(err, SDN_USAGE, "search: the text is longer than %zu characters", sizeof copy - 1);
  snprintf(copy, sizeof copy, "%s", text);
  for (char *word = strtok_r(copy, " \t\n", &rest); word; word = strtok_r(NULL, " \t\n", &rest)) {
    char *equals = strchr(word, '=');
    if (!equals) return sdn_fail(err, SDN_USAGE, "search: '%s' is not of the form name=values, such as n_layer=2,3,4 or learning_rate=1e-3:1e-2", word);
    *equals = '\0';
    for (char *c = word; *c; c++)
      if (*c == '-') *c = '_';
    if (set_item(s, word, equals + 1, err)) return err->status;
  }
  return SDN_OK;
}

sdn_status sdn_search_text(const sdn_search *s, char *text, size_t size, sdn_err *err)
{
  size_t at = 0;
  text[0] = '\0';
  for (int i = 0; i < s->n && at < size; i++) at += (size_t)snprintf(text + at, size - at, "%s%s=%s", i ? " " : "", s->item[i].knob->name, s->item[i].values);
  return at < size ? SDN_OK : sdn_fail(err, SDN_USAGE, "search: the text is longer than %zu characters", size - 1);
}

/* The index-th of values separated by commas. */
static void pick(const char *values, long index, char *value, size_t size)
{
  for (; index > 0; index--) values = strchr(values, ',') + 1;
  snprintf(value, size, "%.*s", (int)strcspn(values, ","), values);
}

/* Between low and high; of whole numbers each end has its full share. Four digits, so that the text is the value. */
static void draw_range(const sdn_knob *k, const char *values, double u, char *value, size_t size)
{
  const bool whole = k->kind == SDN_KNOB_LONG;
  const double low = strtod(values, NULL), high = strtod(strchr(values, ':') + 1, NULL), end = whole ? high + 1 : high;
  const double x = low > 0 ? low * exp(u * log(end / low)) : low + u * (end - low);
  if (whole) snprintf(value, size, "%.0f", fmin(fmax(floor(x), low), high));
  else snprintf(value, size, "%.4g", x);
}

void sdn_search_draw(const sdn_search *s, uint64_t seed, long trial, char options[SDN_TRIAL_TEXT])
{
  sdn_rng rng = sdn_rng_at(seed, SDN_STREAM_TUNE, (uint64_t)trial);
  size_t at = 0;
  options[0] = '\0';
  for (int i = 0; i < s->n; i++) {
    char value[128];
    const char *values = s->item[i].values;
    const double u = sdn_rng_uniform(&rng);   /* one for each option, so that fixing one leaves the others as they were */
    long n = 1;
    for (const char *c = values; *c; c++) n += *c == ',';
    if (trial == 0 && !is_fixed(values)) continue;
    if (strchr(values, ':')) draw_range(s->item[i].knob, values, u, value, sizeof value);
    else pick(values, (long)(u * (double)n), value, sizeof value);
    if (at < SDN_TRIAL_TEXT) at += (size_t)snprintf(options + at, SDN_TRIAL_TEXT - at, "%s%s=%s", at ? " " : "", s->item[i].knob->name, value);
  }
}

sdn_status sdn_search_apply(char *options, sdn_train_options *o, sdn_err *err)
{
  char *rest;
  for (char *word = strtok_r(options, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
    char *equals = strchr(word, '=');
    if (!equals) return sdn_fail(err, SDN_FORMAT, "'%s' is not of the form name=value; the study is corrupt", word);
    *equals = '\0';
    if (sdn_knob_set(sdn_train_knobs, sdn_n_train_knob, o, word, equals + 1, err)) return err->status;
  }
  return SDN_OK;
}
