/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/synthesizer_case.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

void case_put(case_text *t, const char *fmt, ...)
{
  va_list args;
  va_start(args, fmt);
  t->n += (size_t)vsnprintf(t->data + t->n, sizeof t->data - t->n, fmt, args);
  va_end(args);
}

static void put_gyr(case_text *t, const char *key, const json *p, const char *from) { case_put(t, ", %s: %.17g", key, json_number(p, from, NAN) / 1e9); }

/* Their windows, where they are not the default. */
static void put_window(case_text *t, const json *p)
{
  put_gyr(t, "lookback_start_gyr", p, "max_age_yr");
  put_gyr(t, "lookback_end_gyr", p, "min_age_yr");
}

static void put_edges(case_text *t, const json *bins)
{
  case_put(t, ", lookback_edges_myr: [%.17g", bins->item[0]->item[0]->number / 1e6);
  for (size_t k = 0; k < bins->n; k++) case_put(t, ", %.17g", bins->item[k]->item[1]->number / 1e6);
  case_put(t, "]");
}

static void put_table(case_text *t, const json *table)
{
  const json *sfr = json_get(table, "sfr");
  const double first = json_number(table, "log10_age_yr_first", NAN), last = json_number(table, "log10_age_yr_last", NAN);
  size_t n = sfr->n;
  while (n > 1 && !(sfr->item[n - 2]->number > 0)) n--;   /* before the first star: the table goes on beyond the Big Bang */
  case_put(t, "family: tabulated, lookback_gyr: [0");
  for (size_t k = 0; k < n; k++) case_put(t, ", %.17g", pow(10, first + (last - first) * (double)k / (double)(sfr->n - 1) - 9) * (1 - 1e-12));
  case_put(t, "], sfr_msun_per_yr: [%.17g", sfr->item[0]->number);
  for (size_t k = 0; k < n; k++) case_put(t, ", %.17g", sfr->item[k]->number);
  case_put(t, "]");
}

static void put_family(case_text *t, const json *sfh);

/* Their weights multiply shapes that are not normalised; ours are shares of the mass. */
static double shape_integral(const json *sfh)
{
  const json *p = json_get(sfh, "params");
  const double span = json_number(p, "max_age_yr", NAN), tau = json_number(p, "tau_yr", NAN);
  if (strcmp(json_text(sfh, "class"), "SFH.Constant") == 0) return span - json_number(p, "min_age_yr", NAN);
  return tau * tau * (1 - (1 + span / tau) * exp(-span / tau));
}

static void put_sum(case_text *t, const json *p)
{
  const json *part = json_get(p, "components"), *weight = json_get(p, "weights");
  double total = 0;
  case_put(t, "family: sum, components: [");
  for (size_t k = 0; k < part->n; k++) total += weight->item[k]->number * shape_integral(part->item[k]);
  for (size_t k = 0; k < part->n; k++) {
    case_put(t, "%s{name: c%zu, fraction: %.17g, ", k ? ", " : "", k, weight->item[k]->number * shape_integral(part->item[k]) / total);
    put_family(t, part->item[k]);
    case_put(t, "}");
  }
  case_put(t, "]");
}

static void put_shares(case_text *t, const json *fractions)
{
  double sum = 0, total = 0;
  for (size_t k = 0; k < fractions->n; k++) total += fractions->item[k]->number;
  case_put(t, ", shares: [");
  for (size_t k = 0; k + 1 < fractions->n; k++) case_put(t, "%s%.17g", k ? ", " : "", (sum += fractions->item[k]->number) / total);
  case_put(t, "]");
}

static void put_ratios(case_text *t, const json *ratios)
{
  case_put(t, ", log_sfr_ratios: [");
  for (size_t k = 0; k < ratios->n; k++) case_put(t, "%s%.17g", k ? ", " : "", ratios->item[k]->number);
  case_put(t, "]");
}

static void put_family(case_text *t, const json *sfh)
{
  const char *name = json_text(sfh, "class");
  const json *p = json_get(sfh, "params");
  if (strcmp(name, "SFH.Constant") == 0) {
    case_put(t, "family: constant");
    put_window(t, p);
  } else if (strcmp(name, "SFH.Exponential") == 0 || strcmp(name, "SFH.DelayedExponential") == 0) {
    case_put(t, "family: %s", strstr(name, "Delayed") ? "delayed_exponential" : "exponential");
    put_gyr(t, "age_gyr", p, "max_age_yr");
    put_gyr(t, "tau_gyr", p, "tau_yr");
    put_gyr(t, "lookback_end_gyr", p, "min_age_yr");
  } else if (strcmp(name, "SFH.LogNormal") == 0) {
    case_put(t, "family: log_normal, sigma_ln_time: %.17g", json_number(p, "tau_dimensionless", NAN));
    put_gyr(t, "lookback_peak_gyr", p, "peak_age_yr");
    put_window(t, p);
  } else if (strcmp(name, "SFH.DoublePowerLaw") == 0) {
    case_put(t, "family: double_power_law_age, alpha: %.17g, beta: %.17g", json_number(p, "alpha", NAN), -json_number(p, "beta", NAN));
    put_gyr(t, "lookback_turnover_gyr", p, "peak_age_yr");
    put_window(t, p);
  } else if (strcmp(name, "SFH.Continuity") == 0 || strcmp(name, "SFH.Dirichlet") == 0) {
    const bool shares = strstr(name, "Dirichlet") != NULL;
    case_put(t, "family: %s", shares ? "dirichlet" : "continuity");
    put_edges(t, json_get(p, "agebins_yr"));
    if (shares) put_shares(t, json_get(p, "sfr_fractions"));
    else put_ratios(t, json_get(p, "log10_sfr_ratios"));
  } else if (strcmp(name, "SFH.CombinedSFH") == 0) {
    put_sum(t, p);
  } else {
    fail_msg("class %s is not known here", name);
  }
}

bool case_has_table(const json *c) { return json_get(c, "sfh_table") != NULL; }

void case_put_history(case_text *t, const json *c)
{
  case_put(t, "{");
  if (case_has_table(c)) put_table(t, json_get(c, "sfh_table"));
  else put_family(t, json_get(c, "sfh"));
  case_put(t, "}");
}

void case_put_dust_emission(case_text *t, const json *generator)
{
  const char *name = json_text(generator, "class");
  const json *thin = json_get(generator, "optically_thin"), *heating = json_get(generator, "do_cmb_heating");
  const bool casey = !strcmp(name, "Casey12"), thick = casey || (thin && thin->number == 0);
  case_put(t, "{law: %s, temperature_k: %.17g, emissivity_index: %.17g, cmb: %s", casey ? "casey12" : "modified_black_body", json_number(generator, "temperature_K", NAN),
           json_number(generator, "emissivity", 0), heating && heating->number != 0 ? "heating" : "none");
  if (thick) case_put(t, ", lambda_0_um: %.17g", json_number(generator, "lam_0_um", NAN));
  if (casey) case_put(t, ", alpha: %.17g", json_number(generator, "alpha", NAN));
  else if (thick) case_put(t, ", optical_depth: thick");
  case_put(t, "}");
}
