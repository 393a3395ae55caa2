/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What must not matter to a fit: how many threads, how the catalogue is cut into blocks, its format, values in bands that are not used. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/table.h"
#include "infer/fit_block.h"
#include "support/fixture_fit.h"
#include "support/scratch.h"

#define N_ROW 700        /* more than two blocks of 256 */
#define N_DRAW 40

/* Random galaxies; `junk` stands for the flux of bands without an error. */
static void write_catalogue(const char *name, long n, const char *junk)
{
  static char text[(N_ROW + 1) * 128];
  char *at = text;
  at += sprintf(at, "ID,FLUX_g,ERR_g,FLUX_r,ERR_r,FLUX_i,ERR_i,FLUX_z,ERR_z,Z_SPEC\n");
  for (long i = 0; i < n; i++) {
    sdn_rng rng = sdn_rng_at(5, SDN_STREAM_TEST, (uint64_t)i);
    at += sprintf(at, "g%ld", i);
    for (int b = 0; b < FIXTURE_N_BAND; b++)
      if (sdn_rng_uniform(&rng) < 0.1)
        at += sprintf(at, ",%s,-99", junk);
      else
        at += sprintf(at, ",%.6g,0.1", exp(2 * sdn_rng_normal(&rng)));
    at += sprintf(at, ",%.4f\n", 2.1 * sdn_rng_uniform(&rng));
  }
  scratch_write_text(name, text);
}

static sdn_fit_options options(const char *catalogue, const char *output)
{
  sdn_fit_options opt = fixture_fit_options(catalogue, output);
  opt.n_draw = N_DRAW;
  opt.n_spectral = 5;
  return opt;
}

static void run_with_threads(const sdn_fit_options *opt, int n_thread)
{
  sdn_err err;
  sdn_fit_summary summary;
  const sdn_run run = { .n_thread = n_thread };
  if (sdn_fit(opt, &run, &summary, &err))
    fail_msg("%s", err.text);
}

static void assert_same_file(const char *a, const char *b)
{
  size_t n_a, n_b;
  char *x = fixture_read(a, &n_a), *y = fixture_read(b, &n_b);
  assert_int_equal(n_a, n_b);
  assert_memory_equal(x, y, n_a);
  free(x);
  free(y);
}

static void test_threads(void **state)
{
  (void)state;
  static const int n_thread[] = { 1, 2, 3 };
  static const char *const name[] = { "threads1.csv", "threads2.csv", "threads3.csv" };
  write_catalogue("cat.csv", N_ROW, "nan");
  for (int k = 0; k < 3; k++) {
    sdn_fit_options opt = options("cat.csv", name[k]);
    run_with_threads(&opt, n_thread[k]);
  }
  assert_same_file("threads1.csv", "threads2.csv");
  assert_same_file("threads1.csv", "threads3.csv");
}

/* Same rows, all columns of numbers; NaN equals NaN. */
static void assert_same_rows(const char *a, const char *b, long n)
{
  fixture_table x = fixture_table_read(a), y = fixture_table_read(b);
  assert_int_equal(x.n_column, y.n_column);
  assert_true(x.n >= n && y.n >= n);
  for (long i = 0; i < n * x.n_column; i++)
    if (!(x.value[i] == y.value[i] || (isnan(x.value[i]) && isnan(y.value[i]))))
      fail_msg("row %ld, column %ld: %.17g in %s, %.17g in %s", i / x.n_column, i % x.n_column, x.value[i], a, y.value[i], b);
  fixture_table_free(&x);
  fixture_table_free(&y);
}

