/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "infer/json.h"

#include <assert.h>

/* Comma, line, indentation and key: all that stands before a value. */
static void lead_in(sdn_json *j, const char *key)
{
  if (j->depth == 0)
    return;
  if (j->begun[j->depth - 1])
    sdn_text_add(&j->text, ",");
  j->begun[j->depth - 1] = true;
  sdn_text_add(&j->text, "\n%*s", 2 * j->depth, "");
  if (key) {
    sdn_text_add_json_string(&j->text, key);
    sdn_text_add(&j->text, ": ");
  }
}

void sdn_json_begin(sdn_json *j, const char *key, char bracket)
{
  assert(j->depth < SDN_JSON_MAX_DEPTH);
  lead_in(j, key);
  sdn_text_add(&j->text, "%c", bracket);
  j->close[j->depth] = bracket == '{' ? '}' : ']';
  j->begun[j->depth++] = false;
}

void sdn_json_end(sdn_json *j)
{
  assert(j->depth > 0);
  j->depth--;
  if (j->begun[j->depth])
    sdn_text_add(&j->text, "\n%*s", 2 * j->depth, "");
  sdn_text_add(&j->text, "%c%s", j->close[j->depth], j->depth ? "" : "\n");
}

void sdn_json_text(sdn_json *j, const char *key, const char *value)
{
  lead_in(j, key);
  sdn_text_add_json_string(&j->text, value);
}

void sdn_json_double(sdn_json *j, const char *key, double value)
{
  lead_in(j, key);
  sdn_text_add_json_number(&j->text, value, 10);
}

void sdn_json_long(sdn_json *j, const char *key, long value)
{
  lead_in(j, key);
  sdn_text_add(&j->text, "%ld", value);
}

void sdn_json_bool(sdn_json *j, const char *key, bool value)
{
  lead_in(j, key);
  sdn_text_add(&j->text, "%s", value ? "true" : "false");
}

void sdn_json_doubles(sdn_json *j, const char *key, long n, const double *value)
{
  lead_in(j, key);
  sdn_text_add_json_numbers(&j->text, n, value, 6);
}
