/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a galaxy costs: the basic model on JADES's 14 bands, then the same with one ingredient changed at a time; how cost grows with bands, wavelengths and
 * ages; one galaxy alone; two threads; and the products beside what the same core can do.
 * usage: bench_simulate [N galaxies per row, default 3000] */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/gemm.h"
#include "base/parallel.h"
#include "base/random.h"
#include "physics/galaxy.h"
#include "physics/galaxy_kernel.h"

#define RUNS 4
#define MAX_BAND 512

/* ------------------------------------------------------------------ models */

#define DENSE_BASIS "{family: dense_basis, log_ssfr_per_yr: {prior: uniform, low: -12, high: -7}, gaps: {prior: dirichlet, alpha: [1, 1, 1, 1]}}"
#define AGE "age_gyr: {prior: uniform, low: 0.01, high: age_universe_gyr(redshift)}"
#define TAU "tau_gyr: {prior: log_uniform, low: 0.01, high: 10}"
#define CALZETTI "{law: calzetti, a_v_mag: {prior: log_uniform, low: 0.001, high: 5}}"
#define BIRTH "birth_cloud: {law: power_law, index: -1, a_v_mag: {prior: uniform, low: 0, high: 2}, age_myr: 10}"
#define TWO_DUSTS "{law: calzetti, a_v_mag: {prior: log_uniform, low: 0.001, high: 5}, " BIRTH "}"
#define LAW(name) "{law: " name ", a_v_mag: {prior: uniform, low: 0, high: 4}}"
#define LOG_U "log_u: {prior: uniform, low: -4, high: -1}"
#define DL07 "dust_emission: {law: draine_li07, q_pah_percent: {prior: uniform, low: 0.5, high: 4.58}, u_min: {prior: log_uniform, low: 0.1, high: 25}, gamma: {prior: log_uniform, low: 0.001, high: 0.15}}\n"
#define BODY "dust_emission: {law: modified_black_body, temperature_k: {prior: uniform, low: 20, high: 80}, emissivity_index: {prior: uniform, low: 1, high: 2.5}}\n"
#define CASEY "dust_emission: {law: casey12, temperature_k: {prior: uniform, low: 20, high: 80}, emissivity_index: 1.6, alpha: 2}\n"
#define AGN "agn: {disc: broken_power_law, fraction: {prior: uniform, low: 0, high: 0.8}, fraction_wave_A: 5500}\n"
#define AGN_WHOLE \
  "agn: {disc: broken_power_law, fraction: {prior: uniform, low: 0, high: 0.8}, fraction_wave_A: 5500, dust: {law: smc, a_v_mag: {prior: uniform, low: 0, high: 2}},\n" \
  "  lines: {broad_covering_fraction: 0.1, broad_fwhm_km_s: 4000, narrow_covering_fraction: 0.05, narrow_fwhm_km_s: 500},\n" \
  "  torus: {law: nenkova08, covering_fraction: 0.5, tau: {prior: log_uniform, low: 5, high: 150}}}\n"

/* What differs from the basic model; NULL: as there. */
typedef struct recipe { const char *redshift, *sfh, *metallicity, *nebular, *dust, *igm, *more, *stars; } recipe;

static const char *or_else(const char *given, const char *usual) { return given ? given : usual; }

static void write_model(const recipe *r, size_t n, char *yaml)
{
  char stars[2048];
  snprintf(stars, sizeof stars, "{log_mass_formed_msun: {prior: uniform, low: 6, high: 12}, %s, sfh: %s}",
           or_else(r->metallicity, "log_metallicity: {prior: uniform, low: -4, high: -1.39}"), or_else(r->sfh, DENSE_BASIS));
  snprintf(yaml, n, "grid: bc03-miles-kroupa\nredshift: %s\nstars: %s\nnebular: %s\ndust: %s\nigm: %s\n%s", or_else(r->redshift, "{prior: uniform, low: 0.01, high: 14}"),
           or_else(r->stars, stars), or_else(r->nebular, "{" LOG_U "}"), or_else(r->dust, CALZETTI), or_else(r->igm, "inoue14"), or_else(r->more, ""));
}

