/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/sqlite.h"

#include <math.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define WAIT_MS 60000              /* for a lock that another process holds */
#define MAGIC "SQLite format 3"    /* and a zero byte: how such a file begins */

struct sdn_db { sqlite3 *handle; char *path; };
struct sdn_db_answer { sqlite3_stmt *statement; const sdn_db *db; };

/* What SQLite says, as a sentence. */
static sdn_status fail(const sdn_db *db, int code, sdn_err *err)
{
  switch (code & 0xff) {
  case SQLITE_NOTADB: return sdn_fail(err, SDN_FORMAT, "%s is no SQLite database; choose another name", db->path);
  case SQLITE_CORRUPT: return sdn_fail(err, SDN_FORMAT, "%s is a corrupt database; restore a copy, or remove it and begin anew", db->path);
  case SQLITE_NOMEM: return sdn_fail(err, SDN_MEMORY, "%s: no memory for the database", db->path);
  case SQLITE_FULL: return sdn_fail(err, SDN_IO, "cannot write %s: the disk is full; free some space and run again", db->path);
  case SQLITE_BUSY: return sdn_fail(err, SDN_IO, "%s has been locked by another process for %d s; end that process, or keep the file on a disk that locks files",
                                    db->path, WAIT_MS / 1000);
  case SQLITE_READONLY: return sdn_fail(err, SDN_IO, "cannot write %s: the file or its folder is read-only", db->path);
  case SQLITE_CANTOPEN: return sdn_fail(err, SDN_IO, "cannot open or make %s; choose a folder that exists and is writable", db->path);
  case SQLITE_IOERR: return sdn_fail(err, SDN_IO, "cannot read or write %s: %s; the disk may be full", db->path, sqlite3_errmsg(db->handle));
  default: return sdn_fail(err, SDN_FORMAT, "%s: %s; it is of another version, or corrupt", db->path, sqlite3_errmsg(db->handle));
  }
}

static int bind(sqlite3_stmt *s, const char *types, va_list values)
{
  int code = SQLITE_OK;
  for (int i = 0; types[i] && code == SQLITE_OK; i++) {
    if (types[i] == 'l') {
      code = sqlite3_bind_int64(s, i + 1, va_arg(values, long));
    } else if (types[i] == 'd') {
      code = sqlite3_bind_double(s, i + 1, va_arg(values, double));   /* SQLite itself turns NaN into NULL */
    } else {
      const char *text = va_arg(values, const char *);
      code = text ? sqlite3_bind_text(s, i + 1, text, -1, SQLITE_TRANSIENT) : sqlite3_bind_null(s, i + 1);
    }
  }
  return code;
}

static sdn_status ask(sdn_db *db, sdn_db_answer **answer, sdn_err *err, const char *sql, const char *types, va_list values)
{
  sdn_db_answer *a = *answer = sdn_alloc(1, sizeof *a, "a question to a database", err);
  if (!a) return err->status;
  a->db = db;
  int code = sqlite3_prepare_v2(db->handle, sql, -1, &a->statement, NULL);
  if (code == SQLITE_OK) code = bind(a->statement, types, values);
  if (code == SQLITE_OK) return SDN_OK;
  fail(db, code, err);
  sdn_db_answer_free(a);
  *answer = NULL;
  return err->status;
}

sdn_status sdn_db_ask(sdn_db *db, sdn_db_answer **answer, sdn_err *err, const char *sql, const char *types, ...)
{
  va_list values;
  va_start(values, types);
  const sdn_status status = ask(db, answer, err, sql, types, values);
  va_end(values);
  return status;
}

sdn_status sdn_db_next(sdn_db_answer *a, bool *row, sdn_err *err)
{
  const int code = sqlite3_step(a->statement);
  *row = code == SQLITE_ROW;
  return code == SQLITE_ROW || code == SQLITE_DONE ? SDN_OK : fail(a->db, code, err);
}

long sdn_db_long(const sdn_db_answer *a, int i) { return sqlite3_column_type(a->statement, i) == SQLITE_INTEGER ? (long)sqlite3_column_int64(a->statement, i) : 0; }

double sdn_db_double(const sdn_db_answer *a, int i)
{
  const int type = sqlite3_column_type(a->statement, i);
  return type == SQLITE_FLOAT || type == SQLITE_INTEGER ? sqlite3_column_double(a->statement, i) : NAN;
}

const char *sdn_db_text(const sdn_db_answer *a, int i)
{
  const char *text = sqlite3_column_type(a->statement, i) == SQLITE_TEXT ? (const char *)sqlite3_column_text(a->statement, i) : NULL;
  return text ? text : "";
}

