/* SPDX-License-Identifier: GPL-3.0-or-later */
/* ln Z of galaxies with two free parameters: raw importance weights against quadrature of likelihood times prior on a grid, which knows nothing of the
 * network. The integral is taken over the coordinates z, where the prior is a standard normal:
 *   Z = int int L(theta(z)) N(z_1) N(z_2) dz_1 dz_2,
 * by the trapezoidal rule, which converges exponentially for smooth functions that vanish at the ends; a coarse grid finds where the integrand lives,
 * two fine ones there say how well it is integrated. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/special.h"
#include "infer/engine.h"
#include "library/truth.h"
#include "base/random.h"
#include "support/fixture_fit.h"

#define LN_Z_ERROR 0.02          /* what importance sampling promises with these draws */
#define QUADRATURE_ERROR 2e-3    /* between the two fine grids */
#define N_DRAW 200000
#define N_GALAXY 3
#define REACH 6.0                /* of the coarse grid: the normal has 1e-9 beyond */
#define KEEP 25.0                /* ln below the coarse maximum: e^-25 of it, times the area, is nothing */

typedef struct box { double low[2], high[2]; } box;
typedef struct galaxy { float flux[FIXTURE_N_BAND], sigma[FIXTURE_N_BAND]; } galaxy;

/* ln integrand on an n x n grid of a box: out [n][n]. */
static void integrand(const sdn_engine *e, const galaxy *g, const box *b, int n, double *out)
{
  sdn_err err;
  double *z = malloc(2 * (size_t)n * sizeof *z), *params = malloc((size_t)(n * e->n_param) * sizeof *params);
  float *mu = malloc((size_t)(n * e->n_band) * sizeof *mu);
  assert_true(z && params && mu);
  for (int i = 0; i < n; i++) {
    for (int k = 0; k < n; k++) {
      z[2 * k] = b->low[0] + (b->high[0] - b->low[0]) * i / (n - 1);
      z[2 * k + 1] = b->low[1] + (b->high[1] - b->low[1]) * k / (n - 1);
    }
    assert_int_equal(sdn_prior_params(e->prior, n, z, params, &err), SDN_OK);
    assert_int_equal(sdn_forward_flux(e->forward, n, params, mu, NULL, &err), SDN_OK);
    assert_int_equal(sdn_survey_ln_likelihood(e->survey, g->flux, g->sigma, n, mu, out + (size_t)i * (size_t)n, &err), SDN_OK);
    for (int k = 0; k < n; k++)
      out[i * n + k] += sdn_normal_ln_pdf(z[2 * k]) + sdn_normal_ln_pdf(z[2 * k + 1]);
  }
  free(z);
  free(params);
  free(mu);
}

/* The part of the box where the integrand is not negligible, two cells wider. */
static box shrink(const box *b, int n, const double *ln)
{
  double best = -INFINITY;
  int first[2] = { n, n }, last[2] = { 0, 0 };
  box out;
  for (int i = 0; i < n * n; i++)
    best = fmax(best, ln[i]);
  for (int i = 0; i < n * n; i++)
    if (ln[i] > best - KEEP) {
      const int at[2] = { i / n, i % n };
      for (int d = 0; d < 2; d++) {
        first[d] = at[d] < first[d] ? at[d] : first[d];
        last[d] = at[d] > last[d] ? at[d] : last[d];
      }
    }
  for (int d = 0; d < 2; d++) {
    double cell = (b->high[d] - b->low[d]) / (n - 1);
    out.low[d] = b->low[d] + cell * (first[d] - 2);
    out.high[d] = b->low[d] + cell * (last[d] + 2);
  }
  return out;
}

/* The integrand vanishes at the box's edges, so all nodes weigh the same. */
static double ln_integral(const box *b, int n, const double *ln)
{
  return sdn_ln_sum_exp((long)n * n, ln) + log((b->high[0] - b->low[0]) / (n - 1)) + log((b->high[1] - b->low[1]) / (n - 1));
}

static double quadrature(const sdn_engine *e, const galaxy *g)
{
  enum { n_coarse = 160, n_fine = 201, n_finer = 281 };
  static double ln[n_finer * n_finer];
  box b = { { -REACH, -REACH }, { REACH, REACH } };
  integrand(e, g, &b, n_coarse, ln);
  b = shrink(&b, n_coarse, ln);
  integrand(e, g, &b, n_fine, ln);
  double fine = ln_integral(&b, n_fine, ln);
  b = shrink(&b, n_fine, ln);
  integrand(e, g, &b, n_finer, ln);
  double finer = ln_integral(&b, n_finer, ln);
  if (!(fabs(fine - finer) <= QUADRATURE_ERROR))
    fail_msg("quadrature has not converged: %.6f, then %.6f", fine, finer);
  return finer;
}

static void test_evidence_against_quadrature(void **state)
{
  (void)state;
  sdn_err err;
  sdn_engine e;
  float z[N_GALAXY * 2], truth[N_GALAXY * FIXTURE_N_BAND], flux[N_GALAXY * FIXTURE_N_BAND], sigma[N_GALAXY * FIXTURE_N_BAND];
  double params[N_GALAXY * 32];
  fixture_train("importance", fixture_model, fixture_survey, 12000, 10);
  assert_int_equal(sdn_engine_open(fixture_path("importance.h5"), &e, &err), SDN_OK);
  assert_true(e.n_param <= 32 && e.n_free == 2);
  const sdn_truth_source source = { e.prior, e.forward, 77, SDN_STREAM_CHECK, false };
  const sdn_truth out = { .z = z, .params = params, .flux_nJy = truth };
  assert_int_equal(sdn_draw_truth(&source, 0, N_GALAXY, &out, NULL, &err), SDN_OK);
  assert_int_equal(sdn_survey_draw(e.survey, N_GALAXY, truth, 77, SDN_STREAM_TEST, 0, flux, sigma, &err), SDN_OK);
  for (long i = 0; i < N_GALAXY; i++) {
    galaxy g;
    sdn_importance is;
    memcpy(g.flux, flux + i * FIXTURE_N_BAND, sizeof g.flux);
    memcpy(g.sigma, sigma + i * FIXTURE_N_BAND, sizeof g.sigma);
    double exact = quadrature(&e, &g);
    assert_int_equal(sdn_importance_run(e.posterior, e.forward, e.prior, g.flux, g.sigma, N_DRAW, 5, i, NULL, &is, NULL, &err), SDN_OK);
    print_message("galaxy %ld: ln Z %.4f +- %.4f by weights (effective draws %.0f of %d), %.4f by quadrature\n", i, is.ln_z, is.ln_z_error, is.ess, N_DRAW, exact);
    if (!(fabs(is.ln_z - exact) <= LN_Z_ERROR))
      fail_msg("galaxy %ld: ln Z differs by %g", i, is.ln_z - exact);
  }
  sdn_engine_close(&e);
}

int main(void)
{
  const struct CMUnitTest tests[] = { cmocka_unit_test(test_evidence_against_quadrature) };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
