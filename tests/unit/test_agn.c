/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The active nucleus: what each part radiates, where light goes that its own dust takes, the fast path beside the plain one, bad input. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/h5.h"
#include "physics/agn.h"
#include "support/scratch.h"
#include "support/shared.h"

#define LSUN 3.828e33
#define C_A 2.99792458e18
#define H_ERG 6.62607015e-27
#define TOL_ENERGY 1e-7      /* Simpson in steps of 5e-4 ln wavelength, between the breaks */
#define TOL_TABLE 1e-5       /* the same over the corners of a table */
#define TOL_BALANCE 1e-4     /* what the issue asks of the energy balance */
#define TOL_FLOAT 5e-6       /* k within 2e-5 of float32's law tables times tau 1 would be the most; here the law is exact to 1e-6 */
#define TOL_BAND 1e-4        /* what agn.h promises of its nodes */
#define TOL_PRINTED 1e-6

typedef struct agn_case { sdn_prior *prior; sdn_agn *agn; double *params; sdn_agn_table *table; sdn_agn_state state; int n; const double *wave; } agn_case;

static void end(agn_case *c)
{
  sdn_agn_table_free(c->table);
  sdn_agn_free(c->agn);
  sdn_prior_free(c->prior);
  free(c->params);
  *c = (agn_case){0};
}

static sdn_status try(const char *yaml, agn_case *c, sdn_err *err)
{
  const double middle[32] = {0};
  sdn_yaml *map = NULL;
  *c = (agn_case){0};
  sdn_status status = sdn_yaml_parse(yaml, "agn.yaml", &map, err);
  if (!status) status = sdn_prior_new(&c->prior, err);
  if (!status) status = sdn_agn_new(map, c->prior, &c->agn, err);
  sdn_yaml_free(map);
  if (!status) status = sdn_prior_finish(c->prior, err);
  if (!status) {
    c->params = calloc((size_t)sdn_prior_n_param(c->prior) + 1, sizeof *c->params);
    status = sdn_prior_params(c->prior, 1, middle, c->params, err);
  }
  if (!status) {
    c->wave = sdn_agn_waves_A(c->agn, &c->n);
    status = sdn_agn_table_new(c->agn, c->prior, c->n, c->wave, &c->table, err);
  }
  if (!status) status = sdn_agn_table_prepare(c->table, c->params, &c->state, err);
  if (status) end(c);
  return status;
}

static agn_case begin(const char *yaml)
{
  agn_case c;
  sdn_err err;
  if (try(yaml, &c, &err)) fail_msg("%s: %s", yaml, err.text);
  return c;
}

static double param(const agn_case *c, const char *name)
{
  const int i = sdn_prior_param_index(c->prior, name);
  if (i < 0) fail_msg("there is no parameter %s", name);
  return c->params[i];
}

typedef double light(const sdn_agn *a, const double *params, double wave_A);

/* int f L_nu d nu / Lsun, Simpson in ln wavelength; photons: f = 1 / h nu. */
static double integral(const agn_case *c, light *f, bool photons, double low_A, double high_A)
{
  const int n = 2 * (int)ceil(log(high_A / low_A) / 1e-3);
  const double step = log(high_A / low_A) / n;
  double sum = 0;
  for (int j = 0; j <= n; j++) {
    const double wave_A = fmin(low_A * exp(step * j), high_A), nu = C_A / wave_A, weight = j == 0 || j == n ? 1 : j & 1 ? 4 : 2;
    sum += weight * f(c->agn, c->params, wave_A) * (photons ? 1 / H_ERG : nu);
  }
  return sum * step / 3 / (photons ? 1 : LSUN);
}

/* ------------------------------------------------------------------ disc */

static void power_law_has_its_power_photons_and_slopes(void **state)
{
  (void)state;
  static const struct { const char *yaml; double edge_A[5], alpha[4]; int n; } row[] = {
    {"{log_l_bol_lsun: 11}", {10, 2500, 1e5, 1e7}, {-1.7, -.5, 2}, 3},
    {"{log_l_bol_lsun: 11, alpha_1: -1, alpha_2: -2, alpha_3: 0}", {10, 2500, 1e5, 1e7}, {-1, -2, 0}, 3},   /* where integrals turn into logarithms */
    {"{log_l_bol_lsun: 11, wave_low_A: 10, wave_high_A: 500000, break_wave_A: [100, 1000, 50000], alpha_1: -2.2, alpha_2: -1, alpha_3: -0.5, alpha_4: 2}",
     {10, 100, 1000, 5e4, 5e5}, {-2.2, -1, -.5, 2}, 4},   /* Stalevski+2016 */
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    agn_case c = begin(row[i].yaml);
    double power = 0, photons = 0;
    for (int p = 0; p < row[i].n; p++) {
      const double a = row[i].edge_A[p], b = row[i].edge_A[p + 1], m = sqrt(a * b), d = 1.01;
      power += integral(&c, sdn_agn_disc_lnu, false, a * (1 + 1e-13), b * (1 - 1e-13));
      if (a < 911.753) photons += integral(&c, sdn_agn_disc_lnu, true, a * (1 + 1e-13), fmin(b, 911.753));
      const double slope = log(sdn_agn_disc_lnu(c.agn, c.params, m * d) / sdn_agn_disc_lnu(c.agn, c.params, m / d)) / (2 * log(d));
      assert_true(fabs(slope + row[i].alpha[p]) <= 1e-10);
      if (p) assert_true(fabs(sdn_agn_disc_lnu(c.agn, c.params, a * (1 - 1e-9)) / sdn_agn_disc_lnu(c.agn, c.params, a * (1 + 1e-9)) - 1) <= 1e-7);
    }
    if (!(fabs(power - 1) <= TOL_ENERGY)) fail_msg("%s: the disc radiates 1 %+.1e Lsun", row[i].yaml, power - 1);
    if (!(fabs(c.state.photons_per_s / photons - 1) <= TOL_ENERGY))
      fail_msg("%s: %.10g ionising photons, by quadrature %.10g", row[i].yaml, c.state.photons_per_s, photons);
    assert_true(sdn_agn_disc_lnu(c.agn, c.params, row[i].edge_A[0] * 0.99) == 0 && sdn_agn_disc_lnu(c.agn, c.params, row[i].edge_A[row[i].n] * 1.01) == 0);
    assert_true(fabs(sdn_agn_power_lsun(c.agn, c.params) / 1e11 - 1) <= 1e-14);
    assert_true(isnan(sdn_agn_fraction(c.agn, c.params)) && isnan(sdn_agn_fraction_wave_A(c.agn)));
    end(&c);
  }
}

