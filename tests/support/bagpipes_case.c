/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/bagpipes_case.h"

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
#include "support/scratch.h"

#define LIGHT_A_PER_S 2.99792458e18
#define CM_PER_MPC 3.086e24      /* its constants */
#define NJY_PER_CGS (1e3 / (1e-29 * 2.9979e18))
#define LYA_A 1215.67
#define PI 3.14159265358979323846
#define ZSUN 0.02

/* ------------------------------------------------------------------ pixels and masses */

bool bagpipes_read(const char *path, bagpipes_pixels *p)
{
  sdn_h5 *f;
  sdn_h5_shape shape;
  sdn_err err;
  *p = (bagpipes_pixels){0};
  snprintf(p->grid, sizeof p->grid, "%s", path);
  if (sdn_h5_open(path, &f, &err)) return false;
  bool ok = !sdn_h5_read_double(f, "bagpipes/wavelength", &p->wave_A, &shape, &err);
  p->n = ok ? shape.dim[0] : 0;
  ok = ok && !sdn_h5_read_double(f, "bagpipes/young", &p->young, &shape, &err) && !sdn_h5_read_double(f, "bagpipes/old", &p->old, &shape, &err);
  if (ok) p->n_case = shape.dim[0], p->n_age = shape.dim[1], p->n_z = shape.dim[2];
  if (ok && sdn_h5_has(f, "bagpipes/f_lambda")) ok = !sdn_h5_read_double(f, "bagpipes/f_lambda", &p->f_lambda, &shape, &err);
  return !sdn_h5_close(f, &err) && ok;
}

/* ------------------------------------------------------------------ models: one for each grid, dust law and kind of gas */

typedef enum gas_kind { NO_GAS, GAS, GAS_OF_OWN_METALS, N_GAS } gas_kind;
typedef struct kit { char grid[4096]; const char *law; gas_kind gas; sdn_model *model; sdn_forward *forward; } kit;
static kit kits[64];
static int n_kit;

static const struct { const char *name, *ism, *birth; } laws[] = {
  {"none", NULL, NULL},
  {"Calzetti", "law: calzetti", "law: calzetti"},
  {"CF00", "law: power_law, index: {prior: uniform, low: -3, high: -0.1}", "law: power_law, index: dust_index"},
  {"Salim", "law: salim18, slope: {prior: uniform, low: -2, high: 0.9}, bump: {prior: uniform, low: 0, high: 6}", "law: salim18, slope: dust_slope, bump: dust_bump"},
  {"SMC", "law: tabulated, file: FILE", "law: tabulated, file: FILE"},   /* its straight lines between the table's points */
  {"SMC, ours", "law: smc", "law: smc"},                                 /* ours are smooth between the same points */
  {"VW07", "law: power_law, index: -0.7", "law: power_law, index: -1.3"},
  {"Cardelli", "law: cardelli, r_v: 3.1", "law: cardelli, r_v: 3.1"},
};

const char *bagpipes_law(const json *c)
{
  const char *type = json_text(json_get(json_get(c, "bagpipes_model_components"), "dust"), "type");
  return type ? type : "none";
}

/* Gordon+2003's SMC bar as BAGPIPES has it: their formula up to 2760 A, straight lines in wavelength from there to zero at 3.1 um. */
static double smc_bagpipes(double um)
{
  static const double at_um[] = {0.276, 0.296, 0.37, 0.44, 0.55, 0.65, 0.81, 1.25, 1.65, 2.198, 3.1}, value[] = {2.220, 2.000, 1.672, 1.374, 1.00, 0.801, 0.567, 0.25, 0.169, 0.11, 0};
  const double x = 1 / um, bend = x > 5.9 ? x - 5.9 : 0, core = x * x - 4.6 * 4.6;
  if (um <= 0.276) return (-4.959 + 2.264 * x + 0.389 * x * x / (core * core + x * x) + 0.461 * (0.5392 * bend * bend + 0.05644 * bend * bend * bend)) / 2.74 + 1;
  int k = 0;
  while (k < 9 && at_um[k + 1] < um) k++;
  return um < 3.1 ? value[k] + (value[k + 1] - value[k]) * (um - at_um[k]) / (at_um[k + 1] - at_um[k]) : 0;
}

