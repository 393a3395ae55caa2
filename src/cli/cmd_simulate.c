/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

const cli_page cli_simulate_page = {
  .name = "simulate",
  .summary = "draw galaxies from a model's prior and compute their fluxes: model.yaml, survey.yaml -> library.h5",
  .about = "Every row of the library is one galaxy: its parameters, its noise-free flux in each band of the survey, and derived quantities.\n"
           "Noise is not stored: training draws it afresh. An interrupted run leaves OUTPUT.part and goes on from there when run again.\n"
           "With --spectra the library also holds every galaxy's rest-frame L_nu and line luminosities, for uses of your own: training ignores them.\n",
  .positional = {"model", NULL},
  .knobs = sdn_simulate_knobs, .n_knob = &sdn_n_simulate_knob,
  .required = "survey output", .instead = "explain",
  .examples = "  sedna simulate photoz --survey cosmos2020 -n 200000 -o library.h5\n"
              "  sedna simulate my_model.yaml --survey my_survey.yaml -n 1e6 -j 64 -o library.h5\n"
              "  sedna simulate my_model.yaml --survey my_survey.yaml -n 1000 --spectra-range 900:20000 -o with_spectra.h5\n"
              "  sedna simulate my_model.yaml --explain\n",
};

static int explain(const sdn_simulate_options *options)
{
  sdn_err err;
  sdn_model *model = NULL;
  sdn_status status = sdn_model_read(options->model, &model, &err);
  if (status == SDN_OK) status = sdn_model_explain(model, stdout, &err);
  sdn_model_free(model);
  return status == SDN_OK ? 0 : cli_report("simulate", &err);
}

/* Said before the work, because it may be much. */
static int announce_spectra(const sdn_simulate_options *options)
{
  sdn_err err;
  sdn_simulate_size size;
  if (sdn_simulate_measure(options, &size, &err) != SDN_OK) return cli_report("simulate", &err);
  printf("%s: %ld spectra of %ld wavelengths and %d lines take %.3g GB", options->output, options->n, size.n_wave, size.n_line, size.spectra_bytes * 1e-9);
  if (size.free_bytes >= 0) printf("; the folder has %.3g GB left", size.free_bytes * 1e-9);
  putchar('\n');
  fflush(stdout);
  return 0;
}

int cmd_simulate(int argc, char **argv)
{
  sdn_simulate_options options;
  sdn_run run;
  sdn_err err;
  sdn_simulate_summary s;
  cli_parsed parsed = cli_parse(&cli_simulate_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (options.explain) return explain(&options);
  if ((options.spectra || options.spectra_range) && !cli_quiet()) {
    const int failed = announce_spectra(&options);
    if (failed) return failed;
  }
  if (sdn_simulate(&options, &run, &s, &err) != SDN_OK) return cli_report("simulate", &err);
  cli_progress_end();
  if (cli_quiet()) return 0;
  printf("%s: %ld galaxies, %d free parameters, %d bands", options.output, s.n, s.n_free, s.n_band);
  if (s.n_resumed > 0) printf(", %ld of them from an earlier run", s.n_resumed);
  printf("; %.1f s, %.0f galaxies/s\n", s.seconds, (double)(s.n - s.n_resumed) / s.seconds);
  return 0;
}