static void names_are_in_their_scope(void **state)
{
  (void)state;
  agn_case c = begin("{fraction: 0.3, fraction_wave_A: 5100, lines: {broad_covering_fraction: 0.1, narrow_covering_fraction: 0.05, narrow_fwhm_km_s: 300}, "
                     "torus: {law: nenkova08, tau: 30, covering_fraction: 0.4}, dust: {law: calzetti, a_v_mag: 0.5, slope: -0.2}}");
  static const struct { const char *name; double value; } row[] = {
    {"agn_fraction", .3}, {"agn_alpha_1", -1.7}, {"agn_alpha_3", 2}, {"agn_broad_covering_fraction", .1}, {"agn_broad_fwhm_km_s", 5000},
        {"agn_narrow_fwhm_km_s", 300},
    {"agn_torus_tau", 30}, {"agn_torus_covering_fraction", .4}, {"agn_a_v_mag", .5}, {"agn_dust_slope", -.2}};
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) assert_true(param(&c, row[i].name) == row[i].value);
  assert_true(sdn_agn_fraction(c.agn, c.params) == 0.3 && sdn_agn_fraction_wave_A(c.agn) == 5100 && isnan(sdn_agn_power_lsun(c.agn, c.params)));
  bool found = false;
  for (int j = 0; j < c.n; j++) found = found || c.wave[j] == 5100;
  assert_true(found);
  assert_string_equal(sdn_prior_prefix(c.prior), "");
  for (int j = 1; j < c.n; j++) assert_true(c.wave[j] > c.wave[j - 1]);
  assert_true(sdn_agn_n_line(c.agn) <= SDN_AGN_MAX_LINE);
  for (int l = 0; l < sdn_agn_n_line(c.agn); l++) {
    const bool broad = strstr(sdn_agn_line_id(c.agn, l), "broad") != NULL;
    assert_true(l == 0 || sdn_agn_line_wave_A(c.agn, l) >= sdn_agn_line_wave_A(c.agn, l - 1));
    assert_true(sdn_agn_line_fwhm_km_s(c.agn, c.params, l) == (broad ? 5000 : 300));
  }
  end(&c);
}

/* ------------------------------------------------------------------ a grid as disc */

enum { N_MASS = 3, N_RATE = 4, N_GRID_WAVE = 400 };
static const double mass[N_MASS] = {1e6, 1e7, 1e9}, rate[N_RATE] = {.1, .2, .5, 1};
static double grid_wave(int j) { return 20 * pow(1e6 / 20, j / (N_GRID_WAVE - 1.)); }
static double grid_light(int m, int r, double wave_A)   /* a bump that moves with mass and widens with rate, in erg/s/Hz of something */
{
  const double x = log(wave_A / (300 * (1 + m))) / (1 + 0.5 * r);
  return (1 + m + 10 * r) * 1e28 * exp(-x * x);
}

