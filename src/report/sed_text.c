/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A galaxy as JSON, for machines and for the page; and as a summary, for the terminal. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/number.h"
#include "report/sed.h"

/* ------------------------------------------------------------------ JSON */

/* All digits that a double has, fewest that read back; null for what JSON has no number for. */
static void add_exact(sdn_text *json, double value)
{
  char digits[SDN_NUMBER_SIZE];
  if (isfinite(value)) sdn_number_print(value, digits);
  sdn_text_add(json, "%s", isfinite(value) ? digits : "null");
}

static void add_pair(sdn_text *json, const char *key, const char *value)
{
  sdn_text_add(json, "\"%s\": ", key);
  sdn_text_add_json_string(json, value);
}

/* A part as a list of objects, one per row. */
static void add_objects(sdn_text *json, const sdn_sed_part *p)
{
  sdn_text_add(json, "\"%s\": [", p->name);
  for (long i = 0; i < p->n; i++) {
    sdn_text_add(json, "%s\n    {", i ? "," : "");
    for (int c = 0; c < p->n_column; c++) {
      const sdn_sed_column *column = &p->column[c];
      sdn_text_add(json, "%s\"%s\": ", c ? ", " : "", column->name);
      if (column->is_text) sdn_text_add_json_string(json, sdn_sed_text_at(column, i));
      else add_exact(json, sdn_sed_number_at(column, i));
    }
    sdn_text_add(json, "}");
  }
  sdn_text_add(json, "%s]", p->n ? "\n  " : "");
}

/* A part as an object of lists, one per column: for the picture, so with the digits that it needs. */
static void add_lists(sdn_text *json, const sdn_sed_part *p)
{
  enum { picture_digits = 6 };
  sdn_text_add(json, "\"%s\": {", p->name);
  for (int c = 0; c < p->n_column; c++) {
    sdn_text_add(json, "%s\n    \"%s\": [", c ? "," : "", p->column[c].name);
    for (long i = 0; i < p->n; i++) {
      sdn_text_add(json, "%s", i ? "," : "");
      sdn_text_add_json_number(json, sdn_sed_number_at(&p->column[c], i), picture_digits);
    }
    sdn_text_add(json, "]");
  }
  sdn_text_add(json, "\n  }");
}

static void add_warnings(sdn_text *json, const sdn_sed_galaxy *g)
{
  bool first = true;
  sdn_text_add(json, "\"warnings\": [");
  for (const char *line = g->warning.data; line && *line; line += strcspn(line, "\n") + 1) {
    char sentence[512];
    snprintf(sentence, sizeof sentence, "%.*s", (int)strcspn(line, "\n"), line);
    sdn_text_add(json, "%s", first ? "" : ", ");
    sdn_text_add_json_string(json, sentence);
    first = false;
  }
  sdn_text_add(json, "]");
}

void sdn_sed_json(const sdn_sed_galaxy *g, bool with_curves, sdn_text *json)
{
  sdn_sed_part part[SDN_SED_N_PART];
  sdn_sed_parts(g, part);
  sdn_text_add(json, "{\n  ");
  add_pair(json, "format", "sedna sed");
  sdn_text_add(json, ",\n  ");
  add_pair(json, "sedna_version", SDN_VERSION);
  sdn_text_add(json, ",\n  ");
  add_pair(json, "command", g->command);
  sdn_text_add(json, ",\n  ");
  add_pair(json, "model", g->model->origin);
  sdn_text_add(json, ",\n  ");
  add_pair(json, "dust_emission", g->model->dust_emission ? sdn_dust_emission_name(g->model->dust_emission) : "none");
  sdn_text_add(json, ",\n  ");
  add_pair(json, "agn", g->model->agn ? sdn_agn_name(g->model->agn) : "none");
  sdn_text_add(json, ",\n  \"redshift\": ");
  add_exact(json, g->redshift);
  sdn_text_add(json, ",\n  \"age_universe_yr\": ");
  add_exact(json, g->age_universe_yr);
  sdn_text_add(json, ",\n  ");
  add_warnings(json, g);
  for (int p = 1; p < SDN_SED_N_PART - 1; p++) {
    sdn_text_add(json, ",\n  ");
    add_objects(json, &part[p]);
  }
  for (int p = 0; with_curves && p < SDN_SED_N_PART; p += SDN_SED_N_PART - 1) {
    sdn_text_add(json, ",\n  ");
    add_lists(json, &part[p]);
  }
  sdn_text_add(json, "\n}\n");
}

