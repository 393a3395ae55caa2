/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Importing populations: files of every form are made here from one formula, so each grid must hold that formula's L_nu. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fitsio.h>

#include "base/h5.h"
#include "physics/grid.h"
#include "support/scratch.h"
#include "support/shared.h"

enum { N_AGE = 4, N_WAVE = 6, N_Z = 2, MOST_BYTES = 1 << 16 };
static const double age_yr[N_AGE] = {0, 1e6, 1e7, 1e9}, wave_A[N_WAVE] = {200, 900, 912, 1500, 5000, 20000}, metallicity[N_Z] = {.004, .02};
static const double light_A_per_s = 2.99792458e18, lsun_galaxev = 3.826e33, float_rounding = 4e-7;
static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

/* Lsun/A per Msun; exact in float32. The age of 0 repeats the first. */
static double light(int z, int a, int j) { return 1 + z + 4 * (a ? a : 1) + 32 * (j + 1); }
static double living(int z, int a) { return 1 - 0.125 * a - 0.03125 * z; }

static sdn_grid_import_options defaults(const char *input, const char *output)
{
  sdn_grid_import_options o;
  sdn_knob_defaults(sdn_grid_import_knobs, sdn_n_grid_import_knob, &o);
  o.input = input;
  o.output = output;
  return o;
}

static sdn_grid *import(const sdn_grid_import_options *o, sdn_grid_import_summary *s)
{
  sdn_grid *g;
  must(sdn_grid_import(o, NULL, s, &err));
  must(sdn_grid_read(o->output, 0, HUGE_VAL, &g, &err));
  return g;
}

static void refused(const sdn_grid_import_options *o, sdn_status status, const char *says)
{
  sdn_grid_import_summary s;
  if (sdn_grid_import(o, NULL, &s, &err) != status || !strstr(err.text, says)) fail_msg("status %d: '%s' is not in: %s", err.status, says, err.text);
}

/* The grid is the formula, its age of 0 left out. */
static void expect_formula(const sdn_grid *g, double lsun, bool with_mass)
{
  assert_true(g->has_ages && g->has_metallicities && g->n_axis == 2);
  assert_true(g->axis[0].n == N_AGE - 1 && g->axis[1].n == N_Z && g->n_wave == N_WAVE);
  assert_true((g->star_fraction.value != NULL) == with_mass);
  for (int z = 0; z < N_Z; z++)
    for (int a = 1; a < N_AGE; a++) {
      assert_true(fabs(g->axis[0].value[a - 1] / age_yr[a] - 1) < float_rounding);
      for (int j = 0; j < N_WAVE; j++) {
        const double want = light(z, a, j) * lsun * wave_A[j] * wave_A[j] / light_A_per_s, have = (double)sdn_grid_row(&g->incident, a - 1, z, 0)[j];
        if (!(fabs(have / want - 1) < float_rounding)) fail_msg("z %d age %d wave %d: %g, not %g", z, a, j, have, want);
      }
      if (with_mass) assert_true(fabs((double)*sdn_grid_row(&g->star_fraction, a - 1, z, 0) - living(z, a)) < float_rounding);
    }
}

/* ------------------------------------------------------------------ .ised */

typedef struct ised_form { int marker; bool swapped, no_index; int code; bool says_z; } ised_form;
typedef struct bytes { unsigned char at[MOST_BYTES]; size_t n; } bytes;

static void put_word(bytes *b, const ised_form *f, uint32_t w)
{
  for (int i = 0; i < 4; i++) b->at[b->n++] = (unsigned char)(w >> (f->swapped ? 24 - 8 * i : 8 * i));
}

static void put_real(bytes *b, const ised_form *f, double value)
{
  const float v = (float)value;
  uint32_t w;
  memcpy(&w, &v, sizeof w);
  put_word(b, f, w);
}

static void put_marker(bytes *b, const ised_form *f, size_t n)
{
  if (f->marker == 8 && f->swapped) put_word(b, f, 0);
  put_word(b, f, (uint32_t)n);
  if (f->marker == 8 && !f->swapped) put_word(b, f, 0);
}

static void put_record(bytes *file, const ised_form *f, const bytes *record)
{
  put_marker(file, f, record->n);
  memcpy(file->at + file->n, record->at, record->n);
  file->n += record->n;
  put_marker(file, f, record->n);
}

