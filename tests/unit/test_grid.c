/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Grid files: whatever order and subset of axes they have, what is read is what the formulas of the fixture say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/grid.h"
#include "support/grid_fixture.h"
#include "support/scratch.h"
#include "support/shared.h"

static sdn_err err;
static const double wave_A[] = {100, 500, 900, 1000, 2000, 10000};
static const double line_A[] = {5008.24, 1215.67, 6564.61};
enum { N_WAVE = 6, N_LINE = 3 };

/* Values that tell every index apart and are exact in float32. */
static double starlight(int age, int metallicity, int u, double w) { (void)u; return 1 + age + 32 * metallicity + 1024 * w; }
static double starlight_u(int age, int metallicity, int u, double w) { return starlight(age, metallicity, u, w) + 0.25 * u; }
static double gas(int age, int metallicity, int u, double w) { return age < 3 ? 2 + age + 32 * metallicity + 256 * u + w / 4 : 0; }
static double line_light(int age, int metallicity, int u, double w) { return age < 3 ? 5 + age + 32 * metallicity + 256 * u + floor(w) : 0; }

static grid_fixture plain(void)
{
  return (grid_fixture){.n_age = 5, .n_metallicity = 3, .n_wave = N_WAVE, .wave_A = wave_A, .incident = starlight};
}

static grid_fixture photoionised(void)
{
  grid_fixture f = plain();
  f.n_u = 4;
  f.nebular_continuum = gas;
  f.lines = line_light;
  f.n_line = N_LINE;
  f.line_A = line_A;
  f.star_fraction = true;
  return f;
}

static sdn_grid *read_grid(const char *path)
{
  sdn_grid *g;
  if (sdn_grid_read(path, 0, HUGE_VAL, &g, &err)) fail_msg("%s", err.text);
  return g;
}

static void refused(const char *path, sdn_status status, const char *says)
{
  sdn_grid *g;
  if (sdn_grid_read(path, 0, HUGE_VAL, &g, &err) != status || !strstr(err.text, says)) fail_msg("status %d, '%s' is not in: %s", err.status, says, err.text);
  assert_null(g);
}

static void values_stand_where_axes_say(void **unused)
{
  grid_fixture f = plain();
  (void)unused;
  for (int swapped = 0; swapped < 2; swapped++) {
    f.swapped = swapped;
    sdn_grid *g = read_grid(grid_fixture_write(&f, "plain.hdf5"));
    assert_int_equal(g->n_axis, 2);
    assert_true(g->axis[0].n == 5 && g->axis[1].n == 3 && g->n_wave == N_WAVE && g->n_line == 0);
    assert_true(fabs(g->axis[0].coordinate[4] - 10) < 1e-12 && g->axis[1].log);
    for (int a = 0; a < 5; a++)
      for (int m = 0; m < 3; m++)
        for (int j = 0; j < N_WAVE; j++) assert_true((double)sdn_grid_row(&g->incident, a, m, 0)[j] == starlight(a, m, 0, wave_A[j]));
    assert_null(g->nebular_continuum.value);
    assert_null(g->transmitted.value);
    assert_null(g->star_fraction.value);
    sdn_grid_free(g);
  }
}

static void tables_keep_only_axes_that_matter(void **unused)
{
  grid_fixture f = photoionised();
  (void)unused;
  sdn_grid *g = read_grid(grid_fixture_write(&f, "extra.hdf5"));
  assert_int_equal(g->n_axis, 3);
  assert_true(g->incident.n_extra == 1 && !g->incident.has_extra[2]);            /* the file repeats it for every u */
  assert_true(g->nebular_continuum.n_extra == 4 && g->nebular_continuum.has_extra[2]);
  assert_int_equal(g->nebular_continuum.n_age, 3);                               /* older ages hold nothing */
  assert_true((double)*sdn_grid_row(&g->star_fraction, 3, 2, 0) == 0.25);        /* its own axes attribute: ages */
  assert_true((double)sdn_grid_row(&g->nebular_continuum, 2, 1, 3)[0] == gas(2, 1, 3, 100));
  sdn_grid_free(g);
  f.incident = starlight_u;
  g = read_grid(grid_fixture_write(&f, "extra_u.hdf5"));
  assert_true(g->incident.n_extra == 4 && (double)sdn_grid_row(&g->incident, 4, 2, 3)[0] == starlight_u(4, 2, 3, 100));
  sdn_grid_free(g);
}

