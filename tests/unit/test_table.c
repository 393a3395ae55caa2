/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables in each format: what is written is read back bit by bit; what other programs may write is read by its meaning. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#include <cmocka.h>

#include "base/table.h"
#include "support/scratch.h"

static sdn_err err;
static const char *const formats[] = {"fits", "csv", "ecsv", "h5"};

static void ok(sdn_status status)
{
  if (status != SDN_OK) fail_msg("status %d: %s", status, err.text);
}

static void refused(sdn_status status, sdn_status expected, const char *says)
{
  if (status != expected || !strstr(err.text, says)) fail_msg("status %d (expected %d), '%s' is not in: %s", status, expected, says, err.text);
}

static bool same(double a, double b) { return (isnan(a) && isnan(b)) || (a == b && signbit(a) == signbit(b)); }

/* ------------------------------------------------------------------ round trips */

enum { ID, COUNT, Z, MAG, NOTE, N_COLUMN };
static const sdn_column columns[N_COLUMN] = {
    [ID] = {.name = "id", .kind = SDN_COLUMN_TEXT, .width = 24, .description = "name of the galaxy"},
    [COUNT] = {.name = "n_obs", .kind = SDN_COLUMN_LONG},
    [Z] = {.name = "redshift", .kind = SDN_COLUMN_DOUBLE, .description = "50 % quantile, \"median\""},
    [MAG] = {.name = "Mag_UV", .unit = "mag", .kind = SDN_COLUMN_FLOAT},
    [NOTE] = {.name = "note", .kind = SDN_COLUMN_TEXT, .width = 40}};

static const char *const hard_texts[] = {"plain", "", "with, comma", "\"quoted\"", "a \"b\" c", "#hash", "two\nlines", "\xce\xb1 Cen \xe2\x98\x85", "nan", "007", "semi;colon", "tab\there"};
static const double hard_numbers[] = {0, -0.0, 1, 0.1, 1.0 / 3, -1e300, 4e-300, 1e22, 123456789.123456789, 2.0 / 3e8};
#define N_TEXT (sizeof hard_texts / sizeof *hard_texts)
#define N_NUMBER (sizeof hard_numbers / sizeof *hard_numbers)

static const char *text_of(long row, int column) { return hard_texts[((size_t)row + (column == NOTE ? 3u : 0u)) % N_TEXT]; }

static double number_of(long row, int column)
{
  if (column == COUNT) return row % 7 == 3 ? (double)NAN : (double)row * 1234567890 - 5;
  if (column == MAG) return row % 5 == 2 ? (double)NAN : row % 11 == 5 ? (double)INFINITY : (double)(float)(0.1 * (double)row - 20);
  return row % 6 == 5 ? (double)NAN : hard_numbers[(size_t)row % N_NUMBER] * (1 + (double)(row / (long)N_NUMBER));
}

static void fill_block(long row0, long n, double *numbers, const char **texts)
{
  for (long i = 0; i < n; i++) {
    for (int j = 0; j < N_COLUMN; j++) numbers[i * N_COLUMN + j] = number_of(row0 + i, j);
    texts[2 * i] = text_of(row0 + i, ID);
    texts[2 * i + 1] = text_of(row0 + i, NOTE);
  }
}

static const char yaml[] = "model: {a: 1}\n# comment's \"quote\"\n\tback\\slash \xce\xb1 \xf0\x9f\x8c\x8c\n";
static const sdn_meta meta[] = {{"ORIGIN", "sedna test"}, {"YAML", yaml}, {"EMPTY", ""}, {"QUOTE", "it's \"so\" & so&"}, {"SPACES", " both ends "}};

