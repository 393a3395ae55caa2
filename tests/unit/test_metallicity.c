/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Distributions of metallicities on a grid's nodes, against sums over many stars: midpoints in Z, or in the mass formed, each put on its nodes one by one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/metallicity.h"

#define TOL_SHARE 3e-9      /* of the whole: midpoints, N_STAR^-2 times the bends of the hats; floats beside that */
#define TOL_JOINT 1e-8      /* of the whole: what metallicity.h promises, the midpoints of N_FORMED stars being better */
#define TOL_FLOAT 6e-8      /* relative: one rounding to float */
#define TOL_MEAN 1e-9       /* relative */
#define N_STAR 200000
#define N_FORMED 400000
#define N_AGE 60
#define MAX_Z 13

static sdn_arena *arena;
static sdn_err err;
static double age_yr[N_AGE];

static int setup(void **state)
{
  (void)state;
  for (int i = 0; i < N_AGE; i++) age_yr[i] = pow(10, 5.5 + i * 4.7 / (N_AGE - 1));
  return (arena = sdn_arena_new(&err)) ? 0 : -1;
}

static int teardown(void **state)
{
  (void)state;
  sdn_arena_free(arena);
  return 0;
}

static double bc03[] = {0.0001, 0.0004, 0.004, 0.008, 0.02, 0.05}, bc03_log[6];
static double bpass[] = {1e-5, 1e-4, 1e-3, 2e-3, 3e-3, 4e-3, 6e-3, 8e-3, 0.01, 0.014, 0.02, 0.03, 0.04}, bpass_log[13];

static sdn_grid_axis axis_of(double *z, double *log_z, int n, bool log)
{
  for (int k = 0; k < n; k++) log_z[k] = log10(z[k]);
  return (sdn_grid_axis){.name = "metallicities", .n = n, .value = z, .coordinate = log ? log_z : z, .log = log};
}

/* A model of `stars` alone, its parameters fixed numbers. */
typedef struct fixture { sdn_prior *prior; sdn_metallicity *m; double params[16]; } fixture;

static sdn_status try_open(fixture *f, const sdn_grid_axis *axis, const char *yaml)
{
  sdn_yaml *root = NULL;
  *f = (fixture){0};
  if (sdn_yaml_parse(yaml, "m.yaml", &root, &err)) fail_msg("%s", err.text);
  sdn_status status = sdn_prior_new(&f->prior, &err);
  if (!status) status = sdn_metallicity_new(root, axis, f->prior, &f->m, &err);
  sdn_yaml_free(root);
  if (!status) status = sdn_prior_finish(f->prior, &err);
  if (!status && sdn_prior_n_free(f->prior) == 0) status = sdn_prior_params(f->prior, 1, NULL, f->params, &err);
  return status;
}

static void close_fixture(fixture *f)
{
  sdn_metallicity_free(f->m);
  sdn_prior_free(f->prior);
}

static fixture opened(const sdn_grid_axis *axis, const char *yaml)
{
  fixture f;
  if (try_open(&f, axis, yaml)) fail_msg("%s: %s", yaml, err.text);
  return f;
}

/* Put `mass` at metallicity z on the nodes, by the definition of interpolation. */
static void put_star(const sdn_grid_axis *a, double z, double mass, double *node_mass, int stride)
{
  int k = 0;
  while (k + 2 < a->n && z >= a->value[k + 1]) k++;
  const double t = a->log ? log(z / a->value[k]) / log(a->value[k + 1] / a->value[k]) : (z - a->value[k]) / (a->value[k + 1] - a->value[k]);
  node_mass[k * stride] += mass * (1 - t);
  node_mass[(k + 1) * stride] += mass * t;
}

typedef struct density { int kind; double a, b; } density;   /* 0 normal in Z, 1 normal in log10 Z, 2 exponential */

static double relative_density(const density *d, double z, double z_min)
{
  const double x = d->kind == 1 ? (log10(z) - d->a) / d->b : (z - d->a) / d->b;
  return d->kind == 2 ? exp(-(z - z_min) / d->a) : exp(-0.5 * x * x) / (d->kind == 1 ? z : 1);
}

