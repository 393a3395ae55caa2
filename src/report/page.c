/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/page.h"

#include <string.h>

/* Made by tools/embed-assets.py; each ends in a zero byte that its size does not count. */
extern const char sdn_asset_page_css[], sdn_asset_plots_js[], sdn_asset_result_js[], sdn_asset_check_js[], sdn_asset_sed_js[], sdn_asset_vega_js[], sdn_asset_tune_js[];
extern const uint64_t sdn_asset_page_css_size, sdn_asset_plots_js_size, sdn_asset_result_js_size, sdn_asset_check_js_size, sdn_asset_sed_js_size, sdn_asset_vega_js_size, sdn_asset_tune_js_size;

static void add_script(sdn_text *page, const char *text, uint64_t size)
{
  sdn_text_add(page, "<script>\n");
  sdn_text_add_bytes(page, text, size);
  sdn_text_add(page, "\n</script>\n");
}

/* Inside a script element only "<" can end the script or begin a comment; in JSON it occurs in strings alone. */
static void add_data(sdn_text *page, const char *json)
{
  sdn_text_add(page, "<script>\nconst data = ");
  for (const char *c = json; *c;) {
    size_t n = strcspn(c, "<");
    sdn_text_add_bytes(page, c, n);
    c += n;
    if (*c == '<') {
      sdn_text_add(page, "\\u003c");
      c++;
    }
  }
  sdn_text_add(page, ";\n</script>\n");
}

sdn_status sdn_page_write(sdn_page_kind kind, const char *title, const char *json, const char *path, sdn_err *err)
{
  sdn_text page = {0};
  sdn_text_add(&page, "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
  sdn_text_add_html(&page, title);
  sdn_text_add(&page, "</title>\n<style>\n");
  sdn_text_add_bytes(&page, sdn_asset_page_css, sdn_asset_page_css_size);
  sdn_text_add(&page, "</style>\n</head>\n<body>\n<main id=\"page\"><h1>");
  sdn_text_add_html(&page, title);
  sdn_text_add(&page, "</h1></main>\n");
  add_script(&page, sdn_asset_vega_js, sdn_asset_vega_js_size);
  add_data(&page, json);
  add_script(&page, sdn_asset_plots_js, sdn_asset_plots_js_size);
  switch (kind) {
  case SDN_PAGE_RESULT: add_script(&page, sdn_asset_result_js, sdn_asset_result_js_size); break;
  case SDN_PAGE_CHECK: add_script(&page, sdn_asset_check_js, sdn_asset_check_js_size); break;
  case SDN_PAGE_SED: add_script(&page, sdn_asset_sed_js, sdn_asset_sed_js_size); break;
  case SDN_PAGE_TUNE: add_script(&page, sdn_asset_tune_js, sdn_asset_tune_js_size); break;
  }
  sdn_text_add(&page, "</body>\n</html>\n");
  sdn_status status = sdn_text_write(&page, path, err);
  sdn_text_free(&page);
  return status;
}