/* The word FILE in a law becomes the path of a table of that curve. */
static void put_file(const char *law, char *out, size_t size)
{
  const char *word = strstr(law, "FILE");
  if (!word) {
    snprintf(out, size, "%s", law);
    return;
  }
  const char *path = scratch_file("smc_bagpipes.dat");
  FILE *f = fopen(path, "w");
  for (double um = 0.005; um < 3.099; um *= 1.0005) fprintf(f, "%.10g %.10g\n", 1e4 * um, smc_bagpipes(um));
  fprintf(f, "30990 %.10g\n31010 1e-9\n1e8 1e-12\n", smc_bagpipes(3.099));
  fclose(f);
  snprintf(out, size, "%.*s\"%s\"%s", (int)(word - law), law, path, word + 4);
}

static void yaml_of(const kit *k, int law, char *yaml, size_t size)
{
  static const char *const gas_text[N_GAS] = {
    "none", "{log_u: {prior: uniform, low: -4, high: 0}, escape_fraction: {prior: uniform, low: 0, high: 1}}",
    "{log_u: {prior: uniform, low: -4, high: 0}, escape_fraction: {prior: uniform, low: 0, high: 1}, log_gas_metallicity: {prior: uniform, low: -4, high: -1}}"};
  int n = snprintf(yaml, size,
                   "grid: %s\nmetallicity_interpolation: linear\ncosmology: {h0: 70, omega_m: 0.3}\nredshift: 0.1\nigm: none\nnebular: %s\n"
                   "stars: {log_mass_formed_msun: 10, log_metallicity: {prior: uniform, low: -4, high: -1}, sfh: {family: constant, lookback_start_gyr: 0.01}}\n",
                   k->grid, gas_text[k->gas]);
  if (!laws[law].ism) return;
  char ism[4200], birth[4200];
  put_file(laws[law].ism, ism, sizeof ism);
  put_file(laws[law].birth, birth, sizeof birth);
  snprintf(yaml + n, size - (size_t)n,
           "dust: {%s, a_v_mag: {prior: uniform, low: 0, high: 20}, birth_cloud: {%s, a_v_mag: {prior: uniform, low: 0, high: 20}, age_myr: {prior: uniform, low: 0.01, high: 1000}}}\n"
           "dust_emission: {law: draine_li07, q_pah_percent: {prior: uniform, low: 0.11, high: 4.57}, u_min: {prior: uniform, low: 0.1, high: 25}, gamma: {prior: uniform, low: 0, high: 1}}\n",
           ism, birth);
}

static const kit *kit_of(const bagpipes_pixels *p, const char *law, gas_kind gas)
{
  char yaml[20000];
  sdn_err err;
  int l = 0;
  while (strcmp(laws[l].name, law)) assert_true(++l < (int)(sizeof laws / sizeof *laws));
  for (int i = 0; i < n_kit; i++)
    if (!strcmp(kits[i].grid, p->grid) && kits[i].law == laws[l].name && kits[i].gas == gas) return &kits[i];
  assert_true(n_kit < (int)(sizeof kits / sizeof *kits));
  kit *k = &kits[n_kit++];
  *k = (kit){.law = laws[l].name, .gas = gas};
  memcpy(k->grid, p->grid, sizeof k->grid);
  yaml_of(k, l, yaml, sizeof yaml);
  if (sdn_model_parse(yaml, law, &k->model, &err) || sdn_forward_new_over(k->model, 0, NULL, 0, INFINITY, &k->forward, &err)) fail_msg("%s\n%s", err.text, yaml);
  return k;
}

void bagpipes_free(bagpipes_pixels *p)
{
  for (int i = 0; i < n_kit; i++) {
    sdn_forward_free(kits[i].forward);
    sdn_model_free(kits[i].model);
  }
  n_kit = 0;
  sdn_release(p->wave_A);
  sdn_release(p->young);
  sdn_release(p->old);
  sdn_release(p->f_lambda);
}

