/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

const cli_page cli_report_page = {
  .name = "report",
  .summary = "one self-contained web page about a result: result table -> result.html",
  .about = "Photometric against spectroscopic redshifts where the table has both, distributions of all parameters, and for chosen galaxies the\n"
           "data with the posterior-predictive photometry and the marginal posteriors. The page needs no network.\n",
  .positional = {"result", NULL},
  .knobs = sdn_report_knobs, .n_knob = &sdn_n_report_knob,
  .required = "output",
  .examples = "  sedna report result.fits -o result.html\n"
              "  sedna report result.fits --samples draws.h5 --rows 17,42,1003 -o result.html\n",
};

int cmd_report(int argc, char **argv)
{
  sdn_report_options options;
  sdn_run run;
  sdn_err err;
  cli_parsed parsed = cli_parse(&cli_report_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (sdn_report(&options, &run, &err) != SDN_OK) return cli_report("report", &err);
  cli_progress_end();
  if (!cli_quiet()) printf("%s\n", options.output);
  return 0;
}