static void put_title(bytes *b, const char *text)
{
  char title[81];
  snprintf(title, sizeof title, "%-80s", text);
  memcpy(b->at + b->n, title, 80);
  b->n += 80;
}

/* As bin_ised.f of GALAXEV writes: see ssp_galaxev.c. */
static void make_ised(const ised_form *f, int z, bytes *file)
{
  static bytes r;
  char title[81];
  file->n = r.n = 0;
  put_word(&r, f, N_AGE);
  for (int a = 0; a < N_AGE; a++) put_real(&r, f, age_yr[a]);
  put_real(&r, f, .1);
  put_real(&r, f, 100);
  put_word(&r, f, 2);   /* segments of the mass function */
  for (int i = 0; i < 12 + 3; i++) put_real(&r, f, i);
  put_word(&r, f, (uint32_t)f->code);
  put_real(&r, f, 0);
  snprintf(title, sizeof title, f->says_z ? "Padova (1994), X=0.7, Z=%g" : "no word about metals", metallicity[z]);
  put_title(&r, title);
  put_record(file, f, &r);
  r.n = 0;
  put_word(&r, f, N_WAVE);
  for (int j = 0; j < N_WAVE; j++) put_real(&r, f, wave_A[j]);
  put_record(file, f, &r);
  for (int a = 0; a < N_AGE; a++) {
    r.n = 0;
    put_word(&r, f, N_WAVE);
    for (int j = 0; j < N_WAVE; j++) put_real(&r, f, light(z, a, j));
    if (!f->no_index) put_word(&r, f, 2);
    for (int i = 0; i < 2 && !f->no_index; i++) put_real(&r, f, 7);
    put_record(file, f, &r);
  }
  for (int k = 0; k < 10; k++) {
    r.n = 0;
    put_word(&r, f, N_AGE);
    for (int a = 0; a < N_AGE; a++) put_real(&r, f, k == 1 ? living(z, a) : 99);
    put_record(file, f, &r);
  }
}

static bytes file;

static const char *two_files(const ised_form *f, char *names, size_t size)
{
  char first[512], name[32];
  for (int z = 0; z < N_Z; z++) {
    make_ised(f, z, &file);
    snprintf(name, sizeof name, "m%d.ised", z);
    const char *path = scratch_write(name, file.at, file.n);
    if (z == 0) snprintf(first, sizeof first, "%s", path);
    else snprintf(names, size, "%s\n%s", path, first);   /* the richer one first: the order does not matter */
  }
  return names;
}

static void galaxev_binary(void **unused)
{
  char names[1200];
  sdn_grid_import_summary s;
  (void)unused;
  for (int way = 0; way < 8; way++) {
    const ised_form f = {way & 1 ? 8 : 4, way & 2, way & 4, 0, true};
    const sdn_grid_import_options o = defaults(two_files(&f, names, sizeof names), scratch_file("ised.hdf5"));
    sdn_grid *g = import(&o, &s);
    assert_true(s.n_age == N_AGE - 1 && s.n_metallicity == N_Z && s.star_fraction && !s.composite);
    assert_true(fabs(g->axis[1].value[0] - .004) < 1e-9 && fabs(g->axis[1].value[1] - .02) < 1e-9);
    expect_formula(g, lsun_galaxev, true);
    /* int L_lambda lambda dlambda / (h c) below 911.753 A by a fine trapezium of the piecewise-linear L_nu, written here */
    double rate = 0;
    const float *lnu = sdn_grid_row(&g->incident, 0, 0, 0);
    for (int i = 0; i < 200000; i++) {
      const double lo = 200, hi = 911.753, w = lo + (hi - lo) * (i + .5) / 200000;
      const int j = w < 900 ? 0 : 1;
      const double t = (w - wave_A[j]) / (wave_A[j + 1] - wave_A[j]);
      rate += ((1 - t) * (double)lnu[j] + t * (double)lnu[j + 1]) / w * (hi - lo) / 200000 / 6.62607015e-27;
    }
    assert_true(fabs((double)*sdn_grid_row(&g->log_q_hi, 0, 0, 0) - log10(rate)) < 1e-5);
    sdn_grid_free(g);
  }
}

