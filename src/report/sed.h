/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One galaxy with all that the model says of it: computed by sed_galaxy.c, written as tables (sed_table.c, sed_h5.c), JSON and text (sed_text.c). */
#ifndef SDN_REPORT_SED_H
#define SDN_REPORT_SED_H

#include "base/text.h"
#include "physics/galaxy.h"
#include "survey/survey.h"

typedef struct sdn_sed_number { const char *name, *unit, *origin; double value; } sdn_sed_number;
typedef struct sdn_sed_band { const char *name, *filter; double pivot_A, flux_nJy, mag_ab; } sdn_sed_band;
typedef struct sdn_sed_measurement { const char *name, *id, *unit; double value; } sdn_sed_measurement;   /* observables that are no flux density */
typedef struct sdn_sed_line { const char *id; double wave_A, wave_observed_A, luminosity_erg_s, flux_erg_s_cm2, equivalent_width_A; } sdn_sed_line;

typedef struct sdn_sed_galaxy {
  const char *command;
  sdn_model *model;
  sdn_forward *forward;
  sdn_survey *survey;                                  /* NULL: bands were named one by one */
  double *params;                                      /* [n_param] */
  double redshift, age_universe_yr;
  int n_param, n_derived, n_band, n_measurement, n_line, n_bin;
  sdn_sed_number *param, *derived;                     /* origin of a parameter: set, fixed, tied, prior median, prior draw */
  sdn_sed_band *band;
  sdn_sed_measurement *measurement;
  sdn_sed_line *line;
  long n_wave;
  const double *wave_A;                                /* [n_wave] rest; equal pairs at jumps of the IGM */
  double *wave_observed_A, *fnu_nJy, *lnu_erg_s_hz;    /* fnu with IGM, lnu as it leaves the galaxy; both without lines */
  double *lookback_yr, *sfr_msun_per_yr;               /* [n_bin + 1] edges, [n_bin] mean rates */
  sdn_text warning;                                    /* one per line */
  int n_id; const char **id;                           /* of all observables asked for */
  char *settings, *band_list;               /* texts that the above point into */
} sdn_sed_galaxy;

/* err as sdn_model_read_set and sdn_forward_new. Free it whatever the status. */
sdn_status sdn_sed_compute(const sdn_sed_options *opt, const sdn_run *run, sdn_sed_galaxy *g, sdn_err *err);
void sdn_sed_free(sdn_sed_galaxy *g);
/* "NAME=VALUE NAME=VALUE ..." -> settings, whose names point into *copy (freed by sdn_release). max: room in `setting`. */
sdn_status sdn_sed_read_settings(const char *text, int max, sdn_setting *setting, int *n, char **copy, sdn_err *err);

/* The galaxy as tables, which the writers go through: part 0 is the spectrum. A column's values lie `stride` bytes apart: doubles, or texts. */
#define SDN_SED_N_PART 7
#define SDN_SED_MAX_COLUMN 6
typedef struct sdn_sed_column { const char *name, *unit, *about; bool is_text; const void *first; size_t stride; } sdn_sed_column;
typedef struct sdn_sed_part { const char *name; long n; int n_column; sdn_sed_column column[SDN_SED_MAX_COLUMN]; } sdn_sed_part;
void sdn_sed_parts(const sdn_sed_galaxy *g, sdn_sed_part part[SDN_SED_N_PART]);
double sdn_sed_number_at(const sdn_sed_column *c, long row);
const char *sdn_sed_text_at(const sdn_sed_column *c, long row);
int sdn_sed_text_width(const sdn_sed_part *p, int column);   /* bytes of the longest text, at least 1 */

/* OUT.ecsv (.csv, .fits): the spectrum, and OUT_photometry, OUT_measurements, OUT_lines, OUT_derived, OUT_parameters, OUT_history beside it. */
sdn_status sdn_sed_write_tables(const sdn_sed_galaxy *g, const char *path, sdn_err *err);
/* The name of the file of one part: part 0 is `path` itself. Freed by sdn_release; NULL with err SDN_MEMORY. */
char *sdn_sed_table_name(const char *path, int part, sdn_err *err);
sdn_status sdn_sed_write_h5(const sdn_sed_galaxy *g, const char *path, sdn_err *err);

/* Everything but spectrum and history, numbers with all their digits; with_curves: those too. */
void sdn_sed_json(const sdn_sed_galaxy *g, bool with_curves, sdn_text *json);
void sdn_sed_summary(const sdn_sed_galaxy *g, sdn_text *text);

#endif
