/* SPDX-License-Identifier: GPL-3.0-or-later */
/* model.yaml: what it may say, what it must not, and what each sentence of refusal names. */
#include <math.h>
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
#include "support/scratch.h"

static sdn_err err;
static const double wave_A[] = {100, 800, 1000, 3000, 50000}, line_A[] = {1215.67, 6564.61};
static double starlight(int age, int metallicity, int u, double w) { return 1e20 * (1 + age + metallicity + 4 * u + w); }
static double gas(int age, int metallicity, int u, double w) { return age < 2 ? 1e19 * (1 + age + metallicity + 4 * u + w) : 0; }
static double bare_stars(int age, int metallicity, int u, double w) { (void)u; return 1e20 * (1 + age + metallicity + w); }
static char bare_path[600], gas_path[600], gas_u_path[600];

static int setup(void **state)
{
  grid_fixture f = {.n_age = 4, .n_metallicity = 3, .n_wave = 5, .wave_A = wave_A, .incident = bare_stars};
  (void)state;
  snprintf(bare_path, sizeof bare_path, "%s", grid_fixture_write(&f, "bare.hdf5"));
  f.nebular_continuum = gas;
  f.lines = gas;
  f.n_line = 2;
  f.line_A = line_A;
  snprintf(gas_path, sizeof gas_path, "%s", grid_fixture_write(&f, "gas.hdf5"));
  f.n_u = 3;
  f.star_fraction = true;
  f.incident = starlight;
  snprintf(gas_u_path, sizeof gas_u_path, "%s", grid_fixture_write(&f, "gas_u.hdf5"));
  return 0;
}

#define STARS "stars: {log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: delayed_exponential, age_gyr: 0.1, tau_gyr: 1}}\n"
#define START "redshift: {prior: uniform, low: 0.1, high: 4}\n" STARS

/* "grid: PATH\n" + text */
static const char *yaml_of(const char *grid, const char *text)
{
  static char yaml[4096];
  snprintf(yaml, sizeof yaml, "grid: %s\n%s", grid, text);
  return yaml;
}

static sdn_model *accepted(const char *grid, const char *text)
{
  sdn_model *m;
  if (sdn_model_parse(yaml_of(grid, text), "m.yaml", &m, &err)) fail_msg("%s", err.text);
  return m;
}

static void refused(const char *grid, const char *text, const char *says, const char *also)
{
  sdn_model *m;
  const sdn_status status = sdn_model_parse(yaml_of(grid, text), "m.yaml", &m, &err);
  if ((status != SDN_USAGE && status != SDN_RANGE) || !strstr(err.text, says) || !strstr(err.text, also)) fail_msg("status %d: '%s' or '%s' is not in: %s", status, says, also, err.text);
  assert_null(m);
}

static int has_param(const sdn_model *m, const char *name) { return sdn_prior_param_index(sdn_model_prior(m), name) >= 0; }

static void defaults_follow_the_grid(void **unused)
{
  (void)unused;
  sdn_model *m = accepted(bare_path, START);
  assert_true(!m->nebular.shines && m->n_screens == 0);
  assert_string_equal(sdn_igm_name(m->igm), "inoue14");
  assert_false(has_param(m, "log_u") || has_param(m, "escape_fraction") || has_param(m, "a_v_mag"));
  assert_string_equal(sdn_model_yaml(m), yaml_of(bare_path, START));
  sdn_model_free(m);
  m = accepted(gas_path, START);
  assert_true(m->nebular.shines && has_param(m, "escape_fraction") && !has_param(m, "log_u"));
  sdn_model_free(m);
  m = accepted(gas_u_path, START);
  assert_true(m->nebular.shines && has_param(m, "log_u") && has_param(m, "ly_alpha_fraction"));
  sdn_model_free(m);
  m = accepted(gas_path, START "nebular: none\ndust: none\nigm: none\n");
  assert_true(!m->nebular.shines && sdn_igm_is_none(m->igm) && !has_param(m, "escape_fraction"));
  sdn_model_free(m);
}