/* Midpoints equal in ln Z, so that narrow nodes get theirs. */
static void sum_stars(const sdn_grid_axis *a, const density *d, double *share, double *mean)
{
  const double low = log(a->value[0]), high = log(a->value[a->n - 1]);
  double whole = 0, moment = 0;
  memset(share, 0, MAX_Z * sizeof *share);
  for (int j = 0; j < N_STAR; j++) {
    const double z = exp(low + (high - low) * (j + 0.5) / N_STAR), mass = z * relative_density(d, z, a->value[0]);
    put_star(a, z, mass, share, 1);
    whole += mass;
    moment += mass * z;
  }
  for (int k = 0; k < a->n; k++) share[k] /= whole;
  *mean = moment / whole;
}

static void check_spread(const sdn_grid_axis *a, const char *yaml, const density *d)
{
  double expected[MAX_Z], mean, mass[2] = {1, 0.25};
  float weight[2 * MAX_Z];
  fixture f = opened(a, yaml);
  assert_int_equal(sdn_metallicity_delta_param(f.m), -1);
  sum_stars(a, d, expected, &mean);
  if (sdn_metallicity_weights(f.m, f.params, NULL, INFINITY, 2, age_yr, mass, weight, arena, &err)) fail_msg("%s", err.text);
  double sum = 0;
  for (int k = 0; k < a->n; k++) {
    sum += (double)weight[2 * k];
    const double tolerance = TOL_SHARE + TOL_FLOAT * expected[k];
    if (!(fabs((double)weight[2 * k] - expected[k]) <= tolerance)) fail_msg("%s: node %d has %.12g, stars %.12g", yaml, k, (double)weight[2 * k], expected[k]);
    assert_true(fabsf(weight[2 * k + 1] - 0.25f * weight[2 * k]) <= 1e-7f * weight[2 * k] && weight[2 * k] >= 0);
  }
  assert_true(fabs(sum - 1) <= TOL_FLOAT);
  const double got = sdn_metallicity_mean(f.m, f.params, NULL);
  if (!(fabs(got - mean) <= TOL_MEAN * mean)) fail_msg("%s: mean %.12g, stars %.12g", yaml, got, mean);
  close_fixture(&f);
}

static void spreads_are_integrals(void **state)
{
  static const struct { const char *yaml; density d; } cases[] = {
    {"metallicity: {family: normal, mean: 0.0198, sigma: 0.00865}", {0, 0.0198, 0.00865}},
    {"metallicity: {family: normal, mean: 0.0041, sigma: 0.00005}", {0, 0.0041, 0.00005}},      /* far narrower than the nodes' distance */
    {"metallicity: {family: normal, mean: 0.0001, sigma: 0.01}", {0, 0.0001, 0.01}},            /* half of it beyond the grid */
    {"metallicity: {family: normal, mean: 0.01, sigma: 5}", {0, 0.01, 5}},                      /* flat */
    {"metallicity: {family: log_normal, log_mean: -2.3, sigma_dex: 0.3}", {1, -2.3, 0.3}},
    {"metallicity: {family: log_normal, log_mean: -1.5, sigma_dex: 0.01}", {1, -1.5, 0.01}},
    {"metallicity: {family: log_normal, log_mean: -3, sigma_dex: 20}", {1, -3, 20}},
    {"metallicity: {family: exponential, log_scale: -2}", {2, 0.01, 0}},
    {"metallicity: {family: exponential, log_scale: -4.5}", {2, 3.1622776601683795e-5, 0}},
    {"metallicity: {family: exponential, log_scale: 2}", {2, 100, 0}},
  };
  (void)state;
  for (int log = 0; log < 2; log++) {
    const sdn_grid_axis a = axis_of(bc03, bc03_log, 6, log), b = axis_of(bpass, bpass_log, 13, log);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
      check_spread(&a, cases[i].yaml, &cases[i].d);
      if (cases[i].d.kind != 1 || cases[i].d.a < -1.5) check_spread(&b, cases[i].yaml, &cases[i].d);
    }
  }
}