/* ------------------------------------------------------------------ bands */

typedef enum band_set { JADES, JADES_MIRI, SEVEN, PRISM } band_set;
static const char *const broad[] = {
  "HST/ACS_WFC.F435W", "HST/ACS_WFC.F606W", "HST/ACS_WFC.F775W", "HST/ACS_WFC.F814W", "HST/ACS_WFC.F850LP", "JWST/NIRCam.F090W", "JWST/NIRCam.F115W",
  "JWST/NIRCam.F150W", "JWST/NIRCam.F200W", "JWST/NIRCam.F277W", "JWST/NIRCam.F335M", "JWST/NIRCam.F356W", "JWST/NIRCam.F410M", "JWST/NIRCam.F444W",
  "JWST/MIRI.F560W", "JWST/MIRI.F770W", "JWST/MIRI.F1000W", "JWST/MIRI.F1280W", "JWST/MIRI.F1500W", "JWST/MIRI.F1800W", "JWST/MIRI.F2100W", "JWST/MIRI.F2550W"};
static const char *const every_second[] = {"HST/ACS_WFC.F435W", "HST/ACS_WFC.F775W", "HST/ACS_WFC.F850LP", "JWST/NIRCam.F115W", "JWST/NIRCam.F200W", "JWST/NIRCam.F335M",
                                           "JWST/NIRCam.F444W"};

/* 500 pixels from 0.6 to 5.3 um, equal in logarithm, at R = 100. */
static int pixels(char text[][96], const char **id)
{
  const int n = 500;
  double low = 6000;
  for (int i = 0; i < n; i++, low *= 1.00437) {
    snprintf(text[i], 96, "pixel:%.6g:%.6g:%.4g", low, low * 1.00437, low / 235.5);
    id[i] = text[i];
  }
  return n;
}

static int choose_bands(band_set set, char text[][96], const char **id)
{
  const char *const *from = set == SEVEN ? every_second : broad;
  const int n = set == SEVEN ? 7 : set == JADES ? 14 : 22;
  if (set == PRISM) return pixels(text, id);
  memcpy(id, from, (size_t)n * sizeof *id);
  return n;
}

/* ------------------------------------------------------------------ timing */

static void stop(const sdn_err *err)
{
  fprintf(stderr, "%s\n", err->text);
  exit(1);
}

/* Time of this process alone, so that others on the machine count little. */
static double cpu_seconds(void) { return (double)clock() / CLOCKS_PER_SEC; }

typedef struct machine { sdn_model *model; sdn_forward *forward; long n; int n_band, n_param; double *params; float *flux; } machine;

static void draw_params(machine *m)
{
  sdn_err err;
  const sdn_prior *prior = sdn_model_prior(m->model);
  const int n_free = sdn_prior_n_free(prior);
  m->n_param = sdn_prior_n_param(prior);
  double *z = sdn_alloc((size_t)(m->n * n_free), sizeof *z, "z", &err);
  m->params = sdn_alloc((size_t)(m->n * m->n_param), sizeof *m->params, "params", &err);
  if (!z || !m->params) stop(&err);
  for (long i = 0; i < m->n; i++) {
    sdn_rng rng = sdn_rng_at(1, SDN_STREAM_TEST, (uint64_t)i);
    for (int k = 0; k < n_free; k++) z[i * n_free + k] = sdn_rng_normal(&rng);
  }
  if (sdn_prior_params(prior, m->n, z, m->params, &err)) stop(&err);
  sdn_release(z);
}

static machine make(const recipe *r, int n_band, const char *const *id, long n)
{
  char yaml[8192];
  sdn_err err;
  machine m = {.n = n, .n_band = n_band};
  write_model(r, sizeof yaml, yaml);
  if (sdn_model_parse(yaml, "bench", &m.model, &err) || sdn_forward_new(m.model, n_band, id, &m.forward, &err)) stop(&err);
  draw_params(&m);
  m.flux = sdn_alloc((size_t)(n * n_band), sizeof *m.flux, "fluxes", &err);
  if (!m.flux) stop(&err);
  return m;
}

