/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 by our door: what is written is read back, and files that HDF5's own calls made in other ways are read too. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <hdf5.h>

#include "base/h5.h"
#include "support/scratch.h"

static sdn_err err;

static void ok(sdn_status status)
{
  if (status != SDN_OK) fail_msg("status %d: %s", status, err.text);
}

static void refused(sdn_status status, sdn_status expected, const char *says)
{
  if (status != expected || !strstr(err.text, says)) fail_msg("status %d (expected %d), '%s' is not in: %s", status, expected, says, err.text);
}

static void arrays_come_back(void **unused)
{
  const float flux[2][3] = {{1, 2, 3}, {-4, NAN, INFINITY}};
  const double z[3] = {0.1, 1.0 / 3, 1e300};
  sdn_h5 *f;
  sdn_h5_shape shape;
  double *wide;
  float *narrow;
  (void)unused;
  const char *path = scratch_file("arrays.h5");
  ok(sdn_h5_create(path, &f, &err));
  ok(sdn_h5_make(f, "data/flux", SDN_H5_FLOAT, &(sdn_h5_shape){2, {2, 3}}, flux, &err));
  ok(sdn_h5_make(f, "z", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {3}}, z, &err));
  ok(sdn_h5_make(f, "none", SDN_H5_DOUBLE, &(sdn_h5_shape){2, {0, 5}}, NULL, &err));
  ok(sdn_h5_close(f, &err));
  ok(sdn_h5_open(path, &f, &err));
  assert_string_equal(sdn_h5_path(f), path);
  ok(sdn_h5_read_double(f, "data/flux", &wide, &shape, &err));
  assert_true(shape.n_dim == 2 && shape.dim[0] == 2 && shape.dim[1] == 3);
  assert_true(wide[3] == -4 && isnan(wide[4]) && isinf(wide[5]));
  ok(sdn_h5_read_float(f, "data/flux", &narrow, NULL, &err));
  assert_memory_equal(narrow, flux, sizeof flux);
  sdn_release(narrow);
  sdn_release(wide);
  ok(sdn_h5_read_double(f, "/z", &wide, &shape, &err));
  assert_memory_equal(wide, z, sizeof z);
  sdn_release(wide);
  ok(sdn_h5_read_double(f, "none", &wide, &shape, &err));
  assert_true(shape.dim[0] == 0 && shape.dim[1] == 5);
  sdn_release(wide);
  ok(sdn_h5_close(f, &err));
}

static void rows_are_written_in_place_and_survive(void **unused)
{
  const long n = 1000;
  const uint8_t done[2] = {1, 1};
  float rows[7][4];
  sdn_h5 *f;
  (void)unused;
  const char *path = scratch_file("rows.h5");
  ok(sdn_h5_create(path, &f, &err));
  ok(sdn_h5_make(f, "theta", SDN_H5_FLOAT, &(sdn_h5_shape){2, {n, 4}}, NULL, &err));
  ok(sdn_h5_make(f, "tile_done", SDN_H5_UINT8, &(sdn_h5_shape){1, {10}}, NULL, &err));
  ok(sdn_h5_flush(f, &err));
  ok(sdn_h5_close(f, &err));
  ok(sdn_h5_open_update(path, &f, &err));
  for (int i = 0; i < 7; i++)
    for (int j = 0; j < 4; j++) rows[i][j] = (float)(10 * i + j);
  ok(sdn_h5_write_rows(f, "theta", SDN_H5_FLOAT, 993, 7, rows, &err));
  ok(sdn_h5_write_rows(f, "tile_done", SDN_H5_UINT8, 8, 2, done, &err));
  refused(sdn_h5_write_rows(f, "theta", SDN_H5_FLOAT, 994, 7, rows, &err), SDN_USAGE, "has 1000 rows and cannot grow to 1001");
  double back[3][4];
  ok(sdn_h5_read_rows(f, "theta", SDN_H5_DOUBLE, 992, 3, back, &err));
  assert_true(back[0][0] == 0 && back[1][1] == 1 && back[2][3] == 13);
  refused(sdn_h5_read_rows(f, "theta", SDN_H5_DOUBLE, 998, 3, back, &err), SDN_USAGE, "it has 1000");
  refused(sdn_h5_read_rows(f, "theta", SDN_H5_DOUBLE, -1, 3, back, &err), SDN_USAGE, "it has 1000");
  ok(sdn_h5_close(f, &err));
}