static void galaxev_options(void **unused)
{
  char names[1200];
  sdn_grid_import_summary s;
  (void)unused;
  ised_form f = {4, false, false, 0, false};
  sdn_grid_import_options o = defaults(two_files(&f, names, sizeof names), scratch_file("told.hdf5"));
  refused(&o, SDN_USAGE, "--metallicity");
  o.metallicity = "0.02";
  refused(&o, SDN_USAGE, "2 files");
  o.metallicity = "0.02,0.004,0.05";
  refused(&o, SDN_USAGE, "more numbers");
  o.metallicity = "0.02,0.02";
  refused(&o, SDN_USAGE, "there twice");
  o.metallicity = "0.02,0.004";
  sdn_grid *g = import(&o, &s);
  expect_formula(g, lsun_galaxev, true);
  sdn_grid_free(g);
  o.medium = "air";
  g = import(&o, &s);
  assert_true(g->wave_A[3] == 1500 && fabs(g->wave_A[4] - 5001.394) < 2e-3);   /* n(5000 A) = 1.00027888, Morton 2000 */
  sdn_grid_free(g);
  o.wave_low = 1000;
  o.wave_high = 4000;
  g = import(&o, &s);
  assert_true(g->n_wave == 3 && g->wave_A[0] == 912 && g->log_q_hi.value);   /* photons counted before the cut */
  sdn_grid_free(g);
  o.medium = "water";
  refused(&o, SDN_USAGE, "air vacuum");
  f.code = 4;   /* an exponential history: masses formed change, so no surviving share */
  o = defaults(two_files(&f, names, sizeof names), scratch_file("csp.hdf5"));
  o.metallicity = "0.02,0.004";
  g = import(&o, &s);
  assert_true(s.composite && !s.star_fraction && !g->star_fraction.value);
  sdn_grid_free(g);
  o.output = strchr(names, '\n') + 1;
  refused(&o, SDN_USAGE, "");
}

static void galaxev_ascii(void **unused)
{
  static char text[8192];
  sdn_grid_import_summary s;
  (void)unused;
  for (int with_index = 0; with_index < 2; with_index++) {
    char names[1200] = "";
    for (int z = 0; z < N_Z; z++) {
      size_t n = 0;
#define ADD(...) n += (size_t)snprintf(text + n, sizeof text - n, __VA_ARGS__)
      ADD(" %d", N_AGE);
      for (int a = 0; a < N_AGE; a++) ADD(" %.6E%s", age_yr[a], a % 2 ? "\n" : "");
      ADD("\n 0.10 100.0 2 1.3 0.1 0.5\n 1. 2. 3. 0 0. 0. 0. 0. 0. -2 F\n Padova, X=0.7, Y=0.28, Z=%g  \n second\n third\n %d", metallicity[z], N_WAVE);
      for (int j = 0; j < N_WAVE; j++) ADD(" %g%s", wave_A[j], j == 3 ? "\n" : "");
      ADD("\n");
      for (int a = 0; a < N_AGE; a++) {
        ADD(" %d", N_WAVE);
        for (int j = 0; j < N_WAVE; j++) ADD(" %.8E", light(z, a, j));
        ADD(with_index ? "\n 3 1. 2. 3.\n" : "\n");
      }
      for (int k = 0; k < 2; k++) {
        ADD(" %d", N_AGE);
        for (int a = 0; a < N_AGE; a++) ADD(" %.8E", k ? living(z, a) : 9.);
        ADD("\n");
      }
#undef ADD
      char name[32];
      snprintf(name, sizeof name, "m%d.ised_ASCII", z);
      const char *path = scratch_write_text(name, text);
      snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", z ? "\n" : "", path);
    }
    const sdn_grid_import_options o = defaults(names, scratch_file("ascii.hdf5"));
    sdn_grid *g = import(&o, &s);
    expect_formula(g, lsun_galaxev, true);
    sdn_grid_free(g);
  }
}

