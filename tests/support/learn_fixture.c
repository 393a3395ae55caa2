/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/learn_fixture.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/h5.h"
#include "base/random.h"
#include "support/scratch.h"

const char learn_survey[] =
  "name: four bands\n"
  "flux_unit: nJy\n"
  "floor_fraction: 0.02\n"
  "missing: {drop_fraction: 0.2}\n"
  "bands:\n"
  "  - {name: g, filter: SLOAN/SDSS.g, sigma_njy: {low: 5, high: 20}}\n"
  "  - {name: r, filter: SLOAN/SDSS.r, sigma_njy: {low: 5, high: 20}}\n"
  "  - {name: i, filter: SLOAN/SDSS.i, sigma_njy: 10}\n"
  "  - {name: z, filter: SLOAN/SDSS.z, sigma_njy: 20}\n";

void learn_flux(const float *z, float *flux_nJy)
{
  static const double a[LEARN_N_BAND][LEARN_N_FREE] = {{0.8, 0.3, 0.1}, {0.2, 0.7, -0.3}, {-0.4, 0.6, 0.5}, {-0.7, 0.5, 0.0}};
  for (int b = 0; b < LEARN_N_BAND; b++) {
    double power = 0;
    for (int i = 0; i < LEARN_N_FREE; i++) power += a[b][i] * (double)z[i];
    flux_nJy[b] = (float)(100 * exp(power));
  }
}

static void must(sdn_status status, const sdn_err *err)
{
  if (status) fail_msg("%s", err->text);
}

static void write_library(const char *path, long n, const double *theta, const float *z, const float *flux, const char *survey, int n_band)
{
  static const char *const names[] = {"redshift", "log_mass", "a_v"}, *const units[] = {"", "Msun", "mag"}, *const bands[] = {"g", "r", "i", "z", "u"};   /* their names are not read */
  sdn_h5 *f;
  sdn_err err;
  const sdn_h5_shape free_shape = {2, {n, LEARN_N_FREE}}, band_shape = {2, {n, n_band}};
  must(sdn_h5_create(path, &f, &err), &err);
  must(sdn_h5_set_text(f, "/", "format", "sedna library", &err), &err);
  must(sdn_h5_set_long(f, "/", "version", 1, &err), &err);
  must(sdn_h5_set_long(f, "/", "complete", 1, &err), &err);
  must(sdn_h5_set_long(f, "/", "n", n, &err), &err);
  must(sdn_h5_set_text(f, "/", "model_yaml", "grid: none\n", &err), &err);
  must(sdn_h5_set_text(f, "/", "survey_yaml", survey, &err), &err);
  must(sdn_h5_set_text(f, "/", "physics_hash", "0123456789abcdef", &err), &err);
  must(sdn_h5_make(f, "theta", SDN_H5_DOUBLE, &free_shape, theta, &err), &err);
  must(sdn_h5_set_texts(f, "theta", "names", names, LEARN_N_FREE, &err), &err);
  must(sdn_h5_set_texts(f, "theta", "units", units, LEARN_N_FREE, &err), &err);
  must(sdn_h5_make(f, "z", SDN_H5_FLOAT, &free_shape, z, &err), &err);
  must(sdn_h5_make(f, "flux_njy", SDN_H5_FLOAT, &band_shape, flux, &err), &err);
  must(sdn_h5_set_texts(f, "flux_njy", "bands", bands, (size_t)n_band, &err), &err);
  must(sdn_h5_close(f, &err), &err);
}

const char *learn_library_of(const char *name, long n, const char *survey, const char *bands)
{
  static const char all[] = "grizu";
  const int n_band = (int)strlen(bands);
  float *z = malloc(sizeof *z * (size_t)n * LEARN_N_FREE), *flux = malloc(sizeof *flux * (size_t)n * (size_t)n_band);
  double *theta = malloc(sizeof *theta * (size_t)n * LEARN_N_FREE);
  sdn_rng rng = sdn_rng_at(71, SDN_STREAM_TEST, 0);
  for (long i = 0; i < n * LEARN_N_FREE; i++) theta[i] = (double)(z[i] = (float)sdn_rng_normal(&rng));
  for (long i = 0; i < n; i++) {
    float own[LEARN_N_BAND];
    learn_flux(z + i * LEARN_N_FREE, own);
    for (int b = 0; b < n_band; b++) flux[i * n_band + b] = own[(strchr(all, bands[b]) - all) % LEARN_N_BAND];
  }
  write_library(scratch_file(name), n, theta, z, flux, survey, n_band);
  free(theta);
  free(flux);
  free(z);
  return scratch_file(name);
}

const char *learn_library(const char *name, long n) { return learn_library_of(name, n, learn_survey, "griz"); }

sdn_train_options learn_options(const char *library, const char *output, long n_epoch)
{
  sdn_train_options o;
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &o);
  o.library = library;
  o.output = output;
  o.n_epoch = n_epoch;
  o.n_layer = 2;
  o.n_hidden = 16;
  o.n_bin = o.n_bin_first = 8;
  o.n_context = 16;
  o.n_encoder = 32;
  return o;
}

const char *learn_posterior(void)
{
  static char path[1024], library[1024];
  sdn_err err;
  if (path[0]) return path;
  snprintf(library, sizeof library, "%s", learn_library("trained.library.h5", 4000));
  snprintf(path, sizeof path, "%s", scratch_file("trained.posterior.h5"));
  const sdn_train_options o = learn_options(library, path, 40);
  const sdn_run run = {.n_thread = 1};   /* so small a network gains nothing from more */
  must(sdn_train(&o, &run, NULL, &err), &err);
  return path;
}