static const char *write_table(const char *name, long n_row)
{
  static const long steps[] = {1, 997, 3, 4096, 61};
  const char *path = scratch_file(name);
  double *numbers = malloc(sizeof(double) * N_COLUMN * 4096);
  const char **texts = malloc(sizeof(char *) * 2 * 4096);
  sdn_table_out *t;
  ok(sdn_table_create(path, N_COLUMN, columns, 5, meta, &t, &err));
  assert_false(scratch_exists(path));
  for (long row = 0, k = 0; row < n_row; k++) {
    const long n = n_row - row < steps[k % 5] ? n_row - row : steps[k % 5];
    fill_block(row, n, numbers, texts);
    ok(sdn_table_append(t, n, numbers, texts, &err));
    row += n;
  }
  ok(sdn_table_finish(t, &err));
  free(numbers);
  free(texts);
  return path;
}

static void check_head(sdn_table_in *t, long n_row, bool has_units)
{
  assert_int_equal(sdn_table_n_row(t), n_row);
  assert_int_equal(sdn_table_n_column(t), N_COLUMN);
  for (int j = 0; j < N_COLUMN; j++) {
    assert_string_equal(sdn_table_column(t, j), columns[j].name);
    if (n_row > 10) assert_int_equal(sdn_table_is_text(t, j), columns[j].kind == SDN_COLUMN_TEXT);
    assert_string_equal(sdn_table_unit(t, j), has_units ? columns[j].unit : "");
  }
  for (size_t i = 0; i < 5; i++) {
    char *value;
    ok(sdn_table_meta(t, meta[i].key, &value, &err));
    if (strcmp(value, meta[i].value) != 0) fail_msg("%s is '%s'", meta[i].key, value);
    sdn_release(value);
  }
  char *value;
  ok(sdn_table_meta(t, "ABSENT", &value, &err));
  assert_string_equal(value, "");
  sdn_release(value);
}

/* In FITS what is not finite reads as NaN. Text holds the digits that give the same float again, not the float's digits as a double. */
static double as_read(double written, double read, int column, bool is_fits, double *seen)
{
  *seen = column == MAG ? (double)(float)read : read;
  return is_fits && isinf(written) ? (double)NAN : written;
}

static void check_block(sdn_table_in *t, long row0, long n, bool is_fits)
{
  static const int wanted[] = {MAG, COUNT, Z};
  double *numbers = malloc(sizeof(double) * 3 * (size_t)(n + 1));
  char **id, **note;
  ok(sdn_table_read(t, row0, n, 3, wanted, numbers, &err));
  ok(sdn_table_read_text(t, row0, n, ID, &id, &err));
  ok(sdn_table_read_text(t, row0, n, NOTE, &note, &err));
  for (long i = 0; i < n; i++) {
    for (int j = 0; j < 3; j++) {
      double seen;
      const double expected = as_read(number_of(row0 + i, wanted[j]), numbers[3 * i + j], wanted[j], is_fits, &seen);
      if (!same(seen, expected)) fail_msg("row %ld of %s: %.17g, not %.17g", row0 + i, columns[wanted[j]].name, seen, expected);
    }
    if (strcmp(id[i], text_of(row0 + i, ID)) != 0) fail_msg("row %ld: id '%s'", row0 + i, id[i]);
    if (strcmp(note[i], text_of(row0 + i, NOTE)) != 0) fail_msg("row %ld: note '%s'", row0 + i, note[i]);
  }
  sdn_release(id);
  sdn_release(note);
  free(numbers);
}

static void round_trip(int k_format, long n_row)
{
  static const long steps[] = {1, 1000, 17, 4999};
  char name[40];
  sdn_table_in *t;
  const char *format = formats[k_format];
  const bool is_fits = k_format == 0;
  snprintf(name, sizeof name, "trip%ld.%s", n_row, format);
  ok(sdn_table_open(write_table(name, n_row), &t, &err));
  check_head(t, n_row, strcmp(format, "csv") != 0);
  for (long row = 0, k = 0; row < n_row; k++) {
    const long n = n_row - row < steps[k % 4] ? n_row - row : steps[k % 4];
    check_block(t, row, n, is_fits);
    row += n;
  }
  check_block(t, n_row, 0, is_fits);
  if (n_row > 100) check_block(t, 3, 7, is_fits);   /* backward too */
  sdn_table_close(t);
}