/* What a killed writer leaves: rows written since the last flush are there, and the file can be opened for more. */
static void a_killed_writer_can_be_resumed(void **unused)
{
  (void)unused;
  const char *path = scratch_file("killed.h5"), *copy = scratch_file("killed-copy.h5");
  float row[8] = {1, 2, 3, 4, 5, 6, 7, 8};
  sdn_h5 *f, *g;
  ok(sdn_h5_create(path, &f, &err));
  ok(sdn_h5_set_text(f, "/", "format", "a test", &err));
  ok(sdn_h5_make(f, "theta", SDN_H5_FLOAT, &(sdn_h5_shape){2, {100, 8}}, NULL, &err));
  ok(sdn_h5_flush(f, &err));
  for (long i = 0; i < 50; i++) ok(sdn_h5_write_rows(f, "theta", SDN_H5_FLOAT, i, 1, row, &err));
  size_t n;
  unsigned char *bytes = scratch_read(path, &n);   /* the bytes that are on disk now, with no close */
  scratch_write("killed-copy.h5", bytes, n);
  free(bytes);
  ok(sdn_h5_close(f, &err));
  ok(sdn_h5_open_update(copy, &g, &err));
  float back[8];
  ok(sdn_h5_read_rows(g, "theta", SDN_H5_FLOAT, 49, 1, back, &err));
  assert_memory_equal(back, row, sizeof row);
  ok(sdn_h5_write_rows(g, "theta", SDN_H5_FLOAT, 99, 1, row, &err));
  ok(sdn_h5_close(g, &err));
}

static void growing_datasets_grow(void **unused)
{
  sdn_h5 *f;
  double values[100], back[100];
  const char *text[2] = {"a", "\xce\xb1\xce\xb2"};
  char **names;
  size_t n;
  sdn_h5_shape shape;
  (void)unused;
  for (int i = 0; i < 100; i++) values[i] = i * 0.1;
  const char *path = scratch_file("grow.h5");
  ok(sdn_h5_create(path, &f, &err));
  ok(sdn_h5_make_growing(f, "x", SDN_H5_DOUBLE, &(sdn_h5_shape){2, {0, 2}}, 16, 4, &err));
  ok(sdn_h5_make_growing_texts(f, "id", 6, 16, 1, &err));
  for (long i = 0; i < 5; i++) ok(sdn_h5_write_rows(f, "x", SDN_H5_DOUBLE, i * 10, 10, values + i * 20, &err));
  ok(sdn_h5_write_row_texts(f, "id", 0, 2, text, &err));
  ok(sdn_h5_write_row_texts(f, "id", 2, 1, &(const char *){"123456"}, &err));
  refused(sdn_h5_write_row_texts(f, "id", 3, 1, &(const char *){"1234567"}, &err), SDN_USAGE, "has 7 bytes; there is room for 6");
  refused(sdn_h5_make_growing(f, "x", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {0}}, 16, 4, &err), SDN_USAGE, "'x' already");
  refused(sdn_h5_make_growing(f, "y", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {0}}, 0, 4, &err), SDN_USAGE, "0 rows per chunk");
  ok(sdn_h5_close(f, &err));
  ok(sdn_h5_open(path, &f, &err));
  ok(sdn_h5_shape_of(f, "x", &shape, &err));
  assert_true(shape.dim[0] == 50 && shape.dim[1] == 2);
  ok(sdn_h5_read_rows(f, "x", SDN_H5_DOUBLE, 0, 50, back, &err));
  assert_memory_equal(back, values, sizeof values);
  ok(sdn_h5_read_texts(f, "id", &names, &n, &err));
  assert_int_equal(n, 3);
  assert_string_equal(names[1], text[1]);
  assert_string_equal(names[2], "123456");
  sdn_release(names);
  assert_int_equal(sdn_h5_kind_of(f, "x"), SDN_H5_KIND_DOUBLE);
  assert_int_equal(sdn_h5_kind_of(f, "id"), SDN_H5_KIND_TEXT);
  assert_int_equal(sdn_h5_kind_of(f, "/"), SDN_H5_KIND_GROUP);
  assert_int_equal(sdn_h5_kind_of(f, "no"), SDN_H5_KIND_OTHER);
  ok(sdn_h5_close(f, &err));
}