static void redshift_leads(void **unused)
{
  (void)unused;
  sdn_model *m = accepted(gas_u_path, "stars: {log_mass_formed_msun: {prior: uniform, low: 6, high: 12}, log_metallicity: -2, sfh: {family: delayed_exponential, age_gyr: {prior: uniform, "
                                      "low: 0.01, high: age_universe_gyr(redshift)}, tau_gyr: 1}}\nredshift: {prior: uniform, low: 0.1, high: 4}\n");
  const sdn_prior *p = sdn_model_prior(m);
  assert_int_equal(sdn_prior_n_free(p), 3);
  assert_string_equal(sdn_prior_param_name(p, sdn_prior_free_param(p, 0)), "redshift");
  sdn_model_free(m);
}

static void unknown_keys_are_refused(void **unused)
{
  (void)unused;
  refused(bare_path, START "dsut: none\n", "dust", "m.yaml:4");
  refused(bare_path, START "dust: {law: calzetti, a_v: 1}\n", "a_v_mag", "m.yaml:4");
  refused(bare_path, "redshift: 1\nstars: {log_mass_formed_msun: 10, log_metalicity: -2, sfh: {family: continuity}}\n", "log_metallicity", "m.yaml:3");
  refused(gas_path, START "nebular: {logu: -2}\n", "log_u", "m.yaml:4");
  refused(bare_path, START "dust: {law: calzeti, a_v_mag: 1}\n", "calzetti", "m.yaml:4");
  refused(bare_path, START "igm: inoue15\n", "inoue14", "m.yaml:4");
  refused(bare_path, START "nebular: yes\n", "nebular", "m.yaml:4");
}

static void what_is_needed_is_asked_for(void **unused)
{
  (void)unused;
  refused(bare_path, STARS, "redshift", "m.yaml");
  refused(bare_path, "redshift: 1\n", "stars", "m.yaml");
  refused(bare_path, "redshift: 1\nstars: {log_mass_formed_msun: 10, sfh: {family: continuity}}\n", "log_metallicity", "m.yaml");
  refused(bare_path, "redshift: 1\nstars: {log_mass_formed_msun: 10, log_metallicity: -2}\n", "sfh", "m.yaml");
  refused(bare_path, START "dust: {a_v_mag: 1}\n", "law", "m.yaml");
  refused(bare_path, START "dust: {law: calzetti}\n", "a_v_mag", "m.yaml");
}

/* The fixture's metallicities reach from 1e-4 to 10^-1.5, its ionisation parameters from 1e-4 to 0.1. */
static void priors_stay_inside_the_grid(void **unused)
{
  (void)unused;
  refused(bare_path, "redshift: 1\nstars: {log_mass_formed_msun: 10, log_metallicity: {prior: uniform, low: -5, high: -2}, sfh: {family: continuity}}\n", "-5", "-4");
  refused(bare_path, "redshift: 1\nstars: {log_mass_formed_msun: 10, log_metallicity: -1, sfh: {family: continuity}}\n", "-1", "-1.5");
  refused(gas_u_path, START "nebular: {log_u: {prior: uniform, low: -3, high: 0.5}}\n", "0.5", "-1");
  refused(gas_u_path, START "nebular: {escape_fraction: 1.5}\n", "1.5", "escape_fraction");
  refused(bare_path, "redshift: {prior: uniform, low: 0, high: 25}\n" STARS, "25", "20");
  refused(bare_path, START "dust: {law: calzetti, a_v_mag: -1}\n", "-1", "a_v_mag");
  sdn_model_free(accepted(bare_path, "redshift: 1\nstars: {log_mass_formed_msun: 10, log_metallicity: {prior: uniform, low: -4, high: -1.5}, sfh: {family: continuity}}\n"));
}

static void grids_lack_what_they_lack(void **unused)
{
  (void)unused;
  refused(bare_path, START "nebular: {escape_fraction: 0.1}\n", "no nebular tables", "m.yaml:4");
  refused(gas_path, START "nebular: {log_u: -2}\n", "ionisation_parameters", "log_u");
  refused("no-such-grid", START, "no-such-grid", "m.yaml:1");
  refused(bare_path, START "grid_axes: {tilts: 1}\n", "tilts", "m.yaml:4");
}

