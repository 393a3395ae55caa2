/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The models that come with the program: they load with the shipped grid, and their priors are what their comments say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "base/special.h"
#include "physics/census.h"
#include "physics/model.h"
#include "prior/mass_function.h"

#define N_DRAW 20000
#define TOL_MEDIAN 0.02     /* of a conditional median, dex: some 2000 draws of width 0.3 */
#define TOL_SHARE 0.012     /* of a share of N_DRAW: 3.4 sigma at one half */
#define TOL_COORDINATE 1e-5 /* of z within +-3, after theta's rounding */

typedef struct draws { sdn_model *m; const sdn_prior *prior; int n_param, n_free; double *params; } draws;

static sdn_err err;

static draws open_model(const char *name)
{
  draws d = {0};
  if (sdn_model_read(name, &d.m, &err)) fail_msg("%s: %s", name, err.text);
  d.prior = sdn_model_prior(d.m);
  d.n_param = sdn_prior_n_param(d.prior);
  d.n_free = sdn_prior_n_free(d.prior);
  double *z = malloc(sizeof *z * N_DRAW * (size_t)d.n_free);
  d.params = malloc(sizeof *d.params * N_DRAW * (size_t)d.n_param);
  sdn_rng rng = sdn_rng_at(21, SDN_STREAM_TEST, 0);
  for (long i = 0; i < (long)N_DRAW * d.n_free; i++) z[i] = sdn_rng_normal(&rng);
  if (sdn_prior_params(d.prior, N_DRAW, z, d.params, &err)) fail_msg("%s: %s", name, err.text);
  free(z);
  return d;
}

static void close_model(draws *d)
{
  free(d->params);
  sdn_model_free(d->m);
}

static double value(const draws *d, long row, const char *name)
{
  const int i = sdn_prior_param_index(d->prior, name);
  if (i < 0) fail_msg("no parameter %s", name);
  return d->params[row * d->n_param + i];
}

static const char *const models[] = {"harvey25", "photoz", "uninformative", "population", "prospector_alpha", "prospector_beta"};

/* Every draw is inside what the model serves (so inside the grid), and comes back from its parameters. */
static void draws_are_served(void **state)
{
  (void)state;
  for (size_t k = 0; k < sizeof models / sizeof *models; k++) {
    draws d = open_model(models[k]);
    double theta[SDN_SOBOL_MAX_DIM], z[SDN_SOBOL_MAX_DIM], ln_density;
    double *back = malloc(sizeof *back * (size_t)d.n_param);
    for (long row = 0; row < N_DRAW; row++) {
      for (int p = 0; p < d.n_param; p++) {
        double low, high;
        sdn_prior_param_range(d.prior, p, &low, &high);
        const double x = d.params[row * d.n_param + p];
        if (!(x >= low && x <= high)) fail_msg("%s: %s is %.17g, outside %.17g to %.17g", models[k], sdn_prior_param_name(d.prior, p), x, low, high);
      }
      if (row % 20) continue;
      sdn_prior_theta(d.prior, 1, d.params + row * d.n_param, theta);
      assert_int_equal(sdn_prior_coordinates(d.prior, 1, theta, z, back, &err), SDN_OK);
      assert_int_equal(sdn_prior_ln_density(d.prior, 1, theta, &ln_density, &err), SDN_OK);
      assert_true(isfinite(ln_density));
      bool middle = true;
      for (int f = 0; f < d.n_free; f++) middle = middle && fabs(z[f]) < 3;
      if (!middle) continue;
      assert_int_equal(sdn_prior_params(d.prior, 1, z, back, &err), SDN_OK);
      for (int p = 0; p < d.n_param; p++) {
        const double x = d.params[row * d.n_param + p];
        if (!(fabs(back[p] - x) <= TOL_COORDINATE * (1 + fabs(x)))) fail_msg("%s: %s %.12g comes back as %.12g", models[k], sdn_prior_param_name(d.prior, p), x, back[p]);
      }
    }
    free(back);
    close_model(&d);
  }
}

/* Share of draws with a condition, against an integral. */
static void check_share(const char *what, long n, double expected)
{
  const double share = (double)n / N_DRAW;
  if (!(fabs(share - expected) <= TOL_SHARE)) fail_msg("%s: %g of the draws, %g expected", what, share, expected);
}

