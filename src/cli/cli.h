/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What all commands share: options from knob tables, help pages, the progress bar, clean stops, exit codes. Commands talk to sedna.h alone. */
#ifndef SDN_CLI_CLI_H
#define SDN_CLI_CLI_H

#include <sedna.h>

#define CLI_MAX_POSITIONAL 3

/* A command's face. Positional arguments fill the knobs that they name. */
typedef struct cli_page {
  const char *name;
  const char *summary;                                  /* one line of `sedna --help` */
  const char *about;                                    /* what it does, reads and writes */
  const char *positional[CLI_MAX_POSITIONAL + 1];       /* knob names, ended by NULL */
  const char *instead_of_them;                          /* an option that does without the positional arguments, or NULL */
  const char *rest, *rest_usage;                        /* a text knob that takes all further arguments, one a line, and how usage shows them; or NULL */
  const sdn_knob *knobs; const size_t *n_knob;
  const char *required;                                 /* further knobs that must be given, separated by spaces, or "" */
  const char *instead;                                  /* a flag that does without them, or NULL */
  const char *examples;
} cli_page;

/* The result of reading a command line. */
typedef enum cli_parsed { CLI_GO, CLI_HELP_SHOWN, CLI_WRONG } cli_parsed;
/* Fills *options (defaults first) and *run. Everything wrong is explained on stderr. */
cli_parsed cli_parse(const cli_page *page, int argc, char **argv, void *options, sdn_run *run);

/* Print a failed call's sentence; returns the process's exit code: 2 mend the input, 1 the system or a file, 130 interrupted. */
int cli_report(const char *command, const sdn_err *err);
int cli_exit_code(sdn_status status);
bool cli_quiet(void);   /* --quiet was given */
/* End the progress line, if one was begun. */
void cli_progress_end(void);

/* The members of a mixture and their weights, one line; nothing for a single network. */
void cli_print_members(const sdn_train_summary *s);

extern const cli_page cli_simulate_page, cli_train_page, cli_ensemble_page, cli_tune_page, cli_check_page, cli_fit_page, cli_sample_page, cli_report_page, cli_sed_page, cli_grid_page, cli_info_page;
int cmd_simulate(int argc, char **argv);
int cmd_train(int argc, char **argv);
int cmd_ensemble(int argc, char **argv);
int cmd_tune(int argc, char **argv);
int cmd_check(int argc, char **argv);
int cmd_fit(int argc, char **argv);
int cmd_sample(int argc, char **argv);
int cmd_report(int argc, char **argv);
int cmd_sed(int argc, char **argv);
int cmd_info(int argc, char **argv);
int cmd_grid(int argc, char **argv);

#endif
