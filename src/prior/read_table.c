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

/* n_column numbers from one line; 1: read, 0: an empty line or comment, -1: something else. */
static int read_line(const char *line, int n_column, double *number)
{
  size_t n = 0;
  const char *word = line;
  for (int c = 0; c < n_column; c++) {
    word = next_word(word + n, &n);
    if (c == 0 && n == 0) return 0;
    if (!sdn_number_parse(word, n, &number[c])) return -1;
  }
  next_word(word + n, &n);
  return n == 0 ? 1 : -1;
}

/* A file of numbers in columns: *number [*n][n_column], freed by sdn_release. */
static sdn_status parse_columns(const char *text, const char *path, int n_column, const char *columns, double **number, size_t *n, sdn_err *err)
{
  size_t n_line = 1;
  const char *line = text;
  for (const char *c = text; *c; c++) n_line += *c == '\n';
  *n = 0;
  *number = sdn_alloc(n_line * (size_t)n_column, sizeof **number, "a tabulated prior", err);
  if (!*number) return err->status;
  for (size_t i = 0; i < n_line; i++) {
    const int got = read_line(line, n_column, *number + *n * (size_t)n_column);
    if (got < 0) return sdn_fail(err, SDN_FORMAT, "%s:%zu: expected %s", path, i + 1, columns);
    *n += got > 0;
    line += strcspn(line, "\n");
    line += *line == '\n';
  }
  return SDN_OK;
}

/* *path is the file's full name. Both are freed by sdn_release, whatever the status. */
static sdn_status read_columns(const sdn_yaml *node, const char *name, int n_column, const char *columns, char **path, double **number, size_t *n, sdn_err *err)
{
  const char *slash = name[0] == '/' ? NULL : strrchr(node->origin, '/');
  const size_t n_folder = slash ? (size_t)(slash - node->origin) + 1 : 0;
  char *text = NULL;
  *number = NULL;
  if (!(*path = sdn_alloc(n_folder + strlen(name) + 1, 1, "a file name", err))) return err->status;
  memcpy(*path, node->origin, n_folder);
  memcpy(*path + n_folder, name, strlen(name));
  sdn_status status = sdn_read_text_file(*path, &text, err);
  if (status) sdn_fail_in(err, "%s:%d", node->origin, node->line);
  else status = parse_columns(text, *path, n_column, columns, number, n, err);
  sdn_release(text);
  return status;
}

static sdn_status from_file(const sdn_yaml *node, const char *name, sdn_dist_table **table, sdn_err *err)
{
  char *path = NULL;
  double *number = NULL, *column = NULL;
  size_t n = 0;
  sdn_status status = read_columns(node, name, 2, "two numbers, a value and its density", &path, &number, &n, err);
  if (!status && !(column = sdn_alloc(2 * n, sizeof *column, "a tabulated prior", err))) status = err->status;
  for (size_t i = 0; i < n && !status; i++) {
    column[i] = number[2 * i];
    column[n + i] = number[2 * i + 1];
  }
  if (!status && (status = sdn_dist_table_new(n, column, column + n, table, err))) sdn_fail_in(err, "%s", path);
  sdn_release(column);
  sdn_release(number);
  sdn_release(path);
  return status;
}

/* The file or the lists: not both. *name NULL: the lists. */
static sdn_status find_source(const sdn_yaml *node, const char **name, sdn_err *err)
{
  *name = NULL;
  if (sdn_yaml_text(node, "file", false, name, err)) return err->status;
  if (*name && (sdn_yaml_get(node, "value") || sdn_yaml_get(node, "density")))
    return sdn_yaml_fail(node, err, "a tabulated prior takes either 'file' or 'value' and 'density'");
  return SDN_OK;
}

sdn_status sdn_prior_read_table(const sdn_yaml *node, sdn_dist_table **table, sdn_err *err)
{
  const char *name;
  *table = NULL;
  if (find_source(node, &name, err)) return err->status;
  return name ? from_file(node, name, table, err) : from_lists(node, table, err);
}

/* ---- conditional tables */

