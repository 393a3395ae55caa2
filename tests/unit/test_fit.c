/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `fit` end to end on small catalogues: every number of a row is worked out again here, plainly, from the draws in the samples file. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <gsl/gsl_statistics_double.h>
#include <gsl/gsl_sort_double.h>

#include "base/h5.h"
#include "infer/engine.h"
#include "support/fixture_fit.h"
#include "support/scratch.h"

#define FLOAT_ERROR 2e-6     /* relative: draws and columns are float32 */
#define DERIVED_ERROR 2e-5   /* parameters rounded to float32 in the samples file, then 10^x of them */
#define N_DRAW 300
#define N_FEW 40

static const char catalogue[] =
  "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC,NAME\n"
  "11,1.0,0.05,2,0.05,3,0.1,4,0.1,0.5,abc\n"      /* 0: all is well */
  "12,nan,0.05,2,0.05,3,0.1,4,0.1,0.7,\"d,e\"\n"  /* 1: one band missing, which is normal */
  "13,1.0,0.05,2,0,3,-1,4,nan,,x\n"               /* 2: three bad errors, one good band, no spectroscopic redshift */
  "14,,,-99,1,nan,nan,-99,-99,0.3,y\n"            /* 3: no band at all */
  "15,1e9,0.05,2,0.05,3,0.1,4,0.1,5,z\n"          /* 4: a flux beyond any galaxy of the prior; a redshift beyond the prior */
  "16,1.0,0.05,2,0.05,3,50,4,0.1,0.01,z\n"        /* 5: an error far beyond the survey's */
  "17,1.0,0.05,2,inf,3,0.1,4,0.1,1.999,w\n";      /* 6: an infinite error; a redshift that the photometry hardly allows */

static void assert_near(double value, double expected, double tolerance, const char *what)
{
  if (isnan(value) && isnan(expected))
    return;
  if (!(fabs(value - expected) <= tolerance))
    fail_msg("%s: %.10g is not %.10g", what, value, expected);
}

/* ------------------------------------------------------------------ draws read back */

typedef struct samples { sdn_h5 *file; long n; float *theta, *ln_q; } samples;

static samples samples_read(const char *name)
{
  sdn_err err;
  sdn_h5_shape theta, ln_q;
  samples s = { 0 };
  assert_int_equal(sdn_h5_open(fixture_path(name), &s.file, &err), SDN_OK);
  assert_int_equal(sdn_h5_read_float(s.file, "theta", &s.theta, &theta, &err), SDN_OK);
  assert_int_equal(sdn_h5_read_float(s.file, "ln_q", &s.ln_q, &ln_q, &err), SDN_OK);
  assert_true(theta.n_dim == 3 && theta.dim[1] == N_DRAW && theta.dim[2] == 2);
  assert_true(ln_q.n_dim == 2 && ln_q.dim[0] == theta.dim[0] && ln_q.dim[1] == N_DRAW);
  s.n = theta.dim[0];
  return s;
}

static void samples_free(samples *s)
{
  sdn_err err;
  sdn_h5_close(s->file, &err);
  sdn_release(s->theta);
  sdn_release(s->ln_q);
}

static void one_parameter(const samples *s, long row, int parameter, double *x)
{
  for (long k = 0; k < N_DRAW; k++)
    x[k] = (double)s->theta[(row * N_DRAW + k) * 2 + parameter];
}

/* Quantiles by GSL (which interpolates as we do), mean and standard deviation by GSL. */
static void check_summary(const fixture_table *t, long row, const char *name, double *x, long n, double tolerance)
{
  static const struct { double p; const char *suffix; } quantile[] = { { 0.16, "q16" }, { 0.5, "q50" }, { 0.84, "q84" } };
  char column[96];
  gsl_sort(x, 1, (size_t)n);
  for (int i = 0; i < 3; i++) {
    snprintf(column, sizeof column, "%s_%s", name, quantile[i].suffix);
    double expected = gsl_stats_quantile_from_sorted_data(x, 1, (size_t)n, quantile[i].p);
    assert_near(fixture_value(t, row, column), expected, tolerance * (1 + fabs(expected)), column);
  }
  snprintf(column, sizeof column, "%s_mean", name);
  assert_near(fixture_value(t, row, column), gsl_stats_mean(x, 1, (size_t)n), tolerance * (1 + fabs(x[n - 1])), column);
  snprintf(column, sizeof column, "%s_std", name);
  double std = gsl_stats_sd_with_fixed_mean(x, 1, (size_t)n, gsl_stats_mean(x, 1, (size_t)n));
  assert_near(fixture_value(t, row, column), std, tolerance * (1 + fabs(x[n - 1])), column);
}