static void small_tables_come_back(void **unused)
{
  (void)unused;
  for (int i = 0; i < 4; i++)
    for (long n = 0; n < 4; n++) round_trip(i, n);
}

static void long_tables_come_back(void **unused)
{
  (void)unused;
  for (int i = 0; i < 4; i++) round_trip(i, 100003);
}

/* Lengths around the places where FITS cuts a value into cards, with the characters that are special there. */
enum { N_KEY = 80 };
static char keys[N_KEY][16], values[N_KEY][400];

static void make_values(int first_length, int step)
{
  for (int i = 0; i < N_KEY; i++) {
    const int n = first_length + i * step;
    for (int k = 0; k < n; k++) values[i][k] = "ab'&\"c d\\"[(k * 7 + n) % 9];
    values[i][n] = '\0';
    if (n > 0) values[i][n - 1] = '&';
    snprintf(keys[i], sizeof keys[i], "K%d", i);
  }
}

static void check_values(const char *name)
{
  static const sdn_column one = {.name = "x", .kind = SDN_COLUMN_DOUBLE};
  sdn_meta pairs[N_KEY];
  sdn_table_out *out;
  sdn_table_in *in;
  for (int i = 0; i < N_KEY; i++) pairs[i] = (sdn_meta){keys[i], values[i]};
  ok(sdn_table_create(scratch_file(name), 1, &one, N_KEY, pairs, &out, &err));
  ok(sdn_table_finish(out, &err));
  ok(sdn_table_open(scratch_file(name), &in, &err));
  for (int i = 0; i < N_KEY; i++) {
    char *value;
    ok(sdn_table_meta(in, keys[i], &value, &err));
    if (strcmp(value, values[i]) != 0) fail_msg("%s, length %zu: '%s' is not '%s'", name, strlen(values[i]), value, values[i]);
    sdn_release(value);
  }
  sdn_table_close(in);
}

static void header_values_of_every_length_come_back(void **unused)
{
  (void)unused;
  for (int i = 0; i < 4; i++) {
    char name[32];
    snprintf(name, sizeof name, "meta.%s", formats[i]);
    make_values(0, 1);
    check_values(name);
    make_values(80, 3);
    check_values(name);
  }
}

/* ------------------------------------------------------------------ requests that cannot be served */

static void impossible_tables_are_refused(void **unused)
{
  sdn_column c[2] = {{.name = "a", .kind = SDN_COLUMN_DOUBLE}, {.name = "A", .kind = SDN_COLUMN_DOUBLE}};
  const sdn_meta long_key = {"TOOLONGKEY", "x"}, odd_key = {"A B", "x"};
  sdn_table_out *t;
  (void)unused;
  refused(sdn_table_create(scratch_file("x.fits"), 2, c, 0, NULL, &t, &err), SDN_USAGE, "are both named 'A'");
  refused(sdn_table_create(scratch_file("x.txt"), 1, c, 0, NULL, &t, &err), SDN_USAGE, "choose one of .fits, .csv, .ecsv, .h5");
  refused(sdn_table_create(scratch_file("x.fits.gz"), 1, c, 0, NULL, &t, &err), SDN_USAGE, "choose one of");
  refused(sdn_table_create(scratch_file("x.csv"), 0, c, 0, NULL, &t, &err), SDN_USAGE, "at least one column");
  refused(sdn_table_create(scratch_file("x.csv"), 1, c, 1, &long_key, &t, &err), SDN_USAGE, "TOOLONGKEY");
  refused(sdn_table_create(scratch_file("x.csv"), 1, c, 1, &odd_key, &t, &err), SDN_USAGE, "A B");
  strcpy(c[1].name, "f_cosmos/u");
  refused(sdn_table_create(scratch_file("x.h5"), 2, c, 0, NULL, &t, &err), SDN_USAGE, "f_cosmos/u");
  strcpy(c[1].name, "\xce\xb1");
  refused(sdn_table_create(scratch_file("x.fits"), 2, c, 0, NULL, &t, &err), SDN_USAGE, "plain ASCII");
  c[1].kind = SDN_COLUMN_TEXT;
  refused(sdn_table_create(scratch_file("x.csv"), 2, c, 0, NULL, &t, &err), SDN_USAGE, "width of 0");
  for (int i = 0; i < 4; i++) {
    char path[64];
    snprintf(path, sizeof path, "no-such-folder/x.%s", formats[i]);
    if (sdn_table_create(scratch_file(path), 1, c, 0, NULL, &t, &err) != SDN_IO) fail_msg("%s", err.text);
    assert_null(t);
  }
  assert_false(scratch_exists(scratch_file("x.csv.part")));
  assert_false(scratch_exists(scratch_file("x.h5.part")));
}

