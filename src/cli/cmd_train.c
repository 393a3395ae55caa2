/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

const cli_page cli_train_page = {
  .name = "train",
  .summary = "train a neural posterior on a library: library.h5 -> posterior.h5",
  .about = "Learns q(parameters | photometry) with noise and missing bands drawn afresh in every epoch, as the survey describes them.\n"
           "The score is the information gain: the mean over held-out galaxies of ln q - ln prior, in nats.\n"
           "In place of a library, --model and --survey simulate fresh galaxies as training goes on.\n"
           "An interrupted run leaves OUTPUT.checkpoint; --resume goes on from there.\n",
  .positional = {"library", NULL},
  .instead_of_them = "model",
  .knobs = sdn_train_knobs, .n_knob = &sdn_n_train_knob,
  .required = "output",
  .examples = "  sedna train library.h5 -o posterior.h5\n"
              "  sedna train library.h5 -o posterior.h5 --max-minutes 15\n"
              "  sedna train library.h5 -o posterior.h5 --n-member 4      # an ensemble: the mixture of four networks\n"
              "  sedna train --model model.yaml --survey survey.yaml -o posterior.h5\n",
};

void cli_print_members(const sdn_train_summary *s)
{
  if (s->n_member == 0) return;
  printf("mixture of %d networks with weights", s->n_member);
  for (int k = 0; k < s->n_member; k++) printf(" %.3f", s->member_weight[k]);
  putchar('\n');
}

int cmd_train(int argc, char **argv)
{
  sdn_train_options options;
  sdn_run run;
  sdn_err err;
  sdn_train_summary s;
  cli_parsed parsed = cli_parse(&cli_train_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (sdn_train(&options, &run, &s, &err) != SDN_OK) return cli_report("train", &err);
  cli_progress_end();
  if (cli_quiet()) return 0;
  printf("%s: %ld weights, %ld epochs over %ld galaxies (%ld steps) in %.0f s, %.0f rows/s\n", options.output, s.n_weight, s.n_epoch_done,
         s.n_train, s.n_step, s.seconds, s.rows_per_second);
  if (s.n_window > 0) printf("the library was streamed, %ld galaxies in memory at a time\n", s.n_window);
  cli_print_members(&s);
  printf("information gain: %.3f nats on %ld validation galaxies, %.3f +- %.3f on %ld test galaxies\n", s.best_validation_ln_q,
         s.n_validation, s.test_ln_q, s.test_ln_q_error, s.n_test);
  if (!(s.best_validation_ln_q > 0)) puts("the network is no better than the prior: train longer or at a lower rate");
  return 0;
}
