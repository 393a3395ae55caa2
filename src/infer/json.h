/* SPDX-License-Identifier: GPL-3.0-or-later */
/* JSON (RFC 8259) written value by value into growing text: commas, indentation and nesting. A number that JSON cannot hold becomes null. */
#ifndef SDN_INFER_JSON_H
#define SDN_INFER_JSON_H

#include "base/text.h"

#define SDN_JSON_MAX_DEPTH 16

typedef struct sdn_json {            /* start from {0}; the text is the caller's to write and free */
  sdn_text text;
  int depth;
  char close[SDN_JSON_MAX_DEPTH];
  bool begun[SDN_JSON_MAX_DEPTH];    /* the level holds something already */
} sdn_json;

/* key: NULL inside a list and for the outermost value. bracket: '{' or '['. */
void sdn_json_begin(sdn_json *j, const char *key, char bracket);
void sdn_json_end(sdn_json *j);
void sdn_json_text(sdn_json *j, const char *key, const char *value);
void sdn_json_double(sdn_json *j, const char *key, double value);
void sdn_json_long(sdn_json *j, const char *key, long value);
void sdn_json_bool(sdn_json *j, const char *key, bool value);
void sdn_json_doubles(sdn_json *j, const char *key, long n, const double *value);   /* a list on one line, 6 digits */

#endif
