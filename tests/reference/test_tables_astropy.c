/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables against astropy and h5py: astropy_tables.py checks what we wrote and writes what we read. Skipped where Python lacks them
 * (SEDNA_PYTHON names another interpreter). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include <cmocka.h>

#include "base/table.h"
#include "support/scratch.h"

#define N_ROW 1000
#define NOT_THERE 77
#define N_FLIP 60

static sdn_err err;
static bool have_astropy;

static void ok(sdn_status status)
{
  if (status != SDN_OK) fail_msg("status %d: %s", status, err.text);
}

static void fill(double *numbers, const char **texts, char (*names)[32])
{
  for (int i = 0; i < N_ROW; i++) {
    snprintf(names[i], sizeof names[i], "galaxy %d", i);
    texts[i] = names[i];
    numbers[4 * i] = 0;
    numbers[4 * i + 1] = i % 7 == 3 ? (double)NAN : i * 10 - 7;
    numbers[4 * i + 2] = i % 6 == 5 ? (double)NAN : i / 3.0;
    numbers[4 * i + 3] = (double)(0.1f * (float)i);
  }
}

static void write_ours(const char *name)
{
  static const sdn_column columns[] = {{.name = "name", .kind = SDN_COLUMN_TEXT, .width = 15},
                                       {.name = "n_obs", .kind = SDN_COLUMN_LONG},
                                       {.name = "redshift", .kind = SDN_COLUMN_DOUBLE, .description = "a redshift"},
                                       {.name = "mag", .unit = "mag", .kind = SDN_COLUMN_FLOAT}};
  static double numbers[4 * N_ROW];
  static const char *texts[N_ROW];
  static char names[N_ROW][32];
  char yaml[300] = "a: \"b\"\n";
  sdn_table_out *t;
  for (int i = 0; i < 20; i++) strcat(yaml, "long line ");
  const sdn_meta meta[] = {{"ORIGIN", "sedna test"}, {"YAML", yaml}};
  fill(numbers, texts, names);
  ok(sdn_table_create(scratch_file(name), 4, columns, 2, meta, &t, &err));
  ok(sdn_table_append(t, N_ROW, numbers, texts, &err));
  ok(sdn_table_finish(t, &err));
}

static int exchange(void **unused)
{
  char command[1500], folder[600];
  const char *python = getenv("SEDNA_PYTHON"), *source = getenv("SEDNA_SOURCE");
  (void)unused;
  write_ours("ours.fits");
  write_ours("ours.csv");
  write_ours("ours.ecsv");
  write_ours("ours.h5");
  snprintf(folder, sizeof folder, "%s", scratch_file(""));
  snprintf(command, sizeof command, "'%s' '%s/tests/reference/astropy_tables.py' '%s'", python ? python : "python3", source ? source : ".", folder);
  const int status = system(command);
  const int code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  if (code != 0 && code != NOT_THERE) {
    print_error("astropy found our tables wrong (exit %d)\n", code);
    return -1;
  }
  have_astropy = code == 0;
  if (!have_astropy) print_message("skipped: Python has no astropy, numpy or h5py\n");
  return 0;
}

static sdn_table_in *open_theirs(const char *name)
{
  sdn_table_in *t;
  if (!have_astropy) skip();
  ok(sdn_table_open(scratch_file(name), &t, &err));
  assert_int_equal(sdn_table_n_row(t), N_ROW);
  return t;
}

/* The four columns that each of astropy's files has. */
static void check_common(sdn_table_in *t)
{
  static double out[3 * N_ROW];
  const int col[3] = {sdn_table_find(t, "n_obs", &err), sdn_table_find(t, "redshift", &err), sdn_table_find(t, "mag", &err)};
  const int id = sdn_table_find(t, "name", &err);
  char **name, text[32];
  ok(sdn_table_read(t, 0, N_ROW, 3, col, out, &err));
  ok(sdn_table_read_text(t, 0, N_ROW, id, &name, &err));
  assert_true(sdn_table_is_text(t, id));
  for (int i = 0; i < N_ROW; i++) {
    snprintf(text, sizeof text, "galaxy %d", i);
    assert_string_equal(name[i], text);
    if (i % 7 == 3) assert_true(isnan(out[3 * i]));
    else assert_true(out[3 * i] == i * 10 - 7);
    if (i % 6 == 5) assert_true(isnan(out[3 * i + 1]));
    else assert_true(out[3 * i + 1] == i / 3.0);
    assert_true((float)out[3 * i + 2] == 0.1f * (float)i);
  }
  sdn_release(name);
}

