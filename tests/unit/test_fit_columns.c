/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which columns a result has, in which order, how carried columns keep their kind, and what refuses to be a column. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/table.h"
#include "infer/catalogue.h"
#include "infer/layout.h"
#include "support/fixture_fit.h"
#include "support/scratch.h"

static const char header[] = "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z";

static void write_catalogue(const char *name, const char *more_columns, int n, const char *const *more, const char *const *id)
{
  char text[4096];
  size_t used = (size_t)snprintf(text, sizeof text, "%s%s\n", header, more_columns);
  for (int i = 0; i < n; i++)
    used += (size_t)snprintf(text + used, sizeof text - used, "%s,1,.05,2,.05,3,.1,4,.1%s\n", id[i], more[i]);
  scratch_write_text(name, text);
}

static sdn_fit_options small_fit(const char *catalogue, const char *output)
{
  sdn_fit_options opt = fixture_fit_options(catalogue, output);
  opt.n_draw = 20;
  opt.n_spectral = 0;
  opt.derived = "none";
  return opt;
}

static void assert_columns(const char *name, int n, const char *const *expected)
{
  sdn_err err;
  sdn_table_in *t = NULL;
  assert_int_equal(sdn_table_open(fixture_path(name), &t, &err), SDN_OK);
  assert_int_equal(sdn_table_n_column(t), n);
  for (int c = 0; c < n; c++)
    assert_string_equal(sdn_table_column(t, c), expected[c]);
  sdn_table_close(t);
}

static void test_primary_columns(void **state)
{
  (void)state;
  static const char *const id[] = { "1" }, *const more[] = { "" };
  static const char *const expected[] = { "id", "n_band", "flags", "redshift_q02_5", "redshift_q05", "redshift_q50", "redshift_q97_5", "redshift_mean",
                                          "redshift_std", "redshift_peak", "log_mass_formed_msun_q02_5", "log_mass_formed_msun_q05",
                                          "log_mass_formed_msun_q50", "log_mass_formed_msun_mean", "log_mass_formed_msun_std" };
  sdn_fit_summary summary;
  write_catalogue("plain.csv", "", 1, more, id);
  sdn_fit_options opt = small_fit("plain.csv", "plain.fits");
  opt.quantiles = "5,50,2.5";   /* 2.5 % is there already: the redshift gets only 97.5 % more */
  fixture_fit(&opt, &summary);
  assert_columns("plain.fits", sizeof expected / sizeof *expected, expected);
}

static void test_derived_and_band_columns(void **state)
{
  (void)state;
  static const char *const id[] = { "1" }, *const more[] = { "" };
  sdn_fit_summary summary;
  write_catalogue("full.csv", "", 1, more, id);
  sdn_fit_options opt = small_fit("full.csv", "full.csv.h5");
  static const struct { const char *derived; long n_spectral; bool sfh, spectral, band; } cases[] = {
    { "none", 0, false, false, false }, { "none", 5, false, false, true }, { "sfh", 5, true, false, true }, { "all", 5, true, true, true }, { "all", 0, true, false, false },
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    opt.derived = cases[i].derived;
    opt.n_spectral = cases[i].n_spectral;
    fixture_fit(&opt, &summary);
    fixture_table t = fixture_table_read("full.csv.h5");
    assert_int_equal(fixture_has_column(&t, "log_mass_surviving_msun_q50"), cases[i].sfh);
    assert_int_equal(fixture_has_column(&t, "rest_u_v_q50"), cases[i].spectral);
    assert_int_equal(fixture_has_column(&t, "z_pred_q84"), cases[i].band);
    assert_int_equal(fixture_has_column(&t, "chi2_min"), cases[i].band);
    fixture_table_free(&t);
  }
}

