/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables that are truncated, damaged, foreign or malformed, and disks that are full: a sentence that names the place, never a crash,
 * half a file, or a number that nobody wrote. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/table.h"
#include "support/scratch.h"

/* HDF5 1.10 itself loses memory when it refuses damaged metadata; a leak of ours would be reported all the same. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

#define N_CUT 50
#define N_FLIP 200
#define N_ROW 3000

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

static const sdn_column columns[] = {
    {.name = "id", .kind = SDN_COLUMN_TEXT, .width = 12}, {.name = "n", .kind = SDN_COLUMN_LONG}, {.name = "z", .kind = SDN_COLUMN_DOUBLE}};

static sdn_status write_table(const char *name)
{
  static double numbers[3 * N_ROW];
  static const char *texts[N_ROW];
  static char ids[N_ROW][24];
  const sdn_meta meta = {"ORIGIN", "a test"};
  sdn_table_out *t;
  for (int i = 0; i < N_ROW; i++) {
    snprintf(ids[i], sizeof ids[i], "galaxy%d", i);
    texts[i] = ids[i];
    numbers[3 * i + 1] = i % 9 == 4 ? (double)NAN : i;
    numbers[3 * i + 2] = 0.001 * i;
  }
  sdn_status status = sdn_table_create(scratch_file(name), 3, columns, 1, &meta, &t, &err);
  if (status) return status;
  status = sdn_table_append(t, N_ROW, numbers, texts, &err);
  if (!status) return sdn_table_finish(t, &err);
  sdn_table_abandon(t);
  return status;
}

/* Opens and reads everything; the status of the first thing that fails. */
static sdn_status read_all(const char *path)
{
  sdn_table_in *t;
  sdn_status status = sdn_table_open(path, &t, &err);
  if (status) return status;
  for (int j = 0; j < sdn_table_n_column(t) && !status; j++) {
    const long n_row = sdn_table_n_row(t), n = n_row < N_ROW ? n_row : N_ROW;
    double *out = malloc(sizeof *out * (size_t)(n + 1));
    char **text = NULL;
    if (!sdn_table_is_text(t, j)) status = sdn_table_read(t, 0, n, 1, &j, out, &err);
    if (!status) status = sdn_table_read_text(t, 0, n, j, &text, &err);
    sdn_release(text);
    free(out);
  }
  sdn_table_close(t);
  return status;
}

/* FITS, HDF5: a file that ends early is refused. Text: it is refused or ends at the end of a line. */
static void truncated_tables_are_refused(void **unused)
{
  (void)unused;
  for (int k = 0; k < 4; k++) {
    char name[32];
    size_t n_bytes;
    snprintf(name, sizeof name, "whole.%s", formats[k]);
    ok(write_table(name));
    unsigned char *bytes = scratch_read(scratch_file(name), &n_bytes);
    const size_t n_data = k == 0 ? n_bytes - 2880 : n_bytes;   /* the filling of the last FITS block may be absent */
    const bool text = k == 1 || k == 2;
    snprintf(name, sizeof name, "cut.%s", formats[k]);
    for (size_t i = 0; i < N_CUT; i++) {
      const size_t n = i * n_data / N_CUT;
      const sdn_status status = read_all(scratch_write(name, bytes, n));
      if (text && status == SDN_OK) continue;
      if (status != SDN_FORMAT) fail_msg("%s cut after %zu of %zu bytes: status %d, %s", name, n, n_bytes, status, err.text);
      if (!strstr(err.text, name)) fail_msg("the file is not named: %s", err.text);
    }
    free(bytes);
  }
}

static void the_lost_rows_of_a_fits_table_are_counted(void **unused)
{
  size_t n_bytes;
  (void)unused;
  ok(write_table("long.fits"));
  unsigned char *bytes = scratch_read(scratch_file("long.fits"), &n_bytes);
  refused(read_all(scratch_write("long.fits", bytes, 28800)), SDN_FORMAT, "should have 3000 rows of 28 bytes but the file ends after");
  free(bytes);
}

