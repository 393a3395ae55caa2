/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dust emission: the energy it carries, its limits at both ends, the CMB, where it needs nodes, the fast path beside the plain one. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/dust_emission.h"
#include "support/dust_case.h"

#define TOL_ENERGY 1e-8     /* Simpson's rule in steps of 5e-4 of smooth light */
#define TOL_ENERGY_TABLE 1e-5   /* the same over the corners of a piecewise-linear table */
#define TOL_CLOSED 1e-9     /* closed forms, and Casey's small power law in the limits' tests */
#define TOL_FLOAT 2e-6      /* float32 sums of eight rows; black bodies: one rounding */
#define TOL_BAND 1e-4       /* what dust_emission.h promises of its nodes, ... */
#define FLOOR 2e-3          /* ... or of this part of the peak */
#define HC_OVER_K_A 1.438776877e8
#define FAR_A 1e12          /* thin light beyond it is 1e-20 of all */

static const char *const body_yaml[] = {
  "{law: modified_black_body, temperature_k: 30, cmb: none}",
  "{law: modified_black_body, temperature_k: 12, emissivity_index: 0, cmb: none}",
  "{law: modified_black_body, temperature_k: 700, emissivity_index: 2.7, cmb: none}",
  "{law: modified_black_body, optical_depth: thick, temperature_k: 45, emissivity_index: 1.9, cmb: none}",
  "{law: modified_black_body, optical_depth: thick, temperature_k: 90, emissivity_index: 4, lambda_0_um: 3000, cmb: none}",
  "{law: modified_black_body, optical_depth: thick, temperature_k: 20, emissivity_index: 0.5, lambda_0_um: 0.5, cmb: none}",
  "{law: casey12, temperature_k: 35, cmb: none}",
  "{law: casey12, temperature_k: 50, emissivity_index: 1.6, alpha: 1.4, lambda_0_um: 300, cmb: none}",
};
enum { N_BODY = sizeof body_yaml / sizeof *body_yaml };

static void bodies_carry_the_power(void **state)
{
  (void)state;
  for (int i = 0; i < N_BODY; i++) {
    dust_case c = dust_case_new(body_yaml[i]);
    const double power = dust_case_power(&c, 0, 91.2, FAR_A);
    if (!(fabs(power - 1) <= TOL_ENERGY)) fail_msg("%s: int L_nu d nu = 1 %+.2e Lsun", body_yaml[i], power - 1);
    dust_case_free(&c);
  }
}

static void tables_carry_the_power(void **state)
{
  (void)state;
  static const char *const yaml[] = {"{law: draine_li07}", "{law: draine_li07, q_pah_percent: 0.1, u_min: 0.1, gamma: 0}",
                                     "{law: draine_li07, q_pah_percent: 4.58, u_min: 25, gamma: 1}",
                                     "{law: draine_li07, q_pah_percent: 3.3, u_min: 9.1, gamma: 0.37}"};
  for (size_t i = 0; i < sizeof yaml / sizeof *yaml; i++) {
    dust_case c = dust_case_new(yaml[i]);
    const double power = dust_case_power(&c, 3, 1e4, 1e8);
    if (!(fabs(power - 1) <= TOL_ENERGY_TABLE)) fail_msg("%s: int L_nu d nu = 1 %+.2e Lsun", yaml[i], power - 1);
    dust_case_free(&c);
  }
}

static double log_slope(const dust_case *c, double wave_A)
{
  const double d = 1e-3;
  return log(dust_case_lnu(c, 0, wave_A * exp(d)) / dust_case_lnu(c, 0, wave_A * exp(-d))) / (2 * d);
}

