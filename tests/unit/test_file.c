/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/file.h"

static void write_text(const char *path, const char *text)
{
  FILE *file = fopen(path, "w");
  assert_non_null(file);
  fputs(text, file);
  fclose(file);
}

/* Every test works in an empty folder of its own. */
static int enter_folder(void **state)
{
  char *folder = strdup("/tmp/test_file_XXXXXX");
  if (!folder || !mkdtemp(folder) || chdir(folder)) return -1;
  *state = folder;
  return 0;
}

static int leave_folder(void **state)
{
  static const char *const left[] = {"result.h5", "result.h5.part", "other", "shipped/grids/a.h5", "shipped/grids", "shipped", "folder"};
  for (size_t i = 0; i < sizeof left / sizeof *left; i++)
    if (unlink(left[i])) (void)rmdir(left[i]);
  const int failed = chdir("/") || rmdir(*state);
  free(*state);
  return failed;
}

static void a_part_takes_its_name(void **state)
{
  (void)state;
  sdn_err err;
  char text[10] = "";
  char *part = sdn_part_name("result.h5", &err);
  assert_string_equal(part, "result.h5.part");
  write_text("result.h5", "old");
  write_text(part, "new");
  assert_int_equal(sdn_part_finish(part, "result.h5", &err), SDN_OK);
  assert_false(sdn_file_exists(part));
  FILE *file = fopen("result.h5", "r");
  assert_non_null(file);
  assert_non_null(fgets(text, sizeof text, file));
  fclose(file);
  assert_string_equal(text, "new");
  assert_int_equal(sdn_part_finish(part, "result.h5", &err), SDN_IO);   /* it is gone */
  assert_non_null(strstr(err.text, "result.h5.part"));
  assert_true(sdn_file_exists("result.h5"));
  sdn_release(part);
}

static void what_cannot_be_written_is_said_before(void **state)
{
  (void)state;
  sdn_err err;
  assert_int_equal(sdn_check_writable("result.h5", &err), SDN_OK);
  assert_false(sdn_file_exists("result.h5") || sdn_file_exists("result.h5.part"));   /* asking leaves nothing behind */
  write_text("result.h5.part", "to be resumed");
  assert_int_equal(sdn_check_writable("result.h5", &err), SDN_OK);
  assert_true(sdn_file_exists("result.h5.part"));
  assert_int_equal(sdn_check_writable("absent/result.h5", &err), SDN_IO);
  assert_non_null(strstr(err.text, "absent/result.h5"));
  assert_int_equal(mkdir("folder", 0777), 0);
  assert_int_equal(sdn_check_writable("folder", &err), SDN_IO);
  assert_int_equal(sdn_check_writable("folder/", &err), SDN_IO);
  assert_int_equal(sdn_check_writable("", &err), SDN_IO);
  assert_int_equal(sdn_check_writable("/dev/null", &err), SDN_IO);   /* a rename would replace the device */
  assert_true(sdn_file_exists("/dev/null.part") == false);
  write_text("other", "read-only");
  assert_int_equal(chmod("other", 0444), 0);
  if (access("other", W_OK) != 0) assert_int_equal(sdn_check_writable("other", &err), SDN_IO);   /* for root nothing is read-only */
}

static void shipped_files_are_found(void **state)
{
  sdn_err err;
  char folder[200], expected[256];
  const char *before = getenv("SEDNA_DATA");
  char *saved = before ? strdup(before) : NULL;
  snprintf(folder, sizeof folder, "%s/shipped", (const char *)*state);
  snprintf(expected, sizeof expected, "%s/grids/a.h5", folder);
  assert_int_equal(mkdir("shipped", 0777), 0);
  assert_int_equal(mkdir("shipped/grids", 0777), 0);
  write_text("shipped/grids/a.h5", "a grid");
  assert_int_equal(setenv("SEDNA_DATA", folder, 1), 0);
  char *path = sdn_data_path("grids", "a.h5", &err);
  assert_non_null(path);
  assert_string_equal(path, expected);
  sdn_release(path);
  assert_null(sdn_data_path("grids", "b.h5", &err));
  assert_int_equal(err.status, SDN_USAGE);
  assert_non_null(strstr(err.text, "b.h5"));
  assert_non_null(strstr(err.text, folder));
  assert_null(sdn_data_path("grids", "", &err));   /* a folder is no file */
  if (saved) setenv("SEDNA_DATA", saved, 1);
  else unsetenv("SEDNA_DATA");
  free(saved);
}

/* Test values of the FNV reference page (Fowler, Noll & Vo). */
static void hashes_are_fnv1a(void **state)
{
  (void)state;
  sdn_err err;
  uint64_t hash = 0;
  assert_true(sdn_hash_bytes("", 0, 0) == UINT64_C(0xcbf29ce484222325));
  assert_true(sdn_hash_bytes("a", 1, 0) == UINT64_C(0xaf63dc4c8601ec8c));
  assert_true(sdn_hash_bytes("foobar", 6, 0) == UINT64_C(0x85944171f73967e8));
  assert_true(sdn_hash_bytes("bar", 3, sdn_hash_bytes("foo", 3, 0)) == UINT64_C(0x85944171f73967e8));   /* in pieces */
  write_text("other", "foobar");
  assert_int_equal(sdn_hash_file("other", &hash, &err), SDN_OK);
  assert_true(hash == UINT64_C(0x85944171f73967e8));
  assert_int_equal(sdn_hash_file("absent", &hash, &err), SDN_IO);
  assert_int_equal(sdn_hash_file(".", &hash, &err), SDN_IO);
}

static void outputs_are_not_inputs(void **state)
{
  (void)state;
  sdn_err err;
  write_text("other", "read by somebody");
  assert_int_equal(symlink("other", "result.h5"), 0);
  const char *const same[][2] = {{"other", "other"}, {"other", "./other"}, {"other", "result.h5"}, {"other[2]", "other"}, {"new", "new"}, {"new", "./new"},
                                 {"new[1]", ".//new"}};
  const char *const differ[][2] = {{"other", "new"}, {"other", "other.fits"}, {"new", "absent/new"}, {"new", "newer"}, {NULL, "other"}};
  for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
    const char *const input[] = {NULL, same[i][0]};
    assert_int_equal(sdn_check_output(same[i][1], 2, input, &err), SDN_USAGE);
    assert_non_null(strstr(err.text, same[i][0]));
    assert_non_null(strstr(err.text, same[i][1]));
  }
  for (size_t i = 0; i < sizeof differ / sizeof *differ; i++) assert_int_equal(sdn_check_output(differ[i][1], 1, &differ[i][0], &err), SDN_OK);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test_setup_teardown(a_part_takes_its_name, enter_folder, leave_folder),
    cmocka_unit_test_setup_teardown(what_cannot_be_written_is_said_before, enter_folder, leave_folder),
    cmocka_unit_test_setup_teardown(shipped_files_are_found, enter_folder, leave_folder),
    cmocka_unit_test_setup_teardown(hashes_are_fnv1a, enter_folder, leave_folder),
    cmocka_unit_test_setup_teardown(outputs_are_not_inputs, enter_folder, leave_folder),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