static const char *write_grid(const char *name, bool stars)
{
  static const char *const axes[] = {"masses", "accretion_rates_eddington"}, *const ages[] = {"ages", "accretion_rates_eddington"};
  static float value[N_MASS][N_RATE][N_GRID_WAVE];
  double wave[N_GRID_WAVE];
  const char *path = scratch_file(name);
  sdn_h5 *h;
  sdn_err err;
  for (int j = 0; j < N_GRID_WAVE; j++) wave[j] = grid_wave(j);
  for (int m = 0; m < N_MASS; m++)
    for (int r = 0; r < N_RATE; r++)
      for (int j = 0; j < N_GRID_WAVE; j++) value[m][r][j] = (float)grid_light(m, r, wave[j]);
  assert_int_equal(sdn_h5_create(path, &h, &err), SDN_OK);
  assert_int_equal(sdn_h5_set_texts(h, "/", "axes", stars ? ages : axes, 2, &err), SDN_OK);
  assert_int_equal(sdn_h5_make(h, stars ? "axes/ages" : "axes/masses", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_MASS}}, mass, &err), SDN_OK);
  assert_int_equal(sdn_h5_set_long(h, stars ? "axes/ages" : "axes/masses", "log_on_read", 1, &err), SDN_OK);
  assert_int_equal(sdn_h5_make(h, "axes/accretion_rates_eddington", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_RATE}}, rate, &err), SDN_OK);
  assert_int_equal(sdn_h5_set_long(h, "axes/accretion_rates_eddington", "log_on_read", 0, &err), SDN_OK);
  assert_int_equal(sdn_h5_make(h, "spectra/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_GRID_WAVE}}, wave, &err), SDN_OK);
  assert_int_equal(sdn_h5_make(h, "spectra/incident", SDN_H5_FLOAT, &(sdn_h5_shape){3, {N_MASS, N_RATE, N_GRID_WAVE}}, value, &err), SDN_OK);
  assert_int_equal(sdn_h5_close(h, &err), SDN_OK);
  return path;
}

static double cell_power(int m, int r)   /* of the smooth light; the grid's is piecewise linear: within 1e-3 */
{
  double sum = 0;
  for (double x = log(20); x < log(1e6); x += 1e-3) sum += grid_light(m, r, exp(x)) * C_A / exp(x) * 1e-3;
  return sum;
}

static void grid_discs_are_shapes_of_unit_power(void **state)
{
  (void)state;
  char yaml[5000];
  const char *path = write_grid("discs.hdf5", false);
  const double smooth = 1e-3, rounding = 1e-6;
  snprintf(yaml, sizeof yaml, "{disc: \"%s\", log_l_bol_lsun: 10, axes: {masses: 1.0e8, accretion_rates_eddington: 0.3}}", path);
  agn_case c = begin(yaml);
  for (int j = 0; j < N_GRID_WAVE; j += 7) {
    const double wave_A = grid_wave(j), t = 0.5, u = 1. / 3;   /* masses in log, rates linear */
    const double expected = (1 - t) * (1 - u) * grid_light(1, 1, wave_A) / cell_power(1, 1) + (1 - t) * u * grid_light(1, 2, wave_A) / cell_power(1, 2) +
                            t * (1 - u) * grid_light(2, 1, wave_A) / cell_power(2, 1) + t * u * grid_light(2, 2, wave_A) / cell_power(2, 2);
    const double got = sdn_agn_disc_lnu(c.agn, c.params, wave_A) / LSUN;
    if (!(fabs(got / expected - 1) <= smooth)) fail_msg("%g A: %g, expected %g", wave_A, got, expected);
  }
  assert_true(fabs(integral(&c, sdn_agn_disc_lnu, false, 20 * (1 + 1e-12), 1e6 * (1 - 1e-12)) - 1) <= TOL_TABLE);
  const double photons = integral(&c, sdn_agn_disc_lnu, true, 20 * (1 + 1e-12), 911.753);
  assert_true(fabs(c.state.photons_per_s / photons - 1) <= TOL_TABLE);
  for (int j = 0; j < c.n; j++) {
    float lnu = 0;
    sdn_agn_table_add(c.table, &c.state, 1, j, 1, &lnu);
    assert_true(fabs((double)lnu - sdn_agn_disc_lnu(c.agn, c.params, c.wave[j])) <= rounding * sdn_agn_disc_lnu(c.agn, c.params, c.wave[j]));
  }
  print_message("grid of %d wavelengths: %d nodes kept\n", N_GRID_WAVE, c.n);
  assert_true(c.n < N_GRID_WAVE);
  end(&c);
  /* the last node of an axis, and a prior that only reaches one cell */
  snprintf(yaml, sizeof yaml, "{disc: \"%s\", log_l_bol_lsun: 10, axes: {masses: 1.0e9, accretion_rates_eddington: {prior: uniform, low: 0.5, high: 1}}}",
      path);
  c = begin(yaml);
  sdn_err err;
  c.params[sdn_prior_param_index(c.prior, "agn_accretion_rates_eddington")] = 1;
  assert_int_equal(sdn_agn_table_prepare(c.table, c.params, &c.state, &err), SDN_OK);
  float lnu = 0;
  sdn_agn_table_add(c.table, &c.state, 1, c.n / 2, 1, &lnu);
  assert_true(fabs((double)lnu / LSUN * cell_power(2, 3) / grid_light(2, 3, c.wave[c.n / 2]) - 1) <= smooth);
  c.params[sdn_prior_param_index(c.prior, "agn_accretion_rates_eddington")] = 1.1;
  assert_int_equal(sdn_agn_table_prepare(c.table, c.params, &c.state, &err), SDN_RANGE);
  end(&c);
}

/* ------------------------------------------------------------------ torus */

static void torus_has_its_share_of_the_power(void **state)
{
  (void)state;
  agn_case c = begin("{log_l_bol_lsun: 11, torus: {law: nenkova08, tau: 24, covering_fraction: 0.35}}");
  assert_true(fabs(integral(&c, sdn_agn_torus_lnu, false, 100 * (1 + 1e-13), 3.6e8 * (1 - 1e-13)) / 0.35 - 1) <= TOL_TABLE);
  end(&c);
  agn_case at20 = begin("{log_l_bol_lsun: 11, torus: {law: nenkova08, tau: 20, covering_fraction: 1}}"),
      at30 = begin("{log_l_bol_lsun: 11, torus: {law: nenkova08, tau: 30, covering_fraction: 1}}");
  agn_case between = begin("{log_l_bol_lsun: 11, torus: {law: nenkova08, tau: 24.49489742783178, covering_fraction: 1}}");   /* sqrt(600) */
  for (double wave_A = 1e3; wave_A < 1e7; wave_A *= 1.9) {
    const double mean = 0.5 * (sdn_agn_torus_lnu(at20.agn, at20.params, wave_A) + sdn_agn_torus_lnu(at30.agn, at30.params, wave_A));
    assert_true(fabs(sdn_agn_torus_lnu(between.agn, between.params, wave_A) / mean - 1) <= 1e-9);
  }
  end(&at20);
  end(&at30);
  end(&between);
}

/* Without a disc the power is the torus' own: in the continuum, in the table, and nowhere else. */
static void a_torus_alone_has_all_the_power(void **state)
{
  (void)state;
  agn_case c = begin("{disc: none, l_bol_over_stars: 0.3, torus: {law: nenkova08, tau: 24}}");
  assert_true(fabs(integral(&c, sdn_agn_torus_lnu, false, 100 * (1 + 1e-13), 3.6e8 * (1 - 1e-13)) - 1) <= TOL_TABLE);
  assert_true(sdn_agn_is_by_stars(c.agn) && sdn_agn_over_stars(c.agn, c.params) == 0.3 && isnan(sdn_agn_power_lsun(c.agn, c.params)));
  assert_int_equal(sdn_agn_n_line(c.agn), 0);
  double most = 0;
  for (int j = 0; j < c.n; j++) most = fmax(most, sdn_agn_torus_lnu(c.agn, c.params, c.wave[j]));
  for (int j = 0; j < c.n; j++) {
    const double plain = sdn_agn_torus_lnu(c.agn, c.params, c.wave[j]);
    assert_true(!(sdn_agn_disc_lnu(c.agn, c.params, c.wave[j]) > 0));
    assert_true(fabs(sdn_agn_lnu_at(c.table, &c.state, c.wave[j]) - plain) <= TOL_FLOAT * fmax(plain, 1e-20 * most));
  }
  assert_true(!(sdn_agn_absorbed_lsun(c.table, &c.state, 1e10) > 0));
  end(&c);
}

static void nenkova_is_what_fsps_has(void **state)
{
  char path[4096], line[400];
  double wave_A, column[9];
  int n = 0;
  (void)state;
  if (!shared_path("agn/Nenkova08_y010_torusg_n10_q2.0.dat", path, sizeof path)) skip();
  FILE *f = fopen(path, "r");
  assert_non_null(f);
  for (int i = 0; i < 4; i++) assert_non_null(fgets(line, sizeof line, f));
  agn_case c = begin("{log_l_bol_lsun: 11, torus: {law: nenkova08, tau: 40, covering_fraction: 1}}");
  double ratio = 0;
  while (fscanf(f, "%lf", &wave_A) == 1) {
    for (int k = 0; k < 9; k++) assert_int_equal(fscanf(f, "%lf", &column[k]), 1);
    if (!(column[4] > 0)) continue;
    const double now = sdn_agn_torus_lnu(c.agn, c.params, wave_A) / LSUN / column[4];
    if (n++ == 0) ratio = now;
    if (!(fabs(now / ratio - 1) <= 2e-7)) fail_msg("%g A: %.9g of FSPS's, %.9g elsewhere", wave_A, now, ratio);   /* float32 */
  }
  const double rules = 1e-2;   /* theirs is normalised by the trapezium in frequency, on the same wide steps */
  if (!(n > 100 && fabs(ratio - 1) <= rules)) fail_msg("%d wavelengths, %.8g of FSPS's", n, ratio);
  fclose(f);
  end(&c);
}

/* Expected: numpy from the file's columns, each spectrum over its integral (linear in wavelength between points), in 1/Hz. */
static void skirtor_is_read(void **state)
{
  static const struct { double wave_A, lnu; } row[] = {{10000, 4.9528845e-17}, {66999.9981, 6.8975038e-15}, {106225.214, 1.4944001e-14},
                                                       {192117.519, 1.9313868e-14}, {275422.878, 2.006563e-14}, {1096478.2, 9.5525149e-16}};
  char path[4096], yaml[5000];
  (void)state;
  if (!shared_path("agn/SKIRTOR.fits.gz", path, sizeof path)) skip();
  snprintf(yaml, sizeof yaml, "{log_l_bol_lsun: 11, torus: {law: skirtor, file: \"%s\", tau: 7, inclination_deg: 30, covering_fraction: 0.5}}", path);
  agn_case c = begin(yaml);
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    const double got = sdn_agn_torus_lnu(c.agn, c.params, row[i].wave_A) / LSUN;
    if (!(fabs(got / (0.5 * row[i].lnu) - 1) <= TOL_PRINTED)) fail_msg("%g A: %.9g, expected %.9g", row[i].wave_A, got, 0.5 * row[i].lnu);
  }
  assert_true(fabs(integral(&c, sdn_agn_torus_lnu, false, 10.001, 0.9999e7) / 0.5 - 1) <= TOL_TABLE);
  end(&c);
  snprintf(yaml, sizeof yaml, "{log_l_bol_lsun: 11, torus: {law: skirtor, file: \"%s\", tau: {prior: uniform, low: 3, high: 11}, "
           "inclination_deg: {prior: uniform, low: 0, high: 90}, covering_fraction: 0.5}}", path);
  c = begin(yaml);
  assert_true(fabs(integral(&c, sdn_agn_torus_lnu, false, 10.001, 0.9999e7) / 0.5 - 1) <= TOL_TABLE);
  end(&c);
}