static void impossible_rows_are_refused_and_leave_nothing(void **unused)
{
  static const sdn_column c[2] = {{.name = "n", .kind = SDN_COLUMN_LONG}, {.name = "id", .kind = SDN_COLUMN_TEXT, .width = 3}};
  const double half[4] = {1, 0, 0.5, 0}, whole[2] = {1, 0};
  const char *good[2] = {"abc", NULL}, *wide[1] = {"abcd"};
  (void)unused;
  for (int i = 0; i < 4; i++) {
    char name[32], part[40];
    sdn_table_out *t;
    snprintf(name, sizeof name, "rows.%s", formats[i]);
    snprintf(part, sizeof part, "rows.%s.part", formats[i]);
    ok(sdn_table_create(scratch_file(name), 2, c, 0, NULL, &t, &err));
    refused(sdn_table_append(t, 2, half, good, &err), SDN_NUMERIC, "row 1 of the integer column 'n' would hold 0.5");
    assert_int_equal(err.row, 1);
    refused(sdn_table_append(t, 1, whole, wide, &err), SDN_USAGE, "'abcd', 4 bytes; the column has room for 3");
    refused(sdn_table_append(t, 1, whole, NULL, &err), SDN_USAGE, "missing");
    assert_true(scratch_exists(scratch_file(part)));
    sdn_table_abandon(t);
    assert_false(scratch_exists(scratch_file(part)));
    assert_false(scratch_exists(scratch_file(name)));
  }
  sdn_table_abandon(NULL);
}

static void requests_outside_the_table_are_refused(void **unused)
{
  (void)unused;
  for (int i = 0; i < 4; i++) {
    char name[32], **text;
    sdn_table_in *t;
    double out[8];
    const int good = Z, bad = N_COLUMN;
    snprintf(name, sizeof name, "request.%s", formats[i]);
    ok(sdn_table_open(write_table(name, 5), &t, &err));
    refused(sdn_table_read(t, 3, 3, 1, &good, out, &err), SDN_USAGE, "it has 5");
    refused(sdn_table_read(t, -1, 3, 1, &good, out, &err), SDN_USAGE, "it has 5");
    refused(sdn_table_read(t, 0, 3, 1, &bad, out, &err), SDN_USAGE, "column number 5");
    refused(sdn_table_read_text(t, 6, 0, good, &text, &err), SDN_USAGE, "it has 5");
    assert_int_equal(sdn_table_find(t, "REDSHIFT", &err), Z);
    assert_int_equal(sdn_table_find(t, "redshfit", &err), -1);
    assert_non_null(strstr(err.text, "did you mean 'redshift'?"));
    assert_int_equal(sdn_table_find(t, "zzzzzzzz", &err), -1);
    assert_non_null(strstr(err.text, "id, n_obs, redshift"));
    const int id = ID;
    refused(sdn_table_read(t, 0, 1, 1, &id, out, &err), SDN_FORMAT, "'plain' is no number");
    sdn_table_close(t);
  }
  sdn_table_close(NULL);
}