/* A refusal names the limits that the axis has, and not what rounding is forgiven: here the upper one is 0. */
static void limits_are_told_as_they_are(void **unused)
{
  const char *const axes[] = {"ages", "metallicities", "tilts"};
  const double tilts[] = {-4, -2, 0};
  char path[600];
  (void)unused;
  const grid_fixture f = {.n_age = 4, .n_metallicity = 3, .n_u = 3, .n_wave = 5, .wave_A = wave_A, .incident = starlight};
  snprintf(path, sizeof path, "%s", grid_fixture_write(&f, "zero.hdf5"));
  sdn_h5 *h = grid_fixture_open(path);
  if (sdn_h5_set_texts(h, "/", "axes", axes, 3, &err) || sdn_h5_make(h, "axes/tilts", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {3}}, tilts, &err))
    fail_msg("%s", err.text);
  grid_fixture_close(h);
  refused(path, START, "tilts", "from -4 to 0;");
  refused(path, START "grid_axes: {tilts: 0.5}\n", "tilts is 0.5", "[-4, 0]");
  refused(path, START "grid_axes: {tilts: {prior: uniform, low: -4.5, high: 0}}\n", "[-4.5, 0]", "[-4, 0]");
  sdn_model_free(accepted(path, START "grid_axes: {tilts: {prior: uniform, low: -4, high: 0.4 - 4 * 0.1}}\n"));   /* 0.4 - 4 * 0.1 may be 1e-17 */
}

/* A grid whose third axis has a name that the program does not know. */
static void further_axes_are_parameters(void **unused)
{
  const char *const axes[] = {"ages", "metallicities", "tilts"};
  const double tilts[] = {10, 100, 1000};
  char path[600];
  (void)unused;
  const grid_fixture f = {.n_age = 4, .n_metallicity = 3, .n_u = 3, .n_wave = 5, .wave_A = wave_A, .incident = starlight};
  snprintf(path, sizeof path, "%s", grid_fixture_write(&f, "tilts.hdf5"));
  sdn_h5 *h = grid_fixture_open(path);
  if (sdn_h5_set_texts(h, "/", "axes", axes, 3, &err) || sdn_h5_make(h, "axes/tilts", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {3}}, tilts, &err) ||
      sdn_h5_set_long(h, "axes/tilts", "log_on_read", 1, &err))
    fail_msg("%s", err.text);
  grid_fixture_close(h);
  refused(path, START, "tilts", "from 10 to 1000");
  refused(path, START "grid_axes: {tilts: 2000}\n", "2000", "1000");
  sdn_model *m = accepted(path, START "grid_axes: {tilts: {prior: uniform, low: 10, high: 1000}}\n");
  double params[32] = {0};
  params[sdn_prior_param_index(sdn_model_prior(m), "tilts")] = 100;
  assert_true(fabs(sdn_model_coordinate(m, 2, params) - 2) < 1e-12);   /* its logarithm, as log_on_read says */
  sdn_model_free(m);
}

/* ------------------------------------------------------------------ populations, dust, nucleus */

#define ONE "log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: burst, age_gyr: 0.1}"
#define Z "redshift: {prior: uniform, low: 0.1, high: 4}\n"
#define LIST "stars:\n"
#define ITEM(name) "  - {name: " name ", " ONE "}\n"
#define SCREEN "dust: {law: calzetti, a_v_mag: 1}\n"

