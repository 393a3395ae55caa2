/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A small JSON reader for reference data: the whole text becomes a tree. Anything wrong gives NULL. */
#ifndef TEST_SUPPORT_JSON_H
#define TEST_SUPPORT_JSON_H

#include <stdbool.h>
#include <stddef.h>

typedef enum json_kind { JSON_NULL, JSON_BOOL, JSON_NUMBER, JSON_TEXT, JSON_LIST, JSON_MAP } json_kind;

typedef struct json json;
struct json {
  json_kind kind;
  double number;      /* also 0 or 1 of a bool */
  char *text;
  size_t n;           /* items of a list or map */
  char **key;         /* map */
  json **item;
};

json *json_read_file(const char *path);
json *json_parse(const char *text);
void json_free(json *j);
const json *json_get(const json *map, const char *key);                 /* NULL if absent */
double json_number(const json *map, const char *key, double otherwise);
const char *json_text(const json *map, const char *key);                /* NULL if absent or no text */
bool json_has_text(const json *list, const char *text);                 /* is a text among a list's items? */

#endif
