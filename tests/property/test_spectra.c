/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Spectra and lines of whole galaxies through the forward model: pixels against quadrature over the model's own spectrum, light neither lost nor counted twice. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "physics/galaxy.h"

#define LIGHT_A_S 2.99792458e18
#define TOL_FLOAT 2e-5      /* promise of the float32 path */
#define N_PIXEL 400
#define MAX_PARAM 40

static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

typedef struct machine { sdn_model *model; sdn_forward *forward; double params[MAX_PARAM]; int n; float flux[N_PIXEL + 8]; char id[N_PIXEL + 8][96]; } machine;

static void add(machine *m, const char *id) { snprintf(m->id[m->n++], sizeof m->id[0], "%s", id); }

/* Pixels from low to high, equal in ln(wavelength), of resolution R. */
static void add_pixels(machine *m, double low_A, double high_A, int n, double resolution)
{
  char id[96];
  for (int i = 0; i < n; i++) {
    const double a = low_A * pow(high_A / low_A, (double)i / n), b = low_A * pow(high_A / low_A, (i + 1.0) / n);
    snprintf(id, sizeof id, "pixel:%.10g:%.10g:%.10g", a, b, sqrt(a * b) / (2.354820045 * resolution));
    add(m, id);
  }
}

static void run(machine *m, const char *more)
{
  char yaml[2048];
  const char *id[N_PIXEL + 8];
  const double z[MAX_PARAM] = {0};
  snprintf(yaml, sizeof yaml, "grid: bc03-miles-kroupa\nredshift: 2.3\nstars: {log_mass_formed_msun: 9.5, log_metallicity: -2.2, sfh: {family: delayed_exponential, age_gyr: 1.1, tau_gyr: 0.6}}\n"
           "%s", more);
  for (int i = 0; i < m->n; i++) id[i] = m->id[i];
  must(sdn_model_parse(yaml, "test", &m->model, &err));
  must(sdn_forward_new(m->model, m->n, id, &m->forward, &err));
  must(sdn_prior_params(sdn_model_prior(m->model), 1, z, m->params, &err));
  must(sdn_forward_flux(m->forward, 1, m->params, m->flux, NULL, &err));
}