static void attributes_come_back(void **unused)
{
  const size_t n_long = 300000;   /* beyond the 64 KiB that HDF5's oldest format allows */
  char *long_text = malloc(n_long + 1), *text;
  const char *names[3] = {"log_mass", "", "A_V \xe2\x86\x92"};
  char **list;
  size_t n;
  double number;
  long whole;
  sdn_h5 *f;
  (void)unused;
  memset(long_text, 'y', n_long);
  long_text[n_long] = '\0';
  const char *path = scratch_file("attributes.h5");
  ok(sdn_h5_create(path, &f, &err));
  ok(sdn_h5_set_text(f, "/", "model", "old", &err));
  ok(sdn_h5_set_text(f, "/", "model", long_text, &err));
  ok(sdn_h5_set_texts(f, "net/layer", "names", names, 3, &err));
  ok(sdn_h5_set_texts(f, "net", "none", names, 0, &err));
  ok(sdn_h5_set_double(f, "net", "rate", 1.0 / 3, &err));
  ok(sdn_h5_set_double(f, "net", "three", 3, &err));
  ok(sdn_h5_set_long(f, "/", "seed", -9007199254740993, &err));
  ok(sdn_h5_close(f, &err));
  ok(sdn_h5_open(path, &f, &err));
  ok(sdn_h5_get_text(f, "/", "model", &text, &err));
  assert_string_equal(text, long_text);
  sdn_release(text);
  ok(sdn_h5_get_texts(f, "net/layer", "names", &list, &n, &err));
  assert_int_equal(n, 3);
  for (int i = 0; i < 3; i++) assert_string_equal(list[i], names[i]);
  sdn_release(list);
  ok(sdn_h5_get_texts(f, "net", "none", &list, &n, &err));
  assert_int_equal(n, 0);
  sdn_release(list);
  ok(sdn_h5_get_double(f, "net", "rate", &number, &err));
  assert_true(number == 1.0 / 3);
  ok(sdn_h5_get_long(f, "/", "seed", &whole, &err));
  assert_true(whole == -9007199254740993);
  ok(sdn_h5_get_long(f, "net", "three", &whole, &err));
  assert_int_equal(whole, 3);
  refused(sdn_h5_get_long(f, "net", "rate", &whole, &err), SDN_FORMAT, "no whole number");
  refused(sdn_h5_get_double(f, "/", "model", &number, &err), SDN_FORMAT, "is not one number");
  refused(sdn_h5_get_text(f, "/", "seed", &text, &err), SDN_FORMAT, "is no text");
  refused(sdn_h5_get_text(f, "net/layer", "names", &text, &err), SDN_FORMAT, "holds 3 texts");
  refused(sdn_h5_get_text(f, "/", "absent", &text, &err), SDN_FORMAT, "no attribute 'absent'");
  assert_true(sdn_h5_has_attr(f, "/", "seed"));
  assert_false(sdn_h5_has_attr(f, "no/such", "seed"));
  ok(sdn_h5_close(f, &err));
  free(long_text);
}

static void names_are_listed_in_order(void **unused)
{
  sdn_h5 *f;
  char **names, path[32];
  size_t n;
  (void)unused;
  ok(sdn_h5_create(scratch_file("names.h5"), &f, &err));
  for (int i = 199; i >= 0; i--) {
    snprintf(path, sizeof path, "axes/n%03d", i);
    ok(sdn_h5_make(f, path, SDN_H5_UINT8, &(sdn_h5_shape){0, {0}}, NULL, &err));
  }
  ok(sdn_h5_list(f, "axes", &names, &n, &err));
  assert_int_equal(n, 200);
  for (int i = 0; i < 200; i++) {
    snprintf(path, sizeof path, "n%03d", i);
    assert_string_equal(names[i], path);
  }
  sdn_release(names);
  assert_true(sdn_h5_has(f, "axes/n007"));
  assert_true(sdn_h5_has(f, "/axes"));
  assert_false(sdn_h5_has(f, "axes/n007/deeper"));
  assert_false(sdn_h5_has(f, "other/n007"));
  refused(sdn_h5_list(f, "other", &names, &n, &err), SDN_FORMAT, "cannot list the group 'other'");
  ok(sdn_h5_close(f, &err));
}

