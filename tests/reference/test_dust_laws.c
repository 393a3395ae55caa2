/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Dust laws against numbers of other codes, k = A / A(5500 A) each: dust_extinction 1.7 (CCM89, G03, G23; by the author of the last two), BAGPIPES 1.3.6
 * (Salim+2018), Synthesizer 1.3.1 (its cubic spline through the Milky-Way table of Narayanan+2018; Li+2008; power laws). */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "support/json.h"
#include "support/law_text.h"
#include "support/shared.h"

#define TOL_FORMULA 2e-7   /* relative: the same formula; eight printed digits */
#define TOL_SPLINE 8e-5    /* relative: the same spline through values of five digits, here and at 5500 A */
#define MAX_ROW 40

typedef struct row { double wave_A, k; } row;
typedef struct law_case { const char *yaml; double tolerance; row rows[MAX_ROW]; } law_case;

static const law_case cases[] = {
  {"{law: cardelli, a_v_mag: 1, r_v: 2.1}", TOL_FORMULA,
   {{1000, 8.8612495}, {1500, 4.1337244}, {1700, 3.7915441}, {2175, 4.7096833}, {2500, 3.253186}, {2700, 2.7724368}, {2800, 2.6140804},
    {3150, 2.2082322}, {3700, 1.8243644}, {4400, 1.4814617}, {5000, 1.1746023}, {6563, 0.7755768}, {8000, 0.51061996}, {9500, 0.35140054},
    {10200, 0.31339434}, {12500, 0.22589796}, {16500, 0.14447353}, {22000, 0.090915287}, {30000, 0.055178795}}},
  {"{law: cardelli, a_v_mag: 1}", TOL_FORMULA,
   {{1000, 5.2443859}, {1500, 2.6669462}, {1700, 2.5144062}, {2175, 3.1887683}, {2500, 2.3179828}, {2700, 2.0388524}, {2800, 1.9497694},
    {3150, 1.735206}, {3700, 1.5472636}, {4400, 1.3260462}, {5000, 1.1235389}, {6563, 0.81868813}, {8000, 0.59817691}, {9500, 0.43928471},
    {10200, 0.39177328}, {12500, 0.28239433}, {16500, 0.1806059}, {22000, 0.11365291}, {30000, 0.068978837}}},
  {"{law: cardelli, a_v_mag: 1, r_v: 5.5}", TOL_FORMULA,
   {{1000, 1.9325254}, {1500, 1.3238586}, {1700, 1.344967}, {2175, 1.7961092}, {2500, 1.4616435}, {2700, 1.3671298}, {2800, 1.3414785},
    {3150, 1.3020692}, {3700, 1.2935302}, {4400, 1.1837366}, {5000, 1.0767816}, {6563, 0.85816397}, {8000, 0.67835036}, {9500, 0.51975777},
    {10200, 0.46354267}, {12500, 0.33412646}, {16500, 0.2136913}, {22000, 0.13447312}, {30000, 0.081615149}}},
  {"{law: gordon23, a_v_mag: 1, r_v: 2.4}", TOL_FORMULA,
   {{920, 9.1933464}, {1000, 7.5005375}, {1250, 4.8127121}, {1500, 3.7982879}, {1700, 3.4913968}, {2175, 4.0790924}, {2500, 2.9174061}, {2700, 2.5335512},
    {2800, 2.4090326}, {3150, 2.078029}, {3700, 1.6882055}, {4400, 1.4142326}, {5000, 1.1778588}, {6563, 0.76982666}, {8000, 0.52004589},
    {9500, 0.35265154}, {10200, 0.28960334}, {12500, 0.19252676}, {16500, 0.11155649}, {22000, 0.061344298}, {30000, 0.029150246}, {50000, 0.011468754},
    {80000, 0.019961675}, {97000, 0.075566113}, {130000, 0.025430066}, {190000, 0.03831536}, {260000, 0.031114706}, {310000, 0.026614204}}},
  {"{law: gordon23, a_v_mag: 1}", TOL_FORMULA,
   {{920, 6.2307096}, {1000, 5.15178}, {1250, 3.4521468}, {1500, 2.8277718}, {1700, 2.6594539}, {2175, 3.2251766}, {2500, 2.3629407}, {2700, 2.086096},
    {2800, 1.9992414}, {3150, 1.7866738}, {3700, 1.5273472}, {4400, 1.3223907}, {5000, 1.1381513}, {6563, 0.80268227}, {8000, 0.59092658},
    {9500, 0.43902858}, {10200, 0.38125373}, {12500, 0.26886454}, {16500, 0.16842881}, {22000, 0.10326431}, {30000, 0.059321031}, {50000, 0.029017943},
    {80000, 0.03061521}, {97000, 0.084228158}, {130000, 0.031789855}, {190000, 0.042559428}, {260000, 0.034156038}, {310000, 0.02913749}}},
  {"{law: gordon23, a_v_mag: 1, r_v: 5.5}", TOL_FORMULA,
   {{920, 1.8023483}, {1000, 1.6410066}, {1250, 1.4184601}, {1500, 1.377106}, {1700, 1.4159184}, {2175, 1.9487975}, {2500, 1.5341612}, {2700, 1.4172684},
    {2800, 1.3867116}, {3150, 1.3511746}, {3700, 1.2869064}, {4400, 1.1851112}, {5000, 1.0787989}, {6563, 0.85179276}, {8000, 0.69687455},
    {9500, 0.56813949}, {10200, 0.51824692}, {12500, 0.38296941}, {16500, 0.25343794}, {22000, 0.16592368}, {30000, 0.10441841}, {50000, 0.055249356},
    {80000, 0.046539437}, {97000, 0.097175632}, {130000, 0.041296064}, {190000, 0.048903192}, {260000, 0.038702029}, {310000, 0.032909137}}},
  {"{law: smc, a_v_mag: 1}", TOL_FORMULA,
   {{1000, 9.6346298}, {1250, 6.2931634}, {1500, 4.7670202}, {1700, 4.0734189}, {2175, 3.1310902}, {2500, 2.5485458}, {2700, 2.2786121}, {2800, 2.1739763},
    {3150, 1.9276804}, {3700, 1.672}, {4400, 1.374}, {5000, 1.1463803}, {6563, 0.79036531}, {8000, 0.57953365}, {9500, 0.41938048}, {10200, 0.36435844},
    {12500, 0.25}, {16500, 0.169}, {22000, 0.10985083}, {30000, 0.07140269}}},
  {"{law: lmc, a_v_mag: 1}", TOL_FORMULA,
   {{1000, 5.1977925}, {1250, 3.4473447}, {1500, 2.7903569}, {1700, 2.5882605}, {2175, 2.9971796}, {2500, 2.2399229}, {2700, 1.9924688}, {2800, 1.9083737},
    {3150, 1.7147388}, {3700, 1.518}, {4400, 1.293}, {5000, 1.1273034}, {6563, 0.76017745}, {8000, 0.53267525}, {9500, 0.38904936}, {10200, 0.34420856},
    {12500, 0.257}, {16500, 0.186}, {22000, 0.09978047}, {30000, 0.049226271}}},
  {"{law: salim18, a_v_mag: 1, slope: -0.5, bump: 2}", TOL_FORMULA,
   {{1250, 6.0493015}, {1500, 4.900397}, {2175, 4.1011014}, {2500, 3.046458}, {3000, 2.351033}, {4400, 1.400056}, {6563, 0.75160421}, {9000, 0.42140663},
    {12500, 0.21673885}, {22000, 0.045606339}}},
  {"{law: salim18, a_v_mag: 1, slope: 0.2, bump: 1}", TOL_FORMULA,
   {{1250, 2.1499117}, {1500, 1.9748135}, {2175, 1.9303561}, {2500, 1.6951297}, {3000, 1.524878}, {4400, 1.1963482}, {6563, 0.85092906}, {9000, 0.59530121},
    {12500, 0.38534396}, {22000, 0.12027446}}},
  {"{law: salim18, a_v_mag: 1, slope: -1.1}", TOL_FORMULA,
   {{1250, 14.745321}, {1500, 10.659439}, {2175, 5.8115412}, {2500, 4.5959277}, {3000, 3.3326185}, {4400, 1.5978924}, {6563, 0.6764776}, {9000, 0.31399802},
    {12500, 0.13262621}, {22000, 0.019851306}}},
  {"{law: narayanan_mw, a_v_mag: 1}", TOL_SPLINE,
   {{150, 1.57061}, {400, 2.53832}, {1000, 3.73902}, {1216, 2.64003}, {1500, 2.25338}, {1800, 2.30886}, {2175, 2.89153}, {2500, 2.08746},
    {3000, 1.7043}, {4400, 1.26048}, {6563, 0.806984}, {9000, 0.520538}, {12500, 0.316014}, {22000, 0.127747}, {35000, 0.053849}, {66000, 0.0175403},
    {150000, 0.019302}, {180000, 0.0277765}, {300000, 0.0158202}, {1e6, 0.00107791}, {5e6, 3.90419e-05}}},
};

