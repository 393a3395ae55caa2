/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Options read from text by the table that declares them (sdn_knob of sedna.h). */
#include "base/error.h"

#include <assert.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"

#define MAX_KNOB 64                     /* per module; for the list of names that the nearest is sought in */
#define EXACT_INTEGER 9007199254740992.0  /* 2^53: beyond it 1e18 in a double need not be the integer that was meant */

static const sdn_knob *find_knob(const sdn_knob *knobs, size_t n, const char *name)
{
  for (size_t i = 0; i < n; i++) {
    size_t c = 0;
    while (name[c] && (knobs[i].name[c] == name[c] || (knobs[i].name[c] == '_' && name[c] == '-'))) c++;
    if (!name[c] && !knobs[i].name[c]) return &knobs[i];
  }
  return NULL;
}

static sdn_status unknown_name(const sdn_knob *knobs, size_t n, const char *name, sdn_err *err)
{
  const char *names[MAX_KNOB];
  if (n > MAX_KNOB) n = MAX_KNOB;
  for (size_t i = 0; i < n; i++) names[i] = knobs[i].name;
  const char *nearest = sdn_nearest(name, names, n);
  if (nearest) return sdn_fail(err, SDN_USAGE, "there is no option '%s'; did you mean '%s'?", name, nearest);
  return sdn_fail(err, SDN_USAGE, "there is no option '%s'", name);
}

static bool read_double(const char *text, double *value) { return sdn_number_parse(text, strlen(text), value); }

/* An integer, also written as 1e6. */
static bool read_long(const char *text, long *value)
{
  char *end;
  double v;
  errno = 0;
  *value = strtol(text, &end, 10);
  if (end != text && *end == '\0' && errno == 0) return true;
  if (!read_double(text, &v) || !(fabs(v) <= EXACT_INTEGER) || v != floor(v)) return false;
  *value = (long)v;
  return true;
}

static bool read_flag(const char *text, bool *value)
{
  static const char *const yes[] = {"true", "yes", "on", "1"}, *const no[] = {"false", "no", "off", "0"};
  for (size_t i = 0; i < sizeof yes / sizeof *yes; i++) {
    if (strcmp(text, yes[i]) == 0) return *value = true, true;
    if (strcmp(text, no[i]) == 0) return *value = false, true;
  }
  return false;
}

static sdn_status out_of_range(const sdn_knob *k, const char *text, sdn_err *err)
{
  return sdn_fail(err, SDN_USAGE, "option %s: %s is outside [%.10g, %.10g]%s%s", k->name, text, k->low, k->high,
                  k->unit && k->unit[0] ? " " : "", k->unit ? k->unit : "");
}

static sdn_status set_knob(const sdn_knob *k, void *options, const char *text, sdn_err *err)
{
  char *field = (char *)options + k->offset;
  long whole;
  double number;
  bool flag;
  switch (k->kind) {
  case SDN_KNOB_LONG:
    if (!read_long(text, &whole)) return sdn_fail(err, SDN_USAGE, "option %s: '%s' is not a whole number", k->name, text);
    if (!((double)whole >= k->low && (double)whole <= k->high)) return out_of_range(k, text, err);
    memcpy(field, &whole, sizeof whole);
    return SDN_OK;
  case SDN_KNOB_DOUBLE:
    if (!read_double(text, &number)) return sdn_fail(err, SDN_USAGE, "option %s: '%s' is not a number", k->name, text);
    if (!(number >= k->low && number <= k->high)) return out_of_range(k, text, err);
    memcpy(field, &number, sizeof number);
    return SDN_OK;
  case SDN_KNOB_FLAG:
    if (!read_flag(text, &flag)) return sdn_fail(err, SDN_USAGE, "option %s: '%s' is neither true nor false", k->name, text);
    memcpy(field, &flag, sizeof flag);
    return SDN_OK;
  case SDN_KNOB_TEXT:
    memcpy(field, &text, sizeof text);   /* the caller's text must outlive the options */
    return SDN_OK;
  }
  return sdn_fail(err, SDN_USAGE, "option %s has no known kind", k->name);
}

sdn_status sdn_knob_set(const sdn_knob *knobs, size_t n_knob, void *options, const char *name, const char *text, sdn_err *err)
{
  const sdn_knob *k = find_knob(knobs, n_knob, name);
  if (!k) return unknown_name(knobs, n_knob, name, err);
  if (!text && k->kind == SDN_KNOB_FLAG) text = "true";   /* a flag needs no value */
  if (!text) return sdn_fail(err, SDN_USAGE, "option %s needs a value", k->name);
  return set_knob(k, options, text, err);
}

void sdn_knob_defaults(const sdn_knob *knobs, size_t n_knob, void *options)
{
  sdn_err err;
  for (size_t i = 0; i < n_knob; i++) {
    const sdn_knob *k = &knobs[i];
    static const size_t size[] = {[SDN_KNOB_LONG] = sizeof(long), [SDN_KNOB_DOUBLE] = sizeof(double),
                                  [SDN_KNOB_TEXT] = sizeof(const char *), [SDN_KNOB_FLAG] = sizeof(bool)};
    memset((char *)options + k->offset, 0, size[k->kind]);
    const sdn_status status = k->initial ? set_knob(k, options, k->initial, &err) : SDN_OK;
    assert(status == SDN_OK);   /* a table whose own default is wrong is a slip of ours */
    (void)status;
  }
}
