/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Energy balance: the power that dust takes, against a fine integration on the grid's own wavelengths; and the power that its light carries, against what it took. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/galaxy_twin.h"

#define LIGHT_A_S 2.99792458e18
#define TOLERANCE 1e-4     /* asked of the energy balance */
#define MAX_PARAM 64

static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

/* A model without bands and its only galaxy: what is not fixed stands in the middle of its prior. */
typedef struct machine { sdn_model *model; sdn_forward *forward; double params[MAX_PARAM]; } machine;

#define HEAD "grid: bc03-miles-kroupa\nredshift: 1\nigm: none\nderived: {quantities: [log_l_dust_lsun]}\n"
#define STARS "stars: {log_mass_formed_msun: 10, log_metallicity: -2.1, sfh: {family: delayed_exponential, age_gyr: 2, tau_gyr: 0.7}}\n"
#define BURST "stars: {log_mass_formed_msun: 10, log_metallicity: -2.1, sfh: {family: constant, lookback_start_gyr: 0.02}}\n"
#define TWO "stars:\n" \
  "  - {name: old, log_mass_formed_msun: 10.5, log_metallicity: -1.7, sfh: {family: burst, age_gyr: 4}, dust: {law: smc, a_v_mag: 0.3}}\n" \
  "  - {name: young, log_mass_formed_msun: 9, metallicity: {family: log_normal, log_mean: -2.3, sigma_dex: 0.3}, sfh: {family: constant, lookback_start_gyr: 0.05}}\n"
#define EMISSION "dust_emission: {law: modified_black_body, temperature_k: 35, cmb: none}\n"

/* Spectra are over all wavelengths, or only where derived quantities want them: power is counted over all the same. */
static machine make(const char *yaml, bool all_waves)
{
  machine m;
  double z[MAX_PARAM] = {0};
  must(sdn_model_parse(yaml, "energy", &m.model, &err));
  must(sdn_forward_new_over(m.model, 0, NULL, all_waves ? 0 : HUGE_VAL, all_waves ? HUGE_VAL : 0, &m.forward, &err));
  must(sdn_prior_params(sdn_model_prior(m.model), 1, z, m.params, &err));
  return m;
}