static void populations_have_names_of_their_own(void **unused)
{
  char many[1024] = Z LIST;
  (void)unused;
  refused(gas_path, Z LIST "  - {" ONE "}\n", "'name' is missing", "m.yaml:4");
  refused(gas_path, Z LIST ITEM("a") ITEM("a"), "two populations have the name 'a'", "m.yaml:5");
  refused(gas_path, Z LIST ITEM("Old Stars"), "'Old Stars'", "lower-case letters");
  refused(gas_path, Z LIST ITEM("2nd"), "'2nd'", "m.yaml:4");
  refused(gas_path, Z LIST ITEM("''"), "''", "lower-case letters");
  refused(gas_path, Z LIST ITEM("abcdefghijklmnopqrstuvwxyz1234567"), "at most 32", "m.yaml:4");
  refused(gas_path, Z LIST ITEM("agn"), "'agn'", "choose another");
  refused(gas_path, Z LIST ITEM("birth"), "'birth'", "choose another");
  refused(gas_path, Z LIST ITEM("a") ITEM("a_birth"), "'a_birth'", "choose another");
  refused(gas_path, Z "stars: {name: a, " ONE "}\n", "unknown key 'name'", "m.yaml:3");
  refused(gas_path, Z "stars: {dust: {law: smc, a_v_mag: 1}, " ONE "}\n", "unknown key 'dust'", "m.yaml:3");
  refused(gas_path, Z "stars: []\n", "a list of such maps", "m.yaml:3");
  refused(gas_path, Z "stars: 3\n", "a list of such maps", "m.yaml:3");
  refused(gas_path, Z "stars: [a, b]\n", "with a name each", "m.yaml:3");
  refused(gas_path, Z "stars: none\n", "or an agn", "m.yaml");
  for (int i = 0; i < 9; i++) snprintf(many + strlen(many), sizeof many - strlen(many), "  - {name: p%d, " ONE "}\n", i);
  refused(gas_path, many, "9 populations", "at most 8");
  sdn_model *m = accepted(gas_path, Z LIST "  - {name: old, dust: {law: smc, a_v_mag: 1, birth_cloud: {law: smc, a_v_mag: 2}}, " ONE "}\n" ITEM("young") SCREEN);
  assert_true(m->n_population == 2 && m->n_screens == 2 && m->population[0].screens != m->population[1].screens);
  assert_true(has_param(m, "old_log_mass_formed_msun") && has_param(m, "old_a_v_mag") && has_param(m, "old_birth_a_v_mag") && has_param(m, "young_age_gyr") && has_param(m, "a_v_mag"));
  assert_false(has_param(m, "young_a_v_mag"));
  sdn_model_free(m);
}

/* At redshift 4 the Universe is 1.5 Gyr old. */
static void stars_are_younger_than_the_universe(void **unused)
{
  (void)unused;
  refused(gas_path, Z "stars: {log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: burst, age_gyr: 1.7}}\n", "the Universe is", "age_universe_gyr(redshift)");
  refused(gas_path, Z LIST ITEM("a") "  - {name: b, log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: constant, lookback_start_gyr: {prior: uniform, low: 0.1, high: 3}}}\n",
          "the Universe is", "age_universe_gyr(redshift)");
  sdn_model_free(accepted(gas_path, Z LIST ITEM("a")
                          "  - {name: b, log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: constant, lookback_start_gyr: {prior: uniform, low: 0.1, high: age_universe_gyr(redshift)}}}\n"));
}

