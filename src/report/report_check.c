/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/memory.h"
#include "base/yaml.h"
#include "report/page.h"

sdn_status sdn_report_check(const char *json_path, const char *html_path, sdn_err *err)
{
  char *json = NULL;
  sdn_status status = sdn_read_text_file(json_path, &json, err);
  if (status == SDN_OK) status = sdn_page_write(SDN_PAGE_CHECK, "sedna check", json, html_path, err);
  sdn_release(json);
  return status;
}