static void run_fit(const char *output, const char *samples_name, const char *fix, sdn_fit_summary *summary)
{
  scratch_write_text("cat.csv", catalogue);
  sdn_fit_options opt = fixture_fit_options("cat.csv", output);
  opt.n_draw = N_DRAW;
  opt.n_spectral = N_FEW;
  opt.samples = samples_name ? fixture_path(samples_name) : NULL;
  opt.fix = fix;
  opt.copy = "NAME";
  fixture_fit(&opt, summary);
}

/* ------------------------------------------------------------------ tests */

static void test_primaries_are_those_of_the_draws(void **state)
{
  (void)state;
  sdn_fit_summary summary;
  double x[N_DRAW];
  run_fit("primary.fits", "primary.h5", NULL, &summary);
  fixture_table t = fixture_table_read("primary.fits");
  samples s = samples_read("primary.h5");
  assert_int_equal(t.n, 7);
  assert_int_equal(s.n, 7);
  for (long row = 0; row < t.n; row++) {
    one_parameter(&s, row, 0, x);
    check_summary(&t, row, "redshift", x, N_DRAW, FLOAT_ERROR);
    double low = gsl_stats_quantile_from_sorted_data(x, 1, N_DRAW, 0.025), high = gsl_stats_quantile_from_sorted_data(x, 1, N_DRAW, 0.975);
    assert_near(fixture_value(&t, row, "redshift_q02_5"), low, FLOAT_ERROR * 3, "2.5 %");
    assert_near(fixture_value(&t, row, "redshift_q97_5"), high, FLOAT_ERROR * 3, "97.5 %");
    assert_true(fixture_value(&t, row, "redshift_peak") >= x[0] - FLOAT_ERROR && fixture_value(&t, row, "redshift_peak") <= x[N_DRAW - 1] + FLOAT_ERROR);
    one_parameter(&s, row, 1, x);
    check_summary(&t, row, "log_mass_formed_msun", x, N_DRAW, FLOAT_ERROR);
  }
  samples_free(&s);
  fixture_table_free(&t);
}

/* Derived quantities and predictions of one row from its draws, one draw at a time through the public forward model. */
static void check_row_of_predictions(const sdn_engine *e, const fixture_table *t, const samples *s, long row)
{
  static double x[64][N_DRAW], flux[FIXTURE_N_BAND][N_FEW];
  double theta[2], z[2], params[32], derived[64];
  float mu[FIXTURE_N_BAND];
  sdn_err err;
  for (long k = 0; k < N_DRAW; k++) {
    for (int d = 0; d < 2; d++)
      theta[d] = (double)s->theta[(row * N_DRAW + k) * 2 + d];
    assert_int_equal(sdn_prior_coordinates(e->prior, 1, theta, z, params, &err), SDN_OK);
    assert_int_equal(sdn_forward_derived(e->forward, 1, params, false, derived, NULL, &err), SDN_OK);
    assert_int_equal(sdn_forward_flux(e->forward, 1, params, mu, NULL, &err), SDN_OK);
    for (int i = 0; i < e->n_derived; i++)
      x[i][k] = derived[i];
    for (int b = 0; b < FIXTURE_N_BAND && k < N_FEW; b++)
      flux[b][k] = (double)mu[b];
  }
  for (int i = 0; i < e->n_derived; i++)
    check_summary(t, row, sdn_forward_derived_name(e->forward, i), x[i], i < e->n_sfh ? N_DRAW : N_FEW, DERIVED_ERROR);
  for (int b = 0; b < FIXTURE_N_BAND; b++) {
    char column[32];
    snprintf(column, sizeof column, "%s_pred_q50", sdn_survey_band_name(e->survey, b));
    gsl_sort(flux[b], 1, N_FEW);
    double median = gsl_stats_quantile_from_sorted_data(flux[b], 1, N_FEW, 0.5);
    assert_near(fixture_value(t, row, column), median, 1e-4 * median, column);   /* float32 parameters in 10^x, float32 fluxes */
  }
}

