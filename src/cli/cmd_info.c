/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

const cli_page cli_info_page = {
  .name = "info",
  .summary = "what a file holds, the command that made it, the effective model",
  .about = "Reads any file that sedna writes or reads: libraries, posteriors, result tables, grids, model.yaml, survey.yaml.\n",
  .positional = {"file", NULL},
  .knobs = sdn_info_knobs, .n_knob = &sdn_n_info_knob,
  .required = "",
  .examples = "  sedna info posterior.h5\n  sedna info my_model.yaml\n  sedna info result.fits --rows 10\n",
};

int cmd_info(int argc, char **argv)
{
  sdn_info_options options;
  sdn_run run;
  sdn_err err;
  cli_parsed parsed = cli_parse(&cli_info_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  return sdn_info(&options, stdout, &err) == SDN_OK ? 0 : cli_report("info", &err);
}
