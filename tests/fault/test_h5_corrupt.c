/* SPDX-License-Identifier: GPL-3.0-or-later */
/* HDF5 files that are truncated, damaged, foreign or absurd, and disks that are full: a sentence, never a crash or a wrong number. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <hdf5.h>

#include "base/h5.h"
#include "support/scratch.h"

/* HDF5 1.10 itself loses memory when it refuses damaged metadata; a leak of ours would be reported all the same. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void) { return "leak:libhdf5\n"; }

#define N_CUT 50
#define N_FLIP 200
#define N_ROW 500

static sdn_err err;
static double values[N_ROW];
static const char *const names[3] = {"redshift", "log_mass", "a_v"};
static unsigned char *bytes;
static size_t n_bytes;

static void ok(sdn_status status)
{
  if (status != SDN_OK) fail_msg("status %d: %s", status, err.text);
}

static void refused(sdn_status status, sdn_status expected, const char *says)
{
  if (status != expected || !strstr(err.text, says)) fail_msg("status %d (expected %d), '%s' is not in: %s", status, expected, says, err.text);
}

static sdn_status write_file(const char *path, long n_row)
{
  sdn_h5 *f;
  sdn_status status = sdn_h5_create(path, &f, &err);
  if (status) return status;
  const sdn_h5_shape shape = {1, {N_ROW}}, rows = {2, {n_row, 5}}, none = {1, {0}};
  if (!status) status = sdn_h5_set_text(f, "/", "format", "sedna test", &err);
  if (!status) status = sdn_h5_set_texts(f, "theta", "names", names, 3, &err);
  if (!status) status = sdn_h5_make(f, "net/weights", SDN_H5_DOUBLE, &shape, values, &err);
  for (int i = 0; i < 12 && !status; i++) {
    char name[32];
    snprintf(name, sizeof name, "net/layer%d", i);
    status = sdn_h5_make(f, name, SDN_H5_DOUBLE, &(sdn_h5_shape){1, {4}}, values, &err);
  }
  if (!status) status = sdn_h5_make(f, "filled_later", SDN_H5_FLOAT, &rows, NULL, &err);
  if (!status) status = sdn_h5_make_growing(f, "growing", SDN_H5_DOUBLE, &none, 100, 1, &err);
  if (!status) status = sdn_h5_write_rows(f, "growing", SDN_H5_DOUBLE, 0, N_ROW, values, &err);
  if (!status) return sdn_h5_close(f, &err);
  sdn_err ignored;
  sdn_h5_close(f, &ignored);
  return status;
}

static int make_valid(void **unused)
{
  (void)unused;
  for (int i = 0; i < N_ROW; i++) values[i] = 0.1 * i;
  ok(write_file(scratch_file("valid.h5"), 10));
  bytes = scratch_read(scratch_file("valid.h5"), &n_bytes);
  return bytes ? 0 : -1;
}

static int drop_valid(void **unused)
{
  (void)unused;
  free(bytes);
  return 0;
}

static void truncated_files_are_refused(void **unused)
{
  (void)unused;
  for (size_t i = 0; i < N_CUT; i++) {
    sdn_h5 *f = NULL;
    const size_t n = i + 1 < N_CUT ? i * n_bytes / N_CUT : n_bytes - 1;
    if (sdn_h5_open(scratch_write("cut.h5", bytes, n), &f, &err) != SDN_FORMAT) fail_msg("cut after %zu of %zu bytes: %s", n, n_bytes, err.text);
    assert_null(f);
    assert_non_null(strstr(err.text, "cut.h5"));
  }
}

/* What is read of a damaged file: an error, or what was written. Returns how many of the parts were refused. */
static int read_parts(const sdn_h5 *f)
{
  int n_refused = 0;
  char *text, **list;
  double *back;
  size_t n;
  const sdn_status format = sdn_h5_get_text(f, "/", "format", &text, &err), theta = sdn_h5_get_texts(f, "theta", "names", &list, &n, &err);
  if (!format) assert_string_equal(text, "sedna test");
  if (!theta) assert_true(n == 3 && !strcmp(list[1], names[1]));
  n_refused += (format != SDN_OK) + (theta != SDN_OK);
  sdn_release(format ? NULL : text);
  sdn_release(theta ? NULL : list);
  static const char *const sets[] = {"net/weights", "growing", "net/layer7"};
  for (int i = 0; i < 3; i++) {
    sdn_h5_shape shape;
    if (sdn_h5_read_double(f, sets[i], &back, &shape, &err)) {
      n_refused++;
      continue;
    }
    assert_int_equal(shape.dim[0], i < 2 ? N_ROW : 4);
    assert_memory_equal(back, values, (size_t)shape.dim[0] * sizeof *back);
    sdn_release(back);
  }
  n_refused += sdn_h5_list(f, "net", &list, &n, &err) != SDN_OK;
  if (list) sdn_release(list);
  return n_refused;
}

static void a_flipped_byte_is_an_error_or_harmless(void **unused)
{
  int n_noticed = 0;
  uint32_t random = 1;
  unsigned char *damaged = malloc(n_bytes);
  (void)unused;
  for (int i = 0; i < N_FLIP; i++) {
    random = random * 1664525u + 1013904223u;
    const size_t at = (size_t)i * n_bytes / N_FLIP + (random >> 8) % (n_bytes / N_FLIP);
    sdn_h5 *f;
    memcpy(damaged, bytes, n_bytes);
    damaged[at] ^= (unsigned char)(1u << (random >> 28 & 7));
    const sdn_status status = sdn_h5_open(scratch_write("flip.h5", damaged, n_bytes), &f, &err);
    if (status) n_noticed++;
    else n_noticed += read_parts(f) > 0;
    if (!status) sdn_h5_close(f, &err);
  }
  free(damaged);
  assert_true(n_noticed > 0);   /* else the flips hit nothing and the test says nothing */
}