static void discard(machine *m)
{
  sdn_release(m->params);
  sdn_release(m->flux);
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

/* Microseconds of one core per galaxy, best of a few runs of calls with `each` galaxies. */
static double cost_us(const machine *m, long each)
{
  const sdn_run run = {.n_thread = 1};
  sdn_err err;
  double best = HUGE_VAL;
  for (int k = 0; k < RUNS; k++) {
    const double start = cpu_seconds();
    for (long i = 0; i + each <= m->n; i += each)
      if (sdn_forward_flux(m->forward, each, m->params + i * m->n_param, m->flux + i * m->n_band, &run, &err)) stop(&err);
    best = fmin(best, cpu_seconds() - start);
  }
  return 1e6 * best / (double)(m->n / each * each);
}

/* ------------------------------------------------------------------ ingredients */

typedef struct row { const char *what; recipe r; band_set bands; } row;
static const row rows[] = {
  {"basic: dense basis, log U free, Calzetti, Inoue, 14 bands", {0}, JADES},
  {"SFH: double power law", {.sfh = "{family: double_power_law, tau_gyr: {prior: uniform, low: 0.1, high: 13}, alpha: {prior: log_uniform, low: 0.1, high: 100}, "
                                    "beta: {prior: log_uniform, low: 0.1, high: 100}}"}, JADES},
  {"SFH: constant", {.sfh = "{family: constant}"}, JADES},
  {"SFH: burst", {.sfh = "{family: burst, age_gyr: {prior: log_uniform, low: 0.001, high: 0.2}}"}, JADES},
  {"SFH: exponential", {.sfh = "{family: exponential, " AGE ", " TAU "}"}, JADES},
  {"SFH: delayed exponential", {.sfh = "{family: delayed_exponential, " AGE ", " TAU "}"}, JADES},
  {"SFH: gaussian", {.sfh = "{family: gaussian, lookback_peak_gyr: {prior: uniform, low: 0, high: age_universe_gyr(redshift)}, sigma_gyr: {prior: log_uniform, low: 0.05, high: 3}}"}, JADES},
  {"SFH: log-normal", {.sfh = "{family: log_normal, time_peak_gyr: {prior: uniform, low: 0.1, high: age_universe_gyr(redshift)}, fwhm_gyr: {prior: log_uniform, low: 0.1, high: 5}}"}, JADES},
  {"SFH: continuity, 7 bins", {.sfh = "{family: continuity, n_bin: 7}"}, JADES},
  {"SFH: dirichlet, 6 bins", {.sfh = "{family: dirichlet, n_bin: 6}"}, JADES},
  {"SFH: stochastic, 12 bins", {.sfh = "{family: stochastic, n_bin: 12, sigma_dex: 0.4, tau_gyr: 0.15}"}, JADES},
  {"SFH: sum of delayed and burst", {.sfh = "{family: sum, components: [{name: main, family: delayed_exponential, fraction: 1 - burst_fraction, " AGE ", " TAU "}, "
                                            "{name: burst, family: burst, fraction: {prior: log_uniform, low: 0.001, high: 0.5}, age_gyr: 0.005}]}"}, JADES},
  {"metallicity: log-normal spread", {.metallicity = "metallicity: {family: log_normal, log_mean: {prior: uniform, low: -3.5, high: -1.6}, sigma_dex: 0.3}"}, JADES},
  {"metallicity: two steps", {.metallicity = "metallicity: {family: two_step, log_metallicity_old: {prior: uniform, low: -4, high: -1.6}, log_metallicity_young: -1.8, step_age_gyr: 0.2}"}, JADES},
  {"metallicity: tied to the mass formed", {.metallicity = "metallicity: {family: mass_tied, log_metallicity_start: -4, log_metallicity_final: {prior: uniform, low: -3, high: -1.4}}"}, JADES},
  {"nebular: none", {.nebular = "none"}, JADES},
  {"nebular: log U fixed", {.nebular = "{log_u: -2}"}, JADES},
  {"nebular: and escape fraction", {.nebular = "{" LOG_U ", escape_fraction: {prior: uniform, low: 0, high: 1}}"}, JADES},
  {"nebular: and gas metallicity of its own", {.nebular = "{" LOG_U ", log_gas_metallicity: {prior: uniform, low: -3.6, high: -1.4}}"}, JADES},
  {"dust: none", {.dust = "none"}, JADES},
  {"dust: Calzetti with slope and bump (Noll)", {.dust = "{law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 4}, slope: {prior: uniform, low: -1, high: 0.4}, bump: {prior: uniform, low: 0, high: 4}}"}, JADES},
  {"dust: Kriek & Conroy", {.dust = "{law: kriek_conroy, a_v_mag: {prior: uniform, low: 0, high: 4}, slope: {prior: uniform, low: -1, high: 0.4}}"}, JADES},
  {"dust: Gordon+23, R_V free", {.dust = "{law: gordon23, a_v_mag: {prior: uniform, low: 0, high: 4}, r_v: {prior: uniform, low: 2.5, high: 5.5}}"}, JADES},
  {"dust: Li+08, c1 and c4 free", {.dust = "{law: li08, a_v_mag: {prior: uniform, low: 0, high: 4}, c1: {prior: uniform, low: 5, high: 60}, c2: 7.56, c3: 61.2, c4: {prior: uniform, low: 0, high: 0.05}}"}, JADES},
  {"dust: SMC bar", {.dust = LAW("smc")}, JADES},
  {"dust: Calzetti and birth clouds", {.dust = TWO_DUSTS}, JADES},
  {"IGM: none", {.igm = "none"}, JADES},
  {"IGM: Madau", {.igm = "madau95"}, JADES},
  {"IGM: Meiksin", {.igm = "meiksin06"}, JADES},
  {"IGM: Inoue and damping wing", {.igm = "{law: inoue14, damping_wing: asada25}"}, JADES},
  {"nucleus: disc", {.more = AGN}, JADES},
  {"nucleus: disc, lines, torus, dust", {.more = AGN_WHOLE}, JADES},
  {"two populations", {.stars = "[{name: old, log_mass_formed_msun: {prior: uniform, low: 8, high: 12}, log_metallicity: {prior: uniform, low: -4, high: -1.39}, sfh: " DENSE_BASIS "}, "
                                "{name: young, log_mass_formed_msun: {prior: uniform, low: 6, high: 11}, log_metallicity: {prior: uniform, low: -4, high: -1.39}, "
                                "sfh: {family: constant, lookback_start_gyr: 0.1}}]"}, JADES},
  {"redshift fixed at 2", {.redshift = "2"}, JADES},
  {"redshift below 3", {.redshift = "{prior: uniform, low: 0.01, high: 3}"}, JADES},
  {"bands: 7", {0}, SEVEN},
  {"bands: 14 and 8 of MIRI", {0}, JADES_MIRI},
  {"  birth clouds", {.dust = TWO_DUSTS}, JADES_MIRI},
  {"  birth clouds, Draine & Li 07", {.dust = TWO_DUSTS, .more = DL07}, JADES_MIRI},
  {"  birth clouds, modified black body", {.dust = TWO_DUSTS, .more = BODY}, JADES_MIRI},
  {"  birth clouds, Casey 12", {.dust = TWO_DUSTS, .more = CASEY}, JADES_MIRI},
  {"  birth clouds, Draine & Li 07, whole nucleus", {.dust = TWO_DUSTS, .more = DL07 AGN_WHOLE}, JADES_MIRI},
  {"spectrum of 500 pixels, R = 100", {0}, PRISM},
};

/* The basic row stays for what follows. */
static machine bench_ingredients(long n)
{
  static char text[MAX_BAND][96];
  const char *id[MAX_BAND];
  machine basic = {0};
  double base_us = 0;
  printf("\n%-58s %10s %14s %8s\n", "", "us/galaxy", "galaxies/s/core", "+ us");
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    machine m = make(&rows[i].r, choose_bands(rows[i].bands, text, id), id, rows[i].bands == PRISM ? n / 4 + 1 : n);
    const double us = cost_us(&m, m.n);
    if (i == 0) base_us = us;
    printf("%-58s %10.1f %14.0f %+8.1f\n", rows[i].what, us, 1e6 / us, us - base_us);
    fflush(stdout);
    if (i == 0) basic = m;
    else discard(&m);
  }
  return basic;
}