static void done(machine *m)
{
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

/* erg/s/cm2 in pixel i */
static double power_in(const machine *m, int i)
{
  const sdn_pixel *p = &sdn_forward_observable(m->forward, i)->pixel;
  return (double)m->flux[i] * 1e-32 * LIGHT_A_S * (1 / p->low_A - 1 / p->high_A);
}

/* Stars alone, 15000 to 30000 A: every pixel is its kernel's mean of the model's own spectrum, in 400 steps between nodes. */
static void pixels_are_means_of_the_spectrum(void **state)
{
  static machine m;
  (void)state;
  m = (machine){0};
  add_pixels(&m, 15000, 30000, 60, 300);
  run(&m, "dust: {law: calzetti, a_v_mag: 0.4}\nnebular: none\nvelocity_dispersion_km_s: 250\n");
  long n = 0;
  must(sdn_forward_spectrum(m.forward, m.params, &n, NULL, NULL, &err));
  double *wave = malloc((size_t)n * sizeof *wave), *fnu = malloc((size_t)n * sizeof *fnu);
  must(sdn_forward_spectrum(m.forward, m.params, &n, wave, fnu, &err));
  for (int i = 0; i < m.n; i++) {
    const sdn_pixel *p = &sdn_forward_observable(m.forward, i)->pixel;
    const double s = sqrt(p->sigma_ln * p->sigma_ln + pow(250 / 299792.458, 2));
    double sum = 0;
    for (long j = 0; j + 1 < n; j++) {
      if (!(wave[j + 1] > p->low_A * exp(-7 * s) && wave[j] < p->high_A * exp(7 * s))) continue;
      const int steps = 400;
      for (int k = 0; k < steps; k++) {   /* mid-points */
        const double t = (k + 0.5) / steps, w = wave[j] + t * (wave[j + 1] - wave[j]), f = fnu[j] + t * (fnu[j + 1] - fnu[j]);
        const double share = 0.5 * (erfc(log(p->low_A / w) / (s * sqrt(2))) - erfc(log(p->high_A / w) / (s * sqrt(2))));
        sum += f * share / (w * w) * (wave[j + 1] - wave[j]) / steps;
      }
    }
    const double truth = sum / (1 / p->low_A - 1 / p->high_A);
    if (!(fabs((double)m.flux[i] / truth - 1) <= TOL_FLOAT)) fail_msg("pixel %d is %.8g instead of %.8g nJy", i, (double)m.flux[i], truth);
  }
  free(wave);
  free(fnu);
  done(&m);
}

/* The same galaxy with its lines behind the stars' dust and behind ten times as much: the difference, pixel by pixel, sums to that of the fluxes that line: says,
 * whatever the instrument's and the gas' widths are. */
static void line_flux_is_conserved(void **state)
{
  static machine with, without;
  double pixels = 0, lines = 0;
  (void)state;
  for (int k = 0; k < 2; k++) {
    machine *m = k ? &without : &with;
    *m = (machine){0};
    add_pixels(m, 19500, 24000, 200, 700);
    static sdn_grid *g;
    must(sdn_grid_read("bc03-miles-kroupa", 0, INFINITY, &g, &err));
    for (int l = 0; l < g->n_line; l++) {
      char id[96];
      snprintf(id, sizeof id, "line:%s", g->line_id[l]);
      if (g->line_wave_A[l] * 3.3 > 19500 && g->line_wave_A[l] * 3.3 < 24000) add(m, id);   /* none stands within 0.5 %, 8 sigma, of the ends */
    }
    sdn_grid_free(g);
    run(m, k ? "dust: {law: calzetti, a_v_mag: 0.4, line_factor: 10}\ngas_velocity_dispersion_km_s: 90\n" : "dust: {law: calzetti, a_v_mag: 0.4}\ngas_velocity_dispersion_km_s: 90\n");
  }
  for (int i = 0; i < 200; i++) pixels += power_in(&with, i) - power_in(&without, i);
  for (int i = 200; i < with.n; i++) lines += 1e-20 * ((double)with.flux[i] - (double)without.flux[i]);
  assert_true(with.n >= 208 && lines > 0);
  if (!(fabs(pixels / lines - 1) <= TOL_FLOAT)) fail_msg("lines of %.9g erg/s/cm2 leave %.9g in the pixels", lines, pixels);
  done(&with);
  done(&without);
}

/* Neighbouring pixels hold together what one pixel over both does, to what is smeared across the outer ends: none, when all are sharp. */
static void continuum_is_conserved(void **state)
{
  static machine m;
  double sum = 0;
  (void)state;
  m = (machine){0};
  add_pixels(&m, 20000, 23500, 200, 1e9);
  add_pixels(&m, 20000, 23500, 1, 1e9);
  run(&m, "");
  for (int i = 0; i < 200; i++) sum += power_in(&m, i);
  if (!(fabs(sum / power_in(&m, 200) - 1) <= 1e-6)) fail_msg("200 pixels hold %.9g, one holds %.9g", sum, power_in(&m, 200));
  done(&m);
}

/* A luminosity in 1e40 erg/s over 4 pi d_L^2 is the flux; the IGM takes of the flux alone. */
static void luminosity_and_flux_agree(void **state)
{
  static machine m;
  const double pi = 3.14159265358979324;
  (void)state;
  m = (machine){0};
  add(&m, "line:Halpha"), add(&m, "line_luminosity:Halpha"), add(&m, "line:Lya"), add(&m, "line_luminosity:Lya"), add(&m, "line_ew:Halpha");
  run(&m, "derived: {lines: [Halpha]}\n");
  const double area_cm2 = 4 * pi * pow(sdn_cosmology_luminosity_distance_Mpc(m.model->cosmology, 2.3) * 3.0856775814913673e24, 2);
  const double truth = (double)m.flux[1] * 1e40 / area_cm2 / 1e-20;
  if (!(fabs((double)m.flux[0] / truth - 1) <= TOL_FLOAT)) fail_msg("H alpha's flux is %.8g, its luminosity says %.8g", (double)m.flux[0], truth);
  const double left = (double)m.flux[2] / ((double)m.flux[3] * 1e60 / area_cm2);
  assert_true(left > 0.7 && left < 0.95);   /* Inoue+2014 at z = 2.3: about 0.8 */
  double all[32];
  must(sdn_forward_derived(m.forward, 1, m.params, false, all, NULL, &err));
  const double derived[3] = {pow(10, all[10] - 40), all[11], all[12]}, observed[3] = {(double)m.flux[1], (double)m.flux[0], (double)m.flux[4]};
  for (int i = 0; i < 3; i++)
    if (!(fabs(derived[i] / observed[i] - 1) <= TOL_FLOAT)) fail_msg("derived %d is %.8g, observed %.8g", i, derived[i], observed[i]);
  done(&m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(pixels_are_means_of_the_spectrum), cmocka_unit_test(line_flux_is_conserved), cmocka_unit_test(continuum_is_conserved),
                                     cmocka_unit_test(luminosity_and_flux_agree)};
  return cmocka_run_group_tests_name("spectra", tests, NULL, NULL);
}
