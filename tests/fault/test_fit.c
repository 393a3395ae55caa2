/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bad calls of `fit` and `check`: each ends in a status and a sentence that names what and where, and leaves neither results nor part files. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/fixture_fit.h"
#include "support/scratch.h"

static const char good[] =
  "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC\n"
  "1,1,.05,2,.05,3,.1,4,.1,0.5\n"
  "2,2,.05,3,.05,4,.1,5,.1,0.6\n";

static sdn_fit_options options(const char *catalogue)
{
  sdn_fit_options opt = fixture_fit_options(catalogue, "result.fits");
  opt.n_draw = 50;
  opt.n_spectral = 5;
  return opt;
}

/* The call must fail with this status, name every word, and leave nothing behind. */
static void refuse(const sdn_fit_options *opt, sdn_status status, const char *const *word, int n_word)
{
  sdn_err err = { 0 };
  sdn_fit_summary summary;
  sdn_status got = sdn_fit(opt, NULL, &summary, &err);
  if (got != status)
    fail_msg("status %d is not %d: %s", (int)got, (int)status, err.text);
  assert_int_equal(err.status, status);
  for (int i = 0; i < n_word; i++)
    if (!strstr(err.text, word[i]))
      fail_msg("\"%s\" does not say \"%s\"", err.text, word[i]);
  assert_false(fixture_exists("result.fits"));
  assert_false(fixture_exists("result.fits.part"));
  assert_false(fixture_exists("samples.h5"));
  assert_false(fixture_exists("samples.h5.part"));
}
#define REFUSE(opt, status, ...) refuse(opt, status, (const char *const[]){ __VA_ARGS__ }, (int)(sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *)))

static void test_columns(void **state)
{
  (void)state;
  scratch_write_text("other.csv", "RA,DEC,MAG\n1,2,3\n");
  sdn_fit_options opt = options("other.csv");
  REFUSE(&opt, SDN_USAGE, "other.csv", "FLUX_g", "FLUX_z", "RA", "posterior for this catalogue");
  scratch_write_text("some.csv", "ID,FLUX_g,ERR_g,FLUX_r,FLUX_i,ERR_i,ERR_z\n1,1,1,1,1,1,1\n");
  opt = options("some.csv");
  REFUSE(&opt, SDN_USAGE, "some.csv", "FLUX_z", "ERR_r", "NaN");
  scratch_write_text("noid.csv", "FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z\n1,1,1,1,1,1,1,1\n");
  opt = options("noid.csv");
  REFUSE(&opt, SDN_USAGE, "noid.csv", "ID", "fixture");
  scratch_write_text("good.csv", good);
  opt = options("good.csv");
  opt.fix = "redshift=Z_BEST";
  REFUSE(&opt, SDN_USAGE, "Z_BEST");
}

static void test_options(void **state)
{
  (void)state;
  scratch_write_text("good.csv", good);
  static const struct { const char *fix, *word; } fix[] = { { "mass=M", "only the redshift" }, { "redshift=", "names no column" }, { "redshift", "names no column" },
                                                            { "redshifts=Z_SPEC", "only the redshift" } };
  for (size_t i = 0; i < sizeof fix / sizeof *fix; i++) {
    sdn_fit_options opt = options("good.csv");
    opt.fix = fix[i].fix;
    REFUSE(&opt, SDN_USAGE, fix[i].word);
  }
  sdn_fit_options opt = options("good.csv");
  opt.n_draw = 0;
  REFUSE(&opt, SDN_USAGE, "n_draw");
  opt = options("good.csv");
  opt.catalogue = NULL;
  REFUSE(&opt, SDN_USAGE, "catalogue");
}

/* A result must not replace what it is made from, under whatever name. */
static void test_inputs_are_not_replaced(void **state)
{
  (void)state;
  size_t n;
  sdn_err err;
  sdn_fit_summary summary;
  scratch_write_text("good.csv", good);
  assert_int_equal(symlink(fixture_path("good.csv"), fixture_path("link.csv")), 0);
  const char *const same[] = { fixture_path("good.csv"), fixture_path("link.csv"), fixture_posterior() };
  for (int i = 0; i < 3; i++) {
    sdn_fit_options opt = options("good.csv");
    opt.output = same[i];
    assert_int_equal(sdn_fit(&opt, NULL, &summary, &err), SDN_USAGE);
    opt = options("good.csv");
    opt.samples = same[i];
    assert_int_equal(sdn_fit(&opt, NULL, &summary, &err), SDN_USAGE);
  }
  sdn_fit_options opt = options("good.csv");
  opt.samples = opt.output;
  assert_int_equal(sdn_fit(&opt, NULL, &summary, &err), SDN_USAGE);
  char *bytes = fixture_read("good.csv", &n);
  assert_string_equal(bytes, good);
  free(bytes);
}

