/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A galaxy as tables of named columns, and those tables as files that any program reads. */
#include <stdio.h>
#include <string.h>

#include "base/number.h"
#include "base/table.h"
#include "report/sed.h"

double sdn_sed_number_at(const sdn_sed_column *c, long row) { return *(const double *)(const void *)((const char *)c->first + (size_t)row * c->stride); }
const char *sdn_sed_text_at(const sdn_sed_column *c, long row) { return *(const char *const *)(const void *)((const char *)c->first + (size_t)row * c->stride); }

static sdn_sed_part spectrum_part(const sdn_sed_galaxy *g)
{
  const size_t d = sizeof(double);
  return (sdn_sed_part){"spectrum", g->n_wave, 4, {
    {"wave_rest_A", "Angstrom", "vacuum, rest frame; equal pairs: both sides of a jump", false, g->wave_A, d},
    {"wave_observed_A", "Angstrom", "vacuum, observed", false, g->wave_observed_A, d},
    {"lnu_erg_s_hz", "erg / (s Hz)", "as it leaves the galaxy, without lines and IGM", false, g->lnu_erg_s_hz, d},
    {"fnu_njy", "nJy", "observed flux density with IGM, without lines", false, g->fnu_nJy, d}}};
}

static sdn_sed_part photometry_part(const sdn_sed_galaxy *g)
{
  const size_t s = sizeof *g->band;
  return (sdn_sed_part){"photometry", g->n_band, 5, {
    {"band", "", "", true, &g->band->name, s},
    {"filter", "", "", true, &g->band->filter, s},
    {"pivot_A", "Angstrom", "pivot wavelength", false, &g->band->pivot_A, s},
    {"flux_njy", "nJy", "mean flux density, lines and IGM included", false, &g->band->flux_nJy, s},
    {"mag_ab", "mag", "AB magnitude", false, &g->band->mag_ab, s}}};
}

static sdn_sed_part measurements_part(const sdn_sed_galaxy *g)
{
  const size_t s = sizeof *g->measurement;
  return (sdn_sed_part){"measurements", g->n_measurement, 4, {
    {"name", "", "", true, &g->measurement->name, s},
    {"id", "", "", true, &g->measurement->id, s},
    {"value", "", "", false, &g->measurement->value, s},
    {"unit", "", "", true, &g->measurement->unit, s}}};
}

static sdn_sed_part lines_part(const sdn_sed_galaxy *g)
{
  const size_t s = sizeof *g->line;
  return (sdn_sed_part){"lines", g->n_line, 6, {
    {"line", "", "as the grid calls it", true, &g->line->id, s},
    {"wave_rest_A", "Angstrom", "vacuum, rest frame", false, &g->line->wave_A, s},
    {"wave_observed_A", "Angstrom", "vacuum, observed", false, &g->line->wave_observed_A, s},
    {"luminosity_erg_s", "erg / s", "as it leaves the galaxy, after dust", false, &g->line->luminosity_erg_s, s},
    {"flux_erg_s_cm2", "erg / (s cm2)", "observed, after dust and IGM", false, &g->line->flux_erg_s_cm2, s},
    {"equivalent_width_A", "Angstrom", "rest frame, emission positive", false, &g->line->equivalent_width_A, s}}};
}

static sdn_sed_part numbers_part(const char *name, long n, const sdn_sed_number *number, bool with_origin)
{
  const size_t s = sizeof *number;
  return (sdn_sed_part){name, n, with_origin ? 4 : 3, {
    {"name", "", "", true, &number->name, s},
    {"value", "", "", false, &number->value, s},
    {"unit", "", "", true, &number->unit, s},
    {"origin", "", "set, fixed, tied, prior median or prior draw", true, &number->origin, s}}};
}

static sdn_sed_part history_part(const sdn_sed_galaxy *g)
{
  const size_t d = sizeof(double);
  return (sdn_sed_part){"history", g->n_bin, 3, {
    {"lookback_low_yr", "yr", "the bin's recent end, before the galaxy is seen", false, g->lookback_yr, d},
    {"lookback_high_yr", "yr", "its early end", false, g->lookback_yr + 1, d},
    {"sfr_msun_per_yr", "solMass / yr", "mean star formation rate in the bin", false, g->sfr_msun_per_yr, d}}};
}