static void unmake(machine *m)
{
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

static double derived(const machine *m, const char *name)
{
  double value[64];
  must(sdn_forward_derived(m->forward, 1, m->params, false, value, NULL, &err));
  for (int i = 0; i < sdn_forward_n_derived(m->forward); i++)
    if (!strcmp(sdn_forward_derived_name(m->forward, i), name)) return value[i];
  fail_msg("no derived quantity %s", name);
  return NAN;
}

/* Relative difference of what the program says that dust takes from the fine integration. */
static double error_of_taken(const machine *m)
{
  galaxy_twin t = galaxy_twin_new(m->model, m->params);
  const double taken = pow(10, derived(m, "log_l_dust_lsun")), truth = t.absorbed_lsun * t.mass_msun;
  galaxy_twin_free(&t);
  assert_true(truth > 0);
  return fabs(taken / truth - 1);
}

static void taken_is_right(const machine *m, const char *what, double a_v, double *worst)
{
  const double e = error_of_taken(m);
  if (!(e <= *worst)) *worst = e;
  if (!(e <= TOLERANCE)) fail_msg("%s, A_V %g: off by %.2e", what, a_v, e);
}

static const char *const laws[] = {"law: calzetti", "law: calzetti, slope: -0.7, bump: 4", "law: calzetti, slope: 0.3", "law: salim18, slope: -0.5, bump: 3", "law: kriek_conroy, slope: -0.4",
                                   "law: power_law, index: -0.7", "law: power_law, index: -1.3", "law: cardelli, r_v: 2.6", "law: smc", "law: lmc", "law: gordon23", "law: li08, template: mw",
                                   "law: li08, template: smc", "law: narayanan_mw"};
enum { N_LAW = sizeof laws / sizeof laws[0] };

static void every_law_takes_what_it_takes(void **unused)
{
  static const double a_v[] = {0.01, 0.1, 1, 3, 10};
  static const char *const stars[] = {STARS, BURST};
  double worst = 0;
  (void)unused;
  for (int l = 0; l < N_LAW; l++)
    for (int s = 0; s < 2; s++) {
      char yaml[2048];
      snprintf(yaml, sizeof yaml, HEAD "%sdust: {%s, a_v_mag: {prior: uniform, low: 0, high: 20}}\n" EMISSION, stars[s], laws[l]);
      machine m = make(yaml, false);
      for (int a = 0; a < 5; a++) {
        m.params[sdn_prior_param_index(sdn_model_prior(m.model), "a_v_mag")] = a_v[a];
        taken_is_right(&m, yaml + strlen(HEAD), a_v[a], &worst);
      }
      unmake(&m);
    }
  print_message("power taken by %d laws, A_V 0.01 to 10, two histories: off by at most %.1e\n", N_LAW, worst);
}

static void every_component_is_counted(void **unused)
{
  static const char *const cases[] = {
    BURST "nebular: none\ndust: {law: calzetti, a_v_mag: 0.7}\n",
    BURST "nebular: {log_u: -3.3, escape_fraction: 0.4, ly_alpha_fraction: 0.2}\ndust: {law: smc, a_v_mag: 0.7}\n",
    BURST "nebular: {dust_fraction: 0.35, escape_fraction: 0.1, log_gas_metallicity: -3.1}\ndust: {law: calzetti, a_v_mag: 0.2}\n",
    BURST "nebular: {dust_fraction: 0.8}\n",
    BURST "dust: {law: calzetti, a_v_mag: 1.2, covering_fraction: 0.6}\n",
    BURST "dust: {law: calzetti, a_v_mag: 0.4, line_factor: 4}\n",
    BURST "dust: {law: calzetti, a_v_mag: 0.4, covering_fraction: 0.7, line_factor: 2, birth_cloud: {law: power_law, index: -1.3, a_v_mag: 1.5, age_myr: 7}}\n",
    STARS "dust: {law: kriek_conroy, slope: -0.3, a_v_mag: 0.5, birth_cloud: {law: calzetti, a_v_mag: 1}}\n",
    TWO "dust: {law: calzetti, a_v_mag: 0.9, birth_cloud: {law: power_law, a_v_mag: 2, age_myr: 15}}\n",
    STARS "agn: {disc: broken_power_law, log_l_bol_lsun: 10.7, dust: {law: smc, a_v_mag: 0.6}}\n",
    STARS "dust: {law: calzetti, a_v_mag: 0.3}\nagn: {disc: broken_power_law, log_l_bol_lsun: 10.2, alpha_1: -1.2, dust: {law: calzetti, a_v_mag: 2},\n"
          "      lines: {broad_covering_fraction: 0.2, narrow_covering_fraction: 0.1}, torus: {law: nenkova08, tau: 30, covering_fraction: 0.4}}\n",
    "stars: none\nagn: {disc: broken_power_law, log_l_bol_lsun: 11, dust: {law: smc, a_v_mag: 1}}\n",
  };
  double worst = 0;
  (void)unused;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char yaml[2048];
    snprintf(yaml, sizeof yaml, HEAD "%s" EMISSION, cases[i]);
    machine m = make(yaml, false);
    taken_is_right(&m, cases[i], NAN, &worst);
    unmake(&m);
  }
  print_message("power taken by every component: off by at most %.1e\n", worst);
}

/* The nodes' hats share power out without loss, and so that what is linear in ln wavelength is weighed exactly: sum E_j = int L_nu d nu, sum E_j ln l_j = int L_nu ln l d nu. */
static void hats_keep_power_and_its_place(void **unused)
{
  enum { N = 40, N_PART = 400 };
  const double tolerance = 2e-7;   /* float32 */
  double wave[N], lnu[N], node[SDN_ENERGY_MAX], power = 0, moment = 0, sum = 0, sum_moment = 0;
  float energy[SDN_ENERGY_MAX];
  sdn_energy *e;
  (void)unused;
  for (int j = 0; j < N; j++) {
    wave[j] = 150 * pow(4e3, (double)j / (N - 1));
    lnu[j] = 1e20 * (1 + sin(3.0 * j)) * wave[j] / 1000;
  }
  const int n = sdn_energy_nodes(wave[0], wave[N - 1], node);
  assert_true(n > 50 && n < SDN_ENERGY_MAX);
  must(sdn_energy_new(N, wave, n, node, &e, &err));
  sdn_energy_of_spectrum(e, lnu, energy);
  for (int j = 0; j < n; j++) {
    sum += (double)energy[j];
    sum_moment += (double)energy[j] * log(node[j] / 3000);
  }
  for (int j = 0; j + 1 < N; j++)
    for (int i = 0; i <= N_PART; i++) {
      const double u = (double)i / N_PART, l = wave[j] + u * (wave[j + 1] - wave[j]), w = (i == 0 || i == N_PART ? 1 : i % 2 ? 4 : 2) * (wave[j + 1] - wave[j]) / N_PART / 3;
      const double part = w * ((1 - u) * lnu[j] + u * lnu[j + 1]) * LIGHT_A_S / (l * l) / SDN_LSUN_ERG_S;
      power += part;
      moment += part * log(l / 3000);
    }
  assert_true(fabs(sum / power - 1) <= tolerance);
  assert_true(fabs(sum_moment - moment) <= tolerance * power);
  sdn_energy_free(e);
}