static void one_metallicity_is_two_nodes(void **state)
{
  (void)state;
  const sdn_grid_axis a = axis_of(bc03, bc03_log, 6, true);
  const double mass[] = {2, 3};
  float weight[12];
  const char *const same[] = {"log_metallicity: -2", "metallicity: {family: delta, log_metallicity: -2}"};
  for (int i = 0; i < 2; i++) {
    fixture f = opened(&a, same[i]);
    assert_int_equal(sdn_metallicity_delta_param(f.m), 0);
    assert_string_equal(sdn_metallicity_name(f.m), "delta");
    assert_true(fabs(sdn_metallicity_mean(f.m, f.params, NULL) - 0.01) < 1e-15);
    assert_int_equal(sdn_metallicity_weights(f.m, f.params, NULL, INFINITY, 2, age_yr, mass, weight, arena, &err), SDN_OK);
    const double t = log(0.01 / 0.008) / log(0.02 / 0.008);
    for (int k = 0; k < 6; k++)
      for (int j = 0; j < 2; j++) {
        const double expected = mass[j] * (k == 3 ? 1 - t : k == 4 ? t : 0);
        assert_true(fabs((double)weight[2 * k + j] - expected) <= TOL_FLOAT * expected);
      }
    close_fixture(&f);
  }
}

/* ---- metallicity and time */

/* A history on its own prior; its memory is the arena's. */
static void prepare(const char *yaml, double universe_yr, sdn_sfh *h)
{
  static double params[16];
  sdn_yaml *root = NULL;
  sdn_prior *prior = NULL;
  sdn_sfh_model *model = NULL;
  if (sdn_yaml_parse(yaml, "h.yaml", &root, &err) || sdn_prior_new(&prior, &err)) fail_msg("%s", err.text);
  const sdn_param_spec mass = {"log_mass_formed_msun", "", "10", 0, 15, ""};
  if (sdn_prior_add(prior, &mass, NULL, &err) || sdn_sfh_model_new(root, prior, &model, &err) || sdn_prior_finish(prior, &err)) fail_msg("%s", err.text);
  if (sdn_prior_params(prior, 1, NULL, params, &err)) fail_msg("%s", err.text);
  if (sdn_sfh_prepare(model, params, universe_yr, 1e10, arena, h, &err)) fail_msg("%s", err.text);
  sdn_yaml_free(root);
  sdn_sfh_model_free(model);
  sdn_prior_free(prior);
}

/* Z of the stars that formed when the mass younger than they are was m. */
typedef struct course { bool tied; double first, last, step_yr; } course;

/* Star j of N_FORMED, oldest last; the youngest are the lightest, so that the first nodes get many: m = s^3. */
static double star(int j, double *mass)
{
  const double s = (j + 0.5) / N_FORMED, d = 0.5 / N_FORMED;
  *mass = 2 * d * (3 * s * s + d * d);
  return s * s * s + s * d * d;   /* the middle of its share */
}

/* weight [n_z][N_AGE] */
static void form_stars(const sdn_grid_axis *a, const sdn_sfh *h, const course *c, double limit_yr, double *weight)
{
  memset(weight, 0, MAX_Z * N_AGE * sizeof *weight);
  for (int j = 0; j < N_FORMED; j++) {
    double mass;
    const double m = star(j, &mass), age = sdn_sfh_age_of_fraction(h, 1 - m);
    const double z = c->tied ? c->last + (c->first - c->last) * m : age < c->step_yr ? c->last : c->first;
    if (!(age < limit_yr)) return;
    int i = 0;
    while (i + 2 < N_AGE && age >= age_yr[i + 1]) i++;
    const double log_t = log(age / age_yr[i]) / log(age_yr[i + 1] / age_yr[i]), linear_t = (age - age_yr[i]) / (age_yr[i + 1] - age_yr[i]);
    const double t = fmin(fmax(h->linear_age ? linear_t : log_t, 0), 1);
    put_star(a, z, (1 - t) * mass, weight + i, N_AGE);
    put_star(a, z, t * mass, weight + i + 1, N_AGE);
  }
}

