/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The forward model against plain double-precision arithmetic on the same grid, and against formulas where a grid is simple enough to have them. */
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
#include "support/law_text.h"

#define LIGHT_A_S 2.99792458e18
#define MAX_PARAM 40

static sdn_err err;

static void must(sdn_status status)
{
  if (status) fail_msg("%s", err.text);
}

typedef struct machine { sdn_model *model; sdn_forward *forward; } machine;

static machine make(const char *yaml, int n_band, const char *const *bands)
{
  machine m;
  must(sdn_model_parse(yaml, "test", &m.model, &err));
  must(sdn_forward_new(m.model, n_band, bands, &m.forward, &err));
  return m;
}

static void unmake(machine *m)
{
  sdn_forward_free(m->forward);
  sdn_model_free(m->model);
}

static double *param(const machine *m, double *params, const char *name)
{
  const int p = sdn_prior_param_index(sdn_model_prior(m->model), name);
  if (p < 0) fail_msg("the model has no parameter %s", name);
  return &params[p];
}

/* ------------------------------------------------------------------ plain double precision */

static const char *const bands[] = {"HST/ACS_WFC.F435W", "HST/ACS_WFC.F814W", "JWST/NIRCam.F115W", "JWST/NIRCam.F200W", "JWST/NIRCam.F335M", "JWST/NIRCam.F444W"};
enum { N_BAND = sizeof bands / sizeof bands[0] };
static const char full_yaml[] =
  "grid: bc03-miles-kroupa\nredshift: {prior: uniform, low: 0.01, high: 14}\n"
  "stars:\n  log_mass_formed_msun: {prior: uniform, low: 6, high: 12}\n  log_metallicity: {prior: uniform, low: -4, high: -1.39}\n"
  "  sfh: {family: delayed_exponential, age_gyr: {prior: uniform, low: 0.02, high: age_universe_gyr(redshift)}, tau_gyr: {prior: log_uniform, low: 0.01, high: 10}}\n"
  "nebular: {log_u: {prior: uniform, low: -4, high: -1}, escape_fraction: {prior: uniform, low: 0, high: 1}, ly_alpha_fraction: {prior: uniform, low: 0, high: 1}}\n"
  "dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 3}, slope: {prior: uniform, low: -1, high: 0.5}, bump: {prior: uniform, low: 0, high: 3}}\n";

/* What a table holds at an age node and column, interpolated in metallicity and log U. */
static double at_node(const machine *m, const sdn_grid_table *t, const double *params, int age, int column)
{
  const sdn_grid *g = m->model->grid;
  int iz, iu = 0;
  double tz, tu = 0;
  if (age >= t->n_age) return 0;
  sdn_grid_locate_coordinate(&g->axis[1], *param(m, (double *)params, "log_metallicity"), true, &iz, &tz);
  if (t->n_extra > 1) sdn_grid_locate_coordinate(&g->axis[2], *param(m, (double *)params, "log_u"), true, &iu, &tu);
  double sum = 0;
  for (int k = 0; k < 4; k++) {
    const int dz = k & 1, du = k >> 1;
    const double share = (dz ? tz : 1 - tz) * (du ? tu : 1 - tu);
    if (share > 0) sum += share * (double)sdn_grid_row(t, age, iz + dz, iu + du)[column];
  }
  return sum;
}

/* A table's column for this galaxy's history. */
static double of_history(const machine *m, const sdn_grid_table *t, const double *params, const double *weight, int column)
{
  double sum = 0;
  for (int a = 0; a < m->model->grid->axis[0].n; a++)
    if (weight[a] > 0) sum += weight[a] * at_node(m, t, params, a, column);
  return sum;
}

typedef struct plain { double *incident, *transmitted, *nebular, *line; } plain;   /* on the grid's wavelengths and lines, per Msun */

static double dimming(const machine *m, const double *params, double wave_A)
{
  const double k = sdn_attenuation_curve(m->model->screens[0].ism, params, wave_A);
  return pow(10, -0.4 * *param(m, (double *)params, "a_v_mag") * k);
}

