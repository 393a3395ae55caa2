/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Normal distributions of metallicities on the nodes of a BC03 grid, against the exact integrals that stand in the reference beside Synthesizer 1.3.1's own
 * weights (which are integrals between linear midpoints: another rule). The reference gives what lies below the first node to it, where sedna cuts it off;
 * so that node, and the normalisation, are left out of the comparison. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#include "physics/metallicity.h"
#include "support/json.h"
#include "support/shared.h"

#define TOL_SHARE 2e-7   /* of the whole: rounding to float, and the reference's quadrature */
#define N_Z 6

static void check_case(const json *test, const sdn_grid_axis *axis, sdn_arena *arena)
{
  char yaml[200];
  const json *spread = json_get(test, "metallicity"), *fraction = json_get(json_get(test, "sfzh_alt"), "Z_fraction");
  sdn_yaml *root;
  sdn_prior *prior;
  sdn_metallicity *m;
  sdn_err err;
  float weight[N_Z];
  double params[2], ours = 0, theirs = 0;
  const double mass = 1, age_yr = 1e6;
  assert_int_equal(fraction->n, N_Z);
  snprintf(yaml, sizeof yaml, "metallicity: {family: normal, mean: %.17g, sigma: %.17g}", json_number(spread, "mean", NAN), json_number(spread, "sigma", NAN));
  if (sdn_yaml_parse(yaml, "case", &root, &err) || sdn_prior_new(&prior, &err) || sdn_metallicity_new(root, axis, prior, &m, &err) ||
      sdn_prior_finish(prior, &err) || sdn_prior_params(prior, 1, NULL, params, &err))
    fail_msg("%s", err.text);
  assert_int_equal(sdn_metallicity_weights(m, params, NULL, INFINITY, 1, &age_yr, &mass, weight, arena, &err), SDN_OK);
  for (int k = 1; k < N_Z; k++) {
    ours += (double)weight[k];
    theirs += fraction->item[k]->number;
  }
  for (int k = 1; k < N_Z; k++) {
    const double a = (double)weight[k] / ours, b = fraction->item[k]->number / theirs;
    if (!(fabs(a - b) <= TOL_SHARE)) fail_msg("%s: node %d has %.9g, the reference %.9g", json_text(test, "id"), k, a, b);
  }
  sdn_yaml_free(root);
  sdn_metallicity_free(m);
  sdn_prior_free(prior);
}

static void normal_shares(void **state)
{
  char path[4096];
  double z[N_Z] = {0.0001, 0.0004, 0.004, 0.008, 0.02, 0.05}, log_z[N_Z];
  sdn_err err;
  int n = 0;
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) skip();
  for (int k = 0; k < N_Z; k++) log_z[k] = log10(z[k]);
  const sdn_grid_axis axis = {.name = "metallicities", .n = N_Z, .value = z, .coordinate = log_z, .log = true};
  json *root = json_read_file(path);
  sdn_arena *arena = sdn_arena_new(&err);
  assert_true(root && arena);
  const json *cases = json_get(root, "cases");
  for (size_t i = 0; i < cases->n; i++) {
    const char *kind = json_text(json_get(cases->item[i], "metallicity"), "class");
    if (!kind || !strstr(kind, "Normal") || !json_get(cases->item[i], "sfzh_alt")) continue;
    check_case(cases->item[i], &axis, arena);
    n++;
  }
  print_message("%d cases\n", n);
  assert_true(n > 0);
  sdn_arena_free(arena);
  json_free(root);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(normal_shares)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
