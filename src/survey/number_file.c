/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small text files of numbers: wavelengths, resolutions, depths. */
#include <string.h>

#include "base/number.h"
#include "survey/parse.h"

/* n_column numbers from one line into out[k * stride]; 1: read, 0: an empty line or comment, -1: something else. */
static int read_line(const char *line, int n_column, double *out, size_t stride)
{
  for (int k = 0; k <= n_column; k++) {
    line += strspn(line, " \t\r,");
    const size_t n = strcspn(line, " \t\r,#\n");
    if (n == 0) return k == n_column ? 1 : k == 0 ? 0 : -1;
    if (k == n_column || !sdn_number_parse(line, n, &out[(size_t)k * stride])) return -1;
    line += n;
  }
  return -1;
}

static sdn_status read_text(const char *text, const char *path, int n_column, double **out, size_t *n, sdn_err *err)
{
  size_t n_line = 1;
  for (const char *c = text; *c; c++) n_line += *c == '\n';
  double *value = sdn_alloc((size_t)n_column * n_line, sizeof *value, "numbers of a file", err);
  if (!value) return err->status;
  sdn_status status = SDN_OK;
  *n = 0;
  for (size_t i = 0; i < n_line && !status; i++) {
    const int got = read_line(text, n_column, value + *n, n_line);
    if (got < 0) status = sdn_fail(err, SDN_FORMAT, "%s:%zu: expected %d number(s)", path, i + 1, n_column);
    *n += got > 0;
    text += strcspn(text, "\n");
    text += *text == '\n';
  }
  if (!status && *n == 0) status = sdn_fail(err, SDN_FORMAT, "%s holds no numbers", path);
  for (int k = 1; k < n_column && !status; k++) memmove(value + (size_t)k * *n, value + (size_t)k * n_line, *n * sizeof *value);
  if (status) sdn_release(value);
  else *out = value;
  return status;
}

sdn_status sdn_survey_number_file(const sdn_yaml *node, const char *path, int n_column, double **out, size_t *n, sdn_err *err)
{
  char *text = NULL;
  *out = NULL;
  sdn_status status = sdn_read_text_file(path, &text, err);
  if (!status) status = read_text(text, path, n_column, out, n, err);
  sdn_release(text);
  return status ? sdn_fail_in(err, "%s:%d", node->origin, node->line) : SDN_OK;
}
