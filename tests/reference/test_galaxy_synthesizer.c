/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against Synthesizer 1.3.1: what happens to light. All 124 galaxies on the grid bc03-2016-basel_chabrier03 (reference/synthesizer/cases.json; the README beside it says what each field
 * means), driven with the masses on nodes that Synthesizer used; from their parameters: test_history_synthesizer.c. Where Synthesizer is known to err (defects_are_known lists
 * it), the reference is the number that the file gives for the correct calculation. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/synthesizer_run.h"

/* The dust's spectrum relative to that at 160 um: a formula in both. */
#define TOLERANCE_DUST_SHAPE 2e-5

static void check(const syn_named *list, int n)
{
  for (int k = 0; k < n; k++) {
    assert_true(list[k].chosen.n > 0);
    if (!(list[k].chosen.error <= list[k].tolerance)) fail_msg("%s: %.1e", list[k].name, list[k].chosen.error);
    if (!(list[k].every.error <= fmax(list[k].tolerance, SYN_TOL_ALL_BANDS))) fail_msg("%s, all bands: %.1e", list[k].name, list[k].every.error);
  }
}

/* Single nodes, one ingredient at a time, in the bands where all correct codes agree. */
static void single_ingredients_agree(void **state)
{
  syn_named list[40];
  int n = 0;
  (void)state;
  size_t n_case;
  const syn_case *all = syn_cases(&n_case);
  if (!all) skip();
  for (size_t i = 0; i < n_case; i++) {
    const json *c = all[i].c;
    const char *group = json_text(c, "group");
    if (strncmp(group, "isolate/", 8) != 0) continue;
    syn_named *g = syn_find(list, &n, group + 8);
    g->tolerance = syn_tolerance(c);
    syn_compare(c, all[i].flux[SYN_STEP], syn_reference(&all[i]), syn_is_madau(c) ? NULL : json_get(c, "strict_bands"), &g->chosen);
    syn_compare(c, all[i].flux[SYN_STEP], syn_reference(&all[i]), NULL, &g->every);
  }
  print_message("%zu cases\n", n_case);
  assert_true(n_case >= 124);
  syn_head("one node, one ingredient: strict bands");
  for (int k = 0; k < n; k++) syn_row(list[k].name, &list[k].chosen);
  syn_head("one node, one ingredient: all bands");
  for (int k = 0; k < n; k++) syn_row(list[k].name, &list[k].every);
  assert_true(n >= 9);
  check(list, n);
}

/* Every case, driven with the masses on nodes that Synthesizer used. */
static void light_of_its_masses_agrees(void **state)
{
  syn_named list[40];
  int n = 0;
  syn_worst sum = {0};
  (void)state;
  size_t n_case;
  const syn_case *all = syn_cases(&n_case);
  if (!all) skip();
  for (size_t i = 0; i < n_case; i++) {
    const json *c = all[i].c;
    syn_named *g = syn_find(list, &n, json_text(c, "group"));
    g->tolerance = fmax(g->tolerance, syn_tolerance(c));
    syn_compare(c, all[i].flux[SYN_STEP], syn_reference(&all[i]), syn_well_integrated(c), &g->chosen);
    syn_compare(c, all[i].flux[SYN_STEP], syn_reference(&all[i]), NULL, &g->every);
    syn_compare(c, all[i].flux[SYN_STEP], syn_reference(&all[i]), syn_well_integrated(c), &sum);
  }
  syn_head("its masses on nodes: bands that it integrates well");
  for (int k = 0; k < n; k++) syn_row(list[k].name, &list[k].chosen);
  syn_row("all", &sum);
  syn_head("its masses on nodes: all bands");
  for (int k = 0; k < n; k++) syn_row(list[k].name, &list[k].every);
  check(list, n);
}

/* ------------------------------------------------------------------ dust emission */