/* ------------------------------------------------------------------ lines */

static float line_named(const agn_case *c, const float *line, const char *id)
{
  for (int l = 0; l < sdn_agn_n_line(c->agn); l++)
    if (!strcmp(sdn_agn_line_id(c->agn, l), id)) return line[l];
  fail_msg("there is no line %s", id);
  return 0;
}

static void lines_count_photons(void **state)
{
  (void)state;
  float line[SDN_AGN_MAX_LINE] = {0};
  agn_case c = begin("{log_l_bol_lsun: 10, lines: {broad_covering_fraction: 0.2, narrow_covering_fraction: 0.1}}");
  sdn_agn_lines_add(c.table, &c.state, 1e3, line);
  const double photons = 1e3 * integral(&c, sdn_agn_disc_lnu, true, 10 * (1 + 1e-13), 911.753);
  const double ly_alpha = 0.2 * photons * 0.68 * 1.63403e-11, h_beta = 0.1 * photons * 4.78e-13, printed = 3e-3;   /* Osterbrock & Ferland's 4.78e-13 erg */
  const double got = (double)line_named(&c, line, "agn_broad_ly_alpha");
  if (!(fabs(got / ly_alpha - 1) <= 1e-5)) fail_msg("Ly alpha %g, expected %g", got, ly_alpha);
  assert_true(fabs((double)line_named(&c, line, "agn_narrow_h_beta") / h_beta - 1) <= printed);
  assert_true(fabs((double)(line_named(&c, line, "agn_narrow_o3_5008") / line_named(&c, line, "agn_narrow_h_beta")) / 8.53 - 1) <= 1e-6);
  /* atoms: [O III] 2.98 (Storey & Zeippen 2000), [N II] 2.96 (9 % off in the published table), Balmer lines of case B at 1e4 K */
  assert_true(fabs((double)(line_named(&c, line, "agn_narrow_o3_5008") / line_named(&c, line, "agn_narrow_o3_4960")) / 2.98 - 1) <= 0.01);
  assert_true(fabs((double)(line_named(&c, line, "agn_narrow_n2_6585") / line_named(&c, line, "agn_narrow_n2_6550")) / 2.96 - 1) <= 0.10);
  assert_true(fabs((double)(line_named(&c, line, "agn_narrow_h_gamma") / line_named(&c, line, "agn_narrow_h_beta")) / 0.468 - 1) <= 0.04);
  double sum = 0;
  for (int l = 0; l < sdn_agn_n_line(c.agn); l++) sum += (double)line[l];
  const double taken = 0.3 * 1e3 * LSUN * integral(&c, sdn_agn_disc_lnu, false, 10 * (1 + 1e-13), 911.753);
  if (!(sum < taken)) fail_msg("lines radiate %g of the ionising power %g that their gas takes", sum, taken);
  end(&c);
}