/* ------------------------------------------------------------------ parameters */

static void set(const kit *k, double *params, const char *name, double value)
{
  const int i = sdn_prior_param_index(sdn_model_prior(k->model), name);
  if (i >= 0) params[i] = value;
}

/* A/A_V of its curves at 5500 A, where ours are 1: Calzetti+2000 eq. 4; Salim+2018 with the bump's wing; Cardelli+1989 eq. 3 at x = 1/0.55. */
static double at_5500(const json *dust, const char *law)
{
  const double calzetti = (4.05 + 2.659 * (-2.156 + 1.509 / 0.55 - 0.198 / 0.3025 + 0.011 / 0.166375)) / 4.05;
  if (!strcmp(law, "Calzetti")) return calzetti;
  if (!strcmp(law, "Salim")) {
    const double r_v = 4.05 / (5.05 * pow(4400.0 / 5500, json_number(dust, "delta", NAN)) - 4.05), core = 5500.0 * 350, wing = 5500.0 * 5500 - 2175.0 * 2175;
    return calzetti + json_number(dust, "B", NAN) * core * core / (wing * wing + core * core) / r_v;
  }
  if (!strcmp(law, "Cardelli")) {
    const double y = 1 / 0.55 - 1.82;
    return 1 + 0.17699 * y - 0.50447 * y * y + (1.41388 * y + 2.28305 * y * y) / 3.1;
  }
  return 1;
}

/* The U_min of the spectrum that it takes. Its list of U_min has a 10 that its tables lack, so that above 8 it reads the next column. */
static double u_taken(double u)
{
  static const double believed[] = {8, 10, 12, 15, 20, 25}, real[] = {8, 12, 15, 20, 25, 25};
  int k = 0;
  if (!(u > 8)) return u;
  while (k < 4 && believed[k + 1] < u) k++;
  return real[k] + (real[k + 1] - real[k]) * (u - believed[k]) / (believed[k + 1] - believed[k]);
}

static void fill(const kit *k, const json *c, bool young, double *params)
{
  const json *parts = json_get(c, "bagpipes_model_components"), *dust = json_get(parts, "dust"), *nebular = json_get(parts, "nebular");
  double z[16] = {0};
  sdn_err err;
  if (sdn_prior_params(sdn_model_prior(k->model), 1, z, params, &err)) fail_msg("%s", err.text);
  set(k, params, "log_u", json_number(nebular, "logU", NAN));
  set(k, params, "escape_fraction", json_number(nebular, "fesc", 0));
  set(k, params, "log_gas_metallicity", log10(ZSUN * json_number(nebular, "metallicity", NAN)));
  if (!dust) return;
  const double a_v = json_number(dust, "Av", NAN) * at_5500(dust, k->law), index = json_number(dust, "n", NAN);
  set(k, params, "a_v_mag", a_v);
  set(k, params, "birth_a_v_mag", a_v * (json_number(dust, "eta", 1) - 1));
  set(k, params, "birth_age_myr", young ? 1000 : 0.01);   /* all of them in clouds, or none */
  if (isfinite(index)) set(k, params, "dust_index", -index), set(k, params, "birth_dust_index", -index);
  set(k, params, "dust_slope", json_number(dust, "delta", 0));
  set(k, params, "birth_dust_slope", json_number(dust, "delta", 0));
  set(k, params, "dust_bump", json_number(dust, "B", 0));
  set(k, params, "birth_dust_bump", json_number(dust, "B", 0));
  set(k, params, "dust_q_pah_percent", json_number(dust, "qpah", 2));
  set(k, params, "dust_u_min", u_taken(json_number(dust, "umin", 1)));
  set(k, params, "dust_gamma", json_number(dust, "gamma", 0.01));
}

/* ------------------------------------------------------------------ light */