/* L_nu ~ lambda^-(2+beta) far in the Rayleigh-Jeans tail (to hc/lambda k T / 2), and exp(-hc/lambda k T) lambda^-(3+beta) in Wien's; black where thick. */
static void ends_follow_rayleigh_jeans_and_wien(void **state)
{
  (void)state;
  dust_case thin = dust_case_new("{law: modified_black_body, temperature_k: 30, emissivity_index: 1.7, cmb: none}");
  dust_case thick = dust_case_new("{law: modified_black_body, optical_depth: thick, lambda_0_um: 5000, temperature_k: 30, emissivity_index: 2, cmb: none}");
  const double far_A = 1e11, tilt = HC_OVER_K_A / (30 * far_A), near_A = 1.5e5, x = HC_OVER_K_A / (30 * near_A);
  const double curvature = 1e-5;   /* of the second difference over 2e-3, at x = 32 */
  assert_true(fabs(log_slope(&thin, far_A) + 3.7) <= tilt);
  assert_true(fabs(log_slope(&thin, near_A) - (x - 4.7)) <= curvature * x);
  assert_true(fabs(log_slope(&thick, near_A) - (x - 3)) <= curvature * x);
  const double optically_thin = 1e-9;   /* tau / 2 at 10 cm */
  assert_true(fabs(log_slope(&thick, 1e9 * 100) + 4) <= tilt + optically_thin + 1e-6);
  dust_case_free(&thin);
  dust_case_free(&thick);
}

/* Casey 2012 eq. 3: at the turn the power law is as high as the black body, and far shortward it alone is left. */
static void casey_is_a_power_law_in_the_mid_infrared(void **state)
{
  (void)state;
  dust_case c = dust_case_new("{law: casey12, temperature_k: 35, alpha: 1.8, cmb: none}");
  const double slope = 26.68 + 6.246 * 1.8, turn_A = 0.75e4 / (1 / (slope * slope) + (1.905e-4 + 7.243e-5 * 1.8) * 35);
  const double near = 2e4, expected = 1.8 - 2 * near * near / (turn_A * turn_A);
  assert_true(fabs(log_slope(&c, near) - expected) <= 1e-6);
  const double tail = dust_case_lnu(&c, 0, near) / (pow(near / turn_A, 1.8) * exp(-near * near / (turn_A * turn_A)));   /* its amplitude */
  const double body = dust_case_lnu(&c, 0, turn_A) - tail * exp(-1);
  assert_true(fabs(body / tail - 1) <= TOL_CLOSED);
  assert_true(dust_case_lnu(&c, 0, 91.1) < 1e-20 * dust_case_lnu(&c, 0, 91.3));
  dust_case_free(&c);
}

/* da Cunha+2013: with the contrast, light carries what starlight gave less (T_CMB today / T)^(4+beta), thin or thick, at any redshift; with heating alone
 * (T_z / T)^(4+beta) times as much where thin. */
static void cmb_keeps_the_energy(void **state)
{
  (void)state;
  static const struct { const char *law; double temperature_K, beta; } row[] = {
    {"modified_black_body, emissivity_index: 1.5", 30, 1.5}, {"modified_black_body, emissivity_index: 2, optical_depth: thick, lambda_0_um: 200", 30, 2}};
  for (size_t i = 0; i < 2; i++)
    for (double z = 0; z < 15; z += 3.5) {
      char yaml[200];
      snprintf(yaml, sizeof yaml, "{law: %s, temperature_k: 30}", row[i].law);
      dust_case c = dust_case_new(yaml);
      const double power = dust_case_power(&c, z, 1e4, FAR_A), today = pow(2.73 / 30, 4);   /* thick dust: at most this */
      if (!(fabs(power - 1) <= today && power < 1)) fail_msg("%s at z = %g: %.8g Lsun", yaml, z, power);
      if (i == 0 && !(fabs(power - 1 + pow(2.73 / 30, 5.5)) <= TOL_ENERGY)) fail_msg("%s at z = %g: %.12g Lsun", yaml, z, power);
      dust_case_free(&c);
    }
  dust_case heated = dust_case_new("{law: modified_black_body, temperature_k: 30, emissivity_index: 2, cmb: heating}");
  const double factor = 1.148863, printed = 1e-6;   /* the project's notes: T 30 K, beta 2, z 7 */
  assert_true(fabs(dust_case_power(&heated, 7, 1e4, FAR_A) - factor) <= printed);
  const double ratio = dust_case_lnu(&heated, 7, 1e11) / dust_case_lnu(&heated, 0, 1e11);   /* Rayleigh-Jeans: as T */
  assert_true(fabs(ratio - 30.701950 / 30) <= printed);
  dust_case_free(&heated);
}