/* ------------------------------------------------------------------ growth */

/* Nodes of the spectrum within the first band at redshift 1. */
static int band_nodes(const sdn_forward *f)
{
  sdn_err err;
  int first, last;
  float *weight = sdn_alloc((size_t)f->columns.n_wave, sizeof *weight, "weights", &err);
  if (!weight) stop(&err);
  const bool covered = sdn_observable_weights(f->observable[0], f->columns.n_wave, f->columns.wave_A, 2, 0, &first, &last, weight);
  sdn_release(weight);
  return covered ? last - first : 0;
}

/* One wide band at redshift 1: what each wavelength costs. And constant histories of different length: what each age costs. */
static void bench_growth(long n)
{
  static const double width[] = {1.05, 1.5, 3, 9};
  static const char *const start_gyr[] = {"0.001", "0.01", "0.1", "1", "10"};
  const char *id[MAX_BAND];
  char text[MAX_BAND][96];
  printf("\none band at redshift 1, from 0.4 um on\n");
  for (size_t i = 0; i < sizeof width / sizeof *width; i++) {
    snprintf(text[0], sizeof text[0], "tophat:4000:%.0f", 4000 * width[i]);
    id[0] = text[0];
    machine m = make(&(recipe){.redshift = "1"}, 1, id, n);
    printf("  %5d wavelengths %37s %10.1f us\n", band_nodes(m.forward), "", cost_us(&m, n));
    discard(&m);
  }
  printf("14 bands at redshift 0.1, constant star formation for so long\n");
  const int n_band = choose_bands(JADES, text, id);
  for (size_t i = 0; i < sizeof start_gyr / sizeof *start_gyr; i++) {
    char sfh[128];
    int n_age = 0;
    snprintf(sfh, sizeof sfh, "{family: constant, lookback_start_gyr: %s}", start_gyr[i]);
    machine m = make(&(recipe){.redshift = "0.1", .sfh = sfh}, n_band, id, n);
    const sdn_grid_axis *age = &m.model->grid->axis[0];
    while (n_age < age->n && age->value[n_age] < 1e9 * atof(start_gyr[i])) n_age++;
    printf("  %5s Gyr, %3d of %d ages %30s %10.1f us\n", start_gyr[i], n_age, age->n, "", cost_us(&m, n));
    discard(&m);
  }
}