/* ------------------------------------------------------------------ what it gives back */

/* int L_nu d nu of values linear between nodes, exactly; Lsun. */
static double power_between(int n, const double *wave_A, const double *lnu)
{
  double sum = 0;
  for (int j = 0; j + 1 < n; j++) {
    const double a = wave_A[j], b = wave_A[j + 1];
    if (!(b > a)) continue;
    const double s = (lnu[j + 1] - lnu[j]) / (b - a);
    sum += (lnu[j] - s * a) * (1 / a - 1 / b) + s * log(b / a);
  }
  return sum * LIGHT_A_S / SDN_LSUN_ERG_S;
}

/* The spectrum less what shines of stars, gas and nucleus. */
static double power_of_dust_light(const machine *m)
{
  long n;
  const double *wave = sdn_forward_wave_A(m->forward, &n);
  float *lnu = malloc((size_t)n * sizeof *lnu);
  double *dust = malloc((size_t)n * sizeof *dust);
  must(sdn_forward_spectra(m->forward, 1, m->params, lnu, NULL, &err));
  galaxy_twin t = galaxy_twin_new(m->model, m->params);
  t.absorbed_lsun = 0;   /* then the twin's dust is dark */
  for (long j = 0; j < n; j++) dust[j] = (double)lnu[j] - t.mass_msun * galaxy_twin_lnu(&t, wave[j], j + 1 < n && wave[j + 1] <= wave[j]);
  const double power = power_between((int)n, wave, dust);
  galaxy_twin_free(&t);
  free(lnu);
  free(dust);
  return power;
}

/* Left out by a body of temperature T that is seen against today's sky: (T0/T)^(4+beta) of its light, da Cunha+2013 eqs 12 and 18. */
static void what_is_taken_is_given_back(void **unused)
{
  static const struct { const char *stars, *emission; double share; } cases[] = {
    {STARS "dust: {law: calzetti, a_v_mag: 0.6}\n", "dust_emission: {law: modified_black_body, temperature_k: 30, emissivity_index: 1.8, cmb: none}\n", 1},
    {BURST "dust: {law: smc, a_v_mag: 0.05, line_factor: 2}\n", "dust_emission: {law: modified_black_body, temperature_k: 60, optical_depth: thick, cmb: none}\n", 1},
    {STARS "dust: {law: calzetti, a_v_mag: 0.6}\n", "dust_emission: {law: modified_black_body, temperature_k: 25, emissivity_index: 2}\n", 0.99999829},
    {BURST "nebular: {dust_fraction: 0.2}\ndust: {law: calzetti, a_v_mag: 3}\n", "dust_emission: {law: casey12, temperature_k: 40, cmb: none}\n", 1},
    {TWO "dust: {law: calzetti, a_v_mag: 1, birth_cloud: {law: power_law, a_v_mag: 1}}\n", "dust_emission: {law: draine_li07, q_pah_percent: 2.5, u_min: 3, gamma: 0.02}\n", 1},
    {STARS "dust: {law: kriek_conroy, slope: -0.5, a_v_mag: 1}\n", "dust_emission: {law: draine_li07, q_pah_percent: 0.5, u_min: 0.3, gamma: 0.001}\n", 1},
    {STARS "agn: {disc: broken_power_law, log_l_bol_lsun: 11, dust: {law: smc, a_v_mag: 0.5}}\n", "dust_emission: {law: draine_li07}\n", 1},
  };
  double worst = 0;
  (void)unused;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    char yaml[2048];
    snprintf(yaml, sizeof yaml, HEAD "%s%s", cases[i].stars, cases[i].emission);
    machine m = make(yaml, true);
    galaxy_twin t = galaxy_twin_new(m.model, m.params);
    const double e = fabs(power_of_dust_light(&m) / (cases[i].share * t.absorbed_lsun * t.mass_msun) - 1);
    if (!(e <= worst)) worst = e;
    if (!(e <= TOLERANCE)) fail_msg("%s%s: the light carries %.2e more or less than was taken", cases[i].stars, cases[i].emission, e);
    galaxy_twin_free(&t);
    unmake(&m);
  }
  print_message("power of dust's light over what fine integration says was taken: off by at most %.1e\n", worst);
}

