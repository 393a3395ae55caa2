/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Attenuation curves against other implementations: numbers of the project's notes (independent Python), and the curve that Synthesizer 1.3.1 tabulated
 * for the Calzetti cases. Both normalise the bare polynomial at 5500 A and leave the bump out of that; here the bump is in. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "physics/attenuation.h"
#include "support/json.h"
#include "support/law_text.h"
#include "support/shared.h"

#define TOL_PRINTED 1e-6     /* of A_V: six decimals */
#define TOL_TABULATED 1e-5   /* relative: Synthesizer interpolates linearly between points 0.3 nm apart */

/* The Noll+2009 curve as the other codes normalise it: the bare polynomial is 1 at 5500 A, whatever the bump. */
static double noll_tau(double slope, double bump, double wave_A)
{
  char yaml[200];
  const double drude = 1 / (1 + pow((5500.0 * 5500 - 2175.0 * 2175) / (5500.0 * 350), 2)), k_v = 4.047892;
  snprintf(yaml, sizeof yaml, "{law: calzetti, a_v_mag: 1, slope: %.17g, bump: %.17g}", slope, bump);
  test_dust d = test_dust_of(yaml);
  const double tau = test_dust_k(&d, wave_A) * (1 + bump * drude / k_v);
  test_dust_free(&d);
  return tau;
}

static void notes_agree(void **state)
{
  (void)state;
  static const struct { double slope, bump, wave_A, tau; } row[] = {
    {0, 0, 1216, 2.958535}, {0, 0, 1500, 2.552912}, {0, 0, 2175, 2.094583}, {0, 0, 3000, 1.710882}, {0, 0, 4400, 1.250105}, {0, 0, 6563, .821613},
    {0, 0, 9000, .539753}, {0, 0, 12500, .327214}, {0, 0, 22000, .091213}, {-.3, 0, 1500, 3.769790}, {-.3, 0, 2175, 2.766741}, {-.3, 0, 6563, .779193},
    {-.3, 2, 2175, 3.419379}, {-.3, 2, 5500, 1.002795},
  };
  for (size_t i = 0; i < sizeof row / sizeof *row; i++) {
    const double tau = noll_tau(row[i].slope, row[i].bump, row[i].wave_A);
    if (!(fabs(tau - row[i].tau) <= TOL_PRINTED)) fail_msg("slope %g bump %g, %g A: %.8g, notes %.8g", row[i].slope, row[i].bump, row[i].wave_A, tau, row[i].tau);
  }
}

static bool is_calzetti(const json *curve)
{
  const char *name = json_text(curve, "class");
  return name && strstr(name, "Calzetti2000");
}

static void synthesizer_agrees(void **state)
{
  char path[4096];
  int n_compared = 0;
  double worst = 0;
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) skip();
  json *root = json_read_file(path);
  const json *cases = json_get(root, "cases");
  assert_non_null(cases);
  for (size_t i = 0; i < cases->n; i++) {
    const json *curve = json_get(json_get(cases->item[i], "emission_model"), "dust_curve"), *tau = json_get(cases->item[i], "attenuation_tau_over_tauV");
    if (!is_calzetti(curve) || !tau) continue;
    const json *wave = json_get(tau, "lam_rest_A"), *value = json_get(tau, "value");
    const double slope = json_number(curve, "slope", NAN), bump = json_number(curve, "bump_amplitude", NAN);
    assert_true(wave && value && wave->n == value->n);
    for (size_t j = 0; j < wave->n; j++) {
      const double wave_A = wave->item[j]->number, expected = value->item[j]->number;
      const double got = noll_tau(slope, bump, wave_A);
      if (!(fabs(got / expected - 1) <= TOL_TABULATED)) fail_msg("slope %g bump %g, %g A: %.8g, Synthesizer %.8g", slope, bump, wave_A, got, expected);
      worst = fmax(worst, fabs(got / expected - 1));
      n_compared++;
    }
  }
  print_message("%d values, largest relative difference from Synthesizer %.1e\n", n_compared, worst);
  assert_true(n_compared > 0);
  json_free(root);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(notes_agree), cmocka_unit_test(synthesizer_agrees)};
  return cmocka_run_group_tests_name("attenuation beside other codes", tests, NULL, NULL);
}
