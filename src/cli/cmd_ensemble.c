/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

const cli_page cli_ensemble_page = {
  .name = "ensemble",
  .summary = "join posteriors that were trained apart: p0.h5 p1.h5 ... -> posterior.h5",
  .about = "The new posterior is the mixture of all networks in the files. With --library their weights maximise the mixture's ln q on the validation galaxies;\n"
           "the networks must then have been trained on that library with one seed, as `sedna train --member 0`, `--member 1` ... do, each on a machine of its own.\n"
           "Without it all weigh the same. `sedna train --n-member 4` does all of this on one machine.\n",
  .rest = "posteriors",
  .rest_usage = "FILE [FILE ...]",
  .knobs = sdn_ensemble_knobs, .n_knob = &sdn_n_ensemble_knob,
  .required = "posteriors output",
  .examples = "  sedna ensemble p0.h5 p1.h5 p2.h5 p3.h5 --library library.h5 -o posterior.h5\n",
};

int cmd_ensemble(int argc, char **argv)
{
  sdn_ensemble_options options;
  sdn_run run;
  sdn_err err;
  sdn_train_summary s;
  cli_parsed parsed = cli_parse(&cli_ensemble_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (sdn_ensemble(&options, &run, &s, &err) != SDN_OK) return cli_report("ensemble", &err);
  cli_progress_end();
  if (cli_quiet()) return 0;
  cli_print_members(&s);
  if (s.n_test > 0)
    printf("information gain: %.3f nats on %ld validation galaxies, %.3f +- %.3f on %ld test galaxies\n", s.best_validation_ln_q, s.n_validation, s.test_ln_q,
           s.test_ln_q_error, s.n_test);
  return 0;
}
