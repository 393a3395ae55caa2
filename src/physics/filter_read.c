/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where curves come from: shipped files, a user's ASCII or SVO file, or two edges. */
#include "physics/filter.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "base/yaml.h"

#define TOPHAT "tophat:"
#define NOISE_FRACTION 0.01   /* measured curves dip below zero by noise; more than this of the peak is a mistake */

typedef struct curve { int n; double *wave_A, *throughput; bool photon_counting; } curve;

static sdn_status new_curve(size_t capacity, curve *c, sdn_err *err)
{
  *c = (curve){0, NULL, NULL, true};
  c->wave_A = sdn_alloc(capacity, sizeof *c->wave_A, "a filter curve", err);
  c->throughput = sdn_alloc(capacity, sizeof *c->throughput, "a filter curve", err);
  return c->wave_A && c->throughput ? SDN_OK : err->status;
}

static size_t count(const char *text, const char *what)
{
  size_t n = 0;
  for (const char *at = text; (at = strstr(at, what)); at += strlen(what)) n++;
  return n;
}

/* ------------------------------------------------------------------ two columns of ASCII */

/* Up to 3 numbers of one line into value; -1 when something is not a number. */
static int numbers_of_line(const char *line, size_t n, double value[3])
{
  static const char separator[] = " \t\r,;";
  int n_value = 0;
  for (size_t i = 0; i < n && n_value < 3;) {
    while (i < n && memchr(separator, line[i], sizeof separator - 1)) i++;
    size_t end = i;
    while (end < n && !memchr(separator, line[end], sizeof separator - 1)) end++;
    if (end == i) break;
    if (!sdn_number_parse(line + i, end - i, &value[n_value])) return -1;
    n_value++;
    i = end;
  }
  return n_value;
}

/* "# detector: energy" or "# detector: photon"; other comments say nothing. */
static sdn_status read_comment(const char *path, int line_number, const char *line, size_t n, curve *c, sdn_err *err)
{
  static const char key[] = "detector:";
  size_t i = 0;
  while (i < n && (line[i] == '#' || line[i] == ' ')) i++;
  if (n - i < sizeof key - 1 || memcmp(line + i, key, sizeof key - 1) != 0) return SDN_OK;
  i += sizeof key - 1;
  while (i < n && line[i] == ' ') i++;
  while (n > i && (line[n - 1] == ' ' || line[n - 1] == '\r')) n--;
  const bool photon = n - i == 6 && memcmp(line + i, "photon", 6) == 0, energy = n - i == 6 && memcmp(line + i, "energy", 6) == 0;
  if (!photon && !energy)
    return sdn_fail(err, SDN_FORMAT, "%s:%d: detector is '%.*s'; it can be photon or energy", path, line_number, (int)(n - i < 40 ? n - i : 40), line + i);
  c->photon_counting = photon;
  return SDN_OK;
}

static sdn_status read_columns(const char *path, const char *text, curve *c, sdn_err *err)
{
  sdn_status status = new_curve(count(text, "\n") + 1, c, err);
  int line_number = 0;
  for (const char *line = text; !status && *line;) {
    const size_t n = strcspn(line, "\n");
    double value[3];
    line_number++;
    if (line[0] == '#') {
      status = read_comment(path, line_number, line, n, c, err);
    } else {
      const int n_value = numbers_of_line(line, n, value);
      if (n_value == 2) {
        c->wave_A[c->n] = value[0];
        c->throughput[c->n++] = value[1];
      } else if (n_value != 0) {
        status = sdn_fail(err, SDN_FORMAT, "%s:%d: a filter curve has two numbers per line, wavelength [A] and throughput; this line is '%.*s'",
                          path, line_number, (int)(n < 60 ? n : 60), line);
      }
    }
    line += n + (line[n] == '\n');
  }
  return status;
}

/* ------------------------------------------------------------------ SVO VOTable */

/* The value="..." of <PARAM name="NAME" ...>, found inside the element whatever the order of its attributes. */
static bool svo_param(const char *text, const char *name, char *value, size_t size)
{
  for (const char *at = text; (at = strstr(at, "<PARAM")); at++) {
    const char *end = strchr(at, '>'), *given = strstr(at, " name=\""), *found = strstr(at, " value=\"");
    if (!end) return false;
    if (!given || given > end || !found || found > end) continue;
    given += strlen(" name=\"");
    found += strlen(" value=\"");
    if (strncmp(given, name, strlen(name)) != 0 || given[strlen(name)] != '"') continue;
    const size_t n = strcspn(found, "\"");
    if (n >= size) return false;
    memcpy(value, found, n);
    value[n] = 0;
    return true;
  }
  return false;
}

