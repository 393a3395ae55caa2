/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Text that grows, for pages and JSON. A failure to get memory is remembered and reported once, at the end, by sdn_text_done. */
#ifndef SDN_BASE_TEXT_H
#define SDN_BASE_TEXT_H

#include "base/error.h"

typedef struct sdn_text { char *data; size_t n, capacity; bool failed; } sdn_text;   /* start from {0}; data ends in a zero byte */

void sdn_text_add(sdn_text *t, const char *fmt, ...) SDN_PRINTF(2, 3);
void sdn_text_add_bytes(sdn_text *t, const char *bytes, size_t n);
/* A JSON string with its quotes; '<' is escaped too, so that JSON may stand inside an HTML script. */
void sdn_text_add_json_string(sdn_text *t, const char *value);
/* A JSON number with `digits` significant digits; null for what JSON has no number for. */
void sdn_text_add_json_number(sdn_text *t, double value, int digits);
void sdn_text_add_json_numbers(sdn_text *t, long n, const double *value, int digits);
/* Text for HTML, with & < > and quotes escaped. */
void sdn_text_add_html(sdn_text *t, const char *value);
sdn_status sdn_text_done(const sdn_text *t, sdn_err *err);   /* err SDN_MEMORY */
/* Write to path through path.part. */
sdn_status sdn_text_write(const sdn_text *t, const char *path, sdn_err *err);
void sdn_text_free(sdn_text *t);

#endif