static void lines_ascend(void **unused)
{
  const grid_fixture f = photoionised();
  (void)unused;
  sdn_grid *g = read_grid(grid_fixture_write(&f, "lines.hdf5"));
  assert_string_equal(g->line_id[0], "line b");
  assert_string_equal(g->line_id[1], "line a");
  assert_true(g->line_wave_A[0] == 1215.67 && g->line_wave_A[1] == 5008.24 && g->line_wave_A[2] == 6564.61);
  for (int l = 0; l < N_LINE; l++)
    assert_true((double)sdn_grid_row(&g->lines, 1, 2, 3)[l] == line_light(1, 2, 3, g->line_wave_A[l]));
  sdn_grid_free(g);
}

/* Without the word vacuum, wavelengths above 2000 A are air. Vacuum values: NIST (Morton 2000), as in the notes of Synthesizer: 5006.84 -> 5008.2366, 6562.80 -> 6564.6129. */
static void air_becomes_vacuum(void **unused)
{
  const double air_A[] = {5006.84, 1215.67, 6562.80};
  const double tolerance_A = 2e-4;   /* formulas of the refractive index differ by 1e-8 */
  grid_fixture f = photoionised();
  (void)unused;
  f.line_A = air_A;
  const char *path = grid_fixture_write(&f, "air.hdf5");
  sdn_h5 *h = grid_fixture_open(path);
  if (sdn_h5_set_text(h, "lines/wavelength", "medium", "air", &err)) fail_msg("%s", err.text);
  grid_fixture_close(h);
  sdn_grid *g = read_grid(path);
  assert_true(g->line_wave_A[0] == 1215.67);
  assert_true(fabs(g->line_wave_A[1] - 5008.2366) < tolerance_A);
  assert_true(fabs(g->line_wave_A[2] - 6564.6129) < tolerance_A);
  sdn_grid_free(g);
}

/* No transmitted table: a jump at the limit, and nothing below it where gas shines. */
static void transmitted_is_made(void **unused)
{
  const grid_fixture f = photoionised();
  const double at_limit = 1 + 1024 * SDN_LYMAN_LIMIT_A;   /* age 0, metallicity 0: the formula is linear in wavelength */
  const double rounding = 1e-6;                           /* of float32 */
  (void)unused;
  sdn_grid *g = read_grid(grid_fixture_write(&f, "derived.hdf5"));
  assert_int_equal(g->n_wave, N_WAVE + 2);
  assert_true(g->wave_A[3] == SDN_LYMAN_LIMIT_A && g->wave_A[4] == SDN_LYMAN_LIMIT_A);
  const float *t = sdn_grid_row(&g->transmitted, 0, 0, 0), *i = sdn_grid_row(&g->incident, 0, 0, 0);
  for (int j = 0; j < 4; j++) assert_true(t[j] == 0);
  assert_true(fabs((double)t[4] / at_limit - 1) < rounding && t[4] == i[4] && i[3] == i[4]);
  assert_true(t[5] == i[5]);
  assert_memory_equal(sdn_grid_row(&g->transmitted, 3, 0, 0), sdn_grid_row(&g->incident, 3, 0, 0), (size_t)g->n_wave * sizeof(float));   /* old stars */
  sdn_grid_free(g);
}

static void range_is_cut(void **unused)
{
  const grid_fixture f = plain();
  sdn_grid *g;
  (void)unused;
  if (sdn_grid_read(grid_fixture_write(&f, "cut.hdf5"), 950, 1500, &g, &err)) fail_msg("%s", err.text);
  assert_true(g->n_wave == 3 && g->wave_A[0] == 900 && g->wave_A[2] == 2000);
  assert_true((double)sdn_grid_row(&g->incident, 1, 1, 0)[0] == starlight(1, 1, 0, 900));
  sdn_grid_free(g);
}