static void contrast_is_one_minus_a_ratio_of_planck_functions(void **state)
{
  (void)state;
  const double z = 5, hot_K = pow(pow(40, 5.5) + pow(2.73, 5.5) * (pow(6, 5.5) - 1), 1 / 5.5), cold_K = 2.73 * 6;
  dust_case seen = dust_case_new("{law: modified_black_body, temperature_k: 40}"),
      whole = dust_case_new("{law: modified_black_body, temperature_k: 40, cmb: heating}");
  for (double wave_A = 1e5; wave_A < 1e9; wave_A *= 1.7) {
    const double planck = expm1(HC_OVER_K_A / (wave_A * hot_K)) / expm1(HC_OVER_K_A / (wave_A * cold_K));
    const double got = dust_case_lnu(&seen, z, wave_A) / dust_case_lnu(&whole, z, wave_A);
    if (!(fabs(got - (1 - planck)) <= TOL_CLOSED)) fail_msg("at %g A: %.12g, expected %.12g", wave_A, got, 1 - planck);
  }
  dust_case_free(&seen);
  dust_case_free(&whole);
}

/* Draine & Li 2007 eq. 33: per dust mass, a distribution U^-2 from U_min to U_max emits <U> = ln(U_max/U_min) / (1/U_min - 1/U_max) as much as U = 1. The
 * share of the power that comes from it is then gamma <U> / ((1 - gamma) U_min + gamma <U>), which shows where the two kinds differ: at 24 um. */
static void mean_starlight_sets_the_shares(void **state)
{
  (void)state;
  const double u = 3, gamma = 0.2, mean_u = log(1e6 / u) / (1 / u - 1e-6), tolerance = 3e-3;   /* DL07's own tables keep U to 0.2 % */
  dust_case only = dust_case_new("{law: draine_li07, u_min: 3, gamma: 0}"), all = dust_case_new("{law: draine_li07, u_min: 3, gamma: 1}");
  dust_case mixed = dust_case_new("{law: draine_li07, u_min: 3, gamma: 0.2}");
  const double share = gamma * mean_u / ((1 - gamma) * u + gamma * mean_u);
  for (double wave_A = 2.4e5; wave_A < 1e7; wave_A *= 3) {
    const double expected = share * dust_case_lnu(&all, 0, wave_A) + (1 - share) * dust_case_lnu(&only, 0, wave_A), got = dust_case_lnu(&mixed, 0, wave_A);
    if (!(fabs(got / expected - 1) <= tolerance)) fail_msg("at %g A: %g, expected %g", wave_A, got, expected);
  }
  dust_case_free(&only);
  dust_case_free(&all);
  dust_case_free(&mixed);
}

/* ------------------------------------------------------------------ nodes and the fast path */

static const char *const wide_yaml[] = {
  "{law: modified_black_body, temperature_k: {prior: uniform, low: 15, high: 80}}",
  "{law: modified_black_body, temperature_k: 40, cmb: none}",
  "{law: modified_black_body, optical_depth: thick, temperature_k: {prior: uniform, low: 20, high: 90}, emissivity_index: {prior: uniform, low: 1, high: 2.5}}",
  "{law: casey12, temperature_k: {prior: uniform, low: 20, high: 60}, alpha: {prior: uniform, low: 1.5, high: 2.5}}",
  "{law: draine_li07, q_pah_percent: {prior: uniform, low: 0.5, high: 4}, u_min: {prior: log_uniform, low: 0.2, high: 20}, "
  "gamma: {prior: uniform, low: 0, high: 0.3}}",
  "{law: draine_li07}",
};
enum { N_WIDE = sizeof wide_yaml / sizeof *wide_yaml };

static void draw(const dust_case *c, int k)   /* parameters of the k-th of some galaxies */
{
  double z[16];
  sdn_err err;
  for (int i = 0; i < 16; i++) z[i] = 2.5 * sin(1 + 7.3 * k + 2.9 * i);
  assert_int_equal(sdn_prior_params(c->prior, 1, z, c->params, &err), SDN_OK);
}