static void check_course(const char *what, const sdn_grid_axis *a, const sdn_sfh *h, const char *yaml, const course *c, double limit_yr)
{
  static double expected[MAX_Z * N_AGE], mass[N_AGE];
  static float weight[MAX_Z * N_AGE];
  fixture f = opened(a, yaml);
  sdn_sfh_weights_since(h, limit_yr, N_AGE, age_yr, mass);
  form_stars(a, h, c, limit_yr, expected);
  if (sdn_metallicity_weights(f.m, f.params, h, limit_yr, N_AGE, age_yr, mass, weight, arena, &err)) fail_msg("%s", err.text);
  const double cell = isinf(limit_yr) && c->tied ? TOL_JOINT : 3.0 / N_FORMED;   /* a limit or a step cuts one of the stars in two */
  for (int i = 0; i < N_AGE; i++) {
    double sum = 0;
    for (int k = 0; k < a->n; k++) {
      const double got = (double)weight[k * N_AGE + i], wanted = expected[k * N_AGE + i];
      sum += got;
      if (!(fabs(got - wanted) <= cell + TOL_FLOAT * wanted)) fail_msg("%s, %s: node %d, age %d: %.12g, stars %.12g", what, yaml, k, i, got, wanted);
      assert_true(got >= 0);
    }
    if (!(fabs(sum - mass[i]) <= TOL_FLOAT * mass[i])) fail_msg("%s, %s: age %d sums to %.12g of %.12g", what, yaml, i, sum, mass[i]);
  }
  double moment = 0;
  for (int j = 0; j < N_FORMED; j++) {
    const double m = (j + 0.5) / N_FORMED;
    moment += (c->tied ? c->last + (c->first - c->last) * m : m < sdn_sfh_mass_since(h, c->step_yr) ? c->last : c->first) / N_FORMED;
  }
  assert_true(fabs(sdn_metallicity_mean(f.m, f.params, h) - moment) <= 2.0 / N_FORMED * fmax(c->first, c->last));
  close_fixture(&f);
}

static const struct { const char *what, *yaml; double universe_yr; } histories[] = {
  {"delayed", "{family: delayed_exponential, age_gyr: 6, tau_gyr: 1.5}", 9e9},
  {"young delayed", "{family: delayed_exponential, age_gyr: 0.02, tau_gyr: 0.3}", 9e9},
  {"power law", "{family: double_power_law, tau_gyr: 2, alpha: 4, beta: 0.7}", 5.9e9},
  {"steps", "{family: continuity, n_bin: 6, log_sfr_ratios: [0.3, -0.8, 0.5, 1, -0.2]}", 1.3e10},
  {"quantiles", "{family: dense_basis, log_ssfr_per_yr: -9.5, gaps: [0.2, 0.45, 0.8]}", 3.2e9},
};
#define N_HISTORY (sizeof histories / sizeof *histories)

static void metals_follow_the_mass(void **state)
{
  (void)state;
  const char *const rising = "metallicity: {family: mass_tied, log_metallicity_start: -4, log_metallicity_final: -1.5}",
                   *const falling = "metallicity: {family: mass_tied, log_metallicity_start: -1.6, log_metallicity_final: -2.5}",
                   *const still = "metallicity: {family: mass_tied, log_metallicity_start: -2.2, log_metallicity_final: -2.2000001}";
  const course up = {true, 1e-4, pow(10, -1.5), 0}, down = {true, pow(10, -1.6), pow(10, -2.5), 0}, level = {true, pow(10, -2.2), pow(10, -2.2000001), 0};
  for (size_t i = 0; i < N_HISTORY; i++)
    for (int log = 0; log < 2; log++) {
      sdn_sfh h;
      const sdn_grid_axis a = axis_of(bc03, bc03_log, 6, log), b = axis_of(bpass, bpass_log, 13, log);
      prepare(histories[i].yaml, histories[i].universe_yr, &h);
      check_course(histories[i].what, &a, &h, rising, &up, INFINITY);
      check_course(histories[i].what, log ? &b : &a, &h, falling, &down, INFINITY);
      h.linear_age = true;
      check_course(histories[i].what, log ? &b : &a, &h, falling, &down, INFINITY);
      check_course(histories[i].what, &a, &h, rising, &up, 1e7);
      h.linear_age = false;
      if (log) {
        check_course(histories[i].what, &a, &h, still, &level, INFINITY);
        check_course(histories[i].what, &a, &h, rising, &up, 1e7);
      }
    }
}