static void test_files(void **state)
{
  (void)state;
  scratch_write_text("good.csv", good);
  sdn_fit_options opt = options("absent.csv");
  REFUSE(&opt, SDN_IO, "absent.csv");
  opt = options("good.csv");
  opt.posterior = fixture_path("absent.h5");
  REFUSE(&opt, SDN_IO, "absent.h5");
  opt.posterior = fixture_path("good.csv");
  REFUSE(&opt, SDN_FORMAT, "good.csv");
  opt = options("good.csv");
  opt.output = fixture_path("no_such_folder/result.fits");
  REFUSE(&opt, SDN_IO, "no_such_folder");
  opt = options("good.csv");
  opt.output = fixture_path("result.xlsx");
  REFUSE(&opt, SDN_USAGE, "result.xlsx");
  opt = options("good.csv");
  opt.samples = fixture_path("no_such_folder/samples.h5");
  REFUSE(&opt, SDN_IO, "no_such_folder");
}

/* A row that cannot be read ends the run: it is the file that is wrong, not a galaxy. */
static void test_corrupt_catalogues(void **state)
{
  (void)state;
  scratch_write_text("word.csv", "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC\n1,1,.05,2,.05,3,.1,4,.1,0.5\n2,2,.05,many,.05,4,.1,5,.1,0.6\n");
  sdn_fit_options opt = options("word.csv");
  REFUSE(&opt, SDN_FORMAT, "word.csv", "many");
  scratch_write_text("torn.csv", "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC\n1,1,.05,2,.05,3,.1,4,.1,0.5\n2,2,.05,3");
  opt = options("torn.csv");
  REFUSE(&opt, SDN_FORMAT, "torn.csv");
  /* a FITS table that lost its last block, where the rows are */
  sdn_fit_summary summary;
  size_t n;
  scratch_write_text("good.csv", good);
  opt = options("good.csv");
  opt.output = fixture_path("whole.fits");
  fixture_fit(&opt, &summary);
  char *bytes = fixture_read("whole.fits", &n);
  scratch_write("half.fits", bytes, n - 2880);
  free(bytes);
  opt = options("half.fits");
  REFUSE(&opt, SDN_FORMAT, "half.fits");
}

static void test_disk_full(void **state)
{
  (void)state;
  sdn_err err;
  sdn_fit_summary summary;
  scratch_write_text("good.csv", good);
  for (int with_samples = 0; with_samples < 2; with_samples++) {
    sdn_fit_options opt = options("good.csv");
    opt.samples = with_samples ? fixture_path("samples.h5") : NULL;
    opt.n_draw = with_samples ? 5000 : 50;
    scratch_limit_file_size(2000);
    sdn_status status = sdn_fit(&opt, NULL, &summary, &err);
    scratch_limit_file_size(0);
    assert_int_equal(status, SDN_IO);
    assert_false(fixture_exists("result.fits"));
    assert_false(fixture_exists("samples.h5"));
    assert_false(fixture_exists("result.fits.part"));
    assert_false(fixture_exists("samples.h5.part"));
  }
}

static void test_stop(void **state)
{
  (void)state;
  static const volatile int stop = 1;
  const sdn_run run = { .stop = &stop };
  sdn_err err;
  sdn_fit_summary summary;
  scratch_write_text("good.csv", good);
  sdn_fit_options opt = options("good.csv");
  assert_int_equal(sdn_fit(&opt, &run, &summary, &err), SDN_INTERRUPTED);
  assert_false(fixture_exists("result.fits"));
  assert_false(fixture_exists("result.fits.part"));
  sdn_check_options check = { .posterior = fixture_posterior(), .output = fixture_path("stopped"), .n = 100, .n_draw = 50, .seed = 1 };
  sdn_check_summary checked;
  assert_int_equal(sdn_check(&check, &run, &checked, &err), SDN_INTERRUPTED);
  assert_false(fixture_exists("stopped.json"));
}