/* Vanden Berk+2001 give equivalent widths beside the fluxes: over their power law (alpha_nu -0.44) the ratios that we carry must make those. Their
 * continuum is drawn line by line, which is worth up to a fifth. */
static void broad_ratios_make_the_published_widths(void **state)
{
  (void)state;
  static const struct { const char *id; double width_A; } row[] = {{"agn_broad_si4_1400", 8.13}, {"agn_broad_c4_1549", 23.78}, {"agn_broad_c3_1909", 21.19},
                                                                  {"agn_broad_h_gamma", 12.62}, {"agn_broad_h_beta", 46.21}};
  const double mg2_width_A = 32.28, tolerance = 0.2;
  float line[SDN_AGN_MAX_LINE] = {0};
  agn_case c = begin("{log_l_bol_lsun: 10, break_wave_A: [5000], alpha_1: -0.44, alpha_2: 2, lines: {broad_covering_fraction: 0.2}}");
  sdn_agn_lines_add(c.table, &c.state, 1, line);
  double mg2 = 0;
  for (int pass = 0; pass < 2; pass++)
    for (int l = 0; l < sdn_agn_n_line(c.agn); l++) {
      const double wave_A = sdn_agn_line_wave_A(c.agn, l), lambda = sdn_agn_disc_lnu(c.agn, c.params, wave_A) * C_A / (wave_A * wave_A),
          width = (double)line[l] / lambda;
      if (!strcmp(sdn_agn_line_id(c.agn, l), "agn_broad_mg2_2800")) mg2 = width;
      for (size_t i = 0; i < sizeof row / sizeof *row && pass; i++)
        if (!strcmp(sdn_agn_line_id(c.agn, l), row[i].id) && !(fabs(width / mg2 * mg2_width_A / row[i].width_A - 1) <= tolerance))
          fail_msg("%s: %g A beside Mg II's %g, published %g", row[i].id, width / mg2 * mg2_width_A, mg2_width_A, row[i].width_A);
    }
  end(&c);
}

/* ------------------------------------------------------------------ screen, fast path, nodes */

static const char *const whole_yaml =
  "{fraction: 0.4, fraction_wave_A: 5100, alpha_1: {prior: uniform, low: -2, high: -1.2}, "
  "lines: {broad_covering_fraction: {prior: uniform, low: 0, high: 0.5}, narrow_covering_fraction: 0.1}, "
  "torus: {law: nenkova08, tau: {prior: uniform, low: 5, high: 150}, covering_fraction: {prior: uniform, low: 0, high: 1}}, "
  "dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 2}, slope: -0.3}}";

static void draw(agn_case *c, int k)
{
  double z[32];
  sdn_err err;
  for (int i = 0; i < 32; i++) z[i] = 2 * sin(1 + 7.3 * k + 2.9 * i);
  assert_int_equal(sdn_prior_params(c->prior, 1, z, c->params, &err), SDN_OK);
  assert_int_equal(sdn_agn_table_prepare(c->table, c->params, &c->state, &err), SDN_OK);
}

