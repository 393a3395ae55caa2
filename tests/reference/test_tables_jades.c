/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A real catalogue of 2734 galaxies that others wrote as FITS and, to six digits, as CSV: both give the same numbers by our readers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/table.h"
#include "support/shared.h"

#define N_ROW 2734
#define N_COLUMN 26
#define TOLERANCE 5.1e-6   /* relative: the CSV file holds six digits, so half a unit of the sixth at worst */

static sdn_err err;

static double *read_all(const char *path, sdn_table_in **t)
{
  int col[N_COLUMN];
  double *out = malloc(sizeof *out * N_ROW * N_COLUMN);
  if (sdn_table_open(path, t, &err)) fail_msg("%s", err.text);
  assert_int_equal(sdn_table_n_row(*t), N_ROW);
  assert_int_equal(sdn_table_n_column(*t), N_COLUMN);
  for (int j = 0; j < N_COLUMN; j++) col[j] = j;
  if (sdn_table_read(*t, 0, N_ROW, N_COLUMN, col, out, &err)) fail_msg("%s", err.text);
  return out;
}

static void fits_and_csv_agree(void **unused)
{
  char fits_path[1000], csv_path[1000];
  sdn_table_in *fits, *csv;
  long n_missing = 0;
  (void)unused;
  if (!shared_path("catalogues/jades_gs_specz.fits", fits_path, sizeof fits_path) ||
      !shared_path("catalogues/jades_gs_specz.csv", csv_path, sizeof csv_path)) {
    skip();
  }
  double *a = read_all(fits_path, &fits), *b = read_all(csv_path, &csv);
  for (int j = 0; j < N_COLUMN; j++) assert_string_equal(sdn_table_column(fits, j), sdn_table_column(csv, j));
  for (long i = 0; i < (long)N_ROW * N_COLUMN; i++) {
    n_missing += isnan(a[i]);
    if (isnan(a[i]) && isnan(b[i])) continue;
    if (!(fabs(a[i] - b[i]) <= TOLERANCE * fabs(b[i]))) fail_msg("row %ld, column %ld: %.17g in FITS, %.17g in CSV", i / N_COLUMN, i % N_COLUMN, a[i], b[i]);
  }
  assert_true(n_missing > 0);   /* bands that were not observed */
  assert_string_equal(sdn_table_unit(fits, sdn_table_find(fits, "FLUX_F444W", &err)), "nJy");
  assert_true(b[0] == 1 && b[3] == -0.467571 && b[25] == 13.2);   /* the first line of the CSV file, by eye */
  sdn_table_close(fits);
  sdn_table_close(csv);
  free(a);
  free(b);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(fits_and_csv_agree)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