static double linear(int n, const double *x, const float *y, double at)
{
  int low = 0, high = n - 1;
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    if (at >= x[middle])
      low = middle;
    else
      high = middle;
  }
  const double t = (at - x[low]) / (x[high] - x[low]);
  return (1 - t) * (double)y[low] + t * (double)y[high];
}

static void table_agrees_with_plain(void **state)
{
  (void)state;
  for (int i = 0; i < N_WIDE; i++) {
    dust_case c = dust_case_new(wide_yaml[i]);
    sdn_dust_table *t;
    sdn_dust_state s;
    sdn_err err;
    int n;
    const double *wave = sdn_dust_emission_waves_A(c.dust, &n);
    if (sdn_dust_table_new(c.dust, c.prior, n, wave, &t, &err)) fail_msg("%s", err.text);
    float *lnu = malloc((size_t)n * sizeof *lnu);
    double worst = 0;
    for (int k = 0; k < 12; k++) {
      draw(&c, k);
      assert_int_equal(sdn_dust_table_prepare(t, c.params, 0.7 * k, &s, &err), SDN_OK);
      for (int j = 0; j < n; j++) lnu[j] = 1e20f;   /* it adds */
      for (int j = 0; j < n; j += 50) sdn_dust_table_add(t, &s, 1e9, j, n - j < 50 ? n - j : 50, lnu + j);
      for (int j = 0; j < n; j++) {
        const double plain = sdn_dust_emission_lnu(c.dust, c.params, 0.7 * k, 1e9, wave[j]) + 1e20, error = fabs((double)lnu[j] / plain - 1);
        if (!(error <= TOL_FLOAT)) fail_msg("%s, draw %d, %g A: %.8g, plain %.8g", wide_yaml[i], k, wave[j], (double)lnu[j], plain);
        worst = fmax(worst, error);
      }
    }
    print_message("%s: %d nodes from %.3g A, float32 within %.1e\n", sdn_dust_emission_name(c.dust), n, wave[0], worst);
    free(lnu);
    sdn_dust_table_free(t);
    dust_case_free(&c);
  }
}

/* Flux in a band 6 % wide (photon counting) of a function, by fine steps. */
typedef double spectrum(const void *ctx, double wave_A);
static double band(spectrum *f, const void *ctx, double centre_A)
{
  double sum = 0, norm = 0;
  for (double x = -0.0599; x < 0.06; x += 2e-4) {
    const double wave_A = centre_A * (1 + x), weight = (1 - fabs(x) / 0.06) / wave_A;
    sum += weight * f(ctx, wave_A);
    norm += weight;
  }
  return sum / norm;
}

typedef struct pair { const dust_case *c; double z; int n; const double *wave; const float *lnu; } pair;
static double plain_light(const void *ctx, double wave_A) { return dust_case_lnu(((const pair *)ctx)->c, ((const pair *)ctx)->z, wave_A); }
static double node_light(const void *ctx, double wave_A)
{
  const pair *p = ctx;
  return linear(p->n, p->wave, p->lnu, wave_A);
}

static void nodes_keep_bands(void **state)
{
  (void)state;
  for (int i = 0; i < N_WIDE; i++) {
    dust_case c = dust_case_new(wide_yaml[i]);
    pair p = {.c = &c};
    double worst = 0;
    p.wave = sdn_dust_emission_waves_A(c.dust, &p.n);
    float *lnu = malloc((size_t)p.n * sizeof *lnu);
    p.lnu = lnu;
    for (int k = 0; k < 3; k++) {
      double top = 0;
      draw(&c, k);
      p.z = 2 * k;
      for (int j = 0; j < p.n; j++) lnu[j] = (float)plain_light(&p, p.wave[j]);
      for (int j = 0; j < p.n; j++) top = fmax(top, (double)lnu[j] / p.wave[j]);
      for (double centre = p.wave[0] * 1.1; centre < 9e7; centre *= 1.13) {
        const double exact = band(plain_light, &p, centre), error = fabs(band(node_light, &p, centre) - exact) / fmax(exact, FLOOR * top * centre);
        if (!(error <= TOL_BAND)) fail_msg("%s, draw %d: a band at %g A errs by %.1e", wide_yaml[i], k, centre, error);
        worst = fmax(worst, error);
      }
    }
    print_message("%s: bands within %.1e\n", sdn_dust_emission_name(c.dust), worst);
    free(lnu);
    dust_case_free(&c);
  }
}

