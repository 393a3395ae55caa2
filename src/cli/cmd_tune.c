/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include <math.h>

const cli_page cli_tune_page = {
  .name = "tune",
  .summary = "find better options of train for a library: library.h5 -> library.h5.study, posterior.h5",
  .about =
    "Random search with successive halving. Many trials, each with options of train drawn from lists and ranges, train for a few epochs; the best third trains\n"
    "anew for three times as many, and so on to --max-epoch. Each training is a whole one, its learning rate falling to zero, and its score is the information\n"
    "gain on the validation galaxies, which are the same for all. Trial 0 has the defaults of train and meets the best in the last round, so that the result\n"
    "is never worse than the default on these galaxies. It costs about ten times one training of --max-epoch.\n\n"
    "The trials stand in a database, LIBRARY.study: run the same command again after an interruption, or in several processes at once on one file (with -j cores\n"
    "each, also on several machines that share the disk), and they share the work. What comes of it is the same for any number of processes, unless\n"
    "--trial-minutes makes time the budget. `sedna info LIBRARY.study` shows the table at any time.\n\n"
    "Searched unless --search says otherwise: learning_rate, batch, head, n_depth, n_encoder, n_context, n_layer, n_hidden, n_bin, n_bin_first.\n"
    "Any option of train can be searched or, with one value, fixed; a value named twice is drawn twice as often.\n",
  .positional = {"library", NULL},
  .knobs = sdn_tune_knobs, .n_knob = &sdn_n_tune_knob,
  .required = "",
  .examples = "  sedna tune library.h5 -o posterior.h5 --html tuning.html\n"
              "  sedna tune library.h5 --n-trial 81 --max-epoch 180 --max-minutes 600\n"
              "  sedna tune library.h5 --search \"n_layer=2:6 weight_decay=1e-5:1e-2 n_bin=8\"\n"
              "  sbatch --array=1-16 --cpus-per-task=4 --wrap 'sedna tune library.h5 -j 4 -o posterior.h5'\n",
};

static void print_best(const sdn_tune_options *options, const sdn_tune_summary *s)
{
  if (s->best_trial < 0) return;
  printf("\nbest: %s %d, %.3f nats on the validation galaxies, %.3f +- %.3f on the test galaxies, after %ld epochs", s->best_trial ? "trial" : "the default, trial",
         s->best_trial, s->best_gain, s->best_test_gain, s->best_test_gain_error, s->best_epochs);
  if (s->best_trial && isfinite(s->default_gain)) printf("; the default has %.3f", s->default_gain);
  printf("\n  %s\n", s->command);
  if (options->output && s->complete) printf("%s: %s\n", options->output, s->posterior_written ? "trained so" : "is there, or another process trains it");
}

int cmd_tune(int argc, char **argv)
{
  sdn_tune_options options;
  sdn_run run;
  sdn_err err;
  sdn_tune_summary s;
  char study[4096];
  cli_parsed parsed = cli_parse(&cli_tune_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (sdn_tune(&options, &run, &s, &err) != SDN_OK || sdn_tune_study_name(&options, study, sizeof study, &err) != SDN_OK) return cli_report("tune", &err);
  cli_progress_end();
  if (options.html && sdn_report_study(study, options.html, &err) != SDN_OK) return cli_report("tune", &err);
  if (cli_quiet()) return 0;
  if (sdn_study_table(study, stdout, &err) != SDN_OK) return cli_report("tune", &err);
  print_best(&options, &s);
  if (!s.complete) printf("%ld of %ld trainings are done; run again to go on with %s\n", s.n_done + s.n_failed, s.n_training, study);
  if (options.html) printf("page: %s\n", options.html);
  return 0;
}
