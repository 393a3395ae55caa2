/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Against GALAXEV: composite populations that Bruzual & Charlot's own program made (data/csp_oracle) from the same simple ones (data/ssp), which are put into a
 * grid file here. Histories: exponential psi = e^(-t/tau) / tau and delayed psi = t e^(-t/tau) / tau^2. */
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
#include "physics/galaxy.h"
#include "support/scratch.h"
#include "support/shared.h"

/* Linear in log age here, in age there, and single-precision records. */
#define TOLERANCE 5e-3
#define LSUN_ERG_S 3.826e33
#define LIGHT_A_S 2.99792458e18
#define N_WAVE 1221

static sdn_err err;
enum { EXPONENTIAL, DELAYED, N_FAMILY };
static sdn_model *models[N_FAMILY];
static sdn_forward *forwards[N_FAMILY];
static const char *const bands[] = {"GALEX/GALEX.FUV", "GALEX/GALEX.NUV", "SLOAN/SDSS.u", "SLOAN/SDSS.g", "SLOAN/SDSS.r", "SLOAN/SDSS.i", "SLOAN/SDSS.z", "2MASS/2MASS.J", "2MASS/2MASS.H", "2MASS/2MASS.Ks"};
enum { N_BAND = sizeof bands / sizeof bands[0] };

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

/* The simple populations [Z][age][wave], L_sun/A, as a grid: ages from the second on (the first is 0), L_nu. */
static void write_spectra(sdn_h5 *out, const float *spec, int n_age, int n_z, const double *wave)
{
  const long n = (long)(n_age - 1) * n_z * N_WAVE;
  float *lnu = malloc((size_t)n * sizeof *lnu), *to = lnu;
  for (int a = 1; a < n_age; a++)
    for (int z = 0; z < n_z; z++)
      for (int j = 0; j < N_WAVE; j++)
        *to++ = (float)((double)spec[((long)z * n_age + a) * N_WAVE + j] * LSUN_ERG_S * wave[j] * wave[j] / LIGHT_A_S);
  must(sdn_h5_make(out, "spectra/incident", SDN_H5_FLOAT, &(sdn_h5_shape){3, {n_age - 1, n_z, N_WAVE}}, lnu, &err));
  free(lnu);
}

static const char *write_grid(const char *ssp)
{
  const char *const axes[] = {"ages", "metallicities"}, *path = scratch_file("bc03.hdf5");
  sdn_h5 *in, *out;
  sdn_h5_shape shape;
  double *age, *z, *wave;
  float *spec;
  must(sdn_h5_open(ssp, &in, &err));
  must(sdn_h5_read_double(in, "age", &age, &shape, &err));
  const int n_age = (int)shape.dim[0];
  must(sdn_h5_read_double(in, "Z", &z, &shape, &err));
  const int n_z = (int)shape.dim[0];
  must(sdn_h5_read_double(in, "wave", &wave, &shape, &err));
  assert_int_equal(shape.dim[0], N_WAVE);
  must(sdn_h5_read_float(in, "spec", &spec, &shape, &err));
  must(sdn_h5_close(in, &err));
  must(sdn_h5_create(path, &out, &err));
  must(sdn_h5_set_texts(out, "/", "axes", axes, 2, &err));
  must(sdn_h5_make(out, "axes/ages", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {n_age - 1}}, age + 1, &err));
  must(sdn_h5_make(out, "axes/metallicities", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {n_z}}, z, &err));
  must(sdn_h5_make(out, "spectra/wavelength", SDN_H5_DOUBLE, &(sdn_h5_shape){1, {N_WAVE}}, wave, &err));
  write_spectra(out, spec, n_age, n_z, wave);
  must(sdn_h5_close(out, &err));
  sdn_release(age);
  sdn_release(z);
  sdn_release(wave);
  sdn_release(spec);
  return path;
}

static int setup(void **state)
{
  char ssp[4096], yaml[2048];
  (void)state;
  if (!shared_path("ssp/bc03_lr_chabrier.h5", ssp, sizeof ssp)) return 0;
  const char *grid = write_grid(ssp);
  for (int f = 0; f < N_FAMILY; f++) {
    snprintf(yaml, sizeof yaml,
             "grid: %s\nredshift: 0\nstars: {log_mass_formed_msun: 0, log_metallicity: {prior: uniform, low: -4, high: -1.31}, sfh: {family: %s, "
             "age_gyr: {prior: uniform, low: 0.001, high: 13.7}, tau_gyr: {prior: uniform, low: 0.1, high: 10}}}\nigm: none\n", grid,
             f == DELAYED ? "delayed_exponential" : "exponential");
    must(sdn_model_parse(yaml, "galaxev", &models[f], &err));
    must(sdn_forward_new(models[f], N_BAND, bands, &forwards[f], &err));
  }
  return 0;
}

static int teardown(void **state)
{
  (void)state;
  for (int f = 0; f < N_FAMILY; f++) {
    sdn_forward_free(forwards[f]);
    sdn_model_free(models[f]);
  }
  return 0;
}

/* Fortran's unformatted records: length, bytes, length. */
static const unsigned char *next_record(const unsigned char **at, const unsigned char *end, int32_t *n)
{
  if (end - *at < 8) return NULL;
  memcpy(n, *at, 4);
  const unsigned char *record = *at + 4;
  if (*n < 0 || *n > end - *at - 8) return NULL;
  *at += 8 + *n;
  return record;
}

typedef struct composite { unsigned char *bytes; size_t n; int n_age; float age_yr[400]; const unsigned char *spectra; } composite;