static void dust_is_checked(void **unused)
{
  (void)unused;
  refused(gas_path, START "dust: {law: calzetti, a_v_mag: 1, covering_fraction: 1.5}\n", "dust_covering_fraction is 1.5", "[0, 1]");
  refused(gas_path, START "dust: {law: calzetti, a_v_mag: 1, covering_fraction: {prior: normal, mean: 0.5, sigma: 0.1}}\n", "[0, 1]", "truncation");
  refused(gas_path, START "dust: {law: calzetti, a_v_mag: 1, covering_fraction: nan}\n", "'nan'", "m.yaml:4");
  refused(gas_path, START "dust: {law: calzetti, a_v_mag: 1, line_factor: -1}\n", "dust_line_factor is -1", "[0, 10]");
  refused(gas_path, START "nebular: none\ndust: {law: calzetti, a_v_mag: 1, line_factor: 2}\n", "line_factor", "leave it out");
  refused(bare_path, START "dust: {law: calzetti, a_v_mag: 1, line_factor: 2}\n", "line_factor", "m.yaml:4");
  refused(gas_path, START "dust: {birth_cloud: {law: smc, a_v_mag: 1}}\n", "'law' is missing", "m.yaml:4");
  refused(gas_path, START "dust: {law: calzetti, a_v_mag: 1, birth_cloud: {}}\n", "'law' is missing", "m.yaml:4");
  refused(gas_path, START "dust: {law: calzetti, a_v_mag: 1, birth_cloud: {law: smc}}\n", "birth_a_v_mag", "m.yaml:4");
  refused(gas_path, START "dust: {law: calzetti, a_v_mag: 1, birth_cloud: 10}\n", "birth_cloud must be a map", "m.yaml:4");
  refused(gas_path, START "dust: {law: calzetti, a_v_mag: 1, birth_cloud: {law: smc, a_v_mag: 1, age_myr: 0}}\n", "birth_age_myr is 0", "[0.01, 1000]");
  refused(gas_path, START "dust: {law: calzetti, a_v_mag: 1, birth_cloud: {law: smc, a_v_mag: 1, covering_fraction: 0.4}}\n", "'covering_fraction'", "m.yaml:4");
  refused(gas_path, START "dust: {law: smc, a_v_mag: {prior: uniform, low: 0, high: 1}, birth_cloud: {law: smc, a_v_mag: a_v_mag - 0.5}}\n", "reaches over [-0.5, 0.5]", "[0, 100]");
  refused(gas_path, Z LIST "  - {name: a, dust: 3, " ONE "}\n", "dust must be a map", "m.yaml:4");
  refused(gas_path, START "dust_emission: {law: draine_li07}\n", "no dust", "add dust");
  refused(gas_path, START "dust: {law: none}\ndust_emission: {law: draine_li07}\n", "no dust", "m.yaml:5");
  refused(gas_path, START "agn: {disc: broken_power_law, log_l_bol_lsun: 10}\ndust_emission: {law: draine_li07}\n", "no dust", "m.yaml:5");
  refused(gas_path, START SCREEN "dust_emission: draine_li07\n", "must be a map", "m.yaml:5");
  sdn_model_free(accepted(gas_path, START "nebular: {dust_fraction: 0.2}\ndust_emission: {law: draine_li07}\n"));
  sdn_model_free(accepted(gas_path, START "agn: {disc: broken_power_law, log_l_bol_lsun: 10, dust: {law: smc, a_v_mag: 1}}\ndust_emission: {law: draine_li07}\n"));
}

static void nuclei_are_checked(void **unused)
{
#define DISC "agn: {disc: broken_power_law, "
  static const char alone[] = Z "stars: none\n";
  char text[1024];
  (void)unused;
  refused(gas_path, START DISC "fraction: 0.5}\n", "fraction_wave_A", "m.yaml:4");
  refused(gas_path, START DISC "fraction: 0.5, fraction_wave_A: 5000, log_l_bol_lsun: 10}\n", "exactly one", "m.yaml:4");
  refused(gas_path, START DISC "}\n", "exactly one", "m.yaml:4");
  refused(gas_path, START DISC "fraction: 1, fraction_wave_A: 5000}\n", "agn_fraction is 1", "0.999");
  refused(gas_path, START DISC "fraction: 0.5, fraction_wave_A: 500}\n", "500", "[1216");
  refused(gas_path, START DISC "fraction: 0.5, fraction_wave_A: 5000, break_wave_A: [1000], wave_high_A: 3000, alpha_1: -1, alpha_2: -1}\n", "fraction_wave_A 5000 is outside 10 to 3000", "m.yaml:4");
  refused(gas_path, START DISC "log_l_bol_lsun: 10, torus: {law: nenkova08, tau: 10}}\n", "agn_torus_covering_fraction", "m.yaml");
  refused(gas_path, START DISC "log_l_bol_lsun: 10, torus: {law: nenkova08, tau: 1000, covering_fraction: 0.5}}\n", "agn_torus_tau is 1000", "[5, 150]");
  refused(gas_path, START "agn: {disc: none, log_l_bol_lsun: 10, torus: {law: nenkova08, tau: 10, covering_fraction: 0.5}}\n", "leave it out", "m.yaml:4");
  refused(gas_path, START "agn: {disc: none, l_bol_over_stars: 1}\n", "neither disc nor torus", "m.yaml:4");
  refused(gas_path, START "torus: {law: nenkova08, tau: 10, covering_fraction: 0.5}\n", "unknown key 'torus'; a torus belongs to an active nucleus", "m.yaml:4");
  snprintf(text, sizeof text, "%s" DISC "fraction: 0.5, fraction_wave_A: 5000}\n", alone);
  refused(gas_path, text, "no stars", "log_l_bol_lsun instead");
  snprintf(text, sizeof text, "%s" DISC "l_bol_over_stars: 0.5}\n", alone);
  refused(gas_path, text, "no stars", "log_l_bol_lsun instead");
  snprintf(text, sizeof text, "%s" DISC "log_l_bol_lsun: 10}\n" SCREEN, alone);
  refused(gas_path, text, "an agn's dust is a key of agn", "m.yaml:5");
  snprintf(text, sizeof text, "%s" DISC "log_l_bol_lsun: 10}\nnebular: {escape_fraction: 0.1}\n", alone);
  refused(gas_path, text, "nebular", "leave it out");
  snprintf(text, sizeof text, "%s" DISC "log_l_bol_lsun: 10}\n", alone);
  sdn_model *m = accepted(gas_path, text);
  assert_true(m->n_population == 0 && !m->nebular.shines && m->agn);
  sdn_model_free(m);
}

