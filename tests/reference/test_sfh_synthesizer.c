/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histories against Synthesizer 1.3.1: the mass that it found (scipy's quadrature) between linear midpoints of its grid's ages, and the exact mean ages that
 * stand beside. Its double power law runs in lookback time: the same function as here in a mirror, so t <-> a. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/h5.h"
#include "support/json.h"
#include "support/sfh_fixture.h"
#include "support/shared.h"

#define TOL_MASS 1e-9        /* of the mass, beside the error that the reference states of its own quadrature */
#define TOL_MEAN_AGE 1e-9    /* relative */

static json *root;
static sfh_built delayed, power_law;
static double *age_yr;   /* of the grid's nodes */
static long n_age;

static int setup(void **state)
{
  char path[4096], grid[4096];
  sdn_h5 *file;
  sdn_h5_shape shape;
  sdn_err err;
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) return 0;
  if (!shared_path("grids/bc03-2016-basel_chabrier03-0.1,100_nebular.hdf5", grid, sizeof grid)) return 0;
  delayed = sfh_build("{family: delayed_exponential, age_gyr: 1, tau_gyr: 1}");
  power_law = sfh_build("{family: double_power_law, tau_gyr: 1, alpha: 1, beta: 1}");
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
  sfh_unbuild(&delayed);
  sfh_unbuild(&power_law);
  sdn_release(age_yr);
  return 0;
}

typedef struct history { sdn_sfh h; double span_yr; bool mirrored; } history;

/* False for families that are not here. */
static bool read_history(const json *sfh, history *out)
{
  const char *name = json_text(sfh, "class");
  const json *p = json_get(sfh, "params");
  if (!name || json_number(p, "min_age_yr", 0) != 0) return false;
  out->span_yr = json_number(p, "max_age_yr", NAN);
  if (strcmp(name, "SFH.DelayedExponential") == 0) {
    sfh_set(&delayed, "age_gyr", out->span_yr / 1e9);
    sfh_set(&delayed, "tau_gyr", json_number(p, "tau_yr", NAN) / 1e9);
    out->mirrored = false;
  } else if (strcmp(name, "SFH.DoublePowerLaw") == 0) {
    sfh_set(&power_law, "tau_gyr", json_number(p, "peak_age_yr", NAN) / 1e9);
    sfh_set(&power_law, "alpha", json_number(p, "alpha", NAN));
    sfh_set(&power_law, "beta", -json_number(p, "beta", NAN));
    out->mirrored = true;
  } else {
    return false;
  }
  out->h = sfh_prepared(out->mirrored ? &power_law : &delayed, out->span_yr);
  return true;
}

static double mass_younger_than(const history *s, double age)
{
  return s->mirrored ? 1 - sdn_sfh_mass_since(&s->h, s->span_yr - age) : sdn_sfh_mass_since(&s->h, age);
}

static void masses_agree(void **state)
{
  (void)state;
  if (!root) skip();
  const json *cases = json_get(root, "cases");
  int n_compared = 0;
  double worst = 0;
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = cases->item[i], *sfzh = json_get(c, "sfzh"), *index = json_get(sfzh, "age_index"), *mass = json_get(sfzh, "age_mass_Msun");
    history s;
    if (!read_history(json_get(c, "sfh"), &s)) continue;
    const double total = json_number(c, "initial_mass_Msun", NAN), own_error = json_number(sfzh, "max_abs_quad_error", NAN);
    for (size_t j = 0; j < index->n; j++) {
      const long k = (long)index->item[j]->number;
      const double from = k > 0 ? 0.5 * (age_yr[k - 1] + age_yr[k]) : 0, to = k + 1 < n_age ? 0.5 * (age_yr[k] + age_yr[k + 1]) : s.span_yr;
      const double got = mass_younger_than(&s, fmin(to, s.span_yr)) - mass_younger_than(&s, fmin(from, s.span_yr)), expected = mass->item[j]->number / total;
      worst = fmax(worst, fabs(got - expected) - own_error);
      if (!(fabs(got - expected) <= TOL_MASS + 2 * own_error))
        fail_msg("%s node %ld: %.12g of the mass, Synthesizer %.12g", json_text(c, "id"), k, got, expected);
      n_compared++;
    }
  }
  print_message("%d bin masses compared, largest difference beyond the reference's own error %.1e\n", n_compared, worst);
  assert_true(n_compared > 0);
}

static void mean_ages_agree(void **state)
{
  (void)state;
  if (!root) skip();
  const json *cases = json_get(root, "cases");
  int n_compared = 0;
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = cases->item[i];
    history s;
    if (!read_history(json_get(c, "sfh"), &s)) continue;
    const double expected = json_number(json_get(c, "mass_weighted_age_yr"), "exact", NAN), ours = sdn_sfh_mean_age_yr(&s.h);
    const double got = s.mirrored ? s.span_yr - ours : ours;
    if (!(fabs(got / expected - 1) <= TOL_MEAN_AGE)) fail_msg("%s: mean age %.12g, reference %.12g", json_text(c, "id"), got, expected);
    n_compared++;
  }
  assert_true(n_compared > 0);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(masses_agree), cmocka_unit_test(mean_ages_agree)};
  return cmocka_run_group_tests_name("sfh beside Synthesizer", tests, setup, teardown);
}