/* Adds what leaves a galaxy of these masses. */
static void add_light(const bagpipes_pixels *p, const kit *k, const double *params, const double *mass, bagpipes_light *light)
{
  const sdn_forward *f = k->forward;
  const sdn_columns *col = &f->columns;
  sdn_err err;
  sdn_galaxy g;
  sdn_light before;
  sdn_arena *arena = sdn_arena_new(&err);
  sdn_emergent out = {.spectrum = sdn_arena_take(arena, (size_t)col->n_block * SDN_BLOCK, sizeof(float), &err)};
  float *scratch = sdn_arena_take(arena, SDN_SCRATCH, sizeof *scratch, &err);
  unsigned char *need = sdn_arena_take(arena, (size_t)col->n_block, 1, &err);
  assert_true(out.spectrum && scratch && need);
  memset(need, 1, (size_t)col->n_block);
  if (sdn_galaxy_of_weights(f, params, mass, 0, &g, arena, &err) || sdn_galaxies_light(f, 1, &g, need, &before, arena, &err) ||
      sdn_galaxy_emerge(f, &g, &before, 0, need, scratch, &out, &err))
    fail_msg("%s", err.text);
  int j = 0;
  for (long i = 0; i < p->n; i++) {
    const double wave_A = p->wave_A[i];
    if (wave_A < col->wave_A[0] || wave_A > col->wave_A[col->n_wave - 1]) continue;
    while (j + 2 < col->n_wave && col->wave_A[j + 1] <= wave_A) j++;
    const double t = (wave_A - col->wave_A[j]) / (col->wave_A[j + 1] - col->wave_A[j]), lnu = (1 - t) * (double)out.spectrum[j] + t * (double)out.spectrum[j + 1];
    light->continuum[i] += lnu * g.mass_msun * LIGHT_A_PER_S / (wave_A * wave_A);
  }
  assert_true(col->n_line <= BAGPIPES_MAX_LINE);
  for (int l = 0; l < col->n_line; l++) {
    light->line_A[l] = col->line_A[l];
    light->line[l] += SDN_LSUN_ERG_S * (double)out.spectrum[col->line0 + l] * g.mass_msun;
  }
  if (col->n_line > 0) light->n_line = col->n_line;
  sdn_arena_free(arena);
}

static double sum_of(const double *x, long n)
{
  double sum = 0;
  for (long i = 0; i < n; i++) sum += x[i];
  return sum;
}

void bagpipes_emit(const bagpipes_pixels *p, const json *c, size_t i, bagpipes_extent extent, const char *law, bagpipes_light *light)
{
  const json *nebular = json_get(json_get(c, "bagpipes_model_components"), "nebular");
  const long n = p->n_age * p->n_z;
  double params[64];
  memset(light->continuum, 0, (size_t)p->n * sizeof *light->continuum);
  memset(light->line, 0, sizeof light->line);
  light->n_line = 0;
  for (int young = 0; young < 2; young++) {
    const double *mass = (young ? p->young : p->old) + (long)i * n;
    const gas_kind gas = !young || !nebular || extent == BAGPIPES_STARS ? NO_GAS : isfinite(json_number(nebular, "metallicity", NAN)) ? GAS_OF_OWN_METALS : GAS;
    if (!(sum_of(mass, n) > 0)) continue;
    const kit *k = kit_of(p, extent != BAGPIPES_WHOLE ? "none" : law ? law : bagpipes_law(c), gas);
    fill(k, c, young, params);
    add_light(p, k, params, mass, light);
  }
}

/* ------------------------------------------------------------------ what is observed */

long bagpipes_pixel_of(const bagpipes_pixels *p, double wave_A)
{
  long best = 0;
  for (long i = 1; i < p->n; i++)
    if (fabs(p->wave_A[i] - wave_A) < fabs(p->wave_A[best] - wave_A)) best = i;
  return best;
}

static sdn_cosmology *flat(void)
{
  static sdn_cosmology *c;
  sdn_yaml *root;
  sdn_err err;
  if (c) return c;
  if (sdn_yaml_parse("{h0: 70, omega_m: 0.3}", "cosmology", &root, &err) || sdn_cosmology_new(root, &c, &err)) fail_msg("%s", err.text);
  sdn_yaml_free(root);
  return c;
}