static void gas_and_metals_are_checked(void **unused)
{
  (void)unused;
  refused(gas_path, START "nebular: {dust_fraction: 1.2}\n", "dust_fraction is 1.2", "[0, 1]");
  refused(gas_path, START "nebular: {log_gas_metallicity: -5}\n", "log_gas_metallicity is -5", "[-4, -1.5]");
  refused(bare_path, START "nebular: {log_gas_metallicity: -2}\n", "no nebular tables", "m.yaml:4");
  refused(gas_path, START "metallicity_interpolation: cubic\n", "'cubic'", "log or linear");
  refused(gas_path, Z "stars: {log_mass_formed_msun: 10, log_metallicity: -2, metallicity: {family: log_normal, log_mean: -2, sigma_dex: 0.1}, sfh: {family: burst, age_gyr: 0.1}}\n", "either", "m.yaml:3");
  refused(gas_path, Z "stars: {log_mass_formed_msun: 10, metallicity: {family: log_normal, log_mean: -6, sigma_dex: 0.1}, sfh: {family: burst, age_gyr: 0.1}}\n", "log_metallicity_mean is -6", "[-4, -1.5]");
  refused(gas_path, Z "stars: {log_mass_formed_msun: 10, metallicity: {family: particles}, sfh: {family: burst, age_gyr: 0.1}}\n", "needs sfh: {family: particles}", "m.yaml:3");
  refused(gas_path, START "velocity_dispersion_km_s: -3\n", "velocity_dispersion_km_s is -3", "[0, 5000]");
  refused(gas_path, START "gas_velocity_dispersion_km_s: 6000\n", "6000", "[0, 5000]");
  refused(gas_path, START "igm: {law: inoue14, scale: -1}\n", "igm_scale is -1", "m.yaml:4");
  refused(gas_path, START "igm: {law: none, scale: 1}\n", "leave scale out", "m.yaml:4");
  refused(gas_path, START "design: latin\n", "'latin'", "sobol or random");
  refused(gas_path, "redshift: 0.1 * log_mass_formed_msun\n" STARS, "redshift", "depends on log_mass_formed_msun");
}

/* What only the observables reveal. */
static void data_need_light(void **unused)
{
  static const struct { const char *grid, *text, *band, *says, *also; } cases[] = {
    {gas_path, START "nebular: none\n", "line:Halpha", "Halpha", "nebula"},
    {bare_path, START, "line_ew:Halpha", "Halpha", "nebula"},
    {gas_path, START, "tophat:200000:300000", "ends at 300000 A", "raise the prior's lowest redshift"},
    {gas_path, START, "tophat:300:450", "rest 60 A", "lower the prior's highest redshift"}};
  (void)unused;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    sdn_model *m = accepted(cases[i].grid, cases[i].text);
    sdn_forward *f = NULL;
    const sdn_status status = sdn_forward_new(m, 1, &cases[i].band, &f, &err);
    if ((status != SDN_USAGE && status != SDN_RANGE) || !strstr(err.text, cases[i].says) || !strstr(err.text, cases[i].also))
      fail_msg("%s: status %d, '%s' or '%s' is not in: %s", cases[i].band, status, cases[i].says, cases[i].also, err.text);
    assert_null(f);
    sdn_model_free(m);
  }
  /* dust that shines reaches farther than the stars' grid */
  sdn_model *m = accepted(gas_path, START SCREEN "dust_emission: {law: draine_li07}\n");
  sdn_forward *f;
  if (sdn_forward_new(m, 1, &cases[2].band, &f, &err)) fail_msg("%s", err.text);
  sdn_forward_free(f);
  sdn_model_free(m);
}