/* Cut short anywhere, or with any byte changed, a file gives a sentence or a grid, and nothing worse. */
static void damaged_ised(void **unused)
{
  const ised_form f = {4, false, false, 0, true};
  sdn_grid_import_summary s;
  long n_refused = 0;
  (void)unused;
  make_ised(&f, 0, &file);
  const size_t whole = file.n, spectra_end = whole - 10 * (8 + 4 * (N_AGE + 1));
  for (size_t n = 0; n < whole; n += 7) {
    const char *path = scratch_write("cut.ised", file.at, n);
    const sdn_grid_import_options o = defaults(path, scratch_file("cut.hdf5"));
    const sdn_status status = sdn_grid_import(&o, NULL, &s, &err);
    if (n < spectra_end && status != SDN_FORMAT) fail_msg("%zu of %zu bytes: %d", n, whole, status);
    if (n < spectra_end) assert_non_null(strstr(err.text, "cut.ised"));
  }
  for (size_t i = 0; i < whole; i += 3) {
    file.at[i] ^= 0xff;
    const char *path = scratch_write("flip.ised", file.at, whole);
    const sdn_grid_import_options o = defaults(path, scratch_file("flip.hdf5"));
    n_refused += sdn_grid_import(&o, NULL, &s, &err) != SDN_OK;
    file.at[i] ^= 0xff;
  }
  assert_true(n_refused > 10);
}

/* ------------------------------------------------------------------ tables and arrays */

static void tables_of_rows(void **unused)
{
  static char text[16384];
  sdn_grid_import_summary s;
  size_t n = (size_t)snprintf(text, sizeof text, "wave_A,Z,light,age_myr\n");
  (void)unused;
  for (int j = N_WAVE - 1; j >= 0; j--)   /* in no good order */
    for (int a = 1; a < N_AGE; a++)
      for (int z = 0; z < N_Z; z++) n += (size_t)snprintf(text + n, sizeof text - n, "%g,%g,%.9g,%g\n", wave_A[j], metallicity[z], light(z, a, j), age_yr[a] / 1e6);
  const char *path = scratch_write_text("rows.csv", text);
  sdn_grid_import_options o = defaults(path, scratch_file("rows.hdf5"));
  refused(&o, SDN_USAGE, "--light-unit");
  o.light_unit = "Lsun/furlong";
  refused(&o, SDN_USAGE, "Lsun/furlong");
  o.light_unit = "Lsun/Angstrom";
  sdn_grid *g = import(&o, &s);
  expect_formula(g, 3.828e33, false);
  assert_false(s.star_fraction);
  sdn_grid_free(g);
  char *last = strrchr(text, '\n');
  *last = 0;
  *strrchr(text, '\n') = 0;   /* one row less */
  o.input = scratch_write_text("less.csv", text);
  refused(&o, SDN_FORMAT, "each combination");
  o.input = path;
  o.output = path;
  refused(&o, SDN_USAGE, "");
}

static void tables_with_a_column_per_age(void **unused)
{
  char names[1200] = "", text[4096], name[32];
  sdn_grid_import_summary s;
  (void)unused;
  for (int z = 0; z < N_Z; z++) {
    size_t n = (size_t)snprintf(text, sizeof text, "wavelength,age_1e6_yr,10 Myr,t=1.0Gyr\n");
    for (int j = 0; j < N_WAVE; j++) {
      n += (size_t)snprintf(text + n, sizeof text - n, "%g", wave_A[j] / 10);
      for (int a = 1; a < N_AGE; a++) n += (size_t)snprintf(text + n, sizeof text - n, ",%.9g", light(z, a, j) * 3.828e33 * 10);
      n += (size_t)snprintf(text + n, sizeof text - n, "\n");
    }
    snprintf(name, sizeof name, "wide%d.csv", z);
    const char *path = scratch_write_text(name, text);
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", z ? "\n" : "", path);
  }
  sdn_grid_import_options o = defaults(names, scratch_file("wide.hdf5"));
  o.light_unit = "erg/s/nm";
  o.metallicity = "0.004,0.02";
  refused(&o, SDN_USAGE, "--wave-unit");
  o.wave_unit = "nm";
  sdn_grid *g = import(&o, &s);
  expect_formula(g, 3.828e33, false);
  sdn_grid_free(g);
  o.metallicity = NULL;
  refused(&o, SDN_USAGE, "--metallicity");
}

