/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Histories from tables and particles, single bursts, and sums of histories: against plain loops over their definitions. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/table.h"
#include "support/scratch.h"
#include "support/sfh_fixture.h"

#define TOL 1e-12          /* of the mass: rounding of sums */
#define TOL_FLOAT 2e-7     /* of the mass: one rounding to single precision */
#define T_YR 1.3e10
#define N_STAR 3000
#define N_AGE 300          /* more than a sum's room for one pass */
#define N_Z 40             /* more than one strip */

static double node_yr[N_AGE];

static int setup(void **state)
{
  (void)state;
  for (int i = 0; i < N_AGE; i++) node_yr[i] = pow(10, 6 + 4.0 * i / (N_AGE - 1));
  return 0;
}

static void near(const char *what, double got, double expected, double tolerance)
{
  if (!(fabs(got - expected) <= tolerance)) fail_msg("%s: got %.15g, expected %.15g within %g", what, got, expected, tolerance);
}

/* Value of hat i of nodes x [n] at a place, constant beyond the ends. */
static double hat(int i, int n, const double *x, double at)
{
  if (at <= x[0]) return i == 0;
  if (at >= x[n - 1]) return i == n - 1;
  if (i > 0 && at > x[i - 1] && at <= x[i]) return (at - x[i - 1]) / (x[i] - x[i - 1]);
  if (i < n - 1 && at >= x[i] && at < x[i + 1]) return (x[i + 1] - at) / (x[i + 1] - x[i]);
  return 0;
}

/* ------------------------------------------------------------------ particles */

typedef struct star { double age_yr, metallicity, mass; } star;

static void make_stars(star *stars)
{
  for (int i = 0; i < N_STAR; i++) {
    sdn_rng rng = sdn_rng_at(1, SDN_STREAM_TEST, (uint64_t)i);
    stars[i] = (star){pow(10, 5 + 5.1 * sdn_rng_uniform(&rng)), pow(10, -5 + 4 * sdn_rng_uniform(&rng)), 1e4 * sdn_rng_uniform(&rng)};
  }
  stars[7].age_yr = 0;
  stars[8].metallicity = 0;
  stars[9].age_yr = node_yr[100];
  stars[10].age_yr = T_YR;
}

static sfh_built build_stars(const char *name, const star *stars)
{
  static const sdn_column column[3] = {{.name = "mass_msun"}, {.name = "age_yr"}, {.name = "metallicity"}};
  const char *path = scratch_file(name);
  char yaml[4200];
  sdn_table_out *t;
  sdn_err err;
  assert_int_equal(sdn_table_create(path, 3, column, 0, NULL, &t, &err), SDN_OK);
  for (int i = 0; i < N_STAR; i++) {
    const double row[3] = {stars[i].mass, stars[i].age_yr, stars[i].metallicity};
    assert_int_equal(sdn_table_append(t, 1, row, NULL, &err), SDN_OK);
  }
  assert_int_equal(sdn_table_finish(t, &err), SDN_OK);
  snprintf(yaml, sizeof yaml, "{family: particles, file: %s}", path);
  return sfh_build(yaml);
}

/* The coordinate in which hats of age are linear. */
static double in_hats(const sdn_sfh *h, double age_yr) { return h->linear_age ? age_yr : log(age_yr); }

static void check_star_weights(const sdn_sfh *h, const star *stars, double total, double limit_yr)
{
  double weight[N_AGE], expected[N_AGE] = {0}, node[N_AGE];
  for (int k = 0; k < N_AGE; k++) node[k] = in_hats(h, node_yr[k]);
  for (int i = 0; i < N_STAR; i++)
    for (int k = 0; k < N_AGE && stars[i].age_yr < limit_yr; k++) expected[k] += stars[i].mass / total * hat(k, N_AGE, node, in_hats(h, stars[i].age_yr));
  sdn_sfh_weights_since(h, limit_yr, N_AGE, node_yr, weight);
  for (int k = 0; k < N_AGE; k++) near("weight", weight[k], expected[k], TOL);
}

