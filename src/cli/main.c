/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna: the table of contents. Each command is one file, cmd_<name>.c, in the order in which data flow. */
#include "cli.h"

#include <string.h>

static const struct { const cli_page *page; int (*run)(int argc, char **argv); } commands[] = {
  {&cli_simulate_page, cmd_simulate},
  {&cli_train_page, cmd_train},
  {&cli_ensemble_page, cmd_ensemble},
  {&cli_tune_page, cmd_tune},
  {&cli_check_page, cmd_check},
  {&cli_fit_page, cmd_fit},
  {&cli_sample_page, cmd_sample},
  {&cli_report_page, cmd_report},
  {&cli_sed_page, cmd_sed},
  {&cli_info_page, cmd_info},
  {&cli_grid_page, cmd_grid},
};
enum { n_command = sizeof commands / sizeof commands[0] };

static void print_help(FILE *out)
{
  fputs("sedna: from galaxy photometry to posteriors of physical properties.\n\n"
        "usage: sedna COMMAND [ARGUMENTS]     sedna COMMAND --help\n\n", out);
  for (int i = 0; i < n_command; i++) fprintf(out, "  %-10s %s\n", commands[i].page->name, commands[i].page->summary);
  fputs("\nThe usual road:\n"
        "  sedna simulate model.yaml --survey survey.yaml -n 200000 -o library.h5\n"
        "  sedna train    library.h5 -o posterior.h5\n"
        "  sedna check    posterior.h5 -o check\n"
        "  sedna fit      posterior.h5 catalogue.fits -o result.fits\n"
        "  sedna report   result.fits -o result.html\n\n"
        "One galaxy of a model, to look at: sedna sed photoz redshift=3 --survey cosmos2020 --html galaxy.html\n"
        "Shipped models and surveys go by their names, e.g. `sedna simulate photoz --survey cosmos2020`.\n"
        "Exit codes: 0 done, 1 the system or a file failed, 2 the input must be mended, 130 interrupted.\n"
        "After an interruption simulate and tune go on when they are run again, train with --resume; fit and check start over.\n", out);
}

static int unknown_command(const char *word)
{
  fprintf(stderr, "sedna: there is no command \"%s\"; the commands are", word);
  for (int i = 0; i < n_command; i++) fprintf(stderr, " %s", commands[i].page->name);
  fputs(" (sedna --help)\n", stderr);
  return 2;
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    print_help(stderr);
    return 2;
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
    print_help(stdout);
    return 0;
  }
  if (!strcmp(argv[1], "--version")) {
    puts("sedna " SDN_VERSION);
    return 0;
  }
  for (int i = 0; i < n_command; i++)
    if (!strcmp(argv[1], commands[i].page->name)) return commands[i].run(argc - 1, argv + 1);
  return unknown_command(argv[1]);
}
