/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Typed values out of a YAML tree, with errors that name file, line, key and what was expected. */
#include "base/yaml.h"

#include "base/number.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

#define MAX_EXACT_INTEGER 9007199254740992.0   /* 2^53: beyond it a double skips whole numbers */

static const char *kind_name(const sdn_yaml *node)
{
  if (node->kind == SDN_YAML_MAP) return "a map";
  if (node->kind == SDN_YAML_LIST) return "a list";
  return node->text[0] || node->quoted ? "text" : "nothing";
}

sdn_status sdn_yaml_fail(const sdn_yaml *node, sdn_err *err, const char *fmt, ...)
{
  char sentence[sizeof err->text];
  va_list args;
  va_start(args, fmt);
  vsnprintf(sentence, sizeof sentence, fmt, args);
  va_end(args);
  return sdn_fail(err, SDN_USAGE, "%s:%d: %s", node->origin, node->line, sentence);
}

const sdn_yaml *sdn_yaml_get(const sdn_yaml *map, const char *key)
{
  if (!map || map->kind != SDN_YAML_MAP) return NULL;
  for (size_t i = 0; i < map->n; i++)
    if (strcmp(map->key[i], key) == 0) return map->item[i];
  return NULL;
}

static bool read_number(const sdn_yaml *node, double *value)
{
  return node->kind == SDN_YAML_SCALAR && !node->quoted && sdn_number_parse(node->text, strlen(node->text), value);
}

bool sdn_yaml_is_number(const sdn_yaml *node)
{
  double value;
  return node && read_number(node, &value);
}

/* "key 'NAME' is VALUE; expected WHAT" */
static sdn_status unexpected(const sdn_yaml *node, const char *key, const char *expected, sdn_err *err)
{
  if (node->kind != SDN_YAML_SCALAR || (!node->text[0] && !node->quoted))
    return sdn_yaml_fail(node, err, "key '%s' holds %s; expected %s", key, kind_name(node), expected);
  const char *mark = node->quoted ? "\"" : "'";
  return sdn_yaml_fail(node, err, "key '%s' is %s%.80s%s; expected %s%s", key, mark, node->text, mark, expected,
                       node->quoted ? " without quotes" : "");
}

/* The key's node, or NULL where it is absent and need not be there. */
static sdn_status look_up(const sdn_yaml *map, const char *key, bool required, const char *expected, const sdn_yaml **node, sdn_err *err)
{
  *node = sdn_yaml_get(map, key);
  if (*node || (!map && !required)) return SDN_OK;
  if (!map) return sdn_fail(err, SDN_USAGE, "key '%s' is missing; expected %s", key, expected);
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "expected a map with the key '%s', found %s", key, kind_name(map));
  return required ? sdn_yaml_fail(map, err, "key '%s' is missing; expected %s", key, expected) : SDN_OK;
}

sdn_status sdn_yaml_number(const sdn_yaml *map, const char *key, bool required, double *out, sdn_err *err)
{
  const char *expected = "a number";
  const sdn_yaml *node;
  if (look_up(map, key, required, expected, &node, err)) return err->status;
  if (!node) return SDN_OK;
  return read_number(node, out) ? SDN_OK : unexpected(node, key, expected, err);
}

sdn_status sdn_yaml_integer(const sdn_yaml *map, const char *key, bool required, long *out, sdn_err *err)
{
  const char *expected = "a whole number";
  const sdn_yaml *node;
  double value;
  if (look_up(map, key, required, expected, &node, err)) return err->status;
  if (!node) return SDN_OK;
  if (!read_number(node, &value) || !(fabs(value) <= MAX_EXACT_INTEGER) || value != trunc(value))
    return unexpected(node, key, expected, err);
  *out = (long)value;
  return SDN_OK;
}

sdn_status sdn_yaml_text(const sdn_yaml *map, const char *key, bool required, const char **out, sdn_err *err)
{
  const char *expected = "text";
  const sdn_yaml *node;
  if (look_up(map, key, required, expected, &node, err)) return err->status;
  if (!node) return SDN_OK;
  if (node->kind != SDN_YAML_SCALAR || (!node->text[0] && !node->quoted)) return unexpected(node, key, expected, err);
  *out = node->text;
  return SDN_OK;
}

sdn_status sdn_yaml_numbers(const sdn_yaml *map, const char *key, bool required, double **out, size_t *n, sdn_err *err)
{
  const char *expected = "a number or a list of numbers";
  const sdn_yaml *node;
  if (look_up(map, key, required, expected, &node, err)) return err->status;
  if (!node) return SDN_OK;
  if (node->kind == SDN_YAML_MAP) return unexpected(node, key, expected, err);
  const size_t n_item = node->kind == SDN_YAML_LIST ? node->n : 1;
  if (n_item == 0) return sdn_yaml_fail(node, err, "key '%s' is an empty list; expected %s", key, expected);
  double *values = sdn_alloc(n_item, sizeof *values, key, err);
  if (!values) return err->status;
  for (size_t i = 0; i < n_item; i++) {
    const sdn_yaml *item = node->kind == SDN_YAML_LIST ? node->item[i] : node;
    if (read_number(item, &values[i])) continue;
    unexpected(item, key, expected, err);
    sdn_release(values);
    return err->status;
  }
  *out = values;
  *n = n_item;
  return SDN_OK;
}

static bool is_known(const char *key, const char *const *known, size_t n_known)
{
  for (size_t i = 0; i < n_known; i++)
    if (strcmp(key, known[i]) == 0) return true;
  return false;
}

static void join_words(const char *const *word, size_t n, char *out, size_t room)
{
  size_t used = 0;
  out[0] = '\0';
  for (size_t i = 0; i < n && used + strlen(word[i]) + 8 < room; i++)
    used += (size_t)snprintf(out + used, room - used, "%s%s", i ? ", " : "", word[i]);
}

sdn_status sdn_yaml_only_keys(const sdn_yaml *map, const char *const *known, size_t n_known, sdn_err *err)
{
  char all[400];
  if (!map) return SDN_OK;
  if (map->kind != SDN_YAML_MAP) return sdn_yaml_fail(map, err, "expected a map of keys and values, found %s", kind_name(map));
  for (size_t i = 0; i < map->n; i++) {
    if (is_known(map->key[i], known, n_known)) continue;
    const char *near = sdn_nearest(map->key[i], known, n_known);
    join_words(known, n_known, all, sizeof all);
    return sdn_fail(err, SDN_USAGE, "%s:%d: unknown key '%.80s'; %s%s%s", map->origin, map->key_line[i], map->key[i],
                    near ? "did you mean '" : "the keys known here are ", near ? near : all, near ? "'?" : "");
  }
  return SDN_OK;
}
