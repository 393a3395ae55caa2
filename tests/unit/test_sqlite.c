/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The door to SQLite: what goes in comes out, NaN included; what is not committed is gone; two doors to one file see each other's commits. */
#include <float.h>
#include <limits.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/sqlite.h"
#include "support/scratch.h"

#define KIND 4711

static sdn_db *open_db(const char *name)
{
  sdn_db *db;
  sdn_err err;
  if (sdn_db_open(scratch_file(name), KIND, &db, &err)) fail_msg("%s", err.text);
  return db;
}

static void must(sdn_status status, const sdn_err *err)
{
  if (status) fail_msg("%s", err->text);
}

static long count(sdn_db *db)
{
  sdn_db_answer *a;
  sdn_err err;
  bool row;
  must(sdn_db_ask(db, &a, &err, "SELECT count(*) FROM t", ""), &err);
  must(sdn_db_next(a, &row, &err), &err);
  const long n = sdn_db_long(a, 0);
  sdn_db_answer_free(a);
  return n;
}

static void values_come_back(void **state)
{
  (void)state;
  sdn_db *db = open_db("values.db");
  sdn_db_answer *a;
  sdn_err err;
  bool row;
  must(sdn_db_do(db, &err, "CREATE TABLE t (l INTEGER, d REAL, s TEXT)", ""), &err);
  must(sdn_db_do(db, &err, "INSERT INTO t VALUES (?1, ?2, ?3)", "ldt", LONG_MIN, DBL_MIN, "it's \"text\""), &err);
  must(sdn_db_do(db, &err, "INSERT INTO t VALUES (?1, ?2, ?3)", "ldt", 7L, (double)NAN, (const char *)NULL), &err);
  assert_int_equal(sdn_db_n_changed(db), 1);
  must(sdn_db_ask(db, &a, &err, "SELECT l, d, s FROM t ORDER BY l", ""), &err);
  must(sdn_db_next(a, &row, &err), &err);
  assert_true(row && sdn_db_long(a, 0) == LONG_MIN && sdn_db_double(a, 1) == DBL_MIN);
  assert_string_equal(sdn_db_text(a, 2), "it's \"text\"");
  assert_true(isnan(sdn_db_double(a, 2)) && sdn_db_long(a, 2) == 0);   /* of another type */
  must(sdn_db_next(a, &row, &err), &err);
  assert_true(row && isnan(sdn_db_double(a, 1)));
  assert_string_equal(sdn_db_text(a, 2), "");
  must(sdn_db_next(a, &row, &err), &err);
  assert_false(row);
  sdn_db_answer_free(a);
  assert_true(sdn_db_is_one(sdn_db_path(db)));
  sdn_db_close(db);
}

static void whole_or_not_at_all(void **state)
{
  (void)state;
  sdn_db *db = open_db("commit.db"), *other = open_db("commit.db");
  sdn_err err;
  must(sdn_db_do(db, &err, "CREATE TABLE t (x INTEGER)", ""), &err);
  must(sdn_db_begin(db, &err), &err);
  must(sdn_db_do(db, &err, "INSERT INTO t VALUES (1)", ""), &err);
  assert_int_equal(count(other), 0);
  must(sdn_db_end(db, SDN_OK, &err), &err);
  assert_int_equal(count(other), 1);
  must(sdn_db_begin(db, &err), &err);
  must(sdn_db_do(db, &err, "INSERT INTO t VALUES (2)", ""), &err);
  assert_int_equal(sdn_db_end(db, SDN_NUMERIC, &err), SDN_NUMERIC);
  assert_int_equal(count(db), 1);
  must(sdn_db_begin(other, &err), &err);   /* the lock was given back */
  sdn_db_rollback(other);
  sdn_db_close(db);
  sdn_db_close(other);
}

static void mistakes_are_told(void **state)
{
  (void)state;
  sdn_db *db = open_db("bad.db"), *second;
  sdn_err err;
  assert_int_equal(sdn_db_do(db, &err, "SELECT nothing FROM nowhere", ""), SDN_FORMAT);
  assert_non_null(strstr(err.text, "bad.db"));
  must(sdn_db_do(db, &err, "CREATE TABLE t (x)", ""), &err);
  assert_int_equal(sdn_db_open(scratch_file("bad.db"), KIND + 1, &second, &err), SDN_FORMAT);
  assert_null(second);
  sdn_db_close(db);
  assert_int_equal(sdn_db_open("/nowhere/x.db", KIND, &second, &err), SDN_IO);
  assert_false(sdn_db_is_one(scratch_write_text("text", "SQLite format 4 is yet to come")));
  assert_false(sdn_db_is_one("/nowhere/x.db"));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(values_come_back), cmocka_unit_test(whole_or_not_at_all), cmocka_unit_test(mistakes_are_told)};
  return cmocka_run_group_tests_name("sqlite", tests, NULL, NULL);
}
