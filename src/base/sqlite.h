/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The one door to SQLite: a small database in one file that several processes, also of several machines, read and write at once.
 * The journal is SQLite's plain one (no WAL, which needs shared memory), so that a file system which locks files is all it takes. A process that finds
 * the file locked waits for a minute. Errors: SDN_FORMAT no database, or a corrupt one; SDN_IO the system refused, the disk is full, or the lock was not had. */
#ifndef SDN_BASE_SQLITE_H
#define SDN_BASE_SQLITE_H

#include "base/error.h"

typedef struct sdn_db sdn_db;

/* Opens the file, or makes it where there is none, and looks through all of it. `kind` marks databases of one program (SQLite's application_id):
 * a database of another kind that holds anything is refused. */
sdn_status sdn_db_open(const char *path, int kind, sdn_db **db, sdn_err *err);
void sdn_db_close(sdn_db *db);
const char *sdn_db_path(const sdn_db *db);
/* Whether a file begins as SQLite's do. */
bool sdn_db_is_one(const char *path);

/* From begin to commit nobody else writes; what was written is kept whole or not at all. */
sdn_status sdn_db_begin(sdn_db *db, sdn_err *err);
sdn_status sdn_db_commit(sdn_db *db, sdn_err *err);
void sdn_db_rollback(sdn_db *db);
/* Commit, or where `status` is a failure roll back and return it. */
sdn_status sdn_db_end(sdn_db *db, sdn_status status, sdn_err *err);

/* One SQL statement whose ?1, ?2 ... are the arguments; `types` has a letter for each: l long, d double (NaN is stored as NULL), t text (NULL: NULL). */
sdn_status sdn_db_do(sdn_db *db, sdn_err *err, const char *sql, const char *types, ...);
long sdn_db_n_changed(const sdn_db *db);   /* rows that the last one changed */

/* The same with an answer: sdn_db_next goes to its first and each further row; *row false: there are no more. */
typedef struct sdn_db_answer sdn_db_answer;
sdn_status sdn_db_ask(sdn_db *db, sdn_db_answer **answer, sdn_err *err, const char *sql, const char *types, ...);
sdn_status sdn_db_next(sdn_db_answer *answer, bool *row, sdn_err *err);
/* Column `i` of the row; of another type: 0, NaN, "". The text lives until the next row. */
long sdn_db_long(const sdn_db_answer *answer, int i);
double sdn_db_double(const sdn_db_answer *answer, int i);
const char *sdn_db_text(const sdn_db_answer *answer, int i);
void sdn_db_answer_free(sdn_db_answer *answer);

#endif