static void a_flipped_byte_crashes_nothing(void **unused)
{
  uint32_t random = 7;
  (void)unused;
  for (int k = 0; k < 4; k++) {
    char name[32];
    size_t n_bytes;
    int n_noticed = 0;
    snprintf(name, sizeof name, "flip.%s", formats[k]);
    ok(write_table(name));
    unsigned char *bytes = scratch_read(scratch_file(name), &n_bytes);
    for (int i = 0; i < N_FLIP; i++) {
      random = random * 1664525u + 1013904223u;
      const size_t part = i % 2 ? n_bytes : 6000 < n_bytes ? 6000 : n_bytes, at = (random >> 4) % part;   /* half of them in the header */
      const unsigned char kept = bytes[at];
      bytes[at] = (unsigned char)(kept ^ (1u << (random & 7)));
      memset(&err, 0, sizeof err);
      const sdn_status status = read_all(scratch_write(name, bytes, n_bytes));
      if (status && strlen(err.text) < 20) fail_msg("byte %zu of %s: status %d without a sentence: '%s'", at, name, status, err.text);
      n_noticed += status != SDN_OK;
      bytes[at] = kept;
    }
    free(bytes);
    assert_true(n_noticed > 0);
  }
}

static void broken_csv_names_the_line(void **unused)
{
  static const struct { const char *text, *says; } known[] = {
      {"a,b\n1,2\n3\n", "line 3 has 1 fields; the line of column names has 2"},
      {"a,b\n1,2\n\n# c\n3,4,5\n", "line 5 has 3 fields"},
      {"a,b\n1,\"x\n2,3\n", "line 2: a quote is opened here and never closed"},
      {"a,b\n1,\"x\"y\n", "line 2: text follows a closing quote"},
      {"a,b\n\"1\"2,3\n", "line 2: text follows a closing quote"},
      {"1,2\n3,4\n", "line 1 should name the columns but holds numbers"},
      {"# a,b\n1,2\n3,4\n", "line 2 should name the columns"},
      {"# nothing\n\n", "no line of column names"}};
  (void)unused;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) refused(read_all(scratch_write_text("bad.csv", known[i].text)), SDN_FORMAT, known[i].says);
  refused(read_all(scratch_write("nul.csv", "a,b\n1,\0002\n", 9)), SDN_FORMAT, "line 2: a NUL byte");
  const int n = 9000;
  char *text = malloc((size_t)n * 8 + 100), *at = text;
  at += sprintf(at, "a,b\n");
  for (int i = 0; i < n; i++) at += sprintf(at, i == 8000 ? "1,x%d\n" : "1,2\n", i);
  sdn_table_in *t;
  double out[2];
  const int col[2] = {0, 1};
  ok(sdn_table_open(scratch_write("word.csv", text, (size_t)(at - text)), &t, &err));
  ok(sdn_table_read(t, 7999, 1, 2, col, out, &err));
  refused(sdn_table_read(t, 8000, 1, 2, col, out, &err), SDN_FORMAT, "line 8002, column 'b': 'x8000' is no number");
  assert_int_equal(err.row, 8000);
  sdn_table_close(t);
  free(text);
}

static void broken_ecsv_says_what_is_wrong(void **unused)
{
  static const char head[] = "# %ECSV 1.0\n# ---\n";
  static const struct { const char *text, *says; } known[] = {
      {"# datatype:\n# - {name: a, datatype: float64}\na b\n1 2\n", "lists 1 columns, the line of names 2"},
      {"# datatype:\n# - {name: a, datatype: float64}\n# - {name: c, datatype: float64}\na b\n1 2\n", "column 2 is 'c' in the ECSV header, but 'b'"},
      {"# datatype:\n# - {name: a}\na\n1\n", "no name and datatype of column 1"},
      {"# delimiter: '|'\n# datatype: []\na\n1\n", "must be a comma or a blank"},
      {"# meta: {a: 1}\na\n1\n", "no list 'datatype'"},
      {"# datatype: [\na\n1\n", "not YAML"},
      {"# datatype:\n# - {name: a, datatype: float64}\n", "no line of column names"}};
  char text[400];
  (void)unused;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    snprintf(text, sizeof text, "%s%s", head, known[i].text);
    refused(read_all(scratch_write_text("bad.ecsv", text)), SDN_FORMAT, known[i].says);
  }
  refused(read_all(scratch_write_text("plain.ecsv", "a,b\n1,2\n")), SDN_FORMAT, "does not begin as an ECSV file does");
}