/* First record: number of ages and the ages; second: number of wavelengths and they; then one spectrum per age. */
static composite read_composite(const char *path)
{
  composite c = {.bytes = NULL};
  int32_t n;
  c.bytes = scratch_read(path, &c.n);
  assert_non_null(c.bytes);
  const unsigned char *at = c.bytes, *end = c.bytes + c.n, *record = next_record(&at, end, &n);
  assert_non_null(record);
  memcpy(&c.n_age, record, 4);
  assert_true(c.n_age > 0 && c.n_age < 400);
  memcpy(c.age_yr, record + 4, (size_t)c.n_age * sizeof(float));
  assert_non_null(next_record(&at, end, &n));
  c.spectra = at;
  return c;
}

static void composite_lnu(const composite *c, int age, const double *wave, double *lnu)
{
  const unsigned char *at = c->spectra, *end = c->bytes + c->n, *record = NULL;
  int32_t n;
  for (int i = 0; i <= age; i++) record = next_record(&at, end, &n);
  assert_non_null(record);
  for (int j = 0; j < N_WAVE; j++) {
    float llam;
    memcpy(&llam, record + 4 + 4 * j, sizeof llam);
    lnu[j] = (double)llam * LSUN_ERG_S * wave[j] * wave[j] / LIGHT_A_S;
  }
}

/* Mean f_nu of a spectrum on the grid's wavelengths, at 10 pc as redshift 0 has it. */
static double band_flux(int b, const double *lnu)
{
  const sdn_grid *g = models[0]->grid;
  float weight[N_WAVE];
  int first, last;
  double sum = 0;
  assert_true(sdn_filter_weights(sdn_forward_observable(forwards[0], b)->filter, g->n_wave, g->wave_A, 1, &first, &last, weight));
  for (int j = first; j < last; j++) sum += (double)weight[j] * lnu[j];
  return sum * sdn_cosmology_njy_per_lnu(models[0]->cosmology, 0);
}

typedef struct worst { double error, sum; int n; double age_gyr; const char *band; } worst;

static void judge(worst *w, const float *flux, const double *lnu, double mass, double age_yr)
{
  for (int b = 0; b < N_BAND; b++) {
    const double truth = band_flux(b, lnu), e = fabs(mass * (double)flux[b] / truth - 1);
    w->n++;
    w->sum += e;
    if (!(e <= w->error)) *w = (worst){e, w->sum, w->n, 1e-9 * age_yr, bands[b]};
  }
}

static void fill(int family, double *params, double log_z, double age_gyr, double tau_gyr)
{
  const sdn_prior *p = sdn_model_prior(models[family]);
  for (int i = 0; i < sdn_prior_n_param(p); i++) params[i] = 0;
  params[sdn_prior_param_index(p, "log_metallicity")] = log_z;
  params[sdn_prior_param_index(p, "age_gyr")] = age_gyr;
  params[sdn_prior_param_index(p, "tau_gyr")] = tau_gyr;
}

/* One galaxy of a given age: 0.1 to 13 Gyr, a dozen of the file's ages. */
static void compare(const char *file, int family, double tau_gyr, double z)
{
  char below[256], path[4096];
  double lnu[N_WAVE], params[64];
  float flux[N_BAND];
  worst w = {.error = 0};
  snprintf(below, sizeof below, "csp_oracle/%s", file);
  if (!shared_path(below, path, sizeof path)) skip();
  composite c = read_composite(path);
  int n_age = 0;
  for (int a = 0; a < c.n_age; a += 3) {
    const double age_yr = (double)c.age_yr[a], x = age_yr / (tau_gyr * 1e9);
    if (!(age_yr > 1e8 && age_yr < 1.3e10)) continue;
    composite_lnu(&c, a, models[0]->grid->wave_A, lnu);
    fill(family, params, log10(z), 1e-9 * age_yr, tau_gyr);
    must(sdn_forward_flux(forwards[family], 1, params, flux, NULL, &err));
    judge(&w, flux, lnu, family == DELAYED ? 1 - (1 + x) * exp(-x) : -expm1(-x), age_yr);
    n_age++;
  }
  print_message("%s: %d ages, mean %.1e, worst %.2e (%s, %.3g Gyr)\n", file, n_age, w.sum / w.n, w.error, w.band, w.age_gyr);
  free(c.bytes);
  assert_true(n_age > 10);
  assert_true(w.error <= TOLERANCE);
}

static void exponential_histories(void **unused)
{
  (void)unused;
  if (!forwards[0]) skip();
  compare("exp_bc2003_lr_m42_chab_tau01_dust00.ised", EXPONENTIAL, 0.1, 0.004);
  compare("exp_bc2003_lr_m52_chab_tau01_dust00.ised", EXPONENTIAL, 0.1, 0.008);
  compare("exp_bc2003_lr_m62_chab_tau01_dust00.ised", EXPONENTIAL, 0.1, 0.02);
}

static void delayed_histories(void **unused)
{
  (void)unused;
  if (!forwards[0]) skip();
  compare("delayed_bc2003_lr_m32_chab_delayed1_dust00.ised", DELAYED, 1, 0.0004);
  compare("delayed_bc2003_lr_m62_chab_delayed1_dust00.ised", DELAYED, 1, 0.02);
  compare("delayed_bc2003_lr_m42_chab_delayed4_dust00.ised", DELAYED, 4, 0.004);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(exponential_histories), cmocka_unit_test(delayed_histories)};
  return cmocka_run_group_tests(tests, setup, teardown);
}