static void particles_are_hats(void **state)
{
  (void)state;
  static star stars[N_STAR];
  static const char *const names[3] = {"stars.csv", "stars.fits", "stars.h5"};
  double total = 0, mean_yr = 0;
  make_stars(stars);
  for (int i = 0; i < N_STAR; i++) total += stars[i].mass;
  for (int i = 0; i < N_STAR; i++) mean_yr += stars[i].mass / total * stars[i].age_yr;
  for (int f = 0; f < 3; f++) {
    sfh_built b = build_stars(names[f], stars);
    sdn_sfh h = sfh_prepared(&b, T_YR);
    h.linear_age = true;
    check_star_weights(&h, stars, total, INFINITY);
    check_star_weights(&h, stars, total, 1e7);
    h.linear_age = false;
    check_star_weights(&h, stars, total, INFINITY);
    check_star_weights(&h, stars, total, 1e7);
    check_star_weights(&h, stars, total, node_yr[100]);
    near("mean age", sdn_sfh_mean_age_yr(&h) / mean_yr, 1, TOL);
    for (double age_yr = 1e4; age_yr < 1e11; age_yr *= 3) {
      double younger = 0;
      for (int i = 0; i < N_STAR; i++) younger += stars[i].age_yr < age_yr ? stars[i].mass / total : 0;
      near("mass", sdn_sfh_mass_since(&h, age_yr), younger, TOL);
    }
    const double half_yr = sdn_sfh_age_of_fraction(&h, 0.5);
    assert_true(sdn_sfh_mass_since(&h, half_yr * (1 - 1e-9)) <= 0.5 && sdn_sfh_mass_since(&h, half_yr * (1 + 1e-9)) >= 0.5);
    assert_true(sdn_sfh_rate(&h, 1e8) == 0 && sdn_sfh_has_metallicity(&h));
    sfh_unbuild(&b);
  }
}

static void check_z_weights(const sdn_sfh *h, const star *stars, double total, double limit_yr, const double *coordinate)
{
  static float weight[N_Z * N_AGE];
  static double expected[N_Z * N_AGE];
  double node[N_AGE], sum = 0;
  memset(expected, 0, sizeof expected);
  for (int k = 0; k < N_AGE; k++) node[k] = in_hats(h, node_yr[k]);
  for (int i = 0; i < N_STAR; i++)
    for (int j = 0; j < N_Z && stars[i].age_yr < limit_yr; j++) {
      const double share = stars[i].mass / total * hat(j, N_Z, coordinate, coordinate[0] < 0 ? log10(stars[i].metallicity) : stars[i].metallicity);
      for (int k = 0; k < N_AGE && share > 0; k++) expected[j * N_AGE + k] += share * hat(k, N_AGE, node, in_hats(h, stars[i].age_yr));
    }
  sdn_sfh_particle_weights(h, limit_yr, N_AGE, node_yr, N_Z, coordinate, weight);
  for (int j = 0; j < N_Z * N_AGE; j++) {
    near("weight of age and metallicity", (double)weight[j], expected[j], TOL_FLOAT);
    sum += (double)weight[j];
  }
  near("sum", sum, sdn_sfh_mass_since(h, limit_yr), TOL_FLOAT * 10);
}

static void particles_have_metallicities(void **state)
{
  (void)state;
  static star stars[N_STAR];
  double total = 0, logarithm[N_Z], linear[N_Z];
  make_stars(stars);
  for (int i = 0; i < N_STAR; i++) total += stars[i].mass;
  for (int j = 0; j < N_Z; j++) {
    logarithm[j] = -4.5 + 3.0 * j / (N_Z - 1);
    linear[j] = 1e-4 + 0.05 * j / (N_Z - 1);
  }
  sfh_built b = build_stars("z.csv", stars);
  sdn_sfh h = sfh_prepared(&b, T_YR);
  h.linear_age = true;
  check_z_weights(&h, stars, total, INFINITY, logarithm);
  h.linear_age = false;
  check_z_weights(&h, stars, total, INFINITY, logarithm);
  check_z_weights(&h, stars, total, INFINITY, linear);
  check_z_weights(&h, stars, total, 3e8, logarithm);
  sfh_unbuild(&b);
}

/* A file's numbers belong to the physics; the same numbers under another name are the same. */
static void files_are_hashed(void **state)
{
  (void)state;
  static star stars[N_STAR];
  make_stars(stars);
  sfh_built a = build_stars("a.csv", stars), b = build_stars("b.fits", stars);
  stars[5].mass *= 1.0001;
  sfh_built c = build_stars("c.csv", stars), none = sfh_build("{family: constant}");
  assert_true(sdn_sfh_hash(a.model, 1) == sdn_sfh_hash(b.model, 1));
  assert_true(sdn_sfh_hash(a.model, 1) != sdn_sfh_hash(c.model, 1));
  assert_true(sdn_sfh_hash(a.model, 1) != sdn_sfh_hash(a.model, 2));
  assert_true(sdn_sfh_hash(none.model, 7) == 7);
  sfh_unbuild(&a);
  sfh_unbuild(&b);
  sfh_unbuild(&c);
  sfh_unbuild(&none);
}

