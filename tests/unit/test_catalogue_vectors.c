/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A spectrum that stands as one vector column is the same data as one with a column per pixel: the latter is the reference, read from another file and format. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/h5.h"
#include "infer/catalogue.h"
#include "support/scratch.h"
#include "survey/units.h"

#define N_ROW 7
#define N_PIXEL 4
#define N_BAND (N_PIXEL + 2)
#define BLOCK 3   /* rows at once: the last block is short */

#define HEAD "name: T\nflux_unit: uJy\nmissing_value: [-99]\ncolumns: {id: ID, redshift: Z, flux: \"F_{band}\", error: \"E_{band}\"}\nbands: [{name: r, filter: SLOAN/SDSS.r, sigma_njy: 5}]\n" \
             "lines: [{name: Ha, line: Halpha, sigma: 50}]\n"
#define PIXELS "name: P, wave_A: {low: 6000, high: 9000, n: 4}, sigma_njy: 5, flux_unit: erg/s/cm2/A"

static sdn_err err;

static void ok(sdn_status status)
{
  if (status != SDN_OK) fail_msg("status %d: %s", status, err.text);
}

/* Ordinary, missing in each way, and with bad errors. */
static void row_of(int i, double *flux, double *error)
{
  for (int b = 0; b < N_BAND; b++) {
    flux[b] = 1e-19 * (i + 1) * (b + 1);
    error[b] = 1e-20 * (b + 1);
  }
  if (i == 1) flux[2] = NAN;
  if (i == 2) flux[0] = -99;
  if (i == 3) error[3] = NAN;
  if (i == 4) error[1] = -1;
  if (i == 5)
    for (int k = 0; k < N_PIXEL; k++) flux[k] = NAN;
}

static void add_value(char **at, double value) { *at += isnan(value) ? sprintf(*at, "NaN") : sprintf(*at, "%.17g", value); }

/* Bands stand behind the pixels. `more`: values more in each list of fluxes than there are pixels. */
static void write_ecsv(const char *name, int more)
{
  static char text[20000];
  char *at = text;
  at += sprintf(at, "# %%ECSV 1.0\n# ---\n# delimiter: ','\n# datatype:\n# - {name: ID, datatype: int64}\n# - {name: SPEC, datatype: string, subtype: 'float64[%d]'}\n", N_PIXEL + more);
  at += sprintf(at, "# - {name: F_r, datatype: float64}\n# - {name: E_r, datatype: float64}\n# - {name: SPEC_ERR, datatype: string, subtype: 'float64[%d]'}\n", N_PIXEL);
  at += sprintf(at, "# - {name: F_Ha, datatype: float64}\n# - {name: E_Ha, datatype: float64}\n# - {name: Z, datatype: float64}\nID,SPEC,F_r,E_r,SPEC_ERR,F_Ha,E_Ha,Z\n");
  for (int i = 0; i < N_ROW; i++) {
    double flux[N_BAND], error[N_BAND];
    row_of(i, flux, error);
    at += sprintf(at, "%d,\"[", 100 + i);
    for (int k = 0; k < N_PIXEL + more; k++) {
      at += sprintf(at, "%s", k ? ", " : "");
      if (isnan(flux[k])) at += sprintf(at, "null");
      else add_value(&at, flux[k]);
    }
    at += sprintf(at, "]\",%.17g,%.17g,\"[", flux[4], error[4]);
    for (int k = 0; k < N_PIXEL; k++) {
      at += sprintf(at, "%s", k ? "," : "");
      add_value(&at, error[k]);
    }
    at += sprintf(at, "]\",%.17g,%.17g,0.%d\n", flux[5], error[5], i);
  }
  scratch_write_text(name, text);
}

