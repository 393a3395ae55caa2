/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/error.h"

#include <ctype.h>
#include <stdarg.h>
#include <string.h>

void sdn_err_clear(sdn_err *err)
{
  err->status = SDN_OK;
  err->row = -1;
  err->text[0] = '\0';
}

static sdn_status fail(sdn_err *err, sdn_status status, long row, const char *fmt, va_list args)
{
  err->status = status;
  err->row = row;
  vsnprintf(err->text, sizeof err->text, fmt, args);
  return status;
}

sdn_status sdn_fail(sdn_err *err, sdn_status status, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  fail(err, status, -1, fmt, args);
  va_end(args);
  return status;
}

sdn_status sdn_fail_row(sdn_err *err, sdn_status status, long row, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  fail(err, status, row, fmt, args);
  va_end(args);
  return status;
}

sdn_status sdn_fail_in(sdn_err *err, const char *fmt, ...)
{
  char sentence[sizeof err->text];
  memcpy(sentence, err->text, sizeof sentence);
  va_list args;
  va_start(args, fmt);
  const int length = vsnprintf(err->text, sizeof err->text, fmt, args);
  va_end(args);
  if (length < 0 || (size_t)length >= sizeof err->text) return err->status;
  snprintf(err->text + length, sizeof err->text - (size_t)length, ": %.*s", (int)(sizeof err->text - (size_t)length - 1), sentence);
  return err->status;
}

#define WORD_MAX 63   /* longer words are no slips of the keys that we know */

static int smaller(int a, int b) { return a < b ? a : b; }

/* Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours cost 1; case costs nothing. */
static int edit_distance(const char *a, size_t n_a, const char *b, size_t n_b)
{
  int cost[3][WORD_MAX + 1];   /* the rows i-2, i-1, i of the table, in turn */
  for (size_t j = 0; j <= n_b; j++) cost[0][j] = (int)j;
  for (size_t i = 1; i <= n_a; i++) {
    int *row = cost[i % 3];
    const int *above = cost[(i + 2) % 3], *two_above = cost[(i + 1) % 3];
    const int ca = tolower((unsigned char)a[i - 1]);
    row[0] = (int)i;
    for (size_t j = 1; j <= n_b; j++) {
      const int cb = tolower((unsigned char)b[j - 1]);
      row[j] = smaller(above[j - 1] + (ca != cb), smaller(above[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && ca == tolower((unsigned char)b[j - 2]) && tolower((unsigned char)a[i - 2]) == cb)
        row[j] = smaller(row[j], two_above[j - 2] + 1);
    }
  }
  return cost[n_a % 3][n_b];
}

const char *sdn_nearest(const char *word, const char *const *candidates, size_t n)
{
  const char *best = NULL;
  const size_t n_word = strlen(word);
  if (n_word == 0 || n_word > WORD_MAX) return NULL;
  int best_distance = (int)(n_word + 2) / 3 + 1;   /* a slip touches at most a third of the word */
  for (size_t i = 0; i < n; i++) {
    const size_t n_candidate = strlen(candidates[i]);
    if (n_candidate > WORD_MAX) continue;
    const int distance = edit_distance(word, n_word, candidates[i], n_candidate);
    if (distance >= best_distance || distance >= (int)n_candidate) continue;
    best_distance = distance;
    best = candidates[i];
  }
  return best;
}