static void names_that_differ_in_case_need_to_be_exact(void **unused)
{
  sdn_table_in *t;
  (void)unused;
  ok(sdn_table_open(scratch_write_text("case.csv", "Flux,flux,ERR,e,e\n1,2,3,4,5\n"), &t, &err));
  assert_int_equal(sdn_table_find(t, "flux", &err), 1);
  assert_int_equal(sdn_table_find(t, "Flux", &err), 0);
  assert_int_equal(sdn_table_find(t, "FLUX", &err), -1);
  assert_non_null(strstr(err.text, "2 columns that could be 'FLUX'"));
  assert_int_equal(sdn_table_find(t, "err", &err), 2);
  assert_int_equal(sdn_table_find(t, "e", &err), -1);
  sdn_table_close(t);
}

/* ------------------------------------------------------------------ text tables */

static void check_csv(const char *name, const char *text, long n_row, int n_col, const double *expected)
{
  int col[8];
  double out[64];
  sdn_table_in *t;
  ok(sdn_table_open(scratch_write_text(name, text), &t, &err));
  if (sdn_table_n_row(t) != n_row || sdn_table_n_column(t) != n_col)
    fail_msg("%ld rows, %d columns in: %s", sdn_table_n_row(t), sdn_table_n_column(t), text);
  for (int j = 0; j < n_col; j++) col[j] = j;
  ok(sdn_table_read(t, 0, n_row, n_col, col, out, &err));
  for (long i = 0; i < n_row * n_col; i++)
    if (!same(out[i], expected[i])) fail_msg("value %ld is %g, not %g, in: %s", i, out[i], expected[i], text);
  sdn_table_close(t);
}

static void csv_of_many_habits_is_read(void **unused)
{
  const double four[] = {1, 2, 3, 4}, holes[] = {1, (double)NAN, (double)NAN, 4, (double)NAN, -(double)INFINITY};
  (void)unused;
  check_csv("a.csv", "a,b\n1,2\n3,4\n", 2, 2, four);
  check_csv("a.csv", "a,b\r\n1,2\r\n3,4", 2, 2, four);
  check_csv("a.csv", "a,b\r1,2\r3,4\r", 2, 2, four);
  check_csv("a.csv", "\xef\xbb\xbf# comment\n\n  \n\"a\" , b\n 1 ,\"2\"\n# between\n+3.0e0,\t4 \n\n", 2, 2, four);
  check_csv("a.csv", "a;b\n1;2\n3;4\n", 2, 2, four);
  check_csv("a.csv", "a\tb\n1\t2\n3\t4\n", 2, 2, four);
  check_csv("a.csv", "a,b\n1,\nNaN,4\n--,-inf\n", 3, 2, holes);
  check_csv("a.csv", "a,b\n1,null\n\"\",4\nnull,-Infinity\n", 3, 2, holes);
  check_csv("a.csv", "a\n1\n\n2\n3\n4", 4, 1, four);
}

static void quotes_keep_delimiters_line_ends_and_quotes(void **unused)
{
  sdn_table_in *t;
  char **text;
  (void)unused;
  ok(sdn_table_open(scratch_write_text("q.csv", "id,\"the, name\"\n\"a,b\",\"line 1\nline 2\"\n\"say \"\"hi\"\"\",\"#x\"\n12345678901234567,a\"b\n"), &t, &err));
  assert_string_equal(sdn_table_column(t, 1), "the, name");
  ok(sdn_table_read_text(t, 0, 3, 0, &text, &err));
  assert_string_equal(text[0], "a,b");
  assert_string_equal(text[1], "say \"hi\"");
  assert_string_equal(text[2], "12345678901234567");
  sdn_release(text);
  ok(sdn_table_read_text(t, 0, 3, 1, &text, &err));
  assert_string_equal(text[0], "line 1\nline 2");
  assert_string_equal(text[1], "#x");
  assert_string_equal(text[2], "a\"b");
  sdn_release(text);
  assert_true(sdn_table_is_text(t, 0));
  sdn_table_close(t);
}