static double lnu_at(const syn_model *m, const float *lnu, double wave_A)
{
  long n, k = 0;
  const double *wave = sdn_forward_wave_A(m->forward, &n);
  while (k + 2 < n && wave[k + 1] <= wave_A) k++;
  return (double)lnu[k] + (double)(lnu[k + 1] - lnu[k]) * (wave_A - wave[k]) / (wave[k + 1] - wave[k]);
}

/* L_nu of a case's galaxy at n wavelengths, with and without what dust emits. */
static void spectrum_of(const json *c, bool emission, const json *wave_um, double *value)
{
  syn_model m;
  sdn_err err;
  long n_wave;
  syn_make(c, false, emission, false, &m);
  sdn_forward_wave_A(m.forward, &n_wave);
  float *lnu = malloc((size_t)n_wave * sizeof *lnu);
  if (sdn_forward_spectra(m.forward, 1, m.params, lnu, NULL, &err)) fail_msg("%s", err.text);
  for (size_t j = 0; j < wave_um->n; j++) value[j] = lnu_at(&m, lnu, 1e4 * wave_um->item[j]->number);
  free(lnu);
  syn_unmake(&m);
}

/* What dust takes and emits again, where it outshines the stars, beside the exact normalisation; from the history's parameters. */
static void dust_emission_agrees(void **state)
{
  syn_worst shape = {0}, power = {0};
  (void)state;
  size_t n_case;
  const syn_case *all = syn_cases(&n_case);
  if (!all) skip();
  for (size_t i = 0; i < n_case; i++) {
    const json *c = all[i].c, *points = json_get(c, "dust_emission_points"), *wave = json_get(points, "lam_rest_um"), *fine = json_get(points, "lnu_erg_s_Hz_fine");
    double with[20], without[20], at_160 = NAN;
    if (!fine) continue;
    assert_true(wave->n <= 20);
    spectrum_of(c, true, wave, with);
    spectrum_of(c, false, wave, without);
    for (size_t j = 0; j < wave->n; j++)
      if (fabs(wave->item[j]->number - 160) < 1) at_160 = (with[j] - without[j]) / fine->item[j]->number;
    syn_count(&power, fabs(at_160 - 1), c, 0);
    for (size_t j = 0; j < wave->n; j++)
      if (fine->item[j]->number > without[j]) syn_count(&shape, fabs((with[j] - without[j]) / fine->item[j]->number / at_160 - 1), c, 0);
    shape.n_case++;
    power.n_case++;
  }
  print_message("dust emission: power within %.1e (%s) of %d cases; shape within %.1e (%s), %d wavelengths\n", power.error, power.id, power.n, shape.error, shape.id, shape.n);
  assert_true(power.n_case >= 8 && shape.n > 40);
  assert_true(power.error <= SYN_TOL_HISTORY);
  assert_true(shape.error <= TOLERANCE_DUST_SHAPE);
}

/* ------------------------------------------------------------------ what is known to be wrong there */

static void defects_are_known(void **state)
{
  (void)state;
  size_t n_case;
  const syn_case *all = syn_cases(&n_case);
  if (!all) skip();
  const json *names = json_get(syn_header(), "defect_names");
  int n_listed = 0;
  print_message("\n| known defect of Synthesizer 1.3.1 | cases |\n|---|---|\n");
  for (size_t k = 0; k < names->n; k++) {
    int n = 0;
    for (size_t i = 0; i < n_case; i++) n += json_has_text(json_get(all[i].c, "known_defect"), names->key[k]);
    if (n > 0) print_message("| %s | %d |\n", names->key[k], n);
    n_listed += n;
  }
  int n_given = 0;
  for (size_t i = 0; i < n_case; i++) n_given += (int)json_get(all[i].c, "known_defect")->n;
  assert_int_equal(n_listed, n_given);   /* none that the header does not explain */
}

static int teardown(void **state)
{
  (void)state;
  syn_end();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(single_ingredients_agree), cmocka_unit_test(light_of_its_masses_agrees), cmocka_unit_test(dust_emission_agrees), cmocka_unit_test(defects_are_known),
  };
  return cmocka_run_group_tests_name("light beside Synthesizer", tests, NULL, teardown);
}
