/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Galaxies per second and core of the forward model: the eight-parameter model on JADES's 14 bands, whole and without one ingredient at a time.
 * usage: bench_simulate [N galaxies, default 20000] */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "base/random.h"

static const char *const bands[] = {
  "HST/ACS_WFC.F435W", "HST/ACS_WFC.F606W", "HST/ACS_WFC.F775W", "HST/ACS_WFC.F814W", "HST/ACS_WFC.F850LP", "JWST/NIRCam.F090W", "JWST/NIRCam.F115W",
  "JWST/NIRCam.F150W", "JWST/NIRCam.F200W", "JWST/NIRCam.F277W", "JWST/NIRCam.F335M", "JWST/NIRCam.F356W", "JWST/NIRCam.F410M", "JWST/NIRCam.F444W"};
enum { N_BAND = sizeof bands / sizeof bands[0] };

#define DENSE_BASIS "{family: dense_basis, log_ssfr_per_yr: {prior: uniform, low: -12, high: -7}, gaps: {prior: dirichlet, alpha: [1, 1, 1, 1]}}"
#define DELAYED "{family: delayed_exponential, age_gyr: {prior: uniform, low: 0.01, high: 'age_universe_gyr(redshift)'}, tau_gyr: {prior: log_uniform, low: 0.01, high: 10}}"
#define POWER_LAWS "{family: double_power_law, tau_gyr: {prior: uniform, low: 0.1, high: 13}, alpha: {prior: log_uniform, low: 0.1, high: 100}, beta: {prior: log_uniform, low: 0.1, high: 100}}"
#define CONTINUITY "{family: continuity}"
#define DUST "{law: calzetti, a_v_mag: {prior: log_uniform, low: 0.001, high: 5}}"

typedef struct variant { const char *what, *redshift, *sfh, *nebular, *dust, *igm; } variant;
static const variant variants[] = {
  {"whole: dense basis, log U fixed", "{prior: uniform, low: 0.01, high: 14}", DENSE_BASIS, "{log_u: -2}", DUST, "inoue14"},
  {"log U free", "{prior: uniform, low: 0.01, high: 14}", DENSE_BASIS, "{log_u: {prior: uniform, low: -4, high: -1}}", DUST, "inoue14"},
  {"log U, escape fraction, slope and bump free", "{prior: uniform, low: 0.01, high: 14}", DENSE_BASIS,
   "{log_u: {prior: uniform, low: -4, high: -1}, escape_fraction: {prior: uniform, low: 0, high: 1}}",
   "{law: calzetti, a_v_mag: {prior: log_uniform, low: 0.001, high: 5}, slope: {prior: uniform, low: -1, high: 0.5}, bump: {prior: uniform, low: 0, high: 3}}", "inoue14"},
  {"without IGM", "{prior: uniform, low: 0.01, high: 14}", DENSE_BASIS, "{log_u: -2}", DUST, "none"},
  {"without dust", "{prior: uniform, low: 0.01, high: 14}", DENSE_BASIS, "{log_u: -2}", "none", "inoue14"},
  {"without nebular", "{prior: uniform, low: 0.01, high: 14}", DENSE_BASIS, "none", DUST, "inoue14"},
  {"redshift below 3", "{prior: uniform, low: 0.01, high: 3}", DENSE_BASIS, "{log_u: -2}", DUST, "inoue14"},
  {"redshift fixed at 2", "2", DENSE_BASIS, "{log_u: -2}", DUST, "inoue14"},
  {"delayed exponential", "{prior: uniform, low: 0.01, high: 14}", DELAYED, "{log_u: -2}", DUST, "inoue14"},
  {"double power law", "{prior: uniform, low: 0.01, high: 14}", POWER_LAWS, "{log_u: -2}", DUST, "inoue14"},
  {"continuity", "{prior: uniform, low: 0.01, high: 14}", CONTINUITY, "{log_u: -2}", DUST, "inoue14"},
};

static void stop(const sdn_err *err)
{
  fprintf(stderr, "%s\n", err->text);
  exit(1);
}

static double *draw_params(const sdn_prior *prior, long n)
{
  sdn_err err;
  const int n_free = sdn_prior_n_free(prior), n_param = sdn_prior_n_param(prior);
  double *z = sdn_alloc((size_t)(n * n_free), sizeof *z, "z", &err), *params = sdn_alloc((size_t)(n * n_param), sizeof *params, "params", &err);
  if (!z || !params) stop(&err);
  for (long i = 0; i < n; i++) {
    sdn_rng rng = sdn_rng_at(1, SDN_STREAM_TEST, (uint64_t)i);
    for (int k = 0; k < n_free; k++) z[i * n_free + k] = sdn_rng_normal(&rng);
  }
  const double start = sdn_seconds();
  if (sdn_prior_params(prior, n, z, params, &err)) stop(&err);
  printf("   prior         %8.0f galaxies/s\n", (double)n / (sdn_seconds() - start));
  sdn_release(z);
  return params;
}

/* Time of this process alone, so that others on the machine count little. */
static double cpu_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

/* Best of three runs on one thread. */
static double rate(const sdn_forward *f, long n, const double *params, void *out, int what)
{
  const sdn_run run = {.n_thread = 1};
  sdn_err err;
  double best = 1e30;
  for (int k = 0; k < 3; k++) {
    const double start = cpu_seconds();
    const sdn_status status = what == 0 ? sdn_forward_flux(f, n, params, out, &run, &err) : sdn_forward_derived(f, n, params, what == 1, out, &run, &err);
    if (status) stop(&err);
    const double t = cpu_seconds() - start;
    if (t < best) best = t;
  }
  return (double)n / best;
}

static void run_variant(const variant *v, long n)
{
  char yaml[4096];
  sdn_err err;
  sdn_model *m;
  sdn_forward *f;
  snprintf(yaml, sizeof yaml,
           "grid: bc03-miles-kroupa\nredshift: %s\nstars: {log_mass_formed_msun: {prior: uniform, low: 4, high: 12}, log_metallicity: {prior: uniform, low: -4, high: -1.39}, sfh: %s}\n"
           "nebular: %s\ndust: %s\nigm: %s\n", v->redshift, v->sfh, v->nebular, v->dust, v->igm);
  printf("%s\n", v->what);
  const double start = sdn_seconds();
  if (sdn_model_parse(yaml, "bench", &m, &err)) stop(&err);
  const double read = sdn_seconds();
  if (sdn_forward_new(m, N_BAND, bands, &f, &err)) stop(&err);
  const double ready = sdn_seconds();
  double *params = draw_params(sdn_model_prior(m), n), *out = sdn_alloc((size_t)(n * (N_BAND + sdn_forward_n_derived(f))), sizeof *out, "out", &err);
  if (!out) stop(&err);
  printf("   set-up        %8.2f s grid, %.2f s bands\n", read - start, ready - read);
  printf("   fluxes        %8.0f galaxies/s/core\n", rate(f, n, params, out, 0));
  printf("   derived, sfh  %8.0f galaxies/s/core\n", rate(f, n, params, out, 1));
  printf("   derived, all  %8.0f galaxies/s/core\n", rate(f, n, params, out, 2));
  sdn_release(params);
  sdn_release(out);
  sdn_forward_free(f);
  sdn_model_free(m);
}

int main(int argc, char **argv)
{
  const long n = argc > 1 ? atol(argv[1]) : 20000;
  if (n < 1) return 2;
  printf("%ld galaxies, %d bands, one thread\n", n, N_BAND);
  for (size_t i = 0; i < sizeof variants / sizeof variants[0]; i++) run_variant(&variants[i], n);
  return 0;
}
