/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "prior/read_table.h"

#include <string.h>

#include "base/number.h"

static sdn_status from_lists(const sdn_yaml *node, sdn_dist_table **table, sdn_err *err)
{
  double *value = NULL, *density = NULL;
  size_t n_value, n_density;
  sdn_status status = sdn_yaml_numbers(node, "value", true, &value, &n_value, err);
  if (!status) status = sdn_yaml_numbers(node, "density", true, &density, &n_density, err);
  if (!status && n_value != n_density)
    status = sdn_yaml_fail(node, err, "'value' has %zu numbers and 'density' %zu; they must be as many", n_value, n_density);
  if (!status && (status = sdn_dist_table_new(n_value, value, density, table, err))) sdn_fail_in(err, "%s:%d", node->origin, node->line);
  sdn_release(value);
  sdn_release(density);
  return status;
}

/* The next word of a line, its length in *n (0: none). */
static const char *next_word(const char *at, size_t *n)
{
  at += strspn(at, " \t\r,");
  *n = strcspn(at, " \t\r,#\n");
  return at;
}

/* Two numbers from one line; 1: read, 0: an empty line or comment, -1: something else. */
static int read_line(const char *line, double *value, double *density)
{
  size_t n;
  const char *word = next_word(line, &n);
  if (n == 0) return 0;
  if (!sdn_number_parse(word, n, value)) return -1;
  word = next_word(word + n, &n);
  if (!sdn_number_parse(word, n, density)) return -1;
  next_word(word + n, &n);
  return n == 0 ? 1 : -1;
}

static sdn_status from_text(const char *text, const char *path, sdn_dist_table **table, sdn_err *err)
{
  size_t n_line = 1, n = 0;
  for (const char *c = text; *c; c++) n_line += *c == '\n';
  double *value = sdn_alloc(2 * n_line, sizeof *value, "a tabulated prior", err);
  if (!value) return err->status;
  double *density = value + n_line;
  sdn_status status = SDN_OK;
  const char *line = text;
  for (size_t i = 0; i < n_line && !status; i++) {
    const int got = read_line(line, &value[n], &density[n]);
    if (got < 0) status = sdn_fail(err, SDN_FORMAT, "%s:%zu: expected two numbers, a value and its density", path, i + 1);
    n += got > 0;
    line += strcspn(line, "\n");
    line += *line == '\n';
  }
  if (!status && (status = sdn_dist_table_new(n, value, density, table, err))) sdn_fail_in(err, "%s", path);
  sdn_release(value);
  return status;
}

static sdn_status from_file(const sdn_yaml *node, const char *name, sdn_dist_table **table, sdn_err *err)
{
  const char *slash = name[0] == '/' ? NULL : strrchr(node->origin, '/');
  const size_t n_folder = slash ? (size_t)(slash - node->origin) + 1 : 0;
  char *text = NULL, *path = sdn_alloc(n_folder + strlen(name) + 1, 1, "a file name", err);
  if (!path) return err->status;
  memcpy(path, node->origin, n_folder);
  memcpy(path + n_folder, name, strlen(name));
  sdn_status status = sdn_read_text_file(path, &text, err);
  if (status) sdn_fail_in(err, "%s:%d", node->origin, node->line);
  else status = from_text(text, path, table, err);
  sdn_release(text);
  sdn_release(path);
  return status;
}

sdn_status sdn_prior_read_table(const sdn_yaml *node, sdn_dist_table **table, sdn_err *err)
{
  const char *name = NULL;
  *table = NULL;
  if (sdn_yaml_text(node, "file", false, &name, err)) return err->status;
  if (!name) return from_lists(node, table, err);
  if (sdn_yaml_get(node, "value") || sdn_yaml_get(node, "density"))
    return sdn_yaml_fail(node, err, "a tabulated prior takes either 'file' or 'value' and 'density'");
  return from_file(node, name, table, err);
}