void sdn_db_answer_free(sdn_db_answer *a)
{
  if (!a) return;
  sqlite3_finalize(a->statement);
  sdn_release(a);
}

sdn_status sdn_db_do(sdn_db *db, sdn_err *err, const char *sql, const char *types, ...)
{
  sdn_db_answer *a;
  bool row = true;
  va_list values;
  va_start(values, types);
  sdn_status status = ask(db, &a, err, sql, types, values);
  va_end(values);
  while (!status && row) status = sdn_db_next(a, &row, err);
  sdn_db_answer_free(a);
  return status;
}

long sdn_db_n_changed(const sdn_db *db) { return sqlite3_changes(db->handle); }

sdn_status sdn_db_begin(sdn_db *db, sdn_err *err) { return sdn_db_do(db, err, "BEGIN IMMEDIATE", ""); }
sdn_status sdn_db_commit(sdn_db *db, sdn_err *err) { return sdn_db_do(db, err, "COMMIT", ""); }

void sdn_db_rollback(sdn_db *db)
{
  sdn_err unused;
  if (!sqlite3_get_autocommit(db->handle)) (void)sdn_db_do(db, &unused, "ROLLBACK", "");
}

sdn_status sdn_db_end(sdn_db *db, sdn_status status, sdn_err *err)
{
  if (!status) status = sdn_db_commit(db, err);
  if (status) sdn_db_rollback(db);
  return status;
}

static sdn_status ask_long(sdn_db *db, const char *sql, long *value, sdn_err *err)
{
  sdn_db_answer *a;
  bool row;
  sdn_status status = sdn_db_ask(db, &a, err, sql, "");
  if (!status) status = sdn_db_next(a, &row, err);
  if (!status) *value = sdn_db_long(a, 0);
  sdn_db_answer_free(a);
  return status;
}

/* Every page, as far as SQLite can tell. */
static sdn_status look_through(sdn_db *db, sdn_err *err)
{
  sdn_db_answer *a;
  bool row;
  sdn_status status = sdn_db_ask(db, &a, err, "PRAGMA quick_check(1)", "");
  if (!status) status = sdn_db_next(a, &row, err);
  if (!status && strcmp(sdn_db_text(a, 0), "ok") != 0) status = fail(db, SQLITE_CORRUPT, err);
  sdn_db_answer_free(a);
  return status;
}

static sdn_status claim_kind(sdn_db *db, int kind, sdn_err *err)
{
  char sql[64];
  long have = 0, n_table = 0;
  if (look_through(db, err) || ask_long(db, "PRAGMA application_id", &have, err) || ask_long(db, "SELECT count(*) FROM sqlite_master", &n_table, err)) return err->status;
  if (have == kind) return SDN_OK;
  if (have != 0 || n_table > 0) return sdn_fail(err, SDN_FORMAT, "%s is a database of another program; choose another name", db->path);
  snprintf(sql, sizeof sql, "PRAGMA application_id = %d", kind);
  return sdn_db_do(db, err, sql, "");
}

sdn_status sdn_db_open(const char *path, int kind, sdn_db **out, sdn_err *err)
{
  *out = NULL;
  sdn_db *db = sdn_alloc(1, sizeof *db, "a database", err);
  if (!db) return err->status;
  sdn_status status = (db->path = sdn_copy_text(path, err)) ? SDN_OK : err->status;
  if (!status) {
    const int code = sqlite3_open_v2(path, &db->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL);
    if (code != SQLITE_OK) status = fail(db, code, err);
  }
  if (!status) sqlite3_busy_timeout(db->handle, WAIT_MS);
  if (!status && !(status = sdn_db_begin(db, err))) status = sdn_db_end(db, claim_kind(db, kind, err), err);
  if (status) {
    sdn_db_close(db);
    return status;
  }
  *out = db;
  return SDN_OK;
}

void sdn_db_close(sdn_db *db)
{
  if (!db) return;
  sqlite3_close(db->handle);
  sdn_release(db->path);
  sdn_release(db);
}

const char *sdn_db_path(const sdn_db *db) { return db->path; }

bool sdn_db_is_one(const char *path)
{
  char first[sizeof MAGIC];
  FILE *file = fopen(path, "rb");
  if (!file) return false;
  const bool is = fread(first, 1, sizeof first, file) == sizeof first && memcmp(first, MAGIC, sizeof first) == 0;
  fclose(file);
  return is;
}