/* Lines [n][3] of given, value, density, as the columns of a grid. */
static sdn_status grid_of_lines(size_t n, const double *line, const char *path, sdn_dist_grid **grid, sdn_err *err)
{
  size_t n_value = 0;
  while (n_value < n && line[3 * n_value] == line[0]) n_value++;
  if (n_value == 0 || n % n_value != 0)
    return sdn_fail(err, SDN_FORMAT, "%s: %zu lines do not make tables of %zu values each, as the first given value has; every given value needs the same values",
                    path, n, n_value);
  const size_t n_given = n / n_value;
  double *given = sdn_alloc(n_given + n_value + n, sizeof *given, "a conditional table", err);
  if (!given) return err->status;
  double *value = given + n_given, *density = value + n_value;
  sdn_status status = SDN_OK;
  for (size_t i = 0; i < n && !status; i++) {
    const size_t row = i / n_value, k = i % n_value;
    if (k == 0) given[row] = line[3 * i];
    if (row == 0) value[k] = line[3 * i + 1];
    density[i] = line[3 * i + 2];
    if (line[3 * i] != given[row] || line[3 * i + 1] != value[k])
      status = sdn_fail(err, SDN_FORMAT, "%s: the line of given value %g and value %g is out of place; every given value needs the values of the first, in order",
                        path, line[3 * i], line[3 * i + 1]);
  }
  if (!status && (status = sdn_dist_grid_new(n_given, given, n_value, value, density, grid, err))) sdn_fail_in(err, "%s", path);
  sdn_release(given);
  return status;
}

static sdn_status grid_from_file(const sdn_yaml *node, const char *name, sdn_dist_grid **grid, sdn_err *err)
{
  char *path = NULL;
  double *number = NULL;
  size_t n = 0;
  sdn_status status = read_columns(node, name, 3, "three numbers, a given value, a value and its density", &path, &number, &n, err);
  if (!status) status = grid_of_lines(n, number, path, grid, err);
  sdn_release(number);
  sdn_release(path);
  return status;
}

/* density: a list of n_given lists of n_value numbers. */
static sdn_status read_rows(const sdn_yaml *node, size_t n_given, size_t n_value, double *density, sdn_err *err)
{
  const sdn_yaml *rows = sdn_yaml_get(node, "density");
  if (!rows || rows->kind != SDN_YAML_LIST || rows->n != n_given)
    return sdn_yaml_fail(rows ? rows : node, err, "'density' must be a list of %zu lists, one for each of given_values", n_given);
  for (size_t i = 0; i < n_given; i++) {
    const sdn_yaml *row = rows->item[i];
    if (row->kind != SDN_YAML_LIST || row->n != n_value) return sdn_yaml_fail(row, err, "row %zu of 'density' must be a list of %zu numbers", i + 1, n_value);
    for (size_t k = 0; k < n_value; k++)
      if (!sdn_yaml_is_number(row->item[k]) || !sdn_number_parse(row->item[k]->text, strlen(row->item[k]->text), &density[i * n_value + k]))
        return sdn_yaml_fail(row->item[k], err, "item %zu of row %zu of 'density' is no number", k + 1, i + 1);
  }
  return SDN_OK;
}

static sdn_status grid_from_lists(const sdn_yaml *node, sdn_dist_grid **grid, sdn_err *err)
{
  double *given = NULL, *value = NULL, *density = NULL;
  size_t n_given = 0, n_value = 0;
  sdn_status status = sdn_yaml_numbers(node, "given_values", true, &given, &n_given, err);
  if (!status) status = sdn_yaml_numbers(node, "value", true, &value, &n_value, err);
  if (!status && !(density = sdn_alloc(n_given * n_value, sizeof *density, "a conditional table", err))) status = err->status;
  if (!status) status = read_rows(node, n_given, n_value, density, err);
  if (!status && (status = sdn_dist_grid_new(n_given, given, n_value, value, density, grid, err))) sdn_fail_in(err, "%s:%d", node->origin, node->line);
  sdn_release(given);
  sdn_release(value);
  sdn_release(density);
  return status;
}

sdn_status sdn_prior_read_grid_table(const sdn_yaml *node, sdn_dist_grid **grid, sdn_err *err)
{
  const char *name;
  *grid = NULL;
  if (find_source(node, &name, err)) return err->status;
  if (name && sdn_yaml_get(node, "given_values")) return sdn_yaml_fail(node, err, "a tabulated prior takes either 'file' or 'given_values'");
  return name ? grid_from_file(node, name, grid, err) : grid_from_lists(node, grid, err);
}