/* ------------------------------------------------------------------ bad calls */

static void bad_yaml_is_refused(void **state)
{
  (void)state;
  static const struct { const char *yaml, *says; } row[] = {
    {"{law: modified_blackbody, temperature_k: 30}", "did you mean 'modified_black_body'"},
    {"{temperature_k: 30}", "law"},
    {"{law: modified_black_body}", "dust_temperature_k"},
    {"{law: modified_black_body, temperature_k: 30, lambda_0_um: 100}", "optical_depth: thick"},
    {"{law: modified_black_body, temperature_k: 30, optical_depth: grey}", "thin, thick"},
    {"{law: modified_black_body, temperature_k: 2}", "dust_temperature_k"},
    {"{law: modified_black_body, temperature_k: 30, alpha: 2}", "alpha"},
    {"{law: casey12, temperature_k: 30, optical_depth: thin}", "optical_depth"},
    {"{law: casey12, temperature_k: 30, cmb: contrast}", "heating_and_contrast"},
    {"{law: draine_li07, cmb: heating}", "modified_black_body"},
    {"{law: draine_li07, q_pah_percent: 5}", "q_pah_percent"},
    {"{law: draine_li07, u_min: {prior: uniform, low: 0, high: 2}}", "u_min"},
    {"{law: draine_li07, gama: 0.1}", "gamma"},
    {"draine_li07", "map"},
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    dust_case c;
    sdn_err err;
    const sdn_status status = dust_case_try(row[i].yaml, &c, &err);
    if (status != SDN_USAGE && status != SDN_RANGE) fail_msg("%s gave status %d", row[i].yaml, (int)status);
    if (!strstr(err.text, row[i].says)) fail_msg("%s: \"%s\" does not say %s", row[i].yaml, err.text, row[i].says);
  }
}

static void parameters_that_are_no_numbers_are_refused(void **state)
{
  (void)state;
  const double wave_A[2] = {1e5, 1e6};
  static const char *const yaml[] = {"{law: modified_black_body, temperature_k: 30}", "{law: draine_li07}", "{law: casey12, temperature_k: 30}"};
  for (size_t i = 0; i < 3; i++) {
    dust_case c = dust_case_new(yaml[i]);
    sdn_dust_table *t;
    sdn_dust_state s;
    sdn_err err;
    assert_int_equal(sdn_dust_table_new(c.dust, c.prior, 2, wave_A, &t, &err), SDN_OK);
    for (int p = 0; p < sdn_prior_n_param(c.prior); p++) {
      const double good = c.params[p];
      c.params[p] = NAN;
      assert_int_equal(sdn_dust_table_prepare(t, c.params, 1, &s, &err), SDN_RANGE);
      c.params[p] = good;
    }
    if (i != 1) assert_int_equal(sdn_dust_table_prepare(t, c.params, NAN, &s, &err), SDN_RANGE);
    assert_int_equal(sdn_dust_table_prepare(t, c.params, 1, &s, &err), SDN_OK);
    assert_true(sdn_dust_emission_hash(c.dust, 7) != sdn_dust_emission_hash(c.dust, 8));
    sdn_dust_table_free(t);
    dust_case_free(&c);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(bodies_carry_the_power), cmocka_unit_test(tables_carry_the_power), cmocka_unit_test(ends_follow_rayleigh_jeans_and_wien),
    cmocka_unit_test(casey_is_a_power_law_in_the_mid_infrared), cmocka_unit_test(cmb_keeps_the_energy),
    cmocka_unit_test(contrast_is_one_minus_a_ratio_of_planck_functions), cmocka_unit_test(mean_starlight_sets_the_shares),
    cmocka_unit_test(table_agrees_with_plain), cmocka_unit_test(nodes_keep_bands), cmocka_unit_test(bad_yaml_is_refused),
    cmocka_unit_test(parameters_that_are_no_numbers_are_refused),
  };
  return cmocka_run_group_tests_name("dust emission", tests, NULL, NULL);
}