/* astropy_tables.py's spectrum: row + k / 8, NaN where it has one; masked: every other row has its first or fifth value masked (ECSV). */
static void check_vector(sdn_table_in *t, bool masked)
{
  static double out[7 * N_ROW];
  const int z = sdn_table_find(t, "redshift", &err), vector = sdn_table_find(t, "vector", &err), col[3] = {z, vector, z};
  assert_int_equal(sdn_table_width(t, vector), 5);
  assert_int_equal(sdn_table_width(t, z), 1);
  assert_false(sdn_table_is_text(t, vector));
  for (long row = 0; row < N_ROW; row += 250) ok(sdn_table_read_wide(t, row, 250, 3, col, out + 7 * row, &err));
  for (int i = 0; i < N_ROW; i++) {
    const double *values = out + 7 * i;
    for (int k = 0; k < 5; k++) {
      const bool missing = (i % 4 == 1 && k == 2) || (masked && k == 4 * (i % 2));
      assert_true(missing ? isnan(values[1 + k]) : values[1 + k] == i + k / 8.0);
    }
    assert_true(i % 6 == 5 ? isnan(values[0]) && isnan(values[6]) : values[0] == i / 3.0 && values[6] == i / 3.0);
  }
  assert_int_equal(sdn_table_read(t, 0, 1, 1, &vector, out, &err), SDN_FORMAT);
  assert_non_null(strstr(err.text, "'vector' holds 5 values per row where a single one is wanted"));
  char **text;
  assert_int_equal(sdn_table_read_text(t, 0, 1, vector, &text, &err), SDN_FORMAT);
}

static void check_unreadable(sdn_table_in *t, const char *name, const char *why)
{
  double out;
  const int col = sdn_table_find(t, name, &err);
  assert_true(col >= 0);
  assert_int_equal(sdn_table_read_wide(t, 0, 1, 1, &col, &out, &err), SDN_FORMAT);
  if (!strstr(err.text, name) || !strstr(err.text, why)) fail_msg("'%s' does not say %s and %s", err.text, name, why);
}

/* Two dimensions (TDIM) are flattened, the last of numpy's running fastest; TNULL counts in vectors too. */
static void check_cube(sdn_table_in *t)
{
  static double out[6 * N_ROW];
  const int cube = sdn_table_find(t, "cube", &err);
  assert_int_equal(sdn_table_width(t, cube), 6);
  ok(sdn_table_read_wide(t, 0, N_ROW, 1, &cube, out, &err));
  for (int i = 0; i < 6 * N_ROW; i++) assert_true(i % 6 == 4 ? isnan(out[i]) : out[i] == i / 6 % 100 + i % 6);
}

static void fits_of_astropy(const char *file)
{
  static double out[3 * N_ROW];
  sdn_table_in *t = open_theirs(file);
  char **large, *survey;
  check_common(t);
  const int col[3] = {4, 5, 6};
  ok(sdn_table_read(t, 0, N_ROW, 3, col, out, &err));
  for (int i = 0; i < N_ROW; i++) {
    assert_true(out[3 * i] == (i % 2 == 0));
    assert_true(out[3 * i + 1] == (i * 60) % 65536);
    assert_true(out[3 * i + 2] == 10 + 0.5 * (i % 100));
  }
  ok(sdn_table_read_text(t, 999, 1, 7, &large, &err));
  assert_string_equal(large[0], "1152921504606847975");   /* 2^60 + 999 */
  sdn_release(large);
  check_vector(t, false);
  check_cube(t);
  check_unreadable(t, "bits", "bits");
  check_unreadable(t, "ragged", "varying length");
  assert_string_equal(sdn_table_unit(t, 3), "mag");
  ok(sdn_table_meta(t, "SURVEY", &survey, &err));
  assert_int_equal(strlen(survey), 149);   /* blanks at the end do not count in FITS */
  sdn_release(survey);
  sdn_table_close(t);
}

static void fits_is_read(void **unused)
{
  (void)unused;
  fits_of_astropy("theirs.fits");
}

static void compressed_fits_is_read(void **unused)
{
  (void)unused;
  fits_of_astropy("theirs.fits.gz");
}

