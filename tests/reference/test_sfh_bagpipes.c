/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histories against BAGPIPES 1.3.6: mean ages and recent star formation of its cases, and the log-normals that it solved for numerically. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/json.h"
#include "support/sfh_fixture.h"
#include "support/shared.h"

/* BAGPIPES sums over ages 0.0025 dex (0.6 %) apart: a sharp edge inside of such a step moves by up to half of it. */
#define TOL_MEAN_AGE 3.5e-3     /* relative */
#define TOL_RECENT 7e-3        /* relative, of the mean rate over its 100 Myr, which end at the edge of a step */
#define TOL_LOG_NORMAL 1e-8    /* relative, of rates; its solution leaves 0.15 yr of 5e9 */

static json *root;

static int setup(void **state)
{
  char path[4096];
  (void)state;
  if (!shared_path("reference/bagpipes/cases.json", path, sizeof path)) return 0;
  return (root = json_read_file(path)) ? 0 : -1;
}

static int teardown(void **state)
{
  (void)state;
  json_free(root);
  return 0;
}

/* ------------------------------------------------------------------ from its components to our YAML */

typedef struct text { char data[4096]; size_t n; } text;

static void put(text *t, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  t->n += (size_t)vsnprintf(t->data + t->n, sizeof t->data - t->n, fmt, args);
  va_end(args);
}

/* Edges in Myr as here; dsfr are counted from the oldest pair on. */
static void put_continuity(text *t, const json *p)
{
  const json *edges = json_get(p, "bin_edges");
  char key[32];
  put(t, "family: continuity, lookback_edges_myr: [");
  for (size_t k = 0; k < edges->n; k++) put(t, "%s%.17g", k ? ", " : "", edges->item[k]->number);
  put(t, "], log_sfr_ratios: [");
  for (size_t k = edges->n - 2; k >= 1; k--) {
    snprintf(key, sizeof key, "dsfr%zu", k);
    put(t, "%s%.17g", k < edges->n - 2 ? ", " : "", json_number(p, key, NAN));
  }
  put(t, "]");
}

static bool put_component(text *t, const char *name, const json *p)
{
  static const struct { const char *name, *family, *key[3][2]; } form[] = {
    {"constant", "constant", {{"age_max", "lookback_start_gyr"}, {"age_min", "lookback_end_gyr"}}},
    {"exponential", "exponential", {{"age", "age_gyr"}, {"tau", "tau_gyr"}}},
    {"delayed", "delayed_exponential", {{"age", "age_gyr"}, {"tau", "tau_gyr"}}},
    {"lognormal", "log_normal", {{"tmax", "time_peak_gyr"}, {"fwhm", "fwhm_gyr"}}},
    {"dblplaw", "double_power_law", {{"tau", "time_turnover_gyr"}, {"alpha", "alpha"}, {"beta", "beta"}}},
    {"burst", "burst", {{"age", "age_gyr"}}},
  };
  if (strcmp(name, "continuity") == 0) {
    put_continuity(t, p);
    return true;
  }
  for (size_t f = 0; f < sizeof form / sizeof *form; f++) {
    if (strncmp(name, form[f].name, strlen(form[f].name)) != 0) continue;
    put(t, "family: %s", form[f].family);
    for (int k = 0; k < 3 && form[f].key[k][0]; k++) put(t, ", %s: %.17g", form[f].key[k][1], json_number(p, form[f].key[k][0], NAN));
    return true;
  }
  return false;
}

/* All components as a sum, each with its own mass. */
static sfh_built build_case(const json *c)
{
  const json *all = json_get(c, "bagpipes_model_components");
  text t = {"", 0};
  int n = 0;
  put(&t, "{family: sum, components: [");
  for (size_t k = 0; k < all->n; k++) {
    const double log_mass = json_number(all->item[k], "massformed", NAN);
    if (!isfinite(log_mass)) continue;
    put(&t, "%s{name: c%d, fraction: %.17g, ", n ? ", " : "", n, pow(10, log_mass - 8));
    if (!put_component(&t, all->key[k], all->item[k])) fail_msg("component %s is not known here", all->key[k]);
    put(&t, "}");
    n++;
  }
  put(&t, "]}");
  return sfh_build(t.data);
}

