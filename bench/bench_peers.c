/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna's side of `make bench-peers`: galaxies of an eight-parameter model, written for the peer to compute as well, and how fast they are here on one core.
 * usage: bench_peers FOLDER      writes FOLDER/galaxies.csv (first N_SHARED galaxies: parameters, fluxes in nJy) and FOLDER/rate (galaxies/s)
 * The model is what BAGPIPES can do, too: double power law in cosmic time, one metallicity, gas with free log U, Calzetti's dust, Inoue's IGM, 14 bands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/random.h"
#include "physics/model.h"

enum { N_BAND = 14, N = 20000, N_SHARED = 300, N_SINGLE = 1000 };
static const char *const bands[N_BAND] = {
  "HST/ACS_WFC.F435W", "HST/ACS_WFC.F606W", "HST/ACS_WFC.F775W", "HST/ACS_WFC.F814W", "HST/ACS_WFC.F850LP", "JWST/NIRCam.F090W", "JWST/NIRCam.F115W",
  "JWST/NIRCam.F150W", "JWST/NIRCam.F200W", "JWST/NIRCam.F277W", "JWST/NIRCam.F335M", "JWST/NIRCam.F356W", "JWST/NIRCam.F410M", "JWST/NIRCam.F444W"};
static const char *const names[] = {"redshift", "log_mass_formed_msun", "log_metallicity", "tau_gyr", "alpha", "beta", "log_u", "a_v_mag"};
enum { N_NAME = sizeof names / sizeof names[0] };

/* BAGPIPES ends at z = 10; mass near the Big Bang that falls off its age grid is no matter of speed. */
static const char yaml[] =
  "grid: bc03-miles-kroupa\nmetallicity_interpolation: linear\ncosmology: {h0: 70, omega_m: 0.3}\nredshift: {prior: uniform, low: 0.05, high: 9.9}\nigm: inoue14\n"
  "stars:\n  log_mass_formed_msun: {prior: uniform, low: 7, high: 12}\n  log_metallicity: {prior: uniform, low: -4, high: -1.3}\n"
  "  sfh: {family: double_power_law, tau_gyr: {prior: uniform, low: 0.1, high: age_universe_gyr(redshift)}, alpha: {prior: log_uniform, low: 0.1, high: 100}, beta: {prior: log_uniform, low: 0.1, high: 100}}\n"
  "nebular: {log_u: {prior: uniform, low: -3.9, high: -0.1}}\n"
  "dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 3}}\n";
static const char dust_emission[] = "dust_emission: {law: draine_li07, q_pah_percent: 2, u_min: 1, gamma: 0.01}\n";   /* BAGPIPES's defaults, which it always computes */

static void stop(const sdn_err *err)
{
  fprintf(stderr, "%s\n", err->text);
  exit(1);
}

/* Time of this process alone, so that others on the machine count little. */
static double cpu_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

/* Galaxies per second, best of three; `one`: one by one. */
static double rate(const sdn_forward *f, long n, int n_param, const double *params, float *flux, bool one)
{
  const sdn_run run = {.n_thread = 1};
  sdn_err err;
  double best = 1e30;
  for (int k = 0; k < 3; k++) {
    const double start = cpu_seconds();
    for (long i = 0; i < (one ? n : 1); i++)
      if (sdn_forward_flux(f, one ? 1 : n, params + i * n_param, flux + i * N_BAND, &run, &err)) stop(&err);
    const double t = cpu_seconds() - start;
    if (t < best) best = t;
  }
  return (double)n / best;
}

static FILE *create(const char *folder, const char *name)
{
  char path[4096];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *out = fopen(path, "w");
  if (out) return out;
  fprintf(stderr, "cannot write %s\n", path);
  exit(1);
}

static void share(const char *folder, const sdn_prior *prior, const double *params, const float *flux)
{
  const int n_param = sdn_prior_n_param(prior);
  FILE *out = create(folder, "galaxies.csv");
  for (int k = 0; k < N_NAME; k++) fprintf(out, "%s,", names[k]);
  for (int b = 0; b < N_BAND; b++) fprintf(out, "%s%s", bands[b], b + 1 < N_BAND ? "," : "\n");
  for (int i = 0; i < N_SHARED; i++) {
    for (int k = 0; k < N_NAME; k++) fprintf(out, "%.17g,", params[i * n_param + sdn_prior_param_index(prior, names[k])]);
    for (int b = 0; b < N_BAND; b++) fprintf(out, "%.8g%s", (double)flux[i * N_BAND + b], b + 1 < N_BAND ? "," : "\n");
  }
  fclose(out);
}

static double *draw(const sdn_prior *prior)
{
  sdn_err err;
  const int n_free = sdn_prior_n_free(prior);
  double *z = sdn_alloc((size_t)(N * n_free), sizeof *z, "coordinates", &err), *params = sdn_alloc((size_t)(N * sdn_prior_n_param(prior)), sizeof *params, "parameters", &err);
  if (!z || !params) stop(&err);
  for (long i = 0; i < N; i++) {
    sdn_rng rng = sdn_rng_at(1, SDN_STREAM_TEST, (uint64_t)i);
    for (int k = 0; k < n_free; k++) z[i * n_free + k] = sdn_rng_normal(&rng);
  }
  if (sdn_prior_params(prior, N, z, params, &err)) stop(&err);
  sdn_release(z);
  return params;
}

/* One model: its rates, and for the plain one what the peer is to compute. */
static double measure(const char *text, const char *what, const char *folder)
{
  sdn_model *m;
  sdn_forward *f;
  sdn_err err;
  if (sdn_model_parse(text, "bench_peers", &m, &err) || sdn_forward_new(m, N_BAND, bands, &f, &err)) stop(&err);
  const sdn_prior *prior = sdn_model_prior(m);
  double *params = draw(prior);
  float *flux = sdn_alloc((size_t)N * N_BAND, sizeof *flux, "fluxes", &err);
  if (!flux) stop(&err);
  const double many = rate(f, N, sdn_prior_n_param(prior), params, flux, false);
  if (folder) share(folder, prior, params, flux);
  const double single = rate(f, N_SINGLE, sdn_prior_n_param(prior), params, flux, true);
  printf("sedna, %-28s %9.0f galaxies/s   one by one %7.1f us\n", what, many, 1e6 / single);
  sdn_release(flux);
  sdn_release(params);
  sdn_forward_free(f);
  sdn_model_free(m);
  return many;
}

int main(int argc, char **argv)
{
  char with_emission[sizeof yaml + sizeof dust_emission];
  if (argc != 2) {
    fprintf(stderr, "usage: bench_peers FOLDER\n");
    return 2;
  }
  snprintf(with_emission, sizeof with_emission, "%s%s", yaml, dust_emission);
  measure(yaml, "as above", argv[1]);
  const double many = measure(with_emission, "with dust emission", NULL);
  FILE *out = create(argv[1], "rate");
  fprintf(out, "%.0f\n", many);
  return fclose(out) ? 1 : 0;
}
