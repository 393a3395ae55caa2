/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

const cli_page cli_fit_page = {
  .name = "fit",
  .summary = "posteriors of real galaxies: posterior.h5, catalogue -> result table",
  .about = "One row per galaxy: quantiles, mean and standard deviation of every parameter and derived quantity, flags. Reads and writes FITS,\n"
           "CSV, ECSV and HDF5 tables (by extension) in blocks: memory does not grow with the catalogue. A bad row gets a flag (sedna info RESULT\n"
           "explains them); all other rows are right. --fix redshift=COLUMN takes redshifts as known.\n",
  .positional = {"posterior", "catalogue", NULL},
  .knobs = sdn_fit_knobs, .n_knob = &sdn_n_fit_knob,
  .required = "output",
  .examples = "  sedna fit posterior.h5 catalogue.fits -o result.fits\n"
              "  sedna fit posterior.h5 catalogue.csv -o result.ecsv --fix redshift=Z_SPEC --samples draws.h5\n",
};

static void print_photo_z(const sdn_fit_summary *s)
{
  if (s->n_spec < 2) return;   /* one galaxy has no scatter */
  printf("photometric against spectroscopic redshift, %ld galaxies: sigma_NMAD %.4f, outliers (> 0.15) %.1f %%, bias %+.4f\n", s->n_spec,
         s->nmad, 100 * s->outlier_fraction, s->bias);
}

int cmd_fit(int argc, char **argv)
{
  sdn_fit_options options;
  sdn_run run;
  sdn_err err;
  sdn_fit_summary s;
  cli_parsed parsed = cli_parse(&cli_fit_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (sdn_fit(&options, &run, &s, &err) != SDN_OK) return cli_report("fit", &err);
  cli_progress_end();
  if (cli_quiet()) return 0;
  printf("%s: %ld galaxies in %.1f s, %.0f galaxies/s; %ld flagged, %ld of them without any data\n", options.output, s.n, s.seconds,
         s.galaxies_per_second, s.n_flagged, s.n_no_data);
  print_photo_z(&s);
  return 0;
}