static void a_step_splits_young_from_old(void **state)
{
  (void)state;
  const char *const yaml = "metallicity: {family: two_step, log_metallicity_old: -3, log_metallicity_young: -1.75, step_age_gyr: 0.3}";
  const course c = {false, 1e-3, pow(10, -1.75), 3e8};
  for (size_t i = 0; i < N_HISTORY; i++) {
    sdn_sfh h;
    const sdn_grid_axis a = axis_of(bc03, bc03_log, 6, true);
    prepare(histories[i].yaml, histories[i].universe_yr, &h);
    check_course(histories[i].what, &a, &h, yaml, &c, INFINITY);
    check_course(histories[i].what, &a, &h, yaml, &c, 1e7);
    check_course(histories[i].what, &a, &h, yaml, &c, 5e8);
  }
}

/* ---- reading */

static void refused(const char *yaml, sdn_status status, const char *word)
{
  fixture f;
  const sdn_grid_axis a = axis_of(bc03, bc03_log, 6, true);
  const sdn_status got = try_open(&f, &a, yaml);
  if (got != status || !strstr(err.text, word)) fail_msg("%s: status %d, '%s' is missing in: %s", yaml, got, word, err.text);
  close_fixture(&f);
}

static void mistakes_are_told(void **state)
{
  (void)state;
  refused("sfh: 1", SDN_USAGE, "log_metallicity");
  refused("log_metallicity: -2\nmetallicity: {family: delta, log_metallicity: -2}", SDN_USAGE, "either");
  refused("metallicity: -2", SDN_USAGE, "must be a map");
  refused("metallicity: {family: gaussian, mean: 0.01, sigma: 0.01}", SDN_USAGE, "known are delta");
  refused("metallicity: {family: log_norml, log_mean: -2, sigma_dex: 1}", SDN_USAGE, "did you mean 'log_normal'");
  refused("metallicity: {family: normal, mean: 0.01, sigma_dex: 0.1}", SDN_USAGE, "sigma_dex");
  refused("metallicity: {family: normal, mean: 0.01}", SDN_USAGE, "metallicity_sigma");
  refused("metallicity: {family: normal, mean: 0.06, sigma: 0.1}", SDN_RANGE, "0.05");
  refused("metallicity: {family: normal, mean: 0.02, sigma: 0}", SDN_RANGE, "metallicity_sigma");
  refused("log_metallicity: {prior: uniform, low: -5, high: -2}", SDN_RANGE, "-4");
  refused("metallicity: {family: two_step, log_metallicity_old: -3, log_metallicity_young: -1, step_age_gyr: 1}", SDN_RANGE, "log_metallicity_young");
  fixture f;
  const sdn_grid_axis a = axis_of(bc03, bc03_log, 6, true);
  const double mass = 1;
  float weight[6];
  f = opened(&a, "metallicity: {family: normal, mean: 0.01, sigma: 0.01}");
  f.params[1] = NAN;
  assert_int_equal(sdn_metallicity_weights(f.m, f.params, NULL, INFINITY, 1, age_yr, &mass, weight, arena, &err), SDN_NUMERIC);
  close_fixture(&f);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(one_metallicity_is_two_nodes), cmocka_unit_test(spreads_are_integrals), cmocka_unit_test(metals_follow_the_mass),
    cmocka_unit_test(a_step_splits_young_from_old), cmocka_unit_test(mistakes_are_told),
  };
  return cmocka_run_group_tests(tests, setup, teardown);
}