static void derived_quantities_agree(void **state)
{
  (void)state;
  if (!root) skip();
  const json *cases = json_get(root, "cases");
  double worst_age = 0, worst_recent = 0;
  int n = 0, n_recent = 0;
  for (size_t i = 0; i < cases->n; i++) {
    const json *c = cases->item[i], *derived = json_get(c, "derived");
    if (json_number(c, "unphysical", 0) != 0) continue;
    sfh_built b = build_case(c);
    const sdn_sfh h = sfh_prepared(&b, 1e9 * json_number(c, "age_of_universe_Gyr", NAN));
    const double age = json_number(derived, "mass_weighted_age", NAN), mass_msun = pow(10, json_number(derived, "formed_mass", NAN));
    const double off_age = fabs(sdn_sfh_mean_age_yr(&h) / (1e9 * age) - 1), recent = json_number(derived, "sfr", NAN) * 1e8 / mass_msun;
    worst_age = fmax(worst_age, off_age);
    if (!(off_age <= TOL_MEAN_AGE)) fail_msg("case %zu: mean age %.9g Gyr, BAGPIPES %.9g", i, sdn_sfh_mean_age_yr(&h) / 1e9, age);
    if (recent > 1e-4 && recent < 0.999) {   /* a hundredth of a per cent of the mass is one of its steps */
      const double off = fabs(sdn_sfh_mass_since(&h, 1e8) / recent - 1);
      worst_recent = fmax(worst_recent, off);
      if (!(off <= TOL_RECENT)) fail_msg("case %zu: %.9g of the mass in 100 Myr, BAGPIPES %.9g", i, sdn_sfh_mass_since(&h, 1e8), recent);
      n_recent++;
    }
    n++;
    sfh_unbuild(&b);
  }
  print_message("%d mean ages, worst %.1e; %d recent rates, worst %.1e\n", n, worst_age, n_recent, worst_recent);
  assert_true(n > 50 && n_recent > 20);
}

/* Its tau and T0 (ln yr) in its own formula give our rates but for the norm. */
static void log_normals_are_solved(void **state)
{
  (void)state;
  if (!root) skip();
  const json *cases = json_get(root, "cases");
  double worst = 0;
  int n = 0;
  for (size_t i = 0; i < cases->n; i++) {
    const json *solved = json_get(cases->item[i], "lognormal_solved");
    if (!solved || solved->kind != JSON_MAP) continue;
    sfh_built b = build_case(cases->item[i]);
    const double oldest_yr = 1e9 * json_number(cases->item[i], "age_of_universe_Gyr", NAN), tau = json_number(solved, "tau", NAN), t0 = json_number(solved, "t0_ln_yr", NAN);
    const sdn_sfh h = sfh_prepared(&b, oldest_yr);
    double first = 0;
    for (double share = 0.3; share < 1; share += 0.05) {
      const double t_yr = oldest_yr * share, plain = exp(-pow(log(t_yr) - t0, 2) / (2 * tau * tau)) / t_yr, ratio = sdn_sfh_rate(&h, oldest_yr - t_yr) / plain;
      if (!(first > 0)) first = ratio;
      worst = fmax(worst, fabs(ratio / first - 1));
      if (!(fabs(ratio / first - 1) <= TOL_LOG_NORMAL)) fail_msg("case %zu: rates at %g and %g yr differ from the formula's by %g", i, 0.3 * oldest_yr, t_yr, ratio / first - 1);
    }
    n++;
    sfh_unbuild(&b);
  }
  print_message("%d log-normals, worst ratio of rates off by %.1e\n", n, worst);
  assert_true(n > 5);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(derived_quantities_agree), cmocka_unit_test(log_normals_are_solved)};
  return cmocka_run_group_tests_name("sfh beside BAGPIPES", tests, setup, teardown);
}
