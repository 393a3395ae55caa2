/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra, lines and histories of the public interface against band fluxes, observables and closed forms: other roads to the same numbers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/galaxy.h"

#define LIGHT_A_S 2.99792458e18
#define FLOAT_SUM 3e-6         /* relative: float32 spectra summed in another order */
#define LINE_IN_BAND 3e-4      /* relative to the line: a difference of two float32 band fluxes of which the line is a tenth */
#define MASS 1e-12             /* relative: a telescoping sum of doubles */

static sdn_err err;
enum { MAX_PARAM = 64 };

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

static void near(const char *what, double a, double b, double tolerance)
{
  if (!(fabs(a - b) <= tolerance * fabs(b))) fail_msg("%s: %.9g, expected %.9g (off by %.2g)", what, a, b, a / b - 1);
}

#define STARS "grid: bc03-miles-kroupa\nredshift: {prior: uniform, low: 0.5, high: 4}\n" \
  "stars: {log_mass_formed_msun: {prior: uniform, low: 9, high: 11}, log_metallicity: -2, " \
  "sfh: {family: delayed_exponential, age_gyr: 1, tau_gyr: {prior: uniform, low: 0.2, high: 2}}}\n" \
  "dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 1}}\n"

typedef struct machine { sdn_model *model; sdn_forward *forward; double params[MAX_PARAM]; } machine;

/* A galaxy at prior coordinates z, the same for all parameters. */
static machine make(const char *yaml, int n_band, const char *const *band, double z)
{
  machine m = {0};
  double coordinates[MAX_PARAM];
  must(sdn_model_parse(yaml, "test", &m.model, &err));
  must(sdn_forward_new_over(m.model, n_band, band, 0, INFINITY, &m.forward, &err));
  assert_true(sdn_prior_n_param(sdn_model_prior(m.model)) <= MAX_PARAM);
  for (int k = 0; k < MAX_PARAM; k++) coordinates[k] = z;
  must(sdn_prior_params(sdn_model_prior(m.model), 1, coordinates, m.params, &err));
  return m;
}

