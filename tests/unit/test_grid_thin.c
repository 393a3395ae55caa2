/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Thinning: the projection is the least-squares one, and the error that is reported is the error. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/grid_thin.h"
#include "support/grid_fixture.h"
#include "support/scratch.h"

static sdn_err err;
enum { N_X = 41 };

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

static void make_axis(double *x)
{
  for (int i = 0; i < N_X; i++) x[i] = 1000 * exp(0.02 * i + 0.003 * sin(7. * i));
}

/* A function that is piecewise linear on the nodes comes back as it was. */
static void straight_lines_stay(void **unused)
{
  const int node[] = {0, 3, 4, 11, 25, 40};
  const double at_node[] = {1, 5, 2, 2.5, 0, 7};
  double x[N_X], work[6], value[6];
  float f[N_X], back[N_X];
  sdn_thin_fit fit;
  (void)unused;
  make_axis(x);
  must(sdn_thin_fit_new(N_X, x, 6, node, &fit, &err));
  sdn_thin_expand(&fit, at_node, f);
  for (int k = 0; k < 5; k++)   /* expanding is straight interpolation */
    for (int i = node[k]; i <= node[k + 1]; i++) {
      const double t = (x[i] - x[node[k]]) / (x[node[k + 1]] - x[node[k]]);
      assert_true(fabs((double)f[i] - ((1 - t) * at_node[k] + t * at_node[k + 1])) < 1e-6);
    }
  sdn_thin_project(&fit, f, work, value);
  for (int k = 0; k < 6; k++) assert_true(fabs(value[k] - at_node[k]) < 2e-6);
  sdn_thin_expand(&fit, value, back);
  for (int i = 0; i < N_X; i++) assert_true(fabs((double)(back[i] - f[i])) < 2e-6);
  sdn_thin_fit_free(&fit);
}

/* int residual * hat dlambda/lambda^2 = 0 for every hat, by Simpson's rule on every interval: exact for products of straight lines. The measure is d(1/lambda), taken as constant density
 * within an interval, as the fit takes it. */
static void residual_is_orthogonal(void **unused)
{
  const int node[] = {0, 2, 9, 10, 22, 40};
  double x[N_X], work[6], value[6], total = 0;
  float f[N_X], back[N_X];
  sdn_thin_fit fit;
  (void)unused;
  make_axis(x);
  for (int i = 0; i < N_X; i++) f[i] = (float)(20 + 5 * sin(1.7 * i) + i);
  must(sdn_thin_fit_new(N_X, x, 6, node, &fit, &err));
  sdn_thin_project(&fit, f, work, value);
  sdn_thin_expand(&fit, value, back);
  for (int k = 0; k < 6; k++) {
    double sum = 0;
    for (int i = 0; i + 1 < N_X; i++) {
      double hat[2], r[2];
      for (int e = 0; e < 2; e++) {
        const double at = x[i + e], left = k ? x[node[k - 1]] : at, mid = x[node[k]], right = k < 5 ? x[node[k + 1]] : at;
        hat[e] = at < mid ? (k ? fmax((at - left) / (mid - left), 0) : 0) : at > mid ? (k < 5 ? fmax((right - at) / (right - mid), 0) : 0) : 1;
        r[e] = (double)back[i + e] - (double)f[i + e];
      }
      const double h = 1 / x[i] - 1 / x[i + 1];
      sum += h / 6 * (hat[0] * r[0] + (hat[0] + hat[1]) * (r[0] + r[1]) + hat[1] * r[1]);
      total += h * fabs(r[0]);
    }
    assert_true(fabs(sum) < 1e-6 * total);
  }
  assert_true(total > 0);
  sdn_thin_fit_free(&fit);
}

static void nothing_is_negative(void **unused)
{
  const int node[] = {0, 10, 20, 30, 40};
  double x[N_X], work[5], value[5];
  float f[N_X];
  sdn_thin_fit fit;
  (void)unused;
  make_axis(x);
  for (int i = 0; i < N_X; i++) f[i] = i < 18 ? 0 : 100;   /* a step: the unbounded fit dips below zero before it */
  must(sdn_thin_fit_new(N_X, x, 5, node, &fit, &err));
  sdn_thin_project(&fit, f, work, value);
  for (int k = 0; k < 5; k++) assert_true(value[k] >= 0);
  assert_true(value[4] > 80 && value[1] == 0);
  sdn_thin_fit_free(&fit);
}