/* As python-fsps gives them: Lsun/Hz, log10 of ages, any order of dimensions. */
static void arrays_in_hdf5(void **unused)
{
  static const int order[3][3] = {{0, 1, 2}, {2, 1, 0}, {1, 2, 0}};   /* of (z, age, wave) */
  const long size[3] = {N_Z, N_AGE - 1, N_WAVE};
  sdn_grid_import_summary s;
  (void)unused;
  for (int way = 0; way < 3; way++) {
    const int *d = order[way];
    const char *path = scratch_file("arrays.h5");
    double spec[N_Z * N_AGE * N_WAVE], mass[N_Z * N_AGE], log_age[N_AGE];
    sdn_h5 *h;
    long i[3];
    double *to = spec;
    for (i[d[0]] = 0; i[d[0]] < size[d[0]]; i[d[0]]++)
      for (i[d[1]] = 0; i[d[1]] < size[d[1]]; i[d[1]]++)
        for (i[d[2]] = 0; i[d[2]] < size[d[2]]; i[d[2]]++) {
          const int z = (int)i[0], a = (int)i[1] + 1, j = (int)i[2];
          *to++ = light(z, a, j) * wave_A[j] * wave_A[j] / light_A_per_s;
          mass[i[0] * (N_AGE - 1) + i[1]] = living(z, a);
        }
    for (int a = 1; a < N_AGE; a++) log_age[a - 1] = log10(age_yr[a]);
    must(sdn_h5_create(path, &h, &err));
    must(sdn_h5_make(h, "wave", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_WAVE}}, wave_A, &err));
    must(sdn_h5_make(h, "age", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_AGE - 1}}, log_age, &err));
    must(sdn_h5_make(h, "Z", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_Z}}, metallicity, &err));
    must(sdn_h5_make(h, "spec", SDN_H5_DOUBLE, &(sdn_h5_shape){3, {size[d[0]], size[d[1]], size[d[2]]}}, spec, &err));
    must(sdn_h5_make(h, "mass_rem", SDN_H5_DOUBLE, &(sdn_h5_shape){2, {N_Z, N_AGE - 1}}, mass, &err));
    must(sdn_h5_set_text(h, "wave", "Units", "Angstrom", &err));
    must(sdn_h5_set_text(h, "age", "Units", "log10(yr)", &err));
    must(sdn_h5_set_text(h, "spec", "Units", "Lsun/Hz", &err));
    must(sdn_h5_close(h, &err));
    sdn_grid_import_options o = defaults(path, scratch_file("arrays.hdf5"));
    sdn_grid *g = import(&o, &s);
    expect_formula(g, 3.828e33, true);
    sdn_grid_free(g);
    o.order = "age,metallicity";
    refused(&o, SDN_USAGE, "--order");
  }
}

/* ------------------------------------------------------------------ BAGPIPES, in small */

enum { GAS_AGE = 2, N_U = 2, N_LINE = 10, N_FITS_WAVE = 8 };
static const double fits_wave[N_FITS_WAVE] = {200, 800, 1000, 1300, 1600, 4000, 5000, 20000}, gas_age[GAS_AGE] = {1e6, 1.25893e6};
static const double line_A[N_LINE] = {1215.67, 1025.72, 972.537, 949.743, 937.803, 930.748, 926.226, 923.150, 4861.32, 2795.53};
static const char *const line_names[N_LINE] = {"H  1  1215.67A", "H  1  1025.72A", "H  1  972.537A", "H  1  949.743A", "H  1  937.803A", "H  1  930.748A", "H  1  926.226A",
                                               "H  1  923.150A", "H  1  4861.32A", "Mg 2  2795.53A"};

static void put_image(fitsfile *f, const char *name, long n_column, long n_row, double *value)
{
  int status = 0;
  long size[2] = {n_column, n_row};
  fits_create_img(f, DOUBLE_IMG, n_row > 1 ? 2 : 1, size, &status);
  fits_write_key(f, TSTRING, "EXTNAME", (char *)(uintptr_t)name, NULL, &status);
  fits_write_img(f, TDOUBLE, 1, n_column * n_row, value, &status);
  assert_int_equal(status, 0);
}

static fitsfile *create_fits(const char *name)
{
  fitsfile *f;
  int status = 0;
  char path[1100];
  snprintf(path, sizeof path, "!%s", scratch_file(name));
  fits_create_file(&f, path, &status);
  fits_create_img(f, BYTE_IMG, 0, NULL, &status);
  assert_int_equal(status, 0);
  return f;
}