static void other_codes_agree(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    test_dust d = test_dust_of(cases[i].yaml);
    double worst = 0;
    for (int j = 0; j < MAX_ROW && cases[i].rows[j].wave_A > 0; j++) {
      const double wave_A = cases[i].rows[j].wave_A, k = test_dust_k(&d, wave_A), difference = fabs(k / cases[i].rows[j].k - 1);
      if (!(difference <= cases[i].tolerance)) print_error("%s, %g A: %.8g instead of %.8g\n", cases[i].yaml, wave_A, k, cases[i].rows[j].k);
      worst = fmax(worst, difference);
    }
    print_message("%-50s largest relative difference %.1e\n", cases[i].yaml, worst);
    assert_true(worst <= cases[i].tolerance);
    test_dust_free(&d);
  }
}

/* Li+2008's templates against the project's notes (independent Python), whose formula is not normalised: it gives 1.0002 at 5500 A. */
static void li_templates_agree(void **state)
{
  (void)state;
  static const struct { const char *name; double at_1500, at_2175, at_5500; } from_notes[] = {
    {"calzetti", 2.56672, 2.09552, 1.00015}, {"smc", 4.46470, 2.76121, 1.00021},
    {"mw", 2.60070, 3.10857, 1.00014}, {"lmc", 3.43265, 2.85783, 1.00022}};
  const double printed = 2e-5;   /* relative, six digits of two numbers */
  for (size_t i = 0; i < sizeof from_notes / sizeof *from_notes; i++) {
    char yaml[100];
    snprintf(yaml, sizeof yaml, "{law: li08, a_v_mag: 1, template: %s}", from_notes[i].name);
    test_dust d = test_dust_of(yaml);
    assert_true(fabs(test_dust_k(&d, 1500) * from_notes[i].at_5500 / from_notes[i].at_1500 - 1) <= printed);
    assert_true(fabs(test_dust_k(&d, 2175) * from_notes[i].at_5500 / from_notes[i].at_2175 - 1) <= printed);
    test_dust_free(&d);
  }
}