/* Counts below a redshift: shells of volume times galaxies above the least mass. */
static double count_below(const sdn_cosmology *c, double z_max, double log_mass_low)
{
  double sum = 0, before = 0;
  const int n = 700;
  for (int i = 1; i <= n; i++) {
    const double z = 0.01 + (z_max - 0.01) * i / n, r = sdn_cosmology_luminosity_distance_Mpc(c, z) / (1 + z), middle = z - 0.5 * (z_max - 0.01) / n;
    if (i == 1) before = pow(sdn_cosmology_luminosity_distance_Mpc(c, 0.01) / 1.01, 3);
    sum += (r * r * r - before) * sdn_mass_function_number(SDN_MASS_FUNCTION_LEJA20_TACCHELLA18, log_mass_low, 12.5, middle);
    before = r * r * r;
  }
  return sum;
}

static void populations_have_their_counts(void **state)
{
  static const struct { const char *name; double log_mass_low; } model[] = {{"population", 7.5}, {"prospector_beta", 7}};
  (void)state;
  for (int k = 0; k < 2; k++) {
    draws d = open_model(model[k].name);
    const double whole = count_below(d.m->cosmology, 14, model[k].log_mass_low);
    long near[3] = {0}, heavy = 0, at_2 = 0;
    static const double z[3] = {1, 3, 5};
    for (long row = 0; row < N_DRAW; row++) {
      const double redshift = value(&d, row, "redshift"), log_mass = value(&d, row, "log_mass_formed_msun");
      for (int i = 0; i < 3; i++) near[i] += redshift < z[i];
      if (fabs(redshift - 2) < 0.5) at_2++, heavy += log_mass > model[k].log_mass_low + 1;
    }
    for (int i = 0; i < 3; i++) check_share(model[k].name, near[i], count_below(d.m->cosmology, z[i], model[k].log_mass_low) / whole);
    const double expected = sdn_mass_function_number(SDN_MASS_FUNCTION_LEJA20, model[k].log_mass_low + 1, 12.5, 2) /
                            sdn_mass_function_number(SDN_MASS_FUNCTION_LEJA20, model[k].log_mass_low, 12.5, 2);
    if (!(fabs((double)heavy / (double)at_2 - expected) < 0.04)) fail_msg("%ld of %ld at z 2, %g expected", heavy, at_2, expected);   /* 3 sigma of 1500 */
    close_model(&d);
  }
}

static int ascending(const void *a, const void *b)
{
  const double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static void relations_hold(void **state)
{
  static double offset[N_DRAW], metal[N_DRAW];
  (void)state;
  draws d = open_model("population");
  long n_metal = 0;
  for (long row = 0; row < N_DRAW; row++) {
    const double z = value(&d, row, "redshift"), m = value(&d, row, "log_mass_formed_msun");
    offset[row] = value(&d, row, "log_ssfr_per_yr") - sdn_leja22_log_ssfr(m, z);
    if (z >= 3) offset[row] = NAN;
    if (m < 8.8) metal[n_metal++] = value(&d, row, "log_metallicity");   /* the relation is level there */
  }
  long n = 0;
  for (long row = 0; row < N_DRAW; row++)
    if (!isnan(offset[row])) offset[n++] = offset[row];
  qsort(offset, (size_t)n, sizeof *offset, ascending);
  qsort(metal, (size_t)n_metal, sizeof *metal, ascending);
  assert_true(n > 2000 && n_metal > 2000);
  if (!(fabs(offset[n / 2]) < TOL_MEDIAN)) fail_msg("the sequence is off by %g dex", offset[n / 2]);
  const double mean = log10(0.02) - 0.6, sigma = 0.5 * 1.11;   /* Gallazzi+2005's first line, cut at -4 and -1.3 */
  const double half = 0.5 * (sdn_normal_cdf((-4 - mean) / sigma) + sdn_normal_cdf((-1.3 - mean) / sigma)), median = mean + sigma * sdn_normal_quantile(half);
  if (!(fabs(metal[n_metal / 2] - median) < TOL_MEDIAN)) fail_msg("the median metallicity is %g, not %g", metal[n_metal / 2], median);
  close_model(&d);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
    cmocka_unit_test(draws_are_served),
    cmocka_unit_test(populations_have_their_counts),
    cmocka_unit_test(relations_hold),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