/* No dust takes nothing, and nothing shines: the spectrum of a model that has dust emission is that of one without. */
static void no_dust_no_light(void **unused)
{
  machine m = make(HEAD STARS "dust: {law: calzetti, a_v_mag: 0}\n" EMISSION, true);
  long n;
  const double *wave = sdn_forward_wave_A(m.forward, &n);
  float *lnu = malloc((size_t)n * sizeof *lnu);
  const double tolerance = 1e-6;   /* float32 */
  (void)unused;
  must(sdn_forward_spectra(m.forward, 1, m.params, lnu, NULL, &err));
  galaxy_twin t = galaxy_twin_new(m.model, m.params);
  assert_true(t.absorbed_lsun == 0);
  for (long j = 0; j < n; j++) {
    const double truth = t.mass_msun * galaxy_twin_starlight(&t, wave[j], j + 1 < n && wave[j + 1] <= wave[j]);
    if (!(fabs((double)lnu[j] - truth) <= tolerance * truth)) fail_msg("at %g A: %g instead of %g", wave[j], (double)lnu[j], truth);
  }
  galaxy_twin_free(&t);
  free(lnu);
  unmake(&m);
}

/* Darker dust takes all that does not escape: then its light is the whole light of stars and gas, by the spectrum of the same galaxy without dust. */
static void darkness_takes_all(void **unused)
{
  const double share = 0.8, tolerance = 3e-3;   /* the far infrared of the stars is never taken */
  machine m = make(HEAD "stars: {log_mass_formed_msun: 10, log_metallicity: -2.1, sfh: {family: constant, lookback_start_gyr: 0.02}}\n"
                        "nebular: {escape_fraction: 0.2}\ndust: {law: power_law, index: -0.1, a_v_mag: 60}\n" EMISSION, false);
  machine bare = make(HEAD BURST "nebular: none\n", true);
  long n;
  const double *wave = sdn_forward_wave_A(bare.forward, &n);
  float *lnu = malloc((size_t)n * sizeof *lnu);
  double *all = malloc((size_t)n * sizeof *all);
  (void)unused;
  must(sdn_forward_spectra(bare.forward, 1, bare.params, lnu, NULL, &err));
  for (long j = 0; j < n; j++) all[j] = (double)lnu[j];
  const double stars = power_between((int)n, wave, all), taken = pow(10, derived(&m, "log_l_dust_lsun"));
  /* gas turns all of the stars' ionising light into less: the table of this grid emits below 100 % of it */
  assert_true(taken < share * stars && taken > 0.8 * share * stars);
  machine dry = make(HEAD BURST "nebular: none\ndust: {law: power_law, index: -0.1, a_v_mag: 60}\n" EMISSION, false);
  const double e = fabs(pow(10, derived(&dry, "log_l_dust_lsun")) / stars - 1);
  if (!(e <= tolerance)) fail_msg("%.2e of the stars' light is not in what dust takes", e);
  free(lnu);
  free(all);
  unmake(&m);
  unmake(&bare);
  unmake(&dry);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(hats_keep_power_and_its_place), cmocka_unit_test(every_law_takes_what_it_takes), cmocka_unit_test(every_component_is_counted), cmocka_unit_test(what_is_taken_is_given_back),
    cmocka_unit_test(no_dust_no_light), cmocka_unit_test(darkness_takes_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
