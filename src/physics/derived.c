/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Quantities that follow from a galaxy's parameters.
 *
 * From the history alone:
 *   log_mass_surviving_msun      mass still in stars, by the grid's star_fraction; NaN where the grid has none
 *   log_sfr_10myr_msun_per_yr    mass formed in the last 10 Myr / 10 Myr; and the same for 100 Myr. Not below 1e-12 of the formed mass per year:
 *   log_sfr_100myr_msun_per_yr     slower formation is not told apart
 *   log_ssfr_100myr_per_yr       the latter per surviving mass (per formed mass where the grid has no star_fraction)
 *   mass_weighted_age_gyr        mean age of the mass formed
 *   lookback_t50_gyr             time since half of the mass had formed
 * From the spectrum, as it leaves the galaxy (dust, no IGM):
 *   m_uv_ab      absolute magnitude of the mean f_nu over rest 1450-1550 A, without lines
 *   beta_uv      f_lambda ~ lambda^beta: straight line through the mean f_lambda of Calzetti+1994's ten windows (Table 2, 1268-2580 A)
 *                at their geometric centres, in logarithms, without lines
 *   rest_u_v     AB colours in top-hats 3650/660, 5510/880, 12200/2130 A (centre / width), photon counting, with lines
 *   rest_v_j */
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "physics/galaxy.h"
#include "physics/galaxy_kernel.h"

enum {
  MASS_SURVIVING, SFR_10, SFR_100, SSFR_100, MEAN_AGE, T50, N_SFH,
  M_UV = N_SFH, BETA, U_V, V_J, N_DERIVED
};
static const struct { const char *name, *unit; } quantity[N_DERIVED] = {
  [MASS_SURVIVING] = {"log_mass_surviving_msun", "log10 Msun"}, [SFR_10] = {"log_sfr_10myr_msun_per_yr", "log10 Msun/yr"},
  [SFR_100] = {"log_sfr_100myr_msun_per_yr", "log10 Msun/yr"}, [SSFR_100] = {"log_ssfr_100myr_per_yr", "log10 1/yr"},
  [MEAN_AGE] = {"mass_weighted_age_gyr", "Gyr"}, [T50] = {"lookback_t50_gyr", "Gyr"},
  [M_UV] = {"m_uv_ab", "mag"}, [BETA] = {"beta_uv", ""}, [U_V] = {"rest_u_v", "mag"}, [V_J] = {"rest_v_j", "mag"},
};
#define LEAST_SSFR_PER_YR 1e-12
#define AB_ZERO_NJY 31.4   /* magnitude of 1 nJy: 8.9 + 22.5 */

static const double window_A[SDN_N_WINDOW][2] = {
  [SDN_WINDOW_UV] = {1450, 1550}, [SDN_WINDOW_U] = {3320, 3980}, [SDN_WINDOW_V] = {5070, 5950}, [SDN_WINDOW_J] = {11135, 13265},
  [SDN_WINDOW_BETA] = {1268, 1284}, {1309, 1316}, {1342, 1371}, {1407, 1515}, {1562, 1583}, {1677, 1740}, {1760, 1833}, {1866, 1890}, {1930, 1950}, {2400, 2580},
};

int sdn_forward_n_derived(const sdn_forward *f) { (void)f; return N_DERIVED; }
int sdn_forward_n_derived_sfh(const sdn_forward *f) { (void)f; return N_SFH; }
const char *sdn_forward_derived_name(const sdn_forward *f, int i) { (void)f; return quantity[i].name; }
const char *sdn_forward_derived_unit(const sdn_forward *f, int i) { (void)f; return quantity[i].unit; }

/* ------------------------------------------------------------------ windows */

void sdn_windows_range(double *low_A, double *high_A)
{
  *low_A = HUGE_VAL;
  *high_A = 0;
  for (int w = 0; w < SDN_N_WINDOW; w++) {
    *low_A = fmin(*low_A, window_A[w][0]);
    *high_A = fmax(*high_A, window_A[w][1]);
  }
}

