/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histories against Synthesizer 1.3.1: the mass that it found (scipy's quadrature) between linear midpoints of its grid's ages, the exact mean ages that
 * stand beside, and how far its weights and ours are from fine integration of a light that fades with age. */
#include <gsl/gsl_errno.h>
#include <gsl/gsl_integration.h>
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
#include "support/json.h"
#include "support/sfh_fixture.h"
#include "support/shared.h"
#include "support/synthesizer_case.h"

#define TOL_MASS 1e-9        /* of the mass, beside the error that the reference states of its own quadrature */
#define TOL_TABLE 2e-3       /* the same where the reference itself has the rate as a table (dense basis by a Gaussian process): it interpolates otherwise */
#define TOL_MEAN_AGE 1e-9    /* relative */
#define T_YR 2e10            /* the reference normalises over so much */
#define FADED_YR 1e6         /* light of a population: (1 + a / 1e6 yr)^-0.7, about that of 1500 A to V after a burst */

static json *root;
static double *age_yr;   /* of the grid's nodes */
static long n_age;
static gsl_integration_workspace *work;

static int setup(void **state)
{
  char path[4096], grid[4096];
  sdn_h5 *file;
  sdn_h5_shape shape;
  sdn_err err;
  (void)state;
  gsl_set_error_handler_off();
  work = gsl_integration_workspace_alloc(5000);
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) return 0;
  if (!shared_path("grids/bc03-2016-basel_chabrier03-0.1,100_nebular.hdf5", grid, sizeof grid)) return 0;
  if (sdn_h5_open(grid, &file, &err)) return -1;
  if (sdn_h5_read_double(file, "axes/ages", &age_yr, &shape, &err)) return -1;
  n_age = shape.dim[0];
  if (sdn_h5_close(file, &err)) return -1;
  return (root = json_read_file(path)) ? 0 : -1;
}

static int teardown(void **state)
{
  (void)state;
  json_free(root);
  sdn_release(age_yr);
  gsl_integration_workspace_free(work);
  return 0;
}

static sfh_built build_case(const json *c)
{
  static case_text t;
  t.n = 0;
  case_put_history(&t, c);
  return sfh_build(t.data);
}

/* ------------------------------------------------------------------ tests */

static void check_masses(const json *c, const sdn_sfh *h, double *worst, int *n_compared)
{
  const json *sfzh = json_get(c, "sfzh"), *index = json_get(sfzh, "age_index"), *mass = json_get(sfzh, "age_mass_Msun");
  const double total = json_number(c, "initial_mass_Msun", NAN), own_error = json_number(sfzh, "max_abs_quad_error", 0);
  const double tolerance = case_has_table(c) ? TOL_TABLE : TOL_MASS + 2 * own_error;
  for (size_t j = 0; j < index->n; j++) {
    const long k = (long)index->item[j]->number;
    const double from = k > 0 ? 0.5 * (age_yr[k - 1] + age_yr[k]) : 0, to = k + 1 < n_age ? 0.5 * (age_yr[k] + age_yr[k + 1]) : T_YR;
    const double got = sdn_sfh_mass_since(h, to) - sdn_sfh_mass_since(h, from), expected = mass->item[j]->number / total;
    if (!case_has_table(c)) *worst = fmax(*worst, fabs(got - expected) - own_error);
    if (!(fabs(got - expected) <= tolerance)) fail_msg("%s node %ld: %.12g of the mass, Synthesizer %.12g", json_text(c, "id"), k, got, expected);
    ++*n_compared;
  }
}