/* All numbers of the catalogue's rows, [N_ROW][n_column] in one array, worked in blocks of n_block. */
static double *run_in_blocks(const sdn_engine *e, const sdn_range *range, long n_block, int *n_column)
{
  sdn_err err;
  sdn_catalogue *c = NULL;
  sdn_rows *rows = NULL;
  sdn_layout *columns = NULL;
  sdn_block *block = NULL;
  const sdn_run run = { .n_thread = 2 };
  const sdn_catalogue_request catalogue = { fixture_path("cat.csv"), "Z_SPEC", NULL, n_block };
  const sdn_layout_request layout = { "16,50,84", "all", 5, N_DRAW };
  assert_int_equal(sdn_catalogue_open(&catalogue, e->survey, &c, &err), SDN_OK);
  assert_int_equal(sdn_rows_new(c, &rows, &err), SDN_OK);
  assert_int_equal(sdn_layout_new(&layout, e, c, &columns, &err), SDN_OK);
  const sdn_block_setup set = { .engine = e, .columns = columns, .range = range, .run = &run, .n_carried = c->n_carried, .n_galaxy = n_block,
                                .n_draw = N_DRAW, .seed = 1, .fix = true };
  assert_int_equal(sdn_block_new(&set, &block, &err), SDN_OK);
  double *all = malloc((size_t)(N_ROW * columns->n_column) * sizeof *all);
  assert_non_null(all);
  for (long row = 0; row < N_ROW; row += n_block) {
    long n = N_ROW - row < n_block ? N_ROW - row : n_block;
    assert_int_equal(sdn_catalogue_read(c, row, n, rows, &err), SDN_OK);
    assert_int_equal(sdn_block_run(block, rows, &err), SDN_OK);
    memcpy(all + row * columns->n_column, block->number, (size_t)(n * columns->n_column) * sizeof *all);
  }
  *n_column = columns->n_column;
  sdn_block_free(block);
  sdn_layout_free(columns);
  sdn_rows_free(c, rows);
  sdn_catalogue_close(c);
  return all;
}

static void test_blocks(void **state)
{
  (void)state;
  sdn_err err;
  sdn_engine e;
  sdn_range *range = NULL;
  static const long n_block[] = { 256, 17, 700 };
  double *all[3];
  int n_column = 0;
  write_catalogue("cat.csv", N_ROW, "nan");
  assert_int_equal(sdn_engine_open(fixture_posterior(), &e, &err), SDN_OK);
  assert_int_equal(sdn_range_new(&e, NULL, &range, &err), SDN_OK);
  for (int k = 0; k < 3; k++)
    all[k] = run_in_blocks(&e, range, n_block[k], &n_column);
  for (int k = 1; k < 3; k++)
    for (long i = 0; i < (long)N_ROW * n_column; i++)
      if (!(all[k][i] == all[0][i] || (isnan(all[k][i]) && isnan(all[0][i]))))
        fail_msg("row %ld, column %ld: %.17g in blocks of %ld, %.17g in blocks of %ld", i / n_column, i % n_column, all[k][i], n_block[k], all[0][i], n_block[0]);
  for (int k = 0; k < 3; k++)
    free(all[k]);
  sdn_range_free(range);
  sdn_engine_close(&e);
}

static void test_unused_values(void **state)
{
  (void)state;
  write_catalogue("nan.csv", 300, "nan");
  write_catalogue("junk.csv", 300, "12345");   /* error -99 marks the band as missing whatever its flux */
  sdn_fit_options a = options("nan.csv", "nan.out.csv"), b = options("junk.csv", "junk.out.csv");
  run_with_threads(&a, 2);
  run_with_threads(&b, 2);
  assert_same_rows("nan.out.csv", "junk.out.csv", 300);
}

/* One spectrum of three pixels and a band, in columns of its own or in vectors, ECSV's lists. */
static void write_spectra(const char *name, bool vectors)
{
  static char text[16384];
  char *at = text;
  if (vectors)
    at += sprintf(at, "# %%ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n# - {name: ID, datatype: int64}\n# - {name: F_r, datatype: float64}\n# - {name: E_r, datatype: float64}\n"
                  "# - {name: S, datatype: string, subtype: 'float64[3]'}\n# - {name: SE, datatype: string, subtype: 'float64[3]'}\n");
  at += sprintf(at, vectors ? "ID,F_r,E_r,S,SE\n" : "ID,F_r,E_r,S_0001,S_0002,S_0003,SE_0001,SE_0002,SE_0003\n");
  for (int i = 0; i < 30; i++) {
    char middle[16];
    snprintf(middle, sizeof middle, i % 5 == 2 ? "nan" : "%d.5", i % 4);
    at += sprintf(at, vectors ? "%d,%d.25,0.1,\"[%d.125,%s,1.5]\",\"[0.1,0.2,0.3]\"\n" : "%d,%d.25,0.1,%d.125,%s,1.5,0.1,0.2,0.3\n", i, i % 3, i % 7, middle);
  }
  scratch_write_text(name, text);
}