static double star(int z, int a, int j) { return (1 + z) * (4 + a) * (fits_wave[j] < 912 ? 2 : 5); }

static void write_stars(void)
{
  fitsfile *f = create_fits("test_stellar_grids.fits");
  int status = 0;
  double value[N_AGE * (N_FITS_WAVE + N_Z)];
  for (int z = 0; z < N_Z; z++) {
    char name[40];
    for (int a = 0; a < N_AGE; a++)
      for (int j = 0; j < N_FITS_WAVE; j++) value[a * N_FITS_WAVE + j] = star(z, a, j);
    snprintf(name, sizeof name, "ZMET_%.3fZSOL", metallicity[z] / .02);
    put_image(f, name, N_FITS_WAVE, N_AGE, value);
  }
  for (int a = 0; a < N_AGE; a++)
    for (int c = 0; c <= N_Z; c++) value[a * (N_Z + 1) + c] = c ? living(c - 1, a) : age_yr[a];
  put_image(f, "LIV_MSTAR_FRAC", N_Z + 1, N_AGE, value);
  memcpy(value, age_yr, sizeof age_yr);
  put_image(f, "STELLAR_AGE_YR", N_AGE, 1, value);
  memcpy(value, fits_wave, sizeof fits_wave);
  put_image(f, "WAVELENGTHS_AA", N_FITS_WAVE, 1, value);
  fits_close_file(f, &status);
  assert_int_equal(status, 0);
}

/* Gas: H beta 2e-4 Lsun per (1 + z)(1 + u), continuum flat. In the odd cell, Ly beta is 40 H beta. */
static double gas_line(int z, int u, int k, int l, bool odd)
{
  const double hb = 2e-4 * (1 + z) * (1 + u) * (1 + k);
  if (line_A[l] == 4861.32) return hb;
  if (l == 1 && odd && z == 1 && u == 1 && k == 0) return 40 * hb;
  return line_A[l] == 2795.53 ? (odd && z == 1 && u == 1 && k == 0 ? 9 : .1) * hb : (l ? .2 : 20) * hb;
}

static double gas_light(int z, int u, int k) { return 1e-7 * (1 + z) * (1 + u) * (1 + k); }

static void write_gas(bool lines, bool odd)
{
  fitsfile *f = create_fits(lines ? "test_nebular_line_grids.fits" : "test_nebular_cont_grids.fits");
  const int n = lines ? N_LINE : N_FITS_WAVE;
  int status = 0;
  double value[(GAS_AGE + 1) * (N_LINE + N_FITS_WAVE)];
  for (int u = 0; u < N_U; u++)
    for (int z = 0; z < N_Z; z++) {
      char name[40];
      value[0] = 0;
      for (int c = 0; c < n; c++) value[1 + c] = lines ? line_A[c] : fits_wave[c];
      for (int k = 0; k < GAS_AGE; k++) {
        double *row = value + (k + 1) * (n + 1);
        row[0] = gas_age[k];
        for (int c = 0; c < n; c++) row[1 + c] = lines ? gas_line(z, u, k, c, odd) : gas_light(z, u, k);
      }
      snprintf(name, sizeof name, "ZMET_%.3f_LOGU_%.1f", metallicity[z] / .02, -3. + u);
      put_image(f, name, n + 1, GAS_AGE + 1, value);
    }
  fits_close_file(f, &status);
  assert_int_equal(status, 0);
}

static const char *bagpipes_folder(bool odd)
{
  static char folder[1024];
  char names[1024];
  size_t n = 0;
  write_stars();
  write_gas(false, odd);
  write_gas(true, odd);
  for (int l = 0; l < N_LINE; l++) n += (size_t)snprintf(names + n, sizeof names - n, "%s\n", line_names[l]);
  snprintf(folder, sizeof folder, "%s", scratch_write_text("cloudy_lines.txt", names));
  *strrchr(folder, '/') = 0;
  return folder;
}

static const float *line_row(const sdn_grid *g, int a, int z, int u) { return sdn_grid_row(&g->lines, a, z, u); }

static int line_index(const sdn_grid *g, const char *id)
{
  for (int l = 0; l < g->n_line; l++)
    if (strcmp(g->line_id[l], id) == 0) return l;
  fail_msg("no line %s", id);
  return -1;
}