static void test_derived_and_predictions_are_those_of_the_draws(void **state)
{
  (void)state;
  sdn_err err;
  sdn_engine e;
  sdn_fit_summary summary;
  run_fit("derived.out.h5", "derived.h5", NULL, &summary);
  assert_int_equal(sdn_engine_open(fixture_posterior(), &e, &err), SDN_OK);
  assert_true(e.n_derived <= 64 && e.n_param <= 32);
  fixture_table t = fixture_table_read("derived.out.h5");
  samples s = samples_read("derived.h5");
  for (long row = 0; row < t.n; row += 2)
    check_row_of_predictions(&e, &t, &s, row);
  samples_free(&s);
  fixture_table_free(&t);
  sdn_engine_close(&e);
}

/* chi2 with s^2 = sigma0^2 + (floor mu)^2, floor 5 %, written out. */
static void test_chi2_min(void **state)
{
  (void)state;
  sdn_err err;
  sdn_engine e;
  sdn_fit_summary summary;
  run_fit("chi2.fits", "chi2.h5", NULL, &summary);
  assert_int_equal(sdn_engine_open(fixture_posterior(), &e, &err), SDN_OK);
  fixture_table t = fixture_table_read("chi2.fits");
  samples s = samples_read("chi2.h5");
  const double flux[] = { 1000, 2000, 3000, 4000 }, sigma[] = { 50, 50, 100, 100 };   /* nJy, row 0 */
  double least = INFINITY;
  for (long k = 0; k < N_FEW; k++) {
    double theta[2] = { (double)s.theta[2 * k], (double)s.theta[2 * k + 1] }, z[2], params[32], chi2 = 0;
    float mu[FIXTURE_N_BAND];
    assert_int_equal(sdn_prior_coordinates(e.prior, 1, theta, z, params, &err), SDN_OK);
    assert_int_equal(sdn_forward_flux(e.forward, 1, params, mu, NULL, &err), SDN_OK);
    for (int b = 0; b < FIXTURE_N_BAND; b++)
      chi2 += pow(flux[b] - (double)mu[b], 2) / (sigma[b] * sigma[b] + pow(0.05 * (double)mu[b], 2));
    least = fmin(least, chi2);
  }
  assert_near(fixture_value(&t, 0, "chi2_min"), least, 1e-3 * least, "chi2_min");
  assert_true(isnan(fixture_value(&t, 3, "chi2_min")));
  samples_free(&s);
  fixture_table_free(&t);
  sdn_engine_close(&e);
}

static unsigned flags_of(const fixture_table *t, long row)
{
  return (unsigned)fixture_value(t, row, "flags");
}

static void test_flags(void **state)
{
  (void)state;
  sdn_fit_summary summary;
  static const int n_band[] = { 4, 3, 1, 0, 4, 4, 3 };
  run_fit("flags.csv", NULL, NULL, &summary);
  fixture_table t = fixture_table_read("flags.csv");
  for (long row = 0; row < 7; row++) {
    assert_int_equal((int)fixture_value(&t, row, "n_band"), n_band[row]);
    assert_int_equal((flags_of(&t, row) & SDN_FLAG_BAD_ERROR) != 0, row == 2 || row == 6);
    assert_int_equal((flags_of(&t, row) & SDN_FLAG_NO_DATA) != 0, row == 3);
    assert_int_equal((flags_of(&t, row) & SDN_FLAG_OUT_OF_RANGE) != 0, row == 4 || row == 5);
    assert_int_equal(flags_of(&t, row) & (SDN_FLAG_FIX_MISSING | SDN_FLAG_FIX_IMPROBABLE | SDN_FLAG_BAD_DERIVED), 0);
  }
  assert_true(flags_of(&t, 4) & SDN_FLAG_POOR_FIT);   /* 10^15 nJy in one band alone: no galaxy is like that */
  assert_int_equal(summary.n, 7);
  assert_int_equal(summary.n_no_data, 1);
  /* Fluxes in the result are nJy, from uJy. */
  assert_near(fixture_value(&t, 0, "r_flux"), 2000, 2000 * FLOAT_ERROR, "r_flux");
  assert_near(fixture_value(&t, 0, "r_sigma"), 50, 50 * FLOAT_ERROR, "r_sigma");
  assert_true(isnan(fixture_value(&t, 2, "i_flux")));
  fixture_table_free(&t);
}