static void write_csv(const char *name)
{
  static char text[20000];
  char *at = text;
  at += sprintf(at, "ID,F_r,E_r,F_Ha,E_Ha,Z");
  for (int k = 0; k < N_PIXEL; k++) at += sprintf(at, ",S_%04d,SE_%04d", k + 1, k + 1);
  at += sprintf(at, "\n");
  for (int i = 0; i < N_ROW; i++) {
    double flux[N_BAND], error[N_BAND];
    row_of(i, flux, error);
    at += sprintf(at, "%d,%.17g,%.17g,%.17g,%.17g,0.%d", 100 + i, flux[4], error[4], flux[5], error[5], i);
    for (int k = 0; k < N_PIXEL; k++) {
      *at++ = ',';
      add_value(&at, flux[k]);
      *at++ = ',';
      add_value(&at, error[k]);
    }
    at += sprintf(at, "\n");
  }
  scratch_write_text(name, text);
}

static void write_h5(const char *name)
{
  sdn_h5 *file;
  double value[N_BAND + 1][N_ROW], pixel[2][N_ROW][N_PIXEL], flux[N_BAND], error[N_BAND];
  static const char *const scalar[] = {"ID", "F_r", "E_r", "F_Ha", "E_Ha", "Z"};
  for (int i = 0; i < N_ROW; i++) {
    row_of(i, flux, error);
    const double of_row[] = {100 + i, flux[4], error[4], flux[5], error[5], i / 10.0};
    for (int k = 0; k < 6; k++) value[k][i] = of_row[k];
    memcpy(pixel[0][i], flux, sizeof pixel[0][i]);
    memcpy(pixel[1][i], error, sizeof pixel[1][i]);
  }
  const sdn_h5_shape one = {1, {N_ROW}}, two = {2, {N_ROW, N_PIXEL}}, wave = {1, {N_PIXEL}};
  ok(sdn_h5_create(scratch_file(name), &file, &err));
  for (int k = 0; k < 6; k++) ok(sdn_h5_make(file, scalar[k], SDN_H5_DOUBLE, &one, value[k], &err));
  ok(sdn_h5_make(file, "SPEC", SDN_H5_DOUBLE, &two, pixel[0], &err));
  ok(sdn_h5_make(file, "SPEC_ERR", SDN_H5_DOUBLE, &two, pixel[1], &err));
  ok(sdn_h5_make(file, "WAVE", SDN_H5_DOUBLE, &wave, pixel[1], &err));   /* of another length: no column, and no harm */
  ok(sdn_h5_close(file, &err));
}

typedef struct all { float flux[N_ROW][N_BAND], sigma[N_ROW][N_BAND]; int n_used[N_ROW]; uint32_t flags[N_ROW]; double z[N_ROW], id[N_ROW]; } all;

static void read_all(const char *yaml, const char *name, all *a)
{
  sdn_survey *s = NULL;
  sdn_catalogue *c = NULL;
  sdn_rows *r = NULL;
  memset(a, 0, sizeof *a);
  ok(sdn_survey_parse(yaml, "test.yaml", &s, &err));
  const sdn_catalogue_request request = {.path = scratch_file(name), .n_block = BLOCK};
  ok(sdn_catalogue_open(&request, s, &c, &err));
  assert_int_equal(c->n_row, N_ROW);
  ok(sdn_rows_new(c, &r, &err));
  for (long row = 0; row < N_ROW; row += BLOCK) {
    const long n = N_ROW - row < BLOCK ? N_ROW - row : BLOCK;
    ok(sdn_catalogue_read(c, row, n, r, &err));
    memcpy(a->flux[row], r->flux_nJy, (size_t)n * sizeof a->flux[0]);
    memcpy(a->sigma[row], r->sigma_nJy, (size_t)n * sizeof a->sigma[0]);
    memcpy(a->n_used + row, r->n_used, (size_t)n * sizeof *a->n_used);
    memcpy(a->flags + row, r->flags, (size_t)n * sizeof *a->flags);
    memcpy(a->z + row, r->z_spec, (size_t)n * sizeof *a->z);
    for (long i = 0; i < n; i++) a->id[row + i] = r->number[i * c->n_carried];
  }
  sdn_rows_free(c, r);
  sdn_catalogue_close(c);
  sdn_survey_free(s);
}

static const char of_pixels[] = HEAD "spectra: [{" PIXELS ", flux: \"S_{pixel}\", error: \"SE_{pixel}\"}]\n";
static const char of_vectors[] = HEAD "spectra: [{" PIXELS ", flux: SPEC, error: SPEC_ERR}]\n";