/* Kinds are those of the content: whole numbers stay whole, also beyond 2^53 where a double would change them (then as text). */
static void test_carried_kinds(void **state)
{
  (void)state;
  static const char *const id[] = { "9007199254740993", "5", "7" };
  static const char *const more[] = { ",1,1.5,abc,\"a,b\"\"c\"", ",,nan,,x", ",-3,2,defgh,\xc3\xa9" };
  sdn_fit_summary summary;
  sdn_err err;
  sdn_table_in *t = NULL;
  char **text = NULL;
  double number[6];
  write_catalogue("kinds.csv", ",WHOLE,REAL,WORD,ODD", 3, more, id);
  sdn_fit_options opt = small_fit("kinds.csv", "kinds.fits");
  opt.copy = "WHOLE,REAL,WORD,ODD";
  fixture_fit(&opt, &summary);
  assert_int_equal(sdn_table_open(fixture_path("kinds.fits"), &t, &err), SDN_OK);
  static const bool is_text[] = { true, false, false, true, true };
  for (int c = 0; c < 5; c++)
    assert_int_equal(sdn_table_is_text(t, c), is_text[c]);
  assert_int_equal(sdn_table_read(t, 0, 3, 2, (int[]){ 1, 2 }, number, &err), SDN_OK);
  assert_true(number[0] == 1 && number[1] == 1.5 && isnan(number[2]) && isnan(number[3]) && number[4] == -3 && number[5] == 2);
  sdn_table_close(t);
  static const char *const expected[2][3] = { { "9007199254740993", "5", "7" }, { "a,b\"c", "x", "\xc3\xa9" } };
  for (int k = 0; k < 2; k++) {
    assert_int_equal(sdn_table_open(fixture_path("kinds.fits"), &t, &err), SDN_OK);
    assert_int_equal(sdn_table_read_text(t, 0, 3, k ? 4 : 0, &text, &err), SDN_OK);
    for (int i = 0; i < 3; i++)
      assert_string_equal(text[i], expected[k][i]);
    sdn_release(text);
    sdn_table_close(t);
  }
}

static void refuse(sdn_fit_options opt, const char *word)
{
  sdn_err err = { 0 };
  sdn_fit_summary summary;
  assert_int_equal(sdn_fit(&opt, NULL, &summary, &err), SDN_USAGE);
  if (!strstr(err.text, word))
    fail_msg("\"%s\" does not say \"%s\"", err.text, word);
}

static void test_refused_columns(void **state)
{
  (void)state;
  static const char *const id[] = { "1" }, *const more[] = { ",2" };
  write_catalogue("refuse.csv", ",n_band", 1, more, id);
  sdn_fit_options opt = small_fit("refuse.csv", "refuse.fits");
  opt.copy = "N_BAND";                      /* the result has one of its own */
  refuse(opt, "n_band");
  opt.copy = "ID";                          /* carried already, as id */
  refuse(opt, "id");
  opt.copy = "FLUX_g,FLUX_g";
  refuse(opt, "FLUX_g");
  opt.copy = "COLOUR";
  refuse(opt, "COLOUR");
  opt.copy = NULL;
  opt.derived = "everything";
  refuse(opt, "everything");
  opt.derived = "none";
  opt.quantiles = "50,150";
  refuse(opt, "150");
  assert_false(fixture_exists("refuse.fits"));
  assert_false(fixture_exists("refuse.fits.part"));
}

static void test_meta(void **state)
{
  (void)state;
  static const char *const id[] = { "1" }, *const more[] = { "" };
  static const struct { const char *key, *value; } expected[] = {
    { "FORMAT", "sedna result" }, { "SEDNAVER", SDN_VERSION }, { "COMMAND", "the command" }, { "SURVEY", "fixture" }, { "EVIDENCE", "p(f|sigma0)" },
    { "PRIMARY", "redshift,log_mass_formed_msun" }, { "NDRAW", "20" }, { "SEED", "1" }, { "BAND1", "g" }, { "FILT4", "SLOAN/SDSS.z" },
  };
  sdn_fit_summary summary;
  sdn_err err;
  sdn_table_in *t = NULL;
  const sdn_run run = { .command = "the command" };
  write_catalogue("meta.csv", "", 1, more, id);
  sdn_fit_options opt = small_fit("meta.csv", "meta.fits");
  assert_int_equal(sdn_fit(&opt, &run, &summary, &err), SDN_OK);
  assert_int_equal(sdn_table_open(opt.output, &t, &err), SDN_OK);
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    char *value = NULL;
    assert_int_equal(sdn_table_meta(t, expected[i].key, &value, &err), SDN_OK);
    assert_string_equal(value, expected[i].value);
    sdn_release(value);
  }
  char *pivot = NULL;
  assert_int_equal(sdn_table_meta(t, "PIVOT2", &pivot, &err), SDN_OK);
  assert_true(fabs(atof(pivot) - 6176) < 10);   /* SDSS r: 6176 A, Fukugita+1996's effective 6166 to 10 A */
  sdn_release(pivot);
  sdn_table_close(t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_primary_columns), cmocka_unit_test(test_derived_and_band_columns), cmocka_unit_test(test_carried_kinds),
    cmocka_unit_test(test_refused_columns), cmocka_unit_test(test_meta),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