static void an_hdu_is_picked_by_name_or_number(void **unused)
{
  (void)unused;
  static const char *const picks[] = {"theirs.fits[OLD]", "theirs.fits[2]"};
  for (int k = 0; k < 2; k++) {
    sdn_table_in *t = open_theirs(picks[k]);
    double z;
    const int col = 1;
    assert_int_equal(sdn_table_n_column(t), 2);
    ok(sdn_table_read(t, 10, 1, 1, &col, &z, &err));
    assert_true(fabs(z - 10 / 3.0) < 1e-11);   /* written with 12 decimals */
    sdn_table_close(t);
  }
  sdn_table_in *t;
  assert_int_equal(sdn_table_open(scratch_file("theirs.fits[0]"), &t, &err), SDN_USAGE);
  assert_non_null(strstr(err.text, "is an image"));
  assert_int_equal(sdn_table_open(scratch_file("theirs.fits[7]"), &t, &err), SDN_USAGE);
  assert_int_equal(sdn_table_open(scratch_file("theirs.fits[NONE]"), &t, &err), SDN_USAGE);
}

static void text_tables_are_read(void **unused)
{
  static const char *const files[] = {"theirs.ecsv", "theirs-comma.ecsv", "theirs.csv"};
  (void)unused;
  for (int k = 0; k < 3; k++) {
    sdn_table_in *t = open_theirs(files[k]);
    char *survey;
    check_common(t);
    if (k < 2) assert_string_equal(sdn_table_unit(t, 3), "mag");
    if (k < 2) check_vector(t, true);
    if (k < 2) check_unreadable(t, "cube", "several dimensions");
    if (k < 2) check_unreadable(t, "ragged", "varying length");
    ok(sdn_table_meta(t, "SURVEY", &survey, &err));
    assert_string_equal(survey, k < 2 ? "a survey" : "");
    sdn_release(survey);
    sdn_table_close(t);
  }
}

static void hdf5_of_h5py_is_read(void **unused)
{
  (void)unused;
  sdn_table_in *t = open_theirs("theirs.h5");
  char *survey;
  check_common(t);
  check_vector(t, false);
  assert_string_equal(sdn_table_unit(t, sdn_table_find(t, "mag", &err)), "mag");
  check_unreadable(t, "image", "has 4 values where the table has 1000 rows");
  check_unreadable(t, "cube", "[row][value]");
  ok(sdn_table_meta(t, "SURVEY", &survey, &err));
  assert_string_equal(survey, "a survey");
  sdn_release(survey);
  sdn_table_close(t);
}

/* All readable columns of a damaged copy, vectors among them. */
static void read_damaged(const char *path)
{
  sdn_table_in *t;
  sdn_status status = sdn_table_open(path, &t, &err);
  if (status) return;
  for (int j = 0; j < sdn_table_n_column(t) && !status; j++) {
    const long n = sdn_table_n_row(t) < N_ROW ? sdn_table_n_row(t) : N_ROW;
    double *out = malloc(sizeof *out * (size_t)n * (size_t)sdn_table_width(t, j) + 1);
    if (!sdn_table_is_text(t, j)) status = sdn_table_read_wide(t, 0, n, 1, &j, out, &err);
    free(out);
  }
  if (status && strlen(err.text) < 20) fail_msg("status %d without a sentence: '%s'", status, err.text);
  sdn_table_close(t);
}

static void damaged_vectors_crash_nothing(void **unused)
{
  static const char *const files[] = {"theirs.fits", "theirs.h5", "theirs.ecsv"};
  uint32_t random = 11;
  (void)unused;
  if (!have_astropy) skip();
  for (int k = 0; k < 3; k++) {
    char name[32];
    size_t n_bytes;
    unsigned char *bytes = scratch_read(scratch_file(files[k]), &n_bytes);
    snprintf(name, sizeof name, "damaged%s", strrchr(files[k], '.'));
    for (int i = 0; i < N_FLIP; i++) {
      random = random * 1664525u + 1013904223u;
      const size_t part = i % 2 ? n_bytes : 9000, at = (random >> 4) % part;   /* half of them in the header */
      const unsigned char kept = bytes[at];
      bytes[at] = (unsigned char)(kept ^ (1u << (random & 7)));
      read_damaged(scratch_write(name, bytes, n_bytes));
      bytes[at] = kept;
    }
    read_damaged(scratch_write(name, bytes, n_bytes / 2));
    free(bytes);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(fits_is_read),
      cmocka_unit_test(compressed_fits_is_read),
      cmocka_unit_test(an_hdu_is_picked_by_name_or_number),
      cmocka_unit_test(text_tables_are_read),
      cmocka_unit_test(hdf5_of_h5py_is_read),
      cmocka_unit_test(damaged_vectors_crash_nothing),
  };
  return cmocka_run_group_tests(tests, exchange, NULL);
}
