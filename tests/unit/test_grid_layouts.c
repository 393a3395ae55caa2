/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files as the grid makers of Synthesizer lay them out: BPASS and FSPS grids of the present layout, files before 0.9, active nuclei, dust. Every number of a
 * table is its place in the file, so that a value in the wrong cell cannot pass. */
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
#include "physics/grid_read.h"
#include "support/scratch.h"

enum { MAX_NODE = 16 };
static sdn_err err;
static const double close_enough = 1e-12;   /* a few roundings of double */

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

static sdn_h5 *create(const char *name, const char **path, size_t n_axis, const char *const *axes)
{
  sdn_h5 *h;
  *path = scratch_file(name);
  must(sdn_h5_create(*path, &h, &err));
  must(sdn_h5_set_texts(h, "/", "axes", axes, n_axis, &err));
  return h;
}

static void put_axis(sdn_h5 *h, const char *name, int n, const double *value, const char *units, long log_on_read)
{
  char dataset[96];
  snprintf(dataset, sizeof dataset, "axes/%s", name);
  must(sdn_h5_make(h, dataset, SDN_H5_DOUBLE, &(sdn_h5_shape){1, {n}}, value, &err));
  if (units) must(sdn_h5_set_text(h, dataset, "Units", units, &err));
  if (log_on_read >= 0) must(sdn_h5_set_long(h, dataset, "log_on_read", log_on_read, &err));
}

static void put_evenly(sdn_h5 *h, const char *name, int n, double low, double high, const char *units, long log_on_read)
{
  double value[MAX_NODE];
  for (int i = 0; i < n; i++) value[i] = n > 1 ? low + (high - low) * i / (n - 1) : low;
  put_axis(h, name, n, value, units, log_on_read);
}

/* value = 1 + place in the file, times `scale`, in double as the layout's own files have it. */
static void put_table(sdn_h5 *h, const char *name, sdn_h5_shape shape, double scale, const char *units)
{
  size_t n = 1;
  for (int d = 0; d < shape.n_dim; d++) n *= (size_t)shape.dim[d];
  double *value = malloc(n * sizeof *value);
  if (!value) fail_msg("no memory");
  for (size_t i = 0; i < n; i++) value[i] = scale * (double)(i + 1);
  must(sdn_h5_make(h, name, SDN_H5_DOUBLE, &shape, value, &err));
  if (units) must(sdn_h5_set_text(h, name, "Units", units, &err));
  free(value);
}

static const double wave_A[] = {100, 900, 920, 5000, 20000};
enum { N_WAVE = 5 };

