/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Filters by name, path and edges; what a curve's numbers are; refusals. Integrals of spectra are in tests/property. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/file.h"
#include "base/yaml.h"
#include "physics/filter.h"
#include "support/scratch.h"

#define TOL_ROUNDING 1e-13
#define LIGHT_A_S 2.99792458e18

static sdn_filter *filter(const char *id)
{
  sdn_filter *f;
  sdn_err err;
  if (sdn_filter_read(id, &f, &err)) fail_msg("%s", err.text);
  return f;
}

static void assert_close(double got, double expected, double tolerance)
{
  if (!(fabs(got / expected - 1) <= tolerance)) fail_msg("got %.15g, expected %.15g", got, expected);
}

/* Rest-frame U, V, J top-hats of the project's notes, by an independent computation; pivot^2 = (b^2 - a^2) / (2 ln(b/a)). */
static void tophats_have_their_pivots(void **state)
{
  (void)state;
  static const struct { const char *id; double low_A, high_A, pivot_A; } band[] = {
    {"tophat:3320:3980", 3320, 3980, 3645.0131}, {"tophat:5070:5950", 5070, 5950, 5504.1309}, {"tophat:11135:13265", 11135, 13265, 12184.4636}};
  const double printed = 1e-8;
  for (int i = 0; i < 3; i++) {
    sdn_filter *f = filter(band[i].id);
    const double a = band[i].low_A, b = band[i].high_A;
    assert_close(f->pivot_A, band[i].pivot_A, printed);
    assert_close(f->pivot_A, sqrt((b * b - a * a) / (2 * log(b / a))), TOL_ROUNDING);
    assert_close(f->norm, log(b / a), TOL_ROUNDING);
    assert_true(f->low_A == a && f->high_A == b);
    assert_true(sdn_filter_throughput(f, a) == 1 && sdn_filter_throughput(f, 0.5 * (a + b)) == 1 && sdn_filter_throughput(f, b) == 1);
    assert_true(sdn_filter_throughput(f, a - 1) == 0 && sdn_filter_throughput(f, b + 1) == 0 && sdn_filter_throughput(f, NAN) == 0);
    assert_close(sdn_filter_line_response(f, 0.5 * (a + b)), 0.5 * (a + b) / (LIGHT_A_S * log(b / a)), TOL_ROUNDING);
    assert_true(sdn_filter_line_response(f, a - 1) == 0);
    sdn_filter_free(f);
  }
}

static void energy_counting_is_another_mean(void **state)
{
  (void)state;
  const double wave_A[2] = {4000, 6000}, full[2] = {2, 2}, a = 4000, b = 6000;
  sdn_filter *f;
  sdn_err err;
  assert_int_equal(sdn_filter_new("box", 2, wave_A, full, false, &f, &err), SDN_OK);
  assert_close(f->norm, 2 * (1 / a - 1 / b), TOL_ROUNDING);
  assert_close(f->pivot_A, sqrt(a * b), TOL_ROUNDING);
  assert_close(sdn_filter_line_response(f, 5000), 2 / (LIGHT_A_S * f->norm), TOL_ROUNDING);
  sdn_filter_free(f);
}

/* Every shipped curve can be read and has the pivot that tools/import-filters.py computed with NumPy. */
static void shipped_filters_are_read(void **state)
{
  (void)state;
  sdn_err err;
  char *text, id[128], detector[16], *path = sdn_data_path("filters", "INDEX.txt", &err);
  const double thinning = 2e-4;   /* the index speaks of the curve before it was thinned (to 1e-4) */
  int n = 0;
  if (!path) fail_msg("%s", err.text);
  assert_int_equal(sdn_read_text_file(path, &text, &err), SDN_OK);
  for (char *line = text; *line; line += strcspn(line, "\n") + 1) {
    double pivot_A, width_A;
    if (line[0] == '#' || sscanf(line, "%127s %lf %lf %15s", id, &pivot_A, &width_A, detector) != 4) continue;
    sdn_filter *f = filter(id);
    assert_close(f->pivot_A, pivot_A, thinning);
    assert_string_equal(f->id, id);
    assert_int_equal(f->photon_counting, strcmp(detector, "photon") == 0);
    sdn_filter_free(f);
    n++;
  }
  assert_true(n > 50);
  sdn_release(text);
  sdn_release(path);
}