/* As astropy 7 writes it: blanks as delimiters, an ordered map of meta data, units, a Boolean column. */
static void ecsv_of_astropy_is_read(void **unused)
{
  static const char text[] =
      "# %ECSV 1.0\n# ---\n# datatype:\n# - {name: id, datatype: string}\n# - {name: flux, unit: nJy, datatype: float64, description: 'a flux: total'}\n"
      "# - {name: good, datatype: bool}\n# - {name: spec, datatype: string, subtype: 'float64[3]'}\n# meta: !!omap\n# - {SURVEY: JADES}\n# - {DEPTH: 29.5}\n"
      "# schema: astropy-2.0\nid flux good spec\n\"a b\" 1.5  True [1,2,3]\n12 \"\" False [4,5,6]\n";
  static const int col[] = {1, 2}, spec = 3;
  double out[4];
  char **id, *value;
  sdn_table_in *t;
  (void)unused;
  ok(sdn_table_open(scratch_write_text("astropy.ecsv", text), &t, &err));
  assert_int_equal(sdn_table_n_row(t), 2);
  assert_string_equal(sdn_table_unit(t, 1), "nJy");
  assert_string_equal(sdn_table_unit(t, 0), "");
  ok(sdn_table_read(t, 0, 2, 2, col, out, &err));
  assert_true(out[0] == 1.5 && out[1] == 1 && isnan(out[2]) && out[3] == 0);
  ok(sdn_table_read_text(t, 0, 2, 0, &id, &err));
  assert_string_equal(id[0], "a b");
  assert_string_equal(id[1], "12");
  sdn_release(id);
  refused(sdn_table_read(t, 0, 1, 1, &spec, out, &err), SDN_FORMAT, "column 'spec' holds 3 values per row where a single one is wanted");
  ok(sdn_table_meta(t, "SURVEY", &value, &err));
  assert_string_equal(value, "JADES");
  sdn_release(value);
  ok(sdn_table_meta(t, "DEPTH", &value, &err));
  assert_string_equal(value, "29.5");
  sdn_release(value);
  sdn_table_close(t);
}

/* A million rows in blocks: the process must not grow by what the file holds (23 MB), nor by an index of its rows. */
static void memory_does_not_grow_with_the_length(void **unused)
{
  enum { N = 1000000, BLOCK = 10000, MAX_GROWTH_KB = 6000 };
  const char *path = scratch_file("million.csv");
  FILE *file = fopen(path, "w");
  struct rusage before, after;
  static double out[BLOCK * 2];
  static const int col[] = {0, 2};
  sdn_table_in *t;
  double sum = 0;
  (void)unused;
  fprintf(file, "i,name,half\n");
  for (int i = 0; i < N; i++) fprintf(file, "%d,galaxy %d,%.1f\n", i, i % 100, i * 0.5);
  fclose(file);
  memset(out, 1, sizeof out);
  getrusage(RUSAGE_SELF, &before);
  ok(sdn_table_open(path, &t, &err));
  assert_int_equal(sdn_table_n_row(t), N);
  for (long row = 0; row < N; row += BLOCK) {
    ok(sdn_table_read(t, row, BLOCK, 2, col, out, &err));
    for (long i = 0; i < BLOCK; i++) {
      assert_true(out[2 * i] == (double)(row + i));
      sum += out[2 * i + 1];
    }
  }
  getrusage(RUSAGE_SELF, &after);
  sdn_table_close(t);
  assert_true(sum == 0.25 * (double)N * (N - 1));
  assert_in_range(after.ru_maxrss - before.ru_maxrss, 0, MAX_GROWTH_KB);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(memory_does_not_grow_with_the_length),   /* first: the high-water mark of memory only rises */
      cmocka_unit_test(small_tables_come_back),
      cmocka_unit_test(long_tables_come_back),
      cmocka_unit_test(header_values_of_every_length_come_back),
      cmocka_unit_test(impossible_tables_are_refused),
      cmocka_unit_test(impossible_rows_are_refused_and_leave_nothing),
      cmocka_unit_test(requests_outside_the_table_are_refused),
      cmocka_unit_test(names_that_differ_in_case_need_to_be_exact),
      cmocka_unit_test(csv_of_many_habits_is_read),
      cmocka_unit_test(quotes_keep_delimiters_line_ends_and_quotes),
      cmocka_unit_test(ecsv_of_astropy_is_read),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
