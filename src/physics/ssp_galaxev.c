/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GALAXEV's files (Bruzual & Charlot 2003 and its updates), as its programs bin_ised and galaxevpl read and write them. A file is a sequence of records:
 *   n_age, age [n_age] yr, m_low, m_up, n_segment, 6 numbers for each segment of the mass function, three totals, a code of the star formation history (0: a single
 *   burst), its time scale, a title of 80 characters, ...
 *   n_wave, wavelength [n_wave] A
 *   n_age times: n_wave, L_lambda [n_wave] Lsun/A per Msun, and (not always) n_index, index [n_index]
 *   then series over age, each n_age, value [n_age]: bolometric flux, mass in stars, star formation rate, ...
 * Integers and reals of 4 bytes. Binary: Fortran's unformatted records, with their length before and behind, of 4 or 8 bytes, in either byte order. ASCII (.ised_ASCII):
 * the same numbers as text; the lines between ages and wavelengths are looked at only for the title. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/number.h"
#include "physics/ssp.h"

#define LSUN_ERG_PER_S 3.826e33   /* GALAXEV's */
#define MAX_FILE ((long)2 << 30)
enum { MOST_AGES = 100000, MOST_WAVES = 1000000, SERIES_OF_MASS = 1, N_SERIES = 2, BURST_CODE = 0 };

/* A file as runs of 4-byte numbers. */
typedef struct run { const unsigned char *byte; long n; } run;   /* n bytes */
typedef struct ised {
  const char *path;
  unsigned char *byte; long n_byte;
  int marker;               /* bytes of a record's length */
  bool swapped;
  long at;
  int n_age, n_wave;
  double *age_yr, *wave_A;
  float *light;             /* [n_age][n_wave] */
  double *living;           /* [n_age], NULL if the file ends before */
  bool composite;
  char title[81];
} ised;

static void close_ised(ised *f)
{
  free(f->byte);
  sdn_release(f->age_yr);
  sdn_release(f->wave_A);
  sdn_release(f->light);
  sdn_release(f->living);
}

static sdn_status slurp(ised *f, sdn_err *err)
{
  FILE *in = fopen(f->path, "rb");
  if (!in) return sdn_fail(err, SDN_IO, "cannot open %s", f->path);
  sdn_status status = SDN_OK;
  if (fseek(in, 0, SEEK_END) || (f->n_byte = ftell(in)) < 0 || fseek(in, 0, SEEK_SET)) status = sdn_fail(err, SDN_IO, "cannot read %s", f->path);
  else if (f->n_byte < 64 || f->n_byte > MAX_FILE) status = sdn_fail(err, SDN_FORMAT, "%s has %ld bytes, which no .ised file has", f->path, f->n_byte);
  else if (!(f->byte = malloc((size_t)f->n_byte + 1))) status = sdn_fail(err, SDN_MEMORY, "no memory for %s", f->path);
  else if (fread(f->byte, 1, (size_t)f->n_byte, in) != (size_t)f->n_byte) status = sdn_fail(err, SDN_IO, "cannot read %s", f->path);
  else f->byte[f->n_byte] = 0;
  fclose(in);
  return status;
}

/* ------------------------------------------------------------------ binary */

static uint32_t word(const ised *f, const unsigned char *p)
{
  return f->swapped ? (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3] : (uint32_t)p[3] << 24 | (uint32_t)p[2] << 16 | (uint32_t)p[1] << 8 | p[0];
}

static long whole(const ised *f, const unsigned char *p) { return (long)(int32_t)word(f, p); }

static float real(const ised *f, const unsigned char *p)
{
  const uint32_t bits = word(f, p);
  float value;
  memcpy(&value, &bits, sizeof value);
  return value;
}

/* The length in a marker; of one of 8 bytes the other half must be 0. -1: no length. */
static long marked(const ised *f, long at)
{
  if (at < 0 || at + f->marker > f->n_byte) return -1;
  const unsigned char *p = f->byte + at;
  if (f->marker == 4) return whole(f, p);
  const long low = whole(f, f->swapped ? p + 4 : p), high = whole(f, f->swapped ? p : p + 4);
  return high == 0 ? low : -1;
}

/* The record at f->at, which moves behind it. False at the end or where the lengths before and behind differ. */
static bool next_record(ised *f, run *r)
{
  const long n = marked(f, f->at);
  if (n < 0 || n > f->n_byte - f->at - 2 * f->marker || marked(f, f->at + f->marker + n) != n) return false;
  *r = (run){f->byte + f->at + f->marker, n};
  f->at += n + 2 * f->marker;
  return true;
}

/* How the records are marked: the way in which the first two hold together. */
static bool find_marks(ised *f)
{
  run r;
  for (int way = 0; way < 4; way++) {
    f->marker = way & 1 ? 8 : 4;
    f->swapped = way & 2;
    f->at = 0;
    if (next_record(f, &r) && r.n >= 8 && next_record(f, &r) && r.n >= 8) {
      f->at = 0;
      return true;
    }
  }
  return false;
}

