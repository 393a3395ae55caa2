/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna grid check: grids that are right pass, and each fault put into one is found and named. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/grid_light.h"
#include "physics/grid_read.h"
#include "support/grid_fixture.h"
#include "support/json.h"
#include "support/scratch.h"
#include "support/shared.h"

static sdn_err err;
enum { N_WAVE = 9 };
static const double wave_A[N_WAVE] = {100, 500, 911.75, 911.76, 1216, 1500, 5000, 1e4, 1e5};
static double line_A[] = {1215.67, 4862.69, 5008.24, 6564.61};
enum { N_LINE = 4 };
static bool odd_lyman, weak_h_beta, too_bright, negative;

/* Stars: flat L_nu of 1e20 (per age node) below the limit, ten times that above; gas that follows case B; 1e20 stands for erg/s/Hz. */
static double stars(int age, int metallicity, int u, double w)
{
  (void)u;
  if (negative && age == 1 && metallicity == 0 && w == 5000) return -1e20;
  return 1e20 * (w < 911.755 ? 1 : 10) / (1 + age) * (1 + metallicity);
}

/* Photons of that: (1/h) ln(911.753 / 100) L_nu. */
static double rate(int age, int metallicity) { return stars(age, metallicity, 0, 500) * log(911.753 / 100) / 6.62607015e-27; }

static double gas(int age, int metallicity, int u, double w)
{
  (void)u;
  return age < 3 ? 1e-14 * rate(age, metallicity) * (w > 1000 && w < 1300 && odd_lyman && age == 1 ? 200 : 1e-4) * 1e-14 : 0;
}

static double lines(int age, int metallicity, int u, double w)
{
  const double hb = (weak_h_beta && age == 1 ? 1e-13 : 4.8e-13) * rate(age, metallicity);
  (void)u;
  if (age >= 3) return 0;
  return fabs(w - 4862.69) < 3 ? hb : w < 1300 ? (too_bright && age == 0 ? 2e3 : 20) * hb : 2 * hb;
}

static const char *write_grid(const char *name)
{
  const grid_fixture f = {.n_age = 5, .n_metallicity = 2, .n_wave = N_WAVE, .wave_A = wave_A, .incident = stars, .nebular_continuum = gas, .lines = lines, .n_line = N_LINE,
                          .line_A = line_A, .star_fraction = true};
  const char *path = grid_fixture_write(&f, name);
  double log_q[5][2];
  for (int a = 0; a < 5; a++)
    for (int m = 0; m < 2; m++) log_q[a][m] = log10(rate(a, m));
  sdn_h5 *h = grid_fixture_open(path);
  if (sdn_h5_make(h, "log10_specific_ionising_luminosity/HI", SDN_H5_DOUBLE, &(sdn_h5_shape){2, {5, 2}}, log_q, &err)) fail_msg("%s", err.text);
  grid_fixture_close(h);
  return path;
}

/* The text of a check. */
static const char *check(const char *path, bool as_json, sdn_grid_check_summary *s)
{
  static char text[16384];
  FILE *out = tmpfile();
  const sdn_grid_check_options o = {path, as_json};
  if (!out || sdn_grid_check(&o, out, s, &err)) fail_msg("%s", err.text);
  rewind(out);
  text[fread(text, 1, sizeof text - 1, out)] = 0;
  fclose(out);
  return text;
}

static void expect_line(const char *text, const char *level, const char *what)
{
  char begin[64];
  snprintf(begin, sizeof begin, "  %-8s %-18s ", level, what);
  if (!strstr(text, begin)) fail_msg("no '%s' in\n%s", begin, text);
}

static void good_grid_passes(void **unused)
{
  sdn_grid_check_summary s;
  (void)unused;
  const char *text = check(write_grid("good.hdf5"), false, &s);
  if (s.n_fault || s.n_warning) fail_msg("%s", text);
  assert_true(s.largest_q_deviation < 1e-3 && s.n_odd_nebular_cell == 0 && s.n_failed_cell == 0);
  expect_line(text, "good", "ionising photons");
  expect_line(text, "good", "surviving mass");
  expect_line(text, "good", "lines");
}

static void odd_gas_is_found(void **unused)
{
  sdn_grid_check_summary s;
  (void)unused;
  odd_lyman = true;
  check(write_grid("lyman.hdf5"), false, &s);
  odd_lyman = false;
  assert_true(s.n_fault == 0 && s.n_odd_nebular_cell == 2);   /* age 1 of two metallicities */
  weak_h_beta = true;
  expect_line(check(write_grid("hb.hdf5"), false, &s), "warning", "nebular energy");
  weak_h_beta = false;
  assert_int_equal(s.n_odd_nebular_cell, 2);
  too_bright = true;
  check(write_grid("bright.hdf5"), false, &s);
  too_bright = false;
  assert_int_equal(s.n_odd_nebular_cell, 2);
}

