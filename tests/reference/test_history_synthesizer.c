/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against Synthesizer 1.3.1: the histories of its 92 composite galaxies, from their own parameters. It puts all mass between two midpoints of the grid's ages at the node. Beside stand
 * two fine integrations: over hats linear in age (the reference's own), and with cubics in ln age between the grid's ages. This program's hats are linear in ln age, or with age_interpolation: linear in age. */
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

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static bool is_judged(const json *c, int band)
{
  return json_has_text(json_get(c, "integration_ok_bands"), syn_band(band)) && !syn_is_extrapolated(c, band);
}

static const char *family_of(const json *c)
{
  const char *metals = json_text(json_get(c, "metallicity"), "class");
  return !strcmp(metals, "ZDist.Normal") ? "metallicity Normal" : json_text(json_get(c, "sfh"), "class") + 4;
}

/* How far a flux lies outside of what two fine integrations give: spectra between the grid's ages on straight lines in age (the reference), or on cubics in ln age. Where the light of
 * a history that has ended falls steeply between two ages, these differ by up to 7 %, and straight lines in ln age (this program) lie between. */
static double outside(const json *c, double flux, double hat, double cubic)
{
  const double low = fmin(hat, cubic), high = fmax(hat, cubic);
  return flux < low ? syn_error(c, flux, low) : flux > high ? syn_error(c, flux, high) : 0;
}

/* From the history's parameters. Driven with the reference's own hats the fluxes agree as on single nodes, so all the rest is the rule between ages. */
static void histories_agree(void **state)
{
  syn_named list[40];
  syn_worst same = {0};
  int n = 0, n_band = 0, n_far = 0, n_strict = 0, n_strict_far = 0;
  (void)state;
  size_t n_case;
  const syn_case *all = syn_cases(&n_case);
  if (!all) skip();
  for (size_t i = 0; i < n_case; i++) {
    const json *c = all[i].c;
    if (!all[i].has_history) continue;
    syn_named *g = syn_find(list, &n, syn_is_two_component(c) ? "two-component dust" : family_of(c));
    double hat[SYN_N_BAND];
    memcpy(hat, syn_hat_reference(&all[i]), sizeof hat);
    for (int b = 0; b < SYN_N_BAND && syn_is_madau(c); b++) hat[b] = (double)all[i].flux[SYN_HAT][b];   /* theirs are with the wrong formula */
    if (!syn_is_madau(c) && !json_get(c, "photometry_nJy_delta_lines") && !json_get(c, "dust_emission_points")) syn_compare(c, all[i].flux[SYN_HAT], hat, syn_well_integrated(c), &same);
    syn_compare(c, all[i].own, hat, syn_well_integrated(c), &g->chosen);
    g->every.n_case++;
    for (int b = 0; b < SYN_N_BAND; b++) {
      if (!is_judged(c, b)) continue;
      syn_count(&g->every, outside(c, (double)all[i].own[b], hat[b], (double)all[i].flux[SYN_CUBIC][b]), c, b);
      n_band++;
      n_far += syn_error(c, (double)all[i].own[b], hat[b]) > SYN_TOL_HISTORY;
      const bool is_strict = json_has_text(json_get(c, "strict_bands"), syn_band(b));
      n_strict += is_strict;
      n_strict_far += is_strict && syn_error(c, (double)all[i].own[b], hat[b]) > SYN_TOL_HISTORY;
    }
  }
  syn_head("from parameters, beside hats linear in age");
  for (int k = 0; k < n; k++) syn_row(list[k].name, &list[k].chosen);
  syn_row("driven with those hats instead", &same);
  syn_head("from parameters, outside of two fine integrations");
  for (int k = 0; k < n; k++) syn_row(list[k].name, &list[k].every);
  print_message("%d of %d bands differ from hats linear in age by more than %.0e; of the strict ones %d of %d\n", n_far, n_band, SYN_TOL_HISTORY, n_strict_far, n_strict);
  assert_true(n >= 10 && same.n > 250);
  assert_true(same.error <= SYN_TOL_DUST);
  for (int k = 0; k < n; k++)
    if (!(list[k].every.error <= SYN_TOL_HISTORY)) fail_msg("%s: %.1e", list[k].name, list[k].every.error);
}

/* With the reference's own rule between ages, nothing is left that the two codes do differently: every band, none of them left out but those where the dust law is a convention. */
static void linear_histories_agree(void **state)
{
  syn_named list[40];
  int n = 0, n_band = 0;
  (void)state;
  size_t n_case;
  const syn_case *all = syn_cases(&n_case);
  if (!all) skip();
  for (size_t i = 0; i < n_case; i++) {
    const json *c = all[i].c;
    if (!all[i].has_history) continue;
    syn_named *g = syn_find(list, &n, syn_is_two_component(c) ? "two-component dust" : family_of(c));
    const double *hat = syn_hat_reference(&all[i]);
    g->every.n_case++;
    for (int b = 0; b < SYN_N_BAND; b++) {
      if (!is_judged(c, b)) continue;
      syn_count(&g->every, syn_error(c, (double)all[i].own_linear[b], syn_is_madau(c) ? (double)all[i].flux[SYN_HAT][b] : hat[b]), c, b);   /* theirs are with the wrong formula */
      n_band++;
    }
  }
  syn_head("from parameters, age_interpolation: linear, beside hats linear in age");
  for (int k = 0; k < n; k++) syn_row(list[k].name, &list[k].every);
  assert_true(n_band > 1000);
  for (int k = 0; k < n; k++)
    if (!(list[k].every.error <= SYN_TOL_HISTORY)) fail_msg("%s: %.1e", list[k].name, list[k].every.error);
}

typedef struct distances { const char *name; int n; double value[124 * SYN_N_BAND]; } distances;

static void add_distances(distances *d, const syn_case *j, const float *flux)
{
  for (int b = 0; b < SYN_N_BAND; b++)
    if (is_judged(j->c, b)) d->value[d->n++] = syn_error(j->c, (double)flux[b], (double)j->flux[SYN_CUBIC][b]);
}

/* Whose integral is nearer to that of a smooth age dependence? Spectra between the grid's ages follow a cubic in ln age there, the mass goes in 200 steps between any two. */
static void fluxes_are_nearer_to_fine_integration(void **state)
{
  static distances d[3] = {{.name = "sedna"}, {.name = "hats linear in age"}, {.name = "Synthesizer's bins"}};
  (void)state;
  size_t n_case;
  const syn_case *all = syn_cases(&n_case);
  if (!all) skip();
  for (size_t i = 0; i < n_case; i++) {
    if (!all[i].has_history || syn_is_two_component(all[i].c)) continue;
    add_distances(&d[0], &all[i], all[i].own);
    add_distances(&d[1], &all[i], all[i].flux[SYN_HAT]);
    add_distances(&d[2], &all[i], all[i].flux[SYN_STEP_LOG_Z]);
  }
  print_message("\n| distance from fine integration | bands | median | 90 %% | 99 %% | worst |\n|---|---|---|---|---|---|\n");
  for (int k = 0; k < 3; k++) {
    qsort(d[k].value, (size_t)d[k].n, sizeof d[k].value[0], ascending);
    print_message("| %s | %d | %.1e | %.1e | %.1e | %.1e |\n", d[k].name, d[k].n, d[k].value[d[k].n / 2], d[k].value[d[k].n * 9 / 10], d[k].value[d[k].n * 99 / 100], d[k].value[d[k].n - 1]);
  }
  assert_true(d[0].n > 800);
  for (int k = 1; k < 3; k++) {
    assert_true(d[0].value[d[0].n / 2] < d[k].value[d[k].n / 2]);
    assert_true(d[0].value[d[0].n * 99 / 100] < d[k].value[d[k].n * 99 / 100]);
  }
}

/* The scoring that comes with the cases: a flux lies between the variants of the calculation, or not farther outside than they are apart. */
typedef struct scored { int n, n_inside, n_near; } scored;

/* `also`: a further variant, or NULL. */
static void score(const json *c, const float *flux, const float *also, double tolerance, scored *s)
{
  for (int b = 0; b < SYN_N_BAND; b++) {
    const json *e = json_get(json_get(c, "envelope_nJy"), syn_band(b));
    if (syn_is_extrapolated(c, b)) continue;
    const double more = also ? (double)also[b] : e->item[0]->number, low = fmin(e->item[0]->number, more), high = fmax(e->item[1]->number, more), f = (double)flux[b];
    const double slack = tolerance * fmax(high, json_number(c, "flux_floor_nJy", 0)), wide = fmax(slack, high - low);
    s->n++;
    s->n_inside += f >= low - slack && f <= high + slack;
    if (f >= low - wide && f <= high + wide) s->n_near++;
    else print_message("%s %s %s: %.6g nJy, variants %.6g to %.6g\n", json_text(c, "id"), json_text(c, "group"), syn_band(b), f, low, high);
  }
}

static void fluxes_lie_among_the_variants(void **state)
{
  scored weights = {0}, own = {0};
  (void)state;
  size_t n_case;
  const syn_case *all = syn_cases(&n_case);
  if (!all) skip();
  for (size_t i = 0; i < n_case; i++) {
    if (syn_is_madau(all[i].c)) continue;   /* the envelope is one number, with lines in pixels */
    score(all[i].c, all[i].flux[SYN_STEP], NULL, SYN_TOL_ALL_BANDS, &weights);
    if (all[i].has_history) score(all[i].c, all[i].own, all[i].flux[SYN_CUBIC], SYN_TOL_HISTORY, &own);
  }
  print_message("its masses on nodes: %d bands, %d within the variants widened by %.0e, %d within their width of it\n", weights.n, weights.n_inside, SYN_TOL_ALL_BANDS, weights.n_near);
  print_message("from parameters: %d bands, %d within the variants widened by %.0e, %d within their width of it\n", own.n, own.n_inside, SYN_TOL_HISTORY, own.n_near);
  assert_int_equal(weights.n_near, weights.n);
  assert_int_equal(own.n_near, own.n);
}

static int teardown(void **state)
{
  (void)state;
  syn_end();
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(histories_agree), cmocka_unit_test(linear_histories_agree), cmocka_unit_test(fluxes_are_nearer_to_fine_integration), cmocka_unit_test(fluxes_lie_among_the_variants)};
  return cmocka_run_group_tests_name("histories beside Synthesizer", tests, NULL, teardown);
}
