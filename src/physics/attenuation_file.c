/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A curve of the user's own, from two columns of ASCII: x = ln(wave / A), y = ln A(lambda). Zeros at either end, with which some files close, are dropped:
 * there the curve's continuation holds. */
#include <math.h>
#include <string.h>

#include "base/number.h"
#include "physics/attenuation_law.h"

static const char separator[] = " \t\r,;";

/* The next word of a line, its length in *n (0: none). */
static const char *next_word(const char *at, size_t *n)
{
  at += strspn(at, separator);
  *n = strcspn(at, " \t\r,;#\n");
  return at;
}

/* 1: two numbers; 0: an empty line or comment; -1: something else. */
static int read_line(const char *line, double value[2])
{
  size_t n;
  const char *word = next_word(line, &n);
  if (n == 0) return 0;
  for (int i = 0; i < 2; i++) {
    if (!sdn_number_parse(word, n, &value[i])) return -1;
    word = next_word(word + n, &n);
  }
  return n == 0 ? 1 : -1;
}

/* *ended: a zero came behind the curve, so that only zeros may follow. */
static sdn_status add_point(const char *path, size_t line, const double value[2], sdn_dust_table *t, bool *ended, sdn_err *err)
{
  if (value[0] > 0 && value[1] == 0) {
    *ended = t->n > 0;
    return SDN_OK;
  }
  if (!(value[0] > 0 && value[1] > 0) || *ended)
    return sdn_fail(err, SDN_FORMAT, "%s:%zu: wavelength %g A and attenuation %g must both be positive, but for zeros at the ends; leave out what lies beyond the curve",
                    path, line, value[0], value[1]);
  t->x[t->n] = log(value[0]);
  t->y[t->n] = log(value[1]);
  if (t->n > 0 && !(t->x[t->n] > t->x[t->n - 1]))
    return sdn_fail(err, SDN_FORMAT, "%s:%zu: wavelength %g A does not lie above that of the line before; wavelengths must ascend", path, line, value[0]);
  t->n++;
  return SDN_OK;
}

/* Whether the curve covers 5500 A and falls at its red end, so that its continuation falls too. */
static sdn_status check_table(const char *path, const sdn_dust_table *t, sdn_err *err)
{
  const double reference = log(SDN_DUST_REFERENCE_A);
  if (t->n < 2) return sdn_fail(err, SDN_FORMAT, "%s: an attenuation curve needs at least two lines of wavelength [A] and attenuation; it has %d", path, t->n);
  if (!(t->x[0] <= reference && t->x[t->n - 1] >= reference))
    return sdn_fail(err, SDN_RANGE, "%s: the attenuation curve spans %.6g to %.6g A, which does not hold the 5500 A of A_V", path, exp(t->x[0]),
                    exp(t->x[t->n - 1]));
  if (!(t->y[t->n - 1] < t->y[t->n - 2]))
    return sdn_fail(err, SDN_FORMAT, "%s: the attenuation curve does not fall between its last two wavelengths, %.6g and %.6g A, so it cannot be continued to the "
                    "infrared; add lines there", path, exp(t->x[t->n - 2]), exp(t->x[t->n - 1]));
  return SDN_OK;
}

static sdn_status parse(const char *path, const char *text, sdn_dust_table *t, sdn_err *err)
{
  size_t n_line = 1;
  for (const char *c = text; *c; c++) n_line += *c == '\n';
  if (sdn_dust_allocate(n_line, t, err)) return err->status;
  const char *line = text;
  bool ended = false;
  for (size_t i = 1; i <= n_line; i++) {
    double value[2];
    const int got = read_line(line, value);
    if (got < 0)
      return sdn_fail(err, SDN_FORMAT, "%s:%zu: an attenuation curve has two numbers per line, wavelength [A] and attenuation; this line is '%.*s'", path, i,
                      (int)(strcspn(line, "\n") < 60 ? strcspn(line, "\n") : 60), line);
    if (got > 0 && add_point(path, i, value, t, &ended, err)) return err->status;
    line += strcspn(line, "\n");
    line += *line == '\n';
  }
  return check_table(path, t, err);
}

/* A relative name is sought in the folder of the YAML file that gives it. */
static char *path_of(const sdn_yaml *map, const char *name, sdn_err *err)
{
  const char *slash = name[0] == '/' ? NULL : strrchr(map->origin, '/');
  const size_t n_folder = slash ? (size_t)(slash - map->origin) + 1 : 0;
  char *path = sdn_alloc(n_folder + strlen(name) + 1, 1, "a file name", err);
  if (!path) return NULL;
  memcpy(path, map->origin, n_folder);
  memcpy(path + n_folder, name, strlen(name));
  return path;
}

static sdn_status load(const sdn_yaml *map, sdn_dust_table *table, sdn_err *err)
{
  const char *name = NULL;
  char *path = NULL, *text = NULL;
  if (sdn_yaml_text(map, "file", true, &name, err) || !(path = path_of(map, name, err))) return err->status;
  sdn_status status = sdn_read_text_file(path, &text, err);
  if (!status) status = parse(path, text, table, err);
  if (status) sdn_fail_in(err, "%s:%d", map->origin, sdn_yaml_get(map, "file")->line);
  sdn_release(text);
  sdn_release(path);
  return status;
}

/* ln k linear in ln wave; beyond the blue end along the tangent in wavelength (of the first interval's power law), beyond the red end as the power law of
 * the last interval. */
static double table_curve(const sdn_dust_table *t, double wave_A)
{
  const double l = log(wave_A);
  int low = 0, high = t->n - 1;
  while (high - low > 1) {
    const int mid = (low + high) / 2;
    if (t->x[mid] <= l) low = mid; else high = mid;
  }
  const double power = (t->y[high] - t->y[low]) / (t->x[high] - t->x[low]);
  const double edge_A = exp(t->x[0]), edge = exp(t->y[0]);
  if (wave_A < edge_A) return fmax(sdn_dust_tangent(edge, power * edge / edge_A, edge_A, wave_A), 0);
  return exp(t->y[low] + power * (l - t->x[low]));
}

static void tabulated_basis(const sdn_dust_table *table, double wave_A, double *b)
{
  b[0] = table_curve(table, wave_A);
  b[1] = 0;
}

const sdn_dust_law sdn_dust_tabulated = {.name = "tabulated", .form = SDN_CURVE_AFFINE, .reads_file = true, .load = load, .basis = tabulated_basis};
