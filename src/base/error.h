/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors: a status to act on and one sentence to read. Library code never prints and never exits. */
#ifndef SDN_BASE_ERROR_H
#define SDN_BASE_ERROR_H

#include <sedna.h>

#if defined(__GNUC__) || defined(__clang__)
#define SDN_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
#else
#define SDN_PRINTF(fmt, args)
#endif

/* Fill *err (row -1) and return status, so that a failure is one statement: return sdn_fail(err, SDN_RANGE, "...", ...); */
sdn_status sdn_fail(sdn_err *err, sdn_status status, const char *fmt, ...) SDN_PRINTF(3, 4);
/* The same, about one row of an array call. */
sdn_status sdn_fail_row(sdn_err *err, sdn_status status, long row, const char *fmt, ...) SDN_PRINTF(4, 5);
/* Put "context: " before the sentence of an error that is passed on; returns err->status. */
sdn_status sdn_fail_in(sdn_err *err, const char *fmt, ...) SDN_PRINTF(2, 3);
void sdn_err_clear(sdn_err *err);

/* The candidate nearest to `word` in edit distance (transpositions count once), or NULL when none is near enough to be a slip. */
const char *sdn_nearest(const char *word, const char *const *candidates, size_t n);

#endif