/* A list that is cut, too long, too short, nested or of words is no row of a vector column; an empty cell is a row without values. */
static void broken_lists_of_ecsv_name_the_row(void **unused)
{
  static const char head[] = "# %ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n# - {name: a, datatype: string, subtype: 'float64[3]'}\na\n\"[1, null,3]\"\n";
  static const char *const bad[] = {"\"[1,2]\"", "\"[1,2,3,4]\"", "\"[1,2,3\"", "\"[1,,3]\"", "\"[1,2,3]4\"", "\"[[1],[2],[3]]\"", "\"[1,two,3]\"", "1", "\"[1,2,]\"", "[]"};
  static const char *const odd[] = {"float64[0]", "float64[null]", "float64[2,2]", "json", "float64[3", "float64[99999999]", "string[3]", "float64[-1]", "[1, 2]"};
  char text[600];
  double out[6];
  const int a = 0;
  sdn_table_in *t;
  (void)unused;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    snprintf(text, sizeof text, "%s%s\n", head, bad[i]);
    ok(sdn_table_open(scratch_write_text("list.ecsv", text), &t, &err));
    ok(sdn_table_read_wide(t, 0, 1, 1, &a, out, &err));
    assert_true(out[0] == 1 && isnan(out[1]) && out[2] == 3);
    refused(sdn_table_read_wide(t, 0, 2, 1, &a, out, &err), SDN_FORMAT, "line 8, column 'a'");
    refused(err.status, SDN_FORMAT, "is no list of 3 numbers");
    assert_int_equal(err.row, 1);
    sdn_table_close(t);
  }
  snprintf(text, sizeof text, "%s\"\"\n", head);
  ok(sdn_table_open(scratch_write_text("list.ecsv", text), &t, &err));
  ok(sdn_table_read_wide(t, 1, 1, 1, &a, out, &err));
  assert_true(isnan(out[0]) && isnan(out[1]) && isnan(out[2]));
  sdn_table_close(t);
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    snprintf(text, sizeof text, "# %%ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n# - {name: a, datatype: string, subtype: '%s'}\na\n\"[1,2]\"\n", odd[i]);
    ok(sdn_table_open(scratch_write_text("odd.ecsv", text), &t, &err));
    refused(sdn_table_read_wide(t, 0, 1, 1, &a, out, &err), SDN_FORMAT, "holds objects, or arrays of varying length");
    sdn_table_close(t);
  }
}

static void a_file_that_shrinks_while_it_is_read_is_noticed(void **unused)
{
  sdn_table_in *t;
  double out[200];
  const int z = 2;
  (void)unused;
  ok(write_table("shrink.csv"));
  ok(sdn_table_open(scratch_file("shrink.csv"), &t, &err));
  ok(sdn_table_read(t, 0, 10, 1, &z, out, &err));
  assert_int_equal(truncate(scratch_file("shrink.csv"), 100), 0);
  assert_int_equal(sdn_table_read(t, 2900, 100, 1, &z, out, &err), SDN_FORMAT);
  sdn_table_close(t);
}

static void foreign_files_are_refused(void **unused)
{
  sdn_table_in *t;
  char page[3000];
  (void)unused;
  memset(page, ' ', sizeof page);
  refused(sdn_table_open(scratch_file("absent.csv"), &t, &err), SDN_IO, "No such file");
  refused(sdn_table_open(scratch_file("absent.fits[1]"), &t, &err), SDN_IO, "No such file");
  refused(sdn_table_open("/", &t, &err), SDN_IO, "no regular file");
  refused(sdn_table_open("", &t, &err), SDN_IO, "");
  for (int k = 0; k < 4; k++) {
    char name[32];
    snprintf(name, sizeof name, "empty.%s", formats[k]);
    refused(sdn_table_open(scratch_write(name, "", 0), &t, &err), SDN_FORMAT, "is empty");
  }
  refused(sdn_table_open(scratch_write_text("table.txt", "a b\n1 2\n"), &t, &err), SDN_USAGE, ".fits, .csv, .ecsv, .h5");
  refused(sdn_table_open(scratch_write_text("text.fits", "a,b\n1,2\n"), &t, &err), SDN_FORMAT, "does not begin as a FITS file does");
  refused(sdn_table_open(scratch_write_text("text.h5", "a,b\n1,2\n"), &t, &err), SDN_FORMAT, "is no HDF5 file");
  refused(sdn_table_open(scratch_write("packed.csv", "\037\213\010\0abc", 7), &t, &err), SDN_FORMAT, "unpack it first");
  refused(sdn_table_open(scratch_write("packed.fits.gz", "\037\213\010\0abc", 7), &t, &err), SDN_FORMAT, "packed.fits.gz");
  memcpy(page, "SIMPLE  =                    T", 30);
  refused(sdn_table_open(scratch_write("page.fits", page, sizeof page), &t, &err), SDN_FORMAT, "page.fits");
  ok(write_table("named.csv"));
  rename(scratch_file("named.csv"), scratch_file("named.csv[1].csv"));
  ok(sdn_table_open(scratch_file("named.csv[1].csv"), &t, &err));
  sdn_table_close(t);
  ok(write_table("plain.csv"));
  refused(sdn_table_open(scratch_file("plain.csv[1]"), &t, &err), SDN_USAGE, "picks a table in a FITS file");
}