/* Kinds of data that h5py and others write, made here by HDF5's own calls. */
static void make_foreign(const char *path)
{
  const char *variable[2] = {"ages", "metallicities"};
  const char space_padded[2][4] = {{'a', 'b', ' ', ' '}, {'c', 'd', 'e', 'f'}}, null_padded[2][3] = {"x", {'y', 'z', '!'}};
  const short shorts[3] = {-1, 0, 300};
  const unsigned char flags[2] = {0, 1};
  const double wide[4] = {1, 2, 3, 1e300};
  hsize_t two = 2, three = 3, four = 4;
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  hid_t text = H5Tcopy(H5T_C_S1), fixed = H5Tcopy(H5T_C_S1), nulls = H5Tcopy(H5T_C_S1), boolean = H5Tenum_create(H5T_NATIVE_UINT8);
  H5Tset_size(text, H5T_VARIABLE);
  H5Tset_size(fixed, 4);
  H5Tset_strpad(fixed, H5T_STR_SPACEPAD);
  H5Tset_size(nulls, 3);
  H5Tset_strpad(nulls, H5T_STR_NULLPAD);
  H5Tenum_insert(boolean, "FALSE", &flags[0]);
  H5Tenum_insert(boolean, "TRUE", &flags[1]);
  hid_t s2 = H5Screate_simple(1, &two, NULL), s3 = H5Screate_simple(1, &three, NULL), s4 = H5Screate_simple(1, &four, NULL);
  hid_t compressed = H5Pcreate(H5P_DATASET_CREATE), null_space = H5Screate(H5S_NULL), compound = H5Tcreate(H5T_COMPOUND, 8);
  H5Pset_chunk(compressed, 1, &two);
  H5Pset_deflate(compressed, 4);
  H5Tinsert(compound, "r", 0, H5T_NATIVE_DOUBLE);
  const struct { const char *name; hid_t type, memory, space, options; const void *data; } sets[] = {
      {"variable", text, text, s2, H5P_DEFAULT, variable}, {"spaces", fixed, fixed, s2, H5P_DEFAULT, space_padded},
      {"nulls", nulls, nulls, s2, H5P_DEFAULT, null_padded}, {"shorts", H5T_STD_I16BE, H5T_NATIVE_SHORT, s3, H5P_DEFAULT, shorts},
      {"flags", boolean, boolean, s2, H5P_DEFAULT, flags}, {"wide", H5T_IEEE_F64BE, H5T_NATIVE_DOUBLE, s4, compressed, wide},
      {"compound", compound, compound, s4, H5P_DEFAULT, wide}, {"nothing", H5T_NATIVE_DOUBLE, H5T_NATIVE_DOUBLE, null_space, H5P_DEFAULT, wide}};
  for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
    hid_t set = H5Dcreate2(file, sets[i].name, sets[i].type, sets[i].space, H5P_DEFAULT, sets[i].options, H5P_DEFAULT);
    assert_true(set >= 0 && H5Dwrite(set, sets[i].memory, H5S_ALL, H5S_ALL, H5P_DEFAULT, sets[i].data) >= 0);
    hid_t attr = H5Acreate2(set, "value", sets[i].type, sets[i].space, H5P_DEFAULT, H5P_DEFAULT);
    assert_true(attr >= 0 && H5Awrite(attr, sets[i].memory, sets[i].data) >= 0);
    H5Aclose(attr);
    H5Dclose(set);
  }
  H5Lcreate_soft("/nowhere", file, "dangling", H5P_DEFAULT, H5P_DEFAULT);
  H5Fclose(file);
}

