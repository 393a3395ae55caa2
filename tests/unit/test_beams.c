/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Stars, gas and dust of a galaxy as beams of light: what must be equal whichever way a model says it. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "physics/galaxy.h"
#include "support/grid_fixture.h"
#include "support/scratch.h"

#define LIGHT_A_S 2.99792458e18
#define FLOAT_SUM 1e-6      /* the same sum in float32 in another order */
#define MAX_PARAM 64

static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

/* ------------------------------------------------------------------ a small grid and models on it, everything in them fixed */

enum { N_AGE = 9, N_Z = 3, N_WAVE = 12, N_LINE = 3, N_BAND = 6 };
static const double wave_A[N_WAVE] = {50, 600, 900, 911, 920, 1215, 1300, 3000, 6000, 9000, 20000, 60000}, line_A[N_LINE] = {1215.67, 5008.24, 6564.61};
static double starlight(int age, int metallicity, int u, double w) { (void)u; return 1e20 * (1 + 0.3 * age + 2 * metallicity + w / 1000 + 3 * sin(w + age)); }
static double past_gas(int age, int metallicity, int u, double w) { return w < 911.5 ? 0 : starlight(age, metallicity, u, w); }
static double gas(int age, int metallicity, int u, double w) { (void)u; return age < 4 ? 1e20 * (1 + 0.5 * metallicity + 0.1 * age + w / 5000) : 0; }
static double gas_lines(int age, int metallicity, int u, double w) { (void)u; return age < 4 ? 1e33 * (1 + metallicity + w / 5000) : 0; }
static const char *const bands[N_BAND] = {"tophat:1500:1900", "tophat:2500:3500", "tophat:7000:8000", "tophat:9000:11000", "tophat:20000:30000", "line:6564.61"};

static char grid[600], dry_grid[600];

static int setup(void **state)
{
  grid_fixture f = {.n_age = N_AGE, .n_metallicity = N_Z, .n_wave = N_WAVE, .wave_A = wave_A, .incident = starlight, .transmitted = past_gas, .nebular_continuum = gas,
                    .lines = gas_lines, .n_line = N_LINE, .line_A = line_A};
  (void)state;
  snprintf(grid, sizeof grid, "%s", grid_fixture_write(&f, "beams.hdf5"));
  f = (grid_fixture){.n_age = N_AGE, .n_metallicity = N_Z, .n_wave = N_WAVE, .wave_A = wave_A, .incident = past_gas};
  snprintf(dry_grid, sizeof dry_grid, "%s", grid_fixture_write(&f, "dry.hdf5"));
  return 0;
}

typedef struct machine { sdn_model *model; sdn_forward *forward; double params[MAX_PARAM]; } machine;

static machine make_on(const char *grid_path, const char *text, int n_band, const char *const *band)
{
  machine m;
  char yaml[4096];
  double z[MAX_PARAM] = {0};
  snprintf(yaml, sizeof yaml, "grid: %s\n%s%s", grid_path, strstr(text, "redshift:") ? "" : "redshift: 0.5\n", text);
  must(sdn_model_parse(yaml, "beams", &m.model, &err));
  must(sdn_forward_new(m.model, n_band, band, &m.forward, &err));
  must(sdn_prior_params(sdn_model_prior(m.model), 1, z, m.params, &err));
  return m;
}

static machine make(const char *text) { return make_on(grid, text, N_BAND, bands); }