static sdn_attenuation *calzetti(void)   /* the same law, on its own */
{
  sdn_yaml *map;
  sdn_prior *prior;
  sdn_attenuation *law;
  sdn_err err;
  assert_int_equal(sdn_yaml_parse("{law: calzetti, a_v_mag: 1, slope: -0.3}", "law", &map, &err), SDN_OK);
  assert_int_equal(sdn_prior_new(&prior, &err), SDN_OK);
  assert_int_equal(sdn_attenuation_new(map, NULL, 0, prior, &law, &err), SDN_OK);
  assert_int_equal(sdn_prior_finish(prior, &err), SDN_OK);
  sdn_yaml_free(map);
  static double params[8];
  assert_int_equal(sdn_prior_params(prior, 1, params, params, &err), SDN_OK);
  sdn_prior_free(prior);
  return law;
}

static double curve(const agn_case *c, double wave_A)
{
  static sdn_attenuation *law;
  static const double params[8] = {1, -0.3, 0};
  (void)c;
  if (!wave_A) {
    sdn_attenuation_free(law);
    law = NULL;
    return 0;
  }
  if (!law) law = calzetti();
  return sdn_attenuation_curve(law, params, wave_A);
}

static double emergent(const agn_case *c, double wave_A)
{
  const double tau = 0.4 * log(10) * param(c, "agn_a_v_mag");
  return sdn_agn_disc_lnu(c->agn, c->params, wave_A) * exp(-tau * curve(c, wave_A)) + sdn_agn_torus_lnu(c->agn, c->params, wave_A);
}

static void table_agrees_with_plain(void **state)
{
  (void)state;
  agn_case c = begin(whole_yaml);
  float *lnu = malloc((size_t)c.n * sizeof *lnu);
  double worst = 0;
  for (int k = 0; k < 10; k++) {
    draw(&c, k);
    for (int j = 0; j < c.n; j++) lnu[j] = 1e15f;   /* it adds */
    for (int j = 0; j < c.n; j += 150) sdn_agn_table_add(c.table, &c.state, 3e8, j, c.n - j < 150 ? c.n - j : 150, lnu + j);
    for (int j = 0; j < c.n; j++) {
      const double plain = 3e8 * emergent(&c, c.wave[j]) + 1e15, error = fabs((double)lnu[j] / plain - 1);
      if (!(error <= TOL_FLOAT)) fail_msg("draw %d, %g A: %.8g, plain %.8g", k, c.wave[j], (double)lnu[j], plain);
      worst = fmax(worst, error);
    }
    const double at = sdn_agn_lnu_at(c.table, &c.state, 5100);
    if (!(fabs(at / emergent(&c, 5100) - 1) <= TOL_FLOAT)) fail_msg("at 5100 A: %g, plain %g", at, emergent(&c, 5100));
    assert_true(sdn_agn_lnu_at(c.table, &c.state, 5) == 0);
  }
  print_message("%d nodes, float32 within %.1e\n", c.n, worst);
  free(lnu);
  end(&c);
}

/* What the screen takes from the continuum and lines, and what it leaves, is what was there. */
static void screen_keeps_the_energy(void **state)
{
  (void)state;
  agn_case c = begin(whole_yaml);
  for (int k = 0; k < 6; k++) {
    float line[SDN_AGN_MAX_LINE] = {0}, bare[SDN_AGN_MAX_LINE] = {0};
    draw(&c, k);
    const double taken = sdn_agn_absorbed_lsun(c.table, &c.state, 1e9) / 1e9;
    double left = 0;
    static const double edge_A[] = {10, 1200, 2500, 6300, 22000, 1e5, 1e7};   /* breaks of disc and law */
    for (int p = 0; p < 6; p++) left += integral(&c, sdn_agn_disc_lnu, false, edge_A[p] * (1 + 1e-13), edge_A[p + 1] * (1 - 1e-13));
    double absorbed = 0;
    for (int p = 0; p < 6; p++) {
      const int n = 2000;
      const double step = log(edge_A[p + 1] / edge_A[p]) / n;
      for (int j = 0; j < n; j++) {
        const double wave_A = edge_A[p] * exp(step * (j + 0.5)), tau = 0.4 * log(10) * param(&c, "agn_a_v_mag");
        absorbed += step * C_A / wave_A * sdn_agn_disc_lnu(c.agn, c.params, wave_A) / LSUN * -expm1(-tau * curve(&c, wave_A));
      }
    }
    sdn_agn_lines_add(c.table, &c.state, 1, line);
    sdn_agn_state unscreened = c.state;
    unscreened.tau = 0;
    sdn_agn_lines_add(c.table, &unscreened, 1, bare);
    for (int l = 0; l < sdn_agn_n_line(c.agn); l++) absorbed += ((double)bare[l] - (double)line[l]) / LSUN;
    if (!(fabs(taken - absorbed) <= TOL_BALANCE * absorbed)) fail_msg("draw %d: the screen takes %.8g Lsun, by quadrature %.8g", k, taken, absorbed);
    assert_true(fabs(left - 1) <= TOL_ENERGY && taken < 1);
    assert_true(sdn_agn_absorbed_lsun(c.table, &unscreened, 1e9) == 0);
  }
  end(&c);
}

