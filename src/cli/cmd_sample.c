/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

const cli_page cli_sample_page = {
  .name = "sample",
  .summary = "draws for rows of numbers, of any simulator: posterior.h5 data.h5 -> draws.h5",
  .about = "Reads x [n][C], the numbers that the posterior was trained on (fluxes in nJy in the survey's order, if it is of galaxies), and perhaps their errors sigma.\n"
           "Writes theta [n][n_draw][D] in the parameters' own units, and ln_q, the density of each draw per unit of the prior's standard-normal coordinates.\n"
           "Catalogues of galaxies are the business of `sedna fit`.\n",
  .positional = {"posterior", "data", NULL},
  .knobs = sdn_sample_knobs, .n_knob = &sdn_n_sample_knob,
  .required = "output",
  .examples = "  sedna sample posterior.h5 observed.h5 --n-draw 10000 -o draws.h5\n",
};

int cmd_sample(int argc, char **argv)
{
  sdn_sample_options options;
  sdn_run run;
  sdn_err err;
  sdn_sample_summary s;
  cli_parsed parsed = cli_parse(&cli_sample_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (sdn_sample(&options, &run, &s, &err) != SDN_OK) return cli_report("sample", &err);
  cli_progress_end();
  if (!cli_quiet()) printf("%s: %ld draws for each of %ld rows in %.1f s\n", options.output, options.n_draw, s.n, s.seconds);
  return 0;
}
