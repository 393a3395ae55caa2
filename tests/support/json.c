/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct reader { const char *at; } reader;

static json *read_value(reader *r);

static void skip_space(reader *r)
{
  while (*r->at && strchr(" \t\r\n", *r->at)) r->at++;
}

static bool accept(reader *r, const char *word)
{
  skip_space(r);
  const size_t n = strlen(word);
  if (strncmp(r->at, word, n) != 0) return false;
  r->at += n;
  return true;
}

static json *new_node(json_kind kind, double number)
{
  json *j = calloc(1, sizeof *j);
  if (j) {
    j->kind = kind;
    j->number = number;
  }
  return j;
}

void json_free(json *j)
{
  if (!j) return;
  for (size_t i = 0; i < j->n; i++) {
    json_free(j->item[i]);
    if (j->key) free(j->key[i]);
  }
  free(j->item);
  free(j->key);
  free(j->text);
  free(j);
}

/* Text after its opening quote. \uXXXX is kept only as '?': reference data name things in ASCII. */
static char *read_text(reader *r)
{
  const char *start = r->at;
  while (*r->at && *r->at != '"') r->at += r->at[0] == '\\' && r->at[1] ? 2 : 1;
  if (*r->at != '"') return NULL;
  char *text = malloc((size_t)(r->at - start) + 1), *to = text;
  for (const char *s = start; text && s < r->at; s++) {
    if (*s != '\\') {
      *to++ = *s;
      continue;
    }
    s++;
    *to++ = *s == 'n' ? '\n' : *s == 't' ? '\t' : *s == 'u' ? '?' : *s;
    if (*s == 'u') s += 4;
  }
  if (text) *to = 0;
  r->at++;
  return text;
}

static bool append(json *j, char *key, json *item)
{
  json **items = realloc(j->item, (j->n + 1) * sizeof *items);
  if (items) j->item = items;
  char **keys = j->kind == JSON_MAP ? realloc(j->key, (j->n + 1) * sizeof *keys) : NULL;
  if (keys) j->key = keys;
  if (!items || !item || (j->kind == JSON_MAP && (!keys || !key))) {
    free(key);
    json_free(item);
    return false;
  }
  j->item[j->n] = item;
  if (j->kind == JSON_MAP) j->key[j->n] = key;
  j->n++;
  return true;
}

/* Items after the opening bracket. */
static json *read_items(reader *r, json_kind kind)
{
  const char *end = kind == JSON_MAP ? "}" : "]";
  json *j = new_node(kind, 0);
  bool ok = j != NULL;
  if (accept(r, end)) return j;
  while (ok) {
    char *key = NULL;
    if (kind == JSON_MAP && (!accept(r, "\"") || !(key = read_text(r)) || !accept(r, ":"))) {
      free(key);
      ok = false;
    } else {
      ok = append(j, key, read_value(r));
    }
    if (ok && accept(r, end)) return j;
    ok = ok && accept(r, ",");
  }
  json_free(j);
  return NULL;
}

static json *read_value(reader *r)
{
  if (accept(r, "{")) return read_items(r, JSON_MAP);
  if (accept(r, "[")) return read_items(r, JSON_LIST);
  if (accept(r, "\"")) {
    json *j = new_node(JSON_TEXT, 0);
    if (j && !(j->text = read_text(r))) {
      free(j);
      j = NULL;
    }
    return j;
  }
  if (accept(r, "null")) return new_node(JSON_NULL, NAN);
  if (accept(r, "true")) return new_node(JSON_BOOL, 1);
  if (accept(r, "false")) return new_node(JSON_BOOL, 0);
  char *end;
  const double x = strtod(r->at, &end);   /* also NaN and Infinity, as Python writes them */
  if (end == r->at) return NULL;
  r->at = end;
  return new_node(JSON_NUMBER, x);
}

json *json_parse(const char *text)
{
  reader r = {text};
  json *j = read_value(&r);
  skip_space(&r);
  if (j && *r.at) {
    json_free(j);
    return NULL;
  }
  return j;
}

json *json_read_file(const char *path)
{
  FILE *f = fopen(path, "rb");
  json *j = NULL;
  if (!f) return NULL;
  if (fseek(f, 0, SEEK_END) == 0) {
    const long n = ftell(f);
    char *text = n >= 0 ? malloc((size_t)n + 1) : NULL;
    rewind(f);
    if (text && fread(text, 1, (size_t)n, f) == (size_t)n) {
      text[n] = 0;
      j = json_parse(text);
    }
    free(text);
  }
  fclose(f);
  return j;
}

const json *json_get(const json *map, const char *key)
{
  if (!map || map->kind != JSON_MAP) return NULL;
  for (size_t i = 0; i < map->n; i++)
    if (strcmp(map->key[i], key) == 0) return map->item[i];
  return NULL;
}

double json_number(const json *map, const char *key, double otherwise)
{
  const json *j = json_get(map, key);
  return j && (j->kind == JSON_NUMBER || j->kind == JSON_BOOL) ? j->number : otherwise;
}

const char *json_text(const json *map, const char *key)
{
  const json *j = json_get(map, key);
  return j ? j->text : NULL;
}

bool json_has_text(const json *list, const char *text)
{
  for (size_t i = 0; list && i < list->n; i++)
    if (list->item[i]->text && strcmp(list->item[i]->text, text) == 0) return true;
  return false;
}