/* ------------------------------------------------------------------ limits of the core */

/* Products of the panels' own shape on data that never leaves the nearest cache. */
static double gemm_gflops(void)
{
  enum { K = 96, TIMES = 40000 };
  static _Alignas(64) float a[SDN_BATCH * K], b[K * SDN_BLOCK], c[SDN_BATCH * SDN_BLOCK];
  const sdn_gemm_shape shape = {.m = SDN_BATCH, .n = SDN_BLOCK, .k = K, .lda = K, .ldb = SDN_BLOCK, .ldc = SDN_BLOCK, .accumulate = true};
  sdn_err err;
  sdn_gemm *g;
  double best = 0;
  if (sdn_gemm_new(&shape, &g, &err)) stop(&err);
  for (int run = 0; run < RUNS; run++) {
    const double start = cpu_seconds();
    for (int i = 0; i < TIMES; i++) sdn_gemm_run(g, a, b, c);
    best = fmax(best, 2e-9 * SDN_BATCH * K * SDN_BLOCK * TIMES / (cpu_seconds() - start));
  }
  sdn_gemm_free(g);
  return best;
}

/* Bytes per nanosecond that one core reads in order from far more memory than its caches hold. */
static double read_gb_s(void)
{
  const int n = 1 << 26;
  sdn_err err;
  float *a = sdn_alloc((size_t)n, sizeof *a, "numbers", &err);
  double best = 0, sum = 0;
  if (!a) stop(&err);
  for (int run = 0; run < RUNS; run++) {
    const double start = cpu_seconds();
    sum += sdn_kernel_dot(n / 2, a, a + n / 2);
    best = fmax(best, 4e-9 * n / (cpu_seconds() - start));
  }
  sdn_release(a);
  return sum > 0 ? 0 : best;
}