static void foreign_files_are_refused(void **unused)
{
  sdn_h5 *f;
  (void)unused;
  refused(sdn_h5_open(scratch_write_text("text.h5", "redshift,id\n1,2\n"), &f, &err), SDN_FORMAT, "is no HDF5 file");
  refused(sdn_h5_open(scratch_write_text("empty.h5", ""), &f, &err), SDN_FORMAT, "is no HDF5 file");
  refused(sdn_h5_open(scratch_file("absent.h5"), &f, &err), SDN_IO, "No such file");
  refused(sdn_h5_open("/", &f, &err), SDN_IO, "regular file");
  refused(sdn_h5_create(scratch_file("no-such-folder/x.h5"), &f, &err), SDN_IO, "No such file");
  assert_null(f);
}

/* Datasets that claim to be large: made with HDF5's own calls, which need no space for what was never written. */
static void claim(hid_t file, const char *name, hsize_t n)
{
  const hsize_t chunk = 1000, dim[2] = {n, n};
  hid_t options = H5Pcreate(H5P_DATASET_CREATE), space = H5Screate_simple(1, &n, NULL), square = H5Screate_simple(2, dim, NULL);
  const bool two = n > (hsize_t)1 << 40;
  const hsize_t chunks[2] = {chunk, chunk};
  H5Pset_chunk(options, two ? 2 : 1, chunks);
  hid_t set = H5Dcreate2(file, name, H5T_NATIVE_DOUBLE, two ? square : space, H5P_DEFAULT, options, H5P_DEFAULT);
  assert_true(set >= 0);
  H5Dclose(set);
}

static void absurd_sizes_are_refused(void **unused)
{
  sdn_h5 *f;
  double *back = NULL;
  (void)unused;
  const char *path = scratch_file("absurd.h5");
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT);
  claim(file, "tib", (hsize_t)1 << 37);
  claim(file, "overflow", (hsize_t)1 << 41);
  claim(file, "unwritten", (hsize_t)1 << 32);
  claim(file, "small", 1000000);
  H5Fclose(file);
  ok(sdn_h5_open(path, &f, &err));
  refused(sdn_h5_read_double(f, "tib", &back, NULL, &err), SDN_FORMAT, "claims more than 64 GiB");
  refused(sdn_h5_read_double(f, "overflow", &back, NULL, &err), SDN_FORMAT, "claims more than 64 GiB");
  refused(sdn_h5_read_double(f, "unwritten", &back, NULL, &err), SDN_FORMAT, "claims 3.44e+04 MB but only 0 MB are stored");
  assert_null(back);
  ok(sdn_h5_read_double(f, "small", &back, NULL, &err));
  sdn_release(back);
  ok(sdn_h5_close(f, &err));
}

static size_t pass_on(unsigned flags, size_t n_value, const unsigned *value, size_t n, size_t *room, void **buffer)
{
  (void)flags, (void)n_value, (void)value, (void)room, (void)buffer;
  return n;
}

static void an_unknown_compression_is_named(void **unused)
{
  static const H5Z_class2_t filter = {H5Z_CLASS_T_VERS, 300, 1, 1, "oddpress", NULL, NULL, pass_on};
  const hsize_t n = N_ROW;
  sdn_h5 *f;
  double *back;
  (void)unused;
  const char *path = scratch_file("filter.h5");
  assert_true(H5Zregister(&filter) >= 0);
  hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, H5P_DEFAULT, H5P_DEFAULT), options = H5Pcreate(H5P_DATASET_CREATE);
  H5Pset_chunk(options, 1, &n);
  H5Pset_filter(options, 300, 0, 0, NULL);
  hid_t space = H5Screate_simple(1, &n, NULL), set = H5Dcreate2(file, "x", H5T_NATIVE_DOUBLE, space, H5P_DEFAULT, options, H5P_DEFAULT);
  assert_true(H5Dwrite(set, H5T_NATIVE_DOUBLE, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0);
  H5Dclose(set);
  H5Fclose(file);
  assert_true(H5Zunregister(300) >= 0);
  ok(sdn_h5_open(path, &f, &err));
  refused(sdn_h5_read_double(f, "x", &back, NULL, &err), SDN_FORMAT, "compressed by 'oddpress'");
  ok(sdn_h5_close(f, &err));
}

/* At each of many limits some call fails, and says so; without a limit none does. */
static void a_full_disk_is_reported(void **unused)
{
  const char *path = scratch_file("full.h5");
  int n_failed = 0;
  (void)unused;
  const long n_row = 20000;   /* 400 kB */
  for (long limit = 100; limit < 400000; limit *= 2) {
    scratch_limit_file_size(limit);
    const sdn_status status = write_file(path, n_row);
    scratch_limit_file_size(0);
    if (status != SDN_IO || !strstr(err.text, "File too large")) fail_msg("limit %ld: status %d: %s", limit, status, err.text);
    n_failed++;
  }
  assert_true(n_failed > 10);
  ok(write_file(scratch_file("full2.h5"), n_row));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(truncated_files_are_refused),
      cmocka_unit_test(a_flipped_byte_is_an_error_or_harmless),
      cmocka_unit_test(foreign_files_are_refused),
      cmocka_unit_test(absurd_sizes_are_refused),
      cmocka_unit_test(an_unknown_compression_is_named),
      cmocka_unit_test(a_full_disk_is_reported),
  };
  return cmocka_run_group_tests(tests, make_valid, drop_valid);
}