static void bagpipes(void **unused)
{
  sdn_grid_import_summary s;
  (void)unused;
  sdn_grid_import_options o = defaults(bagpipes_folder(false), scratch_file("bagpipes.hdf5"));
  sdn_grid *g = import(&o, &s);
  assert_true(s.n_nebular_cell == N_Z * N_U * GAS_AGE && s.n_repaired == 0 && s.n_line == N_LINE && s.n_u == N_U && s.star_fraction);
  assert_true(g->n_axis == 3 && g->axis[2].log && fabs(g->axis[2].coordinate[1] + 2) < 1e-12 && g->axis[0].n == N_AGE - 1);
  assert_int_equal(g->nebular_continuum.n_age, 1);   /* of 1e6, 1e7 and 1e9 yr only the first is within the gas' ages */
  const int hb = line_index(g, "H 1 4861.32A");
  assert_true(fabs(g->line_wave_A[hb] - 4862.68) < .02 && g->line_wave_A[line_index(g, "H 1 1215.67A")] == 1215.67);
  /* the table over its bin's photons times the stars' photons: the spectra below the limit are all alike, (4 + a), so photons are as those; the first bin, 0 to 10^6.05 yr, is half an
   * age of 0 (mid-point to 1e6 yr at 5e5) and the rest one of 1e6 yr */
  const double half = 5e5, end = pow(10, 6.05), bin = (half * 4 + (end - half) * 5) / end;
  for (int z = 0; z < N_Z; z++)
    for (int u = 0; u < N_U; u++) {
      const double want = gas_line(z, u, 0, 8, false) * 3.826e33 * 5 / bin;
      if (!(fabs((double)line_row(g, 0, z, u)[hb] / want - 1) < 1e-5)) fail_msg("H beta %g, not %g", (double)line_row(g, 0, z, u)[hb], want);
    }
  sdn_grid_free(g);
  o.nebular = "none";
  g = import(&o, &s);
  assert_true(!g->nebular_continuum.value && g->n_axis == 2 && s.n_line == 0);
  sdn_grid_free(g);
}

static void bagpipes_repair(void **unused)
{
  sdn_grid_import_summary s;
  (void)unused;
  sdn_grid_import_options o = defaults(bagpipes_folder(true), scratch_file("repaired.hdf5"));
  sdn_grid *g = import(&o, &s);
  assert_int_equal(s.n_repaired, 1);
  const int hb = line_index(g, "H 1 4861.32A"), lyb = line_index(g, "H 1 1025.72A"), lya = line_index(g, "H 1 1215.67A"), mg = line_index(g, "Mg 2 2795.53A");
  const double *const q = &(double){pow(10, (double)*sdn_grid_row(&g->log_q_hi, 0, 1, 0))};
  const float *mended = line_row(g, 0, 1, 1);
  assert_true(fabs((double)mended[hb] / (4.9e-13 * *q) - 1) < 1e-3);   /* H beta per photon of the bin, which is that of the stars times the ratio of photons */
  assert_true(fabs((double)(mended[lya] / mended[hb]) - 23.3) < 1e-3 && fabs((double)(mended[lyb] / mended[hb]) - .2) < 1e-5 && fabs((double)(mended[mg] / mended[hb]) - .1) < 1e-5);
  sdn_grid_free(g);
  o.nebular = "as-is";
  g = import(&o, &s);
  const float *odd = line_row(g, 0, 1, 1);
  assert_true(s.n_repaired == 0 && fabs((double)(odd[lyb] / odd[hb]) - 40) < 1e-4);
  sdn_grid_free(g);
  char path[1100];
  snprintf(path, sizeof path, "%s/cloudy_lines.txt", o.input);
  remove(path);
  refused(&o, SDN_FORMAT, "cloudy_lines.txt");
}

/* ------------------------------------------------------------------ real files */