/* ------------------------------------------------------------------ summary */

static void summarise_numbers(sdn_text *text, const char *title, int n, const sdn_sed_number *number, bool with_origin)
{
  sdn_text_add(text, "\n%s\n", title);
  for (int i = 0; i < n; i++)
    sdn_text_add(text, "  %-32s %14.6g  %-16s%s\n", number[i].name, number[i].value, number[i].unit, with_origin ? number[i].origin : "");
}

static void summarise_bands(sdn_text *text, const sdn_sed_galaxy *g)
{
  enum { n_shown = 60 };   /* a spectrum's pixels are bands, too */
  if (g->n_band == 0) return;
  sdn_text_add(text, "\nphotometry\n  %-32s %14s %14s %10s\n", "band", "pivot [A]", "flux [nJy]", "AB mag");
  for (int b = 0; b < g->n_band && b < n_shown; b++)
    sdn_text_add(text, "  %-32s %14.6g %14.6g %10.4f\n", g->band[b].name, g->band[b].pivot_A, g->band[b].flux_nJy, g->band[b].mag_ab);
  if (g->n_band > n_shown) sdn_text_add(text, "  ... and %d more\n", g->n_band - n_shown);
}

static void summarise_measurements(sdn_text *text, const sdn_sed_galaxy *g)
{
  if (g->n_measurement) sdn_text_add(text, "\nmeasurements\n");
  for (int i = 0; i < g->n_measurement; i++)
    sdn_text_add(text, "  %-32s %14.6g  %s\n", g->measurement[i].name, g->measurement[i].value, g->measurement[i].unit);
}

static int by_luminosity(const void *a, const void *b)
{
  const double x = ((const sdn_sed_line *)a)->luminosity_erg_s, y = ((const sdn_sed_line *)b)->luminosity_erg_s;
  return (x < y) - (x > y);
}

static void summarise_lines(sdn_text *text, const sdn_sed_galaxy *g)
{
  enum { n_shown = 10 };
  sdn_err unused;
  sdn_sed_line *sorted = sdn_alloc((size_t)g->n_line, sizeof *sorted, "lines", &unused);
  if (!sorted || g->n_line == 0) {
    text->failed = text->failed || !sorted;
    sdn_release(sorted);
    return;
  }
  memcpy(sorted, g->line, (size_t)g->n_line * sizeof *sorted);
  qsort(sorted, (size_t)g->n_line, sizeof *sorted, by_luminosity);
  sdn_text_add(text, "\nstrongest of %d lines\n  %-32s %14s %14s %14s %10s\n", g->n_line, "line", "observed [A]", "L [erg/s]", "F [erg/s/cm2]", "EW [A]");
  for (int l = 0; l < n_shown && l < g->n_line && sorted[l].luminosity_erg_s > 0; l++)
    sdn_text_add(text, "  %-32s %14.2f %14.5g %14.5g %10.4g\n", sorted[l].id, sorted[l].wave_observed_A, sorted[l].luminosity_erg_s, sorted[l].flux_erg_s_cm2,
                 sorted[l].equivalent_width_A);
  sdn_release(sorted);
}

void sdn_sed_summary(const sdn_sed_galaxy *g, sdn_text *text)
{
  sdn_text_add(text, "%s at redshift %.6g, where the Universe is %.4g Gyr old\n", g->model->origin, g->redshift, g->age_universe_yr * 1e-9);
  if (g->warning.n) sdn_text_add(text, "\nwarning\n  %s", g->warning.data);
  summarise_numbers(text, "parameters", g->n_param, g->param, true);
  summarise_bands(text, g);
  summarise_measurements(text, g);
  summarise_numbers(text, "derived quantities", g->n_derived, g->derived, false);
  summarise_lines(text, g);
}