/* The YAML of a curve among Synthesizer's cases; false for those that test_curves.c has, and for its "Custom" Li curves, where it uses the Calzetti template
 * whatever parameters it is given. */
static bool yaml_of(const json *curve, char *yaml, size_t n, double *tolerance)
{
  const char *name = json_text(curve, "class"), *model = json_text(curve, "model");
  *tolerance = TOL_FORMULA;
  if (!name) return false;
  if (strcmp(name, "PowerLaw") == 0) {
    snprintf(yaml, n, "{law: power_law, a_v_mag: 1, index: %.17g}", json_number(curve, "slope", NAN));
    return true;
  }
  if (strcmp(name, "MWN18") == 0) {
    snprintf(yaml, n, "{law: narayanan_mw, a_v_mag: 1}");
    *tolerance = TOL_SPLINE;
    return true;
  }
  if (strcmp(name, "ParametricLi08") != 0 || !model || strcmp(model, "Custom") == 0) return false;
  char template[20] = "";
  for (size_t i = 0; model[i] && i + 1 < sizeof template; i++) template[i] = (char)(model[i] | 0x20);
  snprintf(yaml, n, "{law: li08, a_v_mag: 1, template: %s}", template);
  return true;
}

static void synthesizer_agrees(void **state)
{
  char path[4096], yaml[200];
  int n_compared = 0;
  double worst = 0, tolerance;
  (void)state;
  if (!shared_path("reference/synthesizer/cases.json", path, sizeof path)) skip();
  json *root = json_read_file(path);
  const json *list = json_get(root, "cases");
  assert_non_null(list);
  for (size_t i = 0; i < list->n; i++) {
    const json *curve = json_get(json_get(list->item[i], "emission_model"), "dust_curve"), *tau = json_get(list->item[i], "attenuation_tau_over_tauV");
    if (!curve || !tau || !yaml_of(curve, yaml, sizeof yaml, &tolerance)) continue;
    const json *wave = json_get(tau, "lam_rest_A"), *value = json_get(tau, "value");
    double at_5500 = 0;
    for (size_t j = 0; j < wave->n; j++)
      if (wave->item[j]->number == 5500) at_5500 = value->item[j]->number;
    assert_true(at_5500 > 0);
    test_dust d = test_dust_of(yaml);
    for (size_t j = 0; j < wave->n; j++, n_compared++) {
      const double difference = fabs(test_dust_k(&d, wave->item[j]->number) * at_5500 / value->item[j]->number - 1);
      if (!(difference <= tolerance)) fail_msg("%s at %g A: relative difference %g", yaml, wave->item[j]->number, difference);
      worst = fmax(worst, difference);
    }
    test_dust_free(&d);
  }
  print_message("%d values, largest relative difference from Synthesizer %.1e\n", n_compared, worst);
  assert_true(n_compared >= 100);
  json_free(root);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(other_codes_agree), cmocka_unit_test(li_templates_agree), cmocka_unit_test(synthesizer_agrees)};
  return cmocka_run_group_tests_name("dust laws beside other codes", tests, NULL, NULL);
}
