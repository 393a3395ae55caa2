/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

const cli_page cli_sed_page = {
  .name = "sed",
  .summary = "one galaxy of a model: spectrum, photometry, lines, derived quantities",
  .about = "Parameters are set by NAME=VALUE; what is not set stands at the median of its prior given the rest (or is drawn, with --draw).\n"
           "Any free or fixed parameter may be set (sedna info MODEL lists them), also outside its prior as long as the physics serves it: the output\n"
           "then says so. One that the file ties to others by a formula is refused. Spectra are given without lines, photometry with them.\n",
  .positional = {"model", NULL},
  .rest = "set",
  .rest_usage = "[NAME=VALUE ...]",
  .knobs = sdn_sed_knobs, .n_knob = &sdn_n_sed_knob,
  .required = "",
  .examples = "  sedna sed photoz redshift=3 a_v_mag=0.5 --survey cosmos2020\n"
              "  sedna sed my_model.yaml redshift=7 --bands JWST/NIRCam.F200W,JWST/NIRCam.F444W --html galaxy.html -o galaxy.ecsv\n"
              "  sedna sed my_model.yaml --draw --seed 5 --json > galaxy.json\n"
              "  sedna sed my_model.yaml --explain\n",
};

int cmd_sed(int argc, char **argv)
{
  sdn_sed_options options;
  sdn_run run;
  sdn_err err;
  cli_parsed parsed = cli_parse(&cli_sed_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  return sdn_sed(&options, cli_quiet() && !options.json ? NULL : stdout, &run, &err) == SDN_OK ? 0 : cli_report("sed", &err);
}