static void user_files_are_read(void **state)
{
  (void)state;
  sdn_filter *f = filter(scratch_write_text("mine.dat", "# my filter\n# detector: energy\r\n4000 0\r\n5000, 0.5\n\n 6000\t1 \n7000 0"));
  assert_false(f->photon_counting);
  assert_true(f->low_A == 4000 && f->high_A == 7000);
  assert_close(sdn_filter_throughput(f, 5500), 0.75, TOL_ROUNDING);
  sdn_filter_free(f);
  f = filter(scratch_write_text("noisy.dat", "3000 0\n3500 -0.001\n4000 0\n5000 1\n6000 -0.002\n6500 0\n"));   /* noise around zero is cleared, zero ends cut */
  assert_true(f->photon_counting && f->low_A == 4000 && f->high_A == 6000);
  sdn_filter_free(f);
  f = filter(scratch_write_text("svo.xml", "<?xml version=\"1.0\"?>\n<VOTABLE><RESOURCE><TABLE>\n"
                                "<PARAM name=\"WavelengthUnit\" value=\"Angstrom\" datatype=\"char\"/>\n"
                                "<PARAM ucd=\"x\" name=\"DetectorType\" value=\"0\" />\n"
                                "<FIELD name=\"Wavelength\"/><FIELD name=\"Transmission\"/>\n<DATA><TABLEDATA>\n"
                                "<TR>\n <TD>4000.0</TD>\n <TD>0</TD>\n</TR><TR><TD>5000</TD><TD>1.0</TD></TR>"
                                "<TR><TD>6000</TD><TD>0</TD></TR>\n</TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>"));
  assert_false(f->photon_counting);
  assert_close(sdn_filter_throughput(f, 4500), 0.5, TOL_ROUNDING);
  sdn_filter_free(f);
}

static void refused(const char *id, sdn_status status, const char *word)
{
  sdn_filter *f = NULL;
  sdn_err err = {SDN_OK, -1, ""};
  const sdn_status got = sdn_filter_read(id, &f, &err);
  if (got != status || f) fail_msg("%s: status %d, '%s'", id, (int)got, err.text);
  if (!strstr(err.text, word)) fail_msg("%s: '%s' does not say %s", id, err.text, word);
}

static void bad_filters_are_refused(void **state)
{
  (void)state;
  refused("JWST/NIRCam.F445W", SDN_USAGE, "did you mean JWST/NIRCam.F4");
  refused("NoSuch/Thing.at.all", SDN_USAGE, "INDEX.txt");
  refused("", SDN_USAGE, "no filter");
  refused("tophat:5000", SDN_USAGE, "LOW:HIGH");
  refused("tophat:5000:4000", SDN_USAGE, "ascending");
  refused("tophat:-5:4000", SDN_USAGE, "ascending");
  refused("tophat:5000:1e300", SDN_USAGE, "1e+12");
  refused(scratch_write_text("a.dat", "4000 0\n5000 1\n4500 0\n"), SDN_USAGE, "sort");
  refused(scratch_write_text("a.dat", "4000 0\n5000 one\n"), SDN_FORMAT, ":2:");
  refused(scratch_write_text("a.dat", "4000 0\n5000 1 2\n"), SDN_FORMAT, ":2:");
  refused(scratch_write_text("a.dat", "4000 0\n5000\n"), SDN_FORMAT, ":2:");
  refused(scratch_write_text("a.dat", "4000 0\n5000 nan\n"), SDN_FORMAT, ":2:");
  refused(scratch_write_text("a.dat", "# detector: bolometer\n4000 0\n5000 1\n6000 0\n"), SDN_FORMAT, "bolometer");
  refused(scratch_write_text("a.dat", "4000 0\n5000 1\n6000 -0.5\n"), SDN_USAGE, "negative");
  refused(scratch_write_text("a.dat", "4000 0\n5000 0\n"), SDN_USAGE, "no throughput");
  refused(scratch_write_text("a.dat", "4000 1\n"), SDN_USAGE, "at least two");
  refused(scratch_write_text("a.dat", ""), SDN_USAGE, "at least two");
  refused(scratch_write_text("a.dat", "0.4 0\n0.5 1\n0.6 0\n"), SDN_USAGE, "micrometres");
  refused(scratch_write_text("a.dat", "-400 0\n5000 1\n"), SDN_USAGE, "outside (0");
  refused(scratch_write_text("a.xml", "<VOTABLE><TD>4000</TD><TD>0</TD><TD>5000</TD></VOTABLE>"), SDN_FORMAT, "middle of a row");
  refused(scratch_write_text("a.xml", "<VOTABLE><TD>4000</TD><TD>x</TD></VOTABLE>"), SDN_FORMAT, "cell 2");
  refused(scratch_write_text("a.xml", "<VOTABLE><TD>4000"), SDN_FORMAT, "cell 1");
  refused(scratch_write_text("a.xml", "<VOTABLE><PARAM name=\"WavelengthUnit\" value=\"micron\"/><TD>1</TD><TD>0</TD></VOTABLE>"), SDN_FORMAT, "micron");
  refused(scratch_write_text("a.xml", "<VOTABLE><PARAM name=\"DetectorType\" value=\"7\"/><TD>1</TD><TD>0</TD></VOTABLE>"), SDN_FORMAT, "DetectorType");
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(tophats_have_their_pivots), cmocka_unit_test(energy_counting_is_another_mean), cmocka_unit_test(shipped_filters_are_read),
    cmocka_unit_test(user_files_are_read), cmocka_unit_test(bad_filters_are_refused),
  };
  return cmocka_run_group_tests_name("filter", tests, NULL, NULL);
}
