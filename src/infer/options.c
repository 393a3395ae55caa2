/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The options of this room's commands, each said once. */
#include <sedna.h>

#define FIT(field) offsetof(sdn_fit_options, field)
const sdn_knob sdn_fit_knobs[] = {
  { "posterior", SDN_KNOB_TEXT, FIT(posterior), NULL, 0, 0, "FILE", "posterior.h5 written by `sedna train`" },
  { "catalogue", SDN_KNOB_TEXT, FIT(catalogue), NULL, 0, 0, "FILE", "galaxies: FITS, CSV, ECSV or HDF5 table" },
  { "output", SDN_KNOB_TEXT, FIT(output), NULL, 0, 0, "FILE", "result table, one row per galaxy: .fits, .csv, .ecsv or .h5" },
  { "samples", SDN_KNOB_TEXT, FIT(samples), NULL, 0, 0, "FILE", "write all draws of the primary parameters to this HDF5 file" },
  { "n_draw", SDN_KNOB_LONG, FIT(n_draw), "1000", 1, 1000000, "", "posterior draws per galaxy" },
  { "n_spectral", SDN_KNOB_LONG, FIT(n_spectral), "100", 0, 1000000, "", "draws per galaxy with spectral derived quantities and predicted photometry; 0: none" },
  { "derived", SDN_KNOB_TEXT, FIT(derived), "all", 0, 0, "none|sfh|all", "derived quantities: none, those of the star formation history, or spectral ones too" },
  { "fix", SDN_KNOB_TEXT, FIT(fix), NULL, 0, 0, "redshift=COLUMN", "take the redshift from this column of the catalogue" },
  { "copy", SDN_KNOB_TEXT, FIT(copy), NULL, 0, 0, "COLUMN,...", "columns of the catalogue to carry over into the result" },
  { "quantiles", SDN_KNOB_TEXT, FIT(quantiles), "16,50,84", 0, 0, "PERCENT,...", "posterior quantiles to write" },
  { "seed", SDN_KNOB_LONG, FIT(seed), "1", 0, 9007199254740992.0, "", "names the random numbers: the same seed gives the same result" },
};
const size_t sdn_n_fit_knob = sizeof sdn_fit_knobs / sizeof *sdn_fit_knobs;

#define CHECK(field) offsetof(sdn_check_options, field)
const sdn_knob sdn_check_knobs[] = {
  { "posterior", SDN_KNOB_TEXT, CHECK(posterior), NULL, 0, 0, "FILE", "posterior.h5 written by `sedna train`" },
  { "output", SDN_KNOB_TEXT, CHECK(output), "check", 0, 0, "STEM", "write STEM.json and STEM.html" },
  { "n", SDN_KNOB_LONG, CHECK(n), "10000", 100, 10000000, "", "fresh simulated galaxies" },
  { "n_draw", SDN_KNOB_LONG, CHECK(n_draw), "500", 19, 1000000, "", "posterior draws per galaxy" },
  { "fix", SDN_KNOB_TEXT, CHECK(fix), NULL, 0, 0, "redshift", "give the network the true redshift" },
  { "data", SDN_KNOB_TEXT, CHECK(data), NULL, 0, 0, "FILE", "held-out pairs theta, x in HDF5 instead of fresh galaxies" },
  { "noise", SDN_KNOB_TEXT, CHECK(noise), "drawn", 0, 0, "drawn|given", "of such x: drawn, as in training (data of a simulator that hold their noise stay as they are), or given: x is observed already" },
  { "theta", SDN_KNOB_TEXT, CHECK(theta), "theta", 0, 0, "NAME", "dataset of parameters" },
  { "x", SDN_KNOB_TEXT, CHECK(x), "x", 0, 0, "NAME", "dataset of data" },
  { "sigma", SDN_KNOB_TEXT, CHECK(sigma), "sigma", 0, 0, "NAME", "dataset of errors" },
  { "seed", SDN_KNOB_LONG, CHECK(seed), "1", 0, 9007199254740992.0, "", "names the galaxies, their noise and the draws" },
};
const size_t sdn_n_check_knob = sizeof sdn_check_knobs / sizeof *sdn_check_knobs;
