/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Training that goes on from an earlier posterior begins where that one ended, also with other bands; what cannot be gone on from is refused. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/random.h"
#include "learn/warm_start.h"
#include "support/learn_fixture.h"
#include "support/scratch.h"

#define SAME 2e-5   /* of ln q: float32, summed in another order where bands moved */
#define N 64

static const char other_bands[] =   /* z is gone, u is new */
  "name: other bands\nflux_unit: nJy\nfloor_fraction: 0.02\nmissing: {drop_fraction: 0.2}\nbands:\n"
  "  - {name: g, filter: SLOAN/SDSS.g, sigma_njy: {low: 5, high: 20}}\n"
  "  - {name: r, filter: SLOAN/SDSS.r, sigma_njy: {low: 5, high: 20}}\n"
  "  - {name: i, filter: SLOAN/SDSS.i, sigma_njy: 10}\n"
  "  - {name: u, filter: SLOAN/SDSS.u, sigma_njy: 10}\n";

static void must(sdn_status status, const sdn_err *err)
{
  if (status) fail_msg("%s", err->text);
}

/* One step at the smallest rate there is: what comes out is what went in. */
static sdn_posterior *barely_trained(const char *library, const char *from, const char *name)
{
  static char path[1024], own[1024];
  sdn_err err;
  sdn_posterior *p;
  snprintf(path, sizeof path, "%s", scratch_file(name));
  snprintf(own, sizeof own, "%s", library);
  sdn_train_options o = learn_options(own, path, 1);
  const sdn_run run = {.n_thread = 1};
  o.from = from;
  o.n_layer = 5;   /* does not count */
  o.learning_rate = 1e-7;
  must(sdn_train(&o, &run, NULL, &err), &err);
  must(sdn_posterior_open(path, &p, &err), &err);
  return p;
}

/* Galaxies with all of g r i z, or without the fourth, which is z before and u now; sigma 10 nJy. */
static void observe(int n_band, bool with_z, float *z, float *flux, float *sigma)
{
  sdn_rng rng = sdn_rng_at(83, SDN_STREAM_TEST, 0);
  for (int i = 0; i < N; i++) {
    float own[LEARN_N_BAND];
    for (int k = 0; k < LEARN_N_FREE; k++) z[i * LEARN_N_FREE + k] = (float)sdn_rng_normal(&rng);
    learn_flux(z + i * LEARN_N_FREE, own);
    for (int b = 0; b < n_band; b++) {
      flux[i * n_band + b] = own[b];
      sigma[i * n_band + b] = 10;
      if (b == 3 && !with_z) flux[i * n_band + b] = sigma[i * n_band + b] = NAN;
    }
  }
}

static void compare(sdn_posterior *now, bool with_z)
{
  static float z[N * LEARN_N_FREE], flux[N * LEARN_N_BAND], sigma[N * LEARN_N_BAND];
  static double one[N], other[N];
  sdn_err err;
  sdn_posterior *before;
  must(sdn_posterior_open(learn_posterior(), &before, &err), &err);
  observe(LEARN_N_BAND, with_z, z, flux, sigma);
  must(sdn_posterior_ln_q(before, N, flux, sigma, z, one, NULL, &err), &err);
  must(sdn_posterior_ln_q(now, N, flux, sigma, z, other, NULL, &err), &err);
  for (int i = 0; i < N; i++)
    if (!(fabs(one[i] - other[i]) <= SAME * (1 + fabs(one[i])))) fail_msg("galaxy %d: ln q %.8g before, %.8g now", i, one[i], other[i]);
  sdn_posterior_free(before);
  sdn_posterior_free(now);
}

static void begins_where_the_other_ended(void **state)
{
  (void)state;
  compare(barely_trained(learn_library("warm.library.h5", 400), learn_posterior(), "warm.h5"), true);
}

static void other_bands_begin_as_missing_ones(void **state)
{
  (void)state;
  compare(barely_trained(learn_library_of("warm2.library.h5", 400, other_bands, "griu"), learn_posterior(), "warm2.h5"), false);
}

static void what_does_not_fit_is_refused(void **state)
{
  (void)state;
  sdn_err err;
  char library[1024], path[1024];
  snprintf(library, sizeof library, "%s", learn_library("warm.library.h5", 400));
  snprintf(path, sizeof path, "%s", scratch_file("never.h5"));
  sdn_train_options o = learn_options(library, path, 1);
  o.from = library;
  assert_int_equal(sdn_train(&o, NULL, NULL, &err), SDN_FORMAT);
  o.from = scratch_file("nothing.h5");
  assert_int_equal(sdn_train(&o, NULL, NULL, &err), SDN_IO);
  o.from = o.output = learn_posterior();
  assert_int_equal(sdn_train(&o, NULL, NULL, &err), SDN_USAGE);
  assert_false(scratch_exists(path));
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(begins_where_the_other_ended), cmocka_unit_test(other_bands_begin_as_missing_ones),
                                     cmocka_unit_test(what_does_not_fit_is_refused)};
  return cmocka_run_group_tests_name("warm_start", tests, NULL, NULL);
}
