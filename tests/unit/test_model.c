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
    cmocka_unit_test(explanation_names_everything), cmocka_unit_test(files_are_read),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