/* The count that a record begins with, when so many numbers follow; else 0. */
static int counted(const ised *f, const run *r, int most)
{
  const long n = r->n >= 4 ? whole(f, r->byte) : 0;
  return n > 0 && n <= most && 4 * (n + 1) <= r->n ? (int)n : 0;
}

static double *numbers(const ised *f, const run *r, int n, sdn_err *err)
{
  double *value = sdn_alloc((size_t)n, sizeof *value, "numbers of an .ised file", err);
  for (int i = 0; value && i < n; i++) value[i] = (double)real(f, r->byte + 4 * (i + 1));
  return value;
}

/* What follows the ages in the first record. */
static void read_head(ised *f, const run *r)
{
  const long at = 4 * (1 + (long)f->n_age) + 8, n_segment = at + 4 <= r->n ? whole(f, r->byte + at) : -1;
  if (n_segment < 0 || n_segment > 100) return;
  const long code = at + 4 + 24 * n_segment + 12, title = code + 8;
  if (title + 80 > r->n) return;
  f->composite = whole(f, r->byte + code) != BURST_CODE;
  memcpy(f->title, r->byte + title, 80);
}

static sdn_status damaged(const ised *f, const char *where, sdn_err *err)
{
  return sdn_fail(err, SDN_FORMAT, "%s: %s is not as GALAXEV writes it; the file is damaged, cut short or no .ised file", f->path, where);
}

static sdn_status read_binary_spectra(ised *f, sdn_err *err)
{
  run r;
  f->light = sdn_alloc((size_t)f->n_age, (size_t)f->n_wave * sizeof *f->light, "spectra", err);
  if (!f->light) return err->status;
  for (int a = 0; a < f->n_age; a++) {
    if (!next_record(f, &r) || counted(f, &r, MOST_WAVES) != f->n_wave) {
      char where[64];
      snprintf(where, sizeof where, "spectrum %d of %d", a + 1, f->n_age);
      return damaged(f, where, err);
    }
    for (int j = 0; j < f->n_wave; j++) f->light[(size_t)a * (size_t)f->n_wave + (size_t)j] = real(f, r.byte + 4 * (j + 1));
  }
  for (int k = 0; k < N_SERIES && next_record(f, &r) && counted(f, &r, MOST_AGES) == f->n_age; k++)
    if (k == SERIES_OF_MASS && !(f->living = numbers(f, &r, f->n_age, err))) return err->status;
  return SDN_OK;
}

static sdn_status read_binary(ised *f, sdn_err *err)
{
  run r;
  if (!next_record(f, &r) || !(f->n_age = counted(f, &r, MOST_AGES))) return damaged(f, "its record of ages", err);
  if (!(f->age_yr = numbers(f, &r, f->n_age, err))) return err->status;
  read_head(f, &r);
  if (!next_record(f, &r) || (f->n_wave = counted(f, &r, MOST_WAVES)) < 2) return damaged(f, "its record of wavelengths", err);
  if (!(f->wave_A = numbers(f, &r, f->n_wave, err))) return err->status;
  return read_binary_spectra(f, err);
}

/* ------------------------------------------------------------------ ASCII */

static bool next_number(const char **at, double *value)
{
  const char *p = *at;
  while (isspace((unsigned char)*p) || *p == ',') p++;
  const char *end = p;
  while (*end && !isspace((unsigned char)*end) && *end != ',') end++;
  if (!sdn_number_parse(p, (size_t)(end - p), value)) return false;
  *at = end;
  return true;
}

/* A count and so many numbers; NULL (and *at unmoved) when it is not there. */
static double *counted_text(const char **at, int most, int *n, sdn_err *err)
{
  const char *p = *at;
  double count;
  if (!next_number(&p, &count) || !(count >= 1 && count <= most) || count != floor(count)) return NULL;
  double *value = sdn_alloc((size_t)count, sizeof *value, "numbers of an .ised file", err);
  *n = (int)count;
  for (int i = 0; value && i < *n; i++)
    if (!next_number(&p, &value[i])) {
      sdn_release(value);
      return NULL;
    }
  if (value) *at = p;
  return value;
}

static bool ascends(const double *value, int n)
{
  for (int i = 0; i < n; i++)
    if (!(value[i] > (i ? value[i - 1] : 0))) return false;
  return n > 1;
}

/* The wavelengths begin a line of their own, some lines behind the ages; titles stand between. */
static bool find_text_wavelengths(ised *f, const char **at, sdn_err *err)
{
  for (const char *line = *at; line; line = strchr(line, '\n')) {
    line += *line == '\n';
    const char *p = line;
    f->wave_A = counted_text(&p, MOST_WAVES, &f->n_wave, err);
    if (f->wave_A && ascends(f->wave_A, f->n_wave)) {
      *at = p;
      return true;
    }
    sdn_release(f->wave_A);
    f->wave_A = NULL;
    const char *title = strstr(line, "Z=");
    const size_t n = strcspn(line, "\r\n");
    if (title && title < line + n && n < sizeof f->title) memcpy(f->title, line, n);
    if (!*line) break;
  }
  return false;
}