static void test_check_calls(void **state)
{
  (void)state;
  sdn_err err;
  sdn_check_summary s;
  sdn_check_options opt = { .posterior = fixture_posterior(), .output = fixture_path("no_such_folder/check"), .n = 100, .n_draw = 50, .seed = 1 };
  assert_int_equal(sdn_check(&opt, NULL, &s, &err), SDN_IO);
  opt.output = fixture_path("check/");
  assert_int_equal(sdn_check(&opt, NULL, &s, &err), SDN_USAGE);
  opt.output = fixture_path("check");
  rename(fixture_posterior(), fixture_path("check.json"));
  opt.posterior = fixture_path("check.json");
  assert_int_equal(sdn_check(&opt, NULL, &s, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "also read"));
  rename(fixture_path("check.json"), fixture_path("posterior.h5"));
  opt.posterior = fixture_posterior();
  opt.fix = "redshift=Z_SPEC";
  assert_int_equal(sdn_check(&opt, NULL, &s, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "without a column"));
  opt.fix = "dust";
  assert_int_equal(sdn_check(&opt, NULL, &s, &err), SDN_USAGE);
  opt.fix = NULL;
  opt.n = 0;
  assert_int_equal(sdn_check(&opt, NULL, &s, &err), SDN_USAGE);
  opt.n = 100;
  opt.posterior = fixture_path("absent.h5");
  assert_int_equal(sdn_check(&opt, NULL, &s, &err), SDN_IO);
  assert_false(fixture_exists("check.json"));
}

/* One row of nonsense among others: theirs stay what they are without it. */
static void test_a_bad_row_harms_no_other(void **state)
{
  (void)state;
  static const char *const bad[] = { "2,inf,inf,-inf,nan,1e300,1e-300,-1e300,0,nan", "2,1,1e-40,2,1e38,3,-0,4,1e308,-inf", "2,,,,,,,,,", "2,1e38,1,1e38,1,1e38,1,1e38,1,1e9" };
  sdn_fit_summary summary;
  scratch_write_text("clean.csv", "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC\n1,1,.05,2,.05,3,.1,4,.1,0.5\n2,2,.05,3,.05,4,.1,5,.1,0.6\n3,1,.05,2,.05,3,.1,4,.1,0.5\n");
  sdn_fit_options opt = options("clean.csv");
  opt.output = fixture_path("clean.fits");
  opt.fix = "redshift=Z_SPEC";
  fixture_fit(&opt, &summary);
  fixture_table clean = fixture_table_read("clean.fits");
  for (size_t k = 0; k < sizeof bad / sizeof *bad; k++) {
    char text[512];
    snprintf(text, sizeof text, "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC\n1,1,.05,2,.05,3,.1,4,.1,0.5\n%s\n3,1,.05,2,.05,3,.1,4,.1,0.5\n", bad[k]);
    scratch_write_text("dirty.csv", text);
    opt.catalogue = fixture_path("dirty.csv");
    opt.output = fixture_path("dirty.fits");
    fixture_fit(&opt, &summary);
    fixture_table dirty = fixture_table_read("dirty.fits");
    for (long row = 0; row < 3; row += 2)
      for (int c = 0; c < clean.n_column; c++) {
        double a = clean.value[row * clean.n_column + c], b = dirty.value[row * clean.n_column + c];
        if (!(a == b || (isnan(a) && isnan(b))))
          fail_msg("case %zu, row %ld, column %d: %.17g is not %.17g", k, row, c, b, a);
      }
    assert_true(fixture_value(&dirty, 1, "flags") > 0);
    assert_true(isfinite(fixture_value(&dirty, 1, "redshift_q50")));
    fixture_table_free(&dirty);
  }
  fixture_table_free(&clean);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_columns),   cmocka_unit_test(test_options), cmocka_unit_test(test_inputs_are_not_replaced), cmocka_unit_test(test_files),
    cmocka_unit_test(test_corrupt_catalogues), cmocka_unit_test(test_disk_full), cmocka_unit_test(test_stop), cmocka_unit_test(test_check_calls),
    cmocka_unit_test(test_a_bad_row_harms_no_other),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