void sdn_windows_free(sdn_forward *f)
{
  for (int w = 0; w < SDN_N_WINDOW; w++) {
    sdn_filter_free(f->window[w].filter);
    sdn_release(f->window[w].weight);
  }
  sdn_release(f->window_need);
}

sdn_status sdn_windows_new(sdn_forward *f, sdn_err *err)
{
  const sdn_columns *c = &f->columns;
  const double flat[2] = {1, 1};
  f->window_need = sdn_alloc((size_t)c->n_block, 1, "wanted blocks", err);
  if (!f->window_need) return err->status;
  for (int w = 0; w < SDN_N_WINDOW; w++) {
    sdn_window *window = &f->window[w];
    const bool photons = w < SDN_WINDOW_BETA;   /* the mean f_nu of energy counting is the mean f_lambda times lambda1 lambda2 / c */
    if (sdn_filter_new("rest-frame window", 2, window_A[w], flat, photons, &window->filter, err)) return err->status;
    window->weight = sdn_alloc((size_t)c->n_wave, sizeof *window->weight, "a window", err);
    if (!window->weight) return err->status;
    window->covered = sdn_filter_weights(window->filter, c->n_wave, c->wave_A, 1, &window->first, &window->last, window->weight);
    if (window->covered) sdn_columns_need(c, window_A[w][0], window_A[w][1], f->window_need);
  }
  for (int b = c->n_block_wave; b < c->n_block; b++) f->window_need[b] = 1;
  return SDN_OK;
}

/* Mean L_nu per Msun in a window; NaN where the grid does not reach. */
static double window_lnu(const sdn_forward *f, int w, bool lines, const float *spectrum)
{
  const sdn_window *window = &f->window[w];
  const sdn_columns *c = &f->columns;
  if (!window->covered) return NAN;
  double lnu = sdn_kernel_dot(window->last - window->first, window->weight + window->first, spectrum + window->first);
  for (int l = 0; lines && l < c->n_line; l++)
    if (c->line_A[l] > window_A[w][0] && c->line_A[l] < window_A[w][1])
      lnu += (double)spectrum[c->line0 + l] * sdn_filter_line_response(window->filter, c->line_A[l]);
  return lnu;
}

static double beta_slope(const sdn_forward *f, const float *spectrum)
{
  double sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (int k = 0; k < SDN_N_BETA_WINDOW; k++) {
    const double *edge = window_A[SDN_WINDOW_BETA + k];
    const double x = 0.5 * log(edge[0] * edge[1]), y = log(window_lnu(f, SDN_WINDOW_BETA + k, false, spectrum) / (edge[0] * edge[1]));
    sx += x;
    sy += y;
    sxx += x * x;
    sxy += x * y;
  }
  const double n = SDN_N_BETA_WINDOW;
  return (n * sxy - sx * sy) / (n * sxx - sx * sx);
}

/* A magnitude or slope of nothing at all does not exist. */
static double finite_or_nan(double x) { return isfinite(x) ? x : NAN; }

static void from_spectrum(const sdn_forward *f, const sdn_galaxy *g, const float *spectrum, double *out)
{
  const double njy = g->mass_msun * sdn_cosmology_njy_per_lnu(f->model->cosmology, 0);
  const double u = window_lnu(f, SDN_WINDOW_U, true, spectrum), v = window_lnu(f, SDN_WINDOW_V, true, spectrum), j = window_lnu(f, SDN_WINDOW_J, true, spectrum);
  out[M_UV] = finite_or_nan(AB_ZERO_NJY - 2.5 * log10(njy * window_lnu(f, SDN_WINDOW_UV, false, spectrum)));
  out[BETA] = finite_or_nan(beta_slope(f, spectrum));
  out[U_V] = finite_or_nan(-2.5 * log10(u / v));
  out[V_J] = finite_or_nan(-2.5 * log10(v / j));
}

/* ------------------------------------------------------------------ history */

/* Share of the formed mass that is still in stars, by the grid's star_fraction. */
static double surviving_share(const sdn_forward *f, const sdn_galaxy *g)
{
  double sum = 0;
  if (!f->model->grid->star_fraction.value) return NAN;
  for (int b = 0; b < f->n_beam; b++)
    for (int k = 0; k < g->beam[b].n_strip; k++) sum += sdn_strip_sum(&g->beam[b].strip[k], &f->model->grid->star_fraction);
  return sum;
}