static void a_vector_is_its_pixels(void **state)
{
  static all one, two;
  (void)state;
  write_csv("pixels.csv");
  write_ecsv("vectors.ecsv", 0);
  write_h5("vectors.h5");
  read_all(of_pixels, "pixels.csv", &one);
  assert_int_equal(one.n_used[0], N_BAND);
  assert_int_equal(one.n_used[1], N_BAND - 1);
  assert_int_equal(one.n_used[5], 2);
  assert_true((one.flags[3] & SDN_FLAG_BAD_ERROR) && (one.flags[4] & SDN_FLAG_BAD_ERROR) && !one.flags[0]);
  assert_true(isnan(one.flux[1][3]) && !isnan(one.flux[1][2]));   /* pixels stand behind the one filter */
  for (int k = 0; k < 2; k++) {
    read_all(of_vectors, k ? "vectors.h5" : "vectors.ecsv", &two);
    assert_memory_equal(&one, &two, sizeof one);
  }
}

/* {spectrum} may be in the name; one of flux and error a vector, the other a column per pixel. */
static void a_mix_is_read(void **state)
{
  static all one, two;
  (void)state;
  write_csv("pixels.csv");
  write_ecsv("vectors.ecsv", 0);
  size_t n;
  char *text = (char *)scratch_read(scratch_file("vectors.ecsv"), &n), *copy = calloc(n + 1, 1);
  memcpy(copy, text, n);
  for (char *at = copy; (at = strstr(at, "SPEC_ERR")); at += 8) memcpy(at, "ERRORS_P", 8);
  scratch_write("renamed.ecsv", copy, n);
  read_all(of_pixels, "pixels.csv", &one);
  read_all(HEAD "spectra: [{" PIXELS ", flux: SPEC, error: \"ERRORS_{spectrum}\"}]\n", "renamed.ecsv", &two);
  assert_memory_equal(&one, &two, sizeof one);
  free(text);
  free(copy);
}

static void refuse(const char *yaml, const char *name, const char *const *word)
{
  sdn_survey *s = NULL;
  sdn_catalogue *c = NULL;
  ok(sdn_survey_parse(yaml, "test.yaml", &s, &err));
  const sdn_catalogue_request request = {.path = scratch_file(name), .n_block = BLOCK};
  assert_int_equal(sdn_catalogue_open(&request, s, &c, &err), SDN_USAGE);
  for (; *word; word++)
    if (!strstr(err.text, *word)) fail_msg("'%s' does not say '%s'", err.text, *word);
  sdn_survey_free(s);
}
#define REFUSE(yaml, name, ...) refuse(yaml, name, (const char *const[]){__VA_ARGS__, NULL})

static void wrong_lengths_are_refused(void **state)
{
  (void)state;
  write_csv("pixels.csv");
  write_ecsv("vectors.ecsv", 0);
  write_ecsv("long.ecsv", 2);
  REFUSE(of_vectors, "long.ecsv", "long.ecsv", "'SPEC' holds 6 value(s) per row", "P_0001 wants 4", "one for each pixel");
  REFUSE(HEAD "spectra: [{" PIXELS ", flux: F_r, error: E_r}]\n", "vectors.ecsv", "'F_r' holds 1 value(s)", "wants 4");
  REFUSE(HEAD "spectra: [{" PIXELS ", flux: SPEC, error: SPEC_ERROR}]\n", "vectors.ecsv", "lacks 1 column(s)", "SPEC_ERROR");
  REFUSE(of_vectors, "pixels.csv", "lacks 2 column(s)", "SPEC, SPEC_ERR");
  REFUSE("name: T\nflux_unit: uJy\nbands: [{name: r, filter: SLOAN/SDSS.r, sigma_njy: 5, flux: SPEC, error: E_r}]\n", "vectors.ecsv", "'SPEC' holds 4 value(s)", "band r wants 1", "{pixel}");
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(a_vector_is_its_pixels), cmocka_unit_test(a_mix_is_read), cmocka_unit_test(wrong_lengths_are_refused)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