static void put_wave(sdn_h5 *h, const char *units)
{
  must(sdn_h5_make(h, "spectra/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_WAVE}}, wave_A, &err));
  if (units) must(sdn_h5_set_text(h, "spectra/wavelength", "Units", units, &err));
}

static sdn_grid *close_and_read(sdn_h5 *h, const char *path)
{
  sdn_grid *g;
  must(sdn_h5_close(h, &err));
  must(sdn_grid_read(path, 0, HUGE_VAL, &g, &err));
  return g;
}

static void expect(const sdn_grid_table *t, int a, int m, int e, int j, double value)
{
  const float here = sdn_grid_row(t, a, m, e)[j];
  if (here != (float)value) fail_msg("cell %d %d %d, column %d holds %g, not %g", a, m, e, j, (double)here, value);
}

/* ---- units ---- */

static void units_are_understood(void **unused)
{
  static const struct { const char *text; sdn_unit_kind kind; double factor; } good[] = {
    {"Angstrom", SDN_UNIT_WAVELENGTH, 1}, {"nm", SDN_UNIT_WAVELENGTH, 10}, {"um", SDN_UNIT_WAVELENGTH, 1e4}, {"yr", SDN_UNIT_AGE, 1}, {"Gyr", SDN_UNIT_AGE, 1e9},
    {"erg/(Hz*s)", SDN_UNIT_LNU, 1}, {"erg/s/Hz", SDN_UNIT_LNU, 1}, {"erg s^-1 Hz^-1", SDN_UNIT_LNU, 1}, {"erg s-1 Hz-1", SDN_UNIT_LNU, 1},
    {"erg*s**-1*Hz**-1", SDN_UNIT_LNU, 1}, {"W/Hz", SDN_UNIT_LNU, 1e7}, {"erg/s/Hz/Msun", SDN_UNIT_LNU, 1}, {"1/Hz", SDN_UNIT_SHAPE, 1}, {"erg/s/Hz", SDN_UNIT_SHAPE, 1},
    {"Lsun/Hz", SDN_UNIT_LNU, 3.828e33}, {"Lsun/Angstrom", SDN_UNIT_LLAMBDA, 3.828e33}, {"L_sun AA^-1", SDN_UNIT_LLAMBDA, 3.828e33}, {"W/um", SDN_UNIT_LLAMBDA, 1e3},
    {"erg/s", SDN_UNIT_LUMINOSITY, 1}, {"W", SDN_UNIT_LUMINOSITY, 1e7}, {"Msun", SDN_UNIT_MASS, 1}, {"1.98841e+30*kg", SDN_UNIT_MASS, 1}, {"dimensionless", SDN_UNIT_NUMBER, 1}};
  static const struct { const char *text; sdn_unit_kind kind; } bad[] = {
    {"furlong", SDN_UNIT_WAVELENGTH}, {"yr", SDN_UNIT_WAVELENGTH}, {"erg/s", SDN_UNIT_LNU}, {"yr", SDN_UNIT_LNU}, {"1/Hz", SDN_UNIT_LNU}, {"erg/s/Hz", SDN_UNIT_LLAMBDA}, {"erg/(s*Hz", SDN_UNIT_LNU}, {"erg/s/Hz)", SDN_UNIT_LNU},
    {"yr**2", SDN_UNIT_AGE}, {"yr**", SDN_UNIT_AGE}, {"0*yr", SDN_UNIT_AGE}, {"((((((((((((((((((((yr))))))))))))))))))))", SDN_UNIT_AGE}, {"yr $", SDN_UNIT_AGE}};
  double factor;
  (void)unused;
  for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
    if (!sdn_unit_factor(good[i].text, good[i].kind, SDN_LSUN_ERG_PER_S, &factor) || !(fabs(factor / good[i].factor - 1) < close_enough))
      fail_msg("%s: %.17g instead of %g", good[i].text, factor, good[i].factor);
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
    if (sdn_unit_factor(bad[i].text, bad[i].kind, SDN_LSUN_ERG_PER_S, &factor)) fail_msg("%s passed", bad[i].text);
}

/* ---- present layout ---- */

/* BPASS 2.2.1 as photoionised: ages x metallicities, 13 metallicities from 1e-5 with log_on_read, star_fraction and remnant_fraction, a failed run. */
static void bpass(void **unused)
{
  static const char *const axes[] = {"ages", "metallicities"};
  static const double z[] = {1e-5, 1e-4, .001, .002, .003, .004, .006, .008, .01, .014, .02, .03, .04}, line_A[] = {1215.67, 6562.80};
  static const char *const id[] = {"H 1 1215.67A", "H 1 6562.80A"};
  const double age[] = {1e6, 1e7, 1e8};
  (void)unused;
  for (long log_on_read = 0; log_on_read < 2; log_on_read++) {   /* BPASS has it, the other families do not: one rule for all */
    const char *path;
    sdn_h5 *h = create("bpass.hdf5", &path, 2, axes);
    must(sdn_h5_set_text(h, "/", "WeightVariable", "initial_masses", &err));
    put_axis(h, "ages", 3, age, "yr", 1);
    put_axis(h, "metallicities", 13, z, "dimensionless", log_on_read);
    put_wave(h, "Angstrom");
    const sdn_h5_shape shape = {3, {3, 13, N_WAVE}};
    put_table(h, "spectra/incident", shape, 4, "erg/(Hz*s)");
    put_table(h, "spectra/transmitted", shape, 3, "erg/(Hz*s)");
    put_table(h, "spectra/nebular", shape, 2, "erg/(Hz*s)");
    put_table(h, "spectra/linecont", shape, 0.5, "erg/(Hz*s)");
    put_table(h, "lines/luminosity", (sdn_h5_shape){3, {3, 13, 2}}, 1, "erg/s");
    must(sdn_h5_make(h, "lines/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {2}}, line_A, &err));
    must(sdn_h5_make_growing_texts(h, "lines/id", 12, 2, 0, &err));
    must(sdn_h5_write_row_texts(h, "lines/id", 0, 2, id, &err));
    put_table(h, "star_fraction", (sdn_h5_shape){2, {3, 13}}, 1. / 64, NULL);
    put_table(h, "remnant_fraction", (sdn_h5_shape){2, {3, 13}}, 1. / 64, NULL);
    put_table(h, "log10_specific_ionising_luminosity/HI", (sdn_h5_shape){2, {3, 13}}, 1, "dimensionless");
    unsigned char failed[3 * 13] = {0};
    failed[13 + 6] = 1;   /* age 1, metallicity 6 */
    must(sdn_h5_make(h, "failures", SDN_H5_UINT8, &(sdn_h5_shape){2, {3, 13}}, failed, &err));
    sdn_grid *g = close_and_read(h, path);
    assert_true(g->n_axis == 2 && g->has_ages && g->has_metallicities && !g->old_layout && !sdn_grid_require_stars(g, &err));
    assert_string_equal(g->weight, "initial_masses");
    assert_true(g->axis[1].n == 13 && g->axis[1].log && fabs(g->axis[1].coordinate[0] + 5) < close_enough);
    expect(&g->incident, 2, 7, 0, 3, 4. * ((2 * 13 + 7) * N_WAVE + 3 + 1));
    expect(&g->nebular_continuum, 2, 7, 0, 3, 1.5 * ((2 * 13 + 7) * N_WAVE + 3 + 1));
    expect(&g->lines, 0, 12, 0, 1, 12 * 2 + 1 + 1);
    assert_true(g->line_medium == SDN_GRID_AIR && fabs(g->line_wave_A[1] - 6564.6129) < 2e-4);   /* Morton 2000 */
    expect(&g->star_fraction, 1, 5, 0, 0, (13 + 5 + 1) / 64.);
    assert_int_equal(g->n_failed_cell, 1);
    const double below = 3. * ((13 + 5) * N_WAVE + 1), above = 3. * ((13 + 7) * N_WAVE + 1);   /* metallicities .004 and .008 around .006 */
    const double w = log10(.006 / .004) / log10(.008 / .004);
    assert_true(fabs((double)sdn_grid_row(&g->transmitted, 1, 6, 0)[0] / ((1 - w) * below + w * above) - 1) < 1e-6);
    sdn_grid_set_axis_log(g, 1, false);
    assert_true(!g->axis[1].log && g->axis[1].coordinate[3] == .002);
    int i;
    double t;
    assert_true(sdn_grid_locate(&g->axis[1], .0025, false, &i, &t) && i == 3 && fabs(t - .5) < close_enough);
    sdn_grid_free(g);
  }
}

/* BPASS 2.3 (alpha_enhancements after ages and metallicities) and FSPS with a variable mass function (high_mass_slopes): incident alone, ionisation parameters between. */
static void extra_axes(void **unused)
{
  static const char *const alpha[] = {"ages", "metallicities", "alpha_enhancements"}, *const fsps[] = {"high_mass_slopes", "ages", "ionisation_parameters", "metallicities"};
  const char *path;
  (void)unused;
  sdn_h5 *h = create("bpass23.hdf5", &path, 3, alpha);
  put_evenly(h, "ages", 2, 1e6, 1e7, "yr", 1);
  put_evenly(h, "metallicities", 3, .01, .03, NULL, 0);
  put_evenly(h, "alpha_enhancements", 4, -.2, .4, "dimensionless", 0);
  put_wave(h, "Angstrom");
  put_table(h, "spectra/incident", (sdn_h5_shape){4, {2, 3, 4, N_WAVE}}, 1, "erg/(Hz*s)");
  put_table(h, "star_fraction", (sdn_h5_shape){2, {2, 3}}, .01, NULL);
  sdn_grid *g = close_and_read(h, path);
  assert_true(g->n_axis == 3 && !g->axis[2].log && g->axis[2].coordinate[0] == -.2 && g->incident.n_extra == 4 && !g->nebular_continuum.value && !g->transmitted.value);
  expect(&g->incident, 1, 2, 3, 4, ((1 * 3 + 2) * 4 + 3) * N_WAVE + 4 + 1);
  expect(&g->star_fraction, 1, 1, 0, 0, .01 * (3 + 1 + 1));
  sdn_grid_free(g);

  h = create("fsps.hdf5", &path, 4, fsps);
  put_evenly(h, "high_mass_slopes", 3, 1.8, 2.8, "dimensionless", 0);
  put_evenly(h, "ages", 2, 1e-3, 1e-2, "Gyr", 1);
  put_evenly(h, "ionisation_parameters", 2, .001, .01, "dimensionless", 1);
  put_evenly(h, "metallicities", 4, .001, .03, "dimensionless", 0);
  put_wave(h, NULL);
  put_table(h, "spectra/incident", (sdn_h5_shape){5, {3, 2, 2, 4, N_WAVE}}, 1, "erg/(Hz*s)");
  put_table(h, "star_fraction", (sdn_h5_shape){2, {2, 4}}, .01, NULL);   /* not the first two axes: told by its lengths */
  g = close_and_read(h, path);
  assert_true(g->n_axis == 4 && fabs(g->axis[0].value[1] / 1e7 - 1) < close_enough);
  assert_string_equal(g->axis[2].name, "high_mass_slopes");
  assert_true(g->axis[3].log && g->incident.n_extra == 6);
  expect(&g->incident, 1, 3, 2 * 2 + 1, 2, (((2 * 2 + 1) * 2 + 1) * 4 + 3) * N_WAVE + 2 + 1);   /* slope 2, age 1, u 1, metallicity 3 */
  sdn_grid_free(g);
}

/* Eight axes, all that are served; one more is refused. */
static void eight_axes(void **unused)
{
  static const char *const axes[] = {"ages", "metallicities", "alpha_enhancements", "hydrogen_densities", "ionisation_parameters", "turbulences", "column_densities",
                                     "redshifts", "depletion_scales"};
  sdn_h5_shape shape = {9, {2, 2, 2, 2, 2, 2, 2, 2, N_WAVE}};
  const char *path;
  sdn_grid *g;
  (void)unused;
  sdn_h5 *h = create("eight.hdf5", &path, 8, axes);
  for (int a = 0; a < 9; a++) put_evenly(h, axes[a], 2, 1, 2, a == 0 ? "yr" : "", 0);
  put_wave(h, "Angstrom");
  put_table(h, "spectra/incident", shape, 1, NULL);
  g = close_and_read(h, path);
  assert_true(g->n_axis == 8 && g->incident.n_extra == 64);
  expect(&g->incident, 1, 0, 37, 1, (128 + 37) * N_WAVE + 1 + 1);
  sdn_grid_free(g);
  must(sdn_h5_open_update(path, &h, &err));
  must(sdn_h5_set_texts(h, "/", "axes", axes, 9, &err));
  must(sdn_h5_close(h, &err));
  assert_true(sdn_grid_read(path, 0, HUGE_VAL, &g, &err) == SDN_FORMAT && strstr(err.text, "depletion_scales"));
}

/* ---- before 0.9 ---- */

/* axes/log10age, axes/metallicity or axes/log10metallicity, log10Q, a group for each line, WeightVariable with the spectra, Cloudy's parameters at the root. */
static void old_layout(void **unused)
{
  static const char *const axes[] = {"log10age", "metallicity"}, *const mixed[] = {"ages", "log10metallicities"};
  const double log_age[] = {6, 7, 8}, z[] = {1e-4, 1e-2}, log_z[] = {-4, -2};
  (void)unused;
  for (int variant = 0; variant < 2; variant++) {
    const char *path;
    sdn_h5 *h = create("old.hdf5", &path, 2, variant ? mixed : axes);
    put_axis(h, "log10age", 3, log_age, variant ? "log10(yr)" : "dimensionless", -1);
    if (variant) put_axis(h, "log10metallicity", 2, log_z, NULL, -1);
    else put_axis(h, "metallicity", 2, z, "dimensionless", -1);
    must(sdn_h5_set_text(h, "/", "cloudy_version", "c17.03", &err));
    put_wave(h, NULL);
    must(sdn_h5_set_text(h, "spectra", "WeightVariable", "initial_masses", &err));
    const sdn_h5_shape shape = {3, {3, 2, N_WAVE}};
    put_table(h, "spectra/incident", shape, 2, "erg s^-1 Hz^-1");
    put_table(h, "spectra/transmitted", shape, 1, NULL);
    put_table(h, "spectra/nebular", shape, 2, NULL);
    put_table(h, "spectra/linecont", shape, 1, NULL);
    put_table(h, "log10Q/HI", (sdn_h5_shape){2, {3, 2}}, 1, NULL);
    put_table(h, "lines/H 1 6562.80A/luminosity", (sdn_h5_shape){2, {3, 2}}, 1, "erg/s");
    put_table(h, "lines/H 1 6562.80A/continuum", (sdn_h5_shape){2, {3, 2}}, 1, "erg/s/Hz");
    put_table(h, "lines/H 1 4861.32A/luminosity", (sdn_h5_shape){2, {3, 2}}, 10, "erg/s");
    must(sdn_h5_set_double(h, "lines/H 1 6562.80A", "wavelength", 6562.80, &err));
    must(sdn_h5_set_double(h, "lines/H 1 4861.32A", "wavelength", 4861.32, &err));
    sdn_grid *g = close_and_read(h, path);
    assert_true(g->old_layout && g->n_axis == 2);
    assert_string_equal(g->axis[0].name, "ages");
    assert_string_equal(g->axis[1].name, "metallicities");
    assert_string_equal(g->weight, "initial_masses");
    assert_true(fabs(g->axis[0].value[1] / 1e7 - 1) < close_enough && fabs(g->axis[1].value[0] / 1e-4 - 1) < close_enough);
    assert_true(g->n_line == 2 && fabs(g->line_wave_A[0] - 4862.68) < .02 && fabs(g->line_wave_A[1] - 6564.61) < .02);   /* vacuum, NIST */
    assert_string_equal(g->line_id[1], "H 1 6562.80A");
    expect(&g->lines, 2, 1, 0, 0, 60);
    expect(&g->lines, 2, 1, 0, 1, 6);
    expect(&g->log_q_hi, 1, 1, 0, 0, 4);
    expect(&g->nebular_continuum, 2, 1, 0, 4, 5 * N_WAVE + 4 + 1);
    sdn_grid_free(g);
  }
}

static void odd_files(void **unused)
{
  static const char *const axes[] = {"ages", "metallicities"};
  const double age[] = {1e6, 1e7};
  const char *path;
  (void)unused;
  sdn_h5 *h = create("odd.hdf5", &path, 2, axes);
  put_axis(h, "ages", 2, age, "yr**2", 1);   /* as some Maraston (2013) files have it */
  put_axis(h, "metallicities", 1, (const double[]){0}, NULL, 0);   /* a population without metals */
  put_wave(h, NULL);
  put_table(h, "spectra/incident", (sdn_h5_shape){3, {2, 1, N_WAVE}}, 1, NULL);
  sdn_grid *g = close_and_read(h, path);
  assert_true(g->axis[0].value[1] == 1e7 && g->axis[1].n == 1 && g->axis[1].coordinate[0] == 0 && !g->star_fraction.value);
  sdn_grid_free(g);
}

/* Wavelengths of strong lines where vacuum has them, without a word about it. */
static void vacuum_is_seen(void **unused)
{
  static const char *const axes[] = {"ages", "metallicities"}, *const id[] = {"a", "b"};
  const double line_A[] = {4862.69, 6564.61};
  const char *path;
  (void)unused;
  sdn_h5 *h = create("vacuum.hdf5", &path, 2, axes);
  put_evenly(h, "ages", 2, 1e6, 1e7, "yr", 1);
  put_evenly(h, "metallicities", 2, .01, .02, NULL, 0);
  put_wave(h, NULL);
  put_table(h, "spectra/incident", (sdn_h5_shape){3, {2, 2, N_WAVE}}, 1, NULL);
  put_table(h, "lines/luminosity", (sdn_h5_shape){3, {2, 2, 2}}, 1, "erg/s");
  must(sdn_h5_make(h, "lines/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {2}}, line_A, &err));
  must(sdn_h5_make_growing_texts(h, "lines/id", 1, 2, 0, &err));
  must(sdn_h5_write_row_texts(h, "lines/id", 0, 2, id, &err));
  sdn_grid *g = close_and_read(h, path);
  assert_true(g->line_medium == SDN_GRID_VACUUM_SEEN && g->line_wave_A[0] == 4862.69 && g->line_wave_A[1] == 6564.61);
  sdn_grid_free(g);
}

/* ---- other kinds ---- */

/* qsosed: no ages, no metallicities; singular names as in the test grid, mass in kg; a narrow-line region brings metallicities. */
static void active_nuclei(void **unused)
{
  static const char *const axes[] = {"mass", "accretion_rate_eddington", "cosine_inclination"}, *const nlr[] = {"masses", "accretion_rates_eddington", "metallicities"};
  const double mass_kg[] = {1.98841e36, 1.98841e38};
  const char *path;
  (void)unused;
  sdn_h5 *h = create("qsosed.hdf5", &path, 3, axes);
  must(sdn_h5_set_text(h, "/", "WeightVariable", "bolometric_luminosities", &err));
  put_axis(h, "mass", 2, mass_kg, "kg", 1);
  put_evenly(h, "accretion_rate_eddington", 3, .03, 1, NULL, 1);
  put_evenly(h, "cosine_inclination", 4, .1, .9, NULL, 0);
  put_wave(h, "Angstrom");
  put_table(h, "spectra/incident", (sdn_h5_shape){4, {2, 3, 4, N_WAVE}}, 1, "1/Hz");
  sdn_grid *g = close_and_read(h, path);
  assert_true(!g->has_ages && !g->has_metallicities && g->n_axis == 5 && g->axis[0].n == 1 && g->axis[1].n == 1 && g->incident.n_extra == 24);
  assert_string_equal(g->axis[2].name, "masses");
  assert_true(g->axis[2].log && fabs(g->axis[2].coordinate[1] - 8) < 1e-9);
  assert_string_equal(g->weight, "bolometric_luminosities");
  expect(&g->incident, 0, 0, 1 * 12 + 2 * 4 + 3, 2, (12 + 8 + 3) * N_WAVE + 2 + 1);
  assert_true(sdn_grid_require_stars(g, &err) == SDN_FORMAT && strstr(err.text, "ages"));
  sdn_grid_free(g);

  h = create("nlr.hdf5", &path, 3, nlr);
  put_evenly(h, "masses", 2, 1e6, 1e8, "Msun", 1);
  put_evenly(h, "accretion_rates_eddington", 3, .03, 1, NULL, 1);
  put_evenly(h, "metallicities", 2, .01, .02, NULL, 1);
  put_wave(h, "Angstrom");
  put_table(h, "spectra/incident", (sdn_h5_shape){4, {2, 3, 2, N_WAVE}}, 1, "erg/(Hz*s)");
  g = close_and_read(h, path);
  assert_true(!g->has_ages && g->has_metallicities && g->n_axis == 4);
  expect(&g->incident, 0, 1, 1 * 3 + 2, 0, ((1 * 3 + 2) * 2 + 1) * N_WAVE + 1);
  sdn_grid_free(g);
}

/* Draine & Li dust: spectra of other names, of which one lacks the last axis. */
static void dust(void **unused)
{
  static const char *const axes[] = {"qpah", "umin", "alpha"};
  const char *path;
  sdn_grid *g;
  (void)unused;
  sdn_h5 *h = create("dl07.hdf5", &path, 3, axes);
  put_evenly(h, "qpah", 2, .0047, .0458, NULL, -1);
  put_evenly(h, "umin", 3, .1, 25, NULL, -1);
  put_evenly(h, "alpha", 2, 1, 3, NULL, -1);
  put_wave(h, "Angstrom");
  put_table(h, "spectra/pdr", (sdn_h5_shape){4, {2, 3, 2, N_WAVE}}, 1, "erg/(Hz*s)");
  put_table(h, "spectra/diffuse", (sdn_h5_shape){3, {2, 3, N_WAVE}}, 1, "erg/(Hz*s)");
  must(sdn_h5_close(h, &err));
  assert_true(sdn_grid_read(path, 0, HUGE_VAL, &g, &err) == SDN_FORMAT && strstr(err.text, "diffuse, pdr"));
  must(sdn_grid_read_spectrum(path, "diffuse", 0, HUGE_VAL, &g, &err));
  assert_true(g->incident.n_extra == 6 && !g->incident.has_extra[4]);
  expect(&g->incident, 0, 0, 5, 3, 5 * N_WAVE + 3 + 1);
  sdn_grid_free(g);
  must(sdn_grid_read_spectrum(path, "pdr", 1000, 2000, &g, &err));
  assert_true(g->incident.n_extra == 12 && g->n_wave == 2);
  sdn_grid_free(g);
}

/* ---- refused ---- */

typedef void spoil(sdn_h5 *h);
static void descending_ages(sdn_h5 *h) { put_axis(h, "ages", 2, (const double[]){1e7, 1e6}, "yr", 1); }
static void nan_ages(sdn_h5 *h) { put_axis(h, "ages", 2, (const double[]){1e6, NAN}, "yr", 1); }
static void good_ages(sdn_h5 *h) { put_axis(h, "ages", 2, (const double[]){1e6, 1e7}, "yr", 1); }
static void zero_metals(sdn_h5 *h) { put_axis(h, "metallicities", 2, (const double[]){0, .02}, "dimensionless", 1); }
static void good_metals(sdn_h5 *h) { put_axis(h, "metallicities", 2, (const double[]){.01, .02}, "dimensionless", 1); }
static void wrong_unit(sdn_h5 *h) { put_axis(h, "ages", 2, (const double[]){1e6, 1e7}, "kg", 1); }
static void nothing(sdn_h5 *h) { (void)h; }
static void good_light(sdn_h5 *h) { put_table(h, "spectra/incident", (sdn_h5_shape){3, {2, 2, N_WAVE}}, 1, NULL); }
static void one_column_less(sdn_h5 *h) { put_table(h, "spectra/incident", (sdn_h5_shape){3, {2, 2, N_WAVE - 1}}, 1, NULL); }
static void three_ages(sdn_h5 *h) { put_table(h, "spectra/incident", (sdn_h5_shape){3, {3, 2, N_WAVE}}, 1, NULL); }
static void flat(sdn_h5 *h) { put_table(h, "spectra/incident", (sdn_h5_shape){1, {4 * N_WAVE}}, 1, NULL); }
static void infinite(sdn_h5 *h) { put_table(h, "spectra/incident", (sdn_h5_shape){3, {2, 2, N_WAVE}}, HUGE_VAL, NULL); }
static void nebular_alone(sdn_h5 *h)
{
  good_light(h);
  put_table(h, "spectra/nebular", (sdn_h5_shape){3, {2, 2, N_WAVE}}, 1, NULL);
}
static void lines_without_id(sdn_h5 *h)
{
  good_light(h);
  put_table(h, "lines/luminosity", (sdn_h5_shape){3, {2, 2, 3}}, 1, NULL);
  put_table(h, "lines/wavelength", (sdn_h5_shape){1, {3}}, 1000, NULL);
}

static void bad_grids_are_refused(void **unused)
{
  static const char *const axes[] = {"ages", "metallicities"};
  static const struct { spoil *ages, *metals, *light; const char *says; } cases[] = {
    {descending_ages, good_metals, good_light, "must ascend"}, {nan_ages, good_metals, good_light, "not finite"}, {nothing, good_metals, good_light, "no axes/ages"},
    {wrong_unit, good_metals, good_light, "no unit of time"}, {good_ages, zero_metals, good_light, "node 0 is 0"}, {good_ages, good_metals, one_column_less, "4 columns where 5"},
    {good_ages, good_metals, three_ages, "3 elements"}, {good_ages, good_metals, flat, "20 columns"}, {good_ages, good_metals, infinite, "not finite"},
    {good_ages, good_metals, nothing, "no spectra/incident"}, {good_ages, good_metals, nebular_alone, "no spectra/linecont"}, {good_ages, good_metals, lines_without_id, "lines/id"}};
  (void)unused;
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    const char *path;
    sdn_grid *g;
    sdn_h5 *h = create("bad.hdf5", &path, 2, axes);
    cases[i].ages(h);
    cases[i].metals(h);
    put_wave(h, NULL);
    cases[i].light(h);
    must(sdn_h5_close(h, &err));
    if (sdn_grid_read(path, 0, HUGE_VAL, &g, &err) != SDN_FORMAT || !strstr(err.text, cases[i].says)) fail_msg("'%s' is not in: %s", cases[i].says, err.text);
    assert_null(g);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(units_are_understood), cmocka_unit_test(bpass), cmocka_unit_test(extra_axes), cmocka_unit_test(eight_axes), cmocka_unit_test(old_layout),
    cmocka_unit_test(odd_files), cmocka_unit_test(vacuum_is_seen), cmocka_unit_test(active_nuclei), cmocka_unit_test(dust), cmocka_unit_test(bad_grids_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