/* Grids of nuclei have no ages. */
static void stars_need_a_grid_of_stars(void **unused)
{
  const char *const axes[] = {"masses"};
  const double mass[] = {1e6, 1e8};
  const float light[10] = {1, 1, 1, 1, 1, 1, 1, 1, 1, 1};
  char path[600];
  sdn_h5 *h;
  (void)unused;
  snprintf(path, sizeof path, "%s", scratch_file("discs.hdf5"));
  if (sdn_h5_create(path, &h, &err) || sdn_h5_set_texts(h, "/", "axes", axes, 1, &err) || sdn_h5_make(h, "axes/masses", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {2}}, mass, &err) ||
      sdn_h5_make(h, "spectra/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {5}}, wave_A, &err) ||
      sdn_h5_make(h, "spectra/incident", SDN_H5_FLOAT, &(sdn_h5_shape){2, {2, 5}}, light, &err) || sdn_h5_close(h, &err))
    fail_msg("%s", err.text);
  sdn_model *m = NULL;
  const sdn_status status = sdn_model_parse(yaml_of(path, START), "m.yaml", &m, &err);
  if (status != SDN_FORMAT || !strstr(err.text, "ages") || !strstr(err.text, "m.yaml:1")) fail_msg("status %d: %s", status, err.text);
  assert_null(m);
}

static void explanation_names_everything(void **unused)
{
  static const char *const words[] = {"gas_u.hdf5", "redshift", "uniform(0.1, 4)", "log_mass_formed_msun", "log10 Msun", "log_u", "default", "escape_fraction",
                                      "inoue14", "age_gyr", "ionisation_parameters: 3 nodes"};
  size_t n;
  (void)unused;
  sdn_model *m = accepted(gas_u_path, START);
  const char *path = scratch_file("explain.txt");
  FILE *out = fopen(path, "w");
  assert_non_null(out);
  if (sdn_model_explain(m, out, &err)) fail_msg("%s", err.text);
  fclose(out);
  char *text = (char *)scratch_read(path, &n);
  for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
    if (!strstr(text, words[i])) fail_msg("'%s' is not in:\n%s", words[i], text);
  free(text);
  sdn_model_free(m);
}

static void files_are_read(void **unused)
{
  sdn_model *m;
  (void)unused;
  if (sdn_model_read(scratch_write_text("model.yaml", yaml_of(bare_path, START)), &m, &err)) fail_msg("%s", err.text);
  sdn_model_free(m);
  assert_int_equal(sdn_model_read("/nowhere/model.yaml", &m, &err), SDN_IO);
  assert_null(m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(defaults_follow_the_grid), cmocka_unit_test(redshift_leads), cmocka_unit_test(unknown_keys_are_refused), cmocka_unit_test(what_is_needed_is_asked_for),
    cmocka_unit_test(priors_stay_inside_the_grid), cmocka_unit_test(grids_lack_what_they_lack), cmocka_unit_test(further_axes_are_parameters), cmocka_unit_test(limits_are_told_as_they_are),
    cmocka_unit_test(populations_have_names_of_their_own), cmocka_unit_test(stars_are_younger_than_the_universe), cmocka_unit_test(dust_is_checked), cmocka_unit_test(nuclei_are_checked),
    cmocka_unit_test(gas_and_metals_are_checked), cmocka_unit_test(data_need_light), cmocka_unit_test(stars_need_a_grid_of_stars),
    cmocka_unit_test(explanation_names_everything), cmocka_unit_test(files_are_read),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