/* Without data the answer is the prior: redshift uniform(0.1, 2), so mean 1.05, standard deviation 1.9/sqrt(12); errors of 300 draws, 5 sigma. */
static void test_no_data_gives_the_prior(void **state)
{
  (void)state;
  sdn_fit_summary summary;
  run_fit("prior.csv", NULL, NULL, &summary);
  fixture_table t = fixture_table_read("prior.csv");
  const double std = 1.9 / sqrt(12), error = std / sqrt(N_DRAW);
  assert_near(fixture_value(&t, 3, "redshift_mean"), 1.05, 5 * error, "prior mean");
  assert_near(fixture_value(&t, 3, "redshift_std"), std, 5 * error, "prior standard deviation");
  assert_near(fixture_value(&t, 3, "log_mass_formed_msun_mean"), 9.5, 5 * 3 / sqrt(12) / sqrt(N_DRAW), "prior mean mass");
  fixture_table_free(&t);
}

/* The probability below a redshift that row 0's photometry gives, by the network; coordinates by the prior's inverse map. */
static double probability_below(const sdn_engine *e, double redshift)
{
  static const float flux[] = { 1000, 2000, 3000, 4000 }, sigma[] = { 50, 50, 100, 100 };
  double theta[2] = { redshift, 9.5 }, z[2], cdf;
  sdn_err err;
  assert_int_equal(sdn_prior_coordinates(e->prior, 1, theta, z, NULL, &err), SDN_OK);
  assert_int_equal(sdn_posterior_first_cdf(e->posterior, 1, flux, sigma, z, &cdf, &err), SDN_OK);
  return cdf;
}

/* A given redshift deep in either tail is flagged, one within is not: redshifts of row 0 found by bisection on the network's own probability. */
static void test_improbable_redshifts(void **state)
{
  (void)state;
  static const double probability[] = { 5e-4, 2e-3, 0.5, 1 - 2e-3, 1 - 5e-4 };
  char text[1024];
  sdn_err err;
  sdn_engine e;
  sdn_fit_summary summary;
  int used = snprintf(text, sizeof text, "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC\n");
  assert_int_equal(sdn_engine_open(fixture_posterior(), &e, &err), SDN_OK);
  for (int i = 0; i < 5; i++) {
    double low = 0.1, high = 2;
    while (high - low > 1e-9)
      *(probability_below(&e, (low + high) / 2) < probability[i] ? &low : &high) = (low + high) / 2;
    used += snprintf(text + used, sizeof text - (size_t)used, "%d,1,0.05,2,0.05,3,0.1,4,0.1,%.12g\n", i, high);
  }
  sdn_engine_close(&e);
  scratch_write_text("tails.csv", text);
  sdn_fit_options opt = fixture_fit_options("tails.csv", "tails.fits");
  opt.n_draw = 20;
  opt.n_spectral = 0;
  opt.fix = "redshift=Z_SPEC";
  fixture_fit(&opt, &summary);
  fixture_table t = fixture_table_read("tails.fits");
  for (int i = 0; i < 5; i++)
    assert_int_equal((flags_of(&t, i) & SDN_FLAG_FIX_IMPROBABLE) != 0, i == 0 || i == 4);
  fixture_table_free(&t);
}

static void test_fix(void **state)
{
  (void)state;
  sdn_fit_summary summary;
  static const double z_spec[] = { 0.5, 0.7, NAN, 0.3, 5, 0.01, 1.999 };
  run_fit("fix.csv", "fix.h5", "redshift=Z_SPEC", &summary);
  fixture_table t = fixture_table_read("fix.csv");
  samples s = samples_read("fix.h5");
  for (long row = 0; row < 7; row++) {
    bool usable = z_spec[row] >= 0.1 && z_spec[row] <= 2;
    assert_int_equal((flags_of(&t, row) & SDN_FLAG_FIX_MISSING) != 0, !usable);
    for (long k = 0; k < N_DRAW && usable; k++)
      assert_near((double)s.theta[(row * N_DRAW + k) * 2], z_spec[row], FLOAT_ERROR, "fixed redshift");
    if (row == 2 || row == 5)   /* inferred; row 4's flux is from another world, and its posterior may be a point */
      assert_true(fixture_value(&t, row, "redshift_std") > 1e-3);
  }
  assert_int_equal(flags_of(&t, 3) & SDN_FLAG_FIX_IMPROBABLE, 0);   /* no data, no objection */
  assert_int_equal(summary.n_spec, 0);                              /* a run with given redshifts says nothing of photometric ones */
  samples_free(&s);
  fixture_table_free(&t);
}