static sdn_status read_svo(const char *path, const char *text, curve *c, sdn_err *err)
{
  char value[32];
  sdn_status status = new_curve(count(text, "<TD>") / 2 + 1, c, err);
  if (status) return status;
  if (svo_param(text, "WavelengthUnit", value, sizeof value) && strcmp(value, "Angstrom") != 0)
    return sdn_fail(err, SDN_FORMAT, "%s: its wavelengths are in %s; only Angstrom is read", path, value);
  if (svo_param(text, "DetectorType", value, sizeof value)) {   /* SVO: 0 energy counter, 1 photon counter */
    if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
      return sdn_fail(err, SDN_FORMAT, "%s: DetectorType is '%s'; SVO knows 0 (energy) and 1 (photon)", path, value);
    c->photon_counting = value[0] == '1';
  }
  int n_cell = 0;
  for (const char *at = text; (at = strstr(at, "<TD>")); n_cell++) {
    at += strlen("<TD>");
    const size_t n = strcspn(at, "<");
    if (strncmp(at + n, "</TD>", 5) != 0 || !sdn_number_parse(at, n, n_cell % 2 ? &c->throughput[c->n] : &c->wave_A[c->n]))
      return sdn_fail(err, SDN_FORMAT, "%s: cell %d of its table, '%.*s', is not a number", path, n_cell + 1, (int)(n < 40 ? n : 40), at);
    if (n_cell % 2) c->n++;
  }
  if (n_cell % 2) return sdn_fail(err, SDN_FORMAT, "%s: its table ends in the middle of a row; fetch the file again", path);
  return SDN_OK;
}

/* ------------------------------------------------------------------ by name */

static void clear_noise(curve *c)
{
  double peak = 0;
  for (int i = 0; i < c->n; i++)
    if (c->throughput[i] > peak) peak = c->throughput[i];
  for (int i = 0; i < c->n; i++)
    if (c->throughput[i] < 0 && c->throughput[i] >= -NOISE_FRACTION * peak) c->throughput[i] = 0;
}

static sdn_status read_file(const char *id, const char *path, sdn_filter **f, sdn_err *err)
{
  char *text = NULL;
  curve c = {0, NULL, NULL, true};
  sdn_status status = sdn_read_text_file(path, &text, err);
  if (status) goto done;
  const size_t blank = strspn(text, " \t\r\n");
  status = text[blank] == '<' ? read_svo(path, text, &c, err) : read_columns(path, text, &c, err);
  if (status) goto done;
  if (c.n >= 2 && c.wave_A[c.n - 1] < 100) {
    status = sdn_fail(err, SDN_USAGE, "filter %s ends at wavelength %g; wavelengths are in Angstrom, these look like micrometres", path, c.wave_A[c.n - 1]);
    goto done;
  }
  clear_noise(&c);
  status = sdn_filter_new(id, c.n, c.wave_A, c.throughput, c.photon_counting, f, err);
done:
  sdn_release(text);
  sdn_release(c.wave_A);
  sdn_release(c.throughput);
  return status;
}

static sdn_status make_tophat(const char *id, sdn_filter **f, sdn_err *err)
{
  double edge_A[2];
  const double full[2] = {1, 1};
  const char *low = id + strlen(TOPHAT), *colon = strchr(low, ':');
  if (!colon || !sdn_number_parse(low, (size_t)(colon - low), &edge_A[0]) || !sdn_number_parse(colon + 1, strlen(colon + 1), &edge_A[1]) ||
      !(edge_A[0] > 0 && edge_A[1] > edge_A[0]))
    return sdn_fail(err, SDN_USAGE, "filter '%s' is no top-hat; write tophat:LOW:HIGH with two ascending wavelengths in Angstrom", id);
  return sdn_filter_new(id, 2, edge_A, full, true, f, err);
}

/* The ids of the shipped index are the first words of its lines: names [*n] point into text, which is cut up for it. */
static char **index_names(char *text, size_t *n, sdn_err *err)
{
  char **names = sdn_alloc(count(text, "\n") + 1, sizeof *names, "the list of filters", err);
  if (!names) return NULL;
  *n = 0;
  for (char *line = text; *line;) {
    const size_t length = strcspn(line, "\n"), word = strcspn(line, " \t\n");
    const bool last = line[length] == 0;
    if (word > 0 && line[0] != '#') names[(*n)++] = line;
    line[word] = 0;
    if (last) break;
    line += length + 1;
  }
  return names;
}

static sdn_status fail_unknown(const char *id, sdn_err *err)
{
  sdn_err hidden = {SDN_OK, -1, ""};
  char *text = NULL, **names = NULL, *path = sdn_data_path("filters", "INDEX.txt", &hidden);
  size_t n = 0;
  const char *near = NULL;
  if (path && !sdn_read_text_file(path, &text, &hidden)) names = index_names(text, &n, &hidden);
  if (names) near = sdn_nearest(id, (const char *const *)names, n);
  if (near)
    sdn_fail(err, SDN_USAGE, "there is no filter '%s'; did you mean %s?", id, near);
  else
    sdn_fail(err, SDN_USAGE, "there is no filter '%s'; shipped ones are listed in data/filters/INDEX.txt, or give the path of a curve", id);
  sdn_release(names);
  sdn_release(text);
  sdn_release(path);
  return err->status;
}

sdn_status sdn_filter_read(const char *id, sdn_filter **f, sdn_err *err)
{
  char name[160];
  sdn_err hidden = {SDN_OK, -1, ""};
  if (strncmp(id, TOPHAT, strlen(TOPHAT)) == 0) return make_tophat(id, f, err);
  if (strlen(id) + sizeof ".dat" <= sizeof name && id[0] != '/' && id[0] != '.') {
    snprintf(name, sizeof name, "%s.dat", id);
    char *path = sdn_data_path("filters", name, &hidden);
    if (path) {
      const sdn_status status = read_file(id, path, f, err);
      sdn_release(path);
      return status;
    }
  }
  return sdn_file_exists(id) ? read_file(id, id, f, err) : fail_unknown(id, err);
}