static void unmake(machine *m)
{
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

static double param(const machine *m, const char *name) { return m->params[sdn_prior_param_index(sdn_model_prior(m->model), name)]; }

/* Photon-counting mean of a piecewise linear spectrum through a top-hat, segment by segment in closed form: int f dl/l / ln(high/low). */
static double tophat_mean(long n, const double *wave_A, const double *fnu, double low, double high)
{
  double sum = 0;
  for (long j = 0; j + 1 < n; j++) {
    const double a = fmax(wave_A[j], low), b = fmin(wave_A[j + 1], high);
    if (!(b > a)) continue;
    const double slope = (fnu[j + 1] - fnu[j]) / (wave_A[j + 1] - wave_A[j]), level = fnu[j] - slope * wave_A[j];
    sum += level * log(b / a) + slope * (b - a);
  }
  return sum / log(high / low);
}

/* A bare-star model has no lines: its band flux is the mean of its spectrum. Without IGM the observed spectrum is L_nu (1+z)/(4 pi d^2). */
static void spectra_give_the_fluxes(void **state)
{
  (void)state;
  static const char *const band[] = {"tophat:5000:6000", "tophat:15000:18000"};
  machine m = make(STARS "nebular: none\nigm: none\n", 2, band, 0.3);
  long n;
  float flux[2];
  const double *rest = sdn_forward_wave_A(m.forward, &n), stretch = 1 + param(&m, "redshift");
  float *lnu = calloc((size_t)(2 * n), sizeof *lnu);
  double *wave = calloc((size_t)n, sizeof *wave), *fnu = calloc((size_t)n, sizeof *fnu), two[2 * MAX_PARAM];
  const int n_param = sdn_prior_n_param(sdn_model_prior(m.model));
  memcpy(two, m.params, (size_t)n_param * sizeof *two);
  memcpy(two + n_param, m.params, (size_t)n_param * sizeof *two);
  two[n_param + sdn_prior_param_index(sdn_model_prior(m.model), "log_mass_formed_msun")] += 1;
  must(sdn_forward_flux(m.forward, 1, m.params, flux, NULL, &err));
  must(sdn_forward_spectra(m.forward, 2, two, lnu, NULL, &err));
  const double njy = sdn_cosmology_njy_per_lnu(m.model->cosmology, param(&m, "redshift"));
  for (long j = 0; j < n; j++) {
    wave[j] = rest[j] * stretch;
    fnu[j] = (double)lnu[j] * njy;
    if (lnu[j] > 0) near("ten times the mass", (double)lnu[n + j], 10 * (double)lnu[j], FLOAT_SUM);
  }
  for (int b = 0; b < 2; b++) near(band[b], tophat_mean(n, wave, fnu, b ? 15000 : 5000, b ? 18000 : 6000), (double)flux[b], FLOAT_SUM);
  double *wave_2 = calloc((size_t)n, sizeof *wave_2), *fnu_2 = calloc((size_t)n, sizeof *fnu_2);
  must(sdn_forward_spectrum(m.forward, m.params, &n, wave_2, fnu_2, &err));
  for (long j = 0; j < n; j++)
    if (fnu[j] > 0) near("observed spectrum", fnu_2[j], fnu[j], FLOAT_SUM);
  free(lnu);
  free(wave);
  free(fnu);
  free(wave_2);
  free(fnu_2);
  unmake(&m);
}

static int line_named(const sdn_forward *f, const char *name)
{
  for (int l = 0; l < sdn_forward_n_line(f); l++)
    if (!strcmp(sdn_forward_line_name(f, l), name)) return l;
  fail_msg("there is no line %s", name);
  return -1;
}

/* Against the observables of one line each, which are computed band by band, and against what a line adds to a top-hat: F lambda / (c ln(high/low)). */
static void lines_agree_with_observables(void **state)
{
  (void)state;
  static const char *const band[] = {"line:H 1 6562.80A", "line_luminosity:H 1 6562.80A", "line_ew:H 1 6562.80A", "line:H 1 1215.67A", "line_ew:H 1 1215.67A",
                                     "line_luminosity:H 1 1215.67A"};
  enum { N = 6, N_GALAXY = 5 };
  for (int i = 0; i < N_GALAXY; i++) {
    machine m = make(STARS "igm: inoue14\nnebular: {log_u: -2}\n", N, band, -1 + 0.5 * i);
    const int n_line = sdn_forward_n_line(m.forward), alpha = line_named(m.forward, "H 1 6562.80A"), ly = line_named(m.forward, "H 1 1215.67A");
    double *value = calloc((size_t)(3 * n_line), sizeof *value);
    const sdn_line_values out = {value, value + n_line, value + 2 * n_line};
    float flux[N];
    must(sdn_forward_flux(m.forward, 1, m.params, flux, NULL, &err));
    must(sdn_forward_lines(m.forward, 1, m.params, &out, NULL, &err));
    near("flux of H alpha", out.flux_erg_s_cm2[alpha] * 1e20, (double)flux[0], FLOAT_SUM);
    near("luminosity of H alpha", out.luminosity_erg_s[alpha] * 1e-40, (double)flux[1], FLOAT_SUM);
    near("width of H alpha", out.equivalent_width_A[alpha], (double)flux[2], FLOAT_SUM);
    near("flux of Ly alpha", out.flux_erg_s_cm2[ly] * 1e20, (double)flux[3], FLOAT_SUM);
    near("width of Ly alpha", out.equivalent_width_A[ly], (double)flux[4], FLOAT_SUM);
    near("luminosity of Ly alpha", out.luminosity_erg_s[ly] * 1e-40, (double)flux[5], FLOAT_SUM);
    const double z = param(&m, "redshift"), tau = sdn_igm_tau(m.model->igm, z, 1, 1215.67 * (1 - 1e-6));
    const double area = (1 + z) / (sdn_cosmology_njy_per_lnu(m.model->cosmology, z) * 1e-32);   /* 4 pi d_L^2 */
    near("IGM on Ly alpha", out.flux_erg_s_cm2[ly] * area, out.luminosity_erg_s[ly] * exp(-tau), 1e-5);
    free(value);
    unmake(&m);
  }
}

static void a_line_adds_its_flux_to_a_band(void **state)
{
  (void)state;
  static const char *const none[] = {"tophat:8300:8400"};   /* H alpha at z 0.27 .. 0.28 alone (no [N II] further than 8340 +- 30) */
  const char *yaml = "grid: bc03-miles-kroupa\nredshift: 0.273\nstars: {log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: delayed_exponential, age_gyr: 0.1, tau_gyr: 1}}\n"
                     "igm: none\ndust: none\nnebular: {log_u: -2}\n";
  machine m = make(yaml, 1, none, 0);
  const int n_line = sdn_forward_n_line(m.forward);
  long n;
  float flux;
  double *value = calloc((size_t)n_line, sizeof *value);
  const sdn_line_values out = {.flux_erg_s_cm2 = value};
  must(sdn_forward_flux(m.forward, 1, m.params, &flux, NULL, &err));
  must(sdn_forward_lines(m.forward, 1, m.params, &out, NULL, &err));
  must(sdn_forward_spectrum(m.forward, m.params, &n, NULL, NULL, &err));
  double *wave = calloc((size_t)n, sizeof *wave), *fnu = calloc((size_t)n, sizeof *fnu), sum = 0;
  must(sdn_forward_spectrum(m.forward, m.params, &n, wave, fnu, &err));
  for (int l = 0; l < n_line; l++) {
    const double at = sdn_forward_line_wave_A(m.forward, l) * 1.273;
    if (at > 8300 && at < 8400) sum += value[l] * at / (LIGHT_A_S * log(8400. / 8300.)) * 1e32;
  }
  assert_true(sum > 0.1 * (double)flux);
  near("lines in the band", (double)flux - tophat_mean(n, wave, fnu, 8300, 8400), sum, LINE_IN_BAND);
  free(value);
  free(wave);
  free(fnu);
  unmake(&m);
}

/* What is not asked for is not touched, and many galaxies give what each gives alone. */
static void lines_of_many(void **state)
{
  (void)state;
  enum { N = 300 };   /* more than a tile */
  machine m = make(STARS "nebular: {log_u: -2}\n", 0, NULL, 0);
  const int n_line = sdn_forward_n_line(m.forward), n_param = sdn_prior_n_param(sdn_model_prior(m.model)), n_free = sdn_prior_n_free(sdn_model_prior(m.model));
  double *z = calloc((size_t)(N * n_free), sizeof *z), *params = calloc((size_t)(N * n_param), sizeof *params);
  double *all = calloc((size_t)(N * n_line), sizeof *all), *one = calloc((size_t)n_line, sizeof *one);
  for (int i = 0; i < N * n_free; i++) z[i] = -1.5 + 3.0 * ((i * 7919) % 1000) / 1000;
  must(sdn_prior_params(sdn_model_prior(m.model), N, z, params, &err));
  const sdn_line_values of_all = {.luminosity_erg_s = all}, of_one = {.luminosity_erg_s = one};
  must(sdn_forward_lines(m.forward, N, params, &of_all, &(sdn_run){.n_thread = 2}, &err));
  for (int i = 0; i < N; i += 37) {
    must(sdn_forward_lines(m.forward, 1, params + i * n_param, &of_one, NULL, &err));
    for (int l = 0; l < n_line; l++) near("a line", all[i * n_line + l], one[l], FLOAT_SUM);
  }
  free(z);
  free(params);
  free(all);
  free(one);
  unmake(&m);
}

/* What else is asked for changes nothing: a nucleus whose strength is its share of light where dust shines, and lines of both. */
static void a_nucleus_and_dust(void **state)
{
  (void)state;
  static const char *const band[] = {"line_luminosity:agn_broad_h_alpha", "line_ew:H 1 1.87510m", "tophat:200000:300000"};
  machine m = make(STARS "nebular: {log_u: -2}\ndust_emission: {law: draine_li07}\nagn: {disc: broken_power_law, fraction: 0.5, fraction_wave_A: 50000, "
                         "lines: {broad_covering_fraction: 0.1, broad_fwhm_km_s: 4000, narrow_covering_fraction: 0.1, narrow_fwhm_km_s: 500}}\n",
                   3, band, 0.4);
  const int n_line = sdn_forward_n_line(m.forward), broad = line_named(m.forward, "agn_broad_h_alpha"), paschen = line_named(m.forward, "H 1 1.87510m");
  double *value = calloc((size_t)(3 * n_line), sizeof *value);
  const sdn_line_values one = {.luminosity_erg_s = value}, two = {.luminosity_erg_s = value + n_line, .equivalent_width_A = value + 2 * n_line};
  long n;
  float flux[3];
  must(sdn_forward_flux(m.forward, 1, m.params, flux, NULL, &err));
  must(sdn_forward_lines(m.forward, 1, m.params, &one, NULL, &err));
  must(sdn_forward_lines(m.forward, 1, m.params, &two, NULL, &err));
  for (int l = 0; l < n_line; l++) near("a line", one.luminosity_erg_s[l], two.luminosity_erg_s[l], FLOAT_SUM);
  near("broad H alpha", one.luminosity_erg_s[broad] * 1e-40, (double)flux[0], FLOAT_SUM);
  near("width of Paschen alpha", two.equivalent_width_A[paschen], (double)flux[1], FLOAT_SUM);
  const double *rest = sdn_forward_wave_A(m.forward, &n), stretch = 1 + param(&m, "redshift");
  float *lnu = calloc((size_t)n, sizeof *lnu);
  double *fnu = calloc((size_t)n, sizeof *fnu), *wave = calloc((size_t)n, sizeof *wave), lines = 0;
  must(sdn_forward_spectra(m.forward, 1, m.params, lnu, NULL, &err));
  const double njy = sdn_cosmology_njy_per_lnu(m.model->cosmology, param(&m, "redshift"));
  for (long j = 0; j < n; j++) {
    wave[j] = rest[j] * stretch;
    fnu[j] = (double)lnu[j] * njy;
  }
  for (int l = 0; l < n_line; l++) {
    const double at = sdn_forward_line_wave_A(m.forward, l) * stretch;
    if (at > 200000 && at < 300000) lines += value[l] * njy / stretch * at / (LIGHT_A_S * log(1.5));
  }
  near("a band where dust shines", tophat_mean(n, wave, fnu, 200000, 300000) + lines, (double)flux[2], FLOAT_SUM);
  free(value);
  free(lnu);
  free(fnu);
  free(wave);
  unmake(&m);
}

/* Delayed exponential seen 1 Gyr after its onset: psi ~ t exp(-t/tau). */
static void history_sums_to_the_mass(void **state)
{
  (void)state;
  enum { N = 500 };
  machine m = make(STARS, 0, NULL, 0.7);
  double edge[N + 1], sfr[N], sum = 0;
  for (int i = 0; i <= N; i++) edge[i] = 1.2e9 * i / N;
  must(sdn_forward_sfh(m.forward, m.params, N, edge, sfr, &err));
  const double mass = pow(10, param(&m, "log_mass_formed_msun")), tau = 1e9 * param(&m, "tau_gyr"), x = 1e9 / tau;
  const double norm = mass / (tau * tau * (1 - (1 + x) * exp(-x)));
  for (int i = 0; i < N; i++) {
    const double t = 1e9 - 0.5 * (edge[i] + edge[i + 1]);
    sum += sfr[i] * (edge[i + 1] - edge[i]);
    if (t > 5e7) near("rate", sfr[i], norm * t * exp(-t / tau), 1e-4);   /* the middle of a bin against its mean */
    if (t < -3e6) assert_true(fabs(sfr[i]) <= MASS * mass / 1e6);
  }
  near("mass", sum, mass, MASS);
  assert_int_equal(sdn_forward_sfh(m.forward, m.params, 2, (const double[]){0, 1e9, 1e9}, sfr, &err), SDN_USAGE);
  assert_int_equal(sdn_forward_sfh(m.forward, m.params, 1, (const double[]){NAN, 1e9}, sfr, &err), SDN_USAGE);
  unmake(&m);
}

static void mistakes(void **state)
{
  (void)state;
  machine m = make(STARS, 0, NULL, 0);
  float one;
  const sdn_line_values nothing = {0};
  assert_int_equal(sdn_forward_spectra(m.forward, -1, m.params, &one, NULL, &err), SDN_USAGE);
  assert_int_equal(sdn_forward_lines(m.forward, -1, m.params, &nothing, NULL, &err), SDN_USAGE);
  m.params[sdn_prior_param_index(sdn_model_prior(m.model), "a_v_mag")] = NAN;
  assert_int_equal(sdn_forward_lines(m.forward, 1, m.params, &nothing, NULL, &err), SDN_NUMERIC);
  assert_int_equal(err.row, 0);
  unmake(&m);
}

/* Spectra reach as far as is asked, bands or not. */
static void range(void **state)
{
  (void)state;
  sdn_model *model;
  sdn_forward *wide, *bands;
  long n_wide, n_bands;
  must(sdn_model_parse(STARS, "test", &model, &err));
  must(sdn_forward_new_over(model, 0, NULL, 300, 25000, &wide, &err));
  must(sdn_forward_new(model, 0, NULL, &bands, &err));
  const double *w = sdn_forward_wave_A(wide, &n_wide), *b = sdn_forward_wave_A(bands, &n_bands);
  assert_true(w[0] <= 300 && w[n_wide - 1] >= 25000);
  assert_true(b[0] > 300 && b[n_bands - 1] < 25000);
  for (long j = 1; j < n_wide; j++) assert_true(w[j] >= w[j - 1]);
  sdn_forward_free(wide);
  sdn_forward_free(bands);
  sdn_model_free(model);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(spectra_give_the_fluxes), cmocka_unit_test(lines_agree_with_observables), cmocka_unit_test(a_line_adds_its_flux_to_a_band),
    cmocka_unit_test(lines_of_many), cmocka_unit_test(a_nucleus_and_dust), cmocka_unit_test(history_sums_to_the_mass), cmocka_unit_test(mistakes), cmocka_unit_test(range),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
