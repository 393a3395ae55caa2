/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A self-contained HTML page: style, Vega, our scripts and the data, all inside. The scripts (assets/) draw from one JSON object `data`. */
#ifndef SDN_REPORT_PAGE_H
#define SDN_REPORT_PAGE_H

#include "base/text.h"

typedef enum sdn_page_kind { SDN_PAGE_RESULT, SDN_PAGE_CHECK, SDN_PAGE_SED, SDN_PAGE_TUNE } sdn_page_kind;
/* Writes the page to path. json: one JSON value; any '<' in it is escaped here. */
sdn_status sdn_page_write(sdn_page_kind kind, const char *title, const char *json, const char *path, sdn_err *err);

#endif