/* ------------------------------------------------------------------ a grid */

enum { N_FINE = 3000 };
static double fine_A[N_FINE];

/* A smooth spectrum with many absorption lines. */
static double stars(int age, int metallicity, int u, double w)
{
  const double break_4000 = w > 4000 ? 1 + 0.3 * age : 1, forest = 1 - 0.5 * pow(sin(w / (23 + metallicity)), 8);
  (void)u;
  return 1e20 * (w < 912 ? 0.1 : 1) * break_4000 * forest * pow(w / 5000, 1 + 0.3 * age);
}

static double gas(int age, int metallicity, int u, double w) { return age < 2 ? 1e19 * (1 + u) * (w > 3646 ? 1 : 2) * (1 + metallicity) : 0; }

static const char *write_grid(const char *name)
{
  for (int i = 0; i < N_FINE; i++) fine_A[i] = 100 * exp(log(2000.) * i / (N_FINE - 1));
  const grid_fixture f = {.n_age = 4, .n_metallicity = 2, .n_u = 2, .n_wave = N_FINE, .wave_A = fine_A, .incident = stars, .nebular_continuum = gas, .star_fraction = true};
  return grid_fixture_write(&f, name);
}

static sdn_grid_thin_options defaults(const char *grid, const char *output)
{
  sdn_grid_thin_options o;
  sdn_knob_defaults(sdn_grid_thin_knobs, sdn_n_grid_thin_knob, &o);
  o.grid = grid;
  o.output = output;
  return o;
}

/* Bands of both grids by the filters' own exact integration, at redshifts of the test's choice: none errs by more than is reported by much. */
static double independent_error(const sdn_grid *full, const sdn_grid *thin, double z_max)
{
  static const char *const ids[] = {"SLOAN/SDSS.u", "SLOAN/SDSS.r", "JWST/NIRCam.F200W", "JWST/NIRCam.F410M", "HST/ACS_WFC.F435W", "Subaru/Suprime.IB624", "2MASS/2MASS.H"};
  double *w[2] = {malloc((size_t)full->n_wave * sizeof(double)), malloc((size_t)thin->n_wave * sizeof(double))}, largest = 0;
  const sdn_grid *const g[2] = {full, thin};
  for (size_t i = 0; i < sizeof ids / sizeof ids[0]; i++) {
    sdn_filter *f;
    must(sdn_filter_read(ids[i], &f, &err));
    for (double z = 0.013; z < z_max; z *= 1.31)
      for (int cell = 0; cell < 8; cell++) {
        double flux[2] = {0};
        bool covered = true;
        for (int k = 0; k < 2; k++) {
          int first, last;
          covered = covered && sdn_filter_weights_double(f, g[k]->n_wave, g[k]->wave_A, 1 + z, &first, &last, w[k]);
          for (int j = first; covered && j < last; j++) flux[k] += w[k][j] * (double)sdn_grid_row(&g[k]->incident, cell / 2, cell % 2, 0)[j];
        }
        if (covered && f->low_A / (1 + z) > 1216) largest = fmax(largest, fabs(flux[1] / flux[0] - 1));
      }
    sdn_filter_free(f);
  }
  free(w[0]);
  free(w[1]);
  return largest;
}

static void reported_error_is_true(void **unused)
{
  sdn_grid_thin_summary s, tight;
  sdn_grid *full, *thin;
  double recorded;
  sdn_h5 *h;
  (void)unused;
  const char *path = write_grid("fine.hdf5");
  sdn_grid_thin_options o = defaults(path, scratch_file("thin.hdf5"));
  o.z_max = 4;
  o.tolerance = 2e-3;
  must(sdn_grid_thin(&o, NULL, &s, &err));
  must(sdn_grid_read(path, 0, HUGE_VAL, &full, &err));
  must(sdn_grid_read(o.output, 0, HUGE_VAL, &thin, &err));
  assert_true(s.n_wave < s.n_wave_before / 2 && s.error_max < 2 * o.tolerance && s.error_median <= s.error_999 && s.error_999 <= 1.03 * s.error_max && s.n_band > 100);
  const double seen = independent_error(full, thin, o.z_max);
  if (!(seen > 0 && seen < 1.5 * s.error_max)) fail_msg("bands err by %g, reported %g", seen, s.error_max);
  assert_true(thin->axis[0].n == 4 && thin->axis[2].n == 2 && thin->star_fraction.value && thin->nebular_continuum.n_age == 2);
  for (int a = 0; a < 4; a++) assert_true(*sdn_grid_row(&thin->star_fraction, a, 1, 0) == *sdn_grid_row(&full->star_fraction, a, 1, 0));
  must(sdn_h5_open(o.output, &h, &err));
  must(sdn_h5_get_double(h, "Thinning", "band_error_max", &recorded, &err));
  must(sdn_h5_close(h, &err));
  assert_true(recorded == s.error_max);
  o.tolerance = 4e-4;
  must(sdn_grid_thin(&o, NULL, &tight, &err));
  assert_true(tight.n_wave > s.n_wave && tight.error_max < s.error_max);
  sdn_grid_free(full);
  sdn_grid_free(thin);
}