static double log_sfr(const sdn_forward *f, const sdn_galaxy *g, double span_yr)
{
  return log10(g->mass_msun * fmax(sdn_galaxy_mass_since(f, g, span_yr) / span_yr, LEAST_SSFR_PER_YR));
}

static void from_history(const sdn_forward *f, const sdn_galaxy *g, double *out)
{
  const double log_mass = log10(g->mass_msun), log_share = log10(surviving_share(f, g));
  out[MASS_SURVIVING] = finite_or_nan(log_mass + log_share);
  out[SFR_10] = log_sfr(f, g, 1e7);
  out[SFR_100] = log_sfr(f, g, 1e8);
  out[SSFR_100] = out[SFR_100] - log_mass - (isfinite(log_share) ? log_share : 0);
  out[MEAN_AGE] = 1e-9 * sdn_galaxy_mean_age_yr(f, g);
  out[T50] = 1e-9 * sdn_galaxy_age_of_fraction(f, g, 0.5);
}

/* ------------------------------------------------------------------ many galaxies */

typedef struct derived_job { const sdn_forward *f; long n; const double *params; bool sfh_only; double *out; } derived_job;

static sdn_status spectra_of_tile(const sdn_forward *f, int n, const sdn_galaxy *g, double *out, sdn_arena *arena, sdn_err *err)
{
  const size_t n_column = (size_t)f->columns.n_block * SDN_BLOCK, n_block = (size_t)f->columns.n_block;
  sdn_light light;
  unsigned char *need = sdn_arena_take(arena, (size_t)n * n_block, 1, err);
  float *scratch = sdn_arena_take(arena, SDN_SCRATCH, sizeof *scratch, err);
  sdn_emergent emergent = {.spectrum = sdn_arena_take(arena, n_column, sizeof *emergent.spectrum, err)};
  if (!need || !scratch || !emergent.spectrum) return err->status;
  for (int i = 0; i < n; i++) memcpy(need + (size_t)i * n_block, f->window_need, n_block);
  if (sdn_galaxies_light(f, n, g, need, &light, arena, err)) return err->status;
  for (int i = 0; i < n; i++) {
    if (sdn_galaxy_emerge(f, &g[i], &light, i, f->window_need, scratch, &emergent, err)) return err->status;
    from_spectrum(f, &g[i], emergent.spectrum, out + i * N_DERIVED);
  }
  return SDN_OK;
}

static sdn_status derived_tile(void *ctx, long tile, sdn_arena *arena, sdn_err *err)
{
  const derived_job *job = ctx;
  const sdn_forward *f = job->f;
  const long row0 = tile * SDN_TILE, left = job->n - row0;
  const int n = left < SDN_TILE ? (int)left : SDN_TILE, n_param = sdn_prior_n_param(f->model->prior), n_out = job->sfh_only ? N_SFH : N_DERIVED;
  double *out = job->out + row0 * n_out;
  sdn_galaxy *g = sdn_arena_take(arena, (size_t)n, sizeof *g, err);
  if (!g) return err->status;
  for (int i = 0; i < n; i++) {
    if (sdn_galaxy_prepare(f, job->params + (row0 + i) * n_param, row0 + i, &g[i], arena, err)) return err->status;
    from_history(f, &g[i], out + i * n_out);
  }
  return job->sfh_only ? SDN_OK : spectra_of_tile(f, n, g, out, arena, err);
}

sdn_status sdn_forward_derived(const sdn_forward *f, long n, const double *params, bool sfh_only, double *derived, const sdn_run *run, sdn_err *err)
{
  derived_job job = {f, n, params, sfh_only, derived};
  if (n < 0) return sdn_fail(err, SDN_USAGE, "%ld galaxies asked for; their number must not be negative", n);
  return sdn_parallel_tiles((n + SDN_TILE - 1) / SDN_TILE, derived_tile, &job, run, NULL, err);
}