static void masses_and_mean_ages_agree(void **state)
{
  (void)state;
  if (!root) skip();
  const json *cases = json_get(root, "cases");
  int n_compared = 0, n_case = 0;
  double worst = 0, worst_age = 0;
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = cases->item[i];
    if (!json_get(c, "sfh") || json_get(c, "sfh")->kind != JSON_MAP) continue;
    sfh_built b = build_case(c);
    const sdn_sfh h = sfh_prepared(&b, T_YR);
    check_masses(c, &h, &worst, &n_compared);
    const double expected = json_number(json_get(c, "mass_weighted_age_yr"), "exact", NAN), got = sdn_sfh_mean_age_yr(&h);
    if (!case_has_table(c)) worst_age = fmax(worst_age, fabs(got / expected - 1));
    if (!(fabs(got / expected - 1) <= (case_has_table(c) ? TOL_TABLE : TOL_MEAN_AGE))) fail_msg("%s: mean age %.12g, reference %.12g", json_text(c, "id"), got, expected);
    n_case++;
    sfh_unbuild(&b);
  }
  print_message("%d bin masses of %d histories compared, largest difference beyond the reference's own error %.1e; mean ages %.1e\n", n_compared, n_case, worst, worst_age);
  assert_true(n_case > 50);
}

/* ------------------------------------------------------------------ whose weights are nearer to fine integration? */

static double light(double age) { return pow(1 + age / FADED_YR, -0.7); }
static double light_formed(double age, void *ctx) { return sdn_sfh_rate(ctx, age) * light(age); }

/* int rate light da between knots and decades of age. */
static double fine_light(const sdn_sfh *h)
{
  double sum = 0, value, error;
  gsl_function f = {light_formed, (void *)(uintptr_t)h};
  for (double a = 0, b; a < h->knot_yr[h->n_knot - 1]; a = b) {
    b = a > 0 ? 3 * a : 1e5;
    for (int k = 0; k < h->n_knot; k++)
      if (h->knot_yr[k] > a) b = fmin(b, h->knot_yr[k]);
    gsl_integration_qags(&f, a, b, 0, 1e-10, 5000, work, &value, &error);
    sum += value;
  }
  return sum;
}

static double light_of_reference(const json *c)
{
  const json *sfzh = json_get(c, "sfzh"), *index = json_get(sfzh, "age_index"), *mass = json_get(sfzh, "age_mass_Msun");
  double sum = 0;
  for (size_t j = 0; j < index->n; j++) sum += mass->item[j]->number * light(age_yr[(long)index->item[j]->number]);
  return sum / json_number(c, "initial_mass_Msun", NAN);
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* The same light by the nodes' values: straight lines in ln age under exact weights, or all mass between two midpoints at its node. */
static void weights_are_nearer_than_its(void **state)
{
  (void)state;
  if (!root) skip();
  const json *cases = json_get(root, "cases");
  double ours[200], its[200], *weight = malloc((size_t)n_age * sizeof *weight);
  int n = 0, n_nearer = 0;
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = cases->item[i];
    if (!json_get(c, "sfh") || json_get(c, "sfh")->kind != JSON_MAP || case_has_table(c)) continue;
    sfh_built b = build_case(c);
    const sdn_sfh h = sfh_prepared(&b, T_YR);
    const double fine = fine_light(&h);
    double sum = 0;
    sdn_sfh_weights(&h, (int)n_age, age_yr, weight);
    for (long k = 0; k < n_age; k++) sum += weight[k] * light(age_yr[k]);
    ours[n] = fabs(sum / fine - 1);
    its[n] = fabs(light_of_reference(c) / fine - 1);
    n_nearer += ours[n] < its[n];
    n++;
    sfh_unbuild(&b);
  }
  free(weight);
  qsort(ours, (size_t)n, sizeof *ours, ascending);
  qsort(its, (size_t)n, sizeof *its, ascending);
  print_message("error of a fading light beside fine integration, %d histories: ours median %.1e, worst %.1e; Synthesizer's weights median %.1e, worst %.1e; ours nearer in %d\n",
                n, ours[n / 2], ours[n - 1], its[n / 2], its[n - 1], n_nearer);
  assert_true(n > 50);
  assert_true(ours[n / 2] < its[n / 2] && ours[n - 1] < its[n - 1]);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(masses_and_mean_ages_agree), cmocka_unit_test(weights_are_nearer_than_its)};
  return cmocka_run_group_tests_name("sfh beside Synthesizer", tests, setup, teardown);
}