/* Piecewise linear between the grid's nodes; at the Lyman limit, where the grid has a pair, the side asked for. */
static double on_grid(const sdn_grid *g, const double *value, double wave_A, bool blue)
{
  int j = 0;
  while (j < g->n_wave - 2 && (blue ? g->wave_A[j + 1] < wave_A : g->wave_A[j + 1] <= wave_A)) j++;
  const double w = (wave_A - g->wave_A[j]) / (g->wave_A[j + 1] - g->wave_A[j]);
  return (1 - w) * value[j] + w * value[j + 1];
}

/* Emergent L_nu at a rest wavelength. */
static double emergent(const machine *m, const plain *p, const double *params, double wave_A, bool blue)
{
  const sdn_grid *g = m->model->grid;
  const double f = *param(m, (double *)params, "escape_fraction");
  const double t = on_grid(g, p->transmitted, wave_A, blue), i = on_grid(g, p->incident, wave_A, blue), n = on_grid(g, p->nebular, wave_A, blue);
  return f * i + (1 - f) * (t + n) * dimming(m, params, wave_A);
}

static double transmission(double z, double rest_A, bool blue)
{
  static test_igm inoue;
  if (!inoue.law) inoue = test_igm_of("");
  return exp(-sdn_igm_tau(inoue.law, z, 1, blue ? rest_A * (1 - 1e-13) : rest_A * (1 + 1e-13)));
}

/* int f T w(l) dl / int T w(l) dl over pieces that no node, neither of spectrum nor of filter, divides; f linear on each piece. Simpson is exact for f T, and
 * 1/l varies little on a piece. */
typedef struct integrals { double above, below; } integrals;