static void wrong_photons_are_found(void **unused)
{
  const double wrong[5][2] = {{47, 47}, {47, 47}, {47, 47}, {47, 47}, {47, 47}};
  sdn_grid_check_summary s;
  (void)unused;
  const grid_fixture f = {.n_age = 5, .n_metallicity = 2, .n_wave = N_WAVE, .wave_A = wave_A, .incident = stars};
  const char *path = grid_fixture_write(&f, "photons.hdf5");
  sdn_h5 *h = grid_fixture_open(path);
  if (sdn_h5_make(h, "log10Q/HI", SDN_H5_DOUBLE, &(sdn_h5_shape){2, {5, 2}}, wrong, &err)) fail_msg("%s", err.text);
  grid_fixture_close(h);
  const char *text = check(path, false, &s);
  expect_line(text, "fault", "ionising photons");
  expect_line(text, "warning", "surviving mass");   /* the grid has no star_fraction, which is said */
  /* the deviation is that of the formula: the nearest and farthest of the ages */
  assert_true(fabs(s.largest_q_deviation - fmax(fabs(log10(rate(0, 1)) - 47), fabs(log10(rate(4, 0)) - 47))) < 1e-3);
}

static void negative_light_is_found(void **unused)
{
  sdn_grid_check_summary s;
  (void)unused;
  negative = true;
  expect_line(check(write_grid("negative.hdf5"), false, &s), "fault", "incident");
  negative = false;
  assert_true(s.n_fault >= 1);
}

static void wrong_medium_is_found(void **unused)
{
  sdn_grid_check_summary s;
  (void)unused;
  const double air[] = {1215.67, 4861.33, 5006.84, 6562.80};
  for (int l = 0; l < N_LINE; l++) line_A[l] = air[l];   /* in air, while the fixture's attribute says vacuum */
  expect_line(check(write_grid("medium.hdf5"), false, &s), "fault", "lines");
  const double vacuum[] = {1215.67, 4862.69, 5008.24, 6564.61};
  for (int l = 0; l < N_LINE; l++) line_A[l] = vacuum[l];
}

static void json_is_json(void **unused)
{
  sdn_grid_check_summary s;
  (void)unused;
  const char *path = write_grid("json.hdf5");
  json *j = json_parse(check(path, true, &s));
  assert_non_null(j);
  assert_true(json_get(j, "n_fault")->number == 0 && json_get(j, "checks")->n >= 10);
  json_free(j);
  FILE *out = tmpfile();
  static char text[65536];
  const sdn_grid_info_options o = {path, true};
  if (!out || sdn_grid_info(&o, out, &err)) fail_msg("%s", err.text);
  rewind(out);
  text[fread(text, 1, sizeof text - 1, out)] = 0;
  fclose(out);
  j = json_parse(text);
  assert_true(j && json_get(j, "axes")->n == 2 && json_get(j, "n_line")->number == N_LINE);
  json_free(j);
}

/* Integrals against closed forms: L_nu = a + b lambda. */
static void integrals_are_exact(void **unused)
{
  const double wave[] = {100, 400, 400, 1000}, a = 3, b = .01, h = 6.62607015e-27, c = 2.99792458e18;
  const float lnu[] = {(float)(a + b * 100), (float)(a + b * 400), (float)(a + b * 400), (float)(a + b * 1000)};   /* a jump of nothing */
  (void)unused;
  assert_true(fabs(sdn_photon_rate(4, wave, lnu, 150, 911) * h / (a * log(911. / 150) + b * (911 - 150)) - 1) < 1e-7);
  assert_true(fabs(sdn_luminosity(4, wave, lnu, 150, 911) / c / (a * (1. / 150 - 1. / 911) + b * log(911. / 150)) - 1) < 1e-7);
  assert_true(fabs(sdn_lnu_at(4, wave, lnu, 700) - 10) < 1e-6 && sdn_lnu_at(4, wave, lnu, 1001) == 0);
}

/* Grids that others and we made: no faults; and the deviations of photon rates are those of coarse nodes. */
static void real_grids_are_checked(void **unused)
{
  static const char *const names[] = {"bc03-2016-basel_chabrier03-0.1,100_nebular.hdf5", "bc03-2016-basel_chabrier03-0.1,100_nebular-logU.hdf5",
                                      "m05-rhb_kroupa01-0.1,100_nebular.hdf5", "pegase2_kroupa01-0.1,100_nebular.hdf5"};
  sdn_grid_check_summary s;
  (void)unused;
  check("bc03-miles-kroupa", false, &s);
  assert_true(s.n_fault == 0 && s.largest_q_deviation < 0.03);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char below[256], path[4096];
    snprintf(below, sizeof below, "grids/%s", names[i]);
    if (!shared_path(below, path, sizeof path)) {
      print_message("skipped: no %s\n", below);
      continue;
    }
    const char *text = check(path, false, &s);
    assert_true(s.n_fault == 0 && s.n_failed_cell == 0 && s.largest_q_deviation < 0.03 && s.n_odd_nebular_cell == 0);
    if (i == 2) expect_line(text, "warning", "surviving mass");
    else expect_line(text, "good", "surviving mass");
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(good_grid_passes), cmocka_unit_test(odd_gas_is_found), cmocka_unit_test(wrong_photons_are_found), cmocka_unit_test(negative_light_is_found),
    cmocka_unit_test(wrong_medium_is_found), cmocka_unit_test(json_is_json), cmocka_unit_test(integrals_are_exact), cmocka_unit_test(real_grids_are_checked),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