static void bad_particles_are_refused(void **state)
{
  (void)state;
  static const char *const bad[][2] = {
    {"age_yr,mass_msun\n1e6,1\n", "metallicity"},
    {"age_yr,mass_msun,metallicity\n1e6,1,0.02\n-1,1,0.02\n", "row 2: age_yr is -1"},
    {"age_yr,mass_msun,metallicity\n1e6,1,1.5\n", "row 1: metallicity is 1.5"},
    {"age_yr,mass_msun,metallicity\n1e6,nan,0.02\n", "row 1: mass_msun is nan"},
    {"age_yr,mass_msun,metallicity\n1e6,0,0.02\n", "without any mass"},
    {"age_yr,mass_msun,metallicity\n", "without any mass"},
  };
  char yaml[4200];
  sdn_err err = {SDN_OK, -1, ""};
  sfh_built b;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    snprintf(yaml, sizeof yaml, "{family: particles, file: %s}", scratch_write_text("bad.csv", bad[i][0]));
    assert_int_not_equal(sfh_try(yaml, &b, &err), SDN_OK);
    if (!strstr(err.text, bad[i][1]) || !strstr(err.text, "sfh.yaml:1")) fail_msg("'%s' does not say %s", err.text, bad[i][1]);
    sfh_unbuild(&b);
  }
  static star stars[N_STAR];
  make_stars(stars);
  b = build_stars("old.csv", stars);
  sdn_sfh h;
  assert_int_equal(sdn_sfh_prepare(b.model, b.params, 0.9 * T_YR, 1, b.arena, &h, &err), SDN_RANGE);
  assert_non_null(strstr(err.text, "oldest particle formed 13 Gyr ago"));
  sfh_unbuild(&b);
}

static void burst_is_one_hat(void **state)
{
  (void)state;
  static const double age_gyr[4] = {0, 0.0001, 0.345, 13};
  double weight[N_AGE], ln_node[N_AGE];
  sfh_built b = sfh_build("{family: burst, age_gyr: 1}"), wide = sfh_build("{family: burst, age_gyr: 1, width_gyr: 0}");
  for (int k = 0; k < N_AGE; k++) ln_node[k] = log(node_yr[k]);
  for (int i = 0; i < 8; i++) {
    sfh_built *one = i % 2 ? &wide : &b;
    sfh_set(one, "age_gyr", age_gyr[i / 2]);
    const sdn_sfh h = sfh_prepared(one, T_YR);
    const double age_yr = age_gyr[i / 2] * 1e9;
    sdn_sfh_weights(&h, N_AGE, node_yr, weight);
    for (int k = 0; k < N_AGE; k++) near("burst", weight[k], hat(k, N_AGE, ln_node, log(age_yr)), TOL);
    near("mean age", sdn_sfh_mean_age_yr(&h), age_yr, TOL * T_YR);
    near("median age", sdn_sfh_age_of_fraction(&h, 0.5), age_yr, 1e-10 * T_YR);
    assert_true(sdn_sfh_mass_since(&h, age_yr * 0.999) == 0 && (sdn_sfh_mass_since(&h, age_yr * 1.001 + 1) == 1));
    assert_false(sdn_sfh_has_metallicity(&h));
  }
  sfh_unbuild(&b);
  sfh_unbuild(&wide);
}

/* ------------------------------------------------------------------ tabulated */

/* Trapezia of the table itself. */
static double table_mass(int n, const double *gyr, const double *sfr, double until)
{
  double sum = 0;
  for (int i = 0; i + 1 < n && gyr[i] < until; i++) {
    if (!(gyr[i + 1] > gyr[i])) continue;
    const double end = fmin(gyr[i + 1], until), rate = sfr[i] + (sfr[i + 1] - sfr[i]) * (end - gyr[i]) / (gyr[i + 1] - gyr[i]);
    sum += 0.5 * (sfr[i] + rate) * (end - gyr[i]);
  }
  return sum;
}