static void test_photo_z_summary(void **state)
{
  (void)state;
  sdn_fit_summary summary;
  double dz[7];
  size_t n = 0, n_out = 0;
  run_fit("photoz.fits", NULL, NULL, &summary);
  fixture_table t = fixture_table_read("photoz.fits");
  for (long row = 0; row < 7; row++) {
    double z_spec = fixture_value(&t, row, "z_spec");
    if (isnan(z_spec) || row == 3)   /* row 3 has no data */
      continue;
    dz[n] = (fixture_value(&t, row, "redshift_q50") - z_spec) / (1 + z_spec);
    n_out += fabs(dz[n++]) > 0.15;
  }
  gsl_sort(dz, 1, n);
  double bias = gsl_stats_median_from_sorted_data(dz, 1, n);
  for (size_t i = 0; i < n; i++)
    dz[i] = fabs(dz[i] - bias);
  gsl_sort(dz, 1, n);
  assert_int_equal(summary.n_spec, (long)n);
  assert_near(summary.bias, bias, 1e-12, "bias");
  assert_near(summary.nmad, 1.482602218505602 * gsl_stats_median_from_sorted_data(dz, 1, n), 1e-12, "NMAD");
  assert_near(summary.outlier_fraction, (double)n_out / (double)n, 1e-12, "outliers");
  fixture_table_free(&t);
}

/* Marks for "no redshift" are no redshifts, whether the survey lists them (-99) or not (-9, -1). */
static void test_marks_are_no_redshifts(void **state)
{
  (void)state;
  static const char *const mark[] = { "-99", "-9", "-1", "nan", "inf", "0.5" };
  char text[1024];
  sdn_fit_summary summary;
  int used = snprintf(text, sizeof text, "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC\n");
  for (int i = 0; i < 6; i++)
    used += snprintf(text + used, sizeof text - (size_t)used, "%d,1,0.05,2,0.05,3,0.1,4,0.1,%s\n", i, mark[i]);
  scratch_write_text("marks.csv", text);
  sdn_fit_options opt = fixture_fit_options("marks.csv", "marks.fits");
  opt.n_draw = 20;
  fixture_fit(&opt, &summary);
  assert_int_equal(summary.n_spec, 1);
  fixture_table t = fixture_table_read("marks.fits");
  for (int i = 0; i < 6; i++)
    assert_int_equal(isnan(fixture_value(&t, i, "z_spec")), i < 5);
  fixture_table_free(&t);
}

static void test_empty_catalogue(void **state)
{
  (void)state;
  sdn_fit_summary summary;
  scratch_write_text("empty.csv", "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC\n");
  sdn_fit_options opt = fixture_fit_options("empty.csv", "empty.fits");
  opt.samples = fixture_path("empty.h5");
  fixture_fit(&opt, &summary);
  assert_int_equal(summary.n, 0);
  assert_int_equal(summary.n_spec, 0);
  fixture_table t = fixture_table_read("empty.fits");
  assert_int_equal(t.n, 0);
  assert_true(fixture_has_column(&t, "redshift_q50") && fixture_has_column(&t, "z_spec"));
  fixture_table_free(&t);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(test_primaries_are_those_of_the_draws),
    cmocka_unit_test(test_derived_and_predictions_are_those_of_the_draws),
    cmocka_unit_test(test_chi2_min),
    cmocka_unit_test(test_flags),
    cmocka_unit_test(test_no_data_gives_the_prior),
    cmocka_unit_test(test_fix),
    cmocka_unit_test(test_improbable_redshifts),
    cmocka_unit_test(test_photo_z_summary),
    cmocka_unit_test(test_marks_are_no_redshifts),
    cmocka_unit_test(test_empty_catalogue),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