/* A table that is linear along every axis' node number is mended exactly when neighbours along one axis stand evenly around the hole. */
static double holed_gas(int age, int metallicity, int u, double w)
{
  const bool hole = (age == 1 && metallicity == 1 && u == 1) || (age == 0 && metallicity == 2 && u == 3);
  return hole ? 0 : gas(age, metallicity, u, w);
}

static void failed_cells_are_filled(void **unused)
{
  grid_fixture f = photoionised();
  const double rounding = 1e-6;
  (void)unused;
  f.nebular_continuum = holed_gas;
  sdn_grid *g = read_grid(grid_fixture_write(&f, "holes.hdf5"));
  assert_int_equal(g->n_failed_cell, 2);
  const double here = (double)sdn_grid_row(&g->nebular_continuum, 1, 1, 1)[0], truth = gas(1, 1, 1, 100);   /* between u nodes 0 and 2 */
  if (!(fabs(here / truth - 1) < rounding)) fail_msg("%g instead of %g", here, truth);
  /* at the corner nothing stands on both sides: the nearest along u is copied */
  assert_true(fabs((double)sdn_grid_row(&g->nebular_continuum, 0, 2, 3)[0] / gas(0, 2, 2, 100) - 1) < rounding);
  sdn_grid_free(g);
}

static void failures_are_believed(void **unused)
{
  const grid_fixture f = photoionised();
  float failed[5][3][4] = {{{0}}};
  (void)unused;
  failed[1][0][1] = 1;
  const char *path = grid_fixture_write(&f, "failures.hdf5");
  sdn_h5 *h = grid_fixture_open(path);
  if (sdn_h5_make(h, "failures", SDN_H5_FLOAT, &(sdn_h5_shape){3, {5, 3, 4}}, failed, &err)) fail_msg("%s", err.text);
  grid_fixture_close(h);
  sdn_grid *g = read_grid(path);
  assert_int_equal(g->n_failed_cell, 1);
  sdn_grid_free(g);
}

static void places_are_found(void **unused)
{
  const grid_fixture f = photoionised();
  int i;
  double t;
  (void)unused;
  sdn_grid *g = read_grid(grid_fixture_write(&f, "locate.hdf5"));
  const sdn_grid_axis *z = &g->axis[1];   /* log10: -4, -2.75, -1.5 */
  assert_true(sdn_grid_locate_coordinate(z, -3, false, &i, &t) && i == 0 && fabs(t - 0.8) < 1e-12);
  assert_true(sdn_grid_locate(z, 1e-3, false, &i, &t) && i == 0 && fabs(t - 0.8) < 1e-12);
  assert_true(sdn_grid_locate_coordinate(z, -2.75, false, &i, &t) && i + t == 1);
  assert_true(sdn_grid_locate_coordinate(z, -1.5, false, &i, &t) && i == 1 && t == 1);
  assert_true(sdn_grid_locate_coordinate(z, -1.5 + 1e-10, false, &i, &t) && i == 1 && t == 1);
  assert_false(sdn_grid_locate_coordinate(z, -1.4, false, &i, &t));
  assert_false(sdn_grid_locate_coordinate(z, -4.1, false, &i, &t));
  assert_false(sdn_grid_locate_coordinate(z, NAN, false, &i, &t));
  assert_false(sdn_grid_locate_coordinate(z, NAN, true, &i, &t));
  assert_true(sdn_grid_locate_coordinate(z, -9, true, &i, &t) && i == 0 && t == 0);
  assert_true(sdn_grid_locate_coordinate(z, 9, true, &i, &t) && i == 1 && t == 1);
  sdn_grid_free(g);
}

static double not_finite(int age, int metallicity, int u, double w) { return age == 2 && metallicity == 1 ? NAN : starlight(age, metallicity, u, w); }