static void tables_are_straight_lines(void **state)
{
  (void)state;
  static const double gyr[6] = {0.1, 0.5, 1, 1, 4, 9}, sfr[6] = {2, 0, 3, 1, 10, 0.5};
  const char *path = scratch_write_text("sfh.csv", "sfr_msun_per_yr,lookback_gyr\n2,0.1\n0,0.5\n3,1\n1,1\n10,4\n0.5,9\n");
  char yaml[4200];
  snprintf(yaml, sizeof yaml, "{family: tabulated, file: %s}", path);
  sfh_built b[3] = {sfh_build("{family: tabulated, lookback_gyr: [0.1, 0.5, 1, 1, 4, 9], sfr_msun_per_yr: [2, 0, 3, 1, 10, 0.5]}"), sfh_build(yaml),
                    sfh_build("{family: tabulated, time_gyr: [0.1, 0.5, 1, 1, 4, 9], sfr_msun_per_yr: [2, 0, 3, 1, 10, 0.5]}")};
  for (int i = 0; i < 3; i++) {
    const bool cosmic = i == 2;
    const double oldest = cosmic ? 6.5 : 12, whole = table_mass(6, gyr, sfr, cosmic ? oldest : 9);   /* in cosmic time: the table goes on after now */
    const sdn_sfh h = sfh_prepared(&b[i], oldest * 1e9);
    for (double age = 0.05; age < oldest; age += 0.0713) {
      const double mass = cosmic ? 1 - table_mass(6, gyr, sfr, oldest - age) / whole : table_mass(6, gyr, sfr, age) / whole;
      near("mass of a table", sdn_sfh_mass_since(&h, age * 1e9), mass, TOL);
    }
    const double at = cosmic ? oldest - 2.5 : 2.5;
    near("rate of a table", sdn_sfh_rate(&h, at * 1e9) * whole * 1e9, 5.5, 1e-9);
  }
  assert_true(sdn_sfh_hash(b[0].model, 1) == sdn_sfh_hash(b[1].model, 1));
  for (int i = 0; i < 3; i++) sfh_unbuild(&b[i]);
}

static void table_before_and_after_its_time(void **state)
{
  (void)state;
  sdn_sfh h;
  sdn_err err = {SDN_OK, -1, ""};
  sfh_built b = sfh_build("{family: tabulated, time_gyr: [2, 3, 4], sfr_msun_per_yr: [1, 1, 1]}");
  assert_int_equal(sdn_sfh_prepare(b.model, b.params, 1.5e9, 1, b.arena, &h, &err), SDN_RANGE);
  assert_non_null(strstr(err.text, "no stars by cosmic time 1.5 Gyr"));
  h = sfh_prepared(&b, 1e10);
  near("ended 6 Gyr ago", sdn_sfh_mass_since(&h, 6e9), 0, 0);
  near("ended 6 Gyr ago", sdn_sfh_mass_since(&h, 7e9), 0.5, TOL);
  h = sfh_prepared(&b, 2.5e9);
  near("half an hour late", sdn_sfh_mass_since(&h, 0.25e9), 0.5, TOL);
  sfh_unbuild(&b);
  b = sfh_build("{family: tabulated, lookback_gyr: [0, 3], sfr_msun_per_yr: [1, 1]}");
  assert_int_equal(sdn_sfh_prepare(b.model, b.params, 1.5e9, 1, b.arena, &h, &err), SDN_RANGE);
  assert_non_null(strstr(err.text, "reaches back 3 Gyr"));
  sfh_unbuild(&b);
}

/* ------------------------------------------------------------------ sums */

static const char sum_yaml[] = "{family: sum, components: [{name: old, fraction: 3, family: delayed_exponential, age_gyr: 8, tau_gyr: 1}, "
                               "{name: none, fraction: 0, family: constant}, {name: burst, fraction: 1, family: burst, age_gyr: 0.2}]}";