/* GALAXEV's composite populations (2003, binary): the grid's L_nu against bytes read here at places that the record structure gives. */
static void real_ised(void **unused)
{
  char path[4096];
  sdn_grid_import_summary s;
  size_t n;
  (void)unused;
  if (!shared_path("csp_oracle/exp_bc2003_lr_m42_chab_tau01_dust00.ised", path, sizeof path)) {
    print_message("skipped: no csp_oracle\n");
    skip();
  }
  const sdn_grid_import_options o = defaults(path, scratch_file("real.hdf5"));
  sdn_grid *g = import(&o, &s);
  unsigned char *b = scratch_read(path, &n);
  assert_true(s.composite && s.n_age == 220 && s.n_wave == 1221 && g->axis[1].value[0] == .004);
  const size_t spectra = (8 + 1184) + (8 + 4888), row = 8 + 5100;
  for (int a = 1; a < 221; a += 20)
    for (int j = 0; j < 1221; j += 100) {
      float f, w;
      memcpy(&f, b + spectra + row * (size_t)a + 8 + 4 * (size_t)j, 4);
      memcpy(&w, b + 8 + 1184 + 8 + 4 * (size_t)j, 4);
      const double want = (double)f * lsun_galaxev * (double)w * (double)w / light_A_per_s, have = (double)sdn_grid_row(&g->incident, a - 1, 0, 0)[j];
      assert_true(fabs(have - want) <= 1e-6 * want);
    }
  free(b);
  sdn_grid_free(g);
}

/* The BC03 arrays: photon rates against log10QH of the file, which its makers counted from the spectra. */
static void real_arrays(void **unused)
{
  char path[4096];
  sdn_grid_import_summary s;
  sdn_h5 *h;
  double *theirs;
  sdn_h5_shape shape;
  const double tolerance_dex = 0.05;   /* nodes 4 to 10 A apart at the limit, and a steep step there in old stars: their rule for the edge pixel is not ours */
  (void)unused;
  if (!shared_path("ssp/bc03_lr_chabrier.h5", path, sizeof path)) {
    print_message("skipped: no ssp\n");
    skip();
  }
  sdn_grid_import_options o = defaults(path, scratch_file("ssp.hdf5"));
  refused(&o, SDN_USAGE, "--wave-unit");
  o.wave_unit = "Angstrom";
  o.age_unit = "yr";
  o.light_unit = "Lsun/Angstrom";
  o.lsun = lsun_galaxev;
  sdn_grid *g = import(&o, &s);
  assert_true(s.n_age == 220 && s.n_metallicity == 6 && s.star_fraction);
  must(sdn_h5_open(path, &h, &err));
  must(sdn_h5_read_double(h, "log10QH", &theirs, &shape, &err));
  for (int z = 0; z < 6; z++)
    for (int a = 0; a < 120; a += 7)   /* to 200 Myr */
      if (!(fabs((double)*sdn_grid_row(&g->log_q_hi, a, z, 0) - theirs[z * 221 + a + 1]) < tolerance_dex))
        fail_msg("age %g: %g, not %g", g->axis[0].value[a], (double)*sdn_grid_row(&g->log_q_hi, a, z, 0), theirs[z * 221 + a + 1]);
  sdn_release(theirs);
  sdn_h5_close(h, &err);
  sdn_grid_free(g);
}

static void bad_words(void **unused)
{
  sdn_grid_import_options o = defaults("/nowhere/x.ised", scratch_file("x.hdf5"));
  (void)unused;
  refused(&o, SDN_IO, "/nowhere/x.ised");
  o.format = "starlight";
  refused(&o, SDN_USAGE, "auto bagpipes galaxev table arrays");
  o.format = "auto";
  o.output = "/nowhere/out.hdf5";
  refused(&o, SDN_IO, "/nowhere");
  o.output = NULL;
  refused(&o, SDN_USAGE, "--output");
  o.input = "";
  refused(&o, SDN_USAGE, "name the files");
  o = defaults("/nowhere", scratch_file("x.hdf5"));
  o.format = "bagpipes";
  refused(&o, SDN_IO, "/nowhere");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(galaxev_binary), cmocka_unit_test(galaxev_options), cmocka_unit_test(galaxev_ascii), cmocka_unit_test(damaged_ised), cmocka_unit_test(tables_of_rows),
    cmocka_unit_test(tables_with_a_column_per_age), cmocka_unit_test(arrays_in_hdf5), cmocka_unit_test(bagpipes), cmocka_unit_test(bagpipes_repair), cmocka_unit_test(real_ised),
    cmocka_unit_test(real_arrays), cmocka_unit_test(bad_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
