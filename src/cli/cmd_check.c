/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include <string.h>

/* "-o check.html" means the same two files as "-o check". */
static void strip_ending(const char *output, char *stem, size_t size)
{
  static const char *const endings[] = {".html", ".json"};
  size_t n = strlen(output);
  snprintf(stem, size, "%s", output);
  for (int i = 0; i < 2; i++) {
    size_t m = strlen(endings[i]);
    if (n > m && n < size && output[n - m - 1] != '/' && !strcmp(output + n - m, endings[i])) stem[n - m] = 0;
  }
}

const cli_page cli_check_page = {
  .name = "check",
  .summary = "is the posterior calibrated? Fresh galaxies, known truths: posterior.h5 -> check.json, check.html",
  .about = "Simulates galaxies that the network has never seen and compares posteriors with truths: recovery of each parameter in bins of\n"
           "signal-to-noise (R2, RMSE, NMAD, bias), coverage of credible intervals, simulation-based calibration ranks, TARP.\n"
           "Exits with 0 also when the network is found wanting: read the verdict.\n",
  .positional = {"posterior", NULL},
  .knobs = sdn_check_knobs, .n_knob = &sdn_n_check_knob,
  .required = "",
  .examples = "  sedna check posterior.h5 -o check\n"
              "  sedna check posterior.h5 --data held_out.h5 -o check        # pairs of any simulator, or other galaxies\n"
              "  sedna check posterior.h5 -n 20000 --fix redshift -o check_known_z\n",
};

int cmd_check(int argc, char **argv)
{
  sdn_check_options options;
  sdn_run run;
  sdn_err err;
  sdn_check_summary s;
  cli_parsed parsed = cli_parse(&cli_check_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  char stem[1000], json[1024], html[1024];
  if (options.output && strlen(options.output) < sizeof stem) {
    strip_ending(options.output, stem, sizeof stem);
    options.output = stem;
  }
  if (sdn_check(&options, &run, &s, &err) != SDN_OK) return cli_report("check", &err);
  cli_progress_end();
  snprintf(json, sizeof json, "%s.json", options.output);
  snprintf(html, sizeof html, "%s.html", options.output);
  if (sdn_report_check(json, html, &err) != SDN_OK) return cli_report("check", &err);
  if (cli_quiet()) return 0;
  printf("%ld %s in %.0f s: %s\n", s.n, options.data ? "held-out pairs" : "fresh galaxies", s.seconds, s.calibrated ? "calibrated" : "NOT calibrated");
  printf("worst coverage of any parameter: %.1f %% of 68 %%, %.1f %% of 95 %%; smallest SBC p-value %.2g; TARP deviates by %.3f\n",
         100 * s.worst_coverage_68, 100 * s.worst_coverage_95, s.smallest_sbc_p, s.tarp_deviation);
  if (s.gain == s.gain) printf("information gain (mean ln q - ln prior): %.4f +- %.4f nats\n", s.gain, s.gain_error);
  printf("numbers: %s   page: %s\n", json, html);
  return 0;
}