/* Two posteriors that differ by the names of columns alone have the same weights, and give the same result for the same data. */
static void test_vector_columns(void **state)
{
  (void)state;
  static const char *const column[2] = { "flux: \"S_{pixel}\", error: \"SE_{pixel}\"", "flux: S, error: SE" }, *const name[2] = { "pixels.csv", "vectors.ecsv" };
  const char *const result[2] = { "pixels.out.csv", "vectors.out.csv" }, *const posterior[2] = { "pixels", "vectors" };
  for (int k = 0; k < 2; k++) {
    char survey[1024], file[32];
    snprintf(survey, sizeof survey, "name: fixture\nflux_unit: uJy\nfloor_fraction: 0.05\ncolumns: {id: ID, flux: \"F_{band}\", error: \"E_{band}\"}\n"
             "bands: [{name: r, filter: SLOAN/SDSS.r, sigma_njy: 100}]\nspectra: [{name: P, wave_A: {low: 6000, high: 9000, n: 3}, sigma_njy: {low: 50, high: 500}, %s}]\n", column[k]);
    fixture_train(posterior[k], fixture_model, survey, 500, 1);
    write_spectra(name[k], k == 1);
    snprintf(file, sizeof file, "%s.h5", posterior[k]);
    sdn_fit_options opt = options(name[k], result[k]);
    opt.posterior = fixture_path(file);
    run_with_threads(&opt, 2);
  }
  assert_same_rows(result[0], result[1], 30);
  fixture_table t = fixture_table_read(result[1]);
  for (long i = 0; i < 30; i++) assert_true(fixture_value(&t, i, "n_band") == (i % 5 == 2 ? 3 : 4));
  fixture_table_free(&t);
}

/* A FITS copy of the same catalogue, written by the table writer. */
static void test_formats(void **state)
{
  (void)state;
  sdn_err err;
  sdn_table_out *out = NULL;
  enum { n_column = 10 };
  sdn_column column[n_column] = { 0 };
  write_catalogue("format.csv", 300, "nan");
  fixture_table t = fixture_table_read("format.csv");
  static const char *const name[n_column] = { "ID", "FLUX_g", "ERR_g", "FLUX_r", "ERR_r", "FLUX_i", "ERR_i", "FLUX_z", "ERR_z", "Z_SPEC" };
  assert_int_equal(t.n_column, n_column);
  for (int c = 0; c < n_column; c++) {
    snprintf(column[c].name, sizeof column[c].name, "%s", name[c]);
    column[c].kind = c ? SDN_COLUMN_DOUBLE : SDN_COLUMN_TEXT;
    column[c].width = 8;
  }
  static char id[300][8];
  const char *texts[300];
  for (int i = 0; i < 300; i++) {
    snprintf(id[i], sizeof id[i], "g%d", i);
    texts[i] = id[i];
  }
  assert_int_equal(sdn_table_create(fixture_path("format.fits"), n_column, column, 0, NULL, &out, &err), SDN_OK);
  assert_int_equal(sdn_table_append(out, t.n, t.value, texts, &err), SDN_OK);
  assert_int_equal(sdn_table_finish(out, &err), SDN_OK);
  fixture_table_free(&t);
  sdn_fit_options a = options("format.csv", "from_csv.h5"), b = options("format.fits", "from_fits.h5");
  run_with_threads(&a, 2);
  run_with_threads(&b, 2);
  assert_same_rows("from_csv.h5", "from_fits.h5", 300);
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_threads), cmocka_unit_test(test_blocks), cmocka_unit_test(test_unused_values),
                                      cmocka_unit_test(test_vector_columns), cmocka_unit_test(test_formats) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