static void unmake(machine *m)
{
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

static void set(machine *m, const char *name, double value)
{
  const int p = sdn_prior_param_index(sdn_model_prior(m->model), name);
  if (p < 0) fail_msg("the model has no parameter %s", name);
  m->params[p] = value;
}

static void fluxes(const machine *m, float *flux) { must(sdn_forward_flux(m->forward, 1, m->params, flux, NULL, &err)); }

static void fluxes_of(const char *grid_path, const char *text, float *flux)
{
  machine m = make_on(grid_path, text, N_BAND, bands);
  fluxes(&m, flux);
  unmake(&m);
}

/* sum_k share_k flux_k of n models is the flux of one. */
typedef struct part { double share; const char *text; } part;

static void is_sum(const char *what, const char *whole, int n, const part *parts, double tolerance)
{
  float flux[N_BAND], one[N_BAND];
  double sum[N_BAND] = {0};
  fluxes_of(grid, whole, flux);
  for (int k = 0; k < n; k++) {
    fluxes_of(grid, parts[k].text, one);
    for (int b = 0; b < N_BAND; b++) sum[b] += parts[k].share * (double)one[b];
  }
  for (int b = 0; b < N_BAND; b++)
    if (!(fabs((double)flux[b] - sum[b]) <= tolerance * fabs(sum[b]))) fail_msg("%s, band %s: %.9g instead of %.9g", what, bands[b], (double)flux[b], sum[b]);
}

static void same_light(const char *what, const char *a, const char *b, double tolerance) { is_sum(what, a, 1, &(part){1, b}, tolerance); }

static void other_light(const char *what, const char *a, const char *b)
{
  float x[N_BAND], y[N_BAND];
  fluxes_of(grid, a, x);
  fluxes_of(grid, b, y);
  if (memcmp(x, y, sizeof x) == 0) fail_msg("%s changes nothing", what);
}

#define CONSTANT "sfh: {family: constant, lookback_start_gyr: 0.5}"
#define STARS "stars: {log_mass_formed_msun: 9, log_metallicity: -2.3, " CONSTANT "}\n"
#define FREE_STARS "stars: {log_mass_formed_msun: 0, log_metallicity: {prior: uniform, low: -4, high: -1.5}, sfh: {family: burst, age_gyr: {prior: uniform, low: 0.001, high: 8}}}\n"
#define NO_IGM "igm: none\n"

/* ------------------------------------------------------------------ mass */

static double strips_sum(int n, const sdn_strip *s)
{
  double sum = 0;
  for (int k = 0; k < n; k++)
    for (int a = 0; a < s[k].n_age; a++) sum += (double)s[k].weight[a] + (s[k].weight_up ? (double)s[k].weight_up[a] : 0);
  return sum;
}

static const char clouds_yaml[] =
  "grid: bc03-miles-kroupa\nredshift: {prior: uniform, low: 0.05, high: 8}\n"
  "stars:\n"
  "  - {name: old, log_mass_formed_msun: {prior: uniform, low: 8, high: 11}, metallicity: {family: log_normal, log_mean: {prior: uniform, low: -3.5, high: -1.5}, sigma_dex: 0.3},\n"
  "     sfh: {family: continuity}}\n"
  "  - {name: young, log_mass_formed_msun: {prior: uniform, low: 8, high: 11}, metallicity: {family: mass_tied, log_metallicity_start: -4, log_metallicity_final: -1.5},\n"
  "     sfh: {family: delayed_exponential, age_gyr: {prior: uniform, low: 0.001, high: 0.5}, tau_gyr: 0.1}}\n"
  "  - {name: third, log_mass_formed_msun: 10, log_metallicity: -2, sfh: {family: double_power_law, tau_gyr: 0.3, alpha: 2, beta: 2}}\n"
  "dust: {law: calzetti, a_v_mag: 1, birth_cloud: {law: calzetti, a_v_mag: 1, age_myr: {prior: log_uniform, low: 0.1, high: 1000}}}\n";

/* Weights on ages carry all mass to 1e-12, and the young stars' among them theirs; each is within 1e-8 of its integral, so much may the young have more than all on a
 * node. What the beams hold is that, rounded to float32 (6e-8 of each). */
static void all_mass_is_in_the_beams(void **unused)
{
  const double exact = 1e-12, quadrature = 1e-8, rounded = 6e-8;
  double params[MAX_PARAM], z[MAX_PARAM], worst = 0;
  sdn_model *m;
  sdn_forward *f;
  sdn_arena *arena = sdn_arena_new(&err);
  (void)unused;
  must(sdn_model_parse(clouds_yaml, "beams", &m, &err));
  must(sdn_forward_new(m, 0, NULL, &f, &err));
  const sdn_arena_mark mark = sdn_arena_here(arena);
  const sdn_grid_axis *age = &m->grid->axis[0];
  double *mass = malloc((size_t)age->n * sizeof *mass), *young = malloc((size_t)age->n * sizeof *young);
  for (int row = 0; row < 60; row++) {
    sdn_rng rng = sdn_rng_at(23, SDN_STREAM_TEST, (uint64_t)row);
    for (int i = 0; i < sdn_prior_n_free(m->prior); i++) z[i] = sdn_rng_normal(&rng);
    must(sdn_prior_params(m->prior, 1, z, params, &err));
    sdn_galaxy g;
    double sum = 0, sum_gas = 0;
    sdn_arena_back(arena, mark);
    must(sdn_galaxy_prepare(f, params, row, &g, arena, &err));
    for (int b = 0; b < f->n_beam; b++) {
      sum += strips_sum(g.beam[b].n_strip, g.beam[b].strip);
      sum_gas += strips_sum(g.beam[b].n_gas_strip, g.beam[b].gas_strip);
    }
    worst = fmax(worst, fabs(sum - 1));
    assert_true(fabs(sum - 1) <= rounded && fabs(sum_gas - 1) <= rounded);
    const double limit = 1e6 * params[sdn_prior_param_index(m->prior, "birth_age_myr")];
    for (int p = 0; p < 3; p++) {
      double all = 0, since = 0;
      sdn_sfh_weights(&g.history[p], age->n, age->value, mass);
      sdn_sfh_weights_since(&g.history[p], limit, age->n, age->value, young);
      for (int a = 0; a < age->n; a++) {
        all += mass[a];
        since += young[a];
        assert_true(young[a] <= mass[a] + quadrature);
      }
      assert_true(fabs(all - 1) <= exact && fabs(since - sdn_sfh_mass_since(&g.history[p], limit)) <= exact);
      const double in_beam = strips_sum(g.beam[2 * p + 1].n_strip, g.beam[2 * p + 1].strip);
      assert_true(fabs(in_beam - g.share[p] * since) <= rounded);
    }
  }
  print_message("mass in the beams: off by at most %.1e\n", worst);
  free(mass);
  free(young);
  sdn_arena_free(arena);
  sdn_forward_free(f);
  sdn_model_free(m);
}

/* ------------------------------------------------------------------ one node */

/* All stars on one node of age and metallicity: spectrum [n] is the grid's rows, bit for bit, whichever beam and strip they go through. */
static void is_grid_row(const machine *m, int age, int z)
{
  const sdn_grid *g = m->model->grid;
  long n;
  const double *wave = sdn_forward_wave_A(m->forward, &n);
  float *lnu = malloc((size_t)n * sizeof *lnu);
  must(sdn_forward_spectra(m->forward, 1, m->params, lnu, NULL, &err));
  const float *star = sdn_grid_row(&g->transmitted, age, z, 0), *cloud = age < g->nebular_continuum.n_age ? sdn_grid_row(&g->nebular_continuum, age, z, 0) : NULL;
  for (long j = 0, k = 0; j < n; j++) {
    while (g->wave_A[k] < wave[j]) k++;
    const float truth = m->model->nebular.shines ? star[k] + (cloud ? cloud[k] : 0) : sdn_grid_row(&g->incident, age, z, 0)[k];
    if (!(g->wave_A[k] == wave[j] && lnu[j] == truth)) fail_msg("age %d metallicity %d, %g A: %.9g instead of %.9g", age, z, wave[j], (double)lnu[j], (double)truth);
  }
  free(lnu);
}

static void one_node_is_the_grid_row(void **unused)
{
#define BURST "sfh: {family: burst, age_gyr: {prior: uniform, low: 0.001, high: 10}}}\n"
#define ANY_Z "{prior: uniform, low: -4, high: -1.5}"
  static const char *const stars[] = {
    "stars: {log_mass_formed_msun: 0, log_metallicity: " ANY_Z ", " BURST,
    "stars: {log_mass_formed_msun: 0, metallicity: {family: two_step, log_metallicity_old: " ANY_Z ", log_metallicity_young: " ANY_Z ", step_age_gyr: 0.1}, " BURST};
  static const char *const rest[] = {"nebular: none\n", "", "dust: {law: calzetti, a_v_mag: 0, birth_cloud: {law: smc, a_v_mag: 0, age_myr: 50}}\n",
                                     "nebular: none\ndust: {law: calzetti, a_v_mag: 0, birth_cloud: {law: smc, a_v_mag: 0, age_myr: 50}}\n",
                                     "dust: {law: calzetti, a_v_mag: 2, covering_fraction: 0, birth_cloud: {law: smc, a_v_mag: 3, age_myr: 50}}\n"};
  (void)unused;
  for (int s = 0; s < 2; s++)
    for (int r = 0; r < 5; r++) {
      char text[1024];
      snprintf(text, sizeof text, "redshift: 0\n%s%s" NO_IGM, stars[s], rest[r]);
      machine m = make_on(grid, text, 0, NULL);
      const sdn_grid *g = m.model->grid;
      for (int age = 0; age < N_AGE; age++)
        for (int z = 0; z < N_Z; z++) {
          set(&m, "age_gyr", 1e-9 * g->axis[0].value[age]);
          for (int k = 0; k < (s ? 2 : 1); k++) set(&m, s == 0 ? "log_metallicity" : k ? "log_metallicity_old" : "log_metallicity_young", g->axis[1].coordinate[z]);
          is_grid_row(&m, age, z);
        }
      unmake(&m);
    }
}

/* ------------------------------------------------------------------ populations */

#define OLD "log_mass_formed_msun: 10, log_metallicity: -1.8, sfh: {family: burst, age_gyr: 3}"
#define YOUNG "log_mass_formed_msun: 8.7, metallicity: {family: log_normal, log_mean: -2.6, sigma_dex: 0.4}, sfh: {family: constant, lookback_start_gyr: 0.1}"
#define SMC "dust: {law: smc, a_v_mag: 0.4}"
#define CLOUDS "dust: {law: calzetti, a_v_mag: 0.7, birth_cloud: {law: power_law, a_v_mag: 1, age_myr: 20}}"

static void populations_add(void **unused)
{
  static const part bare[] = {{1, NO_IGM "stars: {" OLD "}\n"}, {1, NO_IGM "stars: {" YOUNG "}\n"}};
  static const part own[] = {{1, NO_IGM "stars: {" OLD "}\n" SMC "\n"}, {1, NO_IGM "stars: {" YOUNG "}\n" CLOUDS "\n"}};
  static const part one_is_free[] = {{1, NO_IGM "stars: {" OLD "}\n"}, {1, NO_IGM "stars: {" YOUNG "}\n" CLOUDS "\n"}};
  static const part three[] = {{1, NO_IGM "stars: {" OLD "}\n" SMC "\n"}, {1, NO_IGM "stars: {" YOUNG "}\n" CLOUDS "\n"}, {1, NO_IGM STARS CLOUDS "\n"}};
  (void)unused;
  is_sum("no dust", NO_IGM "stars:\n  - {name: old, " OLD "}\n  - {name: young, " YOUNG "}\n", 2, bare, FLOAT_SUM);
  is_sum("dust of their own", NO_IGM "stars:\n  - {name: old, " OLD ", " SMC "}\n  - {name: young, " YOUNG ", " CLOUDS "}\n", 2, own, FLOAT_SUM);
  is_sum("common dust, and one of their own", NO_IGM "stars:\n  - {name: old, " OLD ", " SMC "}\n  - {name: young, " YOUNG "}\n" CLOUDS "\n", 2, own, FLOAT_SUM);
  is_sum("common dust, and one with none", NO_IGM "stars:\n  - {name: old, " OLD ", dust: none}\n  - {name: young, " YOUNG "}\n" CLOUDS "\n", 2, one_is_free, FLOAT_SUM);
  is_sum("three", NO_IGM "stars:\n  - {name: old, " OLD ", " SMC "}\n  - {name: young, " YOUNG "}\n  - {name: c, log_mass_formed_msun: 9, log_metallicity: -2.3, " CONSTANT "}\n" CLOUDS "\n", 3,
         three, FLOAT_SUM);
  /* one population in a list is one population */
  same_light("list of one", NO_IGM "stars:\n  - {name: old, " OLD ", " SMC "}\n", own[0].text, 0);
}

/* ------------------------------------------------------------------ birth clouds */

#define CLOUD(a_v, more, age) STARS NO_IGM "dust: {law: calzetti, a_v_mag: " a_v more ", birth_cloud: {law: calzetti, a_v_mag: 0.9, age_myr: " age "}}\n"
#define SCREEN(a_v, more) STARS NO_IGM "dust: {law: calzetti, a_v_mag: " a_v more "}\n"

static void clouds_around_all_stars_are_one_screen(void **unused)
{
  (void)unused;
  same_light("clouds around all stars", CLOUD("0.4", "", "800"), SCREEN("1.3", ""), FLOAT_SUM);
  same_light("clouds alone", CLOUD("0", "", "800"), SCREEN("0.9", ""), FLOAT_SUM);
  same_light("clouds around all stars, covering", CLOUD("0.4", ", covering_fraction: 0.6", "800"), SCREEN("1.3", ", covering_fraction: 0.6"), FLOAT_SUM);
  same_light("clouds around all stars, lines", CLOUD("0.4", ", line_factor: 1.7", "800"), SCREEN("1.3", ", line_factor: 1.7"), FLOAT_SUM);
  other_light("half of the stars out of clouds", CLOUD("0.4", "", "100"), SCREEN("1.3", ""));
  /* clouds around no stars: all are older */
  same_light("no stars in clouds", NO_IGM "stars: {" OLD "}\ndust: {law: calzetti, a_v_mag: 0.4, birth_cloud: {law: smc, a_v_mag: 3, age_myr: 500}}\n",
             NO_IGM "stars: {" OLD "}\ndust: {law: calzetti, a_v_mag: 0.4}\n", 0);
  same_light("clear clouds", STARS NO_IGM "dust: {law: calzetti, a_v_mag: 0.4, birth_cloud: {law: smc, a_v_mag: 0, age_myr: 30}}\n", SCREEN("0.4", ""), FLOAT_SUM);
  /* the factor eta by which clouds are thicker than what is outside */
  same_light("eta", STARS NO_IGM "dust: {law: calzetti, a_v_mag: 0.4, birth_cloud: {law: calzetti, a_v_mag: (3.25 - 1) * a_v_mag, age_myr: 800}}\n", SCREEN("1.3", ""), FLOAT_SUM);
}

/* Flux falls as clouds last longer, and without jumps: steps half as long change it half as much at most. */
static void the_age_of_clouds_moves_flux_smoothly(void **unused)
{
  enum { N = 480 };
  static float flux[N + 1][N_BAND];
  machine m = make(STARS NO_IGM "dust: {law: calzetti, a_v_mag: 0.2, birth_cloud: {law: calzetti, a_v_mag: 1, age_myr: {prior: log_uniform, low: 0.1, high: 1000}}}\n");
  (void)unused;
  for (int i = 0; i <= N; i++) {
    set(&m, "birth_age_myr", 0.1 * pow(1e4, (double)i / N));
    fluxes(&m, flux[i]);
  }
  for (int b = 0; b < N_BAND; b++) {
    double coarse = 0, fine = 0;
    for (int i = 0; i < N; i++) {
      const double step = ((double)flux[i][b] - (double)flux[i + 1][b]) / (double)flux[0][b];
      if (!(step >= -FLOAT_SUM)) fail_msg("band %s brightens by %g as clouds last longer", bands[b], -step);
      fine = fmax(fine, step);
      if (i % 2 == 0) coarse = fmax(coarse, ((double)flux[i][b] - (double)flux[i + 2][b]) / (double)flux[0][b]);
    }
    if (!(coarse > 0 && fine <= 0.6 * coarse)) fail_msg("band %s jumps: steps of %g, half as long %g", bands[b], coarse, fine);
  }
  unmake(&m);
}

/* ------------------------------------------------------------------ what dust and gas leave */

static void covering_mixes(void **unused)
{
  static const part half[] = {{0.3, STARS NO_IGM}, {0.7, CLOUD("0.5", "", "60")}};
  (void)unused;
  same_light("nothing covered", CLOUD("0.5", ", covering_fraction: 0", "60"), STARS NO_IGM, FLOAT_SUM);
  same_light("nothing covered by one screen", SCREEN("0.5", ", covering_fraction: 0"), STARS NO_IGM, 0);
  same_light("all covered", CLOUD("0.5", ", covering_fraction: 1", "60"), CLOUD("0.5", "", "60"), 0);
  is_sum("partly covered", CLOUD("0.5", ", covering_fraction: 0.7", "60"), 2, half, FLOAT_SUM);
}

static void line_factor_acts_on_lines_alone(void **unused)
{
  const char *const line[] = {"line_luminosity:6564.61", "line_luminosity:5008.24", "line_luminosity:1215.67"};
  const double at[] = {6564.61, 5008.24, 1215.67};
  float one[3], more[3];
  long n;
  (void)unused;
  machine plain = make_on(grid, SCREEN("0.8", ""), 3, line), m = make_on(grid, SCREEN("0.8", ", line_factor: {prior: uniform, low: 0, high: 5}"), 3, line);
  sdn_forward_wave_A(m.forward, &n);
  float *spectrum[2] = {malloc((size_t)n * sizeof(float)), malloc((size_t)n * sizeof(float))};
  fluxes(&plain, one);
  must(sdn_forward_spectra(plain.forward, 1, plain.params, spectrum[0], NULL, &err));
  for (double factor = 0; factor < 5; factor += 0.7) {
    set(&m, "dust_line_factor", factor);
    fluxes(&m, more);
    must(sdn_forward_spectra(m.forward, 1, m.params, spectrum[1], NULL, &err));
    assert_memory_equal(spectrum[0], spectrum[1], (size_t)n * sizeof(float));
    for (int l = 0; l < 3; l++) {
      const double ratio = pow(10, -0.4 * (factor - 1) * 0.8 * sdn_attenuation_curve(m.model->screens[0].ism, m.params, at[l]));
      if (!(fabs((double)more[l] / (double)one[l] / ratio - 1) <= 3e-6)) fail_msg("line at %g A, factor %g: %.8g instead of %.8g", at[l], factor, (double)more[l] / (double)one[l], ratio);
    }
  }
  free(spectrum[0]);
  free(spectrum[1]);
  unmake(&plain);
  unmake(&m);
}

/* Dust in the HII regions that takes all ionising light leaves stars behind gas that does not shine. */
static void dust_inside_darkens_the_gas(void **unused)
{
  static const part half[] = {{0.25, STARS NO_IGM "nebular: {dust_fraction: 1}\n"}, {0.75, STARS NO_IGM "nebular: {dust_fraction: 0}\n"}};
  static const part escaping[] = {{0.6, STARS NO_IGM "nebular: {dust_fraction: 1}\ndust: {law: smc, a_v_mag: 1}\n"}, {0.4, STARS NO_IGM "nebular: {escape_fraction: 1}\n"}};
  float dark[N_BAND], dry[N_BAND];
  (void)unused;
  fluxes_of(grid, half[0].text, dark);
  for (int b = 0; b < N_BAND - 1; b++) {
    const char *const one[] = {bands[b]};
    machine m = make_on(dry_grid, STARS NO_IGM, 1, one);
    fluxes(&m, &dry[b]);
    unmake(&m);
    if (!(fabs((double)dark[b] / (double)dry[b] - 1) <= FLOAT_SUM)) fail_msg("band %s: %g behind dark gas, %g without gas", bands[b], (double)dark[b], (double)dry[b]);
  }
  assert_true(dark[N_BAND - 1] == 0);   /* the line */
  is_sum("a quarter", STARS NO_IGM "nebular: {dust_fraction: 0.25}\n", 2, half, FLOAT_SUM);
  is_sum("escaping light meets no dust", STARS NO_IGM "nebular: {dust_fraction: 1, escape_fraction: 0.4}\ndust: {law: smc, a_v_mag: 1}\n", 2, escaping, FLOAT_SUM);
}

static void gas_at_the_metallicity_of_the_stars_is_the_same(void **unused)
{
  machine with = make(FREE_STARS NO_IGM "nebular: {log_gas_metallicity: log_metallicity}\n"), without = make(FREE_STARS NO_IGM);
  float a[N_BAND], b[N_BAND];
  (void)unused;
  for (double z = -4; z < -1.5; z += 0.31) {
    set(&with, "log_metallicity", z);
    set(&with, "log_gas_metallicity", z);
    set(&without, "log_metallicity", z);
    set(&with, "age_gyr", 0.0123);
    set(&without, "age_gyr", 0.0123);
    fluxes(&with, a);
    fluxes(&without, b);
    assert_memory_equal(a, b, sizeof a);
  }
  unmake(&with);
  unmake(&without);
  same_light("fixed", STARS NO_IGM "nebular: {log_gas_metallicity: -2.3}\n" CLOUDS "\n", STARS NO_IGM CLOUDS "\n", 0);
  other_light("gas of its own metallicity", STARS NO_IGM "nebular: {log_gas_metallicity: -3.3}\n", STARS NO_IGM);
  /* stars without gas do not feel it */
  same_light("old stars", NO_IGM "stars: {" OLD "}\nnebular: {log_gas_metallicity: -3.3}\n", NO_IGM "stars: {" OLD "}\n", 0);
}

/* ------------------------------------------------------------------ metallicities */

#define SPREAD(family) NO_IGM "stars: {log_mass_formed_msun: 9, metallicity: {family: " family "}, " CONSTANT "}\n"

static void spreads_shrink_to_one_metallicity(void **unused)
{
  (void)unused;
  same_light("narrow log_normal", SPREAD("log_normal, log_mean: -2.3, sigma_dex: 1e-4"), STARS NO_IGM, 2 * FLOAT_SUM);
  same_light("narrow normal", SPREAD("normal, mean: 0.00501187233627272, sigma: 1e-7"), STARS NO_IGM, 2 * FLOAT_SUM);
  same_light("delta", SPREAD("delta, log_metallicity: -2.3"), STARS NO_IGM, 0);
  same_light("step of no height", SPREAD("two_step, log_metallicity_old: -2.3, log_metallicity_young: -2.3, step_age_gyr: 0.1"), STARS NO_IGM, FLOAT_SUM);
  same_light("nothing made", SPREAD("mass_tied, log_metallicity_start: -2.3, log_metallicity_final: -2.3"), STARS NO_IGM, FLOAT_SUM);
  other_light("a wide spread", SPREAD("log_normal, log_mean: -2.3, sigma_dex: 0.5"), STARS NO_IGM);
}

/* The fixture's starlight is linear in the number of the node: halfway between two of them in Z it is the mean of theirs. Nodes: 10^-4, 10^-2.75, 10^-1.5. */
static void linear_interpolation_is_linear_in_z(void **unused)
{
  machine m = make_on(grid, "redshift: 0\nmetallicity_interpolation: linear\nnebular: none\n" FREE_STARS NO_IGM, 0, NULL);
  const double tolerance = 3e-7, age_yr = fixture_age_yr(&(grid_fixture){.n_age = N_AGE}, 3);
  long n;
  const double *wave = sdn_forward_wave_A(m.forward, &n);
  float *lnu = malloc((size_t)n * sizeof *lnu);
  (void)unused;
  set(&m, "age_gyr", 1e-9 * age_yr);
  for (int k = 0; k < 2; k++)
    for (double t = 0.1; t < 1; t += 0.2) {
      set(&m, "log_metallicity", log10((1 - t) * pow(10, -4 + 1.25 * k) + t * pow(10, -4 + 1.25 * (k + 1))));
      must(sdn_forward_spectra(m.forward, 1, m.params, lnu, NULL, &err));
      for (long j = 0; j < n; j++) {
        const double truth = (1 - t) * starlight(3, k, 0, wave[j]) + t * starlight(3, k + 1, 0, wave[j]);
        if (!(fabs((double)lnu[j] / truth - 1) <= tolerance)) fail_msg("%g between nodes %d and %d: %.8g instead of %.8g", t, k, k + 1, (double)lnu[j], truth);
      }
    }
  free(lnu);
  unmake(&m);
}

/* ------------------------------------------------------------------ on the way to us */

static void no_igm_is_none(void **unused)
{
#define FAR "redshift: 4\nstars: {log_mass_formed_msun: 9, log_metallicity: -2.3, " CONSTANT "}\n"
  static const char *const near_ly_alpha[] = {"tophat:3000:4000", "tophat:4700:5300", "tophat:5800:6300"};
  float none[3], zero[3], one[3];
  (void)unused;
  machine a = make_on(grid, FAR "igm: none\n", 3, near_ly_alpha), b = make_on(grid, FAR "igm: {law: inoue14, scale: 0}\n", 3, near_ly_alpha),
          c = make_on(grid, FAR "igm: {law: inoue14, scale: 1}\n", 3, near_ly_alpha);
  fluxes(&a, none);
  fluxes(&b, zero);
  fluxes(&c, one);
  for (int k = 0; k < 3; k++)
    if (!(fabs((double)zero[k] / (double)none[k] - 1) <= 2 * FLOAT_SUM)) fail_msg("band %s: %g and %g", near_ly_alpha[k], (double)zero[k], (double)none[k]);
  assert_true(one[0] < 0.9f * none[0] && one[1] < 0.9f * none[1]);
  unmake(&a);
  unmake(&b);
  unmake(&c);
}

/* Filters do not see how fast stars and gas move; pixels of a spectrum do. */
static void velocities_are_seen_by_pixels_alone(void **unused)
{
  static const char *const seen[] = {"tophat:2500:3500", "tophat:9000:11000", "pixel:9840:9850:3", "pixel:1800:1830:0", "line:6564.61"};
  float still[5], stars[5], gas_alone[5];
  (void)unused;
  machine a = make_on(grid, STARS NO_IGM, 5, seen), b = make_on(grid, STARS NO_IGM "velocity_dispersion_km_s: 250\n", 5, seen),
          c = make_on(grid, STARS NO_IGM "velocity_dispersion_km_s: 0\ngas_velocity_dispersion_km_s: 250\n", 5, seen);
  fluxes(&a, still);
  fluxes(&b, stars);
  fluxes(&c, gas_alone);
  for (int k = 0; k < 5; k++) {
    const bool pixel = k == 2 || k == 3;
    if ((stars[k] == still[k]) == pixel) fail_msg("%s: %g and, moving, %g", seen[k], (double)still[k], (double)stars[k]);
  }
  assert_true(gas_alone[2] < 0.9f * still[2]);   /* Halpha at 9847 A spreads beyond its pixel */
  assert_true(fabs((double)(gas_alone[3] / still[3]) - 1) < FLOAT_SUM && gas_alone[4] == still[4]);
  unmake(&a);
  unmake(&b);
  unmake(&c);
}

/* A trapezium with edges of 100 A: a line moved through it adds L / (4 pi d^2) l T(l) / (c int T dl/l), and for energy counting T(l) / (c int T dl/l^2). */
static double trapezium(double w) { return w < 6000 || w > 7000 ? 0 : w < 6100 ? (w - 6000) / 100 : w > 6900 ? (7000 - w) / 100 : 1; }

static double trapezium_integral(int power)
{
  const int n = 200000;
  double sum = 0;
  for (int i = 0; i < n; i++) {
    const double w = 6000 + 1000.0 * (i + 0.5) / n;
    sum += trapezium(w) / pow(w, power) * 1000.0 / n;
  }
  return sum;
}

static double dark(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; return w < 900 ? 1e20 : 0; }
static double no_light(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; (void)w; return 0; }
static double only_halpha(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; return w > 6000 ? 1e33 : 0; }

static void a_line_follows_the_edges_of_a_filter(void **unused)
{
  const grid_fixture f = {.n_age = 5, .n_metallicity = 3, .n_wave = N_WAVE, .wave_A = wave_A, .incident = dark, .nebular_continuum = no_light, .lines = only_halpha, .n_line = N_LINE,
                          .line_A = line_A};
  const char *curve = "6000 0\n6100 1\n6900 1\n7000 0\n";
  char photon[600], energy[600], energy_curve[200], path[600];
  const double tolerance = 2e-6, pi = 3.14159265358979324;   /* float32 */
  (void)unused;
  snprintf(energy_curve, sizeof energy_curve, "# detector: energy\n%s", curve);
  snprintf(photon, sizeof photon, "%s", scratch_write_text("photon.txt", curve));
  snprintf(energy, sizeof energy, "%s", scratch_write_text("energy.txt", energy_curve));
  snprintf(path, sizeof path, "%s", grid_fixture_write(&f, "halpha.hdf5"));
  const char *const both[] = {photon, energy};
  machine m = make_on(path, "redshift: {prior: uniform, low: 0, high: 0.2}\nstars: {log_mass_formed_msun: 9, log_metallicity: -2.3, " CONSTANT "}\n" NO_IGM, 2, both);
  const double norm[2] = {trapezium_integral(1), trapezium_integral(2)};
  int n_inside = 0;
  for (double at = 6570; at < 7040; at += 1.7) {
    float flux[2];
    const double z = at / 6564.61 - 1, d_cm = 3.0856775814913673e24 * sdn_cosmology_luminosity_distance_Mpc(m.model->cosmology, z);
    set(&m, "redshift", z);
    fluxes(&m, flux);
    for (int k = 0; k < 2; k++) {
      const double truth = 1e32 * 1e9 * 1e33 / (4 * pi * d_cm * d_cm) * trapezium(at) * (k ? 1 : at) / (LIGHT_A_S * norm[k]);
      n_inside += truth > 0;
      if (!(fabs((double)flux[k] - truth) <= tolerance * truth)) fail_msg("line at %g A, %s: %.8g instead of %.8g", at, both[k], (double)flux[k], truth);
    }
  }
  assert_true(n_inside > 400);
  unmake(&m);
}

/* ------------------------------------------------------------------ mass given on nodes */

static void given_histories_are_the_computed_ones(void **unused)
{
  static const char *const text[] = {
    "stars: {log_mass_formed_msun: 9, log_metallicity: {prior: uniform, low: -4, high: -1.5}, sfh: {family: constant, lookback_start_gyr: 0.3}}\n" NO_IGM "dust: {law: smc, a_v_mag: 0.5}\n",
    "stars: {log_mass_formed_msun: 9, log_metallicity: {prior: uniform, low: -4, high: -1.5}, sfh: {family: constant, lookback_start_gyr: 0.3}}\n" NO_IGM
    "nebular: {log_gas_metallicity: -2.9, escape_fraction: 0.2}\ndust: {law: smc, a_v_mag: 0.5, birth_cloud: {law: smc, a_v_mag: 1, age_myr: 800}}\n"};
  (void)unused;
  for (int k = 0; k < 2; k++) {
    machine m = make(text[k]);
    double mass[N_AGE], weight[N_AGE * N_Z] = {0}, t;
    float computed[N_BAND], given[N_BAND];
    int node;
    sdn_sfh h;
    const double log_z = m.params[sdn_metallicity_delta_param(m.model->population[0].metallicity)];
    sdn_arena *arena = sdn_arena_new(&err);
    fluxes(&m, computed);
    must(sdn_sfh_prepare(m.model->population[0].sfh, m.params, sdn_cosmology_age_yr(m.model->cosmology, 0.5), 1e9, arena, &h, &err));
    sdn_sfh_weights(&h, N_AGE, m.model->grid->axis[0].value, mass);
    sdn_grid_locate_coordinate(&m.model->grid->axis[1], log_z, true, &node, &t);
    for (int a = 0; a < N_AGE; a++) {
      weight[a * N_Z + node] = 1e9 * mass[a] * (1 - t);
      weight[a * N_Z + node + 1] = 1e9 * mass[a] * t;
    }
    must(sdn_forward_flux_of_weights(m.forward, 1, m.params, weight, given, &err));
    for (int b = 0; b < N_BAND; b++)
      if (!(fabs((double)given[b] / (double)computed[b] - 1) <= FLOAT_SUM)) fail_msg("band %s: %g and %g", bands[b], (double)given[b], (double)computed[b]);
    sdn_arena_free(arena);
    unmake(&m);
  }
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(all_mass_is_in_the_beams), cmocka_unit_test(one_node_is_the_grid_row), cmocka_unit_test(populations_add), cmocka_unit_test(clouds_around_all_stars_are_one_screen),
    cmocka_unit_test(the_age_of_clouds_moves_flux_smoothly), cmocka_unit_test(covering_mixes), cmocka_unit_test(line_factor_acts_on_lines_alone),
    cmocka_unit_test(dust_inside_darkens_the_gas), cmocka_unit_test(gas_at_the_metallicity_of_the_stars_is_the_same), cmocka_unit_test(spreads_shrink_to_one_metallicity),
    cmocka_unit_test(linear_interpolation_is_linear_in_z), cmocka_unit_test(no_igm_is_none), cmocka_unit_test(velocities_are_seen_by_pixels_alone),
    cmocka_unit_test(a_line_follows_the_edges_of_a_filter), cmocka_unit_test(given_histories_are_the_computed_ones),
  };
  return cmocka_run_group_tests(tests, setup, NULL);
}