void sdn_sed_parts(const sdn_sed_galaxy *g, sdn_sed_part part[SDN_SED_N_PART])
{
  part[0] = spectrum_part(g);
  part[1] = photometry_part(g);
  part[2] = measurements_part(g);
  part[3] = lines_part(g);
  part[4] = numbers_part("derived", g->n_derived, g->derived, false);
  part[5] = numbers_part("parameters", g->n_param, g->param, true);
  part[6] = history_part(g);
}

int sdn_sed_text_width(const sdn_sed_part *p, int column)
{
  size_t width = 1;
  for (long i = 0; i < p->n; i++) {
    const size_t n = strlen(sdn_sed_text_at(&p->column[column], i));
    if (n > width) width = n;
  }
  return (int)width;
}

/* ------------------------------------------------------------------ one file per table */

char *sdn_sed_table_name(const char *path, int part, sdn_err *err)
{
  static const char *const ending[SDN_SED_N_PART] = {"", "_photometry", "_measurements", "_lines", "_derived", "_parameters", "_history"};
  const char *dot = strrchr(path, '.');
  const size_t stem = (size_t)(dot - path), size = strlen(path) + strlen(ending[part]) + 1;
  char *name = sdn_alloc(size, 1, "a file name", err);
  if (name) snprintf(name, size, "%.*s%s%s", (int)stem, path, ending[part], dot);
  return name;
}

static void describe_columns(const sdn_sed_part *p, sdn_column *column)
{
  for (int c = 0; c < p->n_column; c++) {
    column[c] = (sdn_column){.kind = p->column[c].is_text ? SDN_COLUMN_TEXT : SDN_COLUMN_DOUBLE, .width = p->column[c].is_text ? sdn_sed_text_width(p, c) : 0};
    snprintf(column[c].name, sizeof column[c].name, "%s", p->column[c].name);
    snprintf(column[c].unit, sizeof column[c].unit, "%s", p->column[c].unit);
    snprintf(column[c].description, sizeof column[c].description, "%s", p->column[c].about);
  }
}

static sdn_status append_rows(const sdn_sed_part *p, sdn_table_out *table, sdn_err *err)
{
  double number[SDN_SED_MAX_COLUMN];
  const char *text[SDN_SED_MAX_COLUMN];
  for (long i = 0; i < p->n; i++) {
    int n_text = 0;
    for (int c = 0; c < p->n_column; c++) {
      number[c] = p->column[c].is_text ? 0 : sdn_sed_number_at(&p->column[c], i);
      if (p->column[c].is_text) text[n_text++] = sdn_sed_text_at(&p->column[c], i);
    }
    if (sdn_table_append(table, 1, number, text, err)) return err->status;
  }
  return SDN_OK;
}

static sdn_status write_table(const sdn_sed_galaxy *g, const sdn_sed_part *p, const char *path, sdn_err *err)
{
  char redshift[SDN_NUMBER_SIZE];
  sdn_column column[SDN_SED_MAX_COLUMN];
  sdn_table_out *table = NULL;
  sdn_number_print(g->redshift, redshift);
  const sdn_meta meta[] = {{"SEDNAVER", SDN_VERSION}, {"COMMAND", g->command}, {"MODEL", g->model->origin}, {"PART", p->name}, {"REDSHIFT", redshift}};
  describe_columns(p, column);
  if (sdn_table_create(path, p->n_column, column, (int)(sizeof meta / sizeof meta[0]), meta, &table, err)) return err->status;
  if (!append_rows(p, table, err)) return sdn_table_finish(table, err);
  sdn_table_abandon(table);
  return err->status;
}

sdn_status sdn_sed_write_tables(const sdn_sed_galaxy *g, const char *path, sdn_err *err)
{
  sdn_sed_part part[SDN_SED_N_PART];
  sdn_status status = SDN_OK;
  sdn_sed_parts(g, part);
  for (int p = SDN_SED_N_PART - 1; p >= 0 && !status; p--) {   /* the spectrum last: where it stands, the others do too */
    char *name = sdn_sed_table_name(path, p, err);
    status = name ? write_table(g, &part[p], name, err) : err->status;
    sdn_release(name);
  }
  return status;
}