/* CFITSIO's extended names must not be understood in users' paths. */
static void odd_file_names_are_only_names(void **unused)
{
  static const char *const odd[] = {"a[1].fits", "!b.fits", "c(d).fits", " e .fits", "~f.fits", "g.fits[1].fits", "h+1.fits", "i[col x].fits"};
  (void)unused;
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    ok(write_table(odd[i]));
    if (!scratch_exists(scratch_file(odd[i]))) fail_msg("'%s' was written under another name", odd[i]);
    ok(read_all(scratch_file(odd[i])));
  }
}

static void unreadable_files_are_refused(void **unused)
{
  enum { NOBODY = 65534 };   /* root reads everything, so it steps back for a moment */
  sdn_table_in *t;
  const uid_t me = geteuid();
  (void)unused;
  chmod(scratch_file(""), 0755);
  for (int k = 0; k < 4; k++) {
    char name[32];
    snprintf(name, sizeof name, "secret.%s", formats[k]);
    ok(write_table(name));
    chmod(scratch_file(name), 0);
    if (me == 0) assert_int_equal(seteuid(NOBODY), 0);
    const sdn_status status = sdn_table_open(scratch_file(name), &t, &err);
    if (me == 0) assert_int_equal(seteuid(me), 0);
    refused(status, SDN_IO, "Permission denied");
  }
}

static void a_full_disk_leaves_no_half_file(void **unused)
{
  (void)unused;
  for (int k = 0; k < 4; k++) {
    char name[32], part[40];
    size_t n_bytes;
    snprintf(name, sizeof name, "full.%s", formats[k]);
    snprintf(part, sizeof part, "full.%s.part", formats[k]);
    ok(write_table(name));
    free(scratch_read(scratch_file(name), &n_bytes));
    unlink(scratch_file(name));
    for (int i = 0; i < 12; i++) {
      const long limit = 1 + (long)n_bytes * i / 12;
      scratch_limit_file_size(limit);
      const sdn_status status = write_table(name);
      scratch_limit_file_size(0);
      if (status != SDN_IO || !strstr(err.text, name)) fail_msg("%s, limit %ld: status %d: %s", name, limit, status, err.text);
      assert_false(scratch_exists(scratch_file(name)));
      assert_false(scratch_exists(scratch_file(part)));
    }
    ok(write_table(name));
  }
}

static void an_old_file_survives_until_the_new_one_is_whole(void **unused)
{
  sdn_table_out *t;
  (void)unused;
  for (int k = 0; k < 4; k++) {
    char name[32];
    size_t n_old, n_new;
    snprintf(name, sizeof name, "old.%s", formats[k]);
    ok(write_table(name));
    unsigned char *old = scratch_read(scratch_file(name), &n_old);
    ok(sdn_table_create(scratch_file(name), 3, columns, 0, NULL, &t, &err));
    sdn_table_abandon(t);
    unsigned char *still = scratch_read(scratch_file(name), &n_new);
    assert_int_equal(n_old, n_new);
    assert_memory_equal(old, still, n_old);
    free(old);
    free(still);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(truncated_tables_are_refused),
      cmocka_unit_test(the_lost_rows_of_a_fits_table_are_counted),
      cmocka_unit_test(a_flipped_byte_crashes_nothing),
      cmocka_unit_test(broken_csv_names_the_line),
      cmocka_unit_test(broken_ecsv_says_what_is_wrong),
      cmocka_unit_test(broken_lists_of_ecsv_name_the_row),
      cmocka_unit_test(a_file_that_shrinks_while_it_is_read_is_noticed),
      cmocka_unit_test(foreign_files_are_refused),
      cmocka_unit_test(odd_file_names_are_only_names),
      cmocka_unit_test(unreadable_files_are_refused),
      cmocka_unit_test(a_full_disk_leaves_no_half_file),
      cmocka_unit_test(an_old_file_survives_until_the_new_one_is_whole),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