/* Its table has steps of 0.01 in z. */
double bagpipes_distance_cm(double z)
{
  const double z0 = 0.01 * floor(z / 0.01), t = (z - z0) / 0.01;
  const double a = z0 > 0 ? sdn_cosmology_luminosity_distance_Mpc(flat(), z0) : 0, b = sdn_cosmology_luminosity_distance_Mpc(flat(), z0 + 0.01);
  return CM_PER_MPC * ((1 - t) * a + t * b);
}

/* Its table of Inoue+2014: every 1 A from 1 to 1225 A and every 0.01 in z, straight lines between, but not across Ly alpha; nothing passes below, all beyond. */
static double transmission(double z, double wave_A)
{
  static sdn_igm *igm;
  sdn_err err;
  if (!igm && sdn_igm_new(NULL, NULL, &igm, &err)) fail_msg("%s", err.text);
  if (wave_A < 1 || wave_A > 1225) return wave_A > 1225;
  const double z0 = 0.01 * (ceil(z / 0.01) - 1), tz = (z - z0) / 0.01;
  double low = floor(wave_A), high = low + 1, sum = 0;
  if (wave_A < LYA_A) low = fmin(low, 1215), high = fmin(high, 1215);
  else low = fmax(low, 1216), high = fmax(high, 1216);
  const double t = high > low ? wave_A - low : 0;
  for (int k = 0; k < 2; k++)
    sum += (k ? tz : 1 - tz) * ((1 - t) * exp(-sdn_igm_tau(igm, z0 + 0.01 * k, 1, low)) + t * exp(-sdn_igm_tau(igm, z0 + 0.01 * k, 1, high)));
  return sum;
}

void bagpipes_observe(const bagpipes_pixels *p, const json *c, const bagpipes_light *light, double *f_lambda)
{
  const double z = json_number(json_get(c, "bagpipes_model_components"), "redshift", NAN), d = bagpipes_distance_cm(z), dilution = 1 / (4 * PI * d * d * (1 + z));
  memcpy(f_lambda, light->continuum, (size_t)p->n * sizeof *f_lambda);
  for (int l = 0; l < light->n_line; l++) {
    const long i = bagpipes_pixel_of(p, light->line_A[l]);
    if (i > 0 && i + 1 < p->n) f_lambda[i] += 2 * light->line[l] / (p->wave_A[i + 1] - p->wave_A[i - 1]);
  }
  const long at_lya = bagpipes_pixel_of(p, LYA_A);
  for (long i = 0; i < p->n; i++)   /* the pixel of Ly alpha has its neighbour's transmission where its centre is redder */
    f_lambda[i] *= dilution * transmission(z, p->wave_A[i == at_lya && p->wave_A[i] > LYA_A ? i - 1 : i]);
}

static double between(long n, const double *x, const double *y, double at)
{
  if (!(at >= x[0] && at <= x[n - 1])) return 0;
  long low = 0, high = n - 1;
  while (high - low > 1) {
    const long middle = (low + high) / 2;
    if (x[middle] <= at) low = middle;
    else high = middle;
  }
  return y[low] + (y[high] - y[low]) * (at - x[low]) / (x[high] - x[low]);
}

double bagpipes_band_njy(const bagpipes_pixels *p, const bagpipes_curve *curve, double z, const double *f_lambda)
{
  double *seen = malloc((size_t)p->n * sizeof *seen), flux = 0, norm = 0;
  for (long i = 0; i < p->n; i++) seen[i] = between(curve->n, curve->wave_A, curve->throughput, p->wave_A[i]);
  for (long i = 1; i + 1 < p->n; i++) {
    const double weight = between(p->n, p->wave_A, seen, p->wave_A[i] * (1 + z)) * p->wave_A[i] * (p->wave_A[i + 1] - p->wave_A[i - 1]);
    flux += weight * f_lambda[i];
    norm += weight;
  }
  free(seen);
  return flux / norm * curve->pivot_A * curve->pivot_A * NJY_PER_CGS;
}