static void sums_add_up(void **state)
{
  (void)state;
  double weight[N_AGE], first[N_AGE], second[N_AGE];
  sfh_built b = sfh_build(sum_yaml), old = sfh_build("{family: delayed_exponential, age_gyr: 8, tau_gyr: 1}"), burst = sfh_build("{family: burst, age_gyr: 0.2}");
  const sdn_sfh h = sfh_prepared(&b, T_YR), g = sfh_prepared(&old, T_YR), k = sfh_prepared(&burst, T_YR);
  for (int i = 0; i < 2; i++) {
    const double limit_yr = i ? 1e9 : INFINITY;
    sdn_sfh_weights_since(&h, limit_yr, N_AGE, node_yr, weight);
    sdn_sfh_weights_since(&g, limit_yr, N_AGE, node_yr, first);
    sdn_sfh_weights_since(&k, limit_yr, N_AGE, node_yr, second);
    for (int a = 0; a < N_AGE; a++) near("sum", weight[a], 0.75 * first[a] + 0.25 * second[a], 1e-9);   /* other panels where it is cut in passes */
  }
  near("mass", sdn_sfh_mass_since(&h, 1e9), 0.75 * sdn_sfh_mass_since(&g, 1e9) + 0.25, TOL);
  near("rate", sdn_sfh_rate(&h, 1e9) * T_YR, 0.75 * sdn_sfh_rate(&g, 1e9) * T_YR, TOL);
  near("mean age", sdn_sfh_mean_age_yr(&h) / T_YR, (0.75 * sdn_sfh_mean_age_yr(&g) + 0.25 * 2e8) / T_YR, TOL);
  near("median age", sdn_sfh_mass_since(&h, sdn_sfh_age_of_fraction(&h, 0.5)), 0.5, 1e-10);
  for (int i = 1; i < h.n_knot; i++) assert_true(h.knot_yr[i] > h.knot_yr[i - 1]);
  assert_true(h.n_part == 2);
  sfh_unbuild(&b);
  sfh_unbuild(&old);
  sfh_unbuild(&burst);
}

/* Parameters carry the component's name; formulas inside find their own component's first. A dense basis knows its own share of the mass. */
static void components_have_scopes(void **state)
{
  (void)state;
  sfh_built b = sfh_build("{family: sum, components: [{name: a, fraction: 0.25, family: dense_basis, log_ssfr_per_yr: -9.5, gaps: [0.5]}, {name: b, fraction: "
                          "1 - a_fraction, family: sum, components: [{name: x, fraction: 1, family: burst, age_gyr: 1}, {name: y, fraction: 1, family: burst, age_gyr: "
                          "2 * x_age_gyr}]}]}");
  static const char *const name[] = {"a_fraction", "a_t50", "a_log_ssfr_per_yr", "b_fraction", "b_x_fraction", "b_x_age_gyr", "b_y_age_gyr"};
  for (size_t i = 0; i < sizeof name / sizeof *name; i++)
    if (sdn_prior_param_index(b.prior, name[i]) < 0) fail_msg("no parameter %s", name[i]);
  const sdn_sfh h = sfh_prepared(&b, T_YR);
  /* log_sfr = log_mass_formed_msun + log_ssfr of the whole galaxy, which is the parameter that this scope finds */
  near("SFR now", sdn_sfh_rate(&h, 0) / pow(10, -9.5), 1, TOL);
  near("nested", sdn_sfh_mean_age_yr(&h.part[1]) / 1.5e9, 1, TOL);
  near("share", h.share[1], 0.75, TOL);
  sfh_unbuild(&b);
}

static void bad_sums_are_refused(void **state)
{
  (void)state;
  sdn_sfh h;
  sdn_err err = {SDN_OK, -1, ""};
  sfh_built b = sfh_build(sum_yaml);
  sfh_set(&b, "burst_age_gyr", 20);
  assert_int_equal(sdn_sfh_prepare(b.model, b.params, T_YR, 1, b.arena, &h, &err), SDN_RANGE);
  assert_non_null(strstr(err.text, "component 3, burst: age_gyr is 20"));
  sfh_set(&b, "burst_fraction", 0);
  sfh_set(&b, "old_fraction", 0);
  assert_int_equal(sdn_sfh_prepare(b.model, b.params, T_YR, 1, b.arena, &h, &err), SDN_RANGE);
  assert_non_null(strstr(err.text, "all components are 0"));
  sfh_set(&b, "old_fraction", NAN);
  assert_int_equal(sdn_sfh_prepare(b.model, b.params, T_YR, 1, b.arena, &h, &err), SDN_RANGE);
  sfh_unbuild(&b);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(particles_are_hats), cmocka_unit_test(particles_have_metallicities), cmocka_unit_test(files_are_hashed),
    cmocka_unit_test(bad_particles_are_refused), cmocka_unit_test(burst_is_one_hat), cmocka_unit_test(tables_are_straight_lines),
    cmocka_unit_test(table_before_and_after_its_time), cmocka_unit_test(sums_add_up), cmocka_unit_test(components_have_scopes),
    cmocka_unit_test(bad_sums_are_refused),
  };
  return cmocka_run_group_tests_name("sfh tables", tests, setup, NULL);
}
