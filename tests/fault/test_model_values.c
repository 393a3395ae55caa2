/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Every number of a model.yaml, one after the other, made something that it cannot be: a sentence that names the file, never a model, a crash or a hang. And
 * a model damaged anywhere: a model or a sentence. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/model.h"
#include "support/grid_fixture.h"

static sdn_err err;
static const double wave_A[] = {50, 800, 1000, 3000, 50000}, line_A[] = {1215.67, 6564.61};
static double starlight(int age, int metallicity, int u, double w) { return 1e20 * (1 + age + metallicity + 4 * u + w); }
static double gas(int age, int metallicity, int u, double w) { return age < 2 ? 1e19 * (1 + age + metallicity + 4 * u + w) : 0; }
static char grid[600];

static int setup(void **state)
{
  const grid_fixture f = {.n_age = 4, .n_metallicity = 3, .n_u = 3, .n_wave = 5, .wave_A = wave_A, .incident = starlight, .nebular_continuum = gas, .lines = gas, .n_line = 2,
                          .line_A = line_A};
  (void)state;
  snprintf(grid, sizeof grid, "%s", grid_fixture_write(&f, "values.hdf5"));
  return 0;
}

/* Numbers between tildes can be replaced. */
static const char clouds[] =
  "redshift: ~1~\n"
  "stars:\n"
  "  - {name: old, log_mass_formed_msun: ~10~, metallicity: {family: log_normal, log_mean: ~-2~, sigma_dex: ~0.2~}, sfh: {family: burst, age_gyr: ~1~}, dust: {law: cardelli, r_v: ~3.1~, a_v_mag: ~1~}}\n"
  "  - {name: b, log_mass_formed_msun: ~9~, metallicity: {family: two_step, log_metallicity_old: ~-3~, log_metallicity_young: ~-2~, step_age_gyr: ~0.1~}, sfh: {family: constant}}\n"
  "nebular: {log_u: ~-2~, escape_fraction: ~0.1~, ly_alpha_fraction: ~0.5~, dust_fraction: ~0.2~, log_gas_metallicity: ~-2~}\n"
  "dust: {law: calzetti, a_v_mag: ~1~, slope: ~0.1~, bump: ~1~, covering_fraction: ~0.9~, line_factor: ~2~, birth_cloud: {law: power_law, index: ~-1~, a_v_mag: ~1~, age_myr: ~10~}}\n"
  "dust_emission: {law: casey12, temperature_k: ~40~, emissivity_index: ~1.8~, lambda_0_um: ~200~, alpha: ~2~}\n"
  "igm: {law: inoue14, scale: ~1~}\nvelocity_dispersion_km_s: ~100~\ngas_velocity_dispersion_km_s: ~100~\n";
static const char nucleus[] =
  "redshift: ~1~\nstars: {log_mass_formed_msun: ~10~, log_metallicity: ~-2~, sfh: {family: burst, age_gyr: ~1~}}\n"
  "agn: {disc: broken_power_law, fraction: ~0.5~, fraction_wave_A: ~5100~, alpha_1: ~-1.7~, wave_low_A: ~10~, wave_high_A: ~1.0e7~,\n"
  "  lines: {broad_covering_fraction: ~0.1~, broad_fwhm_km_s: ~5000~, narrow_covering_fraction: ~0.1~, narrow_fwhm_km_s: ~500~},\n"
  "  torus: {law: nenkova08, tau: ~20~, covering_fraction: ~0.3~}, dust: {law: smc, a_v_mag: ~0.3~}}\n"
  "dust_emission: {law: draine_li07, q_pah_percent: ~2~, u_min: ~1~, gamma: ~0.01~}\n";

/* text with its number `which` replaced by `value` (none if which is negative): how many numbers it has. */
static int filled(const char *text, int which, const char *value, char *out, size_t n)
{
  int mark = 0;
  size_t k = (size_t)snprintf(out, n, "grid: %s\n", grid);
  for (const char *c = text; *c && k + 1 < n; c++) {
    if (*c == '~' && mark++ % 2 == 0 && mark / 2 == which) {
      k += (size_t)snprintf(out + k, n - k, "%s", value);
      c = strchr(c + 1, '~');
      mark++;
    } else if (*c != '~') out[k++] = *c;
  }
  out[k] = '\0';
  return mark / 2;
}

static const char *const impossible[] = {"nan", "-1.0e300", "1.0e300", "1.0e999", "[1, 2]", "{}", "{prior: uniform, low: 2, high: 1}", "{prior: uniform, low: 0}", "{prior: unifrom, low: 0, high: 1}",
                                         "no_such_parameter + 1", "1 +", "log10(-1)", "1/0", "'none'", "{prior: uniform, low: -1.0e9, high: 1.0e9}", "{prior: normal, mean: 0, sigma: 1}"};
enum { N_IMPOSSIBLE = sizeof impossible / sizeof impossible[0] };

static sdn_status parse(const char *text)
{
  sdn_model *m = NULL;
  memset(&err, 0, sizeof err);
  const sdn_status status = sdn_model_parse(text, "values.yaml", &m, &err);
  assert_true((status == SDN_OK) == (m != NULL));
  sdn_model_free(m);
  return status;
}

static void is_refused_everywhere(const char *text)
{
  static char out[4096];
  const int n = filled(text, -1, "", out, sizeof out);
  if (parse(out)) fail_msg("%s", err.text);
  assert_true(n > 15);
  for (int i = 0; i < n; i++)
    for (int k = 0; k < N_IMPOSSIBLE; k++) {
      filled(text, i, impossible[k], out, sizeof out);
      const sdn_status status = parse(out);
      if (status != SDN_USAGE && status != SDN_RANGE && status != SDN_NUMERIC) fail_msg("number %d as %s gives status %d: %s\n%s", i, impossible[k], status, err.text, out);
      if (!strstr(err.text, "values.yaml")) fail_msg("number %d as %s: the file is not named in: %s", i, impossible[k], err.text);
    }
}

static void numbers_of_stars_gas_and_dust_are_checked(void **unused)
{
  (void)unused;
  is_refused_everywhere(clouds);
}

static void numbers_of_nuclei_are_checked(void **unused)
{
  (void)unused;
  is_refused_everywhere(nucleus);
}

/* One byte changed, or the end missing. */
static void damaged_models_give_a_model_or_a_sentence(void **unused)
{
  static const char other[] = {0, '}', ':', '9', '-', '\n'};
  static char whole[4096], text[4096];
  int n_refused = 0;
  (void)unused;
  filled(clouds, -1, "", whole, sizeof whole);
  const size_t first = (size_t)(strchr(whole, '\n') - whole), n = strlen(whole);
  for (size_t i = first; i < n; i += 3) {
    memcpy(text, whole, n + 1);
    text[i] = other[i / 3 % sizeof other];
    const sdn_status status = parse(text);
    n_refused += status != SDN_OK;
    if (status && !strstr(err.text, "values.yaml")) fail_msg("the file is not named in: %s", err.text);
  }
  assert_true(n_refused > 100);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(numbers_of_stars_gas_and_dust_are_checked), cmocka_unit_test(numbers_of_nuclei_are_checked), cmocka_unit_test(damaged_models_give_a_model_or_a_sentence),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