static void grid_screen_keeps_the_energy(void **state)
{
  (void)state;
  char yaml[5000];
  snprintf(yaml, sizeof yaml, "{disc: \"%s\", log_l_bol_lsun: 10, axes: {masses: 1.0e8, accretion_rates_eddington: 0.3}, "
           "dust: {law: calzetti, a_v_mag: 1.2, slope: -0.3}}", write_grid("discs.hdf5", false));
  agn_case c = begin(yaml);
  double absorbed = 0;
  const int n = 40000;
  const double step = log(1e6 / 20) / n;
  for (int j = 0; j < n; j++) {
    const double wave_A = 20 * exp(step * (j + 0.5));
    absorbed += step * C_A / wave_A * sdn_agn_disc_lnu(c.agn, c.params, wave_A) / LSUN * -expm1(-0.4 * log(10) * 1.2 * curve(&c, wave_A));
  }
  const double taken = sdn_agn_absorbed_lsun(c.table, &c.state, 1);
  if (!(fabs(taken / absorbed - 1) <= TOL_BALANCE)) fail_msg("the screen takes %.8g Lsun, by quadrature %.8g", taken, absorbed);
  end(&c);
}

static double in_band(const agn_case *c, const float *lnu, double centre_A)   /* 6 % wide; of nodes, or (NULL) plain */
{
  double sum = 0, norm = 0;
  for (double x = -0.0599; x < 0.06; x += 2e-4) {
    const double wave_A = centre_A * (1 + x), weight = (1 - fabs(x) / 0.06) / wave_A;
    int i = 0;
    while (lnu && i + 2 < c->n && c->wave[i + 1] <= wave_A) i++;
    const double t = (wave_A - c->wave[i]) / (c->wave[i + 1] - c->wave[i]);
    sum += weight * (lnu ? (1 - t) * (double)lnu[i] + t * (double)lnu[i + 1] : sdn_agn_disc_lnu(c->agn, c->params, wave_A));
    norm += weight;
  }
  return sum / norm;
}

static void nodes_keep_bands(void **state)
{
  (void)state;
  agn_case c = begin("{log_l_bol_lsun: 10, alpha_1: {prior: uniform, low: -2, high: -1.2}, alpha_2: {prior: uniform, low: -1, high: 0.5}}");
  float *lnu = malloc((size_t)c.n * sizeof *lnu);
  double worst = 0;
  for (int k = 0; k < 4; k++) {
    double top = 0;
    draw(&c, k);
    for (int j = 0; j < c.n; j++) {
      lnu[j] = (float)sdn_agn_disc_lnu(c.agn, c.params, c.wave[j]);
      top = fmax(top, (double)lnu[j] / c.wave[j]);
    }
    for (double centre = 12; centre < 9e6; centre *= 1.17) {
      const double exact = in_band(&c, NULL, centre), error = fabs(in_band(&c, lnu, centre) - exact) / fmax(exact, 2e-3 * top * centre);
      if (!(error <= TOL_BAND)) fail_msg("draw %d: a band at %g A errs by %.1e", k, centre, error);
      worst = fmax(worst, error);
    }
  }
  print_message("%d nodes, bands within %.1e\n", c.n, worst);
  free(lnu);
  end(&c);
}

/* ------------------------------------------------------------------ bad calls */

