/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "support/simulate_fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "support/scratch.h"

const char simulate_model_yaml[] =
  "grid: bc03-miles-kroupa\n"
  "redshift: {prior: uniform, low: 0.05, high: 3}\n"
  "stars:\n"
  "  log_mass_formed_msun: {prior: uniform, low: 8, high: 12}\n"
  "  log_metallicity: -2\n"
  "  sfh: {family: delayed_exponential, age_gyr: {prior: uniform, low: 0.1, high: age_universe_gyr(redshift)}, tau_gyr: 1}\n"
  "nebular: none\n"
  "dust: {law: calzetti, a_v_mag: {prior: uniform, low: 0, high: 2}}\n"
  "igm: none\n";
const char simulate_survey_yaml[] =
  "name: Three bands\n"
  "flux_unit: nJy\n"
  "floor_fraction: 0.02\n"
  "bands:\n"
  "  - {name: g, filter: Subaru/HSC.g, sigma_njy: {low: 5, high: 20}}\n"
  "  - {name: i, filter: Subaru/HSC.i, sigma_njy: 10}\n"
  "  - {name: y, filter: Subaru/HSC.y, sigma_njy: 30}\n";

void simulate_begin(simulate_fixture *f, const char *name, long n)
{
  memset(f, 0, sizeof *f);
  snprintf(f->model, sizeof f->model, "%s", scratch_write_text("model.yaml", simulate_model_yaml));
  snprintf(f->survey, sizeof f->survey, "%s", scratch_write_text("survey.yaml", simulate_survey_yaml));
  snprintf(f->output, sizeof f->output, "%s", scratch_file(name));
  snprintf(f->part, sizeof f->part, "%s.part", f->output);
  remove(f->output);
  remove(f->part);
  sdn_knob_defaults(sdn_simulate_knobs, sdn_n_simulate_knob, &f->options);
  f->options.model = f->model;
  f->options.survey = f->survey;
  f->options.output = f->output;
  f->options.n = n;
  f->options.seed = 7;
}

sdn_status simulate_run(const simulate_fixture *f, int n_thread, sdn_simulate_summary *summary, sdn_err *err)
{
  const sdn_run run = {.n_thread = n_thread, .command = "test"};
  sdn_simulate_summary unused;
  return sdn_simulate(&f->options, &run, summary ? summary : &unused, err);
}

void simulate_must(const simulate_fixture *f, int n_thread, sdn_simulate_summary *summary)
{
  sdn_err err;
  if (simulate_run(f, n_thread, summary, &err)) fail_msg("%s", err.text);
}

void simulate_assert_same_file(const char *a, const char *b)
{
  size_t n_a = 0, n_b = 0;
  unsigned char *bytes_a = scratch_read(a, &n_a), *bytes_b = scratch_read(b, &n_b);
  assert_non_null(bytes_a);
  assert_non_null(bytes_b);
  assert_int_equal(n_a, n_b);
  assert_memory_equal(bytes_a, bytes_b, n_a);
  free(bytes_a);
  free(bytes_b);
}
