/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Galaxies per second of `sedna fit`, whole: catalogue in, quantiles out, 1000 draws each, for the eight-parameter model on JADES's 14 bands.
 * The network has the default sizes and is hardly trained, which changes no rate.
 * usage: bench_fit FOLDER [N galaxies, default 1000] [threads, default 1]      FOLDER: for scratch files */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/random.h"
#include "base/table.h"

enum { MAX_BAND = 32 };

static void need(sdn_status status, const sdn_err *err)
{
  if (status == SDN_OK) return;
  fprintf(stderr, "%s\n", err->text);
  exit(1);
}


static void make_posterior(const char *folder, const sdn_run *run)
{
  sdn_err err;
  sdn_simulate_options simulate;
  sdn_simulate_summary simulated;
  sdn_train_options train;
  sdn_train_summary trained;
  char library[1024], posterior[1024];
  snprintf(library, sizeof library, "%s/library.h5", folder);
  snprintf(posterior, sizeof posterior, "%s/posterior.h5", folder);
  sdn_knob_defaults(sdn_simulate_knobs, sdn_n_simulate_knob, &simulate);
  simulate.model = "harvey25";
  simulate.survey = "jades_gs";
  simulate.output = library;
  simulate.n = 20000;
  need(sdn_simulate(&simulate, run, &simulated, &err), &err);
  sdn_knob_defaults(sdn_train_knobs, sdn_n_train_knob, &train);
  train.library = library;
  train.output = posterior;
  train.n_epoch = 2;
  need(sdn_train(&train, run, &trained, &err), &err);
}

/* A catalogue of n galaxies drawn from the prior, as the survey would list them. */
static void make_catalogue(const char *path, long n)
{
  sdn_err err;
  sdn_library *library;
  sdn_survey *survey;
  char source[1024];
  snprintf(source, sizeof source, "%.*slibrary.h5", (int)(strrchr(path, '/') - path + 1), path);
  need(sdn_library_open(source, &library, &err), &err);
  need(sdn_survey_parse(sdn_library_survey_yaml(library), source, &survey, &err), &err);
  const int n_band = sdn_survey_n_band(survey);
  const size_t size = (size_t)n * (size_t)n_band;
  float *truth = sdn_alloc(size, sizeof *truth, "fluxes", &err), *flux = sdn_alloc(2 * size, sizeof *flux, "data", &err), *sigma = flux ? flux + size : NULL;
  double *number = sdn_alloc((size_t)n * (size_t)(2 * n_band + 1), sizeof *number, "rows", &err);
  if (!truth || !flux || !number) need(err.status, &err);
  need(sdn_library_rows(library, 0, n, NULL, truth, &err), &err);
  need(sdn_survey_draw(survey, n, truth, 1, SDN_STREAM_TEST, 0, flux, sigma, &err), &err);
  sdn_column column[2 * MAX_BAND + 1] = {{.name = "ID", .kind = SDN_COLUMN_LONG}};
  for (int b = 0; b < n_band; b++) {
    snprintf(column[1 + b].name, sizeof column->name, "FLUX_%s", sdn_survey_band_name(survey, b));
    snprintf(column[1 + n_band + b].name, sizeof column->name, "FLUXERR_%s", sdn_survey_band_name(survey, b));
  }
  for (long i = 0; i < n; i++) {
    double *row = number + i * (2 * n_band + 1);
    row[0] = (double)i;
    for (int b = 0; b < n_band; b++) {
      row[1 + b] = (double)flux[i * n_band + b];
      row[1 + n_band + b] = (double)sigma[i * n_band + b];
    }
  }
  sdn_table_out *table;
  need(sdn_table_create(path, 2 * n_band + 1, column, 0, NULL, &table, &err), &err);
  need(sdn_table_append(table, n, number, NULL, &err), &err);
  need(sdn_table_finish(table, &err), &err);
  sdn_release(truth);
  sdn_release(flux);
  sdn_release(number);
  sdn_survey_free(survey);
  sdn_library_close(library);
}

int main(int argc, char **argv)
{
  if (argc < 2) {
    fprintf(stderr, "usage: bench_fit FOLDER [N] [THREADS]\n");
    return 2;
  }
  const char *folder = argv[1];
  const long n = argc > 2 ? atol(argv[2]) : 1000;
  const sdn_run run = {.n_thread = argc > 3 ? atoi(argv[3]) : 1};
  static const struct { const char *what, *derived; long n_spectral; } kinds[] = {
    {"primaries only", "none", 0}, {"with SFH quantities of all draws", "sfh", 0}, {"with spectra and photometry of 100 draws too", "all", 100}};
  char posterior[1024], catalogue[1024], result[1024];
  snprintf(posterior, sizeof posterior, "%s/posterior.h5", folder);
  snprintf(catalogue, sizeof catalogue, "%s/catalogue.fits", folder);
  snprintf(result, sizeof result, "%s/result.fits", folder);
  make_posterior(folder, &run);
  make_catalogue(catalogue, n);
  for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++) {
    sdn_err err;
    sdn_fit_options fit;
    sdn_fit_summary summary;
    sdn_knob_defaults(sdn_fit_knobs, sdn_n_fit_knob, &fit);
    fit.posterior = posterior;
    fit.catalogue = catalogue;
    fit.output = result;
    fit.derived = kinds[k].derived;
    fit.n_spectral = kinds[k].n_spectral;
    need(sdn_fit(&fit, &run, &summary, &err), &err);
    printf("fit        %-48s %7.0f galaxies/s on %d thread%s\n", kinds[k].what, summary.galaxies_per_second, run.n_thread, run.n_thread > 1 ? "s" : "");
  }
  return 0;
}