static void add_piece(const sdn_filter *f, double a, double b, double fa, double fb, integrals *sum)
{
  const double eps = 1e-9 * (b - a), mid = 0.5 * (a + b);
  const double ta = sdn_filter_throughput(f, a + eps), tb = sdn_filter_throughput(f, b - eps), tm = 0.5 * (ta + tb), fm = 0.5 * (fa + fb);
  const double wa = f->photon_counting ? 1 / a : 1 / (a * a), wb = f->photon_counting ? 1 / b : 1 / (b * b), wm = f->photon_counting ? 1 / mid : 1 / (mid * mid);
  sum->above += (b - a) / 6 * (fa * ta * wa + 4 * fm * tm * wm + fb * tb * wb);
  sum->below += (b - a) / 6 * (ta * wa + 4 * tm * wm + tb * wb);
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* Mean f_nu / (nJy per L_nu) in a band. nodes: where the spectrum times the IGM is taken to bend; between them it is linear. */
static double plain_band(const machine *m, const plain *p, const double *params, const sdn_filter *f, int n_node, const double *node_A)
{
  const double z = *param(m, (double *)params, "redshift"), stretch = 1 + z;
  integrals sum = {0, 0};
  for (int j = 0; j + 1 < n_node; j++) {
    const double a = node_A[j] * stretch, b = node_A[j + 1] * stretch;
    if (b <= f->low_A || a >= f->high_A || b <= a) continue;
    const double sa = emergent(m, p, params, node_A[j], false) * transmission(z, node_A[j], false);
    const double sb = emergent(m, p, params, node_A[j + 1], true) * transmission(z, node_A[j + 1], true);
    double edge[2048];
    int n = 0;
    edge[n++] = fmax(a, f->low_A);
    edge[n++] = fmin(b, f->high_A);
    for (int k = 0; k < f->n && n < 2048; k++)
      if (f->wave_A[k] > edge[0] && f->wave_A[k] < edge[1]) edge[n++] = f->wave_A[k];
    qsort(edge, (size_t)n, sizeof *edge, ascending);
    for (int k = 0; k + 1 < n; k++) {
      const double u = (edge[k] - a) / (b - a), v = (edge[k + 1] - a) / (b - a);
      add_piece(f, edge[k], edge[k + 1], (1 - u) * sa + u * sb, (1 - v) * sa + v * sb, &sum);
    }
  }
  return sum.above / sum.below;
}

static double plain_lines(const machine *m, const plain *p, const double *params, const sdn_filter *f)
{
  const sdn_grid *g = m->model->grid;
  const double z = *param(m, (double *)params, "redshift");
  double sum = 0;
  for (int l = 0; l < g->n_line; l++) {
    const double w = g->line_wave_A[l];
    const bool ly_alpha = fabs(w - 1215.67) < 0.1;
    const double leaving = (ly_alpha ? *param(m, (double *)params, "ly_alpha_fraction") : 1) * (1 - *param(m, (double *)params, "escape_fraction")) * dimming(m, params, w);
    sum += p->line[l] * leaving * transmission(z, w * (1 - 1e-6), true) * sdn_filter_line_response(f, w * (1 + z)) / (1 + z);
  }
  return sum;
}

static plain plain_spectra(const machine *m, const double *params)
{
  const sdn_grid *g = m->model->grid;
  double weight[512];
  sdn_sfh h;
  const double mass = pow(10, *param(m, (double *)params, "log_mass_formed_msun"));
  sdn_arena *arena = sdn_arena_new(&err);
  must(sdn_sfh_prepare(m->model->population[0].sfh, params, sdn_cosmology_age_yr(m->model->cosmology, *param(m, (double *)params, "redshift")), mass, arena, &h, &err));
  sdn_sfh_weights(&h, g->axis[0].n, g->axis[0].value, weight);
  sdn_arena_free(arena);
  plain p = {malloc((size_t)g->n_wave * 8), malloc((size_t)g->n_wave * 8), malloc((size_t)g->n_wave * 8), malloc((size_t)g->n_line * 8)};
  for (int j = 0; j < g->n_wave; j++) {
    p.incident[j] = of_history(m, &g->incident, params, weight, j);
    p.transmitted[j] = of_history(m, &g->transmitted, params, weight, j);
    p.nebular[j] = of_history(m, &g->nebular_continuum, params, weight, j);
  }
  for (int l = 0; l < g->n_line; l++) p.line[l] = of_history(m, &g->lines, params, weight, l);
  return p;
}

static void free_plain(plain *p)
{
  free(p->incident);
  free(p->transmitted);
  free(p->nebular);
  free(p->line);
}

static void draw(const machine *m, int row, double *params)
{
  double z[MAX_PARAM];
  const sdn_prior *prior = sdn_model_prior(m->model);
  sdn_rng rng = sdn_rng_at(3, SDN_STREAM_TEST, (uint64_t)row);
  for (int i = 0; i < sdn_prior_n_free(prior); i++) z[i] = sdn_rng_normal(&rng);
  must(sdn_prior_params(prior, 1, z, params, &err));
}

/* Float32 spectra and sums against double ones on the same nodes; and against nodes ten times as dense, which shows what the nodes themselves cost. A band
 * fainter than 1e-4 of the brightest is judged against that. */
#define TOLERANCE_FLOAT 2e-5
#define TOLERANCE_NODES 1e-3   /* linear attenuation and transmission between the nodes of the shipped grid; the worst bands lie in the dark of the IGM */
#define FLOOR 1e-4

static void judge(const float *flux, const double *truth, double *worst)
{
  double brightest = 0;
  for (int b = 0; b < N_BAND; b++) brightest = fmax(brightest, truth[b]);
  for (int b = 0; b < N_BAND; b++) {
    const double e = fabs((double)flux[b] - truth[b]) / fmax(truth[b], FLOOR * brightest);
    if (!(e <= *worst)) *worst = e;
  }
}

static int densify(const sdn_columns *c, double **dense)
{
  const int k = 10;
  int n = 0;
  *dense = malloc((size_t)(c->n_wave * k) * sizeof **dense);
  for (int j = 0; j < c->n_wave; j++) {
    (*dense)[n++] = c->wave_A[j];
    for (int i = 1; j + 1 < c->n_wave && c->wave_A[j + 1] > c->wave_A[j] && i < k; i++) (*dense)[n++] = c->wave_A[j] + (c->wave_A[j + 1] - c->wave_A[j]) * i / k;
  }
  return n;
}

static void agrees_with_double_precision(void **unused)
{
  machine m = make(full_yaml, N_BAND, bands);
  double params[MAX_PARAM], *dense, worst = 0, worst_nodes = 0;
  const int n_dense = densify(&m.forward->columns, &dense);
  (void)unused;
  for (int row = 0; row < 12; row++) {
    float flux[N_BAND];
    double same[N_BAND], fine[N_BAND];
    draw(&m, row, params);
    must(sdn_forward_flux(m.forward, 1, params, flux, NULL, &err));
    plain p = plain_spectra(&m, params);
    const double scale = pow(10, *param(&m, params, "log_mass_formed_msun")) * sdn_cosmology_njy_per_lnu(m.model->cosmology, *param(&m, params, "redshift"));
    for (int b = 0; b < N_BAND; b++) {
      const sdn_filter *f = sdn_forward_observable(m.forward, b)->filter;
      const double lines = plain_lines(&m, &p, params, f);
      same[b] = scale * (plain_band(&m, &p, params, f, m.forward->columns.n_wave, m.forward->columns.wave_A) + lines);
      fine[b] = scale * (plain_band(&m, &p, params, f, n_dense, dense) + lines);
    }
    judge(flux, same, &worst);
    judge(flux, fine, &worst_nodes);
    free_plain(&p);
  }
  print_message("worst: %.1e of double precision, %.1e of nodes ten times as dense\n", worst, worst_nodes);
  assert_true(worst <= TOLERANCE_FLOAT);
  assert_true(worst_nodes <= TOLERANCE_NODES);
  free(dense);
  unmake(&m);
}

/* ------------------------------------------------------------------ simple grids */

static const double wave_A[] = {100, 800, 1000, 1215, 1300, 3000, 6000, 9000, 20000, 50000};
static const double line_A[] = {1215.67, 5008.24, 6564.61};
enum { N_WAVE = sizeof wave_A / sizeof wave_A[0], N_LINE = 3 };
static double starlight(int age, int metallicity, int u, double w) { (void)u; return 1e20 * (1 + age + 7 * metallicity + w / 1000); }
static double ionising(int age, int metallicity, int u, double w) { return w < 900 ? starlight(age, metallicity, u, w) : 0; }
static double nothing(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; (void)w; return 0; }
static double one_line(int age, int metallicity, int u, double w) { (void)age; (void)metallicity; (void)u; return w > 6000 ? 1e33 : w < 1300 ? 2e33 : 0; }

static const grid_fixture bare = {.n_age = 5, .n_metallicity = 3, .n_wave = N_WAVE, .wave_A = wave_A, .incident = starlight};
static const grid_fixture lines_alone = {.n_age = 5, .n_metallicity = 3, .n_wave = N_WAVE, .wave_A = wave_A, .incident = ionising,
                                         .nebular_continuum = nothing, .lines = one_line, .n_line = N_LINE, .line_A = line_A};
#define HISTORY "{family: delayed_exponential, age_gyr: {prior: uniform, low: 0.001, high: 2}, tau_gyr: 1}"

static const char *yaml_for(const grid_fixture *f, const char *name, const char *more)
{
  static char yaml[4096];
  snprintf(yaml, sizeof yaml, "grid: %s\nredshift: {prior: uniform, low: 0, high: 3}\nstars: {log_mass_formed_msun: 0, log_metallicity: {prior: uniform, low: -4, high: -1.5}, sfh: %s}\n%s",
           grid_fixture_write(f, name), HISTORY, more);
  return yaml;
}

/* Weight one on one node: the row of the file, bit for bit. */
static void single_node_is_the_grid_row(void **unused)
{
  machine m = make(yaml_for(&bare, "bare.hdf5", "igm: none\n"), 0, NULL);
  const sdn_columns *c = &m.forward->columns;
  const sdn_grid *g = m.model->grid;
  sdn_arena *arena = sdn_arena_new(&err);
  unsigned char need[64];
  float *out = malloc((size_t)c->n_block * SDN_BLOCK * sizeof *out);
  (void)unused;
  memset(need, 1, sizeof need);
  for (int age = 0; age < 5; age++)
    for (int z = 0; z < 3; z++) {
      float weight[5] = {0};
      weight[age] = 1;
      const sdn_place place = {0};
      const sdn_panel_row row = {.weight = weight, .n_age = 5, .place = &place, .metallicity = z > 0 ? z - 1 : 0, .t = z > 0, .need = need};
      must(sdn_panels_project(m.forward->stars, 1, &row, out, c->n_block * SDN_BLOCK, arena, &err));
      for (int j = 0, k = 0; j < c->n_wave; j++) {
        while (g->wave_A[k] < c->wave_A[j]) k++;
        assert_true(g->wave_A[k] == c->wave_A[j] && out[j] == sdn_grid_row(&g->incident, age, z, 0)[k]);
      }
    }
  sdn_arena_free(arena);
  free(out);
  unmake(&m);
}

#define ALL_FREE "nebular: {escape_fraction: {prior: uniform, low: 0, high: 1}, ly_alpha_fraction: {prior: uniform, low: 0, high: 1}}\n" \
                 "dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 3}}\n"

static double one_flux(const machine *m, const double *params)
{
  float flux;
  must(sdn_forward_flux(m->forward, 1, params, &flux, NULL, &err));
  return (double)flux;
}

static void close_to(double value, double truth, double tolerance, const char *what)
{
  if (!(fabs(value - truth) <= tolerance * fabs(truth))) fail_msg("%s: %.9g instead of %.9g", what, value, truth);
}

/* A line's band flux: L / (4 pi d^2) times l T(l) / (c int T dl/l); a top-hat from 6000 to 7000 A has int T dl/l = ln(7/6). */
static void a_line_is_exact(void **unused)
{
  const char *const band[] = {"tophat:6000:7000"};
  const double tolerance = 1e-6;   /* float32 */
  machine m = make(yaml_for(&lines_alone, "lines.hdf5", "igm: none\n" ALL_FREE), 1, band);
  double params[MAX_PARAM];
  (void)unused;
  draw(&m, 0, params);
  *param(&m, params, "redshift") = 0.02;
  *param(&m, params, "escape_fraction") = 0;
  *param(&m, params, "a_v_mag") = 0;
  const double d_cm = 3.0856775814913673e24 * sdn_cosmology_luminosity_distance_Mpc(m.model->cosmology, 0.02), pi = 3.14159265358979324;
  const double line = 1e32 * 1e33 / (4 * pi * d_cm * d_cm) * 6564.61 * 1.02 / (LIGHT_A_S * log(7.0 / 6));
  close_to(one_flux(&m, params), line, tolerance, "line");
  *param(&m, params, "escape_fraction") = 0.25;
  *param(&m, params, "a_v_mag") = 1.5;
  close_to(one_flux(&m, params), line * 0.75 * pow(10, -0.4 * 1.5 * sdn_attenuation_curve(m.model->screens[0].ism, params, 6564.61)), tolerance, "dimmed line");
  *param(&m, params, "redshift") = 0.1;   /* moved out of the band */
  close_to(one_flux(&m, params), 0, 0, "line outside");
  unmake(&m);
}

/* Lyman alpha stands on the blue side of its own edge; its fraction is a factor. */
static void lyman_alpha_meets_the_igm(void **unused)
{
  const char *const band[] = {"tophat:4600:4900"};
  const double tolerance = 1e-5, z = 2.9;   /* float32, and a line 1e-6 blueward */
  machine with = make(yaml_for(&lines_alone, "ly_alpha.hdf5", "igm: inoue14\n" ALL_FREE), 1, band);
  machine without = make(yaml_for(&lines_alone, "ly_alpha.hdf5", "igm: none\n" ALL_FREE), 1, band);
  double params[MAX_PARAM];
  (void)unused;
  draw(&with, 0, params);
  *param(&with, params, "redshift") = z;
  *param(&with, params, "ly_alpha_fraction") = 1;
  const double free_flux = one_flux(&without, params), absorbed = one_flux(&with, params);
  assert_true(free_flux > 0);
  close_to(absorbed / free_flux, transmission(z, 1215.67, true), tolerance, "transmission");
  *param(&with, params, "ly_alpha_fraction") = 0.3;
  close_to(one_flux(&with, params), 0.3 * absorbed, tolerance, "fraction");
  unmake(&with);
  unmake(&without);
}

/* The observed spectrum is the grid's, times (1+z) / (4 pi d^2), where neither dust nor IGM stand. */
static void spectrum_is_scaled(void **unused)
{
  machine m = make(yaml_for(&bare, "spectrum.hdf5", "igm: none\n"), 0, NULL);
  double params[MAX_PARAM], age[5], weight[5];
  long n;
  (void)unused;
  draw(&m, 1, params);
  const double z = *param(&m, params, "redshift"), x = (*param(&m, params, "log_metallicity") + 4) / 1.25;   /* in steps of metallicity nodes */
  must(sdn_forward_spectrum(m.forward, params, &n, NULL, NULL, &err));
  double *wave = malloc((size_t)n * sizeof *wave), *fnu = malloc((size_t)n * sizeof *fnu);
  must(sdn_forward_spectrum(m.forward, params, &n, wave, fnu, &err));
  sdn_sfh h;
  sdn_arena *arena = sdn_arena_new(&err);
  for (int i = 0; i < 5; i++) age[i] = fixture_age_yr(&bare, i);
  must(sdn_sfh_prepare(m.model->population[0].sfh, params, sdn_cosmology_age_yr(m.model->cosmology, z), 1, arena, &h, &err));
  sdn_sfh_weights(&h, 5, age, weight);
  sdn_arena_free(arena);
  for (long j = 0; j < n; j++) {
    const double rest = wave[j] / (1 + z);
    double lnu = 0;
    for (int a = 0; a < 5; a++) lnu += weight[a] * 1e20 * (1 + a + 7 * x + rest / 1000);   /* the fixture is linear in node number and wavelength */
    close_to(fnu[j], lnu * sdn_cosmology_njy_per_lnu(m.model->cosmology, z), 1e-6, "spectrum");
  }
  free(wave);
  free(fnu);
  unmake(&m);
}

/* ------------------------------------------------------------------ refusals */

static void refused(sdn_status got, sdn_status status, long row, const char *says)
{
  if (got != status || err.row != row || !strstr(err.text, says)) fail_msg("status %d row %ld, '%s' is not in: %s", got, err.row, says, err.text);
}

static void bad_bands_are_refused(void **unused)
{
  const char *const unknown[] = {"JWST/NIRCam.F4444W"}, *const red[] = {"tophat:60000:70000"}, *const blue[] = {"tophat:300:400"};
  sdn_model *m;
  sdn_forward *f;
  (void)unused;
  must(sdn_model_parse(yaml_for(&bare, "bands.hdf5", "igm: none\n"), "test", &m, &err));
  refused(sdn_forward_new(m, 1, unknown, &f, &err), SDN_USAGE, -1, "JWST/NIRCam.F444W");
  refused(sdn_forward_new(m, 1, red, &f, &err), SDN_RANGE, -1, "ends at 70000 A, which at redshift 0 is rest 70000 A");
  refused(sdn_forward_new(m, 1, blue, &f, &err), SDN_RANGE, -1, "at redshift 3 is rest 75 A");
  assert_null(f);
  sdn_model_free(m);
}

static void bad_rows_are_named(void **unused)
{
  const char *const band[] = {"tophat:6000:7000"};
  machine m = make(yaml_for(&bare, "rows.hdf5", "igm: none\n"), 1, band);
  const int n_param = sdn_prior_n_param(sdn_model_prior(m.model));
  double params[3 * MAX_PARAM];
  float flux[3];
  (void)unused;
  for (int i = 0; i < 3; i++) draw(&m, i, params + i * n_param);
  must(sdn_forward_flux(m.forward, 3, params, flux, NULL, &err));
  double *z = param(&m, params + 2 * n_param, "redshift"), *metals = param(&m, params + n_param, "log_metallicity");
  const double good_z = *z, good_metals = *metals;
  *z = NAN;
  refused(sdn_forward_flux(m.forward, 3, params, flux, NULL, &err), SDN_NUMERIC, 2, "redshift is nan");
  *z = 3.5;
  refused(sdn_forward_flux(m.forward, 3, params, flux, NULL, &err), SDN_RANGE, 2, "redshift 3.5 is outside the 0 to 3");
  *z = good_z;
  *metals = -1;
  refused(sdn_forward_flux(m.forward, 3, params, flux, NULL, &err), SDN_RANGE, 1, "metallicities is -1 but the grid spans -4 to -1.5");
  *metals = good_metals;
  *param(&m, params, "log_mass_formed_msun") = 300;
  refused(sdn_forward_flux(m.forward, 3, params, flux, NULL, &err), SDN_NUMERIC, 0, "not a finite number");
  must(sdn_forward_flux(m.forward, 0, params, flux, NULL, &err));
  refused(sdn_forward_flux(m.forward, -1, params, flux, NULL, &err), SDN_USAGE, -1, "-1 galaxies");
  unmake(&m);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(agrees_with_double_precision), cmocka_unit_test(single_node_is_the_grid_row), cmocka_unit_test(a_line_is_exact),
    cmocka_unit_test(lyman_alpha_meets_the_igm), cmocka_unit_test(spectrum_is_scaled), cmocka_unit_test(bad_bands_are_refused), cmocka_unit_test(bad_rows_are_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