static void bad_files_are_refused(void **unused)
{
  grid_fixture f = plain();
  const double descending[N_WAVE] = {100, 500, 400, 1000, 2000, 10000};
  (void)unused;
  refused("no-such-grid", SDN_USAGE, "no-such-grid");
  refused("/nowhere/grid.hdf5", SDN_IO, "/nowhere/grid.hdf5");
  refused(scratch_write_text("text.hdf5", "this is no grid"), SDN_FORMAT, "text.hdf5");
  f.wave_A = descending;
  refused(grid_fixture_write(&f, "descending.hdf5"), SDN_FORMAT, "ascending");
  f.wave_A = wave_A;
  f.incident = not_finite;
  refused(grid_fixture_write(&f, "nan.hdf5"), SDN_FORMAT, "age node 2, metallicity node 1");
  f.incident = starlight;
  const char *path = grid_fixture_write(&f, "unit.hdf5");
  sdn_h5 *h = grid_fixture_open(path);
  if (sdn_h5_set_text(h, "spectra/incident", "Units", "furlong", &err)) fail_msg("%s", err.text);
  grid_fixture_close(h);
  refused(path, SDN_FORMAT, "furlong");
}

static void truncated_file_is_refused(void **unused)
{
  const grid_fixture f = photoionised();
  size_t n;
  (void)unused;
  unsigned char *bytes = scratch_read(grid_fixture_write(&f, "whole.hdf5"), &n);
  assert_non_null(bytes);
  const char *path = scratch_write("half.hdf5", bytes, n / 2);
  free(bytes);
  refused(path, SDN_FORMAT, "half.hdf5");
}

static void axes_must_make_sense(void **unused)
{
  const grid_fixture f = plain();
  const char *const lonely[] = {"ages"}, *const twice[] = {"ages", "age"}, *const unknown[] = {"ages", "metallicities", "tilts"};
  (void)unused;
  const char *path = grid_fixture_write(&f, "axes.hdf5");
  sdn_h5 *h = grid_fixture_open(path);
  if (sdn_h5_set_texts(h, "/", "axes", lonely, 1, &err)) fail_msg("%s", err.text);
  grid_fixture_close(h);
  refused(path, SDN_FORMAT, "for 1 axes");   /* the spectra have two and wavelength */
  h = grid_fixture_open(path);
  if (sdn_h5_set_texts(h, "/", "axes", twice, 2, &err)) fail_msg("%s", err.text);
  grid_fixture_close(h);
  refused(path, SDN_FORMAT, "one age axis");
  h = grid_fixture_open(path);
  if (sdn_h5_set_texts(h, "/", "axes", unknown, 3, &err)) fail_msg("%s", err.text);
  grid_fixture_close(h);
  refused(path, SDN_FORMAT, "tilts");
}

/* The shipped grid is whole and of one kind with the reference ones. */
static void real_grids_are_read(void **unused)
{
  static const char *const names[] = {"bc03-2016-basel_chabrier03-0.1,100_nebular.hdf5", "bc03-2016-basel_chabrier03-0.1,100_nebular-logU.hdf5",
                                      "m05-rhb_kroupa01-0.1,100_nebular.hdf5", "pegase2_kroupa01-0.1,100_nebular.hdf5"};
  (void)unused;
  sdn_grid *g = read_grid("bc03-miles-kroupa");
  assert_true(g->n_axis == 3 && g->axis[1].n == 7 && g->axis[2].n == 9 && g->n_failed_cell == 0 && g->star_fraction.value);
  sdn_grid_free(g);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
    char below[256], path[4096];
    snprintf(below, sizeof below, "grids/%s", names[i]);
    if (!shared_path(below, path, sizeof path)) {
      print_message("skipped: no %s\n", below);
      continue;
    }
    g = read_grid(path);
    assert_true(g->nebular_continuum.value && g->lines.value && g->transmitted.value && g->n_failed_cell == 0);
    assert_int_equal(g->nebular_continuum.n_extra, i == 1 ? 3 : 1);
    assert_int_equal(g->incident.n_extra, 1);
    sdn_grid_free(g);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(values_stand_where_axes_say), cmocka_unit_test(tables_keep_only_axes_that_matter), cmocka_unit_test(lines_ascend),
    cmocka_unit_test(air_becomes_vacuum), cmocka_unit_test(transmitted_is_made), cmocka_unit_test(range_is_cut), cmocka_unit_test(failed_cells_are_filled),
    cmocka_unit_test(failures_are_believed), cmocka_unit_test(places_are_found), cmocka_unit_test(bad_files_are_refused), cmocka_unit_test(truncated_file_is_refused),
    cmocka_unit_test(axes_must_make_sense), cmocka_unit_test(real_grids_are_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