/* Multiply-adds of one galaxy's starlight and gas on `n_block` blocks each: corners with a share times ages in use. */
static double products_of(const sdn_forward *f, const sdn_galaxy *g)
{
  const sdn_strip *s = &g->beam[0].strip[0];
  const int n_age = (s->n_age + SDN_AGE_STEP - 1) / SDN_AGE_STEP * SDN_AGE_STEP, gas = sdn_panels_n_age(f->nebula) < n_age ? sdn_panels_n_age(f->nebula) : n_age;
  const double stars = 2.0 * n_age * f->columns.n_block_wave, nebula = 4.0 * gas * f->columns.n_block_line;
  return (stars + nebula) * SDN_BLOCK;
}

/* The products alone, all wavelengths, of tiles and of single galaxies. */
static void bench_products(const machine *m)
{
  const sdn_forward *f = m->forward;
  const int n = m->n < 512 ? (int)m->n : 512;
  sdn_err err;
  sdn_arena *arena = sdn_arena_new(&err);
  sdn_galaxy *g = sdn_alloc((size_t)n, sizeof *g, "galaxies", &err);
  unsigned char *need = sdn_alloc((size_t)(n * f->columns.n_block), 1, "blocks", &err);
  double sum = 0, tile = HUGE_VAL, single = HUGE_VAL;
  sdn_light light;
  if (!arena || !g || !need) stop(&err);
  memset(need, 1, (size_t)(n * f->columns.n_block));
  for (int i = 0; i < n; i++) {
    if (sdn_galaxy_prepare(f, m->params + i * m->n_param, i, &g[i], arena, &err)) stop(&err);
    sum += products_of(f, &g[i]);
  }
  const sdn_arena_mark mark = sdn_arena_here(arena);
  for (int run = 0; run < 2 * RUNS; run++) {
    const double start = cpu_seconds();
    if (sdn_galaxies_light(f, n, g, need, &light, arena, &err)) stop(&err);
    const double middle = cpu_seconds();
    sdn_arena_back(arena, mark);
    for (int i = 0; i < n; i++, sdn_arena_back(arena, mark))
      if (sdn_galaxies_light(f, 1, g + i, need, &light, arena, &err)) stop(&err);
    tile = fmin(tile, middle - start);
    single = fmin(single, cpu_seconds() - middle);
  }
  const double peak = gemm_gflops(), far = read_gb_s();
  printf("\nproducts alone, all wavelengths, %d galaxies: %.0f GFLOP/s = %.0f %% of SGEMM on this core (%.0f)\n", n, 2e-9 * sum / tile, 200e-9 * sum / tile / peak, peak);
  printf("one by one: %.1f GB/s of spectra read; this core reads %.1f GB/s in order from memory\n", 4e-9 * sum / single, far);
  sdn_release(g);
  sdn_release(need);
  sdn_arena_free(arena);
}

static double wall_us(const machine *m, int n_thread)
{
  const sdn_run run = {.n_thread = n_thread};
  sdn_err err;
  double best = HUGE_VAL;
  for (int k = 0; k < 2 * RUNS; k++) {
    const double start = sdn_seconds();
    if (sdn_forward_flux(m->forward, m->n, m->params, m->flux, &run, &err)) stop(&err);
    best = fmin(best, sdn_seconds() - start);
  }
  return 1e6 * best / (double)m->n;
}

int main(int argc, char **argv)
{
  const long n = argc > 1 ? atol(argv[1]) : 3000;
  if (n < 1) return 2;
  printf("simulate: %ld galaxies per row, processor time of one thread, best of %d\n", n, RUNS);
  machine basic = bench_ingredients(n);
  printf("\none galaxy per call %37s %10.1f us\n", "", cost_us(&basic, 1));
  const double one = wall_us(&basic, 1), two = wall_us(&basic, 2);
  printf("two threads against one, by the clock: %.2f times\n", one / two);
  bench_products(&basic);
  discard(&basic);
  bench_growth(n);
  return 0;
}