static void wishes_are_heard(void **unused)
{
  sdn_grid_thin_summary s;
  sdn_grid *g;
  (void)unused;
  const char *path = write_grid("fine.hdf5");
  sdn_grid_thin_options o = defaults(path, scratch_file("wish.hdf5"));
  o.z_max = 2;
  o.nodes = 300;
  must(sdn_grid_thin(&o, NULL, &s, &err));
  assert_true(s.n_wave <= 300 && s.n_wave > 250);
  o.nodes = 0;
  o.resolution = 50;
  o.wave_low = 500;
  o.wave_high = 3e4;
  must(sdn_grid_thin(&o, NULL, &s, &err));
  must(sdn_grid_read(o.output, 0, HUGE_VAL, &g, &err));
  assert_true(s.n_wave > 50 * log(3e4 / 500) && s.n_wave < 50 * log(3e4 / 500) + 40 && g->wave_A[0] <= 500 && g->wave_A[0] > 490 && g->wave_A[g->n_wave - 1] < 3.1e4);
  sdn_grid_free(g);
  o.nodes = 20;
  assert_true(sdn_grid_thin(&o, NULL, &s, &err) == SDN_USAGE && strstr(err.text, "too few"));
  o = defaults(path, path);
  assert_int_equal(sdn_grid_thin(&o, NULL, &s, &err), SDN_USAGE);   /* not over its own input */
  o = defaults(path, "/nowhere/out.hdf5");
  assert_int_equal(sdn_grid_thin(&o, NULL, &s, &err), SDN_IO);
  o = defaults(path, scratch_file("x.hdf5"));
  o.wave_low = 5e4;
  o.wave_high = 1e4;
  assert_true(sdn_grid_thin(&o, NULL, &s, &err) == SDN_USAGE && strstr(err.text, "--wave-high"));
}

static void threads_change_nothing(void **unused)
{
  sdn_grid_thin_summary s[2];
  size_t n[2];
  unsigned char *bytes[2];
  (void)unused;
  const char *path = write_grid("fine.hdf5");
  for (int k = 0; k < 2; k++) {
    sdn_grid_thin_options o = defaults(path, scratch_file("same.hdf5"));
    const sdn_run run = {.n_thread = 1 + k};
    o.z_max = 1;
    must(sdn_grid_thin(&o, &run, &s[k], &err));
    bytes[k] = scratch_read(o.output, &n[k]);
  }
  assert_true(n[0] == n[1] && s[0].error_max == s[1].error_max);
  assert_memory_equal(bytes[0], bytes[1], n[0]);
  free(bytes[0]);
  free(bytes[1]);
}

static int stop_now = 1;

static void stopping_leaves_nothing(void **unused)
{
  sdn_grid_thin_summary s;
  (void)unused;
  const char *path = write_grid("fine.hdf5"), *out = scratch_file("stopped.hdf5");
  const sdn_grid_thin_options o = defaults(path, out);
  const sdn_run run = {.stop = &stop_now};
  assert_int_equal(sdn_grid_thin(&o, &run, &s, &err), SDN_INTERRUPTED);
  assert_false(scratch_exists(out));
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(straight_lines_stay), cmocka_unit_test(residual_is_orthogonal), cmocka_unit_test(nothing_is_negative), cmocka_unit_test(reported_error_is_true),
    cmocka_unit_test(wishes_are_heard), cmocka_unit_test(threads_change_nothing), cmocka_unit_test(stopping_leaves_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