static void files_of_other_programs_are_read(void **unused)
{
  static const struct { const char *name, *first, *second; } texts[] = {{"variable", "ages", "metallicities"}, {"spaces", "ab", "cdef"}, {"nulls", "x", "yz!"}};
  char **text;
  size_t n;
  double *values;
  float *narrow;
  int64_t whole[3];
  sdn_h5 *f;
  (void)unused;
  const char *path = scratch_file("foreign.h5");
  make_foreign(path);
  ok(sdn_h5_open(path, &f, &err));
  for (int i = 0; i < 3; i++)
    for (int as_attribute = 0; as_attribute < 2; as_attribute++) {
      ok(as_attribute ? sdn_h5_get_texts(f, texts[i].name, "value", &text, &n, &err) : sdn_h5_read_texts(f, texts[i].name, &text, &n, &err));
      assert_int_equal(n, 2);
      assert_string_equal(text[0], texts[i].first);
      assert_string_equal(text[1], texts[i].second);
      sdn_release(text);
    }
  ok(sdn_h5_read_double(f, "shorts", &values, NULL, &err));
  assert_true(values[0] == -1 && values[2] == 300);
  sdn_release(values);
  ok(sdn_h5_read_rows(f, "shorts", SDN_H5_INT64, 1, 2, whole, &err));
  assert_true(whole[0] == 0 && whole[1] == 300);
  ok(sdn_h5_read_double(f, "flags", &values, NULL, &err));
  assert_true(values[0] == 0 && values[1] == 1);
  sdn_release(values);
  ok(sdn_h5_read_float(f, "wide", &narrow, NULL, &err));
  assert_true(narrow[0] == 1 && narrow[2] == 3 && isinf(narrow[3]));
  sdn_release(narrow);
  refused(sdn_h5_read_rows(f, "wide", SDN_H5_INT64, 0, 2, whole, &err), SDN_FORMAT, "holds real numbers");
  refused(sdn_h5_read_double(f, "compound", &values, NULL, &err), SDN_FORMAT, "holds no plain numbers");
  refused(sdn_h5_read_double(f, "variable", &values, NULL, &err), SDN_FORMAT, "holds no plain numbers");
  refused(sdn_h5_read_double(f, "nothing", &values, NULL, &err), SDN_FORMAT, "holds nothing");
  refused(sdn_h5_read_double(f, "absent", &values, NULL, &err), SDN_FORMAT, "there is no dataset 'absent'");
  refused(sdn_h5_read_double(f, "dangling", &values, NULL, &err), SDN_FORMAT, "there is no dataset 'dangling'");
  refused(sdn_h5_read_double(f, "/", &values, NULL, &err), SDN_FORMAT, "cannot be opened as a dataset");
  refused(sdn_h5_read_texts(f, "shorts", &text, &n, &err), SDN_FORMAT, "is no vector of text");
  ok(sdn_h5_close(f, &err));
}

static void write_some(const char *path)
{
  const double z[3] = {1, 2, 3};
  sdn_h5 *f;
  ok(sdn_h5_create(path, &f, &err));
  ok(sdn_h5_make(f, "z", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {3}}, z, &err));
  ok(sdn_h5_make_growing(f, "group/g", SDN_H5_FLOAT, &(sdn_h5_shape){2, {0, 2}}, 4, 1, &err));
  ok(sdn_h5_set_text(f, "group", "note", "text", &err));
  ok(sdn_h5_close(f, &err));
}

static void the_same_calls_give_the_same_bytes(void **unused)
{
  size_t n_first, n_second;
  (void)unused;
  write_some(scratch_file("first.h5"));
  sleep(2);   /* a time stamp in the file would differ */
  write_some(scratch_file("second.h5"));
  unsigned char *first = scratch_read(scratch_file("first.h5"), &n_first), *second = scratch_read(scratch_file("second.h5"), &n_second);
  assert_int_equal(n_first, n_second);
  assert_memory_equal(first, second, n_first);
  free(first);
  free(second);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(arrays_come_back),
      cmocka_unit_test(rows_are_written_in_place_and_survive),
      cmocka_unit_test(a_killed_writer_can_be_resumed),
      cmocka_unit_test(growing_datasets_grow),
      cmocka_unit_test(attributes_come_back),
      cmocka_unit_test(names_are_listed_in_order),
      cmocka_unit_test(files_of_other_programs_are_read),
      cmocka_unit_test(the_same_calls_give_the_same_bytes),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