static void bad_yaml_is_refused(void **state)
{
  (void)state;
  char star_yaml[5000], axes_yaml[5000], axis_yaml[5000], skirtor_yaml[5000], alpha_yaml[5000];
  const char *discs = write_grid("discs.hdf5", false);
  snprintf(axes_yaml, sizeof axes_yaml, "{disc: \"%s\", log_l_bol_lsun: 10, axes: {masses: 1.0e8}}", discs);
  snprintf(axis_yaml, sizeof axis_yaml, "{disc: \"%s\", log_l_bol_lsun: 10, axes: {masses: 1.0e8, accretion_rates_eddington: 3}}", discs);
  snprintf(alpha_yaml, sizeof alpha_yaml, "{disc: \"%s\", log_l_bol_lsun: 10, alpha_1: -1}", discs);
  snprintf(star_yaml, sizeof star_yaml, "{disc: \"%s\", log_l_bol_lsun: 10}", write_grid("stars.hdf5", true));
  snprintf(skirtor_yaml, sizeof skirtor_yaml, "{log_l_bol_lsun: 10, torus: {law: skirtor, file: \"%s\", tau: 7, inclination_deg: 3, covering_fraction: 1}}",
      scratch_write_text("no.fits", "SIMPLE"));
  const struct { const char *yaml, *says; } row[] = {
    {"{disc: none, log_l_bol_lsun: 10}", "neither disc nor torus"},
    {"{disc: none, torus: none, l_bol_over_stars: 1}", "neither disc nor torus"},
    {"{disc: none, torus: {law: nenkova08, tau: 10}}", "exactly one of log_l_bol_lsun, l_bol_over_stars and fraction"},
    {"{disc: none, l_bol_over_stars: 1, torus: {law: nenkova08, tau: 10, covering_fraction: 0.5}}", "leave it out"},
    {"{disc: none, l_bol_over_stars: 1, torus: {law: nenkova08}}", "agn_torus_tau"},
    {"{disc: none, l_bol_over_stars: 1, lines: {broad_covering_fraction: 0.1}, torus: {law: nenkova08, tau: 10}}", "lines needs the light of a disc"},
    {"{disc: none, l_bol_over_stars: 1, dust: {law: smc, a_v_mag: 1}, torus: {law: nenkova08, tau: 10}}", "dust needs the light of a disc"},
    {"{disc: none, l_bol_over_stars: 1, alpha_1: -1, torus: {law: nenkova08, tau: 10}}", "alpha_1 needs the light of a disc"},
    {"{disc: none, fraction: 0.1, fraction_wave_A: 1.0e10, torus: {law: nenkova08, tau: 10}}", "1e7"},
    {"{l_bol_over_stars: -1}", "agn_l_bol_over_stars"},
    {"{l_bol_over_stars: 1, fraction_wave_A: 5100}", "beside l_bol_over_stars"},
    {"{l_bol_over_stars: 1, log_l_bol_lsun: 10}", "exactly one"},
    {"{}", "exactly one of log_l_bol_lsun, l_bol_over_stars and fraction"},
    {"{log_l_bol_lsun: 10, fraction: 0.1, fraction_wave_A: 5100}", "exactly one"},
    {"{log_l_bol_lsun: 10, fraction_wave_A: 5100}", "belongs to fraction"},
    {"{fraction: 0.1}", "fraction_wave_A"},
    {"{fraction: 0.1, fraction_wave_A: 500}", "1216"},
    {"{fraction: 1.5, fraction_wave_A: 5100}", "agn_fraction"},
    {"{log_l_bol: 10}", "log_l_bol_lsun"},
    {"{log_l_bol_lsun: 10, alpha_4: 1}", "alpha_4"},
    {"{log_l_bol_lsun: 10, break_wave_A: [1000, 900], alpha_1: -1, alpha_2: -1, alpha_3: 1}", "ascend"},
    {"{log_l_bol_lsun: 10, break_wave_A: [1000], alpha_1: -1}", "alpha_2"},
    {"{log_l_bol_lsun: 10, axes: {masses: 3}}", "axes"},
    {"{log_l_bol_lsun: 10, lines: {broad_fwhm_km_s: 3000}}", "broad_covering_fraction"},
    {"{log_l_bol_lsun: 10, lines: {}}", "lines"},
    {"{log_l_bol_lsun: 10, lines: all}", "none"},
    {"{log_l_bol_lsun: 10, torus: {law: nenkova, tau: 30, covering_fraction: 0.4}}", "did you mean 'nenkova08'"},
    {"{log_l_bol_lsun: 10, torus: {law: nenkova08, tau: 3, covering_fraction: 0.4}}", "agn_torus_tau"},
    {"{log_l_bol_lsun: 10, torus: {law: nenkova08, tau: 30}}", "covering_fraction"},
    {"{log_l_bol_lsun: 10, torus: {law: nenkova08, tau: 30, covering_fraction: 0.4, inclination_deg: 30}}", "inclination_deg"},
    {"{log_l_bol_lsun: 10, torus: {law: skirtor, tau: 7, covering_fraction: 0.4}}", "file"},
    {"{log_l_bol_lsun: 10, torus: {law: skirtor, tau: 7, covering_fraction: 0.4, file: /nowhere/s.fits}}", "s.fits"},
    {"{log_l_bol_lsun: 10, dust: {law: calzeti, a_v_mag: 1}}", "calzetti"},
    {"{disc: no-such-grid, log_l_bol_lsun: 10}", "no-such-grid"},
    {"broken_power_law", "map"},
    {axes_yaml, "accretion_rates_eddington"}, {axis_yaml, "agn_accretion_rates_eddington"}, {star_yaml, "ages"}, {alpha_yaml, "alpha_1"},
        {skirtor_yaml, "no.fits"},
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    agn_case c;
    sdn_err err;
    const sdn_status status = try(row[i].yaml, &c, &err);
    if (!status) fail_msg("%s was taken", row[i].yaml);
    if (!strstr(err.text, row[i].says)) fail_msg("%s: \"%s\" does not say %s", row[i].yaml, err.text, row[i].says);
  }
}

static void parameters_that_are_no_numbers_are_refused(void **state)
{
  (void)state;
  agn_case c = begin(whole_yaml);
  for (int p = 0; p < sdn_prior_n_param(c.prior); p++) {
    const char *name = sdn_prior_param_name(c.prior, p);
    const double good = c.params[p];
    sdn_err err;
    c.params[p] = NAN;
    const sdn_status status = sdn_agn_table_prepare(c.table, c.params, &c.state, &err);
    const bool unused = !strcmp(name, "agn_fraction") || strstr(name, "fwhm") || strstr(name, "dust_");   /* not read here; the law's own */
    if (!unused && status != SDN_RANGE) fail_msg("%s = NaN gave status %d", name, (int)status);
    c.params[p] = good;
  }
  end(&c);
}

static int end_all(void **state)
{
  (void)state;
  curve(NULL, 0);
  return 0;
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(power_law_has_its_power_photons_and_slopes), cmocka_unit_test(names_are_in_their_scope),
        cmocka_unit_test(grid_discs_are_shapes_of_unit_power),
    cmocka_unit_test(torus_has_its_share_of_the_power), cmocka_unit_test(a_torus_alone_has_all_the_power), cmocka_unit_test(nenkova_is_what_fsps_has), cmocka_unit_test(skirtor_is_read),
        cmocka_unit_test(lines_count_photons),
    cmocka_unit_test(broad_ratios_make_the_published_widths), cmocka_unit_test(table_agrees_with_plain), cmocka_unit_test(screen_keeps_the_energy),
    cmocka_unit_test(grid_screen_keeps_the_energy), cmocka_unit_test(nodes_keep_bands), cmocka_unit_test(bad_yaml_is_refused),
    cmocka_unit_test(parameters_that_are_no_numbers_are_refused),
  };
  return cmocka_run_group_tests_name("active nucleus", tests, NULL, end_all);
}