static sdn_status read_ascii(ised *f, sdn_err *err)
{
  const char *at = (const char *)f->byte;
  bool indexed = true;
  int n;
  double *series;
  sdn_err_clear(err);
  f->age_yr = counted_text(&at, MOST_AGES, &f->n_age, err);
  if (err->status) return err->status;
  if (!f->age_yr) return damaged(f, "its list of ages", err);
  if (!find_text_wavelengths(f, &at, err)) return err->status ? err->status : damaged(f, "its list of wavelengths", err);
  if (!(f->light = sdn_alloc((size_t)f->n_age, (size_t)f->n_wave * sizeof *f->light, "spectra", err))) return err->status;
  for (int a = 0; a < f->n_age; a++) {
    double *row = counted_text(&at, MOST_WAVES, &n, err);
    const bool good = row && n == f->n_wave;
    for (int j = 0; good && j < n; j++) f->light[(size_t)a * (size_t)n + (size_t)j] = (float)row[j];
    sdn_release(row);
    if (err->status) return err->status;
    if (!good) return damaged(f, "a spectrum", err);
    const char *behind = at;
    if (indexed) sdn_release(counted_text(&at, MOST_WAVES, &n, err));
    if (a == 0 && at > behind && n == f->n_wave) {   /* the file has no indices: that was the next spectrum */
      indexed = false;
      at = behind;
    }
  }
  for (int k = 0; k < N_SERIES && (series = counted_text(&at, MOST_AGES, &n, err)) != NULL; k++) {
    if (k == SERIES_OF_MASS && n == f->n_age) f->living = series;
    else sdn_release(series);
  }
  return SDN_OK;
}

/* ------------------------------------------------------------------ all */

static bool is_text(const ised *f)
{
  for (long i = 0; i < 64; i++)
    if (!isprint(f->byte[i]) && !isspace(f->byte[i])) return false;
  return true;
}

static sdn_status read_ised(ised *f, sdn_err *err)
{
  if (slurp(f, err)) return err->status;
  if (is_text(f)) return read_ascii(f, err);
  if (!find_marks(f)) return damaged(f, "its beginning", err);
  return read_binary(f, err);
}

/* "..., Z=0.004" in a title; NaN if it is not there. */
static double titled_metallicity(const char *title)
{
  const char *p = strstr(title, "Z=");
  double z;
  return p && (p += 2, next_number(&p, &z)) ? z : (double)NAN;
}

static bool same_axes(const sdn_ssp *s, const ised *f)
{
  return s->n_age == f->n_age && s->n_wave == f->n_wave && memcmp(s->age_yr, f->age_yr, (size_t)f->n_age * sizeof *f->age_yr) == 0 &&
         memcmp(s->wave_A, f->wave_A, (size_t)f->n_wave * sizeof *f->wave_A) == 0;
}

static sdn_status take(sdn_ssp *s, int m, const ised *f, double metallicity, sdn_err *err)
{
  if (m == 0) {
    memcpy(s->age_yr, f->age_yr, (size_t)s->n_age * sizeof *s->age_yr);
    memcpy(s->wave_A, f->wave_A, (size_t)s->n_wave * sizeof *s->wave_A);
    snprintf(s->label, sizeof s->label, "%.80s", f->title);
    for (size_t i = strlen(s->label); i > 0 && s->label[i - 1] == ' '; i--) s->label[i - 1] = 0;
  } else if (!same_axes(s, f)) {
    return sdn_fail(err, SDN_FORMAT, "%s has other ages or wavelengths than the first file", f->path);
  }
  s->metallicity[m] = isfinite(metallicity) ? metallicity : titled_metallicity(f->title);
  if (!isfinite(s->metallicity[m])) return sdn_fail(err, SDN_USAGE, "%s does not say its metallicity; give it by --metallicity", f->path);
  const size_t n = (size_t)s->n_age * (size_t)s->n_wave;
  memcpy(s->light + (size_t)m * n, f->light, n * sizeof *s->light);
  if (s->living && f->living) memcpy(s->living + (size_t)m * (size_t)s->n_age, f->living, (size_t)s->n_age * sizeof *s->living);
  if (!f->living || f->composite) {   /* of a composite population, the mass formed grows */
    sdn_release(s->living);
    s->living = NULL;
  }
  s->composite = s->composite || f->composite;
  return SDN_OK;
}

sdn_status sdn_ssp_read_galaxev(int n_file, const char *const *path, const double *metallicity, sdn_ssp **out, sdn_err *err)
{
  sdn_ssp *s = NULL;
  sdn_status status = SDN_OK;
  *out = NULL;
  for (int m = 0; m < n_file && !status; m++) {
    ised f = {.path = path[m]};
    status = read_ised(&f, err);
    if (!status && !s) status = sdn_ssp_new(n_file, f.n_age, f.n_wave, true, &s, err);
    if (!status) status = take(s, m, &f, metallicity[m], err);
    close_ised(&f);
  }
  if (!status) {
    s->unit_erg = LSUN_ERG_PER_S;
    *out = s;
    s = NULL;
  }
  sdn_ssp_free(s);
  return status;
}
